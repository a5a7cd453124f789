"""How deep a spot lives: the depth of a slab over which what the atoms scatter into it keeps step.

A slab is cut into layers across the beam. The amplitude that a sub-slab, some layers one upon the
other, scatters into a pair of spots grows with its thickness where the layers are in step, and the
intensity with the square of it; without order the intensity grows with the thickness itself. The
sub-slab that stands out most against that is the one in which the spot lives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.parallel import map_tasks, thread_count
from glassnb.core.progress import ProgressOption
from glassnb.diffraction.analysis.noise import check_noise
from glassnb.diffraction.analysis.nulls import NULLS, Optics, optics_of, radial_power, slabs_of
from glassnb.diffraction.analysis.persistence import place_of
from glassnb.diffraction.analysis.ring import Ring, blank, hidden_pixels, ring_of
from glassnb.diffraction.analysis.spots import Spot
from glassnb.diffraction.counts import mean_of
from glassnb.diffraction.kinematic import slab_moments
from glassnb.diffraction.probe import Probe
from glassnb.diffraction.result import DiffractionScan
from glassnb.diffraction.scanner import debye_waller_by_symbol
from glassnb.diffraction.slab import Slab, cut_slab

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["DepthPersistence", "depth_persistence"]

FloatArray = NDArray[np.float64]
Draw = Callable[[np.random.Generator], NDArray[np.complex64]]

_MOST_PIXELS, _MOST_PLACES = 64, 16  # over which the mean at a radius is taken
_FLOOR = 0.05  # of the mean of layers that do not keep step; a perfect crystal has empty rings


@dataclass(frozen=True, eq=False, repr=False)
class DepthPersistence:
    """Strength of one pair of spots in sub-slabs of every thickness.

    Parameters
    ----------
    depth : numpy.ndarray, shape (n_layers,)
        Thickness of the sub-slabs in Å.
    strength : numpy.ndarray, shape (n_layers,)
        sqrt(I(k) I(-k)) of the strongest sub-slab of that thickness, over the mean speckle at
        that radius of all sub-slabs of that thickness, wherever the beam stands.
    null_mean, null_high : numpy.ndarray, shape (n_layers,)
        Mean and 95 % quantile of the same for the strongest pairs of null scans.
    depth_range : tuple of float
        Lower and upper face in Å of the strongest sub-slab of all, from the bottom of the slab.
    coherence_length : float
        Its thickness in Å: the depth over which the layers keep step.
    null_length : float
        The same of null scans on average. A chance spot is made by most of the slab.
    p_value : float
        Share of null scans with a sub-slab that is at least as strong.
    """

    depth: FloatArray
    strength: FloatArray
    null_mean: FloatArray
    null_high: FloatArray
    depth_range: tuple[float, float]
    coherence_length: float
    null_length: float
    p_value: float

    def __repr__(self) -> str:
        """Say what was found."""
        low, high = self.depth_range
        return (
            f"DepthPersistence({self.coherence_length:.1f} Å, from {low:.1f} to {high:.1f} Å, "
            f"by chance {self.null_length:.1f} Å, p = {self.p_value:.3g})"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the curves as a table.

        Returns
        -------
        pandas.DataFrame
            Columns ``depth`` (Å), ``strength``, ``null_mean`` and ``null_high``.
        """
        import pandas as pd

        names = ("depth", "strength", "null_mean", "null_high")
        return pd.DataFrame({name: getattr(self, name) for name in names})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw strength against the thickness of the sub-slab, with what chance makes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.diffraction_analysis import plot_depth_persistence

        return plot_depth_persistence(self, ax)


