"""The electron beam: its wavelength, its aperture and the spot it makes on the sample.

Electron microscopists write k = 1/d, in 1/Å; the Q of :mod:`glassnb.scattering` is 2 pi k.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Probe"]

FloatArray = NDArray[np.float64]

APERTURES = ("top-hat", "soft", "gaussian")
_REST_ENERGY = 510_998.95  # m c², eV
_HC = 12_398.419_84  # h c, eV Å
_SOFT_EDGE = 0.2  # width of the soft edge over the semi-angle
_GAUSSIAN_CUT = 2.4  # where the Gaussian ends, in semi-angles: 0.3 % of the amplitude
_NODES = 400  # of integrals over the aperture
_MM, _NM = 1e7, 10.0  # in Å


@dataclass(frozen=True, init=False)
class Probe:
    """A convergent electron beam, focused on the upper face of the sample.

    Parameters
    ----------
    voltage : float
        Acceleration voltage in V.
    convergence_semiangle : float, optional
        Half the opening angle in mrad; 3.3 mrad when neither this nor ``fwhm`` is given.
    fwhm : float, optional
        Full width at half maximum of the spot in Å, instead of the angle; it is the width in
        focus, without aberrations and source size.
    defocus : float
        In nm; positive is underfocus, a weaker lens.
    spherical_aberration : float
        Third-order coefficient in mm.
    aperture : str
        ``"top-hat"``; ``"soft"``, a cosine edge one fifth of the angle wide; or ``"gaussian"``,
        where the semi-angle is that of 1/e² of the intensity.
    source_size : float
        Full width at half maximum of the image of the (Gaussian, incoherent) source in Å.

    Raises
    ------
    ValueError
        If a number is out of range, or both an angle and a width are given.

    References
    ----------
    E. J. Kirkland, Advanced Computing in Electron Microscopy (2010), chapters 2, 3 and 5.
    """

    voltage: float
    convergence_semiangle: float
    defocus: float
    spherical_aberration: float
    aperture: str
    source_size: float

    def __init__(
        self,
        voltage: float = 200e3,
        convergence_semiangle: float | None = None,
        fwhm: float | None = None,
        *,
        defocus: float = 0.0,
        spherical_aberration: float = 0.0,
        aperture: str = "top-hat",
        source_size: float = 0.0,
    ) -> None:
        if not (np.isfinite(voltage) and 1e3 <= voltage <= 1e7):
            raise ValueError(f"voltage={voltage}: must be in V, from 1e3 to 1e7, such as 200e3")
        if aperture not in APERTURES:
            raise ValueError(f"aperture={aperture!r}: must be one of {', '.join(APERTURES)}")
        if convergence_semiangle is not None and fwhm is not None:
            raise ValueError(
                "give either convergence_semiangle or fwhm: each follows from the other"
            )
        if not np.isfinite([defocus, spherical_aberration]).all():
            raise ValueError(
                f"defocus={defocus} (nm), spherical_aberration={spherical_aberration} (mm): "
                "must be finite"
            )
        if not (np.isfinite(source_size) and 0 <= source_size <= 100):
            raise ValueError(f"source_size={source_size}: must be in Å, from 0 to 100")
        keep: dict[str, Any] = {
            "voltage": float(voltage),
            "defocus": float(defocus),
            "spherical_aberration": float(spherical_aberration),
            "aperture": aperture,
            "source_size": float(source_size),
        }
        for name, value in keep.items():
            object.__setattr__(self, name, value)
        if fwhm is not None:
            if not (np.isfinite(fwhm) and fwhm > 0):
                raise ValueError(f"fwhm={fwhm}: must be a positive width in Å")
            # In focus the width is inversely proportional to the angle.
            one = Probe(voltage, 1.0, aperture=aperture)
            convergence_semiangle = one.fwhm / fwhm
        angle = 3.3 if convergence_semiangle is None else convergence_semiangle
        if not (np.isfinite(angle) and 0.01 <= angle <= 100):
            raise ValueError(
                f"convergence_semiangle={angle}: must be in mrad, from 0.01 to 100 (a beam 4 Å "
                "wide at 200 kV has 3.3)"
            )
        object.__setattr__(self, "convergence_semiangle", float(angle))

    @property
    def wavelength(self) -> float:
        """Relativistic wavelength in Å."""
        energy = self.voltage
        return _HC / float(np.sqrt(energy * (energy + 2 * _REST_ENERGY)))

    @property
    def lorentz_factor(self) -> float:
        """Relativistic mass over the rest mass; scattering grows by it."""
        return 1 + self.voltage / _REST_ENERGY

    @property
    def k_aperture(self) -> float:
        """Radius of the central disc in 1/Å: the semi-angle over the wavelength."""
        return self.convergence_semiangle * 1e-3 / self.wavelength

    @property
    def k_cut(self) -> float:
        """Largest transverse wave number of the beam in 1/Å, where the aperture ends."""
        wider = {"top-hat": 1.0, "soft": 1 + _SOFT_EDGE / 2, "gaussian": _GAUSSIAN_CUT}
        return self.k_aperture * wider[self.aperture]

    @property
    def fwhm(self) -> float:
        """Full width at half maximum of the spot in Å, with aberrations and source size."""
        r, intensity, _ = self._spot
        half = intensity.max() / 2
        last = int(np.flatnonzero(intensity > half)[-1])
        fraction = (intensity[last] - half) / (intensity[last] - intensity[last + 1])
        return 2 * float(r[last] + fraction * (r[last + 1] - r[last]))

    @property
    def d50(self) -> float:
        """Diameter of the circle that holds half of the current in Å."""
        r, _, encircled = self._spot
        return 2 * float(np.interp(0.5, encircled, r))

    def intensity(self, r: ArrayLike) -> FloatArray:
        """Return the current density at a distance from the middle of the spot.

        Parameters
        ----------
        r : array_like
            Distances in Å.

        Returns
        -------
        numpy.ndarray
            Fraction of the current per Å², in the shape of ``r``.
        """
        known, values, _ = self._spot
        return np.interp(np.asarray(r, dtype=float), known, values, right=0.0)

    def phase(self, b: FloatArray) -> FloatArray:
        """Return the aberration phase chi.

        Parameters
        ----------
        b : numpy.ndarray
            Transverse wave numbers in 1/Å.

        Returns
        -------
        numpy.ndarray
            In rad, in the shape of ``b``.
        """
        wavelength = self.wavelength
        defocus, spherical = self.defocus * _NM, self.spherical_aberration * _MM
        # Underfocus advances the outer rays: Scherzer's sign, in which it opposes Cs.
        return np.pi * wavelength * b**2 * (0.5 * spherical * (wavelength * b) ** 2 - defocus)

    def transmission(self, b: FloatArray, pixel: FloatArray | float = 0.0) -> FloatArray:
        """Return the amplitude that the aperture lets through.

        Parameters
        ----------
        b : numpy.ndarray
            Transverse wave numbers in 1/Å.
        pixel : numpy.ndarray or float
            Size of a pixel of reciprocal space in the direction of ``b`` in 1/Å. A top-hat is
            averaged over it; without that, its discs grow and shrink in steps with the cell.

        Returns
        -------
        numpy.ndarray
            From 0 to 1.
        """
        radius = self.k_aperture
        if self.aperture == "gaussian":
            return np.where(b <= self.k_cut, np.exp(-((b / radius) ** 2)), 0.0)
        if self.aperture == "soft":
            into = np.clip((b - radius) / (_SOFT_EDGE * radius) + 0.5, 0, 1)
            return np.cos(np.pi / 2 * into) ** 2
        width = np.maximum(pixel, 1e-12)
        return np.clip((radius - b) / width + 0.5, 0, 1)

    def beams(
        self, lengths: tuple[float, float]
    ) -> tuple[NDArray[np.int64], NDArray[np.complex128]]:
        """Return the plane waves of the beam in a periodic cell.

        Parameters
        ----------
        lengths : tuple of float
            Edges of the cell in x and y in Å.

        Returns
        -------
        indices : numpy.ndarray, shape (n_beams, 2)
            Transverse wave vectors in units of one over the edges; x runs fastest.
        amplitudes : numpy.ndarray, shape (n_beams,)
            Complex, with the aberrations; their squares add up to 1.
        """
        edges = np.asarray(lengths, dtype=float)
        most = np.ceil((self.k_cut * edges) + 1).astype(int)
        grid = np.meshgrid(*(np.arange(-n, n + 1) for n in most))
        indices = np.stack(grid, axis=-1).reshape(-1, 2)
        vectors = indices / edges
        b = np.linalg.norm(vectors, axis=1)
        direction = vectors / np.maximum(b, 1e-12)[:, None]
        pixel = np.linalg.norm(direction / edges, axis=1)
        through = self.transmission(b, pixel)
        through[b == 0] = 1.0
        chosen = through > 0
        wave = through[chosen] * np.exp(-1j * self.phase(b[chosen]))
        return indices[chosen], wave / np.linalg.norm(wave)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the profile of the spot.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.diffraction import plot_probe

        return plot_probe(self, ax)

    @cached_property
    def _spot(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Radii (Å), current density (1/Å²) and current within each radius."""
        from scipy.special import i0e, j0

        node, share = np.polynomial.legendre.leggauss(_NODES)
        b = self.k_cut * (node + 1) / 2
        amplitude = self.transmission(b) * np.exp(-1j * self.phase(b))
        weight = np.pi * self.k_cut * b * share
        # Far enough for the blur of aberrations (the largest ray displacement) and of the source.
        slope = np.abs(np.gradient(self.phase(b), b)).max() / (2 * np.pi)
        reach = 4 / self.k_aperture + 1.5 * slope + 3 * self.source_size
        r, dr = np.linspace(0, reach, 1201, retstep=True)
        wave = j0(2 * np.pi * r[:, None] * b) @ (weight * amplitude)
        density = np.abs(wave) ** 2 / np.sum(weight * np.abs(amplitude) ** 2)
        if self.source_size > 0:
            s2 = (self.source_size / np.sqrt(8 * np.log(2))) ** 2
            near = np.exp(-((r[:, None] - r) ** 2) / (2 * s2)) * i0e(r[:, None] * r / s2)
            rows = near * r
            rows /= np.maximum(rows.sum(axis=1, keepdims=True), 1e-300)
            # Rows weight the density as seen from r; the current is kept to the last decimals.
            density = rows @ density
        encircled = np.concatenate(([0.0], np.cumsum(np.diff(np.pi * r**2) * _middle(density))))
        return r, density, encircled


def _middle(values: FloatArray) -> FloatArray:
    return (values[1:] + values[:-1]) / 2
