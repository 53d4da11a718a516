"""A vanilla PINN as Gauss-Newton sees it: every row of its Jacobian by backward differentiation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dtpinn.problem.jacobian.backward_rows import backward_rows
from dtpinn.problem.jacobian.loss_scales import loss_scales
from dtpinn.problem.problem import Problem


class AutomaticResiduals:
    """The weighted residuals of a model, with their Jacobian row by row.

    What :meth:`AutomaticProblem.least_squares` returns; for ``dtpinn.optim.GaussNewton``. Each pass
    goes through all points for 128 of the rows, so it is for points by the hundreds; a discrete
    problem has a sparse product for it.

    Parameters
    ----------
    problem : Problem
    model : nn.Module

    Attributes
    ----------
    parameters : list of Tensor
        What is learnt: the model's parameters, then the unknown coefficients of the equation.
    evaluations : int
        Residuals and Jacobians computed so far.
    """

    def __init__(self, problem: Problem, model: nn.Module) -> None:
        self._problem, self._model = problem, model
        both = [*model.parameters(), *problem.pde.parameters()]
        self.parameters = [p for p in both if p.requires_grad]
        self.evaluations = 0
        self._scales: dict[str, Tensor] = {}

    @property
    def sizes(self) -> list[int]:
        """Rows of each residual, in their order; known after the first evaluation."""
        return [scale.numel() for scale in self._scales.values()]

    def residual(self) -> Tensor:
        """Return the weighted residuals (m,): the sum of their squares is the problem's loss."""
        return self._weighted().detach()

    def jacobian(self, rows: Tensor | None = None) -> Tensor:
        """Return A (m, p) at the present parameters, or some of its rows."""
        return backward_rows(self._weighted(), self.parameters, rows)

    @torch.enable_grad()
    def _weighted(self) -> Tensor:
        self.evaluations += 1
        residuals = self._problem.residuals(self._model)
        if not self._scales or any(
            s.dtype != self._problem.dtype or s.device != self._problem.device
            for s in self._scales.values()
        ):
            self._scales = loss_scales(self._problem, self._model, residuals)
        return torch.cat([s * residuals[name].reshape(-1) for name, s in self._scales.items()])
