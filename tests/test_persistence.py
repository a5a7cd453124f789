"""Persistence diagrams: HomCloud's tables, crystals by counting, GUDHI, symmetries, bad input."""

import gzip

import ase.build
import ase.io
import gudhi
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from test_neighbours import random_structure

import glassnb as gn
import glassnb.topology._kernels as kernels
from benchmarks.homology import RADII
from benchmarks.homology import homcloud as run_homcloud
from glassnb.topology import alpha_complex, diagram_distance, load_diagrams, persistence

TUTORIAL = {"Si": 0.375, "O": 1.275}  # Å, radii of HomCloud's tutorial, after Hiraoka et al.
SMALL = {"Si": 0.1, "O": 0.6}  # hides no atom of the random structures
VARIANTS = {
    "all": {},
    "all_w": {"radii": TUTORIAL},
    "Si": {"species": "Si"},
    "O": {"species": "O"},
}


@pytest.fixture(scope="module")
def glass(shared_data):
    with gzip.open(shared_data / "ph" / "glass3000.xyz.gz", "rt") as file:
        return ase.io.read(file, format="extxyz")


@pytest.fixture(scope="module")
def diagrams(glass):
    """The four variants of the glass."""
    return {name: persistence(glass, **options) for name, options in VARIANTS.items()}


def homcloud(shared_data, name):
    """Pairs by dimension, and the numbers of classes that never die."""
    table = pd.read_csv(shared_data / "ph" / f"{name}_homcloud5.4.0.csv.gz")
    finite = np.isfinite(table["death_A2"])
    pairs = [table[finite & (table["dim"] == d)][["birth_A2", "death_A2"]] for d in range(3)]
    return [p.to_numpy() for p in pairs], table[~finite]["dim"].value_counts().to_dict()


def counted(pairs, unit=1.0, decimals=6):
    """Number of pairs by birth and death in a unit."""
    values, counts = np.unique((pairs / unit).round(decimals) + 0.0, axis=0, return_counts=True)
    return {tuple(v): int(n) for v, n in zip(values.tolist(), counts, strict=True)}


def furthest(a, b):
    """Largest bottleneck distance of three dimensions."""
    return max(diagram_distance(a, b, d) for d in range(3))


def n_essential(diagrams):
    return [len(births) for births in diagrams.essential]


# -- HomCloud --------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_glass_equals_homcloud(shared_data, diagrams, variant):
    """HomCloud 5.4.0, rounded to 1e-8 Å²: equal numbers of pairs, bottleneck below 1e-7 Å²."""
    theirs, essential = homcloud(shared_data, f"glass3000_{variant}")
    ours = diagrams[variant]
    for d in range(3):
        assert len(ours.pairs(d)) == len(theirs[d])
        assert diagram_distance(ours, theirs[d], d) < 1e-7
    assert n_essential(ours) == [1, 3, 3, 1]
    assert essential == {0: 1, 1: 3, 2: 3}
    assert ours.noise == 0


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("crystal", ["alpha_quartz_1350", "beta_cristobalite_1536"])
def test_crystals_equal_homcloud(shared_data, crystal, variant):
    """The same, with noise of 1e-4 Å in the file; numbers of pairs that live for over 1e-7 Å²."""
    atoms = ase.io.read(shared_data / "ph" / f"{crystal}_noise1e-4.xyz")
    ours = persistence(atoms, **VARIANTS[variant])
    theirs, _ = homcloud(shared_data, f"{crystal}_{variant}")
    for d in range(3):
        long = [(np.diff(pairs)[:, 0] > 1e-7).sum() for pairs in (ours.pairs(d), theirs[d])]
        assert abs(long[0] - long[1]) <= 2
        assert diagram_distance(ours, theirs[d], d) < 1e-7


def test_regions_of_silica(diagrams):
    """Pairs per SiO2 as counted in HomCloud's diagram; lifetimes of at least 0.1 Å² for O."""
    weighted = diagrams["all_w"]
    pairs = weighted.pairs(1)
    rows = {name: weighted.region(name) for name in ("C_P", "C_T", "C_O", "B_O")}
    assert len(rows["C_P"]) == 988
    assert pairs[rows["C_P"]].mean(axis=0) == pytest.approx([0.002, 2.097], abs=1e-3)
    assert len(rows["C_T"]) == 5930
    oxygen = np.concatenate([rows["C_O"], rows["B_O"]])
    long = oxygen[np.diff(pairs[oxygen])[:, 0] >= 0.1]
    assert len(long) == 1720
    assert len(np.unique(np.concatenate(list(rows.values())))) == sum(map(len, rows.values()))
    # rings that are named after oxygen are made of it
    species = np.asarray(weighted.complex.atoms.symbols)
    for name in ("C_O", "B_O"):
        born = species[weighted.birth_simplices(1)[0][rows[name]]]
        assert (born == "O").mean() > 0.99
    rings = diagrams["all"].region((0, 1.2, 1.5, np.inf))
    assert len(rings) == 998


