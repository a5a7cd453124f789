"""Compiled loops over the simplices of an alpha complex."""

import numpy as np

from glassnb.core.jit import kernel


@kernel
def filtration(
    points, weights, tetrahedra, triangles, edges, faces, sides, ends, values, triangle_values,
    edge_values, vertex_values,
):  # fmt: skip
    """Find where each face enters the complex, from the values of the tetrahedra.

    A face enters at the power of its own smallest sphere, unless a neighbouring vertex lies inside
    that sphere, and then with the first of its cofaces. ``faces`` are the triangles of each
    tetrahedron, ``sides`` the edges of each triangle and ``ends`` the vertices of each edge, each
    opposite the vertex that stands at its place; points are those of one copy of each simplex.
    """
    n = triangles.shape[0]
    middle = np.empty((n, 3))
    own = np.empty(n)
    for f in range(n):
        p = points[triangles[f, 0]]
        u = points[triangles[f, 1]] - p
        v = points[triangles[f, 2]] - p
        w0 = weights[triangles[f, 0]]
        uu = u[0] * u[0] + u[1] * u[1] + u[2] * u[2]
        vv = v[0] * v[0] + v[1] * v[1] + v[2] * v[2]
        uv = u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
        a = (uu - weights[triangles[f, 1]] + w0) / 2.0
        b = (vv - weights[triangles[f, 2]] + w0) / 2.0
        det = uu * vv - uv * uv
        s = (a * vv - b * uv) / det
        t = (b * uu - a * uv) / det
        own[f] = -w0
        for k in range(3):
            middle[f, k] = s * u[k] + t * v[k]
            own[f] += middle[f, k] * middle[f, k]
    triangle_values[:] = np.inf
    attached = np.zeros(n, dtype=np.bool_)
    for i in range(tetrahedra.shape[0]):
        for k in range(4):
            f = faces[i, k]
            first = points[tetrahedra[i, 1 if k == 0 else 0]]
            q = points[tetrahedra[i, k]]
            power = -weights[tetrahedra[i, k]]
            for c in range(3):
                x = q[c] - first[c] - middle[f, c]
                power += x * x
            if not power >= own[f]:  # true for NaN as well
                attached[f] = True
            triangle_values[f] = min(triangle_values[f], values[i])
    for f in range(n):
        if not attached[f]:
            triangle_values[f] = min(own[f], triangle_values[f])
    edge_values[:] = np.inf
    m = edges.shape[0]
    attached = np.zeros(m, dtype=np.bool_)
    own = np.empty(m)
    along = np.empty(m)
    for e in range(m):
        u = points[edges[e, 1]] - points[edges[e, 0]]
        w0 = weights[edges[e, 0]]
        uu = u[0] * u[0] + u[1] * u[1] + u[2] * u[2]
        along[e] = (uu + w0 - weights[edges[e, 1]]) / (2.0 * uu)
        own[e] = along[e] * along[e] * uu - w0
    for f in range(n):
        for k in range(3):
            e = sides[f, k]
            i, j = (1, 2) if k == 0 else ((0, 2) if k == 1 else (0, 1))
            p, r = points[triangles[f, i]], points[triangles[f, j]]
            q = points[triangles[f, k]]
            power = -weights[triangles[f, k]]
            for c in range(3):
                x = q[c] - p[c] - along[e] * (r[c] - p[c])
                power += x * x
            if not power >= own[e]:
                attached[e] = True
            edge_values[e] = min(edge_values[e], triangle_values[f])
    for e in range(m):
        if not attached[e]:
            edge_values[e] = min(own[e], edge_values[e])
    n_vertices = vertex_values.size
    lowest = np.full(n_vertices, np.inf)
    attached = np.zeros(n_vertices, dtype=np.bool_)
    for e in range(m):
        u = points[edges[e, 1]] - points[edges[e, 0]]
        uu = u[0] * u[0] + u[1] * u[1] + u[2] * u[2]
        for k in range(2):
            v = ends[e, k]
            # the vertex is the other end of the edge than the one opposite which it stands
            if uu - weights[edges[e, k]] < -weights[edges[e, 1 - k]]:
                attached[v] = True
            vertex_values[v] = 0.0 - weights[edges[e, 1 - k]]
            lowest[v] = min(lowest[v], edge_values[e])
    for v in range(n_vertices):
        if attached[v] or lowest[v] < vertex_values[v]:
            vertex_values[v] = lowest[v]


