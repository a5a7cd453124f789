"""Reverse Monte Carlo: the chain, its sums, and what it does to glass."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell
from ase.neighborlist import neighbor_list
from scipy.stats import chisquare

from glassnb.core import half_box
from glassnb.core.parallel import thread_count
from glassnb.core.structure import mass_density
from glassnb.models import crystal, load, load_series, potential, read
from glassnb.models.potentials import PairPotential
from glassnb.models.reverse_monte_carlo import (
    BondAngle,
    Coordination,
    FixedAtoms,
    MinimumDistance,
    PotentialEnergy,
    ReverseMonteCarlo,
    StructureFactorData,
    _kernels,
)
from glassnb.network import bond_angles
from glassnb.scattering import first_sharp_diffraction_peak, structure_factor

Q = np.arange(1.5, 12.0, 0.4)  # from 2 pi over half the smallest box
BOND = {("Si", "O"): 2.2}
WALLS = MinimumDistance({("Si", "O"): 1.1, ("O", "O"): 1.7, ("Si", "Si"): 2.0})
FOUR = Coordination("Si", "O", (0.0, 2.2), 4, weight=20.0)
ANGLE = BondAngle("O", "Si", "O", 109.47, sigma=6.0)


def quartz(repeat=2):
    """A triclinic cell with atoms off their places; r_max is 4.2 Å for 2 x 2 x 2 cells."""
    atoms = crystal("alpha-quartz", repeat=repeat)
    atoms.rattle(0.1, seed=5)
    return atoms


def skewed(seed=3):
    """A cell with angles far from 90 degrees, and its atoms far from the cell at the origin."""
    atoms = make_supercell(quartz(3), [[1, 0, 0], [1, 1, 0], [0, -1, 1]])
    atoms.positions += np.random.default_rng(seed).integers(-2, 3, (len(atoms), 3)) @ atoms.cell
    return atoms


def data_of(atoms, **options):
    """Neutron and X-ray S(Q) of a structure."""
    neutron = structure_factor(atoms, Q, r_max=half_box(atoms), bins=100, **options)
    return [neutron, neutron.as_radiation("x-ray")]


def small(seed=1, **options):
    """72 atoms of a crystal towards the S(Q) of itself with its atoms elsewhere."""
    atoms = quartz()
    target = quartz()
    target.rattle(0.2, seed=9)
    constraints = options.pop("constraints", [WALLS, FOUR, ANGLE])
    return ReverseMonteCarlo(atoms, data_of(target), constraints, seed, **options)


# -- the chain samples what it should ------------------------------------------------------------


def pair_chi2(distances, data, symbols, volume, r_max, n_bins):
    """Chi-squared of a structure given by pairs of species and distances, as S(Q) is defined.

    The density is homogeneous beyond ``r_max``.
    """
    lengths = {"Si": 4.1491, "O": 5.803}  # fm, NIST
    n_atoms = len(symbols)
    width = r_max / n_bins
    middles = (np.arange(n_bins) + 0.5) * width
    q = np.asarray(data.q)[:, None]
    mean2 = np.mean([lengths[s] for s in symbols]) ** 2
    waves = np.sin(q * middles) / (q * middles)
    homogeneous = (4 * np.pi * n_atoms / volume * middles**2 * width * waves).sum(axis=1)
    # each distance is spread over the shell of its bin
    shells = 4 * np.pi / 3 * width**3 * (np.arange(1, n_bins + 1) ** 3 - np.arange(n_bins) ** 3)
    share = 4 * np.pi * middles**2 * width / shells
    calculated = 1 - homogeneous
    for (a, b), r in distances:
        k = int(r / width)
        if k < n_bins:
            weight = 2 * lengths[a] * lengths[b] / (n_atoms * mean2)
            calculated = calculated + weight * share[k] * waves[:, k]
    return float(np.sum(((calculated - data.total) / data.sigma) ** 2))


def toy(sigma):
    q = np.array([1.0, 1.4, 1.9, 2.3, 2.8, 3.1])
    return StructureFactorData(q, 1 + 0.3 * np.sin(2.1 * q), sigma=sigma)


def minimum_image(vectors, edge):
    return np.linalg.norm(vectors - edge * np.rint(vectors / edge), axis=-1)


def sampled(rmc, n_samples, between, look):
    """Counts of what is seen at intervals along a chain."""
    seen = Counter()
    rmc._run_block(500, 1.0)
    for _ in range(n_samples):
        rmc._run_block(between, 1.0)
        seen[look(rmc.atoms)] += 1
    return seen


def agrees(seen, weights):
    """Chi-square test of counts against probabilities, rare outcomes taken together."""
    total = sum(seen.values())
    assert set(seen) <= set(weights)
    norm = sum(weights.values())
    rows = sorted((total * w / norm, seen[key]) for key, w in weights.items())
    rare = [row for row in rows if row[0] < 8]
    rows = [row for row in rows if row[0] >= 8]
    if sum(e for e, _ in rare) > 8:
        rows.append((sum(e for e, _ in rare), sum(s for _, s in rare)))
    expected, observed = np.array(rows).T
    assert len(rows) > 3
    assert np.ptp(expected) > 0.5 * expected.mean()  # a distribution that is not flat
    return chisquare(observed, expected * observed.sum() / expected.sum()).pvalue


def test_single_moves_sample_the_exact_distribution():
    """Two atoms: the probability of a bin is its volume times exp(-chi2 / 2)."""
    edge, r_max, n_bins = 5.0, 2.5, 10
    data = toy(0.5)
    atoms = Atoms("SiO", [[0, 0, 0], [1.6, 0.5, 0]], cell=[edge] * 3, pbc=True)
    rmc = ReverseMonteCarlo(
        atoms, [data], seed=2, bin_width=0.25, move_size=2.0, target_acceptance=None
    )
    width = r_max / n_bins
    weights = {}
    for k in range(n_bins + 1):
        outer = 4 / 3 * np.pi * ((k + 1) * width) ** 3 if k < n_bins else edge**3
        volume = outer - 4 / 3 * np.pi * (k * width) ** 3
        chi2 = pair_chi2(
            [(("Si", "O"), (k + 0.5) * width)], data, ["Si", "O"], edge**3, r_max, n_bins
        )
        weights[k] = volume * np.exp(-chi2 / 2)

    def look(now):
        r = minimum_image(now.positions[1] - now.positions[0], edge)
        return min(int(r / width), n_bins)

    assert agrees(sampled(rmc, 4000, 15, look), weights) > 0.01


def test_swaps_sample_the_exact_distribution():
    """Five places for two silicon and three oxygen atoms: ten states."""
    edge, r_max, n_bins = 6.0, 3.0, 12
    data = toy(0.15)
    places = np.random.default_rng(8).random((5, 3)) * edge
    atoms = Atoms("SiSiOOO", places, cell=[edge] * 3, pbc=True)
    rmc = ReverseMonteCarlo(atoms, [data], seed=3, bin_width=0.25, moves={"swap": 1})
    distances = minimum_image(places[:, None] - places[None], edge)
    weights = {}
    for silicon in combinations(range(5), 2):
        names = ["Si" if i in silicon else "O" for i in range(5)]
        pairs = [((names[i], names[j]), distances[i, j]) for i, j in combinations(range(5), 2)]
        weights[silicon] = np.exp(-pair_chi2(pairs, data, names, edge**3, r_max, n_bins) / 2)

    def look(now):
        order = minimum_image(now.positions[:2, None] - places[None], edge)
        return tuple(sorted(int(i) for i in order.argmin(axis=1)))

    assert agrees(sampled(rmc, 4000, 10, look), weights) > 0.01


@pytest.mark.parametrize("moves", [{"single": 1, "tetrahedron": 9}, {"single": 1, "swap": 1}])
def test_mixed_moves_sample_the_exact_distribution(moves):
    """Si with two O that bond to it and leave it: quadrature over half a million structures."""
    edge, r_max, n_bins = 5.0, 2.5, 5
    data = toy(0.5)
    atoms = Atoms("SiOO", [[0, 0, 0], [1.6, 0.5, 0], [3, 3, 2]], cell=[edge] * 3, pbc=True)
    bond = Coordination("Si", "O", (0.0, 1.8), 1, weight=1.5)
    rmc = ReverseMonteCarlo(
        atoms, [data], [bond], 4, bin_width=0.5, move_size=1.2, target_acceptance=None, moves=moves
    )
    random = np.random.default_rng(0)
    first, second = random.random((2, 500_000, 3)) * edge - edge / 2
    r = np.array([minimum_image(v, edge) for v in (first, second, second - first)])
    bins = np.minimum((r / (r_max / n_bins)).astype(int), n_bins)
    bonded = (r[:2] < 1.8).sum(axis=0)
    codes = bins[0] * 1000 + bins[1] * 100 + bins[2] * 10 + bonded
    weights = Counter()
    for code, count in zip(*np.unique(codes, return_counts=True), strict=True):
        a, b, c, n = (int(code) // 10**k % 10 for k in (3, 2, 1, 0))
        pairs = [(("Si", "O"), (a + 0.5) / 2), (("Si", "O"), (b + 0.5) / 2)]
        pairs.append((("O", "O"), (c + 0.5) / 2))
        chi2 = pair_chi2(pairs, data, ["Si", "O", "O"], edge**3, r_max, n_bins) + 1.5 * abs(
            (n == 1) - 1
        )
        weights[tuple(sorted((a, b))), n] += float(count) * np.exp(-chi2 / 2)

    def look(now):
        x = now.positions
        near = minimum_image(x[1:] - x[0], edge)
        k = np.minimum((near / (r_max / n_bins)).astype(int), n_bins)
        return tuple(sorted(int(i) for i in k)), int((near < 1.8).sum())

    assert agrees(sampled(rmc, 4000, 50, look), weights) > 0.01
    assert (rmc._moves.accepted[rmc._moves.shares > 0] > 1000).all()


# -- sums ----------------------------------------------------------------------------------------


def test_chi2_kept_is_chi2_computed():
    """After 100,000 moves, to 1e-9; a new engine computes all terms from the positions."""
    moves = {"single": 0.7, "swap": 0.1, "tetrahedron": 0.2}
    rmc = small(moves=moves)
    rmc._run_block(5000, 2.0)  # to a move size that fits
    before = rmc.chi2
    change = rmc._run_block(100_000, 2.0)
    assert before + change == pytest.approx(rmc.chi2, rel=1e-9)
    assert rmc.acceptance > 0.1
    again = small(moves=moves)
    fresh = ReverseMonteCarlo(
        rmc.atoms, [term.data for term in again._fit.terms], [WALLS, FOUR, ANGLE]
    )
    assert fresh.chi2_terms == pytest.approx(rmc.chi2_terms, rel=1e-9)
    assert min(rmc.chi2_terms.values()) > 0


def test_early_rejection_leaves_the_chain_as_it_is():
    both = [small(early_rejection=early, seed=7) for early in (True, False)]
    for rmc in both:
        rmc.run(6000, temperature=(2.0, 0.5))
    assert 0.05 < both[0].acceptance < 0.95
    np.testing.assert_array_equal(both[0].atoms.positions, both[1].atoms.positions)
    assert both[0].chi2 == both[1].chi2


def test_curves_are_those_of_structure_factor():
    """Through g(r) with the same bins: equal but for rounding."""
    rmc = small()
    rmc.run(4000)
    expected = data_of(rmc.atoms)
    n_bins = rmc._system.n_bins
    for k, radiation in enumerate(("neutron", "x-ray")):
        s = structure_factor(
            rmc.atoms, Q, radiation=radiation, r_max=rmc._system.r_max, bins=n_bins
        )
        np.testing.assert_allclose(rmc.calculated(k), s.total, atol=1e-9)
    assert len(expected) == 2


def test_histogram_of_a_skewed_cell_against_ase():
    atoms = skewed()
    rmc = ReverseMonteCarlo(atoms, data_of(atoms), [WALLS], 3)
    assert min(abs(atoms.cell.angles() - 90)) > 10
    rmc.run(4000)
    assert rmc.report().displacements["mean"].min() > 0.05
    first, second, distance = neighbor_list("ijd", rmc.atoms, rmc._system.r_max)
    oxygen = (rmc.atoms.numbers == 8).astype(int)
    for k, counts in enumerate(rmc._fit.histogram):
        use = (oxygen[first] + oxygen[second] == k) & (first < second)
        np.testing.assert_array_equal(counts, np.histogram(distance[use], rmc._system.edges)[0])


def test_rotation_translation_and_order_change_nothing():
    atoms = skewed()
    data = data_of(quartz(3))
    plain = ReverseMonteCarlo(atoms, data, [FOUR, ANGLE], r_max=4.0).chi2_terms
    turned = atoms.copy()
    turned.rotate(40, (1, 2, 3), rotate_cell=True)
    turned.positions += [3.0, -20.0, 0.7]
    turned = turned[np.random.default_rng(1).permutation(len(turned))]
    other = ReverseMonteCarlo(turned, data, [FOUR, ANGLE], r_max=4.0).chi2_terms
    assert other == pytest.approx(plain, rel=1e-9)


def test_atoms_keep_their_order_and_fixed_ones_their_place():
    atoms = quartz()[np.random.default_rng(2).permutation(72)]
    rmc = ReverseMonteCarlo(atoms, data_of(quartz()), [FixedAtoms(range(10))], 1)
    result = rmc.run(4000).atoms
    assert result.get_chemical_symbols() == atoms.get_chemical_symbols()
    np.testing.assert_array_equal(result.positions[:10], atoms.positions[:10])
    assert (np.abs(result.positions[10:] - atoms.positions[10:]).max(axis=1) > 0).all()


# -- constraints ---------------------------------------------------------------------------------


def plain_costs(atoms, coordination, angle):
    """Both costs from ASE's neighbour list and loops."""
    low, high = coordination.range
    first, second, distance, vectors = neighbor_list("ijdD", atoms, {("Si", "O"): high})
    names = atoms.get_chemical_symbols()
    counts = Counter(int(i) for i, d in zip(first, distance, strict=True) if d >= low)
    silicon = [i for i, name in enumerate(names) if name == coordination.centre]
    allowed = sum(counts[i] in coordination.numbers for i in silicon)
    coordination_cost = abs(allowed - coordination.fraction * len(silicon)) * coordination.weight
    total = 0.0
    wanted, sigma = np.radians(angle.angle), np.radians(angle.sigma)
    scale = (np.cos(wanted - sigma) - np.cos(wanted + sigma)) / 2
    for i in (k for k, name in enumerate(names) if name == angle.centre):
        ends = [v / np.linalg.norm(v) for f, v in zip(first, vectors, strict=True) if f == i]
        for a, b in combinations(ends, 2):
            total += ((a @ b - np.cos(wanted)) / scale) ** 2
    return coordination_cost, total * angle.weight


