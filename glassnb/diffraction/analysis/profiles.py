"""Rings of patterns: their mean and their variance."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassnb.core.callers import warn
from glassnb.core.provenance import write_table
from glassnb.diffraction.analysis.noise import holds_negatives
from glassnb.diffraction.counts import mean_of
from glassnb.diffraction.reductions import RadialProfile
from glassnb.diffraction.result import DiffractionScan

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = [
    "FluctuationVariance",
    "RadialIntensity",
    "fluctuation_variance",
    "radial_profile",
]

FloatArray = NDArray[np.float64]

# Symbols and names after Daulton et al. (2010), who compare them.
VARIANCES = {
    "ring": (r"V_\mathrm{re}(k)", "normalised variance of the ring ensemble"),
    "image": (r"\Omega_V(k)", "annular mean of the variance image"),
    "mean": (r"V_\Omega(k)", "normalised variance of the annular mean"),
}


@dataclass(frozen=True, eq=False, repr=False)
class RadialIntensity:
    """Mean intensity of rings.

    Parameters
    ----------
    k : numpy.ndarray, shape (n_rings,)
        Middle of each ring in 1/Å (k = 1/d; the Q of glassnb.scattering is 2 pi k).
    intensity : numpy.ndarray, shape (n_rings,)
        Mean over the ring and all patterns; NaN in a ring without a pixel, or all of it masked.
    patterns : numpy.ndarray, shape (*shape of the scan, n_rings), or None
        Mean over the ring of each pattern, if patterns were kept; NaN likewise.
    """

    k: FloatArray
    intensity: FloatArray
    patterns: FloatArray | None

    def to_frame(self) -> pd.DataFrame:
        """Return the profile as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``k`` (1/Å) and ``intensity``.
        """
        import pandas as pd

        return pd.DataFrame({"k": self.k, "intensity": self.intensity})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the profile as comma-separated text.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        write_table(path, self.to_frame())

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the profile.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.diffraction_analysis import plot_curve

        return plot_curve(self.k, self.intensity, "mean intensity", ax)


@dataclass(frozen=True, eq=False, repr=False)
class FluctuationVariance:
    """Normalised variance V(k) of the intensity of rings.

    Parameters
    ----------
    k : numpy.ndarray, shape (n_rings,)
        Middle of each ring in 1/Å (k = 1/d).
    variance : numpy.ndarray, shape (n_rings,)
        V(k): 0 where all patterns are equal, 1 for fully developed speckle (for ``"mean"``, 1
        over the number of independent speckles in the ring). NaN where all of a ring is masked.
    method : str
        Over what the variance is taken: ``"ring"``, ``"image"`` or ``"mean"``.
    n_patterns : int
        Number of patterns.
    """

    k: FloatArray
    variance: FloatArray
    method: str
    n_patterns: int

    def __repr__(self) -> str:
        """Say which of the kinds of V(k) it is."""
        return (
            f"FluctuationVariance({self.method}: {self.variant}, {self.n_patterns} patterns, "
            f"{self.k.size} rings)"
        )

    @property
    def variant(self) -> str:
        """Name of this kind of V(k) after Daulton et al. (2010)."""
        return VARIANCES[self.method][1]

    def to_frame(self) -> pd.DataFrame:
        """Return V(k) as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``k`` (1/Å) and ``variance``.
        """
        import pandas as pd

        return pd.DataFrame({"k": self.k, "variance": self.variance})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write V(k) as comma-separated text.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        write_table(
            path, self.to_frame(),
            method=self.method, variant=self.variant, n_patterns=self.n_patterns,
        )  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw V(k); the axis says of which kind it is.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.diffraction_analysis import plot_curve

        label = f"${VARIANCES[self.method][0]}$\n{self.variant}"
        return plot_curve(self.k, self.variance, label, ax)


def radial_profile(
    scan: DiffractionScan, *, step: float | None = None, k_max: float | None = None
) -> RadialIntensity:
    """Average the patterns over rings.

    Parameters
    ----------
    scan : DiffractionScan
        Patterns, or their mean alone.
    step : float, optional
        Width of the rings in 1/Å; one pixel when omitted.
    k_max : float, optional
        Outer radius in 1/Å; that of the largest whole ring when omitted.

    Returns
    -------
    RadialIntensity
        The mean profile and those of the patterns.

    Raises
    ------
    ValueError
        If the rings leave the pattern or are wider than it.
    """
    rings = _rings(scan, step, k_max)
    mean = _around(scan, rings, scan.mean)
    if scan.patterns is None:
        return RadialIntensity(rings.k, mean, None)
    profiles = np.empty((scan.n_patterns, rings.k.size))
    for places, block in scan.blocks():
        profiles[places] = rings(block, scan.k_x, scan.k_y)
    return RadialIntensity(rings.k, mean, profiles.reshape(*scan.shape, -1))


def fluctuation_variance(
    scan: DiffractionScan,
    *,
    step: float | None = None,
    k_max: float | None = None,
    method: str = "ring",
    counts_per_electron: float | None = None,
) -> FluctuationVariance:
    """Measure how much the intensity varies from place to place, V(k) = <I²>/<I>² - 1.

    Parameters
    ----------
    scan : DiffractionScan
        Patterns, or what was kept of them; ``"mean"`` needs the patterns.
    step : float, optional
        Width of the rings in 1/Å; one pixel when omitted.
    k_max : float, optional
        Outer radius in 1/Å; that of the largest whole ring when omitted.
    method : str
        ``"ring"``: over all pixels of a ring and all patterns, the normalised variance of the ring
        ensemble V_re(k) of Daulton et al. ``"image"``: over the patterns at each pixel, then
        averaged around the ring, the annular mean of the variance image Omega_V(k). ``"mean"``:
        over the patterns of their ring means, the normalised variance of the annular mean
        V_Omega(k), lower by about the number of speckles in a ring. Published V(k) are of any of
        these kinds: compare like with like.
    counts_per_electron : float, optional
        Detector counts that one electron makes. The variance of counting is then taken off.

    Returns
    -------
    FluctuationVariance
        V(k); NaN where the mean of a ring is not above 0. Where it is not above the noise that
        negative counts tell (twice the mean of their squares is that of the noise), a warning.

    Raises
    ------
    ValueError
        If the method is unknown, a number is out of range, or patterns are needed and missing.

    References
    ----------
    M. M. J. Treacy and J. M. Gibson, Acta Cryst. A 52, 212 (1996); for the kinds of average
    T. L. Daulton et al., Ultramicroscopy 110, 1279 (2010).
    """
    if method not in VARIANCES:
        raise ValueError(f"method={method!r}: must be one of {', '.join(VARIANCES)}")
    if counts_per_electron is not None and not (
        np.isfinite(counts_per_electron) and counts_per_electron > 0
    ):
        raise ValueError(f"counts_per_electron={counts_per_electron}: must be positive")
    rings = _rings(scan, step, k_max)
    around = partial(_around, scan, rings)
    mean, pixels = around(scan.mean), np.ones(rings.k.size)
    _warn_of_noise(scan, rings, mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "ring":
            variance = around(scan.mean_square) / mean**2 - 1
        elif method == "image":
            variance = around(scan.mean_square / scan.mean**2) - 1
        else:
            profiles = radial_profile(scan, step=step, k_max=k_max).patterns
            if profiles is None:
                next(scan.blocks())  # says what is missing
            assert profiles is not None
            flat = profiles.reshape(scan.n_patterns, -1)
            mean = mean_of(flat)
            variance = mean_of((flat - mean) ** 2) / mean**2
            index = (scan.k / rings.step).astype(int).ravel()
            pixels = np.bincount(index, scan.seen.ravel(), mean.size)[: mean.size].astype(float)
        if counts_per_electron is not None:
            variance = variance - counts_per_electron / mean / pixels
        variance = np.where(mean > 0, variance, np.nan)
    return FluctuationVariance(rings.k, variance, method, scan.n_patterns)


def _warn_of_noise(scan: DiffractionScan, rings: RadialProfile, mean: FloatArray) -> None:
    """Warn where a ring is not above the noise that its negative counts tell."""
    if not holds_negatives(scan):
        return
    below = [rings(np.minimum(block, 0) ** 2, scan.k_x, scan.k_y) for _, block in scan.blocks()]
    noise = np.sqrt(2 * mean_of(*below))
    lost = np.flatnonzero((noise > 0) & (mean <= noise))
    if lost.size:
        first = lost[0]
        warn(
            f"scan: in {lost.size} of {mean.size} rings, the first at {rings.k[first]:.3f} 1/Å, "
            f"the mean, {mean[first]:.3g} there, is not above the noise of a pixel, "
            f"{noise[first]:.3g} by the negative counts, and V(k) is that of the noise; do not "
            "subtract the dark level, average patterns, or choose a smaller k_max"
        )


def _around(scan: DiffractionScan, rings: RadialProfile, image: FloatArray) -> FloatArray:
    """Average an image over rings, each pixel by the share of the patterns in which it is seen."""
    seen = scan.seen
    weighted = np.stack([np.where(seen > 0, image * seen, 0), seen])
    sums, weights = rings(weighted, scan.k_x, scan.k_y)
    with np.errstate(invalid="ignore"):
        return sums / weights


def _rings(scan: DiffractionScan, step: float | None, k_max: float | None) -> RadialProfile:
    pixel = float(max(scan.k_x[1] - scan.k_x[0], scan.k_y[1] - scan.k_y[0]))
    k_max = scan.k_max if k_max is None else k_max
    if not (np.isfinite(k_max) and 0 < k_max <= scan.k_max + pixel / 2):
        raise ValueError(f"k_max={k_max}: must be in 1/Å, at most {scan.k_max:.3f} in this scan")
    return RadialProfile(pixel if step is None else step, k_max)
