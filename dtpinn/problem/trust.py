"""What can be checked of a discrete solution, so that nonsense is not handed out without a word."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.pde import PDE
from dtpinn.problem.discrete_system import DiscreteSystem
from dtpinn.problem.fresh import FreshResidual, fresh_residual
from dtpinn.problem.time_slices import TimeSlices

RESOLVED = 0.1
"""Share of the equation's terms that a solution may leave between the nodes.

At a smooth solution it is once to twice the error; at the corner of an L, where the error is 1%, it
is 5%. A layer at a cell Peclet number of 1 leaves 0.12 to 0.2, at 10 0.7; waves of 6 nodes 0.05, of
3 nodes 0.3; boundary data that jump 0.3, on whatever nodes, as nothing resolves a jump.
"""
# The same of what an equation implies. Flows in a cavity at Re 100 leave 0.01 to 0.02 where they
# are right, 0.06 to 0.11 where they are not, 0.4 on nodes too coarse to tell.
IMPLIED = 0.04
# Row sums of a matrix, made free of the spacing, beside their median: the largest are 1.1 to 3.7
# times that on rectangle, L, ball, box, plate with a hole and graded disk, orders 2 to 6.
HEAVY = 20.0
# Of the terms of a constraint, what its residual may be: rounding leaves 1e-12.
FULFILLED = 1e-6
SHOWN = 3


class NotResolved(UserWarning):
    """A discrete solution that is not to be trusted, or not everywhere."""


def check_solution(system: DiscreteSystem, u: Floats, rates: Sequence[Floats] = ()) -> None:
    """Warn, with the places, where a solution is not to be trusted, in space-time at its end.

    Parameters
    ----------
    system : DiscreteSystem
    u, rates
        As of :func:`fresh_residual`.

    Warns
    -----
    NotResolved
        If it does not solve the equation between the nodes, or lacks what that implies, stencils
        have huge weights, or it does not fulfil a constraint.
    """
    if broken := _broken_constraints(system, u, rates):
        _warn(
            f"the constraint(s) {', '.join(broken)} are not fulfilled: equation and conditions "
            "determine the solution without them, with the unknown coefficients as they are now. "
            "fit finds those with which they are"
        )
    heavy = heavy_rows(system)
    if len(heavy):
        _warn(
            f"weights of {len(heavy)} stencils are more than {HEAVY:g} times as large as usual and "
            f"magnify errors as much, near {_places(heavy)}. Use evener nodes there, or a lower "
            "order"
        )
    fresh = fresh_residual(system, u, rates)
    if fresh is not None and fresh.share > RESOLVED:
        _warn(not_resolved(fresh))
    if told := not_implied(system, u, rates):
        _warn(told)


def not_implied(system: DiscreteSystem, u: Floats, rates: Sequence[Floats] = ()) -> str | None:
    """Return in words that a solution lacks what its equations imply, and where, or None."""
    pde = system.posed.pde
    if type(pde).implied is PDE.implied:
        return None

    def part(which: int) -> Callable[..., Tensor]:
        return lambda *at: cast("tuple[Tensor, Tensor]", pde.implied(*at))[which]

    fresh, sizes = (fresh_residual(system, u, rates, part(which)) for which in (0, 1))
    if fresh is None or sizes is None:
        return None
    left = fresh.volume @ np.maximum(np.abs(fresh.residual) - fresh.rounding, 0.0)
    total = fresh.volume @ np.abs(sizes.residual)
    if not (left > IMPLIED * total).any():
        return None
    return (
        f"what the equations imply and do not say (of a flow, that its divergence vanishes) is off "
        f"by {100 * float((left / total).max()):.0f}% between the nodes, most of it near "
        f"{_places(fresh.worst(SHOWN))}: it may be another solution than the one that is looked "
        "for. Use a smaller spacing, above all at these places (dtpinn.nodes.graded), or a lower "
        "order, or start from a better guess"
    )


def _broken_constraints(system: DiscreteSystem, u: Floats, rates: Sequence[Floats]) -> list[str]:
    """Names of the constraints that a solution does not fulfil, at the end in space-time."""
    posed = system.posed
    if not posed.constraints:
        return []
    end = None if posed.slices.steady else torch.tensor([posed.slices.last], dtype=torch.float64)
    at = system.linearizer_to_solve(TimeSlices(end))(u, *rates)
    broken = []
    for region in posed.constraints:
        residual = np.abs(at.residuals[region.name]).ravel()
        terms = abs(at.jacobians[region.name]) @ np.abs(u).ravel() + residual
        if (residual > FULFILLED * terms).any():
            broken.append(repr(region.name))
    return broken


def not_resolved(fresh: FreshResidual) -> str:
    """Return in words that a solution does not solve its equation between the nodes, and where."""
    return (
        f"between the nodes the solution leaves {100 * fresh.share:.0f}% of the terms of its "
        f"equation, most of it near {_places(fresh.worst(SHOWN))}: it is not resolved there. Use a "
        "smaller spacing at these places (dtpinn.nodes.graded, or a function of the place); where "
        "boundary data jump, what is away from the jump may be right nevertheless"
    )


def heavy_rows(system: DiscreteSystem) -> Floats:
    """Return the nodes (m, d) whose stencils have weights far larger than those of the others."""
    nodes, found = system.posed.nodes, set()
    rows_of = {region.name: region.rows for region in system.posed.spatial}
    for request in system.posed.requests:
        rows = rows_of[request.region]
        matrix = system.matrices.of(request.region, request.operator)
        scale = nodes.local_spacing[rows] ** request.operator.order
        size = np.asarray(abs(matrix).sum(axis=1)) * scale
        found |= set(rows[size > HEAVY * np.median(size)].tolist())
    return nodes.collocation[sorted(found)]


def _places(points: Floats) -> str:
    shown = [f"({', '.join(f'{c:.3g}' for c in point)})" for point in points[:SHOWN]]
    return ", ".join(shown)


def _warn(message: str) -> None:
    warnings.warn(f"solve: {message}", NotResolved, stacklevel=5)
