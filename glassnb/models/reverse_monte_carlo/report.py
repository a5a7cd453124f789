"""What a refinement did to a model: displacements, costs, moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glassnb.models.reverse_monte_carlo.moves import KINDS, Moves
from glassnb.models.reverse_monte_carlo.system import System

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Report", "make_report"]


@dataclass(frozen=True, repr=False)
class Report:
    """How far atoms moved from the start, and what it cost or won.

    Parameters
    ----------
    displacements : pandas.DataFrame
        Columns ``species``, ``atoms``, ``mean``, ``rms`` and ``max``, in Å.
    costs : pandas.DataFrame
        Columns ``name``, ``before`` and ``after``: chi-squared of each data set and constraint.
        Weights changed on the way count in ``after`` alone.
    moves : pandas.DataFrame
        Columns ``move``, ``tried`` and ``accepted``.
    repaired : int
        Number of atoms pushed apart before the start.
    assumptions : tuple of str
        What was assumed and not given, in words.
    """

    displacements: pd.DataFrame
    costs: pd.DataFrame
    moves: pd.DataFrame
    repaired: int
    assumptions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return the tables as text."""
        tables = [
            self.displacements.to_string(index=False, float_format="%.4f"),
            self.costs.to_string(index=False, float_format="%.4g"),
            self.moves.to_string(index=False),
        ]
        if self.repaired:
            tables.append(f"{self.repaired} atoms were pushed apart before the start")
        if self.assumptions:
            tables.append("\n".join(f"assumed: {words}" for words in self.assumptions))
        return "\n\n".join(tables)


def make_report(
    system: System,
    moves: Moves,
    before: Mapping[str, float],
    after: Mapping[str, float],
    repaired: int,
    assumptions: Sequence[str] = (),
) -> Report:
    """Compare a structure with its start.

    Parameters
    ----------
    system : System
        The structure.
    moves : Moves
        Counts of moves.
    before, after : dict
        Chi-squared by name.
    repaired : int
        Number of atoms pushed apart before the start.
    assumptions : sequence of str
        What was assumed and not given.

    Returns
    -------
    Report
        The tables.
    """
    import pandas as pd

    distance = np.linalg.norm(system.displacements(), axis=1)
    names = np.array(system.start.get_chemical_symbols())
    rows = []
    for symbol in system.symbols:
        own = distance[names == symbol]
        rms = np.sqrt(np.mean(own**2))
        rows.append([symbol, own.size, own.mean(), rms, own.max()])
    kinds = [k for k, share in enumerate(moves.shares) if share > 0]
    return Report(
        pd.DataFrame(rows, columns=["species", "atoms", "mean", "rms", "max"]),
        pd.DataFrame(
            [[name, before[name], value] for name, value in after.items()],
            columns=["name", "before", "after"],
        ),
        pd.DataFrame(
            [[KINDS[k], int(moves.tried[k]), int(moves.accepted[k])] for k in kinds],
            columns=["move", "tried", "accepted"],
        ),
        repaired,
        tuple(assumptions),
    )
