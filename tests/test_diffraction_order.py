"""Is there order? A planted crystal is found, a packing without order is not, p-values are fair."""

import numpy as np
import pytest
from ase import Atoms
from packings import SPACING, random_packing
from scipy import stats

from glassnb.diffraction import DiffractionScan, Probe, Scanner, cut_slab, scan
from glassnb.diffraction.analysis import (
    fluctuation_variance,
    null_scan,
    paired_spots,
    quasi_lattice_planes,
    radial_profile,
    spot_persistence,
    spot_significance,
)
from glassnb.models import load

PROBE = Probe(200e3, 2.0)
RING = (0.38, 0.52)  # 1/Å, about {111} of palladium and the main ring of the packing
RADIUS, THICKNESS, SIZE = 10.0, 24.0, 2000


@pytest.fixture(scope="module")
def planted():
    """A crystal 20 Å across in a packing: slab, whether an atom is of the crystal, and scan."""
    atoms, crystal = random_packing(SIZE, seed=1, radius=RADIUS)
    slab = cut_slab(atoms, THICKNESS, start=(atoms.cell[0, 0] - THICKNESS) / 2)
    patterns = scan(slab, PROBE, positions=(8, 8), k_max=0.7)
    return slab, crystal[slab.atoms.arrays["model_index"]], patterns


@pytest.fixture(scope="module")
def packing():
    return random_packing(SIZE, seed=2)[0]


@pytest.fixture(scope="module")
def disordered(packing):
    """Nine places, further apart than the beam is wide, in 12 orientations of a packing."""
    middle = 27.5
    steps = np.array([-10.0, 0.0, 10.0]) + middle
    places = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    return scan(
        packing, PROBE, positions=places, k_max=0.6, thickness=THICKNESS, rotations=12, seed=4,
        width=55.0, margin=10.0,
    )  # fmt: skip


# -- the positive control ------------------------------------------------------------------------


@pytest.mark.parametrize("null", ["speckle", "phase"])
def test_a_planted_crystal_is_found(planted, null):
    slab, _, patterns = planted
    result = spot_significance(patterns, k_range=RING, null=null, atoms=slab, n_null=100, seed=3)
    found = result.significant(0.05)
    middle = np.array(slab.lengths) / 2
    away = np.linalg.norm(patterns.positions - middle, axis=1).reshape(8, 8)
    assert result.scan_p_value == pytest.approx(1 / 101)
    assert found[away < 4].all()
    # The beam is 6.5 Å wide: further out it does not reach the crystal.
    assert not found[away > RADIUS + PROBE.fwhm].any()
    spot = result.spots.strongest()
    assert spot.d == pytest.approx(SPACING, rel=0.03)
    assert result.spot_p_values[result.spots.strength.argmax()] == result.p_values.min()
    table = result.to_frame()
    assert (table["adjusted"] >= table["p_value"] - 1e-12).groupby(table["pattern"]).first().all()


def test_its_spot_lasts_beyond_the_beam(planted):
    """Half way down at about the radius of the crystal's overlap, not at that of the beam."""
    _, _, patterns = planted
    spot = paired_spots(patterns, k_range=RING).strongest()
    result = spot_persistence(patterns, spot, n_null=50, seed=2)
    assert result.p_value < 0.05
    assert result.length > 1.3 * result.null_length
    assert result.null_length < PROBE.fwhm
    assert result.strength[0] > 2 * result.null_high[0]
    assert list(result.to_frame().columns)[0] == "shift"


def test_the_atoms_behind_the_spot_are_those_of_the_crystal(planted):
    """Area under the ROC curve from the Mann-Whitney statistic: 1 tells the two apart wholly."""
    slab, crystal, patterns = planted
    spot = paired_spots(patterns, k_range=RING).strongest()
    planes = quasi_lattice_planes(slab, spot, PROBE)

    def picks(values, which):
        statistic = stats.mannwhitneyu(values[which & crystal], values[which & ~crystal]).statistic
        return statistic / ((which & crystal).sum() * (which & ~crystal).sum())

    away = np.linalg.norm(slab.atoms.positions[:, :2] - spot.position, axis=1)
    assert picks(planes.amplitude, away < np.inf) > 0.98
    assert picks(planes.weights, away < PROBE.fwhm / 2) > 0.9
    assert planes.weights[crystal].sum() > 0.9
    assert planes.spacing == pytest.approx(SPACING, rel=0.02)
    # The ball is 20 Å across in every direction; the filter blurs by its resolution.
    assert ((planes.coherence > 15) & (planes.coherence < 25)).all()
    assert np.linalg.norm(planes.centre - slab.atoms.positions[crystal].mean(axis=0)) < 6
    depth, share = planes.depth_profile(6)
    assert share.sum() == pytest.approx(1)
    assert share[1:5].sum() > 0.8
    assert depth[0] == pytest.approx(THICKNESS / 12)


