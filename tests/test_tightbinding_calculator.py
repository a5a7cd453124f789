"""The calculator in ASE's hands: units, properties, restarts, dynamics, bad input."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import molecule
from ase.calculators.calculator import PropertyNotImplementedError
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS
from tightbinding_references import periodic_cells, rattled

from glassnb.models import crystal
from glassnb.tightbinding import DCXTB, ConvergenceError
from glassnb.tightbinding.history import ChargeHistory
from glassnb.tightbinding.single_point import single_point

# Derivatives, units and errors are those of any cell; nothing here is said of a crystal.
pytestmark = pytest.mark.filterwarnings("ignore::glassnb.tightbinding.SmallCellWarning")


def quartz():
    return periodic_cells()["quartz"]


def test_properties_and_units():
    atoms = quartz()
    atoms.calc = DCXTB()
    own = single_point(atoms)
    gradient, virial = own.derivatives
    energy = atoms.get_potential_energy()
    assert energy == pytest.approx(own.energy * units.Hartree, abs=1e-9)
    assert atoms.get_potential_energy(force_consistent=True) == energy
    assert atoms.get_potential_energies().sum() == pytest.approx(energy, abs=1e-7)
    np.testing.assert_allclose(atoms.get_charges(), own.charges)
    assert "forces" not in atoms.calc.results  # nothing is worked out that nobody asked for
    np.testing.assert_allclose(atoms.get_forces(), -gradient * units.Hartree / units.Bohr)
    stress = atoms.get_stress(voigt=False) * atoms.get_volume() / units.Hartree
    np.testing.assert_allclose(stress, virial, atol=1e-12)
    assert atoms.calc.get_gap() == pytest.approx(own.gap * units.Hartree)
    np.testing.assert_allclose(atoms.calc.get_bond_orders(), own.bond_orders())


def test_forces_and_stress_are_derivatives_of_the_energy():
    atoms = quartz()
    atoms.calc = DCXTB(tolerance=1e-9)
    forces, stress = atoms.get_forces(), atoms.get_stress(voigt=False)
    step = 1e-3
    ends = []
    for sign in (1, -1):
        moved, strained = atoms.copy(), atoms.copy()
        moved.positions[4, 1] += sign * step
        change = np.eye(3)
        change[0, 2] = change[2, 0] = sign * step / 2
        strained.set_cell(atoms.cell[:] @ change, scale_atoms=True)
        for moved_too in (moved, strained):
            moved_too.calc = DCXTB(tolerance=1e-9)
        ends.append([moved.get_potential_energy(), strained.get_potential_energy()])
    slopes = np.subtract(*ends) / (2 * step)
    # 1e-5 Hartree/bohr, 1e-6 Hartree/bohr³
    assert forces[4, 1] == pytest.approx(-slopes[0], abs=1e-5 * units.Hartree / units.Bohr)
    assert stress[0, 2] == pytest.approx(
        slopes[1] / atoms.get_volume(), abs=1e-6 * units.Hartree / units.Bohr**3
    )


def test_charges_are_kept_for_the_next_step():
    atoms = quartz()
    atoms.calc = DCXTB()
    atoms.get_potential_energy()
    first = atoms.calc._last.scc.cycles
    atoms.positions += 1e-3 * np.random.default_rng(0).normal(size=atoms.positions.shape)
    energy = atoms.get_potential_energy()
    assert atoms.calc._last.scc.cycles < first - 2
    atoms.calc = DCXTB()
    assert atoms.get_potential_energy() == pytest.approx(energy, abs=1e-8)


def test_charges_are_extrapolated():
    """Charges that follow positions along a curve in time, against those of the last step."""
    atoms = quartz()
    rng = np.random.default_rng(1)
    rest, slope = atoms.get_positions(), rng.normal(size=(20, atoms.positions.size))
    amplitudes = 0.05 * rng.normal(size=(2, *rest.shape))
    history, errors, last = ChargeHistory(), [], np.zeros(20)
    for step in range(8):
        moved = sum(a * np.sin((0.1 + 0.05 * k) * step) for k, a in enumerate(amplitudes))
        atoms.positions = rest + moved
        charges = np.tanh(slope @ moved.ravel())
        guess = history.guess(atoms)
        if guess is not None:
            errors.append(np.abs(guess - charges).max() / np.abs(charges - last).max())
        history.add(atoms, charges)
        last = charges
    assert errors[0] == 1  # nothing but the last step to go by
    assert max(errors[3:]) < 0.2
    far = atoms.copy()
    far.positions[0] += 2.0
    assert history.guess(far) is None
    assert history.guess(atoms[:-1]) is None


def test_buffer_occupation_and_energies_on_demand():
    atoms = quartz()
    atoms.calc = DCXTB(buffer_radius=3.3)
    energy = atoms.get_potential_energy()
    assert "energies" not in atoms.calc.results  # they take matrices over all pairs
    assert atoms.calc.results["occupation"] == atoms.calc.get_occupation() == "gap"
    assert atoms.calc.results["renewals"] == 0
    assert atoms.get_potential_energies().sum() == pytest.approx(energy, abs=1e-7)
    atoms.calc.set(occupation="thermal", electronic_temperature=3000.0)
    assert atoms.get_potential_energy() != pytest.approx(energy, abs=1e-3)
    assert atoms.calc.get_occupation(atoms) == "thermal"
    atoms.calc = DCXTB()
    assert atoms.calc.get_occupation(atoms) == "thermal"


def test_parameters_can_be_changed():
    atoms = Atoms("OH", molecule("OH").positions)
    atoms.calc = DCXTB(charge=-1)
    closed = atoms.get_potential_energy()
    atoms.calc.set(charge=0)
    radical = atoms.get_potential_energy()
    assert radical != pytest.approx(closed, abs=1)
    atoms.calc.set(multiplicity=4)
    assert atoms.get_potential_energy() > radical + 1
    atoms.set_initial_charges([-1, 0])
    atoms.calc = DCXTB()
    assert atoms.get_potential_energy() == pytest.approx(closed, abs=1e-7)
    oxygen = molecule("O2")  # its initial magnetic moments say triplet
    oxygen.calc = DCXTB()
    triplet = oxygen.get_potential_energy()
    oxygen.calc = DCXTB(multiplicity=3)
    assert oxygen.get_potential_energy() == pytest.approx(triplet, abs=1e-9)


def test_optimizers_work():
    """Water: 0.957 Å and 104.5 degrees by experiment; GFN1-xTB is within 0.02 Å and 5 degrees."""
    atoms = rattled(molecule("H2O"), width=0.1)
    atoms.calc = DCXTB()
    assert BFGS(atoms, logfile=None).run(fmax=0.01, steps=50)
    assert atoms.get_distance(0, 1) == pytest.approx(0.957, abs=0.02)
    assert atoms.get_angle(1, 0, 2) == pytest.approx(104.5, abs=5)


def test_energy_is_conserved():
    """Quartz at 300 K, 40 steps of 0.5 fs: the total energy stays within 1 meV an atom."""
    atoms = crystal("alpha-quartz")
    atoms.calc = DCXTB()
    width = np.sqrt(300 * units.kB * atoms.get_masses())[:, None]
    momenta = width * np.random.default_rng(4).normal(size=(len(atoms), 3))
    atoms.set_momenta(momenta - momenta.mean(axis=0))
    dynamics = VelocityVerlet(atoms, 0.5 * units.fs)
    kinetic, total = [], []
    for _ in dynamics.irun(40):
        kinetic.append(atoms.get_kinetic_energy() / len(atoms))
        total.append(atoms.get_total_energy() / len(atoms))
    assert np.ptp(kinetic) > 5e-3
    assert np.ptp(total) < 1e-3


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"buffer_radius": 0}, "buffer_radius=0: must be a thickness in Å"),
        ({"buffer_radius": "5"}, "buffer_radius='5'"),
        ({"lattice_sum": "ewald"}, "lattice_sum='ewald': must be one of converged, tblite"),
        ({"occupation": "metal"}, "occupation='metal': must be one of auto, gap, thermal"),
        ({"electronic_temperature": -1}, "electronic_temperature=-1"),
        ({"tolerance": np.nan}, "tolerance=nan"),
        ({"memory_limit": 0}, "memory_limit=0"),
    ],
)
def test_senseless_parameters(parameters, text):
    with pytest.raises(ValueError, match=text):
        DCXTB(**parameters)


def test_unknown_parameter():
    with pytest.raises(ValueError, match="temperature=3: no such parameter; known are"):
        DCXTB().set(temperature=3)


def bad_structures():
    overlapping = quartz()
    overlapping.positions[1] = overlapping.positions[0] + [0.2, 0.1, 0.0]
    missing = quartz()
    missing.positions[3, 1] = np.nan
    slab = quartz()
    slab.pbc = [True, True, False]
    return {
        "overlap": (overlapping, "are 0.224 Å apart, less than 0.4 Å; relax"),
        "NaN": (missing, "position of atom 3 is"),
        "unknown": (Atoms("U"), "element U: no parameters"),
        "slab": (slab, "must be periodic in all three directions or in none"),
        "thin": (Atoms("Si", cell=[1.5, 5, 5], pbc=True), "smallest height is 1.50 Å"),
        "empty": (Atoms(), "0 atoms"),
    }


@pytest.mark.parametrize("name", bad_structures())
def test_bad_structures(name):
    atoms, text = bad_structures()[name]
    atoms.calc = DCXTB()
    with pytest.raises(ValueError, match=text):
        atoms.get_potential_energy()


def test_other_refusals():
    atoms = quartz()
    atoms.calc = DCXTB(charge=1)
    with pytest.raises(ValueError, match="charge=1.*must be neutral"):
        atoms.get_potential_energy()
    atoms.calc = DCXTB(memory_limit=1e-5)
    with pytest.raises(ValueError, match="memory_limit=1e-05 GB.*set a buffer_radius"):
        atoms.get_potential_energy()
    atoms.calc = DCXTB(max_cycles=2)
    with pytest.raises(ConvergenceError, match="after 2 cycles"):
        atoms.get_potential_energy()
    water = molecule("H2O")
    water.calc = DCXTB()
    with pytest.raises(PropertyNotImplementedError):
        water.get_stress()
