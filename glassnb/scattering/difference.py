"""First-order differences of neutron experiments with isotopic substitution."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassnb.core.provenance import write_table
from glassnb.core.structure import PairMapping, pairs_of
from glassnb.scattering.composition import IsotopeShares, isotopes_text
from glassnb.scattering.structure_factor import StructureFactor
from glassnb.scattering.weights import factor_products

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DifferenceFunction", "difference"]


@dataclass(frozen=True, repr=False)
class DifferenceFunction:
    """Difference of the scattering of one structure with two choices of isotopes.

    ``values = sum over pairs of coefficients * (S_ab - 1)``: pairs without a substituted element
    have no part in it.

    Parameters
    ----------
    q : ndarray, shape (n_q,)
        Scattering vector in Å⁻¹.
    values : ndarray, shape (n_q,)
        F(Q) of the first less that of the second, in barn per steradian and atom.
    coefficients : PairMapping
        Weight of each partial in barn: ``c_a c_b`` times the change of ``Re(b_a b_b*)``, twice
        that for unlike pairs.
    isotopes : tuple of dict
        Share of each mass number by symbol, of the first and of the second; natural elements are
        left out.
    lengths : tuple of dict
        Mean scattering length of each element in fm, of the first and of the second.
    """

    q: NDArray[np.float64]
    values: NDArray[np.float64]
    coefficients: PairMapping[float]
    isotopes: tuple[IsotopeShares, IsotopeShares]
    lengths: tuple[dict[str, float | complex], dict[str, float | complex]]

    radiation = "neutron"
    convention = "F(Q) of the first less that of the second, tends to 0"

    @property
    def label(self) -> str:
        """Which isotopes less which."""
        first, second = (isotopes_text(shares) or "natural" for shares in self.isotopes)
        return f"({first}) − ({second})"

    def __repr__(self) -> str:
        """Name isotopes and weights."""
        parts = ", ".join(f"{a}-{b} {1e3 * c:.3g}" for (a, b), c in self.coefficients.items() if c)
        return (
            f"DifferenceFunction({self.label}, {self.q[0]:.3g} to {self.q[-1]:.3g} Å⁻¹; "
            f"weights in mbarn: {parts or 'none'})"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the difference as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``q`` (Å⁻¹) and ``difference`` (barn per steradian and atom).
        """
        return pd.DataFrame({"q": self.q, "difference": self.values})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table of :meth:`to_frame` as comma-separated text, with its history.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        write_table(
            path, self.to_frame(), convention=self.convention, isotopes=self.isotopes,
            lengths=self.lengths, coefficients=self.coefficients,
        )  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the difference.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting import plot_difference

        return plot_difference(self, ax)


def difference(first: StructureFactor, second: StructureFactor) -> DifferenceFunction:
    """Subtract the neutron scattering of two samples that differ in their isotopes alone.

    Parameters
    ----------
    first : StructureFactor
        One sample, for neutrons.
    second : StructureFactor
        The other: ``first.as_radiation("neutron", isotopes=...)``, or the structure factor of the
        same atoms with other isotopes.

    Returns
    -------
    DifferenceFunction
        ``first.differential() - second.differential()`` in barn per steradian and atom.

    Raises
    ------
    ValueError
        If one is not for neutrons, or Q, composition, number of atoms, density or partials differ.

    References
    ----------
    J. E. Enderby, D. M. North and P. A. Egelstaff, Philos. Mag. 14, 961 (1966); H. E. Fischer,
    A. C. Barnes and P. S. Salmon, Rep. Prog. Phys. 69, 233 (2006).
    """
    lengths = []
    for name, item in (("first", first), ("second", second)):
        if not isinstance(item, StructureFactor):
            raise ValueError(
                f"{name}={type(item).__name__}: must be a StructureFactor, as structure_factor or "
                "as_radiation gives it"
            )
        if item.radiation != "neutron" or item.lengths is None:
            raise ValueError(
                f"{name}: is for radiation {item.radiation!r}, and isotopes differ for neutrons "
                f"alone; use {name}.as_radiation('neutron', isotopes=...)"
            )
        lengths.append(item.lengths)
    _check_same(first, second)
    before, after = (factor_products(first.symbols, 0.0, lengths=b)[..., 0] for b in lengths)
    change = before - after
    coefficients = {}
    for a, b in pairs_of(first.symbols):
        i, j = first.symbols.index(a), first.symbols.index(b)
        share = first.concentrations[i] * first.concentrations[j] * (1 if i == j else 2)
        coefficients[a, b] = float(share * change[i, j])
    return DifferenceFunction(
        first.q, first.differential() - second.differential(), PairMapping(coefficients),
        (first.isotopes, second.isotopes), (lengths[0], lengths[1]),
    )  # fmt: skip


def _check_same(first: StructureFactor, second: StructureFactor) -> None:
    """Stop if the two are not the same structure on the same grid."""

    def differ(a: object, b: object, tolerance: float = 1e-9) -> bool:
        x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        return x.shape != y.shape or not np.allclose(x, y, tolerance, tolerance, equal_nan=True)

    remedy = (
        "a first-order difference needs one structure: use first.as_radiation('neutron', "
        "isotopes=...)"
    )
    if differ(first.q, second.q):
        raise ValueError(
            f"second.q: is not the grid of first; compute both at the same Q; {remedy}"
        )
    if first.symbols != second.symbols or differ(first.concentrations, second.concentrations):
        words = [
            ", ".join(f"{s} {c:.4g}" for s, c in zip(x.symbols, x.concentrations, strict=True))
            for x in (first, second)
        ]
        raise ValueError(f"second: consists of {words[1]}, first of {words[0]}; {remedy}")
    for name, unit in (("n_atoms", "atoms"), ("density", "atoms per Å³")):
        ours, theirs = getattr(first, name), getattr(second, name)
        if differ(ours, theirs):
            raise ValueError(f"second.{name}={theirs:.6g}: first has {ours:.6g} {unit}; {remedy}")
    for pair, s in first.partials.items():
        if differ(s, second.partials[pair], 1e-6):
            raise ValueError(
                f"second.partials[{pair[0]}-{pair[1]}]: is not that of first (other positions, or "
                f"another method, range, window or resolution); {remedy}"
            )
