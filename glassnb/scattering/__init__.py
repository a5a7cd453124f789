"""The first floor, scattering side: from coordinates to g(r) and S(Q), and to experiment.

Conventions follow Keen, J. Appl. Cryst. 34, 172 (2001): Faber-Ziman partial structure factors
S_ab(Q), which tend to 1; neutron, X-ray and electron totals; g(r), G(r), D(r) and T(r). The
Ashcroft-Langreth and Bhatia-Thornton forms are derived from them. Every result names its
convention.
"""

from glassnb.scattering.broadening import broaden, real_space_broadening
from glassnb.scattering.composition import isotope_shares
from glassnb.scattering.difference import DifferenceFunction, difference
from glassnb.scattering.experiment import (
    ExperimentalData,
    fetch_experiment,
    r_factor,
    read_experiment,
)
from glassnb.scattering.pair_distribution import PairDistribution, pair_distribution
from glassnb.scattering.pair_function import ExperimentalPairFunction, read_pair_function
from glassnb.scattering.peaks import DiffractionPeak, first_sharp_diffraction_peak
from glassnb.scattering.q_grid import smallest_q
from glassnb.scattering.reciprocal import ReciprocalAmplitudes, reciprocal_amplitudes
from glassnb.scattering.structure_factor import StructureFactor, structure_factor
from glassnb.scattering.weights import (
    electron_form_factor,
    neutron_scattering_length,
    scattering_factors,
    x_ray_form_factor,
)

__all__ = [
    "DifferenceFunction",
    "DiffractionPeak",
    "ExperimentalData",
    "ExperimentalPairFunction",
    "PairDistribution",
    "ReciprocalAmplitudes",
    "StructureFactor",
    "broaden",
    "difference",
    "electron_form_factor",
    "fetch_experiment",
    "first_sharp_diffraction_peak",
    "isotope_shares",
    "neutron_scattering_length",
    "pair_distribution",
    "r_factor",
    "read_experiment",
    "read_pair_function",
    "real_space_broadening",
    "reciprocal_amplitudes",
    "scattering_factors",
    "smallest_q",
    "structure_factor",
    "x_ray_form_factor",
]
