"""Where no atom is: domains, and the cavities grown from them.

I. Heimbach, F. Rhiem, F. Beule, D. Knodt, J. Heinen and R. O. Jones, J. Comput. Chem. 38, 389
(2017) define three kinds of void on a grid. A *domain* is a connected region farther from every
atom than its cutoff radius. The cutoff keeps the narrow channels between atoms from joining all
domains, but it also cuts their rims off; a *cavity* gets the rims back: all points that are nearer
to a domain's surface, or to its centre, than to any atom. Cavities that touch are one cavity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.structure import check_atoms, species_of
from glassnb.network.cavity.domains import label_domains
from glassnb.network.cavity.grid import (
    Grid,
    components,
    distances,
    farthest,
    grow,
    make_grid,
    surface_areas,
    surface_points,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Cavities", "Kind", "cavities"]

Kind = Literal["domain", "surface", "centre"]
# Cutoff radii in Å where none are given, and whose they are.
DEFAULT_RADIUS, _PYMOLDYN = 2.8, "pyMolDyn and SOVA (phase-change materials)"
SILICA_RADII, _SILICA = {"Si": 2.5, "O": 2.5}, "silica glass (usual in papers on its cavities)"


@dataclass(frozen=True, repr=False)
class Cavities:
    """Cavities of a structure, largest first.

    Parameters
    ----------
    kind : {"domain", "surface", "centre"}
        What counts as a cavity; see :func:`cavities`.
    volumes : ndarray, shape (n,)
        Volume of each cavity in Å³: its grid points times the volume of a grid cell.
    surface_areas : ndarray, shape (n,)
        Area of each cavity's surface in Å², by Crofton's formula on the grid; see Notes.
    centres : ndarray, shape (n, 3)
        The point of each cavity that lies farthest from all atoms, in Å, within the cell.
    clearances : ndarray, shape (n,)
        Distance in Å from each centre to the nearest atom.
    labels : ndarray of int, shape (n_a, n_b, n_c)
        Index of the cavity of each grid point, -1 outside all. Point (i, j, k) lies at the
        fractions ((i + 1/2)/n_a, (j + 1/2)/n_b, (k + 1/2)/n_c) of the cell vectors.
    cell : ndarray, shape (3, 3)
        Cell vectors in Å, as rows.
    radii : dict
        Cutoff radius in Å of each species, as it was asked for.
    snapped : bool
        Whether positions and radii were rounded to the grid.
    source : str
        Where the radii come from.
    n_stand_ins : int
        Number of grid points that stand for domains which lie between the points, one for each:
        they are in ``labels`` and ``volumes``, but not in :attr:`void_volume`.

    Notes
    -----
    The surface is measured by the number of times that lines along the 13 directions between
    neighbouring grid points cross it (G. Lehmann and D. Legland, Insight Journal, 2012), each
    direction weighted by the solid angle that is nearest to it. A sphere's area comes out within
    3 % from a radius of four grid spacings on; a flat face may be 11 % short or 8 % long, by its
    orientation, and a cavity of a few points has no area to speak of. SOVA's areas are those of a
    triangulation outside the outermost points, and larger: for small domains several times.
    """

    kind: Kind
    volumes: NDArray[np.float64]
    surface_areas: NDArray[np.float64]
    centres: NDArray[np.float64]
    clearances: NDArray[np.float64]
    labels: NDArray[np.int32]
    cell: NDArray[np.float64]
    radii: dict[str, float]
    snapped: bool = False
    source: str = "given"
    n_stand_ins: int = 0

    def __repr__(self) -> str:
        """Say in a line what was found, and with which radii."""
        radii = ", ".join(f"{symbol} {radius:g}" for symbol, radius in self.radii.items())
        return (
            f"Cavities({len(self)} of kind {self.kind!r}, {100 * self.fraction:.2f} % of the cell, "
            f"radii {radii} Å: {self.source})"
        )

    def __len__(self) -> int:
        """Return the number of cavities."""
        return self.volumes.size

    @property
    def spacing(self) -> NDArray[np.float64]:
        """Distance of neighbouring grid points along each cell vector in Å, shape (3,)."""
        return np.linalg.norm(self.cell, axis=1) / self.labels.shape

    @property
    def voxel(self) -> float:
        """Volume of one grid point in Å³."""
        return float(abs(np.linalg.det(self.cell)) / self.labels.size)

    @property
    def void_volume(self) -> float:
        """Volume of all cavities in Å³, without the points that stand for smaller ones."""
        return float(self.volumes.sum()) - self.n_stand_ins * self.voxel

    @property
    def fraction(self) -> float:
        """Volume of all cavities as a share of the cell (0 to 1)."""
        return self.void_volume / float(abs(np.linalg.det(self.cell)))

    @property
    def equivalent_radii(self) -> NDArray[np.float64]:
        """Radius in Å of the sphere of the same volume, for each cavity."""
        return np.cbrt(0.75 * self.volumes / np.pi)

    def to_frame(self) -> pd.DataFrame:
        """Return the cavities as a table, largest first.

        Returns
        -------
        pandas.DataFrame
            Columns ``volume`` (Å³), ``surface_area`` (Å²), ``equivalent_radius``, ``clearance``
            and the centre's ``x``, ``y`` and ``z`` (Å). Its ``attrs`` hold the kind, the radii and
            their source.
        """
        x, y, z = self.centres.T
        table = pd.DataFrame(
            {
                "volume": self.volumes,
                "surface_area": self.surface_areas,
                "equivalent_radius": self.equivalent_radii,
                "clearance": self.clearances,
                "x": x,
                "y": y,
                "z": z,
            }
        )
        table.attrs |= {"kind": self.kind, "radii": self.radii, "source": self.source}
        return table

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the distribution of cavity volumes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.cavities import plot_cavities

        return plot_cavities(self, ax)


def cavities(
    atoms: Atoms,
    *,
    kind: Kind = "domain",
    radii: float | Mapping[str, float] | None = None,
    resolution: int = 64,
    snap: bool = False,
) -> Cavities:
    """Find the cavities of a structure, by the definitions of pyMolDyn and SOVA.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, periodic in all directions; any cell.
    kind : {"domain", "surface", "centre"}
        ``"domain"``: connected regions farther from every atom than its cutoff radius.
        ``"surface"``: domains, with all points that are nearer to a point of a domain than to any
        atom. ``"centre"``: all points that are nearer to the centre of a domain, which is its point
        farthest from all atoms, than to any atom. Cavities that touch are one cavity.
    radii : float or dict, optional
        Cutoff radius in Å, for all atoms or by species: ``{"Si": 2.5, "O": 2.5}``. When omitted,
        2.5 Å for Si and O, as is usual in papers on the cavities of silica glass, and 2.8 Å for all
        others, the value of pyMolDyn and SOVA, chosen for phase-change materials. The result names
        its source.
    resolution : int
        Number of grid points along the longest cell vector; the others get as many as make the
        spacing most alike.
    snap : bool
        Round positions to grid points and radii to whole grid spacings first, as pyMolDyn and SOVA
        do. In a cubic cell the result is then theirs at ``resolution + 4``; see Notes.

    Returns
    -------
    Cavities
        Volumes, surface areas and centres, with a table and a plot.

    Raises
    ------
    ValueError
        If the structure is not periodic, the kind is unknown, a radius is missing or not positive,
        the resolution is out of range or too coarse for the radii, the atoms cannot be
        triangulated, or ``snap`` is neither true nor false.

    Notes
    -----
    Volumes and areas are those of the points of a grid. Which points are one domain is not a matter
    of the grid: it follows from the triangulation of the atoms (see
    :mod:`glassnb.network.cavity.domains`), so that neither its spacing nor the choice of the cell
    changes the number of domains. Domains that nowhere reach 0.04 Å beyond the cutoff radii are
    left out; one that lies between the points of the grid has one point, which the volume of all
    cavities leaves out again. Cavities touch where two
    of their points are among the 26 neighbours of each other, also through the faces of the cell.
    The grid divides the cell vectors evenly, so that it is periodic in every cell; pyMolDyn and
    SOVA use a cubic grid with four spare points, which fits cubic cells alone.

    With ``snap``, radii may change by half a grid spacing, so that volumes jump with the
    resolution, and domains are those of neighbouring points of the grid, whose number jumps, too;
    without it volumes converge. With ``kind="centre"`` pyMolDyn and SOVA look only about
    one cutoff radius far, and for both kinds of cavity they join two that touch along 7 of the 13
    directions between neighbours and not through the faces of the cell; here nothing is left out.

    References
    ----------
    I. Heimbach et al., J. Comput. Chem. 38, 389 (2017).
    """
    check_atoms(atoms, periodic=True)
    if kind not in get_args(Kind):
        raise ValueError(f"kind={kind!r}: must be one of {', '.join(get_args(Kind))}")
    if not isinstance(snap, bool | int | np.bool_) or snap not in (0, 1):
        raise ValueError(f"snap={snap!r}: must be True or False")
    symbols, species = species_of(atoms)
    used, source = _radii(radii, symbols)
    grid = make_grid(atoms, resolution, min(used.values()))
    cutoffs = np.array([used[symbol] for symbol in symbols])
    fractions = atoms.cell.scaled_positions(atoms.positions)
    points = fractions * grid.shape - 0.5
    if snap:
        # a half goes up, as in SOVA, and not to the even number
        points = np.floor(points + 0.5)
        cutoffs = grid.size * np.floor(cutoffs / grid.size + 0.5)
    squared, void = distances(grid, points, species, cutoffs)
    labels = components(void) if snap else label_domains(grid, fractions, cutoffs[species], void)
    stand_ins = int((labels[~void] > 0).sum()) if kind == "domain" else 0
    if kind != "domain":
        labels = _grow(grid, kind, labels, squared)
    return _measure(grid, kind, labels, squared, used, bool(snap), source, stand_ins)


def _grow(
    grid: Grid, kind: Kind, domains: NDArray[np.int32], squared: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Label the cavities that grow from the surfaces or from the centres of ``domains``."""
    if kind == "surface":
        grown = grow(grid, surface_points(domains > 0), domains, squared, where=domains == 0)
        grown = np.where(domains > 0, domains, grown)
    else:
        grown = grow(grid, farthest(domains, squared / grid.size**2), domains, squared)
    return components(grown)


