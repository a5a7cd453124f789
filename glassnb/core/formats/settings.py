"""Which symmetry operations a CIF means: as it lists them, or by the symbol of its space group.

One symbol can stand for several settings: two choices of the origin, hexagonal or rhombohedral
axes, another unique axis. The operations of a setting must leave the lengths and angles of the cell
as they are, which tells the axes; what the cell holds then tells the origin (see ``contents``).
The 530 settings are those of spglib (Togo, Shinohara and Tanaka, Sci. Technol. Adv. Mater. Methods
4, 2384822, 2024), which follow the International Tables.
"""

from __future__ import annotations

import re
import warnings
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from ase.cell import Cell
from numpy.typing import NDArray

from glassnb.core.callers import warn
from glassnb.core.formats.star import Block, Value

__all__ = ["IDENTITY", "OPERATIONS", "Setting", "settings"]

OPERATIONS = (
    "_space_group_symop_operation_xyz",
    "_symmetry_equiv_pos_as_xyz",
)
_SYMBOL = (
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m",
    "_space_group_name_h-m_ref",
    "_space_group_name_h-m_full",
)
_HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
_NUMBER = ("_space_group_it_number", "_symmetry_int_tables_number")
_CODE = ("_space_group_it_coordinate_system_code", "_symmetry_space_group_setting")
# The glide that older symbols name where newer ones have e, in the standard setting.
_OLD_GLIDE = {39: "b", 41: "b", 64: "a", 67: "a", 68: "a"}
# Largest change of the metric tensor, relative to the lengths: 0.6° in a right angle.
_TOLERANCE = 0.01
_TERM = re.compile(r"([+-]?)(?:(\d+(?:\.\d*)?|\.\d+)(?:/(\d+))?)?\*?([xyz])?")


class Setting(NamedTuple):
    """Symmetry operations, x -> R x + t in fractions of the cell.

    Parameters
    ----------
    name : str
        How messages call the setting.
    rotations : ndarray, shape (n, 3, 3)
        The matrices R.
    translations : ndarray, shape (n, 3)
        The vectors t.
    fewer : str
        What to say if the file lists fewer operations than the space group that it states has.
    """

    name: str
    rotations: NDArray[np.int64]
    translations: NDArray[np.float64]
    fewer: str = ""


IDENTITY = Setting("P 1", np.eye(3, dtype=np.int64)[None], np.zeros((1, 3)))


def settings(block: Block, cell: Cell) -> list[Setting]:
    """Return the settings that a file may mean.

    Parameters
    ----------
    block : Block
        The data block.
    cell : Cell
        Its unit cell.

    Returns
    -------
    list of Setting
        One, unless the file does not say which choice of the origin it uses.

    Raises
    ------
    ValueError
        If the operations listed are not complete, the symbol is not known, or no setting agrees
        with the cell.
    """
    path = block.lines.path
    listed = _whole([value for value in block.column(*OPERATIONS) or [] if value.known])
    if listed:
        one = _listed(block, listed)
        if _deviation(one.rotations, cell) > _TOLERANCE:
            raise ValueError(
                f"{path}: the symmetry operations that it lists do not leave its cell "
                f"{_parameters(cell)} as it is (rhombohedral and hexagonal axes?); correct the "
                "cell or the operations"
            )
    symbol, hall, number, code = (block.text(*names) for names in (_SYMBOL, _HALL, _NUMBER, _CODE))
    stated = " ".join(
        f"{what} {value!r}"
        for what, value in (
            ("space group", symbol), ("Hall symbol", hall), ("number", number), ("setting", code)
        )
        if value is not None
    )  # fmt: skip
    named = bool(symbol or hall or number)
    if listed:
        entries = _entries(symbol, hall, number, code) if named else []
        return [_compared(one, stated, entries, cell)]
    if not named:
        warn(
            f"{block.where}: names no space group and lists no symmetry operations; "
            "its atoms are read as all the atoms of the cell (P 1)"
        )
        return [IDENTITY]
    entries = _entries(symbol, hall, number, code)
    remedy = "list the symmetry operations as _space_group_symop_operation_xyz, or correct it"
    if not entries:
        raise ValueError(
            f"{path}: {stated}: no setting in the International Tables agrees with it; {remedy}"
        )
    deviations = [_deviation(_operations(entry).rotations, cell) for entry in entries]
    best = min(deviations)
    if best > _TOLERANCE:
        raise ValueError(
            f"{path}: {stated} does not agree with the cell {_parameters(cell)}, whose lengths and "
            f"angles its operations would change; {remedy}"
        )
    return [
        _operations(entry)
        for entry in _usual(
            [e for e, d in zip(entries, deviations, strict=True) if d <= best + 1e-4]
        )
    ]


