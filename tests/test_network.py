"""Bonds, coordination and angles: crystals with analytic answers, symmetries, bad input."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

import glassnb as gn
from glassnb.network import (
    bond_angles,
    bond_cutoffs,
    bonds,
    coordination,
    q_species,
    tetrahedral_order,
)

TETRAHEDRON = np.degrees(np.arccos(-1 / 3))  # 109.471 degrees


def cristobalite():
    """Ideal beta-cristobalite from the diamond lattice: Si on its sites, O on its bonds."""
    a = 7.13
    silicon = bulk("Si", "diamond", a=a, cubic=True)
    found = gn.core.neighbours(silicon, 0.45 * a)
    keep = found.centres < found.indices
    middle = silicon.positions[found.centres[keep]] + found.vectors(silicon)[keep] / 2
    oxygen = Atoms(f"O{len(middle)}", middle, cell=silicon.cell, pbc=True)
    atoms = silicon + oxygen
    # each Si-Si vector between different atoms may stand for one image only
    assert len(atoms) == 24
    return atoms


def test_ideal_cristobalite_has_regular_tetrahedra_and_straight_bridges():
    atoms = cristobalite()
    counted = coordination(atoms)
    assert counted.fractions("Si", "O") == {4: 1.0}
    assert counted.fractions("O", "Si") == {2: 1.0}
    np.testing.assert_allclose(counted.bonds.distances, 7.13 * np.sqrt(3) / 8, rtol=1e-9)
    inside = bond_angles(atoms, "O-Si-O")
    np.testing.assert_allclose(inside.angles, TETRAHEDRON, atol=1e-6)
    assert inside.angles.size == 8 * 6
    np.testing.assert_allclose(bond_angles(atoms, ("Si", "O", "Si")).angles, 180.0, atol=1e-5)
    np.testing.assert_allclose(tetrahedral_order(atoms), 1.0, atol=1e-12)
    assert q_species(atoms).fractions == {4: 1.0}


def test_one_species_and_a_metal():
    silicon = bulk("Si", cubic=True)
    assert coordination(silicon).fractions("Si", "Si") == {4: 1.0}
    np.testing.assert_allclose(bond_angles(silicon, "Si-Si-Si").angles, TETRAHEDRON, atol=1e-6)
    palladium = bulk("Pd", cubic=True) * 2
    assert coordination(palladium).fractions("Pd", "Pd") == {12: 1.0}


def test_octahedra_of_stishovite():
    atoms = gn.models.crystal("stishovite")
    assert coordination(atoms).fractions("Si", "O") == {6: 1.0}
    assert coordination(atoms).fractions("O", "Si") == {3: 1.0}
    assert set(bond_cutoffs(atoms)) == {("Si", "O")}


def test_known_cutoffs_of_glasses(shared_data):
    """Si-O between 1.9 and 2.4 Å in silica; Pd-Pd 3.4-3.7 Å and no Si-Si contact in Pd82Si18."""
    from glassnb.core.files import read

    silica = bond_cutoffs(read(shared_data / "rings" / "apy_SiO2_3000.extxyz"))
    assert set(silica) == {("Si", "O")}
    assert 1.9 < silica["Si", "O"] < 2.4
    metal = bond_cutoffs(read(shared_data / "diffraction" / "own_Pd82Si18_4000_glass300K.extxyz"))
    assert set(metal) == {("Pd", "Pd"), ("Pd", "Si")}
    assert 3.3 < metal["Pd", "Pd"] < 3.8


def test_a_few_close_contacts_are_no_bonds():
    """Edge-sharing tetrahedra of a fast quench bring Si-Si contacts near 2.5 Å."""
    atoms = cristobalite() * 2
    silicon = np.flatnonzero(atoms.symbols == "Si")
    found = gn.core.neighbours(atoms, {("Si", "Si"): 3.2})
    i, j = silicon[0], found.of(silicon[0])[0]
    atoms.set_distance(i, j, 2.45, mic=True)
    assert set(bond_cutoffs(atoms)) == {("Si", "O")}


def test_published_numbers_of_a_glass(shared_data):
    """facts: amorphouspy's 3000 atoms have Si-O-Si 151.8 +- 12.5 degrees and 100 % SiO4."""
    from glassnb.core.files import read

    atoms = read(shared_data / "rings" / "apy_SiO2_3000.extxyz")
    counted = coordination(atoms, {("Si", "O"): 2.2})
    assert counted.fractions("Si", "O") == {4: 1.0}
    bridge = bond_angles(atoms, "Si-O-Si")
    assert bridge.mean == pytest.approx(151.8, abs=0.1)
    assert bridge.std == pytest.approx(12.5, abs=0.1)
    assert abs(bridge.mode - bridge.mean) < bridge.std


