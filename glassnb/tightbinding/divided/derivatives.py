"""Forces and stress of a divided structure, to the accuracy of its charges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glassnb.tightbinding.basis import Basis
from glassnb.tightbinding.divided.response import (
    Adjoint,
    cluster_gradient,
    potential_slopes,
    softness,
)
from glassnb.tightbinding.divided.solver import DividedSolution
from glassnb.tightbinding.divided.workers import Crew, State
from glassnb.tightbinding.self_consistency import ChargeField

__all__ = ["BandDerivatives", "band_derivatives"]

FloatArray = NDArray[np.float64]

# Of the adjoint equation, whose part in the forces is a few percent; relative.
_ACCURACY = 1e-5


@dataclass(frozen=True)
class BandDerivatives:
    """Derivatives of all that depends on the orbitals.

    Parameters
    ----------
    gradient : ndarray, shape (n_atoms, 3)
        By the positions at fixed coordination numbers, in Hartree/bohr.
    virial : ndarray, shape (3, 3)
        By a strain, in Hartree.
    cn_slopes : ndarray, shape (n_atoms,)
        By the coordination numbers, in Hartree.
    charges : ndarray, shape (n_shells,)
        Additional charges in e, which the charges of the structure meet: the derivative of their
        mutual energy by the geometry belongs to the gradient.
    """

    gradient: FloatArray
    virial: FloatArray
    cn_slopes: FloatArray
    charges: FloatArray


def band_derivatives(
    crew: Crew,
    basis: Basis,
    field: ChargeField,
    charges: FloatArray,
    solution: DividedSolution,
) -> BandDerivatives:
    """Differentiate the divided energy by the geometry.

    Parameters
    ----------
    crew : Crew
        The subsystems.
    basis : Basis
        Shells of the whole structure.
    field : ChargeField
        What charges feel of each other.
    charges : ndarray, shape (n_shells,)
        Self-consistent charges in e.
    solution : DividedSolution
        Orbitals in their potential.

    Returns
    -------
    BandDerivatives
        For fixed subsystems, and in a gap for a fixed chemical potential.
    """
    equation = _Equation(crew, basis, field, charges, solution)
    request = solution.request
    assert request.level is not None
    adjoint = Adjoint(
        request.token, request.potential, request.level, request.temperature,
        energy=1.0, price=solution.level, weights=np.zeros(charges.size),
    )  # fmt: skip
    if solution.occupation == "gap":
        slopes = equation.solve(adjoint)
    else:
        adjoint, slopes = equation.at_fixed_count(adjoint)
    adjoint = replace(adjoint, weights=equation.weights(slopes))
    n_atoms = basis.species.size
    gradient, virial, cn_slopes = np.zeros((n_atoms, 3)), np.zeros((3, 3)), np.zeros(n_atoms)
    parts = crew.run(cluster_gradient, adjoint, orbitals=True)
    for cluster, found in zip(crew.clusters, parts, strict=True):
        np.add.at(gradient, cluster.atoms, found.gradient)
        np.add.at(cn_slopes, cluster.atoms, found.cn_slopes)
        virial += found.virial
    return BandDerivatives(gradient, virial, cn_slopes, equation.charges_of(slopes))


class _Equation:
    """The adjoint of the self-consistent equations.

    Subsystems feel x = s (V - v): the potential V of the charges, counted from its mean v over the
    electrons, and scaled by s = N/N'. Slopes by x lead through V and s to weights of the
    populations, and weights of the populations through the orbitals to slopes by x.
    """

    def __init__(
        self,
        crew: Crew,
        basis: Basis,
        field: ChargeField,
        charges: FloatArray,
        solution: DividedSolution,
    ) -> None:
        self.crew, self.basis, self.field = crew, basis, field
        self.scale = solution.scale
        self.electrons = basis.occupations - charges
        self.number = float(self.electrons.sum())
        potential = field.potential(charges)
        self.potential = potential - float(np.dot(potential, self.electrons)) / self.number
        self.stiffness = 2 * basis.hubbard_derivatives * field.atom_charges(charges)

    def charges_of(self, slopes: FloatArray) -> FloatArray:
        """Return the slopes by V: charges, as what a potential multiplies."""
        return np.asarray(self.scale * (slopes - slopes.sum() / self.number * self.electrons))

    def weights(self, slopes: FloatArray) -> FloatArray:
        """Return the weights of the populations that slopes by x amount to."""
        charges = self.charges_of(slopes)
        on_atoms = self.stiffness * self.field.atom_charges(charges)
        felt = self.field.coulomb.potential(charges) + on_atoms[self.basis.shell_atom]
        scaled = -felt - self.scale * slopes.sum() / self.number * self.potential
        along = float(np.dot(scaled, self.electrons)) / self.scale
        along += float(np.dot(slopes, self.potential))
        return np.asarray(self.scale * (scaled - self.scale * along / self.number))

    def collect(self, task: Callable[[State, Adjoint], FloatArray], adjoint: Adjoint) -> FloatArray:
        """Add up over the subsystems what a task gives for each shell."""
        total = np.zeros(self.electrons.size)
        parts = self.crew.run(task, adjoint, orbitals=True)
        for cluster, part in zip(self.crew.clusters, parts, strict=True):
            np.add.at(total, cluster.shells, part)
        return total

    def at_fixed_count(self, adjoint: Adjoint) -> tuple[Adjoint, FloatArray]:
        """Choose the price of an electron so that the chemical potential does not matter."""
        parts = [replace(adjoint, energy=1.0, price=0.0), replace(adjoint, energy=0.0, price=-1.0)]
        slopes = [self.solve(part) for part in parts]
        soft = self.collect(softness, adjoint)
        energy, number = (float(np.dot(self.weights(part), soft)) for part in slopes)
        # Electrons too many are taken off at the chemical potential.
        energy += adjoint.level * float(soft.sum()) - self.number * (1 / self.scale - 1)
        number += float(soft.sum())
        price = energy / number
        return replace(adjoint, price=price), slopes[0] - price * slopes[1]

    def solve(self, adjoint: Adjoint) -> FloatArray:
        """Return the slopes by x of something, the change of the charges included."""
        from scipy.sparse.linalg import LinearOperator, gmres

        source = self.collect(potential_slopes, adjoint)
        silent = replace(adjoint, energy=0.0, price=0.0)

        def difference(slopes: FloatArray) -> FloatArray:
            weights = self.weights(slopes)
            return slopes - self.collect(potential_slopes, replace(silent, weights=weights))

        operator = LinearOperator((source.size,) * 2, matvec=difference, dtype=float)
        slopes, failed = gmres(operator, source, rtol=_ACCURACY, atol=1e-12, restart=60, maxiter=2)
        if failed:
            raise ValueError(
                "forces: the response of the charges did not converge; the structure may have no "
                "gap: raise electronic_temperature (1000 to 3000 K)"
            )
        return np.asarray(slopes)
