"""Pairs of atoms in reach of each other, each pair once, in bohr."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ase import Atoms

from glassnb.core.neighbours import neighbours
from glassnb.tightbinding.parameters import BOHR

__all__ = ["AtomPairs", "atom_pairs", "scatter_pairs"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CLOSEST = 0.4  # Å; two nuclei closer than this are a mistake


@dataclass(frozen=True)
class AtomPairs:
    """Pairs of atoms, each once; an atom may be paired with its own images.

    Parameters
    ----------
    first, second : ndarray of int, shape (n_pairs,)
        The two atoms.
    images : ndarray of int, shape (n_pairs, 3)
        Cell of the second atom, relative to the position given for it.
    vectors : ndarray, shape (n_pairs, 3)
        From the first to the second, in bohr.
    distances : ndarray, shape (n_pairs,)
        Their lengths in bohr.
    """

    first: IntArray
    second: IntArray
    images: npt.NDArray[np.int32]
    vectors: FloatArray
    distances: FloatArray

    def select(self, which: npt.NDArray[np.bool_]) -> AtomPairs:
        """Return some of the pairs.

        Parameters
        ----------
        which : ndarray of bool, shape (n_pairs,)
            True for those to keep.

        Returns
        -------
        AtomPairs
            In the same order.
        """
        return AtomPairs(
            self.first[which], self.second[which], self.images[which], self.vectors[which],
            self.distances[which],
        )  # fmt: skip


def atom_pairs(atoms: Atoms, cutoff: float) -> AtomPairs:
    """Find all pairs of atoms within a distance.

    Parameters
    ----------
    atoms : ase.Atoms
        A molecule, or a structure that is periodic in all directions; any cell.
    cutoff : float
        Distance in bohr.

    Returns
    -------
    AtomPairs
        Each pair once, those with images included.

    Raises
    ------
    ValueError
        If the structure makes no sense or two atoms are closer than 0.4 Å.
    """
    found = neighbours(atoms, cutoff * BOHR)
    first, second = found.centres, found.indices
    if found.distances.size and found.distances.min() < CLOSEST:
        k = int(np.argmin(found.distances))
        raise ValueError(
            f"atoms: atoms {first[k]} and {second[k]} are {found.distances[k]:.3f} Å apart, less "
            f"than {CLOSEST} Å; relax the structure with a classical potential first"
        )
    # Of a pair and its mirror image, the one that leads to the later atom or the later cell.
    x, y, z = found.images.T
    later = (x > 0) | ((x == 0) & ((y > 0) | ((y == 0) & (z > 0))))
    keep = (second > first) | ((second == first) & later)
    return AtomPairs(
        first[keep],
        second[keep],
        found.images[keep],
        found.vectors(atoms)[keep] / BOHR,
        found.distances[keep] / BOHR,
    )


def scatter_pairs(
    pairs: AtomPairs, slopes: FloatArray, n_atoms: int
) -> tuple[FloatArray, FloatArray]:
    """Turn derivatives by the vectors of the pairs into derivatives by positions and strain.

    Parameters
    ----------
    pairs : AtomPairs
        The pairs.
    slopes : ndarray, shape (n_pairs, 3)
        Derivative of an energy by each vector, in Hartree/bohr.
    n_atoms : int
        Number of atoms.

    Returns
    -------
    gradient : ndarray, shape (n_atoms, 3)
        Derivative by the positions in Hartree/bohr.
    virial : ndarray, shape (3, 3)
        Derivative by the strain of cell and positions, in Hartree.
    """
    gradient = np.empty((n_atoms, 3))
    for axis in range(3):
        weights = slopes[:, axis]
        gradient[:, axis] = np.bincount(pairs.second, weights, n_atoms)
        gradient[:, axis] -= np.bincount(pairs.first, weights, n_atoms)
    return gradient, pairs.vectors.T @ slopes