@pytest.mark.parametrize(
    ("coordination", "angle"),
    [
        (FOUR, ANGLE),
        (
            Coordination("Si", "O", (1.2, 2.4), (3, 5), fraction=0.3, weight=7.0),
            BondAngle("O", "Si", "O", 100.0, sigma=20.0, cutoff=2.4, weight=3.0),
        ),
        (
            Coordination("O", "Si", (0.0, 2.3), 2, weight=2.0),
            BondAngle("Si", "O", "Si", 145.0, sigma=15.0, cutoff=2.3),
        ),
    ],
)
def test_costs_against_plain_loops(coordination, angle):
    rmc = small(constraints=[coordination, angle], move_size=0.3)
    rmc.run(6000, temperature=5.0)
    terms = rmc.chi2_terms
    expected = plain_costs(rmc.atoms, coordination, angle)
    assert (terms[coordination.name], terms[angle.name]) == pytest.approx(expected, rel=1e-9)
    assert min(expected) > 0


def test_angle_between_different_ends():
    """One SiON corner: 90 degrees against 120 costs ((0 - cos 120) / s)^2."""
    atoms = Atoms("SiONO", [[0, 0, 0], [1.6, 0, 0], [0, 1.6, 0], [-1.6, 0, 0]], cell=[9] * 3)
    atoms.pbc = True
    angle = BondAngle("O", "Si", "N", 120.0, sigma=10.0, cutoff=2.2)
    rmc = ReverseMonteCarlo(atoms, constraints=[angle])
    scale = (np.cos(np.radians(110)) - np.cos(np.radians(130))) / 2
    assert rmc.chi2 == pytest.approx(2 * (0.5 / scale) ** 2, rel=1e-12)


