"""State of the energy map: calculations, what is shown, the selection. No widget here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike
from traitlets import Any as AnyTrait
from traitlets import Int, TraitError, observe
from traitlets import validate as check

from glassnb.core.structure import check_atoms
from glassnb_widgets.background import quietly
from glassnb_widgets.energy_report import EnergyReport
from glassnb_widgets.energy_results import (
    BUFFERS,
    GIVEN,
    UNDIVIDED,
    AtomEnergies,
    Key,
    calculate,
    given_energies,
    title_of,
)

__all__ = ["EnergyModel"]


class EnergyModel(EnergyReport):
    """What an energy map shows.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    energies : array_like, shape (n_atoms,), optional
        Energies of the atoms in eV, if they have been calculated already.
    charges : array_like, shape (n_atoms,), optional
        Their charges in e.
    cutoff : float or dict, optional
        Longest bond in Å.
    electronic_temperature : float
        Temperature of the electrons in K.
    calculation : callable, optional
        Takes ``(atoms, buffer_radius, temperature, progress)``, returns ``AtomEnergies``.

    Attributes
    ----------
    buffer : float, str or None
        Thickness of the buffer in Å that is wanted, ``None`` for undivided, or ``"given"``. A
        result that is there is shown at once; the others wait for :meth:`calculate`.
    busy : bool
        Whether a calculation goes on.
    status, note, error : str
        What goes on or is shown, what is missing, and what failed.
    version, changes : int
        Grow when numbers or groups are others, and when the selection is another.
    """

    work = "calculation"

    buffer = AnyTrait(UNDIVIDED)
    version = Int(0)

    def __init__(
        self,
        atoms: Atoms,
        energies: ArrayLike | None = None,
        charges: ArrayLike | None = None,
        *,
        cutoff: Any = None,
        electronic_temperature: float = 300.0,
        calculation: Callable[..., AtomEnergies] = calculate,
    ) -> None:
        check_atoms(atoms)
        if energies is None and charges is not None:
            raise ValueError("charges: given without energies; give both")
        if not (np.isfinite(electronic_temperature) and electronic_temperature > 0):
            raise ValueError(
                f"electronic_temperature={electronic_temperature!r}: must be a temperature in K, "
                "above 0"
            )
        given = None if energies is None else given_energies(atoms, energies, charges)
        self.temperature = electronic_temperature
        self.keys: tuple[Key, ...] = (*([GIVEN] if given else []), UNDIVIDED, *BUFFERS)
        self._calculation = calculation
        self._warnings: dict[Key, str] = {}
        own = atoms.copy()
        own.calc = None
        super().__init__(own, cutoff)
        if given is not None:
            self.results[GIVEN] = given
            self.buffer = GIVEN

    @check("buffer")
    def _check_buffer(self, proposal: Any) -> Key:
        value = proposal["value"]
        if value not in self.keys:
            raise TraitError(
                f"buffer={value!r}: must be None (undivided) or one of "
                f"{', '.join(map(str, BUFFERS))} Å"
            )
        return value

    @observe("buffer")
    def _on_buffer(self, change: Any) -> None:
        """Show what is there."""
        if self.buffer in self.results:
            self._publish(self.buffer)
        else:
            self._say_what_is_missing()

    def _say_what_is_missing(self) -> None:
        there = self.buffer in self.results or self.busy
        wanted = title_of(self.buffer)
        words = f"Nothing has been calculated for this yet ({wanted}): press Calculate."
        if self.result is not None:
            words += f" Shown below: {title_of(self.shown)}."
        there = there or not self.results
        self.note = self._warnings.get(self.shown, "") if there else words

    @observe("grouping")
    def _on_grouping(self, change: Any) -> None:
        with self.lock:
            self.groups = self.environments.groups(self.grouping)
            self.version += 1

    @observe("quantity")
    def _on_quantity(self, change: Any) -> None:
        with self.lock:
            self.version += 1
            self._select()

    # -- the calculation, in a thread of its own ---------------------------------------------------

    def calculate(self) -> None:
        """Calculate with the buffer that is wanted, unless that has been done."""
        if self.buffer in self.results:
            self._publish(self.buffer)
        else:
            self.ask(self.buffer)

    def stop(self) -> None:
        """Give up the calculation after the cycle that goes on."""
        super().stop()
        if self.busy:
            self.status = "Giving up after this cycle."

    def _run(self, key: Key) -> None:
        start, what = time.perf_counter(), title_of(key)
        self.note = ""
        self.status = f"Calculating, {what}: first charges."

        def on_progress(done: int, total: int, message: str) -> None:
            self.check_wanted()
            seconds = time.perf_counter() - start
            self.status = f"Calculating, {what}: cycle {done}, {message}; {seconds:.0f} s so far."

        result, note = quietly(self._calculation, self.atoms, key, self.temperature, on_progress)
        with self.lock:
            self.check_wanted()
            self.results[key], self._warnings[key] = result, note
            if self.buffer == key:
                self._publish(key)

    def _publish(self, key: Key) -> None:
        """Show another result."""
        with self.lock, self._hold():
            if self.result is None and self.whole:
                self.current = -1  # then it is the first one
            self.shown = key
            self._say_what_is_missing()
            if self.quantity not in self.available:
                self.quantity = "relative energy"
            self.version += 1

    @observe("busy")
    def _on_busy(self, change: Any) -> None:
        if not self.busy and not self.error:
            self.status = self._describe()
        if not self.busy:
            self._say_what_is_missing()
