"""The noise of a detector, as the counts below nothing tell it once a dark image is subtracted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glassnb.core.callers import warn
from glassnb.diffraction.analysis.ring import Ring
from glassnb.diffraction.result import DiffractionScan

__all__ = ["check_noise", "holds_negatives", "warn_of_noise"]

FloatArray = NDArray[np.float64]


def check_noise(scan: DiffractionScan, ring: Ring) -> None:
    """Stop where pairs of spots would be pairs of fluctuations of the detector.

    Where counts are negative, the noise of a pixel is the root of twice the mean of their squares
    over all pixels of the ring (noise is as often above its mean as below), the median over the
    patterns, on which a few broken pixels do not count. The mean of the scan must be above it at
    every radius of the ring: strengths are relative to that mean. Scans without negative counts,
    however few the electrons, pass.

    Parameters
    ----------
    scan : DiffractionScan
        Its patterns, if they were kept.
    ring : Ring
        Of :func:`ring_of` for this scan.

    Raises
    ------
    ValueError
        If the mean is not above the noise, or the ring is empty in all patterns.
    """
    highest = np.nanmax(ring.expected(ring.read(scan.mean[None])[0]))
    if not highest > 0:
        low, high = ring.k_range
        raise ValueError(
            f"k_range=({low:.3f}, {high:.3f}): the mean of the patterns is {highest:.3g} at most "
            "in this ring, and nothing is relative to it; choose another k_range, or do not "
            "subtract the dark level"
        )
    found = _beneath_noise(scan, ring)
    if found is not None:
        raise ValueError(found)


def warn_of_noise(scan: DiffractionScan, ring: Ring) -> None:
    """Warn the caller where :func:`check_noise` would stop for negative counts.

    Parameters
    ----------
    scan : DiffractionScan
        Its patterns, if they were kept.
    ring : Ring
        Of :func:`ring_of` for this scan.
    """
    found = _beneath_noise(scan, ring)
    if found is not None:
        warn(found)


def holds_negatives(scan: DiffractionScan) -> bool:
    """Say whether patterns may hold negative counts, as those that were counted, or never were.

    Parameters
    ----------
    scan : DiffractionScan
        Computed patterns hold none.

    Returns
    -------
    bool
        Whether; false if the patterns were not kept.
    """
    computed = "structure" in scan.info.get("parameters", {})
    return scan.patterns is not None and bool(scan.info.get("negative", not computed))


def _beneath_noise(scan: DiffractionScan, ring: Ring) -> str | None:
    """Say where the mean is not above the noise, or return ``None``."""
    if not holds_negatives(scan):
        return None
    squares = np.empty(scan.n_patterns)
    for places, block in scan.blocks():
        below = np.minimum(ring.read(block), 0) ** 2
        seen = np.maximum((~np.isnan(below)).sum(axis=1), 1)
        squares[places] = np.nansum(below, axis=1) / seen
    noise = float(np.sqrt(2 * np.median(squares)))
    expected = ring.expected(ring.read(scan.mean[None])[0])
    if not noise or not np.nanmin(expected) <= noise:
        return None
    low, high = ring.k_range
    least = int(np.nanargmin(expected))
    return (
        f"k_range=({low:.3f}, {high:.3f}): at {np.linalg.norm(ring.vectors[least]):.3f} 1/Å the "
        f"mean of the patterns, {expected[least]:.3g}, is not above the noise of a pixel, "
        f"{noise:.3g} by the negative counts: pairs of spots would be noise; do not subtract the "
        "dark level, average patterns, or choose another k_range"
    )
