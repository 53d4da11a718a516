"""Fewer of the same nodes, spread as evenly."""

from __future__ import annotations

import numpy as np

from dtpinn.arrays import Floats, Integers
from dtpinn.nodes.node_set import NodeSet

# Neighbours among which those nearer than the new spacing are.
_NEIGHBOURS = {1: 8, 2: 32, 3: 64}


def thinned(nodes: NodeSet, factor: float, among: Integers) -> Integers:
    """Return some rows of X, none nearer to each other than `factor` times the spacing.

    And every one of those given has one of them within that distance. Corners go first, then the
    boundary.

    Parameters
    ----------
    nodes : Nodes
    factor : float
        Up to 2: that leaves one node in six of them in the plane, one in ten in space.
    among : (m,) int array
        The rows to take from, ascending.

    Returns
    -------
    (k,) int array
        Ascending.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
    >>> 0.3 < len(thinned(nodes, 1.2, np.arange(nodes.count))) / nodes.count < 0.5
    True
    """
    first = np.zeros(nodes.count)
    first[nodes.interior_count :] = 1.0 + nodes.sides.several(nodes.boundary_count)
    points, distance = nodes.collocation[among], factor * nodes.local_spacing[among]
    count = len(among)
    near = nodes.cell.tree(points).query(points, k=min(_NEIGHBOURS[nodes.dimension], count))
    gap, near = (part.reshape(count, -1) for part in near)
    one = np.repeat(np.arange(count), near.shape[1])
    close = (one != near.ravel()) & (gap.ravel() < distance[one])
    one, other = one[close], near.ravel()[close]
    return np.asarray(among[_independent(count, one, other, first[among])])


def _independent(count: int, one: Integers, other: Integers, first: Floats) -> Integers:
    """Return as many of `count` things as fit of which no two are one and other.

    All that come before their open neighbours are taken at once, round after round, in an order
    that is random within what goes first (Luby, SIAM J. Comput. 15, 1986).
    """
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
