"""Overlap and Hamiltonian matrices, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from glassnb.tightbinding.basis import Basis
from glassnb.tightbinding.integrals import _kernels
from glassnb.tightbinding.integrals.pairs import AtomPairs, scatter_pairs

__all__ = ["Hamiltonian", "hamiltonian"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CHUNKS = 64  # pieces of work for the threads; each takes every 64th pair


@dataclass(frozen=True)
class Hamiltonian:
    """Overlap and Hamiltonian of a structure: a block for each pair of atoms.

    The first pairs are the atoms with themselves; each of the others stands once and counts twice.
    The block of pair ``k`` is ``values[starts[k]:starts[k + 1]]``, a row for each orbital of its
    first atom.

    Parameters
    ----------
    basis : Basis
        The orbitals.
    pairs : AtomPairs
        Pairs of atoms, beginning with each atom and itself.
    starts : ndarray of int, shape (n_pairs + 1,)
        Where the block of each pair begins.
    levels : ndarray, shape (n_shells,)
        Levels of the shells in Hartree.
    overlap, values : ndarray, shape (starts[-1],)
        Elements of the overlap and of the Hamiltonian (in Hartree).
    """

    basis: Basis
    pairs: AtomPairs
    starts: IntArray
    levels: FloatArray
    overlap: FloatArray
    values: FloatArray

    @cached_property
    def places(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Orbitals of each element of the blocks: row and column."""
        first = self.basis.first_orbital
        columns = np.diff(first)[self.pairs.second]
        sizes = np.diff(self.starts)
        within = np.arange(self.starts[-1]) - np.repeat(self.starts[:-1], sizes)
        across = np.repeat(columns, sizes)
        rows = np.repeat(first[self.pairs.first], sizes) + within // across
        cols = np.repeat(first[self.pairs.second], sizes) + within % across
        return rows.astype(np.int32), cols.astype(np.int32)

    def dense(self, values: FloatArray) -> FloatArray:
        """Fold a matrix of blocks into the cell: sum over all images.

        Parameters
        ----------
        values : ndarray, shape (starts[-1],)
            ``overlap`` or ``values``.

        Returns
        -------
        ndarray, shape (n_orbitals, n_orbitals)
            The symmetric matrix at the Gamma point.
        """
        from scipy.sparse import coo_matrix

        rows, columns = self.places
        n = int(self.basis.first_orbital[-1])
        own = self.starts[self.basis.species.size]  # the blocks of atoms with themselves
        half = coo_matrix((values[own:], (rows[own:], columns[own:])), shape=(n, n)).toarray()
        half += half.T
        half[rows[:own], columns[:own]] += values[:own]
        return np.asarray(half)

    def gather(self, matrix: FloatArray) -> FloatArray:
        """Take the elements of the blocks from a matrix over the orbitals of the cell.

        Parameters
        ----------
        matrix : ndarray, shape (n_orbitals, n_orbitals)
            For example a density matrix; all images of a pair get the same block.

        Returns
        -------
        ndarray, shape (starts[-1],)
            Elements in the order of ``overlap``.
        """
        rows, columns = self.places
        return matrix[rows, columns]

    def gradient(
        self, density: FloatArray, weighted: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the derivatives of the sum of ``density * dH0 - weighted * dS``.

        Parameters
        ----------
        density : ndarray, shape (starts[-1],)
            Density matrix on the blocks.
        weighted : ndarray, shape (starts[-1],)
            What multiplies the overlap: the energy-weighted density matrix in Hartree, with the
            terms of the potential added.

        Returns
        -------
        gradient : ndarray, shape (n_atoms, 3)
            At fixed levels, in Hartree/bohr.
        virial : ndarray, shape (3, 3)
            In Hartree.
        cn_slopes : ndarray, shape (n_atoms,)
            Derivative by the coordination number of each atom, in Hartree.
        """
        basis, pairs = self.basis, self.pairs
        n, n_pairs = basis.species.size, pairs.first.size
        slopes = np.zeros((n_pairs, 3))
        level_slopes = np.zeros((n_pairs, 2, int(basis.shells_of_species.max())))
        _kernels.pair_derivatives(
            pairs.first, pairs.second, pairs.vectors, self.starts, basis.species,
            basis.first_shell, self.levels, *basis.tables, density, weighted, slopes, level_slopes,
            CHUNKS,
        )  # fmt: skip
        slopes[n:] *= 2
        level_slopes[n:] *= 2
        gradient, virial = scatter_pairs(pairs, slopes, n)
        cn_slopes = np.zeros(n)
        for side, atoms in enumerate((pairs.first, pairs.second)):
            shifts = np.zeros((len(basis.elements), level_slopes.shape[2]))
            for s, element in enumerate(basis.elements):
                shifts[s, : element.cn_shifts.size] = element.cn_shifts
            by_cn = -(level_slopes[:, side] * shifts[basis.species[atoms]]).sum(axis=1)
            cn_slopes += np.bincount(atoms, by_cn, n)
        return gradient, virial, cn_slopes


def hamiltonian(
    basis: Basis, pairs: AtomPairs, coordination_numbers: FloatArray, reach: float = 1.0
) -> Hamiltonian:
    """Integrate the overlap of all pairs of atoms and set up the Hamiltonian.

    Parameters
    ----------
    basis : Basis
        The orbitals.
    pairs : AtomPairs
        All pairs of atoms within ``reach * basis.cutoffs.max()``, each once.
    coordination_numbers : ndarray, shape (n_atoms,)
        They shift the levels.
    reach : float
        Fraction of the distances at which integrals end; 1 leaves out those below about 1e-11,
        0.8 those below 1e-7.

    Returns
    -------
    Hamiltonian
        The blocks.
    """
    n = basis.species.size
    limits = reach * basis.cutoffs[basis.species[pairs.first], basis.species[pairs.second]]
    near = pairs.select(pairs.distances <= limits)
    own = np.arange(n)
    both = AtomPairs(
        np.concatenate([own, near.first]),
        np.concatenate([own, near.second]),
        np.concatenate([np.zeros((n, 3), dtype=np.int32), near.images]),
        np.concatenate([np.zeros((n, 3)), near.vectors]),
        np.concatenate([np.zeros(n), near.distances]),
    )
    orbitals = basis.orbitals_of_species[basis.species]
    sizes = orbitals[both.first] * orbitals[both.second]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    levels = basis.levels(coordination_numbers)
    overlap, values = np.empty(starts[-1]), np.empty(starts[-1])
    _kernels.overlap_and_hamiltonian(
        both.first, both.second, both.vectors, starts, basis.species, basis.first_shell, levels,
        *basis.tables, overlap, values, CHUNKS,
    )  # fmt: skip
    return Hamiltonian(basis, both, starts, levels, overlap, values)
