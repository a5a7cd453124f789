"""Slabs cut from periodic models: as they stand, or turned into any direction.

The waves of a simulation live in a cell that repeats in x and y. A slab that keeps the model's own
faces repeats without a seam. A turned one does not: it is cut as a square wider than the field in
which the beam may stand, and only the weak outer rings of the beam meet the seam.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.structure import check_atoms

__all__ = ["Slab", "cut_slab"]

_AXES = {"x": (1, 2, 0), "y": (2, 0, 1), "z": (0, 1, 2)}
_MOST_ATOMS = 2_000_000
_MOST_CELLS = 4  # in a row, to make a rectangle of
_SKEW = 1e-4  # Å, by which a rectangle may miss its right angles
_EDGE = 1e-6  # Å; an atom on the face of a periodic cell belongs to one side


@dataclass(frozen=True)
class Slab:
    """A thin piece of matter across the beam, which runs along +z.

    Parameters
    ----------
    atoms : ase.Atoms
        Atoms with 0 <= x < length_x, 0 <= y < length_y, 0 <= z < thickness, and that cell.
    period : tuple of float or None
        Edges in x and y in Å after which the structure repeats without a fault; ``None`` where
        the cut has a seam.
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
) -> Slab:
    """Cut a slab from a periodic model.

    Parameters
    ----------
    atoms : ase.Atoms
        The model, periodic in the directions in which it shall be continued.
    thickness : float, optional
        Along the beam in Å, more than the model's height if it is periodic there; the height
        of the model along ``axis`` when omitted.
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
        face of a slab about the middle of the cell, if it is turned).

    Returns
    -------
    Slab
        The atoms and where the beam may stand.

    Raises
    ------
    ValueError
        If a number is out of range, the model is not periodic where it must be continued, or no
        atom is in the slab.
    """
    check_atoms(atoms)
    if axis not in _AXES:
        raise ValueError(f"axis={axis!r}: must be 'x', 'y' or 'z'")
    if not atoms.pbc[list(_AXES[axis][:2])].all():
        raise ValueError(
            f"atoms.pbc={atoms.pbc.tolist()}: must be periodic across the beam; set the cell and "
            "atoms.pbc = True"
        )
    for name, value, least in (("width", width, 0.0), ("margin", margin, -1.0)):
        if value is not None and not (np.isfinite(value) and value > least):
            raise ValueError(f"{name}={value}: must be a positive length in Å")
    if not np.isfinite(start):
        raise ValueError(f"start={start}: must be a place in Å")
    turned = atoms.copy()
    order = list(_AXES[axis])
    turned.set_cell(np.asarray(atoms.cell)[order][:, order])
    turned.positions = atoms.positions[:, order]
    turned.pbc = atoms.pbc[order]
    cell = np.asarray(turned.cell)
    height = float(abs(np.linalg.det(cell)) / np.linalg.norm(np.cross(cell[0], cell[1])))
    thickness = _thickness(height if thickness is None else thickness)
    upright = _upright(turned) if rotation is None else None
    if upright is not None:
        slab = _own_faces(upright, thickness, width or 0.0, start)
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


def _own_faces(atoms: Atoms, thickness: float, width: float, start: float) -> Slab:
    """Keep the cell in x and y; repeat it up to ``width`` and along z as needed."""
    edges = atoms.cell.lengths()
    if not atoms.pbc[2] and (start < -_EDGE or start + thickness > edges[2] + _EDGE):
        raise ValueError(
            f"start={start}, thickness={thickness}: reach out of the model, which is "
            f"{edges[2]:.2f} Å high and not periodic along the beam (atoms.pbc)"
        )
    across = np.maximum(1, np.ceil(width / edges[:2] - 1e-9)).astype(int)
    positions = atoms.positions.copy()
    positions[:, :2] %= edges[:2]
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
    return _slab(atoms, positions, shifts * edges, np.array([0, 0, start]), box, 0.0, edges)


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
    matrix = np.eye(3) if rotation is None else np.asarray(rotation.as_matrix())
    if matrix.shape != (3, 3):
        raise ValueError("rotation: must be a single scipy Rotation; scan() takes several")
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
    return _slab(atoms, positions, shifts, shift - corner, box, margin, None)


def _slab(
    atoms: Atoms,
    positions: NDArray[np.float64],
    shifts: NDArray[np.float64],
    origin: NDArray[np.float64],
    box: NDArray[np.float64],
    margin: float,
    edges: NDArray[np.float64] | None,
) -> Slab:
    """Collect the images that lie in the box."""
    images = (positions[None] + shifts[:, None] - origin).reshape(-1, 3)
    inside = ((images >= -_EDGE) & (images < box - _EDGE)).all(axis=1)
    numbers = np.tile(atoms.numbers, len(shifts))[inside]
    cut = Atoms(numbers=numbers, positions=images[inside], cell=box, pbc=(True, True, False))
    # Of which atom of the model each one is an image.
    cut.set_array("model_index", np.tile(np.arange(len(atoms)), len(shifts))[inside])
    field = (margin, float(box[0] - margin), margin, float(box[1] - margin))
    period = None if edges is None else (float(edges[0]), float(edges[1]))
    return Slab(cut, period, field)


def _wrap(z: NDArray[np.float64], height: float) -> NDArray[np.float64]:
    """Wrap along the beam; what rounding left just below the cell stays at its bottom."""
    wrapped = z % height
    return np.where(wrapped > height - _EDGE, wrapped - height, wrapped)


def _check_size(n_atoms: int) -> None:
    if n_atoms > _MOST_ATOMS:
        raise ValueError(
            f"the slab would be cut from {n_atoms} atoms, more than {_MOST_ATOMS}: lower "
            "thickness or width, or use a wider beam"
        )
