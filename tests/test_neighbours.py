"""Neighbour search: against plain loops, ASE and matscipy, in random triclinic cells."""

import ase.neighborlist
import matscipy.neighbours
import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import pairs

import glassnb as gn
from glassnb.core import neighbours
from glassnb.core.jit import serial_kernels


def random_structure(seed, n_atoms=12, size=4.0, pbc=(True, True, True)):
    """Atoms at random in a skewed cell, some of them outside it, none on top of each other."""
    rng = np.random.default_rng(seed)
    cell = size * (np.eye(3) + rng.uniform(-0.45, 0.45, (3, 3)))
    while True:
        positions = rng.uniform(-0.7, 1.7, (n_atoms, 3)) @ cell
        atoms = Atoms(rng.choice(["Si", "O"], n_atoms), positions, cell=cell, pbc=pbc)
        close = ase.neighborlist.neighbor_list("i", atoms, 0.11)
        if not close.size or n_atoms > 500:
            del atoms[np.unique(close)]
            return atoms


def as_list(found):
    rows = zip(found.centres, found.indices, found.images, found.distances, strict=True)
    return sorted((int(i), int(j), tuple(map(int, s)), float(d)) for i, j, s, d in rows)


def assert_same(ours, theirs):
    assert [row[:3] for row in ours] == [row[:3] for row in theirs]
    np.testing.assert_allclose([r[3] for r in ours], [r[3] for r in theirs], rtol=1e-10)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    cutoff=st.floats(0.5, 9.0),
    pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_equals_plain_loops_in_any_cell(seed, cutoff, pbc):
    atoms = random_structure(seed, pbc=pbc)
    assert_same(as_list(neighbours(atoms, cutoff)), pairs(atoms, cutoff))


@pytest.mark.parametrize("seed", range(4))
def test_equals_ase_and_matscipy(seed):
    atoms = random_structure(seed, n_atoms=300, size=16.0)
    ours = as_list(neighbours(atoms, 5.0))
    for peer in (ase.neighborlist.neighbor_list, matscipy.neighbours.neighbour_list):
        i, j, s, d = peer("ijSd", atoms, 5.0)
        theirs = sorted(
            (int(a), int(b), tuple(map(int, c)), float(e))
            for a, b, c, e in zip(i, j, s, d, strict=True)
        )
        assert_same(ours, theirs)


def test_vectors_lead_to_the_neighbours():
    atoms = random_structure(3, n_atoms=40)
    found = neighbours(atoms, 3.0)
    lengths = np.linalg.norm(found.vectors(atoms), axis=1)
    np.testing.assert_allclose(lengths, found.distances, rtol=1e-10)


def test_one_atom_sees_its_own_images():
    # simple cubic, a = 2 Å: 6 neighbours at a, 12 at sqrt(2) a, 8 at sqrt(3) a
    found = neighbours(Atoms("Si", cell=[2, 2, 2], pbc=True), 3.5)
    distance, count = np.unique(found.distances.round(6), return_counts=True)
    np.testing.assert_allclose(distance, [2, 2 * np.sqrt(2), 2 * np.sqrt(3)], atol=1e-6)
    assert count.tolist() == [6, 12, 8]


def test_cutoff_by_pair():
    atoms = random_structure(5, n_atoms=60, size=8.0)
    names = np.array(atoms.get_chemical_symbols())
    found = neighbours(atoms, {("Si", "O"): 3.0})
    everything = neighbours(atoms, 3.0)
    unlike = names[everything.centres] != names[everything.indices]
    assert found.indices.size == unlike.sum()
    assert (names[found.centres] != names[found.indices]).all()


def test_result_does_not_depend_on_threads():
    atoms = random_structure(7, n_atoms=200, size=12.0)
    threaded = neighbours(atoms, 4.0)
    with serial_kernels():
        serial = neighbours(atoms, 4.0)
    for name in ("offsets", "indices", "images", "distances"):
        np.testing.assert_array_equal(getattr(threaded, name), getattr(serial, name))


def test_supercell_repeats_the_neighbours():
    atoms = random_structure(11, n_atoms=9)
    small = neighbours(atoms, 4.0)
    large = neighbours(atoms * (2, 1, 3), 4.0)
    assert np.array_equal(np.tile(small.counts, 6), large.counts)


def test_cluster_without_a_cell_and_atoms_in_a_plane():
    flat = Atoms("O3", [[0, 0, 0], [1, 0, 0], [5, 0, 0]])
    assert neighbours(flat, 2.0).counts.tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("change", "cutoff", "message"),
    [
        ({}, -1.0, "cutoff=-1.0: must be a positive"),
        ({}, float("nan"), "must be a positive"),
        ({}, "long", "must be a distance"),
        ({}, {("Si", "Pd"): 2.0}, "names Pd, which is not in the structure"),
        ({}, {}, "name at least one pair"),
        ({"cell": [0, 0, 0]}, 2.0, "zero cell vector"),
        ({"cell": [[1, 0, 0], [0, 1, 0], [1, 1, 0]]}, 2.0, "zero volume"),
        ({"positions": [[np.nan, 0, 0], [1, 1, 1]]}, 2.0, "position of atom 0"),
    ],
)
def test_bad_input_is_named(change, cutoff, message):
    options = {"positions": [[0, 0, 0], [1, 1, 1]], "cell": [4, 4, 4], "pbc": True} | change
    with pytest.raises(ValueError, match=message):
        neighbours(Atoms("SiO", **options), cutoff)


def test_overlapping_atoms_are_named():
    twice = Atoms("SiO2", [[0, 0, 0], [1.6, 0, 0], [7.99, 0, 0]], cell=[8, 8, 8], pbc=True)
    with pytest.raises(ValueError, match="atoms 0 and 2 overlap"):
        neighbours(twice, 2.0)
    with pytest.raises(ValueError, match="atoms 0 and 2 overlap"):
        gn.scattering.pair_distribution(twice)
    with pytest.raises(ValueError, match="atoms 0 and 2 overlap"):
        gn.network.bonds(twice)


def test_empty_structure_is_named():
    with pytest.raises(ValueError, match="0 atoms"):
        neighbours(Atoms(), 2.0)
    with pytest.raises(ValueError, match=r"ase\.Atoms"):
        neighbours("glass.xyz", 2.0)
