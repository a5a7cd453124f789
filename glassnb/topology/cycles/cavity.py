"""Cavities: the volumes of dimension 2, all of them from one tree."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassnb.core.provenance import write_table
from glassnb.topology.cycles.cycle import Chain, Cycle, CycleCertificate, cycle_of
from glassnb.topology.cycles.space import Ints, Space, keys_of, space_of
from glassnb.topology.diagrams import PersistenceDiagrams

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CavityTree", "cavity_chain", "cavity_tree", "check_index", "check_length"]


@dataclass(frozen=True, repr=False)
class CavityTree:
    """All cavities of a structure, and which lies within which.

    Pairs are the rows of ``diagrams.pairs(2)``.

    Parameters
    ----------
    diagrams : PersistenceDiagrams
        The diagrams.
    parents : ndarray, shape (n,)
        The cavity that each is part of before it is closed off at its birth; -1 where that is the
        outside, or a void of the torus, which has no death.
    volumes : ndarray, shape (n,)
        Volume in Å³ of the tetrahedra of each cavity, those of its children included.
    sizes : ndarray, shape (n,)
        Number of its tetrahedra.
    winding : ndarray, shape (n,)
        Whether it meets images of itself, as a channel through a small cell does.
    """

    diagrams: PersistenceDiagrams
    parents: Ints
    volumes: NDArray[np.float64]
    sizes: Ints
    winding: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of cavities."""
        return len(self.parents)

    def __repr__(self) -> str:
        """Say in a line what was found."""
        return (
            f"CavityTree({len(self)} cavities, {int((self.parents < 0).sum())} of them within no "
            f"other, {int(self.winding.sum())} that wind)"
        )

    @property
    def depths(self) -> Ints:
        """In how many other cavities each lies, shape (n,)."""
        depths, at = np.zeros(len(self), dtype=np.int64), self.parents.copy()
        while (at >= 0).any():
            depths += at >= 0
            at = np.where(at >= 0, self.parents[at], -1)
        return depths

    def children(self, index: int) -> Ints:
        """Return the cavities that become parts of one when they open.

        Parameters
        ----------
        index : int
            Number of the cavity.

        Returns
        -------
        ndarray of int
            Their numbers.

        Raises
        ------
        ValueError
            If there is no such cavity.
        """
        return np.flatnonzero(self.parents == check_index(index, len(self), 2))

    def cycle(self, index: int, *, stability: float = 0.0) -> Cycle:
        """Return a cavity with its surface.

        Parameters
        ----------
        index : int
            Number of the cavity.
        stability : float
            Parts that join it less than this before its birth are left out, in Å²; 0 for none.

        Returns
        -------
        Cycle
            The cavity.

        Raises
        ------
        ValueError
            If there is no such cavity, or the stability is negative.
        """
        k = check_index(index, len(self), 2)
        eps = check_length("stability", stability, "Å²", zero=True)
        space = space_of(self.diagrams.complex)
        return cycle_of(self.diagrams, space, 2, k, eps, cavity_chain(self.diagrams, k, eps))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per cavity.

        Returns
        -------
        pandas.DataFrame
            Columns ``birth`` and ``death`` in Å², ``volume`` in Å³, ``n_tetrahedra``, ``parent``
            (-1 for none), ``depth``, ``n_children`` and ``winding``.
        """
        birth, death = self.diagrams.pairs(2).T
        inside = self.parents[self.parents >= 0]
        columns = {
            "birth": birth,
            "death": death,
            "volume": self.volumes,
            "n_tetrahedra": self.sizes,
            "parent": self.parents,
            "depth": self.depths,
            "n_children": np.bincount(inside, minlength=len(self)),
            "winding": self.winding,
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(len(self), name="index"))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table of :meth:`to_frame` as comma-separated text.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        built = self.diagrams.complex
        write_table(
            path, self.to_frame().reset_index(), species=built.species, radii=built.radii,
            periodic=built.periodic, seed=built.seed,
        )  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the volumes of cavities against the values of alpha at which they are filled.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn: large cavities at large values, and a line from each to the one
            that it is part of.
        """
        from glassnb.plotting import plot_cavity_tree

        return plot_cavity_tree(self, ax)


