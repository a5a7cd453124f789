"""Packings of spheres without order, and crystals planted in them."""

import numpy as np
from ase import Atoms
from ase.build import bulk
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

DENSITY = 0.067  # atoms per Å³, of a palladium glass
LATTICE = 3.89  # Å, of fcc palladium
SPACING = LATTICE / np.sqrt(3)  # of its {111} planes


def crystal_ball(radius: float) -> np.ndarray:
    """A ball of fcc with [110] along z: two pairs of {111} spots and one of {002}."""
    lattice = bulk("Pd", "fcc", a=LATTICE, cubic=True) * (10, 10, 10)
    positions = lattice.positions - lattice.positions.mean(axis=0)
    zone, _ = Rotation.align_vectors([[0, 0, 1]], [[1, 1, 0]])
    return zone.apply(positions[np.linalg.norm(positions, axis=1) < radius])


def random_packing(n_atoms: int, seed: int, radius: float = 0.0) -> tuple[Atoms, np.ndarray]:
    """Spheres pushed apart to about 2.4 Å, around a crystal in the middle if asked for.

    Returns the atoms and whether each belongs to the crystal.
    """
    rng = np.random.default_rng(seed)
    edge = (n_atoms / DENSITY) ** (1 / 3)
    core = crystal_ball(radius) if radius else np.zeros((0, 3))
    free = rng.uniform(-edge / 2, edge / 2, (4 * n_atoms, 3))
    free = free[np.linalg.norm(free, axis=1) > (radius + 1.5 if radius else 0)]
    positions = np.vstack([core, free[: n_atoms - len(core)]]) + edge / 2
    for _ in range(40):
        i, j = cKDTree(positions % edge, boxsize=edge).query_pairs(2.5, output_type="ndarray").T
        vectors = positions[j] - positions[i]
        vectors -= edge * np.rint(vectors / edge)
        push = 0.4 * (2.5 / np.linalg.norm(vectors, axis=1) - 1)[:, None] * vectors
        for axis in range(3):
            move = np.bincount(j, push[:, axis], n_atoms) - np.bincount(i, push[:, axis], n_atoms)
            positions[len(core) :, axis] += move[len(core) :]
    atoms = Atoms(f"Pd{n_atoms}", positions % edge, cell=[edge] * 3, pbc=True)
    return atoms, np.arange(n_atoms) < len(core)
