"""The closure: what an optimiser's step is given, by what it works with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from dtpinn.optim.by_name import needs_of
from dtpinn.problem import (
    AutomaticProblem,
    AutomaticResiduals,
    CorrectedResiduals,
    DiscreteProblem,
    DiscreteResiduals,
    Problem,
)
from dtpinn.problem.affine_residuals import AffineResiduals, affine_residuals


class LossClosure:
    """Loss and gradient of a problem at the present parameters, counted.

    What ``optimizer.step`` of a torch optimiser calls. One that needs the Jacobian is given
    :class:`~dtpinn.problem.DiscreteResiduals` instead, which count their evaluations as well.

    Parameters
    ----------
    model : nn.Module
    problem : Problem
    parameters : sequence of Tensor
    affine : AffineResiduals, optional
        The problem's residuals as one product, where they are that.

    Attributes
    ----------
    parameters : list of Tensor
        What is learnt: of the model, and unknown coefficients of the PDE.
    evaluations : int
        Losses with their gradients so far.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] * x[:, 1])
    >>> model = dtpinn.MLP(2, width=4, depth=1, seed=0)
    >>> closure = LossClosure(model, dtpinn.discretize(pde, nodes), list(model.parameters()))
    >>> loss = closure()
    >>> closure.evaluations, all(p.grad is not None for p in model.parameters())
    (1, True)
    """

    def __init__(
        self,
        model: nn.Module,
        problem: Problem,
        parameters: Sequence[Tensor],
        affine: AffineResiduals | None = None,
    ) -> None:
        self.affine = affine
        self._loss: Callable[[], Tensor] = partial(problem.loss, model)
        if affine is not None:
            self._loss = affine.loss
        self.parameters = list(parameters)
        self.evaluations = 0

    def __call__(self) -> Tensor:
        """Return the loss, with its gradient in ``grad`` of every parameter."""
        for parameter in self.parameters:
            parameter.grad = None
        with torch.enable_grad():
            loss = self._loss()
            # inputs=: no gradient in the points, which the derivatives have made part of the graph.
            loss.backward(inputs=self.parameters)  # type: ignore[no-untyped-call]
        self.evaluations += 1
        return loss


Closure = LossClosure | DiscreteResiduals | CorrectedResiduals | AutomaticResiduals


def make_closure(
    optimizer: torch.optim.Optimizer, model: nn.Module, problem: Problem, learnt: Sequence[Tensor]
) -> Closure:
    """Return what the optimiser's step takes: loss and gradient, or residuals and Jacobian.

    As one product where the equation is linear and the loss the same at every call, which only the
    optimisers that compare losses are promised.
    """
    needs = needs_of(optimizer)
    affine = affine_residuals(problem, model) if needs.same_loss else None
    if not needs.jacobian:
        return LossClosure(model, problem, learnt, affine)
    check_has_jacobian(problem, type(optimizer).__name__)
    if isinstance(problem, AutomaticProblem):
        return problem.least_squares(model)
    assert isinstance(problem, DiscreteProblem)
    of = problem.corrected_least_squares if needs.exact else problem.least_squares
    system = of(model)
    system.affine = affine
    return system


def check_has_jacobian(problem: Problem, optimizer: str) -> None:
    """Raise TypeError for a problem that an optimiser of Jacobians cannot train on."""
    if not isinstance(problem, (DiscreteProblem, AutomaticProblem)):
        raise TypeError(
            f"fit: {optimizer} needs residuals with a Jacobian, from dtpinn.discretize or "
            f"dtpinn.vanilla, got {type(problem).__name__}; train it with optimizer='lbfgs'"
        )
