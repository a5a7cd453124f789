"""Long-range Ewald parts of 1/R, 1/R³ and 1/R⁵, between moments of the charges of each atom.

With the widths a of two shells averaged, a² = (a_i + a_j)²/4, the powers of a in the expansion of
the Klopman-Ohno kernel separate into moments m_n = sum q a^n of each atom. Sums over reciprocal
vectors then go through structure factors of the moments, by non-uniform fast Fourier transforms
(Barnett, Magland and af Klinteberg, SIAM J. Sci. Comput. 41, C479 (2019)).
"""

from __future__ import annotations

from functools import cached_property
from math import comb, log, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RANGE", "ReciprocalSum", "self_terms"]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

#: Gaussians are cut where exp(-RANGE²) is 2e-14.
RANGE = 5.6
_ACCURACY = 1e-13
_MANY_ATOMS = 1500
# Coefficients of 1/R, a²/R³ and a⁴/R⁵ in the expansion of 1/sqrt(R² + a²).
_EXPANSION = (1.0, -1 / 2, 3 / 8)


def self_terms(splitting: float) -> tuple[float, float, float]:
    """Return what the long-range parts of 1/R, 1/R³ and 1/R⁵ are at R = 0.

    Parameters
    ----------
    splitting : float
        Ewald's splitting parameter in 1/bohr.

    Returns
    -------
    tuple of float
        To be subtracted once for every pair of shells of one atom.
    """
    return (
        2 * splitting / sqrt(pi),
        4 * splitting**3 / (3 * sqrt(pi)),
        8 * splitting**5 / (15 * sqrt(pi)),
    )


