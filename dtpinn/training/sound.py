"""Whether model and loss are what training takes them for: functions of points and parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from dtpinn.optim.by_name import needs_of
from dtpinn.problem import Problem

# What two evaluations may differ by: sums in another order, on a GPU.
_SAME = {torch.float64: 1e-9, torch.float32: 1e-4}
# At so many points alone the values must be those among all points, to this fraction.
_FEW, _MIXED = 3, 1e-3


@torch.no_grad()
def check_sound(model: nn.Module, problem: Problem, optimizer: torch.optim.Optimizer) -> None:
    """Refuse, by name, what is no function of the parameters, or of each point by itself.

    Dropout, or a residual that draws numbers, gives another loss at each evaluation. That suits
    stochastic optimisers; a line search, or Gauss-Newton, would stop with a reason that misleads.
    A model that mixes points (statistics of the batch) has wrong derivatives in a vanilla PINN, and
    is another function wherever else it is evaluated.

    Raises
    ------
    ValueError
        Naming the layers, the model or the residual.
    """
    devices = [problem.device] if problem.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        first, second = (problem.loss_parts(problem.residuals(model)) for _ in range(2))
        allowed = _SAME[problem.dtype]
        moved = [name for name in first if _differ(first[name], second[name], allowed)]
        if moved and needs_of(optimizer).same_loss:
            raise ValueError(_not_twice(model, problem, type(optimizer).__name__, moved[0]))
        if not moved:
            _check_pointwise(model, problem)


def _check_pointwise(model: nn.Module, problem: Problem) -> None:
    points = problem.points
    together = problem.evaluate(model, points)[:_FEW]
    if _differ(together, problem.evaluate(model, points[:_FEW]), _MIXED):
        remedy = "Let each row of points have values of its own"
        if layers := _in_train_mode(model, (_BatchNorm,)):
            remedy = (
                f"It has {layers} in train mode: call model.eval() before, or take layers that "
                "work on each point by itself, torch.nn.LayerNorm for one"
            )
        raise ValueError(
            f"fit: {type(model).__name__} is no function of the points: it has other values at the "
            f"first {_FEW} points alone than among all points. {remedy}"
        )


def _not_twice(model: nn.Module, problem: Problem, optimizer: str, residual: str) -> str:
    """Whose fault it is that the loss differs from one evaluation to the next."""
    points = problem.points[:_FEW]
    u, again = (problem.evaluate(model, points) for _ in range(2))
    if not _differ(u, again, _SAME[problem.dtype]):
        culprit = f"the residual {residual!r} has other values each time. Let it draw numbers once"
    elif layers := _in_train_mode(model, (_DropoutNd,)):
        culprit = f"the model has {layers} in train mode. Call model.eval() before"
    else:
        culprit = f"{type(model).__name__} has other values each time. Let it draw numbers once"
    return (
        f"fit: {optimizer} compares losses, but the loss is not the same twice at the same "
        f"parameters: {culprit}, or take a stochastic optimizer, torch.optim.Adam for one"
    )


def _in_train_mode(model: nn.Module, kinds: tuple[type[nn.Module], ...]) -> str:
    found = [
        f"{type(layer).__name__} ({name or 'itself'})"
        for name, layer in model.named_modules()
        if isinstance(layer, kinds) and layer.training
    ]
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def _differ(a: Tensor, b: Tensor, allowed: float) -> bool:
    """By more than a fraction; False where something is not finite, which training tells of."""
    size = torch.maximum(a.abs().max(), b.abs().max())
    return bool((a - b).abs().max() > allowed * size)
