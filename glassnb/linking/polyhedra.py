"""Voronoi polyhedra, from the triangulation behind the alpha complex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassnb.topology import AlphaComplex, alpha_complex

if TYPE_CHECKING:
    from ase import Atoms

__all__ = ["voronoi_indices"]

_FEWEST = 3  # sides of a face


def voronoi_indices(structure: Atoms | AlphaComplex) -> NDArray[np.int64]:
    """Count the faces of every atom's Voronoi polyhedron by their number of sides.

    A polyhedron ⟨n3, n4, n5, n6⟩ has n3 triangles, n4 quadrangles and so on: ⟨0, 0, 12, 0⟩ is an
    icosahedron of neighbours, ⟨0, 3, 6, 0⟩ a trigonal prism with three caps. All faces count,
    however small; those of a hot structure are noisy.

    Parameters
    ----------
    structure : ase.Atoms or AlphaComplex
        The structure, periodic in three directions; or what there is of it already, the
        ``complex`` of :class:`glassnb.topology.PersistenceDiagrams` without radii.

    Returns
    -------
    numpy.ndarray, shape (n_atoms, n)
        Numbers of faces with 3, 4, 5, ... sides; the first four columns are the Voronoi index,
        and a row's sum is the coordination number.

    Raises
    ------
    ValueError
        If the structure is not periodic or cannot be triangulated, or the complex has radii or
        not all atoms.

    References
    ----------
    H. W. Sheng et al., Nature 439, 419 (2006).
    """
    if isinstance(structure, AlphaComplex):
        found = structure
        if found.radii is not None or found.n_atoms != len(found.atoms):
            raise ValueError(f"structure={found!r}: must be of all atoms, without radii")
    else:
        found = alpha_complex(structure, periodic=True)
    if not found.periodic:
        raise ValueError(f"structure={found!r}: must be periodic in three directions")
    # A side of a face is a tetrahedron around the edge that the face cuts in half. Each edge of a
    # tetrahedron is in two of its triangles.
    around = found.faces[2][found.faces[3]].ravel()
    sides = np.bincount(around, minlength=len(found.simplices[1])) // 2
    n_columns = max(4, int(sides.max()) - _FEWEST + 1)
    counts = np.zeros((found.n_atoms, n_columns), dtype=np.int64)
    for end in found.simplices[1].T:
        np.add.at(counts, (end, sides - _FEWEST), 1)
    return counts
