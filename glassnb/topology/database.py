"""Persistence diagrams of crystalline silica, ready-made.

The idea to look a glass up among crystals is old in diffraction; here it is done with holes. The
file is made by ``scripts/make_crystal_database.py`` from the polymorphs of
:func:`glassnb.models.crystal` and the zeolite frameworks of the package ``zeose``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassnb.core.provenance import (
    atomic_path,
    from_json,
    provenance,
    read_arrays,
    reading,
    to_json,
)
from glassnb.topology.crystal_entry import (
    DECIMALS,
    SHORTEST,
    VARIANTS,
    CrystalEntry,
    Points,
    check_variant,
    count_units,
    variant_of,
)
from glassnb.topology.diagrams import PersistenceDiagrams
from glassnb.topology.sliced import sliced_distances

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CrystalDatabase", "crystal_database", "make_database"]

_FORMAT = "glassnb crystal diagrams 1"


@dataclass(frozen=True, repr=False)
class CrystalDatabase:
    """Persistence diagrams of many crystals.

    Parameters
    ----------
    entries : tuple of CrystalEntry
        The crystals.
    record : dict
        How the database was made: versions, sources, licences.
    """

    entries: tuple[CrystalEntry, ...]
    record: dict[str, Any]

    def __repr__(self) -> str:
        """Count the crystals."""
        kinds = [entry.kind for entry in self.entries]
        counts = ", ".join(f"{kinds.count(kind)} {kind}s" for kind in dict.fromkeys(kinds))
        return f"CrystalDatabase({counts or 'empty'})"

    def __len__(self) -> int:
        """Return the number of crystals."""
        return len(self.entries)

    def __getitem__(self, name: str) -> CrystalEntry:
        """Return the crystal of a name."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise ValueError(f"name={name!r}: is not in the database; its names: {_some(self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the crystals."""
        return tuple(entry.name for entry in self.entries)

    @staticmethod
    def options(variant: str) -> dict[str, Any]:
        """Return what to pass to :func:`persistence`, to compare a structure with the database.

        Parameters
        ----------
        variant : str
            ``"weighted"`` (radii of 0.375 Å for Si and 1.275 Å for O), ``"unweighted"`` or
            ``"silicon"`` (Si alone, unweighted).

        Returns
        -------
        dict
            Keyword arguments ``radii`` or ``species``.

        Raises
        ------
        ValueError
            If the variant is none of these.
        """
        return {name: _copy(value) for name, value in VARIANTS[check_variant(variant)].items()}

    def points(
        self, name: str, dimension: int = 1, variant: str = "unweighted"
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the distinct pairs of a crystal, and how many there are for each SiO2.

        Parameters
        ----------
        name : str
            One of :attr:`names`.
        dimension : int
            0, 1 or 2.
        variant : str
            See :meth:`options`.

        Returns
        -------
        pairs : ndarray, shape (n, 2)
            Births and deaths in Å², to 4 decimals, by birth and then death.
        multiplicities : ndarray, shape (n,)
            Number per Si atom. Where several pairs of births and deaths tie, how they are
            matched may depend on the cell; the numbers of births and of deaths do not.

        Raises
        ------
        ValueError
            If an argument is none of these.
        """
        entry = self[name]
        pairs, counts = _points(entry, dimension, variant)
        return pairs.astype(np.float64), counts / entry.n_units

    def pairs(
        self, name: str, dimension: int = 1, variant: str = "unweighted"
    ) -> NDArray[np.float64]:
        """Return all pairs of a crystal in the cell that was computed, equal ones repeated.

        Parameters
        ----------
        name : str
            One of :attr:`names`.
        dimension : int
            0, 1 or 2.
        variant : str
            See :meth:`options`.

        Returns
        -------
        ndarray, shape (n, 2)
            Births and deaths in Å², for :func:`diagram_distance` and :func:`persistence_image`.

        Raises
        ------
        ValueError
            If an argument is none of these.
        """
        pairs, counts = _points(self[name], dimension, variant)
        return np.repeat(pairs, counts, axis=0).astype(np.float64)

    def select(
        self, names: Sequence[str] | None = None, *, kind: str | None = None
    ) -> CrystalDatabase:
        """Return a part of the database.

        Parameters
        ----------
        names : sequence of str, optional
            Names of crystals; all when omitted.
        kind : str, optional
            ``"polymorph"`` or ``"framework"``; both when omitted.

        Returns
        -------
        CrystalDatabase
            The part, in the order asked for.

        Raises
        ------
        ValueError
            If a name is unknown, or nothing is left.
        """
        wanted = self.names if names is None else (names,) if isinstance(names, str) else names
        chosen = tuple(e for e in map(self.__getitem__, wanted) if kind in (None, e.kind))
        if not chosen:
            known = ", ".join(dict.fromkeys(entry.kind for entry in self.entries))
            raise ValueError(f"names={names!r}, kind={kind!r}: nothing is left; kinds are {known}")
        return replace(self, entries=chosen)

    def add(self, *entries: CrystalEntry) -> CrystalDatabase:
        """Return a database with crystals of your own.

        Parameters
        ----------
        *entries : CrystalEntry
            Made by :func:`crystal_entry`.

        Returns
        -------
        CrystalDatabase
            The larger database; this one stays as it is.

        Raises
        ------
        ValueError
            If a name is taken.
        """
        return _assemble((*self.entries, *entries), self.record)

    def distance_matrix(
        self,
        others: Sequence[PersistenceDiagrams] = (),
        *,
        dimension: int = 1,
        variant: str = "unweighted",
    ) -> NDArray[np.float64]:
        """Return the distances between all crystals, and structures of your own.

        Parameters
        ----------
        others : sequence of PersistenceDiagrams
            Structures that follow the crystals, computed with :meth:`options`.
        dimension : int
            0, 1 or 2.
        variant : str
            See :meth:`options`.

        Returns
        -------
        ndarray, shape (n, n)
            Sliced Wasserstein distances per SiO2 in Å², see :func:`nearest_crystals`; for
            :func:`embed`.

        Raises
        ------
        ValueError
            If an argument is none of these, or a structure was computed in another way.
        """
        measures = [self.points(name, dimension, variant) for name in self.names]
        for k, diagrams in enumerate(others):
            variant_of(diagrams, variant, f"others[{k}]")
            pairs = diagrams.pairs(dimension)
            measures.append((pairs, np.full(len(pairs), 1 / count_units(diagrams))))
        return sliced_distances(measures)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per crystal.

        Returns
        -------
        pandas.DataFrame
            Columns ``name``, ``kind``, ``density`` (g/cm³), ``n_units`` and ``n_atoms`` (Si and
            all atoms in the cell that was computed), ``oxygen_per_silicon`` (other than 2 in
            interrupted or incomplete frameworks), ``source``.
        """
        names = ("name", "kind", "density", "n_units", "n_atoms")
        table = pd.DataFrame({name: [getattr(e, name) for e in self.entries] for name in names})
        table["oxygen_per_silicon"] = table["n_atoms"] / table["n_units"] - 1
        table["source"] = [entry.source for entry in self.entries]
        return table

    def plot(
        self,
        name: str,
        dimension: int = 1,
        ax: Axes | None = None,
        *,
        variant: str = "unweighted",
        **options: Any,
    ) -> Axes:
        """Draw the diagram of a crystal: points whose area is the number of pairs per SiO2.

        Parameters
        ----------
        name : str
            One of :attr:`names`.
        dimension : int
            0, 1 or 2.
        ax : matplotlib.axes.Axes, optional
            Where to draw, such as over the diagram of a glass; a new figure when omitted.
        variant : str
            See :meth:`options`.
        **options
            Passed on to ``Axes.scatter``.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.learning import plot_crystal_diagram

        pairs, multiplicities = self.points(name, dimension, variant)
        return plot_crystal_diagram(pairs, multiplicities, ax, **({"label": name} | options))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the database to a file, which :func:`crystal_database` reads.

        Parameters
        ----------
        path : path-like
            File to write, in NumPy's npz format; the name should end in ``.npz``.
        """
        tables = [e.points[key] for e in self.entries for key in _KEYS]
        arrays: dict[str, Any] = {
            "pairs": np.concatenate([pairs for pairs, _ in tables]),
            "counts": np.concatenate([counts for _, counts in tables]),
            "sizes": np.array([len(counts) for _, counts in tables], dtype=np.int32),
            "errors": np.array([[e.errors[v] for v in VARIANTS] for e in self.entries]),
        }
        for name in _COLUMNS:
            arrays[name] = np.array([getattr(entry, name) for entry in self.entries])
        record = to_json({"format": _FORMAT, "record": self.record})
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, record=np.asarray(record), **arrays)


_KEYS = [(variant, dimension) for variant in VARIANTS for dimension in range(3)]
_COLUMNS = ("name", "kind", "source", "density", "n_units", "n_atoms")


def crystal_database(path: str | os.PathLike[str] | None = None) -> CrystalDatabase:
    """Read the database of crystals.

    Parameters
    ----------
    path : path-like, optional
        A file of :meth:`CrystalDatabase.save`; the one that comes with the package when omitted.

    Returns
    -------
    CrystalDatabase
        Diagrams of polymorphs of silica and of pure-silica zeolite frameworks.

    Raises
    ------
    ValueError
        If the file holds something else.

    Notes
    -----
    Coordinates are idealised: those of polymorphs are published averages over thermal motion, those
    of frameworks ideal silica (mean Si-O of 1.57 to 1.63 Å). Unit cells were repeated until 20 Å
    high in each direction, as rings that run through a small cell never die and would be missing.
    Lifetimes below 0.001 Å² are left out.

    Examples
    --------
    >>> database = crystal_database()
    >>> pairs, multiplicities = database.points("beta-cristobalite", dimension=1)
    >>> pairs.round(3).tolist(), round(float(multiplicities[0]), 2)
    ([[0.602, 6.419]], 0.99)
    """
    return _packaged() if path is None else _read(Path(path))


@cache
def _packaged() -> CrystalDatabase:
    with resources.as_file(resources.files("glassnb") / "data" / "crystal_diagrams.npz") as path:
        return _read(path)


def _read(path: Path) -> CrystalDatabase:
    with reading(path, "holds no diagrams of crystals, as CrystalDatabase.save writes them"):
        stored = read_arrays(path)
        meta = from_json(str(stored["record"]))
        if meta["format"] != _FORMAT:
            raise ValueError(f"its format is {meta['format']!r}")
        return CrystalDatabase(_restored(stored), meta["record"])


def _restored(stored: Mapping[str, NDArray[Any]]) -> tuple[CrystalEntry, ...]:
    columns = [stored[name].tolist() for name in _COLUMNS]
    ends = np.cumsum(stored["sizes"])[:-1]
    pairs = np.split(stored["pairs"], ends)
    counts = np.split(stored["counts"], ends)
    entries = []
    for k, row in enumerate(zip(*columns, strict=True)):
        part = slice(k * len(_KEYS), (k + 1) * len(_KEYS))
        points = dict(zip(_KEYS, zip(pairs[part], counts[part], strict=True), strict=True))
        errors = dict(zip(VARIANTS, stored["errors"][k].tolist(), strict=True))
        columns_of = dict(zip(_COLUMNS, row, strict=True))
        entries.append(CrystalEntry(**columns_of, points=points, errors=errors))
    return tuple(entries)


def _assemble(entries: Sequence[CrystalEntry], record: Mapping[str, Any]) -> CrystalDatabase:
    """Make a database, whose names must differ."""
    names = [entry.name for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"entries: {_some(twice)} more than once; give them other names")
    if not names:
        raise ValueError("entries: there are none; give at least one crystal")
    return CrystalDatabase(tuple(entries), dict(record))


def make_database(entries: Sequence[CrystalEntry], **notes: Any) -> CrystalDatabase:
    """Make a database of crystals; its record says with which versions and of what."""
    record = provenance(decimals=DECIMALS, shortest_lifetime=SHORTEST, variants=VARIANTS)
    return _assemble(entries, record | notes)


def _points(entry: CrystalEntry, dimension: Any, variant: Any) -> Points:
    if isinstance(dimension, bool) or dimension not in (0, 1, 2):
        raise ValueError(f"dimension={dimension!r}: must be 0, 1 or 2")
    return entry.points[check_variant(variant), int(dimension)]


def _some(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(names[:most])
    return f"{shown}, ... ({len(names)} in all)" if len(names) > most else shown


def _copy(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
