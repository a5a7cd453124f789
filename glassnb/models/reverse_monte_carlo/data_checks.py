"""Checks of the data of reverse Monte Carlo, before any work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnb.scattering.pair_distribution import CONVENTIONS
from glassnb.scattering.weights import check_radiation

if TYPE_CHECKING:
    from glassnb.models.reverse_monte_carlo.data import Data, PairDistributionData

__all__ = ["check_data", "check_errors", "default_error", "in_range", "point_errors"]

_FIT = ("fixed", "refine")
_WINDOWS = (None, "lorch")
# Of the standard deviation of the data: the residue, as an R factor, that models of some thousand
# atoms come down to. 0.010 to 0.014 for S(Q) of silica up to 12 to 20 Å⁻¹.
_SHARE = 0.05
_FEWEST = 5  # points of a data set
# Seen from its middle, a bin of width dr that is filled evenly is too strong by (Q dr)^2 / 24:
# 11 % at this Q dr.
_COARSEST = 1.6
# Of the largest value: the rounding of numbers is 1e-16 of it, and chi-squared a number still.
_LEAST = 1e-12
# S(Q) and g(r) shall tend to 1 within this, where the data reach far enough to tell.
_TOLERANCE, _FAR = 0.1, 8.0


def check_data(data: Data, edges: ArrayLike | None = None) -> None:
    """Stop on data that no refinement can use.

    S(Q) and g(r) must tend to 1: the mean over the last quarter of the points may differ by 0.1,
    if the data reach 8 Å⁻¹ or 8 Å and neither scale nor offset is refined.

    Parameters
    ----------
    data : StructureFactorData or PairDistributionData
        The data.
    edges : array_like, shape (n_bins + 1,), optional
        Edges of the distance bins in Å they will be calculated from.

    Raises
    ------
    ValueError
        If an option is unknown; numbers are not finite, Q or r is not positive or does not rise,
        lengths differ, an error is not positive, fewer than five points are left, the
        normalisation is wrong, or the histogram cannot carry the data.
    """
    _check_options(data)
    _check_points(data)
    used = in_range(data)
    if used.sum() < _FEWEST:
        raise ValueError(
            f"{data.convention}: {used.sum()} points to use, at least {_FEWEST} are needed; "
            f"range asked for: {data.used_range}"
        )
    if data.scale == data.offset == "fixed" and data.points[-1] >= _FAR:
        _check_normalisation(data)
    if edges is not None:
        _check_bins(data, data.points[used], _checked_edges(edges))


def in_range(data: Data) -> NDArray[np.bool_]:
    """Return which points are to be used.

    Parameters
    ----------
    data : StructureFactorData or PairDistributionData
        The data.

    Returns
    -------
    ndarray, shape (n_points,)
        Whether each point lies within ``q_range`` or ``r_range``.

    Raises
    ------
    ValueError
        If the ends of the range are not in order.
    """
    if data.used_range is None:
        return np.ones(data.points.shape, dtype=bool)
    first, last = data.used_range
    if not first < last:
        raise ValueError(f"q_range or r_range={data.used_range}: must be two numbers in order")
    return (data.points >= first) & (data.points <= last)


def default_error(data: Data, use: NDArray[np.bool_] | None = None) -> float:
    """Return the standard error that is assumed where none is given.

    It is 5 % of the standard deviation of the data, so it has their unit, and a chi-squared of 1
    for each point says that the model explains all but 5 % of what the data show. T(r) counts from
    the straight line through the origin about which it varies. Where all points are equal it is
    5 % of their value.

    Parameters
    ----------
    data : StructureFactorData or PairDistributionData
        The data.
    use : ndarray, shape (n_points,), optional
        Which points count; all when omitted.

    Returns
    -------
    float
        In the unit of the data.

    Raises
    ------
    ValueError
        If all values are 0.
    """
    used = slice(None) if use is None else use
    x, values = data.points[used], data.measured[used]
    if data.convention == "T(r)":
        values = values - x * (x @ values) / (x @ x)
    error = _SHARE * float(np.std(values) or abs(np.mean(values)))
    if error == 0:
        raise ValueError("sigma=None: all data are 0, which gives no scale; give sigma")
    return error


def point_errors(data: Data) -> NDArray[np.float64]:
    """Return the standard error of each point.

    Parameters
    ----------
    data : StructureFactorData or PairDistributionData
        The data.

    Returns
    -------
    ndarray, shape (n_points,)
        Its ``sigma``, or :func:`default_error`.

    Raises
    ------
    ValueError
        If their number is another, or there is none and the data give no scale.
    """
    given = default_error(data) if data.sigma is None else data.sigma
    errors, shape = np.asarray(given, dtype=np.float64), data.points.shape
    if errors.ndim and errors.shape != shape:
        raise ValueError(f"sigma: shape {errors.shape}, but the data have {shape}")
    return np.full(shape, errors)


def check_errors(errors: NDArray[np.float64], values: NDArray[np.float64]) -> None:
    """Stop on standard errors that no number can be as near as.

    Parameters
    ----------
    errors : ndarray, shape (n_points,)
        Those that the refinement assumes.
    values : ndarray, shape (n_points,)
        The data.

    Raises
    ------
    ValueError
        If one is below 1e-12 of the largest value.
    """
    least = _LEAST * float(np.abs(values).max())
    if errors.min() < least:
        raise ValueError(
            f"sigma={errors.min():g}: is below the rounding of the data, so that chi-squared means "
            f"nothing; give standard errors of at least {least:.2g}, or leave sigma out"
        )


def _check_options(data: Data) -> None:
    check_radiation(data.radiation)
    for name, value in (("scale", data.scale), ("offset", data.offset)):
        if value not in _FIT:
            raise ValueError(f"{name}={value!r}: must be one of {', '.join(_FIT)}")
    if not (np.isfinite(data.weight) and data.weight >= 0):
        raise ValueError(f"weight={data.weight}: must be a number of at least 0")
    if data.density is not None and not (np.isfinite(data.density) and data.density > 0):
        raise ValueError(f"density={data.density}: must be a positive number of atoms per Å³")
    shares = [1.0] if data.composition is None else list(data.composition.values())
    if not (shares and np.isfinite(shares).all() and min(shares) > 0):
        raise ValueError(
            f"composition={data.composition}: must be numbers of atoms by symbol, such as "
            '{"Si": 1, "O": 2}'
        )
    if data.convention != "S(Q)":
        _check_pair_options(data)  # type: ignore[arg-type]


def _check_pair_options(data: PairDistributionData) -> None:
    if data.function not in CONVENTIONS:
        raise ValueError(f"function={data.function!r}: must be one of {', '.join(CONVENTIONS)}")
    if data.window not in _WINDOWS:
        raise ValueError(f'window={data.window!r}: must be None or "lorch"')
    if data.q_max is not None:
        if not (np.isfinite(data.q_max) and data.q_max > 0):
            raise ValueError(f"q_max={data.q_max}: must be a positive number in Å⁻¹")
    elif data.window is not None:
        raise ValueError(f"q_max=None: the window {data.window!r} ends at q_max; give it")
    elif data.radiation != "neutron":
        raise ValueError(
            f"q_max=None: the {data.radiation} weights depend on Q; give the last Q (Å⁻¹) of the "
            "transform that made the data"
        )


def _check_points(data: Data) -> None:
    kind, x, y = data.convention, data.points, data.measured
    name = kind[-2].lower()
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"{name}: shape {x.shape}, but {kind} has {y.shape}; must be equal lists")
    for what, numbers in ((name, x), (kind, y)):
        bad = np.flatnonzero(~np.isfinite(numbers))
        if bad.size:
            raise ValueError(
                f"{what}: NaN or infinite at {bad.size} of {x.size} points, first at index "
                f"{bad[0]}; leave these points out"
            )
    if (x <= 0).any():
        raise ValueError(f"{name}={x.min():g}: must be positive; leave such points out")
    if (np.diff(x) <= 0).any():
        raise ValueError(f"{name}: must rise from point to point; sort it, drop repeated values")
    errors = np.ones(1) if data.sigma is None else data.errors
    if not (np.isfinite(errors) & (errors > 0)).all():
        raise ValueError(f"sigma={errors.min():g}: every standard error must be positive")


def _check_normalisation(data: Data) -> None:
    """Compare the far end with what the function tends to; T(r) has no such end."""
    y, kind = data.measured, data.convention
    last = float(y[-max(_FEWEST, y.size // 4) :].mean())
    if kind in ("S(Q)", "g(r)"):
        wrong, end = abs(last - 1) > _TOLERANCE, 1
    else:
        wrong, end = kind != "T(r)" and abs(last) > _TOLERANCE * np.abs(y).max(), 0
    if not wrong:
        return
    if kind == "S(Q)" and abs(last) <= _TOLERANCE:
        raise ValueError(
            f"total: tends to {last:.3f}, not to 1; looks like S-1, also called i(Q), or like "
            "Q(S-1) or F: read it with read_experiment(..., convention='S-1'), 'Q(S-1)' or 'F'"
        )
    what = "total" if kind == "S(Q)" else "values"
    raise ValueError(
        f"{what}: tends to {last:.3f}, but {kind} tends to {end}; check the convention and the "
        "normalisation, or set scale='refine' or offset='refine'"
    )


def _check_bins(data: Data, x: NDArray[np.float64], edges: NDArray[np.float64]) -> None:
    width = edges[1]
    if data.convention == "S(Q)":
        name, last = "q", x[-1]
        remedy = f", or set q_range=({x[0]:.4g}, {np.floor(10 * _COARSEST / width) / 10:g})"
    else:
        name, last, remedy = "q_max", data.q_max or 0.0, ""  # type: ignore[union-attr]
        if x[-1] > edges[-1] * (1 + 1e-9):
            raise ValueError(
                f"r: data reach {x[-1]:.2f} Å, the histogram {edges[-1]:.2f} Å; set "
                f"r_range=({x[0]:.4g}, {np.floor(100 * edges[-1]) / 100:g}) or take a larger model"
            )
    if last * width > _COARSEST:
        raise ValueError(
            f"{name}={last:.4g} Å⁻¹ is too much for distance bins of {width:.4g} Å: their product "
            f"must stay below {_COARSEST}; take bins of at most {_COARSEST / last:.2g} Å{remedy}"
        )


def _checked_edges(edges: ArrayLike) -> NDArray[np.float64]:
    edges = np.asarray(edges, dtype=np.float64)
    if edges.ndim != 1 or edges.size < 2 or edges[0] != 0 or not edges[1] > 0:
        raise ValueError("edges: must be a rising list of distances in Å that begins with 0")
    if not np.allclose(np.diff(edges), edges[1], rtol=1e-6):
        raise ValueError("edges: must be equally spaced")
    return edges
