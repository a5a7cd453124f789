"""Reverse Monte Carlo by other packages: moves per CPU second on one problem.

python -m benchmarks.reverse_monte_carlo_peers     prints the table of the peers at hand

- reverse-monte-carlo (``import rmc``, Linux on x86-64) runs in this process, if it is installed.
- fullrmc (AGPL, NumPy 1) runs in the Python that GLASSNB_FULLRMC_PYTHON names, an environment with
  ``pip install "numpy<2" "setuptools<70" cython wheel`` and then
  ``pip install --no-build-isolation fullrmc==4.1.0``.

Both know constant X-ray weights only; they are given those of atomic numbers. All take moves of up
to 0.1 Å from the same start and accept no rise of the error, and their S(Q) is compared with ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from numpy.typing import NDArray

import glassnb as gn
from glassnb.core.structure import half_box
from glassnb.models.reverse_monte_carlo import (
    Coordination,
    ReverseMonteCarlo,
    StructureFactorData,
)

VARIABLE = "GLASSNB_FULLRMC_PYTHON"
BIN = 0.05  # Å
STEP = 0.1  # Å, longest move
SHELL = (0.0, 2.2)  # Å, Si-O, four neighbours


@dataclass(frozen=True)
class Problem:
    """A start, and structure factors of another glass that it shall reproduce.

    Parameters
    ----------
    atoms : ase.Atoms
        The start.
    q : ndarray, shape (n_q,)
        Scattering vector in Å⁻¹.
    curves : dict
        S(Q) by radiation, each shape (n_q,).
    coordination : bool
        Whether four-fold silicon is asked for.
    """

    atoms: Atoms
    q: NDArray[np.float64]
    curves: dict[str, NDArray[np.float64]]
    coordination: bool

    @property
    def name(self) -> str:
        """The problem in words."""
        data = " and ".join(f"{radiation} S(Q)" for radiation in self.curves)
        return data + (", coordination" if self.coordination else "")

    @property
    def r_max(self) -> float:
        """End of the histograms in Å."""
        return BIN * np.floor(half_box(self.atoms) / BIN)


def problem(*radiations: str, coordination: bool = True, n: int = 1) -> Problem:
    """Set the problem: 3,000 n³ atoms of the slow quench against S(Q) of the fast quench."""
    start = gn.models.load("silica-pristine-3000")
    target = gn.models.load("silica-quench-fast-3000")
    target.set_cell(start.cell, scale_atoms=True)
    q = np.linspace(0.6, 20.0, 244)
    curves = {r: gn.scattering.structure_factor(target, q, radiation=r).total for r in radiations}
    return Problem(start * (n, n, n), q, curves, coordination)


def weights(radiation: str) -> dict[str, float]:
    """Return constant weights of the species: scattering lengths in fm, or atomic numbers."""
    if radiation == "x-ray":
        return {"Si": 14.0, "O": 8.0}
    return {s: gn.scattering.neutron_scattering_length(s) for s in ("Si", "O")}


def check_curve(given: Problem, found: dict[str, Any]) -> None:
    """Stop if the peer, having moved few atoms, sees another S(Q) than we do: another problem."""
    ours = gn.scattering.structure_factor(
        given.atoms, given.q, r_max=given.r_max, bins=round(given.r_max / BIN)
    )
    use = given.q > 1
    rms = np.sqrt(np.mean((np.asarray(found["curve"]) - ours.total)[use] ** 2))
    assert rms < 0.05, f"S(Q) of the peer differs by {rms:.3f} (rms)"


def moves_of_glassnb(given: Problem, moves: int) -> dict[str, Any]:
    """Run ours, cold, as the peers accept no rise of the error either."""
    curves = given.curves.items()
    data = [StructureFactorData(given.q, s, radiation, sigma=0.01) for radiation, s in curves]
    shell = [Coordination("Si", "O", SHELL, 4)] if given.coordination else []
    engine = ReverseMonteCarlo(
        given.atoms, data, shell, seed=1, r_max=given.r_max, bin_width=BIN, move_size=STEP,
        target_acceptance=None, keep_apart=False,
    )  # fmt: skip
    engine.run(2000, temperature=1e-6, progress=False)  # compile
    curve = engine.calculated(0)
    start = (time.process_time(), time.perf_counter())
    engine.run(moves, temperature=1e-6, progress=False)
    cpu, wall = time.process_time() - start[0], time.perf_counter() - start[1]
    return {"cpu": moves / cpu, "wall": moves / wall, "accepted": engine.acceptance, "curve": curve}


def moves_of_rmc(given: Problem, moves: int) -> dict[str, Any] | None:
    """Run reverse-monte-carlo on one thread; it takes one S(Q), so a second is given as Q(S-1)."""
    if find_spec("rmc") is None:
        return None
    import rmc

    rmc.set_max_concurrency(1)
    atoms, names = given.atoms, given.atoms.get_chemical_symbols()
    structure = rmc.AtomicStructure(atoms.get_positions(wrap=True), names)
    engine = rmc.Engine(structure, rmc.PeriodicBC(np.asarray(atoms.cell).T))
    engine.build_atomic_groups(0.0, STEP, seed=1)
    for radiation, s in given.curves.items():
        second = radiation == "x-ray" and len(given.curves) > 1
        kind = rmc.ReducedStructureFactorConstraint if second else rmc.StructureFactorConstraint
        fit = kind()
        y = given.q * (s - 1) if second else s
        fit.set_experimental_data(np.column_stack([given.q, y]))
        fit.set_number_density(len(atoms) / atoms.get_volume())
        b = weights(radiation)
        mean = np.mean([b[name] for name in names])
        for pair in combinations_with_replacement(b, 2):
            fit.set_weight(*pair, b[pair[0]] * b[pair[1]] / mean**2)
        # its histogram reaches beyond half the box, where it sees only some of the pairs
        fit.set_shape_function(lambda r: float(r < given.r_max))
        fit.set_elements(engine.structure)
        engine.add_constraint(fit)
    if given.coordination:
        shell = rmc.CoordinationConstraint()
        for k in np.flatnonzero(atoms.numbers == 14):
            shell.add_shell(int(k), "O", *SHELL, 4, 4)
        shell.set_elements(engine.structure)
        engine.add_constraint(shell)
    engine.set_sampler(rmc.GreedySampler())
    engine.run(max(1, moves // 20))
    before = engine.stats.steps_accepted
    fits = [c for c in engine.constraints if c.name == "StructureFactorConstraint"]
    curve = fits[0].concrete().computed.ravel().copy()
    start = (time.process_time(), time.perf_counter())
    engine.run(moves)
    cpu, wall = time.process_time() - start[0], time.perf_counter() - start[1]
    accepted = (engine.stats.steps_accepted - before) / moves
    return {"cpu": moves / cpu, "wall": moves / wall, "accepted": accepted, "curve": curve}


def moves_of_fullrmc(given: Problem, moves: int) -> dict[str, Any] | None:
    """Run fullrmc in its own interpreter."""
    python = os.environ.get(VARIABLE)
    if not python:
        return None
    with tempfile.TemporaryDirectory() as folder:
        start = Path(folder) / "start.pdb"
        ase.io.write(start, given.atoms, format="proteindatabank")
        task = {
            "folder": folder,
            "pdb": str(start),
            "cell": np.asarray(given.atoms.cell).tolist(),
            "elements": given.atoms.get_chemical_symbols(),
            "moves": moves,
            "step": STEP,
            "bin": BIN,
            "r_max": given.r_max,
            "shell": SHELL if given.coordination else None,
            "data": [
                {"points": np.column_stack([given.q, s]).tolist(), "weights": weights(radiation)}
                for radiation, s in given.curves.items()
            ],
        }
        script = Path(__file__).with_name("fullrmc_run.py")
        answer = subprocess.run(
            [python, str(script)], input=json.dumps(task),
            capture_output=True, text=True, cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
    if answer.returncode:
        raise RuntimeError(f"{python}: fullrmc failed\n{answer.stderr[-2000:]}")
    return dict(json.loads(answer.stdout.splitlines()[-1]))


PEERS = {
    "glassnb": (moves_of_glassnb, ""),
    "reverse-monte-carlo": (moves_of_rmc, "pip install reverse-monte-carlo"),
    "fullrmc": (moves_of_fullrmc, f"set {VARIABLE}, see the head of this file"),
}


def main(moves: int = 2000) -> None:
    """Print a row for each problem and package."""
    print("| problem | atoms | peer | moves per CPU s | moves per s | accepted |")
    print("|---|---|---|---|---|---|")
    missing = set()
    for radiations in (("neutron",), ("neutron", "x-ray")):
        given = problem(*radiations)
        for peer, (run, remedy) in PEERS.items():
            found = run(given, moves)
            if found is None:
                missing.add(f"{peer} is not at hand: {remedy}")
                continue
            check_curve(given, found)
            print(
                f"| {given.name} | {len(given.atoms):,} | {peer} | {found['cpu']:,.0f} "
                f"| {found['wall']:,.0f} | {found['accepted']:.2f} |",
                flush=True,
            )
    for line in sorted(missing):
        print(line)


if __name__ == "__main__":
    main()
