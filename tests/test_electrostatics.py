"""Sums over shell charges against Madelung constants, plain sums, tblite and finite differences."""

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.units import Bohr
from dftd3.interface import DispersionModel, RationalDampingParam
from scipy.special import erfc

from glassnb.models.crystals import crystal
from glassnb.tightbinding.basis import basis_of
from glassnb.tightbinding.electrostatics import (
    KlopmanOhno,
    dispersion,
    third_order_energies,
    third_order_potential,
)
from glassnb.tightbinding.electrostatics.reciprocal import ReciprocalSum, self_terms
from glassnb.tightbinding.parameters import load_tblite

BOTH = ("converged", "tblite")


def lattice(atoms):
    return atoms.cell.array / Bohr if atoms.pbc.all() else None


def electrostatics(atoms, **options):
    basis = basis_of(atoms.numbers)
    return KlopmanOhno(
        atoms.positions / Bohr, lattice(atoms), basis.shell_atom, basis.hardnesses, **options
    )


def shell_charges(atoms, seed=3):
    """Charges like those of silica, a little different on every shell, and neutral in all."""
    basis = basis_of(atoms.numbers)
    typical = {14: [1.34, 0.33, -1.20], 8: [0.45, -0.69]}
    q = np.concatenate([typical[z] for z in atoms.numbers])
    q += 0.05 * np.random.default_rng(seed).normal(size=q.size)
    return q - q.sum() / basis.shell_atom.size


def quartz(seed=5):
    atoms = crystal("alpha-quartz")
    atoms.rattle(0.05, seed=seed)
    return atoms


def strained(atoms, strain):
    copy = atoms.copy()
    copy.set_cell(atoms.cell.array @ (np.eye(3) + strain).T, scale_atoms=True)
    return copy


# -- the kernel and its lattice sums ---------------------------------------------------------------


def test_molecule_is_a_plain_sum():
    """Matrix 1/sqrt(R² + ((1/eta_i + 1/eta_j)/2)²) written out; the limit at R = 0 is 2/(...)."""
    atoms = molecule("SiH4")
    basis = basis_of(atoms.numbers)
    q = np.random.default_rng(0).normal(size=basis.shell_atom.size)
    r = atoms.get_all_distances()[np.ix_(basis.shell_atom, basis.shell_atom)] / Bohr
    harmonic = 2 / np.add.outer(1 / basis.hardnesses, 1 / basis.hardnesses)
    gamma = 1 / np.sqrt(r**2 + harmonic**-2)
    solver = electrostatics(atoms)
    np.testing.assert_allclose(solver.potential(q), gamma @ q, rtol=1e-13)
    assert solver.energy(q) == pytest.approx(q @ gamma @ q / 2, rel=1e-13)


def test_hard_charges_give_madelungs_constant():
    """With vanishing widths only 1/R is left: rock salt, 1.7475645946 (CRC Handbook)."""
    salt = bulk("NaCl", "rocksalt", a=5.64)
    eta = np.array([1e4, 1e4])
    solver = KlopmanOhno(salt.positions / Bohr, lattice(salt), [0, 1], eta)
    energy = solver.energy([1.0, -1.0]) - eta.sum() / 2
    assert energy * (2.82 / Bohr) == pytest.approx(-1.7475645946, abs=1e-6)


@pytest.mark.parametrize("order", [2, 3])
def test_long_range_is_the_plain_sum_over_vectors(order):
    """Structure factors by the fast transform against exponentials, written out."""
    atoms = quartz()
    cell, positions = lattice(atoms), atoms.positions / Bohr
    alpha, volume = 0.3, abs(np.linalg.det(cell))
    moments = np.random.default_rng(1).normal(size=(2 * order - 1, len(atoms)))
    steps = np.stack(np.meshgrid(*[np.arange(-14, 15)] * 3, indexing="ij"), -1).reshape(-1, 3)
    k = steps[np.any(steps != 0, axis=1)] @ (2 * np.pi * np.linalg.inv(cell).T)
    k2 = np.sum(k**2, axis=1)
    r = positions[:, None] - positions[None]
    s1 = np.cos(r @ k.T) @ (4 * np.pi / volume * np.exp(-k2 / (4 * alpha**2)) / k2)
    s1 -= np.pi / (alpha**2 * volume)
    # The charge itself meets other charges through 1/R alone.
    charges_only = np.zeros_like(moments)
    charges_only[0] = moments[0]
    found = ReciprocalSum(positions, cell, alpha, order).potentials(charges_only)
    np.testing.assert_allclose(found[0], s1 @ moments[0], atol=1e-11)


