"""The door through which counts of a detector come in, whatever their type and wherever they lie.

Every analysis gets its patterns from here, as double precision in the byte order of the machine,
with NaN at pixels that are left out: nothing is ever multiplied in the type of a detector, and
the value of a masked pixel is never seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnb.core.callers import warn
from glassnb.core.provenance import reading

__all__ = [
    "Tally",
    "check_kind",
    "check_mask",
    "in_double",
    "mean_of",
    "moments",
    "read_counts",
    "unmasked",
    "without_mask",
]

FloatArray = NDArray[np.float64]

_LARGEST = 1e150  # its square is still a number


def check_kind(patterns: Any) -> np.dtype[Any]:
    """Return the type of an array, or stop if it holds no intensities.

    Parameters
    ----------
    patterns : array
        Of any library that names its type as Numpy does.

    Returns
    -------
    numpy.dtype
        The type.

    Raises
    ------
    ValueError
        If it is neither whole numbers nor real ones.
    """
    kind = np.dtype(patterns.dtype)
    if kind.kind not in "biuf":
        raise ValueError(
            f"patterns: are of the type {kind}; intensities must be whole or real numbers, such as "
            "patterns.astype(float), or abs(waves)**2 of complex waves"
        )
    return kind


def in_double(patterns: Any) -> FloatArray:
    """Return patterns of any type and byte order in double precision.

    Parameters
    ----------
    patterns : array_like
        Intensities.

    Returns
    -------
    numpy.ndarray
        The same numbers; not a copy if they are of that type already.

    Raises
    ------
    ValueError
        If they are neither whole numbers nor real ones, or some are masked.
    """
    array = unmasked(patterns)
    check_kind(array)
    with np.errstate(over="ignore"):  # a longer type may hold more; it is then infinite and found
        return array.astype(np.float64, copy=False)


def unmasked(values: Any, name: str = "patterns") -> NDArray[Any]:
    """Return an array of Numpy, or stop if some of its values are masked.

    Numpy's conversion would show what lies beneath the mask as if it had been measured.

    Parameters
    ----------
    values : array_like
        Of any library, or nested lists.
    name : str
        Of the argument.

    Returns
    -------
    numpy.ndarray
        The same values.

    Raises
    ------
    ValueError
        If there are masked values.
    """
    if hasattr(values, "compute"):  # Dask's conversion, too, forgets a mask
        values = values.compute()
    if _any_masked(values):
        raise ValueError(
            f"{name}: hold values of a masked array that are masked; give the plain values, such "
            "as np.ma.getdata(...) or da.ma.getdata(...), and what is masked as "
            "mask=np.ma.getmaskarray(...)"
        )
    return np.asarray(values)


def _any_masked(values: Any) -> bool:
    if isinstance(values, list | tuple):
        return any(map(_any_masked, values))
    return bool(np.ma.is_masked(values))


def without_mask(patterns: Any, mask: Any) -> tuple[Any, Any]:
    """Take the mask of a masked array of Numpy to the one that was given.

    Parameters
    ----------
    patterns : array_like
        Masked or not; lists become an array.
    mask : array_like of bool, or None
        True where a pixel is left out.

    Returns
    -------
    patterns : array
        Without a mask of their own.
    mask : array of bool or None
        Of :func:`check_mask`, with what was masked.

    Raises
    ------
    ValueError
        If a mask does not fit, or lists hold masked values.
    """
    if not (hasattr(patterns, "shape") and hasattr(patterns, "dtype")):
        patterns = unmasked(patterns)
    mask = check_mask(mask, tuple(patterns.shape))
    if isinstance(patterns, np.ma.MaskedArray):
        hidden = np.ma.getmaskarray(patterns)
        mask = (hidden if mask is None else hidden | mask) if hidden.any() else mask
        patterns = patterns.data
    return patterns, mask


def check_mask(mask: Any, shape: tuple[int, ...]) -> Any:
    """Return a mask, or stop if it does not fit the patterns.

    Parameters
    ----------
    mask : array_like of bool, or None
        True where a pixel is left out: of the shape of one pattern, or of all of them.
    shape : tuple of int
        Of all patterns.

    Returns
    -------
    array of bool or None
        The mask; one of all patterns stays where it lies.

    Raises
    ------
    ValueError
        If its type or its shape is another, or nothing is left.
    """
    if mask is None:
        return None
    whole = hasattr(mask, "dtype") and hasattr(mask, "shape")
    mask = mask if whole and not np.ma.isMaskedArray(mask) else unmasked(mask, "mask")
    if np.dtype(mask.dtype) != bool:
        raise ValueError(
            f"mask: is of the type {mask.dtype}; must be of bool, True where a pixel is left out "
            "(mask != 0 makes one of numbers that mark bad pixels)"
        )
    if tuple(mask.shape) not in (shape[-2:], shape):
        raise ValueError(
            f"mask of shape {tuple(mask.shape)}: must have the shape of one pattern, {shape[-2:]}, "
            f"or of all, {shape}"
        )
    if len(mask.shape) == 2:
        mask = np.array(mask)
        if mask.all():
            raise ValueError(
                "mask: leaves out every pixel; True means to leave out, so give ~mask if it marks "
                "the good ones"
            )
    return mask


def read_counts(patterns: Any, mask: Any, where: tuple[Any, ...]) -> FloatArray:
    """Read some of the patterns.

    Parameters
    ----------
    patterns : array, shape (..., n_k_x, n_k_y)
        All patterns, in memory or on disk.
    mask : array of bool or None
        Of :func:`check_mask`.
    where : tuple
        Indices and slices along the axes of the scan.

    Returns
    -------
    numpy.ndarray
        The patterns in double precision; NaN where they are masked.

    Raises
    ------
    ValueError
        If a pixel that is not masked is NaN, infinite, or so large that its square is, or a file
        on disk cannot be read.
    """
    with _named(mask):
        hidden = None if mask is None else np.asarray(mask if len(mask.shape) == 2 else mask[where])
    with _named(patterns):
        counts = in_double(patterns[where])
        if hidden is not None:
            counts = np.where(hidden, 0.0, counts)
        # Both are NaN if any number is.
        low, high = counts.min(initial=0.0), counts.max(initial=0.0)
        if not (low > -_LARGEST and high < _LARGEST):
            _refuse(counts, where)
    if hidden is not None:
        counts[np.broadcast_to(hidden, counts.shape)] = np.nan
    return counts


def _named(array: Any) -> AbstractContextManager[None]:
    """Name the file in whatever goes wrong with an array that lies on disk."""
    holder = getattr(array, "file", array)  # of HDF5; Numpy and zarr name the place themselves
    place = getattr(holder, "filename", None) or getattr(array, "store_path", None)
    return reading(str(place), "patterns cannot be read") if place else nullcontext()


def _refuse(counts: FloatArray, where: tuple[Any, ...]) -> None:
    """Name the first pixel that is no count."""
    bad = ~(np.abs(counts) < _LARGEST)
    first = np.argwhere(bad)[0].tolist()
    value = counts[tuple(first)]
    pixel, inside = tuple(first[-2:]), first[:-2]
    cut = [(i.start or 0) + inside.pop(0) if isinstance(i, slice) else int(i) for i in where]
    place = (*cut, *inside)
    raise ValueError(
        f"patterns: pixel {pixel} of the pattern at {place} of the scan is {value} "
        f"({int(bad.sum())} such pixels in the patterns read with it); counts must be finite "
        f"(no NaN) and below {_LARGEST:g}: leave such pixels out with mask=, "
        "such as mask=~np.isfinite(patterns)"
    )


def moments(blocks: Iterable[FloatArray], orders: int = 2) -> list[FloatArray]:
    """Return the mean of patterns and that of their squares, over what is not NaN.

    Parameters
    ----------
    blocks : iterable of numpy.ndarray, shape (n, ...)
        Patterns, some at a time.
    orders : int
        1 for the mean alone.

    Returns
    -------
    list of numpy.ndarray
        The means; NaN where there is nothing.
    """
    total: Any = 0.0
    square: Any = 0.0
    number: Any = 0
    for block in blocks:
        seen = ~np.isnan(block)
        filled = block if seen.all() else np.where(seen, block, 0)
        number = number + seen.sum(axis=0)
        total = total + filled.sum(axis=0, dtype=float)
        if orders > 1:
            square = square + np.square(filled, dtype=float).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return [each / number for each in (total, square)[:orders]]


def mean_of(*parts: NDArray[Any]) -> FloatArray:
    """Return the mean of patterns over what is not NaN.

    Parameters
    ----------
    *parts : numpy.ndarray, shape (n, ...)
        Patterns.

    Returns
    -------
    numpy.ndarray
        The mean; NaN where there is nothing.
    """
    return moments(parts, 1)[0]


@dataclass
class Tally:
    """What is counted of measured patterns on the way: outside the mask.

    Parameters
    ----------
    saturation : float or None
        From this value on a pixel is saturated.
    """

    saturation: float | None
    negative: int = 0
    saturated: int = 0
    first: tuple[int, ...] | None = None
    seen: int = 0
    total: int = 0

    @classmethod
    def of(cls, kind: np.dtype[Any], saturation: float | None) -> Tally:
        """Start to count.

        Parameters
        ----------
        kind : numpy.dtype
            Of the patterns.
        saturation : float or None
            Asked for; the largest whole number of the type when ``None``, if it has one.

        Returns
        -------
        Tally
            With nothing counted.

        Raises
        ------
        ValueError
            If it is not a positive number.
        """
        if saturation is None:
            return cls(float(np.iinfo(kind).max) if kind.kind in "iu" else None)
        if not saturation > 0:
            raise ValueError(
                f"saturation={saturation}: must be the count at which the detector is saturated, "
                "more than 0 (infinite if it never is)"
            )
        return cls(float(saturation) if np.isfinite(saturation) else None)

    def add(self, place: int, block: FloatArray) -> None:
        """Count some patterns.

        Parameters
        ----------
        place : int
            Of the first one in the flattened scan.
        block : numpy.ndarray, shape (n, n_k_x, n_k_y)
            The patterns; NaN where they are masked.
        """
        self.total += block.size
        self.seen += block.size - int(np.isnan(block).sum())
        self.negative += int((block < 0).sum())
        if self.saturation is not None:
            full = block >= self.saturation
            number = int(full.sum())
            if number and self.first is None:
                i, *pixel = np.unravel_index(int(full.argmax()), full.shape)
                self.first = (place + int(i), *map(int, pixel))
            self.saturated += number

    def warn(self, shape: tuple[int, ...]) -> None:
        """Warn the caller of ``from_array`` of saturated pixels; stop if no pixel is seen.

        Parameters
        ----------
        shape : tuple of int
            Of the scan.

        Raises
        ------
        ValueError
            If every pixel of every pattern is masked.
        """
        if not self.seen:
            raise ValueError("mask: leaves out every pixel of every pattern; True leaves one out")
        if self.first is not None:
            place = tuple(int(i) for i in np.unravel_index(self.first[0], shape))
            warn(
                f"patterns: {self.saturated} of {self.seen} pixels reach "
                f"saturation={self.saturation:g}, the first is pixel {self.first[1:]} of the "
                f"pattern at {place}; their true counts are not known: leave them out with "
                f"mask=patterns >= {self.saturation:g}, or give the detector's own saturation "
                "(np.inf: none)",
            )

    def record(self) -> dict[str, Any]:
        """Return what was counted.

        Returns
        -------
        dict
            ``saturation``; number of ``saturated`` pixels; shares of pixels that are ``masked``,
            and of the others that are ``negative``.
        """
        return {
            "saturation": self.saturation,
            "saturated": self.saturated,
            "negative": self.negative / max(self.seen, 1),
            "masked": 1 - self.seen / self.total,
        }
