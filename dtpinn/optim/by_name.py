"""Optimisers by name: how each is made, how long it usually runs, and what it needs.

An optimiser gets its name by a line in `OPTIMIZERS`. Whoever asks something of one, by name or not,
asks here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.optim import Optimizer

from dtpinn.optim.defect_correction import DefectCorrection
from dtpinn.optim.gauss_newton import GaussNewton
from dtpinn.optim.last_layer import LastLayer
from dtpinn.optim.lbfgs import LBFGS

Factory = Callable[[list[Tensor]], Optimizer]
OptimizerLike = str | Optimizer | Factory


@dataclass(frozen=True)
class Needs:
    """What an optimiser asks of the loss, beyond its value and gradient.

    Attributes
    ----------
    jacobian : bool
        Its step takes residuals with their Jacobian, :class:`~dtpinn.optim.LeastSquares`: of a
        discrete problem by a sparse product, of a vanilla one row by row.
    exact : bool
        The residuals are those of automatic differentiation, whatever gives their Jacobian.
    same_loss : bool
        It compares losses with each other, so that the loss has to be the same number twice at the
        same parameters, and takes one point's for a function of that point.
    long_steps : bool
        A step costs so much more than a loss that recording each adds nothing.
    """

    jacobian: bool = False
    exact: bool = False
    same_loss: bool = False
    long_steps: bool = False


@dataclass(frozen=True)
class NamedOptimizer:
    """An entry of the table.

    Attributes
    ----------
    make : class, or functools.partial of one
        Makes it from a list of parameters.
    epochs : int
        Its usual number of steps in a training of its own; one of L-BFGS is 20 iterations.
    needs : Needs
    """

    make: Factory
    epochs: int
    needs: Needs = Needs()


OPTIMIZERS = {
    "lbfgs": NamedOptimizer(LBFGS, 100, Needs(same_loss=True)),
    "gauss-newton": NamedOptimizer(GaussNewton, 1000, Needs(jacobian=True, same_loss=True)),
    "defect-correction": NamedOptimizer(
        DefectCorrection, 1000, Needs(jacobian=True, exact=True, same_loss=True)
    ),
    "last-layer": NamedOptimizer(
        LastLayer, 20, Needs(jacobian=True, exact=True, same_loss=True, long_steps=True)
    ),
    # With more epochs, or a larger step, the error no longer falls but swings: lbfgs comes next.
    "adam": NamedOptimizer(partial(torch.optim.Adam, lr=1e-3), 5_000),
}
# Of classes that have no name here.
_UNNAMED = {torch.optim.LBFGS: Needs(same_loss=True)}


def class_of(optimizer: OptimizerLike) -> type[Optimizer] | None:
    """Return the class of the optimiser to be made, or None where only making it would tell.

    Examples
    --------
    >>> class_of("lbfgs").__name__, class_of(lambda parameters: LBFGS(parameters))
    ('LBFGS', None)
    """
    if isinstance(optimizer, Optimizer):
        return type(optimizer)
    make = OPTIMIZERS[optimizer].make if isinstance(optimizer, str) else optimizer
    make = getattr(make, "func", make)  # what functools.partial has wrapped
    return make if isinstance(make, type) else None


def needs_of(optimizer: OptimizerLike) -> Needs:
    """Return what an optimiser needs: that of its class, or of the nearest that is known here.

    Examples
    --------
    >>> needs_of("gauss-newton").jacobian, needs_of(partial(GaussNewton, damping=1.0)).jacobian
    (True, True)
    >>> needs_of(torch.optim.SGD) == Needs()
    True
    """
    kind = class_of(optimizer)
    known = {class_of(entry.make): entry.needs for entry in OPTIMIZERS.values()} | _UNNAMED
    bases = () if kind is None else kind.__mro__
    return next((known[base] for base in bases if base in known), Needs())


def iterations_of_a_step(optimizer: Optimizer) -> int:
    """Return how often an optimiser iterates within a step: an option, in either spelling.

    Examples
    --------
    >>> w = torch.nn.Parameter(torch.zeros(1))
    >>> [iterations_of_a_step(OPTIMIZERS[name].make([w])) for name in ("lbfgs", "adam")]
    [20, 1]
    """
    options = optimizer.param_groups[0]
    return int(options.get("max_iterations", options.get("max_iter", 1)))
