"""Pictures of g(r) and S(Q)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassnb.plotting.figures import add_legend, new_axes
from glassnb.scattering.composition import isotopes_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.scattering import (
        DifferenceFunction,
        DiffractionPeak,
        ExperimentalData,
        PairDistribution,
        StructureFactor,
    )
    from glassnb.scattering.pair_function import ExperimentalPairFunction

__all__ = [
    "plot_diffraction_peak",
    "plot_difference",
    "plot_experiment",
    "plot_pair_distribution",
    "plot_pair_function",
    "plot_structure_factor",
]

_S_LABEL = {"neutron": "$S_N(Q)$", "x-ray": "$S_X(Q)$", "electron": "$S_e(Q)$"}


def plot_pair_distribution(g: PairDistribution, ax: Axes | None = None) -> Axes:
    """Draw the partial pair distribution functions, one above the other.

    Parameters
    ----------
    g : PairDistribution
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    for (a, b), values in g.partials.items():
        ax.plot(g.r, values, label=f"{a}–{b}")
    ax.axhline(1, color="0.7", lw=0.6, zorder=0)
    ax.set(xlabel="$r$ (Å)", ylabel="$g_{ab}(r)$", xlim=(0, min(10.0, g.r[-1])))
    ax.set_ylim(bottom=0)
    add_legend(ax)
    return ax


def plot_structure_factor(sq: StructureFactor, ax: Axes | None = None) -> Axes:
    """Draw the total structure factor.

    Parameters
    ----------
    sq : StructureFactor
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    isotopes = isotopes_text(sq.isotopes) if sq.radiation == "neutron" else ""
    label = ", ".join(filter(None, ["model", sq.radiation, isotopes]))
    ax.plot(sq.q, sq.total, label=label)
    return s_axes(ax, sq.radiation, sq.q[-1])


def plot_difference(found: DifferenceFunction, ax: Axes | None = None) -> Axes:
    """Draw the first-order difference of two neutron experiments.

    Parameters
    ----------
    found : DifferenceFunction
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    ax.plot(found.q, found.values, label=found.label)
    ax.axhline(0, color="0.7", lw=0.6, zorder=0)
    ax.set(xlabel="$Q$ (Å$^{-1}$)", ylabel=r"$\Delta F(Q)$ (barn sr$^{-1}$ atom$^{-1}$)")
    ax.set_xlim(0, min(20.0, found.q[-1]))
    add_legend(ax)
    return ax


def plot_diffraction_peak(peak: DiffractionPeak, ax: Axes | None = None) -> Axes:
    """Mark the first sharp diffraction peak: its maximum, and its width on the low-Q side.

    Parameters
    ----------
    peak : DiffractionPeak
        What to mark.
    ax : matplotlib.axes.Axes, optional
        Where to draw, such as what ``plot()`` of the structure factor returned; a new figure when
        omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    half = peak.position - peak.fwhm / 2
    words = f"{peak.position:.2f} Å$^{{-1}}$; {peak.coherence_text}"
    ax.plot([peak.position], [peak.height], "v", ms=4, color="k", label=words)
    ax.plot([half, peak.position], [peak.height / 2] * 2, "k-", lw=0.8)
    if not ax.get_xlabel():
        ax.set(xlabel="$Q$ (Å$^{-1}$)", ylabel="$S(Q)$")
    add_legend(ax)
    return ax


def plot_experiment(data: ExperimentalData, ax: Axes | None = None) -> Axes:
    """Draw a measured structure factor as points.

    Parameters
    ----------
    data : ExperimentalData
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    ax.plot(data.q, data.total, "o", ms=2, color="k", mfc="none", mew=0.5, label=data.source)
    return s_axes(ax, data.radiation, data.q[-1])


def plot_pair_function(data: ExperimentalPairFunction, ax: Axes | None = None) -> Axes:
    """Draw a measured pair distribution function as points.

    Parameters
    ----------
    data : ExperimentalPairFunction
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    ax.plot(data.r, data.values, "o", ms=2, color="k", mfc="none", mew=0.5, label=data.source)
    ax.axhline(float(data.function == "g"), color="0.7", lw=0.6, zorder=0)
    name = data.function.replace("_PDF", r"_\mathrm{PDF}")
    ax.set(xlabel="$r$ (Å)", ylabel=f"${name}(r)$", xlim=(0, min(10.0, data.r[-1])))
    add_legend(ax)
    return ax


def s_axes(ax: Axes, radiation: str, q_max: float) -> Axes:
    """Label axes of a structure factor, and draw the line at 1 and the legend."""
    ax.axhline(1, color="0.7", lw=0.6, zorder=0)
    ax.set(xlabel="$Q$ (Å$^{-1}$)", ylabel=_S_LABEL[radiation], xlim=(0, min(20.0, q_max)))
    add_legend(ax)
    return ax
