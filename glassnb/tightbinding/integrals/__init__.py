"""Overlap and Hamiltonian of GFN1-xTB between all pairs of atoms in reach, and their derivatives.

Matrices are kept as one block for each pair of atoms, each pair once, so that work and memory grow
with the number of atoms. In Hartree and bohr.
"""

from glassnb.tightbinding.integrals.hamiltonian import Hamiltonian, hamiltonian
from glassnb.tightbinding.integrals.pairs import AtomPairs, atom_pairs

__all__ = ["AtomPairs", "Hamiltonian", "atom_pairs", "hamiltonian"]
