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
        return {region.name: self._residual(model, region) for region in self.posed.everywhere}

    def _residual(self, model: Model, region: Region) -> Tensor:
        return automatic_residual(self, model, region)


def automatic_residual(problem: Problem, model: Model, region: Region) -> Tensor:
    """Return the residual of a region, (n,) or (n, equations), by automatic differentiation."""

    def unknown(x: Tensor, t: Tensor | None = None) -> Tensor:
        return problem.evaluate(model, with_time(x, t))

    with torch.enable_grad():  # the derivatives need it, whatever the caller does with them
        x = region.points.detach().requires_grad_()
        t = None if region.time is None else region.time.detach().requires_grad_()
        u = unknown(x, t)
        return region.residual(u, AutomaticDerivatives(u, x, region.normals, t, unknown))
