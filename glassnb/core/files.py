"""Read and write structures: what ASE knows, and the formats of reverse Monte Carlo and SOVA.

=============  ============================================  =====================================
suffix         file                                          read and written by
=============  ============================================  =====================================
``.cfg``       RMC++ and RMCA configuration, version 3       :mod:`glassnb.core.formats.rmc_cfg`
``.cfg``       AtomEye configuration (told by its content)   ASE, format ``"cfg"``
``.rmc6f``     RMCProfile configuration                      :mod:`glassnb.core.formats.rmc6f`
``.xyz``       SOVA and pyMolDyn (second line ``CUB 24.7``)  :mod:`glassnb.core.formats.sova_xyz`
``.xyz``       extended and plain xyz                        ASE, format ``"extxyz"``
``.data``      LAMMPS data (also ``.lmp``, ``.lammps``)      ASE, format ``"lammps-data"``
others         cif, POSCAR, LAMMPS dump, traj, ...           ASE
=============  ============================================  =====================================

Any of them may be compressed (``.gz``, ``.bz2``, ``.xz``).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import ase.io
import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.io.formats import UnknownFileTypeError, filetype, ioformats, open_with_compression
from ase.spacegroup.spacegroup import SpacegroupNotFoundError

from glassnb.core.formats import cif, rmc6f, rmc_cfg, sova_xyz
from glassnb.core.provenance import atomic_path

__all__ = ["read", "write"]

_COMPRESSED = (".gz", ".bz2", ".xz")
# Own formats, by the names that `write` accepts.
_RENDER = {"rmc": rmc_cfg.render, "rmc6f": rmc6f.render, "sova": sova_xyz.render}


def read(path: str | os.PathLike[str], species: Sequence[str] | None = None) -> Atoms:
    """Read a structure from a file.

    Parameters
    ----------
    path : path-like
        The file; its suffix and content tell the format. Of several frames the last is read.
    species : sequence of str, optional
        Chemical elements, for formats that only number the kinds of atoms: RMC++ ``.cfg``, and
        LAMMPS data and dump files.

    Returns
    -------
    ase.Atoms
        The structure, positions in Å.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, cut short or not of its format, if a coordinate is not a finite
        number, or if ``species`` does not suit the file. The message names the file and, where
        the format allows, the line and what was expected there.

    Warns
    -----
    UserWarning
        If an RMC++ file is read without ``species``: its atoms become ``X``.

    Examples
    --------
    >>> glass = read("silica.cfg", species=("Si", "O"))  # doctest: +SKIP
    """
    name, suffix = str(path), _suffix(path)
    if not Path(path).is_file():
        raise FileNotFoundError(f"{name}: no such file")
    elements = None if species is None else _elements(species)
    text = _text(path) if suffix in (".cfg", ".rmc6f", ".xyz", ".extxyz") else None
    if Path(path).stat().st_size == 0 or (text is not None and not text.strip()):
        raise ValueError(f"{name}, line 1: expected a structure, found an empty file")
    if text is not None and suffix == ".cfg" and rmc_cfg.recognise(text):
        return rmc_cfg.parse(name, text, elements)
    if elements is not None and text is not None:
        raise ValueError(_needless(name, elements))
    if text is not None and suffix == ".rmc6f":
        return rmc6f.parse(name, text)
    if text is not None and suffix == ".xyz" and sova_xyz.recognise(text):
        return sova_xyz.parse(name, text)
    if text is not None and suffix in (".xyz", ".extxyz"):
        sova_xyz.check_frames(name, text)
    if text is not None and suffix == ".cfg" and "Number of particles" not in text[:2000]:
        raise ValueError(
            f"{name}, line 1: expected '(Version 3 format configuration file)' of RMC++ or "
            f"'Number of particles' of AtomEye, found {text.splitlines()[0][:80]!r}"
        )
    return _checked(name, _read_with_ase(name, elements))


def _suffix(path: str | os.PathLike[str]) -> str:
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _text(path: str | os.PathLike[str]) -> str:
    try:
        with open_with_compression(str(path), "rt") as file:
            return str(file.read())
    except (EOFError, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected a text file, but {error}") from error


def _elements(species: Sequence[str]) -> list[str]:
    elements = [species] if isinstance(species, str) else list(species)
    for symbol in elements:
        if symbol not in atomic_numbers:
            raise ValueError(
                f"species={species!r}: {symbol!r} is no chemical element; "
                "name one element for each kind of atom, as in species=('Si', 'O')"
            )
    return elements


def _needless(name: str, elements: list[str]) -> str:
    return f"species={tuple(elements)}: {name} names its elements itself; leave species out"


def _read_with_ase(name: str, elements: list[str] | None) -> Atoms:
    kind = _kind(name)
    options: dict[str, Any] = {"index": -1, "format": kind, "do_not_split_by_at_sign": True}
    if elements is not None:
        if kind == "lammps-data":
            options["Z_of_type"] = {i: atomic_numbers[s] for i, s in enumerate(elements, 1)}
        elif kind.startswith("lammps-dump"):
            options["specorder"] = elements
        else:
            raise ValueError(_needless(name, elements))
    try:
        return cast(Atoms, ase.io.read(name, **options))
    except SpacegroupNotFoundError as error:
        if atoms := cif.parse_by_operations(_text(name)):
            return atoms
        raise ValueError(f"{name}: {error}") from error
    except Exception as error:  # the readers of ASE fail in their own ways
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        raise ValueError(f"{name}: cannot be read as {kind} ({what})") from error


def _kind(name: str) -> str:
    """Tell the format, by the name that ASE has for it."""
    # ASE takes the suffix .data for another program.
    if _suffix(name) in (".data", ".lmp", ".lammps") and "xlo xhi" in _text(name)[:4000]:
        return "lammps-data"
    try:
        return str(filetype(name))
    except UnknownFileTypeError as error:
        raise ValueError(
            f"{name}: expected a structure file, but its format is unknown; give it the suffix "
            "of its format, such as .cfg (RMC++), .rmc6f, .xyz, .cif, .vasp"
        ) from error


def _checked(name: str, atoms: Atoms) -> Atoms:
    if len(atoms) == 0:
        raise ValueError(f"{name}: expected a structure, found no atoms")
    wrong = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if len(wrong):
        raise ValueError(
            f"{name}: expected finite coordinates, found {atoms.positions[wrong[0]]} "
            f"at atom {wrong[0] + 1} of {len(atoms)}"
        )
    if not np.isfinite(atoms.cell.array).all():
        raise ValueError(f"{name}: expected finite cell vectors, found {atoms.cell.tolist()}")
    if atoms.pbc.all() and atoms.cell.rank < 3:
        raise ValueError(f"{name}: expected a cell with a volume, found {atoms.cell.tolist()}")
    return atoms


def write(path: str | os.PathLike[str], atoms: Atoms, *, format: str | None = None) -> None:
    """Write a structure to a file, which is whole or absent.

    Parameters
    ----------
    path : path-like
        Where to write; its suffix tells the format unless ``format`` does.
    atoms : ase.Atoms
        The structure, positions in Å. RMC formats group the atoms by element and put atoms
        outside the cell back into it.
    format : str, optional
        ``"rmc"`` (RMC++ version 3, default for ``.cfg``), ``"rmc6f"``, ``"sova"`` (xyz with the
        cell in the second line), or a name that ASE knows, such as ``"cfg"`` for AtomEye.

    Raises
    ------
    ValueError
        If the arguments are not a path and a structure, if the structure is empty, has
        coordinates that are not finite or lacks the periodic cell that the format demands, or if
        the format is unknown.
    """
    if not isinstance(path, (str, os.PathLike)) or not isinstance(atoms, Atoms):
        raise ValueError(
            f"write({type(path).__name__}, {type(atoms).__name__}): "
            "expected write(path, atoms) with an ase.Atoms"
        )
    name, suffix = str(path), _suffix(path)
    _checked(name, atoms)
    kind = format or {".cfg": "rmc", ".rmc6f": "rmc6f"}.get(suffix) or _ase_format(name)
    if kind in ("rmc", "rmc6f") and not (atoms.pbc.all() and atoms.cell.rank == 3):
        raise ValueError(
            f"{name}: {kind} files describe a periodic box, but atoms has pbc={atoms.pbc.tolist()} "
            f"and cell={atoms.cell.tolist()}; set both"
        )
    with atomic_path(path) as temporary:
        if kind in _RENDER:
            with open_with_compression(str(temporary), "wt") as file:
                file.write(_RENDER[kind](atoms))
            return
        try:
            ase.io.write(str(temporary), atoms, format=kind)
        except Exception as error:  # the writers of ASE fail in their own ways
            what = f"{type(error).__name__}: {error}".rstrip(": ")
            raise ValueError(f"{name}: cannot be written as {kind} ({what})") from error


def _ase_format(name: str) -> str:
    try:
        kind = str(filetype(name, read=False))
    except UnknownFileTypeError:
        kind = ""
    if kind not in ioformats:
        raise ValueError(
            f"{name}: no format has this suffix; pass format=, such as 'extxyz', 'rmc' or 'sova'"
        )
    return kind
