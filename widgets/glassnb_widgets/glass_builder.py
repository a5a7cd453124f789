"""Build a silica glass: choose, run, watch, stop, save."""

from __future__ import annotations

import html
import io
from collections.abc import Callable
from typing import Any

import ipywidgets as ipw
import numpy as np
from matplotlib.figure import Figure

from glassnb.core.structure import species_of
from glassnb.models.md_protocol import rate_words
from glassnb.models.properties import DEFINITION
from glassnb.network import bonds
from glassnb.plotting import species_colour
from glassnb_widgets import geometry
from glassnb_widgets.builder_model import BOND, BuilderModel, Measured
from glassnb_widgets.closing import Owner
from glassnb_widgets.parts import chip, control, heading, line, notice, row
from glassnb_widgets.viewer import Canvas, structure_part

__all__ = ["GlassBuilder"]

_POTENTIALS = ("SHIK", "BKS", "CHIK", "Vashishta", "Tersoff")


class GlassBuilder(Owner, ipw.VBox):
    """A melt-quench simulation with controls.

    The run goes on in the background: the notebook stays usable, and the structure, g(r) and S(Q)
    of the moment are drawn every few seconds.

    Parameters
    ----------
    runner : callable, optional
        Makes the glass; takes the arguments of :func:`glassnb.models.melt_quench`, which it is
        when omitted.
    height : str
        Height of the picture of the structure, as in CSS.
    **parameters
        What the controls show at first: ``n_atoms``, ``potential``, ``melt_temperature`` (K),
        ``cooling_rate`` (K/ps), ``seed``.

    Attributes
    ----------
    model : BuilderModel
        The state; its traits are what the controls show.

    Raises
    ------
    ValueError
        If there is no such parameter, or no potential of that name.

    Examples
    --------
    >>> builder = GlassBuilder(n_atoms=192, cooling_rate=200)  # doctest: +SKIP
    >>> builder  # press Run  # doctest: +SKIP
    >>> builder.result.atoms  # doctest: +SKIP
    """

    def __init__(
        self,
        runner: Callable[..., Any] | None = None,
        *,
        height: str = "340px",
        **parameters: Any,
    ) -> None:
        self.model = BuilderModel(runner)
        for name, value in parameters.items():
            if name not in self.model.parameters:
                known = ", ".join(self.model.parameters)
                raise ValueError(f"{name}={value!r}: the parameters are {known}")
            setattr(self.model, name, value)
        if self.model.potential not in _POTENTIALS:
            known = ", ".join(_POTENTIALS)
            raise ValueError(f"potential={self.model.potential!r}: must be one of {known}")
        self._canvas = Canvas(height=height)
        self._make_controls()
        self._connect()
        super().__init__([self._body(), self.plots])
        self.add_class("glassnb-builder")

    @property
    def result(self) -> Any:
        """What the last run returned, a :class:`glassnb.models.MeltQuench`, or ``None``."""
        return self.model.result

    def run(self) -> None:
        """Start a run, as the button does."""
        self.model.run()

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

    # -- controls ----------------------------------------------------------------------------------

    def _make_controls(self) -> None:
        self.n_atoms = control(ipw.BoundedIntText, "Atoms", min=3, max=100_000, step=3)
        self.potential = control(ipw.Dropdown, "Potential", options=_POTENTIALS)
        self.melt_temperature = control(ipw.FloatText, "Melt at (K)", step=100)
        self.cooling_rate = control(ipw.FloatText, "Cool by (K/ps)", step=10)
        self.rate = ipw.HTML()
        self.seed = control(ipw.BoundedIntText, "Seed", min=0, max=2_000_000_000)
        self.run_button = ipw.Button(description="Run", icon="play", button_style="primary")
        self.stop_button = ipw.Button(description="Stop", icon="stop", disabled=True)
        for button in (self.run_button, self.stop_button):
            button.layout.width = "100px"
        self.progress = control(ipw.IntProgress, "Progress", min=0, max=1)
        self.status = ipw.HTML(layout={"min_height": "56px"})
        self.stale = ipw.HTML()
        self.error = ipw.HTML()
        self.file_name = control(ipw.Text, "File", value="glass.extxyz")
        self.save_button = ipw.Button(
            description="Save", icon="save", disabled=True, layout={"width": "100px"}
        )
        self.legend = ipw.HTML(layout={"min_height": "24px"})
        self.words = ipw.HTML(layout={"min_height": "24px"})
        self.plots = ipw.Image(format="png", layout={"display": "none", "max_width": "100%"})

    def _body(self) -> ipw.HBox:
        controls = ipw.VBox(
            [
                heading("Melt and quench"),
                self.n_atoms,
                self.potential,
                self.melt_temperature,
                self.cooling_rate,
                row("", self.rate),
                self.seed,
                row("", ipw.HBox([self.run_button, self.stop_button])),
                self.progress,
                self.status,
                self.stale,
                self.error,
                heading("Save"),
                self.file_name,
                row("", self.save_button),
            ],
            layout={"width": "340px", "flex": "0 0 340px", "padding": "0 12px 0 0"},
        )
        picture = ipw.VBox(
            [self.legend, self._canvas.widget, self.words],
            layout={"flex": "1 1 auto", "min_width": "320px", "overflow": "hidden"},
        )
        return ipw.HBox([controls, picture], layout={"width": "100%"})

    def _connect(self) -> None:
        model = self.model
        self._inputs = [
            self.n_atoms, self.potential, self.melt_temperature, self.cooling_rate, self.seed,
        ]  # fmt: skip
        for name, box in zip(model.parameters, self._inputs, strict=True):
            box.value = getattr(model, name)
            box.observe(lambda change, name=name: setattr(model, name, change["new"]), "value")
            model.observe(lambda change, box=box: setattr(box, "value", change["new"]), name)
        self.run_button.on_click(lambda _: model.run())
        self.stop_button.on_click(lambda _: model.stop())
        self.save_button.on_click(lambda _: model.save(self.file_name.value))
        model.observe(self._on_rate, "cooling_rate")
        model.observe(self._on_running, "running")
        model.observe(self._on_progress, ["done", "total"])
        model.observe(self._on_words, ["status", "error", "stale", "result"])
        model.observe(lambda change: self._show(change["new"]), "measured")
        self._on_words(None)
        self._on_rate(None)

    # -- from the model to the picture, also from the thread of the run ---------------------------

    def _on_running(self, change: Any) -> None:
        running = change["new"]
        for box in (*self._inputs, self.run_button, self.file_name):
            box.disabled = running
        self.stop_button.disabled = not running
        self.save_button.disabled = running or self.model.result is None
        self.progress.bar_style = "info" if running else ""

    def _on_rate(self, change: Any) -> None:
        self.rate.value = line(
            f"{rate_words(self.model.cooling_rate)}; a laboratory cools some 10¹² times more "
            "slowly. Density and coordination come out nearly right, the first sharp diffraction "
            "peak too low, the more so the faster."
        )

    def _on_progress(self, change: Any) -> None:
        self.progress.max = max(1, self.model.total)
        self.progress.value = self.model.done

    def _on_words(self, change: Any) -> None:
        model = self.model
        self.status.value = html.escape(model.status)
        self.error.value = notice(model.error, failed=True)
        shown = (
            f"Shown is another glass: {model.shown_parameters}. Press Run for the settings above."
        )
        self.stale.value = notice(shown if model.stale else "")

    def _show(self, measured: Measured | None) -> None:
        if measured is None:
            return
        self._draw(measured)
        self.words.value = html.escape(measured.words)
        self.plots.value = _picture(measured)
        self.plots.layout.display = ""

    def _draw(self, measured: Measured) -> None:
        atoms = measured.atoms.copy()
        atoms.wrap()
        drawing = geometry.drawing(atoms, bonds(atoms, BOND))
        rgba = geometry.species_rgba(atoms)
        symbols = np.asarray(atoms.symbols)
        self.legend.value = "".join(
            chip(species_colour(symbol), f"{symbol} ({(symbols == symbol).sum()})")
            for symbol in species_of(atoms)[0]
        )
        self._canvas.draw(
            structure=structure_part(atoms, drawing),
            colours=geometry.colour_numbers(np.concatenate([rgba, rgba[drawing.parents]])),
            shown=list(range(len(atoms))),
            bond_ends=(len(atoms) + np.arange(drawing.parents.size)).tolist(),
            cell=geometry.cell_edges(atoms),
        )


def _picture(measured: Measured) -> bytes:
    """Draw g(r) and S(Q) side by side, without pyplot: this runs in a thread."""
    figure = Figure(figsize=(10, 3), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2)
    measured.g.plot(ax=left)
    left.set(title="pair distribution", ylim=(0, 8))
    measured.sq.plot(ax=right)
    right.set(title="neutron structure factor", ylim=(-0.2, 2.2))
    figure.supxlabel(DEFINITION, fontsize=8, color="0.4")
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()
