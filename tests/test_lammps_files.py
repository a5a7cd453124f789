"""LAMMPS files, against LAMMPS itself, against ASE's readers, and against its manual's formulas."""

import gzip
import warnings
from itertools import permutations
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers

from glassnb.core.files import read, write
from glassnb.core.formats.masses import by_mass
from glassnb.core.isotopes import isotopes_of, set_isotopes
from glassnb.models.lammps_engine import Lammps

TURNED = np.array([[5.0, 3.0, -1.0], [-2.0, 6.0, 1.5], [1.0, -0.5, 7.0]])


def structure(cell: np.ndarray = TURNED, pbc: object = True) -> Atoms:
    """Oxygen first, one of it heavy, and atoms outside the cell."""
    atoms = Atoms("OSi2O3", cell=cell, pbc=pbc)
    atoms.set_scaled_positions(np.random.default_rng(0).random((6, 3)) * 1.5 - 0.3)
    set_isotopes(atoms, [18, 0, 0, 0, 0, 0])
    return atoms


def assert_alike(a: Atoms, b: Atoms, atol: float = 1e-9) -> None:
    """The same structure but for a rotation and lattice vectors added to atoms."""
    assert a.get_chemical_symbols() == b.get_chemical_symbols()
    assert a.pbc.tolist() == b.pbc.tolist()
    np.testing.assert_allclose(a.cell.cellpar(), b.cell.cellpar(), atol=1e-9)
    distances = [x.get_all_distances(mic=True) for x in (a, b)]
    np.testing.assert_allclose(*distances, atol=atol)


def data_file(rows: str, header: str = "", masses: str = "", style: str = "") -> str:
    """A data file with two types in a box of 4 x 5 x 6 Å that begins at (1, 0, -2)."""
    count = len(rows.strip().splitlines())
    return (
        f"by hand\n\n{count} atoms\n2 atom types\n{header}\n"
        "1 5 xlo xhi\n0 5 ylo yhi\n-2 4 zlo zhi\n"
        f"{masses}\nAtoms{style and f'  # {style}'}\n\n{rows}\n"
    )


def dump_file(
    columns: str, rows: str, bounds: str = "pp pp pp\n1 5\n0 5\n-2 4", step: int = 0
) -> str:
    """One frame of a dump in the same box."""
    count = len(rows.strip().splitlines())
    return (
        f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{count}\nITEM: BOX BOUNDS {bounds}\n"
        f"ITEM: ATOMS {columns}\n{rows.strip()}\n"
    )


MASSES = "\nMasses\n\n1 28.0855 # Si\n2 15.9994 # O\n"
PLACES = [[2.0, 1.0, -1.0], [3.5, 4.5, 3.0], [1.25, 0.5, 2.0]]
XYZ = [" ".join(map(str, place)) for place in PLACES]


