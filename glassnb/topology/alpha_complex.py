"""The weighted alpha complex of a structure, periodic in any cell or of a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.neighbours import neighbours
from glassnb.core.structure import check_atoms, full_cell, species_of
from glassnb.core.triangulation import (
    Degenerate,
    Quotient,
    centres_of,
    periodic_triangulation,
    triangulation,
)
from glassnb.topology import _kernels
from glassnb.topology.radii import resolve_radii

__all__ = ["AlphaComplex", "ComplexChecks", "alpha_complex"]

_NOISES = (1e-6, 1e-5, 1e-4, 1e-3)  # Å², tried one after the other where points are degenerate
_SAME = 1e-3  # Å, distance below which two atoms are one
_FAITHFUL = 30  # times the noise: how far values may move before those of the noise are taken


@dataclass(frozen=True)
class ComplexChecks:
    """What was verified while a complex was built; it is not returned unless all hold.

    Parameters
    ----------
    counts : tuple of int
        Number of vertices, edges, triangles and tetrahedra. Their alternating sum is 0 for a
        periodic structure and 1 for a cluster. In a periodic structure there are twice as many
        triangles as tetrahedra, and each triangle has a tetrahedron on both sides.
    layer : float
        Thickness in Å of the layer of images around the cell; 0 for a cluster.
    reach : float
        What it had to be at least, from the largest sphere.
    volume_error : float
        Relative difference between the volume of the tetrahedra and that of the cell (or of the
        convex hull).
    """

    counts: tuple[int, int, int, int]
    layer: float
    reach: float
    volume_error: float

    @property
    def euler_characteristic(self) -> int:
        """Vertices less edges plus triangles less tetrahedra."""
        vertices, edges, triangles, tetrahedra = self.counts
        return vertices - edges + triangles - tetrahedra


@dataclass(frozen=True, repr=False)
class AlphaComplex:
    """Simplices of a weighted alpha complex, by dimension 0 to 3, each ordered by its value.

    In a periodic structure every simplex stands for all its translations. It is a simplex of a
    Delta-complex: in a small cell its vertices may be images of one atom, and two simplices may
    have the same atoms and differ in images only. Atoms that lie hidden within larger ones have no
    vertex.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    species : tuple of str
        Species of the atoms that were used, heaviest first.
    periodic : bool
        Whether the complex is that of the infinite crystal modulo its lattice.
    radii : dict or None
        Radius in Å by species; ``None`` without weights.
    simplices : tuple of ndarray, shapes (n_d, d + 1)
        Atoms of each simplex, as indices into ``atoms``.
    images : tuple of ndarray, shapes (n_d, d + 1, 3)
        Cell in which each vertex lies, relative to the position of its atom in ``atoms``; the
        first of a simplex has (0, 0, 0).
    values : tuple of ndarray, shapes (n_d,)
        Value of alpha at which each simplex enters, in Å²: a ball has the radius
        ``sqrt(alpha + radius**2)``.
    faces : tuple of ndarray, shapes (n_d, d + 1)
        Boundary of each simplex as rows of the simplices of one dimension less; each face stands
        at the place of the vertex it does not hold. ``faces[0]`` is empty.
    noise : float
        Size in Å² of the noise that settled how points on a common sphere are joined; 0 for none.
    error : float
        How far, at most, the noise may have moved any birth or death, in Å².
    resolution : float
        Lifetimes up to this, in Å², may come from the noise; 0 where the values are those of the
        structure itself.
    seed : int
        Seed of the noise.
    checks : ComplexChecks
        What was verified.
    """

    atoms: Atoms
    species: tuple[str, ...]
    periodic: bool
    radii: dict[str, float] | None
    simplices: tuple[NDArray[np.int32], ...]
    images: tuple[NDArray[np.int32], ...]
    values: tuple[NDArray[np.float64], ...]
    faces: tuple[NDArray[np.int32], ...]
    noise: float
    error: float
    resolution: float
    seed: int
    checks: ComplexChecks

    def __repr__(self) -> str:
        """Say in a line what it is."""
        counts = "/".join(map(str, self.checks.counts))
        kind = "periodic" if self.periodic else "cluster"
        noise = f", noise {self.noise:g} Å²" if self.noise else ""
        return f"AlphaComplex({'-'.join(self.species)}, {kind}, {counts} simplices{noise})"

    @property
    def members(self) -> NDArray[np.int64]:
        """Indices of the atoms that were used, hidden ones too."""
        return np.flatnonzero(np.isin(np.asarray(self.atoms.symbols), self.species))

    @property
    def n_atoms(self) -> int:
        """Number of atoms that were used, hidden ones too."""
        return len(self.members)

    def points(self, dimension: int, rows: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Return where the vertices of simplices are.

        Parameters
        ----------
        dimension : int
            0 to 3.
        rows : ndarray of int, optional
            Which simplices; all when omitted.

        Returns
        -------
        ndarray, shape (n, dimension + 1, 3)
            Positions in Å, each simplex in one piece.
        """
        which = slice(None) if rows is None else rows
        cell = full_cell(self.atoms)
        index, image = self.simplices[dimension][which], self.images[dimension][which]
        return self.atoms.positions[index] + image @ cell


