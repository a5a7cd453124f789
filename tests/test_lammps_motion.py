"""Velocities, forces and charges in LAMMPS files, against LAMMPS, ASE's readers, and its units."""

import io
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms, units
from ase.io.lammpsdata import write_lammps_data

from glassnb.core.files import read, write
from glassnb.models.lammps_engine import Lammps

SKEW = np.array([[7.0, 0, 0], [2.1, 6.5, 0], [-1.3, 0.9, 8.2]])
# Kinetic energy in eV of 1 g/mol at 1 Å/ps; kcal/mol in eV.
PER_PS = 1e4 / 2 / units._Nav * 1e-3 / units._e
KCAL = 4184 / units._Nav / units._e


def moving(cell: np.ndarray = SKEW) -> Atoms:
    atoms = Atoms("OSi2O3", cell=cell, pbc=True)
    rng = np.random.default_rng(3)
    atoms.set_scaled_positions(rng.random((6, 3)))
    atoms.set_velocities(rng.normal(size=(6, 3)) * 0.1)
    atoms.set_initial_charges([-1.2, 2.4, 2.4, -1.2, -1.2, -1.2])
    return atoms


@pytest.mark.parametrize("unit", ["metal", "real", None])
@pytest.mark.parametrize("style", ["atomic", "full"])
def test_velocities_of_data(tmp_path: Path, style: str, unit: str | None) -> None:
    """ASE is told the units, we find them in the title."""
    atoms, written = moving(), io.StringIO()
    write_lammps_data(written, atoms, velocities=True, masses=True, atom_style=style,
                      units=unit or "metal")  # fmt: skip
    head, velocities = written.getvalue().split("\nVelocities\n\n")
    shuffled = "\n".join(reversed(velocities.splitlines()))
    path = tmp_path / "a.data"
    title = f"LAMMPS data file, units = {unit}" if unit else "by hand"
    path.write_text(
        f"{head}\nVelocities # of the glass\n\n{shuffled}\n".replace("(written by ASE)", title)
    )
    ours = read(path)
    theirs = ase.io.read(path, format="lammps-data", atom_style=style, units=unit or "metal")
    np.testing.assert_allclose(ours.get_velocities(), theirs.get_velocities(), rtol=1e-12)
    np.testing.assert_allclose(ours.get_velocities(), atoms.get_velocities(), rtol=1e-9)
    with np.errstate(all="raise"):
        assert ours.get_kinetic_energy() == pytest.approx(atoms.get_kinetic_energy(), rel=1e-9)


DUMP = """ITEM: TIMESTEP
{step}
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS pp pp pp
0 5
0 5
0 5
ITEM: ATOMS id fy fx fz element {names} vx vy vz q
9 -2 1 3 O 0.5 0.25 0.75 1 2 -3 -1
4 5 4 6 Si 0.125 0.5 0.5 4 5 6.5 1
"""


@pytest.mark.parametrize("names", ["xs ys zs", "xu yu zu"])
@pytest.mark.parametrize("unit", ["metal", "real", None])
def test_vectors_of_dumps(tmp_path: Path, unit: str | None, names: str) -> None:
    """The units stand in the first frame alone, as LAMMPS writes them."""
    first, second = (DUMP.format(step=step, names=names) for step in (0, 10))
    told = f"ITEM: UNITS\n{unit}\n" if unit else ""
    path = tmp_path / "a.dump"
    path.write_text(told + first + second)
    ours = read(path, index=-1)
    theirs = ase.io.read(path, format="lammps-dump-text", index=-1, units=unit or "metal")
    assert ours.get_chemical_symbols() == theirs.get_chemical_symbols() == ["Si", "O"]
    np.testing.assert_allclose(ours.positions, theirs.positions)
    np.testing.assert_allclose(ours.get_velocities(), theirs.get_velocities(), rtol=1e-12)
    np.testing.assert_allclose(ours.get_forces(), theirs.get_forces(), rtol=1e-12)
    np.testing.assert_array_equal(ours.get_initial_charges(), [1, -1])
    per_mass = PER_PS * (1e6 if unit == "real" else 1)
    energy = per_mass * (28.085 * (16 + 25 + 6.5**2) + 15.999 * (1 + 4 + 9))
    assert ours.get_kinetic_energy() == pytest.approx(energy, rel=1e-6)
    force = np.array([[4, 5, 6], [1, -2, 3.0]]) * (KCAL if unit == "real" else 1)
    np.testing.assert_allclose(ours.get_forces(), force, rtol=1e-6)
    assert set(ours.arrays) == {
        "numbers", "positions", "tags", "initial_charges", "id", "momenta"
    }  # fmt: skip


