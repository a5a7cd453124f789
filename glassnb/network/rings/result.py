"""Rings of a network, as closed polygons in space."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from glassnb.core.provenance import write_table
from glassnb.core.structure import PairMapping, full_cell, species_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Counting", "Per", "Rings", "find_formers"]

#: How the size of a ring is counted: by its network formers, or by all its atoms.
Counting = Literal["formers", "nodes"]
#: What numbers of rings are divided by.
Per = Literal["former", "node", "ring", "cell"]
_FORMERS = ("Si", "Ge", "B", "P", "Al")


@dataclass(frozen=True, repr=False)
class Rings:
    """Rings of a structure; ``indices`` and ``images`` are compressed rows, one row a ring.

    Ring ``k`` goes through the entries ``offsets[k]:offsets[k + 1]`` and back to the first. It is
    a closed polygon: the vector to each of its atoms is ``atoms.positions[index] + image @ cell``.

    Parameters
    ----------
    definition : str
        ``"king"``, ``"guttman"`` or ``"primitive"``.
    max_size : int
        Largest ring that was looked for, in atoms; primitive rings may be larger.
    offsets : ndarray, shape (n_rings + 1,)
        Where each ring begins.
    indices : ndarray, shape (n_entries,)
        Atoms of the rings, in the order of the bonds.
    images : ndarray, shape (n_entries, 3)
        Cell in which each atom lies, relative to its position in ``atoms``; the first of a ring
        has (0, 0, 0).
    atoms : ase.Atoms
        The structure that was searched.
    formers : tuple of str
        Species that count as network formers.
    cutoffs : PairMapping
        Longest bond in Å, by pair of species.
    start : ndarray, shape (n_atoms,)
        Whether the search started at an atom.
    origins : ndarray, shape (n_atoms, max_size + 1)
        Whether a search from an atom found a ring of that many atoms.
    unresolved : ndarray, shape (n, 3) or (n, 2)
        Where a ring may be larger than ``max_size``: an atom and two of its neighbours (King), or
        two bonded atoms (Guttman).
    """

    definition: str
    max_size: int
    offsets: NDArray[np.int64]
    indices: NDArray[np.int64]
    images: NDArray[np.int32]
    atoms: Atoms
    formers: tuple[str, ...]
    cutoffs: PairMapping[float]
    start: NDArray[np.bool_]
    origins: NDArray[np.bool_]
    unresolved: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of rings."""
        return self.offsets.size - 1

    def __getitem__(self, ring: int) -> NDArray[np.int64]:
        """Return the atoms of a ring, in the order of its bonds."""
        k = self._check(ring)
        return self.indices[self.offsets[k] : self.offsets[k + 1]]

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        """Go through the rings, as arrays of atoms."""
        return (self[k] for k in range(len(self)))

    def __repr__(self) -> str:
        """Say in a line what was found."""
        counts = ", ".join(f"{n}: {c}" for n, c in self.size_distribution(per="cell").items())
        # the other definitions say what they did not find, in unresolved
        limit = f" up to {self.max_size} atoms" if self.definition == "primitive" else ""
        return (
            f"Rings({self.definition}{limit}, {len(self)} rings of {'/'.join(self.formers)} "
            f"{{{counts}}})"
        )

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Number of atoms of each ring, shape (n_rings,)."""
        return np.diff(self.offsets)

    @property
    def former_sizes(self) -> NDArray[np.int64]:
        """Number of network formers of each ring, shape (n_rings,)."""
        before = np.concatenate([[0], np.cumsum(self.is_former[self.indices])])
        return before[self.offsets[1:]] - before[self.offsets[:-1]]

    @property
    def is_former(self) -> NDArray[np.bool_]:
        """Whether each atom of the structure is a network former, shape (n_atoms,)."""
        return np.isin(np.asarray(self.atoms.symbols), self.formers)

    def sizes_by(self, counting: Counting) -> NDArray[np.int64]:
        """Return the sizes of the rings by either way of counting.

        Parameters
        ----------
        counting : str
            ``"formers"`` counts network formers, ``"nodes"`` all atoms.

        Returns
        -------
        ndarray, shape (n_rings,)
            Sizes.

        Raises
        ------
        ValueError
            If ``counting`` is neither.
        """
        if counting not in ("formers", "nodes"):
            raise ValueError(f"counting={counting!r}: must be 'formers' or 'nodes'")
        return self.former_sizes if counting == "formers" else self.sizes

    @property
    def vertices(self) -> NDArray[np.float64]:
        """Positions of the atoms of all rings in Å, each ring in one piece, shape (n_entries, 3).

        Entries are those of ``indices``.
        """
        cell = full_cell(self.atoms)
        return self.atoms.positions[self.indices] + self.images @ cell

    def polygon(self, ring: int) -> NDArray[np.float64]:
        """Return the corners of a ring.

        Parameters
        ----------
        ring : int
            Number of the ring.

        Returns
        -------
        ndarray, shape (size, 3)
            Positions in Å, in the order of the bonds, in one piece.
        """
        k = self._check(ring)
        rows = slice(self.offsets[k], self.offsets[k + 1])
        cell = full_cell(self.atoms)
        return self.atoms.positions[self.indices[rows]] + self.images[rows] @ cell

    def select(
        self,
        which: ArrayLike | None = None,
        *,
        size: int | Sequence[int] | None = None,
        former_size: int | Sequence[int] | None = None,
        contains: int | Sequence[int] | None = None,
    ) -> Rings:
        """Choose some of the rings; conditions that are given must all hold.

        Parameters
        ----------
        which : array_like, optional
            Numbers of rings, or one truth value for each.
        size : int or sequence of int, optional
            Numbers of atoms.
        former_size : int or sequence of int, optional
            Numbers of network formers.
        contains : int or sequence of int, optional
            Atoms of which at least one is in the ring.

        Returns
        -------
        Rings
            The chosen rings, in their order here; ``origins`` and ``unresolved`` stay those of the
            whole search.

        Raises
        ------
        ValueError
            If a number is out of range.
        """
        keep = np.ones(len(self), dtype=bool)
        if which is not None:
            keep &= self._as_mask(which)
        if size is not None:
            keep &= np.isin(self.sizes, size)
        if former_size is not None:
            keep &= np.isin(self.former_sizes, former_size)
        if contains is not None:
            wanted = np.atleast_1d(np.asarray(contains))
            if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self.atoms)):
                raise ValueError(f"contains={contains}: atoms run from 0 to {len(self.atoms) - 1}")
            hits = np.isin(self.indices, wanted)
            keep &= np.add.reduceat(np.append(hits, False), self.offsets[:-1]) > 0
        entries = np.repeat(keep, self.sizes)
        offsets = np.concatenate([[0], np.cumsum(self.sizes[keep])])
        return replace(
            self, offsets=offsets, indices=self.indices[entries], images=self.images[entries]
        )

    def contained_in(self, other: Rings) -> NDArray[np.bool_]:
        """Tell which rings another search of the same structure has found too.

        Parameters
        ----------
        other : Rings
            Rings of the same structure.

        Returns
        -------
        ndarray, shape (n_rings,)
            Whether each ring is among the others.

        Raises
        ------
        ValueError
            If the structures differ.
        """
        same = len(self.atoms) == len(other.atoms)
        if not same or not np.array_equal(self.atoms.positions, other.atoms.positions):
            raise ValueError("other: holds rings of another structure")
        known = set(other._names())
        return np.array([name in known for name in self._names()], dtype=bool)

    def _names(self) -> Iterator[bytes]:
        """Return rings as bytes; every search reads a ring from the same atom, the same way."""
        entries = np.column_stack([self.indices, self.images.astype(np.int64)])
        return (
            entries[a:b].tobytes() for a, b in zip(self.offsets[:-1], self.offsets[1:], strict=True)
        )

    def _as_mask(self, which: ArrayLike) -> NDArray[np.bool_]:
        given = np.asarray(which)
        if given.dtype == bool:
            if given.shape != (len(self),):
                raise ValueError(f"which: shape {given.shape}, but there are {len(self)} rings")
            return given
        mask = np.zeros(len(self), dtype=bool)
        for ring in np.atleast_1d(given).tolist():
            mask[self._check(ring)] = True
        return mask

    def _check(self, ring: int) -> int:
        if not -len(self) <= ring < len(self):
            raise IndexError(f"ring {ring}: there are {len(self)} rings, from 0")
        return int(ring) % len(self)

    def size_distribution(
        self, counting: Counting = "formers", per: Per = "former"
    ) -> dict[int, float]:
        """Return how many rings of each size there are.

        Parameters
        ----------
        counting : str
            ``"formers"`` counts network formers, ``"nodes"`` all atoms.
        per : str
            ``"former"``, ``"node"``, ``"ring"`` or ``"cell"``: divide by the number of network
            formers, of atoms, of rings, or by one.

        Returns
        -------
        dict
            Number of rings by size.

        Raises
        ------
        ValueError
            If an argument is none of these.
        """
        divisors = {
            "former": self.is_former.sum(), "node": len(self.atoms), "ring": len(self), "cell": 1,
        }  # fmt: skip
        if per not in divisors:
            raise ValueError(f"per={per!r}: must be one of {', '.join(divisors)}")
        sizes, counts = np.unique(self.sizes_by(counting), return_counts=True)
        if per == "cell":
            return {int(n): int(c) for n, c in zip(sizes, counts, strict=True)}
        return {int(n): float(c / divisors[per]) for n, c in zip(sizes, counts, strict=True)}

    def to_frame(self) -> pd.DataFrame:
        """Return one row per ring.

        Returns
        -------
        pandas.DataFrame
            Columns ``size``, ``former_size`` and ``atoms`` (a tuple of indices); the ``attrs`` hold
            the definition, the largest size that was looked for and the network formers.
        """
        rows = [tuple(ring.tolist()) for ring in self]
        columns = {"size": self.sizes, "former_size": self.former_sizes, "atoms": rows}
        table = pd.DataFrame(columns, index=pd.RangeIndex(len(self), name="ring"))
        table.attrs |= {
            "definition": self.definition, "max_size": self.max_size, "formers": self.formers,
        }  # fmt: skip
        return table

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the rings as a table of comma-separated text.

        Parameters
        ----------
        path : path-like
            File to write; atoms are separated by spaces. Its first line says how it was made.
        """
        table = self.to_frame()
        table["atoms"] = [" ".join(map(str, ring)) for ring in table["atoms"]]
        write_table(
            path, table.reset_index(), definition=self.definition, max_size=self.max_size,
            formers=self.formers, cutoffs=dict(self.cutoffs),
        )  # fmt: skip

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the number of rings per network former by size.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        **options
            Look of the bars, such as ``label`` and ``color``: passed on to ``Axes.bar``.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting import plot_ring_sizes

        return plot_ring_sizes(self, ax, **options)

    def plot_ring(self, ring: int, ax: Axes | None = None) -> Axes:
        """Draw a ring seen along its normal.

        Parameters
        ----------
        ring : int
            Number of the ring.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting import plot_ring

        return plot_ring(self, ring, ax)


def find_formers(atoms: Atoms, formers: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the species that count as network formers.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    formers : str, sequence of str or None
        Species, or ``None`` for Si, Ge, B, P and Al where present; every species of a structure
        without any of them.

    Returns
    -------
    tuple of str
        Chemical symbols.

    Raises
    ------
    ValueError
        If a species is absent.
    """
    symbols, _ = species_of(atoms)
    if formers is None:
        return tuple(symbol for symbol in symbols if symbol in _FORMERS) or symbols
    named = (formers,) if isinstance(formers, str) else tuple(formers)
    absent = [symbol for symbol in named if symbol not in symbols]
    if absent or not named:
        raise ValueError(
            f"formers={formers!r}: must name species of the structure: {', '.join(symbols)}"
        )
    return named
