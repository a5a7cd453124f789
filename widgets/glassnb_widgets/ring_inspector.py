"""Look at the rings of a network: choose some by size and shape, and see each in the structure."""

from __future__ import annotations

import html
import re
from typing import Any

import ipywidgets as ipw
import numpy as np
import pandas as pd
from ase import Atoms
from traitlets import TraitError

from glassnb.core.structure import species_of
from glassnb.network import Rings
from glassnb.network.rings.search import LARGEST
from glassnb.plotting import species_colour
from glassnb_widgets.parts import (
    LinkedBox,
    Steps,
    button,
    check_box,
    chip,
    control,
    heading,
    line,
    notice,
    row,
    table,
)
from glassnb_widgets.ring_model import DEFINITIONS, MEASURES, WHOLE, RingModel, called, parse_sizes
from glassnb_widgets.ring_picture import RingPicture
from glassnb_widgets.ring_plot import RingPlot
from glassnb_widgets.viewer import Canvas

__all__ = ["RingInspector"]

_TABLE_ROWS = 100
_COLOURS = {"ring": "#d90099", "plane": "#009e73", "ellipsoid": "#296bcc", "normal": "#262626"}
_SHOWS = [
    ("whole structure", "whole"),
    ("surroundings of the ring", "surroundings"),
    ("ring alone", "ring"),
]
_CAMERAS = [("stays", "stay"), ("follows the ring", "follow"), ("faces the ring", "face")]
_COUNTINGS = [("all atoms", "nodes"), ("network formers", "formers")]
_TITLES = {"size": "atoms in ring", "former_size": "network formers", **MEASURES}
_HELP = (
    "Bar: click for rings of that size, Shift-click for several. Map: click a point for that "
    "ring, drag for a region, double-click for all. Arrow keys: from ring to ring."
)


