"""The ground floor: structures, neighbours, pair histograms, files, progress, parallel work.

Every other room stands on this one. The neighbour search and the pair histogram are linked-cell and
all-pairs methods (Allen and Tildesley, Computer Simulation of Liquids) in any periodic cell.
"""

from glassnb.core.config import Config, config
from glassnb.core.histograms import pair_histogram
from glassnb.core.isotopes import isotopes_of, set_isotopes
from glassnb.core.neighbours import Neighbours, neighbours
from glassnb.core.parallel import map_tasks
from glassnb.core.provenance import provenance
from glassnb.core.structure import PairMapping, half_box, mass_density, number_density

__all__ = [
    "Config",
    "Neighbours",
    "PairMapping",
    "config",
    "half_box",
    "isotopes_of",
    "map_tasks",
    "mass_density",
    "neighbours",
    "number_density",
    "pair_histogram",
    "provenance",
    "set_isotopes",
]
