"""Boundary points that come once for each face, as meshes and CAD give them: one node each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats, Integers
from dtpinn.geometry import Sides
from dtpinn.geometry.sides import united_sides

Flags = npt.NDArray[np.bool_]

# Cosines. Normals at a point with a smaller one are those of the two faces of a slit: a node on
# each. Those of one part with a larger one, 15 degrees, are of the facets of a smooth face.
OPPOSED, ALIKE = -0.9, 0.966
# Neighbours on a boundary are at most so many times as far as the nearest; and how many points are
# asked for it, where several may be at one place.
STEP, TWICE = 1.7, 12
# Three normals may cancel.
CANCELLED = 1e-3


def merge_faces(
    points: Floats, normals: Floats, part: Integers, tolerance: float
) -> tuple[Integers, Floats, Sides]:
    """Make boundary points that coincide one node, with a side for each of the faces there.

    Points of one part whose normals differ by less than 15 degrees are of one face: the facets of a
    smooth surface, or a repetition. Points whose normals oppose each other, as on the two faces of
    a slit, stay two; so do those that end such faces, as the corners of two rooms do where the wall
    between them has no width.

    Parameters
    ----------
    points, normals
        (n, d)
    part
        (n,)
    tolerance
        Points that are nearer to each other coincide.

    Returns
    -------
    rows
        (nb,), ascending: the first of ``points`` at each node.
    mean
        (nb, d), the normalised mean of the normals at each node.
    sides
        Of the nodes.

    Examples
    --------
    The corner of a square, given by both of its edges, and a point beside it:

    >>> points = np.array([[1.0, 0.0], [1.0, 0.5], [1.0, 0.0]])
    >>> outward = np.array([[0.0, -1.0], [1.0, 0.0], [1.0, 0.0]])
    >>> rows, mean, sides = merge_faces(points, outward, np.array([0, 1, 1]), 1e-9)
    >>> rows, mean.round(3).tolist()
    (array([0, 1]), [[0.707, -0.707], [1.0, 0.0]])
    >>> sides.point, sides.part
    (array([0, 0, 1]), array([0, 1, 1]))
    """
    first = _first_there(points, normals, tolerance)
    rows = np.flatnonzero(first == np.arange(len(points)))
    node = np.searchsorted(rows, first)
    sides = united_sides(Sides.one_each(normals, part), node, ALIKE)
    mean = np.zeros((len(rows), normals.shape[1]))
    np.add.at(mean, sides.point, sides.normals)
    length = np.linalg.norm(mean, axis=1, keepdims=True)
    several = sides.several(len(rows))[:, None] & (length > CANCELLED)
    one = sides.normals[np.searchsorted(sides.point, np.arange(len(rows)))]
    return rows, np.where(several, mean / np.where(several, length, 1.0), one), sides


def _ends_faces(points: Floats, places: Floats, faces: Floats, tolerance: float) -> Flags:
    """Whether the faces of a slit are nearest neighbours of places (k, d) on the boundary; (k,)."""
    if not len(places):
        return np.zeros(0, dtype=np.bool_)
    count = min(TWICE, len(points))
    distance = np.asarray(cKDTree(points).query(places, k=np.arange(1, count + 1))[0])
    step = np.where(distance > tolerance, distance, np.inf).min(axis=1)
    nearest = np.asarray(cKDTree(faces).query(places)[0])
    # At the end itself a cap joins a face.
    return np.asarray((nearest > tolerance) & (nearest <= STEP * step))


def _first_there(points: Floats, normals: Floats, tolerance: float) -> Integers:
    """For each point the row of the one whose node it goes to, itself or an earlier one; (n,)."""
    first = np.arange(len(points))
    a, b = cKDTree(points).query_pairs(tolerance, output_type="ndarray").T
    joins = np.einsum("ij,ij->i", normals[a], normals[b]) > OPPOSED
    while not joins.all():  # first the edges of the faces, then their corners
        ends = _ends_faces(points, points[a[joins]], points[a[~joins]], tolerance)
        if not ends.any():
            break
        joins[joins] = ~ends
    free = np.ones(len(points), dtype=np.bool_)
    # Round by round: of the points at a place that have no node yet the first one makes one.
    while a.size:
        makes = free.copy()
        makes[b] = False
        taken = makes[a] & joins
        first[b[taken]] = a[taken]
        free[makes] = False
        free[b[taken]] = False
        left = free[a] & free[b]
        a, b, joins = a[left], b[left], joins[left]
    return first
