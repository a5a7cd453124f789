"""Pairs of spots at k and -k, the mark of planes of atoms; or of nothing but speckle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnb.diffraction.analysis.noise import warn_of_noise
from glassnb.diffraction.analysis.ring import Ring, ring_of
from glassnb.diffraction.counts import in_double, read_counts, unmasked, without_mask
from glassnb.diffraction.probe import Probe
from glassnb.diffraction.result import DiffractionScan

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["PairedSpots", "Spot", "as_scan", "paired_spots"]

FloatArray = NDArray[np.float64]

_SHIFTS = 6  # steps in which the middle of a spot is sought


@dataclass(frozen=True)
class Spot:
    """One pair of spots.

    Parameters
    ----------
    k_x, k_y : float
        Where one of them is in 1/Å; the other is opposite.
    strength : float
        sqrt(I(k) I(-k)) over the scan's mean of the ring of this radius.
    intensity : float
        sqrt(I(k) I(-k)) in the units of the pattern.
    position : tuple of float
        Of the beam in Å.
    index : tuple of int
        Of the pattern in the scan.
    """

    k_x: float
    k_y: float
    strength: float
    intensity: float
    position: tuple[float, float]
    index: tuple[int, ...]

    @property
    def k(self) -> float:
        """Wave number in 1/Å (k = 1/d; the Q of glassnb.scattering is 2 pi k)."""
        return float(np.hypot(self.k_x, self.k_y))

    @property
    def d(self) -> float:
        """Spacing of the planes that would make the spots, in Å."""
        return 1 / self.k


@dataclass(frozen=True, eq=False, repr=False)
class PairedSpots:
    """Pairs of spots of all patterns of a scan, the strongest of each pattern first.

    Parameters
    ----------
    k_x, k_y : numpy.ndarray, shape (n_spots,)
        Where they are in 1/Å; of each pair the one with k_x > 0.
    intensity : numpy.ndarray, shape (n_spots,)
        sqrt(I(k) I(-k)) in the units of the patterns.
    strength : numpy.ndarray, shape (n_spots,)
        The same over the scan's mean of the ring of this radius. Speckle alone reaches 5 and more.
    pattern : numpy.ndarray, shape (n_spots,)
        Which pattern of the flattened scan.
    positions : numpy.ndarray, shape (n_positions, 2)
        Of the beam in Å.
    shape : tuple of int
        Of the scan.
    k_range : tuple of float
        The ring that was searched, in 1/Å.
    """

    k_x: FloatArray
    k_y: FloatArray
    intensity: FloatArray
    strength: FloatArray
    pattern: NDArray[np.int64]
    positions: FloatArray
    shape: tuple[int, ...]
    k_range: tuple[float, float]

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.k_x)

    def __repr__(self) -> str:
        """Say how many there are."""
        low, high = self.k_range
        return (
            f"PairedSpots({len(self)} pairs in {int(np.prod(self.shape))} patterns, "
            f"k = {low:.3f} to {high:.3f} 1/Å)"
        )

    def __getitem__(self, number: int) -> Spot:
        """Return one pair."""
        place = self.positions[self.pattern[number] % len(self.positions)]
        return Spot(
            float(self.k_x[number]),
            float(self.k_y[number]),
            float(self.strength[number]),
            float(self.intensity[number]),
            (float(place[0]), float(place[1])),
            tuple(int(i) for i in np.unravel_index(self.pattern[number], self.shape)),
        )

    @property
    def k(self) -> FloatArray:
        """Wave numbers in 1/Å, shape (n_spots,)."""
        return np.hypot(self.k_x, self.k_y)

    @property
    def d(self) -> FloatArray:
        """Spacings 1/k in Å, shape (n_spots,)."""
        return 1 / self.k

    def strongest(self) -> Spot:
        """Return the strongest pair of all.

        Returns
        -------
        Spot
            The pair.

        Raises
        ------
        ValueError
            If there is none.
        """
        if not len(self):
            raise ValueError("there are no pairs of spots: lower strength_min or widen k_range")
        return self[int(self.strength.argmax())]

    def to_frame(self) -> pd.DataFrame:
        """Return the pairs as a table.

        Returns
        -------
        pandas.DataFrame
            One row per pair: number of the pattern, ``x`` and ``y`` of the beam in Å, ``k_x``,
            ``k_y`` and ``k`` in 1/Å, ``d`` in Å, ``intensity`` and ``strength``.
        """
        import pandas as pd

        places = self.positions[self.pattern % len(self.positions)]
        return pd.DataFrame(
            {
                "pattern": self.pattern,
                "x": places[:, 0],
                "y": places[:, 1],
                "k_x": self.k_x,
                "k_y": self.k_y,
                "k": self.k,
                "d": self.d,
                "intensity": self.intensity,
                "strength": self.strength,
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw where the pairs are, with their strength.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.diffraction_analysis import plot_paired_spots

        return plot_paired_spots(self, ax)


def paired_spots(
    patterns: DiffractionScan | NDArray[Any],
    *,
    k_range: tuple[float, float] | None = None,
    strength_min: float = 2.0,
    n_max: int = 10,
    speckle_size: float | None = None,
    k_x: FloatArray | None = None,
    k_y: FloatArray | None = None,
    probe: Probe | None = None,
    mean: NDArray[Any] | None = None,
    mask: NDArray[np.bool_] | None = None,
) -> PairedSpots:
    """Find pairs of spots at k and -k.

    A spot is a local maximum of sqrt(I(k) I(-k)); of two that are nearer than a disc of the
    aperture is wide, the stronger one counts. Its place is the centre of mass within that disc.
    Such pairs appear by chance in every disordered slab: see :func:`spot_significance`. Strength is
    relative to the mean ring of all patterns; where the thickness of a measured sample varies,
    divide each pattern by its total first. A warning tells where the mean is not above the noise
    of negative counts (see :func:`spot_significance`): pairs are then such of noise.

    Parameters
    ----------
    patterns : DiffractionScan or numpy.ndarray, shape (n_k_x, n_k_y)
        A scan with its patterns, or one pattern; then ``k_x``, ``k_y`` and ``probe`` are needed.
    k_range : tuple of float, optional
        Ring to search in 1/Å; all outside the central disc when omitted.
    strength_min : float
        Weakest pair to list.
    n_max : int
        Largest number of pairs per pattern.
    speckle_size : float, optional
        Diameter of a speckle in 1/Å; that of the aperture when omitted.
    k_x, k_y : numpy.ndarray, optional
        Wave numbers of the pixels of a single pattern in 1/Å.
    probe : Probe, optional
        The beam of a single pattern.
    mean : numpy.ndarray, shape (n_k_x, n_k_y), optional
        Mean pattern that strength is relative to; that of the scan when omitted. A single
        pattern needs that of a scan for a p-value (:meth:`SpotSignificance.p_value`).
    mask : numpy.ndarray of bool, shape (n_k_x, n_k_y), optional
        True at pixels of a single pattern that are left out; a scan has its own. A pair with a
        masked partner is none.

    Returns
    -------
    PairedSpots
        The pairs.

    Raises
    ------
    ValueError
        If the ring leaves the pattern or meets the central disc, the patterns were not kept, a
        number is out of range, or the mask leaves no pair.

    References
    ----------
    A. Hirata, Quantum Beam Sci. 6, 28 (2022).
    """
    scan = as_scan(patterns, k_x, k_y, probe, mask)
    if not (np.isfinite(strength_min) and strength_min >= 0):
        raise ValueError(f"strength_min={strength_min}: must be 0 or more")
    if n_max < 1:
        raise ValueError(f"n_max={n_max}: must be at least 1")
    mean = scan.mean if mean is None else in_double(mean)
    if mean.shape != scan.mean.shape:
        raise ValueError(f"mean of shape {mean.shape}: must be a pattern, {scan.mean.shape}")
    ring = ring_of(scan, k_range, speckle_size)
    warn_of_noise(scan, ring)
    expected = ring.expected(ring.read(mean[None])[0])
    rows = []
    for places, block in scan.blocks():
        block = ring.centred(block)
        intensities = block.reshape(len(block), -1)[:, ring.pixels]
        pairs, strengths = ring.pairs(intensities), ring.strengths(intensities, expected)
        found = _maxima(ring, strengths, strength_min, n_max)
        for row, pixel in zip(*found, strict=True):
            x, y = _middle_of_spot(block[row], ring, ring.vectors[pixel], scan.k_disc)
            rows.append((x, y, pairs[row, pixel], strengths[row, pixel], places.start + row))
    table = np.array(rows, dtype=float).reshape(-1, 5)
    sign = np.where((table[:, 0] < 0) | ((table[:, 0] == 0) & (table[:, 1] < 0)), -1.0, 1.0)
    order = np.lexsort((-table[:, 3], table[:, 4]))
    table[:, :2] *= sign[:, None]
    table = table[order]
    return PairedSpots(
        table[:, 0],
        table[:, 1],
        table[:, 2],
        table[:, 3],
        table[:, 4].astype(np.int64),
        scan.positions,
        scan.shape,
        ring.k_range,
    )


def as_scan(
    patterns: DiffractionScan | NDArray[Any],
    k_x: FloatArray | None = None,
    k_y: FloatArray | None = None,
    probe: Probe | None = None,
    mask: NDArray[np.bool_] | None = None,
) -> DiffractionScan:
    """Make a scan of one pattern; a scan stays what it is.

    Parameters
    ----------
    patterns : DiffractionScan or numpy.ndarray, shape (n_k_x, n_k_y)
        A scan or a pattern.
    k_x, k_y : numpy.ndarray, optional
        Wave numbers of the pixels of a single pattern in 1/Å.
    probe : Probe, optional
        The beam of a single pattern.
    mask : numpy.ndarray of bool, optional
        True at pixels of a single pattern that are left out.

    Returns
    -------
    DiffractionScan
        The scan.

    Raises
    ------
    ValueError
        If the shapes of a pattern, its wave numbers and its mask do not fit together, or a scan
        comes with another mask.
    """
    if isinstance(patterns, DiffractionScan):
        if mask is not None:
            raise ValueError("mask: goes with a single pattern; give that of a scan to from_array")
        return patterns
    given = patterns if np.ma.isMaskedArray(patterns) else unmasked(patterns)
    if k_x is None or k_y is None or given.shape != (len(k_x), len(k_y)):
        raise ValueError(
            f"pattern of shape {given.shape}: needs its wave numbers k_x and k_y in 1/Å, one "
            "for each row and column"
        )
    pattern, mask = without_mask(given, mask)
    mean = read_counts(pattern[None], mask, (0,))
    place = np.zeros((1, 2))
    return DiffractionScan(
        unmasked(k_x, "k_x"), unmasked(k_y, "k_y"), place, (1,), mean, mean**2, pattern[None],
        probe=probe, mask=mask,
    )  # fmt: skip


def _maxima(
    ring: Ring, strengths: NDArray[Any], least: float, most: int
) -> tuple[list[int], list[int]]:
    """Return row and pixel of the local maxima, none nearer to another than a disc is wide."""
    strengths = np.where(np.isnan(strengths), -1.0, strengths)  # a masked pair is none
    highest = np.ones(strengths.shape, dtype=bool)
    for around in ring.neighbours:
        highest &= strengths >= strengths[:, around]
    # k and -k are one pair: half of the ring is enough.
    highest[:, strengths.shape[1] // 2 :] = False
    rows, pixels = [], []
    for row in range(len(strengths)):
        candidates = np.flatnonzero(highest[row] & (strengths[row] >= least))
        candidates = candidates[np.argsort(-strengths[row, candidates], kind="stable")]
        taken: list[int] = []
        for pixel in candidates:
            here = ring.vectors[taken]
            both = np.concatenate([here, -here]) - ring.vectors[pixel]
            if (np.linalg.norm(both, axis=1) > 2 * ring.speckle).all():
                taken.append(int(pixel))
            if len(taken) == most:
                break
        rows += [row] * len(taken)
        pixels += taken
    return rows, pixels


def _middle_of_spot(
    pattern: NDArray[Any], ring: Ring, start: FloatArray, k_disc: float
) -> FloatArray:
    """Move a disc to the centre of mass of what lies in it, until it rests.

    What would leave the spot, towards something brighter, stays at the brightest pixel.
    """
    steps = np.array([ring.k_x[1] - ring.k_x[0], ring.k_y[1] - ring.k_y[0]])
    reach = np.ceil(1.5 * ring.speckle / steps).astype(int) + 1
    centre = np.rint(start / steps).astype(int) + np.array(pattern.shape) // 2
    low = np.maximum(centre - reach, 0)
    high = np.minimum(centre + reach + 1, pattern.shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    x, y = ring.k_x[box[0], None], ring.k_y[None, box[1]]
    both = [np.fmax(image[box], 0) for image in (pattern, pattern[::-1, ::-1])]  # masked: 0
    pairs = np.sqrt(both[0] * both[1])
    # The edge is one pixel soft, so that the sum changes smoothly as the disc moves.
    pairs[np.hypot(x, y) < k_disc] = 0
    edge, middle = float(steps.max()), start
    for _ in range(_SHIFTS):
        inside = (ring.speckle - np.hypot(x - middle[0], y - middle[1])) / edge + 0.5
        weight = pairs * np.clip(inside, 0, 1)
        total = float(weight.sum())
        if total <= 0:
            return start
        middle = np.array([(weight * x).sum(), (weight * y).sum()]) / total
    return middle if np.linalg.norm(middle - start) <= ring.speckle else start
