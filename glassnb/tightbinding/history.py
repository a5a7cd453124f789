"""What structures of one run leave to the next: whether it goes on, and charges to begin with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.geometry import find_mic

__all__ = ["ChargeHistory"]

FloatArray = npt.NDArray[np.float64]

STRETCH = 0.005  # of its length: by how much a cell vector changes within a run
STEP = 0.3  # Å; how far an atom moves from one structure of a run to the next
NEAR = 0.5  # Å; structures in which an atom is further away tell nothing
LENGTH = 5  # structures that are kept
FLAT = 1e-3  # what moved less than this part of the largest movement is noise


class ChargeHistory:
    """Shell charges of the last structures, and a guess for the next one.

    The combination of the last structures that comes nearest to the new one is taken of the
    charges too: along a smooth path this extrapolates them to high order, whatever the steps (in
    molecular dynamics, P. Pulay and G. Fogarasi, Chem. Phys. Lett. 386, 272 (2004), did so step by
    step).
    """

    def __init__(self) -> None:
        self._structures: list[Atoms] = []
        self._charges: list[FloatArray] = []

    def continues(self, atoms: Atoms) -> bool:
        """Say whether a structure belongs to the run of the last one.

        It does if it has the same elements in the same order and the same periodicity, no cell
        vector changed by more than 0.5 % and no atom moved by more than 0.3 Å, to its nearest
        image and beside what the cell does.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure to come.

        Returns
        -------
        bool
            False also if there was none.
        """
        if not self._structures:
            return False
        last = self._structures[-1]
        if not np.array_equal(last.numbers, atoms.numbers) or np.any(last.pbc != atoms.pbc):
            return False
        before, change = np.asarray(last.cell), np.asarray(atoms.cell) - np.asarray(last.cell)
        lengths = np.linalg.norm(before, axis=1)
        if np.any(np.linalg.norm(change, axis=1) > STRETCH * lengths):
            return False
        return bool(np.linalg.norm(_movement(last, atoms), axis=1).max(initial=0.0) <= STEP)

    def add(self, atoms: Atoms, charges: FloatArray) -> None:
        """Keep the charges of a structure.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.
        charges : ndarray, shape (n_shells,)
            Its self-consistent shell charges in e.
        """
        atoms = atoms.copy()
        if not self.continues(atoms):
            self._structures, self._charges = [], []
        else:
            atoms.positions = _carried(self._structures[-1], atoms)
        kept = [
            k for k, old in enumerate(self._structures)
            if np.abs(old.positions - atoms.positions).max(initial=0.0) < NEAR
        ][1 - LENGTH :]  # fmt: skip
        self._structures = [*(self._structures[k] for k in kept), atoms]
        self._charges = [*(self._charges[k] for k in kept), charges]

    def guess(self, atoms: Atoms) -> FloatArray | None:
        """Return charges to begin with.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure to come.

        Returns
        -------
        ndarray, shape (n_shells,), or None
            Shell charges in e with the sum of those before; None where another run begins.
        """
        if not self.continues(atoms):
            return None
        if len(self._structures) == 1:
            return self._charges[-1]
        # Differences from one to the next, so that no small one is drowned by a large one.
        positions = np.diff([old.positions.ravel() for old in self._structures], axis=0)
        charges = np.diff(self._charges, axis=0)
        last = self._structures[-1]
        wanted = (_carried(last, atoms) - last.positions).ravel()
        weights = np.linalg.lstsq(positions.T, wanted, rcond=FLAT)[0]
        return np.asarray(self._charges[-1] + weights @ charges)


def _with_cell(before: Atoms, after: Atoms) -> FloatArray:
    """Return where the atoms of one structure would be, had they followed its cell."""
    if not before.pbc.any():
        return np.asarray(before.positions)
    return np.asarray(np.linalg.solve(before.cell.T, before.positions.T).T @ after.cell.array)


def _movement(before: Atoms, after: Atoms) -> FloatArray:
    """Return how atoms moved in Å, to their nearest images and beside what the cell does."""
    vectors = after.positions - _with_cell(before, after)
    return np.asarray(find_mic(vectors, after.cell, after.pbc)[0])


def _carried(before: Atoms, after: Atoms) -> FloatArray:
    """Return the positions of a structure of the same run, free of jumps to other images."""
    return _with_cell(before, after) + _movement(before, after)
