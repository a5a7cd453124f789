"""CIF: settings, statements of the file, isotopes, and what writers of such files do."""

import gzip
import itertools
import re
from pathlib import Path

import ase.io
import numpy as np
import pytest
import spglib
from ase import Atoms
from ase.cell import Cell
from ase.spacegroup import Spacegroup
from ase.spacegroup.spacegroup import SpacegroupNotFoundError
from ase.units import _amu
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from glassnb.core.files import read, write
from glassnb.core.formats.settings import settings
from glassnb.core.formats.star import blocks
from glassnb.core.isotopes import isotopes_of, set_isotopes

TAGS = ["length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma"]


def cif_text(
    cell: list[float], rows: str, *, columns: str = "label fract_x fract_y fract_z", head: str = ""
) -> str:
    """A file with a cell, items, and rows of atom sites."""
    lines = ["data_test", *(f"_cell_{tag} {x}" for tag, x in zip(TAGS, cell, strict=True)), head]
    names = [f"_atom_site_{name}" for name in columns.split()]
    return "\n".join([*lines, "loop_", *names, *rows.strip().splitlines()]) + "\n"


def read_text(folder: Path, text: str, **options: object) -> Atoms:
    (folder / "a.cif").write_text(text)
    return read(folder / "a.cif", **options)


def density(atoms: Atoms) -> float:
    """Mass density in g/cm3, from atomic mass units and cubic Å alone."""
    return float(atoms.get_masses().sum() * _amu * 1e3 / (atoms.get_volume() * 1e-24))


def distances(atoms: Atoms, i: int) -> np.ndarray:
    """Distances from an atom to all others in 7 x 7 x 7 cells, sorted: a plain loop."""
    found = []
    for shift in itertools.product(range(-3, 4), repeat=3):
        vectors = atoms.positions + np.array(shift) @ atoms.cell.array - atoms.positions[i]
        found.append(np.linalg.norm(vectors, axis=1))
    return np.sort(np.concatenate(found))[1:]


def symbol(name: str) -> str:
    return f"_symmetry_space_group_name_H-M '{name}'"


P1 = symbol("P 1")
CUBE = [6, 6.1, 6.2, 90, 90, 90]
# Peacor, Z. Kristallogr. 138, 274 (1973): ideal beta-cristobalite, here with the origin at the
# inversion centre: silicon at 1/8, oxygen at 0.
CRISTOBALITE = [7.16, 7.16, 7.16, 90, 90, 90]
IDEAL = "Si .125 .125 .125\nO 0 0 0"


# -- settings of the space group -------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        symbol("F d -3 m :2"), symbol("Fd-3m:2"), symbol("F d -3 m Z"), symbol("F d 3 m :2"),
        symbol("F 41/d -3 2/m :2"), symbol("F d -3 m") + "\n_symmetry_space_group_setting 2",
        symbol("F d -3 m") + "\n_space_group_IT_coordinate_system_code 2",
        "_space_group_name_Hall '-F 4vw 2vw 3'",
        symbol("F d -3 m") + "\n_chemical_formula_sum 'Si O2'",
        symbol("F d -3 m") + "\n_chemical_formula_sum 'O16 Si8'\n_cell_formula_units_Z 1",
        symbol("F d -3 m") + "\n_exptl_crystal_density_diffrn 2.17",
        "_symmetry_Int_Tables_number 227\n_chemical_formula_sum 'Si O2'",
    ],
)  # fmt: skip
def test_origin_of_beta_cristobalite(tmp_path: Path, head: str) -> None:
    """Told by the symbol, a code, or by what only one of the two choices agrees with."""
    atoms = read_text(tmp_path, cif_text(CRISTOBALITE, IDEAL, head=head))
    assert atoms.symbols.formula.count() == {"Si": 8, "O": 16}
    assert density(atoms) == pytest.approx(2.17, abs=0.01)
    bond = 7.16 * np.sqrt(3) / 8  # from 0 to 1/8 1/8 1/8
    np.testing.assert_allclose(distances(atoms, 0)[:4], bond)
    np.testing.assert_allclose(distances(atoms, 23)[:2], bond)


def test_origin_that_disagrees_or_that_nothing_tells(tmp_path: Path) -> None:
    head = symbol("F d -3 m :1") + "\n_chemical_formula_sum 'Si O2'"
    wanted = r"a\.cif, data_test: .*:1.*_chemical_formula_sum 'Si1 O2'.*'Si2 O1'.*list the operat"
    with pytest.raises(ValueError, match=wanted):
        read_text(tmp_path, cif_text(CRISTOBALITE, IDEAL, head=head))
    wanted = r"several settings.*:1 \(O8Si16\) from .*:2 \(O16Si8\).*write the setting"
    with pytest.raises(ValueError, match=wanted):
        read_text(tmp_path, cif_text(CRISTOBALITE, IDEAL, head=symbol("F d -3 m")))


HEXAGONAL = [4.9896, 4.9896, 17.061, 90, 90, 120]  # Graf, Am. Mineral. 46, 1283 (1961)
CALCITE = "Ca 0 0 0\nC 0 0 .25\nO .2578 0 .25"


