"""The shortest ring through an edge, for browsing."""

from __future__ import annotations

import numpy as np

from glassnb.topology.alpha_complex import AlphaComplex
from glassnb.topology.cycles import _kernels
from glassnb.topology.cycles.cycle import Chain, CycleCertificate
from glassnb.topology.cycles.space import space_of

__all__ = ["shortest_ring"]


def shortest_ring(built: AlphaComplex, birth: int, radius: float) -> Chain | None:
    """Close an edge by the path of fewest older edges, and the shortest of these.

    Parameters
    ----------
    built : AlphaComplex
        The complex.
    birth : int
        The edge, a row of the complex.
    radius : float
        How far from its middle to look, in Å.

    Returns
    -------
    Chain or None
        The ring, without a volume, in the order of its edges; ``None`` if there is no path.
    """
    space = space_of(built)
    first, last = built.simplices[1][birth].tolist()
    centre = built.points(1, np.array([birth]))[0].mean(axis=0)
    origin = built.atoms.positions
    atoms, lifts = _kernels.shortest_path(
        *space.edges, origin, space.cell, first, last, built.images[1][birth, 1].astype(np.int64),
        birth, centre, radius,
    )  # fmt: skip
    if not len(atoms):
        return None
    steps = space.edges
    rows, cells = [birth], [np.zeros(3, dtype=np.int64)]
    for k in range(len(atoms) - 1):
        a, hop = atoms[k], lifts[k + 1] - lifts[k]
        listed = slice(steps.starts[a], steps.starts[a + 1])
        same = (steps.ends[listed] == atoms[k + 1]) & (steps.hops[listed] == hop).all(axis=1)
        row = int(steps.rows[listed][same][0])
        rows.append(row)
        forward = built.simplices[1][row, 0] == a and (built.images[1][row, 1] == hop).all()
        cells.append(lifts[k] if forward else lifts[k + 1])
    # a ring that leaves the ball is at least twice its radius around
    longest = float(steps.lengths[steps.rows <= birth].max())
    proven = len(rows) * longest < 2 * radius
    certificate = CycleCertificate(
        "shortest path", radius, float(len(rows)), True, proven, "searched breadth first"
    )
    none = np.empty(0, dtype=np.int64)
    return Chain(none, none.reshape(0, 3), np.array(rows), np.array(cells), certificate)
