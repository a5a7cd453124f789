"""State of the structure viewer: what is shown, chosen and measured. No widget is known here."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from ase import Atoms
from ase.geometry import find_mic
from numpy.typing import ArrayLike, NDArray
from traitlets import Any as AnyTrait
from traitlets import (
    Bool,
    Enum,
    Float,
    HasTraits,
    Int,
    TraitError,
    Tuple,
    Unicode,
    observe,
    validate,
)

from glassnb.core.structure import check_atoms, species_of
from glassnb.network import Bonds, bonds
from glassnb_widgets import geometry

__all__ = ["COLOUR_MAPS", "SPECIES", "StructureModel"]

#: Name of the colouring that is not by a number.
SPECIES = "species"
#: Colour maps that the colour-blind can read.
COLOUR_MAPS = ("viridis", "cividis", "magma", "coolwarm")
_UNSELECTED = (0.86, 0.86, 0.86, 1.0)
_UNKNOWN = (0.6, 0.6, 0.6, 1.0)


def _bonds(atoms: Atoms, cutoff: Any) -> Bonds:
    """Find the bonds; without a cutoff, a structure that has none is drawn without."""
    try:
        return bonds(atoms, cutoff)
    except ValueError:
        if cutoff is not None:
            raise
    return bonds(atoms, 1e-3)


class StructureModel(HasTraits):
    """What a structure viewer shows.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    cutoff : float or dict, optional
        Longest bond in Å, as for :func:`glassnb.network.bonds`.

    Attributes
    ----------
    colour_by : str
        ``"species"`` or one of :attr:`choices`.
    colour_map : str
        One of :data:`COLOUR_MAPS`.
    selection : tuple of float
        Lowest and highest number of the atoms that are selected.
    stretch : bool
        Whether the colours span the selection instead of all numbers.
    hide_unselected : bool
        Whether atoms outside the selection are left out instead of drawn grey.
    hidden : tuple of str
        Species that are left out.
    show_bonds, show_cell : bool
        Whether bonds and the edges of the cell are drawn.
    polyhedra : str
        Species around which coordination polyhedra are drawn, ``""`` for none.
    picked : tuple of int
        Up to three atoms that are being measured.
    """

    atoms = AnyTrait()
    colour_by = Unicode(SPECIES)
    colour_map = Enum(COLOUR_MAPS, default_value=COLOUR_MAPS[0])
    selection = Tuple(Float(), Float(), default_value=(0.0, 0.0))
    stretch = Bool(False)
    hide_unselected = Bool(False)
    hidden = Tuple()
    show_bonds = Bool(True)
    show_cell = Bool(True)
    polyhedra = Unicode("")
    picked = Tuple()
    version = Int(0, help="grows when positions, bonds or numbers change")

    def __init__(self, atoms: Atoms, *, cutoff: Any = None) -> None:
        self.cutoff = cutoff
        self._added: dict[str, NDArray[np.float64]] = {}
        super().__init__(atoms=atoms)

    @validate("atoms")
    def _check_atoms(self, proposal: Any) -> Atoms:
        check_atoms(proposal["value"])
        return proposal["value"]

    @observe("atoms")
    def _new_atoms(self, change: Any) -> None:
        """Wrap the atoms into the cell, find their bonds, and keep what still applies."""
        self.structure = self.atoms.copy()
        self.structure.calc = None
        if self.structure.pbc.any():
            self.structure.wrap()
        self.symbols = species_of(self.structure)[0]
        self.bonds = _bonds(self.structure, self.cutoff)
        self.drawing = geometry.drawing(self.structure, self.bonds)
        self._added = {k: v for k, v in self._added.items() if len(v) == len(self.structure)}
        self.choices = self._choices()
        with self.hold_trait_notifications():
            self.version += 1
            self.picked = tuple(k for k in self.picked if k < len(self.structure))
            self.hidden = tuple(symbol for symbol in self.hidden if symbol in self.symbols)
            self.polyhedra = self.polyhedra if self.polyhedra in self.symbols else ""
            if self.colour_by != SPECIES and self.colour_by not in self.choices:
                self.colour_by = SPECIES
            self.selection = self.limits

    def _choices(self) -> dict[str, NDArray[np.float64]]:
        """Return every number that each atom has, by name."""
        structure = self.structure
        found = {"bonds per atom": self.bonds.counts.astype(float)}
        found |= dict(zip(("x (Å)", "y (Å)", "z (Å)"), structure.positions.T, strict=True))
        for name, array in self.atoms.arrays.items():
            if name in ("numbers", "positions") or array.dtype.kind not in "biuf":
                continue
            if array.ndim == 2 and array.shape[1] == 3:
                name, array = f"|{name}|", np.linalg.norm(array, axis=1)
            if array.ndim == 1 and np.isfinite(array.astype(float)).any():
                found[name] = array.astype(float)
        return found | self._added

    def add_number(self, name: str, values: ArrayLike) -> None:
        """Offer one more number per atom for colouring and selecting.

        Parameters
        ----------
        name : str
            What the colour bar shall say, with the unit.
        values : array_like, shape (n_atoms,)
            The numbers; NaN where there is none.

        Raises
        ------
        ValueError
            If there is not one number per atom.
        """
        array = np.asarray(values, dtype=float)
        if array.shape != (len(self.structure),):
            raise ValueError(
                f"{name}: shape {array.shape}; give one number for each of the "
                f"{len(self.structure)} atoms"
            )
        if not np.isfinite(array).any():
            raise ValueError(f"{name}: no finite number among {array.size}")
        self._added[name] = array
        self.choices = self._choices()
        with self.hold_trait_notifications():
            self.version += 1
            if self.colour_by == name:
                self.selection = self.limits

    @validate("colour_by")
    def _check_colour_by(self, proposal: Any) -> str:
        name = proposal["value"]
        if name != SPECIES and name not in self.choices:
            raise TraitError(f"colour_by={name!r}: must be species, {', '.join(self.choices)}")
        return name

    @observe("colour_by")
    def _whole_range(self, change: Any) -> None:
        self.selection = self.limits

    @validate("hidden", "picked")
    def _check_members(self, proposal: Any) -> tuple[Any, ...]:
        value = tuple(dict.fromkeys(proposal["value"]))
        if proposal["trait"].name == "hidden":
            return value
        count = len(self.structure)
        bad = [k for k in value if not 0 <= k < count]
        if bad:
            raise TraitError(f"there is no atom {bad[0]}: indices run from 0 to {count - 1}")
        if len(value) > 3:
            raise TraitError(f"{len(value)} atoms: two give a distance, three an angle")
        return value

    def pick(self, atom: int) -> None:
        """Add an atom to the measurement; a fourth starts a new one.

        Parameters
        ----------
        atom : int
            Index of the atom. One that is in the measurement already is taken out.
        """
        if atom in self.picked:
            self.picked = tuple(k for k in self.picked if k != atom)
        else:
            self.picked = (*self.picked, atom) if len(self.picked) < 3 else (atom,)

    @property
    def numbers(self) -> NDArray[np.float64] | None:
        """The number of each atom, or ``None`` when coloured by species."""
        return None if self.colour_by == SPECIES else self.choices[self.colour_by]

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest number of all atoms."""
        if self.numbers is None:
            return 0.0, 0.0
        return float(np.nanmin(self.numbers)), float(np.nanmax(self.numbers))

    @property
    def discrete(self) -> bool:
        """Whether the numbers are a few whole ones, such as numbers of neighbours."""
        if self.numbers is None:
            return False
        values = np.unique(self.numbers[np.isfinite(self.numbers)])
        return values.size <= 8 and bool((values == np.round(values)).all())

    @property
    def selected(self) -> NDArray[np.bool_]:
        """Whether each atom is selected: in the range of numbers and of a species on show."""
        chosen = ~np.isin(np.asarray(self.structure.symbols), self.hidden)
        low, high = self.limits
        slack = 1e-9 * (high - low)  # a slider in the browser rounds
        if self.numbers is None or (self.selection[0] <= low and self.selection[1] >= high):
            return chosen
        low, high = self.selection[0] - slack, self.selection[1] + slack
        return chosen & (self.numbers >= low) & (self.numbers <= high)

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Whether each atom is drawn."""
        if self.hide_unselected:
            return self.selected
        return ~np.isin(np.asarray(self.structure.symbols), self.hidden)

    @property
    def shown_bond_ends(self) -> NDArray[np.int64]:
        """The bond ends of which both atoms are drawn, as indices into the drawing."""
        shown = self.shown
        both = shown[self.drawing.parents] & shown[self.drawing.partners]
        return len(self.structure) + np.flatnonzero(both)

    @property
    def colour_limits(self) -> tuple[float, float]:
        """The numbers at both ends of the colour bar."""
        return self.selection if self.stretch else self.limits

    def colour_of(self, numbers: ArrayLike) -> NDArray[np.float64]:
        """Return the colours that stand for numbers.

        Parameters
        ----------
        numbers : array_like, shape (n,)
            Numbers; NaN gives grey.

        Returns
        -------
        ndarray, shape (n, 4)
            Red, green, blue, opacity.
        """
        low, high = self.colour_limits
        values = np.asarray(numbers, dtype=float)
        fraction = (values - low) / (high - low) if high > low else np.full(values.shape, 0.5)
        rgba = np.array(mpl.colormaps[self.colour_map](np.clip(fraction, 0, 1)))
        rgba[~np.isfinite(values)] = _UNKNOWN
        return rgba

    @property
    def colours(self) -> list[int]:
        """Colour ``0xRRGGBB`` of each atom and bond end."""
        if self.numbers is None:
            rgba = geometry.species_rgba(self.structure)
        else:
            rgba = self.colour_of(self.numbers)
        rgba[~self.selected] = _UNSELECTED
        return geometry.colour_numbers(np.concatenate([rgba, rgba[self.drawing.parents]]))

    @property
    def status(self) -> str:
        """One line that says what is shown."""
        hidden = int((~self.shown).sum())
        text = (
            f"{len(self.structure)} atoms, {len(self.bonds)} bonds, selected {self.selected.sum()}"
        )
        return text + (f", hidden {hidden}" if hidden else "")

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

    def vector(self, start: int, end: int) -> NDArray[np.float64]:
        """Return the vector from an atom to the nearest image of another.

        Parameters
        ----------
        start, end : int
            Indices of the atoms.

        Returns
        -------
        ndarray, shape (3,)
            Vector in Å.
        """
        difference = self.structure.positions[end] - self.structure.positions[start]
        return find_mic(difference, self.structure.cell, self.structure.pbc)[0]

    @property
    def measurement(self) -> str:
        """What the picked atoms measure, with the nearest images."""
        names = [self.name_of(atom) for atom in self.picked]
        if not names:
            return "Click two atoms for a distance, three for an angle."
        if len(names) == 1:
            return f"{names[0]}: {self._about(self.picked[0])}"
        legs = [self.vector(a, b) for a, b in zip(self.picked, self.picked[1:], strict=False)]
        lengths = [float(np.linalg.norm(leg)) for leg in legs]
        apart = ", ".join(
            f"{a} – {b}: {length:.3f} Å"
            for a, b, length in zip(names, names[1:], lengths, strict=False)
        )
        if len(legs) == 1:
            return apart
        cosine = -legs[0] @ legs[1] / (lengths[0] * lengths[1])
        angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
        return f"{' – '.join(names)}: {angle:.2f}°  ({apart})"

    def _about(self, atom: int) -> str:
        x, y, z = self.structure.positions[atom]
        bonded = ", ".join(self.name_of(int(k)) for k in self.bonds.of(atom)) or "no atom"
        number = "" if self.numbers is None else f"; {self.colour_by} = {self.numbers[atom]:.5g}"
        return f"({x:.3f}, {y:.3f}, {z:.3f}) Å; bonded to {bonded}{number}"

    def selected_frame(self) -> pd.DataFrame:
        """Return the selected atoms as a table.

        Returns
        -------
        pandas.DataFrame
            One row per atom, by index: species, position in Å, number of bonds, and the number the
            atoms are coloured by.
        """
        rows = np.flatnonzero(self.selected)
        columns: dict[str, Any] = {"species": np.asarray(self.structure.symbols)[rows]}
        columns |= {
            f"{axis} (Å)": self.structure.positions[rows, k] for k, axis in enumerate("xyz")
        }
        columns["bonds"] = self.bonds.counts[rows]
        if self.numbers is not None and self.colour_by not in columns:
            columns[self.colour_by] = self.numbers[rows]
        return pd.DataFrame(columns, index=pd.Index(rows, name="atom"))
