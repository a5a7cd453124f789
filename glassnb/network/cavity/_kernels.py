"""Compiled loop over the grid points near each of many points."""

import numpy as np
from numba import prange

from glassnb.core.jit import parallel_kernel


@parallel_kernel
def nearest(points, steps, reach, half_width, squared, owner):
    """Lower ``squared`` to the square of the distance to the nearest of ``points``.

    ``squared`` is a periodic grid whose point (i, j, k) lies at ``i a + j b + k c`` for the rows
    a, b, c of ``steps``; ``points`` are in units of the steps. ``owner`` receives the index of the
    nearest point. Points farther than ``reach`` are not looked at; ``half_width`` is the reach in
    units of the first two steps. Indices outside the grid stand for images of the cell.
    """
    n0, n1, n2 = squared.shape
    a, b, c = steps[0], steps[1], steps[2]
    cc = c[0] * c[0] + c[1] * c[1] + c[2] * c[2]
    for plane in prange(n0):
        for p in range(len(points)):
            x, y, z = points[p, 0], points[p, 1], points[p, 2]
            i = plane + n0 * int(np.ceil((x - half_width[0] - plane) / n0))
            while i <= x + half_width[0]:
                for j in range(
                    int(np.ceil(y - half_width[1])), int(np.floor(y + half_width[1])) + 1
                ):
                    v0 = (i - x) * a[0] + (j - y) * b[0]
                    v1 = (i - x) * a[1] + (j - y) * b[1]
                    v2 = (i - x) * a[2] + (j - y) * b[2]
                    vv = v0 * v0 + v1 * v1 + v2 * v2
                    vc = v0 * c[0] + v1 * c[1] + v2 * c[2]
                    # the stretch of this line of grid points that lies within the sphere
                    within = vc * vc - cc * (vv - reach * reach)
                    if within < 0:
                        continue
                    first = int(np.ceil(z + (-vc - np.sqrt(within)) / cc))
                    last = int(np.floor(z + (-vc + np.sqrt(within)) / cc))
                    row = j % n1
                    for k in range(first, last + 1):
                        t = k - z
                        distance = vv + t * (2 * vc + t * cc)
                        at = k % n2
                        if distance < squared[plane, row, at]:
                            squared[plane, row, at] = distance
                            owner[plane, row, at] = p
                i += n0


@parallel_kernel
def inside(corners, inverses, low, high, slack, regions, marked, owner):
    """Give each marked point of a periodic grid the region of the tetrahedron that holds it.

    All in units of the grid's steps: ``corners`` are the first corners of the tetrahedra, between
    ``low`` and ``high`` they lie, and ``inverses`` take a vector from the first corner to its
    shares of the three edges that begin there. Points outside by up to ``slack`` of an edge count.
    """
    n0, n1, n2 = marked.shape
    for t in prange(len(corners)):
        m = inverses[t]
        for i in range(int(np.ceil(low[t, 0])), int(np.floor(high[t, 0])) + 1):
            for j in range(int(np.ceil(low[t, 1])), int(np.floor(high[t, 1])) + 1):
                # the stretch of this line of grid points along which no share is negative
                first, last = low[t, 2], high[t, 2]
                rest, change = 1.0, 0.0
                for c in range(4):
                    if c < 3:
                        share = (
                            m[c, 0] * (i - corners[t, 0])
                            + m[c, 1] * (j - corners[t, 1])
                            - m[c, 2] * corners[t, 2]
                        )
                        slope = m[c, 2]
                        rest -= share
                        change -= slope
                    else:
                        share, slope = rest, change
                    if slope > 0:
                        first = max(first, (-slack - share) / slope)
                    elif slope < 0:
                        last = min(last, (-slack - share) / slope)
                    elif share < -slack:
                        last = first - 1
                if first > last:  # by far, maybe: more than a whole number can hold
                    continue
                for k in range(int(np.ceil(first)), int(np.floor(last)) + 1):
                    if marked[i % n0, j % n1, k % n2]:
                        owner[i % n0, j % n1, k % n2] = regions[t]
