"""Interatomic potentials of silica: as published, as tables for LAMMPS, or as lines of its input.

The parameters stand in ``glassnb/data/potentials.toml``, with their sources and the formula that
all pair potentials share: a Buckingham term with a core, and the undamped Wolf sum for the charges.
"""

from __future__ import annotations

import os
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import units

from glassnb.core.provenance import atomic_path

__all__ = ["LammpsPotential", "PairParameters", "PairPotential", "Potential", "potential"]

FloatArray = npt.NDArray[np.float64]

COULOMB = units.Hartree * units.Bohr  # e^2 / (4 pi epsilon_0) in eV Å
# A table ends far inside any distance that atoms reach; LAMMPS stops where a pair is closer.
TABLE_START = 0.5
TABLE_POINTS = 4000


@dataclass(frozen=True)
class PairParameters:
    """Short-range parameters of one pair of species.

    Parameters
    ----------
    A : float
        Strength of the exponential repulsion in eV.
    B : float
        Its decay in Å⁻¹.
    C : float
        Strength of the r⁻⁶ attraction in eV Å⁶.
    D : float
        Strength of the r⁻²⁴ core in eV Å²⁴.
    join : float
        Radius in Å below which a cubic replaces the formula, with its value, slope and curvature
        at this radius; 0 for none.
    wall : float
        Minus the third derivative of that cubic in eV/Å³.
    """

    A: float
    B: float
    C: float
    D: float
    join: float = 0.0
    wall: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Potential(ABC):
    """What an engine has to know of an interatomic potential.

    Parameters
    ----------
    name : str
        Name by which :func:`potential` finds it, or by which records call it.
    species : tuple of str
        Chemical symbols, in the order of LAMMPS's atom types.
    cutoff : float
        Largest distance in Å at which two atoms interact directly.
    title : str
        Authors and year.
    source : str
        Publication.
    formula : str
        The energy in words or symbols.
    needs_charges : bool
        Whether the atoms of the engine carry charges; the tables of a :class:`PairPotential` hold
        them.
    """

    name: str
    species: tuple[str, ...]
    cutoff: float
    title: str
    source: str
    formula: str
    needs_charges: bool = False

    @property
    def record(self) -> str | dict[str, Any]:
        """What a run notes: the name where :func:`potential` knows it, else every parameter."""
        known = self.name in _data() and self == potential(self.name)
        return self.name if known else asdict(self)

    @abstractmethod
    def lammps_commands(self, folder: str | os.PathLike[str]) -> list[str]:
        """Return the commands that define the potential in LAMMPS.

        Parameters
        ----------
        folder : path-like
            Existing folder for the files that LAMMPS reads; needed while the commands run only.

        Returns
        -------
        list of str
            Lines of LAMMPS input in metal units.
        """


