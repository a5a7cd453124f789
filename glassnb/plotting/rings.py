"""Pictures of rings: sizes, shapes, surroundings, and what compaction does to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glassnb.plotting.figures import add_legend, new_axes, species_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.network import RingCompaction, Rings, RingShape, RingStatistics

__all__ = [
    "plot_ring",
    "plot_ring_compaction",
    "plot_ring_shape",
    "plot_ring_sizes",
    "plot_ring_statistics",
]

_NAMES = {
    "rings_per_former": "rings per network former",
    "roundness": "mean roundness",
    "roughness": "mean roughness",
    "radius_of_gyration": "mean radius of gyration (Å)",
}


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


def plot_ring(rings: Rings, ring: int, ax: Axes | None = None) -> Axes:
    """Draw a ring seen along its normal; atoms above its mean plane are larger.

    Parameters
    ----------
    rings : Rings
        The rings.
    ring : int
        Number of the ring to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn, in Å along the major and the minor axis, with the shape in its title.
    """
    from glassnb.network import ring_shape

    ax = new_axes(ax)
    chosen = rings.select([ring])
    shape = ring_shape(chosen)
    x, y, height = ((chosen.vertices - shape.centres[0]) @ shape.axes[0].T).T
    symbols = np.asarray(chosen.atoms.symbols)[chosen.indices]
    ax.plot(np.append(x, x[0]), np.append(y, y[0]), color="0.4", lw=2, zorder=1)
    size = np.where(np.isin(symbols, chosen.formers), 90.0, 50.0) * np.exp(0.35 * height)
    order = np.argsort(height)
    ax.scatter(
        x[order], y[order], size[order], [species_colour(symbol) for symbol in symbols[order]],
        edgecolors="0.2", linewidths=0.6, zorder=2,
    )  # fmt: skip
    reach = 1.25 * max(np.abs(x).max(), np.abs(y).max())
    ax.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[])
    ax.set_title(
        f"{chosen.former_sizes[0]} {'/'.join(chosen.formers)}: roundness "
        f"{shape.roundness[0]:.2f}, roughness {shape.roughness[0]:.2f}",
        fontsize=0.85 * float(ax.xaxis.label.get_fontsize()),
    )
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
    if len(shape):
        add_legend(ax, ncols=2, markerscale=max(1.0, 4.0 / markersize), handletextpad=0.1)
    return ax


def plot_ring_statistics(statistics: RingStatistics, ax: Axes | None = None) -> Axes:
    """Draw Rc as bars, and Pn, Pmax and Pmin as lines with a scale of their own.

    Parameters
    ----------
    statistics : RingStatistics
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Axes of Rc.
    """
    ax = new_axes(ax)
    # Odd sizes are left out where the network has none.
    there = statistics.rc > 0
    sizes = statistics.sizes[there]
    width = 0.8 * (np.diff(sizes).min() if sizes.size > 1 else 1)
    ax.bar(sizes, statistics.rc[there], width, color="0.8", label="$R_C$ (left)")
    ax.set(xlabel="ring size (atoms)", ylabel=f"$R_C$ (rings per {statistics.per})", xticks=sizes)
    ax.set_ylim(0, 1.25 * statistics.rc.max())
    right = ax.twinx()
    styles = {"pn": ("o-", "$P_N$"), "pmax": ("^-", "$P_{max}$"), "pmin": ("v-", "$P_{min}$")}
    for name, (style, label) in styles.items():
        right.plot(sizes, getattr(statistics, name)[there], style, markersize=4, label=label)
    size = float(ax.yaxis.label.get_fontsize())
    all_of = "atoms" if statistics.per == "atom" else statistics.per
    right.set_ylabel(f"share of {all_of}", fontsize=size)
    right.tick_params(labelsize=ax.yaxis.get_ticklabels()[0].get_fontsize())
    right.set_ylim(0, 1.25)
    handles, labels = (a + b for a, b in zip(
        ax.get_legend_handles_labels(), right.get_legend_handles_labels(), strict=True
    ))  # fmt: skip
    right.legend(
        handles, labels, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False,
        fontsize=0.85 * size, columnspacing=1.0, handlelength=1.4,
    )  # fmt: skip
    return ax


def plot_ring_compaction(
    compaction: RingCompaction,
    ax: Axes | None = None,
    *,
    quantity: str = "radius_of_gyration",
    sizes: Any = None,
) -> Axes:
    """Draw one quantity along a series of models, a line for each ring size.

    Parameters
    ----------
    compaction : RingCompaction
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    quantity : str
        ``"rings_per_former"``, ``"roundness"``, ``"roughness"`` or ``"radius_of_gyration"``.
    sizes : sequence of int, optional
        Ring sizes in network formers, 0 for all rings together; those with more than 1 % of all
        rings when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If the quantity is none of these.
    """
    import matplotlib as mpl

    if quantity not in _NAMES:
        raise ValueError(f"quantity={quantity!r}: must be one of {', '.join(_NAMES)}")
    ax = new_axes(ax)
    if sizes is None:
        counts = compaction.table.groupby("size")["n_rings"].sum()
        sizes = [size for size in counts.index if size > 0 and counts[size] > 0.01 * counts[0]]
    colours = mpl.colormaps["viridis_r"](np.linspace(0.05, 1, max(1, len(sizes))))
    for size, colour in zip(sizes, colours, strict=False):
        rows = compaction.of_size(size)
        ax.errorbar(
            rows["x"], rows[quantity], rows[f"{quantity}_error"], fmt="o-", markersize=3,
            capsize=2, color="black" if size == 0 else colour,
            label="all" if size == 0 else f"$n$ = {size}",
        )  # fmt: skip
    name = _NAMES[quantity]
    if quantity == "rings_per_former" and compaction.formers:
        name = f"rings per {'/'.join(compaction.formers)}"
    ax.set(xlabel=compaction.against, ylabel=name)
    add_legend(ax, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax
