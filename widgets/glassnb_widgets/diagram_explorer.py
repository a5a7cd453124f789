"""From a point of a persistence diagram to the ring or cavity behind it, in the structure."""

from __future__ import annotations

import html
import re
from typing import Any

import ipywidgets as ipw
import numpy as np
import pandas as pd

from glassnb.core.structure import species_of
from glassnb.network import Rings
from glassnb.plotting import species_colour
from glassnb.topology import PersistenceDiagrams
from glassnb.topology.cycles import Cycle
from glassnb_widgets import diagram_tables
from glassnb_widgets.diagram_controls import COLOURS, REGIONS, DiagramControls
from glassnb_widgets.diagram_model import DiagramModel
from glassnb_widgets.diagram_picture import CyclePicture
from glassnb_widgets.diagram_plot import DiagramPlot
from glassnb_widgets.parts import chip, line, notice
from glassnb_widgets.viewer import Canvas

__all__ = ["DiagramExplorer"]


class DiagramExplorer(DiagramControls):
    """Persistence diagrams, and the atoms behind each of their points.

    A diagram is linked with the structure: what is clicked, dragged or chosen by name there
    selects pairs; one of them is drawn in the structure as the ring or cavity that it stands for,
    in one piece where it leaves the cell. A ring appears at once as the shortest cycle, and a
    moment later as the optimal one, which is found in the background: the notebook stays usable.

    Parameters
    ----------
    diagrams : PersistenceDiagrams
        Diagrams of a structure.
    other : PersistenceDiagrams, optional
        Diagrams of another structure, drawn beside the first with the same axes and colours.
    dimension : int
        Dimension that is shown first: 0 for pieces, 1 for rings, 2 for cavities.
    stability : float
        Noise in Å² that cycles shall bear; 0 for volume-optimal ones.
    rings : Rings, optional
        Rings of the network of the first structure, with which cycles are compared.
    height : str
        Height of the picture of the structure, as in CSS.

    Attributes
    ----------
    model : DiagramModel
        The state; set its traits to move the controls from Python.

    Raises
    ------
    ValueError
        If an argument makes no sense, or ``rings`` belong to another structure.

    Examples
    --------
    >>> diagrams = glassnb.topology.persistence(glass)  # doctest: +SKIP
    >>> explorer = DiagramExplorer(diagrams)  # doctest: +SKIP
    >>> explorer.model.set_box((0.5, 1.0), (2.0, 4.0))  # doctest: +SKIP
    >>> explorer.selected_frame()  # doctest: +SKIP
    """

    def __init__(
        self,
        diagrams: PersistenceDiagrams,
        other: PersistenceDiagrams | None = None,
        *,
        dimension: int = 1,
        stability: float = 0.05,
        rings: Rings | None = None,
        height: str = "460px",
    ) -> None:
        self.model = DiagramModel(
            diagrams, other, dimension=dimension, stability=stability, rings=rings
        )
        self._canvas = Canvas(height=height)
        self._picture = CyclePicture(self.model, self._canvas)
        pixels = re.fullmatch(r"(\d+)(?:px)?", height.strip())
        tall = max(420, int(pixels[1]) if pixels else 460) + 24
        self.plot = DiagramPlot(self._on_plot, height=tall if other is None else 400)
        self._make_controls()
        with self.model.lock:  # a cycle may be found at any moment
            self._connect()
            super().__init__([self._body(), *self._words(), self._controls(), self.tables])
            self.add_class("glassnb-diagrams")
            self._on_version(None)
            self._on_changes(None)
            self._on_cycle(None)
            self._on_say(None)

    @property
    def current(self) -> int:
        """Number of the pair that is looked at; -1 for none."""
        return self.model.current

    @current.setter
    def current(self, pair: int) -> None:
        self.model.visit(pair)

    @property
    def cycle(self) -> Cycle | None:
        """The cycle that is looked at; waits until the one that was asked for is there."""
        self.model.wait()
        return self.model.cycle

    def selected_frame(self) -> pd.DataFrame:
        """Return the selected pairs of the structure that is drawn as a table.

        Returns
        -------
        pandas.DataFrame
            One row per pair, by its number: birth, death and lifetime in Å², atoms of the
            simplices of birth and death, and what is known of its cycle.
        """
        return self.model.selected_frame()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the cycles that are looked for have been found.

        Parameters
        ----------
        timeout : float, optional
            Longest wait in s.
        """
        self.model.wait(timeout)

    # -- the page ----------------------------------------------------------------------------------

    def _body(self) -> ipw.HBox:
        width = "480px" if len(self.model.both) == 1 else "700px"
        plots = ipw.VBox(
            [self.plot, self.pair_words], layout={"width": width, "flex": f"0 0 {width}"}
        )
        picture = ipw.VBox(
            [self.legend, self._canvas.widget, self.steps],
            layout={"flex": "1 1 400px", "min_width": "320px", "overflow": "hidden"},
        )
        return ipw.HBox([plots, picture], layout={"width": "100%", "flex_flow": "row wrap"})

    def _connect(self) -> None:
        model = self.model
        self._fill_ranges()
        for name in (
            "dimension", "which", "region", "lifetime", "order", "show", "within", "camera",
            "volume", "inner", "method", "stability",
        ):  # fmt: skip
            self._link(name, getattr(self, name))
        for name in ("axes", "birth", "death"):
            getattr(self, name).observe(self._on_range, "value")
        self.relatives.observe(self._on_relative, "value")
        self.clear.on_click(lambda _: model.clear())
        self.find_all.on_click(lambda _: model.collect())
        self.stop_all.on_click(lambda _: model.stop())
        self.save_button.on_click(lambda _: model.save(self.file_name.value, one=self.what.value))
        model.observe(self._on_version, "version")
        model.observe(self._on_axes, "axes")
        model.observe(self._on_changes, "changes")
        model.observe(self._on_cycle, "cycle_changes")
        model.observe(self._on_show, "show")
        look = ["within", "camera", "volume", "inner"]
        model.observe(lambda _: self._picture.draw_cycle(), look)
        model.observe(self._on_say, ["status", "note", "error", "busy", "collecting"])

    # -- from controls to the model ----------------------------------------------------------------

    def _on_range(self, change: Any) -> None:
        """Take a range from a slider; its ends stand for no limit."""
        if self._filling:
            return
        slider, (low, high) = change["owner"], change["new"]
        if slider is self.axes:
            if low < high:
                self.model.axes = (low, high)
            return
        first, last = self.model.extent
        ends = (-np.inf if low <= first else low, np.inf if high >= last else high)
        setattr(self.model, "birth" if slider is self.birth else "death", ends)

    def _on_relative(self, change: Any) -> None:
        if not self._filling and change["new"] is not None and change["new"] >= 0:
            self.model.visit(change["new"])

    def _on_plot(self, event: dict[str, Any]) -> None:
        """Do what is done in the plot."""
        model, kind = self.model, event["kind"]
        with model.lock:
            if kind == "point":
                model.pick_at(event["x"], event["y"], tuple(event["reach"]), event["map"])
            elif kind == "region":
                model.set_box(tuple(event["x"]), tuple(event["y"]))
            elif kind == "lasso":
                model.set_lasso(event["points"])
            elif kind == "step":
                model.step(event["by"])
            elif kind == "clear":
                model.clear()

    # -- from the model to the page, also from the thread of the search -------------------------

    def _fill_ranges(self) -> None:
        """Fit controls to the pairs that are shown; the model does not hear of it."""
        model = self.model
        before, self._filling = self._filling, True
        regions = [("all", ""), *((REGIONS[name], name) for name in model.names)]
        self.region.options, self.region.value = regions, model.region
        self.region.disabled = len(regions) == 1
        low, high = model.extent
        ranges = {self.axes: model.limits, self.birth: model.birth, self.death: model.death}
        for slider, (first, last) in ranges.items():
            with slider.hold_trait_notifications():
                slider.min, slider.max = min(low, slider.min), max(high, slider.max)
                slider.value = (max(low, first), min(high, last))
                slider.min, slider.max = low, high
        for tool in (self.method, self.volume):
            tool.disabled = model.dimension == 0 or (tool is self.method and model.dimension == 2)
        self.stability.disabled = model.dimension == 0
        self.inner.disabled = self.relatives.disabled = model.dimension != 2
        self._filling = before

    def _on_version(self, change: Any) -> None:
        model = self.model
        self._fill_ranges()
        self._show_plot()
        symbols = species_of(model.diagrams.complex.atoms)[0]
        chips = [chip(species_colour(symbol), symbol) for symbol in symbols]
        parts = COLOURS[model.dimension].items()
        self.legend.value = "".join([*chips, *(chip(colour, name) for name, colour in parts)])
        self._picture.draw_structure()

    def _on_axes(self, change: Any) -> None:
        if self.model.holding:  # the selection follows
            return
        self._fill_ranges()
        self._show_plot()
        self._select_in_plot()

    def _show_plot(self) -> None:
        model = self.model
        count = range(len(model.both))
        self.plot.show(
            [model.pairs(k) for k in count], [model.title_of(k) for k in count], model.words,
            model.limits,
        )  # fmt: skip

    def _select_in_plot(self) -> None:
        model = self.model
        box = [[x if np.isfinite(x) else None for x in ends] for ends in (model.birth, model.death)]
        open_ = all(x is None for ends in box for x in ends)
        self.plot.select(model.masks, None if open_ else box, model.lasso)
        self._mark()

    def _mark(self) -> None:
        model = self.model
        point = model.pairs()[model.current].tolist() if model.current >= 0 else None
        self.plot.mark(model.which, model.current, point)

    def _on_changes(self, change: Any) -> None:
        self._fill_ranges()
        self._select_in_plot()
        self.statistics.value = diagram_tables.statistics(self.model)

    def _on_cycle(self, change: Any) -> None:
        model = self.model
        self._picture.draw_cycle()
        self._mark()
        self.steps.refresh()
        self.save_button.disabled = model.current < 0
        name, colon, rest = html.escape(model.pair_words).partition(":")
        members = f'<span style="opacity:0.75">{html.escape(model.members)}</span>'
        words = f"<b>{name}{colon}</b>{rest}<br>{html.escape(model.cycle_words)}<br>{members}"
        self.pair_words.value = line(words)
        self._fill_relatives()
        if model.final:
            self.sizes.value = diagram_tables.sizes(model)
            self.table.value = diagram_tables.pairs(model)

    def _fill_relatives(self) -> None:
        model = self.model
        options = [("this one", -1)]
        if (parent := model.parent()) >= 0:
            options.append((f"{parent}, of which it is part", parent))
        options += [(f"{k}, within it", k) for k in model.children()[:50]]
        before, self._filling = self._filling, True
        if tuple(self.relatives.options) != tuple(options):
            self.relatives.options = options
        self.relatives.value = -1
        self._filling = before

    def _on_show(self, change: Any) -> None:
        self.within.disabled = self.model.show != "surroundings"
        self._picture.draw_structure()
        self._picture.draw_cycle()

    def _on_say(self, change: Any) -> None:
        model = self.model
        spin = '<i class="fa fa-spinner fa-spin"></i> ' if model.busy else ""
        self.status.value = line(spin + html.escape(model.status))
        self.note.value = notice(model.note)
        self.error.value = notice(model.error, failed=True)
        self.find_all.disabled = model.collecting or model.dimension == 0
        self.stop_all.disabled = not model.collecting
