"""Patterns of an experiment: arrays, and files of other programs opened without being read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnb.core.provenance import reading
from glassnb.diffraction.counts import (
    Tally,
    check_kind,
    check_mask,
    moments,
    unmasked,
    without_mask,
)
from glassnb.diffraction.export import MASK_OF_SIGNAL, import_h5py
from glassnb.diffraction.probe import Probe
from glassnb.diffraction.result import DiffractionScan

__all__ = ["Measured", "measured_scan", "open_patterns"]

_HDF5 = (".hspy", ".h5", ".hdf5", ".emd")
_PER_LENGTH = {"1/Å": 1.0, "1/A": 1.0, "Å^-1": 1.0, "A^-1": 1.0, "1/nm": 0.1, "nm^-1": 0.1}
_LENGTH = {"Å": 1.0, "A": 1.0, "nm": 10.0, "µm": 1e4, "um": 1e4, "pm": 0.01}


@dataclass(frozen=True, eq=False)
class Measured:
    """Patterns on disk, and what their file says of the axes.

    Parameters
    ----------
    patterns : array
        Sliced like a Numpy array; read from the disk when sliced.
    k_step : tuple of float or None
        Size of a pixel in 1/Å.
    centre : tuple of float or None
        Pixel of the unscattered beam.
    positions : numpy.ndarray, shape (n_positions, 2), or None
        Of the beam in Å.
    mask : array of bool, or None
        True at pixels that are left out.
    """

    patterns: Any
    k_step: tuple[float, float] | None = None
    centre: tuple[float, float] | None = None
    positions: NDArray[np.float64] | None = None
    mask: Any = None


def measured_scan(
    patterns: Any,
    *,
    k_step: float | tuple[float, float] | None,
    positions: ArrayLike | None,
    centre: tuple[float, float] | None,
    probe: Probe | None,
    mask: Any,
    saturation: float | None,
) -> DiffractionScan:
    """Do the work of :meth:`DiffractionScan.from_array`, which tells the arguments."""
    if isinstance(patterns, str | os.PathLike):
        file = open_patterns(patterns)
        patterns = file.patterns
        positions = file.positions if positions is None else positions
        if k_step is None:
            k_step, centre = file.k_step, file.centre if centre is None else centre
        mask = file.mask if mask is None else mask
    if not (hasattr(patterns, "shape") and hasattr(patterns, "dtype")):
        patterns = unmasked(patterns)
    _check_shape(patterns)
    tally = Tally.of(check_kind(patterns), saturation)
    patterns, mask = without_mask(patterns, mask)
    if k_step is None:
        raise ValueError("k_step=None: give the size of a pixel in 1/Å; the data do not say it")
    if probe is not None and not isinstance(probe, Probe):
        raise ValueError(f"probe={probe!r}: must be a glassnb.diffraction.Probe")
    steps = _two(k_step if np.ndim(k_step) else [k_step, k_step])
    if steps is None or not (steps > 0).all():
        raise ValueError(
            f"k_step={k_step!r}: must be the size of a pixel in 1/Å, or two, one for each axis"
        )
    shape = tuple(int(n) for n in patterns.shape[:-2])
    last = np.array(patterns.shape[-2:]) - 1
    middle = _two((last + 1) // 2 if centre is None else centre)
    if middle is None or (middle < 0).any() or (middle > last).any():
        raise ValueError(
            f"centre={centre!r}: must be the pixel of the unscattered beam, two numbers from 0 to "
            f"{last[0]} and 0 to {last[1]}; count it from the first pixel of the pattern"
        )
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
        try:
            places = np.asarray(unmasked(positions, "positions"), dtype=float)
        except (TypeError, ValueError) as error:
            raise ValueError(f"positions={positions!r}: must be x and y in Å") from error
    if places.shape != (int(np.prod(shape)), 2) or not np.isfinite(places).all():
        raise ValueError(
            f"positions: have shape {places.shape}; must be ({int(np.prod(shape))}, 2), finite"
        )
    empty = np.zeros((len(k_x), len(k_y)))
    held = DiffractionScan(k_x, k_y, places, shape, empty, empty, patterns, probe=probe, mask=mask)

    def counted() -> Iterator[NDArray[np.float64]]:
        for where, block in held.blocks():
            tally.add(where.start, block)
            yield block

    mean, square = moments(counted())
    tally.warn(shape)
    info = {"method": "measured", **tally.record()}
    return replace(held, mean=mean, mean_square=square, info=info)


def _check_shape(patterns: Any) -> None:
    if len(patterns.shape) not in (3, 4) or not all(patterns.shape):
        raise ValueError(
            f"patterns: have shape {tuple(patterns.shape)}; must be (n_x, n_y, n_k_x, n_k_y) "
            "or (n_positions, n_k_x, n_k_y)"
        )
    if min(patterns.shape[-2:]) < 2:
        raise ValueError(
            f"patterns: have shape {tuple(patterns.shape)}; the last two axes, of the pixels of a "
            "pattern, need at least 2 each: give the patterns, not sums of them"
        )


def _two(values: Any) -> NDArray[np.float64] | None:
    """Return two finite numbers, or ``None`` if these are none."""
    try:
        found = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        return None
    return found if found.shape == (2,) and np.isfinite(found).all() else None


def open_patterns(path: str | os.PathLike[str]) -> Measured:
    """Open a file or folder of patterns.

    Parameters
    ----------
    path : path-like
        ``.npy``, a zarr store (a folder, ``.zspy`` of hyperspy included), or HDF5 (``.hspy`` of
        hyperspy, ``.h5``, ``.hdf5`` or ``.emd`` of py4DSTEM and others) with one array of three
        or four axes. HDF5 files stay open as long as the array is in use, and need h5py.

    Returns
    -------
    Measured
        The patterns, and what hyperspy's axes say of them.

    Raises
    ------
    ValueError
        If there is no such file, its kind is not known, it is damaged, or it holds no or several
        sets of patterns.
    ImportError
        If h5py is missing and needed.
    """
    source = Path(path)
    if not source.exists():
        raise ValueError(f"patterns={str(path)!r}: there is no such file or folder")
    if source.suffix == ".npy":
        opener = _open_npy
    elif source.suffix in _HDF5:
        import_h5py()
        opener = _open_hdf5
    elif any((source / name).exists() for name in ("zarr.json", ".zarray", ".zgroup")):
        opener = _open_zarr
    elif (source / "arguments.json").exists():
        raise ValueError(f"patterns={str(path)!r}: is a scan of glassnb; use DiffractionScan.open")
    else:
        raise ValueError(
            f"patterns={str(path)!r}: must be .npy, a zarr store, .zspy, or HDF5 "
            f"({', '.join(_HDF5)}); read other files with their program and give the array"
        )
    with reading(path, "holds no patterns that can be read"):
        measured = opener(source)
        _check_shape(measured.patterns)
        check_kind(measured.patterns)
        check_mask(measured.mask, tuple(measured.patterns.shape))
    return measured


def _open_npy(path: Path) -> Measured:
    patterns = np.load(path, mmap_mode="r")
    size, expected = path.stat().st_size, patterns.offset + patterns.nbytes
    if size != expected:
        raise ValueError(f"its header asks for {expected} bytes, the file has {size}")
    return Measured(patterns)


def _open_hdf5(path: Path) -> Measured:
    return _one_of(import_h5py().File(path, "r"), path)


def _open_zarr(path: Path) -> Measured:
    import zarr

    store = zarr.open(path, mode="r")
    return Measured(store) if isinstance(store, zarr.Array) else _one_of(store, path)


def _one_of(group: Any, path: Path) -> Measured:
    """Return the only set of patterns of a file: hyperspy's signal, or an array of its size."""
    experiments = _item(group, "Experiments")
    signals = {name: experiments[name] for name in experiments or ()}
    found = {f"Experiments/{name}/data": _item(each, "data") for name, each in signals.items()}
    found = {name: data for name, data in found.items() if data is not None}
    arrays = {} if found else dict(_arrays(group, ""))
    # In the tree of py4DSTEM, a node of that name.
    masks = [a for name, a in arrays.items() if name.endswith("/mask/data") and a.dtype == bool]
    found = found or {
        name: array
        for name, array in arrays.items()
        if len(array.shape) > 2 and not any(array is mask for mask in masks)
    }
    if len(found) != 1:
        names = ", ".join(found) or "none"
        raise ValueError(
            f"patterns={str(path)!r}: one array of three or four axes is needed, there are: "
            f"{names}; open the file with h5py or zarr and give the array"
        )
    ((name, data),) = found.items()
    if signals and name.startswith("Experiments/"):
        return _with_axes(signals[name.split("/")[1]], data)
    return Measured(data, mask=masks[0] if len(masks) == 1 else None)


