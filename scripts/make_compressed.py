"""Make the series of compressed glasses that comes with the package, by molecular dynamics.

Glasses are quenched from the melt under pressure and stay under it, three for each pressure, so
that averages have error bars. They are not permanently densified: nothing is released.

python scripts/make_compressed.py          all that is missing, then the file of the package

Each glass is kept in output/compressed; a second start goes on with the next.
"""

import argparse
from pathlib import Path

import ase.io

from glassnb.models.glasses import pack_series
from glassnb.models.melt_quench import melt_quench

ROOT = Path(__file__).resolve().parents[1]
NAME = "silica-compressed-648"
PRESSURES = (0, 3, 6, 9, 12)  # GPa
SEEDS = (1, 2, 3)


def make(pressure: float, seed: int, state: Path) -> Path:
    """Make one glass, unless it is there."""
    path = state / f"{pressure:g}GPa-{seed}.extxyz"
    if not path.exists():
        run = melt_quench(
            648,
            cooling_rate=((3500, 100), (1500, 25), (300, 100)),
            melt_time=12,
            relax_time=5,
            pressure=pressure,
            seed=seed,
            record_every=500,
            snapshots=0,
        )
        run.save(path)
        print(f"{pressure:g} GPa, seed {seed}: {run}", flush=True)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--state", type=Path, default=ROOT / "output" / "compressed")
    options = parser.parse_args()
    runs = [(pressure, seed) for seed in SEEDS for pressure in PRESSURES]
    paths = [make(pressure, seed, options.state) for pressure, seed in runs]
    order = sorted(range(len(runs)), key=lambda k: runs[k])
    file = pack_series([ase.io.read(paths[k]) for k in order], NAME)
    print(f"{file} ({file.stat().st_size / 1024:.0f} kB)")


if __name__ == "__main__":
    main()
