"""Linear maps from the numbers of pairs at each distance to S(Q) and G_PDF(r).

A map is a matrix and a constant: ``constant + sum of matrix[pair, bin] * histogram[pair, bin]``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnb.scattering.weights import factor_products, mean_square

__all__ = ["Map", "histogram_map", "map_through_q", "structure_factor_map"]

Map: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]


def pair_weights(
    species: Sequence[str],
    concentrations: ArrayLike,
    q: ArrayLike,
    radiation: str,
    isotopes: Mapping[str, Any] | None = None,
) -> NDArray[np.float64]:
    """Return Re(b_a b_b*) / |<b>|^2 for each pair, shape (n_pairs, n_q)."""
    products = factor_products(species, q, radiation, isotopes=isotopes)
    pairs = combinations_with_replacement(range(len(species)), 2)
    mean2 = mean_square(concentrations, products)
    return np.array([products[i, j] / mean2 for i, j in pairs])


def structure_factor_map(
    species: Sequence[str],
    concentrations: ArrayLike,
    n_atoms: int,
    volume: float,
    edges: ArrayLike,
    q: NDArray[np.float64],
    radiation: str,
    isotopes: Mapping[str, Any] | None = None,
) -> Map:
    """Return the map to the total S(Q), with atoms in the middle of their bins."""
    edges = np.asarray(edges, dtype=float)
    r, width = (edges[1:] + edges[:-1]) / 2, edges[1]
    shells = 4 * np.pi / 3 * np.diff(edges**3)
    layer = 4 * np.pi * r**2 * width
    # np.sinc(x) is sin(pi x) / (pi x)
    transform = layer[:, None] * np.sinc(np.outer(r, q) / np.pi)
    # 2 and the concentrations: an unordered pair counts for both atoms, and c_a c_b of the weight
    # and of g_ab cancel, for like and unlike pairs alike
    each = 2 / n_atoms * transform / shells[:, None]
    weights = pair_weights(species, concentrations, q, radiation, isotopes)
    return weights[:, None, :] * each, 1 - n_atoms / volume * transform.sum(axis=0)


def map_through_q(
    species: Sequence[str],
    concentrations: ArrayLike,
    n_atoms: int,
    volume: float,
    edges: ArrayLike,
    r: NDArray[np.float64],
    radiation: str,
    q_max: float,
    window: str | None,
    isotopes: Mapping[str, Any] | None = None,
) -> Map:
    """Return the map to G_PDF(r) by way of S(Q) up to ``q_max``."""
    # the sum over Q repeats itself in r after 2 pi / step: far beyond model and data
    reach = np.asarray(edges)[-1] + r[-1]
    n_q = int(np.ceil(q_max * 4 * reach / (2 * np.pi)))
    q = (np.arange(n_q, dtype=np.float64) + 0.5) * (q_max / n_q)
    matrix, constant = structure_factor_map(
        species, concentrations, n_atoms, volume, edges, q, radiation, isotopes
    )
    modification = np.sinc(q / q_max) if window == "lorch" else 1.0
    kernel = (2 / np.pi * q_max / n_q * q * modification)[:, None] * np.sin(np.outer(q, r))
    return matrix @ kernel, (constant - 1) @ kernel


def histogram_map(
    species: Sequence[str],
    concentrations: ArrayLike,
    n_atoms: int,
    volume: float,
    edges: ArrayLike,
    r: NDArray[np.float64],
    radiation: str,
    isotopes: Mapping[str, Any] | None = None,
) -> Map:
    """Return the map to G_PDF(r) without a limit in Q, for weights that do not depend on Q."""
    edges = np.asarray(edges, dtype=float)
    middle = (edges[1:] + edges[:-1]) / 2
    density = n_atoms / volume
    shells = 4 * np.pi / 3 * np.diff(edges**3)
    # linear interpolation of g between the middles of the bins
    interpolation = np.array([np.interp(r, middle, row) for row in np.eye(middle.size)])
    each = 2 / (n_atoms * density * shells)[:, None] * interpolation
    weights = pair_weights(species, concentrations, 0.0, radiation, isotopes)
    uniform = 4 * np.pi * density * r
    return weights[:, :, None] * each * uniform, -uniform
