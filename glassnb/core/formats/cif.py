"""CIF files whose space group symbol ASE does not know, such as ``C 1 2/c 1``.

The American Mineralogist and Crystallography Open Databases write the full symbols of monoclinic
groups, and settings that ASE's table lacks. Their files list the symmetry operations too, and
these say everything.
"""

from __future__ import annotations

import io
import re
from typing import cast

import ase.io
from ase import Atoms

__all__ = ["parse_by_operations"]

_SYMBOL = re.compile(r"^(\s*_\w*space_group_name_h-m\w*)\s+('[^']*'|\"[^\"]*\"|\S+)", re.I | re.M)
_OPERATIONS = re.compile(r"_symop_operation_xyz|_symop\.operation_xyz|_equiv_pos_as_xyz", re.I)


def parse_by_operations(text: str) -> Atoms | None:
    """Read a CIF by its list of symmetry operations.

    Parameters
    ----------
    text : str
        Content of the file.

    Returns
    -------
    ase.Atoms or None
        The structure, or None if the file lists no operations.
    """
    if not _OPERATIONS.search(text):
        return None
    # ASE wants a symbol that it knows, and then takes the operations of the file instead.
    atoms = cast(Atoms, ase.io.read(io.StringIO(_SYMBOL.sub(r"\1 'P 1'", text)), format="cif"))
    del atoms.info["spacegroup"]
    return atoms
