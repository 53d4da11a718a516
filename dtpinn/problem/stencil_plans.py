"""Which stencils the rows of a region get: the paper's, or at a free boundary sturdier ones.

By the paper's rule a condition of first order has polynomials of a degree less than the Laplacian,
and the exponent m of the polyharmonic spline grows with the degree. Where conditions hold more than
the normal derivative, as tractions do, neither does well: stencils at the boundary are one-sided,
errors of bodies with free edges were 2 to 3 times as large as need be, and single clouds of orders
5 and 6 had ten to nineteen times the error of others. With the equation's degree for the
conditions, and the least m for the equation's rows on the boundary, none stands out at orders 3 to
6 (tests/answers; either change alone is not enough, and order 2 still scatters up to fivefold).
Under fluxes errors would be smaller as well, but clouds up to five times apart: there it is the
paper's rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dtpinn.nodes import Nodes
from dtpinn.problem.dry_run import Request
from dtpinn.problem.regions import Region
from dtpinn.rbffd import Options


class StencilPlan(NamedTuple):
    """Some rows of a region, and how their stencils are made."""

    rows: slice
    order: int
    options: Options


def plans(
    nodes: Nodes,
    region: Region,
    requests: Sequence[Request],
    order: int,
    options: Options,
    sturdy: bool,
) -> list[StencilPlan]:
    """Return how the rows of a region are assembled, in their order.

    Parameters
    ----------
    nodes : Nodes
    region : Region
        Of the equation: its rows in the interior first.
    requests : sequence of Request
        Of all regions.
    order : int
    options : Options
        An exponent in them holds for all rows.
    sturdy : bool
        False: one plan, the paper's, whatever the conditions.
    """
    if not sturdy or not _beyond_normal(requests):
        return [StencilPlan(slice(None), order, options)]
    highest = _highest(requests, [r.region for r in requests])
    if region.on_boundary:
        own = _highest(requests, [region.name])
        return [StencilPlan(slice(None), order + max(0, highest - own), options)]
    inside = int((region.rows < nodes.interior_count).sum())
    if inside == len(region.rows) or "exponent" in options:
        return [StencilPlan(slice(None), order, options)]
    least = highest + 1 + highest % 2  # the smallest odd number above
    at_boundary: Options = {**options, "exponent": least}
    return [
        StencilPlan(slice(None, inside), order, options),
        StencilPlan(slice(inside, None), order, at_boundary),
    ]


def _beyond_normal(requests: Sequence[Request]) -> bool:
    """Whether a condition asks for other derivatives than the normal one."""
    return any(
        r.region != "pde" and not r.operator.along_normal and r.operator.where is None
        for r in requests
    )


def _highest(requests: Sequence[Request], regions: Sequence[str]) -> int:
    """The highest derivative that is asked for on some regions."""
    asked = [r.operator for r in requests if r.region in regions and r.operator.where is None]
    return max((op.order for op in asked), default=0)
