"""Energy, charges and derivatives of one divided structure, in Hartree and bohr."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.progress import ProgressOption
from glassnb.tightbinding.basis import Basis, basis_of
from glassnb.tightbinding.coordination_number import (
    CN_CUTOFF,
    coordination_gradient,
    coordination_numbers,
)
from glassnb.tightbinding.divided.cycles import divided_charges
from glassnb.tightbinding.divided.derivatives import band_derivatives
from glassnb.tightbinding.divided.division import SKIN, Division, crew_of
from glassnb.tightbinding.divided.solver import DividedSolution, DividedSolver
from glassnb.tightbinding.divided.workers import Crew
from glassnb.tightbinding.electrostatics import Dispersion, dispersion
from glassnb.tightbinding.electrostatics.dispersion import PAIR_MATRICES
from glassnb.tightbinding.integrals.pairs import AtomPairs, atom_pairs
from glassnb.tightbinding.parameters import BOHR, KELVIN
from glassnb.tightbinding.repulsion import repulsion
from glassnb.tightbinding.self_consistency import (
    ChargeField,
    ConvergenceError,
    SelfConsistency,
    self_consistent_charges,
    starting_charges,
)
from glassnb.tightbinding.structure import plain

__all__ = ["DividedSinglePoint", "divided_single_point"]

FloatArray = NDArray[np.float64]

DEFAULT_BUFFER = 6.0  # Å
# A division that gives first charges, and where they lead, at little cost.
COARSE_BUFFER, COARSE_BOX, COARSE_TOLERANCE = 3.5, 3.6, 2e-3
# Of its thermal occupations, in K: where levels cross, charges settle in a warm density only.
COARSE_TEMPERATURE = 3000.0


@dataclass(frozen=True)
class DividedSinglePoint:
    """One divided structure with self-consistent charges, in Hartree and bohr.

    Parameters
    ----------
    atoms : ase.Atoms
        What counts of it.
    basis : Basis
        Its orbitals.
    pairs : AtomPairs
        Pairs of atoms in reach of coordination numbers and repulsion.
    division : Division
        How it was divided.
    crew : Crew
        The subsystems.
    field : ChargeField
        What charges feel.
    scc : SelfConsistency
        Charges and solution.
    repulsion : tuple of ndarray
        Energies of the atoms, gradient and virial.
    dispersion : Dispersion
        Energy, gradient and virial.
    lattice_sum : str
        ``"converged"`` or ``"tblite"``.
    """

    atoms: Atoms
    basis: Basis
    pairs: AtomPairs
    division: Division
    crew: Crew
    field: ChargeField
    scc: SelfConsistency[DividedSolution]
    repulsion: tuple[FloatArray, FloatArray, FloatArray]
    dispersion: Dispersion
    lattice_sum: str

    @cached_property
    def energies(self) -> FloatArray:
        """Energy of each atom in Hartree; their sum is the total energy.

        Shared as in the undivided solver, and the electrons that the density has too many or too
        few by the populations.

        Raises
        ------
        ValueError
            If they need more memory than allowed.
        """
        n_atoms, limit = len(self.atoms), self.crew.memory_limit
        needed = 8.0 * PAIR_MATRICES * n_atoms**2
        if limit is not None and needed > limit:
            raise ValueError(
                f"memory_limit={limit / 1e9:g} GB: the dispersion energies of {n_atoms} single "
                f"atoms take {needed / 1e9:.2g} GB; raise it, or ask for the total energy only"
            )
        attraction = _dispersion(self.atoms, self.lattice_sum, per_atom=True).energies
        assert attraction is not None
        entropy = self.scc.solution.entropy_energy / self.basis.species.size
        return np.asarray(self._without_dispersion + entropy + attraction)

    @property
    def energy(self) -> float:
        """Total energy in Hartree, the entropy term included."""
        total = float(self._without_dispersion.sum()) + self.scc.solution.entropy_energy
        return total + self.dispersion.energy

    @cached_property
    def _without_dispersion(self) -> FloatArray:
        charged = self.field.energies(self.scc.charges)
        return np.asarray(self.scc.solution.band_energies + charged + self.repulsion[0])

    @property
    def charges(self) -> FloatArray:
        """Charges of the atoms in e."""
        return self.field.atom_charges(self.scc.charges)

    @property
    def shell_charges(self) -> FloatArray:
        """Charges of the shells in e."""
        return self.scc.charges

    @property
    def gap(self) -> float:
        """From the highest filled to the lowest empty orbital, in Hartree."""
        return self.scc.solution.gap

    @property
    def occupation(self) -> str:
        """How orbitals are occupied: ``"gap"`` or ``"thermal"``; see :class:`Division`."""
        return self.scc.solution.occupation

    def bond_orders(self) -> FloatArray:
        """Refuse: bond orders need the undivided density.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError("bond orders: only without division; use buffer_radius=None")

    @cached_property
    def derivatives(self) -> tuple[FloatArray, FloatArray]:
        """Gradient (n_atoms, 3) in Hartree/bohr, and virial (3, 3) in Hartree.

        Those of the divided energy, for fixed subsystems: nothing is left out. They need about
        half the time of the charges.
        """
        charges, coulomb = self.scc.charges, self.field.coulomb
        band = band_derivatives(self.crew, self.basis, self.field, charges, self.scc.solution)
        both, alone = coulomb.gradient(charges + band.charges), coulomb.gradient(band.charges)
        by_cn = coordination_gradient(self.basis, self.pairs, band.cn_slopes)
        gradient = band.gradient + by_cn[0] + both[0] - alone[0]
        virial = band.virial + by_cn[1] + both[1] - alone[1]
        gradient = gradient + self.repulsion[1] + self.dispersion.gradient
        virial = virial + self.repulsion[2] + self.dispersion.virial
        return gradient, (virial + virial.T) / 2


