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
