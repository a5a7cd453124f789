"""Make the persistence diagrams of crystalline silica that come with the package.

Polymorphs are those of glassnb.models.crystal, frameworks those of glassnb.models.zeolite. Three
diagrams of each: all atoms with radii, all atoms without, Si alone. Cells are repeated until they
are 20 Å high in each direction: rings that run through a periodic cell never die, and in the 3 SiO2
of quartz two rings of three would be missing.

python scripts/make_crystal_database.py                          all, then the file of the package
python scripts/make_crystal_database.py --only alpha-quartz MFI  some; nothing else is changed
python scripts/make_crystal_database.py --metastable 60          first quench new small cells
python scripts/make_crystal_database.py --scheduler tcp://...    on the workers of a Dask cluster

It takes about five minutes of one core. Each crystal is kept in output/crystals; a second start
goes on with those that are missing (remove the folder to compute everything anew).

Metastable crystals come from short quenches of cells of 24 to 48 atoms: such a cell cannot hold a
glass, and what it becomes is a crystal with so many atoms. Those in which every Si has four O and
every O two Si are kept, each kind once, in the series silica-metastable of the package; the
database is made from that series.
"""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from glassnb.core.parallel import map_tasks
from glassnb.core.structure import cell_heights, mass_density
from glassnb.models.crystals import crystal, crystals
from glassnb.models.glasses import available_series, load_series, pack_series
from glassnb.models.melt_quench import melt_quench
from glassnb.models.zeolites import zeolite, zeolites
from glassnb.network import coordination, primitive_rings
from glassnb.topology.crystal_entry import VARIANTS, CrystalEntry, crystal_entry
from glassnb.topology.database import crystal_database, make_database
from glassnb.topology.persistence import persistence

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "glassnb" / "data" / "crystal_diagrams.npz"
HEIGHT = 20.0  # Å
METASTABLE = "silica-metastable"
CUTOFF = {("Si", "O"): 2.0}  # Å
Work = tuple[str, str, str, Atoms]
NOTES = {
    "polymorphs": "glassnb/data/crystals.toml, with the source of each",
    "frameworks": (
        "frameworks.db of zeose (https://github.com/jtcrum/zse), by Jerry T. Crum, Justin R. Crum "
        "and contributors; MIT licence"
    ),
    "metastable": "the series silica-metastable of glassnb, quenched by this script",
}


def structures() -> list[Work]:
    """Name, kind, source and atoms of every crystal."""
    work: list[Work] = []
    for name in crystals():
        atoms = crystal(name)
        work.append((name, "polymorph", atoms.info["source"], atoms))
    for name in zeolites():
        atoms = zeolite(name)
        work.append((name, "framework", atoms.info["source"], atoms))
    if METASTABLE in available_series():
        for k, atoms in enumerate(load_series(METASTABLE), start=1):
            history = atoms.info["history"]
            made = f"{history['potential']}, quenched cell of {len(atoms)} atoms, minimised"
            work.append((f"metastable-{k:02d}", "metastable", made, atoms))
    return work


def quench(number: int) -> Atoms | None:
    """Quench one small cell; nothing is returned unless it is a perfect network."""
    n_atoms = (24, 30, 36, 42, 48)[number % 5]
    run = melt_quench(
        n_atoms, cooling_rate=100, melt_time=10, relax_time=5, minimise=True, small_box=True,
        seed=number, snapshots=0, record_every=500, progress=False,
    )  # fmt: skip
    found = coordination(run.atoms, CUTOFF)
    perfect = (found.of("Si", "O") == 4).all() and (found.of("O", "Si") == 2).all()
    return run.atoms if perfect else None


def quenched(n: int) -> list[Atoms]:
    """Quench small cells, and keep each kind of crystal once, the densest first.

    Two are of a kind if rings per Si and density (to 1 %) agree.
    """
    kept: dict[tuple[Any, ...], Atoms] = {}
    for atoms in map_tasks(quench, range(1, n + 1), progress=True, description="quenches"):
        if atoms is not None:
            rings = primitive_rings(atoms, cutoff=CUTOFF, max_size=24, progress=False)
            kind = (*rings.size_distribution().items(), round(100 * np.log(mass_density(atoms))))
            kept.setdefault(kind, atoms)
    return sorted(kept.values(), key=mass_density, reverse=True)


def repeated(atoms: Atoms) -> Atoms:
    """Repeat a cell until it is high enough in each direction."""
    return atoms.repeat(np.ceil(HEIGHT / cell_heights(atoms) - 1e-9).astype(int))


def make(work: Work, state: Path | None = None) -> CrystalEntry:
    """Compute the diagrams of one crystal, unless they are there."""
    name, kind, source, atoms = work
    path = None if state is None else state / f"{name}.npz"
    if path is not None and path.exists():
        return crystal_database(path).entries[0]
    cell = repeated(atoms)
    diagrams = {variant: persistence(cell, **options) for variant, options in VARIANTS.items()}
    entry = crystal_entry(name, diagrams, kind=kind, source=source)
    if path is not None:
        make_database([entry]).save(path)
    return entry


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", help="compute these and write no file")
    parser.add_argument("--state", type=Path, default=ROOT / "output" / "crystals")
    parser.add_argument("--destination", type=Path, default=TARGET)
    parser.add_argument("--metastable", type=int, metavar="N", help="quench so many small cells")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster")
    options = parser.parse_args(arguments)
    if options.metastable:
        print(pack_series(quenched(options.metastable), METASTABLE))
    work = structures()
    if options.only:
        unknown = set(options.only) - {name for name, *_ in work}
        if unknown:
            parser.error(f"--only: no crystals are called {', '.join(sorted(unknown))}")
        work = [item for item in work if item[0] in options.only]
    client: Any = None
    if options.scheduler:
        from distributed import Client

        client = Client(options.scheduler)
    entries = map_tasks(
        partial(make, state=options.state), work,
        client=client, progress=True, description="crystals",
    )  # fmt: skip
    if options.only:
        for entry in entries:
            print(entry)
        return
    database = make_database(entries, sources=NOTES)
    database.save(options.destination)
    size = options.destination.stat().st_size / 1024
    print(f"{options.destination} ({size:.0f} kB): {database}")


if __name__ == "__main__":
    main()
