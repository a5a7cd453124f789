"""The pixels of a ring, in an order in which the opposite pixel is found by reading backwards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnb.diffraction.result import DiffractionScan

__all__ = ["TOUCHES", "Ring", "blank", "check_range", "hidden_pixels", "ring_of", "speckle_radius"]

FloatArray = NDArray[np.float64]

_FLOOR = 1e-6  # of the brightest ring, for what a ring is compared with
TOUCHES = 1e-6  # weight from which on a pixel takes part in one between others


@dataclass(frozen=True, eq=False)
class Ring:
    """Pixels with ``k_low <= k < k_high`` on a grid whose middle pixel is k = 0.

    Parameters
    ----------
    k_x, k_y : numpy.ndarray
        The grid in 1/Å, symmetric about 0.
    k_range : tuple of float
        Inner and outer radius in 1/Å.
    speckle : float
        Radius of a speckle in 1/Å, that of the aperture.
    to_x, to_y : numpy.ndarray or None
        Matrices that bring the pixels of a pattern to the grid; ``None`` where they are the same.
    """

    k_x: FloatArray
    k_y: FloatArray
    k_range: tuple[float, float]
    speckle: float
    to_x: FloatArray | None = None
    to_y: FloatArray | None = None

    @cached_property
    def pixels(self) -> NDArray[np.intp]:
        """Flat indices of the pixels; that of -k is as far from the end as that of k is in."""
        k = np.hypot(self.k_x[:, None], self.k_y)
        return np.flatnonzero((k >= self.k_range[0]) & (k < self.k_range[1]))

    @cached_property
    def vectors(self) -> FloatArray:
        """Wave vectors of the pixels in 1/Å, shape (n_pixels, 2)."""
        rows, columns = np.divmod(self.pixels, self.k_y.size)
        return np.stack([self.k_x[rows], self.k_y[columns]], axis=1)

    @cached_property
    def neighbours(self) -> NDArray[np.intp]:
        """Places in the ring of the eight pixels around each one, its own where there is none."""
        place = np.full((self.k_x.size + 2, self.k_y.size + 2), -1)
        rows, columns = np.divmod(self.pixels, self.k_y.size)
        own = np.arange(self.pixels.size)
        place[rows + 1, columns + 1] = own
        steps = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
        around = np.array([place[rows + 1 + i, columns + 1 + j] for i, j in steps])
        return np.where(around < 0, own, around)

    @cached_property
    def _windows(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Order by radius, and for each pixel the first and last in order as far out as it."""
        k = np.linalg.norm(self.vectors, axis=1)
        order = np.argsort(k, kind="stable")
        width = max(self.speckle, 1.01 * self.k_x[-1] / max(1, self.k_x.size // 2))
        first = np.searchsorted(k[order], k - width)
        last = np.searchsorted(k[order], k + width, side="right")
        return order, first, last

    def centred(self, patterns: NDArray[Any]) -> NDArray[Any]:
        """Bring patterns, shape (n, n_k_x, n_k_y), to the symmetric grid.

        A pixel between others is NaN if one of them is.
        """
        if self.to_x is None or self.to_y is None:
            return patterns
        hidden = np.isnan(patterns)
        if not hidden.any():
            return self.to_x @ patterns @ self.to_y.T
        found = self.to_x @ np.where(hidden, 0.0, patterns) @ self.to_y.T
        found[self.to_x @ hidden @ self.to_y.T > TOUCHES] = np.nan
        return found

    def read(self, patterns: NDArray[Any]) -> NDArray[Any]:
        """Return the intensities of the ring's pixels, shape (n, n_pixels)."""
        return self.centred(patterns).reshape(len(patterns), -1)[:, self.pixels]

    def expected(self, mean: NDArray[Any]) -> FloatArray:
        """Average a mean pattern, shape (n_pixels,), over the rings of each pixel's own radius.

        Pixels that are NaN do not count; the average is NaN where all are.
        """
        order, first, last = self._windows
        hidden = np.isnan(mean[order])
        sums = [
            np.concatenate(([0.0], np.cumsum(values, dtype=float)))
            for values in (np.where(hidden, 0, mean[order]), ~hidden)
        ]
        total, number = (each[last] - each[first] for each in sums)
        with np.errstate(invalid="ignore"):
            return total / number

    def pairs(self, intensities: NDArray[Any]) -> NDArray[Any]:
        """Return sqrt(I(k) I(-k)) of intensities, shape (n, n_pixels).

        It is 0 where one of the two is negative, and NaN where one of them is masked.
        """
        positive = np.maximum(intensities, 0)
        return np.sqrt(positive * positive[:, ::-1])

    def strengths(self, intensities: NDArray[Any], expected: FloatArray) -> NDArray[Any]:
        """Return sqrt(I(k) I(-k)) over the mean of the scan's rings.

        The mean is that of all patterns: a crystal would make its own ring bright, and so hide.

        Parameters
        ----------
        intensities : numpy.ndarray, shape (n, n_pixels)
            Of the ring.
        expected : numpy.ndarray, shape (n_pixels,)
            Of :meth:`expected`.

        Returns
        -------
        numpy.ndarray, shape (n, n_pixels)
            Dimensionless, the same at k and -k; NaN where one of the two is masked.
        """
        # Between the spots of a perfect crystal there is nothing but rounding.
        least = np.fmax(_FLOOR * np.fmax.reduce(expected), np.finfo(np.float32).tiny)
        inverse = 1 / np.maximum(expected, least)
        pairs = self.pairs(intensities)
        return pairs * inverse.astype(pairs.dtype)

    def strongest(self, intensities: NDArray[Any], expected: FloatArray) -> NDArray[Any]:
        """Return the strength of the strongest pair of each pattern, shape (n,); NaN if none."""
        strengths = self.strengths(intensities, expected)
        found = strengths.max(axis=1)
        return np.fmax.reduce(strengths, axis=1) if np.isnan(found).any() else found


def ring_of(
    scan: DiffractionScan,
    k_range: tuple[float, float] | None = None,
    speckle_size: float | None = None,
) -> Ring:
    """Return the ring of a scan.

    Parameters
    ----------
    scan : DiffractionScan
        For its pixels and its beam. Where the unscattered beam is not in the middle, patterns are
        brought to a symmetric grid by linear interpolation.
    k_range : tuple of float, optional
        Inner and outer radius in 1/Å; from the central disc to the edge when omitted.
    speckle_size : float, optional
        Diameter of a speckle in 1/Å; that of the aperture when omitted.

    Returns
    -------
    Ring
        Its pixels.

    Raises
    ------
    ValueError
        If the ring is empty, leaves the pattern or meets the central disc, or if the mask leaves
        no pair of pixels in it.
    """
    speckle = speckle_radius(scan, speckle_size)
    k_range = check_range(scan, k_range)
    axes, matrices = [], []
    for k in (scan.k_x, scan.k_y):
        reach = int(min(-k[0], k[-1]) / (k[1] - k[0]) + 1e-6)
        step = (k[-1] - k[0]) / (k.size - 1)
        axis = np.arange(-reach, reach + 1) * step
        place = (axis - k[0]) / step
        low = np.clip(np.floor(place + 1e-6).astype(int), 0, k.size - 2)
        matrix = np.zeros((axis.size, k.size))
        matrix[np.arange(axis.size), low] = 1 - (place - low)
        matrix[np.arange(axis.size), low + 1] += place - low
        axes.append(axis)
        matrices.append(matrix)
    same = all(
        a.size == k.size and np.allclose(a, k, atol=1e-9)
        for a, k in zip(axes, (scan.k_x, scan.k_y), strict=True)
    )
    to_x, to_y = (None, None) if same else matrices
    ring = Ring(axes[0], axes[1], k_range, speckle, to_x, to_y)
    if not ring.pixels.size:
        raise ValueError(f"k_range={k_range}: no pixel of the pattern lies in this ring (1/Å)")
    seen = ~np.isnan(ring.read(scan.mean[None])[0])
    if not (seen & seen[::-1]).any():
        raise ValueError(
            f"k_range={k_range}: the mask of the scan leaves no pair of pixels at k and -k in this "
            "ring; choose another ring, or mask fewer pixels"
        )
    return ring


def hidden_pixels(scan: DiffractionScan, ring: Ring, own: Ring) -> NDArray[np.bool_] | None:
    """Say which pixels of a ring the mask of a scan hides.

    Parameters
    ----------
    scan : DiffractionScan
        With its mask.
    ring : Ring
        Of :func:`ring_of` for this scan.
    own : Ring
        The ring in question, on this grid or another: its pixels are the nearest ones.

    Returns
    -------
    numpy.ndarray of bool, shape (1 or n_patterns, n_pixels), or None
        Whether, of all patterns alike or of each; ``None`` without a mask.
    """
    if scan.mask is None:
        return None
    middles = (ring.k_x.size // 2, ring.k_y.size // 2)
    places = [
        np.clip(np.rint(k / axis[-1] * middle).astype(int) + middle, 0, axis.size - 1)
        for k, axis, middle in zip(own.vectors.T, (ring.k_x, ring.k_y), middles, strict=True)
    ]
    found = []
    for hidden in scan.masked():
        blank = np.where(hidden, np.nan, 0.0)
        found.append(np.isnan(ring.centred(blank)[:, places[0], places[1]]))
    return np.concatenate(found)


def blank(
    values: NDArray[Any], hidden: NDArray[np.bool_] | None, orientation: int = 0
) -> NDArray[Any]:
    """Set intensities that a mask hides to NaN, in place.

    Parameters
    ----------
    values : numpy.ndarray, shape (n, n_pixels)
        Of a ring, at all positions of one orientation.
    hidden : numpy.ndarray of bool, or None
        Of :func:`hidden_pixels`.
    orientation : int
        Which one.

    Returns
    -------
    numpy.ndarray, shape (n, n_pixels)
        The same array.
    """
    if hidden is not None:
        n = len(values)
        rows = hidden if len(hidden) == 1 else hidden[orientation * n : (orientation + 1) * n]
        values[np.broadcast_to(rows, values.shape)] = np.nan
    return values


def speckle_radius(scan: DiffractionScan, speckle_size: float | None) -> float:
    """Return the radius of a speckle in 1/Å: half of what is given, or that of the aperture.

    Parameters
    ----------
    scan : DiffractionScan
        For its beam.
    speckle_size : float or None
        Diameter in 1/Å.

    Returns
    -------
    float
        Radius in 1/Å.

    Raises
    ------
    ValueError
        If it is not positive, or neither it nor the beam is known.
    """
    if speckle_size is not None:
        if not (np.isfinite(speckle_size) and speckle_size > 0):
            raise ValueError(f"speckle_size={speckle_size}: must be a positive diameter in 1/Å")
        return float(speckle_size) / 2
    if scan.probe is None:
        raise ValueError(
            "the beam of this scan is not known: give DiffractionScan.from_array a probe, or "
            "speckle_size, the diameter of the aperture in the pattern in 1/Å"
        )
    return scan.probe.k_aperture


def check_range(scan: DiffractionScan, k_range: tuple[float, float] | None) -> tuple[float, float]:
    """Return the radii of a ring that lies in the pattern and outside the central disc.

    Parameters
    ----------
    scan : DiffractionScan
        For its pixels and its beam.
    k_range : tuple of float or None
        Inner and outer radius in 1/Å.

    Returns
    -------
    tuple of float
        Inner and outer radius in 1/Å.

    Raises
    ------
    ValueError
        If the ring leaves the pattern or meets the central disc.
    """
    step = float(max(scan.k_x[1] - scan.k_x[0], scan.k_y[1] - scan.k_y[0]))
    low, high = (max(scan.k_disc, step), scan.k_max) if k_range is None else map(float, k_range)
    if not (np.isfinite([low, high]).all() and 0 <= low < high):
        raise ValueError(f"k_range={k_range}: must be two radii in 1/Å, the smaller one first")
    if low < scan.k_disc * (1 - 1e-6):
        raise ValueError(
            f"k_range={k_range}: begins inside the central disc and its interference, which "
            f"reach to {scan.k_disc:.3f} 1/Å; raise it, or use a beam of a smaller angle"
        )
    if high > scan.k_max + step / 2:
        raise ValueError(
            f"k_range={k_range}: ends outside the pattern, whose largest ring has the radius "
            f"{scan.k_max:.3f} 1/Å"
        )
    return low, high
