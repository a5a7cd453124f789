"""Pictures of rings: sizes, shapes, surroundings, and what compaction does to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glassnb.plotting.figures import add_legend, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.network import Rings, RingShape

__all__ = ["plot_ring_shape", "plot_ring_sizes"]


def plot_ring_sizes(rings: Rings, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw the number of rings per network former by size.

    Parameters
    ----------
    rings : Rings
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    **options
        Passed on to ``Axes.bar``.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    distribution = rings.size_distribution()
    name = "/".join(rings.formers)
    ax.bar(list(distribution), list(distribution.values()), **({"width": 0.8} | options))
    ax.set(xlabel=f"ring size ({name} atoms)", ylabel=f"rings per {name}")
    if distribution:
        ax.set_xticks(range(min(distribution), max(distribution) + 1))
    return ax


def plot_ring_shape(shape: RingShape, ax: Axes | None = None) -> Axes:
    """Draw the map of roughness against roundness, rings of one size in one colour.

    Parameters
    ----------
    shape : RingShape
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    import matplotlib as mpl

    ax = new_axes(ax)
    sizes = np.unique(shape.sizes)
    colours = mpl.colormaps["viridis_r"](np.linspace(0, 1, sizes.size))
    markersize = float(np.clip(60 / np.sqrt(max(1, len(shape))), 1.0, 6.0))
    for size, colour in zip(sizes, colours, strict=True):
        of_size = shape.sizes == size
        ax.plot(
            shape.roundness[of_size], shape.roughness[of_size], "o",
            markersize=markersize, markeredgewidth=0, alpha=0.7, color=colour,
            label=f"{size} atoms", rasterized=of_size.sum() > 2000,
        )  # fmt: skip
    ax.set(xlabel="roundness", ylabel="roughness", xlim=(0, 1.03), ylim=(0, 1))
    add_legend(ax, ncols=2, markerscale=max(1.0, 4.0 / markersize), handletextpad=0.1)
    return ax
