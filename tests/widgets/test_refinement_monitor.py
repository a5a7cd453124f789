"""The refinement monitor: with a pretended engine that goes when told, and with the real one."""

from __future__ import annotations

import threading
import time
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
from glassnb_widgets import refinement_picture
from glassnb_widgets.refinement_model import RefinementModel
from glassnb_widgets.refinement_monitor import RefinementMonitor
from traitlets import TraitError

import glassnb as gn
from glassnb.models.reverse_monte_carlo import (
    BondAngle,
    Coordination,
    Curve,
    MinimumDistance,
    Record,
    Refinement,
    ReverseMonteCarlo,
    StructureFactorData,
)

WAIT = 60.0  # s; nothing here takes more than a second or two
BLOCK = 10
Q = np.linspace(1.0, 12.0, 23)


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + WAIT
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.fixture(autouse=True)
def _small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refinement_picture, "_DPI", 30)


class FakeEngine:
    """Has the interface of ReverseMonteCarlo, and makes a block of moves when the test says so."""

    def __init__(self, *, free: bool = False) -> None:
        self.weights = {"neutrons": 1.0, "X-rays": 2.0, "Si with 4 O": 50.0}
        self.atoms = gn.models.crystal("beta-cristobalite")
        self.moves_done = 0
        self.acceptance = float("nan")
        self.move_size = 0.1
        self.calls: list[tuple[int, tuple[float, float]]] = []
        self.history: list[Record] = []
        self.may_go = threading.Semaphore(10**6 if free else 0)
        self.has_gone = threading.Semaphore(0)
        self.inside = False
        self.fails: Exception | None = None
        self.after_block: Callable[[], None] = lambda: None

    def go(self, blocks: int = 1) -> None:
        """Let blocks happen, and wait until they have."""
        for _ in range(blocks):
            self.may_go.release()
            assert self.has_gone.acquire(timeout=WAIT)

    @property
    def deviation(self) -> float:
        return 0.1 / (1 + self.moves_done / BLOCK)

    @property
    def chi2_terms(self) -> dict[str, float]:
        data = Q.size * (self.deviation / 0.01) ** 2
        bare = {"neutrons": data, "X-rays": data, "Si with 4 O": 0.0}
        return {name: self.weights[name] * cost for name, cost in bare.items()}

    def set_weight(self, name: str, value: float) -> None:
        assert not self.inside, "weights are changed between runs"
        if value == 13:
            raise ValueError("value=13.0: brings bad luck")
        self.weights[name] = value

    def refinement(self) -> Refinement:
        data = 1 + np.sin(Q) / Q
        curves = tuple(
            Curve(
                name,
                "S(Q)",
                radiation,
                Q,
                data,
                np.full(Q.size, 0.01),
                data + self.deviation,
            )  # fmt: skip
            for name, radiation in (("neutrons", "neutron"), ("X-rays", "x-ray"))
        )
        return Refinement(self.atoms.copy(), curves, tuple(self.history))

    def report(self) -> str:
        return f"{self.moves_done} moves were tried"

    def run(
        self, moves: int, *, temperature: Any, progress: Any, stop: Any, on_update: Any,
        update_every: int,
    ) -> Any:  # fmt: skip
        self.calls.append((moves, temperature))
        last = self.moves_done + moves
        self.inside = True
        while self.moves_done < last and not stop():
            assert self.may_go.acquire(timeout=WAIT)
            if self.fails is not None:
                raise self.fails
            self.moves_done += BLOCK
            self.acceptance = 0.25
            self.atoms = self.atoms.copy()
            self.atoms.rattle(0.02, seed=self.moves_done)
            terms = self.chi2_terms
            self.history.append(
                Record(self.moves_done, sum(terms.values()), terms, 0.25, temperature[0], 0.1)
            )
            on_update(self.refinement())
            progress(self.moves_done, last, "accepted 25%")
            self.after_block()
            self.has_gone.release()
        self.inside = False
        return self.refinement()


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def monitor(engine: FakeEngine, shown: Callable) -> Iterator[RefinementMonitor]:
    made = RefinementMonitor(engine, moves=40, temperature=(2.0, 0.5))
    # The pretended clock stands still, so that every block is shown.
    made.model._interval, made.model._clock = 0.0, lambda: 0.0
    shown(made)
    yield made
    made.stop()
    for _ in range(20):
        engine.may_go.release()
    made.wait(WAIT)


def paused(monitor: RefinementMonitor, engine: FakeEngine) -> None:
    """Run two blocks and pause."""
    monitor.run_button.click()
    engine.go()
    monitor.pause_button.click()
    engine.go()
    until(lambda: monitor.model.state == "paused")


