"""Counts of detectors: any type of numbers, masks, saturation, what is negative or no number."""

import re
from dataclasses import replace

import numpy as np
import pytest
import zarr
from ase import Atoms
from scipy import stats
from scipy.ndimage import map_coordinates

from glassnb.diffraction import (
    Annulus,
    DiffractionScan,
    Mask,
    Probe,
    RadialProfile,
    StrongestPair,
    angular_power_spectrum,
    cut_slab,
    decompose,
    depth_persistence,
    fluctuation_variance,
    null_scan,
    paired_spots,
    radial_profile,
    scan,
    spot_persistence,
    spot_significance,
    virtual_image,
)

PROBE = Probe(200e3, 0.75)
SIZE, STEP = 33, 0.04
RING = (0.15, 0.33)  # 1/Å
PAIR = ((22, 16), (10, 16))
AXIS = (np.arange(SIZE) - SIZE // 2) * STEP
radii = np.hypot(AXIS[:, None], AXIS)
IN_RING = (radii >= RING[0]) & (radii < RING[1])


def counts(height=30000, seed=0):
    """Grainy rings in 4 x 4 patterns, with one pair of spots planted in one of them."""
    ring = height / 10 * np.exp(-(((radii - 0.24) / 0.05) ** 2)) + height / 150
    data = np.floor(np.random.default_rng(seed).gamma(3, 1 / 3, (4, 4, SIZE, SIZE)) * ring)
    data[2, 3, *PAIR[0]], data[2, 3, *PAIR[1]] = height, height // 15 * 14
    return data


def measured(data, **options):
    return DiffractionScan.from_array(data, **({"k_step": STEP, "probe": PROBE} | options))


def significance(one, n_null=6, **options):
    return spot_significance(
        one, **({"k_range": RING, "n_null": n_null, "seed": 1, "thickness": 50} | options)
    )


def everything(one):
    """What all analyses make of a scan, by name."""
    found = significance(one)
    spots = found.spots
    parts = decompose(one, 2, k_range=RING, max_iterations=20000)
    results = {
        "mean": one.mean,
        "mean_square": one.mean_square,
        "pattern": one.pattern(1, 2),
        "spots": spots.to_frame().to_numpy(),
        "p": found.p_values,
        "adjusted": found.adjusted,
        "null": found.null_strength,
        "scan_p": np.array(found.scan_p_value),
        "profile": radial_profile(one).intensity,
        "profiles": radial_profile(one).patterns,
        "angular": angular_power_spectrum(one, k_range=RING).power,
        "image": virtual_image(one, RING).values,
        "dark field": virtual_image(one, spots.strongest()).values,
        "components": parts.components,
        "maps": parts.maps,
        "null scan": np.array(null_scan(one, thickness=50).mean),
    }
    for method in ("ring", "image", "mean"):
        results[f"V {method}"] = fluctuation_variance(one, method=method, step=0.05).variance
    for name, reduction in (
        ("annulus", Annulus(*RING)),
        ("weights", Mask(IN_RING * radii)),
        ("rings", RadialProfile(0.05, 0.6)),
        ("strongest", StrongestPair(*RING)),
    ):
        blocks = [reduction(block, one.k_x, one.k_y) for _, block in one.blocks(5)]
        results[name] = np.concatenate(blocks)
    return results


def same(first, second):
    assert first.keys() == second.keys()
    for name, values in first.items():
        np.testing.assert_array_equal(second[name], values, err_msg=name)


# -- types of numbers ----------------------------------------------------------------------------

TYPES = ("u2", "i2", "u4", "i4", "i8", "u8", "f4", "f8", ">u2", ">i4", ">f4", ">f8")


@pytest.fixture(scope="module")
def in_double():
    return significance(measured(counts()), n_null=30)


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_number_gives_the_same(kind, in_double):
    """All 481 values of scan and null are distinct, so the least p-value is 1/481 = 0.0021."""
    found = significance(measured(counts().astype(kind)), n_null=30)
    np.testing.assert_array_equal(found.p_values, in_double.p_values)
    np.testing.assert_array_equal(found.spots.to_frame(), in_double.spots.to_frame())
    assert found.p_values[2, 3] == pytest.approx(0.0021, abs=5e-5)
    assert found.spots.strongest().index == (2, 3)
    assert found.spots.strongest().intensity == pytest.approx(np.sqrt(30000.0 * 28000))


@pytest.mark.parametrize("kind", ["u1", "f2", ">f2", "i1"])
def test_narrow_types_too(kind):
    data = counts(height=120)
    expected, found = (everything(measured(each)) for each in (data, data.astype(kind)))
    same(expected, found)


def test_all_analyses_agree_on_the_type():
    expected, found = (everything(measured(each)) for each in (counts(), counts().astype(">u2")))
    same(expected, found)


def test_truth_values_are_counts_of_one_electron():
    data = np.random.default_rng(0).random((3, SIZE, SIZE)) < 0.2
    same_spots = [paired_spots(measured(each)).strength for each in (data, data.astype(float))]
    np.testing.assert_array_equal(*same_spots)


def test_reductions_and_single_patterns_take_any_type():
    data = counts().astype(np.uint16)[2]
    for reduction in (Annulus(*RING), Mask(radii), RadialProfile(0.05, 0.6), StrongestPair(*RING)):
        expected = reduction(data.astype(float), AXIS, AXIS)
        np.testing.assert_array_equal(reduction(data, AXIS, AXIS), expected)
    # 30000 x 28000 by hand, over the mean of the ring.
    strength, k_x, k_y = StrongestPair(*RING)(data, AXIS, AXIS)[3]
    assert strength == pytest.approx(np.sqrt(30000 * 28000.0) / data[3][IN_RING].mean())
    assert (abs(k_x), k_y) == pytest.approx((6 * STEP, 0))
    alone = {"k_x": AXIS, "k_y": AXIS, "probe": PROBE, "k_range": RING}
    for mean in (None, data.astype(float).mean(axis=0)):
        expected = paired_spots(data[3].astype(float), mean=mean, **alone)
        np.testing.assert_array_equal(paired_spots(data[3], mean=mean, **alone).k, expected.k)


@pytest.mark.parametrize("data", [np.ones((2, 5, 5), dtype=complex), np.full((2, 5, 5), "1")])
def test_what_is_no_intensity_is_refused(data):
    with pytest.raises(ValueError, match=r"patterns: are of the type .* whole or real numbers"):
        DiffractionScan.from_array(data, k_step=STEP)
    with pytest.raises(ValueError, match="patterns: are of the type"):
        paired_spots(data[0], k_x=AXIS[:5], k_y=AXIS[:5], probe=PROBE)


# -- what is no number ---------------------------------------------------------------------------


def stored(data, kind, folder):
    """The same data in memory or on disk."""
    if kind == "npy":
        np.save(folder / "a.npy", data)
        return folder / "a.npy"
    if kind == "zarr":
        return zarr.create_array(folder / "a", data=data, chunks=(1, 2, SIZE, SIZE))
    if kind == "h5":
        h5py = pytest.importorskip("h5py")
        with h5py.File(folder / "a.h5", "w") as file:
            file["patterns"] = data
        return folder / "a.h5"
    if kind == "dask":
        return pytest.importorskip("dask.array").from_array(data, chunks=(1, 2, SIZE, SIZE))
    return data.tolist() if kind == "list" else data


@pytest.mark.parametrize("kind", ["numpy", "list", "npy", "zarr", "h5", "dask"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e200])
def test_one_pixel_that_is_no_count_is_named_or_masked(kind, value, tmp_path, monkeypatch):
    monkeypatch.setattr("glassnb.diffraction.result._BLOCK", 3 * SIZE**2)  # several pieces
    data = counts()
    data[1, 2, 12, 20] = value
    source = stored(data, kind, tmp_path)
    message = (
        rf"pixel \(12, 20\) of the pattern at \(1, 2\) .* {re.escape(str(value))}.*finite.*mask="
    )
    with pytest.raises(ValueError, match=message):
        measured(source)
    if value != value:  # as clean data, but for that pixel
        found = significance(measured(source, mask=np.isnan(data)), n_null=30)
        assert found.p_values[2, 3] == pytest.approx(1 / 481)
        assert found.p_values[found.p_values < 0.01].size == 1


def test_pure_speckle_stays_so_with_a_missing_pixel():
    """In no case does a missing pixel make the least p-value."""
    data = null_scan(measured(counts()), thickness=50, seed=5).patterns.astype(float)
    clean = significance(measured(data), n_null=30)
    data[0, 0, 12, 20] = np.nan
    found = significance(measured(data, mask=np.isnan(data)), n_null=30)
    np.testing.assert_allclose(found.p_values, clean.p_values, atol=0.02)
    assert found.scan_p_value == pytest.approx(clean.scan_p_value, abs=0.1)


def test_patterns_that_change_later_are_looked_at_again():
    data = counts()
    one = measured(data)
    data[3, 0, 1, 2] = np.nan
    with pytest.raises(ValueError, match=r"pixel \(1, 2\) of the pattern at \(3, 0\)"):
        paired_spots(one)
    with pytest.raises(ValueError, match=r"pixel \(1, 2\) of the pattern at \(3, 0\)"):
        one.pattern(3, 0)
    single = {"k_x": AXIS, "k_y": AXIS, "probe": PROBE, "k_range": RING}
    with pytest.raises(ValueError, match="mask="):
        paired_spots(data[3, 0], **single)
    assert len(paired_spots(data[3, 0], mask=np.isnan(data[3, 0]), **single))
    with pytest.raises(ValueError, match="single pattern"):
        paired_spots(one, mask=np.isnan(data[3, 0]))


# -- masks ---------------------------------------------------------------------------------------


def masks(seed=3):
    """A beam stop with its holder; and one mask for each pattern, dead pixels in other places."""
    stop = (radii < 0.1) | ((np.abs(AXIS[:, None] - 0.04) < 0.05) & (AXIS < 0))
    each = np.random.default_rng(seed).random((4, 4, SIZE, SIZE)) < 0.1
    each[2, 3, *PAIR[0]] = each[2, 3, *PAIR[1]] = False
    each[:, :, 14:16, 20:25] = True  # some are dead in all of them
    # NMF needs pixels that are good everywhere.
    each[:, :, AXIS > 0.05] = each[:1, :1, AXIS > 0.05]
    return {"stop": stop, "each": each}


@pytest.fixture(scope="module", params=["stop", "each"])
def masked(request):
    mask = masks()[request.param]
    data = counts()
    return data, mask, everything(measured(data, mask=mask))


@pytest.mark.parametrize("garbage", [np.nan, np.inf, 1e300, -7.0, "noise"])
def test_no_analysis_sees_what_is_masked(masked, garbage):
    data, mask, expected = masked
    hidden = np.broadcast_to(mask, data.shape)
    noise = np.random.default_rng(8).normal(size=data.shape) * 1e6
    spoilt = np.where(hidden, noise if garbage == "noise" else garbage, data)
    same(expected, everything(measured(spoilt, mask=mask)))
    same(expected, everything(measured(np.ma.MaskedArray(spoilt, hidden))))


def test_means_are_over_what_is_left(masked):
    """Against loops over rings of the pixels that are not masked."""
    data, mask, found = masked
    seen = ~np.broadcast_to(mask, data.shape)
    patterns, number = np.where(seen, data, 0), seen.sum(axis=(0, 1))
    index = (radii / 0.05).astype(int)
    for i in range(6):
        ring, values = index == i, data[:, :, index == i][seen[:, :, index == i]]
        each = [p[ring][s[ring]] for p, s in zip(data.reshape(-1, *radii.shape),
                seen.reshape(-1, *radii.shape), strict=True)]  # fmt: skip
        means = np.array([one.mean() if one.size else np.nan for one in each])
        np.testing.assert_allclose(found["rings"][:, i], means, rtol=1e-12)
        if not values.size:
            assert np.isnan([found[f"V {name}"][i] for name in ("ring", "image", "mean")]).all()
            assert np.isnan(found["mean"][ring]).all()
            continue
        assert found["V ring"][i] == pytest.approx((values**2).mean() / values.mean() ** 2 - 1)
        assert found["V mean"][i] == pytest.approx(means.var() / means.mean() ** 2)
        variances, weights = [], []
        for x, y in np.argwhere(ring & (number > 0)):
            pixel = data[:, :, x, y][seen[:, :, x, y]]
            assert found["mean"][x, y] == pytest.approx(pixel.mean())
            variances.append((pixel**2).mean() / pixel.mean() ** 2 - 1)
            weights.append(pixel.size)
        assert found["V image"][i] == pytest.approx(np.average(variances, weights=weights))
    sums = patterns[..., IN_RING].sum(axis=-1)
    np.testing.assert_allclose(found["image"], sums)
    np.testing.assert_allclose(found["annulus"], sums.ravel())
    np.testing.assert_allclose(
        found["weights"], (patterns * IN_RING * radii).sum(axis=(2, 3)).ravel()
    )


def test_a_pair_with_a_masked_partner_is_no_pair(masked):
    """Strengths of all pairs against loops; the planted pair goes when one of the two is masked."""
    data, mask, found = masked
    seen = ~np.broadcast_to(mask, data.shape)
    mean = found["mean"]
    assert found["p"][2, 3] == found["p"].min() == pytest.approx(1 / 97)
    for i, j in ((0, 0), (2, 3)):
        best = 0.0
        for x, y in np.argwhere(IN_RING):
            if seen[i, j, x, y] and seen[i, j, -1 - x, -1 - y]:
                near = IN_RING & (np.abs(radii - radii[x, y]) <= 1.01 * STEP) & ~np.isnan(mean)
                pair = np.sqrt(data[i, j, x, y] * data[i, j, -1 - x, -1 - y])
                best = max(best, pair / mean[near].mean())
        assert found["strongest"][4 * i + j, 0] > 0
        spots = found["spots"]
        assert spots[spots[:, 0] == 4 * i + j, -1].max() == pytest.approx(best)
    hidden = np.array(np.broadcast_to(mask, data.shape))
    hidden[2, 3, *PAIR[1]] = True
    without = significance(measured(data, mask=hidden))
    assert without.p_values[2, 3] > 0.05
    assert without.spots.intensity.max() < 20000


def test_components_leave_out_what_is_masked_anywhere(masked):
    _, mask, found = masked
    anywhere = mask if mask.ndim == 2 else mask.any(axis=(0, 1))
    np.testing.assert_array_equal(np.isnan(found["components"][0]), anywhere | ~IN_RING)


def test_angular_power_is_of_pairs_of_angles_that_are_seen():
    """By a loop over distances of angles; interpolation by scipy."""
    data, mask = counts()[:1, :2], masks()["stop"]
    spectrum = angular_power_spectrum(measured(data, mask=mask), k_range=(0.16, 0.21), n_max=4)
    n = max(int(np.ceil(2 * np.pi * 0.21 / STEP)), 16)
    angles = 2 * np.pi * np.arange(n) / n
    for i, k in enumerate(spectrum.k):
        places = np.array([k * np.cos(angles), k * np.sin(angles)]) / STEP + SIZE // 2
        seen = map_coordinates(mask.astype(float), places, order=1) < 1e-6
        assert 0 < seen.sum() < n
        for j in (0, 1):
            ring = map_coordinates(np.where(mask, 0, data[0, j]), places, order=1)
            correlation = []
            for shift in range(n):
                both = seen & np.roll(seen, -shift)
                correlation.append((ring * np.roll(ring, -shift))[both].mean())
            parts = [np.mean(correlation * np.cos(m * angles)) for m in range(5)]
            np.testing.assert_allclose(spectrum.power[0, j, i], parts / parts[0], atol=1e-9)
    nothing = measured(data, mask=radii > 0.12)
    assert np.isnan(angular_power_spectrum(nothing, k_range=(0.2, 0.25)).power).all()


def test_a_masked_detector_or_ring_is_said_to_be():
    mask = radii < 0.2
    one = measured(counts(), mask=mask)
    assert np.isnan(virtual_image(one, (0.05, 0.15)).values).all()
    assert np.isnan(virtual_image(one, np.where(mask, 1.0, 0.0)).values).all()
    assert np.isnan(radial_profile(one).intensity[:4]).all()
    assert np.isfinite(radial_profile(one).intensity[6:]).all()
    for half in (radii < 0.3, np.broadcast_to(AXIS[:, None] > -0.01, radii.shape)):
        with pytest.raises(ValueError, match=r"k_range=\(0.15, 0.25\): .*mask.* no pair.*choose"):
            paired_spots(measured(counts(), mask=half), k_range=(0.15, 0.25))


def test_patterns_without_any_pair_have_no_p_value():
    mask = np.zeros((4, 4, SIZE, SIZE), dtype=bool)
    mask[0, 1] = True
    found = significance(measured(counts(), mask=mask))
    assert np.isnan(found.p_values[0, 1])
    assert np.isnan(found.adjusted[0, 1])
    assert np.isfinite(np.delete(found.p_values.ravel(), 1)).all()
    assert not found.significant()[0, 1]
    angular = angular_power_spectrum(measured(counts(), mask=mask), k_range=RING)
    np.testing.assert_allclose(
        angular.mean, np.delete(angular.power.reshape(16, -1, 13), 1, 0).mean(0)
    )
    assert found.plot_strengths().get_legend()
    assert found.plot().get_xlabel()


def test_the_null_is_seen_through_the_same_mask():
    """Speckle behind a mask on two thirds of the ring: p-values are uniform (Kolmogorov, 1 %).

    Against a null without the mask, which has more pairs to be strong, they would not be.
    """
    template = measured(counts().mean(axis=(0, 1), keepdims=True))

    drawn = [null_scan(template, thickness=50, seed=i).patterns for i in range(120)]

    def speckle(some, mask=None):
        """60 scans of one place, as orientations: independent in scan and null alike."""
        one = measured(np.concatenate(some), mask=mask)
        return replace(one, positions=np.zeros((1, 2)), rotations=np.tile([0, 0, 0, 1], (60, 1)))

    mask = np.abs(np.arctan2(AXIS, AXIS[:, None])) < np.pi / 3
    bare, behind = speckle(drawn[:60]), speckle(drawn[:60], mask)
    found, whole = (significance(one, n_null=5, seed=77) for one in (behind, bare))
    assert stats.kstest(found.p_values.ravel(), "uniform").pvalue > 0.01
    assert stats.kstest(whole.p_values.ravel(), "uniform").pvalue > 0.01
    assert stats.kstest(whole.p_value(found.strength).ravel(), "uniform").pvalue < 1e-4
    # A scan that is the null is seen through the mask, too; one with less of the ring is refused.
    other = significance(behind, null=speckle(drawn[60:]))
    assert stats.kstest(other.p_values.ravel(), "uniform").pvalue > 0.01
    with pytest.raises(ValueError, match="null: its mask .* give the scan that mask too"):
        significance(bare, null=behind)


@pytest.mark.parametrize("shift", [(2, -1), (0.5, 0.25)])
def test_masks_follow_a_beam_off_the_middle(shift):
    """By whole pixels the pairs are the same; between pixels no masked one takes part."""
    data = counts()[2:3, 3:4]
    padded = np.pad(data, ((0, 0), (0, 0), (3, 3), (3, 3)), constant_values=1e9)
    ground = np.pad(np.zeros(radii.shape, dtype=bool), 3, constant_values=True)
    centre = (SIZE // 2 + 3 + shift[0], SIZE // 2 + 3 + shift[1])
    moved = np.roll(padded, tuple(map(round, shift)), axis=(2, 3))
    mask = np.roll(ground, tuple(map(round, shift)), axis=(0, 1))
    found = paired_spots(measured(moved, mask=mask, centre=centre), k_range=RING)
    assert found.intensity.max() <= 30000
    if shift == (2, -1):
        np.testing.assert_allclose(found.k, paired_spots(measured(data), k_range=RING).k)
    odd = null_scan(measured(moved, mask=mask, centre=centre), thickness=50, seed=1)
    assert odd.mask.any()
    assert np.isnan(odd.pattern(0, 0)[odd.mask]).all()


def test_spots_are_followed_over_what_is_seen():
    """Along the scan and down the slab: garbage behind a mask changes nothing."""
    rng = np.random.default_rng(1)
    atoms = Atoms("Pd120", rng.uniform(0, 1, (120, 3)) * [16, 16, 12], cell=[16, 16, 12], pbc=True)
    slab, probe = cut_slab(atoms), Probe(200e3, 4.0)
    whole = scan(slab, probe, positions=(6, 6), k_max=0.75)
    mask = rng.random(whole.patterns.shape) < 0.1
    results = []
    for garbage in (np.nan, 1e300):
        spoilt = np.where(mask, garbage, whole.patterns.astype(float))
        one = DiffractionScan.from_array(
            spoilt, k_step=1 / 16, positions=whole.positions, probe=probe, mask=mask
        )
        spot = paired_spots(one).strongest()
        along = spot_persistence(one, spot, thickness=12, n_null=4, shift_range=(2, 6))
        down = depth_persistence(one, spot, slab, n_null=4)
        results.append([spot.k, along.p_value, *along.strength, *down.strength, *down.null_high])
    assert np.isfinite(results).all()
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("name", ["a.npz", "folder", "a.hspy", "a.h5"])
def test_files_keep_the_mask(masked, name, tmp_path):
    data, mask, expected = masked
    one = measured(data.astype(np.float32), mask=mask)
    if name in ("a.hspy", "a.h5"):
        pytest.importorskip("h5py")
        path = one.save(tmp_path / name)
        again = DiffractionScan.from_array(path, k_step=STEP, probe=PROBE)
    else:
        again = DiffractionScan.open(one.save(tmp_path / name))
        assert again.info == one.info
    np.testing.assert_array_equal(again.mask, mask)
    np.testing.assert_array_equal(again.mean, expected["mean"])
    np.testing.assert_array_equal(again.pattern(1, 2), expected["pattern"])


def test_a_mask_is_read_in_pieces(tmp_path):
    mask = masks()["each"]
    stored_mask = zarr.create_array(tmp_path / "mask", data=mask, chunks=(1, 2, SIZE, SIZE))
    one = measured(counts(), mask=stored_mask)
    assert isinstance(one.mask, zarr.Array)
    np.testing.assert_allclose(one.seen, 1 - mask.mean(axis=(0, 1)))
    np.testing.assert_array_equal(
        paired_spots(one).k, paired_spots(measured(counts(), mask=mask)).k
    )


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((SIZE, SIZE)), "mask: is of the type float64; must be of bool.*mask != 0"),
        (np.zeros((SIZE, SIZE), dtype=np.uint8), "mask: is of the type uint8; must be of bool"),
        (np.zeros((4, SIZE), dtype=bool), r"mask of shape \(4, 33\): .* \(33, 33\), or of all"),
        (np.ones((SIZE, SIZE), dtype=bool), "mask: leaves out every pixel.*~mask"),
        (np.ones((4, 4, SIZE, SIZE), dtype=bool), "mask: leaves out every pixel"),
    ],
)
def test_masks_that_do_not_fit(mask, message):
    with pytest.raises(ValueError, match=message):
        measured(counts(), mask=mask)


