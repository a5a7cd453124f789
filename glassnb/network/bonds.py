"""Which atoms are bonded: pairs closer than the first minimum of their g(r)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from glassnb.core.histograms import pair_histogram
from glassnb.core.neighbours import Neighbours, neighbours
from glassnb.core.structure import PairMapping, check_atoms, pair_cutoffs, pairs_of, species_of

__all__ = ["Bonds", "bond_cutoffs", "bonds"]

# A first peak beyond this multiple of the sum of the covalent radii is not that of a bond: it
# keeps O-O (1.9 in silica) and Si-Si (1.4; 1.2 in stishovite) out, Na-O and Pd-Pd (1.0) in.
_LONGEST_BOND = 1.15
# The minimum behind a first peak is looked for up to this multiple of the peak's distance.
_WINDOW = 1.6
# The first peak of bonds is at least this high beside all that lies in that range.
_SHARE = 0.5
_BIN = 0.02  # Å
_SMOOTHING = 0.06  # Å, standard deviation


@dataclass(frozen=True)
class Bonds(Neighbours):
    """Bonded neighbours of every atom, as compressed rows; each bond stands at both its atoms.

    Parameters
    ----------
    offsets : ndarray, shape (n_atoms + 1,)
        Where each atom's entries begin.
    indices : ndarray, shape (2 n_bonds,)
        Index of the bonded neighbour.
    images : ndarray, shape (2 n_bonds, 3)
        Cell in which the neighbour lies; see :class:`glassnb.core.Neighbours`.
    distances : ndarray, shape (2 n_bonds,)
        Bond lengths in Å.
    cutoffs : PairMapping
        Longest bond in Å, by pair of species.
    """

    cutoffs: PairMapping[float]

    def __len__(self) -> int:
        """Return the number of bonds."""
        return self.indices.size // 2

    @property
    def once(self) -> NDArray[np.bool_]:
        """One of the two entries of every bond, shape (2 n_bonds,)."""
        # An atom bonded to its own image is stored with the image vector and with its negative.
        signs = self.images @ np.array([1_000_000, 1_000, 1])
        first, second = self.centres, self.indices
        return (first < second) | ((first == second) & (signs > 0))


def bonds(atoms: Atoms, cutoff: float | Mapping[Any, float] | None = None) -> Bonds:
    """Find the bonds of a structure.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure; any cell, periodic or not.
    cutoff : float or dict, optional
        Longest bond in Å, for all pairs or by pair of species: ``{("Si", "O"): 2.0}``. When
        omitted, :func:`bond_cutoffs` finds it.

    Returns
    -------
    Bonds
        Indices, images and lengths of the bonds of each atom.

    Raises
    ------
    ValueError
        If the structure or the cutoff makes no sense, or no bond length can be found.
    """
    check_atoms(atoms)
    found: Mapping[Any, float] | float = bond_cutoffs(atoms) if cutoff is None else cutoff
    symbols, _ = species_of(atoms)
    matrix = pair_cutoffs(found, symbols)
    listed = neighbours(atoms, found)
    used = {
        (a, b): float(matrix[symbols.index(a), symbols.index(b)])
        for a, b in pairs_of(symbols)
        if matrix[symbols.index(a), symbols.index(b)] > 0
    }
    return Bonds(listed.offsets, listed.indices, listed.images, listed.distances, PairMapping(used))


def bond_cutoffs(atoms: Atoms) -> dict[tuple[str, str], float]:
    """Find the longest bond of each bonded pair of species: the first minimum of its g(r).

    A pair is bonded if the first peak of its partial g(r) lies within 1.15 times the sum of the
    covalent radii (B. Cordero et al., Dalton Trans. 2832 (2008)) and is at least half as high as
    all of g(r) up to 1.6 times its distance. The minimum is that of g(r)
    smoothed by 0.06 Å, between the peak and 1.6 times its distance; where g(r) vanishes over a
    range, the middle of the range is taken.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.

    Returns
    -------
    dict
        Cutoff in Å by pair of symbols.

    Raises
    ------
    ValueError
        If no pair of species is bonded.
    """
    check_atoms(atoms)
    symbols, _ = species_of(atoms)
    longest = {pair: _LONGEST_BOND * _radii(pair) for pair in pairs_of(symbols)}
    r_max = _WINDOW * max(longest.values()) + 4 * _SMOOTHING
    n_bins = int(np.ceil(r_max / _BIN))
    _, counts = pair_histogram(atoms, n_bins * _BIN, n_bins)
    cutoffs = {}
    for (a, b), limit in longest.items():
        minimum = _first_minimum(counts[symbols.index(a), symbols.index(b)], limit)
        if minimum is not None:
            cutoffs[a, b] = minimum
    if not cutoffs:
        raise ValueError(
            f"cutoff=None: no pair of {', '.join(symbols)} is closer than a bond length; "
            'give the cutoff, for example cutoff={("Si", "O"): 2.0}'
        )
    return cutoffs


def _radii(pair: tuple[str, str]) -> float:
    return float(sum(covalent_radii[atomic_numbers[symbol]] for symbol in pair))


def _first_minimum(counts: NDArray[np.int64], limit: float) -> float | None:
    """Return the distance in Å of the minimum behind the first peak, or None without a bond."""
    r = (np.arange(counts.size) + 0.5) * _BIN
    g = gaussian_filter1d(counts / r**2, _SMOOTHING / _BIN, mode="constant")
    if not counts[r < limit].any():
        return None
    peak = int(np.argmax(np.where(r < limit, g, -1.0)))
    # A few close contacts, or the flank of a peak beyond the limit, are not a shell of bonds.
    if g[peak] < _SHARE * g[: int(_WINDOW * r[peak] / _BIN) + 1].max():
        return None
    behind = np.arange(peak, min(int(_WINDOW * r[peak] / _BIN) + 1, g.size))
    lowest = behind[g[behind] <= g[behind].min() + 1e-3 * g[peak]]
    # Only the first run of lowest values: a second one lies behind another shell.
    run = lowest[: np.flatnonzero(np.diff(lowest, append=lowest[-1] + 2) > 1)[0] + 1]
    return float(np.mean(r[run]))
