"""Pair distribution functions: how densely atoms surround atoms, by distance."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.histograms import pair_histogram
from glassnb.core.provenance import write_table
from glassnb.core.structure import PairMapping, check_atoms, half_box, number_density, pairs_of
from glassnb.scattering.composition import IsotopeShares, isotope_shares, substituted
from glassnb.scattering.weights import factor_products, mean_square

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PairDistribution", "pair_distribution"]

CONVENTIONS = ("g", "G", "D", "T", "G_PDF")
_BIN = 0.02  # Å, default bin width


@dataclass(frozen=True)
class PairDistribution:
    """Partial and total pair distribution functions.

    Parameters
    ----------
    r : ndarray, shape (n_r,)
        Middle of each bin in Å.
    counts : ndarray, shape (n_species, n_species, n_r)
        Number of ordered pairs in each bin.
    symbols : tuple of str
        Species, heaviest first.
    numbers : ndarray, shape (n_species,)
        Number of atoms of each species.
    density : float
        Atoms per Å³.
    isotopes : dict of str to dict of int to float
        Share of each mass number (0: the natural element) among the atoms of an element; elements
        that are natural throughout are left out.
    """

    r: NDArray[np.float64]
    counts: NDArray[np.int64]
    symbols: tuple[str, ...]
    numbers: NDArray[np.int64]
    density: float
    isotopes: IsotopeShares = field(default_factory=dict)

    @property
    def dr(self) -> float:
        """Bin width in Å."""
        return float(2 * self.r[0])

    @property
    def concentrations(self) -> NDArray[np.float64]:
        """Fraction of the atoms of each species, shape (n_species,)."""
        return self.numbers / self.numbers.sum()

    @property
    def shells(self) -> NDArray[np.float64]:
        """Volume of each spherical shell in Å³, shape (n_r,)."""
        inner, outer = self.r - self.dr / 2, self.r + self.dr / 2
        return 4 * np.pi / 3 * (outer**3 - inner**3)

    @property
    def partials(self) -> PairMapping[NDArray[np.float64]]:
        """Partial g_ab(r) by pair of symbols, each shape (n_r,); tends to 1."""
        c = self.concentrations
        found = {}
        for a, b in pairs_of(self.symbols):
            i, j = self.symbols.index(a), self.symbols.index(b)
            expected = self.numbers[i] * c[j] * self.density * self.shells
            found[a, b] = self.counts[i, j] / expected
        return PairMapping(found)

    @property
    def total(self) -> NDArray[np.float64]:
        """g(r) of all atoms alike, the number-number function, shape (n_r,); tends to 1."""
        n = self.numbers.sum()
        return self.counts.sum(axis=(0, 1)) / (n * self.density * self.shells)

    def weighted(
        self,
        convention: str = "T",
        radiation: str = "neutron",
        *,
        isotopes: Mapping[str, Any] | None = None,
    ) -> NDArray[np.float64]:
        """Return the total that a diffraction experiment sees.

        With ``b`` the scattering factor (X-rays and electrons: its value at Q = 0) and
        ``G = sum c_a c_b Re(b_a b_b*) (g_ab - 1)``:

        =========  ==============================  ====================
        name       definition                      unit (neutrons)
        =========  ==============================  ====================
        ``g``      ``1 + G / |<b>|^2``             1
        ``G``      ``G`` of Keen                   barn
        ``D``      ``4 pi rho r G``                barn Å⁻²
        ``T``      ``D + 4 pi rho r |<b>|^2``      barn Å⁻²
        ``G_PDF``  ``4 pi rho r G / |<b>|^2``      Å⁻²
        =========  ==============================  ====================

        Parameters
        ----------
        convention : str
            Name in the table.
        radiation : str
            ``"neutron"``, ``"x-ray"`` (electrons² instead of barn) or ``"electron"`` (Å²).
        isotopes : dict, optional
            Isotopes in place of those of the structure, for the elements named: see
            :func:`glassnb.scattering.structure_factor`.

        Returns
        -------
        ndarray, shape (n_r,)
            The function.

        Raises
        ------
        ValueError
            If the convention or the radiation is unknown, or isotopes make no sense.

        References
        ----------
        D. A. Keen, J. Appl. Cryst. 34, 172 (2001).
        """
        if convention not in CONVENTIONS:
            raise ValueError(f"convention={convention!r}: must be one of {', '.join(CONVENTIONS)}")
        shares = substituted(self.isotopes, isotopes, self.symbols)
        products = factor_products(self.symbols, 0.0, radiation, isotopes=shares)
        c = self.concentrations
        mean2 = float(mean_square(c, products)[0])
        keen = np.zeros_like(self.r)
        for (first, second), g in self.partials.items():
            i, j = self.symbols.index(first), self.symbols.index(second)
            keen += (1 if i == j else 2) * c[i] * c[j] * products[i, j, 0] * (g - 1)
        scale = 4 * np.pi * self.density * self.r
        return {
            "g": lambda: 1 + keen / mean2,
            "G": lambda: keen,
            "D": lambda: scale * keen,
            "T": lambda: scale * (keen + mean2),
            "G_PDF": lambda: scale * keen / mean2,
        }[convention]()

    def coordination_number(
        self, centre: str, neighbour: str, r_max: float, r_min: float = 0.0
    ) -> float:
        """Return the mean number of neighbours between two distances.

        Parameters
        ----------
        centre : str
            Symbol of the atoms in the centre.
        neighbour : str
            Symbol of the neighbours.
        r_max : float
            Outer distance in Å, counted to the nearest bin edge.
        r_min : float
            Inner distance in Å, likewise.

        Returns
        -------
        float
            Mean number of ``neighbour`` atoms around a ``centre`` atom.

        Raises
        ------
        ValueError
            If a species is absent or the range lies outside the histogram.
        """
        for name in (centre, neighbour):
            if name not in self.symbols:
                raise ValueError(f"{name!r} is not among the species {', '.join(self.symbols)}")
        end = self.r[-1] + self.dr / 2
        if not 0 <= r_min < r_max <= end * (1 + 1e-9):
            raise ValueError(f"r_min={r_min}, r_max={r_max}: must lie in order in 0-{end:.3f} Å")
        i, j = self.symbols.index(centre), self.symbols.index(neighbour)
        first, last = round(r_min / self.dr), round(r_max / self.dr)
        return float(self.counts[i, j, first:last].sum() / self.numbers[i])

    def to_frame(self) -> pd.DataFrame:
        """Return the functions as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``r`` (Å), ``total`` and one for each pair, such as ``Si-O``.
        """
        columns = {"r": self.r, "total": self.total}
        columns |= {"-".join(pair): g for pair, g in self.partials.items()}
        return pd.DataFrame(columns)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table of :meth:`to_frame` as comma-separated text, with its history.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        end = self.r[-1] + self.dr / 2
        numbers = dict(zip(self.symbols, self.numbers, strict=True))
        write_table(
            path, self.to_frame(), r_max=end, bins=self.r.size, numbers=numbers,
            isotopes=self.isotopes,
        )  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the partial functions.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting import plot_pair_distribution

        return plot_pair_distribution(self, ax)


def pair_distribution(
    atoms: Atoms, r_max: float | None = None, *, bins: int | None = None
) -> PairDistribution:
    """Compute the partial pair distribution functions of a periodic structure.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, periodic in three directions; any cell.
    r_max : float, optional
        Largest distance in Å; half the smallest height of the lattice when omitted, whatever cell
        describes it. Beyond it the periodic images of the model repeat.
    bins : int, optional
        Number of bins; bins of 0.02 Å when omitted.

    Returns
    -------
    PairDistribution
        Partials and totals, with the conventions of the field.

    Raises
    ------
    ValueError
        If the structure is not periodic or makes no sense, or ``r_max`` or ``bins`` is not
        positive.
    """
    check_atoms(atoms, periodic=True, minimum=2)
    if r_max is None:
        r_max = half_box(atoms)
    if bins is None:
        bins = max(1, round(round(r_max / _BIN, 6))) if np.isfinite(r_max) else 1
    symbols, counts = pair_histogram(atoms, r_max, bins)
    names = np.array(atoms.get_chemical_symbols())
    numbers = np.array([(names == symbol).sum() for symbol in symbols])
    r = (np.arange(bins, dtype=np.float64) + 0.5) * (r_max / bins)
    return PairDistribution(
        r, counts, symbols, numbers, number_density(atoms), isotope_shares(atoms)
    )
