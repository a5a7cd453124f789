"""Text files of total scattering: columns of numbers under the headers of the field.

Each row of the table is tested. "Give" is the convention or function to read the file with; units
of Q and r are Å⁻¹ and Å unless the header says nm, pm or bohr, which is converted. The last column
is the error of the function, where the table says so.

======================================  ===========================================  ==============
written by                              looks like                                   give
======================================  ===========================================  ==============
Gudrun (.mint01)                        lines of ``#``, then Q, F(Q), error          ``F``
RMC++, RMC_POT                          number of points, title, Q and S(Q)          ``S``
RMCProfile, GSAS-II for it, StoG        the same, a kind behind the number; Q or r   as in the fit
PDFgetN (.sq, .gr)                      ``#L Q S(Q) dQ dS(Q)``; last is the error    ``S, G_PDF``
PDFgetX3, xPDFsuite (.sq, .fq, .gr)     settings, ``#### start data``, ``#L ...``    ``S, Q(S-1)``
GSAS-II (.sq, .fq, .gr)                 ``#T ...``, ``#L Q S(Q)``                    ``G_PDF``
Mantid SavePDFGui (.gr)                 comments, r, G, error of r, error of G       ``G_PDF``
Mantid SaveAscii                        ``# X , Y , E``, number of the spectrum      any
LiquidDiffract                          lines of ``#``, the last is ``Q|S(Q)``       ``S``, ``g``
Fit2D (.chi)                            four lines, the second names Q and its unit  any
pyFAI, Dioptas (.dat, .xy)              lines of ``#``, the last names ``q_nm^-1``   any
SasView (.txt)                          ``<Q> <I> <dI> <dQ>``; the third is error    any
xmgrace (.agr)                          lines of ``@`` and ``#``, ``&`` at the end   any
Origin                                  a line of names, a line of units             any
spreadsheets, pandas                    names; commas, semicolons or tabs; an index  any
                                        that the header leaves unnamed; decimal
                                        commas in quotes, or with semicolons, tabs
                                        or blanks
======================================  ===========================================  ==============

UTF-8, UTF-16 and UTF-32 with their marks, and Latin-1; ends of lines of any system; Fortran's
``0.1D+01`` and ``1.0-100``. Rows with NaN, ``1.#QNAN``, ``***`` and the like are left out with a
warning, and so are the rows of zeros with which Gudrun fills the ends of a table with errors.
Errors in percent are converted where the header says so. Refused: 2theta, d, s, k, energies and
times in the first column; other units; relative errors that are not in percent; a comma or an index
column that can be read in two ways; several sets of data; more rows, or fewer, than the first line
announces; rows that do not rise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glassnb.core.callers import warn
from glassnb.scattering.column_names import (
    Names,
    factor_behind,
    in_percent,
    read_names,
    warn_of_unit,
)
from glassnb.scattering.number_rows import (
    Row,
    begins_like_a_row,
    is_row,
    numbers,
    read_lines,
    split_rows,
    without_quotes,
)

__all__ = ["Columns", "read_columns"]

_START = "#### start data"
_COMMENT = ("@", "%")
# A comment begins a line or ends a row; not 1.#QNAN, nor the #N/A of spreadsheets.
_REMARK = re.compile(r"(?:^|\s)[#!](?!N/A|DIV/0|VALUE|NUM|REF)")
_MAX_COLUMNS = 4


@dataclass(frozen=True)
class Columns:
    """Columns of a file.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Q in Å⁻¹ or r in Å, positive and rising.
    values : ndarray, shape (n,)
        The function as it stands in the file.
    sigma : ndarray, shape (n,), optional
        Standard error of the function.
    header : str
        The text above the numbers.
    names : Names
        What the header says of the columns.
    path : pathlib.Path
        The file.
    """

    x: NDArray[np.float64]
    values: NDArray[np.float64]
    sigma: NDArray[np.float64] | None
    header: str
    names: Names
    path: Path

    def setting(self, name: str) -> float | None:
        """Return a Q that the header sets, as in ``qmax = 24.0`` or ``Qmax: 240 nm^-1``.

        Parameters
        ----------
        name : str
            What is set; capitals do not matter.

        Returns
        -------
        float or None
            Its value in Å⁻¹, if there.
        """
        number = r"([+-]?(?:\d+[.,]?\d*|\.\d+)(?:[eEdD][+-]?\d+)?)(?![\w.])"
        found = re.search(rf"\b{name}\s*[=:]\s*{number}(.*)", self.header, re.IGNORECASE)
        if found is None:
            return None
        value = float(re.sub("[dD]", "e", found[1].rstrip(",").replace(",", ".")))
        return value * factor_behind(found[2])

    def in_angstrom(self, power: int, what: str) -> float:
        """Return the factor that brings a function with a unit of length to Å.

        Parameters
        ----------
        power : int
            Of the length in the unit of the function; -2 for Å⁻².
        what : str
            The function, for messages.

        Returns
        -------
        float
            The factor.

        Raises
        ------
        ValueError
            If x is in another unit than Å, and the header does not say that of the function.
        """
        if power and self.names.value_unit is None and self.names.unit != 1:
            raise ValueError(
                f"{self.path}: the header does not say the unit of {what}, while the first column "
                f"is not in Å; name it above the second column, as in '(nm^{power})'"
            )
        return (self.names.value_unit or 1.0) ** power


def read_columns(path: Path, symbol: str) -> Columns:
    """Read the columns of a text file.

    Two columns are x and the function; a third is its error; of four, the last is its error and
    the third that of x, unless the header names them. Rows that hold NaN are left out with a
    warning, and so are rows at the ends of a table with errors whose function and error are 0; a
    first row with x = 0 and errors that are all zero or missing without one.

    Parameters
    ----------
    path : pathlib.Path
        File to read.
    symbol : str
        Name of the first column, ``"Q"`` or ``"r"``.

    Returns
    -------
    Columns
        The numbers.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If there are no such columns, they can be read in two ways, or x does not rise.

    Warns
    -----
    UserWarning
        If rows without a number, or of zeros at the ends of the table, are left out; or if x
        seems to be in another unit.
    """
    lines = without_quotes(read_lines(path))
    start = _after_settings(lines)
    first, announced = _after_count(path, lines, start)
    rows = _rows(path, lines, first, announced)
    if announced is not None and len(rows) < announced:
        raise ValueError(
            f"{path}: its first line announces {announced} points, but {len(rows)} follow"
        )
    if not rows:
        raise ValueError(f"{path}: expected rows of {symbol} and a function, found 0")
    words = split_rows(path, rows)
    _check_lengths(path, rows, words)
    begin = rows[0][0] - 1
    _check_header(path, lines, first, begin, rows)
    table = np.array([numbers(path, row[0], w) for row, w in zip(rows, words, strict=True)])
    names = read_names(path, lines[start:begin], table.shape[1], symbol)
    table, names = _without_index(path, table, names, symbol)
    where = _choose(path, names, table.shape[1], rows[0][0], symbol)
    x, values, *errors = table[:, where].T
    sigma = errors[0] if errors and np.nan_to_num(errors[0]).any() else None
    used = _usable(path, rows, [c for c in (x, values, sigma) if c is not None], symbol)
    x, values = x[used], values[used]
    _check_x(path, [rows[k][0] for k in np.flatnonzero(used)], x, symbol)
    if sigma is not None:
        sigma = sigma[used]
        if (sigma < 0).any():
            line = rows[int(np.flatnonzero(used)[np.argmax(sigma < 0)])][0]
            raise ValueError(
                f"{path}, line {line}: {sigma.min():g} in the last column is no error of the "
                "function; cut that column out"
            )
        if in_percent(path, lines[start:begin], names, where[-1] - table.shape[1]):
            sigma *= np.abs(values) / 100
            names = replace(names, note=f"{names.note}, errors converted from percent")
    keep = x != 0
    unit = names.unit if symbol == "r" else 1 / names.unit
    warn_of_unit(path, names, symbol, float(x[-1] * unit))
    return Columns(
        x[keep] * unit,
        values[keep],
        None if sigma is None else sigma[keep],
        "\n".join(lines[:begin]),
        names,
        path,
    )


def _after_settings(lines: list[str]) -> int:
    """Return the first line below the settings of PDFgetX3, which may hold bare numbers."""
    starts = [k for k, line in enumerate(lines) if _START in line]
    return starts[0] + 1 if starts else 0


def _after_count(path: Path, lines: list[str], first: int) -> tuple[int, int | None]:
    """Skip a number of points in the first line, and a title, which may be a number, below it."""
    filled = [k for k in range(first, len(lines)) if lines[k].strip()]
    words = lines[filled[0]].split() if filled else []
    # Mantid writes the kind of function behind the number
    if not words or not words[0].isdecimal() or is_row(lines[filled[0]]):
        return first, None
    if len(words) > 1 and not re.fullmatch(r"[A-Za-z]+(\(\w\))?(-1)?", words[1]):
        return first, None
    count, below = int(words[0]), filled[1:]
    follow = [k for k in below if is_row(_without_remark(lines[k]))]
    if not below or (follow[:1] == below[:1] and len(follow) <= count):
        return filled[0] + 1, count  # no title
    if follow[:1] == below[:1] and _may_begin(lines[follow[0]], lines[follow[1]]):
        raise ValueError(
            f"{path}: its first line announces {count} points, but {len(follow)} follow; "
            "a title between them must not look like one of them"
        )
    return below[0] + 1, count


def _may_begin(text: str, below: str) -> bool:
    """Return whether a row may stand above another: as many columns, and a smaller x."""
    pair = [re.findall(r"[^,;\s]+", line) for line in (text, below)]
    x, next_x = (numbers(Path(), 0, words[:1])[0] for words in pair)
    return len(pair[0]) == len(pair[1]) and x < next_x


def _without_remark(line: str) -> str:
    return _REMARK.split(line)[0].strip()


def _rows(path: Path, lines: list[str], first: int, announced: int | None) -> list[Row]:
    """Return the lines that are rows of numbers."""
    rows: list[Row] = []
    ended = False
    for k in range(first, len(lines)):
        text = _without_remark(lines[k])
        if not text or text.startswith(_COMMENT):
            continue
        if text == "&":
            ended = bool(rows)
            continue
        where = f"{path}, line {k + 1}"
        if ended:
            raise ValueError(f"{where}: a second set of data; leave one in the file")
        if len(rows) == announced:
            if is_row(text):
                raise ValueError(
                    f"{where}: a row beyond the {announced} points that the first line announces"
                )
        elif is_row(text):
            rows.append((k + 1, text))
        elif rows:
            raise ValueError(f"{where}: expected two or three numbers, found {text!r}")
    return rows


def _check_lengths(path: Path, rows: Sequence[Row], words: Sequence[Sequence[str]]) -> None:
    for (line, _), row in zip(rows, words, strict=True):
        if len(row) != len(words[0]):
            raise ValueError(
                f"{path}, line {line}: expected {len(words[0])} columns, found {len(row)}"
            )
        if len(row) < 2:
            raise ValueError(
                f"{path}, line {line}: expected two or three numbers, found {row[0]!r}"
            )


def _check_header(
    path: Path, lines: list[str], first: int, begin: int, rows: Sequence[Row]
) -> None:
    """Stop if a line above the table may be a row of it that is damaged."""
    for k in range(first, begin):
        text = _without_remark(lines[k])
        if text and not text.startswith(_COMMENT) and begins_like_a_row(text, rows[0][1]):
            raise ValueError(
                f"{path}, line {k + 1}: {text!r} is neither a row of numbers nor clearly a header; "
                "mend it, or put '#' before it"
            )


def _without_index(
    path: Path, table: NDArray[np.float64], names: Names, symbol: str
) -> tuple[NDArray[np.float64], Names]:
    """Leave out a first column that counts the rows."""
    if table.shape[1] < 3 or len(table) < 3:
        return table, names
    first, second = table[:, 0], table[:, 1]
    counts = (np.diff(first) == 1).all() and first[0] in (0, 1)
    if not counts or not (np.diff(second) > 0).all() or names.is_x(0, symbol):
        return table, names
    if names.columns is None or not names.is_x(1, symbol):
        raise ValueError(
            f"{path}: the first column counts the rows, and the second rises as {symbol} does; "
            "cut the first column out, or name the columns in a line above them"
        )
    return table[:, 1:], replace(names, columns=names.columns[1:])


def _choose(path: Path, names: Names, n: int, line: int, symbol: str) -> list[int]:
    """Return the columns of x, the function and, where there is one, its error."""
    if n > _MAX_COLUMNS:
        raise ValueError(
            f"{path}, line {line}: {n} columns, perhaps one spectrum for each group of detectors; "
            "give a file of the merged spectrum, or cut out two or three columns"
        )
    named = [k for k in range(1, n) if names.is_error(k)]
    if not named:
        also = [] if names.columns is None or n < 3 else list(names.columns[2:])
        if also:
            raise ValueError(
                f"{path}: the header calls further columns {', '.join(map(repr, also))}, which are "
                "no errors; cut them out, or name the error 'error'"
            )
        return [0, 1, n - 1] if n > 2 else [0, 1]
    functions = [k for k in range(1, n) if k not in named]
    if names.is_x(0, symbol) is False and any(names.is_x(k, symbol) for k in range(1, n)):
        raise ValueError(f"{path}: the header names {symbol} in another column than the first")
    if len(functions) != 1:
        assert names.columns is not None
        raise ValueError(
            f"{path}: the header names the functions "
            f"{', '.join(repr(names.columns[k]) for k in functions) or 'none'}; "
            "leave one, and its error, in the file"
        )
    of_function = [k for k in named if not names.is_error_of_x(k)]
    return [0, functions[0], *of_function[-1:]]


def _usable(
    path: Path, rows: Sequence[Row], columns: Sequence[NDArray[np.float64]], symbol: str
) -> NDArray[np.bool_]:
    """Return which rows hold numbers alone and are measured, and tell of the others."""
    used = np.asarray(np.isfinite(np.array(columns)).all(axis=0))
    lines = [row[0] for row, good in zip(rows, used, strict=True) if not good]
    padded = _padded(columns, used)
    used &= ~padded
    n = np.count_nonzero(columns[0][used])
    if n < 2:
        raise ValueError(
            f"{path}: expected rows of {symbol} above 0 and a function, found {n}"
            + (f", and {len(lines)} with NaN or no number" if lines else "")
        )
    if lines:
        shown = ", ".join(map(str, lines[:10])) + (", ..." if len(lines) > 10 else "")
        warn(
            f"{path}: {len(lines)} of {len(rows)} rows hold NaN, infinity or no number and are "
            f"left out (line {shown}); cut them out of the file if that is right",
        )
    if n_padded := np.count_nonzero(padded):
        shown = ", ".join(f"{x:g}" for x in columns[0][padded][:10])
        warn(
            f"{path}: {n_padded} row{'s' if n_padded > 1 else ''} at the ends of the table, where "
            f"the function and its error are both 0, left out as not measured ({symbol} = {shown}"
            f"{', ...' if n_padded > 10 else ''}); cut them out of the file",
        )
    return used


def _padded(columns: Sequence[NDArray[np.float64]], used: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which rows at the ends have no function and no error, as Gudrun fills its tables."""
    padded = used & (columns[0] > 0)
    if len(columns) < 3:
        return np.zeros_like(padded)
    measured = np.flatnonzero(used & ((columns[1] != 0) | (columns[2] != 0)))
    if measured.size:
        padded[measured[0] : measured[-1] + 1] = False
    return padded


def _check_x(path: Path, lines: Sequence[int], x: NDArray[np.float64], symbol: str) -> None:
    wrong = np.flatnonzero(np.diff(x) <= 0)
    if wrong.size:
        k = int(wrong[0])
        raise ValueError(
            f"{path}, line {lines[k + 1]}: {symbol} in the first column must rise from row to row, "
            f"but {x[k + 1]:g} follows {x[k]:g}; sort the rows, or leave one set of data in the "
            "file"
        )
    if x[0] < 0:
        raise ValueError(
            f"{path}, line {lines[0]}: {symbol}={x[0]:g} in the first column is negative"
        )
