"""Make the models with defects of the notebooks on DC-xTB: notebooks/data/silica-defects.extxyz.

    python scripts/make_defects.py               about ten minutes
    python scripts/make_defects.py --steps 5     as a trial

A glass of 72 atoms by melt-quench with the SHIK potential, and one that was quenched under
pressure; defects are made in the first. All are relaxed with undivided GFN1-xTB, in fixed boxes.
What is done is kept in the work folder, and not done again.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.optimize import BFGS

import glassnb as gn
from glassnb.core.provenance import atomic_path
from glassnb.models.defects import e_prime_centre, local_environments, oxygen_vacancy

ROOT = Path(__file__).parents[1]
LARGEST_FORCE = 0.1  # eV/Å


def pristine() -> Atoms:
    """Quench slowly: all atoms have the bonds they should, and one ring has three tetrahedra."""
    return gn.models.melt_quench(
        72, cooling_rate=20, melt_time=6, relax_time=3, minimise=True, seed=1
    ).atoms


def compressed() -> Atoms:
    """Quench fast under 6 GPa: some silicon atoms have five oxygen neighbours."""
    return gn.models.melt_quench(
        72, pressure=6, cooling_rate=400, melt_time=4, relax_time=2, minimise=True, seed=0
    ).atoms


def quiet_bridges(glass: Atoms) -> list[int]:
    """Return the bridging oxygen atoms in no small ring, first of all one far from others."""
    rings = local_environments(glass).smallest_ring
    return np.flatnonzero((glass.symbols == "O") & ((rings == 0) | (rings > 4))).tolist()


def vacancy(glass: Atoms) -> Atoms:
    return oxygen_vacancy(glass, quiet_bridges(glass)[0])


def e_prime(glass: Atoms) -> Atoms:
    return e_prime_centre(glass, quiet_bridges(glass)[0])


def composite(glass: Atoms) -> Atoms:
    """Put an E' centre next to a vacancy: 4 to 5 Å from oxygen to oxygen."""
    first, *others = quiet_bridges(glass)
    apart = glass.get_distances(first, others, mic=True)
    second = others[int(np.flatnonzero((apart > 4) & (apart < 5))[0])]
    return oxygen_vacancy(e_prime_centre(glass, first), second - (second > first))


MODELS: dict[str, Callable[..., Atoms]] = {
    "glass": pristine,
    "oxygen vacancy": vacancy,
    "E' centre": e_prime,
    "compressed glass": compressed,
    "vacancy and E' centre": composite,
}


def relaxed(name: str, work: Path, steps: int) -> Atoms:
    """Relax a model, or read what was relaxed."""
    path = work / f"{name.replace(' ', '-')}.extxyz"
    if path.exists():
        return ase.io.read(path)
    make = MODELS[name]
    alone = make in (pristine, compressed)
    atoms = make() if alone else make(relaxed("glass", work, steps))
    atoms.calc = gn.tightbinding.DCXTB()
    optimiser = BFGS(atoms, logfile="-", maxstep=0.1)
    optimiser.run(fmax=LARGEST_FORCE, steps=steps)
    plain = Atoms(atoms.symbols, atoms.positions.round(5), cell=atoms.cell, pbc=True)
    plain.set_initial_magnetic_moments(atoms.get_initial_magnetic_moments())
    plain.info["name"] = name
    with atomic_path(path) as temporary:
        ase.io.write(temporary, plain, format="extxyz")
    return plain


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--steps", type=int, default=100, help="most steps of a relaxation")
    parser.add_argument("--work", type=Path, default=ROOT / "output" / "defects")
    options = parser.parse_args()
    models = []
    for name in MODELS:
        models.append(relaxed(name, options.work, options.steps))
        print(name, local_environments(models[-1]).counts, flush=True)
    with atomic_path(ROOT / "notebooks" / "data" / "silica-defects.extxyz") as temporary:
        ase.io.write(temporary, models, format="extxyz")


if __name__ == "__main__":
    main()
