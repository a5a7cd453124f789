"""GFN1-xTB as a calculator of ASE."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.calculators.calculator import (
    Calculator,
    PropertyNotImplementedError,
    all_changes,
    compare_atoms,
)
from ase.stress import full_3x3_to_voigt_6_stress

from glassnb.core.callers import warn
from glassnb.tightbinding.basis import basis_of
from glassnb.tightbinding.divided.occupation import OCCUPATIONS
from glassnb.tightbinding.electrostatics.coulomb import LATTICE_SUMS
from glassnb.tightbinding.history import ChargeHistory
from glassnb.tightbinding.parameters import BOHR, HARTREE
from glassnb.tightbinding.single_point import single_point
from glassnb.tightbinding.structure import electrons_asked, narrow, plain, whole

__all__ = ["DCXTB"]

FloatArray = npt.NDArray[np.float64]

MATRICES = 8  # matrices over all orbitals that the undivided solver holds at once


class DCXTB(Calculator):
    """Energy, forces, stress and charges by GFN1-xTB, in eV and Å.

    S. Grimme, C. Bannwarth, P. Shushkov, J. Chem. Theory Comput. 13, 1989 (2017). Molecules, or
    structures that are periodic in all directions. ``energy`` holds the entropy term of the
    electrons, as tblite's does, and equals ``free_energy``: forces are its derivatives.
    ``energies`` adds up to it. In a periodic structure, absolute energies and the stress depend on
    a convention of the electrostatic sum (see
    :mod:`glassnb.tightbinding.electrostatics.coulomb`). Without a buffer, a
    :class:`~glassnb.tightbinding.SmallCellWarning` says when the cell is too small for a crystal.

    Structures that follow from each other by small steps, as in dynamics, form a run: the same
    elements in the same order, the same periodicity, charge and multiplicity, no cell vector
    changed by more than 0.5 % and no atom moved by more than 0.3 Å since the last call (images of
    an atom are one place, and atoms may follow the cell). Charges begin from those before. With a
    buffer, atoms take their subsystems along, until one has moved by 1 Å or the cell has changed as
    much (new subsystems change the energy by a small part of its error, and
    ``results["renewals"]`` counts them), and the chemical potential and the kind of occupation
    stay: so the energy is smooth, but depends on where the run began. In alpha-cristobalite, begun

    - with atoms 0.1 Å (rms, each direction) off, one oxygen atom 1 Å off or a cell 4 % larger, by
      up to 16, 3.5, 1.4 and 0.8 meV an atom at buffers of 4, 4.5, 5 and 6 Å;
    - with a broken bond for each 12 atoms, which were occupied thermally, by 99, 23, 10 and 6 meV.

    Any other structure, a change of parameters, and a calculation that failed begin another run,
    and get what a new calculator gives.

    Parameters
    ----------
    buffer_radius : float, optional
        Thickness in Å of the buffer around each part of the structure; ``None`` solves for all
        orbitals at once (the Gamma point of a periodic structure).
    occupation : str
        How a structure with a buffer is occupied. ``"gap"``: the chemical potential stays in the
        gap, which is right where there is one. ``"thermal"``: it fixes the number of electrons,
        which is right where there is none; 1000 K or more help charges to settle. ``"auto"``: as
        the first structure demands, and so for all that follow from it; glass with defects whose
        levels cross is occupied thermally, and settles at 3000 K where it does not at 300 K.
        ``results["occupation"]`` tells what was done.
    lattice_sum : str
        ``"converged"``, or ``"tblite"`` for the truncated sum of tblite 0.8.
    electronic_temperature : float
        Temperature of the electrons in K.
    charge : float, optional
        Total charge in e, 0 in a periodic structure. When not given, 0 there, and in a molecule
        the sum of the initial charges of the atoms if it is whole within 1e-6. Another sum, such
        as that of a classical potential's charges, is ignored with a warning, once in a run.
    multiplicity : int, optional
        Unpaired electrons plus 1. When not given, from the sum of the initial magnetic moments of
        the atoms, if it is whole within 1e-6 (else they are ignored with a warning) and not 0;
        else as small as possible.
    memory_limit : float, optional
        Memory in GB for matrices; all else takes some 0.2 GB per 1,000 atoms. With a buffer, what
        does not fit is worked out anew each time, save for ``energies``, which take three matrices
        over all pairs of atoms (14 GB for 24,000 atoms) and are worked out only if asked for.
    client : dask.distributed.Client, optional
        Where to solve the parts of a divided structure; threads of this process when omitted.
    tolerance : float
        Largest change of a shell charge in the last self-consistency cycle, in e.
    max_cycles : int
        Self-consistency cycles after which to give up.

    Raises
    ------
    ValueError
        If a parameter makes no sense.
    """

    implemented_properties = [
        "energy", "energies", "free_energy", "forces", "stress", "charges",
    ]  # fmt: skip
    discard_results_on_any_change = True

    def __init__(
        self,
        *,
        buffer_radius: float | None = None,
        occupation: str = "auto",
        lattice_sum: str = "converged",
        electronic_temperature: float = 300.0,
        charge: float | None = None,
        multiplicity: int | None = None,
        memory_limit: float | None = None,
        client: Any = None,
        tolerance: float = 3e-6,
        max_cycles: int = 200,
    ) -> None:
        self.client = client  # no parameter: it cannot be written to a file
        self._solved: Atoms | None = None  # the structure that results are those of
        self._forget()
        super().__init__(
            buffer_radius=buffer_radius,
            occupation=occupation,
            lattice_sum=lattice_sum,
            electronic_temperature=electronic_temperature,
            charge=charge,
            multiplicity=multiplicity,
            memory_limit=memory_limit,
            tolerance=tolerance,
            max_cycles=max_cycles,
        )

    def set(self, **parameters: Any) -> dict[str, Any]:
        """Change parameters; results are forgotten, and another run begins.

        Parameters
        ----------
        **parameters
            Those of the class, except ``client``.

        Returns
        -------
        dict
            What changed.

        Raises
        ------
        ValueError
            If a parameter is unknown or makes no sense.
        """
        _check(parameters)
        changed = dict(super().set(**parameters))
        if changed:
            self._forget()
        return changed

    def reset(self) -> None:
        """Forget results; the run goes on."""
        super().reset()
        self._solved = None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Calculate; called by ASE.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.
        properties : list of str
            What is wanted; forces and stress are worked out only if they are.
        system_changes : list of str
            Not asked: the structure is compared with the last one.

        Raises
        ------
        ValueError
            If the structure cannot be treated.
        GapError
            If there is no gap that could hold the chemical potential, or it closes.
        ConvergenceError
            If the charges do not settle.
        """
        super().calculate(atoms, properties, system_changes)
        structure: Atoms | None = self.atoms
        if structure is None:
            raise ValueError("atoms: no structure has been calculated yet; give one")
        wanted = properties or ["energy"]
        fresh = self._solved is None or bool(compare_atoms(self._solved, structure))
        if fresh:
            self.results, self._solved = {}, None
        if "stress" in wanted and not structure.pbc.all():
            raise PropertyNotImplementedError("stress: the structure is not periodic")
        if fresh:
            self._solve(structure)
            self._solved = structure.copy()
        last = self._last
        self.results |= {
            "energy": last.energy * HARTREE,
            "free_energy": last.energy * HARTREE,
            "charges": last.charges,
            "gap": last.gap * HARTREE,
        }
        divided = self.parameters["buffer_radius"] is not None
        if divided:
            self.results["occupation"] = last.occupation
            self.results["renewals"] = last.division.renewals
        if "energies" in wanted or not divided:
            self.results["energies"] = last.energies * HARTREE
        if "forces" in wanted or "stress" in wanted:
            gradient, virial = last.derivatives
            self.results["forces"] = -gradient * HARTREE / BOHR
            if structure.pbc.all():
                stress = virial * HARTREE / structure.get_volume()
                self.results["stress"] = full_3x3_to_voigt_6_stress(stress)

    def get_gap(self, atoms: Atoms | None = None) -> float:
        """Return the gap between filled and empty orbitals.

        Parameters
        ----------
        atoms : ase.Atoms, optional
            The structure; that of the last calculation when omitted.

        Returns
        -------
        float
            In eV; the smaller one where the spins differ.
        """
        self.get_property("energy", atoms)
        return float(self.results["gap"])

    def get_occupation(self, atoms: Atoms | None = None) -> str:
        """Return how orbitals are occupied.

        Parameters
        ----------
        atoms : ase.Atoms, optional
            The structure; that of the last calculation when omitted.

        Returns
        -------
        str
            With a buffer ``"gap"`` or ``"thermal"`` (see the parameter), without one always
            ``"thermal"``.
        """
        self.get_property("energy", atoms)
        return str(self.results.get("occupation", "thermal"))

    def get_bond_orders(self, atoms: Atoms | None = None) -> FloatArray:
        """Return the bond orders of Mayer between all atoms.

        Parameters
        ----------
        atoms : ase.Atoms, optional
            The structure; that of the last calculation when omitted.

        Returns
        -------
        ndarray, shape (n_atoms, n_atoms)
            About 1 for a single bond.
        """
        self.get_property("energy", atoms)
        return np.asarray(self._last.bond_orders())

    def _forget(self) -> None:
        """End the run."""
        self._last: Any = None  # the last result
        self._history = ChargeHistory()
        self._electrons: tuple[int, int | None] | None = None  # charge and multiplicity
        self._said: set[str] = set()  # the warnings given in this run

    def _solve(self, atoms: Atoms) -> None:
        structure = plain(atoms)
        chosen = dict(self.parameters)
        radius, memory = chosen.pop("buffer_radius"), chosen.pop("memory_limit")
        occupation = chosen.pop("occupation")
        asked = {name: chosen[name] for name in ("charge", "multiplicity")}
        charge, multiplicity, ignored = electrons_asked(atoms, **asked)
        chosen |= {"charge": charge, "multiplicity": multiplicity}
        electrons = charge, multiplicity
        if not (self._history.continues(structure) and self._electrons == electrons):
            self._forget()
            ignored += narrow(structure) if radius is None else []
        said = self._said
        for warning in ignored:
            if str(warning) not in said:
                warn(warning)
        said = said | {str(warning) for warning in ignored}
        history, previous = self._history, self._last
        self._forget()  # a calculation that fails ends the run
        chosen["start"] = history.guess(structure)
        if radius is None:
            _check_memory(structure, memory)
            self._last = single_point(structure, **chosen)
        else:
            from glassnb.tightbinding.divided import divided_single_point

            self._last = divided_single_point(
                structure, buffer_radius=radius, occupation=occupation, memory_limit=memory,
                client=self.client, previous=previous, **chosen,
            )  # fmt: skip
        history.add(structure, self._last.shell_charges)
        self._history, self._electrons, self._said = history, electrons, said


