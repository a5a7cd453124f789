"""Point defects of silica: made on purpose, and found by what is bonded to what.

Vacancy and E' centre as L. Skuja, J. Non-Cryst. Solids 239, 16 (1998) describes them.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.neighbours import neighbours
from glassnb.core.structure import check_atoms
from glassnb.network import king_rings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LocalEnvironments", "e_prime_centre", "local_environments", "oxygen_vacancy"]

SILICON_OXYGEN = 2.2  # Å, beyond the first peak of g(r)
SILICON_SILICON = 2.8  # Å; the bond of a vacancy has 2.4 to 2.6, Si-O-Si 3.1
SILICON_HYDROGEN = 1.48  # Å
TO_PLANE = 0.5  # Å, from the middle of a tetrahedron to the plane of three of its corners
LONGEST = {
    ("Si", "O"): SILICON_OXYGEN,
    ("Si", "Si"): SILICON_SILICON,
    ("Si", "H"): 1.8,
    ("O", "H"): 1.2,
}
LARGEST_RING = 6  # atoms of silicon; a King ring of more is no defect
REGULAR = ("SiO4", "OSi2")


@dataclass(frozen=True)
class LocalEnvironments:
    """What each atom of silica is bonded to.

    Parameters
    ----------
    names : ndarray of str, shape (n_atoms,)
        An atom and its neighbours as a formula: ``"SiO4"`` and ``"OSi2"`` in a perfect network,
        ``"SiO3Si"`` at a vacancy, ``"SiO3"``, ``"SiO5"``, ``"OSi"``, ``"OSi3"``.
    smallest_ring : ndarray of int, shape (n_atoms,)
        Silicon atoms of the smallest King ring through each atom; 0 where it has more than six,
        or there is none.
    """

    names: NDArray[np.str_]
    smallest_ring: NDArray[np.int64]

    @property
    def defects(self) -> NDArray[np.int64]:
        """Indices of the atoms that are neither ``"SiO4"`` nor ``"OSi2"``."""
        return np.flatnonzero(~np.isin(self.names, REGULAR))

    @property
    def counts(self) -> dict[str, int]:
        """Number of atoms by name, the most frequent first."""
        return dict(Counter(self.names.tolist()).most_common())

    def to_frame(self) -> pd.DataFrame:
        """Return one row per atom.

        Returns
        -------
        pandas.DataFrame
            Columns ``environment`` and ``smallest_ring``.
        """
        import pandas as pd

        return pd.DataFrame({"environment": self.names, "smallest_ring": self.smallest_ring})


def local_environments(
    atoms: Atoms, cutoff: Mapping[Any, float] | None = None
) -> LocalEnvironments:
    """Name what each atom of silica is bonded to, and find the small rings it is in.

    Parameters
    ----------
    atoms : ase.Atoms
        Silica, also with hydrogen.
    cutoff : dict, optional
        Longest bonds in Å by pair of species; when omitted, Si-O 2.2, Si-Si 2.8, Si-H 1.8 and O-H
        1.2; other elements need it. Two silicon atoms that share an oxygen are not bonded, however
        close.

    Returns
    -------
    LocalEnvironments
        Names and rings.

    Raises
    ------
    ValueError
        If the structure is none, a distance is not positive, or there are other elements than Si, O
        and H and no cutoff.
    """
    check_atoms(atoms)
    present = set(atoms.symbols)
    if cutoff is None:
        foreign = sorted(present - set().union(*LONGEST))
        if foreign:
            raise ValueError(
                f"cutoff=None: bonds of {', '.join(foreign)} are not known, only those of silica "
                f'with hydrogen; give the longest in Å, such as {{("{foreign[0]}", "O"): 2.5, ...}}'
            )
        cutoff = {pair: length for pair, length in LONGEST.items() if set(pair) <= present}
    neighbourhoods: list[Counter[str]] = [Counter() for _ in range(len(atoms))]
    if cutoff:
        near = neighbours(atoms, cutoff)
        symbols = np.asarray(atoms.symbols)
        both = (symbols[near.centres] == "Si") & (symbols[near.indices] == "Si")
        pairs = np.column_stack([near.centres, near.indices, near.images])
        bridged = _bridged(pairs, symbols)
        for row, silicon in zip(pairs.tolist(), both.tolist(), strict=True):
            if not (silicon and tuple(row) in bridged):
                neighbourhoods[row[0]][symbols[row[1]]] += 1
    names = [
        symbol + "".join(f"{s}{n if n > 1 else ''}" for s, n in sorted(found.items(), key=_order))
        for symbol, found in zip(atoms.symbols, neighbourhoods, strict=True)
    ]
    return LocalEnvironments(np.array(names), _smallest_rings(atoms, cutoff))


def oxygen_vacancy(atoms: Atoms, oxygen: int) -> Atoms:
    """Take a bridging oxygen atom out.

    Parameters
    ----------
    atoms : ase.Atoms
        Silica.
    oxygen : int
        Index of an oxygen atom with two silicon neighbours.

    Returns
    -------
    ase.Atoms
        A copy without the atom. Nothing else has moved: its two silicon atoms come together, to
        2.4 to 2.6 Å, when the structure is relaxed.

    Raises
    ------
    ValueError
        If it is no oxygen atom, or it does not join two silicon atoms.
    """
    _bridge(atoms, oxygen)
    changed = atoms.copy()
    del changed[oxygen]
    return changed


def e_prime_centre(atoms: Atoms, oxygen: int) -> Atoms:
    """Make a silicon atom with three bonds and an unpaired electron, an E' centre.

    A bridging oxygen atom is taken out. One of its two silicon atoms keeps the free bond; that of
    the other is closed by a hydrogen atom, which points to where the oxygen was (the β variant of
    the centre: D. L. Griscom, Nucl. Instrum. Methods B 1, 481 (1984)). The atom with the free bond
    is moved 0.5 Å away, into the plane of its three oxygen atoms, out of reach of the hydrogen.

    Parameters
    ----------
    atoms : ase.Atoms
        Silica.
    oxygen : int
        Index of an oxygen atom with two silicon neighbours.

    Returns
    -------
    ase.Atoms
        A changed copy, the hydrogen atom last. The unpaired electron stands in its initial magnetic
        moments, where calculators look for it. It has to be relaxed.

    Raises
    ------
    ValueError
        If it is no oxygen atom, or it does not join two silicon atoms.
    """
    silicon, vectors = _bridge(atoms, oxygen)
    capped = atoms.positions[oxygen] + vectors[0]
    direction = -vectors[0] / np.linalg.norm(vectors[0])
    changed = atoms.copy()
    changed.positions[silicon[1]] += TO_PLANE * vectors[1] / np.linalg.norm(vectors[1])
    moments = np.zeros(len(atoms))
    moments[silicon[1]] = 1.0
    changed.set_initial_magnetic_moments(moments)
    del changed[oxygen]
    return changed + Atoms("H", [capped + SILICON_HYDROGEN * direction], magmoms=[0.0])


def _bridge(atoms: Atoms, oxygen: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the two silicon atoms at an oxygen atom, and the vectors to them in Å."""
    check_atoms(atoms)
    if not 0 <= oxygen < len(atoms) or atoms.symbols[oxygen] != "O":
        places = np.flatnonzero(atoms.symbols == "O")
        raise ValueError(f"oxygen={oxygen}: no oxygen atom; they have indices {_some(places)}")
    near = neighbours(atoms, {("Si", "O"): SILICON_OXYGEN}) if "Si" in atoms.symbols else None
    own = slice(0, 0) if near is None else slice(near.offsets[oxygen], near.offsets[oxygen + 1])
    if near is None or near.indices[own].size != 2:
        n = 0 if near is None else near.indices[own].size
        raise ValueError(
            f"oxygen={oxygen}: has {n} silicon neighbours within {SILICON_OXYGEN} Å, a bridge has "
            "2; choose another atom"
        )
    order = np.argsort(near.indices[own], kind="stable")
    return near.indices[own][order], near.vectors(atoms)[own][order]


