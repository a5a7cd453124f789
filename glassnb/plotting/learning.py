"""Pictures of what is learned on persistence diagrams, and of crystals that resemble a glass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnb.plotting.figures import add_legend, new_axes
from glassnb.plotting.topology import plot_persistence_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.topology.embedding import Embedding
    from glassnb.topology.learned import Learned
    from glassnb.topology.nearest import NearestCrystals

__all__ = [
    "plot_coefficient_map",
    "plot_crystal_diagram",
    "plot_embedding",
    "plot_learned",
    "plot_nearest_crystals",
]

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_KINDS = {"polymorph": "#D55E00", "framework": "#0072B2"}
_AREA = 30.0  # square points for one pair per SiO2


def plot_learned(
    learned: Learned, ax: Axes | None = None, *, labels: Sequence[str] | None = None, **options: Any
) -> Axes:
    """Draw structures by their scores, coloured by the target.

    Parameters
    ----------
    learned : Learned
        What to draw. Principal components: the first two. Ridge regression: predictions of
        structures not seen against the target. Logistic regression: decision functions of
        structures not seen, by class.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    labels : sequence of str, optional
        A name for each structure, written beside it.
    **options
        Passed on to ``Axes.scatter``.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If there is not one label for each structure.
    """
    n = len(learned.scores)
    if labels is not None and len(labels) != n:
        raise ValueError(f"labels: {len(labels)} for {n} structures; give one for each")
    ax = new_axes(ax)
    if learned.model == "ridge":
        points = np.column_stack([np.asarray(learned.target, dtype=float), learned.predictions])
        ends = points.min(), points.max()
        ax.plot(ends, ends, color="0.6", lw=0.6, zorder=0)
        names = "target", "prediction, not seen"
        style: dict[str, Any] = {"s": 22, "color": _COLOURS[0]}
        ax.scatter(*points.T, **(style | options))
        ax.set_title(f"R² {learned.score:.3f}", fontsize=ax.xaxis.label.get_fontsize())
    elif learned.model == "logistic":
        points, names = _draw_classes(learned, ax, options)
    else:
        assert learned.explained_variance is not None
        shares = learned.explained_variance
        points = learned.scores[:, :2]
        names = f"PC1 ({shares[0]:.0%})", "structure"
        if points.shape[1] == 1:
            points = np.column_stack([points, np.arange(n)])
        else:
            names = names[0], f"PC2 ({shares[1]:.0%})"
        _scatter(ax, points, learned.target, options)
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.margins(0.12)
    _write(ax, points, labels)
    return ax


def plot_coefficient_map(
    learned: Learned, ax: Axes | None = None, *, component: int | str = 0, **options: Any
) -> Axes:
    """Draw coefficients on the diagram, and outline where they are large.

    Parameters
    ----------
    learned : Learned
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    component : int or str
        Row of the coefficients, or its name.
    **options
        Passed on to ``Axes.pcolormesh``.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn: red where pairs raise the score, blue where they lower it.
    """
    plane = learned.coefficient_map(component)
    vector = plane[learned.image.mask]
    top = float(np.abs(vector).max()) or 1.0
    style: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -top, "vmax": top}
    ax = plot_persistence_image(learned.image, ax, vector, **(style | options))
    middles = (learned.image.edges[:-1] + learned.image.edges[1:]) / 2
    region = learned.region(component=component).astype(float)
    if region.any() and not region.all():
        ax.contour(middles, middles, region, levels=[0.5], colors="k", linewidths=0.7)
    name = component if isinstance(component, str) else learned.names[component]
    ax.child_axes[-1].set_ylabel("coefficient" if name == "target" else f"coefficient of {name}")
    return ax


def plot_embedding(
    embedding: Embedding,
    ax: Axes | None = None,
    *,
    target: ArrayLike | None = None,
    show: Sequence[str] | None = None,
    **options: Any,
) -> Axes:
    """Draw a map of structures.

    Parameters
    ----------
    embedding : Embedding
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    target : array_like, shape (n_structures,), optional
        Classes or numbers for the colours.
    show : sequence of str, optional
        Labels to write; all when omitted.
    **options
        Passed on to ``Axes.scatter``.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If there is one axis alone, not one target for each structure, or a label is unknown.
    """
    n, dimensions = embedding.coordinates.shape
    if dimensions < 2:
        raise ValueError("embedding: has one axis alone; use embed(..., n_components=2) for a map")
    unknown = [name for name in show or () if name not in embedding.labels]
    if unknown:
        raise ValueError(f"show: {', '.join(unknown)} are not among the labels of the embedding")
    given = None if target is None else np.asarray(target)
    if given is not None and given.shape != (n,):
        raise ValueError(f"target: has shape {given.shape} for {n} structures; give one for each")
    ax = new_axes(ax)
    points = embedding.coordinates[:, :2]
    _scatter(ax, points, given, options)
    ax.set(xlabel="axis 1", ylabel="axis 2", aspect="equal")
    ax.set_adjustable("datalim")
    ax.margins(0.12)
    if embedding.labels:
        wanted = embedding.labels if show is None else show
        _write(ax, points, [name if name in wanted else "" for name in embedding.labels])
    return ax


def plot_nearest_crystals(
    nearest: NearestCrystals, ax: Axes | None = None, *, by: str = "total", **options: Any
) -> Axes:
    """Draw the crystals that a structure resembles most.

    Parameters
    ----------
    nearest : NearestCrystals
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    by : str
        ``"total"`` for the distances of whole diagrams, ``"local"`` for shares of pairs.
    **options
        Passed on to ``Axes.barh``.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn; beside each bar the density.
    """
    table = nearest.to_frame()
    column = "distance" if by == "total" else "share"
    if by != "total":
        table = table.sort_values("share", ascending=False, kind="stable")
    table = table.head(nearest.k)
    ax = new_axes(ax)
    values = table[column].to_numpy() * (1 if by == "total" else 100)
    colours = [_KINDS.get(kind, "#009E73") for kind in table["kind"]]
    rows = np.arange(len(table))
    style: dict[str, Any] = {"color": colours, "height": 0.7}
    ax.barh(rows, values, **(style | options))
    for row, value, density in zip(rows, values, table["density"], strict=True):
        ax.annotate(
            f"{density:.2f} g/cm³", (value, row), (3, 0), textcoords="offset points",
            va="center", fontsize=0.85 * float(ax.xaxis.label.get_fontsize()),
        )  # fmt: skip
    ax.set_yticks(rows, table["name"])
    ax.set(
        ylim=(len(table) - 0.4, -0.6),
        xlim=(0, 1.35 * max(float(values.max(initial=0.0)), 1e-12)),
        xlabel="distance (Å² per SiO$_2$)" if by == "total" else "share of pairs (%)",
    )
    for kind in dict.fromkeys(table["kind"]):
        ax.bar(0, 0, color=_KINDS.get(kind, "#009E73"), label=kind)
    if len(set(table["kind"])) > 1:
        add_legend(ax, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return ax


def plot_crystal_diagram(
    pairs: NDArray[np.float64],
    multiplicities: NDArray[np.float64],
    ax: Axes | None = None,
    **options: Any,
) -> Axes:
    """Draw the pairs of a crystal as points whose area tells how many there are.

    Parameters
    ----------
    pairs : ndarray, shape (n, 2)
        Births and deaths in Å².
    multiplicities : ndarray, shape (n,)
        Number of each per SiO2.
    ax : matplotlib.axes.Axes, optional
        Where to draw, such as over the diagram of a glass; a new figure when omitted.
    **options
        Passed on to ``Axes.scatter``.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    fresh = ax is None
    ax = new_axes(ax)
    style: dict[str, Any] = {"facecolors": "none", "edgecolors": "#D55E00", "linewidths": 0.9}
    style["s"] = _AREA * multiplicities
    ax.scatter(*np.reshape(pairs, (-1, 2)).T, **(style | options))
    if fresh:
        low = min(0.0, float(np.min(pairs, initial=0.0)))
        high = 1.05 * float(np.max(pairs, initial=1.0))
        ax.plot((low, high), (low, high), color="0.3", lw=0.6, zorder=0)
        ax.set(xlim=(low, high), ylim=(low, high), aspect="equal")
        ax.set(xlabel="birth (Å²)", ylabel="death (Å²)")
    if "label" in options:
        add_legend(ax, loc="lower right")
    return ax


