"""Widgets in JupyterLab: move a control, and see that what is shown changes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

VIEWER = """\
import numpy as np
import glassnb as gn
from glassnb_widgets import StructureViewer

crystal = gn.models.crystal("beta-cristobalite", repeat=5)
crystal.rattle(0.05, seed=1)
viewer = StructureViewer(crystal, cutoff={("Si", "O"): 2.0})
viewer"""

BUILDER = """\
from glassnb_widgets import GlassBuilder

builder = GlassBuilder(n_atoms=192, cooling_rate=100)
builder"""


def pixels(notebook: Any) -> np.ndarray:
    """Return the canvas as an array of colours."""
    picture = Image.open(io.BytesIO(notebook.canvas.screenshot()))
    return np.asarray(picture.convert("RGB")).astype(int)


def until(notebook: Any, holds: Callable[[np.ndarray], bool], what: str) -> np.ndarray:
    """Wait until the canvas looks as it should."""
    for _ in range(100):
        now = pixels(notebook)
        if holds(now):
            return now
        notebook.page.wait_for_timeout(100)
    notebook.screenshot(f"{notebook.name}-failed")
    pytest.fail(f"the canvas never showed {what}")


def differs(before: np.ndarray, share: float = 0.01) -> Callable[[np.ndarray], bool]:
    """Tell whether at least this share of the pixels has changed clearly."""
    return lambda now: (
        now.shape == before.shape and (np.abs(now - before).max(axis=2) > 40).mean() > share
    )


def inked(picture: np.ndarray) -> float:
    """Return the share of the pixels that are not background."""
    return float((picture.min(axis=2) < 235).mean())


def magenta(picture: np.ndarray) -> bool:
    """Tell whether picked atoms are marked."""
    red, green, blue = np.moveaxis(picture, 2, 0)
    return bool(((red > green + 60) & (blue > green + 30)).sum() > 100)


def test_structure_viewer(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook("viewer", VIEWER)
    page = notebook.page
    notebook.wait_until_drawn()
    page.get_by_text("3000 atoms, 4000 bonds, selected 3000").wait_for()
    first = until(notebook, lambda p: len(np.unique(p.reshape(-1, 3), axis=0)) > 200, "atoms")
    notebook.screenshot("viewer-species")

    # The bonds of 3000 atoms are there: without them less of the canvas is covered.
    page.get_by_label("Bonds").uncheck()
    until(notebook, lambda p: inked(p) < 0.9 * inked(first), "atoms without bonds")
    page.get_by_label("Bonds").check()

    # A number in place of the species, and a range of it by keyboard.
    page.get_by_label("Colour by").select_option("z (Å)")
    until(notebook, differs(first, 0.05), "other colours")
    page.locator(".noUi-handle-upper").first.focus()
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    status = page.get_by_text(re.compile(r"selected (?!3000)\d+"))
    status.wait_for()
    selected = int(re.search(r"selected (\d+)", status.inner_text())[1])
    assert 0 < selected < 3000
    before = pixels(notebook)
    page.get_by_label("Hide the other atoms").check()
    until(notebook, differs(before, 0.005), "the selected atoms alone")
    page.get_by_label("Colours span the selection").check()
    notebook.screenshot("viewer-range")

    # Species away, polyhedra on.
    page.get_by_label("O", exact=True).uncheck()
    page.get_by_text(re.compile(r"hidden [23]\d{3}")).wait_for()
    before = pixels(notebook)
    page.get_by_label("Polyhedra").select_option("around Si")
    until(notebook, differs(before, 0.05), "polyhedra")
    notebook.screenshot("viewer-polyhedra")


def test_measuring_by_click(open_notebook: Callable[..., Any]) -> None:
    """A small triclinic crystal, shown in two views of one widget; atoms are clicked."""
    notebook = open_notebook(
        "measure",
        "import glassnb as gn\nfrom glassnb_widgets import StructureViewer\n"
        "viewer = StructureViewer(gn.models.crystal('alpha-quartz', repeat=2), height='300px')\n"
        "viewer",
        "viewer",
        height=1200,
    )
    page = notebook.page
    page.wait_for_function("document.querySelectorAll('[data-drawn]').length === 2")
    first = until(notebook, lambda p: inked(p) > 0.05, "atoms")
    assert first[:, :, 2].min() < 100
    label = page.get_by_text(re.compile(r"^(Si|O) \d+: \(.*bonded to"))
    _click_atoms(notebook, lambda: label.count() > 0)
    other = page.get_by_text(re.compile(r"^(Si|O) \d+ – (Si|O) \d+: \d\.\d{3} Å"))
    _click_atoms(notebook, lambda: other.count() > 0)
    # By keyboard: indices 0 and 1 in the box; the label is that of the kernel.
    box = page.get_by_label("Atoms", exact=True).first
    box.fill("0, 1")
    box.press("Enter")
    page.get_by_text(re.compile(r"^Si 0 – \w+ 1: \d\.\d{3} Å")).first.wait_for()
    notebook.screenshot("viewer-measure")

    # After a reload of the page the kernel draws it all again, marks included.
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    page.wait_for_function("document.querySelectorAll('[data-drawn]').length > 0")
    until(notebook, lambda p: inked(p) > 0.05, "atoms after a reload")
    until(notebook, magenta, "marks after a reload")


def _click_atoms(notebook: Any, done: Callable[[], bool]) -> None:
    """Click on covered pixels, one after the other, until something has been picked."""
    picture = pixels(notebook)
    rows, columns = np.nonzero(picture.min(axis=2) < 120)
    order = np.random.default_rng(0).permutation(rows.size)
    for k in order[:40]:
        notebook.canvas.click(position={"x": float(columns[k]), "y": float(rows[k])})
        for _ in range(5):
            notebook.page.wait_for_timeout(60)
            if done():
                return
    notebook.screenshot(f"{notebook.name}-failed")
    pytest.fail("no click picked an atom")


def test_glass_builder(open_notebook: Callable[..., Any], lab: tuple[str, Path]) -> None:
    notebook = open_notebook("builder", BUILDER)
    page = notebook.page
    run, stop, save = (
        page.locator(".glassnb-builder").get_by_role("button").filter(has_text=name)
        for name in ("Run", "Stop", "Save")
    )
    page.get_by_label("Seed").fill("7")
    page.get_by_label("Seed").press("Enter")
    run.click()

    # While it runs: controls rest, structure and curves appear and change.
    page.get_by_text(re.compile(r"\d+ of \d+ steps, about .* left")).wait_for()
    assert page.get_by_label("Potential").is_disabled()
    first = until(notebook, lambda p: inked(p) > 0.05, "the structure")
    curves = page.locator(".jp-OutputArea-output img")
    curves.wait_for()
    until(notebook, differs(first, 0.01), "the structure of a later moment")
    notebook.screenshot("builder-running")

    # Stopped: what it reached is kept and can be saved; other settings make it stale.
    stop.click()
    page.get_by_text(re.compile(r"Stopped after \d+ of \d+ steps")).wait_for()
    page.get_by_role("textbox", name="File").fill("mine.extxyz")
    page.get_by_role("textbox", name="File").press("Tab")
    save.click()
    page.get_by_text(re.compile(r"Saved to .*mine\.extxyz")).wait_for()
    saved = ase.io.read(lab[1] / "mine.extxyz")
    assert saved.get_chemical_formula() == "O128Si64"
    assert saved.info["history"]["seed"] == 7
    page.get_by_label("Seed").fill("8")
    page.get_by_label("Seed").press("Enter")
    page.get_by_text("Shown is another glass: 192 atoms, SHIK").wait_for()
    notebook.screenshot("builder-stopped")
