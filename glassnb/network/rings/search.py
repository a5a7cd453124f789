"""Search for rings by three definitions, in the infinite periodic net.

* King: the shortest rings that contain a pair of bonds of an atom (S. V. King, Nature 213, 1112
  (1967)).
* Guttman: the shortest rings that contain a bond (L. Guttman, J. Non-Cryst. Solids 116, 145
  (1990)).
* Primitive, also called shortest-path rings: no two atoms of the ring are joined by fewer bonds
  than along the ring (D. S. Franzblau, Phys. Rev. B 44, 4925 (1991); K. Goetzke and H.-J. Klein,
  J. Non-Cryst. Solids 127, 215 (1991); X. Yuan and A. N. Cormack, Comput. Mater. Sci. 24, 343
  (2002)).

All shortest rings count where several are equally short. The search goes from atom and cell to
atom and cell, so that a small cell gives the rings of the crystal, and ways around a periodic cell
are no rings.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell
from numpy.typing import ArrayLike, NDArray

from glassnb.core.neighbours import wrapping
from glassnb.core.parallel import map_tasks
from glassnb.core.progress import ProgressOption
from glassnb.core.structure import check_atoms, species_of
from glassnb.network.bonds import Bonds, bonds
from glassnb.network.rings import _kernels
from glassnb.network.rings.result import Rings, find_formers

__all__ = ["guttman_rings", "king_rings", "primitive_rings"]

LARGEST = 120  # atoms; distances up to half of it fit into a byte
_DEFAULT = {"king": 40, "guttman": 40, "primitive": 24}
_ROOM = 2**27  # nodes of the unfolded net that one piece of work may hold
_CELLS = 511  # cells that the key of a node can be away from home
_BIN = 4.0  # Å, edge of the bins along whose curve the work is cut


def king_rings(
    atoms: Atoms,
    *,
    cutoff: float | Mapping[Any, float] | None = None,
    max_size: int | None = None,
    nodes: str | ArrayLike | None = None,
    formers: str | Sequence[str] | None = None,
    client: Any = None,
    progress: ProgressOption = None,
) -> Rings:
    """Find King's rings: the shortest through each pair of bonds that meet at an atom.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure; any cell, periodic or not, however small.
    cutoff : float or dict, optional
        Longest bond in Å; see :func:`glassnb.network.bonds`.
    max_size : int, optional
        Largest ring, in atoms of any kind: 40 when omitted. Pairs of bonds without a ring up to
        it are reported in :attr:`Rings.unresolved`.
    nodes : str or array_like, optional
        Where the search starts: a species, or indices of atoms. Every atom when omitted.
    formers : str or sequence of str, optional
        Species that count as network formers; Si, Ge, B, P and Al, where present, when omitted.
    client : dask.distributed.Client, optional
        Where to run; threads of this process when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress_bar`.

    Returns
    -------
    Rings
        Each ring once, by first atom and size; the same whatever the number of threads.

    Raises
    ------
    ValueError
        If there are no bonds, an argument is out of range, or a named species is absent.

    Warns
    -----
    UserWarning
        If pairs of bonds are left without a ring because of ``max_size``, or atoms with fewer than
        two bonds are left out.

    Notes
    -----
    S. V. King, Nature 213, 1112 (1967), as D. S. Franzblau, Phys. Rev. B 44, 4925 (1991) states it:
    a ring of an atom is the shortest way between two of its neighbours that avoids it.

    Examples
    --------
    >>> import glassnb as gn
    >>> quartz = gn.models.crystal("alpha-quartz")
    >>> gn.network.king_rings(quartz, cutoff={("Si", "O"): 2.0}).size_distribution()
    {6: 1.0, 8: 7.0}
    """
    return _search("king", atoms, cutoff, max_size, nodes, formers, client, progress)


def guttman_rings(
    atoms: Atoms,
    *,
    cutoff: float | Mapping[Any, float] | None = None,
    max_size: int | None = None,
    nodes: str | ArrayLike | None = None,
    formers: str | Sequence[str] | None = None,
    client: Any = None,
    progress: ProgressOption = None,
) -> Rings:
    """Find Guttman's rings: the shortest through each bond.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure; any cell, periodic or not, however small.
    cutoff : float or dict, optional
        Longest bond in Å; see :func:`glassnb.network.bonds`.
    max_size : int, optional
        Largest ring, in atoms of any kind: 40 when omitted. Bonds without a ring up to it are
        reported in :attr:`Rings.unresolved`.
    nodes : str or array_like, optional
        Where the search starts: bonds of a species, or of atoms given by their indices. Every atom
        when omitted.
    formers : str or sequence of str, optional
        Species that count as network formers; Si, Ge, B, P and Al, where present, when omitted.
    client : dask.distributed.Client, optional
        Where to run; threads of this process when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress_bar`.

    Returns
    -------
    Rings
        Each ring once, by first atom and size; the same whatever the number of threads.

    Raises
    ------
    ValueError
        If there are no bonds, an argument is out of range, or a named species is absent.

    Warns
    -----
    UserWarning
        If bonds are left without a ring because of ``max_size``, or atoms with fewer than two bonds
        are left out.

    Notes
    -----
    L. Guttman, J. Non-Cryst. Solids 116, 145 (1990).
    """
    return _search("guttman", atoms, cutoff, max_size, nodes, formers, client, progress)


def primitive_rings(
    atoms: Atoms,
    *,
    cutoff: float | Mapping[Any, float] | None = None,
    max_size: int | None = None,
    nodes: str | ArrayLike | None = None,
    formers: str | Sequence[str] | None = None,
    client: Any = None,
    progress: ProgressOption = None,
) -> Rings:
    """Find primitive (shortest-path) rings: those that no shortcut divides.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure; any cell, periodic or not, however small.
    cutoff : float or dict, optional
        Longest bond in Å; see :func:`glassnb.network.bonds`.
    max_size : int, optional
        Largest ring, in atoms of any kind: 24 when omitted. Larger ones are not looked for.
    nodes : str or array_like, optional
        A species, or indices of atoms: rings that contain at least one of them. Every atom when
        omitted.
    formers : str or sequence of str, optional
        Species that count as network formers; Si, Ge, B, P and Al, where present, when omitted.
    client : dask.distributed.Client, optional
        Where to run; threads of this process when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress_bar`.

    Returns
    -------
    Rings
        Each ring once, by first atom and size; the same whatever the number of threads.

    Raises
    ------
    ValueError
        If there are no bonds, an argument is out of range, or a named species is absent.

    Warns
    -----
    UserWarning
        If atoms with fewer than two bonds are left out.

    Notes
    -----
    D. S. Franzblau, Phys. Rev. B 44, 4925 (1991). Only antipodes need to be looked at: a shortcut
    anywhere on a ring shortens the way between two of them.
    """
    return _search("primitive", atoms, cutoff, max_size, nodes, formers, client, progress)


class Net(NamedTuple):
    """The net unfolded so far, and the searches' scratch; sizes in :func:`_new_net`."""

    offsets: NDArray[np.int64]  # bonds of each atom
    steps: NDArray[np.int64]  # what leads from the cell of an atom to the key of its neighbour
    table: NDArray[np.int32]  # hash table of local numbers
    keys: NDArray[np.int64]  # cell and atom of each node
    rows: NDArray[np.int32]  # where the neighbours of a node stand in links, -1 if unknown
    links: NDArray[np.int32]
    state: NDArray[np.int64]  # counts, see _kernels
    distances: NDArray[np.int8]  # of each node from each source, plus one
    queue: NDArray[np.int32]  # nodes reached from each source, by distance
    starts: NDArray[np.int64]  # where each distance begins in the queue
    lengths: NDArray[np.int64]  # of the shortest ways between sources
    met: NDArray[np.int64]
    paths: NDArray[np.int64]
    slots: NDArray[np.int64]
    ring: NDArray[np.int64]
    balls: NDArray[np.int32]  # surroundings of nodes, by distance
    ball_starts: NDArray[np.int64]
    ball_ends: NDArray[np.int64]
    seen: NDArray[np.int64]
    marks: NDArray[np.int64]


class Found(NamedTuple):
    """What a search found: rings as keys of their nodes, one after the other, and the rest."""

    entries: NDArray[np.int64]
    ends: NDArray[np.int64]  # where each ring ends; begins with 0
    origins: NDArray[np.int64]  # pairs of an atom and the size of a ring that starts there
    unresolved: NDArray[np.int64]  # triples of a centre and two neighbours, or a bond


@dataclass(frozen=True)
class _Work:
    """What each piece of work needs to know."""

    definition: str
    offsets: NDArray[np.int64]
    steps: NDArray[np.int64]
    mask: NDArray[np.bool_]  # atoms to be skipped (King) or that are roots (primitive)
    bonds: NDArray[np.bool_]  # entries of the list of bonds to start from (Guttman)
    max_size: int
    shortcut: int  # by how many bonds a shortcut is shorter, at least

    def __call__(self, atoms: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """Search from some atoms, with more room until it is enough."""
        room = 1 << int(np.ceil(np.log2(48 * atoms.size + 4096)))
        while room <= _ROOM:
            net, found = self._new_net(room)
            if self._run(net, found, atoms):
                return _distinct_found(net, found)
            room *= 4
        raise ValueError(
            f"max_size={self.max_size}: the search reaches more than {_ROOM} atoms, or finds as "
            "many rings; choose a smaller max_size, or check the cutoff"
        )

    def _run(self, net: Net, found: Found, atoms: NDArray[np.int64]) -> bool:
        if self.definition == "king":
            return bool(_kernels.king(net, found, atoms, self.mask, self.max_size))
        if self.definition == "primitive":
            roots = atoms[self.mask[atoms]]
            return bool(
                _kernels.primitive(net, found, roots, self.mask, self.max_size, self.shortcut)
            )
        counts = self.offsets[atoms + 1] - self.offsets[atoms]
        starts = np.repeat(atoms, counts)
        before = np.cumsum(counts) - counts
        places = np.arange(starts.size) + np.repeat(self.offsets[atoms] - before, counts)
        chosen = self.bonds[places]
        return bool(_kernels.guttman(net, found, starts[chosen], places[chosen], self.max_size))

    def _new_net(self, room: int) -> tuple[Net, Found]:
        """Make room for a number of nodes."""
        degree = max(2, int(np.diff(self.offsets).max()))
        n_sources = {"king": degree, "guttman": 2, "primitive": 2}[self.definition]
        n_rows = 1 if self.definition == "primitive" else n_sources
        n_levels = self.max_size // 2 + 4
        primitive = self.definition == "primitive"
        reach = self.max_size // 2 // 2 + 2
        scratch = np.zeros((2, self.max_size + 4), dtype=np.int64)
        net = Net(
            offsets=self.offsets,
            steps=self.steps,
            table=np.full(2 * room, -1, dtype=np.int32),
            keys=np.empty(room, dtype=np.int64),
            rows=np.empty(room, dtype=np.int32),
            links=np.empty((degree + 1) * room, dtype=np.int32),
            state=np.zeros(_kernels.N_STATE, dtype=np.int64),
            distances=np.zeros((room, n_sources), dtype=np.int8),
            queue=np.empty((n_rows, room), dtype=np.int32),
            starts=np.zeros((n_rows, n_levels), dtype=np.int64),
            lengths=np.zeros((n_sources, n_sources), dtype=np.int64),
            met=np.zeros((n_sources, n_sources), dtype=np.int64),
            paths=scratch.copy(),
            slots=scratch.copy(),
            ring=np.zeros(self.max_size + 2, dtype=np.int64),
            balls=np.empty(64 * room if primitive else 0, dtype=np.int32),
            ball_starts=np.zeros(room if primitive else 0, dtype=np.int64),
            ball_ends=np.zeros((room if primitive else 0, reach), dtype=np.int64),
            seen=np.zeros(room if primitive else 0, dtype=np.int64),
            marks=np.zeros(room if primitive else 0, dtype=np.int64),
        )
        found = Found(
            entries=np.empty(16 * room, dtype=np.int64),
            ends=np.zeros(2 * room, dtype=np.int64),
            origins=np.empty((2 * room, 2), dtype=np.int64),
            unresolved=np.empty((2 * room, 3), dtype=np.int64),
        )
        return net, found


def _search(
    definition: str,
    atoms: Atoms,
    cutoff: float | Mapping[Any, float] | None,
    max_size: int | None,
    nodes: str | ArrayLike | None,
    formers: str | Sequence[str] | None,
    client: Any,
    progress: ProgressOption,
) -> Rings:
    check_atoms(atoms)
    largest = _check_size(_DEFAULT[definition] if max_size is None else max_size)
    named = find_formers(atoms, formers)
    start = _check_nodes(atoms, nodes)
    found = bonds(atoms, cutoff)
    if not len(found):
        raise ValueError(
            f"cutoff={dict(found.cutoffs)}: no two atoms are that close, so there are no bonds; "
            "give the longest bond in Å"
        )
    moved = wrapping(atoms)
    work = _work(definition, atoms, found, moved, start, largest)
    wanted = {"king": ~work.mask, "primitive": work.mask, "guttman": found.counts > 0}[definition]
    parts = map_tasks(
        work, _pieces(atoms, wanted), client=client, progress=progress, description="rings"
    )
    keys, ends = _distinct(
        np.concatenate([part[0] for part in parts]), _join([part[1] for part in parts])
    )
    origins = np.zeros((len(atoms), largest + 1), dtype=bool)
    for part in parts:
        origins[part[2][:, 0], part[2][:, 1]] = True
    origins &= start[:, None]
    unresolved = np.concatenate([part[3] for part in parts])
    unresolved = unresolved[np.argsort(unresolved[:, 0], kind="stable")]
    indices, images = _unpack(keys, ends, moved)
    if definition == "primitive":
        sizes = np.diff(ends)
        origins[indices, np.repeat(sizes, sizes)] = True
    if definition == "guttman":
        unresolved = unresolved[:, 1:]
    _warn(definition, found, unresolved, largest)
    return Rings(
        definition, largest, ends, indices, images, atoms.copy(), named, found.cutoffs,
        start, origins, unresolved,
    )  # fmt: skip


# -- checks ----------------------------------------------------------------------------------------


def _check_size(max_size: Any) -> int:
    if isinstance(max_size, bool) or not isinstance(max_size, int | np.integer):
        raise ValueError(f"max_size={max_size!r}: must be a whole number of atoms")
    if not 3 <= max_size <= LARGEST:
        raise ValueError(
            f"max_size={max_size}: must be from 3 to {LARGEST} atoms (of all kinds: a ring of six "
            "SiO4 tetrahedra has 12)"
        )
    return int(max_size)


def _check_nodes(atoms: Atoms, nodes: str | ArrayLike | None) -> NDArray[np.bool_]:
    """Return which atoms the search starts from."""
    start = np.zeros(len(atoms), dtype=bool)
    if nodes is None:
        return ~start
    if isinstance(nodes, str):
        symbols, species = species_of(atoms)
        if nodes not in symbols:
            raise ValueError(
                f"nodes={nodes!r}: is not in the structure; its species are {', '.join(symbols)}"
            )
        return species == symbols.index(nodes)
    given = np.asarray(nodes)
    if given.dtype == bool and given.shape == start.shape:
        given = np.flatnonzero(given)
    if given.ndim != 1 or given.size == 0 or given.dtype.kind not in "iu":
        raise ValueError(
            f"nodes={nodes!r}: must be a species such as 'Si', or a list of indices of atoms"
        )
    if given.min() < 0 or given.max() >= len(atoms):
        raise ValueError(
            f"nodes: index {given.min() if given.min() < 0 else given.max()} is outside the "
            f"structure, whose atoms run from 0 to {len(atoms) - 1}"
        )
    start[given] = True
    return start


def _warn(definition: str, found: Bonds, unresolved: NDArray[np.int64], max_size: int) -> None:
    """Say what has been left out."""
    loose = np.flatnonzero(found.counts < 2)
    if loose.size:
        named = ", ".join(str(atom) for atom in loose[:5])
        warnings.warn(
            f"{loose.size} of {found.counts.size} atoms have fewer than two bonds and are in no "
            f"ring (atoms {named}{', ...' if loose.size > 5 else ''}); check the cutoff "
            f"{dict(found.cutoffs)} if that is unexpected",
            stacklevel=4,
        )
    if len(unresolved):
        what = "pairs of bonds" if definition == "king" else "bonds"
        warnings.warn(
            f"{len(unresolved)} {what} have no ring up to max_size={max_size} atoms; they are "
            "listed in Rings.unresolved",
            stacklevel=4,
        )


# -- how the work is prepared, cut and put together ------------------------------------------------


def _work(
    definition: str,
    atoms: Atoms,
    found: Bonds,
    moved: NDArray[np.int64],
    start: NDArray[np.bool_],
    max_size: int,
) -> _Work:
    """Write bonds as steps between keys, and choose where searches may be spared."""
    ends, centres, counts = found.indices, found.centres, found.counts
    images = found.images + moved[ends] - moved[centres]
    reach = int(np.abs(images).max()) * (max_size // 2 + 2)
    if reach > _CELLS:
        raise ValueError(
            f"atoms.cell: lengths {np.round(atoms.cell.lengths(), 3).tolist()} Å are too small: a "
            f"ring of {max_size} atoms may reach {reach} cells away, more than {_CELLS}; repeat "
            "the cell, lower max_size, or check the units of the cell"
        )
    steps = (images @ np.array([1 << 20, 1 << 10, 1]) << _kernels.CELL) + ends
    # All rings of an atom of two bonds are found at a neighbour that has more.
    knot = (counts > 2) & start
    beside_knot = np.bincount(centres, weights=knot[ends], minlength=counts.size) > 0
    spared = (counts == 2) & beside_knot
    mask, chosen = spared | ~start, np.empty(0, dtype=bool)
    if definition == "primitive":
        mask = start & (counts > 1)
        if start.all():
            mask &= ~spared
    if definition == "guttman":
        chosen = found.once & (start[centres] | start[ends])
        if start.all():
            # Both bonds of an atom that bridges two knots have the same rings.
            bridge = spared & (np.bincount(centres, ~knot[ends], counts.size) == 0)
            first = np.zeros(ends.size, dtype=bool)
            first[found.offsets[:-1][bridge]] = True
            chosen = np.where(bridge[centres] | bridge[ends], first, chosen)
    bipartite = _is_bipartite(atoms, found)
    return _Work(definition, found.offsets, steps, mask, chosen, max_size, 2 if bipartite else 1)


def _is_bipartite(atoms: Atoms, found: Bonds) -> bool:
    """Tell whether bonds join two species only and never like to like, so that rings are even."""
    symbols = {symbol for pair in found.cutoffs for symbol in pair}
    return (
        len(symbols) == 2
        and not (atoms.numbers[found.centres] == atoms.numbers[found.indices]).any()
    )


def _pieces(atoms: Atoms, wanted: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Cut the atoms to start from into compact pieces, along a Morton curve.

    The pieces depend on the structure alone, not on the machine.
    """
    cell = complete_cell(np.asarray(atoms.cell))
    fractional = (atoms.positions @ np.linalg.inv(cell)) % 1.0 if atoms.pbc.any() else None
    inside = atoms.positions if fractional is None else fractional @ cell
    bins = ((inside - inside.min(axis=0)) / _BIN).astype(np.int64)
    code = np.zeros(len(atoms), dtype=np.int64)
    for bit in range(20):
        for axis in range(3):
            code |= ((bins[:, axis] >> bit) & 1) << (3 * bit + axis)
    chosen = np.flatnonzero(wanted)
    order = chosen[np.argsort(code[chosen], kind="stable")]
    size = int(np.clip(order.size // 8, 64, 1024))
    return [order[k : k + size] for k in range(0, max(1, order.size), size)]


def _distinct_found(net: Net, found: Found) -> tuple[NDArray[np.int64], ...]:
    """Cut off the room that was not used, and drop rings found twice."""
    count = net.state
    ends = found.ends[: count[_kernels.RINGS] + 1]
    keys, ends = _distinct(found.entries[: ends[-1]], ends)
    atoms, sizes = found.origins[: count[_kernels.ORIGINS]].T
    codes = np.unique(atoms << 8 | sizes)
    return (
        keys,
        ends,
        np.stack([codes >> 8, codes & 255], axis=1),
        found.unresolved[: count[_kernels.UNRESOLVED]].copy(),
    )


def _distinct(
    keys: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bring rings into a standard form and order, each once."""
    standard = np.empty_like(keys)
    _kernels.canonical(keys, ends, standard)
    first = standard[ends[:-1]]
    by_atom = np.argsort(first, kind="stable")
    starts = np.flatnonzero(np.diff(first[by_atom], prepend=-1, append=-1))
    kept = by_atom[: _kernels.unique(standard, ends, by_atom, starts)]
    sizes = np.diff(ends)[kept]
    new_ends = np.concatenate([[0], np.cumsum(sizes)])
    place = np.arange(new_ends[-1]) + np.repeat(ends[kept] - new_ends[:-1], sizes)
    return standard[place], new_ends


def _join(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Join lists of ends."""
    return np.concatenate([[0], np.cumsum(np.concatenate([np.diff(part) for part in parts]))])


def _unpack(
    keys: NDArray[np.int64], ends: NDArray[np.int64], moved: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return atoms and cells, relative to positions as given; the first atom is at home."""
    indices = keys & _kernels.ATOM
    code = keys >> _kernels.CELL
    images = np.stack([code >> 20, (code >> 10) & 1023, code & 1023], axis=1) - 512
    images -= moved[indices]
    images -= np.repeat(images[ends[:-1]], np.diff(ends), axis=0)
    return indices, images.astype(np.int32)