def _measure(
    grid: Grid,
    kind: Kind,
    labels: NDArray[np.int32],
    squared: NDArray[np.float64],
    radii: dict[str, float],
    snapped: bool,
    source: str,
    n_stand_ins: int,
) -> Cavities:
    """Sort the cavities by size and measure them; ``labels`` count from 1."""
    counts = np.bincount(labels.ravel())[1:]
    order = np.argsort(-counts, kind="stable")
    rank = np.full(counts.size + 1, -1, dtype=np.int32)
    rank[order + 1] = np.arange(counts.size)
    labels = rank[labels]
    at = farthest(labels + 1, squared / grid.size**2)
    fractions = (np.column_stack(np.unravel_index(at, grid.shape)) + 0.5) / grid.shape
    return Cavities(
        kind=kind,
        volumes=counts[order].astype(float) * grid.voxel,
        surface_areas=surface_areas(labels + 1, grid),
        centres=fractions @ grid.cell,
        clearances=np.sqrt(squared.ravel()[at]),
        labels=labels,
        cell=grid.cell,
        radii=radii,
        snapped=snapped,
        source=source,
        n_stand_ins=n_stand_ins,
    )


def _radii(
    radii: float | Mapping[str, float] | None, symbols: tuple[str, ...]
) -> tuple[dict[str, float], str]:
    """Return the cutoff radius of each species present, and where they come from."""
    if radii is None:
        known = [symbol for symbol in symbols if symbol in SILICA_RADII]
        others = [symbol for symbol in symbols if symbol not in SILICA_RADII]
        sources = ((known, _SILICA), (others, _PYMOLDYN))
        words = [f"{', '.join(names)} as for {source}" for names, source in sources if names]
        used = {symbol: SILICA_RADII.get(symbol, DEFAULT_RADIUS) for symbol in symbols}
        return used, "; ".join(words)
    if not isinstance(radii, Mapping):
        value = _positive("radii", radii)
        return dict.fromkeys(symbols, value), "given"
    missing = [symbol for symbol in symbols if symbol not in radii]
    if missing:
        raise ValueError(
            f"radii={dict(radii)}: has no radius for {', '.join(missing)}; add it, for example "
            f'radii={{"{missing[0]}": {SILICA_RADII.get(missing[0], DEFAULT_RADIUS)}, ...}}'
        )
    used = {symbol: _positive(f"radii[{symbol!r}]", radii[symbol]) for symbol in symbols}
    return used, "given"


def _positive(name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"{name}={value!r}: must be a distance in Å") from None
    if not (np.isfinite(number) and number > 0):
        raise ValueError(f"{name}={number}: must be a positive, finite distance in Å")
    return number
