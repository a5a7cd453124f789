"""Metallic glasses: alloys quenched from the melt.

Two systems work without any file, with embedded-atom potentials that LAMMPS brings; any other needs
the user's own potential. As in every simulation the cooling is far faster than in a laboratory, at
10¹² to 10¹⁴ K/s; the order within the first shells depends on the rate.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from ase import units
from ase.data import atomic_masses, atomic_numbers

from glassnb.core.download import download
from glassnb.core.progress import ProgressOption
from glassnb.models.embedded_atom import read_embedded_atom
from glassnb.models.lammps_engine import potentials_folder
from glassnb.models.md_protocol import CoolingRate, number, whole
from glassnb.models.md_run import Snapshot
from glassnb.models.melt_quench import MeltQuench, quench
from glassnb.models.potentials import Potential
from glassnb.models.random_structure import alloy_mass, box_edge, random_alloy

__all__ = ["metallic_glass"]

Composition = str | Mapping[str, float]


def metallic_glass(
    system: str = "Cu-Zr",
    n_atoms: int = 1000,
    *,
    composition: Composition | None = None,
    potential: str | os.PathLike[str] | Potential | None = None,
    sha256: str | None = None,
    density: float | None = None,
    melt_temperature: float = 2000.0,
    quench_temperature: float = 300.0,
    cooling_rate: CoolingRate = 100.0,
    melt_time: float = 8.0,
    relax_time: float = 5.0,
    pressure: float = 0.0,
    timestep: float = 2.0,
    minimise: bool = False,
    record_every: int = 100,
    snapshots: int = 20,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: ProgressOption = None,
    stop: Callable[[], bool] | None = None,
    on_update: Callable[[Snapshot], None] | None = None,
) -> MeltQuench:
    """Make a metallic glass by molecular dynamics.

    The protocol is that of :func:`glassnb.models.melt_quench`: half of ``melt_time`` passes at the
    starting density, the other half and all that follows at ``pressure``.

    Parameters
    ----------
    system : str
        Its elements, joined by ``-``. ``"Cu-Zr"`` (Mendelev, Sordelet and Kramer 2007) and
        ``"Fe-P"`` (Ackland et al. 2004) have potentials that LAMMPS brings; the latter was made
        for little phosphorus, and its Fe80P20 has a density about 12 % too low. Any other, such as
        ``"Pd-Si"``, needs ``potential``.
    n_atoms : int
        Number of atoms, such that the composition is exact, with a box wider than the cutoff.
    composition : str or dict of str to float, optional
        ``"Cu64.5Zr35.5"`` or ``{"Cu": 0.645, "Zr": 0.355}``, in any unit; Cu50Zr50, Fe80P20 and
        Pd82Si18 when omitted.
    potential : str, path-like or Potential, optional
        An embedded-atom potential as a setfl file (``eam/alloy`` or ``eam/fs``): its path, its
        address (http, https, ftp, or ``doi:``; needs ``sha256``), or the name of one that LAMMPS
        brings; or any :class:`glassnb.models.Potential`. The one of the system when omitted.
    sha256 : str, optional
        Checksum of that file.
    density : float, optional
        Mass density of the random start in g/cm³. When omitted, the volumes of the elements add
        up, which holds for Zr-Cu glasses (Bakonyi, Acta Mater. 53, 2509 (2005)).
    melt_temperature, quench_temperature : float
        In K.
    cooling_rate : float or sequence of (float, float)
        In K/ps, of which one is 10¹² K/s; or pairs of a temperature and the rate down to it.
    melt_time, relax_time : float
        Time at the melt and at the final temperature in ps.
    pressure : float
        In GPa.
    timestep : float
        In fs.
    minimise : bool
        Minimise the potential energy at the end, in a fixed box.
    record_every : int
        Steps between records of the thermodynamics.
    snapshots : int
        Number of structures in the trajectory.
    seed : int
        Seed of the random positions and velocities, from 0 to 2 000 000 000.
    checkpoint : path-like, optional
        Folder in which the state is saved about every half minute. A call with the same
        arguments, the same potential and the same folder goes on from there.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`; counts time steps.
    stop : callable, optional
        Called without arguments about twice a second; once it returns true, the run ends and the
        state reached is returned, with ``stopped`` in its history.
    on_update : callable, optional
        Called with a :class:`glassnb.models.Snapshot` at every record.

    Returns
    -------
    MeltQuench
        The glass, element after element as in the composition, its trajectory and its
        thermodynamics.

    Raises
    ------
    ValueError
        If an argument is out of range, the file of the potential is absent, broken, another one
        than ``sha256`` says or lacks an element, or ``checkpoint`` holds another run.
    OSError
        If an address cannot be reached.
    SimulationError
        If the simulation becomes unstable; the message says what to change.
    ImportError
        If LAMMPS is missing.

    Examples
    --------
    >>> glass = metallic_glass("Cu-Zr", 2000, cooling_rate=10, seed=1)  # doctest: +SKIP
    >>> glass.atoms.get_chemical_formula()  # doctest: +SKIP
    'Cu1000Zr1000'
    """
    known = _system(system)
    counts = _counts(system, composition or known.get("composition"), n_atoms)
    if density is None:
        density = _additive_density(counts)
    number("density", density, "g/cm³")
    model = _potential(potential, sha256, system, tuple(counts))
    _check_box(counts, density, model)
    arguments = {
        "system": system,
        "n_atoms": n_atoms,
        "composition": counts,
        "potential": model.record,
        "density": density,
        "melt_temperature": melt_temperature,
        "quench_temperature": quench_temperature,
        "cooling_rate": cooling_rate,
        "melt_time": melt_time,
        "relax_time": relax_time,
        "pressure": pressure,
        "timestep": timestep,
        "minimise": minimise,
        "record_every": record_every,
        "snapshots": snapshots,
    }
    return quench(
        lambda: random_alloy(counts, density, seed=seed), model, arguments, seed=seed,
        checkpoint=checkpoint, progress=progress, stop=stop, on_update=on_update,
    )  # fmt: skip


@cache
def _data() -> dict[str, Any]:
    file = resources.files("glassnb") / "data" / "metallic_potentials.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _system(system: str) -> dict[str, Any]:
    """Return what is known of a system; its elements may stand in any order."""
    elements = str(system).split("-")
    if len(set(elements)) < len(elements) or any(s not in atomic_numbers for s in elements):
        raise ValueError(
            f"system={system!r}: must be chemical symbols joined by '-', such as 'Cu-Zr'"
        )
    for name, known in _data().items():
        if set(name.split("-")) == set(elements):
            return known
    return {}


def _counts(system: str, composition: Composition | None, n_atoms: int) -> dict[str, int]:
    """Return how many atoms there are of each element."""
    whole("n_atoms", n_atoms, 1)
    if composition is None:
        raise ValueError(f"composition=None: {system!r} needs one, such as 'Cu50Zr50' for 'Cu-Zr'")
    fractions = _fractions(composition)
    others = set(fractions) - set(system.split("-"))
    if others:
        raise ValueError(
            f"composition={composition!r}: {', '.join(sorted(others))} is not in system={system!r}"
        )
    multiple = math.lcm(*(fraction.denominator for fraction in fractions.values()))
    if n_atoms % multiple:
        nearest = multiple * max(1, round(n_atoms / multiple))
        raise ValueError(
            f"n_atoms={n_atoms}: composition={composition!r} needs a multiple of {multiple}, such "
            f"as {nearest}"
        )
    return {symbol: int(n_atoms * fraction) for symbol, fraction in fractions.items()}


def _fractions(composition: Composition) -> dict[str, Fraction]:
    """Return the share of each element, to a millionth: a third is a third, not 0.3333."""
    pairs: list[tuple[str, Any]] = []
    if isinstance(composition, Mapping):
        pairs = list(composition.items())
    if isinstance(composition, str):
        if not re.fullmatch(r"([A-Z][a-z]?[\d.]*)+", composition):
            raise ValueError(f"composition={composition!r}: must be such as 'Cu50Zr50'")
        pairs = [(s, n or "1") for s, n in re.findall(r"([A-Z][a-z]?)([\d.]*)", composition)]
    try:
        amounts = {symbol: Fraction(str(amount)) for symbol, amount in pairs}
        sound = len(amounts) == len(pairs) > 0 and min(amounts.values()) > 0
    except ValueError:
        sound = False
    if not sound or any(symbol not in atomic_numbers for symbol in amounts):
        raise ValueError(
            f"composition={composition!r}: must be such as 'Cu50Zr50' or {{'Cu': 0.5, 'Zr': 0.5}}, "
            "with each element once and positive numbers"
        )
    total = sum(amounts.values())
    shares = {symbol: (n / total).limit_denominator(1000) for symbol, n in amounts.items()}
    if sum(shares.values()) != 1:
        raise ValueError(f"composition={composition!r}: round it to a tenth of an atomic percent")
    return shares


def _additive_density(counts: Mapping[str, int]) -> float:
    """Return the density in g/cm³ at which the elements take their own volumes."""
    import periodictable

    volume = 0.0  # Å³
    for symbol, count in counts.items():
        density = periodictable.elements.symbol(symbol).density
        if not density or density < 0.1:  # unknown, or a gas
            raise ValueError(f"density=None: must be given for an alloy with {symbol} (g/cm³)")
        volume += count * atomic_masses[atomic_numbers[symbol]] * units._amu * 1.0e27 / density
    return float(alloy_mass(counts) * units._amu * 1.0e27 / volume)


def _potential(
    potential: str | os.PathLike[str] | Potential | None,
    sha256: str | None,
    system: str,
    species: tuple[str, ...],
) -> Potential:
    """Find the potential, and refuse one that lacks an element."""
    known = _system(system)
    if isinstance(potential, Potential):
        if not set(species) <= set(potential.species):
            raise ValueError(
                f"potential={potential.name!r}: is for {', '.join(potential.species)}, not for "
                f"{', '.join(species)}"
            )
        if sha256 is not None:
            raise ValueError("sha256: belongs to a file; leave it out with a Potential")
        return potential
    if potential is None:
        if "file" not in known:
            raise ValueError(_what_is_missing(system, known))
        potential = str(known["file"])
    if re.match(r"(https?|ftp)://|doi:", str(potential)):
        if sha256 is None:
            raise ValueError(
                f"sha256=None: potential={str(potential)!r} needs it, the 64 hexadecimal digits of "
                "`sha256sum`, so that it is the same file tomorrow"
            )
        return read_embedded_atom(download(str(potential), sha256), species)
    path, source = Path(potential), None
    if not path.exists() and path.name == str(potential):
        path = potentials_folder() / path
        if not path.is_file():
            raise ValueError(
                f"potential={str(potential)!r}: there is no such file, and none of that name among "
                "those of LAMMPS"
            )
        source = next((d["source"] for d in _data().values() if d.get("file") == path.name), None)
    return read_embedded_atom(path, species, sha256=sha256, source=source)


def _what_is_missing(system: str, known: Mapping[str, Any]) -> str:
    """Say how to come by the potential of a system that has none here."""
    built_in = ", ".join(name for name, values in _data().items() if "file" in values)
    text = (
        f"potential=None: there is none for system={system!r} in this package or in LAMMPS (they "
        f"have {built_in}); pass the path of a setfl file (eam/alloy or eam/fs), or its address "
        "with sha256="
    )
    if "described" in known:
        text += f". One is described in {known['described']}; its licence is not stated"
    return text


def _check_box(counts: Mapping[str, int], density: float, model: Potential) -> None:
    """Refuse a box in which an atom meets its own image."""
    n_atoms = sum(counts.values())
    edge = box_edge(alloy_mass(counts), density)
    if edge <= model.cutoff:
        multiple = n_atoms // math.gcd(*counts.values())
        enough = multiple * (int(n_atoms * (model.cutoff / edge) ** 3 / multiple) + 1)
        raise ValueError(
            f"n_atoms={n_atoms}: the box would be {edge:.1f} Å wide, less than the cutoff of "
            f"{model.name} ({model.cutoff} Å); use at least {enough} atoms"
        )
