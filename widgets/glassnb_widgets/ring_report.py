"""What is said, tabled and saved of the selected rings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.provenance import atomic_path
from glassnb.network import Rings
from glassnb_widgets import ring_geometry
from glassnb_widgets.ring_selection import MEASURES, RingSelection

__all__ = ["RingReport"]


class RingReport(RingSelection):
    """Rings that can be selected, and words, tables and files of those that are."""

    @property
    def selected(self) -> Rings:
        """The selected rings; waits for a search that goes on."""
        self.wait()
        if self.rings is None:
            raise ValueError(f"there are no rings: {self.error or 'the search was given up'}")
        return self.rings.select(self.chosen)

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
        if self.rings is None or self.shape is None:
            return []
        made = []
        for k in np.asarray(self.numbers if which is None else which).tolist():
            atoms = ring_geometry.cluster_of(self.rings, k)
            atoms.info = {
                "ring": k, "definition": self.rings.definition, "size": len(atoms),
                "measured": self.shape.counting,
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
