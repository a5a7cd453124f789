"""Spots, rings, images and components, against planted ones and slow plain versions."""

import numpy as np
import pytest
from ase.build import bulk

from glassnb.diffraction import DiffractionScan, Probe, scan
from glassnb.diffraction.analysis import (
    angular_power_spectrum,
    decompose,
    fluctuation_variance,
    paired_spots,
    radial_profile,
    virtual_image,
)
from glassnb.diffraction.analysis.ring import ring_of

PROBE = Probe(200e3, 2.0)
STEP = 0.02


def scan_of(patterns, **options):
    return DiffractionScan.from_array(
        np.asarray(patterns, dtype=float), **({"k_step": STEP, "probe": PROBE} | options)
    )


def speckled(n, seed, size=61):
    """Patterns of speckle about as large as the aperture, not symmetric."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(2, n, size, size))
    k = np.fft.fftfreq(size)
    blur = np.exp(-((2 * np.pi * 1.5) ** 2) * (k[:, None] ** 2 + k**2) / 2)
    field = np.fft.ifft2(np.fft.fft2(noise[0] + 1j * noise[1]) * blur)
    return np.abs(field) ** 2


def discs(places, size=61, radius=PROBE.k_aperture):
    """A pattern of bright discs of one pixel soft edge on a dim ground, at (k_x, k_y, height)."""
    k = (np.arange(size) - size // 2) * STEP
    image = np.full((size, size), 0.01)
    for x, y, height in places:
        distance = np.hypot(k[:, None] - x, k - y)
        image += height * np.clip((radius - distance) / STEP + 0.5, 0, 1)
    return image


# -- pairs of spots ------------------------------------------------------------------------------


def plain_pairs(pattern, mean, low, high, radius, least):
    """The definition in loops over pixels: local maxima, the stronger first, not too near."""
    middle, size = len(pattern) // 2, len(pattern)
    ring, strength = {}, {}
    for i in range(size):
        for j in range(size):
            k = STEP * np.hypot(i - middle, j - middle)
            if low <= k < high:
                ring[i, j] = k
    for i, j in ring:
        near = [mean[p] for p, k in ring.items() if abs(k - ring[i, j]) <= radius]
        product = pattern[i, j] * pattern[2 * middle - i, 2 * middle - j]
        strength[i, j] = np.sqrt(product) / np.mean(near)
    peaks = []
    for (i, j), value in sorted(strength.items(), key=lambda item: -item[1]):
        around = [strength.get((i + a, j + b), 0) for a in (-1, 0, 1) for b in (-1, 0, 1)]
        here = np.array([i - middle, j - middle]) * STEP
        far = all(
            np.linalg.norm(here - sign * other) > 2 * radius
            for other, _ in peaks
            for sign in (1, -1)
        )
        if value >= max(around) and far and value >= least:
            peaks.append((here, value))
    return [value for _, value in peaks]


def test_pairs_are_those_of_the_definition():
    patterns = speckled(3, seed=4)
    measured = scan_of(patterns)
    found = paired_spots(measured, k_range=(0.2, 0.5), strength_min=1.0, n_max=99)
    for i in range(3):
        plain = plain_pairs(patterns[i], patterns.mean(axis=0), 0.2, 0.5, PROBE.k_aperture, 1.0)
        np.testing.assert_allclose(found.strength[found.pattern == i], plain, rtol=1e-10)
    assert (np.diff(found.pattern) >= 0).all()
    assert (found.k_x >= 0).all()


def test_planted_pairs_are_found_where_they_are():
    """Middles off the pixels: to 0.1 pixels. A spot without a partner is no pair."""
    planted = [
        (0.313, 0.221, 1.0),
        (-0.313, -0.221, 0.8),
        (-0.147, 0.377, 0.5),
        (0.147, -0.377, 0.5),
    ]
    found = paired_spots(scan_of([discs([*planted, (0.1, 0.3, 2.0)])]), strength_min=1.5)
    assert len(found) == 2
    order = np.argsort(found.intensity)
    np.testing.assert_allclose(found.k_x[order], [0.147, 0.313], atol=0.1 * STEP)
    np.testing.assert_allclose(found.k_y[order], [-0.377, 0.221], atol=0.1 * STEP)
    np.testing.assert_allclose(found.intensity[order], [0.51, np.sqrt(1.01 * 0.81)], rtol=0.1)
    spot = found.strongest()
    assert spot.d == pytest.approx(1 / np.hypot(0.313, 0.221), rel=3e-3)
    assert spot.index == (0,)
    assert list(found.to_frame().columns)[:3] == ["pattern", "x", "y"]


def test_spots_stay_off_what_is_brighter():
    """Beside the central disc and in speckle, a spot is never further off than a disc's radius."""
    patterns = speckled(4, seed=8) + discs([(0, 0, 1e4)])
    found = paired_spots(scan_of(patterns), strength_min=1)
    assert len(found) > 10
    assert (found.k > PROBE.k_aperture).all()
    inside = paired_spots(scan_of(patterns), k_range=(0.2, 0.5), strength_min=1)
    assert (np.abs(inside.k - 0.35) < 0.15 + PROBE.k_aperture).all()


