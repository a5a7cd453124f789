"""Crystals of silica against their published symmetry, density, bonds and database entries."""

from pathlib import Path

import numpy as np
import pytest
import spglib
from ase import Atoms
from ase.neighborlist import neighbor_list
from ase.units import _amu

from glassnb.core.files import read, write
from glassnb.models.crystals import crystal, crystals

# space group, formula units in the conventional cell, coordination of Si, density (g/cm3)
# Groups and densities: the entries of the American Mineralogist Crystal Structure Database for the
# refinements used; without an entry, Deer, Howie and Zussman, Rock-Forming Minerals (cristobalite
# 2.33, high cristobalite 2.17-2.20, high tridymite 2.18), and P. P. Keat, Science 120, 328 (1954).
PUBLISHED = {
    "alpha-quartz": (154, 3, 4, 2.646),
    "beta-quartz": (180, 3, 4, 2.537),
    "alpha-cristobalite": (92, 4, 4, 2.33),
    "beta-cristobalite": (227, 8, 4, 2.17),
    "beta-cristobalite-ordered": (122, 4, 4, 2.20),
    "tridymite": (194, 4, 4, 2.18),
    "coesite": (15, 16, 4, 2.921),
    "keatite": (96, 12, 4, 2.50),
    "moganite": (15, 12, 4, 2.625),
    "stishovite": (136, 2, 6, 4.281),
    "seifertite": (60, 4, 6, 4.295),
}

# Bond lengths that the papers print (Å), or the geometry of the ideal structures.
LENGTHS = {
    "alpha-quartz": (1.605, 1.614),  # Levien et al. 1980
    "alpha-cristobalite": (1.603, 1.603),  # Downs & Palmer 1994
    "beta-cristobalite": (7.166 * np.sqrt(3) / 8, 7.166 * np.sqrt(3) / 8),
    "coesite": (1.595, 1.620),  # Levien & Prewitt 1981
    "stishovite": (1.757, 1.813),  # Ross et al. 1990: four short, two long
}


def density(atoms: Atoms) -> float:
    """Mass density in g/cm3."""
    return float(atoms.get_masses().sum() * _amu * 1e3 / (atoms.get_volume() * 1e-24))


def silicon_oxygen(atoms: Atoms) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bonds shorter than 2 Å: silicon, oxygen, length."""
    i, j, length = neighbor_list("ijd", atoms, {("Si", "O"): 2.0})
    silicon = atoms.numbers[i] == 14
    return i[silicon], j[silicon], length[silicon]


def test_every_crystal_is_listed() -> None:
    assert set(crystals()) == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_symmetry_and_density(name: str) -> None:
    group, units, _, published = PUBLISHED[name]
    atoms = crystal(name)
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    assert spglib.get_symmetry_dataset(cell, symprec=1e-4).number == group
    assert atoms.info["space_group_number"] == group
    assert atoms.symbols.formula.count() == {"Si": units, "O": 2 * units}
    assert atoms.pbc.all()
    assert density(atoms) == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize("name", PUBLISHED)
def test_network(name: str) -> None:
    """Every Si has 4 (6) O at a bond length, every O has 2 (3) Si, and nothing else is near."""
    coordination = PUBLISHED[name][2]
    atoms = crystal(name)
    silicon, oxygen, lengths = silicon_oxygen(atoms)
    assert set(np.bincount(silicon, minlength=len(atoms))[atoms.numbers == 14]) == {coordination}
    assert set(np.bincount(oxygen, minlength=len(atoms))[atoms.numbers == 8]) == {coordination / 2}
    low, high = (1.74, 1.86) if coordination == 6 else (1.54, 1.64)
    assert low < lengths.min()
    assert lengths.max() < high
    assert len(neighbor_list("i", atoms, {("Si", "Si"): 2.2, ("O", "O"): 2.2})) == 0


@pytest.mark.parametrize("name", LENGTHS)
def test_bond_lengths(name: str) -> None:
    _, _, lengths = silicon_oxygen(crystal(name))
    np.testing.assert_allclose((lengths.min(), lengths.max()), LENGTHS[name], atol=1.5e-3)


def test_angles_of_cristobalite() -> None:
    """Si-O-Si of alpha-cristobalite is 146.5 degrees (Downs & Palmer 1994)."""
    atoms = crystal("alpha-cristobalite", repeat=2)
    silicon, oxygen, _ = silicon_oxygen(atoms)
    first, second = silicon[oxygen == 95]
    assert atoms.get_angle(first, 95, second, mic=True) == pytest.approx(146.5, abs=0.1)


@pytest.mark.parametrize(
    ("name", "entry"),
    [("alpha-quartz", "Quartz-alpha"), ("beta-quartz", "Quartz-beta"), ("coesite", "Coesite"),
     ("stishovite", "Stishovite"), ("seifertite", "Seifertite")],
)  # fmt: skip
def test_database_entries(shared_data: Path, name: str, entry: str) -> None:
    """Cell, density and all distances to 6 Å; the entry of coesite rounds to 4 decimals."""
    ours = crystal(name)
    theirs = read(shared_data / "rings" / f"amcsd_{entry}.cif")
    np.testing.assert_allclose(ours.cell.cellpar(), theirs.cell.cellpar(), atol=1e-9)
    assert density(ours) == pytest.approx(density(theirs), rel=1e-9)
    for pair in [("Si", "Si"), ("Si", "O"), ("O", "O")]:
        distances = [np.sort(neighbor_list("d", atoms, {pair: 6.0})) for atoms in (ours, theirs)]
        np.testing.assert_allclose(*distances, atol=1e-3 if name == "coesite" else 1e-4)


def test_repeat() -> None:
    one = crystal("coesite")
    many = crystal("coesite", repeat=(2, 1, 3))
    assert len(many) == 6 * len(one)
    np.testing.assert_allclose(many.cell.array, one.cell.array * [[2], [1], [3]])
    assert len(crystal("beta-cristobalite", repeat=2)) == 192
    assert density(many) == pytest.approx(density(one), rel=1e-12)


def test_info_survives_a_file(tmp_path: Path) -> None:
    atoms = crystal("alpha-quartz", repeat=2)
    assert atoms.info["name"] == "alpha-quartz"
    assert atoms.info["space_group"] == "P3_2 2 1"
    assert "Levien" in atoms.info["source"]
    write(tmp_path / "quartz.xyz", atoms)
    assert read(tmp_path / "quartz.xyz").info["source"] == atoms.info["source"]


def test_results_are_independent() -> None:
    changed = crystal("keatite")
    changed.info["source"] = changed.symbols[0] = "X"
    assert crystal("keatite").info["source"] != "X"
    assert crystal("keatite").symbols[0] == "Si"


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="name='quartz': must be one of alpha-quartz, .*tite"):
        crystal("quartz")
    for repeat in (0, -1, 1.5, (1, 2), (1, 2, 0), True, "221"):
        with pytest.raises(ValueError, match="repeat=.*positive whole number"):
            crystal("alpha-quartz", repeat=repeat)  # type: ignore[arg-type]
