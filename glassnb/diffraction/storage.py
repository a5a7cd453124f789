"""Scans on disk.

============  ==========================================================  ====================
name          what it is                                                  opened by
============  ==========================================================  ====================
a folder      ``patterns.zarr``, chunks of some patterns, and             this package; zarr,
              ``scan.npz``, all that belongs to them; a stopped scan      Dask, NumPy
              goes on; ``mask.zarr`` if patterns have one each
``.npz``      one compressed file of everything                           this package; NumPy
``.hspy``     HDF5 in the layout of hyperspy: patterns and axes           hyperspy
``.h5``       HDF5 in the layout EMD 1.0: patterns and axes               py4DSTEM, emdfile
============  ==========================================================  ====================

The last two need h5py, which is imported when they are written. All of them keep the mask, and
checksums of all that they hold: a damaged file is refused.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glassnb.core.provenance import atomic_path, from_json, read_arrays, reading, to_json
from glassnb.diffraction.probe import Probe
from glassnb.diffraction.result import DiffractionScan
from glassnb.diffraction.work import LIST_ROW

__all__ = ["Store", "load", "save"]

_PATTERNS = "patterns.zarr"
_MASK = "mask.zarr"  # that of each pattern
_RECORD = "scan.npz"  # everything but the patterns, written last
_ARGUMENTS = "arguments.json"  # what a scan depends on
_FLAGS = "finished.npz"  # rows that are whole on disk
_EVERY = 2.0  # seconds between two notes of them
_CHUNK = 2**20  # bytes, at most, unless one pattern is larger


class Store:
    """The folder of a scan that is written while it is computed, and goes on if it was stopped.

    Parameters
    ----------
    path : path-like
        A folder, made if missing.
    shape : tuple of int
        Shape of the scan.
    pieces : tuple of int
        Number of orientations, and of rows of positions in each.
    k_x, k_y : numpy.ndarray
        Wave numbers of the pixels in 1/Å.
    info : dict
        What the scan depends on, under ``"parameters"``; only a scan with the same may go on.

    Raises
    ------
    ValueError
        If it is a file, or a folder that holds something else.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        shape: tuple[int, ...],
        pieces: tuple[int, int],
        k_x: NDArray[np.float64],
        k_y: NDArray[np.float64],
        info: Mapping[str, Any],
    ) -> None:
        self.path, self.k_x, self.k_y = Path(path), k_x, k_y
        arguments = from_json(to_json({"shape": shape, **info["parameters"]}))
        if self.path.exists():
            _compare(self.path, arguments)
        else:
            _new_folder(self.path, (*shape, k_x.size, k_y.size), "float32", arguments)
        self.patterns = _open_patterns(self.path, "r+")
        self._flags = np.zeros(pieces, dtype=bool)
        flags = self.path / _FLAGS
        if flags.exists():
            with reading(flags, "does not say which rows are finished; remove it to begin anew"):
                noted = read_arrays(flags)
                _hold(_layout(self.patterns), str(noted["layout"]))
                self._flags[:] = noted["rows"]
        self._lock, self._noted = threading.Lock(), time.monotonic()

    def done(self, orientation: int) -> NDArray[np.bool_]:
        """Say which rows of an orientation are on disk already, shape (n_rows,)."""
        with self._lock:
            return self._flags[orientation].copy()

    def read(self, region: tuple[Any, ...]) -> NDArray[np.float32]:
        """Return the patterns of a row, shape (n, n_k_x, n_k_y)."""
        with reading(self.path, "its patterns cannot be read; remove it to begin anew"):
            return np.asarray(self.patterns[region]).reshape(-1, self.k_x.size, self.k_y.size)

    def write(
        self, piece: tuple[int, int], region: tuple[Any, ...], patterns: NDArray[np.float32]
    ) -> None:
        """Write the patterns of a row, and note from time to time which rows are there."""
        self.patterns[region] = patterns
        with self._lock:
            self._flags[piece] = True
            if time.monotonic() - self._noted > _EVERY:
                self._note()

    def close(self) -> None:
        """Note which rows are there."""
        with self._lock:
            self._note()

    def finish(self, scan: DiffractionScan) -> DiffractionScan:
        """Write what belongs to the patterns, and return the scan with its patterns on disk."""
        self.close()
        patterns = _open_patterns(self.path, "r")
        _write_record(self.path / _RECORD, scan, on_disk={_PATTERNS: _state(patterns)})
        return replace(scan, patterns=patterns)

    def _note(self) -> None:
        with atomic_path(self.path / _FLAGS) as temporary:
            np.savez(temporary, rows=self._flags, layout=_layout(self.patterns))
        self._noted = time.monotonic()


