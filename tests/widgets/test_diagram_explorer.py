"""The diagram explorer: plots, controls, and the messages that go to the browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets as ipw
import numpy as np
import pytest
from glassnb_widgets import DiagramExplorer
from glassnb_widgets.diagram_plot import BINS, DiagramPlot

import glassnb as gn
from glassnb.network import king_rings
from glassnb.topology import PersistenceDiagrams, persistence
from glassnb.topology.cycles import cavity_tree, optimal_cycle

RADII = {"Si": 0.375, "O": 1.275}
WAIT = 60.0  # s


@pytest.fixture(scope="module")
def diagrams() -> PersistenceDiagrams:
    atoms = gn.models.crystal("alpha-quartz", repeat=3)
    atoms.rattle(0.1, seed=4)
    return persistence(atoms, radii=RADII)


@pytest.fixture(scope="module")
def other() -> PersistenceDiagrams:
    atoms = gn.models.crystal("alpha-cristobalite", repeat=3)
    atoms.rattle(0.1, seed=4)
    return persistence(atoms, radii=RADII)


@pytest.fixture
def explorer(diagrams: PersistenceDiagrams) -> DiagramExplorer:
    made = DiagramExplorer(diagrams)
    made.wait(WAIT)
    return made


def descendants(widget: ipw.Widget) -> Iterator[ipw.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from descendants(child)


def do(explorer: DiagramExplorer, **event: Any) -> None:
    """Report, as the JavaScript of the plot does, what was done there."""
    explorer.plot._handle_custom_msg(event, [])


def click(explorer: DiagramExplorer, k: int, which: int = 0) -> None:
    birth, death = explorer.model.pairs(which)[k].tolist()
    do(explorer, kind="point", x=birth, y=death, reach=[1e-4, 1e-4], map=which)
    explorer.wait(WAIT)


def counted(part: dict[str, bytes], name: str = "cells") -> np.ndarray:
    return np.frombuffer(part[name], "<u4")


# -- the plot ------------------------------------------------------------------------------------


def test_every_pair_is_in_a_cell_or_a_point(
    explorer: DiagramExplorer, diagrams: PersistenceDiagrams
) -> None:
    plot, pairs = explorer.plot, diagrams.pairs(1)
    (drawn,) = plot.maps
    low, high = plot.about["limits"]
    inside = ((pairs >= low) & (pairs <= high)).all(axis=1)
    points = np.frombuffer(drawn["pair"], "<i4")
    assert plot.about["outside"] == [(~inside).sum()]
    assert counted(drawn).sum() + points.size == inside.sum()
    assert np.frombuffer(drawn["x"], "<f4") == pytest.approx(pairs[points, 0], abs=1e-6)
    assert np.frombuffer(drawn["y"], "<f4") == pytest.approx(pairs[points, 1], abs=1e-6)
    edges = np.linspace(low, high, BINS + 1)
    counts, _, _ = np.histogram2d(pairs[:, 1], pairs[:, 0], bins=(edges, edges))
    assert plot.about["most"] == counts.max()
    crowded = counts.ravel() > 2
    assert counted(drawn)[crowded].tolist() == counts.ravel()[crowded].tolist()
    assert not counted(drawn)[~crowded].any()
    json.dumps([plot.about, plot.selection])


def test_few_pairs_are_all_points() -> None:
    plot = DiagramPlot(lambda event: None)
    pairs = np.array([[0.5, 0.7]] * 5 + [[0.1, 0.9], [3.0, 4.0]])
    plot.show([pairs], ["seven"], "rings", (0.0, 1.0))
    assert np.frombuffer(plot.maps[0]["pair"], "<i4").tolist() == [0, 1, 2, 3, 4, 5]
    assert plot.about["outside"] == [1]
    plot.select([np.arange(7) % 2 == 0], None, ())
    assert np.frombuffer(plot.chosen[0]["mask"], "u1").tolist() == [1, 0, 1, 0, 1, 0]
    assert plot.selection["counts"] == [4]
    plot.close()


def test_a_selection_is_drawn(
    explorer: DiagramExplorer, diagrams: PersistenceDiagrams, shown: Callable
) -> None:
    shown(explorer)
    do(explorer, kind="region", x=[0.2, 1.2], y=[1.0, 2.0], map=0)
    pairs = diagrams.pairs(1)
    inside = ((pairs >= [0.2, 1.0]) & (pairs <= [1.2, 2.0])).all(axis=1)
    assert explorer.plot.selection["counts"] == [inside.sum()]
    assert explorer.plot.selection["box"] == [[0.2, 1.2], [1.0, 2.0]]
    (chosen,) = explorer.plot.chosen
    drawn = np.frombuffer(chosen["mask"], "u1").sum() + counted(chosen).sum()
    assert drawn == inside.sum()
    assert explorer.birth.value == (0.2, 1.2)
    assert explorer.steps.total.value == f"of {inside.sum()}"
    explorer.birth.value = (explorer.birth.min, 1.2)
    assert explorer.plot.selection["box"] == [[None, 1.2], [1.0, 2.0]]
    do(explorer, kind="lasso", points=[[0, 0.5], [2, 0.5], [2, 3]], map=0)
    assert len(explorer.plot.selection["lasso"]) == 3
    assert explorer.plot.selection["box"] is None
    do(explorer, kind="clear")
    assert explorer.plot.selection["lasso"] == []
    assert explorer.plot.selection["counts"] == [len(pairs)]


def test_named_regions_are_on_offer(
    explorer: DiagramExplorer, diagrams: PersistenceDiagrams, shown: Callable
) -> None:
    shown(explorer)
    assert [value for _, value in explorer.region.options] == ["", "C_P", "C_T", "C_O", "B_O"]
    explorer.region.value = "C_P"
    assert f"Selected: {diagrams.region('C_P').size} (C_P)" in explorer.status.value
    assert explorer.current in diagrams.region("C_P")
    explorer.dimension.value = 2
    assert [value for _, value in explorer.region.options] == [""]
    assert explorer.region.disabled
    assert explorer.plot.about["words"] == "cavities"
    assert explorer.model.numbers.size == len(diagrams.pairs(2))
    explorer.dimension.value = 1
    assert not explorer.region.disabled


def test_axes(explorer: DiagramExplorer, diagrams: PersistenceDiagrams, shown: Callable) -> None:
    shown(explorer)
    explorer.axes.value = (0.0, 1.0)
    assert explorer.plot.about["limits"] == [0.0, 1.0]
    inside = ((diagrams.pairs(1) >= 0) & (diagrams.pairs(1) <= 1)).all(axis=1)
    assert explorer.plot.about["outside"] == [(~inside).sum()]
    explorer.dimension.value = 2
    assert explorer.plot.about["limits"] == list(explorer.model.limits) != [0.0, 1.0]


def test_many_pairs_are_light(shown: Callable) -> None:
    """What is sent stays small."""
    atoms = gn.models.crystal("alpha-quartz", repeat=8)
    atoms.rattle(0.1, seed=1)
    diagrams = persistence(atoms, radii=RADII)
    assert len(diagrams.pairs(1)) > 15_000
    explorer = DiagramExplorer(diagrams)
    explorer.wait(WAIT)
    browser = shown(explorer)
    for k in diagrams.region("C_P")[:8].tolist():
        birth, death = diagrams.pairs(1)[k].tolist()
        do(explorer, kind="point", x=birth, y=death, reach=[1e-4, 1e-4], map=0)
        explorer.wait(WAIT)
        assert explorer.current == k
    assert max(len(json.dumps(message)) for message in browser.messages) < 100_000
    (drawn,) = explorer.plot.maps
    assert sum(map(len, drawn.values())) < 400_000
    assert explorer.table.value.count("<tr") == 101
    assert f"The first 100 of {len(diagrams.pairs(1))} pairs" in explorer.table.value


# -- the picture ---------------------------------------------------------------------------------


def test_a_click_draws_the_ring(
    explorer: DiagramExplorer, diagrams: PersistenceDiagrams, shown: Callable
) -> None:
    browser = shown(explorer)
    k = int(diagrams.region("C_P")[7])
    click(explorer, k)
    assert explorer.current == k
    assert all(names == {"cycle", "camera"} for names in browser.drawn)
    ring, part = optimal_cycle(diagrams, 1, k), browser.last("cycle")
    lines = np.array(part["lines"]).reshape(-1, 2, 3)
    moved = lines - ring.boundary_points
    assert moved == pytest.approx(np.broadcast_to(moved[0, 0], moved.shape), abs=2e-3)
    assert len(part["volume"]) == 9 * ring.n_cells
    assert explorer.plot.selection["point"] == pytest.approx(diagrams.pairs(1)[k])
    assert f"Pair {k}:" in explorer.pair_words.value
    assert not part["thin"]
    explorer.volume.value = False
    assert "volume" not in browser.last("cycle")


def test_the_camera_waits_for_the_cycle_that_was_asked_for(
    explorer: DiagramExplorer, shown: Callable
) -> None:
    """It does not turn for the shortest cycle that is shown for a moment."""
    browser = shown(explorer)
    with explorer.model.lock:  # the optimal cycle cannot be published
        explorer.steps.next.click()
        assert not explorer.model.final
        assert browser.last("camera")["axes"] is None
        assert "Looking for the optimal one" in explorer.pair_words.value
    explorer.wait(WAIT)
    axes = np.array(browser.last("camera")["axes"])
    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-4)
    assert np.linalg.det(axes) > 0
    explorer.camera.value = "stay"
    assert browser.last("camera")["stay"]


def test_cavities(
    explorer: DiagramExplorer, diagrams: PersistenceDiagrams, shown: Callable
) -> None:
    browser = shown(explorer)
    explorer.dimension.value = 2
    tree = cavity_tree(diagrams)
    alone = ~tree.winding & (np.bincount(tree.parents[tree.parents >= 0], minlength=len(tree)) > 1)
    k = int(np.flatnonzero(alone)[0])
    explorer.current = k
    part = browser.last("cycle")
    surface = np.array(part["volume"]).reshape(-1, 3, 3)
    assert len(surface) == len(tree.cycle(k, stability=0.05).boundary_rows)
    assert part["thin"]
    explorer.inner.value = True
    inner = np.array(browser.last("cycle")["inner"]).reshape(-1, 3)
    outer = surface.reshape(-1, 3)
    assert (inner.min(axis=0) >= outer.min(axis=0) - 1e-2).all()  # one within the other
    assert (inner.max(axis=0) <= outer.max(axis=0) + 1e-2).all()
    children = tree.children(k).tolist()
    offered = [value for _, value in explorer.relatives.options]
    assert set(children) <= set(offered)
    explorer.relatives.value = children[0]
    assert explorer.current == children[0]
    assert explorer.relatives.value == -1
    assert k in [value for _, value in explorer.relatives.options]


def test_pieces(explorer: DiagramExplorer, diagrams: PersistenceDiagrams, shown: Callable) -> None:
    browser = shown(explorer)
    explorer.dimension.value = 0
    part = browser.last("cycle")
    ends = np.array(part["lines"]).reshape(2, 3)
    first, second = diagrams.death_simplices(0)[0][explorer.current].tolist()
    distance = diagrams.complex.atoms.get_distance(first, second, mic=True)
    assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(distance, abs=2e-3)
    assert explorer.find_all.disabled
    assert "edge that joins" in explorer.legend.value


def test_how_much_is_drawn(explorer: DiagramExplorer, shown: Callable) -> None:
    browser = shown(explorer)
    click(explorer, int(explorer.model.numbers[3]))
    near = browser.last("cycle")["atoms"]
    n = explorer.cycle.n_atoms
    assert len(near["names"]) > n
    explorer.show.value = "whole"
    assert browser.last("shown") == list(range(243))
    assert len(browser.last("cell")) == 12
    assert len(browser.last("cycle")["atoms"]["names"]) == n
    assert explorer.within.disabled
    browser.messages.clear()
    explorer.show.value = "cycle"
    assert browser.last("shown") == []
    explorer.show.value = "whole"
    assert not any("structure" in names for names in browser.drawn)  # the browser has it


def test_two_structures(
    diagrams: PersistenceDiagrams, other: PersistenceDiagrams, shown: Callable
) -> None:
    explorer = DiagramExplorer(diagrams, other)
    browser = shown(explorer)
    explorer.show.value = "whole"
    assert len(explorer.plot.maps) == 2
    assert explorer.plot.about["totals"] == [len(diagrams.pairs(1)), len(other.pairs(1))]
    assert len(browser.last("structure")["names"]) == 243
    k = int(other.region("C_P")[0])
    click(explorer, k, which=1)
    assert (explorer.which.value, explorer.current) == (1, k)
    assert len(browser.last("structure")["names"]) == 324
    assert explorer.plot.selection["which"] == 1
    assert explorer.statistics.value.count("<tr") == 3
    explorer.which.value = 0
    assert len(browser.last("structure")["names"]) == 243


def test_nothing_selected(explorer: DiagramExplorer, shown: Callable) -> None:
    browser = shown(explorer)
    explorer.lifetime.value = 1000
    assert explorer.steps.next.disabled
    assert explorer.save_button.disabled
    assert browser.last("cycle") is None
    assert explorer.plot.selection["point"] is None
    explorer.clear.click()
    assert not explorer.steps.next.disabled
    assert browser.last("cycle") is not None


def test_a_view_that_appears_later_gets_it_all(explorer: DiagramExplorer, shown: Callable) -> None:
    browser = shown(explorer)
    explorer.region.value = "C_P"
    explorer.wait(WAIT)
    browser.appear()
    whole = browser.messages[-1]["kwargs"]
    assert whole["whole"]
    assert whole["cycle"]["lines"]
    json.dumps(browser.messages)


# -- controls ------------------------------------------------------------------------------------


def test_from_pair_to_pair(explorer: DiagramExplorer, shown: Callable) -> None:
    shown(explorer)
    numbers = explorer.model.numbers
    explorer.steps.next.click()
    assert explorer.current == numbers[1]
    explorer.steps.previous.click()
    explorer.steps.previous.click()
    assert explorer.current == numbers[-1]
    assert explorer.steps.place.value == numbers.size
    explorer.steps.place.value = 5
    assert explorer.current == numbers[4]
    do(explorer, kind="step", by=3)
    assert explorer.steps.place.value == 8
    explorer.order.value = "birth"
    assert explorer.steps.place.value == explorer.model.position + 1


def test_all_cycles_by_button(explorer: DiagramExplorer, shown: Callable) -> None:
    shown(explorer)
    explorer.region.value = "C_P"
    explorer.lifetime.value = 1.7
    explorer.find_all.click()
    explorer.wait(WAIT)
    n = explorer.model.numbers.size
    assert f"Cycles found: {n}." in explorer.status.value
    assert f"{n} of {n} selected pairs have a cycle that is known." in explorer.sizes.value
    assert explorer.sizes.value.count("<tr") == len(explorer.model.cycle_statistics()) + 1
    assert explorer.stop_all.disabled
    assert not explorer.find_all.disabled
    assert (explorer.selected_frame()["n_atoms"] > 0).all()
    assert "–" not in explorer.table.value


def test_stability_and_method(
    explorer: DiagramExplorer, diagrams: PersistenceDiagrams, shown: Callable
) -> None:
    shown(explorer)
    k = explorer.current
    explorer.stability.value = 0.0
    assert (
        explorer.cycle.indices.tolist()
        == optimal_cycle(diagrams, 1, k, stability=0.0).indices.tolist()
    )
    explorer.method.value = "shortest"
    assert explorer.cycle.certificate.method == "shortest path"


def test_rings_of_the_network_are_named(diagrams: PersistenceDiagrams, shown: Callable) -> None:
    rings = king_rings(diagrams.complex.atoms, cutoff={("Si", "O"): 2.3})
    explorer = DiagramExplorer(diagrams, rings=rings)
    explorer.wait(WAIT)
    shown(explorer)
    assert "of the network" in explorer.pair_words.value
    assert "rings of the network" in explorer.sizes.value


def test_save_by_button(explorer: DiagramExplorer, tmp_path: Path, shown: Callable) -> None:
    shown(explorer)
    explorer.file_name.value = str(tmp_path / "one.xyz")
    explorer.what.value = True
    explorer.save_button.click()
    assert f"Saved 1 cycle to {tmp_path / 'one.xyz'}" in explorer.status.value
    explorer.file_name.value = str(tmp_path / "pairs.pdf")
    explorer.save_button.click()
    assert "must end with .csv or .extxyz" in explorer.error.value


def test_controls_have_names(
    diagrams: PersistenceDiagrams, other: PersistenceDiagrams, shown: Callable
) -> None:
    explorer = DiagramExplorer(diagrams, other)
    shown(explorer)
    kinds = (
        ipw.Dropdown, ipw.FloatRangeSlider, ipw.FloatSlider, ipw.IntSlider, ipw.BoundedFloatText,
        ipw.Checkbox, ipw.Text, ipw.Button,
    )  # fmt: skip
    controls = [w for w in descendants(explorer) if isinstance(w, kinds)]
    assert len(controls) == 25
    assert all(w.description.strip() for w in controls)


def test_bad_arguments_are_named(diagrams: PersistenceDiagrams) -> None:
    with pytest.raises(ValueError, match="dimension=3: must be 0, 1 or 2"):
        DiagramExplorer(diagrams, dimension=3)
    with pytest.raises(ValueError, match="current=99999: there is no pair 99999"):
        DiagramExplorer(diagrams).current = 99999
