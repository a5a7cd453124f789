"""Read and write structures: what ASE knows, and the formats of reverse Monte Carlo and SOVA.

=============  ============================================  =====================================
suffix         file                                          read and written by
=============  ============================================  =====================================
``.cfg``       RMC++ and RMCA configuration, version 3       :mod:`glassnb.core.formats.rmc_cfg`
``.cfg``       AtomEye configuration, format ``"cfg"``       :mod:`glassnb.core.formats.atomeye`
``.rmc6f``     RMCProfile configuration                      :mod:`glassnb.core.formats.rmc6f`
``.xyz``       SOVA and pyMolDyn (second line ``CUB 24.7``)  :mod:`glassnb.core.formats.sova_xyz`
``.xyz``       extended, plain and LAMMPS xyz; ``.extxyz``   :mod:`glassnb.core.formats.xyz`, ASE
``.data``      LAMMPS data (also ``.lmp``, ``.lammps``)      :mod:`glassnb.core.formats.lammps`
``.dump``      LAMMPS text dump (read only)                  :mod:`glassnb.core.formats.lammps_dump`
``.cif``       crystallographic information file             :mod:`glassnb.core.formats.cif`
``XDATCAR``    run of VASP (read only)                       :mod:`glassnb.core.formats.vasp`
others         POSCAR, traj, ...                             ASE
=============  ============================================  =====================================

The content of a file tells its format; its suffix counts where the content does not tell. Any text
may be compressed (gzip, bzip2, xz), may begin with a byte-order mark, and may have comments in
Latin-1. A file is held in memory as a whole.
"""

from __future__ import annotations

import contextlib
import operator
import os
import re
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import overload

import ase.io
import numpy as np
from ase import Atoms
from ase.io.formats import UnknownFileTypeError, filetype, ioformats, open_with_compression

from glassnb.core.callers import warn
from glassnb.core.formats import (
    atomeye,
    by_ase,
    cif,
    lammps,
    lammps_dump,
    rmc6f,
    rmc_cfg,
    sova_xyz,
    vasp,
    xyz,
)
from glassnb.core.formats import occupancy as disorder
from glassnb.core.formats.kinds import content, kind_of, suffix_of
from glassnb.core.formats.lines import Lines
from glassnb.core.formats.species import is_label, labels_of, refuse_species
from glassnb.core.provenance import atomic_path

__all__ = ["read", "write"]

# By the suffixes and names of formats that `write` takes; ASE takes .data for another program.
_WRITTEN = {".cfg": "rmc", ".rmc6f": "rmc6f", ".data": "lammps-data", ".lmp": "lammps-data",
            ".lammps": "lammps-data"}  # fmt: skip
_RENDER = {"rmc": rmc_cfg.render, "rmc6f": rmc6f.render, "lammps-data": lammps.render,
           "sova": sova_xyz.render, "xyz": xyz.render, "cif": cif.render}  # fmt: skip
_BOXES = ("rmc", "rmc6f", "lammps-data")  # describe nothing but a periodic box


