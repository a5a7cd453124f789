"""Self-consistent shell charges: the loop, the mixing, and what the charges feel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from ase import Atoms

from glassnb.core.progress import ProgressOption, progress_bar
from glassnb.tightbinding.basis import Basis
from glassnb.tightbinding.electrostatics import (
    KlopmanOhno,
    third_order_energies,
    third_order_potential,
)
from glassnb.tightbinding.parameters import BOHR

__all__ = [
    "AndersonMixer",
    "ChargeField",
    "ConvergenceError",
    "SelfConsistency",
    "self_consistent_charges",
    "starting_charges",
]

FloatArray = npt.NDArray[np.float64]

# Mean charges of the shells s, p (and d) in quartz, cristobalite and a glass, as this room finds
# them: a start from there saves a third of the cycles.
SILICA_CHARGES = {"Si": (1.32, 0.33, -1.16), "O": (0.44, -0.685)}


class ConvergenceError(ValueError):
    """The charges did not become self-consistent."""


class Solution(Protocol):
    """What a solver finds in a potential."""

    @property
    def populations(self) -> FloatArray:
        """Electrons of each shell, shape (n_shells,)."""


Found = TypeVar("Found", bound=Solution)
Found_co = TypeVar("Found_co", bound=Solution, covariant=True)


class Solver(Protocol[Found_co]):
    """What occupies orbitals in a given potential: undivided or divided."""

    def solve(self, potential: FloatArray) -> Found_co:
        """Return the solution in a potential at each shell, in Hartree."""


@dataclass(frozen=True)
class SelfConsistency(Generic[Found]):
    """Charges that are those of the density in their own potential.

    Parameters
    ----------
    charges : ndarray, shape (n_shells,)
        Charge of each shell in e, positive where electrons are missing.
    solution : object
        What the solver found in the last potential.
    cycles : int
        Number of solutions it took.
    residual : float
        Largest change of a charge in the last cycle, in e.
    """

    charges: FloatArray
    solution: Found
    cycles: int
    residual: float


class ChargeField:
    """Energy and potential of shell charges: Klopman-Ohno and third-order terms.

    Parameters
    ----------
    basis : Basis
        Shells and their hardnesses.
    atoms : ase.Atoms
        Molecule or periodic structure.
    lattice_sum : str
        ``"converged"`` or ``"tblite"``; see
        :class:`~glassnb.tightbinding.electrostatics.KlopmanOhno`.
    """

    def __init__(self, basis: Basis, atoms: Atoms, lattice_sum: str = "converged") -> None:
        cell = np.asarray(atoms.cell) / BOHR if atoms.pbc.any() else None
        self._basis = basis
        self.coulomb = KlopmanOhno(
            atoms.positions / BOHR, cell, basis.shell_atom, basis.hardnesses,
            lattice_sum=lattice_sum,
        )  # fmt: skip

    def atom_charges(self, charges: FloatArray) -> FloatArray:
        """Add up the shells of each atom.

        Parameters
        ----------
        charges : ndarray, shape (n_shells,)
            Shell charges in e.

        Returns
        -------
        ndarray, shape (n_atoms,)
            In e.
        """
        return np.asarray(np.bincount(self._basis.shell_atom, charges, self._basis.species.size))

    def potential(self, charges: FloatArray) -> FloatArray:
        """Return the potential at each shell.

        Parameters
        ----------
        charges : ndarray, shape (n_shells,)
            Shell charges in e.

        Returns
        -------
        ndarray, shape (n_shells,)
            Derivative of the energy by the charge of each shell, in Hartree.
        """
        third = third_order_potential(self.atom_charges(charges), self._basis.hubbard_derivatives)
        return np.asarray(self.coulomb.potential(charges) + third[self._basis.shell_atom])

    def energies(self, charges: FloatArray) -> FloatArray:
        """Return the energy of the charges.

        Parameters
        ----------
        charges : ndarray, shape (n_shells,)
            Shell charges in e.

        Returns
        -------
        ndarray, shape (n_atoms,)
            In Hartree, half of each interaction to each atom.
        """
        third = third_order_energies(self.atom_charges(charges), self._basis.hubbard_derivatives)
        return np.asarray(self.coulomb.energies(charges) + third)


class AndersonMixer:
    """Charges for the next cycle from those of the cycles before.

    D. G. Anderson, J. Assoc. Comput. Mach. 12, 547 (1965): the combination of the last steps whose
    residual is smallest, and a part of that residual.

    Parameters
    ----------
    damping : float
        Part of the residual that is added.
    memory : int
        Number of steps that are combined.
    """

    def __init__(self, damping: float = 0.4, memory: int = 8) -> None:
        self.damping = damping
        self.memory = memory
        self._inputs: list[FloatArray] = []
        self._residuals: list[FloatArray] = []

    def next(self, charges: FloatArray, found: FloatArray) -> FloatArray:
        """Return the charges to try next.

        Parameters
        ----------
        charges : ndarray, shape (n,)
            Charges that made the potential.
        found : ndarray, shape (n,)
            Charges found in it.

        Returns
        -------
        ndarray, shape (n,)
            New charges; their sum is kept where both have the same.
        """
        residual = found - charges
        self._inputs = [*self._inputs[-self.memory :], charges]
        self._residuals = [*self._residuals[-self.memory :], residual]
        step = self.damping * residual
        if len(self._inputs) == 1:
            return charges + step
        inputs = np.diff(self._inputs, axis=0).T
        residuals = np.diff(self._residuals, axis=0).T
        # Steps shrink by orders of magnitude: only relative to their size do all of them tell.
        scale = np.linalg.norm(residuals, axis=0)
        scale[scale == 0.0] = 1.0
        weights = np.linalg.lstsq(residuals / scale, residual, rcond=1e-10)[0] / scale
        return charges + step - (inputs + self.damping * residuals) @ weights


def starting_charges(basis: Basis, charge: float = 0.0) -> FloatArray:
    """Return charges to begin with: those of silica for its elements, else those of free atoms.

    Parameters
    ----------
    basis : Basis
        The shells.
    charge : float
        Total charge in e; what is missing is spread over the electrons of the free atoms.

    Returns
    -------
    ndarray, shape (n_shells,)
        Shell charges in e.
    """
    rows = [np.zeros(element.angular.size) for element in basis.elements]
    symbols = [element.symbol for element in basis.elements]
    if set(SILICA_CHARGES) <= set(symbols):
        for symbol, values in SILICA_CHARGES.items():
            rows[symbols.index(symbol)] = np.array(values)
    charges = np.concatenate([rows[s] for s in basis.species])
    share = basis.occupations / basis.occupations.sum()
    return np.asarray(charges + (charge - charges.sum()) * share)


def self_consistent_charges(
    solver: Solver[Found],
    basis: Basis,
    field: ChargeField | Any,
    start: FloatArray,
    *,
    tolerance: float = 3e-6,
    max_cycles: int = 200,
    progress: ProgressOption = None,
) -> SelfConsistency[Found]:
    """Iterate charges and potential until they agree.

    Parameters
    ----------
    solver : object
        Its method ``solve(potential)`` gives an object with ``populations``.
    basis : Basis
        The shells.
    field : ChargeField
        What the charges feel of each other.
    start : ndarray, shape (n_shells,)
        Charges to begin with, in e.
    tolerance : float
        Largest change of a charge in the last cycle, in e.
    max_cycles : int
        Solutions after which to give up.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`.

    Returns
    -------
    SelfConsistency
        Charges and the last solution.

    Raises
    ------
    ConvergenceError
        If the charges do not settle; it says what to try.
    """
    charges, mixer = start, AndersonMixer()
    with progress_bar(max_cycles, "self-consistent charges", progress) as bar:
        for cycle in range(1, max_cycles + 1):
            solution = solver.solve(field.potential(charges))
            found = basis.occupations - solution.populations
            residual = float(np.abs(found - charges).max())
            bar.update(1, f"largest change {residual:.1e} e")
            if residual < tolerance:
                return SelfConsistency(found, solution, cycle, residual)
            charges = mixer.next(charges, found)
    raise ConvergenceError(
        f"self-consistent charges: the largest change after {max_cycles} cycles is "
        f"{residual:.1e} e, above {tolerance:.0e} e; the structure may have a small gap (broken or "
        "very long bonds): relax it with a classical potential first, check its charge and "
        "multiplicity, or raise electronic_temperature (1000 to 3000 K)"
    )
