"""The boundary nodes near each boundary node."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats, Integers

Flags = npt.NDArray[np.bool_]

# Boundary nodes that are looked at, by dimension; of a thin wall half are on its other face.
NEAR = {1: 1, 2: 12, 3: 40}
# Below this cosine between their normals two nodes are on the two faces of a wall or a corridor.
FACING = -0.75
# A node lies across a corridor if the way to it has at least this cosine with the inward normal.
ACROSS = 0.8
# Of its distance from a node, how near a neighbour may be to another one, to count beside it.
REPEATED = 0.3


class Beside:
    """The boundary nodes near each, nearest first: where they are, and which are of use.

    A twin at the same place, and nodes on the other face of a wall or a corridor, are of none.

    Parameters
    ----------
    boundary, normals
        (nb, d), the normals of unit length.

    Attributes
    ----------
    rows
        (nb, k), which nodes they are.
    fits
        (nb, k), whether each is of use.
    distance
        (nb, k); inf where it is of none.
    unit
        (nb, k, d), the direction.
    ahead
        (nb, k), the direction's component along the node's own normal.
    off_there
        (nb, k), its component along the neighbour's normal, without sign.
    room
        (nb,), how far it is along the inward normal to a node across a corridor; or inf.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> Beside(square, (square - 0.5) * 2**0.5).fits[0]
    array([False,  True,  True, False])
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

    def first_apart(self, count: int) -> Integers:
        """The ``count`` nearest of use but those that all but repeat a nearer one, (nb, count).

        Of two rooms with a thin wall between them each has nodes in the same places.
        """
        order = np.argsort(self.distance, axis=1, kind="stable")[:, : 2 * count + 1]
        length = np.take_along_axis(self.distance, order, axis=1)
        unit = np.take_along_axis(self.unit, order[..., None], axis=1)
        offset = np.where(np.isfinite(length), length, 0.0)[..., None] * unit
        square = np.einsum("nki,nki->nk", offset, offset)
        apart = square[:, :, None] + square[:, None]
        apart -= 2.0 * np.einsum("nki,nli->nkl", offset, offset)
        earlier = np.tri(order.shape[1], k=-1, dtype=np.bool_)
        repeated = (earlier & (apart < REPEATED**2 * square[:, :, None])).any(axis=2)
        # Nor is one of use that is much nearer than the others: the node's own counterpart.
        typical = np.median(length, axis=1, keepdims=True)
        repeated |= np.isfinite(typical) & (length < REPEATED * typical)
        chosen = np.argsort(np.where(repeated, np.inf, length), axis=1, kind="stable")[:, :count]
        return np.take_along_axis(order, chosen, axis=1)

    def mean_way(self, chosen: Flags) -> Floats:
        """Mean of the unit vectors to the ``chosen`` (nb, k), 0 where there are none; (nb, d)."""
        total = np.einsum("nk,nki->ni", chosen, self.unit)
        return np.asarray(total / np.maximum(chosen.sum(axis=1), 1)[:, None])
