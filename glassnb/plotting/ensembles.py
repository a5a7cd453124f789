"""Pictures of several models of one recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassnb.plotting.figures import new_axes
from glassnb.plotting.scattering import s_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.models.ensemble import Ensemble, MeanStructureFactor

__all__ = ["plot_ensemble", "plot_mean_structure_factor"]


def plot_mean_structure_factor(sq: MeanStructureFactor, ax: Axes | None = None) -> Axes:
    """Draw a mean structure factor, with a band of one standard error to both sides.

    Parameters
    ----------
    sq : MeanStructureFactor
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    (line,) = ax.plot(sq.q, sq.total, label=f"mean of {sq.n_models} models, {sq.radiation}")
    low, high = sq.total - sq.standard_error, sq.total + sq.standard_error
    ax.fill_between(sq.q, low, high, color=line.get_color(), alpha=0.3, lw=0)
    return s_axes(ax, sq.radiation, sq.q[-1])


def plot_ensemble(models: Ensemble, ax: Axes | None = None, *, radiation: str = "neutron") -> Axes:
    """Draw the structure factor of every model, and their mean with its standard error.

    Parameters
    ----------
    models : Ensemble
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    radiation : str
        ``"neutron"``, ``"x-ray"`` or ``"electron"``.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = plot_mean_structure_factor(models.structure_factor(radiation=radiation), ax)
    for sq in models.structure_factors(radiation=radiation):
        ax.plot(sq.q, sq.total, color="0.6", lw=0.5, zorder=1)
    return ax
