"""Reverse Monte Carlo: models that agree with neutron and X-ray data at once.

McGreevy and Pusztai, Mol. Simul. 1, 359 (1988). The kernel keeps integer histograms of distances
and the gradient of chi-squared, and rejects a move as soon as its rejection is certain.
"""

from glassnb.models.reverse_monte_carlo.constraints import (
    BondAngle,
    Coordination,
    FixedAtoms,
    MinimumDistance,
    PotentialEnergy,
)
from glassnb.models.reverse_monte_carlo.data import PairDistributionData, StructureFactorData
from glassnb.models.reverse_monte_carlo.engine import ReverseMonteCarlo
from glassnb.models.reverse_monte_carlo.refinement import Curve, Record, Refinement
from glassnb.models.reverse_monte_carlo.replicas import Replicas, refine_replicas
from glassnb.models.reverse_monte_carlo.report import Report

__all__ = [
    "BondAngle",
    "Coordination",
    "Curve",
    "FixedAtoms",
    "MinimumDistance",
    "PairDistributionData",
    "PotentialEnergy",
    "Record",
    "Refinement",
    "Replicas",
    "Report",
    "ReverseMonteCarlo",
    "StructureFactorData",
    "refine_replicas",
]
