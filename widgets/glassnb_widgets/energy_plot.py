"""Histograms of a number of the atoms in the browser: one for each species, stacked by group.

``energy_plot.js`` draws them on a canvas. Only counts are sent: what is sent stays small whatever
the number of atoms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from traitlets import Dict

from glassnb_widgets.energy_environment import Groups
from glassnb_widgets.plot_base import CanvasPlot, script

__all__ = ["EnergyPlot"]

_BINS = 12, 60  # fewest and most
_LEAST = 1e-6  # smallest width of a histogram


class EnergyPlot(CanvasPlot):
    """Histograms, one below the other.

    Parameters
    ----------
    on_event : callable
        Called with what is done in the plot: as for :class:`CanvasPlot`, and ``"group"``
        (``group``: its number). ``map`` is the number of the histogram; ``add`` tells whether a
        key was held.
    height : int
        Height in pixels.

    Attributes
    ----------
    about : dict
        ``title`` of the axis and ``panels``, each with ``symbol``, ``edges`` of the bins, and
        ``groups`` with number, name, colour, counts in the bins.
    selection : dict
        ``chosen``: for each histogram and group, selected atoms in each bin; ``current``:
        histogram and number of the atom that is looked at.
    """

    _esm = script("energy_plot.js")

    about = Dict().tag(sync=True)

    def __init__(self, on_event: Callable[[dict[str, Any]], None], *, height: int = 520) -> None:
        self.edges: list[NDArray[np.float64]] = []
        self._rows: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._groups: list[list[int]] = []
        self._all: Groups | None = None
        super().__init__(on_event, height=height)

    def clear(self) -> None:
        """Draw nothing: there are no numbers yet."""
        self.edges, self._rows, self._groups, self._all = [], [], [], None
        with self.hold_sync():
            self.about = {}
            self.selection = {}

    def show(
        self,
        values: NDArray[np.float64],
        symbols: tuple[str, ...],
        species: NDArray[np.int64],
        groups: Groups,
        title: str,
    ) -> None:
        """Draw other numbers, all of them selected.

        Parameters
        ----------
        values : ndarray, shape (n_atoms,)
            The numbers.
        symbols : tuple of str
            Species.
        species : ndarray of int, shape (n_atoms,)
            Species of each atom.
        groups : Groups
            What the histograms tell apart.
        title : str
            Name of the numbers, with the unit.
        """
        self._all = groups
        self.edges, self._rows, self._groups = [], [], []
        for s in range(len(symbols)):
            atoms = np.flatnonzero(species == s)
            edges = _edges(values[atoms])
            self.edges.append(edges)
            self._rows.append((atoms, bins_of(values[atoms], edges)))
            self._groups.append(np.flatnonzero(groups.species == s).tolist())
        counts = self._counted(np.ones(values.size, dtype=bool))
        with self.hold_sync():
            self.about = {
                "title": title,
                "panels": [
                    {
                        "symbol": symbol,
                        "edges": edges.tolist(),
                        "groups": [
                            {
                                "group": g, "name": groups.names[g], "colour": groups.colours[g],
                                "total": int(groups.counts[g]), "counts": of_group,
                            }
                            for g, of_group in zip(own, count, strict=True)
                        ],
                    }
                    for symbol, edges, own, count in zip(
                        symbols, self.edges, self._groups, counts, strict=True
                    )
                ],
            }  # fmt: skip
            self.selection = {"chosen": counts, "current": None}

    def select(self, chosen: NDArray[np.bool_]) -> None:
        """Draw a selection.

        Parameters
        ----------
        chosen : ndarray of bool, shape (n_atoms,)
            Whether each atom is selected.
        """
        if self._all is not None:
            self.selection = self.selection | {"chosen": self._counted(chosen)}

    def mark(self, panel: int, value: float) -> None:
        """Mark the atom that is looked at.

        Parameters
        ----------
        panel : int
            Its histogram; -1 for none.
        value : float
            Its number.
        """
        if self._all is not None:
            self.selection = self.selection | {"current": [panel, value] if panel >= 0 else None}

    def bin_at(self, panel: int, value: float) -> tuple[float, float]:
        """Return the edges of the bin in which a number lies.

        Parameters
        ----------
        panel : int
            The histogram.
        value : float
            The number.

        Returns
        -------
        tuple of float
            Lower and upper edge.
        """
        edges = self.edges[panel]
        k = int(bins_of(np.array([value]), edges)[0])
        return float(edges[k]), float(edges[k + 1])

    def _counted(self, chosen: NDArray[np.bool_]) -> list[list[list[int]]]:
        """Return the numbers of chosen atoms by histogram, group and bin."""
        assert self._all is not None
        found = []
        for edges, (atoms, bins), own in zip(self.edges, self._rows, self._groups, strict=True):
            n = edges.size - 1
            of = self._all.of_atom[atoms]
            counts = [np.bincount(bins[chosen[atoms] & (of == g)], minlength=n) for g in own]
            found.append([count.tolist() for count in counts])
        return found


def bins_of(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each number; the last one holds its upper edge.

    Parameters
    ----------
    values : ndarray, shape (n,)
        The numbers.
    edges : ndarray, shape (n_bins + 1,)
        Edges of the bins.

    Returns
    -------
    ndarray of int, shape (n,)
        Numbers of the bins.
    """
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, edges.size - 2)


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return edges of bins, more for more numbers."""
    low, high = float(values.min()), float(values.max())
    if high - low < _LEAST:
        low, high = (low + high - _LEAST) / 2, (low + high + _LEAST) / 2
    n = int(np.clip(2 * np.sqrt(values.size), *_BINS))
    return np.linspace(low, high, n + 1)
