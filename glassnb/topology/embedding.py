"""Maps of structures from the distances between them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from glassnb.core.provenance import write_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Embedding", "embed"]


@dataclass(frozen=True, repr=False)
class Embedding:
    """Structures as points whose distances are those given, as well as they can be.

    Parameters
    ----------
    coordinates : ndarray, shape (n_structures, n_components)
        The points, in the unit of the distances; the first axis spreads most.
    explained : ndarray, shape (n_components,)
        Share of each axis in the sum of all positive eigenvalues.
    stress : float
        Kruskal's stress: root of the squared errors of all distances over their squares; 0 if they
        are reproduced, and 0.1 is fair.
    labels : tuple of str
        Names of the structures; empty if there are none.
    """

    coordinates: NDArray[np.float64]
    explained: NDArray[np.float64]
    stress: float
    labels: tuple[str, ...]

    def __repr__(self) -> str:
        """Say in a line what it is."""
        n, dimensions = self.coordinates.shape
        return (
            f"Embedding({n} structures in {dimensions} dimensions, stress {self.stress:.3f}, "
            f"explained {self.explained.sum():.0%})"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per structure.

        Returns
        -------
        pandas.DataFrame
            Columns ``axis_1``, ``axis_2``, ..., and ``label`` where there are labels.
        """
        names = [f"axis_{k + 1}" for k in range(self.coordinates.shape[1])]
        table = pd.DataFrame(self.coordinates, columns=names)
        if self.labels:
            table.insert(0, "label", self.labels)
        return table

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table of :meth:`to_frame` as comma-separated text.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        write_table(path, self.to_frame(), stress=self.stress, explained=self.explained)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        target: ArrayLike | None = None,
        show: Sequence[str] | None = None,
        **options: Any,
    ) -> Axes:
        """Draw the first two axes as a map.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        target : array_like, shape (n_structures,), optional
            Classes or numbers, such as densities, for the colours.
        show : sequence of str, optional
            Labels to write; all when omitted.
        **options
            Passed on to ``Axes.scatter``.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.learning import plot_embedding

        return plot_embedding(self, ax, target=target, show=show, **options)


def embed(
    matrix: ArrayLike, n_components: int = 2, *, labels: Sequence[str] | None = None
) -> Embedding:
    """Place structures on a map, from the distances between them.

    Parameters
    ----------
    matrix : array_like, shape (n_structures, n_structures)
        Distances, symmetric, with zeros on the diagonal; see :func:`distance_matrix`.
    n_components : int
        Number of axes.
    labels : sequence of str, optional
        Names of the structures.

    Returns
    -------
    Embedding
        The points.

    Raises
    ------
    ValueError
        If the matrix is none of distances, or a number does not fit.

    Notes
    -----
    Classical multidimensional scaling (W. S. Torgerson, Psychometrika 17, 401 (1952)): exact for
    distances between points in space, the same at every call, and without local minima. Distances
    between diagrams are not those of points; the stress tells what is lost.

    Examples
    --------
    >>> embed([[0, 3, 4], [3, 0, 5], [4, 5, 0]]).stress < 1e-9
    True
    """
    distances = np.asarray(matrix, dtype=np.float64)
    n = len(distances) if distances.ndim else 0
    if distances.shape != (n, n) or n < 3 or not np.isfinite(distances).all():
        raise ValueError(
            f"matrix: has shape {distances.shape}; must be finite distances between three "
            "structures or more, such as those of distance_matrix"
        )
    slack = 1e-6 * max(np.abs(distances).max(), 1e-300)
    if (
        distances.min() < 0
        or np.abs(np.diag(distances)).max() > slack
        or np.abs(distances - distances.T).max() > slack
    ):
        raise ValueError(
            "matrix: must be symmetric and not negative, with zeros on the diagonal; see "
            "distance_matrix"
        )
    whole = isinstance(n_components, int | np.integer) and not isinstance(n_components, bool)
    if not whole or not 1 <= n_components < n:
        raise ValueError(f"n_components={n_components!r}: must be a whole number from 1 to {n - 1}")
    if labels is not None and len(labels) != n:
        raise ValueError(f"labels: {len(labels)} for {n} structures; give one for each")
    squares = (distances + distances.T) ** 2 / 4
    means = squares.mean(axis=0)
    values, axes = np.linalg.eigh(-0.5 * (squares - means - means[:, None] + means.mean()))
    values, axes = values[::-1], axes[:, ::-1]
    top = np.abs(axes).argmax(axis=0)
    axes = axes * np.where(axes[top, np.arange(n)] < 0, -1.0, 1.0)  # their sign means nothing
    positive = np.maximum(values, 0)
    coordinates = axes[:, :n_components] * np.sqrt(positive[:n_components])
    mapped = np.linalg.norm(coordinates[:, None] - coordinates, axis=2)
    total = (distances**2).sum()
    stress = np.sqrt(((mapped - distances) ** 2).sum() / total) if total else 0.0
    explained = positive[:n_components] / (positive.sum() or 1.0)
    names = () if labels is None else tuple(map(str, labels))
    return Embedding(coordinates, explained, float(stress), names)
