"""Stencils where the spacing changes abruptly: spread out, so that they look in all directions.

Where a boundary is several times finer than the inside, the nearest nodes of a boundary node lie
along the boundary, nearly on a curve, and say next to nothing of the derivative across it: the
error of a Poisson problem grew ten-thousand-fold when the boundary of a disk was made five times
finer. Leaving out some of the dense ones makes room for others, and brings it back.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import gamma, pi

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats
from dtpinn.nodes.walls import Walls
from dtpinn.rbffd.block import Block, Find, Solve
from dtpinn.rbffd.offcentre import solve_off_centre
from dtpinn.rbffd.rule import Rule
from dtpinn.rbffd.stencils import Stencils, find_stencils

ABRUPT = 100.0
"""How far above the usual a condition number may be before other stencils are tried at all.

Measured, orders 2 to 6 in 1-D to 3-D: up to 60 on quasi-uniform and on regular clouds, 96 on gently
graded ones, and where the spacing jumps 2.5 times, 300 to 14,000.
"""

UNEVEN = 10.0
"""Where one is above, those above this are tried as well."""

BETTER = 0.5
"""By what they must lower it to be taken."""

HARMFUL = 1e4
"""From here on the error is known to have grown, a hundredfold and more."""

_SEPARATION = 0.6  # of what are left, beside the mean distance of so many nodes in the ball
_POOL = 8  # nodes to choose one from
_ROUNDS = 6  # the ball grows with the distance and the distance with the ball


CONTRAST = 1.7
"""How far apart the spacings around a node must be for its stencil to be called lopsided.

