"""AtomEye configurations, against ASE's reader and by hand."""

from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms

from glassnb.core.files import read, write
from glassnb.core.isotopes import isotopes_of, set_isotopes

VECTORS = "".join(f"H0({i},{j}) = {5 * (i == j)} A\n" for i in (1, 2, 3) for j in (1, 2, 3))
EXTENDED = (
    f"# by hand\nNumber of particles = 3\nA = 1 Angstrom\n{VECTORS}.NO_VELOCITY.\n"
    "entry_count = 4\nauxiliary[0] = energy [eV]\n"
    "28.0855\nSi\n0 0 0 1\n15.9994\nO\n.5 .5 .5 2\n.25 0 0 3\n"
)
STANDARD = (
    f"Number of particles = 2\n{VECTORS}R = 1 [ps^-1]\n"
    "28.0855 Si 0 0 0 .1 .2 .3\n15.9994 O .5 .5 .5 0 0 0\n"
)


@pytest.mark.parametrize("moving", [False, True])
def test_as_ase_reads_them(tmp_path: Path, moving: bool) -> None:
    atoms = Atoms("OSi2O3", cell=[[5, 3, -1], [-2, 6, 1.5], [1, -0.5, 7]], pbc=True)
    rng = np.random.default_rng(0)
    atoms.set_scaled_positions(rng.random((6, 3)))
    atoms.set_array("dipole", rng.random((6, 3)))
    atoms.set_array("pair", rng.random((6, 2)))
    atoms.set_initial_charges(rng.random(6))
    set_isotopes(atoms, [18, 0, 0, 0, 0, 0])
    if moving:
        atoms.set_velocities(rng.random((6, 3)))
    path = tmp_path / "a.cfg"
    write(path, atoms, format="cfg")
    ours, theirs = read(path), ase.io.read(path, format="cfg")
    assert isotopes_of(ours).tolist() == [18, 0, 0, 0, 0, 0]
    assert ours.get_chemical_symbols() == atoms.get_chemical_symbols()
    np.testing.assert_allclose(ours.positions, atoms.positions, atol=1e-4)
    np.testing.assert_array_equal(ours.positions, theirs.positions)
    np.testing.assert_array_equal(ours.cell, theirs.cell)
    assert set(ours.arrays) == set(theirs.arrays)
    for name in {*theirs.arrays} - {"isotopes", "masses", "momenta"}:
        np.testing.assert_array_equal(ours.arrays[name], theirs.arrays[name])
    # of the heavy atom ASE has another velocity, as it learns its mass later
    np.testing.assert_allclose(ours.get_velocities()[1:], theirs.get_velocities()[1:])
    np.testing.assert_allclose(ours.get_velocities(), atoms.get_velocities(), atol=1e-5)


def test_masses_of_1_stand_for_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(EXTENDED.replace("28.0855", "1").replace("15.9994", "1.0"))
    atoms = read(tmp_path / "a")
    assert atoms.get_chemical_symbols() == ["Si", "O", "O"]
    np.testing.assert_allclose(atoms.get_masses(), [28.085, 15.999, 15.999])


@pytest.mark.parametrize("text", [EXTENDED, STANDARD])
def test_both_formats(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a"
    path.write_text(text)
    ours, theirs = read(path), ase.io.read(path, format="cfg")
    assert ours.get_chemical_symbols() == theirs.get_chemical_symbols()
    assert set(ours.arrays) == set(theirs.arrays)
    for name in theirs.arrays:
        np.testing.assert_allclose(ours.arrays[name], theirs.arrays[name])


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (EXTENDED, "Si\n", "", "line 17: expected a chemical element .not '0 0 0 1'"),
        (EXTENDED, "15.9994\n", "", "line 19: expected the positive mass of an element, not 'O'"),
        (EXTENDED, "15.9994\nO\n", "15.9994\n15.9994\n", "line 20: expected a chemical element"),
        (EXTENDED, "15.9994", "nan", "line 19: expected the positive mass .*not 'nan'"),
        (EXTENDED, ".5 .5 .5 2", ".5 .5 .5", "line 21: expected an atom .4 finite numbers."),
        (EXTENDED, ".5 .5 .5 2", ".5 .5 .5 inf", "line 21: expected an atom .4 finite numbers."),
        (EXTENDED, ".25 0 0 3\n", "", "line 21: expected 3 atoms, as the header says, not 2"),
        (EXTENDED, "= 4", "= 2", "entry_count, a whole number from 3 on"),
        (EXTENDED, "A = 1 Angstrom\n", "A = 1\nA = 1\n", "line 4: expected a key .*once"),
        (EXTENDED, "H0(2,2) = 5", "H0(2,2) =", "line 8: expected a key of the header|H0.2,2."),
        (EXTENDED, "H0(2,2)", "H0(2;2)", "line 8: expected a key of the header"),
        (EXTENDED, "auxiliary[0]", "auxiliary[1]", "1 auxiliary columns, .*without auxiliary.1."),
        (EXTENDED, "= energy", "= numbers", "names of auxiliary columns, .*without 'numbers'"),
        (EXTENDED, ".NO_V", "eta(1,1) = .1\n.NO_V", "no strain .eta = 0.: apply it to the cell"),
        (STANDARD, " .1 .2 .3", "", "line 12: expected an atom: mass, element, 3 coordinates"),
        (STANDARD, "15.9994 O", "O 15.9994", "line 13: expected a chemical element"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, old: str, new: str, message: str) -> None:
    path = tmp_path / "a.cfg"
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=r"a\.cfg, line \d+: ") as caught:
        read(path)
    caught.match(message)