def calcite_on_rhombohedral_axes() -> tuple[list[float], str]:
    """The same crystal: obverse setting of the International Tables, table 5.1.3.1."""
    to = np.array([[2, 1, 1], [-1, 1, 1], [-1, -2, 1]]) / 3
    cell = Cell(to @ Cell.fromcellpar(HEXAGONAL).array).cellpar().round(6).tolist()
    rows = []
    for row in CALCITE.splitlines():
        name, *place = row.split()
        x = np.array(place, float) @ np.linalg.inv(to)
        rows.append(name + " {:.6f} {:.6f} {:.6f}".format(*x))
    return cell, "\n".join(rows)


@pytest.mark.parametrize("suffix", ["", ":R", " R", ":r"])
def test_calcite_on_both_axes(tmp_path: Path, suffix: str) -> None:
    """Published 2.711 g/cm3; every distance is the same."""
    hexagonal = read_text(tmp_path, cif_text(HEXAGONAL, CALCITE, head=symbol("R -3 c")))
    cell, rows = calcite_on_rhombohedral_axes()
    assert cell == pytest.approx([6.375, 6.375, 6.375, 46.08, 46.08, 46.08], abs=5e-3)
    small = read_text(tmp_path, cif_text(cell, rows, head=symbol(f"R -3 c{suffix}")))
    assert (len(hexagonal), len(small)) == (30, 10)
    for atoms in (hexagonal, small):
        assert density(atoms) == pytest.approx(2.711, abs=0.002)
    for element in ("Ca", "C", "O"):
        i, j = (list(atoms.symbols).index(element) for atoms in (hexagonal, small))
        np.testing.assert_allclose(
            distances(small, j)[:80], distances(hexagonal, i)[:80], rtol=1e-5
        )


def test_axes_that_disagree_with_the_cell(tmp_path: Path) -> None:
    cell, rows = calcite_on_rhombohedral_axes()
    for name in ("R -3 c :H", "P n m a"):
        with pytest.raises(
            ValueError, match=f"space group '{name}' does not agree with the cell 6"
        ):
            read_text(tmp_path, cif_text(cell, rows, head=symbol(name)))
    operations = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-y,x-y,z\n-x+y,-x,z"
    with pytest.raises(ValueError, match="operations that it lists do not leave its cell"):
        read_text(tmp_path, cif_text([5, 5, 5, 46, 46, 46], rows, head=operations))


def general_cell(number: int, choice: str) -> list[float]:
    """A cell that has the symmetry of a setting and no more."""
    if number <= 2:
        return [5, 6, 7, 80, 85, 95]
    if number <= 15:
        angles = [90, 90, 90]
        angles["abc".index(choice.strip("-")[0])] = 103
        return [5, 6, 7, *angles]
    if number <= 142:
        return [5, 6 if number <= 74 else 5, 7, 90, 90, 90]
    if number <= 194:
        return [5, 5, 5, 75, 75, 75] if choice == "R" else [5, 5, 7, 90, 90, 120]
    return [5, 5, 5, 90, 90, 90]


def operations(head: str, cell: list[float]) -> list[set[tuple[int, ...]]]:
    """The operations of each setting that a file may mean, translations in 1/24."""
    block = blocks("a.cif", cif_text(cell, "O 0 0 0", head=head))[0]
    found = settings(block, Cell.fromcellpar(cell))
    return [as_set(setting.rotations, setting.translations) for setting in found]


def as_set(rotations: np.ndarray, translations: np.ndarray) -> set[tuple[int, ...]]:
    whole = np.rint(np.asarray(translations) * 24).astype(int) % 24
    flat = np.asarray(rotations).reshape(len(whole), 9)
    return set(map(tuple, np.hstack([flat, whole]).tolist()))


def test_all_settings_that_ase_knows() -> None:
    """ASE has a table of its own: 230 groups, with a second setting where it is usual."""
    compared = 0
    for number, setting in itertools.product(range(1, 231), (1, 2)):
        try:
            group = Spacegroup(number, setting)
        except SpacegroupNotFoundError:
            continue
        choice = ""
        if number in (3, 4, 6, 10, 11):
            choice = "bc"[setting - 1]
        elif number <= 15:
            choice = "b"
        elif group.symbol.startswith("R"):
            choice = "HR"[setting - 1]
        theirs = as_set(*zip(*group.get_symop(), strict=True))
        ours = operations(symbol(group.symbol), general_cell(number, choice))
        assert theirs in ours, (number, setting)
        # Two choices of the origin are left where the symbol says no more.
        assert len(ours) == (2 if len(group.symbol) and (number, 2) in ORIGINS else 1), number
        compared += 1
    assert compared == 274


# Groups with two choices of the origin: International Tables A, table 1.4.2.
ORIGINS = {
    (n, 2)
    for n in (48, 50, 59, 68, 70, 85, 86, 88, 125, 126, 129, 130, 133, 134, 137, 138, 141, 142,
              201, 203, 222, 224, 227, 228)
}  # fmt: skip


# These pairs differ in the names of their axes, but not in their operations.
SAME_HALL = {326, 328, 330, 332}


