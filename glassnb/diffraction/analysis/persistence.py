"""How far a spot lasts as the beam moves on: speckle ends with the beam, planes of atoms do not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.parallel import map_tasks
from glassnb.core.progress import ProgressOption
from glassnb.diffraction.analysis.noise import check_noise
from glassnb.diffraction.analysis.nulls import NullModel, null_model
from glassnb.diffraction.analysis.ring import Ring, ring_of
from glassnb.diffraction.analysis.spots import Spot
from glassnb.diffraction.counts import mean_of
from glassnb.diffraction.probe import Probe
from glassnb.diffraction.result import DiffractionScan
from glassnb.diffraction.slab import Slab

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["SpotPersistence", "place_of", "spot_persistence"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class SpotPersistence:
    """Strength of one pair of spots against the shift of the beam.

    Parameters
    ----------
    shift : numpy.ndarray, shape (n_shifts,)
        Mean distance in Å from the position where the pair was found.
    strength : numpy.ndarray, shape (n_shifts,)
        Mean strength of the pair, over a disc of the aperture, at positions that far away.
    null_mean, null_high : numpy.ndarray, shape (n_shifts,)
        Mean and 95 % quantile of the same for the strongest pairs of null scans.
    shift_range : tuple of float
        Shifts in Å, all larger than the beam, over which scan and null are compared.
    p_value : float
        Share of null scans whose strongest pair is at least as strong there.
    length : float
        Shift in Å at which the strength has fallen half way to 1, the mean of a ring; infinite
        if it does not.
    null_length : float
        The same of the null's mean: the size of the beam, not of anything in the slab.
    """

    shift: FloatArray
    strength: FloatArray
    null_mean: FloatArray
    null_high: FloatArray
    shift_range: tuple[float, float]
    p_value: float
    length: float
    null_length: float

    def __repr__(self) -> str:
        """Say what was found."""
        return (
            f"SpotPersistence(length {self.length:.1f} Å, by chance {self.null_length:.1f} Å, "
            f"p = {self.p_value:.3g})"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the curves as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``shift`` (Å), ``strength``, ``null_mean`` and ``null_high``.
        """
        import pandas as pd

        names = ("shift", "strength", "null_mean", "null_high")
        return pd.DataFrame({name: getattr(self, name) for name in names})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw strength against shift, with what chance makes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.diffraction_analysis import plot_persistence

        return plot_persistence(self, ax)


def spot_persistence(
    scan: DiffractionScan,
    spot: Spot,
    *,
    k_range: tuple[float, float] | None = None,
    shift_range: tuple[float, float] | None = None,
    null: str = "speckle",
    atoms: Atoms | Slab | None = None,
    n_null: int = 100,
    thickness: float | None = None,
    seed: int = 0,
    progress: ProgressOption = None,
) -> SpotPersistence:
    """Follow a pair of spots over shifts of the beam, and compare with speckle.

    In each null scan the strongest pair of the ring is followed, so the test is made for the
    strongest pair of the scan; for weaker ones it is cautious. How far it lasts along the beam is
    told by :func:`depth_persistence`.

    Parameters
    ----------
    scan : DiffractionScan
        With its patterns, at positions much denser than the beam is wide.
    spot : Spot
        One pair of :func:`paired_spots`.
    k_range : tuple of float, optional
        Ring in 1/Å in which the spot was sought, and the null's pairs are; all outside the
        central disc when omitted.
    shift_range : tuple of float, optional
        Shifts in Å to compare; from one to two widths (FWHM) of the beam when omitted.
    null : str
        ``"speckle"``, ``"phase"`` or ``"liquid"``; see :func:`spot_significance`.
    atoms : ase.Atoms or Slab, optional
        For ``"phase"`` and ``"liquid"``.
    n_null : int
        Number of null scans.
    thickness : float, optional
        Of a measured sample in Å.
    seed : int
        Of the random numbers.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`.

    Returns
    -------
    SpotPersistence
        Curves, lengths and a p-value.

    Raises
    ------
    ValueError
        If the spot is not of this scan, no position lies in ``shift_range``, the null model
        needs something that is not given, or the ring is beneath the noise of negative counts
        (see :func:`spot_significance`).
    """
    probe, orientation, here = place_of(scan, spot, n_null)
    width = probe.fwhm
    low, high = shift_range or (width, 2 * width)
    if k_range is None:
        radius = probe.k_aperture
        k_range = (max(scan.k_disc, spot.k - radius), min(scan.k_max, spot.k + radius))
    ring = ring_of(scan, k_range)
    check_noise(scan, ring)
    distance = _distances(scan)
    if not ((distance[here] >= low) & (distance[here] <= high)).any():
        raise ValueError(
            f"shift_range=({low:.2f}, {high:.2f}): no position of the scan lies so far from the "
            "spot's (Å); scan more positions or a larger field"
        )
    model = null_model(scan, ring, null, atoms=atoms, thickness=thickness)
    edges = np.concatenate(([0, 1e-3], np.arange(0.5, 1 + distance.max() / width, 0.5) * width))
    own = np.concatenate([ring.read(block) for _, block in _orientation(scan, orientation)])
    expected = ring.expected(ring.read(scan.mean[None])[0])
    pixel = int(np.linalg.norm(ring.vectors - (spot.k_x, spot.k_y), axis=1).argmin())
    values = _follow(ring, ring.strengths(own, expected), pixel)
    follow = partial(_null_values, model, distance)
    seeds = np.random.SeedSequence(seed).spawn(n_null)
    beyond = _beyond(values, distance[here], low, high)
    if np.isnan(beyond):
        raise ValueError(
            f"shift_range=({low:.2f}, {high:.2f}): the mask leaves nothing of the spot at "
            "positions so far from its own; take another spot or other shifts"
        )
    drawn = map_tasks(follow, seeds, progress=progress, description="null scans")
    curve = _curve(values, distance[here], edges)
    null_curves = np.array([_curve(v, d, edges) for v, d in drawn])
    null_beyond = np.array([_beyond(v, d, low, high) for v, d in drawn])
    null_beyond = null_beyond[~np.isnan(null_beyond)]  # nothing is known so far from that spot
    known = ~np.isnan(curve) & ~np.isnan(null_curves).all(axis=0)
    shift = _curve(distance[here], distance[here], edges)[known]
    null_mean = np.nanmean(null_curves[:, known], axis=0)
    return SpotPersistence(
        shift,
        curve[known],
        null_mean,
        np.nanquantile(null_curves[:, known], 0.95, axis=0),
        (float(low), float(high)),
        float((1 + (null_beyond >= beyond).sum()) / (1 + null_beyond.size)),
        _half(shift, curve[known]),
        _half(shift, null_mean),
    )


