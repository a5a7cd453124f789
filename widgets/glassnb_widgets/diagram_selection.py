"""Which pairs of a persistence diagram are selected, of one structure or of two."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from traitlets import Enum, Float, Int, TraitError, Tuple, Unicode, observe
from traitlets import validate as check

from glassnb.topology import PersistenceDiagrams
from glassnb_widgets.selection import Selection

__all__ = ["ORDERS", "WHOLE", "DiagramSelection"]

#: The whole range of births and of deaths.
WHOLE = (-np.inf, np.inf)
#: In which order one goes through the pairs.
ORDERS = ("lifetime", "birth", "death")
_NAMES = ("C_P", "C_T", "C_O", "B_O")
_WORDS = {0: "pieces", 1: "rings", 2: "cavities"}
Pairs = NDArray[np.float64]
Mask = NDArray[np.bool_]


class DiagramSelection(Selection):
    """Persistence diagrams of one or two structures, some of whose pairs are selected.

    All conditions must hold. They are the same for both structures; what is numbered, counted
    and looked at are the pairs of the one that is drawn.

    Attributes
    ----------
    which : int
        Structure that is drawn: 0, or 1 for the other.
    dimension : int
        0 for pieces, 1 for rings, 2 for cavities.
    region : str
        Named region of the D1 of silica: one of ``names``; empty for all.
    birth, death : tuple of float
        Lowest and highest that is selected, in Å²; infinite for no limit.
    lifetime : float
        Shortest that is selected, in Å².
    lasso : tuple of tuple of float
        Corners of a polygon, births and deaths in Å²; empty for none.
    axes : tuple of float
        Range of the axes in Å²; one that suits the pairs where it is empty, (0, 0).
    version : int
        Grows when the pairs are others.
    order : str
        How one goes through the selected pairs: by ``"lifetime"`` (the longest first),
        ``"birth"`` or ``"death"``.
    """

    noun = "pair"

    which = Int(0)
    dimension = Enum((0, 1, 2), default_value=1)
    region = Unicode("")
    birth = Tuple(Float(), Float(), default_value=WHOLE)
    death = Tuple(Float(), Float(), default_value=WHOLE)
    lifetime = Float(0.0)
    lasso = Tuple()
    order = Enum(ORDERS, default_value=ORDERS[0])
    axes = Tuple(Float(), Float(), default_value=(0.0, 0.0))
    version = Int(0)

    def __init__(
        self, diagrams: PersistenceDiagrams, other: PersistenceDiagrams | None, **traits: Any
    ) -> None:
        self.both = (diagrams,) if other is None else (diagrams, other)
        self.masks: list[Mask] = [np.zeros(0, dtype=bool) for _ in self.both]
        self._pairs: dict[tuple[int, int], Pairs] = {}
        super().__init__(**traits)

    @check("which")
    def _check_which(self, proposal: Any) -> int:
        if not 0 <= proposal["value"] < len(self.both):
            raise TraitError(
                f"there is no structure {proposal['value']}: there are {len(self.both)}, from 0"
            )
        return proposal["value"]

    @check("region")
    def _check_region(self, proposal: Any) -> str:
        name = proposal["value"]
        if name and name not in self.names:
            known = ", ".join(self.names) or "none for this diagram"
            raise TraitError(f"there is no region {name!r}: there are {known}")
        return name

    @check("birth", "death")
    def _check_range(self, proposal: Any) -> tuple[float, float]:
        low, high = proposal["value"]
        if not low <= high:
            name = proposal["trait"].name
            raise TraitError(f"{name}={low, high}: the first must not be larger than the second")
        return low, high

    @check("lasso")
    def _check_lasso(self, proposal: Any) -> tuple[tuple[float, float], ...]:
        corners = tuple((float(x), float(y)) for x, y in proposal["value"])
        if corners and len(corners) < 3:
            raise TraitError(f"lasso: {len(corners)} corners make no polygon; give 3 or more")
        return corners

    # -- what there is -----------------------------------------------------------------------------

    @property
    def diagrams(self) -> PersistenceDiagrams:
        """The diagrams of the structure that is drawn."""
        return self.both[self.which]

    @property
    def names(self) -> tuple[str, ...]:
        """The named regions that exist: those of the D1 of silica with radii."""
        if self.dimension != 1:
            return ()
        return _NAMES if all(_is_silica(diagrams) for diagrams in self.both) else ()

    @property
    def words(self) -> str:
        """What the pairs of the dimension are called."""
        return _WORDS[self.dimension]

    def pairs(self, which: int | None = None) -> Pairs:
        """Return births and deaths of one structure, of the dimension that is shown.

        Parameters
        ----------
        which : int, optional
            0 or 1; the structure that is drawn when omitted.

        Returns
        -------
        ndarray, shape (n, 2)
            Births and deaths in Å².
        """
        key = self.which if which is None else which, self.dimension
        if key not in self._pairs:
            self._pairs[key] = self.both[key[0]].pairs(key[1])
        return self._pairs[key]

    @property
    def extent(self) -> tuple[float, float]:
        """Lowest and highest value of all pairs of the dimension, rounded outwards, in Å²."""
        values = np.concatenate([self.pairs(k).ravel() for k in range(len(self.both))])
        if not values.size:
            return 0.0, 1.0
        low, high = float(values.min()), float(values.max())
        step = 10.0 ** np.floor(np.log10(max(high - low, 1e-3))) / 4
        return float(step * np.floor(low / step)), float(step * np.ceil(high / step))

    @property
    def limits(self) -> tuple[float, float]:
        """Range of the axes in Å²; nearly all pairs that are not short-lived are in it."""
        if self.axes[0] < self.axes[1]:
            return self.axes
        ends = [_lasting(self.pairs(k)) for k in range(len(self.both))]
        low, high = self.extent
        return low, min(high, max((end for end in ends if end is not None), default=high))

    @property
    def total(self) -> int:
        """How many pairs the structure that is drawn has."""
        return len(self.pairs())

    # -- the selection -----------------------------------------------------------------------------

    @observe("region", "birth", "death", "lifetime", "lasso")
    def _on_condition(self, change: Any) -> None:
        self._select()

    @observe("which", "dimension")
    def _on_other(self, change: Any) -> None:
        """Show other pairs: none of them has been looked at."""
        if self._held or change["old"] == change["new"]:
            return
        with self.lock, self._hold():
            self.current = -1
            if change["name"] == "dimension":
                self.region, self.lasso = "", ()
                self.birth, self.death, self.lifetime = WHOLE, WHOLE, 0.0
                self.axes = (0.0, 0.0)
            self.version += 1

    @observe("order")
    def _on_order(self, change: Any) -> None:
        self._select()

    def _choose(self) -> Mask:
        self.masks = [self._chosen_of(k) for k in range(len(self.both))]
        return self.masks[self.which]

    def _chosen_of(self, which: int) -> Mask:
        pairs = self.pairs(which)
        birth, death = pairs.T
        slack = 1e-9  # a slider in the browser rounds
        chosen = death - birth >= self.lifetime - slack
        for values, (low, high) in ((birth, self.birth), (death, self.death)):
            if low > -np.inf:
                chosen &= values >= low - slack
            if high < np.inf:
                chosen &= values <= high + slack
        if self.region:
            inside = np.zeros(len(pairs), dtype=bool)
            inside[self.both[which].region(self.region, self.dimension)] = True
            chosen &= inside
        if self.lasso:
            chosen &= _within(pairs, np.array(self.lasso))
        return chosen

    def _sorted(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        birth, death = self.pairs()[numbers].T
        keys = {"lifetime": birth - death, "birth": birth, "death": death}
        return numbers[np.argsort(keys[self.order], kind="stable")]

    def _describe(self) -> str:
        diagrams, n = self.diagrams, self.numbers.size
        parts = [self.region] if self.region else []
        for name in ("birth", "death"):
            low, high = getattr(self, name)
            if (low, high) != WHOLE:
                parts.append(f"{name} {_span(low, high)} Å²")
        if self.lifetime > 0:
            parts.append(f"lifetime from {self.lifetime:.3g} Å²")
        if self.lasso:
            parts.append("inside the lasso")
        why = f" ({', '.join(parts)})" if parts else ""
        place = ("", " of the other structure")[self.which]
        return (
            f"{self.total} {self.words} (D{self.dimension}){place}. Selected: {n}{why}, "
            f"{n / max(1, diagrams.n_atoms):.3f} per atom."
        )

    def set_box(self, birth: tuple[float, float], death: tuple[float, float]) -> None:
        """Select a rectangle of the diagram; a lasso gives way to it.

        Parameters
        ----------
        birth, death : tuple of float
            Lowest and highest, in Å².
        """
        with self._hold():
            self.birth, self.death, self.lasso = birth, death, ()

    def set_lasso(self, corners: Any) -> None:
        """Select what lies in a polygon; a rectangle gives way to it.

        Parameters
        ----------
        corners : array_like, shape (n, 2)
            Births and deaths in Å²; fewer than three select nothing new.
        """
        if len(corners) < 3:
            return
        with self._hold():
            self.birth, self.death, self.lasso = WHOLE, WHOLE, tuple(map(tuple, corners))

    def clear(self) -> None:
        """Select all pairs."""
        with self._hold():
            self.region, self.birth, self.death, self.lasso = "", WHOLE, WHOLE, ()
            self.lifetime = 0.0

    def pick_at(
        self, birth: float, death: float, reach: tuple[float, float], which: int | None = None
    ) -> int | None:
        """Look at the selected pair nearest to a point of a diagram.

        Parameters
        ----------
        birth, death : float
            The point, in Å².
        reach : tuple of float
            Semi-axes of the ellipse around it in which a pair must lie.
        which : int, optional
            Structure in whose diagram the point is; the one that is drawn when omitted.

        Returns
        -------
        int or None
            Number of the pair, or ``None`` if there is none; then nothing else changes.
        """
        with self.lock:
            if which is not None:
                self.which = which
            x, y = self.pairs().T
            return self._nearest(x, y, (birth, death), reach)


def _lasting(pairs: Pairs) -> float | None:
    """Return a round value before which nearly all pairs die that are not short-lived."""
    if not len(pairs):
        return None
    lives = pairs[:, 1] - pairs[:, 0]
    last = float(np.quantile(pairs[lives >= 0.05 * lives.max(), 1], 0.999))
    step = 10.0 ** np.floor(np.log10(max(last - pairs.min(), 1e-3))) / 2
    return float(step * np.ceil(last / step + 0.1))


def _is_silica(diagrams: PersistenceDiagrams) -> bool:
    return diagrams.radii is not None and set(diagrams.complex.species) == {"Si", "O"}


def _span(low: float, high: float) -> str:
    if low == -np.inf:
        return f"up to {high:.3g}"
    return f"from {low:.3g}" if high == np.inf else f"{low:.3g} to {high:.3g}"


def _within(points: Pairs, corners: Pairs) -> Mask:
    """Tell which points lie in a polygon: rays from them cross its sides an odd number of times."""
    x, y = points.T
    inside = np.zeros(len(points), dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > y) != (y1 > y)
        inside ^= crosses & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    return inside
