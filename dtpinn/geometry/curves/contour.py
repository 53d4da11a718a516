"""Marching squares: polylines along the zero level of a signed distance in the plane."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from dtpinn.arrays import Floats, Integers

Distance = Callable[[Floats], Floats]

# Halvings of the coarsest cells; the finest ones are 8 * 2**6 = 512 along the longest side.
COARSE, LEVELS = 8, 6
# The grid reaches beyond the bounds by such a share that its lines miss corners at round numbers.
MARGIN = 0.013579
BISECTIONS = 60

# Corners of a cell in the order of a counter-clockwise walk. Edge k goes from corner k to the next.
CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
# The lower left end of each edge, and whether it stands upright.
EDGES = np.array([[0, 0, 0], [1, 0, 1], [0, 1, 0], [0, 0, 1]])


def contours(distance: Distance, bounds: Floats) -> list[Floats]:
    """Closed polylines along the zero level, the negative side on their left, (m, 2) each.

    Their vertices lie on the lines of a grid of 512 cells along the longest side of ``bounds``,
    and on the zero level to round-off. Cells are halved from coarse ones, and left out when the
    level at their middle tells that the zero level is farther away than their corners.

    Parameters
    ----------
    distance
        points (n, 2) -> (n,), 1-Lipschitz.
    bounds
        (2, 2), of a box that holds the zero level.

    Raises
    ------
    ValueError
        If there is no zero level, or it leaves the box.

    Examples
    --------
    >>> circle = contours(lambda x: np.hypot(x[:, 0], x[:, 1]) - 1.0, np.array([[-1, -1], [1, 1]]))
    >>> len(circle), bool(np.abs(np.hypot(*circle[0].T) - 1.0).max() < 1e-15)
    (1, True)
    """
    size = float(np.max(bounds[1] - bounds[0]))
    width = size * (1.0 + 2.0 * MARGIN) / (COARSE << LEVELS)
    origin = bounds[0] - MARGIN * size
    cells = _cells_at_the_level(distance, origin, width, bounds)
    leaving, arriving = _segments(distance, origin, width, cells)
    if not len(leaving):
        raise ValueError(
            "the signed distance has no zero level within the bounds "
            f"{bounds.tolist()}; it must be negative inside and positive outside of the domain"
        )
    order = np.argsort(leaving)
    leaving, arriving = leaving[order], arriving[order]
    following = np.searchsorted(leaving, arriving)
    found = leaving[np.minimum(following, len(leaving) - 1)] == arriving
    vertices = _crossings(distance, origin, width, leaving)
    if not found.all():
        x, y = vertices[np.flatnonzero(~found)[0]]
        raise ValueError(
            f"the zero level leaves the bounds {bounds.tolist()} near ({x:.3g}, {y:.3g}); "
            "use larger ones"
        )
    return [_thinned(vertices[loop], 1e-3 * width) for loop in _chains(following)]


def _cells_at_the_level(
    distance: Distance, origin: Floats, width: float, bounds: Floats
) -> Integers:
    """Lower left corners, in cells, of the finest cells that may meet the zero level, (m, 2)."""
    coarse = width * (1 << LEVELS)
    shape = np.ceil((bounds[1] - origin) / coarse).astype(np.int64)
    cells = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 2)
    for level in range(LEVELS, -1, -1):
        side = width * (1 << level)
        reach = side * math.sqrt(0.5) * (1.0 + 1e-9)
        cells = cells[np.abs(distance(origin + side * (cells + 0.5))) <= reach]
        if level:
            cells = (2 * cells[:, None] + CORNERS).reshape(-1, 2)
    return cells


def _segments(
    distance: Distance, origin: Floats, width: float, cells: Integers
) -> tuple[Integers, Integers]:
    """Edges of the grid where a piece of the zero level starts, and where it stops.

    Counter-clockwise round a cell, a piece starts on an edge that leads out of the domain and
    stops on one that leads in. Where there are two of each the level at the middle decides which
    belong together.
    """
    corners = (cells[:, None] + CORNERS).reshape(-1, 2)
    unique, inverse = np.unique(corners, axis=0, return_inverse=True)
    inside = (distance(origin + width * unique) < 0.0)[inverse].reshape(-1, 4)
    out = inside & ~np.roll(inside, -1, axis=1)
    crossed = inside != np.roll(inside, -1, axis=1)
    joined = distance(origin + width * (cells + 0.5)) < 0.0
    row, edge = np.nonzero(out)
    turn = np.where(joined[row], 1, -1)
    other = (edge + turn) % 4
    for _ in range(2):
        other = np.where(crossed[row, other], other, (other + turn) % 4)
    return _edge_key(cells[row], edge), _edge_key(cells[row], other)


def _edge_key(cells: Integers, edge: Integers) -> Integers:
    """One number for each edge of the grid, the same from both of its sides."""
    ends = cells + EDGES[edge, :2]
    return np.asarray((ends[:, 0] << 32) + (ends[:, 1] << 1) + EDGES[edge, 2])


def _crossings(distance: Distance, origin: Floats, width: float, keys: Integers) -> Floats:
    """Points of edges where the distance changes its sign, by bisection; (n, 2)."""
    ends = np.column_stack([keys >> 32, (keys & 0xFFFFFFFF) >> 1])
    low = origin + width * ends
    upright = (keys & 1)[:, None] == np.array([0, 1])
    high = low + width * upright
    negative = distance(low) < 0.0
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        same = ((distance(middle) < 0.0) == negative)[:, None]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.asarray(0.5 * (low + high))


def _chains(following: Integers) -> list[Integers]:
    """Cycles of a permutation."""
    chains = []
    free = np.ones(len(following), dtype=np.bool_)
    for start in range(len(following)):
        chain, at = [], start
        while free[at]:
            free[at] = False
            chain.append(at)
            at = int(following[at])
        if chain:
            chains.append(np.array(chain))
    return chains


def _thinned(vertices: Floats, closest: float) -> Floats:
    """Leave out vertices that hardly differ from the one before, near a node of the grid."""
    step = np.linalg.norm(vertices - np.roll(vertices, 1, axis=0), axis=1)
    return np.asarray(vertices[step > closest])