@kernel
def coface_table(faces, n_faces, cofaces):
    """List the two tetrahedra on the sides of each triangle, -1 for none; return how many fit."""
    cofaces[:] = -1
    counts = np.zeros(n_faces, dtype=np.int64)
    for t in range(faces.shape[0]):
        for k in range(4):
            f = faces[t, k]
            if counts[f] < 2:
                cofaces[f, counts[f]] = t
            counts[f] += 1
    return counts


@kernel
def components(n_vertices, ends, killed):
    """Join vertices along edges in their order; note the vertex whose class each edge ends.

    Vertices and edges are numbered by value; of two components the one with the later first
    vertex ends. ``killed`` is -1 for edges that close a loop.
    """
    parent = np.arange(n_vertices)
    for e in range(ends.shape[0]):
        a, b = ends[e, 0], ends[e, 1]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a == b:
            killed[e] = -1
        else:
            killed[e] = max(a, b)
            parent[max(a, b)] = min(a, b)


@kernel
def voids(n_tetrahedra, cofaces, killers):
    """Join tetrahedra through triangles in falling order; note the tetrahedron that fills each.

    The void that a triangle closes off is filled by its last tetrahedron; of two voids the one
    that is filled earlier is the younger. The outside, where there is one, counts as filled last.
    ``killers`` is -1 for triangles that close off nothing.
    """
    parent = np.arange(n_tetrahedra + 1)
    for f in range(cofaces.shape[0] - 1, -1, -1):
        a, b = cofaces[f, 0], cofaces[f, 1]
        if b < 0:
            b = n_tetrahedra
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a == b:
            killers[f] = -1
        else:
            killers[f] = min(a, b)
            parent[min(a, b)] = max(a, b)


@kernel
def _push(heap, size, item):
    """Put an item into a heap with the largest on top."""
    at = size
    while at > 0:
        up = (at - 1) // 2
        if heap[up] >= item:
            break
        heap[at] = heap[up]
        at = up
    heap[at] = item


@kernel
def _drop(heap, size):
    """Take the top off a heap of ``size`` items."""
    item = heap[size - 1]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size - 1:
            break
        if below + 1 < size - 1 and heap[below + 1] > heap[below]:
            below += 1
        if heap[below] <= item:
            break
        heap[at] = heap[below]
        at = below
    heap[at] = item


@kernel
def reduce_triangles(sides, skip, tree, owners):
    """Reduce the boundaries of triangles over Z/2; note the edge whose loop each triangle fills.

    Triangles in ``skip`` are known to create a void and need no reduction (clearing: C. Chen and
    M. Kerber, EuroCG 2011); edges in ``tree`` join components and are never what is looked for, so
    they are left out of the columns (compression). ``owners`` is -1 for triangles that fill none.
    """
    n_edges = tree.size
    column_of = np.full(n_edges, -1, dtype=np.int64)
    starts = np.zeros(sides.shape[0] + 1, dtype=np.int64)
    entries = np.empty(4 * sides.shape[0] + 16, dtype=np.int64)
    marks = np.zeros(n_edges, dtype=np.bool_)
    heap = np.empty(64, dtype=np.int64)
    filled = 0
    for f in range(sides.shape[0]):
        starts[f] = filled
        starts[f + 1] = filled
        owners[f] = -1
        if skip[f]:
            continue
        size = 0
        for k in range(3):
            e = sides[f, k]
            if tree[e]:
                continue
            marks[e] = not marks[e]
            if marks[e]:
                _push(heap, size, e)
                size += 1
        pivot = -1
        while size > 0:
            top = heap[0]
            if not marks[top]:
                _drop(heap, size)
                size -= 1
                continue
            other = column_of[top]
            if other < 0:
                pivot = top
                break
            for i in range(starts[other], starts[other + 1]):
                e = entries[i]
                marks[e] = not marks[e]
                if marks[e]:
                    if size == heap.size:
                        larger = np.empty(2 * size, dtype=np.int64)
                        larger[:size] = heap
                        heap = larger
                    _push(heap, size, e)
                    size += 1
        if pivot < 0:
            continue
        owners[f] = pivot
        column_of[pivot] = f
        for i in range(size):
            e = heap[i]
            if marks[e]:
                marks[e] = False
                if filled == entries.size:
                    longer = np.empty(2 * filled, dtype=np.int64)
                    longer[:filled] = entries
                    entries = longer
                entries[filled] = e
                filled += 1
        starts[f + 1] = filled
