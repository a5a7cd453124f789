"""Shells and orbitals of a structure: who belongs to whom, and the tables that kernels read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from ase.data import chemical_symbols

from glassnb.tightbinding.parameters import (
    ElementParameters,
    element_parameters,
    global_parameters,
)

__all__ = ["Basis", "basis_of"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# exp(-25) is the smallest product of two Gaussian functions that is integrated, as in tblite.
EXPONENT_CUTOFF = 25.0
LARGEST_CUTOFF = 40.0  # bohr


@dataclass(frozen=True)
class Basis:
    """Orbitals of a structure: atom by atom, shell by shell, m from -l to l.

    Real spherical harmonics come in the order y, z, x (p) and xy, yz, z², xz, x²-y² (d).

    Parameters
    ----------
    elements : tuple of ElementParameters
        Species present.
    species : ndarray of int, shape (n_atoms,)
        Index into ``elements`` for each atom.
    """

    elements: tuple[ElementParameters, ...]
    species: IntArray

    @cached_property
    def shells_of_species(self) -> IntArray:
        """Number of shells of each species."""
        return np.array([element.angular.size for element in self.elements])

    @cached_property
    def orbitals_of_species(self) -> IntArray:
        """Number of orbitals of each species."""
        return np.array([int((2 * element.angular + 1).sum()) for element in self.elements])

    @cached_property
    def first_shell(self) -> IntArray:
        """First shell of each atom, and the number of shells at the end."""
        return np.concatenate([[0], np.cumsum(self.shells_of_species[self.species])])

    @cached_property
    def first_orbital(self) -> IntArray:
        """First orbital of each atom, and the number of orbitals at the end."""
        return np.concatenate([[0], np.cumsum(self.orbitals_of_species[self.species])])

    @cached_property
    def shell_atom(self) -> IntArray:
        """Atom of each shell."""
        return np.repeat(np.arange(self.species.size), self.shells_of_species[self.species])

    @cached_property
    def shell_size(self) -> IntArray:
        """Number of orbitals of each shell."""
        return 2 * self._shells("angular").astype(np.int64) + 1

    @cached_property
    def orbital_shell(self) -> IntArray:
        """Shell of each orbital."""
        return np.repeat(np.arange(self.shell_atom.size), self.shell_size)

    @cached_property
    def orbital_atom(self) -> IntArray:
        """Atom of each orbital."""
        return self.shell_atom[self.orbital_shell]

    @cached_property
    def occupations(self) -> FloatArray:
        """Electrons of each shell in the neutral atoms."""
        return self._shells("occupations")

    @cached_property
    def hardnesses(self) -> FloatArray:
        """Chemical hardness of each shell in Hartree."""
        return self._shells("hardnesses")

    @cached_property
    def cn_shifts(self) -> FloatArray:
        """Fall of each level per unit of coordination number, in Hartree."""
        return self._shells("cn_shifts")

    @cached_property
    def hubbard_derivatives(self) -> FloatArray:
        """Coefficient of the third-order term of each atom, in Hartree."""
        return self.of_atoms("hubbard_derivative")

    def levels(self, coordination_numbers: FloatArray) -> FloatArray:
        """Return the level of each shell.

        Parameters
        ----------
        coordination_numbers : ndarray, shape (n_atoms,)
            Coordination number of each atom.

        Returns
        -------
        ndarray, shape (n_shells,)
            Levels in Hartree.
        """
        return self._shells("levels") - self.cn_shifts * coordination_numbers[self.shell_atom]

    def of_atoms(self, name: str) -> FloatArray:
        """Return a parameter of the elements for each atom.

        Parameters
        ----------
        name : str
            Field of :class:`~glassnb.tightbinding.parameters.ElementParameters`.

        Returns
        -------
        ndarray, shape (n_atoms,)
            Its values.
        """
        values = np.array([float(getattr(element, name)) for element in self.elements])
        return values[self.species]

    def _shells(self, name: str) -> FloatArray:
        rows = [np.asarray(getattr(element, name), dtype=float) for element in self.elements]
        return np.concatenate([rows[s] for s in self.species])

    @cached_property
    def cutoffs(self) -> FloatArray:
        """Distance in bohr beyond which no integral of two species is left, (n_species,) twice."""
        smallest = np.array([min(a.min() for a in e.exponents) for e in self.elements])
        product = np.multiply.outer(smallest, smallest) / np.add.outer(smallest, smallest)
        return np.minimum(np.sqrt(EXPONENT_CUTOFF / product), LARGEST_CUTOFF)

    @cached_property
    def tables(self) -> tuple[npt.NDArray[np.generic], ...]:
        """What the kernels read: padded tables by species and shell.

        Numbers of shells, angular momenta, numbers of primitives, exponents, coefficients,
        polynomials, atomic radii, and the scaling factors of H0 by species and shell, twice.
        """
        n, shells = len(self.elements), int(self.shells_of_species.max())
        longest = max(a.size for element in self.elements for a in element.exponents)
        angular = np.zeros((n, shells), dtype=np.int64)
        sizes = np.zeros((n, shells), dtype=np.int64)
        polynomials = np.zeros((n, shells))
        exponents = np.ones((n, shells, longest))
        coefficients = np.zeros((n, shells, longest))
        for s, element in enumerate(self.elements):
            k = element.angular.size
            angular[s, :k], polynomials[s, :k] = element.angular, element.polynomials
            for shell, (alpha, c) in enumerate(
                zip(element.exponents, element.coefficients, strict=True)
            ):
                # smallest first, so that a kernel may stop at the first that is out of reach
                order = np.argsort(alpha, kind="stable")
                sizes[s, shell] = alpha.size
                exponents[s, shell, : alpha.size] = alpha[order]
                coefficients[s, shell, : alpha.size] = c[order]
        radii = np.array([element.atomic_radius for element in self.elements])
        return (
            self.shells_of_species, angular, sizes, exponents, coefficients, polynomials, radii,
            self._scaling(shells),
        )  # fmt: skip

    def _scaling(self, shells: int) -> FloatArray:
        """Return the factor of H0 for each two species and shells."""
        common = global_parameters()
        n = len(self.elements)
        scaling = np.zeros((n, n, shells, shells))
        polarization = common.polarization_scaling
        for s, a in enumerate(self.elements):
            for t, b in enumerate(self.elements):
                pair = common.pair_scaling.get((a.symbol, b.symbol), 1.0)
                difference = (a.electronegativity - b.electronegativity) ** 2
                pair *= 1 + common.electronegativity_scaling * difference
                k = common.shell_scaling[np.ix_(a.angular, b.angular)] * pair
                own = np.where(a.valence, common.shell_scaling[a.angular, a.angular], polarization)
                other = np.where(
                    b.valence, common.shell_scaling[b.angular, b.angular], polarization
                )
                mixed = np.add.outer(own, other) / 2
                both = np.logical_and.outer(a.valence, b.valence)
                scaling[s, t, : own.size, : other.size] = np.where(both, k, mixed)
        return scaling


def basis_of(numbers: npt.ArrayLike) -> Basis:
    """Set up the orbitals of a structure.

    Parameters
    ----------
    numbers : array_like of int, shape (n_atoms,)
        Atomic numbers.

    Returns
    -------
    Basis
        Shells, orbitals and their parameters.

    Raises
    ------
    ValueError
        If an element has no parameters.
    """
    present, species = np.unique(np.asarray(numbers), return_inverse=True)
    elements = tuple(element_parameters(chemical_symbols[number]) for number in present)
    return Basis(elements, species.astype(np.int64))
