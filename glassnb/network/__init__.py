"""The first floor, network side: what is bonded to what.

Bonds by the first minimum of the partial g(r), coordination numbers, bond-angle distributions, the
Q^n classification of tetrahedra (Engelhardt and Michel, High-Resolution Solid-State NMR of
Silicates and Zeolites, 1987) and the tetrahedral order parameter (Errington and Debenedetti,
Nature 409, 318 (2001)).

Rings by the definitions of King, Guttman and Franzblau, their statistics as R.I.N.G.S. gives them,
their roundness and roughness (Shiga et al., Commun. Mater. 4, 91 (2023)) and what compaction does
to them (Salmon et al., Phys. Rev. B 107, 144203 (2023)); cavities as SOVA and pyMolDyn define them
(Heimbach et al., J. Comput. Chem. 38, 389 (2017)).
"""

from glassnb.network.angles import BondAngles, bond_angles
from glassnb.network.bonds import Bonds, bond_cutoffs, bonds
from glassnb.network.cavity import Cavities, cavities
from glassnb.network.coordination import Coordination, QSpecies, coordination, q_species
from glassnb.network.rings import (
    RingCompaction,
    RingEnvironment,
    Rings,
    RingShape,
    RingStatistics,
    guttman_rings,
    king_rings,
    primitive_rings,
    ring_compaction,
    ring_environment,
    ring_shape,
    ring_statistics,
)
from glassnb.network.tetrahedra import tetrahedral_order

__all__ = [
    "BondAngles",
    "Bonds",
    "Cavities",
    "Coordination",
    "QSpecies",
    "RingCompaction",
    "RingEnvironment",
    "RingShape",
    "RingStatistics",
    "Rings",
    "bond_angles",
    "bond_cutoffs",
    "bonds",
    "cavities",
    "coordination",
    "guttman_rings",
    "king_rings",
    "primitive_rings",
    "q_species",
    "ring_compaction",
    "ring_environment",
    "ring_shape",
    "ring_statistics",
    "tetrahedral_order",
]
