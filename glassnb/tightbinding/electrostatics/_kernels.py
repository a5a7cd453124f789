"""Compiled loops of the Klopman-Ohno sum in real space. Lengths in bohr.

``order`` counts the terms of the expansion for large distances, 1/R - a²/2R³ + 3a⁴/8R⁵, that are
taken out of the kernel 1/sqrt(R² + a²) because Ewald sums carry them: 0, 2 or 3.
"""

import math

from numba import prange

from glassnb.core.jit import kernel, parallel_kernel


@kernel
def remainder(r, a, order):
    """Kernel without the first ``order`` terms of its expansion, and (1/R) d/dR of it."""
    root = 1.0 / math.sqrt(r * r + a * a)
    value = root
    slope = -root * root * root
    if order > 0:
        inverse2 = 1.0 / (r * r)
        inverse = 1.0 / r
        ratio = a * a * inverse2
        value -= inverse
        slope += inverse * inverse2
        if order > 1:
            value += 0.5 * ratio * inverse
            slope -= 1.5 * ratio * inverse * inverse2
        if order > 2:
            value -= 0.375 * ratio * ratio * inverse
            slope += 1.875 * ratio * ratio * inverse * inverse2
    return value, slope


@kernel
def screened(r, splitting):
    """Short-range Ewald parts of 1/R, 1/R³ and 1/R⁵, and (1/R) d/dR of them."""
    z = splitting * r
    inverse = 1.0 / r
    inverse2 = inverse * inverse
    gauss = 2.0 / math.sqrt(math.pi) * math.exp(-z * z)
    e1 = math.erfc(z)
    e3 = e1 + gauss * z
    e5 = e3 + gauss * z * z * z * (2.0 / 3.0)
    # Each incomplete gamma function falls with R by the term that the next one gains.
    s1 = -(e1 + gauss * z) * inverse * inverse2
    s3 = -(3.0 * e3 + 2.0 * gauss * z * z * z) * inverse * inverse2 * inverse2
    s5 = -(5.0 * e5 + (4.0 / 3.0) * gauss * z**5) * inverse * inverse2 * inverse2 * inverse2
    return (
        e1 * inverse, e3 * inverse * inverse2, e5 * inverse * inverse2 * inverse2, s1, s3, s5
    )  # fmt: skip


@kernel
def switch(r, inner, outer):
    """Fall smoothly from 1 at ``inner`` to 0 at ``outer``, and (1/R) d/dR of it."""
    if r <= inner:
        return 1.0, 0.0
    if r >= outer:
        return 0.0, 0.0
    x = (r - inner) / (outer - inner)
    value = 1.0 - x * x * x * (10.0 - 15.0 * x + 6.0 * x * x)
    return value, -30.0 * x * x * (1.0 - x) * (1.0 - x) / ((outer - inner) * r)


@parallel_kernel
def short_range_values(
    offsets, indices, distances, first_shell, widths, splitting, order, inner, outer, starts,
    columns, values,
):  # fmt: skip
    """Upper triangle of the short-range matrix over shells, in compressed rows.

    Elements between an atom and its own images enter with half their value, because the lower
    triangle adds them again. ``starts`` says where the row of each shell begins; every row starts
    with the shells of its own atom, which the caller fills.
    """
    for i in prange(offsets.size - 1):
        own = first_shell[i + 1] - first_shell[i]
        at = own
        for p in range(offsets[i], offsets[i + 1]):
            j = indices[p]
            if j < i:
                continue
            r = distances[p]
            weight = 0.5 if j == i else 1.0
            e1, e3, e5, _s1, _s3, _s5 = screened(r, splitting)
            if order < 3:
                e5 = 0.0
            fade, _slope = switch(r, inner, outer)
            for s in range(first_shell[i], first_shell[i + 1]):
                place = starts[s] + at
                for t in range(first_shell[j], first_shell[j + 1]):
                    a = 0.5 * (widths[s] + widths[t])
                    value = e1 - 0.5 * a * a * e3 + 0.375 * a * a * a * a * e5
                    if fade > 0.0:
                        rest, _slope = remainder(r, a, order)
                        value += fade * rest
                    columns[place] = t
                    values[place] = weight * value
                    place += 1
            at += first_shell[j + 1] - first_shell[j]