def test_ring_pairs_of_a_perfect_network(diagrams):
    """Of 4n bonds 3n - 1 join atoms and 3 go round the cell: n - 2 Si-O bonds close a ring."""
    found = diagrams["all"]
    species = np.asarray(found.complex.atoms.symbols)
    born = species[found.birth_simplices(1)[0]]
    bond = (born[:, 0] != born[:, 1]) & (found.pairs(1)[:, 0] < 1.2)
    assert bond.sum() == 1000 - 2


# -- crystals --------------------------------------------------------------------------------------

CUBIC = {
    "sc": ase.build.bulk("Cu", "sc", a=2.5),
    "bcc": ase.build.bulk("Fe", "bcc", a=2.9, cubic=True),
    "fcc": ase.build.bulk("Cu", "fcc", a=3.6, cubic=True),
    "hcp": ase.build.bulk("Mg", "hcp", a=3.0, c=3.0 * np.sqrt(8 / 3)),
    "diamond": ase.build.bulk("Si", "diamond", a=5.43, cubic=True),
}


def expected(lattice, n):
    """Pairs of n atoms in units of a^2, by counting the faces of the Voronoi polyhedra."""
    third, sixth = round(1 / 3, 6), round(1 / 6, 6)
    return {
        "sc": [{(0, 0.25): n - 1}, {(0.25, 0.5): 2 * n - 2}, {(0.5, 0.75): n - 1}],
        "bcc": [
            {(0, 0.1875): n - 1},
            {(0.1875, 0.28125): 3 * n - 2, (0.25, 0.28125): 3 * n},
            {(0.28125, 0.3125): 6 * n - 1},
        ],
        "fcc": [
            {(0, 0.125): n - 1},
            {(0.125, sixth): 5 * n - 2},
            {(sixth, 0.1875): 2 * n, (sixth, 0.25): n - 1},
        ],
        "hcp": [
            {(0, 0.25): n - 1},
            {(0.25, third): 5 * n - 2},
            {(third, 0.375): 2 * n, (third, 0.5): n - 1},
        ],
        "diamond": [
            {(0, 0.046875): n - 1},
            {(0.046875, sixth): n - 2},
            {(sixth, 0.171875): 2 * n, (sixth, 0.1875): n - 1},
        ],
    }[lattice]


@pytest.mark.parametrize("repeat", [1, 2, 3, (1, 1, 4)])
@pytest.mark.parametrize("lattice", CUBIC)
def test_lattices(lattice, repeat):
    """Exact counts, from cells of two atoms on; sc with one atom a cell needs two cells."""
    unit = CUBIC[lattice]
    atoms = unit.repeat((2, 1, 1) if lattice == "sc" and repeat == 1 else repeat)
    scale = unit.cell.lengths()[0] ** 2
    found = persistence(atoms)
    for d, pairs in enumerate(expected(lattice, len(atoms))):
        assert counted(found.pairs(d), scale) == {key: n for key, n in pairs.items() if n}
    assert n_essential(found) == [1, 3, 3, 1]


def test_primitive_cells():
    """Two atoms in a rhombohedral cell have the classes of diamond."""
    found = persistence(ase.build.bulk("Si", "diamond", a=5.43))
    for d, pairs in enumerate(expected("diamond", 2)):
        assert counted(found.pairs(d), 5.43**2) == {key: n for key, n in pairs.items() if n}


