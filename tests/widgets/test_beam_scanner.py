"""The beam scanner: state, plot, words, and what goes to the canvas."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets as ipw
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from glassnb_widgets import BeamScanner
from glassnb_widgets import beam_slab as slabs
from glassnb_widgets.beam_model import BeamModel
from glassnb_widgets.beam_planes import crests
from glassnb_widgets.beam_report import p_text
from traitlets import TraitError

import glassnb as gn
from glassnb.diffraction import Probe, Scanner, paired_spots, quasi_lattice_planes, scan

WAIT = 120.0  # s
PROBE = Probe(fwhm=5.0)


@pytest.fixture(scope="module")
def glass() -> Atoms:
    return gn.models.load("silica-pristine-648")


@pytest.fixture(autouse=True)
def _few_null_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer scans without order than users get, so that tests are short."""
    monkeypatch.setattr(slabs, "N_NULL", 3)
    monkeypatch.setattr(slabs, "STEPS", 6)


@pytest.fixture
def model(glass: Atoms) -> Iterator[BeamModel]:
    made = BeamModel(glass, PROBE, k_max=0.7)
    yield made
    made.stop()
    made.wait(WAIT)


@pytest.fixture
def scanner(glass: Atoms, shown: Callable) -> Iterator[BeamScanner]:
    made = BeamScanner(glass, PROBE, k_max=0.7)
    made.browser = shown(made)
    yield made
    made.model.stop()
    made.wait(WAIT)


def do(scanner: BeamScanner, **event: Any) -> None:
    """Report, as the JavaScript of the plot does, what was done there."""
    scanner.plot._handle_custom_msg(event, [])


def words(widget: ipw.HTML) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", "", widget.value))


# -- state ---------------------------------------------------------------------------------------


def test_the_pattern_is_that_of_the_library(model: BeamModel, glass: Atoms) -> None:
    plain = Scanner(glass, PROBE, k_max=0.7)
    model.move(3.0, 7.5)
    assert model.pattern == pytest.approx(plain.pattern((3.0, 7.5)), rel=1e-5)
    grid = (np.arange(6) + 0.5) / 6
    x0, x1, y0, y1 = plain.field
    places = [(x0 + a * (x1 - x0), y0 + b * (y1 - y0)) for a in grid for b in grid]
    whole = scan(glass, PROBE, positions=places, k_max=0.7)
    found = paired_spots(
        plain.pattern((3.0, 7.5)), k_x=plain.k_x, k_y=plain.k_y, probe=PROBE, mean=whole.mean,
        n_max=6,
    )  # fmt: skip
    frame = model.to_frame()
    assert frame["strength"].to_numpy() == pytest.approx(found.strength, rel=1e-4)
    assert frame["k_x"].to_numpy() == pytest.approx(found.k_x, abs=1e-4)
    assert frame["d"].to_numpy() == pytest.approx(1 / found.k, abs=1e-3)


def test_p_values_are_shares_of_stronger_patterns(model: BeamModel) -> None:
    model.wait(WAIT)
    known = model.significance
    assert known is not None
    assert known.null_strength.size == 3 * 36
    stronger = [(known.null_strength >= s).sum() for s in model.spots.strength]
    assert model.p_values == pytest.approx((1 + np.array(stronger)) / (1 + 3 * 36))
    model.go_to_strongest()
    assert model.spots.strength.max() == pytest.approx(known.strength.max(), rel=1e-3)
    assert model.status == "Ready."


def test_p_values_wait_for_the_null(model: BeamModel) -> None:
    model.stop()
    model.wait(WAIT)
    model.significance = None
    assert np.isnan(model.p_values).all()
    model.go_to_strongest()  # nothing is known yet, nothing happens
    before = model.null_changes
    model.null = "phase"
    model.wait(WAIT)
    assert model.null_changes > before
    assert model.significance.null == "phase"
    assert not np.isnan(model.p_values).any()


