"""GFN1-xTB: divide and conquer against the undivided solver, tblite and xtb.

python -m benchmarks.tightbinding errors     energy, charges, forces against the buffer radius
python -m benchmarks.tightbinding times      CPU and wall time against the number of atoms
python -m benchmarks.tightbinding glass      3,000 atoms of glass, once
python -m benchmarks.tightbinding --large    24,000 atoms, energy only, once

Rows go to ``notebooks/data/dc_xtb_*.csv`` one by one; what stands there is not measured again, so
that a run can be stopped and goes on later. ``--small`` tries all parts with few atoms, and leaves
everything in the work folder. Every calculation has a process of its own, which makes one small
calculation first: compilation is not counted, and peak memory is its own (Linux only).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pandas as pd
from ase import Atoms
from ase.units import Hartree

import glassnb as gn
from glassnb.core.parallel import thread_count
from glassnb.core.provenance import atomic_path
from glassnb.models.md_protocol import Protocol, Stage
from glassnb.models.md_run import MolecularDynamics

ROOT = Path(__file__).parents[1]
DATA = ROOT / "notebooks" / "data"
DEFAULT = 6.0  # Å, the buffer that divided_single_point has by default
# Name: repetitions of the cubic cell of beta-cristobalite, 24 atoms.
CRYSTALS = {
    "silica-24": (1, 1, 1), "silica-96": (1, 2, 2), "silica-192": (2, 2, 2),
    "silica-288": (2, 2, 3), "silica-648": (3, 3, 3), "silica-1536": (4, 4, 4),
    "silica-3000": (5, 5, 5), "silica-5184": (6, 6, 6),
}  # fmt: skip
REPEATED = {"silica-24000": "silica-3000"}  # twice in each direction
RADII = {"silica-192": (3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0), "silica-648": (4.0, 5.0, 6.0, 7.0)}
TEMPERATURE = 1000.0  # K
STEPS = 1000  # of 1.6 fs
OWN = ("divided", "undivided")


@dataclass(frozen=True)
class Job:
    """One calculation."""

    structure: str
    method: str  # "divided", "undivided", "tblite" or "xtb"
    buffer_radius: float | None = None
    forces: bool = True
    memory_limit: float = 12.0  # GB for matrices; what does not fit is worked out anew


def main(arguments: list[str] | None = None) -> None:
    """Do the parts that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="errors, times, glass")
    parser.add_argument("--large", action="store_true", help="24,000 atoms, energy only")
    parser.add_argument("--small", action="store_true", help="all parts with few atoms, as a trial")
    parser.add_argument("--work", type=Path, default=ROOT / "output" / "tightbinding")
    parser.add_argument("--timeout", type=float, default=7200, help="seconds for one calculation")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        child(Job(**json.loads(options.child)), options.work)
        return
    parts = {"errors": errors, "times": times, "glass": glass}
    if unknown := set(options.parts) - set(parts):
        parser.error(f"PART: no {', '.join(unknown)}; there are {', '.join(parts)}")
    options.work.mkdir(parents=True, exist_ok=True)
    results = options.work / "small" if options.small else DATA
    if options.small:
        shutil.rmtree(results, ignore_errors=True)
    runner = Runner(options.work, results, options.timeout)
    for part in ["errors", "times"] if options.small else options.parts:
        parts[part](runner, options.small)
    if options.large:
        # Each with the same subsystems, so that energies per atom must agree.
        runner.measure(
            [Job(name, "divided", 4.5, False) for name in ("silica-3000", "silica-24000")]
        )


