"""Ghost nodes: just outside, one behind each boundary node where there is room."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from dtpinn.geometry import Domain
from dtpinn.geometry.clearance import keep_apart

Floats = npt.NDArray[np.float64]

# A ghost needs this share of its distance to the boundary as room around it.
ROOM = 0.5


def place_ghosts(
    interior: Floats,
    boundary: Floats,
    normals: Floats,
    distance: float,
    *,
    domain: Domain | None = None,
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Ghost nodes at ``boundary + distance * normals``, less those that would collide.

    At re-entrant corners and across slits a ghost may land on another node, and two rows of a
    stencil's matrix would nearly agree. A ghost is dropped when

    1. a node of ``interior`` or ``boundary`` is nearer to it than ``distance / 2``, or
    2. it does not lie outside ``domain``, where that is known, or
    3. the ghost of an earlier boundary node is nearer than ``distance / 2`` and was kept.

    Parameters
    ----------
    interior
        (ni, d)
    boundary, normals
        (nb, d), the normals of unit length and outward.
    distance
        From a boundary node to its ghost.
    domain
        The domain, if there is one.

    Returns
    -------
    ghost
        (ng, d) with ng <= nb.
    ghost_of
        (ng,), ascending: the row in ``boundary`` that each ghost belongs to.

    Examples
    --------
    >>> boundary = np.array([[1.0, 0.0], [-1.0, 0.0]])
    >>> ghost, ghost_of = place_ghosts(np.zeros((1, 2)), boundary, boundary, 0.25)
    >>> ghost
    array([[ 1.25,  0.  ],
           [-1.25,  0.  ]])
    >>> ghost_of
    array([0, 1])
    """
    ghost = boundary + distance * normals
    radius = np.full(len(ghost), ROOM * distance)
    nearest, _ = cKDTree(np.concatenate([interior, boundary])).query(ghost)
    room = nearest >= radius
    if domain is not None:
        room &= domain.signed_distance(ghost) > 0.0
    rows = np.flatnonzero(room)
    rows = rows[keep_apart(ghost[rows], radius[rows])]
    return ghost[rows], rows.astype(np.int64)
