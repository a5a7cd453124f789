"""A cycle: the atoms behind one point of a persistence diagram."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.structure import full_cell
from glassnb.topology.cycles.space import Ints, Space

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.topology.diagrams import PersistenceDiagrams

__all__ = ["Chain", "Cycle", "CycleCertificate", "cycle_of"]


@dataclass(frozen=True)
class CycleCertificate:
    """How a cycle was found, and what is known about it.

    Parameters
    ----------
    method : str
        ``"linear programme"``, ``"integer programme"``, ``"merge tree"`` or ``"shortest path"``.
    radius : float
        How far from the centroid of the simplex of death was looked, in Å; infinite for a merge
        tree. For a shortest path it is counted from the middle of the edge of birth.
    objective : float
        What was made as small as possible: the number of simplices of the volume, or of edges of
        the path.
    integral : bool
        Whether the linear programme had a solution in whole numbers.
    proven : bool
        Whether nothing smaller exists in the whole infinite structure, and not only within
        ``radius``.
    status : str
        What the solver said.
    """

    method: str
    radius: float
    objective: float
    integral: bool
    proven: bool
    status: str


@dataclass(frozen=True)
class Chain:
    """What a search returns: simplices in space, small enough to be sent from other processes.

    Parameters
    ----------
    rows : ndarray, shape (n,)
        Volume, as rows of the simplices of the complex.
    lifts : ndarray, shape (n, 3)
        Their cells.
    border_rows : ndarray, shape (m,)
        Boundary, as rows of the simplices of one dimension less.
    border_lifts : ndarray, shape (m, 3)
        Their cells.
    certificate : CycleCertificate
        How it was found.
    winding : bool
        Whether the volume meets images of itself.
    """

    rows: Ints
    lifts: Ints
    border_rows: Ints
    border_lifts: Ints
    certificate: CycleCertificate
    winding: bool = False


@dataclass(frozen=True, repr=False)
class Cycle:
    """The ring or cavity behind a pair, in one piece.

    All parts lie where the simplex of death of the pair lies in the complex. The vector to a vertex
    is ``atoms.positions[index] + image @ cell``.

    Parameters
    ----------
    dimension : int
        1 for a ring, 2 for a cavity.
    index : int
        Number of the pair, a row of ``diagrams.pairs(dimension)``.
    birth, death : float
        Values of alpha in Å².
    stability : float
        Noise in Å² that the cycle bears; 0 for an optimal one.
    atoms : ase.Atoms
        The structure.
    indices : ndarray, shape (n_atoms,)
        Atoms of the boundary; in their order along it if it is a loop.
    images : ndarray, shape (n_atoms, 3)
        Cells in which they lie.
    is_loop : bool
        Whether the boundary is one ring that goes through each of its atoms once.
    boundary_rows : ndarray, shape (n_faces,)
        Boundary, which is the cycle itself: edges (or triangles) as rows of the complex.
    boundary_indices, boundary_images : ndarray, shapes (n_faces, dimension + 1[, 3])
        Their atoms, and the cells in which these lie.
    volume_rows : ndarray, shape (n_cells,)
        What the cycle surrounds: triangles (or tetrahedra) as rows of the complex; none for a
        shortest path.
    volume_indices, volume_images : ndarray, shapes (n_cells, dimension + 2[, 3])
        Their atoms, and the cells in which these lie.
    winding : bool
        Whether a cavity meets images of itself, as a channel does; it is then cut open somewhere,
        and the cut is not part of the boundary.
    certificate : CycleCertificate
        How the cycle was found, and what is known about it.
    """

    dimension: int
    index: int
    birth: float
    death: float
    stability: float
    atoms: Atoms
    indices: Ints
    images: Ints
    is_loop: bool
    boundary_rows: Ints
    boundary_indices: Ints
    boundary_images: Ints
    volume_rows: Ints
    volume_indices: Ints
    volume_images: Ints
    winding: bool
    certificate: CycleCertificate

    def __repr__(self) -> str:
        """Say in a line what it is."""
        kind = "ring" if self.dimension == 1 else "cavity"
        counts = " ".join(f"{symbol}{n}" for symbol, n in self.species_counts.items())
        return (
            f"Cycle({kind} of {counts}, birth {self.birth:.4g} Å², death {self.death:.4g} Å², "
            f"{self.n_cells} {'triangles' if self.dimension == 1 else 'tetrahedra'})"
        )

    @property
    def n_atoms(self) -> int:
        """Number of atoms of the boundary; images of an atom count as different atoms."""
        return len(self.indices)

    @property
    def n_cells(self) -> int:
        """Number of triangles or tetrahedra of the volume."""
        return len(self.volume_rows)

    @property
    def species_counts(self) -> dict[str, int]:
        """Number of atoms of the boundary by species, those with the heaviest first."""
        numbers = self.atoms.numbers[self.indices]
        found = Counter(sorted(numbers.tolist(), reverse=True))
        symbols = Atoms(list(found)).get_chemical_symbols()
        return dict(zip(symbols, found.values(), strict=True))

    @property
    def points(self) -> NDArray[np.float64]:
        """Positions of the atoms of the boundary in Å, in one piece, shape (n_atoms, 3)."""
        return self._place(self.indices, self.images)

    @property
    def boundary_points(self) -> NDArray[np.float64]:
        """Corners of the boundary in Å, shape (n_faces, dimension + 1, 3).

        The triangles of a cavity show their fronts to the outside.
        """
        return self._place(self.boundary_indices, self.boundary_images)

    @property
    def volume_points(self) -> NDArray[np.float64]:
        """Corners of the volume in Å, shape (n_cells, dimension + 2, 3)."""
        return self._place(self.volume_indices, self.volume_images)

    @property
    def path(self) -> NDArray[np.float64] | None:
        """Corners of the ring in Å, the first at the end once more; ``None`` if it is no loop."""
        if not self.is_loop:
            return None
        points = self.points
        return np.concatenate([points, points[:1]])

    @property
    def volume(self) -> float:
        """Volume of a cavity in Å³; NaN for a ring."""
        if self.dimension != 2:
            return float("nan")
        corners = self.volume_points
        return float(np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])).sum() / 6)

    def to_atoms(self) -> Atoms:
        """Return the atoms of the boundary as a cluster.

        Returns
        -------
        ase.Atoms
            Not periodic and in one piece, in the order of ``indices``, which stand in the array
            ``"index"``.
        """
        cluster = Atoms(self.atoms.numbers[self.indices], positions=self.points)
        cluster.set_array("index", self.indices)
        return cluster

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the cycle, seen along the direction in which it is thinnest.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting import plot_cycle

        return plot_cycle(self, ax)

    def _place(self, indices: Ints, images: Ints) -> NDArray[np.float64]:
        cell = full_cell(self.atoms)
        return np.asarray(self.atoms.positions[indices] + images @ cell)


def cycle_of(
    diagrams: PersistenceDiagrams,
    space: Space,
    dimension: int,
    index: int,
    stability: float,
    chain: Chain,
) -> Cycle:
    """Give the simplices that a search found their atoms, and put the atoms in order.

    Parameters
    ----------
    diagrams : PersistenceDiagrams
        The diagrams.
    space : Space
        Their complex, unfolded.
    dimension : int
        1 or 2.
    index : int
        Number of the pair.
    stability : float
        In Å².
    chain : Chain
        What was found.

    Returns
    -------
    Cycle
        The cycle.
    """
    birth, death = diagrams.pairs(dimension)[index].tolist()
    volume = space.vertices(dimension + 1, chain.rows, chain.lifts)
    border = space.vertices(dimension, chain.border_rows, chain.border_lifts)
    if dimension == 2:
        border = _outwards(space, chain, border)
    indices, images, is_loop = _in_order(*border)
    return Cycle(
        dimension, index, birth, death, stability, diagrams.complex.atoms, indices, images,
        is_loop, chain.border_rows, *border, chain.rows, *volume, chain.winding,
        chain.certificate,
    )  # fmt: skip


def _in_order(indices: Ints, images: Ints) -> tuple[Ints, Ints, bool]:
    """Return the vertices of a boundary, in their order if it is a loop, and whether it is."""
    flat = np.column_stack([indices.ravel(), images.reshape(-1, 3)])
    vertices, ends = np.unique(flat, axis=0, return_inverse=True)
    faces = ends.reshape(indices.shape)
    order = _loop(faces, len(vertices)) if indices.shape[1] == 2 else None
    if order is not None:
        vertices = vertices[order]
    return vertices[:, 0].copy(), vertices[:, 1:].copy(), order is not None


def _loop(edges: Ints, n: int) -> list[int] | None:
    """Return the order of vertices along a loop; none if the edges are no single loop."""
    if len(edges) != n or (np.bincount(edges.ravel(), minlength=n) != 2).any():
        return None
    near: list[list[int]] = [[] for _ in range(n)]
    for a, b in edges.tolist():
        near[a].append(b)
        near[b].append(a)
    order, before, at = [0], -1, 0
    while True:
        a, b = near[at]
        before, at = at, (b if a == before else a)
        if at == 0:
            break
        order.append(at)
    return order if len(order) == n else None


def _outwards(space: Space, chain: Chain, border: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Turn the triangles around a cavity so that they go round anticlockwise, seen from outside."""
    faces, lifts = space.faces(3, chain.rows, chain.lifts)
    keys = [tuple(key) for key in np.column_stack([faces.ravel(), lifts.reshape(-1, 3)]).tolist()]
    owner = {key: k for k, key in enumerate(keys)}
    wanted = np.column_stack([chain.border_rows, chain.border_lifts]).tolist()
    which, corner = np.divmod([owner[tuple(key)] for key in wanted], 4)
    indices, images = (table.copy() for table in border)
    built = space.built
    corners = built.atoms.positions[indices] + images @ space.cell
    inner, cells = space.vertices(3, chain.rows[which], chain.lifts[which])
    pick = np.arange(len(which))
    inside = built.atoms.positions[inner[pick, corner]] + cells[pick, corner] @ space.cell
    edges = corners[:, 1:] - corners[:, :1]
    front = np.cross(edges[:, 0], edges[:, 1])
    turn = np.einsum("ij,ij->i", front, inside - corners[:, 0]) > 0
    for table in (indices, images):
        table[turn, 1], table[turn, 2] = table[turn, 2].copy(), table[turn, 1].copy()
    return indices, images
