"""What patterns, beams and models must be before they are analysed, and what the message says."""

import numpy as np
import pytest
from ase import Atoms

from glassnb.diffraction import (
    Annulus,
    DiffractionScan,
    Mask,
    Probe,
    RadialProfile,
    Spot,
    cut_slab,
    decompose,
    fluctuation_variance,
    null_scan,
    paired_spots,
    radial_profile,
    scan,
    spot_persistence,
    spot_significance,
    virtual_image,
)

PROBE, SIZE, STEP = Probe(200e3, 3.0), 25, 0.1
RING = (0.35, 0.8)
rng = np.random.default_rng(1)


def measured(patterns, **options):
    return DiffractionScan.from_array(patterns, **({"k_step": STEP, "probe": PROBE} | options))


def significance(one, **options):
    return spot_significance(one, **({"k_range": RING, "n_null": 4, "thickness": 20} | options))


# -- noise ---------------------------------------------------------------------------------------


def dark(level, size=(5, 5)):
    """Noise about a dark level of 20 counts, of which so much was subtracted."""
    noise = np.random.default_rng(1).poisson(20, size=(*size, SIZE, SIZE))
    return measured(noise.astype(float) - level)


@pytest.mark.parametrize("level", [19.5, 18.5, 20.5])
def test_pairs_of_noise_are_refused(level):
    one = dark(level)
    message = r"k_range=\(0.350, 0.800\): .* (noise|mean).* do not subtract the dark level"
    with pytest.raises(ValueError, match=message):
        significance(one)
    spot = Spot(0.5, 0.0, 3.0, 1.0, (0.0, 0.0), (0, 0))
    with pytest.raises(ValueError, match="the mean of the patterns"):
        spot_persistence(one, spot, thickness=20, shift_range=(1, 3), n_null=2)
    with pytest.warns(UserWarning, match="is not above the noise of a pixel") as caught:
        paired_spots(one, k_range=RING)
    assert caught[0].filename == __file__
    for method in ("ring", "image", "mean"):
        with pytest.warns(UserWarning, match=r"V\(k\) is that of the noise.*average patterns"):
            found = fluctuation_variance(one, method=method)
        if level > 20:
            below = radial_profile(one).intensity <= 0
            np.testing.assert_array_equal(np.isnan(found.variance), below)
    with pytest.raises(ValueError, match="is not above the noise|at most"):
        significance(dark(0), null=one)


def test_the_noise_is_that_of_a_symmetric_distribution():
    """Of normal numbers about 0 its estimate is their standard deviation, 7."""
    noise = np.random.default_rng(2).normal(0.05, 7, (8, 8, SIZE, SIZE))
    with pytest.raises(ValueError, match="is not above the noise of a pixel") as caught:
        significance(measured(noise))
    told = str(caught.value).split("noise of a pixel, ")[1].split()[0]
    assert float(told) == pytest.approx(7, rel=0.02)


def test_signal_above_noise_and_few_electrons_pass():
    template = measured(np.ones((5, 5, SIZE, SIZE)))
    speckle = null_scan(template, thickness=20, seed=3).patterns
    for data in (
        speckle + 0.3 * rng.normal(size=speckle.shape),
        rng.poisson(np.maximum(speckle, 0) * 0.02).astype(float),
        np.where(rng.random(speckle.shape) < 0.001, -0.1, speckle),
    ):
        found = significance(measured(data))
        assert np.isfinite(found.p_values).all()
        assert len(paired_spots(measured(data), k_range=RING, strength_min=0))
    # One broken pattern is not the noise of the others.
    speckle[1, 1, ::2] = -120
    assert np.isfinite(significance(measured(speckle + 20)).p_values).all()


def test_a_ring_without_a_count_is_refused():
    with pytest.raises(ValueError, match=r"k_range=.*the mean of the patterns is 0 at most"):
        significance(measured(np.zeros((3, 3, SIZE, SIZE))))
    assert np.isnan(fluctuation_variance(measured(np.zeros((3, 3, SIZE, SIZE)))).variance).all()


# -- masked arrays -------------------------------------------------------------------------------

DATA = rng.poisson(20, size=(4, 3, SIZE, SIZE)).astype(float)
HIDDEN = np.random.default_rng(4).random(DATA.shape) < 0.1
MASKED = np.ma.MaskedArray(np.where(HIDDEN, 1e9, DATA), HIDDEN)
BY_NAME = r"hold values of a masked array.*mask=np.ma.getmaskarray"


def test_a_masked_pattern_is_a_pattern_with_a_mask():
    axis = measured(DATA).k_x
    options = {"k_range": RING, "k_x": axis, "k_y": axis, "probe": PROBE, "strength_min": 0}
    plain = paired_spots(DATA[0, 0], mask=HIDDEN[0, 0], **options)
    found = paired_spots(MASKED[0, 0], **options)
    np.testing.assert_array_equal(found.to_frame(), plain.to_frame())
    with pytest.raises(ValueError, match="patterns: " + BY_NAME):
        paired_spots(list(MASKED[0, 0]), **options)
    with pytest.raises(ValueError, match="patterns: " + BY_NAME):
        paired_spots(measured(DATA), k_range=RING, mean=MASKED[0, 0])


