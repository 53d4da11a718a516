"""Walking along the boundary curves of a domain in the plane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.curves import Curve, corner_normal, normals_on, points_on
from dtpinn.geometry.sides import Sides, joined_sides
from dtpinn.geometry.spacing import Spacing, SpacingLike, as_spacing

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Where the normal turns by less than this many radians, 3 degrees, there is no corner: a polygon of
# many short edges stands for a smooth curve.
CORNER = 0.05
# The end of a part on a smooth boundary is worth as much as a corner that turns by so much.
END_OF_PART = 1.0
# Corners nearer than this many spacings along the curve cannot both be nodes.
CLOSEST = 0.75
# A piece is divided once more rather than leave a step longer than this many spacings.
WIDEST = 1.3
# Nodes of two loops that touch, nearer than this many spacings, are one node.
MERGE = 0.05
# Samples of an arc: at least so many, and so many per spacing.
SAMPLES, SAMPLES_PER_STEP = 32, 8


def walk_curves(
    curves: Sequence[Curve], names: tuple[str, ...], spacing: SpacingLike, bounds: Floats
) -> Boundary:
    """Nodes on ``curves``, about ``spacing`` apart, in the order of the walk.

    Corners are nodes, and so are the ends of parts; between two of them the steps are equal,
    measured in local spacings, and as near to one as a whole number of them allows. Where they are
    closer than three quarters of a spacing the sharper corner is kept. A node there has two sides,
    those of the arcs that meet; as a node it has the normalised mean of the two normals and the
    part that the walk enters. A loop has three nodes at least, however
    small it is. Parts in which no node lies, such as an edge much shorter than the spacing, are
    left out of the names.

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

    Raises
    ------
    TypeError, ValueError
        If ``spacing`` is not a length that fits the domain, anywhere on the curves.

    Examples
    --------
    >>> from dtpinn.geometry.curves import ellipse
    >>> circle = (ellipse((0.0, 0.0), (1.0, 1.0)),)
    >>> walk_curves([circle], ("circle",), 0.1, np.array([[-1.0, -1.0], [1.0, 1.0]]))
    Boundary(63 points in 2-D, parts circle)
    """
    spacing_at = as_spacing(spacing, bounds)
    walks = [_walk(curve, spacing_at) for curve in curves]
    points, normals, part, reach = (
        np.concatenate(column) for column in list(zip(*walks, strict=True))[:4]
    )
    sides = joined_sides([walk.sides for walk in walks], [len(walk.points) for walk in walks])
    keep = np.flatnonzero(_apart(points, MERGE * reach))
    return Boundary(points[keep], normals[keep], part[keep], names, sides.of(keep))


class _Walk(NamedTuple):
    """Nodes of one loop, with their local spacing."""

    points: Floats
    normals: Floats
    part: Integers
    spacing: Floats
    sides: Sides


def _walk(curve: Curve, spacing_at: Spacing) -> _Walk:
    which, share, progress, spacing = _progress(curve, spacing_at)
    first = np.searchsorted(which, np.arange(len(curve)))
    corners = _corners(curve, progress[first], progress[-1])
    at = _steps(progress[first][corners], progress[-1])
    # Each arc's table starts at share 0, where the one before has share 1: "right" enters the arc.
    row = np.clip(np.searchsorted(progress, at, side="right") - 1, 0, len(which) - 2)
    length = progress[row + 1] - progress[row]
    part_way = np.clip((at - progress[row]) / length, 0.0, 1.0)
    arc, position = which[row], share[row] + part_way * (share[row + 1] - share[row])
    points, normals = points_on(curve, arc, position), normals_on(curve, arc, position)
    part = np.array([each.part for each in curve], dtype=np.int64)[arc]
    node = np.searchsorted(at, progress[first][corners])
    sides = _sides(curve, corners, node, normals, part)
    twice = np.searchsorted(sides.point, node)
    normals[node] = corner_normal(sides.normals[twice], sides.normals[twice + 1])
    return _Walk(points, normals, part, np.interp(at, progress, spacing), sides)


def _sides(
    curve: Curve, corners: Integers, node: Integers, normals: Floats, part: Integers
) -> Sides:
    """One side of every node, and of each ``node`` at a corner two: that which ends there first."""
    point = np.sort(np.append(np.arange(len(part)), node), kind="stable")
    normals, part = normals[point], part[point]
    ends, before = np.searchsorted(point, node), np.roll(np.arange(len(curve)), 1)[corners]
    for rows, arcs, share in ((ends, before, 1.0), (ends + 1, corners, 0.0)):
        normals[rows] = normals_on(curve, arcs, np.full(len(arcs), share))
        part[rows] = np.array([each.part for each in curve], dtype=np.int64)[arcs]
    return Sides(point, normals, part)


def _progress(
    curve: Curve, spacing_at: Spacing
) -> tuple[npt.NDArray[np.int64], Floats, Floats, Floats]:
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


def _corners(curve: Curve, progress: Floats, total: float) -> Integers:
    """Numbers of the arcs that start at a corner to be kept, or begin a part, ascending."""
    numbers = np.arange(len(curve))
    start = normals_on(curve, numbers, np.zeros(len(curve)))
    stop = normals_on(curve, numbers, np.ones(len(curve)))
    before = np.roll(stop, 1, axis=0)
    cosine = np.einsum("ij,ij->i", before, start)
    turn = np.arctan2(np.abs(before[:, 0] * start[:, 1] - before[:, 1] * start[:, 0]), cosine)
    part = np.array([arc.part for arc in curve])
    turn[part != np.roll(part, 1)] += END_OF_PART
    kept: list[int] = []
    for number in np.argsort(-turn, kind="stable"):
        if turn[number] < CORNER:
            break
        gap = np.abs(progress[kept] - progress[number])
        if (np.minimum(gap, total - gap) >= CLOSEST).all():
            kept.append(int(number))
    return np.sort(np.array(kept, dtype=np.int64))


def _steps(corners: Floats, total: float) -> Floats:
    """Where the nodes are, from where the ``corners`` are, in spacings from the start."""
    begin = corners if corners.size else np.zeros(1)
    end = np.append(begin[1:], begin[0] + total)
    # The shares of a spacing below 1e-9 are round-off.
    whole = np.ceil((end - begin) / WIDEST - 1e-9)
    count = np.maximum(np.maximum(np.rint(end - begin), whole), 1.0).astype(np.int64)
    section = np.repeat(np.arange(len(begin)), count)
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    at = begin[section] + (end - begin)[section] * number / count[section]
    return np.sort(np.where(at >= total, at - total, at))


def _apart(points: Floats, reach: Floats) -> npt.NDArray[np.bool_]:
    """Whether each of ``points`` is to stay, the later of two that nearly coincide being left."""
    keep = np.ones(len(points), dtype=np.bool_)
    pairs = cKDTree(points).query_pairs(float(reach.max()), output_type="ndarray")
    distance = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    keep[pairs[distance < reach[pairs[:, 1]], 1]] = False
    return keep
