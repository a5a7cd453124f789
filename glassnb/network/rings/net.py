"""The infinite net as the ring search sees it: keys of nodes, pieces of work, each ring once.

A node of the net is an atom in a cell. Its key is one number: the code of the cell above 32 bits,
the atom below. The cell code holds three times ten bits, the cell indices plus 512.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.structure import full_cell
from glassnb.network.bonds import Bonds
from glassnb.network.rings import _kernels

__all__ = ["RingWork", "distinct", "join", "pieces", "prepare", "unpack"]

_ROOM = 2**27  # nodes of the unfolded net that one piece of work may hold
_CELLS = 511  # cells that the key of a node can be away from home
_BIN = 4.0  # Å, edge of the bins along whose curve the work is cut


class Net(NamedTuple):
    """The net unfolded so far, and the searches' scratch; sizes in :meth:`RingWork.new_net`."""

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
class RingWork:
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
            net, found = self.new_net(room)
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

    def new_net(self, room: int) -> tuple[Net, Found]:
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


def prepare(
    definition: str,
    atoms: Atoms,
    found: Bonds,
    moved: NDArray[np.int64],
    start: NDArray[np.bool_],
    max_size: int,
) -> RingWork:
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
    return RingWork(definition, found.offsets, steps, mask, chosen, max_size, 2 if bipartite else 1)


def _is_bipartite(atoms: Atoms, found: Bonds) -> bool:
    """Tell whether bonds join two species only and never like to like, so that rings are even."""
    symbols = {symbol for pair in found.cutoffs for symbol in pair}
    return (
        len(symbols) == 2
        and not (atoms.numbers[found.centres] == atoms.numbers[found.indices]).any()
    )


def pieces(atoms: Atoms, wanted: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Cut the atoms to start from into compact pieces, along a Morton curve.

    The pieces depend on the structure alone, not on the machine.
    """
    cell = full_cell(atoms)
    fractional = (atoms.positions @ np.linalg.inv(cell)) % 1.0 if atoms.pbc.any() else None
    inside = atoms.positions if fractional is None else fractional @ cell
    bins = ((inside - inside.min(axis=0)) / _BIN).astype(np.int64)
    # The bits of a number, each followed by room for two more.
    numbers = np.arange(bins.max() + 1)
    spread = np.zeros_like(numbers)
    for bit in range(int(numbers[-1]).bit_length()):
        spread |= ((numbers >> bit) & 1) << (3 * bit)
    code = spread[bins] @ np.array([1, 2, 4])
    chosen = np.flatnonzero(wanted)
    order = chosen[np.argsort(code[chosen], kind="stable")]
    size = int(np.clip(order.size // 8, 64, 1024))
    return [order[k : k + size] for k in range(0, max(1, order.size), size)]


def _distinct_found(net: Net, found: Found) -> tuple[NDArray[np.int64], ...]:
    """Cut off the room that was not used, and drop rings found twice."""
    count = net.state
    ends = found.ends[: count[_kernels.RINGS] + 1]
    keys, ends = distinct(found.entries[: ends[-1]], ends)
    atoms, sizes = found.origins[: count[_kernels.ORIGINS]].T
    codes = np.unique(atoms << 8 | sizes)
    return (
        keys,
        ends,
        np.stack([codes >> 8, codes & 255], axis=1),
        found.unresolved[: count[_kernels.UNRESOLVED]].copy(),
    )


def distinct(
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


def join(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Join lists of ends."""
    return np.concatenate([[0], np.cumsum(np.concatenate([np.diff(part) for part in parts]))])


def unpack(
    keys: NDArray[np.int64], ends: NDArray[np.int64], moved: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return atoms and cells, relative to positions as given; the first atom is at home."""
    indices = keys & _kernels.ATOM
    code = (keys >> _kernels.CELL).astype(np.int32)
    images = np.empty((keys.size, 3), dtype=np.int32)
    for axis, bits in enumerate((20, 10, 0)):
        cell = (code >> bits) & 1023
        cell -= moved[:, axis].astype(np.int32)[indices]
        cell -= np.repeat(cell[ends[:-1]], np.diff(ends))
        images[:, axis] = cell
    return indices, images
