"""Regions of a structure, and the patterns of a beam that stands on each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnb.core.neighbours import neighbours
from glassnb.core.parallel import map_tasks
from glassnb.core.progress import ProgressOption
from glassnb.core.structure import check_atoms, species_of
from glassnb.diffraction import DiffractionScan, Probe, Scanner, paired_spots
from glassnb.scattering import electron_form_factor

if TYPE_CHECKING:
    from ase import Atoms

__all__ = ["RegionPatterns", "patterns_of_regions", "select_regions"]

FloatArray = NDArray[np.float64]

_AXES = {"x": (1, 2, 0), "y": (2, 0, 1), "z": (0, 1, 2)}  # as cut_slab turns a model


def select_regions(
    atoms: Atoms,
    values: ArrayLike | None = None,
    *,
    n: int = 20,
    radius: float = 6.0,
    seed: int = 0,
) -> NDArray[np.int64]:
    """Choose the places where a number that atoms have is largest on average, or any places.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, periodic in three directions.
    values : array_like, shape (n_atoms,), optional
        A number for each atom, such as its part in long-lived cycles; places at random when
        omitted.
    n : int
        Number of regions.
    radius : float
        Of the ball in Å over which the number is averaged. Middles of regions are at least that
        far apart: regions overlap, and are not wholly independent.
    seed : int
        Of the random places.

    Returns
    -------
    numpy.ndarray, shape (n,)
        The atoms in the middles of the regions, highest mean first.

    Raises
    ------
    ValueError
        If a number is out of range, ``values`` do not fit, or there is no room for ``n`` regions.
    """
    check_atoms(atoms, periodic=True)
    if not (np.isfinite(radius) and radius > 0):
        raise ValueError(f"radius={radius}: must be a positive length in Å")
    if n < 1:
        raise ValueError(f"n={n}: must be at least 1")
    near = neighbours(atoms, radius)
    if values is None:
        ranking = np.random.default_rng(seed).permutation(len(atoms))
    else:
        number = np.asarray(values, dtype=float)
        if number.shape != (len(atoms),) or not np.isfinite(number).all():
            raise ValueError(
                f"values: have shape {number.shape}; must be one finite number for each of the "
                f"{len(atoms)} atoms"
            )
        sums = number + np.bincount(near.centres, number[near.indices], len(atoms))
        ranking = np.argsort(-sums / (near.counts + 1), kind="stable")
    free = np.ones(len(atoms), dtype=bool)
    chosen: list[int] = []
    for atom in ranking:
        if free[atom]:
            chosen.append(int(atom))
            free[near.of(atom)] = False
        if len(chosen) == n:
            return np.array(chosen)
    raise ValueError(
        f"n={n}: only {len(chosen)} regions {radius} Å apart have room; lower n or radius"
    )


@dataclass(frozen=True, eq=False, repr=False)
class RegionPatterns:
    """Patterns of a beam on regions, along three axes each.

    Parameters
    ----------
    scan : DiffractionScan
        Shape (n_regions, 3): along x, y and z. Positions are those within the slab of the axis.
    centres : numpy.ndarray, shape (n_regions, 3)
        Middles of the regions in Å.
    thickness : float
        Of the slabs in Å.
    """

    scan: DiffractionScan
    centres: FloatArray
    thickness: float

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return f"RegionPatterns({len(self.centres)} regions, {self.thickness:g} Å thick)"

    def strength(self, k_range: tuple[float, float] | None = None) -> FloatArray:
        """Return how strong the strongest pair of spots is, relative to the mean of its ring.

        Parameters
        ----------
        k_range : tuple of float, optional
            Ring in 1/Å (k = 1/d); all outside the central disc when omitted.

        Returns
        -------
        numpy.ndarray, shape (n_regions, 3)
            By region and axis. Speckle alone reaches 5 and more; relative to the mean over all
            regions, so compare within one call only.

        Raises
        ------
        ValueError
            If the ring leaves the patterns or meets the central disc.
        """
        spots = paired_spots(self.scan, k_range=k_range, strength_min=0.0, n_max=1)
        found = np.zeros(self.scan.n_patterns)
        found[spots.pattern] = spots.strength
        return found.reshape(self.scan.shape)


def patterns_of_regions(
    atoms: Atoms,
    centres: ArrayLike,
    probe: Probe,
    *,
    thickness: float = 20.0,
    k_max: float = 0.8,
    step: float | None = None,
    progress: ProgressOption = None,
) -> RegionPatterns:
    """Put a beam on regions, each in the middle of a thin slab, along x, y and z.

    Patterns are kinematic, which holds for slabs of a few nm; see
    :func:`glassnb.diffraction.scan`.

    Parameters
    ----------
    atoms : ase.Atoms
        The model, in a periodic cube.
    centres : array_like, shape (n_regions, 3)
        Middles of the regions in Å.
    probe : Probe
        The beam.
    thickness : float
        Of the slabs in Å.
    k_max : float
        Half the edge of the patterns in 1/Å (k = 1/d).
    step : float, optional
        Largest distance in Å of neighbouring slabs, so that a region is off the middle of its slab
        by half of it at most; a quarter of the thickness when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`; counts slabs.

    Returns
    -------
    RegionPatterns
        The patterns.

    Raises
    ------
    ValueError
        If the cell is no cube, a number is out of range, an element is unknown, or ``centres``
        have another shape.
    """
    places = _check(atoms, centres, thickness, step)
    for symbol in species_of(atoms)[0]:
        electron_form_factor(symbol, [1.0])  # reads the table, which threads must not do together
    edge = float(atoms.cell.lengths()[0])
    n_layers = max(1, int(np.ceil(edge / (thickness / 4 if step is None else step) - 1e-9)))
    work: list[tuple[str, int, NDArray[np.int64]]] = []
    for axis, order in _AXES.items():
        layer = np.rint(places[:, order[2]] / edge * n_layers).astype(int) % n_layers
        work += [(axis, int(i), np.flatnonzero(layer == i)) for i in np.unique(layer)]

    def patterns(item: tuple[str, int, NDArray[np.int64]]) -> tuple[Scanner, NDArray[Any]]:
        axis, layer, members = item
        start = layer * edge / n_layers - thickness / 2
        scanner = Scanner(
            atoms, probe, thickness=thickness, k_max=k_max, axis=axis, start=start, progress=False
        )
        return scanner, scanner.patterns(places[members][:, list(_AXES[axis][:2])])

    found = map_tasks(patterns, work, progress=progress, description="regions")
    collected = np.empty((len(places), 3, *found[0][1].shape[1:]), dtype=np.float32)
    for (axis, _, members), (_, block) in zip(work, found, strict=True):
        collected[members, "xyz".index(axis)] = block
    k_step = float(found[0][0].k_x[1] - found[0][0].k_x[0])
    flat = np.stack([places[:, list(order[:2])] for order in _AXES.values()], axis=1)
    scan = DiffractionScan.from_array(
        collected, k_step=k_step, positions=flat.reshape(-1, 2), probe=probe
    )
    return RegionPatterns(scan, places, float(thickness))


def _check(atoms: Atoms, centres: ArrayLike, thickness: float, step: float | None) -> FloatArray:
    """Return the middles within the cell, or stop on what makes no sense."""
    check_atoms(atoms, periodic=True)
    edges = atoms.cell.lengths()
    if not np.allclose(np.asarray(atoms.cell), edges[0] * np.eye(3), atol=1e-4):
        raise ValueError(
            f"atoms.cell={np.round(np.asarray(atoms.cell), 3).tolist()}: must be a cube along x, y "
            "and z, so that patterns along them have the same pixels; scan other cells one by one"
        )
    for name, value in (("thickness", thickness), ("step", step)):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name}={value}: must be a positive length in Å")
    places = np.atleast_2d(np.asarray(centres, dtype=float))
    if places.ndim != 2 or places.shape[1] != 3 or not len(places) or not np.isfinite(places).all():
        raise ValueError(f"centres: have shape {places.shape}; must be (n_regions, 3), finite")
    # A remainder of a tiny negative number is the edge itself.
    wrapped: FloatArray = np.where(places % edges[0] >= edges[0], 0.0, places % edges[0])
    return wrapped