def _parameters(cell: Cell) -> str:
    return " ".join(f"{x:.6g}" for x in cell.cellpar())


def _deviation(rotations: NDArray[np.int64], cell: Cell) -> float:
    """Return by how much operations change the metric tensor."""
    metric = cell.array @ cell.array.T
    scale = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    changed = np.transpose(rotations, (0, 2, 1)) @ metric @ rotations
    return float(np.abs((changed - metric) / scale).max())


# -- operations that the file lists ----------------------------------------------------------------


def _whole(values: list[Value]) -> list[Value]:
    """Join the words of operations such as x, y, z that stand on a line without quotes."""
    joined: list[Value] = []
    for value in values:
        before = joined[-1] if joined else None
        if (
            before
            and before.line == value.line
            and (before.text.count(",") < 2 or before.text.endswith(",") or "," not in value.text)
        ):
            joined[-1] = before._replace(text=before.text + value.text)
        else:
            joined.append(value)
    return joined


def _listed(block: Block, values: list[Value]) -> Setting:
    rotations = np.zeros((len(values), 3, 3), dtype=np.int64)
    translations = np.zeros((len(values), 3))
    for k, value in enumerate(values):
        parts = value.text.lower().replace(" ", "").split(",")
        terms = [[term for term in _TERM.finditer(part) if term[0]] for part in parts]
        whole = ["".join(term[0] for term in row) for row in terms]
        if len(parts) == 3 and whole == parts and "" not in parts:
            for i, row in enumerate(terms):
                for sign, digits, divisor, axis in (term.groups() for term in row):
                    size = float(digits or 1) / (float(divisor or 1) or np.inf)
                    size *= -1 if sign == "-" else 1
                    if axis is None:
                        translations[k, i] += size
                    elif abs(size) == 1:
                        rotations[k, i, "xyz".index(axis)] += int(size)
        if np.abs(translations[k]).max() > 10 or abs(round(np.linalg.det(rotations[k]))) != 1:
            block.fail(value.line, "a symmetry operation such as x,y,z or 1/2-x,y+1/2,-z")
    missing = _missing(rotations, translations)
    if missing is not None:
        first, second = (values[i].text for i in missing)
        raise ValueError(
            f"{block.lines.path}, line {values[0].line}: expected all operations of a space group, "
            f"but '{first}' after '{second}' is not among the {len(values)} that it lists"
        )
    return Setting("the operations that it lists", rotations, translations)


def _compared(one: Setting, stated: str, entries: list[Any], cell: Cell) -> Setting:
    """Count the operations that a file lists against those of the settings that it may mean."""
    made = [_operations(entry) for entry in entries]
    agree = [setting for setting in made if _deviation(setting.rotations, cell) <= _TOLERANCE]
    whole = min((len(setting.rotations) for setting in agree or made), default=0)
    moves = np.rint(one.translations * 24) % 24
    own = len(np.unique(np.hstack([one.rotations.reshape(-1, 9), moves]), axis=0))
    if own >= whole:
        return one
    plural = "s" if own > 1 else ""
    return one._replace(
        name=f"the {own} operation{plural} that it lists, of {whole} of {stated},",
        fewer=f"lists {own} symmetry operation{plural}, but {stated} has {whole}",
    )