def saved(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


# -- LAMMPS itself -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def by_lammps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LAMMPS reads a data file of ours and writes what it can."""
    folder = tmp_path_factory.mktemp("lammps")
    write(folder / "ours.data", structure())
    dumps = {
        "plain.dump": "custom {} id type x y z",
        "turned.dump": "custom {} type zs ys xs id element modify element O Si O",
        "mass.dump": "custom {} yu xu zu mass type id modify units yes time yes",
        "unsorted.dump": "custom {} xsu ysu zsu id mass modify sort off",
        "silent.dump": "custom {} id element type x y z",
        "packed.gz": "atom {}",
        "types.xyz": "xyz {}",
        "named.xyz": "xyz {} modify element O Si O",
        "extended.xyz": "extxyz {} modify element O Si O",
        "atomeye.cfg": "cfg {} mass type xs ys zs modify sort id",
    }
    with Lammps() as lammps:
        lammps.commands(
            "units metal", "atom_style atomic", "atom_modify map array",
            f"read_data {folder / 'ours.data'}", "pair_style zero 3.0", "pair_coeff * *", "run 0",
            f"write_data {folder / 'silica'}",
            *(f"write_dump all {how.format(folder / name)}" for name, how in dumps.items()),
            "labelmap atom 1 heavy 2 Si 3 O",
            f"write_data {folder / 'labels.lmp'} types labels",
        )  # fmt: skip
    return folder


@pytest.mark.parametrize("name", ["ours.data", "silica", "labels.lmp"])
def test_data_through_lammps(by_lammps: Path, name: str) -> None:
    """Masses that LAMMPS writes without comments tell Si, O and O-18."""
    again = read(by_lammps / name)
    assert_alike(again, structure())
    assert isotopes_of(again).tolist() == [18, 0, 0, 0, 0, 0]
    assert again.arrays["id"].tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("name", "species"),
    [("plain.dump", ("O-18", "Si", "O")), ("turned.dump", None), ("mass.dump", None),
     ("unsorted.dump", None), ("silent.dump", ("O", "Si", "O")),
     ("packed.gz", ("O", "Si", "O")), ("extended.xyz", None)],
)  # fmt: skip
def test_dumps_of_lammps(by_lammps: Path, name: str, species: tuple[str, ...] | None) -> None:
    """LAMMPS writes 6 digits."""
    again = read(by_lammps / name, species)
    assert again.pbc.all()
    # extended xyz holds no numbers of atoms, and LAMMPS writes it in an order of its own
    order = [structure().get_chemical_symbols(), again.get_chemical_symbols()]
    assert sorted(order[0]) == sorted(order[1])
    np.testing.assert_allclose(again.cell.cellpar(), structure().cell.cellpar(), atol=2e-4)
    distances = [np.sort(x.get_all_distances(mic=True).ravel()) for x in (again, structure())]
    np.testing.assert_allclose(*distances, atol=1e-4)
    if "xyz" not in name:
        assert order[0] == order[1]
        np.testing.assert_allclose(
            again.get_all_distances(mic=True), structure().get_all_distances(mic=True), atol=1e-4
        )
    if name in ("plain.dump", "mass.dump", "unsorted.dump"):
        assert isotopes_of(again).tolist() == [18, 0, 0, 0, 0, 0]


def test_xyz_of_lammps(by_lammps: Path) -> None:
    named = read(by_lammps / "named.xyz")
    again = read(by_lammps / "types.xyz", ("O", "Si", "O"))
    assert again.get_chemical_symbols() == named.get_chemical_symbols()
    np.testing.assert_array_equal(again.positions, named.positions)
    with pytest.warns(
        UserWarning, match=r"types of atoms 1, 2, 3.*species=\('Si', 'O'\)"
    ) as caught:
        unnamed = read(by_lammps / "types.xyz")
    assert caught[0].filename == __file__
    assert set(unnamed.symbols) == {"X"}
    assert sorted(unnamed.get_tags()) == [1, 2, 2, 3, 3, 3]
    with pytest.raises(
        ValueError, match=r"species=\('O', 'Si'\).*3 types of atoms.*name 3 elements"
    ):
        read(by_lammps / "types.xyz", ("O", "Si"))
    with pytest.raises(
        ValueError, match=r"names its elements itself .*(Si, O|O, Si).*leave species"
    ):
        read(by_lammps / "named.xyz", ("O", "Si", "O"))


def test_elements_that_lammps_was_not_told_are_not_carbon(by_lammps: Path) -> None:
    """LAMMPS writes C for every type in the column element and in AtomEye files."""
    assert {
        line.split()[1] for line in (by_lammps / "silent.dump").read_text().splitlines()[9:]
    } == {"C"}
    with pytest.warns(UserWarning, match="does not tell the elements"):
        assert set(read(by_lammps / "silent.dump").symbols) == {"X"}
    atomeye = read(by_lammps / "atomeye.cfg")  # which has masses
    assert sorted(atomeye.symbols) == sorted(structure().symbols)
    assert sorted(isotopes_of(atomeye)) == [0, 0, 0, 0, 0, 18]


def test_general_triclinic_boxes(tmp_path: Path) -> None:
    """LAMMPS reads the box by its vectors, and writes restricted and general dumps of it."""
    atoms = structure()
    rows = [
        f"{atom.index + 1} {1 + (atom.symbol == 'Si')} {atom.x:.12f} {atom.y:.12f} {atom.z:.12f}"
        for atom in atoms
    ]
    vectors = [f"{x} {y} {z} {name}vec" for name, (x, y, z) in zip("abc", TURNED, strict=True)]
    text = "\n".join(
        ["", "6 atoms", "2 atom types", *vectors, "0 0 0 abc origin", "", "Masses", "",
         "1 15.999", "2 28.085", "", "Atoms # atomic", "", *rows]
    )  # fmt: skip
    path = saved(tmp_path / "general", text + "\n")
    ours = read(path)
    np.testing.assert_allclose(ours.cell, TURNED)
    np.testing.assert_allclose(ours.positions, atoms.positions, atol=1e-11)
    with Lammps() as lammps:
        lammps.commands(
            "units metal", "atom_style atomic", f"read_data {path}", "pair_style zero 3.0",
            "pair_coeff * *", "run 0",
            f"write_dump all custom {tmp_path / 'a'} id mass x y z modify triclinic/general yes",
            f"write_dump all custom {tmp_path / 'b'} id mass xs ys zs",
        )  # fmt: skip
    for name in "ab":
        assert_alike(read(tmp_path / name), atoms, atol=2e-5)
    np.testing.assert_allclose(read(tmp_path / "a").cell, TURNED, atol=1e-12)