# -- no order ------------------------------------------------------------------------------------


def test_a_packing_without_order_is_not_found(disordered):
    """108 patterns: 5 % have p < 0.05, within the binomial error at 99 %."""
    result = spot_significance(disordered, k_range=RING, n_null=15, seed=1)
    false = int((result.p_values < 0.05).sum())
    assert stats.binomtest(false, result.p_values.size, 0.05).pvalue > 0.01
    assert stats.kstest(result.p_values.ravel(), "uniform").pvalue > 0.01
    assert result.significant(0.05).sum() == 0
    assert result.scan_p_value > 0.05


def test_a_packing_has_no_lasting_spot(packing):
    patterns = scan(packing, PROBE, positions=(6, 6), k_max=0.6, thickness=THICKNESS)
    spot = paired_spots(patterns, k_range=RING).strongest()
    assert spot_persistence(patterns, spot, k_range=RING, n_null=40).p_value > 0.05


def test_a_packing_is_like_a_liquid(packing, disordered):
    """Strongest pairs of one packing and of slabs of another, by Kolmogorov and Smirnov."""
    other = random_packing(SIZE, seed=7)[0]
    result = spot_significance(disordered, k_range=RING, null="liquid", atoms=other, n_null=1)
    assert stats.ks_2samp(result.null_strength, result.strength.ravel()).pvalue > 0.01
    assert result.null == "liquid"


@pytest.mark.parametrize("null", ["speckle", "phase"])
def test_p_values_are_uniform_under_their_own_null(planted, null):
    """40 scans drawn from the null at 4 places far apart; Kolmogorov at 1 %."""
    slab, _, _ = planted
    places = np.array([[5.0, 5.0], [5.0, 20.0], [20.0, 5.0], [20.0, 20.0]])
    template = scan(slab, PROBE, positions=places, k_max=0.6)
    drawn = [null_scan(template, null, atoms=slab, seed=i) for i in range(40)]
    patterns = np.array([one.patterns for one in drawn])
    mean = patterns.mean(axis=(0, 1), dtype=float)
    stacked = DiffractionScan(
        template.k_x, template.k_y, places, (40, 4), mean, mean**2, patterns, probe=PROBE,
        rotations=np.tile([0.0, 0, 0, 1], (40, 1)), info=template.info,
    )  # fmt: skip
    result = spot_significance(stacked, k_range=RING, null=null, atoms=slab, n_null=10, seed=99)
    assert stats.kstest(result.p_values.ravel(), "uniform").pvalue > 0.01
    assert result.p_values.min() >= 1 / (1 + result.null_strength.size)


def test_speckle_is_fully_developed_and_as_bright_as_the_scan(packing):
    """V = 1 (J. W. Goodman, Speckle Phenomena, section 3.2), within 15 % for this few speckles."""
    template = scan(packing, PROBE, positions=(6, 6), k_max=0.7, thickness=THICKNESS)
    drawn = [null_scan(template, seed=i) for i in range(20)]
    patterns = np.concatenate([one.patterns for one in drawn])
    step = float(template.k_x[1] - template.k_x[0])
    speckle = DiffractionScan.from_array(patterns, k_step=step, probe=PROBE)
    profile, wanted = radial_profile(speckle), radial_profile(template)
    chosen = (profile.k > 0.3) & (profile.k < 0.65)
    assert np.abs(fluctuation_variance(speckle).variance[chosen] - 1).max() < 0.15
    # Blurring by the aperture and taking the blur out leaves the mean where it was, to the
    # error of the template's own 36 patterns.
    ratio = profile.intensity[chosen] / wanted.intensity[chosen]
    assert ratio.mean() == pytest.approx(1, abs=0.05)
    assert np.abs(ratio - 1).max() < 0.2


def test_a_scan_may_be_the_null(planted, disordered):
    _, _, patterns = planted
    result = spot_significance(patterns, k_range=RING, null=disordered)
    assert result.null_strength.size == 108
    assert np.isnan(result.scan_p_value)
    assert result.p_values.min() == pytest.approx(1 / 109)


