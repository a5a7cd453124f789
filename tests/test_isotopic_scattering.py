"""Isotopes in neutron weights, absorbing nuclei, and first-order differences.

Lengths written here are those of V. F. Sears, Neutron News 3, 26 (1992), in fm.
"""

import json

import numpy as np
import pytest
from ase import Atoms
from ase.io import read as ase_read
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import amplitude

import glassnb as gn
from glassnb.core import half_box
from glassnb.core.isotopes import set_isotopes
from glassnb.scattering import (
    difference,
    isotope_shares,
    neutron_scattering_length,
    pair_distribution,
    reciprocal_amplitudes,
    scattering_factors,
    structure_factor,
)
from glassnb.scattering.composition import parse_composition

LENGTHS = {"H": -3.739, "D": 6.671, "O": 5.803, "Cl": 9.577, "Ni": 10.3, "Ni-58": 14.4,
           "Ni-62": -8.7, "B": 5.30 - 0.213j, "B-11": 6.65, "Li-6": 2.00 - 0.261j}  # fmt: skip
HEAVY_WATER = """data_x
_cell_length_a 6.0
_cell_length_b 6.1
_cell_length_c 6.2
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
O1 O .10 .10 .10
D1 D .25 .12 .10
D2 D .05 .24 .12
O2 O .60 .60 .60
D3 D .75 .62 .60
D4 D .55 .74 .62
"""


def gas(formula: str, size: float = 9.0, seed: int = 0) -> Atoms:
    """Atoms on a rattled grid in a cell of three lengths, so that none overlap."""
    atoms = Atoms(formula)
    n = int(np.ceil(len(atoms) ** (1 / 3)))
    rng = np.random.default_rng(seed)
    sites = np.stack(np.meshgrid(*[np.arange(n)] * 3), -1).reshape(-1, 3)
    chosen = rng.permutation(len(sites))[: len(atoms)]
    atoms.set_cell([size, 1.1 * size, 1.2 * size])
    atoms.pbc = True
    atoms.set_scaled_positions((sites[chosen] + rng.uniform(-0.3, 0.3, (len(atoms), 3))) / n)
    return atoms


SOLUTION = gas("NiCl2" + "OH2" * 20)
Q = np.arange(1.5, 9.0, 0.1)


def total_by_amplitudes(atoms: Atoms, q_vectors: np.ndarray, lengths: dict) -> np.ndarray:
    """1 + (|sum b exp(iqr)|^2 / N - sum c |b|^2) / |<b>|^2, a plain sum over the atoms.

    The mean of q and -q, as a powder has both."""
    b = np.array([lengths[s] for s in atoms.get_chemical_symbols()])
    waves = [
        sum(lengths[s] * amplitude(atoms[atoms.symbols == s].positions, sign * q_vectors)
            for s in set(atoms.symbols))
        for sign in (1, -1)
    ]  # fmt: skip
    power = np.mean(np.abs(waves) ** 2, axis=0) / len(atoms)
    return 1 + (power - np.mean(np.abs(b) ** 2)) / np.abs(b.mean()) ** 2


# -- isotopes of the structure -------------------------------------------------------------------


def test_deuterium_of_a_cif_scatters_as_deuterium(tmp_path):
    """S(Q) of six atoms through g(r) to half the box, as two other programs gave it: the
    default for hydrogen would be -59.5 at Q = 1."""
    path = tmp_path / "d.cif"
    path.write_text(HEAVY_WATER)
    atoms = ase_read(path)
    with pytest.warns(UserWarning, match=r"q: begins at 1 Å⁻¹, below 2\.094"):
        sq = structure_factor(atoms, [1.0, 2.0, 3.0, 4.0, 5.0])
    assert sq.total == pytest.approx([1.575, 2.005, 0.927, 0.814, 0.766], abs=6e-4)
    light = sq.as_radiation("neutron", isotopes={"H": 0})
    assert light.total == pytest.approx([-59.5, -44.8, -18.9, 10.1, 24.0], abs=0.06)
    assert sq.isotopes == {"H": {2: 1.0}}
    assert light.isotopes == {}