# -- ASE's readers and formulas ------------------------------------------------------------------


@pytest.mark.parametrize("style", ["atomic", "charge", "full"])
def test_data_of_ase(tmp_path: Path, style: str) -> None:
    atoms = structure(np.array([[7.0, 0, 0], [2.1, 6.5, 0], [-1.3, 0.9, 8.2]]))
    atoms.set_initial_charges([-1.2, 2.4, 2.4, -1.2, -1.2, -1.2])
    path = tmp_path / "a.data"
    ase.io.write(path, atoms, format="lammps-data", atom_style=style, masses=True, units="metal",
                 write_image_flags=True)  # fmt: skip
    theirs = ase.io.read(path, format="lammps-data", atom_style=style)
    for hint in (style, "", "of the glass"):
        text = path.read_text().replace(f"Atoms # {style}", f"Atoms # {hint}" if hint else "Atoms")
        ours = read(saved(tmp_path / "b.data", text))
        np.testing.assert_allclose(ours.positions, theirs.positions, atol=1e-12)
        np.testing.assert_allclose(ours.positions, atoms.positions, atol=1e-12)
        np.testing.assert_allclose(ours.cell, theirs.cell, atol=1e-12)
        assert ours.get_chemical_symbols() == atoms.get_chemical_symbols()
        charges = theirs.get_initial_charges()
        np.testing.assert_array_equal(ours.get_initial_charges(), charges)
        assert charges.any() == (style != "atomic")


@pytest.mark.parametrize("flags", ["pp pp pp", "pp pp ff", "ss fm pp"])
@pytest.mark.parametrize("tilts", ["", "1.1 -0.6 0.9", "-1.1 -0.6 0.9", "1.1 0.6 -0.9"])
def test_dumps_as_ase_reads_them(tmp_path: Path, flags: str, tilts: str) -> None:
    lows, highs = [1.0, 0.0, -2.0], [9.0, 7.0, 5.0]
    rows = [
        [*pair, tilt] for *pair, tilt in zip(lows, highs, tilts.split() or [""] * 3, strict=True)
    ]
    bounds = f"{'xy xz yz ' if tilts else ''}{flags}\n" + "\n".join(
        " ".join(map(str, r)) for r in rows
    )
    text = dump_file(
        "id element x y z q", f"7 O {XYZ[0]} -1\n3 Si {XYZ[1]} 2\n5 O {XYZ[2]} -1", bounds
    )
    path = saved(tmp_path / "dump.100", text)
    ours, theirs = read(path), ase.io.read(path, format="lammps-dump-text")
    assert ours.get_chemical_symbols() == theirs.get_chemical_symbols() == ["Si", "O", "O"]
    np.testing.assert_allclose(ours.cell, theirs.cell, atol=1e-14)
    np.testing.assert_allclose(ours.get_celldisp(), theirs.get_celldisp(), atol=1e-14)
    np.testing.assert_array_equal(ours.positions, theirs.positions)
    np.testing.assert_array_equal(ours.get_initial_charges(), [2, -1, -1])
    assert ours.pbc.tolist() == theirs.pbc.tolist() == [flag[0] == "p" for flag in flags.split()]


