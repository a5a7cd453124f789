"""Densities around rings, once they are counted: maps, profiles, anisotropy."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassnb.core.provenance import atomic_path, provenance, to_json
from glassnb.network.rings.result import Counting

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["UNIT", "Direction", "RingEnvironment"]

#: Directions along which profiles are taken; ``"all"`` is the mean over the sphere.
Direction = Literal["normal", "plane", "all"]

UNIT = 2**30  # the kernel counts cos² in units of 1 / UNIT
_WINDOW = 0.5  # Å, width of the shells in which peaks are looked for
_SHELLS = {"all": 0, "normal": 1, "plane": 2}


@dataclass(frozen=True, repr=False)
class RingEnvironment:
    """Densities around rings in the frame of the ring: x major axis, y minor axis, z normal.

    The axes have no sign, so all maps are of the absolute coordinates. Where a ring is round, its
    major and minor axis are any pair in the plane: look at the cylindrical map. Counts and
    ``expected`` add up over structures: ``a + b`` is the average over the rings of both.

    Parameters
    ----------
    symbols : tuple of str
        Species whose atoms were counted, heaviest first.
    edges : ndarray, shape (n_bins + 1,)
        Limits of the bins in Å, the same along every coordinate.
    n_rings : int
        Number of rings.
    n_frames : int
        Number of structures.
    sizes : tuple of int
        Sizes of the rings.
    counting : str
        Whether ``sizes`` are numbers of network ``"formers"`` or of all ``"nodes"``.
    own_atoms : bool
        Whether the atoms of the ring itself were counted.
    cones : tuple of float
        Profiles along the normal take atoms whose abs(cos θ) is above the first, those in the plane
        atoms whose abs(cos θ) is below the second; θ is the angle to the normal.
    extent : ndarray, shape (3,)
        Root mean square distance in Å of the rings' atoms from their centre, along x, y and z.
    expected : ndarray, shape (n_species,)
        Atoms per Å³ that the mean density gives for all rings: their number times the density.
    box_counts : ndarray, shape (n_species, n_bins, n_bins, n_bins)
        Number of atoms by abs(x), abs(y), abs(z).
    tube_counts : ndarray, shape (n_species, n_bins, n_bins)
        Number of atoms by ρ = sqrt(x² + y²) and abs(z).
    shell_counts : ndarray, shape (n_species, 3, n_bins)
        Number of atoms by distance: all, near the normal, near the plane.
    shell_cos2 : ndarray, shape (n_species, n_bins)
        Sum of cos² θ over the atoms of each shell.
    """

    symbols: tuple[str, ...]
    edges: NDArray[np.float64]
    n_rings: int
    n_frames: int
    sizes: tuple[int, ...]
    counting: Counting
    own_atoms: bool
    cones: tuple[float, float]
    extent: NDArray[np.float64]
    expected: NDArray[np.float64]
    box_counts: NDArray[np.int64]
    tube_counts: NDArray[np.int64]
    shell_counts: NDArray[np.int64]
    shell_cos2: NDArray[np.float64]

    def __repr__(self) -> str:
        """Say in a line what was counted."""
        own = "with" if self.own_atoms else "without"
        return (
            f"RingEnvironment({', '.join(self.symbols)} around {self.n_rings} rings of "
            f"{', '.join(map(str, self.sizes))} {self.counting}, {own} their own atoms, "
            f"to {self.edges[-1]:g} Å)"
        )

    def __add__(self, other: RingEnvironment) -> RingEnvironment:
        """Return the average over the rings of both."""
        if not isinstance(other, RingEnvironment):
            return NotImplemented
        for name in ("symbols", "counting", "own_atoms", "cones"):
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours != theirs:
                raise ValueError(
                    f"{name}: {ours!r} and {theirs!r} cannot be averaged; measure both alike"
                )
        if not np.array_equal(self.edges, other.edges):
            raise ValueError("edges: the two have other bins; use the same r_max and bin_width")
        n_rings = self.n_rings + other.n_rings
        squares = self.n_rings * self.extent**2 + other.n_rings * other.extent**2
        return replace(
            self,
            n_rings=n_rings,
            n_frames=self.n_frames + other.n_frames,
            sizes=tuple(sorted({*self.sizes, *other.sizes})),
            extent=np.sqrt(squares / n_rings),
            expected=self.expected + other.expected,
            box_counts=self.box_counts + other.box_counts,
            tube_counts=self.tube_counts + other.tube_counts,
            shell_counts=self.shell_counts + other.shell_counts,
            shell_cos2=self.shell_cos2 + other.shell_cos2,
        )

    @property
    def r(self) -> NDArray[np.float64]:
        """Centres of the bins in Å, shape (n_bins,)."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    def map3d(self, species: str | None = None) -> NDArray[np.float64]:
        """Return the density by abs(x), abs(y) and abs(z).

        Parameters
        ----------
        species : str, optional
            Species; all that were counted, taken together, when omitted.

        Returns
        -------
        ndarray, shape (n_bins, n_bins, n_bins)
            Density over mean density.

        Raises
        ------
        ValueError
            If the species was not counted.
        """
        chosen = self._chosen(species)
        width = np.diff(self.edges)
        volumes = 8 * width[:, None, None] * width[:, None] * width
        return self.box_counts[chosen].sum(axis=0) / (self.expected[chosen].sum() * volumes)

    def cylindrical(self, species: str | None = None) -> NDArray[np.float64]:
        """Return the density by distance ρ from the normal and abs(z).

        Parameters
        ----------
        species : str, optional
            Species; all that were counted, taken together, when omitted.

        Returns
        -------
        ndarray, shape (n_bins, n_bins)
            Density over mean density; rows are ρ, columns abs(z).

        Raises
        ------
        ValueError
            If the species was not counted.
        """
        chosen = self._chosen(species)
        volumes = np.pi * np.diff(self.edges**2)[:, None] * 2 * np.diff(self.edges)
        return self.tube_counts[chosen].sum(axis=0) / (self.expected[chosen].sum() * volumes)

    def section(
        self, plane: str = "xz", species: str | None = None, thickness: float = 1.0
    ) -> NDArray[np.float64]:
        """Return the density in a slab through the centre.

        Parameters
        ----------
        plane : str
            Two of ``x`` (major axis), ``y`` (minor axis) and ``z`` (normal): those of the rows and
            of the columns.
        species : str, optional
            Species; all that were counted, taken together, when omitted.
        thickness : float
            Thickness of the slab in Å, half of it on each side; rounded to whole bins, at least
            one on each side.

        Returns
        -------
        ndarray, shape (n_bins, n_bins)
            Density over mean density, by absolute coordinates.

        Raises
        ------
        ValueError
            If the species was not counted, ``plane`` is not made of two axes, or the slab is not
            within the map.
        """
        if len(plane) != 2 or plane[0] == plane[1] or not set(plane) <= set("xyz"):
            raise ValueError(f"plane={plane!r}: must be two of x, y and z, such as 'xz'")
        if not 0 < thickness <= 2 * self.edges[-1]:
            raise ValueError(
                f"thickness={thickness}: must be above 0 and at most {2 * self.edges[-1]:g} Å, "
                "the height of the map"
            )
        n_slab = max(1, round(thickness / 2 / (self.edges[1] - self.edges[0])))
        across = 3 - "xyz".index(plane[0]) - "xyz".index(plane[1])
        slab = np.moveaxis(self.map3d(species), across, 0)[:n_slab].mean(axis=0)
        return slab if plane[0] < plane[1] else slab.T

    def profile(
        self, direction: Direction = "normal", species: str | None = None
    ) -> NDArray[np.float64]:
        """Return the density by distance from the centre, in some directions.

        Parameters
        ----------
        direction : str
            ``"normal"``: in the double cone around the normal; ``"plane"``: near the plane of the
            ring; ``"all"``: all around.
        species : str, optional
            Species; all that were counted, taken together, when omitted.

        Returns
        -------
        ndarray, shape (n_bins,)
            Density over mean density at the distances ``r``.

        Raises
        ------
        ValueError
            If the species was not counted or the direction is unknown.
        """
        counts = self._shells(direction, species)
        return counts / (self.expected[self._chosen(species)].sum() * self._volumes(direction))

    def p2(self, species: str | None = None) -> NDArray[np.float64]:
        """Return the mean of (3 cos² θ - 1) / 2 over the atoms of each shell.

        Parameters
        ----------
        species : str, optional
            Species; all that were counted, taken together, when omitted.

        Returns
        -------
        ndarray, shape (n_bins,)
            1 if all atoms lie on the normal, -1/2 if all lie in the plane, 0 if they lie in all
            directions alike; NaN where there are none.

        Raises
        ------
        ValueError
            If the species was not counted.
        """
        return _p2(self.shell_cos2[self._chosen(species)].sum(axis=0), self._shells("all", species))

    def anisotropy(self, species: str | None = None) -> dict[str, float]:
        """Compare the first peak along the normal with the plane.

        The first peak is the highest point of the first run of shells denser than the mean that
        stands out by more than three times the noise of counting. Shells are 0.5 Å wide, or one bin
        where bins are wider.

        Parameters
        ----------
        species : str, optional
            Species; all that were counted, taken together, when omitted.

        Returns
        -------
        dict
            ``position`` in Å, ``height`` of the peak along the normal and density in the ``plane``
            at the same distance (both over mean density), their ``ratio``, and ``p2`` there. All
            NaN if there is no peak.

        Raises
        ------
        ValueError
            If the species was not counted.
        """
        chosen = self._chosen(species)
        half = int(_WINDOW / 2 / (self.edges[1] - self.edges[0]) + 1e-9)
        expected = self.expected[chosen].sum()
        counts = {name: _running(self._shells(name, species), half) for name in _SHELLS}
        volume = {name: _running(self._volumes(name), half) for name in _SHELLS}
        normal = counts["normal"] / (expected * volume["normal"])
        plane = counts["plane"] / (expected * volume["plane"])
        noise = np.sqrt(expected * volume["normal"])
        k = _first_peak(normal, counts["normal"] - expected * volume["normal"] > 3 * noise)
        if k is None:
            return dict.fromkeys(("position", "height", "plane", "ratio", "p2"), np.nan)
        cos2 = _running(self.shell_cos2[chosen].sum(axis=0), half)
        with np.errstate(divide="ignore"):
            ratio = float(normal[k] / plane[k])
        return {
            "position": _vertex(self.r, normal, k),
            "height": float(normal[k]),
            "plane": float(plane[k]),
            "ratio": ratio,
            "p2": float(_p2(cos2, counts["all"])[k]),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return the profiles, one row per species and distance.

        Returns
        -------
        pandas.DataFrame
            Columns ``r`` (Å), ``species`` (``"all"`` for all together), ``normal`` and ``plane``
            (density over mean density) and ``p2``.
        """
        tables = [
            pd.DataFrame(
                {
                    "r": self.r,
                    "species": "all" if species is None else species,
                    "normal": self.profile("normal", species),
                    "plane": self.profile("plane", species),
                    "p2": self.p2(species),
                }
            )
            for species in (None, *self.symbols)
        ]
        return pd.concat(tables, ignore_index=True)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all arrays to a file that ``numpy.load`` reads.

        Parameters
        ----------
        path : path-like
            File to write, in NumPy's npz format: the attributes by their names, ``map3d`` and
            ``cylindrical`` (first axis: all species together, then one by one) and ``provenance``,
            which says how it was made.
        """
        record = provenance(
            sizes=self.sizes, counting=self.counting, own_atoms=self.own_atoms, cones=self.cones,
            n_rings=self.n_rings, n_frames=self.n_frames,
        )  # fmt: skip
        arrays: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        arrays["map3d"] = np.array([self.map3d(name) for name in (None, *self.symbols)])
        arrays["cylindrical"] = np.array([self.cylindrical(name) for name in (None, *self.symbols)])
        arrays["provenance"] = np.array(to_json(record))
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, **arrays)

    def plot(self, ax: Axes | None = None, species: str | None = None) -> Axes:
        """Draw the profiles along the normal and in the plane.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        species : str, optional
            Species; all that were counted, taken together, when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.ring_environment import plot_ring_environment

        return plot_ring_environment(self, ax, species)

    def plot_map(
        self,
        ax: Axes | None = None,
        species: str | None = None,
        plane: str | None = None,
        smoothing: float = 0.25,
    ) -> Axes:
        """Draw a map of the density around the ring.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        species : str, optional
            Species; all that were counted, taken together, when omitted.
        plane : str, optional
            Plane of a section through the centre, such as ``"xz"``; the cylindrical map when
            omitted.
        smoothing : float
            Standard deviation in Å of the Gaussian with which the picture is smoothed; 0 for none.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.ring_environment import plot_ring_map

        return plot_ring_map(self, ax, species, plane, smoothing)

    def _chosen(self, species: str | None) -> list[int]:
        if species is None:
            return list(range(len(self.symbols)))
        if species not in self.symbols:
            raise ValueError(
                f"species={species!r}: was not counted; there are {', '.join(self.symbols)}, or "
                "None for all together"
            )
        return [self.symbols.index(species)]

    def _shells(self, direction: str, species: str | None) -> NDArray[np.int64]:
        if direction not in _SHELLS:
            raise ValueError(f"direction={direction!r}: must be 'normal', 'plane' or 'all'")
        return self.shell_counts[self._chosen(species), _SHELLS[direction]].sum(axis=0)

    def _volumes(self, direction: str) -> NDArray[np.float64]:
        """Return the volumes of the shells within the cones, in Å³."""
        share = {"all": 1.0, "normal": 1 - self.cones[0], "plane": self.cones[1]}[direction]
        return share * 4 / 3 * np.pi * np.diff(self.edges**3)


