"""Random structures from which melts are made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from ase import Atoms, units
from ase.data import atomic_masses, atomic_numbers, covalent_radii
from scipy.spatial import cKDTree

__all__ = ["random_alloy", "random_silica"]

MINIMUM_DISTANCE = 1.6  # Å: the Si-O bond
# Spheres put one by one at random, never to be moved, fill 0.38 of space, and slowly near the end.
FILLING = 0.27
LEAST_SHARE = 0.55  # of the covalent radii; closer atoms fall into each other in some potentials


def random_silica(n_atoms: int, density: float = 2.20, *, seed: int = 0) -> Atoms:
    """Put atoms of SiO2 at random into a cubic box, none closer than a Si-O bond.

    Parameters
    ----------
    n_atoms : int
        Number of atoms, a multiple of 3.
    density : float
        Mass density in g/cm³, at most 5.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    ase.Atoms
        Silicon, then oxygen, periodic.

    Raises
    ------
    ValueError
        If the number of atoms is not a multiple of 3, or the density is not between 0 and 5.
    """
    if n_atoms <= 0 or n_atoms % 3:
        raise ValueError(f"n_atoms={n_atoms}: SiO2 needs a positive multiple of 3")
    if not 0 < density <= 5:
        raise ValueError(f"density={density}: must be between 0 and 5 g/cm³")
    atoms = Atoms("Si" * (n_atoms // 3) + "O" * (2 * n_atoms // 3), pbc=True)
    edge = box_edge(silica_mass(n_atoms), density)
    atoms.set_cell([edge] * 3)
    spheres = [(n_atoms, MINIMUM_DISTANCE / 2)]
    atoms.positions[:] = _scatter(spheres, edge, np.random.default_rng(seed))[0]
    return atoms


def random_alloy(counts: Mapping[str, int], density: float, *, seed: int = 0) -> Atoms:
    """Put atoms of any elements at random into a cubic box, without overlap.

    Atoms are spheres in the ratio of their covalent radii (Cordero et al., Dalton Trans. 2832
    (2008)) that fill 0.27 of the box: about 0.7 of these radii in usual alloys, so that no two are
    closer than 1.8 Å for Cu-Cu and 2.3 Å for Zr-Zr in Cu50Zr50.

    Parameters
    ----------
    counts : dict of str to int
        Number of atoms of each element.
    density : float
        Mass density in g/cm³.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    ase.Atoms
        Periodic, element after element in the order of ``counts``.

    Raises
    ------
    ValueError
        If an element is unknown, a number or the density is not positive, or so dense a box
        cannot be filled at random.
    """
    for symbol, count in counts.items():
        if symbol not in atomic_numbers or count < 1:
            raise ValueError(f"counts={counts}: must map chemical symbols to positive numbers")
    if not counts or not 0 < density < math.inf:
        raise ValueError(f"counts={counts}, density={density}: must be positive (g/cm³)")
    edge = box_edge(alloy_mass(counts), density)
    radii = {symbol: float(covalent_radii[atomic_numbers[symbol]]) for symbol in counts}
    volume = sum(4 / 3 * math.pi * radii[symbol] ** 3 * n for symbol, n in counts.items())
    share = math.cbrt(FILLING * edge**3 / volume)
    if share < LEAST_SHARE:
        raise ValueError(
            f"density={density}: too dense for a random start of {'-'.join(counts)}; use at most "
            f"{density * (share / LEAST_SHARE) ** 3:.3g} g/cm³, and pressure to compress"
        )
    radii = {symbol: min(share, 1.0) * radius for symbol, radius in radii.items()}
    large_first = sorted(counts, key=lambda symbol: -radii[symbol])
    spheres = [(counts[symbol], radii[symbol]) for symbol in large_first]
    points = _scatter(spheres, edge, np.random.default_rng(seed))
    of = dict(zip(large_first, points, strict=True))
    symbols = [symbol for symbol, count in counts.items() for _ in range(count)]
    positions = np.concatenate([of[symbol] for symbol in counts])
    return Atoms(symbols, positions, cell=[edge] * 3, pbc=True)


def silica_mass(n_atoms: int) -> float:
    """Return the mass in u of ``n_atoms`` of SiO2."""
    return float(Atoms("SiO2").get_masses().sum() * n_atoms / 3)


def alloy_mass(counts: Mapping[str, int]) -> float:
    """Return the mass in u of so many atoms of each element."""
    return float(sum(atomic_masses[atomic_numbers[s]] * n for s, n in counts.items()))


def box_edge(mass: float, density: float) -> float:
    """Return the edge in Å of the cube that holds ``mass`` in u at ``density`` in g/cm³."""
    return math.cbrt(mass * units._amu * 1.0e27 / density)


def _scatter(
    spheres: Sequence[tuple[int, float]], edge: float, rng: np.random.Generator
) -> list[npt.NDArray[np.float64]]:
    """Fill the box with so many spheres of each radius, in rounds.

    Of two points too close to each other, the later one is dropped.
    """
    done: list[tuple[npt.NDArray[np.float64], float]] = []
    for count, radius in spheres:
        accepted = np.empty((0, 3))
        while len(accepted) < count:
            points = rng.random((count - len(accepted), 3)) * edge
            for others, size in [*done, (accepted, radius)]:
                if len(others) and len(points):
                    nearest, _ = cKDTree(others, boxsize=edge).query(points)
                    points = points[nearest >= radius + size]
            tree = cKDTree(points, boxsize=edge)
            close = tree.query_pairs(2 * radius, output_type="ndarray")
            keep = np.ones(len(points), dtype=bool)
            keep[close.max(axis=1)] = False
            accepted = np.concatenate([accepted, points[keep]])
        done.append((accepted, radius))
    return [points for points, _ in done]
