"""Which atoms the long-lived rings and cavities of persistent homology are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from glassnb.topology import PersistenceDiagrams

__all__ = ["atom_lifetimes"]


def atom_lifetimes(
    diagrams: PersistenceDiagrams, dimension: int = 1, *, share: float = 0.1
) -> NDArray[np.float64]:
    """Give the lifetimes of the most persistent pairs to the atoms behind them.

    The lifetime of a pair, death less birth, is shared equally by the atoms of its two simplices:
    those where the hole closes and those where it is filled.

    Parameters
    ----------
    diagrams : PersistenceDiagrams
        Of the structure.
    dimension : int
        1 for rings, 2 for cavities.
    share : float
        Share of the pairs that count, those that live longest; 1 for all.

    Returns
    -------
    numpy.ndarray, shape (n_atoms,)
        In Å², for each atom of ``diagrams.complex.atoms``; the sum is that of the lifetimes.

    Raises
    ------
    ValueError
        If ``dimension`` is not 1 or 2, or ``share`` is not above 0 and at most 1.
    """
    if dimension not in (1, 2):
        raise ValueError(f"dimension={dimension}: must be 1 (rings) or 2 (cavities)")
    if not 0 < share <= 1:
        raise ValueError(f"share={share}: must be above 0 and at most 1")
    lifetime = np.ptp(diagrams.pairs(dimension), axis=1)
    chosen = np.argsort(-lifetime, kind="stable")[: int(np.ceil(share * lifetime.size))]
    both = np.concatenate(
        [diagrams.birth_simplices(dimension)[0], diagrams.death_simplices(dimension)[0]], axis=1
    )
    values = np.zeros(len(diagrams.complex.atoms))
    for pair in chosen:
        members = np.unique(both[pair])
        values[members] += lifetime[pair] / members.size
    return values
