"""Polygons, with holes or without."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely

from dtpinn.arrays import Floats
from dtpinn.checks import as_points, check_finite
from dtpinn.geometry.arc import Curve, segment
from dtpinn.geometry.curves.planar import Planar
from dtpinn.geometry.r_functions import Values, intersection
from dtpinn.geometry.shapes.polygon_sides import Wall, product, walls

Vertices = Sequence[Sequence[float]]


@dataclass(frozen=True, repr=False)
class Polygon(Planar):
    """A polygon; edge i, from vertex i to the next, is the part ``"edge<i>"``.

    Each hole is one part, ``"hole0"``, ``"hole1"`` and so on. Vertices may come in either sense;
    the walk goes counter-clockwise, and clockwise round the holes.

    Parameters
    ----------
    vertices
        (n, 2), without repeating the first one at the end (it is dropped there).
    holes
        One array of vertices, (m, 2), for each hole.

    Raises
    ------
    ValueError
        If there are fewer than three vertices, one is not finite or the same as the next, the
        boundary crosses or touches itself, or a hole is not inside; naming the place.

    Examples
    --------
    >>> frame = Polygon([(0, 0), (3, 0), (3, 3), (0, 3)], holes=[[(1, 1), (2, 1), (2, 2), (1, 2)]])
    >>> frame
    Polygon(4 vertices, 1 hole)
    >>> frame.signed_distance([[0.5, 1.5], [1.5, 1.25]])
    array([-0.5 ,  0.25])
    >>> frame.walk_boundary(0.5)
    Boundary(32 points in 2-D, parts edge0, edge1, edge2, edge3, hole0)
    """

    vertices: Vertices
    holes: Sequence[Vertices] = ()

    def __post_init__(self) -> None:
        vertices = _as_ring(self.vertices, "vertices")
        holes = tuple(_as_ring(hole, f"holes[{number}]") for number, hole in enumerate(self.holes))
        _check_valid(shapely.Polygon(vertices, holes))
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "holes", holes)

    def __repr__(self) -> str:
        holes = f", {len(self.holes)} hole{'s' if len(self.holes) > 1 else ''}"
        return f"Polygon({len(self.vertices)} vertices{holes if self.holes else ''})"

    @property
    def parts(self) -> tuple[str, ...]:
        """``("edge0", "edge1", ..., "hole0", ...)``."""
        edges = tuple(f"edge{number}" for number in range(len(self.vertices)))
        return edges + tuple(f"hole{number}" for number in range(len(self.holes)))

    def boundary_curves(self) -> Sequence[Curve]:
        """Return the outer ring and the holes, each edge an arc."""
        edges = len(self.vertices)
        outer = _ring(self.vertices, range(edges), inside=True)
        holes = [
            _ring(hole, [edges + number] * len(hole), inside=False)
            for number, hole in enumerate(self.holes)
        ]
        return [outer, *holes]

    def vanishing(self, x: Sequence[Values], parts: Set[str]) -> Values:
        """Return the product of what vanishes on each of the parts."""
        return product(self._walls, x, {self.parts.index(part) for part in parts})

    def level(self, x: Sequence[Values]) -> Values:
        """Return what is positive where the functions of all edges are."""
        return intersection(wall.function(x) for wall in self._walls)

    @cached_property
    def _walls(self) -> list[Wall]:
        ring, *holes = (np.array(ring) for ring in (self.vertices, *self.holes))
        parts = np.arange(len(ring))
        if _twice_the_area(ring) < 0.0:
            ring, parts = ring[::-1], np.roll(parts[::-1], -1)
        turned = [hole if _twice_the_area(hole) > 0.0 else hole[::-1] for hole in holes]
        return walls(ring, parts, [(hole, len(ring) + k) for k, hole in enumerate(turned)])


def _as_ring(vertices: npt.ArrayLike, name: str) -> Vertices:
    """Vertices as a tuple of pairs, the first one not repeated at the end."""
    points = as_points(vertices, 2, name)
    check_finite(points, name)
    if len(points) > 1 and (points[0] == points[-1]).all():
        points = points[:-1]
    if len(points) < 3:
        raise ValueError(f"{name} must hold at least three different points; got {len(points)}")
    same = np.flatnonzero((points == np.roll(points, -1, axis=0)).all(axis=1))
    if same.size:
        raise ValueError(
            f"{name} must not repeat a point; rows {same[0]} and {same[0] + 1} are both "
            f"({points[same[0], 0]:g}, {points[same[0], 1]:g}). Leave one of them out"
        )
    return tuple((float(x), float(y)) for x, y in points)


def _check_valid(polygon: shapely.Polygon) -> None:
    """Check that no two edges cross or touch, and that holes are inside and apart."""
    if polygon.is_valid:
        return
    what, _, where = shapely.is_valid_reason(polygon).rstrip("]").partition("[")
    x, y = where.split()[:2]
    raise ValueError(
        f"the polygon must not cross or touch itself, and its holes must lie inside and apart; "
        f"got: {what.lower()} at the point ({float(x):g}, {float(y):g}). Look at the vertices "
        "near it; their order is that of a walk along the boundary"
    )


def _ring(vertices: Vertices, parts: Sequence[int], inside: bool) -> Curve:
    """Edges of a ring, with its inside or else its outside on their left."""
    points = np.array(vertices)
    ends = np.roll(points, -1, axis=0)
    rows = range(len(points))
    edges = tuple(segment(points[row], ends[row], parts[row]) for row in rows)
    if (_twice_the_area(points) > 0.0) == inside:
        return edges
    turned = [segment(ends[row], points[row], parts[row]) for row in reversed(rows)]
    return tuple(turned)


def _twice_the_area(ring: Floats) -> float:
    """A sum of cross products, negative for a clockwise ring."""
    start = ring - ring[0]  # from a vertex of its own for the round-off
    stop = np.roll(start, -1, axis=0)
    return float(np.sum(start[:, 0] * stop[:, 1] - start[:, 1] * stop[:, 0]))
