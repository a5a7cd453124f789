"""State of the ring inspector: the search, the selection, the ring looked at. No widget here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from traitlets import Bool, Enum, Float, Int, TraitError, observe
from traitlets import validate as check

from glassnb.core.structure import check_atoms
from glassnb.network import (
    Rings,
    RingShape,
    bonds,
    guttman_rings,
    king_rings,
    primitive_rings,
    ring_shape,
)
from glassnb.network.rings.result import Counting
from glassnb.network.rings.search import LARGEST
from glassnb_widgets import geometry, ring_geometry
from glassnb_widgets.background import quietly
from glassnb_widgets.ring_report import RingReport
from glassnb_widgets.ring_selection import MEASURES, WHOLE, called, parse_sizes

__all__ = [
    "CAMERAS",
    "COUNTINGS",
    "DEFINITIONS",
    "MEASURES",
    "SHOWS",
    "WHOLE",
    "RingModel",
    "called",
    "parse_sizes",
]

#: Definitions of a ring.
DEFINITIONS = ("primitive", "king", "guttman")
#: What sizes and shapes go by: all atoms, or network formers alone.
COUNTINGS: tuple[Counting, ...] = ("nodes", "formers")
#: How much of the structure is drawn.
SHOWS = ("whole", "surroundings", "ring")
#: What the camera does when another ring is looked at.
CAMERAS = ("stay", "follow", "face")
_SEARCHES = {"primitive": primitive_rings, "king": king_rings, "guttman": guttman_rings}
_KEPT = 6  # searches whose rings are kept


class RingModel(RingReport):
    """What a ring inspector shows.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    rings : Rings, optional
        Its rings, if they have been searched already.
    definition : str
        ``"primitive"``, ``"king"`` or ``"guttman"``; that of ``rings`` where given.
    cutoff : float or dict, optional
        Longest bond in Å; that of ``rings`` where given.
    max_size : int, optional
        Largest ring in atoms; the default of the definition when omitted.
    search : callable, optional
        Searches rings; takes ``(definition, atoms, cutoff, max_size, progress)``.

    Attributes
    ----------
    definition, max_size, counting
        Which rings are searched and how they are measured. What changes is searched again, in a
        thread of its own.
    sizes : tuple of int
        Sizes that are selected; all when empty.
    roundness, roughness : tuple of float
        Lowest and highest that is selected; (0, 1) also takes rings that have none.
    atom : int
        Atom that must be in a selected ring; -1 for any.
    current : int
        Number of the ring that is looked at; -1 for none.
    show : str
        ``"whole"``, ``"surroundings"`` or ``"ring"``: how much of the structure is drawn.
    within : float
        How far from the ring the surroundings go, in Å.
    camera : str
        ``"stay"``, ``"follow"`` (the ring is in the centre) or ``"face"`` (seen along its normal).
    plane, ellipsoid, normal : bool
        What is drawn of the shape of the ring.
    busy : bool
        Whether a search goes on.
    status, note, error : str
        What goes on or has been found, what was left out, and what failed.
    version, changes : int
        Grow when the rings are others, and when the selection is another.
    """

    definition = Enum(DEFINITIONS, default_value=DEFINITIONS[0])
    max_size = Int(None, allow_none=True)
    counting = Enum(COUNTINGS, default_value=COUNTINGS[0])
    show = Enum(SHOWS, default_value="surroundings")
    within = Float(4.0)
    camera = Enum(CAMERAS, default_value="face")
    plane = Bool(True)
    ellipsoid = Bool(True)
    normal = Bool(True)
    version = Int(0)

    def __init__(
        self,
        atoms: Atoms,
        rings: Rings | None = None,
        *,
        definition: str = DEFINITIONS[0],
        cutoff: Any = None,
        max_size: int | None = None,
        search: Callable[..., Rings] | None = None,
    ) -> None:
        check_atoms(atoms)
        if rings is not None:
            _check_rings(atoms, rings)
            definition, max_size, cutoff = rings.definition, rings.max_size, dict(rings.cutoffs)
        if definition not in DEFINITIONS:
            raise ValueError(f"definition={definition!r}: must be one of {', '.join(DEFINITIONS)}")
        own = atoms.copy()
        own.calc = None
        self.structure = own.copy()
        if self.structure.pbc.any():
            self.structure.wrap()
        self.bonds = bonds(self.structure, cutoff)
        if not len(self.bonds):
            raise ValueError(
                f"cutoff={cutoff!r}: no two atoms are that close, so there are no rings; give the "
                "longest bond in Å"
            )
        self.cutoff = dict(self.bonds.cutoffs)
        self._search = search or _search
        self._found: dict[tuple[str, int | None], tuple[Rings, str]] = {}
        try:
            super().__init__(own, definition=definition, max_size=max_size)
        except TraitError as error:
            raise ValueError(str(error)) from None
        if rings is None:
            self.request()
        else:
            self._found[definition, max_size] = rings, ""
            self._publish(rings, ring_shape(rings, counting=COUNTINGS[0]), "", 0.0)

    @check("max_size")
    def _check_max_size(self, proposal: Any) -> int | None:
        value = proposal["value"]
        if value is not None and not 3 <= value <= LARGEST:
            raise TraitError(f"max_size={value}: must be from 3 to {LARGEST} atoms")
        return value

    # -- the search, in a thread of its own --------------------------------------------------------

    @observe("definition", "max_size", "counting")
    def _on_wish(self, change: Any) -> None:
        if change["old"] != change["new"] and self._held == 0:
            self.request()

    def request(self) -> None:
        """Search the rings that are asked for now; a search for others is given up."""
        self.ask(self.definition, self.max_size, self.counting)

    def _run(self, definition: str, max_size: int | None, counting: Counting) -> None:
        start = time.perf_counter()
        if (definition, max_size) not in self._found:
            up_to = "" if max_size is None else f" up to {max_size} atoms"
            self.status = f"Searching {called(definition)} rings{up_to} in the background."
            arguments = definition, self.atoms, self.cutoff, max_size, self._on_progress
            found = quietly(self._search, *arguments)
            while len(self._found) >= _KEPT:
                del self._found[next(iter(self._found))]
            self._found[definition, max_size] = found
        rings, note = self._found[definition, max_size]
        self.status = f"Measuring the shape of {len(rings)} rings."
        shape = ring_shape(rings, counting=counting)
        with self.lock:
            self.check_wanted()
            self._publish(rings, shape, note, time.perf_counter() - start)

    def _on_progress(self, done: int, total: int, message: str) -> None:
        self.check_wanted()
        head = self.status.partition(":")[0].rstrip(".")
        self.status = f"{head}: {done} of {total} parts done."

    def _publish(self, rings: Rings, shape: RingShape, note: str, seconds: float) -> None:
        """Show other rings, or the same ones measured otherwise."""
        with self.lock, self._hold():
            self._show(rings, shape, seconds)
            self.note = note
            self.version += 1

    # -- where the ring is drawn -------------------------------------------------------------------

    @cached_property
    def drawing(self) -> geometry.Drawing:
        """The whole structure as a viewer reads it."""
        return geometry.drawing(self.structure, self.bonds)

    @property
    def shift(self) -> NDArray[np.float64]:
        """Lattice vector in Å that brings the ring that is looked at into the cell."""
        assert self.shape is not None
        return ring_geometry.home(self.structure, self.shape.centres[self.current])

    @property
    def polygon(self) -> NDArray[np.float64]:
        """Corners of the ring that is looked at, its centre in the cell, in Å."""
        assert self.rings is not None
        return self.rings.polygon(self.current) + self.shift

    @property
    def surroundings(self) -> ring_geometry.Cluster:
        """The atoms around the ring that is looked at."""
        return ring_geometry.surroundings(self.structure, self.bonds, self.polygon, self.within)


def _search(
    definition: str, atoms: Atoms, cutoff: Mapping[Any, float], max_size: int | None, progress: Any
) -> Rings:
    return _SEARCHES[definition](atoms, cutoff=cutoff, max_size=max_size, progress=progress)


def _check_rings(atoms: Atoms, rings: Rings) -> None:
    if not isinstance(rings, Rings):
        raise ValueError(
            f"rings={rings!r}: must be a Rings, as glassnb.network.rings finds them, or None to "
            "search; the largest size is max_size="
        )
    if len(rings.atoms) != len(atoms):
        raise ValueError(
            f"rings: found in a structure of {len(rings.atoms)} atoms, but atoms has {len(atoms)}; "
            "pass rings.atoms"
        )
    if not np.allclose(rings.atoms.positions, atoms.positions, atol=1e-6):
        raise ValueError("rings: found in a structure with other positions; pass rings.atoms")
