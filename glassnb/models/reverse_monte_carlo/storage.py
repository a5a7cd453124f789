"""A refinement as a file: what it depends on as text, its state as arrays."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from glassnb.core.isotopes import isotopes_of, set_isotopes
from glassnb.core.provenance import (
    atomic_path,
    from_json,
    provenance,
    read_arrays,
    reading,
    to_json,
)
from glassnb.models.checkpoint import read_index
from glassnb.models.potentials import PairPotential
from glassnb.models.potentials import potential as find_potential
from glassnb.models.reverse_monte_carlo import constraints as constraint_classes
from glassnb.models.reverse_monte_carlo import data as data_classes
from glassnb.models.reverse_monte_carlo.checks import energy_of
from glassnb.models.reverse_monte_carlo.refinement import Record
from glassnb.scattering.composition import substituted

if TYPE_CHECKING:
    from glassnb.models.reverse_monte_carlo.engine import ReverseMonteCarlo

# Compared with the start when a refinement is made; the chain does not depend on them.
_NOT_KEPT = ("density", "composition")

__all__ = ["fingerprint", "history", "load_state", "resume", "save", "write"]

_PROBLEM = "is no file of ReverseMonteCarlo.save"

_CLASSES = {
    name: getattr(module, name)
    for module in (constraint_classes, data_classes)
    for name in module.__all__
    if isinstance(getattr(module, name), type)
}


def _as_record(thing: Any) -> dict[str, Any]:
    """Turn a data set or a constraint into its class and its fields."""
    record: dict[str, Any] = {"class": type(thing).__name__}
    for field in fields(thing):
        if field.name in _NOT_KEPT:
            continue
        value = getattr(thing, field.name)
        if isinstance(value, PairPotential):
            if find_potential(value.name) != value:
                raise ValueError(
                    f"PotentialEnergy: the potential {value.name!r} is not as "
                    "glassnb.models.potential gives it, so a file could not tell which it was; "
                    "run without checkpoint and save"
                )
            value = value.name
        record[field.name] = value
    return record


def _from_record(record: dict[str, Any]) -> Any:
    values = dict(record)
    return _CLASSES[values.pop("class")](**values)


def _parts(rmc: ReverseMonteCarlo) -> dict[str, Any]:
    return {
        "settings": rmc._settings,
        "data": [_as_record(term.data) for term in rmc._fit.terms],
        "constraints": [_as_record(constraint) for constraint in rmc._constraints],
    }


def fingerprint(rmc: ReverseMonteCarlo) -> dict[str, Any]:
    """Return what the chain depends on, start and data as checksums.

    Parameters
    ----------
    rmc : ReverseMonteCarlo
        The refinement.

    Returns
    -------
    dict
        Settings and checksums.
    """
    parts = _parts(rmc)
    system, start = rmc._system, rmc._system.start
    for record in parts["data"]:
        # Those of the model count too; natural elements are as if nothing were said.
        shares = substituted(system.isotopes, record.pop("isotopes"), system.symbols)
        if shares:
            record["isotopes"] = shares
    sums = {
        "start": start.positions.tobytes() + start.cell.array.tobytes() + start.numbers.tobytes(),
        "data": to_json(parts["data"]).encode(),
        "constraints": to_json(parts["constraints"]).encode(),
        "weights": _weights(rmc).tobytes(),
    }
    settings = dict(parts["settings"])
    settings["kinds of moves"] = settings.pop("moves")  # a run has a number of moves too
    return settings | {k: _sha256(v) for k, v in sums.items()}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def history(rmc: ReverseMonteCarlo) -> dict[str, Any]:
    """Return how the present structure was made.

    Parameters
    ----------
    rmc : ReverseMonteCarlo
        The refinement.

    Returns
    -------
    dict
        Version, parameters, seed, number of moves.
    """
    names = [str(term.data.name) for term in rmc._fit.terms]
    words = [f"{type(c).__name__} {getattr(c, 'name', '')}".strip() for c in rmc._constraints]
    parameters = {k: v for k, v in rmc._settings.items() if k != "seed"}
    record = provenance(
        seed=rmc._settings["seed"], **parameters, data=names, constraints=words,
        start=rmc._system.start.info.get("history"),
    )  # fmt: skip
    return record | {
        "method": "reverse Monte Carlo",
        "moves": rmc.moves_done,
        "assumptions": list(rmc.assumptions),
    }


def _weights(rmc: ReverseMonteCarlo) -> np.ndarray:
    """All weights in force, as numbers of the kernel."""
    data = [term.weight for term in rmc._fit.terms]
    return np.array([*data, *rmc._shells.values[:, 0], rmc._energy.grid[3]])


def write(rmc: ReverseMonteCarlo, path: Path) -> None:
    """Write everything to an open place.

    Parameters
    ----------
    rmc : ReverseMonteCarlo
        The refinement.
    path : pathlib.Path
        Where to.
    """
    system, moves, shells = rmc._system, rmc._moves, rmc._shells
    parts = _parts(rmc) | {
        "moves_done": rmc._done,
        "last_rate": rmc._last_rate,
        "history": [asdict(record) for record in rmc._history],
        "first_terms": rmc._first_terms,
        "repaired": rmc.repaired,
        "assumptions": rmc.assumptions,
    }
    text = to_json(parts)
    with open(path, "wb") as file:
        np.savez_compressed(
            file, description=text, sha256=_sha256(text.encode()), numbers=system.start.numbers,
            start=system.start.positions, cell=system.start.cell.array,
            lattice=system.cell, isotopes=isotopes_of(system.start), fractional=system.fractional,
            histogram=rmc._fit.histogram, neighbours=shells.neighbours, counts=shells.counts,
            costs=shells.costs, n_allowed=shells.n_allowed, energy=rmc._energy.since_start,
            generator=rmc._generator, sizes=moves.sizes, tried=moves.tried,
            accepted=moves.accepted, weights=_weights(rmc),
            scales=[(term.scale, term.offset) for term in rmc._fit.terms],
        )  # fmt: skip


def save(rmc: ReverseMonteCarlo, path: str | os.PathLike[str]) -> None:
    """Write everything to a file.

    Parameters
    ----------
    rmc : ReverseMonteCarlo
        The refinement.
    path : path-like
        Where to.
    """
    with atomic_path(path) as temporary:
        write(rmc, temporary)


def load_state(rmc: ReverseMonteCarlo, path: str | os.PathLike[str]) -> None:
    """Bring a refinement with the same arguments to a saved state.

    Parameters
    ----------
    rmc : ReverseMonteCarlo
        The refinement; changed.
    path : path-like
        What :func:`write` wrote.

    Raises
    ------
    ValueError
        If it is of another cell of the lattice: earlier versions took the one that was given.
    """
    with reading(path, _PROBLEM):
        _restore(rmc, Path(path), *_read(Path(path)))


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what :func:`write` wrote: the description, and the arrays."""
    arrays = read_arrays(path)
    text = str(arrays["description"])
    if arrays.get("sha256", _sha256(text.encode())) != _sha256(text.encode()):
        raise ValueError("the description has another checksum than was saved")
    return from_json(text), arrays


