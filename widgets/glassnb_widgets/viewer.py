"""The one module that knows nglview: a canvas that draws what it is told.

Everything goes to the browser as small messages that name only what changes (``canvas.js`` draws
them), because nglview's own calls send the whole history of the view again each time. A view that
appears later, after a page reload say, asks and gets the whole picture.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from importlib import resources
from types import SimpleNamespace
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb_widgets import geometry
from glassnb_widgets._nglview_compat import import_nglview
from glassnb_widgets.closing import held

__all__ = ["Canvas", "cluster_part", "pale_part", "structure_part"]


@cache
def _script() -> str:
    return resources.files(__package__).joinpath("canvas.js").read_text(encoding="utf-8")


def structure_part(
    atoms: Atoms, drawing: geometry.Drawing, *, thickness: float = 1.0
) -> dict[str, Any]:
    """Return the part of a message that loads a structure.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    drawing : Drawing
        Its text.
    thickness : float
        Factor of the radii of balls and sticks.

    Returns
    -------
    dict
        Text, radii in Å and names of the atoms, radius of the sticks.
    """
    names = [f"{symbol} {k}" for k, symbol in enumerate(atoms.symbols)]
    radii = np.round(thickness * geometry.radii(atoms), 3).tolist()
    stick = 0.13 * thickness
    return {"mol2": drawing.mol2, "radii": radii, "names": names, "stick": stick}


def pale_part(atoms: Atoms, drawing: geometry.Drawing) -> dict[str, Any]:
    """Return the part of a message that loads a structure as a background for something else.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    drawing : Drawing
        Its text.

    Returns
    -------
    dict
        The structure, pale colours of atoms and bond ends, opacity.
    """
    rgba = geometry.faded(geometry.species_rgba(atoms))
    return {
        "structure": structure_part(atoms, drawing, thickness=0.7),
        "colours": geometry.colour_numbers(np.concatenate([rgba, rgba[drawing.parents]])),
        "fade": 0.5,
    }


def cluster_part(
    atoms: Atoms,
    indices: NDArray[np.int64],
    points: NDArray[np.float64],
    own: NDArray[np.bool_],
    links: NDArray[np.int64],
) -> dict[str, Any]:
    """Return the part of a message that draws some atoms of a structure anywhere in space.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    indices : ndarray, shape (n,)
        Which of its atoms they are.
    points : ndarray, shape (n, 3)
        Where they are drawn, in Å.
    own : ndarray, shape (n,)
        Which are shown in full; the others are small and pale.
    links : ndarray, shape (n_bonds, 2)
        Bonds between them.

    Returns
    -------
    dict
        Points, radii, colours, names and links, as plain lists.
    """
    rgba = geometry.species_rgba(atoms[indices])
    rgba[~own] = geometry.faded(rgba[~own])
    radii = geometry.radii(atoms[indices]) * np.where(own, 1.0, 0.6)
    return {
        "points": points.round(3).ravel().tolist(),
        "radii": radii.round(3).tolist(),
        "colours": geometry.colour_numbers(rgba),
        "names": [f"{atoms.symbols[k]} {k}" for k in indices.tolist()],
        "links": links.ravel().tolist(),
    }


class _AtOnce(list[Any]):
    """A queue that runs what is put into it."""

    def __init__(self, widget: Any) -> None:
        super().__init__()
        self._widget = widget

    def append(self, callback: Any) -> None:
        """Run a callback instead of keeping it."""
        callback(self._widget)


@cache
def _widget_class() -> Any:
    """Return nglview's widget, without its endless threads and its copy of what is drawn."""

    class Widget(import_nglview().NGLWidget):  # type: ignore[misc]
        def _initialize_threads(self) -> None:
            self.on_msg(self._handle_nglview_custom_msg)
            self._remote_call_thread = SimpleNamespace(q=_AtOnce(self))

        def _handle_request_repr_dict(self) -> None:
            """Keep no copy of what is drawn: a view that appears later would draw it as well."""

    return Widget


class Canvas:
    """A picture of atoms in an nglview widget.

    Parameters
    ----------
    height : str
        Height, as in CSS.
    on_pick : callable, optional
        Called with the index of an atom that is clicked.

    Attributes
    ----------
    widget : nglview.NGLWidget
        The widget to display.
    """

    def __init__(
        self, *, height: str = "420px", on_pick: Callable[[int], None] | None = None
    ) -> None:
        self.widget = _widget_class()(width="100%", height=height)
        self.widget.layout.width = "100%"
        self._state: dict[str, Any] = {}
        self._serial = 0
        self._seen = False
        self._lock = threading.Lock()
        self._on_pick = on_pick
        self.widget.on_msg(self._on_message)
        self.widget.observe(self._on_picked, "picked")

    def draw(self, *, fit: bool = False, **state: Any) -> None:
        """Draw again what is named, and leave the rest as it is.

        May be called from any thread.

        Parameters
        ----------
        fit : bool
            Whether the camera moves so that all of a new structure is in sight; the first
            picture always is.
        **state
            ``structure``, ``colours``, ``shown``, ``bond_ends``, ``bonds``, ``cell``,
            ``polyhedra``, ``marks``, ``ring``, ``cycle``, ``fade``, ``camera``: see ``canvas.js``.
            What has not changed is not sent.
        """
        with self._lock:
            news = {k: v for k, v in state.items() if k not in self._state or self._state[k] != v}
            self._state |= news
            if self._seen and news:
                self._send(news | ({"fit": True} if fit and "structure" in news else {}))

    def close(self) -> None:
        """Close the widget, with the player and buttons that nglview gives it."""
        for widget in held(self.widget):
            widget.close()

    def _send(self, state: dict[str, Any]) -> None:
        self._serial += 1
        self._execute("this.glassnb?.draw(arguments[1])", state | {"serial": self._serial})

    def _execute(self, code: str, values: dict[str, Any]) -> None:
        self.widget.send(
            {
                "type": "call_method",
                "target": "Widget",
                "methodName": "executeCode",
                "args": [code],
                "kwargs": values,
            }
        )

    def _on_message(self, widget: Any, content: Any, buffers: Any) -> None:
        """Give a view that has just appeared the whole picture."""
        if isinstance(content, dict) and content.get("type") == "request_loaded":
            with self._lock:
                self._seen = True
                self._execute(_script(), {})
                self._send(self._state | {"whole": True})

    def _on_picked(self, change: Any) -> None:
        atom = change["new"].get("atom1")
        if atom and "bond" not in change["new"] and self._on_pick is not None:
            self._on_pick(int(atom["index"]))
