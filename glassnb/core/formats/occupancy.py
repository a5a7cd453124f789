"""Sites that hold an atom only sometimes: refused, filled, or drawn as one ordered structure.

Crystallographers describe disorder by fractions: a site shared by Si and Al, a site of Na that is
half empty, an oxygen that is split over several places around a mean one. Such a list is an average
over many cells, and no structure. What is drawn here keeps the fractions of every kind of site as
well as whole numbers of atoms allow, and never puts two atoms on split sites that are too close.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from glassnb.core.callers import warn
from glassnb.core.formats.drawing import Kind, draw, smallest_repeat
from glassnb.core.isotopes import isotopes_of, species_label
from glassnb.core.neighbours import OVERLAP
from glassnb.core.structure import cell_heights, mass_density

__all__ = ["CHOICES", "check_arguments", "closest", "resolve"]

CHOICES = ("error", "ignore", "sample")
_FULL = 0.99  # a site that is occupied to this share is full; refined fractions are uncertain
_WITHIN = 0.01  # largest relative difference of a composition that needs no word
# Two atoms are not closer than this share of their covalent radii; an upper limit in Å, because
# those of the alkali metals say little about ions; and one for two anions, which do not bond.
_SHARE, _LIMIT, _ANIONS = 0.75, 2.0, (8, 9, 17, 35, 53)


def check_arguments(
    occupancy: str, minimum_distance: float | None, repeat: int | tuple[int, int, int]
) -> tuple[int, int, int]:
    """Stop on arguments of ``read`` that make no sense.

    Parameters
    ----------
    occupancy : str
        What to do with fractions.
    minimum_distance : float, optional
        Distance in Å.
    repeat : int or tuple of int
        Repeats of the cell.

    Returns
    -------
    tuple of int
        Repeats along the three cell vectors.

    Raises
    ------
    ValueError
        If one of them is wrong, or only makes sense with another ``occupancy``.
    """
    if occupancy not in CHOICES:
        raise ValueError(f"occupancy={occupancy!r}: must be one of {', '.join(map(repr, CHOICES))}")
    times = np.asarray(repeat)
    if times.dtype.kind not in "iu" or times.shape not in ((), (3,)) or (times < 1).any():
        raise ValueError(f"repeat={repeat!r}: must be a whole number from 1, or three of them")
    if minimum_distance is not None and not (
        isinstance(minimum_distance, (int, float, np.number))
        and np.isfinite(minimum_distance)
        and minimum_distance >= 0
    ):
        raise ValueError(f"minimum_distance={minimum_distance!r}: must be a distance in Å")
    if occupancy != "sample" and (minimum_distance is not None or (times > 1).any()):
        raise ValueError(
            f"occupancy={occupancy!r}: minimum_distance and repeat say how sites are drawn; pass "
            "occupancy='sample' with them, or call atoms.repeat"
        )
    i, j, k = np.broadcast_to(times, (3,)).tolist()
    return i, j, k


def closest(numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the distances below which two atoms on split sites exclude each other.

    Parameters
    ----------
    numbers : ndarray, shape (n,)
        Atomic numbers.

    Returns
    -------
    ndarray, shape (n, n)
        0.75 of the sum of the covalent radii (Cordero et al., Dalton Trans. 2832, 2008) but at most
        2 Å, and 2 Å between oxygen and halogens, in Å.
    """
    radii = covalent_radii[numbers]
    distances = np.minimum(_SHARE * (radii[:, None] + radii), _LIMIT)
    anion = np.isin(numbers, _ANIONS)
    distances[np.outer(anion, anion)] = _LIMIT
    return distances