def place_of(scan: DiffractionScan, spot: Spot, n_null: int) -> tuple[Probe, int, int]:
    """Return the beam of a scan, and the orientation and position of a spot in it.

    Parameters
    ----------
    scan : DiffractionScan
        In which the spot was found.
    spot : Spot
        The pair of spots.
    n_null : int
        Number of null scans that it is to be compared with.

    Returns
    -------
    probe : Probe
        The beam.
    orientation, position : int
        Their numbers.

    Raises
    ------
    ValueError
        If the spot is not of this scan, its beam is not known, or there is no null scan.
    """
    if n_null < 1:
        raise ValueError(f"n_null={n_null}: must be at least 1")
    if len(spot.index) != len(scan.shape) or any(
        not 0 <= i < n for i, n in zip(spot.index, scan.shape, strict=True)
    ):
        raise ValueError(f"spot: index {spot.index} is not in this scan of shape {scan.shape}")
    if scan.probe is None:
        raise ValueError("the beam of this scan is not known: give from_array a probe")
    number = int(np.ravel_multi_index(spot.index, scan.shape))
    return scan.probe, *divmod(number, len(scan.positions))


def _distances(scan: DiffractionScan) -> FloatArray:
    """Return distances between positions, across the edges of a cell that repeats."""
    difference = scan.positions[:, None] - scan.positions
    if scan.rotations is None and "lengths" in scan.info.get("parameters", {}):
        lengths = np.asarray(scan.info["parameters"]["lengths"])
        difference -= lengths * np.rint(difference / lengths)
    return np.linalg.norm(difference, axis=-1)


def _orientation(scan: DiffractionScan, number: int) -> Any:
    """Go through the patterns of one orientation."""
    first, last = number * len(scan.positions), (number + 1) * len(scan.positions)
    for places, block in scan.blocks():
        low, high = max(first - places.start, 0), last - places.start
        if low < len(block) and high > 0:
            yield places, block[low:high]


def _follow(ring: Ring, strengths: NDArray[Any], pixel: int) -> FloatArray:
    """Return the mean strength in the disc about a pixel at each position; NaN if all masked."""
    distance = np.linalg.norm(ring.vectors - ring.vectors[pixel], axis=1)
    return mean_of(strengths[:, distance <= ring.speckle].T)


def _null_values(
    model: NullModel, distance: FloatArray, seed: np.random.SeedSequence
) -> tuple[FloatArray, FloatArray]:
    """Follow the strongest pair of a null scan; return values and distances from its place."""
    values = model.draw(np.random.default_rng(seed), 0)
    ring = model.ring
    strengths = ring.strengths(values, ring.expected(mean_of(values)))
    here, pixel = np.unravel_index(int(np.nanargmax(strengths)), strengths.shape)
    return _follow(ring, strengths, int(pixel)), distance[here]


def _curve(values: FloatArray, distance: FloatArray, edges: FloatArray) -> FloatArray:
    """Return means by distance, NaN where there is no position."""
    values, distance = values[~np.isnan(values)], distance[~np.isnan(values)]
    bins = np.searchsorted(edges, distance, side="right") - 1
    counts = np.bincount(bins, minlength=edges.size)
    with np.errstate(invalid="ignore"):
        return np.bincount(bins, values, edges.size) / counts


def _beyond(values: FloatArray, distance: FloatArray, low: float, high: float) -> float:
    chosen = (distance >= low) & (distance <= high) & ~np.isnan(values)
    return float(values[chosen].mean()) if chosen.any() else float("nan")


def _half(shift: FloatArray, strength: FloatArray) -> float:
    """Return where a curve crosses the middle between its start and 1."""
    half = (strength[0] + 1) / 2
    below = np.flatnonzero(strength < half)
    if not below.size or below[0] == 0:
        return float("inf")
    i = below[0]
    part = (strength[i - 1] - half) / (strength[i - 1] - strength[i])
    return float(shift[i - 1] + part * (shift[i] - shift[i - 1]))
