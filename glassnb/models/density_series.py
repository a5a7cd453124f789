"""Series of densified glasses: every pressure and temperature, several seeds, one table."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ase import Atoms

from glassnb.core.parallel import map_tasks
from glassnb.core.progress import ProgressOption
from glassnb.core.provenance import write_table
from glassnb.core.structure import mass_density
from glassnb.models.densify import Densification, densify
from glassnb.models.densify_protocol import plan
from glassnb.models.md_result import SimulationResult
from glassnb.models.properties import DEFINITION, model_properties

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["DensificationSeries", "densification_series"]

Condition = tuple[float, float, int]  # pressure, temperature, seed
_CONDITION = ["pressure", "temperature"]
_NOT_HERE = ("progress", "on_update", "seed")  # they belong to single runs


@dataclass(frozen=True, repr=False)
class DensificationSeries:
    """Glasses densified in several ways.

    Parameters
    ----------
    runs : tuple of Densification
        The runs, in the order of the conditions and, within each, of the seeds.
    """

    runs: tuple[Densification, ...]

    def __repr__(self) -> str:
        """Say in a line what was made."""
        ends = [mass_density(run.atoms) for run in self.runs]
        n_conditions = len({condition_of(run)[:2] for run in self.runs})
        return (
            f"DensificationSeries({len(self.runs)} runs, {n_conditions} conditions, "
            f"{min(ends):.3f} to {max(ends):.3f} g/cm³)"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the properties of the glasses as a table.

        Returns
        -------
        pandas.DataFrame
            One row per run: ``pressure`` (GPa), ``temperature`` (K), ``seed``,
            ``density_before``, ``density_under_pressure`` (g/cm³; NaN for a run stopped before)
            and the entries of :func:`glassnb.models.properties.model_properties` for the glass at
            the end, such as ``density``, ``SiO4`` and ``fsdp_position_neutron``.

        Raises
        ------
        ValueError
            If the glasses do not hold Si and O.
        """
        return self._frame.copy()

    @cached_property
    def _frame(self) -> pd.DataFrame:
        import pandas as pd

        frame = pd.DataFrame([_row(run) for run in self.runs])
        frame.attrs["definition"] = DEFINITION
        return frame

    def summary(self) -> pd.DataFrame:
        """Return means and standard errors over the seeds.

        Returns
        -------
        pandas.DataFrame
            One row per condition: ``pressure``, ``temperature``, ``runs``, and each property of
            :meth:`to_frame` followed by its standard error, such as ``density`` and
            ``density_error``; the error is NaN for one run.

        Raises
        ------
        ValueError
            If the glasses do not hold Si and O.
        """
        groups = self._frame.drop(columns="seed").groupby(_CONDITION, sort=False)
        means, errors = groups.mean(), groups.sem()
        table = groups.size().rename("runs").to_frame()
        for name in means:
            table[name], table[f"{name}_error"] = means[name], errors[name]
        table = table.reset_index()
        table.attrs["definition"] = DEFINITION
        return table

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the density against pressure, a line for each temperature.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn. Bars are standard errors over the seeds; at a single pressure, the
            density is drawn against temperature.
        """
        from glassnb.plotting.models import plot_densification_series

        return plot_densification_series(self, ax)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save all runs and the tables.

        Parameters
        ----------
        path : path-like
            Folder; each run gets a folder inside, beside ``runs.csv`` and ``summary.csv``.

        Returns
        -------
        pathlib.Path
            The folder.
        """
        target = Path(path)
        for run in self.runs:
            run.save(target / _name(condition_of(run)))
        parameters = [run.atoms.info["history"]["parameters"] for run in self.runs]
        for name, table in (("runs", self.to_frame()), ("summary", self.summary())):
            write_table(target / f"{name}.csv", table, runs=parameters, definition=DEFINITION)
        return target


