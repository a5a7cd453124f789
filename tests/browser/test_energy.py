"""The energy map in JupyterLab: calculate, click a bar, a name, a row and an atom; see it drawn."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

ENERGIES = """\
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


class Plot:
    """The histograms of the map."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.canvas = page.locator("canvas.glassnb-energy-plot")

    def ask(self, code: str) -> Any:
        return self.canvas.evaluate(
            f"(canvas) => {{ const plot = canvas.glassnb; return {code}; }}"
        )


def test_energy_map(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook("energies", ENERGIES, height=1500)
    page, plot = notebook.page, Plot(notebook.page)
    page.set_viewport_size({"width": 1200, "height": 1500})
    notebook.wait_until_drawn()
    page.get_by_text(re.compile(r"Selected: 648 of 648 atoms\.$")).wait_for()
    page.wait_for_timeout(3000)
    notebook.screenshot("energies")
