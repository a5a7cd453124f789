"""Sites that are not full: refused, filled, or drawn as an ordered structure."""

import itertools
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.units import _amu
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from test_cif import cif_text, symbol

from glassnb.core.files import read, write
from glassnb.core.formats.drawing import numbers
from glassnb.core.formats.occupancy import closest
from glassnb.core.isotopes import isotopes_of

COLUMNS = "label type_symbol fract_x fract_y fract_z occupancy"
CUBE = [7.16, 7.16, 7.16, 90, 90, 90]
# Disordered beta-cristobalite: each oxygen on six places around the middle of Si-Si.
CRISTOBALITE = cif_text(
    CUBE, "Si1 Si 0 0 0 1\nO1 O .165 .125 .085 .16667", columns=COLUMNS, head=symbol("F d -3 m :1")
)
# A site shared by Si and Al, and one of Na that is half empty: Na Al Si ... without charge.
FELDSPAR = cif_text(
    [5, 5.5, 6, 90, 90, 90],
    "T1 Si 0 0 0 .5\nT2 Al 0 0 0 .5\nO1 O .5 .5 .5 1\nNa1 Na .5 0 0 .5",
    columns=COLUMNS,
    head=symbol("P 1"),
)


@pytest.fixture
def cristobalite(tmp_path: Path) -> Path:
    (tmp_path / "cristobalite.cif").write_text(CRISTOBALITE)
    return tmp_path / "cristobalite.cif"


@pytest.fixture
def feldspar(tmp_path: Path) -> Path:
    (tmp_path / "feldspar.cif").write_text(FELDSPAR)
    return tmp_path / "feldspar.cif"


def density(atoms: Atoms) -> float:
    return float(atoms.get_masses().sum() * _amu * 1e3 / (atoms.get_volume() * 1e-24))


def shortest(atoms: Atoms, element: str) -> float:
    """Shortest distance between atoms of an element, over 27 images: a plain loop."""
    places = atoms.positions[atoms.symbols == element]
    best = np.inf
    for i, a in enumerate(places):
        for j, b in enumerate(places):
            for shift in itertools.product((-1, 0, 1), repeat=3):
                if i != j or any(shift):
                    best = min(best, float(np.linalg.norm(b + shift @ atoms.cell.array - a)))
    return best


# -- error and ignore ------------------------------------------------------------------------------


def test_the_error_names_sites_fractions_and_choices(cristobalite: Path, feldspar: Path) -> None:
    with pytest.raises(
        ValueError, match=r"cristobalite\.cif: .*: O1 \(O 0\.1667\)\. Pass"
    ) as error:
        read(cristobalite)
    assert "occupancy='sample'" in str(error.value)
    assert "occupancy='ignore'" in str(error.value)
    with pytest.raises(ValueError, match=r"T1/T2 \(Si 0\.5, Al 0\.5\), Na1 \(Na 0\.5\)"):
        read(feldspar)


def test_ignore_fills_every_site_with_its_main_species(cristobalite: Path, feldspar: Path) -> None:
    with pytest.warns(UserWarning, match=r"O1 \(O 0\.1667\).*O96Si8 of 7\.96 g/cm³") as caught:
        atoms = read(cristobalite, occupancy="ignore")
    assert caught[0].filename == __file__
    assert atoms.symbols.formula.count() == {"Si": 8, "O": 96}
    text = (
        feldspar.read_text()
        .replace("Al 0 0 0 .5", "Al 0 0 0 .7")
        .replace("Si 0 0 0 .5", "Si 0 0 0 .3")
    )
    feldspar.write_text(text.replace("Na .5 0 0 .5", "Na .5 0 0 0"))
    with pytest.warns(UserWarning, match=r"T1/T2 \(Si 0\.3, Al 0\.7\)"):
        assert read(feldspar, occupancy="ignore").get_chemical_symbols() == ["Al", "O"]


