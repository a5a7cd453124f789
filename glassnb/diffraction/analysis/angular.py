"""How the intensity changes around the rings of patterns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnb.diffraction.analysis.ring import TOUCHES
from glassnb.diffraction.counts import mean_of
from glassnb.diffraction.result import DiffractionScan

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["AngularPowerSpectrum", "angular_power_spectrum"]

FloatArray = NDArray[np.float64]


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
        n = 0 it is 1. Estimated from a part of a ring that is masked, it may fall below 0.
    """

    k: FloatArray
    n: NDArray[np.int64]
    power: FloatArray

    @property
    def mean(self) -> FloatArray:
        """Mean over all patterns in which it is known, C(k, n), shape (n_rings, n_max + 1)."""
        return mean_of(self.power.reshape(-1, *self.power.shape[-2:]))

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
    speckles in the ring, so compare with :func:`null_scan`. Where a part of a ring is masked, the
    correlation is the mean over the pairs of angles that are both seen; of a ring in which some
    distance of angles has no such pair the power is NaN. That estimate is unbiased only over many
    random orientations: of a single textured pattern it may be off by a factor of two.

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
        flat = block.reshape(len(block), -1).T
        hidden = np.isnan(flat)

        def around(pixels: NDArray[Any]) -> FloatArray:
            return (polar @ pixels).T.reshape(-1, k.size, n_angles)

        if hidden.any():
            parts = _power(around(np.where(hidden, 0, flat)), around(hidden) < TOUCHES)
        else:
            parts = np.abs(np.fft.rfft(around(flat), axis=-1)) ** 2
        parts = parts[..., : n_max + 1]
        power[places] = parts / np.maximum(parts[..., :1], np.finfo(float).tiny)
    return AngularPowerSpectrum(k, np.arange(n_max + 1), power.reshape(*scan.shape, k.size, -1))


def _power(around: FloatArray, seen: NDArray[np.bool_]) -> FloatArray:
    """Return the Fourier transform of the angular correlation over pairs of angles both seen."""

    def correlation(values: FloatArray) -> FloatArray:
        parts = np.abs(np.fft.rfft(values, axis=-1)) ** 2
        return np.fft.irfft(parts, values.shape[-1], axis=-1)

    number = np.rint(correlation(seen.astype(float)))
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = correlation(np.where(seen, around, 0)) / np.where(number > 0, number, np.nan)
    found: FloatArray = np.fft.rfft(pairs, axis=-1).real
    return found


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
