"""POSCAR, which ASE reads and this module checks, and XDATCAR, with any number of frames.

ASE's reader of XDATCAR ends without a word at the first line that it does not expect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.formats.lines import Lines, number, whole
from glassnb.core.formats.species import assemble, check_label, is_label

__all__ = ["check_poscar", "frames", "recognise"]


def recognise(text: str) -> str | None:
    """Tell POSCAR and XDATCAR by scale, three vectors, and numbers of atoms."""
    words = [line.split() for line in text[:20_000].split("\n", 8)]
    if len(words) < 7 or [len(line) for line in words[1:5]] != [1, 3, 3, 3]:
        return None
    if None in (number(word) for line in words[1:5] for word in line):
        return None
    counts = words[6] if all(word[0].isalpha() for word in words[5]) else words[5]
    if not counts or None in map(whole, counts):
        return None
    return "vasp-xdatcar" if "Direct configuration=" in text else "vasp"


def check_poscar(lines: Lines) -> None:
    """Fail where ASE passes over what POSCAR says, or stumbles at it.

    Parameters
    ----------
    lines : Lines
        The file.
    """
    if len(lines.lines) < 7:
        raise ValueError(
            f"{lines.path}: expected a POSCAR (a title, the scale, three cell vectors, elements, "
            "numbers of atoms, Direct or Cartesian, coordinates), "
            f"found {len(lines.lines)} line(s)"
        )
    lines.number = 1
    lines.floats(lines.next("the scale", blank=True).split()[:1], 1, "the scale (a number)")
    _vectors(lines)
    words = lines.next("elements or numbers of atoms", blank=True).partition("!")[0].split()
    if None not in map(whole, words):  # as before VASP 5
        _check_title(lines, len(words))
        counts = words
    else:
        counts = lines.next("numbers of atoms", blank=True).partition("!")[0].split()
        if len(words) != len(counts):
            lines.fail(f"{len(words)} numbers of atoms, as there are elements")
    numbers = [whole(word) or 0 for word in counts]
    total = sum(numbers)
    if min(numbers, default=0) < 0 or not total or None in map(whole, counts):
        lines.fail("whole numbers of atoms")
    what = "Direct or Cartesian"
    selective = lines.next(what, blank=True).strip()[:1].lower() == "s"
    if selective:
        lines.next(what, blank=True)
    if lines.current.strip()[:1].lower() not in ("d", "c", "k"):
        lines.fail(what)
    for index in range(total):
        what = f"finite coordinates of atom {index + 1} of {total}"
        words = lines.next(what, blank=True).split()
        lines.floats(words[:3], 3, what)
        flags = [word.strip(".")[:1].upper() for word in words[3:6]]
        if selective and (len(flags) != 3 or not {*flags} <= {"T", "F"}):
            lines.fail(f"{what}, and whether it moves along each vector (T or F, three times)")
    lines.number += 1
    words = lines.current.split()
    if len(words) > 2 and None not in map(number, words[:3]):
        lines.fail(f"the end of the coordinates after {total} atoms")


def _check_title(lines: Lines, count: int) -> None:
    """Fail where the elements that ASE found in the title may be other words or parts of them."""
    words = [re.sub(r"[-_,.=\d]", "", word) for word in lines.lines[0].split()[:count]] or [""]
    formula = re.findall("[A-Z][a-z]?", words[0])
    told = formula if "".join(formula) == words[0] and len(formula) == count else words
    if len(told) != count or not all(map(is_label, told)):
        lines.number = 1
        lines.fail(f"{count} elements as the first words, or in a line above the numbers of atoms")


def _vectors(lines: Lines) -> NDArray:
    what = "finite cell vectors (3 numbers)"
    return np.array(
        [lines.floats(lines.next(what, blank=True).split()[:3], 3, what) for _ in range(3)]
    )


def frames(lines: Lines) -> list[Callable[[], Atoms]]:
    """Find the frames of XDATCAR.

    Parameters
    ----------
    lines : Lines
        The file.

    Returns
    -------
    list of callable
        One for each frame, which reads it.
    """
    found: list[Callable[[], Atoms]] = []
    cell, labels = np.zeros((3, 3)), [""]
    while lines.more():
        words = lines.lines[lines.number].split()
        if found and len(words) == 3 and None not in map(number, words):
            lines.number += 1
            lines.fail(f"the end of frame {len(found)} after {len(labels)} atoms")
        if words[0] != "Direct":
            cell, labels = _header(lines)
        if not lines.next("'Direct configuration='").lstrip().startswith("Direct configuration"):
            lines.fail("'Direct configuration='")
        found.append(partial(_frame, lines, lines.number, cell, labels))
        lines.number += len(labels)
        if lines.number > len(lines.lines):
            lines.number = len(lines.lines) + 1
            lines.fail(f"{len(labels)} atoms in frame {len(found)}")
    return found


def _header(lines: Lines) -> tuple[NDArray, list[str]]:
    lines.next("a comment", blank=True)
    (scale,) = lines.floats(lines.next("the scale").split(), 1, "the scale (a number)")
    cell = _vectors(lines)
    volume = abs(float(np.linalg.det(cell)))
    if scale == 0 or volume < 1e-9:
        lines.fail("a scale, and vectors that span a volume")
    words = re.sub(r"[/_]\S*", "", lines.next("elements")).split()  # Si_pv, Si/1a2b
    symbols = [check_label(lines, word) for word in words]
    counts = [whole(word) for word in lines.next("numbers of atoms").split()]
    numbers = [count for count in counts if count is not None and 0 <= count <= len(lines.lines)]
    if len(counts) != len(symbols) or len(numbers) != len(symbols) or not sum(numbers):
        lines.fail(f"{len(symbols)} numbers of atoms, of no more atoms than the file has lines")
    labels = [s for s, count in zip(symbols, numbers, strict=True) for _ in range(count)]
    return cell * (scale if scale > 0 else (-scale / volume) ** (1 / 3)), labels


def _frame(lines: Lines, start: int, cell: NDArray, labels: Sequence[str]) -> Atoms:
    lines.number = start
    places = []
    for index in range(len(labels)):
        what = f"atom {index + 1} of {len(labels)}: 3 fractional coordinates"
        places.append(lines.floats(lines.next(what, blank=True).split(), 3, what))
    return assemble(labels, scaled_positions=places, cell=cell, pbc=True)
