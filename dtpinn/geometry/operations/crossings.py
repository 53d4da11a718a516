"""Where boundary curves cross the boundary of another domain, and new loops from the pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dtpinn.arrays import Floats, Integers
from dtpinn.geometry.arc import Arc, Curve, points_on
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.curves.outline import elements
from dtpinn.geometry.domain import Domain

# In shares of the size of the two domains. What is nearer than the first lies on the boundary;
# pieces shorter than the second are contacts, not crossings.
TOUCHING = 1e-11
RESOLUTION = 1e-4
# Halvings after which a share is known to round-off.
BISECTIONS = 60


@dataclass(frozen=True)
class Piece:
    """A piece of an arc on one side of another domain's boundary.

    Attributes
    ----------
    arc
        The piece.
    side
        -1 inside of the other domain, 1 outside, 0 along its boundary.
    """

    arc: Arc
    side: int


def cut(curves: Sequence[Curve], other: Domain, size: float) -> list[Piece]:
    """Cut ``curves`` where they cross the boundary of ``other``.

    A signed distance changes by no more than the distance walked. So between two points of a curve
    that together are farther from the boundary than from each other there is no crossing, and
    only the other intervals are halved, until they are shorter than ``1e-4`` of ``size``. Where the
    curves touch over less than that, or part for less, they are not cut. A crossing is bisected to
    round-off.

    Parameters
    ----------
    curves
        Of a domain in the plane.
    other
        Another domain in the plane.
    size
        Of the two domains.

    Examples
    --------
    >>> from dtpinn.geometry import Disk
    >>> from dtpinn.geometry.arc import segment
    >>> [piece.side for piece in cut([(segment((-2.0, 0.0), (2.0, 0.0)),)], Disk(), 4.0)]
    [1, -1, 1]
    """
    arcs = [arc for curve in curves for arc in curve]
    if not arcs:
        return []
    which, share, points, distance = _sample(arcs, other, RESOLUTION * size)
    category = np.where(np.abs(distance) <= TOUCHING * size, 0, np.sign(distance)).astype(np.int64)
    step = np.linalg.norm(np.diff(points, axis=0, prepend=points[:1]), axis=1)
    progress = np.cumsum(step)
    sides: list[Integers] = []
    before, after = [], []
    for rows in np.split(np.arange(len(which)), np.flatnonzero(np.diff(which)) + 1):
        first, last = _runs(category[rows], progress[rows], RESOLUTION * size)
        sides.append(category[rows[first]])
        before.append(rows[last[:-1]])
        after.append(rows[first[1:]])
    low, high = np.concatenate(before), np.concatenate(after)
    kind = category[low] * category[high]
    at = _bisect(arcs, which[low], share[low], share[high], kind, other, size)
    ends = np.split(at, np.cumsum([len(rows) for rows in before])[:-1])
    return [
        Piece(arc.between(start, stop), int(side))
        for arc, middle, around in zip(arcs, ends, sides, strict=True)
        for start, stop, side in zip([0.0, *middle], [*middle, 1.0], around, strict=True)
    ]


def _sample(
    arcs: Sequence[Arc], other: Domain, resolution: float
) -> tuple[Integers, Floats, Floats, Floats]:
    """Arc, share, point and signed distance to ``other`` of samples, dense near crossings."""
    which, first, last = elements(arcs)
    ends = np.flatnonzero(np.diff(which, append=-1))
    which, share = np.append(which, which[ends]), np.append(first, last[ends])
    order = np.lexsort((share, which))
    which, share = which[order], share[order]
    points = points_on(arcs, which, share)
    distance = other.signed_distance(points)
    while True:
        length = np.linalg.norm(np.diff(points, axis=0), axis=1)
        # Half as much again for the bend between two samples.
        doubtful = np.abs(distance[1:]) + np.abs(distance[:-1]) <= 1.5 * length
        doubtful &= (length > resolution) & (which[1:] == which[:-1])
        rows = np.flatnonzero(doubtful)
        if not rows.size:
            return which, share, points, distance
        middle = 0.5 * (share[rows] + share[rows + 1])
        new = points_on(arcs, which[rows], middle)
        share = np.insert(share, rows + 1, middle)
        points = np.insert(points, rows + 1, new, axis=0)
        distance = np.insert(distance, rows + 1, other.signed_distance(new))
        which = np.insert(which, rows + 1, which[rows])


def _runs(category: Integers, progress: Floats, resolution: float) -> tuple[Integers, Integers]:
    """First and last samples of runs of equal category, the short ones left out."""
    last = np.flatnonzero(np.diff(category, append=9))
    first = np.concatenate([[0], last[:-1] + 1])
    outer_first, outer_last = np.maximum(first - 1, 0), np.minimum(last + 1, len(category) - 1)
    length = progress[outer_last] - progress[outer_first]
    # A run at an end of the arc probably goes on along the next arc.
    length[[0, -1]] *= 2.0
    long = length > 2.5 * resolution
    if not long.any():
        long[np.argmax(progress[last] - progress[first])] = True
    first, last = first[long], last[long]
    same = category[first[1:]] == category[first[:-1]]
    return first[np.append(True, ~same)], last[np.append(~same, True)]


def _bisect(
    arcs: Sequence[Arc],
    which: Integers,
    low: Floats,
    high: Floats,
    kind: Integers,
    other: Domain,
    size: float,
) -> Floats:
    """Shares between ``low`` and ``high`` at which the side changes; (n,).

    Where ``kind`` is -1 the curves cross and the distance changes its sign. Where it is 0 a
    stretch along the boundary begins or ends.
    """

    def height(share: Floats) -> Floats:
        distance = other.signed_distance(points_on(arcs, which, share))
        return np.where(kind < 0, distance, np.abs(distance) - TOUCHING * size)

    if not len(which):
        return low
    rising = height(low) <= 0.0
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        before = (height(middle) <= 0.0) == rising
        low, high = np.where(before, middle, low), np.where(before, high, middle)
    return 0.5 * (low + high)


def glue(arcs: Sequence[Arc], size: float, cell: Cell | None = None) -> list[Curve]:
    """Join ``arcs`` to closed loops, each end to the nearest start, in a ``cell`` across its seam.

    Raises
    ------
    ValueError
        If an end has no start nearer than ``1e-4`` of ``size``.

    Examples
    --------
    >>> from dtpinn.geometry.arc import segment
    >>> a, b, c = (0, 0), (1, 0), (1, 1)
    >>> [len(loop) for loop in glue([segment(c, a), segment(a, b), segment(b, c)], 1.0)]
    [3]
    """
    starts = np.concatenate([arc.at(np.zeros(1)) for arc in arcs])
    ends = np.concatenate([arc.at(np.ones(1)) for arc in arcs])
    count = min(8, len(arcs))
    tree = (Cell.open(2) if cell is None else cell).tree(starts)
    distance, row = tree.query(ends, k=range(1, count + 1))
    following = np.full(len(arcs), -1)
    taken = np.zeros(len(arcs), dtype=np.bool_)
    for place in np.argsort(distance, axis=None, kind="stable"):
        end, start = place // count, row.flat[place]
        if following[end] < 0 and not taken[start] and distance.flat[place] <= RESOLUTION * size:
            following[end], taken[start] = start, True
    open_ = np.flatnonzero(following < 0)
    if open_.size:
        x, y = ends[open_[0]]
        raise ValueError(
            f"the two domains touch, but hardly cross, near the point ({x:.6g}, {y:.6g}), and the "
            f"boundary of the result does not close there; move one by {RESOLUTION * size:.2g}, so "
            "that they overlap or part"
        )
    return _loops(arcs, following)


def _loops(arcs: Sequence[Arc], following: Integers) -> list[Curve]:
    loops: list[Curve] = []
    left = dict.fromkeys(range(len(arcs)))
    while left:
        loop = [next(iter(left))]
        del left[loop[0]]
        while (number := int(following[loop[-1]])) != loop[0]:
            loop.append(number)
            del left[number]
        loops.append(tuple(arcs[number] for number in loop))
    return loops
