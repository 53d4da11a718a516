"""Filling a domain with nodes from its boundary inwards.

The method of Slak and Kosec (SIAM J. Sci. Comput. 41, 2019, A3202-A3229), a whole front at a time:
every node of the front proposes candidates around itself, those too near to a node or to the
boundary are struck out, clashes between the remaining ones are settled, and what is left is the
next front.

Clashes are settled at random. Giving way to the candidate that touches most neighbours packs the
nodes 10% more densely, but in small crystals, and RBF-FD is less accurate on those: on the disk,
with equally many nodes, the error of a direct solve is 15-70% larger at orders 2 to 5.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dtpinn.geometry import Domain
from dtpinn.geometry.clearance import GrowingCloud, keep_apart
from dtpinn.geometry.spacing import Spacing
from dtpinn.nodes.directions import random_rotations, unit_directions

Floats = npt.NDArray[np.float64]


def fill(domain: Domain, seeds: Floats, spacing: Spacing, rng: np.random.Generator) -> Floats:
    """Nodes inside ``domain``, grown from ``seeds``.

    Parameters
    ----------
    domain
        In two or three dimensions.
    seeds
        (n, d), the boundary nodes.
    spacing
        Takes points (n, d), gives the wanted distance between neighbours there, (n,). A candidate
        is kept apart from others by the spacing at its *parent*: by its own, a spacing that grows
        inwards would have it collide with the parent, and nothing would grow.
    rng
        Source of the random rotations and choices.

    Returns
    -------
    interior
        (ni, d), at least half a spacing from the boundary, in the order of growth.

    Examples
    --------
    >>> from dtpinn.geometry import Disk
    >>> disk = Disk()
    >>> circle = disk.walk_boundary(0.2).points
    >>> nodes = fill(disk, circle, lambda x: np.full(len(x), 0.2), np.random.default_rng(0))
    >>> bool(np.all(disk.signed_distance(nodes) <= -0.1))
    True
    """
    cloud = GrowingCloud()
    front = seeds
    fronts = [seeds[:0]]
    while len(front):
        cloud.add(front)
        front = _next_front(domain, cloud, front, spacing(front), rng)
        fronts.append(front)
    return np.concatenate(fronts)


def _next_front(
    domain: Domain, cloud: GrowingCloud, front: Floats, radius: Floats, rng: np.random.Generator
) -> Floats:
    """Return the candidates around ``front`` (n, d) that become nodes."""
    points, parent = _candidates(front, radius, rng)
    rows = cloud.clear(points, radius[parent])
    rows = rows[_inside(domain, points[rows], front, parent[rows], radius)]
    points, parent = points[rows], parent[rows]
    order = rng.permutation(len(points))
    points, parent = points[order], parent[order]
    return points[keep_apart(points, radius[parent])]


def _candidates(
    front: Floats, radius: Floats, rng: np.random.Generator
) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Points at distance ``radius`` around each node of the front, and the row of that node."""
    count, dimension = front.shape
    directions = unit_directions(dimension)
    turned = np.einsum("nij,mj->nmi", random_rotations(count, dimension, rng), directions)
    points = (front[:, None] + radius[:, None, None] * turned).reshape(-1, dimension)
    return points, np.repeat(np.arange(count), len(directions))


def _inside(
    domain: Domain,
    points: Floats,
    front: Floats,
    parent: npt.NDArray[np.intp],
    radius: Floats,
) -> npt.NDArray[np.bool_]:
    """Whether ``points`` are inside by half a spacing.

    A signed distance changes by no more than the distance walked. So where the parent is inside
    by one and a half spacings its candidates need no test, which saves nearly all of the calls;
    on a polygon or a mesh those are the costly part.
    """
    deep = domain.signed_distance(front) <= -1.5 * radius
    inside = deep[parent]
    rows = np.flatnonzero(~inside)
    inside[rows] = domain.signed_distance(points[rows]) <= -0.5 * radius[parent[rows]]
    return inside
