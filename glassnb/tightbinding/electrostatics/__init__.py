"""Energies of shell charges and of dispersion: what GFN1-xTB adds to its band energy.

Internal units: Hartree and bohr. Charges are positive for cations. Gradients are derivatives of the
energy with respect to positions, virials with respect to a homogeneous strain.
"""

from glassnb.tightbinding.electrostatics.coulomb import KlopmanOhno
from glassnb.tightbinding.electrostatics.dispersion import Dispersion, dispersion
from glassnb.tightbinding.electrostatics.third_order import (
    third_order_energies,
    third_order_potential,
)

__all__ = [
    "Dispersion",
    "KlopmanOhno",
    "dispersion",
    "third_order_energies",
    "third_order_potential",
]
