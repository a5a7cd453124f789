"""What becomes of rings when a glass is compacted.

P. S. Salmon, A. Zeidler, M. Shiga, Y. Onodera and S. Kohara, Phys. Rev. B 107, 144203 (2023),
follow the size and the radius of gyration of rings as silica is compressed; here with error bars.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from glassnb.core.parallel import map_tasks
from glassnb.core.progress import ProgressOption
from glassnb.core.provenance import write_table
from glassnb.core.structure import check_atoms, mass_density
from glassnb.network.rings.result import Counting, Rings, find_formers
from glassnb.network.rings.search import guttman_rings, king_rings, primitive_rings
from glassnb.network.rings.shape import ring_shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RingCompaction", "ring_compaction"]

Definition = Literal["king", "guttman", "primitive"]
_SEARCHES = {"king": king_rings, "guttman": guttman_rings, "primitive": primitive_rings}
_UNITS = {"density": "g/cm³", "pressure": "GPa"}
#: Measured for each ring size and each piece of a model.
QUANTITIES = ("rings_per_former", "roundness", "roughness", "radius_of_gyration")


@dataclass(frozen=True)
class RingCompaction:
    """Rings of a series of models.

    Parameters
    ----------
    definition : str
        ``"king"``, ``"guttman"`` or ``"primitive"``.
    against : str
        What the series runs along, with its unit, such as ``"density (g/cm³)"``.
    table : pandas.DataFrame
        One row per state and ring size (in network formers; 0 stands for all sizes together):
        ``x``, ``density`` (g/cm³), ``size``, ``n_rings``, ``n_samples``, and for
        ``rings_per_former``, ``roundness``, ``roughness`` and ``radius_of_gyration`` (Å) the mean
        and, as ``..._error``, its standard error over models or blocks.
    formers : tuple of str
        Species that count as network formers: numbers of rings are per atom of these.
    """

    definition: str
    against: str
    table: pd.DataFrame
    formers: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the table.

        Returns
        -------
        pandas.DataFrame
            A copy of :attr:`table`; its ``attrs`` hold the definition and the network formers.
        """
        table = self.table.copy()
        table.attrs |= {"definition": self.definition, "formers": self.formers}
        return table

    def of_size(self, size: int) -> pd.DataFrame:
        """Return the rows of one ring size.

        Parameters
        ----------
        size : int
            Number of network formers; 0 for all rings together.

        Returns
        -------
        pandas.DataFrame
            Rows along the series.

        Raises
        ------
        ValueError
            If no model has rings of that size.
        """
        rows = self.table[self.table["size"] == size]
        if rows.empty:
            known = ", ".join(map(str, sorted(set(self.table["size"]))))
            raise ValueError(f"size={size}: no model has such rings; there are {known}")
        return rows.reset_index(drop=True)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table as comma-separated text.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        write_table(
            path, self.table, definition=self.definition, against=self.against,
            formers=self.formers,
        )  # fmt: skip

    def plot(
        self, ax: Axes | None = None, *, quantity: str = "radius_of_gyration", sizes: Any = None
    ) -> Axes:
        """Draw one quantity along the series, a line for each ring size.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        quantity : str
            ``"rings_per_former"``, ``"roundness"``, ``"roughness"`` or ``"radius_of_gyration"``.
        sizes : sequence of int, optional
            Ring sizes in network formers; those with more than 1 % of all rings when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting import plot_ring_compaction

        return plot_ring_compaction(self, ax, quantity=quantity, sizes=sizes)


def ring_compaction(
    models: Sequence[Atoms | Sequence[Atoms]],
    *,
    against: Literal["density", "pressure"] | ArrayLike = "density",
    definition: Definition = "king",
    counting: Counting = "nodes",
    cutoff: float | Mapping[Any, float] | None = None,
    max_size: int | None = None,
    formers: str | Sequence[str] | None = None,
    blocks: int = 2,
    client: Any = None,
    progress: ProgressOption = None,
) -> RingCompaction:
    """Follow ring sizes and shapes along a series of models.

    Parameters
    ----------
    models : sequence
        States of the series. Each is a structure, or a list of structures of the same state, such
        as glasses made with several seeds. Structures given one by one are of the same state if
        their pressures, or the given numbers, are equal.
    against : str or array_like
        ``"density"`` (of the models, g/cm³), ``"pressure"`` (GPa, from the history of glasses made
        by :func:`glassnb.models.melt_quench`), or one number for each entry of ``models``.
    definition : str
        ``"king"``, ``"guttman"`` or ``"primitive"``.
    counting : str
        Shape of all atoms of a ring, ``"nodes"``, or of its network formers, ``"formers"``.
    cutoff : float or dict, optional
        Longest bond in Å; see :func:`glassnb.network.bonds`.
    max_size : int, optional
        Largest ring in atoms; the default of the definition when omitted.
    formers : str or sequence of str, optional
        Species that count as network formers; see :func:`king_rings`.
    blocks : int
        Pieces along each cell vector into which a lone model is cut for its error bars; rings
        belong to the piece in which their centre lies. Not used where a state has several models.
    client : dask.distributed.Client, optional
        Where to run; threads of this process when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress_bar`; counts models.

    Returns
    -------
    RingCompaction
        Means and standard errors by state and ring size.

    Raises
    ------
    ValueError
        If there is no model, an argument is out of range, a pressure is not known, or a search
        refuses a structure.

    Notes
    -----
    P. S. Salmon et al., Phys. Rev. B 107, 144203 (2023). Standard errors over blocks or seeds take
    these as independent; with two or three models they are themselves uncertain by half.
    """
    if definition not in _SEARCHES:
        raise ValueError(f"definition={definition!r}: must be one of {', '.join(_SEARCHES)}")
    if isinstance(blocks, bool) or not isinstance(blocks, int) or blocks < 1:
        raise ValueError(f"blocks={blocks!r}: must be a whole number, 1 or more")
    states, label = _states(models, against)
    flat = [(x, model) for x, group in states for model in group]
    measure = partial(
        _measure, definition=definition, counting=counting, cutoff=cutoff, max_size=max_size,
        formers=formers, blocks=blocks,
    )  # fmt: skip
    alone = [len(group) == 1 for _, group in states for _ in group]
    work = list(zip((model for _, model in flat), alone, strict=True))
    pieces = map_tasks(measure, work, client=client, progress=progress, description="models")
    samples = pd.concat(
        [
            piece.assign(x=x, model=k)
            for k, ((x, _), piece) in enumerate(zip(flat, pieces, strict=True))
        ]
    )
    named = {symbol: None for _, model in flat for symbol in find_formers(model, formers)}
    return RingCompaction(definition, label, _summary(samples), tuple(named))


def _states(
    models: Sequence[Atoms | Sequence[Atoms]], against: Any
) -> tuple[list[tuple[float, list[Atoms]]], str]:
    """Group the models by state, in order of what the series runs along."""
    if isinstance(models, Atoms) or not len(models):
        raise ValueError("models: must be a list of structures, or of lists of structures")
    groups = [[entry] if isinstance(entry, Atoms) else list(entry) for entry in models]
    for place, group in enumerate(groups):
        if not group:
            raise ValueError(f"models[{place}]: is an empty list")
        for model in group:
            check_atoms(model, periodic=True)
    if isinstance(against, str):
        if against not in _UNITS:
            raise ValueError(
                f"against={against!r}: must be density, pressure, or one number for each model"
            )
        label = f"{against} ({_UNITS[against]})"
        value = mass_density if against == "density" else _pressure
        numbers = [float(np.mean([value(model) for model in group])) for group in groups]
    else:
        label = "given number"
        numbers = [float(number) for number in np.asarray(against, dtype=float).ravel()]
        if len(numbers) != len(groups) or not np.isfinite(numbers).all():
            raise ValueError(
                f"against: {len(numbers)} numbers for {len(groups)} entries of models; give one "
                "finite number for each"
            )
    joined: dict[float, list[Atoms]] = {}
    for number, group in zip(numbers, groups, strict=True):
        joined.setdefault(number, []).extend(group)
    return sorted(joined.items()), label


def _pressure(atoms: Atoms) -> float:
    try:
        return float(atoms.info["history"]["parameters"]["pressure"])
    except (KeyError, TypeError):
        raise ValueError(
            'against="pressure": a model does not say at which pressure it was made '
            '(info["history"]["parameters"]["pressure"]); give the numbers, '
            "against=[0, 4, 8], instead"
        ) from None


def _measure(
    work: tuple[Atoms, bool], *, counting: Counting, blocks: int, definition: str, **options: Any
) -> pd.DataFrame:
    """Measure the rings of one model by size, whole or in blocks: one row per block and size."""
    atoms, alone = work
    rings = _SEARCHES[definition](atoms, progress=False, **options)
    shape = ring_shape(rings, counting=counting)
    block = _block_of(rings, ring_shape(rings).centres, blocks if alone else 1)
    n_blocks = blocks**3 if alone else 1
    formers_per_block = rings.is_former.sum() / n_blocks
    table = pd.DataFrame(
        {
            "block": block,
            "size": rings.former_sizes,
            "roundness": shape.roundness,
            "roughness": shape.roughness,
            "radius_of_gyration": shape.radius_of_gyration,
        }
    )
    parts = []
    for size, of_size in [(0, table), *table.groupby("size")]:
        found = of_size.groupby("block")
        rows = found[["roundness", "roughness", "radius_of_gyration"]].mean()
        rows["n_rings"] = found.size()
        rows = rows.reindex(range(n_blocks))
        rows["n_rings"] = rows["n_rings"].fillna(0).astype(int)
        rows["rings_per_former"] = rows["n_rings"] / formers_per_block
        parts.append(rows.assign(size=size))
    return pd.concat(parts).reset_index(names="block").assign(density=mass_density(atoms))


def _block_of(rings: Rings, centres: NDArray[np.float64], blocks: int) -> NDArray[np.int64]:
    """Return the block of the cell in which the centre of each ring lies."""
    fractional = rings.atoms.cell.scaled_positions(centres) % 1.0
    a, b, c = np.minimum((fractional * blocks).astype(np.int64), blocks - 1).T
    return (a * blocks + b) * blocks + c


def _summary(samples: pd.DataFrame) -> pd.DataFrame:
    """Average over models or blocks; a size that a sample lacks counts there as no rings."""
    rows = []
    for x, state in samples.groupby("x"):
        n_samples = len(state[["model", "block"]].drop_duplicates())
        for size, group in state.groupby("size"):
            row: dict[str, Any] = {
                "x": x,
                "density": state.drop_duplicates("model")["density"].mean(),
                "size": size,
                "n_rings": int(group["n_rings"].sum()),
                "n_samples": n_samples,
            }
            for name in QUANTITIES:
                counts = np.zeros(n_samples)
                values = np.zeros(n_samples)
                counts[: len(group)] = group["n_rings"]
                values[: len(group)] = group[name].fillna(0.0)
                weights = np.ones(n_samples) if name == "rings_per_former" else counts
                row[name], row[f"{name}_error"] = _jackknife(values, weights)
            rows.append(row)
    return pd.DataFrame(rows).sort_values(["x", "size"], ignore_index=True)


def _jackknife(values: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[float, float]:
    """Return a weighted mean and its standard error, by leaving out one sample after the other."""
    total = weights.sum()
    mean = float(values @ weights / total) if total > 0 else np.nan
    left = total - weights
    n = values.size
    if n < 2 or not (left > 0).all():
        return mean, np.nan
    without = (values @ weights - values * weights) / left
    return mean, float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
