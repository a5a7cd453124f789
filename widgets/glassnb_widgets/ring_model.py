"""State of the ring inspector: the search, the selection, the ring looked at. No widget here."""

from __future__ import annotations

import re
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray
from traitlets import Bool, Enum, Float, HasTraits, Int, TraitError, Tuple, Unicode, observe
from traitlets import validate as check

from glassnb.core.provenance import atomic_path
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

__all__ = ["CAMERAS", "COUNTINGS", "DEFINITIONS", "SHOWS", "RingModel", "called", "parse_sizes"]

#: Definitions of a ring.
DEFINITIONS = ("primitive", "king", "guttman")
#: What sizes and shapes go by: all atoms, or network formers alone.
COUNTINGS: tuple[Counting, ...] = ("nodes", "formers")
#: How much of the structure is drawn.
SHOWS = ("whole", "surroundings", "ring")
#: What the camera does when another ring is looked at.
CAMERAS = ("stay", "follow", "face")
#: The whole range of roundness and of roughness.
WHOLE = (0.0, 1.0)
#: Names and units of what is measured on a ring.
MEASURES = {
    "roundness": "roundness",
    "roughness": "roughness",
    "radius_of_gyration": "radius of gyration (Å)",
    "perimeter": "perimeter (Å)",
    "area": "area (Å²)",
}
_SEARCHES = {"primitive": primitive_rings, "king": king_rings, "guttman": guttman_rings}
_KEPT = 6  # searches whose rings are kept


class _SupersededError(Exception):
    """Somebody wants other rings by now."""