def resolve(
    path: str,
    atoms: Atoms,
    *,
    occupancy: str = "error",
    minimum_distance: float | None = None,
    repeat: int | tuple[int, int, int] = 1,
    seed: int = 0,
) -> Atoms:
    """Make a structure of a list of sites with fractions.

    Parameters
    ----------
    path : str
        Name of the file, for messages.
    atoms : ase.Atoms
        What a reader found: fractions are in ``arrays["occupancy"]``, one atom for each species of
        a site, or in ``info["occupancy"]`` as readers of ASE leave them.
    occupancy, minimum_distance, repeat, seed
        See :func:`glassnb.core.files.read`.

    Returns
    -------
    ase.Atoms
        A structure in which every atom is there.

    Raises
    ------
    ValueError
        If a site is not full and ``occupancy`` is ``"error"``, or the fractions of a site exceed 1.
    """
    times = check_arguments(occupancy, minimum_distance, repeat)
    if times != (1, 1, 1) and atoms.cell.rank < 3:
        raise ValueError(f"repeat={repeat!r}: {path} has no cell to repeat; leave it out")
    crowd = _crowd(path, atoms)
    if crowd is None:
        return atoms if times == (1, 1, 1) else atoms.repeat(times)
    sites = _Sites.of(crowd)
    over = sites.total > 1 + _WITHIN
    partial = sites.partial
    if over.any() and occupancy != "ignore":
        raise ValueError(
            f"{path}: the fractions of a site exceed 1 at {sites.describe(over)}; correct the file "
            "(a site listed twice?), or pass occupancy='ignore' to keep the first or largest"
        )
    if not partial.any() and not over.any():
        ordered = _clean(crowd[sites.main])
        return ordered if times == (1, 1, 1) else ordered.repeat(times)
    if occupancy == "error":
        raise ValueError(
            f"{path}: sites are not full or hold several species: {sites.describe(partial)}. Pass "
            "occupancy='sample' to draw one ordered structure (seed=, repeat=), or "
            "occupancy='ignore' to fill every site with its main species"
        )
    if occupancy == "ignore":
        kept = _clean(crowd[sites.main])
        warn(
            f"{path}: occupancies are ignored at {sites.describe(partial | over)}; every site is "
            f"filled with its main species, which makes {kept.get_chemical_formula()}{_dense(kept)}"
        )
        return kept
    return _sample(path, crowd, sites, minimum_distance, times, seed)


def _dense(atoms: Atoms) -> str:
    return f" of {mass_density(atoms):.3g} g/cm³" if atoms.cell.rank == 3 else ""


def _clean(atoms: Atoms) -> Atoms:
    for name in ("occupancy", "occupancies", "site_labels"):
        atoms.arrays.pop(name, None)
    atoms.info.pop("occupancy", None)
    return atoms


def _crowd(path: str, atoms: Atoms) -> Atoms | None:
    """Return an atom for each species of each site with its fraction, None if there are none."""
    listed, kinds = atoms.info.get("occupancy"), atoms.arrays.get("spacegroup_kinds")
    if isinstance(listed, dict):
        # ASE: {kind: {symbol: fraction}}, where the atom itself is the main species.
        listed = {str(kind): shares for kind, shares in listed.items()}
        if all(len(shares) == 1 and min(shares.values()) >= _FULL for shares in listed.values()):
            return None
        if kinds is None or not {*map(str, kinds)} <= {*listed}:
            raise ValueError(
                f"{path}: holds fractions of sites ({listed}), but not which atom is on which "
                "site; read the file that this one was made of"
            )
        which, symbols, fractions = [], [], []
        for i, kind in enumerate(kinds):
            for symbol, fraction in listed[str(kind)].items():
                which.append(i)
                symbols.append(symbol)
                fractions.append(fraction)
        crowd = atoms[which]
        changed = np.array(symbols) != np.array(crowd.get_chemical_symbols())
        if changed.any() and crowd.has("masses"):
            crowd.set_masses(
                [None if c else m for c, m in zip(changed, crowd.get_masses(), strict=True)]
            )
        crowd.set_chemical_symbols(symbols)
        crowd.arrays["occupancy"] = np.array(fractions, dtype=float)
        crowd.arrays.setdefault("site_labels", np.array(symbols, dtype="U16"))
        return crowd
    name = next((n for n in ("occupancy", "occupancies") if n in atoms.arrays), None)
    if name is None:
        return None
    given = np.asarray(atoms.arrays[name])
    if given.shape != (len(atoms),) or given.dtype.kind not in "fiu":
        return None
    if (given == 1).all() and "site_labels" not in atoms.arrays:
        return None
    if not given.any():
        warn(f"{path}: gives no occupancy but 0; every site is read as full")
        given = np.ones(len(atoms))
    if not np.isfinite(given).all() or (given < 0).any():
        wrong = int(np.flatnonzero(~(np.isfinite(given) & (given >= 0)))[0])
        raise ValueError(
            f"{path}: expected an occupancy from 0 to 1, found {given[wrong]} at atom {wrong + 1}"
        )
    crowd = atoms.copy()
    crowd.arrays["occupancy"] = given.astype(float)
    if "site_labels" not in crowd.arrays:
        numbered = [f"{s}{i}" for i, s in enumerate(crowd.get_chemical_symbols(), 1)]
        crowd.set_array("site_labels", np.array(numbered, dtype="U16"))
    if "spacegroup_kinds" not in crowd.arrays:
        crowd.set_array("spacegroup_kinds", np.arange(len(crowd)))
    return crowd