def test_a_single_pattern_and_a_scan_agree():
    pattern = speckled(1, seed=8)[0]
    measured = scan_of([pattern])
    one = paired_spots(pattern, k_x=measured.k_x, k_y=measured.k_y, probe=PROBE)
    np.testing.assert_array_equal(one.strength, paired_spots(measured).strength)


def test_spots_of_a_crystal_stand_at_the_reciprocal_lattice():
    """fcc along [001]: {200} at k = 2/a, and {110} and {100} are extinct."""
    a = 3.89
    probe = Probe(200e3, 1.0)
    crystal = bulk("Pd", "fcc", a=a, cubic=True) * (14, 14, 2)
    patterns = scan(crystal, probe, positions=(1, 1), k_max=0.65)
    found = paired_spots(patterns, k_range=(0.1, 0.62), strength_min=3)
    # Two layers of cells do not cancel {110} wholly on the curved sphere: 2e-4 is left.
    bright = found.intensity > 1e-3 * found.intensity.max()
    assert bright.sum() == 2
    np.testing.assert_allclose(found.k[bright], 2 / a, atol=1e-3)
    np.testing.assert_allclose((found.k_x * found.k_y)[bright], 0, atol=1e-3)


@pytest.mark.parametrize("shift", [(2, -3), (0.5, 0.25)])
def test_the_beam_need_not_be_in_the_middle_of_a_measured_pattern(shift):
    """Whole pixels: the same pairs. Parts of pixels: interpolated, so places to 0.2 pixels."""
    planted = [(0.31, 0.22, 1.0), (-0.31, -0.22, 1.0)]
    moved = [(x + shift[0] * STEP, y + shift[1] * STEP, height) for x, y, height in planted]
    centre = (30 + shift[0], 30 + shift[1])
    found = paired_spots(scan_of([discs(moved)], centre=centre), k_range=(0.2, 0.5))
    assert len(found) == 1
    np.testing.assert_allclose([found.k_x[0], found.k_y[0]], [0.31, 0.22], atol=0.2 * STEP)
    assert found.intensity[0] == pytest.approx(1.01, rel=1e-6)


def test_bad_input_of_pairs():
    measured = scan_of(speckled(1, seed=1))
    with pytest.raises(ValueError, match="central disc"):
        paired_spots(measured, k_range=(0.05, 0.3))
    with pytest.raises(ValueError, match="outside the pattern"):
        paired_spots(measured, k_range=(0.3, 0.9))
    with pytest.raises(ValueError, match="smaller one first"):
        paired_spots(measured, k_range=(0.5, 0.3))
    with pytest.raises(ValueError, match="speckle_size"):
        paired_spots(scan_of(speckled(1, seed=1), probe=None))
    with pytest.raises(ValueError, match="speckle_size=-1"):
        paired_spots(measured, speckle_size=-1)
    with pytest.raises(ValueError, match="k_x and k_y"):
        paired_spots(np.ones((5, 5)))
    with pytest.raises(ValueError, match="no pairs"):
        paired_spots(measured, strength_min=1e6).strongest()
    with pytest.raises(ValueError, match="n_max=0"):
        paired_spots(measured, n_max=0)


def test_rings_are_symmetric():
    ring = ring_of(scan_of(speckled(1, seed=1)), (0.2, 0.4))
    np.testing.assert_allclose(ring.vectors[::-1], -ring.vectors, atol=1e-12)


# -- rings ---------------------------------------------------------------------------------------