@pytest.mark.parametrize("repeat", [1, 2, 4])
def test_ideal_cristobalite(repeat):
    """All atoms and O alone, in units of a^2; HomCloud gives other pairs without noise."""
    atoms = gn.models.crystal("beta-cristobalite", repeat)
    scale, n = gn.models.crystal("beta-cristobalite").cell[0, 0] ** 2, 8 * repeat**3
    found = persistence(atoms)
    assert counted(found.pairs(0), scale) == {(0, 0.011719): 3 * n - 1}
    assert counted(found.pairs(1), scale) == {(0.011719, 0.125): n - 2}
    assert counted(found.pairs(2), scale) == {(0.125, 0.171875): n - 1}
    assert 0 < found.noise <= 1e-5
    assert found.complex.error < 1e-4
    # the values are those of the crystal, not of the crystal with noise
    np.testing.assert_allclose(found.pairs(1) / scale, [[3 / 256, 1 / 8]] * (n - 2), rtol=1e-12)
    oxygen = persistence(atoms, species="O")
    assert counted(oxygen.pairs(1), scale) == {(0.03125, 0.041667): 3 * n, (0.03125, 0.125): n - 2}
    assert counted(oxygen.pairs(2), scale) == {(0.041667, 0.046875): n, (0.125, 0.171875): n - 1}


def quartz():
    """P3_221 with the coordinates of the reference tables."""
    return ase.spacegroup.crystal(
        ["Si", "O"], [(0.4697, 0, 2 / 3), (0.4135, 0.2669, 0.1191 + 2 / 3)], spacegroup=154,
        cellpar=[4.9134, 4.9134, 5.4052, 90, 90, 120],
    )  # fmt: skip


@pytest.mark.parametrize("repeat", [1, (2, 1, 3)])
def test_quartz_in_its_own_cell(repeat):
    """Numbers per SiO2 from HomCloud in an orthorhombic supercell; 4 decimals, +- 0.0003."""
    unit = quartz()
    atoms = Atoms(unit.symbols, unit.positions, cell=unit.cell, pbc=True).repeat(repeat)
    n = len(atoms) // 3
    found = persistence(atoms)
    features = {
        1: {(2.9071, 2.9828): 2, (3.1989, 3.4117): 2, (2.7750, 3.3148): 1, (3.1619, 3.6725): 1},
        2: {(3.6726, 3.9455): 1, (3.6812, 4.0390): 1, (3.6811, 5.1430): 1},
    }
    for d, classes in features.items():
        for pair, per_formula in classes.items():
            near = np.abs(found.pairs(d) - pair).max(axis=1) < 3e-4
            # some of the last to die are classes of the torus, and alive
            assert n * per_formula - 2 <= near.sum() <= n * per_formula
    assert (np.abs(found.pairs(1)[:, 0] - 0.6506) < 3e-4).sum() == n - 2


def test_cells_of_one_crystal():
    """Hexagonal, orthorhombic and skew cells: what does not depend on the cell is the same."""
    unit = gn.models.crystal("alpha-quartz")
    alpha = np.linspace(0.3, 5.0, 200)
    curves = []
    for cells in (np.eye(3), [[1, 0, 0], [1, 2, 0], [0, 0, 1]], [[2, 1, 0], [0, 1, 1], [1, 0, 1]]):
        atoms = ase.build.make_supercell(unit, cells)
        betti = persistence(atoms).betti(alpha)
        curves.append((betti @ [1, -1, 1]) / len(atoms))
    # the Euler characteristic per atom, at values below that at which the torus is full
    np.testing.assert_allclose(curves[1], curves[0], atol=1e-12)
    np.testing.assert_allclose(curves[2], curves[0], atol=1e-12)


def test_almost_a_crystal():
    """Displacements near rounding level: the diagram moves as little as they do."""
    crystal = gn.models.crystal("beta-cristobalite", 2)
    ideal = persistence(crystal)
    for size in (1e-5, 1e-7, 1e-8, 1e-10, 1e-13):
        atoms = crystal.copy()
        atoms.rattle(size, seed=1)
        found = persistence(atoms)
        # births move by no more than the balls' surfaces: 2 r d with r < 3 Å, d < 5 sigma
        assert furthest(ideal, found) <= 30 * size + found.complex.error
        assert found.complex.error < 1e-4


def test_noise_is_seeded():
    crystal = gn.models.crystal("beta-cristobalite")
    one, two = (persistence(crystal, seed=3), persistence(crystal, seed=3))
    assert all(map(np.array_equal, one.birth_rows, two.birth_rows))
    assert furthest(one, persistence(crystal, seed=4)) < 1e-11


