"""Atoms with their energies: what is shown of them, and which are selected. No widget here."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray
from traitlets import Bool, Enum, TraitError, observe
from traitlets import validate as check

from glassnb_widgets import geometry
from glassnb_widgets.energy_environment import GROUPINGS, Environments
from glassnb_widgets.energy_results import UNDIVIDED, AtomEnergies, Key, title_of
from glassnb_widgets.scene import Scene
from glassnb_widgets.selection import Selection

__all__ = ["ORDERS", "QUANTITIES", "SPANS", "EnergySelection"]

FloatArray = NDArray[np.float64]

#: Names and units of what is shown.
QUANTITIES = {
    "relative energy": "energy – mean of the species (eV)",
    "charge": "charge (e)",
    "relative charge": "charge – mean of the species (e)",
    "error": "energy – undivided (meV)",
}
#: In which order one goes through the selected atoms.
ORDERS = ("highest", "lowest", "index")
#: What the colours span.
SPANS = ("all", "most")
_MAPS = {"charge": "viridis"}  # the others have a middle, 0
_MIDDLE_MAP = "RdYlBu_r"  # its middle is no grey: that is for atoms that are not selected
_MOST = 98  # percent
_UNSELECTED = (0.86, 0.86, 0.86, 1.0)
_UNKNOWN = (0.6, 0.6, 0.6, 1.0)
_LEAST = 1e-6  # smallest span of the colours: less is noise


class EnergySelection(Selection):
    """Atoms, of which some are selected.

    Attributes
    ----------
    quantity : str
        One of :data:`QUANTITIES`: what colours and histograms show.
    grouping : str
        ``"species"``, ``"coordination"`` or ``"ring"``: what the histograms tell apart.
    order : str
        ``"highest"``, ``"lowest"`` or ``"index"``: which atom comes first.
    span : str
        ``"all"``, or ``"most"`` for colours that leave out 2 % of the atoms.
    hide : bool
        Whether atoms that are not selected are left out instead of drawn grey.
    results : dict
        What has been calculated, by thickness of the buffer.
    shown : float, str or None
        Which of it is shown.
    """

    noun = "atom"

    quantity = Enum(tuple(QUANTITIES), default_value="relative energy")
    grouping = Enum(GROUPINGS, default_value="coordination")
    order = Enum(ORDERS, default_value=ORDERS[0])
    span = Enum(SPANS, default_value=SPANS[0])
    hide = Bool(False)

    def __init__(self, atoms: Atoms, cutoff: Any, **traits: Any) -> None:
        self.atoms = atoms
        self.scene = Scene(atoms, cutoff)
        self.environments = Environments(self.scene)
        self.results: dict[Key, AtomEnergies] = {}
        self.shown: Key = UNDIVIDED
        self._mask = np.ones(len(atoms), dtype=bool)
        super().__init__(**traits)
        self.groups = self.environments.groups(self.grouping)
        self._select()

    # -- numbers of the atoms ----------------------------------------------------------------------

    @property
    def result(self) -> AtomEnergies | None:
        """What is shown; ``None`` before the first calculation."""
        return self.results.get(self.shown)

    @property
    def reference(self) -> AtomEnergies | None:
        """The undivided result, if what is shown is another one."""
        return None if self.shown is UNDIVIDED else self.results.get(UNDIVIDED)

    def relative(self, values: FloatArray) -> FloatArray:
        """Return numbers relative to the mean over the atoms of the same species.

        Parameters
        ----------
        values : ndarray, shape (n_atoms,)
            The numbers.

        Returns
        -------
        ndarray, shape (n_atoms,)
            Their differences.
        """
        species = self.environments.species
        return values - (np.bincount(species, values) / np.bincount(species))[species]

    def numbers_of(self, quantity: str) -> FloatArray | None:
        """Return a number for each atom.

        Parameters
        ----------
        quantity : str
            One of :data:`QUANTITIES`.

        Returns
        -------
        ndarray, shape (n_atoms,), or None
            The numbers, if they are known.
        """
        result, reference = self.result, self.reference
        if result is None:
            return None
        if quantity == "relative energy":
            return self.relative(result.energies)
        if quantity == "error":
            return None if reference is None else 1000 * (result.energies - reference.energies)
        if not np.isfinite(result.charges).all():
            return None
        return result.charges if quantity == "charge" else self.relative(result.charges)

    @property
    def values(self) -> FloatArray | None:
        """The number of each atom that is shown; ``None`` if there is none yet."""
        return self.numbers_of(self.quantity)

    @property
    def available(self) -> list[str]:
        """Quantities that are known; the first one before any is."""
        known = [name for name in QUANTITIES if self.numbers_of(name) is not None]
        return known or ["relative energy"]

    @check("quantity")
    def _check_quantity(self, proposal: Any) -> str:
        name = proposal["value"]
        if name not in self.available:
            remedy = (
                "calculate the undivided result and one with a buffer, and show the second"
                if name == "error"
                else "give charges, or calculate them"
            )
            raise TraitError(f"quantity={name!r}: not known yet; {remedy}")
        return name

    # -- colours -----------------------------------------------------------------------------------

    @property
    def colour_map(self) -> str:
        """Name of the colour map: one with a middle for what has one."""
        return _MAPS.get(self.quantity, _MIDDLE_MAP)

    @property
    def colour_limits(self) -> tuple[float, float]:
        """The numbers at both ends of the colour bar."""
        values = self.values
        if values is None:
            return 0.0, 1.0
        share = 100.0 if self.span == "all" else float(_MOST)
        if self.colour_map == _MIDDLE_MAP:
            end = max(float(np.percentile(np.abs(values), share)), _LEAST)
            return -end, end
        low, high = np.percentile(values, [(100 - share) / 2, (100 + share) / 2]).tolist()
        return low, max(high, low + _LEAST)

    @property
    def colours(self) -> list[int]:
        """Colour ``0xRRGGBB`` of each atom and bond end."""
        values, drawing = self.values, self.scene.drawing
        if values is None:
            rgba = geometry.species_rgba(self.scene.structure)
        else:
            low, high = self.colour_limits
            fraction = np.clip((values - low) / (high - low), 0, 1)
            rgba = np.array(mpl.colormaps[self.colour_map](fraction))
            rgba[~np.isfinite(values)] = _UNKNOWN
        rgba[~self.chosen] = _UNSELECTED
        return geometry.colour_numbers(np.concatenate([rgba, rgba[drawing.parents]]))

    # -- the selection -----------------------------------------------------------------------------

    def _choose(self) -> NDArray[np.bool_]:
        return self._mask

    def _sorted(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        values = self.values
        if self.order == "index" or values is None:
            return numbers
        signed = -values if self.order == "highest" else values
        return numbers[np.argsort(signed[numbers], kind="stable")]

    @observe("order")
    def _on_order(self, change: Any) -> None:
        self._select()

    @property
    def whole(self) -> bool:
        """Whether all atoms are selected."""
        return bool(self._mask.all())

    def select(self, which: ArrayLike, *, add: bool = False) -> None:
        """Select atoms.

        Parameters
        ----------
        which : array_like
            Indices of atoms, or one truth value for each.
        add : bool
            Whether they are added to those that are selected, or taken from them if all of them
            are; where all atoms are selected, these alone will be.

        Raises
        ------
        ValueError
            If there is no such atom.
        """
        mask = self._as_mask(which)
        with self.lock:
            if add and not self.whole:
                inside = mask.any() and bool(self._mask[mask].all())
                mask = self._mask & ~mask if inside else self._mask | mask
            self._mask = mask
            self._select()

    def clear(self) -> None:
        """Select all atoms."""
        self.select(np.ones(len(self.atoms), dtype=bool))

    def select_group(self, group: int, *, add: bool = False) -> None:
        """Select the atoms of a group; the group that is selected alone gives way to all.

        Parameters
        ----------
        group : int
            Its number in :attr:`groups`.
        add : bool
            As for :meth:`select`.
        """
        self._select_or_all(self.groups.of_atom == group, add)

    def select_range(self, species: int, low: float, high: float, *, add: bool = False) -> None:
        """Select atoms of one species by the number that is shown.

        Parameters
        ----------
        species : int
            The species.
        low, high : float
            Smallest and largest number.
        add : bool
            As for :meth:`select`.
        """
        if (values := self.values) is None:
            return
        inside = (values >= low) & (values <= high)
        self._select_or_all(inside & (self.environments.species == species), add)

    def _select_or_all(self, mask: NDArray[np.bool_], add: bool) -> None:
        if not add and np.array_equal(mask, self._mask):
            mask = np.ones_like(mask)
        self.select(mask, add=add)

    def pick(self, atom: int, *, add: bool = False) -> None:
        """Look at an atom; one that is not among a selection is selected, and alone.

        Parameters
        ----------
        atom : int
            Index of the atom.
        add : bool
            Whether it is added to the selection, or taken from it.
        """
        with self.lock:
            one = np.arange(len(self.atoms)) == atom
            if add or self.whole or not self._mask[atom]:
                self.select(one, add=add)
            elif self._mask.sum() == 1:
                self.clear()
            if self._mask[atom]:
                self.current = atom

    def _as_mask(self, which: ArrayLike) -> NDArray[np.bool_]:
        n = len(self.atoms)
        array = np.asarray(which)
        if array.dtype == bool and array.shape == (n,):
            return array.copy()
        mask = np.zeros(n, dtype=bool)
        bad = [k for k in array.ravel().tolist() if not (isinstance(k, int) and 0 <= k < n)]
        if bad:
            raise ValueError(f"there is no atom {bad[0]}: indices run from 0 to {n - 1}")
        mask[array.astype(int)] = True
        return mask

    def _describe(self) -> str:
        if self.busy:
            return self.status  # of what goes on
        count = f"Selected: {self.numbers.size} of {len(self.atoms)} atoms."
        if (result := self.result) is None:
            return f"No energies yet: press Calculate. {count}"
        words = [f"total energy {result.energy:.4f} eV ({result.energy / len(self.atoms):.5f} eV "]
        words[0] += "per atom)"
        if np.isfinite(result.gap):
            words.append(f"gap {result.gap:.2f} eV")
        if result.occupation:
            words.append(result.occupation)
        if result.seconds >= 0.05:
            words.append(f"in {result.seconds:.1f} s")
        return f"Shown: {title_of(self.shown)}, {', '.join(words)}. {count}"
