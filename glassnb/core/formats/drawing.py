"""Draw which of the places of a disordered crystal hold an atom, and of which species.

The number of atoms of each kind comes first, then their places: one after the other at random among
those that nothing excludes. Where all are excluded, an atom goes to the place with the fewest
neighbours that stand too close, and these are placed again.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.neighbours import neighbours

__all__ = ["Kind", "draw", "numbers", "smallest_repeat"]

_WITHIN = 0.01  # numbers that come so close to the fractions are taken in every draw
_MOST_CELLS = 512


class Kind(NamedTuple):
    """Places that are equivalent.

    Parameters
    ----------
    places : ndarray of int
        Their indices.
    species : ndarray of int, shape (n_species,)
        What may be there.
    fractions : ndarray, shape (n_species,)
        How often; the rest is empty.
    """

    places: NDArray[np.int64]
    species: NDArray[np.int64]
    fractions: NDArray[np.float64]


def _nearest(fractions: NDArray, n: int) -> tuple[NDArray[np.int64], NDArray, bool]:
    """Return whole numbers below the wanted ones, what they lack, and if rounding them suffices."""
    wanted = np.append(fractions, max(0.0, 1 - fractions.sum())) * n
    low = np.floor(wanted + 1e-9).astype(np.int64)
    lacking = np.maximum(wanted - low, 0.0)
    rounded = low.copy()
    rounded[np.argsort(-lacking, kind="stable")[: n - low.sum()]] += 1
    off = np.abs(rounded - wanted)[:-1] <= _WITHIN * wanted[:-1]
    return (rounded, np.zeros_like(lacking), True) if off.all() else (low, lacking, False)


def numbers(fractions: NDArray, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return how many of ``n`` equivalent places hold each species.

    Parameters
    ----------
    fractions : ndarray, shape (n_species,)
        How often each species is there; they sum to no more than 1.
    n : int
        Number of places.
    rng : numpy.random.Generator
        Decides between the two whole numbers around the one that is wanted, so that the mean over
        many draws is right, unless the nearest ones are all within 1 %.

    Returns
    -------
    ndarray of int, shape (n_species,)
        Numbers of atoms.
    """
    low, lacking, _ = _nearest(fractions, n)
    missing = n - int(low.sum())
    if missing:
        order = rng.permutation(len(low))
        steps = np.cumsum(lacking[order]) * (missing / lacking.sum())
        picked = np.searchsorted(steps, rng.random() + np.arange(missing), side="right")
        low[order[np.minimum(picked, len(low) - 1)]] += 1
    return low[:-1]


def smallest_repeat(kinds: list[Kind], heights: NDArray[np.float64]) -> tuple[int, int, int] | None:
    """Return the repeat of the cell in which whole numbers come within 1 % of all fractions.

    Parameters
    ----------
    kinds : list of Kind
        The kinds of places in one cell.
    heights : ndarray, shape (3,)
        Distances between the faces of the cell in Å; the most compact repeat is chosen.

    Returns
    -------
    tuple of int or None
        Repeats with the least number of cells, None if 512 cells do not suffice.
    """
    for cells in range(1, _MOST_CELLS + 1):
        if all(_nearest(kind.fractions, cells * len(kind.places))[2] for kind in kinds):
            divisors = [d for d in range(1, cells + 1) if cells % d == 0]
            triples = [
                (i, j, cells // (i * j))
                for i, j in product(divisors, repeat=2)
                if cells % (i * j) == 0
            ]
            return max(triples, key=lambda triple: float((heights * triple).min()))
    return None


def draw(
    places: Atoms,
    kinds: list[Kind],
    closest: NDArray[np.float64],
    split: NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], int]:
    """Put atoms on places.

    Parameters
    ----------
    places : ase.Atoms
        An atom at every place; the elements do not matter.
    kinds : list of Kind
        Which places are equivalent, and what may be there.
    closest : ndarray, shape (n_species, n_species)
        Distances in Å below which two species exclude each other.
    split : ndarray of bool, shape (n_places,)
        The places for which distances matter.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    held : ndarray of int, shape (n_places,)
        Species at each place, -1 where it is empty.
    missing : int
        Atoms that found no place.
    """
    held = np.full(len(places), -1)
    waiting = [
        (k, int(species))
        for k, kind in enumerate(kinds)
        for species, n in zip(
            kind.species, numbers(kind.fractions, len(kind.places), rng), strict=True
        )
        for _ in range(n)
    ]
    waiting = [waiting[i] for i in rng.permutation(len(waiting))]
    kind_of = np.zeros(len(places), dtype=np.int64)
    for k, kind in enumerate(kinds):
        kind_of[kind.places] = k
    offsets, indices, distances = _exclusions(places, closest, split)
    blocked = np.zeros((len(places), len(closest)), dtype=np.int64)

    def near(place: int) -> tuple[NDArray, NDArray]:
        part = slice(offsets[place], offsets[place + 1])
        return indices[part], distances[part]

    def put(place: int, species: int, sign: int) -> None:
        """Put an atom on a place, or with a sign of -1 take it away."""
        held[place] = species if sign > 0 else -1
        others, apart = near(place)
        np.add.at(blocked, others, sign * (apart[:, None] < closest[species]))

    for place in range(len(places)):  # images of the place itself
        others, apart = near(place)
        own = apart[others == place]
        if own.size:
            blocked[place] += len(places) * (own.min() < np.diag(closest))
    patience = 10 * len(waiting) + 500
    failed = 0
    while waiting:
        k, species = waiting.pop()
        free = kinds[k].places[held[kinds[k].places] < 0]
        number = blocked[free, species]
        least = number.min(initial=len(places))
        if least and (patience <= 0 or least >= len(places)):
            failed += 1
            continue
        place = int(rng.choice(free[number == least]))
        if least:
            patience -= 1
            others, apart = near(place)
            for other in np.unique(others[held[others] >= 0]):
                if apart[others == other].min() < closest[species, held[other]]:
                    later = int(rng.integers(len(waiting) + 1))
                    waiting.insert(later, (int(kind_of[other]), int(held[other])))
                    put(other, held[other], -1)
        put(place, species, 1)
    return held, failed


def _exclusions(
    places: Atoms, closest: NDArray[np.float64], split: NDArray[np.bool_]
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the neighbours of split places as compressed rows, with their distances."""
    reach = float(closest.max(initial=0.0))
    if reach == 0 or not split.any():
        return np.zeros(len(places) + 1, dtype=np.int64), np.empty(0, np.int64), np.empty(0)
    found = neighbours(places, reach)
    both = split[found.centres] & split[found.indices]
    counts = np.bincount(found.centres[both], minlength=len(places))
    return np.append(0, np.cumsum(counts)), found.indices[both], found.distances[both]
