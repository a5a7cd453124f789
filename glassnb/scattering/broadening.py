"""Finite resolution: in Q by the instrument, in r by the largest Q that was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import sici

from glassnb.core.structure import PairMapping
from glassnb.scattering.structure_factor import StructureFactor

__all__ = ["broaden", "real_space_broadening"]

_FWHM_OF_SIGMA = 2 * np.sqrt(2 * np.log(2))


def broaden(sq: StructureFactor, fwhm: float) -> StructureFactor:
    """Convolve Q (S(Q) - 1) with a Gaussian, as the resolution of an instrument does.

    ``Q i(Q)`` is odd in Q and the sine transform of r (g(r) - 1): the convolution multiplies
    g(r) - 1 by ``exp(-sigma^2 r^2 / 2)``. Shells of a direct sum enter with the number of their
    vectors, so that empty shells do no harm.

    Parameters
    ----------
    sq : StructureFactor
        The structure factor; for the histogram method on an even grid. Within one FWHM of both
        ends of the grid the result is incomplete.
    fwhm : float
        Full width at half maximum in Å⁻¹.

    Returns
    -------
    StructureFactor
        The broadened partials and total on the same grid.

    Raises
    ------
    ValueError
        If ``fwhm`` is not positive.
    """
    if not (np.isfinite(fwhm) and fwhm > 0):
        raise ValueError(f"fwhm={fwhm}: must be a positive width in Å⁻¹")
    q, sigma = sq.q, fwhm / _FWHM_OF_SIGMA
    step = np.gradient(q)
    if sq.n_vectors is not None:
        # each vector of the half space stands for twice its share of reciprocal space
        volume = sq.n_atoms / sq.density / (2 * np.pi) ** 3
        step = 2 * sq.n_vectors / (4 * np.pi * q**2 * volume)
    difference, total = np.subtract.outer(q, q), np.add.outer(q, q)
    kernel = np.exp(-(difference**2) / (2 * sigma**2)) - np.exp(-(total**2) / (2 * sigma**2))
    kernel *= step * q / (q[:, None] * sigma * np.sqrt(2 * np.pi))

    def convolved(s: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1 + kernel @ np.where(np.isfinite(s), s - 1, 0.0)

    partials = PairMapping({pair: convolved(s) for pair, s in sq.partials.items()})
    return replace(
        sq, total=convolved(sq.total), partials=partials,
        method=f"{sq.method}; broadened by {fwhm:g} Å⁻¹ (FWHM)",
    )  # fmt: skip


def real_space_broadening(
    r: ArrayLike, function: ArrayLike, q_max: float, *, window: str = "step"
) -> NDArray[np.float64]:
    """Convolve T(r) or D(r) with the peak shape of data measured up to ``q_max``.

    ``P(r) = (1/pi) int_0^Qmax M(Q) cos(Qr) dQ``; a sharp line becomes 3.79/Qmax wide for the step
    function M and 5.44/Qmax for Lorch's.

    Parameters
    ----------
    r : array_like, shape (n_r,)
        Distances in Å on an even grid.
    function : array_like, shape (n_r,)
        T(r) or D(r), odd in r, in any unit.
    q_max : float
        Largest scattering vector in Å⁻¹.
    window : str
        M(Q): ``"step"`` or ``"lorch"``.

    Returns
    -------
    ndarray, shape (n_r,)
        The broadened function. Within a few 2 pi / Qmax of the end of the range it is incomplete.

    Raises
    ------
    ValueError
        If the grid is uneven, ``q_max`` is not positive, or the window is unknown.

    References
    ----------
    E. Lorch, J. Phys. C 2, 229 (1969); D. A. Keen, J. Appl. Cryst. 34, 172 (2001).
    """
    r, f = np.asarray(r, dtype=float), np.asarray(function, dtype=float)
    if not (np.isfinite(q_max) and q_max > 0):
        raise ValueError(f"q_max={q_max}: must be a positive number in Å⁻¹")
    if window not in ("step", "lorch"):
        raise ValueError(f"window={window!r}: must be 'step' or 'lorch'")
    if r.size < 2 or r.shape != f.shape or np.ptp(np.diff(r)) > 1e-6 * (r[1] - r[0]):
        raise ValueError("r: must be an even grid of at least two points, as long as function")
    dr, n = r[1] - r[0], r.size

    def peak(x: NDArray[np.float64]) -> NDArray[np.float64]:
        if window == "step":
            return q_max / np.pi * np.sinc(q_max * x / np.pi)
        # M(Q) = sin(aQ)/(aQ) with a = pi / Qmax: the integral is that of two sine integrals
        a = np.pi / q_max
        return (sici(q_max * (a + x))[0] + sici(q_max * (a - x))[0]) / (2 * np.pi * a)

    # The function is odd, what lies at -r is its negative: two convolutions on the even grid.
    near = np.convolve(f, peak(dr * np.arange(1 - n, n)), mode="valid")
    mirrored = np.correlate(peak(2 * r[0] + dr * np.arange(2 * n - 1)), f, mode="valid")
    return (near - mirrored) * dr
