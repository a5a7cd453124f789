"""The pieces of a scan: done side by side, reduced on the way, added up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnb.core.parallel import map_tasks
from glassnb.core.progress import ProgressOption
from glassnb.diffraction.reductions import Reduction
from glassnb.diffraction.scanner import Scanner

if TYPE_CHECKING:
    from glassnb.diffraction.storage import Store

__all__ = ["LIST_ROW", "Part", "Work"]

LIST_ROW = 64  # positions worked on at a time, where they are a list; a power of two


@dataclass
class Part:
    """What a piece of a scan gave: sums over its patterns, and what is kept of each."""

    total: NDArray[np.float64]
    square: NDArray[np.float64]
    reductions: dict[str, NDArray[Any]]
    patterns: Any = None


@dataclass
class Work:
    """A scan as pieces: one per orientation, or one per row of positions.

    Parameters
    ----------
    prepare : callable
        Makes a scanner of an orientation: ``prepare(rotation=..., progress=...)``.
    turns : scipy.spatial.transform.Rotation or None
        Orientations.
    places : numpy.ndarray, shape (n_positions, 2)
        Positions of the beam in Å.
    grid : tuple of int
        Shape of the positions: two steps, or the length of a list.
    wanted : dict
        Reductions by name.
    store : Store, optional
        Where patterns are kept on disk.
    """

    prepare: Callable[..., Scanner]
    turns: Any
    places: NDArray[np.float64]
    grid: tuple[int, ...]
    wanted: dict[str, Reduction]
    store: Store | None = None
    plan: Scanner | None = None
    rows: list[slice] = field(init=False)
    output: NDArray[np.float32] | None = None
    send_back: bool = False

    def __post_init__(self) -> None:
        total, size = len(self.places), self.grid[1] if len(self.grid) == 2 else LIST_ROW
        self.rows = [slice(first, min(first + size, total)) for first in range(0, total, size)]

    @property
    def count(self) -> int:
        """Number of orientations."""
        return 1 if self.turns is None else len(self.turns)

    def run(self, plan: Scanner, keep: bool, client: Any, progress: ProgressOption) -> Part:
        """Do everything and add it up; ``plan`` is the scanner of the first orientation."""
        from threadpoolctl import threadpool_limits

        if keep and self.store is None:
            self.send_back = client is not None
            if client is None:
                self.output = np.empty(
                    (self.count * len(self.places), *plan.shape), dtype=np.float32
                )
        # Pieces fill the machine; the products inside them then do better with one thread each.
        alone = client is None and max(self.count, len(self.rows)) > 1
        with threadpool_limits(1, user_api="blas") if alone else nullcontext():
            if self.turns is None and client is None:
                self.plan = plan
                pieces: Any = range(len(self.rows))
                parts = map_tasks(self.row, pieces, progress=progress, description="diffraction")
            else:
                parts = map_tasks(
                    self.orientation, range(self.count),
                    client=client, progress=progress, description="orientations",
                )  # fmt: skip
        whole = _add(parts)
        if self.output is not None:
            whole.patterns = self.output
        return whole

    def row(self, number: int) -> Part:
        """Work on one row of positions with the scanner that is ready."""
        assert self.plan is not None
        return self._piece(self.plan, 0, number)

    def orientation(self, number: int) -> Part:
        """Prepare an orientation and work on all of its rows."""
        turn = None if self.turns is None else self.turns[number]
        if self.store is not None and self.store.done(number).all():
            return _add(self._stored(number, row) for row in range(len(self.rows)))
        scanner = self.prepare(rotation=turn, progress=False)
        return _add(self._piece(scanner, number, row) for row in range(len(self.rows)))

    def _piece(self, scanner: Scanner, orientation: int, row: int) -> Part:
        if self.store is not None and self.store.done(orientation)[row]:
            return self._stored(orientation, row)
        out, places = None, self.rows[row]
        if self.output is not None:
            first = orientation * len(self.places)
            out = self.output[first + places.start : first + places.stop]
        patterns = scanner.patterns(self.places[places], out)
        if self.store is not None:
            self.store.write((orientation, row), self._region(orientation, row), patterns)
        return self._reduce(patterns, scanner.k_x, scanner.k_y)

    def _stored(self, orientation: int, row: int) -> Part:
        """Reduce a row that an earlier run has left on disk."""
        assert self.store is not None
        patterns = self.store.read(self._region(orientation, row))
        return self._reduce(patterns, self.store.k_x, self.store.k_y)

    def _region(self, orientation: int, row: int) -> tuple[Any, ...]:
        """Return where a row stands in the array of all patterns."""
        inner = row if len(self.grid) == 2 else self.rows[row]
        return (inner,) if self.turns is None else (orientation, inner)

    def _reduce(
        self, patterns: NDArray[np.float32], k_x: NDArray[np.float64], k_y: NDArray[np.float64]
    ) -> Part:
        return Part(
            total=patterns.sum(axis=0, dtype=float),
            square=np.einsum("nij,nij->ij", patterns, patterns, dtype=float),
            reductions={name: f(patterns, k_x, k_y) for name, f in self.wanted.items()},
            patterns=patterns if self.send_back else None,
        )


def _add(parts: Iterable[Part]) -> Part:
    """Add sums up and put the rest in a row."""
    listed = list(parts)
    names = listed[0].reductions
    kept = [part.patterns for part in listed if part.patterns is not None]
    return Part(
        total=np.sum([part.total for part in listed], axis=0),
        square=np.sum([part.square for part in listed], axis=0),
        reductions={n: np.concatenate([part.reductions[n] for part in listed]) for n in names},
        patterns=np.concatenate(kept) if kept else None,
    )
