"""State of the diagram explorer, without widgets and without a browser."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pandas as pd
import pytest
from glassnb_widgets.diagram_cycles import NetworkRings, segments
from glassnb_widgets.diagram_model import DiagramModel
from matplotlib.path import Path as Polygon
from traitlets import TraitError

import glassnb as gn
from glassnb.network import king_rings
from glassnb.topology import PersistenceDiagrams, persistence
from glassnb.topology.cycles import Cycle, cavity_tree, optimal_cycle

RADII = {"Si": 0.375, "O": 1.275}
WAIT = 60.0  # s; nothing here takes more than a second or two


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
def model(diagrams: PersistenceDiagrams) -> DiagramModel:
    made = DiagramModel(diagrams)
    made.wait(WAIT)
    return made


# -- the selection -------------------------------------------------------------------------------


def test_the_longest_lived_ring_is_shown_first(
    model: DiagramModel, diagrams: PersistenceDiagrams
) -> None:
    pairs = diagrams.pairs(1)
    lives = pairs[:, 1] - pairs[:, 0]
    assert sorted(model.numbers) == list(range(len(pairs)))
    assert model.current == lives.argmax() == model.numbers[0]
    assert (np.diff(lives[model.numbers]) <= 0).all()
    assert _same(model.cycle, optimal_cycle(diagrams, 1, model.current))
    n = len(pairs)
    assert model.status.startswith(f"{n} rings (D1). Selected: {n}, {n / 243:.3f} per atom.")


def _same(a: Cycle | None, b: Cycle) -> bool:
    return a is not None and a.indices.tolist() == b.indices.tolist()


def test_all_conditions_hold_together(model: DiagramModel, diagrams: PersistenceDiagrams) -> None:
    """Against a loop over all pairs."""
    model.region = "B_O"
    model.set_box((0.3, 1.5), (1.0, 2.0))
    model.lifetime = 0.2
    band = set(diagrams.region("B_O").tolist())
    expected = [
        k
        for k, (birth, death) in enumerate(diagrams.pairs(1).tolist())
        if k in band and 0.3 <= birth <= 1.5 and 1.0 <= death <= 2.0 and death - birth >= 0.2
    ]
    assert 0 < len(expected) < len(band)
    assert sorted(model.numbers) == expected
    assert (
        f"Selected: {len(expected)} (B_O, birth 0.3 to 1.5 Å², death 1 to 2 Å², "
        "lifetime from 0.2 Å²)" in model.status
    )
    model.clear()
    assert model.numbers.size == len(diagrams.pairs(1))
    assert (model.region, model.lifetime, model.birth) == ("", 0.0, (-np.inf, np.inf))


def test_a_lasso_against_matplotlib(model: DiagramModel, diagrams: PersistenceDiagrams) -> None:
    corners = [(0.0, 0.3), (2.0, 1.5), (1.2, 2.4), (0.8, 1.4), (-0.2, 2.2)]
    model.set_lasso(corners)
    expected = np.flatnonzero(Polygon(corners).contains_points(diagrams.pairs(1)))
    assert 0 < expected.size < len(diagrams.pairs(1))
    assert sorted(model.numbers) == expected.tolist()
    model.set_box((0.5, 1.0), (-np.inf, np.inf))
    assert model.lasso == ()
    assert "(birth 0.5 to 1 Å²)" in model.status
    model.set_lasso([(0, 0), (1, 1)])  # a click
    assert model.lasso == ()


@pytest.mark.parametrize("name", ["C_P", "C_T", "C_O", "B_O"])
def test_named_regions(model: DiagramModel, diagrams: PersistenceDiagrams, name: str) -> None:
    model.region = name
    assert sorted(model.numbers) == diagrams.region(name).tolist()
    model.dimension = 2
    assert (model.names, model.region) == ((), "")
    assert model.numbers.size == len(diagrams.pairs(2))
    with pytest.raises(TraitError, match="no region 'C_P': there are none for this diagram"):
        model.region = "C_P"


def test_steps_follow_the_order(model: DiagramModel, diagrams: PersistenceDiagrams) -> None:
    model.region = "C_P"
    before = model.current
    for order, column in (("birth", 0), ("death", 1)):
        model.order = order
        assert (np.diff(diagrams.pairs(1)[model.numbers, column]) >= 0).all()
        assert model.current == before
        assert model.numbers[model.position] == before
    model.position = 0
    model.step(-1)
    assert model.current == model.numbers[-1]
    model.step()
    assert model.current == model.numbers[0]


def test_a_click_finds_the_nearest_selected_pair(
    model: DiagramModel, diagrams: PersistenceDiagrams
) -> None:
    model.region = "C_P"
    pairs = diagrams.pairs(1)
    for k in model.numbers[::9].tolist():
        birth, death = pairs[k]
        assert model.pick_at(birth + 1e-7, death - 1e-7, (0.01, 0.01)) == model.current == k
    assert model.pick_at(7.0, 7.5, (0.01, 0.01)) is None


def test_nothing_selected(model: DiagramModel) -> None:
    model.lifetime = 1e3
    assert (model.current, model.position, model.cycle) == (-1, -1, None)
    assert model.pair_words == "No pair is selected."
    assert (model.cycle_words, model.members) == ("", "")
    assert model.selected_frame().empty
    assert model.statistics()["selected"].tolist() == [0]
    model.step()
    assert model.current == -1
    model.clear()
    assert model.cycle is not None


def test_two_structures(diagrams: PersistenceDiagrams, other: PersistenceDiagrams) -> None:
    model = DiagramModel(diagrams, other)
    model.region = "C_P"
    assert [mask.sum() for mask in model.masks] == [d.region("C_P").size for d in (diagrams, other)]
    assert model.names == ("C_P", "C_T", "C_O", "B_O")
    model.which = 1
    model.wait(WAIT)
    assert sorted(model.numbers) == other.region("C_P").tolist()
    assert model.region == "C_P"
    assert "rings (D1) of the other structure." in model.status
    assert _same(model.cycle, optimal_cycle(other, 1, model.current))
    table = model.statistics()
    for which, each in enumerate((diagrams, other)):
        frame = each.to_frame().query("dimension == 1").set_index("index")
        frame = frame.loc[each.region("C_P")]
        row = table.iloc[which]
        assert row["selected"] == len(frame)
        assert row["per atom"] == pytest.approx(len(frame) / each.n_atoms)
        for name in ("birth", "death", "lifetime"):
            assert row[f"mean {name} (Å²)"] == pytest.approx(frame[name].mean())
    birth, death = diagrams.pairs(1)[0]
    model.clear()
    assert model.pick_at(birth, death, (0.01, 0.01), 0) is not None
    assert model.which == 0


# -- cycles --------------------------------------------------------------------------------------


class Finder:
    """Stands in for the search for cycles: each optimal one waits for its turn."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, str]] = []
        self.begun = threading.Semaphore(0)
        self.may_go = threading.Semaphore(0)
        self.fails: Exception | None = None

    def __call__(
        self, diagrams: PersistenceDiagrams, dimension: int, index: int, **options: Any
    ) -> Cycle:
        self.calls.append((index, options["method"]))
        if options["method"] == "optimal" and dimension == 1:
            self.begun.release()
            assert self.may_go.acquire(timeout=WAIT)
            if self.fails:
                raise self.fails
        return optimal_cycle(diagrams, dimension, index, **options)


