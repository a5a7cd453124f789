"""Electronic structure by the tight-binding method GFN1-xTB, for molecules and periodic structures.

The method is that of S. Grimme, C. Bannwarth and P. Shushkov, J. Chem. Theory Comput. 13, 1989
(2017), with its parameters from the installed tblite. Large structures are divided and conquered:
W. Yang, Phys. Rev. Lett. 66, 1438 (1991); W. Yang and T.-S. Lee, J. Chem. Phys. 103, 5674 (1995);
M. Kobayashi and H. Nakai, in Linear-Scaling Techniques in Computational Chemistry and Physics
(Springer, 2011). Inside this room, energies are in Hartree and lengths in bohr; :class:`DCXTB`, a
calculator of ASE, speaks eV and Å.
"""

from glassnb.tightbinding.calculator import DCXTB
from glassnb.tightbinding.divided import GapError
from glassnb.tightbinding.self_consistency import ConvergenceError
from glassnb.tightbinding.structure import SmallCellWarning

__all__ = ["ConvergenceError", "DCXTB", "GapError", "SmallCellWarning"]