@overload
def read(
    path: str | os.PathLike[str],
    species: Sequence[str] | None = None,
    *,
    index: int | None = None,
    occupancy: str = "error",
    minimum_distance: float | None = None,
    repeat: int | tuple[int, int, int] = 1,
    seed: int = 0,
) -> Atoms: ...
@overload
def read(
    path: str | os.PathLike[str],
    species: Sequence[str] | None = None,
    *,
    index: slice | str,
    occupancy: str = "error",
    minimum_distance: float | None = None,
    repeat: int | tuple[int, int, int] = 1,
    seed: int = 0,
) -> list[Atoms]: ...
def read(
    path: str | os.PathLike[str],
    species: Sequence[str] | None = None,
    *,
    index: int | slice | str | None = None,
    occupancy: str = "error",
    minimum_distance: float | None = None,
    repeat: int | tuple[int, int, int] = 1,
    seed: int = 0,
) -> Atoms | list[Atoms]:
    """Read a structure, or frames of a run, from a file.

    Parameters
    ----------
    path : path-like
        The file; its content tells the format, or else its suffix.
    species : sequence of str, optional
        Elements or isotopes (``"Si"``, ``"D"``, ``"Li-6"``), for files that only number the types
        of atoms: RMC++ ``.cfg``, and data, dump and xyz files of LAMMPS.
    index : int, slice or str, optional
        Which frames: a number, also from the end (-1 is the last), or a slice such as ``":"`` or
        ``"-5:"`` for a list. Without it the last is read.
    occupancy : str
        What to do where the file lists sites that are not full or are shared by several species:
        ``"error"`` refuses it and names them. ``"ignore"`` puts an atom of the main species on
        every site whose fraction is not 0, split sites too, with a warning. ``"sample"`` draws one
        ordered structure: the number of atoms on each kind of site follows its fraction (of the
        two whole numbers around it one is drawn, unless the nearer one is within 1 %), and their
        places are random. Sites are independent but for ``minimum_distance``: which sites a CIF
        groups as alternatives (``_atom_site_disorder_group``) is not used.
    minimum_distance : float, optional
        For ``"sample"``: no two atoms on sites that may be empty are closer, in Å. By default 2 Å
        between oxygen and halogens, else 0.75 of the sum of the covalent radii but at most 2 Å.
    repeat : int or tuple of int
        For ``"sample"``: repeats of the cell along its vectors, made before atoms are drawn.
    seed : int
        For ``"sample"``: seed of the random numbers.

    Returns
    -------
    ase.Atoms or list of ase.Atoms
        The structure, positions in Å; a list where ``index`` is a slice. Isotopes that the file
        names are in ``arrays["isotopes"]``. Velocities and forces of LAMMPS files are those of the
        atoms and of a calculator, in the units of ASE. After ``"sample"``, ``info["disorder"]``
        holds the numbers of atoms drawn and wanted.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, cut short or not of its format, if a coordinate is not a finite
        number, if ``species`` does not suit the file, if it has no such frame, if a site is not
        full, or if the contents of a CIF disagree with what it states (formula, formula units,
        volume, density) or put atoms too close together. The message names the file and, where the
        format allows, the line and what was expected there.

    Warns
    -----
    UserWarning
        If the file does not tell its elements, whose atoms become ``X``, or has masses that are not
        those of ``species``, or if it has several frames and no ``index`` is given. If occupancies
        are ignored, or a structure that was drawn misses the composition by more than 1 %: the
        repeat that does not is named. If an xyz file has atomic numbers in place of elements, or a
        number density in ``.rmc6f`` is not that of the atoms. If a CIF lacks
        hydrogen or symmetry, lists fewer operations than its space group has, lists atoms closer
        than half the sum of their covalent radii, or misses what it states by less than 1 %.

    Notes
    -----
    LAMMPS files that do not name their units are taken as ``metal`` (velocities in Å/ps, forces in
    eV/Å). A CIF with no more than the number of its space group means the usual setting: unique
    axis b, and the axes of the standard symbol; hexagonal or rhombohedral axes follow the cell. Of
    two origins the one is taken that agrees with the formula, density and distances, and the file
    is refused if both do and differ. Numbers in an xyz file that leave out some from 1 on are
    atomic numbers, others are types.

    Examples
    --------
    >>> glass = read("silica.cfg", species=("Si", "O"))  # doctest: +SKIP
    >>> run = read("quench.lammpstrj", species=("Si", "O"), index=":")  # doctest: +SKIP
    """
    name = str(path)
    if not Path(path).is_file():
        raise FileNotFoundError(f"{name}: no such file")
    elements = None if species is None else _elements(species)
    wanted = _wanted(index)
    disorder.check_arguments(occupancy, minimum_distance, repeat)
    data, text = content(name)
    frames = _frames(name, kind_of(name, data, text), data, text, elements)
    if index is None and len(frames) > 1:
        warn(
            f"{name} has {len(frames)} frames, of which the last is read; index=-1 asks for it, "
            "index=':' for all of them as a list"
        )

    def structure(place: int) -> Atoms:
        return disorder.resolve(
            name, _checked(name, frames[place]()), occupancy=occupancy,
            minimum_distance=minimum_distance, repeat=repeat, seed=seed,
        )  # fmt: skip

    places = range(len(frames))
    if isinstance(wanted, int) and -len(places) <= wanted < len(places):
        return structure(wanted)
    if isinstance(wanted, int) or not places[wanted]:
        raise ValueError(f"index={index!r}: {name} has {len(frames)} frame(s), the first is 0")
    return [structure(place) for place in places[wanted]]


