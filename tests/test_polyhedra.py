"""Voronoi indices of crystals, whose vertices are degenerate, and of glasses, whose are not."""

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Voronoi

import glassnb as gn
from glassnb.linking import voronoi_indices

# What geometry says: rhombic and trapezo-rhombic dodecahedron, cube, truncated octahedron (whose
# vertices are simple), triakis truncated tetrahedron.
CRYSTALS = {
    "fcc": (bulk("Cu", "fcc", a=3.6), (0, 12, 0, 0)),
    "hcp": (bulk("Mg", "hcp", a=3.2, c=3.2 * np.sqrt(8 / 3)), (0, 12, 0, 0)),
    "sc": (bulk("Po", "sc", a=3.3), (0, 6, 0, 0)),
    "bcc": (bulk("Fe", "bcc", a=2.87), (0, 6, 0, 8)),
    "diamond": (bulk("Si", "diamond", a=5.43), (12, 0, 0, 4)),
}


def is_all(found, wanted):
    return (found[:, :4] == wanted).all() and not found[:, 4:].any()


@pytest.mark.parametrize("name", CRYSTALS)
def test_primitive_and_large_cells(name):
    primitive, wanted = CRYSTALS[name]
    for repeat in (1, 2, (1, 1, 3)):
        atoms = primitive * (repeat if isinstance(repeat, tuple) else (repeat,) * 3)
        found = voronoi_indices(atoms)
        assert found.shape == (len(atoms), max(4, found.shape[1]))
        assert is_all(found, wanted)


@pytest.mark.parametrize("name", CRYSTALS)
@settings(max_examples=8, deadline=None)
@given(
    rows=st.lists(st.integers(-2, 2), min_size=9, max_size=9).filter(
        lambda rows: 1 <= round(abs(np.linalg.det(np.reshape(rows, (3, 3))))) <= 9
    ),
    scale=st.sampled_from([0.7, 1.0, 4.0]),
    shift=st.floats(-9, 9),
    seed=st.integers(0, 10**6),
)
def test_any_setting_of_the_lattice_displaced(name, rows, scale, shift, seed):
    primitive, wanted = CRYSTALS[name]
    matrix = np.reshape(rows, (3, 3))
    atoms = make_supercell(primitive, matrix if np.linalg.det(matrix) > 0 else -matrix)
    atoms.set_cell(atoms.cell * scale, scale_atoms=True)
    atoms.translate([shift, -shift / 3, 1.0])
    assert is_all(voronoi_indices(atoms), wanted)
    random = np.random.default_rng(seed)
    displacement = random.normal(size=(len(atoms), 3))
    atoms.positions += 1e-4 * displacement / np.linalg.norm(displacement, axis=1)[:, None]
    assert is_all(voronoi_indices(atoms[random.permutation(len(atoms))]), wanted)


@pytest.mark.parametrize(
    "atoms",
    [
        gn.models.crystal("beta-cristobalite"),
        gn.models.crystal("alpha-quartz"),
        bulk("CaF2", "fluorite", a=5.46),
    ],
    ids=["cristobalite", "quartz", "fluorite"],
)
def test_equal_atoms_have_equal_polyhedra(atoms):
    """Sites that a symmetry makes equal; as many faces at Si from O as at O from Si."""
    found = voronoi_indices(atoms)
    symbols = np.asarray(atoms.symbols)
    for symbol in set(symbols):
        assert len(np.unique(found[symbols == symbol], axis=0)) == 1
    moved = atoms.copy()
    moved.rattle(1e-4, seed=4)
    np.testing.assert_array_equal(voronoi_indices(moved), found)


# -- glasses -------------------------------------------------------------------------------------


def packing(n=60, edge=9.0):
    """Points of which none are close, in a sheared periodic cell."""
    random = np.random.default_rng(3)
    cell = np.array([[edge, 0, 0], [2.0, edge, 0], [-1.0, 3.0, edge]])
    chosen = [random.random(3)]
    while len(chosen) < n:
        new = random.random(3)
        apart = np.array(chosen) - new
        if np.linalg.norm((apart - np.rint(apart)) @ cell, axis=1).min() > 1.2:
            chosen.append(new)
    return Atoms(f"Cu{n}", scaled_positions=chosen, cell=cell, pbc=True)


