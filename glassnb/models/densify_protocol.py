"""What a densification goes through, checked and laid out before any work."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms

from glassnb.core.neighbours import neighbours
from glassnb.core.structure import check_atoms, check_unconstrained, mass_density
from glassnb.models.md_protocol import (
    Protocol,
    Stage,
    cooling_stages,
    number,
    steps_of,
    switch,
    whole,
)
from glassnb.models.md_result import SimulationResult
from glassnb.models.potentials import Potential
from glassnb.models.potentials import potential as find_potential

__all__ = ["UNDER_PRESSURE", "Plan", "plan"]

UNDER_PRESSURE = "under pressure"  # label of the structure at the end of full pressure
RELEASE_TEMPERATURE = 1500.0  # K
RELEASE_TIME = 10.0  # ps
COLD_RELEASE_TIME = 50.0  # ps
HEATING_RATE = 200.0  # K/ps, on the way to an anneal
CLOSEST = 0.7  # Å; no two atoms of a structure at rest are nearer


class Plan(NamedTuple):
    """A densification that is ready to start."""

    start: Atoms
    potential: Potential
    protocol: Protocol
    parameters: dict[str, Any]  # JSON-ready, with the values of what was left open


def plan(glass: Atoms | SimulationResult, **options: Any) -> Plan:
    """Check the arguments of :func:`glassnb.models.densify`, and lay out the run.

    Parameters
    ----------
    glass : ase.Atoms or MeltQuench or Densification
        The structure to densify.
    **options
        The other arguments of :func:`glassnb.models.densify` that the result depends on; all of
        them.

    Returns
    -------
    Plan
        Start, potential, protocol and parameters.

    Raises
    ------
    ValueError
        If an argument is out of range or the structure cannot be used.
    """
    model = _model(options["potential"])
    start = _start(glass, model)
    found = options | _temperatures(options, set(start.symbols) == {"Si", "O"})
    found["potential"] = model.record
    found |= {name: switch(name, options[name]) for name in ("release", "minimise")}
    found["seed"] = whole("seed", options["seed"], 0, 2_000_000_000)
    if found["release_time"] is None:
        warm = found["release_temperature"] > found["final_temperature"]
        found["release_time"] = RELEASE_TIME if warm else COLD_RELEASE_TIME
    protocol = Protocol(
        stages=_stages(found),
        timestep=float(options["timestep"]),
        record_every=whole("record_every", options["record_every"], 1),
        snapshots=whole("snapshots", options["snapshots"], 0),
        seed=found["seed"],
        minimise=found["minimise"],
        hottest="temperature",
    )
    digest = hashlib.sha256()
    for array in (start.numbers, start.cell.array, start.positions):
        digest.update(np.ascontiguousarray(array).tobytes())
    found["glass"] = {
        "formula": start.get_chemical_formula(),
        "density": mass_density(start),
        "sha256": digest.hexdigest(),
    }
    return Plan(start, model, protocol, found)


def _model(potential: str | Potential) -> Potential:
    model = find_potential(potential) if isinstance(potential, str) else potential
    if not isinstance(model, Potential):
        raise ValueError(f"potential={potential!r}: must be a name or a glassnb.models.Potential")
    return model


def _start(glass: Atoms | SimulationResult, model: Potential) -> Atoms:
    """Return a copy of the structure, or say why it cannot be densified."""
    atoms = glass.atoms if isinstance(glass, SimulationResult) else glass
    if not isinstance(atoms, Atoms):
        raise ValueError(
            f"glass={type(glass).__name__}: must be an ase.Atoms object, or a result of "
            "melt_quench or densify"
        )
    check_atoms(atoms, periodic=True, minimum=2)
    check_unconstrained(atoms, "all atoms of a glass have to move, so ")
    foreign = sorted(set(atoms.symbols) - set(model.species))
    if foreign:
        raise ValueError(
            f"glass: holds {', '.join(foreign)}, which {model.name} does not have (it is for "
            f"{', '.join(model.species)}); use another potential"
        )
    cell = atoms.cell.array
    lengths = np.diag(cell).copy()
    if np.abs(cell - np.diag(lengths)).max() > 1e-6 * lengths.max() or lengths.min() <= 0:
        raise ValueError(
            f"glass: its cell {cell.round(3).tolist()} is not orthorhombic along x, y and z; build "
            "an orthorhombic supercell (ase.build.make_supercell)"
        )
    if lengths.min() <= model.cutoff:
        raise ValueError(
            f"glass: its box is {lengths.min():.1f} Å wide, not more than the cutoff of "
            f"{model.name} ({model.cutoff} Å); use a larger model, or glass.repeat(2)"
        )
    pairs = neighbours(atoms, CLOSEST)
    if pairs.distances.size:
        k = int(np.argmin(pairs.distances))
        raise ValueError(
            f"glass: atoms {pairs.centres[k]} and {pairs.indices[k]} overlap, "
            f"{pairs.distances[k]:.3f} Å apart; remove one of them, or check the cell"
        )
    start = Atoms(atoms.symbols, atoms.positions, cell=lengths, pbc=True)
    start.info = dict(atoms.info)
    return start


def _temperatures(options: Mapping[str, Any], silica: bool) -> dict[str, float | None]:
    """Check the temperatures, and fill in that of the release."""
    hot = number("temperature", options["temperature"], "K")
    cold = number("final_temperature", options["final_temperature"], "K")
    if hot < cold:
        raise ValueError(
            f"temperature={hot}: must be at least final_temperature={cold} (K); for compression "
            "in the cold set final_temperature too"
        )
    given, anneal = options["release_temperature"], options["anneal_temperature"]
    if not options["release"]:
        for name, value in (("release_temperature", given), ("anneal_temperature", anneal)):
            if value is not None:
                raise ValueError(f"{name}={value}: leave it out, as release=False ends the run "
                                 "under pressure at final_temperature")  # fmt: skip
        warm = cold
    elif given is None:
        if hot > RELEASE_TEMPERATURE and not silica:
            raise ValueError(
                f"release_temperature=None: {RELEASE_TEMPERATURE:g} K is for silica; give the "
                f"temperature at which the pressure is released, up to temperature={hot:g} K"
            )
        warm = max(cold, min(RELEASE_TEMPERATURE, hot))
    else:
        warm = number("release_temperature", given, "K")
        if not cold <= warm <= hot:
            raise ValueError(
                f"release_temperature={warm}: must be between final_temperature={cold} and "
                f"temperature={hot} (K)"
            )
    if anneal is not None and number("anneal_temperature", anneal, "K") < cold:
        raise ValueError(
            f"anneal_temperature={anneal}: must be at least final_temperature={cold} (K)"
        )
    return {"release_temperature": warm}


def _stages(options: Mapping[str, Any]) -> tuple[Stage, ...]:
    """Lay out the stages, those without steps left out."""
    step = number("timestep", options["timestep"], "fs")
    load = number("pressure", options["pressure"], "GPa", zero=True)
    hot, warm, cold = (float(options[f"{name}temperature"]) for name in ("", "release_", "final_"))
    relax = _steps(options, "relax_time", step)
    stages = [
        Stage(
            "heat and compress" if hot > cold else "compress",
            _steps(options, "compress_time", step, zero=False), (cold, hot), (0.0, load),
        ),
        Stage("hold", _steps(options, "hold_time", step), (hot, hot), (load, load)),
    ]  # fmt: skip
    if hot > warm:
        to = "release_temperature" if options["release"] else "final_temperature"
        stages += cooling_stages(
            hot, warm, options["cooling_rate"], load, step,
            name="cool under pressure", arguments=("cooling_rate", "temperature", to),
        )  # fmt: skip
    if not options["release"]:
        stages.append(Stage("relax under pressure", relax, (cold, cold), (load, load)))
    stages = [stage for stage in stages if stage.steps]
    stages[-1] = replace(stages[-1], keep=UNDER_PRESSURE)
    if options["release"]:
        stages += _release(options, load, warm, cold, step)
        stages.append(Stage("relax", relax, (cold, cold), (0.0, 0.0)))
    return tuple(stage for stage in stages if stage.steps)


def _release(
    options: Mapping[str, Any], load: float, warm: float, cold: float, step: float
) -> list[Stage]:
    """Lay out the release, the anneal and the cooling at zero pressure."""
    none = (0.0, 0.0)
    time = _steps(options, "release_time", step, zero=False)
    stages = [Stage("release", time, (warm, warm), (load, 0.0))]
    start = "release_temperature"
    if options["anneal_temperature"] is not None:
        start = "anneal_temperature"
        anneal = float(options[start])
        time = steps_of(abs(anneal - warm) / HEATING_RATE, step)
        name = "heat" if anneal > warm else "cool"
        stages.append(Stage(name, time, (warm, anneal), none))
        time = _steps(options, "anneal_time", step, zero=False)
        stages.append(Stage("anneal", time, (anneal, anneal), none))
        warm = anneal
    if warm > cold:
        stages += cooling_stages(
            warm, cold, options["final_cooling_rate"], 0.0, step,
            name="cool", arguments=("final_cooling_rate", start, "final_temperature"),
        )  # fmt: skip
    return stages


def _steps(options: Mapping[str, Any], name: str, step: float, *, zero: bool = True) -> int:
    return steps_of(number(name, options[name], "ps", zero=zero), step)