def test_symmetries():
    rng = np.random.default_rng(0)
    atoms = cristobalite() * (2, 1, 1)
    atoms.rattle(0.05, seed=1)
    reference = np.sort(bond_angles(atoms, "Si-O-Si").angles)
    moved = atoms.copy()
    moved.translate([1.1, -20.0, 3.3])
    moved.rotate(33, (1, 2, 3), rotate_cell=True)
    moved = moved[rng.permutation(len(moved))]
    np.testing.assert_allclose(np.sort(bond_angles(moved, "Si-O-Si").angles), reference, atol=1e-6)
    twice = np.sort(bond_angles(atoms * (1, 2, 1), "Si-O-Si").angles)
    np.testing.assert_allclose(twice, np.repeat(reference, 2), atol=1e-6)


def test_errington_debenedetti_of_random_directions_is_near_zero():
    """Four uncorrelated directions have q = 0 on average (Errington and Debenedetti 2001)."""
    rng = np.random.default_rng(4)
    values = []
    for _ in range(400):
        directions = rng.normal(size=(4, 3))
        directions *= 1.6 / np.linalg.norm(directions, axis=1)[:, None]
        atoms = Atoms("SiO4", np.vstack([[0, 0, 0], directions]))
        values.append(tetrahedral_order(atoms)[0])
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))


def test_silicon_with_three_neighbours_has_no_tetrahedral_order():
    atoms = Atoms("SiO3", [[0, 0, 0], [1.6, 0, 0], [0, 1.6, 0], [0, 0, 1.6]])
    assert np.isnan(tetrahedral_order(atoms)).all()
    assert coordination(atoms, 2.0).mean("Si", "O") == 3


def test_angle_distribution_is_normalised():
    angles = bond_angles(cristobalite(), "O-Si-O")
    for solid_angle in (False, True):
        angle, density = angles.distribution(90, solid_angle=solid_angle)
        assert density.sum() * 2.0 == pytest.approx(1.0)
        assert abs(angle[np.argmax(density)] - TETRAHEDRON) < 2.0
    assert len(angles.to_frame(10)) == 10


def test_bond_table_and_rows():
    atoms = cristobalite()
    found = bonds(atoms, {("Si", "O"): 2.0})
    assert len(found) == 32
    assert found.cutoffs["O", "Si"] == 2.0
    assert set(found.of(0)) <= set(range(8, 24))
    with pytest.raises(KeyError, match="no pair Si-Si"):
        found.cutoffs["Si", "Si"]
    table = coordination(atoms, 2.0).to_frame()
    assert {"centre", "neighbour", "number", "fraction"} == set(table.columns)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: bonds(a, -2.0), "cutoff=-2.0"),
        (lambda a: bonds(a, {("Si", "Ge"): 2.0}), "Ge, which is not in the structure"),
        (lambda a: bonds(a, {"SiO": 2.0}), "must be a pair"),
        (lambda a: bond_angles(a, "Si-O"), "three species"),
        (lambda a: bond_angles(a, "F-Si-F"), "F is not in the structure"),
        (lambda a: coordination(a).mean("Si", "F"), "'F' is not in the structure"),
        (lambda a: q_species(a, "Ge"), "'Ge' is not in the structure"),
        (lambda a: tetrahedral_order(a, "Si", "N"), "names N"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(cristobalite())


def test_atoms_too_far_apart_for_bonds_are_named():
    with pytest.raises(ValueError, match="give the cutoff"):
        bonds(Atoms("SiO", [[0, 0, 0], [5, 0, 0]], cell=[20, 20, 20], pbc=True))
