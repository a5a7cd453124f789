"""Dispersion energy by the D3 method with rational damping, through the dftd3 package.

Grimme, Antony, Ehrlich and Krieg, J. Chem. Phys. 132, 154104 (2010); Grimme, Ehrlich and Goerigk,
J. Comput. Chem. 32, 1456 (2011). GFN1-xTB has two-body terms alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Dispersion", "dispersion"]

FloatArray = NDArray[np.float64]

#: Damping of GFN1-xTB: Grimme, Bannwarth and Shushkov, J. Chem. Theory Comput. 13, 1989 (2017).
_DAMPING = MappingProxyType({"s6": 1.0, "s8": 2.4, "s9": 0.0, "a1": 0.63, "a2": 5.0})
# Cutoffs in bohr of pairs, triples and coordination numbers, and how softly they set in: tblite's.
_CUTOFFS = (50.0, 25.0, 25.0, 0.05, 0.05)


@dataclass(frozen=True)
class Dispersion:
    """Dispersion energy of a structure and its derivatives.

    Parameters
    ----------
    energy : float
        In Hartree, per cell.
    energies : ndarray, shape (n_atoms,), or None
        Half of each pair energy for each of its atoms, in Hartree, where asked for.
    gradient : ndarray, shape (n_atoms, 3)
        With respect to positions, in Hartree/bohr.
    virial : ndarray, shape (3, 3)
        With respect to a homogeneous strain, in Hartree.
    """

    energy: float
    energies: FloatArray | None
    gradient: FloatArray
    virial: FloatArray


def dispersion(
    numbers: ArrayLike,
    positions: ArrayLike,
    cell: ArrayLike | None = None,
    *,
    per_atom: bool = True,
) -> Dispersion:
    """Return the D3 dispersion energy with the damping of GFN1-xTB.

    Parameters
    ----------
    numbers : array_like, shape (n_atoms,)
        Atomic numbers.
    positions : array_like, shape (n_atoms, 3)
        In bohr.
    cell : array_like, shape (3, 3), optional
        Cell vectors as rows, in bohr, periodic along all three; ``None`` for a molecule.
    per_atom : bool
        Whether to work out the energy of every atom too; this needs two matrices over pairs of
        atoms (0.14 GB for 3000 atoms).

    Returns
    -------
    Dispersion
        Energy, energies of the atoms, gradient and virial.
    """
    from dftd3.interface import DispersionModel, RationalDampingParam

    periodic = None if cell is None else np.ones(3, dtype=bool)
    lattice = None if cell is None else np.asarray(cell, dtype=float)
    model = DispersionModel(
        np.asarray(numbers), np.asarray(positions, dtype=float), lattice, periodic
    )
    model.set_realspace_cutoff(*_CUTOFFS)
    damping = RationalDampingParam(**_DAMPING)
    found = model.get_dispersion(damping, grad=True)
    energies = None
    if per_atom:
        pairs = model.get_pairwise_dispersion(damping)["additive pairwise energy"]
        energies = pairs.sum(axis=1)
    return Dispersion(float(found["energy"]), energies, found["gradient"], found["virial"])