@dataclass(frozen=True)
class _Sites:
    """The distinct places of a crowd, and which of its atoms share them."""

    crowd: Atoms
    of_atom: NDArray[np.int64]  # site of each atom
    species: NDArray[np.int64]  # species of each atom: an element and isotope
    fraction: NDArray[np.float64]  # fraction of each atom
    total: NDArray[np.float64]  # sum of the fractions of each site
    partial: NDArray[np.bool_]  # sites that are not full of one species
    main: NDArray[np.int64]  # the atom with the largest fraction of each site

    @classmethod
    def of(cls, crowd: Atoms) -> _Sites:
        """Find the sites of a crowd."""
        n = len(crowd)
        i, j = neighbor_list("ij", crowd, OVERLAP)
        near = coo_array((np.ones(len(i)), (i, j)), shape=(n, n))
        n_sites, of_atom = connected_components(near, directed=False)
        fraction = crowd.arrays["occupancy"]
        names = np.array([crowd.numbers, isotopes_of(crowd)]).T
        species = np.unique(names, axis=0, return_inverse=True)[1].reshape(-1)
        shares = np.zeros((n_sites, species.max(initial=0) + 1))
        np.add.at(shares, (of_atom, species), fraction)
        total = shares.sum(axis=1)
        largest = [
            int(atoms[np.argmax(shares[site, species[atoms]])])
            for site, atoms in enumerate(_split(of_atom, n_sites))
        ]
        main = np.array([atom for atom in largest if fraction[atom] > 0], dtype=np.int64)
        return cls(crowd, of_atom, species, fraction, total, shares.max(axis=1) < _FULL, main)

    def describe(self, which: NDArray[np.bool_]) -> str:
        """Name sites with their species and fractions, each kind of site once."""
        kinds: dict[str, None] = {}
        for site in np.flatnonzero(which):
            atoms = np.flatnonzero(self.of_atom == site)
            names = dict.fromkeys(self.crowd.arrays["site_labels"][atoms])
            parts = [f"{self.label(int(a))} {self.fraction[a]:.4g}" for a in atoms]
            kinds[f"{'/'.join(names)} ({', '.join(parts)})"] = None
        listed = list(kinds)
        more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
        return ", ".join(listed[:8]) + more

    def label(self, atom: int) -> str:
        """Return the species of an atom as files write it."""
        return species_label(self.crowd.symbols[atom], int(isotopes_of(self.crowd)[atom]))


