"""What a refinement takes from its start: how near atoms may come, and whether the data fit it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from ase import Atoms

from glassnb.core.callers import warn
from glassnb.core.structure import mass_density, number_density
from glassnb.models.reverse_monte_carlo import _kernels
from glassnb.models.reverse_monte_carlo.constraints import (
    Constraint,
    MinimumDistance,
    not_negative,
)
from glassnb.models.reverse_monte_carlo.data import Data, PairDistributionData
from glassnb.models.reverse_monte_carlo.system import System

__all__ = ["check_material", "chosen_width", "closest_approach", "of_model"]

_SHARE = 0.9  # of the shortest distance: room for a start at rest, such as a crystal, to spread
# Atoms at random would be as far apart as the closest pair with a probability of exp(-_EXPECTED):
# a gap that chance does not explain.
_EXPECTED = 10.0
_WIDTH, _FINEST = 0.05, 0.002  # Å, of the distance bins
_ABOUT = 1.01  # a whole number of bins makes up a range, so that their width is not quite as asked


def closest_approach(
    system: System, constraints: Sequence[Constraint]
) -> tuple[MinimumDistance | None, list[str]]:
    """Take minimum distances from the start, for pairs of species that have none.

    They are a tenth below the shortest distance of the start, in whole 0.01 Å. A pair of species
    gets none where its shortest distance says nothing: where atoms placed at random would not have
    come closer, as two rare species, or a start without any order, do not.

    Parameters
    ----------
    system : System
        The start.
    constraints : sequence of Constraint
        Pairs of a :class:`MinimumDistance` among them are passed over.

    Returns
    -------
    distances : MinimumDistance or None
        None if no pair gets one.
    assumed : list of str
        What was assumed, in words.
    """
    given = [set(p) for c in constraints if isinstance(c, MinimumDistance) for p in c.distances]
    shortest = np.sqrt(_kernels.closest(system.fractional, system.box))
    numbers = np.diff(system.starts)
    found: dict[tuple[str, str], float] = {}
    without = []
    for (a, b), distance in zip(system.pairs, shortest.tolist(), strict=True):
        if {a, b} in given:
            continue
        n, m = (int(numbers[system.symbols.index(symbol)]) for symbol in (a, b))
        pairs = n * m if a != b else n * (n - 1) // 2
        expected = pairs * 4 / 3 * np.pi * distance**3 / system.volume
        if expected >= _EXPECTED and distance <= system.reach:
            found[a, b] = np.floor(100 * _SHARE * distance) / 100
        else:
            without.append(f"{a}-{b}")
    assumed = []
    if found:
        words = ", ".join(f"{a}-{b} {distance:.2f}" for (a, b), distance in found.items())
        assumed.append(f"minimum distances {words} Å (a tenth below the shortest of the start)")
    if without:
        assumed.append(f"no minimum distance of {', '.join(without)} (the start tells none)")
    return (MinimumDistance(found) if found else None), assumed


def chosen_width(data: Iterable[Data], given: float | None) -> tuple[float, list[str]]:
    """Choose how wide the distance bins are, and warn if they smear out what the data resolve.

    Only pair functions without ``q_max`` count: they are compared with the histogram as it is.

    Parameters
    ----------
    data : iterable of Data
        The data sets, checked.
    given : float or None
        Width in Å that was asked for.

    Returns
    -------
    width : float
        In Å; the one given, else 0.05 or the smallest step of the data, at least 0.002.
    assumed : list of str
        What was assumed, in words; empty where the width is 0.05 or given.
    """
    steps = {
        str(item.name): float(np.diff(item.points).min())
        for item in data
        if isinstance(item, PairDistributionData) and item.q_max is None
    }
    name = min(steps, key=lambda name: steps[name], default="")
    step = steps.get(name, _WIDTH)
    width = max(_FINEST, min(_WIDTH, step)) if given is None else given
    if width > step * _ABOUT and name:
        warn(
            f"bin_width={width:.4g} Å: is coarser than the step of {name!r}, {step:.4g} Å, which "
            "is compared with the histogram as it is, so that the model cannot follow its peaks; "
            f"set bin_width={step:.4g}, or give data in such steps"
        )
    if given is None and width < _WIDTH:
        return width, [f"bin_width {width:.4g} Å (the step of {name})"]
    return width, []


def check_material(data: Iterable[Data], atoms: Atoms, tolerance: float | None) -> None:
    """Stop on data of another density or composition than the start.

    Parameters
    ----------
    data : iterable of Data
        The data sets; those that do not know what they are of are passed over.
    atoms : ase.Atoms
        The start.
    tolerance : float or None
        Largest relative difference of the densities, and largest difference of a concentration;
        None for any.

    Raises
    ------
    ValueError
        If they differ by more.
    """
    if tolerance is None:
        return
    not_negative("density_tolerance", tolerance)
    symbols, counts = np.unique(atoms.get_chemical_symbols(), return_counts=True)
    own = _shares(dict(zip(symbols.tolist(), counts.tolist(), strict=True)))
    density, mass = number_density(atoms), mass_density(atoms)
    for item in data:
        if item.composition is not None:
            other = _shares(item.composition)
            if any(abs(own.get(s, 0) - other.get(s, 0)) > tolerance for s in {*own, *other}):
                raise ValueError(
                    f"data: {item.name!r} is of {_words(other)}, atoms of {_words(own)}; start "
                    "from a model of the composition of the data, or set density_tolerance=None"
                )
        ratio = 1.0 if item.density is None else density / item.density
        if abs(ratio - 1) > tolerance:
            raise ValueError(
                f"data: {item.name!r} is of {item.density:.4f} atoms per Å³ "
                f"({mass / ratio:.3f} g/cm³), atoms has {density:.4f} ({mass:.3f} g/cm³), and a "
                "refinement keeps its cell; start from a model of the density of the data, such "
                f"as this one after atoms.set_cell(atoms.cell * {np.cbrt(ratio):.6g}, "
                "scale_atoms=True), or set density_tolerance="
                f"{np.ceil(100 * abs(ratio - 1)) / 100:g}"
            )


def of_model(item: Data, symbols: Sequence[str]) -> Data:
    """Leave out isotopes of elements that the data know to have, but the model has not.

    Parameters
    ----------
    item : Data
        A data set, the composition of which has been compared.
    symbols : sequence of str
        Elements of the model.

    Returns
    -------
    Data
        The data set for this model.
    """
    if item.composition is None or item.isotopes is None:
        return item
    return replace(item, isotopes={s: n for s, n in item.isotopes.items() if s in symbols})


def _shares(composition: Mapping[str, float]) -> dict[str, float]:
    total = sum(composition.values())
    return {symbol: number / total for symbol, number in composition.items()}


def _words(shares: Mapping[str, float]) -> str:
    return " ".join(f"{symbol} {100 * share:.4g} %" for symbol, share in sorted(shares.items()))
