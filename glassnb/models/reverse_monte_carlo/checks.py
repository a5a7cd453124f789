"""Bad input stops here, before any work, or is repaired where that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

from glassnb.core.neighbours import OVERLAP, neighbours
from glassnb.models.reverse_monte_carlo.constraints import (
    BondAngle,
    Constraint,
    Coordination,
    FixedAtoms,
    MinimumDistance,
    PotentialEnergy,
)
from glassnb.models.reverse_monte_carlo.data import Data
from glassnb.models.reverse_monte_carlo.system import System

__all__ = ["apart", "check_constraints", "energy_of", "first_and_last"]

_SWEEPS = 200  # of pushing apart
_MARGIN = 1e-3  # Å beyond the minimum distance
_NAMED = 5  # pairs that an error names


def check_constraints(data: Sequence[Data], constraints: Sequence[Constraint]) -> None:
    """Stop on constraints that contradict each other, or on nothing to refine.

    Parameters
    ----------
    data : sequence of Data
        The data sets.
    constraints : sequence of Constraint
        The constraints.

    Raises
    ------
    ValueError
        If so.
    """
    names = [str(item.name) for item in data]
    for constraint in constraints:
        if not isinstance(constraint, Constraint):
            raise ValueError(
                f"constraints: {constraint!r} is no constraint; use MinimumDistance, "
                "Coordination, BondAngle, FixedAtoms or PotentialEnergy"
            )
        if isinstance(constraint, Coordination | BondAngle | PotentialEnergy):
            names.append(str(constraint.name))
    if not names:
        raise ValueError(
            "data=[], constraints=[]: there is nothing to refine; give at least one data set, or "
            "a Coordination, BondAngle or PotentialEnergy"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"data, constraints: the name {twice[0]!r} stands there twice; set name=")
    energy_of(constraints)
    for wall in constraints:
        if not isinstance(wall, MinimumDistance):
            continue
        for pair, distance in wall.distances.items():
            for constraint in constraints:
                _check_against(constraint, pair, distance)


def energy_of(constraints: Sequence[Constraint]) -> PotentialEnergy | None:
    """Return the one constraint of energy, if there is one."""
    found = [c for c in constraints if isinstance(c, PotentialEnergy)]
    if len(found) > 1:
        raise ValueError("constraints: PotentialEnergy may stand there once only")
    return found[0] if found else None


def _check_against(constraint: Constraint, pair: tuple[str, str], distance: float) -> None:
    """Stop where a minimum distance leaves no room for a shell."""
    if isinstance(constraint, Coordination):
        bonds = [(constraint.centre, constraint.neighbour)]
        high, needed = constraint.range[1], 0 not in constraint.numbers and constraint.fraction > 0
    elif isinstance(constraint, BondAngle):
        bonds = [(constraint.centre, end) for end in (constraint.first, constraint.last)]
        high, needed = constraint.cutoff, True
    else:
        return
    if needed and high <= distance and any(set(pair) == set(bond) for bond in bonds):
        raise ValueError(
            f"{type(constraint).__name__} {constraint.name!r}: ends at {high} Å, but the minimum "
            f"distance of {pair[0]}-{pair[1]} is {distance} Å, so no atom can be there; change one "
            "of them (keep_apart=False, if it comes from the start)"
        )


def first_and_last(temperature: float | Sequence[float]) -> tuple[float, float]:
    """Return the temperatures at which a run begins and ends.

    Parameters
    ----------
    temperature : float or sequence of two float
        One for all of the run, or the first and the last.

    Returns
    -------
    tuple of float
        First and last.

    Raises
    ------
    ValueError
        If it is neither; the numbers are the caller's to check.
    """
    try:
        values = np.asarray(temperature, dtype=float)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.shape not in ((), (1,), (2,)):
        raise ValueError(
            f"temperature={temperature!r}: must be one number, or two: that of the first move and "
            "that of the last"
        )
    first, last = np.broadcast_to(values, 2).tolist()
    return first, last


def apart(system: System, constraints: Sequence[Constraint], repair: bool) -> tuple[Atoms, int]:
    """Return the start with no atoms closer than allowed.

    Parameters
    ----------
    system : System
        The structure.
    constraints : sequence of Constraint
        The minimum distances, and which atoms are fixed.
    repair : bool
        Whether atoms that are too close may be pushed apart.

    Returns
    -------
    atoms : ase.Atoms
        The start.
    moved : int
        Number of atoms that were moved.

    Raises
    ------
    ValueError
        If atoms are too close and may not be moved, or cannot be moved apart, or overlap.
    """
    atoms, moved = _apart(system, constraints, repair)
    neighbours(atoms, OVERLAP)  # names atoms on one place, of pairs that have no minimum distance
    return atoms, moved


def _apart(system: System, constraints: Sequence[Constraint], repair: bool) -> tuple[Atoms, int]:
    atoms = system.start.copy()
    limits = system.minimum_distances(constraints)
    cutoffs = {
        (a, b): limits[system.symbols.index(a), system.symbols.index(b)]
        for a, b in system.pairs
        if limits[system.symbols.index(a), system.symbols.index(b)] > 0
    }
    if not cutoffs:
        return atoms, 0
    # ASE's search takes atoms on top of each other, which the one of core refuses.
    first, second, distances = neighbor_list("ijd", atoms, cutoffs)
    once = np.flatnonzero(first < second)
    if once.size == 0:
        return atoms, 0
    names = atoms.get_chemical_symbols()
    nearest = once[np.argsort(distances[once], kind="stable")][:_NAMED]
    listed = ", ".join(
        f"{names[i]}{i}-{names[j]}{j} {d:.3f} Å"
        for i, j, d in zip(first[nearest], second[nearest], distances[nearest], strict=True)
    )
    listed += ", ..." if once.size > _NAMED else ""
    if not repair:
        raise ValueError(
            f"atoms: {once.size} pairs are closer than the minimum distances: {listed}; use "
            "repair=True to push them apart, or smaller distances"
        )
    fixed = [list(c.indices) for c in constraints if isinstance(c, FixedAtoms)]
    if not _push_apart(atoms, cutoffs, [i for listed_ in fixed for i in listed_]):
        raise ValueError(
            f"atoms: {once.size} pairs are closer than the minimum distances ({listed}) and "
            f"cannot be pushed apart in {_SWEEPS} steps; use smaller distances"
        )
    return atoms, int(np.any(atoms.positions != system.start.positions, axis=1).sum())


def _push_apart(
    atoms: Atoms, cutoffs: Mapping[tuple[str, str], float], fixed: Sequence[int]
) -> bool:
    """Push pairs apart along the line between them, until none is too close."""
    random = np.random.default_rng(0)
    symbols = atoms.get_chemical_symbols()
    free = np.ones(len(atoms))
    free[list(fixed)] = 0.0
    for _ in range(_SWEEPS):
        first, second, distances, vectors = neighbor_list("ijdD", atoms, cutoffs)
        if first.size == 0:
            return True
        wanted = np.array(
            [
                cutoffs.get((symbols[i], symbols[j])) or cutoffs[symbols[j], symbols[i]]
                for i, j in zip(first, second, strict=True)
            ]
        )
        on_top = distances < 1e-6
        vectors[on_top] = random.normal(size=(int(on_top.sum()), 3))
        vectors /= np.linalg.norm(vectors, axis=1)[:, None]
        # Both atoms of a pair go half of the way, or the free one all of it.
        share = free[first] / np.maximum(free[first] + free[second], 1.0)
        step = (wanted - distances + _MARGIN) * share
        np.add.at(atoms.positions, first, -vectors * step[:, None])
    return False
