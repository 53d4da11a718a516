"""What the loss multiplies every residual by, so that it is the sum of their squares."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from dtpinn.problem.problem import Model, Problem


def loss_scales(
    problem: Problem, model: Model, residuals: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return square roots of the weights that the loss gives to every entry of every residual.

    Flat, by name of the residual, in their order and in the problem's dtype.

    Raises
    ------
    ValueError
        If an overridden `loss_parts` makes no weighted sum of squares of them.
    """
    with torch.enable_grad():
        # In double: the square of a size in pascals is beyond what float32 holds.
        ones = {
            name: torch.ones_like(r, dtype=torch.float64, requires_grad=True)
            for name, r in residuals.items()
        }
        total = torch.stack(list(problem.loss_parts(ones).values())).sum()
        doubled = torch.autograd.grad(total, list(ones.values()), allow_unused=True)
    weights = {
        name: torch.zeros_like(ones[name]) if w is None else 0.5 * w
        for name, w in zip(ones, doubled, strict=True)
    }
    parts = [(w * residuals[name].detach().double().square()).sum() for name, w in weights.items()]
    squares = float(torch.stack(parts).sum())
    loss = float(problem.loss(model).detach())
    tolerance = 1e3 * torch.finfo(problem.dtype).eps
    negative = any(bool((w < 0.0).any()) for w in weights.values())
    if negative or abs(squares - loss) > tolerance * abs(loss):
        raise ValueError(
            f"Gauss-Newton: the loss {loss:.6g} of {type(problem).__name__} is not a "
            f"weighted sum of the squares of its residuals ({squares:.6g}); where `loss_parts` "
            "is overridden it may weight squares, and nothing else"
        )
    return {name: w.sqrt().reshape(-1).detach().to(problem.dtype) for name, w in weights.items()}
