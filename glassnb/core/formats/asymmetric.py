"""Formats of crystallography in which ASE reads the atoms listed, but neither symmetry nor sites.

SHELX (``.res``) and protein data bank files may list the asymmetric unit alone. A cell that holds
no more than that is refused; occupancies of SHELX, which ASE passes over, are read here.
"""

from __future__ import annotations

import re

import numpy as np
from ase import Atoms

__all__ = ["complete"]

_ATOM = re.compile(r"\w+\s+\d+(?:\s+[\d.-]+){3}\s+([\d.-]+)")


def complete(path: str, text: str, kind: str, atoms: Atoms) -> Atoms:
    """Add what ASE left out, or refuse a file whose symmetry it passed over.

    Parameters
    ----------
    path : str
        Name of the file, for messages.
    text : str
        Its content.
    kind : str
        Name that ASE has for the format.
    atoms : ase.Atoms
        What ASE read.

    Returns
    -------
    ase.Atoms
        The same, with ``arrays["occupancy"]`` for SHELX.

    Raises
    ------
    ValueError
        If symmetry operations would make more atoms of those listed.
    """
    if kind == "proteindatabank":
        found = re.search(r"^CRYST1.{48}\s(.{1,11})", text, re.M)
        group = found[1].strip() if found else ""
        if group not in ("", "P 1", "P1"):
            raise ValueError(_refusal(path, f"the space group {group!r}"))
    if kind == "res":
        head, _, body = text.partition("SFAC")
        lattice = re.search(r"^LATT\s+(-?\d+)", head, re.M)
        if re.search(r"^SYMM", head, re.M) or (lattice and lattice[1] != "-1"):
            raise ValueError(_refusal(path, "symmetry (LATT, SYMM)"))
        given = [float(number) for number in _ATOM.findall(body)]
        if len(given) == len(atoms):
            # SHELX adds 10 to what is not refined.
            atoms.set_array("occupancy", np.where(np.array(given) > 5, -10, 0) + given)
    return atoms


def _refusal(path: str, what: str) -> str:
    return (
        f"{path}: states {what}, which is not applied to the atoms of this format; convert it to "
        "a CIF, or to a list of all atoms of the cell"
    )
