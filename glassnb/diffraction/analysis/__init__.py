"""What patterns tell: rings and their variance, pairs of spots, and whether they mean anything.

Coherent diffraction of any disordered slab gives speckle, with bright spots in pairs at k and -k.
So spots come with p-values against slabs without order, with how far they last as the beam moves,
and with the atoms that make them.
"""

from glassnb.diffraction.analysis.angular import AngularPowerSpectrum, angular_power_spectrum
from glassnb.diffraction.analysis.decomposition import Decomposition, decompose
from glassnb.diffraction.analysis.depth import DepthPersistence, depth_persistence
from glassnb.diffraction.analysis.images import VirtualImage, virtual_image
from glassnb.diffraction.analysis.nulls import null_scan
from glassnb.diffraction.analysis.persistence import SpotPersistence, spot_persistence
from glassnb.diffraction.analysis.planes import QuasiLatticePlanes, quasi_lattice_planes
from glassnb.diffraction.analysis.profiles import (
    FluctuationVariance,
    RadialIntensity,
    fluctuation_variance,
    radial_profile,
)
from glassnb.diffraction.analysis.significance import SpotSignificance, spot_significance
from glassnb.diffraction.analysis.spots import PairedSpots, Spot, paired_spots

__all__ = [
    "AngularPowerSpectrum",
    "Decomposition",
    "DepthPersistence",
    "FluctuationVariance",
    "PairedSpots",
    "QuasiLatticePlanes",
    "RadialIntensity",
    "Spot",
    "SpotPersistence",
    "SpotSignificance",
    "VirtualImage",
    "angular_power_spectrum",
    "decompose",
    "depth_persistence",
    "fluctuation_variance",
    "null_scan",
    "paired_spots",
    "quasi_lattice_planes",
    "radial_profile",
    "spot_persistence",
    "spot_significance",
    "virtual_image",
]
