"""A file written and read again keeps elements, isotopes, cell and periodicity, or is refused."""

import bz2
import gzip
import lzma
from collections.abc import Iterator
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnb.core.files import read, write
from glassnb.core.isotopes import isotopes_of, parse_species, set_isotopes, species_label

NONE, ALL = (False, False, False), (True, True, True)
# What a format holds: which periodicities (None: every one), and which isotopes.
FORMATS = {
    "rmc": ({ALL}, True),
    "rmc6f": ({ALL}, True),
    "lammps-data": ({ALL}, True),
    "sova": ({NONE, ALL}, True),
    "xyz": ({NONE}, True),
    "extxyz": (None, True),
    "vasp": ({ALL}, False),
    "cif": ({ALL}, None),
    "cfg": ({ALL}, True),
    "traj": (None, {"D", "T"}),  # by their masses
}
GROUPED = ("rmc", "rmc6f")


def labelled(labels: list[str], **arguments: object) -> Atoms:
    kinds = [parse_species(label) for label in labels]
    atoms = Atoms([symbol for symbol, _ in kinds], **arguments)
    set_isotopes(atoms, [isotope for _, isotope in kinds])
    return atoms


def labels_of(atoms: Atoms) -> list[str]:
    return [species_label(*k) for k in zip(atoms.symbols, isotopes_of(atoms).tolist(), strict=True)]


def structure(seed: int, pbc: tuple[bool, ...] = ALL, isotopes: bool = True) -> Atoms:
    """Atoms on a shaken grid in a skew cell of either handedness, some outside it."""
    rng = np.random.default_rng(seed)
    names = ["Si", "O", "H", "Li"] + (["D", "T", "Li-6", "H-1", "Ni-62"] if isotopes else [])
    labels = rng.choice(names, rng.integers(2, 9)).tolist()
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.choice([-1, 1])
    cell = (np.diag(rng.uniform(7, 10, 3)) + np.tril(rng.uniform(-2, 2, (3, 3)), -1)) @ turn
    grid = rng.permutation(27)[: len(labels)]
    places = np.column_stack(np.unravel_index(grid, (3, 3, 3))) / 3
    places += rng.random(places.shape) / 9
    whole = rng.integers(-1, 2, places.shape)
    return labelled(labels, positions=(places + whole * pbc) @ cell, cell=cell, pbc=pbc)


def assert_alike(a: Atoms, b: Atoms, atol: float = 1e-5) -> None:
    """Equal up to a rotation and lattice vectors."""
    assert labels_of(a) == labels_of(b)
    assert a.pbc.tolist() == b.pbc.tolist()
    vectors = [x.cell.array[x.pbc] for x in (a, b)]
    np.testing.assert_allclose(*(v @ v.T for v in vectors), atol=1e-4)
    np.testing.assert_allclose(*(x.get_all_distances(mic=True) for x in (a, b)), atol=atol)


def grouped(atoms: Atoms) -> Atoms:
    labels = labels_of(atoms)
    return atoms[sorted(range(len(atoms)), key=lambda i: labels.index(labels[i]))]


def refused(path: Path, atoms: Atoms, format: str) -> str:
    """Write a file and return the error, if there is one."""
    try:
        write(path, atoms, format=format)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("packing", ["", ".gz"])
@pytest.mark.parametrize("format", FORMATS)
def test_every_format_keeps_what_it_takes(
    tmp_path_factory: pytest.TempPathFactory, format: str, packing: str
) -> None:
    folder = tmp_path_factory.mktemp("files")
    if packing and format in ("traj", "cif"):
        return  # which ASE writes without

    @settings(max_examples=12, deadline=None)
    @given(st.integers(0, 10**6), st.tuples(*[st.booleans()] * 3), st.booleans(), st.booleans())
    def check(seed: int, mixed: tuple[bool, ...], full: bool, isotopes: bool) -> None:
        pbc = ALL if full else mixed
        atoms = structure(seed, pbc, isotopes)
        periodicities, isotopic = FORMATS[format]
        special = {label for label in labels_of(atoms) if label in ("D", "T") or "-" in label}
        fits = periodicities is None or pbc in periodicities
        if isotopic is not True:
            fits = fits and special <= (isotopic or set())
        path = folder / f"file{packing}"
        refusal = refused(path, atoms, format)
        if refusal:
            assert not fits
            assert "cannot hold" in refusal or "describe a periodic box" in refusal
        else:
            assert fits or (isotopic is None and pbc in periodicities)
            assert_alike(read(path), grouped(atoms) if format in GROUPED else atoms)

    check()


