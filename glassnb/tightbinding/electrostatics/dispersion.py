"""Dispersion energy by the D3 method with rational damping, through the dftd3 package.

Grimme, Antony, Ehrlich and Krieg, J. Chem. Phys. 132, 154104 (2010); Grimme, Ehrlich and Goerigk,
J. Comput. Chem. 32, 1456 (2011). GFN1-xTB has two-body terms alone. In a crystal they are summed
by Ewald's method on a mesh, to about 1e-8 Hartree an atom and with memory that grows as the number
of atoms; or, as tblite does, up to a cutoff, which loses some 1e-5 Hartree an atom.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["PAIR_MATRICES", "Dispersion", "dispersion"]

FloatArray = NDArray[np.float64]

#: Damping of GFN1-xTB: Grimme, Bannwarth and Shushkov, J. Chem. Theory Comput. 13, 1989 (2017).
_DAMPING = MappingProxyType({"s6": 1.0, "s8": 2.4, "s9": 0.0, "a1": 0.63, "a2": 5.0})
# Cutoffs in bohr of pairs, triples and coordination numbers, and how softly they set in: tblite's.
_CUTOFFS = (50.0, 25.0, 25.0, 0.05, 0.05)


PAIR_MATRICES = 3  # that energies of single atoms take


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
    lattice_sum: str = "converged",
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
    lattice_sum : str
        ``"converged"``, or ``"tblite"`` for the truncated sum of tblite.
    per_atom : bool
        Whether to work out the energy of every atom too, which takes memory for
        ``PAIR_MATRICES`` matrices over all pairs of atoms (0.2 GB for 3000 atoms). Pairs beyond
        the cutoff are shared as those within it.

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
    energies = None
    if per_atom:
        pairs = model.get_pairwise_dispersion(damping)["additive pairwise energy"]
        energies = pairs.sum(axis=1)
    if periodic is not None and lattice_sum == "converged":
        model.set_ewald_summation()
    found = model.get_dispersion(damping, grad=True)
    energy = float(found["energy"])
    if energies is not None and energy:
        energies *= energy / energies.sum()
    return Dispersion(energy, energies, found["gradient"], found["virial"])
