"""Text files of total scattering: columns of numbers under the headers of the field.

=====================================  ============================================================
written by                             looks like
=====================================  ============================================================
Gudrun (.mint01, .mdcs01, .dcs01)      lines of ``#``, then Q, F(Q), error
RMC++, RMC_POT, RMCProfile             number of points, title, then Q or r and the function
PDFgetX3, xPDFsuite (.sq, .fq, .gr)    settings, ``#### start data``, ``#S 1``, ``#L ...``
PDFgetN, Mantid (.gr)                  comments, then r, G, error of r, error of G
xmgrace                                lines of ``@`` and ``#``, sets that end with ``&``
spreadsheets (.csv)                    names of columns, then numbers and commas
=====================================  ============================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["Columns", "read_columns"]

_START = "#### start data"
_COMMENT = ("#", "!", "@", "%")


@dataclass(frozen=True)
class Columns:
    """Columns of a file.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Q or r, positive and rising.
    values : ndarray, shape (n,)
        The function.
    sigma : ndarray, shape (n,), optional
        Standard error of the function.
    header : str
        The text above the numbers.
    """

    x: NDArray[np.float64]
    values: NDArray[np.float64]
    sigma: NDArray[np.float64] | None
    header: str

    def setting(self, name: str) -> float | None:
        """Return a number that the header sets, as in ``qmax = 24.0``.

        Parameters
        ----------
        name : str
            What is set; capitals do not matter.

        Returns
        -------
        float or None
            Its value, if there.
        """
        found = re.search(rf"\b{name}\s*=\s*([0-9.]+)", self.header, re.IGNORECASE)
        return float(found[1]) if found else None


def read_columns(path: Path, symbol: str) -> Columns:
    """Read the columns of a text file.

    Two columns are x and the function; a third is its error; of four, the last is its error and
    the third that of x. Rows with x = 0 are left out, errors that are all zero too.

    Parameters
    ----------
    path : pathlib.Path
        File to read.
    symbol : str
        Name of the first column in messages, ``"Q"`` or ``"r"``.

    Returns
    -------
    Columns
        The numbers.

    Raises
    ------
    ValueError
        If there are no such columns, or x does not rise.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    first = _after_settings(lines)
    first, announced = _after_count(lines, first)
    rows, begin = _rows(path, lines, first, announced)
    if announced is not None and len(rows) < announced:
        raise ValueError(
            f"{path}: its first line announces {announced} points, but {len(rows)} follow"
        )
    if len(rows) < 2:
        raise ValueError(f"{path}: expected rows of {symbol} and a function, found {len(rows)}")
    table = np.array(rows)
    table = table[table[:, 0] != 0]
    if not np.isfinite(table).all():
        raise ValueError(f"{path}: holds NaN or infinite numbers; remove these rows")
    x = table[:, 0]
    if (np.diff(x) <= 0).any():
        raise ValueError(f"{path}: {symbol} in the first column must rise from row to row")
    if (x < 0).any():
        raise ValueError(f"{path}: {symbol}={x[0]:g} in the first column is negative")
    sigma = np.abs(table[:, -1]) if table.shape[1] > 2 and table[:, -1].any() else None
    return Columns(x, table[:, 1], sigma, "\n".join(lines[:begin]))


def _after_settings(lines: list[str]) -> int:
    """Return the first line below the settings of PDFgetX3, which may hold bare numbers."""
    starts = [k for k, line in enumerate(lines) if _START in line]
    return starts[0] + 1 if starts else 0


def _after_count(lines: list[str], first: int) -> tuple[int, int | None]:
    """Skip a number of points in the first line, and a title, which may be a number, below it."""
    filled = [k for k in range(first, len(lines)) if lines[k].strip()]
    words = lines[filled[0]].split() if filled else []
    # Mantid writes the kind of function behind the number
    if not words or not words[0].isdigit() or _numbers(lines[filled[0]], 2) is not None:
        return first, None
    if len(words) > 1 and not words[1].isalpha():
        return first, None
    count = int(words[0])
    title = len(filled) > 1 and (len(filled) - 1 > count or _numbers(lines[filled[1]], 2) is None)
    return filled[1 if title else 0] + 1, count


def _rows(
    path: Path, lines: list[str], first: int, announced: int | None
) -> tuple[list[list[float]], int]:
    """Return the rows of numbers, and the line at which they begin."""
    rows: list[list[float]] = []
    begin = len(lines)
    ended = False
    for k in range(first, len(lines)):
        text = re.split("[#!]", lines[k])[0].strip()
        if len(rows) == announced:
            break
        if not text or text.startswith(_COMMENT):
            continue
        if text == "&":
            ended = bool(rows)
            continue
        row = _numbers(text, 2)
        if ended:
            raise ValueError(f"{path}, line {k + 1}: a second set of data; leave one in the file")
        if row is None and not rows:
            continue  # a header
        where = f"{path}, line {k + 1}"
        if row is None:
            raise ValueError(f"{where}: expected two or three numbers, found {text!r}")
        if rows and len(row) != len(rows[0]):
            raise ValueError(f"{where}: expected {len(rows[0])} columns, found {len(row)}")
        if len(row) > 4:
            raise ValueError(
                f"{where}: {len(row)} columns, perhaps one spectrum for each group of detectors; "
                "give a file of the merged spectrum, or cut out two or three columns"
            )
        begin = min(begin, k)
        rows.append(row)
    return rows, begin


def _numbers(line: str, fewest: int) -> list[float] | None:
    """Return the numbers of a line, or nothing if it holds other words or too few."""
    words = re.sub("[,;]", " ", line).split()
    try:
        # Fortran writes 0.1D+01
        numbers = [float(re.sub("[dD]", "e", word)) for word in words]
    except ValueError:
        return None
    return numbers if len(numbers) >= fewest else None