def test_the_shortest_cycle_comes_first(diagrams: PersistenceDiagrams) -> None:
    finder = Finder()
    model = DiagramModel(diagrams, find=finder)
    k = model.current
    assert finder.begun.acquire(timeout=WAIT)
    assert model.busy
    assert not model.final
    assert _same(model.cycle, optimal_cycle(diagrams, 1, k, method="shortest"))
    assert "(shortest cycle). Looking for the optimal one." in model.cycle_words
    with pytest.raises(TimeoutError, match="the search for cycles goes on after"):
        model.wait(0.01)
    finder.may_go.release()
    model.wait(WAIT)
    assert model.final
    assert _same(model.cycle, optimal_cycle(diagrams, 1, k))
    assert "(volume-optimal cycle, stability 0.05 Å²)." in model.cycle_words
    model.step()
    finder.may_go.release()
    model.wait(WAIT)
    model.step(-1)
    assert model.final  # what has been found is kept
    assert [index for index, method in finder.calls if method == "optimal"].count(k) == 1


def test_the_latest_wish_counts(diagrams: PersistenceDiagrams) -> None:
    finder = Finder()
    model = DiagramModel(diagrams, find=finder)
    assert finder.begun.acquire(timeout=WAIT)
    first = model.current
    for _ in range(5):
        model.step()
    for _ in range(2):
        finder.may_go.release()
    model.wait(WAIT)
    assert [i for i, method in finder.calls if method == "optimal"] == [first, model.current]
    assert _same(model.cycle, optimal_cycle(diagrams, 1, model.current))


