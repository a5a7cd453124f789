"""Pictures of what was found in diffraction patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnb.plotting.figures import add_legend, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.diffraction.analysis import (
        AngularPowerSpectrum,
        DepthPersistence,
        PairedSpots,
        QuasiLatticePlanes,
        SpotPersistence,
        SpotSignificance,
    )

__all__ = [
    "plot_angular_power",
    "plot_curve",
    "plot_depth_persistence",
    "plot_image",
    "plot_map",
    "plot_paired_spots",
    "plot_persistence",
    "plot_planes",
    "plot_significance",
    "plot_strengths",
]

FloatArray = NDArray[np.float64]

_K = "$k$ (Å$^{-1}$)"


def plot_curve(k: FloatArray, values: FloatArray, label: str, ax: Axes | None = None) -> Axes:
    """Draw values against the wave number.

    Parameters
    ----------
    k : numpy.ndarray
        Wave numbers in 1/Å.
    values : numpy.ndarray
        The values.
    label : str
        What they are.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    ax.plot(k, values)
    ax.set(xlabel=_K, ylabel=label, xlim=(0, float(k[-1])))
    return ax


def plot_image(image: FloatArray, k_x: FloatArray, k_y: FloatArray, ax: Axes | None = None) -> Axes:
    """Draw an image of reciprocal space.

    Parameters
    ----------
    image : numpy.ndarray, shape (n_k_x, n_k_y)
        The image; NaN stays empty.
    k_x, k_y : numpy.ndarray
        Wave numbers of the pixels in 1/Å.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    ax.pcolormesh(k_x, k_y, image.T, cmap="inferno", shading="nearest", rasterized=True)
    ax.set(xlabel="$k_x$ (Å$^{-1}$)", ylabel="$k_y$ (Å$^{-1}$)", aspect="equal")
    return ax


def plot_map(
    values: NDArray[Any],
    positions: FloatArray,
    label: str,
    ax: Axes | None = None,
    **options: Any,
) -> Axes:
    """Draw a value at each position of the beam; of several orientations, the first.

    Parameters
    ----------
    values : numpy.ndarray, shape of the scan
        The values.
    positions : numpy.ndarray, shape (n_positions, 2)
        Of the beam in Å.
    label : str
        What the values are.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    **options
        Passed on to the drawing function.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    shown = values.reshape(-1, len(positions))[0]
    shape = values.shape[-2:]
    if values.ndim >= 2 and np.prod(shape) == len(positions):
        grid = positions.reshape(*shape, 2)
        x, y = grid[:, 0, 0], grid[0, :, 1]
        image = shown.reshape(shape).T
        drawn: Any = ax.pcolormesh(x, y, image, shading="nearest", rasterized=True, **options)
    else:
        drawn = ax.scatter(positions[:, 0], positions[:, 1], c=shown, **options)
    ax.figure.colorbar(drawn, ax=ax, label=label)
    ax.set(xlabel="$x$ (Å)", ylabel="$y$ (Å)", aspect="equal")
    return ax


def plot_angular_power(spectrum: AngularPowerSpectrum, ax: Axes | None = None) -> Axes:
    """Draw C(k, n) as a map.

    Parameters
    ----------
    spectrum : AngularPowerSpectrum
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    drawn = ax.pcolormesh(
        spectrum.n[1:], spectrum.k, spectrum.mean[:, 1:], shading="nearest", rasterized=True
    )
    ax.figure.colorbar(drawn, ax=ax, label="$C(k, n)$")
    ax.set(xlabel="repeats per turn $n$", ylabel=_K)
    return ax


def plot_paired_spots(spots: PairedSpots, ax: Axes | None = None) -> Axes:
    """Draw where pairs of spots are, with their strength.

    Parameters
    ----------
    spots : PairedSpots
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    x, y = np.concatenate([[spots.k_x, spots.k_y], [-spots.k_x, -spots.k_y]], axis=1)
    drawn = ax.scatter(x, y, c=np.tile(spots.strength, 2), s=6)
    ax.figure.colorbar(drawn, ax=ax, label="strength of the pair")
    turn = np.linspace(0, 2 * np.pi, 200)
    for radius in spots.k_range:
        ax.plot(radius * np.cos(turn), radius * np.sin(turn), color="0.7", lw=0.6, zorder=0)
    ax.set(xlabel="$k_x$ (Å$^{-1}$)", ylabel="$k_y$ (Å$^{-1}$)", aspect="equal")
    return ax