def divided_single_point(
    atoms: Atoms,
    *,
    buffer_radius: float = DEFAULT_BUFFER,
    box: float = 7.0,
    skin: float = SKIN,
    occupation: str = "auto",
    lattice_sum: str = "converged",
    electronic_temperature: float = 300.0,
    charge: float = 0.0,
    multiplicity: int | None = None,
    memory_limit: float | None = None,
    client: Any = None,
    previous: DividedSinglePoint | None = None,
    start: FloatArray | None = None,
    tolerance: float = 3e-6,
    max_cycles: int = 200,
    progress: ProgressOption = None,
) -> DividedSinglePoint:
    """Solve for the charges of a structure by divide and conquer.

    Parameters
    ----------
    atoms : ase.Atoms
        A neutral molecule, or a neutral structure that is periodic in all directions.
    buffer_radius, box, skin : float
        Lengths in Å; see :class:`Division`.
    occupation : str
        ``"auto"``, ``"gap"`` or ``"thermal"``; see :class:`Division`.
    lattice_sum : str
        ``"converged"`` or ``"tblite"``: how the electrostatics of a periodic structure are summed.
    electronic_temperature : float
        In K.
    charge : float
        Total charge in e, which must be 0.
    multiplicity : int, optional
        Unpaired electrons plus 1, which must be 1.
    memory_limit : float, optional
        Memory in GB for the matrices that each process keeps; what does not fit is worked out anew.
    client : dask.distributed.Client, optional
        Whose workers calculate the subsystems; threads of this process when omitted.
    previous : DividedSinglePoint, optional
        Result for a structure before this one: its subsystems and chemical potential are used
        again, so that energies form one smooth surface.
    start : ndarray, shape (n_shells,), optional
        Shell charges to begin with, in e; from a coarse division when omitted.
    tolerance : float
        Largest change of a shell charge in the last cycle, in e.
    max_cycles : int
        Cycles after which to give up.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`.

    Returns
    -------
    DividedSinglePoint
        Energies, charges and derivatives, in Hartree and bohr.

    Raises
    ------
    ValueError
        If an argument is out of range, an element has no parameters, there is a charge or an
        unpaired electron, or the gap closed in which the chemical potential was held.
    ConvergenceError
        If the charges do not settle.
    """
    atoms = plain(atoms)
    division = Division(buffer_radius, box, skin, occupation)
    if isinstance(previous, DividedSinglePoint) and previous.division == division:
        division = previous.division
    basis = basis_of(atoms.numbers)
    _check_closed_shell(basis, charge, multiplicity)
    pairs = atom_pairs(atoms, CN_CUTOFF)
    cn = coordination_numbers(basis, pairs)
    charge_field = ChargeField(basis, atoms, lattice_sum)
    temperature = electronic_temperature * KELVIN
    coarse = Division(min(COARSE_BUFFER, buffer_radius), COARSE_BOX, occupation=division.occupation)
    # The coarse subsystems come first: they are asked more often, and take longer to set up than
    # to solve.
    rough = crew_of(atoms, coarse, basis, cn, memory_limit, None)
    crew = crew_of(atoms, division, basis, cn, memory_limit, client, taken=rough.kept)
    rough.geometry = f"{crew.geometry}/coarse"
    guess = starting_charges(basis) if start is None else start
    smearing = max(electronic_temperature, COARSE_TEMPERATURE) * KELVIN
    helper = coarse.solver(rough, basis, temperature, guess, smearing=smearing)
    if start is None:
        start = _first_charges(helper, basis, charge_field, guess)
    else:  # forecasts compare solutions; the first of all does not know its own electrons yet
        helper.solve(charge_field.potential(start))
    solver = division.solver(crew, basis, temperature, start, expected=helper.level)
    if helper.occupation == "thermal" and helper.surplus is not None and solver.surplus is None:
        # The gap was there and closed: here too it has to be seen to know what to count.
        solver.solve(charge_field.potential(guess))
    scc = divided_charges(
        solver, helper, basis, charge_field, start,
        tolerance=tolerance, max_cycles=max_cycles, progress=progress,
    )  # fmt: skip
    division.remember(scc.solution)
    attraction = _dispersion(atoms, lattice_sum, per_atom=False)
    return DividedSinglePoint(
        atoms,
        basis,
        pairs,
        division,
        crew,
        charge_field,
        scc,
        repulsion(basis, pairs),
        attraction,
        lattice_sum,
    )


