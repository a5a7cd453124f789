"""The atom sites that a block of a CIF lists: species, coordinates, fractions."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glassnb.core.callers import warn
from glassnb.core.formats.contents import formula_of
from glassnb.core.formats.site_species import ISOTOPES, site_species
from glassnb.core.formats.star import Block, Value
from glassnb.core.isotopes import parse_species, species_label

__all__ = ["CARTESIAN", "FRACTIONAL", "Sites", "sites_of"]

FRACTIONAL = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
CARTESIAN = ("_atom_site_cartn_x", "_atom_site_cartn_y", "_atom_site_cartn_z")
_COLUMNS = (
    "label", "type_symbol", "occupancy", "calc_flag", "attached_hydrogens", ISOTOPES,
)  # fmt: skip


class Sites(NamedTuple):
    """The atom sites of a block, in the order of the file.

    Parameters
    ----------
    labels : list of str
        Names of the sites.
    symbols : list of str
        Chemical symbols.
    isotopes : list of int
        Mass numbers, 0 for natural elements.
    coordinates : ndarray, shape (n_sites, 3)
        In Å if ``cartesian``, else in fractions of the cell.
    fractions : ndarray, shape (n_sites,)
        How often an atom is there.
    hydrogen : list of float
        Hydrogen atoms of each site that have no coordinates.
    cartesian : bool
        What the coordinates are.
    """

    labels: list[str]
    symbols: list[str]
    isotopes: list[int]
    coordinates: NDArray[np.float64]
    fractions: NDArray[np.float64]
    hydrogen: list[float]
    cartesian: bool


def sites_of(block: Block) -> Sites:
    """Return the atom sites of a block.

    Parameters
    ----------
    block : Block
        The data block.

    Returns
    -------
    Sites
        All but dummies and hydrogen without coordinates, which a warning names.

    Raises
    ------
    ValueError
        If a value is missing or wrong; the message names the line.
    """
    cartesian = FRACTIONAL[0] not in block.items
    names = CARTESIAN if cartesian else FRACTIONAL
    axes = [block.items.get(name, []) for name in names]
    n = len(axes[0])
    columns = [block.items.get(f"_atom_site_{name}") for name in _COLUMNS]
    for column in (*axes, *columns):
        if column is not None and len(column) != n:
            raise ValueError(
                f"{block.where}: expected {n} values in every column of "
                f"the atom sites, found {len(column)}"
            )
    label, kind, occupancy, flag, attached, isotope = columns
    if label is None and kind is None:
        block.fail(axes[0][0].line, "_atom_site_label or _atom_site_type_symbol")
    formula = formula_of(block)
    rows = Sites([], [], [], np.empty((0, 3)), np.empty(0), [], cartesian)
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
        raise ValueError(f"{block.where}: expected atoms, found none")
    for what, which in (
        ("leaves out dummies", dummies),
        ("leaves out hydrogen without coordinates", lost),
        ("takes as hydrogen, which is their type, not as deuterium,", protons),
    ):
        if which:
            warn(f"{block.where}: {what} {', '.join(which)}")
    return rows._replace(coordinates=np.array(places), fractions=np.array(fractions))


def _value(column: list[Value] | None, k: int) -> str | None:
    return column[k].text if column is not None and column[k].known else None


def _number(block: Block, column: list[Value] | None, k: int, otherwise: float) -> float:
    if column is None or not column[k].known:
        return otherwise
    return block.number(column[k], "a number of an atom site")
