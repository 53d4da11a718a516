"""How evenly the nodes are spread: separation, fill and their ratio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay, cKDTree

from dtpinn.arrays import Floats
from dtpinn.geometry import Cell, Domain
from dtpinn.nodes.node_set import NodeSet
from dtpinn.nodes.unfolding import AROUND, reach_of, unfold

Flags = npt.NDArray[np.bool_]
Contains = Callable[[Floats], Flags]

# Of the distance on the boundary, in spacings.
TOLERANCE = 1e-4
# Nodes that are looked at for the nearest in sight.
BESIDE = 6
# Volume of a parallelepiped over the power of its longest edge. A flatter simplex of boundary nodes
# lies along a face, and may be as wide as the opening in the face that it covers.
FLAT = 1e-3


@dataclass(frozen=True)
class Quality:
    """Separation and fill of a set of nodes, in units of the local spacing.

    Attributes
    ----------
    separation
        Smallest distance between two nodes of X (interior and boundary), in units of the mean of
        their spacings.
    fill
        Largest distance from a point of the domain to the nearest node, the radius of the widest
        hole, in units of the mean spacing of the nodes around it.

    Examples
    --------
    >>> print(Quality(separation=1.0, fill=0.8))
    separation 1.000 h, fill 0.800 h, ratio 0.800
    """

    separation: float
    fill: float

    @property
    def ratio(self) -> float:
        """Fill over separation; 0.58 for the hexagonal lattice, 0.71 for the square one."""
        return self.fill / self.separation

    def __str__(self) -> str:
        return f"separation {self.separation:.3f} h, fill {self.fill:.3f} h, ratio {self.ratio:.3f}"


def measure(nodes: NodeSet, domain: Domain | None = None) -> Quality:
    """Measure ``nodes``, exactly and not by sampling.

    The distance to the nearest node is largest at a circumcentre of the Delaunay triangulation of
    X, or on the boundary. Circumcentres are asked widest circle first, until one lies in a simplex
    inside the domain; a simplex is inside if one of its nodes is an interior node, or if its
    centroid lies behind the normal of the nearest boundary node. Where the domain is curved, it is
    the triangulated domain that is measured. The boundary is searched by bisection, to within
    ``1e-4`` of the spacing.

    Periodic nodes are measured with their images around the cell.

    Nodes alone do not tell what lies inside where a gap or a wall is much thinner than the spacing,
    and the hole reported is then one outside. With ``domain`` it is asked instead.

    Examples
    --------
    >>> from dtpinn.geometry import Disk
    >>> from dtpinn.nodes import place_nodes
    >>> measure(place_nodes(Disk(), 0.1)).ratio < 1.2
    True
    """
    cell = nodes.cell
    if cell.periodic:
        reach = reach_of(nodes.local_spacing, AROUND[nodes.dimension], nodes.dimension)
        nodes = unfold(nodes, reach)[0]
    points, h = nodes.collocation, nodes.local_spacing
    tree = cKDTree(points)
    asked = np.flatnonzero(_within(cell, points))
    distance, rows = tree.query(points[asked], k=np.arange(2, min(BESIDE, len(points)) + 1))
    if nodes.walls is not None:  # two nodes with a wall between them are not near each other
        distance[nodes.walls.hidden(nodes.walls.eyes[asked], rows)] = np.inf
    separation = float((distance / (0.5 * (h[asked, None] + h[rows]))).min())
    find = _widest_gap if nodes.dimension == 1 else _widest_hole
    fill = find(nodes, tree, _by_nodes(nodes, tree) if domain is None else domain.contains, cell)
    return Quality(separation, fill)


def _widest_gap(nodes: NodeSet, tree: cKDTree, contains: Contains, cell: Cell) -> float:
    """Half the widest gap on the line, leaving out those between intervals of the domain."""
    order = np.argsort(nodes.collocation[:, 0], kind="stable")
    simplices = np.column_stack([order[:-1], order[1:]])
    gap = np.diff(nodes.collocation[order, 0]) / nodes.local_spacing[simplices].mean(axis=1)
    return 0.5 * float(gap[_inside(nodes, simplices, contains)].max(initial=0.0))


def _widest_hole(nodes: NodeSet, tree: cKDTree, contains: Contains, cell: Cell) -> float:
    points = nodes.collocation
    triangulation = Delaunay(points)
    inside = _inside(nodes, triangulation.simplices, contains)
    centres, radius = circumcentres(points[triangulation.simplices])
    spacing = nodes.local_spacing[triangulation.simplices].mean(axis=1)
    width = radius / spacing
    # The cloud's own extent bounds every hole, and bars the centres of flat simplices.
    extent = float(np.linalg.norm(np.ptp(points, axis=0)))
    rows = np.flatnonzero((radius <= extent) & _within(cell, centres))
    rows = rows[np.argsort(-width[rows], kind="stable")]
    hole = 0.0
    for chunk in np.array_split(rows, range(1000, len(rows), 1000)):
        simplex = triangulation.find_simplex(centres[chunk])
        within = chunk[(simplex >= 0) & inside[simplex]]
        if within.size:
            # By the tree and not by the circle, which round-off spoils in flat simplices.
            hole = float(np.max(tree.query(centres[within])[0] / spacing[within]))
            break
    facets = _boundary_facets(triangulation, inside)
    facets = facets[_within(cell, points[facets].mean(axis=1))]
    spacing = nodes.local_spacing[facets].mean(axis=1)
    return _widest_on(points[facets], spacing, tree, hole)


def _within(cell: Cell, points: Floats) -> Flags:
    """Whether ``points`` (n, d) lie in the cell, where there is one."""
    within = np.ones(len(points), dtype=np.bool_)
    for k in cell.axes:
        from_corner = points[:, k] - cell.lower[k]
        within &= (from_corner >= 0.0) & (from_corner < cell.periods[k])
    return within


def _inside(nodes: NodeSet, simplices: npt.NDArray[np.integer], contains: Contains) -> Flags:
    """Whether each simplex (m, d + 1), rows of X, lies in the domain.

    One with an interior node does. If all its corners are boundary nodes, its centroid decides.
    """
    result = np.asarray(np.any(simplices < nodes.interior_count, axis=1))
    doubtful = np.flatnonzero(~result)
    corners = nodes.collocation[simplices[doubtful]]
    result[doubtful] = contains(corners.mean(axis=1)) & ~_flat(corners)
    return result


def _by_nodes(nodes: NodeSet, tree: cKDTree) -> Contains:
    """Whether points lie in the domain, as far as the node nearest to each knows.

    A vote of several nodes fails on slender simplices that run along a face and end at a corner of
    the domain.
    """

    def contains(points: Floats) -> Flags:
        row = np.asarray(tree.query(points)[1])
        if not nodes.boundary_count:
            return np.ones(len(points), dtype=np.bool_)
        edge = np.maximum(row - nodes.interior_count, 0)
        ahead = np.einsum("ni,ni->n", points - nodes.boundary[edge], nodes.normals[edge])
        return np.asarray((row < nodes.interior_count) | (ahead < 0.0))

    return contains


def _flat(corners: Floats) -> Flags:
    """Whether simplices (m, d + 1, d) are nearly flat, (m,)."""
    edges = corners[:, 1:] - corners[:, :1]
    longest = np.linalg.norm(edges, axis=2).max(axis=1)
    return np.asarray(np.abs(np.linalg.det(edges)) < FLAT * longest ** edges.shape[2])


def circumcentres(corners: Floats) -> tuple[Floats, Floats]:
    """Centres (m, d) and radii (m,) of the spheres through simplices (m, d + 1, d)."""
    edges = corners[:, 1:] - corners[:, :1]
    # 2 e . c = |e|^2 for each edge e from the first corner, by Cramer's rule: a flat simplex gives
    # an infinite centre where a solver would raise. Row k of normals is at right angles to all
    # edges but number k.
    squares = np.einsum("nei,nei->ne", edges, edges)
    if corners.shape[2] == 2:
        a, b = edges[:, 0], edges[:, 1]
        normals = np.stack([b[:, ::-1] * [1.0, -1.0], a[:, ::-1] * [-1.0, 1.0]], axis=1)
    else:
        a, b, c = edges[:, 0], edges[:, 1], edges[:, 2]
        normals = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)
    volume = np.einsum("ni,ni->n", a, normals[:, 0])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        centre = np.einsum("ne,nei->ni", squares, normals) / (2.0 * volume[:, None])
    radius = np.linalg.norm(centre, axis=1)
    return centre + corners[:, 0], np.where(np.isfinite(radius), radius, np.inf)


def _boundary_facets(triangulation: Delaunay, inside: Flags) -> npt.NDArray[np.integer]:
    """Facets between a simplex inside and the outside, rows of X, (m, d)."""
    neighbours = triangulation.neighbors
    across = (neighbours >= 0) & inside[neighbours]
    simplex, opposite = np.nonzero(inside[:, None] & ~across)
    corners = triangulation.simplices[simplex]
    others = np.arange(corners.shape[1]) != opposite[:, None]
    return np.asarray(corners[others].reshape(len(simplex), -1))


def _widest_on(facets: Floats, spacing: Floats, tree: cKDTree, widest: float) -> float:
    """Largest distance to a node on ``facets``, in units of their ``spacing``, or ``widest``.

    By bisection: a distance exceeds that at the centre by no more than the way from there, and
    what cannot exceed the largest so far is left out. Usually everything is, in the first round.
    """
    while len(facets):
        centre = facets.mean(axis=1)
        distance = np.asarray(tree.query(centre)[0]) / spacing
        widest = max(widest, float(distance.max()))
        reach = np.linalg.norm(facets - centre[:, None], axis=2).max(axis=1) / spacing
        rows = np.flatnonzero(distance + reach > widest + TOLERANCE)
        facets, spacing = _halves(facets[rows]), np.tile(spacing[rows], 2)
    return widest


def _halves(facets: Floats) -> Floats:
    """Split each facet (m, k, d) through the middle of its longest edge, (2 m, k, d)."""
    first, second = np.triu_indices(facets.shape[1], 1)
    length = np.linalg.norm(facets[:, first] - facets[:, second], axis=2)
    longest, row = length.argmax(axis=1), np.arange(len(facets))
    a, b = first[longest], second[longest]
    middle = 0.5 * (facets[row, a] + facets[row, b])
    left, right = facets.copy(), facets.copy()
    left[row, a], right[row, b] = middle, middle
    return np.concatenate([left, right])