def test_all_settings_of_the_tables() -> None:
    """Each of the 530 by its full symbol with its code, and by its Hall symbol."""
    for k in range(1, 531):
        entry = spglib.get_spacegroup_type(k)
        known = spglib.get_symmetry_from_database(k)
        wanted = as_set(known["rotations"], known["translations"])
        cell = general_cell(entry.number, entry.choice)
        full = entry.international_full
        code = f"\n_space_group_IT_coordinate_system_code {entry.choice}" if entry.choice else ""
        for head in (
            symbol(full) + code,
            symbol(f"{full} :{entry.choice}" if entry.choice else full),
            f"_space_group_name_Hall '{entry.hall_symbol}'",
        ):
            found = operations(head, cell)
            assert all(one == wanted for one in found), (k, head)
            assert len(found) == 1 + (k in SAME_HALL and "Hall" in head), (k, head)


@pytest.mark.parametrize(
    ("name", "same"),
    [("P21/c", "P 1 21/c 1"), ("P 21/n", "P 1 21/n 1"), ("P 2(1)/n", "P 1 21/n 1"),
     ("P2_1/a", "P 1 2_1/a 1"), ("C2/c", "C 1 2/c 1"), ("I 2/a", "I 1 2/a 1")],
)  # fmt: skip
def test_short_symbols_of_monoclinic_groups(name: str, same: str) -> None:
    cell = general_cell(14, "b")
    assert operations(symbol(name), cell) == operations(symbol(same), cell)
    # The angle that is not 90° tells the axis, also where it is nearly 90°.
    for angle in (103, 90.4):
        cell = [5, 6, 7, 90, 90, angle]
        assert operations(symbol("P 21/n"), cell) == operations(symbol("P 1 1 21/n"), cell)
    assert operations(symbol("P 21/n"), [5, 6, 7, 90, 90, 90]) == operations(
        symbol("P 1 21/n 1"), [5, 6, 7, 90, 90, 90]
    )


def test_short_symbols_mean_the_axis_b() -> None:
    """Unless the cell tells another: International Tables A, section 1.4.1.4."""
    compared = 0
    for k in range(3, 108):
        entry = spglib.get_spacegroup_type(k)
        if entry.choice.lstrip("-")[0] != "b":
            continue
        full = entry.international_full
        for beta in (90, 103):
            cell = [7.1, 12.3, 7.2, 90, beta, 90]
            short = operations(symbol(full.replace(" 1", "")), cell)
            assert len(short) == 1
            assert short == operations(symbol(full), cell), full
        compared += 1
    assert compared == 35  # a third of all


@pytest.mark.parametrize(
    ("old", "new", "number"),
    [("C m c a", "C m c e", 64), ("B m a b", "B m e b", 64), ("A b m 2", "A e m 2", 39),
     ("C m m a", "C m m e", 67), ("F m 3 m", "F m -3 m", 225), ("P a 3", "P a -3", 205),
     ("I 41/a 3 2/d", "I a -3 d", 230), ("H -3 m", "R -3 m :H", 166)],
)  # fmt: skip
def test_old_symbols(old: str, new: str, number: int) -> None:
    cell = general_cell(number, "H")
    found = operations(symbol(old), cell)
    assert found == operations(symbol(new), cell)
    assert len(found) == 1


def test_a_structure_in_another_setting_is_the_same(tmp_path: Path) -> None:
    """Forsterite in P b n m (Hazen, Am. Mineral. 61, 1280, 1976) and in P n m a: axes b, c, a."""
    rows = {"Mg1": (0, 0, 0), "Mg2": (0.9915, 0.2774, 0.25), "Si": (0.4262, 0.0940, 0.25),
            "O1": (0.7657, 0.0913, 0.25), "O2": (0.2215, 0.4474, 0.25),
            "O3": (0.2777, 0.1628, 0.0331)}  # fmt: skip
    cell = [4.7535, 10.1943, 5.9807]
    head = "\n_chemical_formula_sum 'Mg2 Si O4'\n_cell_formula_units_Z 4"
    made = []
    for name, axes in (("P b n m", (0, 1, 2)), ("P n m a", (1, 2, 0)), ("P m c n", (2, 0, 1))):
        sites = [" ".join([label, *(str(x[k]) for k in axes)]) for label, x in rows.items()]
        text = cif_text([*(cell[k] for k in axes), 90, 90, 90], "\n".join(sites),
                        head=symbol(name) + head)  # fmt: skip
        made.append(read_text(tmp_path, text))
    for atoms in made:
        assert density(atoms) == pytest.approx(3.226, abs=0.003)  # published
        for i in (0, 4, 8, 12, 16, 20):
            np.testing.assert_allclose(distances(atoms, i)[:60], distances(made[0], i)[:60])


@pytest.mark.parametrize("name", ["Quartz-beta", "Coesite", "Stishovite", "Seifertite"])
def test_entries_without_their_operations(shared_data: Path, tmp_path: Path, name: str) -> None:
    """The symbol alone makes the atoms that the list of operations makes."""
    text = (shared_data / "rings" / f"amcsd_{name}.cif").read_text()
    listed = read_text(tmp_path, text)
    bare = re.sub(r"loop_\n_space_group_symop_operation_xyz\n(\s+'.*'\n)+", "", text)
    assert "x,y,z" not in bare
    by_symbol = read_text(tmp_path, bare)
    assert by_symbol.symbols.formula.count() == listed.symbols.formula.count()
    for i in (0, len(listed) - 1):
        np.testing.assert_allclose(
            distances(by_symbol, i)[:100], distances(listed, i)[:100], atol=1e-6
        )


