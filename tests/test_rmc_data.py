"""Data of reverse Monte Carlo: linear maps against the forward functions, and checks."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from ase import Atoms

import glassnb as gn
from glassnb.core.histograms import pair_histogram
from glassnb.models.reverse_monte_carlo.data import (
    PairDistributionData,
    StructureFactorData,
    as_data,
    check_data,
)
from glassnb.scattering import pair_distribution, structure_factor
from glassnb.scattering.pair_function import ExperimentalPairFunction

Q = np.arange(0.5, 20.0, 0.1)
S = 1 + 0.5 * np.exp(-((Q - 1.5) ** 2) / 0.1)
R_MAX, BINS = 9.0, 450
MODEL_Q = np.arange(0.7, 20.0, 0.1)  # from 2 pi over R_MAX


@pytest.fixture(scope="module")
def glass() -> Atoms:
    return gn.models.load("silica-pristine-648")


def calculated(data, atoms, order=("Si", "O"), r_max=R_MAX, bins=BINS):
    """Apply the linear map of a data set to the histogram of a structure."""
    symbols, ordered = pair_histogram(atoms, r_max, bins)
    where = [symbols.index(s) for s in order]
    ordered = ordered[np.ix_(where, where)]
    pairs = combinations_with_replacement(range(len(order)), 2)
    histogram = np.array([ordered[a, b] // (2 if a == b else 1) for a, b in pairs])
    names = np.array(atoms.get_chemical_symbols())
    matrix, constant = data.linear_map(
        order,
        [np.mean(names == s) for s in order],
        len(atoms),
        atoms.get_volume(),
        np.linspace(0, r_max, bins + 1),
    )
    assert matrix.shape == (histogram.shape[0], bins, data.points.size)
    return constant + np.einsum("pb,pbk->k", histogram, matrix)


# -- linear maps ---------------------------------------------------------------------------------


@pytest.mark.parametrize("radiation", ["neutron", "x-ray", "electron"])
@pytest.mark.parametrize("order", [("Si", "O"), ("O", "Si")])
def test_structure_factor_is_that_of_the_scattering_room(glass, radiation, order):
    """The same g(r), bins and end, without a window: equal to rounding."""
    forward = structure_factor(glass, MODEL_Q, radiation=radiation, r_max=R_MAX, bins=BINS)
    ours = calculated(as_data(forward), glass, order)
    np.testing.assert_allclose(ours, forward.total, atol=1e-10)


def test_structure_factor_of_three_species_in_a_skew_cell():
    rng = np.random.default_rng(1)
    cell = np.array([[10.0, 0, 0], [2, 10, 0], [1, -2, 11]])
    atoms = Atoms("NaSi2O5" * 4, scaled_positions=rng.random((32, 3)), cell=cell, pbc=True)
    q = np.linspace(1.4, 15, 60)
    forward = structure_factor(atoms, q, radiation="x-ray", r_max=4.5, bins=225)
    ours = calculated(as_data(forward), atoms, ("O", "Na", "Si"), 4.5, 225)
    np.testing.assert_allclose(ours, forward.total, atol=1e-10)


@pytest.mark.parametrize("function", ["g", "G", "D", "T", "G_PDF"])
def test_neutron_functions_are_those_of_the_histogram(glass, function):
    """Without q_max, at the middles of the bins: the definitions of Keen."""
    g = pair_distribution(glass, R_MAX, bins=BINS)
    data = PairDistributionData(g.r, g.weighted(function), function)
    np.testing.assert_allclose(calculated(data, glass), data.measured, atol=1e-9)


def lines_of_fourier(q, s, r, q_max, lorch):
    """2/pi of the integral of Q (S - 1) M sin(Qr) by Simpson's rule, one r after another."""
    from scipy.integrate import simpson

    m = np.sinc(q / q_max) if lorch else 1.0
    return np.array([2 / np.pi * simpson(q * (s - 1) * m * np.sin(q * x), x=q) for x in r])


@pytest.mark.parametrize("window", [None, "lorch"])
def test_x_ray_function_goes_through_q_with_the_end_of_the_measurement(glass, window):
    """Against Simpson's rule on S_X(Q) of the scattering room; largest values are about 10 Å⁻²."""
    r, q_max = np.arange(0.5, 8.5, 0.05), 18.0
    data = PairDistributionData(
        r, np.zeros_like(r), "G_PDF", "x-ray", q_max=q_max, window=window, offset="refine"
    )
    q = np.linspace(1e-6, q_max, 6001)
    with pytest.warns(UserWarning, match="q: begins at 1e-06"):  # the way back begins at 0
        forward = structure_factor(glass, q, radiation="x-ray", r_max=R_MAX, bins=BINS)
    expected = lines_of_fourier(q, forward.total, r, q_max, window == "lorch")
    np.testing.assert_allclose(calculated(data, glass), expected, atol=0.01)
    assert np.abs(expected).max() > 3


