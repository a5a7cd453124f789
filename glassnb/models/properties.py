"""What is reported of every model of silica: one set of numbers, by one set of estimators."""

from __future__ import annotations

import math

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from glassnb.core.structure import check_atoms, half_box, mass_density
from glassnb.network import bond_angles, coordination
from glassnb.scattering import (
    PairDistribution,
    StructureFactor,
    first_sharp_diffraction_peak,
    pair_distribution,
    smallest_q,
    structure_factor,
)

__all__ = [
    "BOND", "DEFINITION", "check_silica", "first_peak", "model_properties", "peak_grid",
]  # fmt: skip

BOND = 2.2  # Å, the longest Si-O bond: in densified glass the shells of SiO4 and SiO5 meet below it
#: How the numbers in all tables and pictures of models of silica come about.
DEFINITION = f"Si-O bonds below {BOND} Å; S(Q) through g(r) to half the box, without a window"
_SMOOTHING = 0.02  # Å


def model_properties(atoms: Atoms) -> dict[str, float]:
    """Measure density, coordination, bonds, angles and diffraction of a model of silica.

    Si and O are bonded below 2.2 Å. The first sharp diffraction peak is that of S(Q) through g(r)
    to half the box, without a window, by the estimator of
    :func:`glassnb.scattering.first_sharp_diffraction_peak`. Tables made of these numbers say so in
    ``table.attrs["definition"]``.

    Parameters
    ----------
    atoms : ase.Atoms
        A periodic structure of Si and O, with some hundred atoms or more.

    Returns
    -------
    dict of str to float
        ``density`` (g/cm³); ``SiO4``, ``SiO5``, ``SiO6`` (percent of the Si atoms);
        ``si_o_distance`` (Å, maximum of the first peak of g(r)); ``si_o_si_mean``,
        ``si_o_si_std``, ``o_si_o_mean``, ``o_si_o_std`` (degrees); ``fsdp_position_neutron``
        (Å⁻¹), ``fsdp_height_neutron``, ``fsdp_width_neutron`` (Å⁻¹, full width at half maximum),
        and the same three with ``x_ray``. NaN where a structure has no such peak or angle.

    Raises
    ------
    ValueError
        If the structure is not periodic or does not hold Si and O.
    """
    check_silica(atoms)
    cutoff = {("Si", "O"): BOND}
    shares = coordination(atoms, cutoff).fractions("Si", "O")
    bridge = bond_angles(atoms, "Si-O-Si", cutoff=cutoff)
    tetrahedron = bond_angles(atoms, "O-Si-O", cutoff=cutoff)
    g = pair_distribution(atoms, min(6.0, half_box(atoms)))
    neutron = structure_factor(atoms, peak_grid(atoms))
    return {
        "density": mass_density(atoms),
        "SiO4": 100 * shares.get(4, 0.0),
        "SiO5": 100 * shares.get(5, 0.0),
        "SiO6": 100 * shares.get(6, 0.0),
        "si_o_distance": first_peak(g, "Si", "O", BOND),
        "si_o_si_mean": bridge.mean,
        "si_o_si_std": bridge.std,
        "o_si_o_mean": tetrahedron.mean,
        "o_si_o_std": tetrahedron.std,
        **_peak(neutron, "neutron"),
        **_peak(neutron.as_radiation("x-ray"), "x_ray"),
    }


def _peak(sq: StructureFactor, name: str) -> dict[str, float]:
    """Return position, height and width of the first sharp diffraction peak, or NaN for none."""
    try:
        found = first_sharp_diffraction_peak(sq)
        values = (found.position, found.height, found.fwhm)
    except ValueError:  # S(Q) only rises through the range: a liquid, or far too few atoms
        values = (math.nan,) * 3
    words = ("position", "height", "width")
    return {f"fsdp_{word}_{name}": value for word, value in zip(words, values, strict=True)}


def peak_grid(atoms: Atoms) -> NDArray[np.float64]:
    """Return the scattering vectors on which the first sharp diffraction peak is sought.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, periodic in three directions.

    Returns
    -------
    ndarray, shape (n_q,)
        Multiples of 0.01 Å⁻¹ from 0.5 Å⁻¹, or what the box allows, to 6 Å⁻¹.
    """
    q = np.arange(0.5, 6.0, 0.01)
    return q[q >= smallest_q(atoms)]


def check_silica(atoms: Atoms) -> None:
    """Stop on a structure that is not periodic, or not of Si and O.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.

    Raises
    ------
    ValueError
        If it is not.
    """
    check_atoms(atoms, periodic=True)
    present = set(atoms.get_chemical_symbols())
    if not {"Si", "O"} <= present:
        raise ValueError(f"atoms: holds {', '.join(sorted(present))}; silica needs Si and O")


def first_peak(g: PairDistribution, a: str, b: str, below: float) -> float:
    """Return where g_ab is highest below a distance, by a quadratic through its upper half.

    Parameters
    ----------
    g : PairDistribution
        Where to look.
    a, b : str
        Chemical symbols.
    below : float
        In Å.

    Returns
    -------
    float
        Distance in Å; NaN where there is no such peak, or the range cuts it.
    """
    values = gaussian_filter1d(np.where(g.r < below, g.partials[a, b], 0.0), _SMOOTHING / g.dr)
    top = int(np.argmax(values))
    low = np.flatnonzero(values < values[top] / 2)
    before, after = low[low < top], low[low > top]
    if not (before.size and after.size):
        return math.nan
    near = slice(before[-1] + 1, after[0])
    if near.stop - near.start < 3:  # a sharp peak of a crystal: the neighbours of the highest point
        near = slice(top - 1, top + 2)
    curve = np.polynomial.Polynomial.fit(g.r[near], values[near], 2)
    return float(curve.deriv().roots()[0])
