"""Regions singled out by one view of a structure, seen with another; and the positive control."""

import numpy as np
import pytest
from ase.build import bulk
from ase.geometry import get_distances
from ase.spacegroup import crystal as from_group
from packings import LATTICE, random_packing
from scipy import stats
from scipy.spatial.transform import Rotation

from glassnb.diffraction import Probe, scan
from glassnb.linking import (
    atom_lifetimes,
    compare_groups,
    density_wave_at,
    patterns_of_regions,
    plant_crystal,
    select_regions,
    voronoi_indices,
)
from glassnb.models import crystal
from glassnb.topology import persistence

PROBE = Probe(200e3, 2.0)
RING = (0.38, 0.52)  # 1/Å, about {111} of palladium


@pytest.fixture(scope="module")
def packing():
    return random_packing(1500, seed=3)[0]


@pytest.fixture(scope="module")
def planted(packing):
    turn, _ = Rotation.align_vectors([[0, 0, 1]], [[1, 1, 0]])
    return plant_crystal(
        packing, bulk("Pd", "fcc", a=LATTICE, cubic=True), 8.0, centre=(9, 11, 14), rotation=turn
    )


# -- the positive control ------------------------------------------------------------------------


def test_a_planted_crystal_is_whole_and_touches_nothing(packing, planted):
    """As many lattice points as in the ball, counted plainly; the distances are those of fcc."""
    ball = planted[planted.arrays["planted"]]
    steps = np.mgrid[-10:11, -10:11, -10:11].reshape(3, -1).T
    points = steps[steps.sum(axis=1) % 2 == 0] * LATTICE / 2
    assert len(ball) == (np.linalg.norm(points, axis=1) < 8).sum()
    np.testing.assert_allclose(ball.positions.mean(axis=0), (9, 11, 14), atol=1e-9)
    near = np.linalg.norm(ball.positions[:, None] - ball.positions, axis=2)
    assert near[near > 0].min() == pytest.approx(LATTICE / np.sqrt(2))
    _, both = get_distances(
        ball.positions, planted[~planted.arrays["planted"]].positions, cell=planted.cell, pbc=True
    )
    assert both.min() >= 2.2
    # About as many atoms are lost as come in.
    assert abs(len(planted) - len(packing)) < 0.05 * len(packing)


def test_bad_controls(packing):
    fcc = bulk("Pd", "fcc", a=LATTICE, cubic=True)
    with pytest.raises(ValueError, match="radius=99"):
        plant_crystal(packing, fcc, 99)
    with pytest.raises(ValueError, match="gap=0"):
        plant_crystal(packing, fcc, 8, gap=0)
    with pytest.raises(ValueError, match="centre="):
        plant_crystal(packing, fcc, 8, centre=(1, 2))
    fcc.pbc = False
    with pytest.raises(ValueError, match="periodic"):
        plant_crystal(packing, fcc, 8)


# -- regions -------------------------------------------------------------------------------------


def test_regions_stand_where_the_mean_is_highest(packing):
    """Against a plain sum over the nearest images, and a greedy choice written out."""
    values = np.random.default_rng(5).random(len(packing))
    chosen = select_regions(packing, values, n=6, radius=5.0)
    edge = packing.cell[0, 0]
    vectors = packing.positions[:, None] - packing.positions
    distances = np.linalg.norm(vectors - edge * np.rint(vectors / edge), axis=2)
    near = distances < 5.0
    means = (near * values).sum(axis=1) / near.sum(axis=1)
    expected: list[int] = []
    for atom in np.argsort(-means):
        if all(distances[atom, other] >= 5.0 for other in expected):
            expected.append(int(atom))
    assert chosen.tolist() == expected[:6]


