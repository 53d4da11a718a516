"""Walls: which nodes are seen from a place, and which are hidden behind the boundary."""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats, Integers
from dtpinn.nodes.covering import pieces_of
from dtpinn.nodes.pieces import Pieces

Indices = npt.NDArray[np.integer]
Flags = npt.NDArray[np.bool_]

# A boundary node looks from a place so many steps inside: neighbours on a hole of a radius of 0.7
# steps see each other, and a node on one face of a wall does not look through it.
LIFT = 0.2
# And at most so much of the way across a corridor.
ACROSS = 0.4
# The mean of the unit vectors to a node's neighbours is longer than this at a sharp corner: in the
# plane one of less than 120 degrees, in space the rim of a thin plate.
SHARP = {1: 2.0, 2: 0.5, 3: 0.7}
# Round-off, in radii of a piece.
TOUCHING = 1e-6
# By this share a piece reaches farther than it need.
MARGIN = 1e-3
# Nodes nearer than this, in steps, are close; and how many are looked at.
CLOSE, CLOSE_ONES = 0.6, 16
# How many nodes are asked whether they see both of two: those of a stencil of order 4 or so.
ASKED = {1: 16, 2: 64, 3: 160}
# Numbers held at a time.
CHUNK = 2_000_000


class Walls:
    """The boundary as something that nothing is seen through.

    Where it runs is told by the boundary nodes and their normals alone, so it is known for any
    cloud: :func:`~dtpinn.nodes.covering.pieces_of`. A boundary node looks from a place a little
    inside, so that of two nodes at one place, on the two faces of a slit, each sees its own side;
    a ghost is seen where its boundary node is.

    Parameters
    ----------
    interior, boundary, normals
        (ni, d), (nb, d) and (nb, d), the normals of unit length and outward.
    ghost_of
        (ng,), the row in ``boundary`` of the node that each ghost belongs to.

    Attributes
    ----------
    interior_count
        ni
    points
        (ni + nb, d), the nodes of X.
    stand
        (ni + nb + ng,), the node of X that stands for each of X~: itself, or a ghost's own.
    eyes
        (ni + nb, d), the places from which nodes look.
    tip
        (nb,), whether a boundary node is at a sharp end of a wall.

    Examples
    --------
    A wall along x = 0 with nodes on both faces, and a node in each of the rooms:

    >>> y = np.arange(-3.0, 4.0)
    >>> face = np.column_stack([np.zeros(7), y])
    >>> to_left, to_right = np.tile([-1.0, 0.0], (7, 1)), np.tile([1.0, 0.0], (7, 1))
    >>> walls = Walls([[-1.0, 0.2], [1.0, 0.2]], np.concatenate([face, face]),
    ...               np.concatenate([to_right, to_left]))
    >>> walls.hidden(walls.eyes[:1], np.array([[0, 1, 5, 12]]))
    array([[False,  True, False,  True]])
    """

    def __init__(
        self,
        interior: npt.ArrayLike,
        boundary: npt.ArrayLike,
        normals: npt.ArrayLike,
        ghost_of: npt.ArrayLike = (),
    ) -> None:
        inner, edge = np.asarray(interior, dtype=np.float64), np.asarray(boundary, np.float64)
        owner = np.asarray(ghost_of, dtype=np.int64)
        count = len(inner) + len(edge)
        self.interior_count = len(inner)
        self._pieces = pieces_of(edge, np.asarray(normals, dtype=np.float64))
        self.points = np.concatenate([inner, edge])
        self.stand = np.concatenate([np.arange(count), self.interior_count + owner])
        eyes, self.tip = _eyes(edge, np.asarray(normals), self._pieces)
        self.eyes = np.concatenate([inner, eyes])
        # Numbers that one is needed of after the other lie side by side.
        self._columns = np.ascontiguousarray(self.eyes.T)

    def in_order(self, nodes: Indices) -> Walls:
        """Return the same for a cloud that has the ``nodes`` of X~, (m,), in their order."""
        walls = copy.copy(self)
        walls.stand = self.stand[nodes]
        return walls

    def far_apart(self, pairs: Indices) -> Flags:
        """Tell which pairs of nodes have a wall between them, and no node around that sees both.

        Parameters
        ----------
        pairs
            (m, 2), nodes of X.

        Returns
        -------
        far_apart
            (m,)
        """
        result = np.zeros(len(pairs), dtype=np.bool_)
        first, second = pairs.T
        rows = np.flatnonzero(self.hidden(self.eyes[first], pairs)[:, 1])
        if rows.size:
            count = min(ASKED[self.points.shape[1]], len(self.points))
            asked = np.arange(1, count + 1)
            near = cKDTree(self.points).query(self.points[first[rows]], k=asked)[1]
            either = self.hidden(self.eyes[first[rows]], near)
            either |= self.hidden(self.eyes[second[rows]], near)
            result[rows] = either.all(axis=1)
        return result

    def in_the_way(self, tree: cKDTree, count: int) -> Flags:
        """Tell which pieces have a node in front of them, which nodes behind may not see.

        Parameters
        ----------
        tree
            Of X~.
        count
            How many of the nodes nearest to each are looked at.

        Returns
        -------
        in_the_way
            (p,); nowhere on a convex domain.
        """
        pieces = self._pieces
        asked = np.arange(1, min(count, tree.n) + 1)
        near = self.stand[np.asarray(tree.query(pieces.centre, k=asked)[1])]
        level = np.einsum("pi,pi->p", pieces.centre, pieces.normal) + TOUCHING * pieces.radius
        return np.asarray((self._heights(near, pieces.normal) > level[:, None]).any(axis=1))

    def within(self, places: Floats, distance: Floats) -> Flags:
        """Tell which places (k, d) may have a piece of the boundary nearer than ``distance``."""
        there, row = cKDTree(self.points[self.interior_count :]).query(places)
        return np.asarray(there <= distance + self._pieces.step[row])

    def seen_from(self, places: Floats) -> Floats:
        """Return whence places (k, d) look: one where a boundary node is, from its eye."""
        gap, row = cKDTree(self.points[self.interior_count :]).query(places)
        there = gap <= TOUCHING * self._pieces.step[row]
        return np.where(there[:, None], self.eyes[self.interior_count + row], places)

    def beside(self, among: Flags) -> Flags:
        """Tell which nodes of X are boundary nodes with one of the pieces ``among`` around them."""
        around = self._pieces.around
        beside = (among[around] & (around >= 0)).any(axis=1)
        return np.concatenate([np.zeros(self.interior_count, dtype=np.bool_), beside])

    def clashes(self, tree: cKDTree, among: Flags) -> Integers:
        """List nodes that lie close together with a wall between them.

        Past the end of the wall both are seen, and a stencil with both would take the jump from
        one to the other for a steep slope.

        Parameters
        ----------
        tree
            Of X~.
        among
            (p,), the pieces that may be the wall.

        Returns
        -------
        pairs
            (m, 2), nodes of X~, each pair in both orders; sorted.
        """
        beside = np.flatnonzero(self.beside(among)[self.stand])
        step = self._pieces.step[self.stand[beside] - self.interior_count]
        asked = np.arange(1, min(CLOSE_ONES, tree.n) + 1)
        distance, near = tree.query(tree.data[beside], k=asked)
        pairs = np.zeros((0, 2), dtype=np.int64)
        some = np.flatnonzero((distance < CLOSE * step[:, None]).sum(axis=1) > 1)
        if some.size:
            hidden = self.hidden(self.eyes[self.stand[beside[some]]], near[some])
            row, k = np.nonzero(hidden & (distance[some] < CLOSE * step[some, None]))
            found = np.column_stack([beside[some[row]], near[some[row], k]])
            pairs = np.unique(np.concatenate([found, found[:, ::-1]]), axis=0)
        return pairs

    def hidden(self, places: Floats, nodes: Indices, among: Flags | None = None) -> Flags:
        """Tell which nodes are not seen from places in a straight line.

        Only the pieces around the boundary nodes that are asked about are looked at: with the
        nearest nodes of a place, all that matter are among them.

        Parameters
        ----------
        places
            (k, d)
        nodes
            (k, m), for each place some nodes of X~.
        among
            (p,), the pieces to look at, if not all.

        Returns
        -------
        hidden
            (k, m)
        """
        nodes = self.stand[nodes]
        row, column = np.nonzero(nodes >= self.interior_count)
        piece = self._pieces.around[nodes[row, column] - self.interior_count]
        some = piece >= 0 if among is None else (piece >= 0) & among[piece]
        # Each once: it is around several nodes.
        count = len(self._pieces.radius)
        pairs = np.unique((row[:, None] * count + piece)[some])
        result = np.zeros(nodes.shape, dtype=np.bool_)
        step = max(1, CHUNK // nodes.shape[1])
        for start in range(0, len(pairs), step):
            row, piece = np.divmod(pairs[start : start + step], count)
            self._strike_out(places, nodes, row, piece, result)
        return result

    def _strike_out(
        self, places: Floats, nodes: Indices, row: Integers, piece: Integers, hidden: Flags
    ) -> None:
        """Mark in ``hidden`` what each ``piece`` hides from the place ``row``."""
        pieces = self._pieces
        normal, least = pieces.normal[piece], TOUCHING * pieces.radius[piece]
        from_centre = places[row] - pieces.centre[piece]
        height = np.einsum("ti,ti->t", from_centre, normal)
        # The place is below, at a depth; what it may not see is above. None is in the plane.
        normal = normal * -np.sign(height)[:, None]
        depth = np.abs(height)
        level = np.einsum("ti,ti->t", places[row], normal) + depth
        level[depth <= least] = np.inf
        above = self._heights(nodes[row], normal)
        t, m = np.nonzero(above > (level + least)[:, None])
        way = self.eyes[nodes[row[t], m]] - places[row[t]]
        share = depth[t] / (depth[t] + above[t, m] - level[t])
        at = from_centre[t] + share[:, None] * way
        distance = np.linalg.norm(at, axis=1)
        along = np.einsum("ti,ti->t", at, pieces.axis[piece[t]])
        meets = distance <= pieces.radius[piece[t]] * (1.0 + MARGIN)
        meets &= along >= (pieces.cosine[piece[t]] - MARGIN) * distance
        hidden[row[t[meets]], m[meets]] = True

    def _heights(self, nodes: Indices, normal: Floats) -> Floats:
        """Coordinates of the eyes of ``nodes`` (t, m) along ``normal`` (t, d); (t, m)."""
        height = self._columns[0][nodes] * normal[:, :1]
        for k in range(1, len(self._columns)):
            height += self._columns[k][nodes] * normal[:, k : k + 1]
        return np.asarray(height)


def _eyes(boundary: Floats, normals: Floats, pieces: Pieces) -> tuple[Floats, Flags]:
    """Places a little inside, (nb, d), and which are at the end of a wall.

    At a sharp corner the normal need not be their mean; neighbours tell the way inside better.
    """
    inward = -normals
    length = np.linalg.norm(pieces.way, axis=1)
    sharp = np.flatnonzero(length > SHARP[boundary.shape[1]])
    way = pieces.way[sharp] / length[sharp, None]
    convex = np.einsum("ni,ni->n", way, normals[sharp]) < -0.2
    inward[sharp] = np.where(convex[:, None], way, -way)
    lift = np.minimum(LIFT * pieces.step, ACROSS * pieces.room)
    tip = np.zeros(len(boundary), dtype=np.bool_)
    tip[sharp] = ~convex
    return boundary + lift[:, None] * inward, tip
