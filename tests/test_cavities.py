"""Cavities: SOVA's numbers on its own grid, geometries with known answers, symmetries, bad input.

sovapy 0.8.3 (MIT) holds pyMolDyn's algorithm. In a cubic cell its grid of ``resolution`` points has
``resolution - 4`` in the cell and is periodic, so that a comparison can be exact, point by point.
"""

import contextlib
import io
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.spatial.distance import cdist

import glassnb as gn
from glassnb.network.cavity import _kernels, cavities
from glassnb.network.cavity.grid import Grid, components, farthest, grow, nearest, surface_areas

KINDS = ("domain", "surface", "centre")


@pytest.fixture(scope="module")
def glass():
    return gn.models.load("silica-pristine-648")


# -- SOVA ----------------------------------------------------------------------------------------


def sova(atoms, radii, resolution):
    """Domains, surface-based and centre-based cavities by sovapy, without its cache on disk."""
    data = pytest.importorskip("sovapy.core.data")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # it uses numpy.matrix
        return _sova(data, atoms, radii, resolution)


def _sova(data, atoms, radii, resolution):
    from sovapy.computation.cavity_calculation import algorithm, discretization
    from sovapy.core import volumes

    lengths = [float(length) for length in atoms.cell.lengths()]
    cubic = np.allclose(lengths, lengths[0])
    box = volumes.CubicVolume(lengths[0]) if cubic else volumes.OrthorhombicVolume(*lengths)
    theirs = data.Atoms(atoms.positions.tolist(), radii, list(atoms.symbols), box)
    grid = discretization.Discretization(box, resolution)
    placed = discretization.AtomDiscretization(theirs, grid)
    domains = algorithm.DomainCalculation(grid, placed)
    surface = algorithm.CavityCalculation(domains)
    again = algorithm.FakeDomainCalculation(grid, placed, SimpleNamespace(domains=domains))
    centre = algorithm.CavityCalculation(again, use_surface_points=False)
    return domains, surface, centre


