"""Matrices from some of the nodes of X to any places, the others left out."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from scipy.sparse import csr_array

from dtpinn.arrays import Floats, Integers
from dtpinn.nodes import Nodes
from dtpinn.nodes.unfolding import reach_of, unfold
from dtpinn.operators import Operator
from dtpinn.rbffd.assembly import assemble
from dtpinn.rbffd.rule import choose_rule

# Images around a cell are at hand for so many times the nodes of a stencil.
_POOL = 4
# Behind a boundary node, so many spacings off, another one is behind a thin wall.
_BEHIND = 1.25


def from_some(
    nodes: Nodes, rows: Integers, operators: Mapping[str, Operator], places: Floats, order: int
) -> dict[str, csr_array]:
    """Return matrices from values at some rows of X to places, past no wall of the boundary.

    Parameters
    ----------
    nodes : Nodes
    rows : (m,) int array
        Of X.
    operators : mapping of name to Operator
    places : (k, d) array
    order : int

    Returns
    -------
    dict of name to (k, m) csr_array
    """
    origin = np.arange(nodes.count)
    around: Any = nodes.with_ghosts_of(np.arange(0))
    if nodes.cell.periodic:
        size = choose_rule(order, 1, nodes.dimension).stencil_size
        count = _POOL * size * nodes.count // len(rows)
        around, origin = unfold(around, reach_of(nodes.local_spacing, count, nodes.dimension))
    column = np.full(nodes.count, -1)
    column[rows] = np.arange(len(rows))
    kept = np.flatnonzero(column[origin] >= 0)
    walls = around.walls.in_order(kept) if _near_behind(nodes) else None
    cloud = SimpleNamespace(extended=around.extended[kept], walls=walls)
    built = assemble(cast(Nodes, cloud), operators, places, order).matrices
    fold = csr_array(
        (np.ones(len(kept)), (np.arange(len(kept)), column[origin[kept]])),
        shape=(len(kept), len(rows)),
    )
    return {name: csr_array(matrix @ fold) for name, matrix in built.items()}


def _near_behind(nodes: Nodes) -> bool:
    """Whether there are walls or gaps so thin that stencils must not reach through.

    Past a hole they may, and better do: what is behind is nearer to them than what is around it.
    """
    step = _BEHIND * nodes.local_spacing[nodes.interior_count :]
    behind = nodes.boundary + step[:, None] * nodes.normals
    gap = nodes.cell.tree(nodes.collocation).query(behind)[0]
    return bool((gap < 0.7 * step).any())
