"""Electrostatic energy of shell charges with the kernel of Klopman and Ohno.

Two shells at a distance R interact as 1/sqrt(R² + a²), where a is the mean of their widths 1/eta:
a is the inverse of the harmonic mean of their hardnesses, as GFN1-xTB has it (Grimme, Bannwarth and
Shushkov, J. Chem. Theory Comput. 13, 1989 (2017), equation 14).

In a crystal the kernel's expansion 1/R - a²/2R³ + 3a⁴/8R⁵ does not converge when summed over
images, so each of its terms is summed by Ewald's method and only the remainder is summed directly
(after Buccheri et al., J. Chem. Theory Comput. 21, 1615 (2025)).

The sum over 1/R³ has no limit as the crystal grows, unless the sum of q a over the cell vanishes:
it is defined here by leaving out the term at k = 0 with the logarithm of 1 bohr, as tblite does.
That choice of a unit shifts the energy by a term which depends on charges and volume alone. Energy
differences between structures of one cell and alike charges do not feel much of it; absolute
energies and the stress contain it (1 Å instead of 1 bohr moves alpha-quartz by 2.5 mEh an atom and
0.9 GPa).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnb.core.neighbours import Neighbours, neighbours
from glassnb.tightbinding.electrostatics import _kernels
from glassnb.tightbinding.electrostatics.reciprocal import RANGE, ReciprocalSum, self_terms

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["LATTICE_SUMS", "KlopmanOhno"]

FloatArray = NDArray[np.float64]

LATTICE_SUMS = ("converged", "tblite")
# The remainder beyond 1/R⁵ fades out between these distances (bohr); what is left of it changes
# the energy of silica by less than 1e-6 Hartree an atom.
_INNER, _OUTER = 20.0, 25.0
# tblite sums the remainder beyond 1/R³ over all cells that a sphere of this radius (bohr) touches.
_TBLITE_REACH = 40.0


class KlopmanOhno:
    """Electrostatics of shell charges for one geometry.

    What depends on the geometry alone is worked out at the start (the short-range matrix, the grid
    of reciprocal vectors), so that potentials are cheap. Lengths in bohr, energies in Hartree.

    Parameters
    ----------
    positions : array_like, shape (n_atoms, 3)
        In bohr.
    cell : array_like, shape (3, 3), optional
        Cell vectors as rows, in bohr, periodic along all three; ``None`` for a molecule.
    shell_atom : array_like, shape (n_shells,)
        Atom of each shell, ascending.
    hardness : array_like, shape (n_shells,)
        Hardness of each shell in Hartree.
    lattice_sum : str
        ``"converged"``: the expansion of the kernel is summed to 1/R⁵ by Ewald's method;
        independent of the choice of the unit cell. ``"tblite"``: to 1/R³, and the remainder over
        the same block of cells as tblite 0.8, for comparison with it.
    splitting : float, optional
        Ewald's splitting parameter in 1/bohr; results do not depend on it.

    Raises
    ------
    ValueError
        If shapes do not match, shells are not sorted by atom, a hardness is not positive, or
        ``lattice_sum`` is unknown.
    """

    def __init__(
        self,
        positions: ArrayLike,
        cell: ArrayLike | None,
        shell_atom: ArrayLike,
        hardness: ArrayLike,
        *,
        lattice_sum: str = "converged",
        splitting: float | None = None,
    ) -> None:
        self.positions = np.ascontiguousarray(positions, dtype=float)
        self.cell = None if cell is None else np.ascontiguousarray(cell, dtype=float)
        self.shell_atom = np.asarray(shell_atom, dtype=np.int64)
        hardness = np.asarray(hardness, dtype=float)
        _check(self.positions, self.shell_atom, hardness, lattice_sum, splitting)
        self.lattice_sum = lattice_sum
        self.splitting = RANGE / _OUTER if splitting is None else float(splitting)
        self._widths = 1 / hardness
        atoms = np.arange(len(self.positions) + 1)
        self._first_shell = np.searchsorted(self.shell_atom, atoms)
        self._order = 0 if cell is None else 3 if lattice_sum == "converged" else 2
        self._powers = self._widths ** np.arange(max(2 * self._order - 1, 1))[:, None]
        if self.cell is not None and lattice_sum == "tblite":
            # Its block of cells is not centred on each atom, so it matters where atoms are.
            fractional = self.positions @ np.linalg.inv(self.cell)
            self.positions = self.positions - np.floor(fractional) @ self.cell

    def potential(self, charges: ArrayLike) -> FloatArray:
        """Return the potential at every shell.

        Parameters
        ----------
        charges : array_like, shape (n_shells,)
            Charges of the shells in e, positive where electrons are missing.

        Returns
        -------
        ndarray, shape (n_shells,)
            Derivative of the energy with respect to each charge, in Hartree.
        """
        q = np.asarray(charges, dtype=float)
        if self._reciprocal is None:
            return self._direct @ q
        short = self._short_range
        result = short @ q + short.T @ q
        if self._order == 2:
            result += self._direct @ q
        long_range = self._reciprocal.potentials(self._moments(q))
        return result + np.sum(self._powers * long_range[:, self.shell_atom], axis=0)

    def energy(self, charges: ArrayLike) -> float:
        """Return the electrostatic energy.

        Parameters
        ----------
        charges : array_like, shape (n_shells,)
            Charges of the shells in e.

        Returns
        -------
        float
            In Hartree, per cell.
        """
        return float(0.5 * np.dot(np.asarray(charges, dtype=float), self.potential(charges)))

    def energies(self, charges: ArrayLike) -> FloatArray:
        """Return the share of every atom in the electrostatic energy.

        Parameters
        ----------
        charges : array_like, shape (n_shells,)
            Charges of the shells in e.

        Returns
        -------
        ndarray, shape (n_atoms,)
            Half the charges of its shells times their potentials, in Hartree.
        """
        shares = 0.5 * np.asarray(charges, dtype=float) * self.potential(charges)
        return np.asarray(np.bincount(self.shell_atom, shares, len(self.positions)))

    def gradient(self, charges: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return the derivatives of the energy at fixed charges.

        Parameters
        ----------
        charges : array_like, shape (n_shells,)
            Charges of the shells in e.

        Returns
        -------
        gradient : ndarray, shape (n_atoms, 3)
            With respect to positions, in Hartree/bohr.
        virial : ndarray, shape (3, 3)
            With respect to a homogeneous strain, in Hartree: the stress times the volume.
        """
        q = np.asarray(charges, dtype=float)
        n_atoms = len(self.positions)
        gradient, virials = np.zeros((n_atoms, 3)), np.zeros((n_atoms, 3, 3))
        if self._order != 3:
            _kernels.direct_gradient(
                self.positions, self._translations, self._first_shell, self._widths, self._order,
                q, gradient, virials,
            )  # fmt: skip
        if self._reciprocal is None:
            return gradient, virials.sum(axis=0)
        pairs = self._pairs
        _kernels.short_range_gradient(
            self.positions, self.cell, pairs.offsets, pairs.indices, pairs.images, pairs.distances,
            self._first_shell, self._widths, q, self.splitting, self._order, *self._fade,
            gradient, virials,
        )  # fmt: skip
        long_gradient, long_virial = self._reciprocal.gradient(self._moments(q))
        return gradient + long_gradient, virials.sum(axis=0) + long_virial

    def _moments(self, charges: FloatArray) -> FloatArray:
        """Sum q a^n over the shells of each atom, shape (n_moments, n_atoms)."""
        n_atoms = len(self.positions)
        rows = [np.bincount(self.shell_atom, row, n_atoms) for row in self._powers * charges]
        return np.array(rows)

    @cached_property
    def _reciprocal(self) -> ReciprocalSum | None:
        if self.cell is None:
            return None
        return ReciprocalSum(self.positions, self.cell, self.splitting, self._order)

    @property
    def _fade(self) -> tuple[float, float]:
        """Distances between which the remainder fades; none where it is summed elsewhere."""
        return (_INNER, _OUTER) if self._order == 3 else (0.0, 0.0)

    @cached_property
    def _pairs(self) -> Neighbours:
        from ase import Atoms

        atoms = Atoms(numbers=np.ones(len(self.positions)), positions=self.positions)
        atoms.set_cell(self.cell)
        atoms.pbc = True
        return neighbours(atoms, max(RANGE / self.splitting, self._fade[1]))  # all of it in bohr

    @cached_property
    def _short_range(self) -> csr_array:
        """Upper triangle of the short-range matrix over shells, with half of its diagonal."""
        from scipy.sparse import csr_array

        pairs, first = self._pairs, self._first_shell
        shells = np.diff(first)
        kept = pairs.indices >= pairs.centres
        width = shells + np.bincount(
            pairs.centres[kept], shells[pairs.indices[kept]], len(shells)
        ).astype(np.int64)  # elements in each row of an atom
        n_shells = len(self.shell_atom)
        starts = np.zeros(n_shells + 1, dtype=np.int64)
        np.cumsum(width[self.shell_atom], out=starts[1:])
        index_type = np.int32 if starts[-1] < np.iinfo(np.int32).max else np.int64
        columns = np.empty(starts[-1], dtype=index_type)
        values = np.empty(starts[-1])
        _kernels.short_range_values(
            pairs.offsets, pairs.indices, pairs.distances, first, self._widths, self.splitting,
            self._order, *self._fade, starts, columns, values,
        )  # fmt: skip
        for shell, atom in enumerate(self.shell_atom):
            own = np.arange(first[atom], first[atom + 1])
            row = slice(starts[shell], starts[shell] + own.size)
            columns[row] = own
            values[row] = 0.5 * self._on_site(shell, own)
        matrix = csr_array((values, columns, starts.astype(index_type)), shape=(n_shells, n_shells))
        if starts[-1] > n_shells**2:  # a small cell, in which many images share one element
            matrix.sum_duplicates()
        return matrix

    def _on_site(self, shell: int, others: NDArray[np.int64]) -> FloatArray:
        """Kernel at R = 0, without the long-range parts of an atom with itself."""
        a = 0.5 * (self._widths[shell] + self._widths[others])
        t1, t3, t5 = self_terms(self.splitting)
        return 1 / a - t1 + a**2 / 2 * t3 - (3 / 8 * a**4 * t5 if self._order == 3 else 0.0)

    @cached_property
    def _translations(self) -> FloatArray:
        if self.cell is None:
            return np.zeros((1, 3))
        heights = 1 / np.linalg.norm(np.linalg.inv(self.cell), axis=0)
        reach = np.ceil(_TBLITE_REACH / heights).astype(int)
        steps = np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij")
        return np.stack(steps, axis=-1).reshape(-1, 3) @ self.cell

    @cached_property
    def _direct(self) -> FloatArray:
        """Matrix of what is summed directly, as a molecule and tblite's sum need it."""
        n_shells = len(self.shell_atom)
        matrix = np.zeros((n_shells, n_shells))
        _kernels.direct_matrix(
            self.positions, self._translations, self._first_shell, self._widths, self._order, matrix
        )
        if self.cell is None:
            for shell, atom in enumerate(self.shell_atom):
                own = np.arange(self._first_shell[atom], self._first_shell[atom + 1])
                matrix[shell, own] += 2 / (self._widths[shell] + self._widths[own])
        return matrix