def test_an_entry_whose_origin_is_not_the_usual_one(shared_data: Path, tmp_path: Path) -> None:
    """Quartz in P 32 2 1 with silicon at z = 0, not 2/3: refused where its operations are lost."""
    text = (shared_data / "rings" / "amcsd_Quartz-alpha.cif").read_text()
    bare = re.sub(r"loop_\n_space_group_symop_operation_xyz\n(\s+'.*'\n)+", "", text)
    with pytest.raises(ValueError, match=r"with P 32 2 1 it states .*'Si1 O2'.*2\.646"):
        read_text(tmp_path, bare)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (symbol("Q 7 7"), "space group 'Q 7 7': no setting in the International Tables"),
        (symbol("P b n m") + "\n_space_group_IT_number 19", "'P b n m' number '19': no setting"),
        (symbol("P n m a :2"), "'P n m a :2': no setting"),
        (symbol("P n m a") + "\n_space_group_name_Hall '-P 2ac 2n (x+1/4,y,z)'", "Hall .*: no"),
        (symbol("P n m a") + "\n_space_group_name_Hall '-P 2c 2ab'", "Hall .*: no setting"),
        ("loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,-y,z+1/2\n-x,y+1/2,-z+1/2",
         r"a\.cif, line 10: expected all operations of a space group, but '.*' after '.*' is not "
         "among the 3"),
        ("loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\nx,x,z", "line 11: expected a symmetry operat"),
        ("loop_\n_symmetry_equiv_pos_as_xyz\nx,y,1/0", "line 10: expected a symmetry operation"),
        ("loop_\n_symmetry_equiv_pos_as_xyz\n'x,y'", "line 10: expected a symmetry operation"),
    ],
)  # fmt: skip
def test_wrong_symmetry(tmp_path: Path, head: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_text(tmp_path, cif_text(CUBE, "Si .1 .1 .1", head=head))


@pytest.mark.parametrize(
    ("head", "listed", "numbers"),
    [(symbol("F m -3 m"), "x,y,z", (1, 192)), ("_space_group_IT_number 225", "x,y,z", (1, 192)),
     (symbol("P m -3 m"), "x,y,z\n-x,-y,-z", (2, 48)),
     (symbol("C 1 2/c 1"), "x,y,z\n-x,-y,-z\n-x,y,1/2-z\nx,-y,z+1/2", (4, 8)),
     ("_space_group_name_Hall '-F 4 2 3'", "x,y,z\nx,y,z", (1, 192))],
)  # fmt: skip
def test_fewer_operations_than_the_space_group_has(
    tmp_path: Path, head: str, listed: str, numbers: tuple[int, int]
) -> None:
    """Those that are listed count; what the file states besides is said, or tells an error."""
    head = f"{head}\nloop_\n_space_group_symop_operation_xyz\n{listed}"
    rows, cell = "Na .11 .22 .33", [8, 8, 8, 90, 90, 90]
    few, all_ = numbers
    with pytest.warns(UserWarning, match=rf"lists {few} symmetry operations?, .* has {all_};"):
        assert len(read_text(tmp_path, cif_text(cell, rows, head=head))) == few
    wrong = f"{head}\n_chemical_formula_sum Na\n_cell_formula_units_Z {all_}"
    with pytest.raises(ValueError, match=rf"with the {few} operations? that it lists, of {all_} "):
        read_text(tmp_path, cif_text(cell, rows, head=wrong))


def test_no_symmetry_is_said(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"a\.cif, data_test: names no space group") as caught:
        atoms = read_text(tmp_path, cif_text(CUBE, "Si .1 .1 .1"))
    assert caught[0].filename == __file__  # the warning points at who called
    assert len(atoms) == 1


def test_operations_may_be_written_in_many_ways(tmp_path: Path) -> None:
    made = []
    for operation in ("1/2+x,1/2-y,-z", "x+1/2, -y+.5, -z", "X+0.5,1/2-Y,-Z", "+x+1/2,-y-1/2,-z"):
        names = "_space_group_symop.id\n_space_group_symop.operation_xyz"
        head = f"loop_\n{names}\n1 x,y,z\n2 '{operation}'"
        made.append(read_text(tmp_path, cif_text(CUBE, "Si .1 .2 .3", head=head)))
    for atoms in made:
        np.testing.assert_allclose(
            atoms.get_scaled_positions(), [[0.1, 0.2, 0.3], [0.6, 0.3, 0.7]], atol=1e-12
        )


def test_what_stands_without_quotes(tmp_path: Path) -> None:
    head = "_symmetry_space_group_name_H-M P 1 21/c 1"
    cell = general_cell(14, "b")
    assert operations(head, cell) == operations(symbol("P 21/c"), cell)
    head = "loop_\n_symmetry_equiv_pos_as_xyz\nx, y, z\n-x, y + 1/2, -z + 1/2\n-x,-y,-z\n"
    assert operations(f"{head}x, -y+1/2, z+1/2", cell) == operations(symbol("P 21/c"), cell)


def test_special_positions_with_few_digits(tmp_path: Path) -> None:
    """0.333 and 0.667 stand for thirds: two atoms of graphite's neighbours, not six."""
    text = cif_text([2.46, 2.46, 6.7, 90, 90, 120], "C1 0 0 .25\nC2 .333 .667 .25",
                    head=symbol("P 63/m m c") + "\n_cell_formula_units_Z 4\n"
                    "_chemical_formula_sum C")  # fmt: skip
    assert len(read_text(tmp_path, text)) == 4


# -- what the file states --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("_chemical_formula_sum 'Si O3'", "'Si1 O3', but the cell gives 'Si1.333 O2.667'"),
        ("_chemical_formula_sum 'Ge O2'", "_chemical_formula_sum 'Ge1 O2'"),
        ("_chemical_formula_sum 'Si O2'\n_cell_formula_units_Z 4", "Z 4, but the cell gives 8"),
        ("_chemical_formula_sum 'Si8 O16'\n_cell_formula_units_Z 3", "Z 3, but the cell gives 1"),
        ("_exptl_crystal_density_diffrn 2.29", r"2\.29, but the cell gives 2\.17"),
        ("_cell_volume 376", "376, but the cell gives 367"),
    ],
)
def test_statements_that_disagree(tmp_path: Path, item: str, message: str) -> None:
    head = f"{symbol('F d -3 m :2')}\n{item}"
    with pytest.raises(ValueError, match=rf"a\.cif, data_test: .*{message}.*statement that is wr"):
        read_text(tmp_path, cif_text(CRISTOBALITE, IDEAL, head=head))