def short_ranged():
    """BKS cut at 4 Å, for small boxes."""
    bks = potential("BKS")
    assert isinstance(bks, PairPotential)
    fields = {name: getattr(bks, name) for name in bks.__dataclass_fields__}
    return PairPotential(**fields | {"cutoff": 4.0, "short_cutoff": 4.0, "coulomb_cutoff": 4.0})


def energy_of(atoms, model):
    total = 0.0
    names = np.array(atoms.get_chemical_symbols())
    first, second, distance = neighbor_list("ijd", atoms, model.cutoff)
    for a in ("Si", "O"):
        for b in ("Si", "O"):
            use = (names[first] == a) & (names[second] == b)
            total += model.pair_energy(a, b, distance[use]).sum() / 2
    return total


@pytest.mark.parametrize("moves", [{"single": 1}, {"swap": 1, "single": 5, "tetrahedron": 5}])
def test_energy_against_sums_over_pairs(moves):
    model = short_ranged()
    energy = PotentialEnergy(model, temperature=3000.0)
    start = quartz()
    constraints = [energy, WALLS, Coordination("Si", "O", weight=0.0)]
    rmc = ReverseMonteCarlo(start, constraints=constraints, seed=2, moves=moves)
    assert rmc.potential_energy == pytest.approx(energy_of(start, model), abs=1e-5)
    rmc.run(6000)
    change = energy_of(rmc.atoms, model) - energy_of(start, model)
    cost = 2 * change / (8.617333e-5 * 3000)
    assert rmc.chi2_terms["potential energy"] == pytest.approx(cost, abs=2e-3)
    assert abs(change) > 1