@pytest.mark.parametrize("label", ["D", "H", "B", "B-11", "Li-6", "Ni-62"])
def test_total_is_that_of_the_amplitudes(label):
    """Complex lengths too: |sum b exp(iqr)|^2 in full complex arithmetic."""
    symbol, mass_number = gn.core.isotopes.parse_species(label)
    atoms = gas(f"O12{symbol}18")
    isotopes = {symbol: mass_number}
    sq = structure_factor(atoms, [2.0, 2.2], method="direct", isotopes=isotopes)
    found = reciprocal_amplitudes(atoms, 2.3)
    lengths = {"O": neutron_scattering_length("O"), symbol: neutron_scattering_length(label)}
    assert lengths[symbol] == pytest.approx(LENGTHS[label], abs=0.3)
    expected = total_by_amplitudes(atoms, found.q_vectors, lengths)
    for k, (low, high) in enumerate([(1.9, 2.1), (2.1, 2.3)]):
        shell = (found.q >= low) & (found.q < high)
        assert sq.total[k] == pytest.approx(expected[shell].mean(), abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_isotopes_on_sites_enter_with_their_mean(seed):
    """Order of the atoms and place of the isotopes change nothing; X-rays never see them."""
    rng = np.random.default_rng(seed)
    atoms = gas("O6H12", seed=seed)
    hydrogen = np.flatnonzero(atoms.numbers == 1)
    chosen = rng.permutation(hydrogen)[: rng.integers(1, 12)]
    mass_numbers = np.zeros(len(atoms), dtype=int)
    mass_numbers[chosen] = rng.choice([1, 2, 3], chosen.size)
    q = np.array([1.5, 2.0, 4.0])
    natural = structure_factor(atoms, q)
    marked = atoms.copy()
    set_isotopes(marked, mass_numbers)
    found = structure_factor(marked[rng.permutation(len(marked))], q)
    shares = {int(n): np.mean(mass_numbers[hydrogen] == n) for n in set(mass_numbers[hydrogen])}
    expected = natural.as_radiation("neutron", isotopes={"H": shares})
    np.testing.assert_allclose(found.total, expected.total, rtol=1e-9)
    assert found.lengths == pytest.approx(expected.lengths)
    labels = {0: "H", 1: "H-1", 2: "D", 3: "T"}
    mean = np.mean([neutron_scattering_length(labels[n]) for n in mass_numbers[hydrogen]])
    assert found.lengths["H"] == pytest.approx(mean)
    for radiation in ("x-ray", "electron"):
        ours = structure_factor(marked, q, radiation=radiation)
        np.testing.assert_array_equal(ours.total, natural.as_radiation(radiation).total)
        assert ours.as_radiation("neutron").total == pytest.approx(found.total)


def test_one_computation_serves_three_isotopes():
    natural = structure_factor(SOLUTION, Q)
    for isotopes in ({"Ni": 58}, {"Ni": {58: 0.7, 62: 0.3}}, {"H": 2, "Ni": {0: 0.5, 62: 0.5}}):
        sq = natural.as_radiation("neutron", isotopes=isotopes)
        assert sq.partials is natural.partials
        again = structure_factor(SOLUTION, Q, isotopes=isotopes)
        np.testing.assert_allclose(sq.total, again.total)
        assert sq.isotopes == again.isotopes
    mixed = natural.as_radiation("neutron", isotopes={"Ni": {58: 0.7, 62: 0.3}})
    expected = 0.7 * LENGTHS["Ni-58"] + 0.3 * LENGTHS["Ni-62"]
    assert mixed.lengths["Ni"] == pytest.approx(expected, abs=0.01)
    # a substitution stays until another one of the same element
    both = mixed.as_radiation("neutron", isotopes={"H": 2})
    assert set(both.isotopes) == {"Ni", "H"}
    assert both.as_radiation("x-ray").as_radiation("neutron").total == pytest.approx(both.total)
    back = both.as_radiation("neutron", isotopes={"H": 0, "Ni": 0})
    assert back.isotopes == {}
    np.testing.assert_array_equal(back.total, natural.total)


def test_result_says_what_it_used(tmp_path):
    sq = structure_factor(SOLUTION, Q, isotopes={"H": 2, "Ni": {58: 0.7, 62: 0.3}})
    assert sq.to_frame().attrs["lengths"] == sq.lengths
    sq.save(tmp_path / "s.csv")
    history = json.loads((tmp_path / "s.csv").read_text().splitlines()[0][2:])["parameters"]
    assert history["isotopes"] == {"H": {"2": 1.0}, "Ni": {"58": 0.7, "62": 0.3}}
    assert history["lengths"]["H"] == pytest.approx(LENGTHS["D"], abs=0.01)
    label = sq.plot().get_legend().get_texts()[0].get_text()
    assert label == "model, neutron, D, 0.7 Ni-58 + 0.3 Ni-62"
    assert sq.as_radiation("x-ray").lengths is None
    with pytest.raises(TypeError):  # keyword-only
        sq.as_radiation("neutron", {"H": 2})


def test_pair_functions_have_the_weights_of_their_isotopes():
    """T - D is 4 pi rho r |<b>|^2; D2O has (2 x 6.671 + 5.803)^2 / 9 = 40.73 fm^2."""
    atoms = gas("O6H12")
    set_isotopes(atoms, np.where(atoms.numbers == 1, 2, 0))
    g = pair_distribution(atoms)
    assert g.isotopes == isotope_shares(atoms) == {"H": {2: 1.0}}
    uniform = 4 * np.pi * g.density * g.r
    np.testing.assert_allclose((g.weighted("T") - g.weighted("D")) / uniform, 0.4073, rtol=1e-3)
    light = g.weighted("T", isotopes={"H": 1}) - g.weighted("D", isotopes={"H": 1})
    expected = (2 * LENGTHS["H"] + LENGTHS["O"]) ** 2 / 900
    np.testing.assert_allclose(light / uniform, expected, rtol=5e-3)


# -- absorbing nuclei ----------------------------------------------------------------------------


def test_complex_lengths_are_used():
    """Natural boron 5.30 - 0.213i fm, B-11 6.65 fm; Re(b_a b_b*) and |<b>|^2 by hand."""
    atoms = gas("B8O12")
    sq = structure_factor(atoms, Q)
    b = {"B": LENGTHS["B"], "O": LENGTHS["O"]}
    mean2 = abs(0.4 * b["B"] + 0.6 * b["O"]) ** 2
    parts = {("O", "O"): 0.36, ("B", "O"): 0.48, ("B", "B"): 0.16}
    expected = sum(
        share * (b[i] * np.conj(b[j])).real * (sq.partials[i, j] - 1)
        for (i, j), share in parts.items()
    )
    np.testing.assert_allclose(sq.differential(), expected / 100, rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(sq.total - 1, expected / mean2, rtol=2e-3, atol=1e-3)
    assert isinstance(sq.lengths["B"], complex)
    assert sq.as_radiation("neutron", isotopes={"B": 11}).lengths["B"] == pytest.approx(6.65)
    assert scattering_factors(["Si", "O"], Q).dtype == np.float64
    assert isinstance(neutron_scattering_length("Si"), float)


@pytest.mark.parametrize(("symbol", "isotope"), [("Gd", 160), ("Cd", 114), ("Sm", 154)])
def test_resonances_are_named(symbol, isotope):
    """Their length depends on the energy; a neighbour without resonance has no such word."""
    atoms = gas(f"{symbol}8O12")
    with pytest.warns(UserWarning, match=f"{symbol} .*depends on the energy.*isotopes=") as found:
        sq = structure_factor(atoms, Q)
    assert len(found) == 1
    assert found[0].filename == __file__
    assert abs(sq.lengths[symbol].imag) > 0.5
    assert structure_factor(atoms, Q, isotopes={symbol: isotope}).lengths[symbol] > 0
    assert np.isfinite(sq.as_radiation("x-ray").total).all()
    assert np.isfinite(sq.differential()).all()


@pytest.mark.parametrize(
    ("isotopes", "message"),
    [
        ({"D": 2}, r"isotopes: 'D' is not an element of the structure, which holds Ni, Cl, O, H"),
        ({"Si": 29}, "'Si' is not an element"),
        ({"Ni": {58: 0.7, 62: 0.2}}, r"isotopes\['Ni'\].*sum to 0\.9, expected 1; divide"),
        ({"Ni": {58: 1.3, 62: -0.3}}, r"isotopes\['Ni'\].*shares from 0 to 1"),
        ({"Ni": {58: np.nan, 62: 1.0}}, r"isotopes\['Ni'\].*shares from 0 to 1"),
        ({"Ni": {}}, "sum to 0, expected 1"),
        ({"Ni": 58.5}, r"isotopes\['Ni'\].*mass number"),
        ({"Ni": "heavy"}, r"isotopes\['Ni'\].*mass number"),
        ({"H": 9}, r"isotopes\['H'\]: there is no isotope H-9; give its number"),
        ({"Cl": 36}, "'Cl-36' has no neutron scattering length"),
        (["D"], r"isotopes=\['D'\]: must be by element, such as"),
    ],
)
def test_isotopes_that_make_no_sense(isotopes, message):
    natural = structure_factor(SOLUTION, Q)
    for call in (
        lambda: structure_factor(SOLUTION, isotopes=isotopes),
        lambda: natural.as_radiation("neutron", isotopes=isotopes),
        lambda: pair_distribution(SOLUTION, 2.0).weighted(isotopes=isotopes),
    ):
        with pytest.raises(ValueError, match=message):
            call()


# -- differences ---------------------------------------------------------------------------------


def test_first_order_difference_of_a_solution():
    """NiCl2 in D2O, natural nickel less Ni-62: A (S_NiO - 1) + B (S_NiD - 1) + C (S_NiCl - 1) +
    D (S_NiNi - 1) with A = 2 c_Ni c_O b_O (b - b'), ..., D = c_Ni^2 (b^2 - b'^2); G. W. Neilson
    and J. E. Enderby, Proc. R. Soc. A 390, 353 (1983); pairs without Ni are gone."""
    natural = structure_factor(SOLUTION, Q, isotopes={"H": 2})
    found = difference(natural, natural.as_radiation("neutron", isotopes={"Ni": 62}))
    n = len(SOLUTION)
    c = {"Ni": 1 / n, "Cl": 2 / n, "O": 20 / n, "H": 40 / n}
    b = LENGTHS | {"H": LENGTHS["D"]}
    change = b["Ni"] - b["Ni-62"]
    expected = {s: 0.02 * c["Ni"] * c[s] * b[s] * change for s in ("Cl", "O", "H")}
    expected["Ni"] = 0.01 * c["Ni"] ** 2 * (b["Ni"] ** 2 - b["Ni-62"] ** 2)
    for s, weight in expected.items():
        assert found.coefficients["Ni", s] == pytest.approx(weight, rel=2e-3)
    for pair in (("O", "O"), ("O", "H"), ("H", "H"), ("Cl", "O"), ("Cl", "H"), ("Cl", "Cl")):
        assert found.coefficients[pair] == 0
    total = sum(w * (natural.partials["Ni", s] - 1) for s, w in expected.items())
    np.testing.assert_allclose(found.values, total, rtol=3e-3, atol=2e-5)
    other = difference(natural.as_radiation("neutron", isotopes={"Ni": 62}), natural)
    np.testing.assert_allclose(other.values, -found.values, atol=1e-15)


def test_difference_of_light_and_heavy_water():
    """The same atoms computed twice, with isotopes of the structure; all three partials stay."""
    light, heavy = gas("O6H12"), gas("O6H12")
    set_isotopes(heavy, np.where(heavy.numbers == 1, 2, 0))
    found = difference(structure_factor(heavy, Q), structure_factor(light, Q))
    d, h, o = LENGTHS["D"], LENGTHS["H"], LENGTHS["O"]
    assert found.coefficients["O", "H"] == pytest.approx(4 / 9 * o * (d - h) / 100, rel=3e-3)
    assert found.coefficients["H", "H"] == pytest.approx(4 / 9 * (d**2 - h**2) / 100, rel=3e-3)
    assert found.coefficients["O", "O"] == 0


def test_difference_is_shown_and_written(tmp_path):
    sq = structure_factor(SOLUTION, Q)
    found = difference(sq, sq.as_radiation("neutron", isotopes={"Ni": 62}))
    assert "(natural) − (Ni-62)" in repr(found)
    assert "Ni-O" in repr(found)
    assert len(repr(found)) < 200
    assert list(found.to_frame().columns) == ["q", "difference"]
    found.save(tmp_path / "d.csv")
    history = json.loads((tmp_path / "d.csv").read_text().splitlines()[0][2:])["parameters"]
    assert history["isotopes"] == [{}, {"Ni": {"62": 1.0}}]
    assert "barn" in found.plot().get_ylabel()
    assert "none" in repr(difference(sq, sq))
    with pytest.raises(AttributeError):
        found.q = Q


def changed(**options) -> object:
    """The solution, in one way another."""
    atoms = SOLUTION.copy()
    if "positions" in options:
        atoms.rattle(0.1, seed=1)
    if "cell" in options:
        atoms.set_cell(atoms.cell * 1.01, scale_atoms=True)
    if "repeat" in options:
        atoms = atoms.repeat((1, 1, 2))
    if "symbols" in options:
        atoms.symbols[list(atoms.symbols).index("Ni")] = options["symbols"]
    return structure_factor(atoms, options.get("q", Q))


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"q": Q[:-1]}, r"second\.q: is not the grid of first"),
        ({"q": Q + 0.01}, r"second\.q: is not the grid of first"),
        ({"symbols": "Co"}, "second: consists of Co .*first of Ni"),
        ({"symbols": "O"}, "second: consists of Cl"),
        ({"repeat": 2}, r"second\.n_atoms=126: first has 63 atoms"),
        ({"cell": 1}, r"second\.density=.*: first has"),
        ({"positions": 1}, r"second\.partials\[Ni-Ni\]|second\.partials\[Ni-Cl\]"),
    ],
)
def test_differences_of_other_structures_are_refused(second, message):
    with pytest.raises(ValueError, match=message) as error:
        difference(structure_factor(SOLUTION, Q), changed(**second))
    assert "as_radiation('neutron', isotopes=...)" in str(error.value)


