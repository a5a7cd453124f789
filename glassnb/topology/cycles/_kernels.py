"""Compiled loops behind cycles: the tree of cavities, and shortest paths in space."""

import numpy as np

from glassnb.core.jit import kernel


@kernel
def _find(up, moves, node, place):
    """Return the root of a node, put its cell relative to the root in ``place``, shorten the way.

    ``moves`` are the cells of nodes relative to those that ``up`` points at.
    """
    top = node
    place[:] = 0
    while up[top] != top:
        place += moves[top]
        top = up[top]
    x, y, z = place
    at = node
    while at != top:
        following = up[at]
        u, v, w = moves[at]
        up[at] = top
        moves[at, 0], moves[at, 1], moves[at, 2] = x, y, z
        x, y, z = x - u, y - v, z - w
        at = following
    return top


@kernel
def merge_tree(cofaces, hops, killers, parents, slots, sizes, lifts, wound, starts, order):
    """Join tetrahedra through triangles in falling order, and remember where each one lies.

    ``cofaces`` are the two tetrahedra at each triangle, -1 for the outside, which is the last of
    the nodes; ``hops`` are the cells of the second where the first lies in its own. For every node:
    ``killers`` is the triangle that closes its void off, ``parents`` the void that it then leaves,
    ``sizes`` the number of nodes of its void, ``slots`` where it begins within that of its parent,
    ``lifts`` its cell, and ``wound`` the triangle at which its void met an image of itself, or -1.
    ``order`` lists the nodes such that each void is a slice from its root at ``starts`` on, which
    holds what joined it in the order of joining.
    """
    n = killers.size
    up = np.arange(n)
    moves = np.zeros((n, 3), dtype=np.int64)
    children = np.empty(n, dtype=np.int64)
    here, there = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    merged = 0
    killers[:] = -1
    parents[:] = -1
    slots[:] = 0
    sizes[:] = 1
    lifts[:] = 0
    wound[:] = -1
    for f in range(cofaces.shape[0] - 1, -1, -1):
        p = _find(up, moves, cofaces[f, 0], here)
        q = _find(up, moves, cofaces[f, 1] if cofaces[f, 1] >= 0 else n - 1, there)
        step = hops[f] + here - there  # from root to root
        if p == q:
            if wound[p] < 0 and (step[0] != 0 or step[1] != 0 or step[2] != 0):
                wound[p] = f
            continue
        child, parent = q, p
        if p < q:
            child, parent = p, q
            step = -step
        up[child] = parent
        moves[child] = step
        lifts[child] = step
        killers[child] = f
        parents[child] = parent
        slots[child] = sizes[parent]
        sizes[parent] += sizes[child]
        if wound[child] >= 0 and wound[parent] < 0:
            wound[parent] = f
        children[merged] = child
        merged += 1
    filled = 0
    for t in range(n):
        if parents[t] < 0:
            starts[t] = filled
            order[filled] = t
            filled += sizes[t]
    for k in range(merged - 1, -1, -1):  # parents before their children
        child = children[k]
        starts[child] = starts[parents[child]] + slots[child]
        order[starts[child]] = child
        lifts[child] += lifts[parents[child]]


@kernel
def _slot(table, atoms, lifts, atom, x, y, z):
    """Return where a vertex stands, or where it may be put, in a table of hashes."""
    mask = table.size - 1
    at = (atom * 73856093 ^ x * 19349663 ^ y * 83492791 ^ z * 39916801) & mask
    while table[at] >= 0:
        k = table[at]
        if atoms[k] == atom and lifts[k, 0] == x and lifts[k, 1] == y and lifts[k, 2] == z:
            break
        at = (at + 1) & mask
    return at


@kernel
def shortest_path(
    starts, ends, rows, hops, lengths, points, cell, first, last, lift, limit, centre, radius
):  # fmt: skip
    """Find the path of fewest edges from an atom to another one in the cell ``lift``.

    ``ends``, ``rows``, ``hops`` and ``lengths`` are the edges at each atom in rising order of their
    rows; those from ``limit`` on are closed, and so is all that lies farther than ``radius`` from
    ``centre``. Of paths with equally many edges the shortest counts. Returns atoms and cells from
    ``last`` back to ``first``; none if there is no path.
    """
    atoms = np.empty(256, dtype=np.int64)
    lifts = np.empty((256, 3), dtype=np.int64)
    origin = np.empty(256, dtype=np.int64)
    depth = np.empty(256, dtype=np.int64)
    length = np.empty(256)
    table = np.full(1024, -1, dtype=np.int64)
    atoms[0], depth[0], origin[0], length[0] = first, 0, -1, 0.0
    lifts[0] = 0
    table[_slot(table, atoms, lifts, first, 0, 0, 0)] = 0
    n, at, target = 1, 0, -1
    while at < n and (target < 0 or depth[at] < depth[target]):
        atom = atoms[at]
        for k in range(starts[atom], starts[atom + 1]):
            if rows[k] >= limit:
                break
            other = ends[k]
            x, y, z = (
                lifts[at, 0] + hops[k, 0],
                lifts[at, 1] + hops[k, 1],
                lifts[at, 2] + hops[k, 2],
            )
            slot = _slot(table, atoms, lifts, other, x, y, z)
            known = table[slot]
            far = length[at] + lengths[k]
            if known >= 0:
                if depth[known] == depth[at] + 1 and far < length[known]:
                    length[known], origin[known] = far, at
                continue
            square = 0.0
            for c in range(3):
                place = points[other, c] + x * cell[0, c] + y * cell[1, c] + z * cell[2, c]
                square += (place - centre[c]) ** 2
            if square > radius * radius:
                continue
            if n == atoms.size:
                atoms = np.concatenate((atoms, np.empty_like(atoms)))
                lifts = np.concatenate((lifts, np.empty_like(lifts)))
                origin = np.concatenate((origin, np.empty_like(origin)))
                depth = np.concatenate((depth, np.empty_like(depth)))
                length = np.concatenate((length, np.empty_like(length)))
                table = np.full(4 * atoms.size, -1, dtype=np.int64)
                for i in range(n):
                    table[_slot(table, atoms, lifts, atoms[i], lifts[i, 0], lifts[i, 1],
                                lifts[i, 2])] = i  # fmt: skip
                slot = _slot(table, atoms, lifts, other, x, y, z)
            table[slot] = n
            atoms[n], origin[n], depth[n], length[n] = other, at, depth[at] + 1, far
            lifts[n, 0], lifts[n, 1], lifts[n, 2] = x, y, z
            if other == last and x == lift[0] and y == lift[1] and z == lift[2]:
                target = n
            n += 1
        at += 1
    steps = 0 if target < 0 else depth[target] + 1
    path, cells = np.empty(steps, dtype=np.int64), np.empty((steps, 3), dtype=np.int64)
    for k in range(steps):
        path[k] = atoms[target]
        cells[k] = lifts[target]
        target = origin[target]
    return path, cells
