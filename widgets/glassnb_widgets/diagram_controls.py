"""The controls of the diagram explorer, and where they stand on the page."""

from __future__ import annotations

import ipywidgets as ipw

from glassnb_widgets.diagram_model import METHODS, DiagramModel
from glassnb_widgets.parts import LinkedBox, Steps, button, check_box, control, heading, line, row

__all__ = ["COLOURS", "REGIONS", "DiagramControls"]

#: What is drawn, by dimension, and its colours, which are those of ``canvas.js``.
COLOURS = {
    0: {"edge that joins": "#d90099"},
    1: {"cycle": "#d90099", "its volume": "#009e73"},
    2: {"surface of the cavity": "#296bcc", "cavities within": "#e6730d"},
}
_DIMENSIONS = [("0: pieces", 0), ("1: rings", 1), ("2: cavities", 2)]
#: What the named regions are called.
REGIONS = {
    "C_P": "C_P: primary rings of Si and O",
    "C_T": "C_T: within tetrahedra",
    "C_O": "C_O: triangles of O",
    "B_O": "B_O: rings of O",
}
_ORDERS = [("lifetime, longest first", "lifetime"), ("birth", "birth"), ("death", "death")]
_SHOWS = [
    ("whole structure", "whole"),
    ("surroundings of the cycle", "surroundings"),
    ("cycle alone", "cycle"),
]
_CAMERAS = [("stays", "stay"), ("follows the cycle", "follow"), ("faces the cycle", "face")]
_HELP = (
    "Click a point for that pair, drag for a region, Shift-drag for a lasso, double-click for all. "
    "Arrow keys: from pair to pair."
)


class DiagramControls(LinkedBox):
    """What can be set in a diagram explorer, and the words that it writes; it does nothing yet."""

    model: DiagramModel

    def _make_controls(self) -> None:
        model, lazy = self.model, {"continuous_update": False}
        fine = {"step": 0.01, "readout_format": ".2f", **lazy}
        self.dimension = control(ipw.Dropdown, "Dimension", options=_DIMENSIONS)
        titles = [(model.title_of(k), k) for k in range(len(model.both))]
        self.which = control(ipw.Dropdown, "Structure", options=titles)
        self.axes = control(ipw.FloatRangeSlider, "Axes (Å²)", **fine)
        self.region = control(ipw.Dropdown, "Region", options=[("all", "")])
        self.birth = control(ipw.FloatRangeSlider, "Birth (Å²)", **fine)
        self.death = control(ipw.FloatRangeSlider, "Death (Å²)", **fine)
        self.lifetime = control(ipw.BoundedFloatText, "Lifetime from", min=0, max=1e6, step=0.1)
        self.order = control(ipw.Dropdown, "Go by", options=_ORDERS)
        self.clear = button("Select all", "undo")
        self.show = control(ipw.Dropdown, "Show", options=_SHOWS)
        self.within = control(
            ipw.FloatSlider, "Within (Å)", min=1, max=10, step=0.5, readout_format=".1f", **lazy
        )
        self.camera = control(ipw.Dropdown, "Camera", options=_CAMERAS)
        self.volume, self.inner = check_box("Volume"), check_box("Cavities within")
        self.inner.layout.width = "140px"
        self.method = control(ipw.Dropdown, "Cycle", options=METHODS)
        self.stability = control(
            ipw.BoundedFloatText, "Stability (Å²)", min=0, max=10, step=0.05, **lazy
        )
        self.relatives = control(ipw.Dropdown, "Go to cavity", options=[("this one", -1)])
        self.find_all, self.stop_all = button("Find all cycles", "search"), button("Stop", "stop")
        self.find_all.layout.width = "130px"
        self.steps = Steps(model, "Pair")
        self.what = control(
            ipw.Dropdown, "What", options=[("selected pairs", False), ("this pair", True)]
        )
        self.file_name = control(ipw.Text, "File", value="pairs.csv", **lazy)
        self.file_name.placeholder = ".csv or .extxyz"
        self.save_button = button("Save", "save")
        self._make_words()

    def _make_words(self) -> None:
        self.legend = ipw.HTML(layout={"min_height": "24px"})
        self.pair_words = ipw.HTML(layout={"min_height": "68px", "padding": "0 12px 0 0"})
        self.status, self.note, self.error = (ipw.HTML() for _ in range(3))
        self.statistics, self.sizes, self.table = (
            ipw.HTML(layout={"max_height": "300px", "overflow": "auto"}) for _ in range(3)
        )
        titles = (
            "Statistics of the selection",
            "Sizes of the cycles found",
            "Selected pairs as a table",
        )
        self.tables = ipw.Accordion(
            [self.statistics, self.sizes, self.table], titles=titles, selected_index=0
        )

    def _words(self) -> list[ipw.Widget]:
        helping = ipw.HTML(line(f'<span style="opacity:0.75">{_HELP}</span>'))
        return [helping, self.status, self.note, self.error]

    def _controls(self) -> ipw.HBox:
        drawn = ipw.HBox([self.volume, self.inner])
        compare = [self.which] if len(self.model.both) > 1 else []
        groups = {
            "Diagram": [self.dimension, *compare, self.axes],
            "Select": [
                self.region, self.birth, self.death, self.lifetime, self.order,
                row("", self.clear),
            ],
            "Cycles": [
                self.method, self.stability, self.relatives,
                row("", ipw.HBox([self.find_all, self.stop_all])),
            ],
            "Draw": [self.show, self.within, self.camera, row("Surfaces", drawn)],
            "Save": [self.what, self.file_name, row("", self.save_button)],
        }  # fmt: skip
        made = {name: [heading(name), *content] for name, content in groups.items()}
        columns = [
            made["Diagram"] + made["Save"], made["Select"], made["Draw"] + made["Cycles"],
        ]  # fmt: skip
        layout = {"flex": "1 1 300px", "min_width": "280px", "padding": "0 12px 0 0"}
        return ipw.HBox(
            [ipw.VBox(column, layout=layout) for column in columns],
            layout={"width": "100%", "flex_flow": "row wrap"},
        )
