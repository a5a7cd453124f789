"""Diffraction patterns at many positions of a beam: computed, measured, kept or reduced."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
        Mean pattern.
    mean_square : numpy.ndarray, shape (n_k_x, n_k_y)
        Mean of the squared intensities; ``mean_square / mean**2 - 1`` is the variance map.
    patterns : array, shape (*shape, n_k_x, n_k_y), optional
        All patterns, in memory or on disk: fraction of the current on each pixel, or the counts
        of an experiment.
    reductions : dict
        What was kept of each pattern, by name: arrays of shape (*shape, ...).
    probe : Probe, optional
        The beam.
    rotations : numpy.ndarray, shape (n_rotations, 4), optional
        Orientations as quaternions, scalar last.
    info : dict
        How the scan was made.
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

    def __repr__(self) -> str:
        """Say what is held."""
        kept = "all patterns" if self.patterns is not None else "no patterns"
        scanned = " x ".join(map(str, self.shape))
        return (
            f"DiffractionScan({scanned} positions, {self.k_x.size} x {self.k_y.size} pixels, "
            f"{', '.join([kept, *self.reductions])})"
        )

    @classmethod
    def from_array(
        cls,
        patterns: Any,
        *,
        k_step: float | tuple[float, float] | None = None,
        positions: ArrayLike | None = None,
        centre: tuple[float, float] | None = None,
        probe: Probe | None = None,
    ) -> DiffractionScan:
        """Take measured patterns.

        Parameters
        ----------
        patterns : array or path-like
            Of shape (n_x, n_y, n_k_x, n_k_y) or (n_positions, n_k_x, n_k_y): Numpy, zarr, h5py,
            Dask or any array that is sliced like these; read in blocks. What hyperspy calls
            ``signal.data`` and py4DSTEM ``datacube.data``. Or the name of a ``.npy`` file, a zarr
            store, ``.zspy``, ``.hspy`` or other HDF5 with one such array, which stays on disk.
            Axes keep their order: the first is called x here, though hyperspy may call it y.
        k_step : float or tuple of float, optional
            Size of a pixel in 1/Å (1/d), along both axes or each. May be omitted for files of
            hyperspy whose axes are in 1/Å or 1/nm.
        positions : array_like, shape (n_positions, 2), optional
            Of the beam in Å; when omitted those of hyperspy's axes, or counted in steps of 1.
        centre : tuple of float, optional
            Pixel of the unscattered beam; that of hyperspy's axes, or the middle when omitted.
        probe : Probe, optional
            The beam; analyses then know the size of the central disc.

        Returns
        -------
        DiffractionScan
            The patterns with their mean and mean square.

        Raises
        ------
        ValueError
            If shapes do not fit together, a number is not positive and finite, or a file is not
            of a known kind.
        ImportError
            If h5py is missing and needed.
        """
        if isinstance(patterns, str | os.PathLike):
            from glassnb.diffraction.measured import open_patterns

            file = open_patterns(patterns)
            patterns = file.patterns
            positions = file.positions if positions is None else positions
            if k_step is None:
                k_step, centre = file.k_step, file.centre if centre is None else centre
        if not hasattr(patterns, "shape"):
            patterns = np.asarray(patterns)
        if len(patterns.shape) not in (3, 4) or not all(patterns.shape):
            raise ValueError(
                f"patterns: have shape {tuple(patterns.shape)}; must be (n_x, n_y, n_k_x, n_k_y) "
                "or (n_positions, n_k_x, n_k_y)"
            )
        if k_step is None:
            raise ValueError("k_step=None: give the size of a pixel in 1/Å; the data do not say it")
        steps = np.broadcast_to(np.asarray(k_step, dtype=float), (2,))
        if not (np.isfinite(steps).all() and (steps > 0).all()):
            raise ValueError(f"k_step={k_step}: must be the size of a pixel in 1/Å")
        shape = tuple(int(n) for n in patterns.shape[:-2])
        middle = [n // 2 for n in patterns.shape[-2:]] if centre is None else centre
        k_x, k_y = (
            (np.arange(n) - c) * step
            for n, c, step in zip(patterns.shape[-2:], middle, steps, strict=True)
        )
        if positions is None:
            grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
            places = grid.reshape(-1, len(shape)).astype(float)
            if len(shape) == 1:
                places = np.column_stack([places[:, 0], np.zeros(len(places))])
        else:
            places = np.asarray(positions, dtype=float)
        if places.shape != (int(np.prod(shape)), 2) or not np.isfinite(places).all():
            raise ValueError(
                f"positions: have shape {places.shape}; must be ({int(np.prod(shape))}, 2), finite"
            )
        empty = np.zeros((len(k_x), len(k_y)))
        held = cls(k_x, k_y, places, shape, empty, empty, patterns, probe=probe)
        total, square = np.zeros_like(empty), np.zeros_like(empty)
        for _, block in held.blocks():
            total += block.sum(axis=0, dtype=float)
            square += np.square(block, dtype=float).sum(axis=0)
        count = int(np.prod(shape))
        return cls(
            k_x, k_y, places, shape, total / count, square / count, patterns,
            probe=probe, info={"method": "measured"},
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

    @property
    def n_patterns(self) -> int:
        """Number of patterns."""
        return int(np.prod(self.shape))

    def blocks(self, size: int | None = None) -> Iterator[tuple[slice, NDArray[Any]]]:
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
            The patterns.

        Raises
        ------
        ValueError
            If the patterns were not kept.
        """
        if self.patterns is None:
            raise ValueError(
                "the patterns of this scan were reduced on the way and not kept; scan with "
                "keep=True, or with keep='a folder' to have them on disk"
            )
        pixels = self.k_x.size * self.k_y.size
        size = size or max(1, _BLOCK // pixels)
        # Cut along the first axis whose inner part is small enough to be read at once.
        axis = next(a for a in range(len(self.shape)) if np.prod(self.shape[a + 1 :]) <= size)
        inner = int(np.prod(self.shape[axis + 1 :]))
        rows, first = max(1, size // inner), 0
        for outer in np.ndindex(*self.shape[:axis]):
            for row in range(0, self.shape[axis], rows):
                read = np.asarray(self.patterns[(*outer, slice(row, row + rows))])
                block = read.reshape(-1, self.k_x.size, self.k_y.size)
                yield slice(first, first + len(block)), block
                first += len(block)

    def pattern(self, *index: int) -> NDArray[Any]:
        """Return one pattern.

        Parameters
        ----------
        *index : int
            Its place in the scan, one number per axis of ``shape``.

        Returns
        -------
        numpy.ndarray, shape (n_k_x, n_k_y)
            The pattern.

        Raises
        ------
        ValueError
            If the patterns were not kept or the place has another number of axes.
        """
        if self.patterns is None:
            next(self.blocks())
        if len(index) != len(self.shape):
            raise ValueError(f"pattern{index}: the scan has the shape {self.shape}")
        return np.asarray(self.patterns[index])

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
