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


@parallel_kernel
def ring_shapes(points, offsets, centres, values, axes, perimeter, area):
    """Singular values and axes of each ring's centred points, and size of its polygon.

    One-sided Jacobi rotations (Demmel and Veselic, SIAM J. Matrix Anal. Appl. 13, 1204 (1992))
    turn the columns until they are orthogonal: exact for small values too.
    """
    for ring in prange(offsets.size - 1):
        first, size = offsets[ring], offsets[ring + 1] - offsets[ring]
        x = np.empty((size, 3))
        centre, turned = centres[ring], np.eye(3)
        centre[:] = 0.0
        for k in range(size):
            for c in range(3):
                centre[c] += points[first + k, c] / size
        for k in range(size):
            for c in range(3):
                x[k, c] = points[first + k, c] - centre[c]
        around, across = 0.0, np.zeros(3)
        for k in range(size):
            u, v = x[k], x[(k + 1) % size]
            step = np.sqrt((v[0] - u[0]) ** 2 + (v[1] - u[1]) ** 2 + (v[2] - u[2]) ** 2)
            around += step
            across[0] += u[1] * v[2] - u[2] * v[1]
            across[1] += u[2] * v[0] - u[0] * v[2]
            across[2] += u[0] * v[1] - u[1] * v[0]
        for _ in range(30):
            largest = 0.0
            for p in range(2):
                for q in range(p + 1, 3):
                    pp, qq, pq = 0.0, 0.0, 0.0
                    for k in range(size):
                        pp += x[k, p] * x[k, p]
                        qq += x[k, q] * x[k, q]
                        pq += x[k, p] * x[k, q]
                    if pq == 0.0 or pq * pq <= 1e-32 * pp * qq:
                        continue
                    largest = 1.0
                    zeta = (qq - pp) / (2.0 * pq)
                    t = 1.0 / (abs(zeta) + np.sqrt(1.0 + zeta * zeta))
                    t = t if zeta >= 0 else -t
                    c = 1.0 / np.sqrt(1.0 + t * t)
                    s = c * t
                    for k in range(size):
                        one, other = x[k, p], x[k, q]
                        x[k, p], x[k, q] = c * one - s * other, s * one + c * other
                    for k in range(3):
                        one, other = turned[k, p], turned[k, q]
                        turned[k, p], turned[k, q] = c * one - s * other, s * one + c * other
            if largest == 0.0:
                break
        norms = np.zeros(3)
        for k in range(size):
            for c in range(3):
                norms[c] += x[k, c] * x[k, c]
        order = np.argsort(-norms)
        for c in range(3):
            values[ring, c] = np.sqrt(norms[order[c]])
            for k in range(3):
                axes[ring, c, k] = turned[k, order[c]]
        a, b, n = axes[ring, 0], axes[ring, 1], axes[ring, 2]
        n[0] = a[1] * b[2] - a[2] * b[1]
        n[1] = a[2] * b[0] - a[0] * b[2]
        n[2] = a[0] * b[1] - a[1] * b[0]
        perimeter[ring] = around
        area[ring] = abs(across[0] * n[0] + across[1] * n[1] + across[2] * n[2]) / 2.0
