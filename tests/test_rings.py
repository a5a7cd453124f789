"""Rings: against definitions, analytic counts, published counts, SOVA and matscipy."""

import warnings

import ase.build
import ase.io
import numpy as np
import pytest
from ase import Atoms
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from matscipy.rings import ring_statistics as matscipy_rings
from naive import guttman, king, net_of, primitive, standard_ring
from test_neighbours import random_structure

import glassnb as gn
from benchmarks.peers import sova_rings
from glassnb.core.jit import serial_kernels
from glassnb.network import bonds, guttman_rings, king_rings, primitive_rings
from glassnb.network.rings import net, search

SEARCHES = {"king": king_rings, "guttman": guttman_rings, "primitive": primitive_rings}
NAIVE = {"king": king, "guttman": guttman, "primitive": primitive}
CUTOFF = {("Si", "O"): 2.0}


def find(definition, atoms, **options):
    """Search without the warning that some atoms have too few bonds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SEARCHES[definition](atoms, **options)


def names(rings):
    """Rings as the plain search of the tests names them."""
    rows = zip(rings.offsets[:-1], rings.offsets[1:], strict=True)
    nodes = list(zip(rings.indices.tolist(), map(tuple, rings.images.tolist()), strict=True))
    return [standard_ring(nodes[i:j]) for i, j in rows]


def sets(rings):
    return sorted(tuple(sorted(ring.tolist())) for ring in rings)


@pytest.fixture(scope="module")
def glass():
    return gn.models.load("silica-pristine-648")


# -- definitions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("definition", SEARCHES)
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_atoms=st.integers(3, 9),
    like_with_like=st.booleans(),
    pbc=st.sampled_from([(True, True, True), (True, False, True), (False, False, False)]),
)
def test_equals_the_definition_in_any_small_cell(definition, seed, n_atoms, like_with_like, pbc):
    """Random nets of about three bonds an atom, odd rings, several images of an atom in a ring."""
    atoms = random_structure(seed, n_atoms, size=1.7 * n_atoms ** (1 / 3), pbc=pbc)
    cutoff = 1.5 if like_with_like or len(set(atoms.symbols)) == 1 else {("Si", "O"): 1.9}
    found = bonds(atoms, cutoff)
    assume(0 < found.counts.max() < 6)
    max_size = 7
    ours = names(find(definition, atoms, cutoff=cutoff, max_size=max_size))
    assert len(set(ours)) == len(ours)
    assert set(ours) == NAIVE[definition](net_of(found), len(atoms), max_size)


@pytest.mark.parametrize("definition", SEARCHES)
@pytest.mark.parametrize("pieces", [1, 7])
def test_a_ring_is_a_closed_polygon_of_bonds(definition, pieces, glass, monkeypatch):
    shifted = glass.copy()
    shifted.positions += np.random.default_rng(3).integers(-2, 3, (len(glass), 3)) @ glass.cell
    rings = find(definition, shifted, cutoff=CUTOFF, max_size=16)
    for k in range(0, len(rings), 40):
        corners = rings.polygon(k)
        lengths = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
        assert lengths.max() < 2.0
        np.testing.assert_allclose(corners, rings.vertices[rings.offsets[k] : rings.offsets[k + 1]])
    assert (rings.images[rings.offsets[:-1]] == 0).all()
    assert sets(rings) == sets(find(definition, glass, cutoff=CUTOFF, max_size=16))


# -- known counts --------------------------------------------------------------------------------

# Rings per Si by number of Si; facts: supercells of at least 26 Å, confirmed by SOVA or matscipy.
CRYSTALS = {
    "beta-cristobalite": {"king": {6: 2}, "guttman": {6: 2}, "primitive": {6: 2}},
    "alpha-cristobalite": {"king": {6: 2}, "guttman": {6: 2}, "primitive": {6: 2}},
    "tridymite": {"king": {6: 2}, "guttman": {6: 2}, "primitive": {6: 2}},
    "alpha-quartz": {"king": {6: 1, 8: 7}, "guttman": {6: 1}, "primitive": {6: 1, 8: 5}},
    "beta-quartz": {"king": {6: 1, 8: 7}, "guttman": {6: 1}, "primitive": {6: 1, 8: 5}},
    "coesite": {
        "king": {4: 0.5, 6: 0.75, 8: 1.75, 9: 1},
        "primitive": {4: 0.5, 6: 0.25, 8: 0.25, 9: 1, 10: 0.25, 11: 1, 12: 0.75},
    },
}


@pytest.mark.parametrize(
    ("name", "definition"), [(name, kind) for name, counts in CRYSTALS.items() for kind in counts]
)
def test_unit_cells_of_crystals(name, definition):
    rings = find(definition, gn.models.crystal(name), cutoff=CUTOFF)
    assert rings.size_distribution() == CRYSTALS[name][definition]
    if definition != "primitive":
        assert len(rings.unresolved) == 0


@pytest.mark.parametrize(
    ("file", "crystal"),
    [("Coesite", "coesite"), ("Quartz-alpha", "alpha-quartz"), ("Quartz-beta", "beta-quartz")],
)
def test_refinements_of_the_crystal_structure_database(shared_data, file, crystal):
    atoms = gn.models.read(shared_data / "rings" / f"amcsd_{file}.cif")
    for definition, expected in CRYSTALS[crystal].items():
        assert find(definition, atoms, cutoff=CUTOFF).size_distribution() == expected


# Rings of a model by number of Si: facts, table 5.2 (SOVA for King and Guttman, matscipy for
# primitive rings).
GLASSES = {
    ("A", "king"): {3: 13, 4: 141, 5: 427, 6: 626, 7: 864, 8: 552, 9: 80},
    ("A", "guttman"): {3: 13, 4: 141, 5: 423, 6: 444, 7: 47},
    ("A", "primitive"): {
        3: 13, 4: 141, 5: 423, 6: 502, 7: 499, 8: 220, 9: 140, 10: 28, 11: 7, 12: 5,
    },
    ("C", "king"): {3: 2, 4: 47, 5: 107, 6: 179, 7: 217, 8: 238, 9: 81, 10: 3},
    ("C", "guttman"): {3: 2, 4: 47, 5: 106, 6: 141, 7: 28, 8: 4},
    ("C", "primitive"): {3: 2, 4: 47, 5: 106, 6: 150, 7: 119, 8: 95, 9: 59, 10: 27, 11: 8, 12: 7},
}  # fmt: skip


def published(shared_data, model):
    if model == "A":
        atoms = ase.io.read(shared_data / "rings" / "apy_SiO2_3000.extxyz")
        atoms.pbc = True
        return atoms
    return gn.models.read(shared_data / "rings" / "sova_a_SiO2_speed1e11K.xyz")


@pytest.mark.parametrize(("model", "definition"), GLASSES)
def test_published_glasses(shared_data, model, definition):
    rings = find(definition, published(shared_data, model), cutoff=CUTOFF)
    assert rings.size_distribution(per="cell") == GLASSES[model, definition]


# Facts, table 5.3: mean (s.d.) over King rings of model A by number of Si, all atoms of a ring,
# then formers alone; SOVA gives the former.
SHAPES = {
    4: (0.9021, 0.0495, 0.9225, 0.2090, 0.0758, 0.2007, 2.011),
    5: (0.8467, 0.0665, 0.8753, 0.2709, 0.0816, 0.3041, 2.376),
    6: (0.7918, 0.0850, 0.8174, 0.3260, 0.0952, 0.3670, 2.711),
    7: (0.7390, 0.0982, 0.7569, 0.3541, 0.1045, 0.3949, 3.027),
    8: (0.7061, 0.1017, 0.7177, 0.3360, 0.1025, 0.3721, 3.359),
}


def test_shapes_in_a_published_glass(shared_data):
    rings = find("king", published(shared_data, "A"), cutoff=CUTOFF)
    shape = gn.network.ring_shape(rings)
    formers = gn.network.ring_shape(rings, counting="formers")
    for size, expected in SHAPES.items():
        of_size = rings.former_sizes == size
        ours = (
            shape.roundness[of_size].mean(), shape.roundness[of_size].std(),
            formers.roundness[of_size].mean(),
            shape.roughness[of_size].mean(), shape.roughness[of_size].std(),
            formers.roughness[of_size].mean(),
            shape.radius_of_gyration[of_size].mean(),
        )  # fmt: skip
        np.testing.assert_allclose(ours, expected, atol=6e-4)  # digits of the table


# -- peers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("definition", SEARCHES)
def test_equals_sova_ring_by_ring(definition, glass):
    """Counts, atoms, roundness and roughness (1e-9) of every ring; primitive up to 12 atoms."""
    found = bonds(glass, CUTOFF)
    theirs = sova_rings(glass, definition, found, max_size=12)
    max_size = 12 if definition == "primitive" else None
    rings = find(definition, glass, cutoff=CUTOFF, max_size=max_size)
    shape = gn.network.ring_shape(rings)
    assert sets(rings) == sorted(tuple(sorted(ring)) for ring, _, _ in theirs)
    values = {tuple(sorted(ring)): (round_, rough) for ring, round_, rough in theirs}
    for ring, *ours in zip(rings, shape.roundness, shape.roughness, strict=True):
        np.testing.assert_allclose(ours, values[tuple(sorted(ring.tolist()))], atol=1e-9)


@pytest.mark.parametrize("name", ["alpha-cristobalite", "beta-cristobalite", "keatite"])
def test_shapes_in_crystals_equal_sova(name):
    """King rings of supercells too wide for ways around them to matter."""
    atoms = gn.models.crystal(name)
    atoms = atoms * np.ceil(20 / atoms.cell.lengths()).astype(int)
    theirs = sova_rings(atoms, "king", bonds(atoms, CUTOFF))
    rings = king_rings(atoms, cutoff=CUTOFF)
    shape = gn.network.ring_shape(rings)
    assert sets(rings) == sorted(tuple(sorted(ring)) for ring, _, _ in theirs)
    for k, values in ((1, shape.roundness), (2, shape.roughness)):
        np.testing.assert_allclose(np.sort(values), np.sort([r[k] for r in theirs]), atol=1e-9)


def assert_same_counts(atoms, cutoff):
    """Primitive rings of 3 to 9 atoms, as matscipy counts them."""
    rings = find("primitive", atoms, cutoff=cutoff, max_size=9)
    theirs = np.zeros(10, dtype=int)
    found = matscipy_rings(atoms, cutoff, maxlength=10)  # it means odd up to 9 and even below 10
    theirs[: found.size] = found
    assert np.bincount(rings.sizes, minlength=10).tolist() == theirs.tolist()
    return theirs


def test_odd_rings_equal_matscipy(shared_data):
    """Amorphous silicon."""
    silicon = ase.io.read(shared_data / "rings" / "jr_aSi_500atom_test.xyz")
    assert assert_same_counts(silicon, 3.0).tolist() == [0, 0, 0, 0, 5, 192, 479, 257, 60, 13]


@pytest.mark.parametrize("seed", range(3))
def test_odd_rings_equal_matscipy_in_models_of_our_own(seed):
    """Diamond with atoms taken out and moved: rings of all sizes, loose ends."""
    rng = np.random.default_rng(seed)
    atoms = ase.build.bulk("Si", cubic=True) * (5, 5, 5)
    atoms.rattle(0.4, rng=rng)
    del atoms[rng.choice(len(atoms), 60, replace=False)]
    assert (assert_same_counts(atoms, 2.9)[3:] > 0).all()


# -- symmetries ----------------------------------------------------------------------------------


@pytest.mark.parametrize("definition", SEARCHES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_translation_rotation_and_order(definition, seed):
    glass = gn.models.load("silica-pristine-648")
    options = {"cutoff": CUTOFF, "max_size": 14}
    before = find(definition, glass, **options)
    shape = gn.network.ring_shape(before)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(glass))
    moved = glass[order]
    moved.translate(rng.uniform(-50, 50, 3))
    if rng.random() < 0.5:
        moved.wrap()
    moved.rotate(rng.uniform(0, 360), rng.normal(size=3), rotate_cell=True)
    after = find(definition, moved, **options)
    again = gn.network.ring_shape(after)
    back = [tuple(sorted(order[ring].tolist())) for ring in after]
    assert sorted(back) == sets(before)
    for name in ("roundness", "roughness", "radius_of_gyration", "perimeter", "area"):
        ours = dict(
            zip([tuple(sorted(r.tolist())) for r in before], getattr(shape, name), strict=True)
        )
        theirs = dict(zip(back, getattr(again, name), strict=True))
        np.testing.assert_allclose([theirs[k] for k in ours], list(ours.values()), atol=1e-8)


@pytest.mark.parametrize("definition", SEARCHES)
@pytest.mark.parametrize("name", ["alpha-quartz", "coesite", "moganite"])
def test_supercells_scale_exactly(definition, name):
    cell = gn.models.crystal(name)
    repeated = gn.models.crystal(name, repeat=(2, 1, 3))
    options = {"cutoff": CUTOFF, "max_size": 20}
    small, large = (find(definition, atoms, **options) for atoms in (cell, repeated))
    counts = small.size_distribution("nodes", "cell")
    assert large.size_distribution("nodes", "cell") == {n: 6 * c for n, c in counts.items()}
    one, other = (np.sort(gn.network.ring_shape(rings).roughness) for rings in (small, large))
    np.testing.assert_allclose(other, np.repeat(one, 6), atol=1e-9)


def test_a_skewed_choice_of_cell_changes_nothing():
    quartz = gn.models.crystal("alpha-quartz")
    skewed = ase.build.make_supercell(quartz, [[1, 2, 0], [0, 1, 0], [3, 0, 1]])
    assert find("king", skewed, cutoff=CUTOFF).size_distribution() == {6: 1, 8: 7}


@pytest.mark.parametrize("definition", SEARCHES)
def test_threads_pieces_and_machines_change_nothing(definition, glass, monkeypatch):
    options = {"cutoff": CUTOFF, "max_size": 18}
    rings = find(definition, glass, **options)
    with serial_kernels():
        serial = find(definition, glass, **options)
    monkeypatch.setattr(search, "pieces", lambda atoms, wanted: [np.flatnonzero(wanted)])
    whole = find(definition, glass, **options)
    for other in (serial, whole):
        for name in ("offsets", "indices", "images", "origins", "unresolved"):
            np.testing.assert_array_equal(getattr(rings, name), getattr(other, name))


@pytest.mark.parametrize("definition", SEARCHES)
def test_a_search_that_runs_out_of_room_starts_again(definition, glass, monkeypatch):
    expected = find(definition, glass, cutoff=CUTOFF, max_size=16)
    sizes = []
    whole = net.RingWork.new_net

    def tight(work, room):
        sizes.append(room)
        return whole(work, room // 64)

    monkeypatch.setattr(net.RingWork, "new_net", tight)
    found = find(definition, glass, cutoff=CUTOFF, max_size=16)
    assert len(set(sizes)) > 1
    np.testing.assert_array_equal(found.indices, expected.indices)
    monkeypatch.setattr(net, "_ROOM", 2**13)
    with pytest.raises(ValueError, match="max_size=16: the search reaches more than 8192 atoms"):
        find(definition, glass, cutoff=CUTOFF, max_size=16)


def test_on_a_cluster(glass):
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        found = find("king", glass, cutoff=CUTOFF, client=client)
    np.testing.assert_array_equal(found.indices, find("king", glass, cutoff=CUTOFF).indices)


# -- hidden rings, winding ways, limits ------------------------------------------------------------


def test_ways_around_the_cell_are_no_rings():
    """A chain that closes on its own image, and a square lattice in a cell of 3 x 2 atoms."""
    chain = Atoms("Si4", [[1.5 * k, 0, 0] for k in range(4)], cell=[6, 9, 9], pbc=True)
    for definition in SEARCHES:
        assert len(find(definition, chain, cutoff=1.6)) == 0
    square = Atoms("Si6", [[i, j, 0] for i in range(3) for j in range(2)], cell=[3, 2, 9], pbc=True)
    # King's rings through two opposite bonds are two squares side by side, lying or standing.
    counts = {"king": {4: 6, 6: 12}, "guttman": {4: 6}, "primitive": {4: 6}}
    for definition in SEARCHES:
        rings = find(definition, square, cutoff=1.1)
        assert rings.size_distribution("nodes", "cell") == counts[definition]


def test_a_wrapping_way_does_not_hide_a_ring():
    """One honeycomb cell: peers that search the finite graph find a way around instead."""
    graphene = ase.build.graphene(size=(1, 1, 1), vacuum=5)
    graphene.pbc = (True, True, False)
    for definition in SEARCHES:
        assert find(definition, graphene, cutoff=1.6).size_distribution() == {6: 0.5}


@pytest.mark.parametrize("definition", SEARCHES)
@pytest.mark.parametrize("n", range(3, 13))
def test_a_lone_polygon_is_one_ring(definition, n):
    """Also rings in which every atom has two bonds, as in S8."""
    angle = 2 * np.pi * np.arange(n) / n
    radius = 1.0 / (2 * np.sin(np.pi / n))
    polygon = Atoms(f"S{n}", np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1) * radius)
    rings = find(definition, polygon, cutoff=1.05)
    assert rings.sizes.tolist() == [n]
    assert rings.former_sizes.tolist() == [n]  # no network former: all atoms count
    assert rings.origins[:, n].all()
    assert rings.origins.sum() == n
    np.testing.assert_allclose(
        gn.network.ring_shape(rings).area, n * radius**2 / 2 * np.sin(2 * np.pi / n)
    )


def test_max_size_is_inclusive_and_in_atoms():
    quartz = gn.models.crystal("alpha-quartz")
    for definition in SEARCHES:
        assert len(find(definition, quartz, cutoff=CUTOFF, max_size=12)) == 3
        assert len(find(definition, quartz, cutoff=CUTOFF, max_size=11)) == 0


def test_unresolved_pairs_are_reported():
    quartz = gn.models.crystal("alpha-quartz")
    # Vertex symbol 6.6.6.6.8.8: of the six pairs of bonds of Si, two have rings of 16 atoms.
    with pytest.warns(UserWarning, match="6 pairs of bonds have no ring up to max_size=12 atoms"):
        rings = king_rings(quartz, cutoff=CUTOFF, max_size=12)
    assert rings.unresolved.shape == (6, 3)
    assert (np.asarray(quartz.symbols)[rings.unresolved] == ["Si", "O", "O"]).all()
    with pytest.warns(UserWarning, match="bonds have no ring up to max_size=8 atoms"):
        rings = guttman_rings(quartz, cutoff=CUTOFF, max_size=8)
    assert rings.unresolved.shape[1] == 2


def test_where_the_search_starts():
    quartz = gn.models.crystal("alpha-quartz")
    silicon = king_rings(quartz, cutoff=CUTOFF, nodes="Si")
    assert silicon.size_distribution() == {6: 1, 8: 7}
    oxygen = find("king", quartz, cutoff=CUTOFF, nodes="O")
    assert oxygen.size_distribution() == {6: 1}  # the shortest through an oxygen
    for definition in SEARCHES:
        one = find(definition, quartz, cutoff=CUTOFF, nodes=[4], max_size=16)
        assert all(4 in ring for ring in one)
        every = find(definition, quartz, cutoff=CUTOFF, max_size=16)
        assert set(sets(one)) <= set(sets(every))
    # A primitive ring belongs to each of its atoms.
    assert sets(one) == sets(every.select(contains=4))


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_size": 2}, "max_size=2: must be from 3 to 120 atoms"),
        ({"max_size": 10**6}, "max_size=1000000: must be from 3 to 120"),
        ({"max_size": 8.5}, "max_size=8.5: must be a whole number"),
        ({"max_size": True}, "max_size=True: must be a whole number"),
        ({"cutoff": 0.5}, "there are no bonds"),
        ({"cutoff": {("Si", "N"): 2.0}}, "names N, which is not in the structure"),
        ({"formers": "Ge"}, "formers='Ge': must name species of the structure: Si, O"),
        ({"nodes": "N"}, "nodes='N': is not in the structure; its species are Si, O"),
        ({"nodes": [900]}, "index 900 is outside the structure, whose atoms run from 0 to 8"),
        ({"nodes": []}, "must be a species such as 'Si', or a list of indices"),
    ],
)
@pytest.mark.parametrize("definition", SEARCHES)
def test_bad_input(definition, options, message):
    quartz = gn.models.crystal("alpha-quartz")
    with pytest.raises(ValueError, match=message):
        SEARCHES[definition](quartz, **({"cutoff": CUTOFF} | options))


def test_a_cell_too_small():
    thin = Atoms("Si", cell=[0.15, 5, 5], pbc=True)
    with pytest.raises(ValueError, match=r"lengths \[0.15, 5.0, 5.0\] Å are too small"):
        king_rings(thin, cutoff=4.0)


def test_loose_ends_are_named(glass):
    whole = bonds(glass, CUTOFF)
    silicon = int(np.flatnonzero((glass.symbols == "Si") & (whole.counts == 4))[0])
    broken = glass.copy()
    del broken[silicon]
    loose = int((bonds(broken, CUTOFF).counts < 2).sum())
    assert loose >= 4
    with pytest.warns(
        UserWarning, match=rf"{loose} of 647 atoms have fewer than two bonds and are"
    ):
        rings = king_rings(broken, cutoff=CUTOFF)
    assert 0 < len(rings) < len(find("king", glass, cutoff=CUTOFF))
    tree = Atoms("SiO4", [[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    with pytest.warns(UserWarning, match="4 of 5 atoms have fewer than two bonds"):
        assert len(primitive_rings(tree, cutoff=CUTOFF)) == 0