def _p2(cos2: NDArray[np.float64], counts: NDArray[Any]) -> NDArray[np.float64]:
    mean = np.divide(cos2, counts, out=np.full(cos2.shape, np.nan), where=counts > 0)
    return 1.5 * mean - 0.5


def _running(values: NDArray[Any], half: int) -> NDArray[np.float64]:
    """Sum over each bin and those up to ``half`` bins away."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(values.size)
    return sums[np.minimum(at + half + 1, values.size)] - sums[np.maximum(at - half, 0)]


def _first_peak(profile: NDArray[np.float64], clear: NDArray[np.bool_]) -> int | None:
    """Return the top of the first run above 1, if it is clear of noise and not at the end."""
    above = np.concatenate([[False], profile > 1, [False]])
    ends = np.flatnonzero(above[1:] != above[:-1])
    for first, last in zip(ends[::2], ends[1::2], strict=True):
        k = int(first + np.argmax(profile[first:last]))
        if clear[k] and k < profile.size - 1:
            return k
    return None


def _vertex(r: NDArray[np.float64], profile: NDArray[np.float64], k: int) -> float:
    """Return where the parabola through a highest point and its neighbours has its top."""
    if k == 0:
        return float(r[0])
    before, top, after = profile[k - 1 : k + 2]
    shift = (before - after) / (2 * (before - 2 * top + after)) if 2 * top > before + after else 0.0
    return float(r[k] + shift * (r[1] - r[0]))


# -- checks ----------------------------------------------------------------------------------------