@pytest.mark.parametrize(
    ("rows", "symbols"),
    [("Fe1 Fe2+ 0 0 0 .33\nFe2 Fe3+ 0 0 0 .67", ["Fe"]), ("O1 O 0 0 0 0.995(8)", ["O"]),
     ("O1 O 0 0 0 1.002", ["O"]), ("O1 O 0 0 0 .\nSi1 Si .5 .5 .5 ?", ["O", "Si"])],
)  # fmt: skip
def test_sites_that_are_full(tmp_path: Path, rows: str, symbols: list[str]) -> None:
    (tmp_path / "a.cif").write_text(cif_text(CUBE, rows, columns=COLUMNS, head=symbol("P 1")))
    for occupancy in ("error", "ignore", "sample"):
        atoms = read(tmp_path / "a.cif", occupancy=occupancy)
        assert sorted(set(atoms.get_chemical_symbols())) == symbols
        assert len(set(map(tuple, atoms.positions.round(3)))) == len(symbols)


def test_ions_of_one_element_fill_a_site_once(tmp_path: Path) -> None:
    rows = "Fe1 Fe2+ 0 0 0 .33\nFe2 Fe3+ 0 0 0 .67"
    (tmp_path / "a.cif").write_text(cif_text(CUBE, rows, columns=COLUMNS, head=symbol("P 1")))
    assert read(tmp_path / "a.cif").get_chemical_symbols() == ["Fe"]


