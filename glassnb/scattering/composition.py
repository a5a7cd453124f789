"""What scatters: the isotopes of each element, of a structure or of a chemical formula."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import periodictable
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.isotopes import isotopes_of, parse_species, species_label

__all__ = ["IsotopeShares", "isotope_shares", "isotopes_text", "parse_composition", "substituted"]

#: Share of each mass number (0: the natural element) among the atoms of an element, by symbol.
#: Elements that are natural throughout are left out.
IsotopeShares: TypeAlias = dict[str, dict[int, float]]

_TOLERANCE = 1e-6  # of the sum of shares
_BRACKETS = re.compile(r"[\[(](\d{1,3})([A-Z][a-z]?)[\])]")  # [6Li]2O, (6Li)2O
_NUMBER_FIRST = re.compile(r"(?:^|(?<=\+))\s*(\d{1,3})([A-Z][a-z]?)")  # 6Li2O


def isotope_shares(atoms: Atoms) -> IsotopeShares:
    """Return which isotopes the elements of a structure consist of.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, with isotopes as :func:`glassnb.core.isotopes.isotopes_of` finds them.

    Returns
    -------
    dict of str to dict of int to float
        Share of each mass number among the atoms of an element, 0 for the natural element;
        elements that are natural throughout are left out.
    """
    numbers, symbols = isotopes_of(atoms), np.array(atoms.get_chemical_symbols())
    found = {}
    for symbol in dict.fromkeys(symbols[numbers > 0].tolist()):
        mass_numbers, counts = np.unique(numbers[symbols == symbol], return_counts=True)
        shares = counts / counts.sum()
        found[symbol] = dict(zip(mass_numbers.tolist(), shares.tolist(), strict=True))
    return found


def substituted(
    shares: IsotopeShares, isotopes: Mapping[str, Any] | None, symbols: Iterable[str]
) -> IsotopeShares:
    """Return isotopes after a substitution.

    Parameters
    ----------
    shares : dict
        Isotopes so far, as :func:`isotope_shares` gives them.
    isotopes : dict or None
        What is put in place of them, by symbol: a mass number, as ``{"H": 2}``, or shares that sum
        to 1, as ``{"Ni": {58: 0.7, 62: 0.3}}``; 0 is the natural element. Elements that are not
        named stay as they are.
    symbols : iterable of str
        The elements there are.

    Returns
    -------
    dict
        Isotopes, in the form of :func:`isotope_shares`.

    Raises
    ------
    ValueError
        If an element is absent, has no such isotope, or its shares do not sum to 1.
    """
    found, present = dict(shares), tuple(symbols)
    if isotopes is not None and not isinstance(isotopes, Mapping):
        raise ValueError(f'isotopes={isotopes!r}: must be by element, such as {{"H": 2}}')
    for symbol, given in (isotopes or {}).items():
        if symbol not in present:
            raise ValueError(
                f"isotopes: {symbol!r} is not an element of the structure, which holds "
                f'{", ".join(present)}; name elements and mass numbers, such as {{"H": 2}} for D'
            )
        mixture = _checked(symbol, given if isinstance(given, Mapping) else {given: 1.0})
        found.pop(symbol, None)
        if set(mixture) != {0}:
            found[symbol] = mixture
    return found


def isotopes_text(shares: IsotopeShares) -> str:
    """Return isotopes in words, such as ``"D, 0.7 Ni-58 + 0.3 Ni-62"``.

    Parameters
    ----------
    shares : dict
        Isotopes, as :func:`isotope_shares` gives them.

    Returns
    -------
    str
        Empty where all elements are natural.
    """
    words = []
    for symbol, mixture in shares.items():
        parts = [
            ("" if share == 1 else f"{share:.4g} ") + (species_label(symbol, n) if n else symbol)
            for n, share in mixture.items()
        ]
        words.append(" + ".join(parts))
    return ", ".join(words)


def parse_composition(
    composition: str,
) -> tuple[tuple[str, ...], NDArray[np.float64], IsotopeShares]:
    """Return the elements of a chemical formula, how much there is of each, and their isotopes.

    Parameters
    ----------
    composition : str
        A formula such as ``"SiO2"``, ``"(Na2O)0.2(SiO2)0.8"`` or ``"Na2O+2SiO2"``. Isotopes are
        ``D`` and ``T``, ``[6Li]2O`` or ``Li[6]2O``; a number in front of a single formula, as in
        ``6Li2O``, is a mass number where its first element has that isotope: ``2H2O`` is D2O.
        A number behind an element counts atoms: ``Ni62`` is natural nickel, ``[62Ni]`` the isotope.

    Returns
    -------
    symbols : tuple of str
        Elements.
    concentrations : ndarray, shape (n_species,)
        Fraction of the atoms of each element.
    shares : dict
        Isotopes, in the form of :func:`isotope_shares`.

    Raises
    ------
    ValueError
        If this is no formula, or a number in it may be a mass number or a count.
    """
    try:
        atoms = periodictable.formula(_with_brackets(composition)).atoms
    except Exception as error:  # the parser has errors of its own
        raise ValueError(
            f"composition={composition!r}: is no chemical formula such as 'SiO2', "
            f"'(Na2O)0.2(SiO2)0.8' or '[6Li]2O' ({error})"
        ) from None
    counts: dict[str, dict[int, float]] = {}
    for atom, count in atoms.items():
        mixture = counts.setdefault(atom.symbol if atom.symbol not in "DT" else "H", {})
        mass_number = getattr(atom, "isotope", 0)
        mixture[mass_number] = mixture.get(mass_number, 0.0) + float(count)
    numbers = np.array([sum(mixture.values()) for mixture in counts.values()])
    if not numbers.sum() > 0:
        raise ValueError(f"composition={composition!r}: names no atoms; write it as 'SiO2'")
    shares = {
        symbol: {n: count / number for n, count in sorted(counts[symbol].items())}
        for symbol, number in zip(counts, numbers.tolist(), strict=True)
        if set(counts[symbol]) != {0}
    }
    return tuple(counts), numbers / numbers.sum(), shares


def _with_brackets(composition: str) -> str:
    """Bring isotopes to the form Li[6]."""
    text = _BRACKETS.sub(r"\2[\1]", composition)
    for found in _NUMBER_FIRST.finditer(text):
        number, symbol = found.groups()
        if not _exists(symbol, int(number)):
            continue  # a count
        if "+" in text:
            raise ValueError(
                f"{number}{symbol} may be the isotope or a count: write [{number}{symbol}] or "
                f"{number}({symbol}...)"
            )
        text = f"{symbol}[{number}]{text[found.end() :]}"
    return text


def _exists(symbol: str, mass_number: int) -> bool:
    try:
        parse_species(f"{symbol}-{mass_number}")
    except ValueError:
        return False
    return True


def _checked(symbol: str, mixture: Mapping[Any, Any]) -> dict[int, float]:
    found: dict[int, float] = {}
    for key, share in mixture.items():
        try:
            mass_number, part = int(key), float(share)
        except (TypeError, ValueError):
            mass_number, part = -1, np.nan
        if mass_number < 0 or mass_number != float(key) or not 0 <= part <= 1:
            raise ValueError(
                f"isotopes[{symbol!r}]={dict(mixture)}: must be shares from 0 to 1 by mass number, "
                "such as {58: 0.7, 62: 0.3}, or one mass number"
            )
        if mass_number and not _exists(symbol, mass_number):
            raise ValueError(
                f"isotopes[{symbol!r}]: there is no isotope {symbol}-{mass_number}; give its "
                "number of protons and neutrons, or 0 for the natural element"
            )
        if part:
            found[mass_number] = found.get(mass_number, 0.0) + part
    if abs(sum(found.values()) - 1) > _TOLERANCE:
        raise ValueError(
            f"isotopes[{symbol!r}]={dict(mixture)}: shares sum to {sum(found.values()):.6g}, "
            "expected 1; divide them by their sum"
        )
    return dict(sorted(found.items()))
