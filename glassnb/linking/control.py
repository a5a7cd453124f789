"""The positive control: order that is known to be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from glassnb.core.structure import cell_heights, check_atoms, half_box

if TYPE_CHECKING:
    from ase import Atoms

__all__ = ["plant_crystal"]


def plant_crystal(
    atoms: Atoms,
    crystal: Atoms,
    radius: float,
    *,
    centre: ArrayLike | None = None,
    rotation: Any = None,
    gap: float = 2.2,
) -> Atoms:
    """Put a ball of crystal in the place of a ball of glass.

    Nothing is relaxed: atoms of the glass that would overlap are left out.

    Parameters
    ----------
    atoms : ase.Atoms
        The glass, periodic in three directions.
    crystal : ase.Atoms
        A periodic crystal.
    radius : float
        Of the ball in Å, at most half the smallest height of the glass's cell.
    centre : array_like, shape (3,), optional
        Where the ball's middle lies in Å; the middle of the cell when omitted.
    rotation : scipy.spatial.transform.Rotation, optional
        Turns the crystal.
    gap : float
        Smallest distance in Å between atoms of glass and crystal.

    Returns
    -------
    ase.Atoms
        Glass, then crystal, with an array ``"planted"`` that is true for the atoms of the crystal.

    Raises
    ------
    ValueError
        If a length is out of range, a structure is not periodic, or no atom is in the ball.
    """
    from ase.geometry import get_distances

    check_atoms(atoms, periodic=True)
    check_atoms(crystal, periodic=True)
    half = half_box(atoms)
    if not 0 < radius <= half:
        raise ValueError(
            f"radius={radius}: must be above 0 and at most {half:.2f} Å, half the cell"
        )
    if not (np.isfinite(gap) and gap > 0):
        raise ValueError(f"gap={gap}: must be a positive distance in Å")
    ball = _ball(crystal, radius)
    turned = ball.positions if rotation is None else rotation.apply(ball.positions)
    middle = np.asarray(atoms.cell).sum(axis=0) / 2 if centre is None else np.asarray(centre, float)
    if middle.shape != (3,) or not np.isfinite(middle).all():
        raise ValueError(f"centre={centre!r}: must be three coordinates in Å")
    ball.positions = turned + middle
    _, distances = get_distances(atoms.positions, ball.positions, cell=atoms.cell, pbc=atoms.pbc)
    _, to_middle = get_distances(atoms.positions, middle[None], cell=atoms.cell, pbc=atoms.pbc)
    kept = (distances.min(axis=1) >= gap) & (to_middle[:, 0] > radius)
    glass = atoms[kept]
    planted = glass + ball
    planted.set_array("planted", np.arange(len(planted)) >= len(glass))
    return planted


def _ball(crystal: Atoms, radius: float) -> Atoms:
    """Cut a ball about the origin, which lies on the first atom."""
    reach = np.ceil(radius / cell_heights(crystal)).astype(int) + 1
    large = crystal.repeat(2 * reach + 1)
    first = crystal.positions[0] + reach @ np.asarray(crystal.cell)
    large.positions -= first
    inside = np.linalg.norm(large.positions, axis=1) < radius
    ball: Atoms = large[inside]
    return ball
