"""Tables of the diagram explorer, as HTML."""

from __future__ import annotations

from glassnb_widgets.diagram_model import DiagramModel
from glassnb_widgets.parts import line, table

__all__ = ["pairs", "sizes", "statistics"]

_ROWS = 100
_TITLES = {
    "birth": "birth (Å²)",
    "death": "death (Å²)",
    "lifetime": "lifetime (Å²)",
    "birth_atoms": "born by atoms",
    "death_atoms": "dies with atoms",
    "n_atoms": "atoms of the cycle",
    "ring": "ring of the network",
}


def statistics(model: DiagramModel) -> str:
    """Write numbers and means of the selection, one line for each structure.

    Parameters
    ----------
    model : DiagramModel
        What is shown.

    Returns
    -------
    str
        HTML.
    """
    return table(model.statistics().reset_index())


def sizes(model: DiagramModel) -> str:
    """Write how large the cycles are that have been found, with a bar for each size.

    Parameters
    ----------
    model : DiagramModel
        What is shown.

    Returns
    -------
    str
        HTML.
    """
    frame = model.cycle_statistics()
    if model.dimension == 0:
        return line("Pieces have no cycles.")
    if frame.empty:
        return line("No cycle of the selection has been found yet; press Find all cycles.")
    count = int(frame["cycles"].sum())
    head = line(f"{count} of {model.numbers.size} selected pairs have a cycle that is known.")
    top = frame["cycles"].max()
    frame[""] = [f"bar{round(160 * n / top)}bar" for n in frame["cycles"]]
    text = table(frame.reset_index())
    for n in set(frame[""]):
        width = n.strip("bar")
        bar = f'<div style="background:#1f9e89;height:10px;width:{width}px"></div>'
        text = text.replace(f">{n}<", f">{bar}<")
    return head + text


def pairs(model: DiagramModel) -> str:
    """Write the first of the selected pairs.

    Parameters
    ----------
    model : DiagramModel
        What is shown.

    Returns
    -------
    str
        HTML.
    """
    frame = model.selected_frame(_ROWS)
    note = ""
    if model.numbers.size > _ROWS:
        note = (
            f"<p>The first {_ROWS} of {model.numbers.size} pairs; "
            "<code>explorer.selected_frame()</code> holds them all.</p>"
        )
    for name in {"birth_atoms", "death_atoms", "atoms"} & set(frame.columns):
        frame[name] = [" ".join(map(str, atoms)) for atoms in frame[name]]
    for name, none in (("n_atoms", 0), ("ring", -1)):  # not known, or none of the network
        if name in frame:
            frame[name] = ["–" if n == none else str(n) for n in frame[name]]
    frame = frame.drop(columns="atoms", errors="ignore")
    return note + table(frame.reset_index().rename(columns=_TITLES))
