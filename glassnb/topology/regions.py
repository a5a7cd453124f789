"""The regions of the D1 of silica that the papers name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from glassnb.core.callers import warn

__all__ = ["REGIONS", "check_radii", "in_region"]

RADII = {"Si": 0.375, "O": 1.275}  # Å, with which the papers see the regions
_NEAR = 0.1  # Å, by which other radii may differ and hardly move them

_LEFT = 0.08  # Å², where the vertical line of the Si-O rings ends
_BOTTOM = 0.5  # Å², where the tetrahedra end
Values = NDArray[np.float64]
Mask = NDArray[np.bool_]


def _curve(birth: Values) -> Values:
    """Return the lifetime below which pairs belong to the curve of oxygen triangles."""
    return 0.05 + 0.27 * (1.6 - birth) ** 2


def _primary(birth: Values, death: Values) -> Mask:
    return (birth < _LEFT) & (death > _BOTTOM)


def _tetrahedra(birth: Values, death: Values) -> Mask:
    return (birth < _BOTTOM) & (death < _BOTTOM)


def _oxygen_curve(birth: Values, death: Values) -> Mask:
    inside = (birth >= _LEFT) & (birth < 1.6) & (death > _BOTTOM)
    return inside & (death - birth <= _curve(birth))


def _oxygen_band(birth: Values, death: Values) -> Mask:
    life = death - birth
    above = np.where(birth < 1.6, life > _curve(birth), True)
    return (birth >= _LEFT) & (death > _BOTTOM) & above & (life >= 0.1)


REGIONS: dict[str, Callable[[Values, Values], Mask]] = {
    "C_P": _primary,
    "C_T": _tetrahedra,
    "C_O": _oxygen_curve,
    "B_O": _oxygen_band,
}


def check_radii(region: str, radii: Mapping[str, float]) -> None:
    """Warn of a named region where the radii are not those with which it has a meaning.

    Parameters
    ----------
    region : str
        Its name.
    radii : dict
        Radii of Si and O in Å.
    """
    if any(abs(radii[symbol] - RADII[symbol]) > _NEAR for symbol in RADII):
        warn(
            f"name_or_box={region!r}: the named regions are those of radii of {RADII} Å, and these "
            f"diagrams have {dict(radii)}, with which pairs of one kind lie elsewhere; use "
            f"persistence(atoms, radii={RADII}), or give lowest and highest birth and death in Å²"
        )


def in_region(pairs: Values, region: str | Sequence[float]) -> Mask:
    """Tell which pairs lie in a region.

    Parameters
    ----------
    pairs : ndarray, shape (n, 2)
        Births and deaths in Å².
    region : str or sequence of four float
        One of ``REGIONS``, or lowest and highest birth, lowest and highest death.

    Returns
    -------
    ndarray of bool, shape (n,)
        Whether each lies inside; the upper limits of a box are outside.

    Raises
    ------
    ValueError
        If the name is unknown, or the box has not four numbers in order.
    """
    birth, death = pairs.T
    if isinstance(region, str):
        if region not in REGIONS:
            raise ValueError(
                f"name_or_box={region!r}: must be one of {', '.join(REGIONS)}, or four numbers: "
                "lowest and highest birth, lowest and highest death"
            )
        return REGIONS[region](birth, death)
    try:
        box = np.asarray(region, dtype=np.float64)
    except (TypeError, ValueError):
        box = np.empty(0)
    if box.shape != (4,) or np.isnan(box).any() or box[0] > box[1] or box[2] > box[3]:
        raise ValueError(
            f"name_or_box={region!r}: must be one of {', '.join(REGIONS)}, or four numbers in "
            "order: lowest and highest birth, lowest and highest death"
        )
    return (birth >= box[0]) & (birth < box[1]) & (death >= box[2]) & (death < box[3])
