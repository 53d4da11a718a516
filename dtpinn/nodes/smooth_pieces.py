"""Smooth pieces of the boundary, from edge to edge or closed, and the holes that they enclose."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from dtpinn.arrays import Floats
from dtpinn.nodes.beside_sides import beside_sides
from dtpinn.nodes.node_set import NodeSet

_NEIGHBOURS = 8


def smooth_pieces(nodes: NodeSet) -> csr_array:
    """Return which sides make up each piece, as rows of ones: (pieces, sides).

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Rectangle() - dtpinn.geometry.Disk(0.2), 0.1)
    >>> smooth_pieces(nodes).shape[0]
    5
    """
    part = nodes.sides.part
    near, _, _, lean = beside_sides(nodes, _NEIGHBOURS)
    alike = (lean > 0.5) & (part[near] == part[:, None])
    each = np.arange(len(part))
    links = csr_array(
        (np.ones(int(alike.sum())), (np.nonzero(alike)[0], near[alike])),
        shape=(len(each), len(each)),
    )
    number, piece = connected_components(links, directed=False)
    return csr_array((np.ones(len(each)), (piece, each)), shape=(number, len(each)))


def volume_of_holes(nodes: NodeSet, pieces: csr_array) -> Floats:
    """Return what sides contribute to the volume of the holes in a cell: ``holes @ weights``.

    A field that grows with the distance from a hole is no periodic one, so that periodic fields do
    not tell.
    """
    place = nodes.boundary[nodes.sides.point]
    apart = np.zeros_like(place)
    for row in range(pieces.shape[0]):
        members = pieces.indices[pieces.indptr[row] : pieces.indptr[row + 1]]
        for k, period in enumerate(nodes.cell.periods):
            # From the widest gap on, the piece is as far as it goes within one period.
            x = np.sort(place[members, k])
            gaps = np.diff(x, append=x[0] + period)
            start = x[(gaps.argmax() + 1) % len(x)]
            apart[members, k] = np.mod(place[members, k] - start, period)
    inward: Floats = -np.einsum("si,si->s", apart, nodes.sides.normals) / nodes.dimension
    return inward