def test_handedness_is_kept_where_the_cell_is_turned(tmp_path: Path) -> None:
    """The volume of a tetrahedron of atoms changes its sign in a mirror."""
    structures = [structure(seed, isotopes=False) for seed in range(12)]
    assert {np.sign(np.linalg.det(atoms.cell)) for atoms in structures} == {-1, 1}
    for atoms in structures:
        if len(atoms) < 4:
            continue
        write(tmp_path / "a.data", atoms)
        again = read(tmp_path / "a.data")
        volumes = [np.linalg.det(x.positions[1:4] - x.positions[0]) for x in (atoms, again)]
        assert volumes[0] == pytest.approx(volumes[1], rel=1e-9)
        assert np.linalg.det(again.cell) > 0


# -- what would be lost --------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["vasp", "traj"])
def test_isotopes_are_not_dropped(tmp_path: Path, format: str) -> None:
    atoms = labelled(["Li-6", "Li", "O"], positions=np.eye(3), cell=6 * np.eye(3), pbc=True)
    with pytest.raises(
        ValueError, match=rf"{format} files cannot hold .*Li-6.*\.extxyz.*set_isotopes"
    ):
        write(tmp_path / "a", atoms, format=format)
    assert not list(tmp_path.iterdir())
    set_isotopes(atoms, 0)
    write(tmp_path / "a", atoms, format=format)
    assert_alike(read(tmp_path / "a"), atoms)


@pytest.mark.parametrize(
    ("format", "pbc"),
    [("sova", (True, True, False)), ("xyz", ALL), ("vasp", NONE), ("cif", (True, False, False)),
     ("cfg", (False, True, True))],
)  # fmt: skip
def test_periodicity_is_not_changed(
    tmp_path: Path, format: str, pbc: tuple[bool, bool, bool]
) -> None:
    atoms = Atoms("SiO", positions=[[0, 0, 0], [1, 1, 1]], cell=6 * np.eye(3), pbc=pbc)
    with pytest.raises(ValueError, match=rf"{format} files cannot hold pbc=.*extxyz.*atoms\.pbc"):
        write(tmp_path / "a", atoms, format=format)
    assert not list(tmp_path.iterdir())


def test_charges(tmp_path: Path) -> None:
    atoms = Atoms("OSi", positions=[[0, 0, 0], [1, 1, 1]], cell=6 * np.eye(3), pbc=True)
    atoms.set_initial_charges([-1.2, 2.4])
    for name in ("a.lmp", "a.extxyz", "a.traj"):
        write(tmp_path / name, atoms)
        assert read(tmp_path / name).get_initial_charges().tolist() == [-1.2, 2.4]
    assert "Atoms # charge" in (tmp_path / "a.lmp").read_text()
    for name in ("a.rmc6f", "a.vasp"):
        with pytest.warns(
            UserWarning, match="hold no charges.*extxyz.*set_initial_charges"
        ) as caught:
            write(tmp_path / name, atoms, format=None if name != "a.vasp" else "vasp")
        assert caught[0].filename == __file__


def test_lammps_data_names_the_masses(tmp_path: Path) -> None:
    """Standard atomic weights of IUPAC 2021 (abridged), and the mass of lithium-6 (AME 2020)."""
    atoms = labelled(["O", "Si", "Li-6", "O"], positions=np.diag([1.0, 2, 3, 4])[:, :3],
                     cell=6 * np.eye(3), pbc=True)  # fmt: skip
    write(tmp_path / "a.data", atoms)
    rows = [line.split() for line in (tmp_path / "a.data").read_text().splitlines()]
    masses = {row[3]: float(row[1]) for row in rows if len(row) == 4 and row[2] == "#"}
    assert list(masses) == ["O", "Si", "Li-6"]  # as they appear
    assert masses == pytest.approx({"O": 15.999, "Si": 28.085, "Li-6": 6.01512}, abs=2e-5)


# -- isotopes in files of others -----------------------------------------------------------------

