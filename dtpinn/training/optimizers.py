"""From what a user names as the optimiser to one that is ready to step."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.optim import Optimizer

from dtpinn.optim import LBFGS, GaussNewton
from dtpinn.problem import Problem

Factory = Callable[[list[Tensor]], Optimizer]
OptimizerLike = str | Optimizer | Factory

BY_NAME: dict[str, Factory] = {"lbfgs": LBFGS, "gauss-newton": GaussNewton}


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
                remedy = f"convert it: {what}.to({problem.dtype})"
                if parameter.is_complex():
                    remedy = "make it two real parameters, its real and its imaginary part"
                raise TypeError(
                    f"fit: {owner} {name.removeprefix('pde.')} is {parameter.dtype}, but the "
                    f"problem is in {problem.dtype}; {remedy}"
                )
            if parameter.device != problem.device:
                raise ValueError(
                    f"fit: {owner} {name.removeprefix('pde.')} is on {parameter.device}, but the "
                    f"problem is on {problem.device}; move it: {what}.to({str(problem.device)!r})"
                )


def check_optimizer(optimizer: object, parameters: dict[str, Tensor]) -> None:
    """Raise for what can be told of an optimiser before it is made.

    Raises
    ------
    ValueError
        For an unknown name, or an optimiser that leaves a parameter out.
    TypeError
        For anything that can make no optimiser.
    """
    if isinstance(optimizer, str):
        if optimizer not in BY_NAME:
            raise ValueError(
                f"unknown optimizer {optimizer!r}; by name there are {', '.join(sorted(BY_NAME))}; "
                "or pass a torch optimiser or a function of the parameters that makes one"
            )
    elif isinstance(optimizer, Optimizer):
        _check_covered(optimizer, parameters)
    elif not callable(optimizer):
        raise TypeError(
            f"optimizer: expected a name, a torch.optim.Optimizer, a function that makes one from "
            f"a list of parameters, or a sequence of these, got {type(optimizer).__name__}"
        )


def make_optimizer(optimizer: OptimizerLike, parameters: dict[str, Tensor]) -> Optimizer:
    """Return an optimiser of exactly these parameters.

    Raises
    ------
    TypeError, ValueError
        As :func:`check_optimizer`; also where a function makes no optimiser, or one that leaves a
        parameter out.
    """
    check_optimizer(optimizer, parameters)
    if isinstance(optimizer, Optimizer):
        return optimizer
    make = BY_NAME[optimizer] if isinstance(optimizer, str) else optimizer
    made = make(list(parameters.values()))
    if not isinstance(made, Optimizer):
        raise TypeError(f"optimizer: the function returned {type(made).__name__}")
    _check_covered(made, parameters)
    return made


def class_name(optimizer: OptimizerLike) -> str | None:
    """Return the class of the optimiser to be made, or None where only making it would tell.

    Examples
    --------
    >>> class_name("lbfgs"), class_name(lambda parameters: LBFGS(parameters))
    ('LBFGS', None)
    """
    if isinstance(optimizer, Optimizer):
        return type(optimizer).__name__
    make = BY_NAME[optimizer] if isinstance(optimizer, str) else optimizer
    make = getattr(make, "func", make)  # what functools.partial has wrapped
    return make.__name__ if isinstance(make, type) else None


def _check_covered(optimizer: Optimizer, parameters: dict[str, Tensor]) -> None:
    covered = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if left_out := [name for name, p in parameters.items() if id(p) not in covered]:
        raise ValueError(
            f"the optimizer does not train {', '.join(left_out)}; give it model.parameters() and "
            "problem.parameters(), or exclude a parameter with requires_grad_(False)"
        )
