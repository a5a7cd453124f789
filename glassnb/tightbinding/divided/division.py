"""How a structure is divided, and what one calculation leaves to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.tightbinding.basis import Basis
from glassnb.tightbinding.divided.occupation import OCCUPATIONS, window_of
from glassnb.tightbinding.divided.partition import Partition, partition
from glassnb.tightbinding.divided.solver import DividedSolution, DividedSolver
from glassnb.tightbinding.divided.subsystem import Cluster
from glassnb.tightbinding.divided.workers import Crew
from glassnb.tightbinding.parameters import BOHR

__all__ = ["Division", "crew_of"]

FloatArray = NDArray[np.float64]

SMALLEST_BUFFER = 2.0  # Å; below it no atom keeps its bonds
SMALLEST_BOX = 2.0  # Å
SKIN = 2.0  # Å


@dataclass
class Division:
    """How structures are divided, and what one calculation leaves to the next.

    Parameters
    ----------
    buffer_radius : float
        How far from the atoms of its box a subsystem reaches, in Å.
    box : float
        Approximate edge of the central boxes in Å.
    skin : float
        Subsystems stay as they are while no two atoms changed their distance by more than this,
        in Å. New ones change the energy, by 0.2 to 0.6 meV an atom in cristobalite at a buffer of
        5 Å, a tenth of its error: so they have to last while atoms vibrate.
    occupation : str
        ``"gap"``: the chemical potential is held in the gap. ``"thermal"``: it fixes the number of
        electrons. ``"auto"``: as the spectrum of the first structure demands, and so from then on;
        where a gap closes while charges settle, the number is fixed that it showed, which holds the
        electrons that the division has too many or too few.

    Attributes
    ----------
    renewals : int
        How often subsystems were drawn anew for the same atoms.

    Raises
    ------
    ValueError
        If a length is too small, or ``occupation`` is unknown.
    """

    buffer_radius: float
    box: float = 7.0
    skin: float = SKIN
    occupation: str = "auto"
    renewals: int = field(default=0, init=False, compare=False)
    _partition: Partition | None = field(default=None, repr=False, compare=False)
    _chosen: str | None = field(default=None, repr=False, compare=False)
    _level: float | None = field(default=None, repr=False, compare=False)
    _scale: float = field(default=1.0, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, least in (("buffer_radius", SMALLEST_BUFFER), ("box", SMALLEST_BOX), ("skin", 0)):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= least):
                raise ValueError(f"{name}={value}: must be a distance of at least {least} Å")
        if self.occupation not in OCCUPATIONS:
            known = ", ".join(OCCUPATIONS)
            raise ValueError(f"occupation={self.occupation!r}: must be one of {known}")

    @property
    def subsystems(self) -> Partition | None:
        """The subsystems in use."""
        return self._partition

    def partition(self, atoms: Atoms) -> Partition:
        """Return the subsystems of a structure: the present ones, if they fit.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.

        Returns
        -------
        Partition
            Its subsystems.
        """
        old = self._partition
        if old is not None and old.fits(atoms, self.skin):
            return old
        if old is None or not np.array_equal(old.numbers, atoms.numbers):
            self._chosen, self._level, self._scale, self.renewals = None, None, 1.0, 0
        else:
            self.renewals += 1
        self._partition = partition(atoms, self.box, self.buffer_radius)
        return self._partition

    def solver(
        self,
        crew: Crew,
        basis: Basis,
        temperature: float,
        start: FloatArray,
        expected: float | None = None,
        smearing: float | None = None,
    ) -> DividedSolver:
        """Return the solver of a geometry, which goes on from the one before.

        Parameters
        ----------
        crew : Crew
            Its subsystems.
        basis : Basis
            Shells of the structure.
        temperature : float
            Boltzmann's constant times the electronic temperature, in Hartree.
        start : ndarray, shape (n_shells,)
            Charges to begin with, in e.
        expected : float, optional
            A chemical potential that is likely to lie in the gap, in Hartree.
        smearing : float, optional
            Boltzmann's constant times the temperature of thermal occupations, in Hartree, if it is
            not that of others.

        Returns
        -------
        DividedSolver
            For self-consistent charges.
        """
        electrons = float(basis.occupations.sum())
        return DividedSolver(
            crew, basis, electrons, temperature,
            occupation=self._chosen or self.occupation, level=self._level, expected=expected,
            populations=basis.occupations - start, scale=self._scale,
            window=window_of(self.buffer_radius), smearing=smearing,
            surplus=None if self._chosen is None else electrons * (1 / self._scale - 1),
        )  # fmt: skip

    def remember(self, solution: DividedSolution) -> None:
        """Keep the occupation of a self-consistent solution for the structures to come.

        Parameters
        ----------
        solution : DividedSolution
            The solution.
        """
        self._chosen = solution.occupation
        self._level = solution.level if solution.occupation == "gap" else None
        self._scale = solution.scale


def crew_of(
    atoms: Atoms,
    division: Division,
    basis: Basis,
    cn: FloatArray,
    memory_limit: float | None,
    client: Any,
    taken: float = 0.0,
) -> Crew:
    """Cut the clusters of a division out of a structure.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    division : Division
        How to divide it.
    basis : Basis
        Its shells.
    cn : ndarray, shape (n_atoms,)
        Its coordination numbers.
    memory_limit : float, optional
        Memory in GB for the matrices that each process keeps.
    client : dask.distributed.Client, optional
        Whose workers to use.

    Returns
    -------
    Crew
        The subsystems, and who works on them.
    """
    parts = division.partition(atoms)
    positions, cell = parts.follow(atoms), np.asarray(atoms.cell)
    first = basis.first_shell
    orbitals = basis.orbitals_of_species[basis.species]
    clusters, sizes = [], []
    for members, images, n_central in zip(
        parts.members, parts.images, parts.n_central.tolist(), strict=True
    ):
        shells = [np.arange(first[atom], first[atom + 1]) for atom in members]
        clusters.append(
            Cluster(
                numbers=parts.numbers[members],
                positions=(positions[members] + images @ cell) / BOHR,
                coordination_numbers=cn[members],
                n_central=n_central,
                atoms=members,
                shells=np.concatenate(shells),
            )
        )
        sizes.append(int(orbitals[members].sum()))
    limit = None if memory_limit is None else memory_limit * 1e9
    return Crew(clusters, sizes, limit, client, taken)
