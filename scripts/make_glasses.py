"""Make the glasses that come with the package, by molecular dynamics.

python scripts/make_glasses.py             all, one after the other
python scripts/make_glasses.py --only NAME one of them

Pristine glasses are quenched from the melt; densified ones start from silica-pristine-3000, which
comes with the package, and are compressed and released: in the cold, at the temperatures of the
experiments, and at one at which bonds change places within picoseconds.

Each run saves its state in output/glasses/NAME; a second start goes on from there. Without that
folder, a glass is made anew, from its start.
"""

import argparse
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

from glassnb.models.densify import densify
from glassnb.models.glasses import load, pack
from glassnb.models.melt_quench import melt_quench
from glassnb.models.zeolites import zeolite

ROOT = Path(__file__).resolve().parents[1]

# Above 3500 K the melt keeps up with any rate, below 1500 K nothing moves: slow in between.
PRISTINE = {
    "silica-pristine-648": {
        "n_atoms": 648,
        "cooling_rate": ((3500, 50), (1500, 10), (300, 30)),
        "melt_time": 20,
        "relax_time": 10,
        "seed": 1,
    },
    "silica-pristine-3000": {
        "n_atoms": 3000,
        "cooling_rate": ((3500, 50), (1500, 5), (300, 30)),
        "melt_time": 20,
        "relax_time": 10,
        "seed": 1,
    },
    "silica-quench-fast-3000": {
        "n_atoms": 3000,
        "cooling_rate": 200,
        "melt_time": 20,
        "relax_time": 10,
        "seed": 1,
    },
    # Eight times as many atoms: cooled faster, or it would take a day.
    "silica-pristine-24000": {
        "n_atoms": 24000,
        "cooling_rate": ((3500, 100), (1500, 40), (300, 100)),
        "melt_time": 8,
        "relax_time": 4,
        "seed": 1,
    },
}


# Named by pressure and temperature of the compression.
DENSIFIED = {
    "silica-densified-7.7GPa-300K-3000": {
        "pressure": 7.7,
        "temperature": 300,
        "release_time": 20,
    },
    "silica-densified-7.7GPa-673K-3000": {
        "pressure": 7.7,
        "temperature": 673,
        "release_temperature": 300,
        "release_time": 20,
    },
    "silica-densified-7.7GPa-1473K-3000": {"pressure": 7.7, "temperature": 1473},
    # Five-fold silicon, of which the cold leaves much, needs some warmth to go.
    "silica-densified-20GPa-300K-3000": {
        "pressure": 20,
        "temperature": 300,
        "release_time": 30,
        "anneal_temperature": 700,
        "anneal_time": 10,
    },
    "silica-densified-7.7GPa-3000K-3000": {
        "pressure": 7.7,
        "temperature": 3000,
        "cooling_rate": 37.5,
    },
}
START = "silica-pristine-3000"
# A crystal that loses its order: the zeolite MFI, two cells.
SILICALITE = {
    "silicalite-densified-12GPa-300K-576": {"pressure": 12, "temperature": 300},
}


def describe(atoms: Atoms) -> str:
    """Return density, coordination of silicon within 2.2 Å, and Si-O distance."""
    first, distance = neighbor_list("id", atoms, {("Si", "O"): 2.2})
    silicon = np.flatnonzero(atoms.symbols == "Si")
    number = np.bincount(first, minlength=len(atoms))[silicon]
    four, five = (100 * np.mean(number == n) for n in (4, 5))
    return (
        f"{len(atoms)} atoms, {atoms.info['history']['density']:.3f} g/cm³, "
        f"Si with four O {four:.1f} %, with five {five:.1f} %, Si-O {distance.mean():.4f} Å"
    )


def make(name: str, state: Path, destination: Path | None) -> None:
    common = {"record_every": 500, "snapshots": 20, "checkpoint": state / name}
    if name in PRISTINE:
        run = melt_quench(**PRISTINE[name], **common)
    else:
        start = zeolite("MFI", repeat=(1, 1, 2)) if name in SILICALITE else load(START)
        run = densify(start, **(DENSIFIED | SILICALITE)[name], seed=1, **common)
    run.save(state / name / "result")
    file = pack(run.atoms, name, destination)
    print(
        f"{name}: {describe(run.atoms)}\n{file} ({file.stat().st_size / 1024:.0f} kB)", flush=True
    )


def main() -> None:
    names = [*PRISTINE, *DENSIFIED, *SILICALITE]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--state", type=Path, default=ROOT / "output" / "glasses")
    parser.add_argument("--destination", type=Path, help="folder for the files (the package's)")
    options = parser.parse_args()
    for name in [options.only] if options.only else names:
        make(name, options.state, options.destination)


if __name__ == "__main__":
    main()
