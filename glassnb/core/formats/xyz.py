"""The xyz files of all kinds: plain, extended, of SOVA and pyMolDyn, and of LAMMPS.

A frame is the number of atoms, a comment, and one line for each atom. The comment of extended xyz
(``Lattice="..." Properties=species:S:1:pos:R:3``) and that of SOVA tell the cell. Atoms are named
by element or isotope (``Si``, ``D``, ``Li-6``); LAMMPS writes the numbers of its types instead,
unless it was told the elements, and other programs atomic numbers, which leave out some from 1 on.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from ase.io.extxyz import key_val_str_to_dict, read_xyz

from glassnb.core.callers import warn
from glassnb.core.formats import sova_xyz
from glassnb.core.formats.lines import Lines, number, whole
from glassnb.core.formats.species import (
    assemble,
    check_label,
    is_label,
    labels_of,
    name_types,
    refuse_species,
)
from glassnb.core.isotopes import NAME, parse_species, set_isotopes
from glassnb.core.provenance import reading

__all__ = ["frames", "recognise", "render"]

_SAME = {"symbols": "species", "numbers": "Z", "positions": "pos"}  # names of ASE's arrays


def recognise(text: str) -> bool:
    """Tell an xyz file by its first three lines."""
    first, second, third, *_ = [*text[:20000].split("\n", 3), "", ""]
    if not first.strip().isdigit():
        return False
    words = third.split()
    row = len(words) > 3 and None not in map(number, words[1:4])
    return row or sova_xyz.recognise(second) or "Lattice=" in second or "Properties=" in second


def frames(lines: Lines, species: Sequence[str] | None) -> list[Callable[[], Atoms]]:
    """Find the frames of an xyz file.

    Parameters
    ----------
    lines : Lines
        The file.
    species : sequence of str or None
        Label of each type, where the file only numbers them.

    Returns
    -------
    list of callable
        One for each frame, which reads it.
    """
    found: list[Callable[[], Atoms]] = []
    what = "the number of atoms"
    while lines.more():
        found.append(partial(_frame, lines, lines.number, species))
        total = lines.integer(what, alone=True)
        lines.next("a comment line", blank=True)
        for index in range(total):
            atom = f"atom {index + 1} of {total}: element and 3 coordinates in Å"
            if len(lines.next(atom).split()) < 4:
                lines.fail(atom)
        _vectors(lines)
        what = f"the end of the file after {total} atoms, or the number of atoms of a next frame"
    return found


def _vectors(lines: Lines) -> list[str]:
    """Pass over cell vectors after the atoms, an old habit that ASE knows."""
    vectors = []
    while lines.more() and lines.lines[lines.number].startswith("VEC"):
        vectors.append(lines.next("a cell vector"))
    return vectors


class _Columns(NamedTuple):
    """Where the words of an atom's line stand."""

    name: int | None = 0
    number: int | None = None  # atomic number
    position: int = 1
    total: int | None = None  # of words; lines of plain xyz have as many as the first has


def _frame(lines: Lines, start: int, species: Sequence[str] | None) -> Atoms:
    lines.number = start
    total = lines.integer("the number of atoms")
    comment = lines.next("a comment line", blank=True)
    sova = sova_xyz.recognise(comment)
    cell = sova_xyz.cell_of(lines) if sova else None
    columns = _Columns() if sova else _columns(lines)
    rows: list[list[str]] = []
    for index in range(total):
        rows.append(_row(lines, columns, f"finite coordinates of atom {index + 1} of {total}"))
        if columns.total is None:
            columns = columns._replace(total=len(rows[0]))
        if columns.name is not None and (
            rows[0][columns.name].isdigit() != rows[-1][columns.name].isdigit()
        ):
            lines.fail("elements, or numbers of types, for all atoms of a frame")
    names = [] if columns.name is None else [row[columns.name] for row in rows]
    types = [int(name) for name in names if name.isdigit()]
    if types:
        elements = _by_atomic_number(lines.path, types, species)
        names, types = (elements, []) if elements else (names, types)
    if types:
        names = name_types(lines.path, types, species)
    elif species is not None:
        refuse_species(lines.path, species, list(dict.fromkeys(names)))
    if sova:
        positions = np.array([row[1:4] for row in rows], dtype=float).reshape(-1, 3)
        atoms = assemble(names, positions=positions, cell=cell, pbc=cell is not None)
    else:
        for row, name in zip(rows, names, strict=False):  # no names where there are numbers
            row[columns.name or 0] = parse_species(name)[0]
        text = [str(total), comment, *map(" ".join, rows), *_vectors(lines)]
        atoms = _by_ase(lines, start, "\n".join(text) + "\n", names)
    if types:
        atoms.set_tags(types)
    return atoms


