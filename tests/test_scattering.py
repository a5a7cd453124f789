"""g(r) and S(Q): against SOVA, dynasor, plain sums, a crystal's Bragg peaks, and sum rules."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import amplitude
from test_neighbours import random_structure

import glassnb as gn
from glassnb.core.files import read
from glassnb.scattering import (
    broaden,
    electron_form_factor,
    first_sharp_diffraction_peak,
    neutron_scattering_length,
    pair_distribution,
    real_space_broadening,
    reciprocal_amplitudes,
    scattering_factors,
    smallest_q,
    structure_factor,
    x_ray_form_factor,
)


@pytest.fixture(scope="module")
def glass() -> Atoms:
    """The 3000-atom glass that comes with the package."""
    return gn.models.load("silica-pristine-3000")


@pytest.fixture(scope="module")
def published(shared_data) -> Atoms:
    """A published 3000-atom reverse Monte Carlo model by the RMC++ program."""
    return read(shared_data / "models" / "sova_sio.cfg", species=("Si", "O"))


def test_transform_equals_sova_with_identical_bins(glass):
    """Same g(r) in, same S(Q) out; tolerance 1e-3 as in the issue, measured far below."""
    from types import SimpleNamespace

    from sovapy.computation.structure_factor import partial_structure_factor

    g = pair_distribution(glass, bins=700)
    pairs = list(g.partials)
    table = np.array([g.partials[pair] for pair in pairs]).T
    # SOVA leaves out its first bin, which is empty
    q, theirs = partial_structure_factor(
        SimpleNamespace(atom_number_density=g.density), g.r, table, 0.5, 20.0, 0.5
    )
    ours = structure_factor(glass, q, bins=700)
    for k, pair in enumerate(pairs):
        np.testing.assert_allclose(ours.partials[pair], theirs[:, k], atol=1e-3)


@pytest.mark.filterwarnings("ignore")  # SOVA takes its own warnings for errors
def test_totals_equal_sova(shared_data):
    """Whole chain on SOVA's own file; its bins are shifted by half a bin, so fine bins; 5e-3."""
    from sovapy.computation import structure_factor as sova
    from sovapy.core.file import File

    path = shared_data / "rings" / "sova_a_SiO2_speed1e11K.xyz"
    theirs = File.open(str(path)).get_atoms()
    r, counts = sova.atom_pair_hist(theirs, 0.01)
    partial_g = sova.pair_dist_func(theirs, r, counts)
    q, partial_s = sova.partial_structure_factor(theirs, r, partial_g, 0.5, 12.0, 0.5)
    atoms = read(path)
    neutron = structure_factor(atoms, q, bins=r.size)
    expected = sova.structure_factor_neutron(partial_s, sova.ncoeff(theirs))
    np.testing.assert_allclose(neutron.total, expected, atol=5e-3)
    expected = sova.structure_factor_xray(partial_s, sova.xcoeff(theirs, q))
    np.testing.assert_allclose(neutron.as_radiation("x-ray").total, expected, atol=2e-2)


def test_direct_sum_equals_dynasor_at_identical_vectors(glass, tmp_path):
    """Tolerance 1e-6, as in the issue."""
    from ase.io import write
    from dynasor import Trajectory, compute_static_structure_factors

    write(tmp_path / "two.extxyz", [glass, glass])  # dynasor fails on a single frame
    found = reciprocal_amplitudes(glass, 1.8)
    names = glass.get_chemical_symbols()
    indices = {s: [i for i, n in enumerate(names) if n == s] for s in ("Si", "O")}
    trajectory = Trajectory(
        str(tmp_path / "two.extxyz"), trajectory_format="extxyz", atomic_indices=indices
    )
    sample = compute_static_structure_factors(trajectory, found.q_vectors, logging_interval=0)
    n = len(glass)
    for a, b in (("Si", "Si"), ("O", "O"), ("Si", "O")):
        i, j = found.symbols.index(a), found.symbols.index(b)
        ours = (found.amplitudes[i] * found.amplitudes[j].conj()).real / n
        key = f"Sq_{a}_{b}" if hasattr(sample, f"Sq_{a}_{b}") else f"Sq_{b}_{a}"
        theirs = np.asarray(sample[key]).ravel() / (1 if a == b else 2)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


