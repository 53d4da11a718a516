"""Whole L-BFGS iterations of everybody who trains a PINN, and the time they take to an error.

    pytest bench/bench_training.py -q --benchmark-disable
    pytest bench/bench_training.py -q --benchmark-disable -k "iteration and 2236 and p4"

Linear Poisson on the disk, or heat; network 4 x 50; everybody from the same first weights. All take
turns, ten iterations each, so that a ratio compares them at one moment, and ratios are medians over
the turns. With one thread (OMP_NUM_THREADS=1) it is the processor's time that counts. DeepXDE and
PINA join in where ``dtpinn[rivals]`` is installed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch

import dtpinn
from bench.contestants import Case
from bench.roofline import PRODUCT, dense_product, operations
from bench.trainers import BY_NAME, NAMES, OURS, Trainer, clock
from dtpinn.output.tables import format_table

pytestmark = pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning")

SECONDS = 30.0  # of the turns of one case, more only where four take more
MIN_TURNS, MAX_TURNS = 4, 20
COUNTS = [582, 2236, 4977, 19638]
TARGETS = (1e-3, 3e-4, 1e-4)
PATIENCE = 120.0  # seconds that anybody may train towards them


@pytest.mark.parametrize("order", [3, 4, 5], ids="p{}".format)
@pytest.mark.parametrize("count", COUNTS, ids="N{}".format)
def test_iteration(count, order, tables):
    record(Case.of("poisson", count, order=order), tables)


def test_iteration_of_heat(tables):
    record(Case.of("heat", 828), tables)


def record(case: Case, tables: list[str]) -> None:
    """Two tables: everybody's iterations, and what ours is made of."""
    trainers = entrants(case)
    probes = pieces(trainers[0], case)
    seconds, evaluations, parts = take_turns(trainers, probes)
    ours = seconds[:, 0]
    rows = [
        (
            trainer.name,
            1e3 * float(np.median(seconds[:, k])),
            float(np.median(evaluations[:, k])),
            1e3 * float(np.median(seconds[:, k] / evaluations[:, k])),
            float(np.median(seconds[:, k] / ours)),
        )
        for k, trainer in enumerate(trainers)
    ]
    title = f"{case.equation}, N = {case.nodes.count}, order {case.order}, {len(seconds)} turns"
    header = ["", "ms an iteration", "evaluations", "ms an evaluation", "ratio"]
    tables.append(f"{title}\n\n{format_table(rows, header, digits=3)}")
    tables.append(consists(trainers[0], case, np.stack([ours, evaluations[:, 0]], axis=1), parts))


def entrants(case: Case, seed: int = 0) -> list[Trainer]:
    """Those that can take part here; ours first."""
    able = [
        name
        for name in NAMES
        if case.equation in BY_NAME[name].equations and BY_NAME[name].unavailable() is None
    ]
    return [Trainer(name, case, seed) for name in able]


def pieces(ours: Trainer, case: Case) -> dict[str, Callable[[], object]]:
    """Our evaluation, its network and its products alone, and a product of dense matrices."""
    problem, affine, model, parameters = ours.problem, ours.affine, ours.model, ours.parameters
    x, slices = problem.inputs(), problem.posed.slices
    u = torch.randn(len(x), dtype=x.dtype)
    if affine is not None:
        stacked = dtpinn.CSR.from_scipy(affine.matrix)
    else:
        stacked, u = problem.stacked, u.unflatten(0, (-1, slices.count))
    u.requires_grad_()
    of_product = torch.ones_like(stacked(u))

    def network() -> object:
        out = (model(x),) if slices.steady else model.value_and_rate(x)
        return torch.autograd.grad(out, parameters, [torch.ones_like(y) for y in out])

    return {
        "evaluation": lambda: torch.autograd.grad(ours.loss(), parameters),
        "network": network,
        "products": lambda: torch.autograd.grad(stacked(u), u, of_product),
        "dense": dense_product(torch.float64),
    }


def take_turns(
    trainers: list[Trainer], probes: Mapping[str, Callable[[], object]]
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Seconds and evaluations of an iteration, (turns, trainers); seconds of each probe, (turns,).

    The first turn of all warms up.
    """
    now = clock()
    spent, found = [], {name: [] for name in probes}
    start, turns = time.perf_counter(), MAX_TURNS
    while len(spent) <= turns:
        spent.append([trainer.advance() for trainer in trainers])
        for name, probe in probes.items():
            probe()
            before = now()
            probe()
            found[name].append(now() - before)
        if len(spent) == 1:
            turn = time.perf_counter() - start
            turns = int(np.clip(SECONDS / turn, MIN_TURNS, MAX_TURNS))
    each = np.array([[(s.seconds, s.evaluations, s.iterations) for s in row] for row in spent[1:]])
    iterations = np.maximum(each[..., 2], 1)
    parts = {name: np.array(values[1:]) for name, values in found.items()}
    return each[..., 0] / iterations, each[..., 1] / iterations, parts


def consists(ours: Trainer, case: Case, spent: np.ndarray, parts: Mapping[str, np.ndarray]) -> str:
    """A table of what our iteration consists of, and the line of the processor's limit.

    `spent` are seconds and evaluations of an iteration, (turns, 2).
    """
    seconds, evaluations = spent.T
    inside = parts["network"] + parts["products"]
    whole = {
        "network": evaluations * parts["network"],
        "products": evaluations * parts["products"],
        "rest of an evaluation": evaluations * (parts["evaluation"] - inside),
        "optimiser": seconds - evaluations * parts["evaluation"],
    }
    rows = [
        (name, 1e3 * float(np.median(part)), float(np.median(part / seconds)))
        for name, part in whole.items()
    ]
    steady = case.times is None
    points = case.nodes.extended.shape[0] * (1 if steady else len(case.times))
    flops = operations(ours.model, points, passes=1 if steady else 2)
    share = float(np.median(flops / parts["network"] / (PRODUCT / parts["dense"])))
    table = format_table(rows, [f"{OURS}, of an iteration", "ms", "share"], digits=3)
    return f"{table}\nthe network's matrix products run at {share:.2f} of dgemm's rate"


@pytest.mark.parametrize("seed", [0, 1, 2], ids="seed{}".format)
@pytest.mark.parametrize("count", COUNTS[:3], ids="N{}".format)
def test_time_to_an_error(count, seed, tables):
    """Everybody in turn until all targets are met; the clock stands still while others work."""
    case = Case.of("poisson", count)
    trainers = entrants(case, seed)
    reached: dict[str, dict[float, float]] = {trainer.name: {} for trainer in trainers}
    going = list(trainers)
    while going:
        for trainer in list(going):
            moved, error = trainer.advance(), trainer.error()
            for target in TARGETS:
                if error <= target:
                    reached[trainer.name].setdefault(target, trainer.spent.seconds)
            met = len(reached[trainer.name]) == len(TARGETS)
            if met or not moved.iterations or trainer.spent.seconds > PATIENCE:
                going.remove(trainer)
    rows = [
        (t.name, *(reached[t.name].get(target) for target in TARGETS), t.error()) for t in trainers
    ]
    header = ["", *(f"s to {target:g}" for target in TARGETS), "at the end"]
    title = f"poisson, N = {case.nodes.count}, order {case.order}, seed {seed}: seconds to an error"
    tables.append(f"{title}\n\n{format_table(rows, header, digits=3)}")
