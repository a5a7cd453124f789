"""Rings: how they are found, counted and measured, and what lies around them."""

from glassnb.network.rings.compaction import RingCompaction, ring_compaction
from glassnb.network.rings.density import RingEnvironment
from glassnb.network.rings.environment import ring_environment
from glassnb.network.rings.result import Rings
from glassnb.network.rings.search import guttman_rings, king_rings, primitive_rings
from glassnb.network.rings.shape import RingShape, ring_shape
from glassnb.network.rings.statistics import RingStatistics, ring_statistics

__all__ = [
    "RingCompaction",
    "RingEnvironment",
    "RingShape",
    "RingStatistics",
    "Rings",
    "guttman_rings",
    "king_rings",
    "primitive_rings",
    "ring_compaction",
    "ring_environment",
    "ring_shape",
    "ring_statistics",
]
