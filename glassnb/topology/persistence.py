"""Persistent homology of a structure: where holes are born and die as balls grow on its atoms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.topology import _kernels
from glassnb.topology.alpha_complex import AlphaComplex, alpha_complex
from glassnb.topology.diagrams import PersistenceDiagrams

__all__ = ["persistence"]

_ENGINES = ("auto", "gudhi")
_ROUNDING = 1e-11  # of the square of a ball's radius: lifetimes up to this are zero
Rows = tuple[NDArray[np.int64], NDArray[np.int64]]


def persistence(
    atoms: Atoms,
    *,
    radii: Mapping[str, float] | str | None = None,
    species: str | Sequence[str] | None = None,
    periodic: bool | None = None,
    engine: str = "auto",
    seed: int = 0,
) -> PersistenceDiagrams:
    """Compute the persistence diagrams of a structure.

    Balls grow on the atoms: at alpha, the ball of an atom of radius r has the radius
    ``sqrt(alpha + r**2)``. Pieces (dimension 0), rings (1) and cavities (2) of their union are born
    at one alpha and die at another.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure: periodic in three directions, in any cell however small or skew, or a
        cluster.
    radii : dict, "pdf" or None
        Radii in Å by species, such as ``{"Si": 0.375, "O": 1.275}``. ``"pdf"`` derives them from
        g(r): for O half the first O-O peak, for the cation what is then left of the cation-O peak.
        ``None`` for no weights: all balls are alike.
    species : str or sequence of str, optional
        Species of the sub-structure that is looked at, such as ``"Si"``; all when omitted.
    periodic : bool, optional
        Whether images of the cell count; as ``atoms.pbc`` says when omitted.
    engine : str
        ``"auto"`` reduces the complex here; ``"gudhi"`` lets the library GUDHI do it, which needs
        a cell so large that no two edges join the same atoms. The diagrams are the same.
    seed : int
        Seed of the noise that is used where points are degenerate, and only there; see
        :func:`alpha_complex`.

    Returns
    -------
    PersistenceDiagrams
        Births and deaths in Å², with the simplices behind them.

    Raises
    ------
    ValueError
        If an argument or the structure makes no sense: fewer than two atoms (four in a cluster),
        atoms on top of each other or in one plane, a cell that is flat or periodic in some
        directions only, radii that are missing or negative, unknown species or engine.

    Notes
    -----
    Y. Hiraoka et al., PNAS 113, 7035 (2016). Coefficients are Z/2. Rings are reduced with clearing
    (C. Chen and M. Kerber, EuroCG 2011); pieces and cavities are found by joining vertices and
    tetrahedra, which is exact on the torus as well.

    Examples
    --------
    >>> import glassnb as gn
    >>> quartz = gn.models.crystal("alpha-quartz")
    >>> gn.topology.persistence(quartz, species="Si").pairs(1).round(3).tolist()[0]
    [2.339, 5.458]
    """
    if engine not in _ENGINES:
        raise ValueError(f"engine={engine!r}: must be one of {', '.join(_ENGINES)}")
    built = alpha_complex(atoms, radii=radii, species=species, periodic=periodic, seed=seed)
    pairs, essential = _reduce(built) if engine == "auto" else _reduce_with_gudhi(built)
    largest = 0.0 if built.radii is None else max(built.radii.values()) ** 2

    def rounding(alpha: NDArray[np.float64]) -> NDArray[np.float64]:
        return _ROUNDING * (np.abs(alpha) + largest)

    births, deaths = [], []
    for dimension, (birth, death) in enumerate(pairs):
        born, dead = built.values[dimension][birth], built.values[dimension + 1][death]
        order = np.lexsort((death, dead, born))
        order = order[(dead - born > np.maximum(rounding(dead), built.resolution))[order]]
        births.append(birth[order])
        deaths.append(death[order])
    return PersistenceDiagrams(built, tuple(births), tuple(deaths), tuple(essential), engine)


def _reduce(built: AlphaComplex) -> tuple[list[Rows], list[NDArray[np.int64]]]:
    """Pair simplices of a complex; return pairs by dimension, and what remains unpaired."""
    vertices, edges, triangles, tetrahedra = built.checks.counts
    _, ends, sides, faces = built.faces
    ended = np.empty(edges, dtype=np.int64)
    _kernels.components(vertices, ends, ended)
    cofaces = np.empty((triangles, 2), dtype=np.int64)
    _kernels.coface_table(faces, triangles, cofaces)
    fillers = np.empty(triangles, dtype=np.int64)
    _kernels.voids(tetrahedra, cofaces, fillers)
    loops = np.empty(triangles, dtype=np.int64)
    tree = ended >= 0
    _kernels.reduce_triangles(sides, fillers >= 0, tree, loops)

    pairs = []
    for paired in (ended, loops):
        death = np.flatnonzero(paired >= 0)
        pairs.append((paired[death], death))
    birth = np.flatnonzero(fillers >= 0)
    pairs.append((birth, fillers[birth]))
    essential = [
        _rest(vertices, pairs[0][0]),
        _rest(edges, pairs[0][1], pairs[1][0]),
        _rest(triangles, pairs[1][1], pairs[2][0]),
        _rest(tetrahedra, pairs[2][1]),
    ]
    return pairs, essential


def _rest(n: int, *paired: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows that are not paired."""
    left = np.ones(n, dtype=bool)
    for rows in paired:
        left[rows] = False
    return np.flatnonzero(left)


