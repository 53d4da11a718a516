"""How large the terms of a residual are at a model: a measure where they cancel as well."""

from __future__ import annotations

import torch
from torch import Tensor

from dtpinn.operators import Operator
from dtpinn.pde.arguments import Argument
from dtpinn.pde.automatic_derivatives import AutomaticDerivatives
from dtpinn.problem.problem import Model, Problem
from dtpinn.problem.regions import Region
from dtpinn.problem.time_slices import with_time


@torch.inference_mode(False)
@torch.enable_grad()
def sizes_of_terms(problem: Problem, model: Model) -> dict[str, Tensor]:
    """Return for every residual what the model brings into it, (n,) or (n, equations), by name.

    Sum of the sizes of what it depends on, times its slopes in them: every derivative of the model,
    and the model itself less its mean, for a temperature of 300 K is no term. By automatic
    differentiation.
    """
    return {region.name: _of(problem, model, region) for region in problem.posed.everywhere}


def _of(problem: Problem, model: Model, region: Region) -> Tensor:
    x = region.points.detach().clone().requires_grad_()
    t = None if region.time is None else region.time.detach().clone().requires_grad_()
    u = problem.evaluate(model, with_time(x, t))
    D = _Answers(u, x, region.normals, t)
    r = region.function(u, D, *region.data)
    parts = [(u, u.detach() - u.detach().mean(dim=0)), *((z, z.detach()) for z in D.leaves)]
    leaves, values = zip(*(part for part in parts if part[0].requires_grad), strict=True)
    columns = [r] if r.dim() == 1 else r.unbind(1)
    sizes = []
    for column in columns:
        total = torch.zeros_like(column.detach())
        if column.requires_grad:
            slopes = torch.autograd.grad(
                column.sum(), leaves, allow_unused=True, materialize_grads=True, retain_graph=True
            )
            for slope, value in zip(slopes, values, strict=True):
                total += (slope * value).abs().reshape(len(total), -1).sum(1)
        sizes.append(total)
    return sizes[0] if r.dim() == 1 else torch.stack(sizes, dim=1)


class _Answers(AutomaticDerivatives):
    """A ``D`` whose answers are leaves."""

    def __init__(self, u: Tensor, x: Tensor, normals: Tensor | None, t: Tensor | None) -> None:
        super().__init__(u, x, normals, t)
        self.leaves: list[Tensor] = []

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        """Return a spatial operator applied to the unknown or a function of it."""
        return self._leaf(super().apply(operator, of))

    def rate(self, of: Argument, order: int) -> Tensor:
        """Return a derivative in time."""
        return self._leaf(super().rate(of, order))

    def _leaf(self, value: Tensor) -> Tensor:
        self.leaves.append(value.detach().requires_grad_())
        return self.leaves[-1]
