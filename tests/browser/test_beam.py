"""The beam scanner in JupyterLab: drag the beam, click a spot, turn the slab, save the pattern."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

SCANNER = """\
import glassnb as gn
from glassnb_widgets import BeamScanner

scanner = BeamScanner(gn.models.load("silica-pristine-3000"), k_max=1.0)
scanner"""


class Plot:
    """The slab and its pattern."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.canvas = page.locator("canvas.glassnb-beam-plot")

    def ask(self, code: str) -> Any:
        """Evaluate something with ``plot`` at hand."""
        return self.canvas.evaluate(
            f"(canvas) => {{ const plot = canvas.glassnb; return {code}; }}"
        )

    def until(self, code: str) -> None:
        """Wait until something holds."""
        for _ in range(600):
            if self.ask(code):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"never held: {code}")

    def place(self, x: float, y: float, which: int) -> tuple[float, float]:
        """Return where a point of the slab (0) or the pattern (1) is on the page."""
        box = f"plot.boxes[{which}]"
        left, top = self.ask(f"[plot.px({box}, {x}), plot.py({box}, {y})]")
        frame = self.canvas.bounding_box()
        return frame["x"] + left, frame["y"] + top

    @property
    def picture(self) -> np.ndarray:
        """The pattern as it is drawn, shape (height, width)."""
        image = Image.open(io.BytesIO(self.canvas.screenshot())).convert("L")
        box = self.ask(
            "(({left, right, top, bottom}) => [left, top, right, bottom])(plot.boxes[1])"
        )
        return np.asarray(image.crop([round(edge) for edge in box])).astype(int)


def colours(locator: Any) -> np.ndarray:
    """Return a part of the page as an array of colours."""
    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB")).astype(int)


def test_beam_scanner(open_notebook: Callable[..., Any], lab: tuple[str, Path]) -> None:
    notebook = open_notebook("beam", SCANNER, height=1500)
    page, plot = notebook.page, Plot(notebook.page)
    notebook.wait_until_drawn()
    plot.until("plot.ready")
    page.get_by_text("Computing the null").wait_for()
    notebook.screenshot("beam-start")

    # The beam is dragged while the null is computed: the pattern follows.
    before = plot.picture
    page.mouse.move(*plot.place(17, 17, 0))
    page.mouse.down()
    for step in range(1, 13):
        page.mouse.move(*plot.place(17 - step, 17 - 0.5 * step, 0))
        page.wait_for_timeout(60)
    notebook.screenshot("beam-dragging")
    page.mouse.up()
    plot.until("!plot.waiting && Math.abs(plot.selection.x - 5) < 0.2")
    assert abs(plot.ask("plot.selection.y") - 11) < 0.2
    assert (np.abs(plot.picture - before) > 60).mean() > 0.02
    box = page.get_by_label("x (Å)", exact=True)
    assert abs(float(box.input_value()) - plot.ask("plot.selection.x")) < 0.01
    assert plot.ask("plot.took.length") >= 3

    # p-values come when the null is known.
    page.get_by_text("Ready.").wait_for(timeout=180_000)
    assert all(
        re.fullmatch(r"[\d.e-]+", p) for p in plot.ask("plot.selection.spots.map((s) => s[2])")
    )
    page.get_by_text(re.compile(r"of 144 positions")).wait_for()
    plot.ask("(plot.took.length = 0)")
    for x in (6, 9, 12, 15, 20, 25):
        page.mouse.click(*plot.place(x, 20, 0))
        plot.until(f"!plot.waiting && Math.abs(plot.selection.x - {x}) < 0.2")
    took = plot.ask("plot.took")
    print("from move to pattern:", ", ".join(f"{ms:.0f} ms" for ms in took))

    # A click on a spot: planes in the slab, atoms beside it, and words.
    kx, ky = plot.ask("plot.selection.spots[0].slice(0, 2)")
    drawn = page.locator("[data-drawn] canvas").first
    empty = colours(drawn)
    page.mouse.click(*plot.place(-kx, -ky, 1))
    page.get_by_text(re.compile(r"Planes every \d\.\d\d Å")).wait_for()
    plot.until("plot.selection.lines.length > 0 && plot.selection.current === 0")
    for _ in range(100):
        if (np.abs(colours(drawn) - empty).max(axis=2) > 40).mean() > 0.02:
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("the atoms behind the spot were never drawn")
    notebook.screenshot("beam-spot")
    assert "1" in page.get_by_label("Pair", exact=True).input_value()

    # Another scale changes the picture, not the pattern; a wider beam makes a new slab.
    dark = plot.picture.mean()
    page.get_by_label("Brightness").select_option("logarithmic")
    plot.until("plot.drawn?.scale === 'log'")
    assert plot.picture.mean() > dark
    notebook.screenshot("beam-log")
    width = page.get_by_label("Width (Å)")
    width.fill("6")
    width.press("Enter")
    plot.until("Math.abs(plot.about.fwhm - 6) < 0.01")

    page.get_by_role("textbox", name="File").fill("mine.npz")
    page.get_by_role("textbox", name="File").press("Tab")
    page.get_by_role("button").filter(has_text="Save").click()
    page.get_by_text(re.compile(r"Saved to .*mine\.npz")).or_(
        page.get_by_text("Computing the null")
    ).first.wait_for()
    for _ in range(100):
        if (lab[1] / "mine.npz").exists():
            break
        page.wait_for_timeout(100)
    assert np.load(lab[1] / "mine.npz")["pattern"].ndim == 2

    # Turned at random: the beam stays in the field that the seam leaves.
    page.get_by_role("button").filter(has_text="Random").click()
    plot.until("plot.about.edges === null")
    notebook.screenshot("beam-turned")
