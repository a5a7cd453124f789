"""Densities around rings: a reference table, plain loops, an ideal gas, a crystal, symmetries.

The definition is ours (facts 1.3), after Shiga et al., Commun. Mater. 4, 91 (2023).
"""

import functools
import itertools
import operator
import warnings
from dataclasses import replace

import ase.io
import matplotlib.pyplot as plt
import numpy as np
import pytest
from ase import Atoms
from scipy.spatial.transform import Rotation

import glassnb as gn
from glassnb.core.jit import serial_kernels
from glassnb.core.structure import PairMapping
from glassnb.network import primitive_rings
from glassnb.network.rings import environment as module
from glassnb.network.rings.environment import ring_environment
from glassnb.network.rings.result import Rings

CUTOFF = {("Si", "O"): 2.0}
COUNTS = ("box_counts", "tube_counts", "shell_counts")
# primitive rings of n = 6 in the glass of amorphouspy, 3000 atoms, bins of 0.5 Å
TABLE = {
    2.25: (0.48, 0), 2.75: (0.51, 0), 3.25: (0.91, 0), 3.75: (1.69, 0.29), 4.25: (1.55, 1.22),
    4.75: (1.16, 0.74), 5.25: (1.03, 0.39), 5.75: (0.73, 0.99), 6.25: (0.84, 1.15),
    6.75: (0.99, 1.22), 7.75: (1.05, 0.91), 8.75: (1.10, 0.96),
}  # fmt: skip


@pytest.fixture(scope="module")
def glass(shared_data):
    """The glass and all its primitive rings up to n = 7."""
    atoms = ase.io.read(shared_data / "rings" / "apy_SiO2_3000.extxyz")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a few atoms have one bond
        return atoms, primitive_rings(atoms, cutoff=CUTOFF, max_size=14)


@pytest.fixture(scope="module")
def small():
    """A sheared, rattled crystal of 12 atoms in a triclinic cell, some atoms outside it."""
    return skewed()


def skewed():
    atoms = gn.models.crystal("alpha-cristobalite")
    shear = np.eye(3) + [[0.02, 0.13, 0.0], [0.0, 0.0, -0.21], [0.17, 0.0, 0.03]]
    rng = np.random.default_rng(5)
    atoms.set_cell(atoms.cell @ shear, scale_atoms=True)
    atoms.positions += rng.normal(0, 0.07, (len(atoms), 3))
    atoms.positions += rng.integers(-2, 3, (len(atoms), 3)) @ np.asarray(atoms.cell)
    return atoms


