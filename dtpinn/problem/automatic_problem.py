"""The vanilla PINN: the same residuals with derivatives by automatic differentiation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dtpinn.problem.jacobian.automatic_residuals import AutomaticResiduals
from dtpinn.problem.problem import Model, Problem
from dtpinn.problem.regions import Region
from dtpinn.problem.time_slices import with_time


class AutomaticProblem(Problem):
    """The residuals of an equation with derivatives by automatic differentiation.

    Made by :func:`vanilla`.
    """

    def residuals(self, model: Model) -> dict[str, Tensor]:
        """Return every residual by name, each (n,) or (n, equations), differentiable."""
        result = {region.name: self._residual(model, region) for region in self.posed.spatial}
        if (initial := self.posed.initial) is not None:
            x = initial.points
            u = self.evaluate(
                model, with_time(x, torch.full_like(x[:, 0], self.posed.slices.first))
            )
            result[initial.name] = initial.residual(u, None)
        return {**result, **self.data_residuals(model)}

    def least_squares(self, model: nn.Module) -> AutomaticResiduals:
        """Return the weighted residuals of a model with their Jacobian in all that is learnt.

        For ``dtpinn.optim.GaussNewton``; ``fit`` does it by itself.
        """
        return AutomaticResiduals(self, model)

    def _residual(self, model: Model, region: Region) -> Tensor:
        return self.automatic_residual(model, region)
