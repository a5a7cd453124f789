"""Voronoi polyhedra, from the triangulation behind the alpha complex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ase import Atoms

__all__ = ["voronoi_indices"]

_FEWEST = 3  # sides of a face


def voronoi_indices(atoms: Atoms) -> NDArray[np.int64]:
    """Count the faces of every atom's Voronoi polyhedron by their number of sides.

    A polyhedron ⟨n3, n4, n5, n6⟩ has n3 triangles, n4 quadrangles and so on: ⟨0, 0, 12, 0⟩ is an
    icosahedron of neighbours, ⟨0, 3, 6, 0⟩ a trigonal prism with three caps. All faces count,
    however small; those of a hot structure are noisy.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, periodic in three directions.

    Returns
    -------
    numpy.ndarray, shape (n_atoms, n)
        Numbers of faces with 3, 4, 5, ... sides; the first four columns are the Voronoi index,
        and a row's sum is the coordination number.

    Raises
    ------
    ValueError
        If the structure is not periodic or cannot be triangulated.

    References
    ----------
    H. W. Sheng et al., Nature 439, 419 (2006).
    """
    from glassnb.topology import alpha_complex

    if not atoms.pbc.all():
        raise ValueError(f"atoms.pbc={atoms.pbc.tolist()}: must be periodic in three directions")
    found = alpha_complex(atoms)
    # A side of a face is a tetrahedron around the edge that the face cuts in half. Each edge of a
    # tetrahedron is in two of its triangles.
    around = found.faces[2][found.faces[3]].ravel()
    sides = np.bincount(around, minlength=len(found.simplices[1])) // 2
    n_columns = max(4, int(sides.max()) - _FEWEST + 1)
    counts = np.zeros((len(atoms), n_columns), dtype=np.int64)
    for end in found.simplices[1].T:
        np.add.at(counts, (end, sides - _FEWEST), 1)
    return counts
