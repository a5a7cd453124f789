"""The smallest volume of a ring, by linear programming.

Of all sets of triangles, with signs, that hold the triangle of death and else only older ones, and
whose boundary holds no edge younger than birth (or than birth plus the stability), the one with the
fewest triangles is wanted. A set that stays within a ball is one of these. A set that may end on
the border of the ball has more freedom than any of these has within it. If the smallest set of the
second kind does not end there after all, it is thus the smallest of all, in the infinite structure;
else the ball has to grow.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array, csc_array, hstack

from glassnb.topology.cycles.cycle import Chain, CycleCertificate
from glassnb.topology.cycles.space import Ints, Space, keys_of

__all__ = ["NoVolume", "smallest_volume"]

_GROWTH = 1.5
_START = 3.0  # times the radius of the largest ball at death
_TIE = 1e-4  # of a triangle: of sets of equal size, the one with the older triangles is taken
_WHOLE = 1e-6
# so fine that ages decide as well
_TOLERANCES = {"dual_feasibility_tolerance": 1e-10, "primal_feasibility_tolerance": 1e-9}


class NoVolume(ValueError):
    """There is no volume where it was looked for."""


class _Programme(NamedTuple):
    """Triangles, edges by triangles with signs, and whether each edge has to vanish."""

    rows: Ints
    lifts: Ints
    edges: csc_array
    inner: NDArray[np.bool_]
    death: int


class _Solution(NamedTuple):
    signs: NDArray[np.float64]
    size: float
    closed: bool
    integral: bool
    status: str


def smallest_volume(
    space: Space, death: int, youngest: int, radius: float | None, max_radius: float
) -> Chain:
    """Find the smallest volume of a ring.

    Parameters
    ----------
    space : Space
        The complex, unfolded.
    death : int
        The triangle of death.
    youngest : int
        The first edge that must not be in the boundary.
    radius : float or None
        Look in this ball around the triangle of death, in Å; grow one when ``None``.
    max_radius : float
        Largest ball, in Å.

    Returns
    -------
    Chain
        The volume and its boundary.

    Raises
    ------
    NoVolume
        If there is none.
    """
    if radius is not None:
        return _within(space, death, youngest, radius)
    built = space.built
    largest = 0.0 if built.radii is None else max(built.radii.values()) ** 2
    ball = _START * float(np.sqrt(max(built.values[2][death] + largest, 0.01)))
    while True:
        ball = min(ball, max_radius)
        programme = _assemble(space, death, youngest, ball, open_border=True)
        solution = None if programme is None else _solve(space, programme)
        if programme is None or solution is None:
            raise NoVolume(
                "there is no volume in the infinite structure: the ring winds around the cell, or "
                "enters together with others"
            )
        if solution.closed:
            return _chain(space, programme, solution, ball, proven=True)
        if ball == max_radius:
            raise NoVolume(
                f"its volume takes {np.ceil(solution.size - 0.01):.0f} triangles or more, some of "
                f"them more than {max_radius:g} Å away from the triangle of death, or winds"
            )
        ball *= _GROWTH


def _within(space: Space, death: int, youngest: int, radius: float) -> Chain:
    """Find the smallest volume within a ball."""
    programme = _assemble(space, death, youngest, radius, open_border=False)
    solution = None if programme is None else _solve(space, programme)
    if programme is None or solution is None:
        raise NoVolume(f"there is no volume within {radius:g} Å of the triangle of death")
    return _chain(space, programme, solution, radius, proven=False)


def _assemble(
    space: Space, death: int, youngest: int, radius: float, *, open_border: bool
) -> _Programme | None:
    """List triangles and edges within a ball; ``None`` if it can be seen that there is no volume.

    With an open border the edges that have triangles outside need not vanish.
    """
    rows, lifts = space.ball(space.centroids[death], radius)
    sides, cells = space.faces(2, rows, lifts)
    young = sides >= youngest
    _, numbers, counts = np.unique(
        keys_of(sides[young], cells[young]), return_inverse=True, return_counts=True
    )
    edge = np.full(sides.shape, len(counts))  # one more, for edges that may be in the boundary
    edge[young] = numbers
    inner = np.ones(len(counts) + 1, dtype=bool)
    if open_border:
        inner[numbers] = counts[numbers] == space.degrees[sides[young]]

    is_death = (rows == death) & (lifts == 0).all(axis=1)
    keep = is_death | ((rows < death) & young.any(axis=1))
    binding = young & inner[edge]
    while True:  # a triangle with an edge that no other triangle has cannot take part
        counts = np.bincount(edge[binding & keep[:, None]], minlength=len(inner))
        lone = keep & (binding & (counts[edge] == 1)).any(axis=1)
        if (lone & is_death).any():
            return None
        if not lone.any():
            break
        keep &= ~lone
    keep &= is_death | binding.any(axis=1)

    kept, edge, young = rows[keep], edge[keep], young[keep]
    which, numbers = np.unique(edge[young], return_inverse=True)
    triangle = np.broadcast_to(np.arange(len(kept))[:, None], edge.shape)[young]
    signs = np.broadcast_to([1.0, -1.0, 1.0], edge.shape)[young]
    edges = coo_array((signs, (numbers, triangle)), shape=(len(which), len(kept))).tocsc()
    return _Programme(
        kept, lifts[keep], edges, inner[which], int(np.flatnonzero(is_death[keep])[0])
    )


def _solve(space: Space, programme: _Programme) -> _Solution | None:
    """Solve a programme; ``None`` if there is no solution."""
    rows, death = programme.rows, programme.death
    others = np.flatnonzero(np.arange(len(rows)) != death)
    rules = programme.edges[np.flatnonzero(programme.inner)]
    target = -rules[:, [death]].toarray()[:, 0]
    signs = np.zeros(len(rows))
    signs[death] = 1
    if not target.any():
        return _Solution(signs, 1.0, _is_closed(programme, signs), True, "nothing to solve")
    ages = space.built.values[2][rows]
    span = max(float(np.ptp(ages)), 1e-300)
    costs = np.tile((1 + _TIE * (ages - ages.min()) / span)[others], 2)
    both = hstack([rules[:, others], -rules[:, others]], format="csc")
    answer = linprog(costs, A_eq=both, b_eq=target, method="highs", options=_TOLERANCES)
    if answer.x is None:
        return None
    signs[others] = np.subtract(*np.split(answer.x, 2))
    closed, size = _is_closed(programme, signs), float(np.abs(signs).sum())
    whole = np.round(signs)
    integral = bool((np.abs(signs - whole) <= _WHOLE).all() and np.abs(whole).max() == 1)
    if closed and not integral:
        answer = milp(
            costs, constraints=LinearConstraint(both, target, target), bounds=Bounds(0, 1),
            integrality=np.ones(len(costs)),
        )  # fmt: skip
        if answer.x is None:
            return None
        whole[others] = np.round(np.subtract(*np.split(answer.x, 2)))
        closed, size = _is_closed(programme, whole), float(np.abs(whole).sum())
    return _Solution(whole, size, closed, integral, answer.message)


def _is_closed(programme: _Programme, signs: NDArray[np.float64]) -> bool:
    """Tell whether no edge that is too young is in the boundary, those on the border included."""
    return bool((np.abs(programme.edges @ signs) <= _WHOLE).all())


def _chain(
    space: Space, programme: _Programme, solution: _Solution, radius: float, *, proven: bool
) -> Chain:
    taken = np.flatnonzero(solution.signs)
    taken = taken[np.argsort(programme.rows[taken], kind="stable")]
    rows, lifts = programme.rows[taken], programme.lifts[taken]
    certificate = CycleCertificate(
        "linear programme" if solution.integral else "integer programme", radius,
        solution.size, solution.integral, proven, solution.status,
    )  # fmt: skip
    return Chain(rows, lifts, *space.boundary(2, rows, lifts), certificate)