def on_our_grid(marked, n):
    """Their grid without its spare points, with our origin: theirs is the middle of the cell."""
    return np.roll(marked[2:-2, 2:-2, 2:-2], (n // 2,) * 3, (0, 1, 2))


@pytest.fixture(
    scope="module",
    params=[(32, {"Si": 2.5, "O": 2.5}), (48, {"Si": 3.0, "O": 2.4}), (48, {"Si": 2.8, "O": 2.8})],
    ids=["coarse", "two-radii", "default-radius"],
)
def case(request, glass):
    resolution, radii = request.param
    return resolution - 4, radii, sova(glass, radii, resolution)


def test_domains_are_those_of_sova(case, glass):
    n, radii, (domains, _, _) = case
    ours = cavities(glass, radii=radii, resolution=n, snap=True)
    assert len(ours) == len(domains.domain_volumes) >= 14
    np.testing.assert_allclose(ours.volumes, np.sort(domains.domain_volumes)[::-1], rtol=1e-9)
    theirs = on_our_grid(domains.grid, n)
    np.testing.assert_array_equal(ours.labels >= 0, theirs < 0)
    # one of ours for each of theirs: the regions are the same ones
    assert len(set(zip(ours.labels.ravel(), np.minimum(theirs, 0).ravel(), strict=True))) == (
        len(ours) + 1
    )


def test_surface_cavities_are_those_of_sova(case, glass):
    """The same points; as many cavities, once theirs are joined through the faces of the cell."""
    n, radii, (_, surface, _) = case
    ours = cavities(glass, kind="surface", radii=radii, resolution=n, snap=True)
    theirs = np.maximum(-on_our_grid(surface.grid3, n), 0)
    np.testing.assert_array_equal(ours.labels >= 0, theirs > 0)
    assert sum(surface.multicavity_volumes) == pytest.approx(ours.void_volume, rel=1e-12)
    joined = components(theirs)
    volumes = np.sort(np.bincount(joined.ravel())[1:])[::-1] * ours.voxel
    np.testing.assert_allclose(ours.volumes, volumes, rtol=1e-9)
    assert len(ours) <= len(surface.multicavities)
    if n == 44:  # in the coarse case two of theirs touch through a face
        np.testing.assert_allclose(
            ours.volumes, np.sort(surface.multicavity_volumes)[::-1], rtol=1e-9
        )


def test_centre_cavities_are_those_of_sova(case, glass):
    """From their centres, the same points; they miss those farther than their search reaches.

    On integer coordinates several points of a domain are equally far from all atoms, and which of
    them is the centre is a matter of order: the volume of all cavities then differs by 3 %.
    """
    n, radii, (domains, _, centre) = case
    shape = (n, n, n)
    ours = cavities(glass, kind="centre", radii=radii, resolution=n, snap=True)
    assert sum(centre.multicavity_volumes) == pytest.approx(ours.void_volume, rel=0.04)
    assert abs(len(centre.multicavities) - len(ours)) <= 2

    grid = Grid(np.eye(3) * n, shape)
    atoms = np.floor(glass.cell.scaled_positions(glass.positions) * n)
    squared, _ = nearest(grid, atoms, 12.0)  # in steps: no point is farther from all atoms
    assert np.isfinite(squared).all()
    labels = np.maximum(-on_our_grid(domains.grid, n), 0).astype(np.int32)
    theirs = np.ravel_multi_index(((np.array(domains.centers) - 2 + n // 2) % n).T, shape)
    np.testing.assert_array_equal(
        squared.ravel()[theirs], squared.ravel()[farthest(labels, squared)]
    )
    grown = grow(grid, theirs, labels, squared) > 0
    found = on_our_grid(centre.grid3, n) < 0
    assert not (found & ~grown).any()
    missed = grown & ~found
    cutoff = max(np.floor(radius * n / glass.cell.lengths()[0] + 0.5) for radius in radii.values())
    assert missed.sum() <= 5
    assert (squared[missed] > cutoff**2).all()


def test_a_tetragonal_cell_agrees_within_the_error_of_their_grid():
    """Their cubic grid does not divide this cell: it holds 0.6 % more points than fit."""
    atoms = gn.models.crystal("alpha-cristobalite", (4, 4, 2))
    atoms.rattle(0.15, seed=0)
    domains, surface, _ = sova(atoms, 2.0, 64)
    for kind, volumes in (
        ("domain", domains.domain_volumes),
        ("surface", surface.multicavity_volumes),
    ):
        ours = cavities(atoms, kind=kind, radii=2.0, resolution=60, snap=True)
        assert sum(volumes) == pytest.approx(ours.void_volume, rel=0.08)


# -- geometry ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("radius", "domains"), [(1.2, 1), (1.9, 1), (2.3, 1)])
def test_simple_cubic_spheres(radius, domains):
    """1 - 4/3 pi r^3 / a^3 below contact at a/2, then minus three lenses for each sphere."""
    a = 4.0
    atoms = bulk("Po", "sc", a=a)
    found = cavities(atoms, radii=radius, resolution=100)
    lens = np.pi * (4 * radius + a) * (2 * radius - a) ** 2 / 12 if radius > a / 2 else 0.0
    expected = 1 - (4 / 3 * np.pi * radius**3 - 3 * lens) / a**3
    assert len(found) == domains
    assert found.fraction == pytest.approx(expected, abs=2e-3)
    # the void is deepest in the middle of the cube
    np.testing.assert_allclose(found.centres[0], a / 2, atol=found.spacing.max())
    assert found.clearances[0] == pytest.approx(a * np.sqrt(3) / 2, abs=found.spacing.max())
    if radius < a / 2:
        assert found.surface_areas[0] == pytest.approx(4 * np.pi * radius**2, rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_a_vacancy_is_one_cavity(kind):
    """An fcc crystal has no point farther than a/2 = 1.95 Å from all atoms, but in a vacancy."""
    crystal = bulk("Pd", cubic=True) * 3
    assert len(cavities(crystal, kind=kind, radii=2.1, resolution=48)) == 0
    hole = crystal.positions[17].copy()
    del crystal[17]
    found = cavities(crystal, kind=kind, radii=2.1, resolution=48)
    assert len(found) == 1
    assert np.linalg.norm(found.centres[0] - hole) <= found.spacing.max()
    assert found.clearances[0] == pytest.approx(3.89 / np.sqrt(2), abs=found.spacing.max())


def test_cavities_are_all_points_nearer_to_a_seed_than_to_an_atom():
    """A slow and plain version, in a sheared cell that is smaller than the radii."""
    rng = np.random.default_rng(5)
    cell = np.array([[6.0, 0, 0], [2.0, 5.5, 0], [-1.5, 1.0, 5.0]])
    atoms = Atoms("Si3O", rng.random((4, 3)) @ cell, cell=cell, pbc=True)
    radii = {"Si": 2.3, "O": 1.9}
    domain, surface, centre = (
        cavities(atoms, kind=kind, radii=radii, resolution=10) for kind in KINDS
    )
    shape = domain.labels.shape
    points = (np.indices(shape).reshape(3, -1).T + 0.5) / shape @ cell
    images = (np.indices((5, 5, 5)).reshape(3, -1).T - 2) @ cell

    def distance(to):
        return cdist(points, (to[:, None] + images).reshape(-1, 3)).reshape(
            len(points), len(to), -1
        ).min(axis=2)  # fmt: skip

    to_atoms = distance(atoms.positions)
    void = (to_atoms > [radii[symbol] for symbol in atoms.symbols]).all(axis=1)
    assert 0 < void.sum() < len(points)
    np.testing.assert_array_equal(domain.labels.ravel() >= 0, void)
    near_domain = distance(points[void]).min(axis=1) < to_atoms.min(axis=1)
    np.testing.assert_array_equal(surface.labels.ravel() >= 0, void | near_domain)
    near_centre = distance(domain.centres).min(axis=1) < to_atoms.min(axis=1)
    np.testing.assert_array_equal(centre.labels.ravel() >= 0, near_centre)
    for k in range(len(domain)):
        inside = to_atoms[domain.labels.ravel() == k].min(axis=1)
        assert domain.clearances[k] == pytest.approx(inside.max())


def test_the_kernel_as_plain_python(monkeypatch):
    """The same answer, and indices that Python would have checked."""
    atoms = gn.models.crystal("alpha-quartz")
    options = {"kind": "surface", "radii": 1.8, "resolution": 12}
    compiled = cavities(atoms, **options)
    monkeypatch.setattr(_kernels, "nearest", _kernels.nearest.py_func)
    with np.errstate(all="raise"):
        plain = cavities(atoms, **options)
    np.testing.assert_array_equal(plain.labels, compiled.labels)
    np.testing.assert_allclose(plain.clearances, compiled.clearances, rtol=1e-12)


@pytest.mark.parametrize(
    "cell", [np.eye(3) * 20, np.array([[20.0, 0, 0], [6, 19, 0], [-4, 7, 18]])]
)
@pytest.mark.parametrize("radius", [2.0, 4.0])
def test_the_surface_of_a_sphere(cell, radius):
    grid = Grid(cell, (40, 40, 40))
    rng = np.random.default_rng(1)
    for centre in rng.random((4, 1, 3)) * 40:
        squared, _ = nearest(grid, centre, radius)
        area = surface_areas((squared < radius**2).astype(np.int32), grid)
        assert area == pytest.approx([4 * np.pi * radius**2], rel=0.03)


def test_volumes_converge_where_rounding_does_not(glass):
    fine = cavities(glass, radii=2.5, resolution=128).void_volume
    for resolution in (48, 60):
        assert cavities(glass, radii=2.5, resolution=resolution).void_volume == pytest.approx(
            fine, rel=0.02
        )
    snapped = cavities(glass, radii=2.5, resolution=48, snap=True).void_volume
    assert abs(snapped / fine - 1) > 0.2


# -- symmetry ------------------------------------------------------------------------------------


@pytest.mark.parametrize("snap", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_shift_by_grid_steps_changes_nothing(glass, kind, snap):
    before = cavities(glass, kind=kind, radii=2.6, resolution=40, snap=snap)
    moved = glass.copy()
    moved.positions += 1e-7  # away from the edge at which positions are rounded
    moved.positions += before.spacing * [7, -3, 55]
    after = cavities(moved, kind=kind, radii=2.6, resolution=40, snap=snap)
    if kind == "centre" and snap:
        # of points equally far from all atoms, the first along the grid is another one now
        assert after.void_volume == pytest.approx(before.void_volume, rel=0.05)
        return
    np.testing.assert_allclose(after.volumes, before.volumes, rtol=1e-12)
    np.testing.assert_allclose(
        np.sort(after.surface_areas), np.sort(before.surface_areas), rtol=1e-9
    )
    np.testing.assert_allclose(np.sort(after.clearances), np.sort(before.clearances), atol=1e-5)
    np.testing.assert_array_equal(
        np.roll(before.labels, (7, -3, 55), (0, 1, 2)) >= 0, after.labels >= 0
    )


def test_any_shift_changes_little(glass):
    before = cavities(glass, radii=2.5).void_volume
    moved = glass.copy()
    moved.positions += [0.11, 0.23, -0.05]
    assert cavities(moved, radii=2.5).void_volume == pytest.approx(before, rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_order_and_images_of_atoms_do_not_matter(glass, kind):
    before = cavities(glass, kind=kind, radii=2.6, resolution=40)
    rng = np.random.default_rng(3)
    other = glass[rng.permutation(len(glass))]
    other.positions += rng.integers(-2, 3, (len(glass), 3)) @ np.asarray(glass.cell)
    after = cavities(other, kind=kind, radii=2.6, resolution=40)
    np.testing.assert_array_equal(after.labels, before.labels)
    np.testing.assert_allclose(after.clearances, before.clearances, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_a_supercell_holds_every_cavity_again(glass, kind):
    one = cavities(glass, kind=kind, radii=2.7, resolution=32)
    two = cavities(glass * (2, 1, 1), kind=kind, radii=2.7, resolution=64)
    assert two.labels.shape == (64, 32, 32)
    assert two.void_volume == pytest.approx(2 * one.void_volume, rel=1e-12)
    assert len(two) == 2 * len(one) > 4
    np.testing.assert_allclose(two.volumes, np.repeat(one.volumes, 2), rtol=1e-12)
    np.testing.assert_allclose(two.surface_areas.sum(), 2 * one.surface_areas.sum(), rtol=1e-9)


def test_another_cell_of_the_same_crystal():
    """A sheared cell of quartz describes the same crystal on another grid."""
    quartz = gn.models.crystal("alpha-quartz", 2)
    a, b, c = np.asarray(quartz.cell)
    sheared = quartz.copy()
    sheared.set_cell([a, b + a, c - a])
    first, second = (cavities(atoms, radii=1.75, resolution=80) for atoms in (quartz, sheared))
    assert second.void_volume == pytest.approx(first.void_volume, rel=0.005)
    assert second.surface_areas.sum() == pytest.approx(first.surface_areas.sum(), rel=0.06)
    assert len(first) == len(second) == 1


# -- what comes back -----------------------------------------------------------------------------


def test_result(glass):
    found = cavities(glass, radii={"Si": 2.4, "O": 2.5, "Na": 3.0}, resolution=40)
    assert found.radii == {"Si": 2.4, "O": 2.5}
    assert (np.diff(found.volumes) <= 0).all()
    np.testing.assert_allclose(found.spacing, glass.cell.lengths() / 40)
    np.testing.assert_allclose(
        found.volumes, np.bincount(found.labels[found.labels >= 0]) * found.voxel
    )
    assert found.fraction == pytest.approx(found.void_volume / glass.get_volume())
    index = np.floor(glass.cell.scaled_positions(found.centres) * 40).astype(int)
    np.testing.assert_array_equal(found.labels[tuple(index.T)], np.arange(len(found)))
    table = found.to_frame()
    assert len(table) == len(found)
    np.testing.assert_allclose(4 / 3 * np.pi * table["equivalent_radius"] ** 3, table["volume"])
    assert found.plot().get_xlabel() == "volume of a cavity (Å³)"


def test_nothing_and_everything():
    packed = cavities(bulk("Pd", cubic=True), resolution=32)
    assert len(packed) == 0
    assert packed.fraction == 0
    assert packed.centres.shape == (0, 3)
    assert packed.to_frame().empty
    packed.plot()
    # one small atom in a wide cell: all else is void, and the nearest atom is far
    lone = Atoms("O", [[3.0, 3, 3]], cell=[20, 20, 20], pbc=True)
    for kind in KINDS:
        wide = cavities(lone, kind=kind, radii=1.0, resolution=40)
        assert len(wide) == 1
        assert wide.clearances[0] == pytest.approx(10 * np.sqrt(3), abs=0.5)


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "hole"}, "kind='hole'.*domain, surface, centre"),
        ({"radii": -1.0}, "radii=-1.0.*positive"),
        ({"radii": 0}, "radii=0.0.*positive"),
        ({"radii": np.nan}, "radii=nan.*finite"),
        ({"radii": "wide"}, "radii='wide'.*distance"),
        ({"radii": {"Si": 2.5, "O": -2.0}}, r"radii\['O'\]=-2.0.*positive"),
        ({"radii": {"Si": 2.5}}, "radii=.*no radius for O; add it"),
        ({"resolution": 4}, "resolution=4.*from 8 to 400"),
        ({"resolution": 1000}, "resolution=1000.*from 8 to 400"),
        ({"resolution": 32.5}, "resolution=32.5.*whole number"),
        ({"resolution": 16, "radii": 1.0}, "resolution=16.*1.34 Å apart.*1.00 Å; raise it to 22"),
    ],
)
def test_bad_options_are_named_before_any_work(glass, options, message, monkeypatch):
    monkeypatch.setattr("glassnb.network.cavity._kernels.nearest", None)
    with pytest.raises(ValueError, match=message):
        cavities(glass, **options)


def test_bad_structures_are_named(glass):
    free = glass.copy()
    free.pbc = False
    with pytest.raises(ValueError, match="periodic in all three directions"):
        cavities(free)
    with pytest.raises(ValueError, match="0 atoms"):
        cavities(Atoms(cell=[5, 5, 5], pbc=True))
