"""Small pieces that the widgets share: controls in line with each other, headings, legends."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets as ipw

__all__ = ["check_box", "chip", "control", "heading", "notice", "row"]

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
        Passed on to the class.

    Returns
    -------
    ipywidgets.Widget
        The control.
    """
    style = {"description_width": _NAME_WIDTH}
    return kind(description=description, style=style, layout={"width": "auto"}, **options)


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
    name = ipw.HTML(f'<div style="text-align:right">{html.escape(description)}</div>')
    name.layout = {"width": _NAME_WIDTH, "margin": "2px 8px 2px 2px"}
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