def test_masks_that_would_be_forgotten_are_refused():
    da = pytest.importorskip("dask.array")
    lazy = da.ma.masked_array(da.from_array(DATA), da.from_array(HIDDEN))
    for given in (lazy, [list(row) for row in MASKED], list(MASKED)):
        with pytest.raises(ValueError, match="patterns: " + BY_NAME):
            measured(given)
    one = measured(da.ma.getdata(lazy), mask=da.ma.getmaskarray(lazy))
    np.testing.assert_array_equal(one.mean, measured(MASKED).mean)
    with pytest.raises(ValueError, match="mask: " + BY_NAME):
        measured(DATA, mask=np.ma.MaskedArray(HIDDEN, HIDDEN))
    weights = np.ma.MaskedArray(np.ones((SIZE, SIZE)), HIDDEN[0, 0])
    for detector in (weights, list(weights)):
        with pytest.raises(ValueError, match="(detector|weights): " + BY_NAME):
            virtual_image(one, detector)
    for reduction in (Annulus(*RING), Mask(weights.data), RadialProfile(0.1, 0.8)):
        with pytest.raises(ValueError, match="patterns: " + BY_NAME):
            reduction(MASKED[0], one.k_x, one.k_y)
    # A masked array that masks nothing is an array.
    whole = measured(np.ma.MaskedArray(DATA))
    assert whole.mask is None
    np.testing.assert_array_equal(virtual_image(whole, np.ma.MaskedArray(weights.data)).values,
                                  virtual_image(whole, weights.data).values)  # fmt: skip


# -- numbers that come with patterns -------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"centre": (np.nan, 12)}, r"centre=\(nan, 12\): must be the pixel"),
        ({"centre": (40, 12)}, r"centre=\(40, 12\): .* from 0 to 24"),
        ({"centre": (-1, 12)}, r"centre=\(-1, 12\): must"),
        ({"centre": (12, 12, 12)}, r"centre=\(12, 12, 12\): must"),
        ({"centre": "middle"}, "centre='middle': must"),
        ({"probe": 200e3}, "probe=200000.0: must be a glassnb.diffraction.Probe"),
        ({"k_step": (0.1, 0.1, 0.1)}, r"k_step=\(0.1, 0.1, 0.1\): .* or two"),
        ({"k_step": [0.1]}, r"k_step=\[0.1\]: .* or two"),
        ({"k_step": "0.1 nm"}, "k_step='0.1 nm': must"),
        ({"positions": "grid"}, "positions='grid': must be x and y in Å"),
    ],
)
def test_numbers_that_do_not_fit_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        measured(DATA, **options)


def test_places_and_shapes_out_of_range():
    one = measured(DATA)
    for index in ((9, 9), (slice(0, 2), 1), (0, 1.0), (-5, 0), ("a", 0)):
        with pytest.raises(ValueError, match=r"pattern\(.*within the shape of the scan, \(4, 3\)"):
            one.pattern(*index)
    np.testing.assert_array_equal(one.pattern(-1, np.int64(2)), DATA[3, 2])
    with pytest.raises(ValueError, match=r"shape \(4, 3, 1, 1\).* at least 2 each: give"):
        measured(DATA[..., :1, :1])
    with pytest.raises(ValueError, match=r"is 1e\+307 .*below 1e\+150: leave"):
        measured(np.where(DATA.max() == DATA, 1e307, DATA))
    mask = np.zeros(DATA.shape, dtype=bool)
    mask[1, 1] = True
    with pytest.raises(ValueError, match="masked in some of the patterns; leave out the patterns"):
        decompose(measured(DATA, mask=mask), 1)


# -- models and null scans -----------------------------------------------------------------------


def test_atoms_in_one_place_are_refused():
    atoms = Atoms("Pd3", [[1, 1, 1], [5, 5, 5], [5, 5, 17]], cell=[12, 12, 12], pbc=True)
    with pytest.raises(ValueError, match=r"atoms 1 and 2 overlap"):
        scan(atoms, PROBE)
    film = Atoms("Pd2", [[5, 5, 5], [5, 5, 5.01]], cell=[12, 12, 0], pbc=(True, True, False))
    with pytest.raises(ValueError, match=r"atoms 0 and 1 overlap"):
        scan(cut_slab(film), PROBE)


def test_a_null_scan_has_the_same_beam():
    one = measured(DATA)
    with pytest.raises(ValueError, match="null: its probe.*give a scan with the same beam"):
        significance(one, null=measured(DATA, probe=Probe(200e3, 2.5)))
    assert np.isfinite(significance(one, null=measured(DATA[:2])).p_values).all()
