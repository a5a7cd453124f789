"""Run all comparisons in one process and print the ratios.

Each side runs once to warm up (compilation), then several times; the smallest time counts. Peers
run in the best mode they have; thread counts are printed.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

import numba
import numpy as np
from ase import Atoms
from ase.io import write

import glassnb as gn
from benchmarks import (
    homology,
    molecular_dynamics,
    reverse_monte_carlo,
    reverse_monte_carlo_peers,
    rings,
    tightbinding,
)
from benchmarks.peers import sova_atoms
from benchmarks.timing import best, report
from glassnb.core import neighbours, pair_histogram


def histogram_against_sova(atoms: Atoms) -> None:
    from sovapy.computation.structure_factor import atom_pair_hist

    half, dr = gn.core.half_box(atoms), 0.05
    theirs = sova_atoms(atoms)
    report(
        f"pair histogram to L/2, {len(atoms)} atoms, bins of {dr} Å",
        "sovapy (1 thread)",
        best(lambda: pair_histogram(atoms, half, int(half / dr))),
        best(lambda: atom_pair_hist(theirs, dr)),
    )


def histogram_against_vitrum(atoms: Atoms) -> None:
    from vitrum.geometry import cell_list_pair_counts

    half = gn.core.half_box(atoms)
    n_bins = int(half / 0.05)
    codes = (atoms.numbers == 8).astype(np.int64)
    report(
        f"pair histogram to L/2, {len(atoms)} atoms, bins of 0.05 Å",
        "vitrum",
        best(lambda: pair_histogram(atoms, half, n_bins)),
        best(lambda: cell_list_pair_counts(atoms, codes, half, n_bins, 2)),
    )


def direct_against_dynasor(atoms: Atoms, q_max: float) -> None:
    from dynasor import Trajectory, compute_static_structure_factors
    from dynasor.qpoints import get_spherical_qpoints

    names = atoms.get_chemical_symbols()
    indices = {s: [i for i, n in enumerate(names) if n == s] for s in set(names)}
    q_points = get_spherical_qpoints(np.asarray(atoms.cell), q_max)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "two.extxyz"
        write(path, [atoms, atoms])

        def theirs() -> object:
            trajectory = Trajectory(
                str(path), trajectory_format="extxyz", atomic_indices=indices, frame_stop=1
            )
            return compute_static_structure_factors(trajectory, q_points, logging_interval=0)

        q = np.arange(0.05, q_max - 0.02, 0.05)
        q = q[q >= gn.scattering.smallest_q(atoms, method="direct")]
        report(
            f"S(q), all {len(q_points)} allowed q up to {q_max} Å⁻¹, {len(atoms)} atoms",
            "dynasor (its threads)",
            best(lambda: gn.scattering.structure_factor(atoms, q, method="direct")),
            best(theirs),
        )


def neighbours_against_matscipy(atoms: Atoms, cutoff: float) -> None:
    from matscipy.neighbours import neighbour_list

    report(
        f"neighbour list, {cutoff} Å, {len(atoms)} atoms",
        "matscipy (1 thread)",
        best(lambda: neighbours(atoms, cutoff)),
        best(lambda: neighbour_list("ijdS", atoms, cutoff)),
    )


def main() -> None:
    logging.disable(logging.INFO)
    small = gn.models.load("silica-pristine-3000")
    large = small * (2, 2, 2)
    print(f"glassnb {gn.__version__}, Python {sys.version.split()[0]}, ", end="")
    print(f"{numba.get_num_threads()} threads; wall seconds, smallest of several\n")
    print("| what | glassnb | peer | peer's time | ratio |")
    print("|---|---|---|---|---|")
    for atoms in (small, large):
        for cutoff in (2.2, 5.0, 10.0):
            neighbours_against_matscipy(atoms, cutoff)
    for atoms in (small, large):
        histogram_against_sova(atoms)
        histogram_against_vitrum(atoms)
    direct_against_dynasor(small, 5.0)
    direct_against_dynasor(large, 5.0)
    rings.main()
    homology.main()
    molecular_dynamics.main()
    reverse_monte_carlo.main()
    reverse_monte_carlo_peers.main()
    tightbinding.main(["--small"])


if __name__ == "__main__":
    main()