def test_the_same_seed_gives_the_same(planted):
    _, _, patterns = planted
    first, again, other = (
        spot_significance(patterns, k_range=RING, n_null=3, seed=seed) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first.null_strength, again.null_strength)
    assert (first.null_strength != other.null_strength).any()


def test_a_source_of_finite_size_is_in_the_null(packing):
    """It lowers the contrast of the speckle, and with it the strongest pair by chance."""
    blurred = Probe(200e3, 2.0, source_size=5.0)
    medians = []
    for probe in (PROBE, blurred):
        patterns = scan(packing, probe, positions=(4, 4), k_max=0.6, thickness=THICKNESS)
        result = spot_significance(patterns, k_range=RING, n_null=10)
        medians.append(np.median(result.null_strength))
    assert medians[1] < 0.85 * medians[0]


def test_a_beam_moved_by_hand_gets_p_values(planted):
    """A pattern of the scan, looked at alone with the scan's mean, has the p-value it had."""
    _, _, patterns = planted
    result = spot_significance(patterns, k_range=RING, n_null=5)
    alone = paired_spots(
        patterns.pattern(4, 4), k_range=RING, k_x=patterns.k_x, k_y=patterns.k_y, probe=PROBE,
        mean=patterns.mean, strength_min=0,
    )  # fmt: skip
    np.testing.assert_allclose(result.p_value(alone.strength[0]), result.p_values[4, 4])
    with pytest.raises(ValueError, match="mean of shape"):
        paired_spots(patterns, mean=np.ones((3, 3)))


def test_bad_input_of_significance(planted):
    slab, _, patterns = planted
    with pytest.raises(ValueError, match="null='noise'"):
        spot_significance(patterns, k_range=RING, null="noise")
    with pytest.raises(ValueError, match="needs atoms"):
        spot_significance(patterns, k_range=RING, null="phase")
    with pytest.raises(ValueError, match="needs atoms"):
        spot_significance(patterns, k_range=RING, null="liquid")
    with pytest.raises(ValueError, match="whole liquid"):
        spot_significance(patterns, k_range=RING, null="liquid", atoms=slab)
    wrong = cut_slab(slab.atoms * (2, 1, 1), THICKNESS)
    with pytest.raises(ValueError, match="other pixels"):
        spot_significance(patterns, k_range=RING, null="phase", atoms=wrong)
    with pytest.raises(ValueError, match="n_null=0"):
        spot_significance(patterns, k_range=RING, n_null=0)
    with pytest.raises(ValueError, match="level=2"):
        spot_significance(patterns, k_range=RING, n_null=1).significant(2)
    with pytest.raises(ValueError, match="speckle or phase"):
        null_scan(patterns, "liquid")
    step = float(patterns.k_x[1] - patterns.k_x[0])
    measured = DiffractionScan.from_array(patterns.patterns, k_step=step, probe=PROBE)
    with pytest.raises(ValueError, match="thickness=None"):
        spot_significance(measured, k_range=RING)
    assert spot_significance(measured, k_range=RING, n_null=1, thickness=THICKNESS).n_null == 1
    spot = paired_spots(patterns, k_range=RING).strongest()
    with pytest.raises(ValueError, match="shift_range"):
        spot_persistence(patterns, spot, shift_range=(100, 200))
    reduced = scan(slab, PROBE, positions=(2, 2), k_max=0.6, reduce={"ring": RING})
    with pytest.raises(ValueError, match="not kept"):
        spot_significance(reduced, k_range=RING)


# -- density waves -------------------------------------------------------------------------------


def test_the_amplitude_is_that_of_the_pattern(planted):
    """Summed over atoms here, over Fourier transforms of layers in the scanner; to 1e-3."""
    slab, _, _ = planted
    scanner = Scanner(slab, PROBE, k_max=0.6)
    pattern = scanner.pattern((9.0, 14.0))
    for i, j in ((30, 22), (10, 17)):
        planes = quasi_lattice_planes(
            slab, (scanner.k_x[i], scanner.k_y[j]), PROBE, position=(9.0, 14.0)
        )
        assert planes.intensity == pytest.approx(pattern[i, j], rel=1e-3)
        assert planes.weights.sum() == pytest.approx(1)


