"""Energy, charges and derivatives of one structure, in Hartree and bohr."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from ase import Atoms

from glassnb.core.progress import ProgressOption
from glassnb.tightbinding.basis import Basis, basis_of
from glassnb.tightbinding.coordination_number import (
    CN_CUTOFF,
    coordination_gradient,
    coordination_numbers,
)
from glassnb.tightbinding.electrostatics import Dispersion, dispersion
from glassnb.tightbinding.integrals.hamiltonian import Hamiltonian, hamiltonian
from glassnb.tightbinding.integrals.pairs import AtomPairs, atom_pairs
from glassnb.tightbinding.occupation import count_electrons
from glassnb.tightbinding.parameters import BOHR, KELVIN
from glassnb.tightbinding.repulsion import repulsion
from glassnb.tightbinding.self_consistency import (
    ChargeField,
    SelfConsistency,
    self_consistent_charges,
    starting_charges,
)
from glassnb.tightbinding.structure import plain
from glassnb.tightbinding.undivided import UndividedSolution, UndividedSolver

__all__ = ["SinglePoint", "single_point"]

FloatArray = npt.NDArray[np.float64]

MANY_ORBITALS = 1000


@dataclass(frozen=True)
class SinglePoint:
    """One structure with self-consistent charges, in Hartree and bohr.

    Parameters
    ----------
    basis : Basis
        Its orbitals.
    pairs : AtomPairs
        All pairs of atoms in reach.
    hamiltonian : Hamiltonian
        Overlap and Hamiltonian.
    field : ChargeField
        What charges feel.
    scc : SelfConsistency
        Charges and orbitals.
    repulsion : tuple of ndarray
        Energies of the atoms, gradient and virial.
    dispersion : Dispersion
        The same.
    """

    basis: Basis
    pairs: AtomPairs
    hamiltonian: Hamiltonian
    field: ChargeField
    scc: SelfConsistency[UndividedSolution]
    repulsion: tuple[FloatArray, FloatArray, FloatArray]
    dispersion: Dispersion

    @cached_property
    def energies(self) -> FloatArray:
        """Energy of each atom in Hartree; their sum is the total energy.

        The partition is Mulliken's: rows of the density matrix, half of each pair term, and an
        equal share of the entropy term (H. Nakai, Chem. Phys. Lett. 363, 73 (2002)).
        """
        solution = self.scc.solution
        energies = solution.band_energies + solution.entropy_energy / self.basis.species.size
        assert self.dispersion.energies is not None
        charged = self.field.energies(self.scc.charges)
        return np.asarray(energies + charged + self.repulsion[0] + self.dispersion.energies)

    @property
    def energy(self) -> float:
        """Total energy in Hartree, the entropy term included."""
        return float(self.energies.sum())

    @property
    def charges(self) -> FloatArray:
        """Charges of the atoms in e."""
        return self.field.atom_charges(self.scc.charges)

    @property
    def shell_charges(self) -> FloatArray:
        """Charges of the shells in e, to start the next calculation with."""
        return self.scc.charges

    @property
    def gap(self) -> float:
        """From the highest filled to the lowest empty orbital, in Hartree."""
        return self.scc.solution.gap

    def bond_orders(self) -> FloatArray:
        """Return the bond orders of Mayer.

        Returns
        -------
        ndarray, shape (n_atoms, n_atoms)
            See :meth:`glassnb.tightbinding.undivided.UndividedSolution.bond_orders`.
        """
        return self.scc.solution.bond_orders()

    @cached_property
    def derivatives(self) -> tuple[FloatArray, FloatArray]:
        """Gradient (n_atoms, 3) in Hartree/bohr, and virial (3, 3) in Hartree.

        At self-consistency the energy is stationary in the density, so that it changes only
        through the integrals, at a fixed density whose electrons stay orthonormal (the
        energy-weighted density matrix sees to that), through the kernel of the charges, and
        through the terms of the nuclei.
        """
        density, weighted = self.scc.solution.blocks()
        rows, columns = self.hamiltonian.places
        shell = self.basis.orbital_shell
        potential = self.field.potential(self.scc.charges)
        # A growing overlap moves electrons into a shell; each shell takes half of it.
        weighted = weighted + density * (potential[shell[rows]] + potential[shell[columns]]) / 2
        gradient, virial, cn_slopes = self.hamiltonian.gradient(density, weighted)
        others = (
            coordination_gradient(self.basis, self.pairs, cn_slopes),
            self.field.coulomb.gradient(self.scc.charges),
            self.repulsion[1:],
            (self.dispersion.gradient, self.dispersion.virial),
        )
        for other_gradient, other_virial in others:
            gradient = gradient + other_gradient
            virial = virial + other_virial
        return gradient, (virial + virial.T) / 2


def single_point(
    atoms: Atoms,
    *,
    lattice_sum: str = "converged",
    electronic_temperature: float = 300.0,
    charge: float = 0.0,
    multiplicity: int | None = None,
    start: FloatArray | None = None,
    tolerance: float = 3e-6,
    max_cycles: int = 200,
    progress: ProgressOption = None,
) -> SinglePoint:
    """Solve for the orbitals of a structure, undivided.

    Parameters
    ----------
    atoms : ase.Atoms
        A molecule, or a structure that is periodic in all directions (its Gamma point).
    lattice_sum : str
        ``"converged"`` or ``"tblite"``: how the electrostatics of a periodic structure are summed.
    electronic_temperature : float
        In K.
    charge : float
        Total charge in e.
    multiplicity : int, optional
        Unpaired electrons plus 1.
    start : ndarray, shape (n_shells,), optional
        Shell charges to begin with, in e.
    tolerance : float
        Largest change of a shell charge in the last cycle, in e.
    max_cycles : int
        Cycles after which to give up.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`.

    Returns
    -------
    SinglePoint
        Energies, charges and derivatives, in Hartree and bohr.

    Raises
    ------
    ValueError
        If the structure or an element cannot be treated, or charge and multiplicity do not go
        with it.
    ConvergenceError
        If the charges do not settle.
    """
    from threadpoolctl import threadpool_limits

    atoms = plain(atoms)
    basis = basis_of(atoms.numbers)
    if atoms.pbc.any() and charge != 0:
        raise ValueError(
            f"charge={charge}: a periodic structure must be neutral, because the energy of a "
            "charged crystal is infinite; compare neutral cells"
        )
    electrons = count_electrons(float(basis.occupations.sum()), charge, multiplicity)
    pairs = atom_pairs(atoms, max(CN_CUTOFF, float(basis.cutoffs.max())))
    built = hamiltonian(basis, pairs, coordination_numbers(basis, pairs))
    field = ChargeField(basis, atoms, lattice_sum)
    # Small matrices cost several threads more than one.
    with threadpool_limits(1 if basis.orbital_shell.size < MANY_ORBITALS else None, "blas"):
        solver = UndividedSolver(built, electrons, electronic_temperature * KELVIN)
        scc = self_consistent_charges(
            solver, basis, field, starting_charges(basis, charge) if start is None else start,
            tolerance=tolerance, max_cycles=max_cycles, progress=progress,
        )  # fmt: skip
    cell = np.asarray(atoms.cell) / BOHR if atoms.pbc.any() else None
    attraction = dispersion(atoms.numbers, atoms.positions / BOHR, cell, lattice_sum=lattice_sum)
    return SinglePoint(basis, pairs, built, field, scc, repulsion(basis, pairs), attraction)
