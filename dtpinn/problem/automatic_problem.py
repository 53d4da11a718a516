"""The vanilla PINN: the same residuals with derivatives by automatic differentiation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dtpinn.nodes import Nodes
from dtpinn.pde import PDE
from dtpinn.pde.automatic_derivatives import AutomaticDerivatives
from dtpinn.problem.arrangement import Corners, interior_alone
from dtpinn.problem.problem import Arrangement, Model, Problem
from dtpinn.problem.regions import Region


class AutomaticProblem(Problem):
    """The residuals of an equation with derivatives by automatic differentiation.

    Made by :func:`vanilla`.
    """

    def __init__(
        self,
        pde: PDE,
        nodes: Nodes,
        times: Tensor | Sequence[float] | None = None,
        dtype: torch.dtype = torch.float64,
        corners: Corners = "auto",
        arrangement: Arrangement = interior_alone,
    ) -> None:
        super().__init__(pde, nodes, times, dtype, corners, arrangement)

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
