"""Long runs that can be killed: the state on disk is always whole.

A folder holds the engine's restart file and the records made so far, both named by the step, and
``checkpoint.json``, which is replaced last and names the step that counts. Under ``mpirun`` the
first process writes, and all read: they must see the same folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glassnb.core.provenance import atomic_path, from_json, to_json
from glassnb.models.lammps_engine import ranks

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["Checkpoint"]

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
        If the folder holds the state of a run with other arguments, or is in use.
    """

    def __init__(self, folder: str | os.PathLike[str], arguments: Mapping[str, Any]) -> None:
        self.folder = Path(folder)
        self.arguments = from_json(to_json(dict(arguments)))
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"checkpoint={str(folder)!r}: must be a folder, but is a file")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.step = 0
        self._writes = ranks()[0] == 0
        self._lock = _lock(self.folder) if self._writes else None
        self._index = self.folder / _INDEX
        if not self._index.exists():
            return
        index = from_json(self._index.read_text(encoding="utf-8"))
        try:
            self._compare(index["arguments"])
        except ValueError:
            self.close()
            raise
        self.step = int(index["step"])

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
        return self.folder / f"restart-{self.step}.bin"

    def load(self) -> dict[str, np.ndarray] | None:
        """Return the arrays of the last save, or ``None`` if there is none."""
        if not self._index.exists():
            return None
        with np.load(self.folder / f"records-{self.step}.npz") as file:
            return dict(file)

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
        before = self.step
        self.step = step
        if not self._writes:
            write_restart(self.restart)  # all processes take part; the first one has the file
            return
        with atomic_path(self.restart) as temporary:
            write_restart(temporary)
        with atomic_path(self.folder / f"records-{step}.npz") as temporary:
            np.savez_compressed(temporary, **records)  # type: ignore[arg-type]
        with atomic_path(self._index) as temporary:
            text = to_json({"arguments": self.arguments, "step": step})
            temporary.write_text(text, encoding="utf-8")
        if before != step:
            for name in (f"restart-{before}.bin", f"records-{before}.npz"):
                (self.folder / name).unlink(missing_ok=True)

    def _compare(self, saved: Mapping[str, Any]) -> None:
        for name in sorted({*saved, *self.arguments}):
            old, new = saved.get(name), self.arguments.get(name)
            if old != new:
                raise ValueError(
                    f"checkpoint={str(self.folder)!r}: its run has {name}={old!r}, this one "
                    f"{name}={new!r}; use the same arguments to resume, or another folder"
                )


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
