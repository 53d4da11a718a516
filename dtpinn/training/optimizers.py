"""From what a user names as the optimiser to one that is ready to step."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.optim import Optimizer

from dtpinn.optim import LBFGS
from dtpinn.problem import Problem

Factory = Callable[[list[Tensor]], Optimizer]
OptimizerLike = str | Optimizer | Factory

BY_NAME: dict[str, Factory] = {"lbfgs": LBFGS}


def trainable(model: nn.Module, problem: Problem) -> dict[str, Tensor]:
    """Return what is learnt, by name: the model's parameters and the PDE's unknown coefficients."""
    named = [*model.named_parameters(), *problem.named_parameters()]
    found: dict[str, Tensor] = {name: p for name, p in named if p.requires_grad}
    if not found:
        raise ValueError("nothing to train: neither the model nor the PDE has a parameter")
    return found


def check_parameters(model: nn.Module, problem: Problem) -> None:
    """Raise, by name, unless everything that is learnt has the problem's dtype and device."""
    owners = (("the model's", model.named_parameters()), ("the PDE's", problem.named_parameters()))
    for owner, named in owners:
        what = "model" if owner == "the model's" else "pde"
        for name, parameter in named:
            if parameter.dtype != problem.dtype:
                raise TypeError(
                    f"fit: {owner} {name.removeprefix('pde.')} is {parameter.dtype}, but the "
                    f"problem is in {problem.dtype}; convert it: {what}.to({problem.dtype})"
                )
            if parameter.device != problem.device:
                raise ValueError(
                    f"fit: {owner} {name.removeprefix('pde.')} is on {parameter.device}, but the "
                    f"problem is on {problem.device}; move it: {what}.to({str(problem.device)!r})"
                )


def make_optimizer(optimizer: OptimizerLike, parameters: dict[str, Tensor]) -> Optimizer:
    """Return an optimiser of exactly these parameters.

    Raises
    ------
    ValueError
        For an unknown name, or an optimiser that leaves a parameter out.
    TypeError
        For anything that makes no optimiser.
    """
    if isinstance(optimizer, str):
        if optimizer not in BY_NAME:
            raise ValueError(
                f"unknown optimizer {optimizer!r}; by name there are {', '.join(sorted(BY_NAME))}; "
                "or pass a torch optimiser or a function of the parameters that makes one"
            )
        optimizer = BY_NAME[optimizer]
    if not isinstance(optimizer, Optimizer):
        if not callable(optimizer):
            raise TypeError(
                f"optimizer: expected a name, a torch.optim.Optimizer or a function that makes one "
                f"from a list of parameters, got {type(optimizer).__name__}"
            )
        optimizer = optimizer(list(parameters.values()))
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizer: the function returned {type(optimizer).__name__}")
    covered = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if left_out := [name for name, p in parameters.items() if id(p) not in covered]:
        raise ValueError(
            f"the optimizer does not train {', '.join(left_out)}; give it model.parameters() and "
            "problem.parameters(), or exclude a parameter with requires_grad_(False)"
        )
    return optimizer
