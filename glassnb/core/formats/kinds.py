"""Tell what a file is by what it holds; its name counts only where the content does not tell."""

from __future__ import annotations

import bz2
import codecs
import contextlib
import gzip
import lzma
from pathlib import Path

from ase.io.formats import UnknownFileTypeError, filetype, ioformats, match_magic

from glassnb.core.formats import atomeye, lammps, lammps_dump, rmc6f, rmc_cfg, vasp, xyz
from glassnb.core.provenance import reading

__all__ = ["content", "kind_of", "suffix_of"]

_COMPRESSED = {
    ".gz": (b"\x1f\x8b", gzip.decompress),
    ".bz2": (b"BZh", bz2.decompress),
    ".xz": (b"\xfd7zXZ\x00", lzma.decompress),
}
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# Formats of our own: where the content does not tell, these say which errors are of use.
_SUFFIXES = {".rmc6f": "rmc6f", ".xyz": "extxyz", ".extxyz": "extxyz", ".data": "lammps-data",
             ".lmp": "lammps-data", ".lammps": "lammps-data", ".dump": "lammps-dump-text",
             ".lammpstrj": "lammps-dump-text"}  # fmt: skip


def suffix_of(name: str) -> str:
    """Return the suffix of a file in small letters, without that of its compression."""
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def content(name: str) -> tuple[bytes, str | None]:
    """Read a file, which may be compressed.

    Parameters
    ----------
    name : str
        The file.

    Returns
    -------
    data : bytes
        What is in it.
    text : str or None
        The same without a byte-order mark; what is not UTF-8 is taken for Latin-1. None if the
        file is no text.

    Raises
    ------
    ValueError
        If the file is empty or cut short.
    """
    data = Path(name).read_bytes()
    with reading(name, "expected a text file"):  # each compression fails in its own way
        for mark, decompress in _COMPRESSED.values():
            if data.startswith(mark):
                data = decompress(data)
        text = _text(data)
    if not (data if text is None else text).strip():
        raise ValueError(f"{name}, line 1: expected a structure, found an empty file")
    return data, text


def _text(data: bytes) -> str | None:
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding)
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def kind_of(name: str, data: bytes, text: str | None) -> str:
    """Return the format of a file.

    Parameters
    ----------
    name : str
        The file.
    data : bytes
        What is in it.
    text : str or None
        The same as text.

    Returns
    -------
    str
        A name as :func:`ase.io.read` has them, or ``"rmc"``.

    Raises
    ------
    ValueError
        If the format is unknown.
    """
    if text is not None and (told := _told(text)):
        return told
    with contextlib.suppress(UnknownFileTypeError):
        return str(match_magic(data[:50_000]).name)
    suffix = suffix_of(name)
    if suffix == ".cfg" and text is not None:
        raise ValueError(
            f"{name}, line 1: expected '(Version 3 format configuration file)' of RMC++ or "
            f"'Number of particles' of AtomEye, found {text.splitlines()[0][:80]!r}"
        )
    kind = _SUFFIXES.get(suffix, "")
    with contextlib.suppress(UnknownFileTypeError):
        kind = kind or str(filetype(name, read=False))
    if kind not in ioformats:
        raise ValueError(
            f"{name}: expected a structure file, but its format is unknown; give it the suffix "
            "of its format, such as .cfg (RMC++), .rmc6f, .xyz, .cif, .vasp"
        )
    if text is None and (kind in ("cif", *_SUFFIXES.values()) or ioformats[kind].code[1] == "F"):
        raise ValueError(f"{name}: expected the text of a {kind} file, found zero bytes in it")
    return kind


def _told(text: str) -> str | None:
    """Return the format that the content of a text tells."""
    if lammps_dump.recognise(text):
        return "lammps-dump-text"
    if lammps.recognise(text):
        return "lammps-data"
    if rmc6f.recognise(text):  # before RMC++, which has the same words in its header
        return "rmc6f"
    if rmc_cfg.recognise(text):
        return "rmc"
    rows = (line.strip() for line in text.split("\n"))
    if next((row for row in rows if row and row[0] != "#"), "").lower().startswith("data_"):
        return "cif"
    if xyz.recognise(text):
        return "extxyz"
    if atomeye.recognise(text):
        return "cfg"
    return vasp.recognise(text)