def depth_persistence(
    scan: DiffractionScan,
    spot: Spot,
    atoms: Atoms | Slab,
    *,
    slice_thickness: float = 2.0,
    k_range: tuple[float, float] | None = None,
    null: str = "speckle",
    liquid: Atoms | None = None,
    n_null: int = 100,
    seed: int = 0,
    progress: ProgressOption = None,
) -> DepthPersistence:
    """Find the depth over which a pair of spots lives, and compare it with chance.

    In each null scan the strongest pair of the ring is followed, so the test is made for the
    strongest pair of the scan; for weaker ones it is cautious. Amplitudes are those of single
    scattering, for scans by multislice too.

    Parameters
    ----------
    scan : DiffractionScan
        A computed scan; its patterns need not be kept.
    spot : Spot
        One pair of :func:`paired_spots`.
    atoms : ase.Atoms or Slab
        The model or slab that was scanned.
    slice_thickness : float
        Of the layers in Å, rounded to a whole number of them.
    k_range : tuple of float, optional
        Ring in 1/Å in which the null's pairs are sought: that in which this one was found. All
        outside the central disc when omitted.
    null : str
        ``"speckle"``: a Gaussian random potential with the radial power of the scan, each layer on
        its own. ``"phase"``: the slab with the phases of its waves drawn anew, the same in all
        layers: waves that live through the slab go on doing so, and only their meeting in one
        place is by chance. ``"liquid"``: slabs cut in random directions.
    liquid : ase.Atoms, optional
        A liquid or packing of the same density, for ``"liquid"``.
    n_null : int
        Number of null scans.
    seed : int
        Of the random numbers.
    progress : bool, callable or None
        See :func:`glassnb.core.progress.progress_bar`.

    Returns
    -------
    DepthPersistence
        Curves, the depth and a p-value.

    Raises
    ------
    ValueError
        If the spot is not of this scan or not in the ring, the slab has not two layers, the null
        model needs something that is not given, or the ring is beneath the noise of negative
        counts (see :func:`spot_significance`).
    """
    probe, orientation, position = place_of(scan, spot, n_null)
    if null not in NULLS:
        raise ValueError(f"null={null!r}: must be one of {', '.join(NULLS)}")
    if (null == "liquid") != (liquid is not None):
        raise ValueError(
            f"null={null!r}, liquid={liquid!r}: a liquid or packing goes with null='liquid'"
        )
    ring = ring_of(scan, k_range)
    if not ring.k_range[0] - ring.speckle <= spot.k <= ring.k_range[1] + ring.speckle:
        raise ValueError(f"k_range={k_range}: the spot at {spot.k:.3f} 1/Å is not in this ring")
    check_noise(scan, ring)
    slab = _scanned(scan, atoms, orientation)
    n_layers = _number_of_layers(slab, slice_thickness)
    layers = _layers_of(scan, ring, probe, slab.thickness, n_layers)
    own = layers.fields(slab)
    draw = _null(null, scan, layers, own, liquid)
    visible = np.ones((len(scan.positions), ring.pixels.size), dtype=np.float32)
    visible = blank(visible, hidden_pixels(scan, ring, ring), orientation)
    follow = partial(_null_course, layers, draw, visible)
    seeds = np.random.SeedSequence(seed).spawn(n_null)
    from threadpoolctl import threadpool_limits

    alone = thread_count() > 1 and n_null > 1
    with threadpool_limits(1, user_api="blas") if alone else nullcontext():
        drawn = map_tasks(follow, seeds, progress=progress, description="null scans")
    strength, first = layers.course(
        own, position, layers.brightest(own, position, spot, visible[position])
    )
    null_curves = np.array([curve for curve, _ in drawn])
    depth = slab.thickness * np.arange(1, n_layers + 1) / n_layers
    best = int(strength.argmax())
    bottom = float(slab.thickness * first[best] / n_layers)
    higher = (null_curves.max(axis=1) >= strength.max() * (1 - 1e-9)).sum()
    return DepthPersistence(
        depth,
        strength,
        null_curves.mean(axis=0),
        np.quantile(null_curves, 0.95, axis=0),
        (bottom, bottom + float(depth[best])),
        float(depth[best]),
        float(depth[null_curves.argmax(axis=1)].mean()),
        float((1 + higher) / (1 + n_null)),
    )


