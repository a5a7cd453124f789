"""Scans of what has no order: speckle, slabs with the phases of their waves drawn anew, liquids.

A disordered slab is a sum of density waves with random phases. Within the aperture the beam mixes
many of them, the intensity is exponentially distributed, and pairs of bright spots appear anywhere
(J. W. Goodman, Speckle Phenomena in Optics (2007), for laser light). The models below keep the
beam, its positions, the thickness and the Ewald sphere of a scan, so that the size of the speckles,
and how far k and -k are a pair, are those of the scan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.diffraction.analysis.ring import Ring, blank, hidden_pixels, ring_of
from glassnb.diffraction.counts import moments
from glassnb.diffraction.kinematic import number_of_moments, slab_moments
from glassnb.diffraction.probe import Probe
from glassnb.diffraction.result import DiffractionScan
from glassnb.diffraction.scanner import coherent_modes, debye_waller_by_symbol
from glassnb.diffraction.slab import Slab, cut_slab

__all__ = [
    "NULLS",
    "NullModel",
    "Optics",
    "null_model",
    "null_scan",
    "optics_of",
    "radial_power",
    "slabs_of",
]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex64]

NULLS = ("speckle", "phase", "liquid")
_ITERATIONS = 8  # of taking the blur of the aperture out of the mean pattern
_BLOCK = 512  # positions worked on at a time


@dataclass(frozen=True, eq=False)
class Optics:
    """How the moments of a slab become intensities of a ring's pixels at each position."""

    index: NDArray[np.int64]
    curvature: ComplexArray
    modes: tuple[ComplexArray, ...]
    shape: tuple[int, int]

    def intensities(self, moments: ComplexArray) -> NDArray[np.float32]:
        """Return intensities, shape (n_positions, n_pixels)."""
        flat = moments.reshape(len(moments), -1)
        transfer = self.curvature[0] * flat[0][self.index]
        for curve, moment in zip(self.curvature[1:], flat[1:], strict=True):
            transfer += curve * moment[self.index]
        n_positions, n_pixels = len(self.modes[0]), self.index.shape[1]
        total = np.zeros((n_positions, n_pixels), dtype=np.float32)
        for mode in self.modes:
            for first in range(0, n_positions, _BLOCK):
                wave = mode[first : first + _BLOCK] @ transfer
                total[first : first + _BLOCK] += wave.real**2 + wave.imag**2
        return total


@dataclass(frozen=True, eq=False)
class NullModel:
    """Draws scans in which spots mean nothing.

    Parameters
    ----------
    name : str
        Which model.
    ring : Ring
        The pixels it is drawn on.
    draw : callable
        ``draw(rng, orientation)`` gives the intensities of one orientation, shape
        (n_positions, n_pixels), NaN where the scan's mask hides them.
    """

    name: str
    ring: Ring
    draw: Callable[[np.random.Generator, int], NDArray[Any]]


def null_model(
    scan: DiffractionScan,
    ring: Ring,
    null: str,
    *,
    atoms: Atoms | Slab | None = None,
    thickness: float | None = None,
) -> NullModel:
    """Prepare a null model.

    Parameters
    ----------
    scan : DiffractionScan
        What shall be compared; gives beam, positions, pixels and mean intensity.
    ring : Ring
        Pixels of interest.
    null : str
        ``"speckle"``, ``"phase"`` or ``"liquid"``.
    atoms : ase.Atoms or Slab, optional
        For ``"phase"`` the model that was scanned, for ``"liquid"`` the liquid.
    thickness : float, optional
        Of the slab in Å; that of a computed scan when omitted.

    Returns
    -------
    NullModel
        What draws.

    Raises
    ------
    ValueError
        If the model is unknown or needs something that is not given.
    """
    if null not in NULLS:
        raise ValueError(f"null={null!r}: must be one of {', '.join(NULLS)}, or a scan")
    if scan.probe is None:
        raise ValueError(
            "the beam of this scan is not known, and so the size of its speckles: give "
            "DiffractionScan.from_array a probe"
        )
    known = scan.info.get("parameters", {})
    thickness = known.get("thickness") if thickness is None else thickness
    if thickness is None or not (np.isfinite(thickness) and thickness > 0):
        raise ValueError(
            f"thickness={thickness}: the thickness of the sample in Å is needed, for it says how "
            "far k and -k are a pair"
        )
    if null == "speckle":
        model = _speckle(scan, ring, scan.probe, float(thickness))
    elif atoms is None:
        what = "the model or slab that was scanned" if null == "phase" else "a liquid or packing"
        raise ValueError(f"null={null!r}: needs atoms, {what}")
    else:
        make = _phases if null == "phase" else _liquid
        model = make(scan, ring, scan.probe, atoms, float(thickness))
    hidden = hidden_pixels(scan, ring, model.ring)
    return replace(
        model,
        draw=lambda rng, orientation: blank(model.draw(rng, orientation), hidden, orientation),
    )


