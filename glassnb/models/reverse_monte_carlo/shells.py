"""Neighbour shells: what coordination and bond angles are counted from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glassnb.core.neighbours import neighbours
from glassnb.models.reverse_monte_carlo import _kernels
from glassnb.models.reverse_monte_carlo.constraints import BondAngle, Constraint, Coordination
from glassnb.models.reverse_monte_carlo.system import System

__all__ = ["Shells"]

# kind of shell, and the four numbers of the kernel:
# coordination: weight, wanted number of centres; angle: weight / scale^2, the two ends, cosine


class Shells:
    """One shell for each coordination and each angle, with the neighbours of every centre.

    Parameters
    ----------
    system : System
        The structure.
    constraints : sequence of Constraint
        Others than coordination and angle are passed over.
    """

    def __init__(self, system: System, constraints: Sequence[Constraint]) -> None:
        kept = [c for c in constraints if isinstance(c, Coordination | BondAngle)]
        self.constraints: list[Coordination | BondAngle] = kept
        n, n_atoms, n_species = len(kept), len(system), len(system.symbols)
        self.kind = np.zeros(n, dtype=np.int64)
        self.centre = np.zeros(n, dtype=np.int64)
        self.ends = np.zeros((n, n_species), dtype=np.bool_)
        self.range2 = np.zeros((n, 2))
        self.values = np.zeros((n, 4))
        self.allowed = np.zeros((n, _kernels.CAPACITY + 1), dtype=np.int64)
        self.stamp = np.full((n, n_atoms), -1, dtype=np.int64)
        for s, constraint in enumerate(kept):
            self._describe(s, constraint, system)
        self.neighbours = np.zeros((n, n_atoms, _kernels.CAPACITY), dtype=np.int32)
        self.counts = np.zeros((n, n_atoms), dtype=np.int64)
        self.costs = np.zeros((n, n_atoms))
        self.n_allowed = np.zeros(n, dtype=np.int64)
        self.fill(system)

    def _describe(self, s: int, constraint: Coordination | BondAngle, system: System) -> None:
        owner = f"{type(constraint).__name__} {constraint.name!r}"
        centre = self.centre[s] = system.index(constraint.centre, owner)
        if isinstance(constraint, Coordination):
            low, high = constraint.range
            if max(constraint.numbers) > _kernels.CAPACITY:
                raise ValueError(f"{owner}: number must be at most {_kernels.CAPACITY}")
            self.kind[s] = _kernels.COORDINATION
            self.ends[s, system.index(constraint.neighbour, owner)] = True
            n_centres = system.starts[centre + 1] - system.starts[centre]
            self.values[s, :2] = constraint.weight, constraint.fraction * n_centres
            self.allowed[s, list(constraint.numbers)] = 1
        else:
            low, high = 0.0, constraint.cutoff
            ends = [system.index(symbol, owner) for symbol in (constraint.first, constraint.last)]
            self.kind[s] = _kernels.ANGLE
            self.ends[s, ends] = True
            cosine = np.cos(np.radians(constraint.angle))
            self.values[s] = constraint.weight / constraint.scale**2, *ends, cosine
        self.range2[s] = low**2, system.within_reach(high, owner) ** 2

    def weights(self) -> dict[str, float]:
        """Return the weight of each constraint."""
        rows = zip(self.constraints, self.values[:, 0].tolist(), strict=True)
        return {
            str(c.name): value * (c.scale**2 if isinstance(c, BondAngle) else 1.0)
            for c, value in rows
        }

    def set_weight(self, name: str, weight: float) -> bool:
        """Change the weight of a constraint; return whether there is one of that name."""
        for s, constraint in enumerate(self.constraints):
            if constraint.name == name:
                angle = isinstance(constraint, BondAngle)
                self.values[s, 0] = weight / (constraint.scale**2 if angle else 1.0)  # type: ignore[union-attr]
                return True
        return False

    def fill(self, system: System) -> None:
        """Find all neighbours again."""
        if not self.constraints:
            return
        atoms = system.atoms()
        place = np.empty(len(system), dtype=np.int64)
        place[system.order] = np.arange(len(system))
        cutoffs: dict[tuple[str, str], float] = {}
        for s in range(len(self.constraints)):
            for end in np.flatnonzero(self.ends[s]):
                pair = system.pairs[system.pair_index[self.centre[s], end]]
                cutoffs[pair] = max(cutoffs.get(pair, 0.0), float(np.sqrt(self.range2[s, 1])))
        found = neighbours(atoms, cutoffs)
        centres, ends = place[found.centres], place[found.indices]
        squared = found.distances**2
        for s, constraint in enumerate(self.constraints):
            low, high = self.range2[s]
            use = (system.species[centres] == self.centre[s]) & self.ends[s, system.species[ends]]
            use &= (squared >= low) & (squared < high)
            rows = np.lexsort((ends[use], centres[use]))
            i, j = centres[use][rows], ends[use][rows]
            self.counts[s] = np.bincount(i, minlength=len(system))
            if self.counts[s].max() > _kernels.CAPACITY - 8:
                raise ValueError(
                    f"{type(constraint).__name__} {constraint.name!r}: an atom has "
                    f"{self.counts[s].max()} neighbours within {np.sqrt(high):.2f} Å; use a range "
                    f"that holds at most {_kernels.CAPACITY - 8}"
                )
            first = np.concatenate([[0], np.cumsum(self.counts[s])])[i]
            self.neighbours[s, i, np.arange(i.size) - first] = j
            block = slice(system.starts[self.centre[s]], system.starts[self.centre[s] + 1])
            self.n_allowed[s] = self.allowed[s, self.counts[s, block]].sum()
        self.update_costs(system)

    def update_costs(self, system: System) -> None:
        """Compute the cost of every angle again."""
        _kernels.all_angle_costs(system.fractional, system.box, self.arrays)

    @property
    def arrays(self) -> _kernels.Neighbourhood:
        """What the kernel needs."""
        return _kernels.Neighbourhood(
            self.kind, self.centre, self.ends, self.range2, self.values, self.allowed,
            self.n_allowed, self.neighbours, self.counts, self.costs, self.stamp,
        )  # fmt: skip

    def terms(self) -> dict[str, float]:
        """Return the cost of each constraint."""
        found = {}
        for s, constraint in enumerate(self.constraints):
            weight, wanted = self.values[s, :2]
            if isinstance(constraint, Coordination):
                cost = weight * abs(self.n_allowed[s] - wanted)
            else:
                cost = weight * self.costs[s].sum()
            found[str(constraint.name)] = float(cost)
        return found