def cavity_tree(diagrams: PersistenceDiagrams) -> CavityTree:
    """Find all cavities at once.

    Parameters
    ----------
    diagrams : PersistenceDiagrams
        The diagrams; their complex may be periodic or that of a cluster.

    Returns
    -------
    CavityTree
        Cavities of dimension 2 with volumes and hierarchy.

    Raises
    ------
    ValueError
        If the pairs of the diagrams do not follow the order of the simplices, as those of another
        engine may where several enter at once.

    Notes
    -----
    As balls shrink, voids grow from the centres of tetrahedra and merge through triangles; of two
    that merge the smaller (earlier filled) one ends, and what it holds by then is the
    volume-optimal cycle of its pair (I. Obayashi, SIAM J. Appl. Algebra Geom. 2, 508 (2018), for
    clusters). It is exact in a periodic structure as well. Each tetrahedron is tracked with its
    cell, so that a cavity is whole where it crosses a face of the cell; one that meets its own
    image (``winding``) would be endless, and stands for its part in one cell.
    """
    space = _checked(diagrams)
    tree = space.tree
    built = diagrams.complex
    corners = built.points(3)
    each = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6
    if not built.periodic:
        each = np.append(each, 0.0)  # the outside
    below = np.concatenate([[0.0], np.cumsum(each[tree.order])])
    roots = diagrams.death_rows[2]
    begin, end = tree.starts[roots], tree.starts[roots] + tree.sizes[roots]
    number = np.full(len(tree.parents), -1)
    number[roots] = np.arange(len(roots))
    return CavityTree(
        diagrams, number[tree.parents[roots]], below[end] - below[begin], tree.sizes[roots],
        tree.wound[roots] > diagrams.birth_rows[2],
    )  # fmt: skip


def cavity_chain(diagrams: PersistenceDiagrams, index: int, stability: float) -> Chain:
    """Find the volume of a cavity.

    Parameters
    ----------
    diagrams : PersistenceDiagrams
        The diagrams.
    index : int
        Number of the pair in dimension 2.
    stability : float
        In Å².

    Returns
    -------
    Chain
        Its tetrahedra and its surface.

    Raises
    ------
    ValueError
        As in :func:`cavity_tree`.
    """
    space = _checked(diagrams)
    tree, values = space.tree, diagrams.complex.values[2]
    root, birth = int(diagrams.death_rows[2][index]), int(diagrams.birth_rows[2][index])
    first = birth + 1  # triangles from here on let parts join
    if stability > 0:
        limit = values[birth] + stability
        first = max(first, int(np.searchsorted(values, limit, side="right")))
    parts = np.flatnonzero((tree.parents == root) & (tree.killers < first))
    end = int(tree.slots[parts].min(initial=tree.sizes[root]))
    rows = np.sort(tree.order[tree.starts[root] :][:end])
    lifts = tree.lifts[rows] - tree.lifts[root]
    winding = bool(tree.wound[root] >= first)
    border = _modulo_lattice(space, rows, lifts) if winding else space.boundary(3, rows, lifts)
    status = "winds: the part in one cell" if winding else "exact"
    size = float(len(rows))
    certificate = CycleCertificate("merge tree", np.inf, size, True, not winding, status)
    return Chain(rows, lifts, *border, certificate, winding)


def _modulo_lattice(space: Space, rows: Ints, lifts: Ints) -> tuple[Ints, Ints]:
    """Return the faces that an odd number of simplices have, whatever cells these lie in."""
    faces, cells = space.faces(3, rows, lifts)
    flat = faces.ravel()
    _, first, counts = np.unique(
        keys_of(flat, np.zeros((flat.size, 3), dtype=np.int64)), return_index=True,
        return_counts=True,
    )  # fmt: skip
    odd = first[counts % 2 == 1]
    return flat[odd], cells.reshape(-1, 3)[odd]


def _checked(diagrams: PersistenceDiagrams) -> Space:
    """Return the space of diagrams whose pairs are those of the tree."""
    space = space_of(diagrams.complex)
    if (space.tree.killers[diagrams.death_rows[2]] != diagrams.birth_rows[2]).any():
        raise ValueError(
            f"diagrams: engine {diagrams.engine!r} has paired simplices that enter at once in an "
            'order of its own; compute the diagrams with engine="auto"'
        )
    return space


def check_index(index: int, n: int, dimension: int) -> int:
    """Check the number of a pair.

    Parameters
    ----------
    index : int
        The number; negative ones count from the end.
    n : int
        How many pairs there are.
    dimension : int
        In which dimension.

    Returns
    -------
    int
        The number, from 0.

    Raises
    ------
    ValueError
        If there is no such pair.
    """
    whole = isinstance(index, (int, np.integer)) and not isinstance(index, bool)
    if not whole or not -n <= index < n:
        raise ValueError(
            f"index={index!r}: must be the number of a pair; dimension {dimension} has {n}, from 0"
        )
    return int(index) % n


def check_length(name: str, value: float, unit: str, *, zero: bool = False) -> float:
    """Check a number that must be positive.

    Parameters
    ----------
    name : str
        Name of the argument.
    value : float
        The number.
    unit : str
        Its unit.
    zero : bool
        Whether zero is allowed.

    Returns
    -------
    float
        The number.

    Raises
    ------
    ValueError
        If it is negative, not finite, no number, or zero where that is not allowed.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number) or number < 0 or (number == 0 and not zero):
        wanted = "0 or a positive number" if zero else "a positive number"
        raise ValueError(f"{name}={value!r}: must be {wanted} in {unit}")
    return number
