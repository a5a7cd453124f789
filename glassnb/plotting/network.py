"""Pictures of bonds: coordination numbers and angles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassnb.plotting.figures import add_legend, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.network import BondAngles, Coordination

__all__ = ["plot_bond_angles", "plot_coordination"]


def plot_coordination(coordination: Coordination, ax: Axes | None = None) -> Axes:
    """Draw the share of atoms by coordination number, for each bonded pair.

    Parameters
    ----------
    coordination : Coordination
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    table = coordination.to_frame()
    kinds = list(table.groupby(["centre", "neighbour"], sort=False))
    width = 0.8 / max(1, len(kinds))
    for k, ((centre, neighbour), rows) in enumerate(kinds):
        at = rows["number"] + (k - (len(kinds) - 1) / 2) * width
        bars = ax.bar(at, 100 * rows["fraction"], width, label=f"{neighbour} around {centre}")
        ax.bar_label(bars, fmt="%.1f", fontsize=6, padding=1)
    numbers = sorted(set(table["number"]))
    ax.set_xticks(range(min(numbers), max(numbers) + 1))
    ax.set(xlabel="coordination number", ylabel="share of the central atoms (%)", ylim=(0, 118))
    add_legend(ax)
    return ax


def plot_bond_angles(angles: BondAngles, ax: Axes | None = None) -> Axes:
    """Draw the distribution of bond angles.

    Parameters
    ----------
    angles : BondAngles
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    angle, density = angles.distribution(bins=90)
    ax.plot(angle, density, label=f"{'–'.join(angles.triplet)}, mean {angles.mean:.1f}°")
    ax.set(xlabel="bond angle (°)", ylabel="probability per degree", xlim=(60, 180))
    ax.set_ylim(bottom=0)
    add_legend(ax)
    return ax
