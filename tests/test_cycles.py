"""Rings and cavities behind the points of persistence diagrams.

Against volumes of HomCloud, linear programmes over whole structures written out here, plain
searches, and each other in cells of other shape.
"""

import gzip
import itertools
import json
import pickle
from collections import Counter, deque

import ase.io
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from scipy.optimize import linprog
from scipy.sparse import coo_array, hstack

import glassnb as gn
from glassnb.plotting.cycles import plot_cavity_tree, plot_cycle, plot_cycle_sizes
from glassnb.topology import persistence
from glassnb.topology.cycles import _kernels, cavity_tree, cycles_in_region, optimal_cycle
from glassnb.topology.cycles.space import space_of

EVERYTHING = (-np.inf, np.inf, -np.inf, np.inf)
RINGS = (-1, 1.2, 1.5, 99)  # Å², Si-O rings of silica without weights


def random_structure(seed, n, cell, closest=1.4):
    """Points at random in a cell, none too close to another one."""
    random = np.random.default_rng(seed)
    points = []
    shifts = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
    while len(points) < n:
        new = random.random(3)
        apart = [(new - old + shifts) @ cell for old in points]
        if all(np.linalg.norm(d, axis=1).min() > closest for d in apart):
            points.append(new)
    symbols = ["Si" if k % 3 == 0 else "O" for k in range(n)]
    return Atoms(symbols, scaled_positions=points, cell=cell, pbc=True)


SKEW = np.array([[6.5, 0.2, 0.1], [1.5, 7.0, 0.3], [-1.0, 0.8, 7.5]])


@pytest.fixture(scope="module")
def skew():
    return random_structure(3, 24, SKEW)


@pytest.fixture(scope="module")
def glass(shared_data):
    atoms = ase.io.read(shared_data / "ph" / "glass3000.xyz.gz")
    radii = {"Si": 0.375, "O": 1.275}
    return {
        "all": persistence(atoms),
        "all_w": persistence(atoms, radii=radii),
        "Si": persistence(atoms, species="Si"),
    }


@pytest.fixture(scope="module")
def rings(glass):
    return cycles_in_region(glass["all"], RINGS, progress=False)


def find_pair(diagrams, dimension, birth, death, tolerance=1e-7):
    distance = np.abs(diagrams.pairs(dimension) - [birth, death]).max(axis=1)
    assert distance.min() < tolerance
    return int(np.argmin(distance))


def all_cycles(diagrams, dimension, **options):
    return cycles_in_region(diagrams, EVERYTHING, dimension, **options)


def first_free(diagrams, dimension, index, stability):
    """The first face that must not be in the boundary."""
    values = diagrams.complex.values[dimension]
    row = diagrams.birth_rows[dimension][index]
    if not stability:
        return row + 1
    return max(row + 1, np.searchsorted(values, values[row] + stability, side="right"))


def whole_programme(diagrams, dimension, index, stability):
    """Size of the smallest volume in a whole structure modulo its lattice, in real numbers."""
    faces = diagrams.complex.faces[dimension + 1]
    death = diagrams.death_rows[dimension][index]
    first = first_free(diagrams, dimension, index, stability)
    signs = np.broadcast_to((-1.0) ** np.arange(dimension + 2), (death + 1, dimension + 2))
    cells = np.broadcast_to(np.arange(death + 1)[:, None], signs.shape)
    young = faces[: death + 1] >= first
    edges = coo_array(
        (signs[young], (faces[: death + 1][young] - first, cells[young])),
        shape=(len(diagrams.complex.simplices[dimension]) - first, death + 1),
    ).tocsc()
    both = hstack([edges[:, :death], -edges[:, :death]], format="csc")
    answer = linprog(
        np.ones(2 * death), A_eq=both, b_eq=-edges[:, [death]].toarray()[:, 0], method="highs"
    )
    return None if answer.x is None else 1 + answer.fun


# -- against HomCloud ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(shared_data):
    path = shared_data / "ph" / "glass3000_volumes_homcloud5.4.0.json.gz"
    with gzip.open(path) as file:
        return json.load(file)["entries"]


