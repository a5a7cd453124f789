"""Partial and total structure factors S(Q)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from glassnb.core.provenance import write_table
from glassnb.core.structure import (
    PairMapping,
    check_atoms,
    half_box,
    number_density,
    species_of,
)
from glassnb.scattering.composition import IsotopeShares, isotope_shares, substituted
from glassnb.scattering.pair_distribution import PairDistribution, pair_distribution
from glassnb.scattering.q_grid import check_method, checked_q, smallest_q
from glassnb.scattering.reciprocal import shell_averages
from glassnb.scattering.weights import (
    check_radiation,
    factor_products,
    mean_square,
    neutron_lengths,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["StructureFactor", "structure_factor"]

WINDOWS = ("none", "lorch", "hann", "welch")
_BIN = 0.01  # Å, default bin of g(r): at Q = 20 Å⁻¹ its width costs 0.2 % of a bin's contribution


@dataclass(frozen=True)
class StructureFactor:
    """Structure factor of a model.

    Parameters
    ----------
    q : ndarray, shape (n_q,)
        Scattering vector in Å⁻¹.
    total : ndarray, shape (n_q,)
        Total S(Q) in the Faber-Ziman convention, tends to 1:
        ``1 + sum c_a c_b Re(b_a b_b*) (S_ab - 1) / |<b>|^2``.
    partials : PairMapping
        Faber-Ziman partial S_ab(Q) by pair of symbols, each tends to 1.
    symbols : tuple of str
        Species, heaviest first.
    concentrations : ndarray, shape (n_species,)
        Fraction of the atoms of each species.
    n_atoms : int
        Number of atoms of the model.
    density : float
        Atoms per Å³.
    radiation : str
        ``"neutron"``, ``"x-ray"`` or ``"electron"``.
    method : str
        How it was computed, in words, with the range and the window in r.
    n_vectors : ndarray, shape (n_q,), optional
        Number of scattering vectors in each shell of the direct sum (q and -q counted once).
    isotopes : dict of str to dict of int to float
        Share of each mass number (0: the natural element) among the atoms of an element; elements
        that are natural throughout are left out.
    lengths : dict of str to float or complex, optional
        The mean neutron scattering length in fm with which each element entered the total; None
        for another radiation.
    """

    q: NDArray[np.float64]
    total: NDArray[np.float64]
    partials: PairMapping[NDArray[np.float64]]
    symbols: tuple[str, ...]
    concentrations: NDArray[np.float64]
    n_atoms: int
    density: float
    radiation: str
    method: str
    n_vectors: NDArray[np.int64] | None = None
    isotopes: IsotopeShares = field(default_factory=dict)
    lengths: dict[str, float | complex] | None = None

    convention = "Faber-Ziman, tends to 1"

    def as_radiation(
        self, radiation: str, *, isotopes: Mapping[str, Any] | None = None
    ) -> StructureFactor:
        """Return the same structure seen with another radiation, or with other isotopes.

        Parameters
        ----------
        radiation : str
            ``"neutron"``, ``"x-ray"`` or ``"electron"``.
        isotopes : dict, optional
            Isotopes in place of those of this result, for the elements named: see
            :func:`structure_factor`. X-rays and electrons do not see them.

        Returns
        -------
        StructureFactor
            The same partials under another total.

        Raises
        ------
        ValueError
            If the radiation is unknown, a species is not in its table, or isotopes make no sense.
        """
        check_radiation(radiation)
        shares = substituted(self.isotopes, isotopes, self.symbols)
        lengths = neutron_lengths(self.symbols, shares) if radiation == "neutron" else None
        products = factor_products(self.symbols, self.q, radiation, lengths=lengths)
        total = _total(self.partials, self.symbols, self.concentrations, products)
        return replace(self, total=total, radiation=radiation, isotopes=shares, lengths=lengths)

    def differential(self) -> NDArray[np.float64]:
        """Return the distinct scattering F(Q) = |<b>|^2 (S(Q) - 1).

        Returns
        -------
        ndarray, shape (n_q,)
            barn per steradian and atom for neutrons, electrons² for X-rays, Å² for electrons.
        """
        products = factor_products(self.symbols, self.q, self.radiation, lengths=self.lengths)
        return mean_square(self.concentrations, products) * (self.total - 1)

    def ashcroft_langreth(self) -> PairMapping[NDArray[np.float64]]:
        """Return the Ashcroft-Langreth partials ``delta_ab + sqrt(c_a c_b) (S_ab - 1)``.

        Returns
        -------
        PairMapping
            Partials by pair of symbols; like pairs tend to 1, unlike pairs to 0.
        """
        found = {}
        for (a, b), s in self.partials.items():
            i, j = self.symbols.index(a), self.symbols.index(b)
            weight = np.sqrt(self.concentrations[i] * self.concentrations[j])
            found[a, b] = (1.0 if i == j else 0.0) + weight * (s - 1)
        return PairMapping(found)

    def bhatia_thornton(self) -> dict[str, NDArray[np.float64]]:
        """Return the Bhatia-Thornton structure factors of a structure of two species.

        Returns
        -------
        dict
            ``"NN"`` (number-number, tends to 1), ``"NC"`` (tends to 0) and ``"CC"``
            (concentration-concentration, tends to c_a c_b).

        Raises
        ------
        ValueError
            If the structure does not have two species.

        References
        ----------
        A. B. Bhatia and D. E. Thornton, Phys. Rev. B 2, 3004 (1970).
        """
        if len(self.symbols) != 2:
            raise ValueError(
                "Bhatia-Thornton structure factors need two species; the structure has "
                f"{len(self.symbols)} ({', '.join(self.symbols)})"
            )
        (a, b), (c_a, c_b) = self.symbols, self.concentrations
        aa, ab, bb = self.partials[a, a], self.partials[a, b], self.partials[b, b]
        return {
            "NN": c_a**2 * aa + 2 * c_a * c_b * ab + c_b**2 * bb,
            "NC": c_a * c_b * (c_a * (aa - ab) - c_b * (bb - ab)),
            "CC": c_a * c_b * (1 + c_a * c_b * (aa + bb - 2 * ab)),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return the structure factors as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``q`` (Å⁻¹), ``total`` and one for each pair, such as ``Si-O``; its ``attrs``
            hold ``radiation``, ``isotopes`` and ``lengths``.
        """
        columns = {"q": self.q, "total": self.total}
        columns |= {"-".join(pair): s for pair, s in self.partials.items()}
        frame = pd.DataFrame(columns)
        frame.attrs = {name: getattr(self, name) for name in ("radiation", "isotopes", "lengths")}
        return frame

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table of :meth:`to_frame` as comma-separated text, with its history.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        write_table(
            path, self.to_frame(), radiation=self.radiation, method=self.method,
            convention=self.convention, n_atoms=self.n_atoms, density=self.density,
            isotopes=self.isotopes, lengths=self.lengths,
        )  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the total structure factor.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting import plot_structure_factor

        return plot_structure_factor(self, ax)


