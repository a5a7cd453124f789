"""Energies and charges of atoms, and how far a divided result is from the undivided one.

No widget here.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.units import Hartree
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BUFFERS",
    "GIVEN",
    "LARGEST_UNDIVIDED",
    "UNDIVIDED",
    "AtomEnergies",
    "Difference",
    "Key",
    "calculate",
    "difference",
    "given_energies",
    "title_of",
]

#: What a result is kept under: the thickness of the buffer in Å, or one of the two below.
Key = float | str | None
#: The result of the undivided solver.
UNDIVIDED = None
#: A result that was calculated elsewhere.
GIVEN = "given"
#: Thicknesses of the buffer on offer, in Å.
BUFFERS = tuple(np.arange(4.0, 8.01, 0.5).tolist())
#: Most atoms that are solved undivided here.
LARGEST_UNDIVIDED = 1000

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class AtomEnergies:
    """Energies and charges of all atoms of a structure.

    Parameters
    ----------
    energies : ndarray, shape (n_atoms,)
        In eV; their sum is the total energy.
    charges : ndarray, shape (n_atoms,)
        In e; NaN where they are not known.
    gap : float
        Between filled and empty orbitals, in eV; NaN where it is not known.
    occupation : str
        How the orbitals are occupied, in words; may be empty.
    seconds : float
        How long the calculation took.
    """

    energies: NDArray[np.float64]
    charges: NDArray[np.float64]
    gap: float = np.nan
    occupation: str = ""
    seconds: float = 0.0

    @property
    def energy(self) -> float:
        """Total energy in eV."""
        return float(self.energies.sum())


@dataclass(frozen=True)
class Difference:
    """How far one result is from another.

    Parameters
    ----------
    per_atom : float
        Of the total energy, divided by the number of atoms, in eV.
    rms, largest : float
        Of the energies of the atoms, in eV; without sign.
    charge : float
        Largest of the charges, in e; without sign.
    """

    per_atom: float
    rms: float
    largest: float
    charge: float

    @property
    def words(self) -> str:
        """What it is, in mEh and eV."""
        return (
            f"total energy {_both(self.per_atom, '+')} per atom; energies of the atoms: "
            f"root mean square {_both(self.rms)}, largest {_both(self.largest)}; "
            f"charges: at most {self.charge:.2g} e"
        )


def difference(result: AtomEnergies, reference: AtomEnergies) -> Difference:
    """Compare two results for the same structure.

    Parameters
    ----------
    result : AtomEnergies
        What is judged.
    reference : AtomEnergies
        What it is judged by.

    Returns
    -------
    Difference
        The differences.
    """
    apart = result.energies - reference.energies
    charges = np.abs(result.charges - reference.charges)
    return Difference(
        per_atom=float(apart.mean()),
        rms=float(np.sqrt(np.mean(apart**2))),
        largest=float(np.abs(apart).max()),
        charge=float(charges.max()),
    )


def calculate(
    atoms: Atoms, buffer_radius: float | None, temperature: float, progress: Progress
) -> AtomEnergies:
    """Calculate energies and charges as :class:`glassnb.tightbinding.DCXTB` does.

    The calculator of ASE cannot be watched or given up; what it calls can.

    Parameters
    ----------
    atoms : ase.Atoms
        A molecule, or a structure that is periodic in all directions.
    buffer_radius : float, optional
        In Å; ``None`` for the undivided solver.
    temperature : float
        Of the electrons, in K.
    progress : callable
        Called after each cycle; what it raises ends the calculation.

    Returns
    -------
    AtomEnergies
        The result.

    Raises
    ------
    ValueError
        If the structure cannot be treated, or is too large to be left undivided.
    ConvergenceError
        If the charges do not settle.
    """
    from glassnb.tightbinding.divided import divided_single_point
    from glassnb.tightbinding.parameters import HARTREE
    from glassnb.tightbinding.single_point import single_point
    from glassnb.tightbinding.structure import electrons_asked, narrow, plain

    start = time.perf_counter()
    options: dict[str, Any] = {"electronic_temperature": temperature, "progress": progress}
    options["charge"], options["multiplicity"], ignored = electrons_asked(atoms)
    structure = plain(atoms)
    for warning in [*ignored, *(narrow(structure) if buffer_radius is None else [])]:
        warnings.warn(warning, stacklevel=2)
    occupation = ""
    if buffer_radius is None:
        if len(atoms) > LARGEST_UNDIVIDED:
            raise ValueError(
                f"buffer: {len(atoms)} atoms are too many to be solved undivided here (up to "
                f"{LARGEST_UNDIVIDED}, because the time grows with the cube); choose a buffer"
            )
        found: Any = single_point(structure, **options)
    else:
        found = divided_single_point(structure, buffer_radius=buffer_radius, **options)
        words = {"gap": "chemical potential held in the gap", "thermal": "thermal occupation"}
        occupation = words.get(found.occupation, found.occupation)
    return AtomEnergies(
        np.asarray(found.energies) * HARTREE,
        np.asarray(found.charges),
        float(found.gap) * HARTREE,
        occupation,
        time.perf_counter() - start,
    )


def given_energies(atoms: Atoms, energies: ArrayLike, charges: ArrayLike | None) -> AtomEnergies:
    """Take energies and charges that were calculated elsewhere.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    energies : array_like, shape (n_atoms,)
        In eV.
    charges : array_like, shape (n_atoms,), optional
        In e.

    Returns
    -------
    AtomEnergies
        Both.

    Raises
    ------
    ValueError
        If there is not one finite number per atom.
    """
    known = _one_per_atom("energies", energies, len(atoms))
    if charges is None:
        return AtomEnergies(known, np.full(len(atoms), np.nan))
    return AtomEnergies(known, _one_per_atom("charges", charges, len(atoms)))


def _one_per_atom(name: str, values: ArrayLike, n: int) -> NDArray[np.float64]:
    array = np.array(values, dtype=float)
    if array.shape != (n,):
        raise ValueError(f"{name}: shape {array.shape}; give one number for each of the {n} atoms")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: {(~np.isfinite(array)).sum()} numbers are not finite")
    return array


def title_of(key: Key) -> str:
    """Say which result it is.

    Parameters
    ----------
    key : float, str or None
        What the result is kept under.

    Returns
    -------
    str
        For example ``"buffer of 5.0 Å"``.
    """
    if key == GIVEN:
        return "given result"
    return "undivided" if key is UNDIVIDED else f"buffer of {key:.1f} Å"


def _both(energy: float, sign: str = "") -> str:
    """Write an energy in eV in both units."""
    return f"{1000 * energy / Hartree:{sign}.3g} mEh ({energy:{sign}.3g} eV)"
