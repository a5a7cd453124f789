"""Watch a reverse Monte Carlo refinement: run, pause, change weights, go on, save."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets as ipw
import numpy as np
import pandas as pd

from glassnb.models.reverse_monte_carlo.checks import first_and_last
from glassnb_widgets import refinement_tables
from glassnb_widgets.parts import LinkedBox, button, control, heading, line, notice, row
from glassnb_widgets.refinement_model import Moment, RefinementModel
from glassnb_widgets.refinement_picture import (
    COLOURINGS,
    CostPicture,
    CurvePicture,
    StructurePicture,
    legend,
)
from glassnb_widgets.refinement_tables import Costs
from glassnb_widgets.viewer import Canvas

__all__ = ["RefinementMonitor"]


class RefinementMonitor(LinkedBox):
    """A reverse Monte Carlo refinement with controls.

    The run goes on in the background: the notebook stays usable, and data, model, chi-squared and
    structure are drawn every few seconds. Weights and temperature may be changed at any time. A
    run that is neither paused nor changed makes the same moves as ``rmc.run``.

    Parameters
    ----------
    rmc : ReverseMonteCarlo
        The refinement; let nothing else run it meanwhile.
    moves : int
        Moves of a run, as the control shows them at first.
    temperature : float or tuple of float
        Temperature with which a run begins, and ends; 1 for the errors as they are. The energy of a
        ``PotentialEnergy`` keeps its own.
    cutoff : float or dict, optional
        Longest bond in Å that is drawn, as for :func:`glassnb.network.bonds`.
    height : str
        Height of the picture of the structure, as in CSS.

    Attributes
    ----------
    model : RefinementModel
        The state; its traits are what the controls show.

    Raises
    ------
    ValueError
        If the number of moves or a temperature is not positive.

    Examples
    --------
    >>> rmc = gn.models.ReverseMonteCarlo(glass, [neutrons, x_rays])  # doctest: +SKIP
    >>> monitor = RefinementMonitor(rmc, moves=200_000)  # doctest: +SKIP
    >>> monitor  # press Run  # doctest: +SKIP
    >>> rmc.atoms  # doctest: +SKIP
    """

    def __init__(
        self,
        rmc: Any,
        *,
        moves: int = 100_000,
        temperature: float | tuple[float, float] = (2.0, 0.05),
        cutoff: Any = None,
        height: str = "400px",
    ) -> None:
        first, last = first_and_last(temperature)
        for value in (first, last):
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"temperature={temperature!r}: must be positive")
        if moves < 1:
            raise ValueError(f"moves={moves!r}: must be 1 or more")
        self.model = RefinementModel(
            rmc, moves=int(moves), temperature_start=first, temperature_end=last
        )
        self._canvas = Canvas(height=height)
        self._picture = StructurePicture(self._canvas, cutoff)
        self._curves = CurvePicture(self.model.start)
        self._chi2 = CostPicture(list(self.model.start.terms))
        self._make_controls()
        super().__init__([self._body(), self.curves, self._below(), self.numbers])
        self._connect()
        self.add_class("glassnb-refinement")

    @property
    def atoms(self) -> Any:
        """The structure of the moment that is shown, an ``ase.Atoms``."""
        return self.model.moment.refinement.atoms

    def run(self) -> None:
        """Start a run, as the button does."""
        self.model.run()

    def pause(self) -> None:
        """Pause the run, as the button does."""
        self.model.pause()

    def resume(self) -> None:
        """Go on after a pause, as the button does."""
        self.model.resume()

    def stop(self) -> None:
        """End the run, as the button does; what it has reached is kept."""
        self.model.stop()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the run has ended.

        Parameters
        ----------
        timeout : float, optional
            Longest wait in s.
        """
        self.model.wait(timeout)

    def to_frame(self) -> pd.DataFrame:
        """Return what the refinement has gone through, as :meth:`Refinement.to_frame` does.

        Returns
        -------
        pandas.DataFrame
            One row per record.
        """
        return self.model.history()

    # -- controls ----------------------------------------------------------------------------------

    def _make_controls(self) -> None:
        number = {"min": 1e-6, "max": 1e6, "step": 0.1}
        self.moves = control(ipw.BoundedIntText, "Moves", min=1, max=10**9, step=10_000)
        self.temperature_start = control(ipw.BoundedFloatText, "Temperature", **number)
        self.temperature_end = control(ipw.BoundedFloatText, "down to", **number)
        self.run_button = button("Run", "play")
        self.pause_button = button("Pause", "pause")
        self.stop_button = button("Stop", "stop")
        self.run_button.button_style = "primary"
        self.progress = control(ipw.IntProgress, "Progress", min=0, max=1)
        self.status = ipw.HTML(layout={"min_height": "44px"})
        self.now = ipw.HTML(layout={"min_height": "84px"})
        self.error = ipw.HTML()
        self.file_name = control(ipw.Text, "File", value="refined.extxyz")
        self.save_button = button("Save", "save")
        self.colour_by = control(
            ipw.Dropdown, "Colour by", options=COLOURINGS, value=COLOURINGS[0],
            layout={"width": "250px", "flex": "0 0 auto"},
        )  # fmt: skip
        self.legend = ipw.HTML(layout={"margin": "0 0 0 12px"})
        self.curves = ipw.Image(format="png", layout={"width": "100%"})
        self.chi2 = ipw.Image(format="png", layout={"width": "100%"})
        self.costs = Costs(self.model.weights, self.model.set_weight)
        self._tables = [ipw.HTML(), ipw.HTML()]
        self.numbers = ipw.Accordion(
            [
                ipw.VBox(
                    [
                        heading("Data and model: Q in Å⁻¹, r in Å"),
                        self._tables[0],
                        heading("Records of the refinement"),
                        self._tables[1],
                    ]
                )
            ],
            titles=("What the pictures show, in numbers",),
        )

    def _body(self) -> ipw.HBox:
        controls = ipw.VBox(
            [
                heading("Refinement"),
                self.moves,
                self.temperature_start,
                self.temperature_end,
                ipw.HBox([self.run_button, self.pause_button, self.stop_button]),
                self.progress,
                self.status,
                self.now,
                self.error,
                heading("Save structure, report and history"),
                self.file_name,
                row("", self.save_button),
            ],
            layout={"width": "340px", "flex": "0 0 340px", "padding": "0 12px 0 0"},
        )
        above = ipw.HBox([self.colour_by, self.legend], layout={"align_items": "center"})
        picture = ipw.VBox(
            [above, self._canvas.widget],
            layout={"flex": "1 1 auto", "min_width": "320px", "overflow": "hidden"},
        )
        return ipw.HBox([controls, picture], layout={"width": "100%"})

    def _below(self) -> ipw.HBox:
        costs = ipw.VBox(
            [heading("What it costs, and weights"), self.costs],
            layout={"flex": "0 0 auto", "overflow": "auto"},
        )
        picture = ipw.VBox([self.chi2], layout={"flex": "1 1 0", "min_width": "300px"})
        return ipw.HBox([picture, costs], layout={"width": "100%", "flex_flow": "row wrap"})

    def _connect(self) -> None:
        model = self.model
        for name in ("moves", "temperature_start", "temperature_end"):
            self._link(name, getattr(self, name))
        self.run_button.on_click(lambda _: model.run())
        self.pause_button.on_click(lambda _: self._pause_or_resume())
        self.stop_button.on_click(lambda _: model.stop())
        self.save_button.on_click(lambda _: model.save(self.file_name.value))
        self.colour_by.observe(self._on_colour, "value")
        model.observe(self._on_state, "state")
        model.observe(self._on_progress, ["done", "total"])
        model.observe(self._on_words, ["status", "error"])
        model.observe(lambda change: self._show(change["new"]), "moment")
        model.observe(lambda change: self.costs.fill(change["new"]), "weights")
        self._on_state(None)
        self._on_words(None)
        self._show(model.moment)

    def _pause_or_resume(self) -> None:
        if self.model.state == "paused":
            self.model.resume()
        else:
            self.model.pause()

    # -- from the model to the picture, also from the thread of the run ---------------------------

    def _on_state(self, change: Any) -> None:
        state = self.model.state
        self.moves.disabled = self.run_button.disabled = state != "idle"
        self.pause_button.disabled = self.stop_button.disabled = state == "idle"
        paused = state == "paused"
        self.pause_button.description = "Continue" if paused else "Pause"
        self.pause_button.icon = "play" if paused else "pause"
        self.file_name.disabled = self.save_button.disabled = state == "running"
        self.progress.bar_style = {"running": "info", "paused": "warning"}.get(state, "")

    def _on_progress(self, change: Any) -> None:
        self.progress.max = max(1, self.model.total)
        self.progress.value = self.model.done

    def _on_words(self, change: Any) -> None:
        self.status.value = line(html.escape(self.model.status))
        self.error.value = notice(self.model.error, failed=True)
        if self.model.error:
            self.costs.fill(self.model.weights)  # what was refused is not shown

    def _on_colour(self, change: Any) -> None:
        self._picture.colour(self.model.moment, self.colour_by.value)
        self.legend.value = legend(self.model.moment, self.colour_by.value)

    def _show(self, moment: Moment) -> None:
        start = self.model.start
        self._picture.draw(moment, self.colour_by.value)
        self.legend.value = legend(moment, self.colour_by.value)
        self.now.value = line(_words(moment))
        self.costs.show(moment, start)
        self.curves.value = self._curves.png(moment)
        self.chi2.value = self._chi2.png(moment, self.model.changes)
        for box, write in zip(
            self._tables, (refinement_tables.curves, refinement_tables.records), strict=True
        ):
            box.value = write(moment)


def _words(moment: Moment) -> str:
    """Say where the refinement is."""
    accepted = "" if np.isnan(moment.acceptance) else f", {moment.acceptance:.0%} accepted"
    return (
        f"χ² {moment.chi2:.5g} after {moment.moves:,} moves<br>"
        f"temperature {moment.temperature:.3g}<br>"
        f"moves of up to {moment.move_size:.3g} Å{accepted}<br>"
        f"atoms moved: {moment.moved.mean():.3f} Å mean, {moment.moved.max():.2f} Å at most"
    )
