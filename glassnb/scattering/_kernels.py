"""Compiled loops of reciprocal space."""

import numpy as np
from numba import prange

from glassnb.core.jit import parallel_kernel


@parallel_kernel
def shell_sums(first, second, two, reciprocal, edges):
    """Sum the products of two density amplitudes over shells of |q|.

    ``first`` and ``second`` are amplitudes on a grid of Miller indices, odd in size with the
    origin in the middle. Where ``two`` is set, each holds two real densities as real and
    imaginary part, which separate as sum and difference of F(q) and the conjugate of F(-q).
    Returns the number of vectors, and the sums of Re(A_i B_j*), shape (2, 2, n_shells), with A
    from ``first`` and B from ``second``. One half of the vectors is visited: F(-q) = F(q)*.
    """
    n0, n1, n2 = first.shape
    m0, m1, m2 = n0 // 2, n1 // 2, n2 // 2
    n_shells = edges.size - 1
    counts = np.zeros((m0 + 1, n_shells), dtype=np.int64)
    sums = np.zeros((m0 + 1, 2, 2, n_shells))
    q_low2, q_high2 = edges[0] ** 2, edges[-1] ** 2
    width = (edges[-1] - edges[0]) / n_shells
    for h in prange(m0 + 1):
        for k in range(-m1, m1 + 1):
            if h == 0 and k < 0:
                continue
            for m in range(-m2, m2 + 1):
                if h == 0 and k == 0 and m <= 0:
                    continue
                x = h * reciprocal[0, 0] + k * reciprocal[1, 0] + m * reciprocal[2, 0]
                y = h * reciprocal[0, 1] + k * reciprocal[1, 1] + m * reciprocal[2, 1]
                z = h * reciprocal[0, 2] + k * reciprocal[1, 2] + m * reciprocal[2, 2]
                q2 = x * x + y * y + z * z
                if q2 < q_low2 or q2 >= q_high2:
                    continue
                q = np.sqrt(q2)
                # Start from the place in even shells, then step: shells need not be even.
                shell = min(max(int((q - edges[0]) / width), 0), n_shells - 1)
                while q < edges[shell]:
                    shell -= 1
                while q >= edges[shell + 1]:
                    shell += 1
                f = first[m0 + h, m1 + k, m2 + m]
                g = second[m0 + h, m1 + k, m2 + m]
                counts[h, shell] += 1
                if not two:
                    sums[h, 0, 0, shell] += f.real * g.real + f.imag * g.imag
                    continue
                fc = np.conj(first[m0 - h, m1 - k, m2 - m])
                gc = np.conj(second[m0 - h, m1 - k, m2 - m])
                f1, f2 = (f + fc) / 2, (f - fc) / 2j
                g1, g2 = (g + gc) / 2, (g - gc) / 2j
                sums[h, 0, 0, shell] += f1.real * g1.real + f1.imag * g1.imag
                sums[h, 0, 1, shell] += f1.real * g2.real + f1.imag * g2.imag
                sums[h, 1, 0, shell] += f2.real * g1.real + f2.imag * g1.imag
                sums[h, 1, 1, shell] += f2.real * g2.real + f2.imag * g2.imag
    return counts.sum(axis=0), sums.sum(axis=0)