@dataclass(frozen=True, eq=False)
class _Layers:
    """The pixels of a ring as a beam sees a slab of thin layers; ``optics`` holds their phases."""

    ring: Ring
    probe: Probe
    optics: Optics
    thickness: float
    debye_waller: Any

    def fields(self, slab: Slab) -> NDArray[np.complex64]:
        """Return the waves of each layer, shape (n_layers, n_x, n_y)."""
        n_layers, shape = len(self.optics.curvature), self.optics.shape
        reach = (shape[0] // 2, shape[1] // 2)
        layer = (slab.atoms.positions[:, 2] * n_layers / self.thickness).astype(int)
        smearing = debye_waller_by_symbol(self.debye_waller, [slab])
        waves = np.zeros((n_layers, *shape), dtype=np.complex64)
        for i in np.unique(np.clip(layer, 0, n_layers - 1)):
            inside = replace(slab, atoms=slab.atoms[np.clip(layer, 0, n_layers - 1) == i])
            waves[i] = slab_moments(inside, self.probe, reach, 1, smearing)[0]
        return waves

    def brightest(
        self, fields: NDArray[np.complex64], position: int, spot: Spot, visible: NDArray[Any]
    ) -> int:
        """Return the pixel of a spot's disc where the pair is strongest, as in the null scans."""
        away = np.linalg.norm(self.ring.vectors - (spot.k_x, spot.k_y), axis=1)
        away[np.isnan(visible * visible[::-1])] = np.inf
        disc = np.flatnonzero(away <= max(self.ring.speckle, away.min()))
        both = np.concatenate([disc, self.ring.pixels.size - 1 - disc])
        whole = self._amplitudes(fields, [position], both).sum(axis=0, keepdims=True)
        return int(disc[_intensity(whole).reshape(2, -1).prod(axis=0).argmax()])

    def course(
        self, fields: NDArray[np.complex64], position: int, pixel: int
    ) -> tuple[FloatArray, NDArray[np.intp]]:
        """Return strength and first layer of the strongest sub-slab of each thickness."""
        pair = np.array([pixel, self.ring.pixels.size - 1 - pixel])
        amplitudes = self._amplitudes(fields, [position], pair)
        strengths, first = [], []
        both = zip(_sub_slabs(amplitudes), self._speckle(fields, pixel), strict=True)
        for sub_slabs, mean in both:
            found = np.sqrt(_intensity(sub_slabs)[:, 0].prod(axis=-1))
            first.append(found.argmax())
            strengths.append(found.max() / mean)
        return np.array(strengths, dtype=float), np.array(first)

    def _speckle(self, fields: NDArray[np.complex64], pixel: int) -> Iterator[float]:
        """Go through the mean intensity of sub-slabs of one layer, of two, and so on.

        It is that of speckle at the same radius, wherever the beam stands, taken from the median,
        on which a crystal in some of the patterns hardly counts.
        """
        k = np.linalg.norm(self.ring.vectors, axis=1)
        like = np.flatnonzero(np.abs(k - k[pixel]) <= self.ring.speckle / 4)
        like = like[:: len(like) // _MOST_PIXELS + 1]
        places = np.arange(len(self.optics.modes[0]))
        places = places[:: len(places) // _MOST_PLACES + 1]
        seen = self._amplitudes(fields, places, like)
        least = 0.0
        for n, intensity in enumerate(map(_intensity, _sub_slabs(seen)), 1):
            middle = float(np.median(intensity)) / np.log(2)
            least = least or _FLOOR * float(intensity.mean())
            yield max(middle, n * least, float(np.finfo(np.float32).tiny))

    def _amplitudes(
        self, fields: NDArray[np.complex64], positions: Any, pixels: NDArray[np.intp]
    ) -> NDArray[Any]:
        """Return what each layer gives, shape (n_layers, n_modes, n_positions, n_pixels)."""
        waves = fields.reshape(len(fields), -1)[:, self.optics.index[:, pixels]]
        waves = waves * self.optics.curvature[:, None, pixels]
        beams = np.stack([mode[positions] for mode in self.optics.modes])
        return beams @ waves[:, None]


def _intensity(amplitudes: NDArray[Any]) -> NDArray[Any]:
    """Add up what does not interfere; the modes are the second axis."""
    return (amplitudes.real**2 + amplitudes.imag**2).sum(axis=1)


def _sub_slabs(amplitudes: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Go through the amplitudes of all sub-slabs of one layer, of two, and so on."""
    total = np.concatenate([np.zeros_like(amplitudes[:1]), np.cumsum(amplitudes, axis=0)])
    for n in range(1, len(total)):
        yield total[n:] - total[:-n]


def _scanned(scan: DiffractionScan, atoms: Atoms | Slab, orientation: int) -> Slab:
    """Return the slab of an orientation."""
    thickness = scan.info.get("parameters", {}).get("thickness")
    if thickness is None and not isinstance(atoms, Slab):
        raise ValueError("scan: was not computed here; give the slab that it is of as atoms")
    one = scan
    if scan.rotations is not None:
        one = replace(scan, rotations=scan.rotations[orientation : orientation + 1])
    slab = slabs_of(one, atoms, thickness or 0.0)[0]
    lengths = tuple(1 / float(k[1] - k[0]) for k in (scan.k_x, scan.k_y))
    if not np.allclose(slab.lengths, lengths, rtol=1e-6):
        raise ValueError(
            f"atoms: a slab of {slab.lengths[0]:.2f} x {slab.lengths[1]:.2f} Å has other pixels "
            f"than the scan ({lengths[0]:.2f} x {lengths[1]:.2f} Å); give the slab that was scanned"
        )
    return slab


def _number_of_layers(slab: Slab, slice_thickness: float) -> int:
    if not (np.isfinite(slice_thickness) and 0 < slice_thickness <= slab.thickness / 2):
        raise ValueError(
            f"slice_thickness={slice_thickness}: must be in Å, at most half of the slab's "
            f"{slab.thickness:.2f} Å"
        )
    return round(slab.thickness / slice_thickness)


def _layers_of(
    scan: DiffractionScan, ring: Ring, probe: Probe, thickness: float, n_layers: int
) -> _Layers:
    optics, _, _ = optics_of(scan, ring, probe, thickness)
    # The phase on the Ewald sphere at the middle of each layer, from the middle of the slab.
    height = thickness * ((np.arange(n_layers) + 0.5) / n_layers - 0.5)
    k2 = (ring.vectors**2).sum(axis=1)
    phases = np.exp(1j * np.pi * probe.wavelength * height[:, None] * k2).astype(np.complex64)
    smearing = scan.info.get("parameters", {}).get("debye_waller", 0.0)
    optics = replace(optics, curvature=phases)
    return _Layers(ring, probe, optics, thickness, smearing)


def _null(
    null: str,
    scan: DiffractionScan,
    layers: _Layers,
    own: NDArray[np.complex64],
    liquid: Atoms | None,
) -> Draw:
    """Return what draws the waves of the layers of a slab without order."""
    shape, n_layers = layers.optics.shape, len(own)
    if null == "phase":

        def turned(rng: np.random.Generator) -> NDArray[np.complex64]:
            phase = rng.uniform(0, 2 * np.pi, shape)
            return own * np.exp(1j * (phase - phase[::-1, ::-1])).astype(np.complex64)

        return turned
    if null == "liquid":
        assert liquid is not None
        lengths = tuple(1 / float(k[1] - k[0]) for k in (layers.ring.k_x, layers.ring.k_y))
        _cut(liquid, layers.thickness, lengths, np.random.default_rng(0))  # stops here if it must
        return lambda rng: layers.fields(_cut(liquid, layers.thickness, lengths, rng))
    _, weights, beams = optics_of(scan, layers.ring, layers.probe, layers.thickness)
    power = radial_power(scan, layers.ring, shape, weights, beams)
    amplitude = np.sqrt(power / n_layers).astype(np.float32)

    def noise(rng: np.random.Generator) -> NDArray[np.complex64]:
        parts = rng.standard_normal((2, n_layers, *shape), dtype=np.float32)
        field = parts[0] + 1j * parts[1]
        # A real potential: opposite waves are conjugate.
        waves: NDArray[np.complex64] = amplitude * (field + field[:, ::-1, ::-1].conj()) / 2
        return waves

    return noise


def _cut(
    liquid: Atoms, thickness: float, lengths: tuple[float, ...], rng: np.random.Generator
) -> Slab:
    """Cut a slab in a random direction; its seam is as random as the liquid."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_quat(rng.normal(size=4))
    square = cut_slab(liquid, thickness, rotation=turn, width=max(lengths), margin=0.0)
    inside = (square.atoms.positions[:, :2] < lengths).all(axis=1)
    atoms = square.atoms[inside]
    atoms.set_cell([*lengths, thickness])
    return replace(square, atoms=atoms)


def _null_course(
    layers: _Layers,
    draw: Draw,
    visible: NDArray[Any],
    seed: np.random.SeedSequence,
) -> tuple[FloatArray, NDArray[np.intp]]:
    """Follow the strongest pair of a null scan; ``visible`` is 1, or NaN at masked pixels."""
    fields, ring = draw(np.random.default_rng(seed)), layers.ring
    values = layers.optics.intensities(fields) * visible
    strengths = ring.strengths(values, ring.expected(mean_of(values)))
    position, pixel = np.unravel_index(int(np.nanargmax(strengths)), strengths.shape)
    return layers.course(fields, int(position), int(pixel))
