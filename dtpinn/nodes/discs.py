"""Discs: the boundary in space, around each of its nodes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.nodes.beside import Beside
from dtpinn.nodes.pieces import Pieces

Flags = npt.NDArray[np.bool_]

# How far a disc reaches, in distances between nodes: no gap is left.
REACH = 1.0
# A disc ends where a sphere has fallen so many steps below it: nodes look from higher.
FALLEN = 0.16
# A node is on an edge if the middle one of its six nearest neighbours lies off its plane by so much
# more of its distance than it lies off the neighbour's.
SIX, ON_EDGE = 6, 0.15
# A neighbour is behind the normal, or before it, if it lies off the plane by this share.
EDGE = 0.3
# Faces that meet at a node on an edge: a corner of a box has three.
FACES = 3
# Nodes within this share of their distance from a face's plane are on the face, and those whose
# normals have this cosine or more with the face's.
ON_FACE, ALIKE = 0.2, 0.7
# How far neighbours on an edge's faces may be, in distances between nodes.
AROUND = 1.8


def discs(boundary: Floats, normals: Floats, near: Beside) -> Pieces:
    """A disc around each node, or around one on an edge a part of a disc in each of its faces."""
    order = near.first_apart(SIX)
    length = np.take_along_axis(near.distance, order, axis=1)
    real = np.isfinite(length)
    step = np.where(real, length, 0.0).sum(axis=1) / np.maximum(real.sum(axis=1), 1)
    # On a sphere two neighbours are as far off each other's planes.
    off = np.abs(near.ahead)
    on_edge = np.median(np.take_along_axis(off - near.off_there, order, axis=1), axis=1) > ON_EDGE
    # Around an edge the faces lie all behind the normal, or all before it: others are another
    # room's.
    around = near.fits & (near.distance <= AROUND * step[:, None])
    behind, front = around & (near.ahead < -EDGE), around & (near.ahead > EDGE)
    on_face = near.off_there <= ON_FACE
    hollow = (front & on_face).sum(axis=1) > (behind & on_face).sum(axis=1)
    around &= ~np.where(hollow[:, None], behind, front)
    to_edge = np.where(on_edge[near.rows], near.distance, np.inf).min(axis=1)
    whole = np.flatnonzero(~on_edge)
    none = np.zeros((len(whole), 3))
    bend = np.median(np.take_along_axis(off, order, axis=1), axis=1)
    flat = np.sqrt(FALLEN * step**2 / np.maximum(bend, 1e-3))
    radius = np.minimum(np.minimum(REACH * step, flat), to_edge)[whole]
    found = [(whole, boundary[whole], normals[whole], radius, none, none[:, 0])]
    found += _parts_of_discs(boundary, normals, near, around & on_edge[:, None], step, on_edge)
    owner, *columns = (np.concatenate(column) for column in zip(*found, strict=True))
    pieces = np.full((len(boundary), FACES), -1)
    place = np.concatenate([np.full(len(each[0]), k) for k, each in enumerate(found)])
    pieces[owner, np.maximum(place - 1, 0)] = np.arange(len(owner))
    centre, normal, size, axis, cosine = columns
    way = near.mean_way(around & on_edge[:, None])
    return Pieces(centre, normal, size, axis, cosine, pieces, step, way, near.room)


def _parts_of_discs(
    boundary: Floats,
    normals: Floats,
    near: Beside,
    around: Flags,
    step: Floats,
    on_edge: Flags,
) -> list[tuple[Integers, Floats, Floats, Floats, Floats, Floats]]:
    """Owner, centre, normal, radius, axis and cosine of the pieces around nodes on edges.

    The neighbours of these are those ``around``, (nb, k).
    """
    # Neighbours off the edge, on a face that the node is on too, tell the faces.
    left = around & ~on_edge[near.rows] & (near.off_there <= ON_FACE)
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
