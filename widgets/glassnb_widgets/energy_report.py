"""What is known of atoms and their energies, in words and tables. No widget here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pandas as pd
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.units import Hartree

from glassnb.core.provenance import atomic_path, write_table
from glassnb_widgets.energy_results import GIVEN, UNDIVIDED, AtomEnergies, difference, title_of
from glassnb_widgets.energy_selection import EnergySelection

__all__ = ["EnergyReport"]

_GAMMA_POINT = 192  # atoms, from which on the undivided result is that of the infinite solid


class EnergyReport(EnergySelection):
    """Atoms with their energies, of which some are selected, and what is to be said of them."""

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

    @property
    def words(self) -> str:
        """The atom that is looked at: energy, charge, surroundings."""
        if (k := self.current) < 0:
            return "No atom is selected."
        parts = []
        if (result := self.result) is not None:
            relative = self.relative(result.energies)[k]
            mean = result.energies[k] - relative
            symbol = self.atoms.symbols[k]
            parts.append(f"energy {relative:+.3f} eV from the mean of {symbol} ({mean:.3f} eV)")
            if np.isfinite(result.charges[k]):
                parts.append(f"charge {result.charges[k]:+.3f} e")
            if (error := self.numbers_of("error")) is not None:
                parts.append(f"{error[k]:+.1f} meV from the undivided result")
        return f"{self.name_of(k)}: {', '.join([*parts, self.environments.name_of(k)])}"

    @property
    def neighbourhood(self) -> str:
        """The atoms bonded to the one that is looked at, with distances."""
        if (k := self.current) < 0:
            return ""
        bonds = self.scene.bonds
        entries = slice(bonds.offsets[k], bonds.offsets[k + 1])
        pairs = zip(bonds.indices[entries].tolist(), bonds.distances[entries].tolist(), strict=True)
        bonded = ", ".join(f"{self.name_of(j)} ({d:.3f} Å)" for j, d in pairs)
        return f"Bonded to {bonded or 'no atom'}."

    @property
    def comparison(self) -> str:
        """How far the result that is shown is from the undivided one, in words."""
        result, reference = self.result, self.reference
        if result is None or self.shown is UNDIVIDED:
            return ""
        if reference is None:
            small = self.shown != GIVEN
            return "Calculate the undivided result as well to see the error." if small else ""
        words = f"Against the undivided result: {difference(result, reference).words}."
        if self.atoms.pbc.any() and len(self.atoms) < _GAMMA_POINT:
            words += (
                f" In a cell this small (below {_GAMMA_POINT} atoms), the undivided result is that "
                "of the Γ point: part of this is not due to the buffer."
            )
        return words

    def to_frame(self) -> pd.DataFrame:
        """Return all atoms as a table.

        Returns
        -------
        pandas.DataFrame
            One row per atom, by index: ``species``, ``coordination_number``, ``smallest_ring``
            (network formers, 0 for none), ``energy`` (eV), ``relative_energy`` (eV, to the mean of
            the species), ``charge`` (e), ``error`` (eV, of the energy, to the undivided result);
            columns that are not known are absent.
        """
        around = self.environments
        columns: dict[str, Any] = {
            "species": np.asarray(around.symbols)[around.species],
            "coordination_number": around.coordination,
            "smallest_ring": around.smallest_rings,
        }
        if (result := self.result) is not None:
            columns["energy"] = result.energies
            columns["relative_energy"] = self.relative(result.energies)
            if np.isfinite(result.charges).all():
                columns["charge"] = result.charges
            if (error := self.numbers_of("error")) is not None:
                columns["error"] = error / 1000
        return pd.DataFrame(columns, index=pd.Index(range(len(self.atoms)), name="atom"))

    def selected_frame(self) -> pd.DataFrame:
        """Return the selected atoms as a table, in the order in which one goes through them.

        Returns
        -------
        pandas.DataFrame
            As :meth:`to_frame`.
        """
        return self.to_frame().iloc[self.numbers]

    def statistics(self) -> pd.DataFrame:
        """Return numbers of atoms, and what is shown of the selected ones, by group.

        Returns
        -------
        pandas.DataFrame
            One row per group: atoms, how many are selected, and of these the mean, standard
            deviation, smallest and largest of the quantity that is shown.
        """
        groups, values, rows = self.groups, self.values, []
        for k in range(len(groups.names)):
            own = self.chosen & (groups.of_atom == k)
            row = [int(groups.counts[k]), int(own.sum())]
            known = values is not None and own.any()
            of = values[own] if values is not None and known else np.full(1, np.nan)
            rows.append([*row, of.mean(), of.std(), of.min(), of.max()])
        names = ["atoms", "selected", "mean", "standard deviation", "smallest", "largest"]
        index = pd.Index(groups.names, name="environment")
        return pd.DataFrame(rows, columns=names, index=index)

    def results_frame(self) -> pd.DataFrame:
        """Return what has been calculated, and how far it is from the undivided result.

        Returns
        -------
        pandas.DataFrame
            One row per result: total energy (eV), gap (eV), time (s), and errors: of the total
            energy per atom, of the energies of the atoms (root mean square and largest; all in eV
            and mEh), largest of the charges (e).
        """
        reference = self.results.get(UNDIVIDED)
        rows = {
            title_of(key): self._row(key, self.results[key], reference)
            for key in sorted(self.results, key=_rank)
        }
        frame = pd.DataFrame.from_dict(rows, orient="index")
        frame.index.name = "result"
        return frame

    def _row(
        self, key: Any, result: AtomEnergies, reference: AtomEnergies | None
    ) -> dict[str, float]:
        row = {"energy (eV)": result.energy, "gap (eV)": result.gap, "time (s)": result.seconds}
        apart = difference(result, reference) if reference and key is not UNDIVIDED else None
        for name, title in (
            ("per_atom", "error per atom"), ("rms", "rms of atoms"),
            ("largest", "largest of atoms"),
        ):  # fmt: skip
            value = getattr(apart, name) if apart else np.nan
            row[f"{title} (mEh)"], row[f"{title} (eV)"] = 1000 * value / Hartree, value
        row["largest of charges (e)"] = apart.charge if apart else np.nan
        return row

    def save(self, path: str, *, selected: bool = False) -> Path | None:
        """Write atoms with their energies.

        Parameters
        ----------
        path : str
            Name of the file: ``.csv`` for a table, ``.extxyz`` for the structure with energies and
            charges as results of its calculator, and the other columns as arrays.
        selected : bool
            Whether only the selected atoms are written.

        Returns
        -------
        pathlib.Path or None
            The file, or ``None`` if it could not be written: :attr:`error` says why.
        """
        self.error = ""
        target = Path(path).expanduser().resolve()
        frame = self.selected_frame() if selected else self.to_frame()
        try:
            if frame.empty:
                raise ValueError("no atom is selected")
            if target.suffix == ".csv":
                write_table(target, frame.reset_index(), result=title_of(self.shown))
            elif target.suffix in (".xyz", ".extxyz"):
                with atomic_path(target) as temporary:
                    ase.io.write(temporary, self._labelled(frame), format="extxyz")
            else:
                raise ValueError(f"{target.name}: the name must end with .csv or .extxyz")
        except (ValueError, OSError) as error:
            self.error = f"Not saved: {error}"
            return None
        self.status = f"Saved {len(frame)} atoms to {target}"
        return target

    def _labelled(self, frame: pd.DataFrame) -> Atoms:
        """Return the atoms of a table; energies and charges are where ASE looks for them."""
        atoms = self.atoms[frame.index.to_numpy()]
        for name in frame.columns.drop(["species", "energy", "charge"], errors="ignore"):
            atoms.set_array(name, frame[name].to_numpy())
        names = {"energies": "energy", "charges": "charge"}
        known = {name: frame[of].to_numpy() for name, of in names.items() if of in frame}
        atoms.calc = SinglePointCalculator(atoms, **known)
        return atoms


def _rank(key: Any) -> float:
    """Order results: given, undivided, and then by the buffer."""
    if key == GIVEN:
        return -2.0
    return -1.0 if key is UNDIVIDED else float(key)
