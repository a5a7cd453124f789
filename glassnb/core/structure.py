"""What every measurement asks of a structure: its cell, its species, and that both make sense."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell, minkowski_reduce
from numpy.typing import NDArray

__all__ = [
    "PairMapping",
    "cell_heights",
    "check_atoms",
    "check_unconstrained",
    "full_cell",
    "half_box",
    "mass_density",
    "number_density",
    "pair_cutoffs",
    "reduced_lattice",
    "species_of",
]

Value = TypeVar("Value")
Pair = tuple[str, str]


class PairMapping(Mapping[Pair, Value], Generic[Value]):
    """A value for each unordered pair of species.

    ``mapping["Si", "O"]`` and ``mapping["O", "Si"]`` are the same entry.

    Parameters
    ----------
    entries : dict
        Values by pair of chemical symbols.
    """

    def __init__(self, entries: Mapping[Pair, Value]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, pair: Pair) -> Value:
        """Return the value of a pair, in either order."""
        a, b = pair
        if (a, b) in self._entries:
            return self._entries[a, b]
        if (b, a) in self._entries:
            return self._entries[b, a]
        known = ", ".join("-".join(pair) for pair in self._entries)
        raise KeyError(f"no pair {a}-{b}: this result holds {known}")

    def __iter__(self) -> Iterator[Pair]:
        """Iterate over the pairs."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self._entries)

    def __repr__(self) -> str:
        """Name the pairs."""
        return f"PairMapping({', '.join('-'.join(pair) for pair in self._entries)})"


def check_atoms(atoms: Atoms, *, periodic: bool = False, minimum: int = 1) -> None:
    """Stop on a structure that no measurement can use.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    periodic : bool
        Whether a cell that is periodic in all directions is needed.
    minimum : int
        The least number of atoms.

    Raises
    ------
    ValueError
        If atoms are too few, positions are not finite, the cell is flat though it is periodic in
        some direction, or it is not periodic where it must be. Where nothing is periodic, the
        structure is a cluster, and its cell does not matter.
    """
    if not isinstance(atoms, Atoms):
        raise ValueError(f"atoms={type(atoms).__name__}: must be an ase.Atoms object")
    if len(atoms) < minimum:
        raise ValueError(f"atoms: {len(atoms)} atoms, at least {minimum} are needed")
    bad = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if bad.size:
        raise ValueError(
            f"atoms: position of atom {bad[0]} is {atoms.positions[bad[0]]} "
            f"({bad.size} atoms have NaN or infinite positions); remove or repair them"
        )
    cell = np.asarray(atoms.cell)
    if not np.isfinite(cell).all():
        raise ValueError(f"atoms.cell={cell.tolist()}: has NaN or infinite entries")
    if any(atoms.pbc[k] and not cell[k].any() for k in range(3)):
        raise ValueError(
            "atoms.cell: a periodic direction has a zero cell vector; set the cell with "
            "atoms.set_cell(...) or switch periodicity off with atoms.pbc = False"
        )
    if atoms.pbc.any() and _is_flat(cell):
        raise ValueError(
            f"atoms.cell={cell.tolist()}: its vectors lie in a plane (zero volume) though "
            f"atoms.pbc={atoms.pbc.tolist()}; set a cell with a volume, or zero vectors where the "
            "structure is not periodic"
        )
    if periodic and not atoms.pbc.all():
        raise ValueError(
            f"atoms.pbc={atoms.pbc.tolist()}: must be periodic in all three directions; set the "
            "cell and atoms.pbc = True (a plain .xyz file carries neither)"
        )


def check_unconstrained(atoms: Atoms, remedy: str) -> None:
    """Stop on constraints of ASE, where atoms are moved by what does not know them.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    remedy : str
        What to do instead, ahead of removing them.

    Raises
    ------
    ValueError
        If it has any.
    """
    if atoms.constraints:
        kinds = ", ".join(sorted({type(constraint).__name__ for constraint in atoms.constraints}))
        raise ValueError(
            f"atoms.constraints={kinds}: constraints of ASE would be ignored here, and atoms move "
            f"all the same; {remedy}remove them with atoms.set_constraint()"
        )


def _is_flat(cell: NDArray[np.float64]) -> bool:
    """Say whether the vectors that are not zero lie in a plane, or two of them on a line."""
    vectors = cell[cell.any(axis=1)]
    if not len(vectors):
        return False
    widths = np.linalg.svd(vectors, compute_uv=False)
    return bool(widths[-1] < 1e-9 * widths[0])


def full_cell(atoms: Atoms) -> NDArray[np.float64]:
    """Return three vectors that span space, so that fractional coordinates exist.

    Parameters
    ----------
    atoms : ase.Atoms
        A structure that :func:`check_atoms` lets pass.

    Returns
    -------
    ndarray, shape (3, 3)
        The cell; vectors that are zero are completed. Of a cluster whose cell is flat, the unit
        vectors, in Å.
    """
    cell = np.asarray(atoms.cell, dtype=float)
    if not atoms.pbc.any() and _is_flat(cell):
        return np.eye(3)
    return np.asarray(complete_cell(cell))