def test_columns_of_a_dump(tmp_path: Path) -> None:
    """x = xlo + xs (xhi - xlo), as LAMMPS's manual has it; columns may stand in any order."""
    box = np.array([4.0, 5.0, 6.0])
    scaled = (np.array(PLACES) - [1, 0, -2]) / box
    for names, places in (("x y z", PLACES), ("xs ys zs", scaled), ("xu yu zu", PLACES),
                          ("xsu ysu zsu", scaled)):  # fmt: skip
        for order in list(permutations(range(3)))[:4]:
            columns = " ".join(np.array(names.split())[list(order)])
            rows = "\n".join(" ".join(map(repr, map(float, np.array(p)[list(order)]))) + f" {k}"
                             for k, p in zip("213", places, strict=True))  # fmt: skip
            atoms = read(saved(tmp_path / "a", dump_file(columns + " id", rows)), "Ar")
            np.testing.assert_allclose(atoms.positions, np.array(PLACES)[[1, 0, 2]], atol=1e-12)
    other = read(saved(tmp_path / "a", dump_file("id c_pe vx x y z", f"1 nan 2 {XYZ[0]}")), "Ar")
    assert np.isnan(other.arrays["c_pe"][0])
    assert other.arrays["vx"].tolist() == [2.0]


# -- styles of atoms -----------------------------------------------------------------------------

FLAGS = ["", " 0 0 0"]
STYLES = {
    "atomic": "{i} {t} {x}",
    "charge": "{i} {t} {q} {x}",
    "molecular": "{i} {m} {t} {x}",
    "bond": "{i} {m} {t} {x}",
    "full": "{i} {m} {t} {q} {x}",
    "sphere": "{i} {t} 1.5 2.2 {x}",
    "dipole": "{i} {t} {q} {x} 0.1 0.2 0.3",
}


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("style", STYLES)
def test_styles_named_and_told(tmp_path: Path, style: str, flags: str) -> None:
    """Written by hand: the third atom comes first, and molecules have numbers above the types."""
    rows = [STYLES[style].format(i=i, t=t, q=q, m=17, x=XYZ[i - 1]) + flags
            for i, t, q in ((3, 2, -1.0), (1, 1, 2.0), (2, 2, -1.0))]  # fmt: skip
    for hint in (style, f"{style}/kk", "" if style != "dipole" else style):
        text = data_file("\n".join(rows), masses=MASSES, style=hint)
        atoms = read(saved(tmp_path / "a", text))
        assert atoms.get_chemical_symbols() == ["Si", "O", "O"]
        np.testing.assert_array_equal(atoms.positions, PLACES)
        np.testing.assert_array_equal(atoms.cell, np.diag([4.0, 5.0, 6.0]))
        charges = [2.0, -1.0, -1.0] if "{q}" in STYLES[style] else [0.0, 0.0, 0.0]
        assert atoms.get_initial_charges().tolist() == charges


def test_image_flags_unwrap(tmp_path: Path) -> None:
    """read_data: the position is x + ix a + iy b + iz c."""
    rows = f"1 1 {XYZ[0]} 1 0 -2\n2 2 {XYZ[1]} 0 0 0"
    text = data_file(rows, header="0.5 -0.25 0.75 xy xz yz", masses=MASSES)
    atoms = read(saved(tmp_path / "a", text))
    expected = PLACES[0] + np.array([4.0, 0, 0]) - 2 * np.array([-0.25, 0.75, 6.0])
    np.testing.assert_allclose(atoms.positions[0], expected)


@pytest.mark.parametrize(
    ("row", "style", "message"),
    [
        ("1 1 1 {}", "", "line 17: expected the style.*charge and molecular"),
        ("1 1 2 1.5 {}", "", "line 17: expected the style.*full and sphere"),
        ("1 1 1 {}", "hybrid", "line 17: expected the style.*known are atomic.*not 'hybrid'"),
        ("1 1 {} 7", "atomic", "line 17: expected an atom: id type x y z"),
        ("1 3 {}", "", "line 17: expected a type from 1 to 2 .not '3'"),
        ("1 Si {}", "", "line 17: expected a type from 1 to 2 .not 'Si'"),
        ("one 1 {}", "", "line 17: expected an atom.*whole numbers"),
        ("1 1 {} 0 0.5 0", "", "line 17: expected an atom.*whole numbers for id and images"),
    ],
)
def test_styles_that_cannot_be_told(tmp_path: Path, row: str, style: str, message: str) -> None:
    text = data_file(row.format(XYZ[0]), masses=MASSES, style=style)
    assert text.splitlines()[16].endswith(row.format(XYZ[0]))
    path = saved(tmp_path / "a.data", text)
    with pytest.raises(ValueError, match=rf"a\.data, {message}"):
        read(path)


# -- elements ------------------------------------------------------------------------------------