def test_weights_can_change():
    rmc = small()
    rmc.run(2000)
    before = rmc.chi2_terms
    for name, value in {"neutron S(Q)": 3.0, FOUR.name: 40.0, ANGLE.name: 0.5}.items():
        rmc.set_weight(name, value)
    factors = dict.fromkeys(before, 1.0) | {"neutron S(Q)": 3.0, FOUR.name: 2.0, ANGLE.name: 0.5}
    assert rmc.chi2_terms == pytest.approx({k: v * factors[k] for k, v in before.items()})
    change = rmc.chi2 + rmc._run_block(2000, 1.0)
    assert change == pytest.approx(rmc.chi2, rel=1e-9)
    with pytest.raises(ValueError, match=r"name='oxygen'.*neutron S\(Q\)"):
        rmc.set_weight("oxygen", 1.0)


def test_scale_and_offset_are_fitted():
    """Data are 0.8 S(Q) + 0.25 of the start: found at once, and kept."""
    atoms = quartz()
    q = np.arange(1.5, 12.0, 0.2)
    s = structure_factor(atoms, q, r_max=half_box(atoms), bins=100)
    data = StructureFactorData(q, 0.8 * s.total + 0.25, sigma=0.01, scale="refine", offset="refine")
    rmc = ReverseMonteCarlo(atoms, [data], seed=1, r_max=half_box(atoms), bin_width=0.0421)
    (curve,) = rmc.refinement().curves
    assert (curve.scale, curve.offset) == pytest.approx((0.8, 0.25), abs=0.01)
    result = rmc.run(6000, temperature=0.01)
    (curve,) = result.curves
    design = np.column_stack([(curve.calculated - curve.offset) / curve.scale, np.ones(q.size)])
    expected = np.linalg.lstsq(design, curve.measured, rcond=None)[0]
    assert (curve.scale, curve.offset) == pytest.approx(expected, abs=1e-9)
    before = rmc.chi2
    assert before + rmc._run_block(3000, 0.1) == pytest.approx(
        np.sum(((rmc.calculated(0) - data.total) / 0.01) ** 2), rel=0.1
    )


