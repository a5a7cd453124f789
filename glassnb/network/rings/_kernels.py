"""Compiled search for rings in the infinite net.

The net is unfolded on demand: a node is an atom in a cell, known by a key (code of the cell above
32 bits, atom below), and gets a local number when the search first meets it. After that, searches
run on local numbers alone, and neither small cells nor periodic faces need care.

``net`` and ``found`` are the named tuples of arrays in :mod:`glassnb.network.rings.net`. Counts
stand in ``state``. Distances are stored plus one: 0 is not reached, ``BLOCKED`` must not be passed.
A search that runs out of room returns false and is called again with more.

All of it stands in one file because Numba's cache on disk does not notice when a kernel in another
file, called from here, has changed.
"""

import numpy as np
from numba import prange

from glassnb.core.jit import kernel, parallel_kernel

BLOCKED = 127
CELL = 32  # bits below the code of a cell
ATOM = (1 << CELL) - 1
HOME = ((512 << 20) + (512 << 10) + 512) << CELL  # key of atom 0 in the cell (0, 0, 0)

# Places in `state`.
NODES, LINKS, BALLS, ENTRIES, RINGS, ORIGINS, UNRESOLVED, TOKEN = range(8)
N_STATE = 8


# -- the net, unfolded on demand -----------------------------------------------------------------


@kernel
def node_of(net, key):
    """Return the local number of a node, a new one if it was not met before; -1 without room."""
    table, keys = net.table, net.keys
    spread = ((key & ATOM) * 73856093) ^ ((key >> CELL) * 19349663)
    slot = (spread ^ (spread >> 23) ^ (spread >> 41)) & (table.size - 1)
    while table[slot] >= 0:
        if keys[table[slot]] == key:
            return table[slot]
        slot = (slot + 1) & (table.size - 1)
    node = net.state[NODES]
    if node == keys.size:
        return np.int32(-1)
    table[slot] = node
    keys[node] = key
    net.rows[node] = -1
    net.state[NODES] += 1
    return table[slot]


@kernel
def row_of(net, node):
    """List the neighbours of a node in ``links``, up to a -1; return where, or -1 without room.

    Called only where ``rows`` does not know yet: a call that hands on so many arrays costs more
    than the look-up.
    """
    key = net.keys[node]
    atom = key & ATOM
    first, last = net.offsets[atom], net.offsets[atom + 1]
    row = net.state[LINKS]
    if row + last - first + 1 > net.links.size:
        return -1
    for bond in range(first, last):
        other = node_of(net, key - atom + net.steps[bond])
        if other < 0:
            return -1
        net.links[row + bond - first] = other
    net.links[row + last - first] = -1
    net.state[LINKS] = row + last - first + 1
    net.rows[node] = row
    return row


@kernel
def next_descent(net, path, slots, length, branch):
    """Lead ``path`` from ``path[0]`` down to the source of ``branch``, by the next way there is.

    ``slots`` holds the neighbour to be tried next at each step and, at ``length + 1``, the step to
    go on from; the caller sets ``slots[0]`` and ``slots[length + 1]`` to 0 at first.
    """
    rows, links, distances = net.rows, net.links, net.distances
    depth = slots[length + 1]
    if length == 0:  # at the source already: one way, of no steps
        slots[1] = -1
        return depth == 0
    while depth >= 0:
        node = path[depth]
        at = rows[node] + slots[depth]
        wanted = distances[node, branch] - 1
        while links[at] >= 0 and distances[links[at], branch] != wanted:
            at += 1
        if links[at] < 0:
            depth -= 1
            continue
        slots[depth] = at + 1 - rows[node]
        path[depth + 1] = links[at]
        slots[depth + 1] = 0
        depth += 1
        if depth == length:
            slots[length + 1] = depth - 1
            return True
    slots[length + 1] = -1
    return False


@kernel
def add_ring(net, found, size):
    """Keep the ring in ``net.ring``; false without room."""
    at, count = net.state[ENTRIES], net.state[RINGS]
    if at + size > found.entries.size or count + 2 > found.ends.size:
        return False
    for k in range(size):
        found.entries[at + k] = net.keys[net.ring[k]]
    found.ends[count + 1] = at + size
    net.state[ENTRIES] = at + size
    net.state[RINGS] = count + 1
    return True


# -- King and Guttman: shortest ways between sources ----------------------------------------------