def structure_factor(
    atoms: Atoms,
    q: ArrayLike | None = None,
    *,
    radiation: str = "neutron",
    method: str = "histogram",
    r_max: float | None = None,
    bins: int | None = None,
    window: str = "none",
    isotopes: Mapping[str, Any] | None = None,
) -> StructureFactor:
    """Compute the structure factor of a periodic structure.

    ``method="histogram"`` transforms the partial g(r):
    ``S_ab(Q) = 1 + 4 pi rho sum r^2 (g_ab(r) - 1) sin(Qr)/(Qr) W(r) dr`` up to ``r_max``, as
    reverse Monte Carlo programs and SOVA do. ``method="direct"`` averages over the scattering
    vectors that the cell allows, within shells around the given ``q``.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, periodic in three directions; any cell. Its isotopes
        (:mod:`glassnb.core.isotopes`) enter the total for neutrons: each element with the mean
        length of its atoms.
    q : array_like, shape (n_q,), optional
        Scattering vectors in Å⁻¹, rising; for the direct method the middles of the shells. When
        omitted: the multiples of 0.02 Å⁻¹ from :func:`smallest_q` to 20 Å⁻¹ (histogram), or those
        of 0.05 to 10 Å⁻¹ (direct).
    radiation : str
        Weights of the total: ``"neutron"``, ``"x-ray"`` or ``"electron"``.
    method : str
        ``"histogram"`` or ``"direct"``.
    r_max : float, optional
        End of g(r) in Å (histogram only); half the smallest height of the lattice when omitted.
    bins : int, optional
        Number of bins of g(r) (histogram only); bins of 0.01 Å when omitted.
    window : str
        W(r), against the ripples of the end at ``r_max`` (histogram only): ``"none"``,
        ``"lorch"`` (sin x / x with x = pi r / r_max), ``"hann"`` or ``"welch"``.
    isotopes : dict, optional
        Isotopic substitution: a mass number by symbol, as ``{"H": 2}``, or shares that sum to 1,
        as ``{"Ni": {58: 0.7, 62: 0.3}}``, 0 for the natural element; in place of the isotopes that
        the structure has of these elements.

    Returns
    -------
    StructureFactor
        Total and partials, with the other conventions as methods.

    Raises
    ------
    ValueError
        If the structure is not periodic or makes no sense, ``q`` is not positive and rising, an
        option is unknown, isotopes make no sense, or a species does not scatter the radiation.

    Warns
    -----
    UserWarning
        If ``q`` goes below :func:`smallest_q`, or a scattering length depends on energy.

    References
    ----------
    D. A. Keen, J. Appl. Cryst. 34, 172 (2001).
    """
    check_atoms(atoms, periodic=True, minimum=2)
    check_radiation(radiation)
    check_method(method)
    if window not in WINDOWS:
        raise ValueError(f"window={window!r}: must be one of {', '.join(WINDOWS)}")
    if method == "direct" and (r_max is not None or bins is not None or window != "none"):
        raise ValueError("r_max, bins and window belong to method='histogram'")
    q = checked_q(q, method, smallest_q(atoms, method=method, r_max=r_max))
    symbols, species = species_of(atoms)
    # An unknown species or isotope stops here, before work.
    shares = substituted(isotope_shares(atoms), isotopes, symbols)
    lengths = neutron_lengths(symbols, shares) if radiation == "neutron" else None
    products = factor_products(symbols, q, radiation, lengths=lengths)
    n_vectors = None
    if method == "histogram":
        if bins is None:
            r_max = half_box(atoms) if r_max is None else r_max
            bins = max(1, round(round(r_max / _BIN, 6)))  # equal settings of a cell: equal bins
        g = pair_distribution(atoms, r_max, bins=bins)
        partials = _from_pair_distribution(g, q, window)
        end = g.r[-1] + g.dr / 2
        words = f"g(r) to {end:.2f} Å in bins of {g.dr:.3g} Å, window: {window}"
    else:
        n_vectors, partials = shell_averages(atoms, _shell_edges(q))
        words = "direct sum over allowed scattering vectors, averaged over shells"
    concentrations = np.bincount(species, minlength=len(symbols)) / len(atoms)
    total = _total(partials, symbols, concentrations, products)
    return StructureFactor(
        q, total, partials, symbols, concentrations, len(atoms), number_density(atoms), radiation,
        words, n_vectors, shares, lengths,
    )  # fmt: skip


