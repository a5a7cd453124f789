"""The controls of the beam scanner, and where they stand on the page."""

from __future__ import annotations

import ipywidgets as ipw

from glassnb_widgets.beam_model import AXES, NULLS, BeamModel
from glassnb_widgets.beam_picture import COLOURINGS
from glassnb_widgets.beam_plot import BeamPlot
from glassnb_widgets.parts import LinkedBox, button, control, heading, line, row
from glassnb_widgets.viewer import Canvas

__all__ = ["BeamControls"]

_SCALES = [("square root", "sqrt"), ("logarithmic", "log"), ("linear", "linear")]
_NULLS = {"speckle": "speckle of the same ring", "phase": "this slab, phases redrawn"}
_HELP = (
    "Drag the beam over the slab, or move it with the arrow keys (Shift: in steps of 2 Å). Click a "
    "spot for the atoms behind it. Bright pairs appear in any disordered slab: p is how often "
    "chance makes a pattern whose strongest pair is so strong; of twenty places one has p below "
    "0.05 by chance alone."
)


class BeamControls(LinkedBox):
    """What can be set in a beam scanner, and the words that it writes; it does nothing yet."""

    model: BeamModel
    plot: BeamPlot
    _canvas: Canvas

    def _make_controls(self) -> None:
        lazy = {"continuous_update": False}
        length = {"step": 0.5, **lazy}
        self.fwhm = control(ipw.BoundedFloatText, "Width (Å)", min=0.5, max=60, step=0.1, **lazy)
        self.semiangle = control(
            ipw.BoundedFloatText, "Angle (mrad)", min=0.1, max=30, step=0.1, **lazy
        )
        self.x = control(ipw.FloatText, "x (Å)", **length)
        self.y = control(ipw.FloatText, "y (Å)", **length)
        self.strongest = button("Strongest pair", "crosshairs")
        self.strongest.layout.width = "140px"
        self.axis = control(ipw.Dropdown, "Beam along", options=AXES)
        self.thickness = control(ipw.BoundedFloatText, "Thickness (Å)", min=1, max=500, **length)
        self.start = control(ipw.FloatText, "From (Å)", **length)
        self.angle_1, self.angle_2, self.angle_3 = (
            control(ipw.BoundedFloatText, name, min=-360, max=360, step=5, **lazy)
            for name in ("Turn z (°)", "then x (°)", "then z (°)")
        )
        self.seed = control(ipw.BoundedIntText, "Seed", min=0, max=2**31 - 1)
        self.random = button("Random", "random")
        self.upright = button("Turn back", "undo")
        self.k_range = control(
            ipw.FloatRangeSlider, "k (1/Å)", min=0, max=self.model.k_max, step=0.01,
            readout_format=".2f", value=(self.model.k_low, self.model.k_high), **lazy,
        )  # fmt: skip
        self.null = control(
            ipw.Dropdown, "Chance", options=[(_NULLS[name], name) for name in NULLS]
        )
        self.spot = control(ipw.Dropdown, "Pair", options=[("none", -1)])
        self.scale = control(ipw.Dropdown, "Brightness", options=_SCALES)
        self.colour_by = control(ipw.Dropdown, "Colour by", options=list(COLOURINGS.items()))
        self.within = control(
            ipw.FloatSlider, "Within (Å)", min=2, max=20, step=0.5, value=8.0,
            readout_format=".1f", **lazy,
        )  # fmt: skip
        self.file_name = control(ipw.Text, "File", value="pattern.npz", **lazy)
        self.file_name.placeholder = ".npz, .png or .csv"
        self.save_button = button("Save", "save")
        self.status, self.error, self.slab_words, self.chance_words = (ipw.HTML() for _ in range(4))
        self.legend = ipw.HTML(layout={"min_height": "24px"})
        self.spot_words = ipw.HTML(layout={"min_height": "76px"})
        self.spot_table = ipw.HTML(layout={"min_height": "150px", "overflow": "auto"})

    def _body(self) -> list[ipw.Widget]:
        plots = ipw.VBox([self.plot], layout={"flex": "2 1 620px", "min_width": "480px"})
        picture = ipw.VBox(
            [self.legend, self._canvas.widget],
            layout={"flex": "1 1 300px", "min_width": "280px", "overflow": "hidden"},
        )
        wrap = {"width": "100%", "flex_flow": "row wrap"}
        half = {"flex": "1 1 440px", "min_width": "320px", "padding": "0 12px 0 0"}
        said = ipw.HBox(
            [
                ipw.VBox([heading("Spots under the beam"), self.spot_table], layout=half),
                ipw.VBox(
                    [heading("Behind the spot"), self.spot_words, self.chance_words], layout=half
                ),
            ],
            layout=wrap,
        )
        helping = ipw.HTML(line(f'<span style="opacity:0.75">{_HELP}</span>'))
        top = ipw.HBox([plots, picture], layout=wrap)
        return [
            self.status, self.error, top, helping, said, self._columns(), self.slab_words
        ]  # fmt: skip

    def _columns(self) -> ipw.HBox:
        columns = [
            [
                heading("Beam"), self.fwhm, self.semiangle, self.x, self.y,
                row("", self.strongest),
                heading("Save the pattern"), self.file_name, row("", self.save_button),
            ],
            [
                heading("Slab"), self.axis, self.thickness, self.start, self.angle_1, self.angle_2,
                self.angle_3, self.seed, row("", ipw.HBox([self.random, self.upright])),
            ],
            [
                heading("Spots"), self.k_range, self.null, self.spot, self.scale,
                heading("Atoms"), self.colour_by, self.within,
            ],
        ]  # fmt: skip
        layout = {"flex": "1 1 280px", "min_width": "260px", "padding": "0 12px 0 0"}
        return ipw.HBox(
            [ipw.VBox(column, layout=layout) for column in columns],
            layout={"width": "100%", "flex_flow": "row wrap"},
        )
