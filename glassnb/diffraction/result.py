"""Diffraction patterns at many positions of a beam: computed, measured, kept or reduced."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnb.diffraction.counts import read_counts
from glassnb.diffraction.probe import Probe

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from glassnb.diffraction.analysis.decomposition import Decomposition

__all__ = ["DiffractionScan"]

_BLOCK = 2**22  # pixels of the patterns read at a time


@dataclass(frozen=True, repr=False)
class DiffractionScan:
    """Patterns over the positions of a beam, or what was kept of them.

    Axes of arrays: first those of the scan (``shape``: orientations if there are several, then
    positions along x and y, or the listed positions), then k_x and k_y.

    Parameters
    ----------
    k_x, k_y : numpy.ndarray, shape (n_k_x,) and (n_k_y,)
        Wave numbers of the pixels in 1/Å (k = 1/d; the Q of glassnb.scattering is 2 pi k).
    positions : numpy.ndarray, shape (n_positions, 2)
        Of the beam in Å, the same for all orientations; the last index of ``shape`` runs fastest.
    shape : tuple of int
        Shape of the scan.
    mean : numpy.ndarray, shape (n_k_x, n_k_y)
        Mean pattern; NaN at pixels that are masked in all patterns.
    mean_square : numpy.ndarray, shape (n_k_x, n_k_y)
        Mean of the squared intensities; ``mean_square / mean**2 - 1`` is the variance map.
    patterns : array, shape (*shape, n_k_x, n_k_y), optional
        All patterns, in memory or on disk: fraction of the current on each pixel, or the counts
        of an experiment in the type of the detector. :meth:`pattern` and :meth:`blocks` read them
        in double precision.
    reductions : dict
        What was kept of each pattern, by name: arrays of shape (*shape, ...).
    probe : Probe, optional
        The beam.
    rotations : numpy.ndarray, shape (n_rotations, 4), optional
        Orientations as quaternions, scalar last.
    info : dict
        How the scan was made; of measured patterns also ``saturation``, the number of
        ``saturated`` pixels, and the shares that are ``masked`` and, of the rest, ``negative``.
    mask : array of bool, optional
        True at pixels that are left out, of the shape of a pattern or of ``patterns``; see
        :meth:`from_array`.
    """

    k_x: NDArray[np.float64]
    k_y: NDArray[np.float64]
    positions: NDArray[np.float64]
    shape: tuple[int, ...]
    mean: NDArray[np.float64]
    mean_square: NDArray[np.float64]
    patterns: Any = None
    reductions: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    probe: Probe | None = None
    rotations: NDArray[np.float64] | None = None
    info: Mapping[str, Any] = field(default_factory=dict)
    mask: Any = None

    def __repr__(self) -> str:
        """Say what is held."""
        kept = "all patterns" if self.patterns is not None else "no patterns"
        scanned = " x ".join(map(str, self.shape))
        return (
            f"DiffractionScan({scanned} positions, {self.k_x.size} x {self.k_y.size} pixels, "
            f"{', '.join([kept, *self.reductions, *self._noted()])})"
        )

    def _noted(self) -> list[str]:
        """Say what is special about the counts."""
        saturated = self.info.get("saturated", 0)
        shares = [
            f"{self.info[name]:.2g} of the pixels {name}"
            for name in ("masked", "negative")
            if self.info.get(name)
        ]
        return shares + [f"{saturated} saturated"] * (saturated > 0)

    @classmethod
    def from_array(
        cls,
        patterns: Any,
        *,
        k_step: float | tuple[float, float] | None = None,
        positions: ArrayLike | None = None,
        centre: tuple[float, float] | None = None,
        probe: Probe | None = None,
        mask: Any = None,
        saturation: float | None = None,
    ) -> DiffractionScan:
        """Take measured patterns.

        All of them are read once, some at a time, for the mean and to look at every count.
        Negative ones, of data from which a dark image was subtracted, stay as they are; their
        share is in ``info``.

        Parameters
        ----------
        patterns : array or path-like
            Of shape (n_x, n_y, n_k_x, n_k_y) or (n_positions, n_k_x, n_k_y): Numpy, zarr, h5py,
            Dask or any array that is sliced like these; read in blocks. What hyperspy calls
            ``signal.data`` and py4DSTEM ``datacube.data``. Or the name of a ``.npy`` file, a zarr
            store, ``.zspy``, ``.hspy`` or other HDF5 with one such array, which stays on disk.
            Axes keep their order: the first is called x here, though hyperspy may call it y.
            Whole or real numbers of any type and byte order; what is masked in a masked array of
            Numpy is so here.
        k_step : float or tuple of float, optional
            Size of a pixel in 1/Å (1/d), along both axes or each. May be omitted for files of
            hyperspy whose axes are in 1/Å or 1/nm.
        positions : array_like, shape (n_positions, 2), optional
            Of the beam in Å; when omitted those of hyperspy's axes, or counted in steps of 1.
        centre : tuple of float, optional
            Pixel of the unscattered beam; that of hyperspy's axes, or the middle when omitted.
        probe : Probe, optional
            The beam; analyses then know the size of the central disc.
        mask : array_like of bool, optional
            True at pixels to leave out (dead or saturated ones, a beam stop): of the shape
            (n_k_x, n_k_y), or of the patterns, then read in blocks as they are. No analysis sees
            their values; means are over what is left, and a pair of spots with a masked partner
            is none. Files that :meth:`save` wrote bring theirs along.
        saturation : float, optional
            Count at which a pixel is saturated; for whole numbers the largest of their type when
            omitted, for real ones none. Pixels that reach it and are not masked are counted in
            ``info``, with a warning.

        Returns
        -------
        DiffractionScan
            The patterns with their mean and mean square.

        Raises
        ------
        ValueError
            If shapes do not fit together, a number is not positive and finite, a pixel that is
            not masked is NaN or infinite, the mask is not of bool, or a file is not of a known
            kind.
        ImportError
            If h5py is missing and needed.
        """
        from glassnb.diffraction.measured import measured_scan

        return measured_scan(
            patterns, k_step=k_step, positions=positions, centre=centre, probe=probe, mask=mask,
            saturation=saturation,
        )  # fmt: skip

    @property
    def k(self) -> NDArray[np.float64]:
        """Length of the wave vector of each pixel, k = 1/d in 1/Å, shape (n_k_x, n_k_y)."""
        return np.hypot(self.k_x[:, None], self.k_y)

    @property
    def k_max(self) -> float:
        """Radius in 1/Å of the largest ring that lies wholly in the pattern."""
        return float(min(-self.k_x[0], self.k_x[-1], -self.k_y[0], self.k_y[-1]))

    @property
    def k_disc(self) -> float:
        """Radius in 1/Å within which the central disc and its interference lie; 0 if unknown."""
        if self.probe is None:
            return 0.0
        return max(2 * self.probe.k_aperture, self.probe.k_cut)

    @cached_property
    def seen(self) -> NDArray[np.float64]:
        """Share of the patterns in which a pixel counts, shape (n_k_x, n_k_y): 0 if masked."""
        if self.mask is None:
            return np.ones((self.k_x.size, self.k_y.size))
        if len(self.mask.shape) == 2:
            return (~self.mask).astype(float)
        return 1 - sum(piece.sum(axis=0) for piece in self.masked()) / self.n_patterns

    def masked(self) -> Iterator[NDArray[np.bool_]]:
        """Go through the mask, some patterns at a time.

        Yields
        ------
        numpy.ndarray of bool, shape (n, n_k_x, n_k_y)
            True at pixels that are left out; one piece of a single pattern if the mask is that of
            all of them, and nothing without a mask.
        """
        if self.mask is not None and len(self.mask.shape) == 2:
            yield self.mask[None]
        elif self.mask is not None:
            for _, where in self._pieces():
                yield np.asarray(self.mask[where]).reshape(-1, self.k_x.size, self.k_y.size)

    @property
    def n_patterns(self) -> int:
        """Number of patterns."""
        return int(np.prod(self.shape))

    def _pieces(self, size: int | None = None) -> Iterator[tuple[slice, tuple[Any, ...]]]:
        """Go through places in the flattened scan, and indices of the same patterns."""
        pixels = self.k_x.size * self.k_y.size
        size = size or max(1, _BLOCK // pixels)
        # Cut along the first axis whose inner part is small enough to be read at once.
        axis = next(a for a in range(len(self.shape)) if np.prod(self.shape[a + 1 :]) <= size)
        inner = int(np.prod(self.shape[axis + 1 :]))
        rows, first = max(1, size // inner), 0
        for outer in np.ndindex(*self.shape[:axis]):
            for row in range(0, self.shape[axis], rows):
                number = inner * min(rows, self.shape[axis] - row)
                yield slice(first, first + number), (*outer, slice(row, row + rows))
                first += number

    def blocks(self, size: int | None = None) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Go through all patterns, some at a time.

        Parameters
        ----------
        size : int, optional
            Patterns per block; as many as fit comfortably into memory when omitted.

        Yields
        ------
        places : slice
            Where the block stands in the flattened scan.
        block : numpy.ndarray, shape (n, n_k_x, n_k_y)
            The patterns in double precision, NaN where they are masked; not to be written to.

        Raises
        ------
        ValueError
            If the patterns were not kept, or a pixel that is not masked is NaN or infinite.
        """
        if self.patterns is None:
            raise ValueError(
                "the patterns of this scan were reduced on the way and not kept; scan with "
                "keep=True, or with keep='a folder' to have them on disk"
            )
        for places, where in self._pieces(size):
            read = read_counts(self.patterns, self.mask, where)
            yield places, read.reshape(-1, self.k_x.size, self.k_y.size)

    def pattern(self, *index: int) -> NDArray[np.float64]:
        """Return one pattern.

        Parameters
        ----------
        *index : int
            Its place in the scan, one number per axis of ``shape``.

        Returns
        -------
        numpy.ndarray, shape (n_k_x, n_k_y)
            The pattern in double precision, NaN where it is masked.

        Raises
        ------
        ValueError
            If the patterns were not kept, the place has another number of axes or is not in the
            scan, or a pixel that is not masked is NaN or infinite.
        """
        if self.patterns is None:
            next(self.blocks())
        if len(index) != len(self.shape):
            raise ValueError(f"pattern{index}: the scan has the shape {self.shape}")
        if not all(
            isinstance(i, int | np.integer) and -n <= i < n
            for i, n in zip(index, self.shape, strict=True)
        ):
            raise ValueError(
                f"pattern{index}: must be whole numbers within the shape of the scan, {self.shape}"
            )
        return read_counts(self.patterns, self.mask, index)

    def decompose(self, n: int, *, seed: int = 0) -> Decomposition:
        """Write the patterns as sums of a few; see :func:`glassnb.diffraction.decompose`.

        Parameters
        ----------
        n : int
            Number of components.
        seed : int
            Of the start.

        Returns
        -------
        Decomposition
            Component patterns and their maps.

        Raises
        ------
        ValueError
            If ``n`` is out of range or the patterns were not kept.
        """
        from glassnb.diffraction.analysis.decomposition import decompose

        return decompose(self, n, seed=seed)

    def to_frame(self) -> pd.DataFrame:
        """Return the reductions as a table.

        Returns
        -------
        pandas.DataFrame
            One row per pattern: ``x`` and ``y`` in Å, ``rotation`` if there are several, and one
            column per number kept.
        """
        import pandas as pd

        repeats = self.n_patterns // len(self.positions)
        places = np.tile(self.positions, (repeats, 1))
        columns = {"x": places[:, 0], "y": places[:, 1]}
        if self.rotations is not None:
            columns["rotation"] = np.repeat(np.arange(repeats), len(self.positions))
        for name, values in self.reductions.items():
            flat = values.reshape(self.n_patterns, -1)
            for i, column in enumerate(flat.T):
                columns[name if flat.shape[1] == 1 else f"{name}_{i}"] = column
        return pd.DataFrame(columns)

    def plot(self, ax: Axes | None = None, *, index: tuple[int, ...] | None = None) -> Axes:
        """Draw the mean pattern, or one pattern.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        index : tuple of int, optional
            Place in the scan of the pattern to draw.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.diffraction import plot_pattern

        pattern = self.mean if index is None else self.pattern(*index)
        return plot_pattern(pattern, self.k_x, self.k_y, ax, k_disc=self.k_disc)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save the scan; see :mod:`glassnb.diffraction.storage`.

        Parameters
        ----------
        path : path-like
            A name that ends in ``.npz`` gets one compressed file of everything; ``.hspy`` a file
            for hyperspy and ``.h5`` one for py4DSTEM, of patterns and axes. Any other name
            becomes a folder whose patterns, in zarr chunks, are read from the disk piece by piece.

        Returns
        -------
        pathlib.Path
            What was written.

        Raises
        ------
        ValueError
            If there are no patterns to write, or the folder exists.
        ImportError
            If h5py is missing and needed.
        """
        from glassnb.diffraction.storage import save

        return save(self, path)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> DiffractionScan:
        """Open a saved scan; the patterns of a folder stay on disk.

        Parameters
        ----------
        path : path-like
            What :meth:`save` or :func:`scan` wrote: a folder or a ``.npz`` file.

        Returns
        -------
        DiffractionScan
            The scan.

        Raises
        ------
        ValueError
            If there is no such scan.
        """
        from glassnb.diffraction.storage import load

        return load(path)