@pytest.mark.parametrize(
    "item",
    ["_chemical_formula_sum 'O2 Si'", "_chemical_formula_sum 'Si8(O2)8'", "_cell_volume 367.1(2)",
     "_exptl_crystal_density_diffrn 2.17", "_exptl_crystal_density_diffrn 2.2",
     "_cell_formula_units_Z ?", "_chemical_formula_sum 'O16 Si8'\n_cell_formula_units_Z 8",
     "_exptl_crystal_density_diffrn 2.18", "_chemical_formula_sum ?",
     "_chemical_formula_sum 'Si O2 4-'"],
)  # fmt: skip
def test_statements_that_agree(tmp_path: Path, item: str) -> None:
    head = f"{symbol('F d -3 m :2')}\n{item}"
    assert len(read_text(tmp_path, cif_text(CRISTOBALITE, IDEAL, head=head))) == 24


def test_less_than_one_percent_is_said(tmp_path: Path) -> None:
    head = symbol("F d -3 m :2") + "\n_exptl_crystal_density_diffrn 2.190"
    with pytest.warns(UserWarning, match=r"a density in g/cm³ of 2\.19, but the cell gives 2\.17"):
        read_text(tmp_path, cif_text(CRISTOBALITE, IDEAL, head=head))


def test_missing_hydrogen_is_said(tmp_path: Path) -> None:
    """Ice without its hydrogen, whose density is stated with it."""
    mass = 18.015 * 1.66054 / (6 * 6.1 * 6.2)
    for head, columns, rows in (
        (f"{P1}\n_chemical_formula_sum 'H2 O'", "label fract_x fract_y fract_z", "O .1 .1 .1"),
        (P1, "label fract_x fract_y fract_z attached_hydrogens", "O .1 .1 .1 2"),
        (P1, "label fract_x fract_y fract_z", "Wat1 .1 .1 .1"),
    ):
        text = cif_text(CUBE, rows, columns=columns,
                        head=f"{head}\n_exptl_crystal_density_diffrn {mass:.4f}")  # fmt: skip
        with pytest.warns(UserWarning, match="states 2 hydrogen atoms in the cell without coord"):
            assert read_text(tmp_path, text).get_chemical_symbols() == ["O"]
    with pytest.warns(UserWarning, match="leaves out hydrogen without coordinates H1"):
        read_text(tmp_path, cif_text(CUBE, "O .1 .1 .1\nH1 ? ? ?", head=P1))


def test_sites_that_symmetry_makes_of_others(tmp_path: Path) -> None:
    """Lists of whole molecules hold images of atoms; those of both faces hold translations."""
    head = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,-y,-z"
    rows = "Si1 .1 .1 .1\nO1 0 .2 .3\nO1A 0 .8 .7\nSi1A .9 -.1 -.1\nO1B 0 .2 1.3"
    head += "\n_chemical_formula_sum 'Si O'\n_cell_formula_units_Z 2"
    with pytest.warns(UserWarning, match="leaves out O1A, Si1A, O1B, which symmetry makes"):
        atoms = read_text(tmp_path, cif_text(CUBE, rows, head=head))
    assert atoms.symbols.formula.count() == {"Si": 2, "O": 2}
    text = cif_text(CUBE, rows.replace("\n", " .5\n") + " .5", head=head.replace("Z 2", "Z 1"),
                    columns="label fract_x fract_y fract_z occupancy")  # fmt: skip
    with (
        pytest.warns(UserWarning, match="leaves out O1A, Si1A, O1B"),
        pytest.raises(ValueError, match=r"Si1 \(Si 0\.5\), O1 \(O 0\.5\)"),
    ):
        read_text(tmp_path, text)


def test_atoms_that_symmetry_puts_on_top_of_each_other(tmp_path: Path) -> None:
    text = cif_text(CUBE, "Si1 .05 .3 .1", head="loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,y,z")
    with pytest.raises(ValueError, match=r"put Si1 and Si1 0\.600 Å from each other"):
        read_text(tmp_path, text)
    # What a file lists itself may be a model of any kind.
    with pytest.warns(UserWarning, match=r"put Si[12] and Si[12] 0\.600 Å from each other"):
        atoms = read_text(tmp_path, cif_text(CUBE, "Si1 .05 .3 .1\nSi2 .95 .3 .1", head=P1))
    assert len(atoms) == 2


