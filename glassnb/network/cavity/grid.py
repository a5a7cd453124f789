"""The periodic grid behind the cavities: distances to atoms, connected regions, surfaces."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from numbers import Integral

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import SphericalVoronoi

from glassnb.network.cavity import _kernels

# One of each pair of opposite directions to the 26 neighbours of a grid point.
_DIRECTIONS = [step for step in product((-1, 0, 1), repeat=3) if step > (0, 0, 0)]
_COARSEST, _FINEST = 8, 400  # points along the longest vector: 400 take about 2 GB
# Distances that differ by less than rounding errors are equal.
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Grid:
    """Points that divide the vectors of a cell evenly, half a step away from its faces.

    Parameters
    ----------
    cell : ndarray, shape (3, 3)
        Cell vectors in Å, as rows.
    shape : tuple of int
        Number of points along each.
    """

    cell: NDArray[np.float64]
    shape: tuple[int, int, int]

    @property
    def steps(self) -> NDArray[np.float64]:
        """Vectors in Å between neighbouring points, as rows."""
        return self.cell / np.array(self.shape)[:, None]

    @property
    def voxel(self) -> float:
        """Volume of one point in Å³."""
        return float(abs(np.linalg.det(self.steps)))

    @property
    def size(self) -> float:
        """Side in Å of the cube of a point's volume: the spacing, where all three are alike."""
        return float(np.cbrt(self.voxel))


def make_grid(atoms: Atoms, resolution: int, radius: float) -> Grid:
    """Lay a grid of ``resolution`` points along the longest cell vector, and check it."""
    if not isinstance(resolution, Integral) or not _COARSEST <= resolution <= _FINEST:
        raise ValueError(
            f"resolution={resolution!r}: must be a whole number from {_COARSEST} to {_FINEST}, the "
            "number of grid points along the longest cell vector (64 is usual)"
        )
    cell = np.array(atoms.cell, dtype=float)
    lengths = np.linalg.norm(cell, axis=1)
    counts = np.maximum(np.rint(lengths / lengths.max() * resolution), 1).astype(int)
    spacing = float((lengths / counts).max())
    if spacing > radius:
        needed = int(np.ceil(lengths.max() / radius))
        advice = (
            f"raise it to {needed} or more"
            if needed <= _FINEST
            else "this cell is too large for it"
        )
        raise ValueError(
            f"resolution={resolution}: grid points {spacing:.2f} Å apart miss spheres of radius "
            f"{radius:.2f} Å; {advice}"
        )
    return Grid(cell, (int(counts[0]), int(counts[1]), int(counts[2])))


def nearest(
    grid: Grid, points: NDArray[np.float64], reach: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the squared distance in Å² to, and the index of, the nearest of ``points``.

    ``points`` are in units of the grid's steps. Where none is within ``reach``: infinity and -1.
    """
    squared = np.full(grid.shape, np.inf)
    owner = np.full(grid.shape, -1, dtype=np.int64)
    reach = reach * (1 + _TOLERANCE)
    half_width = reach * np.linalg.norm(np.linalg.inv(grid.steps), axis=0)
    _kernels.nearest(np.ascontiguousarray(points), grid.steps, reach, half_width, squared, owner)
    return squared, owner


def distances(
    grid: Grid,
    points: NDArray[np.float64],
    species: NDArray[np.int64],
    cutoffs: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the squared distance to the nearest atom, and which points no atom covers."""
    reach = float(cutoffs.max())
    squared = np.full(grid.shape, np.inf)
    void = np.ones(grid.shape, dtype=bool)
    for cutoff in np.unique(cutoffs):
        near, _ = nearest(grid, points[cutoffs[species] == cutoff], reach)
        void &= near > cutoff**2 * (1 + _TOLERANCE)
        np.minimum(squared, near, out=squared)
    # Points of wide voids have no atom within the largest radius; look farther until all have.
    while np.isinf(squared).any():
        reach *= 1.5
        squared, _ = nearest(grid, points, reach)
    return squared, void


def components(marked: NDArray[np.generic]) -> NDArray[np.int32]:
    """Label regions that touch, through the faces of the cell too: 0 outside, then from 1.

    ``marked`` holds either booleans, or whole numbers of which equal ones are one region already.
    """
    if marked.dtype == bool:
        labels, count = ndimage.label(marked, np.ones((3, 3, 3)), output=np.int32)
    else:
        labels, count = marked.astype(np.int32), int(marked.max())
    pairs = np.concatenate([_touching(labels, step, count) for step in _DIRECTIONS])
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count + 1,) * 2)
    # label 0, the outside, touches nothing and stays the first component
    _, joined = connected_components(graph, directed=False)
    return joined.astype(np.int32)[labels]


