"""Zeolite frameworks as pure silica, from the database of the package zeose (MIT licence).

The database (by Jerry T. Crum, Justin R. Crum and contributors) holds the types of the
International Zeolite Association, geometries optimised by distance least squares. It is opened
directly: zeose 0.0.1 itself cannot be imported before Python 3.12.
"""

from __future__ import annotations

from functools import cache
from importlib import metadata
from pathlib import Path

from ase import Atoms

from glassnb.models.crystals import three_times

__all__ = ["zeolite", "zeolites"]

_FILE = "zse/collections/frameworks.db"


def zeolites() -> tuple[str, ...]:
    """List the frameworks that :func:`zeolite` builds.

    Returns
    -------
    tuple of str
        Codes of the framework types, in the order of the database.

    Raises
    ------
    ImportError
        If the package zeose is missing.

    Examples
    --------
    >>> len(zeolites()), "MFI" in zeolites()
    (253, True)
    """
    return tuple(_frameworks())


def zeolite(code: str, repeat: int | tuple[int, int, int] = 1) -> Atoms:
    """Build a zeolite framework as pure silica.

    Parameters
    ----------
    code : str
        One of :func:`zeolites`, such as ``"MFI"`` (silicalite).
    repeat : int or tuple of three int
        Number of cells along a, b and c.

    Returns
    -------
    ase.Atoms
        Periodic structure, positions in Å. ``info`` holds ``name``, ``source`` and ``repeat``.

    Raises
    ------
    ValueError
        If there is no framework of that code, or ``repeat`` is not made of positive whole numbers.
    ImportError
        If the package zeose is missing.

    Examples
    --------
    >>> len(zeolite("MFI", repeat=(1, 1, 2)))
    576
    """
    if code not in _frameworks():
        raise ValueError(
            f"code={code!r}: must be one of the {len(zeolites())} codes that zeolites() lists, "
            "such as 'MFI'"
        )
    times = three_times(repeat)
    atoms = _frameworks()[code].repeat(times)
    source = f"zeose {metadata.version('zeose')}, {Path(_FILE).name}"
    atoms.info = {"name": code, "source": source, "repeat": times}
    return atoms


@cache
def _frameworks() -> dict[str, Atoms]:
    import ase.db

    try:
        files = metadata.files("zeose") or []
    except metadata.PackageNotFoundError as error:
        raise ImportError("the package zeose is missing: pip install zeose") from error
    (file,) = [file for file in files if file.as_posix() == _FILE]
    with ase.db.connect(str(file.locate()), type="db", use_lock_file=False) as database:
        return {row.fw: row.toatoms() for row in database.select()}
