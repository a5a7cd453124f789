"""Which domains there are does not depend on the grid: its fineness, its setting, its origin."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

import glassnb as gn
from glassnb.network.cavity import _kernels, cavities
from glassnb.network.cavity.grid import components, distances, make_grid

FCC, BCC = bulk("Cu", "fcc", a=3.6), bulk("Fe", "bcc", a=3.2)
# The widest places and the necks between them are centres of tetrahedra and triangles of atoms.
# fcc: octahedra a/2 = 1.8 (one an atom), tetrahedra sqrt(3)/4 a = 1.559 (two), necks a/sqrt(6) =
# 1.470; bcc: tetrahedra sqrt(5)/4 a = 1.789 (six), necks 0.530 a = 1.697. 0: all is one.
EXPECTED = [
    (FCC, 1.30, 0), (FCC, 1.45, 0), (FCC, 1.50, 3), (FCC, 1.60, 1), (FCC, 1.75, 1), (FCC, 1.81, -1),
    (BCC, 1.65, 0), (BCC, 1.72, 6), (BCC, 1.80, -1),
]  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    case=st.sampled_from(EXPECTED),
    rows=st.lists(st.integers(-2, 2), min_size=9, max_size=9).filter(
        lambda rows: 1 <= round(abs(np.linalg.det(np.reshape(rows, (3, 3))))) <= 6
    ),
    resolution=st.integers(14, 60),
    shift=st.tuples(*[st.floats(-5, 5)] * 3),
)
def test_crystals_in_any_setting_on_any_grid(case, rows, resolution, shift):
    crystal, radius, per_atom = case
    matrix = np.reshape(rows, (3, 3))
    atoms = make_supercell(crystal, matrix if np.linalg.det(matrix) > 0 else -matrix)
    atoms.translate(shift)
    found = cavities(atoms, radii=radius, resolution=resolution)
    assert len(found) == (1 if per_atom == 0 else max(0, per_atom) * len(atoms))
    # of voids that are alike none differs by more than the points on its surface
    if per_atom == 1:
        points = found.volumes / found.voxel
        assert np.ptp(points) <= 3 * points.mean() ** (2 / 3) + 2


@pytest.mark.parametrize(
    "matrix", [np.eye(3), [[-1, 1, 1], [1, -1, 1], [1, 1, -1]], np.diag([1, 2, 3])]
)
@pytest.mark.parametrize("resolution", [16, 24, 33, 40, 64])
def test_volumes_of_one_crystal(matrix, resolution):
    """fcc below triple overlap: 1 - (4/3 pi r^3 - 6 lenses) / volume of an atom."""
    radius, d = 1.40, 3.6 / np.sqrt(2)
    lens = np.pi * (4 * radius + d) * (2 * radius - d) ** 2 / 12
    expected = 1 - (4 / 3 * np.pi * radius**3 - 6 * lens) / (3.6**3 / 4)
    atoms = make_supercell(FCC, matrix)
    found = cavities(atoms, radii=radius, resolution=resolution)
    assert len(found) == 1
    # a layer of a quarter of the points' distance on all surfaces
    error = found.surface_areas.sum() * found.spacing.max() / 4
    assert found.void_volume == pytest.approx(expected * atoms.get_volume(), abs=error)


def test_a_glass_has_as_many_on_every_grid():
    glass = gn.models.load("silica-pristine-648")
    numbers = set()
    for resolution in (32, 47, 64):
        moved = glass.copy()
        moved.translate([0.1 * resolution, 1.0, -0.3])
        numbers.add(len(cavities(moved, radii=2.5, resolution=resolution)))
    doubled = len(cavities(glass * (1, 1, 2), radii=2.5, resolution=60))
    assert len(numbers) == 1
    assert doubled == 2 * numbers.pop()


@pytest.mark.parametrize("seed", range(4))
def test_two_radii_in_a_skew_cell(seed):
    """Against the connected points of a grid fine enough to see every neck that is there."""
    random = np.random.default_rng(seed)
    cell = np.array([[6.0, 0, 0], [2.0, 5.5, 0], [-1.5, 1.0, 5.0]])
    atoms = Atoms("Si3O6", random.random((9, 3)) @ cell, cell=cell, pbc=True)
    radii = {"Si": 1.7, "O": 1.3}
    found = cavities(atoms, radii=radii, resolution=20)
    grid = make_grid(atoms, 160, 1.3)
    places = atoms.cell.scaled_positions(atoms.positions) * grid.shape - 0.5
    species = (atoms.symbols == "O").astype(int)
    limits = np.array([radii["Si"], radii["O"]])
    _, void = distances(grid, places, species, limits)
    labels = components(void)
    _, deep = distances(grid, places, species, limits + 0.04)
    assert len(found) == np.unique(labels[deep]).size


def test_a_void_between_the_points_of_the_grid():
    """An octahedral void of 0.1 Å, on a grid of 0.45 Å that misses it, has one point."""
    atoms = FCC * (2, 2, 2)
    atoms.translate([0.13, 0.05, -0.2])
    found = cavities(atoms, radii=1.7, resolution=11)
    assert len(found) == 8
    np.testing.assert_array_equal(np.rint(found.volumes / found.voxel), 1)
    # what lies between the points makes no difference to the whole
    points = (np.indices(found.labels.shape).reshape(3, -1).T + 0.5) / found.labels.shape
    away = cdist(points @ found.cell, (atoms * (3, 3, 3)).positions - atoms.cell.sum(axis=0))
    assert found.void_volume == pytest.approx((away.min(axis=1) > 1.7).sum() * found.voxel)
    assert found.n_stand_ins > 0
    place = found.centres[:, None] - atoms.positions - np.array([1.8, 0, 0])
    fractions = place @ np.linalg.inv(FCC.cell)
    near = (fractions - np.rint(fractions)) @ np.asarray(FCC.cell)
    assert np.linalg.norm(near, axis=2).max() < found.spacing.max()


def test_the_kernel_as_plain_python(monkeypatch):
    atoms = gn.models.crystal("alpha-quartz")
    compiled = cavities(atoms, radii=1.8, resolution=14)
    monkeypatch.setattr(_kernels, "inside", _kernels.inside.py_func)
    with np.errstate(all="raise"):
        plain = cavities(atoms, radii=1.8, resolution=14)
    np.testing.assert_array_equal(plain.labels, compiled.labels)
