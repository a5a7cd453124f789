"""What a calculator remembers, what it takes of a structure, and what it says of small cells."""

import warnings

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import molecule
from ase.calculators.calculator import PropertyNotImplementedError
from ase.constraints import FixAtoms
from ase.md.verlet import VelocityVerlet
from hypothesis import given, settings
from hypothesis import strategies as st
from tightbinding_references import tblite_result

import glassnb.tightbinding.calculator as module
from glassnb.models import crystal
from glassnb.tightbinding import DCXTB, ConvergenceError, SmallCellWarning
from glassnb.tightbinding.history import ChargeHistory
from glassnb.tightbinding.single_point import single_point
from glassnb.tightbinding.structure import electrons_asked, narrow, plain

tiny = pytest.mark.filterwarnings("ignore::glassnb.tightbinding.SmallCellWarning")

PAST = 1e-6 * units.Hartree  # an atom; how far an energy may depend on another structure
MEMORY = 0.05  # eV an atom; within a run at a buffer of 4 Å, as the calculator says
OXYGEN = 7  # an atom


def calculator():
    return DCXTB(buffer_radius=4.0)


def warned(call):
    """What is warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return caught


def energy(atoms, calc):
    """Energy per atom of a copy, as each step of a script has its own Atoms."""
    atoms = atoms.copy()
    atoms.calc = calc
    return atoms.get_potential_energy() / len(atoms)


def cristobalite():
    """Twelve atoms, one subsystem."""
    atoms = crystal("alpha-cristobalite")
    assert atoms.symbols[OXYGEN] == "O"
    return atoms


def swollen():
    """A cell 4 % larger; the atoms stay."""
    atoms = cristobalite()
    atoms.set_cell(1.04 * atoms.cell.array)
    return atoms


def reordered():
    """Oxygen the other way round: the elements are in the same order."""
    order = [0, 1, 2, 3, *range(11, 3, -1)]
    return cristobalite()[order]


# -- the run ---------------------------------------------------------------------------------------


def test_only_the_run_is_remembered():
    """Two steps of 0.29 Å to a defect, and then other structures, as new calculators have them.

    The defect is calculated once within a run, whose subsystems and chemical potential are those
    of the crystal, and once after a molecule. Nobody warns of small cells: what is divided is a
    part of an infinite crystal.
    """
    used, atoms = calculator(), cristobalite()
    alone = energy(atoms, used)
    for _ in range(2):
        atoms.positions[OXYGEN, 0] += 0.29
        within = energy(atoms, used)
    assert used.results["renewals"] == 0
    assert energy(cristobalite(), used) == pytest.approx(alone, abs=PAST)
    larger, silane = swollen(), molecule("SiH4")
    assert energy(larger, used) == pytest.approx(energy(larger, calculator()), abs=PAST)
    assert energy(silane, used) == pytest.approx(energy(silane, calculator()), abs=PAST)
    defect = energy(atoms, calculator())
    assert energy(atoms, used) == pytest.approx(defect, abs=PAST)
    assert PAST < abs(within - defect) < MEMORY
    # The same crystal, whatever its atoms are called; a new run, as they all moved.
    assert energy(reordered(), used) == pytest.approx(alone, abs=PAST)


@pytest.fixture
def starts(monkeypatch):
    """Charges with which the undivided solver is started: None where nothing is remembered."""
    found = []

    def spy(atoms, **options):
        found.append(options["start"])
        return single_point(atoms, **options)

    monkeypatch.setattr(module, "single_point", spy)
    return found


def test_parameters_and_failures_end_a_run(starts):
    calc, atoms, unknown = DCXTB(), molecule("H2O"), Atoms("U")
    energy(atoms, calc)
    atoms.positions += 0.01
    energy(atoms, calc)
    calc.set(max_cycles=150)
    energy(atoms, calc)
    with pytest.raises(ValueError, match="element U: no parameters"):
        energy(unknown, calc)
    energy(atoms, calc)
    calc.reset()  # as ASE does at each step
    energy(atoms, calc)
    assert [start is None for start in starts] == [True, False, True, True, True, False]


def test_another_charge_is_another_run(starts):
    """Charges that add up to nothing do not matter; two electrons less do."""
    calc, atoms = DCXTB(), molecule("H2O")
    for charges in ([0, 0, 0], [0.4, -0.2, -0.2], [2, 0, 0]):
        atoms.set_initial_charges(charges)
        energy(atoms, calc)
    assert [start is None for start in starts] == [True, False, True]


def met(atoms):
    """A history that has met a structure."""
    history = ChargeHistory()
    history.add(atoms, np.zeros(3))
    return history


def test_limits_of_a_run():
    """By hand: 0.5 % of a vector, 0.3 Å of an atom, the same elements and periodicity."""
    atoms = plain(cristobalite())
    history = met(atoms)
    assert not ChargeHistory().continues(atoms)

    def goes_on(change):
        new = atoms.copy()
        change(new)
        return history.continues(new)

    def stretch(by, follow):
        return lambda new: new.set_cell(new.cell.array * [1, 1, by], scale_atoms=follow)

    def shift(by):
        return lambda new: new.positions.__setitem__((2, 1), new.positions[2, 1] + by)

    def swap(new):
        new.numbers[[0, 11]] = new.numbers[[11, 0]]

    def open_up(new):
        new.pbc = False

    assert goes_on(stretch(1.0049, True))
    assert goes_on(stretch(1.0049, False))
    assert not goes_on(stretch(1.0051, True))
    assert not goes_on(stretch(1.0051, False))
    assert goes_on(shift(0.299))
    assert not goes_on(shift(0.301))
    assert not goes_on(swap)
    assert not goes_on(open_up)
    assert not history.continues(atoms[:-1])
    long = plain(atoms.repeat((1, 1, 12)))  # 83 Å: 0.4 % of it are 0.33 Å
    stretched = long.copy()
    stretched.set_cell(long.cell.array * [1, 1, 1.004], scale_atoms=True)
    assert met(long).continues(stretched)
    stretched.positions = long.positions
    assert not met(long).continues(stretched)


@settings(max_examples=15, deadline=None)
@given(
    images=st.lists(st.integers(-3, 3), min_size=36, max_size=36),
    seed=st.integers(0, 99),
    skew=st.booleans(),
)
def test_an_atom_that_leaves_through_a_face_has_not_moved(images, seed, skew):
    """Guesses too: they are those of the same atoms that nobody wrapped."""
    atoms = cristobalite()
    if skew:
        cell = atoms.cell.array.copy()
        cell[1] += 2 * cell[0]
        atoms.set_cell(cell)
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 0.05, (3, *atoms.positions.shape))
    jumps = np.reshape(images, (12, 3)) @ atoms.cell.array
    histories = ChargeHistory(), ChargeHistory()
    for k, step in enumerate(steps):
        atoms.positions += step
        wrapped = atoms.copy()
        wrapped.positions += k * jumps
        charges = np.tanh(atoms.positions[:4, 0])
        if k:
            assert histories[1].continues(wrapped)
            guesses = histories[0].guess(atoms), histories[1].guess(wrapped)
            np.testing.assert_allclose(*guesses, atol=1e-9)
        histories[0].add(atoms, charges)
        histories[1].add(wrapped, charges)


# -- results ---------------------------------------------------------------------------------------


def test_results_are_those_of_the_structure():
    water, methane = molecule("H2O"), molecule("CH4")
    calc = DCXTB()
    calc.calculate(water, ["forces"])
    assert calc.results["forces"].shape == (3, 3)
    calc.calculate(water, ["energy"])
    assert calc.results["forces"].shape == (3, 3)
    calc.calculate(methane, ["energy"])
    assert "forces" not in calc.results
    assert calc.results["charges"].shape == calc.results["energies"].shape == (5,)
    assert calc.get_property("forces", methane, allow_calculation=False) is None
    assert calc.get_property("energy", water, allow_calculation=False) is None
    calc.calculate(methane, ["forces"], [])  # whatever it is told to have changed
    assert calc.results["forces"].shape == (5, 3)
    calc.calculate(water, ["energy"], [])
    assert calc.results["charges"].shape == (3,)


def test_nothing_is_left_after_an_error():
    water, methane = molecule("H2O"), molecule("CH4")
    calc = DCXTB()
    calc.calculate(water, ["forces"])
    with pytest.raises(PropertyNotImplementedError):
        calc.calculate(methane, ["stress"])
    assert calc.results == {}
    calc.calculate(water, ["forces"])
    with pytest.raises(ValueError, match="element U: no parameters"):
        calc.calculate(Atoms("U"), ["energy"])
    assert calc.results == {}
    assert calc.get_property("energy", allow_calculation=False) is None
    calc.calculate(water, ["forces"])
    calc.set(max_cycles=2)
    assert calc.results == {}
    for ask in (calc.get_gap, calc.get_bond_orders, calc.get_occupation):
        with pytest.raises(ValueError, match="atoms: no structure has been calculated"):
            ask()
    with pytest.raises(ConvergenceError, match="after 2 cycles"):
        calc.calculate(methane, ["energy"])
    assert calc.results == {}
    with pytest.raises(ConvergenceError, match="after 2 cycles"):
        calc.get_gap()


# -- charges and moments of other models -----------------------------------------------------------


@tiny
@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-7])
def test_classical_charges_do_not_matter_in_a_crystal(noise):
    """Quartz with the charges of van Beest, Kramer and van Santen, which add up to 4e-16."""
    atoms = crystal("alpha-quartz")
    atoms.calc = DCXTB()
    alone = atoms.get_potential_energy()
    assert alone == pytest.approx(-936.614582, abs=1e-6)
    atoms.set_initial_charges([2.4 + noise if s == "Si" else -1.2 for s in atoms.symbols])
    atoms.calc = DCXTB()
    assert atoms.get_potential_energy() == pytest.approx(alone, abs=1e-8)


def test_a_sum_of_charges_that_a_crystal_cannot_have():
    atoms = crystal("alpha-quartz")
    for charge in (0.5, 1.0, 3e-6):
        atoms.set_initial_charges([charge, *[0] * 8])
        assert electrons_asked(atoms)[:2] == (0, None)
        (warning,) = electrons_asked(atoms)[2]
        assert f"{charge:g} e, is ignored" in str(warning)
        assert "must be neutral; set charge=0" in str(warning)
        assert electrons_asked(atoms, charge=0)[2] == []
    atoms.calc = calculator()
    (warning,) = warned(lambda: atoms.get_charges())
    assert "initial charges, 3e-06 e, is ignored" in str(warning.message)
    assert warning.filename == __file__
    atoms.calc = DCXTB(charge=1, buffer_radius=4.0)
    with pytest.raises(ValueError, match="charge=1: .*must be neutral"):
        atoms.get_potential_energy()


def test_whole_sums_charge_a_molecule():
    """tblite, with a charge of 2: the electrons of 2.0000000004 are not six and a bit."""
    atoms = molecule("H2O")
    atoms.set_initial_charges([1.2, 0.5, 0.3000000004])
    assert electrons_asked(atoms) == (2, None, [])
    atoms.calc = DCXTB()
    energy = atoms.get_potential_energy() / units.Hartree
    assert energy == pytest.approx(tblite_result(atoms, charge=2)["energy"], abs=1e-6)
    assert atoms.get_charges().sum() == pytest.approx(2, abs=1e-12)


@pytest.mark.parametrize("charges", [[2.4, -1.2, -1.3], [1.0, 2e-6, 0], [np.nan, 0, 0]])
def test_other_sums_do_not(charges):
    atoms = molecule("H2O")
    atoms.calc = DCXTB()
    neutral = atoms.get_potential_energy()
    atoms.set_initial_charges(charges)
    atoms.calc = DCXTB()

    def two_steps():
        assert atoms.get_potential_energy() == pytest.approx(neutral, abs=1e-8)
        atoms.rattle(0.01, seed=1)
        atoms.get_potential_energy()

    (warning,) = warned(two_steps)  # once a run
    assert "is ignored, because it is not whole; set charge=" in str(warning.message)
    assert warning.filename == __file__


def test_moments_of_other_models():
    """As charges: the sum of those of a density functional is about whole at best."""
    oxygen = molecule("O2")  # 1 and 1
    assert electrons_asked(oxygen) == (0, 3, [])
    for moments, multiplicity in (([1, -1], None), ([0.9999999999, 1], 3), ([-1, -1], 3)):
        oxygen.set_initial_magnetic_moments(moments)
        assert electrons_asked(oxygen) == (0, multiplicity, [])
    for moments, reason in (
        ([0.9, 0.9], "their sum, 1.8, is not whole"),
        (np.eye(3)[:2], "they are vectors"),
    ):
        oxygen.set_initial_magnetic_moments(None)
        oxygen.set_initial_magnetic_moments(moments)
        charge, multiplicity, (warning,) = electrons_asked(oxygen)
        assert (charge, multiplicity) == (0, None)
        assert f"because {reason}; set multiplicity=" in str(warning)
        assert electrons_asked(oxygen, multiplicity=1) == (0, 1, [])


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"charge": 0.5}, "charge=0.5: must be a whole number of elementary charges, or None"),
        ({"charge": "1"}, "charge='1': must be"),
        ({"charge": np.nan}, "charge=nan: must be"),
        ({"multiplicity": 1.5}, "multiplicity=1.5: must be a whole number above 0, or None"),
        ({"multiplicity": 0}, "multiplicity=0: must be"),
    ],
)
def test_numbers_that_are_not_whole(parameters, text):
    with pytest.raises(ValueError, match=text):
        DCXTB(**parameters)


# -- cells -----------------------------------------------------------------------------------------


def test_a_small_cell_is_named_once_a_run():
    """Quartz: 4.916 sin 60° = 4.26 Å between the prism faces (International Tables)."""
    atoms = crystal("alpha-quartz")
    atoms.calc = DCXTB()

    def run():
        atoms.get_forces()
        VelocityVerlet(atoms, units.fs).run(3)
        atoms.get_stress()

    (warning,) = warned(run)
    assert warning.category is SmallCellWarning
    assert "atoms.cell: 4.26 Å wide" in str(warning.message)
    assert "repeat the structure (atoms.repeat), or set a buffer_radius" in str(warning.message)
    assert warning.filename == __file__
    atoms.positions[0] += 0.5  # another run
    (warning,) = warned(lambda: VelocityVerlet(atoms, units.fs).run(1))
    assert warning.filename == __file__


def test_how_wide_a_cell_is():
    assert narrow(crystal("alpha-quartz", repeat=2)) == []  # 8.51 Å
    assert narrow(molecule("H2O")) == []
    cell = np.diag([8.1, 8.1, 8.1])
    assert narrow(Atoms("H", cell=cell, pbc=True)) == []
    assert len(narrow(Atoms("H", cell=cell - np.diag([0, 0.2, 0]), pbc=True))) == 1
    for row, other in ((0, 1), (2, 0), (1, 2)):  # other settings of the same lattice
        cell[row] += 3 * cell[other]
        assert narrow(Atoms("H", cell=cell, pbc=True)) == []


@tiny
def test_only_what_counts_of_a_structure_counts():
    """Another setting, handedness, cells of atoms, type of numbers, and all that ASE carries."""
    atoms = cristobalite()
    expected = energy(atoms, DCXTB())
    skew, left, apart, decorated = (atoms.copy() for _ in range(4))
    cell = atoms.cell.array.copy()
    cell[1] += 3 * cell[0]  # 1.6 Å between faces
    skew.set_cell(cell)
    left.set_cell(atoms.cell.array[[1, 0, 2]])
    apart.positions += np.random.default_rng(0).integers(-9, 9, (12, 3)) @ atoms.cell.array
    decorated.arrays["positions"] = atoms.positions.astype(">f8")
    decorated.arrays["numbers"] = atoms.numbers.astype(np.int8)
    decorated.set_masses(np.full(12, 7.0))
    decorated.arrays["isotopes"] = np.full(12, 18)
    decorated.info["spacegroup"] = "P1"
    decorated.set_constraint(FixAtoms([0, 5]))
    for other in (skew, left, apart, decorated):
        assert energy(other, DCXTB()) == pytest.approx(expected, abs=1e-8)
    single = atoms.copy()
    single.arrays["positions"] = atoms.positions.astype(np.float32)
    double = atoms.copy()
    double.positions = single.positions.astype(float)
    assert energy(single, DCXTB()) == pytest.approx(energy(double, DCXTB()), abs=1e-12)


def test_the_cell_of_a_molecule_means_nothing():
    """Also a flat one that is thinner than an atom."""
    atoms = molecule("H2O")
    expected = energy(atoms, DCXTB())
    atoms.set_cell([[0.01, 0, 0], [0.02, 0, 0], [0, 0, 1]])
    assert energy(atoms, DCXTB()) == pytest.approx(expected, abs=1e-9)
    assert plain(atoms).cell.rank == 0  # of which the divided solver's boxes are made


def test_what_is_ignored_within_a_run_is_said_once():
    """Charges and moments that are put on the atoms later, or become others, are said too."""
    atoms = molecule("H2O")
    calculator = DCXTB()
    expected = energy(atoms, calculator)

    def later(method, values, found):
        other = atoms.copy()
        getattr(other, method)(values)
        texts = [str(w.message) for w in warned(lambda: energy(other, calculator))]
        assert [text for text in texts if found in text] == texts
        return len(texts)

    charges, moments = "set_initial_charges", "set_initial_magnetic_moments"
    assert later(charges, [-1.4, 0, 0], "-1.4 e") == 1
    assert later(charges, [0, -0.7, -0.7], "") == 0  # the same sum
    assert later(charges, [-1.3, 0, 0], "-1.3 e") == 1
    assert later(charges, [-1.4, 0, 0], "") == 0
    assert later(moments, [0.4, 0, 0], "0.4") == 1
    decorated = atoms.copy()
    decorated.set_initial_charges([-1.3, 0, 0])
    decorated.calc = calculator
    assert warned(lambda: VelocityVerlet(decorated, 0.1 * units.fs).run(3)) == []
    assert energy(atoms, calculator) == pytest.approx(expected, abs=1e-5)
