"""The sliced Wasserstein distance, which takes diagrams with any multiplicities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["sliced_distances", "sliced_signatures"]

_DIRECTIONS = 12
_STEP = 0.05  # Å², along a direction
Measure = tuple[NDArray[np.float64], NDArray[np.float64]]


def sliced_distances(
    measures: Sequence[Measure], first: Measure | None = None
) -> NDArray[np.float64]:
    """Return sliced Wasserstein distances between diagrams.

    Parameters
    ----------
    measures : sequence of tuple
        Pairs, shape (n, 2) in Å², and their multiplicities, shape (n,).
    first : tuple, optional
        One more diagram. When given, distances from it to the others.

    Returns
    -------
    ndarray, shape (n, n) or (n,)
        Distances in Å².

    Notes
    -----
    M. Carrière, M. Cuturi and S. Oudot, Sliced Wasserstein kernel for persistence diagrams, ICML
    2017: each diagram is completed with the projections of the other on to the diagonal, both are
    projected on to a line, and the Wasserstein distance along the line is averaged over its
    directions. It is the L1 distance between vectors, one for each diagram, as
    :func:`sliced_signatures` makes them.
    """
    from scipy.spatial.distance import cdist, pdist, squareform

    every = [*measures] if first is None else [*measures, first]
    signatures = sliced_signatures(every)
    if first is None:
        return squareform(pdist(signatures, "cityblock"))
    return cdist(signatures[-1:], signatures[:-1], "cityblock")[0]


def sliced_signatures(
    measures: Sequence[Measure], directions: int = _DIRECTIONS, step: float = _STEP
) -> NDArray[np.float64]:
    """Return vectors whose L1 distances are sliced Wasserstein distances.

    Parameters
    ----------
    measures : sequence of tuple
        Pairs, shape (n, 2) in Å², and their multiplicities, shape (n,).
    directions : int
        Number of directions, spread evenly over half a turn.
    step : float
        Spacing in Å² of the grid along each direction. A point is shared between its two
        neighbours on the grid, which keeps its mean position.

    Returns
    -------
    ndarray, shape (n_measures, n)
        For each direction the multiplicities summed up along it, less those of the projections on
        to the diagonal: their difference between two diagrams is what has to be carried past each
        place. The factors of the integrals are included.
    """
    angles = (np.arange(directions) + 0.5) * np.pi / directions
    axes = np.array([np.cos(angles), np.sin(angles)])
    reach = np.sqrt(2) * max((np.abs(p).max(initial=0.0) for p, _ in measures), default=0.0)
    half = int(np.ceil(reach / step)) + 1
    width = 2 * half + 2
    signatures = np.zeros((len(measures), directions * width))
    offsets = np.arange(directions) * width + half
    for row, (pairs, weights) in zip(signatures, measures, strict=True):
        middle = np.repeat(pairs.mean(axis=1, keepdims=True), 2, axis=1)
        places = (np.concatenate([pairs, middle]) @ axes) / step
        mass = np.concatenate([weights, -np.asarray(weights)])[:, None]
        low = np.floor(places).astype(np.int64)
        upper = (places - low) * mass
        index = low + offsets
        row += np.bincount(index.ravel(), (mass - upper).ravel(), minlength=row.size)
        row += np.bincount(index.ravel() + 1, upper.ravel(), minlength=row.size)
    summed = signatures.reshape(len(measures), directions, width).cumsum(axis=2)
    return summed.reshape(len(measures), -1) * (step / directions)