def _arrays(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name in group:
        item = group[name]
        if not hasattr(item, "shape"):
            yield from _arrays(item, f"{prefix}{name}/")
        elif len(item.shape) in (2, 3, 4):
            yield f"{prefix}{name}", item


def _item(group: Any, path: str) -> Any:
    """Return what lies at a path, or None; "in" and "get" of h5py hide what cannot be read."""
    for name in path.split("/"):
        if hasattr(group, "shape") or name not in list(group):
            return None
        group = group[name]
    return group


def _with_axes(signal: Any, data: Any) -> Measured:
    """Take from hyperspy's axes what is known in units of length."""
    mask = _item(signal, "/".join(MASK_OF_SIGNAL))
    groups = [_item(signal, f"axis-{number}") for number in range(len(data.shape))]
    if None in groups:
        return Measured(data, mask=mask)
    axes = [_line(group.attrs) for group in groups]
    k_step = centre = positions = None
    pixels = [_in_units(axis, _PER_LENGTH) for axis in axes[-2:]]
    if all(step > 0 for _, step in pixels):
        k_step = (pixels[0][1], pixels[1][1])
        place = [-low / step for low, step in pixels]
        # An offset of 0 is what hyperspy writes where nobody has set the centre.
        if all(0 < c < n - 1 for c, n in zip(place, data.shape[-2:], strict=True)):
            centre = (place[0], place[1])
    steps = [_in_units(axis, _LENGTH) for axis in axes[:-2]]
    if len(steps) == 2 and all(step > 0 for _, step in steps):
        lines = [
            low + step * np.arange(n) for (low, step), n in zip(steps, data.shape[:2], strict=True)
        ]
        positions = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 2)
    return Measured(data, k_step, centre, positions, mask)


def _line(attributes: Mapping[str, Any]) -> tuple[float, float, str]:
    """Return offset, scale and unit of an axis; a scale of 0 says that it is not even."""
    names = set(attributes)
    offset, scale, unit = (
        attributes[name] if name in names else default
        for name, default in (("offset", 0.0), ("scale", 0.0), ("units", ""))
    )
    return float(offset), float(scale), unit.decode() if isinstance(unit, bytes) else str(unit)


def _in_units(axis: tuple[float, float, str], units: Mapping[str, float]) -> tuple[float, float]:
    """Return offset and scale in Å or 1/Å; 0 where the unit is another."""
    offset, scale, text = axis
    if not np.isfinite([offset, scale]).all():
        return 0.0, 0.0
    plain = text.translate(str.maketrans("", "", " ${}\\")).replace("AA", "Å")
    factor = units.get(plain.replace("\u212b", "Å").replace("\u03bc", "µ"), 0.0)
    return offset * factor, scale * factor
