"""The kinds of atoms in a file: labels such as Si, D and Li-6, or numbers that stand for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from ase import Atoms

from glassnb.core.callers import warn
from glassnb.core.formats.lines import Lines
from glassnb.core.isotopes import isotopes_of, parse_species, set_isotopes, species_label

__all__ = [
    "assemble",
    "check_label",
    "group_by_species",
    "is_label",
    "labels_of",
    "name_types",
    "refuse_species",
]


def is_label(word: str) -> bool:
    """Say whether a word names an element or an isotope."""
    try:
        parse_species(word)
    except ValueError:
        return False
    return True


def check_label(lines: Lines, label: str) -> str:
    """Return ``label``, or fail at the current line if it names no element and no isotope."""
    if not is_label(label):
        lines.fail(f"a chemical element (not {label!r})")
    return label


def assemble(labels: Sequence[str], **arguments: Any) -> Atoms:
    """Make a structure of atoms with the given labels.

    Parameters
    ----------
    labels : sequence of str
        Element or isotope of each atom.
    **arguments
        What else :class:`ase.Atoms` takes.

    Returns
    -------
    ase.Atoms
        The structure, with its isotopes if it has any.
    """
    kinds = {label: parse_species(label) for label in set(labels)}
    atoms = Atoms([kinds[label][0] for label in labels], **arguments)
    isotopes = [kinds[label][1] for label in labels]
    if any(isotopes):
        set_isotopes(atoms, isotopes)
    return atoms


def labels_of(atoms: Atoms) -> list[str]:
    """Return the label of each atom, such as ``"Si"`` or ``"D"``.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.

    Returns
    -------
    list of str
        What :func:`glassnb.core.isotopes.parse_species` understands.
    """
    numbers = isotopes_of(atoms).tolist()
    return [species_label(*kind) for kind in zip(atoms.symbols, numbers, strict=True)]


def group_by_species(atoms: Atoms) -> tuple[list[str], list[int], np.ndarray]:
    """Order atoms by species, species in the order in which they first appear.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.

    Returns
    -------
    species : list of str
        Labels of elements and isotopes.
    counts : list of int
        Number of atoms of each.
    order : numpy.ndarray
        Indices that sort the atoms; atoms of one species keep their order.
    """
    labels = labels_of(atoms)
    ranks = {label: rank for rank, label in enumerate(dict.fromkeys(labels))}
    rank = np.array([ranks[label] for label in labels])
    return list(ranks), np.bincount(rank).tolist(), np.argsort(rank, kind="stable")


def name_types(
    path: str,
    types: Sequence[int],
    species: Sequence[str] | None,
    *,
    known: Mapping[int, str] | None = None,
    count: int | None = None,
) -> list[str]:
    """Name atoms whose kinds a file only numbers.

    Parameters
    ----------
    path : str
        Name of the file, for messages.
    types : sequence of int
        Number of each atom's kind, from 1.
    species : sequence of str or None
        Label of each kind, as the user gave them.
    known : dict, optional
        Labels that the file tells by other means, by number.
    count : int, optional
        How many kinds the file has; without it, at least those that occur.

    Returns
    -------
    list of str
        Label of each atom, ``"X"`` where nothing tells it, with a warning.
    """
    found = Counter(types)
    if species is not None:
        wanted = max(found, default=0) if count is None else count
        if len(species) < wanted or (count is not None and len(species) > wanted):
            numbers = ", ".join(str(found[kind]) for kind in sorted(found))
            raise ValueError(
                f"species={tuple(species)}: {path} has {wanted} types of atoms "
                f"({numbers} atoms), so name {wanted} elements"
            )
        return [species[kind - 1] for kind in types]
    names = known or {}
    unknown = [kind for kind in sorted(found) if kind not in names]
    if unknown:
        listed = ", ".join(map(str, unknown[:10])) + (", ..." if len(unknown) > 10 else "")
        warn(
            f"{path} does not tell the elements of its types of atoms {listed}: they are read as "
            "'X'. Name them in the order of the file, as in read(path, species=('Si', 'O'))"
        )
    return [names.get(kind, "X") for kind in types]


def refuse_species(path: str, species: Sequence[str], own: Sequence[str] = ()) -> NoReturn:
    """Raise the error for ``species`` given with a file that names its elements."""
    named = f" ({', '.join(own)})" if own else ""
    raise ValueError(
        f"species={tuple(species)}: {path} names its elements itself{named}; leave species out"
    )
