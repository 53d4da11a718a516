"""Triangles over scattered points, without those that bridge holes and notches of the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.tri import Triangulation

Array = npt.NDArray[Any]


def triangulate(points: Array, stretch: float = 2.6) -> Triangulation:
    """Delaunay triangles of a point cloud, the ones outside its domain masked.

    The convex hull is not the domain. A triangle that spans a hole, or the notch of an L, has an
    edge much longer than its corners' distances to their neighbours; on a graded cloud those
    distances vary from point to point, so a triangle is measured against its own corners.

    Parameters
    ----------
    points : array (n, 2)
    stretch : float
        The longest edge allowed, in units of the mean over the three corners of the local spacing
        (the third shortest of the edges that meet there).

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
    if not mask.all():
        triangulation.set_mask(mask)
    return triangulation


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
