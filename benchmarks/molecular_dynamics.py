"""Molecular dynamics: what our protocol costs beside the same commands in plain LAMMPS.

python -m benchmarks.molecular_dynamics     as part of `make benchmarks`
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ase import Atoms

import glassnb as gn
from glassnb.models.checkpoint import Checkpoint
from glassnb.models.lammps_engine import Lammps
from glassnb.models.md_protocol import Protocol, Stage
from glassnb.models.md_run import SKIN, MolecularDynamics

STEPS = 2000
REPEATS = 3


def plain(atoms: Atoms, steps: int) -> float:
    """Run LAMMPS from its own input, as one would write it; return the energy in eV per atom."""
    with tempfile.TemporaryDirectory() as folder, Lammps() as lammps:
        lammps.create(atoms, ("Si", "O"))
        lammps.commands(
            *gn.models.potential("SHIK").lammps_commands(folder),
            f"neighbor {SKIN} bin",
            "timestep 0.0016",
            "min_modify dmax 0.1",
            "minimize 1.0e-4 1.0e-2 200 2000",
            "reset_timestep 0",
            "velocity all create 300.0 1 mom yes rot no dist gaussian",
            "thermo_style custom step temp pe press density",
            "thermo_modify norm no",
            "thermo 100",
            "fix 1 all npt temp 300.0 300.0 0.1 iso 0.0 0.0 1.0",
            f"run {steps}",
        )
        return lammps.thermo("pe") / len(atoms)


def ours(atoms: Atoms, steps: int, state: Path | None = None) -> float:
    """Run the same through a protocol, with the records and snapshots of the defaults."""
    protocol = Protocol(
        stages=(Stage("relax", steps, (300.0, 300.0), (0.0, 0.0)),),
        timestep=1.6, record_every=100, snapshots=20, seed=0, minimise=False,
    )  # fmt: skip
    saved = Checkpoint(state, {}) if state else None
    try:
        dynamics = MolecularDynamics(atoms, gn.models.potential("SHIK"), protocol, checkpoint=saved)
        dynamics.run(False, "benchmark")
    finally:
        if saved is not None:
            saved.close()
    return float(dynamics.rows[-1][-1])


def with_checkpoint(atoms: Atoms, steps: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return ours(atoms, steps, Path(folder))


def main(steps: int = STEPS, repeats: int = REPEATS) -> None:
    """Take turns, so that what else the machine does hits all alike; the smallest times count."""
    atoms = gn.models.load("silica-pristine-3000")
    sides: dict[str, Callable[[Atoms, int], float]] = {
        "plain LAMMPS": plain,
        "glassnb": ours,
        "glassnb, with checkpoint": with_checkpoint,
    }
    plain(atoms, 20)  # load LAMMPS
    times: dict[str, list[float]] = {name: [] for name in sides}
    energies = {}
    for _ in range(repeats):
        for name, call in sides.items():
            start = time.process_time()
            energies[name] = call(atoms, steps)
            times[name].append(time.process_time() - start)
    assert np.ptp(list(energies.values())) < 2e-3, energies  # the same run
    print(f"\n| {len(atoms)} atoms, SHIK, {steps} steps at 300 K and 0 GPa | CPU s, smallest "
          "| CPU s, median | million atom-steps per CPU s | overhead, % |")  # fmt: skip
    print("|---|---|---|---|---|")
    least = min(times["plain LAMMPS"])
    for name, seconds in times.items():
        best = min(seconds)
        print(
            f"| {name} | {best:.2f} | {np.median(seconds):.2f} | "
            f"{len(atoms) * steps / best / 1e6:.3f} | {100 * (best / least - 1):.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
