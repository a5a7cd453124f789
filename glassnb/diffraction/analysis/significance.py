"""Does a pair of spots mean anything? p-values against slabs without order.

In a ring of a pattern lie many independent speckles, and the strongest of them is strong. So the
strongest pair of each pattern is compared with the strongest pairs of the null model's patterns,
in the same ring and with the same beam: that corrects for the number of speckles. A scan has many
patterns; over these the false discovery rate is controlled.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from glassnb.core.parallel import map_tasks, thread_count
from glassnb.core.progress import ProgressOption
from glassnb.diffraction.analysis.noise import check_noise
from glassnb.diffraction.analysis.nulls import NullModel, null_model
from glassnb.diffraction.analysis.ring import Ring, blank, hidden_pixels, ring_of
from glassnb.diffraction.analysis.spots import PairedSpots, paired_spots
from glassnb.diffraction.counts import mean_of
from glassnb.diffraction.result import DiffractionScan
from glassnb.diffraction.slab import Slab

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["SpotSignificance", "spot_significance"]

FloatArray = NDArray[np.float64]

_MOST_PATTERNS = 4096  # of a null scan of several orientations


@dataclass(frozen=True, eq=False, repr=False)
class SpotSignificance:
    """How often a slab without order gives pairs of spots as strong as those of a scan.

    Parameters
    ----------
    p_values : numpy.ndarray, shape of the scan
        For the strongest pair of each pattern: the share of null patterns whose strongest pair in
        the ring is at least as strong. NaN where the mask leaves no pair in the ring.
    adjusted : numpy.ndarray, shape of the scan
        The same corrected for the number of patterns (Benjamini and Hochberg): the rate of false
        discoveries among all patterns up to this one.
    scan_p_value : float
        Share of whole null scans whose strongest pair is at least as strong as the strongest of
        this scan; NaN if the null model is itself a scan.
    strength : numpy.ndarray, shape of the scan
        Of the strongest pair of each pattern.
    spots : PairedSpots
        All pairs.
    spot_p_values : numpy.ndarray, shape (n_spots,)
        For each of them: share of null patterns whose *strongest* pair is at least as strong.
    null_strength : numpy.ndarray, shape (n_null_patterns,)
        Of the strongest pair of each null pattern, sorted.
    null : str
        The null model.
    n_null : int
        Number of null scans.
    """

    p_values: FloatArray
    adjusted: FloatArray
    scan_p_value: float
    strength: FloatArray
    spots: PairedSpots
    spot_p_values: FloatArray
    null_strength: FloatArray
    null: str
    n_null: int

    def __repr__(self) -> str:
        """Say what was found."""
        return (
            f"SpotSignificance({self.significant().sum()} of {self.p_values.size} patterns at 5 % "
            f"false discoveries, against {self.null}, p of the scan {self.scan_p_value:.3g})"
        )

    def p_value(self, strength: ArrayLike) -> FloatArray:
        """Return the share of null patterns whose strongest pair is at least so strong.

        Parameters
        ----------
        strength : array_like
            Of pairs of other patterns with the same beam and slab, such as one under a beam that
            is moved by hand, relative to the mean pattern of the scan.

        Returns
        -------
        numpy.ndarray
            p-values, in the shape of ``strength``.
        """
        return _shares(self.null_strength, np.asarray(strength, dtype=float))

    def significant(self, level: float = 0.05) -> NDArray[np.bool_]:
        """Tell which patterns hold a pair that means something.

        Parameters
        ----------
        level : float
            Accepted share of false discoveries among them.

        Returns
        -------
        numpy.ndarray, shape of the scan
            Whether.

        Raises
        ------
        ValueError
            If the level is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise ValueError(f"level={level}: must lie between 0 and 1, such as 0.05")
        return self.adjusted <= level

    def to_frame(self) -> pd.DataFrame:
        """Return the pairs as a table.

        Returns
        -------
        pandas.DataFrame
            That of :meth:`PairedSpots.to_frame` with ``p_value`` and, of the pattern,
            ``adjusted``.
        """
        table = self.spots.to_frame()
        table["p_value"] = self.spot_p_values
        table["adjusted"] = self.adjusted.ravel()[self.spots.pattern]
        return table

    def plot(self, ax: Axes | None = None, *, level: float = 0.05) -> Axes:
        """Draw a map of the p-values; patterns that mean something are ringed.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        level : float
            Accepted share of false discoveries.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.diffraction_analysis import plot_significance

        return plot_significance(self, ax, level=level)

    def plot_strengths(self, ax: Axes | None = None) -> Axes:
        """Draw how strong the strongest pairs are, in the scan and by chance.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.diffraction_analysis import plot_strengths

        return plot_strengths(self, ax)


