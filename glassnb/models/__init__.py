"""The second floor: where structures come from.

Crystals from published refinements, glasses by molecular dynamics (LAMMPS) with published pair
potentials, quenched or permanently densified; ensembles with error bars; reverse Monte Carlo
against neutron and X-ray data; a small set of ready-made glasses, files of the field, and a
comparison with measured properties. Melt-quench protocol and potential: Sundararaman, Huang, Ispas
and Kob, J. Chem. Phys. 148, 194504 (2018); densification: Onodera et al., NPG Asia Mater. 12, 85
(2020); reverse Monte Carlo: McGreevy and Pusztai, Mol. Simul. 1, 359 (1988).
"""

from glassnb.core.files import read, write
from glassnb.models.comparison import compare_with_experiment
from glassnb.models.crystals import crystal, crystals
from glassnb.models.defects import (
    LocalEnvironments,
    e_prime_centre,
    local_environments,
    oxygen_vacancy,
)
from glassnb.models.densify import Densification, densify
from glassnb.models.density_series import DensificationSeries, densification_series
from glassnb.models.embedded_atom import EmbeddedAtomPotential, read_embedded_atom
from glassnb.models.ensemble import Ensemble, MeanStructureFactor, ensemble
from glassnb.models.glasses import available, available_series, load, load_series
from glassnb.models.md_run import SimulationError, Snapshot
from glassnb.models.melt_quench import MeltQuench, melt_quench
from glassnb.models.metallic_glass import metallic_glass
from glassnb.models.potentials import LammpsPotential, PairPotential, Potential, potential
from glassnb.models.properties import model_properties
from glassnb.models.random_structure import random_alloy, random_silica
from glassnb.models.reverse_monte_carlo import (
    BondAngle,
    Coordination,
    FixedAtoms,
    MinimumDistance,
    PairDistributionData,
    PotentialEnergy,
    Refinement,
    Replicas,
    ReverseMonteCarlo,
    StructureFactorData,
    refine_replicas,
)
from glassnb.models.zeolites import zeolite, zeolites

__all__ = [
    "BondAngle",
    "Coordination",
    "Densification",
    "DensificationSeries",
    "EmbeddedAtomPotential",
    "Ensemble",
    "FixedAtoms",
    "LammpsPotential",
    "LocalEnvironments",
    "MeanStructureFactor",
    "MeltQuench",
    "MinimumDistance",
    "PairDistributionData",
    "PairPotential",
    "Potential",
    "PotentialEnergy",
    "Refinement",
    "Replicas",
    "ReverseMonteCarlo",
    "SimulationError",
    "Snapshot",
    "StructureFactorData",
    "available",
    "available_series",
    "compare_with_experiment",
    "crystal",
    "crystals",
    "densification_series",
    "densify",
    "e_prime_centre",
    "ensemble",
    "load",
    "load_series",
    "local_environments",
    "melt_quench",
    "metallic_glass",
    "model_properties",
    "oxygen_vacancy",
    "potential",
    "random_alloy",
    "random_silica",
    "read",
    "read_embedded_atom",
    "refine_replicas",
    "write",
    "zeolite",
    "zeolites",
]
