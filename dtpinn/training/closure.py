"""The closure: what an optimiser's step calls, and what it may ask beyond the loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dtpinn.problem import Problem


class Closure:
    """Loss and gradient of a problem at the present parameters, counted.

    ``optimizer.step`` receives one. Calling it is all that torch's optimisers do; one that wants
    more than a gradient, such as the residuals and their Jacobian, asks `problem` and `model` for
    it, and adds what it spends to `evaluations`.

    Attributes
    ----------
    model : nn.Module
    problem : Problem
    parameters : list of Tensor
        What is learnt: of the model, and unknown coefficients of the PDE.
    evaluations : int
        Losses with their gradients so far; whoever evaluates without calling adds to it.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] * x[:, 1])
    >>> model = dtpinn.MLP(2, width=4, depth=1, seed=0)
    >>> closure = Closure(model, dtpinn.discretize(pde, nodes), list(model.parameters()))
    >>> loss = closure()
    >>> closure.evaluations, all(p.grad is not None for p in model.parameters())
    (1, True)
    """

    def __init__(self, model: nn.Module, problem: Problem, parameters: Sequence[Tensor]) -> None:
        self.model, self.problem = model, problem
        self.parameters = list(parameters)
        self.evaluations = 0

    def __call__(self) -> Tensor:
        """Return the loss, with its gradient in ``grad`` of every parameter."""
        for parameter in self.parameters:
            parameter.grad = None
        with torch.enable_grad():
            loss = self.problem.loss(self.model)
            # inputs=: no gradient in the points, which the derivatives have made part of the graph.
            loss.backward(inputs=self.parameters)  # type: ignore[no-untyped-call]
        self.evaluations += 1
        return loss
