"""Pictures of persistence diagrams and persistence images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from glassnb.plotting.figures import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.topology import PersistenceDiagrams, PersistenceImage

__all__ = ["plot_persistence_diagram", "plot_persistence_image"]


def plot_persistence_diagram(
    diagrams: PersistenceDiagrams,
    dimension: int = 1,
    ax: Axes | None = None,
    *,
    limits: tuple[float, float] | None = None,
    bins: int = 128,
    per_atom: bool = True,
    **options: Any,
) -> Axes:
    """Draw how many pairs there are, by birth and death, on a logarithmic scale of colours.

    Parameters
    ----------
    diagrams : PersistenceDiagrams
        What to draw.
    dimension : int
        0, 1 or 2.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    limits : tuple of float, optional
        Range of both axes in Å²; when omitted, one that holds what is not short-lived.
    bins : int
        Number of bins along each axis.
    per_atom : bool
        Whether to divide by the number of atoms of the (sub-)structure.
    **options
        Passed on to ``Axes.pcolormesh``.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If there is no such dimension, or ``limits`` or ``bins`` is out of range.
    """
    from matplotlib.colors import LogNorm

    pairs = diagrams.pairs(dimension)
    if limits is None:
        limits = _range(pairs)
    low, high = limits
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"limits={limits!r}: must be lowest and highest value in Å²")
    if bins < 1:
        raise ValueError(f"bins={bins}: must be 1 or more")
    edges = np.linspace(low, high, int(bins) + 1)
    counts, _, _ = np.histogram2d(pairs[:, 1], pairs[:, 0], bins=(edges, edges))
    unit = 1 / diagrams.n_atoms if per_atom else 1.0
    ax = new_axes(ax)
    style: dict[str, Any] = {
        "cmap": "viridis",
        "norm": LogNorm(unit, unit * max(10.0, counts.max())),
        "rasterized": True,
    }
    shown = np.ma.masked_equal(counts * unit, 0)
    image = ax.pcolormesh(edges, edges, shown, **(style | options))
    species = diagrams.complex.species
    atom = f"{species[0]} atom" if len(species) == 1 else "atom"
    _finish(ax, image, (low, high), f"pairs per {atom}" if per_atom else "pairs")
    return ax


def plot_persistence_image(
    image: PersistenceImage, ax: Axes | None = None, vector: ArrayLike | None = None, **options: Any
) -> Axes:
    """Draw a persistence image, or a vector of its kind: red is positive, blue negative.

    Parameters
    ----------
    image : PersistenceImage
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    vector : array_like, shape (n_pixels,), optional
        Drawn in place of the image's own vector, such as the coefficients of a model.
    **options
        Passed on to ``Axes.pcolormesh``.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If the vector has another length.
    """
    plane = image.plane if vector is None else image.to_plane(vector)
    top = float(np.nanmax(np.abs(plane), initial=0.0)) or 1.0
    style: dict[str, Any] = {"rasterized": True, "cmap": "viridis", "vmin": 0.0, "vmax": top}
    if (plane < 0).any():
        style |= {"cmap": "RdBu_r", "vmin": -top}
    ax = new_axes(ax)
    edges = image.edges
    drawn = ax.pcolormesh(edges, edges, np.ma.masked_invalid(plane), **(style | options))
    _finish(ax, drawn, image.limits, "intensity" if vector is None else "value")
    return ax


def _range(pairs: Any) -> tuple[float, float]:
    """Return a round range that holds nearly all pairs which are not short-lived."""
    if not len(pairs):
        return 0.0, 1.0
    lives = pairs[:, 1] - pairs[:, 0]
    lasting = pairs[lives >= 0.05 * lives.max()]
    low, high = float(np.quantile(pairs[:, 0], 0.001)), float(np.quantile(lasting[:, 1], 0.999))
    step = 10.0 ** np.floor(np.log10(max(high - low, 1e-3))) / 2
    first, last = step * np.floor(low / step - 0.1), step * np.ceil(high / step + 0.1)
    return (0.0 if 0 <= low < 0.5 * high else float(first)), float(last)


def _finish(ax: Axes, image: Any, limits: tuple[float, float], label: str) -> None:
    """Draw the diagonal, name the axes, and add a bar of colours as high as the picture."""
    from matplotlib.ticker import MaxNLocator

    ax.plot(limits, limits, color="0.3", lw=0.6)
    ax.set(
        xlim=limits, ylim=limits, aspect="equal", xlabel="birth (Å²)", ylabel="death (Å²)"
    )  # fmt: skip
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.04, 0.0, 0.05, 1.0)))
    bar.set_label(label, fontsize=ax.yaxis.label.get_fontsize())
    bar.ax.tick_params(labelsize=ax.yaxis.get_ticklabels()[0].get_fontsize())
