"""A beam to drag over a slab: its diffraction pattern, the spots in it, the atoms behind them."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms

from glassnb.diffraction import Probe, QuasiLatticePlanes
from glassnb_widgets import beam_report
from glassnb_widgets.background import explain
from glassnb_widgets.beam_controls import BeamControls
from glassnb_widgets.beam_model import BeamModel
from glassnb_widgets.beam_picture import BeamPicture, legend
from glassnb_widgets.beam_planes import crests
from glassnb_widgets.beam_plot import BeamPlot
from glassnb_widgets.parts import line, notice
from glassnb_widgets.viewer import Canvas

__all__ = ["BeamScanner"]

_LINKED = (
    "semiangle", "thickness", "start", "axis", "angle_1", "angle_2", "angle_3", "null", "x", "y",
)  # fmt: skip


class BeamScanner(BeamControls):
    """Electron diffraction with a beam as wide as a few atoms, moved by hand.

    To the left the slab as the beam sees it, with the beam to drag; beside it the pattern of that
    place, its pairs of spots marked with how often chance makes such a pair; to the right the
    atoms and the quasi-lattice planes behind a spot that is clicked. What chance gives is computed
    in the background for each beam, slab and ring: the beam may be moved meanwhile.

    Parameters
    ----------
    atoms : ase.Atoms
        A periodic model.
    probe : Probe, optional
        The beam; 200 kV and 3.3 mrad when omitted. The controls change its opening alone.
    thickness : float, optional
        Of the slab in Å; the height of the model when omitted.
    start : float
        Lower face of the slab in Å.
    axis : str
        Direction of the model along the beam: ``"x"``, ``"y"`` or ``"z"``.
    k_max : float
        Half the edge of the patterns in 1/Å (k = 1/d; the Q of glassnb.scattering is 2 pi k).
    seed : int
        Of the null model.
    height : int
        Height of the plots in pixels.

    Attributes
    ----------
    model : BeamModel
        The state; set its traits to move the controls from Python.

    Raises
    ------
    ValueError
        If no slab can be cut or no such beam exists.

    Examples
    --------
    >>> scanner = BeamScanner(glass, thickness=30)  # doctest: +SKIP
    >>> scanner.model.move(12.0, 8.5)  # doctest: +SKIP
    >>> scanner.to_frame()  # doctest: +SKIP
    """

    def __init__(
        self,
        atoms: Atoms,
        probe: Probe | None = None,
        *,
        thickness: float | None = None,
        start: float = 0.0,
        axis: str = "z",
        k_max: float = 1.2,
        seed: int = 0,
        height: int = 400,
    ) -> None:
        given = {} if thickness is None else {"thickness": float(thickness)}
        self.model = BeamModel(
            atoms, probe or Probe(), k_max=k_max, seed=seed, start=start, axis=axis, **given
        )
        self._serial, self._dragging = 0, False
        self._canvas = Canvas(height=f"{height - 24}px")
        self._picture = BeamPicture(self._canvas, self.model.atoms)
        self.plot = BeamPlot(self._on_plot, height=height)
        self._make_controls()
        with self.model.lock:  # the null may be known at any moment
            super().__init__(self._body())
            self.add_class("glassnb-beam")
            self._connect()
            self._on_slab(None)
            self._on_pattern(None)
            self._on_null(None)
            self._on_planes(None)
            self._on_say(None)
            if len(self.model.spots):
                self.model.pick(0)

    @property
    def pattern(self) -> np.ndarray:
        """The pattern under the beam: fraction of the current on each pixel."""
        return self.model.pattern

    @property
    def planes(self) -> QuasiLatticePlanes | None:
        """What makes the spot that was clicked last; waits until that is known."""
        self.model.finder.wait()
        return None if self.model.behind is None else self.model.behind.planes

    def to_frame(self) -> pd.DataFrame:
        """Return the spots under the beam as a table.

        Returns
        -------
        pandas.DataFrame
            One row per pair: ``k``, ``k_x`` and ``k_y`` in 1/Å, ``d`` in Å, ``intensity``,
            ``strength`` and ``p_value``.
        """
        return self.model.to_frame()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until slab, p-values and planes are there.

        Parameters
        ----------
        timeout : float, optional
            Longest wait for each in s.
        """
        self.model.wait(timeout)

    # -- from controls to the model ----------------------------------------------------------------

    def _connect(self) -> None:
        model = self.model
        for name in _LINKED:
            self._link(name, getattr(self, name))
        self.fwhm.observe(self._on_fwhm, "value")
        self.k_range.observe(self._on_range, "value")
        self.spot.observe(self._on_spot, "value")
        self.scale.observe(lambda change: self.plot.scale(change["new"]), "value")
        for tool in (self.colour_by, self.within):
            tool.observe(self._on_look, "value")
        self.strongest.on_click(lambda _: model.go_to_strongest())
        self.random.on_click(lambda _: model.turn_at_random(self.seed.value))
        self.upright.on_click(lambda _: model.turn((0.0, 0.0, 0.0)))
        self.save_button.on_click(lambda _: self._save())
        model.observe(self._on_slab, "slab_changes")
        model.observe(self._on_pattern, "pattern_changes")
        model.observe(self._on_null, "null_changes")
        model.observe(self._on_current, "current")
        model.observe(self._on_planes, "plane_changes")
        model.observe(self._on_ring, ["k_low", "k_high"])
        model.observe(self._on_say, ["status", "error", "busy"])
        model.finder.observe(self._on_say, ["error", "busy"])
        self.plot.scale(self.scale.value)

    def _on_fwhm(self, change: Any) -> None:
        if not self._filling:
            self.model.set_fwhm(change["new"])

    def _on_range(self, change: Any) -> None:
        if not self._filling:
            self.model.set_ring(*change["new"])

    def _on_spot(self, change: Any) -> None:
        if not self._filling and change["new"] is not None:
            self.model.pick(change["new"])

    def _on_plot(self, event: dict[str, Any]) -> None:
        """Do what is done in the plot."""
        kind = event["kind"]
        if kind == "beam":
            self._serial, self._dragging = event["serial"], not event["resting"]
            self.model.move(event["x"], event["y"])
            self._dragging = False
        elif kind == "point" and event["map"] == 1:
            self.model.pick_at(event["x"], event["y"])
        elif kind == "clear":
            self.model.pick(-1)

    def _save(self) -> None:
        model = self.model
        try:
            target = beam_report.save(model, self.file_name.value)
        except (ValueError, OSError) as error:
            model.error = f"Not saved: {explain(error)}"
        else:
            model.error, model.status = "", f"Saved to {target}."

    # -- from the model to the page, also from the threads -----------------------------------------

    def _on_slab(self, change: Any) -> None:
        prepared = self.model.prepared
        self._fill(self.fwhm, round(prepared.probe.fwhm, 3))
        with self.plot.hold_sync():  # the beam must not be seen where it stood on another slab
            self.plot.show_slab(prepared)
            self._show_pattern()
        self.legend.value = legend(self.model.behind, self.model.atoms, self.colour_by.value)

    def _on_pattern(self, change: Any) -> None:
        self._show_pattern()
        if not self._dragging:  # tables would hold up the beam
            self._list_spots()

    def _show_pattern(self) -> None:
        model = self.model
        self.plot.show_pattern(
            model.position, model.pattern, self._serial, self._marks(), model.k_range
        )

    def _on_null(self, change: Any) -> None:
        model = self.model
        self.slab_words.value = beam_report.slab_words(model)
        self.chance_words.value = beam_report.chance_words(model.significance)
        self.strongest.disabled = model.significance is None
        self._mark()
        self._list_spots()
        self._on_words()

    def _on_current(self, change: Any) -> None:
        self._fill(self.spot, self.model.current)
        self._mark()

    def _on_planes(self, change: Any) -> None:
        self._on_look(None)
        self._mark()
        self._on_words()

    def _on_look(self, change: Any) -> None:
        model = self.model
        with model.lock:
            self._picture.draw(model.behind, self.colour_by.value, self.within.value)
            self.legend.value = legend(model.behind, model.atoms, self.colour_by.value)

    def _on_words(self) -> None:
        behind = self.model.behind
        # What was said of a spot of the slab before stays.
        if behind is None or behind.prepared is self.model.prepared:
            self.spot_words.value = beam_report.behind_words(self.model, behind)

    def _on_ring(self, change: Any) -> None:
        self._fill(self.k_range, (self.model.k_low, self.model.k_high))

    def _on_say(self, change: Any) -> None:
        model = self.model
        busy = model.busy or model.finder.busy
        spin = '<i class="fa fa-spinner fa-spin"></i> ' if busy else ""
        looking = " Looking for the planes behind the spot ..." if model.finder.busy else ""
        self.status.value = line(spin + html.escape(model.status + looking))
        self.error.value = notice(model.error or model.finder.error, failed=True)

    def _marks(self) -> list[list[Any]]:
        """Return place, p-value and whether it is small, for each pair of spots."""
        spots = self.model.spots
        return [
            [float(k_x), float(k_y), beam_report.p_text(p), bool(p < beam_report.LEVEL)]
            for k_x, k_y, p in zip(spots.k_x, spots.k_y, self.model.p_values, strict=True)
        ]

    def _mark(self) -> None:
        """Mark the pair that is looked at, and the planes behind it once they are there."""
        model, lines = self.model, []
        behind = model.behind
        if behind is not None and model.current >= 0 and behind.spot == model.spot:
            lines = [[*c[0, :2].tolist(), *c[1, :2].tolist()] for c in crests(behind)]
        self.plot.mark(self._marks(), model.current, lines)

    def _list_spots(self) -> None:
        model = self.model
        frame = model.to_frame()
        options = [("none", -1)]
        for n, (k, d, p) in enumerate(zip(frame["k"], frame["d"], frame["p_value"], strict=True)):
            options.append((f"{n + 1}: k {k:.3f}, d {d:.2f} Å, p {beam_report.p_text(p)}", n))
        before, self._filling = self._filling, True
        self.spot.options, self.spot.value = options, model.current
        self._filling = before
        self.spot_table.value = beam_report.spot_table(frame)
