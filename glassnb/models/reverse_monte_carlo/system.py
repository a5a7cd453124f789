"""The structure as the kernels see it: sorted by species, in fractional coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.structure import (
    check_atoms,
    check_unconstrained,
    half_box,
    pairs_of,
    reduced_lattice,
    species_of,
)
from glassnb.models.reverse_monte_carlo import _kernels
from glassnb.models.reverse_monte_carlo.constraints import Constraint, FixedAtoms, MinimumDistance
from glassnb.scattering.composition import isotope_shares

__all__ = ["System"]


class System:
    """Atoms, cell and pairs of species.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure as given; periodic in three directions.
    r_max : float or None
        Largest distance in Å that is counted; half the smallest height of the lattice for None.
    bin_width : float
        Wanted width of the distance bins in Å; a whole number of bins makes up ``r_max``.
    """

    def __init__(self, atoms: Atoms, r_max: float | None, bin_width: float) -> None:
        check_atoms(atoms, periodic=True, minimum=2)
        check_unconstrained(atoms, "give the atoms to FixedAtoms(...) among the constraints, and ")
        self.start = atoms.copy()
        self.reach = half_box(atoms)
        self.r_max = self._checked_range(r_max)
        if not (np.isfinite(bin_width) and 0 < bin_width <= self.r_max):
            raise ValueError(
                f"bin_width={bin_width}: must be positive and at most r_max={self.r_max:.2f} Å"
            )
        n_bins = max(1, round(self.r_max / bin_width))
        self.edges = np.linspace(0.0, self.r_max, n_bins + 1)
        self.symbols, codes = species_of(atoms)
        self.isotopes = isotope_shares(atoms)
        self.order = np.argsort(codes, kind="stable")
        self.species = np.ascontiguousarray(codes[self.order])
        n_species = len(self.symbols)
        self.starts = np.searchsorted(self.species, np.arange(n_species + 1)).astype(np.int64)
        self.pairs = pairs_of(self.symbols)
        self.pair_index = np.zeros((n_species, n_species), dtype=np.int64)
        for k, (a, b) in enumerate(self.pairs):
            i, j = self.symbols.index(a), self.symbols.index(b)
            self.pair_index[i, j] = self.pair_index[j, i] = k
        # The kernels' nearest image is the right one up to half the heights of their cell.
        self.cell = np.ascontiguousarray(reduced_lattice(atoms).cell.array)
        inverse = np.linalg.inv(self.cell)
        self.volume = float(abs(np.linalg.det(self.cell)))
        self.fractional = np.ascontiguousarray((atoms.positions[self.order] @ inverse).T)
        self.first = self.fractional.copy()
        self.box = _kernels.Box(
            self.species, self.starts, self.pair_index, self.cell, inverse,
            self.cell @ self.cell.T, np.zeros((n_species, n_species)), self.n_bins / self.r_max,
        )  # fmt: skip

    def __len__(self) -> int:
        """Return the number of atoms."""
        return int(self.species.size)

    @property
    def n_bins(self) -> int:
        """Number of distance bins."""
        return self.edges.size - 1

    @property
    def concentrations(self) -> NDArray[np.float64]:
        """Fraction of the atoms of each species, shape (n_species,)."""
        return np.diff(self.starts) / len(self)

    def displacements(self) -> NDArray[np.float64]:
        """Return how far each atom has moved since the start, in the order given, in Å."""
        moved = np.empty((len(self), 3))
        moved[self.order] = (self.fractional - self.first).T @ self.cell
        return moved

    def atoms(self) -> Atoms:
        """Return the present structure, in the order given; atoms are not wrapped."""
        atoms = self.start.copy()
        atoms.positions += self.displacements()
        return atoms

    def histogram(self) -> NDArray[np.int64]:
        """Count unordered pairs by pair of species and distance."""
        counts: NDArray[np.int64] = _kernels.histogram(self.fractional, self.box, self.n_bins)
        return counts

    def index(self, symbol: str, owner: str) -> int:
        """Return the number of a species, or stop on one that is absent."""
        if symbol not in self.symbols:
            raise ValueError(
                f"{owner}: {symbol} is not in the structure; its species are "
                f"{', '.join(self.symbols)}"
            )
        return self.symbols.index(symbol)

    def within_reach(self, distance: float, owner: str) -> float:
        """Return a distance, or stop if it has more than one image in this cell."""
        if distance > self.reach * (1 + 1e-9):
            raise ValueError(
                f"{owner}: {distance:.2f} Å is more than half the smallest height of the cell "
                f"({self.reach:.2f} Å); use a larger structure or a shorter distance"
            )
        return distance

    def movable(self, constraints: Sequence[Constraint]) -> NDArray[np.int64]:
        """Return the sorted places of the atoms that may move."""
        free = np.ones(len(self), dtype=bool)
        for constraint in constraints:
            if not isinstance(constraint, FixedAtoms):
                continue
            beyond = [i for i in constraint.indices if i >= len(self)]
            if beyond:
                raise ValueError(f"FixedAtoms: there is no atom {beyond[0]} in {len(self)} atoms")
            free[list(constraint.indices)] = False
        places = np.flatnonzero(free[self.order])
        if places.size == 0:
            raise ValueError("FixedAtoms: every atom is fixed; leave some free to move")
        return places.astype(np.int64)

    def minimum_distances(self, constraints: Sequence[Constraint]) -> NDArray[np.float64]:
        """Return the distances below which no pair may come, by species, in Å."""
        n_species = len(self.symbols)
        limits = np.zeros((n_species, n_species))
        for constraint in constraints:
            if not isinstance(constraint, MinimumDistance):
                continue
            for (a, b), distance in constraint.distances.items():
                i, j = (self.index(symbol, "MinimumDistance") for symbol in (a, b))
                self.within_reach(distance, f"MinimumDistance {a}-{b}")
                limits[i, j] = limits[j, i] = max(limits[i, j], distance)
        return limits

    def _checked_range(self, r_max: float | None) -> float:
        if r_max is None:
            return self.reach
        if not (np.isfinite(r_max) and 0 < r_max <= self.reach * (1 + 1e-9)):
            raise ValueError(
                f"r_max={r_max}: must be positive and at most half the smallest height of the "
                f"cell, {self.reach:.3f} Å, where each pair has one nearest image"
            )
        return float(r_max)