@kernel
def meet(net, n_sources, adjacent, longest):
    """Search from all sources in step, and find how far they are from each other.

    The sources stand first in the rows of ``net.queue``. ``net.lengths[j, k]`` becomes the number
    of bonds between two of them; -1 where there is no way, -2 where there is none up to
    ``longest``. Unless ``adjacent``, the bond between two sources must not be used. Returns the
    number of steps taken, or -1 without room.
    """
    queue, starts, distances, lengths = net.queue, net.starts, net.distances, net.lengths
    lengths[:n_sources, :n_sources] = 0
    net.met[:n_sources, :n_sources] = 0
    waits = n_sources * (n_sources - 1) // 2
    for k in range(n_sources):
        distances[queue[k, 0], k] = 1
        starts[k, 0], starts[k, 1] = 0, 1
    level = 0
    while waits > 0:
        for k in range(n_sources):
            pending = False
            for j in range(n_sources):
                pending |= j != k and lengths[j, k] == 0
            starts[k, level + 2] = starts[k, level + 1]
            if pending and not one_step(net, k, n_sources, level, adjacent):
                return -1
        level += 1
        for k in range(n_sources):
            for j in range(k):
                if lengths[j, k] != 0:
                    continue
                length = net.met[j, k]
                if length == 0:
                    dead_j = starts[j, level] == starts[j, level + 1]
                    dead_k = starts[k, level] == starts[k, level + 1]
                    if dead_j or dead_k:
                        length = -1
                    elif 2 * level + 1 > longest:
                        length = -2
                elif length > longest:
                    length = -2
                lengths[j, k] = lengths[k, j] = length
                waits -= length != 0
    return level


@kernel
def one_step(net, k, n_sources, level, adjacent):
    """Take the search from source ``k`` one bond further; false without room."""
    queue, starts, distances, rows, links = (
        net.queue[k], net.starts[k], net.distances, net.rows, net.links,
    )  # fmt: skip
    tail = starts[level + 1]
    for place in range(starts[level], starts[level + 1]):
        at = rows[queue[place]]
        if at < 0:
            at = row_of(net, queue[place])
            if at < 0:
                return False
        while links[at] >= 0:
            node = links[at]
            at += 1
            if distances[node, k] != 0:
                continue
            if level == 0 and not adjacent and node == net.queue[1 - k, 0]:
                continue
            distances[node, k] = level + 2
            queue[tail] = node
            tail += 1
            for j in range(n_sources):
                away = distances[node, j]
                if j != k and away > 0 and away != BLOCKED:
                    best = net.met[j, k]
                    if best == 0 or level + away < best:
                        net.met[j, k] = net.met[k, j] = level + away
    starts[level + 2] = tail
    return True


@kernel
def forget(net, n_sources, level):
    """Clear the distances of a search that took ``level`` steps."""
    for k in range(n_sources):
        for place in range(net.starts[k, level + 1]):
            net.distances[net.queue[k, place], k] = 0


@kernel
def add_ways(net, found, j, k, length, home):
    """Keep the rings made of every shortest way from source ``j`` to ``k``, closed by ``home``.

    Each way has one node half-way; ways are put together there. False without room.
    """
    half = (length + 1) // 2
    for place in range(net.starts[j, half], net.starts[j, half + 1]):
        middle = net.queue[j, place]
        if net.distances[middle, k] != length - half + 1:
            continue
        if net.rows[middle] < 0 and row_of(net, middle) < 0:
            return False
        net.paths[0, 0] = net.paths[1, 0] = middle
        net.slots[0, 0] = net.slots[0, half + 1] = 0
        while next_descent(net, net.paths[0], net.slots[0], half, j):
            net.slots[1, 0] = net.slots[1, length - half + 1] = 0
            while next_descent(net, net.paths[1], net.slots[1], length - half, k):
                size = 0
                if home >= 0:
                    net.ring[0] = home
                    size = 1
                for i in range(half, -1, -1):
                    net.ring[size] = net.paths[0, i]
                    size += 1
                for i in range(1, length - half + 1):
                    net.ring[size] = net.paths[1, i]
                    size += 1
                if not add_ring(net, found, size):
                    return False
    return True


@kernel
def add_origin(net, found, atom, size):
    """Note that an atom is the origin of a ring of that size; false without room."""
    count = net.state[ORIGINS]
    if count == found.origins.shape[0]:
        return False
    found.origins[count, 0], found.origins[count, 1] = atom, size
    net.state[ORIGINS] = count + 1
    return True


