"""The potential energy of hybrid reverse Monte Carlo, as tables for the kernel."""

from __future__ import annotations

import numpy as np
from ase import units

from glassnb.models.potentials import PairPotential
from glassnb.models.reverse_monte_carlo import _kernels
from glassnb.models.reverse_monte_carlo.constraints import PotentialEnergy
from glassnb.models.reverse_monte_carlo.system import System

__all__ = ["Energy"]

_START = 0.5  # Å; below, the energy is that of this distance: no accepted structure is there
_NODES = 4000  # equally spaced in r²; cubic pieces between them are exact to about 1e-7 eV


class Energy:
    """Energy since the start, and the tables it comes from; without a constraint, nothing.

    Parameters
    ----------
    system : System
        The structure.
    constraint : PotentialEnergy or None
        Which potential, and what it costs.
    """

    def __init__(self, system: System, constraint: PotentialEnergy | None) -> None:
        self.constraint = constraint
        self.tables = np.empty((0, 0, 2))
        self.grid = np.zeros(4)  # first r², step in r², last r², cost per eV
        self.since_start = np.zeros(1)  # eV
        if constraint is None:
            return
        model = constraint.potential
        assert isinstance(model, PairPotential)
        for symbol in system.symbols:
            if symbol not in model.species:
                raise ValueError(
                    f"PotentialEnergy: {model.name} has no parameters for {symbol}, only for "
                    f"{', '.join(model.species)}"
                )
        system.within_reach(model.cutoff, f"PotentialEnergy {model.name!r}, cutoff")
        squares = np.linspace(_START**2, model.cutoff**2, _NODES)
        r, step = np.sqrt(squares), squares[1] - squares[0]
        self.tables = np.empty((len(system.pairs), _NODES, 2))
        for k, (a, b) in enumerate(system.pairs):
            self.tables[k, :, 0] = model.pair_energy(a, b, r)
            self.tables[k, :, 1] = -model.pair_force(a, b, r) / (2 * r) * step
        self.grid[:3] = squares[0], step, squares[-1]
        self.set_weight(constraint.name, constraint.weight)

    def weights(self) -> dict[str, float]:
        """Return the weight of the constraint, if there is one."""
        if self.constraint is None:
            return {}
        cost = 2 / (units.kB * self.constraint.temperature)
        return {self.constraint.name: float(self.grid[3] / cost)}

    def set_weight(self, name: str, weight: float) -> bool:
        """Change the weight; return whether the constraint has that name."""
        if self.constraint is None or self.constraint.name != name:
            return False
        self.grid[3] = weight * 2 / (units.kB * self.constraint.temperature)
        return True

    @property
    def arrays(self) -> _kernels.Table:
        """What the kernel needs."""
        return _kernels.Table(self.tables, self.grid, self.since_start)

    def terms(self) -> dict[str, float]:
        """Return the cost in chi-squared."""
        if self.constraint is None:
            return {}
        return {self.constraint.name: float(self.since_start[0] * self.grid[3])}

    def total(self, system: System) -> float:
        """Return the energy of the present structure in eV."""
        return float(_kernels.total_energy(system.fractional, system.box, self.arrays))