# -- GUDHI -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["all", "all_w"])
def test_own_reduction_equals_gudhi(glass, diagrams, variant):
    """The same pairs to the last bit."""
    theirs = persistence(glass, engine="gudhi", **VARIANTS[variant])
    ours = diagrams[variant]
    for d in range(3):
        np.testing.assert_array_equal(ours.pairs(d), theirs.pairs(d))
    for d in range(1, 4):  # without weights all vertices are born at once
        np.testing.assert_array_equal(ours.essential[d], theirs.essential[d])
    assert theirs.engine == "gudhi"


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), weighted=st.booleans())
def test_own_reduction_equals_gudhi_on_random_points(seed, weighted):
    """Cubes with enough atoms for the quotient to be simplicial."""
    rng = np.random.default_rng(seed)
    atoms = Atoms(rng.choice(["Si", "O"], 150), rng.uniform(0, 10, (150, 3)), cell=[10] * 3)
    atoms.pbc = True
    options = {"radii": SMALL} if weighted else {}
    ours = persistence(atoms, **options)
    theirs = persistence(atoms, engine="gudhi", **options)
    for d in range(3):
        np.testing.assert_array_equal(ours.pairs(d), theirs.pairs(d))


def gudhi_of_cluster(atoms, weights):
    """Pairs of GUDHI's own weighted alpha complex, with exact predicates."""
    built = gudhi.AlphaComplex(points=atoms.positions, weights=weights, precision="exact")
    tree = built.create_simplex_tree()
    tree.compute_persistence(homology_coeff_field=2)
    pairs = [tree.persistence_intervals_in_dimension(d).reshape(-1, 2) for d in range(3)]
    pairs = [p[np.isfinite(p[:, 1])] for p in pairs]
    return [p[p[:, 1] - p[:, 0] > 1e-10] for p in pairs]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(4, 200), weighted=st.booleans())
def test_clusters_equal_gudhi(seed, n, weighted):
    """GUDHI's triangulation and values are independent of ours; 1e-9 Å² for flat tetrahedra.

    The radii hide some of the atoms.
    """
    rng = np.random.default_rng(seed)
    symbols = ["Si", "O", *rng.choice(["Si", "O"], n - 2)]
    atoms = Atoms(symbols, rng.uniform(0, 2.5 * np.cbrt(n), (n, 3)))
    weights = [TUTORIAL[s] ** 2 for s in symbols] if weighted else None
    theirs = gudhi_of_cluster(atoms, weights)
    ours = persistence(atoms, radii=TUTORIAL if weighted else None)
    assert max(diagram_distance(ours, theirs[d], d) for d in range(3)) < 1e-9
    assert n_essential(ours) == [1, 0, 0, 0]


def test_clusters_of_crystals():
    """Many atoms on common spheres and on flat faces; GUDHI decides exactly."""
    for atoms in (CUBIC["sc"].repeat(4), CUBIC["fcc"].repeat(2), quartz().repeat(2)):
        theirs = gudhi_of_cluster(atoms, None)
        ours = persistence(atoms, periodic=False)
        for d in range(3):
            assert diagram_distance(ours, theirs[d], d) < 1e-9


@pytest.mark.parametrize("size", [1e-3, 1e-4, 1e-6])
def test_faces_of_a_cluster_that_are_almost_flat(size):
    """Flat tetrahedra on the faces have huge spheres; what is smaller agrees to 1e-9 Å²."""
    atoms = CUBIC["sc"].repeat(4)
    atoms.rattle(size, seed=2)
    theirs = gudhi_of_cluster(atoms, None)
    ours = persistence(atoms, periodic=False)
    for d in range(3):
        short = [pairs[pairs[:, 1] < 20] for pairs in (ours.pairs(d), theirs[d])]
        assert diagram_distance(*short) < 1e-9
    assert ours.noise == 0


def test_gudhi_needs_a_simplicial_complex():
    with pytest.raises(ValueError, match="engine=.gudhi.: .* too small; repeat it"):
        persistence(quartz(), engine="gudhi")


# -- symmetries ------------------------------------------------------------------------------------

EXAMPLES = settings(max_examples=12, deadline=None)
SEEDS = st.integers(0, 10**6)


def case(seed):
    """A structure in a triclinic cell, with or without weights."""
    atoms = random_structure(seed, n_atoms=5 + seed % 30, size=4.0 + seed % 3)
    weighted = seed % 2 and len(set(atoms.symbols)) == 2
    return atoms, {"radii": SMALL} if weighted else {}


@EXAMPLES
@given(seed=SEEDS)
def test_translation_wrapping_and_order(seed):
    """1e-9 Å²: rounding, times the conditioning of flat tetrahedra."""
    atoms, options = case(seed)
    rng = np.random.default_rng(seed)
    moved = atoms[rng.permutation(len(atoms))]
    moved.positions += rng.uniform(-20, 20, 3) + rng.integers(-3, 4, (len(atoms), 3)) @ moved.cell
    assert furthest(persistence(atoms, **options), persistence(moved, **options)) < 1e-9