@parallel_kernel
def short_range_gradient(
    positions, cell, offsets, indices, images, distances, first_shell, widths, charges, splitting,
    order, inner, outer, gradient, virial,
):  # fmt: skip
    """Gradient of the short-range energy, and the share of each atom in the virial."""
    for i in prange(offsets.size - 1):
        for p in range(offsets[i], offsets[i + 1]):
            j = indices[p]
            r = distances[p]
            _e1, _e3, _e5, s1, s3, s5 = screened(r, splitting)
            if order < 3:
                s5 = 0.0
            fade, fade_slope = switch(r, inner, outer)
            force = 0.0
            for s in range(first_shell[i], first_shell[i + 1]):
                for t in range(first_shell[j], first_shell[j + 1]):
                    a = 0.5 * (widths[s] + widths[t])
                    slope = s1 - 0.5 * a * a * s3 + 0.375 * a * a * a * a * s5
                    if fade > 0.0:
                        rest, rest_slope = remainder(r, a, order)
                        slope += fade * rest_slope + fade_slope * rest
                    force += charges[s] * charges[t] * slope
            for x in range(3):
                dx = positions[j, x] - positions[i, x]
                for y in range(3):
                    dx += images[p, y] * cell[y, x]
                gradient[i, x] -= force * dx
                for z in range(3):
                    dz = positions[j, z] - positions[i, z]
                    for y in range(3):
                        dz += images[p, y] * cell[y, z]
                    virial[i, x, z] += 0.5 * force * dx * dz


@parallel_kernel
def direct_matrix(positions, translations, first_shell, widths, order, matrix):
    """Add the remainder between all shells and all their translations, home atom apart."""
    for i in prange(positions.shape[0]):
        for j in range(positions.shape[0]):
            for n in range(translations.shape[0]):
                dx = positions[j, 0] + translations[n, 0] - positions[i, 0]
                dy = positions[j, 1] + translations[n, 1] - positions[i, 1]
                dz = positions[j, 2] + translations[n, 2] - positions[i, 2]
                r = math.sqrt(dx * dx + dy * dy + dz * dz)
                if r < 1e-9:
                    continue
                for s in range(first_shell[i], first_shell[i + 1]):
                    for t in range(first_shell[j], first_shell[j + 1]):
                        value, _slope = remainder(r, 0.5 * (widths[s] + widths[t]), order)
                        matrix[s, t] += value


@parallel_kernel
def direct_gradient(positions, translations, first_shell, widths, order, charges, gradient, virial):
    """Gradient and virial of the energy of ``direct_matrix``."""
    for i in prange(positions.shape[0]):
        for j in range(positions.shape[0]):
            for n in range(translations.shape[0]):
                dx = positions[j, 0] + translations[n, 0] - positions[i, 0]
                dy = positions[j, 1] + translations[n, 1] - positions[i, 1]
                dz = positions[j, 2] + translations[n, 2] - positions[i, 2]
                r = math.sqrt(dx * dx + dy * dy + dz * dz)
                if r < 1e-9:
                    continue
                force = 0.0
                for s in range(first_shell[i], first_shell[i + 1]):
                    for t in range(first_shell[j], first_shell[j + 1]):
                        _value, slope = remainder(r, 0.5 * (widths[s] + widths[t]), order)
                        force += charges[s] * charges[t] * slope
                d = (dx, dy, dz)
                for x in range(3):
                    gradient[i, x] -= force * d[x]
                    for z in range(3):
                        virial[i, x, z] += 0.5 * force * d[x] * d[z]