@kernel
def add_unresolved(net, found, centre, first, last):
    """Note a pair without a ring up to the largest size; false without room."""
    count = net.state[UNRESOLVED]
    if count == found.unresolved.shape[0]:
        return False
    found.unresolved[count] = (centre, net.keys[first] & ATOM, net.keys[last] & ATOM)
    net.state[UNRESOLVED] = count + 1
    return True


@kernel
def king(net, found, centres, skip, max_size):
    """Find the shortest rings through each pair of bonds of each centre; false without room.

    Centres to be skipped have two bonds: all their rings are found at a neighbour.
    """
    for centre in centres:
        if skip[centre]:
            continue
        home = node_of(net, HOME + centre)
        if home < 0 or (net.rows[home] < 0 and row_of(net, home) < 0):
            return False
        row = net.rows[home]
        n = 0
        while net.links[row + n] >= 0:
            net.queue[n, 0] = net.links[row + n]
            n += 1
        net.distances[home, :n] = BLOCKED
        level = meet(net, n, True, max_size - 2)
        if level < 0:
            return False
        for k in range(n):
            shortest = 0
            for j in range(n):
                length = net.lengths[j, k] if j != k else 0
                if length > 0 and (shortest == 0 or length < shortest):
                    shortest = length
                if j >= k:
                    continue
                source, target = net.queue[j, 0], net.queue[k, 0]
                if length > 0 and not (
                    add_ways(net, found, j, k, length, home)
                    and add_origin(net, found, centre, length + 2)
                ):
                    return False
                if length == -2 and not add_unresolved(net, found, centre, source, target):
                    return False
            neighbour = net.keys[net.queue[k, 0]] & ATOM
            spared = shortest > 0 and skip[neighbour]
            if spared and not add_origin(net, found, neighbour, shortest + 2):
                return False
        forget(net, n, level)
        net.distances[home, :n] = 0
    return True


@kernel
def guttman(net, found, atoms, bonds, max_size):
    """Find the shortest rings through each bond; false without room.

    A bond is given by its atom and its place in the list of bonds.
    """
    for b in range(atoms.size):
        home = node_of(net, HOME + atoms[b])
        if home < 0 or (net.rows[home] < 0 and row_of(net, home) < 0):
            return False
        other = net.links[net.rows[home] + bonds[b] - net.offsets[atoms[b]]]
        net.queue[0, 0], net.queue[1, 0] = home, other
        level = meet(net, 2, False, max_size - 1)
        if level < 0:
            return False
        length = net.lengths[0, 1]
        if length == -2 and not add_unresolved(net, found, atoms[b], home, other):
            return False
        if length > 0:
            if not add_ways(net, found, 0, 1, length, -1):
                return False
            for end in range(2):
                # Along atoms of two bonds, one bond stands for all.
                before, node = net.queue[1 - end, 0], net.queue[end, 0]
                for _ in range(length + 1):
                    atom = net.keys[node] & ATOM
                    if not add_origin(net, found, atom, length + 1):
                        return False
                    if net.offsets[atom + 1] - net.offsets[atom] != 2:
                        break
                    if net.rows[node] < 0 and row_of(net, node) < 0:
                        return False
                    at = net.rows[node]
                    after = net.links[at] if net.links[at] != before else net.links[at + 1]
                    before, node = node, after
        forget(net, 2, level)
    return True


# -- primitive rings: no shortcut between any two of their atoms -----------------------------------


@kernel
def ball_of(net, node, radius):
    """List the nodes within ``radius`` bonds of a node, nearest first; false without room."""
    balls, ends, seen, rows, links = net.balls, net.ball_ends, net.seen, net.rows, net.links
    net.state[TOKEN] += 1
    token = net.state[TOKEN]
    first = net.state[BALLS]
    if first == balls.size:
        return False
    balls[first] = node
    seen[node] = token
    begin, tail = first, first + 1
    for level in range(radius):
        end = tail
        for place in range(begin, end):
            at = rows[balls[place]]
            if at < 0:
                at = row_of(net, balls[place])
                if at < 0:
                    return False
            while links[at] >= 0:
                other = links[at]
                at += 1
                if seen[other] != token:
                    if tail == balls.size:
                        return False
                    seen[other] = token
                    balls[tail] = other
                    tail += 1
        begin = end
        ends[node, level + 1] = tail
    net.state[BALLS] = tail
    net.ball_starts[node] = first
    ends[node, 0] = first + 1
    return True


