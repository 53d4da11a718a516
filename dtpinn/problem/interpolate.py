"""A discrete solution at points that are no nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from dtpinn import rbffd
from dtpinn.arrays import Floats
from dtpinn.nodes import Nodes
from dtpinn.operators import Operator, identity
from dtpinn.problem.posed import Posed

# Above the problem's, so that the error is that of the values and not of the way to the points.
_HIGHER = 1


def interpolate(posed: Posed, order: int, values: Any, points: ArrayLike | Tensor) -> Tensor:
    """Return values on X, such as ``problem.solve()``, at other points.

    By stencils of X alone, as no values on ghosts are known. At a node the result is its value.

    Parameters
    ----------
    posed : Posed
    order : int
        Of the problem.
    values : (n,) or (n, fields), in space-time (n * times[, fields]), Tensor or array
        In the order of ``problem.points``.
    points : (m, d)
        Within the domain, or outside it by less than the distance between nodes.

    Returns
    -------
    Tensor, (m,) or (m, fields), in space-time (m * times[, fields])
        Of the values' dtype, on their device, differentiable in them. All times of the first point
        come before those of the second.

    Raises
    ------
    TypeError
        If the values are no real numbers, or the points require a gradient.
    ValueError
        If a shape is wrong, or a point lies beyond the nodes.
    """
    u = torch.as_tensor(values)
    _check_values(posed, u)
    if isinstance(points, Tensor):
        if points.requires_grad:
            raise TypeError(
                "interpolate: it is differentiable in the values, and not in the points; for "
                "derivatives there, dtpinn.rbffd.operator(nodes, ..., at=points) acts on values on "
                "X~, such as model(problem.extended_points)"
            )
        points = points.cpu().numpy()
    found = evaluate(posed.nodes, order, posed.slices.columns(u), np.asarray(points))
    return posed.slices.flat(found, u.shape)


def evaluate(
    nodes: Nodes, order: int, values: Tensor, points: Floats, operator: Operator = identity
) -> Tensor:
    """Return an operator of values on X, (n,) or (n, k), at points (m, d)."""
    if operator is identity:
        matrix = rbffd.interpolation(nodes, points, order + _HIGHER, on="collocation")
    else:
        on_x = nodes.with_ghosts_of(np.arange(0))
        matrix = rbffd.operator(on_x, operator, order + _HIGHER, at=points)
    result: Tensor = matrix.to(values.device, values.dtype)(values)
    return result


def _check_values(posed: Posed, u: Tensor) -> None:
    if u.dtype not in (torch.float64, torch.float32):
        raise TypeError(f"interpolate: values must be in float64 or float32, got {u.dtype}")
    rows = posed.nodes.count * posed.slices.count
    wanted = posed.shape_of(rows)
    if u.shape not in (wanted, (*wanted, 1)[:2]):
        extended = len(posed.nodes.extended) * posed.slices.count
        hint = f"; leave out those on ghosts, values[:{rows}]" if len(u) == extended else ""
        raise ValueError(
            f"interpolate: expected values on X, of shape {wanted} as solve() returns them, got "
            f"{tuple(u.shape)}{hint}"
        )