def null_scan(
    scan: DiffractionScan,
    null: str = "speckle",
    *,
    atoms: Atoms | Slab | None = None,
    thickness: float | None = None,
    seed: int = 0,
) -> DiffractionScan:
    """Draw a scan like the given one of a slab without order, to look at and to analyse alike.

    Parameters
    ----------
    scan : DiffractionScan
        Gives beam, positions, pixels and mean intensity.
    null : str
        ``"speckle"``: a Gaussian random potential with the radial power of the scan. ``"phase"``:
        the scanned slab with the phases of its waves drawn anew.
    atoms : ase.Atoms or Slab, optional
        The model that was scanned, for ``"phase"``.
    thickness : float, optional
        Of the slab in Å; that of a computed scan when omitted.
    seed : int
        Of the random numbers.

    Returns
    -------
    DiffractionScan
        One orientation with its patterns, and the mask of the scan. Within the central disc and
        its interference stands the mean of the scan, without meaning.

    Raises
    ------
    ValueError
        If the model is unknown or needs something that is not given.
    """
    if null not in ("speckle", "phase"):
        raise ValueError(
            f"null={null!r}: must be speckle or phase; scan the liquid's atoms with scan()"
        )
    ring = ring_of(scan)
    whole = Ring(ring.k_x, ring.k_y, (0.0, np.inf), ring.speckle, ring.to_x, ring.to_y)
    model = null_model(scan, whole, null, atoms=atoms, thickness=thickness)
    values = model.draw(np.random.default_rng(seed), 0)
    n_x, n_y = ring.k_x.size, ring.k_y.size
    patterns = values.reshape(len(values), n_x, n_y)
    inside = np.hypot(ring.k_x[:, None], ring.k_y) < scan.k_disc
    patterns[:, inside] = ring.centred(scan.mean[None])[0][inside]
    shape = scan.shape if scan.rotations is None else scan.shape[1:]
    mask = hidden_pixels(scan, ring, whole)
    blank(values, mask)
    if mask is not None:
        mask = mask[: len(values)].reshape(*(shape if len(mask) > 1 else ()), n_x, n_y)
    mean, mean_square = moments([patterns])
    return DiffractionScan(
        ring.k_x, ring.k_y, scan.positions, shape, mean, mean_square,
        patterns.reshape(*shape, n_x, n_y),
        probe=scan.probe, info={**scan.info, "null": null, "null_seed": seed}, mask=mask,
    )  # fmt: skip