@EXAMPLES
@given(seed=SEEDS)
def test_rotation_with_the_cell(seed):
    """1e-9 Å², as above; mirror images included."""
    atoms, options = case(seed)
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    turned = Atoms(atoms.symbols, atoms.positions @ turn, cell=atoms.cell @ turn, pbc=True)
    assert furthest(persistence(atoms, **options), persistence(turned, **options)) < 1e-9


@EXAMPLES
@given(seed=SEEDS, steps=st.tuples(*[st.integers(-3, 3)] * 3))
def test_other_cell_vectors(seed, steps):
    """1e-9 Å²; cells that are skewed on purpose describe the same crystal."""
    atoms, options = case(seed)
    a, b, c = steps
    skew = np.array([[1, 0, 0], [a, 1, 0], [b, c, 1]])
    other = Atoms(atoms.symbols, atoms.positions, cell=skew @ atoms.cell[:], pbc=True)
    assert furthest(persistence(atoms, **options), persistence(other, **options)) < 1e-9


@EXAMPLES
@given(seed=SEEDS)
def test_supercells(seed):
    """Numbers of simplices at every value scale with the cell, hence the Euler characteristic.

    Births and deaths can differ by the classes of the torus only, of which a double cell merges
    no more than 1, 3 and 3 with others.
    """
    atoms, options = case(seed)
    one, two = persistence(atoms, **options), persistence(atoms * (2, 1, 1), **options)
    assert [2 * n for n in one.complex.checks.counts] == list(two.complex.checks.counts)
    last = one.complex.values[3][-1]
    alpha = np.linspace(-0.3, last * 0.999, 60)
    betti, double = one.betti(alpha), two.betti(alpha)
    np.testing.assert_array_equal(2 * betti @ [1, -1, 1], double @ [1, -1, 1])
    assert (np.abs(2 * betti - double).max(axis=0) <= len(atoms)).all()


@EXAMPLES
@given(seed=SEEDS, constant=st.floats(0.0, 1.0))
def test_constant_added_to_the_weights(seed, constant):
    """Both axes shift by the constant; 1e-9 Å²."""
    atoms, _ = case(seed)
    radii = {s: SMALL[s] for s in set(atoms.symbols)}
    larger = {s: np.sqrt(r**2 + constant) for s, r in radii.items()}
    one, two = persistence(atoms, radii=radii), persistence(atoms, radii=larger)
    for d in range(3):
        assert diagram_distance(one.pairs(d) - constant, two.pairs(d)) < 1e-9


@EXAMPLES
@given(seed=SEEDS)
def test_complex_is_a_filtration_of_a_torus(seed):
    atoms, options = case(seed)
    built = alpha_complex(atoms, **options)
    found = persistence(atoms, **options)
    assert built.checks.euler_characteristic == 0
    assert built.checks.reach <= built.checks.layer
    assert n_essential(found) == [1, 3, 3, 1]
    for d in range(1, 4):
        # faces come first, and stand where their vertices say
        faces = built.faces[d]
        assert (built.values[d - 1][faces] <= built.values[d][:, None]).all()
        assert (np.diff(built.values[d]) >= 0).all()
        for place in range(d + 1):
            points = np.delete(built.points(d), place, axis=1)
            listed = built.points(d - 1)[faces[:, place]]
            np.testing.assert_allclose(
                points - points[:, :1], listed - listed[:, :1], atol=1e-9
            )  # fmt: skip
            assert (np.delete(built.simplices[d], place, axis=1)
                    == built.simplices[d - 1][faces[:, place]]).all()  # fmt: skip
    for d in range(2, 4):  # the boundary of a boundary is empty
        edges = np.sort(built.faces[d - 1][built.faces[d]].reshape(len(built.faces[d]), -1))
        assert (edges[:, ::2] == edges[:, 1::2]).all() or d == 2


def test_values_by_plain_geometry(glass, diagrams):
    """Pieces join at half the distance of two atoms; death of a cavity is a circumsphere."""
    found = diagrams["all"]
    built = found.complex
    ends = built.points(1, found.death_rows[0])
    half = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) / 2
    np.testing.assert_allclose(found.lengths(0)[:, 1], half, rtol=1e-10)
    corners = built.points(3, found.death_rows[2])
    sides = 2 * (corners[:, 1:] - corners[:, :1])
    square = (corners[:, 1:] ** 2).sum(axis=2) - (corners[:, :1] ** 2).sum(axis=2)
    centres = np.linalg.solve(sides, square[:, :, None])[:, :, 0]
    radius = np.linalg.norm(centres - corners[:, 0], axis=1)
    np.testing.assert_allclose(found.lengths(2)[:, 1], radius, rtol=1e-7)