@pytest.mark.parametrize(("points", "n_same"), [("all", 24), ("all_w", 23), ("Si", 22)])
def test_volumes_of_homcloud(glass, published, points, n_same):
    """72 optimal and stable volumes by HomCloud 5.4.0 within 7 Å: all of the same size.

    Where the atoms differ, the optimum is not unique: HomCloud's volume is valid here, too.
    """
    diagrams, same = glass[points], 0
    entries = [entry for entry in published if entry["points"] == points]
    assert len(entries) == 24
    for entry in entries:
        dimension, eps = entry["degree"], entry["eps"]
        k = find_pair(diagrams, dimension, entry["birth"], entry["death"])
        cycle = optimal_cycle(diagrams, dimension, k, stability=eps, radius=entry["cutoff_radius"])
        assert cycle.n_cells == entry["n_cells"]
        assert len(set(cycle.indices.tolist())) == cycle.n_atoms
        if sorted(cycle.indices.tolist()) == sorted(entry["boundary_atoms"]):
            same += 1
        else:
            table = np.sort(diagrams.complex.simplices[dimension + 1], axis=1)
            rows = {tuple(simplex): row for row, simplex in enumerate(table.tolist())}
            theirs = np.array([rows[tuple(sorted(cell))] for cell in entry["cells"]])
            assert theirs.max() == diagrams.death_rows[dimension][k]
            edges = Counter(diagrams.complex.faces[dimension + 1][theirs].ravel().tolist())
            border = [edge for edge, count in edges.items() if count % 2]
            assert max(border) < first_free(diagrams, dimension, k, eps)
        # none of them needed more room than 7 Å
        grown = optimal_cycle(diagrams, dimension, k, stability=eps)
        assert grown.n_cells == cycle.n_cells
        assert grown.certificate.proven
    assert same >= n_same


# -- against programmes over whole structures ------------------------------------------------------


@pytest.mark.parametrize("stability", [0.0, 0.1])
def test_smallest_rings_of_a_supercell(skew, stability):
    """Volumes found around one triangle in a small skew cell, against all triangles of a supercell.

    The cell is so small that each volume reaches out of it.
    """
    small, large = persistence(skew), persistence(skew * (3, 3, 3))
    pairs = large.pairs(1)
    compared = 0
    for cycle in all_cycles(small, 1, stability=stability):
        assert cycle.certificate.proven
        if cycle.n_cells < 3:
            continue
        images = np.abs(pairs - [cycle.birth, cycle.death]).max(axis=1) < 1e-9
        assert images.any()
        size = whole_programme(large, 1, int(np.flatnonzero(images)[0]), stability)
        assert size == pytest.approx(cycle.n_cells, abs=1e-5)
        compared += 1
        if compared == 6:
            break
    assert compared == 6


@pytest.mark.parametrize("stability", [0.0, 0.2])
def test_cavities_are_smallest_volumes(skew, stability):
    """Merge tree against linear programmes over all tetrahedra of the torus."""
    diagrams = persistence(skew)
    tree = cavity_tree(diagrams)
    assert len(tree) > 30
    for k in range(len(tree)):
        cycle = tree.cycle(k, stability=stability)
        assert not cycle.winding
        assert whole_programme(diagrams, 2, k, stability) == pytest.approx(cycle.n_cells)


def test_cavities_of_the_glass_are_smallest_volumes(glass):
    diagrams = glass["Si"]
    tree = cavity_tree(diagrams)
    life = np.diff(diagrams.pairs(2)).ravel()
    for k in np.argsort(life)[[-200, -150, -100]]:
        assert whole_programme(diagrams, 2, k, 0.0) == pytest.approx(tree.sizes[k])


def test_a_larger_ball_changes_nothing(glass):
    """What is proven within a small ball is the smallest within a large one."""
    diagrams = glass["all"]
    for k in diagrams.region(RINGS)[::100]:
        grown = optimal_cycle(diagrams, 1, int(k), stability=0.02)
        fixed = optimal_cycle(diagrams, 1, int(k), stability=0.02, radius=13.0)
        assert grown.certificate.proven
        assert not fixed.certificate.proven
        assert grown.certificate.radius < 13
        assert grown.volume_rows.tolist() == fixed.volume_rows.tolist()


