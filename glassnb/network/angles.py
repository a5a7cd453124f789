"""Angles between bonds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from glassnb.core.structure import species_of
from glassnb.network import _kernels
from glassnb.network.bonds import bonds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BondAngles", "bond_angles"]


@dataclass(frozen=True)
class BondAngles:
    """Angles of one kind, such as O-Si-O.

    Parameters
    ----------
    triplet : tuple of str
        Symbols of the ends and, in the middle, of the centre.
    angles : ndarray, shape (n_angles,)
        Angles in degrees, centre by centre.
    centres : ndarray, shape (n_angles,)
        Index of the atom in the centre of each angle.
    """

    triplet: tuple[str, str, str]
    angles: NDArray[np.float64]
    centres: NDArray[np.int64]

    @property
    def mean(self) -> float:
        """Mean angle in degrees; NaN without angles."""
        return float(self.angles.mean()) if self.angles.size else float("nan")

    @property
    def std(self) -> float:
        """Standard deviation in degrees; NaN without angles."""
        return float(self.angles.std()) if self.angles.size else float("nan")

    @property
    def mode(self) -> float:
        """Most probable angle in degrees, of the distribution smoothed by 4 degrees."""
        angle, density = self.distribution(360)
        return float(angle[np.argmax(gaussian_filter1d(density, 4.0 * 2, mode="reflect"))])

    def distribution(
        self, bins: int = 180, *, solid_angle: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the distribution of the angles from 0 to 180 degrees.

        Parameters
        ----------
        bins : int
            Number of bins.
        solid_angle : bool
            Divide by sin(angle), so that directions without correlation give a constant.

        Returns
        -------
        angle : ndarray, shape (bins,)
            Middle of each bin in degrees.
        density : ndarray, shape (bins,)
            Probability density per degree; its integral is 1.
        """
        counts, edges = np.histogram(self.angles, bins=bins, range=(0.0, 180.0))
        middle = (edges[:-1] + edges[1:]) / 2
        density = counts / np.sin(np.radians(middle)) if solid_angle else counts.astype(float)
        total = density.sum() * (edges[1] - edges[0])
        return middle, density / total if total > 0 else density

    def to_frame(self, bins: int = 180) -> pd.DataFrame:
        """Return the distribution as a table.

        Parameters
        ----------
        bins : int
            Number of bins.

        Returns
        -------
        pandas.DataFrame
            Columns ``angle`` (degrees) and ``density`` (per degree).
        """
        angle, density = self.distribution(bins)
        return pd.DataFrame({"angle": angle, "density": density})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the distribution of the angles.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting import plot_bond_angles

        return plot_bond_angles(self, ax)


def bond_angles(
    atoms: Atoms,
    triplet: str | Sequence[str] = ("O", "Si", "O"),
    *,
    cutoff: float | Mapping[Any, float] | None = None,
) -> BondAngles:
    """Compute the angles between bonds that meet at an atom.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    triplet : sequence of str or str
        Ends and centre, ``("O", "Si", "O")`` or ``"O-Si-O"``.
    cutoff : float or dict, optional
        Longest bond in Å; see :func:`glassnb.network.bonds`.

    Returns
    -------
    BondAngles
        All angles, in degrees.

    Raises
    ------
    ValueError
        As :func:`glassnb.network.bonds`, or if a species is absent.
    """
    names = tuple(triplet.split("-")) if isinstance(triplet, str) else tuple(triplet)
    if len(names) != 3:
        raise ValueError(f'triplet={triplet!r}: must name three species, such as "O-Si-O"')
    found = bonds(atoms, cutoff)
    symbols, species = species_of(atoms)
    for name in names:
        if name not in symbols:
            raise ValueError(
                f"triplet={'-'.join(names)}: {name} is not in the structure; its species are "
                f"{', '.join(symbols)}"
            )
    first, centre, last = (symbols.index(name) for name in names)
    # Only the bonds of the wanted centres.
    wanted = species == centre
    keep = wanted[found.centres]
    offsets = np.concatenate([[0], np.cumsum(found.counts * wanted)])
    vectors = found.vectors(atoms)[keep]
    ends = species[found.indices][keep]
    rows = np.zeros(len(atoms) + 1, dtype=np.int64)
    _kernels.angle_cosines(vectors, ends, offsets, first, last, rows, np.empty(0), False)
    np.cumsum(rows, out=rows)
    cosines = np.empty(rows[-1])
    _kernels.angle_cosines(vectors, ends, offsets, first, last, rows, cosines, True)
    angles = np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
    centres = np.repeat(np.arange(len(atoms)), np.diff(rows))
    return BondAngles((names[0], names[1], names[2]), angles, centres)
