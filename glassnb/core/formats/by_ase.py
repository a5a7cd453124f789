"""Files that ASE reads, with errors that name them and checks that ASE does not make.

SHELX (``.res``) and protein data bank files may list the asymmetric unit alone, and ASE passes over
symmetry: a cell that holds no more than that is refused. Occupancies of SHELX are read here.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import ase.io
import numpy as np
from ase import Atoms
from ase.io.formats import ioformats
from ase.io.trajectory import TrajectoryReader

from glassnb.core.formats import vasp
from glassnb.core.formats.lines import Lines
from glassnb.core.isotopes import NAME, isotopes_of
from glassnb.core.provenance import reading

__all__ = ["frames"]

_ATOM = re.compile(r"\w+\s+\d+(?:\s+[\d.-]+){3}\s+([\d.-]+)")


def frames(name: str, kind: str, data: bytes, text: str | None) -> list[Callable[[], Atoms]]:
    """Find the frames of a file.

    Parameters
    ----------
    name : str
        The file.
    kind : str
        Its format, as ASE names it.
    data : bytes
        What is in it.
    text : str or None
        The same as text, None if it is none.

    Returns
    -------
    list of callable
        One for each frame, which reads it.

    Raises
    ------
    ValueError
        If the file cannot be read. The message names it.
    """
    form = ioformats[kind]
    source = partial(_source, name, kind, data, text)
    if form.single:
        return [partial(_one, name, kind, text, lambda: ase.io.read(source(), format=kind))]
    with reading(name, f"cannot be read as {kind}"):
        if kind == "traj":  # may be long
            run: Any = TrajectoryReader(source())
        else:
            run = ase.io.read(source(), index=":", format=kind)
        count = len(run)
    return [partial(_one, name, kind, text, partial(run.__getitem__, i)) for i in range(count)]


def _source(name: str, kind: str, data: bytes, text: str | None) -> Any:
    """Return what ASE shall read: the content, which is read and unpacked already, or the path."""
    form = ioformats[kind]
    if not form.acceptsfd:
        return name
    file: Any
    if text is None or form.isbinary:
        file = io.BytesIO(data if text is None else text.encode())
    else:
        file = io.StringIO(text)
    file.name = name
    return file


def _one(name: str, kind: str, text: str | None, get: Callable[[], Any]) -> Atoms:
    if text is not None and kind == "vasp":
        vasp.check_poscar(Lines(name, text))
    with reading(name, f"cannot be read as {kind}"):
        atoms = _with_isotopes(cast(Atoms, get()))
    return _complete(name, text or "", kind, atoms)


def _with_isotopes(atoms: Atoms) -> Atoms:
    """Return the atoms with isotopes as whole numbers, where a format keeps any array."""
    if NAME in atoms.arrays:
        atoms.arrays[NAME] = isotopes_of(atoms)
    return atoms


def _complete(path: str, text: str, kind: str, atoms: Atoms) -> Atoms:
    """Add what ASE left out, or refuse a file whose symmetry it passed over.

    Parameters
    ----------
    path : str
        Name of the file, for messages.
    text : str
        Its content.
    kind : str
        Name that ASE has for the format.
    atoms : ase.Atoms
        What ASE read.

    Returns
    -------
    ase.Atoms
        The same, with ``arrays["occupancy"]`` for SHELX.

    Raises
    ------
    ValueError
        If symmetry operations would make more atoms of those listed.
    """
    if kind == "proteindatabank":
        found = re.search(r"^CRYST1.{48}\s(.{1,11})", text, re.M)
        group = found[1].strip() if found else ""
        if group not in ("", "P 1", "P1"):
            raise ValueError(_refusal(path, f"the space group {group!r}"))
    if kind == "res":
        head, _, body = text.partition("SFAC")
        lattice = re.search(r"^LATT\s+(-?\d+)", head, re.M)
        if re.search(r"^SYMM", head, re.M) or (lattice and lattice[1] != "-1"):
            raise ValueError(_refusal(path, "symmetry (LATT, SYMM)"))
        given = [float(number) for number in _ATOM.findall(body)]
        if len(given) == len(atoms):
            # SHELX adds 10 to what is not refined.
            atoms.set_array("occupancy", np.where(np.array(given) > 5, -10, 0) + given)
    return atoms


def _refusal(path: str, what: str) -> str:
    return (
        f"{path}: states {what}, which is not applied to the atoms of this format; convert it to "
        "a CIF, or to a list of all atoms of the cell"
    )