def test_known_nulls_are_not_computed_again(
    model: BeamModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.wait(WAIT)
    first = model.significance
    model.set_ring(0.3, 0.6)
    model.wait(WAIT)
    assert model.k_range == (0.3, 0.6)
    assert model.significance is not first
    assert ((model.to_frame()["k"] > 0.25) & (model.to_frame()["k"] < 0.65)).all()

    def fail(*arguments: Any) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("glassnb_widgets.beam_model.chance", fail)
    model.set_ring(0.0, 0.7)
    model.wait(WAIT)
    assert model.significance is first
    assert model.error == ""


def test_the_beam_stays_in_the_field(model: BeamModel, glass: Atoms) -> None:
    edge = model.prepared.scanner.field[1]
    before = model.pattern_changes
    model.move(-5.0, 1e9)
    assert model.position == (0.0, pytest.approx(edge))
    assert model.pattern_changes == before + 1
    model.x = float("nan")
    assert model.x == 0.0
    model.y = 2.0
    assert model.pattern == pytest.approx(model.prepared.scanner.pattern((0.0, 2.0)))


def test_beam_slab_and_turn(model: BeamModel, glass: Atoms) -> None:
    model.set_fwhm(6.0)
    model.thickness, model.start = 10.0, 2.0
    model.wait(WAIT)
    assert model.prepared.probe.fwhm == pytest.approx(6.0, abs=1e-3)
    assert model.prepared.slab.thickness == pytest.approx(10.0)
    model.turn((0.0, 90.0, 0.0))
    model.wait(WAIT)
    assert model.prepared.slab.period is None
    x0, x1, y0, y1 = model.prepared.scanner.field
    assert model.position == (pytest.approx((x0 + x1) / 2, abs=1e-3),) * 2
    # A quarter turn about x brings the model's y to the beam; the slab begins 2 Å above the lower
    # face of one that is 10 Å thick and has the middle of the cell in its middle.
    edge, atoms = glass.cell.lengths()[1], model.prepared.slab.atoms
    y = glass.positions[atoms.arrays["model_index"], 1]
    away = atoms.positions[:, 2] - (y - edge / 2 - 2.0 + 5.0)
    assert away - edge * np.rint(away / edge) == pytest.approx(0, abs=1e-9)
    assert 0 <= atoms.positions[:, 2].min() < atoms.positions[:, 2].max() < 10.0


def test_turns_at_random_cover_all_directions() -> None:
    from scipy.spatial.transform import Rotation

    angles = [slabs.euler_angles(seed) for seed in range(400)]
    assert slabs.euler_angles(3) == angles[3]
    beam = Rotation.from_euler("ZXZ", angles, degrees=True).apply([0, 0, 1])
    # Uniform on the sphere: means 0, mean squares 1/3; four standard errors.
    assert np.abs(beam.mean(axis=0)).max() < 4 * np.sqrt(1 / 3 / 400)
    assert np.abs((beam**2).mean(axis=0) - 1 / 3).max() < 4 * np.sqrt(4 / 45 / 400)


def test_what_cannot_be_is_refused(glass: Atoms, model: BeamModel) -> None:
    with pytest.raises(ValueError, match="axis='w'"):
        BeamModel(glass, PROBE, axis="w")
    with pytest.raises(ValueError, match="thickness=-1"):
        BeamModel(glass, PROBE, thickness=-1.0)
    with pytest.raises(ValueError, match="central disc"):
        BeamScanner(glass, PROBE, k_max=0.21)
    with pytest.raises(TraitError, match="there is no pair 99"):
        model.current = 99
    with pytest.raises(TraitError, match="null='dice'"):
        model.null = "dice"
    model.wait(WAIT)
    before, known = model.prepared, model.significance
    model.set_ring(0.0, 0.1)
    model.wait(WAIT)
    assert "widen it" in model.error
    assert (model.prepared, model.significance) == (before, known)


# -- planes --------------------------------------------------------------------------------------


def test_crests_lie_on_the_planes_of_a_crystal(shown: Callable) -> None:
    """Of simple cubic copper, beam along [001], the pair at (1/a, 0) comes from planes x = n a."""
    a = 3.0
    crystal = bulk("Cu", "sc", a=a, cubic=True).repeat((8, 8, 4))
    crystal.positions += 0.7
    scanner = BeamScanner(crystal, Probe(fwhm=5.5), k_max=0.5)
    browser = shown(scanner)
    model = scanner.model
    model.move(11.0, 12.0)
    model.pick_at(-1 / a, 0.01)
    planes = scanner.planes
    behind = model.behind
    assert behind is not None
    assert np.abs(planes.k_vector[:2]) == pytest.approx([1 / a, 0], abs=0.01)
    assert planes.spacing == pytest.approx(a, abs=0.05)
    found = np.array(crests(behind, 6.0))
    middle = found.mean(axis=1)[:, 0]
    near = middle[np.abs(middle - behind.near_beam(planes.centre[None])[0, 0]) < 5]
    offset = (near - 0.7) / a
    assert offset == pytest.approx(np.rint(offset), abs=0.1)
    assert np.linalg.norm(found[0, 0] - found[0, 1]) <= 12.0 + 1e-6
    drawn = browser.last("cycle")
    assert len(drawn["volume"]) == 18 * len(found)
    assert {"atoms", "lines", "thin", "volume", "stick"} == set(drawn)
    assert "Planes every 3.0" in words(scanner.spot_words)
    assert scanner.plot.selection["lines"]
    model.stop()
    model.wait(WAIT)


def test_planes_are_those_of_the_library(model: BeamModel) -> None:
    model.move(5.0, 6.0)
    model.pick(1)
    model.wait(WAIT)
    behind = model.behind
    assert behind is not None
    assert behind.spot == model.spot
    plain = quasi_lattice_planes(model.prepared.slab, behind.spot, PROBE, position=(5.0, 6.0))
    assert behind.planes.spacing == plain.spacing
    assert behind.planes.weights == pytest.approx(plain.weights)
    # The nearest images stand around the beam: distances by the minimum image of ASE.
    atoms = plain.atoms.copy()
    atoms.pbc = [True, True, False]
    atoms.positions[:, 2] = 0.0
    atoms += Atoms("He", positions=[[5.0, 6.0, 0.0]])
    expected = atoms.get_distances(len(atoms) - 1, np.arange(len(atoms) - 1), mic=True)
    assert behind.distance == pytest.approx(expected, abs=1e-6)
    assert behind.in_beam.sum() == (expected <= PROBE.fwhm).sum()


# -- the widget ----------------------------------------------------------------------------------


def test_dragging_the_beam(scanner: BeamScanner) -> None:
    scanner.wait(WAIT)
    listed = scanner.spot_table.value
    do(scanner, kind="beam", x=4.0, y=5.0, serial=7, resting=False)
    selection = scanner.plot.selection
    assert (selection["x"], selection["y"], selection["serial"]) == (4.0, 5.0, 7)
    sent = np.frombuffer(selection["pattern"], "<f4")
    assert sent.reshape(scanner.plot.about["shape"]) == pytest.approx(scanner.pattern)
    assert (scanner.x.value, scanner.y.value) == (4.0, 5.0)
    assert scanner.spot_table.value == listed  # tables follow when the beam rests
    do(scanner, kind="beam", x=4.0, y=5.5, serial=8, resting=True)
    assert scanner.spot_table.value != listed
    frame = scanner.to_frame()
    shown = [spot[2] for spot in scanner.plot.selection["spots"]]
    assert shown == [p_text(p) for p in frame["p_value"]]
    assert f"{frame['k'][0]:.3f}" in words(scanner.spot_table)
    assert scanner.spot.options[1][0].startswith(f"1: k {frame['k'][0]:.3f}")
    json.dumps([scanner.plot.about])
    json.dumps({k: v for k, v in scanner.plot.selection.items() if k != "pattern"})


def test_controls_and_model_are_one(scanner: BeamScanner) -> None:
    model = scanner.model
    scanner.wait(WAIT)
    scanner.x.value = 3.0
    assert model.x == 3.0
    scanner.fwhm.value = 5.5
    scanner.wait(WAIT)
    assert model.semiangle == scanner.semiangle.value
    assert scanner.plot.about["fwhm"] == pytest.approx(5.5, abs=1e-3)
    scanner.k_range.value = (0.25, 0.6)
    scanner.wait(WAIT)
    assert scanner.plot.selection["range"][1] == 0.6
    model.set_ring(0.3, 0.5)
    assert scanner.k_range.value == (0.3, 0.5)
    scanner.seed.value = 4
    scanner.random.click()
    assert (scanner.angle_1.value, scanner.angle_2.value, scanner.angle_3.value) == (
        slabs.euler_angles(4)
    )
    scanner.wait(WAIT)
    assert scanner.plot.about["edges"] is None
    assert "turned" in words(scanner.slab_words)
    scanner.upright.click()
    scanner.scale.value = "log"
    assert scanner.plot.selection["scale"] == "log"
    scanner.wait(WAIT)
    assert scanner.plot.about["edges"] == pytest.approx(list(model.prepared.scanner.lengths))


def test_spots_atoms_and_words(scanner: BeamScanner) -> None:
    scanner.wait(WAIT)
    model, browser = scanner.model, scanner.browser
    assert model.current == 0  # something is to be seen from the start
    spot = model.spots[1]
    do(scanner, kind="point", x=-spot.k_x, y=-spot.k_y, map=1, reach=[0, 0])
    assert model.current == scanner.spot.value == 1
    scanner.wait(WAIT)
    assert f"k {spot.k:.3f} 1/Å" in words(scanner.spot_words)
    assert f"p {p_text(model.p_values[1])}" in words(scanner.spot_words)
    part = browser.last("cycle")["atoms"]
    behind = model.behind
    count = min(1500, int((behind.distance <= 8.0).sum()))
    assert len(part["radii"]) == len(part["names"]) == count
    before = part["colours"]
    scanner.colour_by.value = "species"
    assert browser.last("cycle")["atoms"]["colours"] != before
    assert "Si" in scanner.legend.value
    links = np.reshape(part["links"], (-1, 2))
    points = np.reshape(part["points"], (-1, 3))
    lengths = np.linalg.norm(points[links[:, 0]] - points[links[:, 1]], axis=1)
    assert len(links) > count / 2
    assert 1.4 < lengths.min() < lengths.max() < 2.2  # Si-O in Å
    do(scanner, kind="beam", x=2.0, y=2.0, serial=1, resting=True)
    assert model.current == -1
    assert scanner.plot.selection["lines"] == []
    do(scanner, kind="clear")
    assert "of 36 positions" in words(scanner.chance_words)
    assert model.prepared.slab.thickness == pytest.approx(scanner.thickness.value, abs=1e-3)


def test_saved_patterns(scanner: BeamScanner, tmp_path: Path) -> None:
    scanner.wait(WAIT)
    for name in ("a.npz", "a.csv", "a.png"):
        scanner.file_name.value = str(tmp_path / name)
        scanner.save_button.click()
        assert str(tmp_path / name) in words(scanner.status)
    with np.load(tmp_path / "a.npz") as data:
        assert data["pattern"] == pytest.approx(scanner.pattern)
        assert data["position"].tolist() == list(scanner.model.position)
        assert data["spot_columns"].tolist() == list(scanner.to_frame().columns)
        assert json.loads(str(data["info"]))["parameters"]["axis"] == "z"
    assert (tmp_path / "a.csv").read_text().count("\n") == 2 + len(scanner.to_frame())
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    scanner.file_name.value = str(tmp_path / "a.txt")
    scanner.save_button.click()
    assert "must end in .npz" in words(scanner.error)


def test_every_control_has_a_name(scanner: BeamScanner) -> None:
    def inside(widget: Any) -> Iterator[Any]:
        yield widget
        for child in getattr(widget, "children", ()):
            yield from inside(child)

    controls = [w for w in inside(scanner) if hasattr(w, "description") and "value" in w.traits()]
    named = [w for w in controls if not isinstance(w, ipw.HTML)]
    assert len(named) > 15
    assert all(w.description for w in named)


def test_close_stops_the_threads(glass: Atoms) -> None:
    made = BeamScanner(glass, PROBE, k_max=0.7)
    made.close()
    made.wait(WAIT)
    assert made.model._thread is None
    assert made.model.finder._thread is None
