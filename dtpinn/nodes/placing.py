"""Placing nodes in a domain."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dtpinn.geometry import Boundary, Domain
from dtpinn.geometry.checks import positive_length, whole_number
from dtpinn.nodes.counting import solve_spacing
from dtpinn.nodes.front import fill
from dtpinn.nodes.ghosts import place_ghosts
from dtpinn.nodes.line import fill_line
from dtpinn.nodes.nodes import Nodes
from dtpinn.nodes.ordering import hilbert_order

Floats = npt.NDArray[np.float64]
Layout = tuple[Boundary, Floats]

# Fewer nodes hold no stencil of order 4 in the plane (43 nodes); on the line 15 do.
FEWEST = {1: 15, 2: 50, 3: 50}
MOST = 100_000_000


def place_nodes(
    domain: Domain,
    spacing: float | None = None,
    *,
    count: int | None = None,
    seed: int = 0,
    ghost_distance: float = 0.25,
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
        Distance between neighbouring nodes, h; no two interior nodes are nearer.
    count
        Instead of ``spacing``: the wanted number of interior and boundary nodes, N. It is met to
        within 2%, or two nodes where that is more.
    seed
        Of the random rotations and choices. The same seed gives the same nodes, bit for bit.
    ghost_distance
        From a boundary node to its ghost, in spacings.

    Raises
    ------
    TypeError
        If not exactly one of ``spacing`` and ``count`` is given, ``domain`` is not a domain, or
        a number is not one.
    ValueError
        If the spacing or the count is too small or too large for the domain, or the seed negative.

    Examples
    --------
    >>> from dtpinn.geometry import Disk
    >>> nodes = place_nodes(Disk(), spacing=0.1)
    >>> nodes
    Nodes(2-D: 230 interior + 63 boundary + 63 ghost, spacing 0.1, parts circle)
    >>> abs(place_nodes(Disk(), count=1000).count - 1000) <= 20
    True
    """
    if not isinstance(domain, Domain):
        raise TypeError(
            f"domain must be a dtpinn.geometry.Domain, such as Disk(); got {type(domain).__name__}"
        )
    if (spacing is None) == (count is None):
        raise TypeError(
            f"pass exactly one of spacing and count; got spacing={spacing} and count={count}"
        )
    seed = whole_number(seed, "seed")
    if seed < 0:
        raise ValueError(f"seed must be an integer of at least 0; got {seed}")
    ghost_share = positive_length(ghost_distance, "ghost_distance")
    if spacing is not None:
        h = _checked_spacing(domain, spacing)
        layout = _layout(domain, h, seed)
    else:
        h, layout = _layout_of_count(domain, _checked_count(domain, count), seed)
    return _nodes(domain, layout, h, ghost_share * h)


def _layout(domain: Domain, spacing: float, seed: int) -> Layout:
    """Boundary and interior points, in the order in which they are found."""
    boundary = domain.walk_boundary(spacing)
    if domain.dimension == 1:
        return boundary, fill_line(domain, boundary.points, spacing)
    rng = np.random.default_rng(seed)
    constant = lambda points: np.full(len(points), spacing)  # noqa: E731
    return boundary, fill(domain, boundary.points, constant, rng)


def _layout_of_count(domain: Domain, count: int, seed: int) -> tuple[float, Layout]:
    return solve_spacing(
        count,
        lambda spacing: _layout(domain, spacing, seed),
        lambda layout: len(layout[0]) + len(layout[1]),
        domain.dimension,
        _box_volume(domain),
    )


def _nodes(domain: Domain, layout: Layout, spacing: float, ghost_distance: float) -> Nodes:
    """Order the points, add the ghosts, and check that there is an inside."""
    boundary, interior = layout
    if not len(interior):
        raise ValueError(
            f"at spacing={spacing:g} the domain has no room for interior nodes; "
            f"try spacing={spacing / 4:g}"
        )
    interior = interior[hilbert_order(interior)]
    walk = np.arange(len(boundary))
    rows = walk if domain.dimension < 3 else hilbert_order(boundary.points)
    points, normals, part = boundary.points[rows], boundary.normals[rows], boundary.part[rows]
    ghost, ghost_of = place_ghosts(interior, points, normals, ghost_distance, domain=domain)
    return Nodes(interior, points, ghost, normals, part, boundary.names, ghost_of, spacing)


def _box_volume(domain: Domain) -> float:
    return float(np.prod(domain.bounds[1] - domain.bounds[0]))


def _checked_spacing(domain: Domain, spacing: float) -> float:
    """Return the spacing as a float, if the nodes it asks for are not absurdly many.

    Whether it is small enough is for the domain to say.
    """
    h = positive_length(spacing, "spacing")
    if _box_volume(domain) > MOST * h**domain.dimension:
        raise ValueError(
            f"spacing={h:g} asks for about {_box_volume(domain) / h**domain.dimension:.1e} nodes, "
            f"more than {MOST:.0e}; use a spacing above "
            f"{(_box_volume(domain) / MOST) ** (1 / domain.dimension):.1g}"
        )
    return h


def _checked_count(domain: Domain, count: object) -> int:
    number = whole_number(count, "count")
    fewest = FEWEST[domain.dimension]
    if not fewest <= number <= MOST:
        raise ValueError(
            f"count={number} is out of range: in {domain.dimension}-D it must be at least "
            f"{fewest}, to hold a stencil, and at most {MOST:.0e}"
        )
    return number
