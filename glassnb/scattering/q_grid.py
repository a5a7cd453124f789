"""At which Q a model of some size has a structure factor."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from glassnb.core.callers import warn
from glassnb.core.structure import check_atoms, half_box
from glassnb.scattering.reciprocal import shortest_q

__all__ = ["check_method", "checked_q", "smallest_q"]

METHODS = ("histogram", "direct")
_GRIDS = {"histogram": (20.0, 50), "direct": (10.0, 20)}  # default end in Å⁻¹, points per Å⁻¹


def smallest_q(atoms: Atoms, *, method: str = "histogram", r_max: float | None = None) -> float:
    """Return the Q below which a model of this size says nothing.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, periodic in three directions; any cell.
    method : str
        ``"histogram"``: 2 pi / r_max, for one oscillation of sin(Qr) within g(r). ``"direct"``:
        the length of the shortest scattering vector that the cell allows.
    r_max : float, optional
        End of g(r) in Å (histogram only); half the smallest height of the lattice when omitted.

    Returns
    -------
    float
        Smallest Q in Å⁻¹.

    Raises
    ------
    ValueError
        If the structure is not periodic, the method is unknown, or ``r_max`` is not positive.
    """
    check_atoms(atoms, periodic=True)
    check_method(method)
    if method == "direct":
        return shortest_q(atoms)
    r_max = half_box(atoms) if r_max is None else r_max
    if not (np.isfinite(r_max) and r_max > 0):
        raise ValueError(f"r_max={r_max}: must be a positive distance in Å")
    return float(2 * np.pi / r_max)


def check_method(method: str) -> None:
    """Stop on an unknown way to S(Q).

    Parameters
    ----------
    method : str
        ``"histogram"`` or ``"direct"``.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if method not in METHODS:
        raise ValueError(f"method={method!r}: must be one of {', '.join(METHODS)}")


def checked_q(q: ArrayLike | None, method: str, smallest: float) -> NDArray[np.float64]:
    """Return the scattering vectors of a structure factor.

    Parameters
    ----------
    q : array_like, shape (n_q,), or None
        As the user gave them; None for the default.
    method : str
        ``"histogram"`` or ``"direct"``.
    smallest : float
        What :func:`smallest_q` says.

    Returns
    -------
    ndarray, shape (n_q,)
        Scattering vectors in Å⁻¹.

    Raises
    ------
    ValueError
        If they are not positive and rising, or the default range is empty.

    Warns
    -----
    UserWarning
        If they begin below ``smallest``.
    """
    if q is None:
        end, per_unit = _GRIDS[method]
        first = int(np.ceil(smallest * per_unit - 1e-6))
        if first > end * per_unit:
            raise ValueError(
                f"q=None: this model has no S(Q) below {smallest:.3g} Å⁻¹, and the default ends at "
                f"{end:g}; use a larger r_max or structure, or give q"
            )
        return np.arange(first, int(end * per_unit) + 1) / per_unit
    q = np.atleast_1d(np.asarray(q, dtype=float))
    if q.ndim != 1 or q.size == 0 or not np.isfinite(q).all() or (q <= 0).any():
        raise ValueError("q: must be a list of positive finite numbers in Å⁻¹")
    if (np.diff(q) <= 0).any():
        raise ValueError("q: must rise from entry to entry; sort it and drop repeated values")
    if method == "direct" and q.size < 2:
        raise ValueError("q: the direct method needs at least two values to make shells")
    if q[0] < smallest * (1 - 1e-9):
        why = {
            "histogram": "2 pi / r_max, where the end of g(r) decides S(Q)",
            "direct": "the shortest scattering vector of the cell; shells below it are empty",
        }[method]
        warn(
            f"q: begins at {q[0]:.4g} Å⁻¹, below {smallest:.4g} Å⁻¹, {why}; begin there, or use a "
            "larger structure",
        )
    return q