def test_every_natural_element_is_told_by_its_mass() -> None:
    """ASE's masses are of another table than ours; radioactive elements are left out."""
    radioactive = ("Tc", "Pm", "Po", "At", "Rn", "Fr", "Ra", "Ac")
    for symbol, number in atomic_numbers.items():
        if 0 < number < 93 and symbol not in radioactive:
            assert by_mass(f"{atomic_masses[number]:.4f}") == symbol


@pytest.mark.parametrize(
    ("mass", "label"),
    [("28.0855", "Si"), ("28", "Si"), ("16.0", "O"), ("2.014", "D"), ("6.0151", "Li-6"),
     ("10.0129", "B-10"), ("72.59", "Ge"), ("1.0D0", "H"), ("2.80855e+01", "Si"),
     # two elements, an isotope of two, united atoms, no number
     ("40", None), ("57.934", None), ("14.027", None), ("16.043", None), ("nan", None)],
)  # fmt: skip
def test_masses(mass: str, label: str | None) -> None:
    assert by_mass(mass) == label


@pytest.mark.parametrize(
    ("masses", "labels"),
    [
        ("1 28.0855 # Si\n2 15.9994 # O", ["Si", "O"]),
        ("2 15.9994\n1 28.0855 # bridged by 2", ["Si", "O"]),
        ("1 28.0855\n2 2.014", ["Si", "D"]),
        ("1 2.014 # H\n2 6.015 # Li", ["D", "Li-6"]),
        ("1 1.0 # Si\n2 1.0 # O", ["Si", "O"]),  # no masses at all
        ("1 1.0\n2 1.0", ["X", "X"]),
        ("1 28.0855 # Si\n2 14.027 # CH2", ["Si", "X"]),
    ],
)
def test_elements_of_data(tmp_path: Path, masses: str, labels: list[str]) -> None:
    text = data_file(f"1 1 {XYZ[0]}\n2 2 {XYZ[1]}", masses=f"\nMasses\n\n{masses}\n")
    path = saved(tmp_path / "a", text)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        atoms = read(path)
    told = ["D" if s == "H" else "Li-6" if s == "Li" else s for s in atoms.symbols]
    assert told == labels
    assert isotopes_of(atoms).tolist() == [{"D": 2, "Li-6": 6}.get(label, 0) for label in labels]
    assert any("does not tell the elements" in str(w.message) for w in caught) == ("X" in labels)
    assert atoms.get_tags().tolist() == [1, 2]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert read(path, ("Ge", "S")).get_chemical_symbols() == ["Ge", "S"]
    assert len(caught) == ("1.0" not in masses)  # the masses are of others


@pytest.mark.parametrize("kind", ["data", "dump", "dump without types"])
def test_species_against_masses(tmp_path: Path, kind: str) -> None:
    """The user's word counts; that the file says otherwise is said."""
    masses = "28.0855", "15.9994"
    if kind == "data":
        rows = "\n".join(f"{k} {mass}" for k, mass in enumerate(masses, 1))
        text = data_file(f"1 1 {XYZ[0]}\n2 2 {XYZ[1]}", masses=f"\nMasses\n\n{rows}\n")
    elif kind == "dump":
        text = dump_file("type mass x y z", f"1 {masses[0]} {XYZ[0]}\n2 {masses[1]} {XYZ[1]}")
    else:
        text = dump_file("mass x y z", f"{masses[0]} {XYZ[0]}\n{masses[1]} {XYZ[1]}")
    path = saved(tmp_path / "a", text)
    assert read(path, ("Si", "O")).get_chemical_symbols() == ["Si", "O"]
    assert isotopes_of(read(path, ("Si-29", "O"))).tolist() == [29, 0]
    told = "calls type 1 of mass 28.0855, that of Si, 'O'; type 2 of mass 15.9994, that of O, 'Si'"
    with pytest.warns(UserWarning, match=rf"species=\('O', 'Si'\) {told} in .*order of the types"):
        assert read(path, ("O", "Si")).get_chemical_symbols() == ["O", "Si"]
    heavy = saved(tmp_path / "b", text.replace("28.0855", "2.014"))
    with pytest.warns(UserWarning, match=r"type 1 of mass 2\.014, that of D, 'H'"):
        assert isotopes_of(read(heavy, ("H", "O"))).tolist() == [0, 0]


