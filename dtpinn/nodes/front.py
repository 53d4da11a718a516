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

from dtpinn.arrays import Floats
from dtpinn.geometry import Domain
from dtpinn.geometry.clearance import GrowingCloud, keep_apart
from dtpinn.geometry.spacing import Spacing
from dtpinn.nodes.directions import random_rotations, unit_directions


def fill(domain: Domain, seeds: Floats, spacing: Spacing, rng: np.random.Generator) -> Floats:
    """Nodes inside ``domain``, grown from ``seeds``.

    Parameters
    ----------
    domain
        In two or three dimensions.
    seeds
        (n, d), the boundary nodes. Without any the domain has no boundary, being periodic in all
        directions, and the corner of its cell is the first node.
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
    cloud = GrowingCloud(domain.cell)
    front, distance = seeds, np.zeros(len(seeds))
    fronts = [seeds[:0]]
    if not len(seeds):
        front, distance = domain.bounds[:1], np.full(1, -np.inf)
        fronts.append(front)
    while len(front):
        cloud.add(front)
        front, distance = _next_front(domain, cloud, front, distance, spacing(front), rng)
        fronts.append(front)
    return np.concatenate(fronts)


def _next_front(
    domain: Domain,
    cloud: GrowingCloud,
    front: Floats,
    distance: Floats,
    radius: Floats,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Return the candidates around ``front`` (n, d) that become nodes.

    With both go upper bounds of the signed distance, (n,): it changes by no more than the distance
    walked, so most of a domain need not be asked, which on a curve or a mesh is the costly part.
    """
    shallow = np.flatnonzero(distance > -1.5 * radius)
    distance[shallow] = domain.signed_distance(front[shallow])
    points, parent = _candidates(front, radius, rng)
    points = domain.cell.wrap(points)
    rows = cloud.clear(points, radius[parent])
    points, parent = points[rows], parent[rows]
    distance = distance[parent] + radius[parent]
    near = np.flatnonzero(distance > -0.5 * radius[parent])
    distance[near] = domain.signed_distance(points[near])
    rows = np.flatnonzero(distance <= -0.5 * radius[parent])  # inside by half a spacing
    rows = rng.permutation(rows)
    points, parent, distance = points[rows], parent[rows], distance[rows]
    kept = keep_apart(points, radius[parent], cell=domain.cell)
    return points[kept], distance[kept]


def _candidates(
    front: Floats, radius: Floats, rng: np.random.Generator
) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Points at distance ``radius`` around each node of the front, and the row of that node."""
    count, dimension = front.shape
    directions = unit_directions(dimension)
    turned = np.einsum("nij,mj->nmi", random_rotations(count, dimension, rng), directions)
    points = (front[:, None] + radius[:, None, None] * turned).reshape(-1, dimension)
    return points, np.repeat(np.arange(count), len(directions))
