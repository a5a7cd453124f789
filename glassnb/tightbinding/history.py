"""Charges to begin with, from those of structures met before."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from ase import Atoms

__all__ = ["ChargeHistory"]

FloatArray = npt.NDArray[np.float64]

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

    def add(self, atoms: Atoms, charges: FloatArray) -> None:
        """Keep the charges of a structure.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.
        charges : ndarray, shape (n_shells,)
            Its self-consistent shell charges in e.
        """
        kept = [
            k for k, old in enumerate(self._structures) if _movement(old, atoms) < NEAR
        ][1 - LENGTH :]  # fmt: skip
        self._structures = [*(self._structures[k] for k in kept), atoms.copy()]
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
            Shell charges in e with the sum of those before; None where no structure was near.
        """
        if not self._structures or _movement(self._structures[-1], atoms) > NEAR:
            return None
        last = self._structures[-1].positions
        if len(self._structures) == 1:
            return self._charges[-1]
        # Differences from one to the next, so that no small one is drowned by a large one.
        positions = np.diff([old.positions.ravel() for old in self._structures], axis=0)
        charges = np.diff(self._charges, axis=0)
        wanted = (atoms.positions - last).ravel()
        weights = np.linalg.lstsq(positions.T, wanted, rcond=FLAT)[0]
        return np.asarray(self._charges[-1] + weights @ charges)


def _movement(before: Atoms, after: Atoms) -> float:
    """Return how far an atom moved in Å; infinite where another structure is meant."""
    if (
        len(before) != len(after)
        or np.any(before.numbers != after.numbers)
        or np.any(before.pbc != after.pbc)
        or np.any(before.get_initial_charges() != after.get_initial_charges())
    ):
        return np.inf
    return float(np.abs(before.positions - after.positions).max(initial=0.0))
