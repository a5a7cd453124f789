"""How strongly each species scatters neutrons, X-rays and electrons.

Neutron lengths and X-ray form factors come from the periodictable library: the table of bound
coherent lengths of Rauch and Waschkowski (2003), with the absorption of neutrons of 2200 m/s as
imaginary part, and the fits of Waasmaier and Kirfel, Acta Cryst. A 51, 416 (1995). Electron
factors follow from the X-ray ones by the Mott-Bethe formula.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import periodictable
from numpy.typing import ArrayLike, NDArray
from periodictable import cromermann

from glassnb.core.callers import warn
from glassnb.core.isotopes import parse_species, species_label
from glassnb.scattering.composition import substituted

__all__ = [
    "RADIATIONS",
    "check_radiation",
    "electron_form_factor",
    "factor_products",
    "mean_square",
    "neutron_lengths",
    "neutron_scattering_length",
    "scattering_factors",
    "x_ray_form_factor",
]

RADIATIONS = ("neutron", "x-ray", "electron")

# Mott-Bethe: f_e = _MOTT_BETHE (Z - f_0) / s^2 with s = Q / 4 pi; the constant is
# m e^2 / (8 pi epsilon_0 h^2) in Å⁻¹.
_MOTT_BETHE = 0.0239337
# Below _LOW_K (k = Q / 2 pi, Å^-1) the fits of f_0 are not exact enough for Z - f_0; there ln f_e
# is continued as a polynomial in k^2 fitted up to _FIT_K.
_LOW_K, _FIT_K = 0.1, 0.3
_NEGLIGIBLE = 0.01  # imaginary share of a neutron length, see neutron_scattering_length

_one_at_a_time = threading.Lock()


def check_radiation(radiation: str) -> None:
    """Stop on an unknown kind of radiation.

    Parameters
    ----------
    radiation : str
        ``"neutron"``, ``"x-ray"`` or ``"electron"``.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if radiation not in RADIATIONS:
        raise ValueError(f"radiation={radiation!r}: must be one of {', '.join(RADIATIONS)}")


def neutron_scattering_length(symbol: str) -> float | complex:
    """Return the bound coherent neutron scattering length of an element or isotope.

    Parameters
    ----------
    symbol : str
        Chemical symbol; an isotope as ``"D"``, ``"Si-29"`` or ``"29Si"``.

    Returns
    -------
    float or complex
        Scattering length in fm. It is complex for nuclei that absorb, such as those of natural B,
        Cd, Gd, with ``b = b' - i b''``; an imaginary part below 1 % of the length, which changes
        |b|^2 by less than 1e-4, is left out.

    Raises
    ------
    ValueError
        If the species is unknown or has no tabulated length.
    """
    length = getattr(_neutron_entry(symbol), "b_c_complex", None)
    if length is None or not np.isfinite(length):
        raise ValueError(
            f"species {symbol!r} has no neutron scattering length; set the chemical symbols of "
            "the structure (atoms.symbols) to elements, and isotopes to those, in the table; "
            'an isotope is written as "Ni-58" or "58Ni"'
        )
    length = complex(length)
    return length if abs(length.imag) > _NEGLIGIBLE * abs(length) else length.real


def _neutron_entry(symbol: str) -> Any:
    """Return the row of the table, or None if there is none."""
    try:
        element, mass_number = parse_species(symbol)
        entry = getattr(periodictable, element)
        with _one_at_a_time:  # the library fills its table at the first call
            return (entry[mass_number] if mass_number else entry).neutron
    except (AttributeError, KeyError, ValueError):
        return None


def neutron_lengths(
    symbols: Sequence[str], isotopes: Mapping[str, Any] | None = None
) -> dict[str, float | complex]:
    """Return the mean neutron scattering length of each element.

    Parameters
    ----------
    symbols : sequence of str
        Elements.
    isotopes : dict, optional
        Isotopes by symbol, as :func:`scattering_factors` takes them.

    Returns
    -------
    dict of str to float or complex
        Lengths in fm: the coherent scattering of an element with several isotopes on its sites is
        that of their mean.

    Raises
    ------
    ValueError
        If a species is not in the table, or isotopes make no sense.

    Warns
    -----
    UserWarning
        If a length depends on the energy of the neutrons, as those of Cd, Sm, Eu and Gd do.
    """
    found, resonant = {}, []
    shares = substituted({}, isotopes, symbols)
    for symbol in dict.fromkeys(symbols):
        mean: float | complex = 0.0
        for mass_number, share in shares.get(symbol, {0: 1.0}).items():
            label = species_label(symbol, mass_number)
            length = neutron_scattering_length(label)
            mean += share * length
            if isinstance(length, complex) and _neutron_entry(label).is_energy_dependent:
                resonant.append(f"{label} ({length:.3g} fm)")
        found[symbol] = mean
    if resonant:
        warn(
            f"the scattering length of {', '.join(resonant)} depends on the energy of the neutrons "
            "(absorption resonance); the value at 2200 m/s, 1.8 Å, is used. Choose isotopes "
            "without resonance (isotopes=...), or weigh the partials with lengths at your energy",
        )
    return found


def x_ray_form_factor(symbol: str, q: ArrayLike) -> NDArray[np.float64]:
    """Return the X-ray form factor of a neutral atom.

    Parameters
    ----------
    symbol : str
        Chemical symbol.
    q : array_like, shape (n_q,)
        Scattering vector in Å⁻¹.

    Returns
    -------
    ndarray, shape (n_q,)
        f_0(Q) in electrons, without the energy-dependent f' and f''.

    Raises
    ------
    ValueError
        If the species has no tabulated form factor.

    References
    ----------
    D. Waasmaier and A. Kirfel, Acta Cryst. A 51, 416 (1995).
    """
    try:
        with _one_at_a_time:  # the library fills its table at the first call
            values = cromermann.fxrayatq(symbol, np.asarray(q, dtype=float))
    except KeyError:
        raise ValueError(
            f"species {symbol!r} has no X-ray form factor; set the chemical symbols of the "
            "structure (atoms.symbols) to elements that are in the table"
        ) from None
    return np.asarray(values, dtype=float)


