"""Several models of one recipe: what differs between seeds is the error of what they share."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.io import write as ase_write
from numpy.typing import ArrayLike, NDArray

from glassnb.core.parallel import map_tasks
from glassnb.core.progress import ProgressOption
from glassnb.core.provenance import atomic_path, write_table
from glassnb.core.structure import half_box
from glassnb.models.lammps_engine import ranks
from glassnb.models.md_protocol import whole
from glassnb.models.properties import DEFINITION, model_properties
from glassnb.scattering import StructureFactor, structure_factor

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Ensemble", "MeanStructureFactor", "ensemble"]

_UNITS = {
    "density": "g/cm³",
    "SiO": "%",
    "si_o_distance": "Å",
    "si_o_si": "°",
    "o_si_o": "°",
    "fsdp_position": "Å⁻¹",
    "fsdp_width": "Å⁻¹",
}  # by the beginning of a property's name


@dataclass(frozen=True)
class MeanStructureFactor:
    """Structure factor averaged over models.

    Parameters
    ----------
    q : ndarray, shape (n_q,)
        Scattering vector in Å⁻¹.
    total : ndarray, shape (n_q,)
        Mean of the total S(Q) in the Faber-Ziman convention, tends to 1.
    standard_error : ndarray, shape (n_q,)
        Standard error of the mean; NaN for a single model.
    radiation : str
        ``"neutron"``, ``"x-ray"`` or ``"electron"``.
    n_models : int
        Number of models.
    method : str
        How each S(Q) was computed.
    """

    q: NDArray[np.float64]
    total: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    radiation: str
    n_models: int
    method: str

    def to_frame(self) -> pd.DataFrame:
        """Return the structure factor as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``q`` (Å⁻¹), ``total`` and ``standard_error``.
        """
        import pandas as pd

        names = ("q", "total", "standard_error")
        return pd.DataFrame({name: getattr(self, name) for name in names})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table of :meth:`to_frame` as comma-separated text, with its history.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        write_table(
            path, self.to_frame(), radiation=self.radiation, n_models=self.n_models,
            method=self.method,
        )  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the mean, with a band of one standard error to both sides.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.ensembles import plot_mean_structure_factor

        return plot_mean_structure_factor(self, ax)


@dataclass(frozen=True, repr=False)
class Ensemble:
    """Models made by one recipe from several seeds.

    Parameters
    ----------
    seeds : tuple of int
        Seed of each model.
    runs : tuple
        What the recipe returned for each seed.
    """

    seeds: tuple[int, ...]
    runs: tuple[Any, ...]

    def __repr__(self) -> str:
        """Say in a line what it holds."""
        sizes = sorted({len(atoms) for atoms in self.atoms})
        return f"Ensemble({len(self.runs)} models of {' or '.join(map(str, sizes))} atoms)"

    @property
    def atoms(self) -> list[Atoms]:
        """The models, in the order of the seeds."""
        return [_atoms_of(run) for run in self.runs]

    @cached_property
    def _properties(self) -> list[dict[str, float]]:
        return map_tasks(model_properties, self.atoms, progress=False)

    def to_frame(self) -> pd.DataFrame:
        """Return the properties of every model.

        Returns
        -------
        pandas.DataFrame
            One row per seed; columns ``seed`` and those of
            :func:`glassnb.models.model_properties`.

        Raises
        ------
        ValueError
            If the models are not of silica.
        """
        import pandas as pd

        frame = pd.DataFrame(self._properties)
        frame.insert(0, "seed", self.seeds)
        frame.attrs["definition"] = DEFINITION
        return frame

    def summary(self) -> pd.DataFrame:
        """Return mean and standard error of every property.

        Returns
        -------
        pandas.DataFrame
            Rows by property; columns ``unit``, ``mean``, ``standard_error`` (the standard
            deviation over models divided by the root of their number; NaN for a single model) and
            ``n_models``, the number of models that have the property.

        Raises
        ------
        ValueError
            If the models are not of silica.
        """
        import pandas as pd

        values = self.to_frame().drop(columns="seed")
        table = pd.DataFrame(
            {
                "unit": [_unit(name) for name in values.columns],
                "mean": values.mean(),
                "standard_error": values.sem(),
                "n_models": values.count(),
            }
        )
        table.attrs["definition"] = DEFINITION
        return table

    def structure_factor(
        self, q: ArrayLike | None = None, *, radiation: str = "neutron"
    ) -> MeanStructureFactor:
        """Average the structure factor over the models, on one grid of Q.

        Parameters
        ----------
        q : array_like, shape (n_q,), optional
            Scattering vectors in Å⁻¹, rising; see :func:`glassnb.scattering.structure_factor`.
        radiation : str
            ``"neutron"``, ``"x-ray"`` or ``"electron"``.

        Returns
        -------
        MeanStructureFactor
            Mean and standard error, through g(r) to half the smallest box of all models.

        Raises
        ------
        ValueError
            As :func:`glassnb.scattering.structure_factor`.
        """
        found = self.structure_factors(q, radiation=radiation)
        totals = np.array([sq.total for sq in found])
        spread = totals.std(axis=0, ddof=1) if len(found) > 1 else np.full(totals[0].size, np.nan)
        return MeanStructureFactor(
            found[0].q, totals.mean(axis=0), spread / np.sqrt(len(found)), radiation, len(found),
            found[0].method,
        )  # fmt: skip

    def structure_factors(
        self, q: ArrayLike | None = None, *, radiation: str = "neutron"
    ) -> list[StructureFactor]:
        """Compute the structure factor of every model, on one grid of Q and to the same distance.

        Parameters
        ----------
        q : array_like, shape (n_q,), optional
            Scattering vectors in Å⁻¹, rising; see :func:`glassnb.scattering.structure_factor`.
        radiation : str
            ``"neutron"``, ``"x-ray"`` or ``"electron"``.

        Returns
        -------
        list of StructureFactor
            Through g(r) to half the smallest box of all models.

        Raises
        ------
        ValueError
            As :func:`glassnb.scattering.structure_factor`.
        """
        r_max = min(map(half_box, self.atoms))
        return [structure_factor(a, q, radiation=radiation, r_max=r_max) for a in self.atoms]

    def plot(self, ax: Axes | None = None, *, radiation: str = "neutron") -> Axes:
        """Draw the structure factor of every model, and their mean with its standard error.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.
        radiation : str
            ``"neutron"``, ``"x-ray"`` or ``"electron"``.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.ensembles import plot_ensemble

        return plot_ensemble(self, ax, radiation=radiation)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the models and the tables.

        Parameters
        ----------
        folder : path-like
            Gets ``seed-<n>.extxyz`` for each model, ``properties.csv`` and ``summary.csv``.

        Returns
        -------
        pathlib.Path
            The folder.
        """
        target = Path(folder)
        for seed, atoms in zip(self.seeds, self.atoms, strict=True):
            with atomic_path(target / f"seed-{seed}.extxyz") as temporary:
                ase_write(temporary, atoms, format="extxyz")
        write_table(target / "properties.csv", self.to_frame())
        table = self.summary().rename_axis("property").reset_index()
        write_table(target / "summary.csv", table)
        return target


def ensemble(
    function: Callable[..., Any],
    *,
    seeds: Iterable[int],
    client: Any = None,
    progress: ProgressOption = None,
    **arguments: Any,
) -> Ensemble:
    """Make a model from each of several seeds.

    With the client of a Dask cluster of processes, the models are made side by side, each on one
    thread. Without one, molecular dynamics takes turns in this process, so that it lasts as long
    as the runs one after another: LAMMPS must not be entered by two threads at once.

    Parameters
    ----------
    function : callable
        Takes ``seed`` and the arguments, and returns a structure or anything with ``.atoms``:
        :func:`glassnb.models.melt_quench`, :func:`glassnb.models.densify`, or your own. For a
        cluster it must be defined in a module that the workers can import.
    seeds : iterable of int
        One model each, all different.
    client : dask.distributed.Client, optional
        Where to run; this process when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`; counts models.
    **arguments
        Handed to the function. Of a ``checkpoint``, each seed uses a folder inside, so that a
        call with the same arguments goes on where an earlier one was interrupted.

    Returns
    -------
    Ensemble
        The models, their properties with errors, and their mean structure factor.

    Raises
    ------
    ValueError
        If there are no seeds, or the same twice, the function does not take ``seed`` or one of
        the arguments, returns no structure, or several processes run together under ``mpirun``.
    Exception
        What the function raises, with the seed as a note.

    Examples
    --------
    >>> models = ensemble(melt_quench, seeds=range(4), n_atoms=648)  # doctest: +SKIP
    >>> models.summary().loc["density"]  # doctest: +SKIP
    """
    chosen = _check_seeds(seeds)
    takes = _check_function(function, {"seed": chosen[0], **arguments})
    if ranks()[1] > 1:
        raise ValueError(
            "client: under mpirun all processes share each simulation, and an ensemble needs them "
            "apart; make one model per mpirun, or use a Dask client without mpirun"
        )
    if "progress" in takes:
        arguments["progress"] = False  # of one run among many
    runs = map_tasks(
        partial(_run, function, arguments), chosen, client=client, progress=progress,
        description="models",
    )  # fmt: skip
    return Ensemble(chosen, tuple(runs))


def _check_seeds(seeds: Iterable[int]) -> tuple[int, ...]:
    if isinstance(seeds, str) or not isinstance(seeds, Iterable):
        raise ValueError(f"seeds={seeds!r}: must be several whole numbers, such as range(4)")
    chosen = tuple(whole("seeds", seed, 0) for seed in seeds)
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"seeds={chosen}: must be at least one number, and none twice")
    return chosen


def _check_function(function: Callable[..., Any], arguments: Mapping[str, Any]) -> set[str]:
    """Refuse a call that cannot be made; return the names of the parameters."""
    if not callable(function):
        raise ValueError(f"function={function!r}: must be a function that takes seed=")
    signature = inspect.signature(function)
    name = getattr(function, "__name__", repr(function))
    try:
        signature.bind(**arguments)
    except TypeError as error:
        raise ValueError(f"function={name}: does not take these arguments ({error})") from error
    return set(signature.parameters)


def _run(function: Callable[..., Any], arguments: Mapping[str, Any], seed: int) -> Any:
    """Make one model."""
    own = dict(arguments)
    if own.get("checkpoint") is not None:
        own["checkpoint"] = Path(own["checkpoint"]) / f"seed-{seed}"
    try:
        run = function(seed=seed, **own)
        _atoms_of(run)
    except Exception as error:
        error.add_note(f"seed={seed}")
        raise
    return run


def _atoms_of(run: Any) -> Atoms:
    atoms = run if isinstance(run, Atoms) else getattr(run, "atoms", None)
    if not isinstance(atoms, Atoms):
        raise ValueError(
            f"function: returned {type(run).__name__}, must return ase.Atoms or what has .atoms"
        )
    return atoms


def _unit(name: str) -> str:
    return next((unit for start, unit in _UNITS.items() if name.startswith(start)), "")
