"""State of the refinement monitor: the run in the background, and what it has reached."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from traitlets import Any as AnyTrait
from traitlets import Dict, Float, Int, TraitError, Unicode, observe, validate

from glassnb.core.files import write
from glassnb.core.provenance import atomic_path
from glassnb_widgets.background import Background, explain

__all__ = ["Moment", "RefinementModel"]

_RECORDS = 1000  # of a run: so many moments may be shown
_WORDS = 0.3  # s, shortest time between two status lines


@dataclass(frozen=True)
class Moment:
    """A refinement at one moment.

    Parameters
    ----------
    refinement : Refinement
        Structure, curves and history.
    terms : dict
        Chi-squared by name of data set or constraint.
    moves : int
        Moves tried so far.
    temperature : float
        Of the last moves.
    acceptance : float
        Share of the last moves that were accepted; NaN before the first.
    move_size : float
        Largest displacement of a single atom along each axis, in Å.
    moved : ndarray, shape (n_atoms,)
        How far each atom is from where it was when the model was made, in Å.
    """

    refinement: Any
    terms: dict[str, float]
    moves: int
    temperature: float
    acceptance: float
    move_size: float
    moved: NDArray[np.float64]

    @property
    def chi2(self) -> float:
        """Chi-squared of all terms together."""
        return float(sum(self.terms.values()))


class RefinementModel(Background):
    """A reverse Monte Carlo refinement that can be paused and changed while it goes on.

    Without a pause and without a change, a run makes the same moves as ``rmc.run`` does.

    Parameters
    ----------
    rmc : ReverseMonteCarlo
        The refinement; nobody else may run it meanwhile.
    clock : callable, optional
        Returns the time in s; ``time.monotonic`` when omitted.
    interval : float
        Shortest time in s between two pictures while the run goes.
    **traits
        Values of the attributes.

    Attributes
    ----------
    moves : int
        Moves of the next run.
    temperature_start, temperature_end : float
        Temperature (without unit, 1 for the errors as given) with which the run begins and ends.
        A change while it goes on counts for the moves that are left: from the new start, or from
        the present temperature to the new end.
    state : str
        ``"idle"``, ``"running"`` or ``"paused"``.
    done, total : int
        Moves done and to be done in this run.
    weights : dict
        Weight of each data set and constraint that has a cost, by name.
    moment : Moment
        What is shown.
    """

    work = "refinement"

    moves = Int(100_000)
    temperature_start = Float(2.0)
    temperature_end = Float(0.05)
    state = Unicode("idle")
    done = Int(0)
    total = Int(0)
    weights: Any = Dict()
    moment: Any = AnyTrait(None, allow_none=True)

    def __init__(
        self,
        rmc: Any,
        *,
        clock: Callable[[], float] = time.monotonic,
        interval: float = 1.5,
        **traits: Any,
    ) -> None:
        if not all(hasattr(rmc, name) for name in ("run", "refinement", "set_weight")):
            raise ValueError(
                f"rmc={type(rmc).__name__}: must be a ReverseMonteCarlo, which is to be made of a "
                "structure, data and constraints first"
            )
        self.rmc = rmc
        self._clock = clock
        self._interval = interval
        #: Numbers of moves at which a weight was changed.
        self.changes: list[int] = []
        self._weights_wanted: dict[str, float] = {}
        self._start_wanted: float | None = None
        self._new_end = self._pausing = self._stopping = False
        self._wake = threading.Event()
        self._next_look = -np.inf
        super().__init__(**traits)
        self._now = self.temperature_start
        self.weights = dict(rmc.weights)
        self._first_positions = rmc.atoms.positions.copy()
        self.start = self.moment = self._take(self._now)
        self.status = "Press Run."

    # -- what buttons do ---------------------------------------------------------------------------

    def run(self) -> None:
        """Start a run; nothing happens while one goes on."""
        with self.lock:
            if self.state != "idle":
                return
            self.error = ""
            self._stopping = self._pausing = self._new_end = False
            self._start_wanted = None
            self._now = self.temperature_start
            self._first = self.rmc.moves_done
            self.done, self.total = 0, self.moves
            self._spent, self._since = 0.0, self._clock()
            self._next_words = -np.inf
            self._next_look = max(self._next_look, self._since + self._interval)
            self.state = "running"
            self.status = "Starting."
        self.ask()

    def pause(self) -> None:
        """Pause the run after the present block of moves."""
        if self.state == "running":
            self._pausing = True
            self.status = "Pausing."

    def resume(self) -> None:
        """Go on after a pause."""
        if self.state != "idle":
            self._pausing = False
            self._wake.set()

    def stop(self) -> None:
        """End the run after the present block of moves; what it has reached is kept."""
        if self.state != "idle":
            self._stopping = True
            self.status = "Stopping."
            self._wake.set()

    def set_weight(self, name: str, weight: float) -> None:
        """Change the weight of a data set or constraint, between two blocks of moves.

        Parameters
        ----------
        name : str
            Its name.
        weight : float
            The weight, 0 or more.
        """
        with self.lock:
            self._weights_wanted[name] = weight
            if self.state == "idle":
                self._apply_weights()
            else:
                self._wake.set()

    def save(self, path: str) -> list[Path]:
        """Write the structure, its report and the history of the refinement.

        Parameters
        ----------
        path : str
            File of the structure; its suffix tells the format, such as ``.extxyz`` or ``.cif``.
            The other files have the same name with ``-report.txt`` and ``-history.csv``.

        Returns
        -------
        list of pathlib.Path
            The files; none if they could not be written: :attr:`error` says why.
        """
        self.error = ""
        if self.state == "running":
            self.error = "Not saved: pause or stop the refinement first."
            return []
        target = Path(path).expanduser().resolve()
        report, history = (
            target.with_name(f"{target.stem}-{end}") for end in ("report.txt", "history.csv")
        )
        try:
            write(target, self.rmc.atoms)
            with atomic_path(report) as temporary:
                temporary.write_text(f"{self.rmc.report()}\n", encoding="utf-8")
            with atomic_path(history) as temporary:
                self.history().to_csv(temporary, index=False)
        except (ValueError, OSError) as error:
            self.error = f"Not saved: {error}"
            return []
        self.status = f"Saved to {target}, {report.name} and {history.name}."
        return [target, report, history]

    def history(self) -> pd.DataFrame:
        """Return what the refinement has gone through.

        Returns
        -------
        pandas.DataFrame
            One row per record: moves, chi-squared, each of its terms, acceptance, temperature and
            move size in Å.
        """
        return self.moment.refinement.to_frame()

    @validate("temperature_start", "temperature_end")
    def _check_temperature(self, proposal: Any) -> float:
        value = proposal["value"]
        if not (np.isfinite(value) and value > 0):
            raise TraitError(f"{proposal['trait'].name}={value}: must be positive")
        return value

    @validate("moves")
    def _check_moves(self, proposal: Any) -> int:
        if proposal["value"] < 1:
            raise TraitError(f"moves={proposal['value']}: must be at least 1")
        return proposal["value"]

    @observe("temperature_start", "temperature_end")
    def _on_temperature(self, change: Any) -> None:
        if self.state == "idle":
            return
        if change["name"] == "temperature_start":
            self._start_wanted = change["new"]
        self._new_end = True

    # -- in the thread of the run ------------------------------------------------------------------

    def _run(self) -> None:
        rmc = self.rmc
        last = self._first + self.total
        try:
            while rmc.moves_done < last and not self._stopping:
                if self._weights_wanted:
                    self._apply_weights()
                if self._pausing:
                    self._rest()
                else:
                    self._advance(last - rmc.moves_done)
        finally:
            with self.lock:
                self.done = rmc.moves_done - self._first
                self.state = "idle"
                if self._weights_wanted:
                    self._apply_weights()
        self._publish()
        self._spent += self._clock() - self._since
        how = "Stopped" if self._stopping else "Done"
        self.status = f"{how}: {self.done:,} of {self.total:,} moves in {_duration(self._spent)}."

    def _advance(self, moves: int) -> None:
        """Make moves until all are done or something is wanted."""
        self.state = "running"
        if self._start_wanted is not None:
            self._now, self._start_wanted = self._start_wanted, None
        self._new_end = False
        first, end = self.rmc.moves_done, self.temperature_end
        self.rmc.run(
            moves,
            temperature=(self._now, end),
            progress=self._on_progress,
            stop=self._interrupted,
            on_update=self._on_update,
            update_every=max(1, self.total // _RECORDS),
        )
        # Annealing is geometric, so that what is left goes on along the same line.
        self._now *= (end / self._now) ** ((self.rmc.moves_done - first) / moves)

    def _rest(self) -> None:
        """Show where the run is, and wait for something to happen."""
        if self.state != "paused":
            self._spent += self._clock() - self._since
            self.done = self.rmc.moves_done - self._first
            self._publish()
            self.state = "paused"
            self.status = (
                f"Paused after {self.done:,} of {self.total:,} moves; weights and temperature "
                "may be changed."
            )
        self._wake.wait()
        self._wake.clear()
        if not self._pausing or self._stopping:
            self._since = self._clock()

    def _interrupted(self) -> bool:
        wanted = bool(self._weights_wanted) or self._new_end or self._start_wanted is not None
        return self._stopping or self._pausing or wanted

    def _apply_weights(self) -> None:
        with self.lock:
            wanted, self._weights_wanted = self._weights_wanted, {}
            for name, weight in wanted.items():
                try:
                    self.rmc.set_weight(name, weight)
                except (ValueError, KeyError) as error:
                    self.error = f"Weight not changed: {explain(error)}"
            if dict(self.rmc.weights) != self.weights:
                self.weights = dict(self.rmc.weights)
                self.changes.append(self.rmc.moves_done)
                self._publish()

    def _on_progress(self, done: int, total: int, message: str) -> None:
        """Say how far it is, a few times in a second."""
        now = self._clock()
        if now < self._next_words:
            return
        self._next_words = now + _WORDS
        self.done = self.rmc.moves_done - self._first
        if self._stopping or self._pausing or not self.done:
            return
        rate = self.done / max(self._spent + now - self._since, 1e-9)
        left = _duration((self.total - self.done) / rate)
        self.status = (
            f"Refining: {self.done:,} of {self.total:,} moves, {rate:,.0f} in a second, about "
            f"{left} left"
        )

    def _on_update(self, refinement: Any) -> None:
        """Show the moment, not too often."""
        now = self._clock()
        if now < self._next_look:
            return
        self._publish(refinement)
        # Pictures must take less than a fifth of the time.
        end = self._clock()
        self._next_look = end + max(self._interval, 6 * (end - now))

    def _publish(self, refinement: Any = None) -> None:
        """Show the present moment."""
        history = () if refinement is None else refinement.history
        self.moment = self._take(history[-1].temperature if history else self._now, refinement)

    def _take(self, temperature: float, refinement: Any = None) -> Moment:
        rmc = self.rmc
        now = rmc.refinement() if refinement is None else refinement
        moved = np.linalg.norm(now.atoms.positions - self._first_positions, axis=1)
        return Moment(
            now, rmc.chi2_terms, rmc.moves_done, temperature, rmc.acceptance, rmc.move_size, moved
        )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(max(1, round(seconds)), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