def alpha_complex(
    atoms: Atoms,
    *,
    radii: Mapping[str, float] | str | None = None,
    species: str | Sequence[str] | None = None,
    periodic: bool | None = None,
    seed: int = 0,
) -> AlphaComplex:
    """Build the weighted alpha complex of a structure.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure: periodic in three directions, in any cell however small or skew, or a
        cluster.
    radii : dict, "pdf" or None
        Radii in Å by species, such as ``{"Si": 0.375, "O": 1.275}``; ``"pdf"`` derives them from
        g(r), see :func:`radii_from_pair_distribution`; ``None`` for no weights.
    species : str or sequence of str, optional
        Species of the sub-structure that is looked at; all when omitted.
    periodic : bool, optional
        Whether images of the cell count; as ``atoms.pbc`` says when omitted.
    seed : int
        Seed of the noise that is used where points are degenerate, and only there.

    Returns
    -------
    AlphaComplex
        Simplices, values and boundaries.

    Raises
    ------
    ValueError
        If an argument or the structure makes no sense: fewer than two atoms (four in a cluster),
        atoms on top of each other or in one plane, a cell that is flat or periodic in some
        directions only, radii that are missing or negative, unknown species.

    Notes
    -----
    H. Edelsbrunner, The union of balls and its dual shape, Discrete Comput. Geom. 13, 415 (1995).
    A periodic complex is the regular triangulation of the cell and a layer around it, of which
    those tetrahedra are kept whose power centre lies in the cell, modulo the lattice; it is exact
    if the checks hold, see :class:`ComplexChecks`. Where they fail, as they may for crystals with
    many atoms on a common sphere, the triangulation is that of a crystal with a strain and weights
    that differ by ``noise``, the first of 1e-6 to 1e-3 Å² that is enough. The values are still
    those of the structure given, unless it is so close to a degenerate one that they make no sense
    in this triangulation.

    Examples
    --------
    >>> import glassnb as gn
    >>> quartz = gn.models.crystal("alpha-quartz")
    >>> alpha_complex(quartz).checks.euler_characteristic
    0
    """
    members, names, closed, used = _prepare(atoms, radii, species, periodic)
    weights = np.zeros(len(members))
    if used is not None:
        symbols = np.asarray(atoms.symbols)[members]
        weights = np.array([used[symbol] for symbol in symbols]) ** 2
    positions = atoms.positions[members]
    cell = full_cell(atoms) if closed else None
    quotient, values, noise, error, resolution = _build(positions, cell, weights, seed)

    orders = [np.argsort(value, kind="stable") for value in values]
    simplices, images, faces = [], [], []
    for dimension, order in enumerate(orders):
        points = quotient.simplices[dimension][order]
        shifts = quotient.shifts[points]
        simplices.append(members[quotient.atoms[points]].astype(np.int32))
        images.append((shifts - shifts[:, :1]).astype(np.int32))
        table = quotient.faces[dimension][order]
        if dimension:
            rank = np.empty(len(orders[dimension - 1]), dtype=np.int64)
            rank[orders[dimension - 1]] = np.arange(rank.size)
            table = rank[table]
        faces.append(table.astype(np.int32))
    vertices, edges, triangles, tetrahedra = (len(table) for table in simplices)
    checks = ComplexChecks(
        (vertices, edges, triangles, tetrahedra), quotient.layer, quotient.reach,
        quotient.volume_error,
    )  # fmt: skip
    return AlphaComplex(
        atoms.copy(), names, closed, used, tuple(simplices), tuple(images),
        tuple(value[order] for value, order in zip(values, orders, strict=True)), tuple(faces),
        noise, error, resolution, int(seed), checks,
    )  # fmt: skip


