"""AtomEye configurations (``.cfg``), standard and extended.

The extended format names a mass and an element on lines of their own, followed by the atoms they
are of: fractional coordinates, velocities unless the header says ``.NO_VELOCITY.``, and auxiliary
columns. Velocities have the units of ASE, as its writer has them. (ASE's reader takes missing
vectors for zero, and atoms without a mass or an element for those of the group before.)
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.formats.lines import Lines, number, whole
from glassnb.core.formats.masses import by_mass, no_masses, settle
from glassnb.core.formats.species import assemble, check_label
from glassnb.core.isotopes import NAME, set_isotopes

__all__ = ["parse", "recognise"]

_TOTAL = "Number of particles"
_KEY = re.compile(
    rf"{_TOTAL}|A|R|entry_count|\.NO_VELOCITY\.|(?:H0|Transform|eta)\([123],[123]\)|"
    r"auxiliary\[\d{1,3}\]"
)


class _Kind(NamedTuple):
    """Mass and element of a group of atoms, as they stand in the file."""

    mass: str
    label: str
    line: int


def recognise(text: str) -> bool:
    """Tell AtomEye's configuration by its first key."""
    return _TOTAL in text[:2000]


def parse(lines: Lines) -> Atoms:
    """Read an AtomEye configuration.

    Parameters
    ----------
    lines : Lines
        The file.

    Returns
    -------
    ase.Atoms
        The structure with the masses of the file, unless all are 1; auxiliary columns are arrays.
        Where all atoms are C though their masses are of other elements, as LAMMPS writes it if it
        was not told the elements, they are these.
    """
    header = _header(lines)
    cell = _matrix(lines, header, "H0") @ _matrix(lines, header, "Transform", np.eye(3))
    if _matrix(lines, header, "eta", np.zeros((3, 3))).any():
        lines.fail("no strain (eta = 0): apply it to the cell")
    total = whole(header.get(_TOTAL, ""))
    if total is None or total < 0:
        lines.fail(f"{_TOTAL!r}, a whole number, before the atoms")
    extended = "entry_count" in header
    kinds, rows = _extended(lines, header) if extended else _standard(lines)
    if len(rows) != total:
        lines.fail(f"{total} atoms, as the header says, not {len(rows)}")
    atoms = assemble(_labels(lines, kinds), scaled_positions=rows[:, :3], cell=cell, pbc=True)
    if not no_masses(kind.mass for kind in kinds):
        atoms.set_masses([number(kind.mass) for kind in kinds])
    moving = ".NO_VELOCITY." not in header
    _auxiliary(lines, header, atoms, rows[:, 6 if moving else 3 :])
    if moving:  # after the masses of isotopes, which are an auxiliary column
        atoms.set_velocities(rows[:, 3:6])
    return atoms


def _header(lines: Lines) -> dict[str, str]:
    """Read the keys before the atoms, each once."""
    header: dict[str, str] = {}
    while lines.more():
        line = lines.lines[lines.number].strip()
        if "=" not in line and line[0] not in "#.":
            break
        lines.number += 1
        if line[0] == "#":
            continue
        key, _, value = (part.strip() for part in line.partition("="))
        words = value.split()
        if not _KEY.fullmatch(key) or key in header or (not words and key[0] != "."):
            lines.fail("a key of the header such as 'A = 1' or 'H0(1,1) = 5', and each key once")
        header[key] = words[0] if words else ""
        if key[0] not in "a.":
            lines.floats(words[:1], 1, f"a number as {key}")
        if key == "A" and number(words[0]) != 1:
            lines.fail("lengths in Å (A = 1)")
    return header


def _matrix(
    lines: Lines, header: dict[str, str], name: str, otherwise: NDArray | None = None
) -> NDArray:
    matrix = np.empty((3, 3)) if otherwise is None else otherwise
    for i, j in np.ndindex(3, 3):
        key = f"{name}({i + 1},{j + 1})"
        if key in header:
            matrix[i, j] = number(header[key])
        elif otherwise is None:
            lines.fail(f"a cell of nine numbers, without {key},")
    return matrix


def _next(lines: Lines) -> list[str]:
    """Return the words of the next line that is no comment, none at the end."""
    while lines.more():
        words = lines.next("an atom").split()
        if words[0][0] != "#":
            return words
    return []


def _extended(lines: Lines, header: dict[str, str]) -> tuple[list[_Kind], NDArray[np.float64]]:
    """Read groups of atoms: what each atom is, and its numbers."""
    width = whole(header["entry_count"])
    least = 3 if ".NO_VELOCITY." in header else 6
    if width is None or width < least:
        lines.fail(f"entry_count, a whole number from {least} on, before the atoms")
    what = f"an atom ({width} finite numbers), or the mass of the next element"
    kind: _Kind | None = None
    kinds, rows = [], []
    while words := _next(lines):
        if len(words) == 1:
            mass = _mass(lines, words[0])
            kind = _Kind(mass, check_label(lines, " ".join(_next(lines))), lines.number)
        elif kind is None:
            lines.fail("the mass of an element, alone on its line")
        else:
            kinds.append(kind)
            rows.append(lines.floats(words, width, what))
    return kinds, np.array(rows).reshape(-1, width)


def _standard(lines: Lines) -> tuple[list[_Kind], NDArray[np.float64]]:
    what = (
        "an atom: mass, element, 3 coordinates, 3 velocities (or entry_count = in the header, and "
        "masses and elements on lines of their own)"
    )
    kinds, rows = [], []
    while words := _next(lines):
        rows.append(lines.floats(words[2:], 6, what))
        label = check_label(lines, words[1])
        kinds.append(_Kind(_mass(lines, words[0]), label, lines.number))
    return kinds, np.array(rows).reshape(-1, 6)


def _mass(lines: Lines, word: str) -> str:
    if not (number(word) or 0) > 0:
        lines.fail(f"the positive mass of an element, not {word!r}")
    return word


def _labels(lines: Lines, kinds: list[_Kind]) -> list[str]:
    """Return the label of each atom, by its mass where all are called C."""
    if no_masses(kind.mass for kind in kinds):
        return [kind.label for kind in kinds]
    different = {kind[:2]: kind for kind in kinds}
    told = {pair: by_mass(*pair) for pair in different}
    if not all(label == "C" and told[mass, label] for mass, label in different):
        for pair, kind in different.items():
            lines.number = kind.line
            told[pair] = settle(lines, kind.label, kind.mass)
    return [str(told[kind[:2]]) for kind in kinds]


def _auxiliary(lines: Lines, header: dict[str, str], atoms: Atoms, columns: NDArray) -> None:
    """Store the auxiliary columns; three named x, y, z are one array."""
    keys = [f"auxiliary[{k}]" for k in range(columns.shape[1])]
    if strange := [key for key in header if key.startswith("auxiliary") and key not in keys]:
        lines.fail(f"{len(keys)} auxiliary columns, as entry_count says, without {strange[0]},")
    names = [header.get(key, key) for key in keys]
    while names:
        name, width = names[0], 1
        if names[:3] == [f"{name[:-2]}_{axis}" for axis in "xyz"]:
            name, width = name[:-2], 3
        values = columns[:, 0] if width == 1 else columns[:, :3]
        if name == NAME:
            set_isotopes(atoms, values)
        elif name in ("numbers", "positions") or len(names) != len(set(names)):
            lines.fail(f"names of auxiliary columns, each once, without {name!r},")
        else:
            atoms.set_array(name, values)
        names, columns = names[width:], columns[:, width:]
