"""Films, wires and clusters: what is not periodic is where its atoms are, not where its cell is."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc111, graphene, molecule, nanotube
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from glassnb.diffraction import Probe, Scanner, cut_slab, quasi_lattice_planes, scan

PROBE = Probe(200e3, 6.0)


def film(cell=20.0):
    """The film of 20 Å, periodic in x and y."""
    places = np.random.default_rng(0).uniform(0, 1, (60, 3)) * [12, 12, 20]
    return Atoms("Si40O20", places, cell=[12, 12, cell], pbc=(True, True, False))


def in_order(slab):
    return slab.atoms.positions[np.argsort(slab.atoms.arrays["model_index"])]


def pattern(atoms, place=(3.0, 4.0), **options):
    return Scanner(atoms, PROBE, k_max=0.6, **options).pattern(place)


@pytest.fixture(scope="module")
def unmoved():
    return in_order(cut_slab(film())), pattern(film())


@settings(max_examples=20, deadline=None)
@given(
    along=st.floats(-1e3, 1e3),
    steps=st.tuples(st.integers(-3, 3), st.integers(-3, 3)),
    method=st.sampled_from(["kinematic", "multislice"]),
)
def test_moving_a_film_changes_nothing(unmoved, along, steps, method):
    """Along the beam by any length; across it atom by atom by whole edges of the cell."""
    positions, expected = unmoved
    moved = film()
    moved.positions[:, 2] += along
    moved.positions[::2, :2] += 12.0 * np.array(steps)
    slab = cut_slab(moved)
    assert len(slab.atoms) == 60
    np.testing.assert_allclose(in_order(slab), positions, atol=1e-6)
    if method == "multislice":
        expected = pattern(film(), method=method, sampling=0.3)
        found = pattern(moved, method=method, sampling=0.3)
    else:
        found = pattern(moved)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6 * expected.max())


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_along_every_axis(axis, unmoved):
    """The film lies across x, y or z, and is moved by -10 Å that way."""
    order = {"x": [2, 0, 1], "y": [1, 2, 0], "z": [0, 1, 2]}[axis]
    turned = film()
    turned.positions = (turned.positions - [0, 0, 10])[:, order]
    turned.set_cell(np.diag([12.0, 12, 20])[order][:, order])
    turned.pbc = np.array([True, True, False])[order]
    np.testing.assert_allclose(in_order(cut_slab(turned, axis=axis)), unmoved[0], atol=1e-9)
    np.testing.assert_allclose(pattern(turned, axis=axis), unmoved[1], rtol=1e-4, atol=1e-9)


def test_no_atom_is_lost_on_a_face():
    """Just below, on and just above the faces of a cell, as rounding leaves them."""
    edge = 10.0
    near = np.array([-1e-17, -1e-9, 0.0, 1e-9, edge - 1e-9, edge, edge + 1e-9])
    places = np.stack(np.meshgrid(near, near, [1.0, 3.0]), axis=-1).reshape(-1, 3)
    for pbc in (True, (True, True, False)):
        atoms = Atoms(f"Si{len(places)}", places, cell=[edge, edge, 4.0], pbc=pbc)
        slab = cut_slab(atoms)
        assert sorted(slab.atoms.arrays["model_index"]) == list(range(len(places)))
        assert len(cut_slab(atoms, width=25.0).atoms) == 9 * len(places)


@pytest.mark.parametrize(
    ("cell", "height"),
    [
        (6.0, 6.0),  # the cell's faces lie within 1 Å of the atoms, 5 Å apart
        (5.0, 7.0),  # no room for the faces
        (30.0, 7.0),  # vacuum is no matter
        (0.0, 7.0),  # ASE's cell of two dimensions
        (2.0, 7.0),  # atoms outside of it
    ],
)
def test_the_height_of_a_film_is_that_of_its_atoms(cell, height):
    atoms = Atoms("Si3", [(1, 1, 40), (5, 5, 45), (7, 2, 42)], cell=[9, 9, cell], pbc=(1, 1, 0))
    slab = cut_slab(atoms)
    assert slab.thickness == pytest.approx(height)
    low, high = (height - 5) / 2, (height + 5) / 2
    np.testing.assert_allclose(in_order(slab)[:, 2], [low, high, low + 2])
    part = cut_slab(atoms, 3.0, start=low + 1)  # the middle atom alone
    assert part.atoms.arrays["model_index"].tolist() == [2]
    assert part.atoms.positions[0, 2] == pytest.approx(1)
    assert cut_slab(atoms, round(height, 3) + 4e-4).thickness > 0
    message = rf"thickness=30.*out of the model, which is {height:.3f} Å high.*leave thickness"
    with pytest.raises(ValueError, match=message):
        cut_slab(atoms, 30.0)


def test_a_leaning_cell_vector_out_of_a_film_says_nothing():
    upright = fcc111("Pd", (4, 4, 3), vacuum=0.9)
    upright.pbc = (True, True, False)
    leaning = upright.copy()
    leaning.cell[2] = [4.0, -3.0, upright.cell[2, 2]]
    slab = cut_slab(upright)
    np.testing.assert_allclose(in_order(cut_slab(leaning)), in_order(slab), atol=1e-9)
    assert slab.thickness == pytest.approx(upright.cell[2, 2])
    assert len(slab.atoms) == 2 * len(upright)  # the rectangle of the hexagonal cell


def by_hand(slab):
    """The same atoms in a periodic box of the slab's edges."""
    atoms = slab.atoms.copy()
    atoms.pbc = True
    return atoms


