"""How electrons fill orbitals at a finite temperature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Electrons", "Filling", "count_electrons", "fill"]

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
        f = _fermi(energies, number, temperature)
        occupations += f
        inner = f[(f > 0) & (f < 1)]
        entropy = inner * np.log(inner) + (1 - inner) * np.log1p(-inner)
        entropy_energy += temperature * float(entropy.sum())
        top = int(round(number))
        if 0 < top < energies.size:
            gap = min(gap, float(energies[top] - energies[top - 1]))
    return Filling(occupations, entropy_energy, gap)


def _fermi(energies: FloatArray, number: float, temperature: float) -> FloatArray:
    """Return the occupations of one spin."""
    from scipy.optimize import brentq
    from scipy.special import expit

    if number <= 0 or number >= energies.size:
        return np.full(energies.size, float(number > 0))

    def occupations(level: float) -> FloatArray:
        return np.asarray(expit((level - energies) / temperature))

    margin = 50 * temperature
    level = brentq(
        lambda level: float(occupations(level).sum() - number),
        energies[0] - margin, energies[-1] + margin, xtol=1e-15, rtol=1e-14,
    )  # fmt: skip
    return occupations(level)
