"""From what a user names as the optimiser to one that is ready to step."""

from __future__ import annotations

from torch import Tensor
from torch.optim import Optimizer

from dtpinn.optim.by_name import OPTIMIZERS, OptimizerLike
from dtpinn.training.learnt_parameters import check_covered


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
        if optimizer not in OPTIMIZERS:
            known = ", ".join(sorted(OPTIMIZERS))
            raise ValueError(
                f"unknown optimizer {optimizer!r}; by name there are {known}; or pass a torch "
                "optimiser or a function of the parameters that makes one"
            )
    elif isinstance(optimizer, Optimizer):
        check_covered(optimizer, parameters)
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
    make = OPTIMIZERS[optimizer].make if isinstance(optimizer, str) else optimizer
    made = make(list(parameters.values()))
    if not isinstance(made, Optimizer):
        raise TypeError(f"optimizer: the function returned {type(made).__name__}")
    check_covered(made, parameters)
    return made
