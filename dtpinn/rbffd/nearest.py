"""The node nearest to a place, on the same side of every wall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats
from dtpinn.nodes.walls import Walls

LOOKED_AT = {1: 4, 2: 16, 3: 48}
"""Nodes that are looked at for one in sight, by dimension; beside a thin wall half are beyond."""

RANGE = {1: 16, 2: 64, 3: 256}
"""Nodes near a piece of the boundary that it may hide, by dimension."""


def nearest_in_sight(
    points: Floats,
    places: Floats,
    walls: Walls | None,
    *,
    threads: int = 1,
) -> tuple[Floats, NDArray[np.intp]]:
    """Find for each place the nearest node that it sees.

    Parameters
    ----------
    points : (N, d) array
        All nodes.
    places : (rows, d) array
        Where.
    walls : Walls, optional
        The boundary, where it is known.
    threads : int
        For the search. The nodes do not depend on it.

    Returns
    -------
    distance : (rows,) array
        From place to node.
    nearest : (rows,) int array
        The nodes; of a place that sees none, such as one inside a wall, the nearest of all.

    Examples
    --------
    >>> nearest_in_sight(np.array([[0.0], [1.0]]), np.array([[0.7]]), None)
    (array([0.3]), array([1]))
    """
    tree = cKDTree(points)
    distance, nearest = map(np.asarray, tree.query(places, workers=threads))
    if walls is None or not len(places):
        return distance, nearest
    dimension = points.shape[1]
    pieces = walls.in_the_way(tree, RANGE[dimension])
    if not pieces.any():
        return distance, nearest
    rows = np.flatnonzero(walls.within(places, distance))
    asked = np.arange(1, min(LOOKED_AT[dimension], len(points)) + 1)
    far, near = map(np.asarray, tree.query(places[rows], k=asked, workers=threads))
    seen = ~walls.hidden(walls.seen_from(places[rows]), near, pieces)
    first = np.arange(len(rows)), seen.argmax(axis=1)
    distance[rows], nearest[rows] = far[first], near[first]
    return distance, nearest
