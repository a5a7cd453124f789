"""How electrons fill orbitals at a finite temperature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = [
    "Electrons",
    "Filling",
    "count_electrons",
    "count_fixed",
    "entropies",
    "fermi",
    "fill",
]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Electrons:
    """Numbers of electrons of the two spins.

    Parameters
    ----------
    up, down : float
        Electrons of each spin.
    """

    up: float
    down: float

    @property
    def total(self) -> float:
        """All electrons."""
        return self.up + self.down


@dataclass(frozen=True)
class Filling:
    """Occupation of orbitals.

    Parameters
    ----------
    occupations : ndarray, shape (n_orbitals,)
        Electrons of both spins in each orbital.
    entropy_energy : float
        Minus temperature times entropy of the electrons, in Hartree.
    gap : float
        From the highest filled to the lowest empty orbital, in Hartree; the smaller one where the
        spins differ, infinite where all orbitals are filled.
    """

    occupations: FloatArray
    entropy_energy: float
    gap: float


def count_electrons(neutral: float, charge: float, multiplicity: int | None) -> Electrons:
    """Share the electrons of a structure between the spins.

    Parameters
    ----------
    neutral : float
        Electrons of the neutral structure.
    charge : float
        Total charge in e.
    multiplicity : int or None
        Unpaired electrons plus 1; as few as possible where not given.

    Returns
    -------
    Electrons
        For each spin.

    Raises
    ------
    ValueError
        If the charge is no whole number, no electrons are left, or the multiplicity does not go
        with their number.
    """
    if abs(charge - round(charge)) > 1e-6:
        raise ValueError(f"charge={charge}: must be a whole number of elementary charges")
    number = round(neutral - charge)
    if number < 0:
        raise ValueError(f"charge={charge:.0f}: the structure has {neutral:.0f} electrons only")
    if multiplicity is None:
        unpaired = number % 2
    else:
        unpaired = int(multiplicity) - 1
        if unpaired != multiplicity - 1 or unpaired < 0 or (number - unpaired) % 2:
            kind = "odd" if number % 2 == 0 else "even"
            raise ValueError(
                f"multiplicity={multiplicity}: {number} electrons need an {kind} multiplicity "
                "(the number of unpaired electrons plus 1)"
            )
        if unpaired > number:
            raise ValueError(f"multiplicity={multiplicity}: there are {number} electrons only")
    return Electrons((number + unpaired) / 2, (number - unpaired) / 2)


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


def entropies(energies: FloatArray, level: float, temperature: float) -> FloatArray:
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


def count_fixed(
    energies: FloatArray, weights: FloatArray, electrons: float, temperature: float
) -> float:
    """Return the chemical potential that gives the number of electrons.

    Parameters
    ----------
    energies, weights : ndarray, shape (n,)
        Orbitals: energy in Hartree, and by how much each counts.
    electrons : float
        Their number; an orbital of weight 1 takes two.
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
    low, high = energies.min() - margin, energies.max() + margin
    return float(brentq(excess, low, high, xtol=1e-15, rtol=1e-14))


def fill(energies: FloatArray, electrons: Electrons, temperature: float) -> Filling:
    """Fill orbitals by the Fermi-Dirac distribution, each spin with its own chemical potential.

    Parameters
    ----------
    energies : ndarray, shape (n_orbitals,)
        Ascending, in Hartree.
    electrons : Electrons
        How many.
    temperature : float
        Boltzmann's constant times the temperature, in Hartree.

    Returns
    -------
    Filling
        Occupations, entropy and gap.
    """
    occupations = np.zeros(energies.size)
    entropy_energy, gap = 0.0, np.inf
    for number in (electrons.up, electrons.down):
        if 0 < number < energies.size:
            level = count_fixed(energies, np.ones(energies.size), 2 * number, temperature)
            occupations += fermi(energies, level, temperature)
            entropy_energy += float(entropies(energies, level, temperature).sum()) / 2
        else:
            occupations += number > 0
        top = int(round(number))
        if 0 < top < energies.size:
            gap = min(gap, float(energies[top] - energies[top - 1]))
    return Filling(occupations, entropy_energy, gap)