def save(scan: DiffractionScan, path: str | os.PathLike[str]) -> Path:
    """Save a scan in the format that the name says.

    Parameters
    ----------
    scan : DiffractionScan
        What to save.
    path : path-like
        A name that ends in ``.npz``, ``.hspy`` or ``.h5``; any other is a folder.

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
    target = Path(path)
    if target.suffix == ".npz":
        _write_record(target, scan, patterns=True)
        return target
    if scan.patterns is None:
        raise ValueError(f"path={str(path)!r}: this scan kept no patterns; save it as .npz")
    if target.suffix in (".hspy", ".h5"):
        from glassnb.diffraction.export import write_emd, write_hspy

        (write_hspy if target.suffix == ".hspy" else write_emd)(scan, target)
        return target
    if target.exists():
        raise ValueError(f"path={str(path)!r}: exists already; remove it or use another name")
    shape = (*scan.shape, scan.k_x.size, scan.k_y.size)
    _new_folder(target, shape, str(scan.patterns.dtype), {"shape": scan.shape})
    on_disk = {_PATTERNS: _open_patterns(target, "r+")}
    _copy(scan.patterns, on_disk[_PATTERNS])
    if _each_has_its_own(scan.mask):
        on_disk[_MASK] = _new_array(target / _MASK, shape, "bool")
        _copy(scan.mask, on_disk[_MASK])
    states = {name: _state(array) for name, array in on_disk.items()}
    _write_record(target / _RECORD, scan, on_disk=states)
    return target


def _copy(source: Any, target: Any) -> None:
    """Copy an array piece by piece into one in chunks of some patterns."""
    *outer, last = target.shape[:-2]
    row = target.chunks[len(outer)]
    for index in np.ndindex(*outer):
        for first in range(0, last, row):
            part = (*index, slice(first, first + row))
            target[part] = np.asarray(source[part])


def _each_has_its_own(mask: Any) -> bool:
    return mask is not None and len(mask.shape) > 2


def load(path: str | os.PathLike[str]) -> DiffractionScan:
    """Open a saved scan.

    Parameters
    ----------
    path : path-like
        A folder or a ``.npz`` file.

    Returns
    -------
    DiffractionScan
        The scan; the patterns of a folder stay on disk.

    Raises
    ------
    ValueError
        If there is no such scan, or it is not finished, or damaged.
    """
    source = Path(path)
    if source.suffix == ".npz" and source.is_file():
        return _read_record(source)[0]
    if not (source / _ARGUMENTS).exists():
        raise ValueError(
            f"path={str(path)!r}: is no folder or .npz file of a scan; measured "
            "patterns go through DiffractionScan.from_array"
        )
    if not (source / _RECORD).exists():
        raise ValueError(
            f"path={str(path)!r}: the scan is not finished; call scan(..., keep={str(path)!r}) "
            "again with the same arguments to go on"
        )
    scan, states = _read_record(source / _RECORD)
    names = {_PATTERNS, *states} | ({_MASK} if (source / _MASK).exists() else set())
    on_disk = {name: _open(source / name, "r", states.get(name)) for name in names}
    return replace(scan, patterns=on_disk[_PATTERNS], mask=on_disk.get(_MASK, scan.mask))


def _new_folder(
    path: Path, shape: tuple[int, ...], dtype: str, arguments: Mapping[str, Any]
) -> None:
    """Make the folder of a scan, its patterns empty; the arguments come last and make it valid."""
    path.mkdir(parents=True)
    _new_array(path / _PATTERNS, shape, dtype)
    with atomic_path(path / _ARGUMENTS) as temporary:
        temporary.write_text(to_json(arguments), encoding="utf-8")


def _new_array(path: Path, shape: tuple[int, ...], dtype: str) -> Any:
    """Make an array on disk in chunks of some patterns."""
    import zarr
    from zarr.codecs import Crc32cCodec, ZstdCodec

    size = max(1, _CHUNK // (np.dtype(dtype).itemsize * shape[-2] * shape[-1]))
    # Rows are written side by side, each a line of the grid or so many positions of a list: with
    # a power of two up to that, no two share a chunk.
    size = min(2 ** int(np.log2(size)), LIST_ROW, shape[-3])
    return zarr.create_array(
        store=path,
        shape=shape,
        chunks=(*(1 for _ in shape[:-3]), size, *shape[-2:]),
        dtype=dtype,
        # Noise does not get smaller, counts do.
        compressors=[ZstdCodec()] * (np.dtype(dtype).kind in "biu") + [Crc32cCodec()],
    )


def _open_patterns(path: Path, mode: Literal["r", "r+"]) -> Any:
    return _open(path / _PATTERNS, mode)


def _open(path: Path, mode: Literal["r", "r+"], state: str | None = None) -> Any:
    """Open an array, and compare it with what was noted of it when it was written."""
    import zarr

    with reading(path, "is no array of a scan, or is damaged"):
        array = zarr.open_array(path, mode=mode)
        if state is not None:
            _hold(_state(array), state)
    return array


def _layout(array: Any) -> str:
    """Return how the chunks of an array are read, which their checksums do not cover."""
    return to_json(array.metadata.to_dict())


def _state(array: Any) -> str:
    """Return the layout and how many chunks there are; missing ones are read as zeros."""
    return f"{_layout(array)} in {array.nchunks_initialized} chunks"


def _hold(found: str, written: str) -> None:
    if found != written:
        raise ValueError(f"was written as {written}, and is {found}")


def _compare(path: Path, arguments: Mapping[str, Any]) -> None:
    """Refuse to go on with a scan of other arguments."""
    if not (path / _ARGUMENTS).exists():
        raise ValueError(f"keep={str(path)!r}: exists already and is no scan; use another name")
    with reading(path / _ARGUMENTS, "does not say what the scan depends on"):
        saved = dict(from_json((path / _ARGUMENTS).read_text(encoding="utf-8")))
    for name in sorted({*saved, *arguments}):
        old, new = saved.get(name), arguments.get(name)
        if old != new:
            raise ValueError(
                f"keep={str(path)!r}: its scan has {name}={old!r}, this one {name}={new!r}; use "
                "the same arguments to go on, or another folder"
            )


def _write_record(
    path: Path,
    scan: DiffractionScan,
    *,
    patterns: bool = False,
    on_disk: Mapping[str, str] | None = None,
) -> None:
    """Write everything into one file, patterns if they are asked for and there."""
    arrays = {
        name: getattr(scan, name) for name in ("k_x", "k_y", "positions", "mean", "mean_square")
    }
    if scan.rotations is not None:
        arrays["rotations"] = scan.rotations
    if scan.mask is not None and (patterns or not _each_has_its_own(scan.mask)):
        arrays["mask"] = np.asarray(scan.mask)
    if patterns and scan.patterns is not None:
        arrays["patterns"] = np.asarray(scan.patterns)
    arrays |= {f"reduction/{name}": values for name, values in scan.reductions.items()}
    text = {
        "shape": scan.shape,
        "probe": None if scan.probe is None else asdict(scan.probe),
        "info": scan.info,
        "on_disk": on_disk or {},
    }
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, text=np.array(to_json(text)), **arrays)


def _read_record(path: Path) -> tuple[DiffractionScan, dict[str, str]]:
    """Read what :func:`_write_record` wrote: the scan, and the states of its arrays on disk."""
    with reading(path, "holds no scan"):
        return _restored(read_arrays(path))


def _restored(arrays: dict[str, Any]) -> tuple[DiffractionScan, dict[str, str]]:
    text = from_json(str(arrays.pop("text")))
    reductions = {
        name.removeprefix("reduction/"): arrays.pop(name)
        for name in list(arrays)
        if name.startswith("reduction/")
    }
    probe = None if text["probe"] is None else Probe(**text["probe"])
    scan = DiffractionScan(
        **arrays, shape=tuple(text["shape"]), reductions=reductions, probe=probe, info=text["info"]
    )
    return scan, text.get("on_disk", {})  # earlier versions noted nothing
