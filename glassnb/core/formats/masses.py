"""Elements and isotopes by their masses, for files that name atoms by these alone.

A mass means the one element whose atomic weight agrees within 0.06 % or half of the last digit
given, else the one natural isotope (or tritium) that agrees within 0.005 u. What two elements
share, such as 40, means none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

from glassnb.core.callers import warn
from glassnb.core.formats.lines import Lines, number
from glassnb.core.isotopes import parse_species, species_label

__all__ = ["by_mass", "check_species", "no_masses", "settle"]


def settle(lines: Lines, label: str | None, mass: str | None) -> str | None:
    """Return the species that a label and a mass tell together.

    Parameters
    ----------
    lines : Lines
        The file; if they contradict each other, the line read last is named in the error.
    label : str or None
        Element or isotope.
    mass : str or None
        Mass in atomic mass units, as it stands in the file.

    Returns
    -------
    str or None
        The label, with an isotope if the mass is that of one.
    """
    told = None if mass is None else by_mass(mass, label)
    if label is None or told is None or label == "X":
        return label or told
    symbol, isotope = parse_species(label)
    if parse_species(told)[0] != symbol:
        lines.fail(f"the mass of {label} (this is that of {told}): mend one")
    return label if isotope else told


def check_species(path: str, species: Sequence[str], masses: Iterable[tuple[int, str]]) -> None:
    """Warn where the masses in a file are not those of the species that the user named.

    Parameters
    ----------
    path : str
        Name of the file.
    species : sequence of str
        Label of each type.
    masses : iterable of (int, str)
        Types, from 1, with masses as they stand in the file.
    """
    masses = sorted(masses)
    wrong = []
    for kind, mass in [] if no_masses(mass for _, mass in masses) else masses:
        label = species[kind - 1]
        told = by_mass(mass, label) or label
        (symbol, isotope), (element, mass_number) = parse_species(label), parse_species(told)
        # Isotopes may be named for what was simulated with natural masses.
        if symbol != element or (mass_number and mass_number != isotope):
            wrong.append(f"type {kind} of mass {mass}, that of {told}, {label!r}")
    if wrong:
        warn(
            f"species={tuple(species)} calls {'; '.join(wrong)} in {path}; name the elements in "
            "the order of the types if that is not meant"
        )


def no_masses(masses: Iterable[str | None]) -> bool:
    """Say whether all masses are missing or 1, which stands for no mass at all."""
    return all(mass is None or number(mass) == 1 for mass in set(masses))


@cache
def by_mass(mass: str, label: str | None = None) -> str | None:
    """Return the one element or isotope that has a mass.

    Parameters
    ----------
    mass : str
        Mass in atomic mass units, as it stands in the file.
    label : str, optional
        What the file says of the atom, for elements that share an isotopic mass.

    Returns
    -------
    str or None
        A label, None if nothing or more than one species has this mass.
    """
    import periodictable

    value = number(mass)
    if value is None:
        return None
    own = parse_species(label)[0] if label else None
    near = max(6e-4 * value, 0.5 * 10.0 ** -len(re.split("[eEdD]", mass)[0].partition(".")[2]))
    elements, isotopes = {}, []
    for element in periodictable.elements:
        if element.number == 0:  # the neutron
            continue
        natural = [n for n in element.isotopes if element[n].abundance > 0]
        away = abs(element.mass - value)
        # what occurs in nature has a weight that is no whole number, or natural isotopes
        if (natural or element.mass % 1) and away <= near:
            elements[element.symbol] = away
            continue
        for n in [*natural, *([3] if element.symbol == "H" else [])]:
            if abs(element[n].mass - value) <= 0.005:
                isotopes.append(species_label(element.symbol, n))
    mine = [name for name in [*elements, *isotopes] if parse_species(name)[0] == own]
    exact = [symbol for symbol, away in elements.items() if away <= 1e-4 * value]
    for names in (mine, exact, [*elements, *isotopes]):
        if len(names) == 1:
            return names[0]
    return None