def _check(parameters: dict[str, Any]) -> None:
    """Stop on parameters that make no sense."""
    positive = {
        "buffer_radius": "a thickness in Å, or None for the undivided solver",
        "electronic_temperature": "a temperature in K",
        "memory_limit": "a size in GB, or None",
        "tolerance": "a charge in e",
        "max_cycles": "a number of cycles",
    }
    known = {*positive, "occupation", "lattice_sum", "charge", "multiplicity"}
    for name, value in parameters.items():
        if name not in known:
            raise ValueError(f"{name}={value!r}: no such parameter; known are {sorted(known)}")
        if name == "lattice_sum" and value not in LATTICE_SUMS:
            raise ValueError(f"lattice_sum={value!r}: must be one of {', '.join(LATTICE_SUMS)}")
        if name == "occupation" and value not in OCCUPATIONS:
            raise ValueError(f"occupation={value!r}: must be one of {', '.join(OCCUPATIONS)}")
        if name in ("charge", "multiplicity") and value is not None:
            _check_whole(name, value)
        optional = name in ("buffer_radius", "memory_limit") and value is None
        if name in positive and not optional:
            try:
                good = bool(np.isfinite(value) and value > 0)
            except TypeError:
                good = False
            if not good:
                raise ValueError(f"{name}={value!r}: must be {positive[name]}, above 0")


def _check_whole(name: str, value: Any) -> None:
    """Stop on a charge or a multiplicity that is no whole number."""
    try:
        number = whole(value)
    except (TypeError, ValueError):
        number = None
    if number is None or (name == "multiplicity" and number < 1):
        kind = "number of elementary charges" if name == "charge" else "number above 0"
        raise ValueError(f"{name}={value!r}: must be a whole {kind}, or None")


def _check_memory(atoms: Atoms, limit: float | None) -> None:
    """Stop before matrices that do not fit."""
    if limit is None:
        return
    orbitals = int(basis_of(atoms.numbers).first_orbital[-1])
    needed = MATRICES * 8 * orbitals**2 / 1e9
    if needed > limit:
        raise ValueError(
            f"memory_limit={limit} GB: the undivided solver needs about {needed:.1f} GB for "
            f"{orbitals} orbitals; set a buffer_radius to divide the structure"
        )