def test_what_has_no_cycle(diagrams: PersistenceDiagrams) -> None:
    finder = Finder()
    finder.fails = ValueError("index=1: pair 1 of dimension 1 has no cycle; it winds")
    model = DiagramModel(diagrams, find=finder)
    finder.may_go.release()
    model.wait(WAIT)
    assert model.final
    assert model.cycle is not None
    assert "There is no optimal one: it winds." in model.cycle_words
    finder.fails = RuntimeError("lost <edges>")
    model.step()
    finder.may_go.release()
    model.wait(WAIT)
    assert model.error == "RuntimeError: lost <edges>"
    assert model.status == "The search for cycles failed."


def test_all_cycles_of_the_selection(model: DiagramModel, diagrams: PersistenceDiagrams) -> None:
    model.region = "C_P"
    model.lifetime = 1.6
    model.collect()
    model.wait(WAIT)
    assert not model.collecting
    assert model.missing.size == 0
    cycles = [optimal_cycle(diagrams, 1, k) for k in model.numbers.tolist()]
    assert [c.indices.tolist() for c in model.computed()] == [c.indices.tolist() for c in cycles]
    assert model.status.endswith(f"Cycles found: {len(cycles)}.")
    table = model.cycle_statistics()
    silicon = pd.Series([c.species_counts.get("Si", 0) for c in cycles])
    assert table["cycles"].to_dict() == silicon.value_counts().sort_index().to_dict()
    assert table.index.name == "Si atoms"
    assert (table["mean Si"] == table.index).all()
    assert table["share"].sum() == pytest.approx(1)


def test_collecting_can_be_stopped(diagrams: PersistenceDiagrams) -> None:
    finder = Finder()
    model = DiagramModel(diagrams, find=finder)
    finder.may_go.release()
    model.wait(WAIT)
    assert finder.begun.acquire(timeout=WAIT)
    model.collect()
    assert finder.begun.acquire(timeout=WAIT)
    model.stop()
    assert model.status.endswith("Stopped: 1 of their cycles found.")
    finder.may_go.release()
    model.wait(WAIT)
    assert not model.busy
    assert not model.collecting
    assert len(model.computed()) == 2  # what was found is kept


def test_cavities(model: DiagramModel, diagrams: PersistenceDiagrams) -> None:
    model.dimension = 2
    assert not model.busy  # the tree is quick
    tree = cavity_tree(diagrams)
    for k in model.numbers[:30].tolist():
        model.visit(k)
        assert _same(model.cycle, tree.cycle(k, stability=0.05))
        assert sorted(model.children()) == tree.children(k).tolist()
        assert (np.diff(tree.volumes[model.children()]) <= 0).all()
        assert model.parent() == tree.parents[k]
        assert model.cycle_words.startswith("Cavity of ")
    model.dimension = 0
    assert model.cycle is None
    first, second = diagrams.death_simplices(0)[0][model.current]
    assert f"the balls of {model.name_of(first)} and {model.name_of(second)} touch" in (
        model.cycle_words
    )


