"""Slabs cut from models: as they stand, or turned into any direction.

The waves of a simulation live in a cell that repeats in x and y. A slab that keeps the model's own
faces repeats without a seam. A turned one does not: it is cut as a square wider than the field in
which the beam may stand, and only the weak outer rings of the beam meet the seam.

Where a model is not periodic, its cell says nothing of where the matter is: films, wires and
clusters are measured by their atoms, so that moving one changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.structure import check_atoms

__all__ = ["Slab", "cut_slab", "gathered"]

_AXES = {"x": (1, 2, 0), "y": (2, 0, 1), "z": (0, 1, 2)}
_MOST_ATOMS = 2_000_000
_MOST_CELLS = 4  # in a row, to make a rectangle of
_SKEW = 1e-4  # Å, by which a rectangle may miss its right angles
_EDGE = 1e-6  # Å; an atom on the face of a periodic cell belongs to one side
_BEYOND = 1.0  # Å from the outermost atoms to the face of what is not periodic: half a bond
_ROUNDED = 1e-3  # Å, by which a thickness may exceed the height of a film


@dataclass(frozen=True)
class Slab:
    """A thin piece of matter across the beam, which runs along +z.

    Parameters
    ----------
    atoms : ase.Atoms
        Atoms with 0 <= x < length_x, 0 <= y < length_y, 0 <= z < thickness, and that cell.
    period : tuple of float or None
        Edges in x and y in Å after which the structure repeats without a fault; ``None`` where
        the cut has a seam, or the matter ends in vacuum.
    field : tuple of float
        ``(x_low, x_high, y_low, y_high)`` in Å: where the beam may stand.
    """

    atoms: Atoms
    period: tuple[float, float] | None
    field: tuple[float, float, float, float]

    def __repr__(self) -> str:
        """Say what was cut."""
        x, y = self.lengths
        seam = "seamless" if self.period else "with a seam"
        return f"Slab({len(self.atoms)} atoms, {x:.2f} x {y:.2f} x {self.thickness:.2f} Å, {seam})"

    @property
    def lengths(self) -> tuple[float, float]:
        """Edges in x and y in Å."""
        edges = self.atoms.cell.lengths()
        return float(edges[0]), float(edges[1])

    @property
    def thickness(self) -> float:
        """Thickness along the beam in Å."""
        return float(self.atoms.cell.lengths()[2])


def cut_slab(
    atoms: Atoms,
    thickness: float | None = None,
    *,
    rotation: Any = None,
    width: float | None = None,
    margin: float = 10.0,
    axis: str = "z",
    start: float = 0.0,
    snapshots: Sequence[Atoms] = (),
) -> Slab:
    """Cut a slab from a model: a bulk, a film, a wire or a cluster.

    Parameters
    ----------
    atoms : ase.Atoms
        The model, periodic in the directions in which it shall be continued. Where it is not,
        all atoms belong to it, inside the cell or outside: along the beam a film, and across the
        beam, if the cell vector there is zero (ASE's cells of two, one or no dimensions), a wire
        or cluster in vacuum, in the middle of the slab with ``margin`` on either side.
    thickness : float, optional
        Along the beam in Å, more than the model's height if it is periodic there; the height
        of the model along ``axis`` when omitted. If it is not periodic there, its height is the
        extent of its atoms and 1 Å beyond at either side, or that of its cell where the faces of
        the cell lie within this 1 Å.
    rotation : scipy.spatial.transform.Rotation, optional
        Turns the model about the middle of its cell before the cut. Without it, and with a cell
        of right angles along x, y and z, the slab keeps the cell's edges in x and y; a cell that
        repeats after a rectangle in x and y, such as a hexagonal one, is brought to that.
    width : float, optional
        Least edge in x and y in Å. A seamless slab is repeated up to it; a turned slab is a
        square of this width, by default of the cube root of the cell's volume plus two margins.
    margin : float
        Distance in Å that the beam keeps from a seam.
    axis : str
        Direction of the model along the beam: ``"x"``, ``"y"`` or ``"z"``; the three keep their
        cyclic order.
    start : float
        Where the slab begins along the beam, in Å from the bottom of the cell (from the lower
        face of a film that is not periodic there, wherever it lies; from the lower face of a slab
        about the middle of the cell, if it is turned).
    snapshots : sequence of ase.Atoms
        Others of the same thermal motion: where a model is not periodic, its extent is that of the
        atoms of all, so that all slabs have one box.

    Returns
    -------
    Slab
        The atoms and where the beam may stand.

    Raises
    ------
    ValueError
        If a number is out of range, the model is not periodic where it must be continued, the
        slab is to be thicker than a film, or no atom is in the slab.
    """
    check_atoms(atoms)
    if axis not in _AXES:
        raise ValueError(f"axis={axis!r}: must be 'x', 'y' or 'z'")
    order = list(_AXES[axis])
    for i in order[:2]:
        if not atoms.pbc[i] and atoms.cell.lengths()[i] > 0:
            raise ValueError(
                f"atoms.pbc={atoms.pbc.tolist()}: must be periodic across the beam; set the cell "
                f"and atoms.pbc = True, or atoms.cell[{i}] = 0 if matter ends there in vacuum"
            )
    for name, value, least in (("width", width, 0.0), ("margin", margin, -1.0)):
        if value is not None and not (np.isfinite(value) and value > least):
            raise ValueError(f"{name}={value}: must be a positive length in Å")
    if not np.isfinite(start):
        raise ValueError(f"start={start}: must be a place in Å")
    turned = atoms.copy()
    turned.set_cell(np.asarray(atoms.cell)[order][:, order])
    turned.positions = atoms.positions[:, order]
    turned.pbc = atoms.pbc[order]
    reach = np.concatenate([each.positions for each in (atoms, *snapshots)])[:, order]
    if rotation is not None and not turned.pbc.any():  # a cluster is simply turned
        turned.positions, reach = (p @ _matrix(rotation).T for p in (turned.positions, reach))
        rotation = None
    if not turned.pbc.all():
        turned = gathered(turned, margin, width or 0.0, reach)
    cell = np.asarray(turned.cell)
    height = float(abs(np.linalg.det(cell)) / np.linalg.norm(np.cross(cell[0], cell[1])))
    thickness = _thickness(height if thickness is None else thickness)
    upright = _upright(turned) if rotation is None else None
    if upright is not None:
        slab = _own_faces(upright, thickness, width or 0.0, margin, start)
        slab.atoms.arrays["model_index"] %= len(atoms)
    else:
        slab = _turned(turned, thickness, rotation, width, margin, start)
    if not len(slab.atoms):
        raise ValueError(f"start={start}, thickness={thickness}: no atom is in this slab")
    return slab


def _thickness(value: float) -> float:
    if not (np.isfinite(value) and 0 < value <= 1e4):
        raise ValueError(f"thickness={value}: must be in Å, more than 0 and at most 10000")
    return float(value)


def gathered(
    atoms: Atoms,
    margin: float = _BEYOND,
    width: float = 0.0,
    reach: NDArray[np.float64] | None = None,
) -> Atoms:
    """Put what is not periodic into the middle of a cell that holds it.

    Parameters
    ----------
    atoms : ase.Atoms
        With the beam along z. Cell vectors of directions that are not periodic say how high a film
        is if both faces can lie within 1 Å of its outermost atoms, and nothing else.
    margin : float
        Vacuum in Å at either side across the beam, at least 1 Å.
    width : float
        Least edge in Å across the beam.
    reach : numpy.ndarray, shape (n, 3), optional
        Places in Å that the cell shall hold; the positions of the atoms when omitted.

    Returns
    -------
    ase.Atoms
        A copy whose cell vectors of directions that are not periodic are at right angles to the
        others and start at the lower face.
    """
    from ase.geometry import complete_cell

    found = atoms.copy()
    cell = np.where(atoms.pbc[:, None], np.asarray(atoms.cell, dtype=float), 0.0)
    lengths, middles = np.zeros(3), np.zeros(3)
    open_ = np.flatnonzero(~atoms.pbc)
    for i in open_:
        known = np.linalg.qr(cell[cell.any(axis=1)].T)[0]
        direction = np.eye(3)[i] - known @ known[i]
        if np.linalg.norm(direction) < _EDGE:
            direction = complete_cell(cell)[i]
        cell[i] = direction / np.linalg.norm(direction)
        along = (atoms.positions if reach is None else reach) @ cell[i]
        middles[i], extent = (along.min() + along.max()) / 2, np.ptp(along)
        given = float(abs(np.asarray(atoms.cell)[i] @ cell[i]))
        fits = extent + 4 * _EDGE <= given <= extent + 2 * _BEYOND
        lengths[i] = extent + 2 * max(margin, _BEYOND) if i < 2 else extent + 2 * _BEYOND
        lengths[i] = given if fits and i == 2 else lengths[i]
    across = open_[open_ < 2]
    if across.size:
        lengths[across] = max(width, *lengths[across])  # a cluster stands in a square
    found.positions += (lengths / 2 - middles)[open_] @ cell[open_]
    cell[open_] *= lengths[open_, None]
    found.set_cell(cell)
    return found


def _upright(atoms: Atoms) -> Atoms | None:
    """Return the model in a cell of right angles along x, y and z, if it repeats after one."""
    cell = np.asarray(atoms.cell)
    if np.allclose(cell, np.diag(np.diag(cell)), atol=1e-6) and (np.diag(cell) > 0).all():
        return atoms
    if np.abs([*cell[:2, 2], *cell[2, :2]]).max() > _SKEW or cell[2, 2] < 0:
        return None
    from ase.build import make_supercell

    counts = np.arange(-_MOST_CELLS, _MOST_CELLS + 1)
    steps = np.stack(np.meshgrid(counts, counts, indexing="ij"), axis=-1).reshape(-1, 2)
    vectors = steps @ cell[:2, :2]
    edges = []
    for along, across in ((0, 1), (1, 0)):
        fits = (np.abs(vectors[:, across]) < _SKEW) & (vectors[:, along] > _SKEW)
        if not fits.any():
            return None
        edges.append([*steps[fits][vectors[fits, along].argmin()], 0])
    return make_supercell(atoms, [*edges, [0, 0, 1]])


def _own_faces(atoms: Atoms, thickness: float, width: float, margin: float, start: float) -> Slab:
    """Keep the cell in x and y; repeat it up to ``width`` and along z as needed."""
    edges = atoms.cell.lengths()
    if not atoms.pbc[2] and (start < -_EDGE or start + thickness > edges[2] + _ROUNDED):
        raise ValueError(
            f"start={start}, thickness={thickness}: reach out of the model, which is "
            f"{edges[2]:.3f} Å high and not periodic along the beam (atoms.pbc); leave thickness "
            "out for all of it, or set atoms.pbc = True if the cell repeats along the beam"
        )
    across = np.maximum(1, np.ceil(width / edges[:2] - 1e-9)).astype(int)
    positions = atoms.positions.copy()
    positions[:, :2] = _wrap(positions[:, :2], edges[:2])
    if atoms.pbc[2]:
        first, last = np.floor(start / edges[2]), np.ceil((start + thickness) / edges[2])
        positions[:, 2] = _wrap(positions[:, 2], edges[2])
        layers = np.arange(int(first), int(last) + 1)
    else:
        layers = np.arange(1)
    _check_size(len(atoms) * int(across.prod()) * len(layers))
    steps = np.meshgrid(np.arange(across[0]), np.arange(across[1]), layers, indexing="ij")
    shifts = np.stack(steps, axis=-1).reshape(-1, 3)
    box = np.array([*(edges[:2] * across), thickness])
    origin, margins = np.array([0, 0, start]), np.where(atoms.pbc[:2], 0.0, margin)
    period = (float(edges[0]), float(edges[1])) if atoms.pbc[:2].all() else None
    return _slab(atoms, positions, shifts * edges, origin, box, margins, period)


def _turned(
    atoms: Atoms,
    thickness: float,
    rotation: Any,
    width: float | None,
    margin: float,
    start: float,
) -> Slab:
    """Fill a square box about the middle of the turned cell with atoms and their images."""
    if not atoms.pbc.all():
        raise ValueError(
            f"atoms.pbc={atoms.pbc.tolist()}: a slab that is turned, or cut from a cell without "
            "right angles, needs a model that is periodic in all three directions"
        )
    matrix = _matrix(rotation)
    cell = np.asarray(atoms.cell)
    edge = float(abs(np.linalg.det(cell)) ** (1 / 3) + 2 * margin) if width is None else width
    if edge <= 2 * margin:
        raise ValueError(
            f"width={edge:.2f}: must exceed twice margin={margin:.2f} (Å), which the beam keeps "
            "from the seam of a slab that is turned or cut from a cell without right angles; "
            "raise width or lower margin"
        )
    box = np.array([edge, edge, thickness])
    positions = (atoms.get_positions(wrap=True) - cell.sum(axis=0) / 2) @ matrix.T
    vectors = cell @ matrix.T
    # The box about the origin, moved along the beam: which cells can reach it?
    corner, shift = box / 2, np.array([0, 0, start])
    heights = 1 / np.linalg.norm(np.linalg.inv(vectors), axis=0)
    most = np.ceil((np.linalg.norm(corner) + abs(start)) / heights + 1).astype(int)
    cells = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in most), indexing="ij"), axis=-1)
    shifts = cells.reshape(-1, 3) @ vectors
    reach = np.abs(vectors).sum(axis=0) / 2
    shifts = shifts[(np.abs(shifts - shift) <= corner + reach + _EDGE).all(axis=1)]
    _check_size(len(atoms) * len(shifts))
    margins = np.array([margin, margin])
    return _slab(atoms, positions, shifts, shift - corner, box, margins, None)


def _matrix(rotation: Any) -> NDArray[np.float64]:
    """Return the matrix of one rotation, or of none."""
    matrix = np.eye(3) if rotation is None else np.asarray(rotation.as_matrix())
    if matrix.shape != (3, 3):
        raise ValueError("rotation: must be a single scipy Rotation; scan() takes several")
    return matrix


def _slab(
    atoms: Atoms,
    positions: NDArray[np.float64],
    shifts: NDArray[np.float64],
    origin: NDArray[np.float64],
    box: NDArray[np.float64],
    margin: NDArray[np.float64],
    period: tuple[float, float] | None,
) -> Slab:
    """Collect the images that lie in the box."""
    images = (positions[None] + shifts[:, None] - origin).reshape(-1, 3)
    inside = ((images >= -_EDGE) & (images < box - _EDGE)).all(axis=1)
    numbers = np.tile(atoms.numbers, len(shifts))[inside]
    cut = Atoms(numbers=numbers, positions=images[inside], cell=box, pbc=(True, True, False))
    # Of which atom of the model each one is an image.
    cut.set_array("model_index", np.tile(np.arange(len(atoms)), len(shifts))[inside])
    (x, y), (far_x, far_y) = margin.tolist(), (box[:2] - margin).tolist()
    return Slab(cut, period, (x, far_x, y, far_y))


def _wrap(places: NDArray[np.float64], period: Any) -> NDArray[np.float64]:
    """Wrap places; what rounding left just below a cell stays at its bottom."""
    wrapped = places % period
    return np.where(wrapped > period - _EDGE, wrapped - period, wrapped)


def _check_size(n_atoms: int) -> None:
    if n_atoms > _MOST_ATOMS:
        raise ValueError(
            f"the slab would be cut from {n_atoms} atoms, more than {_MOST_ATOMS}: lower "
            "thickness or width, or use a wider beam"
        )
