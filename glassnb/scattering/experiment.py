"""Measured structure factors: reading them, and how far a model is from them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from glassnb.core.download import download
from glassnb.scattering.composition import parse_composition
from glassnb.scattering.experiment_files import read_columns
from glassnb.scattering.file_settings import (
    choose_composition,
    choose_radiation,
    warn_of_output,
)
from glassnb.scattering.tails import warn_of_tail
from glassnb.scattering.weights import check_radiation, factor_products, mean_square

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnb.scattering.peaks import HasStructureFactor

__all__ = ["ExperimentalData", "fetch_experiment", "r_factor", "read_experiment"]

CONVENTIONS = ("S", "S-1", "Q(S-1)", "F")
# The same functions as they are often written.
_OTHER_NAMES = {
    "S(Q)": "S",
    "S(Q)-1": "S-1",
    "i(Q)": "S-1",
    "Q[S(Q)-1]": "Q(S-1)",
    "Qi(Q)": "Q(S-1)",
    "F(Q)": "F",
}


@dataclass(frozen=True)
class ExperimentalData:
    """A measured total structure factor, brought to the Faber-Ziman convention.

    Parameters
    ----------
    q : ndarray, shape (n_q,)
        Scattering vector in Å⁻¹.
    total : ndarray, shape (n_q,)
        S(Q), tends to 1.
    sigma : ndarray, shape (n_q,), optional
        Standard error of S(Q).
    radiation : str
        ``"neutron"``, ``"x-ray"`` or ``"electron"``.
    source : str
        The file, and the convention in which it was read.
    """

    q: NDArray[np.float64]
    total: NDArray[np.float64]
    sigma: NDArray[np.float64] | None
    radiation: str
    source: str

    convention = "Faber-Ziman, tends to 1"

    def to_frame(self) -> pd.DataFrame:
        """Return the data as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``q`` (Å⁻¹), ``total`` and, where known, ``sigma``.
        """
        frame = pd.DataFrame({"q": self.q, "total": self.total})
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
        from glassnb.plotting import plot_experiment

        return plot_experiment(self, ax)


def read_experiment(
    path: str | os.PathLike[str],
    convention: str = "S",
    *,
    radiation: str | None = None,
    composition: str | None = None,
) -> ExperimentalData:
    """Read a measured structure factor from a text file.

    Columns are Q, the function, and its standard error where there is a third; of four the last
    is the error, unless the header names the columns. Commas, semicolons, tabs and blanks part
    them. Q is in Å⁻¹, or in the unit that the header gives, which is converted; a header that
    names another quantity, such as 2theta, is refused. The layouts of Gudrun, RMC++, RMCProfile,
    PDFgetX3, PDFgetN, GSAS-II, Mantid, LiquidDiffract, Fit2D, pyFAI, Dioptas, SasView, xmgrace,
    Origin and spreadsheets are tested; see :mod:`glassnb.scattering.experiment_files`.

    Parameters
    ----------
    path : path-like
        File to read.
    convention : str
        What the second column holds: ``"S"`` (tends to 1), ``"S-1"``, ``"Q(S-1)"`` (in Å⁻¹), or
        ``"F"``, the distinct scattering <b>^2 (S - 1) in barn per steradian and atom for neutrons
        (electrons² for X-rays, Å² for electrons). ``"S(Q)"``, ``"i(Q)"``, ``"F(Q)"`` and so on
        are understood.
    radiation : str, optional
        ``"neutron"``, ``"x-ray"`` or ``"electron"``; what the header states, as in
        ``mode = xray``, or else ``"neutron"``, when omitted.
    composition : str, optional
        Chemical formula, such as ``"SiO2"``; needed for ``"F"``, where the header does not state
        it. ``"Ni62"`` is 62 atoms of natural nickel, ``"[62Ni]"`` the isotope; a number in front
        of a single formula is a mass number where its first element has that isotope, so that
        ``"2H2O"`` is D2O.

    Returns
    -------
    ExperimentalData
        S(Q) in the Faber-Ziman convention.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file holds no such table, can be read in two ways, or is in another quantity or
        unit, or the convention is unknown or lacks the composition.

    Warns
    -----
    UserWarning
        If rows without a number, or rows of zeros at the ends of a table with errors, are left
        out; if the header contradicts an argument; if Q goes so far that it may be in nm⁻¹; or if
        the mean at large Q, over 5 Å⁻¹ or more, is
        not that of the convention, or S(Q) would fall below 0 and would not in another: the
        warning names those that fit. S - 1 and F end alike, and often cannot be told apart.
    """
    convention = _OTHER_NAMES.get(convention.replace(" ", ""), convention)
    if convention not in CONVENTIONS:
        raise ValueError(f"convention={convention!r}: must be one of {', '.join(CONVENTIONS)}")
    if radiation is not None:
        check_radiation(radiation)
    path = Path(path)
    table = read_columns(path, "Q")
    if convention == "F" and path.suffix == ".fq" and re.search("start data|#L", table.header):
        raise ValueError(
            f"{path}: PDFgetX3 means Q(S-1) when it writes F(Q); read it with convention='Q(S-1)'"
        )
    radiation, beam = choose_radiation(path, table.header, radiation)
    composition, sample = choose_composition(
        path, table.header, composition, needed=convention == "F"
    )
    warn_of_output(path, table.header, "convention", convention)
    unit = table.in_angstrom(-1 if convention == "Q(S-1)" else 0, convention)
    values = table.values * unit
    square = _mean_square(composition, table.x, radiation) if composition else None
    known = [name for name in CONVENTIONS if name != "F" or square is not None]
    maps = {name: _to_s(name, table.x, square) for name in known}
    warn_of_tail(f"{path}: convention={convention!r}", convention, table.x, values, maps)
    scale, one = maps[convention]
    sigma = None if table.sigma is None else table.sigma * unit * scale
    source = f"{path.name}, read as {convention}(Q){table.names.note}{beam}{sample}"
    return ExperimentalData(table.x, values * scale + one, sigma, radiation, source)


def _to_s(
    convention: str, q: NDArray[np.float64], square: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], float]:
    """Return the factor and the constant that lead from a convention to S(Q)."""
    if convention == "Q(S-1)":
        return 1 / q, 1.0
    if convention == "F":
        assert square is not None
        return 1 / square, 1.0
    return np.ones_like(q), float(convention == "S-1")


def fetch_experiment(
    url: str,
    sha256: str,
    convention: str = "S",
    *,
    radiation: str | None = None,
    composition: str | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> ExperimentalData:
    """Download a measured structure factor once, check that it is the right file, and read it.

    Data that may not be passed on with a notebook can so be named in it instead.

    Parameters
    ----------
    url : str
        Where the file lies: http, https, ftp, or a DOI of Zenodo, Figshare or Dataverse as
        ``doi:10.5281/zenodo.123/file.dat``.
    sha256 : str
        Its SHA-256 checksum, 64 hexadecimal digits.
    convention : str
        What the second column holds; see :func:`read_experiment`.
    radiation : str, optional
        ``"neutron"``, ``"x-ray"`` or ``"electron"``; as the header states when omitted.
    composition : str, optional
        Chemical formula; needed for ``"F"``, where the header does not state it.
    folder : path-like, optional
        Where the file is kept; a folder for glassnb in the user's cache when omitted.

    Returns
    -------
    ExperimentalData
        S(Q) in the Faber-Ziman convention.

    Raises
    ------
    ValueError
        If the checksum is not one or not that of the file, or :func:`read_experiment` stops.
    OSError
        If the file cannot be reached and is not in the folder.
    """
    path = download(url, sha256, folder)
    return read_experiment(path, convention, radiation=radiation, composition=composition)


def r_factor(
    model: HasStructureFactor, data: ExperimentalData, q_range: tuple[float, float] | None = None
) -> float:
    """Return how far a model's S(Q) is from the measured one.

    ``R = sqrt(sum (S_model - S_data)^2 / sum (S_data - 1)^2)`` over the measured points: 0 for
    agreement, 1 for a model without structure.

    Parameters
    ----------
    model : StructureFactor
        The model's S(Q), interpolated to the measured points.
    data : ExperimentalData
        The measurement.
    q_range : tuple of float, optional
        Where to compare, in Å⁻¹; all of the common range when omitted.

    Returns
    -------
    float
        The R-factor.

    Raises
    ------
    ValueError
        If model and data have fewer than two points in common, or another radiation.
    """
    if getattr(model, "radiation", data.radiation) != data.radiation:
        raise ValueError(
            f"model is for radiation {model.radiation!r}, data for {data.radiation!r}; "  # type: ignore[attr-defined]
            "use model.as_radiation(...)"
        )
    low, high = q_range or (-np.inf, np.inf)
    low, high = max(low, model.q[0]), min(high, model.q[-1])
    use = (data.q >= low) & (data.q <= high)
    if use.sum() < 2:
        raise ValueError(f"q_range={q_range}: model and data share {use.sum()} points there")
    finite = np.isfinite(model.total)
    ours = np.interp(data.q[use], model.q[finite], model.total[finite])
    theirs = data.total[use]
    return float(np.sqrt(np.sum((ours - theirs) ** 2) / np.sum((theirs - 1) ** 2)))


def _mean_square(composition: str, q: ArrayLike, radiation: str) -> NDArray[np.float64]:
    """Return |<b>|^2 in barn, electrons² or Å²."""
    symbols, concentrations, isotopes = parse_composition(composition)
    products = factor_products(symbols, q, radiation, isotopes=isotopes)
    return mean_square(concentrations, products)
