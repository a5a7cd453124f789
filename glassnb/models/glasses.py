"""The glasses that come with the package, made by ``scripts/make_glasses.py``."""

from __future__ import annotations

import gzip
import io
import os
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import ase.io
from ase import Atoms

from glassnb.core.provenance import atomic_path

__all__ = ["available", "load", "pack"]

_SUFFIX = ".extxyz.gz"


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
    files = [entry.name for entry in _folder().iterdir()] if _folder().is_dir() else []
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in files if name.endswith(_SUFFIX)))


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
    text = gzip.decompress((_folder() / f"{name}{_SUFFIX}").read_bytes()).decode()
    atoms = ase.io.read(io.StringIO(text), format="extxyz")
    assert isinstance(atoms, Atoms)
    return atoms


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
    rounded = Atoms(atoms.symbols, atoms.positions.round(4), cell=atoms.cell, pbc=atoms.pbc)
    rounded.info = dict(atoms.info)
    text = io.StringIO()
    ase.io.write(text, rounded, format="extxyz")
    target = Path(str(_folder()) if folder is None else folder) / f"{name}{_SUFFIX}"
    with atomic_path(target) as temporary:
        # No time and no file name inside: the same glass gives the same bytes.
        temporary.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    return target


def _folder() -> Traversable:
    return resources.files("glassnb") / "data" / "glasses"