def test_differences_are_those_of_neutrons():
    sq = structure_factor(SOLUTION, Q)
    with pytest.raises(ValueError, match=r"second: is for radiation 'x-ray'.*second\.as_radiation"):
        difference(sq, sq.as_radiation("x-ray"))
    with pytest.raises(ValueError, match="first=ndarray: must be a StructureFactor"):
        difference(sq.total, sq)


# -- compositions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("composition", "mean2"),
    [
        ("D2O", (2 * 6.671 + 5.803) ** 2 / 9),
        ("H2O", (-2 * 3.739 + 5.803) ** 2 / 9),
        ("HDO", (-3.739 + 6.671 + 5.803) ** 2 / 9),
        ("6Li2O", abs(2 * (2.0 - 0.261j) + 5.803) ** 2 / 9),
        ("[6Li]2O", abs(2 * (2.0 - 0.261j) + 5.803) ** 2 / 9),
        ("Li2O", (-2 * 1.90 + 5.803) ** 2 / 9),
        ("SiO2", 27.586),
        ("2SiO2", 27.586),
        ("Si0.5O", 27.586),
        ("(Na2O)0.2(SiO2)0.8", (0.4 * 3.63 + 0.8 * 4.149 + 1.8 * 5.803) ** 2 / 9),
        ("Na2O+4SiO2", (2 * 3.63 + 4 * 4.149 + 9 * 5.803) ** 2 / 225),
    ],
)
def test_mean_square_of_a_composition(tmp_path, composition, mean2):
    """F = |<b>|^2 (S - 1) of a file, read with its composition.

    Newer tables have 2.27 fm for Li-6 and -1.93 for Li; light water nearly cancels.
    """
    f = 0.5 * np.exp(-np.arange(1, 41) * 0.5)
    np.savetxt(tmp_path / "f.dat", np.column_stack([np.arange(1, 41) * 0.5, f]))
    data = gn.scattering.read_experiment(tmp_path / "f.dat", "F", composition=composition)
    tolerance = {"6Li2O": 0.15, "[6Li]2O": 0.15, "Li2O": 0.08, "H2O": 0.02}.get(composition, 3e-3)
    np.testing.assert_allclose((data.total - 1)[:-1], f[:-1] / (mean2 / 100), rtol=tolerance)


