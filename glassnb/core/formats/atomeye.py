"""AtomEye configurations (``.cfg``), which ASE reads: what it passes over."""

from __future__ import annotations

import re

from ase import Atoms

from glassnb.core.formats.lines import Lines, number
from glassnb.core.formats.masses import by_mass
from glassnb.core.isotopes import parse_species, set_isotopes

__all__ = ["check", "recognise"]

_VECTOR = re.compile(r"^[ \t]*(H0\([123],[123]\))[ \t]*=", re.M)
_UNIT = re.compile(r"^[ \t]*A[ \t]*=[ \t]*(\S+)", re.M)


def recognise(text: str) -> bool:
    """Tell AtomEye's configuration by its first key."""
    return "Number of particles" in text[:2000]


def check(lines: Lines, atoms: Atoms) -> None:
    """Hold what ASE read against the file: unit of length, cell, and masses.

    Parameters
    ----------
    lines : Lines
        The file, for its name and the header.
    atoms : ase.Atoms
        What ASE read. Where all its atoms are C though their masses are of other elements, as
        LAMMPS writes it if it was not told the elements, it gets these.

    Raises
    ------
    ValueError
        If the cell is not whole, lengths have another unit than Å, or masses contradict elements.
    """
    header = "\n".join(lines.lines[:200])
    missing = {f"H0({i},{j})" for i in "123" for j in "123"} - set(_VECTOR.findall(header))
    if missing:
        raise ValueError(f"{lines.path}: expected a cell of nine numbers, without {min(missing)}")
    unit = _UNIT.search(header)
    if unit and number(unit[1]) != 1:
        raise ValueError(f"{lines.path}: expected lengths in Å (A = 1), found A = {unit[1]}")
    pairs = list(zip(atoms.symbols, atoms.get_masses().tolist(), strict=True))
    told = {pair: by_mass(repr(pair[1]), pair[0]) for pair in set(pairs)}
    wrong = {(symbol, mass): label for (symbol, mass), label in told.items()
             if label is not None and parse_species(label)[0] != symbol}  # fmt: skip
    if wrong and all(symbol == "C" and label for (symbol, _), label in told.items()):
        kinds = [parse_species(str(told[pair])) for pair in pairs]
        atoms.symbols[:] = [symbol for symbol, _ in kinds]
        set_isotopes(atoms, [isotope for _, isotope in kinds])
    elif wrong:
        (symbol, mass), label = wrong.popitem()
        raise ValueError(
            f"{lines.path}: expected the mass of {symbol}, found {mass}, that of {label}"
        )
