"""A slab under a beam, made ready, and what chance gives there. No widget here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.diffraction import (
    DiffractionScan,
    PairedSpots,
    Probe,
    Scanner,
    Slab,
    SpotSignificance,
    cut_slab,
    paired_spots,
    spot_significance,
)

__all__ = [
    "PreparedSlab",
    "Settings",
    "chance",
    "euler_angles",
    "prepare",
    "with_angle",
]

FloatArray = NDArray[np.float64]

#: Steps of the scan with which patterns are compared, along each edge.
STEPS = 12
#: Null scans, each as large as that.
N_NULL = 30
#: Most pairs of spots that are listed.
N_SPOTS = 6
_BRIGHT = 0.999  # quantile of the intensities of the scan that is drawn white


@dataclass(frozen=True)
class Settings:
    """What a slab and its beam depend on.

    Parameters
    ----------
    probe : Probe
        The beam.
    axis : str
        Direction of the model along the beam.
    angles : tuple of float
        Euler angles in degrees, about z, then the new x, then the new z; the model is not turned
        if all are zero.
    thickness : float or None
        Of the slab in Å; ``None`` for the height of the model.
    start : float
        Lower face of the slab in Å.
    k_max : float
        Half the edge of the patterns in 1/Å.
    """

    probe: Probe
    axis: str
    angles: tuple[float, float, float]
    thickness: float | None
    start: float
    k_max: float


@dataclass(frozen=True, eq=False)
class PreparedSlab:
    """A slab that gives patterns at once.

    Parameters
    ----------
    settings : Settings
        What it was made for.
    scanner : Scanner
        Gives the pattern at any position.
    reference : DiffractionScan
        Patterns on a grid over the slab, with whose mean a single pattern is compared.
    top : float
        Intensity of a pixel that is drawn in the brightest colour.
    """

    settings: Settings
    scanner: Scanner
    reference: DiffractionScan
    top: float

    @property
    def slab(self) -> Slab:
        """What the beam goes through."""
        return self.scanner.slabs[0]

    @property
    def probe(self) -> Probe:
        """The beam."""
        return self.settings.probe

    def spots(self, pattern: NDArray[Any], k_range: tuple[float, float]) -> PairedSpots:
        """Find pairs of spots in a pattern.

        Parameters
        ----------
        pattern : ndarray, shape (n_k_x, n_k_y)
            A pattern of this slab.
        k_range : tuple of float
            Ring to search in 1/Å.

        Returns
        -------
        PairedSpots
            The strongest pairs.
        """
        return paired_spots(
            pattern, k_range=k_range, n_max=N_SPOTS, k_x=self.reference.k_x,
            k_y=self.reference.k_y, probe=self.probe, mean=self.reference.mean,
        )  # fmt: skip

    def ring(self, low: float, high: float) -> tuple[float, float]:
        """Return the part of a ring that lies in the pattern and outside the central disc.

        Parameters
        ----------
        low, high : float
            Radii that are wanted in 1/Å.

        Returns
        -------
        tuple of float
            Radii in 1/Å.

        Raises
        ------
        ValueError
            If nothing is left.
        """
        least, most = self.reference.k_disc, self.reference.k_max
        found = (max(low, least), min(high, most))
        if found[1] - found[0] < 2 / min(self.scanner.lengths):
            raise ValueError(
                f"k from {low:.3g} to {high:.3g} 1/Å: too little of this ring lies between the "
                f"central disc ({least:.3f} 1/Å) and the edge of the pattern ({most:.3f} 1/Å); "
                "widen it, or use a wider beam, whose disc is smaller"
            )
        return found


def euler_angles(seed: int) -> tuple[float, float, float]:
    """Draw an orientation, evenly from all.

    Parameters
    ----------
    seed : int
        Of the random numbers.

    Returns
    -------
    tuple of float
        Euler angles in degrees, to a tenth; see :class:`Settings`.
    """
    from scipy.spatial.transform import Rotation

    # Four normal numbers make a quaternion whose direction is uniform.
    turn = Rotation.from_quat(np.random.default_rng(seed).normal(size=4))
    first, second, third = turn.as_euler("ZXZ", degrees=True).round(1).tolist()
    return first, second, third


def with_angle(probe: Probe, semiangle: float) -> Probe:
    """Return the same beam with another opening.

    Parameters
    ----------
    probe : Probe
        The beam.
    semiangle : float
        Half the opening angle in mrad.

    Returns
    -------
    Probe
        The other beam.

    Raises
    ------
    ValueError
        If the angle is out of range.
    """
    return Probe(
        probe.voltage, semiangle, defocus=probe.defocus, aperture=probe.aperture,
        spherical_aberration=probe.spherical_aberration, source_size=probe.source_size,
    )  # fmt: skip


def prepare(atoms: Atoms, settings: Settings) -> PreparedSlab:
    """Cut a slab and make it ready.

    Parameters
    ----------
    atoms : ase.Atoms
        The model.
    settings : Settings
        What is wanted.

    Returns
    -------
    PreparedSlab
        The slab.

    Raises
    ------
    ValueError
        If something is out of range.
    """
    from scipy.spatial.transform import Rotation

    probe, beam = settings.probe, 4 * settings.probe.fwhm
    turned = any(settings.angles)
    turn = Rotation.from_euler("ZXZ", settings.angles, degrees=True) if turned else None
    slab = cut_slab(
        atoms, settings.thickness, rotation=turn, width=None if turned else beam, margin=beam,
        axis=settings.axis, start=settings.start,
    )  # fmt: skip
    scanner = Scanner(slab, probe, k_max=settings.k_max)
    places = _grid(scanner)
    reference = DiffractionScan.from_array(
        scanner.patterns(places).reshape(STEPS, STEPS, *scanner.shape),
        k_step=(1 / scanner.lengths[0], 1 / scanner.lengths[1]),
        positions=places,
        probe=probe,
    )
    outside = reference.patterns[..., reference.k > reference.k_disc]
    top = float(np.quantile(outside, _BRIGHT)) if outside.size else 1.0
    return PreparedSlab(settings, scanner, reference, top)


def _grid(scanner: Scanner) -> FloatArray:
    """Return positions all over the slab, or over the field that its seam leaves."""
    x0, x1, y0, y1 = scanner.field
    steps = (np.arange(STEPS) + 0.5) / STEPS
    axes = np.meshgrid(x0 + steps * (x1 - x0), y0 + steps * (y1 - y0), indexing="ij")
    return np.stack(axes, axis=-1).reshape(-1, 2)


def chance(
    prepared: PreparedSlab,
    k_range: tuple[float, float],
    null: str,
    seed: int,
    progress: Callable[[int, int, str], None],
) -> SpotSignificance:
    """Compute how strong pairs of spots are by chance, in this ring and with this beam.

    Parameters
    ----------
    prepared : PreparedSlab
        The slab.
    k_range : tuple of float
        The ring in 1/Å.
    null : str
        ``"speckle"`` or ``"phase"``; see :func:`glassnb.diffraction.spot_significance`.
    seed : int
        Of the random numbers.
    progress : callable
        Called with the number of null scans done, that of all, and words.

    Returns
    -------
    SpotSignificance
        Gives p-values, and says which positions on the grid mean something.
    """
    return spot_significance(
        prepared.reference, k_range=k_range, null=null, atoms=prepared.slab, n_null=N_NULL,
        thickness=prepared.slab.thickness, seed=seed, progress=progress,
    )  # fmt: skip
