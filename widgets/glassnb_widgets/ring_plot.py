"""Two linked plots of rings in the browser: how many of each size, and roundness with roughness.

``ring_plot.js`` draws them on a canvas. Up to :data:`POINTS` rings are points; more are counted on
a grid, so that what is sent and drawn stays small whatever their number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from traitlets import Bytes, Dict

from glassnb_widgets.plot_base import CanvasPlot, script

__all__ = ["POINTS", "RingPlot"]

#: Most rings that are drawn as points.
POINTS = 20_000
_GRID = 120, 100  # cells along roundness and roughness


class RingPlot(CanvasPlot):
    """Histogram of sizes, and map of roundness and roughness.

    Parameters
    ----------
    on_event : callable
        Called with what is done in the plots: a dictionary whose ``kind`` is ``"bar"`` (``size``,
        ``add``), ``"point"`` (``x``, ``y``, ``reach``), ``"region"`` (``x``, ``y``: lowest and
        highest), ``"step"`` (``by``) or ``"clear"``.
    height : int
        Height in pixels.

    Attributes
    ----------
    about : dict
        Sizes, their colours and counts, titles and limits of the axes.
    x, y, group, mask : bytes
        Roundness and roughness of each point (float32), number of its size (uint8), whether it is
        selected (uint8).
    cells, chosen_cells : bytes
        Rings in each cell of the grid and selected rings (uint32), instead of points.
    selection : dict
        Counts of selected rings by size, sizes and region that are selected, the ring looked at.
    """

    _esm = script("ring_plot.js")

    about = Dict().tag(sync=True)
    x = Bytes().tag(sync=True)
    y = Bytes().tag(sync=True)
    group = Bytes().tag(sync=True)
    mask = Bytes().tag(sync=True)
    cells = Bytes().tag(sync=True)
    chosen_cells = Bytes().tag(sync=True)

    def __init__(self, on_event: Callable[[dict[str, Any]], None], *, height: int = 520) -> None:
        self._good = np.zeros(0, dtype=bool)
        self._rows = np.zeros(0, dtype=np.int64)
        self._cell: NDArray[np.int64] | None = None
        super().__init__(on_event, height=height)

    def show(
        self,
        sizes: NDArray[np.int64],
        roundness: NDArray[np.float64],
        roughness: NDArray[np.float64],
        size_words: str,
    ) -> None:
        """Draw other rings, none of them selected.

        Parameters
        ----------
        sizes, roundness, roughness : ndarray, shape (n_rings,)
            What is drawn; rings without a shape (NaN) are in the histogram alone.
        size_words : str
            What the sizes count.
        """
        names, self._rows, counts = np.unique(sizes, return_inverse=True, return_counts=True)
        self._good = np.isfinite(roundness) & np.isfinite(roughness)
        x, y = roundness[self._good], roughness[self._good]
        dense = x.size > POINTS
        limits = _limits(x, y)
        colours = mpl.colormaps["viridis_r"](np.linspace(0.08, 1, names.size))
        with self.hold_sync():
            self.about = {
                "sizes": names.tolist(), "counts": counts.tolist(), "dense": dense,
                "colours": [mpl.colors.to_hex(c) for c in colours], "limits": limits,
                "size_words": size_words, "grid": _GRID, "outside": int((~self._good).sum()),
            }  # fmt: skip
            self._cell = _cells(x, y, limits) if dense else None
            self.x = b"" if dense else x.astype("<f4").tobytes()
            self.y = b"" if dense else y.astype("<f4").tobytes()
            self.group = b"" if dense else self._rows[self._good].astype("u1").tobytes()
            self.cells = self._counted(np.ones(x.size, dtype=bool))
            self.mask = self.chosen_cells = b""
            self.selection = {}

    def select(
        self,
        chosen: NDArray[np.bool_],
        sizes: tuple[int, ...],
        region: tuple[tuple[float, float], tuple[float, float]] | None,
    ) -> None:
        """Draw a selection.

        Parameters
        ----------
        chosen : ndarray, shape (n_rings,)
            Whether each ring is selected.
        sizes : tuple of int
            Sizes that are selected; all when empty.
        region : tuple, optional
            Lowest and highest roundness, and roughness.
        """
        good = chosen[self._good]
        counts = np.bincount(self._rows[chosen], minlength=len(self.about["sizes"]))
        with self.hold_sync():
            self.mask = b"" if self.about["dense"] else good.astype("u1").tobytes()
            self.chosen_cells = self._counted(good)
            self.selection = self.selection | {
                "counts": counts.tolist(), "sizes": list(sizes), "region": region,
            }  # fmt: skip

    def mark(self, current: int, point: tuple[float, float]) -> None:
        """Mark the ring that is looked at.

        Parameters
        ----------
        current : int
            Number of the ring; -1 for none.
        point : tuple of float
            Its roundness and roughness; one without a shape (NaN) is marked by its size alone.
        """
        marked = list(point) if current >= 0 and np.isfinite(point).all() else None
        row = int(self._rows[current]) if current >= 0 else -1
        self.selection = self.selection | {"current": current, "point": marked, "row": row}

    def _counted(self, which: NDArray[np.bool_]) -> bytes:
        if self._cell is None:
            return b""
        counts = np.bincount(self._cell[which], minlength=_GRID[0] * _GRID[1])
        return counts.astype("<u4").tobytes()


def _limits(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[list[float]]:
    """Return the ends of both axes, in tenths, with all points between them."""
    if not x.size:
        return [[0.0, 1.0], [0.0, 1.0]]
    left = float(np.floor(10 * x.min() - 1e-9) / 10)
    top = float(np.ceil(10 * y.max() + 1e-9) / 10)
    return [[max(0.0, min(left, 0.8)), 1.0], [0.0, min(1.0, max(top, 0.2))]]


def _cells(
    x: NDArray[np.float64], y: NDArray[np.float64], limits: list[list[float]]
) -> NDArray[np.int64]:
    """Return the cell of the grid in which each point lies."""
    places = []
    for values, (low, high), n in zip((x, y), limits, _GRID, strict=True):
        places.append(np.clip(((values - low) / (high - low) * n).astype(np.int64), 0, n - 1))
    return places[1] * _GRID[0] + places[0]
