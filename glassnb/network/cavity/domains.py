"""Which points between the atoms belong together: exactly, and not by the points of a grid.

The complement of a union of balls is connected as the tetrahedra of the balls' regular
triangulation are that no balls cover: two of them through their common triangle, if the points at
the same power from its three atoms, between the two centres, lie outside the balls
(H. Edelsbrunner, Discrete Comput. Geom. 13, 415 (1995)). So a neck counts as open however narrow
it is, and a wall as closed however thin; and a region that reaches far enough from the balls
counts, whether a grid's point falls into it or not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from glassnb.core.triangulation import Degenerate, Quotient, centres_of, periodic_triangulation
from glassnb.network.cavity import _kernels
from glassnb.network.cavity.grid import Grid

__all__ = ["label_domains"]

# Displacements of atoms, as shares of their distance, so that no more than four are equally far
# from a point; tried one after the other.
_SHAKES = (1e-6, 1e-5, 1e-4)
_SLACK = 1e-5  # of a tetrahedron's edges: its faces are uncertain by the above
SHALLOWEST = 0.04  # Å that a region must reach beyond the balls' surfaces at its deepest point


class _Regions(NamedTuple):
    """Tetrahedra that no balls cover: corners and centres as shares of the cell, depths, regions.

    The depth is how far in Å a centre lies from the surfaces of the balls.
    """

    corners: NDArray[np.float64]
    centres: NDArray[np.float64]
    depths: NDArray[np.float64]
    numbers: NDArray[np.int64]


def label_domains(
    grid: Grid,
    fractions: NDArray[np.float64],
    radii: NDArray[np.float64],
    void: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """Label the points of a grid that no ball covers by the connected region that they lie in.

    Parameters
    ----------
    grid : Grid
        The grid.
    fractions : ndarray, shape (n_atoms, 3)
        Centres of the balls as shares of the cell vectors.
    radii : ndarray, shape (n_atoms,)
        Their radii in Å.
    void : ndarray of bool
        Which points of the grid no ball covers.

    Returns
    -------
    ndarray of int
        0 outside, then from 1. Regions that nowhere reach 0.04 Å beyond the balls are left out; one
        that lies between the points of the grid has the one nearest to its deepest place.

    Raises
    ------
    ValueError
        If the atoms cannot be triangulated.
    """
    found = _regions(fractions % 1, grid.cell, radii)
    owner = np.zeros(grid.shape, dtype=np.int32)
    if not found.numbers.size:
        return owner
    corners = found.corners * grid.shape - 0.5
    edges = (corners[:, 1:] - corners[:, :1]).transpose(0, 2, 1)
    _kernels.inside(
        np.ascontiguousarray(corners[:, 0]), np.linalg.inv(edges), corners.min(axis=1) - _SLACK,
        corners.max(axis=1) + _SLACK, _SLACK, found.numbers + 1, void, owner,
    )  # fmt: skip
    _fill_small(grid, found, owner)
    # numbered as they come on the grid, and not as the atoms do
    present, first = np.unique(owner, return_index=True)
    ranks = np.zeros(int(present.max()) + 1, dtype=np.int32)
    regions = present[present > 0]
    ranks[regions[np.argsort(first[present > 0])]] = np.arange(1, regions.size + 1)
    return ranks[owner]


def _fill_small(grid: Grid, found: _Regions, owner: NDArray[np.int32]) -> None:
    """Give regions that hold no point of the grid the nearest one that is free, deepest first."""
    present = np.bincount(owner.ravel(), minlength=int(found.numbers.max()) + 2)[1:] > 0
    order = np.lexsort((-found.depths, found.numbers))
    middles = order[np.unique(found.numbers[order], return_index=True)[1]]
    around = np.stack(np.meshgrid(*[(0, -1, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    missing = np.flatnonzero(~present)
    for region in missing[np.argsort(-found.depths[middles[missing]], kind="stable")].tolist():
        place = found.centres[middles[region]] * grid.shape - 0.5
        near = np.rint(place).astype(int) + around
        near = near[np.argsort(np.linalg.norm((near - place) @ grid.steps, axis=1), kind="stable")]
        for point in (near % grid.shape).tolist():
            if owner[tuple(point)] == 0:
                owner[tuple(point)] = region + 1
                break


def _regions(
    fractions: NDArray[np.float64], cell: NDArray[np.float64], radii: NDArray[np.float64]
) -> _Regions:
    """Find the tetrahedra that no balls cover, and join those between which a way is open."""
    random = np.random.default_rng(0)
    spacing = float(np.cbrt(abs(np.linalg.det(cell)) / len(fractions)))
    for shake in _SHAKES:
        # a strain, because a crystal with one atom a cell has nothing else to give
        strained = cell @ (np.eye(3) + shake * random.uniform(-1, 1, (3, 3)))
        moved = fractions @ strained + shake * spacing * random.uniform(-1, 1, fractions.shape)
        try:
            quotient = periodic_triangulation(moved, strained, radii**2, patient=True)
        except Degenerate as error:
            last = error
            continue
        return _joined(quotient, strained, radii**2)
    raise ValueError(
        f"atoms: no triangulation of these positions was found ({last}); move them a little, for "
        "example with atoms.rattle(1e-4)"
    ) from last


def _joined(
    quotient: Quotient, cell: NDArray[np.float64], weights: NDArray[np.float64]
) -> _Regions:
    tetrahedra, weights = quotient.simplices[3], weights[quotient.atoms]
    corners = quotient.positions[tetrahedra]
    centres, powers, _ = centres_of(quotient.positions, weights, tetrahedra, 0.0)
    # the two tetrahedra of each triangle, and the place of the corner opposite to it
    order = np.argsort(quotient.faces[3].ravel(), kind="stable").reshape(-1, 2)
    which, opposite = np.divmod(order, 4)
    # both centres, as seen from the triangle's first corner, and the way between them
    corner = np.where(opposite == 0, 1, 0)
    seen = centres[which] - corners[which, corner]
    start, way = seen[:, 0], seen[:, 1] - seen[:, 0]
    length = np.einsum("ij,ij->i", way, way)
    nearest = -np.einsum("ij,ij->i", start, way) / np.where(length > 0, length, 1)
    point = start + np.clip(nearest, 0, 1)[:, None] * way
    power = np.einsum("ij,ij->i", point, point) - weights[tetrahedra[which[:, 0], corner[:, 0]]]
    pairs = which[power > 0]
    n = len(tetrahedra)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, joined = connected_components(graph, directed=False)
    largest = weights[tetrahedra].max(axis=1)
    depths = np.sqrt(np.maximum(powers, 0) + largest) - np.sqrt(largest)
    deepest = np.zeros(n)
    np.maximum.at(deepest, joined, depths)
    free = (powers > 0) & (deepest[joined] > SHALLOWEST)
    _, numbers = np.unique(joined[free], return_inverse=True)
    inverse = np.linalg.inv(cell)
    return _Regions(corners[free] @ inverse, centres[free] @ inverse, depths[free], numbers)