class RingInspector(LinkedBox):
    """Rings of a structure: how many, how round, how rough, and where they are.

    A histogram of sizes and a map of roundness and roughness are linked with the structure. What
    is clicked or dragged there selects rings; one of them is drawn in the structure with its
    plane, its normal and its gyration ellipsoid, unwrapped where it leaves the cell. Rings are
    searched in the background: the notebook stays usable.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    rings : Rings, optional
        Its rings, if they have been searched already.
    definition : str
        ``"primitive"``, ``"king"`` or ``"guttman"``; that of ``rings`` where given.
    cutoff : float or dict, optional
        Longest bond in Å, for all pairs or by pair of species: ``{("Si", "O"): 2.0}``. When
        omitted, the first minimum of the partial g(r); that of ``rings`` where given.
    max_size : int, optional
        Largest ring in atoms; the default of the definition when omitted.
    height : str
        Height of the picture of the structure, as in CSS.

    Attributes
    ----------
    model : RingModel
        The state; set its traits to move the controls from Python.

    Raises
    ------
    ValueError
        If the structure has no bonds, an argument makes no sense, or ``rings`` belong to another
        structure.

    Examples
    --------
    >>> inspector = RingInspector(glass, cutoff={("Si", "O"): 2.0})  # doctest: +SKIP
    >>> inspector.model.sizes = (12,)  # doctest: +SKIP
    >>> inspector.selected_frame()  # doctest: +SKIP
    """

    def __init__(
        self,
        atoms: Atoms,
        rings: Rings | None = None,
        *,
        definition: str = DEFINITIONS[0],
        cutoff: Any = None,
        max_size: int | None = None,
        height: str = "460px",
    ) -> None:
        self.model = RingModel(
            atoms, rings, definition=definition, cutoff=cutoff, max_size=max_size
        )
        self._canvas = Canvas(height=height, on_pick=self._on_pick)
        self._picture = RingPicture(self.model, self._canvas)
        pixels = re.fullmatch(r"(\d+)(?:px)?", height.strip())
        self.plot = RingPlot(self._on_plot, height=max(420, int(pixels[1]) if pixels else 460) + 92)
        self._make_controls()
        with self.model.lock:  # a search may end at any moment
            self._connect()
            super().__init__([self._body(), *self._words(), self._controls(), self.tables])
            self.add_class("glassnb-rings")
            self._on_version(None)

    @property
    def selected(self) -> Rings:
        """The selected rings; waits for a search that goes on."""
        return self.model.selected

    @property
    def current(self) -> int:
        """Number of the ring that is looked at; -1 for none."""
        return self.model.current

    @current.setter
    def current(self, ring: int) -> None:
        try:
            self.model.current = ring
        except TraitError as error:
            raise ValueError(f"current={ring}: {error}") from None

    def selected_frame(self) -> pd.DataFrame:
        """Return the selected rings as a table.

        Returns
        -------
        pandas.DataFrame
            One row per ring, by its number: sizes, roundness, roughness, radius of gyration (Å),
            perimeter (Å), area (Å²), and its atoms.
        """
        return self.model.selected_frame()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the search has ended.

        Parameters
        ----------
        timeout : float, optional
            Longest wait in s.
        """
        self.model.wait(timeout)

    # -- controls ----------------------------------------------------------------------------------

    def _make_controls(self) -> None:
        lazy = {"continuous_update": False}
        named = [(called(name), name) for name in DEFINITIONS]
        self.definition = control(ipw.Dropdown, "Definition", options=named)
        self.max_size = control(ipw.BoundedIntText, "Up to (atoms)", min=3, max=LARGEST, **lazy)
        self.counting = control(ipw.Dropdown, "Count", options=_COUNTINGS)
        self.sizes = control(ipw.Text, "Sizes", placeholder="all, or such as 8, 10-12", **lazy)
        bounds = {"min": WHOLE[0], "max": WHOLE[1], "step": 0.01, "readout_format": ".2f"}
        self.roundness = control(ipw.FloatRangeSlider, "Roundness", **bounds, **lazy)
        self.roughness = control(ipw.FloatRangeSlider, "Roughness", **bounds, **lazy)
        self.atom = control(ipw.Text, "Through atom", placeholder="index, or click one", **lazy)
        self.clear = button("Select all", "undo")
        self.show = control(ipw.Dropdown, "Show", options=_SHOWS)
        self.within = control(
            ipw.FloatSlider, "Within (Å)", min=1, max=10, step=0.5, readout_format=".1f", **lazy
        )
        self.camera = control(ipw.Dropdown, "Camera", options=_CAMERAS)
        self.plane, self.ellipsoid, self.normal = (
            check_box(name) for name in ("Plane", "Ellipsoid", "Normal")
        )
        self.steps = Steps(self.model, "Ring")
        self.previous, self.next = self.steps.previous, self.steps.next
        self.place, self.total = self.steps.place, self.steps.total
        self.what = control(
            ipw.Dropdown, "What", options=[("selected rings", False), ("this ring", True)]
        )
        self.file_name = control(ipw.Text, "File", value="rings.csv", **lazy)
        self.file_name.placeholder = ".csv or .extxyz"
        self.save_button = button("Save", "save")
        self.legend = ipw.HTML(self._legend(), layout={"min_height": "24px"})
        self.ring_words = ipw.HTML(layout={"min_height": "48px"})
        self.status, self.summary, self.note, self.error = (ipw.HTML() for _ in range(4))
        self.statistics, self.table = (
            ipw.HTML(layout={"max_height": "300px", "overflow": "auto"}) for _ in range(2)
        )
        self.tables = ipw.Accordion(
            [self.statistics, self.table],
            titles=("Statistics of the selection", "Selected rings as a table"),
            selected_index=0,
        )

    def _legend(self) -> str:
        symbols = species_of(self.model.atoms)[0]
        chips = [chip(species_colour(symbol), symbol) for symbol in symbols]
        return "".join([*chips, *(chip(colour, name) for name, colour in _COLOURS.items())])

    def _body(self) -> ipw.HBox:
        plots = ipw.VBox([self.plot], layout={"width": "420px", "flex": "0 0 420px"})
        picture = ipw.VBox(
            [self.legend, self._canvas.widget, self.steps, self.ring_words],
            layout={"flex": "1 1 auto", "min_width": "320px", "overflow": "hidden"},
        )
        return ipw.HBox([plots, picture], layout={"width": "100%"})

    def _words(self) -> list[ipw.Widget]:
        helping = ipw.HTML(line(f'<span style="opacity:0.75">{_HELP}</span>'))
        return [helping, self.status, self.summary, self.note, self.error]

    def _controls(self) -> ipw.HBox:
        drawn = ipw.HBox([self.plane, self.ellipsoid, self.normal])
        groups = {
            "Search and measure": [self.definition, self.max_size, self.counting],
            "Select": [
                self.sizes, self.roundness, self.roughness, self.atom, row("", self.clear),
            ],
            "Draw": [self.show, self.within, self.camera, row("Shape", drawn)],
            "Save": [self.what, self.file_name, row("", self.save_button)],
        }  # fmt: skip
        made = {name: [heading(name), *content] for name, content in groups.items()}
        columns = [
            made["Search and measure"] + made["Save"], made["Select"], made["Draw"],
        ]  # fmt: skip
        layout = {"flex": "1 1 300px", "min_width": "280px", "padding": "0 12px 0 0"}
        return ipw.HBox(
            [ipw.VBox(column, layout=layout) for column in columns],
            layout={"width": "100%", "flex_flow": "row wrap"},
        )

    def _connect(self) -> None:
        model = self.model
        for name in (
            "definition", "counting", "roundness", "roughness", "show", "within", "camera",
            "plane", "ellipsoid", "normal",
        ):  # fmt: skip
            self._link(name, getattr(self, name))
        self.max_size.observe(self._on_max_size, "value")
        self.sizes.observe(self._on_sizes, "value")
        self.atom.observe(self._on_atom, "value")
        self.clear.on_click(lambda _: model.clear())
        self.save_button.on_click(lambda _: model.save(self.file_name.value, one=self.what.value))
        model.observe(self._on_version, "version")
        model.observe(self._on_changes, "changes")
        model.observe(self._on_current, "current")
        model.observe(self._on_show, "show")
        model.observe(
            lambda _: self._picture.draw_ring(),
            ["within", "camera", "plane", "ellipsoid", "normal"],
        )
        model.observe(self._on_say, ["status", "note", "error", "busy"])

    # -- from controls to the model ----------------------------------------------------------------

    def _on_max_size(self, change: Any) -> None:
        if not self._filling:
            self.model.max_size = change["new"]

    def _on_sizes(self, change: Any) -> None:
        if self._filling:
            return
        try:
            self.model.sizes = parse_sizes(change["new"])
        except ValueError as error:
            self.model.error = str(error)
        else:
            self.model.error = ""

    def _on_atom(self, change: Any) -> None:
        if self._filling:
            return
        typed = change["new"].strip()
        number = re.fullmatch(r"(?:[A-Z][a-z]?\s*)?(\d+)", typed)
        try:
            if typed and number is None:
                raise TraitError(f"{typed!r} is no index of an atom")
            self.model.atom = int(number[1]) if number else -1
        except TraitError as error:
            self.model.error = f"Through atom: {error}"
        else:
            self.model.error = ""

    def _on_pick(self, atom: int) -> None:
        """Select the rings through an atom that is clicked; a second click selects all again."""
        if atom < len(self.model.atoms):
            self.model.atom = -1 if atom == self.model.atom else atom

    def _on_plot(self, event: dict[str, Any]) -> None:
        """Do what is done in the plots."""
        model, kind = self.model, event["kind"]
        if model.rings is None:
            return
        with model.lock:
            self._do(kind, event)

    def _do(self, kind: str, event: dict[str, Any]) -> None:
        model = self.model
        if kind == "bar":
            model.toggle_size(event["size"], add=bool(event.get("add")))
        elif kind == "point":
            model.pick_at(event["x"], event["y"], tuple(event["reach"]))
        elif kind == "region":
            model.set_region(tuple(event["x"]), tuple(event["y"]))
        elif kind == "step":
            model.step(event["by"])
        elif kind == "clear":
            model.clear()

    # -- from the model to the page, also from the thread of the search -------------------------

    def _on_version(self, change: Any) -> None:
        model = self.model
        self._picture.draw_structure()
        if model.shape is not None and model.rings is not None:
            measures = model.measures
            self.plot.show(
                model.shape.sizes, measures["roundness"], measures["roughness"], model.size_words
            )
            self._fill(self.max_size, model.rings.max_size)
        if change is None:
            self._on_changes(None)
            self._on_say(None)

    def _on_changes(self, change: Any) -> None:
        model = self.model
        if model.rings is not None:
            whole = model.roundness == WHOLE and model.roughness == WHOLE
            region = None if whole else (model.roundness, model.roughness)
            self.plot.select(model.chosen, model.sizes, region)
            self.statistics.value = _statistics(model)
            self.table.value = _rows(model)
        self._fill(self.sizes, ", ".join(map(str, model.sizes)))
        self._fill(self.atom, "" if model.atom < 0 else str(model.atom))
        self.summary.value = line(html.escape(model.summary))
        self._on_current(None)

    def _on_current(self, change: Any) -> None:
        model = self.model
        self.save_button.disabled = model.numbers.size == 0
        self.steps.refresh()
        if model.rings is not None:
            k = model.current
            names = ("roundness", "roughness")
            point = [float(model.measures[name][k]) if k >= 0 else np.nan for name in names]
            self.plot.mark(k, (point[0], point[1]))
        name, colon, rest = html.escape(model.words).partition(":")
        members = f'<span style="opacity:0.75">{html.escape(model.members)}</span>'
        self.ring_words.value = line(f"<b>{name}{colon}</b>{rest}<br>{members}")
        self._picture.draw_ring()

    def _on_show(self, change: Any) -> None:
        self.within.disabled = self.model.show != "surroundings"
        self._picture.draw_structure()
        self._picture.draw_ring()

    def _on_say(self, change: Any) -> None:
        model = self.model
        spin = '<i class="fa fa-spinner fa-spin"></i> ' if model.busy else ""
        self.status.value = line(spin + html.escape(model.status))
        self.note.value = notice(model.note)
        self.error.value = notice(model.error, failed=True)


def _statistics(model: RingModel) -> str:
    """Write numbers and means, one line for each size."""
    frame = model.statistics().reset_index()
    return table(frame.rename(columns={"selected": "rings selected", "of": "rings in all"}))


def _rows(model: RingModel) -> str:
    """Write the first of the selected rings."""
    frame = model.selected_frame(_TABLE_ROWS, wait=False)
    note = ""
    if model.numbers.size > _TABLE_ROWS:
        note = (
            f"<p>The first {_TABLE_ROWS} of {model.numbers.size} rings; "
            "<code>inspector.selected_frame()</code> holds them all.</p>"
        )
    frame["atoms"] = [" ".join(map(str, atoms)) for atoms in frame["atoms"]]
    return note + table(frame.reset_index().rename(columns=_TITLES))