def test_a_pair_that_is_not_selected(model: DiagramModel) -> None:
    model.region = "C_P"
    outside = int(np.flatnonzero(~model.chosen)[0])
    model.visit(outside)
    assert (model.current, model.position) == (outside, -1)
    model.step()
    assert model.current == model.numbers[0]
    with pytest.raises(ValueError, match="current=99999: there is no pair 99999"):
        model.visit(99999)


def test_edges_of_a_surface(diagrams: PersistenceDiagrams) -> None:
    """Each edge of a surface is drawn once, though it belongs to two triangles or more."""
    tree = cavity_tree(diagrams)
    for k in np.argsort(-tree.volumes)[:10].tolist():
        cavity = tree.cycle(k)
        edges = {
            frozenset([tuple(a), tuple(b)])
            for corners in cavity.boundary_points.round(6).tolist()
            for a, b in itertools.combinations(corners, 2)
        }
        drawn = {frozenset(map(tuple, ends)) for ends in segments(cavity).round(6).tolist()}
        assert drawn == edges
        assert len(segments(cavity)) == len(edges) < 3 * len(cavity.boundary_rows)
    ring = optimal_cycle(diagrams, 1, 0)
    assert len(segments(ring)) == len(ring.boundary_rows)


def test_rings_of_the_network() -> None:
    """Rings of ideal cristobalite without weights are the six-membered rings of the network."""
    atoms = gn.models.crystal("alpha-cristobalite", repeat=3)
    rings = king_rings(atoms, cutoff={("Si", "O"): 2.0})
    diagrams = persistence(atoms)
    model = DiagramModel(diagrams, rings=rings)
    model.set_box((-np.inf, 1.0), (3.0, np.inf))  # born by bonds
    assert model.numbers.size > 50
    model.collect()
    model.wait(WAIT)
    assert "ring" in model.selected_frame().columns
    for k, ring in model.selected_frame()["ring"].items():
        assert set(rings[ring]) == set(optimal_cycle(diagrams, 1, k).indices)
    table = model.cycle_statistics()
    assert table["rings of the network"].tolist() == [model.numbers.size]
    assert table.index.tolist() == [6]
    assert "It is ring " in model.cycle_words
    assert "of the network: 6 Si, 12 atoms." in model.cycle_words

    network = NetworkRings(rings)
    silicon = rings[3][np.asarray(atoms.symbols)[rings[3]] == "Si"]
    ring, exact = network.match(silicon)
    assert not exact
    assert set(silicon) <= set(rings[ring])
    assert "Its Si are those of ring" in network.describe(silicon)
    assert network.match(silicon[:2]) is None


# -- tables and files ----------------------------------------------------------------------------


def test_frame_holds_the_selected_pairs(model: DiagramModel, diagrams: PersistenceDiagrams) -> None:
    model.region = "C_P"
    frame = model.selected_frame()
    assert frame.index.tolist() == model.numbers.tolist()
    assert frame[["birth", "death"]].to_numpy() == pytest.approx(diagrams.pairs(1)[model.numbers])
    assert frame["birth_atoms"].iloc[0] == tuple(
        diagrams.birth_simplices(1)[0][model.numbers[0]].tolist()
    )
    model.wait(WAIT)
    row = model.selected_frame(3).loc[model.current]
    assert len(model.selected_frame(3)) == 3
    assert row["atoms"] == tuple(model.cycle.indices.tolist())
    assert row["n_atoms"] == model.cycle.n_atoms


