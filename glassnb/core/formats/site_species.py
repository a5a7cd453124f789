"""What an atom site of a CIF holds: its element and isotope, by its type or else by its label.

Types may carry charges (``Si4+``, ``O2-``, ``O-2``) or isotopes (``D``, ``Li-6``, ``6Li``). In
labels a number counts sites: ``Li6`` and ``O18`` are a sixth lithium and an eighteenth oxygen.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ase.data import atomic_numbers

from glassnb.core.isotopes import parse_species

__all__ = ["ISOTOPES", "Species", "site_species"]

ISOTOPES = "glassnb_isotope"  # name of the column of mass numbers behind _atom_site_
# Names that stand for an oxygen (or nitrogen) with hydrogen that is not listed.
_WITH_HYDROGEN = {
    "wat": ("O", 2), "water": ("O", 2), "ow": ("O", 2), "h2o": ("O", 2), "oh2": ("O", 2),
    "h3o": ("O", 3), "oh": ("O", 1), "hoh": ("O", 2), "nh4": ("N", 4), "nh3": ("N", 3),
}  # fmt: skip


class Species(NamedTuple):
    """The species of a site.

    Parameters
    ----------
    symbol : str
        Chemical symbol.
    isotope : int
        Mass number, 0 for the natural element.
    hydrogen : int
        Hydrogen atoms that the name of the site mentions.
    """

    symbol: str
    isotope: int = 0
    hydrogen: int = 0


def site_species(
    kind: str | None, label: str | None, formula: dict[str, float] | None = None
) -> Species:
    """Return the species of a site.

    Parameters
    ----------
    kind : str, optional
        The type of the atom, ``_atom_site_type_symbol``.
    label : str, optional
        The label of the site, which counts where there is no type.
    formula : dict, optional
        Numbers of atoms by symbol in the formula of the file: it tells calcium from an alpha carbon
        where there are only labels in capitals.

    Returns
    -------
    Species
        Element, isotope, hydrogen.

    Raises
    ------
    ValueError
        If it is no element. The message says what was expected.
    """
    if kind is not None:
        return _of_type(kind, formula or {})
    return _of_label(label or "", formula or {})


def _of_type(kind: str, formula: dict[str, float]) -> Species:
    text = kind.strip()
    bare = re.sub(r"\d*\.?\d*[+-]\d*$", "", text)  # without its charge
    if isotope := re.fullmatch(r"([A-Za-z]{1,2})-(\d+)|(\d+)([A-Za-z]{1,2})", text):
        symbol = (isotope[1] or isotope[4]).capitalize()
        number = int(isotope[2] or isotope[3])
        # X-n is a charge for most files; no element has n nucleons then, but for the hydride.
        if number > 1 or isotope[4]:
            try:
                return Species(*parse_species(f"{symbol}-{number}"))
            except ValueError:
                if isotope[4]:
                    raise
    if bare.lower() in _WITH_HYDROGEN:
        symbol, hydrogen = _WITH_HYDROGEN[bare.lower()]
        return Species(symbol, 0, hydrogen)
    # Scattering factors have names such as Cval and Siva; some write the site number behind.
    found = re.fullmatch(r"([A-Za-z]{1,2}?)(?:val|va)?\d*", bare)
    symbol = found[1].capitalize() if found else ""
    if symbol == "T" and (bare != "T" or (formula and "H" not in formula)):
        symbol = ""  # a tetrahedral site
    if symbol in ("D", "T") or (symbol in atomic_numbers and symbol != "X"):
        return Species(*parse_species(symbol))
    raise ValueError(f"a chemical element as _atom_site_type_symbol, not {kind!r}")


def _of_label(label: str, formula: dict[str, float]) -> Species:
    letters = re.match(r"[A-Za-z]*", label)
    word = letters[0] if letters else ""
    if re.search(r"[A-Za-z]\d*[/,]\s*[A-Za-z]", label):
        word = ""  # Si/Al: two species
    two, one = word[:2].capitalize(), word[:1].capitalize()
    if word.lower() in _WITH_HYDROGEN and two not in formula:
        symbol, hydrogen = _WITH_HYDROGEN[word.lower()]
        return Species(symbol, 0, hydrogen)
    known = [s for s in (two, one) if s in atomic_numbers and s != "X"]
    if one == "D" and (two not in known or (formula and two not in formula)):
        return Species("H", 2)
    in_formula = [s for s in known if s in formula]
    if known and (in_formula or word[:2] != "Va"):
        return Species((in_formula or known)[0])
    raise ValueError(
        f"a label that begins with a chemical element, not {label!r}; add a column "
        "_atom_site_type_symbol"
    )
