"""The repulsion of the nuclei of GFN1-xTB: effective charges behind an exponential screen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from glassnb.tightbinding.basis import Basis
from glassnb.tightbinding.integrals.pairs import AtomPairs, scatter_pairs
from glassnb.tightbinding.parameters import global_parameters

__all__ = ["REPULSION_CUTOFF", "repulsion"]

FloatArray = npt.NDArray[np.float64]

REPULSION_CUTOFF = 25.0  # bohr


def repulsion(basis: Basis, pairs: AtomPairs) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the repulsion and its derivatives.

    S. Grimme, C. Bannwarth, P. Shushkov, J. Chem. Theory Comput. 13, 1989 (2017), equation 13.

    Parameters
    ----------
    basis : Basis
        Species of the atoms.
    pairs : AtomPairs
        All pairs within at least 25 bohr.

    Returns
    -------
    energies : ndarray, shape (n_atoms,)
        Half of the energy of each pair to each of its atoms, in Hartree.
    gradient : ndarray, shape (n_atoms, 3)
        In Hartree/bohr.
    virial : ndarray, shape (3, 3)
        In Hartree.
    """
    near = pairs.select(pairs.distances <= REPULSION_CUTOFF)
    power = global_parameters().repulsion_power
    charges = basis.of_atoms("nuclear_charge")
    exponents = basis.of_atoms("repulsion_exponent")
    screen = np.sqrt(exponents[near.first] * exponents[near.second]) * near.distances**power
    energy = charges[near.first] * charges[near.second] * np.exp(-screen) / near.distances
    slope = -energy * (1 + power * screen) / near.distances
    n = basis.species.size
    energies: FloatArray = np.zeros(n)
    for atoms in (near.first, near.second):
        energies += np.bincount(atoms, energy / 2, n)
    by_vector = (slope / near.distances)[:, None] * near.vectors
    return (energies, *scatter_pairs(near, by_vector, n))
