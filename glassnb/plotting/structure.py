"""Flat pictures of structures, for papers and pages without a 3-D viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from scipy.spatial import ConvexHull

from glassnb.plotting.figures import new_axes, species_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_slab"]


def plot_slab(atoms: Atoms, thickness: float = 8.0, ax: Axes | None = None) -> Axes:
    """Draw a slab of a network, seen along z, with its tetrahedra shaded by depth.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    thickness : float
        Thickness of the slab in Å, from the bottom of the cell.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If no bonds are found, or ``thickness`` is not positive.
    """
    from matplotlib.collections import LineCollection, PolyCollection

    from glassnb.network import bonds

    if not thickness > 0:
        raise ValueError(f"thickness={thickness}: must be a positive distance in Å")
    ax = new_axes(ax)
    atoms = atoms.copy()
    atoms.wrap()
    found = bonds(atoms)
    z = atoms.positions[:, 2]
    inside = (z >= 0) & (z < thickness)
    ends = atoms.positions[found.centres] + found.vectors(atoms)
    polygons, depths, lines = [], [], []
    for i in np.flatnonzero(inside & (found.counts >= 4)):
        corners = ends[found.offsets[i] : found.offsets[i + 1], :2]
        polygons.append(corners[ConvexHull(corners).vertices])
        depths.append(z[i])
        lines += [[atoms.positions[i, :2], corner] for corner in corners]
    order = np.argsort(depths)
    shaded = PolyCollection(
        [polygons[k] for k in order], array=np.array(depths)[order], cmap="Blues",
        clim=(-thickness, thickness), edgecolor="0.45", linewidth=0.3, alpha=0.55,
    )  # fmt: skip
    ax.add_collection(shaded)
    ax.add_collection(LineCollection(lines, colors="0.35", linewidths=0.5, zorder=2))
    for symbol in sorted(set(atoms.get_chemical_symbols())):
        at = atoms.positions[inside & (atoms.symbols == symbol)]
        ax.scatter(
            at[:, 0], at[:, 1], s=5, color=species_colour(symbol), zorder=3, lw=0, label=symbol
        )
    ax.set(xlabel="$x$ (Å)", ylabel="$y$ (Å)", aspect="equal")
    ax.set_xlim(0, atoms.cell.lengths()[0])
    ax.set_ylim(0, atoms.cell.lengths()[1])
    ax.legend(loc="upper right", frameon=True, markerscale=2, handletextpad=0.1)
    return ax