# -- what a cycle is -------------------------------------------------------------------------------


def check_cycle(diagrams, cycle, stability):
    """Closed, in space; no face too young; dead with its simplex of death; all in one piece."""
    d, built, k = cycle.dimension, diagrams.complex, cycle.index
    free = first_free(diagrams, d, k, stability)
    assert (cycle.boundary_rows < free).all()
    if not stability:
        assert diagrams.birth_rows[d][k] in cycle.boundary_rows
    if cycle.certificate.method != "shortest path":
        assert cycle.volume_rows.max() == diagrams.death_rows[d][k]
        assert (cycle.volume_rows == diagrams.death_rows[d][k]).sum() == 1
        assert cycle.n_cells == cycle.certificate.objective
    # rows and atoms agree: distances within each simplex are those of the complex
    for rows, points, dimension in [
        (cycle.boundary_rows, cycle.boundary_points, d),
        (cycle.volume_rows, cycle.volume_points, d + 1),
    ]:

        def sides(corners):
            pairs = corners[:, :, None] - corners[:, None]
            return np.sort(np.linalg.norm(pairs, axis=3).reshape(-1, corners.shape[1] ** 2))

        np.testing.assert_allclose(sides(points), sides(built.points(dimension, rows)), atol=1e-9)

    # the boundary of the boundary is nothing, and it is the boundary of the volume
    def odd(indices, images):
        count = Counter()
        for atoms, cells in zip(indices.tolist(), images.tolist(), strict=True):
            corners = [(a, *c) for a, c in zip(atoms, cells, strict=True)]
            for out in range(len(corners)):
                count[frozenset(corners[:out] + corners[out + 1 :])] += 1
        return {face for face, n in count.items() if n % 2}

    assert not odd(cycle.boundary_indices, cycle.boundary_images)
    if cycle.n_cells:
        faces = {
            frozenset((a, *c) for a, c in zip(atoms, cells, strict=True))
            for atoms, cells in zip(
                cycle.boundary_indices.tolist(), cycle.boundary_images.tolist(), strict=True
            )
        }
        assert odd(cycle.volume_indices, cycle.volume_images) == faces
    atoms = set(map(tuple, np.column_stack([cycle.indices, cycle.images]).tolist()))
    assert len(atoms) == cycle.n_atoms
    assert sum(cycle.species_counts.values()) == cycle.n_atoms
    if cycle.is_loop:
        steps = np.linalg.norm(np.diff(cycle.path, axis=0), axis=1)
        edges = cycle.boundary_points
        lengths = np.linalg.norm(edges[:, 1] - edges[:, 0], axis=1)
        np.testing.assert_allclose(np.sort(steps), np.sort(lengths), atol=1e-9)


@pytest.mark.parametrize("stability", [0.0, 0.05])
@pytest.mark.parametrize("dimension", [1, 2])
def test_every_cycle_is_closed(skew, dimension, stability):
    radii = {"Si": 0.4, "O": 0.9}
    for diagrams in (persistence(skew), persistence(skew, radii=radii)):
        found = all_cycles(diagrams, dimension, stability=stability)
        assert len(found) > 20
        assert len(found) + len(found.missing) == len(diagrams.pairs(dimension))
        for cycle in found:
            check_cycle(diagrams, cycle, stability)


def test_cycles_of_the_glass_are_closed(glass, rings):
    diagrams = glass["all"]
    for cycle in rings[::20]:
        check_cycle(diagrams, cycle, 0.05)
        across = cycle.images.max(axis=0) - cycle.images.min(axis=0)
        assert (np.ptp(cycle.points, axis=0) < 20).all()
        assert across.max() <= 1
    assert any(np.ptp(cycle.images, axis=0).any() for cycle in rings)  # some cross a face
    for k in np.argsort(np.diff(diagrams.pairs(2)).ravel())[-40:-20]:
        check_cycle(diagrams, optimal_cycle(diagrams, 2, int(k), stability=0.0), 0.0)


