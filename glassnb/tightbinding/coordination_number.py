"""Coordination numbers that change smoothly when a bond forms or breaks, and their derivatives.

S. Grimme, J. Antony, S. Ehrlich, H. Krieg, J. Chem. Phys. 132, 154104 (2010), equation 15.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from glassnb.tightbinding.basis import Basis
from glassnb.tightbinding.integrals.pairs import AtomPairs, scatter_pairs

__all__ = ["CN_CUTOFF", "coordination_gradient", "coordination_numbers"]

FloatArray = npt.NDArray[np.float64]

CN_CUTOFF = 25.0  # bohr
STEEPNESS = 16.0
BOND = 4 / 3  # a bond ends where the distance is this many times the sum of the radii


def coordination_numbers(basis: Basis, pairs: AtomPairs) -> FloatArray:
    """Count the bonds of each atom.

    Parameters
    ----------
    basis : Basis
        Species of the atoms.
    pairs : AtomPairs
        All pairs within at least 25 bohr.

    Returns
    -------
    ndarray, shape (n_atoms,)
        Coordination numbers; a silicon atom in quartz has about 4.8.
    """
    near = pairs.select(pairs.distances <= CN_CUTOFF)
    count = _count(basis, near)[0]
    n = basis.species.size
    numbers = np.bincount(near.first, count, n)
    # An image of an atom that pairs with it counts twice, as does its opposite.
    return np.asarray(numbers + np.bincount(near.second, count, n))


def coordination_gradient(
    basis: Basis, pairs: AtomPairs, slopes: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Follow the coordination numbers back to the positions.

    Parameters
    ----------
    basis : Basis
        Species of the atoms.
    pairs : AtomPairs
        All pairs within at least 25 bohr.
    slopes : ndarray, shape (n_atoms,)
        Derivative of the energy by each coordination number, in Hartree.

    Returns
    -------
    gradient : ndarray, shape (n_atoms, 3)
        In Hartree/bohr.
    virial : ndarray, shape (3, 3)
        In Hartree.
    """
    near = pairs.select(pairs.distances <= CN_CUTOFF)
    slope = _count(basis, near)[1] * (slopes[near.first] + slopes[near.second])
    by_vector = (slope / near.distances)[:, None] * near.vectors
    return scatter_pairs(near, by_vector, basis.species.size)


def _count(basis: Basis, pairs: AtomPairs) -> tuple[FloatArray, FloatArray]:
    """Return how much each pair counts as a bond, and the derivative by its distance."""
    radii = basis.of_atoms("covalent_radius")
    bond = BOND * (radii[pairs.first] + radii[pairs.second])
    count = 1 / (1 + np.exp(-STEEPNESS * (bond / pairs.distances - 1)))
    return count, -STEEPNESS * bond / pairs.distances**2 * count * (1 - count)
