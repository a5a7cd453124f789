"""A model of silica glass beside published measurements."""

from __future__ import annotations

from importlib import resources

import pandas as pd
from ase import Atoms

from glassnb.core.structure import half_box
from glassnb.models.properties import (
    BOND,
    DEFINITION,
    check_silica,
    first_peak,
    model_properties,
)
from glassnb.network import bond_angles
from glassnb.scattering import pair_distribution

__all__ = ["compare_with_experiment"]

_SILICON = 1 / 3  # of the atoms
_TOLERANCE = 0.01  # some atoms missing or too many: defects
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
    peak; bonds and the first sharp diffraction peak are those of
    :func:`glassnb.models.model_properties`, the estimator of the peak is the same for model and
    measurement.

    Parameters
    ----------
    atoms : ase.Atoms
        A periodic model of silica with at least some hundred atoms.

    Returns
    -------
    pandas.DataFrame
        Rows by quantity; columns ``unit``, ``model``, ``experiment``, ``deviation`` (percent) and
        ``source`` of the measurement. ``attrs["definition"]`` says how bonds and S(Q) of the model
        are defined. NaN where the model has no such peak.

    Raises
    ------
    ValueError
        If the structure is not periodic or is not SiO2.
    """
    check_silica(atoms)
    _check_composition(atoms)
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
    table = found.rename(index=_WORDS)
    table.attrs["definition"] = DEFINITION
    return table


def _check_composition(atoms: Atoms) -> None:
    """Stop on what is not SiO2 but for some defects."""
    counts = atoms.symbols.formula.count()
    share = counts["Si"] / len(atoms)
    if set(counts) != {"Si", "O"} or abs(share - _SILICON) > _TOLERANCE:
        raise ValueError(
            f"atoms: is {atoms.symbols.formula.format('hill')}, and the measurements are of SiO2; "
            "measure it with model_properties, and compare with measurements of its own"
        )


def _measured(atoms: Atoms) -> dict[str, float]:
    found = model_properties(atoms)
    g = pair_distribution(atoms, min(6.0, half_box(atoms)))
    bridge = bond_angles(atoms, "Si-O-Si", cutoff={("Si", "O"): BOND})
    return {
        "density": found["density"],
        "fsdp_position": found["fsdp_position_neutron"],
        "fsdp_height": found["fsdp_height_neutron"],
        "si_o_distance": found["si_o_distance"],
        "si_si_distance": first_peak(g, "Si", "Si", 3.6),
        "si_o_si_mode": bridge.mode,
        "si_o_si_mean": found["si_o_si_mean"],
    }
