"""Surroundings of atoms, by which their energies are sorted. No widget here."""

from __future__ import annotations

import warnings
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from glassnb.core.structure import species_of
from glassnb.network import king_rings
from glassnb_widgets.scene import Scene

__all__ = ["GROUPINGS", "Environments", "Groups"]

#: By what atoms are put together.
GROUPINGS = ("species", "coordination", "ring")
_LARGEST_RING = 16  # atoms: 8 network formers
_NONE = 99  # network formers of an atom in no ring, so that it stands behind the others
# P. Tol, Colour Schemes (2021), "bright", which the colour-blind can tell apart, and then others.
_COLOURS = (
    "#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#994F00", "#7A6FE0",
)  # fmt: skip
_REST = "#555555"


class Groups:
    """Atoms put together by what they have in common.

    Parameters
    ----------
    names : tuple of str
        Name of each group, by species.
    species : ndarray of int, shape (n_groups,)
        Species of each group.
    of_atom : ndarray of int, shape (n_atoms,)
        Group of each atom.

    Attributes
    ----------
    colours : tuple of str
        Colour of each group, as ``#rrggbb``: those of the largest groups of a species come first.
    """

    def __init__(
        self, names: tuple[str, ...], species: NDArray[np.int64], of_atom: NDArray[np.int64]
    ) -> None:
        self.names, self.species, self.of_atom = names, species, of_atom
        self.counts = np.bincount(of_atom, minlength=len(names))
        colours = [_REST] * len(names)
        for s in np.unique(species):
            own = np.flatnonzero(species == s)
            order = own[np.argsort(-self.counts[own], kind="stable")]
            for k, colour in zip(order.tolist(), _COLOURS, strict=False):
                colours[k] = colour
        self.colours = tuple(colours)


class Environments:
    """Coordination number and smallest ring of each atom.

    Parameters
    ----------
    scene : Scene
        The structure with its bonds.

    Attributes
    ----------
    symbols : tuple of str
        Species, heaviest first.
    species : ndarray of int, shape (n_atoms,)
        Species of each atom.
    coordination : ndarray of int, shape (n_atoms,)
        Number of bonds of each atom.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.symbols, self.species = species_of(scene.structure)
        self.coordination = np.asarray(scene.bonds.counts, dtype=np.int64)

    @cached_property
    def smallest_rings(self) -> NDArray[np.int64]:
        """Network formers of the smallest ring through each atom; 0 where none was found.

        The smallest ring through an atom is King's ring of one pair of its bonds.
        """
        structure, bonds = self.scene.structure, self.scene.bonds
        smallest = np.full(len(structure), _NONE, dtype=np.int64)
        if len(bonds):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of what has no ring
                rings = king_rings(structure, cutoff=dict(bonds.cutoffs), max_size=_LARGEST_RING)
            np.minimum.at(smallest, rings.indices, np.repeat(rings.former_sizes, rings.sizes))
        return np.where(smallest == _NONE, 0, smallest)

    def name_of(self, atom: int) -> str:
        """Return what surrounds an atom, in words.

        Parameters
        ----------
        atom : int
            Index of the atom.

        Returns
        -------
        str
            For example ``"Si4 in 6-ring"``.
        """
        return self._name("ring", int(self.species[atom]), *self._key(atom))

    def _key(self, atom: int) -> tuple[int, int]:
        return int(self.coordination[atom]), int(self.smallest_rings[atom])

    def _name(self, grouping: str, species: int, bonds: int, ring: int) -> str:
        symbol = self.symbols[species]
        if grouping == "species":
            return symbol
        if grouping == "coordination":
            return f"{symbol}{bonds}"
        return f"{symbol}{bonds} in {ring}-ring" if ring else f"{symbol}{bonds}, no ring"

    def groups(self, grouping: str) -> Groups:
        """Put atoms together.

        Parameters
        ----------
        grouping : str
            One of :data:`GROUPINGS`.

        Returns
        -------
        Groups
            The groups, by species, coordination number and size of the smallest ring.
        """
        zero = np.zeros_like(self.species)
        bonds = zero if grouping == "species" else self.coordination
        rings = self.smallest_rings if grouping == "ring" else zero
        keys = np.column_stack([self.species, bonds, np.where(rings == 0, _NONE, rings)])
        unique, of_atom = np.unique(keys, axis=0, return_inverse=True)
        names = tuple(
            self._name(grouping, int(s), int(b), int(r) % _NONE) for s, b, r in unique.tolist()
        )
        return Groups(names, unique[:, 0], of_atom.ravel())