def test_masked_pixels_stay_blank():
    mask = masks()["stop"]
    one = measured(counts(), mask=mask)
    for drawn in (one.plot(), one.plot(index=(2, 3))):
        np.testing.assert_array_equal(np.ma.getmaskarray(drawn.images[0].get_array()), mask.T)


# -- what is below nothing and beyond full -------------------------------------------------------


def test_negative_counts_stay_and_are_told():
    """Two negative pixels are no pair of spots, however far below nothing they are."""
    data = (counts() - 300).astype(np.int16)
    data[1, 1, 20, 18] = data[1, 1, 12, 14] = -30000
    one = measured(data)
    assert one.info["negative"] == pytest.approx((data < 0).mean())
    assert "negative" in repr(one)
    np.testing.assert_allclose(one.mean, data.mean(axis=(0, 1), dtype=float))
    spots = paired_spots(one, k_range=RING, strength_min=0)
    assert spots.intensity.max() == pytest.approx(np.sqrt((30000.0 - 300) * 27700))
    assert spots.intensity[spots.pattern == 5].max() < 20000
    ring = StrongestPair(*RING)(data[1], AXIS, AXIS)
    assert ring[1, 0] * data[1, 1][IN_RING].mean() < 20000
    assert np.isfinite(significance(one).p_values).all()
    assert measured(counts()).info["negative"] == 0


