"""The structure viewer: controls, and the messages that go to the browser."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets as ipw
import numpy as np
import pytest
from glassnb_widgets import StructureViewer

import glassnb as gn


@pytest.fixture
def viewer() -> Any:
    atoms = gn.models.crystal("beta-cristobalite", repeat=2)
    atoms.rattle(0.05, seed=2)
    return StructureViewer(atoms, cutoff={("Si", "O"): 2.0})


def descendants(widget: ipw.Widget) -> Iterator[ipw.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from descendants(child)


def test_a_view_gets_the_script_and_the_whole_picture(viewer: Any, shown: Callable) -> None:
    browser = shown(viewer)
    browser.appear()
    script, whole = browser.messages
    assert "class Drawing" in script["args"][0]
    assert whole["args"] == ["this.glassnb?.draw(arguments[1])"]
    assert {m["methodName"] for m in browser.messages} == {"executeCode"}
    picture = whole["kwargs"]
    assert picture["whole"]
    assert picture["shown"] == list(range(192))
    assert len(picture["colours"]) == 192 + len(picture["bond_ends"])
    assert len(picture["cell"]) == 12
    assert picture["structure"]["names"][:1] == ["Si 0"]
    json.dumps(browser.messages)  # plain numbers and words only


def test_nothing_is_sent_before_there_is_a_view() -> None:
    viewer = StructureViewer(gn.models.crystal("alpha-quartz"))
    sent: list[Any] = []
    viewer._canvas.widget.send = sent.append
    viewer.model.colour_by = "z (Å)"
    assert sent == []
    viewer.close()


def test_controls_send_only_what_changes(viewer: Any, shown: Callable) -> None:
    browser = shown(viewer)
    viewer.colour_by.value = "z (Å)"
    viewer.colour_map.value = "cividis"
    viewer.range.value = (0.0, 5.0)
    assert browser.drawn == [{"colours"}] * 3
    browser.messages.clear()
    viewer.hide_unselected.value = True
    assert browser.drawn == [{"shown", "bond_ends"}]
    browser.messages.clear()
    viewer.show_bonds.value = False
    viewer.show_cell.value = False
    viewer.polyhedra.value = "Si"
    assert browser.drawn == [{"bonds"}, {"cell"}, {"polyhedra"}]
    assert browser.last("bonds") is False
    assert browser.last("cell") is None


def test_polyhedra_are_four_triangles_for_each_silicon(viewer: Any, shown: Callable) -> None:
    browser = shown(viewer)
    viewer.polyhedra.value = "Si"
    sent = browser.last("polyhedra")
    assert len(sent["centres"]) == 4 * 64
    assert len(sent["corners"]) == 9 * 4 * 64
    viewer.polyhedra.value = ""
    assert browser.last("polyhedra") is None


def test_slider_and_boxes_select(viewer: Any, shown: Callable) -> None:
    shown(viewer)
    assert viewer.range.disabled
    viewer.colour_by.value = "x (Å)"
    x = viewer.model.structure.positions[:, 0]
    assert not viewer.range.disabled
    assert (viewer.range.min, viewer.range.max) == (x.min(), x.max())
    viewer.range.value = (2.0, 6.0)
    inside = ((x >= 2) & (x <= 6)).sum()
    assert viewer.status.value.endswith(f"selected {inside}")
    assert (viewer.low.value, viewer.high.value) == (2.0, 6.0)
    viewer.low.value = 4.0
    assert viewer.model.selection == viewer.range.value == (4.0, 6.0)
    viewer.high.value = 3.0  # crosses the other end
    assert viewer.model.selection == (3.0, 3.0)
    viewer.colour_by.value = "bonds per atom"
    assert viewer.range.step == 1
    assert viewer.range.value == viewer.model.limits
    viewer.colour_by.value = "species"
    assert viewer.range.disabled
    assert viewer.status.value == "192 atoms, 256 bonds, selected 192"


def test_species_are_hidden_and_shown(viewer: Any, shown: Callable) -> None:
    browser = shown(viewer)
    silicon, oxygen = viewer.species.children
    assert (silicon.description, oxygen.description) == ("Si", "O")
    oxygen.value = False
    assert viewer.status.value == "192 atoms, 256 bonds, selected 64, hidden 128"
    symbols = np.asarray(viewer.model.structure.symbols)
    assert browser.last("shown") == np.flatnonzero(symbols == "Si").tolist()
    assert browser.last("bond_ends") == []
    viewer.model.hidden = ()
    assert oxygen.value


def test_legend_shows_names_counts_and_range(viewer: Any, shown: Callable) -> None:
    shown(viewer)
    assert "Si (64)" in viewer.legend.value
    viewer.colour_by.value = "bonds per atom"
    assert "2 (128)" in viewer.legend.value
    assert "4 (64)" in viewer.legend.value
    viewer.colour_by.value = "z (Å)"
    low, high = viewer.model.limits
    assert "linear-gradient" in viewer.legend.value
    assert f"{low:.4g}" in viewer.legend.value
    assert f"{high:.4g}" in viewer.legend.value
    viewer.range.value = (2.0, 6.0)
    viewer.stretch.value = True
    assert "<span>2</span>" in viewer.legend.value
    assert "<span>6</span>" in viewer.legend.value


def test_clicks_and_typed_indices_measure(viewer: Any, shown: Callable) -> None:
    browser = shown(viewer)
    atoms = viewer.model.structure
    for k in (4, 100):
        viewer._canvas.widget.set_state({"picked": {}})
        viewer._canvas.widget.set_state({"picked": {"atom1": {"index": k}, "component": 0}})
    assert viewer.atoms_to_measure.value == "4, 100"
    assert f"{atoms.get_distance(4, 100, mic=True):.3f} Å" in viewer.measurement.value
    marks = browser.last("marks")
    assert len(marks["spheres"]) == 2
    start, end = np.array(marks["lines"][0])
    assert np.linalg.norm(end - start) == pytest.approx(
        atoms.get_distance(4, 100, mic=True), abs=1e-3
    )
    viewer.atoms_to_measure.value = "4 100, 7"
    assert f"{atoms.get_angle(4, 100, 7, mic=True):.2f}°" in viewer.measurement.value
    viewer.atoms_to_measure.value = "4, 1000"
    assert "there is no atom 1000" in viewer.measurement.value
    viewer.atoms_to_measure.value = "four"
    assert "four" in viewer.measurement.value
    assert viewer.model.picked == (4, 100, 7)
    viewer.clear.click()
    assert viewer.atoms_to_measure.value == ""
    assert browser.last("marks") is None


def test_a_picked_bond_measures_nothing(viewer: Any, shown: Callable) -> None:
    shown(viewer)
    bond = {"bond": {}, "atom1": {"index": 1}, "atom2": {"index": 2}}
    viewer._canvas.widget.set_state({"picked": bond})
    assert viewer.model.picked == ()


def test_table_holds_the_selected_atoms(viewer: Any, shown: Callable) -> None:
    shown(viewer)
    assert "The first 100 of 192 atoms" in viewer.table.value
    viewer.colour_by.value = "z (Å)"
    viewer.range.value = (0.0, 1.0)
    frame = viewer.selected_frame()
    assert (frame["z (Å)"] <= 1).all()
    assert len(frame) == viewer.model.selected.sum()
    assert viewer.table.value.count("<tr") == len(frame) + 2
    assert "The first" not in viewer.table.value


def test_a_given_array_colours(shown: Callable) -> None:
    atoms = gn.models.crystal("alpha-quartz")
    viewer = StructureViewer(atoms, np.arange(9), colour_map="magma", polyhedra="Si")
    browser = shown(viewer)
    assert viewer.colour_by.value == "given number"
    assert viewer.colour_map.value == "magma"
    assert viewer.polyhedra.value == "Si"
    viewer.add_number("charge (e)", np.arange(9) ** 2)
    assert viewer.colour_by.value == viewer.model.colour_by == "charge (e)"
    assert "charge (e)" in viewer.legend.value
    assert browser.drawn[-1] == {"colours"}


def test_another_structure_in_the_same_view(viewer: Any, shown: Callable) -> None:
    browser = shown(viewer)
    viewer.colour_by.value = "z (Å)"
    browser.messages.clear()
    viewer.set_atoms(gn.models.crystal("alpha-quartz"))
    assert viewer.status.value == "9 atoms, 12 bonds, selected 9"
    assert viewer.colour_by.value == "z (Å)"
    sent = next(m["kwargs"] for m in browser.messages if "structure" in m["kwargs"])
    assert sent["fit"]
    assert len(sent["structure"]["names"]) == 9
    # No message speaks of the new atoms before the browser has them.
    first = next(k for k, m in enumerate(browser.messages) if "structure" in m["kwargs"])
    assert first == 0
    assert viewer.range.max == viewer.model.limits[1]


def test_controls_have_names(viewer: Any, shown: Callable) -> None:
    """Every control says on the page what it is."""
    shown(viewer)
    kinds = (
        ipw.Dropdown, ipw.FloatRangeSlider, ipw.FloatText, ipw.Checkbox, ipw.Text, ipw.Button,
    )  # fmt: skip
    controls = [w for w in descendants(viewer) if isinstance(w, kinds)]
    assert len(controls) == 14
    assert all(w.description.strip() for w in controls)


def test_bad_arguments_are_named() -> None:
    atoms = gn.models.crystal("alpha-quartz")
    with pytest.raises(ValueError, match="colour_by='charge': must be species"):
        StructureViewer(atoms, "charge")
    with pytest.raises(ValueError, match="given number: shape"):
        StructureViewer(atoms, [1.0, 2.0])
    with pytest.raises(ValueError, match="colour_map='jet': must be one of viridis"):
        StructureViewer(atoms, colour_map="jet")
    with pytest.raises(ValueError, match="polyhedra='Ge': must be one of Si, O"):
        StructureViewer(atoms, polyhedra="Ge")


def test_no_thread_is_left() -> None:
    """Nglview starts two for each widget, which poll for ever."""
    before = set(threading.enumerate())
    viewer = StructureViewer(gn.models.crystal("alpha-quartz"))
    viewer._canvas.widget.background = "black"  # nglview's own calls still work
    assert set(threading.enumerate()) <= before
    viewer.close()