def test_sum_over_r5_is_the_plain_sum():
    """Sum of 1/R⁵ over images converges by itself: against all images to 60 cells."""
    cell, alpha = np.diag([7.0, 8.0, 9.0]), 0.35
    steps = np.stack(np.meshgrid(*[np.arange(-60, 61)] * 3, indexing="ij"), -1).reshape(-1, 3)
    r = np.linalg.norm(steps[np.any(steps != 0, axis=1)] @ cell, axis=1)
    plain = np.sum(r[r < 420.0] ** -5) + 4 * np.pi / (7 * 8 * 9) / (2 * 420.0**2)
    z = alpha * r
    gauss = 2 / np.sqrt(np.pi) * np.exp(-z * z)
    short = np.sum((erfc(z) + gauss * (z + 2 * z**3 / 3)) / r**5)
    moments = np.zeros((5, 1))
    moments[4] = 1.0  # meets the charge through 3/8 (1/16) 1/R⁵
    long_range = ReciprocalSum(np.zeros((1, 3)), cell, alpha, 3).potentials(moments)[0, 0]
    s5 = long_range * 16 * 8 / 3 - self_terms(alpha)[2] + short
    assert s5 == pytest.approx(plain, rel=1e-6)


@pytest.mark.parametrize("lattice_sum", BOTH)
def test_splitting_does_not_matter(lattice_sum):
    atoms = quartz()
    q = shell_charges(atoms)
    potentials = [
        electrostatics(atoms, lattice_sum=lattice_sum, splitting=splitting).potential(q)
        for splitting in (0.18, 0.224, 0.4)
    ]
    np.testing.assert_allclose(potentials[1:], potentials[:1] * 2, atol=1e-9, rtol=0)


def test_converged_sum_knows_no_unit_cell():
    """A supercell, another choice of cell vectors and a shift change nothing, to 1e-9 hartree."""
    atoms = quartz()
    q = shell_charges(atoms)
    per_atom = electrostatics(atoms).energy(q) / len(atoms)
    double = electrostatics(atoms * (2, 2, 1)).energy(np.tile(q, 4)) / (4 * len(atoms))
    assert double == pytest.approx(per_atom, abs=1e-9)
    sheared = atoms.copy()
    sheared.set_cell(np.array([[1, 0, 0], [1, 1, 0], [0, -1, 1]]) @ atoms.cell.array)
    assert electrostatics(sheared).energy(q) / len(atoms) == pytest.approx(per_atom, abs=1e-9)
    moved = atoms.copy()
    moved.translate([1.3, -9.0, 40.0])
    assert electrostatics(moved).energy(q) / len(atoms) == pytest.approx(per_atom, abs=1e-9)


def test_forms_differ_by_tblites_truncation():
    """Published difference for alpha-quartz: about 4e-5 hartree an atom, of a block of 40 bohr."""
    atoms = crystal("alpha-quartz")
    q = shell_charges(atoms, seed=0)
    energies = [electrostatics(atoms, lattice_sum=form).energy(q) for form in BOTH]
    assert 0 < abs(energies[1] - energies[0]) / len(atoms) < 2e-4


def test_shares_of_the_atoms_add_up():
    atoms = quartz()
    q = shell_charges(atoms)
    solver = electrostatics(atoms)
    assert solver.energies(q).sum() == pytest.approx(solver.energy(q), abs=1e-12)
    assert solver.energies(q).shape == (9,)