def _some(places: NDArray[np.int64]) -> str:
    listed = ", ".join(map(str, places[:5].tolist()))
    return f"{listed}{', ...' if places.size > 5 else ''}" if places.size else "(none)"


def _order(item: tuple[str, int]) -> tuple[bool, str]:
    return (item[0] != "O", item[0])  # oxygen first


def _bridged(
    pairs: NDArray[np.int64], symbols: NDArray[np.str_]
) -> set[tuple[int, int, int, int, int]]:
    """Return the pairs of silicon atoms, with image, that have an oxygen atom in common."""
    found = set()
    for oxygen in np.flatnonzero(symbols == "O"):
        ends = pairs[(pairs[:, 0] == oxygen) & (symbols[pairs[:, 1]] == "Si")]
        for one in ends:
            for other in ends:
                shift = other[2:] - one[2:]
                found.add((int(one[1]), int(other[1]), *shift.tolist()))
    return found


def _smallest_rings(atoms: Atoms, cutoff: Mapping[Any, float]) -> NDArray[np.int64]:
    """Return the number of silicon atoms of the smallest King ring through each atom, 0 if none."""
    none = np.zeros(len(atoms), dtype=np.int64)
    length = next((cutoff[p] for p in (("Si", "O"), ("O", "Si"), "Si-O") if p in cutoff), None)
    if length is None:
        return none
    with warnings.catch_warnings():  # of bonds in larger rings, and of what has one bond
        warnings.simplefilter("ignore", UserWarning)
        rings = king_rings(atoms, cutoff={("Si", "O"): length}, max_size=2 * LARGEST_RING)
    smallest = np.full(len(atoms), np.iinfo(np.int64).max)
    np.minimum.at(smallest, rings.indices, np.repeat(rings.former_sizes, rings.sizes))
    return np.where(smallest <= LARGEST_RING, smallest, 0)
