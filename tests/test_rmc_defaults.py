"""Reverse Monte Carlo: what is assumed where nothing is said, and what is refused."""

import warnings
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell
from ase.constraints import FixAtoms, FixBondLength
from ase.data import atomic_masses
from ase.neighborlist import neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st
from test_reverse_monte_carlo import (
    WALLS,
    Q,
    agrees,
    data_of,
    minimum_image,
    pair_chi2,
    quartz,
    short_ranged,
    skewed,
    small,
    toy,
)

import glassnb as gn
from glassnb.core.isotopes import set_isotopes
from glassnb.core.provenance import from_json, to_json
from glassnb.models import load, random_silica
from glassnb.models.reverse_monte_carlo import (
    BondAngle,
    Coordination,
    MinimumDistance,
    PairDistributionData,
    PotentialEnergy,
    ReverseMonteCarlo,
    StructureFactorData,
    _kernels,
)
from glassnb.models.reverse_monte_carlo.data import as_data
from glassnb.models.reverse_monte_carlo.storage import fingerprint
from glassnb.scattering import ExperimentalData, pair_distribution, structure_factor
from glassnb.scattering.pair_function import ExperimentalPairFunction

BOLTZMANN = 8.617333e-5  # eV/K
SILICA = Coordination("Si", "O")


def scaled(atoms, factor):
    atoms = atoms.copy()
    atoms.set_cell(atoms.cell * factor, scale_atoms=True)
    return atoms


# -- data of another material --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["S(Q)", "g(r)"])
def test_data_of_another_density_are_refused(kind):
    """The cell of the target is smaller by 2 % along each axis: denser by 1 / 0.98³, 6.25 %."""
    start, target = quartz(), scaled(quartz(), 0.98)
    data = structure_factor(target, Q[1:]) if kind == "S(Q)" else pair_distribution(target, 4.0)
    mass = 24 * atomic_masses[14] + 48 * atomic_masses[8]
    dense = mass / 0.602214 / target.get_volume()  # u per Å³ in g/cm³
    pattern = rf"data: 'neutron .*{dense:.3f} g/cm³.*{dense * 0.98**3:.3f} g/cm³.*density_tolerance"
    with pytest.raises(ValueError, match=pattern) as error:
        ReverseMonteCarlo(start, [data], [SILICA])
    # The remedy that the message names is one.
    factor = float(str(error.value).split("atoms.cell * ")[1].split(",")[0])
    assert factor == pytest.approx(0.98, rel=1e-6)
    ReverseMonteCarlo(scaled(start, factor), [data], [SILICA])
    for tolerance in (0.07, None):
        ReverseMonteCarlo(start, [data], [SILICA], density_tolerance=tolerance)
    with pytest.raises(ValueError, match=r"density_tolerance=-1: must be a number, 0 or more"):
        ReverseMonteCarlo(start, [data], [SILICA], density_tolerance=-1)


def test_one_per_cent_is_the_limit_and_no_setting_of_the_lattice_matters():
    data = data_of(quartz(3))
    other = make_supercell(quartz(3), [[1, 0, 0], [1, 1, 0], [0, -1, 1]])
    for factor, right in ((1.0032, True), (0.9968, True), (1.0035, False), (0.9965, False)):
        for atoms in (scaled(quartz(3), factor), scaled(other, factor)):
            if right:
                ReverseMonteCarlo(atoms, data, r_max=4.0)
            else:
                with pytest.raises(ValueError, match=r"atoms per Å³"):
                    ReverseMonteCarlo(atoms, data, r_max=4.0)


def test_density_of_measured_data_can_be_given():
    density = 72 / quartz().get_volume()
    for wrong, error in ((1.0, None), (1.02, r"data: 'neutron S\(Q\)'"), (-1.0, r"density=-")):
        data = StructureFactorData(Q, 1 + 0.1 * np.sin(Q), density=wrong * density)
        if error is None:
            ReverseMonteCarlo(quartz(), [data])
        else:
            with pytest.raises(ValueError, match=error):
                ReverseMonteCarlo(quartz(), [data])