def find(atoms):
    """The rings of the skewed crystal, by a cutoff that leaves its bonds as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return primitive_rings(atoms, cutoff={("Si", "O"): 2.3}, max_size=14)


def polygons(atoms, corners):
    """Rings through given atoms, as they stand."""
    sizes = [len(ring) for ring in corners]
    return Rings(
        "king", 40, np.concatenate([[0], np.cumsum(sizes)]), np.concatenate(corners),
        np.zeros((sum(sizes), 3), dtype=np.int32), atoms, ("Si",), PairMapping({}),
        np.ones(len(atoms), dtype=bool), np.zeros((len(atoms), 41), dtype=bool),
        np.empty((0, 3), dtype=np.int64),
    )  # fmt: skip


def assert_same(one, other):
    for name in COUNTS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    np.testing.assert_allclose(one.shell_cos2, other.shell_cos2, atol=1e-6)
    np.testing.assert_allclose(one.expected, other.expected)


# -- numbers -------------------------------------------------------------------------------------


def test_reference_table(glass):
    around = ring_environment(*glass, size=6, r_max=10, bin_width=0.5)
    assert around.n_rings == 502
    at = np.searchsorted(around.edges, list(TABLE)) - 1
    normal, plane = np.array(list(TABLE.values())).T
    np.testing.assert_allclose(around.profile("normal")[at], normal, atol=0.0051)
    np.testing.assert_allclose(around.profile("plane")[at], plane, atol=0.0051)
    peak = around.anisotropy()
    assert peak["position"] == pytest.approx(4.0, abs=0.15)
    assert peak["height"] == pytest.approx(1.69, abs=0.01)
    assert peak["ratio"] > 4
    assert peak["p2"] > 0.1


def slow(atoms, rings, r_max, n, own_atoms):
    """Counts by plain NumPy: every image of every atom, in the frame of an SVD."""
    cell = np.asarray(atoms.cell)
    fractional = atoms.positions @ np.linalg.inv(cell)
    spread = np.abs(fractional).max(axis=0) + np.sqrt(3) * r_max * np.linalg.norm(
        np.linalg.inv(cell), axis=0
    )
    images = list(itertools.product(*(range(-m, m + 1) for m in np.ceil(spread).astype(int) + 3)))
    points = (atoms.positions[None] + (np.array(images) @ cell)[:, None]).reshape(-1, 3)
    keys = [(i, image) for image in images for i in range(len(atoms))]
    symbols = np.tile(atoms.get_chemical_symbols(), len(images))
    edges = np.linspace(0, r_max, n + 1)
    boxes, tubes, shells, cos2s = [], [], [], []
    for species in ("Si", "O"):
        box, tube = np.zeros((n, n, n), dtype=int), np.zeros((n, n), dtype=int)
        shell, cos2 = np.zeros((3, n), dtype=int), np.zeros(n)
        for k in range(len(rings)):
            corners = rings.polygon(k)
            axes = np.linalg.svd(corners - corners.mean(axis=0))[2]
            entries = range(rings.offsets[k], rings.offsets[k + 1])
            own = {(int(rings.indices[e]), tuple(rings.images[e].tolist())) for e in entries}
            x = np.abs((points - corners.mean(axis=0)) @ axes.T)
            near = np.flatnonzero((symbols == species) & (x < r_max).all(axis=1))
            if not own_atoms:
                near = np.array([p for p in near if keys[p] not in own])
            x = x[near]
            rho, r = np.hypot(x[:, 0], x[:, 1]), np.linalg.norm(x, axis=1)
            box += np.histogramdd(x, [edges] * 3)[0].astype(int)
            tube += np.histogram2d(rho, x[:, 2], edges)[0].astype(int)
            chosen = (r < np.inf, x[:, 2] / r > 0.9, x[:, 2] / r < 0.1)
            shell += [np.histogram(r[some], edges)[0] for some in chosen]
            cos2 += np.histogram(r, edges, weights=(x[:, 2] / r) ** 2)[0]
        boxes.append(box)
        tubes.append(tube)
        shells.append(shell)
        cos2s.append(cos2)
    return np.array(boxes), np.array(tubes), np.array(shells), np.array(cos2s)


@pytest.mark.parametrize("own_atoms", [False, True])
def test_equals_plain_loops_in_a_cell_smaller_than_the_range(small, own_atoms):
    rings = find(small)
    assert len(rings) >= 4
    assert gn.core.half_box(small) < 7.0
    around = ring_environment(small, rings, r_max=7.0, bin_width=0.35, own_atoms=own_atoms)
    boxes, tubes, shells, cos2 = slow(small, rings, 7.0, 20, own_atoms)
    np.testing.assert_array_equal(around.box_counts, boxes)
    np.testing.assert_array_equal(around.tube_counts, tubes)
    np.testing.assert_array_equal(around.shell_counts, shells)
    np.testing.assert_allclose(around.shell_cos2, cos2, atol=1e-6)


def test_own_atoms_are_left_out_by_image(small):
    """A ring of 12 atoms winds through a cell of 12 atoms: its images are others' atoms."""
    rings = find(small)
    without = ring_environment(small, rings, r_max=7.0)
    with_own = ring_environment(small, rings, r_max=7.0, own_atoms=True)
    missing = with_own.shell_counts[:, 0].sum() - without.shell_counts[:, 0].sum()
    assert missing == rings.sizes.sum()


def around_rings_in_gas(seed):
    """Rings of germanium, turned at random, in a gas of helium in a skewed cell."""
    rng = np.random.default_rng(seed)
    cell = 36 * np.array([[1, 0, 0], [0.3, 1, 0], [-0.2, 0.25, 1.1]])
    n_rings, n_gas = 300, 12000
    angle = np.arange(6) * np.pi / 3
    ring = np.stack([2.6 * np.cos(angle), 2.0 * np.sin(angle), 0.3 * (-1.0) ** np.arange(6)], 1)
    centres = rng.random((n_rings, 3)) @ cell
    turned = Rotation.random(n_rings, rng=rng).as_matrix()
    corners = (ring @ turned + centres[:, None]).reshape(-1, 3)
    gas = rng.random((n_gas, 3)) @ cell
    symbols = ["Ge"] * len(corners) + ["He"] * n_gas
    atoms = Atoms(symbols, np.concatenate([corners, gas]), cell=cell, pbc=True)
    rings = polygons(atoms, np.arange(len(corners)).reshape(-1, 6))
    around = ring_environment(atoms, rings, species="He", r_max=8.0, bin_width=0.5)
    assert around.expected == pytest.approx(n_rings * n_gas / abs(np.linalg.det(cell)))
    return around