def _check(
    positions: FloatArray,
    shell_atom: NDArray[np.int64],
    hardness: FloatArray,
    lattice_sum: str,
    splitting: float | None,
) -> None:
    """Stop on input that makes no sense."""
    if positions.ndim != 2 or positions.shape[1] != 3:
        raise ValueError(f"positions: shape {positions.shape}, must be (n_atoms, 3)")
    if shell_atom.shape != hardness.shape or shell_atom.ndim != 1:
        raise ValueError(
            f"hardness: shape {hardness.shape}, must be that of shell_atom, {shell_atom.shape}"
        )
    ordered = bool(np.all(np.diff(shell_atom) >= 0))
    if not ordered or shell_atom.min() < 0 or shell_atom.max() >= len(positions):
        raise ValueError("shell_atom: must ascend from 0 to the number of atoms; sort the shells")
    if not np.all(np.isfinite(hardness) & (hardness > 0)):
        raise ValueError(f"hardness={hardness.min()}: must be positive numbers in Hartree")
    if lattice_sum not in LATTICE_SUMS:
        raise ValueError(f"lattice_sum={lattice_sum!r}: must be one of {', '.join(LATTICE_SUMS)}")
    if splitting is not None and not (np.isfinite(splitting) and splitting > 0):
        raise ValueError(f"splitting={splitting}: must be a positive number in 1/bohr")
