"""The third floor, where views of one structure meet: diffraction beside homology and polyhedra.

A region that persistent homology, rings or Voronoi polyhedra single out gets the patterns of a
beam that stands on it, as in A. Hirata, Quantum Beam Sci. 6, 28 (2022), and a comparison with
regions taken at random: an effect size, its error and a permutation test. A crystal planted in a
glass is the positive control of any such search.
"""

from glassnb.linking.comparison import GroupComparison, compare_groups
from glassnb.linking.control import plant_crystal
from glassnb.linking.homology import atom_lifetimes
from glassnb.linking.polyhedra import voronoi_indices
from glassnb.linking.regions import RegionPatterns, patterns_of_regions, select_regions
from glassnb.linking.waves import density_wave_at

__all__ = [
    "GroupComparison",
    "RegionPatterns",
    "atom_lifetimes",
    "compare_groups",
    "density_wave_at",
    "patterns_of_regions",
    "plant_crystal",
    "select_regions",
    "voronoi_indices",
]
