"""Crystalline forms of silica, from published space groups, cells and coordinates.

The numbers and their sources are in ``glassnb/data/crystals.toml``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import ase.spacegroup
import numpy as np
from ase import Atoms
from ase.spacegroup.spacegroup import spacegroup_from_data

__all__ = ["crystal", "crystals"]


@cache
def _table() -> dict[str, dict[str, Any]]:
    text = (resources.files("glassnb") / "data" / "crystals.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def crystals() -> tuple[str, ...]:
    """List the crystals that :func:`crystal` builds.

    Returns
    -------
    tuple of str
        Their names.
    """
    return tuple(_table())


def crystal(name: str, repeat: int | tuple[int, int, int] = 1) -> Atoms:
    """Build a crystalline form of silica.

    Parameters
    ----------
    name : str
        One of :func:`crystals`, such as ``"alpha-quartz"``.
    repeat : int or tuple of three int
        Number of conventional cells along a, b and c.

    Returns
    -------
    ase.Atoms
        Periodic structure, positions in Å, silicon before oxygen within each cell. ``info`` holds
        ``name``, ``space_group``, ``space_group_number``, ``source`` and ``repeat``.

    Raises
    ------
    ValueError
        If the name is unknown, or ``repeat`` is not made of positive whole numbers.

    Notes
    -----
    In ``beta-cristobalite`` and ``tridymite`` oxygen stands on its mean position, so Si-O is
    about 0.06 Å too short and Si-O-Si is straight.

    Examples
    --------
    >>> quartz = crystal("alpha-quartz", repeat=(3, 3, 2))
    >>> len(quartz), quartz.info["space_group"]
    (162, 'P3_2 2 1')
    """
    if name not in _table():
        raise ValueError(f"name={name!r}: must be one of {', '.join(crystals())}")
    times = three_times(repeat)
    entry = _table()[name]
    atoms = ase.spacegroup.crystal(
        symbols=[site[0] for site in entry["sites"]],
        basis=[site[1:] for site in entry["sites"]],
        spacegroup=_space_group(entry),
        cellpar=entry["cell"],
    )
    # without what ASE notes about the space group, which does not survive a file
    unit = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)
    result = unit.repeat(times)
    result.info = {
        "name": name,
        "space_group": entry["symbol"],
        "space_group_number": entry["group"],
        "source": entry["source"],
        "repeat": times,
    }
    return result


def three_times(repeat: Any) -> tuple[int, int, int]:
    """Return ``repeat`` as three positive whole numbers, or say that it must be made of them."""
    times = np.asarray(repeat)
    if times.dtype.kind not in "iu" or times.shape not in ((), (3,)) or times.min() < 1:
        raise ValueError(f"repeat={repeat!r}: must be a positive whole number, or three of them")
    a, b, c = (int(n) for n in np.broadcast_to(times, 3))
    return a, b, c


def _space_group(entry: dict[str, Any]) -> ase.spacegroup.Spacegroup:
    if "operations" in entry:
        return spacegroup_from_data(
            no=entry["group"], setting=1, sitesym=entry["operations"], subtrans=[(0, 0, 0)]
        )
    return ase.spacegroup.Spacegroup(entry["group"], entry.get("setting", 1))
