"""Files that ASE reads, with errors that name them and checks that ASE does not make."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import ase.io
from ase import Atoms
from ase.io.formats import ioformats
from ase.io.trajectory import TrajectoryReader

from glassnb.core.formats import asymmetric, vasp
from glassnb.core.formats.lines import Lines
from glassnb.core.isotopes import NAME, isotopes_of

__all__ = ["frames"]


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
        return [partial(_single, name, kind, source, text)]
    with _named(name, kind):
        if kind == "traj":  # may be long
            run: Any = TrajectoryReader(source())
        else:
            run = ase.io.read(source(), index=":", format=kind)
        count = len(run)
    return [partial(_one, name, kind, run, i, text) for i in range(count)]


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


def _single(name: str, kind: str, source: Callable[[], Any], text: str | None) -> Atoms:
    with _named(name, kind):
        atoms = _with_isotopes(cast(Atoms, ase.io.read(source(), format=kind)))
    if text is not None and kind == "vasp":
        vasp.check_poscar(Lines(name, text), len(atoms))
    return asymmetric.complete(name, text or "", kind, atoms)


def _one(name: str, kind: str, run: Any, index: int, text: str | None) -> Atoms:
    with _named(name, kind):
        atoms = _with_isotopes(run[index])
    return asymmetric.complete(name, text or "", kind, atoms)


def _with_isotopes(atoms: Atoms) -> Atoms:
    """Return the atoms with isotopes as whole numbers, where a format keeps any array."""
    if NAME in atoms.arrays:
        atoms.arrays[NAME] = isotopes_of(atoms)
    return atoms


@contextmanager
def _named(name: str, kind: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the readers of ASE fail in their own ways
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        raise ValueError(f"{name}: cannot be read as {kind} ({what})") from error
