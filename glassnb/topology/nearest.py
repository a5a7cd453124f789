"""Which crystals have the holes of a glass."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassnb.core.provenance import write_table
from glassnb.topology.crystal_entry import count_units, variant_of
from glassnb.topology.database import CrystalDatabase, crystal_database
from glassnb.topology.diagrams import PersistenceDiagrams
from glassnb.topology.sliced import sliced_distances

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["NearestCrystals", "nearest_crystals"]

_BY = ("total", "local")


@dataclass(frozen=True, repr=False)
class NearestCrystals:
    """How much a structure resembles each crystal, in total and pair by pair.

    Parameters
    ----------
    variant : str
        Which diagrams were compared: ``"weighted"``, ``"unweighted"`` or ``"silicon"``.
    dimension : int
        0, 1 or 2.
    k : int
        How many crystals to name.
    names : tuple of str
        Names of all crystals of the database.
    kinds : tuple of str
        Their kinds.
    densities : ndarray, shape (n_crystals,)
        Their densities in g/cm³.
    distances : ndarray, shape (n_crystals,)
        Distance of the whole diagram to that of each crystal, in Å² per SiO2.
    shares : ndarray, shape (n_crystals,)
        Share of the pairs that lie nearest to a pair of each crystal; the sum is 1.
    rows : ndarray, shape (n_pairs,)
        Pairs that were looked up one by one, as rows of :meth:`PersistenceDiagrams.pairs`.
    crystal : ndarray, shape (n_pairs,)
        For each of them the crystal with the nearest pair, as an index into ``names``; where
        several are equally near, the one that has most such pairs.
    offsets : ndarray, shape (n_pairs,)
        How far away that pair is, in Å²: the larger of the differences of births and of deaths.
    resolution : float
        In Å²; pairs of crystals that are no more than this farther than the nearest are as near.
    min_lifetime : float
        In Å²; pairs with shorter lifetimes were not looked up one by one.
    """

    variant: str
    dimension: int
    k: int
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    densities: NDArray[np.float64]
    distances: NDArray[np.float64]
    shares: NDArray[np.float64]
    rows: NDArray[np.int64]
    crystal: NDArray[np.int64]
    offsets: NDArray[np.float64]
    resolution: float
    min_lifetime: float

    def __repr__(self) -> str:
        """Name the nearest crystals."""
        total = ", ".join(f"{n} {self.distances[i]:.2f} Å²" for n, i in self._first("total"))
        local = ", ".join(f"{n} {self.shares[i]:.1%}" for n, i in self._first("local"))
        return f"NearestCrystals(D{self.dimension}, {self.variant}; total: {total}; local: {local})"

    @property
    def total(self) -> tuple[str, ...]:
        """The ``k`` crystals whose whole diagrams are nearest."""
        return tuple(name for name, _ in self._first("total"))

    @property
    def local(self) -> tuple[str, ...]:
        """The ``k`` crystals that have the nearest pair most often."""
        return tuple(name for name, _ in self._first("local"))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per crystal, the nearest in total first.

        Returns
        -------
        pandas.DataFrame
            Columns ``name``, ``kind``, ``density`` (g/cm³), ``distance`` (Å² per SiO2) and
            ``share``.
        """
        table = pd.DataFrame(
            {
                "name": self.names,
                "kind": self.kinds,
                "density": self.densities,
                "distance": self.distances,
                "share": self.shares,
            }
        )
        return table.sort_values("distance", kind="stable", ignore_index=True)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table of :meth:`to_frame` as comma-separated text.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        write_table(
            path, self.to_frame(), variant=self.variant, dimension=self.dimension,
            resolution=self.resolution, min_lifetime=self.min_lifetime,
        )  # fmt: skip

    def plot(self, ax: Axes | None = None, *, by: str = "total") -> Axes:
        """Draw the nearest crystals.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        by : str
            ``"total"`` draws the distances of the ``k`` crystals whose diagrams are nearest,
            ``"local"`` the shares of the ``k`` crystals that have the nearest pair most often.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.

        Raises
        ------
        ValueError
            If ``by`` is none of these.
        """
        from glassnb.plotting.learning import plot_nearest_crystals

        if by not in _BY:
            raise ValueError(f"by={by!r}: must be one of {', '.join(_BY)}")
        return plot_nearest_crystals(self, ax, by=by)

    def _first(self, by: str) -> list[tuple[str, int]]:
        values = self.distances if by == "total" else -self.shares
        order = np.argsort(values, kind="stable")[: self.k]
        return [(self.names[i], int(i)) for i in order if by == "total" or self.shares[i] > 0]


