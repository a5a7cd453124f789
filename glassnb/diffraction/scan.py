"""Scan a beam over a slab, in one orientation or many."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from glassnb.core.progress import ProgressOption
from glassnb.core.provenance import provenance
from glassnb.diffraction.probe import Probe
from glassnb.diffraction.reductions import reductions_from
from glassnb.diffraction.result import DiffractionScan
from glassnb.diffraction.scanner import Scanner
from glassnb.diffraction.slab import Slab
from glassnb.diffraction.work import Work

__all__ = ["orientations", "scan"]

_MOST_BYTES = 4e9


def scan(
    atoms: Atoms | Slab | Sequence[Atoms | Slab],
    probe: Probe,
    *,
    positions: tuple[int, int] | ArrayLike = (16, 16),
    thickness: float | None = None,
    k_max: float = 1.2,
    rotations: Any = None,
    method: str = "kinematic",
    reduce: Mapping[str, Any] | None = None,
    keep: bool | str | os.PathLike[str] | None = None,
    debye_waller: float | Mapping[str, float] = 0.0,
    width: float | None = None,
    margin: float | None = None,
    axis: str = "z",
    start: float = 0.0,
    slice_thickness: float = 2.0,
    sampling: float = 0.12,
    seed: int = 0,
    client: Any = None,
    progress: ProgressOption = None,
) -> DiffractionScan:
    """Compute the diffraction patterns of a beam at many positions of a slab.

    Kinematic patterns are single scattering on the curved Ewald sphere: correlations with
    multislice are 0.98 to 0.99 for 30 Å of a palladium glass at 200 kV, and better for silica;
    use ``"multislice"`` for more than 3 to 4 nm or heavier elements. Real foils are thicker (5 to
    20 nm) than most models.

    Parameters
    ----------
    atoms : ase.Atoms, Slab or sequence of them
        A periodic model or a slab that is cut already; several are snapshots of one thermal
        motion, whose intensities are averaged.
    probe : Probe
        The beam.
    positions : tuple of int, or array_like, shape (n_positions, 2)
        Two whole numbers: a grid of that many steps in x and y over the model's edges (over the
        field that the seam leaves, if the slab has one). Or x and y in Å.
    thickness : float, optional
        Of the slab in Å; the height of the model when omitted.
    k_max : float
        Half the edge of the square patterns in 1/Å (k = 1/d; the Q of glassnb.scattering is
        2 pi k).
    rotations : int or scipy.spatial.transform.Rotation, optional
        Number of orientations, drawn evenly from all, or the orientations.
    method : str
        ``"kinematic"`` or ``"multislice"``.
    reduce : dict, optional
        What to keep of each pattern, by name: a pair of radii in 1/Å (a ring-shaped detector), an
        array of weights, or any of :mod:`glassnb.diffraction.reductions`.
    keep : bool or path-like, optional
        Whether to keep the patterns in memory, or a folder to write them to in zarr chunks; a scan
        into a folder that was stopped goes on when called again. By default they are kept if
        there is no ``reduce``.
    debye_waller : float or dict
        B in Å², of all atoms or by symbol.
    width : float, optional
        Least edge of the slab across the beam in Å; see :class:`Scanner`.
    margin : float, optional
        Distance in Å of the beam from the seam of a turned slab. The rings of a top-hat's beam
        die out slowly: patterns correlate with those of a boundless slab as 0.98 for the default,
        four widths of the beam, and as 0.99 for six; a gaussian beam reaches 0.999 with two.
    axis : str
        Direction of the model along the beam: ``"x"``, ``"y"`` or ``"z"``.
    start : float
        Lower face of the slab in Å; see :func:`cut_slab`.
    slice_thickness, sampling : float
        Of multislice in Å; see :class:`Scanner`.
    seed : int
        Of the orientations, if their number is given.
    client : dask.distributed.Client, optional
        Where to work on orientations; this machine when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`.

    Returns
    -------
    DiffractionScan
        Mean and mean square patterns, what ``reduce`` asks for, and the patterns if kept.

    Raises
    ------
    ValueError
        If an argument is out of range, a position is outside the slab, an element is unknown, or
        the patterns do not fit into memory.

    References
    ----------
    A. Hirata, Quantum Beam Sci. 6, 28 (2022).

    Examples
    --------
    >>> probe = Probe(voltage=200e3, convergence_semiangle=3.3)  # doctest: +SKIP
    >>> scan(glass, probe, positions=(32, 32), thickness=30).plot()  # doctest: +SKIP
    """
    wanted = reductions_from(reduce)
    turns = orientations(rotations, seed)
    prepare = partial(
        Scanner, atoms, probe, thickness=thickness, k_max=k_max, method=method, width=width,
        margin=margin, axis=axis, start=start, debye_waller=debye_waller,
        slice_thickness=slice_thickness, sampling=sampling,
    )  # fmt: skip
    # Everything about the cell, the beam and the pixels is checked before the long work.
    first = None if turns is None else turns[0]
    plan = prepare(rotation=first, progress=progress)
    places, grid = _places(positions, plan)
    shape = grid if turns is None else (len(turns), *grid)
    keep = reduce is None if keep is None else keep
    _check_kept(keep, shape, plan, client)
    for reduction in wanted.values():
        reduction(plan.patterns(places[:1]), plan.k_x, plan.k_y)
    info = provenance(
        seed=seed, method=method, thickness=plan.slabs[0].thickness, k_max=k_max,
        n_atoms=len(plan.slabs[0].atoms), frames=len(plan.slabs), probe=repr(probe),
        debye_waller=debye_waller, lengths=plan.lengths, axis=axis, start=start,
        slice_thickness=slice_thickness, sampling=sampling,
        structure=_digest(plan, places, turns),
    )  # fmt: skip
    work = Work(prepare, turns, places, grid, wanted)
    if isinstance(keep, str | os.PathLike):
        from glassnb.diffraction.storage import Store

        pieces = (work.count, len(work.rows))
        work.store = Store(keep, shape, pieces, plan.k_x, plan.k_y, info)
    try:
        total = work.run(plan, bool(keep), client, progress)
    finally:
        if work.store is not None:
            work.store.close()
    result = DiffractionScan(
        k_x=plan.k_x,
        k_y=plan.k_y,
        positions=places,
        shape=shape,
        mean=total.total / np.prod(shape),
        mean_square=total.square / np.prod(shape),
        patterns=None if total.patterns is None else total.patterns.reshape(*shape, *plan.shape),
        reductions={n: v.reshape(*shape, *v.shape[1:]) for n, v in total.reductions.items()},
        probe=probe,
        rotations=None if turns is None else turns.as_quat(),
        info=info,
    )
    return result if work.store is None else work.store.finish(result)


def orientations(rotations: Any, seed: int) -> Any:
    """Return orientations as a scipy Rotation of several, or ``None``.

    Parameters
    ----------
    rotations : None, int or scipy.spatial.transform.Rotation
        Number of orientations to draw evenly from all, or the orientations.
    seed : int
        Of the drawing.

    Returns
    -------
    scipy.spatial.transform.Rotation or None
        Orientations, with a length.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if rotations is None:
        return None
    from scipy.spatial.transform import Rotation

    if isinstance(rotations, Rotation):
        return Rotation.from_quat(np.atleast_2d(rotations.as_quat()))
    if not isinstance(rotations, int | np.integer) or rotations < 1:
        raise ValueError(
            f"rotations={rotations!r}: must be a number of orientations or a scipy Rotation"
        )
    # Four normal numbers make a quaternion whose direction is uniform.
    return Rotation.from_quat(np.random.default_rng(seed).normal(size=(int(rotations), 4)))


def _places(positions: Any, plan: Scanner) -> tuple[NDArray[np.float64], tuple[int, ...]]:
    """Return the positions of the beam in Å and the shape of their grid."""
    given = np.asarray(positions)
    if given.shape == (2,):
        if given.dtype.kind not in "iu" or (given < 1).any():
            raise ValueError(
                f"positions={positions!r}: must be two whole numbers of steps, or an array of "
                "x and y in Å of shape (n_positions, 2)"
            )
        x0, x1, y0, y1 = plan.field
        period = plan.slabs[0].period
        width = (x1 - x0, y1 - y0) if period is None else period
        # Over a period the last step leads to the first; in a field, stand in the middle of steps.
        offset = 0.5 if period is None else 0.0
        axes = [
            low + (np.arange(n) + offset) * w / n
            for low, n, w in zip((x0, y0), given, width, strict=True)
        ]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        return plan.check_positions(grid.reshape(-1, 2)), (int(given[0]), int(given[1]))
    places = plan.check_positions(given)
    return places, (len(places),)


def _digest(plan: Scanner, places: NDArray[np.float64], turns: Any) -> str:
    """Tell structures, positions and orientations apart: a stopped scan goes on with the same."""
    digest = hashlib.sha256(places.tobytes())
    for slab in plan.slabs:
        digest.update(slab.atoms.numbers.tobytes())
        digest.update(slab.atoms.positions.tobytes())
    if turns is not None:
        digest.update(turns.as_quat().tobytes())
    return digest.hexdigest()[:16]


def _check_kept(keep: Any, shape: tuple[int, ...], plan: Scanner, client: Any) -> None:
    if isinstance(keep, str | os.PathLike):
        if client is not None:
            raise ValueError(
                f"keep={os.fspath(keep)!r}: machines of a cluster cannot write one folder; use "
                "keep=False with reduce, or no client"
            )
        return
    if not isinstance(keep, bool):
        raise ValueError(f"keep={keep!r}: must be True, False or the name of a folder")
    n_bytes = 4.0 * np.prod(shape) * plan.k_x.size * plan.k_y.size
    if keep and n_bytes > _MOST_BYTES:
        raise ValueError(
            f"the patterns take {n_bytes / 1e9:.1f} GB, more than {_MOST_BYTES / 1e9:.0f} GB: use "
            "reduce with keep=False, or keep='a folder' to have them on disk"
        )