def spot_significance(
    scan: DiffractionScan,
    spots: PairedSpots | None = None,
    *,
    k_range: tuple[float, float] | None = None,
    null: str | DiffractionScan = "speckle",
    atoms: Atoms | Slab | None = None,
    n_null: int = 200,
    thickness: float | None = None,
    seed: int = 0,
    progress: ProgressOption = None,
) -> SpotSignificance:
    """Compare the pairs of spots of a scan with those that chance makes.

    All patterns of all null scans together make the null distribution (it is the same at every
    position), so p-values go down to one over ``n_null`` times the number of patterns.

    Parameters
    ----------
    scan : DiffractionScan
        With its patterns.
    spots : PairedSpots, optional
        Pairs of this scan; found in ``k_range`` when omitted.
    k_range : tuple of float, optional
        Ring in 1/Å; that of ``spots``, else all outside the central disc. A narrow ring about the
        spacing in question has fewer speckles and is the sharper test; choose it beforehand.
    null : str or DiffractionScan
        ``"speckle"``: a Gaussian random potential with the radial power of the scan. ``"phase"``:
        the slab itself with the phases of all its waves drawn anew, which keeps its density waves
        and takes away that they are in step anywhere. ``"liquid"``: slabs cut in random
        directions from a liquid or packing of the same density. Or a scan of something without
        order with the same beam, computed or measured.
    atoms : ase.Atoms or Slab, optional
        For ``"phase"`` the model or slab that was scanned, for ``"liquid"`` the liquid.
    n_null : int
        Number of null scans, each as large as the scan (of many orientations, at most 4096
        patterns). For a scan of thousands of patterns 20 are enough.
    thickness : float, optional
        Of a measured sample in Å.
    seed : int
        Of the random numbers.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`.

    Returns
    -------
    SpotSignificance
        p-values of patterns and pairs.

    Raises
    ------
    ValueError
        If the ring leaves the pattern or meets the central disc, the patterns were not kept, the
        null model needs something that is not given, or, where counts are negative, the mean of
        the patterns is not above their noise somewhere in the ring.

    Notes
    -----
    Where a dark image was subtracted and negative counts are left, the noise of a pixel is taken
    from them: the root of twice the mean of their squares over all pixels of the ring (the median
    over the patterns). Where the mean of the patterns at some radius is not above it, the strongest
    pairs would be those of the noise, which the null does not have, and the test is refused.

    The null is seen through the mask of the scan, pattern by pattern if that differs. Where very
    different parts of the ring are masked in different patterns, p-values hold on the average of
    the patterns: their null distributions are put together.

    Speckle is fully developed where the beam meets many atoms. In very thin slabs, behind a
    partially coherent beam or in noise the contrast is lower; the size of the source is in the
    model, and what is left makes the test cautious. Its power depends on the beam: where it is
    much narrower than the ordered region, few atoms stand against the speckle of the rest.

    References
    ----------
    Y. Benjamini and Y. Hochberg, J. R. Stat. Soc. B 57, 289 (1995).
    """
    if n_null < 1:
        raise ValueError(f"n_null={n_null}: must be at least 1")
    if spots is not None and k_range is None:
        k_range = spots.k_range
    if spots is not None and spots.shape != scan.shape:
        raise ValueError(f"spots: are of a scan of shape {spots.shape}, not {scan.shape}")
    ring = ring_of(scan, k_range)
    check_noise(scan, ring)
    model = None
    if not isinstance(null, DiffractionScan):
        model = null_model(scan, ring, null, atoms=atoms, thickness=thickness)
    strength = strongest_pairs(scan, ring)
    if model is None:
        assert isinstance(null, DiffractionScan)
        drawn = _of_null(scan, ring, null)[None]
        name, n_null, scan_p = "a scan", 1, float("nan")
    else:
        n_rotations = scan.n_patterns // len(scan.positions)
        drawn = null_strengths(model, n_rotations, len(scan.positions), n_null, seed, progress)
        name, share = model.name, scan.n_patterns / drawn.shape[1]
        highest = np.fmax.reduce(drawn, axis=1)
        once = (1 + (highest >= np.fmax.reduce(strength)).sum()) / (1 + len(drawn))
        scan_p = float(1 - (1 - once) ** share) if share > 1 else float(once)
    from scipy.stats import false_discovery_control

    ordered = np.sort(drawn[~np.isnan(drawn)])
    p_values = _shares(ordered, strength)
    adjusted, known = np.full(p_values.shape, np.nan), ~np.isnan(p_values)
    adjusted[known] = false_discovery_control(p_values[known])
    if spots is None:
        spots = paired_spots(scan, k_range=ring.k_range)
    return SpotSignificance(
        p_values.reshape(scan.shape),
        adjusted.reshape(scan.shape),
        scan_p,
        strength.reshape(scan.shape),
        spots,
        _shares(ordered, spots.strength),
        ordered,
        name,
        n_null,
    )


