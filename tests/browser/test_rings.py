"""The ring inspector in JupyterLab: click a bar and a point, drag a region, go on; see it drawn."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

RINGS = """\
import glassnb as gn
from glassnb_widgets import RingInspector

glass = gn.models.load("silica-pristine-3000")
inspector = RingInspector(glass, cutoff={("Si", "O"): 2.0})
inspector"""


class Plot:
    """The two plots of the inspector."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.canvas = page.locator("canvas.glassnb-ring-plot")

    def ask(self, code: str) -> Any:
        """Evaluate something with ``plot`` at hand."""
        return self.canvas.evaluate(
            f"(canvas) => {{ const plot = canvas.glassnb; return {code}; }}"
        )

    def bar(self, size: int) -> dict[str, float]:
        """Return where the bar of a size stands."""
        return dict(self.ask(f"({{ x: plot.px(plot.bars, {size}), y: plot.bars.bottom - 4 }})"))

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a place of the map is on the page."""
        left, top = self.ask(f"[plot.px(plot.map, {x}), plot.py(plot.map, {y})]")
        box = self.canvas.bounding_box()
        return box["x"] + left, box["y"] + top

    def pixels(self) -> np.ndarray:
        picture = Image.open(io.BytesIO(self.canvas.screenshot()))
        return np.asarray(picture.convert("RGB")).astype(int)


def pixels(notebook: Any) -> np.ndarray:
    """Return the picture of the structure as an array of colours."""
    canvas = notebook.page.locator("[data-drawn] canvas").first
    picture = Image.open(io.BytesIO(canvas.screenshot()))
    return np.asarray(picture.convert("RGB")).astype(int)


def share(picture: np.ndarray, colour: str) -> float:
    """Return the share of the pixels that are clearly of a colour."""
    red, green, blue = np.moveaxis(picture, 2, 0)
    found = {
        "magenta": (red > green + 60) & (blue > green + 30),
        "blue": (blue > red + 40) & (blue > green + 15),
    }
    return float(found[colour].mean())


def until(notebook: Any, holds: Callable[[np.ndarray], bool], what: str) -> np.ndarray:
    """Wait until the picture looks as it should."""
    for _ in range(100):
        now = pixels(notebook)
        if holds(now):
            return now
        notebook.page.wait_for_timeout(100)
    notebook.screenshot(f"{notebook.name}-failed")
    pytest.fail(f"the picture never showed {what}")


def differs(before: np.ndarray, least: float = 0.01) -> Callable[[np.ndarray], bool]:
    """Tell whether at least this share of the pixels has changed clearly."""
    return lambda now: (
        now.shape == before.shape and (np.abs(now - before).max(axis=2) > 40).mean() > least
    )


def selected(page: Any, words: str) -> int:
    """Wait for a status; return how many rings it says are selected."""
    status = page.get_by_text(re.compile(rf"Selected: \d+{words}\.$"))
    status.wait_for()
    return int(re.search(r"Selected: (\d+)", status.inner_text())[1])


def test_ring_inspector(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook("rings", RINGS, height=1500)
    page, plot = notebook.page, Plot(notebook.page)
    notebook.wait_until_drawn()
    total = selected(page, "")
    assert total > 1500
    first = until(notebook, lambda p: share(p, "magenta") > 0.005, "a ring")
    assert share(first, "blue") > 0.005  # the ellipsoid
    page.get_by_text("atoms have fewer than two bonds").wait_for()  # a warning, on the page
    notebook.screenshot("rings")

    # A bar of the histogram selects rings of twelve atoms.
    bars = plot.pixels()
    plot.canvas.click(position=plot.bar(12))
    twelve = selected(page, r" \(size 12\)")
    assert 0 < twelve < total
    assert (np.abs(plot.pixels() - bars).max(axis=2) > 40).mean() > 0.01
    assert page.get_by_role("textbox", name="Sizes").input_value() == "12"
    page.get_by_text(f"of {twelve}", exact=True).wait_for()
    page.get_by_text(re.compile(r"^Ring \d+: 12 atoms \(6 O, 6 Si\)")).wait_for()
    notebook.screenshot("rings-bar")

    # A point of the map: that ring is drawn.
    before = pixels(notebook)
    k = plot.ask("plot.mask.reduce((last, chosen, k) => (chosen ? k : last), -1)")
    x, y = plot.ask(f"[plot.x[{k}], plot.y[{k}]]")
    page.mouse.click(*plot.place(x, y))
    shape = f"roundness {x:.3f}, roughness {y:.3f}"
    page.get_by_text(re.compile(rf"^Ring \d+: .*{shape}")).wait_for()
    until(notebook, differs(before), "the ring that was clicked")
    page.mouse.move(*plot.place(x, y - 0.004))
    page.get_by_text(re.compile(rf"^12 atoms, {shape}$")).wait_for()
    notebook.screenshot("rings-point")

    # A region of the map.
    page.mouse.move(*plot.place(0.6, 0.2))
    page.mouse.down()
    page.mouse.move(*plot.place(0.7, 0.3), steps=4)
    page.mouse.move(*plot.place(0.75, 0.4))
    notebook.screenshot("rings-dragging")
    page.mouse.up()
    region = selected(page, r" \(size 12, roundness 0.6\S* to 0.7\S*, roughness 0.\S+ to 0.4\S*\)")
    assert 0 < region < twelve

    # Next: by button, by key on the plot, by the slider.
    before = pixels(notebook)
    words = page.get_by_text(re.compile(r"^Ring \d+: 12 atoms"))
    old = words.inner_text()
    page.get_by_role("button").filter(has_text="Next").click()
    page.wait_for_function("([old]) => !document.body.innerText.includes(old)", arg=[old])
    before = until(notebook, differs(before), "the next ring")
    plot.canvas.focus()
    old = words.inner_text()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("([old]) => !document.body.innerText.includes(old)", arg=[old])
    before = until(notebook, differs(before), "a ring further on")
    notebook.screenshot("rings-region")

    # How much of the structure is drawn, and what of the shape.
    page.get_by_label("Show", exact=True).select_option("whole structure")
    before = until(notebook, differs(before, 0.05), "the whole structure")
    notebook.screenshot("rings-whole")
    page.get_by_label("Show", exact=True).select_option("ring alone")
    alone = until(notebook, differs(before, 0.05), "the ring alone")
    notebook.screenshot("rings-alone")
    page.get_by_label("Ellipsoid").uncheck()
    until(notebook, lambda p: share(p, "blue") < 0.3 * share(alone, "blue"), "no ellipsoid")

    # Other rings, measured otherwise; all of them again.
    page.get_by_label("Definition").select_option("King")
    page.get_by_text(re.compile(r"King rings up to 40 atoms")).wait_for()
    page.get_by_label("Count", exact=True).select_option("network formers")
    page.get_by_role("button").filter(has_text="Select all").click()
    assert selected(page, "") > 1500
    page.get_by_role("textbox", name="File").fill("mine.csv")
    page.get_by_role("textbox", name="File").press("Tab")
    page.get_by_role("button").filter(has_text=re.compile("^ ?Save$")).click()
    page.get_by_text(re.compile(r"Saved \d+ rings to .*mine\.csv")).wait_for()
    notebook.screenshot("rings-king")
