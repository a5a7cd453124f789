"""Electronic structure by the tight-binding method GFN1-xTB, for molecules and periodic structures.

The method is that of S. Grimme, C. Bannwarth and P. Shushkov, J. Chem. Theory Comput. 13, 1989
(2017), with its parameters from the installed tblite. Inside this room, energies are in Hartree and
lengths in bohr; :class:`DCXTB`, a calculator of ASE, speaks eV and Å.
"""

from glassnb.tightbinding.calculator import DCXTB
from glassnb.tightbinding.self_consistency import ConvergenceError

__all__ = ["ConvergenceError", "DCXTB"]
