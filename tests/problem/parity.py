"""Both derivative backends on one network, and by how much they differ."""

from __future__ import annotations

import torch

import dtpinn


def network(inputs, fields):
    """A smooth random function: its derivatives are of the size of itself."""
    return dtpinn.MLP(inputs, width=20, depth=2, fields=fields, seed=3)


def both(pde, nodes, times, order, model):
    """Relative differences of residuals and of the loss's gradient, by name."""
    problems = (
        dtpinn.discretize(pde, nodes, order, times=times),
        dtpinn.vanilla(pde, nodes, times=times, collocation="all"),
    )
    parameters = [*model.parameters(), *pde.parameters()]
    residuals = [problem.residuals(model) for problem in problems]
    # Pure Neumann conditions do not feel the last bias.
    gradients = [
        torch.autograd.grad(p.loss(model), parameters, allow_unused=True, materialize_grads=True)
        for p in problems
    ]
    flat = [torch.cat([g.flatten() for g in gs]) for gs in gradients]
    assert residuals[0].keys() == residuals[1].keys()
    differences = {
        name: ((r - residuals[1][name]).abs().max() / residuals[1][name].abs().max()).item()
        for name, r in residuals[0].items()
    }
    differences["gradient"] = float((flat[0] - flat[1]).norm() / flat[1].norm())
    return differences