def _restore(
    rmc: ReverseMonteCarlo, path: Path, text: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    system, moves, shells, fit = rmc._system, rmc._moves, rmc._shells, rmc._fit
    if not np.array_equal(arrays.get("lattice", arrays["cell"]), system.cell):
        raise ValueError(
            f"{path}: an earlier version made it, in a cell whose faces are not as far apart as "
            "this lattice has them; begin a new refinement from its structure (Refinement.save)"
        )
    weights = arrays["weights"].tolist()
    for term, (scale, offset) in zip(fit.terms, arrays["scales"], strict=True):
        term.scale, term.offset, term.weight = float(scale), float(offset), weights.pop(0)
    rmc._energy.grid[3] = weights.pop()
    shells.values[:, 0] = weights
    for mine, name in (
        (system.fractional, "fractional"), (fit.histogram, "histogram"),
        (shells.neighbours, "neighbours"), (shells.counts, "counts"), (shells.costs, "costs"),
        (shells.n_allowed, "n_allowed"), (rmc._energy.since_start, "energy"),
        (rmc._generator, "generator"), (moves.sizes, "sizes"), (moves.tried, "tried"),
        (moves.accepted, "accepted"),
    ):  # fmt: skip
        mine[...] = arrays[name]
    rmc._done, rmc._last_rate = text["moves_done"], text["last_rate"]
    names = list(rmc._first_terms)  # the text has them sorted
    rmc._first_terms = {name: text["first_terms"][name] for name in names}
    for record in text["history"]:
        record["terms"] = {name: record["terms"][name] for name in names}
    rmc._history = [Record(**record) for record in text["history"]]
    rmc.repaired = text["repaired"]
    rmc.assumptions = tuple(text.get("assumptions", rmc.assumptions))
    fit.restore()


def resume(cls: type[ReverseMonteCarlo], path: str | os.PathLike[str]) -> ReverseMonteCarlo:
    """Make a refinement from a file or a checkpoint folder.

    Parameters
    ----------
    cls : type
        The class to make.
    path : path-like
        File of :func:`save`, or folder.

    Returns
    -------
    ReverseMonteCarlo
        At the state saved.

    Raises
    ------
    ValueError
        If the file is no such file, or its chain was one that is made no more.
    """
    target = Path(path)
    if target.is_dir():
        if not (target / "checkpoint.json").exists():
            raise ValueError(f"path={str(path)!r}: the folder holds no checkpoint")
        target = target / f"restart-{read_index(target)[1]}.bin"
    with reading(target, _PROBLEM):
        return _resumed(cls, target, *_read(target))


def _resumed(
    cls: type[ReverseMonteCarlo], path: Path, text: dict[str, Any], arrays: dict[str, np.ndarray]
) -> ReverseMonteCarlo:
    start = Atoms(arrays["numbers"], arrays["start"], cell=arrays["cell"], pbc=True)
    set_isotopes(start, arrays.get("isotopes", 0))
    constraints = [_from_record(record) for record in text["constraints"]]
    annealed = any(record["temperature"] != 1 for record in text["history"])
    if "assumptions" not in text and annealed and energy_of(constraints) is not None:
        raise ValueError(
            f"{path}: an earlier version made it, which annealed PotentialEnergy like "
            "all other costs; begin a new refinement from its structure (Refinement.save)"
        )
    rmc = cls(
        start,
        [_from_record(record) for record in text["data"]],
        constraints,
        **text["settings"],
        keep_apart=False,  # those of the start are among the constraints
        density_tolerance=None,
    )
    _restore(rmc, path, text, arrays)
    return rmc
