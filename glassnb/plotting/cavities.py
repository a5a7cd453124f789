"""Pictures of cavities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassnb.plotting.figures import add_legend, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.network.cavity import Cavities

__all__ = ["plot_cavities"]

_KINDS = {
    "domain": "domains",
    "surface": "surface-based cavities",
    "centre": "centre-based cavities",
}


def plot_cavities(cavities: Cavities, ax: Axes | None = None) -> Axes:
    """Draw how many cavities there are of each volume, on a logarithmic scale of volumes.

    Parameters
    ----------
    cavities : Cavities
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    from matplotlib.ticker import MaxNLocator

    ax = new_axes(ax)
    groups: dict[float, list[str]] = {}
    for symbol, radius in cavities.radii.items():
        groups.setdefault(radius, []).append(symbol)
    cutoffs = ", ".join(f"{radius:g} Å from {', '.join(names)}" for radius, names in groups.items())
    label = (
        f"{len(cavities)} {_KINDS[cavities.kind]}, {100 * cavities.fraction:.1f} % of the cell,\n"
        f"cutoff {cutoffs}"
    )
    volumes = cavities.volumes
    # four bins a decade, from the decade of the smallest to that of the largest
    low, high = np.log10([volumes.min(), volumes.max()]) if len(cavities) else (0, 1)
    first, last = np.floor(4 * low) / 4, np.floor(4 * high) / 4 + 0.25
    edges = 10 ** np.linspace(first, last, int(round(4 * (last - first))) + 1)
    ax.hist(volumes, edges.tolist(), color="#56B4E9", edgecolor="white", linewidth=0.6, label=label)
    if len(cavities) and volumes.min() < 10 * cavities.voxel:
        # below a few grid points the bins show the grid and not the structure
        ax.axvline(cavities.voxel, color="0.4", linestyle=":", linewidth=1, label="one grid point")
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set(xlabel="volume of a cavity (Å³)", ylabel="cavities in the cell")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.set_ylim(0, 1.18 * max(1.0, ax.get_ylim()[1]))
    add_legend(ax, loc="upper right")
    return ax
