"""The vanilla PINN: the same residuals with derivatives by automatic differentiation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from dtpinn.nodes import Nodes
from dtpinn.pde import PDE
from dtpinn.pde.automatic import AutomaticDerivatives
from dtpinn.problem.problem import Model, Problem, check_device
from dtpinn.problem.regions import Region


class AutomaticProblem(Problem):
    """The residuals of an equation with derivatives by automatic differentiation.

    Made by :func:`vanilla`.
    """

    def residuals(self, model: Model) -> dict[str, Tensor]:
        """Return every residual by name, each (n,) or (n, equations), differentiable."""
        result = {region.name: self._residual(model, region) for region in self.regions}
        if self.times is not None:
            start = torch.full_like(self.initial_points[:, :1], float(self.times[0]))
            u = self.evaluate(model, torch.cat([self.initial_points, start], dim=1))
            result["initial"] = self.pde.initial(u, self.initial_points)
        return result

    def _residual(self, model: Model, region: Region) -> Tensor:
        with torch.enable_grad():  # the derivatives need it, whatever the caller does with them
            x = region.points.detach().requires_grad_()
            t = None if region.time is None else region.time.detach().requires_grad_()
            u = self.evaluate(model, x if t is None else torch.cat([x, t[:, None]], dim=1))
            D = AutomaticDerivatives(u, x, region.normals, t)
            result: Tensor = region.function(u, D, *region.data)
        return result


def vanilla(
    pde: PDE,
    nodes: Nodes,
    *,
    times: Tensor | Sequence[float] | None = None,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str | None = None,
    collocation: Literal["interior", "all"] = "interior",
) -> AutomaticProblem:
    """Return the autograd PINN of an equation on the same nodes, to compare with.

    Parameters
    ----------
    pde : PDE
    nodes : Nodes
        Ghost nodes are not used.
    times : (n_times,), optional
        Makes it a space-time problem.
    dtype : torch.dtype
        float64; the paper's vanilla PINNs are float32.
    device : optional
    collocation : "interior" or "all"
        Where the equation is required: in the interior, equation (4), or on the boundary as well,
        as a DT-PINN does.

    Examples
    --------
    >>> import torch, dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] ** 2)
    >>> problem = dtpinn.vanilla(pde, nodes)
    >>> exact = problem.loss(lambda x: x[:, 0] ** 2)
    >>> bool(exact < 1e-25)
    True
    """
    if collocation not in ("interior", "all"):
        raise ValueError(f'collocation must be "interior" or "all", got {collocation!r}')
    check_device(device)
    inside = collocation == "interior"
    rows = np.arange(nodes.interior_count if inside else nodes.count)
    return AutomaticProblem(pde, nodes, times, dtype, rows).to(device=device)
