"""Look at a structure: turn it, colour it, choose atoms by a number, measure."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets as ipw
import matplotlib as mpl
import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import ArrayLike
from traitlets import TraitError

from glassnb.plotting import species_colour
from glassnb_widgets import geometry
from glassnb_widgets.closing import Owner, held
from glassnb_widgets.models import COLOUR_MAPS, SPECIES, StructureModel
from glassnb_widgets.parts import check_box, chip, control, heading, row
from glassnb_widgets.viewer import Canvas, structure_part

__all__ = ["StructureViewer"]

_TABLE_ROWS = 100


class StructureViewer(Owner, ipw.VBox):
    """A structure in three dimensions, with controls.

    Atoms are balls, bonds are sticks; a bond that leaves the cell is drawn as two halves. Drag
    turns the picture, the wheel zooms, the right button moves it. A click picks an atom: two
    picked atoms give a distance and three an angle, by nearest images.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure. Periodic positions are shown inside the cell.
    colour_by : str or array_like, optional
        ``"species"``, the name of an array in ``atoms.arrays``, one of ``"bonds per atom"``,
        ``"x (Å)"``, ``"y (Å)"``, ``"z (Å)"``, or one number per atom.
    cutoff : float or dict, optional
        Longest bond in Å, for all pairs or by pair of species: ``{("Si", "O"): 2.0}``. When
        omitted, the first minimum of the partial g(r).
    colour_map : str
        ``"viridis"``, ``"cividis"``, ``"magma"`` or ``"coolwarm"``.
    polyhedra : str
        Species around which coordination polyhedra are drawn, such as ``"Si"``.
    height : str
        Height of the picture, as in CSS.

    Attributes
    ----------
    model : StructureModel
        What is shown; set its traits to move the controls from Python.

    Raises
    ------
    ValueError
        If the structure, the cutoff, or a name makes no sense.

    Examples
    --------
    >>> viewer = StructureViewer(glass, colour_by="z (Å)")  # doctest: +SKIP
    >>> viewer.model.selection = (0, 5)  # doctest: +SKIP
    """

    def __init__(
        self,
        atoms: Atoms,
        colour_by: str | ArrayLike = SPECIES,
        *,
        cutoff: Any = None,
        colour_map: str = COLOUR_MAPS[0],
        polyhedra: str = "",
        height: str = "460px",
    ) -> None:
        self.model = StructureModel(atoms, cutoff=cutoff)
        self._set_up(colour_by, colour_map, polyhedra)
        self._canvas = Canvas(height=height, on_pick=self.model.pick)
        self._filling = False
        self._make_controls()
        self._connect()
        super().__init__([self._body(), self._table_box])
        self.add_class("glassnb-viewer")
        self._draw_all()
        self._describe()

    def _set_up(self, colour_by: str | ArrayLike, colour_map: str, polyhedra: str) -> None:
        model = self.model
        if colour_map not in COLOUR_MAPS:
            raise ValueError(f"colour_map={colour_map!r}: must be one of {', '.join(COLOUR_MAPS)}")
        if polyhedra and polyhedra not in model.symbols:
            raise ValueError(f"polyhedra={polyhedra!r}: must be one of {', '.join(model.symbols)}")
        if not isinstance(colour_by, str):
            model.add_number("given number", colour_by)
            colour_by = "given number"
        try:
            model.colour_by = colour_by
        except TraitError as error:
            raise ValueError(str(error)) from None
        model.colour_map, model.polyhedra = colour_map, polyhedra

    def set_atoms(self, atoms: Atoms) -> None:
        """Show another structure in the same view.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.
        """
        self.model.atoms = atoms

    def add_number(self, name: str, values: ArrayLike) -> None:
        """Offer one more number per atom for colouring and selecting, and colour by it.

        Parameters
        ----------
        name : str
            What the colour bar shall say, with the unit.
        values : array_like, shape (n_atoms,)
            The numbers; NaN where there is none.
        """
        self.model.add_number(name, values)
        self.model.colour_by = name

    def selected_frame(self) -> pd.DataFrame:
        """Return the selected atoms as a table.

        Returns
        -------
        pandas.DataFrame
            One row per atom: species, position in Å, bonds, and the number it is coloured by.
        """
        return self.model.selected_frame()

    # -- controls -------------------------------------------------------------------------------

    def _make_controls(self) -> None:
        self.colour_by = control(ipw.Dropdown, "Colour by", options=[SPECIES])
        self.colour_map = control(ipw.Dropdown, "Colour map", options=COLOUR_MAPS)
        self.range = control(ipw.FloatRangeSlider, "Select", continuous_update=False, readout=False)
        lazy = {"continuous_update": False}
        wide = {"flex": "1 1 168px", "width": "168px"}
        self.low = control(ipw.FloatText, "from", layout=wide, **lazy)
        narrow = {"flex": "1 1 100px", "width": "100px"}
        self.high = control(
            ipw.FloatText, "to", layout=narrow, style={"description_width": "20px"}, **lazy
        )
        self.stretch = control(ipw.Checkbox, "Colours span the selection", value=False)
        self.hide_unselected = control(ipw.Checkbox, "Hide the other atoms")
        self.species = ipw.HBox(layout={"flex_flow": "row wrap"})
        self.show_bonds = check_box("Bonds")
        self.show_cell = check_box("Cell")
        self.polyhedra = control(ipw.Dropdown, "Polyhedra", options=[("none", "")])
        self.atoms_to_measure = control(
            ipw.Text, "Atoms", placeholder="indices, such as 0, 12, 7", continuous_update=False
        )
        self.clear = ipw.Button(description="Clear", layout={"width": "80px"})
        self.measurement = ipw.HTML()
        self.legend = ipw.HTML(layout={"min_height": "60px"})
        self.status = ipw.Label()
        self.table = ipw.HTML(layout={"max_height": "260px", "overflow": "auto"})
        self._table_box = ipw.Accordion([self.table], titles=("Selected atoms as a table",))

    def _body(self) -> ipw.HBox:
        controls = ipw.VBox(
            [
                heading("Colour and select"),
                self.colour_by,
                self.colour_map,
                self.range,
                ipw.HBox([self.low, self.high]),
                self.stretch,
                self.hide_unselected,
                heading("Show"),
                row("Species", self.species),
                row("Lines", ipw.HBox([self.show_bonds, self.show_cell])),
                self.polyhedra,
                heading("Measure"),
                self.atoms_to_measure,
                row("", self.clear),
                self.measurement,
            ],
            layout={"width": "340px", "flex": "0 0 340px", "padding": "0 0 0 12px"},
        )
        picture = ipw.VBox(
            [self.legend, self._canvas.widget, self.status],
            layout={"flex": "1 1 auto", "min_width": "320px", "overflow": "hidden"},
        )
        return ipw.HBox([picture, controls], layout={"width": "100%"})

    def _connect(self) -> None:
        model = self.model
        self._fill_controls()
        for name in ("colour_map", "stretch", "hide_unselected", "show_bonds", "show_cell"):
            self._link(name, getattr(self, name))
        self._link("colour_by", self.colour_by)
        self._link("polyhedra", self.polyhedra)
        self.range.observe(self._on_range, "value")
        for box in (self.low, self.high):
            box.observe(self._on_bounds, "value")
        self.atoms_to_measure.observe(self._on_typed, "value")
        self.clear.on_click(lambda _: self._clear())
        model.observe(self._on_version, "version")
        model.observe(self._on_selection, "selection")
        model.observe(self._on_hidden, "hidden")
        model.observe(
            self._on_look,
            ["colour_by", "colour_map", "selection", "stretch", "hide_unselected", "hidden"],
        )
        model.observe(lambda _: self._canvas.draw(bonds=model.show_bonds), "show_bonds")
        model.observe(lambda _: self._canvas.draw(cell=self._cell()), "show_cell")
        model.observe(lambda _: self._canvas.draw(polyhedra=self._polyhedra()), "polyhedra")
        model.observe(self._on_picked, "picked")

    def _link(self, name: str, control: Any) -> None:
        """Keep a control and a trait of the model equal."""

        def to_model(change: Any) -> None:
            if not self._filling:
                setattr(self.model, name, change["new"])

        control.value = getattr(self.model, name)
        control.observe(to_model, "value")
        self.model.observe(lambda change: setattr(control, "value", change["new"]), name)

    def _fill_controls(self) -> None:
        """Offer what the structure has; the model does not hear of it."""
        model = self.model
        around = [(f"around {symbol}", symbol) for symbol in model.symbols]
        self._filling = True
        self.colour_by.options, self.colour_by.value = [SPECIES, *model.choices], model.colour_by
        self.polyhedra.options, self.polyhedra.value = [("none", ""), *around], model.polyhedra
        self._filling = False
        boxes = []
        for symbol in model.symbols:
            box = check_box(symbol, value=symbol not in model.hidden)
            box.observe(self._on_species, "value")
            boxes.append(box)
        before, self.species.children = self.species.children, boxes
        for widget in held(before):
            widget.close()
        self._set_range()

    def _set_range(self) -> None:
        """Fit the slider to the numbers; it is idle where atoms are coloured by species."""
        model, slider = self.model, self.range
        low, high = model.limits
        idle = model.numbers is None or low == high
        with slider.hold_trait_notifications():
            if idle:
                high = low + 1
            slider.min, slider.max = min(low, slider.min), max(high, slider.max)
            slider.value = (low, high) if idle else model.selection
            slider.disabled = idle
            slider.min, slider.max = low, high
            slider.step = 1.0 if model.discrete else (high - low) / 200
        self._filling = True
        self.low.value, self.high.value = (float(f"{x:.5g}") for x in slider.value)
        self._filling = False
        self.low.disabled = self.high.disabled = idle
        self.stretch.disabled = self.hide_unselected.disabled = idle
        self.colour_map.disabled = model.numbers is None

    # -- from controls to the model ----------------------------------------------------------------

    def _on_range(self, change: Any) -> None:
        if not self.range.disabled:
            self.model.selection = change["new"]

    def _on_bounds(self, change: Any) -> None:
        """Take a typed bound; one that crosses the other moves it along."""
        if self._filling:
            return
        low, high = self.model.selection
        typed = float(change["new"])
        if change["owner"] is self.low:
            self.model.selection = (typed, max(typed, high))
        else:
            self.model.selection = (min(low, typed), typed)

    def _on_species(self, change: Any) -> None:
        self.model.hidden = tuple(b.description for b in self.species.children if not b.value)

    def _on_typed(self, change: Any) -> None:
        words = change["new"].replace(",", " ").split()
        try:
            self.model.picked = tuple(int(word) for word in words)
        except (ValueError, TraitError) as error:
            text = html.escape(str(error))
            self.measurement.value = f'<span style="color:#b3261e">{text}</span>'

    def _clear(self) -> None:
        self.model.picked = ()
        self.atoms_to_measure.value = ""

    # -- from the model to the picture -------------------------------------------------------------

    def _on_version(self, change: Any) -> None:
        self._fill_controls()
        self._draw_all(fit=True)
        self._describe()

    def _on_selection(self, change: Any) -> None:
        self._set_range()

    def _on_hidden(self, change: Any) -> None:
        for box in self.species.children:
            box.value = box.description not in self.model.hidden

    def _on_look(self, change: Any) -> None:
        self._canvas.draw(colours=self.model.colours, **self._shown())
        self._describe()

    def _on_picked(self, change: Any) -> None:
        self._canvas.draw(marks=self._marks())
        self.atoms_to_measure.value = ", ".join(str(atom) for atom in self.model.picked)
        self.measurement.value = html.escape(self.model.measurement)

    def _draw_all(self, *, fit: bool = False) -> None:
        model = self.model
        self._canvas.draw(
            fit=fit,
            structure=structure_part(model.structure, model.drawing),
            colours=model.colours,
            **self._shown(),
            bonds=model.show_bonds,
            cell=self._cell(),
            polyhedra=self._polyhedra(),
            marks=self._marks(),
        )

    def _shown(self) -> dict[str, Any]:
        model = self.model
        return {
            "shown": np.flatnonzero(model.shown).tolist(),
            "bond_ends": model.shown_bond_ends.tolist(),
        }

    def _cell(self) -> list[Any] | None:
        return geometry.cell_edges(self.model.structure) if self.model.show_cell else None

    def _polyhedra(self) -> dict[str, list[Any]] | None:
        model = self.model
        if not model.polyhedra:
            return None
        corners, centres = geometry.polyhedra(model.structure, model.bonds, model.polyhedra)
        return {"corners": np.round(corners, 3).ravel().tolist(), "centres": centres.tolist()}

    def _marks(self) -> dict[str, Any] | None:
        """Return balls around the picked atoms and lines between nearest images."""
        model = self.model
        if not model.picked:
            return None
        points = [model.structure.positions[model.picked[0]]]
        for start, end in zip(model.picked, model.picked[1:], strict=False):
            points.append(points[-1] + model.vector(start, end))
        size = 1.35 * geometry.radii(model.structure)[list(model.picked)]
        rows = [point.round(4).tolist() for point in points]
        return {
            "spheres": [list(pair) for pair in zip(rows, size.tolist(), strict=True)],
            "lines": [list(pair) for pair in zip(rows, rows[1:], strict=False)],
        }

    # -- words -------------------------------------------------------------------------------------

    def _describe(self) -> None:
        """Say what is shown: status, legend, table."""
        model = self.model
        self.status.value = model.status
        self.measurement.value = html.escape(model.measurement)
        self.legend.value = _species_legend(model) if model.numbers is None else _colour_bar(model)
        frame = model.selected_frame()
        note = ""
        if len(frame) > _TABLE_ROWS:
            note = (
                f"<p>The first {_TABLE_ROWS} of {len(frame)} atoms; "
                "<code>viewer.selected_frame()</code> holds them all.</p>"
            )
        self.table.value = note + frame.head(_TABLE_ROWS).round(3).to_html(border=0)


def _species_legend(model: StructureModel) -> str:
    symbols = np.asarray(model.structure.symbols)
    chips = "".join(
        chip(species_colour(symbol), f"{symbol} ({(symbols == symbol).sum()})")
        for symbol in model.symbols
    )
    return f"<b>species</b><div>{chips}</div>"


def _colour_bar(model: StructureModel) -> str:
    """Write the colour scale: one mark per value where they are few, else a bar with its range."""
    assert model.numbers is not None
    name = html.escape(model.colour_by)
    if model.discrete:
        values, counts = np.unique(model.numbers[np.isfinite(model.numbers)], return_counts=True)
        chips = "".join(
            chip(mpl.colors.to_hex(colour), f"{value:.0f} ({count})")
            for value, count, colour in zip(values, counts, model.colour_of(values), strict=True)
        )
        return f"<b>{name}</b><div>{chips}</div>"
    stops = ", ".join(
        mpl.colors.to_hex(mpl.colormaps[model.colour_map](x)) for x in np.linspace(0, 1, 11)
    )
    low, high = model.colour_limits
    marks = "".join(f"<span>{low + x * (high - low):.4g}</span>" for x in (0, 0.25, 0.5, 0.75, 1))
    return (
        f'<div style="line-height:1.3"><b>{name}</b>'
        f'<div style="height:12px;background:linear-gradient(to right, {stops})"></div>'
        f'<div style="display:flex;justify-content:space-between">{marks}</div></div>'
    )
