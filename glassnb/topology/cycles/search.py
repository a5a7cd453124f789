"""From pairs of a diagram to their cycles: one, or all of a region."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassnb.core.parallel import map_tasks
from glassnb.core.progress import ProgressOption
from glassnb.core.provenance import write_table
from glassnb.topology.cycles.cavity import cavity_chain, check_index, check_length
from glassnb.topology.cycles.cycle import Chain, Cycle, cycle_of
from glassnb.topology.cycles.optimal import NoVolume, smallest_volume
from glassnb.topology.cycles.shortest import shortest_ring
from glassnb.topology.cycles.space import space_of
from glassnb.topology.diagrams import PersistenceDiagrams

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Cycles", "cycles_in_region", "optimal_cycle"]

Method = Literal["optimal", "shortest"]


@dataclass(frozen=True, repr=False)
class Cycles(Sequence[Cycle]):
    """Cycles of many pairs of one dimension.

    Parameters
    ----------
    diagrams : PersistenceDiagrams
        The diagrams.
    dimension : int
        1 for rings, 2 for cavities.
    stability : float
        Noise in Å² that they bear.
    method : str
        ``"optimal"`` or ``"shortest"``.
    cycles : tuple of Cycle
        What was found, in the order of the pairs.
    missing : dict
        Numbers of the pairs that have no cycle, and why.
    """

    diagrams: PersistenceDiagrams
    dimension: int
    stability: float
    method: str
    cycles: tuple[Cycle, ...]
    missing: dict[int, str]

    def __len__(self) -> int:
        """Return the number of cycles."""
        return len(self.cycles)

    def __getitem__(self, which: Any) -> Any:
        """Return a cycle, or those of a slice."""
        return self.cycles[which]

    def __iter__(self) -> Iterator[Cycle]:
        """Go through the cycles."""
        return iter(self.cycles)

    def __repr__(self) -> str:
        """Say in a line what was found."""
        kind = "rings" if self.dimension == 1 else "cavities"
        missing = f", {len(self.missing)} pairs without" if self.missing else ""
        return (
            f"Cycles({len(self)} {kind}, {self.method}, stability {self.stability:g} Å²{missing})"
        )

    def sizes(self, species: str | None = None) -> NDArray[np.int64]:
        """Return how many atoms each cycle has.

        Parameters
        ----------
        species : str, optional
            Count these atoms only; all when omitted.

        Returns
        -------
        ndarray, shape (n,)
            Numbers of atoms.

        Raises
        ------
        ValueError
            If the diagrams know no such species.
        """
        known = self.diagrams.complex.species
        if species is not None and species not in known:
            raise ValueError(f"species={species!r}: must be one of {', '.join(known)}")
        if species is None:
            counts = [cycle.n_atoms for cycle in self]
        else:
            counts = [cycle.species_counts.get(species, 0) for cycle in self]
        return np.array(counts, dtype=np.int64)

    def size_distribution(self, species: str | None = None) -> dict[int, int]:
        """Return how many cycles of each size there are.

        Parameters
        ----------
        species : str, optional
            Count these atoms only; all when omitted.

        Returns
        -------
        dict
            Number of cycles by size.

        Raises
        ------
        ValueError
            If the diagrams know no such species.
        """
        sizes, counts = np.unique(self.sizes(species), return_counts=True)
        return dict(zip(sizes.tolist(), counts.tolist(), strict=True))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per cycle.

        Returns
        -------
        pandas.DataFrame
            Columns ``index`` (the number of the pair), ``birth``, ``death`` and ``lifetime`` in Å²,
            ``n_atoms``, ``n_cells`` (triangles or tetrahedra of the volume), ``is_loop``, one
            column of counts for each species, and ``atoms`` (a tuple of indices); for cavities
            ``volume`` in Å³ as well.
        """
        columns: dict[str, Any] = {
            "index": np.array([cycle.index for cycle in self], dtype=np.int64),
            "birth": np.array([cycle.birth for cycle in self], dtype=np.float64),
            "death": np.array([cycle.death for cycle in self], dtype=np.float64),
        }
        columns["lifetime"] = columns["death"] - columns["birth"]
        columns["n_atoms"] = self.sizes()
        columns["n_cells"] = np.array([cycle.n_cells for cycle in self], dtype=np.int64)
        columns["is_loop"] = np.array([cycle.is_loop for cycle in self], dtype=bool)
        if self.dimension == 2:
            columns["volume"] = np.array([cycle.volume for cycle in self], dtype=np.float64)
        columns |= {species: self.sizes(species) for species in self.diagrams.complex.species}
        columns["atoms"] = [tuple(cycle.indices.tolist()) for cycle in self]
        return pd.DataFrame(columns)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table of :meth:`to_frame` as comma-separated text.

        Parameters
        ----------
        path : path-like
            File to write; atoms are separated by spaces. Its first line says how it was made.
        """
        table, built = self.to_frame(), self.diagrams.complex
        table["atoms"] = [" ".join(map(str, atoms)) for atoms in table["atoms"]]
        write_table(
            path, table, dimension=self.dimension, stability=self.stability, method=self.method,
            missing=sorted(self.missing), species=built.species, radii=built.radii,
            periodic=built.periodic, seed=built.seed,
        )  # fmt: skip

    def plot(self, ax: Axes | None = None, species: str | None = None) -> Axes:
        """Draw how many cycles of each size there are.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        species : str, optional
            Count these atoms only; all when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.

        Raises
        ------
        ValueError
            If the diagrams know no such species.
        """
        from glassnb.plotting import plot_cycle_sizes

        return plot_cycle_sizes(self, ax, species)


def optimal_cycle(
    diagrams: PersistenceDiagrams,
    dimension: int,
    index: int,
    *,
    stability: float = 0.05,
    method: Method = "optimal",
    radius: float | None = None,
    max_radius: float = 20.0,
) -> Cycle:
    """Find the ring or the cavity behind a pair.

    Parameters
    ----------
    diagrams : PersistenceDiagrams
        The diagrams.
    dimension : int
        1 for a ring, 2 for a cavity.
    index : int
        Number of the pair: a row of ``diagrams.pairs(dimension)``.
    stability : float
        Noise in Å² that the cycle shall bear: faces count as part of it up to this after its birth.
        0 gives the volume-optimal cycle, which a small change of the structure may turn into
        another one, far larger.
    method : str
        ``"optimal"``, or for rings ``"shortest"``: the path of fewest edges older than the edge of
        birth from one end of that to the other. It takes no time, knows nothing of death, and
        leaves ``stability`` aside.
    radius : float, optional
        Use the triangles whose centroids are within this distance in Å of that of the triangle of
        death, and no others; when omitted, as many as it takes to prove that none is smaller.
    max_radius : float
        Where to stop in Å.

    Returns
    -------
    Cycle
        The cycle in one piece, with its volume and a certificate.

    Raises
    ------
    ValueError
        If an argument makes no sense, or the pair has no cycle: none within the radius, or none at
        all because what is born is a difference of rings that wind around a small cell.

    Notes
    -----
    Optimal volumes: I. Obayashi, SIAM J. Appl. Algebra Geom. 2, 508 (2018); stable volumes:
    I. Obayashi, J. Appl. Comput. Topol. 7, 671 (2023). The volume of a ring is the smallest set of
    triangles, with signs, that holds the triangle of death and else only older ones, and whose
    boundary holds no edge that enters later than ``birth + stability``. Without stability the edge
    of birth is part of the boundary; with it, another edge that enters little later may be. It is
    found by linear programming, in whole numbers, and of several of equal size the one with the
    older triangles is taken.

    Everything happens in space and not modulo the lattice: triangles are used with the cell they
    lie in, and the boundary closes in space. Nothing depends on where the faces of the cell are,
    and no volume closes by winding around it. A certificate says ``proven`` if the smallest volume
    that may leave the neighbourhood searched does not leave it; then there is no smaller one in
    the infinite structure. Cavities come from a merge tree, see :func:`cavity_tree`.

    Examples
    --------
    >>> import glassnb as gn
    >>> cristobalite = gn.models.crystal("alpha-cristobalite", repeat=2)
    >>> diagrams = gn.topology.persistence(cristobalite)
    >>> optimal_cycle(diagrams, 1, 0).species_counts
    {'Si': 6, 'O': 6}
    """
    settings = _checked(diagrams, dimension, stability, method, radius, max_radius)
    k = check_index(index, len(diagrams.birth_rows[settings["dimension"]]), dimension)
    chain = _find(diagrams, k, **settings)
    if isinstance(chain, str):
        raise ValueError(f"index={index}: pair {k} of dimension {dimension} has no cycle; {chain}")
    space = space_of(diagrams.complex)
    return cycle_of(diagrams, space, settings["dimension"], k, settings["stability"], chain)


def cycles_in_region(
    diagrams: PersistenceDiagrams,
    region: str | Sequence[float],
    dimension: int = 1,
    *,
    stability: float = 0.05,
    method: Method = "optimal",
    radius: float | None = None,
    max_radius: float = 20.0,
    client: Any = None,
    progress: ProgressOption = None,
) -> Cycles:
    """Find the rings or cavities behind all pairs of a region.

    Parameters
    ----------
    diagrams : PersistenceDiagrams
        The diagrams.
    region : str or sequence of four float
        Lowest and highest birth, lowest and highest death in Å², or a name; see
        :meth:`PersistenceDiagrams.region`.
    dimension : int
        1 for rings, 2 for cavities.
    stability : float
        Noise in Å² that the cycles shall bear; see :func:`optimal_cycle`.
    method : str
        ``"optimal"``, or for rings ``"shortest"``.
    radius : float, optional
        Neighbourhood in Å in which to look; as large as it takes when omitted.
    max_radius : float
        Where to stop in Å.
    client : dask.distributed.Client, optional
        Where to run; threads of this process when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`.

    Returns
    -------
    Cycles
        The cycles; pairs that have none are listed in ``missing``.

    Raises
    ------
    ValueError
        If an argument makes no sense.
    """
    settings = _checked(diagrams, dimension, stability, method, radius, max_radius)
    dimension, stability = settings["dimension"], settings["stability"]
    pairs = diagrams.region(region, dimension).tolist()
    work = partial(_find, diagrams, **settings)
    chains = map_tasks(work, pairs, client=client, progress=progress, description="cycles")
    space = space_of(diagrams.complex)
    cycles, missing = [], {}
    for index, chain in zip(pairs, chains, strict=True):
        if isinstance(chain, str):
            missing[index] = chain
        else:
            cycles.append(cycle_of(diagrams, space, dimension, index, stability, chain))
    return Cycles(diagrams, dimension, stability, method, tuple(cycles), missing)


def _checked(
    diagrams: PersistenceDiagrams,
    dimension: int,
    stability: float,
    method: str,
    radius: float | None,
    max_radius: float,
) -> dict[str, Any]:
    """Check arguments that do not depend on the pair."""
    if not isinstance(diagrams, PersistenceDiagrams):
        raise ValueError(
            f"diagrams={type(diagrams).__name__}: must be PersistenceDiagrams, as "
            "glassnb.topology.persistence returns them"
        )
    if isinstance(dimension, bool) or dimension not in (1, 2):
        raise ValueError(
            f"dimension={dimension!r}: must be 1 for rings or 2 for cavities; a piece (0) ends "
            "with its edge in diagrams.death_simplices(0)"
        )
    if method not in ("optimal", "shortest"):
        raise ValueError(f"method={method!r}: must be 'optimal' or 'shortest'")
    if method == "shortest" and dimension == 2:
        raise ValueError(
            "method='shortest': finds rings; for cavities (dimension=2) use method='optimal'"
        )
    if radius is not None:
        radius = check_length("radius", radius, "Å")
    return {
        "dimension": int(dimension),
        "stability": check_length("stability", stability, "Å²", zero=True),
        "method": method,
        "radius": radius,
        "max_radius": check_length("max_radius", max_radius, "Å"),
    }


def _find(
    diagrams: PersistenceDiagrams,
    index: int,
    *,
    dimension: int,
    stability: float,
    method: str,
    radius: float | None,
    max_radius: float,
) -> Chain | str:
    """Return the cycle of a pair as simplices in space, or why there is none."""
    if dimension == 2:
        return cavity_chain(diagrams, index, stability)
    birth, death = int(diagrams.birth_rows[1][index]), int(diagrams.death_rows[1][index])
    if method == "shortest":
        reach = max_radius if radius is None else radius
        return shortest_ring(diagrams.complex, birth, reach) or (
            f"no path of older edges within {reach:g} Å joins the ends of its edge of birth; it "
            "closes around the cell, or further away: raise max_radius"
        )
    values, youngest = diagrams.complex.values[1], birth + 1
    if stability > 0:
        limit = values[birth] + stability
        youngest = max(youngest, int(np.searchsorted(values, limit, side="right")))
    try:
        space = space_of(diagrams.complex)
        return smallest_volume(space, death, youngest, radius, max_radius)
    except NoVolume as reason:
        larger = "radius" if radius is not None else "max_radius"
        return f"{reason}; raise stability or {larger}, or use method='shortest'"