def test_amplitudes_equal_plain_sums_in_a_triclinic_cell():
    atoms = random_structure(5, n_atoms=50, size=9.0)
    found = reciprocal_amplitudes(atoms, 3.0)
    names = np.array(atoms.get_chemical_symbols())
    for i, symbol in enumerate(found.symbols):
        expected = amplitude(atoms.positions[names == symbol], found.q_vectors)
        np.testing.assert_allclose(found.amplitudes[i], expected, atol=1e-5)
    # every vector of the sphere once: its mirror image is not there
    all_of = {tuple(m) for m in found.miller}
    assert len(all_of) == len(found.miller)
    assert not any(tuple(-m) in all_of for m in found.miller)
    volume = atoms.get_volume() / (2 * np.pi) ** 3 * 4 / 3 * np.pi * 3.0**3
    assert 2 * len(all_of) == pytest.approx(volume, rel=0.15)


def test_shell_averages_equal_the_vectors_for_one_two_and_three_species():
    for symbols in (["Si"], ["Si", "O"], ["Na", "Si", "O"]):
        atoms = random_structure(6, n_atoms=60, size=9.0)
        atoms.symbols = [symbols[k % len(symbols)] for k in range(60)]
        q = np.array([0.8, 1.3, 1.7, 2.4])  # uneven shells
        direct = structure_factor(atoms, q, method="direct")
        edges = np.array([0.55, 1.05, 1.5, 2.05, 2.75])
        found = reciprocal_amplitudes(atoms, 2.75)
        for pair, values in found.partials.items():
            for k in range(q.size):
                shell = (found.q >= edges[k]) & (found.q < edges[k + 1])
                assert direct.n_vectors[k] == shell.sum()
                assert direct.partials[pair][k] == pytest.approx(values[shell].mean(), abs=1e-7)


def test_bragg_peaks_of_quartz():
    """alpha-quartz: d(100) = 4.257 Å, d(101) = 3.343 Å (International Centre for Diffraction
    Data, card 46-1045); nothing between the reciprocal lattice points."""
    atoms = gn.models.crystal("alpha-quartz", repeat=(4, 4, 4))
    found = reciprocal_amplitudes(atoms, 2.2)
    intensity = np.abs(found.amplitudes.sum(axis=0)) ** 2
    strong = intensity > 1e-6 * intensity.max()
    assert np.all(found.miller[strong] % 4 == 0)
    d = np.unique((2 * np.pi / found.q[strong]).round(3))[::-1]
    assert d[0] == pytest.approx(4.257, abs=0.01)
    assert d[1] == pytest.approx(3.343, abs=0.01)


def test_the_two_methods_agree_after_equal_broadening(glass):
    """Within four counting errors of the shells: S/sqrt(number of vectors under the Gaussian)."""
    q = np.arange(0.36, 9.0, 0.02)  # from what half the box allows
    fwhm = 0.5
    histogram = broaden(structure_factor(glass, q), fwhm)
    direct = structure_factor(glass, q, method="direct")
    broadened = broaden(direct, fwhm)
    use = (q > 0.8) & (q < 7.5)
    vectors = np.convolve(direct.n_vectors, np.ones(round(fwhm / 0.02)), mode="same")
    error = histogram.total / np.sqrt(vectors)
    assert np.all(np.abs(histogram.total - broadened.total)[use] < 4 * error[use])
    assert np.abs(histogram.total - broadened.total)[use].max() < 0.01