@pytest.mark.parametrize(
    ("second", "third", "wrong"),
    [(".130 .1 .1", "2", "0.180"), (".260 .1 .1", "2", "0.960"), (".130 .1 .1", ".", "0.180")],
)
def test_alternatives_without_occupancy(
    tmp_path: Path, second: str, third: str, wrong: str
) -> None:
    """Marked by their groups alone, they would all be there; with occupancies they are drawn."""
    rows = f"Si1 .4 .4 .4 . 1\nO1A .1 .1 .1 1 1\nO1B {second} {third} 1"
    columns = "label fract_x fract_y fract_z disorder_group occupancy"
    names = rf"O1[AB].*O1[AB].*{re.escape(wrong)} Å from each other \(O-O\); give .*_occupancy"
    for text in (
        cif_text(CUBE, rows, columns=columns, head=P1),
        cif_text(CUBE, rows.replace(" 1\n", "\n")[:-2], columns=columns[:-10], head=P1),
    ):
        with pytest.raises(ValueError, match=rf"(?=.*O1A \(disorder group 1\)).*{names}"):
            read_text(tmp_path, text)
    half = rows.replace("1 1\n", "1 .5\n")[:-1] + ".5"
    text = cif_text(CUBE, half, columns=columns, head=P1)
    assert len(read_text(tmp_path, text, occupancy="sample", repeat=(2, 1, 1))) == 4


def test_groups_of_atoms_that_are_apart(tmp_path: Path) -> None:
    rows = "Si1 .4 .4 .4 0\nO1A .1 .1 .1 1\nO1B .330 .1 .1 2\nH1 .470 .1 .1 2"
    text = cif_text(CUBE, rows, columns="label fract_x fract_y fract_z disorder_group", head=P1)
    assert len(read_text(tmp_path, text)) == 4


# -- isotopes and elements -------------------------------------------------------------------------

HEAVY_WATER = """
O1 O .10 .10 .10
D1 D .25 .12 .10
D2 D .05 .24 .12
O2 O .60 .60 .60
D3 D .75 .62 .60
D4 D .55 .74 .62
"""


@pytest.mark.parametrize("style", ["type", "charged type", "label"])
def test_deuterium(tmp_path: Path, style: str) -> None:
    rows, columns = HEAVY_WATER, "label type_symbol fract_x fract_y fract_z"
    if style == "charged type":
        rows = rows.replace(" D ", " D1+ ").replace(" O ", " O2- ")
    if style == "label":
        rows = re.sub(r"(\w+) \w ", r"\1 ", rows)
        columns = "label fract_x fract_y fract_z"
    atoms = read_text(tmp_path, cif_text(CUBE, rows, columns=columns, head=P1))
    assert isotopes_of(atoms).tolist() == [0, 2, 2, 0, 2, 2]
    assert atoms.get_chemical_symbols() == list("OHHOHH")
    assert atoms.get_masses()[1] == pytest.approx(2.014, abs=1e-3)


TYPE = "label type_symbol fract_x fract_y fract_z"


@pytest.mark.parametrize(
    ("kind", "element", "isotope"),
    [("Si4+", "Si", 0), ("O2-", "O", 0), ("O-2", "O", 0), ("Si+4", "Si", 0), ("Fe3+", "Fe", 0),
     ("H-1", "H", 0), ("N3-", "N", 0), ("C-4", "C", 0), ("SI", "Si", 0), ("si", "Si", 0),
     ("Cval", "C", 0), ("Siva", "Si", 0), ("O1", "O", 0), ("D", "H", 2), ("D1+", "H", 2),
     ("T", "H", 3), ("Li-6", "Li", 6), ("7Li", "Li", 7), ("62Ni", "Ni", 62), ("Li1+", "Li", 0),
     ("V", "V", 0), ("Ca2+", "Ca", 0)],
)  # fmt: skip
def test_types(tmp_path: Path, kind: str, element: str, isotope: int) -> None:
    atoms = read_text(tmp_path, cif_text(CUBE, f"A1 {kind} .1 .1 .1", columns=TYPE, head=P1))
    assert atoms.get_chemical_symbols() == [element]
    assert isotopes_of(atoms).tolist() == [isotope]


