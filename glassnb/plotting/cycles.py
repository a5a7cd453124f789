"""Pictures of the cycles behind persistence diagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnb.plotting.figures import add_legend, new_axes, species_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.topology import CavityTree, Cycle, Cycles

__all__ = ["plot_cavity_tree", "plot_cycle", "plot_cycle_sizes"]


def plot_cycle(cycle: Cycle, ax: Axes | None = None) -> Axes:
    """Draw a ring or a cavity, seen along the direction in which it is thinnest.

    Parameters
    ----------
    cycle : Cycle
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn: the boundary with its atoms, those in front larger, and the triangles of
        a ring's volume in pale colour.
    """
    from matplotlib.collections import LineCollection, PolyCollection

    ax = new_axes(ax)
    points = cycle.points
    centre, axes = points.mean(axis=0), _axes(points)

    def seen(where: NDArray[np.float64]) -> NDArray[np.float64]:
        return (where - centre) @ axes.T

    border = seen(cycle.boundary_points)
    if cycle.dimension == 1:
        filling = seen(cycle.volume_points)[:, :, :2]
        ax.add_collection(
            PolyCollection(list(filling), facecolor="#56B4E9", edgecolor="white", lw=0.5, alpha=0.3)
        )
        lines = border
    else:
        depth = border[:, :, 2].mean(axis=1)
        order = np.argsort(depth)
        span = max(float(np.ptp(depth)), 1e-9)
        ax.add_collection(
            PolyCollection(
                list(border[order][:, :, :2]), array=depth[order], cmap="Blues",
                clim=(float(depth.min()) - span, float(depth.max()) + span), alpha=0.5,
            )
        )  # fmt: skip
        lines = border[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2, 3)
    near = lines[:, :, 2].mean(axis=1)
    lines = lines[np.argsort(near)]
    width = 1.2 if cycle.dimension == 1 else 1.2 * min(1.0, 60 / len(lines))
    ax.add_collection(LineCollection(list(lines[:, :, :2]), colors="0.35", linewidths=width))
    _draw_atoms(cycle, seen(points), ax)
    ax.set(aspect="equal", xlabel="Å", ylabel="Å")
    ax.margins(0.12)
    ax.autoscale_view()
    return ax


def _draw_atoms(cycle: Cycle, places: NDArray[np.float64], ax: Axes) -> None:
    """Draw the atoms of a cycle in the colours of their species, back to front."""
    symbols = np.asarray(cycle.atoms.symbols)[cycle.indices]
    height = places[:, 2]
    size = 40 + 30 * (height - height.min()) / max(float(np.ptp(height)), 1e-9)
    shrink = min(1.0, 30 / len(places))  # so that large cavities stay visible
    order = np.argsort(height)
    colours = np.array([species_colour(symbol) for symbol in symbols])
    ax.scatter(
        places[order, 0], places[order, 1], s=shrink * size[order], color=colours[order],
        edgecolor="white", linewidth=0.6 * shrink, zorder=3,
    )  # fmt: skip
    for symbol, count in cycle.species_counts.items():
        ax.plot([], [], "o", color=species_colour(symbol), label=f"{count} {symbol}")
    add_legend(ax, loc="center left", bbox_to_anchor=(1.0, 0.5), handletextpad=0.1)


def _axes(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return unit vectors along which points extend most, less, and least, right-handed."""
    _, _, axes = np.linalg.svd(points - points.mean(axis=0))
    if np.linalg.det(axes) < 0:
        axes[2] *= -1
    return np.asarray(axes)


def plot_cycle_sizes(
    cycles: Cycles, ax: Axes | None = None, species: str | None = None, **options: Any
) -> Axes:
    """Draw how many cycles of each size there are.

    Parameters
    ----------
    cycles : Cycles
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    species : str, optional
        Count these atoms only; all when omitted.
    **options
        Passed on to ``Axes.bar``.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If the diagrams know no such species.
    """
    from matplotlib.ticker import MaxNLocator

    counts = cycles.size_distribution(species)
    ax = new_axes(ax)
    ax.bar(list(counts), list(counts.values()), **({"width": 0.8} | options))
    kind = "ring" if cycles.dimension == 1 else "cavity"
    plural = "rings" if cycles.dimension == 1 else "cavities"
    atoms = f"{species} atoms" if species else "atoms"
    ax.set(xlabel=f"{kind} size ({atoms})", ylabel=f"{plural} in all")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    return ax


def plot_cavity_tree(tree: CavityTree, ax: Axes | None = None) -> Axes:
    """Draw volumes of cavities against the values of alpha at which they are filled.

    Parameters
    ----------
    tree : CavityTree
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn, with a line from each cavity to the one that it is part of.
    """
    from matplotlib.collections import LineCollection

    ax = new_axes(ax)
    birth, death = tree.diagrams.pairs(2).T
    inner = np.flatnonzero(tree.parents >= 0)
    outer = tree.parents[inner]
    places = np.column_stack([death, tree.volumes])
    links = np.stack([places[inner], places[outer]], axis=1)
    ax.add_collection(LineCollection(list(links), colors="0.75", linewidths=0.4, zorder=1))
    drawn = ax.scatter(
        death, tree.volumes, c=death - birth, s=6, cmap="viridis", linewidth=0, zorder=2,
        rasterized=len(tree) > 2000,
    )  # fmt: skip
    bar = ax.figure.colorbar(drawn, ax=ax)
    bar.set_label("lifetime (Å²)", fontsize=ax.yaxis.label.get_fontsize())
    bar.ax.tick_params(labelsize=ax.yaxis.get_ticklabels()[0].get_fontsize())
    ax.set_yscale("log")
    ax.set(xlabel="death (Å²)", ylabel="volume of a cavity (Å³)")
    return ax
