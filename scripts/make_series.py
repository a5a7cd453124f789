"""Make the series of glasses that come with the package, by molecular dynamics.

python scripts/make_series.py              all of them
python scripts/make_series.py --only NAME  one of them

silica-compressed-648: glasses quenched from the melt under pressure and still under it, three for
each pressure, so that averages have error bars. They are not permanently densified: nothing is
released.

silica-densified-648: glasses compressed, cold and hot, and released, three for each condition, from
the three glasses of silica-compressed-648 at 0 GPa.

silica-quenched-648: melts cooled at three rates, and the liquid they come from, four of each.

Each structure is kept in output/series; a second start goes on with the next.
"""

import argparse
from pathlib import Path
from typing import Any

import ase.io
from make_glasses import DENSIFIED

from glassnb.models.densify import densify
from glassnb.models.glasses import load_series, pack_series
from glassnb.models.melt_quench import melt_quench

ROOT = Path(__file__).resolve().parents[1]


def recipes() -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Return, for each series, the names and arguments of its runs, in their final order."""
    steps = ((3500, 100), (1500, 25), (300, 100))
    compressed = [
        (f"{pressure}GPa-{seed}", {
            "cooling_rate": steps, "melt_time": 12, "pressure": pressure, "seed": seed,
        })
        for pressure in (0, 3, 6, 9, 12)  # GPa
        for seed in (1, 2, 3)
    ]  # fmt: skip
    quenched = [
        (f"{rate}-{seed}", {"cooling_rate": rate, "melt_time": 16, "seed": seed})
        for rate in (50, 250, 1000)  # K/ps
        for seed in (11, 12, 13, 14)
    ]
    # The liquid: hardly cooled at all, and looked at while it is hot.
    quenched += [
        (f"liquid-{seed}", {
            "cooling_rate": 1000, "melt_time": 16, "quench_temperature": 3500, "seed": seed,
        })
        for seed in (11, 12, 13, 14)
    ]  # fmt: skip
    conditions = DENSIFIED.values()
    densified = [
        ("{pressure}GPa-{temperature}K-".format(**options) + str(seed), options | {"seed": seed})
        for options in conditions
        for seed in (1, 2, 3)
    ]
    return {
        "silica-compressed-648": compressed,
        "silica-densified-648": densified,
        "silica-quenched-648": quenched,
    }


def make(path: Path, options: dict[str, Any]) -> None:
    """Make one structure, unless it is there."""
    if path.exists():
        return
    if "temperature" in options:
        start = load_series("silica-compressed-648")[options["seed"] - 1]
        run = densify(start, record_every=500, snapshots=0, **options)
    else:
        run = melt_quench(648, relax_time=5, record_every=500, snapshots=0, **options)
    run.save(path)
    print(f"{path.stem}: {run}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=recipes(), metavar="NAME", help=", ".join(recipes()))
    parser.add_argument("--state", type=Path, default=ROOT / "output" / "series")
    options = parser.parse_args()
    for name in [options.only] if options.only else recipes():
        paths = []
        for label, arguments in recipes()[name]:
            paths.append(options.state / name / f"{label}.extxyz")
            make(paths[-1], arguments)
        file = pack_series([ase.io.read(path) for path in paths], name)
        print(f"{file} ({file.stat().st_size / 1024:.0f} kB)")


if __name__ == "__main__":
    main()
