"""Persistence images: diagrams as vectors, for statistics and learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnb.topology.diagrams import PersistenceDiagrams

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PersistenceImage", "persistence_image"]

Weight = tuple[Any, ...] | None


@dataclass(frozen=True, repr=False)
class PersistenceImage:
    """A smoothed, weighted histogram of a diagram, above its diagonal.

    Parameters
    ----------
    vector : ndarray, shape (n_pixels,)
        Values of the pixels that reach above the diagonal, row by row: deaths ascend from row to
        row, births within a row.
    dimension : int
        Dimension of the diagram.
    limits : tuple of float
        Range of births and of deaths, in Å².
    bins : int
        Number of pixels along each axis.
    sigma : float
        Standard deviation of the Gaussian, in Å².
    weight : tuple or None
        How pairs were weighted by their lifetime.
    n_atoms : int
        Number of atoms of the (sub-)structure, to compare structures of different size.
    """

    vector: NDArray[np.float64]
    dimension: int
    limits: tuple[float, float]
    bins: int
    sigma: float
    weight: Weight
    n_atoms: int

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return (
            f"PersistenceImage(D{self.dimension}, {self.limits[0]:g} to {self.limits[1]:g} Å², "
            f"{self.bins} bins, sigma {self.sigma:g} Å², weight {self.weight})"
        )

    @property
    def edges(self) -> NDArray[np.float64]:
        """Edges of the pixels along each axis in Å², shape (bins + 1,)."""
        return np.linspace(*self.limits, self.bins + 1)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Which pixels of the plane stand in the vector, shape (bins, bins)."""
        return _above_diagonal(self.bins)

    @property
    def plane(self) -> NDArray[np.float64]:
        """The image as a plane, deaths by births, shape (bins, bins); NaN below the diagonal."""
        return self.to_plane(self.vector)

    def to_plane(self, vector: ArrayLike) -> NDArray[np.float64]:
        """Put a vector back on to the plane, such as the coefficients of a model.

        Parameters
        ----------
        vector : array_like, shape (n_pixels,)
            A number for each pixel of this image's vector.

        Returns
        -------
        ndarray, shape (bins, bins)
            The numbers, deaths by births; NaN below the diagonal.

        Raises
        ------
        ValueError
            If the length is another.
        """
        values = np.asarray(vector, dtype=np.float64)
        if values.shape != self.vector.shape:
            raise ValueError(
                f"vector: has shape {values.shape}, and this image has {self.vector.size} pixels"
            )
        plane = np.full((self.bins, self.bins), np.nan)
        plane[self.mask] = values
        return plane

    def plot(self, ax: Axes | None = None, vector: ArrayLike | None = None) -> Axes:
        """Draw the image, or another vector in its place.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        vector : array_like, shape (n_pixels,), optional
            What to draw, such as the coefficients of a model; the image when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting import plot_persistence_image

        return plot_persistence_image(self, ax, vector)


def persistence_image(
    diagrams: PersistenceDiagrams | ArrayLike,
    dimension: int = 1,
    *,
    limits: tuple[float, float] = (0.0, 8.0),
    bins: int = 128,
    sigma: float = 0.1,
    weight: Weight = ("arctan", 0.5, 1),
) -> PersistenceImage:
    """Turn a diagram into a vector.

    Parameters
    ----------
    diagrams : PersistenceDiagrams or array_like, shape (n, 2)
        The diagrams, or births and deaths in Å².
    dimension : int
        0, 1 or 2.
    limits : tuple of float
        Range of births and of deaths in Å²; pairs outside are left out.
    bins : int
        Number of pixels along each axis.
    sigma : float
        Standard deviation of the Gaussian that smooths the image, in Å²; at least half a pixel.
    weight : tuple or None
        ``("arctan", c, p)`` weights a lifetime l with arctan(c l^p), ``("linear", c)`` with c l;
        ``None`` counts pairs.

    Returns
    -------
    PersistenceImage
        The image as a vector.

    Raises
    ------
    ValueError
        If an argument is out of range, or the Gaussian is narrower than half a pixel.

    Notes
    -----
    The image of I. Obayashi, Y. Hiraoka and M. Kimura, J. Appl. Comput. Topol. 1, 421 (2018), in
    the discrete form of HomCloud: a histogram, times the weights at the middles of its bins, then
    smoothed with a Gaussian that is cut off at four standard deviations and mirrored at the edges.
    """
    from scipy.ndimage import gaussian_filter

    low, high = _check_limits(limits)
    count = _check_bins(bins)
    width = (high - low) / count
    if not (np.isfinite(sigma) and sigma >= width / 2):
        raise ValueError(
            f"sigma={sigma}: must be at least half a bin, {width / 2:.4g} Å², or nothing is "
            f"smoothed; take a larger sigma, or more bins than {count}"
        )
    if isinstance(diagrams, PersistenceDiagrams):
        pairs, n_atoms = diagrams.pairs(dimension), diagrams.n_atoms
    else:
        pairs, n_atoms = np.asarray(diagrams, dtype=np.float64), 0
        if pairs.ndim != 2 or pairs.shape[1] != 2 or not np.isfinite(pairs).all():
            raise ValueError(
                f"diagrams: shape {pairs.shape}; must be PersistenceDiagrams, or finite births and "
                "deaths of shape (n, 2)"
            )
    edges = np.linspace(low, high, count + 1)
    plane, _, _ = np.histogram2d(pairs[:, 1], pairs[:, 0], bins=(edges, edges))
    middles = (edges[:-1] + edges[1:]) / 2
    plane *= _weights(np.abs(middles[:, None] - middles), weight)
    smooth = gaussian_filter(plane, sigma / width)
    return PersistenceImage(
        smooth[_above_diagonal(count)], dimension, (low, high), count, float(sigma), weight, n_atoms
    )


def _above_diagonal(bins: int) -> NDArray[np.bool_]:
    """Return which pixels reach above the diagonal, deaths by births."""
    return np.tri(bins, dtype=bool)


def _weights(lifetimes: NDArray[np.float64], weight: Weight) -> NDArray[np.float64]:
    """Return the weight of each lifetime."""
    if weight is None:
        return np.ones_like(lifetimes)
    kind, *numbers = tuple(weight) or (None,)
    good = all(isinstance(n, int | float) and np.isfinite(n) and n > 0 for n in numbers)
    if kind == "arctan" and len(numbers) == 2 and good:
        return np.arctan(numbers[0] * lifetimes ** numbers[1])
    if kind == "linear" and len(numbers) == 1 and good:
        return numbers[0] * lifetimes
    raise ValueError(
        f'weight={weight!r}: must be ("arctan", c, p) or ("linear", c) with positive numbers, or '
        "None"
    )


def _check_limits(limits: Any) -> tuple[float, float]:
    try:
        low, high = (float(value) for value in limits)
    except (TypeError, ValueError):
        low = high = np.nan
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"limits={limits!r}: must be lowest and highest value in Å²")
    return low, high


def _check_bins(bins: Any) -> int:
    if isinstance(bins, bool) or not isinstance(bins, int | np.integer) or bins < 1:
        raise ValueError(f"bins={bins!r}: must be a whole number, 1 or more")
    return int(bins)
