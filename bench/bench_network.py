"""The fused network against torch's expression of it, and against the processor's own limit.

    pytest bench/bench_network.py -q --benchmark-quiet
    pytest bench/bench_network.py -q --benchmark-quiet -k "network and 4x50 and float64"

A loss of the network's values with its gradient (in space-time of the values and their derivative
in time), the Jacobian of every point, and whole steps of training. All are timed in turn, round by
round, a matrix product of 1500 x 1500 among them: its rate is what the floating point units give,
and "of dgemm" is the fraction of it that the products of the network's matrices reach. Each runs
once before it is timed, and a short one is timed several times in a row: as in training, where a
step follows one like it, and not with the caches that another has filled. Ratios are medians of the
ratios within a round. With one thread (OMP_NUM_THREADS=1) the processor's time is taken and not the
clock's, so that other processes on the machine hardly count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pytest
import torch

import dtpinn
from bench.conftest import TABLES
from bench.roofline import PRODUCT, dense_product, operations
from dtpinn.output.tables import format_table
from dtpinn.pde.row_gradients import rates
from dtpinn.pde.solutions import sine_cosine
from dtpinn.problem.jacobian.model_jacobian import ModelJacobian

SECONDS = 2.0  # of one case
AT_ONCE = 0.01  # seconds: of a shorter call so many as take about as long are timed together
MIN_ROUNDS, MAX_ROUNDS = 5, 60
COUNTS = [582, 2236, 4977, 19638]
NETWORKS = {"4x50": (50, 4), "1x64": (64, 1)}
HEADER = ["case", "N", "fused, ms", "torch, ms", "torch / fused", "of dgemm", "torch: of dgemm"]

Call = Callable[[], object]


@pytest.fixture(scope="module")
def lines(request):
    """A row of the table for each case."""
    found: list[list[object]] = []
    yield found
    request.config.stash[TABLES].append(
        format_table(found, HEADER, digits=3, indent="| ", gap=" | ")
    )


def timed(calls: Mapping[str, Call]) -> dict[str, np.ndarray]:
    """Seconds of each call, (rounds,), in turn."""
    repeats, whole = {}, 0.0
    for name, call in calls.items():
        call()
        start = time.perf_counter()
        call()
        once = time.perf_counter() - start
        repeats[name] = max(1, round(AT_ONCE / once))
        whole += (1 + repeats[name]) * once
    rounds = int(np.clip(SECONDS / whole, MIN_ROUNDS, MAX_ROUNDS))
    seconds = {name: np.empty(rounds) for name in calls}
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    for i in range(rounds):
        for name, call in calls.items():
            call()
            before = clock()
            for _ in range(repeats[name]):
                call()
            seconds[name][i] = (clock() - before) / repeats[name]
    return seconds


def record(
    lines, benchmark, case: str, count: int, fused: Call, plain: Call, flops=None, dtype=None
):
    """Time both, and the matrix product where the flops are told; add a line."""
    calls = {"fused": fused, "torch": plain, **({"product": dense_product(dtype)} if flops else {})}
    seconds: dict[str, np.ndarray] = {}
    benchmark.pedantic(lambda: seconds.update(timed(calls)), rounds=1)
    if not seconds:
        return
    fractions: list[float | None] = [None, None]
    if flops:
        rate = PRODUCT / seconds["product"]
        fractions = [float(np.median(flops / seconds[n] / rate)) for n in ("fused", "torch")]
    milliseconds = [1e3 * float(np.median(seconds[name])) for name in ("fused", "torch")]
    ratio = float(np.median(seconds["torch"] / seconds["fused"]))
    lines.append([case, f"{count:,}", *milliseconds, ratio, *fractions])


def pair(inputs: int, name: str, dtype=torch.float64):
    """The same network twice: with and without the kernels."""
    width, depth = NETWORKS[name]
    models = [dtpinn.MLP(inputs, width=width, depth=depth, seed=0, dtype=dtype) for _ in range(2)]
    models[1].fused = False
    return models


def value_step(model, x):
    parameters = list(model.parameters())
    return lambda: torch.autograd.grad(model(x).square().sum(), parameters)


def rate_step(model, x):
    """As heat's residual asks: u and u_t, by the kernels together, else by a backward pass."""
    parameters = list(model.parameters())

    def step():
        if (both := model.value_and_rate(x)) is None:
            t = x[:, -1:].detach().requires_grad_()
            u = model(torch.cat([x[:, :-1], t], dim=1))
            both = u, rates(u, t)[:, 0]
        return torch.autograd.grad(both[0].square().sum() + both[1].square().sum(), parameters)

    return step


