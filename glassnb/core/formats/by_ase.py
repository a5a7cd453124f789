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

from glassnb.core.formats import asymmetric
from glassnb.core.formats.lines import Lines, number, whole
from glassnb.core.formats.masses import by_mass
from glassnb.core.isotopes import NAME, isotopes_of, parse_species, set_isotopes

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
    if kind == "vasp-xdatcar" and text is not None:
        announced = text.count("Direct configuration=")
        if announced != count:
            raise ValueError(f"{name}: expected {announced} frames of XDATCAR, found {count}")
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
    if kind == "vasp" and text is not None:
        _check_poscar(Lines(name, text), len(atoms))
    if kind == "cfg":
        _hold_to_masses(name, atoms)  # LAMMPS writes C where it was not told the elements
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


def _check_poscar(lines: Lines, total: int) -> None:
    """Fail if more coordinates follow than POSCAR announces: ASE passes over them."""
    named = None in map(whole, lines.lines[5].split())
    lines.number = 7 if named else 6
    if lines.next("the kind of coordinates", blank=True).strip()[:1].lower() == "s":
        lines.next("the kind of coordinates", blank=True)  # after "Selective dynamics"
    lines.number += total + 1
    words = lines.current.split()
    if len(words) > 2 and None not in map(number, words[:3]):
        lines.fail(f"the end of the coordinates after {total} atoms")


def _hold_to_masses(name: str, atoms: Atoms) -> None:
    """Fail if AtomEye's masses contradict the elements, or take them where all atoms are C."""
    pairs = list(zip(atoms.symbols, atoms.get_masses().tolist(), strict=True))
    told = {pair: by_mass(repr(pair[1]), pair[0]) for pair in set(pairs)}
    wrong = {(symbol, mass): label for (symbol, mass), label in told.items()
             if label is not None and parse_species(label)[0] != symbol}  # fmt: skip
    if wrong and all(symbol == "C" and label for (symbol, _), label in told.items()):
        kinds = [parse_species(str(told[pair])) for pair in pairs]
        atoms.symbols[:] = [symbol for symbol, _ in kinds]
        set_isotopes(atoms, [isotope for _, isotope in kinds])
    elif wrong:
        (symbol, mass), label = wrong.popitem()
        raise ValueError(f"{name}: expected the mass of {symbol}, found {mass}, that of {label}")
