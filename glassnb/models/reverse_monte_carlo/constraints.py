"""What a model has to satisfy besides diffraction data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from glassnb.models.potentials import PairPotential
from glassnb.models.potentials import potential as find_potential
from glassnb.models.properties import BOND

__all__ = [
    "BondAngle",
    "Constraint",
    "Coordination",
    "FixedAtoms",
    "MinimumDistance",
    "PotentialEnergy",
]

# What need not be said. Silicon has four oxygen neighbours in every silicate at ambient pressure,
# at the angles of a regular tetrahedron; how many silicon atoms stand around oxygen depends on the
# composition. By centre and neighbour, and by the three atoms of an angle.
_SHELLS: dict[tuple[str, str], dict[str, Any]] = {
    ("Si", "O"): {"range": (0.0, BOND), "number": 4},
    ("O", "Si"): {"range": (0.0, BOND)},
}
_ANGLES: dict[tuple[str, str, str], dict[str, Any]] = {
    ("O", "Si", "O"): {"angle": 109.47, "sigma": 10.0, "cutoff": BOND},
}


@dataclass(frozen=True)
class MinimumDistance:
    """Distances below which no pair of atoms may come. A move that breaks this is rejected.

    Parameters
    ----------
    distances : dict
        In Å by pair of symbols, such as ``{("Si", "O"): 1.4, ("O", "O"): 2.2}``. What holds for
        pairs that are not named, ``keep_apart`` of :class:`ReverseMonteCarlo` says.

    Raises
    ------
    ValueError
        If a distance is not positive or a key is no pair.
    """

    distances: Mapping[tuple[str, str], float]

    def __post_init__(self) -> None:
        if not isinstance(self.distances, Mapping) or not self.distances:
            raise ValueError(
                f'distances={self.distances!r}: must be a dict such as {{("Si", "O"): 1.4}}'
            )
        tidy: dict[tuple[str, str], float] = {}
        for key, value in self.distances.items():
            pair = tuple(key.split("-")) if isinstance(key, str) else tuple(key)
            if len(pair) != 2:
                raise ValueError(f'distances: key {key!r} must be a pair such as ("Si", "O")')
            if pair in tidy or pair[::-1] in tidy:
                raise ValueError(f"distances: the pair {pair[0]}-{pair[1]} stands there twice")
            tidy[pair[0], pair[1]] = positive(f"distances[{pair[0]}-{pair[1]}]", value, "Å")
        object.__setattr__(self, "distances", tidy)


@dataclass(frozen=True)
class Coordination:
    """How many atoms of one species stand around each atom of another.

    The cost in chi-squared is ``weight * |n - fraction * n_centres|``, with ``n`` the number of
    centres whose number of neighbours is allowed: ``weight`` for each atom short, or in excess.

    Parameters
    ----------
    centre, neighbour : str
        Chemical symbols.
    range : tuple of float, optional
        Distances in Å from which (included) to which (excluded) an atom counts. Only for Si and O
        may it be omitted: 0 to 2.2 Å.
    number : int or sequence of int, optional
        The number of neighbours that is allowed, or several. Only for O around Si may it be
        omitted: 4.
    fraction : float
        Share of the centres that shall have it, 0 to 1.
    weight : float
        Cost per atom.
    name : str, optional
        How reports call it; made from the rest when omitted.

    Raises
    ------
    ValueError
        If a value is out of range, or range or number is missing.
    """

    centre: str
    neighbour: str
    range: tuple[float, float] = None  # type: ignore[assignment]
    number: int | Sequence[int] = None  # type: ignore[assignment]
    fraction: float = 1.0
    weight: float = 100.0
    name: str | None = None

    def __post_init__(self) -> None:
        _complete(
            self,
            _SHELLS.get((self.centre, self.neighbour), {}),
            f"{self.neighbour} around {self.centre}",
            {"range": "(0, 2.2)", "number": "4, or several, (3, 4)"},
        )
        low, high = (float(value) for value in self.range)
        if not 0 <= low < high < np.inf:
            raise ValueError(f"range={self.range}: must be two rising distances in Å")
        numbers = np.atleast_1d(np.asarray(self.number))
        if numbers.size == 0 or (numbers != np.rint(numbers)).any() or (numbers < 0).any():
            raise ValueError(f"number={self.number!r}: must be whole numbers, 0 or more")
        if not 0 <= self.fraction <= 1:
            raise ValueError(f"fraction={self.fraction}: must lie between 0 and 1")
        not_negative("weight", self.weight)
        object.__setattr__(self, "range", (low, high))
        object.__setattr__(self, "number", tuple(sorted({int(n) for n in numbers})))
        if self.name is None:
            words = " or ".join(str(n) for n in self.numbers)
            title = f"{self.centre} with {words} {self.neighbour}"
            object.__setattr__(self, "name", title)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of neighbours that are allowed."""
        return tuple(self.number)  # type: ignore[arg-type]