def optics_of(
    scan: DiffractionScan, ring: Ring, probe: Probe, thickness: float
) -> tuple[Optics, FloatArray, NDArray[np.int64]]:
    """Return the optics, and weight and index of the waves of the beam."""
    from scipy.special import jv

    lengths = (1 / (ring.k_x[1] - ring.k_x[0]), 1 / (ring.k_y[1] - ring.k_y[0]))
    beams, waves = probe.beams(lengths)
    spread = np.abs(beams).max(axis=0)
    reach = np.array([ring.k_x.size // 2, ring.k_y.size // 2])
    wide = 2 * (reach + spread) + 1
    rows, columns = np.divmod(ring.pixels, ring.k_y.size)
    index = (rows + (spread[0] - beams[:, :1])) * wide[1] + columns + spread[1] - beams[:, 1:]
    half = np.pi * probe.wavelength * thickness / 2
    argument = half * (ring.vectors**2).sum(axis=1)
    orders = np.arange(number_of_moments(float(argument.max())))
    scale = np.where(orders == 0, 1, 2) * 1j**orders
    curvature = scale[:, None] * jv(orders[:, None], argument)
    vectors = beams / np.array(lengths)
    phases = np.exp(-2j * np.pi * scan.positions @ vectors.T)
    phases *= np.exp(-1j * half * (vectors**2).sum(axis=1))
    modes = coherent_modes(vectors, waves, probe.source_size)
    left = tuple((phases * mode).astype(np.complex64) for mode in modes)
    optics = Optics(index, curvature.astype(np.complex64), left, (int(wide[0]), int(wide[1])))
    return optics, np.abs(waves) ** 2, beams


def _speckle(scan: DiffractionScan, ring: Ring, probe: Probe, thickness: float) -> NullModel:
    optics, weights, beams = optics_of(scan, ring, probe, thickness)
    amplitude = np.sqrt(radial_power(scan, ring, optics.shape, weights, beams)).astype(np.float32)
    m = np.arange(len(optics.curvature))
    # Moments of a field that is white along the beam: the mean of T_m T_n over the depth.
    total, difference = m[:, None] + m, m[:, None] - m
    even = total % 2 == 0
    mixing = np.zeros((m.size, m.size))
    mixing[even] = (1 / (1 - total[even] ** 2) + 1 / (1 - difference[even] ** 2)) / 2
    root = np.linalg.cholesky(mixing).astype(np.float32)

    def draw(rng: np.random.Generator, orientation: int) -> NDArray[Any]:
        size = (2, m.size, *optics.shape)
        noise = rng.standard_normal(size, dtype=np.float32)
        field = noise[0] + 1j * noise[1]
        # A real potential: opposite waves are conjugate. Variance 1 for each.
        field = (field + field[:, ::-1, ::-1].conj()) / 2
        return optics.intensities(np.tensordot(root, amplitude * field, 1))

    return NullModel("speckle", ring, draw)


def radial_power(
    scan: DiffractionScan,
    ring: Ring,
    shape: tuple[int, int],
    weights: FloatArray,
    beams: NDArray[np.int64],
) -> FloatArray:
    """Return the mean square of the slab's waves that gives the scan's mean intensity.

    The mean pattern is that power blurred by the aperture. The blur is taken out step by step, as
    Richardson (J. Opt. Soc. Am. 62, 55 (1972)) and Lucy did; the result depends on |k| alone.
    """
    from scipy.signal import fftconvolve

    mean = ring.centred(scan.mean[None])[0]
    steps = np.array([ring.k_x[1] - ring.k_x[0], ring.k_y[1] - ring.k_y[0]])
    axes = [(np.arange(n) - n // 2) * step for n, step in zip(shape, steps, strict=True)]
    wide = np.hypot(axes[0][:, None], axes[1])
    inner = np.hypot(ring.k_x[:, None], ring.k_y)
    width = float(steps.max())
    # Where the direct beam is, the power of the nearest ring stands for what cannot be seen.
    assert scan.probe is not None
    least = min(scan.probe.k_cut + width, ring.k_range[0] or np.inf)
    radii = np.arange(least, min(ring.k_x[-1], ring.k_y[-1]) + width / 2, width)
    rings = np.floor((inner - least) / width + 0.5).astype(int)
    counted = (rings >= 0) & (rings < radii.size) & ~np.isnan(mean)
    number = np.bincount(rings[counted], minlength=radii.size)
    sums = np.bincount(rings[counted], mean[counted], radii.size)
    seen = number > 0
    # Power is not negative, as the mean of counts without their dark image may be.
    target = np.interp(wide, radii[seen], np.maximum(sums[seen] / number[seen], 0))
    kernel = np.zeros(2 * np.abs(beams).max(axis=0) + 1)
    kernel[tuple((beams + np.array(kernel.shape) // 2).T)] = weights
    inside = fftconvolve(np.ones(shape), kernel, mode="same")
    power = target.copy()
    for _ in range(_ITERATIONS):
        blurred = fftconvolve(power, kernel, mode="same") / inside
        power *= target / np.maximum(blurred, 1e-12 * target.max())
    return power


def _phases(
    scan: DiffractionScan, ring: Ring, probe: Probe, atoms: Atoms | Slab, thickness: float
) -> NullModel:
    optics, _, _ = optics_of(scan, ring, probe, thickness)
    reach = (optics.shape[0] // 2, optics.shape[1] // 2)
    known = scan.info.get("parameters", {})
    moments = []
    for slab in slabs_of(scan, atoms, thickness):
        lengths = (1 / (ring.k_x[1] - ring.k_x[0]), 1 / (ring.k_y[1] - ring.k_y[0]))
        if not np.allclose(slab.lengths, lengths, rtol=1e-6):
            raise ValueError(
                f"atoms: a slab of {slab.lengths[0]:.2f} x {slab.lengths[1]:.2f} Å has other "
                f"pixels than the scan ({lengths[0]:.2f} x {lengths[1]:.2f} Å); give the slab "
                "that was scanned"
            )
        smearing = debye_waller_by_symbol(known.get("debye_waller", 0.0), [slab])
        values = slab_moments(slab, probe, reach, len(optics.curvature), smearing)
        values[:, reach[0], reach[1]] = 0
        moments.append(values)

    def draw(rng: np.random.Generator, orientation: int) -> NDArray[Any]:
        phase = rng.uniform(0, 2 * np.pi, optics.shape)
        turn = np.exp(1j * (phase - phase[::-1, ::-1])).astype(np.complex64)
        return optics.intensities(moments[orientation % len(moments)] * turn)

    return NullModel("phase", ring, draw)


def slabs_of(scan: DiffractionScan, atoms: Atoms | Slab, thickness: float) -> list[Slab]:
    """Cut the slabs of a scan again."""
    if isinstance(atoms, Slab):
        return [atoms]
    known = scan.info.get("parameters", {})
    # The shorter edge gives the scan's repeats of a cell, and the square of a turned slab.
    edge = min(known["lengths"]) if "lengths" in known else None
    where = {"axis": known.get("axis", "z"), "start": known.get("start", 0.0)}
    if scan.rotations is None:
        return [cut_slab(atoms, thickness, width=edge, margin=0, **where)]
    from scipy.spatial.transform import Rotation

    turns = Rotation.from_quat(scan.rotations)
    return [cut_slab(atoms, thickness, rotation=r, width=edge, margin=0, **where) for r in turns]


def _liquid(
    scan: DiffractionScan, ring: Ring, probe: Probe, atoms: Atoms | Slab, thickness: float
) -> NullModel:
    from scipy.spatial.transform import Rotation

    from glassnb.diffraction.scanner import Scanner

    if isinstance(atoms, Slab):
        raise ValueError("atoms: give the whole liquid; slabs are cut in random directions")
    lengths = np.array([1 / (k[1] - k[0]) for k in (ring.k_x, ring.k_y)])
    edge = float(np.sqrt(lengths.prod()))
    # A seam in a liquid is as random as the liquid: the beam may stand on it.
    places = (scan.positions % lengths) * edge / lengths
    options: dict[str, Any] = {
        "thickness": thickness, "width": edge, "margin": 0.0, "k_max": ring.k_range[1] + 2 / edge,
        "debye_waller": scan.info.get("parameters", {}).get("debye_waller", 0.0),
    }  # fmt: skip

    def turned(rng: np.random.Generator) -> Scanner:
        turn = Rotation.from_quat(rng.normal(size=4))
        return Scanner(atoms, probe, rotation=turn, **options)

    first = turned(np.random.default_rng(0))
    own = Ring(first.k_x, first.k_y, ring.k_range, ring.speckle)

    def draw(rng: np.random.Generator, orientation: int) -> NDArray[Any]:
        return own.read(turned(rng).patterns(places))

    return NullModel("liquid", own, draw)