def species_of(atoms: Atoms) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the species present and the species of each atom.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.

    Returns
    -------
    symbols : tuple of str
        Chemical symbols, heaviest element first, so that pairs read as "Si-O".
    codes : ndarray, shape (n_atoms,)
        Index into ``symbols`` for each atom.
    """
    from ase.data import chemical_symbols

    numbers, codes = np.unique(-atoms.numbers, return_inverse=True)
    return tuple(chemical_symbols[-n] for n in numbers), codes.astype(np.int64)


def pairs_of(symbols: Iterable[str]) -> list[Pair]:
    """Return the unordered pairs of species.

    Parameters
    ----------
    symbols : iterable of str
        Species, in the order of :func:`species_of`.

    Returns
    -------
    list of tuple
        Pairs of symbols, the earlier species first.
    """
    listed = list(symbols)
    return [(a, b) for i, a in enumerate(listed) for b in listed[i:]]


def cell_heights(atoms: Atoms) -> NDArray[np.float64]:
    """Return the distances between opposite faces of the cell.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.

    Returns
    -------
    ndarray, shape (3,)
        Heights in Å; infinite in directions that are not periodic.
    """
    heights = 1 / np.linalg.norm(np.linalg.inv(full_cell(atoms)), axis=0)
    return np.where(atoms.pbc, heights, np.inf)


def reduced_lattice(atoms: Atoms) -> Atoms:
    """Return the same atoms in that cell of their lattice whose faces lie farthest apart.

    The reciprocal vectors of that cell are the shortest ones (Minkowski), so that its heights are
    those of the lattice, whatever cell describes it. Atoms are not wrapped.

    Parameters
    ----------
    atoms : ase.Atoms
        A checked structure.

    Returns
    -------
    ase.Atoms
        ``atoms`` itself where no other cell is higher, or a direction is not periodic.
    """
    if not atoms.pbc.all():
        return atoms
    cell = np.asarray(atoms.cell)
    _, turn = minkowski_reduce(np.linalg.inv(cell).T)
    reduced = atoms.copy()
    reduced.set_cell(np.rint(np.linalg.inv(turn)).T @ cell)
    lower = cell_heights(atoms).min() < cell_heights(reduced).min() * (1 - 1e-9)
    return reduced if lower else atoms


def half_box(atoms: Atoms) -> float:
    """Return the largest distance at which each pair has one nearest image.

    Parameters
    ----------
    atoms : ase.Atoms
        A structure that is periodic in at least one direction.

    Returns
    -------
    float
        Half the smallest height of the cell of :func:`reduced_lattice`, in Å.
    """
    return float(cell_heights(reduced_lattice(atoms)).min() / 2)


def number_density(atoms: Atoms) -> float:
    """Return the number of atoms per volume.

    Parameters
    ----------
    atoms : ase.Atoms
        A periodic structure.

    Returns
    -------
    float
        Number density in Å⁻³.
    """
    return len(atoms) / float(abs(np.linalg.det(np.asarray(atoms.cell))))


def mass_density(atoms: Atoms) -> float:
    """Return the mass per volume.

    Parameters
    ----------
    atoms : ase.Atoms
        A periodic structure.

    Returns
    -------
    float
        Mass density in g/cm³.
    """
    from ase.units import kg

    volume = float(abs(np.linalg.det(np.asarray(atoms.cell))))
    return float(atoms.get_masses().sum()) / kg * 1e3 / (volume * 1e-24)


def pair_cutoffs(cutoff: float | Mapping[Any, float], symbols: tuple[str, ...]) -> NDArray[Any]:
    """Bring a cutoff to a matrix over species.

    Parameters
    ----------
    cutoff : float or dict
        One distance in Å for all pairs, or distances by pair, such as ``{("Si", "O"): 2.0}``;
        pairs that are not named are not looked at.
    symbols : tuple of str
        Species present.

    Returns
    -------
    ndarray, shape (n_species, n_species)
        Distances in Å, 0 for pairs left out.

    Raises
    ------
    ValueError
        If a distance is not positive and finite or a named species is absent.
    """
    if not isinstance(cutoff, Mapping):
        return np.full((len(symbols), len(symbols)), _positive("cutoff", cutoff))
    if not cutoff:
        raise ValueError('cutoff={}: name at least one pair, for example {("Si", "O"): 2.0}')
    matrix = np.zeros((len(symbols), len(symbols)))
    for key, value in cutoff.items():
        pair = tuple(key.split("-")) if isinstance(key, str) else tuple(key)
        if len(pair) != 2 or not all(isinstance(name, str) for name in pair):
            raise ValueError(f'cutoff: key {key!r} must be a pair of symbols such as ("Si", "O")')
        absent = [name for name in pair if name not in symbols]
        if absent:
            raise ValueError(
                f"cutoff: pair {pair[0]}-{pair[1]} names {absent[0]}, which is not in the "
                f"structure; its species are {', '.join(symbols)}"
            )
        a, b = symbols.index(pair[0]), symbols.index(pair[1])
        matrix[a, b] = matrix[b, a] = _positive(f"cutoff[{pair[0]}-{pair[1]}]", value)
    return matrix


def _positive(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}={value!r}: must be a distance in Å") from None
    if not (np.isfinite(number) and number > 0):
        raise ValueError(f"{name}={value}: must be a positive distance in Å")
    return number
