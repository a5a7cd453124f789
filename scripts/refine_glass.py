"""Refine silica-pristine-3000 against measured neutron data, for the glass of that name.

python scripts/refine_glass.py FILE [--convention F]

FILE holds S(Q), or F(Q) in barn, in a format that glassnb.scattering.read_experiment knows. The
data do not come with the package; the glass, silica-refined-3000, was made with those of the NIMROD
instrument at ISIS (room temperature, 0 to 50 Å⁻¹, as they come with Dissolve).
"""

import argparse
from pathlib import Path

import numpy as np

import glassnb as gn
from glassnb.models.glasses import pack

NAME = "silica-refined-3000"
START = "silica-pristine-3000"
DENSITY = 2.203  # g/cm³, measured
Q_RANGE = (0.6, 25.0)
MOVES = 300_000
TEMPERATURE = (1.0, 0.05)


def refine(
    file: Path, convention: str, moves: int = MOVES
) -> tuple[gn.models.ReverseMonteCarlo, gn.models.Refinement]:
    measured = gn.scattering.read_experiment(file, convention, composition="SiO2")
    data = gn.models.StructureFactorData(
        measured.q, measured.total, "neutron", sigma=0.01, q_range=Q_RANGE, name="neutron S(Q)"
    )
    start = gn.models.load(START)
    factor = (gn.core.mass_density(start) / DENSITY) ** (1 / 3)
    start.set_cell(start.cell * factor, scale_atoms=True)
    constraints = [
        gn.models.MinimumDistance({("Si", "O"): 1.35, ("O", "O"): 2.1, ("Si", "Si"): 2.4}),
        gn.models.Coordination("Si", "O", number=4),
        gn.models.Coordination("O", "Si", number=2),
        gn.models.BondAngle("O", "Si", "O", sigma=15),
    ]
    rmc = gn.models.ReverseMonteCarlo(start, [data], constraints, seed=1, repair=True)
    return rmc, rmc.run(moves, temperature=TEMPERATURE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--convention", default="F", help="what the file holds (F)")
    parser.add_argument("--destination", type=Path, help="folder for the file (the package's)")
    options = parser.parse_args()
    rmc, result = refine(options.file, options.convention)
    print(rmc.report())
    for curve in result.curves:
        print(f"{curve.name}: rms {curve.rms:.4f}")
    atoms = result.atoms.copy()
    atoms.wrap()
    atoms.info["history"] = result.atoms.info["history"] | {
        "start": START,
        "density": gn.core.mass_density(atoms),
        "data": "neutron F(Q) of silica glass, NIMROD, ISIS; not part of this package",
        "rms": [round(float(curve.rms), 5) for curve in result.curves],
        "q_range": list(np.asarray(Q_RANGE)),
    }
    found = gn.models.model_properties(atoms)
    print({name: round(value, 3) for name, value in found.items()})
    print(pack(atoms, NAME, options.destination))


if __name__ == "__main__":
    main()
