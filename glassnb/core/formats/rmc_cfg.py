"""Configurations of RMCA and RMC++ (``.cfg``, version 3).

The file holds no chemical elements, only numbered types. Its three "defining vectors" are half the
edges of the box, and coordinates are in units of them, from -1 to 1, about the centre of the box.
Layout as RMC++ 1.5 and RMCA write it (O. Gereben et al., J. Optoelectron. Adv. Mater. 9, 3021
(2007); R. L. McGreevy, J. Phys.: Condens. Matter 13, R877 (2001)).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from ase import Atoms

from glassnb.core.formats.lines import Lines
from glassnb.core.formats.species import assemble, check_label, group_by_species, name_types

__all__ = ["parse", "recognise", "render"]

# How `render` notes the species at the end of the title, where the format leaves room for them.
_NOTE = re.compile(r"\| species: ((?:[A-Z][a-z]?(?:-\d{1,3})?(?:\s+|$))+)$")


def recognise(text: str) -> bool:
    """Tell a version 3 configuration from other files that end in ``.cfg``."""
    head = "\n".join(text.splitlines()[:30]).lower()
    return "moves generated" in head or "defining vectors" in head


def parse(lines: Lines, species: Sequence[str] | None = None) -> Atoms:
    """Read a version 3 configuration.

    Parameters
    ----------
    lines : Lines
        The file.
    species : sequence of str, optional
        Element or isotope of each type.

    Returns
    -------
    ase.Atoms
        The configuration, shifted so that its box begins at the origin. Tags number the types
        from 1.
    """
    lines.next("a version 3 RMC configuration", blank=True)
    title = lines.next("the title", blank=True).strip()
    note = _NOTE.search(title)
    named = [check_label(lines, word) for word in note[1].split()] if note else []
    lines.integer("numbers of moves generated, tried, accepted")
    lines.integer("the number of configurations saved")
    total = lines.integer("the number of molecules of all types")
    types = lines.integer("the number of types of molecules")
    if species is None and note and len(named) != types:
        lines.fail(f"{len(named)} types, as the title names {', '.join(named)}")
    if lines.integer("the largest number of atoms in a molecule") != 1:
        lines.fail("1 atom in a molecule (molecular configurations are not supported)")
    if lines.integer("the number of Euler angles") != 0:
        lines.fail("0 Euler angles (molecular configurations are not supported)")
    half = _box(lines)
    counts = [_one_type(lines) for _ in range(types)]
    if sum(counts) != total:
        lines.fail(f"types that add up to {total} atoms, not {sum(counts)}")
    coordinates = _coordinates(lines, total)

    kinds = np.repeat(np.arange(types) + 1, counts)
    labels = name_types(
        lines.path, kinds.tolist(), species, known=dict(enumerate(named, 1)), count=types
    )
    atoms = assemble(labels, cell=2 * half, pbc=True, tags=kinds)
    atoms.set_scaled_positions((coordinates + 1) / 2)
    atoms.info["title"] = _NOTE.sub("", title).strip()
    return atoms


def _box(lines: Lines) -> np.ndarray:
    flag = lines.next("T or F, whether the box is a truncated octahedron").split()[0].upper()
    if flag.strip(".")[:1] == "T":
        lines.fail("F: truncated octahedral boxes are not supported; write a parallelepiped")
    if flag.strip(".")[:1] != "F":
        lines.fail("T or F, whether the box is a truncated octahedron")
    if "vector" not in lines.next("'Defining vectors are:'").lower():
        lines.fail("'Defining vectors are:'")
    what = "a defining vector (half an edge of the box, 3 numbers in Å)"
    half = np.array([lines.floats(lines.next(what).split(), 3, what) for _ in range(3)])
    if abs(np.linalg.det(half)) < 1e-6:
        lines.fail("three defining vectors that span a volume")
    return half


def _one_type(lines: Lines) -> int:
    count = lines.integer("the number of molecules of a type")
    if lines.integer("the number of atomic sites") != 1:
        lines.fail("1 atomic site (molecular configurations are not supported)")
    lines.floats(lines.next("the site").split(), 3, "the site (3 numbers)")
    return count


def _coordinates(lines: Lines, total: int) -> np.ndarray:
    coordinates = []
    for index in range(total):
        what = f"coordinates of atom {index + 1} of {total} (3 numbers from -1 to 1)"
        numbers = lines.floats(lines.next(what).split(), 3, what)
        if max(map(abs, numbers)) > 1.01:
            lines.fail(what)
        coordinates.append(numbers)
    lines.end(f"the end of the file after {total} atoms")
    return np.array(coordinates).reshape(-1, 3)


def render(atoms: Atoms) -> str:
    """Write a version 3 configuration, atoms grouped by element and isotope.

    Parameters
    ----------
    atoms : ase.Atoms
        A structure with a cell; atoms outside it are put back.

    Returns
    -------
    str
        Content of the file; the title ends with the species.
    """
    species, counts, order = group_by_species(atoms)
    coordinates = 2 * atoms.get_scaled_positions(wrap=True)[order] - 1
    title = str(atoms.info.get("title", atoms.get_chemical_formula(empirical=True)))
    cubic = np.allclose(atoms.cell, atoms.cell[0, 0] * np.eye(3))
    text = [
        " (Version 3 format configuration file)",
        f" {' '.join(title.split())} | species: {' '.join(species)}",
        "",
        "",
        f" {0:10d}{0:10d}{0:10d} moves generated, tried, accepted",
        f" {0:10d}                     configurations saved",
        "",
        f" {len(atoms):10d} molecules of all types",
        f" {len(counts):10d} types of molecules",
        f" {1:10d} is the largest number of atoms in a molecule",
        f" {0:10d} Euler angles are provided",
        "",
        f"          F ({'box is cubic' if cubic else 'box is not truncated octahedral'})",
        "            Defining vectors are:",
    ]
    text += ["          " + "".join(f"{x:18.12f}" for x in vector) for vector in atoms.cell / 2]
    text.append("")
    for number, count in enumerate(counts, start=1):
        text += [f" {count:10d} molecules of type {number:2d}", f" {1:10d} atomic sites"]
        text += ["            " + "".join(f"{0:11.6f}" for _ in range(3)), ""]
    text += ["".join(f"{x:20.15f}" for x in row) for row in coordinates]
    return "\n".join(text) + "\n"
