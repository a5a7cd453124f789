"""The diagram explorer in JupyterLab: click a point, drag a region, go on; see the cycles drawn."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

DIAGRAMS = """\
import glassnb as gn
from glassnb_widgets import DiagramExplorer

glass = gn.models.load("silica-pristine-3000")
radii = {"Si": 0.375, "O": 1.275}
diagrams = gn.topology.persistence(glass, radii=radii)
"""
ONE = """\
import warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    rings = gn.network.primitive_rings(glass, cutoff={("Si", "O"): 2.0})
explorer = DiagramExplorer(diagrams, rings=rings)
explorer"""
TWO = """\
quartz = gn.models.crystal("alpha-quartz", repeat=6)
quartz.rattle(0.1, seed=1)
DiagramExplorer(diagrams, gn.topology.persistence(quartz, radii=radii), dimension=2)"""


STOPWATCH = """() => {
    const view = document.querySelector("[data-drawn]");
    window.drawnAfter = [];
    document.addEventListener("pointerup", () => {
        const start = performance.now();
        new MutationObserver(() => window.drawnAfter.push(performance.now() - start))
            .observe(view, { attributes: true, attributeFilter: ["data-drawn"] });
    }, { once: true, capture: true });
}"""


class Plot:
    """The diagrams of the explorer."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.canvas = page.locator("canvas.glassnb-diagram-plot")

    def ask(self, code: str) -> Any:
        """Evaluate something with ``plot`` at hand."""
        return self.canvas.evaluate(
            f"(canvas) => {{ const plot = canvas.glassnb; return {code}; }}"
        )

    def place(self, birth: float, death: float, which: int = 0) -> tuple[float, float]:
        """Return where a point of a diagram is on the page."""
        box = f"plot.boxes[{which}]"
        left, top = self.ask(f"[plot.px({box}, {birth}), plot.py({box}, {death})]")
        frame = self.canvas.bounding_box()
        return frame["x"] + left, frame["y"] + top

    def lone_pair(self, which: int = 0, rank: int = 0) -> tuple[int, float, float]:
        """Return a selected pair that is drawn as a point; at rank 0 the longest-lived."""
        data = f"plot.data[{which}]"
        k = self.ask(
            f"[...plot.chosen[{which}].mask.keys()].filter((k) => plot.chosen[{which}].mask[k])"
            f".sort((a, b) => {data}.y[b] - {data}.x[b] - {data}.y[a] + {data}.x[a])[{rank}]"
        )
        return tuple(self.ask(f"[{data}.pair[{k}], {data}.x[{k}], {data}.y[{k}]]"))


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
        "green": (green > red + 15) & (green > blue + 5),
        "orange": (red > blue + 60) & (red > green + 30),
        "blue": (blue > red + 30) & (blue > green + 12),
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
    """Wait for a status; return how many pairs it says are selected."""
    status = page.get_by_text(re.compile(rf"Selected: \d+{words}, \d"))
    status.wait_for()
    return int(re.search(r"Selected: (\d+)", status.inner_text())[1])


