"""Which rings are selected: by size, roundness, roughness, and through which atom."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from traitlets import Float, Int, TraitError, Tuple, observe
from traitlets import validate as check

from glassnb.network import Rings, RingShape
from glassnb_widgets.selection import Selection

__all__ = ["MEASURES", "WHOLE", "RingSelection", "called", "parse_sizes"]

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


class RingSelection(Selection):
    """Rings with their shapes, some of which are selected.

    Attributes
    ----------
    sizes : tuple of int
        Sizes that are selected; all when empty.
    roundness, roughness : tuple of float
        Lowest and highest that is selected; (0, 1) also takes rings that have none.
    atom : int
        Atom that must be in a selected ring; -1 for any.
    """

    noun = "ring"

    sizes = Tuple()
    roundness = Tuple(Float(), Float(), default_value=WHOLE)
    roughness = Tuple(Float(), Float(), default_value=WHOLE)
    atom = Int(-1)

    def __init__(self, atoms: Atoms, **traits: Any) -> None:
        self.atoms = atoms
        self.rings: Rings | None = None
        self.shape: RingShape | None = None
        super().__init__(**traits)

    @property
    def total(self) -> int:
        """How many rings there are."""
        return len(self.rings) if self.rings is not None else 0

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

    @observe("sizes", "roundness", "roughness", "atom")
    def _on_selection(self, change: Any) -> None:
        self._select()

    def _choose(self) -> NDArray[np.bool_] | None:
        if self.rings is None:
            return None
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
        return chosen

    def _show(self, rings: Rings, shape: RingShape, seconds: float) -> None:
        """Take other rings, or the same ones measured otherwise."""
        if self.rings is not rings:
            self.current = -1
        if self.shape is None or self.shape.counting != shape.counting:
            self.sizes = ()
        self.rings, self.shape, self.seconds = rings, shape, seconds
        self.former_sizes = rings.former_sizes
        self.measures = {name: getattr(shape, name) for name in MEASURES}
        self.all_sizes, self.all_counts = np.unique(shape.sizes, return_counts=True)
        self._rows = np.searchsorted(self.all_sizes, shape.sizes)
        self.sizes = tuple(set(self.sizes) & set(self.all_sizes.tolist()))

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
        x, y = self.measures["roundness"], self.measures["roughness"]
        return self._nearest(x, y, (roundness, roughness), reach)

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
        return f"{self.atoms.symbols[atom]} {atom}"


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
