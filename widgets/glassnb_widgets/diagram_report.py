"""What is said, tabled and saved of the selected pairs and their cycles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pandas as pd
from ase import Atoms

from glassnb.core.provenance import atomic_path, write_table
from glassnb.topology.cycles import Cycle
from glassnb_widgets.diagram_cycles import CycleKey, CycleStore, NetworkRings, counts_text
from glassnb_widgets.diagram_selection import DiagramSelection

__all__ = ["DiagramReport"]

_MEMBERS = 30  # atoms of a cycle that are named
_CELLS = {1: ("triangle", "triangles"), 2: ("tetrahedron", "tetrahedra")}
_KINDS = {0: "piece", 1: "ring", 2: "cavity"}
_HOW = {
    "linear programme": "volume-optimal cycle",
    "integer programme": "volume-optimal cycle",
    "merge tree": "volume from the merge tree",
    "shortest path": "shortest cycle",
}


class DiagramReport(DiagramSelection):
    """Pairs that can be selected, and words, tables and files of those that are."""

    store: CycleStore
    network: NetworkRings | None
    cycle: Cycle | None
    final: bool
    reason: str
    stability: Any
    collecting: Any

    def key_of(self, index: int, *, quick: bool = False) -> CycleKey | None:
        """Return what the cycle of a pair is known by."""
        raise NotImplementedError

    def known(self, index: int) -> Cycle | None:
        """Return the cycle of a pair of the structure that is drawn, if it has been found.

        Parameters
        ----------
        index : int
            Number of the pair.

        Returns
        -------
        Cycle or None
            The cycle.
        """
        key = self.key_of(index)
        found = None if key is None else self.store.known(key)
        return None if isinstance(found, str) else found

    def _describe(self) -> str:
        """Say what is selected, and of how many of these the cycles are known."""
        words = super()._describe()
        known = len(self.computed()) if self.dimension > 0 else 0
        if self.collecting:
            return f"{words} Finding their cycles: {known} so far."
        return f"{words} Cycles found: {known}." if known and self.all_known else words

    @property
    def all_known(self) -> bool:
        """Whether the cycles of all selected pairs have been looked for."""
        keys = (self.key_of(k) for k in self.numbers.tolist())
        return all(key is not None and key in self.store for key in keys)

    # -- words -------------------------------------------------------------------------------------

    @property
    def pair_words(self) -> str:
        """The pair that is looked at, in words."""
        if self.current < 0:
            return "No pair is selected."
        birth, death = self.pairs()[self.current].tolist()
        return (
            f"Pair {self.current}: birth {birth:.3f} Å², death {death:.3f} Å², lifetime "
            f"{death - birth:.3f} Å²"
        )

    @property
    def cycle_words(self) -> str:
        """Its cycle, in words."""
        if self.current < 0:
            return ""
        if self.dimension == 0:
            atoms = self.diagrams.death_simplices(0)[0][self.current].tolist()
            names = " and ".join(self.name_of(atom) for atom in atoms)
            return f"Two pieces become one where the balls of {names} touch."
        if self.cycle is None:
            if not self.final:
                return "Looking for the optimal cycle."
            return f"It has no cycle: {self.reason}." if self.reason else ""
        return " ".join([self._about(self.cycle), *self._more(self.cycle)])

    def _about(self, cycle: Cycle) -> str:
        kind, cells = _KINDS[self.dimension], _CELLS[self.dimension][cycle.n_cells != 1]
        how = _HOW.get(cycle.certificate.method, cycle.certificate.method)
        if cycle.stability > 0:
            how += f", stability {cycle.stability:g} Å²"
        size = f"; {cycle.n_cells} {cells}" if cycle.n_cells else ""
        if self.dimension == 2:
            size += f", {cycle.volume:.1f} Å³"
        shape = "" if cycle.is_loop or self.dimension == 2 else " (more than one loop)"
        return (
            f"{kind.title()} of {cycle.n_atoms} atoms{shape}: {counts_text(cycle.species_counts)}"
            f"{size} ({how})."
        )

    def _more(self, cycle: Cycle) -> list[str]:
        more = []
        if not self.final:
            more.append("Looking for the optimal one.")
        elif self.reason:
            more.append(f"There is no optimal one: {self.reason}.")
        if cycle.winding:
            more.append("It winds around the cell and is cut open.")
        if self.dimension == 1 and self.network is not None and self.which == 0:
            more.append(self.network.describe(cycle.indices))
        children = self.children()
        if self.dimension == 2:
            parent = self.parent()
            within = "" if parent < 0 else f" It is itself part of cavity {parent}."
            some = ", ".join(map(str, children[:6])) + (", …" if len(children) > 6 else "")
            inner = f"holds {len(children)} others: {some}" if children else "holds no others"
            more.append(f"It {inner}.{within}")
        return more

    def name_of(self, atom: int) -> str:
        """Return species and index of an atom of the structure that is drawn.

        Parameters
        ----------
        atom : int
            Index of the atom.

        Returns
        -------
        str
            For example ``"Si 12"``.
        """
        return f"{self.diagrams.complex.atoms.symbols[atom]} {atom}"

    @property
    def members(self) -> str:
        """The atoms of the cycle that is looked at; in their order along it, if it is a ring."""
        if self.cycle is None:
            return ""
        names = [self.name_of(atom) for atom in self.cycle.indices.tolist()]
        more = f" and {len(names) - _MEMBERS} more" if len(names) > _MEMBERS else ""
        return (" – " if self.cycle.is_loop else ", ").join(names[:_MEMBERS]) + more

    def children(self) -> list[int]:
        """Return the cavities that are parts of the one that is looked at, the largest first."""
        tree = self.store.tree(self.which) if self.dimension == 2 and self.current >= 0 else None
        if tree is None:
            return []
        found = tree.children(self.current)
        return found[np.argsort(-tree.volumes[found], kind="stable")].tolist()

    def parent(self) -> int:
        """Return the cavity that the one that is looked at is part of; -1 for none."""
        tree = self.store.tree(self.which) if self.dimension == 2 and self.current >= 0 else None
        return -1 if tree is None else int(tree.parents[self.current])

    # -- tables ------------------------------------------------------------------------------------

    def statistics(self) -> pd.DataFrame:
        """Return numbers and means of the selected pairs.

        Returns
        -------
        pandas.DataFrame
            One row per structure: atoms, pairs, selected pairs, these per atom, means of birth,
            death and lifetime over them in Å², and the standard deviation of the lifetime.
        """
        rows = []
        for which, diagrams in enumerate(self.both):
            pairs = self.pairs(which)
            birth, death = pairs[self.masks[which]].T
            life, some = death - birth, birth.size > 0
            rows.append(
                {
                    "structure": self.title_of(which),
                    "atoms": diagrams.n_atoms,
                    "pairs": len(pairs),
                    "selected": birth.size,
                    "per atom": birth.size / max(1, diagrams.n_atoms),
                    "mean birth (Å²)": birth.mean() if some else np.nan,
                    "mean death (Å²)": death.mean() if some else np.nan,
                    "mean lifetime (Å²)": life.mean() if some else np.nan,
                    "± (Å²)": life.std() if some else np.nan,
                }
            )
        return pd.DataFrame(rows).set_index("structure")

    def title_of(self, which: int) -> str:
        """Return what a structure is called.

        Parameters
        ----------
        which : int
            0 or 1.

        Returns
        -------
        str
            Its place, its atoms and their formula, such as ``"first: 3000 atoms, Si-O"``.
        """
        diagrams = self.both[which]
        words = f"{diagrams.n_atoms} atoms, {'-'.join(diagrams.complex.species)}"
        return words if len(self.both) == 1 else f"{('first', 'other')[which]}: {words}"

    def computed(self) -> list[Cycle]:
        """Return the cycles of selected pairs that have been found, in their order."""
        some = self.store.all_like(self.key_of(0)) if self.total else {}
        return [some[k] for k in self.numbers.tolist() if k in some]

    def cycle_statistics(self, species: str | None = None) -> pd.DataFrame:
        """Return how large the cycles of the selection are that have been found.

        Parameters
        ----------
        species : str, optional
            What the sizes count. When omitted the first species of the structure for rings that
            have some, and all atoms otherwise.

        Returns
        -------
        pandas.DataFrame
            One row per size: number of cycles, their share, mean number of atoms of each species,
            mean lifetime in Å², and with the rings of a network how many cycles are one of them.
        """
        cycles, known = self.computed(), self.diagrams.complex.species
        counts = {s: np.array([c.species_counts.get(s, 0) for c in cycles], int) for s in known}
        if species is None and self.dimension == 1 and counts[known[0]].any():
            species = known[0]
        unit = f"{species} atoms" if species else "atoms"
        sizes = counts[species] if species else np.array([c.n_atoms for c in cycles], int)
        frame = pd.DataFrame({unit: sizes, **{f"mean {s}": counts[s] for s in known}})
        frame["mean lifetime (Å²)"] = np.array([c.death - c.birth for c in cycles], float)
        columns = {name: (name, "mean") for name in frame.columns if name.startswith("mean ")}
        if self.network is not None and self.dimension == 1 and self.which == 0:
            match = self.network.match
            frame["rings of the network"] = [match(c.indices) is not None for c in cycles]
            columns["rings of the network"] = ("rings of the network", "sum")
        grouped = frame.groupby(unit)
        table = grouped.size().rename("cycles").to_frame()
        table["share"] = table["cycles"] / max(1, len(cycles))
        return table.join(grouped.agg(**columns)) if len(cycles) else table

    def selected_frame(self, limit: int | None = None) -> pd.DataFrame:
        """Return the selected pairs of the structure that is drawn as a table.

        Parameters
        ----------
        limit : int, optional
            Most rows; all when omitted.

        Returns
        -------
        pandas.DataFrame
            One row per pair, by its number and in the order of the steps: ``birth``, ``death``
            and ``lifetime`` in Å², ``birth_atoms`` and ``death_atoms`` (tuples of indices);
            of the cycles that have been found ``n_atoms`` (0 for none) and ``atoms``, and
            ``ring``, the ring of the network that they are (-1 for none), where there are rings.
        """
        rows, d = self.numbers[:limit], self.dimension
        pairs = self.pairs()[rows]
        born, dead = self.diagrams.birth_simplices(d)[0], self.diagrams.death_simplices(d)[0]
        frame = pd.DataFrame(
            {
                "birth": pairs[:, 0],
                "death": pairs[:, 1],
                "lifetime": pairs[:, 1] - pairs[:, 0],
                "birth_atoms": list(map(tuple, born[rows].tolist())),
                "death_atoms": list(map(tuple, dead[rows].tolist())),
            },
            index=pd.Index(rows, name="pair"),
        )
        if d > 0:
            cycles = [self.known(k) for k in rows.tolist()]
            frame["n_atoms"] = [0 if c is None else c.n_atoms for c in cycles]
            frame["atoms"] = [() if c is None else tuple(c.indices.tolist()) for c in cycles]
            if self.network is not None and d == 1 and self.which == 0:
                match = self.network.match
                found = [None if c is None else match(c.indices) for c in cycles]
                frame["ring"] = [-1 if ring is None else ring[0] for ring in found]
        return frame

    # -- files -------------------------------------------------------------------------------------

    def clusters(self, cycles: list[Cycle]) -> list[Atoms]:
        """Return cycles as molecules in one piece.

        Parameters
        ----------
        cycles : list of Cycle
            The cycles.

        Returns
        -------
        list of ase.Atoms
            One for each; ``info`` holds pair, dimension, birth, death and how it was found, and
            ``arrays["index"]`` which atoms of the structure they are.
        """
        made = []
        for cycle in cycles:
            atoms = cycle.to_atoms()
            atoms.info = {
                "pair": cycle.index, "dimension": cycle.dimension, "birth": cycle.birth,
                "death": cycle.death, "stability": cycle.stability,
                "method": cycle.certificate.method,
            }  # fmt: skip
            made.append(atoms)
        return made

    def save(self, path: str, *, one: bool = False) -> Path | None:
        """Write the selected pairs, or their cycles.

        Parameters
        ----------
        path : str
            Name of the file: ``.csv`` for a table of pairs, ``.extxyz`` for the cycles that have
            been found, each in one piece, one after the other.
        one : bool
            Whether only the pair that is looked at is written.

        Returns
        -------
        pathlib.Path or None
            The file, or ``None`` if it could not be written: ``error`` says why.
        """
        self.error = self.note = ""
        target = Path(path).expanduser().resolve()
        try:
            if self.current < 0:
                raise ValueError("no pair is selected")
            if target.suffix == ".csv":
                what = self._save_table(target, one)
            elif target.suffix in (".xyz", ".extxyz"):
                what = self._save_cycles(target, one)
            else:
                raise ValueError(f"{target.name}: the name must end with .csv or .extxyz")
        except (ValueError, OSError) as error:
            self.error = f"Not saved: {error}"
            return None
        self.status = f"Saved {what} to {target}"
        return target

    def _save_table(self, target: Path, one: bool) -> str:
        table = self.selected_frame()
        if one:
            table = table.loc[[self.current]]
        built = self.diagrams.complex
        for name in set(table.columns) & {"birth_atoms", "death_atoms", "atoms"}:
            table[name] = [" ".join(map(str, atoms)) for atoms in table[name]]
        write_table(
            target, table.reset_index(), dimension=self.dimension, species=built.species,
            radii=built.radii, periodic=built.periodic, stability=self.stability,
        )  # fmt: skip
        return "1 pair" if len(table) == 1 else f"{len(table)} pairs"

    def _save_cycles(self, target: Path, one: bool) -> str:
        cycles = self.computed()
        if one:
            cycles = [self.cycle] if self.cycle is not None else []
        if not cycles:
            raise ValueError("no cycle of the selection has been found; press Find all cycles")
        with atomic_path(target) as temporary:
            ase.io.write(temporary, self.clusters(cycles), format="extxyz")
        left = 0 if one else int(self.numbers.size) - len(cycles)
        if left:
            self.note = f"{left} selected pairs are not in the file: their cycles are not known."
        return "1 cycle" if len(cycles) == 1 else f"{len(cycles)} cycles"