def test_a_sheet():
    """Graphene in ASE's cell of two dimensions, and in a box: equal patterns."""
    sheet = graphene(size=(8, 8, 1))
    assert sheet.cell.lengths()[2] == 0
    scanner = Scanner(sheet, PROBE, k_max=0.9)
    assert scanner.slabs[0].thickness == pytest.approx(2.0)
    boxed = sheet.copy()
    boxed.cell[2] = [0, 0, 2.0]
    boxed.positions[:, 2] = 1.0
    boxed.pbc = True
    expected = Scanner(boxed, PROBE, k_max=0.9).pattern((3, 4))
    np.testing.assert_allclose(scanner.pattern((3, 4)), expected, rtol=1e-4, atol=1e-9)
    # {10} of graphene at 1/2.13 Å, {11} at 1/1.23 Å, and nothing between them.
    wide = Scanner(sheet, Probe(200e3, 3.0), k_max=0.9)
    far, seen = np.hypot(wide.k_x[:, None], wide.k_y), wide.pattern((3, 4))
    first, between, second = (seen[abs(far - k) < 0.02].max() for k in (0.469, 0.64, 0.813))
    assert min(first, second) > 50 * between


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_a_wire(axis):
    """Periodic along z alone: the beam along it or across; moving it changes nothing."""
    wire = nanotube(6, 0, length=4)
    wire.set_cell([0, 0, wire.cell[2, 2]])
    wire.pbc = (False, False, True)
    slab = cut_slab(wire, axis=axis, margin=4 * PROBE.fwhm)
    assert len(slab.atoms) == len(wire)
    assert slab.period is None
    scanner = Scanner(wire, PROBE, axis=axis, k_max=0.9)
    place = np.array(slab.lengths) / 2
    expected = Scanner(by_hand(slab), PROBE, k_max=0.9).pattern(place)
    np.testing.assert_allclose(scanner.pattern(place), expected, rtol=1e-3, atol=1e-9)
    wire.translate([31, -55, 0])
    again = Scanner(wire, PROBE, axis=axis, k_max=0.9).pattern(place)
    np.testing.assert_allclose(again, expected, rtol=1e-3, atol=1e-9)
    # Between the wire and its images is twice the margin.
    open_ = [i for i, j in enumerate({"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]) if j < 2]
    for i in open_:
        gap = slab.lengths[i] - np.ptp(slab.atoms.positions[:, i])
        assert gap >= 8 * PROBE.fwhm - 1e-9


def test_a_cluster_and_a_turned_one():
    cluster = molecule("C60")
    turn = Rotation.from_rotvec([0.3, -0.5, 0.7])
    by_cut = scan(cluster, PROBE, positions=(2, 2), k_max=0.6, rotations=turn)
    cluster.positions = turn.apply(cluster.positions) + [50, 0, -9]
    alone = scan(cluster, PROBE, positions=(2, 2), k_max=0.6)
    np.testing.assert_allclose(by_cut.patterns[0], alone.patterns, rtol=1e-3, atol=1e-8)
    slab = cut_slab(cluster, margin=0)
    assert slab.lengths[0] == slab.lengths[1]
    assert len(slab.atoms) == 60


def test_snapshots_of_a_film_share_a_box():
    """Atoms that vibrate at the faces: the film is as high as all snapshots together reach."""
    rng = np.random.default_rng(2)
    frames = [film(cell=0) for _ in range(3)]
    for frame in frames:
        frame.positions += rng.normal(0, 0.2, (60, 3)) + [0, 0, -40]
    scanner = Scanner(frames, PROBE, k_max=0.6)
    everywhere = np.concatenate([frame.positions[:, 2] for frame in frames])
    assert scanner.slabs[0].thickness == pytest.approx(np.ptp(everywhere) + 2)
    for frame, slab in zip(frames, scanner.slabs, strict=True):
        expected = frame.positions[:, 2] - everywhere.min() + 1
        np.testing.assert_allclose(in_order(slab)[:60, 2], expected[:60], atol=1e-9)


def test_what_a_cell_without_periodicity_could_mean_is_asked():
    atoms = film()
    atoms.pbc = (True, False, True)
    message = (
        r"pbc=\[True, False, True\].*periodic across the beam.*atoms.pbc = True.*cell\[1\] = 0"
    )
    with pytest.raises(ValueError, match=message):
        cut_slab(atoms)
    atoms.cell[1] = 0
    assert len(cut_slab(atoms).atoms) == 60


def test_waves_of_a_film_are_where_it_is():
    """Shares, spacing and coherence, with a beam and without, of a film and of a cluster."""
    moved = film(cell=0)
    moved.positions[:, 2] -= 77.7
    cluster, away = molecule("C60"), molecule("C60")
    away.translate([9, -70, 300])
    beam = {"probe": PROBE, "position": (3.0, 4.0)}
    for first, second, k, options in (
        (film(cell=0), moved, (0.3, 0.2, 0.1), {}),
        (film(cell=0), moved, (0.3, 0.2), beam),
        (cluster, away, (0.3, 0.2, 0.1), {}),
    ):
        here, there = (quasi_lattice_planes(atoms, k, **options) for atoms in (first, second))
        np.testing.assert_allclose(here.weights, there.weights, atol=1e-9)
        np.testing.assert_allclose(here.amplitude, there.amplitude, rtol=1e-9)
        assert here.spacing == pytest.approx(there.spacing)
        np.testing.assert_allclose(here.coherence, there.coherence)
    with pytest.raises(ValueError, match=r"pbc=\[False, False, False\].*cut_slab"):
        quasi_lattice_planes(cluster, (0.3, 0.2), **beam)