ROWS = "O 0 0 0\nD 0.96 0 0\n2H -0.24 0.93 0\nT 3 3 3\nLi-6 5 5 5\n7Li 5 5 1\nSI 1 5 1\n"
WANTED = ["O", "D", "D", "T", "Li-6", "Li-7", "Si"]


@pytest.mark.parametrize("comment", ["", "heavy water", "CUB 9", 'Lattice="9 0 0 0 9 0 0 0 9"',
                                     "Properties=species:S:1:pos:R:3"])  # fmt: skip
def test_isotopes_in_xyz(tmp_path: Path, comment: str) -> None:
    (tmp_path / "a.xyz").write_text(f"7\n{comment}\n{ROWS}")
    atoms = read(tmp_path / "a.xyz")
    assert labels_of(atoms) == WANTED
    assert atoms.get_masses()[[1, 3, 4]] == pytest.approx([2.0141, 3.0160, 6.0151], abs=1e-4)
    np.testing.assert_allclose(atoms.positions[2], [-0.24, 0.93, 0])


def test_isotopes_in_rmc_files(tmp_path: Path) -> None:
    atoms = labelled(["D", "O", "D"], positions=np.eye(3), cell=6 * np.eye(3), pbc=True)
    write(tmp_path / "a.cfg", atoms)
    assert "species: D O" in (tmp_path / "a.cfg").read_text()
    assert labels_of(read(tmp_path / "a.cfg")) == ["D", "D", "O"]
    assert labels_of(read(tmp_path / "a.cfg", ("T", "O-18"))) == ["T", "T", "O-18"]
    (tmp_path / "a.rmc6f").write_text(
        "(Version 6f)\nCell (Ang/deg): 5 6 7 90 90 90\nAtoms:\n1 D [1] 0.5 0.25 0.1 1 0 0 0\n"
        "2 6Li [1] 0 0 0 2 0 0 0\n"
    )
    assert labels_of(read(tmp_path / "a.rmc6f")) == ["D", "Li-6"]
    with pytest.raises(ValueError, match=r"species=\['Q'\]: 'Q' is no chemical element or isotope"):
        read(tmp_path / "a.cfg", ["Q"])


def test_the_array_of_isotopes_in_extended_xyz(tmp_path: Path) -> None:
    """Written by ASE, with the symbol of the element."""
    atoms = labelled(["D", "Li-6", "O"], positions=np.eye(3), cell=6 * np.eye(3), pbc=True)
    ase.io.write(tmp_path / "a.extxyz", atoms)
    again = read(tmp_path / "a.extxyz")
    assert_alike(again, atoms)
    assert again.get_masses() == pytest.approx(atoms.get_masses(), abs=1e-6)
    text = (tmp_path / "a.extxyz").read_text()
    wrong = text.replace("       6\n", "      99\n")
    assert wrong != text
    (tmp_path / "a.extxyz").write_text(wrong)
    with pytest.raises(ValueError, match=r"a\.extxyz, lines 1 to 5: .*Li-99"):
        read(tmp_path / "a.extxyz")


# -- frames --------------------------------------------------------------------------------------


def run(count: int = 4) -> list[Atoms]:
    frames = [structure(7, isotopes=False) for _ in range(count)]
    for k, atoms in enumerate(frames):
        atoms.positions[:] = atoms[np.argsort(atoms.numbers)].positions + 0.1 * k
        atoms.numbers = np.sort(atoms.numbers)
        atoms.wrap()
    return frames


@pytest.fixture(params=["extxyz", "traj", "vasp-xdatcar", "sova", "plain"])
def many(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, list[Atoms]]]:
    """A run in each format that has frames; dumps have their own test."""
    path, frames = tmp_path / "run", run()
    if request.param in ("sova", "plain"):
        texts = []
        for atoms in frames:
            if request.param == "plain":
                atoms.pbc, atoms.cell = False, np.zeros((3, 3))
            write(path, atoms, format="sova" if request.param == "sova" else "xyz")
            texts.append(path.read_text())
        path.write_text("\n".join(texts))  # with an empty line between frames
    else:
        ase.io.write(path, frames, format=request.param)
    return path, frames