@pytest.mark.parametrize("count", COUNTS, ids="N{}".format)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("kind", ["value", "tangent"])
def test_network(benchmark, lines, kind, name, dtype, count):
    step, inputs = {"value": (value_step, 2), "tangent": (rate_step, 3)}[kind]
    models = pair(inputs, name, dtype)
    x = torch.rand(count, inputs, dtype=dtype)
    calls = [step(model, x) for model in models]
    for a, b in zip(*(call() for call in calls), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3 * float(b.abs().max()))
    flops = operations(models[0], count, passes={"value": 1, "tangent": 2}[kind])
    label = f"{kind}, {name}, {str(dtype).removeprefix('torch.')}"
    record(lines, benchmark, label, count, *calls, flops, dtype)


def model_jacobian(model, x):
    """With rows for derivatives in time where there is one."""
    return ModelJacobian(model, dict(model.named_parameters()), x, 1, time_order=x.shape[1] - 2)


@pytest.mark.parametrize("case", ["1x64-N2236", "4x50-N582"])
@pytest.mark.parametrize("inputs", [2, 3], ids=["steady", "in_time"])
def test_jacobian(benchmark, lines, inputs, case):
    name, count = case.split("-N")
    x = torch.rand(int(count), inputs, dtype=torch.float64)
    calls = [partial(model_jacobian(model, x)._at, x) for model in pair(inputs, name)]
    torch.testing.assert_close(calls[0](), calls[1]())
    kind = "steady" if inputs == 2 else "in time"
    record(lines, benchmark, f"Jacobian, {name}, {kind}", int(count), *calls)


def poisson(count: int):
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), count=count)
    pde = dtpinn.Poisson.from_solution(sine_cosine)
    return dtpinn.discretize(pde, nodes, order=4, weights="equal")


def heat(count: int):
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), count=count)
    pde = dtpinn.Heat.from_solution(lambda x, t: torch.sin(x[:, 0]) * torch.exp(-t))
    return dtpinn.discretize(pde, nodes, order=4, times=torch.linspace(0, 1, 25), weights="equal")


@pytest.mark.parametrize("count", COUNTS, ids="N{}".format)
def test_loss_and_gradient(benchmark, lines, count):
    problem = poisson(count)
    calls = [loss_step(problem, model) for model in pair(2, "4x50")]
    record(lines, benchmark, "Poisson, loss and gradient", problem.nodes.count, *calls)


def test_loss_and_gradient_of_heat(benchmark, lines):
    problem = heat(828)
    calls = [loss_step(problem, model) for model in pair(3, "4x50")]
    label = "heat, 25 slices, loss and gradient"
    record(lines, benchmark, label, problem.nodes.count, *calls)


def loss_step(problem, model):
    parameters = list(model.parameters())
    return lambda: torch.autograd.grad(problem.loss(model), parameters)


@pytest.mark.parametrize("case", ["lbfgs-4x50-N582", "lbfgs-4x50-N2236", "gauss-newton-1x64-N2236"])
def test_steps_of_training(benchmark, lines, case):
    """Ten epochs of `fit`, from the same start each time."""
    optimizer, name, count = case.rsplit("-", 2)
    problem = poisson(int(count[1:]))
    width, depth = NETWORKS[name]

    def run(fused: bool):
        model = dtpinn.MLP(2, width=width, depth=depth, seed=0)
        model.fused = fused
        return dtpinn.fit(model, problem, epochs=10, optimizer=optimizer, progress=False)

    calls = [lambda: run(True), lambda: run(False)]
    label = f"fit, {optimizer}, {name}, 10 epochs"
    record(lines, benchmark, label, problem.nodes.count, *calls)
