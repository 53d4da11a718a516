"""Where the time of a Gauss-Newton iteration goes.

    pytest bench/bench_gauss_newton.py -q --benchmark-quiet

The paper's linear Poisson problem, from the same first weights: a network of 1 x 64, of which an
iteration takes all rows, and one of 4 x 50, of which it draws some. With the kernels of the network
and without them, in turn; milliseconds for an iteration, rejected steps included, each part without
those that it calls. With one thread (OMP_NUM_THREADS=1) the processor's time is taken and not the
clock's, so that other processes on the machine hardly count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch

import dtpinn
from bench.conftest import TABLES
from dtpinn.optim.damped import DampedEquations
from dtpinn.output.tables import format_table
from dtpinn.pde.solutions import sine_cosine
from dtpinn.problem import DiscreteResiduals
from dtpinn.problem.jacobian.model_jacobian import ModelJacobian

ROUNDS = 5
PARTS = {
    "Jacobian of every point": (ModelJacobian, "_at"),
    "S, by linearisation": (DiscreteResiduals, "_matrix"),
    "S J": (ModelJacobian, "product"),
    "A'A, or A A'": (DampedEquations, "__init__"),
    "Cholesky": (DampedEquations, "factorise"),
    "solving, A'r": (DampedEquations, "solve"),
    "residuals": (DiscreteResiduals, "residual"),
    "rest": (dtpinn.optim.GaussNewton, "step"),
}


@dataclass(frozen=True)
class Case:
    """A network on a problem, and how many iterations are timed."""

    width: int
    depth: int
    count: int
    order: int
    iterations: int

    def __str__(self) -> str:
        return f"{self.depth}x{self.width}-N{self.count}"


CASES = [Case(64, 1, 2236, 5, 40), Case(50, 4, 4977, 4, 4)]


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Seconds in each of the parts, without those in the parts that it calls."""
    seconds = dict.fromkeys(PARTS, 0.0)
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    inside: list[float] = []  # of each open call, the seconds in others

    def timed(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            inside.append(0.0)
            start = clock()
            try:
                return method(*args, **kwargs)
            finally:
                taken = clock() - start
                seconds[name] += taken - inside.pop()
                if inside:
                    inside[-1] += taken

        return call

    with ExitStack() as patches:
        for name, (owner, method) in PARTS.items():
            wrapped = timed(name, getattr(owner, method))
            patches.enter_context(patch.object(owner, method, wrapped))
        yield seconds


def parts_of_a_run(problem, case: Case, fused: bool) -> tuple[list[float], float]:
    """Milliseconds of each part for an iteration, and the loss at the end."""
    model = dtpinn.MLP(2, width=case.width, depth=case.depth, seed=0, normalise=False)
    model.fused = fused
    options = {"optimizer": "gauss-newton", "progress": False}
    dtpinn.fit(model, problem, 1, **options)  # what is worked out once is not of an iteration
    with watched() as seconds:
        result = dtpinn.fit(model, problem, case.iterations, **options)
    iterations = result.stages[-1].iterations
    return [1e3 * s / iterations for s in seconds.values()], result.history[-1].loss


@pytest.mark.filterwarnings("ignore:fit. training has ended")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_parts_of_an_iteration(benchmark, request, case):
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), count=case.count)
    pde = dtpinn.Poisson.from_solution(sine_cosine)
    problem = dtpinn.discretize(pde, nodes, order=case.order, weights="equal")

    def run():
        rounds = [
            [parts_of_a_run(problem, case, fused) for fused in (True, False)] for _ in range(ROUNDS)
        ]
        (_, ours), (_, plain) = rounds[0]
        assert abs(ours / plain - 1) < 1e-2
        return np.median([[parts for parts, _ in turn] for turn in rounds], axis=0)

    fused, plain = benchmark.pedantic(run, rounds=1)
    lines = [[name, *times] for name, *times in zip(PARTS, fused, plain, strict=True)]
    lines.append(["all", fused.sum(), plain.sum()])
    benchmark.extra_info.update(nodes=nodes.count, order=case.order, device="cpu")
    header = [str(case), "kernels, ms", "torch, ms"]
    request.config.stash[TABLES].append(
        format_table(lines, header, digits=3, indent="| ", gap=" | ")
    )