def plot_significance(
    result: SpotSignificance, ax: Axes | None = None, *, level: float = 0.05
) -> Axes:
    """Draw a map of p-values; patterns that mean something are ringed.

    Parameters
    ----------
    result : SpotSignificance
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    level : float
        Accepted share of false discoveries.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    positions = result.spots.positions
    shown = -np.log10(result.p_values)
    ax = plot_map(shown, positions, r"$-\log_{10} p$", ax, cmap="Blues", vmin=0)
    found = result.significant(level).reshape(-1, len(positions))[0]
    ax.plot(
        *positions[found].T, "o", mfc="none", color="C1", label=f"{level:.0%} false discoveries"
    )
    if found.any():
        add_legend(ax, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def plot_strengths(result: SpotSignificance, ax: Axes | None = None) -> Axes:
    """Draw how strong the strongest pairs are, in the scan and by chance.

    Parameters
    ----------
    result : SpotSignificance
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    strength = result.strength[~np.isnan(result.strength)]
    top = max(float(strength.max()), float(result.null_strength.max()))
    bins = np.linspace(0, top, 40).tolist()
    ax.hist(result.null_strength, bins, density=True, color="0.8", label=f"null: {result.null}")
    ax.hist(strength, bins, density=True, histtype="step", label="scan")
    ax.set(xlabel="strongest pair of a pattern", ylabel="probability density")
    add_legend(ax)
    return ax


def plot_persistence(result: SpotPersistence, ax: Axes | None = None) -> Axes:
    """Draw the strength of a pair against the shift of the beam, with what chance makes.

    Parameters
    ----------
    result : SpotPersistence
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    return _plot_course(result.shift, result, "shift of the beam (Å)", ax)


def plot_depth_persistence(result: DepthPersistence, ax: Axes | None = None) -> Axes:
    """Draw the strength of a pair against the thickness of the sub-slab, with what chance makes.

    Parameters
    ----------
    result : DepthPersistence
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = _plot_course(result.depth, result, "thickness of the sub-slab (Å)", ax)
    ax.axvline(result.coherence_length, color="C0", lw=0.8, ls=":")
    return ax


def _plot_course(
    x: FloatArray, result: SpotPersistence | DepthPersistence, label: str, ax: Axes | None
) -> Axes:
    ax = new_axes(ax)
    ax.fill_between(x, result.null_mean, result.null_high, color="0.85", lw=0)
    ax.plot(x, result.null_mean, color="0.5", label="strongest by chance, mean to 95 %")
    ax.plot(x, result.strength, "o-", ms=3, label="this pair")
    ax.axhline(1, color="0.7", lw=0.6, zorder=0)
    ax.set(xlabel=label, ylabel="strength of the pair")
    ax.set_ylim(bottom=0)
    add_legend(ax)
    return ax


def plot_planes(planes: QuasiLatticePlanes, ax: Axes | None = None) -> Axes:
    """Draw atoms as the beam sees them, coloured by the density of the wave.

    Parameters
    ----------
    planes : QuasiLatticePlanes
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    order = np.argsort(planes.amplitude)
    x, y, _ = planes.atoms.positions[order].T
    largest = float(planes.amplitude.max()) or 1.0
    size = 1 + 14 * (planes.amplitude[order] / largest) ** 2
    drawn = ax.scatter(
        x, y, c=planes.wave[order], s=size, cmap="RdBu_r", vmin=-largest, vmax=largest
    )
    ax.figure.colorbar(drawn, ax=ax, label="density of the wave / mean density")
    ax.set(xlabel="$x$ (Å)", ylabel="$y$ (Å)", aspect="equal")
    return ax
