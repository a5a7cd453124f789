"""Compiled loops of the overlap and the Hamiltonian between pairs of atoms.

Products of Cartesian Gaussian functions factorise into one dimension each, where the recursion of
S. Obara and A. Saika, J. Chem. Phys. 84, 3963 (1986) gives them; derivatives raise and lower the
power of the function that moves.
"""

import numpy as np
from numba import prange

from glassnb.core.jit import kernel, parallel_kernel

EXPONENT_CUTOFF = 25.0

# Powers of x, y, z of the Cartesian functions: 1; x y z; xx yy zz xy xz yz.
POWERS = np.array(
    [
        [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]],
        [[2, 0, 0], [0, 2, 0], [0, 0, 2], [1, 1, 0], [1, 0, 1], [0, 1, 1]],
    ]
)
CARTESIAN = np.array([1, 3, 6])
ROOT3 = np.sqrt(3.0)
# Real spherical harmonics, m = -l to l, in terms of them (the norm is that of x and xx).
SPHERICAL = np.zeros((3, 5, 6))
SPHERICAL[0, 0, 0] = 1.0
SPHERICAL[1, 0, 1] = SPHERICAL[1, 1, 2] = SPHERICAL[1, 2, 0] = 1.0
SPHERICAL[2, 0, 3] = SPHERICAL[2, 1, 5] = SPHERICAL[2, 3, 4] = ROOT3
SPHERICAL[2, 2] = np.array([-0.5, -0.5, 1.0, 0.0, 0.0, 0.0])
SPHERICAL[2, 4] = np.array([ROOT3 / 2, -ROOT3 / 2, 0.0, 0.0, 0.0, 0.0])


@kernel
def one_dimension(pa, pb, half, la, lb, table):
    """Integrals of (x-a)^i (x-b)^j times a Gaussian at p, over that of the Gaussian."""
    table[0, 0] = 1.0
    for i in range(la):
        lower = i * half * table[i - 1, 0] if i > 0 else 0.0
        table[i + 1, 0] = pa * table[i, 0] + lower
    for j in range(lb):
        for i in range(la + 1):
            value = pb * table[i, j]
            if i > 0:
                value += i * half * table[i - 1, j]
            if j > 0:
                value += j * half * table[i, j - 1]
            table[i, j + 1] = value


@kernel
def shell_pair(
    la, lb, na, nb, ea, ca, eb, cb, vector, derivative, tables, cartesian, half_done, block
):
    """Overlap of two shells, ``block[0]``, and its derivatives by ``vector``, ``block[1:]``.

    ``vector`` leads from the first shell to the second.
    """
    cartesian[:] = 0.0
    count = 4 if derivative else 1
    r2 = vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2
    top = la + 1 if derivative else la
    for i in range(na):
        for j in range(nb):
            a, b = ea[i], eb[j]
            inverse = 1 / (a + b)
            exponent = a * b * inverse * r2
            if exponent > EXPONENT_CUTOFF:
                break  # exponents ascend, so the rest is smaller still
            scale = ca[i] * cb[j] * np.exp(-exponent) * (np.pi * inverse) ** 1.5
            for axis in range(3):
                one_dimension(
                    b * inverse * vector[axis], -a * inverse * vector[axis], 0.5 * inverse,
                    top, lb, tables[axis],
                )  # fmt: skip
            for p in range(CARTESIAN[la]):
                px, py, pz = POWERS[la, p, 0], POWERS[la, p, 1], POWERS[la, p, 2]
                for q in range(CARTESIAN[lb]):
                    qx, qy, qz = POWERS[lb, q, 0], POWERS[lb, q, 1], POWERS[lb, q, 2]
                    x, y, z = tables[0, px, qx], tables[1, py, qy], tables[2, pz, qz]
                    cartesian[0, p, q] += scale * x * y * z
                    if derivative:
                        # The second shell moves: minus the derivative by the first.
                        dx, dy, dz = (
                            -2 * a * tables[0, px + 1, qx],
                            -2 * a * tables[1, py + 1, qy],
                            -2 * a * tables[2, pz + 1, qz],
                        )
                        if px > 0:
                            dx += px * tables[0, px - 1, qx]
                        if py > 0:
                            dy += py * tables[1, py - 1, qy]
                        if pz > 0:
                            dz += pz * tables[2, pz - 1, qz]
                        cartesian[1, p, q] += scale * dx * y * z
                        cartesian[2, p, q] += scale * x * dy * z
                        cartesian[3, p, q] += scale * x * y * dz
    for c in range(count):
        for m in range(2 * la + 1):
            for q in range(CARTESIAN[lb]):
                value = 0.0
                for p in range(CARTESIAN[la]):
                    value += SPHERICAL[la, m, p] * cartesian[c, p, q]
                half_done[m, q] = value
        for m in range(2 * la + 1):
            for n in range(2 * lb + 1):
                value = 0.0
                for q in range(CARTESIAN[lb]):
                    value += SPHERICAL[lb, n, q] * half_done[m, q]
                block[c, m, n] = value