def test_known_peak_of_the_published_model(published):
    """facts/models.md 2: through g(r) to L/2 without a window, N 1.535/1.555, X 1.56/1.86."""
    neutron = structure_factor(published)
    peak = first_sharp_diffraction_peak(neutron)
    assert peak.position == pytest.approx(1.535, abs=0.005)
    assert peak.height == pytest.approx(1.555, abs=0.01)
    peak = first_sharp_diffraction_peak(neutron.as_radiation("x-ray"))
    assert peak.position == pytest.approx(1.56, abs=0.01)
    assert peak.height == pytest.approx(1.86, abs=0.01)
    assert peak.gaussian_position == pytest.approx(peak.position, abs=0.05)
    assert 0.4 < peak.fwhm < 0.7
    assert "quadratic" in peak.estimator


def test_peak_of_a_known_curve():
    q = np.arange(0.3, 4.0, 0.02)
    curve = type("S", (), {"q": q, "total": 1.5 * np.exp(-((q - 1.53) ** 2) / (2 * 0.2**2))})
    peak = first_sharp_diffraction_peak(curve)
    assert peak.position == pytest.approx(1.53, abs=1e-3)
    assert peak.height == pytest.approx(1.5, rel=3e-3)
    assert peak.fwhm == pytest.approx(0.2 * 2.3548, rel=1e-2)
    assert peak.gaussian_fwhm == pytest.approx(0.2 * 2.3548, rel=1e-2)
    assert peak.period == pytest.approx(2 * np.pi / 1.53, rel=1e-3)
    with pytest.raises(ValueError, match="no maximum inside"):
        first_sharp_diffraction_peak(curve, q_range=(1.8, 2.5))
    with pytest.raises(ValueError, match="5 are needed"):
        first_sharp_diffraction_peak(curve, q_range=(5, 6))


def test_conventions_reach_their_limits(glass):
    far = structure_factor(glass, np.linspace(30, 35, 200))
    for values in far.partials.values():
        assert values.mean() == pytest.approx(1.0, abs=0.01)
    al = far.ashcroft_langreth()
    assert al["Si", "Si"].mean() == pytest.approx(1.0, abs=0.01)
    assert al["Si", "O"].mean() == pytest.approx(0.0, abs=0.01)
    bt = far.bhatia_thornton()
    c_a, c_b = far.concentrations
    assert bt["NN"].mean() == pytest.approx(1.0, abs=0.01)
    assert bt["NC"].mean() == pytest.approx(0.0, abs=0.01)
    assert bt["CC"].mean() == pytest.approx(c_a * c_b, abs=0.01)


def test_conventions_equal_their_definitions_by_amplitudes():
    """Bhatia-Thornton from the density and concentration amplitudes themselves (1970, eq. 7-9)."""
    atoms = random_structure(8, n_atoms=80, size=10.0)
    q = np.array([1.0, 1.6, 2.2])
    sq = structure_factor(atoms, q, method="direct")
    found = reciprocal_amplitudes(atoms, 2.5)
    a, b = found.amplitudes
    n = len(atoms)
    c_a, c_b = sq.concentrations
    density, concentration = a + b, c_b * a - c_a * b
    expected = {
        "NN": (density * density.conj()).real / n,
        "NC": (density * concentration.conj()).real / n,
        "CC": (concentration * concentration.conj()).real / n,
    }
    for name, values in sq.bhatia_thornton().items():
        for k in range(q.size):
            shell = (found.q >= q[k] - 0.3) & (found.q < q[k] + 0.3)
            assert values[k] == pytest.approx(expected[name][shell].mean(), abs=1e-6)


def test_number_number_equals_bhatia_thornton_total(glass):
    """With equal scattering lengths the total is S_NN."""
    sq = structure_factor(glass, np.arange(0.5, 10, 0.1))
    c = sq.concentrations
    expected = sum(
        (1 if a == b else 2) * c[sq.symbols.index(a)] * c[sq.symbols.index(b)] * s
        for (a, b), s in sq.partials.items()
    )
    np.testing.assert_allclose(sq.bhatia_thornton()["NN"], expected, atol=1e-12)


