"""Clusters, whose cells do not matter, and cells too flat to be periodic."""

import numpy as np
import pytest
from ase import Atoms

import glassnb as gn
from glassnb.core.histograms import pair_histogram
from glassnb.core.neighbours import neighbours
from glassnb.core.structure import cell_heights, full_cell

FLAT = {
    "none": np.zeros((3, 3)),
    "plane": [[10, 0, 0], [0, 10, 0], [5, 5, 0]],
    "line": [[1, 2, 3]] * 3,
    "parallel": [[10, 0, 0], [20, 0, 0], [0, 0, 0]],
    "nearly": [[10, 0, 0], [0, 10, 0], [0, 10, 1e-12]],
}


def ring(**cell: object) -> Atoms:
    """A ring of six tetrahedra without their outer atoms."""
    turns = np.arange(12) * np.pi / 6
    places = 3.1 * np.column_stack([np.cos(turns), np.sin(turns), 0.1 * (-1) ** np.arange(12)])
    return Atoms("SiO" * 6, positions=places, **cell)


@pytest.mark.parametrize("cell", FLAT.values(), ids=FLAT)
def test_a_cluster_with_a_flat_cell_is_a_cluster(cell: object) -> None:
    """Counted without the package: 12 bonds of 12 atoms, one ring, all pairs in the histogram."""
    atoms = ring(cell=cell, pbc=False)
    assert neighbours(atoms, 2.0).counts.tolist() == [2] * 12
    assert len(gn.network.bonds(atoms, 2.0).indices) == 24
    rings = gn.network.primitive_rings(atoms, cutoff=2.0)
    assert rings.sizes.tolist() == [12]
    np.testing.assert_allclose(np.sort(rings.polygon(0), axis=0), np.sort(atoms.positions, axis=0))
    symbols, counts = pair_histogram(atoms, 10.0, 20)
    distances = atoms.get_all_distances()[np.triu_indices(12, 1)]
    np.testing.assert_array_equal(
        counts.sum(axis=(0, 1)), 2 * np.histogram(distances, bins=20, range=(0, 10))[0]
    )
    assert np.isinf(cell_heights(atoms)).all()
    with pytest.raises(ValueError, match=r"atoms\.pbc=.*set the cell and atoms\.pbc = True"):
        gn.scattering.pair_distribution(atoms)


@pytest.mark.parametrize("pbc", [(True, False, False), (True, True, False), True])
@pytest.mark.parametrize("cell", FLAT.values(), ids=FLAT)
def test_a_periodic_flat_cell_is_named(cell: object, pbc: object) -> None:
    atoms = ring(cell=cell, pbc=pbc)
    for measure in (lambda a: gn.network.bonds(a, 2.0), lambda a: pair_histogram(a, 3.0, 10)):
        with pytest.raises(ValueError, match=r"atoms\.cell.*(zero cell vector|zero volume).*set"):
            measure(atoms)


def test_long_cells_and_missing_vectors_are_not_flat() -> None:
    for cell in (np.diag([3.0, 3.0, 3e6]), np.diag([12.0, 12.0, 0]), np.diag([0, 0, 9.0])):
        atoms = Atoms("Si", cell=cell, pbc=cell.any(axis=1))
        heights = np.where(np.diag(cell) > 0, np.diag(cell), np.inf)
        np.testing.assert_allclose(cell_heights(atoms), heights)
        np.testing.assert_allclose(full_cell(atoms)[atoms.pbc], cell[atoms.pbc], atol=1e-12)