class Runner:
    """Runs calculations that have not been done, each in its process."""

    def __init__(self, work: Path, results: Path, timeout: float) -> None:
        self.work, self.results, self.timeout = work, results, timeout

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Read what was measured."""
        path = self.results / name
        return pd.read_csv(path).to_dict("records") if path.exists() else []

    def save(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Write all rows anew."""
        with atomic_path(self.results / name) as temporary:
            pd.DataFrame(rows).to_csv(temporary, index=False, float_format="%.6g")

    def measure(self, jobs: list[Job]) -> None:
        """Add a row of times for each job that has none."""
        rows = self.rows("dc_xtb_times.csv")
        done = {(row["structure"], row["method"], f"{row['buffer_radius']:.2f}") for row in rows}
        for job in jobs:
            radius = float("nan") if job.buffer_radius is None else job.buffer_radius
            if (job.structure, job.method, f"{radius:.2f}") in done:
                continue
            rows.append({**asdict(job), "buffer_radius": radius, **self.run(job)[0]})
            self.save("dc_xtb_times.csv", rows)
            print(rows[-1], flush=True)

    def reference(self, name: str) -> dict[str, Any]:
        """Return the arrays of the undivided solver, worked out once."""
        path = self.work / f"{name}-undivided-None.npz"
        if not path.exists():
            self.run(Job(name, "undivided"))
        return dict(np.load(path)) if path.exists() else {}

    def run(self, job: Job) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the measurements and the arrays of one job."""
        prepare(job.structure, self.work)
        path = self.work / f"{job.structure}-{job.method}-{job.buffer_radius}.npz"
        command = [sys.executable, "-m", "benchmarks.tightbinding", "--work", str(self.work)]
        command += ["--child", json.dumps(asdict(job))]
        # Idle threads of BLAS and OpenMP that wait in a loop would count as CPU time; the divided
        # solver has threads of its own.
        n, own = str(thread_count()), job.method in OWN
        environment = os.environ | {
            "OMP_NUM_THREADS": "1" if own else n, "OPENBLAS_NUM_THREADS": "1",
            "NUMBA_NUM_THREADS": n, "OMP_WAIT_POLICY": "passive", "OMP_STACKSIZE": "1G",
            "GLASSNB_PROGRESS": "off",
        }  # fmt: skip
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, timeout=self.timeout, text=True,
                capture_output=True, preexec_fn=_large_stack,
            )  # fmt: skip
            failure = (done.stderr.strip().splitlines() or ["?"])[-1] if done.returncode else ""
            failure = failure or (f"signal {-done.returncode}" if done.returncode < 0 else "")
        except subprocess.TimeoutExpired:
            failure = f"more than {self.timeout:.0f} s"
        if failure:
            return {"failure": failure[:120].replace(",", ";")}, {}
        return json.loads(done.stdout.splitlines()[-1]), dict(np.load(path))


def _large_stack() -> None:
    """Give what xtb needs; it keeps large arrays on the stack."""
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (hard, hard))


# -- structures ------------------------------------------------------------------------------------


def prepare(name: str, work: Path) -> Path:
    """Make a structure if it is not there yet; those of 24 n atoms by MD from cristobalite."""
    path = (DATA if name == "silica-192" else work) / f"{name}.extxyz"
    if path.exists():
        return path
    if name in REPEATED:
        atoms = ase.io.read(prepare(REPEATED[name], work)).repeat(2)
    elif name in CRYSTALS:
        atoms = thermal(gn.models.crystal("beta-cristobalite", CRYSTALS[name]))
    else:
        atoms = gn.models.load(name)
    save(atoms, path)
    return path


def save(atoms: Atoms, path: Path) -> None:
    """Write symbols, positions and cell, and nothing else."""
    plain = Atoms(atoms.symbols, atoms.positions.round(4), cell=atoms.cell, pbc=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        ase.io.write(temporary, plain, format="extxyz")


def thermal(atoms: Atoms) -> Atoms:
    """Equilibrate at constant volume with the SHIK potential."""
    stage = Stage("hold", STEPS, (TEMPERATURE, TEMPERATURE), None)
    protocol = Protocol(
        stages=(stage,), timestep=1.6, record_every=100, snapshots=1, seed=1, minimise=False
    )
    return MolecularDynamics(atoms, gn.models.potential("SHIK"), protocol).run(False, "hold")


# -- one calculation, in its own process -----------------------------------------------------------


def child(job: Job, work: Path) -> None:
    """Calculate, print measurements as JSON and leave arrays in a file."""
    atoms = ase.io.read(prepare(job.structure, work))
    small = gn.models.crystal("alpha-cristobalite")
    small.calc = calculator(job)
    small.get_potential_energy()
    small.get_forces()
    atoms.calc = calculator(job)
    start = np.array([time.process_time(), time.perf_counter()])
    energy = atoms.get_potential_energy()
    after_energy = np.array([time.process_time(), time.perf_counter()])
    forces = atoms.get_forces() if job.forces else np.full((len(atoms), 3), np.nan)
    end = np.array([time.process_time(), time.perf_counter()])
    own = job.method in OWN
    row: dict[str, Any] = {"n_atoms": len(atoms), "energy_eV_per_atom": energy / len(atoms)}
    # tblite and xtb always make forces with the energy.
    row |= dict(zip(("cpu_energy_s", "wall_energy_s"), after_energy - start, strict=True))
    if job.forces:
        row |= dict(zip(("cpu_s", "wall_s"), end - start, strict=True))
    row |= {"memory_GB": peak_memory(), "threads": thread_count()}
    row["gap_eV"] = gap_of(atoms.calc)
    if own:
        row |= scc_of(atoms.calc)
    arrays = {"energy": energy, "charges": atoms.get_charges(), "forces": forces}
    # Those of a divided structure take matrices over all pairs of atoms.
    if job.method != "xtb" and (job.forces or job.method != "divided"):
        arrays["energies"] = atoms.get_potential_energies() if own else np.nan
    path = work / f"{job.structure}-{job.method}-{job.buffer_radius}.npz"
    np.savez(path, **arrays)
    print(json.dumps(row))


def calculator(job: Job) -> Any:
    if job.method == "tblite":
        from tblite.ase import TBLite

        return TBLite(method="GFN1-xTB", verbosity=0)
    if job.method == "xtb":
        from xtb.ase.calculator import XTB

        return XTB(method="GFN1-xTB")
    return gn.tightbinding.DCXTB(buffer_radius=job.buffer_radius, memory_limit=job.memory_limit)


def gap_of(calculator: Any) -> float:
    """Return the gap in eV; of tblite and xtb from the orbitals that their calculators keep."""
    if isinstance(calculator, gn.tightbinding.DCXTB):
        return calculator.get_gap()
    last = calculator._res
    if hasattr(last, "get_orbital_eigenvalues"):
        levels, filled = last.get_orbital_eigenvalues(), last.get_orbital_occupations()
    else:
        levels, filled = last["orbital-energies"], last["orbital-occupations"]
    lowest_empty = round(filled.sum() / 2)
    return float(levels[lowest_empty] - levels[lowest_empty - 1]) * Hartree


def scc_of(calculator: Any) -> dict[str, Any]:
    """Return cycles and occupation, which the calculator keeps to itself."""
    last = calculator._last
    return {"cycles": last.scc.cycles, "occupation": getattr(last, "occupation", "")}


def peak_memory() -> float:
    """Return the largest memory this process had, in GB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1e6