def _shell_edges(q: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = (q[1:] + q[:-1]) / 2
    first, last = max(0.0, 2 * q[0] - middle[0]), 2 * q[-1] - middle[-1]
    return np.concatenate([[first], middle, [last]])


def _from_pair_distribution(
    g: PairDistribution, q: NDArray[np.float64], window: str
) -> PairMapping[NDArray[np.float64]]:
    x = np.pi * g.r / (g.r[-1] + g.dr / 2)
    weight = {
        "none": np.ones_like(x),
        "lorch": np.sin(x) / x,
        "hann": (1 + np.cos(x)) / 2,
        "welch": 1 - (x / np.pi) ** 2,
    }[window]
    pairs = list(g.partials)
    integrand = np.array([4 * np.pi * g.density * g.r**2 * (g.partials[p] - 1) for p in pairs])
    # np.sinc(x) is sin(pi x) / (pi x)
    transform = np.sinc(np.outer(g.r, q) / np.pi)
    values = 1 + (integrand * weight * g.dr) @ transform
    return PairMapping(dict(zip(pairs, values, strict=True)))


def _total(
    partials: PairMapping[NDArray[np.float64]],
    symbols: tuple[str, ...],
    concentrations: NDArray[np.float64],
    products: NDArray[np.float64],
) -> NDArray[np.float64]:
    distinct = np.zeros(products.shape[-1])
    for (first, second), s in partials.items():
        i, j = symbols.index(first), symbols.index(second)
        weight = (1 if i == j else 2) * concentrations[i] * concentrations[j]
        distinct += weight * products[i, j] * (s - 1)
    return 1 + distinct / mean_square(concentrations, products)
