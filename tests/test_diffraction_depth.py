"""How deep a spot lives: as deep as a planted crystal; and chance looks like chance."""

import numpy as np
import pytest
from ase import Atoms
from packings import SPACING, random_packing
from scipy import stats

from glassnb.diffraction import (
    DiffractionScan,
    Probe,
    cut_slab,
    depth_persistence,
    paired_spots,
    quasi_lattice_planes,
    scan,
)
from glassnb.diffraction.analysis.depth import _layers_of
from glassnb.diffraction.analysis.ring import ring_of

PROBE = Probe(200e3, 2.0)
RING = (0.38, 0.52)  # 1/Å, about {111} of palladium and the main ring of the packing
RADIUS, SIZE = 10.0, 2000


@pytest.fixture(scope="module")
def planted():
    """A ball of crystal, 20 Å across, in a packing 31 Å high; slab, scan and its spot."""
    atoms, _ = random_packing(SIZE, seed=1, radius=RADIUS)
    slab = cut_slab(atoms)
    patterns = scan(slab, PROBE, positions=(8, 8), k_max=0.7)
    return slab, patterns, paired_spots(patterns, k_range=RING).strongest()


@pytest.fixture(scope="module")
def packing():
    return random_packing(SIZE, seed=2)[0]


@pytest.mark.parametrize("null", ["speckle", "liquid"])
def test_a_planted_crystal_is_as_deep_as_it_is(planted, packing, null):
    """20 Å, to the two layers at either end that the ball hardly reaches (4 Å)."""
    slab, patterns, spot = planted
    liquid = packing if null == "liquid" else None
    result = depth_persistence(
        patterns, spot, slab, k_range=RING, null=null, liquid=liquid, n_null=40
    )
    assert result.p_value == pytest.approx(1 / 41)
    assert result.coherence_length == pytest.approx(2 * RADIUS, abs=4)
    middle = slab.thickness / 2
    np.testing.assert_allclose(result.depth_range, (middle - RADIUS, middle + RADIUS), atol=2)
    assert result.strength.max() > 3 * result.null_high.max()
    assert spot.d == pytest.approx(SPACING, rel=0.03)
    assert f"{result.coherence_length:.1f} Å" in repr(result)


def test_the_waves_of_a_crystal_last_with_other_phases(planted):
    """The phase null keeps them, and so is harder to beat and just as deep."""
    slab, patterns, spot = planted
    kept, lost = (
        depth_persistence(patterns, spot, slab, k_range=RING, null=null, n_null=40)
        for null in ("phase", "speckle")
    )
    assert kept.p_value < 0.1
    assert kept.null_mean.max() > 2 * lost.null_mean.max()
    assert kept.null_length == pytest.approx(2 * RADIUS, abs=4)


def test_a_crystal_near_the_bottom_is_found_there(planted):
    """The same ball in a slab that begins 4 Å higher: from 1.5 to 21.5 of 27 Å."""
    slab, _, _ = planted
    high = cut_slab(slab.atoms, slab.thickness - 4, start=4.0)
    patterns = scan(high, PROBE, positions=(8, 8), k_max=0.6)
    spot = paired_spots(patterns, k_range=RING).strongest()
    result = depth_persistence(patterns, spot, high, k_range=RING, n_null=20)
    middle = slab.thickness / 2 - 4
    np.testing.assert_allclose(result.depth_range, (middle - RADIUS, middle + RADIUS), atol=3)
    # Where the atoms' shares lie, which are summed one by one.
    depth, share = quasi_lattice_planes(high, spot, PROBE).depth_profile(9)
    inside = (depth > result.depth_range[0]) & (depth < result.depth_range[1])
    assert share[inside].sum() > 0.85


def test_a_packing_gives_even_p_values(packing):
    """The strongest pair of each of 12 orientations, by Kolmogorov and Smirnov at 1 %."""
    steps = np.array([-10.0, 0.0, 10.0]) + 27.5
    places = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    patterns = scan(
        packing, PROBE, positions=places, k_max=0.6, thickness=24.0, rotations=12, seed=4,
        width=55.0, margin=10.0,
    )  # fmt: skip
    pairs = paired_spots(patterns, k_range=RING)
    turns = pairs.pattern // len(places)
    p_values = []
    for turn in range(12):
        own = np.flatnonzero(turns == turn)
        spot = pairs[int(own[pairs.strength[own].argmax()])]
        result = depth_persistence(patterns, spot, packing, k_range=RING, n_null=19, seed=turn)
        p_values.append(result.p_value)
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert min(p_values) >= 1 / 20
    assert sum(p <= 0.05 for p in p_values) <= 3  # binomial, 98 %


