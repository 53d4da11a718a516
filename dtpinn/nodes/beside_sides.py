"""The sides of the boundary around each of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dtpinn.arrays import Floats, Integers
from dtpinn.nodes.node_set import NodeSet


class Beside(NamedTuple):
    """The k sides nearest to each side, itself or another of its node first.

    Attributes
    ----------
    near : (sides, k) int array
        Which.
    step : (sides, k, d) array
        The way there, across seams if that is shorter.
    chord : (sides, k) array
        How long it is.
    lean : (sides, k) array
        Cosine between both normals.
    """

    near: Integers
    step: Floats
    chord: Floats
    lean: Floats


def beside_sides(nodes: NodeSet, count: int) -> Beside:
    """Return so many sides around each side, or all, if there are not as many.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Rectangle(), spacing=0.1)
    >>> beside = beside_sides(nodes, 3)
    >>> beside.near.shape == (len(nodes.sides), 3), bool(beside.chord.max() < 0.2)
    (True, True)
    """
    place, normals = nodes.boundary[nodes.sides.point], nodes.sides.normals
    count = min(count, len(place))
    near = nodes.cell.tree(place).query(place, k=count)[1].reshape(-1, count)
    step = nodes.cell.difference(place[near], place[:, None])
    chord, lean = np.linalg.norm(step, axis=2), np.einsum("ski,si->sk", normals[near], normals)
    return Beside(near, step, chord, lean)
