"""Training steps on a device, eager and as a graph, and a short training against the CPU's."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import torch
from torch import Tensor

import dtpinn
from bench.gpu_target import CPU, Target
from bench.operands import disk_nodes
from bench.race import race, told
from dtpinn.pde.solutions import sine_cosine

DTYPES = {"fp64": torch.float64, "fp32": torch.float32}
METHODS = {
    "DT-PINN": partial(dtpinn.discretize, weights="equal"),
    "vanilla": partial(dtpinn.vanilla, weights="equal"),
    "vanilla forward": partial(dtpinn.vanilla, mode="forward", weights="equal"),
}
# A graph runs the kernels of the eager step; only cuBLAS may choose others while it is captured.
AGREE = {"fp64": 1e-11, "fp32": 1e-4}


class Step:
    """Loss and gradient of a problem: linear Poisson, order 4, network 4 x 50."""

    def __init__(self, method: str, dtype: str, count: int, device: str) -> None:
        self.problem = copy.deepcopy(problem_on_host(method, dtype, count)).to(device)
        self.model = dtpinn.MLP(2, seed=0, normalise=False, dtype=DTYPES[dtype], device=device)
        self.parameters = list(self.model.parameters())

    def __call__(self) -> tuple[Tensor, ...]:
        """Return the loss and the gradient in every parameter."""
        loss = self.problem.loss(self.model)
        return loss.detach(), *torch.autograd.grad(loss, self.parameters)


@functools.cache
def problem_on_host(method: str, dtype: str, count: int) -> dtpinn.problem.Problem:
    """Made once, on the CPU, where its nodes are placed and its weights computed."""
    pde = dtpinn.Poisson.from_solution(sine_cosine)
    return METHODS[method](pde, disk_nodes(count), dtype=DTYPES[dtype])


def steps(target: Target, count: int, seconds: float = 0.5) -> dict[str, Any]:
    """Every method and dtype on one cloud; ratios are to the eager DT-PINN in fp64."""
    calls: dict[str, Callable[[], tuple[Tensor, ...]]] = {}
    graphs: dict[str, dict[str, Any]] = {}
    left_out: dict[str, str] = {}
    for method in METHODS:
        for dtype in DTYPES:
            name = f"{method} {dtype}"
            try:
                step = Step(method, dtype, count, target.device)
                step()
                calls[name] = step
                if target.capture is not None:
                    replay = target.capture(step)
                    graphs[name] = same_gradient(step, replay, AGREE[dtype])
                    calls[f"{name}, graph"] = replay
            except Exception as error:  # the others are still measured
                left_out[f"{name}, graph" if name in calls else name] = told(error)
    timings = race(target.timer, calls, seconds, left_out)
    result = {name: asdict(timing) for name, timing in timings.items()}
    if target.device != "cpu":
        on_cpu = {"DT-PINN fp64, CPU": Step("DT-PINN", "fp64", count, "cpu")}
        result |= {n: asdict(t) for n, t in race(CPU.timer, on_cpu, seconds, left_out).items()}
    return {
        "N": disk_nodes(count).count,
        "timings": result,
        "graphs": graphs,
        "left_out": left_out,
    }


def same_gradient(
    step: Step, replay: Callable[[], tuple[Tensor, ...]], tolerance: float
) -> dict[str, Any]:
    """Compare after the parameters have moved: a graph must read them where they are."""
    replay()
    with torch.no_grad():
        for parameter in step.parameters:
            parameter.mul_(1.1)
    replayed = [t.clone() for t in replay()]
    worst = max(
        float((ours - wanted).norm() / wanted.norm())
        for ours, wanted in zip(replayed, step(), strict=True)
    )
    return {"difference": worst, "passed": worst <= tolerance}


def short_training(target: Target, count: int, epochs: int) -> dict[str, Any]:
    """The same training on the device and on the CPU.

    Of one start L-BFGS makes two runs where the last bits differ, so that errors agree in size only
    and the loss is compared at the start.
    """
    runs = {
        device: _trained(device, count, epochs) for device in dict.fromkeys(("cpu", target.device))
    }
    first, wanted = (runs[device]["history"][0] for device in (target.device, "cpu"))
    difference = abs(first - wanted) / wanted
    return {
        "N": disk_nodes(count).count,
        "runs": runs,
        "first_loss": {"difference": difference, "passed": difference <= AGREE["fp64"]},
    }


def _trained(device: str, count: int, epochs: int) -> dict[str, Any]:
    step = Step("DT-PINN", "fp64", count, device)
    result = dtpinn.fit(step.model, step.problem, epochs, exact=sine_cosine, progress=False)
    last = result.history[-1]
    return {
        "error": last.error,
        "loss": last.loss,
        "epochs": last.epoch,
        "evaluations": last.evaluations,
        "seconds": last.seconds,
        "stopped": result.stop_reason,
        "history": [record.loss for record in result.history],
    }
