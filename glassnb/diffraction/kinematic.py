"""Single scattering, with the curvature of the Ewald sphere.

A plane wave b of the beam is scattered once, at depth z, into the wave q; on the way out the two
differ by the phase pi lambda (q² - b²) z. The factor exp(i pi lambda q² z) is expanded in
Chebyshev polynomials of the depth (the Jacobi-Anger expansion), so that a few Fourier transforms
of the atoms, weighted by T_m(depth), serve all pairs b, q; b² is small, and its phase is taken at
half the depth.
"""

from __future__ import annotations

from collections.abc import Mapping

import finufft
import numpy as np
from numpy.typing import NDArray

from glassnb.core.structure import species_of
from glassnb.diffraction.probe import Probe
from glassnb.diffraction.slab import Slab
from glassnb.scattering.weights import electron_form_factor

__all__ = [
    "form_factors",
    "kinematic_transfer",
    "number_of_moments",
    "phase_factors",
    "slab_moments",
]

_TOLERANCE = 5e-3  # largest Bessel function left out of the expansion
_PRECISION = 1e-6  # of the Fourier transforms; results are single precision
_TABLE_STEP = 0.005  # 1/Å, of the table from which form factors are interpolated


def kinematic_transfer(
    slab: Slab,
    probe: Probe,
    beams: NDArray[np.int64],
    reach: tuple[int, int],
    debye_waller: Mapping[str, float],
) -> NDArray[np.complex64]:
    """Return the amplitude with which each wave of the beam leaves as each wave of the pattern.

    Parameters
    ----------
    slab : Slab
        The atoms.
    probe : Probe
        For the wavelength.
    beams : numpy.ndarray, shape (n_beams, 2)
        Incoming waves, in units of one over the edges of the slab.
    reach : tuple of int
        The pattern has the waves from ``-reach`` to ``reach`` in x and y.
    debye_waller : dict
        B by symbol in Å².

    Returns
    -------
    numpy.ndarray, shape (n_beams, n_x, n_y)
        Dimensionless; without atoms, 1 where the outgoing wave is the incoming one.
    """
    from scipy.special import jv

    shape = (2 * reach[0] + 1, 2 * reach[1] + 1)
    q = _wave_numbers(slab, reach)
    argument = np.pi * probe.wavelength * slab.thickness * q**2 / 2
    n_moments = number_of_moments(float(argument.max()))
    orders = np.arange(n_moments)
    bessel = np.where(orders == 0, 1, 2)[:, None, None] * jv(orders[:, None, None], argument)
    spread = np.abs(beams).max(axis=0)
    wide = (reach[0] + int(spread[0]), reach[1] + int(spread[1]))
    moments = slab_moments(slab, probe, wide, n_moments, debye_waller)
    # The mean potential turns the phase of everything alike; first order would not conserve it.
    moments[:, wide[0], wide[1]] = 0
    moments *= (1j * 1j**orders).astype(np.complex64)[:, None, None]
    # A complex number times a real one: two rows of real numbers, which are multiplied faster.
    doubled = np.repeat(bessel.astype(np.float32), 2, axis=-1)
    parts = moments.view(np.float32)
    transfer = np.empty((len(beams), *shape), dtype=np.complex64)
    product = np.empty((shape[0], 2 * shape[1]), dtype=np.float32)
    for row, (i, j) in zip(transfer, beams, strict=True):
        x, y = int(spread[0] - i), 2 * int(spread[1] - j)
        window = parts[:, x : x + shape[0], y : y + 2 * shape[1]]
        total = row.view(np.float32)
        np.multiply(doubled[0], window[0], out=total)
        for c, w in zip(doubled[1:], window[1:], strict=True):
            total += np.multiply(c, w, out=product)
        if abs(i) <= reach[0] and abs(j) <= reach[1]:
            row[reach[0] + i, reach[1] + j] += 1
    middle = np.pi * probe.wavelength * slab.thickness / 2
    b2 = ((beams / np.array(slab.lengths)) ** 2).sum(axis=1)
    transfer *= np.exp(-1j * middle * b2).astype(np.complex64)[:, None, None]
    return transfer


