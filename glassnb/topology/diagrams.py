"""Persistence diagrams: births and deaths, and the simplices behind them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from glassnb.core.provenance import (
    atomic_path,
    from_json,
    provenance,
    read_arrays,
    reading,
    to_json,
)
from glassnb.topology.alpha_complex import AlphaComplex, ComplexChecks
from glassnb.topology.regions import RADII, check_radii, in_region

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PersistenceDiagrams", "load_diagrams"]

_FORMAT = "glassnb persistence diagrams 1"


@dataclass(frozen=True, repr=False)
class PersistenceDiagrams:
    """Persistence diagrams of dimensions 0 (pieces), 1 (rings) and 2 (cavities).

    Pairs that die where they are born are left out. Within a dimension, pairs are in the order of
    birth and then death.

    Parameters
    ----------
    complex : AlphaComplex
        The complex: structure, radii, simplices, and the noise that was used, if any.
    birth_rows : tuple of ndarray, shapes (n_d,)
        Simplex that gives birth to each pair: for dimension d a row of the simplices of dimension
        d of ``complex``.
    death_rows : tuple of ndarray, shapes (n_d,)
        Simplex with which each pair dies: a row of the simplices of dimension d + 1.
    essential_rows : tuple of ndarray
        Simplices, by dimension 0 to 3, whose classes never die.
    engine : str
        What reduced the complex.
    """

    complex: AlphaComplex
    birth_rows: tuple[NDArray[np.int64], ...]
    death_rows: tuple[NDArray[np.int64], ...]
    essential_rows: tuple[NDArray[np.int64], ...]
    engine: str

    def __repr__(self) -> str:
        """Say in a line what was found."""
        counts = "/".join(str(len(rows)) for rows in self.birth_rows)
        noise = f", noise {self.noise:g} Å²" if self.noise else ""
        weights = "no weights" if self.radii is None else f"radii {self.radii} Å"
        return (
            f"PersistenceDiagrams({'-'.join(self.complex.species)}, {self.n_atoms} atoms, "
            f"{weights}, {counts} pairs in D0/D1/D2{noise})"
        )

    @property
    def n_atoms(self) -> int:
        """Number of atoms of the (sub-)structure."""
        return self.complex.n_atoms

    @property
    def radii(self) -> dict[str, float] | None:
        """Radius in Å by species; ``None`` without weights."""
        return self.complex.radii

    @property
    def noise(self) -> float:
        """Size in Å² of the noise that settled degenerate points; 0 for none."""
        return self.complex.noise

    @property
    def essential(self) -> tuple[NDArray[np.float64], ...]:
        """Births in Å² of the classes that never die, by dimension 0 to 3.

        A periodic structure has 1, 3, 3 and 1 of them, which are those of the torus; a cluster has
        one, in dimension 0.
        """
        rows = zip(self.complex.values, self.essential_rows, strict=True)
        return tuple(values[which] for values, which in rows)

    def pairs(self, dimension: int) -> NDArray[np.float64]:
        """Return births and deaths.

        Parameters
        ----------
        dimension : int
            0, 1 or 2.

        Returns
        -------
        ndarray, shape (n, 2)
            Births and deaths in Å².

        Raises
        ------
        ValueError
            If there is no such dimension.
        """
        d = self._check(dimension)
        values = self.complex.values
        return np.column_stack(
            [values[d][self.birth_rows[d]], values[d + 1][self.death_rows[d]]]
        )  # fmt: skip

    def lengths(self, dimension: int) -> NDArray[np.float64]:
        """Return births and deaths as radii of the balls, which without weights are all alike.

        This is the square root of :meth:`pairs`: two atoms that touch at birth are twice the birth
        apart, and a sphere as large as the death fits into a cavity.

        Parameters
        ----------
        dimension : int
            0, 1 or 2.

        Returns
        -------
        ndarray, shape (n, 2)
            Radii at birth and death in Å.

        Raises
        ------
        ValueError
            If there is no such dimension, or atoms have different radii.
        """
        if self.radii is not None:
            raise ValueError(
                f"radii={self.radii}: lengths exist without weights only; use pairs(), and "
                "sqrt(alpha + radius**2) for the ball of an atom"
            )
        return np.sqrt(np.maximum(self.pairs(dimension), 0))

    def birth_simplices(self, dimension: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the simplices that give birth: atoms, edges or triangles.

        Parameters
        ----------
        dimension : int
            0, 1 or 2.

        Returns
        -------
        indices : ndarray, shape (n, dimension + 1)
            Atoms, as indices into ``complex.atoms``.
        images : ndarray, shape (n, dimension + 1, 3)
            Cell in which each atom lies, relative to its position in ``complex.atoms``.

        Raises
        ------
        ValueError
            If there is no such dimension.
        """
        d = self._check(dimension)
        rows = self.birth_rows[d]
        return self.complex.simplices[d][rows], self.complex.images[d][rows]

    def death_simplices(self, dimension: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the simplices that bring death: edges, triangles or tetrahedra.

        Parameters
        ----------
        dimension : int
            0, 1 or 2.

        Returns
        -------
        indices : ndarray, shape (n, dimension + 2)
            Atoms, as indices into ``complex.atoms``.
        images : ndarray, shape (n, dimension + 2, 3)
            Cell in which each atom lies, relative to its position in ``complex.atoms``.

        Raises
        ------
        ValueError
            If there is no such dimension.
        """
        d = self._check(dimension)
        rows = self.death_rows[d]
        return self.complex.simplices[d + 1][rows], self.complex.images[d + 1][rows]

    def betti(self, values: ArrayLike) -> NDArray[np.int64]:
        """Return how many pieces, rings and cavities there are.

        Parameters
        ----------
        values : array_like, shape (n,)
            Values of alpha in Å².

        Returns
        -------
        ndarray, shape (n, 3)
            Betti numbers of the union of balls at each value, classes that never die included.

        Raises
        ------
        ValueError
            If a value is NaN.
        """
        alpha = np.atleast_1d(np.asarray(values, dtype=np.float64))
        if np.isnan(alpha).any():
            raise ValueError("values: holds NaN; give values of alpha in Å²")
        numbers = np.empty((alpha.size, 3), dtype=np.int64)
        for d in range(3):
            birth, death = self.pairs(d).T
            born = np.sort(np.concatenate([birth, self.essential[d]]))
            numbers[:, d] = np.searchsorted(born, alpha, side="right")
            numbers[:, d] -= np.searchsorted(np.sort(death), alpha, side="right")
        return numbers

    def region(self, name_or_box: str | Sequence[float], dimension: int = 1) -> NDArray[np.int64]:
        """Return which pairs lie in a region.

        Parameters
        ----------
        name_or_box : str or sequence of four float
            Lowest and highest birth, lowest and highest death in Å², the highest excluded, or a
            name: one of the regions of the D1 of silica with radii.

            * ``"C_P"``: the vertical line of the rings of Si and O, the primary rings.
            * ``"C_T"``: O-Si-O within the tetrahedra.
            * ``"C_O"``: the curve of triangles of O.
            * ``"B_O"``: the band of rings of O, which form where primary rings are pinched off.
        dimension : int
            0, 1 or 2; the named regions are in 1.

        Returns
        -------
        ndarray, shape (n,)
            Numbers of the pairs, into the rows of :meth:`pairs`.

        Raises
        ------
        ValueError
            If the name is unknown or means nothing for this diagram, or the box has not four
            numbers in order.

        Notes
        -----
        The names are those of Y. Hiraoka et al., PNAS 113, 7035 (2016). The limits are ours, read
        off diagrams of glasses with radii of 0.375 Å for Si and 1.275 Å for O; a radius that
        differs by more than 0.1 Å is warned of. ``C_P`` has births below 0.08 and deaths above
        0.5 Å², ``C_T`` both below 0.5; of the rest with births from 0.08 and deaths above 0.5,
        ``C_O`` lives for less than 0.05 + 0.27 (1.6 - birth)^2 up to births of 1.6, and ``B_O``
        longer than that and at least 0.1 Å².
        """
        d = self._check(dimension)
        if isinstance(name_or_box, str) and (d != 1 or set(self.complex.species) != {"Si", "O"}):
            raise ValueError(
                f"name_or_box={name_or_box!r}: named regions are those of dimension 1 of silica "
                "with radii; for this diagram give lowest and highest birth and death in Å²"
            )
        if isinstance(name_or_box, str) and self.radii is None:
            raise ValueError(
                f"name_or_box={name_or_box!r}: named regions are those of dimension 1 of silica "
                "with radii, and these diagrams have none (radii=None); use persistence(atoms, "
                f"radii={RADII}), the values in Å with which the regions of Y. "
                "Hiraoka et al. (2016) are seen, or give lowest and highest birth and death in Å²"
            )
        found = np.flatnonzero(in_region(self.pairs(d), name_or_box))
        if isinstance(name_or_box, str) and self.radii is not None:
            check_radii(name_or_box, self.radii)
        return found

    def to_frame(self) -> pd.DataFrame:
        """Return one row per pair.

        Returns
        -------
        pandas.DataFrame
            Columns ``dimension``, ``index`` (the row in :meth:`pairs`), ``birth``, ``death`` and
            ``lifetime`` in Å², ``birth_atoms`` and ``death_atoms`` (tuples of indices).
        """
        tables = []
        for d in range(3):
            birth, death = self.pairs(d).T
            columns = {
                "dimension": d,
                "index": np.arange(birth.size),
                "birth": birth,
                "death": death,
                "lifetime": death - birth,
                "birth_atoms": list(map(tuple, self.birth_simplices(d)[0].tolist())),
                "death_atoms": list(map(tuple, self.death_simplices(d)[0].tolist())),
            }
            tables.append(pd.DataFrame(columns))
        return pd.concat(tables, ignore_index=True)

    def plot(self, dimension: int = 1, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw a diagram as the papers do: how many pairs there are, by birth and death.

        Parameters
        ----------
        dimension : int
            0, 1 or 2.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        **options
            ``limits``, ``bins``, ``per_atom``: see
            :func:`glassnb.plotting.plot_persistence_diagram`.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting import plot_persistence_diagram

        return plot_persistence_diagram(self, dimension, ax, **options)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to a file, which :func:`load_diagrams` reads.

        Parameters
        ----------
        path : path-like
            File to write, in NumPy's npz format; the name should end in ``.npz``.
        """
        built = self.complex
        arrays: dict[str, Any] = {
            "numbers": built.atoms.numbers, "positions": built.atoms.positions,
            "cell": np.asarray(built.atoms.cell), "pbc": built.atoms.pbc,
        }  # fmt: skip
        for name in ("simplices", "images", "values", "faces"):
            arrays |= {f"{name}_{d}": table for d, table in enumerate(getattr(built, name))}
        for name in ("birth_rows", "death_rows", "essential_rows"):
            arrays |= {f"{name}_{d}": table for d, table in enumerate(getattr(self, name))}
        checks = built.checks
        meta: dict[str, Any] = {
            "format": _FORMAT, "species": built.species, "periodic": built.periodic,
            "radii": built.radii, "noise": built.noise, "error": built.error, "seed": built.seed,
            "engine": self.engine, "layer": checks.layer, "reach": checks.reach,
            "volume_error": checks.volume_error, "resolution": built.resolution,
        }  # fmt: skip
        record = to_json({"meta": meta, "provenance": provenance(**meta)})
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, record=np.asarray(record), **arrays)

    def save_text(self, path: str | os.PathLike[str], dimension: int = 1) -> None:
        """Write the pairs of one dimension as text that HomCloud reads.

        It is the form of HomCloud's ``dump-diagram`` and of its file type "text": a line with
        birth and death for each pair, separated by a space; classes that never die have the death
        ``Inf``; lines that begin with ``#`` are comments, of which the first says how the file was
        made.

        Parameters
        ----------
        path : path-like
            File to write; HomCloud takes the type from the ending ``.txt``.
        dimension : int
            0, 1 or 2.

        Raises
        ------
        ValueError
            If there is no such dimension.
        """
        d = self._check(dimension)
        built = self.complex
        record = provenance(
            seed=built.seed, dimension=d, species=built.species, periodic=built.periodic,
            radii=built.radii, noise=built.noise, n_atoms=self.n_atoms, unit="Å²",
        )  # fmt: skip
        lines = [f"# {to_json(record)}"]
        lines += [f"{birth!r} {death!r}" for birth, death in self.pairs(d).tolist()]
        lines += [f"{birth!r} Inf" for birth in self.essential[d].tolist()]
        with atomic_path(path) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _check(self, dimension: int) -> int:
        if isinstance(dimension, bool) or dimension not in (0, 1, 2):
            raise ValueError(f"dimension={dimension!r}: must be 0, 1 or 2")
        return int(dimension)