# -- derivatives -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lattice_sum", [*BOTH, None], ids=str)
def test_gradient_and_virial_are_derivatives(lattice_sum):
    """Central differences of 2e-3 bohr and 1e-4 strain; charges fixed."""
    atoms = quartz()
    atoms.translate([0.7, 0.9, 0.4])  # no atom on a face, where tblite's block would jump
    atoms.wrap()
    options = {} if lattice_sum is None else {"lattice_sum": lattice_sum}
    if lattice_sum is None:
        atoms.pbc = False
    q = shell_charges(atoms)
    gradient, virial = electrostatics(atoms, **options).gradient(q)

    def energy(displaced):
        return electrostatics(displaced, **options).energy(q)

    for atom, axis in ((0, 0), (4, 2), (8, 1)):
        pair = []
        for step in (1e-3, -1e-3):
            displaced = atoms.copy()
            displaced.positions[atom, axis] += step * Bohr
            pair.append(energy(displaced))
        assert gradient[atom, axis] == pytest.approx((pair[0] - pair[1]) / 2e-3, abs=2e-8)
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-11)
    for a, b in ((0, 0), (2, 2), (0, 1), (2, 1)):
        strain = np.zeros((3, 3))
        strain[a, b] = 5e-5
        slope = (energy(strained(atoms, strain)) - energy(strained(atoms, -strain))) / 1e-4
        assert virial[a, b] == pytest.approx(slope, abs=1e-7)
    np.testing.assert_allclose(virial, virial.T, atol=1e-12)


def test_gradient_where_the_remainder_fades():
    """A pair 20 to 25 bohr apart: the fading must have its own slope in the gradient."""
    eta = np.array([0.2, 0.25])
    cell = np.diag([60.0, 60.0, 60.0])

    def solver(x):
        return KlopmanOhno([[0, 0, 0], [x, 0, 0]], cell, [0, 1], eta)

    slope = (solver(22.51).energy([1, -1]) - solver(22.49).energy([1, -1])) / 0.02
    assert solver(22.5).gradient([1, -1])[0][1, 0] == pytest.approx(slope, abs=1e-9)


def test_third_order():
    """1/3 Gamma q³ and its derivative, at numbers done by hand."""
    q, gamma = np.array([0.5, -2.0]), np.array([0.12, 0.3])
    np.testing.assert_allclose(third_order_energies(q, gamma), [0.005, -0.8])
    np.testing.assert_allclose(third_order_potential(q, gamma), [0.03, 1.2])


# -- tblite ----------------------------------------------------------------------------------------


def tblite_potentials(atoms, charge=0.0):
    """Shell charges and potentials of tblite's own solution.

    Its orbitals give the matrix it diagonalised, F = S C e C^T S; the diagonal of F - H0 is minus
    the potential, because orbitals of one shell see one potential.
    """
    load_tblite()
    from tblite.interface import Calculator

    calculator = Calculator(
        "GFN1-xTB", atoms.numbers, atoms.positions / Bohr, charge,
        lattice=lattice(atoms), periodic=atoms.pbc,
    )  # fmt: skip
    calculator.set("save-integrals", 1)
    calculator.set("verbosity", 0)
    calculator.set("accuracy", 1e-4)
    result = calculator.singlepoint()
    s, h = result.get("overlap-matrix"), result.get("hamiltonian-matrix")
    c, e = result.get("orbital-coefficients"), result.get("orbital-energies")
    f = s @ c @ np.diag(e) @ c.T @ s
    basis = basis_of(atoms.numbers)
    populations = np.sum(result.get("density-matrix") * s, axis=1)
    q = basis.occupations - np.bincount(basis.orbital_shell, populations)
    v = -np.diag(f - h) / np.diag(s)
    return q, np.bincount(basis.orbital_shell, v) / basis.shell_size


def box(name):
    atoms = molecule(name, vacuum=4.0)
    atoms.pbc = True
    return atoms


CELLS = {
    "quartz": lambda: quartz(),
    "triclinic": lambda: strained(quartz(), [[0.02, 0.05, 0.0], [0.0, -0.03, 0.04], [0, 0, 0.01]]),
    "magnesia": lambda: bulk("MgO", "rocksalt", a=4.21, cubic=True),
    "lithium fluoride": lambda: bulk("LiF", "rocksalt", a=4.03, cubic=True),
    "water in a box": lambda: box("H2O"),
    "silane": lambda: molecule("SiH4"),
}


@pytest.mark.parametrize("name", CELLS)
def test_potentials_equal_tblites(name):
    """tblite 0.8, in its form of the lattice sum: 1e-8 hartree."""
    atoms = CELLS[name]()
    basis = basis_of(atoms.numbers)
    q, expected = tblite_potentials(atoms)
    atom_charges = np.bincount(basis.shell_atom, q)
    third = third_order_potential(atom_charges, basis.hubbard_derivatives)
    found = electrostatics(atoms, lattice_sum="tblite").potential(q) + third[basis.shell_atom]
    np.testing.assert_allclose(found, expected, atol=1e-8, rtol=0)