def _dispersion(atoms: Atoms, lattice_sum: str, per_atom: bool) -> Dispersion:
    """Return the dispersion; energies of single atoms take matrices over all pairs."""
    cell = np.asarray(atoms.cell) / BOHR if atoms.pbc.any() else None
    return dispersion(
        atoms.numbers, atoms.positions / BOHR, cell, lattice_sum=lattice_sum, per_atom=per_atom
    )


def _check_closed_shell(basis: Basis, charge: float, multiplicity: int | None) -> None:
    """Stop on what only the undivided solver can do."""
    remedy = "use buffer_radius=None, the undivided solver"
    if charge != 0:
        raise ValueError(f"charge={charge}: a divided structure must be neutral; {remedy}")
    if multiplicity not in (None, 1):
        raise ValueError(
            f"multiplicity={multiplicity}: a divided structure has no unpaired electrons; {remedy}"
        )
    electrons = round(float(basis.occupations.sum()))
    if electrons % 2:
        raise ValueError(
            f"atoms: an odd number of electrons ({electrons}), but a divided structure has no "
            f"unpaired ones; {remedy}"
        )


def _first_charges(
    coarse: DividedSolver, basis: Basis, charge_field: ChargeField, guess: FloatArray
) -> FloatArray:
    """Return charges to begin with: those of a coarse division."""
    try:
        return self_consistent_charges(
            coarse, basis, charge_field, guess, tolerance=COARSE_TOLERANCE, max_cycles=40,
            progress=False,
        ).charges  # fmt: skip
    except ConvergenceError:
        return guess
