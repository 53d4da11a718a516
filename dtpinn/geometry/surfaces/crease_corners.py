"""Corners of a surface: where creases end together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats
from dtpinn.geometry.cell import Cell
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.sides import Sides
from dtpinn.geometry.spacing import Spacing
from dtpinn.geometry.surfaces.crease_arcs import Arcs
from dtpinn.geometry.surfaces.creases import Crease, least_probe, settle, unit

Rows = npt.NDArray[np.intp]

# In spacings: so near to each other are the ends of creases that meet.
NEAR = 0.5
# In spacings: how far from a corner its creases are asked, round after round. The planes that touch
# their sides there meet off the corner by the curvature times the square of this.
APPROACHES = (0.1, 1e-2, 1e-3)
# Beside the largest eigenvalue of the planes at a corner: below, they have a line in common.
FLAT = 0.02
# Normals that two creases have of one side at a corner differ by less, as vectors: 12 degrees.
EQUAL = 0.2
# Points from the end into a crease, where its direction is not lost in round-off.
INWARDS = 3


@dataclass(frozen=True, eq=False)
class Corners:
    """Corners, and the arcs that end there.

    Attributes
    ----------
    points
        (c, 3)
    normals
        (c, 3), the mean over the sides that meet, of unit length.
    sides
        The different normals of the creases that meet, their parts not asked yet.
    at_start, at_end
        (arcs,), the corner at which each arc starts or ends, or -1.
    """

    points: Floats
    normals: Floats
    sides: Sides
    at_start: Rows
    at_end: Rows


def find_corners(domain: Domain, arcs: Arcs, spacing: Spacing) -> Corners:
    """Corners at which ``arcs`` end.

    The planes that touch the sides of the creases are intersected, then the creases are asked again
    from nearer.

    Examples
    --------
    >>> from dtpinn.geometry import Box
    >>> from dtpinn.geometry.surfaces.crease_arcs import order_arcs
    >>> from dtpinn.geometry.surfaces.creases import find_creases
    >>> from dtpinn.geometry.surfaces.sampling import sample_surface
    >>> spacing, rng = lambda x: np.full(len(x), 0.25), np.random.default_rng(0)
    >>> crease = find_creases(Box(), sample_surface(Box(), spacing, rng), spacing)
    >>> corners = find_corners(Box(), order_arcs(crease, spacing), spacing)
    >>> len(corners.points), bool(np.allclose(np.abs(corners.points - 0.5), 0.5, atol=1e-12))
    (8, True)
    """
    open_ = np.flatnonzero(~arcs.closed)
    ends = np.concatenate([arcs.first[open_], arcs.last[open_]])
    group = _together(arcs.crease.points[ends], spacing, domain.cell)
    corner_of = np.full((2, len(arcs)), -1)
    corner_of[:, open_] = group.reshape(2, -1)
    ends, group = ends[group >= 0], group[group >= 0]
    crease, h = arcs.crease[ends], spacing(arcs.crease.points[ends])
    inner = arcs.crease.points[_inwards(arcs, ends)]
    # Of ends that meet across a seam, the images beside the first of them.
    common = crease.points[np.unique(group, return_index=True)[1]][group]
    moved = domain.cell.beside(crease.points, common)
    crease, inner = crease.moved(moved), inner + (moved - crease.points)
    points = _common_points(crease, group)
    for approach in APPROACHES:
        # Room for the probes about a point on the crease.
        scale = np.maximum(approach * h, 10.0 * least_probe(domain))
        asked = points[group] + scale[:, None] * unit(inner - points[group])
        found, rows = settle(domain, crease.moved(asked), scale)
        crease = crease.updated(rows, found)
        points = _common_points(crease, group)
    normals = np.zeros_like(points)
    # Between them the creases have each side twice.
    np.add.at(normals, group, crease.first + crease.second)
    sides = _different(np.tile(group, 2), np.concatenate([crease.first, crease.second]))
    return Corners(points, unit(normals), sides, corner_of[0], corner_of[1])


def _different(group: Rows, normals: Floats) -> Sides:
    """Sides of each group, from ``normals`` (n, 3) that come twice, nearly equal."""
    apart = np.column_stack([4.0 * group, normals])
    pairs = cKDTree(apart).query_pairs(EQUAL, output_type="ndarray").T
    graph = coo_array((np.ones(pairs.shape[1]), tuple(pairs)), shape=(len(group),) * 2).tocsr()
    _, first, side = np.unique(
        connected_components(graph, directed=False)[1], return_index=True, return_inverse=True
    )
    mean = np.zeros((len(first), 3))
    np.add.at(mean, side, normals)
    order = np.argsort(group[first], kind="stable")
    point = group[first][order]
    return Sides(point, unit(mean)[order], np.zeros(len(point), dtype=np.int64))


def _together(points: Floats, spacing: Spacing, cell: Cell) -> Rows:
    """Number, for each of ``points`` (n, 3), of the group that it is in; -1 if it is alone."""
    count = len(points)
    if not count:
        return np.zeros(0, dtype=np.intp)
    h = spacing(points)
    pairs = cell.tree(points).query_pairs(NEAR * float(h.max()), output_type="ndarray")
    length = np.linalg.norm(cell.difference(points[pairs[:, 0]], points[pairs[:, 1]]), axis=1)
    a, b = pairs[length <= NEAR * h[pairs[:, 0]]].T
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(count, count)).tocsr()
    group = connected_components(graph, directed=False)[1]
    several = np.bincount(group) > 1
    number = np.where(several, np.cumsum(several) - 1, -1)
    return np.asarray(number[group])


def _inwards(arcs: Arcs, ends: Rows) -> Rows:
    """Rows a few points from each of ``ends`` into its arc, or as far as it goes."""
    first, last = arcs.first[arcs.arc[ends]], arcs.last[arcs.arc[ends]]
    inwards = np.where(ends == first, np.minimum(ends + INWARDS, last), ends - INWARDS)
    return np.maximum(inwards, first)


def _common_points(crease: Crease, group: Rows) -> Floats:
    """Points (groups, 3) nearest to all planes that touch the sides of the creases of a group.

    Where the planes have a line in common, at a gap in a crease, it is the point on it that is
    nearest to the mean.
    """
    count = int(group.max(initial=-1)) + 1
    mean = np.zeros((count, 3))
    np.add.at(mean, group, crease.points)
    mean /= np.bincount(group, minlength=count)[:, None]
    matrix, right = np.zeros((count, 3, 3)), np.zeros((count, 3))
    for normal in (crease.first, crease.second):
        height = np.einsum("ni,ni->n", crease.points - mean[group], normal)
        np.add.at(matrix, group, normal[:, :, None] * normal[:, None, :])
        np.add.at(right, group, height[:, None] * normal)
    inverse = np.linalg.pinv(matrix, rcond=FLAT, hermitian=True)
    return np.asarray(mean + np.einsum("nij,nj->ni", inverse, right))
