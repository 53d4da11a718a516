"""How much of the boundary each side stands for: arc length in the plane, area in space."""

from __future__ import annotations

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.nodes.beside_sides import beside_sides
from dtpinn.nodes.node_set import NodeSet

# Neighbours that can bound a cell, and directions in which its rim is looked for, by dimension.
_NEIGHBOURS = {2: 12, 3: 40}
_DIRECTIONS = {2: 2, 3: 180}
# Neighbours that a side's curvature is taken from, in space.
_BENT = 10
# Sine of the angle from which on a node is beyond a plane.
_BEYOND = 0.2
# Sides that are worked on at a time.
_AT_A_TIME = 200
# Two sides of one node whose normals are nearer than this cosine share a cell: one part ends there
# and another begins, on a boundary that is smooth.
SMOOTH = 0.98


def side_sizes(nodes: NodeSet) -> Floats:
    """Return the measure of each side of the boundary: 1 on a line, else length or area.

    The cell of the points that are nearest to a node along the boundary, found in the plane of the
    side: its rim is half-way to the first neighbour in every direction, and at an edge the other
    side's plane. Chords are taken as the arcs that the normals at their ends make of them, and
    cells in space as on a sphere with the curvature of the side, so that the sum is accurate to
    O(h^4) where the boundary is smooth, and exact on a polygon.

    Parameters
    ----------
    nodes : Nodes

    Returns
    -------
    (sides,) array
        In the order of ``nodes.sides``.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Rectangle((0, 0), (2, 1)), spacing=0.1)
    >>> sizes, part = side_sizes(nodes), nodes.sides.part
    >>> [round(float(sizes[part == k].sum()), 9) for k in range(4)], nodes.parts
    ([1.0, 1.0, 2.0, 2.0], ('left', 'right', 'bottom', 'top'))
    """
    d = nodes.dimension
    sides = nodes.sides
    if d == 1:
        return np.ones(len(sides))
    own = sides.normals
    near, step, chord, lean = beside_sides(nodes, _NEIGHBOURS[d])
    flat = _in_plane(step, own)
    turn = _in_plane(own[near] - own[:, None], own)
    bend = np.einsum("ski,ski->sk", turn, flat)
    bend /= np.maximum(np.linalg.norm(flat, axis=2), 1e-300)
    bend = np.where(lean > 0.5, np.clip(bend, -1.0, 1.0), 0.0)
    arc = chord / np.sinc(np.arcsin(bend) / (2.0 * np.pi))
    # The way along the surface leaves in another direction than the chord, where that twists.
    way = flat + (arc * bend / 6.0)[:, :, None] * turn
    way *= (arc / np.maximum(np.linalg.norm(way, axis=2), 1e-300))[:, :, None]
    around = rays(own)
    round_ = np.zeros(len(sides)) if d == 2 else _curvature(flat, turn, lean > 0.5, own)
    nearest = np.where(chord > 0.0, chord, np.inf).min(axis=1)
    rim = np.concatenate(
        [
            _rim(way[some], np.where(lean > 0.5, arc, np.inf)[some], around[some], round_[some])
            for some in np.array_split(np.arange(len(own)), 1 + len(own) // _AT_A_TIME)
        ]
    )
    rim = np.minimum(rim, 2.0 * nearest[:, None])
    rim = np.where(beyond_edge(nodes, around), 0.0, rim)
    if d == 2:
        return np.asarray(rim.sum(axis=1) / _sharing(nodes))
    cell = np.pi * (rim**2 - round_[:, None] * rim**4 / 12.0).mean(axis=1)
    return np.asarray(cell / _sharing(nodes))


def _rim(way: Floats, arc: Floats, around: Floats, round_: Floats) -> Floats:
    """How far each side's cell reaches in each direction, (sides, directions).

    Half-way on a sphere: tan(r) cos(angle) = tan(arc / 2), to the first order in the curvature.
    """
    along = np.einsum("ski,sri->srk", way, around)
    facing = (along > 0.0) & np.isfinite(arc)[:, None]
    square = np.where(np.isfinite(arc), arc, 0.0)[:, None] ** 2
    reach = square / (2.0 * np.where(facing, along, 1.0))
    reach *= np.clip(1.0 + round_[:, None, None] * (square / 12.0 - reach**2 / 3.0), 0.5, 1.5)
    return np.asarray(np.where(facing, reach, np.inf).min(axis=2))


def _in_plane(ways: Floats, normals: Floats) -> Floats:
    """What of ways (s, k, d) lies in the planes of sides with normals (s, d)."""
    up = np.einsum("ski,si->sk", ways, normals)
    return np.asarray(ways - up[:, :, None] * normals[:, None])


def _curvature(flat: Floats, turn: Floats, smooth: np.ndarray, normals: Floats) -> Floats:
    """Gaussian curvature at each side: how the normals turn with the way to the neighbours."""
    first, second = np.swapaxes(rays(normals)[:, [0, _DIRECTIONS[3] // 4]], 0, 1)
    plane = np.stack([first, second], axis=2)
    some = slice(1, 1 + _BENT)
    way, turned = flat[:, some] @ plane, turn[:, some] @ plane
    way, turned = (np.where(smooth[:, some, None], part, 0.0) for part in (way, turned))
    square = np.swapaxes(way, 1, 2) @ way
    size = np.trace(square, axis1=1, axis2=2)
    square += 1e-9 * np.where(size > 0.0, size, 1.0)[:, None, None] * np.eye(2)
    return np.asarray(np.linalg.det(np.linalg.solve(square, np.swapaxes(way, 1, 2) @ turned)))


def rays(normals: Floats) -> Floats:
    """Unit vectors (sides, directions, d) all around in the plane of each side."""
    d = normals.shape[1]
    if d == 2:
        tangent = np.stack([-normals[:, 1], normals[:, 0]], axis=1)
        return np.stack([tangent, -tangent], axis=1)
    axis = np.eye(3)[np.abs(normals).argmin(axis=1)]
    first = np.cross(normals, axis)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(normals, first)
    angle = 2.0 * np.pi * (np.arange(_DIRECTIONS[3]) + 0.5) / _DIRECTIONS[3]
    return np.asarray(
        np.cos(angle)[:, None] * first[:, None] + np.sin(angle)[:, None] * second[:, None]
    )


def _pairs(nodes: NodeSet) -> tuple[np.ndarray, np.ndarray, Floats]:
    """Sides of the same node, each with each other, and the cosines between their normals."""
    point = nodes.sides.point
    first = np.searchsorted(point, point)
    last = np.searchsorted(point, point, side="right")
    number = last - first
    one = np.repeat(np.arange(len(point)), number)
    start = np.cumsum(number) - number
    other = np.arange(len(one)) - np.repeat(start, number) + np.repeat(first, number)
    apart = one != other
    one, other = one[apart], other[apart]
    normals = nodes.sides.normals
    return one, other, np.asarray(np.einsum("ij,ij->i", normals[one], normals[other]))


def beyond_edge(nodes: NodeSet, around: Floats) -> np.ndarray:
    """Which directions leave a side across the edge to another side of the same node."""
    one, other, lean = _pairs(nodes)
    bent = lean < SMOOTH
    one, other = one[bent], other[bent]
    normals = nodes.sides.normals
    outward = np.einsum("pri,pi->pr", around[one], normals[other])
    # At a re-entrant edge the other side's normal points to where this side is.
    middle = nodes.boundary[nodes.sides.point[one]]
    sign = np.where(_reentrant(nodes, one, other, middle), -1.0, 1.0)
    beyond = np.zeros(around.shape[:2], dtype=bool)
    np.logical_or.at(beyond, one, outward * sign[:, None] > 1e-9)
    return beyond


def _reentrant(nodes: NodeSet, one: np.ndarray, other: np.ndarray, middle: Floats) -> np.ndarray:
    """Whether the domain fills more than half of what is around an edge.

    Then there are nodes beyond the plane of either side, within the other's.
    """
    if not len(one):
        return np.zeros(0, dtype=bool)
    count = min(2 * _NEIGHBOURS[nodes.dimension], nodes.count)
    near = nodes.cell.tree(nodes.collocation).query(middle, k=count)[1].reshape(-1, count)
    step = nodes.cell.difference(nodes.collocation[near], middle[:, None])
    least = _BEYOND * np.linalg.norm(step, axis=2)
    normals = nodes.sides.normals
    first, second = (np.einsum("pki,pi->pk", step, normals[side]) for side in (one, other))
    return np.asarray(
        ((first > least) & (second < -least)).any(axis=1)
        & ((second > least) & (first < -least)).any(axis=1)
    )


def _sharing(nodes: NodeSet) -> Floats:
    """How many sides share each side's cell: 1 but where parts meet on a smooth boundary."""
    one, _, lean = _pairs(nodes)
    others = np.bincount(one[lean >= SMOOTH], minlength=len(nodes.sides.point))
    return np.asarray(1.0 + others)
