"""Text dumps of LAMMPS (``dump atom``, ``dump custom``), with any number of frames.

Elements come from the column ``element``, else from what the user names for the types, else from
the column ``mass`` as :mod:`glassnb.core.formats.lammps` has it; else atoms are ``X``. A column
``element`` that says C for atoms of several types, or against their masses, counts for nothing:
LAMMPS writes that where it was not told the elements (``dump_modify element``).

Positions are the first complete set of ``x y z``, ``xs ys zs``, ``xu yu zu``, ``xsu ysu zsu``;
``vx vy vz`` become velocities, ``fx fy fz`` forces of a calculator, ``q`` initial charges. Units
are those of an item ``UNITS``, which LAMMPS writes into the first frame alone, else metal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, NoReturn

import numpy as np
from ase import Atoms
from ase.calculators.lammps import convert
from ase.calculators.singlepoint import SinglePointCalculator
from numpy.typing import NDArray

from glassnb.core.callers import warn
from glassnb.core.formats.lammps import box, check_units
from glassnb.core.formats.lines import Lines, number, whole
from glassnb.core.formats.masses import check_species, no_masses, settle
from glassnb.core.formats.species import assemble, check_label, is_label, name_types, refuse_species

__all__ = ["frames", "recognise"]

_SETS = ("", "s", "u", "su")
_READ = {"id", "type", "element", "mass", "q"} | {axis + s for axis in "xyz" for s in _SETS}
_VECTORS = {"velocity": ("vx", "vy", "vz"), "force": ("fx", "fy", "fz")}


class _Head(NamedTuple):
    """What stands before the atoms of a frame."""

    timestep: int
    total: int
    cell: NDArray
    origin: NDArray
    pbc: list[bool]
    columns: list[str]
    units: str
    last: int  # line with the names of the columns


def recognise(text: str) -> bool:
    """Tell a dump by its first line."""
    return text[:200].lstrip().startswith("ITEM: ")


def frames(lines: Lines, species: Sequence[str] | None) -> list[Callable[[], Atoms]]:
    """Find the frames of a dump.

    Parameters
    ----------
    lines : Lines
        The file.
    species : sequence of str or None
        Label of each type.

    Returns
    -------
    list of callable
        One for each frame, which reads it.
    """
    found: list[Callable[[], Atoms]] = []
    units = "metal"
    while lines.more():
        head = _head(lines, units)
        units = head.units
        found.append(partial(_frame, lines, head, species))
        lines.number += head.total
        if lines.number > len(lines.lines):
            lines.number = len(lines.lines) + 1
            lines.fail(f"{head.total} atoms in the frame of timestep {head.timestep}")
        if lines.more() and not lines.lines[lines.number].startswith("ITEM:"):
            lines.number += 1
            lines.fail(f"the end of the frame after {head.total} atoms")
    return found


def _head(lines: Lines, units: str) -> _Head:
    timestep, total = 0, None
    box: tuple[NDArray, NDArray, list[bool]] | None = None
    while True:
        words = lines.next("'ITEM: ATOMS'").split()
        item = " ".join(words[1:]) if words[0] == "ITEM:" else ""
        if item == "TIMESTEP":
            timestep = lines.integer("the number of the timestep", alone=True)
        elif item == "UNITS":
            units = check_units(lines, lines.next("the units").strip())
        elif item == "TIME":
            lines.floats(lines.next("the time").split(), 1, "the time")
        elif item == "NUMBER OF ATOMS":
            total = lines.integer("the number of atoms", alone=True)
        elif item.startswith("BOX BOUNDS"):
            box = _box(lines, words[3:])
        elif words[:2] == ["ITEM:", "ATOMS"]:
            break
        else:
            lines.fail("an item of a dump with atoms, such as 'ITEM: TIMESTEP'")
    if total is None or box is None:
        lines.fail("'ITEM: NUMBER OF ATOMS' and 'ITEM: BOX BOUNDS' before the atoms")
    columns = words[2:]
    if len(set(columns)) < len(columns) or _set(columns) is None:
        lines.fail("names of columns, among them x y z, xs ys zs, xu yu zu or xsu ysu zsu")
    return _Head(timestep, total, *box, columns, units, lines.number)


def _set(columns: Sequence[str]) -> str | None:
    return next((s for s in _SETS if {f"{axis}{s}" for axis in "xyz"} <= set(columns)), None)


def _box(lines: Lines, words: list[str]) -> tuple[NDArray, NDArray, list[bool]]:
    """Read the cell, its corner, and which directions are periodic."""
    general, tilted = words[:2] == ["abc", "origin"], words[:3] == ["xy", "xz", "yz"]
    flags = words[2:] if general else words[3:] if tilted else words
    if flags and (len(flags) != 3 or not all(set(f) <= set("pfsm") and len(f) == 2 for f in flags)):
        lines.fail("'ITEM: BOX BOUNDS [xy xz yz] pp pp pp'")
    if not flags:
        warn(
            f"{lines.path} does not say which directions are periodic: all are taken to be. "
            "Set atoms.pbc otherwise"
        )
    count = 4 if general else 3 if tilted else 2
    what = f"a vector of the cell and the origin ({count} numbers in Å)" if general else (
        f"bounds of the box ({count} numbers in Å)")  # fmt: skip
    rows = np.array([lines.floats(lines.next(what).split(), count, what) for _ in range(3)])
    if general:
        cell, origin = rows[:, :3], rows[:, 3]
    else:
        xy, xz, yz = rows[:, 2] if tilted else (0.0, 0.0, 0.0)
        # The bounds are those of a box along the axes about the tilted one.
        low = rows[:, 0] - [min(0, xy, xz, xy + xz), min(0, yz), 0]
        high = rows[:, 1] - [max(0, xy, xz, xy + xz), max(0, yz), 0]
        cell, origin = box(low, high, (xy, xz, yz)), low
    if not np.linalg.det(cell) > 0:
        lines.fail("bounds of a box with a volume")
    return cell, origin, [flag[0] == "p" for flag in flags] or [True] * 3


class _Table:
    """The atoms of a frame by columns, which knows the line of each word."""

    def __init__(self, lines: Lines, head: _Head) -> None:
        self.lines, self.head = lines, head
        lines.number = head.last
        rows = [self._row() for _ in range(head.total)]
        self.columns = dict(zip(head.columns, zip(*rows, strict=True), strict=False))

    def _row(self) -> list[str]:
        what = f"an atom: {' '.join(self.head.columns)}"
        words = self.lines.next(what, blank=True).split()
        if len(words) != len(self.head.columns):
            self.lines.fail(what)
        return words

    def fail(self, atom: int, expected: str) -> NoReturn:
        self.lines.number = self.head.last + 1 + atom
        self.lines.fail(expected)

    def floats(self, name: str) -> NDArray[np.float64]:
        numbers = [number(word) for word in self.columns[name]]
        if None in numbers:
            self.fail(numbers.index(None), f"a finite number as {name}")
        return np.array(numbers, dtype=float)

    def wholes(self, name: str) -> NDArray[np.int64]:
        numbers = [whole(word) for word in self.columns[name]]
        for atom, value in enumerate(numbers):
            if value is None or value < 0:
                self.fail(atom, f"a whole number as {name} (not {self.columns[name][atom]!r})")
        return np.array(numbers, dtype=np.int64)


def _frame(lines: Lines, head: _Head, species: Sequence[str] | None) -> Atoms:
    table = _Table(lines, head)
    if not head.total:
        return Atoms(cell=head.cell, pbc=head.pbc)
    chosen = _set(head.columns) or ""
    names = [f"{axis}{chosen}" for axis in "xyz"]
    positions = np.column_stack([table.floats(name) for name in names])
    if chosen.startswith("s"):
        positions = head.origin + positions @ head.cell
    labels, types = _labels(table, species)
    atoms = assemble(
        labels, positions=positions, cell=head.cell, celldisp=head.origin, pbc=head.pbc, tags=types
    )
    atoms.info["timestep"] = head.timestep
    if "q" in table.columns:
        atoms.set_initial_charges(table.floats("q"))
    vectors = {
        what: convert(np.column_stack([table.floats(n) for n in names]), what, head.units, "ASE")
        for what, names in _VECTORS.items()
        if {*names} <= {*head.columns}
    }
    used = {name for what in vectors for name in _VECTORS[what]} | _READ
    for name in head.columns:
        if name not in used:
            if name in atoms.arrays:
                table.fail(-1, f"names of columns of LAMMPS, without {name!r},")
            atoms.set_array(name, _values(table.columns[name]))
    if "velocity" in vectors:
        atoms.set_velocities(vectors["velocity"])
    order = _order(table)
    if "id" in table.columns:
        atoms.set_array("id", table.wholes("id"))
    atoms = atoms[order]
    if "force" in vectors:
        atoms.calc = SinglePointCalculator(atoms, forces=vectors["force"][order])
    return atoms


def _order(table: _Table) -> NDArray[np.int64]:
    """Return the order of the atoms by their numbers, if they have any."""
    if "id" not in table.columns:
        return np.arange(table.head.total)
    ids = table.wholes("id")
    order = np.argsort(ids, kind="stable")
    again = np.flatnonzero(np.diff(ids[order]) == 0)
    if again.size:
        table.fail(order[again[0] + 1], f"each atom once (id {ids[order[again[0]]]} came before)")
    return order


def _values(words: Sequence[str]) -> NDArray:
    try:
        return np.array(words, dtype=float)
    except ValueError:
        return np.array(words)


def _labels(table: _Table, species: Sequence[str] | None) -> tuple[list[str], list[int]]:
    """Return the label and the type of each atom."""
    path, columns = table.lines.path, table.columns
    types, elements = [1] * table.head.total, columns.get("element")
    if "type" in columns and all(map(is_label, columns["type"])):
        elements = elements or columns["type"]  # labels of types
    elif "type" in columns:
        types = table.wholes("type").tolist()
        if 0 in types:
            table.fail(types.index(0), "a type from 1 on")
    masses: Sequence[str | None] = columns.get("mass", ())
    if no_masses(masses):
        masses = (None,) * len(types)
    if "type" not in columns:
        ranks = {mass: rank for rank, mass in enumerate(dict.fromkeys(masses), 1)}
        types = [ranks[mass] for mass in masses]
    found = set(zip(types, masses, strict=True))
    told = {(kind, mass): settle(table.lines, None, mass) for kind, mass in found}
    named = elements is not None and not (
        set(elements) == {"C"} and (len(set(types)) > 1 or set(told.values()) - {"C", None})
    )
    if elements is None or not named:
        times = Counter(kind for kind, _ in found)  # one type may have several masses
        known = {kind: label for (kind, _), label in told.items() if label and times[kind] == 1}
        count = None if "type" in columns else len(set(types))
        labels = name_types(path, types, species, known=known, count=count)
        if species is not None:
            check_species(path, species, [(kind, mass) for kind, mass in found if mass])
        return labels, types
    if species is not None:
        refuse_species(path, species, list(dict.fromkeys(elements)))
    pairs = list(zip(elements, masses, strict=True))
    settled: dict[tuple[str, str | None], str] = {}
    for atom, pair in enumerate(pairs):
        if pair not in settled:
            table.lines.number = table.head.last + 1 + atom
            label = check_label(table.lines, pair[0])
            settled[pair] = settle(table.lines, label, pair[1]) or label
    return [settled[pair] for pair in pairs], types