def _by_atomic_number(
    path: str, numbers: Sequence[int], species: Sequence[str] | None
) -> list[str]:
    """Return elements where numbers cannot be those of types, which count from 1."""
    found = sorted(set(numbers))
    if found[-1] == len(found) or found[-1] >= len(chemical_symbols):
        return []
    if species is not None and len(species) >= found[-1]:
        return []  # some types have no atoms
    told = ", ".join(f"{n} ({chemical_symbols[n]})" for n in found)
    if species is not None:
        raise ValueError(
            f"species={tuple(species)}: {path} names its atoms by {told}, which are no numbers of "
            f"{len(species)} types; if they are atomic numbers, leave species out, else name all "
            f"{found[-1]} types"
        )
    warn(
        f"{path} names its atoms by {told}: they are read as atomic numbers. If they are types, "
        f"name all {found[-1]} in species"
    )
    return [chemical_symbols[n] for n in numbers]


def _columns(lines: Lines) -> _Columns:
    """Find the columns that the comment, the line read last, tells."""
    try:
        given = key_val_str_to_dict(lines.current).get("Properties")
    except Exception as error:  # the parser of ASE fails in its own ways
        lines.fail(f"the keys and values of extended xyz ({error})")
    if given is None:
        return _Columns()
    what = "Properties=name:type:columns:..., with species:S:1 or Z:I:1, and pos:R:3"
    fields = str(given).split(":")
    where: dict[str, int] = {}
    total = 0
    for name, kind, count in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        key = f"{_SAME.get(name, name)}:{kind}:{count}"
        width = whole(count)
        if key in where or width is None or width < 1:
            lines.fail(what)
        where[key] = total
        total += width
    named, numbered, position = map(where.get, ("species:S:1", "Z:I:1", "pos:R:3"))
    if len(fields) % 3 or position is None or (named is None and numbered is None):
        lines.fail(what)
    return _Columns(named, numbered, position, total)


def _row(lines: Lines, columns: _Columns, what: str) -> list[str]:
    words = lines.next(what).split()
    if columns.total not in (None, len(words)):
        lines.fail(f"{columns.total} columns as announced or before, with {what}")
    place = columns.position
    words[place : place + 3] = map(repr, lines.floats(words[place : place + 3], 3, what))
    if columns.number is not None:
        word = words[columns.number]
        if whole(word) not in range(len(chemical_symbols)):
            lines.fail(f"an atomic number (not {word!r})")
    if columns.name is not None:
        word = words[columns.name]
        if word.isdigit() and whole(word):
            return words  # the number of a type
        words[columns.name] = check_label(lines, word if is_label(word) else word.capitalize())
    return words


def _by_ase(lines: Lines, start: int, text: str, names: Sequence[str]) -> Atoms:
    where = f"{lines.path}, lines {start + 1} to {lines.number}"
    with reading(where, "expected a frame of extended xyz"):
        (atoms,) = read_xyz(io.StringIO(text), slice(None))
        masses = atoms.arrays.get("mass")  # as OVITO and LAMMPS call them; 1 stands for none
        if not atoms.has("masses") and masses is not None and masses.dtype.kind in "fi":
            del atoms.arrays["mass"]
            atoms.set_masses(None if (masses == 1).all() else masses)
        stored = atoms.arrays.pop(NAME, None)
        isotopes = np.array([parse_species(name)[1] for name in names] or [0] * len(atoms))
        if stored is not None or isotopes.any():
            set_isotopes(
                atoms, isotopes if stored is None else np.where(isotopes, isotopes, stored)
            )
    return atoms


def render(atoms: Atoms) -> str:
    """Write a plain xyz file, which holds no cell.

    Parameters
    ----------
    atoms : ase.Atoms
        A cluster.

    Returns
    -------
    str
        Content of the file.
    """
    text = [str(len(atoms)), ""]
    for label, position in zip(labels_of(atoms), atoms.positions, strict=True):
        text.append(f"{label:<3s}" + "".join(f"{x:22.15f}" for x in position))
    return "\n".join(text) + "\n"
