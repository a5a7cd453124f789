"""Where a structure is cut: central boxes, and the atoms around each that its calculation needs.

Subsystems are finite clusters: the images of an atom in a crystal are atoms of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii
from numpy.typing import NDArray

from glassnb.core.neighbours import Neighbours, neighbours
from glassnb.core.structure import cell_heights, full_cell

__all__ = ["Partition", "partition"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ANIONS = [atomic_numbers[symbol] for symbol in ("N", "O", "F", "S", "Cl")]
_HYDROGEN = atomic_numbers["H"]
_BOND = 1.3  # times the sum of the covalent radii


@dataclass(frozen=True)
class Partition:
    """Subsystems of a structure.

    Parameters
    ----------
    members : tuple of ndarray of int
        Atoms of each subsystem, those of its central box first.
    images : tuple of ndarray of int, shape (n_members, 3) each
        Cell in which each of them lies, relative to ``positions``.
    n_central : ndarray of int, shape (n_subsystems,)
        Number of atoms in each central box.
    numbers : ndarray of int, shape (n_atoms,)
        Atomic numbers of the structure that was cut.
    positions : ndarray, shape (n_atoms, 3)
        Its positions in Å.
    cell : ndarray, shape (3, 3)
        Its cell in Å.
    """

    members: tuple[IntArray, ...]
    images: tuple[IntArray, ...]
    n_central: IntArray
    numbers: IntArray
    positions: FloatArray
    cell: FloatArray

    def follow(self, atoms: Atoms) -> FloatArray:
        """Return the positions of atoms that moved, free of jumps to other cells.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure, a while later.

        Returns
        -------
        ndarray, shape (n_atoms, 3)
            In Å.
        """
        cell = full_cell(atoms)
        fractional = atoms.positions @ np.linalg.inv(cell)
        before = self.positions @ np.linalg.inv(self.cell)
        return np.asarray(atoms.positions - (np.rint(fractional - before) * atoms.pbc) @ cell)

    def fits(self, atoms: Atoms, skin: float) -> bool:
        """Say whether the subsystems may still serve.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure, a while later.
        skin : float
            Two atoms may have changed their distance by this much, in Å.

        Returns
        -------
        bool
            False if another structure is meant, or it moved too far.
        """
        if len(atoms) != self.numbers.size or not np.array_equal(atoms.numbers, self.numbers):
            return False
        cell = full_cell(atoms)
        if np.abs(cell - self.cell).max() > skin / 2:
            return False
        moved = self.follow(atoms) - self.positions @ np.linalg.inv(self.cell) @ cell
        moved -= moved.mean(axis=0)  # all together may go where they like
        return bool(np.linalg.norm(moved, axis=1).max() <= skin / 2)


def partition(atoms: Atoms, box: float, buffer_radius: float) -> Partition:
    """Cut a structure into central boxes with buffers.

    A subsystem holds the atoms of its box, all atoms within ``buffer_radius`` of one of them, and
    then whatever anions are bonded to its cations and whatever hydrogen to its anions: a silicon
    atom without some of its oxygen would have states in the gap.

    Parameters
    ----------
    atoms : ase.Atoms
        A molecule, or a structure periodic in all directions.
    box : float
        Approximate edge of the central boxes in Å.
    buffer_radius : float
        In Å.

    Returns
    -------
    Partition
        The subsystems, largest first.
    """
    cell, codes, home = _boxes(atoms, box)
    near = neighbours(atoms, buffer_radius)
    bonds = _bonds(atoms)
    members, images, n_central = [], [], []
    for code in np.unique(codes):
        central = np.flatnonzero(codes == code)
        places = np.column_stack([central, home[central]])
        region = _joined(places, _around(places, near))
        for kinds, others in (("cation", _ANIONS), ("anion", [_HYDROGEN])):
            of_kind = np.isin(atoms.numbers[region[:, 0]], _ANIONS)
            chosen = region[of_kind if kinds == "anion" else ~of_kind]
            added = _around(chosen, bonds)
            region = _joined(region, added[np.isin(atoms.numbers[added[:, 0]], others)])
        members.append(region[:, 0])
        images.append(region[:, 1:])
        n_central.append(central.size)
    order = sorted(range(len(members)), key=lambda k: -members[k].size)
    return Partition(
        tuple(members[k] for k in order),
        tuple(images[k] for k in order),
        np.array(n_central)[order],
        atoms.numbers.astype(np.int64),
        atoms.positions.copy(),
        cell,
    )


def _boxes(atoms: Atoms, box: float) -> tuple[FloatArray, IntArray, IntArray]:
    """Return the cell, the box of each atom, and the image of each atom that lies in the cell."""
    cell = full_cell(atoms)
    fractional = atoms.positions @ np.linalg.inv(cell)
    origin = np.where(atoms.pbc, 0.0, fractional.min(axis=0))
    extent = np.where(atoms.pbc, 1.0, np.maximum(np.ptp(fractional, axis=0), 1e-9) * (1 + 1e-9))
    heights = np.where(
        atoms.pbc, cell_heights(atoms), extent / np.linalg.norm(np.linalg.inv(cell), axis=0)
    )
    n_boxes = np.maximum(np.rint(heights / box), 1)
    home = -np.floor(fractional) * atoms.pbc
    index = np.floor((fractional + home - origin) / extent * n_boxes)
    index = np.clip(index, 0, n_boxes - 1)  # 1 - 1e-17 is 1
    codes = (index[:, 0] * n_boxes[1] + index[:, 1]) * n_boxes[2] + index[:, 2]
    return cell, codes.astype(np.int64), home.astype(np.int64)


def _bonds(atoms: Atoms) -> Neighbours:
    """Return the neighbours at about the distance of a bond."""
    species = sorted(set(atoms.symbols))
    radius = {symbol: covalent_radii[atomic_numbers[symbol]] for symbol in species}
    return neighbours(
        atoms, {(a, b): _BOND * (radius[a] + radius[b]) for a in species for b in species}
    )


def _around(places: IntArray, near: Neighbours) -> IntArray:
    """Return atoms and images of the neighbours of some atoms and images."""
    counts = near.counts[places[:, 0]]
    starts = np.repeat(near.offsets[places[:, 0]] - np.cumsum(counts) + counts, counts)
    entries = starts + np.arange(counts.sum())
    images = near.images[entries] + np.repeat(places[:, 1:], counts, axis=0)
    return np.column_stack([near.indices[entries], images])


def _joined(first: IntArray, second: IntArray) -> IntArray:
    """Append the rows that are not there yet, each once."""
    rows, order = np.unique(np.concatenate([first, second]), axis=0, return_index=True)
    return rows[np.argsort(order)]
