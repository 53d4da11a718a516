"""Points of creases in the order of a walk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree

from dtpinn.arrays import Floats
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.spacing import Spacing
from dtpinn.geometry.surfaces.creases import Crease

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

# In spacings: neighbours on a crease are no farther apart than this.
LINK = 0.3
# Cosines: neighbours have similar normals on both sides, and lie along the crease from each other.
SIMILAR, ALONG = 0.7, 0.8


@dataclass(frozen=True, eq=False)
class Arcs:
    """Points of creases in the order of a walk, arc after arc.

    Attributes
    ----------
    crease
        n points.
    arc
        (n,), ascending from 0: the arc of each.
    first, last
        (arcs,), rows of the ends of each arc.
    closed
        (arcs,), whether the last point is a neighbour of the first.
    """

    crease: Crease
    arc: Rows
    first: Rows
    last: Rows
    closed: Flags

    def __len__(self) -> int:
        """Return the number of arcs."""
        return len(self.first)


def order_arcs(crease: Crease, spacing: Spacing, cell: Cell | None = None) -> Arcs:
    """Put points of creases, which lie close to each other, in the order of a walk.

    An arc ends in a corner, where the normal of a side changes, or where the surface is smooth
    again. In a periodic ``cell`` it goes on across the seam, from image to image.

    Examples
    --------
    >>> x = np.array([0.3, 0.1, 0.2, 0.0, 2.1, 2.0])
    >>> side = np.ones((6, 1))
    >>> crease = Crease(x[:, None] * [1, 0, 0], side * [0, 0, 1], side * [0, 1, 0], np.ones(6))
    >>> arcs = order_arcs(crease, lambda points: np.full(len(points), 0.5))
    >>> arcs.crease.points[:, 0]
    array([0. , 0.1, 0.2, 0.3, 2. , 2.1])
    >>> arcs.first, arcs.last
    (array([0, 4]), array([3, 5]))
    >>> arcs.closed
    array([False, False])
    """
    count, cell = len(crease), Cell.open(3) if cell is None else cell
    a, b = _links(crease, spacing(crease.points), cell)
    length = np.linalg.norm(cell.difference(crease.points[a], crease.points[b]), axis=1)
    # The shortest tree that joins points on a curve is the walk along it.
    tree = minimum_spanning_tree(coo_array((length, (a, b)), shape=(count, count)).tocsr())
    arc = connected_components(tree, directed=False)[1]
    # From anywhere, the farthest point of the tree is an end.
    anywhere = np.unique(arc, return_index=True)[1]
    away = dijkstra(tree, directed=False, indices=anywhere, min_only=True)
    last = np.cumsum(np.bincount(arc)) - 1
    end = np.lexsort((away, arc))[last]
    way = dijkstra(tree, directed=False, indices=end, min_only=True)
    order = np.lexsort((way, arc))
    first = np.append(0, last[:-1] + 1)
    ends = np.sort(np.column_stack([order[first], order[last]]), axis=1)
    linked = np.isin(ends @ [count, 1], np.minimum(a, b) * count + np.maximum(a, b))
    # The ends of a short arc are linked as well, but the way between them is straight.
    gap = np.linalg.norm(
        cell.difference(crease.points[ends[:, 0]], crease.points[ends[:, 1]]), axis=1
    )
    closed = linked & (way[order[last]] > 2.0 * gap)
    crease, arc = crease[order], arc[order]
    if cell.periodic:
        crease = crease.moved(_unrolled(crease.points, first, arc, cell))
    return Arcs(crease, arc, first, last, closed)


def _unrolled(points: Floats, first: Rows, arc: Rows, cell: Cell) -> Floats:
    """Of each of ``points`` (n, 3) the image that is beside the one before it on its arc."""
    step = np.diff(points, axis=0, prepend=points[:1])
    laps = cell.difference(points, points - step) - step  # whole periods
    laps = np.cumsum(laps, axis=0)
    return np.asarray(points + laps - laps[first][arc])


def _links(crease: Crease, h: Floats, cell: Cell) -> tuple[Rows, Rows]:
    """Pairs of neighbours on the same crease."""
    pairs = cell.tree(crease.points).query_pairs(LINK * float(h.max()), output_type="ndarray")
    a, b = pairs[:, 0], pairs[:, 1]
    chord = cell.difference(crease.points[b], crease.points[a])
    length = np.linalg.norm(chord, axis=1)

    def cosine(u: Floats, v: Floats) -> Floats:
        return np.asarray(np.einsum("ni,ni->n", u, v))

    # Which side is the first is a matter of chance.
    first, second = crease.first, crease.second
    same = np.minimum(cosine(first[a], first[b]), cosine(second[a], second[b]))
    swapped = np.minimum(cosine(first[a], second[b]), cosine(second[a], first[b]))
    tangent = crease.tangents
    along = np.minimum(np.abs(cosine(chord, tangent[a])), np.abs(cosine(chord, tangent[b])))
    good = (length <= LINK * h[a]) & (crease.bend[a] == crease.bend[b])
    good &= (np.maximum(same, swapped) >= SIMILAR) & (along >= ALONG * length)
    return a[good], b[good]
