"""The vanilla PINN: the same residuals with derivatives by automatic differentiation."""

from __future__ import annotations

import torch
from torch import Tensor

from dtpinn.pde.automatic_derivatives import AutomaticDerivatives
from dtpinn.problem.problem import Model, Problem
from dtpinn.problem.regions import Region
from dtpinn.problem.time_slices import with_time


class AutomaticProblem(Problem):
    """The residuals of an equation with derivatives by automatic differentiation.

    Made by :func:`vanilla`.
    """

    def residuals(self, model: Model) -> dict[str, Tensor]:
        """Return every residual by name, each (n,) or (n, equations), differentiable."""
        result = {region.name: self._residual(model, region) for region in self.regions}
        for region in self.regions:
            if region.beyond is not None:
                result[region.name] = result[region.name] - self._residual(model, region.beyond)
        if (initial := self.posed.initial) is not None:
            x = initial.points
            u = self.evaluate(
                model, with_time(x, torch.full_like(x[:, 0], self.posed.slices.first))
            )
            result[initial.name] = initial.function(u, None, x)
        return result

    def _residual(self, model: Model, region: Region) -> Tensor:
        with torch.enable_grad():  # the derivatives need it, whatever the caller does with them
            x = region.points.detach().requires_grad_()
            t = None if region.time is None else region.time.detach().requires_grad_()
            u = self.evaluate(model, with_time(x, t))
            D = AutomaticDerivatives(u, x, region.normals, t)
            result: Tensor = region.function(u, D, *region.data)
        return result
