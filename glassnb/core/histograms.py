"""Histograms of distances by pair of species: the raw material of g(r) and S(Q)."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core import _kernels
from glassnb.core.neighbours import OVERLAP, bin_atoms, neighbours
from glassnb.core.parallel import thread_count
from glassnb.core.structure import (
    cell_heights,
    check_atoms,
    full_cell,
    reduced_lattice,
    species_of,
)

__all__ = ["pair_histogram"]

# Below this share of half the box a cell list tests fewer pairs than all against all.
_CELL_LIST_SHARE = 0.3


def pair_histogram(
    atoms: Atoms, r_max: float, n_bins: int
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Count distances between atoms, by pair of species and distance.

    Up to half the box all pairs are tested with the nearest image; short ranges and ranges beyond
    half the box go through a cell list, which sees every image. A distance on the edge of two bins,
    as crystals have them, counts in the outer one, however it was rounded.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure; any cell, periodic or not.
    r_max : float
        End of the histogram in Å; bins are ``r_max / n_bins`` wide.
    n_bins : int
        Number of bins.

    Returns
    -------
    symbols : tuple of str
        Species, heaviest first.
    counts : ndarray, shape (n_species, n_species, n_bins)
        Number of ordered pairs: ``counts[a, b].sum()`` counts each a-b pair once for an atom of
        species ``a`` as centre. Symmetric in the species; like pairs count twice.

    Raises
    ------
    ValueError
        If the structure makes no sense, ``r_max`` or ``n_bins`` is not positive, or atoms overlap.
    """
    check_atoms(atoms)
    if not (np.isfinite(r_max) and r_max > 0):
        raise ValueError(f"r_max={r_max}: must be a positive distance in Å")
    if int(n_bins) != n_bins or n_bins < 1:
        raise ValueError(f"n_bins={n_bins}: must be a positive whole number")
    symbols, species = species_of(atoms)
    counts = _counted(reduced_lattice(atoms), species, len(symbols), r_max, int(n_bins))
    if counts[..., : int(np.ceil(OVERLAP / r_max * n_bins))].any():
        neighbours(atoms, OVERLAP)  # names the atoms if they do overlap
    return symbols, counts


def _counted(
    atoms: Atoms,
    species: NDArray[np.int64],
    n_species: int,
    r_max: float,
    n_bins: int,
) -> NDArray[np.int64]:
    half = float(cell_heights(atoms).min() / 2)
    within = r_max <= half * (1 + 1e-9)
    if within and (r_max > _CELL_LIST_SHARE * half or len(atoms) < 1000):
        return _all_pairs(atoms, species, n_species, r_max, n_bins)
    listed = bin_atoms(atoms, r_max)
    counts: NDArray[np.int64] = _kernels.histogram_by_bins(
        listed.positions, species[listed.order], listed.bins, listed.starts, listed.n_bins,
        listed.reach, listed.periodic, listed.cell, float(r_max), n_bins, n_species,
        8 * thread_count(),
    )  # fmt: skip
    return counts


def _all_pairs(
    atoms: Atoms, species: NDArray[np.int64], n_species: int, r_max: float, n_bins: int
) -> NDArray[np.int64]:
    cell = full_cell(atoms)
    order = np.argsort(species, kind="stable")
    fractional = np.ascontiguousarray((atoms.positions @ np.linalg.inv(cell))[order].T)
    starts = np.searchsorted(species[order], np.arange(n_species + 1))
    once = _kernels.histogram_all_pairs(
        fractional, starts, cell @ cell.T, atoms.pbc.astype(float), float(r_max), n_bins,
        4 * thread_count(),
    )[..., :n_bins]  # fmt: skip
    return once + once.transpose(1, 0, 2)
