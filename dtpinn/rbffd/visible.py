"""Stencils beside walls: of the nodes near a centre, those that it reaches through the domain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dtpinn.nodes.walls import Walls
from dtpinn.nodes.ways import ways

DETOUR = 1.3
"""How much longer than the straight line the way to a member that is out of sight may be."""

LOOKED_AT = 16
"""How many times the size of the stencil are looked at before it is given up."""


def behind_walls(
    walls: Walls, tree: cKDTree, rows: NDArray[np.integer], members: NDArray[np.intp]
) -> NDArray[np.intp]:
    """List the rows that have a member out of sight.

    Parameters
    ----------
    walls : Walls
        The boundary.
    tree : cKDTree
        Of all nodes.
    rows : (rows,) int array
        The centres.
    members : (rows, n) int array
        The nodes nearest to each.

    Returns
    -------
    (k,) int array
        Ascending.
    """
    pieces = walls.in_the_way(tree, 2 * members.shape[1])
    if not pieces.any():
        return np.zeros(0, dtype=np.intp)
    first = np.flatnonzero(walls.beside(pieces)[walls.stand[members]].any(axis=1))
    places = walls.eyes[walls.stand[rows[first]]]
    return first[walls.hidden(places, members[first], pieces).any(axis=1)]


def reached(
    walls: Walls, tree: cKDTree, rows: NDArray[np.integer], size: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the nearest nodes that are in sight of each row's node, or a little way round a corner.

    Parameters
    ----------
    walls : Walls
        The boundary.
    tree : cKDTree
        Of all nodes.
    rows : (rows,) int array
        The centres.
    size : int
        n, the number of nodes of a stencil.

    Returns
    -------
    members : (rows, n) int array
        The centre first, the others by their distance.
    distance : (rows, n) array
        Of each.

    Raises
    ------
    ValueError
        If so many nodes are not to be reached; names the place.
    """
    members = np.empty((len(rows), size), dtype=np.intp)
    distance = np.empty((len(rows), size))
    left, asked = np.arange(len(rows)), 2 * size
    while left.size:
        asked = min(asked, tree.n)
        near, far, there = _reached(walls, tree, rows[left], asked)
        enough = there.sum(axis=1) >= size
        order = np.argsort(~there[enough], axis=1, kind="stable")[:, :size]
        members[left[enough]] = np.take_along_axis(near[enough], order, axis=1)
        distance[left[enough]] = np.take_along_axis(far[enough], order, axis=1)
        found, left = there.sum(axis=1)[~enough], left[~enough]
        if left.size and (asked == tree.n or asked >= LOOKED_AT * size):
            raise _too_few(np.asarray(tree.data), rows[left], found, size)
        asked *= 2
    return members, distance


def _reached(
    walls: Walls, tree: cKDTree, rows: NDArray[np.integer], count: int
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the nearest nodes, their distances, and whether each is reached."""
    points = np.asarray(tree.data)
    found = tree.query(points[rows], k=np.arange(1, count + 1))
    distance, near = np.asarray(found[0]), np.asarray(found[1], dtype=np.intp)
    # The centre first, even where it has a twin on the other face of a slit.
    own = near == rows[:, None]
    order = np.argsort(~own, axis=1, kind="stable")
    near, distance = (np.take_along_axis(a, order, axis=1) for a in (near, distance))
    starts, nodes = walls.stand[rows], walls.stand[near]
    there = ~walls.hidden(walls.eyes[starts], near)
    straight = np.linalg.norm(walls.points[nodes] - walls.points[starts][:, None], axis=2)
    longest = DETOUR * straight
    there |= ways(walls, starts, nodes, float(longest.max())) <= longest
    there[:, 0] = True
    return near, distance, there


def _too_few(
    points: NDArray[np.float64], rows: NDArray[np.integer], found: NDArray[np.intp], size: int
) -> ValueError:
    worst = int(found.argmin())
    return ValueError(
        f"a stencil needs {size} nodes, and from node {rows[worst]} at "
        f"{points[rows[worst]].tolist()} only {found[worst]} are reached without crossing the "
        f"boundary ({len(rows)} such nodes in all): use a finer spacing there, or ask for a lower "
        "order or a smaller stencil_size"
    )