def naive_indices(atoms, tolerance):
    """Cells of scipy's Voronoi (Qhull) in 27 cells; of each face the flattest corner goes first."""
    images = np.stack(np.meshgrid(*[(0, -1, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    points = np.concatenate([atoms.positions + image @ atoms.cell for image in images])
    voronoi, n = Voronoi(points), len(atoms)
    polygons, volumes = [[] for _ in range(len(points))], np.zeros(len(points))
    for (i, j), corners in zip(voronoi.ridge_points, voronoi.ridge_vertices, strict=True):
        if -1 in corners or min(i, j) >= 8 * n:
            continue
        polygon = voronoi.vertices[corners]
        spokes = polygon - polygon[0]
        area = np.linalg.norm(np.cross(spokes[:-1], spokes[1:]).sum(axis=0)) / 2
        for k, other in ((i, j), (j, i)):
            polygons[k].append((other, polygon))
            volumes[k] += area * np.linalg.norm(points[i] - points[j]) / 6
    counts = np.zeros((n, 20), dtype=int)
    for k in range(n):
        for other, polygon in polygons[k]:
            limit = tolerance * np.cbrt((volumes[k] + volumes[other % n]) / 2)
            left = list(polygon)
            while left:
                heights = []
                for m, corner in enumerate(left):
                    a, b = left[m - 1], left[(m + 1) % len(left)]
                    along = (b - a) / max(np.linalg.norm(b - a), 1e-300)
                    t = np.clip((corner - a) @ along, 0, np.linalg.norm(b - a))
                    heights.append(np.linalg.norm(corner - a - t * along))
                if min(heights) >= limit:
                    break
                left.pop(int(np.argmin(heights)))
            if len(left) >= 3:
                counts[k, len(left) - 3] += 1
    return counts


@pytest.mark.parametrize("tolerance", [0, 1e-3, 0.02, 0.1])
def test_a_slow_and_plain_version(tolerance):
    atoms = packing()
    found = voronoi_indices(atoms, tolerance=tolerance)
    naive = naive_indices(atoms, tolerance)
    np.testing.assert_array_equal(found, naive[:, : found.shape[1]])
    assert not naive[:, found.shape[1] :].any()
    # nothing but the faces' own details has a say
    twice = voronoi_indices(atoms * (2, 1, 1), tolerance=tolerance)
    np.testing.assert_array_equal(twice, np.concatenate([found, found]))


def little_has_changed(atoms):
    """Against all sides and faces: what the docstring says of a metallic glass."""
    found = gn.topology.alpha_complex(atoms)
    every, kept = (voronoi_indices(found, tolerance=tolerance) for tolerance in (0, 1e-3))
    kept = np.pad(kept, ((0, 0), (0, every.shape[1] - kept.shape[1])))
    assert 0.02 < (kept != every).any(axis=1).mean() < 0.065
    assert every.sum(axis=1).mean() - kept.sum(axis=1).mean() < 0.015
    icosahedra = [(table[:, :4] == (0, 0, 12, 0)).all(axis=1).mean() for table in (every, kept)]
    assert abs(icosahedra[0] - icosahedra[1]) < 5e-4
    shares = [table.sum(axis=0) / table.sum() for table in (every, kept)]
    np.testing.assert_allclose(shares[0], shares[1], atol=3e-3)


def test_a_glass_of_copper_and_zirconium():
    little_has_changed(gn.models.load("metallic-CuZr-4000"))


def test_a_glass_of_palladium_and_silicon(shared_data):
    name = "own_Pd82Si18_4000_glass300K.extxyz"
    little_has_changed(ase.io.read(shared_data / "diffraction" / name))


@pytest.mark.parametrize("tolerance", [-0.1, 0.5, np.nan])
def test_bad_tolerance(tolerance):
    with pytest.raises(ValueError, match=r"tolerance=.*share of the polyhedron.*0.001"):
        voronoi_indices(packing(), tolerance=tolerance)


def test_a_structure_that_is_not_periodic():
    atoms = packing()
    atoms.pbc = (True, True, False)
    with pytest.raises(ValueError, match="pbc"):
        voronoi_indices(atoms)
