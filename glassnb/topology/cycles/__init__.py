"""The atoms behind the points of a persistence diagram: rings and cavities, each in one piece.

Volume-optimal cycles of rings (I. Obayashi, SIAM J. Appl. Algebra Geom. 2, 508 (2018)) and stable
volumes (I. Obayashi, J. Appl. Comput. Topol. 7, 671 (2023)) by linear programming, with a proof
that the whole structure holds none that is smaller; all cavities from one merge tree. Simplices
are looked at in space, each with the cell it lies in, and not modulo the lattice: no volume closes
on itself around the cell, and those that cross its faces are whole.
"""

from glassnb.topology.cycles.cavity import CavityTree, cavity_tree
from glassnb.topology.cycles.cycle import Cycle, CycleCertificate
from glassnb.topology.cycles.search import Cycles, cycles_in_region, optimal_cycle

__all__ = [
    "CavityTree",
    "Cycle",
    "CycleCertificate",
    "Cycles",
    "cavity_tree",
    "cycles_in_region",
    "optimal_cycle",
]
