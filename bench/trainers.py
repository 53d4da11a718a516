"""Everybody who trains a PINN by L-BFGS, from the same first weights on the same points."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

import dtpinn
from bench.contestants import CONTESTANTS, DTYPES, Case, Contestant
from dtpinn.optim import LBFGS
from dtpinn.pde.solutions import sine_cosine
from dtpinn.problem.affine_residuals import affine_residuals

OURS = "DT-PINN fp64"
ITERATIONS = 10  # between two looks at the clock
BY_NAME: Mapping[str, Contestant] = {c.name: c for c in CONTESTANTS}
# The better of its two modes is what a row of vanilla means; both run.
NAMES = [
    OURS,
    "DT-PINN as published fp64",
    *(f"vanilla {mode} {dtype}" for mode in ("forward", "reverse") for dtype in DTYPES),
    "DeepXDE fp32",
    "PINA fp32",
]
Clock = Callable[[], float]


def clock() -> Clock:
    """The processor's time where one thread works, so that other processes hardly count."""
    return time.process_time if torch.get_num_threads() == 1 else time.perf_counter


@dataclass
class Spent:
    """What a training has taken so far."""

    seconds: float = 0.0
    iterations: int = 0
    evaluations: int = 0


class Trainer:
    """A training that can be halted after a few iterations, for another to take its turn.

    Ours is the library's optimiser and network; everybody else has torch's: the network as torch
    evaluates it, and `torch.optim.LBFGS` with its strong Wolfe line search and as long a history.

    Parameters
    ----------
    name : str
        One of NAMES.
    case : Case
    seed : int
        Of the first weights.
    """

    def __init__(self, name: str, case: Case, seed: int = 0) -> None:
        contestant = BY_NAME[name]
        self.name, self._case = name, case
        self.model = case.model(DTYPES[contestant.dtype], seed=seed)
        self.model.fused = name == OURS
        self.parameters = list(self.model.parameters())
        self.loss = contestant.loss(case, self.model)
        if name == OURS:
            self.problem = dtpinn.discretize(
                case.pde, case.nodes, case.order, times=case.times, weights="equal"
            )
            # As `fit` does it: of a linear steady equation one product.
            self.affine = affine_residuals(self.problem, self.model)
            if self.affine is not None:
                self.loss = self.affine.loss
        self.optimizer: torch.optim.Optimizer
        if name == OURS:
            self.optimizer = LBFGS(self.parameters, max_iterations=ITERATIONS)
        else:
            self.optimizer = torch.optim.LBFGS(
                self.parameters,
                max_iter=ITERATIONS,
                max_eval=10 * ITERATIONS,  # so that a step ends after as many iterations as ours
                history_size=100,
                line_search_fn="strong_wolfe",
            )
        self.spent = Spent()
        self._clock = clock()

    def evaluate(self) -> Tensor:
        """The loss, with its gradient in ``grad``."""
        for parameter in self.parameters:
            parameter.grad = None
        with torch.enable_grad():
            loss = self.loss()
            loss.backward(inputs=self.parameters)  # type: ignore[no-untyped-call]
        self.spent.evaluations += 1
        return loss

    def advance(self) -> Spent:
        """Iterate ITERATIONS times, or fewer where it stops; return what that alone took."""
        before, done = Spent(**vars(self.spent)), self._iterations()
        start = self._clock()
        self.optimizer.step(self.evaluate)  # type: ignore[arg-type]
        self.spent.seconds += self._clock() - start
        self.spent.iterations += self._iterations() - done
        return Spent(*(now - then for now, then in zip(
            vars(self.spent).values(), vars(before).values(), strict=True
        )))  # fmt: skip

    def error(self) -> float:
        """Relative l2, on the nodes."""
        x = torch.tensor(self._case.nodes.collocation)
        with torch.no_grad():
            u = self.model(x.to(self.model.dtype)).double().flatten()
        exact = sine_cosine(x)
        return float((u - exact).norm() / exact.norm())

    def _iterations(self) -> int:
        if isinstance(self.optimizer, LBFGS):
            return self.optimizer.iterations
        state = self.optimizer.state[self.parameters[0]]
        return int(state.get("n_iter", 0))
