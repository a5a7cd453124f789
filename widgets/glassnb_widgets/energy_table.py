"""A table of atoms in the browser, of which a row can be clicked."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import Any

import anywidget
from traitlets import Int, List, Unicode

from glassnb_widgets.closing import Owner

__all__ = ["AtomTable"]


class AtomTable(Owner, anywidget.AnyWidget):
    """Rows of text, one for each atom.

    Parameters
    ----------
    on_atom : callable
        Called with the index of the atom whose row is clicked, and whether a key was held.

    Attributes
    ----------
    columns : list of str
        Titles.
    rows : list of list
        Index of the atom, and then the text of each column.
    current : int
        Atom whose row stands out; -1 for none.
    label : str
        What the table is called for a reader of the page.
    """

    _esm = resources.files(__package__).joinpath("energy_table.js").read_text(encoding="utf-8")

    columns = List(Unicode()).tag(sync=True)
    rows: Any = List().tag(sync=True)
    current = Int(-1).tag(sync=True)
    label = Unicode("Atoms").tag(sync=True)

    def __init__(self, on_atom: Callable[[int, bool], None]) -> None:
        self._on_atom = on_atom
        super().__init__()
        self.on_msg(self._on_message)

    def _on_message(self, widget: Any, content: Any, buffers: Any) -> None:
        if isinstance(content, dict) and content.get("kind") == "row":
            self._on_atom(int(content["atom"]), bool(content.get("add")))
