"""Small pieces that the widgets share: controls in line with each other, headings, legends."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets as ipw
import pandas as pd

from glassnb_widgets.closing import Owner
from glassnb_widgets.selection import Selection

__all__ = [
    "LinkedBox",
    "Steps",
    "button",
    "check_box",
    "chip",
    "control",
    "heading",
    "line",
    "notice",
    "row",
    "table",
]

_NAME_WIDTH = "92px"


def control(kind: Any, description: str, **options: Any) -> Any:
    """Make a control that fills its column, its name in front.

    Parameters
    ----------
    kind : type
        Class of the control.
    description : str
        Its name on the page.
    **options
        Passed on to the class; ``style`` and ``layout`` may be among them.

    Returns
    -------
    ipywidgets.Widget
        The control.
    """
    usual = {"style": {"description_width": _NAME_WIDTH}, "layout": {"width": "auto"}}
    return kind(description=description, **(usual | options))


def check_box(description: str, *, value: bool = False) -> ipw.Checkbox:
    """Make a narrow check box, to stand beside others.

    Parameters
    ----------
    description : str
        Its name on the page.
    value : bool
        Whether it is ticked.

    Returns
    -------
    ipywidgets.Checkbox
        The check box.
    """
    return ipw.Checkbox(value, description=description, indent=False, layout={"width": "78px"})


def button(description: str, icon: str) -> ipw.Button:
    """Make a button.

    Parameters
    ----------
    description : str
        Its name on the page.
    icon : str
        Name of its icon in Font Awesome.

    Returns
    -------
    ipywidgets.Button
        The button.
    """
    layout = {"width": "104px", "flex": "0 0 auto"}
    return ipw.Button(description=description, icon=icon, layout=layout)


def heading(text: str) -> ipw.HTML:
    """Make a heading of a group of controls.

    Parameters
    ----------
    text : str
        What it says.

    Returns
    -------
    ipywidgets.HTML
        The heading.
    """
    return ipw.HTML(f"<b>{html.escape(text)}</b>")


def row(description: str, content: ipw.Widget) -> ipw.HBox:
    """Put something of several parts beside its name, in line with the controls.

    Parameters
    ----------
    description : str
        The name, which may be empty.
    content : ipywidgets.Widget
        What stands beside it.

    Returns
    -------
    ipywidgets.HBox
        Both.
    """
    name = ipw.HTML(
        f'<div style="text-align:right">{html.escape(description)}</div>',
        layout={"width": _NAME_WIDTH, "margin": "2px 8px 2px 2px"},
    )
    return ipw.HBox([name, content])


def notice(text: str, *, failed: bool = False) -> str:
    """Write something that must be noticed, in a coloured box.

    Parameters
    ----------
    text : str
        What it says; nothing makes no box.
    failed : bool
        Whether it tells of a failure.

    Returns
    -------
    str
        HTML.
    """
    if not text:
        return ""
    background, colour = ("#fdecea", "#8c1d18") if failed else ("#fff4d6", "#5c4400")
    return (
        f'<div style="background:{background};color:{colour};padding:4px 8px;line-height:1.4;'
        f'border-left:4px solid {colour}">{html.escape(text)}</div>'
    )


def chip(colour: str, text: str) -> str:
    """Write one entry of a legend.

    Parameters
    ----------
    colour : str
        Colour, as in CSS.
    text : str
        What it stands for.

    Returns
    -------
    str
        HTML.
    """
    return (
        '<span style="white-space:nowrap;margin-right:14px">'
        '<span style="display:inline-block;width:0.8em;height:0.8em;border-radius:50%;'
        f'background:{colour};border:1px solid #555"></span> {html.escape(text)}</span>'
    )


def line(text: str) -> str:
    """Set text closer than Jupyter does.

    Parameters
    ----------
    text : str
        HTML.

    Returns
    -------
    str
        HTML.
    """
    return f'<div style="line-height:1.35">{text}</div>'


def table(frame: pd.DataFrame) -> str:
    """Write a table, its numbers below each other.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table; its index is left out.

    Returns
    -------
    str
        HTML.
    """
    style = (
        "<style>.glassnb-table table{border-collapse:collapse;line-height:1.5}"
        ".glassnb-table th,.glassnb-table td{text-align:right;padding:1px 14px 1px 0}"
        ".glassnb-table thead{border-bottom:1px solid #888}</style>"
    )
    text = frame.to_html(border=0, index=False, float_format="%.3f", na_rep="–")
    return f'{style}<div class="glassnb-table">{text}</div>'


class LinkedBox(Owner, ipw.VBox):
    """A box whose controls and model follow each other; ``model`` must be there before a link."""

    model: Any
    _filling = False

    def _link(self, name: str, control: Any) -> None:
        """Keep a control and a trait of the model equal."""

        def to_model(change: Any) -> None:
            if not self._filling:
                setattr(self.model, name, change["new"])

        def to_control(change: Any) -> None:
            self._fill(control, change["new"])

        control.value = getattr(self.model, name)
        control.observe(to_model, "value")
        self.model.observe(to_control, name)

    def _fill(self, control: Any, value: Any) -> None:
        """Set a control; the model does not hear of it."""
        before, self._filling = self._filling, True
        try:
            control.value = value
        finally:
            self._filling = before


class Steps(ipw.HBox):
    """Buttons and a slider that go through what is selected.

    Parameters
    ----------
    model : Selection
        What is selected.
    description : str
        Name of the slider on the page.

    Attributes
    ----------
    previous, next : ipywidgets.Button
        The buttons.
    place : ipywidgets.IntSlider
        The slider; counts from 1.
    total : ipywidgets.Label
        How many are selected.
    """

    def __init__(self, model: Selection, description: str) -> None:
        self.model = model
        self._filling = False
        self.previous = button("Previous", "arrow-left")
        self.next = button("Next", "arrow-right")
        self.place = control(
            ipw.IntSlider, description, min=0, max=0, disabled=True,
            style={"description_width": "36px"},
            layout={"flex": "1 1 auto", "width": "auto", "min_width": "150px"},
        )  # fmt: skip
        self.total = ipw.Label(layout={"width": "76px"})
        self.previous.on_click(lambda _: model.step(-1))
        self.next.on_click(lambda _: model.step(1))
        self.place.observe(self._on_place, "value")
        content = [self.previous, self.place, self.total, self.next]
        super().__init__(content, layout={"width": "100%"})

    def refresh(self) -> None:
        """Show where the model is."""
        count = int(self.model.numbers.size)
        self.previous.disabled = self.next.disabled = count == 0
        before, self._filling = self._filling, True
        with self.place.hold_sync():
            self.place.disabled = count == 0
            low, high = min(1, count), count
            if high < self.place.min:
                self.place.min, self.place.max = low, high
            else:
                self.place.max, self.place.min = high, low
            self.place.value = self.model.position + 1
        self._filling = before
        self.total.value = f"of {count}"

    def _on_place(self, change: Any) -> None:
        if not self._filling and change["new"] >= 1:
            self.model.position = change["new"] - 1