def test_a_run_from_start_to_end(monitor: RefinementMonitor, engine: FakeEngine) -> None:
    assert monitor.pause_button.disabled
    assert monitor.stop_button.disabled
    monitor.run_button.click()
    engine.go()
    assert engine.calls == [(40, (2.0, 0.5))]
    assert monitor.run_button.disabled
    assert monitor.moves.disabled
    assert monitor.save_button.disabled
    assert not monitor.pause_button.disabled
    assert (monitor.progress.value, monitor.progress.max) == (10, 40)
    assert "Refining: 10 of 40 moves" in monitor.status.value
    monitor.run_button.click()  # a second run does not start
    engine.go(3)
    monitor.wait(WAIT)
    assert len(engine.calls) == 1
    assert "Done: 40 of 40 moves" in monitor.status.value
    assert monitor.progress.value == 40
    assert not monitor.run_button.disabled
    assert monitor.stop_button.disabled
    assert not monitor.save_button.disabled
    assert monitor.error.value == ""
    assert monitor.to_frame()["moves"].tolist() == [10, 20, 30, 40]


def test_pause_and_continue(monitor: RefinementMonitor, engine: FakeEngine) -> None:
    paused(monitor, engine)
    assert not engine.inside
    assert "Paused after 20 of 40 moves" in monitor.status.value
    assert monitor.pause_button.description == "Continue"
    assert not monitor.save_button.disabled
    assert monitor.model.busy
    monitor.pause_button.click()
    engine.go(2)
    monitor.wait(WAIT)
    # Half of the way from 2 to 0.5 on a geometric path is 1.
    assert [moves for moves, _ in engine.calls] == [40, 20]
    assert engine.calls[1][1] == pytest.approx((1.0, 0.5), rel=1e-12)
    assert monitor.pause_button.description == "Pause"
    assert "Done: 40 of 40 moves" in monitor.status.value


def test_stop_keeps_what_was_reached(monitor: RefinementMonitor, engine: FakeEngine) -> None:
    monitor.run()
    engine.go()
    monitor.stop_button.click()
    assert "Stopping." in monitor.status.value
    engine.go()
    monitor.wait(WAIT)
    assert "Stopped: 20 of 40 moves" in monitor.status.value
    np.testing.assert_array_equal(monitor.atoms.positions, engine.atoms.positions)
    # The next run goes on from there.
    monitor.run()
    engine.go(4)
    monitor.wait(WAIT)
    assert engine.moves_done == 60
    assert engine.calls[1] == (40, (2.0, 0.5))


def test_stop_while_paused(monitor: RefinementMonitor, engine: FakeEngine) -> None:
    paused(monitor, engine)
    monitor.stop_button.click()
    monitor.wait(WAIT)
    assert "Stopped: 20 of 40 moves" in monitor.status.value
    assert monitor.model.state == "idle"


def test_weights_change_between_blocks(monitor: RefinementMonitor, engine: FakeEngine) -> None:
    boxes = monitor.costs.boxes
    assert {name: box.value for name, box in boxes.items()} == engine.weights
    assert "temperature 2<" in monitor.now.value
    boxes["neutrons"].value = 3.0  # before the run
    assert "temperature 2<" in monitor.now.value
    assert engine.weights["neutrons"] == 3.0
    monitor.run()
    engine.go()
    boxes["X-rays"].value = 5.0  # while it goes
    assert engine.weights["X-rays"] == 2.0
    engine.go()
    until(lambda: len(engine.calls) == 2)
    assert engine.weights["X-rays"] == 5.0
    assert engine.calls[1] == (20, pytest.approx((1.0, 0.5)))
    monitor.pause()
    engine.go()
    until(lambda: monitor.model.state == "paused")
    before = monitor.chi2.value
    boxes["X-rays"].value = 0.0  # while it rests: seen at once
    until(lambda: monitor.model.moment.terms["X-rays"] == 0.0)
    assert monitor.model.state == "paused"
    assert monitor.model.changes == [0, 20, 30]
    until(lambda: monitor.chi2.value != before)
    monitor.resume()
    engine.go()
    monitor.wait(WAIT)
    assert engine.moves_done == 40


def test_a_weight_that_is_refused(monitor: RefinementMonitor, engine: FakeEngine) -> None:
    monitor.costs.boxes["X-rays"].value = 13.0
    assert "Weight not changed: value=13.0: brings bad luck" in monitor.error.value
    assert monitor.costs.boxes["X-rays"].value == 2.0
    assert engine.weights["X-rays"] == 2.0


