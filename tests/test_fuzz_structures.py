"""Damaged files of structures: the atoms that a naive reader finds in them, or a named error."""

import tempfile
from functools import partial
from pathlib import Path

import naive
import numpy as np
import pytest
from ase import Atoms
from ase.cell import Cell
from hypothesis import given
from mutations import damaged, fuzz, limited

from glassnb.core.files import read, write

SPECIES = ("Si", "O")
STRUCTURE = Atoms(
    "Si2O4",
    positions=[[0.5, 0.25, 0.125], [2.5, 3.25, 1.5], [1.25, 0.75, 4.5], [3.5, 1.75, 2.25],
               [0.75, 4.25, 3.125], [2.125, 2.75, 5.5]],
    cell=[5.25, 6.5, 7.75],
    pbc=True,
)  # fmt: skip
TYPED = {"id": range(1, 7), "type": [1, 1, 2, 2, 2, 2]}
ROWS = "".join(
    f"{i} {t} {x} {y} {z}\n"
    for i, t, (x, y, z) in zip(*TYPED.values(), STRUCTURE.positions, strict=True)
)
NAMED = "".join(
    f"{s} {x} {y} {z}\n"
    for s, (x, y, z) in zip(STRUCTURE.symbols, STRUCTURE.positions, strict=True)
)
DATA = (
    "silica\n\n6 atoms\n2 atom types\n\n0.0 5.25 xlo xhi\n0.0 6.5 ylo yhi\n0.0 7.75 zlo zhi\n\n"
    f"Masses\n\n1 28.085 # Si\n2 15.999 # O\n\nAtoms # atomic\n\n{ROWS}"
)
DUMP = (
    "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n6\nITEM: BOX BOUNDS pp pp pp\n0.0 5.25\n0.0 6.5\n"
    f"0.0 7.75\nITEM: ATOMS id type x y z\n{ROWS}"
)


def written(name, format=None):
    """The text that the package writes."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / name, STRUCTURE, format=format)
        return (Path(folder) / name).read_text()


# name of the file, intact texts, naive reader, species
FORMATS = {
    "xyz": ("a.xyz", [f"6\nsilica\n{NAMED}", f"6\nstep 1\n{NAMED}6\nstep 2\n{NAMED}"],
            naive.xyz_atoms, None),
    "extxyz": ("a.xyz", [written("a.xyz", "extxyz")], naive.xyz_atoms, None),
    "sova": ("a.xyz", [written("a.xyz", "sova")], naive.sova_atoms, None),
    "rmc": ("a.cfg", [written("a.cfg")], partial(naive.rmc_atoms, species=SPECIES), SPECIES),
    "rmc6f": ("a.rmc6f", [written("a.rmc6f")], naive.rmc6f_atoms, None),
    "atomeye": ("a.cfg", [written("a.cfg", "cfg")], naive.atomeye_atoms, None),
    "lammps-data": ("a.data", [DATA], partial(naive.lammps_data_atoms, species=SPECIES), SPECIES),
    "lammps-dump": ("a.dump", [DUMP, DUMP + DUMP.replace("MESTEP\n0", "MESTEP\n1")],
                    partial(naive.lammps_dump_atoms, species=SPECIES), SPECIES),
    "cif": ("a.cif", [written("a.cif")], naive.cif_atoms, None),
    "poscar": ("POSCAR", [written("POSCAR", "vasp")], naive.poscar_atoms, None),
}  # fmt: skip


def same(ours, expected, cell):
    """Equal up to the order of the atoms, whole cells, and a shift of all together."""
    if len(ours) != len(expected):
        return False
    inverse = np.linalg.pinv(cell) if cell.any() else np.zeros((3, 3))
    ours, expected = ([(s, np.array(p)) for s, *p in atoms] for atoms in (ours, expected))
    shift = ours[0][1] - expected[0][1]  # readers keep the order, but for numbered atoms
    for s, p in expected:
        for k, (t, q) in enumerate(ours):
            d = p + shift - q
            d = d - np.round(d @ inverse) @ cell
            if s == t and np.abs(d).max() < 1e-4:
                del ours[k]
                break
        else:
            return False
    return True


def check(name, data):
    """Read a damaged file: the atoms of the naive reader, or an error that names the file."""
    file, _, reference, species = FORMATS[name]
    refused = None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file
        path.write_bytes(data)
        try:
            with limited():
                found = read(path, species=species)
        except ValueError as error:
            refused = str(error)
    if refused is not None:
        assert file in refused or "species" in refused
        return "refused"
    try:
        expected = reference(data)
    except Exception as error:
        raise AssertionError(f"read {found}, where {error!r}: {data!r}") from error
    cell, positions = found.cell.array, found.positions
    if name == "rmc6f":  # whose vectors may be rows or columns
        cell = Cell.fromcellpar(found.cell.cellpar()).array
        positions = found.get_scaled_positions(wrap=False) @ cell
    ours = [(s, *p) for s, p in zip(found.symbols, positions, strict=True)]
    assert same(ours, expected, cell), (ours, expected, data)
    return "read"


@pytest.mark.parametrize("name", FORMATS)
def test_intact_files_are_read(name):
    assert [check(name, text.encode()) for text in FORMATS[name][1]] == ["read"] * len(
        FORMATS[name][1]
    )


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_structures_are_read_as_they_stand_or_refused(name):
    @fuzz
    @given(damaged(FORMATS[name][1]))
    def run(data):
        check(name, data)

    run()
