"""What one subsystem contributes to the derivatives of the divided energy.

The density of a subsystem is not stationary for the divided energy, since the partition matrix D
cuts it, so its first-order change has to be known. It is not calculated but eliminated, by the
adjoint of the self-consistent equations ("Z-vector"): one linear equation over the shells replaces
the coupled-perturbed equations of every displacement, which M. Kobayashi, T. Kunisada, T. Akama,
D. Sakura and H. Nakai, J. Chem. Phys. 134, 034105 (2011), wrote down and approximated.

For a function g of the orbital energies, the matrix C g(e) C^T changes in the basis of the orbitals
by K o dF - L o dS, with the divided differences K of g and L of e g. A weight G on that matrix thus
becomes the weights Z = C (K o G) C^T on dF and Y = C (L o G) C^T on dS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glassnb.tightbinding.divided.subsystem import Levels, Orbitals
from glassnb.tightbinding.divided.workers import State
from glassnb.tightbinding.occupation import entropies, fermi

__all__ = ["Adjoint", "ClusterGradient", "cluster_gradient", "potential_slopes", "softness"]

FloatArray = NDArray[np.float64]

_SAME = 1e-7  # Hartree; levels closer than this share a derivative
_SHARP = 1e-12  # occupations this close to 0 and 1 are whole


@dataclass(frozen=True)
class Adjoint:
    """What is differentiated: energy, number of electrons and populations, each with its weight.

    Parameters
    ----------
    token : str
        Name of the potential.
    potential : ndarray, shape (n_shells,)
        Potential of the whole structure in Hartree.
    level, temperature : float
        Chemical potential, and Boltzmann's constant times the temperature, in Hartree.
    energy : float
        Weight of band energy and entropy.
    price : float
        Minus the weight of the number of electrons, in Hartree.
    weights : ndarray, shape (n_shells,)
        Weight of each population of the whole structure, in Hartree.
    """

    token: str
    potential: FloatArray
    level: float
    temperature: float
    energy: float
    price: float
    weights: FloatArray


@dataclass(frozen=True)
class ClusterGradient:
    """Derivatives of the share of a subsystem.

    Parameters
    ----------
    gradient : ndarray, shape (n_members, 3)
        By the positions, in Hartree/bohr.
    virial : ndarray, shape (3, 3)
        By a strain, in Hartree.
    cn_slopes : ndarray, shape (n_members,)
        By the coordination numbers, in Hartree.
    """

    gradient: FloatArray
    virial: FloatArray
    cn_slopes: FloatArray


def potential_slopes(state: State, adjoint: Adjoint) -> FloatArray:
    """Return the derivatives by the potentials of the shells.

    Parameters
    ----------
    state : State
        The subsystem.
    adjoint : Adjoint
        What is differentiated.

    Returns
    -------
    ndarray, shape (n_shells of the cluster,)
        In units of e.
    """
    orbitals = state.orbitals(adjoint.token, adjoint.potential)
    levels, c, sc = orbitals.levels, orbitals.coefficients, orbitals.projected
    f = fermi(levels.energies, adjoint.level, adjoint.temperature)
    left, product = _factors(orbitals, adjoint)
    # Row sums of Z o S, Z = C M C^T: those of C M o S C.
    if _are_whole(f):
        # Filled and empty orbitals mix, and nothing else does.
        filled = int(np.count_nonzero(f > 0.5))
        mixing = left[:, :filled].T @ product[:, filled:]
        mixing += product[:, :filled].T @ left[:, filled:]
        mixing /= np.subtract.outer(levels.energies[:filled], levels.energies[filled:])
        rows = np.einsum("ij,ij->i", c[:, :filled] @ mixing, sc[:, filled:])
        rows += np.einsum("ij,ij->i", sc[:, :filled] @ mixing, c[:, filled:])
    else:
        on_fock, _ = _changes(levels, _weights(left, product, orbitals, adjoint), adjoint)
        rows = np.einsum("ij,ij->i", c @ on_fock, sc)
    basis = orbitals.basis
    return np.asarray(-np.bincount(basis.orbital_shell, rows, basis.shell_atom.size))


def softness(state: State, adjoint: Adjoint) -> FloatArray:
    """Return the derivatives of the populations by the chemical potential.

    Parameters
    ----------
    state : State
        The subsystem.
    adjoint : Adjoint
        Potential and chemical potential.

    Returns
    -------
    ndarray, shape (n_shells of the cluster,)
        In e/Hartree.
    """
    orbitals = state.orbitals(adjoint.token, adjoint.potential)
    f = fermi(orbitals.levels.energies, adjoint.level, adjoint.temperature)
    return orbitals.populations(2 * f * (1 - f) / adjoint.temperature)


def cluster_gradient(state: State, adjoint: Adjoint) -> ClusterGradient:
    """Return the derivatives by the geometry.

    Parameters
    ----------
    state : State
        The subsystem.
    adjoint : Adjoint
        The energy, and the weights of populations that solve the adjoint equation.

    Returns
    -------
    ClusterGradient
        For the atoms of the cluster.
    """
    orbitals = state.orbitals(adjoint.token, adjoint.potential)
    levels, c = orbitals.levels, orbitals.coefficients
    weights = _weights(*_factors(orbitals, adjoint), orbitals, adjoint)
    on_fock, on_overlap = _changes(levels, weights, adjoint)
    f = 2 * fermi(levels.energies, adjoint.level, adjoint.temperature)
    entropy = entropies(levels.energies, adjoint.level, adjoint.temperature)
    ground = _divided(orbitals, adjoint.energy * f)
    pull = _divided(orbitals, adjoint.price * f - adjoint.energy * entropy)
    x = _on_orbitals(orbitals, adjoint.potential)
    y = _on_orbitals(orbitals, adjoint.weights)
    density = ground + c @ on_fock @ c.T
    weighted = pull + c @ on_overlap @ c.T
    weighted += density * np.add.outer(x, x) / 2
    weighted -= _divided(orbitals, f) * np.add.outer(y, y) / 2
    blocks = orbitals.blocks
    gradient, virial, cn_slopes = blocks.gradient(blocks.gather(density), blocks.gather(weighted))
    return ClusterGradient(gradient, virial, cn_slopes)


def _on_orbitals(orbitals: Orbitals, values: FloatArray) -> FloatArray:
    """Return values of the shells of the whole structure for each orbital."""
    return np.asarray(values[orbitals.cluster.shells][orbitals.basis.orbital_shell])


def _divided(orbitals: Orbitals, values: FloatArray) -> FloatArray:
    """Return D o C values C^T: half for the rows, and half for the columns, of the central box."""
    n, c = orbitals.n_central, orbitals.coefficients
    result = np.zeros_like(c)
    result[:n] = 0.5 * (c[:n] * values) @ c.T
    return np.asarray(result + result.T)


def _factors(orbitals: Orbitals, adjoint: Adjoint) -> tuple[FloatArray, FloatArray]:
    """Return two matrices over central orbitals: half their product, plus transpose, is G."""
    n = orbitals.n_central
    right = orbitals.projected[:n]
    y = _on_orbitals(orbitals, adjoint.weights)
    product = (orbitals.overlap * y) @ orbitals.coefficients
    product += y[:n, None] * right
    product *= 0.5
    product += right * (adjoint.energy * orbitals.levels.energies - adjoint.price)
    return orbitals.coefficients[:n], product


def _weights(
    left: FloatArray, product: FloatArray, orbitals: Orbitals, adjoint: Adjoint
) -> tuple[FloatArray, FloatArray | None]:
    """Return the weights of the density and of the entropy matrix in the basis of the orbitals."""
    half = 0.5 * left.T @ product
    on_density = half + half.T
    if not adjoint.energy:
        return on_density, None
    half = 0.5 * adjoint.energy * left.T @ orbitals.projected[: orbitals.n_central]
    return on_density, half + half.T


def _changes(
    levels: Levels, weights: tuple[FloatArray, FloatArray | None], adjoint: Adjoint
) -> tuple[FloatArray, FloatArray]:
    """Return Z and Y in the basis of the orbitals."""
    e, level, kt = levels.energies, adjoint.level, adjoint.temperature
    f = fermi(e, level, kt)
    on_density, on_entropy = weights
    if _are_whole(f):
        return _sharp_changes(e, int(np.count_nonzero(f > 0.5)), on_density)
    slope = -2 * f * (1 - f) / kt
    step = np.subtract.outer(e, e)
    same = np.abs(step) < _SAME
    step[same] = 1.0

    def differences(values: FloatArray, slopes: FloatArray) -> FloatArray:
        result = np.subtract.outer(values, values) / step
        result[same] = np.add.outer(slopes, slopes)[same] / 2
        return np.asarray(result)

    on_fock = differences(2 * f, slope) * on_density
    on_overlap = differences(2 * f * e, 2 * f + e * slope) * on_density
    if on_entropy is not None:
        entropy, fall = entropies(e, level, kt), -slope * (e - level)
        on_fock += differences(entropy, fall) * on_entropy
        on_overlap += differences(entropy * e, entropy + e * fall) * on_entropy
    return on_fock, on_overlap


def _are_whole(occupations: FloatArray) -> bool:
    """Say whether all orbitals are either filled or empty: then much is zero."""
    return bool(np.all(np.minimum(occupations, 1 - occupations) < _SHARP))


def _sharp_changes(
    energies: FloatArray, filled: int, on_density: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return Z and Y where the first orbitals are filled and the others empty."""
    on_fock, on_overlap = np.zeros_like(on_density), np.zeros_like(on_density)
    mixing = 2 * on_density[:filled, filled:]
    mixing /= np.subtract.outer(energies[:filled], energies[filled:])
    on_fock[:filled, filled:], on_fock[filled:, :filled] = mixing, mixing.T
    on_overlap[:filled, :filled] = 2 * on_density[:filled, :filled]
    mixing = energies[:filled, None] * mixing
    on_overlap[:filled, filled:], on_overlap[filled:, :filled] = mixing, mixing.T
    return on_fock, on_overlap