def densification_series(
    glass: Atoms | SimulationResult,
    pressures: Iterable[float] = (),
    temperatures: Iterable[float] = (),
    *,
    conditions: Iterable[tuple[float, float]] = (),
    seeds: Iterable[int] = (0,),
    client: Any = None,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: ProgressOption = None,
    **options: Any,
) -> DensificationSeries:
    """Densify a glass at several pressures and temperatures, with several seeds.

    The runs are independent. In one process, LAMMPS takes one at a time, step by step in turn: a
    series takes as long as its runs together. On a Dask cluster of single-threaded processes
    (``client``) they run side by side.

    Parameters
    ----------
    glass : ase.Atoms or MeltQuench or Densification
        See :func:`glassnb.models.densify`.
    pressures : iterable of float
        In GPa.
    temperatures : iterable of float
        In K; every pressure is combined with every temperature.
    conditions : iterable of (float, float)
        Pairs of a pressure and a temperature, in the place of, or beside, all combinations.
    seeds : iterable of int
        Seeds of the velocities; each condition is run once for each.
    client : dask.distributed.Client, optional
        Where to run; this process when omitted.
    checkpoint : path-like, optional
        Folder; each run keeps its state in a folder inside, and a call with the same arguments
        goes on from there. On a cluster, all machines must see it.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`; counts runs.
    **options
        Other arguments of :func:`glassnb.models.densify`, the same for all runs.

    Returns
    -------
    DensificationSeries
        The runs, with tables of their properties.

    Raises
    ------
    ValueError
        If there are no conditions or no seeds, a condition or a seed stands twice, or as
        :func:`glassnb.models.densify`, for any of the runs; before the first run starts.
    TypeError
        If :func:`glassnb.models.densify` has no such option.

    Examples
    --------
    >>> series = densification_series(
    ...     glass, pressures=(8, 12), temperatures=(300, 2500), seeds=range(3)
    ... )  # doctest: +SKIP
    >>> series.summary()[["pressure", "temperature", "density", "density_error"]]  # doctest: +SKIP
    """
    pairs = [*product(pressures, temperatures), *conditions]
    work = _work(pairs, list(seeds))
    _check_options(options, client)
    for pressure, temperature, seed in work:
        call = inspect.signature(densify).bind(glass, pressure, temperature, seed=seed, **options)
        call.apply_defaults()
        plan(**call.arguments)
    task = partial(_run, glass, options, None if checkpoint is None else Path(checkpoint))
    runs = map_tasks(
        task, work, client=client, progress=progress, description="densification series"
    )
    return DensificationSeries(tuple(runs))


def condition_of(run: Densification) -> Condition:
    """Return pressure (GPa), temperature (K) and seed of a run."""
    history = run.atoms.info["history"]
    parameters = history["parameters"]
    return float(parameters["pressure"]), float(parameters["temperature"]), int(history["seed"])


def _work(pairs: Sequence[tuple[float, float]], seeds: Sequence[int]) -> list[Condition]:
    """List the runs, each once."""
    if not pairs or not seeds:
        raise ValueError(
            f"pressures, temperatures, conditions, seeds: give {len(pairs)} conditions and "
            f"{len(seeds)} seeds; at least one of each is needed, such as pressures=(8, 12), "
            "temperatures=(300, 2500), or conditions=[(7.7, 1473), (20, 300)]"
        )
    work: list[Condition] = []
    for pair, seed in product(pairs, seeds):
        try:
            pressure, temperature = pair
        except (TypeError, ValueError):
            raise ValueError(
                f"conditions: {pair!r} must be a pair of a pressure (GPa) and a temperature (K)"
            ) from None
        if (pressure, temperature, seed) in work:
            raise ValueError(
                f"conditions: {pressure} GPa, {temperature} K with seed {seed} stands twice; "
                "leave one out"
            )
        work.append((pressure, temperature, seed))
    return work


def _check_options(options: dict[str, Any], client: Any) -> None:
    for name in (*_NOT_HERE, *(("stop",) if client is not None else ())):
        if options.get(name) is not None:
            raise ValueError(f"{name}: belongs to single runs; use densify for it")


def _run(
    glass: Atoms | SimulationResult,
    options: dict[str, Any],
    checkpoint: Path | None,
    condition: Condition,
) -> Densification:
    pressure, temperature, seed = condition
    folder = None if checkpoint is None else checkpoint / _name(condition)
    return densify(
        glass, pressure, temperature, seed=seed, checkpoint=folder, progress=False, **options
    )


def _name(condition: Condition) -> str:
    """Name the folder of a run."""
    pressure, temperature, seed = condition
    return f"{pressure:g}-GPa-{temperature:g}-K-seed-{seed}"


def _row(run: Densification) -> dict[str, float]:
    pressure, temperature, seed = condition_of(run)
    compressed = run.compressed
    return {
        "pressure": pressure,
        "temperature": temperature,
        "seed": seed,
        "density_before": mass_density(run.start),
        "density_under_pressure": float("nan") if compressed is None else mass_density(compressed),
        **model_properties(run.atoms),
    }