@dataclass(frozen=True, kw_only=True)
class PairPotential(Potential):
    """A potential of pairs, with the formula of ``glassnb/data/potentials.toml``.

    Parameters
    ----------
    name : str
        See :class:`Potential`.
    species : tuple of str
        Chemical symbols, in the order of LAMMPS's atom types.
    cutoff : float
        Largest distance in Å at which two atoms interact directly.
    title, source, formula : str
        See :class:`Potential`.
    needs_charges : bool
        See :class:`Potential`.
    charges : dict of str to float
        Charge of each species in e.
    pairs : dict of (str, str) to PairParameters
        Short-range parameters, under both orders of the species.
    short_cutoff, short_smoothing : float
        Where the short-range part ends, and the width of its smoothing, in Å.
    coulomb_cutoff, coulomb_smoothing : float
        The same of the Coulomb part.
    """

    charges: Mapping[str, float]
    pairs: Mapping[tuple[str, str], PairParameters]
    short_cutoff: float
    short_smoothing: float
    coulomb_cutoff: float
    coulomb_smoothing: float

    def pair_energy(self, first: str, second: str, r: npt.ArrayLike) -> FloatArray:
        """Return the energy of two atoms.

        Parameters
        ----------
        first, second : str
            Chemical symbols.
        r : array_like
            Distances in Å, positive.

        Returns
        -------
        numpy.ndarray
            Energies in eV, of the shape of ``r``.

        Raises
        ------
        ValueError
            If a species has no parameters, or a distance is not positive.
        """
        return self._energy_and_slope(first, second, r)[0]

    def pair_force(self, first: str, second: str, r: npt.ArrayLike) -> FloatArray:
        """Return the force between two atoms, minus the derivative of the energy.

        Parameters
        ----------
        first, second : str
            Chemical symbols.
        r : array_like
            Distances in Å, positive.

        Returns
        -------
        numpy.ndarray
            Forces in eV/Å, of the shape of ``r``; positive is repulsive.

        Raises
        ------
        ValueError
            If a species has no parameters, or a distance is not positive.
        """
        return -self._energy_and_slope(first, second, r)[1]

    def write_table(
        self, path: str | os.PathLike[str], points: int = TABLE_POINTS
    ) -> tuple[float, float]:
        """Write the file that LAMMPS's ``pair_style table`` reads.

        The points are equally spaced in r², and are the nodes of LAMMPS's own table when it is
        given the same number of points: there, it holds the formula exactly.

        Parameters
        ----------
        path : path-like
            File to write; its sections are named ``Si-Si``, ``Si-O``, ``O-O``.
        points : int
            Number of points per pair, at least 100.

        Returns
        -------
        tuple of float
            First and last radius in Å.

        Raises
        ------
        ValueError
            If there are fewer than 100 points.
        """
        if points < 100:
            raise ValueError(f"points={points}: must be at least 100 for a usable table")
        r = np.sqrt(np.linspace(TABLE_START**2, self.cutoff**2, points))
        with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
            file.write(f"# UNITS: metal  {self.name}: {self.title}\n")
            for first, second in combinations_with_replacement(self.species, 2):
                energy, slope = self._energy_and_slope(first, second, r)
                start, stop = f"{TABLE_START!r} {self.cutoff!r}".split()
                file.write(f"\n{first}-{second}\nN {points} RSQ {start} {stop}\n\n")
                rows = zip(r.tolist(), energy.tolist(), (-slope).tolist(), strict=True)
                file.writelines(f"{i} {x!r} {e!r} {f!r}\n" for i, (x, e, f) in enumerate(rows, 1))
        return TABLE_START, self.cutoff

    def lammps_commands(self, folder: str | os.PathLike[str]) -> list[str]:
        """Return the commands that define the potential in LAMMPS, and write its table.

        Parameters
        ----------
        folder : path-like
            Existing folder for the table; needed while the commands run only.

        Returns
        -------
        list of str
            Lines of LAMMPS input in metal units.
        """
        table = Path(folder) / f"{self.name}.table"
        self.write_table(table)
        lines = [f"pair_style table spline {TABLE_POINTS}"]
        for i, j in combinations_with_replacement(range(len(self.species)), 2):
            section = f"{self.species[i]}-{self.species[j]}"
            lines.append(f'pair_coeff {i + 1} {j + 1} "{table}" {section} {self.cutoff}')
        return lines

    def _energy_and_slope(
        self, first: str, second: str, r: npt.ArrayLike
    ) -> tuple[FloatArray, FloatArray]:
        """Return V and dV/dr, with the wall inside the join."""
        parameters = self.pairs.get((first, second))
        if parameters is None:
            known = ", ".join(self.species)
            raise ValueError(f"pair {first}-{second}: {self.name} has parameters for {known} only")
        radius = np.asarray(r, dtype=float)
        if not np.all(radius > 0):
            raise ValueError(f"r: distances must be positive numbers in Å, got {np.min(radius)}")
        energy, slope = self._formula(first, second, np.maximum(radius, parameters.join))
        if not parameters.join:
            return energy, slope
        around = parameters.join + np.array([-1.0e-4, 1.0e-4])
        curvature = np.diff(self._formula(first, second, around)[1])[0] / 2.0e-4
        x = np.minimum(radius - parameters.join, 0.0)
        wall = parameters.wall * x
        energy += x * (slope + x * (curvature / 2 - wall / 6))
        return energy, slope + x * (curvature - wall / 2)

    def _formula(self, first: str, second: str, r: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return V and dV/dr as published."""
        p = self.pairs[first, second]
        shift = _buckingham(p, np.array(self.short_cutoff))[0]
        short, short_slope = _buckingham(p, r)
        s, s_slope = _smoothing(r, self.short_cutoff, self.short_smoothing)
        energy = (short - shift) * s
        slope = short_slope * s + (short - shift) * s_slope

        rc = self.coulomb_cutoff
        strength = COULOMB * self.charges[first] * self.charges[second]
        wolf = strength * (1 / r - 1 / rc + (r - rc) / rc**2)
        wolf_slope = strength * (1 / rc**2 - 1 / r**2)
        s, s_slope = _smoothing(r, rc, self.coulomb_smoothing)
        return energy + wolf * s, slope + wolf_slope * s + wolf * s_slope


@dataclass(frozen=True, kw_only=True)
class LammpsPotential(Potential):
    """A potential that LAMMPS has, with the lines of input that define it.

    Parameters
    ----------
    name : str
        By which the records of a run call it.
    species : tuple of str
        Chemical symbols, in the order of LAMMPS's atom types.
    cutoff : float
        Largest distance in Å at which two atoms interact directly.
    title, source, formula : str
        See :class:`Potential`.
    needs_charges : bool
        Whether the atoms carry charges (``atom_style charge``); the lines set them, for example
        ``set type 1 charge 2.4``.
    lines : tuple of str
        LAMMPS input in metal units, from ``pair_style`` on; ``{potentials}`` stands for LAMMPS's
        own potentials folder.

    Raises
    ------
    ValueError
        If there are no lines or species, or the cutoff is not positive.

    Examples
    --------
    >>> own = LammpsPotential(
    ...     name="mine",
    ...     species=("Si", "O"),
    ...     cutoff=3.0,
    ...     lines=("pair_style tersoff", 'pair_coeff * * "{potentials}/SiO.tersoff" Si O'),
    ... )
    >>> own.source
    'given by the user'
    """

    lines: tuple[str, ...]
    title: str = "lines of LAMMPS input"
    source: str = "given by the user"
    formula: str = "as the lines say"

    def __post_init__(self) -> None:
        """Check what a run would stumble over later."""
        for name in ("species", "lines"):
            value = getattr(self, name)
            if isinstance(value, str) or not all(isinstance(v, str) for v in value) or not value:
                raise ValueError(f"{name}={value!r}: must be several pieces of text, in a tuple")
            object.__setattr__(self, name, tuple(value))
        if not 0 < self.cutoff < float("inf"):
            raise ValueError(f"cutoff={self.cutoff!r}: must be a positive distance in Å")

    def lammps_commands(self, folder: str | os.PathLike[str]) -> list[str]:
        """Return the commands that define the potential in LAMMPS.

        Parameters
        ----------
        folder : path-like
            Not used: the files are those that LAMMPS brings.

        Returns
        -------
        list of str
            Lines of LAMMPS input in metal units.
        """
        from glassnb.models.lammps_engine import potentials_folder

        return [line.replace("{potentials}", str(potentials_folder())) for line in self.lines]


def potential(name: str = "SHIK") -> Potential:
    """Return an interatomic potential of silica.

    Parameters
    ----------
    name : str
        ``"SHIK"``, ``"BKS"``, ``"CHIK"`` (pair potentials with the Wolf sum), ``"Vashishta"`` (two-
        and three-body terms) or ``"Tersoff"`` (bond order).

    Returns
    -------
    Potential
        A :class:`PairPotential`, or a :class:`LammpsPotential` for the last two.

    Raises
    ------
    ValueError
        If there is no potential of that name.

    Examples
    --------
    >>> shik = potential("SHIK")
    >>> float(shik.pair_energy("Si", "O", 1.62).round(3))
    -11.573
    """
    data = _data()
    if name not in data:
        raise ValueError(f"potential={name!r}: must be one of {', '.join(data)}")
    return _from_data(name, data[name])


@cache
def _data() -> dict[str, Any]:
    file = resources.files("glassnb") / "data" / "potentials.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _from_data(name: str, data: Mapping[str, Any]) -> Potential:
    if "lines" in data:
        return LammpsPotential(name=name, **data)
    pairs = {}
    for label, values in data["pairs"].items():
        first, second = label.split("-")
        pairs[first, second] = pairs[second, first] = PairParameters(**values)
    short, coulomb = data["short_range"], data["coulomb"]
    return PairPotential(
        name=name,
        title=data["title"],
        species=tuple(data["charges"]),
        cutoff=max(short["cutoff"], coulomb["cutoff"]),
        source=data["source"],
        formula="(A exp(-B r) - C/r^6 + D/r^24 - shift) S + q q' e2 (1/r - 1/rc + (r-rc)/rc^2) S'",
        charges=dict(data["charges"]),
        pairs=pairs,
        short_cutoff=short["cutoff"],
        short_smoothing=short["smoothing"],
        coulomb_cutoff=coulomb["cutoff"],
        coulomb_smoothing=coulomb["smoothing"],
    )


def _buckingham(p: PairParameters, r: FloatArray) -> tuple[FloatArray, FloatArray]:
    repulsion = p.A * np.exp(-p.B * r)
    energy = repulsion - p.C / r**6 + p.D / r**24
    slope = -p.B * repulsion + 6 * p.C / r**7 - 24 * p.D / r**25
    return energy, slope


def _smoothing(r: FloatArray, cutoff: float, width: float) -> tuple[FloatArray, FloatArray]:
    """Return exp(-width²/(r - cutoff)²) and its derivative; both are 0 from the cutoff on."""
    inside = r < cutoff
    distance = np.where(inside, r - cutoff, -1.0)
    factor = np.where(inside, np.exp(-((width / distance) ** 2)), 0.0)
    return factor, factor * 2 * width**2 / distance**3