def _wanted(index: int | slice | str | None) -> int | slice:
    """Return what was asked for, as sequences take it."""
    if isinstance(index, str) and re.fullmatch(r"(-?\d{1,18})?(:(-?\d{1,18})?){1,2}", index):
        index = slice(*(int(word) if word else None for word in index.split(":")))
    if isinstance(index, slice):
        if index.step != 0:
            return index
    elif not isinstance(index, (str, bool)):
        with contextlib.suppress(TypeError):
            return -1 if index is None else operator.index(index)
    raise ValueError(
        f"index={index!r}: give a whole number for one frame, or a slice such as ':', '-5:' or "
        "'::10' for a list"
    )


def _elements(species: Sequence[str]) -> list[str]:
    elements = [species] if isinstance(species, str) else list(species)
    for symbol in elements:
        if not isinstance(symbol, str) or not is_label(symbol):
            raise ValueError(
                f"species={species!r}: {symbol!r} is no chemical element or isotope; "
                "name one for each kind of atom, as in species=('Si', 'O') or ('D', 'O')"
            )
    return elements


def _frames(
    name: str, kind: str, data: bytes, text: str | None, species: list[str] | None
) -> list[Callable[[], Atoms]]:
    """Return one function for each frame of a file, which reads it."""
    if text is not None:
        lines = Lines(name, text)
        if kind == "extxyz":
            return xyz.frames(lines, species)
        if kind == "lammps-dump-text":
            return lammps_dump.frames(lines, species)
        if kind == "lammps-data":
            return [lambda: lammps.parse(lines, species)]
        if kind == "rmc":
            return [lambda: rmc_cfg.parse(lines, species)]
    if species is not None:
        refuse_species(name, species)
    if text is not None and kind == "rmc6f":
        return [lambda: rmc6f.parse(lines)]
    if text is not None and kind == "cfg":
        return [lambda: atomeye.parse(lines)]
    if text is not None and kind == "cif":
        return [partial(cif.structure, block) for block in cif.structures(name, text)]
    if text is not None and kind == "vasp-xdatcar":
        return vasp.frames(lines)
    return by_ase.frames(name, kind, data, text)


def _checked(name: str, atoms: Atoms) -> Atoms:
    if len(atoms) == 0:
        raise ValueError(f"{name}: expected a structure, found no atoms")
    wrong = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if len(wrong):
        raise ValueError(
            f"{name}: expected finite coordinates, found {atoms.positions[wrong[0]]} "
            f"at atom {wrong[0] + 1} of {len(atoms)}"
        )
    if not np.isfinite(atoms.cell.array).all():
        raise ValueError(f"{name}: expected finite cell vectors, found {atoms.cell.tolist()}")
    if atoms.pbc.any() and np.linalg.matrix_rank(atoms.cell[atoms.pbc]) < atoms.pbc.sum():
        raise ValueError(
            f"{name}: expected a cell with a volume where pbc={atoms.pbc.tolist()} is periodic, "
            f"found {atoms.cell.tolist()}"
        )
    return atoms


