"""Nodes along the creases of a surface: corners, and equal steps between them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.sides import Sides, joined_sides
from dtpinn.geometry.spacing import Spacing, whole_steps
from dtpinn.geometry.surfaces.crease_arcs import Arcs, order_arcs
from dtpinn.geometry.surfaces.crease_corners import Corners, find_corners
from dtpinn.geometry.surfaces.creases import Crease, settle
from dtpinn.geometry.surfaces.projection import project

Rows = npt.NDArray[np.intp]

# A loop of fewer points would lie in a line.
LEAST_OF_LOOP = 3


def walk_creases(domain: Domain, crease: Crease, spacing: Spacing) -> tuple[Floats, Floats, Sides]:
    """Corners, and points in equal steps along the creases between them.

    Parameters
    ----------
    domain
        Its signed distance and normals are asked.
    crease
        Points near to each other on all creases.
    spacing
        Wanted distance between neighbours. Every arc takes the step nearest to it of which a whole
        number leads from end to end.

    Returns
    -------
    points, normals
        (n, 3); a normal is the mean of those of the sides that meet, of unit length.
    sides
        Two of each point between corners, and at a corner all that meet; their parts are not asked
        yet.

    Examples
    --------
    >>> from dtpinn.geometry import Box
    >>> from dtpinn.geometry.surfaces.creases import find_creases
    >>> from dtpinn.geometry.surfaces.sampling import sample_surface
    >>> spacing, rng = lambda x: np.full(len(x), 0.25), np.random.default_rng(0)
    >>> crease = find_creases(Box(), sample_surface(Box(), spacing, rng), spacing)
    >>> points, normals, sides = walk_creases(Box(), crease, spacing)
    >>> len(points)  # 8 corners, and 3 points on each of 12 edges
    44
    >>> len(sides) == 8 * 3 + 36 * 2
    True
    """
    if not len(crease):
        return crease.points, crease.points, crease.sides
    arcs = order_arcs(crease, spacing, domain.cell)
    corners = find_corners(domain, arcs, spacing)
    between = _equal_steps(domain, arcs, corners, spacing)
    between = between.moved(domain.cell.wrap(between.points))
    # What is left is the error of the planes that touch at some distance.
    points, reached = project(domain, np.concatenate([corners.points, between.points]))
    normals = np.concatenate([corners.normals, between.normals])
    sides = joined_sides([corners.sides, between.sides], [len(corners.points), len(between)])
    return domain.cell.wrap(points[reached]), normals[reached], sides.of(np.flatnonzero(reached))


def _equal_steps(domain: Domain, arcs: Arcs, corners: Corners, spacing: Spacing) -> Crease:
    """Points in equal steps along each arc, without the corners."""
    points, source = _from_corner_to_corner(arcs, corners, domain.cell)
    arc, h = arcs.arc[source], spacing(points)
    step = np.linalg.norm(np.diff(points, axis=0), axis=1) / (0.5 * (h[1:] + h[:-1]))
    # From one arc to the next any step will do: it keeps them apart in the table.
    travelled = np.append(0.0, np.cumsum(np.where(np.diff(arc) == 0, step, 1.0)))
    last = np.cumsum(np.bincount(arc)) - 1
    start = travelled[np.append(0, last[:-1] + 1)]
    length = travelled[last] - start
    steps = np.maximum(whole_steps(length), np.where(arcs.closed, LEAST_OF_LOOP, 1))
    # Corners are there already, and a loop ends where it starts.
    without_first = corners.at_start >= 0
    kept = steps + 1 - without_first - (arcs.closed | (corners.at_end >= 0))
    which = np.repeat(np.arange(len(arcs)), kept)
    index = np.arange(len(which)) - (np.cumsum(kept) - kept)[which] + without_first[which]
    way = start[which] + index / steps[which] * length[which]
    wanted = np.column_stack([np.interp(way, travelled, x) for x in points.T])
    beside = source[np.minimum(np.searchsorted(travelled, way), len(source) - 1)]
    return settle(domain, arcs.crease[beside].moved(wanted), spacing(wanted))[0]


def _from_corner_to_corner(arcs: Arcs, corners: Corners, cell: Cell) -> tuple[Floats, Rows]:
    """Points (m, 3) of each arc and what it starts and ends with; and the row beside each, (m,)."""
    starts = np.flatnonzero(corners.at_start >= 0)
    ends = np.flatnonzero(corners.at_end >= 0)
    loops = np.flatnonzero(arcs.closed)
    along = arcs.crease.points
    rows = np.arange(len(along))
    points = [
        along,
        cell.beside(corners.points[corners.at_start[starts]], along[arcs.first[starts]]),
        cell.beside(corners.points[corners.at_end[ends]], along[arcs.last[ends]]),
        cell.beside(along[arcs.first[loops]], along[arcs.last[loops]]),
    ]
    source = [rows, arcs.first[starts], arcs.last[ends], arcs.last[loops]]
    shift = np.repeat([0.0, -0.25, 0.25, 0.25], [len(part) for part in source])
    order = np.argsort(np.concatenate(source) + shift)
    return np.concatenate(points)[order], np.concatenate(source)[order]