# -- parts -----------------------------------------------------------------------------------------


def errors(runner: Runner, small: bool) -> None:
    """Compare with the undivided solver, for one buffer radius after the other."""
    plan = {"silica-96": (3.5, 4.0)} if small else RADII
    rows = runner.rows("dc_xtb_errors.csv")
    done = {(row["structure"], row["buffer_radius"]) for row in rows}
    for name, radii in plan.items():
        for radius in radii:
            if (name, radius) in done:
                continue
            reference = runner.reference(name)
            row, found = runner.run(Job(name, "divided", radius))
            rows.append({"structure": name, "buffer_radius": radius} | row)
            if reference and found:
                rows[-1] |= differences(found, reference)
            runner.save("dc_xtb_errors.csv", rows)
            print(rows[-1], flush=True)


def differences(found: dict[str, Any], reference: dict[str, Any]) -> dict[str, float]:
    """Return the errors of a divided calculation."""
    n = found["charges"].size

    def rms(name: str) -> float:
        return float(np.sqrt(np.mean((found[name] - reference[name]) ** 2)))

    return {
        "energy_error_meV_per_atom": 1e3 * float(found["energy"] - reference["energy"]) / n,
        "charge_error_max_e": float(np.abs(found["charges"] - reference["charges"]).max()),
        "atom_energy_rms_meV": 1e3 * rms("energies"),
        "force_rms_meV_per_A": 1e3 * rms("forces"),
    }


def times(runner: Runner, small: bool) -> None:
    """Measure all methods with growing numbers of atoms, the small ones first."""
    if small:
        methods = (("divided", 3.5), ("undivided", None), ("tblite", None), ("xtb", None))
        runner.measure([Job("silica-24", name, radius) for name, radius in methods])
        return
    names = list(CRYSTALS)
    jobs = [Job(name, method) for name in names[:4] for method in ("tblite", "xtb", "undivided")]
    jobs += [Job("silica-648", "undivided")]
    jobs += [Job(name, "divided", 5.0) for name in names[1:]]
    jobs += [Job(name, "divided", DEFAULT) for name in names[1:-3]]
    # More than twice the time of 5 Å: the largest come last, without forces.
    jobs += [Job(name, "divided", DEFAULT, forces=False) for name in names[-3:]]
    runner.measure(jobs)


def glass(runner: Runner, small: bool) -> None:
    """Measure glass, whose network is less perfect, within 6 GB."""
    name = "silica-pristine-3000"
    runner.measure([Job(name, "divided", radius, False, 4.0) for radius in (5.0, DEFAULT)])


if __name__ == "__main__":
    main()