def test_masses_of_1_stand_for_none(tmp_path: Path) -> None:
    rows = f"1 1.0 {XYZ[0]}\n2 1 {XYZ[1]}"
    dump = saved(tmp_path / "a", dump_file("type mass x y z", rows))
    with pytest.warns(UserWarning, match="does not tell the elements"):
        assert set(read(dump).symbols) == {"X"}
    named = saved(
        tmp_path / "b", dump_file("type element mass x y z", rows.replace(" 1", " Si 1", 1))
    ).read_text()
    atoms = read(saved(tmp_path / "b", named.replace("2 1 ", "2 O 1 ")))
    assert atoms.get_chemical_symbols() == ["Si", "O"]


def test_labels_of_types(tmp_path: Path) -> None:
    header = "\nAtom Type Labels\n\n1 Si\n2 bridge\n\nMasses\n\nSi 28.0855\nbridge 15.9994\n"
    text = data_file(f"1 bridge {XYZ[0]}\n2 Si {XYZ[1]}", masses=header)
    assert read(saved(tmp_path / "a", text)).get_chemical_symbols() == ["O", "Si"]


def test_species_must_suit(tmp_path: Path) -> None:
    path = saved(tmp_path / "a", data_file(f"1 1 {XYZ[0]}\n2 2 {XYZ[1]}\n3 2 {XYZ[2]}"))
    for species in (["Si"], ["Si", "O", "Na"]):
        with pytest.raises(
            ValueError, match=r"species=.*2 types of atoms \(1, 2 atoms\), so name 2"
        ):
            read(path, species)
    dump = saved(tmp_path / "b", dump_file("type x y z", f"1 {XYZ[0]}\n3 {XYZ[1]}"))
    with pytest.raises(ValueError, match=r"species=\('Si', 'O'\).*3 types.*name 3"):
        read(dump, ("Si", "O"))
    assert read(dump, ("Si", "O", "Na")).get_chemical_symbols() == ["Si", "Na"]
    named = saved(tmp_path / "c", dump_file("type element x y z", f"1 Si {XYZ[0]}\n2 O {XYZ[1]}"))
    with pytest.raises(ValueError, match=r"names its elements itself \(Si, O\); leave species out"):
        read(named, ("Si", "O"))
    wrong = saved(tmp_path / "d", data_file(f"1 1 {XYZ[0]}", masses=MASSES.replace("# Si", "# O")))
    with pytest.raises(ValueError, match=r"line 12: expected the mass of O .this is that of Si"):
        read(wrong)
    assert read(wrong, ("Si", "O")).get_chemical_symbols() == ["Si"]


# -- names, frames, errors -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["a.dump", "dump.100", "a.lammpstrj", "silica", "a.cfg", "a.xyz", "a.dat", "a.gz", "packed"],
)
def test_the_content_tells_dump_and_data(tmp_path: Path, name: str) -> None:
    for text in (
        dump_file("id element x y z", f"1 Si {XYZ[0]}\n2 O {XYZ[1]}"),
        data_file(f"1 1 {XYZ[0]}\n2 2 {XYZ[1]}", masses=MASSES),
    ):
        raw = text.encode()
        packed = name.endswith(".gz") or name == "packed"
        (tmp_path / name).write_bytes(gzip.compress(raw) if packed else raw)
        atoms = read(tmp_path / name)
        assert atoms.get_chemical_symbols() == ["Si", "O"]
        np.testing.assert_array_equal(atoms.positions, PLACES[:2])


def test_frames_of_a_dump(tmp_path: Path) -> None:
    frames = [
        dump_file("id element x y z", f"2 O {XYZ[k]}\n1 Si {XYZ[k - 1]}", step=10 * k)
        for k in range(3)
    ]
    path = saved(tmp_path / "a.dump", "".join(frames))
    with pytest.warns(UserWarning, match="3 frames"):
        assert read(path).info["timestep"] == 20
    assert read(path, index=1).info["timestep"] == 10
    assert [atoms.info["timestep"] for atoms in read(path, index=":")] == [0, 10, 20]
    np.testing.assert_array_equal(read(path, index=0).positions, [PLACES[-1], PLACES[0]])


def test_bounds_without_flags_are_told(tmp_path: Path) -> None:
    text = dump_file("id element x y z", f"1 Si {XYZ[0]}", "\n0 5\n0 5\n0 5")
    with pytest.warns(UserWarning, match="which directions are periodic.*atoms.pbc"):
        assert read(saved(tmp_path / "a", text)).pbc.all()