def test_surfaces_face_outwards(skew):
    """The divergence theorem over the surface gives the volume of the tetrahedra."""
    for cycle in all_cycles(persistence(skew), 2):
        a, b, c = np.moveaxis(cycle.boundary_points, 1, 0)
        flux = np.einsum("ij,ij->", a, np.cross(b, c)) / 6
        assert flux == pytest.approx(cycle.volume)


def test_ring_sizes_of_the_glass(glass, rings):
    """998 rings of Si and O, with as many Si as O; 3 to 13 Si, 5 and 6 most often.

    A prototype found 3-12 Si with the mode at 5 in 200 of these rings.
    """
    assert len(rings) == 998
    assert not rings.missing
    assert all(cycle.certificate.proven and cycle.is_loop for cycle in rings)
    sizes = rings.size_distribution("Si")
    assert sum(sizes.values()) == 998
    assert sorted(sizes, key=sizes.get)[-2:] == [6, 5]
    assert min(sizes) == 3
    assert max(sizes) <= 14
    assert (rings.sizes("Si") == rings.sizes("O")).mean() > 0.99
    assert (rings.sizes() == rings.sizes("Si") + rings.sizes("O")).all()


# -- shortest rings --------------------------------------------------------------------------------


def plain_search(diagrams, index, most):
    """Fewest edges of a ring through the edge of birth, by a search in the infinite crystal."""
    built = diagrams.complex
    birth = diagrams.birth_rows[1][index]
    near = {}
    pairs, images = built.simplices[1][:birth], built.images[1][:birth, 1]
    for (a, b), hop in zip(pairs.tolist(), images.tolist(), strict=True):
        near.setdefault(a, []).append((b, *hop))
        near.setdefault(b, []).append((a, *(-h for h in hop)))
    first, last = built.simplices[1][birth].tolist()
    start, goal = (first, 0, 0, 0), (last, *built.images[1][birth, 1].tolist())
    depth, queue = {start: 1}, deque([start])
    while queue:
        atom, x, y, z = here = queue.popleft()
        if here == goal:
            return depth[here]
        if depth[here] == most:
            return None
        for other, u, v, w in near.get(atom, []):
            there = (other, x + u, y + v, z + w)
            if there not in depth:
                depth[there] = depth[here] + 1
                queue.append(there)
    return None


def test_shortest_rings(skew, glass):
    for diagrams, numbers in [
        (persistence(skew), slice(None)),
        (glass["all"], slice(100, None, 400)),
    ]:
        for k in np.arange(len(diagrams.pairs(1)))[numbers].tolist():
            try:
                cycle = optimal_cycle(diagrams, 1, k, method="shortest")
            except ValueError:
                assert plain_search(diagrams, k, 12) is None
                continue
            if cycle.n_atoms > 12:
                continue
            assert cycle.n_atoms == plain_search(diagrams, k, 12)
            assert cycle.is_loop
            assert cycle.certificate.proven
            check_cycle(diagrams, cycle, 0.0)


def test_shortest_rings_are_no_longer_than_optimal_ones(skew):
    diagrams = persistence(skew)
    optimal = all_cycles(diagrams, 1, stability=0.0)
    assert len(optimal) > 30
    for ring in optimal:
        short = optimal_cycle(diagrams, 1, ring.index, method="shortest")
        assert short.n_atoms <= len(ring.boundary_rows)


# -- the same in other cells -----------------------------------------------------------------------


def table(diagrams, dimension, **options):
    found = all_cycles(diagrams, dimension, **options)
    rows = [(round(c.birth, 6), round(c.death, 6), c.n_cells, c.n_atoms) for c in found]
    return sorted(rows), len(found.missing)


def translated(atoms, random):
    moved = atoms.copy()
    moved.translate(random.normal(size=3))
    moved.wrap()
    return moved


def unwrapped(atoms, random):
    moved = atoms.copy()
    moved.positions += random.integers(-40, 40, (len(atoms), 3)) @ np.asarray(atoms.cell)
    return moved


def permuted(atoms, random):
    return atoms[random.permutation(len(atoms))]


