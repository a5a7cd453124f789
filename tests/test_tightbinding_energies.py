"""The undivided solver against tblite and xtb: energies, charges, forces, stress."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.units import Bohr
from tightbinding_references import (
    KELVIN,
    periodic_cells,
    rattled,
    silica_cluster,
    tblite_calculator,
    tblite_result,
    xtb_energy,
)

from glassnb.models import crystal
from glassnb.tightbinding.occupation import Electrons, count_electrons, fill
from glassnb.tightbinding.self_consistency import AndersonMixer, ConvergenceError
from glassnb.tightbinding.single_point import single_point

# Issue 7, "must hold" 1 and 2: Hartree, bohr, e.
ENERGY_OF_MOLECULE = 1e-6
ENERGY_PER_ATOM = 1e-7
CHARGE = 1e-5
FORCE = 1e-5
STRESS = 1e-6

TETRAHEDRON = np.array([[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
NAMES = ("H2O", "SiH4", "CH3OH", "NH3", "C2H4", "SO2", "SiO", "PH3", "ClF", "NaCl")
# structure, charge, unpaired electrons
MOLECULES = {name: (molecule(name), 0, 0) for name in NAMES} | {
    "Si(OH)4": (silica_cluster(), 0, 0),
    "TiCl4": (Atoms("TiCl4", 1.25 * TETRAHEDRON), 0, 0),
    "triplet O2": (molecule("O2"), 0, 2),
    "CH3": (molecule("CH3"), 0, 1),
}
IONS = {
    "OH-": (molecule("OH"), -1, 0),
    "NH4+": (Atoms("NH4", 0.6 * TETRAHEDRON), 1, 0),
    "H3O+": (Atoms("OH3", molecule("NH3").positions), 1, 0),
    "SiO4 4-": (Atoms("SiO4", 0.95 * TETRAHEDRON), -4, 0),
    "H2O+": (molecule("H2O"), 1, 1),
}


@pytest.mark.parametrize("name", [*MOLECULES, *IONS])
def test_molecules_and_ions(name):
    atoms, charge, unpaired = (MOLECULES | IONS)[name]
    atoms = rattled(atoms)
    own = single_point(atoms, charge=charge, multiplicity=unpaired + 1)
    reference = tblite_result(atoms, charge, unpaired)
    assert own.energy == pytest.approx(reference["energy"], abs=ENERGY_OF_MOLECULE)
    assert own.energy == pytest.approx(xtb_energy(atoms, charge, unpaired), abs=ENERGY_OF_MOLECULE)
    np.testing.assert_allclose(own.energies, reference["energies"], atol=CHARGE)
    np.testing.assert_allclose(own.charges, reference["charges"], atol=CHARGE)
    assert own.charges.sum() == pytest.approx(charge, abs=1e-9)
    np.testing.assert_allclose(own.derivatives[0], reference["gradient"], atol=FORCE)
    if unpaired == 0:
        orders = np.array(reference["bond-orders"]).reshape(len(atoms), len(atoms))
        np.testing.assert_allclose(own.bond_orders(), orders, atol=CHARGE)
    if charge == 0 and unpaired == 0:
        e = np.array(reference["orbital-energies"])
        filled = round(np.array(reference["orbital-occupations"]).sum() / 2)
        assert own.gap == pytest.approx(e[filled] - e[filled - 1], abs=CHARGE)


@pytest.mark.parametrize("name", periodic_cells())
def test_periodic_cells(name):
    """tblite's own form of the lattice sum, Gamma point; and how far the converged one is off."""
    atoms = periodic_cells()[name]
    own = single_point(atoms, lattice_sum="tblite")
    reference = tblite_result(atoms)
    n, volume = len(atoms), atoms.get_volume() / Bohr**3
    assert own.energy / n == pytest.approx(reference["energy"] / n, abs=ENERGY_PER_ATOM)
    assert own.energies.sum() == pytest.approx(own.energy, abs=1e-9)
    np.testing.assert_allclose(own.energies, reference["energies"], atol=CHARGE)
    np.testing.assert_allclose(own.charges, reference["charges"], atol=CHARGE)
    orders = np.array(reference["bond-orders"]).reshape(n, n)
    np.testing.assert_allclose(own.bond_orders(), orders, atol=5 * CHARGE)
    gradient, virial = own.derivatives
    np.testing.assert_allclose(gradient, reference["gradient"], atol=FORCE)
    np.testing.assert_allclose(virial / volume, reference["virial"] / volume, atol=STRESS)
    converged = single_point(atoms, start=own.shell_charges)
    assert abs(converged.energy - own.energy) / n < 5e-5


def test_converged_sum_is_translation_invariant():
    atoms = periodic_cells()["quartz"]
    moved = atoms.copy()
    moved.positions += [0.37, -1.9, 5.3]
    energies = [single_point(a, tolerance=1e-9).energy for a in (atoms, moved)]
    assert energies[0] == pytest.approx(energies[1], abs=1e-9)