def test_radial_profile_of_a_known_pattern():
    k = (np.arange(61) - 30) * STEP
    ramp = np.hypot(k[:, None], k)
    profile = radial_profile(scan_of([ramp, 3 * ramp]), step=0.04)
    index = (ramp / 0.04 + 1e-12).astype(int)
    plain = [ramp[index == i].mean() for i in range(profile.k.size)]
    np.testing.assert_allclose(profile.patterns[1], 3 * np.array(plain), rtol=0.03)
    np.testing.assert_allclose(profile.intensity, profile.patterns.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(profile.k, plain, atol=0.01)


def test_variance_of_exponential_intensity_is_one():
    """<I²> = 2 <I>² (J. W. Goodman, Speckle Phenomena, section 3.2); to 3 standard errors."""
    patterns = np.random.default_rng(3).exponential(size=(200, 61, 61))
    ring = fluctuation_variance(scan_of(patterns), step=0.05)
    image = fluctuation_variance(scan_of(patterns), step=0.05, method="image")
    mean = fluctuation_variance(scan_of(patterns), step=0.05, method="mean")
    k = (np.arange(61) - 30) * STEP
    index = (np.hypot(k[:, None], k) / 0.05).astype(int)
    pixels = np.array([(index == i).sum() for i in range(ring.k.size)])
    # The variance of I² - 2 <I> I for an exponential I is 20 - 8 * 2 + 4 = 8 over <I>^4.
    error = 3 * np.sqrt(8 / (200 * pixels))
    assert (np.abs(ring.variance - 1) < error).all()
    assert (np.abs(image.variance - 1) < error + 3 / 200).all()  # biased by some 2/n
    np.testing.assert_allclose(mean.variance * pixels, 1, rtol=3 * np.sqrt(2 / 200))


def test_variance_of_counting_is_taken_off():
    """A constant pattern counted with 4 counts per electron has V = 0; to 3 standard errors."""
    counts = 4 * np.random.default_rng(3).poisson(5.0, size=(100, 61, 61))
    for method, tolerance in (("ring", 0.01), ("image", 0.01), ("mean", 1e-3)):
        with_noise = fluctuation_variance(scan_of(counts), step=0.1, method=method)
        result = fluctuation_variance(
            scan_of(counts), step=0.1, method=method, counts_per_electron=4.0
        )
        np.testing.assert_allclose(result.variance, 0, atol=tolerance)
        assert (with_noise.variance > 0).all()
    assert with_noise.method == "mean"


def test_variance_needs_no_patterns():
    patterns = speckled(5, seed=2)
    full = scan_of(patterns)
    short = DiffractionScan(
        full.k_x, full.k_y, full.positions, full.shape, full.mean, full.mean_square
    )
    for method in ("ring", "image"):
        np.testing.assert_array_equal(
            fluctuation_variance(short, method=method).variance,
            fluctuation_variance(full, method=method).variance,
        )
    with pytest.raises(ValueError, match="not kept"):
        fluctuation_variance(short, method="mean")
    with pytest.raises(ValueError, match="method='rings'"):
        fluctuation_variance(full, method="rings")
    with pytest.raises(ValueError, match="k_max=2"):
        radial_profile(full, k_max=2)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_angular_power_of_a_wave_around_the_ring(n):
    """1 + a cos(n phi) has the power (a/2)² at n alone; interpolation costs up to 6 %."""
    k = (np.arange(61) - 30) * STEP
    angle = np.arctan2(k, k[:, None])
    spectrum = angular_power_spectrum(scan_of([1 + 0.6 * np.cos(n * angle)]), k_range=(0.2, 0.5))
    assert spectrum.power.shape == (1, spectrum.k.size, 13)
    np.testing.assert_allclose(spectrum.mean[:, 0], 1)
    np.testing.assert_allclose(spectrum.mean[:, n], 0.09, rtol=0.06)
    others = [m for m in range(1, 13) if m != n]
    assert spectrum.mean[:, others].max() < 1e-3


@pytest.mark.parametrize(
    ("zone", "k", "fold"), [("001", 2 / 3.89, 4), ("111", np.sqrt(8) / 3.89, 6)]
)
def test_angular_power_of_a_crystal_has_its_symmetry(zone, k, fold):
    """fcc: four {200} spots along [001], six {220} spots along [111]."""
    if zone == "001":
        crystal = bulk("Pd", "fcc", a=3.89, cubic=True) * (9, 9, 2)
    else:
        from ase.build import fcc111

        crystal = fcc111("Pd", (13, 14, 6), a=3.89, orthogonal=True, periodic=True)
    patterns = scan(crystal, Probe(200e3, 1.5), positions=(1, 1), k_max=0.85)
    power = angular_power_spectrum(patterns, k_range=(k - 1e-3, k + 1e-3), step=2e-3).mean[0]
    # Sharp spots at equal angles: all multiples of the fold are strong, nothing else.
    multiples = np.arange(13) % fold == 0
    assert power[fold] > 0.5
    assert power[~multiples].max() < 0.02


# -- images and components -----------------------------------------------------------------------


def test_virtual_images():
    patterns = speckled(6, seed=7).reshape(2, 3, 61, 61)
    measured = scan_of(patterns)
    ring = (measured.k >= 0.2) & (measured.k < 0.3)
    expected = [[p[ring].sum() for p in row] for row in patterns]
    image = virtual_image(measured, (0.2, 0.3))
    np.testing.assert_allclose(image.values, expected)
    np.testing.assert_allclose(virtual_image(measured, ring.astype(float)).values, expected)
    planted = scan_of([discs([(0.3, 0.2, 1.0), (-0.3, -0.2, 1.0)]), discs([])])
    spot = paired_spots(planted, strength_min=3).strongest()
    dark = virtual_image(planted, spot).values
    # Two discs of the area pi k_a² on the pixels, and the ground of 0.01.
    area = 2 * np.pi * (PROBE.k_aperture / STEP) ** 2
    assert dark[0] == pytest.approx(area * 1.01, rel=0.1)
    assert dark[1] == pytest.approx(0.01 * area, rel=0.02)
    assert len(image.to_frame()) == 6
    with pytest.raises(ValueError, match="no reduction"):
        virtual_image(measured, "ring")
    with pytest.raises(ValueError, match="detector=3"):
        virtual_image(measured, 3)


def test_two_planted_phases_come_apart():
    """Components and maps correlate with what was mixed to 0.99."""
    rng = np.random.default_rng(5)
    phases = [
        discs([(0.3, 0.0, 1.0), (-0.3, 0.0, 1.0)]),
        discs([(0.0, 0.45, 1.0), (0.0, -0.45, 1.0)]),
    ]
    x = np.linspace(0, 1, 8)
    first = np.clip(2 - 3 * x, 0, 1)[:, None] * np.ones(8) * 3
    second = np.clip(3 * x - 1, 0, 1)[:, None] * np.ones(8)
    patterns = first[..., None, None] * phases[0] + second[..., None, None] * phases[1]
    patterns *= rng.uniform(0.98, 1.02, patterns.shape)
    measured = scan_of(patterns)
    parts = measured.decompose(2)
    used = np.isfinite(parts.components[0])
    assert not used[measured.k < measured.k_disc].any()
    for i, (phase, weight) in enumerate(zip(phases, (first, second), strict=True)):
        assert np.corrcoef(parts.components[i][used], phase[used])[0, 1] > 0.99
        assert np.corrcoef(parts.maps[..., i].ravel(), weight.ravel())[0, 1] > 0.99
    np.testing.assert_allclose(np.nansum(parts.components, axis=(1, 2)), 1, rtol=1e-5)
    # Components of sum 1: the maps are intensities, and add up to those of the patterns.
    np.testing.assert_allclose(parts.maps.sum(axis=-1), patterns[..., used].sum(axis=-1), rtol=0.01)
    assert parts.residual < 0.03
    np.testing.assert_array_equal(parts.maps, decompose(measured, 2).maps)
    with pytest.raises(ValueError, match="n=65"):
        measured.decompose(65)
    patterns[0, 0, 5, 30] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        scan_of(patterns).decompose(2)


def test_pictures():
    import matplotlib.pyplot as plt

    measured = scan_of(speckled(6, seed=7).reshape(2, 3, 61, 61))
    results = [
        radial_profile(measured),
        fluctuation_variance(measured),
        angular_power_spectrum(measured),
        paired_spots(measured),
        virtual_image(measured, (0.2, 0.3)),
        decompose(measured, 1),
    ]
    for result in results:
        assert result.plot().get_xlabel()
        plt.close("all")
    assert results[-1].plot_component().get_xlabel()
    plt.close("all")


def test_tables(tmp_path):
    import pandas as pd

    measured = scan_of(speckled(3, seed=7))
    variance = fluctuation_variance(measured)
    for result in (radial_profile(measured), variance):
        result.save(tmp_path / "table.csv")
        saved = pd.read_csv(tmp_path / "table.csv", comment="#")
        np.testing.assert_allclose(saved["k"], result.k, rtol=1e-6)
    np.testing.assert_allclose(saved["variance"], variance.variance, rtol=1e-6)
    assert angular_power_spectrum(measured).to_frame().shape[1] == 13
