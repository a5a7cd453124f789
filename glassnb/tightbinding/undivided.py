"""Orbitals of the whole structure at once: a molecule, or a periodic cell at its Gamma point."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from glassnb.tightbinding.integrals.hamiltonian import Hamiltonian
from glassnb.tightbinding.occupation import Electrons, Filling, fill

__all__ = ["UndividedSolution", "UndividedSolver"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class UndividedSolution:
    """Orbitals in one potential, and what follows from them.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        The structure.
    overlap, core : ndarray, shape (n_orbitals, n_orbitals)
        Overlap and Hamiltonian without potential (Hartree), folded into the cell.
    energies : ndarray, shape (n_orbitals,)
        Energies of the orbitals in Hartree.
    vectors : ndarray, shape (n_orbitals, n_orbitals)
        Orbitals as columns.
    filling : Filling
        Their occupations.
    """

    hamiltonian: Hamiltonian
    overlap: FloatArray
    core: FloatArray
    energies: FloatArray
    vectors: FloatArray
    filling: Filling

    def _weighted(self, weights: FloatArray) -> FloatArray:
        # Empty orbitals are most of them, and add nothing.
        filled = np.flatnonzero(self.filling.occupations > 1e-15)
        last = int(filled[-1]) + 1 if filled.size else 0
        used = self.vectors[:, :last]
        return np.asarray((used * weights[:last]) @ used.T)

    @cached_property
    def density(self) -> FloatArray:
        """Density matrix."""
        return self._weighted(self.filling.occupations)

    @cached_property
    def weighted_density(self) -> FloatArray:
        """Density matrix weighted with the energies of the orbitals, in Hartree."""
        return self._weighted(self.filling.occupations * self.energies)

    @cached_property
    def populations(self) -> FloatArray:
        """Electrons of each shell by Mulliken's partition, shape (n_shells,)."""
        basis = self.hamiltonian.basis
        orbital = np.einsum("ij,ij->i", self.density, self.overlap)
        return np.asarray(np.bincount(basis.orbital_shell, orbital, basis.shell_atom.size))

    @cached_property
    def band_energies(self) -> FloatArray:
        """Share of each atom in the energy without charges, in Hartree, shape (n_atoms,)."""
        basis = self.hamiltonian.basis
        orbital = np.einsum("ij,ij->i", self.density, self.core)
        return np.asarray(np.bincount(basis.orbital_atom, orbital, basis.species.size))

    @property
    def entropy_energy(self) -> float:
        """Minus temperature times entropy, in Hartree."""
        return self.filling.entropy_energy

    @property
    def gap(self) -> float:
        """From the highest filled to the lowest empty orbital, in Hartree."""
        return self.filling.gap

    def blocks(self) -> tuple[FloatArray, FloatArray]:
        """Return both density matrices on the blocks of the Hamiltonian.

        Returns
        -------
        density, weighted : ndarray
            In the order of ``hamiltonian.overlap``.
        """
        gather = self.hamiltonian.gather
        return gather(self.density), gather(self.weighted_density)

    def bond_orders(self) -> FloatArray:
        """Return the bond orders of Mayer.

        I. Mayer, Chem. Phys. Lett. 97, 270 (1983).

        Returns
        -------
        ndarray, shape (n_atoms, n_atoms)
            Symmetric, zero on the diagonal; images of an atom add up.
        """
        product = self.density @ self.overlap
        first = self.hamiltonian.basis.first_orbital[:-1]
        squares = product * product.T
        orders = np.add.reduceat(np.add.reduceat(squares, first, axis=0), first, axis=1)
        np.fill_diagonal(orders, 0.0)
        return np.asarray(orders)


class UndividedSolver:
    """Solver of the generalized eigenproblem of the whole structure.

    NumPy's routines leave the interpreter free for other threads, SciPy's do not.

    Parameters
    ----------
    hamiltonian : Hamiltonian
        The structure.
    electrons : Electrons
        How many.
    temperature : float
        Boltzmann's constant times the electronic temperature, in Hartree.

    Raises
    ------
    ValueError
        If the overlap is not positive: atoms much too close.
    """

    def __init__(self, hamiltonian: Hamiltonian, electrons: Electrons, temperature: float) -> None:
        self.hamiltonian = hamiltonian
        self.electrons = electrons
        self.temperature = temperature
        n = int(hamiltonian.basis.first_orbital[-1])
        if electrons.up > n:
            raise ValueError(
                f"charge, multiplicity: {electrons.up:.0f} electrons of one spin, but {n} orbitals"
            )
        self._overlap = hamiltonian.dense(hamiltonian.overlap)
        self._core = hamiltonian.dense(hamiltonian.values)
        try:
            lower = np.linalg.cholesky(self._overlap)
        except np.linalg.LinAlgError:
            raise ValueError(
                "atoms: the overlap matrix is not positive, because atoms or their images come too "
                "close; relax the structure with a classical potential, or repeat a small cell"
            ) from None
        self._inverse = np.linalg.inv(lower)

    def solve(self, potential: FloatArray) -> UndividedSolution:
        """Find and fill the orbitals.

        Parameters
        ----------
        potential : ndarray, shape (n_shells,)
            Potential at each shell in Hartree.

        Returns
        -------
        UndividedSolution
            Orbitals, density and populations.
        """
        v = potential[self.hamiltonian.basis.orbital_shell] / 2
        full = self._core - self._overlap * np.add.outer(v, v)
        energies, vectors = np.linalg.eigh(self._inverse @ full @ self._inverse.T)
        return UndividedSolution(
            self.hamiltonian, self._overlap, self._core, energies, self._inverse.T @ vectors,
            fill(energies, self.electrons, self.temperature),
        )  # fmt: skip
