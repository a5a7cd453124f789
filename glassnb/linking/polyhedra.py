"""Voronoi polyhedra, from the triangulation behind the alpha complex."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassnb.core.structure import check_atoms
from glassnb.core.triangulation import centres_of
from glassnb.topology import AlphaComplex, alpha_complex

if TYPE_CHECKING:
    from ase import Atoms

__all__ = ["voronoi_indices"]

_FEWEST = 3  # sides of a face
_SHAKE = 1e-6  # of the mean distance of atoms; far below any useful tolerance


def voronoi_indices(
    structure: Atoms | AlphaComplex, *, tolerance: float = 1e-3
) -> NDArray[np.int64]:
    """Count the faces of every atom's Voronoi polyhedron by their number of sides.

    A polyhedron ⟨n3, n4, n5, n6⟩ has n3 triangles, n4 quadrangles and so on: ⟨0, 0, 12, 0⟩ is an
    icosahedron of neighbours, ⟨0, 3, 6, 0⟩ a trigonal prism with three caps, and ⟨0, 12, 0, 0⟩ the
    rhombic dodecahedron of the close-packed crystals.

    Parameters
    ----------
    structure : ase.Atoms or AlphaComplex
        The structure, periodic in three directions; or what there is of it already, the
        ``complex`` of :class:`glassnb.topology.PersistenceDiagrams` without radii.
    tolerance : float
        Smallest detail that counts, as a share of the polyhedron's size, which is the cube root of
        its volume; see Notes. 0 counts every side and every face, however small.

    Returns
    -------
    numpy.ndarray, shape (n_atoms, n)
        Numbers of faces with 3, 4, 5, ... sides; the first four columns are the Voronoi index,
        and a row's sum is the coordination number.

    Raises
    ------
    ValueError
        If the structure is not periodic or cannot be triangulated, the complex has radii or not
        all atoms, or the tolerance is no share.

    Notes
    -----
    Where more than four atoms have the same distance from a vertex, as in most crystals, rounding
    or the least displacement splits the vertex into several, with short sides and narrow faces
    between them. So corners of a face are left out as long as one of them is nearer than
    ``tolerance`` to the line between the corners beside it: vertices that close are one vertex, and
    corners of nearly 180° are none. A face that keeps fewer than three corners, which is narrower
    than ``tolerance`` and has no more than that share of the area of a face, does not count. Sides
    and faces that are short by chance vanish as well: 0.001 changes the indices of 3 to 6 % of the
    atoms of a metallic glass at 300 K, and its mean coordination number by 0.01. It holds for
    crystals whose atoms are displaced by 1e-4 Å; hot ones have no index of their own.

    References
    ----------
    H. W. Sheng et al., Nature 439, 419 (2006).
    """
    if not 0 <= tolerance < 0.5:
        raise ValueError(
            f"tolerance={tolerance!r}: must be a share of the polyhedron's size from 0 to 0.5; "
            "0.001 is usual"
        )
    if isinstance(structure, AlphaComplex):
        found = structure
        if found.radii is not None or found.n_atoms != len(found.atoms):
            raise ValueError(f"structure={found!r}: must be of all atoms, without radii")
    else:
        check_atoms(structure, periodic=True)
        if len(structure) == 1:  # a triangulation needs two
            return voronoi_indices(structure * (2, 1, 1), tolerance=tolerance)[:1]
        found = alpha_complex(structure)
    if not found.periodic:
        raise ValueError(f"structure={found!r}: must be periodic in three directions")
    if found.noise:  # atoms on common spheres: some tetrahedra are flat and have no centre
        found = alpha_complex(_shaken(found.atoms), periodic=True)
    faces, corners, distances = _polygons(found)
    ends = found.simplices[1]
    areas = _areas(faces, corners, len(ends))
    volumes = np.bincount(ends.ravel(), np.repeat(areas * distances / 6, 2), found.n_atoms)
    sides = np.bincount(
        _simplified(faces, corners, tolerance * np.cbrt(volumes[ends].mean(axis=1))),
        minlength=len(ends),
    )
    whole = sides >= _FEWEST
    n_columns = max(4, int(sides.max()) - _FEWEST + 1)
    counts = np.zeros((found.n_atoms, n_columns), dtype=np.int64)
    for end in ends[whole].T:
        np.add.at(counts, (end, sides[whole] - _FEWEST), 1)
    return counts


def _shaken(atoms: Atoms) -> Atoms:
    """Return the atoms a little displaced, in a cell a little strained, without a calculator."""
    random = np.random.default_rng(0)
    shaken = atoms.copy()
    strain = np.eye(3) + _SHAKE * random.uniform(-1, 1, (3, 3))
    shaken.set_cell(np.asarray(atoms.cell) @ strain, scale_atoms=True)
    spacing = np.cbrt(atoms.get_volume() / len(atoms))
    shaken.positions += _SHAKE * spacing * random.uniform(-1, 1, shaken.positions.shape)
    return shaken


def _polygons(
    found: AlphaComplex,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the faces' corners: number of the face (an edge of the complex), place in its plane.

    A corner is the centre of a tetrahedron around the edge. Corners of a face follow each other
    around it. The third array holds the lengths of the edges.
    """
    points = found.points(3)
    table = np.arange(4 * len(points)).reshape(-1, 4)
    centres, _, _ = centres_of(points.reshape(-1, 3), np.zeros(table.size), table, 0.0)
    edges, places = [], []
    for a, b in combinations(range(4), 2):
        c, d = (k for k in range(4) if k not in (a, b))
        # the triangle opposite to c, and of its sides the one opposite to d
        rest = [k for k in range(4) if k != c]
        edges.append(found.faces[2][found.faces[3][:, c], rest.index(d)])
        places.append(centres - points[:, a])
    edge, place = np.concatenate(edges), np.concatenate(places)
    first, last = found.points(1).transpose(1, 0, 2)
    lengths = np.linalg.norm(last - first, axis=1)
    normals = (last - first) / lengths[:, None]
    u = np.cross(normals, np.eye(3)[np.abs(normals).argmin(axis=1)])
    u /= np.linalg.norm(u, axis=1)[:, None]
    v = np.cross(normals, u)
    flat = np.stack([np.einsum("ij,ij->i", place, axis[edge]) for axis in (u, v)], axis=1)
    counts = np.bincount(edge, minlength=len(lengths))
    middle = np.stack([np.bincount(edge, x, len(lengths)) for x in flat.T], axis=1)
    x, y = (flat - (middle / counts[:, None])[edge]).T
    order = np.lexsort((np.arctan2(y, x), edge))
    return edge[order], flat[order], lengths


