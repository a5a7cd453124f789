"""The atoms in the beam and the planes behind a spot, as messages to the canvas."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import matplotlib as mpl
import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.jit import serial_kernels
from glassnb.core.structure import species_of
from glassnb.network import bonds
from glassnb.plotting import species_colour
from glassnb_widgets import geometry
from glassnb_widgets.beam_planes import BehindSpot, crests
from glassnb_widgets.parts import chip
from glassnb_widgets.scene import Scene
from glassnb_widgets.viewer import Canvas, cluster_part

__all__ = ["COLOURINGS", "BeamPicture", "legend", "values"]

#: What atoms in the beam may be coloured by.
COLOURINGS = {
    "density of the wave": "wave",
    "share in the spot": "weights",
    "species": "species",
}
_MAP = "coolwarm"
_MOST = 1500  # atoms that are drawn
_ASIDE = 0.45  # rad, between the planes and the eye
_SIDES = 24  # of the circle at the ends of the beam
_CROWDED = 5.0  # mean number of neighbours from which on sticks hide the atoms


class BeamPicture:
    """Draws what makes a spot.

    Parameters
    ----------
    canvas : Canvas
        Where it is drawn.
    atoms : ase.Atoms
        The model, for its bonds.
    """

    def __init__(self, canvas: Canvas, atoms: Atoms) -> None:
        self._canvas = canvas
        self._model = atoms

    def draw(self, behind: BehindSpot | None, colour_by: str, within: float) -> None:
        """Draw atoms, beam and planes.

        Parameters
        ----------
        behind : BehindSpot or None
            What makes the spot; nothing is drawn without.
        colour_by : str
            One of the values of :data:`COLOURINGS`.
        within : float
            Largest distance in Å from the axis of the beam.
        """
        if behind is None:
            self._canvas.draw(cycle=None)
            return
        reach = max(within, behind.prepared.probe.fwhm)
        distance = behind.distance
        order = np.argsort(distance, kind="stable")[:_MOST]
        shown = order[distance[order] <= reach]
        planes = [_triangles(corners) for corners in crests(behind, reach)]
        part = {
            "atoms": self._atoms(behind, shown, colour_by),
            "stick": 0.09,
            "lines": _outline(behind),
            "thin": True,
            "volume": np.concatenate(planes).round(3).ravel().tolist(),
        }
        self._canvas.draw(cycle=part, camera=_aim(behind, reach))

    def _atoms(
        self, behind: BehindSpot, shown: NDArray[np.int64], colour_by: str
    ) -> dict[str, Any]:
        atoms, own = behind.planes.atoms, behind.in_beam[shown]
        points = behind.points[shown]
        links = self._links(behind, shown, points)
        part = cluster_part(atoms, shown, points, own, links)
        if colour_by != "species":
            rgba = geometry.faded(geometry.species_rgba(atoms[shown]), 0.8)
            shades, limit = values(behind, colour_by)
            rgba[own] = mpl.colormaps[_MAP](0.5 + shades[shown][own] / (2 * limit))
            part["colours"] = geometry.colour_numbers(rgba)
        index = atoms.arrays.get("model_index", np.arange(len(atoms)))[shown].tolist()
        symbols = atoms.get_chemical_symbols()
        names = [f"{symbols[k]} {i}" for k, i in zip(shown.tolist(), index, strict=True)]
        return part | {"names": names}

    def _links(
        self, behind: BehindSpot, shown: NDArray[np.int64], points: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Return bonds between the atoms that are drawn; none in a crowded metal."""
        if self._cutoffs is not None:
            piece = Atoms(behind.planes.atoms.numbers[shown], positions=points)
            # This runs beside other work, whose threads it must not take.
            with serial_kernels():
                found = bonds(piece, self._cutoffs)
            return np.stack([found.centres[found.once], found.indices[found.once]], axis=1)
        return np.zeros((0, 2), dtype=np.int64)

    @cached_property
    def _cutoffs(self) -> Any:
        """Longest bonds of the model in Å; ``None`` where none are drawn."""
        with serial_kernels():
            found = Scene(self._model).bonds
        return dict(found.cutoffs) if 0 < found.counts.mean() <= _CROWDED else None


def values(behind: BehindSpot, colour_by: str) -> tuple[NDArray[np.float64], float]:
    """Return what atoms are coloured by, and the number that has the last colour.

    Parameters
    ----------
    behind : BehindSpot
        What makes the spot.
    colour_by : str
        ``"wave"`` or ``"weights"``.

    Returns
    -------
    values : ndarray, shape (n_atoms,)
        One for each atom.
    limit : float
        The largest among the atoms in the beam, in size.
    """
    found = getattr(behind.planes, colour_by)
    return found, float(np.abs(found[behind.in_beam]).max(initial=0.0)) or 1.0


def legend(behind: BehindSpot | None, atoms: Atoms, colour_by: str) -> str:
    """Write what the colours of the atoms say.

    Parameters
    ----------
    behind : BehindSpot or None
        What is drawn.
    atoms : ase.Atoms
        The model.
    colour_by : str
        One of the values of :data:`COLOURINGS`.

    Returns
    -------
    str
        HTML.
    """
    if behind is None or colour_by == "species":
        return "".join(chip(species_colour(symbol), symbol) for symbol in species_of(atoms)[0])
    name = {wanted: text for text, wanted in COLOURINGS.items()}[colour_by]
    stops = ", ".join(mpl.colors.to_hex(mpl.colormaps[_MAP](x)) for x in np.linspace(0, 1, 11))
    _, limit = values(behind, colour_by)
    return (
        '<div style="display:flex;gap:6px;align-items:center;line-height:1.3;flex-wrap:wrap">'
        f"<span>{name}: {-limit:.2g}</span>"
        f'<span style="width:80px;height:12px;background:linear-gradient(to right, {stops})">'
        f"</span><span>{limit:.2g}</span></div>"
    )


def _triangles(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c, d = corners
    return np.array([a, b, c, a, c, d])


def _outline(behind: BehindSpot) -> list[float]:
    """Return the edges of a cylinder as wide as the beam."""
    x, y = behind.spot.position
    radius, height = behind.prepared.probe.fwhm / 2, behind.prepared.slab.thickness
    turns = np.linspace(0, 2 * np.pi, _SIDES + 1)
    rim = np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns)], axis=1)
    found = []
    for z in (0.0, height):
        ends = np.column_stack([rim, np.full(len(rim), z)])
        found.append(np.concatenate([ends[:-1], ends[1:]], axis=1))
    sides = rim[: _SIDES : _SIDES // 4]
    bottom, top = (np.column_stack([sides, np.full(len(sides), z)]) for z in (0.0, height))
    found.append(np.concatenate([bottom, top], axis=1))
    return np.concatenate(found).round(3).ravel().tolist()


def _aim(behind: BehindSpot, reach: float) -> dict[str, Any]:
    """Look at the planes almost from their edge, the beam upright."""
    height = behind.prepared.slab.thickness
    along = np.array([*behind.planes.k_vector[:2], 0.0])
    along /= np.linalg.norm(along)
    upright = np.array([0.0, 0.0, 1.0])
    right = np.cos(_ASIDE) * along + np.sin(_ASIDE) * np.cross(along, upright)
    axes = np.array([right, upright, np.cross(right, upright)])
    return {
        "centre": np.round([*behind.spot.position, height / 2], 3).tolist(),
        "radius": round(max(height / 2, reach), 2),
        "axes": axes.round(5).tolist(),
        "stay": False,
    }