@pytest.mark.parametrize("kind", ["S(Q)", "g(r)"])
def test_data_of_another_composition_are_refused(kind):
    """Of 72 atoms, 2 of 48 O are N in the data: 2.8 %."""
    target = quartz()
    target.symbols[np.flatnonzero(target.symbols == "O")[:2]] = "N"
    data = structure_factor(target, Q) if kind == "S(Q)" else pair_distribution(target, 4.0)
    with pytest.raises(ValueError, match=r"is of N 2\.778 % O 63\.89 % Si 33\.33 %, atoms of O 66"):
        ReverseMonteCarlo(quartz(), [data], [SILICA])
    ReverseMonteCarlo(quartz(), [data], [SILICA], density_tolerance=0.05)
    given = StructureFactorData(Q, 1 + 0.1 * np.sin(Q), composition={"O": 2, "Si": 1})
    ReverseMonteCarlo(quartz(), [given])  # numbers of atoms or shares, in any order
    for wrong in ({"Si": -1}, {}, {"Si": np.nan}):
        with pytest.raises(ValueError, match=r"composition=\{.*\}: must be numbers of atoms"):
            as_data(StructureFactorData(Q, np.ones(Q.size), composition=wrong))


# -- coordination and angles ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Coordination("O", "Si"), r"number=None: not known for Si around O; give number="),
        (lambda: Coordination("Ge", "O"), r"range=None, number=None: not known for O around Ge"),
        (lambda: Coordination("Ge", "O", number=4), r"range=None: .* such as \(0, 2\.2\)"),
        (lambda: Coordination("Si", "Si"), r"not known for Si around Si"),
        (lambda: BondAngle("Si", "O", "Si"), r"angle=None, sigma=None, cutoff=None: .* Si-O-Si"),
        (lambda: BondAngle("O", "Ge", "O", 109.47, 10.0), r"cutoff=None: .*; give cutoff="),
        (lambda: BondAngle("O", "Si", "N", cutoff=2.2), r"angle=None, sigma=None: .* O-Si-N"),
    ],
)
def test_what_is_not_known_must_be_said(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_known_of_silica():
    assert (SILICA.range, SILICA.numbers) == ((0.0, 2.2), (4,))
    assert Coordination("O", "Si", number=2).range == (0.0, 2.2)
    angle = BondAngle("O", "Si", "O")
    assert angle.angle == pytest.approx(np.degrees(np.arccos(-1 / 3)), abs=0.005)
    assert (angle.sigma, angle.cutoff) == (10.0, 2.2)
    assert BondAngle("O", "Si", "O", sigma=6.0).sigma == 6.0
    # Every silicon atom of the start has four oxygen atoms within the range: it costs nothing.
    rmc = ReverseMonteCarlo(quartz(), constraints=[SILICA])
    assert (
        np.bincount(neighbor_list("i", quartz(), {("Si", "O"): 2.2}))[
            quartz().numbers == 14
        ].tolist()
        == [4] * 24
    )
    assert rmc.chi2 == 0


# -- minimum distances of the start --------------------------------------------------------------


def shortest(atoms):
    """Shortest distance by pair, from ASE."""
    first, second, distance = neighbor_list("ijd", atoms, 4.0)
    names = np.array(atoms.get_chemical_symbols())
    pairs = {}
    for pair in (("Si", "Si"), ("Si", "O"), ("O", "O")):
        use = (names[first] == pair[0]) & (names[second] == pair[1])
        pairs[pair] = distance[use].min()
    return pairs


def wall_of(rmc):
    """Minimum distances that were taken from the start."""
    (wall,) = [c for c in rmc._constraints if isinstance(c, MinimumDistance)]
    return dict(wall.distances)


def test_atoms_come_no_closer_than_in_the_start():
    """A tenth less than ASE finds, in whole 0.01 Å; without, hot atoms overlap."""
    atoms = skewed()
    expected = {pair: np.floor(90 * d) / 100 for pair, d in shortest(atoms).items()}
    closest = {}
    for keep in (True, False):
        rmc = ReverseMonteCarlo(atoms, data_of(atoms), r_max=4.0, seed=1, keep_apart=keep)
        rmc.run(6000, temperature=1e6)
        closest[keep] = shortest(rmc.atoms)
        if keep:
            assert wall_of(rmc) == expected
    for pair, distance in expected.items():
        assert closest[True][pair] >= distance
        assert closest[False][pair] < distance


def test_minimum_distances_are_those_of_the_structure_alone():
    """Not of its place, the order of its atoms, or the setting of its lattice."""
    atoms = quartz(3)
    plain = wall_of(ReverseMonteCarlo(atoms, constraints=[SILICA]))
    moved = atoms.copy()
    moved.positions += [30.0, -7.0, 0.4]
    others = [moved, atoms[np.random.default_rng(0).permutation(len(atoms))], skewed()]
    assert all(wall_of(ReverseMonteCarlo(a, constraints=[SILICA])) == plain for a in others)


def test_a_minimum_distance_of_the_user_wins_for_its_pair():
    constraints = [MinimumDistance({("O", "Si"): 0.9}), SILICA]
    rmc = ReverseMonteCarlo(quartz(), constraints=constraints)
    walls = [dict(c.distances) for c in rmc._constraints if isinstance(c, MinimumDistance)]
    assert walls[0] == {("O", "Si"): 0.9}
    assert set(walls[1]) == {("Si", "Si"), ("O", "O")}
    none = ReverseMonteCarlo(quartz(), constraints=[WALLS, SILICA])
    assert none.assumptions == ()
    assert repr(none).endswith("chi2 0)")


def test_a_start_that_tells_nothing_gives_no_distance():
    """An ideal gas has none; two sodium atoms 6 Å apart would do so by chance."""
    gas = Atoms(
        "SiO2" * 40, np.random.default_rng(3).random((120, 3)) * 12, cell=[12] * 3, pbc=True
    )
    data = StructureFactorData(Q, 1 + 0.1 * np.sin(Q))
    rmc = ReverseMonteCarlo(gas, [data])
    assert not any(isinstance(c, MinimumDistance) for c in rmc._constraints)
    assert rmc.assumptions[1] == ("no minimum distance of Si-Si, Si-O, O-O (the start tells none)")
    glass = load("silica-pristine-648")
    glass.symbols[[0, 1]] = "Na"
    found = wall_of(ReverseMonteCarlo(glass, [data]))
    assert ("Na", "Na") not in found
    assert {("Si", "Si"), ("Si", "O"), ("O", "O")} <= set(found)


def test_start_without_room_for_a_shell_is_named():
    atoms = scaled(quartz(), 2.1)  # Si-O 2.7 Å and more
    with pytest.raises(ValueError, match=r"ends at 2\.2 Å, but the minimum distance.*keep_apart"):
        ReverseMonteCarlo(atoms, constraints=[SILICA])
    ReverseMonteCarlo(atoms, constraints=[SILICA], keep_apart=False)


def test_closest_pairs_compiled_and_in_python():
    system = ReverseMonteCarlo(random_silica(60, seed=2), constraints=[SILICA])._system
    compiled = _kernels.closest(system.fractional, system.box)
    np.testing.assert_allclose(
        _kernels.closest.py_func(system.fractional, system.box), compiled, rtol=1e-14
    )
    by_pair = shortest(random_silica(60, seed=2))
    np.testing.assert_allclose(np.sqrt(compiled), [by_pair[p] for p in system.pairs], rtol=1e-12)


def test_what_was_assumed_is_said_everywhere(tmp_path):
    rmc = ReverseMonteCarlo(quartz(), data_of(scaled(quartz(), 1.0)), [SILICA], 1)
    result = rmc.run(2000)
    expected = {pair: np.floor(90 * d) / 100 for pair, d in shortest(quartz()).items()}
    words = ", ".join(f"{a}-{b} {d:.2f}" for (a, b), d in expected.items())
    sigma = 0.05 * np.std(data_of(quartz())[0].total)
    for text in (repr(rmc), repr(result), str(rmc.report())):
        assert f"minimum distances {words} Å" in text
        assert f"sigma of neutron S(Q) {sigma:.3g}" in text
    assert result.atoms.info["history"]["assumptions"] == list(rmc.assumptions)
    rmc.save(tmp_path / "state.npz")
    again = ReverseMonteCarlo.resume(tmp_path / "state.npz")
    assert again.assumptions == rmc.assumptions
    assert wall_of(again) == expected
    for one in (rmc, again):
        one.run(2000)
    np.testing.assert_array_equal(again.atoms.positions, rmc.atoms.positions)


# -- errors of the data --------------------------------------------------------------------------


def plain_sigma(values):
    mean = sum(values) / len(values)
    return 0.05 * (sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5


@settings(max_examples=20, deadline=None)
@given(
    factor=st.floats(1e-3, 1e3),
    function=st.sampled_from(["G", "D", "G_PDF"]),
    dtype=st.sampled_from(["<f8", ">f8", "<f4"]),
)
def test_errors_have_the_unit_of_the_data(factor, function, dtype):
    r = np.arange(1.0, 7.0, 0.1)
    values = (factor * np.sin(3 * r) / r).astype(dtype)
    data = as_data(PairDistributionData(r, values, function))
    np.testing.assert_allclose(data.errors, plain_sigma(values.astype(float).tolist()), rtol=1e-6)


def test_one_measurement_has_one_error_in_every_function():
    """T(r) is D(r) and a straight line, G_PDF(r) is D(r) over 0.276 barn: the same 5 %."""
    g = pair_distribution(load("silica-pristine-648"), 10.0)
    errors = {
        name: as_data(PairDistributionData(g.r, g.weighted(name), name)).errors[0]
        for name in ("D", "T", "G_PDF")
    }
    assert errors["T"] == pytest.approx(errors["D"], rel=0.03)
    assert errors["G_PDF"] == pytest.approx(errors["D"] / 0.2758, rel=1e-3)


def test_errors_follow_the_points_that_are_used():
    total = 1 + np.exp(-Q) * np.sin(3 * Q)
    data = as_data(StructureFactorData(Q, total), q_range=(5.0, 11.0))
    use = (Q >= 5) & (Q <= 11)
    np.testing.assert_allclose(data.errors, plain_sigma(total[use].tolist()))
    np.testing.assert_array_equal(as_data(StructureFactorData(Q, total, sigma=0.3)).errors, 0.3)
    np.testing.assert_allclose(as_data(StructureFactorData(Q, np.ones(Q.size))).errors, 0.05)
    r = np.arange(1.0, 7.0, 0.1)
    with pytest.raises(ValueError, match=r"sigma=None: all data are 0.*give sigma"):
        as_data(PairDistributionData(r, np.zeros(r.size), "G"))
    as_data(PairDistributionData(r, np.zeros(r.size), "G", sigma=0.1))


def test_errors_of_silica_are_what_refinements_use():
    """Between 0.01 and 0.02 for S(Q), the numbers of published refinements of silica."""
    glass = load("silica-pristine-648")
    for radiation in ("neutron", "x-ray"):
        for last in (8, 12, 20):
            data = as_data(structure_factor(glass, np.arange(0.6, last, 0.06), radiation=radiation))
            assert 0.01 < data.errors[0] < 0.02


@pytest.mark.parametrize("kind", [ExperimentalData, ExperimentalPairFunction])
def test_measured_errors_that_are_raised_are_counted(kind):
    x = np.arange(0.5, 7.5, 0.1)
    values = 1 + 0.4 * np.sin(2 * x) / x
    floor = plain_sigma(values.tolist())
    sigma = np.full(x.size, 2 * floor)
    sigma[:7] = [0.0, 1e-6, 1e-4, floor / 2, floor / 3, 0.99 * floor, 0.0]
    if kind is ExperimentalData:
        item, name = ExperimentalData(x, values, sigma, "neutron", "a file"), "neutron S(Q)"
    else:
        item = ExperimentalPairFunction(x, values, sigma, "g", "neutron", None, "a file")
        name = "neutron g(r)"
    np.testing.assert_allclose(as_data(item).errors, np.maximum(sigma, floor))
    rmc = ReverseMonteCarlo(load("silica-pristine-648"), [item], [WALLS])
    assert rmc.assumptions == (
        f"7 of 70 measured errors of {name} raised to {floor:.3g} (5 % of its spread)",
    )
    kept = as_data(item, sigma=1e-4)
    np.testing.assert_array_equal(kept.errors, 1e-4)


# -- the energy keeps its temperature ------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.1, 8.0])
def test_energy_and_data_have_their_own_temperatures(temperature):
    """Two atoms: a bin has the integral of exp(-E / kT) over its shell, times exp(-chi2 / 2T)."""
    edge, r_max, n_bins, kelvin = 8.0, 4.0, 10, 60_000.0
    model = short_ranged()
    data = toy(0.4 / temperature**0.5)  # of equal weight at any temperature
    energy = PotentialEnergy(model, temperature=kelvin)
    atoms = Atoms("SiO", [[0, 0, 0], [1.6, 0.5, 0]], cell=[edge] * 3, pbc=True)
    rmc = ReverseMonteCarlo(
        atoms, [data], [energy], 2, bin_width=0.4, move_size=2.5, target_acceptance=None
    )
    width = r_max / n_bins

    def exact(of_energy):
        weights = {}
        for k in range(n_bins):
            r = (k + (np.arange(400) + 0.5) / 400) * width
            cost = model.pair_energy("Si", "O", np.maximum(r, 0.5)) / (BOLTZMANN * of_energy)
            volume = np.sum(4 * np.pi * r**2 * np.exp(-cost)) * width / 400
            pair = [(("Si", "O"), (k + 0.5) * width)]
            chi2 = pair_chi2(pair, data, ["Si", "O"], edge**3, r_max, n_bins)
            weights[k] = volume * np.exp(-chi2 / (2 * temperature))
        chi2 = pair_chi2([], data, ["Si", "O"], edge**3, r_max, n_bins)
        weights[n_bins] = (edge**3 - 4 / 3 * np.pi * r_max**3) * np.exp(-chi2 / (2 * temperature))
        return weights

    seen = Counter()
    rmc._run_block(500, temperature)
    before, change = rmc.chi2, 0.0
    for _ in range(4000):
        change += rmc._run_block(15, temperature)
        r = minimum_image(rmc.atoms.positions[1] - rmc.atoms.positions[0], edge)
        seen[min(int(r / width), n_bins)] += 1
    assert agrees(seen, exact(kelvin)) > 0.01
    annealed = exact(kelvin * temperature)
    total = sum(annealed.values())
    far = sum(abs(seen[k] / 4000 - w / total) for k, w in annealed.items())
    assert far > 0.2  # what it would be if the energy were annealed with the data
    assert before + change == pytest.approx(rmc.chi2, abs=1e-6)


# -- files of earlier versions -------------------------------------------------------------------


def as_before(path, *absent):
    """Take out of a saved file what earlier versions did not write."""
    with np.load(path) as file:
        arrays = {name: value for name, value in file.items() if name not in absent}
    text = from_json(str(arrays["description"]))
    del text["assumptions"], arrays["sha256"]
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays | {"description": to_json(text)})


def test_old_files_go_on_as_they_were(tmp_path):
    """They had no distances of their own; those of the start are not added on the way."""
    constraints = [MinimumDistance({("Si", "O"): 1.1}), SILICA]
    rmc = small(constraints=constraints, keep_apart=False)
    rmc.run(2000, temperature=5.0)
    rmc.save(tmp_path / "old.npz")
    as_before(tmp_path / "old.npz")
    again = ReverseMonteCarlo.resume(tmp_path / "old.npz")
    for one in (rmc, again):
        one.run(2000, temperature=5.0)
    np.testing.assert_array_equal(again.atoms.positions, rmc.atoms.positions)


def test_old_files_in_another_cell_are_refused(tmp_path):
    """Earlier versions wrote fractional coordinates of the cell as given, and no other cell."""
    rmc = ReverseMonteCarlo(skewed(), data_of(skewed()), [SILICA])
    rmc.run(2000)
    rmc.save(tmp_path / "old.npz")
    assert ReverseMonteCarlo.resume(tmp_path / "old.npz").chi2 == rmc.chi2
    as_before(tmp_path / "old.npz", "lattice")
    with pytest.raises(ValueError, match=r"old\.npz.*faces.*begin a new refinement"):
        ReverseMonteCarlo.resume(tmp_path / "old.npz")


def test_what_a_checkpoint_knows_it_by():
    """Natural isotopes said or not are the same run; those of the sample or the model are not."""
    data = data_of(quartz())
    plain, said = (
        fingerprint(ReverseMonteCarlo(quartz(), [item], [SILICA]))
        for item in (replace(as_data(data[0]), isotopes=None), data[0])
    )
    assert plain == said
    model = quartz()
    set_isotopes(model, 29 * (model.numbers == 14))
    natural = fingerprint(ReverseMonteCarlo(model, [data[0]], [SILICA]))
    assert natural == plain  # the data are of natural silicon
    other = replace(as_data(data[0]), isotopes={"Si": 29})
    assert fingerprint(ReverseMonteCarlo(quartz(), [other], [SILICA]))["data"] != plain["data"]


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_old_files_whose_energy_was_annealed_are_refused(tmp_path, temperature):
    constraints = [WALLS, PotentialEnergy("SHIK", 5000.0)]
    glass = load("silica-pristine-648")
    rmc = ReverseMonteCarlo(glass, constraints=constraints)
    rmc.run(2000, temperature=temperature)
    rmc.save(tmp_path / "old.npz")
    assert ReverseMonteCarlo.resume(tmp_path / "old.npz").chi2 == rmc.chi2
    as_before(tmp_path / "old.npz")
    if temperature == 1.0:
        assert ReverseMonteCarlo.resume(tmp_path / "old.npz").chi2 == rmc.chi2
    else:
        with pytest.raises(ValueError, match=r"old\.npz.*annealed PotentialEnergy.*begin a new"):
            ReverseMonteCarlo.resume(tmp_path / "old.npz")


def test_no_warning_is_hidden():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small().run(2000)


def test_bins_are_as_fine_as_the_pair_function():
    """The structure that data were computed from agrees with them to rounding."""
    glass = load("silica-pristine-648")
    data = gn.scattering.pair_distribution(glass)  # in steps of 0.02 Å
    rmc = ReverseMonteCarlo(glass, [data])
    assert rmc.chi2 < 1e-9
    assert f"bin_width {data.dr:.4g} Å (the step of neutron g(r))" in rmc.assumptions
    coarse = gn.scattering.pair_distribution(glass, bins=100)
    assert not any("bin_width" in w for w in ReverseMonteCarlo(glass, [coarse]).assumptions)
    asked = r"bin_width=0\.05 .*step of 'neutron g\(r\)'.*set bin_width=0\.0\d+"
    with pytest.warns(UserWarning, match=asked) as caught:
        ReverseMonteCarlo(glass, [data], bin_width=0.05)
    assert caught[0].filename == __file__
    r = 2 + 0.001 * np.arange(500)
    fine = PairDistributionData(r, 1 + np.sin(r), "g")
    with pytest.warns(UserWarning, match=r"bin_width=0\.002 .*0\.001"):  # bins have an end
        ReverseMonteCarlo(glass, [fine])
    ripples = PairDistributionData(r, np.sin(r), q_max=20.0)  # go through Q
    assert not any("bin_width" in w for w in ReverseMonteCarlo(glass, [ripples]).assumptions)


def test_the_width_of_old_checkpoints():
    """Runs whose width is 0.05 are known by what they were known by when it was the default."""
    settings = fingerprint(ReverseMonteCarlo(quartz(), data_of(quartz()), [SILICA]))
    said = ReverseMonteCarlo(quartz(), data_of(quartz()), [SILICA], bin_width=0.05)
    assert settings == fingerprint(said)
    assert settings["bin_width"] == 0.05


def test_atoms_on_one_place_are_refused():
    """Without data too, across a face of the cell too; a minimum distance may repair them."""
    atoms = quartz()
    atoms.positions[1] = atoms.positions[0] + atoms.cell.array[2] + [0, 0, 0.05]
    with pytest.raises(ValueError, match=r"atoms 0 and 1 overlap, 0\.05.*remove duplicates"):
        ReverseMonteCarlo(atoms, constraints=[SILICA])
    apart = dict.fromkeys([("Si", "Si"), ("Si", "O"), ("O", "O")], 1.0)
    rmc = ReverseMonteCarlo(atoms, constraints=[SILICA, MinimumDistance(apart)], repair=True)
    assert rmc.repaired > 0


@pytest.mark.parametrize("constraint", [FixAtoms([0]), FixBondLength(0, 1)])
def test_constraints_of_ase_are_refused(constraint):
    atoms = quartz()
    atoms.set_constraint(constraint)
    kind = type(constraint).__name__
    with pytest.raises(ValueError, match=rf"atoms\.constraints={kind}.*FixedAtoms.*set_constr"):
        ReverseMonteCarlo(atoms, constraints=[SILICA])
    atoms = load("silica-pristine-648")
    atoms.set_constraint(constraint)
    with pytest.raises(ValueError, match=rf"atoms\.constraints={kind}.*atoms\.set_constraint"):
        gn.models.densify(atoms, 1.0, 300.0)