def test_saturated_pixels_are_told():
    data = counts().astype(np.uint16)
    data[2, 3, 4, 5] = data[3, 3, 6, 7] = 65535
    message = r"patterns: 2 of 17424 pixels reach saturation=65535, .* pixel \(4, 5\) .* \(2, 3\)"
    with pytest.warns(UserWarning, match=message + ".*mask=patterns >= 65535") as caught:
        one = measured(data)
    assert caught[0].filename == __file__
    assert one.info["saturated"] == 2
    assert "2 saturated" in repr(one)
    behind = measured(data, mask=data == 65535)
    assert behind.info["saturated"] == 0
    assert behind.info["masked"] == pytest.approx(2 / data.size)
    assert measured(data, saturation=np.inf).info["saturation"] is None
    assert measured(data.astype(float)).info["saturation"] is None
    with pytest.warns(UserWarning, match=r"reach saturation=28000"):
        assert measured(counts(), saturation=28000).info["saturated"] == 2
    assert measured(counts().astype(">i4")).info["saturation"] == 2**31 - 1
    for wrong in (0, -1, np.nan):
        with pytest.raises(ValueError, match=f"saturation={wrong}: must be the count"):
            measured(data, saturation=wrong)


# -- kinds of variance ---------------------------------------------------------------------------


def test_the_kind_of_variance_is_named(tmp_path):
    """As Daulton et al., Ultramicroscopy 110, 1279 (2010), name them."""
    names = {
        "ring": ("variance of the ring ensemble", r"V_\mathrm{re}(k)"),
        "image": ("annular mean of the variance image", r"\Omega_V(k)"),
        "mean": ("variance of the annular mean", r"V_\Omega(k)"),
    }
    for method, (name, symbol) in names.items():
        result = fluctuation_variance(measured(counts()), method=method)
        assert name in result.variant
        assert name in repr(result)
        label = result.plot().get_ylabel()
        assert name in label
        assert symbol in label
        result.save(tmp_path / f"{method}.csv")
        assert name in (tmp_path / f"{method}.csv").read_text()
