"""The refinement monitor in JupyterLab: run, pause, change a weight, go on, colour, save."""

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

MONITOR = """\
import glassnb as gn
import numpy as np
from glassnb.models.reverse_monte_carlo import (
    BondAngle, Coordination, MinimumDistance, ReverseMonteCarlo, StructureFactorData,
)
from glassnb_widgets.refinement_monitor import RefinementMonitor

glass = gn.models.load("silica-pristine-648")
target = glass.copy()
target.rattle(0.08, seed=3)
q = np.linspace(0.7, 18, 200)
data = [
    StructureFactorData(
        q, gn.scattering.structure_factor(target, q, radiation=kind).total, kind, name=name
    )
    for kind, name in (("neutron", "neutrons"), ("x-ray", "X-rays"))
]
constraints = [
    MinimumDistance({("Si", "O"): 1.3}), Coordination("Si", "O"), BondAngle("O", "Si", "O"),
]
rmc = ReverseMonteCarlo(glass, data, constraints, seed=1)
monitor = RefinementMonitor(rmc, moves=10_000_000)
monitor"""


def pixels(locator: Any) -> np.ndarray:
    """Return a part of the page as an array of colours."""
    picture = Image.open(io.BytesIO(locator.screenshot()))
    return np.asarray(picture.convert("RGB")).astype(int)


def blue(picture: np.ndarray) -> float:
    """Return the share of clearly blue and violet pixels: viridis begins with them."""
    red, green, blue_ = np.moveaxis(picture, 2, 0)
    return float(((blue_ > green + 25) & (blue_ > red + 10)).mean())


def moves_of(page: Any) -> int:
    """Return the number of moves that the page shows."""
    words = page.get_by_text(re.compile(r"after [\d,]+ moves")).first.inner_text()
    return int(re.search(r"after ([\d,]+) moves", words)[1].replace(",", ""))


def test_refinement_monitor(open_notebook: Callable[..., Any], lab: tuple[str, Path]) -> None:
    notebook = open_notebook("refinement", MONITOR, height=1900)
    page = notebook.page
    box = page.locator(".glassnb-refinement")
    run, pause, stop, save = (
        box.get_by_role("button").filter(has_text=re.compile(name))
        for name in ("Run", "Pause|Continue", "Stop", "Save")
    )
    notebook.wait_until_drawn()
    curves, chi2 = (box.locator("img").nth(k) for k in range(2))
    first = curves.get_attribute("src")
    assert curves.bounding_box()["width"] > 900
    notebook.screenshot("refinement-start")
    run.click()

    # While it runs: pictures and numbers follow.
    page.get_by_text(re.compile(r"Refining: [\d,]+ of 10,000,000 moves, .* left")).wait_for()
    page.wait_for_function(
        "(before) => document.querySelector('.glassnb-refinement img').src !== before", arg=first
    )
    assert page.get_by_label("Moves", exact=True).is_disabled()
    page.wait_for_timeout(4000)
    notebook.screenshot("refinement-running")

    # A pause, another weight, other colours.
    pause.click()
    page.get_by_text(re.compile(r"Paused after [\d,]+ of 10,000,000 moves")).wait_for()
    assert pause.inner_text().strip() == "Continue"
    before = moves_of(page)
    assert before > 0
    weight = page.get_by_label("O-Si-O angle")
    costs = chi2.get_attribute("src")
    weight.fill("4")
    weight.press("Enter")
    page.wait_for_function(
        "(b) => document.querySelectorAll('.glassnb-refinement img')[1].src !== b", arg=costs
    )
    canvas = page.locator("[data-drawn] canvas").first
    assert blue(pixels(canvas)) < 0.01
    page.get_by_label("Colour by").select_option("distance moved")
    page.get_by_text("distance moved since the start").wait_for()
    for _ in range(100):
        if blue(pixels(canvas)) > 0.03:
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("the atoms were never coloured by how far they moved")
    page.get_by_text("What the pictures show, in numbers").click()
    page.get_by_text("largest deviation").wait_for()
    notebook.screenshot("refinement-paused")
    assert moves_of(page) == before

    # Saved as it stands there, and on to the end.
    page.get_by_role("textbox", name="File").fill("mine.extxyz")
    page.get_by_role("textbox", name="File").press("Tab")
    save.click()
    page.get_by_text(re.compile(r"Saved to .*mine\.extxyz")).wait_for()
    assert ase.io.read(lab[1] / "mine.extxyz").get_chemical_formula() == "O432Si216"
    assert (lab[1] / "mine-report.txt").exists()
    pause.click()
    page.wait_for_function(
        """(before) => {
            const words = document.querySelector('.glassnb-refinement').innerText;
            return Number(/after ([\\d,]+) moves/.exec(words)[1].replaceAll(",", "")) > before;
        }""",
        arg=before,
    )
    stop.click()
    page.get_by_text(re.compile(r"Stopped: [\d,]+ of 10,000,000 moves in")).wait_for()
    notebook.screenshot("refinement-stopped")
