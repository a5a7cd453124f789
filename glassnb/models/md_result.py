"""What every molecular-dynamics run returns: a structure, the way to it, and its history."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.io import write as ase_write

from glassnb.core.provenance import atomic_path, to_json
from glassnb.models.md_run import COLUMNS, MolecularDynamics

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SimulationResult", "result_fields"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class SimulationResult:
    """A structure and how molecular dynamics came to it.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure at the end; ``atoms.info["history"]`` says how it was made.
    trajectory : tuple of ase.Atoms
        Structures on the way, evenly spaced in time.
    step : numpy.ndarray, shape (n_records,)
        Number of time steps done, integer.
    time : numpy.ndarray, shape (n_records,)
        In ps.
    temperature : numpy.ndarray, shape (n_records,)
        Instantaneous, in K.
    pressure : numpy.ndarray, shape (n_records,)
        Instantaneous, in GPa.
    density : numpy.ndarray, shape (n_records,)
        In g/cm³.
    potential_energy : numpy.ndarray, shape (n_records,)
        In eV per atom.
    stage : numpy.ndarray, shape (n_records,)
        Name of the stage of each record.
    """

    atoms: Atoms
    trajectory: tuple[Atoms, ...]
    step: npt.NDArray[np.int64]
    time: FloatArray
    temperature: FloatArray
    pressure: FloatArray
    density: FloatArray
    potential_energy: FloatArray
    stage: npt.NDArray[np.str_]

    @property
    def stopped(self) -> bool:
        """Whether the run was stopped before its end."""
        return bool(self.atoms.info["history"]["stopped"])

    def to_frame(self) -> pd.DataFrame:
        """Return the thermodynamics as a table.

        Returns
        -------
        pandas.DataFrame
            One row per record; columns named as the fields.
        """
        import pandas as pd

        return pd.DataFrame({name: getattr(self, name) for name in (*COLUMNS, "stage")})

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save the structure alone, or everything.

        Parameters
        ----------
        path : path-like
            A name that ends in ``.extxyz`` or ``.extxyz.gz`` gets the structure with its history.
            Any other name becomes a folder with ``glass.extxyz``, ``trajectory.extxyz``,
            ``thermodynamics.csv``, ``history.json``, and files of the other structures if the
            result has any, such as ``compressed.extxyz``.

        Returns
        -------
        pathlib.Path
            What was written.
        """
        target = Path(path)
        if target.name.endswith((".extxyz", ".extxyz.gz")):
            _write(target, self.atoms)
            return target
        for name, structures in self._structures().items():
            if structures:
                _write(target / f"{name}.extxyz", *structures)
        with atomic_path(target / "thermodynamics.csv") as temporary:
            self.to_frame().to_csv(temporary, index=False)
        with atomic_path(target / "history.json") as temporary:
            temporary.write_text(to_json(self.atoms.info["history"]) + "\n", encoding="utf-8")
        return target

    def _structures(self) -> dict[str, tuple[Atoms, ...]]:
        """Return what :meth:`save` writes, by the name of the file."""
        return {"glass": (self.atoms,), "trajectory": self.trajectory}


def result_fields(
    atoms: Atoms, dynamics: MolecularDynamics, history: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the fields of :class:`SimulationResult` that a run has filled.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure reached; its history is written into it.
    dynamics : MolecularDynamics
        The run.
    history : dict
        What is known of the run besides; see :func:`glassnb.core.provenance.provenance`.

    Returns
    -------
    dict
        Values by the name of the field.
    """
    columns = dict(zip(COLUMNS, np.array(dynamics.rows).T, strict=True))
    atoms.info["history"] = dict(history) | {
        "potential": dynamics.potential.name,
        "potential_source": dynamics.potential.source,
        "steps": dynamics.step,
        "stopped": dynamics.stopped,
        "minimised": dynamics.protocol.minimise and not dynamics.stopped,
        "temperature": float(columns["temperature"][-1]),
        "density": float(columns["density"][-1]),
    }
    columns["step"] = columns["step"].astype(np.int64)
    return columns | {
        "atoms": atoms,
        "trajectory": tuple(dynamics.trajectory),
        "stage": np.array(dynamics.stages),
    }


def _write(path: Path, *structures: Atoms) -> None:
    with atomic_path(path) as temporary:
        ase_write(temporary, list(structures), format="extxyz")
