"""Scans of an electron beam against abTEM: ``python -m benchmarks.diffraction MODEL [--small]``.

Runs in an environment with abTEM 1.0 and glassnb. One process, the same cores, warm; each side in
the best mode it has, its potential built beforehand where it keeps one (abTEM's is listed apart).
Our times include everything from the atoms to the patterns. Peak memory is of a process of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import ase.io
from ase import Atoms

from benchmarks.timing import best, report
from glassnb.core.parallel import thread_count
from glassnb.diffraction import Probe, Scanner, Slab, cut_slab, scan

THICKNESS, K_MAX = 30.0, 1.2
PROBE = Probe(voltage=200e3, convergence_semiangle=2.0)


def slab_of(model: Path, small: bool) -> Slab:
    """Cut the slab of the comparison: some 6000 atoms, or the model as it is if small."""
    atoms: Atoms = ase.io.read(model)
    edge = float(atoms.cell.lengths()[0])
    if small:
        return cut_slab(atoms, THICKNESS)
    # A square of 56.6 Å out of the repeated model; the seam is the same for both sides.
    cut = cut_slab(atoms * (2, 2, 1), THICKNESS).atoms
    edge = min(2 * edge, 56.6)
    cut = cut[(cut.positions[:, :2] < edge).all(axis=1)]
    cut.set_cell((edge, edge, THICKNESS))
    cut.pbc = True
    return cut_slab(cut)


def abtem_sides(slab: Slab, pixels: int, n: int) -> dict[str, Callable[[], object]]:
    """Return abTEM's ways of one scan, as calls."""
    import abtem

    abtem.config.set({"device": "cpu", "precision": "float32", "diagnostics.progress_bar": False})
    atoms = slab.atoms.copy()
    atoms.pbc = True

    def build() -> object:
        return abtem.Potential(
            atoms, gpts=pixels, slice_thickness=2.0, projection="infinite"
        ).build(lazy=False)

    potential = build()
    angle = K_MAX * PROBE.wavelength * 1e3
    grid = abtem.GridScan((0, 0), slab.lengths, gpts=(n, n), endpoint=False)
    arguments = {"energy": PROBE.voltage, "semiangle_cutoff": PROBE.convergence_semiangle}
    detector = abtem.PixelatedDetector(max_angle=angle)

    def probe() -> object:
        waves = abtem.Probe(**arguments)
        waves.grid.match(potential)
        return waves.scan(potential, scan=grid, detectors=detector, lazy=False)

    def matrix() -> object:
        waves = abtem.SMatrix(potential=potential, interpolation=1, **arguments)
        return waves.scan(scan=grid, detectors=detector, lazy=False)

    return {"potential": build, "Probe.multislice": probe, "SMatrix": matrix}


def compare(slab: Slab, pixels: int, n: int) -> None:
    """Time one size of scan on all sides."""
    title = f"{n} x {n} positions, {pixels} px, {len(slab.atoms)} atoms"
    arguments = {"positions": (n, n), "k_max": K_MAX}
    theirs = {name: best(call) for name, call in abtem_sides(slab, pixels, n).items()}
    kinematic = best(lambda: scan(slab, PROBE, **arguments))
    multislice = best(
        lambda: scan(
            slab, PROBE, method="multislice", sampling=slab.lengths[0] / pixels, **arguments
        )
    )
    for name in ("Probe.multislice", "SMatrix"):
        report(f"kinematic, {title}", f"abTEM {name}", kinematic, theirs[name])
        report(f"multislice, {title}", f"abTEM {name}", multislice, theirs[name])
    print(f"abTEM builds its potential in {theirs['potential']:.2f} s, in addition", flush=True)


def live(slab: Slab) -> None:
    """Time what a widget does: one slab made ready, then one pattern after another."""
    ready = best(lambda: Scanner(slab, PROBE, k_max=K_MAX))
    scanner = Scanner(slab, PROBE, k_max=K_MAX)
    pattern = best(lambda: scanner.pattern((5.0, 6.0)))
    print(f"{scanner}: ready in {1e3 * ready:.0f} ms, a pattern in {1e3 * pattern:.1f} ms")


def peak_memory(arguments: argparse.Namespace, side: str) -> None:
    """Print the peak memory of one side, alone in a process."""
    command = [sys.executable, "-m", "benchmarks.diffraction", str(arguments.model)]
    command += ["--alone", side] + (["--small"] if arguments.small else [])
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    print(f"peak memory, {side}: {answer.stdout.split()[-1]} MB", flush=True)


def alone(slab: Slab, side: str, pixels: int, n: int) -> None:
    """Run one side once and print the peak memory of this process in MB."""
    if side.startswith("abTEM "):
        abtem_sides(slab, pixels, n)[side.removeprefix("abTEM ")]()
    else:
        scan(
            slab, PROBE, positions=(n, n), k_max=K_MAX, method=side,
            sampling=slab.lengths[0] / pixels,
        )  # fmt: skip
    # Not getrusage: its peak is handed down by the process that started this one. Linux only.
    status = Path("/proc/self/status").read_text()
    print(int(status.split("VmHWM:")[1].split()[0]) // 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="Pd-Si glass, a structure file")
    parser.add_argument("--small", action="store_true", help="the model as it is, 16 x 16")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    slab = slab_of(arguments.model, arguments.small)
    pixels, n = 256, 16 if arguments.small else 64
    if arguments.alone:
        alone(slab, arguments.alone, pixels, n)
        return
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    print(f"{slab}; threads: {thread_count()} of work, OMP_NUM_THREADS={threads}")
    print("| work | ours (s) | peer | peer (s) | ratio |\n|---|---|---|---|---|")
    live(slab)
    for size in sorted({16, n}):
        compare(slab, pixels, size)
    for side in ("kinematic", "multislice", "abTEM Probe.multislice", "abTEM SMatrix"):
        peak_memory(arguments, side)


if __name__ == "__main__":
    main()
