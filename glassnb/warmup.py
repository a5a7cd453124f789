"""Compile every kernel once, so that notebooks start fast: ``python -m glassnb.warmup``.

Numba keeps what it compiles beside the sources; Binder does this while it builds its image.
"""

from __future__ import annotations

import time

import numpy as np

from glassnb.core.jit import serial_kernels

__all__ = ["main", "warmup"]


def warmup() -> None:
    """Call every function that uses a kernel, on a small crystal."""
    from glassnb.core.histograms import pair_histogram
    from glassnb.core.neighbours import neighbours
    from glassnb.models.crystals import crystal
    from glassnb.models.reverse_monte_carlo import Coordination, PotentialEnergy, ReverseMonteCarlo
    from glassnb.network import (
        bond_angles,
        bonds,
        cavities,
        coordination,
        guttman_rings,
        king_rings,
        primitive_rings,
        ring_environment,
        ring_shape,
        tetrahedral_order,
    )
    from glassnb.scattering import pair_distribution, structure_factor
    from glassnb.tightbinding.electrostatics import KlopmanOhno
    from glassnb.tightbinding.single_point import single_point
    from glassnb.topology import cavity_tree, optimal_cycle, persistence

    atoms = crystal("alpha-cristobalite", repeat=2)
    q = np.linspace(1.5, 3.0, 5)  # from what the box allows
    neighbours(atoms, 3.0)
    cutoff = {("Si", "O"): 2.0}
    bonds(atoms, cutoff)
    coordination(atoms, cutoff)
    bond_angles(atoms, cutoff=cutoff)
    tetrahedral_order(atoms)
    for search in (king_rings, guttman_rings, primitive_rings):
        rings = search(atoms, cutoff=cutoff, max_size=12)
        ring_shape(rings)
    ring_environment(atoms, rings, r_max=4.0)
    cavities(atoms, radii=1.8, resolution=16)
    pair_distribution(atoms)  # to half the box: all pairs
    pair_histogram(atoms, 6.0, 10)  # beyond it: linked cells
    diagrams = persistence(atoms)
    cavity_tree(diagrams)
    optimal_cycle(diagrams, 1, 1, method="shortest")
    for method in ("histogram", "direct"):
        sq = structure_factor(atoms, q, method=method)
    large = crystal("alpha-cristobalite", repeat=(5, 5, 3))  # wider than the cutoff of SHIK
    energy = PotentialEnergy("SHIK")
    refinement = ReverseMonteCarlo(large, [sq], [Coordination("Si", "O"), energy])
    refinement.run(10, progress=False)
    _ = refinement.potential_energy
    small = crystal("alpha-quartz")
    for lattice_sum in ("converged", "tblite"):
        _ = single_point(small, lattice_sum=lattice_sum).derivatives
    charges = np.linspace(-1.0, 1.0, len(atoms))
    for cell in (None, np.asarray(atoms.cell)):
        electrostatics = KlopmanOhno(atoms.positions, cell, np.arange(len(atoms)), charges + 2.0)
        electrostatics.potential(charges)
        electrostatics.gradient(charges)


def main() -> None:
    """Compile the threaded kernels and their serial twins, and say how long it took."""
    start = time.perf_counter()
    warmup()
    with serial_kernels():
        warmup()
    print(f"kernels compiled in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
