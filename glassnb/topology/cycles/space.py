"""The infinite complex that a periodic one stands for, as far as it is looked at.

A simplex in space is a row of the complex and a cell: a triple of integers that is added to the
images of all its vertices.
"""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from glassnb.core.structure import full_cell
from glassnb.topology.alpha_complex import AlphaComplex
from glassnb.topology.cycles import _kernels

__all__ = ["MergeTree", "Space", "keys_of", "space_of"]

Ints = NDArray[np.int64]
_NAME = "_space_of_cycles"
# the vertex whose cell a face is named after: the first that it holds
_FIRST = {1: (1, 0), 2: (1, 0, 0), 3: (1, 0, 0, 0)}


class MergeTree(NamedTuple):
    """What :func:`_kernels.merge_tree` fills, by node: tetrahedra, and the outside at the end."""

    killers: Ints
    parents: Ints
    slots: Ints
    sizes: Ints
    lifts: Ints
    wound: Ints
    starts: Ints
    order: Ints


class _Edges(NamedTuple):
    """The edges at each atom, in compressed rows."""

    starts: Ints
    ends: Ints
    rows: Ints
    hops: Ints
    lengths: NDArray[np.float64]


class Space:
    """A complex, unfolded; what it takes to find one's way is made when it is first used.

    Parameters
    ----------
    built : AlphaComplex
        The complex.
    """

    def __init__(self, built: AlphaComplex) -> None:
        self.built = built  # not looked at yet: it may be half unpickled

    def __reduce__(self) -> tuple[Any, ...]:
        """Send the complex alone to other processes, which make the rest again."""
        return Space, (self.built,)

    @cached_property
    def cell(self) -> NDArray[np.float64]:
        """Cell vectors in Å as rows."""
        return full_cell(self.built.atoms)

    @cached_property
    def inverse(self) -> NDArray[np.float64]:
        """Inverse of the cell, from positions to fractions."""
        return np.asarray(np.linalg.inv(self.cell))

    @cached_property
    def centroids(self) -> NDArray[np.float64]:
        """Centroids of the triangles in Å, where the complex has them."""
        return np.asarray(self.built.points(2).mean(axis=1))

    @cached_property
    def _home(self) -> tuple[cKDTree, Ints]:
        """Triangles by their place in the cell, and the cells in which the complex has them."""
        cells = self._cells(self.centroids)
        return cKDTree(self.centroids - cells @ self.cell), cells

    @cached_property
    def degrees(self) -> Ints:
        """How many triangles have each edge."""
        edges = len(self.built.simplices[1])
        return np.bincount(self.built.faces[2].ravel(), minlength=edges)

    @cached_property
    def edges(self) -> _Edges:
        """The edges at each atom, in the order of their rows."""
        pairs = self.built.simplices[1].astype(np.int64)
        hops = self.built.images[1][:, 1].astype(np.int64)
        ends = self.built.points(1)
        lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
        order = np.lexsort((np.tile(np.arange(len(pairs)), 2), pairs.T.ravel()))
        rows = order % len(pairs)
        counts = np.bincount(pairs.ravel(), minlength=len(self.built.atoms))
        return _Edges(
            np.concatenate([[0], np.cumsum(counts)]), pairs[:, ::-1].T.ravel()[order], rows,
            np.concatenate([hops, -hops])[order], lengths[rows],
        )  # fmt: skip

    @cached_property
    def tree(self) -> MergeTree:
        """The tree in which the voids of the complex merge."""
        faces = self.built.faces[3]
        # the two tetrahedra at each triangle; one at the border of a cluster
        order = np.argsort(faces.ravel(), kind="stable")
        triangle, (tetrahedron, corner) = faces.ravel()[order], np.divmod(order, 4)
        place = self.built.images[3][tetrahedron, np.asarray(_FIRST[3])[corner]]
        second = np.concatenate([[False], triangle[1:] == triangle[:-1]])
        n = len(self.built.simplices[2])
        cofaces, hops = np.full((n, 2), -1, dtype=np.int64), np.zeros((n, 3), dtype=np.int64)
        cofaces[triangle, second.astype(int)] = tetrahedron
        hops[triangle[~second]] += place[~second]
        hops[triangle[second]] -= place[second]
        hops[cofaces[:, 1] < 0] = 0
        nodes = len(faces) + (not self.built.periodic)
        table = [np.empty(nodes, dtype=np.int64) for _ in range(8)]
        table[4] = np.empty((nodes, 3), dtype=np.int64)
        _kernels.merge_tree(cofaces, hops, *table)
        return MergeTree(*table)

    def ball(self, centre: NDArray[np.float64], radius: float) -> tuple[Ints, Ints]:
        """Return the triangles in space whose centroids lie in a ball.

        Parameters
        ----------
        centre : ndarray, shape (3,)
            Its centre in Å.
        radius : float
            Its radius in Å.

        Returns
        -------
        rows : ndarray, shape (n,)
            Triangles of the complex.
        lifts : ndarray, shape (n, 3)
            Their cells.
        """
        tree, cells = self._home
        if not self.built.periodic:
            near = np.asarray(tree.query_ball_point(centre, radius), dtype=np.int64)
            return near, np.zeros((len(near), 3), dtype=np.int64)
        away = self._cells(centre[None])[0]
        middle = centre - away @ self.cell
        reach = radius * np.linalg.norm(self.inverse, axis=0) + 1e-9
        place = middle @ self.inverse
        ranges = [
            range(int(np.ceil(x - 1 - r)), int(np.floor(x + r)) + 1)
            for x, r in zip(place, reach, strict=True)
        ]
        images = np.array(list(itertools.product(*ranges)), dtype=np.int64)
        found = tree.query_ball_point(middle - images @ self.cell, radius)
        rows = np.concatenate([np.asarray(some, dtype=np.int64) for some in found])
        which = np.repeat(images, [len(some) for some in found], axis=0)
        return rows, which - cells[rows] + away

    def faces(self, dimension: int, rows: Ints, lifts: Ints) -> tuple[Ints, Ints]:
        """Return the boundaries of simplices in space.

        Parameters
        ----------
        dimension : int
            Dimension of the simplices: 1 to 3.
        rows : ndarray, shape (n,)
            Simplices of the complex.
        lifts : ndarray, shape (n, 3)
            Their cells.

        Returns
        -------
        rows : ndarray, shape (n, dimension + 1)
            Their faces; each stands at the place of the vertex it does not hold, and has the sign
            plus at even places and minus at odd ones.
        lifts : ndarray, shape (n, dimension + 1, 3)
            Cells of the faces.
        """
        first = self.built.images[dimension][rows][:, _FIRST[dimension]]
        return self.built.faces[dimension][rows].astype(np.int64), first + lifts[:, None]

    def vertices(self, dimension: int, rows: Ints, lifts: Ints) -> tuple[Ints, Ints]:
        """Return atoms and images of simplices in space.

        Parameters
        ----------
        dimension : int
            Dimension of the simplices: 0 to 3.
        rows : ndarray, shape (n,)
            Simplices of the complex.
        lifts : ndarray, shape (n, 3)
            Their cells.

        Returns
        -------
        indices : ndarray, shape (n, dimension + 1)
            Atoms.
        images : ndarray, shape (n, dimension + 1, 3)
            Cells in which they lie.
        """
        images = self.built.images[dimension][rows] + lifts[:, None]
        return self.built.simplices[dimension][rows].astype(np.int64), images.astype(np.int64)

    def boundary(self, dimension: int, rows: Ints, lifts: Ints) -> tuple[Ints, Ints]:
        """Return the faces that an odd number of simplices have.

        Parameters
        ----------
        dimension : int
            Dimension of the simplices: 1 to 3.
        rows : ndarray, shape (n,)
            Simplices of the complex.
        lifts : ndarray, shape (n, 3)
            Their cells.

        Returns
        -------
        rows : ndarray, shape (m,)
            Faces, in the order of their rows.
        lifts : ndarray, shape (m, 3)
            Their cells.
        """
        faces, cells = self.faces(dimension, rows, lifts)
        keys = keys_of(faces.ravel(), cells.reshape(-1, 3))
        _, first, counts = np.unique(keys, return_index=True, return_counts=True)
        odd = first[counts % 2 == 1]
        return faces.ravel()[odd], cells.reshape(-1, 3)[odd]

    def _cells(self, points: NDArray[np.float64]) -> Ints:
        """Return the cells in which points lie; the only one for a cluster."""
        if not self.built.periodic:
            return np.zeros((len(points), 3), dtype=np.int64)
        return np.floor(points @ self.inverse).astype(np.int64)


def keys_of(rows: Ints, lifts: Ints) -> Ints:
    """Give each simplex in space a number, which grows with its row.

    Parameters
    ----------
    rows : ndarray, shape (n,)
        Simplices of the complex.
    lifts : ndarray, shape (n, 3)
        Their cells.

    Returns
    -------
    ndarray, shape (n,)
        Numbers, equal for the same simplex within this call.
    """
    if not len(rows):
        return np.empty(0, dtype=np.int64)
    low = lifts.min(axis=0)
    x, y, z = (lifts - low).T
    _, b, c = (lifts.max(axis=0) - low + 1).tolist()
    a = int(x.max()) + 1
    return ((rows * a + x) * b + y) * c + z


def space_of(built: AlphaComplex) -> Space:
    """Return the space of a complex, which is made once and lives as long as the complex.

    Parameters
    ----------
    built : AlphaComplex
        The complex.

    Returns
    -------
    Space
        The complex, unfolded.
    """
    kept = vars(built)  # where functools.cached_property would put it
    if _NAME not in kept:
        kept[_NAME] = Space(built)
    space: Space = kept[_NAME]
    return space
