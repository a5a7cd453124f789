"""One subsystem: a cluster of atoms whose orbitals are solved in the potential of the crystal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.tightbinding.basis import Basis, basis_of
from glassnb.tightbinding.integrals import Hamiltonian, atom_pairs, hamiltonian
from glassnb.tightbinding.parameters import BOHR

__all__ = ["Cluster", "Levels", "Orbitals", "Share", "Subsystem"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_LEAF = 96  # triangular matrices up to this size are treated as full ones


@dataclass(frozen=True)
class Cluster:
    """All that it takes to set up a subsystem, wherever it is calculated.

    Parameters
    ----------
    numbers : ndarray of int, shape (n_members,)
        Atomic numbers, atoms of the central box first.
    positions : ndarray, shape (n_members, 3)
        In bohr.
    coordination_numbers : ndarray, shape (n_members,)
        Those of the whole structure: atoms at the surface of the cluster do not feel it.
    n_central : int
        Number of atoms in the central box.
    atoms, shells : ndarray of int
        Atom and shell of the whole structure that each of the cluster stands for.
    """

    numbers: IntArray
    positions: FloatArray
    coordination_numbers: FloatArray
    n_central: int
    atoms: IntArray
    shells: IntArray


@dataclass(frozen=True)
class Levels:
    """Orbital energies of a subsystem and how much of each lies in its central box.

    Parameters
    ----------
    energies : ndarray, shape (n_orbitals,)
        In Hartree.
    weights : ndarray, shape (n_orbitals,)
        They add up to the number of orbitals in the central box.
    """

    energies: FloatArray
    weights: FloatArray


@dataclass(frozen=True)
class Share:
    """What a subsystem contributes to the whole.

    Parameters
    ----------
    populations : ndarray, shape (n_shells,)
        Electrons on the shells of the cluster.
    band_energies : ndarray, shape (n_members,)
        Density times H0, row by row, in Hartree.
    """

    populations: FloatArray
    band_energies: FloatArray


@dataclass(frozen=True)
class Orbitals:
    """Orbitals of a subsystem and what else derivatives take; smaller than its matrices.

    Parameters
    ----------
    cluster : Cluster
        The atoms.
    basis : Basis
        Their orbitals.
    n_central : int
        How many of them, the first, belong to the central box.
    overlap : ndarray, shape (n_central, n_orbitals)
        Rows of S.
    levels : Levels
        Energies and weights.
    coefficients, projected : ndarray, shape (n_orbitals, n_orbitals)
        C, an orbital in each column, and S C.
    """

    cluster: Cluster
    basis: Basis
    n_central: int
    overlap: FloatArray
    levels: Levels
    coefficients: FloatArray
    projected: FloatArray

    @property
    def blocks(self) -> Hamiltonian:
        """Overlap and Hamiltonian by pairs of atoms; worked out anew."""
        return _blocks(self.cluster, self.basis)

    def populations(self, occupations: FloatArray) -> FloatArray:
        """Return the electrons that the central box gives to each shell.

        Parameters
        ----------
        occupations : ndarray, shape (n_orbitals,)
            Electrons in each orbital.

        Returns
        -------
        ndarray, shape (n_shells,)
            For the shells of the cluster.
        """
        density = (self.coefficients[: self.n_central] * occupations) @ self.coefficients.T
        on_orbitals = _split(density * self.overlap)
        basis = self.basis
        return np.asarray(np.bincount(basis.orbital_shell, on_orbitals, basis.shell_atom.size))


class Subsystem:
    """Matrices of a subsystem, and the density they give.

    Orbitals of the central box come first. With S = L L^T and A = L⁻¹, the matrix to be
    diagonalised is A F A^T, in which a potential V on the orbitals enters as (A V L + its
    transpose)/2: a product of triangles.

    Parameters
    ----------
    cluster : Cluster
        The atoms.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.basis: Basis = basis_of(cluster.numbers)
        n = self.n_central = int(self.basis.first_orbital[cluster.n_central])
        blocks = _blocks(cluster, self.basis)
        overlap = blocks.dense(blocks.overlap)
        band = blocks.dense(blocks.values)
        self.overlap, self.band = overlap[:n].copy(), band[:n].copy()
        try:
            factor = np.asarray(np.linalg.cholesky(overlap), dtype=float)
        except np.linalg.LinAlgError:
            raise ValueError(
                "atoms: the overlap matrix is not positive, because atoms come too close; relax "
                "the structure with a classical potential"
            ) from None
        inverse = _lower_inverse(factor)
        self.orthogonal = inverse @ band @ inverse.T
        # Both triangles share a matrix: the diagonal of L tells that of A.
        self._triangles = factor + np.tril(inverse, -1).T

    @property
    def factor(self) -> FloatArray:
        """L, a lower triangle."""
        return np.tril(self._triangles)

    @property
    def inverse(self) -> FloatArray:
        """A, a lower triangle."""
        inverse = np.tril(self._triangles.T, -1)
        np.fill_diagonal(inverse, 1 / np.diagonal(self._triangles))
        return inverse

    def solve(self, potential: FloatArray) -> tuple[Levels, FloatArray]:
        """Diagonalise.

        Parameters
        ----------
        potential : ndarray, shape (n_shells of the whole structure,)
            In Hartree; the matrix is H0 - S (V_u + V_v)/2.

        Returns
        -------
        levels : Levels
            Energies and weights.
        vectors : ndarray, shape (n_orbitals, n_orbitals)
            Orthonormal; A^T times them are the orbitals.
        """
        v = potential[self.cluster.shells][self.basis.orbital_shell]
        inverse, factor = self.inverse, self.factor
        triangle = _lower_product(inverse, v[:, None] * factor)
        triangle *= -0.5
        np.fill_diagonal(triangle, -v)
        triangle += self.orthogonal
        energies, vectors = np.linalg.eigh(triangle, UPLO="L")
        n = self.n_central
        left, right = inverse[:, :n].T @ vectors, factor[:n, :n] @ vectors[:n]
        return Levels(energies, np.sum(left * right, axis=0)), vectors

    def orbitals(self, levels: Levels, vectors: FloatArray) -> Orbitals:
        """Return what derivatives take.

        Parameters
        ----------
        levels, vectors
            As of :meth:`solve`.

        Returns
        -------
        Orbitals
            They share no memory with the vectors.
        """
        return Orbitals(
            self.cluster, self.basis, self.n_central, self.overlap, levels,
            self.inverse.T @ vectors, self.factor @ vectors,
        )  # fmt: skip

    def share(self, vectors: FloatArray, occupations: FloatArray) -> Share:
        """Return populations and energies of the density.

        Parameters
        ----------
        vectors : ndarray, shape (n_orbitals, n_orbitals)
            As of :meth:`solve`.
        occupations : ndarray, shape (n_orbitals,)
            Electrons in each orbital, 0 to 2.

        Returns
        -------
        Share
            For the atoms of the cluster.
        """
        filled = np.flatnonzero(occupations > 1e-16)
        kept = vectors[:, : filled[-1] + 1] if filled.size else vectors[:, :0]
        inverse = self.inverse
        rows = inverse[:, : self.n_central].T @ kept * occupations[: kept.shape[1]]
        density = (rows @ kept.T) @ inverse  # rows of the central box
        basis = self.basis
        populations = _split(density * self.overlap)
        band = _split(density * self.band)
        return Share(
            np.asarray(np.bincount(basis.orbital_shell, populations, basis.shell_atom.size)),
            np.asarray(np.bincount(basis.orbital_atom, band, self.cluster.numbers.size)),
        )