On a regular grid stencils may be degenerate as well; there larger ones help, not others.
"""


@lru_cache(maxsize=64)
def usual_condition(rule: Rule) -> float:
    """Return the condition number of a stencil of quasi-uniform nodes, which h does not change.

    Examples
    --------
    >>> from dtpinn.rbffd.rule import choose_rule
    >>> 1e5 < usual_condition(choose_rule(4, derivatives=2, dimension=2)) < 1e7
    True
    """
    n, d = rule.stencil_size, rule.dimension
    # An additive recurrence with the root of x^(d+1) = x + 1: even, and on no curve.
    root = 1.5
    for _ in range(60):
        root = (1.0 + root) ** (1.0 / (d + 1))
    steps = root ** -np.arange(1.0, d + 1)
    points = (0.5 + np.arange(16 * n)[:, None] * steps) % 1.0
    centre = int(np.argmin(np.linalg.norm(points - 0.5, axis=1)))
    stencils = find_stencils(points, np.array([centre]), n)
    owner, value = np.zeros(1, dtype=np.intp), [(0,) * d]
    place = points[[centre]]
    return float(solve_off_centre(stencils, owner, place, rule, value, threads=1)[1][0])


def spread_out(
    points: Floats,
    centres: NDArray[np.integer],
    way: Callable[[Find], Solve],
    *,
    walls: Walls | None = None,
    threads: int,
) -> Callable[[NDArray[np.intp], Rule], Block | None]:
    """Give rows whose stencils are lopsided others, with nodes about equally far apart.

    Parameters
    ----------
    points : (N, d) array
        All nodes.
    centres : (rows,) int array
        The node of each row, or the one nearest to its place.
    way : callable
        Makes of a way to find stencils one to their weights.
    walls : Walls, optional
        What stencils do not reach through.
    threads : int

    Returns
    -------
    callable
        Which leaves out rows around which the spacing is even; None if it is so around all.
    """

    def nearest(rows: NDArray[np.integer], size: int) -> Stencils:
        pool = _POOL
        while True:
            count = min(pool * size, len(points))
            last = pool == 1
            try:
                return find_stencils(points, rows, count, walls=walls, bends=last, threads=threads)
            except ValueError:  # in a narrow place so many are not in sight
                if last:
                    raise
                pool //= 2

    def find(rows: NDArray[np.integer], size: int) -> Stencils:
        return spread(nearest(rows, size), size)

    solve = way(find)

    def uneven(some: NDArray[np.intp], rule: Rule) -> Block | None:
        nodes, owner = np.unique(centres[some], return_inverse=True)
        # To the second neighbour: the first may be a node's own ghost.
        second = cKDTree(points).query(points, k=[3], workers=threads)[0][:, 0]
        around = second[nearest(nodes, rule.stencil_size).members]
        low, high = np.quantile(around, (0.1, 0.9), axis=1)
        rows = some[(high > CONTRAST * low)[owner]]
        return solve(rows, rule) if rows.size else None

    return uneven


def spread(pool: Stencils, size: int) -> Stencils:
    """Choose from more members than are needed: the nearest that keep their distance.

    The d + 1 nearest always stay, a boundary node's own ghost among them; every other is taken in
    its turn unless one that was taken is too near.

    Parameters
    ----------
    pool : Stencils
    size : int
        n, of the result.

    Examples
    --------
    Beside a line of nodes five times denser than the others, of 21 nodes:

    >>> line = np.stack([np.linspace(-2.0, 2.0, 21), np.zeros(21)], axis=1)
    >>> grid = np.stack(np.meshgrid(np.arange(-3.0, 4.0), np.arange(1.0, 7.0)), axis=-1)
    >>> cloud = np.concatenate([line, grid.reshape(-1, 2)])
    >>> nearest = find_stencils(cloud, np.array([10]), 21)
    >>> chosen = spread(find_stencils(cloud, np.array([10]), 63), 21)
    >>> [int((cloud[some.members, 1] > 0.0).sum()) for some in (nearest, chosen)]
    [3, 14]
    """
    parts = [pool.take(some) for some in np.array_split(np.arange(len(pool)), len(pool) // 500 + 1)]
    members, radius = zip(*(_spread(part, size) for part in parts), strict=True)
    return Stencils(pool.points, np.concatenate(members), np.concatenate(radius))


def _spread(pool: Stencils, size: int) -> tuple[NDArray[np.intp], Floats]:
    """Members (rows, size) and radius (rows,)."""
    offsets = pool.points[pool.members] - pool.points[pool.members[:, :1]]
    distance = np.linalg.norm(offsets, axis=2)
    dimension = pool.points.shape[1]
    ball = pi ** (dimension / 2) / gamma(dimension / 2 + 1)
    chosen = np.broadcast_to(np.arange(size), (len(pool), size)).copy()
    for _ in range(_ROUNDS):
        radius = np.take_along_axis(distance, chosen, axis=1).max(axis=1)
        apart = _SEPARATION * radius * (ball / size) ** (1 / dimension)
        tried, enough = _apart(offsets, apart, size)
        chosen[enough] = tried[enough]
    radius = np.take_along_axis(distance, chosen, axis=1).max(axis=1)
    return np.take_along_axis(pool.members, chosen, axis=1), radius


def _apart(offsets: Floats, apart: Floats, size: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Positions (rows, size) of the first members that keep apart, and whether there were enough.

    Parameters
    ----------
    offsets : (rows, candidates, d) array
    apart : (rows,) array
    size : int
    """
    rows, candidates, dimension = offsets.shape
    chosen = np.zeros((rows, size), dtype=np.intp)
    taken = np.full((rows, size, dimension), np.inf)
    count = np.zeros(rows, dtype=np.intp)
    for k in range(candidates):  # of one stencil: all stencils take the step together
        gap = np.linalg.norm(taken - offsets[:, k : k + 1], axis=2).min(axis=1)
        here = np.flatnonzero((count < size) & ((k <= dimension) | (gap >= apart)))
        chosen[here, count[here]] = k
        taken[here, count[here]] = offsets[here, k]
        count[here] += 1
        if (count == size).all():
            break
    return chosen, count == size
