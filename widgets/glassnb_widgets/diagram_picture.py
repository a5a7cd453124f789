"""The picture of a cycle in its structure, as messages to the canvas."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnb_widgets import geometry
from glassnb_widgets.diagram_cycles import segments
from glassnb_widgets.diagram_model import DiagramModel
from glassnb_widgets.scene import Scene
from glassnb_widgets.viewer import Canvas, cluster_part, pale_part

__all__ = ["CyclePicture"]

_NEAR_ATOMS = 400  # a cycle with more of them is drawn without surroundings


class CyclePicture:
    """Draws what a diagram explorer shows.

    Parameters
    ----------
    model : DiagramModel
        What is shown.
    canvas : Canvas
        Where it is drawn.
    """

    def __init__(self, model: DiagramModel, canvas: Canvas) -> None:
        self.model = model
        self._canvas = canvas
        self._pale: dict[int, dict[str, Any]] = {}

    @property
    def scene(self) -> Scene:
        """The structure that is drawn."""
        return self.model.scenes[self.model.which]

    def draw_structure(self) -> None:
        """Draw the whole structure, pale, where it is on show; the browser gets it only then."""
        which = self.model.which
        if self.model.show != "whole":
            self._canvas.draw(shown=[], bond_ends=[], cell=None)
            return
        if which not in self._pale:
            self._pale[which] = pale_part(self.scene.structure, self.scene.drawing)
        n, ends = len(self.scene.structure), self.scene.drawing.parents.size
        self._canvas.draw(
            shown=list(range(n)),
            bond_ends=list(range(n, n + ends)),
            cell=geometry.cell_edges(self.scene.structure),
            **self._pale[which],
        )

    def draw_cycle(self) -> None:
        """Draw the cycle that is looked at, or none."""
        with self.model.lock:
            part = self._cycle()
            if part is None:
                self._canvas.draw(cycle=None)
                return
            points = np.array(part.pop("own")).reshape(-1, 3)
            self._canvas.draw(cycle=part, camera=self._aim(points))

    def _cycle(self) -> dict[str, Any] | None:
        """Return what ``canvas.js`` draws of the cycle; of a piece, the edge that ends it."""
        model, cycle = self.model, self.model.cycle
        if model.current < 0:
            return None
        if model.dimension == 0:
            rows = model.diagrams.death_rows[0][[model.current]]
            points = model.diagrams.complex.points(1, rows)[0]
            indices = model.diagrams.death_simplices(0)[0][model.current].astype(np.int64)
            lines, surface, thin = points[None], np.zeros((0, 3, 3)), False
        elif cycle is None:
            return None
        else:
            points, indices, thin = cycle.points, cycle.indices, model.dimension == 2
            lines = segments(cycle)
            surface = cycle.boundary_points if thin else cycle.volume_points
        shift = self.scene.shift(points)
        part = {
            "lines": _flat(lines + shift),
            "thin": thin,
            "atoms": self._atoms(indices, points + shift),
            "stick": 0.08,
            "own": (points + shift).ravel().tolist(),
        }
        if model.volume and len(surface):
            part["volume"] = _flat(surface + shift)
        if thin and model.inner and (inner := self._inner()):
            part["inner"] = inner
        return part

    def _inner(self) -> list[float]:
        """Return the surfaces of the cavities within the one that is looked at."""
        model, cycle = self.model, self.model.cycle
        tree = model.store.tree(model.which)
        if tree is None or cycle is None:
            return []
        shift = self.scene.shift(cycle.points)
        found = []
        for child in model.children():
            inside = tree.cycle(child)
            found.append(inside.boundary_points + shift + _offset(inside, cycle))
        return _flat(np.concatenate(found)) if found else []

    def _atoms(self, indices: NDArray[np.int64], points: NDArray[np.float64]) -> dict[str, Any]:
        """Return the atoms of the cycle, and those around it where they are on show."""
        scene, structure = self.scene, self.scene.structure
        if self.model.show == "surroundings" and len(points) <= _NEAR_ATOMS:
            near = scene.around(points, self.model.within)
            return cluster_part(structure, near.indices, near.points, near.own, near.links)
        own, links = np.ones(indices.size, dtype=bool), np.zeros((0, 2), dtype=np.int64)
        return cluster_part(structure, indices, points, own, links)

    def _aim(self, points: NDArray[np.float64]) -> dict[str, Any]:
        """Return where the camera looks; it turns for the cycle that was asked for alone."""
        model = self.model
        centre = points.mean(axis=0)
        radius = float(np.linalg.norm(points - centre, axis=1).max())
        radius += {"cycle": 1.0, "surroundings": 0.55 * model.within, "whole": 0.0}[model.show]
        if model.show == "whole":
            radius = 0.45 * float(np.linalg.norm(np.ptp(self.scene.structure.positions, axis=0)))
        axes = None
        if model.camera == "face" and model.final and len(points) > 2:
            axes = np.linalg.svd(points - centre, full_matrices=False)[2]
            axes[2] = np.cross(axes[0], axes[1])
            axes = axes.round(5).tolist()
        return {
            "centre": centre.round(3).tolist(), "radius": round(radius, 2), "axes": axes,
            "stay": model.camera == "stay",
        }  # fmt: skip


def _flat(points: NDArray[np.float64]) -> list[float]:
    return points.round(3).ravel().tolist()


def _offset(inside: Any, cycle: Any) -> NDArray[np.float64]:
    """Return the lattice vector that brings a cavity into the one that holds it."""
    cell = np.asarray(cycle.atoms.cell)
    where = {row: k for k, row in enumerate(cycle.volume_rows.tolist())}
    k = next((k for k, row in enumerate(inside.volume_rows.tolist()) if row in where), None)
    if k is None:
        return np.zeros(3)
    outer = cycle.volume_images[where[int(inside.volume_rows[k])]]
    return (outer[0] - inside.volume_images[k][0]) @ cell