def test_diagram_explorer(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook("diagrams", DIAGRAMS, ONE, height=1700)
    page, plot = notebook.page, Plot(notebook.page)
    notebook.wait_until_drawn()
    total = selected(page, "")
    assert total > 10_000
    until(notebook, lambda p: share(p, "magenta") > 0.004, "a ring")
    until(notebook, lambda p: share(p, "green") > 0.01, "its triangles")
    notebook.screenshot("diagrams")

    # A named region, and a point of it.
    page.get_by_label("Region").select_option("C_P: primary rings of Si and O")
    primary = selected(page, r" \(C_P\)")
    assert 500 < primary < total
    page.get_by_text(f"of {primary}", exact=True).wait_for()
    notebook.screenshot("diagrams-region")
    page.get_by_role("button").filter(has_text="Next").click()
    page.get_by_role("button").filter(has_text="Next").click()
    before = pixels(notebook)
    pair, birth, death = plot.lone_pair(rank=8)  # nobody has looked at it
    place = plot.place(birth, death)
    page.evaluate(STOPWATCH)
    page.mouse.click(*place)
    page.wait_for_function("window.drawnAfter?.length")
    page.get_by_text(f"birth {birth:.3f} Å², death {death:.3f} Å²").wait_for()
    page.get_by_text(re.compile(r"Ring of \d+ atoms.*volume-optimal")).wait_for()
    until(notebook, differs(before), "the cycle that was clicked")
    page.mouse.move(place[0] + 1, place[1])
    page.get_by_text(f"pair {pair}: birth {birth:.3f}, death {death:.3f}").wait_for()
    seconds = [milliseconds / 1000 for milliseconds in page.evaluate("window.drawnAfter")]
    print("from click to cycle:", ", ".join(f"{s:.3f} s" for s in seconds))
    notebook.screenshot("diagrams-point")

    # A region that is dragged, and a lasso.
    page.get_by_role("button").filter(has_text="Select all").click()
    assert selected(page, "") == total
    page.mouse.move(*plot.place(0.2, 2.0))
    page.mouse.down()
    page.mouse.move(*plot.place(0.8, 2.6), steps=4)
    page.mouse.move(*plot.place(1.2, 3.4))
    notebook.screenshot("diagrams-dragging")
    page.mouse.up()
    box = selected(page, r" \(birth 0.\S+ to 1.\S+ Å², death \S+ to 3.\S+ Å²\)")
    assert 0 < box < total
    page.keyboard.down("Shift")
    page.mouse.move(*plot.place(1.5, 3.0))
    page.mouse.down()
    for corner in ((3.5, 3.6), (3.5, 5.5), (2.0, 5.0)):
        page.mouse.move(*plot.place(*corner), steps=5)
    page.mouse.up()
    page.keyboard.up("Shift")
    assert 0 < selected(page, r" \(inside the lasso\)") < total
    notebook.screenshot("diagrams-lasso")

    # On by key, by the slider's neighbour, and all cycles at once.
    before = pixels(notebook)
    plot.canvas.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    before = until(notebook, differs(before), "a cycle further on")
    page.get_by_role("button").filter(has_text="Find all cycles").click()
    page.get_by_text(re.compile(r"Cycles found: \d+\.$")).wait_for()
    page.get_by_text("Sizes of the cycles found").click()
    page.get_by_text(re.compile(r"selected pairs have a cycle that is known")).wait_for()
    notebook.screenshot("diagrams-all")
    page.get_by_text("Selected pairs as a table").click()
    page.get_by_text("atoms of the cycle").wait_for()
    notebook.screenshot("diagrams-table")

    # How much of the structure is drawn; then cavities.
    page.get_by_label("Show", exact=True).select_option("whole structure")
    before = until(notebook, differs(before, 0.05), "the whole structure")
    notebook.screenshot("diagrams-whole")
    page.get_by_label("Show", exact=True).select_option("surroundings of the cycle")
    page.get_by_label("Dimension").select_option("2: cavities")
    page.get_by_text(re.compile(r"Cavity of \d+ atoms")).wait_for()
    until(notebook, lambda p: share(p, "blue") > 0.05, "the surface of a cavity")
    notebook.screenshot("diagrams-cavities")
    page.get_by_label("Go to cavity").select_option(index=1)
    page.get_by_text(re.compile(r"It is itself part of cavity \d+")).wait_for()
    page.wait_for_timeout(300)
    orange = share(pixels(notebook), "orange")
    page.get_by_label("Cavities within").check()
    until(notebook, lambda p: share(p, "orange") > orange + 0.02, "the cavities within")
    notebook.screenshot("diagrams-cavity")
    page.get_by_label("Dimension").select_option("0: pieces")
    page.get_by_text("Two pieces become one where").wait_for()
    notebook.screenshot("diagrams-pieces")


def test_two_structures(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook("two-diagrams", DIAGRAMS, TWO, height=1500)
    page, plot = notebook.page, Plot(notebook.page)
    drawn = notebook.wait_until_drawn()
    page.get_by_text(re.compile(r"^first: 3000 atoms")).first.wait_for()
    first = until(notebook, lambda p: share(p, "blue") > 0.05, "the surface of a cavity")
    assert plot.ask("plot.boxes.length") == 2
    page.get_by_label("Dimension").select_option("1: rings")
    page.get_by_label("Region").select_option("C_P: primary rings of Si and O")
    notebook.screenshot("two-diagrams")
    _, birth, death = plot.lone_pair(1)
    page.mouse.click(*plot.place(birth, death, 1))
    page.get_by_text("of the other structure. Selected").wait_for()
    page.get_by_text(f"birth {birth:.3f} Å², death {death:.3f} Å²").wait_for()
    notebook.wait_until_drawn(after=drawn)
    until(notebook, differs(first), "a ring of the crystal")
    notebook.screenshot("two-diagrams-other")
    page.get_by_label("Structure").select_option(index=0)
    page.get_by_text(re.compile(r"^\d+ rings \(D1\)\. Selected")).wait_for()
