"""Plots on a canvas of the browser, which tell the kernel what is done in them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import Any

import anywidget
from traitlets import Dict, Int

from glassnb_widgets.closing import Owner

__all__ = ["CanvasPlot", "script"]


def script(name: str) -> str:
    """Return the JavaScript of a plot: what all plots share, and then its own.

    Parameters
    ----------
    name : str
        File of this package with the plot's own part.

    Returns
    -------
    str
        One module.
    """
    files = resources.files(__package__)
    names = ("plot_pens.js", "plot_base.js", name)
    return "\n".join(files.joinpath(file).read_text(encoding="utf-8") for file in names)


class CanvasPlot(Owner, anywidget.AnyWidget):
    """A plot whose JavaScript extends the class ``CanvasPlot`` of ``plot_base.js``.

    Parameters
    ----------
    on_event : callable
        Called with what is done in the plot: a dictionary with a ``kind``, among them ``"point"``
        (``x``, ``y``, ``reach``, ``map``), ``"region"`` (``x`` and ``y``: lowest and highest,
        ``map``), ``"step"`` (``by``) and ``"clear"``.
    height : int
        Height in pixels.

    Attributes
    ----------
    selection : dict
        What is selected and marked: changes often, and is small.
    """

    height = Int(520).tag(sync=True)
    selection = Dict().tag(sync=True)

    def __init__(self, on_event: Callable[[dict[str, Any]], None], *, height: int = 520) -> None:
        self._on_event = on_event
        super().__init__(height=height)
        self.on_msg(self._on_message)

    def _on_message(self, widget: Any, content: Any, buffers: Any) -> None:
        if isinstance(content, dict) and "kind" in content:
            self._on_event(content)