def test_index(many: tuple[Path, list[Atoms]]) -> None:
    path, frames = many
    for index in (0, 1, 3, -1, -4, np.int64(2)):
        assert_alike(read(path, index=index), frames[index], atol=1e-6)
    for index in (slice(None), ":", "1:", ":-1", "::2", "-2:", "::-1", slice(3, 0, -2)):
        words = index.split(":") if isinstance(index, str) else []
        chosen = slice(*(int(w) if w else None for w in words)) if words else index
        found = read(path, index=index)
        assert isinstance(found, list)
        assert len(found) == len(frames[chosen])
        for one, other in zip(found, frames[chosen], strict=True):
            assert_alike(one, other, atol=1e-6)
    with pytest.warns(UserWarning, match="run has 4 frames, of which the last.*index=-1") as caught:
        assert_alike(read(path), frames[-1], atol=1e-6)
    assert caught[0].filename == __file__


def test_index_that_is_not_there(many: tuple[Path, list[Atoms]]) -> None:
    for index in (4, -5, "4:", slice(2, 2)):
        with pytest.raises(ValueError, match=r"index=.*run has 4 frame"):
            read(many[0], index=index)
    for index in ("last", "3", "1:2:3:4", 1.5, "::0", (0, 1), True):
        with pytest.raises(ValueError, match=r"index=.*whole number.*':'"):
            read(many[0], index=index)  # type: ignore[call-overload]


@pytest.mark.parametrize("format", ["rmc", "rmc6f", "lammps-data", "vasp", "cif", "cfg"])
def test_formats_of_one_frame(tmp_path: Path, format: str) -> None:
    atoms = structure(3, isotopes=False)
    write(tmp_path / "a", atoms, format=format)
    plain = read(tmp_path / "a")
    for index in (0, -1):
        assert_alike(read(tmp_path / "a", index=index), plain, atol=0)
    (only,) = read(tmp_path / "a", index=":")
    assert_alike(only, plain, atol=0)
    with pytest.raises(ValueError, match="index=1: .*a has 1 frame"):
        read(tmp_path / "a", index=1)


def test_frames_after_an_empty_line_are_not_lost(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("1\n\nSi 0 0 0\n\n1\n\nO 1 1 1\n")
    assert [str(atoms.symbols) for atoms in read(tmp_path / "a.xyz", index=":")] == ["Si", "O"]


# -- names and encodings -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["a", "a.txt", "a.cfg", "a.dat", "a.xyz", "a.vasp", "a.cif", "POSCAR", "a.rmc6f", "a.data",
     "a.dump", "a.traj", "XDATCAR"],
)  # fmt: skip
@pytest.mark.parametrize("format", FORMATS)
def test_the_content_tells_the_format(tmp_path: Path, format: str, name: str) -> None:
    pbc = NONE if format == "xyz" else ALL
    atoms = structure(11, pbc, isotopes=False)
    write(tmp_path / "right", atoms, format=format)
    (tmp_path / name).write_bytes((tmp_path / "right").read_bytes())
    again = read(tmp_path / name)
    assert_alike(again, grouped(atoms) if format in GROUPED else atoms)


@pytest.mark.parametrize("format", [f for f in FORMATS if f != "traj"])
def test_marks_line_ends_and_compression(tmp_path: Path, format: str) -> None:
    atoms = structure(11, NONE if format == "xyz" else ALL, isotopes=False)
    write(tmp_path / "a", atoms, format=format)
    expected = read(tmp_path / "a")
    raw = (tmp_path / "a").read_bytes()
    text = raw.decode()
    encoded = b"\xef\xbb\xbf" + raw, text.encode("utf-16"), text.replace("\n", "\r\n").encode()
    for changed in (*encoded, *(pack.compress(raw) for pack in (bz2, lzma, gzip))):
        (tmp_path / "b").write_bytes(changed)
        assert_alike(read(tmp_path / "b"), expected, atol=0)


@pytest.mark.parametrize("name", ["a.xyz", "a.rmc6f", "a.cif", "a.data", "a.vasp", "a.cfg"])
def test_zero_bytes_are_no_text(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"1\n\0\nSi 0 0 0\n")
    with pytest.raises(ValueError, match=rf"{name}: expected .*(zero bytes|unknown)"):
        read(tmp_path / name)


