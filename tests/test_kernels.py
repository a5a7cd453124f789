"""Every kernel as plain Python: the same answers, and indices that Python would have checked."""

from pathlib import Path

import numpy as np
import pytest
from test_neighbours import random_structure
from test_ring_environment import polygons

import glassnb.core._kernels
import glassnb.network._kernels
import glassnb.network.cavity._kernels
import glassnb.network.rings._kernels
import glassnb.scattering._kernels
import glassnb.tightbinding.electrostatics._kernels
import glassnb.tightbinding.integrals._kernels
import glassnb.topology._kernels
from glassnb.core import half_box, neighbours, pair_histogram
from glassnb.core.jit import ParallelKernel
from glassnb.network import (
    bond_angles,
    cavities,
    guttman_rings,
    king_rings,
    primitive_rings,
    ring_environment,
    ring_shape,
    tetrahedral_order,
)
from glassnb.scattering import structure_factor
from glassnb.tightbinding.basis import basis_of
from glassnb.tightbinding.electrostatics import KlopmanOhno
from glassnb.tightbinding.integrals import atom_pairs, hamiltonian
from glassnb.topology import alpha_complex

ROOT = Path(__file__).parents[1]
CUTOFF = {("Si", "O"): 3.0}


def _many(atoms):
    """Enough atoms for the cell list of the histogram."""
    return pair_histogram(atoms * (5, 5, 5), 0.2 * half_box(atoms * (5, 5, 5)), 30)[1]


def _ring(atoms):
    """One ring, through the first five atoms."""
    return polygons(atoms, [np.arange(5)])


def _charges(atoms, cell):
    """Electrostatics of two shells an atom, and charges for them."""
    shells = np.repeat(np.arange(len(atoms)), 2)
    solver = KlopmanOhno(2 * atoms.positions, cell, shells, np.linspace(0.2, 0.6, shells.size))
    return solver, np.linspace(-1, 1, shells.size)


def _potential(atoms, cell=None):
    solver, charges = _charges(atoms, cell)
    return solver.potential(charges)


def _slopes(atoms, cell=None):
    solver, charges = _charges(atoms, cell)
    return np.concatenate(solver.gradient(charges))


def _integrals(atoms):
    """Overlap and Hamiltonian of near pairs."""
    basis = basis_of(atoms.numbers)
    coordination = np.linspace(1, 4, len(atoms))
    return hamiltonian(basis, atom_pairs(atoms, 12.0), coordination, reach=0.3)


def _integral_slopes(atoms):
    """Derivatives for densities that are no densities, but numbers of their size."""
    built = _integrals(atoms)
    return np.concatenate(built.gradient(built.values, built.overlap)[:2])


CALLS = {
    (glassnb.core._kernels, "neighbour_search"): lambda a: neighbours(a, 4.0).distances,
    (glassnb.core._kernels, "histogram_by_bins"): _many,
    (glassnb.core._kernels, "histogram_all_pairs"): lambda a: pair_histogram(a, half_box(a), 40)[1],
    (glassnb.core._kernels, "power_centres"): lambda a: alpha_complex(a).values[3],
    (glassnb.network._kernels, "angle_cosines"): lambda a: (
        bond_angles(a, "O-Si-O", cutoff=CUTOFF).angles
    ),
    (glassnb.network._kernels, "tetrahedral_order"): tetrahedral_order,
    (glassnb.network._kernels, "ring_shapes"): lambda a: ring_shape(_ring(a)).singular_values,
    (glassnb.network._kernels, "ring_surroundings"): lambda a: (
        ring_environment(a, _ring(a), r_max=4.0, bin_width=0.5).tube_counts
    ),
    (glassnb.network.cavity._kernels, "nearest"): lambda a: (
        cavities(a, kind="surface", radii=1.5, resolution=10).volumes
    ),
    (glassnb.network.rings._kernels, "canonical"): lambda a: (
        primitive_rings(a, cutoff=3.0, max_size=6).indices
    ),
    (glassnb.network.cavity._kernels, "inside"): lambda a: (
        cavities(a, radii=1.5, resolution=10).volumes
    ),
    (glassnb.scattering._kernels, "shell_sums"): lambda a: (
        structure_factor(a, np.array([1.0, 1.5, 2.2]), method="direct").total
    ),
    (glassnb.tightbinding.electrostatics._kernels, "short_range_values"): lambda a: _potential(
        a, 2 * a.cell.array
    ),
    (glassnb.tightbinding.electrostatics._kernels, "short_range_gradient"): lambda a: _slopes(
        a, 2 * a.cell.array
    ),
    (glassnb.tightbinding.electrostatics._kernels, "direct_matrix"): _potential,
    (glassnb.tightbinding.electrostatics._kernels, "direct_gradient"): _slopes,
    (glassnb.tightbinding.integrals._kernels, "overlap_and_hamiltonian"): lambda a: (
        _integrals(a).values
    ),
    (glassnb.tightbinding.integrals._kernels, "pair_derivatives"): _integral_slopes,
}


@pytest.mark.filterwarnings("ignore:.*fewer than two bonds")
@pytest.mark.parametrize(("module", "name"), CALLS, ids=[name for _, name in CALLS])
def test_python_and_compiled_agree(module, name, monkeypatch):
    atoms = random_structure(21, n_atoms=12, size=6.0)
    compiled = CALLS[module, name](atoms)
    calls = []

    def plain(*arguments):
        calls.append(name)
        return getattr(module, f"_compiled_{name}").py_func(*arguments)

    monkeypatch.setattr(module, f"_compiled_{name}", getattr(module, name), raising=False)
    monkeypatch.setattr(module, name, plain)
    with np.errstate(all="raise"):
        np.testing.assert_allclose(CALLS[module, name](atoms), compiled, rtol=1e-9, equal_nan=True)
    assert calls


@pytest.mark.filterwarnings("ignore:.*(fewer than two bonds|have no ring)")
@pytest.mark.parametrize("search", [king_rings, guttman_rings, primitive_rings])
def test_ring_searches_in_python_and_compiled_agree(search, monkeypatch):
    """Their kernels call each other, so all of them are exchanged at once."""
    module = glassnb.network.rings._kernels
    atoms = random_structure(21, n_atoms=12, size=6.0)
    compiled = search(atoms, cutoff=3.3, max_size=9)
    assert len(compiled) > 2
    for name, value in list(vars(module).items()):
        if hasattr(value, "py_func"):
            monkeypatch.setattr(module, name, value.py_func)
    with np.errstate(all="raise"):
        plain = search(atoms, cutoff=3.3, max_size=9)
    for name in ("indices", "images", "origins", "unresolved"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(compiled, name))


def test_no_kernel_is_left_out():
    rooms = {module for module, _ in CALLS}
    kernels = {
        (room, name)
        for room in rooms
        for name, value in vars(room).items()
        if isinstance(value, ParallelKernel)
    }
    assert kernels == set(CALLS)
    files = {p.relative_to(ROOT).with_suffix("") for p in ROOT.glob("glassnb/**/_kernels.py")}
    tested = {module.__name__ for module in rooms}
    # no threads in these; the tests of persistence, cycles and reverse Monte Carlo have them
    tested |= {"glassnb.topology._kernels", "glassnb.topology.cycles._kernels"}
    tested.add("glassnb.models.reverse_monte_carlo._kernels")
    assert {".".join(path.parts) for path in files} == tested