class RingModel(HasTraits):
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
    sizes = Tuple()
    roundness = Tuple(Float(), Float(), default_value=WHOLE)
    roughness = Tuple(Float(), Float(), default_value=WHOLE)
    atom = Int(-1)
    current = Int(-1)
    show = Enum(SHOWS, default_value="surroundings")
    within = Float(4.0)
    camera = Enum(CAMERAS, default_value="face")
    plane = Bool(True)
    ellipsoid = Bool(True)
    normal = Bool(True)
    busy = Bool(False)
    status = Unicode("")
    note = Unicode("")
    error = Unicode("")
    version = Int(0)
    changes = Int(0)

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
        self.atoms = atoms.copy()
        self.atoms.calc = None
        self.structure = self.atoms.copy()
        if self.structure.pbc.any():
            self.structure.wrap()
        self.bonds = bonds(self.structure, cutoff)
        if not len(self.bonds):
            raise ValueError(
                f"cutoff={cutoff!r}: no two atoms are that close, so there are no rings; give the "
                "longest bond in Å"
            )
        self.cutoff = dict(self.bonds.cutoffs)
        self.rings: Rings | None = None
        self.shape: RingShape | None = None
        self.chosen = np.zeros(0, dtype=bool)
        self.numbers = np.zeros(0, dtype=np.int64)
        self._search = search or _search
        self._found: dict[tuple[str, int | None], tuple[Rings, str]] = {}
        self.lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._wanted: tuple[str, int | None, Any] | None = None
        self._held = 1
        try:
            super().__init__(definition=definition, max_size=max_size)
        except TraitError as error:
            raise ValueError(str(error)) from None
        self._held = 0
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

    @check("sizes")
    def _check_sizes(self, proposal: Any) -> tuple[int, ...]:
        return tuple(sorted({int(size) for size in proposal["value"]}))

    @check("roundness", "roughness")
    def _check_range(self, proposal: Any) -> tuple[float, float]:
        low, high = proposal["value"]
        if not low <= high:
            name = proposal["trait"].name
            raise TraitError(f"{name}={low, high}: the first must not be larger than the second")
        return max(WHOLE[0], low), min(WHOLE[1], high)

    @check("atom")
    def _check_atom(self, proposal: Any) -> int:
        if not -1 <= proposal["value"] < len(self.atoms):
            raise TraitError(
                f"there is no atom {proposal['value']}: indices run from 0 to {len(self.atoms) - 1}"
            )
        return proposal["value"]

    @check("current")
    def _check_current(self, proposal: Any) -> int:
        count = len(self.rings) if self.rings is not None else 0
        if not -1 <= proposal["value"] < count:
            raise TraitError(f"there is no ring {proposal['value']}: there are {count}, from 0")
        return proposal["value"]

    # -- the search, in a thread of its own --------------------------------------------------------

    @observe("definition", "max_size", "counting")
    def _on_wish(self, change: Any) -> None:
        if change["old"] != change["new"] and self._held == 0:
            self.request()

    def request(self) -> None:
        """Search the rings that are asked for now; a search for others is given up."""
        with self.lock:
            self._wanted = self.definition, self.max_size, self.counting
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="ring search")
                self.busy = True
                self._thread.start()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the search has ended.

        Parameters
        ----------
        timeout : float, optional
            Longest wait in s.

        Raises
        ------
        TimeoutError
            If it goes on after that time.
        """
        if thread := self._thread:
            thread.join(timeout)
            if thread.is_alive():
                raise TimeoutError(f"the search goes on after {timeout} s")

    def stop(self) -> None:
        """Give up the search that goes on, if any; its result is not shown."""
        with self.lock:
            self._wanted = "", None, ""

    def _work(self) -> None:
        while True:
            with self.lock:
                wanted, self._wanted = self._wanted, None
                if wanted is None or not wanted[0]:
                    self._thread = None
                    self.busy = False
                    return
            self.error = ""
            try:
                self._run(*wanted)
            except _SupersededError:
                continue
            except Exception as error:  # the thread has nobody else to tell
                text = str(error) or type(error).__name__
                plain = isinstance(error, ValueError | ImportError)
                self.error = text if plain else f"{type(error).__name__}: {text}"
                self.status = "The search failed."

    def _run(self, definition: str, max_size: int | None, counting: Counting) -> None:
        start = time.perf_counter()
        if (definition, max_size) not in self._found:
            up_to = "" if max_size is None else f" up to {max_size} atoms"
            self.status = f"Searching {called(definition)} rings{up_to} in the background."
            found = self._quietly(definition, max_size)
            while len(self._found) >= _KEPT:
                del self._found[next(iter(self._found))]
            self._found[definition, max_size] = found
        rings, note = self._found[definition, max_size]
        self.status = f"Measuring the shape of {len(rings)} rings."
        shape = ring_shape(rings, counting=counting)
        with self.lock:
            if self._wanted is not None:
                raise _SupersededError
            self._publish(rings, shape, note, time.perf_counter() - start)

    def _quietly(self, definition: str, max_size: int | None) -> tuple[Rings, str]:
        """Search, and return what the search warns of as text."""
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            rings = self._search(definition, self.atoms, self.cutoff, max_size, self._on_progress)
        notes = [str(w.message) for w in warned if w.category is UserWarning]
        for other in warned:
            if other.category is not UserWarning:
                warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
        return rings, "; ".join(notes)

    def _on_progress(self, done: int, total: int, message: str) -> None:
        if self._wanted is not None:
            raise _SupersededError
        head = self.status.partition(":")[0].rstrip(".")
        self.status = f"{head}: {done} of {total} parts done."

    def _publish(self, rings: Rings, shape: RingShape, note: str, seconds: float) -> None:
        """Show other rings, or the same ones measured otherwise."""
        with self.lock, self._hold():
            if self.rings is not rings:
                self.current = -1
            if self.shape is None or self.shape.counting != shape.counting:
                self.sizes = ()
            self.rings, self.shape, self.seconds = rings, shape, seconds
            self.former_sizes = rings.former_sizes
            self.measures = {name: getattr(shape, name) for name in MEASURES}
            self.all_sizes, self.all_counts = np.unique(shape.sizes, return_counts=True)
            self._rows = np.searchsorted(self.all_sizes, shape.sizes)
            self.note = note
            self.sizes = tuple(set(self.sizes) & set(self.all_sizes.tolist()))
            self.version += 1

    # -- the selection -----------------------------------------------------------------------------

    @contextmanager
    def _hold(self) -> Iterator[None]:
        """Select once in the end, however much is changed in the block."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._select()

    @observe("sizes", "roundness", "roughness", "atom")
    def _on_selection(self, change: Any) -> None:
        self._select()

    def _select(self) -> None:
        if self._held or self.rings is None:
            return
        with self.lock:
            chosen = np.ones(len(self.rings), dtype=bool)
            if self.sizes:
                chosen &= np.isin(self.all_sizes, self.sizes)[self._rows]
            for name, (low, high) in (("roundness", self.roundness), ("roughness", self.roughness)):
                slack = 1e-9  # a slider in the browser rounds
                if low > WHOLE[0]:
                    chosen &= self.measures[name] >= low - slack
                if high < WHOLE[1]:
                    chosen &= self.measures[name] <= high + slack
            if self.atom >= 0:
                chosen &= self._through(self.atom)
            self.chosen, self.numbers = chosen, np.flatnonzero(chosen)
            if not (self.current >= 0 and chosen[self.current]):
                self.current = int(self.numbers[0]) if self.numbers.size else -1
            self.status = self._describe()
            self.changes += 1

    def _through(self, atom: int) -> NDArray[np.bool_]:
        assert self.rings is not None
        entries = np.flatnonzero(self.rings.indices == atom)
        through = np.zeros(len(self.rings), dtype=bool)
        through[np.searchsorted(self.rings.offsets, entries, side="right") - 1] = True
        return through

    def _describe(self) -> str:
        assert self.rings is not None
        rings = self.rings
        took = f", found in {self.seconds:.1f} s" if self.seconds >= 0.05 else ""
        found = f"{len(rings)} {called(rings.definition)} rings up to {rings.max_size} atoms{took}"
        parts = []
        if self.sizes:
            parts.append(f"size {_spans(self.sizes)}")
        for name, bounds in (("roundness", self.roundness), ("roughness", self.roughness)):
            if bounds != WHOLE:
                parts.append(f"{name} {bounds[0]:.3g} to {bounds[1]:.3g}")
        if self.atom >= 0:
            parts.append(f"through {self.name_of(self.atom)}")
        why = f" ({', '.join(parts)})" if parts else ""
        return f"{found}. Selected: {self.numbers.size}{why}."

    def toggle_size(self, size: int, *, add: bool = False) -> None:
        """Select rings of one size; the size that is selected alone gives way to all.

        Parameters
        ----------
        size : int
            The size.
        add : bool
            Whether the size is added to those that are selected, or taken from them.
        """
        if add:
            self.sizes = tuple(set(self.sizes) ^ {size})
        else:
            self.sizes = () if self.sizes == (size,) else (size,)

    def set_region(self, roundness: tuple[float, float], roughness: tuple[float, float]) -> None:
        """Select by roundness and roughness at once.

        Parameters
        ----------
        roundness, roughness : tuple of float
            Lowest and highest.
        """
        with self._hold():
            self.roundness, self.roughness = roundness, roughness

    def clear(self) -> None:
        """Select all rings."""
        with self._hold():
            self.sizes, self.roundness, self.roughness, self.atom = (), WHOLE, WHOLE, -1

    def pick_at(self, roundness: float, roughness: float, reach: tuple[float, float]) -> int | None:
        """Look at the selected ring nearest to a point of the map.

        Parameters
        ----------
        roundness, roughness : float
            The point.
        reach : tuple of float
            Semi-axes of the ellipse around it in which a ring must lie.

        Returns
        -------
        int or None
            Number of the ring, or ``None`` if there is none; then nothing changes.
        """
        if not self.numbers.size:
            return None
        dx = (self.measures["roundness"][self.numbers] - roundness) / reach[0]
        dy = (self.measures["roughness"][self.numbers] - roughness) / reach[1]
        apart = np.nan_to_num(dx * dx + dy * dy, nan=np.inf)
        nearest = int(apart.argmin())
        if apart[nearest] > 1:
            return None
        self.current = int(self.numbers[nearest])
        return self.current

    # -- from ring to ring -------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """Place of the ring that is looked at among those selected, from 0; -1 for none."""
        if self.current < 0 or not self.chosen[self.current]:
            return -1
        return int(np.searchsorted(self.numbers, self.current))

    @position.setter
    def position(self, position: int) -> None:
        if not 0 <= position < self.numbers.size:
            raise ValueError(
                f"position={position}: {self.numbers.size} rings are selected; count from 0"
            )
        self.current = int(self.numbers[position])

    def step(self, by: int = 1) -> None:
        """Go on among the selected rings; after the last comes the first.

        Parameters
        ----------
        by : int
            How far; backwards if negative.
        """
        with self.lock:
            if self.numbers.size:
                self.position = (self.position + by) % self.numbers.size

    # -- what is known of the rings ----------------------------------------------------------------

    @property
    def selected(self) -> Rings:
        """The selected rings; waits for a search that goes on."""
        self.wait()
        if self.rings is None:
            raise ValueError(f"there are no rings: {self.error or 'the search was given up'}")
        return self.rings.select(self.chosen)

    def name_of(self, atom: int) -> str:
        """Return species and index of an atom.

        Parameters
        ----------
        atom : int
            Index of the atom.

        Returns
        -------
        str
            For example ``"Si 12"``.
        """
        return f"{self.structure.symbols[atom]} {atom}"

    @property
    def size_words(self) -> str:
        """What the sizes count."""
        if self.shape is None or self.shape.counting == "nodes":
            return "atoms"
        assert self.rings is not None
        return f"{'/'.join(self.rings.formers)} atoms"

    @property
    def words(self) -> str:
        """The ring that is looked at, in words."""
        if self.current < 0 or self.rings is None:
            return "No ring is selected." if self.rings is not None else ""
        k = self.current
        symbols, counts = np.unique(list(self.atoms.symbols[self.rings[k]]), return_counts=True)
        atoms = ", ".join(
            f"{count} {symbol}" for symbol, count in zip(symbols, counts, strict=True)
        )
        m = {name: float(values[k]) for name, values in self.measures.items()}
        return (
            f"Ring {k}: {self.rings[k].size} atoms ({atoms}); roundness {m['roundness']:.3f}, "
            f"roughness {m['roughness']:.3f}, radius of gyration {m['radius_of_gyration']:.2f} Å, "
            f"perimeter {m['perimeter']:.2f} Å, area {m['area']:.2f} Å²"
        )

    @property
    def members(self) -> str:
        """The atoms of the ring that is looked at, in the order of the bonds."""
        if self.current < 0 or self.rings is None:
            return ""
        return " – ".join(self.name_of(atom) for atom in self.rings[self.current].tolist())

    def statistics(self) -> pd.DataFrame:
        """Return numbers and means of the selected rings.

        Returns
        -------
        pandas.DataFrame
            One row per size, and ``"all"``: number of rings selected, number of rings in all, and
            means over the selected.
        """
        if self.rings is None:
            return pd.DataFrame()
        rows = self._rows[self.numbers]
        n = self.all_sizes.size
        counts = np.bincount(rows, minlength=n)
        columns: dict[str, Any] = {
            "selected": np.append(counts, counts.sum()),
            "of": np.append(self.all_counts, self.all_counts.sum()),
        }
        for name, title in MEASURES.items():
            values = self.measures[name][self.numbers]
            good = np.isfinite(values)
            sums = np.bincount(rows[good], values[good], n)
            weights = np.bincount(rows[good], minlength=n)
            sums, weights = np.append(sums, sums.sum()), np.append(weights, weights.sum())
            columns[title] = np.divide(sums, weights, out=np.full(n + 1, np.nan), where=weights > 0)
        index = pd.Index([*map(str, self.all_sizes), "all"], name=f"size ({self.size_words})")
        return pd.DataFrame(columns, index=index)

    @property
    def summary(self) -> str:
        """Means and standard deviations over the selected rings, in words."""
        if not self.numbers.size:
            return ""
        words = []
        for name in ("roundness", "roughness", "radius_of_gyration"):
            title = MEASURES[name]
            values = self.measures[name][self.numbers]
            values = values[np.isfinite(values)]
            if values.size:
                unit = title.partition(" (")[2].rstrip(")")
                called = title.partition(" (")[0]
                words.append(f"{called} {values.mean():.3f} ± {values.std():.3f} {unit}".rstrip())
        return f"Mean ± standard deviation of the selected: {', '.join(words)}."

    def selected_frame(self, limit: int | None = None, *, wait: bool = True) -> pd.DataFrame:
        """Return the selected rings as a table.

        Parameters
        ----------
        limit : int, optional
            Most rows; all when omitted.
        wait : bool
            Whether to wait for a search that goes on.

        Returns
        -------
        pandas.DataFrame
            One row per ring, by its number: ``size`` in atoms, ``former_size`` in network
            formers, ``roundness``, ``roughness``, ``radius_of_gyration`` (Å), ``perimeter`` (Å),
            ``area`` (Å²), ``atoms`` (a tuple of indices).
        """
        if wait:
            self.wait()
        if self.rings is None:
            return pd.DataFrame()
        rows = self.numbers[:limit]
        columns: dict[str, Any] = {
            "size": self.rings.sizes[rows], "former_size": self.former_sizes[rows],
        }  # fmt: skip
        columns |= {name: values[rows] for name, values in self.measures.items()}
        columns["atoms"] = [tuple(self.rings[k].tolist()) for k in rows.tolist()]
        return pd.DataFrame(columns, index=pd.Index(rows, name="ring"))

    def clusters(self, which: NDArray[np.int64] | None = None) -> list[Atoms]:
        """Return rings as molecules in one piece.

        Parameters
        ----------
        which : array_like, optional
            Numbers of rings; the selected ones when omitted.

        Returns
        -------
        list of ase.Atoms
            One for each ring; ``info`` holds its number, definition, size and shape.
        """
        self.wait()
        if self.rings is None:
            return []
        made = []
        for k in np.asarray(self.numbers if which is None else which).tolist():
            atoms = ring_geometry.cluster_of(self.rings, k)
            atoms.info = {
                "ring": k, "definition": self.rings.definition, "size": len(atoms),
                "measured": self.counting,
            }  # fmt: skip
            atoms.info |= {name: float(values[k]) for name, values in self.measures.items()}
            made.append(atoms)
        return made

    def save(self, path: str, *, one: bool = False) -> Path | None:
        """Write the selected rings.

        Parameters
        ----------
        path : str
            Name of the file: ``.csv`` for a table, ``.extxyz`` for the rings as molecules, one
            after the other.
        one : bool
            Whether only the ring that is looked at is written.

        Returns
        -------
        pathlib.Path or None
            The file, or ``None`` if it could not be written: :attr:`error` says why.
        """
        self.error = ""
        which = self.numbers[self.numbers == self.current] if one else self.numbers
        target = Path(path).expanduser().resolve()
        try:
            if self.rings is None or not which.size:
                raise ValueError("no ring is selected")
            if target.suffix == ".csv":
                mask = np.zeros(len(self.rings), dtype=bool)
                mask[which] = True
                self.rings.select(mask).save(target)
            elif target.suffix in (".xyz", ".extxyz"):
                self.status = f"Writing {which.size} rings."
                with atomic_path(target) as temporary:
                    ase.io.write(temporary, self.clusters(which), format="extxyz")
            else:
                raise ValueError(f"{target.name}: the name must end with .csv or .extxyz")
        except (ValueError, OSError) as error:
            self.error = f"Not saved: {error}"
            return None
        count = "1 ring" if which.size == 1 else f"{which.size} rings"
        self.status = f"Saved {count} to {target}"
        return target

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
    if len(rings.atoms) != len(atoms):
        raise ValueError(
            f"rings: found in a structure of {len(rings.atoms)} atoms, but atoms has {len(atoms)}; "
            "pass rings.atoms"
        )
    if not np.allclose(rings.atoms.positions, atoms.positions, atol=1e-6):
        raise ValueError("rings: found in a structure with other positions; pass rings.atoms")


def called(definition: str) -> str:
    """Return what a definition is called: two of them are people.

    Parameters
    ----------
    definition : str
        One of :data:`DEFINITIONS`.

    Returns
    -------
    str
        Its name on the page.
    """
    return definition if definition == "primitive" else definition.title()


def _spans(numbers: tuple[int, ...]) -> str:
    """Write whole numbers in short: 5, 7–9."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{p[0]}–{p[-1]}" if len(p) > 1 else str(p[0]) for p in parts)


def parse_sizes(text: str) -> tuple[int, ...]:
    """Read sizes as somebody types them.

    Parameters
    ----------
    text : str
        Whole numbers and spans, such as ``"5, 7-9"``; nothing for all sizes.

    Returns
    -------
    tuple of int
        The sizes, in order.

    Raises
    ------
    ValueError
        If a word is neither.
    """
    sizes: set[int] = set()
    for word in re.sub(r"\s*[-–]\s*", "-", text).replace(",", " ").split():
        match = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", word)
        if match is None:
            raise ValueError(f"sizes: {word!r} is no whole number; write for example 5, 7-9")
        first, last = int(match[1]), int(match[2] or match[1])
        sizes |= set(range(first, last + 1))
    return tuple(sorted(sizes))
