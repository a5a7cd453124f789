"""Pictures of divided structures and of the energies of atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from glassnb.plotting.figures import add_legend, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.tightbinding.divided import Partition

__all__ = ["plot_atom_values", "plot_division"]

CENTRE, BUFFER, REST = "#D55E00", "#56B4E9", "0.7"
SIZES = {"Si": 34.0, "O": 14.0}  # points squared


def plot_division(parts: Partition, subsystem: int = 0, ax: Axes | None = None) -> Axes:
    """Draw one subsystem of a divided structure, seen along z: central box, buffer, and the rest.

    Parameters
    ----------
    parts : Partition
        A division; see :func:`glassnb.tightbinding.divided.partition`.
    subsystem : int
        Which of its subsystems.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If there is no such subsystem.
    """
    if not 0 <= subsystem < len(parts.members):
        raise ValueError(f"subsystem={subsystem}: must be from 0 to {len(parts.members) - 1}")
    ax = new_axes(ax)
    members, n = parts.members[subsystem], int(parts.n_central[subsystem])
    places = parts.positions[members] + parts.images[subsystem] @ parts.cell
    sizes = np.where(parts.numbers == 14, SIZES["Si"], SIZES["O"])
    x, y = parts.positions[:, :2].T
    ax.scatter(x, y, s=sizes / 8, color=REST, lw=0, label="the structure")
    for rows, colour, label in (
        (slice(n, None), BUFFER, f"buffer, {members.size - n} atoms"),
        (slice(0, n), CENTRE, f"central box, {n} atoms"),
    ):
        x, y = places[rows, :2].T
        ax.scatter(x, y, s=sizes[members[rows]], color=colour, lw=0.3, ec="white", label=label)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) @ parts.cell[:2, :2]
    ax.plot(*corners.T, color="0.3", lw=0.8)
    ax.set(xlabel="$x$ (Å)", ylabel="$y$ (Å)", aspect="equal")
    add_legend(ax, loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def plot_atom_values(
    atoms: Atoms,
    values: ArrayLike,
    ax: Axes | None = None,
    *,
    label: str = "relative energy (eV)",
) -> Axes:
    """Draw a structure, seen along z, with its atoms coloured by a value of each.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, periodic or not. Silicon is drawn larger than oxygen.
    values : array_like, shape (n_atoms,)
        What to show; 0 is white.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    label : str
        Label of the colour bar.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn; bonds are lines, those to an image end half-way.

    Raises
    ------
    ValueError
        If there is not one value for each atom.
    """
    shown = np.asarray(values, dtype=float)
    if shown.shape != (len(atoms),):
        raise ValueError(f"values: has shape {shown.shape}, must have one for each atom")
    ax = new_axes(ax)
    positions = atoms.get_positions(wrap=bool(atoms.pbc.any()))
    order = np.argsort(positions[:, 2])  # the nearest is drawn last
    sizes = np.array([2.5 * SIZES.get(symbol, 10.0) for symbol in atoms.symbols])
    limit = float(np.abs(shown).max()) or 1.0
    _draw_bonds(ax, atoms, positions)
    x, y, _ = positions[order].T
    drawn = ax.scatter(
        x, y, s=sizes[order], c=shown[order], cmap="RdBu_r", vmin=-limit, vmax=limit, lw=0.5,
        ec="0.4", zorder=2,
    )  # fmt: skip
    ax.figure.colorbar(drawn, ax=ax, label=label, shrink=0.9)
    ax.set(xlabel="$x$ (Å)", ylabel="$y$ (Å)", aspect="equal")
    return ax


def _draw_bonds(ax: Axes, atoms: Atoms, positions: NDArray[np.float64]) -> None:
    """Draw half a bond from each of its atoms: all is seen, wherever the cell ends."""
    from ase.neighborlist import natural_cutoffs, neighbor_list
    from matplotlib.collections import LineCollection

    # Wide enough for the Si-Si bond of an oxygen vacancy, 2.3 to 2.5 Å.
    first, bonds = neighbor_list("iD", atoms, natural_cutoffs(atoms, mult=1.15))
    starts = positions[first, :2]
    lines = np.stack([starts, starts + bonds[:, :2] / 2], axis=1)
    ax.add_collection(LineCollection(list(lines), colors="0.6", lw=1.2, zorder=1))