def test_x_ray_weights_at_q_zero_are_not_enough(glass):
    """A reason for the way through Q: constant weights miss by several per cent of the peak."""
    g = pair_distribution(glass, R_MAX, bins=BINS)
    use = (g.r > 1.2) & (g.r < 4.0)
    data = PairDistributionData(
        g.r[use], g.weighted("G_PDF", "x-ray")[use], "G_PDF", "x-ray", q_max=40.0, offset="refine"
    )
    difference = np.abs(calculated(data, glass) - data.measured)
    assert difference.max() > 0.05 * np.abs(data.measured).max()


def test_finite_q_max_broadens_and_a_large_one_does_not(glass):
    """Area of the Si-O peak in r T(r) is kept; its height falls. Neutron, q_max 12 against 40."""
    r = np.arange(1.2, 2.1, 0.01)
    heights, areas = [], []
    for q_max in (12.0, 40.0):
        data = PairDistributionData(r, np.ones_like(r), "T", q_max=q_max, window="lorch")
        t = calculated(data, glass)
        heights.append(t.max())
        areas.append(np.sum(r * t))
    assert heights[0] < 0.6 * heights[1]
    assert areas[0] == pytest.approx(areas[1], rel=0.1)


@pytest.mark.parametrize(
    ("function", "factor", "shift"),
    [("D", 1, 0), ("T", 1, 1), ("G", 0, 0), ("g", 0, 1)],
)
def test_other_functions_follow_from_g_pdf(glass, function, factor, shift):
    """Keen's definitions with <b>^2 = 0.2758 barn (silica, published value 0.27586)."""
    r = np.arange(1.0, 8.0, 0.1)
    values = {
        name: calculated(
            PairDistributionData(r, np.ones_like(r), name, q_max=20.0, offset="refine"), glass
        )
        for name in ("G_PDF", function)
    }
    uniform = 4 * np.pi * len(glass) / glass.get_volume() * r
    mean2 = 1.0 if function == "g" else 0.27586
    expected = mean2 * (values["G_PDF"] + shift * uniform) / (1 if factor else uniform)
    np.testing.assert_allclose(values[function], expected, rtol=1e-3, atol=1e-4)


def test_moving_one_atom_changes_what_it_should(glass):
    """The map is linear: a difference of histograms gives the difference of the curves."""
    data = as_data(structure_factor(glass, MODEL_Q, r_max=R_MAX, bins=BINS))
    moved = glass.copy()
    moved.positions[5] += (0.1, -0.05, 0.08)
    after = structure_factor(moved, MODEL_Q, r_max=R_MAX, bins=BINS).total
    np.testing.assert_allclose(calculated(data, moved), after, atol=1e-10)
    assert np.abs(after - data.measured).max() > 1e-4


# -- as_data -------------------------------------------------------------------------------------


def test_everything_that_is_read_or_computed_becomes_data(glass, tmp_path):
    path = tmp_path / "s.dat"
    np.savetxt(path, np.column_stack([Q, S, np.full(Q.size, 1e-4)]))
    measured = as_data(gn.scattering.read_experiment(path, radiation="x-ray"))
    assert measured.radiation == "x-ray"
    mean = sum(S) / S.size  # errors are raised from 1e-4 to 5 % of the standard deviation
    expected = 0.05 * (sum((S - mean) ** 2) / S.size) ** 0.5
    np.testing.assert_allclose(measured.errors, expected, rtol=1e-3)  # S has six digits in the file
    assert measured.name == "x-ray S(Q)"
    direct = structure_factor(glass, np.arange(0.3, 6, 0.03), method="direct")
    assert np.isnan(direct.total).any()
    assert np.isfinite(as_data(direct).measured).all()
    g = as_data(pair_distribution(glass, R_MAX, bins=BINS))
    assert (g.function, g.radiation) == ("g", "neutron")
    r = np.arange(0.1, 7, 0.1)
    function = ExperimentalPairFunction(r, np.sin(r), None, "D", "x-ray", 22.0, "a file")
    assert as_data(function).q_max == 22.0
    with pytest.raises(TypeError, match="ndarray is no data"):
        as_data(Q)


