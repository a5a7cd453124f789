"""Walk through the lines of a text file with errors that name the file and the line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isfinite
from typing import NoReturn

__all__ = ["Lines", "number", "whole"]

# As C and Fortran write numbers; Python's own float() takes 1_0, nan and other alphabets too.
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[EeDd][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)


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
        # Not str.splitlines, which also breaks at signs that old encodings have in their words.
        self.lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
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

    def integer(self, expected: str, *, alone: bool = False) -> int:
        """Return the whole number that the next line begins with, or is if it stands ``alone``."""
        words = self.next(expected).split()
        value = whole(words[0])
        if value is None or value < 0 or (alone and len(words) > 1):
            self.fail(expected)
        return value

    def floats(self, words: Sequence[str], count: int, expected: str) -> list[float]:
        """Return ``words`` of the line read last, ``count`` of them, as finite numbers."""
        numbers = [number(word) for word in words]
        if len(numbers) != count or None in numbers:
            self.fail(expected)
        return [value for value in numbers if value is not None]

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


def number(word: str) -> float | None:
    """Return the finite number that a word is.

    Parameters
    ----------
    word : str
        Such as ``1.5``, ``-2e-3`` or ``1.0D+00``, as Fortran writes double precision.

    Returns
    -------
    float or None
        The number, or None if the word is none or too large.
    """
    if not _NUMBER.fullmatch(word):
        return None
    value = float(word.upper().replace("D", "E"))
    return value if isfinite(value) else None


def whole(word: str) -> int | None:
    """Return the whole number that a word is, None if it is none or has more than 18 digits."""
    return int(word) if _WHOLE.fullmatch(word) else None