def _split(of_atom: NDArray[np.int64], n_sites: int) -> list[NDArray[np.int64]]:
    """Return the atoms of each site."""
    order = np.argsort(of_atom, kind="stable")
    return np.split(order, np.searchsorted(of_atom[order], np.arange(1, n_sites)))


def _sample(
    path: str,
    crowd: Atoms,
    sites: _Sites,
    minimum_distance: float | None,
    times: tuple[int, int, int],
    seed: int,
) -> Atoms:
    """Draw one ordered structure."""
    n_sites, cells = len(sites.total), int(np.prod(times))
    members = _split(sites.of_atom, n_sites)
    drawn = np.flatnonzero(sites.partial)
    kinds = _kinds(crowd, sites, members, drawn)
    copies = [
        kind._replace(places=(np.arange(cells)[:, None] * len(drawn) + kind.places).reshape(-1))
        for kind in kinds
    ]
    species = np.unique(sites.species, return_index=True)[1]  # an atom of each
    apart = closest(crowd.numbers[species])
    if minimum_distance is not None:
        apart = np.full_like(apart, minimum_distance)
    places = crowd[[members[site][0] for site in drawn]].repeat(times)
    split = np.tile(sites.total[drawn] < _FULL, cells)
    held, missing = draw(places, copies, apart, split, np.random.default_rng(seed))
    # The atom of each species at each site, in each cell.
    atom_of = np.full((n_sites, len(species)), -1)
    atom_of[sites.of_atom[::-1], sites.species[::-1]] = np.arange(len(crowd))[::-1]
    cell, site = np.divmod(np.arange(len(held)), len(drawn))
    there = held >= 0
    chosen = atom_of[drawn[site[there]], held[there]] + cell[there] * len(crowd)
    full = sites.main[~sites.partial[sites.of_atom[sites.main]]]
    always = (np.arange(cells)[:, None] * len(crowd) + full).reshape(-1)
    kept = np.sort(np.concatenate([always, chosen]))
    result = _clean(crowd.repeat(times)[kept])
    names = [sites.label(atom) for atom in species]
    wanted = cells * np.bincount(sites.species, weights=sites.fraction, minlength=len(names))
    reached = np.bincount(sites.species[kept % len(crowd)], minlength=len(names))
    result.info["disorder"] = {
        "seed": seed,
        "repeat": list(times),
        "composition": dict(zip(names, reached.tolist(), strict=True)),
        "wanted": dict(zip(names, wanted.round(6).tolist(), strict=True)),
    }
    off = np.abs(reached - wanted) > _WITHIN * wanted
    if off.any():
        parts = [f"{names[k]} {reached[k]} (wanted {wanted[k]:.4g})" for k in np.flatnonzero(off)]
        best = smallest_repeat(kinds, cell_heights(crowd)) if crowd.pbc.all() else None
        if missing:
            remedy = f"{missing} atoms found no place; make minimum_distance smaller"
        elif best:
            remedy = f"repeat={best} comes within 1 %"
        else:
            remedy = "no repeat of up to 512 cells comes within 1 %"
        warn(f"{path}: the composition drawn is off by more than 1 %: {', '.join(parts)}; {remedy}")
    return result


def _kinds(
    crowd: Atoms, sites: _Sites, members: list[NDArray[np.int64]], drawn: NDArray[np.int64]
) -> list[Kind]:
    """Return the kinds of sites that are drawn, places counted among those alone."""
    rows = crowd.arrays["spacegroup_kinds"]
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, site in enumerate(drawn):
        groups.setdefault(tuple(sorted(rows[members[site]].tolist())), []).append(place)
    kinds = []
    for places in groups.values():
        site = drawn[places[0]]
        atoms = members[site]
        species, which = np.unique(sites.species[atoms], return_inverse=True)
        fractions = np.bincount(which, weights=sites.fraction[atoms]).astype(np.float64)
        if sites.total[site] >= _FULL:
            fractions = fractions / fractions.sum()
        kinds.append(Kind(np.array(places), species, fractions))
    return kinds