def test_composition_of_a_mixture():
    symbols, concentrations, shares = parse_composition("H0.5D1.5O")
    assert dict(zip(symbols, concentrations, strict=True)) == pytest.approx(
        {"H": 2 / 3, "O": 1 / 3}
    )
    assert shares == {"H": {0: 0.25, 2: 0.75}}


@pytest.mark.parametrize(
    ("composition", "message"),
    [
        ("Na2O+6Li2O", r"composition='Na2O\+6Li2O'.*6Li may be the isotope or a count: write \["),
        ("SiQ2", "composition='SiQ2': is no chemical formula such as"),
        ("", "composition='': names no atoms"),
        (5, "composition=5: is no chemical formula"),
        ("[99Li]2O", r"composition='\[99Li\]2O'"),
    ],
)
def test_compositions_that_make_no_sense(composition, message):
    with pytest.raises(ValueError, match=message):
        parse_composition(composition)


# -- reverse Monte Carlo -------------------------------------------------------------------------


def test_refinement_weighs_isotopes_as_the_structure_factor_does(tmp_path):
    """Data of D2O, of mixtures, of X-rays, T(r) of H2O, towards one model; then restarted."""
    atoms = gas("O12H24")
    set_isotopes(atoms, np.where(atoms.numbers == 1, 2, 0))
    options = {"r_max": half_box(atoms), "bins": 200}
    heavy = structure_factor(atoms, Q, **options)
    other = heavy.as_radiation("neutron", isotopes={"O": 18, "H": {0: 0.1, 2: 0.9}})
    mixed = heavy.as_radiation("neutron", isotopes={"H": {1: 0.2, 2: 0.8}})
    x_ray = heavy.as_radiation("x-ray")
    g = pair_distribution(atoms, half_box(atoms), bins=200)
    function = gn.models.PairDistributionData(
        g.r, g.weighted("T", isotopes={"H": 1}), "T", isotopes={"H": 1}, name="T of H2O"
    )
    measured = gn.models.StructureFactorData(Q, heavy.total, name="of the model's isotopes")
    data = [
        *(gn.models.StructureFactorData(s.q, s.total, s.radiation, isotopes=s.isotopes, name=n)
          for s, n in ((heavy, "D2O"), (mixed, "mixed"), (x_ray, "x-ray"))),
        measured, function,
    ]  # fmt: skip
    rmc = gn.models.ReverseMonteCarlo(
        atoms, [*data, other], seed=1, r_max=half_box(atoms), bin_width=half_box(atoms) / 200
    )
    expected = [heavy.total, mixed.total, x_ray.total, heavy.total, function.values, other.total]
    for k, values in enumerate(expected):
        np.testing.assert_allclose(rmc.calculated(k), values, atol=1e-9)
    rmc.save(tmp_path / "state.npz")
    again = gn.models.ReverseMonteCarlo.resume(tmp_path / "state.npz")
    for k, values in enumerate(expected):
        np.testing.assert_allclose(again.calculated(k), values, atol=1e-9)
    assert isotope_shares(again.atoms) == {"H": {2: 1.0}}
