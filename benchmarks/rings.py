"""Rings: beside SOVA and matscipy, and how time and memory grow with the number of atoms.

python -m benchmarks.rings        everything, as part of `make benchmarks`
"""

from __future__ import annotations

import resource
import time
import warnings

import numpy as np
from ase import Atoms

import glassnb as gn
from benchmarks.peers import sova_rings
from benchmarks.timing import best, report

CUTOFF = {("Si", "O"): 2.0}
SEARCHES = {
    "king": gn.network.king_rings,
    "guttman": gn.network.guttman_rings,
    "primitive": gn.network.primitive_rings,
}


def search(definition: str, atoms: Atoms, max_size: int | None = None) -> gn.network.Rings:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of atoms that hang on one bond
        return SEARCHES[definition](atoms, cutoff=CUTOFF, max_size=max_size, progress=False)


def against_sova(definition: str, atoms: Atoms, max_size: int | None = None) -> None:
    """Both with the shape of every ring; SOVA gets the bonds for nothing and runs once."""
    bonds = gn.network.bonds(atoms, CUTOFF)
    size = f", up to {max_size} atoms" if max_size else ""
    ours = best(lambda: gn.network.ring_shape(search(definition, atoms, max_size)))
    start = time.perf_counter()
    theirs = sova_rings(atoms, definition, bonds, max_size or 24)
    seconds = time.perf_counter() - start
    assert len(theirs) == len(search(definition, atoms, max_size))
    what = f"{definition} rings with shape{size}, {len(atoms)} atoms"
    report(what, "sovapy (1 thread)", ours, seconds)


def against_matscipy(atoms: Atoms, max_size: int) -> None:
    from matscipy.rings import ring_statistics

    counts = ring_statistics(atoms, 2.0, maxlength=max_size + 1)
    assert counts.sum() == len(search("primitive", atoms, max_size))
    report(
        f"primitive rings, up to {max_size} atoms, {len(atoms)} atoms",
        "matscipy (1 thread)",
        best(lambda: search("primitive", atoms, max_size)),
        best(lambda: ring_statistics(atoms, 2.0, maxlength=max_size + 1)),
    )


def growth(glass: Atoms, copies: tuple[int, ...] = (1, 2, 4, 7)) -> None:
    """Print time against the number of atoms, the exponent, and the memory at the end."""
    print("\n| search | atoms | wall s | CPU s | µs CPU per atom | peak memory so far (GB) |")
    print("|---|---|---|---|---|---|")
    cases = (("king", None), ("guttman", None), ("primitive", 16), ("primitive", 24))
    for definition, max_size in cases:
        numbers, seconds = [], []
        for n in copies:
            atoms = glass * (n, n, n)
            start, cpu = time.perf_counter(), time.process_time()
            rings = search(definition, atoms, max_size)
            wall, cpu = time.perf_counter() - start, time.process_time() - cpu
            if n == 1:
                few = len(rings)
            assert len(rings) == few * n**3
            numbers.append(len(atoms))
            seconds.append(cpu)
            each = 1e6 * cpu / len(atoms)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            name = f"{definition}, up to {rings.max_size}"
            print(
                f"| {name} | {len(atoms):,} | {wall:.3f} | {cpu:.3f} | {each:.1f} | {memory:.2f} |",
                flush=True,
            )
            del rings, atoms
        exponent = np.polyfit(np.log(numbers), np.log(seconds), 1)[0]
        print(f"| {name} | exponent {exponent:.2f} | | | | |", flush=True)


def main() -> None:
    glass = gn.models.load("silica-pristine-3000")
    for definition in SEARCHES:  # compile and warm up
        search(definition, glass)
    against_sova("guttman", glass)
    against_sova("king", glass)
    against_sova("primitive", glass, 12)
    for max_size in (16, 24):
        against_matscipy(glass, max_size)
    growth(glass)


if __name__ == "__main__":
    main()
