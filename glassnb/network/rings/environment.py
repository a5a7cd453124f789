"""What lies around rings, seen in the frame of each ring.

The idea is that of Motoki Shiga et al., Commun. Mater. 4, 91 (2023): a spatial correlation function
for the densities of atoms around rings, which shows how rings order the network beyond themselves,
and in which directions. Only the abstract of that paper could be had. Frame, maps and cones are
defined here: the origin is the mean of the ring's atoms, the axes are its major axis, its minor
axis and its normal, and densities are averaged over rings and divided by the mean density.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.neighbours import BinnedAtoms, bin_atoms
from glassnb.core.parallel import map_tasks, thread_count
from glassnb.core.progress import ProgressOption, progress_bar
from glassnb.core.structure import check_atoms, species_of
from glassnb.network import _kernels
from glassnb.network.rings.density import UNIT, RingEnvironment
from glassnb.network.rings.result import Counting, Rings
from glassnb.network.rings.shape import ring_shape

__all__ = ["ring_environment"]

_ROOM = 2**25  # counts that a histogram may hold: 256 MB
_BATCH = 8192  # rings between two steps of the progress bar
_TASKS = 32  # pieces of work for a cluster


def ring_environment(
    atoms: Atoms,
    rings: Rings,
    *,
    size: int | Sequence[int] | None = None,
    counting: Counting = "formers",
    species: str | Sequence[str] | None = None,
    r_max: float = 10.0,
    bin_width: float = 0.25,
    own_atoms: bool = False,
    normal_cone: float = 0.9,
    plane_cone: float = 0.1,
    client: Any = None,
    progress: ProgressOption = None,
) -> RingEnvironment:
    """Measure the density of atoms around rings, in the frame of each ring.

    Any periodic cell, also one smaller than ``r_max``: all images are seen. The memory needed does
    not depend on the number of rings, and the result not on the number of threads or machines.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, periodic in all directions.
    rings : Rings
        Its rings.
    size : int or sequence of int, optional
        Sizes of the rings to look at; all rings when omitted, such as those that
        :meth:`Rings.select` has chosen.
    counting : str
        ``"formers"`` takes ``size`` as a number of network formers, ``"nodes"`` of all atoms. The
        frame is always that of all atoms of the ring.
    species : str or sequence of str, optional
        Species whose atoms are counted; all when omitted.
    r_max : float
        Range in Å: of the profiles, of each half axis of the box, and of radius and half height of
        the cylinder.
    bin_width : float
        Width of the bins in Å, rounded so that a whole number of bins ends at ``r_max``.
    own_atoms : bool
        Whether to count the atoms of the ring itself too. Their images always count.
    normal_cone : float
        The profile along the normal takes atoms with abs(cos θ) above this; θ is the angle to the
        normal.
    plane_cone : float
        The profile in the plane takes atoms with abs(cos θ) below this.
    client : dask.distributed.Client, optional
        Where to run; threads of this process when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress_bar`.

    Returns
    -------
    RingEnvironment
        Density maps and profiles, by species and for all together.

    Raises
    ------
    ValueError
        If the structure is not periodic or not the one that was searched, there is no ring of a
        size, a species is absent, or a number makes no sense.

    Notes
    -----
    After M. Shiga et al., Commun. Mater. 4, 91 (2023), of which only the abstract could be read:
    frame, bins and cones are our definition. With V the volume of a bin, N the number of rings and
    d the number of atoms of a species per volume of the structure, the density over mean density is
    the count in the bin over N d V; a gas without order gives 1 everywhere.

    Examples
    --------
    >>> import glassnb as gn
    >>> quartz = gn.models.crystal("alpha-quartz")
    >>> rings = gn.network.primitive_rings(quartz, cutoff={("Si", "O"): 2.0}, max_size=12)
    >>> around = gn.network.ring_environment(quartz, rings, size=6, r_max=8.0)
    >>> around.cylindrical("Si").shape
    (32, 32)
    """
    check_atoms(atoms, periodic=True)
    symbols, codes = _check_species(atoms, species)
    _check_origin(atoms, rings)
    n_bins = _check_bins(r_max, bin_width, len(symbols))
    cones = _check_cones(normal_cone, plane_cone)
    chosen = _choose(rings, size, counting)
    shape = ring_shape(chosen)
    listed = bin_atoms(atoms, np.sqrt(3) * r_max)
    moved = np.floor(shape.centres @ np.linalg.inv(listed.cell)).astype(np.int64)
    work = _Work(
        listed, codes[listed.order], shape.centres - moved @ listed.cell, moved, shape.axes,
        chosen.offsets, chosen.indices, chosen.images, len(symbols), float(r_max), n_bins, cones,
        bool(own_atoms),
    )  # fmt: skip
    boxes, tubes, shells = _accumulate(work, len(chosen), client, progress)
    counts = np.bincount(codes[codes >= 0], minlength=len(symbols))
    return RingEnvironment(
        symbols=symbols,
        edges=np.linspace(0, r_max, n_bins + 1),
        n_rings=len(chosen),
        n_frames=1,
        sizes=tuple(np.unique(chosen.sizes_by(counting)).tolist()),
        counting=counting,
        own_atoms=bool(own_atoms),
        cones=cones,
        extent=np.sqrt((shape.singular_values**2 / shape.sizes[:, None]).mean(axis=0)),
        expected=len(chosen) * counts / float(abs(np.linalg.det(listed.cell))),
        box_counts=boxes,
        tube_counts=tubes,
        shell_counts=shells[:, :3],
        shell_cos2=shells[:, 3] / UNIT,
    )


# -- the work ------------------------------------------------------------------------------------

Counts = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class _Work:
    """What each piece of work needs to know."""

    listed: BinnedAtoms
    species: NDArray[np.int64]  # of the sorted atoms, -1 for those not counted
    centres: NDArray[np.float64]  # of the rings, wrapped into the cell, Å
    moved: NDArray[np.int64]  # cells by which each centre was moved
    axes: NDArray[np.float64]
    offsets: NDArray[np.int64]
    indices: NDArray[np.int64]
    images: NDArray[np.int32]
    n_species: int
    r_max: float
    n_bins: int
    cones: tuple[float, float]
    own_atoms: bool

    @property
    def size(self) -> int:
        """Number of counts in the largest histogram."""
        return self.n_species * self.n_bins**3

    def __call__(self, piece: tuple[int, int]) -> Counts:
        """Count around the rings from one to before another."""
        first, last = piece
        listed = self.listed
        rows = slice(first, last)
        fractional = self.centres[rows] @ np.linalg.inv(listed.cell)
        bins = np.clip((fractional * listed.n_bins).astype(np.int64), 0, listed.n_bins - 1)
        # Sums of whole numbers: their number of parts changes memory and speed alone.
        n_chunks = max(1, min(4 * thread_count(), last - first, 2 * _ROOM // self.size))
        boxes, tubes, shells = _kernels.ring_surroundings(
            self.centres[rows], bins, self.moved[rows], self.axes[rows],
            self.offsets[first : last + 1], self.indices, self.images, listed.positions,
            self.species, listed.starts, listed.n_bins, listed.reach, listed.cell, listed.order,
            listed.moved, self.r_max, self.n_bins, self.n_species, *self.cones, self.own_atoms,
            n_chunks,
        )  # fmt: skip
        return boxes, tubes, shells


def _accumulate(work: _Work, n_rings: int, client: Any, progress: ProgressOption) -> Counts:
    """Sum the counts of all rings, piece by piece."""
    if client is None:
        limits = [*range(0, n_rings, _BATCH), n_rings]
        pieces = list(zip(limits[:-1], limits[1:], strict=True))
        totals = work(pieces[0])
        with progress_bar(len(pieces), "rings", progress) as bar:
            bar.update()
            for piece in pieces[1:]:
                totals = _add(totals, work(piece))
                bar.update()
        return totals
    n_pieces = max(1, min(_TASKS, n_rings, 4 * _ROOM // work.size))
    limits = np.linspace(0, n_rings, n_pieces + 1).astype(int).tolist()
    pieces = list(zip(limits[:-1], limits[1:], strict=True))
    parts = map_tasks(work, pieces, client=client, progress=progress, description="rings")
    totals = parts[0]
    for part in parts[1:]:
        totals = _add(totals, part)
    return totals


def _add(totals: Counts, part: Counts) -> Counts:
    return totals[0] + part[0], totals[1] + part[1], totals[2] + part[2]


# -- checks --------------------------------------------------------------------------------------


def _check_species(
    atoms: Atoms, species: str | Sequence[str] | None
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the species to count and the place of each atom among them, -1 for none."""
    symbols, codes = species_of(atoms)
    if species is None:
        return symbols, codes
    named = (species,) if isinstance(species, str) else tuple(species)
    if not named or not set(named) <= set(symbols):
        raise ValueError(
            f"species={species!r}: must name species of the structure: {', '.join(symbols)}"
        )
    kept = tuple(symbol for symbol in symbols if symbol in named)
    places = np.array([kept.index(symbol) if symbol in kept else -1 for symbol in symbols])
    return kept, places[codes]


def _check_origin(atoms: Atoms, rings: Rings) -> None:
    """Stop unless the rings are those of the structure, atom by atom."""
    if not isinstance(rings, Rings):
        raise ValueError(
            f"rings={type(rings).__name__}: must be Rings, as primitive_rings(atoms) returns them"
        )
    searched = rings.atoms
    if len(atoms) != len(searched):
        raise ValueError(
            f"atoms: {len(atoms)} atoms, but the rings were found in a structure of "
            f"{len(searched)}; search for the rings of this structure"
        )
    if not np.array_equal(atoms.numbers, searched.numbers):
        k = int(np.flatnonzero(atoms.numbers != searched.numbers)[0])
        raise ValueError(
            f"atoms: atom {k} is {atoms.symbols[k]}, but {searched.symbols[k]} where the rings "
            "were found; search for the rings of this structure"
        )
    away = np.abs(atoms.positions - searched.positions).max(axis=1)
    if away.max() > 1e-6:
        k = int(np.argmax(away))
        raise ValueError(
            f"atoms: atom {k} is at {atoms.positions[k]}, but at {searched.positions[k]} where the "
            "rings were found (was the structure wrapped or moved?); search for the rings of this "
            "structure"
        )
    same_cell = np.allclose(atoms.cell, searched.cell, rtol=0, atol=1e-6)
    if not same_cell or not np.array_equal(atoms.pbc, searched.pbc):
        raise ValueError(
            "atoms: its cell is not the one in which the rings were found; search for the rings of "
            "this structure"
        )


def _check_bins(r_max: float, bin_width: float, n_species: int) -> int:
    """Return the number of bins."""
    for name, value in (("r_max", r_max), ("bin_width", bin_width)):
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name}={value}: must be a positive distance in Å")
    if bin_width > r_max:
        raise ValueError(f"bin_width={bin_width}: must not be wider than r_max={r_max} Å")
    n_bins = round(r_max / bin_width)
    most = int(np.cbrt(_ROOM / n_species))
    if n_bins > most:
        raise ValueError(
            f"bin_width={bin_width}: is too fine, the map would have {n_bins} bins along each axis "
            f"(at most {most}); choose at least {r_max / most:.2g} Å, or a smaller r_max"
        )
    return n_bins


def _check_cones(normal_cone: float, plane_cone: float) -> tuple[float, float]:
    if not 0 <= normal_cone < 1:
        raise ValueError(
            f"normal_cone={normal_cone}: must be a cosine from 0 to below 1; 0.9 takes what is "
            "within 26° of the normal"
        )
    if not 0 < plane_cone <= 1:
        raise ValueError(
            f"plane_cone={plane_cone}: must be a cosine above 0 and up to 1; 0.1 takes what is "
            "within 6° of the plane"
        )
    return float(normal_cone), float(plane_cone)


def _choose(rings: Rings, size: int | Sequence[int] | None, counting: Counting) -> Rings:
    """Return the rings of the sizes asked for."""
    sizes = rings.sizes_by(counting)
    if not sizes.size:
        raise ValueError("rings: there are none; look for larger rings, or check the cutoff")
    if size is None:
        return rings
    wanted = np.atleast_1d(np.asarray(size))
    absent = [n for n in wanted.tolist() if n not in sizes]
    if absent or not wanted.size:
        there = ", ".join(map(str, np.unique(sizes)))
        what = "network formers" if counting == "formers" else "atoms"
        raise ValueError(
            f"size={size}: there is no ring of {absent[0] if absent else 'that many'} {what}; "
            f"there are rings of {there}"
        )
    return rings.select(np.isin(sizes, wanted))
