"""How close to a regular tetrahedron the nearest neighbours of an atom stand."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.neighbours import neighbours
from glassnb.core.structure import check_atoms
from glassnb.network import _kernels

__all__ = ["tetrahedral_order"]


def tetrahedral_order(
    atoms: Atoms, centre: str = "Si", neighbour: str = "O", *, cutoff: float = 3.5
) -> NDArray[np.float64]:
    """Compute the tetrahedral order parameter q of every centre.

    ``q = 1 - 3/8 sum_{j<k} (cos(angle_jk) + 1/3)^2`` over the six angles between the four nearest
    neighbours: 1 for a regular tetrahedron, 0 on average for directions without correlation.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    centre : str
        Symbol of the atoms in the centre.
    neighbour : str
        Symbol of the neighbours.
    cutoff : float
        Distance in Å within which the four nearest neighbours are looked for.

    Returns
    -------
    ndarray, shape (n_centres,)
        q of each centre, in the order of the atoms; NaN where it has fewer than four neighbours.

    Raises
    ------
    ValueError
        If a species is absent, or the structure or the cutoff makes no sense.

    References
    ----------
    J. R. Errington and P. G. Debenedetti, Nature 409, 318 (2001).
    """
    check_atoms(atoms)
    found = neighbours(atoms, {(centre, neighbour): cutoff})
    symbols = np.array(atoms.get_chemical_symbols())
    order = np.empty(len(atoms))
    # With unlike species the atoms of the other kind have entries too; they are dropped below.
    _kernels.tetrahedral_order(found.vectors(atoms), found.distances, found.offsets, order)
    return order[symbols == centre]
