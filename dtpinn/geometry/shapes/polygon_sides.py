"""Smooth functions that vanish on the edges of a polygon."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull

from dtpinn.arrays import Floats, Integers
from dtpinn.geometry.r_functions import Values, intersection, norm

# Of the size of the polygon: a vertex that is no farther from a line lies on it.
_ON_LINE = 1e-9

Edge = tuple[Floats, Floats, int]  # both ends, and the part


@dataclass(frozen=True)
class Line:
    """A straight line; positive on one side, of size 1 in the polygon.

    Attributes
    ----------
    slope
        Two numbers.
    offset
    """

    slope: tuple[float, float]
    offset: float

    def __call__(self, x: Sequence[Values]) -> Values:
        """Return the value at coordinates x."""
        return self.slope[0] * x[0] + self.slope[1] * x[1] + self.offset


@dataclass(frozen=True)
class Outside:
    """What lies outside a pocket, a bay or a hole, of a polygon.

    Attributes
    ----------
    walls
        Whose intersection is the pocket.
    """

    walls: Sequence[Line | Outside]

    def __call__(self, x: Sequence[Values]) -> Values:
        """Return the value at coordinates x: negative in the pocket."""
        return -intersection(wall(x) for wall in self.walls)


@dataclass(frozen=True)
class Wall:
    """Some edges with the function that vanishes on them, and is positive in the polygon.

    Attributes
    ----------
    function
    edges
    touching
        Of each vertex elsewhere in which the function vanishes too, the parts that meet there.
    """

    function: Line | Outside
    edges: Sequence[Edge]
    touching: Sequence[Set[int]] = ()

    def vanishing(self, x: Sequence[Values], parts: Set[int]) -> Values:
        """Return what vanishes on those edges only whose part is among `parts`."""
        asked = [(a, b) for a, b, part in self.edges if part in parts]
        value = self.function(x)
        if len(asked) == len(self.edges) and all(parts & other for other in self.touching):
            return value
        return value + math.prod(_to_ends(x, a, b) for a, b in asked)


def _to_ends(x: Sequence[Values], a: Floats, b: Floats) -> Values:
    """How much longer the way from a to b is by x: zero on the edge, and flat there."""
    length = math.dist(a, b)
    return sum(norm(x[0] - x0, x[1] - y0) for x0, y0 in (a, b)) / length - 1.0


def walls(ring: Floats, parts: Integers, holes: Sequence[tuple[Floats, int]]) -> list[Wall]:
    """Return walls that bound a polygon: it lies where the functions of all are positive.

    The edges on the convex hull are lines. What is left of the hull beside the polygon are pockets;
    each lies inside the lines of its own hull, but for pockets of its own, and so on. (Tor &
    Middleditch, "Convex decomposition of simple polygons", ACM Transactions on Graphics 3, 1984.)

    Parameters
    ----------
    ring
        Vertices (n, 2), counter-clockwise.
    parts
        Of the edges from each vertex to the next, (n,).
    holes
        Vertices, counter-clockwise, and the part.

    Examples
    --------
    >>> ring = np.array([(0, 0), (2, 0), (2, 2), (1, 1), (0, 2)], dtype=float)
    >>> for wall in walls(ring, np.arange(5), []):
    ...     print(type(wall.function).__name__, [part for _, _, part in wall.edges])
    Line [0]
    Line [1]
    Line [4]
    Outside [3, 2]
    """
    found = _walls(ring, parts, ring)
    found += [_outside(_walls(hole, np.full(len(hole), part), ring)) for hole, part in holes]
    return found


def _walls(ring: Floats, parts: Integers, whole: Floats) -> list[Wall]:
    """Walls of one ring; the edge of a part below zero, which closes a pocket, is left out."""
    lines: dict[tuple[int, ...], tuple[Line, list[Edge]]] = {}
    found, pockets = [], []
    near = _ON_LINE * float(np.ptp(ring, axis=0).max())
    for rows in _chains(ring, near):
        if len(rows) > 1:
            # Round the pocket, back along the chain and then along its lid.
            corners = ring[np.append(rows, (rows[-1] + 1) % len(ring))[::-1]]
            inner = _walls(corners, np.append(parts[rows[::-1]], -1), whole)
            pockets.append(_outside(inner))
        elif parts[rows[0]] >= 0:
            a, b = ring[rows[0]], ring[(rows[0] + 1) % len(ring)]
            line = _line(a, b, whole)
            heights = (ring - a) @ np.array(line.slope) / math.hypot(*line.slope)
            same = tuple(np.flatnonzero(heights <= near).tolist())
            lines.setdefault(same, (line, []))[1].append((a, b, int(parts[rows[0]])))
    for vertices, (line, edges) in lines.items():
        meeting = [{int(parts[row - 1]), int(parts[row])} for row in vertices]
        own = {part for _, _, part in edges}
        found.append(Wall(line, edges, [pair for pair in meeting if not pair & own]))
    return found + pockets


def _chains(ring: Floats, near: float) -> list[Integers]:
    """Rows of the edges from each vertex on the convex hull to the next one there."""
    facets = ConvexHull(ring).equations
    on_hull = (ring @ facets[:, :2].T + facets[:, 2]).max(axis=1) >= -near
    first = int(np.flatnonzero(on_hull)[0])
    rows = (np.arange(len(ring)) + first) % len(ring)
    return np.split(rows, np.flatnonzero(on_hull[rows])[1:])


def _line(a: Floats, b: Floats, whole: Floats) -> Line:
    """The line through a and b, positive on the left, at most 2 at the vertices of the polygon."""
    inward = np.array([a[1] - b[1], b[0] - a[0]])
    inward *= 2.0 / float(np.abs((whole - a) @ inward).max())
    return Line((float(inward[0]), float(inward[1])), -float(a @ inward))


def _outside(walls: Sequence[Wall]) -> Wall:
    functions = [wall.function for wall in walls]
    return Wall(Outside(functions), [edge for wall in walls for edge in wall.edges])


def product(walls: Iterable[Wall], x: Sequence[Values], parts: Set[int]) -> Values:
    """Return the product over the walls on which some of the parts lie."""
    asked = [wall for wall in walls if any(part in parts for _, _, part in wall.edges)]
    return math.prod(wall.vanishing(x, parts) for wall in asked)