def test_temperature_changes_on_the_way(monitor: RefinementMonitor, engine: FakeEngine) -> None:
    monitor.run()
    engine.go()
    monitor.temperature_end.value = 0.25  # from where it is to the new end
    engine.go()
    until(lambda: len(engine.calls) == 2)
    assert engine.calls[1] == (20, pytest.approx((1.0, 0.25)))
    monitor.temperature_start.value = 4.0  # from the new start
    engine.go()
    until(lambda: len(engine.calls) == 3)
    assert engine.calls[2] == (10, pytest.approx((4.0, 0.25)))
    engine.go()
    monitor.wait(WAIT)


def test_errors_of_the_engine_are_shown(monitor: RefinementMonitor, engine: FakeEngine) -> None:
    engine.fails = RuntimeError("lost <all>")
    monitor.run()
    engine.may_go.release()
    monitor.wait(WAIT)
    assert "RuntimeError: lost &lt;all&gt;" in monitor.error.value
    assert "The refinement failed." in monitor.status.value
    assert not monitor.run_button.disabled
    engine.fails = None
    monitor.run()
    engine.go(4)
    monitor.wait(WAIT)
    assert monitor.error.value == ""


def test_pictures_and_tables_follow(engine: FakeEngine, shown: Callable) -> None:
    monitor = RefinementMonitor(engine, moves=40)
    monitor.model._interval, monitor.model._clock = 0.0, lambda: 0.0
    browser = shown(monitor)
    pictures = [(monitor.curves.value, monitor.chi2.value, monitor.now.value)]
    monitor.run()
    for _ in range(3):
        engine.go()
        pictures.append((monitor.curves.value, monitor.chi2.value, monitor.now.value))
        # Deviation 0.1 / (1 + blocks), chi-squared of a data set 23 (deviation / 0.01)².
        blocks = engine.moves_done / BLOCK
        neutrons = monitor.costs._numbers["neutrons"].value
        assert f"<span>{2300 / (1 + blocks) ** 2:.5g}</span>" in neutrons
        assert f"<span>{0.1 / (1 + blocks):.4f}</span>" in neutrons
        assert "<span>2300</span>" in neutrons  # at the start
        assert "<span>33.3%</span>" in neutrons  # the other data set has twice the weight
        assert f"<span>{6900 / (1 + blocks) ** 2:.5g}</span>" in monitor.costs.total.value
    engine.go()
    monitor.wait(WAIT)
    for kind in range(3):
        assert len({picture[kind] for picture in pictures}) == 4
    assert all(bytes(curves[:4]) == b"\x89PNG" for curves, _, _ in pictures)
    assert "temperature 2<br>moves of up to 0.1 Å, 25% accepted" in pictures[1][2]
    assert browser.last("structure")["names"][0] == "Si 0"
    curves, records = (box.value for box in monitor._tables)
    assert "X-rays" in curves
    assert "0.020" in curves  # 0.1 / 5
    assert [word in records for word in ("temperature", "move size (Å)", "accepted")] == [True] * 3


def test_colours_by_distance_moved(engine: FakeEngine, shown: Callable) -> None:
    monitor = RefinementMonitor(engine, moves=10)
    browser = shown(monitor)
    start = engine.atoms.copy()
    monitor.run()
    engine.go()
    monitor.wait(WAIT)
    assert "Si (8)" in monitor.legend.value
    structures = sum("structure" in names for names in browser.drawn)
    monitor.colour_by.value = "distance moved"
    moved = np.linalg.norm(engine.atoms.positions - start.positions, axis=1)
    np.testing.assert_allclose(monitor.model.moment.moved, moved, atol=1e-12)
    limit = np.quantile(moved, 0.98)
    assert f"{limit:.2f} Å or more" in monitor.legend.value
    rgba = mpl.colormaps["viridis"](moved / limit)
    expected = [int(mpl.colors.to_hex(colour)[1:], 16) for colour in rgba]
    assert browser.last("colours")[: len(start)] == expected
    # The atoms themselves are not sent again.
    assert sum("structure" in names for names in browser.drawn) == structures
    assert f"{moved.mean():.3f} Å mean, {moved.max():.2f} Å at most" in monitor.now.value


def test_pictures_take_less_than_a_fifth_of_the_time() -> None:
    """With a clock of our own: a block takes 1 s and a picture 0.7 s."""
    now = [0.0]
    engine = FakeEngine(free=True)
    model = RefinementModel(engine, clock=lambda: now[0], interval=1.5, moves=2000)
    pictures: list[float] = []

    def draw(change: Any) -> None:
        pictures.append(now[0])
        now[0] += 0.7

    def block() -> None:
        now[0] += 1.0

    engine.after_block = block
    model.observe(draw, "moment")
    model.run()
    model.wait(WAIT)
    assert model.error == ""
    assert engine.moves_done == 2000
    share = 0.7 * (len(pictures) - 1) / now[0]  # without the one at the end
    assert 0.1 < share < 0.2


