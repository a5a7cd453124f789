"""Neighbours within a cutoff, in any cell.

Linked cells (Allen and Tildesley, Computer Simulation of Liquids, 2nd ed., section 5.3.2): the cell
is cut into bins, and only bins within reach are searched. A bin index outside the cell stands for
an image of the cell, so that cells smaller than the cutoff give every image once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core import _kernels
from glassnb.core.structure import check_atoms, full_cell, pair_cutoffs, species_of

__all__ = ["OVERLAP", "Neighbours", "neighbours"]

OVERLAP = 0.1  # Å; atoms closer than this stand twice in a structure


@dataclass(frozen=True)
class Neighbours:
    """Neighbours of every atom as compressed rows.

    The neighbours of atom ``i`` are the entries ``offsets[i]:offsets[i + 1]``. Each pair stands
    twice, once for each of its atoms; an atom may neighbour its own images.

    Parameters
    ----------
    offsets : ndarray, shape (n_atoms + 1,)
        Where each atom's entries begin.
    indices : ndarray, shape (n_entries,)
        Index of the neighbour.
    images : ndarray, shape (n_entries, 3)
        Cell in which the neighbour lies, relative to the position given for it: the vector to it is
        ``positions[j] + images @ cell - positions[i]``.
    distances : ndarray, shape (n_entries,)
        Distances in Å.
    """

    offsets: NDArray[np.int64]
    indices: NDArray[np.int64]
    images: NDArray[np.int32]
    distances: NDArray[np.float64]

    def of(self, atom: int) -> NDArray[np.int64]:
        """Return the neighbours of one atom.

        Parameters
        ----------
        atom : int
            Index of the atom.

        Returns
        -------
        ndarray
            Indices of its neighbours.
        """
        return self.indices[self.offsets[atom] : self.offsets[atom + 1]]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of neighbours of each atom, shape (n_atoms,)."""
        return np.diff(self.offsets)

    @property
    def centres(self) -> NDArray[np.int64]:
        """Index of the atom each entry belongs to, shape (n_entries,)."""
        return np.repeat(np.arange(self.offsets.size - 1), self.counts)

    def vectors(self, atoms: Atoms) -> NDArray[np.float64]:
        """Return the vectors from each atom to its neighbours.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure that was searched.

        Returns
        -------
        ndarray, shape (n_entries, 3)
            Vectors in Å.
        """
        shift = self.images @ full_cell(atoms)
        return atoms.positions[self.indices] + shift - atoms.positions[self.centres]


def neighbours(atoms: Atoms, cutoff: float | Mapping[Any, float]) -> Neighbours:
    """Find all pairs of atoms closer than a cutoff.

    Any cell: triclinic, smaller than the cutoff (all images are found), periodic in some
    directions or none. The result does not depend on the number of threads.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    cutoff : float or dict
        Distance in Å, for all pairs or by pair of species: ``{("Si", "O"): 2.0}``.

    Returns
    -------
    Neighbours
        Indices, image vectors and distances, as compressed rows.

    Raises
    ------
    ValueError
        If the structure or the cutoff makes no sense, a named species is absent, or two of the
        atoms looked at overlap.
    """
    check_atoms(atoms)
    symbols, species = species_of(atoms)
    cutoffs = pair_cutoffs(cutoff, symbols)
    listed = bin_atoms(atoms, float(cutoffs.max()))
    n_atoms = len(atoms)
    offsets = np.zeros(n_atoms + 1, dtype=np.int64)
    arguments = (
        listed.positions, species[listed.order], listed.bins, listed.starts, listed.n_bins,
        listed.reach, listed.periodic, listed.cell, listed.order, listed.moved, cutoffs**2,
    )  # fmt: skip
    nothing = np.empty(0, dtype=np.int64), np.empty((0, 3), dtype=np.int32), np.empty(0)
    _kernels.neighbour_search(*arguments, offsets, *nothing, False)
    np.cumsum(offsets, out=offsets)
    indices = np.empty(offsets[-1], dtype=np.int64)
    images = np.empty((offsets[-1], 3), dtype=np.int32)
    distances = np.empty(offsets[-1])
    _kernels.neighbour_search(*arguments, offsets, indices, images, distances, True)
    found = Neighbours(offsets, indices, images, distances)
    if distances.size and distances.min() < OVERLAP:
        k = int(np.argmin(distances))
        raise ValueError(
            f"atoms: atoms {found.centres[k]} and {indices[k]} overlap, {distances[k]:.4f} Å "
            "apart; remove duplicates, or check the cell (files may hold atoms on both its faces)"
        )
    return found