@pytest.mark.parametrize("lengths", [(8, 8, 20), (6, 12, 30), (3, 3, 60)])
def test_long_boxes(lengths):
    """Boxes whose edges differ by a factor of 1.9 or more end HomCloud's process."""
    rng = np.random.default_rng(0)
    n = int(0.066 * np.prod(lengths))
    atoms = Atoms(["Si", "O"] * (n // 2), rng.uniform(0, 1, (2 * (n // 2), 3)) * lengths)
    atoms.set_cell(lengths)
    atoms.pbc = True
    assert n_essential(persistence(atoms, radii=SMALL)) == [1, 3, 3, 1]


def test_cluster_in_a_large_periodic_cell():
    """The layer grows with the empty sphere; the cluster's own pairs are there."""
    rng = np.random.default_rng(1)
    atoms = Atoms("Si40", rng.uniform(0, 8, (40, 3)), cell=[30, 30, 30], pbc=True)
    inside = persistence(atoms, periodic=False)
    found = persistence(atoms)
    short = [p[p[:, 1] < 6] for p in (inside.pairs(1), found.pairs(1))]
    assert diagram_distance(*short) < 1e-9


# -- results ---------------------------------------------------------------------------------------


def test_betti_numbers(diagrams):
    """Before the first bond all atoms are apart; at 1 Å² there are the rings of the network."""
    found = diagrams["all"]
    betti = found.betti([-1.0, 0.0, 1.0, 50.0])
    assert betti[0].tolist() == [0, 0, 0]
    assert betti[1].tolist() == [3000, 0, 0]
    assert betti[2].tolist() == [1, 998 + 3, 0]
    assert betti[3].tolist() == [1, 3, 3]
    with pytest.raises(ValueError, match="values: holds NaN"):
        found.betti([np.nan])


def test_table_and_simplices(diagrams):
    found = diagrams["Si"]
    table = found.to_frame()
    assert len(table) == sum(len(found.pairs(d)) for d in range(3))
    first = table[table["dimension"] == 1].iloc[0]
    indices, images = found.birth_simplices(1)
    assert first["birth_atoms"] == tuple(indices[0])
    assert first["birth"] == found.pairs(1)[0, 0]
    assert images.shape == (len(indices), 2, 3)
    assert found.death_simplices(2)[0].shape[1] == 4
    assert set(np.asarray(found.complex.atoms.symbols)[indices].ravel()) == {"Si"}
    assert found.n_atoms == 1000
    assert "PersistenceDiagrams(Si, 1000 atoms, no weights, 999/3250/2640 pairs" in repr(found)


def test_save_and_load(tmp_path, diagrams):
    found = diagrams["all_w"]
    found.save(tmp_path / "glass.npz")
    again = load_diagrams(tmp_path / "glass.npz")
    for d in range(3):
        np.testing.assert_array_equal(found.pairs(d), again.pairs(d))
        for a, b in zip(found.death_simplices(d), again.death_simplices(d), strict=True):
            np.testing.assert_array_equal(a, b)
    assert (again.radii, again.noise, again.n_atoms) == (TUTORIAL, 0.0, 3000)
    assert again.complex.checks == found.complex.checks
    assert again.complex.atoms == found.complex.atoms
    (tmp_path / "other.npz").write_bytes(b"no")
    np.savez(tmp_path / "wrong.npz", a=1)
    for name in ("other.npz", "wrong.npz"):
        with pytest.raises(ValueError, match="holds no persistence diagrams"):
            load_diagrams(tmp_path / name)


def test_text(tmp_path, diagrams):
    """Birth and death in two columns, Inf for classes that never die, comments with #."""
    diagrams["Si"].save_text(tmp_path / "pd.txt", 2)
    lines = (tmp_path / "pd.txt").read_text().splitlines()
    assert lines[0].startswith("# {")
    rows = [line.split() for line in lines[1:]]
    assert [row[1] for row in rows[-3:]] == ["Inf"] * 3
    numbers = np.array(rows[:-3], dtype=float)
    np.testing.assert_array_equal(numbers, diagrams["Si"].pairs(2))


def test_radii_from_pair_distribution(glass, diagrams):
    """First peaks 1.611 and 2.611 Å of this glass, read off its g(r); 0.01 Å."""
    radii = gn.topology.radii_from_pair_distribution(glass)
    assert radii["O"] == pytest.approx(2.611 / 2, abs=0.01)
    assert radii["Si"] + radii["O"] == pytest.approx(1.611, abs=0.01)
    assert persistence(glass, radii="pdf", species="O").radii == {"O": radii["O"]}
    # equal radii of one species only shift the axes
    shifted = persistence(glass, radii={"O": 1.2}, species="O")
    assert diagram_distance(shifted.pairs(1) + 1.2**2, diagrams["O"].pairs(1)) < 1e-9


def test_small_crystals_have_radii_too():
    radii = gn.topology.radii_from_pair_distribution(gn.models.crystal("alpha-quartz"))
    assert radii["O"] == pytest.approx(1.31, abs=0.02)  # O-O 2.61-2.64 Å in the tetrahedron
    assert radii["Si"] == pytest.approx(0.30, abs=0.02)  # Si-O 1.605-1.614 Å


@pytest.mark.parametrize(("variant", "atom"), [("all_w", "atom"), ("Si", "Si atom")])
def test_plot(diagrams, variant, atom):
    found = diagrams[variant]
    ax = found.plot(1, bins=50)
    assert ax.get_xlabel() == "birth (Å²)"
    bar = ax.child_axes[0]
    assert bar.get_ylabel() == f"pairs per {atom}"
    mesh = ax.collections[0].get_array()
    assert mesh.sum() * found.n_atoms == pytest.approx(round(mesh.sum() * found.n_atoms))
    plain = found.plot(2, limits=(0, 5), per_atom=False)
    assert plain.get_xlim() == (0, 5)
    plt.close("all")
    for wrong in ({"limits": (1, 1)}, {"bins": 0}):
        with pytest.raises(ValueError, match="limits=|bins="):
            found.plot(1, **wrong)


# -- HomCloud itself, where somebody has installed it ----------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_homcloud_itself(weighted):
    """Two boxes that it can take: a glass, and a shaken crystal in a right-angled box; 1e-7 Å²."""
    pytest.importorskip("homcloud", reason="HomCloud (GPL) is not installed; its tables are tested")
    crystal = gn.models.crystal("alpha-cristobalite", repeat=(4, 4, 3))
    crystal.rattle(0.02, seed=3)
    for atoms in (gn.models.load("silica-pristine-648"), crystal):
        theirs = run_homcloud(atoms, weighted)
        ours = persistence(atoms, radii=RADII if weighted else None)
        for d in range(3):
            other = theirs[d][np.isfinite(theirs[d][:, 1]) & (np.ptp(theirs[d], axis=1) > 1e-9)]
            mine = ours.pairs(d)[np.ptp(ours.pairs(d), axis=1) > 1e-9]
            assert len(mine) == len(other)
            for column in (0, 1):
                a, b = np.sort(mine[:, column]), np.sort(other[:, column])
                np.testing.assert_allclose(a, b, atol=1e-7)


# -- kernels as plain Python -----------------------------------------------------------------------

NAMES = ["filtration", "coface_table", "components", "voids", "reduce_triangles", "_push", "_drop"]


@pytest.mark.parametrize("pbc", [True, False])
def test_kernels_as_plain_python(monkeypatch, pbc):
    """The same diagrams, and indices that Python has checked."""
    atoms = random_structure(5, n_atoms=40, size=8.0)
    compiled = persistence(atoms, radii=SMALL, periodic=pbc)
    for name in NAMES:
        monkeypatch.setattr(kernels, name, getattr(kernels, name).py_func)
    plain = persistence(atoms, radii=SMALL, periodic=pbc)
    for d in range(3):
        np.testing.assert_allclose(plain.pairs(d), compiled.pairs(d), rtol=1e-12)
        np.testing.assert_array_equal(plain.birth_rows[d], compiled.birth_rows[d])


def test_reduction_equals_sets():
    """Triangles at random, in any order: long columns, and more room needed than at first."""
    rng = np.random.default_rng(0)
    n = 40
    ends = np.array([(i, j) for i in range(n) for j in range(i + 1, n)])
    rng.shuffle(ends)
    row = {tuple(pair): k for k, pair in enumerate(ends.tolist())}
    triples = [(i, j, k) for i in range(n) for j in range(i + 1, n) for k in range(j + 1, n)]
    sides = np.array([[row[j, k], row[i, k], row[i, j]] for i, j, k in triples])
    sides = sides[rng.permutation(len(sides))[:800]].astype(np.int32)
    owners = np.empty(len(sides), dtype=np.int64)
    skip, tree = np.zeros(len(sides), dtype=bool), np.zeros(len(ends), dtype=bool)
    kernels.reduce_triangles(sides, skip, tree, owners)
    # plain reduction with sets
    columns, expected_owners = {}, []
    for side in sides.tolist():
        column = set(side)
        while column and max(column) in columns:
            column ^= columns[max(column)]
        if column:
            columns[max(column)] = column
        expected_owners.append(max(column) if column else -1)
    assert sum(map(len, columns.values())) > 4 * len(sides) + 16
    assert owners.tolist() == expected_owners


# -- bad input -------------------------------------------------------------------------------------


def changed(**changes):
    atoms = gn.models.crystal("alpha-quartz")
    for name, value in changes.items():
        setattr(atoms, name, value)
    return atoms


def broken(row, value):
    atoms = changed()
    atoms.positions[row] = value
    return atoms


BAD = {
    "one atom": (Atoms("Si", cell=[3] * 3, pbc=True), {}, "1 of the 1 atoms .* repeat the cell"),
    "no atoms": (Atoms(cell=[3] * 3, pbc=True), {}, "0 atoms, at least 1"),
    "few atoms": (Atoms("Si3", np.eye(3)), {}, "3 of the 3 atoms .* a cluster needs 4"),
    "flat cluster": (Atoms("Si5", np.eye(5)[:, :3] * [3, 3, 0] + [[0, 0, 0], [9, 9, 0], [1, 1, 0],
                     [4, 0, 0], [7, 2, 0]]), {}, "lie in one plane"),
    "duplicates": (broken(1, changed().positions[0]), {}, "atoms 0 and 1 overlap"),
    "images": (broken(1, changed().positions[0] + changed().cell[2]), {}, "overlap"),
    "NaN": (broken(2, np.nan), {}, "position of atom 2"),
    "infinite": (broken(2, np.inf), {}, "position of atom 2"),
    "flat cell": (changed(cell=[[1, 0, 0], [2, 0, 0], [0, 0, 5]]), {}, "zero volume"),
    "no cell": (Atoms("Si9", np.random.default_rng(0).random((9, 3))), {"periodic": True}, "cell"),
    "slab": (changed(pbc=[True, True, False]), {}, "in all directions or in none"),
    "periodic": (changed(), {"periodic": "yes"}, "periodic='yes'"),
    "not atoms": ("glass", {}, "atoms=str"),
    "negative radius": (changed(), {"radii": {"Si": -1.0, "O": 1.0}}, r"radii\['Si'\]=-1.0"),
    "NaN radius": (changed(), {"radii": {"Si": np.nan, "O": 1.0}}, r"radii\['Si'\]=nan"),
    "text radius": (changed(), {"radii": {"Si": "big", "O": 1.0}}, r"radii\['Si'\]='big'"),
    "missing radius": (changed(), {"radii": {"Si": 1.0}}, "no radius for O"),
    "unknown radius": (changed(), {"radii": {"Si": 1, "O": 1, "Na": 1}}, "names 'Na'"),
    "radii": (changed(), {"radii": "gr"}, "radii='gr'"),
    "number": (changed(), {"radii": 1.0}, "radii=1.0"),
    "pdf of Si": (ase.build.bulk("Si", cubic=True), {"radii": "pdf"}, "oxides of one cation"),
    "pdf of cluster": (changed(pbc=False), {"radii": "pdf"}, "needs g\\(r\\)"),
    "species": (changed(), {"species": "Ge"}, "species='Ge'"),
    "no species": (changed(), {"species": ()}, "species=\\(\\)"),
    "engine": (changed(), {"engine": "dipha"}, "engine='dipha'"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    atoms, options, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        persistence(atoms, **options)


def test_bad_questions(diagrams):
    found = diagrams["all"]
    for dimension in (3, -1, "1", True):
        with pytest.raises(ValueError, match="dimension="):
            found.pairs(dimension)
    with pytest.raises(ValueError, match="named regions are those of dimension 1 of silica"):
        found.region("C_P")
    with pytest.raises(ValueError, match="must be one of C_P"):
        diagrams["all_w"].region("C_X")
    for box in ((1, 2, 3), (2, 1, 0, 1), (0, 1, np.nan, 2), ("a", 1, 2, 3)):
        with pytest.raises(ValueError, match="four numbers"):
            found.region(box)
    with pytest.raises(ValueError, match="lengths exist without weights only"):
        diagrams["all_w"].lengths(1)