def test_words_say_how_long_it_takes() -> None:
    """With a clock of our own: 4 s for 10 of 40 moves leave 12 s."""
    now = [0.0]
    engine = FakeEngine(free=True)
    model = RefinementModel(engine, clock=lambda: now[0], moves=40)
    said: list[str] = []
    model.observe(lambda change: said.append(change["new"]), "status")

    def block() -> None:
        now[0] += 4.0

    on_progress = model._on_progress
    model._on_progress = lambda *args: (block(), on_progress(*args))  # type: ignore[assignment, func-returns-value]
    model.run()
    model.wait(WAIT)
    assert "Refining: 10 of 40 moves, 2 in a second, about 12 s left" in said
    assert said[-1] == "Done: 40 of 40 moves in 16 s."


@pytest.mark.parametrize("name", ["refined.extxyz", "sub/refined.cif"])
def test_save(name: str, monitor: RefinementMonitor, engine: FakeEngine, tmp_path: Path) -> None:
    paused(monitor, engine)
    monitor.file_name.value = str(tmp_path / name)
    monitor.save_button.click()
    assert monitor.error.value == ""
    assert f"Saved to {tmp_path / name}" in monitor.status.value
    folder = (tmp_path / name).parent
    saved = ase.io.read(tmp_path / name)
    assert saved.get_chemical_formula() == engine.atoms.get_chemical_formula()
    assert "20 moves were tried" in (folder / "refined-report.txt").read_text()
    history = pd.read_csv(folder / "refined-history.csv")
    assert history["moves"].tolist() == [10, 20]
    assert history["chi2"].iloc[-1] == pytest.approx(3 * 2300 / 9)


def test_what_cannot_be_saved_is_said(
    monitor: RefinementMonitor, engine: FakeEngine, tmp_path: Path
) -> None:
    monitor.run()
    engine.go()
    assert monitor.model.save(str(tmp_path / "x.extxyz")) == []
    assert "pause or stop the refinement first" in monitor.error.value
    engine.go(3)
    monitor.wait(WAIT)
    monitor.file_name.value = str(tmp_path / "refined.unheard-of")
    monitor.save_button.click()
    assert "Not saved" in monitor.error.value
    assert list(tmp_path.iterdir()) == []


def test_bad_arguments_are_named(engine: FakeEngine) -> None:
    with pytest.raises(ValueError, match=r"temperature=\(1, 0\): must be positive"):
        RefinementMonitor(engine, temperature=(1, 0))
    with pytest.raises(ValueError, match="moves=0: must be 1 or more"):
        RefinementMonitor(engine, moves=0)
    model = RefinementModel(engine)
    with pytest.raises(TraitError, match="temperature_end=-1.0: must be positive"):
        model.temperature_end = -1.0


def test_costs_are_drawn_up_to_the_moment(engine: FakeEngine, shown: Callable) -> None:
    """A weight that is changed shows at once, also between two records."""
    monitor = RefinementMonitor(engine, moves=40)
    shown(monitor)
    drawn = monitor._chi2._terms["X-rays"]
    assert drawn.get_xydata().tolist() == [[0.0, pytest.approx(4600)]]
    monitor.costs.boxes["X-rays"].value = 1.0
    assert drawn.get_xydata().tolist() == [[0.0, pytest.approx(2300)]]
    paused(monitor, engine)
    monitor.costs.boxes["X-rays"].value = 9.0
    until(lambda: len(monitor.model.changes) == 2)
    until(lambda: drawn.get_ydata()[-1] == pytest.approx(9 * 2300 / 9))
    assert drawn.get_xdata().tolist() == pytest.approx([0.01, 0.02, 0.02])
    monitor.stop()
    monitor.wait(WAIT)


def test_one_temperature_is_kept(engine: FakeEngine) -> None:
    monitor = RefinementMonitor(engine, moves=10, temperature=1.5)
    monitor.run()
    engine.go()
    monitor.wait(WAIT)
    assert engine.calls == [(10, (1.5, 1.5))]
    monitor.close()


def test_close_ends_the_run(engine: FakeEngine) -> None:
    monitor = RefinementMonitor(engine, moves=40)
    monitor.run()
    engine.go()
    monitor.close()
    engine.go()
    monitor.wait(WAIT)
    assert engine.moves_done == 20


