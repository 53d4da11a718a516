"""Moving points onto the boundary of a domain."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats
from dtpinn.geometry.domain import Domain

Flags = npt.NDArray[np.bool_]

# Of the signed distance at a point that counts as on the boundary, in sizes of the domain.
TOLERANCE = 1e-12
# Beside a convex edge the nearest point is reached by turns, first one side and then the other,
# each turn nearer by a factor; everywhere else two rounds are enough.
ROUNDS = 30
# A distance that underestimates grows more slowly than the way walked; by less than this share, and
# a long step would be a leap in the dark.
LEAST_SLOPE = 0.1


@runtime_checkable
class KnowsNearest(Protocol):
    """A domain that knows the nearest point of its boundary, as a mesh does.

    Where a distance is costly, that spares two of three.
    """

    def nearest_point(self, points: npt.ArrayLike) -> Floats:
        """Return the point of the boundary nearest to each of ``points`` (n, d), (n, d)."""


def project(domain: Domain, points: Floats) -> tuple[Floats, Flags]:
    """Move ``points`` onto the boundary, to a point of it that is near.

    Each round walks along the normal, first by the signed distance, which cannot be too far, and
    then to where the secant through the two distances vanishes. So an exact distance needs one
    step, and one that underestimates, as that of an implicit function, converges as by Newton. A
    domain that has a method ``nearest_point`` is asked for that instead.

    Parameters
    ----------
    domain
        Its signed distance and normals are asked.
    points
        (n, d), within reach of the boundary.

    Returns
    -------
    projected
        (n, d)
    reached
        (n,), whether the signed distance there vanishes, to ``1e-12`` of the size of the domain.
        It may not where the normals lead nowhere, at the centre of a ball for one.

    Examples
    --------
    >>> from dtpinn.geometry import Disk
    >>> project(Disk(radius=2.0), np.array([[3.0, 0.0], [0.0, -1.0]]))
    (array([[ 2.,  0.],
           [ 0., -2.]]), array([ True,  True]))
    """
    if isinstance(domain, KnowsNearest):
        return domain.nearest_point(points), np.ones(len(points), dtype=np.bool_)
    tolerance = TOLERANCE * float(np.max(domain.bounds[1] - domain.bounds[0]))
    projected = points.copy()
    distance = domain.signed_distance(projected)
    rows = np.flatnonzero(np.abs(distance) > tolerance)
    for _ in range(ROUNDS):
        if not rows.size:
            break
        projected[rows], distance[rows] = _walk(domain, projected[rows], distance[rows], tolerance)
        rows = rows[np.abs(distance[rows]) > tolerance]
    reached = np.ones(len(points), dtype=np.bool_)
    reached[rows] = False
    return projected, reached


def _walk(
    domain: Domain, points: Floats, distance: Floats, tolerance: float
) -> tuple[Floats, Floats]:
    """One round from ``points`` (n, d) at ``distance`` (n,): where to, and the distance there."""
    normal = domain.normal(points)
    first = points - distance[:, None] * normal
    left = domain.signed_distance(first)
    rows = np.flatnonzero(np.abs(left) > tolerance)
    if rows.size:
        slope = np.clip((distance[rows] - left[rows]) / distance[rows], LEAST_SLOPE, 1.0)
        second = first[rows] - (left[rows] / slope)[:, None] * normal[rows]
        then = domain.signed_distance(second)
        better = np.abs(then) < np.abs(left[rows])
        first[rows[better]], left[rows[better]] = second[better], then[better]
    return first, left
