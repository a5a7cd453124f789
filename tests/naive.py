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