def _beside(faces: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Return the corners before and after each corner of its face, and each face's first."""
    first = np.flatnonzero(np.diff(faces, prepend=-1))
    last = np.append(first[1:], len(faces)) - 1
    before, after = np.arange(-1, len(faces) - 1), np.arange(1, len(faces) + 1)
    before[first], after[last] = last, first
    return before, after, first


def _areas(
    faces: NDArray[np.int64], corners: NDArray[np.float64], n_faces: int
) -> NDArray[np.float64]:
    after = corners[_beside(faces)[1]]
    twice = corners[:, 0] * after[:, 1] - corners[:, 1] * after[:, 0]
    return np.bincount(faces, twice, n_faces) / 2


def _simplified(
    faces: NDArray[np.int64], corners: NDArray[np.float64], smallest: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Leave out corners as the Notes above say; return the face of each one that is left.

    Of a face's corners the one that tells least goes first, one after the other.
    """
    done = []
    while faces.size:
        before, after, first = _beside(faces)
        height = _distance(corners, corners[before], corners[after])
        lowest = np.minimum.reduceat(height, first)
        count = np.diff(np.append(first, faces.size))
        rest = np.repeat(lowest < smallest[faces[first]], count)
        done.append(faces[~rest])
        out = np.flatnonzero(rest & (height == np.repeat(lowest, count)))
        rest[out[np.diff(faces[out], prepend=-1) > 0]] = False  # one in each face
        faces, corners = faces[rest], corners[rest]
    return np.concatenate(done)


def _distance(
    points: NDArray[np.float64], starts: NDArray[np.float64], ends: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the distance of each point from the line between two others."""
    along = ends - starts
    squared = np.einsum("ij,ij->i", along, along)
    share = np.einsum("ij,ij->i", points - starts, along) / np.where(squared > 0, squared, 1)
    foot = starts + np.clip(share, 0, 1)[:, None] * along
    return np.asarray(np.linalg.norm(points - foot, axis=1))
