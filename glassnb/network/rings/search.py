"""Search for rings by three definitions, in the infinite periodic net.

* King: the shortest rings that contain a pair of bonds of an atom (S. V. King, Nature 213, 1112
  (1967)).
* Guttman: the shortest rings that contain a bond (L. Guttman, J. Non-Cryst. Solids 116, 145
  (1990)).
* Primitive, also called shortest-path rings: no two atoms of the ring are joined by fewer bonds
  than along the ring (D. S. Franzblau, Phys. Rev. B 44, 4925 (1991); K. Goetzke and H.-J. Klein,
  J. Non-Cryst. Solids 127, 215 (1991); X. Yuan and A. N. Cormack, Comput. Mater. Sci. 24, 343
  (2002)).

All shortest rings count where several are equally short. The search goes from atom and cell to
atom and cell, so that a small cell gives the rings of the crystal, and ways around a periodic cell
are no rings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from glassnb.core.callers import warn
from glassnb.core.neighbours import wrapping
from glassnb.core.parallel import map_tasks
from glassnb.core.progress import ProgressOption
from glassnb.core.structure import check_atoms, species_of
from glassnb.network.bonds import Bonds, bonds
from glassnb.network.rings.net import distinct, join, pieces, prepare, unpack
from glassnb.network.rings.result import Rings, find_formers

__all__ = ["guttman_rings", "king_rings", "primitive_rings"]

LARGEST = 120  # atoms; distances up to half of it fit into a byte
_DEFAULT = {"king": 40, "guttman": 40, "primitive": 24}


def king_rings(
    atoms: Atoms,
    *,
    cutoff: float | Mapping[Any, float] | None = None,
    max_size: int | None = None,
    nodes: str | ArrayLike | None = None,
    formers: str | Sequence[str] | None = None,
    client: Any = None,
    progress: ProgressOption = None,
) -> Rings:
    """Find King's rings: the shortest through each pair of bonds that meet at an atom.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure; any cell, periodic or not, however small.
    cutoff : float or dict, optional
        Longest bond in Å; see :func:`glassnb.network.bonds`.
    max_size : int, optional
        Largest ring, in atoms of any kind: 40 when omitted. Pairs of bonds without a ring up to
        it are reported in :attr:`Rings.unresolved`.
    nodes : str or array_like, optional
        Where the search starts: a species, or indices of atoms. Every atom when omitted.
    formers : str or sequence of str, optional
        Species that count as network formers; Si, Ge, B, P and Al, where present, when omitted.
    client : dask.distributed.Client, optional
        Where to run; threads of this process when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress_bar`.

    Returns
    -------
    Rings
        Each ring once, by first atom and size; the same whatever the number of threads.

    Raises
    ------
    ValueError
        If there are no bonds, an argument is out of range, or a named species is absent.

    Warns
    -----
    UserWarning
        If pairs of bonds are left without a ring because of ``max_size``, or atoms with fewer than
        two bonds are left out.

    Notes
    -----
    S. V. King, Nature 213, 1112 (1967), as D. S. Franzblau, Phys. Rev. B 44, 4925 (1991) states it:
    a ring of an atom is the shortest way between two of its neighbours that avoids it.

    Examples
    --------
    >>> import glassnb as gn
    >>> quartz = gn.models.crystal("alpha-quartz")
    >>> gn.network.king_rings(quartz, cutoff={("Si", "O"): 2.0}).size_distribution()
    {6: 1.0, 8: 7.0}
    """
    return _search("king", atoms, cutoff, max_size, nodes, formers, client, progress)


def guttman_rings(
    atoms: Atoms,
    *,
    cutoff: float | Mapping[Any, float] | None = None,
    max_size: int | None = None,
    nodes: str | ArrayLike | None = None,
    formers: str | Sequence[str] | None = None,
    client: Any = None,
    progress: ProgressOption = None,
) -> Rings:
    """Find Guttman's rings: the shortest through each bond.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure; any cell, periodic or not, however small.
    cutoff : float or dict, optional
        Longest bond in Å; see :func:`glassnb.network.bonds`.
    max_size : int, optional
        Largest ring, in atoms of any kind: 40 when omitted. Bonds without a ring up to it are
        reported in :attr:`Rings.unresolved`.
    nodes : str or array_like, optional
        Where the search starts: bonds of a species, or of atoms given by their indices. Every atom
        when omitted.
    formers : str or sequence of str, optional
        Species that count as network formers; Si, Ge, B, P and Al, where present, when omitted.
    client : dask.distributed.Client, optional
        Where to run; threads of this process when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress_bar`.

    Returns
    -------
    Rings
        Each ring once, by first atom and size; the same whatever the number of threads.

    Raises
    ------
    ValueError
        If there are no bonds, an argument is out of range, or a named species is absent.

    Warns
    -----
    UserWarning
        If bonds are left without a ring because of ``max_size``, or atoms with fewer than two bonds
        are left out.

    Notes
    -----
    L. Guttman, J. Non-Cryst. Solids 116, 145 (1990).
    """
    return _search("guttman", atoms, cutoff, max_size, nodes, formers, client, progress)


def primitive_rings(
    atoms: Atoms,
    *,
    cutoff: float | Mapping[Any, float] | None = None,
    max_size: int | None = None,
    nodes: str | ArrayLike | None = None,
    formers: str | Sequence[str] | None = None,
    client: Any = None,
    progress: ProgressOption = None,
) -> Rings:
    """Find primitive (shortest-path) rings: those that no shortcut divides.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure; any cell, periodic or not, however small.
    cutoff : float or dict, optional
        Longest bond in Å; see :func:`glassnb.network.bonds`.
    max_size : int, optional
        Largest ring, in atoms of any kind. Larger ones are not looked for; 24 when omitted, with a
        warning if rings that large were found, because the next larger may exist as well.
    nodes : str or array_like, optional
        A species, or indices of atoms: rings that contain at least one of them. Every atom when
        omitted.
    formers : str or sequence of str, optional
        Species that count as network formers; Si, Ge, B, P and Al, where present, when omitted.
    client : dask.distributed.Client, optional
        Where to run; threads of this process when omitted.
    progress : bool, callable or None
        See :func:`glassnb.core.progress_bar`.

    Returns
    -------
    Rings
        Each ring once, by first atom and size; the same whatever the number of threads.

    Raises
    ------
    ValueError
        If there are no bonds, an argument is out of range, or a named species is absent.

    Warns
    -----
    UserWarning
        If ``max_size`` was omitted and rings of the largest size were found, or atoms with fewer
        than two bonds are left out.

    Notes
    -----
    D. S. Franzblau, Phys. Rev. B 44, 4925 (1991). Only antipodes need to be looked at: a shortcut
    anywhere on a ring shortens the way between two of them.
    """
    return _search("primitive", atoms, cutoff, max_size, nodes, formers, client, progress)


def _search(
    definition: str,
    atoms: Atoms,
    cutoff: float | Mapping[Any, float] | None,
    max_size: int | None,
    nodes: str | ArrayLike | None,
    formers: str | Sequence[str] | None,
    client: Any,
    progress: ProgressOption,
) -> Rings:
    check_atoms(atoms)
    largest = _check_size(_DEFAULT[definition] if max_size is None else max_size)
    named = find_formers(atoms, formers)
    start = _check_nodes(atoms, nodes)
    found = bonds(atoms, cutoff)
    if not len(found):
        raise ValueError(
            f"cutoff={dict(found.cutoffs)}: no two atoms are that close, so there are no bonds; "
            "give the longest bond in Å"
        )
    moved = wrapping(atoms)
    work = prepare(definition, atoms, found, moved, start, largest)
    wanted = {"king": ~work.mask, "primitive": work.mask, "guttman": found.counts > 0}[definition]
    parts = map_tasks(
        work, pieces(atoms, wanted), client=client, progress=progress, description="rings"
    )
    keys, ends = distinct(
        np.concatenate([part[0] for part in parts]), join([part[1] for part in parts])
    )
    origins = np.zeros((len(atoms), largest + 1), dtype=bool)
    for part in parts:
        origins[part[2][:, 0], part[2][:, 1]] = True
    origins &= start[:, None]
    unresolved = np.concatenate([part[3] for part in parts])
    unresolved = unresolved[np.argsort(unresolved[:, 0], kind="stable")]
    indices, images = unpack(keys, ends, moved)
    if definition == "primitive":
        sizes = np.diff(ends)
        origins[indices, np.repeat(sizes, sizes)] = True
    if definition == "guttman":
        unresolved = unresolved[:, 1:]
    _warn(definition, found, unresolved, largest)
    cut = int((np.diff(ends) == largest).sum())
    if definition == "primitive" and max_size is None and cut:
        warn(
            f"{cut} of {ends.size - 1} rings have {largest} atoms, the largest that are looked for "
            "when max_size is omitted, so that larger ones may exist; give max_size, for example "
            f"max_size={largest + 8}, or max_size={largest} to stop there",
        )
    return Rings(
        definition, largest, ends, indices, images, atoms.copy(), named, found.cutoffs,
        start, origins, unresolved,
    )  # fmt: skip


# -- checks ----------------------------------------------------------------------------------------


def _check_size(max_size: Any) -> int:
    if isinstance(max_size, bool) or not isinstance(max_size, int | np.integer):
        raise ValueError(f"max_size={max_size!r}: must be a whole number of atoms")
    if not 3 <= max_size <= LARGEST:
        raise ValueError(
            f"max_size={max_size}: must be from 3 to {LARGEST} atoms (of all kinds: a ring of six "
            "SiO4 tetrahedra has 12)"
        )
    return int(max_size)


def _check_nodes(atoms: Atoms, nodes: str | ArrayLike | None) -> NDArray[np.bool_]:
    """Return which atoms the search starts from."""
    start = np.zeros(len(atoms), dtype=bool)
    if nodes is None:
        return ~start
    if isinstance(nodes, str):
        symbols, species = species_of(atoms)
        if nodes not in symbols:
            raise ValueError(
                f"nodes={nodes!r}: is not in the structure; its species are {', '.join(symbols)}"
            )
        return species == symbols.index(nodes)
    given = np.asarray(nodes)
    if given.dtype == bool and given.shape == start.shape:
        given = np.flatnonzero(given)
    if given.ndim != 1 or given.size == 0 or given.dtype.kind not in "iu":
        raise ValueError(
            f"nodes={nodes!r}: must be a species such as 'Si', or a list of indices of atoms"
        )
    if given.min() < 0 or given.max() >= len(atoms):
        raise ValueError(
            f"nodes: index {given.min() if given.min() < 0 else given.max()} is outside the "
            f"structure, whose atoms run from 0 to {len(atoms) - 1}"
        )
    start[given] = True
    return start


def _warn(definition: str, found: Bonds, unresolved: NDArray[np.int64], max_size: int) -> None:
    """Say what has been left out."""
    loose = np.flatnonzero(found.counts < 2)
    if loose.size:
        named = ", ".join(str(atom) for atom in loose[:5])
        warn(
            f"{loose.size} of {found.counts.size} atoms have fewer than two bonds and are in no "
            f"ring (atoms {named}{', ...' if loose.size > 5 else ''}); check the cutoff "
            f"{dict(found.cutoffs)} if that is unexpected",
        )
    if len(unresolved):
        what = "pairs of bonds" if definition == "king" else "bonds"
        warn(
            f"{len(unresolved)} {what} have no ring up to max_size={max_size} atoms; they are "
            "listed in Rings.unresolved",
        )
