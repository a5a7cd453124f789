"""Pictures of how a model was made."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from glassnb.plotting.figures import add_legend, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.models.densify import Densification
    from glassnb.models.density_series import DensificationSeries
    from glassnb.models.md_result import SimulationResult
    from glassnb.models.melt_quench import MeltQuench

__all__ = ["plot_densification", "plot_densification_series", "plot_melt_quench"]

TEMPERATURE_COLOUR = "#D55E00"
DENSITY_COLOUR = "#0072B2"
PRESSURE_COLOUR = "#009E73"


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
    ax.set_ylabel("temperature (K)", color=TEMPERATURE_COLOUR)
    right = _twin(ax)
    right.plot(run.time, run.density, color=DENSITY_COLOUR, lw=0.8)
    right.set_ylabel("density (g/cm³)", color=DENSITY_COLOUR)
    _mark_stages(ax, run)
    return ax


def plot_densification(run: Densification, ax: Axes | None = None) -> Axes:
    """Draw density and pressure of a densification against time, with its stages.

    Parameters
    ----------
    run : Densification
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Axes of the density; the pressure has its own scale on the right.
    """
    ax = new_axes(ax)
    right = _twin(ax)
    right.plot(run.time, run.pressure, color=PRESSURE_COLOUR, lw=0.6, alpha=0.8)
    right.set_ylabel("pressure (GPa)", color=PRESSURE_COLOUR)
    ax.set_zorder(right.get_zorder() + 1)  # the density is the subject: above the noise
    ax.patch.set_visible(False)
    ax.plot(run.time, run.density, color=DENSITY_COLOUR, lw=1.2)
    ax.set_ylabel("density (g/cm³)", color=DENSITY_COLOUR)
    _mark_stages(ax, run)
    return ax


def plot_densification_series(series: DensificationSeries, ax: Axes | None = None) -> Axes:
    """Draw the densities of a series at the end and under pressure.

    Parameters
    ----------
    series : DensificationSeries
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Density against pressure, a line for each temperature; against temperature where there is
        one pressure. Bars are standard errors over the seeds.
    """
    ax = new_axes(ax)
    table = series.summary()
    along, unit, each, each_unit = "pressure", "GPa", "temperature", "K"
    if table["pressure"].nunique() == 1 < table["temperature"].nunique():
        along, unit, each, each_unit = each, each_unit, along, unit
    for number, (value, rows) in enumerate(table.groupby(each)):
        part = rows.sort_values(along)
        for name, style in (("density", "o-"), ("density_under_pressure", "^:")):
            label = f"{value:g} {each_unit}" + ("" if name == "density" else ", under pressure")
            ax.errorbar(
                part[along], part[name], yerr=part[f"{name}_error"].fillna(0.0), fmt=style,
                color=f"C{number}", label=label, capsize=2, ms=4, lw=1,
            )  # fmt: skip
    before = float(table["density_before"].mean())
    ax.axhline(before, color="0.6", lw=0.8, ls="--", zorder=0, label="before")
    ax.set(xlabel=f"{along} ({unit})", ylabel="density (g/cm³)")
    add_legend(ax)
    return ax


def _twin(ax: Axes) -> Axes:
    """Return axes with a scale of their own on the right, in letters of the same size."""
    right = ax.twinx()
    right.yaxis.label.set_fontsize(ax.yaxis.label.get_fontsize())
    right.tick_params(labelsize=ax.yaxis.get_ticklabels()[0].get_fontsize())
    return right


def _mark_stages(ax: Axes, run: SimulationResult) -> None:
    """Divide the axis of time by the stages of a run, and name them where there is room."""
    ax.set(xlabel="time (ps)", xlim=(run.time[0], max(run.time[-1], 1e-3)))
    changes = np.flatnonzero(run.stage[1:] != run.stage[:-1])
    for time in run.time[changes]:
        ax.axvline(time, color="0.7", lw=0.6, ls="--", zorder=0)
    limits = [run.time[0], *run.time[changes], run.time[-1]]
    names = [run.stage[0], *run.stage[changes + 1]]
    for (start, end), name in zip(pairwise(limits), names, strict=True):
        share = (end - start) / max(limits[-1] - limits[0], 1e-3)
        if share > 0.025:  # a name needs this much of the axis upright, and more lying down
            upright = share < 0.016 * len(str(name))
            text = ax.text((start + end) / 2, 0.98, str(name), transform=ax.get_xaxis_transform())
            text.set(ha="center", va="top", fontsize=6, color="0.4", rotation=90 * upright)
