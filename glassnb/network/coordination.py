"""How many neighbours atoms have, and how tetrahedra share their corners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.structure import check_atoms, species_of
from glassnb.network.bonds import Bonds, bonds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Coordination", "QSpecies", "coordination", "q_species"]


@dataclass(frozen=True)
class Coordination:
    """Coordination numbers of every atom.

    Parameters
    ----------
    symbols : tuple of str
        Species, heaviest first.
    species : ndarray, shape (n_atoms,)
        Index into ``symbols`` of each atom.
    numbers : ndarray, shape (n_atoms, n_species)
        Number of bonded neighbours of each species.
    bonds : Bonds
        The bonds that were counted, with their cutoffs.
    """

    symbols: tuple[str, ...]
    species: NDArray[np.int64]
    numbers: NDArray[np.int64]
    bonds: Bonds

    def of(self, centre: str, neighbour: str) -> NDArray[np.int64]:
        """Return the numbers of ``neighbour`` atoms bonded to each ``centre`` atom.

        Parameters
        ----------
        centre : str
            Symbol of the atoms in the centre.
        neighbour : str
            Symbol of the neighbours.

        Returns
        -------
        ndarray
            One number for each centre, in the order of the atoms.
        """
        a, b = (_index(self.symbols, name) for name in (centre, neighbour))
        return self.numbers[self.species == a, b]

    def mean(self, centre: str, neighbour: str) -> float:
        """Return the mean number of ``neighbour`` atoms bonded to a ``centre`` atom.

        Parameters
        ----------
        centre : str
            Symbol of the atoms in the centre.
        neighbour : str
            Symbol of the neighbours.

        Returns
        -------
        float
            Mean coordination number.
        """
        return float(self.of(centre, neighbour).mean())

    def fractions(self, centre: str, neighbour: str) -> dict[int, float]:
        """Return the share of ``centre`` atoms by coordination number.

        Parameters
        ----------
        centre : str
            Symbol of the atoms in the centre.
        neighbour : str
            Symbol of the neighbours.

        Returns
        -------
        dict
            Fraction of the centres (0 to 1) by number of neighbours.
        """
        numbers, counts = np.unique(self.of(centre, neighbour), return_counts=True)
        return {int(n): float(c / counts.sum()) for n, c in zip(numbers, counts, strict=True)}

    def to_frame(self) -> pd.DataFrame:
        """Return the distribution as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``centre``, ``neighbour``, ``number`` and ``fraction``, for bonded pairs.
        """
        rows = [
            (a, b, number, fraction)
            for a in self.symbols
            for b in self.symbols
            if (a, b) in self.bonds.cutoffs
            for number, fraction in self.fractions(a, b).items()
        ]
        return pd.DataFrame(rows, columns=["centre", "neighbour", "number", "fraction"])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the distribution of coordination numbers.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting import plot_coordination

        return plot_coordination(self, ax)


def coordination(atoms: Atoms, cutoff: float | Mapping[Any, float] | None = None) -> Coordination:
    """Count the bonded neighbours of every atom, by species.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    cutoff : float or dict, optional
        Longest bond in Å; see :func:`glassnb.network.bonds`.

    Returns
    -------
    Coordination
        Numbers for each atom, with means, distributions and a plot.

    Raises
    ------
    ValueError
        As :func:`glassnb.network.bonds`.
    """
    found = bonds(atoms, cutoff)
    symbols, species = species_of(atoms)
    numbers = np.zeros((len(atoms), len(symbols)), dtype=np.int64)
    np.add.at(numbers, (found.centres, species[found.indices]), 1)
    return Coordination(symbols, species, numbers, found)


@dataclass(frozen=True)
class QSpecies:
    """Tetrahedra by the number of corners they share: Q^0 to Q^4 and beyond.

    Parameters
    ----------
    former : str
        Symbol of the network former in the centre.
    n : ndarray, shape (n_formers,)
        Number of bridging neighbours of each former, in the order of the atoms.
    """

    former: str
    n: NDArray[np.int64]

    @property
    def fractions(self) -> dict[int, float]:
        """Fraction of the formers (0 to 1) by ``n``."""
        numbers, counts = np.unique(self.n, return_counts=True)
        return {int(n): float(c / counts.sum()) for n, c in zip(numbers, counts, strict=True)}

    def to_frame(self) -> pd.DataFrame:
        """Return the distribution as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``n`` and ``fraction``.
        """
        return pd.DataFrame(list(self.fractions.items()), columns=["n", "fraction"])


def q_species(
    atoms: Atoms,
    former: str = "Si",
    *,
    bridge: str = "O",
    cutoff: float | Mapping[Any, float] | None = None,
) -> QSpecies:
    """Classify network formers by the number of bridging neighbours, Q^n.

    A neighbour bridges if it is bonded to at least two network formers of the given kind.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    former : str
        Symbol of the network former.
    bridge : str
        Symbol of the atoms that bridge.
    cutoff : float or dict, optional
        Longest bond in Å; see :func:`glassnb.network.bonds`.

    Returns
    -------
    QSpecies
        ``n`` for each former, and the fractions.

    Raises
    ------
    ValueError
        As :func:`glassnb.network.bonds`, or if a species is absent.
    """
    check_atoms(atoms)
    symbols, species = species_of(atoms)
    a, b = _index(symbols, former), _index(symbols, bridge)
    counted = coordination(atoms, cutoff)
    bridging = (species == b) & (counted.numbers[:, a] >= 2)
    found = counted.bonds
    n = np.bincount(found.centres, weights=bridging[found.indices], minlength=len(atoms))
    return QSpecies(former, n[species == a].astype(np.int64))


def _index(symbols: tuple[str, ...], name: str) -> int:
    if name not in symbols:
        raise ValueError(f"{name!r} is not in the structure; its species are {', '.join(symbols)}")
    return symbols.index(name)