def test_ideal_gas_gives_one_everywhere():
    around = functools.reduce(operator.add, map(around_rings_in_gas, range(6)))
    assert (around.n_frames, around.n_rings) == (6, 1800)
    everything = {
        "normal": around.profile("normal"), "plane": around.profile("plane"),
        "all": around.profile("all"), "tube": around.cylindrical(), "box": around.map3d(),
        "section": around.section("xz"),
    }  # fmt: skip
    expected = {
        name: around.expected[0] * around._volumes(name) for name in ("all", "normal", "plane")
    }
    ring_area = np.pi * np.diff(around.edges**2)
    expected["tube"] = around.expected[0] * ring_area[:, None] * np.full(16, 2 * 0.5)
    expected["box"] = np.full((16, 16, 16), around.expected[0] * 8 * 0.5**3)
    expected["section"] = 1 * expected["box"][0]
    for name, density in everything.items():
        usable = expected[name] > 20
        deviation = (density - 1)[usable] * np.sqrt(expected[name][usable])
        assert np.abs(np.average(density, weights=expected[name]) - 1) < 0.01, name
        # noise of counting: a reduced chi² of 1, within four standard deviations
        assert np.abs(np.mean(deviation**2) - 1) < 4 * np.sqrt(2 / usable.sum()) + 0.05, name
        assert np.abs(deviation).max() < 5.5, name
    assert np.abs(around.p2()[4:]).max() < 0.05


def test_ideal_beta_cristobalite():
    """On the normal of a ring the nearest silicon lies 3/8 of the cube's diagonal away."""
    atoms = gn.models.crystal("beta-cristobalite")
    rings = primitive_rings(atoms, cutoff=2.0, max_size=12)
    around = ring_environment(atoms, rings, size=6, r_max=8.0, bin_width=0.1)
    a = atoms.cell.lengths()[0]
    distance = 3 / 8 * np.sqrt(3) * a
    on_normal = around.tube_counts[0][0]
    first = np.flatnonzero(on_normal)[0]
    assert around.edges[first] < distance < around.edges[first + 1]
    assert on_normal[first] == 2 * around.n_rings
    # a threefold axis turns any pair of in-plane axes: x² and y² are alike over the ring's frame
    assert around.extent[0] == pytest.approx(around.extent[1], rel=1e-6)
    # every ring is alike, so that counts are multiples of the number of rings
    for name in ("tube_counts", "shell_counts"):
        assert not (getattr(around, name) % around.n_rings).any(), name


# -- symmetries ----------------------------------------------------------------------------------


def moved(atoms, how):
    """The same structure in other words."""
    other = atoms.copy()
    if how == "translated":
        other.positions += [3.1, -7.7, 1.3]
    elif how == "wrapped":
        other.wrap()
    elif how == "rotated":
        turn = Rotation.from_euler("xyz", [0.3, -1.1, 2.0]).as_matrix()
        other.set_cell(np.asarray(atoms.cell) @ turn)
        other.positions = atoms.positions @ turn
    elif how == "reordered":
        other = other[np.random.default_rng(2).permutation(len(atoms))]
    elif how == "other vectors":
        other.set_cell([[1, 0, 0], [1, 1, 0], [0, -1, 1]] @ np.asarray(atoms.cell))
    return other


@pytest.mark.parametrize("how", ["translated", "wrapped", "rotated", "reordered", "other vectors"])
def test_does_not_depend_on_how_it_is_written(small, how):
    other = moved(small, how)
    one = ring_environment(small, find(small), r_max=6.0)
    assert_same(one, ring_environment(other, find(other), r_max=6.0))


