"""Configurations of RMCProfile (``.rmc6f``, version 6).

Header lines ``key: value`` in any order, then ``Atoms:`` and one line per atom: number, element or
isotope (``D``, ``Li-6``), optional label such as ``[1]``, fractional coordinates, site in the unit
cell, and the unit cell (RMCProfile 6.7 manual, section 4.11).
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from ase import Atoms
from ase.cell import Cell

from glassnb.core.callers import warn
from glassnb.core.formats.lines import Lines, number, whole
from glassnb.core.formats.species import assemble, check_label, group_by_species, labels_of

__all__ = ["parse", "recognise", "render"]

_ATOMS = re.compile(r"^[ \t]*atoms[ \t]*:[ \t\r]*$", re.I | re.M)
_COUNTS, _DENSITY = "number of each atom type", "number density (ang^-3)"
_CELL = re.compile(r"^[ \t]*(?:cell \(ang/deg\)|lattice vectors \(ang\))[ \t]*:", re.I | re.M)


def recognise(text: str) -> bool:
    """Tell an RMCProfile configuration by its header."""
    return bool(_CELL.search(text[:20000]) and _ATOMS.search(text))


def parse(lines: Lines) -> Atoms:
    """Read an RMCProfile configuration.

    Parameters
    ----------
    lines : Lines
        The file.

    Returns
    -------
    ase.Atoms
        The configuration. Where the file relates atoms to a crystal, arrays ``rmc6f_site`` and
        ``rmc6f_cell`` and ``info["rmc6f_supercell"]`` keep the relation.
    """
    header, cell, where = _header(lines)
    labels, coordinates, sites = _atoms(lines)
    declared = header.get("number of atoms")
    if declared is not None and int(declared) != len(labels):
        lines.fail(f"{declared} atoms, as the header says, not {len(labels)}")
    if not labels:
        lines.fail("at least one atom")
    _check_counts(lines, header, where, labels)
    atoms = assemble(labels, cell=cell, pbc=True)
    atoms.set_scaled_positions(coordinates)
    density = number(header.get(_DENSITY, ""))
    found = len(atoms) / cell.volume
    if density and abs(density - found) > 0.01 * found:
        warn(
            f"{lines.path}, line {where[_DENSITY]}: states {density:.6g} atoms per Å³, but the "
            f"cell and its atoms give {found:.6g}; the cell counts"
        )
    if all(len(site) == 4 for site in sites):
        atoms.set_array("rmc6f_site", np.array(sites)[:, 0])
        atoms.set_array("rmc6f_cell", np.array(sites)[:, 1:])
        supercell = header.get("supercell dimensions", "1 1 1").split()
        atoms.info["rmc6f_supercell"] = tuple(int(word) for word in supercell)
    if title := header.get("metadata title") or header.get("metadata material"):
        atoms.info["title"] = title
    return atoms


def _check_counts(
    lines: Lines, header: dict[str, str], where: dict[str, int], labels: list[str]
) -> None:
    """Fail where the header states other numbers of each type than there are atoms."""
    values = [whole(word) for word in header.get(_COUNTS, "").split()]
    stated = [-1 if value is None else value for value in values]
    if not stated:
        return
    found = Counter(labels)
    types = header.get("atom types present", "").split()
    counts = Counter(dict(zip(types, stated, strict=False)))
    # Without their names, types are in the order of the atoms or of another program.
    agree = +counts == found if types else sorted(filter(None, stated)) == sorted(found.values())
    if min(stated) < 0 or len(stated) != len(types or stated) or not agree:
        end, lines.number = lines.number, where[_COUNTS]
        there = ", ".join(f"{count} {label}" for label, count in found.items())
        lines.fail(f"{_COUNTS} as in lines {where['atoms'] + 1} to {end}, {there}")


def _header(lines: Lines) -> tuple[dict[str, str], Cell, dict[str, int]]:
    """Read up to the line ``Atoms:``; the lines of all keys come last."""
    header: dict[str, str] = {}
    where: dict[str, int] = {}
    parameters = vectors = None
    while True:
        line = lines.next("'Atoms:'").strip()
        key, _, value = line.partition(":")
        key = " ".join(key.lower().split())
        where[key] = lines.number
        if key == "atoms":
            break
        header[key] = value.strip()
        if key == "cell (ang/deg)":
            what = "a, b, c in Å and alpha, beta, gamma in degrees (6 numbers)"
            parameters = lines.floats(value.split(), 6, what)
            if min(parameters[:3]) <= 0:
                lines.fail(what)
        elif key == "lattice vectors (ang)":
            what = "a lattice vector (3 numbers in Å)"
            vectors = np.array([lines.floats(lines.next(what).split(), 3, what) for _ in range(3)])
        elif key in ("number of atoms", "supercell dimensions"):
            words = value.split()
            wanted = 1 if key == "number of atoms" else 3
            if len(words) != wanted or None in map(whole, words):
                lines.fail(f"{key}: {wanted} whole number(s)")
    return header, _cell(lines, parameters, vectors), where


def _cell(lines: Lines, parameters: list[float] | None, vectors: np.ndarray | None) -> Cell:
    if vectors is None and parameters is None:
        lines.fail("'Cell (Ang/deg):' or 'Lattice vectors (Ang):' before the atoms")
    if vectors is None:
        return Cell.fromcellpar(parameters)
    if abs(np.linalg.det(vectors)) < 1e-6:
        lines.fail("lattice vectors that span a volume before the atoms")
    if parameters is None:
        return Cell(vectors)
    # The rows are the vectors; some programs, ASE among them, write them as columns.
    cells = [Cell(vectors), Cell(vectors.T)]
    agree = [np.allclose(cell.cellpar(), parameters, rtol=1e-4, atol=1e-2) for cell in cells]
    if not any(agree):
        lines.fail("lattice vectors that agree with 'Cell (Ang/deg):' before the atoms")
    return cells[agree.index(True)]


def _atoms(lines: Lines) -> tuple[list[str], list[list[float]], list[list[int]]]:
    labels: list[str] = []
    coordinates, sites = [], []
    numbers: set[str] = set()
    what = "an atom: number, element, 3 fractional coordinates, site, 3 numbers of its unit cell"
    while lines.more():
        words = lines.next(what).split()
        if len(words) < 5 or whole(words[0]) is None:
            lines.fail(what)
        if words[0] in numbers:
            lines.fail(f"an atom once (number {words[0]} came before)")
        numbers.add(words[0])
        labels.append(check_label(lines, words[1]))
        start = 3 if words[2].startswith("[") else 2  # after an optional label such as [1]
        coordinates.append(lines.floats(words[start : start + 3], 3, what))
        rest = words[start + 3 :]
        site = [value for value in map(whole, rest) if value is not None]
        if len(rest) not in (0, 4) or len(site) != len(rest):
            lines.fail(what)
        sites.append(site)
    return labels, coordinates, sites


def render(atoms: Atoms) -> str:
    """Write an RMCProfile configuration, atoms grouped by element and isotope.

    Parameters
    ----------
    atoms : ase.Atoms
        A structure with a cell; atoms outside it are put back.

    Returns
    -------
    str
        Content of the file.
    """
    species, counts, order = group_by_species(atoms)
    title = str(atoms.info.get("title", atoms.get_chemical_formula(empirical=True)))
    known = "rmc6f_site" in atoms.arrays and "rmc6f_cell" in atoms.arrays
    sites = atoms.arrays["rmc6f_site"] if known else np.arange(len(atoms)) + 1
    cells = atoms.arrays["rmc6f_cell"] if known else np.zeros((len(atoms), 3), int)
    supercell = atoms.info.get("rmc6f_supercell", (1, 1, 1)) if known else (1, 1, 1)
    text = [
        "(Version 6f format configuration file)",
        f"Metadata title:             {' '.join(title.split())}",
        f"Number of types of atoms:   {len(species)}",
        f"Atom types present:         {' '.join(species)}",
        f"Number of each atom type:   {' '.join(map(str, counts))}",
        "Number of moves generated:           0",
        "Number of moves tried:               0",
        "Number of moves accepted:            0",
        "Number of prior configuration saves: 0",
        f"Number of atoms:                     {len(atoms)}",
        f"Number density (Ang^-3):             {len(atoms) / atoms.get_volume():.10f}",
        f"Supercell dimensions:                {' '.join(map(str, supercell))}",
        f"Cell (Ang/deg): {' '.join(f'{x:.10f}' for x in atoms.cell.cellpar())}",
        "Lattice vectors (Ang):",
    ]
    text += ["".join(f"{x:18.10f}" for x in vector) for vector in atoms.cell]
    text.append("Atoms:")
    fractional = atoms.get_scaled_positions(wrap=True)
    labels = labels_of(atoms)
    for place, i in enumerate(order, start=1):
        xyz = "".join(f"{x:18.12f}" for x in fractional[i])
        unit_cell = "".join(f"{x:4d}" for x in cells[i])
        text.append(f"{place:7d} {labels[i]:>3s} [1]{xyz}{sites[i]:7d}{unit_cell}")
    return "\n".join(text) + "\n"
