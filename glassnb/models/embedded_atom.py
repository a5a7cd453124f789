"""Embedded-atom potentials of metals, from the files of the field (setfl).

The energy is E = sum_i F_i(rho_i) + sum_(i<j) phi_ij(r_ij), where rho_i adds up what the neighbours
of atom i contribute (Daw and Baskes, Phys. Rev. B 29, 6443 (1984)). In an ``eam/alloy`` file the
contribution depends on the neighbour's element alone; in an ``eam/fs`` file, on both (Finnis and
Sinclair, Philos. Mag. A 50, 45 (1984)).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from glassnb.core.download import check_sha256
from glassnb.core.formats.lines import number
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
    lines = content.decode("utf-8", errors="replace").replace("\r\n", "\n").split("\n")
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
    count, *elements = (lines[3] if len(lines) > 3 else "").split() or [""]
    if _whole(count) != len(elements) or not elements or not set(elements) <= set(atomic_numbers):
        raise _no_header(lines, 4, "the number of elements and their symbols", where)
    words = (lines[4] if len(lines) > 4 else "").split()
    if len(words) == 5:
        sizes = _whole(words[0]), _whole(words[2])
        steps = [_value(words[k]) or 0.0 for k in (1, 3, 4)]
        if min(*sizes) > 1 and min(steps) > 0:
            return elements, sizes, steps[2]
    expected = "the sizes and steps of the tables of F and of r, and the cutoff"
    raise _no_header(lines, 5, expected, where)


def _no_header(lines: Sequence[str], place: int, expected: str, where: str) -> ValueError:
    found = repr(lines[place - 1][:80]) if len(lines) >= place else "missing"
    return ValueError(
        f"{where}: is not a setfl file: its line {place} must hold {expected}, and is {found}"
    )


def _whole(word: str) -> int:
    """Return the whole number that a word is; 0 if it is none."""
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else 0


def _value(word: str) -> float | None:
    """Return the finite number that a word is for LAMMPS, which knows no exponents with D."""
    return None if "d" in word.lower() else number(word)


def _style(lines: Sequence[str], elements: list[str], sizes: tuple[int, int], where: str) -> str:
    """Tell the kinds of file apart by the number of values, and check each of them."""
    n_rho, n_r = sizes
    pairs = len(elements) * (len(elements) + 1) // 2 * n_r
    counts = np.cumsum([0, *(len(line.split()) for line in lines[5:])])
    reached = 0
    for style, densities in (("eam/alloy", 1), ("eam/fs", len(elements))):
        blocks = [n_rho + densities * n_r] * len(elements)
        titles, end = _titles(counts, [*blocks, pairs])
        reached = max(reached, end)
        if titles is None:
            continue
        _check_elements({6 + k: lines[5 + k] for k in titles}, elements, where)
        for k, line in enumerate(lines[5:]):
            if k not in titles and None in map(_value, line.split()):
                raise ValueError(
                    f"{where}: line {6 + k} holds something that is no number, or not finite: "
                    f"{line.strip()[:80]!r}"
                )
        return style
    raise ValueError(
        f"{where}: the setfl file is broken or not whole: for {', '.join(elements)}, {n_rho} "
        f"values of F and {n_r} of r, the tables of eam/alloy or eam/fs do not end where they "
        f"should, at line {6 + reached}"
    )


def _titles(counts: np.ndarray, blocks: Sequence[int]) -> tuple[list[int] | None, int]:
    """Return the lines above the tables of the elements, and the last line.

    ``counts`` are the numbers of words before each line; ``blocks`` those of each element's
    tables, and last those of the pairs. If the lengths disagree, return ``None`` and the line at
    which they do.
    """
    titles: list[int] = []
    line = 0
    for block in blocks[:-1]:
        while line + 2 < len(counts) and counts[line + 1] == counts[line]:
            line += 1  # an empty line
        if line + 1 >= len(counts):
            return None, line
        titles.append(line)
        end = counts[line + 1] + block
        line = int(np.searchsorted(counts, end))
        if line >= len(counts) or counts[line] != end:
            return None, line - 1
    end = counts[line] + blocks[-1]
    return (titles if end == counts[-1] else None), int(np.searchsorted(counts, end)) - 1


def _check_elements(titles: Mapping[int, str], elements: Sequence[str], where: str) -> None:
    """Compare the masses above the tables with the elements of the header.

    Not the atomic numbers beside them, which are wrong in files that are in use.
    """
    for (place, title), symbol in zip(titles.items(), elements, strict=True):
        mass = float(atomic_masses[atomic_numbers[symbol]])
        words = title.split()
        found = _value(words[1]) if len(words) > 1 else None
        if found is None or abs(found - mass) >= 0.01 * mass:
            raise ValueError(
                f"{where}: line {place}: the tables of {symbol} begin with "
                f"{title.strip()[:40]!r} instead of its atomic number, its mass {mass:.3f}, and "
                "its lattice"
            )
