"""Third-order energy of the charges of atoms.

Grimme, Bannwarth and Shushkov, J. Chem. Theory Comput. 13, 1989 (2017), equation 17. It depends on
charges alone: no gradient at fixed charges.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["third_order_energies", "third_order_potential"]

FloatArray = NDArray[np.float64]


def third_order_energies(charges: FloatArray, hubbard_derivatives: FloatArray) -> FloatArray:
    """Return the third-order energy of every atom.

    Parameters
    ----------
    charges : ndarray, shape (n_atoms,)
        Charges of the atoms in e.
    hubbard_derivatives : ndarray, shape (n_atoms,)
        Derivative of the hardness with respect to the charge, in Hartree: tblite's ``gam3``.

    Returns
    -------
    ndarray, shape (n_atoms,)
        Energies in Hartree; the total is their sum.
    """
    return hubbard_derivatives * charges**3 / 3


def third_order_potential(charges: FloatArray, hubbard_derivatives: FloatArray) -> FloatArray:
    """Return the derivative of the third-order energy with respect to the charges.

    Parameters
    ----------
    charges : ndarray, shape (n_atoms,)
        Charges of the atoms in e.
    hubbard_derivatives : ndarray, shape (n_atoms,)
        Derivative of the hardness with respect to the charge, in Hartree: tblite's ``gam3``.

    Returns
    -------
    ndarray, shape (n_atoms,)
        Potentials in Hartree, the same for all shells of an atom.
    """
    return hubbard_derivatives * charges**2