@kernel
def mark_path(net, length, radius, reach):
    """Mark what lies within ``radius`` bonds of each node of the first path; false without room.

    Each node has a bit, that of its level. :func:`clear_path` clears the marks.
    """
    for depth in range(length):
        node = net.paths[0, depth]
        if net.ball_ends[node, 0] == 0 and not ball_of(net, node, reach):
            return False
        bit = np.int64(1) << (length - depth)
        for place in range(net.ball_starts[node], net.ball_ends[node, radius]):
            net.marks[net.balls[place]] |= bit
    return True


@kernel
def clear_path(net, length, radius):
    """Take back the marks of the first path."""
    for depth in range(length):
        node = net.paths[0, depth]
        for place in range(net.ball_starts[node], net.ball_ends[node, radius]):
            net.marks[net.balls[place]] = 0


@kernel
def next_partner(net, length, odd, radius, reach):
    """Lead the second path down to the root so that no shortcut joins it to the first.

    An antipode on the first path lies at the level ``depth``, in odd rings at ``depth + 1`` too.
    Returns 1, or 0 if there is no other way, or -1 without room.
    """
    path, slots = net.paths[1], net.slots[1]
    rows, links, distances = net.rows, net.links, net.distances
    depth = slots[length + 1]
    while depth >= 0:
        node = path[depth]
        at = rows[node] + slots[depth]
        while links[at] >= 0 and distances[links[at], 1] != length - depth:
            at += 1
        if links[at] < 0:
            depth -= 1
            continue
        slots[depth] = at + 1 - rows[node]
        if depth + 1 == length:
            slots[length + 1] = depth
            return 1
        node = links[at]
        if net.ball_ends[node, 0] == 0 and not ball_of(net, node, reach):
            return -1
        if far_from_path(
            net.ball_starts[node], net.ball_ends[node, radius], net.balls, net.marks, depth + 1, odd
        ):
            depth += 1
            path[depth] = node
            slots[depth] = 0
    slots[length + 1] = -1
    return 0


@kernel
def far_from_path(first, last, balls, marks, depth, odd):
    """Tell whether a node of the second path has no shortcut to its antipodes on the first.

    The node is given by the range of its ball, the antipodes by their level.
    """
    bits = np.int64(1) << depth
    if odd:
        bits |= np.int64(1) << (depth + 1)
    for place in range(first, last):  # noqa: SIM110 (Numba compiles no generators)
        if marks[balls[place]] & bits:
            return False
    return True


@kernel
def add_primitive(net, found, top, other, length, step, reach):
    """Keep the primitive rings from the root to ``top`` and back, from ``other`` if they differ.

    A shortcut is at least ``step`` bonds shorter than the way along the ring. False without room.
    """
    odd = other != top
    near = (length - step) // 2
    net.paths[0, 0], net.paths[1, 0] = top, other
    net.slots[0, 0] = net.slots[0, length + 1] = 0
    while next_descent(net, net.paths[0], net.slots[0], length, 1):
        if not mark_path(net, length, near, reach):
            return False
        # Ways that part at the top are met in one order only.
        net.slots[1, 0] = 0 if odd else net.slots[0, 0]
        net.slots[1, length + 1] = 0
        far = length - step - near
        if net.ball_ends[other, 0] == 0 and not ball_of(net, other, reach):
            return False
        fits = 1
        if odd:
            first, last = net.ball_starts[other], net.ball_ends[other, far]
            fits = int(far_from_path(first, last, net.balls, net.marks, 0, True))
        while fits > 0:
            fits = next_partner(net, length, odd, far, reach)
            if fits > 0:
                size = 0
                for i in range(length, -1, -1):
                    net.ring[size] = net.paths[0, i]
                    size += 1
                for i in range(0 if odd else 1, length):
                    net.ring[size] = net.paths[1, i]
                    size += 1
                if not add_ring(net, found, size):
                    return False
        clear_path(net, length, near)
        if fits < 0:
            return False
    return True


