"""The slab as the beam sees it, and the diffraction pattern, in the browser.

``beam_plot.js`` draws both on a canvas. While the beam is dragged it asks for one pattern at a
time: the next place is sent when the pattern of the last one has been drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_hex
from numpy.typing import NDArray
from traitlets import Dict

from glassnb.core.structure import species_of
from glassnb.plotting import species_colour
from glassnb_widgets import geometry
from glassnb_widgets.beam_slab import PreparedSlab
from glassnb_widgets.plot_base import CanvasPlot, script

__all__ = ["BeamPlot"]


class BeamPlot(CanvasPlot):
    """A slab with a beam to drag, and its pattern.

    Parameters
    ----------
    on_event : callable
        Called with what is done in the plot: ``"beam"`` (``x``, ``y`` in Å, ``serial``, and
        whether it is ``resting``, not dragged on), and as
        for :class:`CanvasPlot` ``"point"`` (``map`` is 1, ``x`` and ``y`` in 1/Å) and ``"clear"``.
    height : int
        Height in pixels.

    Attributes
    ----------
    about : dict
        What is drawn of the slab: ``box`` and ``field`` (low and high of x and y in Å), ``edges``
        of a slab without a seam, ``species`` (name, colour, radius in Å), ``fwhm``; of the pattern
        ``shape``, ``k`` (half its edges in 1/Å), ``k_disc``, ``k_aperture``, ``top``.
    atoms : dict
        ``x`` and ``y`` (float32, Å) and ``species`` (uint8), from the bottom of the slab upwards.
    """

    _esm = script("beam_plot.js")

    about = Dict().tag(sync=True)
    atoms: Any = Dict().tag(sync=True)

    def __init__(self, on_event: Callable[[dict[str, Any]], None], *, height: int = 430) -> None:
        super().__init__(on_event, height=height)

    def show_slab(self, prepared: PreparedSlab) -> None:
        """Draw another slab.

        Parameters
        ----------
        prepared : PreparedSlab
            The slab.
        """
        scanner, atoms = prepared.scanner, prepared.slab.atoms
        period = prepared.slab.period
        x0, x1, y0, y1 = scanner.field
        # Of a turned slab the part is drawn that the beam reaches.
        rim = 0.0 if period else 1.5 * prepared.probe.fwhm
        box = [[x0 - rim, x1 + rim], [y0 - rim, y1 + rim]]
        x, y, z = atoms.positions.T
        inside = (x >= box[0][0]) & (x <= box[0][1]) & (y >= box[1][0]) & (y <= box[1][1])
        order = np.flatnonzero(inside)[np.argsort(z[inside], kind="stable")]
        symbols, species = species_of(atoms)
        radii = geometry.radii(atoms)
        names = [
            [symbol, to_hex(species_colour(symbol)), float(radii[species == k][0])]
            for k, symbol in enumerate(symbols)
        ]
        reference = prepared.reference
        axes, half = (scanner.k_x, scanner.k_y), [0.5 / edge for edge in scanner.lengths]
        with self.hold_sync():
            self.about = {
                "box": box,
                "field": [[x0, x1], [y0, y1]],
                "edges": list(scanner.lengths) if period else None,
                "species": names,
                "fwhm": prepared.probe.fwhm,
                "shape": list(scanner.shape),
                "k": [float(k[-1] + h) for k, h in zip(axes, half, strict=True)],
                "k_disc": reference.k_disc,
                "k_aperture": prepared.probe.k_aperture,
                "top": prepared.top,
            }
            self.atoms = {
                "x": x[order].astype("<f4").tobytes(),
                "y": y[order].astype("<f4").tobytes(),
                "species": species[order].astype("u1").tobytes(),
            }

    def show_pattern(
        self,
        position: tuple[float, float],
        pattern: NDArray[np.float32],
        serial: int,
        spots: Sequence[Sequence[Any]],
        k_range: tuple[float, float],
    ) -> None:
        """Draw another pattern; no spot is looked at.

        Parameters
        ----------
        position : tuple of float
            Of the beam in Å.
        pattern : ndarray, shape (n_k_x, n_k_y)
            Fraction of the current on each pixel.
        serial : int
            That of the last event that moved the beam.
        spots : sequence
            ``k_x``, ``k_y`` (1/Å), p-value as text, and whether it is small, for each pair.
        k_range : tuple of float
            Ring in which spots are sought, in 1/Å.
        """
        self.selection = self.selection | {
            "x": position[0], "y": position[1], "serial": serial, "spots": [list(s) for s in spots],
            "pattern": np.ascontiguousarray(pattern, "<f4").tobytes(), "range": list(k_range),
            "current": -1, "lines": [],
        }  # fmt: skip

    def mark(
        self, spots: Sequence[Sequence[Any]], current: int, lines: Sequence[Sequence[float]]
    ) -> None:
        """Draw the spots of the same pattern again.

        Parameters
        ----------
        spots : sequence
            As for :meth:`show_pattern`.
        current : int
            The pair that is looked at; -1 for none.
        lines : sequence
            Planes behind it: x and y of the ends of each, in Å.
        """
        self.selection = self.selection | {
            "spots": [list(s) for s in spots], "current": current, "lines": [list(e) for e in lines]
        }  # fmt: skip

    def scale(self, name: str) -> None:
        """Set how intensities become colours.

        Parameters
        ----------
        name : str
            ``"log"``, ``"sqrt"`` or ``"linear"``.
        """
        self.selection = self.selection | {"scale": name}
