"""The ring inspector: plots, controls, and the messages that go to the browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import ipywidgets as ipw
import numpy as np
import pytest
from glassnb_widgets import RingInspector
from glassnb_widgets.ring_plot import POINTS, RingPlot

import glassnb as gn
from glassnb.network import Rings, king_rings, ring_shape

CUTOFF = {("Si", "O"): 2.0}
WAIT = 60.0  # s


@pytest.fixture(scope="module")
def rings() -> Rings:
    atoms = gn.models.crystal("alpha-quartz", repeat=3)
    atoms.rattle(0.06, seed=4)
    return king_rings(atoms, cutoff=CUTOFF)


@pytest.fixture(scope="module")
def many(rings: Rings) -> Rings:
    """More than a hundred thousand rings: the same ones again and again."""
    times = 100_000 // len(rings) + 1
    sizes = np.tile(rings.sizes, times)
    return replace(
        rings,
        offsets=np.concatenate([[0], np.cumsum(sizes)]),
        indices=np.tile(rings.indices, times),
        images=np.tile(rings.images, (times, 1)),
    )


@pytest.fixture
def inspector(rings: Rings) -> RingInspector:
    return RingInspector(rings.atoms, rings)


def descendants(widget: ipw.Widget) -> Iterator[ipw.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from descendants(child)


def do(inspector: RingInspector, **event: Any) -> None:
    """Report, as the JavaScript of the plots does, what was done there."""
    inspector.plot._handle_custom_msg(event, [])


def floats(data: bytes) -> np.ndarray:
    return np.frombuffer(data, "<f4")


# -- the plots -----------------------------------------------------------------------------------


def test_plots_hold_sizes_and_shapes(inspector: RingInspector, rings: Rings) -> None:
    plot, shape = inspector.plot, ring_shape(rings)
    sizes, counts = np.unique(rings.sizes, return_counts=True)
    assert plot.about["sizes"] == sizes.tolist()
    assert plot.about["counts"] == plot.selection["counts"] == counts.tolist()
    assert plot.about["size_words"] == "atoms"
    assert floats(plot.x) == pytest.approx(shape.roundness, abs=1e-6)
    assert floats(plot.y) == pytest.approx(shape.roughness, abs=1e-6)
    assert sizes[np.frombuffer(plot.group, "u1")].tolist() == rings.sizes.tolist()
    (left, right), (low, high) = plot.about["limits"]
    assert left <= shape.roundness.min() <= shape.roundness.max() <= right
    assert low <= shape.roughness.min() <= shape.roughness.max() <= high
    json.dumps([plot.about, plot.selection])


def test_rings_without_a_shape_are_in_the_histogram_alone() -> None:
    plot = RingPlot(lambda event: None)
    x, y = np.array([0.0, 0.5, 1.0]), np.array([np.nan, 0.2, 0.1])
    plot.show(np.array([2, 3, 4]), x, y, "Si atoms")
    plot.select(np.ones(3, dtype=bool), (), None)
    assert plot.about["counts"] == [1, 1, 1]
    assert plot.about["outside"] == 1
    assert floats(plot.x).tolist() == [0.5, 1.0]
    plot.mark(0, (0.0, np.nan))
    assert (plot.selection["point"], plot.selection["row"]) == (None, 0)
    plot.close()


def test_a_bar_selects_and_the_next_click_selects_all(
    inspector: RingInspector, rings: Rings, shown: Callable
) -> None:
    browser = shown(inspector)
    do(inspector, kind="bar", size=16, add=False)
    sixteen = np.flatnonzero(rings.sizes == 16)
    assert len(inspector.selected) == sixteen.size
    assert inspector.current == sixteen[0]
    assert np.frombuffer(inspector.plot.mask, "u1").sum() == sixteen.size
    assert inspector.plot.selection["sizes"] == [16]
    assert sum(inspector.plot.selection["counts"]) == sixteen.size
    assert inspector.sizes.value == "16"
    assert inspector.total.value == f"of {sixteen.size}"
    assert (inspector.place.min, inspector.place.max) == (1, sixteen.size)
    assert f"Selected: {sixteen.size} (size 16)." in inspector.status.value
    assert inspector.ring_words.value.count("Ring ") == 1
    assert len(browser.last("ring")["corners"]) == 16
    do(inspector, kind="bar", size=12, add=True)
    assert inspector.sizes.value == "12, 16"
    do(inspector, kind="bar", size=12, add=False)
    do(inspector, kind="bar", size=12, add=False)
    assert inspector.sizes.value == ""
    assert inspector.total.value == f"of {len(rings)}"


def test_a_point_and_a_region(inspector: RingInspector, shown: Callable) -> None:
    shown(inspector)
    x, y = floats(inspector.plot.x), floats(inspector.plot.y)
    do(inspector, kind="point", x=float(x[33]), y=float(y[33]), reach=[0.02, 0.02])
    assert inspector.current == 33
    assert inspector.place.value == 34
    assert inspector.plot.selection["point"] == pytest.approx([x[33], y[33]], abs=1e-6)
    (left, right), (low, high) = (np.quantile(v, [0.2, 0.7]).round(3).tolist() for v in (x, y))
    do(inspector, kind="region", x=[left, right], y=[low, high])
    inside = (x > left) & (x < right) & (y > low) & (y < high)
    assert 0 < len(inspector.selected) == inside.sum() < x.size
    assert inspector.roundness.value == (left, right)
    assert inspector.roughness.value == (low, high)
    assert inspector.plot.selection["region"] == ((left, right), (low, high))
    inspector.roundness.value = (0.0, 1.0)
    assert len(inspector.selected) == ((y > low) & (y < high)).sum()
    do(inspector, kind="clear")
    assert inspector.plot.selection["region"] is None
    assert inspector.roughness.value == (0.0, 1.0)


def test_many_rings_are_counted_on_a_grid(many: Rings, shown: Callable) -> None:
    """What is sent stays small, and each step is quick."""
    inspector = RingInspector(many.atoms, many)
    browser = shown(inspector)
    plot = inspector.plot
    assert len(many) > 100_000 > POINTS
    assert plot.about["dense"]
    assert plot.x == plot.mask == b""
    assert np.frombuffer(plot.cells, "<u4").sum() == len(many)
    sent: list[int] = []  # bytes of each message
    send_state = plot.send_state

    def count(key: Any = None) -> None:
        values = plot.get_state(key).values()
        sent.append(sum(len(v) if isinstance(v, bytes) else len(json.dumps(v)) for v in values))
        send_state(key)

    plot.send_state = count
    events: list[dict[str, Any]] = [
        {"kind": "bar", "size": 16},
        {"kind": "region", "x": [0.7, 0.9], "y": [0.1, 0.3]},
        {"kind": "point", "x": 0.8, "y": 0.2, "reach": [0.1, 0.1]},
        {"kind": "step", "by": 1},
        {"kind": "clear"},
    ]
    for event in events:
        do(inspector, **event)
    assert max(sent) < 100_000
    assert sum(sent) < 300_000
    assert max(len(json.dumps(message)) for message in browser.messages) < 50_000
    assert np.frombuffer(plot.chosen_cells, "<u4").sum() == len(many)
    assert inspector.table.value.count("<tr") == 101
    assert f"The first 100 of {len(many)} rings" in inspector.table.value


# -- controls ------------------------------------------------------------------------------------


def test_from_ring_to_ring(inspector: RingInspector, rings: Rings, shown: Callable) -> None:
    browser = shown(inspector)
    inspector.next.click()
    assert inspector.current == 1
    assert browser.drawn == [{"ring", "camera"}]  # nothing else is sent
    inspector.previous.click()
    inspector.previous.click()
    assert inspector.current == len(rings) - 1 == inspector.place.value - 1
    inspector.place.value = 5
    assert inspector.current == 4
    do(inspector, kind="step", by=3)
    assert (inspector.current, inspector.place.value) == (7, 8)
    inspector.current = 2
    assert inspector.place.value == 3
    with pytest.raises(ValueError, match="current=99999: there is no ring 99999"):
        inspector.current = 99999


def test_nothing_selected(inspector: RingInspector, shown: Callable) -> None:
    browser = shown(inspector)
    inspector.sizes.value = "5"
    assert inspector.next.disabled
    assert inspector.place.disabled
    assert inspector.save_button.disabled
    assert inspector.total.value == "of 0"
    assert "No ring is selected." in inspector.ring_words.value
    assert browser.last("ring") is None
    inspector.clear.click()
    assert not inspector.next.disabled
    assert browser.last("ring") is not None


def test_typed_nonsense_is_said(inspector: RingInspector, shown: Callable) -> None:
    shown(inspector)
    inspector.sizes.value = "six"
    assert "&#x27;six&#x27; is no whole number" in inspector.error.value
    inspector.sizes.value = "8-12"
    assert inspector.error.value == ""
    inspector.atom.value = "oxygen"
    assert "Through atom: &#x27;oxygen&#x27; is no index" in inspector.error.value
    inspector.atom.value = "100000"
    assert "there is no atom 100000" in inspector.error.value
    inspector.atom.value = "Si 1"
    assert inspector.error.value == ""
    assert inspector.model.atom == 1


def test_a_click_on_an_atom_selects_its_rings(
    inspector: RingInspector, rings: Rings, shown: Callable
) -> None:
    shown(inspector)
    pick = inspector._canvas.widget.set_state
    pick({"picked": {"atom1": {"index": 50}, "component": 0}})
    assert inspector.atom.value == "50"
    assert len(inspector.selected) == sum(50 in ring for ring in rings)
    assert all(50 in ring for ring in inspector.selected)
    pick({"picked": {}})
    pick({"picked": {"atom1": {"index": 50}, "component": 0}})
    assert inspector.atom.value == ""
    assert len(inspector.selected) == len(rings)


def test_tables_say_what_the_plots_show(inspector: RingInspector, shown: Callable) -> None:
    shown(inspector)
    inspector.sizes.value = "12"
    statistics = inspector.model.statistics()
    assert inspector.statistics.value.count("<tr") == len(statistics) + 1
    assert f"{statistics['roundness']['12']:.3f}" in inspector.statistics.value
    assert f"{statistics['roundness']['12']:.3f} ±" in inspector.summary.value
    frame = inspector.selected_frame()
    assert inspector.table.value.count("<tr") == min(100, len(frame)) + 1


def test_save_by_button(inspector: RingInspector, tmp_path: Path, shown: Callable) -> None:
    shown(inspector)
    inspector.file_name.value = str(tmp_path / "one.csv")
    inspector.what.value = True
    inspector.save_button.click()
    assert inspector.status.value.count(f"Saved 1 ring to {tmp_path / 'one.csv'}") == 1
    inspector.file_name.value = str(tmp_path / "rings.pdf")
    inspector.save_button.click()
    assert "must end with .csv or .extxyz" in inspector.error.value


def test_other_rings(shown: Callable) -> None:
    """Definition and counting by the controls, searched in the background."""
    atoms = gn.models.crystal("beta-cristobalite", repeat=2)
    inspector = RingInspector(atoms, cutoff=CUTOFF, max_size=12)
    inspector.wait(WAIT)
    shown(inspector)
    assert inspector.max_size.value == 12
    assert "primitive rings up to 12 atoms" in inspector.status.value
    assert inspector.plot.about["sizes"] == [12]
    inspector.definition.value = "guttman"
    inspector.wait(WAIT)
    assert "Guttman rings up to 12 atoms" in inspector.status.value
    assert "fa-spinner" not in inspector.status.value
    inspector.counting.value = "formers"
    inspector.wait(WAIT)
    assert inspector.plot.about["sizes"] == [6]
    assert inspector.plot.about["size_words"] == "Si atoms"
    inspector.max_size.value = 16
    inspector.wait(WAIT)
    assert inspector.selected.max_size == 16


# -- the picture ---------------------------------------------------------------------------------


def test_the_shape_is_that_of_the_ring(
    inspector: RingInspector, rings: Rings, shown: Callable
) -> None:
    browser = shown(inspector)
    shape = ring_shape(rings)
    inspector.current = 40
    ring = browser.last("ring")
    corners, centre = np.array(ring["corners"]), np.array(ring["centre"])
    assert corners.mean(axis=0) == pytest.approx(centre, abs=2e-3)
    moved = corners - rings.polygon(40)
    assert moved == pytest.approx(np.tile(moved[0], (len(corners), 1)), abs=2e-3)
    major, minor, thin = (np.array(x) for x in ring["ellipsoid"])
    spread = shape.singular_values[40] / np.sqrt(len(corners))
    lengths = [np.linalg.norm(major), np.linalg.norm(minor), thin]
    assert lengths == pytest.approx(spread, abs=1e-3)
    assert abs(major @ minor) < 1e-3
    normal = np.array(ring["normal"]) - centre
    assert abs(normal @ major) < 1e-2
    assert abs(normal @ minor) < 1e-2
    assert np.array(ring["plane"]) == pytest.approx(np.sqrt(2) * np.array([major, minor]), abs=1e-3)
    for name in ("plane", "ellipsoid", "normal"):
        getattr(inspector, name).value = False
        assert name not in browser.last("ring")


def test_how_much_is_drawn(inspector: RingInspector, rings: Rings, shown: Callable) -> None:
    browser = shown(inspector)
    size = rings.sizes[0]
    inspector.next.click()
    inspector.previous.click()
    near = browser.last("ring")["atoms"]
    assert len(near["names"]) > size
    assert len(near["points"]) == 3 * len(near["names"])
    inspector.within.value = 6.0
    assert len(browser.last("ring")["atoms"]["names"]) > len(near["names"])
    browser.messages.clear()

    inspector.show.value = "whole"
    assert browser.last("shown") == list(range(len(rings.atoms)))
    assert len(browser.last("structure")["names"]) == len(rings.atoms)
    assert len(browser.last("cell")) == 12
    assert len(browser.last("ring")["atoms"]["names"]) == size
    assert inspector.within.disabled
    browser.messages.clear()
    inspector.show.value = "ring"
    assert browser.last("shown") == []
    assert browser.last("cell") is None
    inspector.show.value = "whole"
    assert not any("structure" in names for names in browser.drawn)  # the browser has it


def test_camera(inspector: RingInspector, rings: Rings, shown: Callable) -> None:
    browser = shown(inspector)
    inspector.current = 3
    camera = browser.last("camera")
    assert camera["centre"] == browser.last("ring")["centre"]
    assert np.array(camera["axes"]) == pytest.approx(ring_shape(rings).axes[3], abs=1e-4)
    assert not camera["stay"]
    inspector.camera.value = "follow"
    assert browser.last("camera")["axes"] is None
    inspector.camera.value = "stay"
    inspector.next.click()
    assert browser.last("camera")["stay"]


def test_a_view_that_appears_later_gets_it_all(inspector: RingInspector, shown: Callable) -> None:
    browser = shown(inspector)
    inspector.model.sizes = (12,)
    browser.appear()
    whole = browser.messages[-1]["kwargs"]
    assert whole["whole"]
    assert len(whole["ring"]["corners"]) == 12
    json.dumps(browser.messages)


def test_controls_have_names(inspector: RingInspector, shown: Callable) -> None:
    shown(inspector)
    kinds = (
        ipw.Dropdown, ipw.FloatRangeSlider, ipw.FloatSlider, ipw.IntSlider, ipw.BoundedIntText,
        ipw.Checkbox, ipw.Text, ipw.Button,
    )  # fmt: skip
    controls = [w for w in descendants(inspector) if isinstance(w, kinds)]
    assert len(controls) == 20
    assert all(w.description.strip() for w in controls)


def test_bad_arguments_are_named(rings: Rings) -> None:
    with pytest.raises(ValueError, match="definition='shortest': must be one of primitive"):
        RingInspector(rings.atoms, definition="shortest", cutoff=CUTOFF)
    with pytest.raises(ValueError, match="rings: found in a structure of 243 atoms"):
        RingInspector(gn.models.crystal("alpha-quartz"), rings)
