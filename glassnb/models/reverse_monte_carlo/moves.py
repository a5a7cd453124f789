"""Which moves are tried, how often, and how far they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnb.models.reverse_monte_carlo import _kernels
from glassnb.models.reverse_monte_carlo.constraints import Constraint, Coordination, positive
from glassnb.models.reverse_monte_carlo.system import System

__all__ = ["KINDS", "Moves"]

#: Names of the moves, in the order of the kernel.
KINDS = ("single", "swap", "tetrahedron")
_SMALLEST, _LARGEST = 0.001, 1.0  # Å, sizes between which the acceptance is sought


class Moves:
    """The mix of moves, their sizes, and how many were tried and accepted.

    Parameters
    ----------
    system : System
        The structure.
    constraints : sequence of Constraint
        Fixed atoms, and the coordination that says what a tetrahedron is.
    shares : dict
        How often each kind of move is tried, relative to the others.
    size : float
        Largest displacement along each axis in Å.
    target : float or None
        Wanted acceptance; sizes stay as they are for None.
    """

    def __init__(
        self,
        system: System,
        constraints: Sequence[Constraint],
        shares: Mapping[str, float],
        size: float,
        target: float | None,
    ) -> None:
        positive("move_size", size, "Å")
        if target is not None and not 0 < target < 1:
            raise ValueError(f"target_acceptance={target}: must lie between 0 and 1, or be None")
        self.target = target
        self.shares = _checked_shares(shares)
        self.sizes = np.array([size, 0.0, size])
        self.tried = np.zeros(3, dtype=np.int64)
        self.accepted = np.zeros(3, dtype=np.int64)
        self.movable = system.movable(constraints)
        self.movable_starts = np.searchsorted(self.movable, system.starts).astype(np.int64)
        self.fixed = np.ones(len(system), dtype=np.bool_)
        self.fixed[self.movable] = False
        self.unit = np.zeros(3)  # species of the centre, of its neighbours, and reach² in Å²
        if self.shares[_kernels.UNIT] > 0:
            self.unit = _unit(system, constraints, self.movable_starts)
        if self.shares[_kernels.SWAP] > 0 and np.sum(np.diff(self.movable_starts) > 0) < 2:
            raise ValueError("moves: 'swap' needs movable atoms of two species")

    @property
    def arrays(self) -> _kernels.Choice:
        """What the kernel needs."""
        return _kernels.Choice(
            self.movable, self.movable_starts, self.fixed, self.shares, self.sizes, self.unit,
            self.tried, self.accepted,
        )  # fmt: skip

    def adapt(self, tried: NDArray[np.int64], accepted: NDArray[np.int64]) -> None:
        """Bring the acceptance nearer to the target, after a block with these numbers."""
        if self.target is None:
            return
        for kind in (_kernels.SINGLE, _kernels.UNIT):
            if tried[kind] >= 50:
                rate = accepted[kind] / tried[kind]
                self.sizes[kind] *= np.exp(np.clip(rate - self.target, -0.3, 0.3))
        self.sizes = np.clip(self.sizes, _SMALLEST, _LARGEST)


def _checked_shares(shares: Mapping[str, float]) -> NDArray[np.float64]:
    unknown = sorted(set(shares) - set(KINDS))
    if unknown or not shares:
        raise ValueError(f"moves={dict(shares)!r}: names must be of {', '.join(KINDS)}")
    values = np.array([float(shares.get(kind, 0.0)) for kind in KINDS])
    if not np.isfinite(values).all() or (values < 0).any() or values.sum() == 0:
        raise ValueError(f"moves={dict(shares)!r}: shares must be positive numbers")
    return values / values.sum()


def _unit(
    system: System, constraints: Sequence[Constraint], movable_starts: NDArray[Any]
) -> NDArray[np.float64]:
    """Take the rigid unit from the first coordination."""
    for constraint in constraints:
        if isinstance(constraint, Coordination):
            owner = "moves: 'tetrahedron'"
            centre = system.index(constraint.centre, owner)
            end = system.index(constraint.neighbour, owner)
            reach = system.within_reach(constraint.range[1], owner)
            if centre == end or movable_starts[centre] == movable_starts[centre + 1]:
                raise ValueError(
                    f"{owner}: needs movable {constraint.centre} with neighbours of another "
                    "species; the first Coordination says which"
                )
            return np.array([centre, end, reach**2])
    raise ValueError(
        "moves: 'tetrahedron' moves a centre with its neighbours; add a Coordination to the "
        "constraints, which says what they are"
    )
