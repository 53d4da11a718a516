"""Walking along the boundary curves of a domain in the plane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dtpinn.arrays import Floats, Integers
from dtpinn.geometry.arc import Curve, corner_normal, normals_on, points_on
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.sides import Sides, joined_sides, united_sides
from dtpinn.geometry.spacing import TIE, Spacing, SpacingLike, as_spacing, whole_steps

# Where the normal turns by less than this many radians, 3 degrees, there is no corner: a polygon of
# many short edges stands for a smooth curve.
CORNER = 0.05
# The end of a part on a smooth boundary is worth as much as a corner that turns by so much.
END_OF_PART = 1.0
# In spacings: how far from a corner its sides are asked for their part, if they go on so far. So a
# part that reaches a little round the corner has no side there.
BESIDE = 0.5
# Corners nearer than this many spacings along the curve cannot both be nodes.
CLOSEST = 0.75
# How far two nodes of a pinched domain bulge towards each other together, in spacings.
PINCHED = 0.01
# A piece is divided once more rather than leave a step longer than this many spacings.
WIDEST = 1.3
# Where two holes pinch the domain to a point, nodes nearer than this many spacings are one node.
MERGE = 0.05
# Samples of an arc: at least so many, and so many per spacing.
SAMPLES, SAMPLES_PER_STEP = 32, 8


def walk_curves(
    curves: Sequence[Curve],
    names: tuple[str, ...],
    spacing: SpacingLike,
    bounds: Floats,
    cell: Cell | None = None,
) -> Boundary:
    """Nodes on ``curves``, about ``spacing`` apart, in the order of the walk.

    Corners are nodes, and so are the ends of parts, unless a part is shorter than three quarters of
    a spacing there; between two of them the steps are equal, measured in local spacings, and as
    near to one as a whole number of them allows. Where corners are closer than three quarters of a
    spacing the sharper one is kept. A node at a corner has two sides, those of the arcs that meet;
    as a node it has the normalised mean of the two normals and the part that the walk enters. A
    loop has three nodes at least, however small it is. Where loops touch there is one node, with
    the sides of all. A part much shorter than the spacing may have no node; it keeps its name.

    Parameters
    ----------
    curves
        Closed loops of arcs, with the domain on their left.
    names
        Names of the parts that the arcs point to.
    spacing
        A length, or a function: points (n, 2) -> (n,).
    bounds
        (2, 2), of the domain.
    cell
        Of a periodic domain: curves may be closed by way of the seam, and nodes lie in the cell.

    Raises
    ------
    TypeError, ValueError
        If ``spacing`` is not a length that fits the domain, anywhere on the curves.

    Examples
    --------
    >>> from dtpinn.geometry.arc import ellipse
    >>> circle = (ellipse((0.0, 0.0), (1.0, 1.0)),)
    >>> walk_curves([circle], ("circle",), 0.1, np.array([[-1.0, -1.0], [1.0, 1.0]]))
    Boundary(63 points in 2-D, parts circle)
    """
    cell = Cell.open(2) if cell is None else cell
    spacing_at = as_spacing(spacing, bounds, cell)
    if not curves:
        spacing_at(bounds)
        return Boundary.none(2)
    walks = [_walk(curve, spacing_at) for curve in curves]
    points, normals, part, reach = (
        np.concatenate(column) for column in list(zip(*walks, strict=True))[:4]
    )
    points = cell.wrap(points)
    sides = joined_sides([walk.sides for walk in walks], [len(walk.points) for walk in walks])
    bulge = np.concatenate([walk.bulge for walk in walks])
    first = _first_there(points, bulge, MERGE * reach, cell)
    keep = np.flatnonzero(first == np.arange(len(points)))
    sides = united_sides(sides, np.searchsorted(keep, first))
    return Boundary(points[keep], normals[keep], part[keep], names, sides)


class _Walk(NamedTuple):
    """Nodes of one loop, with their local spacing and their bulge.

    The bulge is how far, in spacings, both neighbours of a node together lie in front of it:
    positive where the domain is hollow.
    """

    points: Floats
    normals: Floats
    part: Integers
    spacing: Floats
    sides: Sides
    bulge: Floats


def _walk(curve: Curve, spacing_at: Spacing) -> _Walk:
    which, share, progress, spacing = _progress(curve, spacing_at)
    loop = _Loop(curve, progress[np.searchsorted(which, np.arange(len(curve)))], progress[-1])
    corners = _corners(loop)
    at = _steps(loop.start[corners], loop.total)
    # Each arc's table starts at share 0, where the one before has share 1: "right" enters the arc.
    row = np.clip(np.searchsorted(progress, at, side="right") - 1, 0, len(which) - 2)
    length = progress[row + 1] - progress[row]
    part_way = np.clip((at - progress[row]) / length, 0.0, 1.0)
    arc, position = which[row], share[row] + part_way * (share[row + 1] - share[row])
    points, normals, part = (
        points_on(curve, arc, position), normals_on(curve, arc, position), loop.part[arc]
    )  # fmt: skip
    node = np.searchsorted(at, loop.start[corners])
    sides = _sides(loop, corners, node, normals, part)
    ends = np.searchsorted(sides.point, node)
    normals[node] = corner_normal(sides.normals[ends], sides.normals[ends + 1])
    part[node] = sides.part[ends + 1]
    local = np.interp(at, progress, spacing)
    beside = np.roll(points, 1, axis=0) + np.roll(points, -1, axis=0) - 2.0 * points
    bulge = np.einsum("ni,ni->n", beside, normals) / local
    return _Walk(points, normals, part, local, sides, bulge)


class _Loop:
    """A curve, with the spacings walked at the ``start`` of its arcs and in ``total``."""

    def __init__(self, curve: Curve, start: Floats, total: float) -> None:
        self.start, self.total = start, total
        self.part = np.array([arc.part for arc in curve], dtype=np.int64)
        numbers = np.arange(len(curve))
        self.leaving = normals_on(curve, numbers, np.zeros(len(curve)))
        self.arriving = np.roll(normals_on(curve, numbers, np.ones(len(curve))), 1, axis=0)
        cosine = np.einsum("ij,ij->i", self.arriving, self.leaving)
        a, b = self.arriving.T, self.leaving.T
        self.turn = np.arctan2(np.abs(a[0] * b[1] - a[1] * b[0]), cosine)

    def part_at(self, progress: Floats) -> Integers:
        """Parts where so many spacings were walked, from less than a round to more; (n,)."""
        return self.part[np.searchsorted(self.start, progress % self.total, side="right") - 1]


def _sides(
    loop: _Loop, corners: Integers, node: Integers, normals: Floats, part: Integers
) -> Sides:
    """One side of every node, and of each ``node`` at a corner two: that which ends there first."""
    point = np.sort(np.append(np.arange(len(part)), node), kind="stable")
    normals, part = normals[point], part[point]
    ends = np.searchsorted(point, node)
    normals[ends], normals[ends + 1] = loop.arriving[corners], loop.leaving[corners]
    # Half way to the next corner at most.
    at, sharp = loop.start[corners], loop.start[loop.turn >= CORNER]
    if not sharp.size:
        sharp = loop.start[:1]
    around = np.concatenate([sharp[-1:] - loop.total, sharp, sharp[:1] + loop.total])
    before = at - around[np.searchsorted(around, at, side="left") - 1]
    after = around[np.searchsorted(around, at, side="right")] - at
    part[ends] = loop.part_at(at - np.minimum(BESIDE, 0.5 * before))
    part[ends + 1] = loop.part_at(at + np.minimum(BESIDE, 0.5 * after))
    return Sides(point, normals, part)


def _progress(curve: Curve, spacing_at: Spacing) -> tuple[Integers, Floats, Floats, Floats]:
    """Table of the walk: number of the arc, share of its way, spacings walked so far, spacing.

    Samples are put once more where the first ones tell equal steps to be: a curve's parameter may
    run at any speed.
    """
    shares = [np.linspace(0.0, 1.0, SAMPLES + 1)] * len(curve)
    for _ in range(3):
        which = np.repeat(np.arange(len(curve)), [len(share) for share in shares])
        share = np.concatenate(shares)
        points = points_on(curve, which, share)
        length = _lengths(points, normals_on(curve, which, share))
        length[np.diff(which) > 0] = 0.0
        # A third of a small loop is its spacing, so that it is still a loop.
        spacing = np.minimum(spacing_at(points), length.sum() / 3.0)
        step = 0.5 * length * (1.0 / spacing[1:] + 1.0 / spacing[:-1])
        progress = np.concatenate([[0.0], np.cumsum(step)])
        rows = np.split(np.arange(len(which)), np.flatnonzero(np.diff(which)) + 1)
        shares = [_resample(share[row], progress[row]) for row in rows]
    return which, share, progress, spacing


def _lengths(points: Floats, normals: Floats) -> Floats:
    """Lengths of a curve between neighbouring ``points`` (n, 2): of circular arcs, (n - 1,)."""
    chord = np.linalg.norm(np.diff(points, axis=0), axis=1)
    cosine = np.einsum("ij,ij->i", normals[1:], normals[:-1])
    half = 0.5 * np.arccos(np.clip(cosine, -1.0, 1.0))
    return np.asarray(chord / np.sinc(half / math.pi))


def _resample(share: Floats, progress: Floats) -> Floats:
    """Shares of one arc that are evenly spaced in ``progress``."""
    total = progress[-1] - progress[0]
    count = max(SAMPLES, math.ceil(SAMPLES_PER_STEP * total))
    return np.interp(np.linspace(progress[0], progress[-1], count + 1), progress, share)


def _corners(loop: _Loop) -> Integers:
    """Numbers of the arcs that start at a corner to be kept, or begin a part, ascending."""
    ends = np.flatnonzero(loop.part != np.roll(loop.part, 1))
    length = np.diff(loop.start[ends], append=loop.start[ends[:1]] + loop.total)
    worth, candidate = loop.turn.copy(), loop.turn >= CORNER
    worth[ends] += END_OF_PART
    candidate[ends] |= np.minimum(length, np.roll(length, 1)) >= CLOSEST
    kept: list[int] = []
    for number in np.argsort(-worth, kind="stable"):
        if candidate[number]:
            gap = np.abs(loop.start[kept] - loop.start[number])
            if (np.minimum(gap, loop.total - gap) >= CLOSEST).all():
                kept.append(int(number))
    return np.sort(np.array(kept, dtype=np.int64))


def _steps(corners: Floats, total: float) -> Floats:
    """Where the nodes are, from where the ``corners`` are, in spacings from the start."""
    begin = corners if corners.size else np.zeros(1)
    end = np.append(begin[1:], begin[0] + total)
    whole = np.ceil((end - begin) / WIDEST - TIE).astype(np.int64)
    count = np.maximum(np.maximum(whole_steps(end - begin), whole), 1)
    section = np.repeat(np.arange(len(begin)), count)
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    at = begin[section] + (end - begin)[section] * number / count[section]
    return np.sort(np.where(at >= total, at - total, at))


def _first_there(points: Floats, bulge: Floats, reach: Floats, cell: Cell) -> Integers:
    """For each of ``points`` (n, 2) the first that it nearly coincides with, or itself; (n,).

    Two nodes that have a wall between them both stay, however thin it is. Where the domain is
    between them, pinched to a point by two holes, they bulge towards each other and are one.
    """
    a, b = cell.tree(points).query_pairs(float(reach.max()), output_type="ndarray").T
    distance = np.linalg.norm(cell.difference(points[a], points[b]), axis=1)
    same = (distance < reach[b]) & (bulge[a] + bulge[b] >= PINCHED)
    first = np.arange(len(points))
    np.minimum.at(first, b[same], a[same])
    while (first[first] != first).any():
        first = first[first]
    return first