def test_fractions_above_one(tmp_path: Path) -> None:
    rows = "Si1 Si 0 0 0 .8\nAl1 Al 0 0 0 .3"
    (tmp_path / "a.cif").write_text(cif_text(CUBE, rows, columns=COLUMNS, head=symbol("P 1")))
    for occupancy in ("error", "sample"):
        with pytest.raises(ValueError, match=r"exceed 1 at Si1/Al1 \(Si 0\.8, Al 0\.3\); correct"):
            read(tmp_path / "a.cif", occupancy=occupancy)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"occupancy": "all"}, "occupancy='all': must be one of 'error', 'ignore', 'sample'"),
     ({"repeat": 2}, "occupancy='error': minimum_distance and repeat .* pass occupancy='sample'"),
     ({"occupancy": "ignore", "minimum_distance": 1.0}, "occupancy='ignore': minimum_distance"),
     ({"occupancy": "sample", "repeat": (2, 0, 1)}, r"repeat=\(2, 0, 1\): must be a whole number"),
     ({"occupancy": "sample", "repeat": 1.5}, r"repeat=1\.5: must be a whole number"),
     ({"occupancy": "sample", "minimum_distance": -1}, "minimum_distance=-1: must be a distance"),
     ({"occupancy": "sample", "minimum_distance": np.nan}, "minimum_distance=nan: must be a dist")],
)  # fmt: skip
def test_wrong_arguments(cristobalite: Path, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(cristobalite, **options)


def test_a_molecule_has_no_cell_to_repeat(tmp_path: Path) -> None:
    write(tmp_path / "a.cif", Atoms("SiO", [[0, 0, 0], [1.6, 0, 0]]))
    with pytest.raises(ValueError, match=r"repeat=2: .*a\.cif has no cell to repeat"):
        read(tmp_path / "a.cif", occupancy="sample", repeat=2)


# -- sample ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("repeat", [1, (1, 2, 1)])
@pytest.mark.parametrize("minimum_distance", [None, 1.0, 2.2])
def test_split_sites_of_cristobalite(
    cristobalite: Path, repeat: int, minimum_distance: float | None
) -> None:
    """One oxygen on each bridge: 2.17 g/cm3, four oxygen around each silicon, none close."""
    atoms = read(
        cristobalite, occupancy="sample", repeat=repeat, minimum_distance=minimum_distance, seed=4
    )
    cells = int(np.prod(repeat))
    assert atoms.symbols.formula.count() == {"Si": 8 * cells, "O": 16 * cells}
    assert density(atoms) == pytest.approx(2.174, abs=0.002)
    assert shortest(atoms, "O") >= (minimum_distance or 2.0)
    bonds = atoms.get_all_distances(mic=True)[atoms.symbols == "Si"][:, atoms.symbols == "O"]
    # Si-O as drawn in one cell: from 0 0 0 to .165 .125 .085.
    assert bonds.min() == pytest.approx(7.16 * np.linalg.norm([0.165, 0.125, 0.085]))
    assert ((bonds < 2).sum(axis=1) == 4).all()
    assert atoms.info["disorder"]["composition"] == {"Si": 8 * cells, "O": 16 * cells}


def test_places_are_random_and_follow_the_seed(cristobalite: Path) -> None:
    drawn = [read(cristobalite, occupancy="sample", seed=seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    # In 54 cells each of the 96 places is taken 1 time in 6: binomial, 4.5 sigma.
    taken: dict[tuple[int, ...], int] = {}
    for seed in (2, 3):
        atoms = read(cristobalite, occupancy="sample", seed=seed, repeat=3)
        oxygen = atoms.positions[atoms.symbols == "O"] / 7.16
        for place in np.rint(oxygen * 200).astype(int):
            taken[tuple(place % 200)] = taken.get(tuple(place % 200), 0) + 1
    assert len(taken) <= 96
    counts = np.array([*taken.values(), *[0] * (96 - len(taken))])
    assert counts.sum() == 16 * 54
    assert np.abs(counts - 54 / 6).max() < 4.5 * np.sqrt(54 * (1 / 6) * (5 / 6))


def test_mixed_and_half_filled_sites_keep_their_numbers(feldspar: Path) -> None:
    """In a cell that holds whole numbers, each draw has them all, and no charge."""
    for seed in range(5):
        atoms = read(feldspar, occupancy="sample", repeat=(2, 2, 1), seed=seed)
        assert atoms.symbols.formula.count() == {"Si": 2, "Al": 2, "O": 4, "Na": 2}
    # Al on the site of Si asks for one Na: +1 +3 +4 do not change with the seed.
    assert density(atoms) == pytest.approx(
        (2 * 28.085 + 2 * 26.982 + 4 * 15.999 + 2 * 22.990) * _amu * 1e27 / (4 * 165), rel=1e-4
    )


@pytest.mark.filterwarnings("ignore:.*the composition drawn is off")
def test_fractions_are_right_on_average(feldspar: Path) -> None:
    """One cell holds one Na or none, and one of Si and Al: half of 24 seeds within 3 sigma."""
    drawn = [
        read(feldspar, occupancy="sample", seed=seed).get_chemical_symbols() for seed in range(24)
    ]
    for element in ("Na", "Al", "Si"):
        assert abs(sum(element in symbols for symbols in drawn) - 12) < 3 * np.sqrt(24 / 4)
    assert all(("Al" in symbols) != ("Si" in symbols) for symbols in drawn)


@hypothesis_settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=4), st.floats(0.1, 1), st.integers(1, 40))
def test_numbers_of_atoms(shares: list[float], total: float, n: int) -> None:
    """Either whole number around the wanted one, the mean over many draws right, sum in bounds."""
    fractions = np.array(shares) / sum(shares) * total
    rng = np.random.default_rng(0)
    drawn = np.array([numbers(fractions, n, rng) for _ in range(300)])
    wanted = fractions * n
    assert (np.abs(drawn - wanted) < 1).all()
    assert (drawn.sum(axis=1) <= n).all()
    # At most 1 % of rounding to the nearest, else 5 standard errors of a whole number.
    assert (np.abs(drawn.mean(axis=0) - wanted) <= 0.01 * wanted + 5 * 0.5 / np.sqrt(300)).all()


def test_the_repeat_that_is_named_comes_within_one_percent(tmp_path: Path) -> None:
    text = FELDSPAR.replace("Na .5 0 0 .5", "Na .5 0 0 .45").replace("Al 0 0 0 .5", "Al 0 0 0 .2")
    (tmp_path / "a.cif").write_text(text.replace("Si 0 0 0 .5", "Si 0 0 0 .8"))
    with pytest.warns(UserWarning, match=r"a\.cif: .* off by more than 1 %: .*Na ") as caught:
        read(tmp_path / "a.cif", occupancy="sample")
    assert caught[0].filename == __file__
    named = str(caught[0].message).split("repeat=(")[1].split(")")[0]
    repeat = tuple(int(word) for word in named.split(","))
    assert np.prod(repeat) == 20  # the smallest n for which 0.45 n and 0.2 n are whole
    for seed in range(3):
        atoms = read(tmp_path / "a.cif", occupancy="sample", repeat=repeat, seed=seed)
        assert atoms.symbols.formula.count() == {"Si": 16, "Al": 4, "O": 20, "Na": 9}
    assert atoms.info["disorder"]["wanted"] == {"O": 20, "Na": 9, "Al": 4, "Si": 16}


def test_a_distance_that_cannot_be_kept_is_said(cristobalite: Path) -> None:
    with pytest.warns(UserWarning, match=r"atoms found no place; make minimum_distance smaller"):
        atoms = read(cristobalite, occupancy="sample", minimum_distance=3.5)
    assert shortest(atoms, "O") >= 3.5
    assert (atoms.symbols == "Si").sum() == 8  # full sites stay


def test_a_cell_smaller_than_the_distance(tmp_path: Path) -> None:
    """A place excludes its own image; a repeat does not help, and the atom is left out."""
    text = cif_text([1.5, 6, 6, 90, 90, 90], "Na1 Na 0 0 0 .5\nO1 O 0 .5 .5 1", columns=COLUMNS,
                    head=symbol("P 1"))  # fmt: skip
    (tmp_path / "a.cif").write_text(text)
    atoms = read(tmp_path / "a.cif", occupancy="sample", repeat=(2, 1, 1))
    assert shortest(atoms, "Na") == pytest.approx(3.0)
    with pytest.warns(UserWarning, match="1 atoms found no place"):
        atoms = read(tmp_path / "a.cif", occupancy="sample", repeat=(1, 2, 1))
    assert "Na" not in atoms.get_chemical_symbols()


def test_default_distances_leave_bonds_alone() -> None:
    """Bonds of published lengths are allowed, split places and touching anions are not."""
    elements = ["H", "C", "N", "O", "Si", "P", "S"]
    numbers_of = dict(zip(elements, (1, 6, 7, 8, 14, 15, 16), strict=True))
    for pair, bond in {("H", "H"): 0.741, ("O", "H"): 0.958, ("C", "H"): 1.09, ("C", "C"): 1.203,
                       ("C", "O"): 1.163, ("N", "O"): 1.154, ("S", "O"): 1.43, ("P", "O"): 1.48,
                       ("Si", "O"): 1.58}.items():  # fmt: skip
        apart = closest(np.array([numbers_of[element] for element in pair]))
        assert 0.45 < apart[0, 1] < bond
    assert closest(np.array([8, 8]))[0, 1] == 2.0
    assert closest(np.array([55, 55]))[0, 1] == 2.0


def test_rows_in_another_order_and_moved(tmp_path: Path) -> None:
    """The numbers do not depend on the order of the sites, nor on where the origin is."""
    rows = ["Si1 Si {} .1 .2 .3", "Al1 Al {} .1 .2 .7", "O1 O .6 .6 .6 1", "Na1 Na .8 .1 .1 .5"]
    for order in itertools.islice(itertools.permutations(rows), 0, 24, 5):
        for x in (0.1, 0.97):
            text = cif_text([5, 6, 7, 80, 90, 100], "\n".join(order).format(x, x), columns=COLUMNS,
                            head=symbol("P -1"))  # fmt: skip
            (tmp_path / "a.cif").write_text(text)
            atoms = read(tmp_path / "a.cif", occupancy="sample", repeat=(5, 1, 1))
            assert atoms.symbols.formula.count() == {"Si": 3, "Al": 7, "O": 10, "Na": 5}


def test_isotopes_that_share_a_site(tmp_path: Path) -> None:
    text = cif_text(CUBE, "H1 H .1 .1 .1 .25\nD1 D .1 .1 .1 .75\nO1 O .2 .2 .2 1", columns=COLUMNS,
                    head=symbol("P 1"))  # fmt: skip
    (tmp_path / "a.cif").write_text(text)
    with pytest.raises(ValueError, match=r"H1/D1 \(H 0\.25, D 0\.75\)"):
        read(tmp_path / "a.cif")
    atoms = read(tmp_path / "a.cif", occupancy="sample", repeat=2)
    assert sorted(isotopes_of(atoms)[atoms.symbols == "H"].tolist()) == [0, 0, 2, 2, 2, 2, 2, 2]
    assert atoms.info["disorder"]["composition"] == {"H": 2, "D": 6, "O": 8}


def test_a_draw_is_an_ordinary_structure(cristobalite: Path, tmp_path: Path) -> None:
    atoms = read(cristobalite, occupancy="sample")
    assert set(atoms.arrays) == {"numbers", "positions", "spacegroup_kinds"}
    for name in ("a.extxyz", "a.cif", "a.vasp"):
        write(tmp_path / name, atoms)
        again = read(tmp_path / name)
        assert again.symbols.formula.count() == {"Si": 8, "O": 16}
    assert read(tmp_path / "a.cif").get_all_distances(mic=True) == pytest.approx(
        atoms.get_all_distances(mic=True), abs=1e-8
    )


# -- other formats ---------------------------------------------------------------------------------


def test_what_readers_of_ase_leave(feldspar: Path, tmp_path: Path) -> None:
    """Their CIF reader keeps one atom of a mixed site, and the fractions beside the structure."""
    theirs = ase.io.read(feldspar)
    for name in ("a.extxyz", "a.extxyz.gz"):
        ase.io.write(tmp_path / name, theirs)
        with pytest.raises(ValueError, match=r"Al 0\.5.*Na \(Na 0\.5\)"):
            read(tmp_path / name)
        atoms = read(tmp_path / name, occupancy="sample", repeat=(1, 2, 2))
        assert atoms.symbols.formula.count() == {"Si": 2, "Al": 2, "O": 4, "Na": 2}
        assert "occupancy" not in atoms.info
    ase.io.write(tmp_path / "a.traj", theirs)  # which loses the sites of the atoms
    with pytest.raises(ValueError, match=r"a\.traj: holds fractions .*'Al': 0\.5.*read the file"):
        read(tmp_path / "a.traj")


def test_protein_data_bank(tmp_path: Path) -> None:
    atoms = Atoms("SiO2", [[1, 1, 1], [2.6, 1, 1], [1, 2.6, 1]], cell=[6, 7, 8], pbc=True)
    ase.io.write(tmp_path / "a.pdb", atoms)
    assert len(read(tmp_path / "a.pdb")) == 3
    atoms.set_array("occupancy", np.array([1, 0.5, 0.5]))
    ase.io.write(tmp_path / "a.pdb", atoms)
    with pytest.raises(ValueError, match=r"O2 \(O 0\.5\), O3 \(O 0\.5\)"):
        read(tmp_path / "a.pdb")
    atoms.set_array("occupancy", np.zeros(3))
    ase.io.write(tmp_path / "a.pdb", atoms)
    with pytest.warns(UserWarning, match="gives no occupancy but 0"):
        assert len(read(tmp_path / "a.pdb")) == 3
    text = (tmp_path / "a.pdb").read_text().replace(" P 1", " P 21 21 21")
    (tmp_path / "a.pdb").write_text(text)
    with pytest.raises(ValueError, match=r"a\.pdb: states the space group 'P 21 21 21'.*to a CIF"):
        read(tmp_path / "a.pdb")


def test_shelx(tmp_path: Path) -> None:
    text = "TITL a\nCELL 1.0 5 6 7 90 90 90\nLATT -1\nSFAC Si Na\n"
    text += "Si 1 0 0 0 11.0\nNa 2 .5 .5 .5 0.5\nEND\n"
    (tmp_path / "a.res").write_text(text)
    with pytest.raises(ValueError, match=r"a\.res: .*Na2 \(Na 0\.5\)"):
        read(tmp_path / "a.res")
    (tmp_path / "a.res").write_text(text.replace(" 0.5\nEND", " 10.5\nEND"))
    atoms = read(tmp_path / "a.res", occupancy="sample", repeat=(2, 1, 1))
    assert atoms.symbols.formula.count() == {"Si": 2, "Na": 1}
    (tmp_path / "a.res").write_text(text.replace(" 0.5\nEND", " 11.0\nEND"))
    assert len(read(tmp_path / "a.res")) == 2
    for change in ("LATT 1", "LATT -1\nSYMM -x,-y,z"):
        (tmp_path / "a.res").write_text(text.replace("LATT -1", change))
        with pytest.raises(ValueError, match=r"a\.res: states symmetry \(LATT, SYMM\).*to a CIF"):
            read(tmp_path / "a.res")
