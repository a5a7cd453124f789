"""The first sharp diffraction peak: where, how high, how wide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DiffractionPeak", "first_sharp_diffraction_peak"]

_TOP = 0.1  # Å⁻¹, half width of the range of the quadratic
_ESTIMATOR = (
    f"maximum of a quadratic through S(Q) within {_TOP} Å⁻¹ of the highest point; FWHM is twice "
    "the distance to the low-Q point at half the height; coherence length is 2 pi / FWHM"
)
_FWHM_OF_SIGMA = 2 * np.sqrt(2 * np.log(2))


class HasStructureFactor(Protocol):
    """Anything with a scattering vector and a total structure factor."""

    @property
    def q(self) -> NDArray[np.float64]:
        """Scattering vector in Å⁻¹."""

    @property
    def total(self) -> NDArray[np.float64]:
        """Total S(Q), tends to 1."""


@dataclass(frozen=True, repr=False)
class DiffractionPeak:
    """A peak of the structure factor, by a named estimator and by a Gaussian fit.

    Parameters
    ----------
    position : float
        Q of the maximum in Å⁻¹.
    height : float
        S(Q) at the maximum.
    fwhm : float
        Full width at half maximum in Å⁻¹; NaN if S(Q) does not fall to half on the low-Q side.
    estimator : str
        How position, height and width were found.
    gaussian_position : float
        Centre in Å⁻¹ of a Gaussian on a sloping line, fitted to the peak; NaN if the fit fails.
    gaussian_height : float
        Height of Gaussian and line together at the centre.
    gaussian_fwhm : float
        Full width at half maximum of the Gaussian in Å⁻¹.
    """

    position: float
    height: float
    fwhm: float
    estimator: str
    gaussian_position: float
    gaussian_height: float
    gaussian_fwhm: float

    @property
    def period(self) -> float:
        """Period in real space, 2 pi / Q, in Å."""
        return 2 * np.pi / self.position

    @property
    def coherence_length(self) -> float:
        """Coherence length in real space in Å: 2 pi / FWHM, with FWHM by the low-Q half."""
        return 2 * np.pi / self.fwhm

    @property
    def coherence_text(self) -> str:
        """The coherence length in words, with its definition."""
        return f"coherence length {self.coherence_length:.1f} Å (2π/FWHM, FWHM by the low-Q half)"

    def __repr__(self) -> str:
        """Name position, height, width and coherence length."""
        return (
            f"DiffractionPeak({self.position:.3f} Å⁻¹, height {self.height:.3f}, FWHM "
            f"{self.fwhm:.3f} Å⁻¹, period {self.period:.2f} Å, {self.coherence_text})"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Mark the peak, its low-Q half width and the coherence length.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw, such as what ``plot()`` of the structure factor returned; a new figure
            when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting import plot_diffraction_peak

        return plot_diffraction_peak(self, ax)


def first_sharp_diffraction_peak(
    sq: HasStructureFactor, q_range: tuple[float, float] = (1.0, 2.2)
) -> DiffractionPeak:
    """Find the first sharp diffraction peak of a structure factor.

    The estimator moves the position by up to 0.05 Å⁻¹ and the height by 10 %: compare only values
    of the same estimator, which the result names.

    Parameters
    ----------
    sq : StructureFactor or ExperimentalData
        Anything with ``.q`` in Å⁻¹ and ``.total``.
    q_range : tuple of float
        Where to look, in Å⁻¹.

    Returns
    -------
    DiffractionPeak
        Position, height and width.

    Raises
    ------
    ValueError
        If there is no maximum inside the range.
    """
    finite = np.isfinite(sq.total)
    q, s = sq.q[finite], sq.total[finite]
    inside = np.flatnonzero((q >= q_range[0]) & (q <= q_range[1]))
    if inside.size < 5:
        extent = f"{q[0]:.3g} to {q[-1]:.3g} Å⁻¹" if q.size else "nowhere"
        raise ValueError(
            f"q_range={q_range}: holds {inside.size} points of S(Q), 5 are needed; S(Q) is known "
            f"from {extent}. Use a larger model or a finer grid"
        )
    top = inside[np.argmax(s[inside])]
    if top in (inside[0], inside[-1]):
        raise ValueError(
            f"q_range={q_range}: S(Q) has no maximum inside; its highest point lies at the end, "
            f"{q[top]:.2f} Å⁻¹. Give a range that holds the peak"
        )
    near = np.abs(q - q[top]) <= _TOP * (1 + 1e-6)  # both ends, however the grid is rounded
    if near.sum() < 3:  # coarse data: the neighbours of the highest point
        near[max(top - 1, 0) : top + 2] = True
    curve = np.polynomial.Polynomial.fit(q[near], s[near], 2)
    position, height = float(q[top]), float(s[top])
    roots = curve.deriv().roots()
    if curve.deriv(2)(0.0) < 0 and roots.size and abs(roots[0].real - q[top]) <= _TOP:
        position, height = float(roots[0].real), float(curve(roots[0].real))
    fwhm = 2 * (position - _half_height(q, s, top, height))
    return DiffractionPeak(position, height, fwhm, _ESTIMATOR, *_gaussian(q, s, position, fwhm))


def _half_height(q: NDArray[np.float64], s: NDArray[np.float64], top: int, height: float) -> float:
    """Return the Q below the peak at which S(Q) crosses half its height."""
    below = np.flatnonzero(s[:top] <= height / 2)
    if below.size == 0:
        return float("nan")
    k = below[-1]
    share = (height / 2 - s[k]) / (s[k + 1] - s[k])
    return float(q[k] + share * (q[k + 1] - q[k]))


def _gaussian(
    q: NDArray[np.float64], s: NDArray[np.float64], position: float, fwhm: float
) -> tuple[float, float, float]:
    """Fit a Gaussian on a sloping line; return centre, height and FWHM."""
    width = fwhm if np.isfinite(fwhm) and fwhm > 0 else 0.5
    near = np.abs(q - position) <= 0.75 * width

    def misfit(p: NDArray[np.float64]) -> NDArray[np.float64]:
        x = q[near] - p[1]
        return p[0] * np.exp(-(x**2) / (2 * p[2] ** 2)) + p[3] + p[4] * x - s[near]

    start = [np.ptp(s[near]), position, width / _FWHM_OF_SIGMA, s[near].min(), 0.0]
    if near.sum() <= len(start):
        return (float("nan"),) * 3
    found = least_squares(misfit, start)
    if not found.success:
        return (float("nan"),) * 3
    height, centre, width, base, _ = found.x
    return float(centre), float(height + base), float(abs(width) * _FWHM_OF_SIGMA)
