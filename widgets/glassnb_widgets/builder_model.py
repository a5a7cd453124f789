"""State of the glass builder: parameters, the run in the background, what it has reached."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from traitlets import Any as AnyTrait
from traitlets import Bool, Float, HasTraits, Int, Unicode

from glassnb.core.files import write
from glassnb.core.jit import serial_kernels
from glassnb.core.structure import half_box, mass_density
from glassnb.models import properties
from glassnb.network import bonds
from glassnb.scattering import (
    PairDistribution,
    StructureFactor,
    pair_distribution,
    smallest_q,
    structure_factor,
)

__all__ = ["BOND", "BuilderModel", "Measured"]

PARAMETERS = ("n_atoms", "potential", "melt_temperature", "cooling_rate", "seed")
BOND = {("Si", "O"): properties.BOND}
_R_MAX = 8.0  # Å, end of the g(r) that is drawn
_BINS = 110
_Q = np.arange(0.6, 12.0, 0.05)  # Å⁻¹


@dataclass(frozen=True)
class Measured:
    """A structure and what was measured on it.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    g : PairDistribution
        Its g(r).
    sq : StructureFactor
        Its neutron structure factor.
    words : str
        What it is and what it has, in a line.
    """

    atoms: Atoms
    g: PairDistribution
    sq: StructureFactor
    words: str


class BuilderModel(HasTraits):
    """A melt-quench with its parameters, run in a thread of its own.

    Parameters
    ----------
    runner : callable, optional
        Makes the glass; takes the arguments of :func:`glassnb.models.melt_quench`, which it is
        when omitted.
    clock : callable, optional
        Returns the time in s; ``time.monotonic`` when omitted.
    interval : float
        Shortest time in s between two measurements while the run goes.

    Attributes
    ----------
    n_atoms, potential, melt_temperature, cooling_rate, seed
        Parameters of the next run; temperatures in K, rate in K/ps.
    running : bool
        Whether a run goes on.
    done, total : int
        Steps done, and steps in all.
    status : str
        One line on what goes on.
    error : str
        Why the last run, or the last attempt to save, failed; empty if it did not.
    measured : Measured or None
        The structure that is shown.
    result : MeltQuench or None
        What the last run returned.
    stale : bool
        Whether the parameters differ from those of what is shown.
    """

    n_atoms = Int(648)
    potential = Unicode("SHIK")
    melt_temperature = Float(4000.0)
    cooling_rate = Float(50.0)
    seed = Int(0)
    running = Bool(False)
    done = Int(0)
    total = Int(0)
    status = Unicode("Choose, then press Run.")
    error = Unicode("")
    measured = AnyTrait(None, allow_none=True)
    result = AnyTrait(None, allow_none=True)
    stale = Bool(False)

    def __init__(
        self,
        runner: Callable[..., Any] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        interval: float = 1.5,
    ) -> None:
        super().__init__()
        self._runner = runner
        self._clock = clock
        self._interval = interval
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._shown: dict[str, Any] | None = None
        self.observe(self._compare, list(PARAMETERS))

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments of the next run, by name."""
        return {name: getattr(self, name) for name in PARAMETERS}

    @property
    def shown_parameters(self) -> str:
        """The parameters of what is shown, in words."""
        if self._shown is None:
            return ""
        return (
            "{n_atoms} atoms, {potential}, {melt_temperature:g} K, {cooling_rate:g} K/ps, "
            "seed {seed}".format(**self._shown)
        )

    def run(self) -> None:
        """Start a run; nothing happens while one goes on."""
        if self.running:
            return
        self._stop.clear()
        self.error = ""
        self.done = self.total = 0
        self._shown = self.parameters
        self.stale = False
        self.running = True
        self.status = "Starting."
        self._started = self._clock()
        self._reached = 0, 0
        self._last_words = self._next_look = -np.inf
        self._thread = threading.Thread(target=self._work, daemon=True, name="glass builder")
        self._thread.start()

    def stop(self) -> None:
        """Ask the run to end; what it has reached is kept."""
        if self.running:
            self._stop.set()
            self.status = "Stopping."

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the run has ended.

        Parameters
        ----------
        timeout : float, optional
            Longest wait in s.

        Raises
        ------
        TimeoutError
            If it goes on after that time.
        """
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                raise TimeoutError(f"the run goes on after {timeout} s")

    def save(self, path: str) -> Path | None:
        """Write the structure that the last run has reached.

        Parameters
        ----------
        path : str
            Name of the file; its suffix tells the format, such as ``.extxyz`` or ``.cif``.

        Returns
        -------
        pathlib.Path or None
            The file, or ``None`` if it could not be written: :attr:`error` says why.
        """
        self.error = ""
        if self.result is None:
            self.error = "There is nothing to save yet: press Run first."
            return None
        target = Path(path).expanduser().resolve()
        try:
            write(target, self.result.atoms)
        except (ValueError, OSError) as error:
            self.error = f"Not saved: {error}"
            return None
        self.status = f"Saved to {target}"
        return target

    # -- in the thread of the run ------------------------------------------------------------------

    def _work(self) -> None:
        try:
            result = self._run()
            name = "Stopped here" if getattr(result, "stopped", False) else "The glass"
            self._measure(result.atoms, f"{name}: {mass_density(result.atoms):.3f} g/cm³")
            self.done, self.total = self._reached
            self.result = result
            self.status = self._ending(result)
        except Exception as error:  # the thread has nobody else to tell
            text = str(error) or type(error).__name__
            plain = isinstance(error, ValueError | ImportError)
            self.error = text if plain else f"{type(error).__name__}: {text}"
            self.status = "The run failed."
        finally:
            self.running = False

    def _run(self) -> Any:
        from glassnb.models import melt_quench

        runner = self._runner or melt_quench
        return runner(
            **(self._shown or {}),
            progress=self._on_progress,
            stop=self._stop.is_set,
            on_update=self._on_update,
        )

    def _on_progress(self, done: int, total: int, message: str) -> None:
        """Say how far it is, a few times in a second."""
        now = self._clock()
        self._reached = done, total
        if now - self._last_words < 0.3 and done < total:
            return
        self._last_words = now
        self.total, self.done = total, done
        if not self._stop.is_set():
            left = "time left not known yet"
            if done:
                left = f"about {_duration((now - self._started) * (total - done) / done)} left"
            self.status = f"{message}: {done} of {total} steps, {left}"

    def _on_update(self, snapshot: Any) -> None:
        """Measure the structure of the moment, not too often."""
        now = self._clock()
        if now < self._next_look:
            return
        words = (
            f"{snapshot.stage}, {snapshot.time:.1f} ps, {snapshot.temperature:.0f} K, "
            f"{snapshot.density:.3f} g/cm³"
        )
        self._measure(snapshot.atoms, words)
        # Measuring must not take more than a fifth of the time.
        end = self._clock()
        self._next_look = end + max(self._interval, 4 * (end - now))

    def _measure(self, atoms: Atoms, words: str) -> None:
        # OpenMP threads wait for their next work spinning, which makes LAMMPS ten times slower.
        q = _Q[smallest_q(atoms) <= _Q]
        with serial_kernels():
            g = pair_distribution(atoms, min(_R_MAX, half_box(atoms)), bins=_BINS)
            sq = structure_factor(atoms, q, radiation="neutron")
            self.measured = Measured(atoms, g, sq, words + _network(atoms))

    def _ending(self, result: Any) -> str:
        took = _duration(self._clock() - self._started)
        if getattr(result, "stopped", False):
            return f"Stopped after {self.done} of {self.total} steps and {took}; this is kept."
        return f"Done: {len(result.atoms)} atoms in {took}."

    def _compare(self, change: Any) -> None:
        self.stale = self._shown is not None and self._shown != self.parameters


def _duration(seconds: float) -> str:
    minutes, rest = divmod(max(1, round(seconds)), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _network(atoms: Atoms) -> str:
    """Return the mean length of Si-O bonds and the mean number of oxygen around silicon."""
    found = bonds(atoms, BOND)
    if not len(found):
        return ""
    around = found.counts[np.asarray(atoms.symbols) == "Si"].mean()
    return f"; Si–O {found.distances.mean():.3f} Å on average, {around:.2f} O around Si"
