"""Seams: a network that knows nothing of a period is to have it nevertheless.

Stencils of periodic nodes go on across the seam, so a discrete residual holds the two sides of a
network together by itself. Derivatives by automatic differentiation know no neighbours; a vanilla
PINN has its values, and as many derivatives across the seam as the equation needs, matched there
instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.nodes import Nodes
from dtpinn.pde import Derivatives
from dtpinn.problem.dry_run import dry_run
from dtpinn.problem.posed import Posed
from dtpinn.problem.regions import Region

# In spacings: nodes as near to a seam as this have a place on it, about one for each spacing.
NEAR = 0.5


@torch.inference_mode(False)  # its tensors must serve training
def with_seams(posed: Posed) -> Posed:
    """Return the same with a residual for each periodic direction: ``"periodic.x"``, ...

    What the unknown and its normal derivatives, up to one below the order of the equation, are
    more on one side of the seam than on the other.
    """
    inside = [r.operator.order for r in posed.requests if r.region == posed.regions[0].name]
    match = _matched(max([1, *inside]))
    regions = []
    for axis in posed.nodes.cell.axes:
        places = _places(posed.nodes, axis)
        here, beyond = (
            Region(
                f"periodic.{'xyz'[axis]}", match(axis), points, np.arange(len(points)),
                len(points), posed.slices, posed.dtype,
                outward=np.tile(np.eye(places.shape[1])[axis], (len(points), 1)),
            )
            for points in (places, places + posed.nodes.cell.step(axis))
        )  # fmt: skip
        here.beyond = beyond
        regions.append(here)
    requests = [request for region in regions for request in dry_run(posed.pde, [region])]
    return replace(posed, regions=(*posed.regions, *regions), requests=(*posed.requests, *requests))


def _places(nodes: Nodes, axis: int) -> Floats:
    """Points of the seam, beside the nodes that are near to it, (m, d)."""
    x, low, period = nodes.collocation, nodes.cell.lower[axis], nodes.cell.periods[axis]
    away = np.minimum(x[:, axis] - low, low + period - x[:, axis]) / nodes.local_spacing
    places = x[away <= max(NEAR, float(away.min()))].copy()
    places[:, axis] = low
    return np.unique(places, axis=0)


def _matched(count: int) -> Callable[[int], Callable[..., Tensor]]:
    """Make, for a direction, the residual of a side: the unknown and its first derivatives."""

    def of_axis(axis: int) -> Callable[..., Tensor]:
        def periodic(u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
            parts = [u] + [D.partial(u, *[axis] * k) for k in range(1, count)]
            columns = [part[:, None] if part.dim() == 1 else part for part in parts]
            return torch.cat(columns, dim=1)

        return periodic

    return of_axis
