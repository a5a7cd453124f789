"""How strongly each species scatters neutrons, X-rays and electrons.

Neutron lengths and X-ray form factors come from the periodictable library: the NIST table of bound
coherent lengths, and the fits of Waasmaier and Kirfel, Acta Cryst. A 51, 416 (1995). Electron
factors follow from the X-ray ones by the Mott-Bethe formula.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import periodictable
from numpy.typing import ArrayLike, NDArray
from periodictable import cromermann

__all__ = [
    "RADIATIONS",
    "check_radiation",
    "electron_form_factor",
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


def neutron_scattering_length(symbol: str) -> float:
    """Return the bound coherent neutron scattering length of an element.

    Parameters
    ----------
    symbol : str
        Chemical symbol; an isotope as ``"Si-29"``.

    Returns
    -------
    float
        Scattering length in fm.

    Raises
    ------
    ValueError
        If the species is unknown or has no tabulated length.
    """
    element, _, mass = symbol.partition("-")
    try:
        entry = getattr(periodictable, element)
        entry = entry[int(mass)] if mass else entry
        with _one_at_a_time:  # the library fills its table at the first call
            length = entry.neutron.b_c
    except (AttributeError, KeyError, ValueError):
        length = None
    if element in ("n", "") or length is None:
        raise ValueError(
            f"species {symbol!r} has no neutron scattering length; set the chemical symbols of "
            "the structure (atoms.symbols) to elements that are in the table"
        )
    return float(length)


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
    symbols: Sequence[str], q: ArrayLike, radiation: str = "neutron"
) -> NDArray[np.float64]:
    """Return the scattering factor of each species.

    Parameters
    ----------
    symbols : sequence of str
        Species.
    q : array_like, shape (n_q,)
        Scattering vector in Å⁻¹.
    radiation : str
        ``"neutron"`` (fm, independent of Q), ``"x-ray"`` (electrons) or ``"electron"`` (Å).

    Returns
    -------
    ndarray, shape (n_species, n_q)
        Scattering factors.

    Raises
    ------
    ValueError
        If the radiation is unknown or a species is not in its table.
    """
    check_radiation(radiation)
    q = np.atleast_1d(np.asarray(q, dtype=float))
    if radiation == "neutron":
        return np.array([np.full(q.shape, neutron_scattering_length(s)) for s in symbols])
    factor = x_ray_form_factor if radiation == "x-ray" else electron_form_factor
    return np.array([factor(symbol, q) for symbol in symbols])