def test_converged_sum_is_size_consistent():
    """At fixed charges: with the charges, the Gamma point itself changes with the cell."""
    atoms = periodic_cells()["quartz"]
    one = single_point(atoms)
    double = atoms * (1, 1, 2)
    field = single_point(double, tolerance=1e9, start=np.tile(one.shell_charges, 2)).field
    energy = field.energies(np.tile(one.shell_charges, 2)).sum() / 18
    assert energy == pytest.approx(one.field.energies(one.shell_charges).sum() / 9, abs=1e-9)


@pytest.mark.parametrize("lattice_sum", ["converged", "tblite"])
def test_derivatives_are_those_of_the_energy(lattice_sum):
    """Central differences along random directions, 1e-5 Hartree/bohr (issue 7)."""
    rng = np.random.default_rng(2)
    atoms = periodic_cells()["sodium silicate"]
    options = {"lattice_sum": lattice_sum, "tolerance": 1e-9}
    own = single_point(atoms, **options)
    gradient, virial = own.derivatives
    step = 1e-3
    direction = rng.normal(size=(len(atoms), 3))
    direction /= np.linalg.norm(direction)
    strain = rng.normal(size=(3, 3))
    strain = 0.1 * (strain + strain.T)
    ends = []
    for sign in (1, -1):
        moved, strained = atoms.copy(), atoms.copy()
        moved.positions += sign * step * direction
        strained.set_cell(atoms.cell[:] @ (np.eye(3) + sign * step * strain), scale_atoms=True)
        start = own.shell_charges
        ends.append([single_point(a, start=start, **options).energy for a in (moved, strained)])
    slopes = np.subtract(*ends) / (2 * step)
    assert (gradient * direction).sum() == pytest.approx(slopes[0] * Bohr, abs=FORCE)
    volume = atoms.get_volume() / Bohr**3
    assert (virial * strain).sum() / volume == pytest.approx(slopes[1] / volume, abs=STRESS)
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-7)


def test_high_temperature_smears_the_occupation():
    """tblite at 5000 K: fractional occupations and the entropy term."""
    atoms = rattled(molecule("O3"))
    calculator = tblite_calculator(atoms)
    calculator.set("accuracy", 1e-3)
    calculator.set("temperature", 5000 * KELVIN)
    reference = calculator.singlepoint()
    own = single_point(atoms, electronic_temperature=5000)
    assert own.scc.solution.entropy_energy < -1e-3
    assert own.energy == pytest.approx(reference["energy"], abs=ENERGY_OF_MOLECULE)
    np.testing.assert_allclose(own.derivatives[0], reference["gradient"], atol=FORCE)


# -- occupation and mixing -----------------------------------------------------------------------


def test_filling_of_two_levels():
    """One electron of each spin in two levels at one energy: each half filled, entropy 4 k ln 2."""
    filling = fill(np.array([0.3, 0.3]), Electrons(1, 1), 0.01)
    np.testing.assert_allclose(filling.occupations, [1, 1])
    assert filling.entropy_energy == pytest.approx(-4 * 0.01 * np.log(2))
    assert filling.gap == pytest.approx(0)
    full = fill(np.array([0.1, 0.2]), Electrons(2, 2), 0.01)
    assert full.gap == np.inf
    np.testing.assert_array_equal(full.occupations, [2, 2])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((8, 0.5, None), "charge=0.5"),
        ((8, 9, None), "charge=9"),
        ((8, 0, 2), "multiplicity=2: 8 electrons need an odd"),
        ((7, 0, 1), "multiplicity=1: 7 electrons need an even"),
        ((2, 0, 5), "multiplicity=5"),
        ((2, 0, 0), "multiplicity=0"),
    ],
)
def test_impossible_electrons(arguments, text):
    with pytest.raises(ValueError, match=text):
        count_electrons(*arguments)


def test_odd_numbers_make_doublets():
    assert count_electrons(7, 0, None) == Electrons(4, 3)
    assert count_electrons(8, -1, None) == Electrons(5, 4)
    assert count_electrons(8, 0, 3) == Electrons(5, 3)


def test_mixer_solves_linear_problems():
    """Anderson mixing is exact for a linear map after as many steps as it has dimensions."""
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(6, 6)) / 2
    shift = rng.normal(size=6)
    mixer, x = AndersonMixer(), np.zeros(6)
    for _ in range(9):
        x = mixer.next(x, matrix @ x + shift)
    np.testing.assert_allclose(x, np.linalg.solve(np.eye(6) - matrix, shift), atol=1e-8)


def test_no_quiet_failure():
    with pytest.raises(ConvergenceError, match="electronic_temperature"):
        single_point(rattled(crystal("alpha-quartz")), max_cycles=3)