def test_pair_distribution_of_a_lattice_and_of_noise():
    sodium = Atoms("Si", cell=[3, 3, 3], pbc=True) * (4, 4, 4)
    g = pair_distribution(sodium, 5.0, bins=500)
    assert g.coordination_number("Si", "Si", 3.5) == 6
    assert g.coordination_number("Si", "Si", 4.5, r_min=3.5) == 12
    rng = np.random.default_rng(0)
    gas = Atoms("SiO2" * 700, rng.uniform(0, 30, (2100, 3)), cell=[30] * 3, pbc=True)
    g = pair_distribution(gas, bins=20)
    for values in g.partials.values():
        np.testing.assert_allclose(values[8:], 1.0, atol=0.05)
    np.testing.assert_allclose(g.total[8:], 1.0, atol=0.02)


def test_symmetries_of_the_structure_factor():
    atoms = random_structure(9, n_atoms=60, size=12.0)
    q = np.arange(1.5, 8, 0.25)
    reference = structure_factor(atoms, q).total
    moved = atoms.copy()
    moved.translate([3.0, 100.0, -7.7])
    moved.rotate(40, (1, 1, 2), rotate_cell=True)
    moved = moved[np.random.default_rng(1).permutation(len(moved))]
    np.testing.assert_allclose(structure_factor(moved, q).total, reference, atol=1e-2)


# -- one lattice, many cells ---------------------------------------------------------------------


def another_setting(atoms: Atoms, seed: int) -> Atoms:
    """The same atoms with cell vectors that are whole sums of the given ones."""
    rng = np.random.default_rng(seed)
    matrix = np.eye(3, dtype=int)[rng.permutation(3)] * rng.choice([-1, 1])
    for _ in range(4):
        i, j = rng.choice(3, 2, replace=False)
        matrix[i] += rng.integers(-3, 4) * matrix[j]
    moved = atoms.copy()
    moved.set_cell(matrix @ np.asarray(atoms.cell))
    assert moved.get_volume() == pytest.approx(atoms.get_volume())
    return moved


CRYSTALS = {
    "quartz": gn.models.crystal("alpha-quartz", repeat=2),
    "cristobalite": gn.models.crystal("alpha-cristobalite", repeat=2),
    "fcc": bulk("Cu").repeat(4),
    "bcc": bulk("Fe").repeat(4),
    "two atoms": Atoms("SiO", [[0, 0, 0], [2, 2, 2]], cell=[4, 4, 4], pbc=True),
}


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), name=st.sampled_from([*CRYSTALS, "noise"]))
def test_the_cell_of_a_lattice_does_not_matter(seed, name):
    """Crystals have distances on the edges of bins and at half the box: rounding decides nothing"""
    noise = random_structure(seed % 100, n_atoms=30, size=9.0)
    atoms = CRYSTALS.get(name, noise)
    moved = another_setting(atoms, seed)
    before, after = pair_distribution(atoms), pair_distribution(moved)
    np.testing.assert_allclose(after.r, before.r, rtol=1e-9)
    np.testing.assert_array_equal(after.counts, before.counts)
    for method in ("histogram", "direct"):
        one, two = (structure_factor(a, method=method) for a in (atoms, moved))
        np.testing.assert_array_equal(one.q, two.q)
        for pair, values in one.partials.items():
            np.testing.assert_allclose(two.partials[pair], values, atol=1e-6)
    ours, theirs = (reciprocal_amplitudes(a, 2.5) for a in (atoms, moved))
    assert ours.q.size == theirs.q.size
    q_vectors = 2 * np.pi * theirs.miller @ np.asarray(moved.cell.reciprocal())
    np.testing.assert_allclose(q_vectors, theirs.q_vectors, atol=1e-9)


