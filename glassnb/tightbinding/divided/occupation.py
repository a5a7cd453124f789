"""Occupation of the orbitals of all subsystems by one chemical potential.

Where the spectrum has a gap the chemical potential stays in its middle: the textbook rule, to move
it until the electrons are right in number, would pin it to an edge of the gap, because a divided
density holds some electrons too many or too few. Without a gap that rule is the only one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glassnb.tightbinding.parameters import HARTREE

__all__ = ["OCCUPATIONS", "SMALLEST_GAP", "Gap", "find_gap", "gap_around", "window_of"]

FloatArray = NDArray[np.float64]

OCCUPATIONS = ("auto", "gap", "thermal")
_FAINT = 1e-3  # orbitals with less weight in the central box do not make a band
_ELECTRON = 1.0  # half of what an orbital holds
SMALLEST_GAP = 1.0 / HARTREE  # 1 eV: narrower ones do not hold a chemical potential
# Share of the electrons by which a divided density may be off, from this buffer in Å down, and the
# factor by which an ångström more reduces it.
WIDEST_WINDOW, WIDEST_AT, WINDOW_DECAY = 0.03, 3.3, 3.5


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


def window_of(buffer_radius: float) -> float:
    """Return the share of the electrons by which a divided density may be off.

    Measured on silica of 12 to 648 atoms, and a margin: what is further off has wrong levels
    filled.

    Parameters
    ----------
    buffer_radius : float
        In Å.

    Returns
    -------
    float
        At most 0.03.
    """
    return float(WIDEST_WINDOW * min(1.0, WINDOW_DECAY ** (WIDEST_AT - buffer_radius)))


def find_gap(
    energies: FloatArray, weights: FloatArray, electrons: float, window: float = WIDEST_WINDOW
) -> Gap:
    """Find the gap at the number of electrons.

    Of gaps that are wide enough to hold a chemical potential, the one nearest to that number. Where
    another is nearly as near it is not known which levels are filled, and no gap is given.

    Parameters
    ----------
    energies, weights : ndarray, shape (n,)
        Orbitals of all subsystems: energy in Hartree, and weight in the central boxes.
    electrons : float
        Their number.
    window : float
        Share of the electrons by which a divided density may be off.

    Returns
    -------
    Gap
        Of zero width where there is none.
    """
    order = np.argsort(energies)
    every = energies[order]
    e = every[weights[order] > _FAINT]
    # Faint orbitals do not end a gap, but the many of them count: up to the middle of each gap.
    filled = np.concatenate(([0.0], np.cumsum(2 * weights[order])))
    count = filled[np.searchsorted(every, (e[:-1] + e[1:]) / 2)]
    excess, widths = np.abs(count - electrons), np.diff(e)
    near = np.flatnonzero(excess <= max(window * electrons, _ELECTRON / 2))
    wide = near[widths[near] >= SMALLEST_GAP]
    wide = wide[np.argsort(excess[wide])]
    doubtful = wide.size > 1 and excess[wide[1]] - excess[wide[0]] < _ELECTRON
    if near.size == 0 or doubtful:
        middle = float(e[min(int(np.searchsorted(count, electrons)), e.size - 1)])
        return Gap(middle, middle)
    best = wide[0] if wide.size else near[np.argmax(widths[near])]
    return Gap(float(e[best]), float(e[best + 1]))


def gap_around(energies: FloatArray, weights: FloatArray, level: float) -> Gap:
    """Return the gap that a chemical potential lies in.

    Parameters
    ----------
    energies, weights : ndarray, shape (n,)
        Orbitals of all subsystems: energy in Hartree, and weight in the central boxes.
    level : float
        Chemical potential in Hartree.

    Returns
    -------
    Gap
        From the orbital below it to that above.
    """
    e = energies[weights > _FAINT]
    below, above = e[e < level], e[e >= level]
    lower = float(below.max()) if below.size else level
    return Gap(lower, float(above.min()) if above.size else level)
