"""A discrete problem as Gauss-Newton sees it: weighted residuals, and A = S J by a sparse product.

The loss is a sum of squares, 1/(Ni+Nb) |r_pde|^2 + 1/Nb |r_boundary|^2, equation (12), so with the
weights taken into the residuals it is |r|^2. A residual depends on the model through the nodal
values alone: its Jacobian in them is the sparse S of `linearize`, theirs in the parameters is the
model's J. No derivative of the network in space occurs, where a vanilla PINN needs the third.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse
import torch
import torch.autograd.forward_ad as fwAD
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.func import functional_call, jvp

from dtpinn.problem.linearize import Linearization
from dtpinn.problem.model_jacobian import ModelJacobian

if TYPE_CHECKING:
    from dtpinn.problem.discrete import DiscreteProblem


class DiscreteResiduals:
    """The weighted residuals of a model on a discrete problem, with their Jacobian.

    What :meth:`DiscreteProblem.least_squares` returns; for ``dtpinn.optim.GaussNewton``.

    Attributes
    ----------
    parameters : list of Tensor
        What is learnt, in the order of the Jacobian's columns: the model's parameters, then the
        unknown coefficients of the equation.
    evaluations : int
        Residuals and Jacobians computed so far.
    """

    def __init__(self, problem: DiscreteProblem, model: nn.Module) -> None:
        if not isinstance(model, nn.Module):
            raise TypeError(
                f"least_squares: the model must be a torch.nn.Module, got {type(model).__name__}"
            )
        self._problem, self._model = problem, model
        self._of_model = _learnt(model)
        self._of_pde = _learnt(problem.pde)
        self.parameters = [*self._of_model.values(), *self._of_pde.values()]
        self.evaluations = 0
        self._scales: dict[str, Tensor] | None = None
        self._jacobian: ModelJacobian | None = None
        self._kept: tuple[list[csr_array], csr_array] = [], csr_array((0, 0))

    @property
    def sizes(self) -> list[int]:
        """Rows of each residual, in their order; known after the first evaluation."""
        return [scale.numel() for scale in (self._scales or {}).values()]

    def residual(self) -> Tensor:
        """Return the weighted residuals (m,): the sum of their squares is the problem's loss."""
        self.evaluations += 1
        residuals = self._problem.residuals(self._model)
        if self._scales is None:
            self._scales = self._weigh(residuals)
        return self._weighted(residuals).detach()

    def jacobian(self, rows: Tensor | None = None) -> Tensor:
        """Return A (m, p) at the present parameters, or some of its rows."""
        self.evaluations += 1
        if self._scales is None:
            self.residual()
        S = self._matrix()
        if rows is not None:
            S = S[rows.cpu().numpy()]
        columns = [self._model_jacobian().product(S)] if self._of_model else []
        for tangent in self._along_coefficients():
            columns.append((tangent if rows is None else tangent[rows])[:, None])
        return torch.cat(columns, dim=1)

    # The weights of the loss

    def _weigh(self, residuals: dict[str, Tensor]) -> dict[str, Tensor]:
        """Square roots of the weights that the loss gives to every entry of every residual."""
        with torch.enable_grad():
            ones = {name: torch.ones_like(r, requires_grad=True) for name, r in residuals.items()}
            total = torch.stack(list(self._problem.loss_parts(ones).values())).sum()
            doubled = torch.autograd.grad(total, list(ones.values()), allow_unused=True)
        weights = {
            name: torch.zeros_like(ones[name]) if w is None else 0.5 * w
            for name, w in zip(ones, doubled, strict=True)
        }
        parts = [(w * residuals[name].square()).sum() for name, w in weights.items()]
        squares, loss = float(torch.stack(parts).sum()), float(self._problem.loss(self._model))
        tolerance = 1e3 * torch.finfo(self._problem.dtype).eps
        if abs(squares - loss) > tolerance * abs(loss) or any(bool((w < 0).any()) for w in weights.values()):
            raise ValueError(
                f"Gauss-Newton: the loss {loss:.6g} of {type(self._problem).__name__} is not a "
                f"weighted sum of the squares of its residuals ({squares:.6g}); where `loss_parts` "
                "is overridden it may weight squares, and nothing else"
            )
        return {name: w.sqrt().reshape(-1).detach() for name, w in weights.items()}

    def _weighted(self, residuals: dict[str, Tensor]) -> Tensor:
        assert self._scales is not None
        return torch.cat([self._scales[name] * r.reshape(-1) for name, r in residuals.items()])

    # The derivative in the nodal values, and theirs in the model's parameters

    def _matrix(self) -> csr_array:
        """S, (m, points * features): the very same object for as long as it does not change."""
        parts = self._parts(self._linearize())
        before, S = self._kept
        if len(parts) == len(before) and all(map(_equal, parts, before)):
            return S
        assert self._scales is not None
        scale = np.concatenate([s.cpu().numpy() for s in self._scales.values()])
        stacked = csr_array(scipy.sparse.vstack(parts, format="csr"))
        stacked.data *= np.repeat(scale, np.diff(stacked.indptr))
        self._kept = parts, stacked
        return stacked

    def _linearize(self) -> Linearization:
        problem = self._problem
        with torch.no_grad():
            if problem.times is None:
                u = problem.evaluate(self._model, problem.extended_points)
                return problem.linearize(u.double().cpu().numpy())
            points = problem.model_points
            along = torch.zeros_like(points)
            along[:, -1] = 1.0
            u, rate = jvp(lambda x: problem.evaluate(self._model, x), (points,), (along,))
        return problem.linearize(u.double().cpu().numpy(), rate.double().cpu().numpy())

    def _parts(self, at: Linearization) -> list[csr_array]:
        """The Jacobians of the residuals, in space-time with columns for the rates as well."""
        assert self._scales is not None
        if self._problem.times is None:
            return [at.jacobians[name] for name in self._scales]
        return [_interleaved(at.jacobians[name], at.rates[name], self._problem.pde.fields) for name in self._scales]

    def _model_jacobian(self) -> ModelJacobian:
        problem = self._problem
        return ModelJacobian(
            self._model, self._of_model, problem.model_points, problem.pde.fields,
            in_time=problem.times is not None,
        )  # fmt: skip