def test_the_wave_of_a_few_atoms_by_plain_sums():
    rng = np.random.default_rng(4)
    atoms = Atoms("Si5", rng.uniform(0, 12, (5, 3)), cell=[12, 13, 14], pbc=True)
    k, width = np.array([0.2, 0.1, 0.15]), 0.05
    planes = quasi_lattice_planes(atoms, tuple(k), bandwidth=width)
    plain = np.zeros(5, dtype=complex)
    for index in np.ndindex(13, 13, 13):
        vector = (np.array(index) - 6) / [12, 13, 14]
        off = np.linalg.norm(vector - k)
        if off <= 3 * width:
            total = sum(np.exp(-2j * np.pi * vector @ r) for r in atoms.positions) / 5
            wave = np.exp(2j * np.pi * atoms.positions @ vector)
            plain += np.exp(-0.5 * (off / width) ** 2) * total * wave
    np.testing.assert_allclose(planes.wave, 2 * plain.real, rtol=1e-9)
    np.testing.assert_allclose(planes.amplitude, 2 * np.abs(plain), rtol=1e-9)


def test_one_atom_is_as_wide_as_the_resolution():
    """To 4 %: the filter ends at three of its widths."""
    atoms = Atoms("Si", [[15.0, 14.0, 16.0]], cell=[30, 30, 30], pbc=True)
    planes = quasi_lattice_planes(atoms, (0.3, 0.1, 0.0))
    np.testing.assert_allclose(planes.coherence, planes.resolution, rtol=0.04)
    assert planes.weights[0] == pytest.approx(1)


def test_planes_of_a_perfect_crystal_have_no_end():
    """Layers 4 Å apart in a periodic cell; looked for 3 % away from where they are."""
    rng = np.random.default_rng(6)
    z = rng.uniform(0, 20, (2, 600))
    x = np.repeat(np.arange(5) * 4.0, 120)
    atoms = Atoms("Si600", np.stack([x, *z], axis=1), cell=[20, 20, 20], pbc=True)
    planes = quasi_lattice_planes(atoms, (0.2425, 0.0))
    assert planes.spacing == pytest.approx(4.0, rel=0.02)
    assert np.isinf(planes.coherence[0])
    assert planes.amplitude.mean() == pytest.approx(2.0, rel=0.2)
    assert (planes.wave > 0).all()


def test_density_waves_of_silica():
    """At the first sharp diffraction peak, Q = 1.5 1/Å or k = 0.24 1/Å, planes are 4.2 Å apart."""
    glass = load("silica-pristine-3000")
    planes = quasi_lattice_planes(glass, (0.169, 0.0, 0.169))
    assert planes.spacing == pytest.approx(4.2, abs=0.3)
    assert planes.weights.sum() == pytest.approx(1)
    assert (planes.coherence > planes.resolution).all()
    assert np.average(planes.wave) > 0  # atoms prefer the crests of their own wave
    assert planes.model_weights(len(glass)).size == len(glass)


def test_shares_go_back_to_the_model(planted):
    slab, _, _ = planted
    planes = quasi_lattice_planes(slab, (0.3, 0.3))
    shares = planes.model_weights(SIZE)
    assert shares.sum() == pytest.approx(1)
    table = planes.to_frame()
    row = table.iloc[17]
    assert shares[row["model_index"]] == pytest.approx(row["weight"])
    with pytest.raises(ValueError, match="n_atoms=10"):
        planes.model_weights(10)


def test_bad_input_of_planes(planted):
    slab, _, _ = planted
    with pytest.raises(ValueError, match="components"):
        quasi_lattice_planes(slab, (0.0, 0.0))
    with pytest.raises(ValueError, match="k_z follows"):
        quasi_lattice_planes(slab, (0.3, 0.3, 0.1), PROBE, position=(1, 1))
    with pytest.raises(ValueError, match="position"):
        quasi_lattice_planes(slab, (0.3, 0.3), PROBE)
    with pytest.raises(ValueError, match="bandwidth=3"):
        quasi_lattice_planes(slab, (0.3, 0.3), bandwidth=3)
    skew = Atoms("Si", [[0, 0, 0]], cell=[[5, 0, 0], [2, 5, 0], [0, 0, 5]], pbc=True)
    with pytest.raises(ValueError, match="cut_slab"):
        quasi_lattice_planes(skew, (0.3, 0.3), PROBE, position=(1, 1))


def test_pictures(planted):
    import matplotlib.pyplot as plt

    slab, _, patterns = planted
    result = spot_significance(patterns, k_range=RING, n_null=3)
    spot = result.spots.strongest()
    pictures = [
        result.plot,
        result.plot_strengths,
        spot_persistence(patterns, spot, n_null=3).plot,
        quasi_lattice_planes(slab, spot, PROBE).plot,
    ]
    for picture in pictures:
        assert picture().get_xlabel()
        plt.close("all")