def turned(atoms, random):
    turned = atoms.copy()
    turned.rotate(50, random.normal(size=3), rotate_cell=True)
    return turned


def sheared(atoms, random):
    """The same crystal with other cell vectors."""
    other = atoms.copy()
    other.set_cell(np.array([[1, 0, 0], [1, 1, 0], [0, -1, 1]]) @ np.asarray(atoms.cell))
    return other


@pytest.mark.parametrize("change", [translated, unwrapped, permuted, turned, sheared])
def test_cycles_do_not_depend_on(change, skew):
    other = change(skew, np.random.default_rng(0))
    for dimension, stability in [(1, 0.0), (1, 0.1), (2, 0.1)]:
        expected = table(persistence(skew), dimension, stability=stability)
        assert table(persistence(other), dimension, stability=stability) == expected


@pytest.mark.parametrize("dimension", [1, 2])
def test_unit_cell_and_supercell(dimension):
    """Cycles of quartz in its cell of 9 atoms are those in a supercell, 2 x 2 x 2 times."""
    cell = gn.models.crystal("alpha-quartz")
    cell.rattle(0.03, seed=1)  # so that no two pairs of the cell are alike
    small, large = persistence(cell), persistence(cell * (2, 2, 2))
    expected = Counter(table(small, dimension, stability=0.02)[0])
    found = Counter(table(large, dimension, stability=0.02)[0])
    assert not table(small, dimension, stability=0.02)[1]
    for row, count in expected.items():
        assert found[row] == 8 * count
    # the supercell has some of its own: what winds around the small torus forever ends here
    assert len(set(found) - set(expected)) <= 8


def test_rings_of_quartz():
    """Rings of six Si die at 3.31 Å² and rings of eight at 3.68, as HomCloud's diagrams have it."""
    diagrams = persistence(gn.models.crystal("alpha-quartz", repeat=2))
    found = cycles_in_region(diagrams, (0.6, 0.7, 3.0, 4.0))
    assert len(found) == 8 * 3 - 2
    for ring in found:
        former = 6 if ring.death < 3.5 else 8
        assert ring.species_counts == {"Si": former, "O": former}
    assert found.size_distribution("Si")[6] >= 19


@pytest.mark.parametrize("repeat", [1, 4])
def test_a_ring_that_winds_has_no_cycle(repeat):
    """A ladder without end: two chains of atoms, 2 Å from one to the next, and 3 Å apart.

    Modulo its lattice both chains are rings, born with their bonds at 1 Å², and one of them ends
    when the last triangle between them is there. In space there is no ring without a rung.
    """
    ladder = Atoms("Si2", positions=[[1, 1, 0], [4, 1.1, 0.9]], cell=[9, 11, 2], pbc=True)
    diagrams = persistence(ladder * (1, 1, repeat))
    assert diagrams.pairs(1)[0].round(3).tolist() == [1.0, 2.785]
    found = all_cycles(diagrams, 1, stability=0.0)
    assert list(found.missing) == [0]
    assert "winds around the cell" in found.missing[0]
    with pytest.raises(ValueError, match="index=0: pair 0 of dimension 1 has no cycle; there is"):
        optimal_cycle(diagrams, 1, 0, stability=0.0)
    with pytest.raises(ValueError, match="no path of older edges within 20 Å"):
        optimal_cycle(diagrams, 1, 0, method="shortest")
    # rungs and rails are alike if 3 Å² of noise are borne
    assert optimal_cycle(diagrams, 1, 0, stability=3.0).n_cells == 1


# -- cavities --------------------------------------------------------------------------------------