def _missing(rotations: NDArray, translations: NDArray) -> tuple[int, int] | None:
    """Return two operations whose product is not in the list, None if it is a group."""
    code = (9 ** np.arange(9)).reshape(3, 3)
    names = ((rotations + 4) * code).sum(axis=(1, 2))
    for second in range(len(names)):
        products = rotations @ rotations[second]
        moved = rotations @ translations[second] + translations
        same = ((products + 4) * code).sum(axis=(1, 2))[:, None] == names
        difference = moved[:, None] - translations
        same &= (np.abs(difference - np.rint(difference)) < 0.01).all(axis=2)
        if not same.any(axis=1).all():
            return int(np.argmin(same.any(axis=1))), second
    return None


# -- the International Tables ----------------------------------------------------------------------


@cache
def _tables() -> list[Any]:
    return [_spglib("get_spacegroup_type", k) for k in range(1, 531)]


def _operations(entry: Any) -> Setting:
    found = _spglib("get_symmetry_from_database", entry.hall_number)
    name = entry.international_full + (f" :{entry.choice}" if entry.choice else "")
    return Setting(
        name.replace("_", ""), found["rotations"].astype(np.int64), found["translations"]
    )


def _spglib(function: str, hall_number: int) -> Any:
    import spglib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # about the errors of its next version
        return getattr(spglib, function)(hall_number)


def _compact(symbol: str) -> str:
    return re.sub(r"[\s_()]", "", symbol).lower()


@cache
def _symbols() -> dict[str, list[Any]]:
    """Return the settings by each symbol that is in use for them."""
    found: dict[str, list[Any]] = {}
    for entry in _tables():
        names = {entry.international_full}
        if 3 <= entry.number <= 15:
            names.add(entry.international_full.replace(" 1", ""))
        else:
            names.add(entry.international)
        if entry.number in _OLD_GLIDE:
            axes = re.findall("[abc]", entry.choice) or list("abc")
            glide = "abc"[axes.index(_OLD_GLIDE[entry.number])]
            names |= {name.replace("e", glide) for name in names}
        if entry.number >= 200:
            names |= {name.replace("-3", "3") for name in names}  # before 1983
        for name in sorted({_compact(name) for name in names}):
            found.setdefault(name, []).append(entry)
    return found


def _entries(
    symbol: str | None, hall: str | None, number: str | None, code: str | None
) -> list[Any]:
    """Return the settings that agree with all that the file states."""
    entries = _tables()
    words = (hall or "").replace("_", " ").lower().split()
    exact = [e for e in entries if e.hall_symbol.lower().split() == words]
    choice = ""
    if hall and not exact and "(" in hall:
        return []  # another origin, which the tables do not have
    if symbol:
        # Suffixes: ":2", ":H"; S and Z (origin at a site of high symmetry, at an inversion centre)
        # and HR are those of the Inorganic Crystal Structure Database; H 3 is one of proteins.
        base, _, choice = re.sub(r"(?<=[^:])(hr|[hrsz])$", r":\1", _compact(symbol)).partition(":")
        if base.startswith("h"):
            base, choice = f"r{base[1:]}", "h"
        known = _symbols().get(base, [])
        entries = [e for e in exact if e in known] if exact and known else exact or known
    elif exact:
        entries = exact
    if number:
        entries = [e for e in entries if str(e.number) == number]
        if not symbol and not exact:
            entries = [e for e in entries if e.choice in ("", "1", "2", "H", "R", "b", "b1")]
    for wanted in (choice, code):
        if wanted:
            entries = _chosen(entries, wanted)
    return entries


def _chosen(entries: list[Any], code: str) -> list[Any]:
    code = {"s": "1", "z": "2", "hr": "h", "abc": ""}.get(code.lower(), code.lower().lstrip("-"))
    fitting = [
        e
        for e in entries
        if e.choice.lower().lstrip("-") == code or (code in ("1", "2") and e.choice[:1] == code)
    ]
    # "setting 1" is also written where there is but one.
    return entries if not fitting and code == "1" else fitting


def _usual(entries: list[Any]) -> list[Any]:
    """Leave out unusual axes where usual ones are among the settings."""
    if entries[0].number <= 15:
        return sorted(entries, key=lambda e: ("bca".find(e.choice.lstrip("-")[:1]), e.hall_number))[
            :1
        ]
    usual = [e for e in entries if e.choice.strip("12HR") == ""]
    return usual or entries
