"""How structures become rows of numbers for learning, and how pixels lead back to pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnb.topology.diagrams import PersistenceDiagrams
from glassnb.topology.image import PersistenceImage

__all__ = ["SETTINGS", "atoms_of_cycle", "pixels_of_pairs", "size_threshold", "vectors"]

SETTINGS = ("dimension", "limits", "bins", "sigma", "weight")
_LARGE = 0.01  # share of the pixels whose coefficients count as large


def vectors(images: Sequence[PersistenceImage]) -> tuple[NDArray[np.float64], bool]:
    """Return images of one kind as rows, divided by the number of atoms where that is known.

    Parameters
    ----------
    images : sequence of PersistenceImage
        The images.

    Returns
    -------
    data : ndarray, shape (n_images, n_pixels)
        The rows.
    per_atom : bool
        Whether they were divided.

    Raises
    ------
    ValueError
        If an image is of another kind than the first, or some know their number of atoms and
        others do not.
    """
    for k, image in enumerate(images):
        for name in SETTINGS:
            first, other = getattr(images[0], name), getattr(image, name)
            if first != other:
                raise ValueError(
                    f"images_or_diagrams: {name} of image {k} is {other!r} and of the first "
                    f"{first!r}; make all images alike"
                )
    atoms = np.array([image.n_atoms for image in images])
    if atoms.any() and not atoms.all():
        raise ValueError(
            "images_or_diagrams: some know their number of atoms and others, made of arrays, do "
            "not; give PersistenceDiagrams, or images of them, throughout"
        )
    data = np.array([image.vector for image in images])
    return (data / atoms[:, None], True) if atoms.all() else (data, False)


def pixels_of_pairs(
    image: PersistenceImage, diagrams: PersistenceDiagrams
) -> tuple[NDArray[np.int64], tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return which pairs lie in an image, and for each the row and column of its pixel."""
    if not isinstance(diagrams, PersistenceDiagrams):
        raise ValueError(f"diagrams={type(diagrams).__name__}: must be PersistenceDiagrams")
    pairs = diagrams.pairs(image.dimension)
    low, high = image.limits
    rows = np.flatnonzero(((pairs >= low) & (pairs <= high)).all(axis=1))
    pixels = np.searchsorted(image.edges, pairs[rows], side="right") - 1
    births, deaths = np.clip(pixels, 0, image.bins - 1).T
    return rows, (deaths, births)


def size_threshold(values: NDArray[np.float64], threshold: float | None) -> float:
    """Return the size from which coefficients are large."""
    if threshold is None:
        return float(np.quantile(np.abs(values), 1 - _LARGE))
    if not (np.isfinite(threshold) and threshold >= 0):
        raise ValueError(
            f"threshold={threshold!r}: must be 0 or a positive number; the largest coefficient is "
            f"{np.abs(values).max():.4g}"
        )
    return float(threshold)


def atoms_of_cycle(
    index: int, diagrams: PersistenceDiagrams, cycle: Callable[..., Any], dimension: int
) -> NDArray[np.int64]:
    """Return the atoms of the cycle of a pair."""
    found = cycle(diagrams, dimension, index)
    for name in ("indices", "atoms"):
        listed = np.asarray(getattr(found, name, None))
        if listed.dtype.kind in "iu" and listed.size:
            return np.unique(listed)
    listed = np.asarray(found if isinstance(found, list | tuple | np.ndarray) else None)
    if listed.dtype.kind not in "iu" or not listed.size:
        raise ValueError(
            f"cycle: returned {type(found).__name__} for pair {index}, which holds no indices of "
            "atoms; return them, for example cycle=lambda d, k, i: find(d, k, i).atoms"
        )
    return np.unique(listed)