def strongest_pairs(
    scan: DiffractionScan, ring: Ring, hidden: NDArray[np.bool_] | None = None
) -> FloatArray:
    """Return the strength of the strongest pair of each pattern, shape (n_patterns,).

    It is NaN where the mask leaves no pair; ``hidden`` are further pixels to leave out.
    """
    expected = ring.expected(blank(ring.read(scan.mean[None]), hidden)[0])
    found = np.empty(scan.n_patterns)
    for places, block in scan.blocks():
        found[places] = ring.strongest(blank(ring.read(block), hidden), expected)
    return found


def _of_null(scan: DiffractionScan, ring: Ring, null: DiffractionScan) -> FloatArray:
    """Return the strongest pairs of a scan that is the null, behind the mask of the other."""
    own = ring_of(null, ring.k_range, 2 * ring.speckle)
    check_noise(null, own)
    if null.probe is not None and scan.probe is not None and null.probe != scan.probe:
        raise ValueError(
            f"null: its probe is {null.probe}, that of the scan {scan.probe}; give a scan with the "
            "same beam"
        )
    each = hidden_pixels(scan, ring, own)
    hidden = np.zeros((1, own.pixels.size), dtype=bool)
    if each is not None:
        hidden |= each.all(axis=0)
    missing = np.isnan(own.read(null.mean[None]))
    if (missing & ~hidden).any():
        raise ValueError(
            f"null: its mask leaves out {int((missing & ~hidden).sum())} pixels of the ring that "
            "the scan's does not, so that chance has fewer pairs; give the scan that mask too"
        )
    return strongest_pairs(null, own, hidden)


def null_strengths(
    model: NullModel,
    n_rotations: int,
    n_positions: int,
    n_null: int,
    seed: int,
    progress: ProgressOption,
) -> FloatArray:
    """Return the strengths of the strongest pairs of null scans, shape (n_null, n_patterns)."""
    from threadpoolctl import threadpool_limits

    several = max(1, min(n_rotations, _MOST_PATTERNS // n_positions))
    seeds = np.random.SeedSequence(seed).spawn(n_null)
    one = partial(_null_scan, model, several)
    alone = thread_count() > 1 and n_null > 1
    with threadpool_limits(1, user_api="blas") if alone else nullcontext():
        return np.array(map_tasks(one, seeds, progress=progress, description="null scans"))


def _null_scan(model: NullModel, n_rotations: int, seed: np.random.SeedSequence) -> FloatArray:
    rng = np.random.default_rng(seed)
    values: list[NDArray[Any]] = [model.draw(rng, i) for i in range(n_rotations)]
    expected = model.ring.expected(mean_of(*values))
    return np.concatenate([model.ring.strongest(part, expected) for part in values])


def _shares(null: FloatArray, strength: FloatArray) -> FloatArray:
    """Return p-values; one is added to both counts, for a p-value is never 0."""
    weaker = np.searchsorted(null, strength * (1 - 1e-9))
    shares = (1 + null.size - weaker) / (1 + null.size)
    return np.where(np.isnan(strength), np.nan, shares)  # NaN is sorted as if it were strongest
