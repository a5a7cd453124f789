"""Peer packages, called on ase.Atoms."""

import warnings

import numpy as np

from glassnb.core.neighbours import wrapping


def sova_atoms(atoms):
    """Give SOVA a structure in a box of right angles, without its slow file reader."""
    from sovapy.core.data import Atoms as SovaAtoms
    from sovapy.core.volumes import Volume

    edges = atoms.cell.lengths()
    positions = atoms.get_positions(wrap=True) - edges / 2
    cell = f"CUB {edges[0]}" if np.ptp(edges) < 1e-9 else "ORT {} {} {}".format(*edges)
    symbols = [symbol.upper() for symbol in atoms.get_chemical_symbols()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SovaAtoms(positions, None, symbols, Volume.fromstring(cell))


def sova_rings(atoms, definition, bonds, max_size=24):
    """Return the closed rings of SOVA: atoms in order, roundness and roughness of each.

    SOVA gets our bonds and the cells they cross, so that both search the same net.
    """
    from sovapy.computation.rings import RINGs

    theirs = sova_atoms(atoms)
    moved = wrapping(atoms)
    shifts = bonds.images + moved[bonds.indices] - moved[bonds.centres]
    rows = list(zip(bonds.offsets[:-1], bonds.offsets[1:], strict=True))
    theirs._bonds = np.empty(len(atoms), dtype=object)
    for k, (first, last) in enumerate(rows):
        theirs._bonds[k] = bonds.indices[first:last].tolist()
    theirs.shifts = [shifts[first:last] for first, last in rows]
    theirs.change_bond_lengths = False
    search = RINGs(theirs)
    kind = {"king": 1, "guttman": 0, "primitive": 2}[definition]
    search.calculate(kind, cutoff_size=max_size, num_parallel=1)
    return [
        (tuple(ring.indexes), ring.roundness, ring.roughness)
        for ring in search.rings
        if ring.closed
    ]
