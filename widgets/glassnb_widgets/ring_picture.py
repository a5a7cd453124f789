"""The picture of a ring in its structure, as messages to the canvas."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from glassnb_widgets import geometry
from glassnb_widgets.ring_model import RingModel
from glassnb_widgets.viewer import Canvas, cluster_part, pale_part

__all__ = ["RingPicture"]

_SMALL = 20_000  # atoms that are drawn while rings are searched


class RingPicture:
    """Draws what a ring inspector shows.

    Parameters
    ----------
    model : RingModel
        What is shown.
    canvas : Canvas
        Where it is drawn.
    """

    def __init__(self, model: RingModel, canvas: Canvas) -> None:
        self.model = model
        self._canvas = canvas

    def draw_structure(self) -> None:
        """Draw the whole structure, pale, where it is on show; the browser gets it only then."""
        model = self.model
        n = len(model.structure)
        if model.show != "whole" and (model.rings is not None or n > _SMALL):
            self._canvas.draw(shown=[], bond_ends=[], cell=None)
            return
        self._canvas.draw(
            shown=list(range(n)),
            bond_ends=list(range(n, n + model.drawing.parents.size)),
            cell=geometry.cell_edges(model.structure),
            **self._structure,
        )

    @cached_property
    def _structure(self) -> dict[str, Any]:
        return pale_part(self.model.structure, self.model.drawing)

    def draw_ring(self) -> None:
        """Draw the ring that is looked at, or none."""
        with self.model.lock:
            if self.model.current < 0:
                self._canvas.draw(ring=None)
                return
            ring = self._ring()
            self._canvas.draw(ring=ring, camera=self._aim(ring))

    def _ring(self) -> dict[str, Any]:
        """Return the ring that is looked at as what ``canvas.js`` draws."""
        model = self.model
        assert model.shape is not None
        assert model.rings is not None
        k, polygon = model.current, model.polygon
        centre = model.shape.centres[k] + model.shift
        # Root mean square distances along the axes.
        spread = model.shape.singular_values[k] / np.sqrt(model.shape.sizes[k])
        axes = model.shape.axes[k] * spread[:, None]
        part: dict[str, Any] = {
            "corners": polygon.round(3).tolist(),
            "centre": centre.round(3).tolist(),
            "atoms": self._atoms(polygon),
            "stick": 0.08,
        }
        if model.plane:
            # The ellipse on which the atoms would lie, were the ring a regular polygon, stretched.
            part["plane"] = (np.sqrt(2) * axes[:2]).round(4).tolist()
        if model.ellipsoid:
            thin = max(float(spread[2]), 0.02)
            part["ellipsoid"] = [*axes[:2].round(4).tolist(), round(thin, 4)]
        if model.normal:
            length = max(2.0, 1.2 * float(spread[0]))
            part["normal"] = (centre + length * model.shape.axes[k, 2]).round(3).tolist()
        return part

    def _atoms(self, polygon: np.ndarray) -> dict[str, Any]:
        """Return the atoms of the ring, and those around it where they are on show."""
        model = self.model
        assert model.rings is not None
        if model.show == "surroundings":
            near = model.surroundings
            return cluster_part(model.structure, near.indices, near.points, near.own, near.links)
        index = model.rings[model.current]
        own, links = np.ones(index.size, dtype=bool), np.zeros((0, 2), dtype=np.int64)
        return cluster_part(model.structure, index, polygon, own, links)

    def _aim(self, ring: dict[str, Any]) -> dict[str, Any]:
        """Return where the camera looks."""
        model = self.model
        assert model.shape is not None
        corners, centre = np.array(ring["corners"]), np.array(ring["centre"])
        radius = float(np.linalg.norm(corners - centre, axis=1).max())
        radius += {"ring": 1.0, "surroundings": 0.55 * model.within, "whole": 0.0}[model.show]
        if model.show == "whole":
            radius = 0.45 * float(np.linalg.norm(np.ptp(model.structure.positions, axis=0)))
        axes = model.shape.axes[model.current].round(5).tolist() if model.camera == "face" else None
        return {
            "centre": ring["centre"], "radius": round(radius, 2), "axes": axes,
            "stay": model.camera == "stay",
        }  # fmt: skip
