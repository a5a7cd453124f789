"""The energy map in JupyterLab: calculate, click a bar, a name, a row and an atom; see it drawn."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

GIVEN = """\
import numpy as np
import glassnb as gn
from glassnb_widgets import EnergyMap

glass = gn.models.load("silica-pristine-648")
rng = np.random.default_rng(1)
silicon = glass.symbols == "Si"
energies = np.where(silicon, -61.0, -92.0) + rng.normal(0, 0.4, len(glass))
charges = np.where(silicon, 0.9, -0.45) + rng.normal(0, 0.02, len(glass))
energy_map = EnergyMap(glass, energies, charges, cutoff={("Si", "O"): 2.0})
energy_map"""

CALCULATED = """\
import glassnb as gn
from glassnb_widgets import EnergyMap

quartz = gn.models.crystal("alpha-quartz")
quartz.rattle(0.05, seed=2)
energy_map = EnergyMap(quartz, cutoff={("Si", "O"): 2.0})
energy_map"""


class Plot:
    """The histograms of the map."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.canvas = page.locator("canvas.glassnb-energy-plot")

    def ask(self, code: str) -> Any:
        return self.canvas.evaluate(
            f"(canvas) => {{ const plot = canvas.glassnb; return {code}; }}"
        )


def numbers(plot: Plot, panel: int) -> list[int]:
    """Return how many atoms of a histogram are selected in each bin."""
    code = f"plot.chosenOf({panel}).reduce((a, b) => a.map((x, k) => x + b[k]))"
    return [int(count) for count in plot.ask(code)]


def test_energy_map(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook("energies", GIVEN, height=1500)
    page, plot = notebook.page, Plot(notebook.page)
    page.set_viewport_size({"width": 1200, "height": 1500})
    drawn = notebook.wait_until_drawn()
    page.get_by_text(re.compile(r"Selected: 648 of 648 atoms\.$")).wait_for()
    page.wait_for_function("document.querySelector('canvas.glassnb-energy-plot').glassnb.boxes")
    notebook.screenshot("energies")

    # A bar, then its neighbours too: counts agree with what is said.
    counts = numbers(plot, 0)
    tallest = counts.index(max(counts))
    edges = plot.ask("plot.about.panels[0].edges")
    middle = (edges[tallest] + edges[tallest + 1]) / 2
    place = plot.ask(f"({{ x: plot.px(plot.boxes[0], {middle}), y: plot.boxes[0].bottom - 9 }})")
    plot.canvas.click(position=place)
    page.get_by_text(re.compile(rf"Selected: {max(counts)} of 648 atoms\.$")).wait_for()
    drawn = notebook.wait_until_drawn(after=drawn)
    assert sum(numbers(plot, 1)) == 0
    assert page.locator(".glassnb-atom-table tr").count() == max(counts) + 1
    notebook.screenshot("energies-bar")

    # A name in the legend; a row of the table; Next.
    name = plot.ask("plot.boxes[1].entries[0]")
    plot.canvas.click(position={"x": name["x"] + 4, "y": name["y"]})
    page.get_by_text(re.compile(r"Selected: 1 of 648 atoms\.$")).wait_for()
    page.get_by_text(re.compile(rf"^O \d+: .*, {name['name']}(,| in) ")).wait_for()
    plot.canvas.click(position={"x": name["x"] + 4, "y": name["y"]})
    page.get_by_text(re.compile(r"Selected: 648 of 648 atoms\.$")).wait_for()
    row = page.locator(".glassnb-atom-table tr[data-atom]").nth(2)
    atom, symbol = row.get_attribute("data-atom"), row.locator("td").nth(1).inner_text()
    row.click()
    page.get_by_text(re.compile(rf"^{symbol} {atom}: energy ")).wait_for()
    page.locator(f".glassnb-atom-table tr[data-atom='{atom}'][aria-current]").wait_for()
    page.get_by_role("button").filter(has_text="Next").click()
    page.locator(f".glassnb-atom-table tr[data-atom='{atom}']:not([aria-current])").wait_for()

    # Charges instead, atoms typed, and the region that is dragged in the histogram of oxygen.
    page.get_by_label("Quantity").select_option("charge (e)")
    page.get_by_text("charge (e), given result").wait_for()
    page.wait_for_function(
        "document.querySelector('canvas.glassnb-energy-plot').glassnb.about.title === 'charge (e)'"
    )
    box, (left, right, y) = (
        plot.canvas.bounding_box(),
        plot.ask(
            "[plot.boxes[1].left + 10, (plot.boxes[1].left + plot.boxes[1].right) / 2, "
            "plot.boxes[1].bottom - 20]"
        ),
    )
    page.mouse.move(box["x"] + left, box["y"] + y)
    page.mouse.down()
    page.mouse.move(box["x"] + right, box["y"] + y - 30, steps=4)
    page.mouse.up()
    page.get_by_text(re.compile(r"Selected: [1-4]\d\d of 648 atoms\.$")).wait_for()
    assert sum(numbers(plot, 0)) == 0
    notebook.screenshot("energies-charges")


def test_energy_map_calculates(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook("energies-calculated", CALCULATED, height=1500)
    page, plot = notebook.page, Plot(notebook.page)
    page.set_viewport_size({"width": 1200, "height": 1500})
    notebook.wait_until_drawn()
    page.get_by_text("No energies yet: press Calculate.").wait_for()
    assert plot.canvas.get_attribute("aria-label") == plot.ask("plot.emptiness")
    calculate, stop = (
        page.get_by_role("button").filter(has_text=text) for text in ("Calculate", "Stop")
    )
    assert stop.is_disabled()
    calculate.click()
    page.get_by_text(re.compile(r"^Shown: undivided, total energy -\d")).wait_for()
    page.wait_for_function("document.querySelector('canvas.glassnb-energy-plot').glassnb.boxes")
    assert sum(numbers(plot, 0) + numbers(plot, 1)) == 9
    slider = page.get_by_role("slider").first
    slider.focus()
    slider.press("ArrowRight")
    page.get_by_text("(buffer of 4.0 Å): press Calculate.").wait_for()
    calculate.click()
    page.get_by_text(re.compile(r"^Shown: buffer of 4.0 Å, total energy -\d")).wait_for()
    page.get_by_text(re.compile(r"^Against the undivided result: total energy")).wait_for()
    page.get_by_label("Quantity").select_option("error of energy (meV)")
    page.get_by_text("energy – undivided (meV), buffer of 4.0 Å").wait_for()
    notebook.screenshot("energies-error")
    page.get_by_text("Results and errors by buffer").click()
    page.get_by_text("rms of atoms (mEh)").wait_for()
    notebook.screenshot("energies-calculated")
