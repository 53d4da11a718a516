"""The boundary between its nodes: small flat pieces that nothing is seen through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# Boundary nodes among which a node's neighbours on the boundary are looked for; of a thin wall half
# of them are on its other face.
NEAR = {1: 1, 2: 12, 3: 40}
# Below this cosine between their normals two nodes are on the two faces of a wall or a corridor.
FACING = -0.75
# A neighbour on a curve is at most so many times as far as the nearest: a door stays open.
DOOR = 1.8
# In space a node's piece reaches so far, in distances between nodes; no gap is left where the
# surface is well covered.
REACH = 0.85
# A node is on an edge if the middle one of its six nearest neighbours lies off its plane by more than
# this share of its distance.
SIX, EDGE = 6, 0.3
# Faces that meet at a node on an edge: a corner of a box has three.
FACES = 3
# Nodes within this share of their distance from a face's plane are on the face, and those whose
# normals have this cosine or more with the face's.
ON_FACE, ALIKE = 0.2, 0.7
# A node lies across a corridor if the way to it has at least this cosine with the inward normal.
ACROSS = 0.8
# How far neighbours on an edge's faces may be, in distances between nodes.
AROUND = 1.8


@dataclass(frozen=True)
class Pieces:
    """Flat pieces of the boundary, and what its nodes tell about the room around them.

    A piece is what lies in a plane, within a radius of a centre, and within a cone.

    Attributes
    ----------
    centre, normal
        (p, d), the normal of unit length and outward.
    radius
        (p,)
    axis
        (p, d), unit vectors in the plane, or 0 where there is no cone.
    cosine
        (p,), of half the angle of the cone.
    around
        (nb, k), the pieces around each boundary node; -1 for none.
    step
        (nb,), the distance between neighbours on the boundary.
    way
        (nb, d), the mean of the unit vectors to the neighbours on the boundary.
    room
        (nb,), how far it is along the inward normal to a node across a corridor; inf if there is
        none.
    """

    centre: Floats
    normal: Floats
    radius: Floats
    axis: Floats
    cosine: Floats
    around: Integers
    step: Floats
    way: Floats
    room: Floats


def pieces_of(boundary: Floats, normals: Floats) -> Pieces:
    """Cover the boundary with pieces, as its nodes tell where it runs.

    In the plane they are the segments between neighbours on a curve. In space each node has a disc
    in its tangent plane, and one on an edge has half a disc, or less, in each of the faces that
    meet there. On the line a node is its own piece.

    Parameters
    ----------
    boundary, normals
        (nb, d), the normals of unit length.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> pieces = pieces_of(square, (square - 0.5) * 2**0.5)
    >>> pieces.centre
    array([[0. , 0.5],
           [0.5, 0. ],
           [1. , 0.5],
           [0.5, 1. ]])
    >>> pieces.around
    array([[0, 1],
           [1, 2],
           [2, 3],
           [0, 3]])
    """
    near = _Neighbours(boundary, normals)
    kind = {1: _ends, 2: _segments, 3: _discs}[boundary.shape[1]]
    return kind(boundary, normals, near)


class _Neighbours:
    """The boundary nodes near each, nearest first, (nb, k): where they are, and which are of use.

    A twin at the same place, and nodes on the other face of a wall or a corridor, are of none.
    """

    def __init__(self, boundary: Floats, normals: Floats) -> None:
        count = min(NEAR[boundary.shape[1]] + 1, len(boundary))
        rows = np.asarray(cKDTree(boundary).query(boundary, k=np.arange(1, count + 1))[1])
        offset = boundary[rows] - boundary[:, None]
        distance = np.linalg.norm(offset, axis=2)
        cosine = np.einsum("nki,ni->nk", normals[rows], normals)
        apart = distance > 1e-9 * distance.max(axis=1, keepdims=True)
        self.rows = rows
        self.fits: Flags = apart & (cosine > FACING)
        self.distance: Floats = np.where(self.fits, distance, np.inf)
        self.unit: Floats = offset / np.where(apart, distance, 1.0)[..., None]
        # Of the node's own plane, outward, and of the neighbour's.
        self.ahead: Floats = np.einsum("nki,ni->nk", self.unit, normals)
        self.off_there: Floats = np.abs(np.einsum("nki,nki->nk", self.unit, normals[rows]))
        across = apart & (cosine < 0.0) & (self.ahead < -ACROSS)
        self.room: Floats = np.where(across, -self.ahead * distance, np.inf).min(axis=1)

    def mean_way(self, chosen: Flags) -> Floats:
        """Mean of the unit vectors to the ``chosen`` (nb, k), 0 where there are none; (nb, d)."""
        total = np.einsum("nk,nki->ni", chosen, self.unit)
        return np.asarray(total / np.maximum(chosen.sum(axis=1), 1)[:, None])


def _ends(boundary: Floats, normals: Floats, near: _Neighbours) -> Pieces:
    step = np.full(len(boundary), float(np.ptp(boundary)) or 1.0)
    step[:] = np.diff(np.unique(boundary)).min(initial=step[0])
    none, rows = np.zeros_like(boundary), np.arange(len(boundary))
    return Pieces(boundary, normals, step, none, none[:, 0], rows[:, None], step, none, near.room)


def _segments(boundary: Floats, normals: Floats, near: _Neighbours) -> Pieces:
    """From each node to the two neighbours on its curve."""
    chosen, there = _on_curve(normals, near)
    length = np.where(there, np.take_along_axis(near.distance, chosen, axis=1), np.inf)
    unit = np.take_along_axis(near.unit, chosen[..., None], axis=1) * there[..., None]
    row, k = np.nonzero(there)
    ends = np.sort(np.column_stack([row, near.rows[row, chosen[row, k]]]), axis=1)
    ends, piece = np.unique(ends, axis=0, return_inverse=True)
    around = np.full(there.shape, -1)
    around[row, k] = piece.ravel()
    a, b = boundary[ends[:, 0]], boundary[ends[:, 1]]
    half = 0.5 * np.linalg.norm(b - a, axis=1)
    normal = np.column_stack([b[:, 1] - a[:, 1], a[:, 0] - b[:, 0]]) / (2.0 * half)[:, None]
    # Outward, as those of its ends are.
    mean = normals[ends[:, 0]] + normals[ends[:, 1]]
    normal *= np.where(np.einsum("pi,pi->p", normal, mean) < 0.0, -1.0, 1.0)[:, None]
    none, step = np.zeros_like(normal), np.where(there.any(axis=1), length.min(axis=1), 0.0)
    way = unit.mean(axis=1) * there.all(axis=1)[:, None]
    return Pieces(0.5 * (a + b), normal, half, none, none[:, 0], around, step, way, near.room)


def _on_curve(normals: Floats, near: _Neighbours) -> tuple[Integers, Flags]:
    """Which of the nodes near a node are its two neighbours, (nb, 2), and whether there are two.

    One lies forward along the curve, with the domain on the left, and one backward; both are about
    as far, and both behind the normal, or both in front of it: of two rooms whose corners touch,
    each so keeps to itself. Where there is no such pair, as at the end of a thin wall, it is the
    two that fit best.
    """
    cost, forward = _cost(normals, near)
    rows = np.arange(len(normals))
    best, least = np.argsort(cost, axis=1, kind="stable")[:, :2], np.full(len(normals), np.inf)
    there = np.isfinite(np.take_along_axis(cost, best, axis=1))
    length = np.take_along_axis(near.distance, best, axis=1)
    there &= length <= DOOR * length[:, :1]
    for side in (near.ahead >= -EDGE, near.ahead <= EDGE):
        pair = np.column_stack(
            [np.where(side & way, cost, np.inf).argmin(axis=1) for way in (forward, ~forward)]
        )
        fits = (side[rows, pair[:, 0]] & side[rows, pair[:, 1]]) & (
            forward[rows, pair[:, 0]] & ~forward[rows, pair[:, 1]]
        )
        total = np.take_along_axis(cost, pair, axis=1).sum(axis=1)
        length = np.take_along_axis(near.distance, pair, axis=1)
        fits &= (total < least) & (length.max(axis=1) <= DOOR * length.min(axis=1))
        best[fits], there[fits], least[fits] = pair[fits], True, total[fits]
    return best, there


def _cost(normals: Floats, near: _Neighbours) -> tuple[Floats, Flags]:
    """How far, and how far off the curve, each of the nodes near a node is, and whether forward.

    On a circle both normals are as far off the chord, which is a small share of its length. Where
    two sides of a corner come near to each other both are far off, and the corner itself, off the
    one by little, is the neighbour though it is farther.
    """
    cost = near.distance * (1.0 + np.abs(near.ahead) + near.off_there)
    along = np.stack([-normals[:, 1], normals[:, 0]], axis=1)
    here = np.einsum("nki,ni->nk", near.unit, along)
    there = np.einsum("nki,nki->nk", near.unit, along[near.rows])
    # Both nodes go the same way along the curve.
    cost[here * there < 0.0] = np.inf
    return cost, here > 0.0


def _discs(boundary: Floats, normals: Floats, near: _Neighbours) -> Pieces:
    """A disc around each node, or around one on an edge a part of a disc in each of its faces."""
    order = np.argsort(near.distance, axis=1, kind="stable")[:, :SIX]
    length = np.take_along_axis(near.distance, order, axis=1)
    real = np.isfinite(length)
    step = np.where(real, length, 0.0).sum(axis=1) / np.maximum(real.sum(axis=1), 1)
    on_edge = np.median(np.take_along_axis(np.abs(near.ahead), order, axis=1), axis=1) > EDGE
    six = np.zeros_like(near.fits)
    np.put_along_axis(six, order, real, axis=1)
    to_edge = np.where(on_edge[near.rows], near.distance, np.inf).min(axis=1)
    whole = np.flatnonzero(~on_edge)
    none = np.zeros((len(whole), 3))
    radius = np.minimum(REACH * step, to_edge)[whole]
    found = [(whole, boundary[whole], normals[whole], radius, none, none[:, 0])]
    found += _parts_of_discs(boundary, normals, near, step, on_edge)
    owner, *columns = (np.concatenate(column) for column in zip(*found, strict=True))
    around = np.full((len(boundary), FACES), -1)
    place = np.concatenate([np.full(len(each[0]), k) for k, each in enumerate(found)])
    around[owner, np.maximum(place - 1, 0)] = np.arange(len(owner))
    return Pieces(*columns, around, step, near.mean_way(six), near.room)


def _parts_of_discs(
    boundary: Floats, normals: Floats, near: _Neighbours, step: Floats, on_edge: Flags
) -> list[tuple[Integers, Floats, Floats, Floats, Floats, Floats]]:
    """Owner, centre, normal, radius, axis and cosine of the pieces around nodes on edges."""
    around = near.fits & (near.distance <= AROUND * step[:, None])
    # Neighbours off the edge, on a face that the node is on too, tell the faces.
    left = around & ~on_edge[near.rows] & on_edge[:, None] & (near.off_there <= ON_FACE)
    found = []
    for _ in range(FACES):
        rows = np.flatnonzero(left.any(axis=1))
        plane = normals[near.rows[rows, left[rows].argmax(axis=1)]]
        off = np.abs(np.einsum("nki,ni->nk", near.unit[rows], plane))
        members = around[rows] & (off <= ON_FACE)
        axis = np.einsum("nk,nki->ni", members, near.unit[rows])
        axis -= np.einsum("ni,ni->n", axis, plane)[:, None] * plane
        axis /= np.maximum(np.linalg.norm(axis, axis=1), 1e-12)[:, None]
        along = np.einsum("nki,ni->nk", near.unit[rows], axis)
        cosine = np.where(members, along, 1.0).min(axis=1)
        found.append((rows, boundary[rows], plane, REACH * step[rows], axis, cosine))
        left[rows] &= np.einsum("nki,ni->nk", normals[near.rows[rows]], plane) < ALIKE
    return found
