"""Everybody who computes the loss of a PINN, at the same parameters on the same points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

import dtpinn
from bench import outsiders
from bench.operands import Call, disk_nodes
from bench.two_passes import TwoPasses
from dtpinn.experiments.published import published
from dtpinn.pde.solutions import sine_cosine, sine_cosine_sine
from dtpinn.problem.arrangement import interior_alone
from dtpinn.problem.posed import pose

DTYPES = {"fp64": torch.float64, "fp32": torch.float32}
EQUATIONS = ("poisson", "nonlinear-poisson", "heat")
Loss = Callable[[], Tensor]


@dataclass(frozen=True)
class Case:
    """An equation on nodes; for the heat equation at these times."""

    equation: str
    pde: dtpinn.PDE
    nodes: dtpinn.Nodes
    times: Tensor | None = None
    order: int = 4

    @classmethod
    def of(cls, equation: str, count: int, slices: int = 25, order: int = 4) -> Case:
        """On the unit disk with about so many nodes."""
        nodes = disk_nodes(count)
        if equation == "heat":
            pde = dtpinn.Heat.from_solution(sine_cosine_sine)
            return cls(equation, pde, nodes, torch.linspace(0.0, 1.0, slices), order)
        reaction = torch.exp if equation == "nonlinear-poisson" else None
        pde = dtpinn.Poisson.from_solution(sine_cosine, reaction=reaction)
        return cls(equation, pde, nodes, order=order)

    def model(
        self, dtype: torch.dtype, width: int = 50, depth: int = 4, seed: int = 0
    ) -> dtpinn.MLP:
        """The same network for everybody."""
        inputs = 2 if self.times is None else 3
        return dtpinn.MLP(inputs, width=width, depth=depth, seed=seed, dtype=dtype, normalise=False)


@dataclass(frozen=True)
class Contestant:
    """One that computes a loss.

    Parameters
    ----------
    name : str
    dtype : str
    make : callable
        (case, model) -> a function without arguments that returns the loss.
    same_as : str
        The loss it must equal to round-off: that of the collocation points "interior" or "all" by
        automatic differentiation, or "discrete", which differs from "all" by the truncation error.
    equations : sequence of str
    package : str, optional
        What has to be installed.
    """

    name: str
    dtype: str
    make: Callable[[Case, dtpinn.MLP], Loss]
    same_as: str = "interior"
    equations: Sequence[str] = EQUATIONS
    package: str | None = None

    def unavailable(self) -> str | None:
        """Say why it cannot run here, or None where it can."""
        return None if self.package is None else outsiders.unavailable(self.package)

    def loss(self, case: Case, model: dtpinn.MLP) -> Loss:
        """A function that computes the loss of a model of the contestant's dtype."""
        return self.make(case, model)

    def step(self, case: Case) -> Call:
        """A call that computes the loss and its gradient in the parameters, as training does."""
        model = case.model(DTYPES[self.dtype])
        parameters = list(model.parameters())
        loss = self.loss(case, model)
        return lambda: torch.autograd.grad(loss(), parameters)


def reference(case: Case, model: dtpinn.MLP, same_as: str) -> Tensor:
    """The loss that a contestant must compute, in float64."""
    if same_as == "discrete":
        problem = dtpinn.discretize(
            case.pde, case.nodes, case.order, times=case.times, weights="equal"
        )
    else:
        problem = dtpinn.vanilla(
            case.pde, case.nodes, times=case.times, collocation=same_as, weights="equal"
        )
    return problem.loss(model)


def _discrete(case: Case, model: dtpinn.MLP) -> Loss:
    problem = dtpinn.discretize(
        case.pde, case.nodes, case.order, times=case.times, dtype=model.dtype, weights="equal"
    )
    return partial(problem.loss, model)


def _published(case: Case, model: dtpinn.MLP) -> Loss:
    return partial(published(case.pde, case.nodes, case.order, times=case.times).loss, model)


def _vanilla(mode: str, case: Case, model: dtpinn.MLP) -> Loss:
    problem = dtpinn.vanilla(
        case.pde, case.nodes, times=case.times, dtype=model.dtype, mode=mode, weights="equal"
    )
    return partial(problem.loss, model)


def _two_passes(case: Case, model: dtpinn.MLP) -> Loss:
    posed = pose(case.pde, case.nodes, case.times, model.dtype, "auto", interior_alone)
    problem = TwoPasses(posed)
    problem.set_weights("equal")
    return partial(problem.loss, model)


def _outside(make: Callable, case: Case, model: dtpinn.MLP) -> Loss:
    return make(case.pde, case.nodes, model)


def _both(name: str, make: Callable[[Case, dtpinn.MLP], Loss], **options) -> list[Contestant]:
    return [Contestant(f"{name} {dtype}", dtype, make, **options) for dtype in DTYPES]


# Ours first: ratios are to it.
CONTESTANTS = [
    *_both("DT-PINN", _discrete, same_as="discrete"),
    Contestant("DT-PINN as published fp64", "fp64", _published, same_as="discrete"),
    *_both("vanilla forward", partial(_vanilla, "forward")),
    *_both("vanilla reverse", partial(_vanilla, "reverse")),
    *_both("vanilla, a pass per derivative", _two_passes),
    *_both("DeepXDE", partial(_outside, outsiders.deepxde), same_as="all",
           equations=("poisson",), package="deepxde"),
    *_both("PINA", partial(_outside, outsiders.pina), equations=("poisson",), package="pina"),
]  # fmt: skip