def nearest_crystals(
    diagrams: PersistenceDiagrams,
    database: CrystalDatabase | None = None,
    *,
    dimension: int = 1,
    k: int = 5,
    variant: str | None = None,
    resolution: float = 0.02,
    min_lifetime: float = 0.1,
) -> NearestCrystals:
    """Find the crystals whose holes a structure has.

    Parameters
    ----------
    diagrams : PersistenceDiagrams
        Diagrams of a form of silica, computed with :meth:`CrystalDatabase.options`.
    database : CrystalDatabase, optional
        Crystals to compare with; those of the package when omitted. The polymorphs alone are
        ``crystal_database().select(kind="polymorph")``.
    dimension : int
        0, 1 or 2.
    k : int
        How many crystals to name.
    variant : str, optional
        ``"weighted"``, ``"unweighted"`` or ``"silicon"``; told by the diagrams when omitted.
    resolution : float
        For the local comparison, in Å²: pairs of crystals that are no more than this farther than
        the nearest one share, each as much as it occurs per SiO2. At least 0.
    min_lifetime : float
        Lifetime in Å² from which pairs are compared one by one; 0 for all.

    Returns
    -------
    NearestCrystals
        Distances and shares of all crystals.

    Raises
    ------
    ValueError
        If an argument is out of range, the diagrams were computed in another way than those of the
        database, or no pair lives long enough.

    Notes
    -----
    In total: the sliced Wasserstein distance (M. Carrière et al., ICML 2017) between the diagrams
    per SiO2. Like every Wasserstein distance it tells by how much pairs must be moved, so that the
    broad clouds of a glass and the points of a crystal can be compared; persistence images of the
    two hardly overlap, and are then all equally far apart. Unlike the distances of
    :func:`diagram_distance` it takes any multiplicities, hence cells of different size as they
    are, and is computed for all crystals in a second.

    Local by local: every pair of the structure is looked up among the pairs of all crystals. A
    crystal of low symmetry has many different pairs, and by chance alone is nearest more often; a
    share is best compared with that of the same crystal for another structure.

    Examples
    --------
    >>> import glassnb as gn
    >>> quartz = gn.models.crystal("alpha-quartz", repeat=3)
    >>> quartz.rattle(0.01, seed=1)
    >>> nearest_crystals(gn.topology.persistence(quartz)).total[0]
    'alpha-quartz'
    """
    chosen = crystal_database() if database is None else database
    if not isinstance(chosen, CrystalDatabase):
        raise ValueError(f"database={type(database).__name__}: must be a CrystalDatabase")
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise ValueError(f"k={k!r}: must be a whole number, 1 or more")
    for name, value in (("resolution", resolution), ("min_lifetime", min_lifetime)):
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(f"{name}={value!r}: must be 0 or a positive number (Å²)")
    kind = variant_of(diagrams, variant)
    pairs = diagrams.pairs(dimension)
    rows = np.flatnonzero(pairs[:, 1] - pairs[:, 0] >= min_lifetime)
    if not rows.size:
        raise ValueError(
            f"min_lifetime={min_lifetime}: none of the {len(pairs)} pairs of dimension "
            f"{dimension} lives that long; lower it"
        )
    measures = [chosen.points(name, dimension, kind) for name in chosen.names]
    weights = np.full(len(pairs), 1 / count_units(diagrams))
    distances = sliced_distances(measures, (pairs, weights))
    shares, crystal, offsets = _look_up(pairs[rows], measures, resolution)
    return NearestCrystals(
        kind, dimension, int(k), chosen.names, tuple(entry.kind for entry in chosen.entries),
        np.array([entry.density for entry in chosen.entries]), distances, shares, rows, crystal,
        offsets, float(resolution), float(min_lifetime),
    )  # fmt: skip


def _look_up(
    pairs: NDArray[np.float64],
    measures: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
    resolution: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the share of each crystal, and for each pair the nearest crystal and how near."""
    from scipy.spatial import cKDTree

    points = np.concatenate([found for found, _ in measures])
    weights = np.concatenate([found for _, found in measures])
    owner = np.repeat(np.arange(len(measures)), [len(found) for found, _ in measures])
    if not len(points):
        raise ValueError("database: its crystals have no pairs of this dimension; take another")
    tree = cKDTree(points)
    offsets, _ = tree.query(pairs, p=np.inf)
    found = tree.query_ball_point(pairs, offsets + resolution + 1e-9, p=np.inf)
    sizes = np.array([len(listed) for listed in found])
    index = np.concatenate([np.asarray(listed, dtype=np.int64) for listed in found])
    which = np.repeat(np.arange(len(pairs)), sizes)
    total = np.bincount(which, weights[index], minlength=len(pairs))
    votes = weights[index] / total[which]
    shares = np.bincount(owner[index], votes, minlength=len(measures)) / len(pairs)
    # the crystal with most votes of each pair: sums by pair and crystal, then the last of each pair
    keys, inverse = np.unique(which * len(measures) + owner[index], return_inverse=True)
    sums = np.bincount(inverse, votes)
    order = np.lexsort((-keys, sums, keys // len(measures)))
    last = np.flatnonzero(np.diff(keys[order] // len(measures), append=len(pairs)))
    return shares, keys[order][last] % len(measures), offsets
