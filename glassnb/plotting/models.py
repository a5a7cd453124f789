"""Pictures of how a model was made."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from glassnb.plotting.figures import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.models.melt_quench import MeltQuench

__all__ = ["plot_melt_quench"]

TEMPERATURE_COLOUR = "#D55E00"
DENSITY_COLOUR = "#0072B2"


def plot_melt_quench(run: MeltQuench, ax: Axes | None = None) -> Axes:
    """Draw temperature and density of a melt-quench against time, with its stages.

    Parameters
    ----------
    run : MeltQuench
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Axes of the temperature; the density has its own scale on the right.
    """
    ax = new_axes(ax)
    ax.plot(run.time, run.temperature, color=TEMPERATURE_COLOUR, lw=0.8)
    ax.set(xlabel="time (ps)", xlim=(run.time[0], max(run.time[-1], 1e-3)))
    ax.set_ylabel("temperature (K)", color=TEMPERATURE_COLOUR)
    right = ax.twinx()
    right.plot(run.time, run.density, color=DENSITY_COLOUR, lw=0.8)
    right.set_ylabel("density (g/cm³)", color=DENSITY_COLOUR)
    changes = np.flatnonzero(run.stage[1:] != run.stage[:-1])
    for time in run.time[changes]:
        ax.axvline(time, color="0.7", lw=0.6, ls="--", zorder=0)
    limits = [run.time[0], *run.time[changes], run.time[-1]]
    names = [run.stage[0], *run.stage[changes + 1]]
    for (start, end), name in zip(pairwise(limits), names, strict=True):
        if end - start > 0.016 * len(str(name)) * (limits[-1] - limits[0]):  # else it overlaps
            middle = (start + end) / 2
            text = ax.text(middle, 0.98, str(name), transform=ax.get_xaxis_transform())
            text.set(ha="center", va="top", fontsize=6, color="0.4")
    return ax
