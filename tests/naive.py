"""Slow, plain twins of the compiled kernels, written from the definitions alone."""

import itertools

import numpy as np
from ase.geometry import complete_cell


def pairs(atoms, cutoff):
    """All (i, j, image, distance) closer than the cutoff, by trying every image."""
    cell = complete_cell(np.asarray(atoms.cell))
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    spread = np.ceil(np.abs(np.ptp(atoms.positions @ np.linalg.inv(cell), axis=0)))
    reach = [int(np.ceil(cutoff / h) + s) if p else 0
             for h, s, p in zip(heights, spread, atoms.pbc, strict=True)]  # fmt: skip
    found = []
    for image in itertools.product(*(range(-n, n + 1) for n in reach)):
        difference = atoms.positions[None] + image @ cell - atoms.positions[:, None]
        distance = np.linalg.norm(difference, axis=2)
        for i, j in np.argwhere(distance < cutoff):
            if i != j or any(image):
                found.append((int(i), int(j), tuple(image), float(distance[i, j])))
    return sorted(found)


def histogram(atoms, r_max, n_bins, symbols):
    """Counts of ordered pairs by species and distance."""
    counts = np.zeros((len(symbols), len(symbols), n_bins), dtype=int)
    names = atoms.get_chemical_symbols()
    for i, j, _, distance in pairs(atoms, r_max):
        bin_ = int(distance / r_max * n_bins)
        counts[symbols.index(names[i]), symbols.index(names[j]), bin_] += 1
    return counts


def amplitude(positions, q_vectors):
    """sum_j exp(i q.r_j)."""
    return np.exp(1j * positions @ q_vectors.T).sum(axis=0)


# -- rings, from their definitions; a net is a function from (atom, cell) to its neighbours ------


def net_of(found):
    """Neighbours in the infinite net."""

    def neighbours(node):
        atom, cell = node
        rows = range(found.offsets[atom], found.offsets[atom + 1])
        return [
            (
                int(found.indices[k]),
                tuple(c + int(s) for c, s in zip(cell, found.images[k], strict=True)),
            )
            for k in rows
        ]

    return neighbours


def distances_in(net, source, reach, removed=None, cut=frozenset()):
    """Bonds from a node to all within reach, without a node or a bond."""
    known, front = {source: 0}, [source]
    for step in range(1, reach + 1):
        front = [
            other
            for node in front
            for other in net(node)
            if other not in known and other != removed and {node, other} != cut
            and known.setdefault(other, step) == step
        ]  # fmt: skip
    return known


def shortest_ways(net, first, last, reach, removed=None, cut=frozenset()):
    """All shortest ways from a node to another, as tuples of nodes."""
    known = distances_in(net, first, reach, removed, cut)
    if last not in known:
        return []
    ways = [(last,)]
    while ways[0][0] != first:
        ways = [
            (node, *way)
            for way in ways
            for node in net(way[0])
            if known.get(node, -1) == known[way[0]] - 1 and {node, way[0]} != cut
        ]
    return ways


def standard_ring(nodes):
    """One name for all ways to read a ring, anywhere in the net."""
    names = []
    for start in range(len(nodes)):
        for step in (1, -1):
            read = [nodes[(start + step * k) % len(nodes)] for k in range(len(nodes))]
            origin = read[0][1]
            names.append(
                tuple(
                    (a, tuple(c - o for c, o in zip(cell, origin, strict=True))) for a, cell in read
                )
            )
    return min(names)


def king(net, n_atoms, max_size):
    rings = set()
    for atom in range(n_atoms):
        centre = (atom, (0, 0, 0))
        for first, last in itertools.combinations(net(centre), 2):
            for way in shortest_ways(net, first, last, max_size - 2, removed=centre):
                rings.add(standard_ring((centre, *way)))
    return rings


def guttman(net, n_atoms, max_size):
    rings = set()
    for atom in range(n_atoms):
        home = (atom, (0, 0, 0))
        for other in net(home):
            for way in shortest_ways(net, home, other, max_size - 1, cut={home, other}):
                rings.add(standard_ring(way))
    return rings


def primitive(net, n_atoms, max_size):
    """Try every closed way, and look at every pair of its nodes."""
    rings, tables = set(), {}

    def distance(a, b):
        shift = tuple(q - p for p, q in zip(a[1], b[1], strict=True))
        if a[0] not in tables:
            tables[a[0]] = distances_in(net, (a[0], (0, 0, 0)), max_size // 2)
        return tables[a[0]].get((b[0], shift), max_size)

    def follow(way):
        if len(way) > 2 and way[0] in net(way[-1]):
            size = len(way)
            if all(
                distance(way[i], way[j]) == min(j - i, size - j + i)
                for i, j in itertools.combinations(range(size), 2)
            ):
                rings.add(standard_ring(way))
        if len(way) < max_size:
            for node in net(way[-1]):
                # A ring leads away from its start and back; no way may close before.
                if node not in way and distance(way[0], node) <= min(len(way), max_size - len(way)):
                    follow((*way, node))

    for atom in range(n_atoms):
        follow(((atom, (0, 0, 0)),))
    return rings