def test_supercell_gives_the_same_densities(small):
    large = small * (2, 2, 2)
    one = ring_environment(small, find(small), r_max=6.0)
    other = ring_environment(large, find(large), r_max=6.0)
    assert other.n_rings == 8 * one.n_rings
    for name in COUNTS:
        np.testing.assert_array_equal(getattr(other, name), 8 * getattr(one, name))
    np.testing.assert_allclose(other.map3d("O"), one.map3d("O"))
    np.testing.assert_allclose(other.p2(), one.p2(), equal_nan=True)


# -- the same by any way of working ----------------------------------------------------------------


def test_chunks_threads_and_batches(glass, monkeypatch):
    options = {"size": 6, "r_max": 6.0, "bin_width": 0.5}
    one = ring_environment(*glass, **options)
    with serial_kernels():
        assert_same(one, ring_environment(*glass, **options))
    for threads in (1, 3, 7):
        monkeypatch.setattr(module, "thread_count", lambda threads=threads: threads)
        other = ring_environment(*glass, **options)
        assert_same(one, other)
        np.testing.assert_array_equal(one.shell_cos2, other.shell_cos2)
    monkeypatch.setattr(module, "_BATCH", 100)
    seen = []
    other = ring_environment(*glass, **options, progress=lambda done, total, _: seen.append(done))
    assert seen == [1, 2, 3, 4, 5, 6]
    assert_same(one, other)


def test_cluster(small):
    from distributed import Client

    rings = find(small)
    with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None) as on:
        assert_same(
            ring_environment(small, rings, r_max=5.0, client=on),
            ring_environment(small, rings, r_max=5.0),
        )
    with pytest.raises(ValueError, match="client="):
        ring_environment(small, rings, r_max=5.0, client="here")


def test_species_sizes_and_sums(glass):
    atoms, rings = glass
    options = {"r_max": 6.0, "bin_width": 0.5}
    both = ring_environment(atoms, rings, size=(5, 6), **options)
    five = ring_environment(atoms, rings, size=5, **options)
    six = ring_environment(atoms, rings.select(former_size=6), **options)
    assert_same(six, ring_environment(atoms, rings, size=12, counting="nodes", **options))
    total = five + six
    assert_same(both, total)
    assert (total.n_rings, total.n_frames, total.sizes) == (both.n_rings, 2, (5, 6))
    np.testing.assert_allclose(total.extent, both.extent)
    oxygen = ring_environment(atoms, rings, size=6, species="O", **options)
    np.testing.assert_array_equal(oxygen.map3d(), six.map3d("O"))
    share = six.expected / six.expected.sum()
    together = share[0] * six.profile("normal", "Si") + share[1] * six.profile("normal", "O")
    np.testing.assert_allclose(six.profile("normal"), together)
    with pytest.raises(ValueError, match="symbols"):
        six + oxygen
    with pytest.raises(ValueError, match="edges"):
        six + ring_environment(atoms, rings, size=6, r_max=5.0, bin_width=0.5)
    with pytest.raises(TypeError):
        six + 1


# -- what results can do ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def around(glass):
    return ring_environment(*glass, size=6)


def test_sections_are_slices_of_the_map(around):
    cube = around.map3d("Si")
    assert cube.shape == (40, 40, 40)
    np.testing.assert_allclose(around.section("xz", "Si"), cube[:, :2].mean(axis=1))
    np.testing.assert_allclose(around.section("zx", "Si"), cube[:, :2].mean(axis=1).T)
    np.testing.assert_allclose(around.section("yz", "Si", thickness=0.01), cube[0])
    np.testing.assert_allclose(around.section("xy", "Si", thickness=20), cube.mean(axis=2))
    for plane in ("xx", "x", "xw", "xyz"):
        with pytest.raises(ValueError, match="plane="):
            around.section(plane)
    for thickness in (0, -1, 21, np.nan):
        with pytest.raises(ValueError, match="thickness="):
            around.section(thickness=thickness)


def test_profiles_and_peaks(around):
    widest = replace(around, cones=(0.0, 1.0))
    assert widest._volumes("normal") == pytest.approx(widest._volumes("plane"))
    silicon, oxygen = around.anisotropy("Si"), around.anisotropy("O")
    assert silicon["position"] == pytest.approx(3.7, abs=0.1)
    assert silicon["plane"] == 0
    assert silicon["ratio"] == np.inf
    assert silicon["p2"] > 0.5 > oxygen["p2"]
    nothing = replace(around, shell_counts=np.zeros_like(around.shell_counts))
    assert all(np.isnan(value) for value in nothing.anisotropy().values())
    assert np.isnan(nothing.p2()).all()
    with pytest.raises(ValueError, match="direction="):
        around.profile("up")
    for method in (around.map3d, around.cylindrical, around.p2, around.anisotropy):
        with pytest.raises(ValueError, match=r"species='Ge': was not counted; there are Si, O"):
            method("Ge")


