"""Long runs that can be killed: the state on disk is always whole.

A folder holds the engine's restart file and the records made so far, both named by the step, and
``checkpoint.json``, which is replaced last and names the step that counts, with the checksums of
both, so that no run goes on from a damaged file. Under ``mpirun`` the first process writes, and
all read: they must see the same folder.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glassnb.core.provenance import atomic_path, from_json, read_arrays, reading, to_json
from glassnb.models.lammps_engine import ranks

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["Checkpoint", "read_index"]

_INDEX = "checkpoint.json"


class Checkpoint:
    """The folder in which a run saves its state; a ``with`` block keeps it for this run alone.

    Parameters
    ----------
    folder : path-like
        Made if missing.
    arguments : dict
        What the run depends on; only a run with the same arguments may resume.

    Raises
    ------
    ValueError
        If the folder holds the state of a run with other arguments, or is in use, or one of its
        files is damaged.
    """

    def __init__(self, folder: str | os.PathLike[str], arguments: Mapping[str, Any]) -> None:
        self.folder = Path(folder)
        self.arguments = from_json(to_json(dict(arguments)))
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"checkpoint={str(folder)!r}: must be a folder, but is a file")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.step, self._saved = 0, -1
        self._writes = ranks()[0] == 0
        self._lock = _lock(self.folder) if self._writes else None
        self._index = self.folder / _INDEX
        if not self._index.exists():
            return
        try:
            arguments, self.step = read_index(self.folder)
            self._saved = self.step
            self._compare(arguments)
        except (ValueError, FileNotFoundError):
            self.close()
            raise

    def __enter__(self) -> Checkpoint:
        """Return the folder."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Let other runs have the folder."""
        self.close()

    def close(self) -> None:
        """Let other runs have the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def restart(self) -> Path:
        """The engine's restart file of the present step."""
        return _restart(self.folder, self.step)

    @property
    def _records(self) -> Path:
        return _records(self.folder, self.step)

    def load(self) -> dict[str, np.ndarray] | None:
        """Return the arrays of the last save, or ``None`` if there is none."""
        if not self._index.exists():
            return None
        with reading(self._records, "holds no records of a run"):
            return read_arrays(self._records)

    def save(
        self, step: int, write_restart: Callable[[Path], None], records: Mapping[str, np.ndarray]
    ) -> None:
        """Save the state of a step, and then remove the one before.

        Parameters
        ----------
        step : int
            Number of steps done.
        write_restart : callable
            Called with the path to which the engine writes its restart file.
        records : dict of numpy.ndarray
            What :meth:`load` shall return.
        """
        if step == self._saved:
            return  # what is whole on disk is not touched
        before, self.step, self._saved = self.step, step, step
        if not self._writes:
            write_restart(self.restart)  # all processes take part; the first one has the file
            return
        with atomic_path(self.restart) as temporary:
            write_restart(temporary)
        with atomic_path(self._records) as temporary:
            np.savez_compressed(temporary, **records)  # type: ignore[arg-type]
        with atomic_path(self._index) as temporary:
            sums = _checksums(self.restart, self._records)
            text = to_json({"arguments": self.arguments, "step": step, "sha256": sums})
            temporary.write_text(text, encoding="utf-8")
        if before != step:
            for path in (_restart(self.folder, before), _records(self.folder, before)):
                path.unlink(missing_ok=True)

    def _compare(self, saved: Mapping[str, Any]) -> None:
        for name in sorted({*saved, *self.arguments}):
            old, new = saved.get(name), self.arguments.get(name)
            if old != new:
                raise ValueError(
                    f"checkpoint={str(self.folder)!r}: its run has {name}={old!r}, this one "
                    f"{name}={new!r}; use the same arguments to resume, or another folder"
                )


def read_index(folder: Path) -> tuple[dict[str, Any], int]:
    """Read which state of a folder counts, and compare its files with their checksums.

    Parameters
    ----------
    folder : pathlib.Path
        Of a run.

    Returns
    -------
    arguments : dict
        What the run depends on.
    step : int
        Which state counts.

    Raises
    ------
    ValueError
        If a file is damaged.
    """
    path = folder / _INDEX
    with reading(path, "names no whole state of a run; remove the folder to begin anew"):
        index = from_json(path.read_text(encoding="utf-8"))
        arguments, step = dict(index["arguments"]), int(index["step"])
        sums = _checksums(_restart(folder, step), _records(folder, step))
        if index.get("sha256", sums) != sums:  # earlier versions wrote none
            raise ValueError(f"{', '.join(sums)}: have other checksums than were saved")
    return arguments, step


def _restart(folder: Path, step: int) -> Path:
    return folder / f"restart-{step}.bin"


def _records(folder: Path, step: int) -> Path:
    return folder / f"records-{step}.npz"


def _checksums(*paths: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _lock(folder: Path) -> int | None:
    """Lock a folder, where the system can; the lock ends with the process, however it ends."""
    if fcntl is None:
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ValueError(
            f"checkpoint={str(folder)!r}: another run uses this folder; wait for its end, or use "
            "another folder"
        ) from None
    except OSError:  # a file system without locks
        os.close(handle)
        return None
    return handle
