"""Orbitals and occupations of a divided structure in a given potential.

The density is that of W. Yang and T.-S. Lee, J. Chem. Phys. 103, 5674 (1995): each subsystem gives
the rows and columns of its central box. With a gap, the chemical potential m is held inside it, the
density has N' electrons instead of N, and the energy

    E = Tr P H0 - m (N' - N) + E_charges(N/N' p)

is right to first order in N' - N. The populations p are scaled to N, and the potential is counted
from its mean over the electrons, or else the energy of the missing electrons would be missed. E is
stationary in the density where subsystems feel N/N' of that potential: its derivatives then are
those of its parts.

Where the gap closes on the way to self-consistent charges, because a few levels of defects cross,
the count N' that the gap showed is held, not N: the electrons by which a density is off stay what
they are, and looking for them among the levels of defects would fill or empty dozens of these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glassnb.tightbinding.basis import Basis
from glassnb.tightbinding.divided.occupation import (
    SMALLEST_GAP,
    WIDEST_WINDOW,
    Gap,
    find_gap,
    gap_around,
)
from glassnb.tightbinding.divided.subsystem import Levels, Share
from glassnb.tightbinding.divided.workers import Crew, State
from glassnb.tightbinding.occupation import count_fixed, entropies, fermi
from glassnb.tightbinding.parameters import HARTREE

__all__ = ["DividedSolution", "DividedSolver", "GapError", "Request"]

FloatArray = NDArray[np.float64]

_WHOLE = 25.0  # exp(-25) of an electron is none
CLOSE = 0.25 / HARTREE  # how near to a held chemical potential an orbital must not come


class GapError(ValueError):
    """The gap closed while the chemical potential was held in it."""


@dataclass(frozen=True)
class Request:
    """What subsystems are asked for.

    Parameters
    ----------
    token : str
        Name of the potential.
    potential : ndarray, shape (n_shells,)
        For the whole structure, in Hartree.
    level : float or None
        Chemical potential; without it, only levels are asked for.
    temperature : float
        Boltzmann's constant times the temperature, in Hartree.
    """

    token: str
    potential: FloatArray
    level: float | None
    temperature: float


@dataclass(frozen=True)
class DividedSolution:
    """Occupied orbitals of all subsystems, put together.

    Parameters
    ----------
    populations : ndarray, shape (n_shells,)
        Electrons of each shell, scaled to the right number.
    band_energies : ndarray, shape (n_atoms,)
        Share of each atom in the energy without charges, corrected for the electrons that the
        density has too many or too few, in Hartree.
    entropy_energy : float
        Minus temperature times entropy, in Hartree.
    occupation : str
        ``"gap"`` or ``"thermal"``.
    edges : Gap
        Of the weighted spectrum.
    level : float
        Chemical potential in Hartree, counted with the mean potential of the electrons as zero.
    scale : float
        Right number of electrons over that of the density.
    request : Request
        Potential and level that led here.
    """

    populations: FloatArray
    band_energies: FloatArray
    entropy_energy: float
    occupation: str
    edges: Gap
    level: float
    scale: float
    request: Request

    @property
    def gap(self) -> float:
        """From the highest filled to the lowest empty orbital, in Hartree."""
        return self.edges.width


class DividedSolver:
    """Solver of the subsystems of one geometry.

    Parameters
    ----------
    crew : Crew
        The subsystems.
    basis : Basis
        Shells of the whole structure.
    electrons : float
        Their number, shared evenly between the spins.
    temperature : float
        Boltzmann's constant times the electronic temperature, in Hartree.
    occupation : str
        ``"gap"``, ``"thermal"``, or ``"auto"`` to let the spectrum decide.
    level : float, optional
        Chemical potential to hold where there is a gap, in Hartree; the middle of the gap when
        omitted.
    expected : float, optional
        One that is likely to lie in the gap, in Hartree: if it does, it saves a pass.
    populations : ndarray, shape (n_shells,), optional
        Electrons of each shell, to begin with.
    scale : float
        Right number of electrons over that of the density, to begin with.
    window : float
        Share of the electrons by which the density may be off.
    surplus : float, optional
        Electrons that the density had too many when there was a gap.
    smearing : float, optional
        Boltzmann's constant times the temperature of thermal occupations, in Hartree, if it is not
        that of others.
    """

    def __init__(
        self,
        crew: Crew,
        basis: Basis,
        electrons: float,
        temperature: float,
        *,
        occupation: str = "auto",
        level: float | None = None,
        expected: float | None = None,
        populations: FloatArray | None = None,
        scale: float = 1.0,
        window: float = WIDEST_WINDOW,
        surplus: float | None = None,
        smearing: float | None = None,
    ) -> None:
        self.crew = crew
        self.basis = basis
        self.electrons = electrons
        self.temperature = temperature
        self.occupation = occupation
        self._held = level
        self._level = expected if level is None else level
        self._populations = basis.occupations if populations is None else populations
        self._scale = scale
        self._window = window
        self._smearing = temperature if smearing is None else smearing
        self.surplus = surplus
        self._count = 0
        self._reopened = occupation != "auto"

    @property
    def level(self) -> float | None:
        """The last chemical potential in a gap, in Hartree."""
        return self._level

    def solve(self, potential: FloatArray) -> DividedSolution:
        """Solve all subsystems and occupy their orbitals.

        Parameters
        ----------
        potential : ndarray, shape (n_shells,)
            Potential at each shell in Hartree.

        Returns
        -------
        DividedSolution
            Populations and energies.

        Raises
        ------
        GapError
            If the chemical potential is held in a gap that has closed.
        """
        mean = float(np.dot(potential, self._populations)) / float(self._populations.sum())
        self._count += 1
        token = f"{self.crew.geometry}/{self._count}"
        shifted = self._scale * (potential - mean)
        # The level of the cycle before serves in a gap; else it takes all levels to find it.
        known = self._level if self.occupation != "thermal" else None
        request = Request(token, shifted, known, self.temperature)
        found = self.crew.run(occupied, request)
        levels = [item[0] for item in found]
        edges, mode, level = self._occupy(levels)
        temperature = self.temperature if mode == "gap" else self._smearing
        request = Request(token, shifted, level, temperature)
        if not (mode == "gap" and self._whole(edges, known) and self._whole(edges, level)):
            found = self.crew.run(occupied, request)  # orbitals are still there
        solution = self._put_together(levels, [item[1] for item in found], edges, mode, request)
        self._populations, self._scale = solution.populations, solution.scale
        self._level = level if mode == "gap" else None
        return solution

    def settled(self, solution: DividedSolution) -> bool:
        """Say whether self-consistent charges may stay, or another occupation has to be tried.

        Parameters
        ----------
        solution : DividedSolution
            That of the charges.

        Returns
        -------
        bool
            False once, if a gap opened on the way to charges that were occupied thermally.

        Raises
        ------
        GapError
            If there is no gap to hold the chemical potential.
        """
        if solution.occupation == "thermal":
            if self._reopened or solution.gap < SMALLEST_GAP:
                return True
            self.occupation, self._reopened = "auto", True
            return False
        if self._held is None and solution.gap < SMALLEST_GAP:
            raise GapError(
                f"occupation='gap': no gap of {SMALLEST_GAP * HARTREE:.0f} eV or more is found "
                f"within {self._window:.2%} of the number of electrons; use a larger "
                "buffer_radius, or occupation='auto' and a higher electronic_temperature (1000 "
                "to 3000 K)"
            )
        return True

    def _whole(self, edges: Gap, level: float | None) -> bool:
        """Say whether a chemical potential leaves all orbitals either filled or empty."""
        margin = _WHOLE * self.temperature
        return level is not None and edges.lower + margin < level < edges.upper - margin

    def _occupy(self, levels: list[Levels]) -> tuple[Gap, str, float]:
        """Return the gap, how to occupy, and the chemical potential."""
        energies = np.concatenate([item.energies for item in levels])
        weights = np.concatenate([item.weights for item in levels])
        if self.occupation != "thermal" and self._held is not None:
            edges = gap_around(energies, weights, self._held)
            distance = min(self._held - edges.lower, edges.upper - self._held)
            if distance < CLOSE:
                raise GapError(
                    f"occupation='gap': the gap closes, an orbital is {distance * HARTREE:.2f} eV "
                    "from the chemical potential held in it; begin anew with occupation='thermal' "
                    "and a higher electronic_temperature (1000 to 3000 K): energies of the two "
                    "occupations must not be compared"
                )
            return edges, "gap", self._held
        edges = find_gap(energies, weights, self.electrons, self._window)
        if self.occupation == "auto" and edges.width < SMALLEST_GAP:
            self.occupation = "thermal"  # charges that change it to and fro would never settle
        if self.occupation == "thermal":
            number = self.electrons + (self.surplus or 0.0)
            return edges, "thermal", count_fixed(energies, weights, number, self._smearing)
        if edges.width >= SMALLEST_GAP:
            self.surplus = 2 * float(weights[energies < edges.middle].sum()) - self.electrons
        return edges, "gap", edges.middle

    def _put_together(
        self,
        levels: list[Levels],
        shares: list[Share],
        edges: Gap,
        mode: str,
        request: Request,
    ) -> DividedSolution:
        basis = self.basis
        populations = np.zeros(basis.shell_atom.size)
        band = np.zeros(basis.species.size)
        assert request.level is not None
        entropy = 0.0
        for cluster, level, share in zip(self.crew.clusters, levels, shares, strict=True):
            np.add.at(populations, cluster.shells, share.populations)
            np.add.at(band, cluster.atoms, share.band_energies)
            energies = entropies(level.energies, request.level, request.temperature)
            entropy += float(np.dot(level.weights, energies))
        scale = self.electrons / float(populations.sum())
        on_atoms = np.bincount(basis.shell_atom, populations, band.size)
        band += request.level * (scale - 1) * on_atoms
        return DividedSolution(
            scale * populations, band, entropy, mode, edges, request.level, scale, request
        )


def occupied(state: State, request: Request) -> tuple[Levels, Share | None]:
    """Solve a subsystem, and occupy its orbitals if the chemical potential is known.

    Parameters
    ----------
    state : State
        The subsystem.
    request : Request
        The potential.

    Returns
    -------
    levels : Levels
        Energies and weights of its orbitals.
    share : Share or None
        What its density contributes.
    """
    levels, vectors = state.solved(request.token, request.potential)
    if request.level is None:
        return levels, None
    occupations = 2 * fermi(levels.energies, request.level, request.temperature)
    return levels, state.subsystem.share(vectors, occupations)
