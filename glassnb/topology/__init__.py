"""The second floor: persistent homology, which knows distances where rings know bonds.

Balls grow on the atoms, and pieces, rings and cavities of their union are born and die. The
weighted alpha complex (H. Edelsbrunner, Discrete Comput. Geom. 13, 415 (1995)) holds all of it; it
is exact in any periodic cell, however small or skew. Persistence diagrams of silica as Hiraoka et
al. draw them (PNAS 113, 7035 (2016)), and of sub-structures as Onodera et al. do (NPG Asia Mater.
12, 85 (2020)); persistence images (Obayashi, Hiraoka and Kimura, J. Appl. Comput. Topol. 1, 421
(2018)); distances between diagrams; and the way back from a point of a diagram to its atoms:
optimal cycles (I. Obayashi, SIAM J. Appl. Algebra Geom. 2, 508 (2018)) and trees of cavities.
Linear models on images (Obayashi et al., the same), and a database of crystalline silica. Births
and deaths are in Å².
"""

from glassnb.topology.alpha_complex import AlphaComplex, ComplexChecks, alpha_complex
from glassnb.topology.crystal_entry import CrystalEntry, crystal_entry
from glassnb.topology.cycles import (
    CavityTree,
    Cycle,
    CycleCertificate,
    Cycles,
    cavity_tree,
    cycles_in_region,
    optimal_cycle,
)
from glassnb.topology.database import CrystalDatabase, crystal_database
from glassnb.topology.diagrams import PersistenceDiagrams, load_diagrams
from glassnb.topology.distance import diagram_distance, distance_matrix
from glassnb.topology.embedding import Embedding, embed
from glassnb.topology.image import PersistenceImage, persistence_image
from glassnb.topology.learned import Learned
from glassnb.topology.learning import learn
from glassnb.topology.nearest import NearestCrystals, nearest_crystals
from glassnb.topology.persistence import persistence
from glassnb.topology.radii import radii_from_pair_distribution

__all__ = [
    "AlphaComplex",
    "CavityTree",
    "ComplexChecks",
    "CrystalDatabase",
    "CrystalEntry",
    "Cycle",
    "CycleCertificate",
    "Cycles",
    "Embedding",
    "Learned",
    "NearestCrystals",
    "PersistenceDiagrams",
    "PersistenceImage",
    "alpha_complex",
    "cavity_tree",
    "crystal_database",
    "crystal_entry",
    "cycles_in_region",
    "diagram_distance",
    "distance_matrix",
    "embed",
    "learn",
    "load_diagrams",
    "nearest_crystals",
    "optimal_cycle",
    "persistence",
    "persistence_image",
    "radii_from_pair_distribution",
]
