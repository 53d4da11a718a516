"""Looking beside a corner or a crease: where each side goes on, its normal and its part."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.sides import Sides, united_sides
from dtpinn.geometry.spacing import Spacing
from dtpinn.geometry.surfaces.creases import least_probe
from dtpinn.geometry.surfaces.projection import project

Flags = npt.NDArray[np.bool_]

# Directions in the plane that touches a side, one every 7.5 degrees. A side shows in two that are
# next to each other: in one alone an edge may lie, where a domain tells the mean normal.
DIRECTIONS = 48
# Cosine, 18 degrees: there the normal is still that of the side.
ALIKE = 0.95
# Of the way that was asked for, how much nearer or farther a place may end up.
SLID = 0.3
# In spacings: how far from the point a side is asked for its part, as far as it goes; and for its
# normal, as near as the normals of two sides can be told apart.
PART, NORMAL = (0.5, 0.1, 0.01), 0.01
# Of the change of the normal over a step, at most: else the surface is not smooth there.
UNEVEN = 0.05


def sides_on(domain: Domain, points: Floats, sides: Sides, spacing: Spacing) -> Sides:
    """Return ``sides`` with their exact normals and parts, less those that are none.

    Parameters
    ----------
    domain
        In the plane or in space; its signed distance, normals and nearest parts are asked.
    points
        (n, d), on the boundary.
    sides
        Of the points, their normals to within some 15 degrees; their parts do not matter. One with
        nothing of the boundary beside it, where the point has two others, is left out.
    spacing
        Between nodes.

    Examples
    --------
    In the middle of an edge of the unit cube:

    >>> from dtpinn.geometry import Box
    >>> rough = np.array([[0.0, 0.1, 1.0], [1.0, 0.1, 0.0]])
    >>> rough /= np.linalg.norm(rough, axis=1, keepdims=True)
    >>> rough = Sides(np.array([0, 0]), rough, np.array([0, 0]))
    >>> h = lambda points: np.full(len(points), 0.1)
    >>> sides = sides_on(Box(), np.array([[1.0, 0.5, 1.0]]), rough, h)
    >>> abs(sides.normals)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    >>> [Box().parts[number] for number in sides.part]
    ['top', 'right']
    """
    at = points[sides.point]
    normals, found = _normals(domain, at, sides.normals, spacing(at))
    kept = found | (np.bincount(sides.point, found, len(points)) < 2)[sides.point]
    at, normals = at[kept], normals[kept]
    part = domain.nearest_part(places_beside(domain, at, normals, spacing(at)))
    # What two creases told of one side may have been told apart.
    return united_sides(Sides(sides.point[kept], normals, part), np.arange(len(points)))


def places_beside(domain: Domain, points: Floats, normals: Floats, spacing: Floats) -> Floats:
    """Places on the boundary beside ``points`` (n, d), on the sides with ``normals`` (n, d).

    They are half a ``spacing`` (n,) away, or nearer where the side does not go on so far, in the
    middle of it as seen from the point. Where it is not found the place is the point itself.
    """
    places = points.copy()
    left = np.arange(len(points))
    for share in PART:
        reach = np.maximum(share * spacing[left], least_probe(domain))
        way, found = _ways(domain, points[left], normals[left], reach)
        rows = left[found]
        places[rows] = project(domain, points[rows] + (reach[:, None] * way)[found])[0]
        left = left[~found]
    return places


def _normals(domain: Domain, points: Floats, near: Floats, spacing: Floats) -> tuple[Floats, Flags]:
    """Normals of sides at ``points``, from three places beside them by extrapolation; (n, d).

    And which were found, (n,): the others are what they were.
    """
    reach = np.maximum(NORMAL * spacing, least_probe(domain))
    way, found = _ways(domain, points, near, reach)
    step = (reach[:, None] * way)[found]
    first, second, third = (
        domain.normal(project(domain, points[found] + k * step)[0]) for k in (1.0, 2.0, 3.0)
    )
    # Parabolas through the three; on facets, which jump, the nearest one.
    bend = np.linalg.norm(first - 2.0 * second + third, axis=1, keepdims=True)
    even = bend <= UNEVEN * np.linalg.norm(second - first, axis=1, keepdims=True)
    here = np.where(even, 3.0 * first - 3.0 * second + third, first)
    normals = near.copy()
    normals[found] = here / np.linalg.norm(here, axis=1, keepdims=True)
    return normals, found


def _ways(domain: Domain, points: Floats, normals: Floats, reach: Floats) -> tuple[Floats, Flags]:
    """Unit vectors along the sides, (n, d), and whether there is a way of length ``reach`` (n,)."""
    count, dimension = points.shape
    ways = _tangents(normals)
    fan = ways.shape[0]
    asked = (points + reach[:, None] * ways).reshape(-1, dimension)
    places, reached = project(domain, asked)
    length = np.linalg.norm(places.reshape(fan, count, dimension) - points, axis=2)
    cosine = np.einsum("kni,ni->kn", domain.normal(places).reshape(ways.shape), normals)
    good = reached.reshape(fan, count) & (cosine > ALIKE)
    good &= (length >= SLID * reach) & (length <= reach / SLID)
    if dimension == 3:
        good &= np.roll(good, 1, axis=0) | np.roll(good, -1, axis=0)
    middle = np.einsum("kn,kni->ni", good, ways)
    best = np.argmax(np.where(good, np.einsum("kni,ni->kn", ways, middle), -np.inf), axis=0)
    return ways[best, np.arange(count)], good.any(axis=0)


def _tangents(normals: Floats) -> Floats:
    """Unit vectors at right angles to ``normals`` (n, d), all round: (2 or 48, n, d)."""
    if normals.shape[1] == 2:
        along = normals[:, ::-1] * [-1.0, 1.0]
        return np.stack([along, -along])
    # Across the axis that each normal is farthest from.
    axis = np.eye(3)[np.argmin(np.abs(normals), axis=1)]
    first = np.cross(normals, axis)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(normals, first)
    angle = 2.0 * math.pi * np.arange(DIRECTIONS)[:, None, None] / DIRECTIONS
    return np.asarray(np.cos(angle) * first + np.sin(angle) * second)
