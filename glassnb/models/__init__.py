"""The second floor: where structures come from.

Crystals from published refinements, glasses by molecular dynamics (LAMMPS) with published pair
potentials, a small set of ready-made glasses, files of the field, and a comparison with measured
properties. Melt-quench protocol and potential: Sundararaman, Huang, Ispas and Kob, J. Chem. Phys.
148, 194504 (2018).
"""

from glassnb.core.files import read, write
from glassnb.models.comparison import compare_with_experiment
from glassnb.models.crystals import crystal, crystals
from glassnb.models.densify import Densification, densify
from glassnb.models.density_series import DensificationSeries, densification_series
from glassnb.models.ensemble import Ensemble, MeanStructureFactor, ensemble
from glassnb.models.glasses import available, available_series, load, load_series
from glassnb.models.md_run import SimulationError, Snapshot
from glassnb.models.melt_quench import MeltQuench, melt_quench
from glassnb.models.potentials import LammpsPotential, PairPotential, Potential, potential
from glassnb.models.properties import model_properties
from glassnb.models.random_structure import random_silica
from glassnb.models.zeolites import zeolite, zeolites

__all__ = [
    "Densification",
    "DensificationSeries",
    "Ensemble",
    "LammpsPotential",
    "MeanStructureFactor",
    "MeltQuench",
    "PairPotential",
    "Potential",
    "SimulationError",
    "Snapshot",
    "available",
    "available_series",
    "compare_with_experiment",
    "crystal",
    "crystals",
    "densification_series",
    "densify",
    "ensemble",
    "load",
    "load_series",
    "melt_quench",
    "model_properties",
    "potential",
    "random_silica",
    "read",
    "write",
    "zeolite",
    "zeolites",
]
