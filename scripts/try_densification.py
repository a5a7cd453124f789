"""Try protocols of densification on silica-pristine-3000, and print what they recover.

python scripts/try_densification.py             all, one after the other (about an hour)
python scripts/try_densification.py --only NAME one of them

Every line goes to output/densification_trials.csv; notebook 09 tells what was learned.
"""

import argparse
from pathlib import Path

import pandas as pd

import glassnb as gn

ROOT = Path(__file__).resolve().parents[1]
TRIALS = {
    "10 GPa, 2500 K": {"pressure": 10, "temperature": 2500},
    "8 GPa, 3000 K": {"pressure": 8, "temperature": 3000},
    "10 GPa, 2500 K, released at 1800 K": {
        "pressure": 10,
        "temperature": 2500,
        "release_temperature": 1800,
        "release_time": 5,
    },
    "7.7 GPa, 3000 K, slower": {"pressure": 7.7, "temperature": 3000, "cooling_rate": 37.5},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=TRIALS, metavar="NAME", help="; ".join(TRIALS))
    parser.add_argument("--glass", default="silica-pristine-3000", choices=gn.models.available())
    options = parser.parse_args()
    table = ROOT / "output" / "densification_trials.csv"
    table.parent.mkdir(exist_ok=True)
    for name in [options.only] if options.only else TRIALS:
        run = gn.models.densify(
            gn.models.load(options.glass), **TRIALS[name], seed=5, record_every=500, snapshots=0
        )
        print(f"{name}: {run}", flush=True)
        row = pd.DataFrame({"trial": [name]} | gn.models.model_properties(run.atoms))
        row.to_csv(table, mode="a", header=not table.exists(), index=False)


if __name__ == "__main__":
    main()
