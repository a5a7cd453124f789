"""State of the ring inspector, without widgets and without a browser."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.geometry import cellpar_to_cell
from glassnb_widgets import ring_geometry
from glassnb_widgets.ring_model import MEASURES, RingModel, parse_sizes
from traitlets import TraitError

import glassnb as gn
from glassnb.network import Rings, bonds, king_rings, primitive_rings, ring_shape

CUTOFF = {("Si", "O"): 2.0}
WAIT = 60.0  # s; nothing here takes more than a second or two


@pytest.fixture(scope="module")
def rings() -> Rings:
    """King rings of a rattled crystal; those at its faces leave the cell."""
    atoms = gn.models.crystal("alpha-quartz", repeat=3)
    atoms.rattle(0.06, seed=4)
    return king_rings(atoms, cutoff=CUTOFF)


@pytest.fixture
def model(rings: Rings) -> RingModel:
    return RingModel(rings.atoms, rings)


# -- the selection -------------------------------------------------------------------------------


def test_given_rings_are_shown_at_once(model: RingModel, rings: Rings) -> None:
    assert not model.busy
    assert (model.definition, model.max_size) == ("king", 40)
    assert model.cutoff == dict(rings.cutoffs)
    assert model.numbers.tolist() == list(range(len(rings)))
    assert (model.current, model.position) == (0, 0)
    assert model.status == f"{len(rings)} King rings up to 40 atoms. Selected: {len(rings)}."


def test_all_conditions_hold_together(model: RingModel, rings: Rings) -> None:
    """Against a loop over all rings."""
    shape = ring_shape(rings)
    model.sizes = (16, 12)
    model.set_region((0.7, 0.9), (0.0, 0.35))
    model.atom = 40
    expected = [
        k
        for k in range(len(rings))
        if rings[k].size in (12, 16)
        and 0.7 <= shape.roundness[k] <= 0.9
        and shape.roughness[k] <= 0.35
        and 40 in rings[k]
    ]
    assert 0 < len(expected) < len(rings)
    assert model.numbers.tolist() == expected
    assert [r.tolist() for r in model.selected] == [rings[k].tolist() for k in expected]
    assert model.status.endswith(
        f"Selected: {len(expected)} (size 12, 16, roundness 0.7 to 0.9, roughness 0 to 0.35, "
        f"through {rings.atoms.symbols[40]} 40)."
    )
    model.clear()
    assert model.numbers.size == len(rings)


def test_a_region_is_selected_once(model: RingModel) -> None:
    changes: list[int] = []
    model.observe(lambda change: changes.append(change["new"]), "changes")
    model.set_region((0.8, 0.9), (0.1, 0.3))
    assert len(changes) == 1
    model.clear()
    assert len(changes) == 2


def test_rings_without_roughness_are_in_the_whole_range_only(model: RingModel) -> None:
    model.measures["roughness"][:5] = np.nan
    model.sizes = ()
    model.set_region((0.0, 1.0), (0.0, 0.999))
    assert model.numbers[0] >= 5
    model.clear()
    assert model.numbers[0] == 0


def test_sizes_one_by_one(model: RingModel) -> None:
    steps = []
    for size, add in [(12, False), (16, True), (12, True), (16, False), (12, False), (16, False)]:
        model.toggle_size(size, add=add)
        steps.append(model.sizes)
    assert steps == [(12,), (12, 16), (16,), (), (12,), (16,)]


def test_the_ring_looked_at_stays_while_it_is_selected(model: RingModel, rings: Rings) -> None:
    twelve, other = (np.flatnonzero(rings.sizes == size) for size in (12, 16))
    model.current = int(twelve[2])
    model.sizes = (12,)
    assert model.current == twelve[2]
    assert model.position == 2
    model.sizes = (16,)
    assert model.current == other[0]
    model.sizes = (5,)  # there is none
    assert (model.current, model.position) == (-1, -1)
    assert model.words == "No ring is selected."
    model.step()
    assert model.current == -1


def test_steps_go_round(model: RingModel, rings: Rings) -> None:
    model.sizes = (12,)
    twelve = np.flatnonzero(rings.sizes == 12)
    model.step(-1)
    assert model.current == twelve[-1]
    model.step(3)
    assert model.current == twelve[2]
    model.position = 5
    assert model.current == twelve[5]
    with pytest.raises(ValueError, match=rf"position={twelve.size}: {twelve.size} rings are sel"):
        model.position = twelve.size


def test_a_click_finds_the_nearest_selected_ring(model: RingModel) -> None:
    model.sizes = (16,)
    x, y = model.measures["roundness"], model.measures["roughness"]
    for k in model.numbers[::7].tolist():
        assert model.pick_at(x[k] + 1e-6, y[k] - 1e-6, (0.01, 0.01)) == model.current
        assert np.hypot(x[model.current] - x[k], y[model.current] - y[k]) < 1e-5
    before = model.current
    assert model.pick_at(0.02, 0.9, (0.01, 0.01)) is None
    assert model.current == before


# -- words and tables ----------------------------------------------------------------------------


def test_statistics_agree_with_pandas(model: RingModel, rings: Rings) -> None:
    model.set_region((0.7, 1.0), (0.0, 0.4))
    table = ring_shape(rings).to_frame().iloc[model.numbers]
    found = model.statistics()
    assert found.index.name == "size (atoms)"
    assert found.loc["all", "selected"] == len(table) < len(rings)
    assert found.loc["all", "of"] == len(rings)
    for name, title in MEASURES.items():
        means = table.groupby("size")[name].mean()
        assert found[title][map(str, means.index)].to_numpy() == pytest.approx(means.to_numpy())
        assert found.loc["all", title] == pytest.approx(table[name].mean())
    mean, deviation = table["roundness"].mean(), table["roundness"].std(ddof=0)
    assert f"roundness {mean:.3f} ± {deviation:.3f}, " in model.summary
    model.sizes = (5,)
    assert model.statistics().loc["all", "selected"] == 0
    assert model.summary == ""


def test_frame_holds_the_selected_rings(model: RingModel, rings: Rings) -> None:
    model.sizes = (12,)
    frame = model.selected_frame()
    assert frame.index.tolist() == model.numbers.tolist()
    assert (frame["size"] == 12).all()
    assert (frame["former_size"] == 6).all()
    k = frame.index[3]
    assert frame["atoms"][k] == tuple(rings[k].tolist())
    assert frame["area"][k] == ring_shape(rings).area[k]
    assert len(model.selected_frame(4)) == 4


def test_words_name_the_ring_and_its_atoms(model: RingModel, rings: Rings) -> None:
    model.sizes = (12,)
    k = model.current
    shape = ring_shape(rings)
    assert model.words.startswith(
        f"Ring {k}: 12 atoms (6 O, 6 Si); roundness {shape.roundness[k]:.3f}, "
        f"roughness {shape.roughness[k]:.3f}, "
    )
    assert model.members.count(" – ") == 11
    assert model.members.split(" – ")[0] == model.name_of(int(rings[k][0]))


def test_counting_formers(model: RingModel, rings: Rings) -> None:
    model.sizes, model.current = (16,), 7
    model.counting = "formers"
    model.wait(WAIT)
    assert model.shape is not None
    assert model.shape.sizes.tolist() == rings.former_sizes.tolist()
    assert model.sizes == ()  # sixteen network formers are another size
    assert model.size_words == "Si atoms"
    assert model.rings is rings


@pytest.mark.parametrize(
    ("text", "sizes"),
    [("", ()), ("6", (6,)), ("12, 8", (8, 12)), ("5 7-9,20", (5, 7, 8, 9, 20)), ("4 – 5", (4, 5))],
)
def test_typed_sizes(text: str, sizes: tuple[int, ...]) -> None:
    assert parse_sizes(text) == sizes


@pytest.mark.parametrize("text", ["six", "-3", "3.5", "4-"])
def test_typed_nonsense(text: str) -> None:
    with pytest.raises(ValueError, match=r"sizes: .* is no whole number; write for example"):
        parse_sizes(text)


# -- where the ring is drawn ---------------------------------------------------------------------


def test_rings_that_leave_the_cell_are_in_one_piece(model: RingModel, rings: Rings) -> None:
    leaving = np.unique(
        np.searchsorted(rings.offsets, np.flatnonzero(rings.images.any(axis=1)), "right") - 1
    )
    assert leaving.size > 10
    for k in leaving[:20].tolist():
        model.current = k
        corners = model.polygon
        sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
        assert sides.max() < 2.0
        inside = corners.mean(axis=0) @ np.linalg.inv(rings.atoms.cell.array)
        assert ((inside >= -1e-9) & (inside < 1 + 1e-9)).all()


@pytest.mark.parametrize("pbc", [True, [True, False, True], False])
@pytest.mark.parametrize("distance", [2.5, 6.0])
def test_surroundings_against_all_images(distance: float, pbc: Any) -> None:
    """A skewed cell smaller than the reach, against every image of a large supercell."""
    cell = cellpar_to_cell([6, 7, 8, 70, 80, 100])
    rng = np.random.default_rng(3)
    atoms = Atoms("Si6O12", cell=cell, pbc=pbc)
    atoms.set_scaled_positions(rng.random((18, 3)))
    found = bonds(atoms, {("Si", "O"): 2.2})
    corners = rng.random((5, 3)) @ cell * 0.6 + cell[0] * 0.5
    cluster = ring_geometry.surroundings(atoms, found, corners, distance)

    spans = [range(-4, 5) if periodic else [0] for periodic in atoms.pbc]
    shifts = np.array(np.meshgrid(*spans, indexing="ij")).reshape(3, -1).T
    points = (atoms.positions[None] + (shifts @ cell)[:, None]).reshape(-1, 3)
    near = np.linalg.norm(points[:, None] - corners, axis=2).min(axis=1) <= distance
    assert len(cluster.points) == near.sum()
    assert _sorted(cluster.points) == pytest.approx(_sorted(points[near]), abs=1e-9)
    assert (atoms.numbers[cluster.indices] > 0).all()

    apart = np.linalg.norm(cluster.points[:, None] - cluster.points, axis=2)
    silicon = atoms.numbers[cluster.indices] == 14
    mixed = silicon[:, None] & ~silicon
    assert len(cluster.links) == ((apart <= 2.2) & mixed).sum()
    lengths = np.linalg.norm(np.diff(cluster.points[cluster.links], axis=1)[:, 0], axis=1)
    assert lengths.max(initial=0.0) <= 2.2


def _sorted(points: np.ndarray) -> np.ndarray:
    return points[np.lexsort(points.round(6).T)]


def test_surroundings_hold_the_ring(model: RingModel) -> None:
    model.current, model.within = 11, 4.0
    cluster = model.surroundings
    assert cluster.own.sum() == len(model.polygon)
    assert _sorted(cluster.points[cluster.own]) == pytest.approx(_sorted(model.polygon), abs=1e-6)


# -- the search ----------------------------------------------------------------------------------


class Searches:
    """Stands in for the search: each call waits for its turn."""

    def __init__(self, rings: Rings) -> None:
        self.rings = rings
        self.calls: list[tuple[str, int | None]] = []
        self.may_go = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)

    def __call__(
        self, definition: str, atoms: Atoms, cutoff: Any, max_size: int | None, progress: Any
    ) -> Rings:
        self.calls.append((definition, max_size))
        progress(1, 4, "rings")
        self.begun.release()
        assert self.may_go.acquire(timeout=WAIT)
        progress(4, 4, "rings")
        if max_size == 3:
            raise RuntimeError("lost <bonds>")
        warnings.warn("10 atoms are loose", stacklevel=1)
        return replace(self.rings, definition=definition, max_size=max_size or 24)


def test_a_search_goes_on_in_the_background(rings: Rings) -> None:
    search = Searches(rings)
    model = RingModel(rings.atoms, cutoff=CUTOFF, search=search)
    assert search.begun.acquire(timeout=WAIT)
    assert model.busy
    assert model.rings is None
    assert model.words == ""
    assert model.status == "Searching primitive rings in the background: 1 of 4 parts done."
    with pytest.raises(TimeoutError, match="goes on after"):
        model.wait(0.01)
    search.may_go.release()
    model.wait(WAIT)
    assert not model.busy
    assert model.note == "10 atoms are loose"  # a warning, shown instead of raised
    assert "primitive rings up to 24 atoms" in model.status
    assert len(model.selected) == len(rings)


def test_the_latest_wish_counts(rings: Rings) -> None:
    search = Searches(rings)
    model = RingModel(rings.atoms, cutoff=CUTOFF, search=search)
    assert search.begun.acquire(timeout=WAIT)
    model.definition = "king"
    model.max_size = 12
    search.may_go.release()  # the first search hears at its next step that it is not wanted
    assert search.begun.acquire(timeout=WAIT)
    search.may_go.release()
    model.wait(WAIT)
    assert search.calls == [("primitive", None), ("king", 12)]
    assert model.error == ""
    assert model.rings is not None
    assert (model.rings.definition, model.rings.max_size) == ("king", 12)

    # What has been found is kept.
    search.may_go.release()
    model.definition = "guttman"
    model.wait(WAIT)
    model.definition = "king"
    model.wait(WAIT)
    assert len(search.calls) == 3
    assert model.rings.definition == "king"


def test_failures_and_stop(rings: Rings) -> None:
    search = Searches(rings)
    search.may_go.release()
    model = RingModel(rings.atoms, cutoff=CUTOFF, search=search)
    model.wait(WAIT)
    model.max_size = 3
    search.may_go.release()
    model.wait(WAIT)
    assert model.error == "RuntimeError: lost <bonds>"
    assert model.status == "The search failed."
    assert model.numbers.size == len(rings)  # what was shown remains

    for _ in range(2):
        assert search.begun.acquire(timeout=WAIT)
    model.max_size = 20
    assert search.begun.acquire(timeout=WAIT)
    model.stop()
    search.may_go.release()
    model.wait(WAIT)
    assert not model.busy
    assert model.rings is not None
    assert model.rings.max_size == 24


def test_selected_tells_why_there_is_nothing(rings: Rings) -> None:
    search = Searches(rings)
    search.may_go.release()
    model = RingModel(rings.atoms, cutoff=CUTOFF, max_size=3, search=search)
    with pytest.raises(ValueError, match="there are no rings: RuntimeError: lost"):
        _ = model.selected
    assert model.save("rings.csv") is None
    assert model.clusters() == []
    assert model.statistics().empty


def test_the_real_search(rings: Rings) -> None:
    """Atoms without bonds make the search warn; the page shows it."""
    atoms = rings.atoms.copy()
    del atoms[[atom.index for atom in atoms if atom.symbol == "Si"][:2]]
    model = RingModel(atoms, cutoff=CUTOFF, max_size=12)
    model.wait(WAIT)
    assert model.error == ""
    assert "of 241 atoms have fewer than two bonds" in model.note
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = primitive_rings(atoms, cutoff=CUTOFF, max_size=12)
    assert len(model.selected) == len(expected) > 50


# -- files ---------------------------------------------------------------------------------------


def test_save_a_table(model: RingModel, rings: Rings, tmp_path: Path) -> None:
    model.sizes = (12,)
    path = model.save(str(tmp_path / "rings.csv"))
    assert path == tmp_path / "rings.csv"
    table = pd.read_csv(path, comment="#")
    assert len(table) == model.numbers.size
    assert table["atoms"][0] == " ".join(map(str, rings[model.numbers[0]]))
    assert model.status == f"Saved {len(table)} rings to {path}"


def test_save_molecules(model: RingModel, rings: Rings, tmp_path: Path) -> None:
    model.sizes = (16,)
    path = model.save(str(tmp_path / "rings.extxyz"))
    saved = ase.io.read(path, ":")
    assert [atoms.info["ring"] for atoms in saved] == model.numbers.tolist()
    k = int(model.numbers[5])
    assert saved[5].positions == pytest.approx(rings.polygon(k), abs=1e-6)
    assert saved[5].arrays["atom"].tolist() == rings[k].tolist()
    assert (saved[5].numbers == rings.atoms.numbers[rings[k]]).all()
    assert saved[5].info["roundness"] == pytest.approx(ring_shape(rings).roundness[k], abs=1e-6)
    assert not saved[5].pbc.any()

    model.step(3)
    alone = model.save(str(tmp_path / "sub" / "one.xyz"), one=True)
    assert [a.info["ring"] for a in ase.io.read(alone, ":")] == [model.current]
    assert model.status == f"Saved 1 ring to {alone}"


def test_what_cannot_be_saved_is_said(model: RingModel, tmp_path: Path) -> None:
    assert model.save(str(tmp_path / "rings.cif")) is None
    assert model.error == "Not saved: rings.cif: the name must end with .csv or .extxyz"
    model.sizes = (5,)
    assert model.save(str(tmp_path / "rings.csv")) is None
    assert model.error == "Not saved: no ring is selected"
    assert list(tmp_path.iterdir()) == []


# -- bad input -----------------------------------------------------------------------------------


def test_bad_input_is_named(model: RingModel, rings: Rings) -> None:
    atoms = rings.atoms
    with pytest.raises(ValueError, match="definition='shortest': must be one of primitive, king"):
        RingModel(atoms, definition="shortest", cutoff=CUTOFF)
    with pytest.raises(ValueError, match="max_size=2: must be from 3 to 120"):
        RingModel(atoms, cutoff=CUTOFF, max_size=2)
    with pytest.raises(ValueError, match=r"cutoff=0.5: no two atoms are that close"):
        RingModel(atoms, cutoff=0.5)
    with pytest.raises(ValueError, match=r"rings: found in a structure of 243 atoms, .* has 9"):
        RingModel(gn.models.crystal("alpha-quartz"), rings)
    moved = atoms.copy()
    moved.positions[3] += 0.1
    with pytest.raises(ValueError, match=r"rings: found in a structure with other positions"):
        RingModel(moved, rings)
    with pytest.raises(TraitError, match="no ring 99999: there are"):
        model.current = 99999
    with pytest.raises(TraitError, match="no atom 243: indices run from 0 to 242"):
        model.atom = 243
    with pytest.raises(TraitError, match="roundness=.*must not be larger"):
        model.roundness = (0.9, 0.1)


def test_state_knows_no_widgets() -> None:
    code = (
        "import sys, glassnb_widgets.ring_model, glassnb_widgets.ring_geometry;"
        "print([m for m in ('ipywidgets', 'nglview', 'anywidget') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
