"""Cycles behind pairs, each found once, and the rings of the network that they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glassnb.network import Rings
from glassnb.topology import PersistenceDiagrams
from glassnb.topology.cycles import CavityTree, Cycle, cavity_tree, optimal_cycle

__all__ = ["CycleKey", "CycleStore", "NetworkRings", "counts_text", "segments"]


class CycleKey(NamedTuple):
    """What a cycle is asked for by: structure, dimension, number of the pair, and how."""

    which: int
    dimension: int
    pair: int
    stability: float
    method: Any


class CycleStore:
    """Finds cycles, and keeps what it has found.

    Parameters
    ----------
    both : tuple of PersistenceDiagrams
        Diagrams of one or two structures.
    find : callable, optional
        Finds a cycle; takes what :func:`glassnb.topology.cycles.optimal_cycle` takes.
    """

    def __init__(
        self, both: tuple[PersistenceDiagrams, ...], find: Callable[..., Cycle] | None = None
    ) -> None:
        self._both = both
        self._find = find or optimal_cycle
        self._found: dict[CycleKey, Cycle | str] = {}
        self._trees: dict[int, CavityTree | None] = {}

    def __contains__(self, key: CycleKey) -> bool:
        """Tell whether it has been looked for."""
        return key in self._found

    def known(self, key: CycleKey) -> Cycle | str | None:
        """Return what has been found.

        Parameters
        ----------
        key : CycleKey
            What is wanted.

        Returns
        -------
        Cycle, str or None
            The cycle, why there is none, or ``None`` if nobody has looked yet.
        """
        return self._found.get(key)

    def all_like(self, key: CycleKey | None) -> dict[int, Cycle]:
        """Return the cycles that have been found in the same way as one.

        Parameters
        ----------
        key : CycleKey or None
            How: all but the pair counts. ``None`` is like no cycle.

        Returns
        -------
        dict
            Cycles by the numbers of their pairs.
        """
        if key is None:
            return {}
        return {
            other.pair: found
            for other, found in list(self._found.items())
            if other._replace(pair=key.pair) == key and not isinstance(found, str)
        }

    def find(self, key: CycleKey) -> Cycle | str:
        """Find a cycle, unless it is known.

        Parameters
        ----------
        key : CycleKey
            What is wanted.

        Returns
        -------
        Cycle or str
            The cycle, or why there is none.
        """
        if key not in self._found:
            try:
                self._found[key] = self._find(
                    self._both[key.which], key.dimension, key.pair, stability=key.stability,
                    method=key.method,
                )  # fmt: skip
            except ValueError as error:
                self._found[key] = str(error).rpartition("has no cycle; ")[2]
        return self._found[key]

    def tree(self, which: int) -> CavityTree | None:
        """Return the tree of the cavities of a structure.

        Parameters
        ----------
        which : int
            The structure.

        Returns
        -------
        CavityTree or None
            The tree; ``None`` if its diagrams allow none.
        """
        if which not in self._trees:
            try:
                self._trees[which] = cavity_tree(self._both[which])
            except ValueError:
                self._trees[which] = None
        return self._trees[which]


class NetworkRings:
    """Finds the ring of a network that has the atoms of a cycle.

    Parameters
    ----------
    rings : Rings
        Rings of the structure.
    """

    def __init__(self, rings: Rings) -> None:
        self.rings = rings
        formers = rings.is_former
        self._exact: dict[frozenset[int], int] = {}
        self._by_formers: dict[frozenset[int], int] = {}
        order = np.argsort(rings.sizes, kind="stable")
        for k in order.tolist():
            ring = rings[k]
            self._exact.setdefault(frozenset(ring.tolist()), k)
            self._by_formers.setdefault(frozenset(ring[formers[ring]].tolist()), k)
        self._formers: NDArray[np.bool_] = formers

    def match(self, indices: NDArray[np.int64]) -> tuple[int, bool] | None:
        """Return the ring that has the atoms of a cycle, or at least its network formers.

        Parameters
        ----------
        indices : ndarray, shape (n,)
            Atoms of the cycle.

        Returns
        -------
        ring : int
            Number of the ring; the smallest, if several have these atoms.
        exact : bool
            Whether all atoms are the same, and not only the network formers.
        None
            If there is no such ring.
        """
        ring = self._exact.get(frozenset(indices.tolist()))
        if ring is not None:
            return ring, True
        formers = frozenset(indices[self._formers[indices]].tolist())
        ring = self._by_formers.get(formers) if len(formers) > 1 else None
        return None if ring is None else (ring, False)

    def describe(self, indices: NDArray[np.int64]) -> str:
        """Say which ring of the network a cycle is.

        Parameters
        ----------
        indices : ndarray, shape (n,)
            Atoms of the cycle.

        Returns
        -------
        str
            A sentence.
        """
        rings = self.rings
        found = self.match(indices)
        if found is None:
            return f"It is none of the {len(rings)} {_called(rings)} rings of the network."
        ring, exact = found
        formers, size = int(rings.former_sizes[ring]), int(rings.sizes[ring])
        names = "/".join(rings.formers)
        size_words = f"ring {ring} of the network: {formers} {names}, {size} atoms"
        return f"It is {size_words}." if exact else f"Its {names} are those of {size_words}."


def _called(rings: Rings) -> str:
    return rings.definition if rings.definition == "primitive" else rings.definition.title()


def counts_text(counts: Mapping[str, int]) -> str:
    """Write how many atoms there are of each species.

    Parameters
    ----------
    counts : dict
        Numbers by species.

    Returns
    -------
    str
        For example ``"6 Si, 6 O"``.
    """
    return ", ".join(f"{count} {symbol}" for symbol, count in counts.items())


def segments(cycle: Any) -> NDArray[np.float64]:
    """Return the lines that a cycle is drawn with.

    Parameters
    ----------
    cycle : Cycle
        The cycle.

    Returns
    -------
    ndarray, shape (n, 2, 3)
        Ends in Å: the sides of a ring, or the edges of the triangles of a cavity, each once.
    """
    corners = cycle.boundary_points
    if cycle.dimension == 1:
        return corners
    sides = [[0, 1], [1, 2], [2, 0]]
    vertices = np.concatenate([cycle.boundary_indices[..., None], cycle.boundary_images], axis=2)
    _, numbers = np.unique(vertices.reshape(-1, 4), axis=0, return_inverse=True)
    ends = np.sort(numbers.reshape(-1, 3)[:, sides].reshape(-1, 2), axis=1)
    _, first = np.unique(ends, axis=0, return_index=True)
    return corners[:, sides].reshape(-1, 2, 3)[first]
