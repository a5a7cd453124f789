"""What a molecular-dynamics run goes through: stages of temperature and pressure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = [
    "CoolingRate",
    "Protocol",
    "Stage",
    "cooling_stages",
    "finite",
    "number",
    "rate_words",
    "steps_of",
    "switch",
    "whole",
]

#: K/ps; or several (temperature, rate): the rate at which to cool down to that temperature.
CoolingRate = float | Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Stage:
    """A part of a run in which temperature and pressure change linearly.

    Parameters
    ----------
    name : str
        Name of the stage in the record.
    steps : int
        Number of time steps.
    temperature : tuple of float
        At the start and at the end, in K.
    pressure : tuple of float or None
        At the start and at the end, in GPa; ``None`` for a fixed box.
    keep : str
        Label under which the structure at its end is kept as a result; none when empty.
    """

    name: str
    steps: int
    temperature: tuple[float, float]
    pressure: tuple[float, float] | None
    keep: str = ""

    @property
    def fix(self) -> str:
        """The Nosé-Hoover thermostat and barostat, as arguments of LAMMPS's ``fix``."""
        start, end = self.temperature
        thermostat = f"temp {start!r} {end!r} 0.1"  # relaxation times in ps
        if self.pressure is None:
            return f"nvt {thermostat}"
        low, high = (1.0e4 * p for p in self.pressure)  # bar
        return f"npt {thermostat} iso {low!r} {high!r} 1.0"


@dataclass(frozen=True)
class Protocol:
    """The stages of a run, and how it is done and recorded.

    Parameters
    ----------
    stages : tuple of Stage
        In order.
    timestep : float
        In fs.
    record_every : int
        Steps between two records of the thermodynamics.
    snapshots : int
        Number of structures to keep.
    seed : int
        Seed of the velocities.
    minimise : bool
        Whether the potential energy is minimised at the end, in a fixed box.
    hottest : str
        Argument that sets the highest temperature: what to change when a run becomes unstable.
    """

    stages: tuple[Stage, ...]
    timestep: float
    record_every: int
    snapshots: int
    seed: int
    minimise: bool
    hottest: str = "melt_temperature"

    @property
    def steps(self) -> int:
        """Number of time steps of all stages."""
        return sum(stage.steps for stage in self.stages)


def rate_words(rate: CoolingRate) -> str:
    """Return a cooling rate, or the range of several, in K/ps and in K/s.

    Parameters
    ----------
    rate : float or sequence of (float, float)
        In K/ps; or pairs of a temperature and the rate down to it.

    Returns
    -------
    str
        Such as ``"50 K/ps (5e+13 K/s)"``.
    """
    rates = [rate] if isinstance(rate, (int, float, np.number)) else [speed for _, speed in rate]
    ends = sorted({min(rates), max(rates)})
    per_ps, per_s = (" to ".join(f"{factor * end:.3g}" for end in ends) for factor in (1, 1e12))
    return f"{per_ps} K/ps ({per_s} K/s)"


def steps_of(time: float, timestep: float) -> int:
    """Return how many steps of ``timestep`` (fs) make ``time`` (ps)."""
    return max(1, round(1000 * time / timestep)) if time > 0 else 0


def cooling_stages(
    start: float,
    end: float,
    rate: CoolingRate,
    pressure: float,
    timestep: float,
    *,
    name: str = "quench",
    arguments: tuple[str, str, str] = ("cooling_rate", "melt_temperature", "quench_temperature"),
) -> tuple[Stage, ...]:
    """Return the stages that cool from one temperature to another at constant pressure.

    Parameters
    ----------
    start, end : float
        Temperatures in K.
    rate : float or sequence of (float, float)
        Cooling rate in K/ps; or pairs of a temperature and the rate down to it, the last of
        which must be ``end``.
    pressure : float
        In GPa.
    timestep : float
        In fs.
    name : str
        Name of the stages.
    arguments : tuple of str
        Names of the arguments that hold the rate, the start and the end, for messages.

    Returns
    -------
    tuple of Stage
        One stage per rate.

    Raises
    ------
    ValueError
        If a rate is not positive, or the temperatures do not descend to ``end``.
    """
    argument, from_argument, to_argument = arguments
    if isinstance(rate, (int, float, np.number)):
        schedule = [(end, float(rate))]
    else:
        try:
            schedule = [(float(t), float(r)) for t, r in rate]
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{argument}={rate!r}: must be a rate in K/ps, or pairs such as "
                "((1500, 10), (300, 50)) of a temperature in K and the rate down to it"
            ) from error
    temperatures = [start, *(t for t, _ in schedule)]
    falls = all(a > b for a, b in zip(temperatures, temperatures[1:], strict=False))
    if not falls or temperatures[-1] != end:
        raise ValueError(
            f"{argument}={rate!r}: the temperatures must fall from {from_argument}={start} K "
            f"to {to_argument}={end} K, which must be the last one"
        )
    stages = []
    for above, (below, speed) in zip(temperatures, schedule, strict=False):
        number(argument, speed, "K/ps")
        steps = steps_of((above - below) / speed, timestep)
        stages.append(Stage(name, steps, (above, below), (pressure, pressure)))
    return tuple(stages)


def number(name: str, value: float, unit: str, *, zero: bool = False) -> float:
    """Return ``value`` as a float that is positive (or zero), or say that it must be one."""
    found = finite(name, value, unit)
    if found < 0 or (found == 0 and not zero):
        allowed = "0 or a positive number" if zero else "a positive number"
        raise ValueError(f"{name}={value!r}: must be {allowed} ({unit})")
    return found


def finite(name: str, value: float, unit: str) -> float:
    """Return ``value`` as a finite float, or say that it must be one."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"{name}={value!r}: must be a finite number ({unit})")
    return found


def switch(name: str, value: bool) -> bool:
    """Return ``value`` as a bool, or say that it must be one: words would all count as true."""
    if not isinstance(value, bool | int | np.bool_) or value not in (0, 1):
        raise ValueError(f"{name}={value!r}: must be True or False")
    return bool(value)


def whole(name: str, value: int, lowest: int, highest: int | None = None) -> int:
    """Return ``value`` as an int between limits, or say that it must be one."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{name}={value!r}: must be a whole number")
    if value < lowest or (highest is not None and value > highest):
        limits = f"at least {lowest}" + ("" if highest is None else f" and at most {highest}")
        raise ValueError(f"{name}={value}: must be {limits}")
    return int(value)
