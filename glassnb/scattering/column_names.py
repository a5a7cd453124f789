"""Names and units that stand above columns of numbers: what a column is, and in which unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glassnb.core.callers import warn

__all__ = ["Names", "factor_behind", "in_percent", "read_names", "warn_of_unit"]

_LENGTHS = {"å": 1.0, "nm": 10.0, "pm": 0.01, "bohr": 0.529177}  # in Å
_LENGTH = "|".join([*_LENGTHS, "µm", "um", "mm", "cm", "m"])
_SPELLINGS = (
    (r"\\s(-?\d)\\n|\\\+\((-?\d)\)", r"^\1\2"),  # superscripts of xmgrace and Origin
    (r"[${}]|\\(?:mathrm|rm)\b|\\(?=aa)", ""),
    ("⁻¹", "-1"),
    ("⁻²", "-2"),
    (r"\b(?:inverse|reciprocal)\s+", "1/"),
    (r"nanomet(?:er|re)s?", "nm"),
    (r"\u212b|ångstr[oö]ms?|angstr[oö]ms?|\bangs?\b|(?<![a-z])a{1,2}(?![a-z])", "å"),
    (r"\s*(?:\*\*|\^)?\s*(?:\(\s*-\s*([12])\s*\)|-\s*([12])(?![\d.]))", r"-\1\2"),
)
_X = {
    "Q": r"(?:\|?q\|?|x|scattering vector|momentum transfer|wave ?vector)(?![a-zθ])(?!\(q)",
    "r": r"(?:r|x|distance|radius)(?![a-z])(?!\(r)",
}
_ANGLE = r"\w*winkel|angolo|[aá]ngulo|hoek\b|угол"
_LAST_Q, _LAST_R = 100.0, 3.0  # beyond any measurement in Å⁻¹; before any in Å
# What may stand in place of Q or r: whatever follows, or where the name of a function follows.
_OTHERS = {
    "the scattering angle": r"2[\s_-]*(?:th|θ)|tth|two[\s_-]?theta|"
    r"(?:(?:scattering|diffraction|bragg)[\s_-]*)?angle\s*(?:$|[(\[/]|de\b)|" + _ANGLE,
    "a spacing d": r"d[\s_-]*spac",
}
_OTHERS_OF_FUNCTIONS = {
    "the scattering angle": r"theta\b|θ|angle\b",
    "a spacing d": r"d(?![a-z])",
    "s = sin(theta)/lambda or k = Q / 2 pi": r"sin\W*(?:theta|θ)|[sk](?![a-z])(?!\([qr]\))",
    "a time of flight": r"tof\b|time\b",
    "an energy": r"energy\b|[km]?ev\b",
    "a wavelength": r"wavelength\b|lambda\b|λ",
    "a channel": r"channel\b",
}
_FUNCTION = r"(?:[sfgitdyh]|intensit\w*|counts?|total)(?![a-z])"
_ERROR = (
    r"(?:d|δ|delta)[\s_]*[a-z](?![a-z])|e$|e[\s_]*\(|sd$|.*(?:err|sig(?!nal)|σ|std|unc|esd|dev|±|\+/-|fehler|"
    r"unsicher|incert|[eé]cart|abweich|desv)|s\.?[de]\.?$"
)
_PERCENT = r"(?:%|percent|per cent|pct|prozent|pour ?cent)"
_OF_FUNCTION = r"(?:err\w*|fehler|sig(?:ma\w*)?\b|σ|std\w*|esd|unc\w*|dev\w*|incert\w*|unsicher\w*)"
_IN_PERCENT = (
    rf"{_OF_FUNCTION}[^\w%]*(?:in|as|en|is|are|of)?[^\w%]*{_PERCENT}|"
    rf"(?<!\d)(?<!\d ){_PERCENT}(?:age)?[\s_]*{_OF_FUNCTION}"  # not 2 % error
)
_RELATIVE = (
    rf"\brel\w*[\W_]*{_OF_FUNCTION}|{_OF_FUNCTION}[\W_]*rel|"
    rf"(?:d|δ|σ|{_OF_FUNCTION})\W*([sfgiy])\b\W*/\s*\1\b"
)


@dataclass(frozen=True)
class Names:
    """What a header says of the columns.

    Parameters
    ----------
    columns : tuple of str, optional
        Name of each column, in plain spelling; ``None`` where the header does not name them.
    unit : float
        Length in Å in which r, or whose inverse Q, is given.
    value_unit : float, optional
        Length in Å in the unit of the function, where the header says it.
    note : str
        The conversion of x, to be told.
    stated : bool
        Whether the header says the unit of x.
    """

    columns: tuple[str, ...] | None
    unit: float
    value_unit: float | None
    note: str
    stated: bool

    def is_x(self, column: int, symbol: str) -> bool:
        """Return whether a column is named as x."""
        return self.columns is not None and re.match(_X[symbol], self.columns[column]) is not None

    def is_error(self, column: int) -> bool:
        """Return whether a column is named as an error."""
        return self.columns is not None and re.match(_ERROR, self.columns[column]) is not None

    def is_error_of_x(self, column: int) -> bool:
        """Return whether a column is named as the error of the first one."""
        assert self.columns is not None
        plain = re.match(
            rf"(?:(?:d|δ|delta|e|err|sig|sigma)[\s_(]*|{_OF_FUNCTION}[\W_]+(?:(?:of|in|von|de)\s)?)"
            r"([a-z])\)?(?![a-z])",
            self.columns[column],
        )
        return plain is not None and plain[1] in (self.columns[0][:1], "x")


def read_names(path: Path, header: Sequence[str], n_columns: int, symbol: str) -> Names:
    """Read names and units in a header.

    Parameters
    ----------
    path : pathlib.Path
        Named in messages.
    header : sequence of str
        Lines above the table, below the settings of a program.
    n_columns : int
        Of the table.
    symbol : str
        What the first column must be, ``"Q"`` or ``"r"``.

    Returns
    -------
    Names
        Names and units, where they are said.

    Raises
    ------
    ValueError
        If the first column is another quantity, or in a unit that is not known.
    """
    plain = [_plain(line) for line in header]
    columns = _columns(header, n_columns)
    # Fit2D writes the name of the axis in a line of its own, xmgrace as the label of an axis.
    names = [line for line in plain if re.fullmatch(r"[^()\[\]]{1,25}[\[(][^()\[\]]*[\])]", line)]
    names += [m[1] for line in plain if (m := re.match(r'xaxis\s+label\s+"(.*)"', line))]
    others = dict(_OTHERS)
    if columns:
        names.insert(0, columns[0])
        if re.match(_FUNCTION, columns[1]):
            others = {
                key: f"{pattern}|{_OTHERS.get(key, pattern)}"
                for key, pattern in _OTHERS_OF_FUNCTIONS.items()
            }
            swapped = {"Q": ("r", "read_pair_function"), "r": ("Q", "read_experiment")}[symbol]
            others[f"{swapped[0]}, which {swapped[1]} reads,"] = _X[swapped[0]].replace("|x", "")
    for name in names:
        for quantity, pattern in others.items():
            if re.match(pattern, name):
                raise ValueError(
                    f"{path}: its header names {quantity} in the first column ({name!r}); "
                    f"expected {symbol} in {_in('å', symbol)}, so convert it"
                )
    return _with_units(path, plain, names, columns, symbol)


def in_percent(path: Path, header: Sequence[str], names: Names, column: int) -> bool:
    """Return whether errors are given in percent of the function.

    Parameters
    ----------
    path : pathlib.Path
        Named in messages.
    header : sequence of str
        Lines above the table, below the settings of a program.
    names : Names
        What :func:`read_names` found in it.
    column : int
        Where the errors are, counted from the last column, which is -1.

    Returns
    -------
    bool
        Whether they are.

    Raises
    ------
    ValueError
        If they are relative, and the header does not say percent.
    """
    name = names.columns[column] if names.columns else ""
    lines = [name, *(_plain(line) for line in header)]
    cells = [re.split(r"[\t;,]", line) for line in header[-3:]]
    units = [row[column].strip(" ()[]#").lower() for row in cells if len(row) >= -column]
    if (
        re.search(_PERCENT, name)
        or any(re.search(_IN_PERCENT, line) for line in lines)
        or any(re.fullmatch(_PERCENT, unit) for unit in units)
    ):
        return True
    for line in lines:
        if re.search(_RELATIVE, line):
            raise ValueError(
                f"{path}: its header calls the errors relative ({line!r}); convert them to those "
                "of the function, name them 'error (%)' if they are in percent, or mend that line"
            )
    return False


def warn_of_unit(path: Path, names: Names, symbol: str, last: float) -> None:
    """Warn if x ends where no measurement does, and the header does not say its unit.

    Parameters
    ----------
    path : pathlib.Path
        Named in the message.
    names : Names
        What the header says.
    symbol : str
        ``"Q"`` or ``"r"``.
    last : float
        The last x, in Å⁻¹ or Å.

    Warns
    -----
    UserWarning
        If Q exceeds 100 Å⁻¹, or r ends below 3 Å.
    """
    if names.stated or not (last > _LAST_Q if symbol == "Q" else last < _LAST_R):
        return
    exponent = "^-1" if symbol == "Q" else ""
    warn(
        f"{path}: {symbol} ends at {last:.4g} {_in('å', symbol)}, as if it were in "
        f"{_in('nm', symbol)}; name its unit above the column, as in '{symbol} (nm{exponent})', "
        f"or '{symbol} (A{exponent})' if that is right",
    )


def factor_behind(text: str) -> float:
    """Return what brings a Q to Å⁻¹ whose unit stands at the beginning of a text.

    Parameters
    ----------
    text : str
        What follows the number.

    Returns
    -------
    float
        1 where there is no unit.
    """
    unit = _unit(_plain(text), "Q", "^")
    return 1 / _LENGTHS[unit] if unit in _LENGTHS else 1.0


def _plain(text: str) -> str:
    """Return a line without marks of comments, in one spelling of units."""
    text = re.sub(r"^[#!@%;\s]*(?:L\s)?\s*|[<>]", "", text).strip().lower()
    for pattern, spelling in _SPELLINGS:
        text = re.sub(pattern, spelling, text)
    return text.strip()


def _columns(header: Sequence[str], n_columns: int) -> tuple[str, ...] | None:
    """Return the names of the columns from the last line that has as many, or one less."""
    for raw in reversed([line for line in header if re.search(r"[^\W\d]", line)][-3:]):
        line = re.sub(r"^[#!@%]*(?:L\s)?", "", raw)
        line = re.sub(r"[ ]+(?=[\[(][^\])]*[\])])", "", line)  # Q (nm^-1) is one name
        for separator in (r"\t", ";", ",", r"(?<=\w)\||\|(?=\w)", r"\s{2,}", r"\s+"):
            words = [_plain(word.strip("\"' ")) for word in re.split(separator, line.rstrip())]
            if words and not words[0] and separator.startswith(r"\s"):
                words = words[1:]
            if len(words) == n_columns - 1 > 1 and re.match(r"[qr](?![a-z])", words[0]):
                words = ["", *words]  # pandas does not name the index
            if len(words) == n_columns > 1 and (
                any(re.match(x, word) for x in _X.values() for word in words)
                or re.match(_FUNCTION, words[1])
                or re.match(_ANGLE, words[0])
            ):
                return tuple(words)
    return None


def _unit(text: str, symbol: str, begin: str = "") -> str | None:
    """Return the length in the unit of Q or r, where there is one in a text."""
    inverse = rf"1\s*/\s*(?P<a>{_LENGTH})(?![a-z])|(?<![a-z])(?P<b>{_LENGTH})-1"
    length = rf"(?<![a-z/])(?P<a>{_LENGTH})(?![a-z-])(?P<b>)"
    found = re.search(f"{begin}(?:{inverse if symbol == 'Q' else length})", text)
    return (found["a"] or found["b"]) if found else None


def _with_units(
    path: Path,
    plain: Sequence[str],
    names: Sequence[str],
    columns: tuple[str, ...] | None,
    symbol: str,
) -> Names:
    # Q (nm^-1), Q/nm^-1, Q [1/nm], Q_nm^-1, Q in nm^-1; or a line of units below the names
    behind = rf"(?<![a-z]){_X[symbol]}[\W_]*(?:in[\W_]+)?"
    said = [_unit(line, symbol, behind) for line in plain]
    said += [_unit(name, symbol) for name in names]
    if symbol == "Q":
        said += [_unit(line, symbol, "^") for line in plain]
        said += ["nm" for name in names if re.fullmatch(r"q[_ ]?nm", name)]
    units = {unit for unit in said if unit}
    for name in names:
        inside = re.search(r"[\[(]([^()\[\]]*[a-zåµ°][^()\[\]]*)[\])]$", name)
        if inside and re.match(_X[symbol], name) and not units and inside[1] not in "åqr":
            raise ValueError(
                f"{path}: its header gives {symbol} in {inside[1]!r}; convert it to "
                f"{_in('å', symbol)}, and say so in the header"
            )
    if len(units) > 1 or not units <= set(_LENGTHS):
        several = " and ".join(sorted(_in(unit, symbol) for unit in units))
        raise ValueError(
            f"{path}: its header gives {symbol} in {several}; convert it to {_in('å', symbol)}, "
            "and leave that unit alone in the header"
        )
    stated = bool(units)
    unit = units.pop() if units else "å"
    value = re.search(rf"(?<![a-z])({'|'.join(_LENGTHS)})-[12]", columns[1]) if columns else None
    note = "" if unit == "å" else f", {symbol} converted from {_in(unit, symbol)}"
    return Names(columns, _LENGTHS[unit], _LENGTHS[value[1]] if value else None, note, stated)


def _in(unit: str, symbol: str) -> str:
    return unit.replace("å", "Å") + ("⁻¹" if symbol == "Q" else "")
