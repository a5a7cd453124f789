"""Molecular dynamics through the stages of a protocol, in small chunks.

Between chunks the run reports, records, saves its state and looks whether it shall stop.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from ase import Atoms

from glassnb.core.jit import serial_kernels
from glassnb.core.progress import Progress, ProgressOption, progress_bar
from glassnb.models.checkpoint import Checkpoint
from glassnb.models.lammps_engine import Lammps, LammpsError, ranks
from glassnb.models.md_protocol import Protocol, Stage
from glassnb.models.potentials import Potential

__all__ = ["MolecularDynamics", "SimulationError", "Snapshot"]

ATOM_STEPS_PER_CHUNK = 300_000  # about half a second
ATOM_STEPS_PER_SAVE = 15_000_000  # about half a minute
SKIN = 0.8  # Å; the fastest for silica from 300 to 4000 K
COLUMNS = ("step", "time", "temperature", "pressure", "density", "potential_energy")


class SimulationError(RuntimeError):
    """A simulation became unstable; the message says what to change."""


@dataclass(frozen=True)
class Snapshot:
    """The state of a running simulation.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, wrapped into the box.
    step, total_steps : int
        Steps done, and steps in all.
    time : float
        In ps.
    temperature : float
        In K.
    pressure : float
        In GPa.
    density : float
        In g/cm³.
    potential_energy : float
        In eV per atom.
    stage : str
        Name of the stage.
    """

    atoms: Atoms
    step: int
    total_steps: int
    time: float
    temperature: float
    pressure: float
    density: float
    potential_energy: float
    stage: str


class MolecularDynamics:
    """One run of a protocol.

    Parameters
    ----------
    start : ase.Atoms
        Starting structure in an orthorhombic periodic box.
    potential : Potential
        Interatomic potential.
    protocol : Protocol
        What to do.
    checkpoint : Checkpoint, optional
        Where to save the state and to resume from.
    stop : callable, optional
        Called without arguments between chunks; the run ends when it returns true. Not under
        ``mpirun``, where the processes would not agree.
    on_update : callable, optional
        Called with a :class:`Snapshot` at every record, under ``mpirun`` in the first process.
    """

    def __init__(
        self,
        start: Atoms,
        potential: Potential,
        protocol: Protocol,
        *,
        checkpoint: Checkpoint | None = None,
        stop: Callable[[], bool] | None = None,
        on_update: Callable[[Snapshot], None] | None = None,
    ) -> None:
        self.start = start
        self.potential = potential
        self.protocol = protocol
        self.checkpoint = checkpoint
        self.stop = stop
        self.on_update = on_update
        self.step = 0
        self.stopped = False
        self.rows: list[tuple[float, ...]] = []
        self.stages: list[str] = []
        self.trajectory: list[Atoms] = []
        self.kept: dict[str, Atoms] = {}  # by the labels of their stages
        self._chunk = max(10, ATOM_STEPS_PER_CHUNK // len(start))
        self._save_every = max(100, ATOM_STEPS_PER_SAVE // len(start))
        self._frame_every = max(1, protocol.steps // max(1, protocol.snapshots))

    def run(self, progress: ProgressOption, description: str) -> Atoms:
        """Run, or resume, until the protocol is done or ``stop`` says so.

        Parameters
        ----------
        progress : bool, callable or None
            See :func:`glassnb.core.progress.progress_bar`.
        description : str
            Label of the progress bar.

        Returns
        -------
        ase.Atoms
            The structure reached.

        Raises
        ------
        SimulationError
            If the simulation becomes unstable.
        """
        rank, size = ranks()
        if size > 1 and self.stop is not None:
            raise ValueError(
                f"stop: {size} processes run together and could not agree on it; leave it out, "
                "and use a checkpoint to end a run early"
            )
        if rank > 0:
            progress, self.on_update = False, None
        saved = self.checkpoint.load() if self.checkpoint else None
        with progress_bar(self.protocol.steps, description, progress) as bar, Lammps() as lammps:
            if saved is None:
                self._begin(lammps)
            else:
                self._resume(lammps, saved)
                bar.update(self.step, "resumed")
            end = 0
            for number, stage in enumerate(self.protocol.stages):
                begin, end = end, end + stage.steps
                if self.step < end and not self.stopped:
                    self._run_stage(lammps, stage, number, begin, end, bar)
            if self.protocol.minimise and not self.stopped:
                lammps.commands("minimize 1.0e-10 1.0e-6 10000 100000")
            return self._structure(lammps)

    def _run_stage(
        self, lammps: Lammps, stage: Stage, number: int, begin: int, end: int, bar: Progress
    ) -> None:
        """Run one stage from the step reached to its end."""
        fix = f"stage{number}"
        lammps.commands(f"fix {fix} all {stage.fix}")
        setup = "yes"
        while self.step < end:
            if self.stop is not None and self.stop():
                self.stopped = True
                self._save(lammps)
                return
            goal = self._next_halt(end)
            run = f"run {goal - self.step} start {begin} stop {end} pre {setup} post no"
            try:
                lammps.commands(run)
            except LammpsError as error:
                self._unstable(stage, str(error), error)
            steps, self.step, setup = goal - self.step, goal, "no"
            self._check(lammps, stage)
            bar.update(steps, f"{stage.name}, {lammps.thermo('temp'):.0f} K")
            self._keep(lammps, stage, end)
            if goal % self._save_every == 0 or goal == self.protocol.steps:
                self._save(lammps)
                setup = "yes"  # saving sorts the atoms anew
        lammps.commands(f"unfix {fix}")

    def _next_halt(self, end: int) -> int:
        """Return the next step at which there is something to do."""
        intervals = [self._chunk, self.protocol.record_every, self._frame_every]
        if self.checkpoint is not None:
            intervals.append(self._save_every)
        return min(end, *((self.step // n + 1) * n for n in intervals))

    def _keep(self, lammps: Lammps, stage: Stage, end: int) -> None:
        """Record what is due at this step."""
        if stage.keep and self.step == end:
            self.kept[stage.keep] = self._structure(lammps)
        record = self.step % self.protocol.record_every == 0 or self.step == end
        frame = self.protocol.snapshots > 0 and self.step % self._frame_every == 0
        if not (record or frame):
            return
        row = self._row(lammps)
        if record:
            self.rows.append(row)
            self.stages.append(stage.name)
        if not (frame or self.on_update):
            return
        atoms = self._structure(lammps)
        if frame:
            self.trajectory.append(atoms)
        if record and self.on_update is not None:
            values = dict(zip(COLUMNS[1:], row[1:], strict=True))
            # Threaded kernels would leave their threads spinning beside LAMMPS, ten times slower.
            with serial_kernels():
                self.on_update(
                    Snapshot(
                        atoms.copy(),
                        self.step,
                        self.protocol.steps,
                        **values,
                        stage=stage.name,
                    )
                )

    def _row(self, lammps: Lammps) -> tuple[float, ...]:
        return (
            float(self.step),
            self.step * self.protocol.timestep * 1.0e-3,
            lammps.thermo("temp"),
            lammps.thermo("press"),
            lammps.thermo("density"),
            lammps.thermo("pe") / len(self.start),
        )

    def _structure(self, lammps: Lammps) -> Atoms:
        corner, edges = lammps.box()
        atoms = Atoms(self.start.numbers, lammps.per_atom("x") - corner, cell=edges, pbc=True)
        atoms.wrap()
        return atoms

    def _begin(self, lammps: Lammps) -> None:
        """Push the atoms of the start apart, and give them velocities."""
        style = "charge" if self.potential.needs_charges else "atomic"
        lammps.create(self.start, self.potential.species, style=style)
        self._define(lammps)
        first = self.protocol.stages[0]
        try:
            lammps.commands(
                "min_modify dmax 0.1",
                "minimize 1.0e-4 1.0e-2 200 2000",
                "reset_timestep 0",
                f"velocity all create {first.temperature[0]!r} {self.protocol.seed + 1} "
                "mom yes rot no dist gaussian",
                "run 0",
            )
        except LammpsError as error:
            self._unstable(first, str(error), error)
        self.rows.append(self._row(lammps))
        self.stages.append(first.name)

    def _define(self, lammps: Lammps) -> None:
        """Define all that LAMMPS does not keep in its restart files."""
        with tempfile.TemporaryDirectory(prefix="glassnb-") as folder:
            for line in self.potential.lammps_commands(folder):
                try:
                    lammps.commands(line)
                except LammpsError as error:
                    raise ValueError(
                        f"potential={self.potential.name!r}: LAMMPS refuses its line {line!r}: "
                        f"{error}"
                    ) from error
        lammps.commands(
            f"neighbor {SKIN} bin",
            f"timestep {self.protocol.timestep * 1.0e-3!r}",
            "thermo_style custom step temp pe press density",
            "thermo_modify lost error norm no",
            "thermo 0",
        )

    def _resume(self, lammps: Lammps, saved: dict[str, Any]) -> None:
        assert self.checkpoint is not None
        lammps.commands(f'read_restart "{self.checkpoint.restart}"')
        self._define(lammps)
        self.step = self.checkpoint.step
        if self.step == self.protocol.steps:
            # Not before that: the first run drops the state of thermostats not yet defined.
            lammps.commands("run 0")
        self.rows = [tuple(row) for row in saved["rows"].tolist()]
        self.stages = saved["stages"].tolist()
        frames = [
            Atoms(self.start.numbers, positions, cell=cell, pbc=True)
            for positions, cell in zip(saved["positions"], saved["cells"], strict=True)
        ]
        kept = saved["kept"].tolist() if "kept" in saved else []  # none in older states
        self.trajectory = frames[: len(frames) - len(kept)]
        self.kept = dict(zip(kept, frames[len(self.trajectory) :], strict=True))

    def _save(self, lammps: Lammps) -> None:
        if self.checkpoint is None:
            return

        def write(path: Path | os.PathLike[str]) -> None:
            lammps.commands(f'write_restart "{path}"')

        frames = [*self.trajectory, *self.kept.values()]
        positions = [atoms.positions for atoms in frames]
        cells = [atoms.cell.array for atoms in frames]
        records = {
            "rows": np.array(self.rows),
            "stages": np.array(self.stages),
            "kept": np.array(list(self.kept), dtype=str),
            "positions": np.array(positions).reshape(-1, len(self.start), 3),
            "cells": np.array(cells).reshape(-1, 3, 3),
        }
        self.checkpoint.save(self.step, write, records)

    def _check(self, lammps: Lammps, stage: Stage) -> None:
        """Stop where numbers are no longer numbers, or the melt has become a gas."""
        values = [lammps.thermo(name) for name in ("temp", "press", "density", "pe")]
        if not all(math.isfinite(value) for value in values):
            self._unstable(stage, "the energy is not a number")
        thinnest = 0.3 * self.rows[0][4]
        if values[2] < thinnest:
            raise SimulationError(
                f"the atoms fly apart (density {values[2]:.3f} g/cm³) in stage {stage.name!r} "
                f"at step {self.step}: use a lower {self.protocol.hottest}, or a pressure above 0"
            )

    def _unstable(self, stage: Stage, reason: str, cause: Exception | None = None) -> NoReturn:
        raise SimulationError(
            f"the simulation became unstable in stage {stage.name!r} after step {self.step} "
            f"({reason}): use a smaller timestep (now {self.protocol.timestep} fs), a lower "
            f"{self.protocol.hottest} or a less dense start"
        ) from cause
