"""Pictures of what two views of a structure have to do with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassnb.plotting.figures import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.linking import GroupComparison

__all__ = ["plot_comparison"]


def plot_comparison(
    comparison: GroupComparison, ax: Axes | None = None, *, labels: tuple[str, str]
) -> Axes:
    """Draw all members of two groups, and the means with their standard errors.

    Parameters
    ----------
    comparison : GroupComparison
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    labels : tuple of str
        Names of the groups.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    rng = np.random.default_rng(0)  # spreads points that would hide each other
    for place, values in enumerate((comparison.first, comparison.second)):
        spread = rng.uniform(-0.15, 0.15, values.size)
        ax.plot(place + spread, values, ".", ms=4, alpha=0.6, color=f"C{place}", mew=0)
        error = values.std(ddof=1) / np.sqrt(values.size)
        ax.errorbar(place + 0.28, values.mean(), error, fmt="o", ms=4, color="k", capsize=3, lw=1.2)
    low, high = comparison.cohen_d_interval
    ax.set_xticks([0, 1], labels)
    ax.set_xlim(-0.5, 1.5)
    ax.set_title(
        f"$d$ = {comparison.cohen_d:.2f} [{low:.2f}, {high:.2f}],  $p$ = {comparison.p_value:.2g}",
        fontsize=8,
    )
    return ax