# -- the same numbers, everywhere ----------------------------------------------------------------


def checksum(rmc):
    return hashlib.sha256(rmc.atoms.positions.tobytes()).hexdigest()


PROGRAM = """
from test_reverse_monte_carlo import checksum, small
rmc = small(seed=5, moves={"single": 2, "tetrahedron": 1})
rmc.run(6000, temperature=(2.0, 0.5))
print(checksum(rmc), repr(rmc.chi2))
"""


def run_python(code, **environment):
    settings = os.environ | environment | {"PYTHONPATH": os.path.dirname(__file__)}
    return subprocess.run(
        [sys.executable, "-c", code], env=settings, capture_output=True, text=True, check=True
    ).stdout


def test_the_number_of_threads_does_not_matter():
    """Here and in a process with another number of threads, in loops and linear algebra."""
    number = "1" if thread_count() > 1 else "2"
    names = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    other = run_python(PROGRAM, **dict.fromkeys(names, number))
    rmc = small(seed=5, moves={"single": 2, "tetrahedron": 1})
    rmc.run(6000, temperature=(2.0, 0.5))
    assert other.split() == [checksum(rmc), repr(rmc.chi2)]


def test_python_and_compiled_kernels_agree(monkeypatch):
    """They call each other, so all are exchanged at once."""
    moves = {"single": 2, "swap": 1, "tetrahedron": 2}
    constraints = [WALLS, FOUR, ANGLE, PotentialEnergy(short_ranged(), 5000.0)]
    chains = []
    for plain in (False, True):
        if plain:
            for name, value in list(vars(_kernels).items()):
                if hasattr(value, "py_func"):
                    monkeypatch.setattr(_kernels, name, value.py_func)
        with np.errstate(divide="raise", invalid="raise", over="ignore"):  # modulo 2**64
            rmc = small(constraints=constraints, moves=moves)
            rmc._run_block(60, 5.0)
        chains.append((rmc.atoms.positions, rmc.chi2))
    np.testing.assert_allclose(chains[1][0], chains[0][0], rtol=1e-12)
    assert chains[1][1] == pytest.approx(chains[0][1], rel=1e-9)


