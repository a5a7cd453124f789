"""A slab made ready for a beam: any position is then one small matrix product."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from glassnb.core.neighbours import OVERLAP, neighbours
from glassnb.core.progress import ProgressOption, progress_bar
from glassnb.core.structure import check_atoms
from glassnb.diffraction.kinematic import kinematic_transfer
from glassnb.diffraction.multislice import grid_for, multislice_transfer
from glassnb.diffraction.probe import Probe
from glassnb.diffraction.slab import Slab, cut_slab
from glassnb.scattering.weights import electron_form_factor

__all__ = ["METHODS", "Scanner", "coherent_modes", "debye_waller_by_symbol"]

METHODS = ("kinematic", "multislice")
_NARROWEST = 4.0  # edge of a slab over the width of the beam: less, and the beam meets its images
_MODE = 1e-4  # weight of the last wave that a source of finite size is made of
_MOST_BYTES = 4e9
_LINE = 8  # positions on a line from which on it pays to add up waves first
_TILE = 2**18  # amplitudes worked on at a time, so that they stay in the cache


class Scanner:
    """Patterns of one slab, or of several snapshots of it, for a beam anywhere on it.

    Preparation costs a fraction of a second (kinematic); a pattern then a few milliseconds.

    Parameters
    ----------
    atoms : ase.Atoms, Slab or sequence of them
        Periodic models, cut here as :func:`cut_slab` does, or slabs that are cut already.
        Several are snapshots of one thermal motion: their intensities are averaged.
    probe : Probe
        The beam.
    thickness : float, optional
        Of the slab in Å; the height of the model when omitted. Not for slabs.
    k_max : float
        Half the edge of the square pattern in 1/Å.
    method : str
        ``"kinematic"`` (single scattering on the curved Ewald sphere) or ``"multislice"``.
    rotation : scipy.spatial.transform.Rotation, optional
        Turns the model before the slab is cut.
    width : float, optional
        Least edge of the slab across the beam in Å; at least four times the width of the beam,
        to which small models are repeated. See :func:`cut_slab` for slabs that have a seam: turned
        ones, and those of a cell without right angles.
    margin : float, optional
        Distance in Å of the beam from the seam of a turned slab; four times the width of the
        beam when omitted.
    axis : str
        Direction of the model along the beam.
    start : float
        Lower face of the slab in Å; see :func:`cut_slab`.
    debye_waller : float or dict
        B in Å² of all atoms or by symbol: form factors are damped by exp(-B k²/4).
    slice_thickness : float
        Of multislice in Å.
    sampling : float
        Largest pixel of multislice in Å.
    progress : bool, callable or None
        Bar of the multislice preparation.

    Attributes
    ----------
    k_x, k_y : numpy.ndarray
        Wave numbers of the pattern in 1/Å, even steps of one over the edges of the slab.
    slabs : tuple of Slab
        What the beam goes through.

    Raises
    ------
    ValueError
        If an argument is out of range or an element is unknown.
    """

    def __init__(
        self,
        atoms: Atoms | Slab | Sequence[Atoms | Slab],
        probe: Probe,
        *,
        thickness: float | None = None,
        k_max: float = 1.2,
        method: str = "kinematic",
        rotation: Any = None,
        width: float | None = None,
        margin: float | None = None,
        axis: str = "z",
        start: float = 0.0,
        debye_waller: float | Mapping[str, float] = 0.0,
        slice_thickness: float = 2.0,
        sampling: float = 0.12,
        progress: ProgressOption = None,
    ) -> None:
        frames = [atoms] if isinstance(atoms, Atoms | Slab) else list(atoms)
        _check(frames, probe, k_max, method, slice_thickness)
        smearing = debye_waller_by_symbol(debye_waller, frames)
        least = _NARROWEST * probe.fwhm
        margin = least if margin is None else margin

        def cut(frame: Atoms, width: float | None) -> Slab:
            return cut_slab(
                frame, thickness, rotation=rotation, width=width, margin=margin,
                axis=axis, start=start, snapshots=[f for f in frames if isinstance(f, Atoms)],
            )  # fmt: skip

        slabs = [frame if isinstance(frame, Slab) else cut(frame, width) for frame in frames]
        if rotation is None:  # small models are repeated
            slabs = [
                cut(frame, least)
                if isinstance(frame, Atoms) and min(slab.lengths) < least
                else slab
                for frame, slab in zip(frames, slabs, strict=True)
            ]
        self.slabs = tuple(slabs)
        self.probe, self.method = probe, method
        self.lengths = _same_box(self.slabs)
        if min(self.lengths) < least * (1 - 1e-9):
            raise ValueError(
                f"the slab is {self.lengths[0]:.1f} x {self.lengths[1]:.1f} Å wide, less than "
                f"four times the beam ({probe.fwhm:.1f} Å): cut it with width={least:.1f}"
            )
        reach = tuple(int(np.floor(k_max * edge + 1e-9)) for edge in self.lengths)
        self.k_x, self.k_y = (
            np.arange(-n, n + 1) / edge for n, edge in zip(reach, self.lengths, strict=True)
        )
        self.beams, waves = probe.beams(self.lengths)
        self._modes = coherent_modes(self.beams / np.array(self.lengths), waves, probe.source_size)
        grid = grid_for(self.lengths, sampling, k_max) if method == "multislice" else (0, 0)
        _check_memory(len(self.slabs) * len(self.beams) * self.k_x.size * self.k_y.size * 8)
        total = len(self.beams) * len(self.slabs) if method == "multislice" else 1
        shown = progress if method == "multislice" else False
        with progress_bar(total, "multislice", shown) as bar:
            self._transfers = [
                self._transfer(
                    slab, (reach[0], reach[1]), smearing, grid, slice_thickness, bar.update
                )
                for slab in self.slabs
            ]

    def __repr__(self) -> str:
        """Say what is ready."""
        return (
            f"Scanner({self.method}, {self.slabs[0]!r}, {len(self.beams)} waves, "
            f"{self.k_x.size} x {self.k_y.size} pixels)"
        )

    @property
    def field(self) -> tuple[float, float, float, float]:
        """``(x_low, x_high, y_low, y_high)`` in Å: where the beam may stand."""
        return self.slabs[0].field

    @property
    def shape(self) -> tuple[int, int]:
        """Number of pixels of a pattern in k_x and k_y."""
        return self.k_x.size, self.k_y.size

    @property
    def transfers(self) -> list[NDArray[np.complex64]]:
        """Amplitude from each wave of the beam to each of the pattern, one array per snapshot."""
        return self._transfers

    def pattern(self, position: ArrayLike) -> NDArray[np.float32]:
        """Return the diffraction pattern at one position of the beam.

        Parameters
        ----------
        position : array_like, shape (2,)
            x and y in Å.

        Returns
        -------
        numpy.ndarray, shape (n_k_x, n_k_y)
            Fraction of the current that falls on each pixel.

        Raises
        ------
        ValueError
            If the position lies outside the slab.
        """
        return self.patterns(np.reshape(position, (1, -1)))[0]

    def patterns(
        self, positions: ArrayLike, out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return the diffraction patterns at several positions of the beam.

        Parameters
        ----------
        positions : array_like, shape (n_positions, 2)
            x and y in Å.
        out : numpy.ndarray, shape (n_positions, n_k_x, n_k_y), optional
            Where to put the patterns: an array of single precision without gaps.

        Returns
        -------
        numpy.ndarray, shape (n_positions, n_k_x, n_k_y)
            Fraction of the current that falls on each pixel.

        Raises
        ------
        ValueError
            If a position lies outside the slab.
        """
        places = self.check_positions(positions)
        pixels = self.k_x.size * self.k_y.size
        if out is None:
            out = np.empty((len(places), *self.shape), dtype=np.float32)
        result = out.reshape(len(places), pixels)
        first_wave = True
        step = max(1, _TILE // len(places))
        for mode in self._modes:
            left, gather = self._phases(places, mode / np.sqrt(len(self._transfers)))
            for transfer in self._transfers:
                flat = transfer.reshape(len(self.beams), pixels)
                for first in range(0, pixels, step):
                    wave = left @ gather(flat[:, first : first + step])
                    # |wave|² without a square root, on the real and imaginary parts in a row
                    parts = wave.view(np.float32)
                    np.multiply(parts, parts, out=parts)
                    part = result[:, first : first + step]
                    if first_wave:
                        np.add(parts[:, ::2], parts[:, 1::2], out=part)
                    else:
                        part += parts[:, ::2]
                        part += parts[:, 1::2]
                first_wave = False
        return out

    def _phases(
        self, places: NDArray[np.float64], mode: NDArray[np.complex128]
    ) -> tuple[NDArray[np.complex64], Callable[[NDArray[np.complex64]], NDArray[np.complex64]]]:
        """Return the factors of the waves at each position, and what is done to the waves first.

        On a line along y, waves that differ in x alone keep their relative phases: they are added
        up once for the line, and several times fewer are left to be multiplied.
        """
        vectors = self.beams / np.array(self.lengths)
        if len(places) < _LINE or np.ptp(places[:, 0]) > 0:
            phases = np.exp(-2j * np.pi * (places @ vectors.T)) * mode
            return phases.astype(np.complex64), lambda waves: waves
        rows, starts = np.unique(self.beams[:, 1], return_index=True)
        along_x = np.exp(-2j * np.pi * vectors[:, 0] * places[0, 0]) * mode
        factors = np.split(along_x.astype(np.complex64), starts[1:])
        along_y = np.exp(-2j * np.pi * np.outer(places[:, 1], rows / self.lengths[1]))

        def gather(waves: NDArray[np.complex64]) -> NDArray[np.complex64]:
            groups = np.split(waves, starts[1:])
            return np.stack([f @ group for f, group in zip(factors, groups, strict=True)])

        return along_y.astype(np.complex64), gather

    def check_positions(self, positions: ArrayLike) -> NDArray[np.float64]:
        """Return positions as an array, or stop if one lies outside the slab.

        Parameters
        ----------
        positions : array_like, shape (n_positions, 2)
            x and y in Å.

        Returns
        -------
        numpy.ndarray, shape (n_positions, 2)
            The same positions.

        Raises
        ------
        ValueError
            If they are not pairs of finite numbers or lie outside ``field``.
        """
        places = np.asarray(positions, dtype=float)
        if places.ndim != 2 or places.shape[1] != 2 or not len(places):
            raise ValueError(
                f"positions: have shape {places.shape}; must be (n_positions, 2), in Å"
            )
        x0, x1, y0, y1 = self.field
        low, high = np.array([x0, y0]), np.array([x1, y1])
        bad = ~((places >= low - 1e-6) & (places <= high + 1e-6)).all(axis=1)
        if bad.any():
            raise ValueError(
                f"positions: the beam at {places[bad][0].tolist()} Å is outside the slab, where "
                f"it may stand at x from {x0:.2f} to {x1:.2f} and y from {y0:.2f} to {y1:.2f} Å"
            )
        return places

    def _transfer(
        self,
        slab: Slab,
        reach: tuple[int, int],
        smearing: Mapping[str, float],
        grid: tuple[int, int],
        slice_thickness: float,
        done: Callable[[], None],
    ) -> NDArray[np.complex64]:
        if self.method == "kinematic":
            return kinematic_transfer(slab, self.probe, self.beams, reach, smearing)
        return multislice_transfer(
            slab, self.probe, self.beams, reach, smearing,
            grid=grid, slice_thickness=slice_thickness, progress=done,
        )  # fmt: skip


def _check(
    frames: Sequence[Any], probe: Probe, k_max: float, method: str, slice_thickness: float
) -> None:
    """Refuse what cannot work before anything is computed."""
    if not isinstance(probe, Probe):
        raise ValueError(f"probe={probe!r}: must be a glassnb.diffraction.Probe")
    if method not in METHODS:
        raise ValueError(f"method={method!r}: must be one of {', '.join(METHODS)}")
    if not frames:
        raise ValueError("atoms: no structure was given")
    if not (np.isfinite(k_max) and 0 < k_max <= 5):
        raise ValueError(f"k_max={k_max}: must be in 1/Å, more than 0 and at most 5 (k = 1/d)")
    if k_max <= probe.k_aperture:
        raise ValueError(
            f"k_max={k_max}: lies inside the central disc, whose radius is "
            f"{probe.k_aperture:.3g} 1/Å; raise it"
        )
    if not (np.isfinite(slice_thickness) and slice_thickness > 0):
        raise ValueError(f"slice_thickness={slice_thickness}: must be a positive length in Å")
    for frame in frames:
        structure = frame.atoms if isinstance(frame, Slab) else frame
        check_atoms(structure)
        if isinstance(frame, Slab):  # what meets at a seam is no fault of the model
            structure = Atoms(structure.symbols, structure.positions)
        neighbours(structure, OVERLAP)  # stops and names atoms that stand twice
        for symbol in sorted(set(structure.get_chemical_symbols())):
            electron_form_factor(symbol, [1.0])


def debye_waller_by_symbol(
    value: float | Mapping[str, float], frames: Sequence[Atoms | Slab]
) -> dict[str, float]:
    """Bring B to a number for each species."""
    structures = [frame.atoms if isinstance(frame, Slab) else frame for frame in frames]
    symbols = {symbol for atoms in structures for symbol in atoms.get_chemical_symbols()}
    given = dict(value) if isinstance(value, Mapping) else dict.fromkeys(symbols, float(value))
    for symbol, b in given.items():
        if symbol not in symbols:
            raise ValueError(f"debye_waller: {symbol} is not in the model ({sorted(symbols)})")
        if not (np.isfinite(b) and b >= 0):
            raise ValueError(f"debye_waller={b}: B must be in Å², 0 or more")
    return given


def _same_box(slabs: Sequence[Slab]) -> tuple[float, float]:
    first = np.array([*slabs[0].lengths, slabs[0].thickness])
    for slab in slabs[1:]:
        other = np.array([*slab.lengths, slab.thickness])
        if not np.allclose(other, first, rtol=0, atol=1e-4):
            raise ValueError(
                f"atoms: snapshots with boxes of {first} and {other} Å; average snapshots of a "
                "run at constant volume"
            )
    return slabs[0].lengths


def coherent_modes(
    vectors: NDArray[np.float64], waves: NDArray[np.complex128], source_size: float
) -> list[NDArray[np.complex128]]:
    """Split the beam of a source of finite size into waves that do not interfere.

    Moving the beam by a Gaussian of width s multiplies the product of the waves b and b' by
    exp(-2 pi² s² (b - b')²) on average. The eigenvectors of that matrix are the modes.
    """
    if source_size == 0:
        return [waves]
    s = source_size / np.sqrt(8 * np.log(2))
    distance2 = ((vectors[:, None] - vectors) ** 2).sum(axis=-1)
    coherence = waves[:, None] * np.exp(-2 * (np.pi * s) ** 2 * distance2) * waves.conj()
    weights, eigenvectors = np.linalg.eigh(coherence)
    kept = weights > _MODE
    scale = np.sqrt(weights[kept] / weights[kept].sum())
    return list((eigenvectors[:, kept] * scale).T[::-1])


def _check_memory(n_bytes: float) -> None:
    if n_bytes > _MOST_BYTES:
        raise ValueError(
            f"this scan needs {n_bytes / 1e9:.1f} GB for its waves, more than "
            f"{_MOST_BYTES / 1e9:.0f} GB: lower k_max, width or the angle of the beam, or average "
            "fewer snapshots"
        )
