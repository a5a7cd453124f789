"""Divide and conquer: orbitals of overlapping subsystems instead of those of the whole structure.

Time and memory grow with the number of atoms, not with its cube. Subsystems are clusters cut from
the structure, with the coordination numbers and in the electrostatic potential of the whole; one
chemical potential joins them.
"""

from glassnb.tightbinding.divided.division import Division
from glassnb.tightbinding.divided.partition import Partition, partition
from glassnb.tightbinding.divided.point import (
    DividedSinglePoint,
    divided_single_point,
)
from glassnb.tightbinding.divided.solver import GapError

__all__ = [
    "DividedSinglePoint",
    "Division",
    "GapError",
    "Partition",
    "divided_single_point",
    "partition",
]
