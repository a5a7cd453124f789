"""Persistence diagrams of one or two structures in the browser.

``diagram_plot.js`` draws them on a canvas: as a histogram on a grid, and as single points where
only a few pairs are in a cell of it, so that what is sent stays small whatever their number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from traitlets import Dict, List

from glassnb_widgets.plot_base import CanvasPlot, script

__all__ = ["BINS", "POINTS", "DiagramPlot"]

#: Cells of the grid along each axis.
BINS = 128
#: Most pairs of a structure that are drawn as points.
POINTS = 20_000
_FEW = 2  # pairs in a cell that are drawn one by one
_SPARSE = 600  # pairs of a diagram that are all drawn one by one
Pairs = NDArray[np.float64]


class DiagramPlot(CanvasPlot):
    """Persistence diagrams, side by side if there are two.

    Parameters
    ----------
    on_event : callable
        Called with what is done in the plot: as for :class:`CanvasPlot`, and ``"lasso"``
        (``points``: births and deaths, ``map``). ``map`` is 0, or 1 for the second diagram.
    height : int
        Height in pixels.

    Attributes
    ----------
    about : dict
        Limits of the axes, bins, largest count of a cell, titles, what the pairs are called.
    maps : list of dict
        For each diagram ``x``, ``y`` (float32) and ``pair`` (int32) of the points, and ``cells``
        (uint32), the pairs in each cell of the grid that is not drawn as points.
    chosen : list of dict
        For each diagram ``mask`` of the points (uint8), and ``cells`` (uint32), the selected pairs.
    """

    _esm = script("diagram_plot.js")

    about = Dict().tag(sync=True)
    maps: Any = List().tag(sync=True)
    chosen: Any = List().tag(sync=True)

    def __init__(self, on_event: Callable[[dict[str, Any]], None], *, height: int = 480) -> None:
        self._cell: list[NDArray[np.int64]] = []
        self._points: list[NDArray[np.int64]] = []
        super().__init__(on_event, height=height)

    def show(
        self,
        pairs: Sequence[Pairs],
        titles: Sequence[str],
        words: str,
        limits: tuple[float, float],
    ) -> None:
        """Draw other pairs, none of them selected.

        Parameters
        ----------
        pairs : sequence of ndarray, shapes (n, 2)
            Births and deaths of each diagram, in Å².
        titles : sequence of str
            What stands above each.
        words : str
            What the pairs are called.
        limits : tuple of float
            Range of all axes, in Å².
        """
        maps: list[dict[str, bytes]] = []
        counts: list[int] = []
        self._cell, self._points = [], []
        for values in pairs:
            cell = _cells(values, limits)
            count = np.bincount(cell[cell >= 0], minlength=BINS * BINS)
            single = (cell >= 0) & ((count[cell] <= _FEW) | (len(values) <= _SPARSE))
            points = np.flatnonzero(single)[:POINTS]
            cell[points] = -1
            self._cell.append(cell)
            self._points.append(points)
            maps.append(
                {
                    "x": values[points, 0].astype("<f4").tobytes(),
                    "y": values[points, 1].astype("<f4").tobytes(),
                    "pair": points.astype("<i4").tobytes(),
                    "cells": self._counted(len(maps), np.ones(len(values), dtype=bool)),
                }
            )
            counts.append(int(count.max(initial=1)))
        outside = [int((_cells(values, limits) < 0).sum()) for values in pairs]
        with self.hold_sync():
            self.about = {
                "limits": list(limits), "bins": BINS, "most": max(counts), "titles": list(titles),
                "words": words, "totals": [len(values) for values in pairs], "outside": outside,
            }  # fmt: skip
            self.maps = maps
            self.chosen = []
            self.selection = {}

    def select(
        self,
        masks: Sequence[NDArray[np.bool_]],
        box: list[list[float | None]] | None,
        lasso: Sequence[Sequence[float]],
    ) -> None:
        """Draw a selection.

        Parameters
        ----------
        masks : sequence of ndarray, shapes (n,)
            Whether each pair of each diagram is selected.
        box : list, optional
            Lowest and highest birth, and death; ``None`` for no limit.
        lasso : sequence
            Corners of a polygon; none when empty.
        """
        with self.hold_sync():
            self.chosen = [
                {
                    "mask": mask[points].astype("u1").tobytes(),
                    "cells": self._counted(k, mask),
                }
                for k, (mask, points) in enumerate(zip(masks, self._points, strict=True))
            ]
            self.selection = self.selection | {
                "box": box, "lasso": [list(corner) for corner in lasso],
                "counts": [int(mask.sum()) for mask in masks],
            }  # fmt: skip

    def mark(self, which: int, current: int, point: Sequence[float] | None) -> None:
        """Mark the pair that is looked at.

        Parameters
        ----------
        which : int
            Its diagram.
        current : int
            Its number; -1 for none.
        point : sequence of float, optional
            Its birth and death.
        """
        marked = None if point is None else list(point)
        self.selection = self.selection | {"which": which, "current": current, "point": marked}

    def _counted(self, k: int, which: NDArray[np.bool_]) -> bytes:
        cell = self._cell[k]
        counts = np.bincount(cell[which & (cell >= 0)], minlength=BINS * BINS)
        return counts.astype("<u4").tobytes()


def _cells(pairs: Pairs, limits: tuple[float, float]) -> NDArray[np.int64]:
    """Return the cell of the grid in which each pair lies; -1 for none."""
    low, high = limits
    places = (pairs - low) / (high - low) * BINS
    inside = ((places >= 0) & (places <= BINS)).all(axis=1)
    column, row = np.clip(places.astype(np.int64), 0, BINS - 1).T
    return np.where(inside, row * BINS + column, -1)
