"""Tables of the refinement monitor: costs with their weights, and what the pictures show."""

from __future__ import annotations

import html
from collections.abc import Callable

import ipywidgets as ipw
import numpy as np
import pandas as pd

from glassnb_widgets.parts import line, table
from glassnb_widgets.refinement_model import Moment

__all__ = ["Costs", "curves", "records"]

_ROWS = 12
_COLUMNS = ("χ²", "share", "at the start", "rms deviation")


class Costs(ipw.VBox):
    """What each data set and constraint costs, with its weight, which may be changed.

    Parameters
    ----------
    weights : dict
        Weights by name.
    on_weight : callable
        Called with a name and a weight that somebody enters.

    Attributes
    ----------
    boxes : dict
        The control of each weight, by name.
    """

    def __init__(self, weights: dict[str, float], on_weight: Callable[[str, float], None]) -> None:
        self._on_weight = on_weight
        self._filling = False
        self.boxes: dict[str, ipw.BoundedFloatText] = {}
        self._numbers: dict[str, ipw.HTML] = {}
        rows = [
            ipw.HBox([ipw.HTML(_head("term", "weight")), ipw.HTML(f"<b>{_cells(_COLUMNS)}</b>")])
        ]
        for name in weights:
            self.boxes[name] = box = _weight_box(name)
            self._numbers[name] = ipw.HTML()
            box.observe(lambda change, name=name: self._on_box(name, change["new"]), "value")
            rows.append(ipw.HBox([box, self._numbers[name]]))
        self.total = ipw.HTML()
        rows.append(ipw.HBox([ipw.HTML(_head("all", "")), self.total]))
        super().__init__(rows)
        self.fill(weights)

    def fill(self, weights: dict[str, float]) -> None:
        """Show weights.

        Parameters
        ----------
        weights : dict
            By name.
        """
        self._filling = True
        try:
            for name, weight in weights.items():
                self.boxes[name].value = weight
        finally:
            self._filling = False

    def show(self, moment: Moment, start: Moment) -> None:
        """Show what everything costs.

        Parameters
        ----------
        moment : Moment
            What is shown.
        start : Moment
            Where the refinement began.
        """
        deviations = {curve.name: f"{curve.rms:.4f}" for curve in moment.refinement.curves}
        costs = np.abs(list(moment.terms.values())).sum()
        for name, cost in moment.terms.items():
            share = f"{abs(cost) / costs:.1%}" if costs else "–"
            cells = (f"{cost:.5g}", share, f"{start.terms[name]:.5g}", deviations.get(name, "–"))
            self._numbers[name].value = _cells(cells)
        self.total.value = _cells((f"{moment.chi2:.5g}", "", f"{start.chi2:.5g}", ""))

    def _on_box(self, name: str, weight: float) -> None:
        if not self._filling:
            self._on_weight(name, weight)


def _weight_box(name: str) -> ipw.BoundedFloatText:
    return ipw.BoundedFloatText(
        description=name, tooltip=f"weight of {name}", min=0, max=1e12, step=0.1,
        style={"description_width": "170px"}, layout={"width": "270px", "flex": "0 0 auto"},
    )  # fmt: skip


def _head(left: str, right: str) -> str:
    return (
        '<div style="display:grid;grid-template-columns:170px 86px;gap:8px;width:270px;'
        f'text-align:right;font-weight:bold"><span>{left}</span><span>{right}</span></div>'
    )


def _cells(texts: tuple[str, ...]) -> str:
    spans = "".join(f"<span>{html.escape(text)}</span>" for text in texts)
    return (
        '<div style="display:grid;grid-template-columns:80px 62px 92px 112px;gap:8px;'
        f'text-align:right">{spans}</div>'
    )


def curves(moment: Moment) -> str:
    """Write how each data set and the model agree, and what was assumed and not given.

    Parameters
    ----------
    moment : Moment
        What is shown.

    Returns
    -------
    str
        HTML.
    """
    rows = []
    for curve in moment.refinement.curves:
        data, model = (int(np.argmax(y)) for y in (curve.measured, curve.calculated))
        worst = int(np.argmax(np.abs(curve.calculated - curve.measured)))
        rows.append(
            {
                "data set": curve.name, "points": curve.x.size, "from": curve.x[0],
                "to": curve.x[-1], "sigma, median": np.median(curve.sigma),
                "rms deviation": curve.rms,
                "largest deviation": curve.calculated[worst] - curve.measured[worst],
                "at": curve.x[worst], "highest point, data": curve.measured[data],
                "at ": curve.x[data], "highest point, model": curve.calculated[model],
                "at  ": curve.x[model], "scale": curve.scale, "offset": curve.offset,
            }
        )  # fmt: skip
    found = table(pd.DataFrame(rows)) if rows else line("There are no data sets.")
    words = (html.escape(f"Assumed: {words}.") for words in moment.refinement.assumptions)
    return found + "".join(map(line, words))


def records(moment: Moment) -> str:
    """Write what the refinement has gone through: some records, equally spaced, and the last.

    Parameters
    ----------
    moment : Moment
        What is shown.

    Returns
    -------
    str
        HTML.
    """
    frame = moment.refinement.to_frame()
    if frame.empty:
        return line("No move has been made.")
    rows = np.unique(np.linspace(0, len(frame) - 1, _ROWS).round().astype(int))
    names = {"chi2": "χ²", "acceptance": "accepted", "move_size": "move size (Å)"}
    return table(frame.iloc[rows].rename(columns=names))
