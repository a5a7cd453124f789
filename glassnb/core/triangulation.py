"""Regular triangulations of weighted points, in space and modulo a lattice.

The regular (weighted Delaunay) triangulation is the lower convex hull of the points lifted to
|x|^2 - w (F. Aurenhammer, SIAM J. Comput. 16, 78 (1987)). Modulo a lattice it is found from the
points of the cell and of a layer around it. A tetrahedron belongs to the infinite triangulation if
no point of the crystal lies inside its sphere; the sphere of a tetrahedron whose power centre lies
in the cell reaches no further than the layer, if the layer is thick enough, which is checked
afterwards. One tetrahedron of each class under translation has its centre in the cell.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from ase.geometry import minkowski_reduce
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, Delaunay, QhullError

from glassnb.core import _kernels

__all__ = ["Degenerate", "Quotient", "centres_of", "periodic_triangulation", "triangulation"]

_MARGIN = 0.5  # Å, added to the guess of how thick the layer must be
_SLACK = 1e-9  # of a cell vector, so that no class is lost to rounding
# Six times the volume over the cube of an edge: flatter tetrahedra of a crystal have no centre that
# its images would agree on. A cluster keeps what can be computed, most of it on flat faces.
FLAT, FLAT_IN_CLUSTER = 1e-9, 1e-14
_LARGEST = 2e7  # points of the cell and the layer
_EDGES = tuple(itertools.combinations(range(4), 2))
# the faces of a tetrahedron opposite each of its vertices: vertices, edges from the first, edges
_FACES = ((1, 2, 3), (0, 2, 3), (0, 1, 3), (0, 1, 2))


class Degenerate(Exception):
    """The triangulation found is none, because points lie on a common sphere."""


class Quotient(NamedTuple):
    """Simplices of a triangulation modulo a lattice, as points of one copy of each, by dimension.

    ``points`` belong to ``atoms`` in the cells ``shifts``; ``faces[d]`` are rows of the simplices
    of dimension ``d - 1``, each opposite the vertex that stands at its place.
    """

    positions: NDArray[np.float64]
    atoms: NDArray[np.int64]
    shifts: NDArray[np.int64]
    simplices: tuple[NDArray[np.int64], ...]
    faces: tuple[NDArray[np.int64], ...]
    powers: NDArray[np.float64]
    layer: float
    reach: float
    volume_error: float


def triangulation(positions: NDArray[np.float64], weights: NDArray[np.float64]) -> Quotient:
    """Triangulate the points of a cluster.

    Parameters
    ----------
    positions : ndarray, shape (n, 3)
        Points in Å.
    weights : ndarray, shape (n,)
        Weights in Å².

    Returns
    -------
    Quotient
        The triangulation; ``shifts`` are zero.

    Raises
    ------
    Degenerate
        If it is not a ball.
    """
    tetrahedra = _regular(positions, weights, closed=False)
    _, powers, volumes = centres_of(positions, weights, tetrahedra, FLAT_IN_CLUSTER)
    solid = np.isfinite(powers)
    tetrahedra, powers = np.sort(tetrahedra[solid], axis=1), powers[solid]
    atoms = np.arange(len(positions))
    codes = np.zeros(len(positions), dtype=np.int64)
    simplices, faces, first = _identify(tetrahedra, atoms, codes, 1)
    counts = [len(table) for table in simplices]
    cofaces = np.bincount(faces[3].ravel(), minlength=counts[2])
    if counts[0] - counts[1] + counts[2] - counts[3] != 1 or cofaces.max() > 2:
        raise Degenerate(f"numbers of simplices {counts}, {cofaces.max()} cofaces")
    try:
        whole = 6 * float(ConvexHull(positions).volume)
    except QhullError as error:
        raise Degenerate(str(error)) from error
    missing = abs(float(volumes[solid].sum()) / whole - 1)
    if missing > 1e-6:
        raise Degenerate(f"{missing:.2g} of the volume is missing")
    return Quotient(
        positions, atoms, np.zeros((len(positions), 3), dtype=np.int64), simplices, faces,
        powers[first], 0.0, 0.0, missing,
    )  # fmt: skip


def periodic_triangulation(
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    patient: bool,
) -> Quotient:
    """Triangulate the points of a crystal modulo its lattice.

    Parameters
    ----------
    positions : ndarray, shape (n, 3)
        Points in Å, one for each class under translation, anywhere.
    cell : ndarray, shape (3, 3)
        Vectors of the lattice as rows, in Å; any of its cells.
    weights : ndarray, shape (n,)
        Weights in Å².
    patient : bool
        Whether to follow a layer that must become much thicker than expected.

    Returns
    -------
    Quotient
        The triangulation; ``shifts`` are in units of ``cell``, relative to ``positions``.

    Raises
    ------
    Degenerate
        If it is not a closed manifold that fills the cell.
    ValueError
        If the largest sphere without points needs too many copies of the cell.
    """
    reduced, turn = minkowski_reduce(cell)
    inverse = np.linalg.inv(reduced)
    heights = 1 / np.linalg.norm(inverse, axis=0)
    fractional = positions @ inverse
    moved = np.floor(fractional).astype(np.int64)
    fractional -= moved
    volume = abs(float(np.linalg.det(reduced)))
    n_atoms, w_max = len(positions), float(weights.max())
    spacing = float(np.cbrt(volume / n_atoms))
    layer = float(np.sqrt((1.6 * spacing) ** 2 + w_max)) + _MARGIN
    while True:
        expected = n_atoms * float(np.prod(1 + 2 * layer / heights))
        if expected > _LARGEST:
            raise ValueError(
                f"atoms: the structure has holes of {layer:.0f} Å, which makes a layer of "
                f"{expected:.0f} atoms around the cell necessary; set atoms.pbc = False or pass "
                "periodic=False for a cluster in a large cell"
            )
        atoms, shifts = _layer(fractional, reduced, heights, layer)
        points = (fractional[atoms] + shifts) @ reduced
        tetrahedra = _regular(points, weights[atoms], closed=True)
        centres, powers, volumes = centres_of(points, weights[atoms], tetrahedra, FLAT)
        place = centres @ inverse
        inside = ((place > -_SLACK) & (place < 1 + _SLACK)).all(axis=1)  # false for NaN
        if not inside.any():
            raise Degenerate("no tetrahedron has its centre in the cell")
        reach = float(np.sqrt(max(0.0, float(powers[inside].max()) + w_max)))
        if reach <= layer:
            break
        thicker = reach * (1 + 1e-9)
        larger = n_atoms * float(np.prod(1 + 2 * thicker / heights))
        if not patient and larger > 8 * n_atoms + 20000:
            raise Degenerate(f"the layer would have to be {reach:.1f} Å thick")
        layer = thicker
    tetrahedra, powers, volumes = (
        np.sort(tetrahedra[inside], axis=1),
        powers[inside],
        volumes[inside],
    )
    base = 4 * int(np.abs(shifts).max()) + 3
    codes = (shifts[:, 0] * base + shifts[:, 1]) * base + shifts[:, 2]
    simplices, faces, first = _identify(tetrahedra, atoms, codes, base)
    counts = [len(table) for table in simplices]
    cofaces = np.bincount(faces[3].ravel(), minlength=counts[2])
    euler = counts[0] - counts[1] + counts[2] - counts[3]
    if euler != 0 or counts[2] != 2 * counts[3] or not (cofaces == 2).all():
        raise Degenerate(f"numbers of simplices {counts}")
    missing = abs(float(volumes[first].sum()) / (6 * volume) - 1)
    if missing > 1e-9:
        raise Degenerate(f"{missing:.2g} of the volume is missing")
    return Quotient(
        points, atoms, (shifts - moved[atoms]) @ turn, simplices, faces, powers[first], layer,
        reach, missing,
    )  # fmt: skip


def _layer(
    fractional: NDArray[np.float64],
    cell: NDArray[np.float64],
    heights: NDArray[np.float64],
    layer: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return atoms and cells of the points in the cell and around it, by atom and then by cell."""
    inside = []
    for k in range(3):
        width = layer / heights[k] + _SLACK
        most = int(np.ceil(width))
        steps = np.arange(-most, most + 1)
        place = fractional[:, k, None] + steps
        inside.append((place >= -width) & (place <= 1 + width))
    a, b, c = inside
    which, *steps_taken = np.nonzero(
        a[:, :, None, None] & b[:, None, :, None] & c[:, None, None, :]
    )
    middle = [(table.shape[1] - 1) // 2 for table in inside]
    shifts = np.stack(steps_taken, axis=1) - middle
    gram = cell @ cell.T
    if np.abs(gram - np.diag(np.diag(gram))).max() < 1e-9 * gram.max():
        # the layer of a rectangular cell has rounded edges and corners
        place = fractional[which] + shifts
        beyond = np.maximum(np.maximum(-place, place - 1), 0) * heights
        near = np.einsum("ij,ij->i", beyond, beyond) <= (layer + _SLACK) ** 2
        which, shifts = which[near], shifts[near]
    return which, shifts


def _regular(
    points: NDArray[np.float64], weights: NDArray[np.float64], *, closed: bool
) -> NDArray[np.int64]:
    """Return the tetrahedra of the regular triangulation; ``closed`` cares not for its border."""
    if len(points) == 4:
        return np.arange(4)[None]
    centred = points - points.mean(axis=0)
    try:
        if np.ptp(weights) == 0:
            return np.asarray(Delaunay(centred).simplices, dtype=np.int64)
        height = np.einsum("ij,ij->i", centred, centred) - weights
        lifted = np.column_stack([centred, height])
        if not closed:
            hull = ConvexHull(lifted)
            return np.asarray(hull.simplices[hull.equations[:, 3] < 0], dtype=np.int64)
        # one point far above takes the place of the upper side of the hull
        top = [[0.0, 0.0, 0.0, 2 * height.max() + 1]]
        found = np.asarray(ConvexHull(np.concatenate([lifted, top])).simplices, dtype=np.int64)
        return found[(found != len(points)).all(axis=1)]
    except QhullError as error:
        raise Degenerate(str(error)) from error


def centres_of(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    tetrahedra: NDArray[np.int64],
    flat: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Find the power centres of tetrahedra.

    Parameters
    ----------
    points : ndarray, shape (n, 3)
        Points in Å.
    weights : ndarray, shape (n,)
        Their weights in Å².
    tetrahedra : ndarray, shape (m, 4)
        Rows of the points.
    flat : float
        Six times the volume over the cube of the longest edge below which there is no centre.

    Returns
    -------
    centres : ndarray, shape (m, 3)
        Points in Å; NaN where there is none.
    powers : ndarray, shape (m,)
        Power of the corners at the centres in Å²; NaN where there is none.
    volumes : ndarray, shape (m,)
        Six times the volumes in Å³.
    """
    n = len(tetrahedra)
    centres, powers, volumes = np.empty((n, 3)), np.empty(n), np.empty(n)
    _kernels.power_centres(points, weights, tetrahedra, flat, centres, powers, volumes)
    return centres, powers, volumes


def _identify(
    tetrahedra: NDArray[np.int64], atoms: NDArray[np.int64], codes: NDArray[np.int64], base: int
) -> tuple[tuple[NDArray[np.int64], ...], tuple[NDArray[np.int64], ...], NDArray[np.int64]]:
    """Give each class of simplices under translation a number.

    Points are numbered by atom and then by cell, so that the vertices of a simplex, sorted, stand
    in the same order in all its copies, and the cells relative to the first vertex name the class.
    Returns a copy of each simplex, the faces, and which of the tetrahedra were kept.
    """
    present = np.bincount(atoms[tetrahedra].ravel()) > 0  # some may be hidden
    vertex = (np.cumsum(present) - 1)[atoms[tetrahedra]]
    place = codes[tetrahedra]
    n, middle = int(present.sum()), base**3 // 2
    keys = np.stack(
        [(vertex[:, i] * n + vertex[:, j]) * base**3 + place[:, j] - place[:, i] + middle
         for i, j in _EDGES], axis=1,
    )  # fmt: skip
    first, numbers = _number(keys)
    edge = dict(zip(_EDGES, numbers.T, strict=True))
    ends = np.asarray(_EDGES)
    which, corner = np.divmod(first, len(_EDGES))
    edges = tetrahedra[which[:, None], ends[corner]]
    edge_faces = vertex[which[:, None], ends[corner][:, ::-1]]

    keys = np.stack([edge[i, j] * len(edges) + edge[i, k] for i, j, k in _FACES], axis=1)
    first, triangle = _number(keys)
    corners = np.asarray(_FACES)
    which, face = np.divmod(first, len(_FACES))
    triangles = tetrahedra[which[:, None], corners[face]]
    sides = [[_EDGES.index((j, k)), _EDGES.index((i, k)), _EDGES.index((i, j))]
             for i, j, k in _FACES]  # fmt: skip
    triangle_faces = numbers[which[:, None], np.asarray(sides)[face]]

    first, _ = _number(triangle[:, 3] * len(triangles) + triangle[:, 2])
    home = np.empty(n, dtype=np.int64)
    home[vertex.ravel()] = tetrahedra.ravel()  # any copy
    simplices = (home[:, None], edges, triangles, tetrahedra[first])
    faces = (np.empty((n, 0), dtype=np.int64), edge_faces, triangle_faces, triangle[first])
    return simplices, faces, first


def _number(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each distinct key stands, and the number of each key in their order."""
    flat = keys.ravel()
    order = np.argsort(flat)
    ranked = flat[order]
    new = np.concatenate([[True], ranked[1:] != ranked[:-1]])
    numbers = np.empty(flat.size, dtype=np.int64)
    numbers[order] = np.cumsum(new) - 1
    return order[new], numbers.reshape(keys.shape)