def test_small_cells_that_are_repeated_are_not_taken_for_order():
    """Packings of 600 atoms in 21 Å, two cells to a slab's edge: waves between are missing."""
    p_values = []
    for seed in range(8):
        atoms, _ = random_packing(600, seed=20 + seed)
        patterns = scan(atoms, PROBE, positions=(6, 6), k_max=0.6)
        spot = paired_spots(patterns, k_range=RING).strongest()
        result = depth_persistence(patterns, spot, atoms, k_range=RING, n_null=19, seed=seed)
        p_values.append(result.p_value)
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert min(p_values) > 0.05


def test_a_perfect_crystal_lives_through_the_slab():
    """Layers of atoms 4 Å apart across x, 2 Å along the beam: all of 24 Å, with empty rings."""
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in (8, 16, 12)], indexing="ij"), axis=-1)
    positions = grid.reshape(-1, 3) * [4.0, 2.0, 2.0] + 0.5
    atoms = Atoms(f"Si{len(positions)}", positions, cell=[32, 32, 24], pbc=True)
    patterns = scan(atoms, PROBE, positions=(2, 2), k_max=0.5)
    spot = paired_spots(patterns).strongest()
    assert spot.k == pytest.approx(0.25, abs=0.01)
    result = depth_persistence(patterns, spot, atoms, n_null=5)
    assert result.coherence_length == pytest.approx(24)
    assert result.depth_range == pytest.approx((0, 24))


def test_layers_add_up_to_the_pattern(planted):
    """Thin layers with one phase each, against the moments of the scanner; and a part.

    To 2 %: the phase of the Ewald sphere changes by 0.03 over a layer at k = 0.5 1/Å.
    """
    slab, patterns, _ = planted
    ring = ring_of(patterns, RING)
    layers = _layers_of(patterns, ring, PROBE, slab.thickness, 16)
    fields = layers.fields(slab)
    expected = ring.read(patterns.patterns.reshape(64, *patterns.mean.shape))
    found = layers.optics.intensities(fields)
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=0.01 * expected.mean())
    part = cut_slab(slab.atoms, slab.thickness * 7 / 16)
    lower = scan(part, PROBE, positions=(8, 8), k_max=0.7)
    expected = ring.read(lower.patterns.reshape(64, *patterns.mean.shape))
    fields[7:] = 0
    found = layers.optics.intensities(fields)
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=0.02 * expected.mean())


def test_the_same_seed_gives_the_same_and_pictures(planted):
    import matplotlib.pyplot as plt

    slab, patterns, spot = planted
    first, again, other = (
        depth_persistence(patterns, spot, slab, k_range=RING, n_null=3, seed=seed)
        for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first.null_mean, again.null_mean)
    assert (first.null_mean != other.null_mean).any()
    table = first.to_frame()
    assert list(table.columns) == ["depth", "strength", "null_mean", "null_high"]
    assert table["depth"].iloc[-1] == pytest.approx(slab.thickness)
    assert "Å" in first.plot().get_xlabel()
    plt.close("all")


def test_a_source_of_finite_size(planted):
    """Several waves that do not interfere: less contrast, the same depth."""
    slab, _, _ = planted
    patterns = scan(slab, Probe(200e3, 2.0, source_size=4.0), positions=(6, 6), k_max=0.6)
    spot = paired_spots(patterns, k_range=RING).strongest()
    result = depth_persistence(patterns, spot, slab, k_range=RING, n_null=10)
    assert result.coherence_length == pytest.approx(2 * RADIUS, abs=4)


def test_bad_input(planted, packing):
    slab, patterns, spot = planted
    for arguments, message in (
        ({"n_null": 0}, "n_null=0"),
        ({"null": "noise"}, "null='noise'"),
        ({"null": "liquid"}, "goes with null='liquid'"),
        ({"liquid": packing}, "goes with null='liquid'"),
        ({"slice_thickness": 0.0}, "slice_thickness=0.0"),
        ({"slice_thickness": 20.0}, "at most half"),
        ({"k_range": (0.6, 0.67)}, "not in this ring"),
    ):
        with pytest.raises(ValueError, match=message):
            depth_persistence(patterns, spot, slab, **arguments)
    with pytest.raises(ValueError, match="other pixels"):
        depth_persistence(patterns, spot, cut_slab(slab.atoms * (2, 1, 1)))
    step = float(patterns.k_x[1] - patterns.k_x[0])
    measured = DiffractionScan.from_array(patterns.patterns, k_step=step, probe=PROBE)
    with pytest.raises(ValueError, match="give the slab"):
        depth_persistence(measured, spot, slab.atoms)
