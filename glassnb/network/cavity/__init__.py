"""Voids of a structure: domains, and cavities grown from their surfaces or centres.

The definitions are those of pyMolDyn (I. Heimbach et al., J. Comput. Chem. 38, 389 (2017)) and of
SOVA, which took them over, on a grid that fits any periodic cell.
"""

from glassnb.network.cavity.cavities import Cavities, cavities

__all__ = ["Cavities", "cavities"]