def _touching(labels: NDArray[np.int32], step: tuple[int, ...], count: int) -> NDArray[np.int64]:
    """Return the pairs of different labels, none 0, of points that are ``step`` apart."""
    beside = np.roll(labels, step, axis=(0, 1, 2))
    at = (labels != beside) & (labels > 0) & (beside > 0)
    # one number for each pair, which sorts far faster than rows do
    codes = np.unique(labels[at].astype(np.int64) * (count + 1) + beside[at])
    return np.column_stack(np.divmod(codes, count + 1))


def surface_points(void: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the flat indices of the marked points with a neighbour that is not marked."""
    inside = ndimage.minimum_filter(void.view(np.uint8), size=3, mode="wrap").view(bool)
    return np.flatnonzero(void & ~inside)


def farthest(labels: NDArray[np.int32], squared: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the flat index of each region's point farthest from all atoms; of equals, the first.

    ``squared`` are the squared distances to the nearest atom, in squares of the grid's spacing.
    """
    at = np.flatnonzero(labels)
    depth = np.round(squared.ravel()[at], 8)  # so that rounding errors do not choose among equals
    order = np.lexsort((-depth, labels.ravel()[at]))
    _, first = np.unique(labels.ravel()[at][order], return_index=True)
    return at[order][first]


def grow(
    grid: Grid,
    seeds: NDArray[np.int64],
    domains: NDArray[np.int32],
    squared: NDArray[np.float64],
    where: NDArray[np.bool_] | None = None,
) -> NDArray[np.int32]:
    """Label all points (of ``where``) nearer to a seed than to any atom by the seed's domain.

    ``seeds`` are flat indices of points of ``domains``; of several seeds the nearest counts.
    """
    if not seeds.size:
        return np.zeros(grid.shape, dtype=np.int32)
    reach = float(np.sqrt(squared.max() if where is None else squared[where].max(initial=0)))
    points = np.column_stack(np.unravel_index(seeds, grid.shape)).astype(float)
    near, owner = nearest(grid, points, reach)
    claimed = near < squared * (1 - _TOLERANCE)
    if where is not None:
        claimed &= where
    return np.where(claimed, domains.ravel()[seeds][owner], 0).astype(np.int32)


def surface_areas(labels: NDArray[np.int32], grid: Grid) -> NDArray[np.float64]:
    """Return the area in Å² of each region's surface, by Crofton's formula.

    Lines along a direction u, of which one passes each area voxel/|u|, cross a surface S as often
    as the integral of |n . u| over S; the mean of |n . u| over all directions is 1/2.
    """
    vectors = np.array(_DIRECTIONS) @ grid.steps
    lengths = np.linalg.norm(vectors, axis=1)
    units = vectors / lengths[:, None]
    weights = SphericalVoronoi(np.concatenate([units, -units])).calculate_areas()[: len(units)]
    weights = weights / weights.sum()
    count = int(labels.max(initial=0))
    areas = np.zeros(count + 1)
    for step, length, weight in zip(_DIRECTIONS, lengths, weights, strict=True):
        beside = np.roll(labels, step, axis=(0, 1, 2))
        changed = labels != beside
        crossings = np.bincount(labels[changed], minlength=count + 1) + np.bincount(
            beside[changed], minlength=count + 1
        )
        areas += 2 * weight * crossings * grid.voxel / length
    return areas[1:]
