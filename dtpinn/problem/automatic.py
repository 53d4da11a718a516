"""The vanilla PINN: the same residuals with derivatives by automatic differentiation."""

from __future__ import annotations

import torch
from torch import Tensor

from dtpinn.pde.automatic import AutomaticDerivatives
from dtpinn.problem.problem import Model, Problem
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
