"""What a picture of a structure consists of, as plain numbers: no viewer is known here."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from numpy.typing import NDArray

from glassnb.network import Bonds
from glassnb.plotting import species_colour

__all__ = [
    "Drawing",
    "cell_edges",
    "colour_numbers",
    "drawing",
    "faded",
    "polyhedra",
    "radii",
    "species_rgba",
]


@dataclass(frozen=True)
class Drawing:
    """A structure as balls and sticks.

    A bond that crosses a face of the cell is drawn as two half bonds. Each ends in a bond end: an
    additional, invisible atom in the middle of the bond, which wears the colour of its atom.

    Parameters
    ----------
    mol2 : str
        Atoms, then bond ends, and the bonds between them, in Tripos MOL2 format. It holds
        Cartesian coordinates (PDB would turn the cell into a standard position).
    parents : ndarray, shape (n_bond_ends,)
        The atom each bond end belongs to.
    partners : ndarray, shape (n_bond_ends,)
        The atom at the other end of that bond.
    """

    mol2: str
    parents: NDArray[np.int64]
    partners: NDArray[np.int64]


def drawing(atoms: Atoms, bonds: Bonds) -> Drawing:
    """Turn a structure and its bonds into text that a viewer reads.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, with the positions for which ``bonds`` were found.
    bonds : Bonds
        Its bonds.

    Returns
    -------
    Drawing
        Text, and what the bond ends belong to.
    """
    once = bonds.once
    first, second, images = bonds.centres[once], bonds.indices[once], bonds.images[once]
    crosses = images.any(axis=1)
    i, j = first[crosses], second[crosses]
    half = bonds.vectors(atoms)[once][crosses] / 2
    parents, partners = np.concatenate([i, j]), np.concatenate([j, i])
    ends = np.concatenate([atoms.positions[i] + half, atoms.positions[j] - half])
    positions = np.concatenate([atoms.positions, ends])
    symbols = list(atoms.symbols)
    symbols += [symbols[k] for k in parents]
    pairs = np.concatenate(
        [
            np.stack([first[~crosses], second[~crosses]], axis=1),
            np.stack([parents, len(atoms) + np.arange(parents.size)], axis=1),
        ]
    )
    rows = [
        f"{k + 1} {symbol} {x:.4f} {y:.4f} {z:.4f} {symbol} 1 GLA 0.0"
        for k, (symbol, (x, y, z)) in enumerate(zip(symbols, positions.tolist(), strict=True))
    ]
    links = [f"{k + 1} {a + 1} {b + 1} 1" for k, (a, b) in enumerate(pairs.tolist())]
    lines = ["@<TRIPOS>MOLECULE", "glass", f"{len(rows)} {len(links)} 1 0 0", "SMALL"]
    lines += ["USER_CHARGES", "", "@<TRIPOS>ATOM", *rows, "@<TRIPOS>BOND", *links, ""]
    return Drawing("\n".join(lines), parents, partners)


def radii(atoms: Atoms) -> NDArray[np.float64]:
    """Return the radii of the balls.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.

    Returns
    -------
    ndarray, shape (n_atoms,)
        Radii in Å, in proportion to covalent radii.
    """
    return np.round(0.45 * covalent_radii[atoms.numbers], 3)


def cell_edges(atoms: Atoms) -> list[list[list[float]]]:
    """Return the twelve edges of the cell.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.

    Returns
    -------
    list
        Pairs of points in Å; empty where the structure has no full cell.
    """
    cell = np.asarray(atoms.cell)
    if abs(np.linalg.det(cell)) < 1e-9:
        return []
    corners = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    return [
        np.round([p @ cell, q @ cell], 4).tolist()
        for p, q in combinations(corners, 2)
        if abs(p - q).sum() == 1
    ]


def polyhedra(
    atoms: Atoms, bonds: Bonds, species: str
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the faces of coordination polyhedra.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    bonds : Bonds
        Its bonds.
    species : str
        Chemical symbol of the atoms in the centres. Those with fewer than four neighbours have no
        polyhedron.

    Returns
    -------
    corners : ndarray, shape (n_triangles, 3, 3)
        Corners of triangles in Å; neighbours across a face of the cell stand where they belong,
        outside it.
    centres : ndarray, shape (n_triangles,)
        The atom each triangle surrounds.
    """
    ends = atoms.positions[bonds.centres] + bonds.vectors(atoms)
    counts = bonds.counts
    wanted = np.asarray(atoms.symbols) == species
    four = np.flatnonzero(wanted & (counts == 4))
    vertices = ends[bonds.offsets[four][:, None] + np.arange(4)]
    faces = np.array(list(combinations(range(4), 3)))
    corners = [vertices[:, faces].reshape(-1, 3, 3)]
    centres = [np.repeat(four, 4)]
    for atom in np.flatnonzero(wanted & (counts > 4)):
        hull = _hull(ends[bonds.offsets[atom] : bonds.offsets[atom + 1]])
        corners.append(hull)
        centres.append(np.full(len(hull), atom))
    return np.concatenate(corners), np.concatenate(centres)


def _hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.spatial import ConvexHull, QhullError

    try:
        return points[ConvexHull(points).simplices]
    except QhullError:  # the neighbours lie in a plane
        return np.empty((0, 3, 3))


def species_rgba(atoms: Atoms) -> NDArray[np.float64]:
    """Return the colour of each atom by its species.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.

    Returns
    -------
    ndarray, shape (n_atoms, 4)
        Red, green, blue and opacity, from 0 to 1.
    """
    from matplotlib.colors import to_rgba

    table = {symbol: to_rgba(species_colour(symbol)) for symbol in set(atoms.symbols)}
    return np.array([table[symbol] for symbol in atoms.symbols])


def colour_numbers(rgba: NDArray[np.float64]) -> list[int]:
    """Write colours as numbers.

    Parameters
    ----------
    rgba : ndarray, shape (n, 4)
        Red, green, blue and opacity, from 0 to 1.

    Returns
    -------
    list of int
        ``0xRRGGBB`` for each.
    """
    red, green, blue = np.round(255 * rgba[:, :3]).astype(int).T
    return ((red << 16) + (green << 8) + blue).tolist()


def faded(rgba: NDArray[np.float64], share: float = 0.6) -> NDArray[np.float64]:
    """Return colours nearer to white.

    Parameters
    ----------
    rgba : ndarray, shape (n, 4)
        Red, green, blue and opacity, from 0 to 1.
    share : float
        How far they go: 1 for white.

    Returns
    -------
    ndarray, shape (n, 4)
        The colours.
    """
    return rgba + share * (1 - rgba)
