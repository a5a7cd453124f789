"""The picture of atoms in the colours of their energies, as messages to the canvas."""

from __future__ import annotations

import html
from typing import Any

import matplotlib as mpl
import numpy as np

from glassnb.plotting import species_colour
from glassnb_widgets import geometry
from glassnb_widgets.energy_model import EnergyModel
from glassnb_widgets.energy_results import title_of
from glassnb_widgets.energy_selection import QUANTITIES
from glassnb_widgets.parts import chip
from glassnb_widgets.viewer import Canvas, structure_part

__all__ = ["EnergyPicture", "colour_bar"]


class EnergyPicture:
    """Draws what an energy map shows.

    Parameters
    ----------
    model : EnergyModel
        What is shown.
    canvas : Canvas
        Where it is drawn.
    """

    def __init__(self, model: EnergyModel, canvas: Canvas) -> None:
        self.model = model
        self._canvas = canvas
        self._radii = geometry.radii(model.scene.structure)

    def draw_all(self) -> None:
        """Draw the structure for the first time."""
        scene = self.model.scene
        self._canvas.draw(
            structure=structure_part(scene.structure, scene.drawing),
            bonds=True,
            cell=geometry.cell_edges(scene.structure),
            **self._look(),
        )

    def draw_look(self) -> None:
        """Draw other colours, another selection, another atom that is looked at."""
        self._canvas.draw(**self._look())

    def draw_mark(self) -> None:
        """Draw another atom that is looked at."""
        self._canvas.draw(marks=self._marks())

    def _look(self) -> dict[str, Any]:
        model, drawing = self.model, self.model.scene.drawing
        shown = model.chosen if model.hide else np.ones_like(model.chosen)
        both = shown[drawing.parents] & shown[drawing.partners]
        return {
            "colours": model.colours,
            "shown": np.flatnonzero(shown).tolist(),
            "bond_ends": (shown.size + np.flatnonzero(both)).tolist(),
            "marks": self._marks(),
        }

    def _marks(self) -> dict[str, Any] | None:
        """Return a ball around the atom that is looked at."""
        if (k := self.model.current) < 0:
            return None
        place = self.model.scene.structure.positions[k].round(4).tolist()
        return {"spheres": [[place, round(1.35 * float(self._radii[k]), 3)]], "lines": []}


def colour_bar(model: EnergyModel) -> str:
    """Write what the colours mean.

    Parameters
    ----------
    model : EnergyModel
        What is shown.

    Returns
    -------
    str
        HTML: a bar with its range, or the species before there are numbers.
    """
    values = model.values
    if values is None:
        chips = "".join(chip(species_colour(name), name) for name in model.environments.symbols)
        return f"<b>species</b><div>{chips}</div>"
    stops = ", ".join(
        mpl.colors.to_hex(mpl.colormaps[model.colour_map](x)) for x in np.linspace(0, 1, 11)
    )
    low, high = model.colour_limits
    places = [low + x * (high - low) for x in (0, 0.25, 0.5, 0.75, 1)]
    texts = [f"{0.0 if abs(place) < 1e-12 else place:.3g}" for place in places]
    texts[0] = ("≤ " if values.min() < low else "") + texts[0]
    texts[-1] = ("≥ " if values.max() > high else "") + texts[-1]
    name = f"{html.escape(QUANTITIES[model.quantity])}, {html.escape(title_of(model.shown))}"
    return (
        f'<div style="line-height:1.3"><b>{name}</b>'
        f'<div style="height:12px;background:linear-gradient(to right, {stops})"></div>'
        '<div style="display:flex;justify-content:space-between">'
        f"{''.join(f'<span>{text}</span>' for text in texts)}</div></div>"
    )