def test_latin_1_in_a_comment(tmp_path: Path) -> None:
    """The byte 85 ends a line for Python's splitlines, but is a sign of Windows' Latin-1."""
    rows = b"\nSi 0 0 0\nO 1.6 0 0\n"
    for comment in ("Brückner's glass, 5 Å", "the glass\x85 of Brückner", "name=Brückner"):
        (tmp_path / "a.xyz").write_bytes(b"2\n" + comment.encode("latin-1") + rows)
        atoms = read(tmp_path / "a.xyz")
        assert atoms.get_chemical_symbols() == ["Si", "O"]
    assert atoms.info["name"] == "Brückner"


# -- more or less than was announced -------------------------------------------------------------

XYZ = (
    '2\nLattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3:q:R:1\nSi 0 0 0 2\nO 1 1 1 -2\n'
)
POSCAR = "glass\n1.0\n5 0 0\n0 5 0\n0 0 5\nSi O\n1 1\nDirect\n0 0 0\n.5 .5 .5\n"
FLAGS = POSCAR.replace("Direct", "Selective\nDirect").replace("0 0 0\n.5", "0 0 0 T F T\n.5")
FLAGS = FLAGS.replace(".5\n", ".5 F .T. .FALSE.\n")
SOVA = "2\nCUB 5\nSi 0 0 0\nO 1 1 1\n"
VECTORS = "".join(f"H0({i},{j}) = {5 * (i == j)} A\n" for i in (1, 2, 3) for j in (1, 2, 3))
ATOMEYE = f"Number of particles = 1\nA = 1 Angstrom\n{VECTORS}.NO_VELOCITY.\nentry_count = 3\n"
ATOMEYE += "28.0855\nSi\n0.5 0.5 0.5\n"
RMC6F = "(Version 6f)\nCell (Ang/deg): 5 6 7 90 90 90\nAtoms:\n"
RMC6F += "1 D [1] .5 .2 .1 1 0 0 0\n2 O 0 0 0 2 0 0 0\n"
TYPES = RMC6F.replace("Cell", "Atom types present: O D\nNumber of each atom type: 1 1\nCell")


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (XYZ, "Si 0 0 0 2", "Si 0 0 0", "line 3: expected 5 columns as announced"),
        (XYZ, "Si 0 0 0 2", "Si 0 0 0 2 7", "line 3: expected 5 columns as announced"),
        (XYZ, "Si 0 0 0 2\n", "Si 0 0 0 2\n" * 2, "line 5: expected the end of the file after 2"),
        (XYZ, "Si 0 0 0 2\n", "", "line 4: expected atom 2 of 2"),
        (XYZ, "Si 0 0", "Si 0 1,000.5", "line 3: expected finite coordinates of atom 1 of 2"),
        (XYZ, "Si 0 0", "Si 0 1.#QNAN", "line 3: expected finite coordinates of atom 1 of 2"),
        (XYZ, "Si 0 0", "Si 0 1_0", "line 3: expected finite coordinates of atom 1 of 2"),
        (XYZ, "Si 0 0", "1 0 0", "line 4: expected elements, or numbers of types, for all"),
        (XYZ, "Si 0 0", "0 0 0", "line 3: expected a chemical element .not '0'"),
        (XYZ, "2\n", "²\n", "line 1: expected the number of atoms|format is unknown"),
        (XYZ, "2\n", "999999999999\n", "line 5: expected atom 3 of 999999999999"),
        (XYZ, "2\n", "9" * 5000 + "\n", "line 1: expected the number of atoms"),
        (XYZ, ":pos:R:3", ":place:R:3", "line 2: expected Properties=.*pos:R:3"),
        (XYZ, ":pos:R:3", ":pos:R:x", "line 2: expected Properties=.*pos:R:3"),
        (XYZ, '0 5"', '0"', "line 2: expected the keys and values of extended xyz"),
        (XYZ, '0 5"', '0 nan"', "expected finite cell vectors"),
        (XYZ, '0 5"', '0 0"', "expected a cell with a volume"),
        (XYZ, "2\nO 1", "two\nO 1", "lines 1 to 4: expected a frame of extended xyz"),
        (POSCAR, "0 0 0\n.5", "0 0 0\n0 0 0\n.5", "line 11: expected the end of the coordinates"),
        (POSCAR, ".5 .5 .5\n", "", "line 10: expected finite coordinates of atom 2 of 2"),
        (POSCAR, ".5 .5 .5\n", ".5 .5\n", "line 10: expected finite coordinates of atom 2 of 2"),
        (POSCAR, "\n1 1\n", "\n1 x\n", "line 7: expected whole numbers of atoms"),
        (POSCAR, "\n1 1\n", "\n1 7\n", "line 11: expected finite coordinates of atom 3 of 8"),
        (FLAGS, "0 0 0 T F T", "0 0 0 T D T", "line 10: expected .* atom 1 of 2, and .*T or F"),
        (FLAGS, "0 0 0 T F T", "0 0 0", "line 10: expected .* atom 1 of 2, and .*T or F"),
        (FLAGS, "Direct", "Drect 1\n0 0 0 T T T", "line 12: expected the end of the coord"),
        (POSCAR, "Direct", "_Cartesian", "line 8: expected Direct or Cartesian"),
        (POSCAR, "5 0 0\n0 5", "5_0 0 0\n0 5", "line 3: expected finite cell vectors"),
        (POSCAR, "0 0 0\n.5", "0 0 1_0\n.5", "line 9: expected finite coordinates of atom 1 of 2"),
        (POSCAR, "0 0 0\n.5", "0 0 nan\n.5", "expected finite coordinates"),
        (POSCAR, "Si O\n", "Si O H\n", "line 7: expected 3 numbers of atoms"),
        (ATOMEYE, "H0(1,2) = 0 A\n", "", "nine numbers, without H0.1,2."),
        (ATOMEYE, "A = 1 ", "A = 2.5 ", "line 2: expected lengths in Å .A = 1., found 'A = 2.5"),
        (ATOMEYE, "Si\n", "O\n", "line 15: expected the mass of O .this is that of Si"),
        (SOVA, "O 1 1 1", "O 1 1 1 7", "line 4: expected 4 columns as announced or before"),
        (RMC6F, "\n2 O", "\n1 O", "line 5: expected an atom once .number 1 came before"),
        (RMC6F, "[1] .5", ".x .5", "line 4: expected an atom: number, element"),
        (TYPES, "1 1\n", "2 1\n", "line 3: expected .* as in lines 6 to 7, 1 D, 1 O, found .*2 1"),
        (TYPES, "1 1\n", "1 1 1\n", "line 3: expected number of each atom type"),
        (TYPES, "1 1\n", "one\n", "line 3: expected number of each atom type"),
        (TYPES, "present: O D", "present: O H", "line 3: expected number of each atom type"),
        (RMC6F, "2 O 0 0 0", "2 O 0 0", "line 5: expected an atom: number, element"),
    ],
)  # fmt: skip
def test_what_was_announced_must_be_there(
    tmp_path: Path, text: str, old: str, new: str, message: str
) -> None:
    name = {XYZ: "a.xyz", POSCAR: "a.vasp", FLAGS: "a.vasp"}.get(text, "a.file")
    assert old in text
    (tmp_path / name).write_text(text)
    assert len(read(tmp_path / name)) > 0
    (tmp_path / name).write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=message) as caught:
        read(tmp_path / name)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("title", "found"),
    [("Si O", "SiO"), ("SiO2 quartz", "SiO"), ("Si1 O1", "SiO"), ("Cu-Zr glass", "CuZr"),
     ("O Si of cell 2", "OSi"), ("POSCAR", None), ("POSCAR of SiO2", None), ("quartz", None),
     ("I made this In lab", None), ("silica C O", None), ("", None)],
)  # fmt: skip
def test_elements_in_the_title_of_poscar(tmp_path: Path, title: str, found: str | None) -> None:
    """ASE takes P and O from the word POSCAR, and In from a sentence."""
    path = tmp_path / "POSCAR"
    path.write_text(POSCAR.replace("glass", title).replace("Si O\n1 1\n", "1 1 ! atoms\n"))
    if found:
        assert read(path).get_chemical_symbols() == Atoms(found).get_chemical_symbols()
        return
    with pytest.raises(ValueError, match=r"POSCAR, line 1: expected 2 elements|chemical symbols"):
        read(path)


