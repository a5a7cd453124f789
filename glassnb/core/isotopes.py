"""Isotopes of a structure: which nuclei its atoms have, where it matters (neutrons, masses).

A structure carries them as ``atoms.arrays["isotopes"]``, one mass number for each atom, 0 where an
atom is the natural mixture of its element. The array is copied, sliced, repeated and stored in
extended xyz like any other array of ASE. Chemical symbols stay those of the elements, so that
bonds, rings and X-rays see no difference.
"""

from __future__ import annotations

import re

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from numpy.typing import ArrayLike, NDArray

__all__ = ["isotopes_of", "parse_species", "set_isotopes", "species_label"]

NAME = "isotopes"
_HYDROGEN = {"D": 2, "T": 3}
_LABEL = re.compile(r"(?:([A-Z][a-z]?)-(\d{1,3})|(\d{1,3})([A-Z][a-z]?))$")


def parse_species(label: str) -> tuple[str, int]:
    """Return the element and the mass number that a label of a species means.

    Parameters
    ----------
    label : str
        ``"Si"``, ``"D"``, ``"T"``, ``"Li-6"`` or ``"6Li"``.

    Returns
    -------
    symbol : str
        Chemical symbol, ``"H"`` for ``"D"``.
    mass_number : int
        Number of nucleons, 0 for the natural element.

    Raises
    ------
    ValueError
        If the label is none of these, or there is no such element or isotope.
    """
    if label in _HYDROGEN:
        return "H", _HYDROGEN[label]
    if found := _LABEL.match(label):
        symbol, mass_number = found[1] or found[4], int(found[2] or found[3])
        _mass(symbol, mass_number)
        return symbol, mass_number
    _check_element(label)
    return label, 0


def species_label(symbol: str, mass_number: int) -> str:
    """Return the label that :func:`parse_species` understands.

    Parameters
    ----------
    symbol : str
        Chemical symbol.
    mass_number : int
        Number of nucleons, 0 for the natural element.

    Returns
    -------
    str
        ``"Si"``, ``"D"``, ``"Li-6"``, ...
    """
    if mass_number == 0:
        return symbol
    heavy = {number: label for label, number in _HYDROGEN.items()} if symbol == "H" else {}
    return heavy.get(mass_number, f"{symbol}-{mass_number}")


def isotopes_of(atoms: Atoms) -> NDArray[np.int64]:
    """Return the mass number of each atom.

    Where a structure has no array of isotopes, hydrogen that was given the mass of deuterium or
    tritium (as the CIF reader of ASE does) counts as such.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.

    Returns
    -------
    ndarray, shape (n_atoms,)
        Number of nucleons, 0 for the natural element.

    Raises
    ------
    ValueError
        If an atom has an isotope that its element does not have.
    """
    if NAME in atoms.arrays:
        return _checked(atoms, atoms.arrays[NAME])
    found = np.zeros(len(atoms), dtype=np.int64)
    if atoms.has("masses"):
        for mass_number in _HYDROGEN.values():
            close = np.abs(atoms.get_masses() - _mass("H", mass_number)) < 0.005
            found[close & (atoms.numbers == 1)] = mass_number
    return found


def set_isotopes(atoms: Atoms, mass_numbers: ArrayLike) -> None:
    """Give the atoms of a structure their isotopes, and the masses of these.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, which is changed.
    mass_numbers : array_like of int, shape (n_atoms,) or ()
        Number of nucleons of each atom, 0 for the natural element. Where all are 0, the structure
        loses its array of isotopes.

    Raises
    ------
    ValueError
        If the shape is another, or an element has no such isotope.

    Examples
    --------
    >>> from ase import Atoms
    >>> water = Atoms("OH2", [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    >>> set_isotopes(water, [0, 2, 2])
    >>> water.get_masses().round(3).tolist()
    [15.999, 2.014, 2.014]
    """
    before = isotopes_of(atoms)
    given = np.asarray(mass_numbers)
    if given.shape not in ((), (len(atoms),)):
        raise ValueError(
            f"mass_numbers: shape {given.shape}, expected one for each of the {len(atoms)} atoms"
        )
    numbers = _checked(atoms, np.broadcast_to(given, (len(atoms),)))
    masses = atoms.get_masses() if atoms.has("masses") else None
    if masses is not None:
        masses[(before > 0) & (numbers == 0)] = np.nan  # back to the mass of the element
    if numbers.any():
        masses = np.full(len(atoms), np.nan) if masses is None else masses
        for symbol, mass_number in set(zip(atoms.symbols, numbers.tolist(), strict=True)):
            if mass_number:
                which = (atoms.symbols == symbol) & (numbers == mass_number)
                masses[which] = _mass(symbol, mass_number)
    if masses is not None:
        atoms.set_masses([None if np.isnan(mass) else mass for mass in masses])
    atoms.set_array(NAME, numbers.copy() if numbers.any() else None)


def _checked(atoms: Atoms, mass_numbers: NDArray) -> NDArray[np.int64]:
    whole = np.asarray(mass_numbers, dtype=float)
    wrong = np.flatnonzero(~((whole >= 0) & (whole == np.floor(whole)) & np.isfinite(whole)))
    if wrong.size:
        raise ValueError(
            f"isotopes: {mass_numbers[wrong[0]]} of atom {wrong[0]} is no mass number; give whole "
            "numbers, 0 for the natural element"
        )
    numbers = whole.astype(np.int64)
    for symbol, number in set(zip(atoms.get_chemical_symbols(), numbers.tolist(), strict=True)):
        if number:
            _mass(symbol, number)
    return numbers


def _check_element(symbol: str) -> None:
    if symbol not in atomic_numbers:
        raise ValueError(
            f"species {symbol!r}: no chemical element; write Si, D, T, or an isotope as Li-6"
        )


def _mass(symbol: str, mass_number: int) -> float:
    """Return the mass of an isotope in atomic mass units."""
    import periodictable

    _check_element(symbol)
    known = getattr(periodictable, symbol, None)
    if known is None or mass_number not in known.isotopes:
        raise ValueError(
            f"species {symbol}-{mass_number}: {symbol} has no such isotope; the mass number counts "
            "protons and neutrons, 0 stands for the natural element"
        )
    return float(known[mass_number].mass)
