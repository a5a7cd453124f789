"""The direct sum over the scattering vectors that a periodic cell allows.

The density amplitudes rho_a(q) = sum_j exp(i q.r_j) are computed at all Miller indices at once by
a non-uniform fast Fourier transform (A. H. Barnett, J. Magland and L. af Klinteberg, SIAM J. Sci.
Comput. 41, C479 (2019)).
"""

from __future__ import annotations

from dataclasses import dataclass

import finufft
import numpy as np
from ase import Atoms
from ase.geometry import minkowski_reduce
from numpy.typing import NDArray

from glassnb.core.parallel import thread_count
from glassnb.core.structure import (
    PairMapping,
    check_atoms,
    pairs_of,
    reduced_lattice,
    species_of,
)
from glassnb.scattering import _kernels

__all__ = ["ReciprocalAmplitudes", "reciprocal_amplitudes", "shell_averages", "shortest_q"]

_PRECISION = 1e-9  # relative, of the transform
_UPSAMPLING = 1.25  # of its inner grid: a quarter of the memory of the usual 2, as exact
_MOST_VECTORS = 400_000_000  # about 6 GB of amplitudes


@dataclass(frozen=True)
class ReciprocalAmplitudes:
    """Density amplitudes at the allowed scattering vectors of one half of reciprocal space.

    Parameters
    ----------
    miller : ndarray, shape (n_vectors, 3)
        Miller indices with respect to the cell of the model.
    q_vectors : ndarray, shape (n_vectors, 3)
        Scattering vectors in Å⁻¹ (with the factor 2 pi).
    amplitudes : ndarray, shape (n_species, n_vectors)
        Complex ``sum_j exp(i q.r_j)`` over the atoms of each species.
    symbols : tuple of str
        Species, heaviest first.
    numbers : ndarray, shape (n_species,)
        Number of atoms of each species.
    """

    miller: NDArray[np.int64]
    q_vectors: NDArray[np.float64]
    amplitudes: NDArray[np.complex128]
    symbols: tuple[str, ...]
    numbers: NDArray[np.int64]

    @property
    def q(self) -> NDArray[np.float64]:
        """Length of each vector in Å⁻¹, shape (n_vectors,)."""
        return np.linalg.norm(self.q_vectors, axis=1)

    @property
    def partials(self) -> PairMapping[NDArray[np.float64]]:
        """Faber-Ziman S_ab(q) at each vector, by pair of symbols, each shape (n_vectors,)."""
        n = self.numbers.sum()
        found = {}
        for a, b in pairs_of(self.symbols):
            i, j = self.symbols.index(a), self.symbols.index(b)
            product = (self.amplitudes[i] * self.amplitudes[j].conj()).real
            found[a, b] = faber_ziman(product / n, self.numbers / n, i, j)
        return PairMapping(found)


def faber_ziman(
    product: NDArray[np.float64], concentrations: NDArray[np.float64], i: int, j: int
) -> NDArray[np.float64]:
    """Return ``1 + (<rho_a rho_b*>/N - c_a delta_ab) / (c_a c_b)``.

    Parameters
    ----------
    product : ndarray
        ``Re(rho_a rho_b*) / N``.
    concentrations : ndarray, shape (n_species,)
        Fraction of the atoms of each species.
    i, j : int
        The two species.

    Returns
    -------
    ndarray
        Partial structure factor, in the shape of ``product``.
    """
    c = concentrations
    return 1 + (product - (c[i] if i == j else 0.0)) / (c[i] * c[j])


