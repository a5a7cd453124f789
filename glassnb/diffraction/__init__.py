"""The second floor, microscope side: electron diffraction with a beam as wide as a few atoms.

A beam about 4 Å wide stands at many places of a thin slab, and each place gives a pattern, as in
Å-beam electron diffraction (A. Hirata et al., Nat. Mater. 10, 28 (2011)). Patterns come from
models, by single scattering or multislice, or from an experiment. Wave numbers are k = 1/d in 1/Å,
as electron microscopists write them; the Q of :mod:`glassnb.scattering` is 2 pi k.

Bright paired spots appear in any disordered slab. The analysis says how likely such a spot is by
chance, and which atoms make it, after A. Hirata, Quantum Beam Sci. 6, 28 (2022).
"""

from glassnb.diffraction.analysis import (
    AngularPowerSpectrum,
    Decomposition,
    DepthPersistence,
    FluctuationVariance,
    PairedSpots,
    QuasiLatticePlanes,
    RadialIntensity,
    Spot,
    SpotPersistence,
    SpotSignificance,
    VirtualImage,
    angular_power_spectrum,
    decompose,
    depth_persistence,
    fluctuation_variance,
    null_scan,
    paired_spots,
    quasi_lattice_planes,
    radial_profile,
    spot_persistence,
    spot_significance,
    virtual_image,
)
from glassnb.diffraction.probe import Probe
from glassnb.diffraction.reductions import Annulus, Mask, RadialProfile, StrongestPair
from glassnb.diffraction.result import DiffractionScan
from glassnb.diffraction.scan import scan
from glassnb.diffraction.scanner import Scanner
from glassnb.diffraction.slab import Slab, cut_slab

__all__ = [
    "AngularPowerSpectrum",
    "Annulus",
    "Decomposition",
    "DepthPersistence",
    "DiffractionScan",
    "FluctuationVariance",
    "Mask",
    "PairedSpots",
    "Probe",
    "QuasiLatticePlanes",
    "RadialIntensity",
    "RadialProfile",
    "Scanner",
    "Slab",
    "Spot",
    "SpotPersistence",
    "SpotSignificance",
    "StrongestPair",
    "VirtualImage",
    "angular_power_spectrum",
    "cut_slab",
    "decompose",
    "depth_persistence",
    "fluctuation_variance",
    "null_scan",
    "paired_spots",
    "quasi_lattice_planes",
    "radial_profile",
    "scan",
    "spot_persistence",
    "spot_significance",
    "virtual_image",
]