def write(path: str | os.PathLike[str], atoms: Atoms, *, format: str | None = None) -> None:
    """Write a structure to a file, which is whole or absent.

    Every format must hold the elements, isotopes and periodicity of the structure, and its cell
    where it is periodic. Velocities, tags and other arrays are kept by some formats only.

    Parameters
    ----------
    path : path-like
        Where to write; its suffix tells the format unless ``format`` does.
    atoms : ase.Atoms
        The structure, positions in Å. RMC formats group the atoms by species and put atoms
        outside the cell back into it. LAMMPS wants its first cell vector along x and the second
        in the plane of x and y: the structure is turned, fractional coordinates and the lengths
        and angles of the cell stay (the three vectors are reversed if they are left-handed).
    format : str, optional
        ``"rmc"`` (RMC++ version 3, default for ``.cfg``), ``"rmc6f"``, ``"sova"`` (xyz with the
        cell in the second line), ``"xyz"`` (without a cell; default for ``.xyz`` is extended xyz,
        which holds everything), ``"lammps-data"`` (default for ``.data``, ``.lmp`` and
        ``.lammps``), or a name that ASE knows, such as ``"cfg"`` for AtomEye.

    Raises
    ------
    ValueError
        If the arguments are not a path and a structure, if the structure is empty, has
        coordinates that are not finite or lacks the periodic cell that the format demands, if the
        format is unknown, or if it does not hold the structure.

    Warns
    -----
    UserWarning
        If the atoms have charges, which the format does not hold.
    """
    if not isinstance(path, (str, os.PathLike)) or not isinstance(atoms, Atoms):
        raise ValueError(
            f"write({type(path).__name__}, {type(atoms).__name__}): "
            "expected write(path, atoms) with an ase.Atoms"
        )
    name = str(path)
    _checked(name, atoms)
    kind = format or _WRITTEN.get(suffix_of(name)) or _ase_format(name)
    if kind in _BOXES and not (atoms.pbc.all() and atoms.cell.rank == 3):
        raise ValueError(
            f"{name}: {kind} files describe a periodic box, but atoms has pbc={atoms.pbc.tolist()} "
            f"and cell={atoms.cell.tolist()}; set both"
        )
    _check_kept(name, kind, atoms)
    with atomic_path(path) as temporary:
        _write_as(kind, temporary, name, atoms)


def _write_as(kind: str, target: Path, name: str, atoms: Atoms) -> None:
    if kind in _RENDER:
        with open_with_compression(str(target), "wt") as file:
            file.write(_RENDER[kind](atoms))
        return
    try:
        ase.io.write(str(target), atoms, format=kind)
    except Exception as error:  # the writers of ASE fail in their own ways
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        raise ValueError(f"{name}: cannot be written as {kind} ({what})") from error


def _check_kept(name: str, kind: str, atoms: Atoms) -> None:
    """Write one atom of each species and read it again: what that loses, the file would lose."""
    if kind not in _RENDER and not (kind in ioformats and ioformats[kind].can_read):
        return  # a picture
    labels = labels_of(atoms)
    first = {label: i for i, label in reversed(list(enumerate(labels)))}
    charged = int(np.argmax(np.abs(atoms.get_initial_charges())))
    sample = atoms[sorted({*first.values(), charged})]
    instead = "write .extxyz, which keeps everything"
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "sample"
        _write_as(kind, file, name, sample)
        reader = {"sova": "extxyz", "xyz": "extxyz"}.get(kind, kind)
        try:
            again = _frames(str(file), reader, *content(str(file)), None)[-1]()
        except ValueError as error:
            raise ValueError(
                f"{name}: {kind} files cannot hold a structure with pbc={atoms.pbc.tolist()} and "
                f"cell={atoms.cell.tolist()} (read again: {error}); {instead}"
            ) from error
    if not len(again):
        return  # ASE reads another file than it writes
    if again.pbc.tolist() != sample.pbc.tolist():
        raise ValueError(
            f"{name}: {kind} files cannot hold pbc={sample.pbc.tolist()} (read again as "
            f"{again.pbc.tolist()}); {instead}, or set atoms.pbc and the cell"
        )
    before, after = (x.cell.array[x.pbc] @ x.cell.array[x.pbc].T for x in (sample, again))
    if not np.allclose(before, after, rtol=1e-3, atol=1e-2):
        raise ValueError(f"{name}: {kind} files cannot hold cell={sample.cell.tolist()}; {instead}")
    if Counter(labels_of(sample)) != Counter(labels_of(again)):
        raise ValueError(
            f"{name}: {kind} files cannot hold all of {', '.join(dict.fromkeys(labels))} (read "
            f"again as {', '.join(dict.fromkeys(labels_of(again)))}); {instead}, or, if isotopes "
            "do not matter, take them off with glassnb.core.isotopes.set_isotopes(atoms, 0)"
        )
    if sample.get_initial_charges().any() and not again.get_initial_charges().any():
        warn(
            f"{name}: {kind} files hold no charges, those of the atoms are left out; {instead}, or "
            "take them off with atoms.set_initial_charges(None)"
        )


def _ase_format(name: str) -> str:
    try:
        kind = str(filetype(name, read=False))
    except UnknownFileTypeError:
        kind = ""
    if kind not in ioformats:
        raise ValueError(
            f"{name}: no format has this suffix; pass format=, such as 'extxyz', 'rmc' or 'sova'"
        )
    return kind
