"""Files: round trips, other programs' readers as oracles, and errors that say where and what."""

import gzip
import io
import warnings
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.units import _amu

from glassnb.core.files import read, write

CELLS = {
    "cubic": 7.16 * np.eye(3),
    "orthorhombic": np.diag([6.0, 7.5, 9.25]),
    "triclinic": np.array([[7.0, 0.0, 0.0], [2.1, 6.5, 0.0], [-1.3, 0.9, 8.2]]),
    "turned": np.array([[5.0, 3.0, -1.0], [-2.0, 6.0, 1.5], [1.0, -0.5, 7.0]]),
}


def structure(cell: np.ndarray, seed: int = 5) -> Atoms:
    """Six SiO2 in a cell, already grouped by element and inside the cell."""
    atoms = Atoms("Si6O12", cell=cell, pbc=True)
    atoms.set_scaled_positions(np.random.default_rng(seed).random((18, 3)))
    return atoms


def assert_same(a: Atoms, b: Atoms, atol: float = 1e-8) -> None:
    """The same structure, atom by atom."""
    assert a.get_chemical_symbols() == b.get_chemical_symbols()
    np.testing.assert_allclose(a.cell, b.cell, atol=atol)
    np.testing.assert_allclose(a.positions, b.positions, atol=atol)
    assert a.pbc.tolist() == b.pbc.tolist()


def density(atoms: Atoms) -> float:
    """Mass density in g/cm3, from atomic mass units and cubic Å alone."""
    return float(atoms.get_masses().sum() * _amu * 1e3 / (atoms.get_volume() * 1e-24))


# -- round trips ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize(
    ("name", "format"),
    [("a.cfg", None), ("a.rmc6f", None), ("a.xyz", "sova"), ("a.xyz", None), ("a.cfg.gz", None),
     ("a.rmc6f.gz", None), ("a.extxyz.gz", None), ("a.vasp", None), ("a.traj", None)],
)  # fmt: skip
def test_round_trip(tmp_path: Path, cell: np.ndarray, name: str, format: str | None) -> None:
    atoms = structure(cell)
    write(tmp_path / name, atoms, format=format)
    assert_same(read(tmp_path / name), atoms)
    assert [path.name for path in tmp_path.iterdir()] == [name]  # nothing temporary is left


def test_atoms_are_grouped_and_wrapped_where_the_format_demands_it(tmp_path: Path) -> None:
    atoms = structure(CELLS["triclinic"])
    mixed = atoms[np.random.default_rng(1).permutation(len(atoms))]
    mixed.positions += 3 * mixed.cell[0] - mixed.cell[1]
    order = np.argsort([str(s) != mixed.symbols[0] for s in mixed.symbols], kind="stable")
    expected = mixed[order]
    expected.wrap(eps=0)
    for name in ("a.cfg", "a.rmc6f"):
        write(tmp_path / name, mixed)
        assert_same(read(tmp_path / name), expected)


def test_title_is_kept(tmp_path: Path) -> None:
    atoms = structure(CELLS["cubic"])
    atoms.info["title"] = "a glass of silica"
    for name in ("a.cfg", "a.rmc6f"):
        write(tmp_path / name, atoms)
        assert read(tmp_path / name).info["title"] == "a glass of silica"