def form_factors(
    symbols: tuple[str, ...], k: NDArray[np.float64], debye_waller: Mapping[str, float]
) -> list[NDArray[np.float64]]:
    """Return the electron form factors of each species, with thermal smearing.

    Parameters
    ----------
    symbols : tuple of str
        Species.
    k : numpy.ndarray
        Wave numbers in 1/Å.
    debye_waller : dict
        B by symbol in Å²; none for species not named.

    Returns
    -------
    list of numpy.ndarray
        f_e(k) exp(-B k²/4) in Å at rest mass, in the shape of ``k``.
    """
    known = np.arange(0, k.max() + 2 * _TABLE_STEP, _TABLE_STEP)
    found = []
    for symbol in symbols:
        table = electron_form_factor(symbol, 2 * np.pi * known)
        table *= np.exp(-debye_waller.get(symbol, 0.0) * known**2 / 4)
        found.append(np.interp(k, known, table))
    return found


def phase_factors(
    slab: Slab, x: NDArray[np.float64], strengths: NDArray[np.float64], reach: tuple[int, int]
) -> NDArray[np.complex128]:
    """Return ``sum_j strength_j exp(-2 pi i k.r_j)`` at the waves k of the slab.

    Parameters
    ----------
    slab : Slab
        For its edges.
    x : numpy.ndarray, shape (n_atoms, 2 or 3)
        Positions in Å.
    strengths : numpy.ndarray, shape (n_sums, n_atoms)
        Weights of the atoms in each sum.
    reach : tuple of int
        Waves go from ``-reach`` to ``reach``, in units of one over the edges.

    Returns
    -------
    numpy.ndarray, shape (n_sums, n_x, n_y)
        Complex sums.
    """
    shape = (2 * reach[0] + 1, 2 * reach[1] + 1)
    if not strengths.shape[1]:
        return np.zeros((len(strengths), *shape), dtype=np.complex128)
    angles = 2 * np.pi * ((x[:, :2] / np.array(slab.lengths) + 0.5) % 1.0 - 0.5)
    sums: NDArray[np.complex128] = finufft.nufft2d1(
        np.ascontiguousarray(angles[:, 0]),
        np.ascontiguousarray(angles[:, 1]),
        np.ascontiguousarray(strengths, dtype=np.complex128),
        shape,
        eps=_PRECISION,
        isign=-1,
        nthreads=1,
    )
    return sums.reshape(len(strengths), *shape)


def _wave_numbers(slab: Slab, reach: tuple[int, int]) -> NDArray[np.float64]:
    x, y = (np.arange(-n, n + 1) / edge for n, edge in zip(reach, slab.lengths, strict=True))
    return np.hypot(x[:, None], y)


def number_of_moments(largest: float) -> int:
    """Return how many orders of the Bessel function matter for arguments up to ``largest``."""
    from scipy.special import jv

    number = int(largest) + 1
    while abs(jv(number, largest)) > _TOLERANCE:
        number += 1
    return number


def slab_moments(
    slab: Slab,
    probe: Probe,
    reach: tuple[int, int],
    n_moments: int,
    debye_waller: Mapping[str, float],
) -> NDArray[np.complex64]:
    """Return the scattering amplitude of the atoms, weighted with T_m of their depth."""
    symbols, species = species_of(slab.atoms)
    factors = form_factors(symbols, _wave_numbers(slab, reach), debye_waller)
    positions = slab.atoms.positions
    depth = 2 * positions[:, 2] / slab.thickness - 1
    weights = np.polynomial.chebyshev.chebvander(depth, n_moments - 1).T
    area = slab.lengths[0] * slab.lengths[1]
    scale = probe.wavelength * probe.lorentz_factor / area
    total = np.zeros((n_moments, *factors[0].shape), dtype=np.complex128)
    for i, factor in enumerate(factors):
        mine = species == i
        total += factor * phase_factors(slab, positions[mine], weights[:, mine], reach)
    return (scale * total).astype(np.complex64)
