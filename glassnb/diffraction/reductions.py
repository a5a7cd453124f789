"""What a scan can keep of each pattern instead of the pattern.

A reduction is a callable ``(patterns, k_x, k_y) -> values`` with patterns of shape
(n, n_k_x, n_k_y) and values of shape (n, ...); those below, or your own (for a cluster, defined in
a module). Those below take patterns of any type of numbers; pixels that are NaN are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnb.diffraction.counts import in_double, mean_of, unmasked

__all__ = ["Annulus", "Mask", "RadialProfile", "Reduction", "StrongestPair", "reductions_from"]

FloatArray = NDArray[np.float64]
Reduction = Callable[[NDArray[Any], FloatArray, FloatArray], NDArray[Any]]


@dataclass(frozen=True)
class Annulus:
    """A ring-shaped detector: the virtual dark field of a scan.

    Parameters
    ----------
    k_low, k_high : float
        Inner and outer radius in 1/Å.
    """

    k_low: float
    k_high: float

    def __post_init__(self) -> None:
        _check_ring(self.k_low, self.k_high)

    def __call__(self, patterns: NDArray[Any], k_x: FloatArray, k_y: FloatArray) -> FloatArray:
        """Return the intensity in the ring, shape (n,); NaN where all of it is masked."""
        inside = unmasked(patterns)[:, _ring(k_x, k_y, self.k_low, self.k_high)]
        return _sum(in_double(inside), np.ones(inside.shape[1]))


@dataclass(frozen=True)
class Mask:
    """A detector of any shape.

    Parameters
    ----------
    weights : numpy.ndarray, shape (n_k_x, n_k_y)
        Weight of each pixel.
    """

    weights: NDArray[Any]

    def __post_init__(self) -> None:
        unmasked(self.weights, "weights")

    def __call__(self, patterns: NDArray[Any], k_x: FloatArray, k_y: FloatArray) -> FloatArray:
        """Return the weighted sum of each pattern, shape (n,); NaN where all of it is masked."""
        if np.shape(self.weights) != patterns.shape[1:]:
            raise ValueError(
                f"mask of shape {np.shape(self.weights)}: must have the shape of a pattern, "
                f"{patterns.shape[1:]}"
            )
        weights: FloatArray = np.asarray(self.weights, dtype=float).ravel()
        used = np.flatnonzero(weights)
        return _sum(in_double(patterns.reshape(len(patterns), -1)[:, used]), weights[used])


@dataclass(frozen=True)
class RadialProfile:
    """The mean intensity in rings of equal width, from which V(k) of ring averages follows.

    Parameters
    ----------
    step : float
        Width of the rings in 1/Å.
    k_max : float
        Outer radius of the last ring in 1/Å.
    """

    step: float
    k_max: float

    def __post_init__(self) -> None:
        _check_ring(0.0, self.k_max)
        if not (np.isfinite(self.step) and 0 < self.step <= self.k_max):
            raise ValueError(f"step={self.step}: must be in 1/Å, at most k_max={self.k_max}")

    @property
    def k(self) -> FloatArray:
        """Middle of each ring in 1/Å."""
        return self.step * (np.arange(self._n_rings, dtype=float) + 0.5)

    @property
    def _n_rings(self) -> int:
        return int(self.k_max / self.step + 1e-9)

    def __call__(self, patterns: NDArray[Any], k_x: FloatArray, k_y: FloatArray) -> FloatArray:
        """Return the profiles, shape (n, n_rings); NaN in rings without a pixel."""
        rings = (np.hypot(k_x[:, None], k_y) / self.step).astype(int).ravel()
        inside = np.flatnonzero(rings < self._n_rings)
        flat = in_double(patterns.reshape(len(patterns), -1)[:, inside])
        hidden = np.isnan(flat)
        counts = np.bincount(rings[inside], minlength=self._n_rings)
        if hidden.any():
            flat = np.where(hidden, 0, flat)
            lost = [np.bincount(rings[inside], row, self._n_rings) for row in hidden]
            counts = counts - np.array(lost)
        sums = [np.bincount(rings[inside], row, self._n_rings) for row in flat]
        with np.errstate(invalid="ignore"):
            return np.array(sums) / counts


@dataclass(frozen=True)
class StrongestPair:
    """The strongest pair of spots at k and -k in a ring: the first look at a scan for order.

    Bright pairs appear by chance in every disordered slab (speckle): a value means something only
    against a null model.

    Parameters
    ----------
    k_low, k_high : float
        Inner and outer radius of the ring in 1/Å.
    """

    k_low: float
    k_high: float

    def __post_init__(self) -> None:
        _check_ring(self.k_low, self.k_high)

    def __call__(self, patterns: NDArray[Any], k_x: FloatArray, k_y: FloatArray) -> FloatArray:
        """Return sqrt(I(k) I(-k)) over the mean of the ring, and k_x, k_y (1/Å), shape (n, 3).

        NaN where no pair is left.
        """
        if not (np.allclose(k_x, -k_x[::-1]) and np.allclose(k_y, -k_y[::-1])):
            raise ValueError("StrongestPair needs patterns whose middle pixel is k = 0")
        ring = _ring(k_x, k_y, self.k_low, self.k_high)
        here = np.flatnonzero(ring)
        flat = patterns.reshape(len(patterns), -1)
        first, second = in_double(flat[:, here]), in_double(flat[:, ring.size - 1 - here])
        product = np.sqrt(np.maximum(first, 0) * np.maximum(second, 0))
        mean = first.mean(axis=1)
        if np.isnan(mean).any():
            mean, product = mean_of(first.T), np.where(np.isnan(product), -1, product)
        best = product.argmax(axis=1)
        x, y = np.unravel_index(here[best], ring.shape)
        strength = product.max(axis=1) / np.maximum(mean, np.finfo(float).tiny)
        found = np.stack([strength, k_x[x], k_y[y]], axis=1)
        found[~(strength >= 0)] = np.nan
        return found


def reductions_from(reduce: Mapping[str, Any] | None) -> dict[str, Reduction]:
    """Bring what a user may write to reductions.

    Parameters
    ----------
    reduce : dict or None
        By name: a reduction, a pair of radii in 1/Å (an :class:`Annulus`), or an array of weights
        (a :class:`Mask`).

    Returns
    -------
    dict
        Reductions by name.

    Raises
    ------
    ValueError
        If something is none of these.
    """
    found: dict[str, Reduction] = {}
    if reduce is not None and not isinstance(reduce, Mapping):
        raise ValueError(f"reduce={reduce!r}: must be a dictionary of names and reductions")
    for name, what in (reduce or {}).items():
        if callable(what):
            found[str(name)] = what
        elif isinstance(what, tuple | list) and len(what) == 2:
            found[str(name)] = Annulus(float(what[0]), float(what[1]))
        elif isinstance(what, np.ndarray) and what.ndim == 2:
            found[str(name)] = Mask(what)
        else:
            raise ValueError(
                f"reduce[{name!r}]={what!r}: must be a callable, two radii in 1/Å, or an array of "
                "weights"
            )
    return found


def _check_ring(k_low: float, k_high: float) -> None:
    if not (np.isfinite([k_low, k_high]).all() and 0 <= k_low < k_high):
        raise ValueError(f"ring from {k_low} to {k_high}: must be 0 <= k_low < k_high, in 1/Å")


def _sum(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return weighted sums of rows over what is not NaN, or NaN where all is."""
    sums: FloatArray = values @ weights
    if np.isnan(sums).any():
        hidden = np.isnan(values)
        sums = np.where(hidden.all(axis=1), np.nan, np.where(hidden, 0, values) @ weights)
    return sums


def _ring(k_x: FloatArray, k_y: FloatArray, low: float, high: float) -> NDArray[np.bool_]:
    k = np.hypot(k_x[:, None], k_y)
    chosen = (k >= low) & (k < high)
    if not chosen.any():
        raise ValueError(f"ring from {low} to {high} 1/Å: no pixel of the pattern lies in it")
    return chosen
