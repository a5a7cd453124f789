"""Walk through the lines of a text file with errors that name the file and the line."""

from __future__ import annotations

from math import isfinite
from typing import NoReturn

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

__all__ = ["Lines", "element", "group_by_element"]


class Lines:
    """The lines of a file and the place reached in it.

    Parameters
    ----------
    path : str
        Name of the file, for messages.
    text : str
        Its content.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()
        self.number = 0  # of the line read last, counted from 1

    @property
    def current(self) -> str:
        """The line read last."""
        return self.lines[self.number - 1] if self.number <= len(self.lines) else ""

    def fail(self, expected: str) -> NoReturn:
        """Raise an error about the line read last."""
        found = repr(self.current[:80]) if self.number <= len(self.lines) else "the end of the file"
        raise ValueError(f"{self.path}, line {self.number}: expected {expected}, found {found}")

    def next(self, expected: str, *, blank: bool = False) -> str:
        """Return the next line, passing over empty ones unless ``blank`` lines count."""
        while True:
            self.number += 1
            if self.number > len(self.lines):
                self.fail(expected)
            if blank or self.current.strip():
                return self.current

    def integer(self, expected: str) -> int:
        """Return the non-negative whole number that the next line begins with."""
        words = self.next(expected).split()
        if not words[0].isdigit():
            self.fail(expected)
        return int(words[0])

    def floats(self, words: list[str], count: int, expected: str) -> list[float]:
        """Return the first ``count`` words of the line read last as finite numbers."""
        try:
            # Fortran writes double precision as 1.0D+00
            numbers = [float(word.upper().replace("D", "E")) for word in words[:count]]
        except ValueError:
            self.fail(expected)
        if len(numbers) < count or not all(map(isfinite, numbers)):
            self.fail(expected)
        return numbers

    def more(self) -> bool:
        """Pass over empty lines and say whether anything follows them."""
        while self.number < len(self.lines) and not self.lines[self.number].strip():
            self.number += 1
        return self.number < len(self.lines)

    def end(self, expected: str) -> None:
        """Fail if anything but empty lines follows."""
        if self.more():
            self.number += 1
            self.fail(expected)


def element(lines: Lines, symbol: str) -> str:
    """Return ``symbol``, or fail at the current line if it is no chemical element."""
    if symbol not in atomic_numbers:
        lines.fail(f"a chemical element (not {symbol!r})")
    return symbol


def group_by_element(atoms: Atoms) -> tuple[list[str], list[int], np.ndarray]:
    """Order atoms by element, elements in the order in which they first appear.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.

    Returns
    -------
    elements : list of str
        Chemical symbols.
    counts : list of int
        Number of atoms of each.
    order : numpy.ndarray
        Indices that sort the atoms; atoms of one element keep their order.
    """
    symbols = atoms.get_chemical_symbols()
    elements = list(dict.fromkeys(symbols))
    rank = np.array([elements.index(symbol) for symbol in symbols])
    return elements, np.bincount(rank).tolist(), np.argsort(rank, kind="stable")