def test_rmc6f_keeps_the_relation_to_the_crystal(tmp_path: Path) -> None:
    atoms = structure(CELLS["orthorhombic"])
    atoms.set_array("rmc6f_site", np.arange(18) % 9 + 1)
    atoms.set_array("rmc6f_cell", np.array([(i % 2, 0, i // 9) for i in range(18)]))
    atoms.info["rmc6f_supercell"] = (2, 1, 2)
    write(tmp_path / "a.rmc6f", atoms)
    again = read(tmp_path / "a.rmc6f")
    assert again.info["rmc6f_supercell"] == (2, 1, 2)
    for name in ("rmc6f_site", "rmc6f_cell"):
        np.testing.assert_array_equal(again.arrays[name], atoms.arrays[name])


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    atoms = structure(CELLS["cubic"])
    write(tmp_path / "a.cfg", atoms)
    before = (tmp_path / "a.cfg").read_bytes()
    broken = atoms.copy()
    broken.positions[3, 1] = np.nan
    with pytest.raises(ValueError, match="finite coordinates.* at atom 4 of 18"):
        write(tmp_path / "a.cfg", broken)
    assert (tmp_path / "a.cfg").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


# -- other programs as oracles -------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_ase_reads_our_rmc6f(tmp_path: Path, cell: np.ndarray) -> None:
    """ASE ignores the lattice vectors, so compare fractions and cell parameters."""
    atoms = structure(cell)
    write(tmp_path / "a.rmc6f", atoms)
    theirs = ase.io.read(tmp_path / "a.rmc6f")
    assert theirs.get_chemical_symbols() == atoms.get_chemical_symbols()
    np.testing.assert_allclose(theirs.cell.cellpar(), atoms.cell.cellpar(), atol=1e-8)
    np.testing.assert_allclose(
        theirs.get_scaled_positions(), atoms.get_scaled_positions(), atol=1e-9
    )


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_we_read_the_rmc6f_of_ase(tmp_path: Path, cell: np.ndarray) -> None:
    """ASE writes the lattice vectors as columns, in its standard orientation, with 6 decimals."""
    atoms = structure(cell)
    ase.io.write(tmp_path / "a.rmc6f", atoms)
    ours = read(tmp_path / "a.rmc6f")
    np.testing.assert_allclose(ours.cell.cellpar(), atoms.cell.cellpar(), atol=1e-4)
    np.testing.assert_allclose(ours.get_scaled_positions(), atoms.get_scaled_positions(), atol=1e-6)
    np.testing.assert_allclose(
        ours.get_all_distances(mic=True), atoms.get_all_distances(mic=True), atol=1e-4
    )


SHAPES = ["CUB 24.713", "TET 5.5 7.25", "ORT 5 6.5 8", "RHO 7 1.3", "MON 5 6 7 1.8",
          "TRI 5 6 7 1.4 1.5 1.8", "TRI 7 0 0 2.1 6.5 0 -1.3 0.9 8.2"]  # fmt: skip


@pytest.mark.parametrize("line", SHAPES)
def test_cells_of_sova_agree_with_sovapy(tmp_path: Path, line: str) -> None:
    volumes = pytest.importorskip("sovapy.core.volumes")
    path = tmp_path / "a.xyz"
    path.write_text(f"1\n{line}\nSi 1 2 3\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sovapy uses numpy.matrix
        theirs = np.array(volumes.Volume.fromstring(line).Minv).T
    np.testing.assert_allclose(read(path).cell, theirs, atol=1e-6)


def test_the_hexagonal_prism_of_sova_has_the_translations_of_sovapy(tmp_path: Path) -> None:
    volumes = pytest.importorskip("sovapy.core.volumes")
    (tmp_path / "a.xyz").write_text("1\nHEX 5 7\nSi 1 2 3\n")
    theirs = volumes.Volume.fromstring("HEX 5 7")
    atoms = read(tmp_path / "a.xyz")
    np.testing.assert_allclose(atoms.cell, theirs.translation_vectors, atol=1e-9)
    assert atoms.get_volume() == pytest.approx(theirs.volume, rel=1e-12)


def test_a_sova_file_without_a_cell_is_a_cluster(tmp_path: Path) -> None:
    cluster = Atoms("SiO2", positions=np.arange(9.0).reshape(3, 3))
    write(tmp_path / "a.xyz", cluster, format="sova")
    assert (tmp_path / "a.xyz").read_text().splitlines()[1] == "NON"
    assert_same(read(tmp_path / "a.xyz"), cluster)


# -- files of others -----------------------------------------------------------------------------


def test_rmc_model_of_silica_glass(shared_data: Path) -> None:
    """Facts of the file (half box, counts) and its density, published as 2.200 g/cm3."""
    glass = read(shared_data / "models" / "sova_sio.cfg", species=("Si", "O"))
    np.testing.assert_allclose(glass.cell, 2 * 17.831044 * np.eye(3), atol=1e-12)
    assert glass.symbols.formula.count() == {"Si": 1000, "O": 2000}
    assert glass.get_chemical_symbols()[:1001] == ["Si"] * 1000 + ["O"]
    assert density(glass) == pytest.approx(2.200, abs=5e-4)
    # first line of coordinates in the file, in half boxes about the centre
    first = (np.array([0.496567297792113, -0.747673213209612, 0.367549830584073]) + 1) * 17.831044
    np.testing.assert_allclose(glass.positions[0], first, atol=1e-10)
    # a wrong scale or wrong vectors would spoil the Si-O distance (1.61 Å, Mozzi & Warren 1969)
    nearest = glass.get_distances(0, np.flatnonzero(glass.symbols == "O"), mic=True)
    assert np.sort(nearest)[:4] == pytest.approx(1.61, abs=0.15)


def test_rmc_model_agrees_with_sovapy(shared_data: Path) -> None:
    files = pytest.importorskip("sovapy.core.file")
    path = shared_data / "models" / "sova_sio.cfg"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = files.File.open(str(path)).get_atoms(0, ["Si", "O"])
    ours = read(path, ("Si", "O"))
    # sovapy keeps the centre of the box at the origin
    np.testing.assert_allclose(theirs.positions + 17.831044, ours.positions, atol=1e-9)


def test_md_glass_of_sova(shared_data: Path) -> None:
    glass = read(shared_data / "rings" / "sova_a_SiO2_speed1e11K.xyz")
    assert len(glass) == 999
    np.testing.assert_allclose(glass.cell, 24.713 * np.eye(3))
    assert glass.pbc.all()
    assert density(glass) == pytest.approx(2.201, abs=5e-4)  # published with the model
    np.testing.assert_allclose(glass.positions[0], [3.040786, 2.853190, 4.531944])


@pytest.mark.parametrize(
    ("name", "atoms", "published"),
    [("Quartz-alpha", 9, 2.646), ("Quartz-beta", 9, 2.537), ("Coesite", 48, 2.921),
     ("Stishovite", 6, 4.281), ("Seifertite", 12, 4.295)],
)  # fmt: skip
def test_crystals_of_the_mineralogists(
    shared_data: Path, name: str, atoms: int, published: float
) -> None:
    """Densities as each file states them; the symbol of coesite is one that ASE lacks."""
    crystal = read(shared_data / "rings" / f"amcsd_{name}.cif")
    assert len(crystal) == atoms
    assert density(crystal) == pytest.approx(published, abs=1e-3)


def test_species_of_a_lammps_dump(tmp_path: Path) -> None:
    dump = "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n"
    dump += "0 5\n0 5\n0 5\nITEM: ATOMS id type x y z\n1 1 0 0 0\n2 2 1 1 1\n"
    (tmp_path / "a.lammpstrj").write_text(dump)
    assert read(tmp_path / "a.lammpstrj", ("Si", "O")).get_chemical_symbols() == ["Si", "O"]


def test_lammps_data(tmp_path: Path) -> None:
    """ASE's own guess is another program's format; elements follow masses, or what is asked."""
    glass = structure(CELLS["triclinic"])
    ase.io.write(
        tmp_path / "a.data", glass, format="lammps-data", masses=True, specorder=["Si", "O"]
    )
    same = read(tmp_path / "a.data")
    assert same.get_chemical_symbols() == glass.get_chemical_symbols()
    np.testing.assert_allclose(same.get_volume(), glass.get_volume())
    with pytest.warns(UserWarning, match="type 1 of mass 28.*, that of Si, 'Ge'"):
        other = read(tmp_path / "a.data", ("Ge", "S"))
    assert other.symbols.formula.count() == {"Ge": 6, "S": 12}


def test_atomeye_is_told_from_rmc(tmp_path: Path) -> None:
    atoms = structure(CELLS["triclinic"])
    write(tmp_path / "a.cfg", atoms, format="cfg")
    assert "Number of particles" in (tmp_path / "a.cfg").read_text()
    again = read(tmp_path / "a.cfg")
    np.testing.assert_allclose(
        again.get_scaled_positions(), atoms.get_scaled_positions(), atol=1e-7
    )


def test_the_last_frame_is_read_and_at_signs_are_names(tmp_path: Path) -> None:
    frames = [structure(CELLS["cubic"], seed) for seed in (1, 2)]
    ase.io.write(str(tmp_path / "run.xyz"), frames, format="extxyz")
    (tmp_path / "run.xyz").rename(tmp_path / "run@300.xyz")
    with pytest.warns(UserWarning, match=r"2 frames.*index=-1.*index=.:. ") as caught:
        assert_same(read(tmp_path / "run@300.xyz"), frames[1])
    assert caught[0].filename == __file__
    assert_same(read(tmp_path / "run@300.xyz", index=-1), frames[1])


def test_a_comment_that_looks_like_a_sova_keyword_is_a_comment(tmp_path: Path) -> None:
    for comment in ("Non periodic cluster", "tri-axial cell", "cubic"):
        (tmp_path / "a.xyz").write_text(f"1\n{comment}\nSi 1 2 3\n")
        assert not read(tmp_path / "a.xyz").pbc.any()


# -- species of RMC files ------------------------------------------------------------------------


@pytest.fixture
def cfg(tmp_path: Path) -> Path:
    """A small configuration without a note of its elements, as RMC++ writes it."""
    path = tmp_path / "small.cfg"
    write(path, structure(CELLS["cubic"]))
    path.write_text(path.read_text().replace(" | species: Si O", ""))
    return path


def test_species_unknown(cfg: Path) -> None:
    with pytest.warns(UserWarning, match=r"types of atoms.*species=\('Si', 'O'\)") as caught:
        atoms = read(cfg)
    assert caught[0].filename == __file__  # the warning points at who called
    assert set(atoms.symbols) == {"X"}
    assert atoms.get_tags().tolist() == [1] * 6 + [2] * 12


def test_species_given(cfg: Path) -> None:
    assert read(cfg, ("Ge", "O")).symbols.formula.count() == {"Ge": 6, "O": 12}


def test_species_override_the_note(tmp_path: Path) -> None:
    write(tmp_path / "a.cfg", structure(CELLS["cubic"]))
    assert read(tmp_path / "a.cfg", ("Ge", "S")).symbols.formula.count() == {"Ge": 6, "S": 12}


def test_species_wrong(cfg: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"species=\('Si',\).*2 types of atoms \(6, 12 atoms\)"):
        read(cfg, ["Si"])
    with pytest.raises(ValueError, match="'Sy' is no chemical element"):
        read(cfg, ("Sy", "O"))
    for name in ("a.xyz", "a.rmc6f", "a.vasp"):
        write(tmp_path / name, structure(CELLS["cubic"]))
        with pytest.raises(ValueError, match="names its elements itself"):
            read(tmp_path / name, ("Si", "O"))


# -- errors --------------------------------------------------------------------------------------


def test_missing_empty_unknown(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read(tmp_path / "nowhere.cfg")
    for name in ("a.cfg", "a.rmc6f", "a.xyz", "a.cif", "a.dat"):
        (tmp_path / name).write_text("")
        with pytest.raises(ValueError, match=f"{name}, line 1: .* empty file"):
            read(tmp_path / name)
    (tmp_path / "a.xyz").write_text("\n \n")
    with pytest.raises(ValueError, match="empty file"):
        read(tmp_path / "a.xyz")
    (tmp_path / "a.xyz.gz").write_bytes(gzip.compress(b"")[:-4])
    with pytest.raises(ValueError, match=r"a\.xyz\.gz: expected a text file"):
        read(tmp_path / "a.xyz.gz")
    (tmp_path / "a.cfg").write_text("nonsense\n")
    with pytest.raises(ValueError, match=r"a\.cfg, line 1: .*RMC\+\+.*AtomEye.*'nonsense'"):
        read(tmp_path / "a.cfg")
    for name in ("a.cif", "a.vasp", "a.dat", "a.nonsense"):
        (tmp_path / name).write_text("nonsense\n1.0\n")
        with pytest.raises(ValueError, match=f"{name}: "):
            read(tmp_path / name)
    (tmp_path / "a.extxyz").write_text('1\nLattice="5 0 0 0 5 0 0 0 5"\nSi 0 nan 0\n')
    with pytest.raises(ValueError, match="finite coordinates.*atom 1 of 1"):
        read(tmp_path / "a.extxyz")
    (tmp_path / "a.extxyz").write_text('1\nLattice="5 0 0 0 5 0 0 0 0" pbc="T T T"\nSi 0 0 0\n')
    with pytest.raises(ValueError, match="cell with a volume"):
        read(tmp_path / "a.extxyz")
    (tmp_path / "a.vasp").write_text("a\n1.0\n5 0 0\n0 nan 0\n0 0 5\nSi\n1\nCartesian\n0 0 0\n")
    with pytest.raises(ValueError, match="a.vasp, line 4: expected finite cell vectors"):
        read(tmp_path / "a.vasp")


@pytest.mark.parametrize("name", ["a.cfg", "a.rmc6f", "a.xyz", "b.xyz"])
def test_truncated_anywhere(tmp_path: Path, name: str) -> None:
    """Cut after any line, the file is refused with its name and a line number."""
    write(tmp_path / name, structure(CELLS["triclinic"]), format="sova" if name[0] == "b" else None)
    lines = (tmp_path / name).read_text().splitlines(keepends=True)
    for count in range(2, len(lines)):
        text = "".join(lines[:count])
        if not text.replace("\n", "").strip():
            continue
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match=f"{name}.*line .*expected"):
            read(tmp_path / name)


def replaced(path: Path, line: int, old: str, new: str) -> Path:
    """Change one line (counted from 1) of a file."""
    lines = path.read_text().splitlines()
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("line", "old", "new", "message"),
    [
        (5, "0", "many", "line 5: expected numbers of moves"),
        (8, "18", "19", "add up to 19 atoms, not 18"),
        (10, "1", "3", "line 10: expected 1 atom in a molecule"),
        (11, "0", "3", "line 11: expected 0 Euler angles"),
        (13, "F", "T", "line 13: expected F: truncated octahedral boxes are not supported"),
        (13, "F", "cubic", "line 13: expected T or F"),
        (14, "Defining vectors are:", "Box", "line 14: expected 'Defining vectors are:'"),
        (15, "3.58", "abc", "line 15: expected a defining vector"),
        (17, "3.58", "0.00", "line 17: expected three defining vectors that span a volume"),
        (20, "1", "2", "line 20: expected 1 atomic site"),
        (27, "0.", "NaN ", "line 27: expected coordinates of atom 1 of 18"),
        (30, "0.", "7.", "line 30: expected coordinates of atom 4 of 18 .3 numbers from -1 to 1"),
        (44, "", "1 1 1\n", "line 45: expected the end of the file after 18 atoms"),
    ],
)
def test_wrong_cfg(cfg: Path, line: int, old: str, new: str, message: str) -> None:
    with pytest.raises(ValueError, match=rf"small\.cfg, {message}|{message}"):
        read(replaced(cfg, line, old, new), ("Si", "O"))


@pytest.mark.parametrize(
    ("line", "old", "new", "message"),
    [
        (10, "18", "17", "expected 17 atoms, as the header says, not 18"),
        (10, "18", "some", "line 10: expected number of atoms: 1 whole"),
        (12, "1 1 1", "1 1", "line 12: expected supercell dimensions: 3 whole"),
        (13, "7.16", "-7.16", "line 13: expected a, b, c in Å"),
        (13, "7.16", "8.16", "line 18: expected lattice vectors that agree with 'Cell"),
        (15, "7.16", "x", "line 15: expected a lattice vector"),
        (15, "7.16", "0.00", "expected lattice vectors that span a volume"),
        (19, " Si ", " Va ", "line 19: expected a chemical element .not 'Va'"),
        (20, "0.", "inf", "line 20: expected an atom: number, element"),
        (21, "[1]", "[1] nan", "line 21: expected an atom: number, element"),
    ],
)
def test_wrong_rmc6f(tmp_path: Path, line: int, old: str, new: str, message: str) -> None:
    path = tmp_path / "a.rmc6f"
    write(path, structure(CELLS["cubic"]))
    with pytest.raises(ValueError, match=message):
        read(replaced(path, line, old, new))


def test_rmc6f_without_labels_vectors_or_sites(tmp_path: Path) -> None:
    """The optional parts of the format, with the exponents of Fortran."""
    (tmp_path / "a.rmc6f").write_text(
        "(Version 6f format configuration file)\nMetadata material:  SiO2\n"
        "Cell (Ang/deg): 5.0 6.0 7.0D0 90 90 120\n\nAtoms:\n1 Si 0.5 0.25 1.0D-1\n2 O 0 0 0\n"
    )
    atoms = read(tmp_path / "a.rmc6f")
    np.testing.assert_allclose(atoms.cell.cellpar(), [5, 6, 7, 90, 90, 120])
    np.testing.assert_allclose(atoms.get_scaled_positions()[0], [0.5, 0.25, 0.1])
    assert atoms.info["title"] == "SiO2"
    (tmp_path / "a.rmc6f").write_text("(Version 6f)\nAtoms:\n1 Si 0.5 0.25 0.1\n")
    with pytest.raises(ValueError, match="line 2: expected 'Cell"):
        read(tmp_path / "a.rmc6f")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x\nCUB 5\nSi 0 0 0\n", "line 1: expected the number of atoms, found 'x'"),
        ("1\nCUB\nSi 0 0 0\n", "line 2: expected 'CUB a', lengths in Å"),
        ("1\nCUB 5 6\nSi 0 0 0\n", "line 2: expected 'CUB a'"),
        ("1\nCUB -5\nSi 0 0 0\n", "line 2: expected 'CUB a'"),
        ("1\nCUB five\nSi 0 0 0\n", "line 2: expected 'CUB a'"),
        ("1\nMON 5 6 7 90\nSi 0 0 0\n", "line 2: expected 'MON a b c beta', .*in radians"),
        ("1\nTRI 1 2 3 2 4 6 0 0 1\nSi 0 0 0\n", "line 2: expected cell vectors that span"),
        ("1\nCUB 5\nSy 0 0 0\n", "line 3: expected a chemical element"),
        ("1\nCUB 5\nSi 0 0\n", "line 3: expected atom 1 of 1: element and 3 coordinates"),
        ("1\nCUB 5\nSi 0 0 0\nO 1 1 1\n", "line 4: expected the end of the file after 1 atoms"),
    ],
)
def test_wrong_sova_xyz(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.xyz").write_text(text)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "a.xyz")


def test_cif_without_operations_or_known_symbol(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    ase.io.write(buffer, structure(CELLS["cubic"]), format="cif")
    lines = buffer.getvalue().decode().replace("P 1", "Q 7 7").splitlines()
    kept = [line for line in lines if "operation" not in line and "x, y, z" not in line]
    text = "\n".join(line for line in kept if "IT_number" not in line) + "\n"
    (tmp_path / "a.cif").write_text(text)
    with pytest.raises(ValueError, match=r"a\.cif: .*Q 7 7"):
        read(tmp_path / "a.cif")


def test_wrong_use_of_write(tmp_path: Path) -> None:
    atoms = structure(CELLS["cubic"])
    with pytest.raises(ValueError, match=r"expected write\(path, atoms\)"):
        write(atoms, tmp_path / "a.xyz")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no format has this suffix"):
        write(tmp_path / "a.nonsense", atoms)
    with pytest.raises(ValueError, match="cannot be written as gif3d"):
        write(tmp_path / "a.xyz", atoms, format="gif3d")
    with pytest.raises(ValueError, match="found no atoms"):
        write(tmp_path / "a.xyz", Atoms())
    for name in ("a.cfg", "a.rmc6f"):
        with pytest.raises(ValueError, match="describe a periodic box"):
            write(tmp_path / name, Atoms("Si", cell=np.eye(3)))
    assert not list(tmp_path.iterdir())
