"""Covering the boundary with pieces, as its nodes tell where it runs."""

from __future__ import annotations

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.nodes.beside import Beside
from dtpinn.nodes.discs import discs
from dtpinn.nodes.pieces import Pieces
from dtpinn.nodes.segments import segments


def pieces_of(boundary: Floats, normals: Floats) -> Pieces:
    """Cover the boundary with pieces, as its nodes tell where it runs.

    In the plane they are the segments between neighbours on a curve. In space each node has a disc
    in its tangent plane, and one on an edge has half a disc, or less, in each of the faces that
    meet there. On the line a node is its own piece.

    Parameters
    ----------
    boundary, normals
        (nb, d), the normals of unit length.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> pieces = pieces_of(square, (square - 0.5) * 2**0.5)
    >>> pieces.centre
    array([[0.5, 0. ],
           [0. , 0.5],
           [1. , 0.5],
           [0.5, 1. ]])
    >>> np.sort(pieces.around, axis=1)
    array([[0, 1],
           [0, 2],
           [2, 3],
           [1, 3]])
    """
    near = Beside(boundary, normals)
    kind = {1: _ends, 2: segments, 3: discs}[boundary.shape[1]]
    return kind(boundary, normals, near)


def _ends(boundary: Floats, normals: Floats, near: Beside) -> Pieces:
    step = np.full(len(boundary), float(np.ptp(boundary)) or 1.0)
    step[:] = np.diff(np.unique(boundary)).min(initial=step[0])
    none, rows = np.zeros_like(boundary), np.arange(len(boundary))
    return Pieces(boundary, normals, step, none, none[:, 0], rows[:, None], step, none, near.room)
