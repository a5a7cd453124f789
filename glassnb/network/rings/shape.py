"""How round and how rough rings are.

Motoki Shiga et al., Commun. Mater. 4, 91 (2023): the singular values of the centred coordinates of
a ring tell its extent along its major axis, its minor axis and its normal.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassnb.core.provenance import write_table
from glassnb.network import _kernels
from glassnb.network.rings.result import Counting, Rings

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RingShape", "ring_shape"]


@dataclass(frozen=True)
class RingShape:
    """Shape of every ring.

    Parameters
    ----------
    counting : str
        ``"nodes"`` if all atoms were looked at, ``"formers"`` for network formers alone.
    sizes : ndarray, shape (n_rings,)
        Number of atoms that were looked at.
    centres : ndarray, shape (n_rings, 3)
        Mean position in Å, unweighted.
    singular_values : ndarray, shape (n_rings, 3)
        Singular values of the centred coordinates in Å, largest first.
    axes : ndarray, shape (n_rings, 3, 3)
        Unit vectors as rows: major axis, minor axis, normal; right-handed. The sign of an axis has
        no meaning; those of equal singular values are any pair in their plane.
    perimeter : ndarray, shape (n_rings,)
        Length of the closed polygon in Å.
    area : ndarray, shape (n_rings,)
        Area in Å² inside the polygon seen along the normal; that of a figure of eight counts with
        opposite signs.
    """

    counting: Counting
    sizes: NDArray[np.int64]
    centres: NDArray[np.float64]
    singular_values: NDArray[np.float64]
    axes: NDArray[np.float64]
    perimeter: NDArray[np.float64]
    area: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of rings."""
        return self.sizes.size

    @property
    def roundness(self) -> NDArray[np.float64]:
        """Second over first singular value: 1 for a regular polygon, 0 for atoms in a line."""
        s = self.singular_values
        return _divide(s[:, 1], s[:, 0])

    @property
    def roughness(self) -> NDArray[np.float64]:
        """Third singular value over the geometric mean of the others; 0 for a flat ring.

        NaN where all atoms lie on one line, as those of a ring of two network formers do.
        """
        s = self.singular_values
        return _divide(s[:, 2], np.sqrt(s[:, 0] * s[:, 1]))

    @property
    def radius_of_gyration(self) -> NDArray[np.float64]:
        """Root mean square distance from the centre in Å."""
        return np.sqrt((self.singular_values**2).sum(axis=1) / self.sizes)

    @property
    def normals(self) -> NDArray[np.float64]:
        """Unit vectors along the normals, shape (n_rings, 3)."""
        return self.axes[:, 2]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per ring.

        Returns
        -------
        pandas.DataFrame
            Columns ``size``, ``roundness``, ``roughness``, ``radius_of_gyration`` (Å),
            ``perimeter`` (Å) and ``area`` (Å²).
        """
        columns = {
            "size": self.sizes,
            "roundness": self.roundness,
            "roughness": self.roughness,
            "radius_of_gyration": self.radius_of_gyration,
            "perimeter": self.perimeter,
            "area": self.area,
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(len(self), name="ring"))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table of :meth:`to_frame` as comma-separated text.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        write_table(path, self.to_frame().reset_index(), counting=self.counting)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the map of roughness against roundness.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting import plot_ring_shape

        return plot_ring_shape(self, ax)


def ring_shape(rings: Rings, *, counting: Counting = "nodes") -> RingShape:
    """Measure the shape of rings.

    Parameters
    ----------
    rings : Rings
        The rings.
    counting : str
        ``"nodes"`` looks at all atoms, as the papers do; ``"formers"`` at network formers alone.

    Returns
    -------
    RingShape
        Roundness, roughness, radius of gyration, perimeter, area, axes, ring by ring.

    Raises
    ------
    ValueError
        If ``counting`` is neither.

    Notes
    -----
    M. Shiga et al., Commun. Mater. 4, 91 (2023). With the singular values s1 >= s2 >= s3 of the
    centred coordinates, roundness is s2 / s1 and roughness s3 / sqrt(s1 s2).
    """
    points, offsets = rings.vertices, rings.offsets
    sizes = rings.sizes_by(counting)
    if counting == "formers":
        points = points[rings.is_former[rings.indices]]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
    n = sizes.size
    centres, values, axes = np.empty((n, 3)), np.empty((n, 3)), np.empty((n, 3, 3))
    perimeter, area = np.empty(n), np.empty(n)
    _kernels.ring_shapes(points, offsets, centres, values, axes, perimeter, area)
    return RingShape(counting, sizes, centres, values, axes, perimeter, area)


def _divide(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide; NaN where the divisor is nothing beside rounding."""
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 1e-9)
