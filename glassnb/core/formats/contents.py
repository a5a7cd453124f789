"""Hold the contents of a unit cell against what the CIF says of itself.

A wrong setting of the space group puts other numbers of atoms into the cell, or atoms on top of
each other; the formula, the number of formula units, the density and the volume that a file states
tell it. Hydrogen is often not located, and numbers are rounded.
"""

from __future__ import annotations

import re

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers, chemical_symbols, covalent_radii
from ase.units import kg

from glassnb.core.formats.star import Block
from glassnb.core.neighbours import neighbours

__all__ = ["Check", "formula_of", "hold"]

_SILENT, _LARGEST = 0.001, 0.01  # relative differences that are rounding, and that are none
_FORMULA = re.compile(r"\(|\)(\d+\.?\d*|\.\d+)?|([A-Z][a-z]?)(\d+\.?\d*|\.\d+)?")
# Two atoms that are always there are not closer than this share of their covalent radii, nor two
# that the file marks as alternatives of each other closer than the second.
_CLOSEST, _ALTERNATIVES = 0.5, 0.8


class Check:
    """What disagrees (``wrong``), and what a user should know (``notes``), as phrases."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.notes: list[str] = []

    def compare(self, what: str, stated: float, found: float, rounding: float = 0.0) -> None:
        """Note that two numbers differ."""
        difference = abs(found - stated)
        phrase = f"{what} {stated:.6g}, but the cell gives {found:.6g}"
        if difference > max(_LARGEST * abs(stated), rounding):
            self.wrong.append(phrase)
        elif difference > max(_SILENT * abs(stated), rounding):
            self.notes.append(phrase)


def hold(block: Block, atoms: Atoms, *, hydrogen: float, generated: bool) -> Check:
    """Compare the contents of a cell with what its file states.

    Parameters
    ----------
    block : Block
        The data block.
    atoms : ase.Atoms
        Every species of every site, with fractions in ``arrays["occupancy"]``.
    hydrogen : float
        Hydrogen atoms that the file mentions without coordinates.
    generated : bool
        Whether symmetry operations made atoms that the file does not list: atoms too close are
        wrong then, while a list of all atoms may be a model of any kind.

    Returns
    -------
    Check
        What disagrees.
    """
    check = Check()
    fractions = atoms.arrays["occupancy"]
    counts = {
        symbol: float(fractions[atoms.symbols == symbol].sum())
        for symbol in dict.fromkeys(atoms.get_chemical_symbols())
    }
    if not atoms.pbc.all():
        return check
    formula = formula_of(block)
    units = _stated(block, "_cell_formula_units_z")
    missing = hydrogen if formula is None and "H" not in counts else 0.0
    if formula is not None:
        missing = _formula(check, counts, formula, units[0] if units else None)
    if missing:
        check.notes.append(f"{missing:.6g} hydrogen atoms in the cell without coordinates")
    volume = atoms.get_volume()
    if stated := _stated(block, "_cell_volume"):
        check.compare("a volume in Å³ of", stated[0], volume, stated[1])
    if stated := _stated(block, "_exptl_crystal_density_diffrn"):
        mass = fractions @ atoms.get_masses() + missing * atomic_masses[1]
        found = float(mass) / kg * 1e3 / (volume * 1e-24)
        check.compare("a density in g/cm³ of", stated[0], found, stated[1])
    _distances(check, atoms, _groups(block), generated)
    return check


def formula_of(block: Block) -> dict[str, float] | None:
    """Return the atoms of a formula unit as the file states them.

    Parameters
    ----------
    block : Block
        The data block.

    Returns
    -------
    dict or None
        Numbers of atoms by chemical symbol, deuterium as ``H``; None if no formula is stated, or
        none that can be read.
    """
    words = (block.text("_chemical_formula_sum") or "").split()
    text = "".join(word for word in words if not re.fullmatch(r"\d*[+-]\d*", word))  # its charge
    stack: list[dict[str, float]] = [{}]
    if "".join(term[0] for term in _FORMULA.finditer(text)) != text:
        return None
    for term in _FORMULA.finditer(text):
        if term[0] == "(":
            stack.append({})
            continue
        if term[2] is None:
            if len(stack) < 2:
                return None
            inner, times = stack.pop(), float(term[1] or 1)
        else:
            symbol = "H" if term[2] in ("D", "T") else term[2]
            if symbol not in atomic_numbers:
                return None
            inner, times = {symbol: 1.0}, float(term[3] or 1)
        for symbol, number in inner.items():
            stack[-1][symbol] = stack[-1].get(symbol, 0.0) + times * number
    return stack[0] if len(stack) == 1 and any(stack[0].values()) else None


def _stated(block: Block, name: str) -> tuple[float, float] | None:
    """Return a positive number and how much its last digit leaves open."""
    text = block.text(name)
    found = re.match(r"(\d+)(?:\.(\d*))?(?:\(\d+\))?$", text or "")
    if found is None or not float(f"{found[1]}.{found[2] or 0}"):
        return None
    # One in the last digit: some databases cut numbers off.
    return float(f"{found[1]}.{found[2] or 0}"), 10.0 ** -len(found[2] or "")


def _formula(
    check: Check, counts: dict[str, float], formula: dict[str, float], units: float | None
) -> float:
    """Compare with the formula, and return how many hydrogen atoms are missing."""
    stated = " ".join(f"{symbol}{number:.6g}" for symbol, number in formula.items())
    without = [symbol for symbol in {*formula, *counts} if symbol != "H"] or ["H"]
    theirs = sum(formula.get(symbol, 0.0) for symbol in without)
    ours = sum(counts.get(symbol, 0.0) for symbol in without)
    if not theirs or not ours:
        check.wrong.append(f"_chemical_formula_sum {stated!r}, but the cell holds none of it")
        return 0.0
    found = " ".join(f"{symbol}{number * theirs / ours:.4g}" for symbol, number in counts.items())
    off = max(abs(formula.get(s, 0.0) / theirs - counts.get(s, 0.0) / ours) for s in without)
    hydrogen = formula.get("H", 0.0) * ours / theirs - counts.get("H", 0.0)
    if "H" in without:
        hydrogen = 0.0
    if off > _LARGEST or hydrogen < -_LARGEST * ours:
        check.wrong.append(f"_chemical_formula_sum {stated!r}, but the cell gives {found!r}")
    elif off > _SILENT:
        check.notes.append(f"_chemical_formula_sum {stated!r}, but the cell gives {found!r}")
    if units is not None:
        # Some programs count another unit, and write the sum of the whole cell.
        whole = abs(ours / theirs - 1) < _LARGEST
        if not (whole and all(number % units == 0 for number in formula.values())):
            check.compare("_cell_formula_units_Z", units, ours / theirs)
    return hydrogen if hydrogen > _LARGEST * ours else 0.0


def _groups(block: Block) -> dict[str, str]:
    """Return which group of alternatives each site is of, by labels."""
    columns = (block.items.get(f"_atom_site_{name}", []) for name in ("label", "disorder_group"))
    return {
        label.text: group.text
        for label, group in zip(*columns, strict=False)
        if group.known and group.text != "0"
    }


def _distances(check: Check, atoms: Atoms, groups: dict[str, str], generated: bool) -> None:
    """Look for atoms that cannot be there together."""
    always = atoms[atoms.arrays["occupancy"] > 0.5]
    if len(always) == 0:
        return
    radii = covalent_radii[always.numbers]
    labels = always.arrays["site_labels"].tolist()
    group = np.array([groups.get(label, "") for label in labels])
    share = _ALTERNATIVES if len(set(group)) > 1 else _CLOSEST
    try:
        near = neighbours(always, 2 * share * float(radii.max()))
    except ValueError:
        return  # two on one place: said where the occupancies are looked at
    i, j = near.centres, near.indices
    marked = (group[i] != "") | (group[j] != "")
    alternatives = (group[i] != "") & (group[j] != "") & (group[i] != group[j])
    closest = np.where(alternatives, _ALTERNATIVES, _CLOSEST) * (radii[i] + radii[j])
    wrong = near.distances < closest
    wrong &= always.arrays["occupancy"][i] + always.arrays["occupancy"][j] > 1.01
    for which, said in ((wrong & (marked | generated), check.wrong), (wrong, check.notes)):
        if which.any():
            k = int(np.flatnonzero(which)[np.argmin(near.distances[which])])
            pair = "-".join(chemical_symbols[always.numbers[m]] for m in (i[k], j[k]))
            names = " and ".join(
                labels[m] + (f" (disorder group {group[m]})" if group[m] else "")
                for m in (i[k], j[k])
            )
            remedy = "; give alternatives their _atom_site_occupancy" if marked[k] else ""
            said.append(
                f"coordinates that put {names} {near.distances[k]:.3f} Å from each other "
                f"({pair}){remedy}"
            )
            return