def test_save(model: DiagramModel, tmp_path: Path) -> None:
    model.region = "C_P"
    model.wait(WAIT)
    path = model.save(str(tmp_path / "pairs.csv"))
    saved = pd.read_csv(path, comment="#")
    assert saved["pair"].tolist() == model.numbers.tolist()
    assert saved["death"].to_numpy() == pytest.approx(model.selected_frame()["death"].to_numpy())
    assert model.status == f"Saved {model.numbers.size} pairs to {path}"

    alone = model.save(str(tmp_path / "sub" / "one.extxyz"), one=True)
    (atoms,) = ase.io.read(alone, ":")
    assert atoms.info["pair"] == model.current
    assert atoms.positions == pytest.approx(model.cycle.points, abs=1e-6)
    assert atoms.arrays["index"].tolist() == model.cycle.indices.tolist()
    sides = np.linalg.norm(atoms.positions - np.roll(atoms.positions, 1, axis=0), axis=1)
    assert sides.max() < 4.0  # in one piece
    assert model.save(str(tmp_path / "known.xyz")) is not None
    assert "selected pairs are not in the file" in model.note


def test_what_cannot_be_saved_is_said(model: DiagramModel, tmp_path: Path) -> None:
    assert model.save(str(tmp_path / "pairs.pdf")) is None
    assert model.error == "Not saved: pairs.pdf: the name must end with .csv or .extxyz"
    model.dimension = 0
    assert model.save(str(tmp_path / "pieces.xyz")) is None
    assert "no cycle of the selection" in model.error
    model.lifetime = 1e3
    assert model.save(str(tmp_path / "pairs.csv")) is None
    assert model.error == "Not saved: no pair is selected"
    assert list(tmp_path.iterdir()) == []


# -- other structures and bad input --------------------------------------------------------------


def test_a_part_of_the_structure_and_a_cluster() -> None:
    atoms = gn.models.crystal("alpha-quartz", repeat=2)
    atoms.rattle(0.05, seed=1)
    silicon = DiagramModel(persistence(atoms, species="Si"))
    silicon.wait(WAIT)
    assert silicon.names == ()
    assert set(atoms.symbols[silicon.cycle.indices]) == {"Si"}
    cluster = DiagramModel(persistence(atoms, periodic=False), dimension=2)
    assert cluster.cycle is not None
    points = cluster.scenes[0].around(cluster.cycle.points, 2.0)
    assert points.own.sum() >= cluster.cycle.n_atoms


def test_bad_input_is_named(diagrams: PersistenceDiagrams, model: DiagramModel) -> None:
    atoms = diagrams.complex.atoms

    def refused(match: str, make: Callable[[], Any]) -> None:
        with pytest.raises(ValueError, match=match):
            make()

    refused("diagrams: must be what glassnb.topology.persistence", lambda: DiagramModel(atoms))
    refused("other: must be what .* not Atoms", lambda: DiagramModel(diagrams, atoms))
    refused("dimension=3: must be 0, 1 or 2", lambda: DiagramModel(diagrams, dimension=3))
    refused("stability=-1", lambda: DiagramModel(diagrams, stability=-1))
    small = king_rings(gn.models.crystal("alpha-quartz"), cutoff={("Si", "O"): 2.0})
    refused("rings: found in a structure of 9", lambda: DiagramModel(diagrams, rings=small))
    refused("rings: must be what a search", lambda: DiagramModel(diagrams, rings=[[1, 2]]))
    with pytest.raises(TraitError, match="no pair 99999: there are"):
        model.current = 99999
    with pytest.raises(TraitError, match="no structure 1: there are 1"):
        model.which = 1
    with pytest.raises(TraitError, match="birth=.*must not be larger"):
        model.birth = (2.0, 1.0)
    with pytest.raises(TraitError, match="2 corners make no polygon"):
        model.lasso = ((0, 0), (1, 1))


def test_state_knows_no_widgets() -> None:
    code = (
        "import sys, glassnb_widgets.diagram_model;"
        "print([m for m in ('ipywidgets', 'nglview', 'anywidget') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