@kernel
def primitive(net, found, roots, is_root, max_size, step):
    """Find the primitive rings whose first root each root is; false without room."""
    reach = max_size // 2 // 2 + 1
    for root in roots:
        home = node_of(net, HOME + root)
        if home < 0 or not levels_of(net, home, root, is_root, max_size // 2):
            return False
        for level in range(1, max_size // 2 + 1):
            for place in range(net.starts[0, level], net.starts[0, level + 1]):
                top = net.queue[0, place]
                if net.distances[top, 1] == 0:
                    continue
                if net.rows[top] < 0 and row_of(net, top) < 0:
                    return False
                row = net.rows[top]
                below = 0
                while net.links[row] >= 0:
                    other = net.links[row]
                    row += 1
                    below += net.distances[other, 1] == level
                    beside = other > top and net.distances[other, 1] == level + 1
                    if beside and 2 * level + 1 <= max_size:
                        if net.rows[other] < 0 and row_of(net, other) < 0:
                            return False
                        if not add_primitive(net, found, top, other, level, step, reach):
                            return False
                if below > 1 and not add_primitive(net, found, top, top, level, step, reach):
                    return False
        for place in range(net.starts[0, max_size // 2 + 1]):
            net.distances[net.queue[0, place], :2] = 0
    return True


@kernel
def levels_of(net, home, root, is_root, depth):
    """Find the distances from a root and, second, those along ways that avoid earlier roots."""
    queue, distances, rows, links = net.queue[0], net.distances, net.rows, net.links
    queue[0] = home
    distances[home, :2] = 1
    net.starts[0, 0], net.starts[0, 1] = 0, 1
    tail = 1
    for level in range(depth):
        for place in range(net.starts[0, level], net.starts[0, level + 1]):
            at = rows[queue[place]]
            if at < 0:
                at = row_of(net, queue[place])
                if at < 0:
                    return False
            free = distances[queue[place], 1] > 0
            while links[at] >= 0:
                node = links[at]
                at += 1
                if distances[node, 0] == 0:
                    distances[node, 0] = level + 2
                    queue[tail] = node
                    tail += 1
                if free and distances[node, 0] == level + 2:
                    atom = net.keys[node] & ATOM
                    if not is_root[atom] or atom >= root:
                        distances[node, 1] = level + 2
        net.starts[0, level + 2] = tail
    return True


# -- each ring once --------------------------------------------------------------------------------


@kernel
def precedes(ring, start, step, other_start, other_step):
    """Tell whether one way of reading a ring comes before another; each begins at home."""
    size = ring.size
    shift = (ring[start] >> CELL) << CELL
    other_shift = (ring[other_start] >> CELL) << CELL
    i, j = start, other_start
    for _ in range(size):
        a, b = ring[i] - shift, ring[j] - other_shift
        if a != b:
            if (a & ATOM) != (b & ATOM):
                return (a & ATOM) < (b & ATOM)
            return a < b
        i += step
        i += size if i < 0 else (-size if i >= size else 0)
        j += other_step
        j += size if j < 0 else (-size if j >= size else 0)
    return False


@parallel_kernel
def canonical(keys, ends, out):
    """Read each ring from its first atom, in the home cell, towards the smaller neighbour."""
    for k in prange(ends.size - 1):
        ring = keys[ends[k] : ends[k + 1]]
        size = ring.size
        lowest = ring[0] & ATOM
        for i in range(1, size):
            lowest = min(lowest, ring[i] & ATOM)
        best, best_step = -1, 1
        for start in range(size):
            if (ring[start] & ATOM) == lowest:
                for step in (1, -1):
                    if best < 0 or precedes(ring, start, step, best, best_step):
                        best, best_step = start, step
        shift = ((ring[best] >> CELL) << CELL) - HOME
        i = best
        for place in range(ends[k], ends[k + 1]):
            out[place] = ring[i] - shift
            i += best_step
            i += size if i < 0 else (-size if i >= size else 0)


@kernel
def compare(keys, ends, one, other):
    """Compare two rings by size, then atom by atom, as -1, 0 or 1."""
    a, b = ends[one], ends[other]
    size, other_size = ends[one + 1] - a, ends[other + 1] - b
    if size != other_size:
        return -1 if size < other_size else 1
    for k in range(size):
        if keys[a + k] != keys[b + k]:
            return -1 if keys[a + k] < keys[b + k] else 1
    return 0


@kernel
def unique(keys, ends, by_atom, starts):
    """Choose each different ring once, ordered by first atom, size and content.

    ``by_atom`` lists the rings by their first atom, whose lists begin at ``starts``. Returns how
    many there are; they come first in ``by_atom``.
    """
    count = 0
    for atom in range(starts.size - 1):
        begin = count
        for place in range(starts[atom], starts[atom + 1]):
            ring = by_atom[place]
            low, high = begin, count
            new = True
            while low < high:
                middle = (low + high) // 2
                order = compare(keys, ends, ring, by_atom[middle])
                if order == 0:
                    new = False
                    break
                if order < 0:
                    high = middle
                else:
                    low = middle + 1
            if new:
                # Places up to `place` have been read, and `count` never overtakes it.
                for k in range(count, low, -1):
                    by_atom[k] = by_atom[k - 1]
                by_atom[low] = ring
                count += 1
    return count
