"""Rings and what is around them, as plain numbers: no viewer is known here."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.structure import full_cell
from glassnb.network import Bonds, Rings

__all__ = ["Cluster", "cluster_of", "home", "surroundings"]

_SAME = 1e-3  # Å, positions of one atom before and after it was wrapped


@dataclass(frozen=True)
class Cluster:
    """Atoms in one piece, cut out of a structure.

    Parameters
    ----------
    indices : ndarray, shape (n,)
        Which atoms of the structure they are; images of one atom have the same index.
    points : ndarray, shape (n, 3)
        Positions in Å.
    links : ndarray, shape (n_bonds, 2)
        Bonds between them.
    own : ndarray, shape (n,)
        Whether an atom belongs to the ring itself.
    """

    indices: NDArray[np.int64]
    points: NDArray[np.float64]
    links: NDArray[np.int64]
    own: NDArray[np.bool_]


def home(atoms: Atoms, point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vector that brings a point into the cell.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    point : ndarray, shape (3,)
        Position in Å.

    Returns
    -------
    ndarray, shape (3,)
        A lattice vector in Å; zero along directions that are not periodic.
    """
    cell = full_cell(atoms)
    return -(np.floor(point @ np.linalg.inv(cell)) * atoms.pbc) @ cell


def surroundings(
    atoms: Atoms, bonds: Bonds, corners: NDArray[np.float64], distance: float
) -> Cluster:
    """Cut out the atoms near a ring, those of neighbouring cells included.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    bonds : Bonds
        Its bonds.
    corners : ndarray, shape (size, 3)
        Positions of the atoms of the ring in Å, in one piece.
    distance : float
        Largest distance in Å from an atom of the ring.

    Returns
    -------
    Cluster
        The atoms, the ring's own among them.
    """
    cell = full_cell(atoms)
    inverse = np.linalg.inv(cell)
    centre = corners.mean(axis=0)
    reach = np.linalg.norm(corners - centre, axis=1).max() + distance
    fractional = (atoms.positions - centre) @ inverse
    images = -np.round(fractional).astype(np.int64) * atoms.pbc
    fractional += images
    limit = reach * np.linalg.norm(inverse, axis=0)  # of fractional coordinates within reach
    span = np.where(atoms.pbc, np.floor(limit + 0.5), 0).astype(int)
    indices, places, cells = [], [], []
    for shift in product(*(range(-n, n + 1) for n in span)):
        near = np.flatnonzero((np.abs(fractional + shift) <= limit).all(axis=1))
        points = (fractional[near] + shift) @ cell + centre
        apart = np.linalg.norm(points - centre, axis=1) <= reach
        indices.append(near[apart])
        places.append(points[apart])
        cells.append(images[near[apart]] + shift)
    index, point, image = (np.concatenate(part) for part in (indices, places, cells))
    gap = np.linalg.norm(point[:, None] - corners, axis=2).min(axis=1, initial=np.inf)
    kept = gap <= distance
    index, point, image = index[kept], point[kept], image[kept]
    return Cluster(index, point, _links(bonds, index, image), gap[kept] < _SAME)


def _links(bonds: Bonds, index: NDArray[np.int64], image: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the bonds between images of atoms, each once."""
    counts = bonds.counts[index]
    rows = np.repeat(np.arange(index.size), counts)
    before = np.cumsum(counts) - counts
    entries = np.arange(rows.size) + np.repeat(bonds.offsets[index] - before, counts)
    far = np.column_stack([image[rows] + bonds.images[entries], bonds.indices[entries]])
    near = np.column_stack([image, index])
    lowest = np.minimum(near.min(axis=0, initial=0), far.min(axis=0, initial=0))
    highest = np.maximum(near.max(axis=0, initial=0), far.max(axis=0, initial=0))
    weights = np.cumprod([1, *(highest - lowest + 1)[:0:-1]])[::-1]
    keys, wanted = (near - lowest) @ weights, (far - lowest) @ weights
    order = np.argsort(keys)
    place = np.searchsorted(keys[order], wanted)
    place = order[np.minimum(place, index.size - 1)] if index.size else place
    once = (keys[place] == wanted) & (rows < place)
    return np.stack([rows[once], place[once]], axis=1)


def cluster_of(rings: Rings, ring: int) -> Atoms:
    """Return a ring as a molecule.

    Parameters
    ----------
    rings : Rings
        Rings of a structure.
    ring : int
        Number of the ring.

    Returns
    -------
    ase.Atoms
        Its atoms in the order of the bonds, in one piece and without a cell;
        ``arrays["atom"]`` tells which atoms of the structure they are.
    """
    atoms = Atoms(rings.atoms.numbers[rings[ring]], positions=rings.polygon(ring))
    atoms.set_array("atom", rings[ring])
    return atoms
