"""Many refinements of one model, side by side: what is certain about the result, and what not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.parallel import map_tasks
from glassnb.core.progress import ProgressOption
from glassnb.models.reverse_monte_carlo.constraints import Constraint
from glassnb.models.reverse_monte_carlo.engine import ReverseMonteCarlo
from glassnb.models.reverse_monte_carlo.refinement import Curve, Refinement

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Replicas", "refine_replicas"]


@dataclass(frozen=True, repr=False)
class Replicas:
    """Refinements that differ in their seed alone.

    Parameters
    ----------
    seeds : tuple of int
        One for each refinement.
    refinements : tuple of Refinement
        In the order of the seeds.
    """

    seeds: tuple[int, ...]
    refinements: tuple[Refinement, ...]

    def __repr__(self) -> str:
        """Say in a line how many there are, and how good."""
        chi2 = [refinement.chi2 for refinement in self.refinements]
        return f"Replicas({len(self.seeds)} seeds, chi2 {min(chi2):.6g} to {max(chi2):.6g})"

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Each data set with the mean of what the replicas give."""
        first = self.refinements[0].curves
        return tuple(
            replace(curve, calculated=self._calculated(k).mean(axis=0))
            for k, curve in enumerate(first)
        )

    def standard_error(self, index: int) -> NDArray[np.float64]:
        """Return the standard error of a mean curve.

        Parameters
        ----------
        index : int
            Number of the data set.

        Returns
        -------
        ndarray, shape (n_points,)
            Standard deviation over the replicas by the square root of their number; NaN for one.
        """
        values = self._calculated(index)
        if len(values) < 2:
            return np.full(values.shape[1], np.nan)
        return np.asarray(values.std(axis=0, ddof=1) / np.sqrt(len(values)))

    def to_frame(self) -> pd.DataFrame:
        """Return the last record of each replica as a table.

        Returns
        -------
        pandas.DataFrame
            One row per seed, with the columns of :meth:`Refinement.to_frame`.
        """
        import pandas as pd

        rows = [refinement.to_frame().iloc[[-1]] for refinement in self.refinements]
        table = pd.concat(rows, ignore_index=True)
        table.insert(0, "seed", list(self.seeds))
        return table

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the mean curves with the data.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.refinement import plot_refinement

        return plot_refinement(self, ax)

    def _calculated(self, index: int) -> NDArray[np.float64]:
        return np.array([r.curves[index].calculated for r in self.refinements])


def refine_replicas(
    atoms: Atoms,
    data: Sequence[Any],
    constraints: Sequence[Constraint],
    seeds: Sequence[int],
    *,
    moves: int,
    temperature: float | tuple[float, float] = 1.0,
    client: Any = None,
    progress: ProgressOption = None,
    **settings: Any,
) -> Replicas:
    """Refine one model with several seeds, side by side.

    Parameters
    ----------
    atoms : ase.Atoms
        The start of all of them.
    data, constraints : sequence
        See :class:`ReverseMonteCarlo`.
    seeds : sequence of int
        One for each replica, no two alike.
    moves : int
        How many to try in each.
    temperature : float or tuple of float
        See :meth:`ReverseMonteCarlo.run`.
    client : dask.distributed.Client, optional
        Where to run; threads of this process when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`; counts replicas.
    **settings
        Further arguments of :class:`ReverseMonteCarlo`.

    Returns
    -------
    Replicas
        All refinements, mean curves and their standard errors.

    Raises
    ------
    ValueError
        If seeds are missing or repeated, or the refinement refuses its arguments.
    """
    listed = [int(seed) for seed in seeds]
    if not listed or len(set(listed)) < len(listed):
        raise ValueError(f"seeds={listed}: must be one or more numbers, no two alike")
    ReverseMonteCarlo(atoms, data, constraints, listed[0], **settings)  # stops here if at all
    task = partial(_refine, atoms, list(data), list(constraints), settings, moves, temperature)
    found = map_tasks(task, listed, client=client, progress=progress, description="replicas")
    return Replicas(tuple(listed), tuple(found))


def _refine(
    atoms: Atoms,
    data: Sequence[Any],
    constraints: Sequence[Constraint],
    settings: dict[str, Any],
    moves: int,
    temperature: float | tuple[float, float],
    seed: int,
) -> Refinement:
    rmc = ReverseMonteCarlo(atoms, data, constraints, seed, **settings)
    return rmc.run(moves, temperature=temperature, progress=False)