def wrapping(atoms: Atoms) -> NDArray[np.int64]:
    """Return how many cells away from the cell at the origin each atom is.

    Parameters
    ----------
    atoms : ase.Atoms
        A checked structure.

    Returns
    -------
    ndarray, shape (n_atoms, 3)
        Whole cells along each vector; 0 where the cell is not periodic.
    """
    fractional = atoms.positions @ np.linalg.inv(full_cell(atoms))
    return np.where(atoms.pbc, np.floor(fractional), 0.0).astype(np.int64)


class BinnedAtoms(NamedTuple):
    """Atoms sorted into bins: what the kernels search."""

    order: NDArray[np.int64]  # atom that stands at each sorted place
    positions: NDArray[np.float64]  # wrapped and sorted, Å
    moved: NDArray[np.int64]  # cells by which each sorted atom was moved
    bins: NDArray[np.int64]  # bin of each sorted atom along the three directions
    starts: NDArray[np.int64]  # where each bin's atoms begin
    n_bins: NDArray[np.int64]
    reach: NDArray[np.int64]  # bins to search on each side
    periodic: NDArray[np.bool_]
    cell: NDArray[np.float64]


def bin_atoms(atoms: Atoms, cutoff: float) -> BinnedAtoms:
    """Wrap the atoms into the cell and sort them into bins.

    Parameters
    ----------
    atoms : ase.Atoms
        A checked structure.
    cutoff : float
        Largest distance of the search, in Å.

    Returns
    -------
    BinnedAtoms
        What :mod:`glassnb.core._kernels` needs.
    """
    cell = full_cell(atoms)
    periodic = np.asarray(atoms.pbc, dtype=bool)
    inverse = np.linalg.inv(cell)
    heights = 1 / np.linalg.norm(inverse, axis=0)
    moved = wrapping(atoms)
    fractional = atoms.positions @ inverse - moved
    # Where the cell is not periodic, the bins span the atoms.
    origin = np.where(periodic, 0.0, fractional.min(axis=0))
    extent = np.where(periodic, 1.0, np.maximum(np.ptp(fractional, axis=0), 1e-6))
    widths = heights * extent
    # About an atom a bin and no more than a few bins an atom, however short the cutoff; bins are
    # no larger than the cutoff where that allows it. The margin is against rounding.
    safe = cutoff * (1 + 1e-9)
    spacing = max(float(np.cbrt(np.prod(widths) / len(atoms))), 1e-9)
    per_cutoff = max(1, min(3, int(safe / spacing)))
    n_bins = np.clip(widths * per_cutoff / safe, 1, 1 + 1.5 * widths / spacing).astype(np.int64)
    reach = np.ceil(safe * n_bins / widths).astype(np.int64)
    bins = ((fractional - origin) / extent * n_bins).astype(np.int64)
    bins = np.clip(bins, 0, n_bins - 1)
    flat = (bins[:, 0] * n_bins[1] + bins[:, 1]) * n_bins[2] + bins[:, 2]
    order = np.argsort(flat, kind="stable")
    starts = np.zeros(int(np.prod(n_bins)) + 1, dtype=np.int64)
    np.cumsum(np.bincount(flat, minlength=starts.size - 1), out=starts[1:])
    positions = (atoms.positions - moved @ cell)[order]
    return BinnedAtoms(
        order, positions, moved[order], bins[order], starts, n_bins, reach, periodic, cell
    )