def _prepare(
    atoms: Atoms,
    radii: Mapping[str, float] | str | None,
    species: str | Sequence[str] | None,
    periodic: bool | None,
) -> tuple[NDArray[np.int64], tuple[str, ...], bool, dict[str, float] | None]:
    """Check all arguments; return the atoms to use, their species, periodicity and radii."""
    check_atoms(atoms)
    if periodic not in (None, True, False):
        raise ValueError(f"periodic={periodic!r}: must be True, False, or None to follow atoms.pbc")
    if periodic is None:
        if atoms.pbc.any() and not atoms.pbc.all():
            raise ValueError(
                f"atoms.pbc={atoms.pbc.tolist()}: must be periodic in all directions or in none; "
                "pass periodic=True to repeat the cell in all directions (after adding a vacuum, "
                "if need be), or periodic=False for a cluster"
            )
        periodic = bool(atoms.pbc.all())
    probe = atoms.copy()
    probe.pbc = periodic
    check_atoms(probe)
    present, _ = species_of(atoms)
    wanted = present if species is None else (species,) if isinstance(species, str) else species
    absent = [name for name in wanted if name not in present]
    if absent or not len(wanted):
        raise ValueError(
            f"species={species!r}: must name species of the structure: {', '.join(present)}"
        )
    names = tuple(name for name in present if name in wanted)
    used = resolve_radii(atoms, radii, names)
    members = np.flatnonzero(np.isin(np.asarray(atoms.symbols), names))
    least = 2 if periodic else 4
    if len(members) < least:
        advice = "repeat the cell, for example atoms * (2, 2, 2)" if periodic else "add atoms"
        kind = "a periodic structure" if periodic else "a cluster"
        raise ValueError(
            f"atoms: {len(members)} of the {len(atoms)} atoms are of species {', '.join(names)}, "
            f"and {kind} needs {least}; {advice}"
        )
    neighbours(probe[members], _SAME)  # stops on atoms that stand on top of each other
    if not periodic:
        centred = atoms.positions[members] - atoms.positions[members].mean(axis=0)
        spread = np.linalg.svd(centred, compute_uv=False)
        if spread[2] < 1e-6 * spread[0]:
            raise ValueError(
                f"atoms: the {len(members)} atoms of the cluster lie in one plane, which has no "
                "volume; add atoms outside the plane, or make the structure periodic"
            )
    return members, names, periodic, used


def _build(
    positions: NDArray[np.float64],
    cell: NDArray[np.float64] | None,
    weights: NDArray[np.float64],
    seed: int,
) -> tuple[Quotient, list[NDArray[np.float64]], float, float, float]:
    """Triangulate, with noise where it is needed; return values, noise, error and resolution."""
    try:
        quotient = _triangulate(positions, cell, weights, patient=False)
        point_weights = weights[quotient.atoms]
        return quotient, _filtration(quotient, quotient.positions, point_weights), 0.0, 0.0, 0.0
    except Degenerate as reason:
        last = reason
    random = np.random.default_rng(seed)
    for noise in _NOISES:
        # A strain and weights of each class keep the symmetry of translation. Unlike displacements
        # they leave flat what is flat, and a crystal of one atom a cell changes, too.
        strain = random.uniform(-0.1, 0.1, (3, 3)) * noise
        turn = np.eye(3) + strain + strain.T
        shaken = weights + random.uniform(-noise, noise, len(weights))
        try:
            moved_cell = None if cell is None else cell @ turn
            quotient = _triangulate(positions @ turn, moved_cell, shaken, patient=True)
            straight = quotient.positions @ np.linalg.inv(turn)
            nearby = _filtration(quotient, quotient.positions, shaken[quotient.atoms])
        except Degenerate as reason:
            last = reason
            continue
        largest = float(nearby[3].max() + shaken.max())
        error = noise + 2 * float(np.linalg.norm(strain + strain.T, 2)) * largest
        try:
            values = _filtration(quotient, straight, weights[quotient.atoms])
        except Degenerate:
            return quotient, nearby, noise, error, 2 * error
        moved = max(float(np.abs(a - b).max()) for a, b in zip(values, nearby, strict=True))
        if moved > max(_FAITHFUL * noise, 2 * error):
            return quotient, nearby, noise, error, 2 * error
        return quotient, values, noise, error + moved, 0.0
    raise ValueError(
        f"atoms: no triangulation of these points was found ({last}); move them a little, for "
        "example with atoms.rattle(1e-4)"
    ) from last


def _triangulate(
    positions: NDArray[np.float64],
    cell: NDArray[np.float64] | None,
    weights: NDArray[np.float64],
    *,
    patient: bool,
) -> Quotient:
    if cell is None:
        return triangulation(positions, weights)
    return periodic_triangulation(positions, cell, weights, patient=patient)


def _filtration(
    quotient: Quotient, points: NDArray[np.float64], weights: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return the values of all simplices, by dimension."""
    vertices, edges, triangles, tetrahedra = quotient.simplices
    _, ends, sides, faces = quotient.faces
    powers = quotient.powers
    if points is not quotient.positions:
        _, powers, _ = centres_of(points, weights, tetrahedra, 0.0)
        if not np.isfinite(powers).all():
            raise Degenerate("a tetrahedron is flat")
    values = [np.empty(len(vertices)), np.empty(len(edges)), np.empty(len(triangles)), powers]
    _kernels.filtration(
        points, weights, tetrahedra, triangles, edges, faces, sides, ends, powers, values[2],
        values[1], values[0],
    )  # fmt: skip
    return values
