"""State of the diagram explorer: what is selected, and the cycle looked at. No widget here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from traitlets import Bool, Enum, Float, Int, TraitError, observe
from traitlets import validate as check

from glassnb.network import Rings
from glassnb.topology import PersistenceDiagrams
from glassnb.topology.cycles import Cycle
from glassnb_widgets.background import explain
from glassnb_widgets.diagram_cycles import CycleKey, CycleStore, NetworkRings
from glassnb_widgets.diagram_report import DiagramReport
from glassnb_widgets.scene import Scene

__all__ = ["CAMERAS", "METHODS", "SHOWS", "DiagramModel"]

#: How cycles of rings are found.
METHODS = ("optimal", "shortest")
#: How much of the structure is drawn.
SHOWS = ("whole", "surroundings", "cycle")
#: What the camera does when another cycle is looked at.
CAMERAS = ("stay", "follow", "face")
_WORDS_EVERY = 0.25  # s, between words on how far the cycles of the selection are


class DiagramModel(DiagramReport):
    """What a diagram explorer shows.

    Parameters
    ----------
    diagrams : PersistenceDiagrams
        Diagrams of a structure.
    other : PersistenceDiagrams, optional
        Diagrams of another structure, to compare.
    dimension : int
        Dimension that is shown first.
    stability : float
        Noise in Å² that cycles shall bear.
    rings : Rings, optional
        Rings of the network of the first structure.
    find : callable, optional
        Finds cycles; :func:`glassnb.topology.cycles.optimal_cycle` when omitted.

    Attributes
    ----------
    stability : float
        Noise in Å² that cycles shall bear.
    method : str
        ``"optimal"`` or ``"shortest"``: how cycles of rings are found. The shortest is shown until
        the optimal one is there.
    show : str
        ``"whole"``, ``"surroundings"`` or ``"cycle"``: how much of the structure is drawn.
    within : float
        How far from the cycle the surroundings go, in Å.
    camera : str
        ``"stay"``, ``"follow"`` (the cycle is in the centre) or ``"face"`` (seen along the
        direction in which it is thinnest).
    volume, inner : bool
        Whether the triangles that a ring surrounds (or the surface of a cavity), and the cavities
        within a cavity, are drawn.
    collecting : bool
        Whether the cycles of all selected pairs are being found.
    cycle : Cycle or None
        The cycle that is looked at, as far as it is known.
    final : bool
        Whether it is the one that was asked for, and not the shortest in its place.
    cycle_changes : int
        Grows when the cycle is another, and when more cycles of the selection are known.
    """

    work = "search for cycles"

    stability = Float(0.05)
    method = Enum(METHODS, default_value=METHODS[0])
    show = Enum(SHOWS, default_value="surroundings")
    within = Float(4.0)
    camera = Enum(CAMERAS, default_value="face")
    volume = Bool(True)
    inner = Bool(False)
    collecting = Bool(False)
    cycle_changes = Int(0)

    def __init__(
        self,
        diagrams: PersistenceDiagrams,
        other: PersistenceDiagrams | None = None,
        *,
        dimension: int = 1,
        stability: float = 0.05,
        rings: Rings | None = None,
        find: Callable[..., Cycle] | None = None,
    ) -> None:
        _check_diagrams("diagrams", diagrams)
        if other is not None:
            _check_diagrams("other", other)
        if isinstance(dimension, bool) or dimension not in (0, 1, 2):
            raise ValueError(f"dimension={dimension!r}: must be 0, 1 or 2")
        if rings is not None:
            _check_rings(diagrams, rings)
        self.network = None if rings is None else NetworkRings(rings)
        both = (diagrams,) if other is None else (diagrams, other)
        cutoff = None if rings is None else dict(rings.cutoffs)
        self.scenes = [Scene(d.complex.atoms, cutoff if d is diagrams else None) for d in both]
        self.store = CycleStore(both, find)
        self.cycle: Cycle | None = None
        self.reason = ""
        self.final = True
        self._selecting = True
        try:
            super().__init__(diagrams, other, dimension=dimension, stability=stability)
        except TraitError as error:
            raise ValueError(f"stability={stability!r}: {error}") from None
        self._select()

    @check("stability")
    def _check_stability(self, proposal: Any) -> float:
        if not 0 <= proposal["value"] < np.inf:
            raise TraitError("must be 0 or a positive number in Å²")
        return proposal["value"]

    # -- the cycle that is looked at ---------------------------------------------------------------

    def key_of(self, index: int, *, quick: bool = False) -> CycleKey | None:
        """Return what the cycle of a pair is known by.

        Parameters
        ----------
        index : int
            Number of the pair.
        quick : bool
            Whether the shortest cycle will do.

        Returns
        -------
        CycleKey or None
            The key; ``None`` where there is no cycle: pieces have none.
        """
        if index < 0 or self.dimension == 0:
            return None
        if self.dimension == 1 and (quick or self.method == "shortest"):
            return CycleKey(self.which, 1, index, 0.0, "shortest")
        return CycleKey(self.which, self.dimension, index, self.stability, "optimal")

    @observe("current", "stability", "method")
    def _on_cycle_wanted(self, change: Any) -> None:
        if not (self._selecting or self.holding) and change["old"] != change["new"]:
            self._look()

    def _select(self) -> None:
        if self._held:
            return
        self.collecting, self._selecting = False, True
        super()._select()
        self._selecting = False
        self._look()

    def _look(self) -> None:
        """Show what is known of the cycle at once, and find the rest in the background."""
        with self.lock:
            key = self.key_of(self.current)
            if key is None:
                self._take(None, final=True)
                return
            # A cavity is quick to find, and so is a shortest path.
            final = key in self.store or key.dimension == 2 or key.method == "shortest"
            first = key if final else self.key_of(self.current, quick=True)
            assert first is not None
            try:
                self._take(self.store.find(first), final=final)
            except Exception as error:  # a control has nobody else to tell
                self.error = explain(error)
                self._take(None, final=True)
                return
            if not final:
                self.ask()

    def _take(self, found: Cycle | str | None, *, final: bool) -> None:
        self.cycle = None if isinstance(found, str) else found
        self.reason = found if isinstance(found, str) else ""
        self.final = final
        self.cycle_changes += 1

    def visit(self, index: int) -> None:
        """Look at a pair, also at one that is not selected, such as a cavity within another.

        Parameters
        ----------
        index : int
            Number of the pair.

        Raises
        ------
        ValueError
            If there is no such pair.
        """
        try:
            self.current = index
        except TraitError as error:
            raise ValueError(f"current={index}: {error}") from None

    # -- in the background -------------------------------------------------------------------------

    def collect(self) -> None:
        """Find the cycles of all selected pairs, in the background."""
        if self.dimension == 0 or not self.numbers.size:
            return
        self.collecting = True
        self.ask()

    def stop(self) -> None:
        """Give up what goes on; cycles that have been found are kept."""
        was, self.collecting = self.collecting, False
        super().stop()
        if was:
            self.status = (
                f"{self._describe()} Stopped: {len(self.computed())} of their cycles found."
            )
            self.cycle_changes += 1

    @property
    def missing(self) -> NDArray[np.int64]:
        """Selected pairs whose cycles have not been looked for yet."""
        keys = ((k, self.key_of(k)) for k in self.numbers.tolist())
        left = [k for k, key in keys if key is not None and key not in self.store]
        return np.array(left, dtype=np.int64)

    def _run(self, *wanted: Any) -> None:
        said = time.perf_counter()
        self._finish_current()
        while self.collecting:
            with self.lock:
                keys = [self.key_of(k) for k in self.missing.tolist()]
            if not keys:
                break
            for key in keys:
                self.check_wanted()
                if not self.collecting:
                    break
                if key is not None:
                    self.store.find(key)
                if time.perf_counter() - said > _WORDS_EVERY:
                    said = time.perf_counter()
                    with self.lock:
                        self.check_wanted()
                        self.status = self._describe()
                        self.cycle_changes += 1
        with self.lock:
            self.check_wanted()
            if self.collecting:
                self.collecting = False
                self.status = self._describe()
                self.cycle_changes += 1

    def _finish_current(self) -> None:
        """Put the cycle that is wanted in the place of the shortest one."""
        key = self.key_of(self.current)
        if key is None or self.final:
            return
        found = self.store.find(key)
        with self.lock:
            self.check_wanted()
            if key == self.key_of(self.current) and not self.final:
                if isinstance(found, str):  # the shortest stays
                    self.reason, self.final = found, True
                    self.cycle_changes += 1
                else:
                    self._take(found, final=True)


def _check_diagrams(name: str, diagrams: Any) -> None:
    if not isinstance(diagrams, PersistenceDiagrams):
        raise ValueError(
            f"{name}: must be what glassnb.topology.persistence returns, not "
            f"{type(diagrams).__name__}"
        )


def _check_rings(diagrams: PersistenceDiagrams, rings: Rings) -> None:
    atoms = diagrams.complex.atoms
    if not isinstance(rings, Rings):
        raise ValueError(
            f"rings: must be what a search of glassnb.network returns, not {type(rings).__name__}"
        )
    if len(rings.atoms) != len(atoms):
        raise ValueError(
            f"rings: found in a structure of {len(rings.atoms)} atoms, but that of the diagrams "
            f"has {len(atoms)}; search them in diagrams.complex.atoms"
        )
    if not np.allclose(rings.atoms.positions, atoms.positions, atol=1e-6):
        raise ValueError(
            "rings: found in a structure with other positions; search them in "
            "diagrams.complex.atoms"
        )
