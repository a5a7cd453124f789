"""Ring statistics in the terms of R.I.N.G.S.

S. Le Roux and P. Jund, Comput. Mater. Sci. 49, 70 (2010), describe a network by four numbers for
each ring size: how many rings there are, how many atoms have one, and how often it is the longest
or the shortest of an atom.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassnb.core.provenance import write_table
from glassnb.network.rings.result import Rings

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RingStatistics", "ring_statistics"]


@dataclass(frozen=True)
class RingStatistics:
    """Connectivity profile of a network, by ring size.

    Parameters
    ----------
    definition : str
        ``"king"``, ``"guttman"`` or ``"primitive"``.
    sizes : ndarray, shape (n_sizes,)
        Ring sizes n in atoms of any kind, from the smallest ring to the largest.
    rc : ndarray, shape (n_sizes,)
        Rc(n): rings of n atoms per atom that the search started from.
    pn : ndarray, shape (n_sizes,)
        Pn(n): share of these atoms (0 to 1) that are the origin of a ring of n atoms.
    pmax, pmin : ndarray, shape (n_sizes,)
        Pmax(n), Pmin(n): share of the atoms counted in Pn(n) whose longest, or shortest, ring has n
        atoms; NaN where Pn(n) is 0.
    per : str
        What ``rc`` is a number per, and the others a share of: ``"atom"`` where the search started
        from every atom, else the species that it started from.
    """

    definition: str
    sizes: NDArray[np.int64]
    rc: NDArray[np.float64]
    pn: NDArray[np.float64]
    pmax: NDArray[np.float64]
    pmin: NDArray[np.float64]
    per: str = "atom"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per size.

        Returns
        -------
        pandas.DataFrame
            Columns ``size``, ``rc``, ``pn``, ``pmax`` and ``pmin``; the ``attrs`` hold the
            definition and what ``rc`` is per.
        """
        names = ("rc", "pn", "pmax", "pmin")
        table = pd.DataFrame({"size": self.sizes} | {name: getattr(self, name) for name in names})
        table.attrs |= {"definition": self.definition, "per": self.per}
        return table

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table of :meth:`to_frame` as comma-separated text.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        write_table(path, self.to_frame(), definition=self.definition, per=self.per)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the four numbers by size.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn: Rc as bars, the others as lines with a scale on the right.
        """
        from glassnb.plotting import plot_ring_statistics

        return plot_ring_statistics(self, ax)


def ring_statistics(rings: Rings) -> RingStatistics:
    """Compute Rc(n), Pn(n), Pmax(n) and Pmin(n).

    Parameters
    ----------
    rings : Rings
        All rings of a search. Atoms that it started from count: every atom, or ``nodes``.

    Returns
    -------
    RingStatistics
        The four numbers for each size.

    Raises
    ------
    ValueError
        If there are no rings.

    Notes
    -----
    S. Le Roux and P. Jund, Comput. Mater. Sci. 49, 70 (2010). An atom is the origin of a ring if
    the search from it finds the ring: one of the shortest through two of its bonds (King), through
    one of its bonds (Guttman), or any primitive ring that it belongs to.
    """
    if not len(rings):
        raise ValueError("rings: there are none; raise max_size, or check the cutoff")
    sizes = np.arange(rings.sizes.min(), rings.sizes.max() + 1)
    origins = rings.origins[rings.start][:, sizes]
    some = origins.any(axis=1)
    shortest = sizes[np.argmax(origins, axis=1)]
    longest = sizes[::-1][np.argmax(origins[:, ::-1], axis=1)]
    n_origins = origins.sum(axis=0)

    def share(extreme: NDArray[np.int64]) -> NDArray[np.float64]:
        counts = np.bincount(extreme[some], minlength=sizes[-1] + 1)[sizes]
        return np.divide(counts, n_origins, out=np.full(sizes.size, np.nan), where=n_origins > 0)

    counts = np.bincount(rings.sizes, minlength=sizes[-1] + 1)[sizes]
    symbols = np.asarray(rings.atoms.symbols)[rings.start]
    return RingStatistics(
        rings.definition,
        sizes,
        counts / len(origins),
        n_origins / len(origins),
        share(longest),
        share(shortest),
        "atom" if rings.start.all() else "/".join(dict.fromkeys(symbols.tolist())),
    )
