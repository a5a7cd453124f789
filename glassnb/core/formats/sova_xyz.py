"""The xyz files of SOVA and pyMolDyn, whose second line describes the cell.

====================  ==========================================================================
second line           cell
====================  ==========================================================================
``CUB a``             cubic
``TET a c``           tetragonal
``ORT a b c``         orthorhombic
``HEX a c``           hexagonal prism with edge ``a`` (its lattice constant is the root of 3 x a)
``RHO a alpha``       rhombohedral
``MON a b c beta``    monoclinic
``TRI a b c alpha beta gamma``  triclinic
any keyword, 9 numbers          three cell vectors
``NON``               no cell
====================  ==========================================================================

Lengths are in Å, angles in radians (M. Shiga et al., SOVA; I. Meyer et al., J. Comput. Chem. 38,
389 (2017) for the seven shapes of pyMolDyn).
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
from ase import Atoms
from ase.cell import Cell

from glassnb.core.formats.lines import Lines
from glassnb.core.formats.species import labels_of

__all__ = ["cell_of", "recognise", "render"]

_LETTERS = {"CUB": "a", "TET": "a c", "ORT": "a b c", "HEX": "a c", "RHO": "a alpha",
            "MON": "a b c beta", "TRI": "a b c alpha beta gamma", "NON": ""}  # fmt: skip


def recognise(comment: str) -> bool:
    """Tell SOVA's xyz from other xyz files by the keyword in the second line."""
    words = comment.split()
    if not words or words[0].upper() not in _LETTERS:
        return False
    if words[0].upper() == "NON":
        return len(words) == 1
    # An ordinary comment may begin with such a word, but is hardly written in capitals.
    return words[0].isupper() or (len(words) > 1 and words[1].replace(".", "").isdigit())


def cell_of(lines: Lines) -> Cell | None:
    """Return the cell that the line read last describes, None for a cluster."""
    words = lines.current.split()
    shape, values = words[0].upper(), words[1:]
    letters = _LETTERS[shape].split()
    if shape == "NON":
        return None
    if len(values) == 9:
        vectors = np.array(lines.floats(values, 9, "9 components of the cell vectors in Å"))
        if abs(np.linalg.det(vectors.reshape(3, 3))) < 1e-6:
            lines.fail("cell vectors that span a volume")
        return Cell(vectors.reshape(3, 3))
    what = f"'{shape} {_LETTERS[shape]}', lengths in Å and angles in radians"
    if len(values) != len(letters):
        lines.fail(what)
    given = dict(zip(letters, lines.floats(values, len(letters), what), strict=True))
    a = given["a"]
    lengths = [a, given.get("b", a), given.get("c", a)]
    if shape == "HEX":
        return Cell.fromcellpar([sqrt(3) * a, sqrt(3) * a, lengths[2], 90, 90, 60])
    if shape == "RHO":
        given |= {"beta": given["alpha"], "gamma": given["alpha"]}
    angles = [given.get(name, pi / 2) for name in ("alpha", "beta", "gamma")]
    if min(lengths) <= 0 or not all(0 < angle < pi for angle in angles):
        lines.fail(what)
    return Cell.fromcellpar([*lengths, *np.degrees(angles)])


def render(atoms: Atoms) -> str:
    """Write the xyz file of SOVA.

    Parameters
    ----------
    atoms : ase.Atoms
        A structure, with or without a cell.

    Returns
    -------
    str
        Content of the file; cells that are no box along the axes are given by their vectors.
    """
    edges = np.diag(atoms.cell)
    if not atoms.pbc.any():
        shape = "NON"
    elif not np.allclose(atoms.cell, np.diag(edges), atol=1e-9):
        shape = "TRI " + " ".join(f"{x:.10f}" for x in atoms.cell.array.ravel())
    elif np.allclose(edges, edges[0], atol=1e-9):
        shape = f"CUB {edges[0]:.10f}"
    else:
        shape = "ORT " + " ".join(f"{x:.10f}" for x in edges)
    text = [str(len(atoms)), shape]
    for label, position in zip(labels_of(atoms), atoms.positions, strict=True):
        text.append(f"{label:<3s}" + "".join(f"{x:18.10f}" for x in position))
    return "\n".join(text) + "\n"
