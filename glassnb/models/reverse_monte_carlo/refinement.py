"""What a refinement gives: a structure, its curves beside the data, and its history."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.io import write as ase_write
from numpy.typing import NDArray

from glassnb.core.provenance import atomic_path, to_json

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Curve", "Record", "Refinement", "assumed_words"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Record:
    """How far a refinement was.

    Parameters
    ----------
    moves : int
        Number of moves tried.
    chi2 : float
        Chi-squared of data and constraints.
    terms : dict
        Chi-squared by name of data set or constraint.
    acceptance : float
        Share of the moves accepted in the block before.
    temperature : float
        T in the acceptance ``exp(-d / (2 T))``.
    move_size : float
        Largest displacement of a single atom along each axis in Å.
    """

    moves: int
    chi2: float
    terms: dict[str, float]
    acceptance: float
    temperature: float
    move_size: float


@dataclass(frozen=True)
class Curve:
    """A data set and what the model gives for it.

    Parameters
    ----------
    name : str
        Name of the data set.
    convention : str
        What is measured, such as ``"S(Q)"`` or ``"G(r)"``.
    radiation : str
        ``"neutron"``, ``"x-ray"`` or ``"electron"``.
    x : ndarray, shape (n_points,)
        Q in Å⁻¹, or r in Å.
    measured : ndarray, shape (n_points,)
        The data.
    sigma : ndarray, shape (n_points,)
        Their assumed standard error.
    calculated : ndarray, shape (n_points,)
        Of the model, with scale and offset.
    scale, offset : float
        By which the model was brought to the data; 1 and 0 unless refined.
    """

    name: str
    convention: str
    radiation: str
    x: FloatArray
    measured: FloatArray
    sigma: FloatArray
    calculated: FloatArray
    scale: float = 1.0
    offset: float = 0.0

    @property
    def rms(self) -> float:
        """Root mean square of calculated minus measured."""
        return float(np.sqrt(np.mean((self.calculated - self.measured) ** 2)))


@dataclass(frozen=True, repr=False)
class Refinement:
    """A refined structure.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure; ``atoms.info["history"]`` says how it was made.
    curves : tuple of Curve
        One for each data set.
    history : tuple of Record
        From the start on.
    assumptions : tuple of str
        What was assumed and not given, such as errors of the data and minimum distances, in words.
    """

    atoms: Atoms
    curves: tuple[Curve, ...]
    history: tuple[Record, ...]
    assumptions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Say in a line what was refined."""
        last, n = self.history[-1], len(self.curves)
        return (
            f"Refinement({len(self.atoms)} atoms, {n} data set{'' if n == 1 else 's'}, "
            f"{last.moves} moves, chi2 {last.chi2:.6g}{assumed_words(self.assumptions)})"
        )

    @property
    def chi2(self) -> float:
        """Chi-squared of the last record."""
        return self.history[-1].chi2

    def to_frame(self) -> pd.DataFrame:
        """Return the history as a table.

        Returns
        -------
        pandas.DataFrame
            One row per record: the fields of :class:`Record`, with a column for each term.
        """
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "moves": record.moves, "chi2": record.chi2, "acceptance": record.acceptance,
                    "temperature": record.temperature, "move_size": record.move_size,
                    **record.terms,
                }
                for record in self.history
            ]
        )  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the curves with the data, each with its residual below.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.refinement import plot_refinement

        return plot_refinement(self, ax)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save the structure alone, or everything.

        Parameters
        ----------
        path : path-like
            A name that ends in ``.extxyz`` or ``.extxyz.gz`` gets the structure with its history.
            Any other name becomes a folder with ``model.extxyz``, ``history.csv``,
            ``history.json`` and a ``curve-<number>.csv`` for each data set.

        Returns
        -------
        pathlib.Path
            What was written.
        """
        target = Path(path)
        whole = not target.name.endswith((".extxyz", ".extxyz.gz"))
        with atomic_path(target / "model.extxyz" if whole else target) as temporary:
            ase_write(temporary, self.atoms, format="extxyz")
        if not whole:
            return target
        with atomic_path(target / "history.csv") as temporary:
            self.to_frame().to_csv(temporary, index=False)
        with atomic_path(target / "history.json") as temporary:
            temporary.write_text(to_json(self.atoms.info["history"]) + "\n", encoding="utf-8")
        for number, curve in enumerate(self.curves):
            columns = np.column_stack([curve.x, curve.measured, curve.sigma, curve.calculated])
            header = f"{curve.name}, {curve.convention}\nx measured sigma calculated"
            with atomic_path(target / f"curve-{number}.csv") as temporary:
                np.savetxt(temporary, columns, fmt="%.8g", delimiter=",", header=header)
        return target


def assumed_words(assumptions: Sequence[str]) -> str:
    """Return the end of a line that says what was assumed; empty if nothing was."""
    return f"; assumed: {'; '.join(assumptions)}" if assumptions else ""
