"""Partial and total structure factors S(Q)."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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
from glassnb.scattering.pair_distribution import PairDistribution, pair_distribution
from glassnb.scattering.reciprocal import shell_averages
from glassnb.scattering.weights import check_radiation, scattering_factors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["StructureFactor", "structure_factor"]

METHODS = ("histogram", "direct")
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
        ``1 + sum c_a c_b b_a b_b (S_ab - 1) / <b>^2``.
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

    convention = "Faber-Ziman, tends to 1"

    def as_radiation(self, radiation: str) -> StructureFactor:
        """Return the same structure seen with another radiation.

        Parameters
        ----------
        radiation : str
            ``"neutron"``, ``"x-ray"`` or ``"electron"``.

        Returns
        -------
        StructureFactor
            The same partials under another total.

        Raises
        ------
        ValueError
            If the radiation is unknown or a species is not in its table.
        """
        total = _total(self.partials, self.symbols, self.concentrations, self.q, radiation)
        return replace(self, total=total, radiation=radiation)

    def differential(self) -> NDArray[np.float64]:
        """Return the distinct scattering F(Q) = <b>^2 (S(Q) - 1).

        Returns
        -------
        ndarray, shape (n_q,)
            barn per steradian and atom for neutrons, electrons² for X-rays, Å² for electrons.
        """
        b = scattering_factors(self.symbols, self.q, self.radiation)
        scale = 0.01 if self.radiation == "neutron" else 1.0  # fm² to barn
        return scale * (self.concentrations @ b) ** 2 * (self.total - 1)

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
            Columns ``q`` (Å⁻¹), ``total`` and one for each pair, such as ``Si-O``.
        """
        columns = {"q": self.q, "total": self.total}
        columns |= {"-".join(pair): s for pair, s in self.partials.items()}
        return pd.DataFrame(columns)

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
) -> StructureFactor:
    """Compute the structure factor of a periodic structure.

    ``method="histogram"`` transforms the partial g(r):
    ``S_ab(Q) = 1 + 4 pi rho sum r^2 (g_ab(r) - 1) sin(Qr)/(Qr) W(r) dr`` up to ``r_max``, as
    reverse Monte Carlo programs and SOVA do. ``method="direct"`` averages over the scattering
    vectors that the cell allows, within shells around the given ``q``.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, periodic in three directions; any cell.
    q : array_like, shape (n_q,), optional
        Scattering vectors in Å⁻¹, rising; for the direct method the middles of the shells. When
        omitted: 0.3 to 20 Å⁻¹ in steps of 0.02 (histogram), or to 10 Å⁻¹ in steps of 0.05 (direct).
    radiation : str
        Weights of the total: ``"neutron"``, ``"x-ray"`` or ``"electron"``.
    method : str
        ``"histogram"`` or ``"direct"``.
    r_max : float, optional
        End of g(r) in Å (histogram only); half the smallest height of the cell when omitted.
    bins : int, optional
        Number of bins of g(r) (histogram only); bins of 0.01 Å when omitted.
    window : str
        W(r), against the ripples of the end at ``r_max`` (histogram only): ``"none"``,
        ``"lorch"`` (sin x / x with x = pi r / r_max), ``"hann"`` or ``"welch"``.

    Returns
    -------
    StructureFactor
        Total and partials, with the other conventions as methods.

    Raises
    ------
    ValueError
        If the structure is not periodic or makes no sense, ``q`` is not positive and rising, an
        option is unknown, or a species does not scatter the radiation.

    References
    ----------
    D. A. Keen, J. Appl. Cryst. 34, 172 (2001).
    """
    check_atoms(atoms, periodic=True, minimum=2)
    check_radiation(radiation)
    if method not in METHODS:
        raise ValueError(f"method={method!r}: must be one of {', '.join(METHODS)}")
    if window not in WINDOWS:
        raise ValueError(f"window={window!r}: must be one of {', '.join(WINDOWS)}")
    q = _checked_q(q, method)
    symbols, species = species_of(atoms)
    scattering_factors(symbols, q[:1], radiation)  # an unknown species stops here, before work
    n_vectors = None
    if method == "histogram":
        bins = bins or (None if r_max is None else max(1, round(r_max / _BIN)))
        g = pair_distribution(atoms, r_max, bins=bins or _default_bins(atoms))
        partials = _from_pair_distribution(g, q, window)
        end = g.r[-1] + g.dr / 2
        words = f"g(r) to {end:.2f} Å in bins of {g.dr:.3g} Å, window: {window}"
    else:
        if r_max is not None or bins is not None or window != "none":
            raise ValueError("r_max, bins and window belong to method='histogram'")
        n_vectors, partials = shell_averages(atoms, _shell_edges(q))
        words = "direct sum over allowed scattering vectors, averaged over shells"
    concentrations = np.bincount(species, minlength=len(symbols)) / len(atoms)
    total = _total(partials, symbols, concentrations, q, radiation)
    return StructureFactor(
        q, total, partials, symbols, concentrations, len(atoms), number_density(atoms), radiation,
        words, n_vectors,
    )  # fmt: skip


def _default_bins(atoms: Atoms) -> int:
    return max(1, round(half_box(atoms) / _BIN))


def _checked_q(q: ArrayLike | None, method: str) -> NDArray[np.float64]:
    if q is None:
        start, stop, step = (0.3, 20.0, 0.02) if method == "histogram" else (0.3, 10.0, 0.05)
        return np.arange(start, stop + step / 2, step)
    q = np.atleast_1d(np.asarray(q, dtype=float))
    if q.ndim != 1 or q.size == 0 or not np.isfinite(q).all() or (q <= 0).any():
        raise ValueError("q: must be a list of positive finite numbers in Å⁻¹")
    if (np.diff(q) <= 0).any():
        raise ValueError("q: must rise from entry to entry; sort it and drop repeated values")
    if method == "direct" and q.size < 2:
        raise ValueError("q: the direct method needs at least two values to make shells")
    return q


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
    q: NDArray[np.float64],
    radiation: str,
) -> NDArray[np.float64]:
    b = scattering_factors(symbols, q, radiation)
    mean2 = (concentrations @ b) ** 2
    distinct = np.zeros_like(q)
    for (first, second), s in partials.items():
        i, j = symbols.index(first), symbols.index(second)
        weight = (1 if i == j else 2) * concentrations[i] * concentrations[j]
        distinct += weight * b[i] * b[j] * (s - 1)
    return 1 + distinct / mean2
