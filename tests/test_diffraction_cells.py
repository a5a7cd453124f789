"""Cells without right angles: brought to a rectangle where there is one, cut with a seam else."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal
from test_diffraction_patterns import metal

from glassnb.diffraction import Probe, Scanner, cut_slab, paired_spots, scan, spot_significance

PROBE = Probe(200e3, 3.3)


def quartz() -> Atoms:
    """Alpha quartz, a = 4.916, c = 5.4054 Å (P3121), hexagonal, 432 atoms."""
    sites = [(0.4697, 0, 0), (0.4135, 0.2669, 0.1191)]
    cell = [4.916, 4.916, 5.4054, 90, 90, 120]
    return crystal(["Si", "O"], sites, spacegroup=152, cellpar=cell) * (4, 4, 3)


def test_quartz_is_brought_to_a_rectangle():
    """a and a + 2b: each atom a lattice vector of the model away from where it was."""
    atoms = quartz()
    slab = cut_slab(atoms)
    edge = 4 * 4.916
    assert slab.period == pytest.approx((edge, np.sqrt(3) * edge))
    assert len(slab.atoms) == 2 * len(atoms)
    index = slab.atoms.arrays["model_index"]
    assert (np.bincount(index) == 2).all()
    moved = (slab.atoms.positions - atoms.positions[index]) @ np.linalg.inv(atoms.cell)
    np.testing.assert_allclose(moved, np.rint(moved), atol=1e-6)
    np.testing.assert_array_equal(slab.atoms.numbers, atoms.numbers[index])


def test_quartz_diffracts_like_its_rectangle_made_by_hand():
    """Default arguments on the hexagonal cell, and spots at 1/d of {100}, 2 / (sqrt(3) a)."""
    atoms = quartz()
    by_hand = atoms * (1, 2, 1)
    edge = 4 * 4.916
    by_hand.set_cell([edge, np.sqrt(3) * edge, 3 * 5.4054])
    by_hand.wrap()
    own, other = (scan(each, PROBE, positions=(2, 3), k_max=0.8) for each in (atoms, by_hand))
    np.testing.assert_allclose(own.positions, other.positions, atol=1e-6)
    np.testing.assert_allclose(own.patterns, other.patterns, rtol=1e-3, atol=1e-8)
    scanner = Scanner(atoms, PROBE, k_max=0.8)
    np.testing.assert_allclose(
        scanner.patterns(own.positions), own.patterns.reshape(6, *scanner.shape), rtol=1e-4
    )
    narrow = scan(atoms, Probe(200e3, 0.9), positions=(4, 4), k_max=0.5)
    spot = paired_spots(narrow, k_range=(0.15, 0.3)).strongest()
    assert spot.k == pytest.approx(2 / (np.sqrt(3) * 4.916), abs=0.03)


def test_the_slab_is_cut_again_for_its_null():
    """From a hexagonal model, and from one that was repeated for the sake of its width."""
    atoms = quartz()
    wide = {"width": 1.5 * atoms.cell.lengths()[0]}
    for arguments in ({}, wide):
        patterns = scan(atoms, PROBE, positions=(2, 2), k_max=0.6, **arguments)
        result = spot_significance(
            patterns, k_range=(0.3, 0.55), null="phase", atoms=atoms, n_null=2
        )
        assert result.n_null == 2


def sheared() -> Atoms:
    """The packing of :func:`metal`, whose third edge leans by a whole first one."""
    atoms = metal()
    cell = np.asarray(atoms.cell).copy()
    cell[2] += cell[0]
    atoms.set_cell(cell)
    return atoms


def test_a_leaning_cell_is_cut_with_a_seam():
    """The same matter in a leaning cell; in a slab two cells wide the seam happens to fit."""
    upright, leaning = metal(), sheared()
    width = 2 * upright.cell.lengths()[0]
    scanner = Scanner(leaning, PROBE, k_max=0.8, width=width, margin=4.0)
    assert scanner.slabs[0].period is None
    flat = Scanner(upright, PROBE, k_max=0.8, width=width)
    place = np.array([[13.0, 17.0], [15.0, 16.0]])
    origin = np.asarray(leaning.cell).sum(axis=0)[:2] / 2 - width / 2
    expected = flat.patterns((place + origin) % width)
    np.testing.assert_allclose(scanner.patterns(place), expected, rtol=0.01, atol=1e-7)


def test_a_leaning_cell_needs_no_arguments_and_says_what_it_needs():
    scanner = Scanner(sheared(), PROBE, k_max=0.8)
    low, high, _, _ = scanner.field
    assert low == pytest.approx(4 * PROBE.fwhm)
    assert high - low == pytest.approx(abs(np.linalg.det(sheared().cell)) ** (1 / 3))
    with pytest.raises(ValueError, match="without right angles; raise width or lower margin"):
        Scanner(sheared(), PROBE, k_max=0.8, width=20.0)


def test_a_cell_of_other_axes():
    """The primitive cell of silicon, all edges aslant, works with a seam; {220} at 0.52 1/Å."""
    atoms = bulk("Si", "diamond", a=5.431)
    patterns = scan(atoms, Probe(200e3, 2.0), positions=(2, 2), k_max=0.7, thickness=20.0)
    spot = paired_spots(patterns, k_range=(0.4, 0.65)).strongest()
    assert spot.k == pytest.approx(np.sqrt(8) / 5.431, abs=0.02)