def test_no_frame_of_xdatcar_is_lost(tmp_path: Path) -> None:
    ase.io.write(tmp_path / "XDATCAR", run(), format="vasp-xdatcar")
    lines = (tmp_path / "XDATCAR").read_text().splitlines()
    lines.insert(9, lines[9])
    (tmp_path / "XDATCAR").write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match=r"XDATCAR, line 17: expected the end of frame 1"):
        read(tmp_path / "XDATCAR", index=-1)


def test_vectors_and_elements_of_xdatcar_may_change(tmp_path: Path) -> None:
    """A negative scale is the volume; VASP 6 writes parts of the potentials' names."""
    head = "glass\n{}\n 2 0 0\n 0 2 0\n 0 0 2\n Si_pv/1a2b O\n 1 2\nDirect configuration= {}\n"
    rows = " 0 0 0\n .25 .5 .5\n .5 .5 .75\n"
    text = (
        head.format(3, 1) + rows + head.format(-64, 2) + rows + "Direct configuration= 3\n" + rows
    )
    (tmp_path / "a").write_text(text)
    frames = read(tmp_path / "a", index=":")
    assert [atoms.get_volume() for atoms in frames] == pytest.approx([216, 64, 64])
    assert all(atoms.get_chemical_symbols() == ["Si", "O", "O"] for atoms in frames)
    np.testing.assert_allclose(frames[2].positions[2], [2, 2, 3])