def _scatter(
    ax: Axes, points: NDArray[np.float64], target: NDArray[Any] | None, options: dict[str, Any]
) -> None:
    """Draw points: one colour, a colour for each class, or a scale of colours for numbers."""
    style: dict[str, Any] = {"s": 22, "color": _COLOURS[0]}
    if target is None:
        ax.scatter(*points.T, **(style | options))
        return
    if target.dtype.kind in "iuf":
        style = {"s": 22, "c": target, "cmap": "viridis"}
        drawn = ax.scatter(*points.T, **(style | options))
        bar = ax.figure.colorbar(drawn, cax=ax.inset_axes((1.04, 0.0, 0.05, 1.0)))
        bar.ax.tick_params(labelsize=ax.yaxis.get_ticklabels()[0].get_fontsize())
        return
    for k, name in enumerate(np.unique(target)):
        style |= {"color": _COLOURS[k % len(_COLOURS)], "label": name}
        ax.scatter(*points[target == name].T, **(style | options))
    add_legend(ax)


def _draw_classes(
    learned: Learned, ax: Axes, options: dict[str, Any]
) -> tuple[NDArray[np.float64], tuple[str, str]]:
    """Draw decision functions of two classes in lines, those of more as the first two."""
    assert learned.classes is not None
    held_out = learned.held_out_scores
    classes = np.asarray(learned.target).astype(str)
    if held_out.shape[1] > 1:
        points = held_out[:, :2]
        names = f"decision for {learned.names[0]}", f"decision for {learned.names[1]}"
    else:
        lines = np.searchsorted(learned.classes, np.asarray(learned.target))
        points = np.column_stack([held_out[:, 0], lines])
        names = f"decision for {learned.names[0]}, not seen", ""
        ax.axvline(0, color="0.6", lw=0.6, zorder=0)
        ax.set_yticks([0, 1], list(map(str, learned.classes)))
    for k, name in enumerate(map(str, learned.classes)):
        style: dict[str, Any] = {"s": 22, "color": _COLOURS[k % len(_COLOURS)], "label": name}
        ax.scatter(*points[classes == name].T, **(style | options))
    if held_out.shape[1] > 1:
        add_legend(ax)
    ax.set_title(f"accuracy {learned.score:.3f}", fontsize=ax.xaxis.label.get_fontsize())
    return points, names


def _write(ax: Axes, points: NDArray[np.float64], labels: Sequence[str] | None) -> None:
    """Write a name beside each point, with a rim that sets it off from the others."""
    from matplotlib.patheffects import withStroke

    size = 0.85 * float(ax.xaxis.label.get_fontsize())
    left, right = points[:, 0].min(), points[:, 0].max()
    for point, label in zip(points, labels or (), strict=False):
        if label:
            late = point[0] > left + 0.75 * (right - left)  # it would run out of the picture
            ax.annotate(
                label, point, (-3 if late else 3, 3), textcoords="offset points", fontsize=size,
                ha="right" if late else "left",
                path_effects=[withStroke(linewidth=2.0, foreground="white")], zorder=5,
            )  # fmt: skip