def test_tree_of_cavities(glass):
    diagrams = glass["all"]
    tree = cavity_tree(diagrams)
    birth, death = diagrams.pairs(2).T
    assert len(tree) == len(birth)
    assert not tree.winding.any()
    inner = tree.parents >= 0
    assert (birth[tree.parents[inner]] <= birth[inner]).all()
    assert (death[tree.parents[inner]] >= death[inner]).all()
    assert (tree.volumes[tree.parents[inner]] > tree.volumes[inner]).all()
    k = int(np.argmax(np.bincount(tree.parents[inner])))
    parent = tree.cycle(k)
    assert parent.volume == pytest.approx(tree.volumes[k])
    assert parent.n_cells == tree.sizes[k]
    members = set(map(tuple, parent.volume_rows[:, None].tolist()))
    children = tree.children(k)
    assert (tree.depths[children] == tree.depths[k] + 1).all()
    for child in children[:20]:
        cycle = tree.cycle(int(child))
        assert cycle.volume == pytest.approx(tree.volumes[child])
        assert set(map(tuple, cycle.volume_rows[:, None].tolist())) <= members
    stable = tree.cycle(k, stability=0.1)
    assert stable.n_cells < parent.n_cells
    assert tree.cycle(k, stability=1e3).n_cells == 1
    assert optimal_cycle(diagrams, 2, k, stability=0.1).n_cells == stable.n_cells


def tube(turns):
    """A hollow tube along z, repeated."""
    angle = np.radians(30 * np.arange(12))
    ring = np.stack([4 * np.cos(angle) + 7, 4 * np.sin(angle) + 7, 0 * angle], axis=1)
    random = np.random.default_rng(4)
    atoms = Atoms("Si12", positions=ring + random.uniform(-0.02, 0.02, (12, 3)),
                  cell=[14.0, 14.3, 2.0], pbc=True)  # fmt: skip
    return atoms * (1, 1, turns)


@pytest.mark.parametrize("turns", [1, 3])
def test_a_channel_winds(turns):
    """Its volume is that within the wall, once for each cell; its mouths are no surface."""
    diagrams = persistence(tube(turns))
    tree = cavity_tree(diagrams)
    assert tree.winding.sum() == 1
    k = int(np.flatnonzero(tree.winding)[0])
    cycle = tree.cycle(k)
    assert cycle.winding
    assert not cycle.certificate.proven
    polygon = 12 / 2 * 4**2 * np.sin(np.radians(30))
    assert cycle.volume == pytest.approx(polygon * 2.0 * turns, rel=0.02)
    assert len(cycle.boundary_rows) == 2 * 12 * turns
    assert diagrams.birth_rows[2][k] in cycle.boundary_rows


# -- clusters --------------------------------------------------------------------------------------


def test_cage():
    """The ring of a hexagon, and the cavity of an icosahedron."""
    golden = (1 + 5**0.5) / 2
    corners = [(0, a, b * golden) for a in (-1, 1) for b in (-1, 1)]
    corners = [corner[k:] + corner[:k] for corner in corners for k in range(3)]
    random = np.random.default_rng(0)
    points = np.array(corners) + random.uniform(-1e-3, 1e-3, (12, 3))
    cage = persistence(Atoms("O12", positions=points))
    k = int(np.argmax(np.diff(cage.pairs(2))))
    cavity = optimal_cycle(cage, 2, k)
    assert cavity.n_atoms == 12
    assert len(cavity.boundary_rows) == 20
    assert cavity.volume == pytest.approx(5 * (3 + 5**0.5) / 12 * 8, rel=1e-2)
    assert len(cavity_tree(cage)) == len(cage.pairs(2))

    angle = np.radians(60 * np.arange(6))
    hexagon = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1) * 2
    hexagon[:, 2] = random.uniform(-0.1, 0.1, 6)
    ring = persistence(Atoms("SiO" * 3, positions=hexagon))
    k = int(np.argmax(np.diff(ring.pairs(1))))
    for method in ("optimal", "shortest"):
        cycle = optimal_cycle(ring, 1, k, method=method)
        assert cycle.species_counts == {"Si": 3, "O": 3}
        order = cycle.indices.tolist()
        steps = np.diff([*order, order[0]]) % 6
        assert set(steps.tolist()) in ({1}, {5})
    assert optimal_cycle(ring, 1, k).certificate.proven


# -- many, files, pictures, speed ------------------------------------------------------------------


