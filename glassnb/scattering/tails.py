"""What the end of a measured curve says of its convention.

S(Q) and g(r) end at 1, differences at 0, and T(r) rises for ever. The end is the last 30 % of the
range, but no less than one oscillation of a structure with neighbours at 1.3 Å (5 Å⁻¹) or three
shells (3 Å): the mean over it was within 0.05 of 1 for S(Q) of silica that ends anywhere from 6 to
50 Å⁻¹, so that a limit of 0.5 leaves room for noise. S(Q) below 0 cannot be either.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from glassnb.core.callers import warn

__all__ = ["warn_of_pair_tail", "warn_of_tail"]

_SHARE = 0.3
_SHORTEST = {"Q": (6.0, 5.0), "r": (6.0, 3.0)}  # shortest range, and shortest end of it
_LIMIT = 0.5  # half the way from 0 to 1: beyond it a convention does not fit
_CLOSE = 0.3  # within it another one does
_BELOW_ZERO = -0.2
_BLOCK = 0.3  # Å⁻¹; S below zero counts as a mean over it


class _Tail:
    """Mean, spread and slope of the end of a curve."""

    def __init__(self, x: NDArray[np.float64], y: NDArray[np.float64], symbol: str) -> None:
        shortest, end = _SHORTEST[symbol]
        self.begin = float(x[-1] - max(end, _SHARE * x[-1]))
        use = x >= self.begin
        self.known = bool(x[-1] >= shortest and x[0] <= self.begin and use.sum() >= 10)
        if not self.known:
            return
        part, middle = y[use], x[use].mean()
        self.mean, spread = float(part.mean()), float(part.std())
        self.error = spread / np.sqrt(use.sum())
        slope, _ = np.polyfit(x[use] - middle, part, 1)
        self.spread = spread
        self.rest = float((part - slope * (x[use] - middle)).std())
        #: 1 for a straight line through the origin, 0 for a level.
        self.rise = slope * middle / self.mean if self.mean else 0.0

    def differs(self, level: float, limit: float = _LIMIT) -> bool:
        """Return whether the mean is far from a level."""
        return abs(self.mean - level) > limit + 3 * self.error

    @property
    def at_one(self) -> bool:
        """Whether the curve ends at 1 and nowhere else."""
        return abs(self.mean - 1) < 0.3 and self.spread < 1 and self.differs(0)

    @property
    def rises(self) -> bool:
        """Whether the end is a straight line through the origin."""
        return self.mean > 0 and self.rest < 0.15 * self.mean and abs(self.rise - 1) < 0.4


def warn_of_tail(
    what: str,
    convention: str,
    q: NDArray[np.float64],
    values: NDArray[np.float64],
    maps: Mapping[str, tuple[NDArray[np.float64], float]],
) -> None:
    """Warn if a measured structure factor ends as another convention does.

    Parameters
    ----------
    what : str
        The file and the argument, for the message.
    convention : str
        In which it is read.
    q : ndarray, shape (n_q,)
        Scattering vector in Å⁻¹.
    values : ndarray, shape (n_q,)
        The function as it stands in the file.
    maps : dict
        Factor and constant that lead to S(Q), by convention.

    Warns
    -----
    UserWarning
        If the tail is that of another convention, or S(Q) falls below 0 and would not in another.
    """
    tail = _Tail(q, values, "Q")

    def fits_tail(name: str, limit: float = _LIMIT) -> bool:
        if not tail.known:
            return True
        if name == "S":
            return not tail.differs(1, limit)
        factor, constant = maps[name]
        ends = _Tail(q, values * factor + constant, "Q")
        if name == "Q(S-1)" and limit < _LIMIT and tail.differs(0, limit):
            return False
        return not tail.at_one and not ends.differs(1, limit)

    lowest = {name: _lowest(q, values * factor + one) for name, (factor, one) in maps.items()}
    possible = {name: fits_tail(name, _CLOSE) and lowest[name] > _BELOW_ZERO for name in maps}
    fitting = [name for name in maps if possible[name] and name != convention]
    if fits_tail(convention) and (lowest[convention] > _BELOW_ZERO or not fitting):
        return
    if fits_tail(convention):
        seen = f"S(Q) would fall to {lowest[convention]:.2g}, and cannot be below 0"
    else:
        level = {"S": "S tends to 1"}.get(convention, f"{convention} tends to 0")
        seen = f"the mean above {tail.begin:.3g} Å⁻¹ is {tail.mean:.3g}, while {level}"
    if "S-1" in fitting and "F" not in maps:
        fitting.append("F (with a composition)")
    fits = " or ".join(fitting) or "none of " + ", ".join(maps)
    warn(
        f"{what} does not suit the data: {seen}; of the conventions {fits} fits",
    )


def _lowest(q: NDArray[np.float64], s: NDArray[np.float64]) -> float:
    """Return the lowest mean over a block, and three of its standard errors more."""
    n = max(4, round(_BLOCK / float(np.median(np.diff(q)))))
    blocks = s[: s.size // n * n].reshape(-1, n)
    if not blocks.size:
        return np.inf
    noise = np.sqrt(np.mean(np.diff(blocks, 2, axis=1) ** 2, axis=1) / 6)  # not the slope
    return float((blocks.mean(axis=1) + 3 * noise / np.sqrt(n)).min())


def warn_of_pair_tail(
    what: str, function: str, r: NDArray[np.float64], values: NDArray[np.float64]
) -> None:
    """Warn if a measured pair function ends as another one does.

    Parameters
    ----------
    what : str
        The file and the argument, for the message.
    function : str
        As which it is read.
    r : ndarray, shape (n_r,)
        Distance in Å.
    values : ndarray, shape (n_r,)
        The function.

    Warns
    -----
    UserWarning
        If g does not end at 1, G, D or G_PDF not at 0, or T does not rise.
    """
    tail = _Tail(r, values, "r")
    if not tail.known:
        return
    flat = tail.rest < 0.1 * abs(tail.mean) and abs(tail.rise) < 0.5
    zero = not tail.at_one and not tail.rises
    fits = {
        "g": not tail.differs(1) and not tail.rises,
        "G": zero,
        "D": zero,
        "T": not flat and tail.mean > 0.3 * tail.rest + 3 * tail.error,
        "G_PDF": zero,
    }
    if fits[function]:
        return
    level = {"g": "g tends to 1", "T": "T rises as r does"}.get(function, f"{function} tends to 0")
    fitting = " or ".join(name for name, fit in fits.items() if fit) or "none"
    warn(
        f"{what} does not suit the data: the mean above {tail.begin:.3g} Å is {tail.mean:.3g}, "
        f"while {level}; of the functions {fitting} fits",
    )
