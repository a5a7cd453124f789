"""The first floor, network side: what is bonded to what.

Bonds by the first minimum of the partial g(r), coordination numbers, bond-angle distributions, the
Q^n classification of tetrahedra (Engelhardt and Michel, High-Resolution Solid-State NMR of
Silicates and Zeolites, 1987) and the tetrahedral order parameter (Errington and Debenedetti,
Nature 409, 318 (2001)).
"""

from glassnb.network.angles import BondAngles, bond_angles
from glassnb.network.bonds import Bonds, bond_cutoffs, bonds
from glassnb.network.cavity import Cavities, cavities
from glassnb.network.coordination import Coordination, QSpecies, coordination, q_species
from glassnb.network.rings import (
    Rings,
    RingShape,
    guttman_rings,
    king_rings,
    primitive_rings,
    ring_shape,
)
from glassnb.network.tetrahedra import tetrahedral_order

__all__ = [
    "BondAngles",
    "Bonds",
    "Cavities",
    "Coordination",
    "QSpecies",
    "RingShape",
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
    "ring_shape",
    "tetrahedral_order",
]