DATA = data_file(f"1 1 {XYZ[0]}\n2 2 {XYZ[1]}", masses=MASSES, style="atomic")
DUMP = dump_file("id element x y z", f"1 Si {XYZ[0]}\n2 O {XYZ[1]}")


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (DATA, "2 atoms", "3 atoms", "3 lines in section 'Atoms', as the header says, not 2"),
        (DATA, "2 atoms", "1 atoms", "line 18: expected 1 lines in section 'Atoms'"),
        (DATA, "2 atoms", "999999999999 atoms", "999999999999 lines in section"),
        (DATA, "2 atoms", "1,000 atoms", "line 3: expected a line of the header"),
        (DATA, "2 atoms\n", "", "a whole number of 'atoms' in the header"),
        (DATA, "2 atom types", "3 atom types", "3 lines in section 'Masses'"),
        (DATA, "2 2 ", "1 2 ", "line 18: expected each atom once .id 1 came before"),
        (DATA, "2.0 1.0", "nan 1.0", "line 17: expected an atom: id type x y z"),
        (DATA, "2.0 1.0", "2,0 1.0", "line 17: expected an atom: id type x y z"),
        (DATA, "2.0 1.0", "1.#QNAN 1.0", "line 17: expected an atom: id type x y z"),
        (DATA, "2.0 1.0", "1e400 1.0", "line 17: expected an atom: id type x y z"),
        (DATA, "2.0 1.0", "1.0", "line 17: expected an atom: id type x y z"),
        (DATA, "1 5 xlo xhi", "5 1 xlo xhi", "a box with a volume in the header"),
        (DATA, "1 5 xlo xhi\n", "", "a line 'xlo xhi' in the header"),
        (DATA, "1 5 xlo xhi", "1 inf xlo xhi", "line 6: expected"),
        (DATA, "1 5 xlo xhi", "1 5 xlo xhi\n1 6 xlo xhi", "line 7: expected 2 number.*one such"),
        (DATA, "28.0855", "-28.0855", "line 12: expected the positive mass"),
        (DATA, "by hand", "by hand, units = lj", "line 1: expected units metal or real.*not 'lj'"),
        (DUMP, "ATOMS\n2", "ATOMS\n1", "line 11: expected the end of the frame after 1 atoms"),
        (DUMP, "ATOMS\n2", "ATOMS\n3", "3 atoms in the frame of timestep 0"),
        (DUMP, "ATOMS\n2", "ATOMS\n99999999999", "99999999999 atoms in the frame"),
        (DUMP, "ATOMS\n2", "ATOMS\n2e0", "line 4: expected the number of atoms"),
        (DUMP, "1 5\n", "5 1\n", "line 8: expected bounds of a box with a volume"),
        (DUMP, "1 5\n", "1 inf\n", "line 6: expected bounds of the box .2 numbers"),
        (DUMP, "1 5\n", "", "line 8: expected bounds of the box"),
        (DUMP, "x y z", "x y y", "line 9: expected names of columns"),
        (DUMP, "x y z", "x y vz", "line 9: expected names of columns"),
        (DUMP, "2 O", "1 O", "line 11: expected each atom once .id 1"),
        (DUMP, "2 O", "2 Ox", "line 11: expected a chemical element .not 'Ox'"),
        (DUMP, "1.0 -1.0", "1.0 -1.0 7", "line 10: expected an atom: id element x y z"),
        (DUMP, "1.0 -1.0", "1.0 NaN", "line 10: expected a finite number as z"),
        (DUMP, "ITEM: NUMBER OF ATOMS\n2\n", "", "line 7: expected 'ITEM: NUMBER OF ATOMS'"),
        (DUMP, "ITEM: TIMESTEP", "ITEM: UNITS\nlj\nITEM: TIMESTEP", "line 2: .*metal or real"),
        (DUMP, "pp pp pp", "pp pp", "line 5: expected 'ITEM: BOX BOUNDS"),
        (DUMP, "ITEM: TIMESTEP\n0", "ITEM: TIMESTEP\nsoon", "line 2: expected the number of the"),
    ],
)  # fmt: skip
def test_wrong_files(tmp_path: Path, text: str, old: str, new: str, message: str) -> None:
    assert old in text
    path = saved(tmp_path / "a.file", text.replace(old, new, 1))
    with pytest.raises(ValueError, match=rf"a\.file(, line \d+|): |{message}") as caught:
        read(path)
    assert "a.file" in str(caught.value)
    caught.match(message)
