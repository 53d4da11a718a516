"""The vanilla PINN: the same residuals with derivatives by automatic differentiation."""

from __future__ import annotations

from torch import Tensor, nn

from dtpinn.problem.jacobian.automatic_residuals import AutomaticResiduals
from dtpinn.problem.problem import Model, Problem
from dtpinn.problem.regions import Region


class AutomaticProblem(Problem):
    """The residuals of an equation with derivatives by automatic differentiation.

    Made by :func:`vanilla`.
    """

    def residuals(self, model: Model) -> dict[str, Tensor]:
        """Return every residual by name, each (n,) or (n, equations), differentiable."""
        result = {region.name: self.residual_on(model, region) for region in self.posed.nodal}
        for region in self.regions:
            if region.beyond is not None:
                result[region.name] = result[region.name] - self.residual_on(model, region.beyond)
        return {**result, **self.data_residuals(model)}

    def least_squares(self, model: nn.Module) -> AutomaticResiduals:
        """Return the weighted residuals of a model with their Jacobian in all that is learnt.

        For ``dtpinn.optim.GaussNewton``; ``fit`` does it by itself.
        """
        return AutomaticResiduals(self, model)

    def residual_on(self, model: Model, region: Region) -> Tensor:
        """Return the residual on one of the regions of nodal values, differentiable."""
        return self.automatic_residual(model, region)
