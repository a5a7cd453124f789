"""The glasses that come with the package, made by ``scripts/make_*.py``."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import ase.io
from ase import Atoms

from glassnb.core.provenance import atomic_path

__all__ = ["available", "available_series", "load", "load_series", "pack", "pack_series"]

_SUFFIX = ".extxyz.gz"
_SERIES = ".series.extxyz.gz"


def available() -> tuple[str, ...]:
    """Return the names of the glasses that come with the package.

    Returns
    -------
    tuple of str
        Names for :func:`load`, sorted.

    Examples
    --------
    >>> "silica-pristine-3000" in available()
    True
    """
    return tuple(name for name in _names(_SUFFIX) if not name.endswith(".series"))


def available_series() -> tuple[str, ...]:
    """Return the names of the series of glasses that come with the package.

    Returns
    -------
    tuple of str
        Names for :func:`load_series`, sorted.

    Examples
    --------
    >>> "silica-densified-648" in available_series()
    True
    """
    return _names(_SERIES)


def load(name: str) -> Atoms:
    """Return a glass that comes with the package.

    Parameters
    ----------
    name : str
        One of :func:`available`.

    Returns
    -------
    ase.Atoms
        The glass, positions in Å to 4 decimals; ``atoms.info["history"]`` says how it was made.

    Raises
    ------
    ValueError
        If there is no glass of that name.

    Examples
    --------
    >>> glass = load("silica-pristine-3000")
    >>> glass.get_chemical_formula()
    'O2000Si1000'
    """
    if name not in available():
        raise ValueError(f"name={name!r}: must be one of {', '.join(available()) or '(none)'}")
    return _read(f"{name}{_SUFFIX}")[0]


def load_series(name: str) -> list[Atoms]:
    """Return a series of glasses that comes with the package.

    Parameters
    ----------
    name : str
        One of :func:`available_series`.

    Returns
    -------
    list of ase.Atoms
        The glasses, each as :func:`load` gives it, in the order of pressure and seed.

    Raises
    ------
    ValueError
        If there is no series of that name.

    Examples
    --------
    >>> glasses = load_series("silica-compressed-648")
    >>> [glass.info["history"]["parameters"]["pressure"] for glass in glasses[::3]]
    [0, 3, 6, 9, 12]
    """
    if name not in available_series():
        known = ", ".join(available_series()) or "(none)"
        raise ValueError(f"name={name!r}: must be one of {known}")
    return _read(f"{name}{_SERIES}")


def pack(atoms: Atoms, name: str, folder: str | os.PathLike[str] | None = None) -> Path:
    """Write a glass as a file that :func:`load` finds.

    Parameters
    ----------
    atoms : ase.Atoms
        The glass; positions are rounded to 4 decimals.
    name : str
        Its name.
    folder : path-like, optional
        Where to write; the package's own folder when omitted.

    Returns
    -------
    pathlib.Path
        The file.
    """
    return _write([atoms], f"{name}{_SUFFIX}", folder)


def pack_series(
    glasses: Sequence[Atoms], name: str, folder: str | os.PathLike[str] | None = None
) -> Path:
    """Write a series of glasses as a file that :func:`load_series` finds.

    Parameters
    ----------
    glasses : sequence of ase.Atoms
        The glasses; positions are rounded to 4 decimals.
    name : str
        Name of the series.
    folder : path-like, optional
        Where to write; the package's own folder when omitted.

    Returns
    -------
    pathlib.Path
        The file.
    """
    return _write(glasses, f"{name}{_SERIES}", folder)


def _names(suffix: str) -> tuple[str, ...]:
    files = [entry.name for entry in _folder().iterdir()] if _folder().is_dir() else []
    return tuple(sorted(name.removesuffix(suffix) for name in files if name.endswith(suffix)))


def _read(file: str) -> list[Atoms]:
    text = gzip.decompress((_folder() / file).read_bytes()).decode()
    return list(ase.io.iread(io.StringIO(text), index=":", format="extxyz"))


def _write(glasses: Sequence[Atoms], file: str, folder: str | os.PathLike[str] | None) -> Path:
    rounded = [Atoms(g.symbols, g.positions.round(4), cell=g.cell, pbc=g.pbc) for g in glasses]
    for copy, glass in zip(rounded, glasses, strict=True):
        copy.info = dict(glass.info)
    text = io.StringIO()
    ase.io.write(text, rounded, format="extxyz")
    target = Path(str(_folder()) if folder is None else folder) / file
    with atomic_path(target) as temporary:
        # No time and no file name inside: the same glass gives the same bytes.
        temporary.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    return target


def _folder() -> Traversable:
    return resources.files("glassnb") / "data" / "glasses"
