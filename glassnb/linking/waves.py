"""Density waves of a model, at any place: on atoms, in voids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnb.core.structure import check_atoms, species_of
from glassnb.scattering import electron_form_factor

if TYPE_CHECKING:
    from ase import Atoms

__all__ = ["density_wave_at"]


def density_wave_at(atoms: Atoms, k_vectors: ArrayLike, places: ArrayLike) -> NDArray[np.float64]:
    """Say where a place lies in a wave of the density: 1 on the crest, -1 midway between crests.

    The wave of wave vector k is Re[A exp(2 pi i k.r)]/|A|, where A = sum_j f_j exp(-2 pi i k.r_j)
    and f are electron form factors. On average atoms are on the crests of every wave; how far
    voids are from them is for the model to say.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, periodic in three directions.
    k_vectors : array_like, shape (n_waves, 3)
        Wave vectors in 1/Å (|k| = 1/d; the Q of glassnb.scattering is 2 pi k), which the cell
        allows: other waves do not go on through its faces.
    places : array_like, shape (n_places, 3)
        Positions in Å.

    Returns
    -------
    numpy.ndarray, shape (n_waves, n_places)
        From -1 to 1.

    Raises
    ------
    ValueError
        If shapes do not fit, a wave does not fit the cell or is zero, or an element is unknown.
    """
    check_atoms(atoms, periodic=True)
    k, r = (np.atleast_2d(np.asarray(values, dtype=float)) for values in (k_vectors, places))
    for name, values in (("k_vectors", k), ("places", r)):
        if values.ndim != 2 or values.shape[1] != 3 or not np.isfinite(values).all():
            raise ValueError(f"{name}: have shape {values.shape}; must be (n, 3), finite")
    miller = k @ np.asarray(atoms.cell).T
    length = np.linalg.norm(k, axis=1)
    if np.abs(miller - np.rint(miller)).max() > 1e-3 or length.min() == 0:
        raise ValueError(
            f"k_vectors: have Miller indices {np.round(miller, 3).tolist()[:3]} in this cell; must "
            "be whole and not zero, as those of reciprocal_amplitudes(atoms, q_max)"
        )
    symbols, species = species_of(atoms)
    factors = np.array([electron_form_factor(s, 2 * np.pi * length) for s in symbols])
    waves = np.exp(-2j * np.pi * (k @ atoms.positions.T))
    amplitude = (factors[species].T * waves).sum(axis=1)
    phases: NDArray[np.float64] = np.angle(amplitude)[:, None] + 2 * np.pi * (k @ r.T)
    return np.cos(phases)
