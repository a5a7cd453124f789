"""A structure in which something is looked at, as plain numbers: no viewer is known here."""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.network import Bonds, bonds
from glassnb_widgets import geometry, ring_geometry

__all__ = ["Scene"]


class Scene:
    """A structure with its bonds.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    cutoff : float or dict, optional
        Longest bond in Å; the first minimum of the partial g(r) when omitted. Bonds are there to
        be seen only: a structure in which none are found is drawn without.

    Attributes
    ----------
    structure : ase.Atoms
        The structure with all atoms in the cell.
    """

    def __init__(self, atoms: Atoms, cutoff: Any = None) -> None:
        self.structure = atoms.copy()
        self.structure.calc = None
        if self.structure.pbc.any():
            self.structure.wrap()
        self._cutoff = cutoff

    @cached_property
    def bonds(self) -> Bonds:
        """The bonds; none where none can be made out."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            try:
                return bonds(self.structure, self._cutoff)
            except ValueError:
                return bonds(self.structure, 1e-6)

    @cached_property
    def drawing(self) -> geometry.Drawing:
        """The whole structure as a viewer reads it."""
        return geometry.drawing(self.structure, self.bonds)

    def shift(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the lattice vector that brings points into the cell as a whole.

        Parameters
        ----------
        points : ndarray, shape (n, 3)
            Positions in Å.

        Returns
        -------
        ndarray, shape (3,)
            The vector in Å that brings their mean into the cell.
        """
        return ring_geometry.home(self.structure, points.mean(axis=0))

    def around(self, points: NDArray[np.float64], distance: float) -> ring_geometry.Cluster:
        """Return the atoms near some points.

        Parameters
        ----------
        points : ndarray, shape (n, 3)
            Positions in Å, of atoms that count as the thing's own.
        distance : float
            Largest distance in Å from one of them.

        Returns
        -------
        Cluster
            The atoms.
        """
        return ring_geometry.surroundings(self.structure, self.bonds, points, distance)
