"""What holds where: on which sides a condition holds, which ghosts serve, where the equation does.

Counting decides. A boundary node is unknown by its value, and once more by its ghost's; it needs as
many equations. Every side brings its condition, and the equation of the domain holds as well where
there is room for it:

- on a smooth part under a condition with a derivative (Neumann, Robin, traction) the ghost makes
  room for the equation, as in the paper;
- under a condition without one (Dirichlet) there is no ghost, and the equation gives way. A ghost
  would be tied to the domain by the equation alone, from outside it: where the solution is singular
  the equation on the boundary is wrong, and errors grew to many times the solution;
- but an equation of second order in time keeps all ghosts, under every condition, and holds on the
  boundary: without them stencils beside it are one-sided, eigenvalues of the matrices leave the
  real axis and waves grow of themselves: from order 5, in space from order 3, at up to 5 times the
  speed / the size of the domain and faster on finer nodes. With ghosts at 0.15 times, at orders 2
  to 6 on disk, rectangle, L, ball and box;
- a field of which the equation holds no more than first derivatives has no ghost: a pressure in the
  original equations of a flow, a flux in a mixed form. On the cloud its ghosts are extrapolated.
  Where it has no condition of its own, the fields with second derivatives have their ghosts under
  values as well, and with them the equation holds on the boundary. Without such fields (all of
  first order) there are no ghosts, and a direct solve takes of the equation what is in need of no
  normal derivative of what is not given: u given, of s = grad u and div s = f the first; s . n
  given, the second and the first along the tangent. With other choices pressures or fluxes were
  wrong by their own size and more on some clouds;
- where two pieces of the boundary meet, both conditions hold, each with its own normal, in the
  place of the equation; so they do where one part ends and another begins. But where one of them
  gives the value, a flux gives way to it: beside a value it says nothing new of a smooth solution,
  and where data disagree or the solution is singular (a heated edge beside an insulated one, the
  slit of Motz's problem) errors were 1.3 to 5 times as large with both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dtpinn.arrays import Integers
from dtpinn.geometry import Sides
from dtpinn.nodes import Nodes
from dtpinn.problem.probing import held, orders
from dtpinn.problem.regions import Region

Rows = Integers
Ghosts = Literal["auto", "all", "none"]
Corners = Literal["auto", "each", "mean"]

# Two pieces of one part that meet at less than this angle, in degrees, are one smooth boundary: a
# polygon of short edges stands for a curve, and its two conditions would be one, twice.
SMOOTH = 20.0


def counted_sides(nodes: Nodes, corners: Corners) -> Sides:
    """Return the sides on which conditions hold.

    Parameters
    ----------
    nodes : Nodes
    corners : "auto", "each" or "mean"
        Whether a node at a corner counts once for each piece that meets there, or, with "mean",
        once in all, with the mean normal and the node's own part.

    Raises
    ------
    ValueError
        For another word.

    Examples
    --------
    >>> import dtpinn
    >>> square = dtpinn.place_nodes(dtpinn.geometry.Rectangle(), spacing=0.1)
    >>> len(counted_sides(square, "auto")) - len(counted_sides(square, "mean"))
    4
    """
    if corners not in get_args(Corners):
        raise ValueError(f'corners must be "auto", "each" or "mean", got {corners!r}')
    own = Sides.one_each(nodes.normals, nodes.part)
    if corners == "mean":
        return own
    sides = nodes.sides
    lean = np.einsum("ij,ij->i", sides.normals, nodes.normals[sides.point])
    bent = lean < np.cos(np.radians(SMOOTH / 2))
    elsewhere = sides.part != nodes.part[sides.point]
    apart = np.bincount(sides.point, weights=bent | elsewhere, minlength=nodes.boundary_count) > 0
    first = np.diff(sides.point, prepend=-1) > 0
    kept = first | apart[sides.point]
    normals = np.where(apart[sides.point][:, None], sides.normals, nodes.normals[sides.point])
    return Sides(sides.point[kept], normals[kept], sides.part[kept])


def without_outweighed(
    nodes: Nodes, sides: Sides, conditions: Sequence[Region]
) -> dict[str, NDArray[np.bool_]]:
    """Return on which sides each condition is left: a flux not where another side gives the value.

    Field by field: a flux of the temperature does not give way to a displacement that is given.

    Parameters
    ----------
    nodes : Nodes
    sides : Sides
        As :func:`counted_sides` returns them.
    conditions : sequence of Region
        On these sides; they have been through the dry run.

    Returns
    -------
    dict of name of the region to (sides,) bool array
    """
    kept = {region.name: np.ones(len(sides), dtype=np.bool_) for region in conditions}
    if len(sides) == nodes.boundary_count or not conditions:
        return kept
    what = [held(region) for region in conditions]
    by_side = np.zeros((len(sides), what[0].value.shape[1]), dtype=np.bool_)
    gives = []
    for region, holds in zip(conditions, what, strict=True):
        as_many = holds.value.sum(axis=1) == region.equations
        gives.append(as_many & ~holds.derivative.any(axis=1))
        by_side[region.sides] |= holds.value & gives[-1][:, None]
    at_node = np.zeros((nodes.boundary_count, by_side.shape[1]), dtype=np.bool_)
    np.logical_or.at(at_node, sides.point, by_side)
    for region, holds, itself in zip(conditions, what, gives, strict=True):
        about = holds.value | holds.derivative
        known = ~(about & ~at_node[sides.point[region.sides]]).any(axis=1)
        # What else a side holds of the fields that it gives itself (div u = 0) is meant to hold.
        elsewhere = (about & ~by_side[region.sides]).any(axis=1)
        kept[region.name][region.sides] = itself | ~(known & elsewhere)
    return kept


def arrange(
    nodes: Nodes, equation: Region, conditions: Sequence[Region], ghosts: Ghosts
) -> tuple[Nodes, Rows]:
    """Return the nodes with the ghosts that serve, and the rows of X where the equation holds.

    Parameters
    ----------
    nodes : Nodes
    equation : Region
        On all of X; it and the conditions have been through the dry run.
    conditions : sequence of Region
    ghosts : "auto", "all" or "none"
        "all" is the paper's: the equation then holds on all of X, but where sides meet.

    Raises
    ------
    ValueError
        For another word.
    """
    if ghosts not in get_args(Ghosts):
        raise ValueError(f'ghosts must be "auto", "all" or "none", got {ghosts!r}')
    count, fields = nodes.boundary_count, equation.fields
    second = orders(equation) > 1
    several = sides_at(nodes, conditions) > 1
    if ghosts == "all":
        return nodes, _inside_and(nodes, ~several)
    given = np.zeros(count, dtype=np.int64)
    derivative = np.zeros(count, dtype=np.bool_)
    for region in conditions:
        point = region.rows - nodes.interior_count
        np.add.at(given, point, region.equations)
        if ghosts == "auto":
            np.logical_or.at(derivative, point, held(region).derivative.any(axis=1))
    # A field without a condition is left to the equation, which needs ghosts for that.
    needed = ((given < fields) & second.any()) | (equation.time_order == 2)
    served = derivative | (needed & (ghosts == "auto"))
    reduced = nodes.with_ghosts_of(np.flatnonzero(served))
    of_ghost = with_ghosts(equation, conditions).sum()
    unknowns = fields + of_ghost * np.bincount(reduced.ghost_of, minlength=count)
    return reduced, _inside_and(nodes, (given + equation.equations <= unknowns) & ~several)


def with_ghosts(equation: Region, conditions: Sequence[Region]) -> NDArray[np.bool_]:
    """Return the fields (fields,) whose values on ghosts are unknowns: others are extrapolated.

    Those with second derivatives in the equation or a derivative in some condition, and scalars.
    """
    if equation.fields == 1:
        return np.ones(1, dtype=np.bool_)
    found = orders(equation) > 1
    for region in conditions:
        found = found | held(region).derivative.any(axis=0)
    return np.asarray(found)


def interior_alone(
    nodes: Nodes, equation: Region, conditions: Sequence[Region]
) -> tuple[Nodes, Rows]:
    """Return the nodes and the rows of the interior, where a vanilla PINN requires the equation."""
    return nodes, np.arange(nodes.interior_count)


def sides_at(nodes: Nodes, conditions: Sequence[Region]) -> Rows:
    """Return how many sides of each boundary node have a condition, (Nb,)."""
    # Several conditions on one side are one side.
    none = np.arange(0)
    sides = np.concatenate([none, *(r.sides for r in conditions if r.sides is not None)])
    points = np.concatenate([none, *(r.rows - nodes.interior_count for r in conditions)])
    _, first = np.unique(sides, return_index=True)
    return np.bincount(points[first], minlength=nodes.boundary_count)


def _inside_and(nodes: Nodes, boundary: NDArray[np.bool_]) -> Rows:
    rows = np.flatnonzero(boundary) + nodes.interior_count
    return np.concatenate([np.arange(nodes.interior_count), rows])
