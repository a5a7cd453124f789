"""A model of silica glass beside published measurements."""

from __future__ import annotations

from importlib import resources

import pandas as pd
from ase import Atoms

from glassnb.core.structure import half_box, mass_density
from glassnb.models.properties import check_silica, first_peak, peak_grid
from glassnb.network import bond_angles, bonds
from glassnb.scattering import first_sharp_diffraction_peak, pair_distribution, structure_factor

__all__ = ["compare_with_experiment"]

_WORDS = {
    "density": "density",
    "fsdp_position": "FSDP position, neutron",
    "fsdp_height": "FSDP height, neutron",
    "si_o_distance": "Si-O distance",
    "si_si_distance": "Si-Si distance",
    "si_o_si_mode": "Si-O-Si angle, most probable",
    "si_o_si_mean": "Si-O-Si angle, mean",
}


def compare_with_experiment(atoms: Atoms) -> pd.DataFrame:
    """Measure a model of silica glass and set it beside experiment.

    Distances are the maxima of the partial g(r), by a quadratic through the upper half of the
    peak; the first sharp diffraction peak is that of the neutron S(Q) through g(r) to half the
    box, by the estimator of
    :func:`glassnb.scattering.first_sharp_diffraction_peak`, for model and measurement alike.

    Parameters
    ----------
    atoms : ase.Atoms
        A periodic model of silica with at least some hundred atoms.

    Returns
    -------
    pandas.DataFrame
        Rows by quantity; columns ``unit``, ``model``, ``experiment``, ``deviation`` (percent) and
        ``source`` of the measurement.

    Raises
    ------
    ValueError
        If the structure is not periodic or does not hold Si and O.
    """
    check_silica(atoms)
    file = resources.files("glassnb") / "data" / "silica_experiment.csv"
    with file.open(encoding="utf-8") as text:
        table = pd.read_csv(text, comment="#").set_index("quantity")
    model = pd.Series(_measured(atoms))
    found = pd.DataFrame(
        {
            "unit": table["unit"],
            "model": model[table.index],
            "experiment": table["value"],
            "deviation": 100 * (model[table.index] / table["value"] - 1),
            "source": table["source"],
        }
    )
    return found.rename(index=_WORDS)


def _measured(atoms: Atoms) -> dict[str, float]:
    peak = first_sharp_diffraction_peak(structure_factor(atoms, peak_grid(atoms)))
    g = pair_distribution(atoms, min(6.0, half_box(atoms)))
    cutoff = bonds(atoms, None).cutoffs["Si", "O"]
    bridge = bond_angles(atoms, "Si-O-Si", cutoff={("Si", "O"): cutoff})
    return {
        "density": mass_density(atoms),
        "fsdp_position": peak.position,
        "fsdp_height": peak.height,
        "si_o_distance": first_peak(g, "Si", "O", cutoff),
        "si_si_distance": first_peak(g, "Si", "Si", 3.6),
        "si_o_si_mode": bridge.mode,
        "si_o_si_mean": bridge.mean,
    }