def test_pictures_are_written(tmp_path: Path) -> None:
    write(tmp_path / "a.html", structure(3))
    assert "<html>" in (tmp_path / "a.html").read_text()


# -- what atoms are called -------------------------------------------------------------------------


def test_atomic_numbers_in_xyz(tmp_path: Path) -> None:
    """Types count from 1; numbers that leave some out, with no names for all, are of elements."""
    path = tmp_path / "a.xyz"
    path.write_text("3\n\n14 0 0 0\n8 1.6 0 0\n8 0 1.6 0\n")
    with pytest.warns(UserWarning, match=r"by 8 \(O\), 14 \(Si\): .* atomic numbers.*all 14"):
        assert read(path).get_chemical_symbols() == ["Si", "O", "O"]
    with pytest.raises(ValueError, match=r"species=\('Si', 'O'\).*no numbers of 2 types.*leave"):
        read(path, ("Si", "O"))
    path.write_text("2\n\n1 0 0 0\n3 1.6 0 0\n")  # a type without atoms, if the user says so
    assert read(path, ("Si", "O", "Na")).get_chemical_symbols() == ["Si", "Na"]
    path.write_text("2\n\n1 0 0 0\n2 1.6 0 0\n")
    with pytest.warns(UserWarning, match="does not tell the elements"):
        assert read(path).get_chemical_symbols() == ["X", "X"]
    path.write_text("1\n\n400 0 0 0\n")
    with pytest.warns(UserWarning, match="does not tell the elements"):
        assert read(path).get_chemical_symbols() == ["X"]


def test_number_density_of_rmc6f(tmp_path: Path) -> None:
    """Two atoms in 5 x 6 x 7 Å³: 0.00952 per Å³."""
    path = tmp_path / "a.rmc6f"
    for stated in (0.0095, 0.0096, 0.0100):
        path.write_text(TYPES.replace("Cell", f"Number density (Ang^-3): {stated}\nCell", 1))
        if stated < 0.0097:
            assert len(read(path)) == 2
            continue
        with pytest.warns(UserWarning, match=r"line 4: states 0\.01 atoms per Å³.* give 0\.00952"):
            assert len(read(path)) == 2


@pytest.mark.parametrize("name", ["mass", "masses"])
def test_masses_in_extended_xyz(tmp_path: Path, name: str) -> None:
    """Masses of deuterium (AME 2020) by either name; all 1 is no mass by the common one."""
    path = tmp_path / "a.xyz"
    head = f'2\nLattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3:{name}:R:1\n'
    path.write_text(f"{head}H 0 0 0 2.01410\nO 1 1 1 15.999\n")
    atoms = read(path)
    assert labels_of(atoms) == ["D", "O"]
    assert atoms.get_masses() == pytest.approx([2.0141, 15.999])
    assert "mass" not in atoms.arrays


def test_mass_of_1_in_extended_xyz_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.xyz"
    path.write_text("2\nProperties=species:S:1:pos:R:3:mass:R:1\nH 0 0 0 1.0\nO 1 1 1 1.0\n")
    assert read(path).get_masses() == pytest.approx([1.008, 15.999])