def _reduce_with_gudhi(built: AlphaComplex) -> tuple[list[Rows], list[NDArray[np.int64]]]:
    """Let GUDHI pair the simplices, which it knows by their vertices alone."""
    import gudhi

    tables = [np.sort(table, axis=1).astype(np.int64) for table in built.simplices]
    edges = tables[1]
    n = len(built.atoms)
    keys = edges[:, 0] * n + edges[:, 1]
    if (edges[:, 0] == edges[:, 1]).any() or len(np.unique(keys)) < len(keys):
        raise ValueError(
            'engine="gudhi": needs a cell in which no two edges join the same atoms, and this one '
            'is too small; repeat it, for example atoms * (2, 2, 2), or use engine="auto"'
        )
    tree = gudhi.SimplexTree()
    for table, values in zip(tables, built.values, strict=True):
        tree.insert_batch(np.ascontiguousarray(table.T), values)
    tree.compute_persistence(homology_coeff_field=2, persistence_dim_max=True)
    found: list[list[tuple[list[int], list[int]]]] = [[], [], [], []]
    for birth, death in tree.persistence_pairs():
        found[len(birth) - 1].append((birth, death))
    lookups = [_Rows(table, n) for table in tables]
    pairs, essential = [], []
    for dimension, listed in enumerate(found):
        finite = [pair for pair in listed if pair[1]]
        if dimension < 3:
            pairs.append(
                (lookups[dimension]([pair[0] for pair in finite]),
                 lookups[dimension + 1]([pair[1] for pair in finite]))
            )  # fmt: skip
        essential.append(np.sort(lookups[dimension]([pair[0] for pair in listed if not pair[1]])))
    return pairs, essential


class _Rows:
    """Finds the row of a simplex by its vertices."""

    def __init__(self, table: NDArray[np.int64], n: int) -> None:
        self.width = table.shape[1]
        self.n = n
        self.levels: list[NDArray[np.int64]] = []
        keys = table[:, 0]
        for k in range(1, self.width):
            self.levels.append(np.unique(keys))
            keys = np.searchsorted(self.levels[-1], keys) * n + table[:, k]
        self.order = np.argsort(keys)
        self.keys = keys[self.order]

    def __call__(self, simplices: list[list[int]]) -> NDArray[np.int64]:
        listed = np.sort(np.asarray(simplices, dtype=np.int64).reshape(-1, self.width), axis=1)
        keys = listed[:, 0]
        for k, level in enumerate(self.levels, start=1):
            keys = np.searchsorted(level, keys) * self.n + listed[:, k]
        return self.order[np.searchsorted(self.keys, keys)]