def test_half_the_box_is_that_of_the_best_cell():
    """By trying every cell with vectors from a list: half the smallest height, at its largest."""
    from itertools import combinations

    for atoms in (random_structure(3, size=7.0), bulk("Cu"), another_setting(bulk("Fe"), 2)):
        base = np.asarray(atoms.cell.minkowski_reduce()[0])
        steps = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3), -1).reshape(-1, 3)
        best = 0.0
        for chosen in combinations(steps[:13], 3):
            if abs(np.linalg.det(chosen)) > 0.5:
                cell = np.array(chosen) @ base
                if abs(np.linalg.det(cell)) < 1.5 * atoms.get_volume():
                    best = max(best, 1 / np.linalg.norm(np.linalg.inv(cell), axis=0).max())
        assert gn.core.half_box(atoms) == pytest.approx(best / 2)
        # within it the nearest image is the only one: no lattice vector is shorter than twice it
        vectors = np.linalg.norm(steps[np.any(steps != 0, axis=1)] @ base, axis=1)
        assert 2 * gn.core.half_box(atoms) <= vectors.min() + 1e-9


def test_default_grid_begins_where_the_box_allows(glass):
    """2 pi over half the box, 17.77 Å; the shortest vector of a cube is 2 pi over its edge."""
    edge = glass.cell.lengths()[0]
    assert smallest_q(glass) == pytest.approx(4 * np.pi / edge)
    assert smallest_q(glass, method="direct") == pytest.approx(2 * np.pi / edge)
    assert smallest_q(glass, r_max=10.0) == pytest.approx(0.2 * np.pi)
    np.testing.assert_allclose(structure_factor(glass).q, np.arange(18, 1001) * 0.02)
    assert structure_factor(glass, r_max=10.0).q[0] == pytest.approx(0.64)
    direct = structure_factor(glass, method="direct")
    np.testing.assert_allclose(direct.q, np.arange(4, 201) * 0.05)
    # exactly on a multiple: it is the first
    exact = Atoms("Si2", [[0, 0, 0], [5, 5, 5]], cell=[4 * np.pi] * 3, pbc=True)
    assert structure_factor(exact).q[0] == 1.0
    assert structure_factor(exact, method="direct").q[0] == 0.5


def test_quartz_cell_has_no_peak_below_what_it_allows():
    """4.91 Å of quartz: nothing at 0.3 Å⁻¹, and no first sharp diffraction peak to be found."""
    sq = structure_factor(gn.models.crystal("alpha-quartz"))
    assert sq.q[0] == pytest.approx(2.96)
    with pytest.raises(ValueError, match=r"holds 0 points.*known from 2\.96 to 20"):
        first_sharp_diffraction_peak(sq)


@pytest.mark.parametrize(
    ("q", "options", "smallest"),
    [
        ([0.3, 1.0], {}, "0.3536 Å⁻¹, 2 pi / r_max"),
        ([0.6, 1.0], {"r_max": 10.0}, "0.6283 Å⁻¹, 2 pi / r_max"),
        ([0.1, 0.2], {"method": "direct"}, "0.1768 Å⁻¹, the shortest scattering vector"),
    ],
)
def test_smaller_q_is_computed_with_a_warning(glass, q, options, smallest):
    with pytest.warns(UserWarning, match=f"q: begins at {q[0]} Å⁻¹, below {smallest}") as found:
        sq = structure_factor(glass, q, **options)
    assert found[0].filename == __file__
    assert len(found) == 1
    np.testing.assert_array_equal(sq.q, q)
    if "method" not in options:
        assert np.isfinite(sq.total).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"method": "fast"}, "method='fast'"), ({"r_max": 0.0}, "r_max=0.0: must be a positive")],
)
def test_smallest_q_names_bad_options(glass, options, message):
    with pytest.raises(ValueError, match=message):
        smallest_q(glass, **options)