@pytest.mark.parametrize(
    ("label", "formula", "element"),
    [("Li6", "", "Li"), ("O18", "", "O"), ("SI1", "", "Si"), ("Si1A", "", "Si"),
     ("NaM4", "", "Na"), ("CA1", "'C2 N'", "C"), ("CA1", "'Ca C'", "Ca"), ("Cd1", "'C6 H6'", "C"),
     ("HO1", "'H O'", "H"),
     ("Dy1", "", "Dy"), ("O1'", "", "O"), ("Ow2", "", "O"), ("O(br)", "", "O"), ("K_2", "", "K"),
     ("Va", "'V'", "V"), ("Hw1", "", "H")],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*hydrogen atoms in the cell without coordinates")
def test_labels(label: str, formula: str, element: str) -> None:
    """A number behind a label counts sites; the formula decides between calcium and carbon."""
    from glassnb.core.formats.contents import formula_of
    from glassnb.core.formats.site_species import site_species

    item = f"_chemical_formula_sum {formula}" if formula else ""
    block = blocks("a.cif", f"data_x\n{item}\n")[0]
    found = site_species(None, label, formula_of(block))
    assert (found.symbol, found.isotope) == (element, 0)


@pytest.mark.parametrize("label", ["T1", "M2", "X1", "Si/Al1", "Si,Al", "Va1", "Q", "1"])
def test_labels_of_no_element(tmp_path: Path, label: str) -> None:
    with pytest.raises(ValueError, match=r"a\.cif, line 14: expected a label that .*_type_symbol"):
        read_text(tmp_path, cif_text(CUBE, f"{label} .1 .1 .1", head=P1))
    with pytest.raises(
        ValueError, match=r"line 15: expected a chemical element as _atom_site_type"
    ):
        read_text(tmp_path, cif_text(CUBE, f"A1 {label} .1 .1 .1", columns=TYPE, head=P1))


def test_a_label_of_deuterium_with_the_type_of_hydrogen_is_said(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="takes as hydrogen, .* D1"):
        atoms = read_text(tmp_path, cif_text(CUBE, "D1 H .1 .1 .1", columns=TYPE, head=P1))
    assert isotopes_of(atoms).tolist() == [0]


# -- round trips -----------------------------------------------------------------------------------


@hypothesis_settings(max_examples=15, deadline=None)
@given(
    st.tuples(*[st.floats(4, 9)] * 3, *[st.floats(70, 110)] * 3),
    st.lists(st.sampled_from([("H", 2), ("H", 3), ("H", 0), ("Li", 6), ("O", 0), ("Ni", 62)]),
             min_size=1, max_size=6),
    st.integers(0, 99), st.booleans(),
)  # fmt: skip
def test_round_trip(tmp_path_factory, cell, species, seed, left_handed) -> None:
    """Elements, isotopes, lengths and angles, and every distance, also of left-handed cells."""
    path = tmp_path_factory.mktemp("cif") / "a.cif"
    turned = (
        Cell.fromcellpar(cell).array @ np.linalg.qr(np.random.default_rng(seed).random((3, 3)))[0]
    )
    if left_handed == (np.linalg.det(turned) > 0):
        turned = -turned
    atoms = Atoms([symbol for symbol, _ in species], cell=turned, pbc=True)
    places = np.random.default_rng(seed).uniform(-1, 2, (len(atoms), 3))
    atoms.set_scaled_positions(places)
    set_isotopes(atoms, [mass_number for _, mass_number in species])
    apart = atoms.get_all_distances(mic=True) + 9 * np.eye(len(atoms))
    assume(apart.min() > 1.3)  # of what is closer, reading warns
    write(path, atoms)
    again = read(path)
    assert again.get_chemical_symbols() == atoms.get_chemical_symbols()
    assert isotopes_of(again).tolist() == isotopes_of(atoms).tolist()
    assert again.pbc.all()
    np.testing.assert_allclose(again.cell.cellpar(), cell, rtol=1e-8)
    np.testing.assert_allclose(again.get_all_distances(), atoms.get_all_distances(), atol=1e-7)
    # Handedness: triple products of vectors between atoms.
    if len(atoms) > 3:
        vectors = [x.positions[1:4] - x.positions[0] for x in (again, atoms)]
        np.testing.assert_allclose(*map(np.linalg.det, vectors), atol=1e-5)


def test_other_programs_read_what_we_write(tmp_path: Path) -> None:
    atoms = Atoms(
        "LiOH2", [[0, 0, 0], [2, 0, 0], [2.6, 0.7, 0], [2.6, 5.3, 0]], cell=[6] * 3, pbc=True
    )
    set_isotopes(atoms, [6, 0, 2, 0])
    write(tmp_path / "a.cif", atoms)
    theirs = ase.io.read(tmp_path / "a.cif")
    assert theirs.get_chemical_symbols() == atoms.get_chemical_symbols()
    np.testing.assert_allclose(theirs.positions, atoms.positions, atol=1e-9)
    assert theirs.get_masses()[2] == pytest.approx(2.014, abs=1e-2)  # D is in their reader


def test_molecules_and_what_a_cif_cannot_say(tmp_path: Path) -> None:
    water = Atoms("OH2", [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    set_isotopes(water, [18, 2, 0])
    write(tmp_path / "a.cif", water)
    again = read(tmp_path / "a.cif")
    np.testing.assert_allclose(again.positions, water.positions)
    assert isotopes_of(again).tolist() == [18, 2, 0]
    assert not again.pbc.any()
    assert again.cell.rank == 0
    for pbc, cell in (([1, 1, 0], [5, 5, 5]), ([0, 0, 0], [5, 5, 5]), ([1, 1, 0], [5, 5, 0])):
        with pytest.raises(ValueError, match=r"cannot hold pbc=\[.*crystals.*write .extxyz"):
            write(tmp_path / "b.cif", Atoms("Si", cell=cell, pbc=pbc))
    with pytest.raises(ValueError, match="X is no element"):
        write(tmp_path / "b.cif", Atoms("X", cell=[5, 5, 5], pbc=True))
    assert not (tmp_path / "b.cif").exists()


# -- what writers of CIF do ------------------------------------------------------------------------


def test_numbers_and_unknown_values(tmp_path: Path) -> None:
    rows = "Si1 0.123(4) .25 -1.0e-1 ?\nO1 .5(10) 0.4 1.7 ."
    columns = "label fract_x fract_y fract_z occupancy"
    atoms = read_text(
        tmp_path, cif_text([6, "6.1(2)", 6.2, 90, 90, 90], rows, columns=columns, head=P1)
    )
    np.testing.assert_allclose(
        atoms.positions, np.array([[0.123, 0.25, -0.1], [0.5, 0.4, 1.7]]) * [6, 6.1, 6.2]
    )


def test_layout(tmp_path: Path) -> None:
    """Texts of several lines, comments, quotes, rows over lines, capitals, Latin-1, gzip."""
    text = cif_text(CUBE, "O1' .1 .2\n .3 # a comment\n\"O 2\" .4 .5 .6 'Si1' .7 .7 .7", head=P1)
    text = text.replace("_cell_length_a", "_CELL_LENGTH_A").replace("loop_", "LOOP_")
    more = "loop_\n_publ_author_name\n'M\xfcller, A.'\n_publ_section_title\n;\n_cell_length_a 5\n"
    more += "loop_\n;\n"
    data = ("# made by hand\n" + text + more).encode("latin-1")
    (tmp_path / "a.cif.gz").write_bytes(gzip.compress(data))
    (tmp_path / "a.cif").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    for name in ("a.cif.gz", "a.cif"):
        atoms = read(tmp_path / name)
        assert atoms.get_chemical_symbols() == ["O", "O", "Si"]
        np.testing.assert_allclose(
            atoms.get_scaled_positions(), [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7] * 3]
        )


def test_dummies_and_several_structures_are_said(tmp_path: Path) -> None:
    columns = "label type_symbol fract_x fract_y fract_z calc_flag"
    text = cif_text(CUBE, "O1 O .1 .1 .1 d\nCg1 C .5 .5 .5 dum", columns=columns, head=P1)
    with pytest.warns(UserWarning, match="leaves out dummies Cg1"):
        assert read_text(tmp_path, text).get_chemical_symbols() == ["O"]
    text = "data_head\n_journal_year 1999\n" + cif_text(CUBE, "O1 .1 .1 .1", head=P1)
    text += cif_text(CUBE, "Si1 .1 .1 .1", head=P1).replace("data_test", "data_last")
    with pytest.warns(UserWarning, match=r"has 2 frames, of which the last is read"):
        assert read_text(tmp_path, text).get_chemical_symbols() == ["Si"]
    assert [str(a.symbols) for a in read(tmp_path / "a.cif", index=":")] == ["O", "Si"]


GOOD = cif_text(CUBE, "Si1 .1 .1 .1\nO1 .3 .3 .3", head=P1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("data_test\n", "", "a.cif: expected a CIF, whose first entry is data_ .* in line 1"),
        ("O1 .3 .3 .3", "O1 .3 .3", "line 15: expected whole rows of the 4 columns of a loop"),
        ("O1 .3 .3 .3", "O1 .3 nan .3", "line 15: expected coordinates of O1, a number"),
        ("O1 .3 .3 .3", "O1 .3 1e400 .3", "line 15: expected coordinates of O1, a number"),
        ("O1 .3 .3 .3", "O1 .3 0,3 .3", "line 15: expected coordinates of O1, a number"),
        ("O1 .3 .3 .3", "O1 .3 .3(4 .3", "line 15: expected coordinates of O1, a number"),
        ("O1 .3 .3 .3", "O1 .3 ? .3", "line 15: expected coordinates of O1"),
        ("O1 .3 .3 .3", "Si1 .1 .1 .1", r"exceed 1 at Si1 \(Si 1, Si 1\); correct the file"),
        ("_cell_length_a 6", "_cell_length_a", "line 3: expected a value of _cell_length_a"),
        ("_cell_length_a 6", "_cell_length_a -6", "line 2: expected _cell_length_a between 0.1"),
        ("_cell_length_a 6", "_cell_length_a 6\n_cell_length_a 7", "line 3: .*_cell_length_a once"),
        ("_cell_angle_gamma 90\n", "", "data_test: expected _cell_angle_gamma, found none"),
        ("_cell_angle_gamma 90", "_cell_angle_gamma 190", "line 7: .*_gamma between 0 and 180°"),
        ("_cell_angle_beta 90\n_cell_angle_gamma 90",
         "_cell_angle_beta 30\n_cell_angle_gamma 150", "expected a cell with a volume"),
        ("_atom_site_fract_y\n", "", "line 14: expected whole rows of the 3 columns"),
        ("loop_\n", "", "line 10: expected a value of _atom_site_label"),
        ("O1 .3 .3 .3\n", ";\nO1 .3 .3 .3\n", "line 15: expected a text that ends with a line ';'"),
        ("fract", "frac", "expected atoms"),
    ],
)  # fmt: skip
def test_wrong_files(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert len(read_text(tmp_path, GOOD)) == 2
    assert old in GOOD
    with pytest.raises(
        ValueError, match=f"a.cif.*{message}" if "a.cif" not in message else message
    ):
        read_text(tmp_path, GOOD.replace(old, new))
