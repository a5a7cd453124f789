"""Pictures of a refinement: curves, chi-squared, structure."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

from glassnb.core.jit import serial_kernels
from glassnb.core.structure import species_of
from glassnb.plotting import species_colour
from glassnb_widgets import geometry
from glassnb_widgets.parts import chip
from glassnb_widgets.refinement_model import Moment
from glassnb_widgets.scene import Scene
from glassnb_widgets.viewer import Canvas, structure_part

__all__ = [
    "COLOURINGS",
    "CostPicture",
    "CurvePicture",
    "StructurePicture",
    "colour_limit",
    "legend",
]

#: What atoms may be coloured by.
COLOURINGS = ("species", "distance moved")
_DPI = 130
_MAP = "viridis"
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito
_PALE = "0.72"
_LOOK: Any = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "axes.linewidth": 0.8,
}


class CurvePicture:
    """Every data set, the model, and what is between them.

    The figure is made once, with a layout of its own: to lay it out anew takes a second.

    Parameters
    ----------
    start : Moment
        Where the refinement began; drawn pale.
    """

    def __init__(self, start: Moment) -> None:
        curves = start.refinement.curves
        columns = min(2, len(curves))
        rows = -(-len(curves) // max(1, columns))
        self._panels = []
        with mpl.rc_context(_LOOK):
            self._figure = Figure(figsize=(11.5, 3.8 * max(1, rows)), dpi=_DPI)
            if not curves:
                return
            edge = 0.35 / (3.8 * rows)
            grid = self._figure.add_gridspec(
                rows, columns, left=0.065, right=0.99, top=1 - edge, bottom=1.4 * edge,
                wspace=0.16, hspace=0.3,
            )  # fmt: skip
            for k, curve in enumerate(curves):
                place = grid[k // columns, k % columns].subgridspec(
                    2, 1, height_ratios=(3, 1), hspace=0.06
                )
                self._panels.append(_CurvePanel(self._figure, place, curve))

    def png(self, moment: Moment) -> bytes:
        """Draw a moment.

        Parameters
        ----------
        moment : Moment
            What is drawn.

        Returns
        -------
        bytes
            PNG; empty if there are no data.
        """
        for panel, curve in zip(self._panels, moment.refinement.curves, strict=True):
            panel.show(curve)
        return _png(self._figure) if self._panels else b""


class _CurvePanel:
    """One data set: curves above, what is between them below."""

    def __init__(self, figure: Figure, place: Any, start: Any) -> None:
        above = figure.add_subplot(place[0])
        below = self._below = figure.add_subplot(place[1], sharex=above)
        x, model = start.x, start.calculated
        above.plot(x, model, color=_PALE, lw=1.0, label="model at the start")
        above.plot(x, start.measured, "o", ms=2.6, mfc="none", mec="k", mew=0.5, label="data")
        (self._model,) = above.plot(x, model, color=_COLOURS[0], lw=1.4, label="model")
        self._title = above.set_title("")
        above.legend()
        above.tick_params(labelbottom=False)
        reciprocal = "(Q)" in start.convention
        above.set_ylabel(f"{start.convention}, {start.radiation}")
        below.fill_between(x, -start.sigma, start.sigma, color="0.88", lw=0)
        below.plot(x, model - start.measured, color=_PALE, lw=0.8)
        (self._deviation,) = below.plot(x, model - start.measured, color=_COLOURS[1], lw=1.0)
        below.axhline(0, color="0.4", lw=0.6)
        below.set(xlabel="Q (Å⁻¹)" if reciprocal else "r (Å)", ylabel="model − data")
        below.set_xlim(x[0], x[-1])
        figure.align_ylabels([above, below])

    def show(self, curve: Any) -> None:
        deviation = curve.calculated - curve.measured
        self._model.set_ydata(curve.calculated)
        self._deviation.set_ydata(deviation)
        self._title.set_text(f"{curve.name}: rms deviation {curve.rms:.4f} (grey band: ± sigma)")
        # The start may be far off: what is left must be seen.
        reach = 1.3 * max(float(np.abs(deviation).max()), 2 * float(np.median(curve.sigma)))
        self._below.set_ylim(-reach, reach)


class CostPicture:
    """Chi-squared with its terms, and the acceptance, against the number of moves.

    Parameters
    ----------
    names : sequence of str
        Names of the terms.
    """

    def __init__(self, names: Sequence[str]) -> None:
        with mpl.rc_context(_LOOK):
            self._figure = Figure(figsize=(5.6, 3.8), dpi=_DPI)
            grid = {"left": 0.11, "right": 0.75, "top": 0.94, "bottom": 0.11, "hspace": 0.08}
            above, below = self._axes = self._figure.subplots(
                2, 1, sharex=True, height_ratios=(3, 1), gridspec_kw=grid
            )
            look: dict[str, Any] = {"marker": ".", "ms": 3}
            (self._all,) = above.plot([], [], "k", lw=1.6, label="all", **look)
            self._terms = {
                name: above.plot([], [], color=colour, lw=1.1, label=name, **look)[0]
                for name, colour in zip(names, cycle(_COLOURS), strict=False)
            }
            (self._accepted,) = below.plot([], [], color="0.3", lw=1.1, **look)
            above.set(yscale="log", ylabel="χ²", title="χ² and its terms")
            above.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
            above.yaxis.set_major_formatter(lambda value, place: f"{value:g}")
            above.yaxis.set_minor_formatter(lambda value, place: "")
            above.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02))
            below.set(xlabel="moves (thousands)", ylabel="accepted", ylim=(0, 1))
        self._changes: set[int] = set()

    def png(self, moment: Moment, changes: Sequence[int]) -> bytes:
        """Draw a moment.

        Parameters
        ----------
        moment : Moment
            What is drawn.
        changes : sequence of int
            Numbers of moves at which a weight was changed.

        Returns
        -------
        bytes
            PNG.
        """
        # With the moment itself: weights may have been changed since the last record.
        history = (*moment.refinement.history, moment)
        moves = np.array([record.moves for record in history]) / 1000
        self._all.set_data(moves, [record.chi2 for record in history])
        self._accepted.set_data(moves, [record.acceptance for record in history])
        for name, drawn in self._terms.items():
            cost = np.array([record.terms[name] for record in history], dtype=float)
            cost[cost <= 0] = np.nan  # nothing to draw on a logarithmic axis
            drawn.set_data(moves, cost)
        self._axes[0].relim()
        self._axes[0].autoscale_view(scalex=False)
        self._axes[0].set_xlim(moves[0], max(1.02 * moves[-1], moves[0] + 1))
        for change in {*changes} - self._changes:
            self._changes.add(change)
            for axes in self._axes:
                axes.axvline(change / 1000, color="0.6", lw=0.8, ls="--")
        return _png(self._figure)


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


class StructurePicture:
    """Draws the structure on a canvas.

    Parameters
    ----------
    canvas : Canvas
        Where it is drawn.
    cutoff : float or dict, optional
        Longest bond in Å, as for :func:`glassnb.network.bonds`.
    """

    def __init__(self, canvas: Canvas, cutoff: Any = None) -> None:
        self._canvas = canvas
        self._cutoff = cutoff
        self._parents = np.zeros(0, dtype=np.int64)

    def draw(self, moment: Moment, colour_by: str) -> None:
        """Draw a structure.

        Parameters
        ----------
        moment : Moment
            What is drawn.
        colour_by : str
            One of :data:`COLOURINGS`.
        """
        # This runs beside other work, whose threads it must not take.
        with serial_kernels():
            scene = Scene(moment.refinement.atoms, self._cutoff)
            if self._cutoff is None:
                self._cutoff = dict(scene.bonds.cutoffs) or 1e-6
        drawing, n = scene.drawing, len(scene.structure)
        self._parents = drawing.parents
        self._canvas.draw(
            structure=structure_part(scene.structure, drawing),
            colours=self._colours(moment, colour_by),
            shown=list(range(n)),
            bond_ends=(n + np.arange(drawing.parents.size)).tolist(),
            cell=geometry.cell_edges(scene.structure),
        )

    def colour(self, moment: Moment, colour_by: str) -> None:
        """Change the colours of the structure that is drawn.

        Parameters
        ----------
        moment : Moment
            What is drawn.
        colour_by : str
            One of :data:`COLOURINGS`.
        """
        self._canvas.draw(colours=self._colours(moment, colour_by))

    def _colours(self, moment: Moment, colour_by: str) -> list[int]:
        if colour_by == COLOURINGS[0]:
            rgba = geometry.species_rgba(moment.refinement.atoms)
        else:
            rgba = mpl.colormaps[_MAP](moment.moved / colour_limit(moment.moved))
        return geometry.colour_numbers(np.concatenate([rgba, rgba[self._parents]]))


def colour_limit(moved: NDArray[np.float64]) -> float:
    """Return the distance that has the last colour: few atoms move much farther than the rest.

    Parameters
    ----------
    moved : ndarray, shape (n_atoms,)
        Distances in Å.

    Returns
    -------
    float
        In Å, at least 0.01.
    """
    return max(0.01, float(np.quantile(moved, 0.98)))


def legend(moment: Moment, colour_by: str) -> str:
    """Write what the colours of the atoms say.

    Parameters
    ----------
    moment : Moment
        What is drawn.
    colour_by : str
        One of :data:`COLOURINGS`.

    Returns
    -------
    str
        HTML.
    """
    atoms = moment.refinement.atoms
    if colour_by == COLOURINGS[0]:
        symbols = np.asarray(atoms.symbols)
        return "".join(
            chip(species_colour(symbol), f"{symbol} ({(symbols == symbol).sum()})")
            for symbol in species_of(atoms)[0]
        )
    stops = ", ".join(mpl.colors.to_hex(mpl.colormaps[_MAP](x)) for x in np.linspace(0, 1, 11))
    limit = colour_limit(moment.moved)
    return (
        '<div style="display:flex;gap:8px;align-items:center;line-height:1.3">'
        f"<span>{html.escape('distance moved since the start')}: 0</span>"
        f'<span style="width:180px;height:12px;background:linear-gradient(to right, {stops})">'
        f"</span><span>{limit:.2f} Å or more</span></div>"
    )