def electron_form_factor(symbol: str, q: ArrayLike) -> NDArray[np.float64]:
    """Return the electron scattering factor of a neutral atom at rest mass.

    The Mott-Bethe formula on the X-ray form factor, within about 1.5 % of tabulated electron
    factors; towards Q = 0, where the formula divides two small numbers, a smooth continuation.

    Parameters
    ----------
    symbol : str
        Chemical symbol.
    q : array_like, shape (n_q,)
        Scattering vector in Å⁻¹.

    Returns
    -------
    ndarray, shape (n_q,)
        f_e(Q) in Å.

    Raises
    ------
    ValueError
        If the species has no tabulated form factor.

    References
    ----------
    N. F. Mott, Proc. R. Soc. A 127, 658 (1930); E. J. Kirkland, Advanced Computing in Electron
    Microscopy (2010), appendix C.
    """
    k = np.asarray(q, dtype=float) / (2 * np.pi)

    def mott_bethe(k: NDArray[np.float64]) -> NDArray[np.float64]:
        number = getattr(periodictable, symbol).number
        return _MOTT_BETHE * (number - x_ray_form_factor(symbol, 2 * np.pi * k)) / (k / 2) ** 2

    x_ray_form_factor(symbol, 1.0)  # a clear error first
    fit_k = np.linspace(_LOW_K, _FIT_K, 41)
    polynomial = np.polynomial.Polynomial.fit(fit_k**2, np.log(mott_bethe(fit_k)), 2)
    low = k < _LOW_K
    values = np.empty_like(k)
    values[low] = np.exp(polynomial(k[low] ** 2))
    values[~low] = mott_bethe(k[~low])
    return values


def scattering_factors(
    symbols: Sequence[str],
    q: ArrayLike,
    radiation: str = "neutron",
    *,
    isotopes: Mapping[str, Any] | None = None,
) -> NDArray[Any]:
    """Return the scattering factor of each species.

    Parameters
    ----------
    symbols : sequence of str
        Species.
    q : array_like, shape (n_q,)
        Scattering vector in Å⁻¹.
    radiation : str
        ``"neutron"`` (fm, independent of Q), ``"x-ray"`` (electrons) or ``"electron"`` (Å).
    isotopes : dict, optional
        A mass number by symbol, as ``{"H": 2}``, or the share of each, as
        ``{"Ni": {58: 0.7, 62: 0.3}}``; elements that are not named are natural. X-rays and
        electrons do not see them.

    Returns
    -------
    ndarray, shape (n_species, n_q)
        Scattering factors; complex where a species absorbs neutrons.

    Raises
    ------
    ValueError
        If the radiation is unknown or a species is not in its table.
    """
    check_radiation(radiation)
    q = np.atleast_1d(np.asarray(q, dtype=float))
    if radiation == "neutron":
        lengths = neutron_lengths(symbols, isotopes)
        return np.repeat(np.array([lengths[s] for s in symbols])[:, None], q.size, axis=1)
    factor = x_ray_form_factor if radiation == "x-ray" else electron_form_factor
    return np.array([factor(symbol, q) for symbol in symbols])


def factor_products(
    symbols: Sequence[str],
    q: ArrayLike,
    radiation: str = "neutron",
    *,
    isotopes: Mapping[str, Any] | None = None,
    lengths: Mapping[str, float | complex] | None = None,
) -> NDArray[np.float64]:
    """Return how strongly each pair of species scatters, Re(b_a b_b*).

    With the concentrations c, ``sum c_a c_b Re(b_a b_b*) (S_ab - 1)`` is the distinct scattering,
    and ``sum c_a c_b Re(b_a b_b*)`` is |<b>|^2, for complex lengths too.

    Parameters
    ----------
    symbols : sequence of str
        Species.
    q : array_like, shape (n_q,)
        Scattering vector in Å⁻¹.
    radiation : str
        ``"neutron"`` (barn), ``"x-ray"`` (electrons²) or ``"electron"`` (Å²).
    isotopes : dict, optional
        Isotopes by symbol, as :func:`scattering_factors` takes them.
    lengths : dict, optional
        Neutron lengths in fm by symbol, in place of those of the table.

    Returns
    -------
    ndarray, shape (n_species, n_species, n_q)
        Products, symmetric in the species.

    Raises
    ------
    ValueError
        If the radiation is unknown or a species is not in its table.
    """
    if radiation == "neutron" and lengths is not None:
        each = np.array([lengths[symbol] for symbol in symbols])
        b = np.repeat(each[:, None], np.size(q), axis=1)
    else:
        b = scattering_factors(symbols, q, radiation, isotopes=isotopes)
    products = (b[:, None] * b.conj()[None]).real
    return products * 0.01 if radiation == "neutron" else products  # fm² to barn


def mean_square(concentrations: ArrayLike, products: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return |<b>|^2 from the result of :func:`factor_products`.

    Parameters
    ----------
    concentrations : array_like, shape (n_species,)
        Fraction of the atoms of each species.
    products : ndarray, shape (n_species, n_species, n_q)
        Products of scattering factors.

    Returns
    -------
    ndarray, shape (n_q,)
        In the unit of the products.
    """
    c = np.asarray(concentrations, dtype=float)
    return np.asarray(np.einsum("a,abq,b->q", c, products, c))