class ReciprocalSum:
    """The sum over reciprocal vectors for one geometry.

    Parameters
    ----------
    positions : ndarray, shape (n_atoms, 3)
        In bohr.
    cell : ndarray, shape (3, 3)
        Cell vectors as rows, in bohr.
    splitting : float
        Ewald's splitting parameter in 1/bohr.
    order : int
        Number of terms of the expansion: 2 or 3.
    """

    def __init__(
        self, positions: FloatArray, cell: FloatArray, splitting: float, order: int
    ) -> None:
        self.splitting = splitting
        self.order = order
        self.n_moments = 2 * order - 1
        self.volume = float(abs(np.linalg.det(cell)))
        self._reciprocal = 2 * pi * np.linalg.inv(cell).T
        fractional = positions @ np.linalg.inv(cell)
        self._points = np.ascontiguousarray((2 * pi * (fractional - np.rint(fractional))).T)
        reach = 2 * splitting * RANGE * np.linalg.norm(cell, axis=1) / (2 * pi)
        self._reach = np.ceil(reach).astype(int)

    @cached_property
    def _vectors(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Reciprocal vectors along each direction of the grid, shaped to be added."""
        steps = [np.arange(-n, n + 1)[:, None] * b for n, b in self._indexed]
        return steps[0][:, None, None], steps[1][None, :, None], steps[2][None, None, :]

    @property
    def _indexed(self) -> list[tuple[int, FloatArray]]:
        return list(zip(self._reach.tolist(), self._reciprocal, strict=True))

    def _component(self, axis: int) -> FloatArray:
        first, second, third = self._vectors
        return first[..., axis] + second[..., axis] + third[..., axis]

    @cached_property
    def _weights(self) -> tuple[FloatArray, ...]:
        """Fourier coefficients of the long-range parts, divided by the volume."""
        k2, home, exponential, integral = self._shared
        alpha = self.splitting
        weights = [
            4 * pi * exponential / k2,
            2 * pi * integral,
            4 * pi / 3 * (alpha**2 * exponential - k2 / 4 * integral),
        ]
        # At k = 0: the neutralising background; the convention that 1/R³ is counted from a
        # distance of 1 bohr on (logarithm of 1 bohr); and a plain limit.
        weights[0][home] = -pi / alpha**2
        weights[1][home] = 4 * pi * (log(2 * alpha) + np.euler_gamma / 2 - 1)
        weights[2][home] = 4 * pi / 3 * alpha**2
        return tuple(weight / self.volume for weight in weights[: self.order])

    def _slopes(self) -> tuple[FloatArray, ...]:
        """Differentiate the weights with respect to k²."""
        k2, home, exponential, integral = self._shared
        slopes = [
            -4 * pi * exponential / k2 * (1 / k2 + 1 / (4 * self.splitting**2)),
            -2 * pi * exponential / k2,
            -pi / 3 * integral,
        ]
        for slope in slopes:
            slope[home] = 0.0
        return tuple(slope / self.volume for slope in slopes[: self.order])

    @property
    def _shared(self) -> tuple[FloatArray, tuple[int, ...], FloatArray, FloatArray]:
        from scipy.special import exp1

        k2 = self._component(0) ** 2 + self._component(1) ** 2 + self._component(2) ** 2
        home = tuple(self._reach.tolist())
        k2[home] = 1.0
        x = k2 / (4 * self.splitting**2)
        return k2, home, np.exp(-x), exp1(x)

    @cached_property
    def _couplings(self) -> list[tuple[int, int, int, float]]:
        """Which moments meet through which term, and how strongly."""
        couplings = []
        for term in range(self.order):
            power = 2 * term
            for m in range(power + 1):
                strength = _EXPANSION[term] * comb(power, m) / 2**power
                couplings.append((term, m, power - m, strength))
        return couplings

    def _plan(self, kind: int, isign: int) -> Any:
        import finufft

        modes = tuple((2 * self._reach + 1).tolist())
        # Threads of the library spin while they wait, which costs more than small sums take.
        threads = {} if self._points.shape[1] > _MANY_ATOMS else {"nthreads": 1}
        plan = finufft.Plan(
            kind, modes, n_trans=self.n_moments, eps=_ACCURACY, isign=isign, **threads
        )
        plan.setpts(*self._points)
        return plan

    @cached_property
    def _forward(self) -> Any:
        return self._plan(1, -1)

    @cached_property
    def _backward(self) -> Any:
        return self._plan(2, 1)

    def _factors(self, moments: FloatArray) -> ComplexArray:
        """Structure factors of the moments, shape (n_moments, n1, n2, n3)."""
        factors = self._forward.execute(np.ascontiguousarray(moments, dtype=complex))
        return factors.reshape(self.n_moments, *(2 * self._reach + 1))

    def _fields(self, factors: ComplexArray, weights: tuple[FloatArray, ...]) -> ComplexArray:
        fields = np.zeros_like(factors)
        for term, m, n, strength in self._couplings:
            fields[m] += strength * weights[term] * factors[n]
        return fields

    def _at_atoms(self, fields: ComplexArray) -> FloatArray:
        return self._backward.execute(fields).real

    def potentials(self, moments: FloatArray) -> FloatArray:
        """Return the derivatives of the energy with respect to the moments.

        Parameters
        ----------
        moments : ndarray, shape (n_moments, n_atoms)
            Sums of q a^n over the shells of each atom, n from 0 on.

        Returns
        -------
        ndarray, shape (n_moments, n_atoms)
            In Hartree per unit of the moment.
        """
        return self._at_atoms(self._fields(self._factors(moments), self._weights))

    def gradient(self, moments: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the derivatives of the energy with respect to positions and strain.

        Parameters
        ----------
        moments : ndarray, shape (n_moments, n_atoms)
            As in :meth:`potentials`.

        Returns
        -------
        gradient : ndarray, shape (n_atoms, 3)
            In Hartree/bohr.
        virial : ndarray, shape (3, 3)
            In Hartree.
        """
        factors = self._factors(moments)
        fields = self._fields(factors, self._weights)
        gradient = np.empty((moments.shape[1], 3))
        for axis in range(3):
            slopes = self._at_atoms(1j * self._component(axis) * fields)
            gradient[:, axis] = np.sum(moments * slopes, axis=0)
        energy = 0.5 * np.vdot(factors, fields).real
        stretched = self._fields(factors, self._slopes())
        density = np.sum(factors.conj() * stretched, axis=0).real
        virial = -energy * np.eye(3)
        for a in range(3):
            for b in range(3):
                virial[a, b] -= np.sum(density * self._component(a) * self._component(b))
        return gradient, virial
