"""A scan as a few patterns that mix: non-negative matrix factorization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnb.diffraction.analysis.ring import check_range
from glassnb.diffraction.result import DiffractionScan

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Decomposition", "decompose"]

FloatArray = NDArray[np.float64]

_MOST_BYTES = 4e9


@dataclass(frozen=True, eq=False, repr=False)
class Decomposition:
    """Component patterns and where they are strong.

    Parameters
    ----------
    components : numpy.ndarray, shape (n, n_k_x, n_k_y)
        Patterns of sum 1 (over the pixels used; NaN elsewhere), the strongest first.
    maps : numpy.ndarray, shape (*shape of the scan, n)
        Intensity of each component in each pattern.
    residual : float
        Root of the sum of squares that is left, over that of the patterns.
    k_x, k_y : numpy.ndarray
        Wave numbers of the pixels in 1/Å.
    positions : numpy.ndarray, shape (n_positions, 2)
        Of the beam in Å.
    """

    components: FloatArray
    maps: FloatArray
    residual: float
    k_x: FloatArray
    k_y: FloatArray
    positions: FloatArray

    def plot(self, ax: Axes | None = None, *, component: int = 0) -> Axes:
        """Draw the map of one component.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        component : int
            Which one.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.diffraction_analysis import plot_map

        label = f"component {component}"
        return plot_map(self.maps[..., component], self.positions, label, ax)

    def plot_component(self, ax: Axes | None = None, *, component: int = 0) -> Axes:
        """Draw the pattern of one component.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        component : int
            Which one.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.diffraction_analysis import plot_image

        return plot_image(self.components[component], self.k_x, self.k_y, ax)


def decompose(
    scan: DiffractionScan,
    n: int,
    *,
    k_range: tuple[float, float] | None = None,
    max_iterations: int = 1000,
    seed: int = 0,
) -> Decomposition:
    """Write every pattern as a sum of a few patterns with weights that are never negative.

    Phases of different structure come out as components with maps of where they are. Speckle has
    as many components as patterns; look at ``residual`` for different ``n``. Pixels that are masked
    in any of the patterns are left out; negative counts cannot be made of such parts, and remain in
    ``residual``.

    Parameters
    ----------
    scan : DiffractionScan
        With its patterns, computed or measured.
    n : int
        Number of components.
    k_range : tuple of float, optional
        Ring of pixels to use in 1/Å; all outside the central disc when omitted.
    max_iterations : int
        Largest number of steps of the solver.
    seed : int
        Of the start.

    Returns
    -------
    Decomposition
        Components and maps.

    Raises
    ------
    ValueError
        If ``n`` is out of range, patterns were not kept or do not fit into memory.

    References
    ----------
    D. D. Lee and H. S. Seung, Nature 401, 788 (1999); F. Pedregosa et al., J. Mach. Learn. Res.
    12, 2825 (2011).
    """
    low, high = check_range(scan, k_range)
    pixels = np.flatnonzero(((scan.k >= low) & (scan.k < high) & (scan.seen == 1)).ravel())
    if not pixels.size:
        raise ValueError(
            f"k_range=({low:.3f}, {high:.3f}): every pixel in it is masked in some of the "
            "patterns; leave out the patterns that are masked as a whole, or mask fewer pixels"
        )
    if not 1 <= n <= min(scan.n_patterns, pixels.size):
        raise ValueError(
            f"n={n}: must be from 1 to {min(scan.n_patterns, pixels.size)}, the number of patterns "
            "or of pixels that are masked in none of them"
        )
    if 8.0 * scan.n_patterns * pixels.size > _MOST_BYTES:
        raise ValueError(
            f"{scan.n_patterns} patterns of {pixels.size} pixels do not fit into memory: choose a "
            "narrower k_range, or scan fewer positions"
        )
    data = np.empty((scan.n_patterns, pixels.size))
    for places, block in scan.blocks():
        data[places] = block.reshape(len(block), -1)[:, pixels]
    positive = np.maximum(data, 0)
    scale = max(float(positive.mean()), float(np.finfo(float).tiny))
    weights, rows = _factorize(positive / scale, n, max_iterations, seed)
    sums = np.maximum(rows.sum(axis=1), np.finfo(float).tiny)
    left = np.linalg.norm(data / scale - weights @ rows) / np.linalg.norm(data / scale)
    weights = weights * sums * scale
    order = np.argsort(-weights.sum(axis=0), kind="stable")
    components = np.full((n, scan.k.size), np.nan)
    components[:, pixels] = (rows / sums[:, None])[order]
    return Decomposition(
        components.reshape(n, *scan.k.shape),
        weights[:, order].reshape(*scan.shape, n).astype(float),
        float(left),
        scan.k_x,
        scan.k_y,
        scan.positions,
    )


def _factorize(
    data: NDArray[Any], n: int, max_iterations: int, seed: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    from sklearn.decomposition import NMF

    # From singular vectors, with the mean in place of zeros, which would stay zero. For one
    # component that start is the solution, and the solver, which waits for progress, never ends.
    start = "nndsvda" if n > 1 else "random"
    solver = NMF(n, init=start, max_iter=max_iterations, random_state=seed)
    return solver.fit_transform(data), solver.components_
