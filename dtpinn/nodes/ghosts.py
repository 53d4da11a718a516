"""Ghost nodes: just outside, one behind each boundary node where there is room."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import positive_length
from dtpinn.geometry import Cell, Domain
from dtpinn.geometry.clearance import keep_apart
from dtpinn.nodes.walls import Walls

# A ghost needs this share of its distance to the boundary as room around it.
ROOM = 0.5
# Nodes that are looked at for one that is too near; of two faces of a wall half are on the other.
NEAR = 16
# In spacings. Nearer, a ghost and its boundary node make two rows of a stencil's matrix agree to
# 1%; farther, the stencils of order 2 no longer reach it.
SHARES = (0.01, 2.0)


def place_ghosts(
    interior: Floats,
    boundary: Floats,
    normals: Floats,
    distance: float | Floats,
    domain: Domain | None = None,
    walls: Walls | None = None,
    cell: Cell | None = None,
) -> tuple[Floats, Integers]:
    """Ghost nodes at ``boundary + distance * normals``, less those that would collide.

    At re-entrant corners a ghost may land on another node, and two rows of a stencil's matrix would
    nearly agree. A ghost is dropped when

    1. a node of ``interior`` or ``boundary`` is nearer to it than ``distance / 2``, or
    2. it does not lie outside ``domain``, where that is known, or
    3. the ghost of an earlier boundary node is nearer than ``distance / 2`` and was kept.

    What lies beyond a wall does not matter where no node sees both: no stencil has both. So neither
    nodes on the other face of a wall, away from its end, take a ghost's room, nor their ghosts, and
    it may fall into the domain there.

    Parameters
    ----------
    interior
        (ni, d)
    boundary, normals
        (nb, d), the normals of unit length and outward.
    distance
        From a boundary node to its ghost: one number, or one per node (nb,).
    domain
        The domain, if there is one.
    walls
        The boundary, as ``interior``, ``boundary`` and ``normals`` tell it, if it is at hand; of
        periodic nodes it has their images as well, after them.
    cell
        Of periodic nodes.

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
    reach = np.broadcast_to(distance, len(boundary))
    ghost = boundary + reach[:, None] * normals
    radius = ROOM * reach
    cell = Cell.open(boundary.shape[1]) if cell is None else cell
    walls = Walls(interior, boundary, normals) if walls is None else walls
    rows = np.flatnonzero(_clear(ghost, radius, walls, domain))

    def harmless(pairs: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        first, second = ghost[rows[pairs[:, 0]]], ghost[rows[pairs[:, 1]]]
        across = np.linalg.norm(first - second, axis=1) > radius[rows[pairs]].max(axis=1)
        # Those are near to each other across a seam, where no wall is known.
        return np.asarray(walls.far_apart(rows[pairs] + walls.interior_count) & ~across)

    rows = rows[keep_apart(ghost[rows], radius[rows], harmless, cell)]
    return ghost[rows], rows.astype(np.int64)


def _clear(
    ghost: Floats, radius: Floats, walls: Walls, domain: Domain | None
) -> npt.NDArray[np.bool_]:
    """Whether each ghost has room among the nodes that are seen where its boundary node is."""
    count = min(NEAR, len(walls.points))
    distance, near = cKDTree(walls.points).query(ghost, k=np.arange(1, count + 1))
    bad = distance < radius[:, None]
    if domain is not None:
        bad[:, 0] |= domain.signed_distance(ghost) <= 0.0
    row, k = np.nonzero(bad)
    own = walls.interior_count + row
    bad[row, k] = ~walls.far_apart(np.column_stack([own, near[row, k]]))
    return np.asarray(~bad.any(axis=1))


def checked_share(ghost_distance: float) -> float:
    """Return ``ghost_distance``, in spacings, as a float if it is of use.

    Raises
    ------
    TypeError
        If it is not a number.
    ValueError
        If it is not between 0.01 and 2.

    Examples
    --------
    >>> checked_share(0.25)
    0.25
    """
    share = positive_length(ghost_distance, "ghost_distance")
    if not SHARES[0] <= share <= SHARES[1]:
        raise ValueError(
            f"ghost_distance is measured in spacings and must be from {SHARES[0]:g} to "
            f"{SHARES[1]:g}; got ghost_distance={share:g}. Use 0.25, the default"
        )
    return share
