"""Structures, and what tblite and xtb say of them, for the tests of the tight-binding room."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import spglib
from ase import Atoms
from ase.build import bulk, molecule
from ase.io import read
from ase.spacegroup import crystal as by_space_group
from ase.units import Bohr, Hartree, kB

from glassnb.models import crystal
from glassnb.tightbinding.parameters import load_tblite

KELVIN = kB / Hartree
DATA = Path(__file__).parent / "data"


def rattled(atoms, seed=0, width=0.05):
    """Copy with normally distributed displacements in Å, and the symmetry broken."""
    atoms = atoms.copy()
    atoms.positions += np.random.default_rng(seed).normal(0, width, atoms.positions.shape)
    return atoms


def sodium_silicate():
    """Na2SiO3, 12 atoms, near W. S. McDonald, D. W. J. Cruickshank, Acta Cryst. 22, 37 (1967)."""
    sites = [(0.166, 0.339, 0.0), (0, 0.158, 0.521), (0.131, 0.288, 0.5), (0, 0.087, 0.852)]
    cell = [10.48, 6.07, 4.82, 90, 90, 90]
    return by_space_group(
        ["Na", "Si", "O", "O"], sites, spacegroup=36, cellpar=cell, primitive_cell=True
    )


def primitive(atoms):
    """The primitive cell of a crystal."""
    cell = (atoms.cell[:], atoms.get_scaled_positions(), atoms.numbers)
    cell, positions, numbers = spglib.find_primitive(cell)
    return Atoms(numbers, scaled_positions=positions, cell=cell, pbc=True)


def sheared(atoms):
    """The same atoms in a triclinic cell."""
    atoms = atoms.copy()
    strain = np.array([[1.02, 0.03, 0.0], [0.0, 0.98, -0.04], [0.02, 0.0, 1.01]])
    atoms.set_cell(atoms.cell[:] @ strain, scale_atoms=True)
    return atoms


def periodic_cells():
    return {
        "quartz": rattled(crystal("alpha-quartz")),
        "sheared quartz": rattled(sheared(crystal("alpha-quartz")), 1),
        "cristobalite": rattled(crystal("alpha-cristobalite"), 2),
        "coesite": rattled(primitive(crystal("coesite")), 3),
        "glass of 72 atoms": read(DATA / "glass-72.xyz"),
        "MgO": rattled(bulk("MgO", "rocksalt", a=4.21, cubic=True), 4),
        "sodium silicate": rattled(sodium_silicate(), 5),
    }


def tblite_calculator(atoms, charge=0, unpaired=0):
    """A silent calculator of tblite."""
    load_tblite()
    from tblite.interface import Calculator

    periodic = {"lattice": np.asarray(atoms.cell) / Bohr, "periodic": atoms.pbc}
    calculator = Calculator(
        "GFN1-xTB", atoms.numbers, atoms.positions / Bohr, charge=charge, uhf=unpaired,
        **(periodic if atoms.pbc.any() else {}),
    )  # fmt: skip
    calculator.set("verbosity", 0)
    return calculator


def tblite_result(atoms, charge=0, unpaired=0):
    """What tblite finds, converged well beyond its default."""
    calculator = tblite_calculator(atoms, charge, unpaired)
    calculator.set("accuracy", 1e-3)
    calculator.set("temperature", 300 * KELVIN)
    return calculator.singlepoint()


def tblite_matrices(atoms):
    """Overlap and core Hamiltonian of tblite; it need not converge for that."""
    load_tblite()
    from tblite.exceptions import TBLiteRuntimeError
    from tblite.interface import Result

    calculator = tblite_calculator(atoms)
    calculator.set("save-integrals", 1)
    calculator.set("max-iter", 1)
    result = Result()
    with suppress(TBLiteRuntimeError):  # it is not self-consistent after one cycle
        calculator.singlepoint(result)
    return result["overlap-matrix"], result["hamiltonian-matrix"]


def xtb_energy(atoms, charge=0, unpaired=0):
    """Total energy of a molecule by the older program, in Hartree."""
    from xtb.interface import Calculator, Param
    from xtb.libxtb import VERBOSITY_MUTED

    calculator = Calculator(
        Param.GFN1xTB, atoms.numbers, atoms.positions / Bohr, charge=charge, uhf=unpaired
    )
    calculator.set_verbosity(VERBOSITY_MUTED)
    calculator.set_accuracy(1e-3)
    return calculator.singlepoint().get_energy()


def silica_cluster():
    """Si(OH)4 with a rotation of its own for each hydroxyl, 9 atoms."""
    atoms = molecule("SiH4")
    directions = atoms.positions[1:] / np.linalg.norm(atoms.positions[1:], axis=1)[:, None]
    oxygen = Atoms("O4", 1.63 * directions)
    sideways = np.cross(directions, [0.3, 1.0, -0.2])
    sideways /= np.linalg.norm(sideways, axis=1)[:, None]
    hydrogen = Atoms("H4", 1.63 * directions + 0.96 * (0.45 * directions + 0.89 * sideways))
    return Atoms("Si") + oxygen + hydrogen