def load_diagrams(path: str | os.PathLike[str]) -> PersistenceDiagrams:
    """Read what :meth:`PersistenceDiagrams.save` wrote.

    Parameters
    ----------
    path : path-like
        File to read.

    Returns
    -------
    PersistenceDiagrams
        The diagrams.

    Raises
    ------
    ValueError
        If the file holds something else.
    """
    problem = "holds no persistence diagrams, as PersistenceDiagrams.save writes them"
    with reading(path, problem):
        stored = read_arrays(path)
        meta = from_json(str(stored["record"]))["meta"]
        if meta["format"] != _FORMAT:
            raise ValueError(f"its format is {meta['format']!r}")
        return _restored(stored, meta)


def _restored(stored: dict[str, Any], meta: dict[str, Any]) -> PersistenceDiagrams:
    def tables(name: str, n: int) -> tuple[Any, ...]:
        return tuple(stored[f"{name}_{d}"] for d in range(n))

    atoms = Atoms(
        stored["numbers"], positions=stored["positions"], cell=stored["cell"], pbc=stored["pbc"]
    )
    simplices = tables("simplices", 4)
    vertices, edges, triangles, tetrahedra = (len(table) for table in simplices)
    checks = ComplexChecks(
        (vertices, edges, triangles, tetrahedra), meta["layer"], meta["reach"],
        meta["volume_error"],
    )  # fmt: skip
    built = AlphaComplex(
        atoms, tuple(meta["species"]), meta["periodic"], meta["radii"], simplices,
        tables("images", 4), tables("values", 4), tables("faces", 4), meta["noise"],
        meta["error"], meta["resolution"], meta["seed"], checks,
    )  # fmt: skip
    return PersistenceDiagrams(
        built, tables("birth_rows", 3), tables("death_rows", 3), tables("essential_rows", 4),
        meta["engine"],
    )  # fmt: skip
