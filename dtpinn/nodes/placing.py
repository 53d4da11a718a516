"""Placing nodes in a domain."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.checks import whole_number
from dtpinn.geometry import Boundary, Domain
from dtpinn.geometry.spacing import Spacing, SpacingLike, as_spacing
from dtpinn.nodes.checks import check_domain
from dtpinn.nodes.counting import solve_spacing
from dtpinn.nodes.expected import check_affordable, checked_count, nodes_wanted
from dtpinn.nodes.front import fill
from dtpinn.nodes.ghosts import checked_share, place_ghosts
from dtpinn.nodes.grading import check_growth, scaled
from dtpinn.nodes.holes import fill_holes
from dtpinn.nodes.line import fill_line
from dtpinn.nodes.nodes import Nodes
from dtpinn.nodes.ordering import hilbert_order
from dtpinn.nodes.repulsion import repel
from dtpinn.nodes.unfolding import walls_around


class Layout(NamedTuple):
    """Nodes before they are put in order."""

    boundary: Boundary
    interior: Floats
    spacing_at: Spacing

    def size(self) -> int:
        """Number of nodes."""
        return len(self.boundary) + len(self.interior)


def place_nodes(
    domain: Domain,
    spacing: SpacingLike | None = None,
    *,
    count: int | None = None,
    seed: int = 0,
    ghost_distance: float = 0.25,
    sweeps: int = 0,
) -> Nodes:
    """Place quasi-uniform nodes in ``domain``.

    The boundary is walked first and the inside grown from it (:func:`~dtpinn.nodes.front.fill`).
    Interior nodes come in Hilbert order, so that a stencil's nodes lie close in memory. So do
    boundary nodes in three dimensions; along a curve the walk is as local already, and keeps the
    boundary a line that can be drawn.

    Parameters
    ----------
    domain
        Any :class:`~dtpinn.geometry.Domain`.
    spacing
        Distance between neighbouring nodes, h; no two interior nodes are nearer. Or a function of
        the place, points (n, d) -> (n,), that changes by at most 0.3 per unit of length, such as
        :func:`~dtpinn.nodes.graded` gives.
    count
        Instead of a number for ``spacing``: the wanted number of interior and boundary nodes, N. It
        is met to within 2%, or two nodes where that is more. With a function for ``spacing`` its
        values count relative to each other, and all are multiplied by one number.
    seed
        Of the random rotations and choices. The same seed gives the same nodes, bit for bit.
    ghost_distance
        From a boundary node to its ghost, in local spacings, 0.01 to 2.
    sweeps
        How often interior nodes are moved apart by repulsion (:mod:`dtpinn.nodes.repulsion`).
        Holes become narrower, but RBF-FD less accurate; on the line nothing moves.

    Raises
    ------
    TypeError
        If neither or both of a number for ``spacing`` and ``count`` are given, ``domain`` is not a
        domain, or a number is not one.
    ValueError
        If the spacing or the count is too small or too large for the domain, the spacing is not
        finite and positive everywhere or too steep, naming points, or the seed or the
        sweeps negative.

    Examples
    --------
    >>> from dtpinn.geometry import Disk
    >>> nodes = place_nodes(Disk(), spacing=0.1)
    >>> nodes
    Nodes(2-D: 230 interior + 63 boundary + 63 ghost, spacing 0.1, parts circle)
    >>> abs(place_nodes(Disk(), count=1000).count - 1000) <= 20
    True
    >>> from dtpinn.nodes import graded
    >>> refined = place_nodes(Disk(), graded(Disk(), near=0.02, far=0.2), count=1000)
    >>> bool(refined.local_spacing.max() > 3 * refined.local_spacing.min())
    True
    """
    check_domain(domain)
    seed, sweeps = _at_least_zero(seed, "seed"), _at_least_zero(sweeps, "sweeps")
    share = checked_share(ghost_distance)
    if count is None and spacing is not None:
        check_affordable(domain, spacing)
        layout = _layout(domain, spacing, seed)
    elif count is not None and (spacing is None or callable(spacing)):
        layout = _layout_of_count(domain, spacing, checked_count(domain, count), seed)
    else:
        raise TypeError(
            f"pass exactly one of spacing and count; got spacing={spacing} and count={count}. "
            "A function for the spacing may come with a count"
        )
    if sweeps and domain.dimension > 1:
        boundary, interior, spacing_at = layout
        interior = repel(domain, boundary.points, interior, spacing_at, sweeps)
        layout = layout._replace(interior=interior)
    return _nodes(domain, layout, share)


def _at_least_zero(value: int, name: str) -> int:
    number = whole_number(value, name)
    if number < 0:
        raise ValueError(f"{name} must be an integer of at least 0; got {number}")
    return number


def _layout(domain: Domain, spacing: SpacingLike, seed: int) -> Layout:
    """Boundary and interior points, in the order in which they are found."""
    boundary = domain.walk_boundary(spacing)
    spacing_at = as_spacing(spacing, domain.bounds, domain.cell)
    if domain.dimension == 1:
        interior = fill_line(domain, boundary.points, spacing_at)
    else:
        interior = fill(domain, boundary.points, spacing_at, np.random.default_rng(seed))
    if domain.dimension == 3:
        points = np.concatenate([boundary.points, interior])
        interior = np.concatenate([interior, fill_holes(domain, points, spacing_at)])
    return Layout(boundary, interior, spacing_at)


def _layout_of_count(domain: Domain, relative: Spacing | None, count: int, seed: int) -> Layout:
    """Layout with ``count`` nodes, the spacing being a multiple of ``relative``."""

    def layout_at(factor: float) -> Layout:
        return _layout(domain, scaled(relative, factor) if relative else factor, seed)

    volume = nodes_wanted(domain, relative or 1.0)
    return solve_spacing(count, layout_at, Layout.size, domain.dimension, volume)[1]


def _nodes(domain: Domain, layout: Layout, ghost_share: float) -> Nodes:
    """Order the points, add the ghosts, and check that there is an inside."""
    boundary, interior, spacing_at = layout
    at_edge = spacing_at(boundary.points)
    if not len(interior):
        h = float(np.median(at_edge))
        raise ValueError(
            f"at spacing={h:g} the domain has no room for interior nodes; try spacing={h / 4:g}"
        )
    interior = interior[hilbert_order(interior)]
    walk = np.arange(len(boundary))
    rows = walk if domain.dimension < 3 else hilbert_order(boundary.points)
    points, normals, part = boundary.points[rows], boundary.normals[rows], boundary.part[rows]
    spacing = np.concatenate([spacing_at(interior), at_edge[rows]])
    check_growth(np.concatenate([interior, points]), spacing, domain.cell)
    ghost, ghost_of = points, walk[:0]
    if len(boundary):
        distance = ghost_share * spacing[len(interior) :]
        _, _, walls = walls_around(domain.cell, interior, points, normals, spacing)
        ghost, ghost_of = place_ghosts(
            interior, points, normals, distance, domain, walls, domain.cell
        )
    return Nodes(
        interior, points, ghost, normals, part, boundary.names, ghost_of, spacing,
        boundary.sides.of(rows), domain.cell,
    )  # fmt: skip