def test_tables(rings, glass, tmp_path):
    frame = rings.to_frame()
    assert (frame["Si"] + frame["O"] == frame["n_atoms"]).all()
    assert frame["index"].tolist() == glass["all"].region(RINGS).tolist()
    ring = rings[7]
    assert frame["atoms"][7] == tuple(ring.indices.tolist())
    assert f"birth {ring.birth:.4g}" in repr(ring)
    assert repr(rings) == "Cycles(998 rings, optimal, stability 0.05 Å²)"
    rings.save(tmp_path / "rings.csv")
    again = pd.read_csv(tmp_path / "rings.csv", comment="#")
    assert again["n_cells"].tolist() == frame["n_cells"].tolist()
    cluster = ring.to_atoms()
    assert not cluster.pbc.any()
    assert cluster.arrays["index"].tolist() == ring.indices.tolist()
    np.testing.assert_allclose(cluster.positions, ring.points)
    cavities = cycles_in_region(glass["Si"], (7, 8, 9, 20), 2)
    assert len(cavities)
    assert (cavities.to_frame()["volume"] > 0).all()
    assert np.isnan(ring.volume)
    tree = cavity_tree(glass["Si"])
    tree.save(tmp_path / "tree.csv")
    assert len(pd.read_csv(tmp_path / "tree.csv", comment="#")) == len(tree)
    assert tree.to_frame()["n_children"].sum() == (tree.parents >= 0).sum()
    empty = cycles_in_region(glass["Si"], (90, 91, 90, 91))
    assert len(empty) == len(empty.to_frame()) == 0
    assert empty.size_distribution() == {}


def test_on_a_cluster(skew):
    """The work goes to other processes, and what was made for searching does not go with it."""
    from distributed import Client

    diagrams = persistence(skew)
    fresh = len(pickle.dumps(diagrams))
    here = all_cycles(diagrams, 1)
    assert len(pickle.dumps(diagrams)) < fresh + 1000
    again = pickle.loads(pickle.dumps(diagrams))
    assert optimal_cycle(again, 1, 3).indices.tolist() == here[3].indices.tolist()
    with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None) as on:
        there = all_cycles(diagrams, 1, client=on)
    assert [c.volume_rows.tolist() for c in there] == [c.volume_rows.tolist() for c in here]


def test_pictures(rings, glass):
    ax = plot_cycle(rings[0])
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == [f"{n} {s}" for s, n in rings[0].species_counts.items()]
    # seen along the thinnest direction: the picture is as wide as the ring is long
    seen = ax.collections[-1].get_offsets()
    centred = rings[0].points - rings[0].points.mean(axis=0)
    spread = np.linalg.svd(centred, compute_uv=False)
    np.testing.assert_allclose(np.linalg.svd(seen, compute_uv=False), spread[:2], rtol=1e-6)
    tree = cavity_tree(glass["Si"])
    given = plt.subplots()[1]
    assert plot_cycle(tree.cycle(5), given) is given
    ax = plot_cycle_sizes(rings, species="Si")
    assert sum(bar.get_height() for bar in ax.patches) == 998
    assert ax.get_xlabel() == "ring size (Si atoms)"
    assert len(plot_cavity_tree(tree).collections[1].get_offsets()) == len(tree)
    plt.close("all")


def test_of_another_engine(glass):
    """GUDHI pairs the same simplices, except where several enter at once."""
    ours = glass["Si"]
    theirs = persistence(ours.complex.atoms, species="Si", engine="gudhi")
    for dimension in (1, 2):
        for k in (5, 500):
            rows = [optimal_cycle(d, dimension, k).volume_rows.tolist() for d in (ours, theirs)]
            assert rows[0] == rows[1]
    crystal = persistence(gn.models.crystal("stishovite", repeat=4), engine="gudhi")
    with pytest.raises(ValueError, match="diagrams: engine 'gudhi' has paired simplices that"):
        cavity_tree(crystal)


