"""Rows of numbers in text: which lines are rows, what parts their columns, where a point stands.

A comma parts columns in one country and marks decimals in another. What it does is decided for
the whole table, and a table that can be read in two ways is refused.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "Row",
    "begins_like_a_row",
    "is_row",
    "numbers",
    "read_lines",
    "split_rows",
    "without_quotes",
]

# A line of the table: its number in the file, counted from 1, and its text.
Row = tuple[int, str]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Fortran writes 0.1D+01, and 1.0-100 where the exponent has three digits.
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eEdD]([+-]?\d+)|([+-]\d{3}))?", re.ASCII)
# What C, Fortran, Windows, spreadsheets and pandas write where there is no number.
_MISSING = re.compile(
    r"[+-]?nan(\(\w*\))?|[+-]?inf(inity)?|[+-]?\d*\.?\d*#(qnan|snan|ind|inf)\w*|\*+|"
    r"#(n/a|div/0!|value!|num!|ref!)|n/?a|null|none|-{1,3}",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file in UTF-8, UTF-16, UTF-32 (with their marks) or Latin-1.

    Parameters
    ----------
    path : pathlib.Path
        File to read.

    Returns
    -------
    list of str
        Its lines.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no text.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    data = path.read_bytes()
    mark, encoding = next((pair for pair in _MARKS if data.startswith(pair[0])), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        if mark:
            raise ValueError(f"{path}: expected text in {encoding}, but {error}") from None
        text = data.decode("latin-1")
    lines = re.split("\r\n|\r|\n", text.removesuffix("\x1a"))  # the end of a file of DOS
    for k, line in enumerate(lines):
        if wrong := re.search("[\x00-\x08\x0e-\x1f]", line):
            raise ValueError(
                f"{path}, line {k + 1}: expected text, found {wrong[0]!r}; "
                "unpack the file, or save it as text in UTF-8"
            )
    return lines


def without_quotes(lines: Sequence[str]) -> list[str]:
    """Write rows with quoted numbers, as in ``"0,400","0,150"``, without quotes.

    Parameters
    ----------
    lines : sequence of str
        Lines of a file.

    Returns
    -------
    list of str
        The lines; where the quotes were, semicolons part the columns.
    """
    fields = [_fields(line) if '"' in line else None for line in lines]
    if not any(fields):
        return list(lines)
    if any('",' in line for line, found in zip(lines, fields, strict=True) if found):
        for k, line in enumerate(lines):  # whole numbers need no quotes
            if not re.search(r'[".;\s]', line) and is_row(line):
                fields[k] = line.split(",")
    return [";".join(f) if f else line for f, line in zip(fields, lines, strict=True)]


def _fields(line: str) -> list[str] | None:
    """Return the numbers of a row of which some are in quotes, or None if this is none."""
    for separator in ",;\t ":
        reader = csv.reader([line.strip()], delimiter=separator, skipinitialspace=True, strict=True)
        try:
            words = [word.strip() for word in next(reader)]
        except csv.Error:
            continue
        plain = ";".join(word.replace(",", ".") for word in words)
        if is_row(plain) and not re.search(r"\s", plain) and plain.count(";") == len(words) - 1:
            return words
    return None


def _words(text: str) -> list[str]:
    return re.findall(r"[^,;\s]+", text.replace("\u2212", "-"))


def _is_number(word: str) -> bool:
    return _NUMBER.fullmatch(word) is not None


def is_row(text: str) -> bool:
    """Return whether a line holds two numbers or more, and nothing but numbers.

    Parameters
    ----------
    text : str
        The line without comment.

    Returns
    -------
    bool
        Also if some are NaN or missing, whatever parts them.
    """
    words = _words(text)
    return (
        len(words) > 1
        and all(_is_number(word) or _MISSING.fullmatch(word) for word in words)
        and any(_is_number(word) for word in words)
    )


def begins_like_a_row(text: str, row: str) -> bool:
    """Return whether a line that is no row may be a damaged one, and no header.

    Parameters
    ----------
    text : str
        The line.
    row : str
        A row of the table below it.

    Returns
    -------
    bool
        Whether it has as many words, and the first is a number or one has a decimal point.
    """
    words = _words(text)
    found = [k for k, word in enumerate(words) if _is_number(word)]
    return len(words) == len(_words(row)) and any(k == 0 or "." in words[k] for k in found)


def split_rows(path: Path, rows: Sequence[Row]) -> list[list[str]]:
    """Part the columns of a table, and write its numbers with decimal points.

    Parameters
    ----------
    path : pathlib.Path
        Named in messages.
    rows : sequence of (int, str)
        Line number and text of each row.

    Returns
    -------
    list of list of str
        The words of each row; empty where a column is.

    Raises
    ------
    ValueError
        If the table can be read in two ways, or has several separators.
    """
    texts = [text.replace("\u2212", "-") for _, text in rows]
    if any(";" in text for text in texts):
        separator = r"\s*;\s*"
    elif not any("," in text for text in texts) or any(
        re.search(r"[^,\s]\s+[^,\s]", text.strip()) for text in texts
    ):
        separator = r",?\s+"
    else:
        separator = r"\s*,\s*"
        _check_commas(path, rows, texts)
    table = [re.split(separator, text.strip()) for text in texts]
    if all(words[-1] == "" for words in table):  # a separator behind the last column
        table = [words[:-1] for words in table]
    with_comma = [(k, w) for k, words in enumerate(table) for w in words if "," in w.strip(",")]
    if with_comma:
        points = any("." in word for words in table for word in words)
        thousands = all(_THOUSANDS.fullmatch(word) for _, word in with_comma)
        for k, word in with_comma:
            if points or thousands or word.count(",") > 1:
                raise ValueError(
                    f"{path}, line {rows[k][0]}: in {word!r} the comma may part thousands, "
                    "decimals or columns; write numbers as 1234.5"
                )
        table = [[word.replace(",", ".") for word in words] for words in table]
    return table


def _check_commas(path: Path, rows: Sequence[Row], texts: Sequence[str]) -> None:
    """Stop where 0,5,1,2 may be 0.5 and 1.2."""
    if any("." in text for text in texts):
        return
    for (line, _), text in zip(rows, texts, strict=True):
        if len(text.strip().rstrip(",").split(",")) > 2:
            raise ValueError(
                f"{path}, line {line}: in {text.strip()!r} a comma may part columns or decimals; "
                "part the columns with ';' or a tab, or write decimals with a point"
            )


def numbers(path: Path, line: int, words: Sequence[str]) -> list[float]:
    """Return the numbers of a row.

    Parameters
    ----------
    path : pathlib.Path
        Named in messages.
    line : int
        Likewise.
    words : sequence of str
        The columns.

    Returns
    -------
    list of float
        NaN where a number is missing or not finite.

    Raises
    ------
    ValueError
        If a column is no number.
    """
    found = []
    for word in words:
        match = _NUMBER.fullmatch(word)
        if match is None and word and not _MISSING.fullmatch(word):
            raise ValueError(f"{path}, line {line}: expected two or three numbers, found {word!r}")
        value = float(f"{match[1]}e{match[2] or match[3] or 0}") if match else float("nan")
        found.append(value if abs(value) < float("inf") else float("nan"))
    return found