@pytest.mark.parametrize("unit", ["metal", "real"])
def test_motion_through_lammps(tmp_path: Path, unit: str) -> None:
    """LAMMPS reads what we write for a left-handed cell, and computes energy and forces."""
    atoms = moving(np.array([[5.0, 3.0, -1.0], [1.0, -0.5, 7.0], [-2.0, 6.0, 1.5]]))
    atoms.set_initial_charges(None)
    write(tmp_path / "a.data", atoms)
    again = read(tmp_path / "a.data")
    assert again.get_kinetic_energy() == pytest.approx(atoms.get_kinetic_energy(), rel=1e-12)
    # The structure is turned, and its three vectors are reversed.
    parts = [a.get_velocities() @ np.linalg.inv(a.cell.array) for a in (atoms, again)]
    np.testing.assert_allclose(parts[0], -parts[1], atol=1e-12)
    columns = "id mass x y z vx vy vz fx fy fz modify units yes format float %.12g"
    with Lammps() as lammps:
        lammps.commands(
            f"units {unit}", "atom_style atomic", f"read_data {tmp_path / 'a.data'}",
            "pair_style lj/cut 3.0", "pair_coeff * * 0.01 2.0", "run 0",
            f"write_dump all custom {tmp_path / 'b'} {columns}", f"write_data {tmp_path / 'c'}",
        )  # fmt: skip
        kinetic, forces = lammps.thermo("ke"), lammps.per_atom("f")
    energy = KCAL if unit == "real" else 1
    for name in "bc":
        there = read(tmp_path / name)
        assert there.get_kinetic_energy() == pytest.approx(kinetic * energy, rel=1e-4)
        ratio = there.get_velocities() / again.get_velocities()
        np.testing.assert_allclose(ratio, 1000 if unit == "real" else 1, rtol=1e-6)
    forces = np.reshape(forces, (-1, 3)) * energy
    found = read(tmp_path / "b").get_forces()
    np.testing.assert_allclose(found, forces, rtol=1e-6, atol=1e-8)


DATA = (
    "by hand\n\n2 atoms\n1 atom types\n0 5 xlo xhi\n0 5 ylo yhi\n0 5 zlo zhi\n\n"
    "Masses\n\n1 28.0855\n\nAtoms # atomic\n\n1 1 0 0 0\n2 1 1 1 1\n\n"
    "Velocities\n\n1 .5 0 0\n2 0 1 0\n"
)


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (DATA, "2 0 1 0\n", "", "2 lines in section 'Velocities', as the header says, not 1"),
        (DATA, "2 0 1 0", "2 0 nan 0", "line 21: expected id vx vy vz"),
        (DATA, "2 0 1 0", "1 0 1 0", "line 21: expected id vx vy vz .*each atom once"),
        (DATA, "2 0 1 0", "3 0 1 0", "line 21: expected id vx vy vz .*each atom once"),
        (DATA, "2 0 1 0", "2 0 1", "line 21: expected id vx vy vz"),
        (DATA, "Velocities", "Velocity of sound\n\nVelocities", "line 18: expected .*a section"),
        (DUMP, "1 2 -3", "1 inf -3", "line 10: expected a finite number as vy"),
        (DUMP, "fy fx fz", "fy fx numbers", "line 9: expected names of columns .*'numbers'"),
    ],
)
def test_wrong_motion(tmp_path: Path, text: str, old: str, new: str, message: str) -> None:
    path = tmp_path / "a.file"
    text = text.replace("{step}", "0").replace("{names}", "x y z")
    path.write_text(text)
    assert read(path).has("momenta")
    path.write_text(text.replace(old, new))
    with pytest.raises(ValueError, match=r"a\.file, line \d+: ") as caught:
        read(path)
    caught.match(message)


def test_sections_of_other_commands_are_named(tmp_path: Path) -> None:
    """``read_data ... fix`` lets users name sections."""
    path = tmp_path / "a"
    path.write_text(DATA.replace("Velocities", "Molecules"))
    with pytest.warns(UserWarning, match="line 18: the section 'Molecules' is not known"):
        assert not read(path).has("momenta")