def test_random_regions_are_apart_and_repeat(packing):
    first, again, other = (select_regions(packing, n=15, radius=6.0, seed=s) for s in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()
    distances = packing[first].get_all_distances(mic=True)
    assert distances[~np.eye(15, dtype=bool)].min() >= 6.0


def test_bad_regions(packing):
    with pytest.raises(ValueError, match="radius=0"):
        select_regions(packing, radius=0)
    with pytest.raises(ValueError, match="n=0"):
        select_regions(packing, n=0)
    with pytest.raises(ValueError, match="room"):
        select_regions(packing, n=1000, radius=8.0)
    with pytest.raises(ValueError, match="values"):
        select_regions(packing, np.ones(3))


# -- their patterns ------------------------------------------------------------------------------


@pytest.mark.parametrize(("axis", "order"), [("x", (1, 2, 0)), ("y", (2, 0, 1)), ("z", (0, 1, 2))])
def test_patterns_are_those_of_a_scan(packing, axis, order):
    """The same beam on the same slab, placed by hand; single precision."""
    edge = packing.cell[0, 0]
    centres = np.array([[3.0, 12.0, 20.0], [25.0, 7.0, 1.0]])
    found = patterns_of_regions(packing, centres, PROBE, thickness=16, k_max=0.6, step=edge / 7)
    assert found.scan.shape == (2, 3)
    for row, centre in enumerate(centres):
        layer = round(centre[order[2]] / edge * 7)
        alone = scan(
            packing, PROBE, positions=[centre[list(order[:2])]], thickness=16, k_max=0.6,
            axis=axis, start=layer * edge / 7 - 8,
        )  # fmt: skip
        np.testing.assert_allclose(
            found.scan.pattern(row, "xyz".index(axis)), alone.pattern(0), rtol=1e-4, atol=1e-9
        )
        np.testing.assert_allclose(alone.k_x, found.scan.k_x, atol=1e-9)


def test_a_crystal_stands_out_of_random_regions(planted):
    """Along z the beam sees [110] of fcc, with two pairs of {111}; the shift is within the ball."""
    steps = np.array([[0, 0, 0], [2, 0, 0], [-2, 0, 0], [0, 2, 0], [0, -2, 0], [0, 0, 2.0]])
    random = planted.positions[select_regions(planted, n=18, radius=5.0, seed=1)]
    places = np.concatenate([steps + (9, 11, 14), random])
    found = patterns_of_regions(planted, places, PROBE, thickness=16, k_max=0.6)
    strength = found.strength(RING)
    assert strength.shape == (24, 3)
    result = compare_groups(strength[:6, 2], strength[6:, 2])
    assert result.p_value < 0.01
    assert result.cohen_d > 1
    assert result.rank_biserial > 0.5


def test_bad_patterns(packing):
    quartz = crystal("alpha-quartz", repeat=4)
    with pytest.raises(ValueError, match="cube"):
        patterns_of_regions(quartz, [[0, 0, 0]], PROBE)
    with pytest.raises(ValueError, match="thickness=-1"):
        patterns_of_regions(packing, [[0, 0, 0]], PROBE, thickness=-1)
    with pytest.raises(ValueError, match="step=0"):
        patterns_of_regions(packing, [[0, 0, 0]], PROBE, step=0)
    with pytest.raises(ValueError, match="centres"):
        patterns_of_regions(packing, [[0, 0]], PROBE)
    unknown = packing.copy()
    unknown.symbols[0] = "X"
    with pytest.raises(ValueError, match="species 'X'"):
        patterns_of_regions(unknown, [[0, 0, 0]], PROBE)


# -- two groups ----------------------------------------------------------------------------------


def test_effect_sizes_by_hand():
    """Means 4 and 2, both variances 1: d = 2. Of the 9 pairs 7 are larger, 1 smaller, 1 equal."""
    result = compare_groups([3, 4, 5], [1, 2, 3])
    assert result.cohen_d == pytest.approx(2)
    assert result.rank_biserial == pytest.approx(8 / 9)
    # Of the 20 ways to exchange, the given one, its mirror and none else are as far apart or more
    # (the two threes may change places).
    assert result.n_permutations == 20
    assert result.p_value == pytest.approx(4 / 20)
    assert list(result.to_frame().index) == ["first", "second"]


def test_p_values_agree_with_student():
    """For normal numbers the permutation test is that of Student; 9999 exchanges, three errors."""
    rng = np.random.default_rng(2)
    a, b = rng.normal(0.7, 1, 30), rng.normal(0, 1, 30)
    result = compare_groups(a, b)
    student = stats.ttest_ind(a, b).pvalue
    assert result.p_value == pytest.approx(student, abs=3 * np.sqrt(student / 9999) + 2e-3)
    low, high = result.cohen_d_interval
    assert low < result.cohen_d < high
    # Width from the large-sample error of d (Hedges and Olkin 1985): sqrt(2/n + d²/4n).
    error = np.sqrt(2 / 30 + result.cohen_d**2 / 120)
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.2)
    again = compare_groups(a, b)
    assert (again.p_value, again.cohen_d_interval) == (result.p_value, result.cohen_d_interval)
    ax = result.plot(labels=("ordered", "random"))
    assert [text.get_text() for text in ax.get_xticklabels()] == ["ordered", "random"]


