"""Compiled loops of the ground floor: neighbour search, pair histograms, centres of spheres.

Arrays in, arrays out; the modules beside this one validate, name and explain.
"""

import numpy as np
from numba import prange

from glassnb.core.jit import parallel_kernel

EDGE = 1e-7  # of a bin: distances on an edge count in the outer bin, however they were rounded
TILE = 512  # pairs whose distances are computed together, so that the compiler vectorises


@parallel_kernel
def neighbour_search(
    positions, species, bins, starts, n_bins, reach, periodic, cell, order, moved, cutoffs2,
    offsets, indices, images, distances, fill,
):  # fmt: skip
    """Count (``fill`` false: into ``offsets[1:]``) or list the neighbours of every atom.

    ``order`` and ``moved`` lead from the sorted, wrapped atoms back to the atoms as given.

    Atoms come sorted by bin. Bins along the third axis lie next to each other in memory, so the
    search runs over columns of bins; ``reach`` bins each way are looked at, and a bin index
    outside the cell is an image of the cell (or nothing, where the cell is not periodic).
    """
    n_atoms = positions.shape[0]
    n0, n1, n2 = n_bins[0], n_bins[1], n_bins[2]
    for s in prange(n_atoms):
        x, y, z = positions[s, 0], positions[s, 1], positions[s, 2]
        limits = cutoffs2[species[s]]
        found = 0
        row = order[s]
        at = offsets[row]
        low, high = bins[s, 2] - reach[2], bins[s, 2] + reach[2]
        if not periodic[2]:
            low, high = max(low, 0), min(high, n2 - 1)
        for b0 in range(bins[s, 0] - reach[0], bins[s, 0] + reach[0] + 1):
            i0 = b0 // n0
            if i0 != 0 and not periodic[0]:
                continue
            for b1 in range(bins[s, 1] - reach[1], bins[s, 1] + reach[1] + 1):
                i1 = b1 // n1
                if i1 != 0 and not periodic[1]:
                    continue
                column = ((b0 - i0 * n0) * n1 + (b1 - i1 * n1)) * n2
                for i2 in range(low // n2, high // n2 + 1):
                    first = max(low - i2 * n2, 0)
                    last = min(high - i2 * n2, n2 - 1)
                    dx = i0 * cell[0, 0] + i1 * cell[1, 0] + i2 * cell[2, 0] - x
                    dy = i0 * cell[0, 1] + i1 * cell[1, 1] + i2 * cell[2, 1] - y
                    dz = i0 * cell[0, 2] + i1 * cell[1, 2] + i2 * cell[2, 2] - z
                    home = i0 == 0 and i1 == 0 and i2 == 0
                    for t in range(starts[column + first], starts[column + last + 1]):
                        ux = positions[t, 0] + dx
                        uy = positions[t, 1] + dy
                        uz = positions[t, 2] + dz
                        r2 = ux * ux + uy * uy + uz * uz
                        if r2 < limits[species[t]] and not (home and t == s):
                            if fill:
                                indices[at + found] = order[t]
                                images[at + found, 0] = i0 + moved[s, 0] - moved[t, 0]
                                images[at + found, 1] = i1 + moved[s, 1] - moved[t, 1]
                                images[at + found, 2] = i2 + moved[s, 2] - moved[t, 2]
                                distances[at + found] = np.sqrt(r2)
                            found += 1
        if not fill:
            offsets[row + 1] = found


@parallel_kernel
def histogram_by_bins(
    positions, species, bins, starts, n_bins, reach, periodic, cell, r_max, n_r, n_species, n_chunks
):
    """Histogram of distances below ``r_max`` per ordered pair of species, from a cell list."""
    n_atoms = positions.shape[0]
    n0, n1, n2 = n_bins[0], n_bins[1], n_bins[2]
    scale = n_r / r_max
    counts = np.zeros((n_chunks, n_species, n_species, n_r), dtype=np.int64)
    for chunk in prange(n_chunks):
        for s in range(chunk, n_atoms, n_chunks):
            x, y, z = positions[s, 0], positions[s, 1], positions[s, 2]
            low, high = bins[s, 2] - reach[2], bins[s, 2] + reach[2]
            if not periodic[2]:
                low, high = max(low, 0), min(high, n2 - 1)
            for b0 in range(bins[s, 0] - reach[0], bins[s, 0] + reach[0] + 1):
                i0 = b0 // n0
                if i0 != 0 and not periodic[0]:
                    continue
                for b1 in range(bins[s, 1] - reach[1], bins[s, 1] + reach[1] + 1):
                    i1 = b1 // n1
                    if i1 != 0 and not periodic[1]:
                        continue
                    column = ((b0 - i0 * n0) * n1 + (b1 - i1 * n1)) * n2
                    for i2 in range(low // n2, high // n2 + 1):
                        first = max(low - i2 * n2, 0)
                        last = min(high - i2 * n2, n2 - 1)
                        dx = i0 * cell[0, 0] + i1 * cell[1, 0] + i2 * cell[2, 0] - x
                        dy = i0 * cell[0, 1] + i1 * cell[1, 1] + i2 * cell[2, 1] - y
                        dz = i0 * cell[0, 2] + i1 * cell[1, 2] + i2 * cell[2, 2] - z
                        home = i0 == 0 and i1 == 0 and i2 == 0
                        for t in range(starts[column + first], starts[column + last + 1]):
                            ux = positions[t, 0] + dx
                            uy = positions[t, 1] + dy
                            uz = positions[t, 2] + dz
                            k = int(np.sqrt(ux * ux + uy * uy + uz * uz) * scale + EDGE)
                            if k < n_r and not (home and t == s):
                                counts[chunk, species[s], species[t], k] += 1
    return counts.sum(axis=0)


@parallel_kernel
def histogram_all_pairs(fractional, block_starts, metric, periodic, r_max, n_r, n_chunks):
    """Histogram of minimum-image distances below ``r_max`` per pair of species.

    Valid up to half the smallest height of the cell, where the nearest image is the rounded one.
    Atoms come sorted by species (``block_starts``), coordinates as three rows. Each pair is
    counted once, at ``[a, b]`` with ``a <= b``. Pairs beyond ``r_max`` are counted in turn in the
    last 16 bins: half of all pairs in one bin would make each addition wait for the one before.
    """
    n_species = block_starts.size - 1
    n_atoms = fractional.shape[1]
    scale = n_r / r_max
    top = float(n_r)
    counts = np.zeros((n_chunks, n_species, n_species, n_r + 16), dtype=np.int64)
    p0, p1, p2 = periodic[0], periodic[1], periodic[2]
    g00, g11, g22 = metric[0, 0], metric[1, 1], metric[2, 2]
    g01, g02, g12 = 2 * metric[0, 1], 2 * metric[0, 2], 2 * metric[1, 2]
    for chunk in prange(n_chunks):
        k_of_pair = np.empty(TILE, dtype=np.int32)
        for i in range(chunk, n_atoms, n_chunks):
            a = np.searchsorted(block_starts, i, side="right") - 1
            s0, s1, s2 = fractional[0, i], fractional[1, i], fractional[2, i]
            for b in range(a, n_species):
                histogram = counts[chunk, a, b]
                for j in range(max(i + 1, block_starts[b]), block_starts[b + 1], TILE):
                    end = min(j + TILE, block_starts[b + 1])
                    f0, f1, f2 = fractional[0, j:end], fractional[1, j:end], fractional[2, j:end]
                    for t in range(f0.size):
                        d0, d1, d2 = f0[t] - s0, f1[t] - s1, f2[t] - s2
                        d0 -= p0 * np.floor(d0 + 0.5)
                        d1 -= p1 * np.floor(d1 + 0.5)
                        d2 -= p2 * np.floor(d2 + 0.5)
                        r2 = d0 * (g00 * d0 + g01 * d1 + g02 * d2) + d1 * (g11 * d1 + g12 * d2)
                        k = np.sqrt(r2 + g22 * d2 * d2) * scale + EDGE
                        k_of_pair[t] = np.int32(k if k < top else top + (t & 15))
                    for t in range(f0.size):
                        histogram[k_of_pair[t]] += 1
    return counts.sum(axis=0)


@parallel_kernel
def power_centres(points, weights, tetrahedra, flat, centres, powers, volumes):
    """Find the point of equal power to four weighted points, that power, and six times the volume.

    Tetrahedra get NaN for centre and power if six times their volume over the cube of the longest
    edge is no more than ``flat``.
    """
    for t in prange(tetrahedra.shape[0]):
        corner = points[tetrahedra[t, 0]]
        w0 = weights[tetrahedra[t, 0]]
        u = points[tetrahedra[t, 1]] - corner
        v = points[tetrahedra[t, 2]] - corner
        w = points[tetrahedra[t, 3]] - corner
        uu = u[0] * u[0] + u[1] * u[1] + u[2] * u[2]
        vv = v[0] * v[0] + v[1] * v[1] + v[2] * v[2]
        ww = w[0] * w[0] + w[1] * w[1] + w[2] * w[2]
        v_w = np.array(
            (v[1] * w[2] - v[2] * w[1], v[2] * w[0] - v[0] * w[2], v[0] * w[1] - v[1] * w[0])
        )
        w_u = np.array(
            (w[1] * u[2] - w[2] * u[1], w[2] * u[0] - w[0] * u[2], w[0] * u[1] - w[1] * u[0])
        )
        u_v = np.array(
            (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
        )
        det = u[0] * v_w[0] + u[1] * v_w[1] + u[2] * v_w[2]
        longest = max(uu, vv, ww)
        volumes[t] = abs(det)
        if not abs(det) > flat * longest * np.sqrt(longest):
            powers[t] = np.nan
            centres[t] = np.nan
            continue
        a = (uu - weights[tetrahedra[t, 1]] + w0) / (2.0 * det)
        b = (vv - weights[tetrahedra[t, 2]] + w0) / (2.0 * det)
        c = (ww - weights[tetrahedra[t, 3]] + w0) / (2.0 * det)
        power = -w0
        for k in range(3):
            x = a * v_w[k] + b * w_u[k] + c * u_v[k]
            centres[t, k] = corner[k] + x
            power += x * x
        powers[t] = power
