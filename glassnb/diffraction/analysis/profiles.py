"""Rings of patterns: their mean, their variance, and how the intensity changes around them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnb.core.provenance import write_table
from glassnb.diffraction.reductions import RadialProfile
from glassnb.diffraction.result import DiffractionScan

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = [
    "AngularPowerSpectrum",
    "FluctuationVariance",
    "RadialIntensity",
    "angular_power_spectrum",
    "fluctuation_variance",
    "radial_profile",
]

FloatArray = NDArray[np.float64]

VARIANCES = ("ring", "image", "mean")


@dataclass(frozen=True, eq=False, repr=False)
class RadialIntensity:
    """Mean intensity of rings.

    Parameters
    ----------
    k : numpy.ndarray, shape (n_rings,)
        Middle of each ring in 1/Å (k = 1/d; the Q of glassnb.scattering is 2 pi k).
    intensity : numpy.ndarray, shape (n_rings,)
        Mean over the ring and all patterns; NaN in a ring without a pixel.
    patterns : numpy.ndarray, shape (*shape of the scan, n_rings), or None
        Mean over the ring of each pattern, if patterns were kept.
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
        over the number of independent speckles in the ring).
    method : str
        Over what the variance is taken.
    n_patterns : int
        Number of patterns.
    """

    k: FloatArray
    variance: FloatArray
    method: str
    n_patterns: int

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
        write_table(path, self.to_frame(), method=self.method, n_patterns=self.n_patterns)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw V(k).

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

        return plot_curve(self.k, self.variance, "$V(k)$", ax)


@dataclass(frozen=True, eq=False, repr=False)
class AngularPowerSpectrum:
    """How strongly the intensity around a ring repeats n times per turn.

    Parameters
    ----------
    k : numpy.ndarray, shape (n_rings,)
        Radius of each ring in 1/Å (k = 1/d).
    n : numpy.ndarray, shape (n_max + 1,)
        Number of repeats per turn.
    power : numpy.ndarray, shape (*shape of the scan, n_rings, n_max + 1)
        |I_n|²/I_0², where I_n is the Fourier coefficient of the intensity around the ring; for
        n = 0 it is 1.
    """

    k: FloatArray
    n: NDArray[np.int64]
    power: FloatArray

    @property
    def mean(self) -> FloatArray:
        """Mean over all patterns, C(k, n), shape (n_rings, n_max + 1)."""
        return self.power.reshape(-1, *self.power.shape[-2:]).mean(axis=0)

    def to_frame(self) -> pd.DataFrame:
        """Return C(k, n) as a table.

        Returns
        -------
        pandas.DataFrame
            One row per ring, one column per n, index ``k`` in 1/Å.
        """
        import pandas as pd

        return pd.DataFrame(self.mean, index=pd.Index(self.k, name="k"), columns=self.n)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw C(k, n) for n from 1 as a map.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.diffraction_analysis import plot_angular_power

        return plot_angular_power(self, ax)


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
    mean = rings(scan.mean[None], scan.k_x, scan.k_y)[0]
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
        ``"ring"``: over all pixels of a ring and all patterns. ``"image"``: over the patterns at
        each pixel, then averaged around the ring. ``"mean"``: over the patterns of their ring
        means.
    counts_per_electron : float, optional
        Detector counts that one electron makes. The variance of counting is then taken off.

    Returns
    -------
    FluctuationVariance
        V(k).

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

    def around(image: FloatArray) -> FloatArray:
        return rings(image[None], scan.k_x, scan.k_y)[0]

    mean, pixels = around(scan.mean), np.ones(rings.k.size)
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
            variance = flat.var(axis=0) / mean**2
            index = (scan.k / rings.step).astype(int).ravel()
            pixels = np.bincount(index, minlength=mean.size)[: mean.size].astype(float)
        if counts_per_electron is not None:
            variance = variance - counts_per_electron / mean / pixels
    return FluctuationVariance(rings.k, variance, method, scan.n_patterns)


def angular_power_spectrum(
    scan: DiffractionScan,
    *,
    n_max: int = 12,
    step: float | None = None,
    k_range: tuple[float, float] | None = None,
) -> AngularPowerSpectrum:
    """Analyse the intensity around rings into its n-fold parts.

    It is the Fourier transform of the angular correlation <I(phi) I(phi + delta)> of the ring.
    Friedel pairs make the even n; speckle has power at every even n, about 1 over the number of
    speckles in the ring, so compare with :func:`null_scan`.

    Parameters
    ----------
    scan : DiffractionScan
        With its patterns.
    n_max : int
        Largest number of repeats per turn.
    step : float, optional
        Distance of the rings in 1/Å; one pixel when omitted.
    k_range : tuple of float, optional
        First and last radius in 1/Å; from the central disc to the edge when omitted.

    Returns
    -------
    AngularPowerSpectrum
        Of every pattern.

    Raises
    ------
    ValueError
        If a number is out of range or the patterns were not kept.

    References
    ----------
    P. Wochner et al., Proc. Natl. Acad. Sci. USA 106, 11511 (2009).
    """
    if n_max < 1:
        raise ValueError(f"n_max={n_max}: must be at least 1")
    pixel = max(scan.k_x[1] - scan.k_x[0], scan.k_y[1] - scan.k_y[0])
    step = float(pixel) if step is None else step
    low, high = k_range or (max(scan.k_disc, pixel), scan.k_max)
    if not (0 < low < high <= scan.k_max * (1 + 1e-9) and 0 < step <= high - low):
        raise ValueError(
            f"k_range={k_range}, step={step}: must be radii in 1/Å between 0 and "
            f"{scan.k_max:.3f}, and a distance that fits between them"
        )
    k = np.arange(low, high + 1e-9, step)
    # Enough angles for the pixels of the outermost ring and for n_max.
    n_angles = max(int(np.ceil(2 * np.pi * high / pixel)), 4 * n_max)
    angles = 2 * np.pi * np.arange(n_angles) / n_angles
    rows = (k[:, None] * np.cos(angles) - scan.k_x[0]) / (scan.k_x[1] - scan.k_x[0])
    columns = (k[:, None] * np.sin(angles) - scan.k_y[0]) / (scan.k_y[1] - scan.k_y[0])
    polar = _interpolation(rows.ravel(), columns.ravel(), (scan.k_x.size, scan.k_y.size))
    power = np.empty((scan.n_patterns, k.size, n_max + 1))
    for places, block in scan.blocks():
        around = (polar @ block.reshape(len(block), -1).T).T.reshape(len(block), k.size, -1)
        parts = np.abs(np.fft.rfft(around, axis=-1)[..., : n_max + 1]) ** 2
        power[places] = parts / np.maximum(parts[..., :1], np.finfo(float).tiny)
    return AngularPowerSpectrum(k, np.arange(n_max + 1), power.reshape(*scan.shape, k.size, -1))


def _rings(scan: DiffractionScan, step: float | None, k_max: float | None) -> RadialProfile:
    pixel = float(max(scan.k_x[1] - scan.k_x[0], scan.k_y[1] - scan.k_y[0]))
    k_max = scan.k_max if k_max is None else k_max
    if not (np.isfinite(k_max) and 0 < k_max <= scan.k_max + pixel / 2):
        raise ValueError(f"k_max={k_max}: must be in 1/Å, at most {scan.k_max:.3f} in this scan")
    return RadialProfile(pixel if step is None else step, k_max)


def _interpolation(rows: FloatArray, columns: FloatArray, shape: tuple[int, int]) -> Any:
    """Return the sparse matrix of bilinear interpolation from pixels to places."""
    from scipy.sparse import csr_matrix

    i = np.clip(np.floor(rows).astype(int), 0, shape[0] - 2)
    j = np.clip(np.floor(columns).astype(int), 0, shape[1] - 2)
    x, y = rows - i, columns - j
    corners = [i * shape[1] + j, i * shape[1] + j + 1]
    corners += [corner + shape[1] for corner in corners]
    weights = [(1 - x) * (1 - y), (1 - x) * y, x * (1 - y), x * y]
    places = np.tile(np.arange(rows.size), 4)
    entries = (np.concatenate(weights), (places, np.concatenate(corners)))
    return csr_matrix(entries, shape=(rows.size, shape[0] * shape[1]))
