"""LAMMPS data files (``read_data``, ``write_data``), and what they share with dump files.

The file numbers the types of its atoms. Their elements are told, in this order, by the user (with a
warning if masses say otherwise), by labels (section ``Atom Type Labels``, or comments in ``Masses``
such as ``1 28.0855 # Si``), and by masses (:mod:`glassnb.core.formats.masses`). Where none of these
tells, atoms are ``X``.

The columns of ``Atoms`` follow its comment (``Atoms # charge``); without it, the number and the
kind of the columns must leave one reading. Image flags are added to the positions; bonds and
coefficients are not read. The file does not say which directions are periodic: all are taken to be.
Units are those that the title names (``units = real``), else metal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.calculators.lammps import Prism, convert
from numpy.typing import NDArray

from glassnb.core.callers import warn
from glassnb.core.formats.lines import Lines, number, whole
from glassnb.core.formats.masses import check_species, no_masses, settle
from glassnb.core.formats.species import (
    assemble,
    group_by_species,
    is_label,
    labels_of,
    name_types,
)

__all__ = ["box", "check_units", "parse", "recognise", "render"]

_STYLES = {
    "atomic": "id type x y z",
    "charge": "id type q x y z",
    "molecular": "id molecule type x y z",
    "full": "id molecule type q x y z",
    "sphere": "id type diameter density x y z",
}
_GUESSED = tuple(_STYLES)  # where no comment names the style
_STYLES |= {"bond": _STYLES["molecular"], "angle": _STYLES["molecular"],
            "dipole": "id type q x y z mux muy muz"}  # fmt: skip
_OTHER_STYLES = re.compile(
    r"hybrid.*|amoeba|apip|body|bpm.*|dielectric|(?:[emt])?dpd|electron|ellipsoid|line|mdpd|peri|"
    r"rheo.*|smd|sph|spin|template|tri|wavepacket"
)
_HEADER = {"atoms": 1, "atom types": 1, "xlo xhi": 2, "ylo yhi": 2, "zlo zhi": 2, "xy xz yz": 3,
           "avec": 3, "bvec": 3, "cvec": 3, "abc origin": 3}  # fmt: skip
_OTHERS = re.compile(
    r"(?:bond|angle|dihedral|improper) types|extra \w+ per atom|"
    r"bonds|angles|dihedrals|impropers|ellipsoids|lines|triangles|bodies|crossterms"
)
_SECTIONS = re.compile(
    r"Atoms|Velocities|Masses|Ellipsoids|Lines|Triangles|Bodies|Bonds|Angles|Dihedrals|Impropers|"
    r"CMAP|\w+ Type Labels|\w+(?: \w+)? Coeffs"
)
_BOX = re.compile(
    r"^[ \t]*\S+[ \t]+\S+[ \t]+(?:xlo[ \t]+xhi|ylo[ \t]+yhi|zlo[ \t]+zhi|\S+[ \t]+[abc]vec)\b", re.M
)


class Row(NamedTuple):
    """A line of a section."""

    line: int
    words: list[str]
    comment: str


def recognise(text: str) -> bool:
    """Tell a data file by the box in its header."""
    return bool(_BOX.search(text[:20000]))


def parse(lines: Lines, species: Sequence[str] | None) -> Atoms:
    """Read a data file.

    Parameters
    ----------
    lines : Lines
        The file.
    species : sequence of str or None
        Label of each type; without it, the file must tell them.

    Returns
    -------
    ase.Atoms
        The structure, atoms in the order of their numbers, which are kept as array ``id``. Tags
        number the types. Charges become initial charges.
    """
    title = lines.next("a comment", blank=True)
    found = re.search(r"\bunits\s*=\s*(\w+)", title)
    units = check_units(lines, found[1] if found else "metal")
    header, sections, style = _sections(lines)
    total, count = _whole(lines, header, "atoms"), _whole(lines, header, "atom types")
    rows = _section(lines, sections, "Atoms", total)
    names = {row.words[1]: k for k, row in _typed(lines, sections, "Atom Type Labels", count, {})}
    known = {} if species else _known_types(lines, sections, count, names)
    columns = _columns(lines, style, rows, count, names)
    cell, origin = _box(lines, header)
    order = np.argsort(columns["id"])
    positions = columns["position"] + columns["image"] @ cell
    types = columns["type"][order]
    labels = name_types(lines.path, types.tolist(), species, known=known, count=count)
    if species:
        masses = _typed(lines, sections, "Masses", count, names)
        check_species(lines.path, species, [(kind, row.words[1]) for kind, row in masses])
    atoms = assemble(
        labels, positions=positions[order], cell=cell, celldisp=origin, pbc=True, tags=types
    )
    atoms.set_array("id", columns["id"][order])
    if "q" in columns:
        atoms.set_initial_charges(columns["q"][order])
    if "Velocities" in sections:
        rows = _section(lines, sections, "Velocities", total)
        velocities = _velocities(lines, rows, columns["id"][order].tolist())
        atoms.set_velocities(convert(velocities, "velocity", units, "ASE"))
    return atoms


def check_units(lines: Lines, units: str) -> str:
    """Return the units, or fail at the line read last unless lengths are in Å."""
    if units not in ("metal", "real"):
        lines.fail(f"units metal or real, whose lengths are in Å (not {units!r}): scale the file")
    return units


# -- lines and sections --------------------------------------------------------------------------


def _sections(lines: Lines) -> tuple[dict[str, list[str]], dict[str, list[Row]], str]:
    """Read the header, the sections with atoms and types, and the comment after ``Atoms``."""
    header: dict[str, list[str]] = {}
    sections: dict[str, list[Row]] = {}
    unknown: dict[str, int] = {}  # sections, with their lines
    style, rows = "", None
    while lines.more():
        body, _, comment = lines.next("a line").partition("#")
        words = body.split()
        if not words:
            continue
        values = [word for word in words if number(word) is not None]
        if words[0][0].isalpha() and not values:
            name = " ".join(words)
            if name in sections or any(name.endswith(key) for key in _HEADER):
                lines.fail(f"a section of its own, or numbers before {name!r}")
            if not _SECTIONS.fullmatch(name):
                unknown[name] = lines.number
            rows = sections[name] = []
            style = comment.strip() if name == "Atoms" else style
        elif rows is not None:
            rows.append(Row(lines.number, words, comment.strip()))
        else:
            key = " ".join(words[len(values) :])
            if words[: len(values)] != values or not (key in _HEADER or _OTHERS.fullmatch(key)):
                lines.fail("a line of the header, such as '9 atoms' or '0.0 4.9 xlo xhi'")
            if len(values) != _HEADER.get(key, 1) or key in header:
                lines.fail(f"{_HEADER.get(key, 1)} number(s) for {key!r}, and one such line")
            header[key] = values
    for name, line in unknown.items():
        lines.number = line
        if not sections[name]:
            lines.fail("a line of the header, or the name of a section with its lines below")
        warn(f"{lines.path}, line {line}: the section {name!r} is not known and passed over")
    return header, sections, style


def _whole(lines: Lines, header: dict[str, list[str]], key: str) -> int:
    word = header.get(key, [""])[0]
    value = whole(word)
    if value is None or value < 0:
        lines.fail(f"a whole number of {key!r} in the header (not {word!r})")
    return value


def _section(lines: Lines, sections: dict[str, list[Row]], name: str, total: int) -> list[Row]:
    rows = sections.get(name, [])
    if len(rows) != total:
        lines.number = rows[min(total, len(rows) - 1)].line if rows else lines.number
        lines.fail(f"{total} lines in section {name!r}, as the header says, not {len(rows)}")
    return rows


def _typed(
    lines: Lines, sections: dict[str, list[Row]], name: str, count: int, names: dict[str, int]
) -> list[tuple[int, Row]]:
    """Return the rows of a section with one row for each type, with the types."""
    if name not in sections:
        return []
    found: dict[int, Row] = {}
    for row in _section(lines, sections, name, count):
        lines.number = row.line
        kind = _type(row.words[0], count, names)
        if kind is None or kind in found or len(row.words) != 2:
            lines.fail(f"one line for each of {count} types: number and value")
        found[kind] = row
    return list(found.items())


def _type(word: str, count: int, names: dict[str, int]) -> int | None:
    """Return the type that a number or label means."""
    if word in names:
        return names[word]
    value = whole(word)
    return value if value is not None and 0 < value <= count else None


# -- columns of atoms ----------------------------------------------------------------------------


def _columns(
    lines: Lines, style: str, rows: list[Row], count: int, names: dict[str, int]
) -> dict[str, NDArray]:
    """Read the atoms by the style that is named, or by the only one that suits."""
    named = style.partition("/kk")[0].strip()
    if named in _STYLES:
        return _take(lines, _STYLES[named], rows, count, names)
    what = "the style of the atoms, as in 'Atoms # charge'; known are " + ", ".join(_STYLES)
    if rows and _OTHER_STYLES.fullmatch(named):
        lines.number = rows[0].line
        lines.fail(f"{what} (not {named!r})")
    widths = {key: len(_STYLES[key].split()) for key in _GUESSED}
    suits = [key for key in _GUESSED if rows and len(rows[0].words) - widths[key] in (0, 3)]
    read: dict[str, dict[str, NDArray]] = {}
    failed: list[tuple[int, ValueError]] = []
    for key in suits:
        try:
            read[key] = _take(lines, _STYLES[key], rows, count, names)
        except ValueError as error:
            failed.append((lines.number, error))
    if not read and failed:
        raise max(failed, key=lambda pair: pair[0])[1]
    if len(read) != 1:
        lines.number = rows[0].line if rows else lines.number
        lines.fail(f"{what} (the columns suit {' and '.join(read) or 'none'})")
    return next(iter(read.values()))


def _take(
    lines: Lines, style: str, rows: list[Row], count: int, names: dict[str, int]
) -> dict[str, NDArray]:
    """Read the columns of a style, with or without image flags."""
    keys = style.split()
    place = keys.index("x")
    columns: dict[str, list] = {"id": [], "type": [], "position": [], "image": []}
    if "q" in keys:
        columns["q"] = []
    seen: set[int] = set()
    for row in rows:
        lines.number, words = row.line, row.words
        if len(words) != len(rows[0].words) or len(words) not in (len(keys), len(keys) + 3):
            lines.fail(f"an atom: {style} [3 image flags], as the lines before")
        given = dict(zip(keys, words, strict=False))
        image = [whole(word) for word in words[len(keys) :] or "000"]
        identity, molecule = whole(given["id"]), whole(given.get("molecule", "0"))
        kind = _type(given["type"], count, names)
        if identity is None or identity < 0 or molecule is None or molecule < 0 or None in image:
            lines.fail(f"an atom: {style} [3 image flags], with whole numbers for id and images")
        if kind is None:
            lines.fail(f"a type from 1 to {count} (not {given['type']!r})")
        if identity in seen:
            lines.fail(f"each atom once (id {identity} came before)")
        seen.add(identity)
        numbers = lines.floats(words[place : len(keys)], len(keys) - place, f"an atom: {style}")
        others = [key for key in ("q", "diameter", "density") if key in given]
        values = lines.floats([given[key] for key in others], len(others), f"an atom: {style}")
        if "density" in given and not (values[0] >= 0 and values[1] > 0):
            lines.fail("a diameter and a density that are not negative")
        columns["id"].append(identity)
        columns["type"].append(kind)
        columns["position"].append(numbers[:3])
        columns["image"].append(image)
        if "q" in columns:
            columns["q"].append(values[0])
    read = {key: np.array(column) for key, column in columns.items()}
    read["position"], read["image"] = (read[k].reshape(-1, 3) for k in ("position", "image"))
    return read


def _velocities(lines: Lines, rows: list[Row], ids: list[int]) -> NDArray[np.float64]:
    """Read the velocities of atoms with the given numbers, in the units of the file."""
    what = "id vx vy vz [3 angular velocities or momenta], each atom once"
    found: dict[int | None, list[float]] = {}
    known = set(ids)
    for row in rows:
        lines.number, identity = row.line, whole(row.words[0])
        if len(row.words) not in (4, 7) or identity in found or identity not in known:
            lines.fail(what)
        found[identity] = lines.floats(row.words[1:], len(row.words) - 1, what)[:3]
    return np.array([found[identity] for identity in ids]).reshape(-1, 3)


def _box(lines: Lines, header: dict[str, list[str]]) -> tuple[NDArray, NDArray]:
    """Return the cell and its corner."""
    values = {key: [number(word) or 0.0 for word in words] for key, words in header.items()}
    general = "avec" in values
    needed = ("avec", "bvec", "cvec") if general else ("xlo xhi", "ylo yhi", "zlo zhi")
    if missing := [key for key in needed if key not in values]:
        lines.fail(f"a line {missing[0]!r} in the header")
    if general:
        cell, origin = np.array([values[k] for k in needed]), values.get("abc origin", [0.0] * 3)
    else:
        low, high = np.array([values[key] for key in needed]).T
        cell, origin = box(low, high, values.get("xy xz yz", [0.0] * 3)), low
    if not np.linalg.det(cell) > 0:
        lines.fail(f"a box with a volume in the header (not {cell.tolist()})")
    return cell, np.array(origin)


def box(low: NDArray, high: NDArray, tilts: Sequence[float]) -> NDArray[np.float64]:
    """Return the vectors of a box with edges from low to high and the tilts xy, xz, yz."""
    cell = np.diag(high - low)
    cell[1, 0], cell[2, 0], cell[2, 1] = tilts
    return cell


# -- elements ------------------------------------------------------------------------------------


def _known_types(
    lines: Lines, sections: dict[str, list[Row]], count: int, names: dict[str, int]
) -> dict[int, str]:
    """Return the labels of the types whose element the file tells."""
    labels = {kind: name for name, kind in names.items() if is_label(name)}
    masses = _typed(lines, sections, "Masses", count, names)
    unit = no_masses(row.words[1] for _, row in masses)
    for kind, row in masses:
        lines.number = row.line
        label = labels.get(kind) or (row.comment if is_label(row.comment) else None)
        if not (number(row.words[1]) or 0) > 0:
            lines.fail("the positive mass of a type")
        settled = settle(lines, label, None if unit else row.words[1])
        if settled is not None:
            labels[kind] = settled
    return labels


# -- writing -------------------------------------------------------------------------------------


def render(atoms: Atoms) -> str:
    """Write a data file, units metal, with one type for each species in order of appearance.

    Parameters
    ----------
    atoms : ase.Atoms
        A structure that is periodic in all directions.

    Returns
    -------
    str
        Content of the file. ``Masses`` names the species in comments. Atoms have the style
        ``charge`` if they have initial charges, else ``atomic``; velocities follow if they have
        momenta. The cell is turned as LAMMPS wants it; lengths, angles and handedness of the
        structure stay.
    """
    species, _, _ = group_by_species(atoms)
    types = {label: kind for kind, label in enumerate(species, 1)}
    labels = labels_of(atoms)
    # A left-handed cell spans the same lattice, right-handed, with its three vectors reversed.
    cell = np.asarray(atoms.cell) * (-1 if np.linalg.det(atoms.cell) < 0 else 1)
    prism = Prism(cell)
    *edges, xy, xz, yz = prism.get_lammps_prism()
    masses = atoms.get_masses()
    charges = atoms.get_initial_charges() if atoms.has("initial_charges") else None
    text = [f"{atoms.get_chemical_formula(empirical=True)}, units = metal, written by glassnb", ""]
    text += [f"{len(atoms)} atoms", f"{len(species)} atom types", ""]
    text += [f"0.0 {edge:.16g} {axis}lo {axis}hi" for axis, edge in zip("xyz", edges, strict=True)]
    if max(map(abs, (xy, xz, yz))) > 1e-12 * max(edges):
        text.append(f"{xy:.16g} {xz:.16g} {yz:.16g} xy xz yz")
    text += ["", "Masses", ""]
    text += [f"{types[x]} {masses[labels.index(x)]:.10g} # {x}" for x in species]
    text += ["", f"Atoms # {'atomic' if charges is None else 'charge'}", ""]
    for i, position in enumerate(prism.vector_to_lammps(atoms.positions)):
        charge = "" if charges is None else f" {charges[i]:.16g}"
        xyz = " ".join(f"{x:.16g}" for x in position)
        text.append(f"{i + 1} {types[labels[i]]}{charge} {xyz}")
    if atoms.has("momenta"):
        text += ["", "Velocities", ""]
        velocities = convert(atoms.get_velocities(), "velocity", "ASE", "metal")
        for i, velocity in enumerate(prism.vector_to_lammps(velocities), 1):
            text.append(f"{i} " + " ".join(f"{x:.16g}" for x in velocity))
    return "\n".join(text) + "\n"
