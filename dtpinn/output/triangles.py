"""Triangles over scattered points, without those that bridge holes and notches of the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.tri import Triangulation

Array = npt.NDArray[Any]


def triangulate(
    points: Array, stretch: float = 2.6, *, outward: Array | None = None
) -> Triangulation:
    """Delaunay triangles of a point cloud, the ones outside its domain masked.

    The convex hull is not the domain. A triangle that spans a hole, or the notch of an L, has an
    edge much longer than its corners' distances to their neighbours; on a graded cloud those
    distances vary from point to point, so a triangle is measured against its own corners. Beside a
    boundary lengths do not tell enough: a fan over a notch may be as fine as the nodes on its rim.
    There the normals do: of triangles between boundary points alone those lie outside whose middle
    is outward of their corners.

    Parameters
    ----------
    points : array (n, 2)
    stretch : float
        The longest edge allowed, in units of the mean over the three corners of the local spacing
        (the third shortest of the edges that meet there).
    outward : array (n, 2), optional
        Outward normals of the points on the boundary, zero for all others.

    Returns
    -------
    matplotlib.tri.Triangulation
        With its mask set.
    """
    from matplotlib.tri import Triangulation

    triangulation = Triangulation(points[:, 0], points[:, 1])
    corners = triangulation.triangles
    edges = triangulation.edges
    spacing = _third_shortest(edges, _length(points, edges[:, 0], edges[:, 1]), len(points))
    longest = np.max(
        [_length(points, corners[:, i], corners[:, (i + 1) % 3]) for i in range(3)], axis=0
    )
    mask = longest > stretch * spacing[corners].mean(axis=1)
    if outward is not None:
        mask |= _outside(points[corners], outward[corners])
    if not mask.all():
        triangulation.set_mask(mask)
    return triangulation


def _outside(corners: Array, normals: Array) -> Array:
    """Which triangles (m, 3, 2) of boundary points lie outside, by the normals (m, 3, 2)."""
    towards = corners.mean(axis=1, keepdims=True) - corners
    towards /= np.maximum(np.linalg.norm(towards, axis=2, keepdims=True), np.finfo(float).tiny)
    on_boundary = np.any(normals != 0.0, axis=2).all(axis=1)
    outside: Array = on_boundary & (np.sum(towards * normals, axis=(1, 2)) > 1e-6)
    return outside


def _length(points: Array, start: Array, end: Array) -> Array:
    distance: Array = np.linalg.norm(points[end] - points[start], axis=1)
    return distance


def _third_shortest(edges: Array, lengths: Array, count: int) -> Array:
    """The third shortest edge at each of `count` points, or the longest of fewer.

    Not the median: on the rim of a hole a point can hold more edges across the hole than others.
    """
    ends = np.concatenate([edges[:, 0], edges[:, 1]])
    both = np.concatenate([lengths, lengths])
    order = np.lexsort((both, ends))  # by point, then by length
    degree = np.bincount(ends, minlength=count)
    start = np.cumsum(degree) - degree
    chosen = start + np.clip(degree - 1, 0, 2)
    # A duplicate point has no edges, and no triangles that would ask for its spacing.
    return np.where(degree > 0, both[order][np.minimum(chosen, len(both) - 1)], np.nan)
