"""One crystal of the database, and how its diagrams are taken together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnb.core.structure import mass_density
from glassnb.topology.diagrams import PersistenceDiagrams

__all__ = [
    "DECIMALS",
    "SHORTEST",
    "VARIANTS",
    "CrystalEntry",
    "check_variant",
    "count_units",
    "crystal_entry",
    "folded_pairs",
    "variant_of",
]

DECIMALS = 4  # of births and deaths, in Å²
SHORTEST = 1e-3  # Å²; published coordinates are not good enough for shorter lifetimes

#: Options of :func:`glassnb.topology.persistence` behind each kind of diagram.
VARIANTS: dict[str, dict[str, Any]] = {
    "weighted": {"radii": {"Si": 0.375, "O": 1.275}},
    "unweighted": {},
    "silicon": {"species": "Si"},
}
Points = tuple[NDArray[np.float32], NDArray[np.int32]]


@dataclass(frozen=True, repr=False)
class CrystalEntry:
    """Diagrams of one crystal, equal pairs taken together.

    Parameters
    ----------
    name : str
        Its name; for a zeolite framework the code of its type.
    kind : str
        ``"polymorph"``, ``"framework"``, or another of your own.
    source : str
        Where the coordinates come from.
    density : float
        Mass density in g/cm³.
    n_units : int
        Number of Si in the cell that was computed, which is that of SiO2 units.
    n_atoms : int
        Number of atoms in that cell.
    points : dict
        For each variant and dimension the distinct pairs (births and deaths in Å²) and how often
        each occurs in the cell.
    errors : dict
        For each variant how far, at most, the noise for degenerate points moved a pair, in Å².
    """

    name: str
    kind: str
    source: str
    density: float
    n_units: int
    n_atoms: int
    points: dict[tuple[str, int], Points]
    errors: dict[str, float]

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return (
            f"CrystalEntry({self.name!r}, {self.kind}, {self.density:.3f} g/cm³, "
            f"{self.n_units} SiO2 in the cell)"
        )


def crystal_entry(
    name: str,
    diagrams: Mapping[str, PersistenceDiagrams],
    *,
    kind: str = "own",
    source: str = "",
) -> CrystalEntry:
    """Take the diagrams of a crystal together for the database.

    Parameters
    ----------
    name : str
        Its name.
    diagrams : dict
        Diagrams for each variant, computed with :meth:`CrystalDatabase.options`.
    kind : str
        What kind of crystal it is.
    source : str
        Where its coordinates come from.

    Returns
    -------
    CrystalEntry
        The crystal, for :meth:`CrystalDatabase.add`.

    Raises
    ------
    ValueError
        If a variant is missing or was computed in another way, or the structure has no cell.

    Notes
    -----
    Of the rings and cavities of a periodic structure, three of each are those of the torus and
    never die. In a small unit cell they are many per SiO2 and missing among the pairs: repeat the
    cell, so that each of its heights is 20 Å or more, as for the database of the package.
    """
    missing = [variant for variant in VARIANTS if variant not in diagrams]
    if missing:
        raise ValueError(
            f"diagrams: {', '.join(missing)} missing; compute persistence(atoms, "
            f"**CrystalDatabase.options({missing[0]!r}))"
        )
    points, errors = {}, {}
    for variant in VARIANTS:
        found = diagrams[variant]
        variant_of(found, variant, f"diagrams[{variant!r}]")
        if not found.complex.periodic:
            raise ValueError(f"diagrams[{variant!r}]: is of a cluster; a crystal is periodic")
        errors[variant] = float(found.complex.error)
        for dimension in range(3):
            points[variant, dimension] = folded_pairs(found.pairs(dimension))
    atoms = diagrams["unweighted"].complex.atoms
    return CrystalEntry(
        str(name), str(kind), str(source), mass_density(atoms),
        count_units(diagrams["unweighted"]), len(atoms), points, errors,
    )  # fmt: skip


def folded_pairs(pairs: NDArray[np.float64]) -> Points:
    """Take equal pairs together.

    Parameters
    ----------
    pairs : ndarray, shape (n, 2)
        Births and deaths in Å².

    Returns
    -------
    distinct : ndarray of float32, shape (m, 2)
        The different ones to 4 decimals, by birth and then death; lifetimes below 0.001 Å² are
        left out.
    counts : ndarray of int32, shape (m,)
        How many there are of each.
    """
    lasting = pairs[pairs[:, 1] - pairs[:, 0] > SHORTEST]
    # adding zero turns -0.0 into 0.0, which np.unique would list apart
    distinct, counts = np.unique(lasting.round(DECIMALS) + 0.0, axis=0, return_counts=True)
    return distinct.reshape(-1, 2).astype(np.float32), counts.astype(np.int32)


def variant_of(
    diagrams: PersistenceDiagrams, variant: str | None = None, name: str = "diagrams"
) -> str:
    """Return with which diagrams of the database others can be compared.

    Parameters
    ----------
    diagrams : PersistenceDiagrams
        Diagrams of a form of silica.
    variant : str, optional
        What they should be; any when omitted.
    name : str
        What to call them in an error.

    Returns
    -------
    str
        ``"weighted"``, ``"unweighted"`` or ``"silicon"``.

    Raises
    ------
    ValueError
        If they were computed in another way.
    """
    if variant is not None:
        check_variant(variant)
    if not isinstance(diagrams, PersistenceDiagrams):
        raise ValueError(f"{name}={type(diagrams).__name__}: must be PersistenceDiagrams")
    species = set(diagrams.complex.species)
    present = set(diagrams.complex.atoms.symbols)
    found = None
    if present == {"Si", "O"}:
        if diagrams.radii is None and species == {"Si"}:
            found = "silicon"
        elif diagrams.radii is None and species == present:
            found = "unweighted"
        elif species == present and _alike(diagrams.radii, VARIANTS["weighted"]["radii"]):
            found = "weighted"
    if found is None or variant not in (None, found):
        wanted = variant or "unweighted"
        raise ValueError(
            f"{name}: {diagrams!r} are not like those of the database ({', '.join(VARIANTS)}); "
            f"compute persistence(atoms, **database.options({wanted!r}))"
        )
    return found


def count_units(diagrams: PersistenceDiagrams) -> int:
    """Return the number of Si atoms, which is that of SiO2 units."""
    return int((diagrams.complex.atoms.numbers == 14).sum())


def check_variant(variant: Any) -> str:
    """Return the variant, if there is one of that name."""
    if not isinstance(variant, str) or variant not in VARIANTS:
        raise ValueError(f"variant={variant!r}: must be one of {', '.join(VARIANTS)}")
    return variant


def _alike(radii: Mapping[str, float] | None, others: Mapping[str, float]) -> bool:
    return radii is not None and all(abs(radii[s] - others[s]) < 1e-6 for s in others)
