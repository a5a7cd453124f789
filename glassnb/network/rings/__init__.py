"""Rings: how they are found, counted and measured, and what lies around them."""

from glassnb.network.rings.result import Rings
from glassnb.network.rings.search import guttman_rings, king_rings, primitive_rings
from glassnb.network.rings.shape import RingShape, ring_shape

__all__ = [
    "RingShape",
    "Rings",
    "guttman_rings",
    "king_rings",
    "primitive_rings",
    "ring_shape",
]
