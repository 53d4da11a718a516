"""Stretches that two boundaries have in common."""

from __future__ import annotations

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.operations.crossings import TOUCHING, cut

# The cosine to which normals agree on a stretch in common, and at how many points along a side it
# is looked for where there are no curves.
_PARALLEL, _SAMPLES = 0.999, 12


def agreements(left: Domain, right: Domain, size: float) -> Floats:
    """Return 1 for each place in which two boundaries run together, -1 with opposite normals; (n,).

    In the plane every stretch is found, in space those that are not shorter than a twelfth of a
    side.

    Examples
    --------
    >>> from dtpinn.geometry import Rectangle
    >>> agreements(Rectangle(), Rectangle((1, 0), (2, 1)), 1.0)
    array([-1.])
    """
    if left.dimension == 2:
        arcs = [p.arc for p in cut(left.boundary_curves(), right, size) if p.side == 0]
        middle = np.array([0.5])
        at = np.concatenate([np.empty((0, 2)), *(arc.at(middle) for arc in arcs)])
        normals = np.concatenate([np.empty((0, 2)), *(arc.normal_at(middle) for arc in arcs)])
    else:
        walk = left.walk_boundary(float(np.ptp(left.bounds, axis=0).max()) / _SAMPLES)
        at, normals = walk.points[walk.sides.point], walk.sides.normals
        touching = np.abs(right.signed_distance(at)) <= TOUCHING * size
        at, normals = at[touching], normals[touching]
    along = np.sum(normals * right.normal(at), axis=1)
    return np.asarray(np.sign(along[np.abs(along) > _PARALLEL]))
