"""Embedded-atom potentials of metals, from the files of the field (setfl).

The energy is E = sum_i F_i(rho_i) + sum_(i<j) phi_ij(r_ij), where rho_i adds up what the neighbours
of atom i contribute (Daw and Baskes, Phys. Rev. B 29, 6443 (1984)). In an ``eam/alloy`` file the
contribution depends on the neighbour's element alone; in an ``eam/fs`` file, on both (Finnis and
Sinclair, Philos. Mag. A 50, 45 (1984)).
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from glassnb.core.download import check_sha256
from glassnb.models.potentials import Potential

__all__ = ["EmbeddedAtomPotential", "read_embedded_atom"]

_FORMULA = "embedding energy of a sum over neighbours, and pairs; see source"


@dataclass(frozen=True, kw_only=True)
class EmbeddedAtomPotential(Potential):
    """An embedded-atom potential in a file; made by :func:`read_embedded_atom`.

    Parameters
    ----------
    name : str
        Name of the file.
    species : tuple of str
        Chemical symbols, in the order of LAMMPS's atom types.
    cutoff : float
        Largest distance in Å at which two atoms interact directly.
    title, source, formula : str
        See :class:`glassnb.models.Potential`.
    needs_charges : bool
        False.
    style : str
        ``"eam/alloy"`` or ``"eam/fs"``, LAMMPS's name of the kind of file.
    sha256 : str
        Checksum of the file.
    file : pathlib.Path
        The file; two potentials are the same if all but its place agrees.
    """

    style: str
    sha256: str
    file: Path = field(compare=False)

    @property
    def record(self) -> dict[str, Any]:
        """What a run notes: all but where the file lies, which changes from machine to machine."""
        found = asdict(self)
        del found["file"]
        return found

    def lammps_commands(self, folder: str | os.PathLike[str]) -> list[str]:
        """Return the commands that define the potential in LAMMPS.

        Parameters
        ----------
        folder : path-like
            Not used: the file is read where it is.

        Returns
        -------
        list of str
            Lines of LAMMPS input in metal units.
        """
        # The file has masses too, rounded in its own way; those of all our structures stand.
        masses = [float(atomic_masses[atomic_numbers[symbol]]) for symbol in self.species]
        return [
            f"pair_style {self.style}",
            f'pair_coeff * * "{self.file}" {" ".join(self.species)}',
            *(f"mass {i} {mass!r}" for i, mass in enumerate(masses, 1)),
        ]


def read_embedded_atom(
    path: str | os.PathLike[str],
    species: Sequence[str] | None = None,
    *,
    sha256: str | None = None,
    source: str | None = None,
) -> EmbeddedAtomPotential:
    """Read and check an embedded-atom potential.

    Parameters
    ----------
    path : path-like
        A setfl file, as LAMMPS reads it for its pair styles ``eam/alloy`` and ``eam/fs``; which of
        the two it is for is found by counting its numbers.
    species : sequence of str, optional
        The elements wanted; all of the file when omitted.
    sha256 : str, optional
        Checksum that the file must have.
    source : str, optional
        Publication; the first lines of the file when omitted.

    Returns
    -------
    EmbeddedAtomPotential
        The potential.

    Raises
    ------
    ValueError
        If the file is absent, is not a whole and sound setfl file, lacks an element, or has
        another checksum.
    """
    file = Path(path).expanduser().resolve()
    where = f"potential={str(path)!r}"
    if not file.is_file():
        raise ValueError(f"{where}: there is no such file")
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and digest != check_sha256(sha256):
        raise ValueError(f"{where}: has the checksum sha256={digest}, not {sha256}")
    lines = content.decode("utf-8", errors="replace").splitlines()
    lines[3:] = [line.split("#")[0] for line in lines[3:]]  # comments, as LAMMPS sees them
    elements, sizes, cutoff = _header(lines, where)
    style = _style(lines, elements, sizes, where)
    wanted = tuple(elements if species is None else species)
    missing = [symbol for symbol in wanted if symbol not in elements]
    if missing:
        raise ValueError(
            f"{where}: holds {', '.join(elements)}, not {', '.join(missing)}; give the file of a "
            "potential of all the elements"
        )
    text = " ".join(" ".join(lines[:3]).replace("#", " ").split())
    return EmbeddedAtomPotential(
        name=file.name,
        title=f"embedded-atom potential of {'-'.join(elements)}",
        species=wanted,
        cutoff=cutoff,
        source=source or f"file {file.name}: {text[:200]}",
        formula=_FORMULA,
        style=style,
        sha256=digest,
        file=file,
    )


def _header(lines: Sequence[str], where: str) -> tuple[list[str], tuple[int, int], float]:
    """Return the elements, the lengths of the tables of F and of r, and the cutoff."""
    try:
        count, *elements = lines[3].split()
        n_rho, d_rho, n_r, d_r, cutoff = lines[4].split()
        sizes = int(n_rho), int(n_r)
        steps = float(d_rho), float(d_r), float(cutoff)
        sound = all(0 < step < math.inf for step in steps) and min(sizes) > 1
        if not sound or int(count) != len(elements) or not set(elements) <= set(atomic_numbers):
            raise ValueError
    except (ValueError, IndexError):
        raise ValueError(
            f"{where}: is not a setfl file, whose fourth line holds the number of elements and "
            "their symbols, and whose fifth the sizes and steps of the tables and the cutoff"
        ) from None
    return elements, sizes, steps[2]


def _style(lines: Sequence[str], elements: list[str], sizes: tuple[int, int], where: str) -> str:
    """Tell the kinds of file apart by the number of values, and check each of them."""
    n_rho, n_r = sizes
    pairs = len(elements) * (len(elements) + 1) // 2 * n_r
    counts = np.cumsum([0, *(len(line.split()) for line in lines[5:])])
    for style, densities in (("eam/alloy", 1), ("eam/fs", len(elements))):
        blocks = [n_rho + densities * n_r] * len(elements)
        titles = _titles(counts, [*blocks, pairs])
        if titles is None:
            continue
        _check_elements([lines[5 + title] for title in titles], elements, where)
        values = [line for i, line in enumerate(lines[5:]) if i not in set(titles)]
        try:
            numbers = np.array(" ".join(values).split(), dtype=float)
        except ValueError as error:
            raise ValueError(f"{where}: holds something that is no number ({error})") from None
        if not np.isfinite(numbers).all():
            raise ValueError(f"{where}: holds numbers that are not finite")
        return style
    raise ValueError(
        f"{where}: the setfl file is broken or not whole: for {', '.join(elements)}, {n_rho} "
        f"values of F and {n_r} of r, it does not hold the tables of eam/alloy or eam/fs"
    )


def _titles(counts: np.ndarray, blocks: Sequence[int]) -> list[int] | None:
    """Return the lines above the tables of the elements, or ``None`` if the lengths disagree.

    ``counts`` are the numbers of words before each line; ``blocks`` those of each element's
    tables, and last those of the pairs.
    """
    titles, line = [], 0
    for block in blocks[:-1]:
        while line + 2 < len(counts) and counts[line + 1] == counts[line]:
            line += 1  # an empty line
        if line + 1 >= len(counts):
            return None
        titles.append(line)
        end = counts[line + 1] + block
        line = int(np.searchsorted(counts, end))
        if line >= len(counts) or counts[line] != end:
            return None
    return titles if counts[-1] - counts[line] == blocks[-1] else None


def _check_elements(titles: Sequence[str], elements: Sequence[str], where: str) -> None:
    """Compare the masses above the tables with the elements of the header.

    Not the atomic numbers beside them, which are wrong in files that are in use.
    """
    for title, symbol in zip(titles, elements, strict=True):
        mass = float(atomic_masses[atomic_numbers[symbol]])
        try:
            same = abs(float(title.split()[1]) - mass) < 0.01 * mass
        except (ValueError, IndexError):
            same = False
        if not same:
            raise ValueError(
                f"{where}: the tables of {symbol} begin with {title.strip()[:40]!r} instead of its "
                f"atomic number, its mass {mass:.3f}, and its lattice"
            )
