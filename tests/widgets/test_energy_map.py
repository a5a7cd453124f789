"""The energy map without a browser: results, groups, selection, histograms, table, picture."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ase.io
import ipywidgets as ipw
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import molecule
from glassnb_widgets import EnergyMap
from glassnb_widgets.energy_environment import Environments
from glassnb_widgets.energy_model import EnergyModel
from glassnb_widgets.energy_plot import EnergyPlot
from glassnb_widgets.energy_results import AtomEnergies, calculate, difference
from glassnb_widgets.scene import Scene
from traitlets import TraitError

import glassnb as gn

CUTOFF = {("Si", "O"): 2.0}
WAIT = 60.0  # s
HARTREE = 27.211386  # eV, CODATA 2018 rounded


@pytest.fixture(scope="module")
def glass() -> Atoms:
    """Cristobalite of 24 atoms, one oxygen atom of which is missing."""
    atoms = gn.models.crystal("beta-cristobalite")
    del atoms[int(np.flatnonzero(atoms.symbols == "O")[3])]
    return atoms


def numbers_for(atoms: Atoms, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    silicon = np.asarray(atoms.symbols) == "Si"
    energies = np.where(silicon, -60.0, -92.0) + rng.normal(0, 0.4, len(atoms))
    return energies, np.where(silicon, 0.9, -0.45) + rng.normal(0, 0.05, len(atoms))


@pytest.fixture
def energy_map(glass: Atoms) -> EnergyMap:
    return EnergyMap(glass, *numbers_for(glass), cutoff=CUTOFF)


@pytest.fixture
def fake(glass: Atoms) -> Iterator[EnergyModel]:
    """A model whose calculation is quick, and divided results known to be off."""

    def calculation(atoms: Atoms, buffer: float | None, temperature: float, progress: Any) -> Any:
        energies, charges = numbers_for(atoms)
        progress(1, 200, "largest change 1e-4 e")
        if buffer is None:
            return AtomEnergies(energies, charges, gap=8.5)
        if buffer > 7:
            raise ValueError("buffer_radius=7.5: the gap closed")
        shift = np.tile([0.3, -0.1], len(atoms))[: len(atoms)] / buffer
        return AtomEnergies(energies + shift, charges + 0.01, gap=8.0, seconds=2.0)

    model = EnergyModel(glass, cutoff=CUTOFF, calculation=calculation)
    yield model
    model.stop()


def do(energy_map: EnergyMap, **event: Any) -> None:
    """Report, as the JavaScript of the histograms does, what was done there."""
    energy_map.plot._handle_custom_msg(event, [])


def descendants(widget: ipw.Widget) -> Iterator[ipw.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from descendants(child)


# -- results -------------------------------------------------------------------------------------


def test_numbers_are_those_of_the_calculator() -> None:
    """Undivided, and with a buffer larger than the molecule, which must change nothing.

    The charges of both are converged to 3e-6 e, of which energies of atoms may hold some eV times
    as much.
    """
    atoms = molecule("H2O")
    atoms.calc = gn.tightbinding.DCXTB()
    model = EnergyModel(atoms)
    assert "press Calculate" in model.status
    assert not model.results
    model.calculate()
    model.wait(WAIT)
    assert model.error == ""
    assert model.result is not None
    assert model.result.energies == pytest.approx(atoms.get_potential_energies(), abs=1e-9)
    assert model.result.charges == pytest.approx(atoms.get_charges(), abs=1e-9)
    assert model.result.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
    assert model.result.gap == pytest.approx(atoms.calc.get_gap(), abs=1e-9)
    model.buffer = 8.0
    model.calculate()
    model.wait(WAIT)
    assert model.shown == 8.0
    divided = model.results_frame().loc["buffer of 8.0 Å"]
    assert abs(divided["error per atom (eV)"]) < 1e-8
    assert divided["largest of atoms (eV)"] < 1e-4
    assert divided["largest of charges (e)"] < 1e-5
    assert "held in the gap" in model.status
    assert "Γ" not in model.comparison  # a molecule has none


def test_crystal_of_nine_atoms_by_symmetry() -> None:
    """In quartz, all atoms of a species are alike: relative energies and charges are 0."""
    model = EnergyModel(gn.models.crystal("alpha-quartz"), cutoff=CUTOFF)
    model.calculate()
    model.wait(WAIT)
    assert model.error == ""
    assert model.numbers_of("relative energy") == pytest.approx(0, abs=1e-4)
    assert model.numbers_of("relative charge") == pytest.approx(0, abs=1e-5)
    assert model.groups.names == ("Si4", "O2")
    assert "atoms.cell: 4.26 Å wide" in model.note


def test_errors_in_both_units(fake: EnergyModel, glass: Atoms) -> None:
    fake.calculate()
    fake.wait(WAIT)
    assert fake.available == ["relative energy", "charge", "relative charge"]
    fake.buffer = 5.0
    assert "press Calculate" in fake.note
    assert "Shown below: undivided" in fake.note
    assert fake.shown is None
    fake.calculate()
    fake.wait(WAIT)
    assert (fake.shown, fake.note) == (5.0, "")
    apart = np.tile([0.06, -0.02], len(glass))[: len(glass)]
    row = fake.results_frame().loc["buffer of 5.0 Å"]
    assert row["error per atom (eV)"] == pytest.approx(apart.mean())
    assert row["error per atom (mEh)"] == pytest.approx(1000 * apart.mean() / HARTREE, rel=1e-5)
    assert row["rms of atoms (eV)"] == pytest.approx(np.sqrt((apart**2).mean()))
    assert row["largest of atoms (mEh)"] == pytest.approx(60 / HARTREE, rel=1e-5)
    assert row["largest of charges (e)"] == pytest.approx(0.01)
    assert np.isnan(fake.results_frame().loc["undivided", "error per atom (eV)"])
    assert "root mean square" in fake.comparison
    assert "Γ point" in fake.comparison  # 23 atoms
    fake.quantity = "error"
    assert fake.values == pytest.approx(1000 * apart)
    fake.buffer = None  # kept: shown at once, and errors make no sense here
    assert (fake.shown, fake.busy, fake.quantity) == (None, False, "relative energy")
    with pytest.raises(TraitError, match="'error': not known yet; calculate the undivided"):
        fake.quantity = "error"


def test_failures_are_said(fake: EnergyModel) -> None:
    fake.buffer = 7.5
    fake.calculate()
    fake.wait(WAIT)
    assert fake.error == "buffer_radius=7.5: the gap closed"
    assert fake.status == "The calculation failed."
    fake.buffer = None
    fake.calculate()
    fake.wait(WAIT)
    assert fake.error == ""
    assert fake.status.startswith("Shown: undivided")


def test_stop_keeps_what_was_there(glass: Atoms) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def calculation(atoms: Atoms, buffer: Any, temperature: float, progress: Any) -> Any:
        inside.set()
        go_on.wait(WAIT)
        progress(1, 200, "largest change 1 e")
        raise AssertionError("nobody gave up")

    model = EnergyModel(glass, *numbers_for(glass), cutoff=CUTOFF, calculation=calculation)
    model.buffer = 4.5
    model.calculate()
    assert inside.wait(WAIT)
    assert model.busy
    model.select([3])
    assert model.status.startswith("Calculating, buffer of 4.5 Å")  # not overwritten
    model.stop()
    assert "Giving up" in model.status
    go_on.set()
    model.wait(WAIT)
    assert (model.busy, model.error, model.shown) == (False, "", "given")
    assert model.status.startswith("Shown: given result")
    assert "press Calculate" in model.note


def test_too_large_to_be_undivided() -> None:
    atoms = gn.models.crystal("beta-cristobalite", repeat=4)
    with pytest.raises(ValueError, match="1536 atoms are too many to be solved undivided"):
        calculate(atoms, None, 300.0, lambda *_: None)


def test_bad_arguments_are_named(glass: Atoms) -> None:
    energies, charges = numbers_for(glass)
    with pytest.raises(ValueError, match=r"energies: shape \(22,\); give one number for each"):
        EnergyMap(glass, energies[1:])
    with pytest.raises(ValueError, match="charges: given without energies"):
        EnergyMap(glass, charges=charges)
    with pytest.raises(ValueError, match="charges: 23 numbers are not finite"):
        EnergyMap(glass, energies, charges * np.nan)
    with pytest.raises(ValueError, match="electronic_temperature=-1: must be"):
        EnergyMap(glass, electronic_temperature=-1)
    made = EnergyMap(glass, energies)
    with pytest.raises(ValueError, match="buffer=3.0: must be None"):
        made.calculate(3.0)
    made.close()


def test_difference_of_equals_is_nothing(glass: Atoms) -> None:
    result = AtomEnergies(*numbers_for(glass))
    same = difference(result, result)
    assert (same.per_atom, same.rms, same.largest, same.charge) == (0, 0, 0, 0)


# -- environments --------------------------------------------------------------------------------


def test_a_missing_oxygen_makes_two_silicon_atoms_threefold(energy_map: EnergyMap) -> None:
    groups = energy_map.model.groups
    counts = dict(zip(groups.names, groups.counts.tolist(), strict=True))
    assert counts == {"Si3": 2, "Si4": 6, "O2": 15}
    colours = dict(zip(groups.names, groups.colours, strict=True))
    assert colours["Si4"] == colours["O2"] != colours["Si3"]  # the most frequent ones


def test_smallest_rings_of_crystals() -> None:
    """Silicon is in rings of 6 in cristobalite and quartz, of 4 in coesite.

    The smallest of the rings that ``test_rings.py`` expects of them (SOVA, matscipy).
    """
    for name, ring in (("beta-cristobalite", 6), ("alpha-quartz", 6), ("coesite", 4)):
        atoms = gn.models.crystal(name, repeat=2)
        around = Environments(Scene(atoms, CUTOFF))
        silicon = np.asarray(atoms.symbols) == "Si"
        assert set(around.smallest_rings[silicon].tolist()) == {ring}
        assert around.name_of(int(silicon.argmax())) == f"Si4 in {ring}-ring"


def test_groups_by_species_and_ring(energy_map: EnergyMap) -> None:
    energy_map.grouping.value = "species"
    assert energy_map.model.groups.names == ("Si", "O")
    assert [len(p["groups"]) for p in energy_map.plot.about["panels"]] == [1, 1]
    energy_map.grouping.value = "ring"
    assert "Si4 in 6-ring" in energy_map.model.groups.names


def test_a_molecule_without_rings() -> None:
    model = EnergyModel(molecule("H2O"), [-100.0, -25.0, -25.0])
    model.grouping = "ring"
    assert model.groups.names == ("O2, no ring", "H1, no ring")
    assert model.environments.smallest_rings.tolist() == [0, 0, 0]
    assert model.available == ["relative energy"]  # without charges


# -- histograms and selection --------------------------------------------------------------------


def test_histograms_count_every_atom(energy_map: EnergyMap, glass: Atoms, shown: Callable) -> None:
    shown(energy_map)
    energies, charges = numbers_for(glass)
    symbols = np.asarray(glass.symbols)
    for quantity, values in (("relative energy", energies), ("charge", charges)):
        energy_map.quantity.value = quantity
        for panel in energy_map.plot.about["panels"]:
            own = values[symbols == panel["symbol"]]
            if quantity == "relative energy":
                own = own - own.mean()
            counts = np.sum([group["counts"] for group in panel["groups"]], axis=0)
            assert counts.tolist() == np.histogram(own, panel["edges"])[0].tolist()
    json.dumps([energy_map.plot.about, energy_map.plot.selection])


def test_a_bar_selects_its_atoms_and_the_next_click_all(
    energy_map: EnergyMap, glass: Atoms, shown: Callable
) -> None:
    browser = shown(energy_map)
    model, panel = energy_map.model, energy_map.plot.about["panels"][1]
    assert panel["symbol"] == "O"
    values = model.numbers_of("relative energy")
    oxygen = np.flatnonzero(np.asarray(glass.symbols) == "O")
    highest = int(oxygen[values[oxygen].argmax()])
    do(energy_map, kind="point", map=1, x=float(values[highest]), y=0.5, add=False)
    edges = panel["edges"]
    expected = [k for k in oxygen.tolist() if values[k] >= edges[-2]]
    assert sorted(energy_map.selected.tolist()) == expected
    assert energy_map.current == highest
    assert energy_map.plot.selection["current"] == [1, pytest.approx(values[highest])]
    assert np.sum(energy_map.plot.selection["chosen"][1]) == len(expected)
    assert np.sum(energy_map.plot.selection["chosen"][0]) == 0
    grey = [k for k, colour in enumerate(browser.last("colours")[:23]) if colour == 0xDBDBDB]
    assert grey == [k for k in range(23) if k not in expected]
    assert [row[0] for row in energy_map.table.rows] == energy_map.selected.tolist()
    do(energy_map, kind="point", map=1, x=float(values[highest]), y=0.5, add=False)
    assert energy_map.selected.size == 23


def test_a_region_and_a_group(energy_map: EnergyMap, glass: Atoms, shown: Callable) -> None:
    shown(energy_map)
    values = energy_map.model.numbers_of("relative energy")
    silicon = np.asarray(glass.symbols) == "Si"
    do(energy_map, kind="region", map=0, x=[-0.2, 0.5], y=[0, 1], add=False)
    inside = silicon & (values >= -0.2) & (values <= 0.5)
    assert 0 < inside.sum() < 8
    assert np.array_equal(energy_map.model.chosen, inside)
    threefold = energy_map.model.groups.names.index("Si3")
    do(energy_map, kind="group", group=threefold, add=False)
    assert energy_map.group.label == "Si3 (2)"
    assert energy_map.selected.size == 2
    assert energy_map.atoms.value == ", ".join(map(str, energy_map.selected))
    do(energy_map, kind="group", group=energy_map.model.groups.names.index("O2"), add=True)
    assert energy_map.selected.size == 17
    assert energy_map.group.label == "(as clicked)"
    do(energy_map, kind="group", group=threefold, add=True)
    assert energy_map.selected.size == 15
    do(energy_map, kind="clear")
    assert (energy_map.selected.size, energy_map.group.label) == (23, "all")
    energy_map.group.value = threefold
    assert energy_map.selected.size == 2


def test_atoms_are_clicked_in_the_structure_and_in_the_table(
    energy_map: EnergyMap, shown: Callable
) -> None:
    browser = shown(energy_map)
    pick = energy_map._canvas.widget.set_state

    def click(atom: int) -> None:
        pick({"picked": {}})
        pick({"picked": {"atom1": {"index": atom}, "component": 0}})

    click(5)
    assert energy_map.selected.tolist() == [5]
    assert energy_map.table.current == 5
    place = energy_map.model.scene.structure.positions[5]
    assert browser.last("marks")["spheres"][0][0] == pytest.approx(place, abs=1e-3)
    energy_map.add.value = True
    click(7)
    assert sorted(energy_map.selected.tolist()) == [5, 7]
    assert energy_map.current == 7
    energy_map.add.value = False
    energy_map.table._handle_custom_msg({"kind": "row", "atom": 5}, [])
    assert energy_map.current == 5
    assert energy_map.selected.size == 2
    browser.messages.clear()
    energy_map.steps.next.click()
    assert energy_map.current == 7
    assert browser.drawn == [{"marks"}]  # nothing else is sent
    energy_map.table._handle_custom_msg({"kind": "row", "atom": 7, "add": True}, [])
    assert energy_map.selected.tolist() == [5]
    click(5)
    assert energy_map.selected.size == 23


def test_typed_atoms(energy_map: EnergyMap, shown: Callable) -> None:
    shown(energy_map)
    energy_map.atoms.value = "3, 4 8"
    assert sorted(energy_map.selected.tolist()) == [3, 4, 8]
    energy_map.atoms.value = "oxygen"
    assert "Atoms: &#x27;oxygen&#x27; is no index of an atom" in energy_map.error.value
    energy_map.atoms.value = "23"
    assert "there is no atom 23" in energy_map.error.value
    assert energy_map.selected.size == 3
    energy_map.atoms.value = ""
    assert energy_map.error.value == ""
    assert energy_map.selected.size == 23


def test_order(energy_map: EnergyMap, shown: Callable) -> None:
    shown(energy_map)
    values = energy_map.model.values
    assert energy_map.current == values.argmax()
    assert energy_map.selected.tolist() == np.argsort(-values).tolist()
    energy_map.order.value = "lowest"
    assert energy_map.selected.tolist() == np.argsort(values).tolist()
    energy_map.order.value = "index"
    assert energy_map.selected.tolist() == list(range(23))


# -- picture, words, tables ----------------------------------------------------------------------


def test_colours_are_those_of_the_bar(energy_map: EnergyMap, glass: Atoms, shown: Callable) -> None:
    browser = shown(energy_map)
    energy_map.hide.value = True
    energy_map.hide.value = False
    values = energy_map.model.values
    end = np.abs(values).max()
    assert energy_map.model.colour_limits == (-end, end)
    rgba = mpl.colormaps["RdYlBu_r"]((values + end) / (2 * end))
    red, green, blue = np.round(255 * rgba[:, :3]).astype(int).T
    browser.appear()
    assert browser.last("colours")[:23] == ((red << 16) + (green << 8) + blue).tolist()
    assert "energy – mean of the species (eV), given result" in energy_map.legend.value
    energy_map.quantity.value = "charge"
    _, charges = numbers_for(glass)
    assert energy_map.model.colour_limits == pytest.approx((charges.min(), charges.max()))
    energy_map.span.value = "most"
    assert energy_map.model.colour_limits[1] < charges.max()
    assert "≥ " in energy_map.legend.value


def test_others_can_be_hidden(energy_map: EnergyMap, shown: Callable) -> None:
    browser = shown(energy_map)
    energy_map.select([0, 9])
    energy_map.hide.value = True
    assert browser.last("shown") == [0, 9]
    energy_map.hide.value = False
    assert browser.last("shown") == list(range(23))


def test_tables_say_what_the_picture_says(
    energy_map: EnergyMap, glass: Atoms, shown: Callable
) -> None:
    shown(energy_map)
    energies, charges = numbers_for(glass)
    frame = energy_map.to_frame()
    assert frame["energy"].tolist() == energies.tolist()
    assert frame.groupby("species")["relative_energy"].mean().tolist() == pytest.approx([0, 0])
    assert frame["charge"].tolist() == charges.tolist()
    statistics = energy_map.model.statistics()
    threefold = frame[(frame["species"] == "Si") & (frame["coordination_number"] == 3)]
    assert statistics.loc["Si3", "mean"] == pytest.approx(threefold["relative_energy"].mean())
    assert statistics.loc["Si3", "largest"] == pytest.approx(threefold["relative_energy"].max())
    assert statistics["atoms"].sum() == 23
    assert f"{statistics.loc['Si3', 'mean']:.3f}" in energy_map.statistics.value
    assert energy_map.histograms.value.count("<table") == 2
    k = energy_map.current
    assert f"charge {charges[k]:+.3f} e" in energy_map.atom_words.value
    row = next(row for row in energy_map.table.rows if row[0] == k)
    assert row[1:3] == [str(k), glass.symbols[k]]
    assert f"{charges[k]:.3f}" in row


def test_long_tables_follow_the_atom() -> None:
    atoms = gn.models.crystal("beta-cristobalite", repeat=2)
    made = EnergyMap(atoms, np.arange(192.0), cutoff=CUTOFF)
    assert len(made.table.rows) == 100
    made.model.position = 150
    assert made.current in [row[0] for row in made.table.rows]
    assert "Atoms 101 to 192 of the 192" in made.table_note.value
    made.close()


def test_save(energy_map: EnergyMap, tmp_path: Path, shown: Callable) -> None:
    shown(energy_map)
    energy_map.file_name.value = str(tmp_path / "all.csv")
    energy_map.save_button.click()
    again = pd.read_csv(tmp_path / "all.csv", comment="#")
    assert again["energy"].to_numpy() == pytest.approx(energy_map.to_frame()["energy"], rel=1e-6)
    energy_map.select([1, 4])
    energy_map.what.value = True
    energy_map.file_name.value = str(tmp_path / "two.extxyz")
    energy_map.save_button.click()
    assert "Saved 2 atoms" in energy_map.status.value
    two = ase.io.read(tmp_path / "two.extxyz")
    wanted = energy_map.selected_frame()
    assert two.get_charges() == pytest.approx(wanted["charge"].to_numpy(), abs=1e-7)
    assert two.calc.results["energies"] == pytest.approx(wanted["energy"].to_numpy(), abs=1e-7)
    assert two.arrays["coordination_number"].tolist() == [
        energy_map.model.environments.coordination[k] for k in wanted.index
    ]
    energy_map.file_name.value = "energies.pdf"
    energy_map.save_button.click()
    assert "must end with .csv or .extxyz" in energy_map.error.value


def test_before_the_first_calculation(glass: Atoms, shown: Callable) -> None:
    """The structure is there in the colours of its species; buttons tell what can be done."""
    made = EnergyMap(glass, cutoff=CUTOFF)
    browser = shown(made)
    browser.appear()
    assert len(set(browser.last("colours")[:23])) == 2
    assert made.plot.about == {}
    assert "press Calculate" in made.status.value
    assert (made.calculate_button.disabled, made.stop_button.disabled) == (False, True)
    assert "Si (" not in made.legend.value
    made.model._calculation = lambda atoms, *_: AtomEnergies(*numbers_for(atoms))
    made.calculate_button.click()
    made.wait(WAIT)
    assert len(made.plot.about["panels"]) == 2
    assert made.buffer.label == "undivided"
    made.buffer.value = 3
    assert "press Calculate" in made.note.value
    made.calculate_button.click()
    made.wait(WAIT)
    assert "error of energy (meV)" in dict(made.quantity.options)
    assert made.results.value.count("<th>") == 3
    assert "root mean square" in made.comparison.value


def test_what_is_sent_stays_small(shown: Callable) -> None:
    atoms = gn.models.crystal("beta-cristobalite", repeat=5)
    rng = np.random.default_rng(0)
    made = EnergyMap(atoms, rng.normal(size=len(atoms)), cutoff=CUTOFF)
    browser = shown(made)
    assert len(json.dumps([made.plot.about, made.plot.selection])) < 20_000
    do(made, kind="region", map=1, x=[1.0, 2.0], y=[0, 1], add=False)
    made.steps.next.click()
    assert len(json.dumps(made.table.rows)) < 20_000
    assert len(json.dumps(browser.messages[-1])) < 1_000


def test_a_histogram_of_equal_numbers() -> None:
    plot = EnergyPlot(lambda event: None)
    around = Environments(Scene(gn.models.crystal("alpha-quartz"), CUTOFF))
    plot.show(np.zeros(9), around.symbols, around.species, around.groups("species"), "energy (eV)")
    assert [np.sum(panel["groups"][0]["counts"]) for panel in plot.about["panels"]] == [3, 6]
    plot.close()


def test_controls_have_names(energy_map: EnergyMap, shown: Callable) -> None:
    shown(energy_map)
    kinds = (
        ipw.Dropdown, ipw.SelectionSlider, ipw.IntSlider, ipw.Checkbox, ipw.Text, ipw.Button,
    )  # fmt: skip
    controls = [w for w in descendants(energy_map) if isinstance(w, kinds)]
    assert len(controls) == 18
    assert all(w.description.strip() for w in controls)
