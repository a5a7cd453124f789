"""Crystallographic information files.

A block of data becomes the atoms of its cell in three steps: its sites (``sites``), the symmetry
operations (``settings``), and a comparison of what they make with what the file states
(``contents``). Of several settings that a symbol can stand for, the one is taken that agrees with
the statements. Sites that are not full are left to ``occupancy``.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.cell import Cell
from ase.neighborlist import neighbor_list

from glassnb.core.callers import warn
from glassnb.core.formats.contents import Check, hold
from glassnb.core.formats.settings import IDENTITY, OPERATIONS, Setting, settings
from glassnb.core.formats.site_species import ISOTOPES
from glassnb.core.formats.sites import CARTESIAN, FRACTIONAL, Sites, sites_of
from glassnb.core.formats.star import Block, blocks
from glassnb.core.isotopes import isotopes_of, set_isotopes
from glassnb.core.neighbours import OVERLAP

__all__ = ["render", "structure", "structures"]

_LENGTHS = ("_cell_length_a", "_cell_length_b", "_cell_length_c")
_ANGLES = ("_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma")


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
    found = [
        block
        for block in blocks(path, text)
        if any(value.known for value in block.column(FRACTIONAL[0], CARTESIAN[0]) or [])
    ]
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
        The atoms of the cell, one for each species of each site, with its fraction in
        ``arrays["occupancy"]`` (see ``occupancy.resolve``). ``arrays["spacegroup_kinds"]`` counts
        the sites of the file, ``arrays["site_labels"]`` holds their labels.

    Raises
    ------
    ValueError
        If a value is wrong, or what the cell holds disagrees with what the file states.
    """
    cell = _cell(block)
    sites = sites_of(block)
    if cell is None:
        if not sites.cartesian:
            raise ValueError(
                f"{block.where}: expected _cell_length_a, _b and _c with the fractions"
            )
        return _expand(sites, Cell.new([0, 0, 0]), IDENTITY)
    chosen, check = _choose(block, cell, sites)
    if check.notes:
        warn(f"{block.where}: states {'; '.join(check.notes)}")
    return chosen


def _choose(block: Block, cell: Cell, sites: Sites) -> tuple[Atoms, Check]:
    """Return what agrees with the statements of the file."""
    candidates = settings(block, cell)
    made = [_without_copies(_expand(sites, cell, setting), sites) for setting in candidates]
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
            f"{block.where}: the cell does not hold what the file says: {found}. "
            "Correct the setting of the space group (list the operations as "
            f"{OPERATIONS[0]}), or the statement that is wrong"
        )
    different = [k for k in agree[1:] if not _same(made[k], made[agree[0]])]
    if different:
        first, second = candidates[agree[0]], candidates[different[0]]
        raise ValueError(
            f"{block.where}: its space group has several settings, and nothing in the "
            f"file tells {first.name} ({made[agree[0]].get_chemical_formula()}) from {second.name} "
            f"({made[different[0]].get_chemical_formula()}); write the setting behind the symbol, "
            f"as in 'F d -3 m :2', or list the operations as {OPERATIONS[0]}"
        )
    if fewer := candidates[agree[0]].fewer:
        warn(
            f"{block.where}: {fewer}; its atoms are read as those that the listed operations make "
            "of its sites. If it does not list all atoms of the cell, list all operations, or none"
        )
    left = set(made[agree[0]].arrays["spacegroup_kinds"].tolist())
    copies = [label for kind, label in enumerate(sites.labels) if kind not in left]
    if copies:
        warn(f"{block.where}: leaves out {', '.join(copies)}, which symmetry makes of other sites")
    return made[agree[0]], checks[agree[0]]


def _without_copies(atoms: Atoms, sites: Sites) -> Atoms:
    """Leave out sites that symmetry makes of others, as lists of whole molecules hold them."""
    kinds = atoms.arrays["spacegroup_kinds"]
    first, second = (kinds[i] for i in neighbor_list("ij", atoms, OVERLAP))
    pairs = np.unique(np.stack([first, second], axis=1)[first < second], axis=0)
    copies = [
        b
        for a, b in pairs.tolist()
        if (sites.symbols[a], sites.isotopes[a]) == (sites.symbols[b], sites.isotopes[b])
        and abs(sites.fractions[a] - sites.fractions[b]) < 0.005
        # A site on the very place of another is no copy, but stands twice.
        and np.abs(sites.coordinates[a] - sites.coordinates[b]).max() > 1e-4
    ]
    return atoms[~np.isin(kinds, copies)] if copies else atoms


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
            raise ValueError(f"{block.where}: expected {name}, found none")
        parameters.append(block.number(values[0], name))
        least, most, unit = (0.0, 180.0, "°") if name in _ANGLES else (0.1, 1e6, " Å")
        if not least < parameters[-1] < most:
            block.fail(values[0].line, f"{name} between {least:g} and {most:g}{unit}")
    a, b, c = np.cos(np.radians(parameters[3:]))
    if 1 - a * a - b * b - c * c + 2 * a * b * c < 1e-6:
        raise ValueError(
            f"{block.where}: expected a cell with a volume, found angles {parameters[3:]}"
        )
    return Cell.fromcellpar(parameters)


def _expand(sites: Sites, cell: Cell, setting: Setting) -> Atoms:
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
            f"cif files cannot hold pbc={atoms.pbc.tolist()} with a cell of {atoms.cell.rank} "
            "vectors, but crystals and molecules without a cell; write .extxyz, which keeps "
            "everything, or set atoms.pbc and the cell"
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
