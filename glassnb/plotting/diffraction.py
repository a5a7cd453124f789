"""Pictures of electron diffraction: beams and patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glassnb.plotting.figures import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from glassnb.diffraction import Probe

__all__ = ["plot_pattern", "plot_probe"]


def plot_probe(probe: Probe, ax: Axes | None = None) -> Axes:
    """Draw the profile of a beam, with its width.

    Parameters
    ----------
    probe : Probe
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    r = np.linspace(-1.5, 1.5, 601) * probe.fwhm
    profile = probe.intensity(np.abs(r))
    ax.plot(r, profile)
    half = profile.max() / 2
    ax.annotate(
        "", (-probe.fwhm / 2, half), (probe.fwhm / 2, half), arrowprops={"arrowstyle": "<->"}
    )
    ax.text(0, half, f"{probe.fwhm:.2f} Å", ha="center", va="bottom")
    ax.set(xlabel="$r$ (Å)", ylabel="current density (Å$^{-2}$)", xlim=(r[0], r[-1]))
    ax.set_ylim(bottom=0)
    return ax


def plot_pattern(
    pattern: NDArray[Any],
    k_x: NDArray[np.float64],
    k_y: NDArray[np.float64],
    ax: Axes | None = None,
    *,
    k_disc: float = 0.0,
) -> Axes:
    """Draw a diffraction pattern.

    Parameters
    ----------
    pattern : numpy.ndarray, shape (n_k_x, n_k_y)
        Intensities; NaN stays blank.
    k_x, k_y : numpy.ndarray
        Wave numbers of the pixels in 1/Å.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    k_disc : float
        Radius of the central disc in 1/Å; grey runs over what lies outside of it.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.
    """
    ax = new_axes(ax)
    pattern = np.asarray(pattern, dtype=float)
    seen = ~np.isnan(pattern)
    outside = pattern[seen & (np.hypot(k_x[:, None], k_y) > k_disc)]
    # A few bright pixels shall not darken the rest.
    top = float(np.quantile(outside, 0.999)) if outside.size else pattern[seen].max(initial=0.0)
    half = [(k[1] - k[0]) / 2 if k.size > 1 else 0.5 for k in (k_x, k_y)]
    ax.imshow(
        pattern.T,
        origin="lower",
        cmap="gray",
        vmin=0,
        vmax=top or None,
        extent=(k_x[0] - half[0], k_x[-1] + half[0], k_y[0] - half[1], k_y[-1] + half[1]),
        interpolation="nearest",
    )
    ax.set(xlabel="$k_x$ (Å$^{-1}$)", ylabel="$k_y$ (Å$^{-1}$)", aspect="equal")
    return ax