def test_a_range_without_default_is_named(glass):
    with pytest.raises(ValueError, match=r"q=None: .*31\.4 Å⁻¹.*ends at 20; use a larger r_max"):
        structure_factor(glass, r_max=0.2)


def test_a_refinement_counts_in_the_reduced_cell():
    """The same atoms in a skew cell: the same reach, histogram and curves."""
    atoms = gn.models.crystal("alpha-quartz", repeat=2)
    atoms.rattle(0.05, seed=1)
    sq = structure_factor(atoms, np.arange(1.5, 10.0, 0.1))
    one, two = (
        gn.models.ReverseMonteCarlo(a, [sq], seed=1) for a in (atoms, another_setting(atoms, 7))
    )
    assert two._system.r_max == pytest.approx(one._system.r_max)
    np.testing.assert_array_equal(two._fit.histogram, one._fit.histogram)
    np.testing.assert_allclose(two.calculated(0), one.calculated(0), atol=1e-9)


def test_peak_names_its_coherence_length():
    q = np.arange(0.3, 4.0, 0.02)
    curve = type("S", (), {"q": q, "total": 1.5 * np.exp(-((q - 1.53) ** 2) / (2 * 0.2**2))})
    peak = first_sharp_diffraction_peak(curve)
    words = f"coherence length {2 * np.pi / (0.2 * 2.3548):.1f} Å (2π/FWHM, FWHM by the low-Q half)"
    assert words in repr(peak)
    assert "coherence length is 2 pi / FWHM" in peak.estimator
    assert words in peak.plot().get_legend().get_texts()[0].get_text()


def test_real_space_conventions(glass):
    """T - D is 4 pi rho r <b>^2, <b>^2 = 0.2759 barn for SiO2 (facts/diffraction.md 2)."""
    g = pair_distribution(glass)
    average = (g.weighted("T") - g.weighted("D")) / (4 * np.pi * g.density * g.r)
    np.testing.assert_allclose(average, 0.27586, rtol=1e-3)
    np.testing.assert_allclose(g.weighted("G"), 0.27586 * (g.weighted("g") - 1), rtol=1e-3)
    pdf = 4 * np.pi * g.density * g.r * (g.weighted("g", "x-ray") - 1)
    np.testing.assert_allclose(g.weighted("G_PDF", "x-ray"), pdf, atol=1e-12)
    with pytest.raises(ValueError, match="convention='R'"):
        g.weighted("R")


@pytest.mark.parametrize(("window", "width"), [("step", 3.79), ("lorch", 5.44)])
def test_real_space_resolution(window, width):
    """A sharp line becomes 3.79/Qmax wide (step) or 5.44/Qmax (Lorch)."""
    r = np.arange(0.005, 12, 0.005)
    line = np.zeros_like(r)
    line[1200] = 1.0
    q_max = 25.0
    broad = real_space_broadening(r, line, q_max, window=window)
    above = r[broad >= broad.max() / 2]
    assert np.ptp(above) == pytest.approx(width / q_max, abs=0.012)
    assert broad.sum() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("window", ["lorch", "hann", "welch"])
def test_windows_damp_the_ripples_of_a_short_range(glass, window):
    q = np.arange(0.7, 1.2, 0.01)
    rough = structure_factor(glass, q, r_max=9.0).total
    smooth = structure_factor(glass, q, r_max=9.0, window=window).total
    assert np.abs(np.diff(smooth, 2)).max() < np.abs(np.diff(rough, 2)).max()


