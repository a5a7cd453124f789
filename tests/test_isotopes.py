"""Isotopes as a part of a structure."""

import numpy as np
import pytest
from ase import Atoms

from glassnb.core.isotopes import isotopes_of, parse_species, set_isotopes, species_label
from glassnb.core.structure import mass_density


def water() -> Atoms:
    return Atoms("OH2", [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]], cell=[3, 3, 3], pbc=True)


@pytest.mark.parametrize(
    ("label", "species"),
    [("Si", ("Si", 0)), ("D", ("H", 2)), ("T", ("H", 3)), ("Li-6", ("Li", 6)), ("6Li", ("Li", 6)),
     ("Ni-62", ("Ni", 62)), ("H-1", ("H", 1)), ("U-238", ("U", 238))],
)  # fmt: skip
def test_labels(label: str, species: tuple[str, int]) -> None:
    assert parse_species(label) == species
    assert parse_species(species_label(*species)) == species


@pytest.mark.parametrize(
    "label", ["", "Q", "Li-99", "Li6", "d", "Li-", "-6", "Xx-3", "Si 4", "H-0"]
)
def test_labels_that_mean_nothing(label: str) -> None:
    with pytest.raises(ValueError, match="species"):
        parse_species(label)


def test_isotopes_are_part_of_a_structure() -> None:
    atoms = water()
    assert isotopes_of(atoms).tolist() == [0, 0, 0]
    light = mass_density(atoms)
    set_isotopes(atoms, [0, 2, 2])
    # 2 x 2.01410 + 15.999 against 2 x 1.008 + 15.999 (standard atomic weights, AME 2020)
    assert mass_density(atoms) / light == pytest.approx(20.02720 / 18.015, rel=1e-6)
    turned = atoms[[2, 0, 1]].repeat((2, 1, 1))
    assert isotopes_of(turned).tolist() == [2, 0, 2] * 2
    set_isotopes(turned, 0)
    assert "isotopes" not in turned.arrays
    assert mass_density(turned) == pytest.approx(light)


def test_masses_of_others_stay() -> None:
    atoms = water()
    atoms.set_masses([16.5, 1.0, 1.0])
    set_isotopes(atoms, [0, 2, 0])
    assert atoms.get_masses() == pytest.approx([16.5, 2.0141, 1.0], abs=1e-4)
    set_isotopes(atoms, [0, 0, 0])
    assert atoms.get_masses() == pytest.approx([16.5, 1.008, 1.0])


def test_hydrogen_with_the_mass_of_deuterium_is_deuterium() -> None:
    atoms = water()
    atoms.set_masses([15.999, 2.014, 3.016])
    assert isotopes_of(atoms).tolist() == [0, 2, 3]
    atoms.set_masses([15.999, 3.024, 4.0])  # heavy hydrogen of a simulation is no isotope
    assert isotopes_of(atoms).tolist() == [0, 0, 0]


@pytest.mark.parametrize("numbers", [[0, 2], [0, 2, -1], [0, 2, 2.5], [0, 2, np.nan], [5, 0, 0]])
def test_wrong_isotopes_are_refused(numbers: list[float]) -> None:
    with pytest.raises(ValueError, match="mass_numbers|mass number|no such isotope"):
        set_isotopes(water(), numbers)


def test_an_isotope_of_another_element_is_found() -> None:
    atoms = water()
    set_isotopes(atoms, [0, 2, 2])
    atoms.symbols[1] = "Si"
    with pytest.raises(ValueError, match="Si-2: Si has no such isotope"):
        isotopes_of(atoms)
