"""Some of many things are selected, and one of these is looked at. No widget here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from traitlets import Int, TraitError
from traitlets import validate as check

from glassnb_widgets.background import Background

__all__ = ["Selection"]


class Selection(Background):
    """A model of things that are numbered from 0, of which some are selected.

    Attributes
    ----------
    current : int
        Number of the thing that is looked at; -1 for none.
    changes : int
        Grows when the selection is another.
    chosen : ndarray of bool
        Whether each is selected.
    numbers : ndarray of int
        Numbers of those that are, in the order in which one goes through them.
    """

    #: What one of them is called.
    noun = "thing"

    current = Int(-1)
    changes = Int(0)

    def __init__(self, **traits: Any) -> None:
        self.chosen = np.zeros(0, dtype=bool)
        self.numbers = np.zeros(0, dtype=np.int64)
        self._held = 1
        super().__init__(**traits)
        self._held = 0

    @property
    def total(self) -> int:
        """How many things there are."""
        return self.chosen.size

    @check("current")
    def _check_current(self, proposal: Any) -> int:
        number, count = proposal["value"], self.total
        if not -1 <= number < count:
            raise TraitError(f"there is no {self.noun} {number}: there are {count}, from 0")
        return number

    @property
    def holding(self) -> bool:
        """Whether several things are being changed, after which is selected once."""
        return self._held > 0

    @contextmanager
    def _hold(self) -> Iterator[None]:
        """Select once in the end, however much is changed in the block."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._select()

    def _select(self) -> None:
        if self._held:
            return
        with self.lock:
            chosen = self._choose()
            if chosen is None:
                return
            self.chosen, self.numbers = chosen, self._sorted(np.flatnonzero(chosen))
            if not 0 <= self.current < chosen.size or not chosen[self.current]:
                self.current = int(self.numbers[0]) if self.numbers.size else -1
            self.status = self._describe()
            self.changes += 1

    def _choose(self) -> NDArray[np.bool_] | None:
        """Return which are selected; ``None`` while there is nothing to select from."""
        raise NotImplementedError

    def _sorted(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Put the numbers of the selected ones, which ascend, in another order."""
        return numbers

    def _describe(self) -> str:
        """Say what is selected."""
        raise NotImplementedError

    def _nearest(
        self, x: NDArray[np.float64], y: NDArray[np.float64], point: tuple[float, float],
        reach: tuple[float, float],
    ) -> int | None:  # fmt: skip
        """Look at the selected one nearest to a point, within an ellipse; ``None`` if none is."""
        if not self.numbers.size:
            return None
        dx = (x[self.numbers] - point[0]) / reach[0]
        dy = (y[self.numbers] - point[1]) / reach[1]
        apart = np.nan_to_num(dx * dx + dy * dy, nan=np.inf)
        nearest = int(apart.argmin())
        if apart[nearest] > 1:
            return None
        self.current = int(self.numbers[nearest])
        return self.current

    @property
    def position(self) -> int:
        """Place of the one that is looked at among those selected, from 0; -1 for none."""
        if self.current < 0 or not self.chosen[self.current]:
            return -1
        return int(np.flatnonzero(self.numbers == self.current)[0])

    @position.setter
    def position(self, position: int) -> None:
        if not 0 <= position < self.numbers.size:
            raise ValueError(
                f"position={position}: {self.numbers.size} {self.noun}s are selected; count from 0"
            )
        self.current = int(self.numbers[position])

    def step(self, by: int = 1) -> None:
        """Go on among the selected ones; after the last comes the first.

        Parameters
        ----------
        by : int
            How far; backwards if negative.
        """
        with self.lock:
            if self.numbers.size:
                self.position = (self.position + by) % self.numbers.size
