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


@parallel_kernel
def ring_surroundings(
    centres, centre_bins, centre_moved, axes, own_offsets, own_indices, own_images, positions,
    species, starts, n_bins, reach, cell, order, moved, r_max, n, n_species, cone, disc, keep_own,
    n_chunks,
):  # fmt: skip
    """Count the atoms around rings, seen in the frame of each ring.

    Atoms come sorted by bin as in the neighbour search, the cell is periodic, and ``centres`` are
    wrapped. ``own_*`` list the atoms of each ring, with the cells in which they lie. Species
    below 0 are passed over. Returns counts by species and (|x|, |y|, |z|), by species and
    (distance from the normal, |z|), and by species and distance: all atoms, those near the
    normal, those near the plane, and the sum of cos^2 in units of 2^-30, so that sums of integers
    do not depend on their order.
    """
    n0, n1, n2 = n_bins[0], n_bins[1], n_bins[2]
    scale = n / r_max
    boxes = np.zeros((n_chunks, n_species, n, n, n), dtype=np.int64)
    tubes = np.zeros((n_chunks, n_species, n, n), dtype=np.int64)
    shells = np.zeros((n_chunks, n_species, 4, n), dtype=np.int64)
    for chunk in prange(n_chunks):
        for ring in range(chunk, centres.shape[0], n_chunks):
            own_first, own_last = own_offsets[ring], own_offsets[ring + 1]
            a, b, c = axes[ring, 0], axes[ring, 1], axes[ring, 2]
            ax, ay, az = a[0], a[1], a[2]
            bx, by, bz = b[0], b[1], b[2]
            cx, cy, cz = c[0], c[1], c[2]
            low, high = centre_bins[ring, 2] - reach[2], centre_bins[ring, 2] + reach[2]
            for b0 in range(centre_bins[ring, 0] - reach[0], centre_bins[ring, 0] + reach[0] + 1):
                i0 = b0 // n0
                for b1 in range(
                    centre_bins[ring, 1] - reach[1], centre_bins[ring, 1] + reach[1] + 1
                ):
                    i1 = b1 // n1
                    column = ((b0 - i0 * n0) * n1 + (b1 - i1 * n1)) * n2
                    for i2 in range(low // n2, high // n2 + 1):
                        first = max(low - i2 * n2, 0)
                        last = min(high - i2 * n2, n2 - 1)
                        dx = i0 * cell[0, 0] + i1 * cell[1, 0] + i2 * cell[2, 0] - centres[ring, 0]
                        dy = i0 * cell[0, 1] + i1 * cell[1, 1] + i2 * cell[2, 1] - centres[ring, 1]
                        dz = i0 * cell[0, 2] + i1 * cell[1, 2] + i2 * cell[2, 2] - centres[ring, 2]
                        for t in range(starts[column + first], starts[column + last + 1]):
                            ux = positions[t, 0] + dx
                            uy = positions[t, 1] + dy
                            uz = positions[t, 2] + dz
                            x = abs(ax * ux + ay * uy + az * uz)
                            y = abs(bx * ux + by * uy + bz * uz)
                            z = abs(cx * ux + cy * uy + cz * uz)
                            kx, ky, kz = int(x * scale), int(y * scale), int(z * scale)
                            s = species[t]
                            if s < 0 or kx >= n or ky >= n or kz >= n:
                                continue
                            own = False
                            if not keep_own:
                                m0 = i0 - moved[t, 0] + centre_moved[ring, 0]
                                m1 = i1 - moved[t, 1] + centre_moved[ring, 1]
                                m2 = i2 - moved[t, 2] + centre_moved[ring, 2]
                                for e in range(own_first, own_last):
                                    if (
                                        own_indices[e] == order[t]
                                        and own_images[e, 0] == m0
                                        and own_images[e, 1] == m1
                                        and own_images[e, 2] == m2
                                    ):
                                        own = True
                                        break
                            if own:
                                continue
                            boxes[chunk, s, kx, ky, kz] += 1
                            rho = np.sqrt(x * x + y * y)
                            k = int(rho * scale)
                            if k >= n:
                                continue
                            tubes[chunk, s, k, kz] += 1
                            r2 = rho * rho + z * z
                            r = np.sqrt(r2)
                            k = int(r * scale)
                            if k >= n:
                                continue
                            cos2 = z * z / r2 if r2 > 0.0 else 1.0 / 3.0
                            shells[chunk, s, 0, k] += 1
                            if z > cone * r:
                                shells[chunk, s, 1, k] += 1
                            if z < disc * r:
                                shells[chunk, s, 2, k] += 1
                            shells[chunk, s, 3, k] += int(cos2 * 1073741824.0 + 0.5)
    return boxes.sum(axis=0), tubes.sum(axis=0), shells.sum(axis=0)
