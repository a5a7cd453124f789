"""Multiple scattering: each wave of the beam goes through the slab once, for all positions.

The beam is a sum of the few plane waves in its aperture, and the Schrödinger equation is linear:
the waves are sent through the periodic slab one by one, and a pattern at any position of the beam
is a sum of them with other phases. Exact for the periodic cell, with the same cost for one position
as for many.

References
----------
C. Ophus, Adv. Struct. Chem. Imaging 3, 13 (2017); E. J. Kirkland, Advanced Computing in Electron
Microscopy (2010), chapter 6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from glassnb.core.parallel import map_tasks, thread_count
from glassnb.core.structure import species_of
from glassnb.diffraction.kinematic import form_factors, phase_factors
from glassnb.diffraction.probe import Probe
from glassnb.diffraction.slab import Slab

__all__ = ["grid_for", "multislice_transfer"]

_BAND = 2 / 3  # of the largest wave number of the grid: products of two waves do not fold back
_BLOCK = 4 * 2**20  # bytes of the waves that go through the slab together: they stay in the cache


def grid_for(lengths: tuple[float, float], sampling: float, k_max: float) -> tuple[int, int]:
    """Return the number of pixels of the waves.

    Parameters
    ----------
    lengths : tuple of float
        Edges of the slab in Å.
    sampling : float
        Largest pixel in Å.
    k_max : float
        Largest wave number of the pattern in 1/Å.

    Returns
    -------
    tuple of int
        Sizes that a fast Fourier transform likes.

    Raises
    ------
    ValueError
        If ``k_max`` lies beyond two thirds of the largest wave number of the grid.
    """
    from scipy.fft import next_fast_len

    if not (np.isfinite(sampling) and 0 < sampling <= 2):
        raise ValueError(f"sampling={sampling}: must be a pixel size in Å, at most 2")
    if k_max > _BAND / (2 * sampling) + 1e-9:
        raise ValueError(
            f"k_max={k_max}: lies beyond {_BAND / (2 * sampling):.3g} 1/Å, the largest wave number "
            f"of a grid with sampling={sampling} Å; use sampling={_BAND / (2 * k_max):.3g} or less"
        )
    nx, ny = (next_fast_len(int(np.ceil(edge / sampling - 1e-9))) for edge in lengths)
    return int(nx), int(ny)


def multislice_transfer(
    slab: Slab,
    probe: Probe,
    beams: NDArray[np.int64],
    reach: tuple[int, int],
    debye_waller: Mapping[str, float],
    *,
    grid: tuple[int, int],
    slice_thickness: float,
    progress: Callable[[], None] | None = None,
) -> NDArray[np.complex64]:
    """Return the amplitude with which each wave of the beam leaves as each wave of the pattern.

    Parameters
    ----------
    slab : Slab
        The atoms.
    probe : Probe
        For the wavelength.
    beams : numpy.ndarray, shape (n_beams, 2)
        Incoming waves, in units of one over the edges of the slab.
    reach : tuple of int
        The pattern has the waves from ``-reach`` to ``reach`` in x and y.
    debye_waller : dict
        B by symbol in Å².
    grid : tuple of int
        Pixels in x and y.
    slice_thickness : float
        Largest thickness of a slice in Å.
    progress : callable, optional
        Called once for each beam that is done.

    Returns
    -------
    numpy.ndarray, shape (n_beams, n_x, n_y)
        Dimensionless; without atoms, of modulus 1 where the outgoing wave is the incoming one.
    """
    n_slices = max(1, int(np.ceil(slab.thickness / slice_thickness - 1e-9)))
    transmissions = _transmissions(slab, probe, debye_waller, grid, n_slices)
    propagator = _propagator(slab, probe, grid, slab.thickness / n_slices)
    transfer = np.empty((len(beams), 2 * reach[0] + 1, 2 * reach[1] + 1), dtype=np.complex64)
    size = max(1, min(_BLOCK // (8 * grid[0] * grid[1]), -(-len(beams) // thread_count())))
    rows, columns = (np.arange(-n, n + 1) % pixels for n, pixels in zip(reach, grid, strict=True))

    def run(first: int) -> None:
        some = slice(first, first + size)
        waves = _plane_waves(beams[some], grid)
        waves = _through(waves, transmissions, propagator)
        transfer[some] = waves[:, rows[:, None], columns]
        if progress is not None:
            for _ in range(len(waves)):
                progress()

    map_tasks(run, range(0, len(beams), size), progress=False)
    return transfer


def _plane_waves(beams: NDArray[np.int64], grid: tuple[int, int]) -> NDArray[np.complex64]:
    """Return plane waves in real space, of modulus 1."""
    x, y = (np.arange(n) / n for n in grid)
    along_x = np.exp(2j * np.pi * beams[:, :1] * x).astype(np.complex64)
    along_y = np.exp(2j * np.pi * beams[:, 1:] * y).astype(np.complex64)
    return along_x[:, :, None] * along_y[:, None, :]


def _through(
    waves: NDArray[np.complex64],
    transmissions: NDArray[np.complex64],
    propagator: NDArray[np.complex64],
) -> NDArray[np.complex64]:
    """Send waves through all slices; they come as seen in space and leave as their spectrum."""
    from scipy.fft import fft2, ifft2

    for number, transmission in enumerate(transmissions):
        waves *= transmission
        waves = fft2(waves, overwrite_x=True, workers=1)
        waves *= propagator
        if number < len(transmissions) - 1:
            waves = ifft2(waves, overwrite_x=True, workers=1)
    waves /= waves.shape[1] * waves.shape[2]
    return waves


def _transmissions(
    slab: Slab,
    probe: Probe,
    debye_waller: Mapping[str, float],
    grid: tuple[int, int],
    n_slices: int,
) -> NDArray[np.complex64]:
    """Return exp(i sigma V) of each slice, without the waves that the grid cannot hold."""
    from scipy.fft import fft2, ifft2

    symbols, species = species_of(slab.atoms)
    band = _band(slab, grid)
    reach = ((grid[0] - 1) // 2, (grid[1] - 1) // 2)
    frequencies = [np.arange(-n, n + 1) / edge for n, edge in zip(reach, slab.lengths, strict=True)]
    factors = form_factors(symbols, np.hypot(frequencies[0][:, None], frequencies[1]), debye_waller)
    scale = probe.wavelength * probe.lorentz_factor / (slab.lengths[0] * slab.lengths[1])
    positions = slab.atoms.positions
    number = np.clip((positions[:, 2] / slab.thickness * n_slices).astype(int), 0, n_slices - 1)
    result = np.empty((n_slices, *grid), dtype=np.complex64)
    rows, columns = (np.arange(-n, n + 1) % pixels for n, pixels in zip(reach, grid, strict=True))
    for layer, transmission in enumerate(result):
        spectrum = np.zeros(grid, dtype=np.complex128)
        for i, factor in enumerate(factors):
            mine = positions[(number == layer) & (species == i)]
            sums = phase_factors(slab, mine, np.ones((1, len(mine))), reach)[0]
            spectrum[rows[:, None], columns] += factor * sums
        spectrum *= scale * band
        phase = ifft2(spectrum).real * spectrum.size
        transmission[:] = ifft2(fft2(np.exp(1j * phase)) * band)
    return result


def _propagator(
    slab: Slab, probe: Probe, grid: tuple[int, int], distance: float
) -> NDArray[np.complex64]:
    """Return the phase of free flight over a distance in Å, within the band of the grid."""
    k2 = _k_squared(slab, grid)
    flight = np.exp(-1j * np.pi * probe.wavelength * distance * k2)
    return (flight * _band(slab, grid)).astype(np.complex64)


def _band(slab: Slab, grid: tuple[int, int]) -> NDArray[np.bool_]:
    largest = min(n / (2 * edge) for n, edge in zip(grid, slab.lengths, strict=True))
    return _k_squared(slab, grid) <= (_BAND * largest) ** 2


def _k_squared(slab: Slab, grid: tuple[int, int]) -> NDArray[np.float64]:
    x, y = (np.fft.fftfreq(n, edge / n) for n, edge in zip(grid, slab.lengths, strict=True))
    return x[:, None] ** 2 + y**2
