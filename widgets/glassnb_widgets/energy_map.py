"""Look at the energies and charges of atoms, and at what a division of the structure changes."""

from __future__ import annotations

import html
import re
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import ArrayLike, NDArray
from traitlets import TraitError

from glassnb_widgets import energy_tables
from glassnb_widgets.energy_controls import EnergyControls
from glassnb_widgets.energy_model import EnergyModel
from glassnb_widgets.energy_picture import EnergyPicture, colour_bar
from glassnb_widgets.energy_plot import EnergyPlot
from glassnb_widgets.energy_selection import QUANTITIES
from glassnb_widgets.energy_table import AtomTable
from glassnb_widgets.parts import line, notice
from glassnb_widgets.viewer import Canvas

__all__ = ["EnergyMap"]

_ATOMS_TYPED = 12  # most atoms that the text field lists


class EnergyMap(EnergyControls):
    """Energies and charges of the atoms by GFN1-xTB: on the structure, in histograms, in a table.

    Each atom has its own share of the total energy (energy density analysis after H. Nakai, Chem.
    Phys. Lett. 363, 73 (2002), as :class:`glassnb.tightbinding.DCXTB` gives it). Only differences
    between atoms of one species tell something, so energies are shown relative to their mean.
    Histograms tell atoms apart by coordination number and smallest ring; what is clicked or dragged
    there is selected in the structure and listed, and the other way round.

    Calculations go on in the background, undivided or divided with a buffer, and are kept: the
    slider of the buffer shows what each of them gives, and its error.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure: a molecule, or periodic in all directions. To be calculated here, some
        hundred atoms at most.
    energies : array_like, shape (n_atoms,), optional
        Energies of the atoms in eV that have been calculated already, such as those of a large
        model: ``calculator.get_potential_energies(atoms)``.
    charges : array_like, shape (n_atoms,), optional
        Charges of the atoms in e, to go with them.
    cutoff : float or dict, optional
        Longest bond in Å, for all pairs or by pair of species: ``{("Si", "O"): 2.0}``. When
        omitted, the first minimum of the partial g(r).
    electronic_temperature : float
        Temperature of the electrons in K; 1000 to 3000 K where charges do not settle.
    height : str
        Height of the picture of the structure, as in CSS.

    Attributes
    ----------
    model : EnergyModel
        The state; set its traits to move the controls from Python.

    Raises
    ------
    ValueError
        If an argument makes no sense.

    Examples
    --------
    >>> energies = EnergyMap(glass, cutoff={("Si", "O"): 2.0})  # doctest: +SKIP
    >>> energies.calculate()  # undivided  # doctest: +SKIP
    >>> energies.wait()  # doctest: +SKIP
    >>> energies.calculate(buffer_radius=5.0)  # doctest: +SKIP
    >>> energies.results_frame()  # doctest: +SKIP
    """

    def __init__(
        self,
        atoms: Atoms,
        energies: ArrayLike | None = None,
        charges: ArrayLike | None = None,
        *,
        cutoff: Any = None,
        electronic_temperature: float = 300.0,
        height: str = "420px",
    ) -> None:
        self.model = EnergyModel(
            atoms, energies, charges, cutoff=cutoff, electronic_temperature=electronic_temperature
        )
        self._canvas = Canvas(height=height, on_pick=self._on_pick)
        self._picture = EnergyPicture(self.model, self._canvas)
        pixels = re.fullmatch(r"(\d+)(?:px)?", height.strip())
        self.plot = EnergyPlot(
            self._on_plot, height=max(400, int(pixels[1]) if pixels else 420) + 150
        )
        self.table = AtomTable(self._on_row)
        self._make_controls()
        with self.model.lock:
            self._connect()
            super().__init__(
                [
                    self._run_row(), *self._words(), self._body(), self._helping(),
                    self._settings(), self._tables(),
                ]
            )  # fmt: skip
            self.add_class("glassnb-energies")
            self._picture.draw_all()
            self._on_version(None)
            self._on_say(None)

    @property
    def selected(self) -> NDArray[np.int64]:
        """Indices of the selected atoms, in the order in which one goes through them."""
        return self.model.numbers

    @property
    def current(self) -> int:
        """Index of the atom that is looked at; -1 for none."""
        return self.model.current

    def calculate(self, buffer_radius: float | None = None) -> None:
        """Start a calculation, as the button does.

        Parameters
        ----------
        buffer_radius : float, optional
            In Å, from 4 to 8 in steps of 0.5; undivided when omitted.

        Raises
        ------
        ValueError
            If the buffer is not on offer.
        """
        try:
            self.model.buffer = buffer_radius
        except TraitError as error:
            raise ValueError(str(error)) from None
        self.model.calculate()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the calculation has ended.

        Parameters
        ----------
        timeout : float, optional
            Longest wait in s.
        """
        self.model.wait(timeout)

    def select(self, which: ArrayLike, *, add: bool = False) -> None:
        """Select atoms.

        Parameters
        ----------
        which : array_like
            Indices of atoms, or one truth value for each.
        add : bool
            Whether they are added to those that are selected.
        """
        self.model.select(which, add=add)

    def to_frame(self) -> pd.DataFrame:
        """Return all atoms as a table.

        Returns
        -------
        pandas.DataFrame
            One row per atom: species, coordination number, smallest ring, energy (eV), energy
            relative to the mean of the species (eV), charge (e), error (eV).
        """
        return self.model.to_frame()

    def selected_frame(self) -> pd.DataFrame:
        """Return the selected atoms as a table.

        Returns
        -------
        pandas.DataFrame
            As :meth:`to_frame`.
        """
        return self.model.selected_frame()

    def results_frame(self) -> pd.DataFrame:
        """Return what has been calculated, and its errors against the undivided result.

        Returns
        -------
        pandas.DataFrame
            One row per buffer.
        """
        return self.model.results_frame()

    # -- from controls to the model ----------------------------------------------------------------

    def _connect(self) -> None:
        model = self.model
        self._fill_quantities()
        self._fill_groups()
        for name in ("quantity", "grouping", "span", "order", "hide"):
            self._link(name, getattr(self, name))
        self._fill(self.buffer, model.keys.index(model.buffer))
        self.buffer.observe(self._on_slider, "value")
        model.observe(
            lambda change: self._fill(self.buffer, model.keys.index(change["new"])), "buffer"
        )
        self.group.observe(self._on_group, "value")
        self.atoms.observe(self._on_typed, "value")
        self.calculate_button.on_click(lambda _: model.calculate())
        self.stop_button.on_click(lambda _: model.stop())
        self.all_button.on_click(lambda _: model.clear())
        self.save_button.on_click(
            lambda _: model.save(self.file_name.value, selected=self.what.value)
        )
        model.observe(self._on_version, "version")
        model.observe(self._on_changes, ["changes", "hide"])
        model.observe(self._on_span, "span")
        model.observe(self._on_current, "current")
        model.observe(self._on_say, ["status", "note", "error", "busy"])

    def _on_slider(self, change: Any) -> None:
        if not self._filling:
            self.model.buffer = self.model.keys[change["new"]]

    def _on_group(self, change: Any) -> None:
        if self._filling:
            return
        if change["new"] == -1:
            self.model.clear()
        elif change["new"] >= 0:
            self.model.select(self.model.groups.of_atom == change["new"])

    def _on_typed(self, change: Any) -> None:
        if self._filling:
            return
        words = re.findall(r"[^\s,;]+", change["new"])
        try:
            bad = [word for word in words if not word.isdecimal()]
            if bad:
                raise ValueError(f"{bad[0]!r} is no index of an atom")
            if words:
                self.model.select([int(word) for word in words])
            else:
                self.model.clear()
        except ValueError as error:
            self.model.error = f"Atoms: {error}"
        else:
            self.model.error = ""

    def _on_pick(self, atom: int) -> None:
        if atom < len(self.model.atoms):
            self.model.pick(atom, add=self.add.value)

    def _on_row(self, atom: int, add: bool) -> None:
        """Look at an atom of the table, whose rows are selected already."""
        if add or self.add.value:
            self.model.pick(atom, add=True)
        else:
            self.model.current = atom

    def _on_plot(self, event: dict[str, Any]) -> None:
        """Do what is done in the histograms."""
        model, kind = self.model, event["kind"]
        add = bool(event.get("add")) or self.add.value
        with model.lock:
            if kind == "group":
                model.select_group(int(event["group"]), add=add)
            elif kind == "point" and self.plot.edges:
                panel = event["map"]
                model.select_range(panel, *self.plot.bin_at(panel, event["x"]), add=add)
            elif kind == "region" and self.plot.edges:
                low, high = event["x"]
                model.select_range(event["map"], low, high, add=add)
            elif kind == "step":
                model.step(event["by"])
            elif kind == "clear":
                model.clear()

    # -- from the model to the page, also from the thread of the calculation ----------------------

    def _on_version(self, change: Any) -> None:
        model, around = self.model, self.model.environments
        self._fill_quantities()
        self._fill_groups()
        if (values := model.values) is None:
            self.plot.clear()
        else:
            title = QUANTITIES[model.quantity]
            self.plot.show(values, around.symbols, around.species, model.groups, title)
        self.histograms.value = energy_tables.histograms(model, self.plot)
        self.results.value = energy_tables.results(model)
        self.comparison.value = line(html.escape(model.comparison))
        self.legend.value = colour_bar(model)
        self._on_changes(None)

    def _on_changes(self, change: Any) -> None:
        model = self.model
        self.plot.select(model.chosen)
        self._picture.draw_look()
        self.statistics.value = energy_tables.statistics(model)
        self._fill(self.group, self._group_selected())
        some = 0 < model.numbers.size <= _ATOMS_TYPED and not model.whole
        self._fill(self.atoms, ", ".join(map(str, model.numbers)) if some else "")
        self._on_current(None)

    def _on_span(self, change: Any) -> None:
        self.legend.value = colour_bar(self.model)
        self._picture.draw_look()

    def _on_current(self, change: Any) -> None:
        model = self.model
        k, values = model.current, model.values
        self.steps.refresh()
        if values is not None:
            panel = int(model.environments.species[k]) if k >= 0 else -1
            self.plot.mark(panel, float(values[k]) if k >= 0 else np.nan)
        columns, rows, note = energy_tables.atoms(model)
        with self.table.hold_sync():
            self.table.columns, self.table.rows, self.table.current = columns, rows, k
        self.table_note.value = line(note)
        name, colon, rest = html.escape(model.words).partition(":")
        bonded = f'<span style="opacity:0.75">{html.escape(model.neighbourhood)}</span>'
        self.atom_words.value = line(f"<b>{name}{colon}</b>{rest}<br>{bonded}")
        self._picture.draw_mark()

    def _on_say(self, change: Any) -> None:
        model = self.model
        spin = '<i class="fa fa-spinner fa-spin"></i> ' if model.busy else ""
        self.calculate_button.disabled, self.stop_button.disabled = model.busy, not model.busy
        self.status.value = line(spin + html.escape(model.status))
        self.note.value = notice(model.note)
        self.error.value = notice(model.error, failed=True)