def test_scattering_factors_of_tables():
    """Sears, Neutron News 3, 26 (1992); f_0(0) = Z; Doyle and Turner, Acta Cryst. A 24, 390
    (1968): f_e(0) = 5.82 Å for Si and 1.98 Å for O; Kirkland 7.57 Å for Pd."""
    assert neutron_scattering_length("Si") == pytest.approx(4.149, abs=0.003)
    assert neutron_scattering_length("O") == pytest.approx(5.803, abs=0.002)
    assert neutron_scattering_length("Si-29") == pytest.approx(4.7, abs=0.1)
    assert x_ray_form_factor("Si", 0.0) == pytest.approx(14, abs=0.01)
    assert electron_form_factor("Si", [0.0])[0] == pytest.approx(5.82, rel=0.015)
    assert electron_form_factor("O", [0.0])[0] == pytest.approx(1.98, rel=0.015)
    assert electron_form_factor("Pd", [2 * np.pi * 0.02])[0] == pytest.approx(7.57, rel=0.015)
    q = np.linspace(0.5, 0.8, 200)
    assert np.abs(np.diff(electron_form_factor("Pd", q))).max() < 0.05  # no step where joined
    assert scattering_factors(["Si", "O"], [1.0, 2.0], "electron").shape == (2, 2)


def test_many_threads_may_ask_first():
    """The library of tables fills them at the first question, in a process that is new."""
    code = (
        "import sys; sys.setswitchinterval(1e-6)\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from glassnb.scattering import neutron_scattering_length\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    lengths = set(pool.map(neutron_scattering_length, ['Si'] * 64))\n"
        "assert len(lengths) == 1, lengths\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_radiations_differ_and_tables_are_written(glass, tmp_path):
    sq = structure_factor(glass, np.arange(0.5, 6, 0.05))
    assert np.abs(sq.total - sq.as_radiation("electron").total).max() > 0.05
    np.testing.assert_allclose(sq.differential(), 0.27586 * (sq.total - 1), rtol=1e-3)
    assert list(sq.to_frame().columns) == ["q", "total", "Si-Si", "Si-O", "O-O"]
    sq.save(tmp_path / "s.csv")
    lines = (tmp_path / "s.csv").read_text().splitlines()
    assert len(lines) == sq.q.size + 2
    assert '"radiation": "neutron"' in lines[0]
    assert pd.read_csv(tmp_path / "s.csv", comment="#")["q"].size == sq.q.size
    g = pair_distribution(glass)
    g.save(tmp_path / "g.csv")
    assert g.to_frame().shape[1] == 5
    for result in (sq, g):
        assert result.plot().get_xlabel()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"radiation": "gamma"}, "radiation='gamma'"),
        ({"method": "fast"}, "method='fast'"),
        ({"window": "box"}, "window='box'"),
        ({"q": [0.0, 1.0]}, "positive finite"),
        ({"q": [2.0, 1.0]}, "must rise"),
        ({"q": [1.0], "method": "direct"}, "at least two"),
        ({"q": [1.0, 2.0], "method": "direct", "r_max": 5.0}, "belong to method='histogram'"),
        ({"q": [1.0, 1e4], "method": "direct"}, "lower the largest q"),
        ({"r_max": -4.0}, "r_max=-4.0"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        structure_factor(random_structure(0, n_atoms=20, size=9.0), **options)


def test_bad_structures_are_named():
    atoms = random_structure(0, n_atoms=20)
    cluster = atoms.copy()
    cluster.pbc = False
    with pytest.raises(ValueError, match="must be periodic"):
        structure_factor(cluster)
    with pytest.raises(ValueError, match="must be periodic"):
        pair_distribution(cluster)
    dummy = atoms.copy()
    dummy.symbols[:] = "X"
    with pytest.raises(ValueError, match="'X' has no neutron scattering length"):
        structure_factor(dummy)
    with pytest.raises(ValueError, match="'X' has no X-ray form factor"):
        structure_factor(dummy, radiation="x-ray")
    polonium = atoms.copy()
    polonium.symbols[:] = "Po"
    with pytest.raises(ValueError, match="'Po' has no neutron"):
        structure_factor(polonium)
    with pytest.raises(ValueError, match="two species"):
        structure_factor(
            Atoms("Si2", [[0, 0, 0], [2, 2, 2]], cell=[6] * 3, pbc=True)
        ).bhatia_thornton()
