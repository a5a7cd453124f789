"""The controls of the energy map, and where they stand on the page."""

from __future__ import annotations

import ipywidgets as ipw

from glassnb_widgets.energy_model import EnergyModel
from glassnb_widgets.energy_plot import EnergyPlot
from glassnb_widgets.energy_results import GIVEN, UNDIVIDED, Key
from glassnb_widgets.energy_table import AtomTable
from glassnb_widgets.parts import LinkedBox, Steps, button, control, heading, line, row
from glassnb_widgets.viewer import Canvas

__all__ = ["EnergyControls"]

_QUANTITIES = {
    "relative energy": "relative energy (eV)",
    "charge": "charge (e)",
    "relative charge": "relative charge (e)",
    "error": "error of energy (meV)",
}
_GROUPINGS = [
    ("species", "species"),
    ("coordination number", "coordination"),
    ("coordination and smallest ring", "ring"),
]
_ORDERS = [("highest first", "highest"), ("lowest first", "lowest"), ("by index", "index")]
_SPANS = [("all atoms", "all"), ("98 % of the atoms", "most")]
_HELP = (
    "Histogram: click a bar, drag over some, or click a name. Structure and table: click an atom. "
    "With Shift (or “Add clicks”): several. Double-click: all. Arrow keys: from atom to atom."
)


class EnergyControls(LinkedBox):
    """What can be set in an energy map, and the words that it writes; it does nothing yet."""

    model: EnergyModel
    plot: EnergyPlot
    table: AtomTable
    _canvas: Canvas

    def _make_controls(self) -> None:
        lazy = {"continuous_update": False}
        names: dict[Key, str] = {GIVEN: "as given", UNDIVIDED: "undivided"}
        # The slider cannot hold None: its values are places among the keys.
        buffers = [(names.get(key, f"{key} Å"), k) for k, key in enumerate(self.model.keys)]
        self.buffer = control(
            ipw.SelectionSlider, "Buffer", options=buffers, style={"description_width": "48px"},
            layout={"flex": "1 1 260px", "width": "auto", "max_width": "460px"}, **lazy,
        )  # fmt: skip
        self.calculate_button = button("Calculate", "play")
        self.calculate_button.button_style = "primary"
        self.stop_button = button("Stop", "stop")
        self.quantity = control(ipw.Dropdown, "Quantity")
        self.grouping = control(ipw.Dropdown, "Tell apart by", options=_GROUPINGS)
        self.span = control(ipw.Dropdown, "Colours span", options=_SPANS)
        self.group = control(ipw.Dropdown, "Environment")
        self.atoms = control(ipw.Text, "Atoms", placeholder="indices, such as 0, 12, 7", **lazy)
        self.add = control(ipw.Checkbox, "Add clicks to the selection", value=False)
        self.hide = control(ipw.Checkbox, "Hide the other atoms")
        self.order = control(ipw.Dropdown, "Go by", options=_ORDERS)
        self.all_button = button("Select all", "undo")
        self.what = control(
            ipw.Dropdown, "What", options=[("all atoms", False), ("selected atoms", True)]
        )
        self.file_name = control(ipw.Text, "File", value="energies.csv", **lazy)
        self.file_name.placeholder = ".csv or .extxyz"
        self.save_button = button("Save", "save")
        self.steps = Steps(self.model, "Atom")
        self.legend = ipw.HTML(layout={"min_height": "56px"})
        self.atom_words = ipw.HTML(layout={"min_height": "64px"})
        self.status, self.comparison, self.note, self.error = (ipw.HTML() for _ in range(4))
        self.table_note = ipw.HTML()
        self.statistics, self.results, self.histograms = (
            ipw.HTML(layout={"max_height": "320px", "overflow": "auto"}) for _ in range(3)
        )

    def _run_row(self) -> ipw.HBox:
        return ipw.HBox(
            [self.buffer, self.calculate_button, self.stop_button],
            layout={"width": "100%", "flex_flow": "row wrap", "align_items": "center"},
        )

    def _body(self) -> ipw.HBox:
        plots = ipw.VBox([self.plot], layout={"width": "400px", "flex": "0 0 400px"})
        picture = ipw.VBox(
            [self.legend, self._canvas.widget, self.steps, self.atom_words],
            layout={"flex": "1 1 auto", "min_width": "300px", "overflow": "hidden"},
        )
        return ipw.HBox([plots, picture], layout={"width": "100%"})

    def _words(self) -> list[ipw.Widget]:
        return [self.status, self.comparison, self.note, self.error]

    def _settings(self) -> ipw.HBox:
        columns = [
            [heading("Show"), self.quantity, self.grouping, self.span],
            [
                heading("Select"), self.group, self.atoms, self.order, self.add, self.hide,
                row("", self.all_button),
            ],
            [heading("Save"), self.what, self.file_name, row("", self.save_button)],
        ]  # fmt: skip
        layout = {"flex": "1 1 260px", "min_width": "250px", "padding": "0 12px 0 0"}
        return ipw.HBox(
            [ipw.VBox(column, layout=layout) for column in columns],
            layout={"width": "100%", "flex_flow": "row wrap"},
        )

    def _tables(self) -> ipw.Accordion:
        listed = ipw.VBox([self.table_note, self.table], layout={"width": "100%"})
        titles = {
            "Selected atoms as a table": listed,
            "Statistics by environment": self.statistics,
            "Results and errors by buffer": self.results,
            "Histograms as tables": self.histograms,
        }
        return ipw.Accordion(list(titles.values()), titles=tuple(titles), selected_index=0)

    def _helping(self) -> ipw.HTML:
        return ipw.HTML(line(f'<span style="opacity:0.75">{_HELP}</span>'))

    def _fill_quantities(self) -> None:
        """Offer what is known."""
        options = [(_QUANTITIES[name], name) for name in self.model.available]
        before, self._filling = self._filling, True
        self.quantity.options, self.quantity.value = options, self.model.quantity
        self._filling = before

    def _fill_groups(self) -> None:
        """Offer the groups there are."""
        groups = self.model.groups
        pairs = zip(groups.names, groups.counts.tolist(), strict=True)
        options = [("(as clicked)", -2), ("all", -1)]
        options += [(f"{name} ({count})", k) for k, (name, count) in enumerate(pairs)]
        before, self._filling = self._filling, True
        self.group.options = options
        self._filling = before
        self._fill(self.group, self._group_selected())

    def _group_selected(self) -> int:
        """Return the group that is selected alone; -1 for all atoms, -2 for anything else."""
        model = self.model
        if model.whole:
            return -1
        chosen = set(model.groups.of_atom[model.numbers].tolist())
        if len(chosen) == 1:
            (group,) = chosen
            if model.groups.counts[group] == model.numbers.size:
                return int(group)
        return -2
