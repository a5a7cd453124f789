"""Images of a scan through a virtual detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnb.diffraction.analysis.ring import speckle_radius
from glassnb.diffraction.analysis.spots import Spot
from glassnb.diffraction.counts import unmasked
from glassnb.diffraction.reductions import Annulus, Mask
from glassnb.diffraction.result import DiffractionScan

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["VirtualImage", "pair_detector", "virtual_image"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class VirtualImage:
    """What a detector sees at each position of the beam.

    Parameters
    ----------
    values : numpy.ndarray, shape of the scan
        Intensity on what the mask leaves of the detector; NaN where it leaves nothing.
    positions : numpy.ndarray, shape (n_positions, 2)
        Of the beam in Å.
    """

    values: FloatArray
    positions: FloatArray

    def to_frame(self) -> pd.DataFrame:
        """Return the image as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``x`` and ``y`` in Å and ``value``, one row per pattern.
        """
        import pandas as pd

        places = np.tile(self.positions, (self.values.size // len(self.positions), 1))
        return pd.DataFrame({"x": places[:, 0], "y": places[:, 1], "value": self.values.ravel()})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the image; of several orientations, the first.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.diffraction_analysis import plot_map

        return plot_map(self.values, self.positions, "intensity", ax)


def virtual_image(
    scan: DiffractionScan,
    detector: tuple[float, float] | NDArray[Any] | Spot | str,
    *,
    speckle_size: float | None = None,
) -> VirtualImage:
    """Look at a scan through a virtual detector.

    Masked pixels add nothing. Where they are not the same in all patterns, images of a ring show
    that; :func:`radial_profile` gives means instead of sums.

    Parameters
    ----------
    scan : DiffractionScan
        With its patterns, or with a reduction of that name.
    detector : tuple of float, numpy.ndarray, Spot or str
        Two radii in 1/Å (a ring); a weight for each pixel; a pair of spots (two discs as large as
        the aperture at k and -k: the virtual dark field of the spot); or the name of one of the
        scan's reductions.
    speckle_size : float, optional
        Diameter of the discs of a spot in 1/Å; that of the aperture when omitted.

    Returns
    -------
    VirtualImage
        Intensity at each position.

    Raises
    ------
    ValueError
        If the detector is none of these, or the patterns were not kept.
    """
    if isinstance(detector, str):
        if detector not in scan.reductions:
            known = ", ".join(scan.reductions) or "none"
            raise ValueError(f"detector={detector!r}: is no reduction of this scan ({known})")
        values = np.asarray(scan.reductions[detector], dtype=float)
        if values.shape != scan.shape:
            raise ValueError(f"detector={detector!r}: holds more than one number per pattern")
        return VirtualImage(values, scan.positions)
    sees: Annulus | Mask
    if isinstance(detector, Spot):
        sees = Mask(pair_detector(scan, detector.k_x, detector.k_y, speckle_size))
    elif isinstance(detector, tuple | list) and len(detector) == 2:
        sees = Annulus(float(detector[0]), float(detector[1]))
    elif np.ndim(detector) == 2:
        sees = Mask(unmasked(detector, "detector"))
    else:
        raise ValueError(
            f"detector={detector!r}: must be two radii in 1/Å, a weight for each pixel, a Spot, or "
            "the name of a reduction"
        )
    values = np.empty(scan.n_patterns)
    for places, block in scan.blocks():
        values[places] = sees(block, scan.k_x, scan.k_y)
    return VirtualImage(values.reshape(scan.shape), scan.positions)


def pair_detector(
    scan: DiffractionScan, k_x: float, k_y: float, speckle_size: float | None = None
) -> FloatArray:
    """Return the weights of two discs, as large as the aperture, at k and -k.

    Parameters
    ----------
    scan : DiffractionScan
        For its pixels and its beam.
    k_x, k_y : float
        Middle of one disc in 1/Å.
    speckle_size : float, optional
        Diameter of the discs in 1/Å; that of the aperture when omitted.

    Returns
    -------
    numpy.ndarray, shape (n_k_x, n_k_y)
        1 inside, 0 outside, between on the edge.

    Raises
    ------
    ValueError
        If a disc lies outside the pattern.
    """
    radius = speckle_radius(scan, speckle_size)
    if not np.hypot(k_x, k_y) <= scan.k_max:
        raise ValueError(
            f"spot at ({k_x}, {k_y}) 1/Å: lies outside the pattern, whose largest ring has the "
            f"radius {scan.k_max:.3f} 1/Å"
        )
    pixel = max(scan.k_x[1] - scan.k_x[0], scan.k_y[1] - scan.k_y[0])
    detector = np.zeros((scan.k_x.size, scan.k_y.size))
    for sign in (1, -1):
        distance = np.hypot(scan.k_x[:, None] - sign * k_x, scan.k_y - sign * k_y)
        detector += np.clip((radius - distance) / pixel + 0.5, 0, 1)
    return detector
