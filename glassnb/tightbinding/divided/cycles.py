"""Self-consistent charges in few cycles: a coarse division tells where a fine one will lead.

How charges answer a potential depends little on the buffer. So the difference between the charges
that the fine and the coarse division find in one potential is held, and the coarse one is made
self-consistent with it added, which costs next to nothing; the fine one then serves to correct the
difference (defect correction: K. Stüben, U. Trottenberg, Lecture Notes in Mathematics 960, 1
(1982)).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glassnb.core.progress import ProgressOption, progress_bar
from glassnb.tightbinding.basis import Basis
from glassnb.tightbinding.divided.solver import DividedSolution, DividedSolver
from glassnb.tightbinding.self_consistency import (
    AndersonMixer,
    ChargeField,
    ConvergenceError,
    SelfConsistency,
)

__all__ = ["divided_charges"]

FloatArray = NDArray[np.float64]

_INNER_CYCLES = 40
_INNER_ACCURACY = 0.02  # of a coarse solution, relative to the step it has to make
_DAMPING = 0.4
_PATIENCE = 8  # cycles in which the largest change has to fall by half


def divided_charges(
    fine: DividedSolver,
    coarse: DividedSolver,
    basis: Basis,
    field: ChargeField,
    start: FloatArray,
    *,
    tolerance: float,
    max_cycles: int,
    progress: ProgressOption = None,
) -> SelfConsistency[DividedSolution]:
    """Iterate charges and potential until they agree.

    Parameters
    ----------
    fine, coarse : DividedSolver
        The division whose charges are wanted, and one that costs little.
    basis : Basis
        The shells.
    field : ChargeField
        What the charges feel of each other.
    start : ndarray, shape (n_shells,)
        Charges to begin with, in e.
    tolerance : float
        Largest change of a charge in the last cycle, in e.
    max_cycles : int
        Solutions of the fine division after which to give up.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`.

    Returns
    -------
    SelfConsistency
        Charges and the last solution of the fine division.

    Raises
    ------
    ConvergenceError
        If the charges do not settle; it says what to try.
    """
    charges, steps = start, _Steps(coarse, basis, field)
    with progress_bar(max_cycles, "self-consistent charges", progress) as bar:
        for cycle in range(1, max_cycles + 1):
            solution = fine.solve(field.potential(charges))
            found = basis.occupations - solution.populations
            residual = float(np.abs(found - charges).max())
            bar.update(1, f"largest change {residual:.1e} e")
            if residual < tolerance and fine.settled(solution):
                return SelfConsistency(found, solution, cycle, residual)
            charges = steps.next(charges, found, solution.occupation)
    raise ConvergenceError(
        f"self-consistent charges: the largest change after {max_cycles} cycles is "
        f"{residual:.1e} e, above {tolerance:.0e} e; relax the structure with a classical "
        "potential first, use a larger buffer_radius, or raise electronic_temperature (1000 to "
        "3000 K)"
    )


class _Steps:
    """Charges for the next cycle: long steps with a forecast, short ones where that fails."""

    def __init__(self, coarse: DividedSolver, basis: Basis, field: ChargeField) -> None:
        self._coarse = coarse
        self._basis = basis
        self._field = field
        self._occupation = ""
        self._begin(forecast=True, damping=1.0, patience=_PATIENCE)

    def _begin(self, forecast: bool, damping: float, patience: int) -> None:
        """Forget all steps: those made far away, or by another occupation, mislead."""
        self._forecast, self._damping, self._patience = forecast, damping, patience
        self._mixer = AndersonMixer(damping=damping)
        self._goal, self._waited = np.inf, 0
        self._best: tuple[float, FloatArray, FloatArray] | None = None

    def next(self, charges: FloatArray, found: FloatArray, occupation: str) -> FloatArray:
        """Return the charges to try next."""
        if occupation != self._occupation:
            self._occupation = self._coarse.occupation = occupation
            self._begin(forecast=True, damping=1.0, patience=_PATIENCE)
        residual = float(np.abs(found - charges).max())
        if self._best is None or residual < self._best[0]:
            self._best = residual, charges, found
        self._waited += 1
        if residual < self._goal:
            self._goal, self._waited = residual / 2, 0
        if self._waited >= self._patience:
            _, charges, found = self._best
            damping = _DAMPING if self._forecast else self._damping / 2
            self._begin(forecast=False, damping=damping, patience=2 * self._patience)
        if not self._forecast:
            return self._mixer.next(charges, found)
        step = _foreseen(self._coarse, self._basis, self._field, charges, found)
        if step is None:
            self._begin(forecast=False, damping=_DAMPING, patience=self._patience)
            return self._mixer.next(charges, found)
        return self._mixer.next(charges, charges + step)


def _foreseen(
    coarse: DividedSolver,
    basis: Basis,
    field: ChargeField,
    charges: FloatArray,
    found: FloatArray,
) -> FloatArray | None:
    """Return the step to where charges would agree, if answers changed as the coarse ones do.

    None where the coarse division does not tell.
    """
    first = found - charges
    goal = _INNER_ACCURACY * float(np.abs(first).max())
    mixer = AndersonMixer()
    trial, difference = charges, np.zeros_like(charges)
    for cycle in range(_INNER_CYCLES):
        answer = basis.occupations - coarse.solve(field.potential(trial)).populations
        if cycle == 0:
            difference = found - answer
        residual = answer + difference - trial
        if np.abs(residual).max() < goal:
            return np.asarray(trial - charges)
        trial = mixer.next(trial, answer + difference)
    return None