def test_fractions_give_way_to_whole_numbers(monkeypatch):
    """An optimum of halves, made here by mixing two volumes, is replaced by the integer optimum."""
    from glassnb.topology.cycles import optimal

    diagrams = persistence(gn.models.load("silica-pristine-648"))
    pairs = diagrams.region(RINGS)[::25]
    expected = [optimal_cycle(diagrams, 1, int(k), radius=7.0).n_cells for k in pairs]
    rng = np.random.default_rng(0)

    def mixed(costs, **options):
        """Halfway between the smallest volume and one that is smallest for other costs."""
        answer = linprog(costs, **options)
        other = linprog(costs * rng.uniform(0.2, 5.0, costs.size), **options)
        answer.x = (answer.x + other.x) / 2
        return answer

    monkeypatch.setattr(optimal, "linprog", mixed)
    cycles = [optimal_cycle(diagrams, 1, int(k), radius=7.0) for k in pairs]
    assert [cycle.n_cells for cycle in cycles] == expected
    methods = [cycle.certificate.method for cycle in cycles]
    assert methods.count("integer programme") > 3


def test_kernels_as_plain_python(skew):
    diagrams = persistence(skew)
    space = space_of(diagrams.complex)
    calls = []

    def record(name):
        compiled = getattr(_kernels, name)

        def run(*arguments):
            calls.append(name)
            return compiled.py_func(*arguments)

        return run

    compiled = space.tree
    ring = optimal_cycle(diagrams, 1, 20, method="shortest")
    vars(diagrams.complex).pop("_space_of_cycles")
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="raise"):
        for name in ("merge_tree", "shortest_path"):
            patch.setattr(_kernels, name, record(name))
        for a, b in zip(space_of(diagrams.complex).tree, compiled, strict=True):
            assert (a == b).all()
        again = optimal_cycle(diagrams, 1, 20, method="shortest")
    assert again.indices.tolist() == ring.indices.tolist()
    assert calls == ["merge_tree", "shortest_path"]


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0, 0), {}, "dimension=0: must be 1 for rings or 2"),
        ((3, 0), {}, "dimension=3: must be"),
        ((True, 0), {}, "dimension=True: must be"),
        ((1, 10**6), {}, "index=1000000: must be the number of a pair; dimension 1 has"),
        ((1, 1.0), {}, "index=1.0: must be the number"),
        ((2, None), {}, "index=None: must be"),
        ((1, 0), {"stability": -0.1}, "stability=-0.1: must be 0 or a positive number in Å²"),
        ((1, 0), {"stability": float("nan")}, "stability=nan: must be"),
        ((1, 0), {"stability": "much"}, "stability='much': must be"),
        ((1, 0), {"radius": 0.0}, "radius=0.0: must be a positive number in Å"),
        ((1, 0), {"max_radius": -3}, "max_radius=-3: must be a positive number in Å"),
        ((1, 0), {"method": "fast"}, "method='fast': must be 'optimal' or 'shortest'"),
        ((2, 0), {"method": "shortest"}, "method='shortest': finds rings"),
    ],
)
def test_bad_input(skew, arguments, options, message):
    with pytest.raises(ValueError, match=message):
        optimal_cycle(persistence(skew), *arguments, **options)


def test_more_bad_input(skew, glass):
    diagrams = persistence(skew)
    with pytest.raises(ValueError, match="diagrams=Atoms: must be PersistenceDiagrams"):
        optimal_cycle(skew, 1, 0)
    with pytest.raises(ValueError, match="name_or_box='C_P': named regions are"):
        cycles_in_region(diagrams, "C_P")
    with pytest.raises(ValueError, match="species='B': must be one of Si, O"):
        all_cycles(diagrams, 1, method="shortest").sizes("B")
    with pytest.raises(ValueError, match="index=-1000: must be the number of a pair"):
        cavity_tree(diagrams).children(-1000)
    with pytest.raises(ValueError, match="stability=-1: must be 0 or"):
        cavity_tree(diagrams).cycle(0, stability=-1)
    with pytest.raises(ValueError, match="no volume within 3 Å of the tri.*raise stability or rad"):
        optimal_cycle(glass["all"], 1, 26, radius=3)
    with pytest.raises(ValueError, match="more than 6 Å away from the triangle of death"):
        optimal_cycle(glass["all"], 1, 26, stability=0.0, max_radius=6)
    weighted = glass["all_w"]
    assert len(cycles_in_region(weighted, "C_P", method="shortest")) > 900
