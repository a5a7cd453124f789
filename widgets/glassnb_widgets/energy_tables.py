"""Tables of the energy map: HTML, and rows of atoms."""

from __future__ import annotations

import numpy as np
import pandas as pd

from glassnb_widgets.energy_model import EnergyModel
from glassnb_widgets.energy_plot import EnergyPlot
from glassnb_widgets.energy_selection import QUANTITIES
from glassnb_widgets.parts import line, table

__all__ = ["ROWS", "atoms", "histograms", "results", "statistics"]

#: Most atoms in the table on the page.
ROWS = 100
_TITLES = {
    "species": "species",
    "coordination_number": "bonds",
    "smallest_ring": "smallest ring",
    "energy": "energy (eV)",
    "relative_energy": "energy – mean of species (eV)",
    "charge": "charge (e)",
    "error": "error (meV)",
}


def statistics(model: EnergyModel) -> str:
    """Write numbers, means and spread of the selected atoms, one line for each group.

    Parameters
    ----------
    model : EnergyModel
        What is shown.

    Returns
    -------
    str
        HTML.
    """
    head = line(f"Of the selected atoms: {QUANTITIES[model.quantity]}.")
    return head + table(model.statistics().reset_index())


def results(model: EnergyModel) -> str:
    """Write what has been calculated, and how far it is from the undivided result.

    Parameters
    ----------
    model : EnergyModel
        What is shown.

    Returns
    -------
    str
        HTML.
    """
    if not model.results:
        return line("Nothing has been calculated yet.")
    frame = model.results_frame()
    texts = pd.DataFrame({"": frame.columns})
    for name, row in frame.iterrows():
        texts[str(name)] = [
            "–"
            if not np.isfinite(value)
            else f"{value:.4f}"
            if abs(value) > 100
            else f"{value:.3g}"
            for value in row
        ]
    head = line("Errors are those against the undivided result.")
    return head + table(texts)


def histograms(model: EnergyModel, plot: EnergyPlot) -> str:
    """Write how many atoms of each group are in each bin.

    Parameters
    ----------
    model : EnergyModel
        What is shown.
    plot : EnergyPlot
        Its histograms.

    Returns
    -------
    str
        HTML.
    """
    if not plot.about:
        return line("There are no energies yet.")
    parts = [line(f"Atoms by {QUANTITIES[model.quantity]}; bins without atoms are left out.")]
    for panel in plot.about["panels"]:
        edges = panel["edges"]
        columns = {"from": edges[:-1], "to": edges[1:]}
        columns |= {group["name"]: group["counts"] for group in panel["groups"]}
        frame = pd.DataFrame(columns)
        parts.append(table(frame[frame.iloc[:, 2:].sum(axis=1) > 0]))
    return "".join(parts)


def atoms(model: EnergyModel) -> tuple[list[str], list[list[int | str]], str]:
    """Return the first of the selected atoms as rows of text; the one that is looked at is there.

    Parameters
    ----------
    model : EnergyModel
        What is shown.

    Returns
    -------
    columns : list of str
        Titles.
    rows : list of list
        Index of the atom, and the text of each column.
    note : str
        Which part of the selection they are; empty for all of it.
    """
    n = model.numbers.size
    first = ROWS * (max(model.position, 0) // ROWS)
    frame = model.selected_frame().iloc[first : first + ROWS]
    if "error" in frame:
        frame = frame.assign(error=1000 * frame["error"])
    columns = ["atom", *(_TITLES[name] for name in frame.columns)]
    digits = {"energy": 3, "relative_energy": 3, "charge": 3, "error": 2}
    rows: list[list[int | str]] = []
    for record in frame.itertuples():
        texts = [
            f"{value:.{digits[name]}f}" if name in digits else str(value)
            for name, value in zip(frame.columns, record[1:], strict=True)
        ]
        rows.append([int(record.Index), str(record.Index), *texts])
    note = ""
    if n > ROWS:
        note = f"Atoms {first + 1} to {min(n, first + ROWS)} of the {n} that are selected."
    return columns, rows, note
