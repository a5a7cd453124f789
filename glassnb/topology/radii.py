"""Radii of atoms, the weights of an alpha complex: given by species, or read off g(r)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.structure import species_of
from glassnb.scattering.pair_distribution import pair_distribution

__all__ = ["radii_from_pair_distribution", "resolve_radii"]

_RANGE = 4.5  # Å, where first peaks are looked for
_WIDTH = 0.05  # Å, smoothing before a peak is looked for


def resolve_radii(
    atoms: Atoms, radii: Mapping[str, float] | str | None, chosen: tuple[str, ...]
) -> dict[str, float] | None:
    """Check radii, or derive them.

    Parameters
    ----------
    atoms : ase.Atoms
        The whole structure.
    radii : dict, "pdf" or None
        See :func:`glassnb.topology.persistence`.
    chosen : tuple of str
        Species that need a radius.

    Returns
    -------
    dict or None
        Radius in Å of each chosen species; ``None`` without weights.

    Raises
    ------
    ValueError
        If a radius is missing, unknown, negative or not finite, or cannot be derived.
    """
    if radii is None:
        return None
    if isinstance(radii, str):
        if radii != "pdf":
            raise ValueError(
                f'radii={radii!r}: must be None, "pdf", or a dictionary of radii in Å such as '
                '{"Si": 0.375, "O": 1.275}'
            )
        derived = radii_from_pair_distribution(atoms)
        return {symbol: derived[symbol] for symbol in chosen}
    if not isinstance(radii, Mapping):
        raise ValueError(
            f'radii={radii!r}: must be None, "pdf", or a dictionary of radii in Å by species'
        )
    present, _ = species_of(atoms)
    for symbol, value in radii.items():
        if symbol not in present:
            raise ValueError(
                f"radii: names {symbol!r}, which is not in the structure; its species are "
                f"{', '.join(present)}"
            )
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = np.nan
        if not (np.isfinite(number) and number >= 0):
            raise ValueError(f"radii[{symbol!r}]={value!r}: must be a radius in Å, 0 or more")
    missing = [symbol for symbol in chosen if symbol not in radii]
    if missing:
        raise ValueError(
            f"radii={dict(radii)}: no radius for {', '.join(missing)}; give one for each of "
            f"{', '.join(chosen)}, or radii=None for none at all"
        )
    return {symbol: float(radii[symbol]) for symbol in chosen}


def radii_from_pair_distribution(atoms: Atoms) -> dict[str, float]:
    """Derive the radii of a binary oxide from the first peaks of its g(r).

    Neighbouring O atoms touch each other and the cation between them: the radius of O is half the
    position of the first O-O peak, that of the cation the position of the first cation-O peak
    less the radius of O.

    Parameters
    ----------
    atoms : ase.Atoms
        A periodic structure of O and one other species.

    Returns
    -------
    dict
        Radius in Å by species.

    Raises
    ------
    ValueError
        If the composition is another, the structure is not periodic, or the peaks do not give
        positive radii.

    Notes
    -----
    The construction is that of Y. Hiraoka et al., PNAS 113, 7035 (2016).

    Examples
    --------
    >>> import glassnb as gn
    >>> glass = gn.models.load("silica-pristine-3000")
    >>> radii = radii_from_pair_distribution(glass)
    >>> round(radii["O"], 1), round(radii["Si"], 1)
    (1.3, 0.3)
    """
    symbols, _ = species_of(atoms)
    if len(symbols) != 2 or "O" not in symbols:
        raise ValueError(
            f'radii="pdf": is for oxides of one cation, and this structure holds '
            f"{', '.join(symbols)}; give a dictionary of radii in Å by species"
        )
    if not atoms.pbc.all():
        raise ValueError(
            f'radii="pdf": needs g(r), hence a periodic structure, and atoms.pbc is '
            f"{atoms.pbc.tolist()}; give a dictionary of radii in Å by species"
        )
    (cation,) = (symbol for symbol in symbols if symbol != "O")
    found = pair_distribution(atoms, _RANGE)
    oxygen = _first_peak(found.r, found.partials["O", "O"]) / 2
    other = _first_peak(found.r, found.partials[cation, "O"]) - oxygen
    if not (oxygen > 0 and other > 0):
        raise ValueError(
            f'radii="pdf": the first peaks of g(r) give radii of {oxygen:.3f} Å for O and '
            f"{other:.3f} Å for {cation}; give a dictionary of radii in Å by species"
        )
    return {cation: other, "O": oxygen}


def _first_peak(r: NDArray[np.float64], g: NDArray[np.float64]) -> float:
    """Return the mean position of the first peak that rises to half the highest point."""
    from scipy.ndimage import gaussian_filter1d

    if not g.any():
        return float("nan")
    smooth = gaussian_filter1d(g, _WIDTH / (r[1] - r[0]))
    top = int(np.flatnonzero(smooth >= 0.5 * smooth.max())[0])
    while top + 1 < len(r) and smooth[top + 1] > smooth[top]:
        top += 1
    near = np.abs(r - r[top]) <= 2 * _WIDTH
    weight = smooth[near] - smooth[near].min() + 1e-12 * smooth[top]
    return float((weight * r[near]).sum() / weight.sum())
