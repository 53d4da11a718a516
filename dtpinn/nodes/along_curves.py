"""Integrals along the boundary: weights of its sides, of a high order where it is a curve."""

from __future__ import annotations

import numpy as np

from dtpinn.arrays import Floats, Integers
from dtpinn.nodes.beside_sides import beside_sides
from dtpinn.nodes.node_set import NodeSet
from dtpinn.nodes.side_sizes import SMOOTH, beyond_edge, rays, side_sizes

# Nodes of a polynomial along a curve, and neighbours among which the next one is.
_NODES = 6
_NEIGHBOURS = 12
# Sum of two neighbours' normals along the way between them: more is no arc.
_ASKEW = 0.2


def side_weights(nodes: NodeSet) -> Floats:
    """Return the weights with which values on the sides add up to integrals along the boundary.

    In the plane sides follow each other along curves. Between two of them the integral is that of
    the polynomial, in the length of arc, through the six nearest along the curve: to O(h^4), the
    accuracy of the lengths, and to O(h^6) where these are exact, on straight lines and circles. On
    the line a side weighs 1; on a surface as much as its cell, which adds up to the area to O(h^4),
    but integrates other functions to O(h^2) only.

    Parameters
    ----------
    nodes : Nodes

    Returns
    -------
    (sides,) array
        In the order of ``nodes.sides``; positive.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Rectangle(), spacing=0.1)
    >>> on_top = nodes.sides.part == nodes.parts.index("top")
    >>> x = nodes.boundary[nodes.sides.point[on_top], 0]
    >>> bool(abs(side_weights(nodes)[on_top] @ np.exp(x) - (np.e - 1)) < 1e-7)
    True
    """
    sizes = side_sizes(nodes)
    if nodes.dimension != 2 or not len(sizes):
        return sizes
    following, before = _neighbours(nodes)
    weights = np.zeros(len(sizes))
    # One without any neighbour: what is known of it is its size.
    alone = (following < 0) & (before < 0)
    weights[alone] = sizes[alone]
    arc = _arcs(nodes, following)
    left = np.flatnonzero(following >= 0)
    for count in range(_NODES, 1, -1):
        window, at = _windows(left, following, before, count)
        # A closed curve of fewer nodes comes back to where it began.
        fits = (window >= 0).all(axis=1) & (np.diff(np.sort(window, axis=1), axis=1) > 0).all(
            axis=1
        )
        some, begin = window[fits], at[fits]
        place = np.cumsum(np.pad(arc[some[:, :-1]], ((0, 0), (1, 0))), axis=1)
        start = np.take_along_axis(place, begin[:, None], axis=1)
        length = np.take_along_axis(place, begin[:, None] + 1, axis=1) - start
        power = np.arange(count)[:, None]
        moments = np.broadcast_to(1.0 / (power + 1.0), (len(some), count, 1))
        values = np.linalg.solve(((place - start) / length)[:, None, :] ** power, moments)
        np.add.at(weights, some, values[:, :, 0] * length)
        left = left[~fits]
    return weights


def _neighbours(nodes: NodeSet) -> tuple[Integers, Integers]:
    """The sides that follow and precede each side along a curve; -1 where it ends."""
    part, each = nodes.sides.part, np.arange(len(nodes.sides))
    near, step, chord, lean = beside_sides(nodes, _NEIGHBOURS)
    # Where one part ends and another begins a node has a side on each.
    same = (nodes.sides.point[near] == nodes.sides.point[:, None]) & (near != each[:, None])
    meeting = (same & (lean >= SMOOTH)).any(axis=1)
    alike = part[near] == part[:, None]
    around = rays(nodes.sides.normals)
    ends = beyond_edge(nodes, around)
    found = []
    for direction in range(2):
        ahead = np.einsum("ski,si->sk", step, around[:, direction])
        possible = (ahead > 0.5 * chord) & (chord > 0.0) & (lean > 0.5)
        possible &= alike | ~meeting[:, None]
        gap = np.where(possible, chord * np.where(alike, 1.0, 1.0 + 1e-6), np.inf)
        first = gap.argmin(axis=1)
        there = np.isfinite(gap[each, first]) & ~ends[:, direction]
        found.append(np.where(there, near[each, first], -1))
    following, before = found
    mutual = (following >= 0) & (before[following] == each)
    following = np.where(mutual, following, -1)
    before = np.full(len(each), -1)
    before[following[mutual]] = each[mutual]
    return following, before


def _arcs(nodes: NodeSet, following: Integers) -> Floats:
    """Length of the arc from each side to the one that follows."""
    one = np.flatnonzero(following >= 0)
    place, normals = nodes.boundary[nodes.sides.point], nodes.sides.normals
    chord = np.linalg.norm(nodes.cell.difference(place[following[one]], place[one]), axis=1)
    lean = np.einsum("si,si->s", normals[one], normals[following[one]])
    arc = np.zeros(len(following))
    arc[one] = chord / np.sinc(np.arccos(np.clip(lean, -1.0, 1.0)) / (2.0 * np.pi))
    return arc


def doubtful_sides(nodes: NodeSet) -> np.ndarray:
    """Tell which sides have no neighbour that an arc with the normals of both goes through.

    Such as a corner with a mean normal; its weight is not known from where it lies.

    Returns
    -------
    (sides,) bool array
    """
    normals = nodes.sides.normals
    if nodes.dimension == 1:
        return np.zeros(len(normals), dtype=np.bool_)
    near, step, chord, lean = beside_sides(nodes, _NEIGHBOURS)
    # Along an arc both normals lean as much, one back and one forth.
    uneven = (
        np.abs(np.einsum("ski,ski->sk", step, normals[near] + normals[:, None])) > _ASKEW * chord
    )
    seen = (chord > 0.0) & (lean > 0.5)
    return np.asarray(~(seen & ~uneven).any(axis=1) & seen.any(axis=1))


def _windows(
    sides: Integers, following: Integers, before: Integers, count: int
) -> tuple[Integers, Integers]:
    """So many sides in a row, with each of `sides` and its follower as near the middle as can be.

    And which of the row it is. Where there are not as many the row ends in -1.
    """
    start, at = sides.copy(), np.zeros(len(sides), dtype=np.int64)

    def back(which: np.ndarray) -> None:
        which = which & (before[start] >= 0)
        start[which] = before[start[which]]
        at[which] += 1

    def row() -> Integers:
        members = [start]
        for _ in range(count - 1):
            members.append(np.where(members[-1] >= 0, following[members[-1]], -1))
        return np.stack(members, axis=1)

    for _ in range(count // 2 - 1):
        back(np.ones(len(sides), dtype=np.bool_))
    for _ in range(count):
        back((row()[:, -1] < 0) & (at < count - 2))
    return row(), at
