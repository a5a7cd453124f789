"""g(r) and S(Q): against SOVA, dynasor, plain sums, a crystal's Bragg peaks, and sum rules."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
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
    q = np.arange(0.02, 9.0, 0.02)
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
    q = np.arange(0.5, 8, 0.25)
    reference = structure_factor(atoms, q).total
    moved = atoms.copy()
    moved.translate([3.0, 100.0, -7.7])
    moved.rotate(40, (1, 1, 2), rotate_cell=True)
    moved = moved[np.random.default_rng(1).permutation(len(moved))]
    np.testing.assert_allclose(structure_factor(moved, q).total, reference, atol=1e-2)


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
    q = np.arange(0.6, 1.2, 0.01)
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
