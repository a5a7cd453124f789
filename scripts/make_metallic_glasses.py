"""Make the metallic glasses that come with the package, by molecular dynamics.

python scripts/make_metallic_glasses.py              all, one after the other
python scripts/make_metallic_glasses.py --only NAME  one of them

metallic-CuZr-4000 and metallic-FeP-4000: Cu50Zr50 and Fe80P20, cooled slowly where atoms still move
but no longer keep up, and faster above and below.

metallic-cuzr-rates: Cu50Zr50, 1000 atoms, melts cooled at three rates, three of each, so that order
against cooling rate has error bars.

metallic-PdSi-4000: Pd82Si18, with a file of H. Sheng's potential that states no licence and does
not come with the package: give it with --setfl. The glass that is shipped was made before this
script, with LAMMPS alone, at the same rate.

All other potentials come with LAMMPS. Each run saves its state in output/metallic/NAME; a second
start goes on from there. Without that folder, a glass is made anew, from its start.
"""

import argparse
from pathlib import Path
from typing import Any

from ase import Atoms

from glassnb.models.glasses import pack, pack_series
from glassnb.models.metallic_glass import metallic_glass

ROOT = Path(__file__).resolve().parents[1]

# K/ps, of which one is 10^12 K/s. At 100 K/ps, the slope of the energy changes near 700 K (Cu-Zr)
# and near 1100 K (Fe-P).
GLASSES: dict[str, dict[str, Any]] = {
    "metallic-CuZr-4000": {
        "system": "Cu-Zr",
        "n_atoms": 4000,
        "cooling_rate": ((1300, 20), (600, 10), (300, 30)),
        "melt_time": 10,
        "relax_time": 5,
        "seed": 1,
    },
    "metallic-FeP-4000": {
        "system": "Fe-P",
        "n_atoms": 4000,
        "cooling_rate": ((1300, 20), (600, 4), (300, 20)),
        "melt_time": 20,
        "relax_time": 10,
        "seed": 1,
    },
}
PALLADIUM: dict[str, dict[str, Any]] = {
    "metallic-PdSi-4000": {
        "system": "Pd-Si",
        "composition": "Pd82Si18",
        "n_atoms": 4000,
        "cooling_rate": 40,
        "melt_time": 8,
        "relax_time": 5,
        "seed": 1,
    },
}
SERIES: dict[str, dict[str, dict[str, Any]]] = {
    "metallic-cuzr-rates": {
        f"{rate}-{seed}": {
            "system": "Cu-Zr",
            "n_atoms": 1000,
            "cooling_rate": rate,
            "melt_time": 10,
            "relax_time": 10,
            "seed": seed,
        }
        for rate in (1000, 100, 10)  # K/ps
        for seed in (1, 2, 3)
    },
}


def make(options: dict[str, Any], state: Path) -> Atoms:
    """Make one glass, or go on with it."""
    run = metallic_glass(**options, record_every=500, snapshots=20, checkpoint=state)
    run.save(state / "result")
    print(f"{state.name}: {run}", flush=True)
    return run.atoms


def make_file(name: str, state: Path, destination: Path | None, setfl: Path | None = None) -> None:
    """Make a glass or a series, and its file."""
    if name in GLASSES:
        file = pack(make(GLASSES[name], state / name), name, destination)
    elif name in PALLADIUM:
        if setfl is None:
            raise SystemExit(f"{name} needs --setfl FILE, the potential of Pd and Si")
        file = pack(make(PALLADIUM[name] | {"potential": setfl}, state / name), name, destination)
    else:
        glasses = [make(options, state / name / run) for run, options in SERIES[name].items()]
        file = pack_series(glasses, name, destination)
    print(f"{file} ({file.stat().st_size / 1024:.0f} kB)", flush=True)


def main() -> None:
    names = [*GLASSES, *SERIES]
    known = [*names, *PALLADIUM]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=known, metavar="NAME", help=", ".join(known))
    parser.add_argument("--state", type=Path, default=ROOT / "output" / "metallic")
    parser.add_argument("--destination", type=Path, help="folder for the files (the package's)")
    parser.add_argument("--setfl", type=Path, help="potential of Pd and Si")
    options = parser.parse_args()
    for name in [options.only] if options.only else names:
        make_file(name, options.state, options.destination, options.setfl)


if __name__ == "__main__":
    main()