def test_controls_have_names(monitor: RefinementMonitor) -> None:
    kinds = (
        ipw.Button, ipw.Dropdown, ipw.Text, ipw.IntProgress, ipw.BoundedIntText,
        ipw.BoundedFloatText,
    )  # fmt: skip
    controls = [value for value in vars(monitor).values() if isinstance(value, kinds)]
    controls += monitor.costs.boxes.values()
    assert len(controls) == 13
    assert all(control.description for control in controls)


# -- with the real engine ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def glass() -> Atoms:
    atoms = gn.models.crystal("beta-cristobalite", repeat=2)
    atoms.rattle(0.1, seed=1)
    return atoms


def refinement(glass: Atoms) -> ReverseMonteCarlo:
    """A crystal that shall become the same crystal, its atoms displaced otherwise."""
    target = gn.models.crystal("beta-cristobalite", repeat=2)
    target.rattle(0.05, seed=2)
    data = [
        StructureFactorData(
            Q,
            gn.scattering.structure_factor(target, Q, radiation=kind).total,
            kind,
            sigma=0.01,
            name=name,
        )
        for kind, name in (("neutron", "neutrons"), ("x-ray", "X-rays"))
    ]
    constraints = [
        MinimumDistance({("Si", "O"): 1.1}),
        Coordination("Si", "O", (0, 2.2), 4, weight=20.0),
        BondAngle("O", "Si", "O", weight=0.5),
    ]
    return ReverseMonteCarlo(glass, data, constraints, seed=3)


def test_the_real_engine_makes_the_same_moves(glass: Atoms, shown: Callable) -> None:
    alone = refinement(glass)
    alone.run(6000, temperature=(2.0, 0.5), progress=False)
    monitor = RefinementMonitor(refinement(glass), moves=6000, temperature=(2.0, 0.5))
    shown(monitor)
    monitor.run()
    monitor.wait(WAIT)
    assert monitor.error.value == ""
    np.testing.assert_array_equal(monitor.atoms.positions, alone.atoms.positions)
    assert monitor.model.moment.terms == alone.chi2_terms
    assert monitor.model.moment.chi2 < 0.2 * monitor.model.start.chi2
    assert monitor.to_frame()["chi2"].tolist() == alone.refinement().to_frame()["chi2"].tolist()
    # The curves that are drawn are those of the structure that is shown.
    again = ReverseMonteCarlo(monitor.atoms, [*_data(alone)])
    for k, curve in enumerate(monitor.model.moment.refinement.curves):
        np.testing.assert_allclose(curve.calculated, again.calculated(k), atol=1e-9)


def _data(rmc: ReverseMonteCarlo) -> Iterator[StructureFactorData]:
    for curve in rmc.refinement().curves:
        yield StructureFactorData(curve.x, curve.measured, curve.radiation, name=curve.name)


def test_weights_of_the_real_engine(glass: Atoms, shown: Callable, tmp_path: Path) -> None:
    rmc = refinement(glass)
    monitor = RefinementMonitor(rmc, moves=200_000)
    shown(monitor)
    boxes = monitor.costs.boxes
    assert {name: box.value for name, box in boxes.items()} == {
        "neutrons": 1.0, "X-rays": 1.0, "Si with 4 O": 20.0, "O-Si-O angle": 0.5,
    }  # fmt: skip
    first = rmc.chi2_terms["O-Si-O angle"]
    boxes["O-Si-O angle"].value = 1.5
    assert rmc.chi2_terms["O-Si-O angle"] == pytest.approx(3 * first, rel=1e-12)
    monitor.run()
    until(lambda: rmc.moves_done >= 2000)
    boxes["X-rays"].value = 0.0
    until(lambda: monitor.model.moment.terms["X-rays"] == 0.0)
    monitor.pause()
    until(lambda: monitor.model.state == "paused")
    assert 0 < rmc.moves_done < 200_000
    monitor.file_name.value = str(tmp_path / "refined.extxyz")
    monitor.save_button.click()
    assert monitor.error.value == ""
    saved = ase.io.read(tmp_path / "refined.extxyz")
    np.testing.assert_allclose(saved.positions, rmc.atoms.positions, atol=1e-6)
    assert "O-Si-O angle" in (tmp_path / "refined-report.txt").read_text()
    monitor.stop()
    monitor.wait(WAIT)
    assert monitor.error.value == ""
    assert rmc.weights == {
        "neutrons": 1.0, "X-rays": 0.0, "Si with 4 O": 20.0, "O-Si-O angle": pytest.approx(1.5),
    }  # fmt: skip
