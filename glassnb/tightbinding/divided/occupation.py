"""Occupation of the orbitals of all subsystems by one chemical potential.

Where the spectrum has a gap the chemical potential stays in its middle: the textbook rule, to move
it until the electrons are right in number, would pin it to an edge of the gap, because a divided
density holds some electrons too many or too few. Without a gap that rule is the only one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Gap", "count_fixed", "entropy_energy", "fermi", "find_gap"]

FloatArray = NDArray[np.float64]

_FAINT = 1e-3  # orbitals with less weight in the central box do not make a band
_WINDOW = 0.02  # share of the electrons by which a divided density may be off


@dataclass(frozen=True)
class Gap:
    """The gap between occupied and empty orbitals.

    Parameters
    ----------
    lower, upper : float
        Its edges in Hartree.
    """

    lower: float
    upper: float

    @property
    def width(self) -> float:
        """Width in Hartree."""
        return self.upper - self.lower

    @property
    def middle(self) -> float:
        """Middle in Hartree."""
        return (self.lower + self.upper) / 2


def fermi(energies: FloatArray, level: float, temperature: float) -> FloatArray:
    """Return the occupation of one spin orbital.

    Parameters
    ----------
    energies : ndarray
        In Hartree.
    level : float
        Chemical potential in Hartree.
    temperature : float
        Boltzmann's constant times the temperature, in Hartree.

    Returns
    -------
    ndarray
        Between 0 and 1.
    """
    from scipy.special import expit

    return np.asarray(expit((level - energies) / temperature))


def entropy_energy(energies: FloatArray, level: float, temperature: float) -> FloatArray:
    """Return minus temperature times entropy of both electrons of an orbital.

    Parameters
    ----------
    energies : ndarray
        In Hartree.
    level : float
        Chemical potential in Hartree.
    temperature : float
        Boltzmann's constant times the temperature, in Hartree.

    Returns
    -------
    ndarray
        In Hartree.
    """
    from scipy.special import entr

    f = fermi(energies, level, temperature)
    return np.asarray(-2 * temperature * (entr(f) + entr(1 - f)))


def find_gap(energies: FloatArray, weights: FloatArray, electrons: float) -> Gap:
    """Find the widest gap near the number of electrons.

    Parameters
    ----------
    energies, weights : ndarray, shape (n,)
        Orbitals of all subsystems: energy in Hartree, and weight in the central boxes.
    electrons : float
        Their number.

    Returns
    -------
    Gap
        Of zero width where there is none.
    """
    seen = weights > _FAINT
    order = np.argsort(energies[seen])
    e, count = energies[seen][order], np.cumsum(2 * weights[seen][order])
    margin = max(_WINDOW * electrons, 0.5)
    near = np.flatnonzero(np.abs(count[:-1] - electrons) <= margin)
    if near.size == 0:
        middle = float(e[min(int(np.searchsorted(count, electrons)), e.size - 1)])
        return Gap(middle, middle)
    best = near[np.argmax(e[near + 1] - e[near])]
    return Gap(float(e[best]), float(e[best + 1]))


def count_fixed(
    energies: FloatArray, weights: FloatArray, electrons: float, temperature: float
) -> float:
    """Return the chemical potential that gives the number of electrons.

    Parameters
    ----------
    energies, weights : ndarray, shape (n,)
        Orbitals of all subsystems: energy in Hartree, and weight in the central boxes.
    electrons : float
        Their number.
    temperature : float
        Boltzmann's constant times the temperature, in Hartree.

    Returns
    -------
    float
        In Hartree.
    """
    from scipy.optimize import brentq

    def excess(level: float) -> float:
        return float(2 * np.dot(weights, fermi(energies, level, temperature)) - electrons)

    margin = 50 * temperature
    return float(brentq(excess, energies.min() - margin, energies.max() + margin, xtol=1e-14))
