"""Measured pair distribution functions: reading them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glassnb.scattering.experiment_files import read_columns
from glassnb.scattering.file_settings import choose_radiation, warn_of_output
from glassnb.scattering.pair_distribution import CONVENTIONS
from glassnb.scattering.tails import warn_of_pair_tail
from glassnb.scattering.weights import check_radiation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ExperimentalPairFunction", "read_pair_function"]

_POWERS = {"g": 0, "G": 0, "D": -2, "T": -2, "G_PDF": -2}  # of length in the unit of each function


@dataclass(frozen=True)
class ExperimentalPairFunction:
    """A measured pair distribution function.

    Parameters
    ----------
    r : ndarray, shape (n_r,)
        Distance in Å.
    values : ndarray, shape (n_r,)
        The function, in the unit of its definition.
    sigma : ndarray, shape (n_r,), optional
        Standard error of the function.
    function : str
        Which one: ``"g"``, ``"G"``, ``"D"``, ``"T"`` or ``"G_PDF"``, as defined in
        :meth:`PairDistribution.weighted`.
    radiation : str
        ``"neutron"``, ``"x-ray"`` or ``"electron"``.
    q_max : float, optional
        Last Q of the transform that made it, in Å⁻¹.
    source : str
        The file, and as what it was read.
    """

    r: NDArray[np.float64]
    values: NDArray[np.float64]
    sigma: NDArray[np.float64] | None
    function: str
    radiation: str
    q_max: float | None
    source: str

    def to_frame(self) -> pd.DataFrame:
        """Return the data as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``r`` (Å), the name of the function and, where known, ``sigma``.
        """
        frame = pd.DataFrame({"r": self.r, self.function: self.values})
        return frame if self.sigma is None else frame.assign(sigma=self.sigma)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the data as points.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.scattering import plot_pair_function

        return plot_pair_function(self, ax)


def read_pair_function(
    path: str | os.PathLike[str],
    function: str = "G_PDF",
    *,
    radiation: str | None = None,
    q_max: float | None = None,
) -> ExperimentalPairFunction:
    """Read a measured pair distribution function.

    The formats are those of :func:`read_experiment`, with r in the first column, in Å or in the
    unit that the header gives.

    Parameters
    ----------
    path : path-like
        File to read.
    function : str
        What the second column holds: ``"g"`` (tends to 1), ``"G"`` (Keen's, barn), ``"D"``, ``"T"``
        (barn Å⁻²) or ``"G_PDF"`` (Å⁻²: G(r) of PDFgetX3 and PDFgui); see
        :meth:`PairDistribution.weighted`. ``"g(r)"`` and so on are understood.
    radiation : str, optional
        ``"neutron"``, ``"x-ray"`` or ``"electron"``; what the header states, as in
        ``mode = xray``, or else ``"neutron"``, when omitted.
    q_max : float, optional
        Last Q of the transform, in Å⁻¹; a line ``qmax = ...`` of the file tells it otherwise.

    Returns
    -------
    ExperimentalPairFunction
        The function as it stands in the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file holds no such table, is in another quantity or unit, or an option is unknown.

    Warns
    -----
    UserWarning
        If rows without a number, or rows of zeros at the ends of a table with errors, are left
        out; if the header contradicts an argument; if r ends so soon that it may be in nm; or if
        the mean at large r, over 3 Å or more, is not
        that of the function: g tends to 1, T rises, the others tend to 0.
    """
    function = function.replace(" ", "").removesuffix("(r)")
    if function not in CONVENTIONS:
        raise ValueError(f"function={function!r}: must be one of {', '.join(CONVENTIONS)}")
    if radiation is not None:
        check_radiation(radiation)
    if q_max is not None and not q_max > 0:
        raise ValueError(f"q_max={q_max}: must be a positive number in Å⁻¹")
    path = Path(path)
    table = read_columns(path, "r")
    radiation, beam = choose_radiation(path, table.header, radiation)
    warn_of_output(path, table.header, "function", function)
    unit = table.in_angstrom(_POWERS[function], function)
    values = table.values * unit
    warn_of_pair_tail(f"{path}: function={function!r}", function, table.x, values)
    if q_max is None:
        q_max = table.setting("qmax")
    return ExperimentalPairFunction(
        table.x,
        values,
        None if table.sigma is None else table.sigma * unit,
        function,
        radiation,
        q_max,
        f"{path.name}, read as {function}(r){table.names.note}{beam}",
    )
