"""What makes a pair of spots: found in the background, and where its planes are. No widget here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnb.diffraction import QuasiLatticePlanes, Spot, quasi_lattice_planes
from glassnb_widgets.background import Background
from glassnb_widgets.beam_slab import PreparedSlab

__all__ = ["BehindSpot", "PlaneFinder", "crests"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BehindSpot:
    """What makes a pair of spots.

    Parameters
    ----------
    spot : Spot
        The pair, with the position of the beam.
    planes : QuasiLatticePlanes
        The density wave and each atom's share.
    prepared : PreparedSlab
        The slab.
    """

    spot: Spot
    planes: QuasiLatticePlanes
    prepared: PreparedSlab

    @property
    def points(self) -> FloatArray:
        """Positions of the atoms in Å, of each the image next to the beam; shape (n_atoms, 3)."""
        return self.near_beam(self.planes.atoms.positions)

    def near_beam(self, points: FloatArray) -> FloatArray:
        """Return the images of points next to the axis of the beam.

        Parameters
        ----------
        points : ndarray, shape (n, 3)
            Positions in Å.

        Returns
        -------
        ndarray, shape (n, 3)
            Positions in Å.
        """
        edges = np.array(self.prepared.scanner.lengths)
        found = np.array(points, dtype=float)
        found[:, :2] -= edges * np.rint((found[:, :2] - np.array(self.spot.position)) / edges)
        return found

    @property
    def distance(self) -> FloatArray:
        """Distance of each atom from the axis of the beam in Å."""
        return np.linalg.norm(self.points[:, :2] - np.array(self.spot.position), axis=1)

    @property
    def in_beam(self) -> NDArray[np.bool_]:
        """Which atoms stand within one full width at half maximum of the axis."""
        return self.distance <= self.prepared.probe.fwhm


class PlaneFinder(Background):
    """Finds what makes a spot, in a thread of its own.

    Parameters
    ----------
    publish : callable
        Called with what was found, in that thread.
    """

    work = "search for planes"

    def __init__(self, publish: Callable[[BehindSpot], None]) -> None:
        super().__init__()
        self._publish = publish

    def _run(self, *wanted: Any) -> None:
        prepared, spot = wanted
        planes = quasi_lattice_planes(prepared.slab, spot, prepared.probe)
        self.check_wanted()
        self._publish(BehindSpot(spot, planes, prepared))


def crests(behind: BehindSpot, widest: float = np.inf) -> list[FloatArray]:
    """Return the planes on which the density wave behind a spot is highest.

    They are drawn as far as the wave keeps step: to half of its amplitude in the middle.

    Parameters
    ----------
    behind : BehindSpot
        The wave.
    widest : float
        Largest half width of a plane in Å.

    Returns
    -------
    list of ndarray, shape (4, 3)
        Corners of a rectangle for each plane, in Å.
    """
    planes = behind.planes
    along = planes.k_vector / np.linalg.norm(planes.k_vector)
    across = np.cross([0.0, 0.0, 1.0], along)
    across /= np.linalg.norm(across)
    upward = np.cross(along, across)
    centre = behind.near_beam(planes.centre[None])[0]
    away = behind.points - centre
    place = away @ along / planes.spacing
    # The phase of the wave in the middle, from its values at the atoms around it.
    near = np.exp(-2 * (np.linalg.norm(away, axis=1) / planes.resolution) ** 2)
    phase = np.angle(np.sum(near * planes.wave * np.exp(-2j * np.pi * place))) / (2 * np.pi)
    box = np.array([*behind.prepared.scanner.lengths, behind.prepared.slab.thickness])
    reach = np.minimum(planes.coherence, min(box[:2])) / 2
    half = min(reach[1], widest)
    low, high = np.array([0.0, box[2]]) - centre[2]
    bottom, top = max(-reach[2], low), min(reach[2], high)
    most = int(reach[0] / planes.spacing)
    found = []
    for n in range(-most, most + 1):
        middle = centre + (n - phase) * planes.spacing * along
        corners = [(-1, bottom), (1, bottom), (1, top), (-1, top)]
        found.append(np.array([middle + side * half * across + z * upward for side, z in corners]))
    return found
