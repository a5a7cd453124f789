"""Compiled loops over bonds."""

import numpy as np
from numba import prange

from glassnb.core.jit import parallel_kernel


@parallel_kernel
def angle_cosines(vectors, species, offsets, first, last, out_offsets, cosines, fill):
    """Count (``fill`` false: into ``out_offsets[1:]``) or compute cosines between bonds.

    ``vectors`` and ``species`` belong to the bonds of the centres in ``offsets``; the ends of an
    angle have species ``first`` and ``last``, and each pair of bonds gives one angle.
    """
    for i in prange(offsets.size - 1):
        at = out_offsets[i]
        found = 0
        for j in range(offsets[i], offsets[i + 1]):
            for k in range(j + 1, offsets[i + 1]):
                one_way = species[j] == first and species[k] == last
                other_way = species[k] == first and species[j] == last
                if one_way or other_way:
                    if fill:
                        u, v = vectors[j], vectors[k]
                        dot = u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
                        uu = u[0] * u[0] + u[1] * u[1] + u[2] * u[2]
                        vv = v[0] * v[0] + v[1] * v[1] + v[2] * v[2]
                        cosines[at + found] = dot / np.sqrt(uu * vv)
                    found += 1
        if not fill:
            out_offsets[i + 1] = found


@parallel_kernel
def tetrahedral_order(vectors, distances, offsets, order):
    """Errington-Debenedetti parameter from the four nearest neighbours; NaN with fewer."""
    for i in prange(offsets.size - 1):
        start, end = offsets[i], offsets[i + 1]
        if end - start < 4:
            order[i] = np.nan
            continue
        nearest = start + np.argsort(distances[start:end])[:4]
        total = 0.0
        for j in range(3):
            for k in range(j + 1, 4):
                u, v = vectors[nearest[j]], vectors[nearest[k]]
                dot = u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
                uu = u[0] * u[0] + u[1] * u[1] + u[2] * u[2]
                vv = v[0] * v[0] + v[1] * v[1] + v[2] * v[2]
                total += (dot / np.sqrt(uu * vv) + 1.0 / 3.0) ** 2
        order[i] = 1.0 - 3.0 / 8.0 * total
