"""Fewer of the same nodes, spread as evenly."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats, Integers
from dtpinn.nodes.nodes import Nodes

# Neighbours among which those nearer than the new spacing are.
_NEIGHBOURS = 32


def thinned(nodes: Nodes, factor: float) -> Nodes:
    """Return some of the nodes, none nearer to each other than `factor` times the spacing.

    And every node has one of them within that distance. Corners go first, then the boundary.

    Parameters
    ----------
    nodes : Nodes
    factor : float
        1.2 leaves about two in five of them in the plane, and one in four in space.

    Returns
    -------
    Nodes
        In their order, without ghosts.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
    >>> 0.3 < thinned(nodes, 1.2).count / nodes.count < 0.5
    True
    """
    inside, h = nodes.interior_count, nodes.local_spacing
    first = np.zeros(nodes.count)
    first[inside:] = 1.0 + nodes.sides.several(nodes.boundary_count)
    kept = _independent(nodes.collocation, factor * h, first)
    inner, edge = kept[kept < inside], kept[kept >= inside] - inside
    return Nodes(
        nodes.interior[inner], nodes.boundary[edge], nodes.interior[:0], nodes.normals[edge],
        nodes.part[edge], nodes.parts, nodes.ghost_of[:0], factor * h[kept],
        nodes.sides.of(edge),
    )  # fmt: skip


def _independent(points: Floats, distance: Floats, first: Floats) -> Integers:
    """Return rows of points none of which is within the distance of another, and no more fit.

    All that come before their open neighbours are taken at once, round after round, in an order
    that is random within what goes first (Luby, SIAM J. Comput. 15, 1986).
    """
    count = len(points)
    gap, near = cKDTree(points).query(points, k=min(_NEIGHBOURS, count))
    one = np.repeat(np.arange(count), near.shape[1])
    other, gap = near.ravel(), gap.ravel()
    close = (one != other) & (gap < np.minimum(distance[one], distance[other]))
    one, other = one[close], other[close]
    one, other = np.concatenate([one, other]), np.concatenate([other, one])
    rank = np.random.default_rng(0).random(count) - first
    kept, open_ = np.zeros(count, dtype=bool), np.ones(count, dtype=bool)
    while open_.any():
        both = open_[one] & open_[other]
        lowest = np.full(count, np.inf)
        np.minimum.at(lowest, one[both], rank[other[both]])
        new = open_ & (rank < lowest)
        kept |= new
        open_ &= ~new
        open_[other[new[one]]] = False
    return np.flatnonzero(kept)
