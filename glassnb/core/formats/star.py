"""The syntax of CIF: data blocks, single items and loops, each value with the line it stands on.

CIF 1.1 (Hall, Allen and Brown, Acta Cryst. A47, 655, 1991). Names are told without regard to case;
those of newer dictionaries with a dot, such as ``_cell.length_a``, get their older form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from glassnb.core.formats.lines import Lines

__all__ = ["Block", "Value", "blocks"]

# A value in quotes ends at a quote that blanks follow, so that labels such as C1' are words.
_TOKEN = re.compile(r"""(?P<comment>\#.*)|(?P<quoted>'.*?'(?=\s|$)|".*?"(?=\s|$))|(?P<word>\S+)""")
_ESD = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\(\d+\))?$")
# Names that matter to a structure; others may be wrong. Those of newer dictionaries have a dot.
_STRUCTURE = re.compile(
    r"^(_cell|_atom_site|_space_group(?:_symop)?|_symmetry|_exptl_crystal|_chemical_formula)[._]"
)
_UNKNOWN = ("?", ".")
_LARGEST = 1e9


class Value(NamedTuple):
    """A value of a file.

    Parameters
    ----------
    text : str
        The value without its quotes.
    line : int
        Where it stands, counted from 1.
    known : bool
        Whether it is neither ``?`` nor ``.``.
    """

    text: str
    line: int
    known: bool = True


class Block:
    """One data block of a CIF.

    Parameters
    ----------
    lines : Lines
        The file, for messages.
    name : str
        Name of the block.
    """

    def __init__(self, lines: Lines, name: str) -> None:
        self.lines = lines
        self.name = name
        self.items: dict[str, list[Value]] = {}

    @property
    def where(self) -> str:
        """The file and the block, for messages."""
        return f"{self.lines.path}, data_{self.name}"

    def fail(self, line: int, expected: str) -> NoReturn:
        """Raise an error about a line."""
        self.lines.number = line
        self.lines.fail(expected)

    def column(self, *names: str) -> list[Value] | None:
        """Return the values of the first of several names that the block has."""
        return next((self.items[name] for name in names if name in self.items), None)

    def text(self, *names: str) -> str | None:
        """Return the first known value of several names, None if there is none."""
        for name in names:
            if values := [value.text for value in self.items.get(name, []) if value.known]:
                return " ".join(values[0].split())
        return None

    def number(self, value: Value, expected: str) -> float:
        """Return a value as a number, its standard uncertainty left out."""
        found = _ESD.match(value.text)
        if found is None or abs(float(found[1])) > _LARGEST:
            self.fail(value.line, f"{expected}, a number and not {value.text!r}")
        return float(found[1])


def blocks(path: str, text: str) -> list[Block]:
    """Return the data blocks of a file.

    Parameters
    ----------
    path : str
        Name of the file, for messages.
    text : str
        Its content.

    Returns
    -------
    list of Block
        In the order of the file.

    Raises
    ------
    ValueError
        If the file is no CIF, or a loop or an item is not whole.
    """
    lines = Lines(path, text.lstrip("\ufeff"))
    found: list[Block] = []
    header: list[str] | None = None  # names of the loop that is being read
    loop = 0  # where it begins
    values: list[Value] = []
    single: str | None = None  # a name that waits for its value
    last: tuple[str, Value] | None = None  # the last that got one, without quotes

    def close() -> None:
        """Put the loop away that ends here."""
        nonlocal header
        if not header:
            header = None
            return
        whole = bool(values) and len(values) % len(header) == 0
        if not whole and any(map(_STRUCTURE.match, header)):
            found[-1].fail(
                values[-1].line if values else loop,
                f"whole rows of the {len(header)} columns of a loop, from {header[0]} on, not "
                f"{len(values)} values",
            )
        for k, name in enumerate(header if whole else []):
            _store(found[-1], name, values[k :: len(header)])
        header = None
        values.clear()

    for value, plain in _tokens(lines):
        word = value.text.lower() if plain else ""
        keyword = word.startswith(("data_", "save_")) or word in ("loop_", "global_", "stop_")
        name = word.startswith("_")
        if single is not None:
            if keyword or name:
                found[-1].fail(value.line, f"a value of {single}")
            _store(found[-1], single, [value])
            last = (single, value) if plain else None
            single = None
        elif keyword:
            if found:
                close()
            if word.startswith("data_"):
                found.append(Block(lines, value.text[5:]))
            elif word == "loop_" and found:
                header, loop = [], value.line
            else:
                lines.number = value.line
                lines.fail("data_, loop_ or the name of an item")
        elif not found:
            raise ValueError(
                f"{path}: expected a CIF, whose first entry is data_ and a name, found "
                f"{value.text[:80]!r} in line {value.line}"
            )
        elif name and header is not None and not values:
            header.append(_STRUCTURE.sub(r"\1_", word))
        elif name:
            close()
            single = _STRUCTURE.sub(r"\1_", word)
        elif header:
            values.append(value)
        elif plain and last is not None and value.line == last[1].line:
            # Symbols such as P 1 21/c 1 are often left without quotes.
            last = (last[0], last[1]._replace(text=f"{last[1].text} {value.text}"))
            found[-1].items[last[0]] = [last[1]]
        else:
            found[-1].fail(value.line, "the name of an item, such as _cell_length_a")
    if single is not None:
        found[-1].fail(len(lines.lines) + 1, f"a value of {single}")
    if found:
        close()
    return found


def _store(block: Block, name: str, values: list[Value]) -> None:
    before = block.items.setdefault(name, values)
    different = [value.text for value in before] != [value.text for value in values]
    if different and _STRUCTURE.match(name):
        block.fail(values[0].line, f"{name} once (it stands in line {before[0].line} too)")


def _tokens(lines: Lines) -> Iterator[tuple[Value, bool]]:
    """Yield each value, and whether it stands without quotes."""
    field: list[str] | None = None  # lines of a text between semicolons
    begin = 0
    for number, line in enumerate(lines.lines, start=1):
        if line.startswith(";"):
            if field is None:
                field, begin = [line[1:]], number
                continue
            yield Value("\n".join(field).strip(), begin), False
            field, line = None, line[1:]
        if field is not None:
            field.append(line)
            continue
        for token in _TOKEN.finditer(line):
            if token["quoted"]:
                yield Value(token["quoted"][1:-1].strip(), number), False
            elif token["word"]:
                yield Value(token["word"], number, token["word"] not in _UNKNOWN), True
    if field is not None:
        lines.number = begin
        lines.fail("a text that ends with a line ';'")