def test_ranges_cut_points_and_their_errors():
    sigma = np.linspace(0.01, 0.02, Q.size)
    data = as_data(StructureFactorData(Q, S, sigma=sigma), q_range=(1.0, 12.0), name="mine")
    use = (Q >= 1) & (Q <= 12)
    np.testing.assert_array_equal(data.points, Q[use])
    np.testing.assert_array_equal(data.errors, sigma[use])
    assert data.name == "mine"
    again = as_data(data)
    np.testing.assert_array_equal(again.points, data.points)
    r = np.arange(0.1, 20, 0.1)
    cut = as_data(PairDistributionData(r, np.ones_like(r), "g"), r_range=(1.0, 5.0))
    assert cut.points.min() >= 1
    assert cut.points.max() <= 5


# -- checks --------------------------------------------------------------------------------------


def with_nan(values):
    return np.where(np.arange(values.size) == 7, np.nan, values)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"total": with_nan(S)}, r"S\(Q\): NaN or infinite at 1 of 195 points, first at index 7"),
        ({"q": with_nan(Q)}, "q: NaN"),
        ({"q": Q[::-1]}, "q: must rise"),
        ({"q": Q - 0.5}, "q=0: must be positive"),
        ({"q": Q[:-1]}, r"shape \(194,\)"),
        ({"sigma": 0.0}, "sigma=0: every standard error must be positive"),
        ({"sigma": np.full(3, 0.01)}, r"sigma: shape \(3,\)"),
        ({"q": Q[:4], "total": S[:4]}, "4 points to use, at least 5"),
        ({"q_range": (30.0, 40.0)}, "0 points to use"),
        ({"q_range": (12.0, 1.0)}, "must be two numbers in order"),
        ({"weight": -1.0}, "weight=-1.0"),
        ({"radiation": "muon"}, "radiation='muon'"),
        ({"scale": "free"}, "scale='free'"),
        ({"total": S - 1}, "looks like S-1.*convention='S-1'"),
        ({"total": 1.4 * S}, r"tends to 1.4.*scale='refine'"),
    ],
)
def test_bad_structure_factors_are_named(options, message):
    data = StructureFactorData(**{"q": Q, "total": S, **options})
    with pytest.raises(ValueError, match=message):
        as_data(data)


def test_refined_scale_may_repair_the_normalisation_and_short_data_cannot_tell():
    check_data(StructureFactorData(Q, 1.4 * S, scale="refine"))
    short = Q < 7.9
    check_data(StructureFactorData(Q[short], 1.4 * S[short]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"function": "h"}, "function='h'"),
        ({"window": "hann"}, "window='hann'"),
        ({"window": "lorch"}, "q_max=None: the window"),
        ({"radiation": "x-ray"}, "q_max=None: the x-ray weights depend on Q"),
        ({"q_max": -1.0}, "q_max=-1.0"),
        ({"function": "G_PDF"}, r"tends to 1.000, but G_PDF\(r\) tends to 0"),
        ({"values": np.zeros(200)}, r"tends to 0.000, but g\(r\) tends to 1"),
    ],
)
def test_bad_pair_functions_are_named(options, message):
    r = np.arange(1, 201) * 0.05
    data = PairDistributionData(**{"r": r, "values": np.ones(200), "function": "g", **options})
    with pytest.raises(ValueError, match=message):
        check_data(data)


def test_bins_that_cannot_carry_the_data_are_named():
    """Q dr = 1.6 makes a bin too strong by 1.6²/24 = 11 %."""
    q = np.arange(0.5, 50, 0.05)
    data = StructureFactorData(q, np.ones_like(q))
    edges = np.linspace(0, 15, 301)
    with pytest.raises(ValueError, match=r"bins of at most 0.032 Å, or set q_range=\(0.5, 32\)"):
        check_data(data, edges)
    check_data(as_data(data, q_range=(0.5, 32)), edges)
    r = np.arange(0.1, 20, 0.1)
    pairs = PairDistributionData(r, np.ones_like(r), "g")
    with pytest.raises(ValueError, match=r"data reach 19.90 Å.*r_range=\(0.1, 15\)"):
        check_data(pairs, edges)
    wide = PairDistributionData(r[:100], np.ones(100), "g", q_max=40.0)
    with pytest.raises(ValueError, match="q_max=40 Å⁻¹ is too much"):
        check_data(wide, edges)
    for bad in (np.linspace(1, 2, 5), np.array([0, 1, 3.0]), np.array([0.0])):
        with pytest.raises(ValueError, match="edges: must be"):
            check_data(data, bad)
