"""Crystallographic information files.

A block of data becomes the atoms of its cell in three steps: its sites (``site_species`` says what
each holds), the symmetry operations (``settings``), and a comparison of what they make with what
the file states (``contents``). Of several settings that a symbol can stand for, the one is taken
that agrees with the statements. Sites that are not full are left to ``occupancy``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.cell import Cell
from numpy.typing import NDArray

from glassnb.core.formats.contents import Check, formula_of, hold
from glassnb.core.formats.notes import warn
from glassnb.core.formats.settings import OPERATIONS, Setting, settings
from glassnb.core.formats.site_species import ISOTOPES, site_species
from glassnb.core.formats.star import Block, Value, blocks
from glassnb.core.isotopes import isotopes_of, parse_species, set_isotopes, species_label
from glassnb.core.neighbours import OVERLAP

__all__ = ["parse", "recognise", "render", "structure", "structures"]

_LENGTHS = ("_cell_length_a", "_cell_length_b", "_cell_length_c")
_ANGLES = ("_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma")
_FRACTIONAL = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
_CARTESIAN = ("_atom_site_cartn_x", "_atom_site_cartn_y", "_atom_site_cartn_z")
_COLUMNS = (
    "label", "type_symbol", "occupancy", "calc_flag", "attached_hydrogens", ISOTOPES,
)  # fmt: skip


class _Sites(NamedTuple):
    labels: list[str]
    symbols: list[str]
    isotopes: list[int]
    coordinates: NDArray[np.float64]  # in Å if cartesian, else in fractions of the cell
    fractions: NDArray[np.float64]
    hydrogen: list[float]  # atoms attached to each site that have no coordinates
    cartesian: bool


def recognise(text: str) -> bool:
    """Tell whether a text is a CIF with atoms.

    Parameters
    ----------
    text : str
        Content of a file.

    Returns
    -------
    bool
        Whether it has a block of data and names of atom sites.
    """
    lower = text.lower()
    begins = any(line.startswith("data_") for line in lower.splitlines())
    return begins and ("_atom_site_" in lower or "_atom_site." in lower)


def parse(path: str, text: str) -> Atoms:
    """Read the last structure of a CIF.

    Parameters
    ----------
    path : str
        Name of the file, for messages.
    text : str
        Its content.

    Returns
    -------
    ase.Atoms
        The atoms of the cell, one for each species of each site, with its fraction in
        ``arrays["occupancy"]`` (see ``occupancy.resolve``). ``arrays["spacegroup_kinds"]`` counts
        the sites of the file, ``arrays["site_labels"]`` holds their labels.
    """
    found = structures(path, text)
    if len(found) > 1:
        names = ", ".join(block.name for block in found)
        warn(f"{path}: holds {len(found)} structures ({names}); the last of them is read")
    return structure(found[-1])


def structures(path: str, text: str) -> list[Block]:
    """Return the blocks of a CIF that hold atoms, for :func:`structure`.

    Parameters
    ----------
    path : str
        Name of the file, for messages.
    text : str
        Its content.

    Returns
    -------
    list of Block
        At least one, in the order of the file.

    Raises
    ------
    ValueError
        If the file is no CIF or holds no atoms.
    """
    found = [b for b in blocks(path, text) if b.column(_FRACTIONAL[0], _CARTESIAN[0])]
    if not found:
        raise ValueError(
            f"{path}: expected atoms (_atom_site_fract_x and so on) in a block of data, found none"
        )
    return found


def structure(block: Block) -> Atoms:
    """Return the atoms of a block.

    Parameters
    ----------
    block : Block
        One of :func:`structures`.

    Returns
    -------
    ase.Atoms
        As :func:`parse` returns them.

    Raises
    ------
    ValueError
        If a value is wrong, or what the cell holds disagrees with what the file states.
    """
    path = block.lines.path
    cell = _cell(block)
    sites = _sites(block)
    if cell is None:
        if not sites.cartesian:
            raise ValueError(f"{path}: expected _cell_length_a, _b and _c with the fractions")
        nothing = Setting("P 1", np.eye(3, dtype=np.int64)[None], np.zeros((1, 3)))
        return _expand(sites, Cell.new([0, 0, 0]), nothing)
    chosen, check = _choose(block, cell, sites)
    if check.notes:
        warn(f"{path}, data_{block.name}: states {'; '.join(check.notes)}")
    return chosen


def _choose(block: Block, cell: Cell, sites: _Sites) -> tuple[Atoms, Check]:
    """Return what agrees with the statements of the file."""
    path = block.lines.path
    candidates = settings(block, cell)
    made = [_expand(sites, cell, setting) for setting in candidates]
    hydrogen = [sum(sites.hydrogen[k] for k in a.arrays["spacegroup_kinds"]) for a in made]
    checks = [
        hold(block, atoms, hydrogen=h, generated=len(setting.rotations) > 1)
        for setting, atoms, h in zip(candidates, made, hydrogen, strict=True)
    ]
    agree = [k for k, check in enumerate(checks) if not check.wrong]
    if not agree:
        found = "; ".join(
            f"with {setting.name} it states {' and '.join(check.wrong)}"
            for setting, check in zip(candidates, checks, strict=True)
        )
        raise ValueError(
            f"{path}, data_{block.name}: the cell does not hold what the file says: {found}. "
            "Correct the setting of the space group (list the operations as "
            f"{OPERATIONS[0]}), or the statement that is wrong"
        )
    different = [k for k in agree[1:] if not _same(made[k], made[agree[0]])]
    if different:
        first, second = candidates[agree[0]], candidates[different[0]]
        raise ValueError(
            f"{path}, data_{block.name}: its space group has several settings, and nothing in the "
            f"file tells {first.name} ({made[agree[0]].get_chemical_formula()}) from {second.name} "
            f"({made[different[0]].get_chemical_formula()}); write the setting behind the symbol, "
            f"as in 'F d -3 m :2', or list the operations as {OPERATIONS[0]}"
        )
    return made[agree[0]], checks[agree[0]]


def _same(first: Atoms, second: Atoms) -> bool:
    """Tell whether two structures have the same atoms at the same places of the cell."""
    if len(first) != len(second) or (first.numbers != second.numbers).any():
        return False
    kinds = first.arrays["spacegroup_kinds"]
    for kind in np.unique(kinds):
        a, b = (x.get_scaled_positions()[kinds == kind] for x in (first, second))
        apart = a[:, None] - b
        apart = np.linalg.norm((apart - np.rint(apart)) @ first.cell.array, axis=2)
        if apart.min(axis=1).max() > OVERLAP:
            return False
    return True


def _cell(block: Block) -> Cell | None:
    if block.text(*_LENGTHS) is None:
        return None
    parameters = []
    for name in (*_LENGTHS, *_ANGLES):
        values = [value for value in block.items.get(name, []) if value.known]
        if not values:
            raise ValueError(f"{block.lines.path}, data_{block.name}: expected {name}, found none")
        parameters.append(block.number(values[0], name))
        least, most, unit = (0.0, 180.0, "°") if name in _ANGLES else (0.1, 1e6, " Å")
        if not least < parameters[-1] < most:
            block.fail(values[0].line, f"{name} between {least:g} and {most:g}{unit}")
    a, b, c = np.cos(np.radians(parameters[3:]))
    if 1 - a * a - b * b - c * c + 2 * a * b * c < 1e-6:
        raise ValueError(
            f"{block.lines.path}, data_{block.name}: expected a cell with a volume, found "
            f"angles {parameters[3:]}"
        )
    return Cell.fromcellpar(parameters)


def _sites(block: Block) -> _Sites:
    """Return the atom sites of a block."""
    cartesian = _FRACTIONAL[0] not in block.items
    names = _CARTESIAN if cartesian else _FRACTIONAL
    axes = [block.items.get(name, []) for name in names]
    n = len(axes[0])
    columns = [block.items.get(f"_atom_site_{name}") for name in _COLUMNS]
    for column in (*axes, *columns):
        if column is not None and len(column) != n:
            raise ValueError(
                f"{block.lines.path}, data_{block.name}: expected {n} values in every column of "
                f"the atom sites, found {len(column)}"
            )
    label, kind, occupancy, flag, attached, isotope = columns
    if label is None and kind is None:
        block.fail(axes[0][0].line, "_atom_site_label or _atom_site_type_symbol")
    formula = formula_of(block)
    rows = _Sites([], [], [], np.empty((0, 3)), np.empty(0), [], cartesian)
    dummies: list[str] = []
    lost: list[str] = []
    protons: list[str] = []
    places, fractions = [], []
    for k in range(n):
        row = [axis[k] for axis in axes]
        name = _value(label, k) or _value(kind, k) or "?"
        if _value(flag, k) == "dum":
            dummies.append(name)
            continue
        line = row[0].line
        try:
            species = site_species(_value(kind, k), _value(label, k), formula)
            given = _number(block, isotope, k, species.isotope)
            mass_number = int(given)
            parse_species(species_label(species.symbol, mass_number))
        except ValueError as error:
            block.fail(line, str(error))
        if given != mass_number:
            block.fail(line, f"a whole mass number of {name}, not {given:g}")
        if not all(value.known for value in row):
            if species.symbol != "H":
                block.fail(line, f"coordinates of {name}")
            lost.append(name)
            continue
        fraction = _number(block, occupancy, k, 1.0)
        if fraction < 0:
            block.fail(line, f"an occupancy from 0 to 1 at {name}, not {fraction:g}")
        if species == ("H", 0, 0) and not mass_number and re.match(r"D\d*$", name):
            protons.append(name)
        rows.labels.append(name)
        rows.symbols.append(species.symbol)
        rows.isotopes.append(mass_number)
        rows.hydrogen.append(fraction * (_number(block, attached, k, 0.0) or species.hydrogen))
        places.append([block.number(value, f"coordinates of {name}") for value in row])
        fractions.append(fraction)
    if not places:
        raise ValueError(f"{block.lines.path}, data_{block.name}: expected atoms, found none")
    for what, which in (
        ("leaves out dummies", dummies),
        ("leaves out hydrogen without coordinates", lost),
        ("takes as hydrogen, which is their type, not as deuterium,", protons),
    ):
        if which:
            warn(f"{block.lines.path}, data_{block.name}: {what} {', '.join(which)}")
    return rows._replace(coordinates=np.array(places), fractions=np.array(fractions))


def _value(column: list[Value] | None, k: int) -> str | None:
    return column[k].text if column is not None and column[k].known else None


def _number(block: Block, column: list[Value] | None, k: int, otherwise: float) -> float:
    if column is None or not column[k].known:
        return otherwise
    return block.number(column[k], "a number of an atom site")


def _expand(sites: _Sites, cell: Cell, setting: Setting) -> Atoms:
    """Apply symmetry operations to the sites."""
    periodic = cell.rank == 3
    fractional = sites.coordinates
    if periodic and sites.cartesian:
        fractional = sites.coordinates @ np.linalg.inv(cell.array)
    positions, kinds = [], []
    for kind, place in enumerate(fractional):
        images = setting.rotations @ place + setting.translations
        if len(images) > 1:
            images -= np.floor(images)
            apart = images[:, None] - images
            near = np.linalg.norm((apart - np.rint(apart)) @ cell.array, axis=2) < OVERLAP
            images = images[~np.tril(near, -1).any(axis=1)]
        positions.append(images)
        kinds += [kind] * len(images)
    atoms = Atoms([sites.symbols[k] for k in kinds], cell=cell, pbc=periodic)
    if periodic:
        atoms.set_scaled_positions(np.concatenate(positions))
    else:
        atoms.positions = np.concatenate(positions)
    atoms.set_array("spacegroup_kinds", np.array(kinds))
    atoms.set_array("occupancy", sites.fractions[kinds])
    atoms.set_array("site_labels", np.array([sites.labels[k] for k in kinds]))
    set_isotopes(atoms, [sites.isotopes[k] for k in kinds])
    return atoms


def render(atoms: Atoms) -> str:
    """Write a structure as a CIF without symmetry.

    Parameters
    ----------
    atoms : ase.Atoms
        A structure that is periodic in three directions, or has no cell.

    Returns
    -------
    str
        Content of the file. Deuterium and tritium are ``D`` and ``T``; other isotopes stand in a
        column of their own, ``_atom_site_glassnb_isotope``, which other programs pass over.

    Raises
    ------
    ValueError
        If the format cannot say how the structure is periodic.
    """
    periodic = bool(atoms.pbc.all()) and atoms.cell.rank == 3
    if not periodic and (atoms.pbc.any() or atoms.cell.rank):
        raise ValueError(
            f"atoms.pbc={atoms.pbc.tolist()}: a CIF holds crystals, periodic in all directions, "
            "or molecules without a cell; set atoms.pbc and the cell, or write .extxyz"
        )
    if not atoms.numbers.all():
        raise ValueError("atoms: X is no element; a CIF needs the elements of all atoms")
    counts = atoms.symbols.formula.count()
    text = [
        "data_glassnb",
        f"_chemical_formula_sum '{' '.join(f'{s}{n}' for s, n in sorted(counts.items()))}'",
    ]
    if periodic:
        pairs = zip((*_LENGTHS, *_ANGLES), atoms.cell.cellpar(), strict=True)
        text += [f"{name:<20}{value:.10g}" for name, value in pairs]
        text += ["_cell_formula_units_Z 1", "_space_group_name_H-M_alt 'P 1'"]
        text += ["_space_group_IT_number 1", "loop_", OPERATIONS[0], "'x, y, z'"]
    isotopes = isotopes_of(atoms)
    kind = "fract" if periodic else "Cartn"
    names = ["label", "type_symbol", *(f"{kind}_{axis}" for axis in "xyz"), "occupancy"]
    own = bool(((isotopes > 0) & ~((atoms.numbers == 1) & np.isin(isotopes, (2, 3)))).any())
    text += ["loop_", *(f"_atom_site_{name}" for name in names + [ISOTOPES] * own)]
    places = atoms.positions
    if periodic:
        # Parameters describe a right-handed cell; the inverse of a left-handed one has the same.
        hand = np.sign(np.linalg.det(atoms.cell.array))
        places = hand * atoms.get_scaled_positions(wrap=False)
    seen: dict[str, int] = {}
    for symbol, isotope, place in zip(atoms.symbols, isotopes.tolist(), places, strict=True):
        kind = {2: "D", 3: "T"}.get(isotope, symbol) if symbol == "H" else symbol
        seen[kind] = seen.get(kind, 0) + 1
        row = [f"{kind}{seen[kind]}", kind, *(f"{x:.12f}" for x in place), "1.0"]
        text.append(" ".join(row + [str(isotope or ".")] * own))
    return "\n".join(text) + "\n"