def reciprocal_amplitudes(atoms: Atoms, q_max: float) -> ReciprocalAmplitudes:
    """Compute the density amplitudes at all allowed scattering vectors up to ``q_max``.

    Allowed are the reciprocal lattice vectors of the cell; of each pair q, -q one is kept, and
    q = 0 is left out.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure, periodic in three directions; any cell.
    q_max : float
        Largest length in Å⁻¹.

    Returns
    -------
    ReciprocalAmplitudes
        Vectors and amplitudes, with the partial structure factor at each vector.

    Raises
    ------
    ValueError
        If the structure is not periodic, ``q_max`` is not positive, or the vectors would not
        fit into memory.
    """
    check_atoms(atoms, periodic=True)
    given, atoms = np.asarray(atoms.cell), reduced_lattice(atoms)
    symbols, species = species_of(atoms)
    shape = _grid_shape(atoms, q_max)
    half = [np.arange(-(n // 2), n // 2 + 1) for n in shape]
    miller = np.stack(np.meshgrid(*half, indexing="ij"), axis=-1).reshape(-1, 3)
    keep = np.flatnonzero(np.arange(len(miller)) > len(miller) // 2)
    q_vectors = miller[keep] @ _reciprocal(atoms)
    near = np.linalg.norm(q_vectors, axis=1) <= q_max
    chosen = keep[near]
    amplitudes = np.empty((len(symbols), chosen.size), dtype=np.complex128)
    for i in range(len(symbols)):
        strength = np.where(species == i, 1.0 + 0.0j, 0.0)
        amplitudes[i] = _transform(atoms, strength, shape).reshape(-1)[chosen]
    numbers = np.bincount(species, minlength=len(symbols))
    to_given = np.rint(given @ _reciprocal(atoms).T / (2 * np.pi)).astype(np.int64)
    return ReciprocalAmplitudes(
        miller[chosen] @ to_given.T, q_vectors[near], amplitudes, symbols, numbers
    )


def shell_averages(
    atoms: Atoms, edges: NDArray[np.float64]
) -> tuple[NDArray[np.int64], PairMapping[NDArray[np.float64]]]:
    """Average the partial structure factors over shells of allowed scattering vectors.

    Parameters
    ----------
    atoms : ase.Atoms
        A checked periodic structure.
    edges : ndarray, shape (n_shells + 1,)
        Edges of the shells in Å⁻¹, rising.

    Returns
    -------
    counts : ndarray, shape (n_shells,)
        Number of vectors in each shell, q and -q counted once.
    partials : PairMapping
        Faber-Ziman S_ab by pair of symbols; NaN in shells without a vector.
    """
    atoms = reduced_lattice(atoms)
    symbols, species = species_of(atoms)
    shape = _grid_shape(atoms, float(edges[-1]))
    reciprocal = _reciprocal(atoms)
    numbers = np.bincount(species, minlength=len(symbols))
    n = len(atoms)
    # Two species share one transform, as its real and imaginary part.
    grids = []
    for i in range(0, len(symbols), 2):
        strength = (species == i) + 1j * (species == i + 1)
        grids.append(_transform(atoms, strength, shape))
    counts = np.zeros(edges.size - 1, dtype=np.int64)
    found = {}
    for p, first in enumerate(grids):
        for r in range(p, len(grids)):
            counts, sums = _kernels.shell_sums(first, grids[r], len(symbols) > 1, reciprocal, edges)
            for s in range(2):
                for t in range(2):
                    i, j = 2 * p + s, 2 * r + t
                    if i <= j < len(symbols):
                        mean = sums[s, t] / np.where(counts, counts, np.nan)
                        value = faber_ziman(mean / n, numbers / n, i, j)
                        found[symbols[i], symbols[j]] = value
    return counts, PairMapping({pair: found[pair] for pair in pairs_of(symbols)})


def shortest_q(atoms: Atoms) -> float:
    """Return the length of the shortest scattering vector that a cell allows.

    Parameters
    ----------
    atoms : ase.Atoms
        A checked periodic structure.

    Returns
    -------
    float
        Length in Å⁻¹: 2 pi over the largest height of the lattice.
    """
    reciprocal, _ = minkowski_reduce(_reciprocal(atoms))
    return float(np.linalg.norm(reciprocal, axis=1).min())


def _reciprocal(atoms: Atoms) -> NDArray[np.float64]:
    return np.ascontiguousarray(2 * np.pi * np.asarray(atoms.cell.reciprocal()))


def _grid_shape(atoms: Atoms, q_max: float) -> tuple[int, int, int]:
    if not (np.isfinite(q_max) and q_max > 0):
        raise ValueError(f"q_max={q_max}: must be a positive number in Å⁻¹")
    lengths = np.linalg.norm(np.asarray(atoms.cell), axis=1)
    most = np.floor(q_max * lengths / (2 * np.pi) + 1e-9).astype(int)
    shape = 2 * most + 1
    if np.prod(shape.astype(float)) > _MOST_VECTORS:
        raise ValueError(
            f"q up to {q_max:.3g} Å⁻¹ has {np.prod(shape.astype(float)):.2g} vectors in this cell: "
            "lower the largest q, or use method='histogram'"
        )
    return int(shape[0]), int(shape[1]), int(shape[2])


def _transform(
    atoms: Atoms, strength: NDArray[np.complex128], shape: tuple[int, int, int]
) -> NDArray[np.complex128]:
    """Return ``sum_j strength_j exp(i q.r_j)`` on the grid of Miller indices."""
    chosen = np.flatnonzero(strength)
    fractional = atoms.cell.scaled_positions(atoms.positions[chosen]) % 1.0
    x, y, z = np.ascontiguousarray((2 * np.pi * (fractional - 0.5)).T)
    grid = finufft.nufft3d1(
        x, y, z, strength[chosen].astype(np.complex128), shape,
        eps=_PRECISION, upsampfac=_UPSAMPLING, isign=1, nthreads=thread_count(),
    )  # fmt: skip
    # The origin was moved to the middle of the cell: exp(i pi (h + k + l)) moves it back.
    signs = [1.0 - 2.0 * (np.arange(-(n // 2), n // 2 + 1) % 2) for n in shape]
    grid *= signs[0][:, None, None]
    grid *= signs[1][:, None] * signs[2]
    return grid
