"""Random structures from which melts are made."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from ase import Atoms, units
from scipy.spatial import cKDTree

__all__ = ["random_silica"]

MINIMUM_DISTANCE = 1.6  # Å: the Si-O bond


def random_silica(n_atoms: int, density: float = 2.20, *, seed: int = 0) -> Atoms:
    """Put atoms of SiO2 at random into a cubic box, none closer than a Si-O bond.

    Parameters
    ----------
    n_atoms : int
        Number of atoms, a multiple of 3.
    density : float
        Mass density in g/cm³, at most 5.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    ase.Atoms
        Silicon, then oxygen, periodic.

    Raises
    ------
    ValueError
        If the number of atoms is not a multiple of 3, or the density is not between 0 and 5.
    """
    if n_atoms <= 0 or n_atoms % 3:
        raise ValueError(f"n_atoms={n_atoms}: SiO2 needs a positive multiple of 3")
    if not 0 < density <= 5:
        raise ValueError(f"density={density}: must be between 0 and 5 g/cm³")
    atoms = Atoms("Si" * (n_atoms // 3) + "O" * (2 * n_atoms // 3), pbc=True)
    edge = box_edge(n_atoms, density)
    atoms.set_cell([edge] * 3)
    atoms.positions[:] = _scatter(n_atoms, edge, np.random.default_rng(seed))
    return atoms


def box_edge(n_atoms: int, density: float) -> float:
    """Return the edge in Å of the cube that holds ``n_atoms`` of SiO2 at ``density`` in g/cm³."""
    mass = Atoms("SiO2").get_masses().sum() * n_atoms / 3
    return math.cbrt(mass * units._amu * 1.0e27 / density)


def _scatter(count: int, edge: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Fill the box in rounds: of two points too close to each other, the later one is dropped."""
    accepted = np.empty((0, 3))
    while len(accepted) < count:
        points = rng.random((count - len(accepted), 3)) * edge
        if len(accepted):
            nearest, _ = cKDTree(accepted, boxsize=edge).query(points)
            points = points[nearest >= MINIMUM_DISTANCE]
        close = cKDTree(points, boxsize=edge).query_pairs(MINIMUM_DISTANCE, output_type="ndarray")
        keep = np.ones(len(points), dtype=bool)
        keep[close.max(axis=1)] = False
        accepted = np.concatenate([accepted, points[keep]])
    return accepted