def test_table_and_file(around, tmp_path):
    table = around.to_frame()
    assert list(table.columns) == ["r", "species", "normal", "plane", "p2"]
    assert len(table) == 3 * 40
    rows = table[table["species"] == "Si"]
    np.testing.assert_array_equal(rows["normal"], around.profile("normal", "Si"))
    around.save(tmp_path / "rings.npz")
    with np.load(tmp_path / "rings.npz") as saved:
        np.testing.assert_array_equal(saved["map3d"][0], around.map3d())
        np.testing.assert_array_equal(saved["cylindrical"][2], around.cylindrical("O"))
        np.testing.assert_array_equal(saved["shell_counts"], around.shell_counts)
        assert saved["n_rings"] == 502
        assert '"glassnb"' in str(saved["provenance"])
    assert "502 rings of 6 formers, without" in repr(around)


def test_pictures(around):
    ax = around.plot(species="Si")
    assert ax.get_ylabel() == "Si density / mean"
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), around.profile("normal", "Si"))
    ax = around.plot_map(smoothing=0)
    values = np.asarray(ax.collections[0].get_array())
    assert values.shape == (80, 80)
    np.testing.assert_array_equal(values, values[::-1, ::-1])
    np.testing.assert_array_equal(values[40:, 40:], around.cylindrical().T)
    assert ax.get_aspect() == 1
    assert ax.child_axes[0].get_ylabel() == "density / mean"
    ax = around.plot_map(plt.subplots()[1], "O", plane="zy")
    assert ax.get_xlabel() == "along the normal (Å)"
    assert ax.child_axes[0].get_ylabel() == "O density / mean"
    with pytest.raises(ValueError, match="smoothing="):
        around.plot_map(smoothing=-1)
    plt.close("all")


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"species": "Ge"}, "species='Ge': must name species of the structure: Si, O"),
        ({"species": ()}, r"species=\(\)"),
        ({"size": 9}, "size=9: there is no ring of 9 network formers; there are rings of "),
        ({"size": 9, "counting": "nodes"}, "no ring of 9 atoms; there are rings of 1"),
        ({"size": ()}, "size="),
        ({"counting": "atoms"}, "counting='atoms'"),
        ({"r_max": 0}, "r_max=0: must be a positive"),
        ({"r_max": np.inf}, "r_max=inf"),
        ({"bin_width": -0.1}, "bin_width=-0.1: must be a positive"),
        ({"bin_width": 11}, "bin_width=11: must not be wider than r_max=10"),
        ({"bin_width": 0.01}, "bin_width=0.01: is too fine, .* choose at least 0.0"),
        ({"normal_cone": 1}, "normal_cone=1"),
        ({"plane_cone": 0}, "plane_cone=0"),
    ],
)
def test_bad_numbers_are_named(small, options, message):
    with pytest.raises(ValueError, match=message):
        ring_environment(small, find(small), **options)


def test_other_structures_are_refused(small):
    rings = find(small)
    with pytest.raises(ValueError, match="24 atoms, but the rings were found in a structure of 12"):
        ring_environment(small * (2, 1, 1), rings)
    for change, message in (("wrapped", "was the structure wrapped"), ("reordered", "atoms: atom")):
        with pytest.raises(ValueError, match=message):
            ring_environment(moved(small, change), rings)
    other = small.copy()
    other.set_cell(other.cell * 1.1)
    with pytest.raises(ValueError, match="its cell is not the one"):
        ring_environment(other, rings)
    with pytest.raises(ValueError, match="rings=list: must be Rings"):
        ring_environment(small, [])
    with pytest.raises(ValueError, match="rings: there are none"):
        ring_environment(small, rings.select([]))
    cluster = small.copy()
    cluster.pbc = False
    with pytest.raises(ValueError, match="must be periodic in all three directions"):
        ring_environment(cluster, replace(rings, atoms=cluster))