@parallel_kernel
def overlap_and_hamiltonian(
    first, second, vectors, starts, species, first_shell, levels,
    shells, angular, sizes, exponents, coefficients, polynomials, radii, scaling,
    overlap, hamiltonian, n_chunks,
):  # fmt: skip
    """Blocks of the overlap and of the Hamiltonian for each pair of atoms, one after the other.

    A pair without distance is an atom with itself; its Hamiltonian holds the levels.
    """
    n_pairs = first.size
    for chunk in prange(n_chunks):
        tables = np.zeros((3, 4, 3))
        cartesian = np.zeros((4, 6, 6))
        half_done = np.zeros((5, 6))
        block = np.zeros((4, 5, 5))
        for k in range(chunk, n_pairs, n_chunks):
            i, j = first[k], second[k]
            s, t = species[i], species[j]
            vector = vectors[k]
            distance = np.sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2)
            x = np.sqrt(distance / (radii[s] + radii[t]))
            columns = 0
            for b in range(shells[t]):
                columns += 2 * angular[t, b] + 1
            row = 0
            for a in range(shells[s]):
                la = angular[s, a]
                column = 0
                for b in range(shells[t]):
                    lb = angular[t, b]
                    shell_pair(
                        la, lb, sizes[s, a], sizes[t, b], exponents[s, a], coefficients[s, a],
                        exponents[t, b], coefficients[t, b], vector, False,
                        tables, cartesian, half_done, block,
                    )  # fmt: skip
                    factor = 0.5 * (levels[first_shell[i] + a] + levels[first_shell[j] + b])
                    if distance > 0.0:
                        factor *= scaling[s, t, a, b]
                        factor *= (1 + polynomials[s, a] * x) * (1 + polynomials[t, b] * x)
                    for m in range(2 * la + 1):
                        at = starts[k] + (row + m) * columns + column
                        for n in range(2 * lb + 1):
                            overlap[at + n] = block[0, m, n]
                            hamiltonian[at + n] = block[0, m, n] * factor
                    column += 2 * lb + 1
                row += 2 * la + 1


@parallel_kernel
def pair_derivatives(
    first, second, vectors, starts, species, first_shell, levels,
    shells, angular, sizes, exponents, coefficients, polynomials, radii, scaling,
    density, weighted, slopes, level_slopes, n_chunks,
):  # fmt: skip
    """Differentiate the sum of density dH0 - weighted dS over the orbitals of each pair.

    ``slopes[k]`` is the derivative by the vector of the pair, ``level_slopes[k]`` those by the
    levels of the shells of its two atoms.
    """
    n_pairs = first.size
    for chunk in prange(n_chunks):
        tables = np.zeros((3, 4, 3))
        cartesian = np.zeros((4, 6, 6))
        half_done = np.zeros((5, 6))
        block = np.zeros((4, 5, 5))
        for k in range(chunk, n_pairs, n_chunks):
            i, j = first[k], second[k]
            s, t = species[i], species[j]
            vector = vectors[k]
            distance = np.sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2)
            x = np.sqrt(distance / (radii[s] + radii[t]))
            columns = 0
            for b in range(shells[t]):
                columns += 2 * angular[t, b] + 1
            row = 0
            for a in range(shells[s]):
                la = angular[s, a]
                column = 0
                for b in range(shells[t]):
                    lb = angular[t, b]
                    shell_pair(
                        la, lb, sizes[s, a], sizes[t, b], exponents[s, a], coefficients[s, a],
                        exponents[t, b], coefficients[t, b], vector, distance > 0.0,
                        tables, cartesian, half_done, block,
                    )  # fmt: skip
                    level = 0.5 * (levels[first_shell[i] + a] + levels[first_shell[j] + b])
                    scale, slope = 1.0, 0.0
                    if distance > 0.0:
                        pa, pb = polynomials[s, a], polynomials[t, b]
                        scale = scaling[s, t, a, b] * (1 + pa * x) * (1 + pb * x)
                        # by the squared distance, twice, so that it multiplies the vector
                        slope = scaling[s, t, a, b] * (pa * (1 + pb * x) + pb * (1 + pa * x))
                        slope *= 0.5 * x / distance**2
                    bonding = 0.0
                    for m in range(2 * la + 1):
                        at = starts[k] + (row + m) * columns + column
                        for n in range(2 * lb + 1):
                            bonding += density[at + n] * block[0, m, n]
                            if distance > 0.0:
                                weight = density[at + n] * level * scale - weighted[at + n]
                                for axis in range(3):
                                    slopes[k, axis] += weight * block[1 + axis, m, n]
                    for axis in range(3):
                        slopes[k, axis] += bonding * level * slope * vector[axis]
                    level_slopes[k, 0, a] += 0.5 * bonding * scale
                    level_slopes[k, 1, b] += 0.5 * bonding * scale
                    column += 2 * lb + 1
                row += 2 * la + 1
