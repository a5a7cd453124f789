"""The atoms behind a spot: the density wave that makes it, and each atom's share.

A pair of spots at k and -k means that the density, as the beam sees it, has a wave of that wave
vector. Fourier filtering about k and -k shows the wave; where it is strong, and how far it keeps
step, are the quasi-lattice planes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from glassnb.core.structure import check_atoms, species_of
from glassnb.diffraction.analysis.spots import Spot
from glassnb.diffraction.kinematic import form_factors
from glassnb.diffraction.probe import Probe
from glassnb.diffraction.slab import Slab, gathered

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["QuasiLatticePlanes", "quasi_lattice_planes"]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_BAND = 0.15  # default width of the filter over the wave number
_REACH = 3.0  # of the filter in its widths
_STEP = 0.2  # Å, along the lines on which coherence is measured
_BLOCK = 2**22  # phases worked on at a time


@dataclass(frozen=True, eq=False, repr=False)
class QuasiLatticePlanes:
    """A density wave and the atoms that make it.

    Parameters
    ----------
    atoms : ase.Atoms
        The atoms looked at, in the frame of the beam (along +z).
    k_vector : numpy.ndarray, shape (3,)
        Wave vector looked at in 1/Å (|k| = 1/d; the Q of glassnb.scattering is 2 pi k).
    spacing : float
        Distance of the planes in Å, from how the phase of the wave changes at ``centre``.
    coherence : numpy.ndarray, shape (3,)
        Widths in Å at half height of the wave's amplitude through ``centre``: along the wave
        vector, across it in the plane of the pattern, and along the beam. Infinite if it does not
        fall to one half.
    resolution : float
        The same width for a single atom in Å: coherence that is not longer means nothing.
    centre : numpy.ndarray, shape (3,)
        Position in Å of the atom at which the wave is strongest, as the beam sees it.
    amplitude : numpy.ndarray, shape (n_atoms,)
        Of the wave at each atom, relative to the mean density.
    wave : numpy.ndarray, shape (n_atoms,)
        Density of the wave at each atom, relative to the mean density: positive on a plane,
        negative between planes.
    weights : numpy.ndarray, shape (n_atoms,)
        Share of each atom in the spot, Re[A* a_j]/|A|², where A = sum_j a_j is the amplitude of
        the spot: they add up to 1, and atoms out of step have negative ones.
    intensity : float
        |A|²: fraction of the current per pixel, as in the pattern, if a beam was given.
    """

    atoms: Atoms
    k_vector: FloatArray
    spacing: float
    coherence: FloatArray
    resolution: float
    centre: FloatArray
    amplitude: FloatArray
    wave: FloatArray
    weights: FloatArray
    intensity: float

    def __repr__(self) -> str:
        """Say what was found."""
        along, across, beam = self.coherence
        return (
            f"QuasiLatticePlanes(spacing {self.spacing:.2f} Å, coherent over {along:.1f} Å along, "
            f"{across:.1f} Å across, {beam:.1f} Å along the beam; resolution "
            f"{self.resolution:.1f} Å)"
        )

    def depth_profile(self, n_layers: int = 8) -> tuple[FloatArray, FloatArray]:
        """Add up the atoms' shares in layers along the beam.

        Parameters
        ----------
        n_layers : int
            Number of layers.

        Returns
        -------
        depth : numpy.ndarray, shape (n_layers,)
            Middle of each layer in Å.
        share : numpy.ndarray, shape (n_layers,)
            Of the spot; the sum is 1. Even shares are planes through the whole slab.

        Raises
        ------
        ValueError
            If there is no layer.
        """
        if n_layers < 1:
            raise ValueError(f"n_layers={n_layers}: must be at least 1")
        z = self.atoms.positions[:, 2]
        bottom, top = min(0.0, z.min()), max(float(self.atoms.cell.lengths()[2]), z.max() + 1e-9)
        share, edges = np.histogram(z, n_layers, (bottom, top), weights=self.weights)
        return (edges[1:] + edges[:-1]) / 2, share

    def model_weights(self, n_atoms: int) -> FloatArray:
        """Add up the shares of the images of each atom of the model from which a slab was cut.

        Parameters
        ----------
        n_atoms : int
            Number of atoms of the model.

        Returns
        -------
        numpy.ndarray, shape (n_atoms,)
            Share of each atom of the model; 0 outside the slab.

        Raises
        ------
        ValueError
            If the model has fewer atoms than the slab refers to.
        """
        default = np.arange(len(self.atoms))
        index = self.atoms.arrays.get("model_index", default)
        if n_atoms <= index.max():
            raise ValueError(f"n_atoms={n_atoms}: the slab holds atom {index.max()} of the model")
        return np.bincount(index, self.weights, n_atoms).astype(float)

    def to_frame(self) -> pd.DataFrame:
        """Return what is known of each atom as a table.

        Returns
        -------
        pandas.DataFrame
            ``symbol``, ``x``, ``y``, ``z`` (Å), ``amplitude``, ``wave`` and ``weight``, and
            ``model_index`` for a slab.
        """
        import pandas as pd

        x, y, z = self.atoms.positions.T
        columns = {"symbol": self.atoms.get_chemical_symbols(), "x": x, "y": y, "z": z}
        columns |= {"amplitude": self.amplitude, "wave": self.wave, "weight": self.weights}
        if "model_index" in self.atoms.arrays:
            columns["model_index"] = self.atoms.arrays["model_index"]
        return pd.DataFrame(columns)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the atoms as the beam sees them, coloured by the density of the wave.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure when omitted.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from glassnb.plotting.diffraction_analysis import plot_planes

        return plot_planes(self, ax)


def quasi_lattice_planes(
    atoms: Atoms | Slab,
    spot: Spot | tuple[float, ...],
    probe: Probe | None = None,
    *,
    position: tuple[float, float] | None = None,
    bandwidth: float | None = None,
) -> QuasiLatticePlanes:
    """Find the density wave behind a spot, how far it reaches, and each atom's share.

    Parameters
    ----------
    atoms : ase.Atoms or Slab
        The slab that was scanned (``cut_slab`` with the same arguments, or ``Scanner.slabs``); a
        whole model in its own axes where the beam is along z. Where it is not periodic, all of
        its atoms count, and the lower face is at 0.
    spot : Spot or tuple of float
        A pair of spots, or a wave vector of two or three components in 1/Å.
    probe : Probe, optional
        The beam: shares are then those in the pattern at ``position``, and the wave is looked at
        where the beam stands. Without it all atoms count alike.
    position : tuple of float, optional
        Of the beam in Å; that of the spot when omitted.
    bandwidth : float, optional
        Width (standard deviation) of the Gaussian filter in 1/Å; 0.15 of the wave number when
        omitted. A narrower filter tells longer coherence from chance, and sees less of its shape.

    Returns
    -------
    QuasiLatticePlanes
        Spacing, coherence and shares.

    Raises
    ------
    ValueError
        If the wave vector is zero, the cell does not fit the beam, or a position is missing.

    References
    ----------
    Filtering in Fourier space for the atoms behind a spot: A. Hirata, Quantum Beam Sci. 6, 28
    (2022).
    """
    structure = atoms.atoms if isinstance(atoms, Slab) else atoms
    check_atoms(structure)
    if not (isinstance(atoms, Slab) or structure.pbc.all()):
        if probe is not None and not structure.pbc[:2].all():
            raise ValueError(
                f"atoms.pbc={structure.pbc.tolist()}: a beam needs a slab; cut it with cut_slab"
            )
        structure = gathered(structure)  # all atoms count, inside the cell or outside
    k = _wave_vector(spot, probe)
    if isinstance(spot, Spot) and position is None:
        position = spot.position
    if probe is not None and position is None:
        raise ValueError("position: say where the beam stands, (x, y) in Å")
    width = _BAND * float(np.linalg.norm(k)) if bandwidth is None else bandwidth
    if not (np.isfinite(width) and 0 < width < np.linalg.norm(k) / 2):
        raise ValueError(
            f"bandwidth={bandwidth}: must be in 1/Å, less than half of the wave number "
            f"{np.linalg.norm(k):.3f}"
        )
    if probe is None:
        shares = _plane_wave_amplitudes(structure, k)
    else:
        assert position is not None
        shares = _beam_amplitudes(structure, k, probe, position)
    total = shares.sum()
    weights = (total.conj() * shares).real / max(abs(total) ** 2, np.finfo(float).tiny)
    vectors, waves = _filtered(structure, k, width)
    at_atoms = _evaluate(vectors, waves, structure.positions)
    seen = np.abs(at_atoms)
    if probe is not None and position is not None:
        seen = seen * np.sqrt(probe.intensity(_off_beam(structure, position)))
    centre = structure.positions[int(seen.argmax())]
    value = _evaluate(vectors, waves, centre[None])[0]
    slope = _evaluate(vectors, waves[:, None] * vectors, centre[None])[0]
    local = (value.conj() * slope).real / abs(value) ** 2
    return QuasiLatticePlanes(
        structure,
        k,
        float(1 / np.linalg.norm(local)),
        _coherence(structure, vectors, waves, centre, k),
        float(np.sqrt(2 * np.log(2)) / (np.pi * width)),
        centre,
        2 * np.abs(at_atoms),
        2 * at_atoms.real,
        weights,
        float(abs(total) ** 2),
    )


def _wave_vector(spot: Spot | tuple[float, ...], probe: Probe | None) -> FloatArray:
    """Return three components; two lie on the Ewald sphere of the beam."""
    given = (spot.k_x, spot.k_y) if isinstance(spot, Spot) else tuple(spot)
    k = np.asarray(given, dtype=float)
    if k.shape not in ((2,), (3,)) or not (np.isfinite(k).all() and np.linalg.norm(k) > 0):
        raise ValueError(f"spot={spot}: must be a Spot, or two or three components in 1/Å")
    if k.size == 3:
        if probe is not None:
            raise ValueError(
                f"spot={spot}: with a beam along z, give k_x and k_y; k_z follows from the "
                "Ewald sphere"
            )
        return k
    k_z = 0.0 if probe is None else -probe.wavelength * float(k @ k) / 2
    return np.array([*k, k_z])


def _plane_wave_amplitudes(atoms: Atoms, k: FloatArray) -> ComplexArray:
    """Return what each atom scatters out of a plane wave, f exp(-2 pi i k.r)."""
    factors = _factors(atoms, np.array([np.linalg.norm(k)]))[:, 0]
    return factors * np.exp(-2j * np.pi * (atoms.positions @ k))


def _beam_amplitudes(
    atoms: Atoms, k: FloatArray, probe: Probe, position: tuple[float, float]
) -> ComplexArray:
    """Return what each atom scatters out of the beam into the pixel at k.

    These are the terms of the sums in :mod:`glassnb.diffraction.kinematic`.
    """
    cell = np.asarray(atoms.cell)
    edges = np.diag(cell)[:2]
    if not (np.allclose(cell[:2, :2], np.diag(edges), atol=1e-6) and (edges > 0).all()):
        raise ValueError(
            "atoms.cell: a beam needs a cell with edges along x and y; cut it with cut_slab"
        )
    beams, waves = probe.beams((float(edges[0]), float(edges[1])))
    b = beams / edges
    thickness = float(atoms.cell.lengths()[2])
    half = np.pi * probe.wavelength / 2
    waves = waves * np.exp(-1j * half * thickness * (b**2).sum(axis=1))
    waves = waves * np.exp(-2j * np.pi * (b @ np.asarray(position, dtype=float)))
    symbols, species = species_of(atoms)
    factors = form_factors(symbols, np.linalg.norm(k[:2] - b, axis=1), {})
    found = np.empty(len(atoms), dtype=complex)
    for i, factor in enumerate(factors):
        mine = np.flatnonzero(species == i)
        for part in np.array_split(mine, len(mine) * len(b) // _BLOCK + 1):
            phases = np.exp(2j * np.pi * (atoms.positions[part, :2] @ b.T))
            found[part] = phases @ (waves * factor)
    scale = probe.wavelength * probe.lorentz_factor / float(edges.prod())
    # The third component of k holds the curvature of the Ewald sphere.
    return scale * found * np.exp(-2j * np.pi * (atoms.positions @ k))


def _factors(atoms: Atoms, k: FloatArray) -> FloatArray:
    """Return the electron form factor of each atom, shape (n_atoms, n_k)."""
    symbols, species = species_of(atoms)
    return np.array(form_factors(symbols, k, {}))[species]


def _filtered(atoms: Atoms, k: FloatArray, width: float) -> tuple[FloatArray, ComplexArray]:
    """Return the waves near k that the cell allows, and their filtered amplitudes.

    Amplitudes are relative to the mean of the same scattering density, with the form factor at k.
    """
    cell = np.asarray(atoms.cell, dtype=float)
    volume = float(abs(np.linalg.det(cell)))
    box = cell.copy()
    for axis in np.flatnonzero(~atoms.pbc):
        # Room beyond an open face, so that the wave at one face does not come back at the other.
        box[axis] *= 1 + 1 / (width * np.linalg.norm(cell[axis]))
    inverse = np.linalg.inv(box)
    middle = k @ box.T
    most = np.ceil(_REACH * width * np.linalg.norm(box, axis=1)).astype(int) + 1
    grid = np.meshgrid(*(np.arange(-n, n + 1) for n in most), indexing="ij")
    indices = np.stack(grid, axis=-1).reshape(-1, 3) + np.rint(middle)
    vectors = indices @ inverse.T
    off = np.linalg.norm(vectors - k, axis=1)
    vectors, off = vectors[off <= _REACH * width], off[off <= _REACH * width]
    factors = _factors(atoms, np.array([np.linalg.norm(k)]))[:, 0]
    waves = _evaluate(-atoms.positions, factors.astype(complex), vectors)
    share = volume / float(abs(np.linalg.det(box))) / float(factors.sum())
    return vectors, share * np.exp(-0.5 * (off / width) ** 2) * waves


def _evaluate(vectors: FloatArray, waves: ComplexArray, places: FloatArray) -> ComplexArray:
    """Return ``sum_k wave_k exp(2 pi i k.r)`` at places r; waves may have several columns."""
    parts = np.array_split(places, len(places) * len(vectors) // _BLOCK + 1)
    return np.concatenate([np.exp(2j * np.pi * (part @ vectors.T)) @ waves for part in parts])


def _off_beam(atoms: Atoms, position: tuple[float, float]) -> FloatArray:
    """Return the distance of each atom from the beam in Å, to its nearest image."""
    edges = np.diag(np.asarray(atoms.cell))[:2]
    away = atoms.positions[:, :2] - np.asarray(position, dtype=float)
    return np.linalg.norm(away - edges * np.rint(away / edges), axis=1)


def _coherence(
    atoms: Atoms, vectors: FloatArray, waves: ComplexArray, centre: FloatArray, k: FloatArray
) -> FloatArray:
    """Return the widths at half height of the amplitude through a place, in three directions."""
    along = k / np.linalg.norm(k)
    across = np.cross([0.0, 0.0, 1.0], along)
    if np.linalg.norm(across) < 1e-6:  # planes across the beam
        across = np.array([1.0, 0.0, 0.0])
    across /= np.linalg.norm(across)
    s = np.arange(0, float(atoms.cell.lengths().max()), _STEP)
    widths = []
    for direction in (along, across, np.cross(along, across)):
        sides = []
        for sign in (1, -1):
            line = np.abs(_evaluate(vectors, waves, centre + sign * s[:, None] * direction))
            below = np.flatnonzero(line < line[0] / 2)
            sides.append(_crossing(s, line, int(below[0])) if below.size else np.inf)
        widths.append(sum(sides))
    return np.array(widths)


def _crossing(s: FloatArray, line: FloatArray, i: int) -> float:
    part = (line[i - 1] - line[0] / 2) / (line[i - 1] - line[i])
    return float(s[i - 1] + part * (s[i] - s[i - 1]))
