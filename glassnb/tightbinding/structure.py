"""What the method takes of a structure: atoms, cell, total charge, unpaired electrons."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.geometry import minkowski_reduce

from glassnb.core.structure import cell_heights, check_atoms

__all__ = ["SmallCellWarning", "electrons_asked", "narrow", "plain", "whole"]

THINNEST = 2.0  # Å; in a thinner cell an atom would overlap its own image
NARROW = 8.0  # Å; of a narrower cell the Gamma point alone does not tell
WHOLE = 1e-6  # how near to a whole number a sum of charges or moments has to be


class SmallCellWarning(UserWarning):
    """The Gamma point of a small cell is no answer for the crystal."""


def plain(atoms: Atoms) -> Atoms:
    """Return what counts of a structure: elements, positions, and the cell if it is periodic.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.

    Returns
    -------
    ase.Atoms
        A new structure, with positions in double precision and nothing else.

    Raises
    ------
    ValueError
        If it is empty or has positions that are no numbers, is periodic in some directions only,
        or its lattice has planes less than 2 Å apart.
    """
    check_atoms(atoms)
    if atoms.pbc.any() and not atoms.pbc.all():
        raise ValueError(
            f"atoms.pbc={atoms.pbc.tolist()}: must be periodic in all three directions or in none; "
            "for a slab or a wire leave at least 10 Å of vacuum and set atoms.pbc = True"
        )
    if (width := _width(atoms)) < THINNEST:
        raise ValueError(
            f"atoms.cell: its smallest height is {width:.2f} Å, at least {THINNEST} Å are needed; "
            "repeat the structure"
        )
    # A cell in which nothing is periodic means nothing.
    cell = np.asarray(atoms.cell) if atoms.pbc.any() else None
    return Atoms(atoms.numbers, np.asarray(atoms.positions, float), cell=cell, pbc=atoms.pbc)


def whole(number: float) -> int | None:
    """Return the whole number that a sum of charges is meant to be.

    Parameters
    ----------
    number : float
        The sum.

    Returns
    -------
    int or None
        None if none is within 1e-6.
    """
    if not np.isfinite(number) or abs(number - round(number)) > WHOLE:
        return None
    return round(number)


def electrons_asked(
    atoms: Atoms, charge: float | None = None, multiplicity: int | None = None
) -> tuple[int, int | None, list[UserWarning]]:
    """Return total charge and multiplicity: those given, else what the atoms bring along.

    Initial charges and magnetic moments of atoms may come from elsewhere, such as the charges of a
    classical potential. They count only where they can be meant: charges in a molecule and moments
    that are numbers, if their sum is whole.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    charge : float, optional
        Total charge in e, a whole number.
    multiplicity : int, optional
        Unpaired electrons plus 1.

    Returns
    -------
    charge : int
        Total charge in e.
    multiplicity : int or None
        Unpaired electrons plus 1; None for as few as possible.
    ignored : list of UserWarning
        What the atoms bring along and does not count, as warnings to give.
    """
    ignored = []
    if charge is None:
        total, periodic = float(atoms.get_initial_charges().sum()), bool(atoms.pbc.any())
        charge = whole(total)
        if charge is None or (periodic and charge != 0):
            charge = 0
            reason = "a periodic structure must be neutral" if periodic else "it is not whole"
            remedy = "charge=0" if periodic else "charge= to the total charge in e"
            ignored.append(
                f"atoms: the sum of their initial charges, {total:.9g} e, is ignored, because "
                f"{reason}; set {remedy}, or remove them (atoms.set_initial_charges(None))"
            )
    moments = atoms.get_initial_magnetic_moments()
    if multiplicity is None:
        unpaired = whole(float(moments.sum())) if moments.ndim == 1 else None
        if unpaired is None:
            fraction = f"their sum, {moments.sum():.9g}, is not whole"
            reason = fraction if moments.ndim == 1 else "they are vectors"
            ignored.append(
                f"atoms: their initial magnetic moments are ignored, because {reason}; set "
                "multiplicity= to the number of unpaired electrons plus 1, or remove them "
                "(atoms.set_initial_magnetic_moments(None))"
            )
        multiplicity = abs(unpaired) + 1 if unpaired else None
    return round(charge), multiplicity, [UserWarning(text) for text in ignored]


def narrow(atoms: Atoms) -> list[UserWarning]:
    """Return a warning if the Gamma point of a structure tells little of the crystal.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.

    Returns
    -------
    list of UserWarning
        Empty, or one :class:`SmallCellWarning`.
    """
    width = _width(atoms)
    if width >= NARROW:
        return []
    return [
        SmallCellWarning(
            f"atoms.cell: {width:.2f} Å wide, and only its Gamma point is calculated, which below "
            f"some {NARROW:.0f} Å is no answer for a crystal; repeat the structure "
            "(atoms.repeat), or set a buffer_radius: what is divided is a part of infinitely many "
            "cells"
        )
    ]


def _width(atoms: Atoms) -> float:
    """Return the smallest distance in Å between faces of the cell, however the lattice is set."""
    if not atoms.pbc.all():
        return np.inf
    cell, _ = minkowski_reduce(np.asarray(atoms.cell), atoms.pbc)
    return float(cell_heights(Atoms(cell=cell, pbc=True)).min())