# -- dispersion ------------------------------------------------------------------------------------


def test_dispersion_is_tblites_share():
    """Argon atoms beyond the reach of all else in GFN1-xTB (25 bohr), energy by atom."""
    load_tblite()
    from tblite.interface import Calculator

    far = np.array([[0, 0, 0], [0, 0, 31.0], [0, 26.0, 3.0]])
    numbers = np.array([18, 18, 18])

    def energies(which):
        calculator = Calculator("GFN1-xTB", numbers[which], far[which])
        calculator.set("verbosity", 0)
        return calculator.singlepoint().get("energies")

    alone = energies([0])
    found = dispersion(numbers, far)
    np.testing.assert_allclose(found.energies, energies([0, 1, 2]) - alone, atol=1e-14)
    assert found.energy == pytest.approx(found.energies.sum(), abs=1e-14)


def test_dispersion_of_a_crystal_is_summed_to_the_end():
    """Against the plain sum up to 50 and, by its tail of R^-3, beyond; and for a doubled cell."""
    atoms = quartz()

    def energy(atoms, **options):
        return dispersion(atoms.numbers, atoms.positions / Bohr, lattice(atoms), **options).energy

    found, truncated = energy(atoms), energy(atoms, lattice_sum="tblite")
    assert 3e-6 < (truncated - found) / len(atoms) < 1e-5
    model = DispersionModel(
        atoms.numbers, atoms.positions / Bohr, lattice(atoms), np.ones(3, dtype=bool)
    )
    model.set_realspace_cutoff(200.0, 25.0, 25.0, 0.05, 0.05)
    damping = RationalDampingParam(s6=1.0, s8=2.4, s9=0.0, a1=0.63, a2=5.0)
    far = float(model.get_dispersion(damping, grad=False)["energy"])
    beyond = (far - truncated) / (50.0**-3 - 200.0**-3) * 200.0**-3
    assert found == pytest.approx(far + beyond, abs=3e-8 * len(atoms))
    assert energy(atoms * (2, 1, 1)) == pytest.approx(2 * found, abs=1e-9)
    shifted = atoms.copy()
    shifted.positions += [0.3, 0.2, 0.1]
    assert energy(shifted) == pytest.approx(found, abs=1e-9)


def test_dispersion_derivatives():
    atoms = quartz()
    found = dispersion(atoms.numbers, atoms.positions / Bohr, lattice(atoms))
    assert found.energies.sum() == pytest.approx(found.energy, abs=1e-12)

    def energy(displaced):
        positions = displaced.positions / Bohr
        return dispersion(displaced.numbers, positions, lattice(displaced), per_atom=False).energy

    displaced = atoms.copy()
    displaced.positions[4, 1] += 2e-3 * Bohr
    up = energy(displaced)
    displaced.positions[4, 1] -= 4e-3 * Bohr
    assert found.gradient[4, 1] == pytest.approx((up - energy(displaced)) / 4e-3, abs=1e-8)
    strain = np.diag([1e-4, 0, 0])
    slope = (energy(strained(atoms, strain)) - energy(strained(atoms, -strain))) / 2e-4
    assert found.virial[0, 0] == pytest.approx(slope, abs=1e-7)


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lattice_sum": "ewald"}, "lattice_sum='ewald': must be one of converged, tblite"),
        ({"splitting": 0.0}, "splitting=0.0"),
        ({"hardness": [0.4, -0.1]}, "hardness=-0.1: must be positive"),
        ({"hardness": [0.4]}, "hardness: shape"),
        ({"shell_atom": [1, 0]}, "shell_atom: must ascend"),
        ({"positions": [[0.0, 0.0]]}, "positions: shape"),
    ],
)
def test_errors_name_the_argument(change, message):
    arguments = {
        "positions": [[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]],
        "cell": None,
        "shell_atom": [0, 1],
        "hardness": [0.4, 0.5],
    }
    with pytest.raises(ValueError, match=message):
        KlopmanOhno(**(arguments | change))
