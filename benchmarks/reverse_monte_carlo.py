"""Speed of reverse Monte Carlo, and how long a refinement takes.

python -m benchmarks.reverse_monte_carlo

Towards neutron and X-ray S(Q) of another glass, with coordination, angles and minimum distances.
Both S(Q) have 244 points; ``r_max`` is half the box. One thread, processor time.
"""

from __future__ import annotations

import time

import numpy as np
from ase import Atoms

import glassnb as gn
from glassnb.core.structure import half_box
from glassnb.models.reverse_monte_carlo import (
    BondAngle,
    Coordination,
    MinimumDistance,
    ReverseMonteCarlo,
)
from glassnb.models.reverse_monte_carlo.data import as_data

Q = np.arange(244) * 0.08 + 0.6
WALLS = MinimumDistance({("Si", "O"): 1.3, ("O", "O"): 1.9, ("Si", "Si"): 2.2})


def engine(atoms: Atoms, target: Atoms, repeat: int) -> ReverseMonteCarlo:
    """Set up a refinement of ``repeat``³ copies."""
    r_max = min(half_box(atoms), half_box(target))
    neutron = gn.scattering.structure_factor(target, Q, r_max=r_max, bins=round(r_max / 0.05))
    return ReverseMonteCarlo(
        atoms * (repeat, repeat, repeat),
        [as_data(sq, sigma=0.01) for sq in (neutron, neutron.as_radiation("x-ray"))],
        [WALLS, Coordination("Si", "O"), BondAngle("O", "Si", "O")],
        seed=1,
        repair=True,
    )


def main() -> None:
    start = gn.models.load("silica-pristine-3000")
    target = gn.models.load("silica-quench-fast-3000")
    target.set_cell(start.cell, scale_atoms=True)
    print("| atoms | temperature | accepted | moves per CPU s |")
    print("|---|---|---|---|")
    for repeat, moves in ((1, 20_000), (2, 4_000)):
        rmc = engine(start, target, repeat)
        rmc.run(2 * moves, progress=False)  # compilation, and a move size that fits
        for temperature in (1.0, 0.05):
            before = rmc._moves.accepted.sum()
            clock = time.process_time()
            rmc.run(moves, temperature=temperature, progress=False, update_every=moves)
            speed = moves / (time.process_time() - clock)
            share = (rmc._moves.accepted.sum() - before) / moves
            print(
                f"| {len(rmc.atoms):,} | {temperature} | {share:.2f} | {speed:,.0f} |", flush=True
            )


if __name__ == "__main__":
    main()
