"""Segments: the boundary in the plane, from neighbour to neighbour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.nodes.beside import Beside
from dtpinn.nodes.pieces import Pieces

Flags = npt.NDArray[np.bool_]

# A node's farther neighbour is at most so many times as far as the nearer: a door stays open.
DOOR = 1.8
# A neighbour whose direction has less than this sine with the tangent is neither before nor behind.
FLAT = 0.3


def segments(boundary: Floats, normals: Floats, near: Beside) -> Pieces:
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
    none, step = np.zeros_like(normal), np.min(length, axis=1, initial=np.inf)
    step = np.where(np.isfinite(step), step, 0.0)
    way = unit.mean(axis=1) * np.all(there, axis=1)[:, None]
    return Pieces(0.5 * (a + b), normal, half, none, none[:, 0], around, step, way, near.room)


def _on_curve(normals: Floats, near: Beside) -> tuple[Integers, Flags]:
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
    for side in (near.ahead >= -FLAT, near.ahead <= FLAT):
        pair = np.column_stack(
            [np.where(side & on, cost, np.inf).argmin(axis=1) for on in (forward, ~forward)]
        )
        fits = np.take_along_axis(side, pair, axis=1).all(axis=1)
        fits &= forward[rows, pair[:, 0]] & ~forward[rows, pair[:, 1]]
        total = np.take_along_axis(cost, pair, axis=1).sum(axis=1)
        length = np.take_along_axis(near.distance, pair, axis=1)
        fits &= (total < least) & (length.max(axis=1) <= DOOR * length.min(axis=1))
        best[fits], there[fits], least[fits] = pair[fits], True, total[fits]
    return best, there


def _cost(normals: Floats, near: Beside) -> tuple[Floats, Flags]:
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
