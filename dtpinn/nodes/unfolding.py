"""Periodic nodes with their images around the cell: what lies across a seam in its place.

Whoever looks for neighbours, sees walls or triangulates does so on these as on any others, and goes
back to the nodes by their origin.
"""

from __future__ import annotations

from math import gamma, pi

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.geometry.cell import Cell
from dtpinn.nodes.node_set import NodeSet
from dtpinn.nodes.walls import Walls

# How many nodes around a node are looked at for what it sees, and for holes beside it.
AROUND = {1: 32, 2: 128, 3: 320}


def unfold(nodes: NodeSet, reach: float) -> tuple[NodeSet, Integers]:
    """Return ``nodes`` with their images within ``reach`` of the cell, and the origin of each.

    Returns
    -------
    unfolded
        Without a period. Of interior, boundary and ghosts the nodes themselves come first; a ghost
        lies beside its boundary node, even where that is outside of the cell.
    origin
        (M,), the row in X~ of each node of the unfolded X~.

    Examples
    --------
    >>> from dtpinn.geometry import Interval
    >>> from dtpinn.nodes import place_nodes
    >>> circle = place_nodes(Interval(0.0, 1.0, periodic=True), spacing=0.05)
    >>> unfolded, origin = unfold(circle, 0.12)
    >>> unfolded.interior[20:, 0].round(2), origin[20:]
    (array([-0.1 , -0.05,  1.  ,  1.05,  1.1 ]), array([18, 19,  0,  1,  2]))
    """
    cell, ni, nb = nodes.cell, nodes.interior_count, nodes.boundary_count
    inner, of_inner = cell.images(nodes.interior, reach)
    edge, of_edge = cell.images(nodes.boundary, reach)
    ghost = cell.beside(nodes.ghost, nodes.boundary[nodes.ghost_of])
    own = np.full(nb, -1)
    own[nodes.ghost_of] = np.arange(nodes.ghost_count)
    has = np.flatnonzero(own[of_edge] >= 0)
    moved = ghost[own[of_edge[has]]] + (edge[has] - nodes.boundary[of_edge[has]])
    interior, boundary = (np.append(np.arange(n), of) for n, of in ((ni, of_inner), (nb, of_edge)))
    ghosts = np.append(np.arange(nodes.ghost_count), own[of_edge[has]])
    unfolded = NodeSet(
        np.concatenate([nodes.interior, inner]),
        np.concatenate([nodes.boundary, edge]),
        np.concatenate([ghost, moved]),
        nodes.normals[boundary],
        nodes.part[boundary],
        nodes.parts,
        np.append(nodes.ghost_of, nb + has),
        nodes.local_spacing[np.append(interior, ni + boundary)],
        nodes.sides.of(boundary),
    )
    return unfolded, np.concatenate([interior, ni + boundary, ni + nb + ghosts])


def reach_of(spacing: Floats, count: int, dimension: int) -> float:
    """Radius of a ball that holds ``count`` nodes, where the ``spacing`` is widest."""
    ball = pi ** (dimension / 2) / gamma(dimension / 2 + 1)
    return float(spacing.max() * (count / ball) ** (1 / dimension))


def walls_around(
    cell: Cell, interior: Floats, boundary: Floats, normals: Floats, spacing: Floats
) -> tuple[Floats, Floats, Walls]:
    """Return interior and boundary nodes with their images around the cell, and the walls there.

    The nodes themselves come first. ``spacing`` is that of the boundary nodes or of all.
    """
    reach = reach_of(spacing, AROUND[interior.shape[1]], interior.shape[1])
    inner = np.concatenate([interior, cell.images(interior, reach)[0]])
    edge, of_edge = cell.images(boundary, reach)
    edge = np.concatenate([boundary, edge])
    return inner, edge, Walls(inner, edge, np.concatenate([normals, normals[of_edge]]))


def real_first(unfolded: NodeSet, nodes: NodeSet) -> npt.NDArray[np.intp]:
    """Return the rows of the unfolded X~ in the order of X~, its images after it; (M,)."""
    first, start, images = [], 0, []
    for name in ("interior", "boundary", "ghost"):
        own, all_ = len(getattr(nodes, name)), len(getattr(unfolded, name))
        first.append(np.arange(start, start + own))
        images.append(np.arange(start + own, start + all_))
        start += all_
    return np.concatenate([*first, *images])
