"""What a training learns: the model's parameters and the PDE's coefficients, checked by name."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.optim import Optimizer

from dtpinn.problem import Problem


def trainable(model: nn.Module, problem: Problem) -> dict[str, Tensor]:
    """Return what is learnt, by name: the model's parameters and the PDE's unknown coefficients."""
    named = [*model.named_parameters(), *_of_problem(problem)]
    found: dict[str, Tensor] = {name: p for name, p in named if p.requires_grad}
    if not found:
        raise ValueError("nothing to train: neither the model nor the PDE has a parameter")
    return found


def check_parameters(model: nn.Module, problem: Problem) -> None:
    """Raise, by name, unless everything that is learnt has the problem's dtype and device."""
    owners = (("the model's", model.named_parameters()), ("the PDE's", _of_problem(problem)))
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


def check_covered(optimizer: Optimizer, parameters: dict[str, Tensor]) -> None:
    """Raise ValueError, by name, for parameters that an optimiser leaves out."""
    covered = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if left_out := [name for name, p in parameters.items() if id(p) not in covered]:
        raise ValueError(
            f"the optimizer does not train {', '.join(left_out)}; give it model.parameters() and "
            "problem.parameters(), or exclude a parameter with requires_grad_(False)"
        )


def _of_problem(problem: Problem) -> Iterator[tuple[str, nn.Parameter]]:
    """Its parameters, the unknown coefficients by the names that a result has for them."""
    told = {id(p): f"pde.{name}" for name, p in problem.pde.named_coefficients()}
    return ((told.get(id(p), name), p) for name, p in problem.named_parameters())