def _blocks(cluster: Cluster, basis: Basis) -> Hamiltonian:
    """Return overlap and Hamiltonian by pairs of atoms."""
    atoms = Atoms(numbers=cluster.numbers, positions=cluster.positions * BOHR)
    pairs = atom_pairs(atoms, float(basis.cutoffs.max()))
    return hamiltonian(basis, pairs, cluster.coordination_numbers)


def _split(products: FloatArray) -> FloatArray:
    """Share products over pairs of orbitals between both, those within the box in full."""
    result = 0.5 * products.sum(axis=0)
    result[: len(products)] += 0.5 * products.sum(axis=1)
    return result


def _lower_inverse(matrix: FloatArray) -> FloatArray:
    """Invert a lower triangle by halves; matrix products do the work."""
    n = len(matrix)
    if n <= _LEAF:
        return np.tril(np.linalg.inv(matrix))
    half = n // 2
    result = np.zeros_like(matrix)
    result[:half, :half] = _lower_inverse(matrix[:half, :half])
    result[half:, half:] = _lower_inverse(matrix[half:, half:])
    result[half:, :half] = -result[half:, half:] @ matrix[half:, :half] @ result[:half, :half]
    return result


def _lower_product(a: FloatArray, b: FloatArray) -> FloatArray:
    """Multiply two lower triangles by halves."""
    n = len(a)
    if n <= _LEAF:
        return a @ b
    half = n // 2
    result = np.zeros_like(a)
    result[:half, :half] = _lower_product(a[:half, :half], b[:half, :half])
    result[half:, half:] = _lower_product(a[half:, half:], b[half:, half:])
    result[half:, :half] = a[half:, :half] @ b[:half, :half] + a[half:, half:] @ b[half:, :half]
    return result
