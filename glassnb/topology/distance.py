"""Distances between persistence diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnb.core.parallel import map_tasks
from glassnb.core.progress import ProgressOption
from glassnb.topology.diagrams import PersistenceDiagrams

__all__ = ["diagram_distance", "distance_matrix"]

_KINDS = ("bottleneck", "wasserstein")
_ACCURACY = 0.01  # relative, of the Wasserstein distance
Diagram = PersistenceDiagrams | ArrayLike


def diagram_distance(a: Diagram, b: Diagram, dimension: int = 1, kind: str = "bottleneck") -> float:
    """Return the distance between two diagrams.

    Parameters
    ----------
    a : PersistenceDiagrams or array_like, shape (n, 2)
        Diagrams, or births and deaths in Å².
    b : PersistenceDiagrams or array_like, shape (m, 2)
        The others.
    dimension : int
        0, 1 or 2.
    kind : str
        ``"bottleneck"``: by how much some pair must be moved, at least, to make one diagram of the
        other, pairs being free to vanish on the diagonal. ``"wasserstein"``: by how much all pairs
        together must be moved, to 1 %.

    Returns
    -------
    float
        Distance in Å²; a pair moves by the larger of the changes of its birth and its death.
        Classes that never die do not count.

    Raises
    ------
    ValueError
        If an argument is none of these.

    Notes
    -----
    Computed by GUDHI; the bottleneck distance is exact. The Wasserstein distance grows with the
    size of the structures: compare structures of equal size.
    """
    if kind not in _KINDS:
        raise ValueError(f"kind={kind!r}: must be one of {', '.join(_KINDS)}")
    return _distance(_pairs("a", a, dimension), _pairs("b", b, dimension), kind)


def distance_matrix(
    diagrams: Sequence[Diagram],
    dimension: int = 1,
    kind: str = "bottleneck",
    *,
    client: Any = None,
    progress: ProgressOption = None,
) -> NDArray[np.float64]:
    """Return the distances between all diagrams of a set.

    Parameters
    ----------
    diagrams : sequence of PersistenceDiagrams or of array_like, shape (n, 2)
        The set.
    dimension : int
        0, 1 or 2.
    kind : str
        See :func:`diagram_distance`.
    client : dask.distributed.Client, optional
        Where to run; threads of this process when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress_bar`.

    Returns
    -------
    ndarray, shape (n_diagrams, n_diagrams)
        Distances in Å²; symmetric, with zeros on the diagonal.

    Raises
    ------
    ValueError
        If an argument is none of these.
    """
    if kind not in _KINDS:
        raise ValueError(f"kind={kind!r}: must be one of {', '.join(_KINDS)}")
    tables = [_pairs(f"diagrams[{k}]", item, dimension) for k, item in enumerate(diagrams)]
    rows, columns = np.triu_indices(len(tables), 1)
    found = map_tasks(
        partial(_between, tables=tables, kind=kind),
        list(zip(rows.tolist(), columns.tolist(), strict=True)),
        client=client, progress=progress, description="distances",
    )  # fmt: skip
    matrix = np.zeros((len(tables), len(tables)))
    matrix[rows, columns] = matrix[columns, rows] = found
    return matrix


def _between(pair: tuple[int, int], tables: list[NDArray[np.float64]], kind: str) -> float:
    return _distance(tables[pair[0]], tables[pair[1]], kind)


def _pairs(name: str, diagram: Diagram, dimension: int) -> NDArray[np.float64]:
    if isinstance(diagram, PersistenceDiagrams):
        return diagram.pairs(dimension)
    pairs = np.asarray(diagram, dtype=np.float64)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or not np.isfinite(pairs).all():
        raise ValueError(
            f"{name}: shape {pairs.shape}; must be PersistenceDiagrams, or finite births and "
            "deaths of shape (n, 2)"
        )
    return pairs[pairs[:, 0] != pairs[:, 1]]


def _distance(a: NDArray[np.float64], b: NDArray[np.float64], kind: str) -> float:
    import gudhi.hera

    if kind == "bottleneck":
        distance = float(gudhi.bottleneck_distance(a, b))
        return distance if distance > np.finfo(float).tiny else 0.0
    return float(
        gudhi.hera.wasserstein_distance(a, b, order=1.0, internal_p=np.inf, delta=_ACCURACY)
    )
