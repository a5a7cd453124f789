"""Pictures of refinements: curves with data, and chi-squared on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from glassnb.plotting.figures import add_legend, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.models.reverse_monte_carlo import Curve, Refinement

__all__ = ["plot_chi2", "plot_refinement"]

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


class HasCurves(Protocol):
    """Anything with data sets and what a model gives for them."""

    @property
    def curves(self) -> tuple[Curve, ...]:
        """One for each data set."""


def plot_refinement(result: HasCurves, ax: Axes | None = None) -> Axes:
    """Draw curves with their data, one above the other, each with its residual below.

    Parameters
    ----------
    result : Refinement or Replicas
        What to draw; without data sets, the axes stay empty.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    curves = result.curves
    base = 0.0
    for curve, colour in zip(curves, _repeat(len(curves)), strict=True):
        residual = curve.calculated - curve.measured
        # The residual has room below the lowest point of its curve.
        lowest = min(curve.measured.min(), curve.calculated.min())
        line = base + np.abs(residual).max()
        lift = line + np.abs(residual).max() - lowest
        ax.plot(curve.x, curve.measured + lift, "o", ms=2, mfc="none", mec="0.4", mew=0.5)
        ax.plot(curve.x, curve.calculated + lift, color=colour, lw=1, label=_label(curve))
        ax.axhline(line, color="0.7", lw=0.6, zorder=0)
        ax.plot(curve.x, residual + line, color=colour, lw=0.6)
        base = lift + max(curve.measured.max(), curve.calculated.max())
    distances = {curve.convention.endswith("(r)") for curve in curves}
    names = ["$r$ (Å)" if in_r else "$Q$ (Å$^{-1}$)" for in_r in sorted(distances)]
    titles = sorted({curve.convention for curve in curves})
    ax.set(xlabel=" or ".join(names), ylabel=f"{', '.join(titles)}, shifted; residuals below")
    if curves:
        ax.set_ylim(top=1.2 * base)  # the legend has room above the highest curve
        add_legend(ax)
    return ax


def plot_chi2(result: Refinement, ax: Axes | None = None) -> Axes:
    """Draw chi-squared and its terms against the number of moves.

    Parameters
    ----------
    result : Refinement
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    moves = [record.moves for record in result.history]
    ax.plot(moves, [record.chi2 for record in result.history], color="k", lw=1.2, label="total")
    names = list(result.history[-1].terms)
    for name, colour in zip(names, _repeat(len(names)), strict=True):
        ax.plot(moves, [r.terms[name] for r in result.history], color=colour, lw=0.8, label=name)
    # Energy may fall below its start, and coordination may cost nothing.
    ax.set_yscale("symlog", linthresh=1.0)
    ax.set(xlabel="moves", ylabel=r"$\chi^2$")
    add_legend(ax)
    return ax


def _label(curve: Curve) -> str:
    fitted = ""
    if (curve.scale, curve.offset) != (1.0, 0.0):
        fitted = f", × {curve.scale:.3f} {curve.offset:+.3f}"
    return f"{curve.name}{fitted} (rms {curve.rms:.3f}, sigma {np.median(curve.sigma):.2g})"


def _repeat(count: int) -> Sequence[str]:
    return [_COLOURS[k % len(_COLOURS)] for k in range(count)]