def test_saved_and_resumed(tmp_path):
    constraints = [WALLS, FOUR, ANGLE, PotentialEnergy("SHIK", 1000.0)]
    atoms = load_series("silica-quenched-648")[0]
    other = load_series("silica-quenched-648")[1]
    other.set_cell(atoms.cell, scale_atoms=True)
    target = structure_factor(other, Q)
    rmc = ReverseMonteCarlo(atoms, [target], constraints, 3, repair=True)
    rmc.run(2000)
    rmc.save(tmp_path / "state.npz")
    again = ReverseMonteCarlo.resume(tmp_path / "state.npz")
    for one in (rmc, again):
        one.run(2000, temperature=0.5)
    assert checksum(again) == checksum(rmc)
    assert again.chi2 == rmc.chi2
    assert again.refinement().to_frame().equals(rmc.refinement().to_frame())
    assert again.report().costs.equals(rmc.report().costs)
    (tmp_path / "other").write_text("nothing")
    with pytest.raises(ValueError, match=r"no file of ReverseMonteCarlo\.save"):
        ReverseMonteCarlo.resume(tmp_path / "other")


KILLED = """
import sys, os, signal
from test_reverse_monte_carlo import small
from glassnb.models.reverse_monte_carlo import engine
engine._SAVE_SECONDS = 0.0
calls = []
def stop():
    calls.append(1)
    if len(calls) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return False
small(seed=6).run(16000, temperature=(3.0, 0.1), checkpoint=sys.argv[1], stop=stop)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs SIGKILL")
def test_killed_and_resumed_to_the_same_bits(tmp_path, monkeypatch):
    settings = os.environ | {"PYTHONPATH": os.path.dirname(__file__)}
    process = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "run")], env=settings, check=False
    )
    assert process.returncode == -9
    assert ReverseMonteCarlo.resume(tmp_path / "run").moves_done == 6000
    straight = small(seed=6)
    expected = straight.run(16000, temperature=(3.0, 0.1))
    resumed = small(seed=6)
    result = resumed.run(16000, temperature=(3.0, 0.1), checkpoint=tmp_path / "run")
    assert checksum(resumed) == checksum(straight)
    assert result.chi2 == expected.chi2
    assert result.to_frame().equals(expected.to_frame())
    with pytest.raises(ValueError, match=r"its run has moves=16000, this one moves=4000"):
        small(seed=6).run(
            4000, temperature=(3.0, 0.1), checkpoint=tmp_path / "run", update_every=80
        )


def test_stopping_and_updates():
    rmc = small()
    seen = []
    result = rmc.run(20_000, stop=lambda: len(seen) == 3, on_update=seen.append, update_every=2000)
    assert rmc.moves_done == 6000
    assert [one.history[-1].moves for one in seen] == [2000, 4000, 6000]
    assert seen[-1].chi2 == result.chi2 == rmc.chi2
    assert sum(result.history[-1].terms.values()) == rmc.chi2
    messages = []
    rmc.run(4000, progress=lambda done, total, message: messages.append((done, total)))
    assert messages == [(0, 4000), (2000, 4000), (4000, 4000)]


def test_moves_reach_the_wanted_acceptance():
    rmc = small(target_acceptance=0.5, move_size=0.01, constraints=[WALLS])
    rmc.run(40_000)
    rmc.run(10_000)
    assert rmc.acceptance == pytest.approx(0.5, abs=0.1)


# -- silica --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_glass_is_refined_against_two_measurements(shared_data):
    """A melt-quenched glass of 3,000 atoms towards neutron and X-ray S(Q) of a published model.

    Goals: rms of 0.02 in both, 99 % SiO4, 6 degrees in O-Si-O, and the first sharp diffraction
    peak within 0.02 Å⁻¹ by one estimator.
    """
    glass = load("silica-pristine-3000")
    glass.set_cell(glass.cell * (mass_density(glass) / 2.2) ** (1 / 3), scale_atoms=True)
    target = read(shared_data / "models" / "sova_sio.cfg", species=("Si", "O"))
    r_max = min(half_box(glass), half_box(target))
    options = {"r_max": r_max, "bins": round(r_max / 0.05)}
    neutron = structure_factor(target, np.arange(244) * 0.08 + 0.6, **options)
    walls = MinimumDistance({("Si", "O"): 1.4, ("O", "O"): 2.1, ("Si", "Si"): 2.3})
    constraints = [walls, Coordination("Si", "O"), BondAngle("O", "Si", "O")]
    rmc = ReverseMonteCarlo(
        glass, [neutron, neutron.as_radiation("x-ray")], constraints, 1, r_max=r_max
    )
    result = rmc.run(100_000, temperature=(1.0, 0.05))  # five seconds
    assert max(curve.rms for curve in result.curves) < 0.02
    silicon = np.asarray(result.atoms.symbols) == "Si"
    first = neighbor_list("i", result.atoms, BOND)
    assert np.mean(np.bincount(first, minlength=3000)[silicon] == 4) > 0.99
    assert bond_angles(result.atoms, "O-Si-O", cutoff=BOND).angles.std() < 6
    fine = np.arange(0.6, 4.0, 0.02)
    for radiation in ("neutron", "x-ray"):
        ours, theirs = (
            first_sharp_diffraction_peak(structure_factor(a, fine, radiation=radiation, **options))
            for a in (result.atoms, target)
        )
        assert ours.position == pytest.approx(theirs.position, abs=0.02)
        assert ours.height == pytest.approx(theirs.height, rel=0.05)