@dataclass(frozen=True)
class BondAngle:
    """An angle that bonds shall make.

    The cost in chi-squared is ``weight * sum ((cos(theta) - cos(angle)) / s)^2`` over all pairs of
    bonds of each centre, where ``s`` is the mean change of the cosine over ``sigma``: for small
    deviations, ``weight * sum ((theta - angle) / sigma)^2``.

    Parameters
    ----------
    first, centre, last : str
        Chemical symbols; the angle is at the centre.
    angle : float, optional
        In degrees, from 0 to 180. Only for O-Si-O may it be omitted: 109.47.
    sigma : float, optional
        Standard deviation in degrees that costs 1 for each angle. Annealing to temperatures below 1
        makes the angles more alike than this. Only for O-Si-O may it be omitted: 10.
    cutoff : float, optional
        Longest bond in Å. Only for O-Si-O may it be omitted: 2.2.
    weight : float
        Factor on the cost.
    name : str, optional
        How reports call it; made from the symbols when omitted.

    Raises
    ------
    ValueError
        If a value is out of range, or angle, sigma or cutoff is missing.
    """

    first: str
    centre: str
    last: str
    angle: float = None  # type: ignore[assignment]
    sigma: float = None  # type: ignore[assignment]
    cutoff: float = None  # type: ignore[assignment]
    weight: float = 1.0
    name: str | None = None

    def __post_init__(self) -> None:
        _complete(
            self,
            _ANGLES.get((self.first, self.centre, self.last), {}),
            f"{self.first}-{self.centre}-{self.last}",
            {"angle": "145 (degrees)", "sigma": "10 (degrees)", "cutoff": "2.2 (Å)"},
        )
        if not 0 <= self.angle <= 180:
            raise ValueError(f"angle={self.angle}: must lie between 0 and 180 degrees")
        if not 0 < self.sigma <= 90:
            raise ValueError(f"sigma={self.sigma}: must be above 0 and at most 90 degrees")
        positive("cutoff", self.cutoff, "Å")
        not_negative("weight", self.weight)
        if self.name is None:
            object.__setattr__(self, "name", f"{self.first}-{self.centre}-{self.last} angle")

    @property
    def scale(self) -> float:
        """Change of the cosine that costs 1."""
        middle, change = np.radians(self.angle), np.radians(self.sigma)
        up, down = np.cos(middle + change), np.cos(middle - change)
        return float(np.abs([up, down] - np.cos(middle)).mean())


@dataclass(frozen=True)
class FixedAtoms:
    """Atoms that never move.

    Parameters
    ----------
    indices : array_like of int
        Their indices in the structure.

    Raises
    ------
    ValueError
        If they are no list of whole numbers, 0 or more.
    """

    indices: Sequence[int]

    def __post_init__(self) -> None:
        listed = np.atleast_1d(np.asarray(self.indices))
        if listed.ndim != 1 or listed.dtype.kind not in "iu" or (listed < 0).any():
            raise ValueError(f"indices={self.indices!r}: must be indices of atoms, 0 or more")
        object.__setattr__(self, "indices", tuple(sorted({int(i) for i in listed})))


@dataclass(frozen=True)
class PotentialEnergy:
    """Potential energy as a constraint: hybrid reverse Monte Carlo.

    The cost in chi-squared is ``weight * 2 (E - E_start) / (k_B temperature)``, so that without
    other terms the structures follow the Boltzmann distribution at ``temperature``. The temperature
    of a run, by which all other costs are divided, leaves this one as it is.

    Parameters
    ----------
    potential : str or PairPotential
        Name for :func:`glassnb.models.potential`, or what it returns; pair potentials only.
    temperature : float
        In K.
    weight : float
        Factor on the cost.
    name : str
        How reports call it.

    Raises
    ------
    ValueError
        If the potential is none of pairs, or the temperature is not positive.
    """

    potential: str | PairPotential = "SHIK"
    temperature: float = 300.0
    weight: float = 1.0
    name: str = "potential energy"

    def __post_init__(self) -> None:
        known = find_potential(self.potential) if isinstance(self.potential, str) else None
        model = known or self.potential
        if not isinstance(model, PairPotential):
            raise ValueError(
                f"potential={getattr(model, 'name', model)!r}: must be a potential of pairs, such "
                "as SHIK, BKS or CHIK; others need more than the distances that change"
            )
        positive("temperature", self.temperature, "K")
        not_negative("weight", self.weight)
        object.__setattr__(self, "potential", model)


Constraint: TypeAlias = MinimumDistance | Coordination | BondAngle | FixedAtoms | PotentialEnergy


def _complete(
    constraint: Any, known: Mapping[str, Any], what: str, examples: Mapping[str, str]
) -> None:
    """Fill in what was left out and is known, or stop."""
    missing = [name for name in examples if getattr(constraint, name) is None]
    unknown = [name for name in missing if name not in known]
    if unknown:
        raise ValueError(
            f"{', '.join(f'{name}=None' for name in unknown)}: not known for {what}; give "
            + " and ".join(f"{name}=, such as {examples[name]}" for name in unknown)
        )
    for name in missing:
        object.__setattr__(constraint, name, known[name])


def positive(name: str, value: Any, unit: str) -> float:
    """Return a positive, finite number, or stop."""
    if not (isinstance(value, Real) and 0 < float(value) < np.inf):
        raise ValueError(f"{name}={value!r}: must be a positive number ({unit})")
    return float(value)


def not_negative(name: str, value: Any) -> float:
    """Return a finite number that is not negative, or stop."""
    if not (isinstance(value, Real) and 0 <= float(value) < np.inf):
        raise ValueError(f"{name}={value!r}: must be a number, 0 or more")
    return float(value)
