"""Persistent homology: CPU time beside HomCloud, and how time and memory grow with the atoms.

python -m benchmarks.homology     as part of `make benchmarks`

HomCloud (GPL) is no dependency of any kind: `pip install homcloud` into the environment to have it
in the comparison; without it, only our own times are printed.
"""

from __future__ import annotations

import resource
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

import glassnb as gn

RADII = {"Si": 0.375, "O": 1.275}


def cpu_seconds(call: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Return the smallest CPU time of several calls, of all threads together, and the result."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        result = call()
        times.append(time.process_time() - start)
    return min(times), result


def homcloud(atoms: Atoms, weighted: bool) -> list[np.ndarray[Any, Any]]:
    """Return births and deaths by HomCloud, dimension 0 to 2; the boxes must be rectangular."""
    import homcloud.interface as hc

    points = atoms.get_positions(wrap=True)
    if weighted:
        weights = np.array([RADII[symbol] for symbol in atoms.symbols]) ** 2
        points = np.column_stack([points, weights])
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = hc.PDList.from_alpha_filtration(
            points,
            weight=weighted,
            periodicity=[(0.0, length) for length in atoms.cell.lengths()],
            save_to=str(Path(folder) / "diagrams.pdgm"),
        )
        return [np.column_stack([found[d].births, found[d].deaths]) for d in range(3)]


def compare(glass: Atoms, n: int) -> None:
    """Print one row for each of two filtrations of an n x n x n supercell, jittered by 0.05 Å."""
    atoms = glass * (n, n, n)
    if n > 1:
        atoms.rattle(0.05, seed=0)
    repeats = 3 if n == 1 else 1
    for name, radii in (("no weights", None), ("weighted", RADII)):
        ours, diagrams = cpu_seconds(
            lambda r=radii: gn.topology.persistence(atoms, radii=r), repeats
        )
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        each = 1e6 * ours / len(atoms)
        row = f"| {name} | {len(atoms):,} | {ours:.2f} | {each:.0f} | {memory:.2f} |"
        if find_spec("homcloud") is None or len(atoms) > 100_000:
            print(f"{row} | |", flush=True)
            continue
        theirs, pairs = cpu_seconds(lambda w=radii is not None: homcloud(atoms, w), repeats)
        for d in (1, 2):
            mine, other = diagrams.pairs(d), pairs[d][pairs[d][:, 1] - pairs[d][:, 0] > 1e-11]
            assert abs(len(mine) - len(other)) <= 2, (len(mine), len(other))
        print(f"{row} {theirs:.2f} | {theirs / ours:.1f} |", flush=True)


def from_pair_to_cycle(glass: Atoms) -> None:
    """Print how long it takes from a pair to its cycle, at first and later, wall time in ms."""
    diagrams = gn.topology.persistence(glass)
    line = diagrams.region((0.0, 1.2, 1.5, 20.0)).tolist()
    gn.topology.optimal_cycle(diagrams, 1, line[0])  # compile
    gn.topology.optimal_cycle(diagrams, 2, 0)
    print("\n| cycle, 3,000 atoms | the first, ms | later, median, ms | later, longest, ms |")
    print("|---|---|---|---|")
    cases = (("ring, optimal", 1, "optimal"), ("ring, shortest", 1, "shortest"))
    for name, dimension, method in (*cases, ("cavity", 2, "optimal")):
        fresh = gn.topology.persistence(glass)
        times = []
        for index in line[:201]:
            start = time.perf_counter()
            with suppress(ValueError):  # a few pairs have no short ring within 20 Å
                gn.topology.optimal_cycle(fresh, dimension, index, method=method)
            times.append(1e3 * (time.perf_counter() - start))
        print(f"| {name} | {times[0]:.1f} | {np.median(times[1:]):.1f} | {max(times[1:]):.1f} |")


def main() -> None:
    glass = gn.models.load("silica-pristine-3000")
    gn.topology.persistence(glass)  # compile
    gn.topology.persistence(glass, radii=RADII)
    print("\n| filtration | atoms | glassnb, CPU s | µs per atom | peak memory so far (GB) "
          "| HomCloud, CPU s | ratio |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    for n in (1, 2, 3):
        compare(glass, n)
    from_pair_to_cycle(glass)


if __name__ == "__main__":
    main()