def test_bad_groups():
    with pytest.raises(ValueError, match="first"):
        compare_groups([1], [1, 2])
    with pytest.raises(ValueError, match="second"):
        compare_groups([1, 2], [1, np.nan])
    with pytest.raises(ValueError, match="equal"):
        compare_groups([1, 1], [2, 2])
    with pytest.raises(ValueError, match="n_permutations=0"):
        compare_groups([1, 2], [2, 3], n_permutations=0)


# -- polyhedra -----------------------------------------------------------------------------------


def test_polyhedra_of_crystals():
    """bcc: a truncated octahedron. A15 (Frank and Kasper 1958): icosahedra and <0, 0, 12, 2>."""
    bcc = voronoi_indices(bulk("Fe", "bcc", a=2.87, cubic=True) * 2)
    assert (bcc[:, :4] == (0, 6, 0, 8)).all()
    a15 = from_group(
        ["Si", "Cr"], [(0, 0, 0), (0.25, 0, 0.5)], spacegroup=223, cellpar=[4.56] * 3 + [90] * 3
    )
    found = voronoi_indices(a15)
    assert (found[a15.symbols == "Si"][:, :4] == (0, 0, 12, 0)).all()
    assert (found[a15.symbols == "Cr"][:, :4] == (0, 0, 12, 2)).all()


def test_polyhedra_of_a_packing(packing):
    """Euler: for each polyhedron the sum of (6 - sides) over its faces is 12."""
    found = voronoi_indices(packing, tolerance=0)
    sides = np.arange(3, 3 + found.shape[1])
    assert (((6 - sides) * found).sum(axis=1) == 12).all()
    assert found.sum(axis=1).mean() == pytest.approx(14.3, abs=0.5)  # J. L. Finney (1970)
    diagrams = persistence(packing)
    np.testing.assert_array_equal(voronoi_indices(diagrams.complex, tolerance=0), found)
    with pytest.raises(ValueError, match="without radii"):
        voronoi_indices(persistence(packing, radii={"Pd": 1.3}).complex)
    with pytest.raises(ValueError, match="periodic"):
        voronoi_indices(persistence(packing, periodic=False).complex)


# -- homology ------------------------------------------------------------------------------------


def test_lifetimes_are_shared_by_the_atoms_of_a_pair(packing):
    """Nothing is lost; every atom of a pair gets its part, written out for the longest pair."""
    diagrams = persistence(packing[:400], periodic=False)
    for dimension in (1, 2):
        lifetime = np.ptp(diagrams.pairs(dimension), axis=1)
        every = atom_lifetimes(diagrams, dimension, share=1)
        assert every.sum() == pytest.approx(lifetime.sum())
        longest = atom_lifetimes(diagrams, dimension, share=1 / lifetime.size)
        pair = lifetime.argmax()
        members = {
            *diagrams.birth_simplices(dimension)[0][pair].tolist(),
            *diagrams.death_simplices(dimension)[0][pair].tolist(),
        }
        assert set(np.flatnonzero(longest).tolist()) == members
        np.testing.assert_allclose(longest[sorted(members)], lifetime[pair] / len(members))
    with pytest.raises(ValueError, match="dimension=0"):
        atom_lifetimes(diagrams, 0)
    with pytest.raises(ValueError, match="share=0"):
        atom_lifetimes(diagrams, share=0)


# -- waves ---------------------------------------------------------------------------------------


def test_waves_of_a_crystal_have_atoms_on_their_crests():
    """CsCl: with the heavier Cs, crests of {100} hold Cs and those of {110} both."""
    salt = bulk("CsCl", "cesiumchloride", a=4.12) * 2
    k = np.array([[1, 0, 0], [1, 1, 0]]) / 4.12
    found = density_wave_at(salt, k, salt.positions + (0, 0, 0.3))
    expected = np.where(salt.symbols == "Cs", 1, -1)
    np.testing.assert_allclose(found, [expected, np.ones(16)], atol=1e-9)
    middle = density_wave_at(salt, k[:1], [[4.12 / 4, 1.0, 2.0]])
    assert middle[0, 0] == pytest.approx(0, abs=1e-9)


def test_bad_waves(packing):
    with pytest.raises(ValueError, match="Miller"):
        density_wave_at(packing, [[0.123, 0, 0]], [[0, 0, 0]])
    with pytest.raises(ValueError, match="Miller"):
        density_wave_at(packing, [[0, 0, 0]], [[0, 0, 0]])
    with pytest.raises(ValueError, match="places"):
        density_wave_at(packing, [[1 / packing.cell[0, 0], 0, 0]], [[0, 0]])
