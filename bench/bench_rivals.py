"""One loss with its gradient: DT-PINNs against the best PINNs that torch allows, and the peers.

    pytest bench/bench_rivals.py -q
    pytest bench/bench_rivals.py -q -k "poisson-592"

Network 4 x 50, order 4. All contestants take turns, round by round (`race.py`), so that a ratio
compares them at one moment. Before they are timed, each must compute the same loss at the same
parameters (`contestants.py`). Needs no extra; DeepXDE and PINA join in where ``dtpinn[rivals]`` is
installed.
"""

from __future__ import annotations

import os

import pytest
import torch

from dtpinn.output.tables import format_table

from contestants import CONTESTANTS, DTYPES, Case, reference
from gpu_target import CPU
from race import race

pytestmark = pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning")

CASES = [
    *[("poisson", count) for count in (592, 2236, 4984)],
    *[("nonlinear-poisson", count) for count in (592, 2236, 4984)],
    ("heat", 828),
]
SECONDS = 10.0  # for one table, more only where five rounds take more
# Sums of a few thousand squares, whose derivatives cancel to a tenth of their terms.
ROUND_OFF = {"fp64": 1e-10, "fp32": 1e-3}


@pytest.mark.parametrize(("equation", "count"), CASES, ids=lambda value: str(value))
def test_loss_and_gradient(equation, count, tables):
    case = Case.of(equation, count)
    model = case.model(torch.float64)
    wanted = {name: float(reference(case, model, name)) for name in ("discrete", "interior", "all")}
    assert wanted["discrete"] == pytest.approx(wanted["all"], rel=0.05)  # the truncation error
    calls, absent = {}, []
    for contestant in CONTESTANTS:
        if equation not in contestant.equations:
            continue
        if reason := contestant.unavailable():
            absent.append((contestant.name, reason))
            continue
        loss = float(contestant.loss(case, case.model(DTYPES[contestant.dtype]))())
        tolerance = ROUND_OFF[contestant.dtype]
        assert loss == pytest.approx(wanted[contestant.same_as], rel=tolerance), contestant.name
        calls[contestant.name] = contestant.step(case)
    before = os.getloadavg()[0]
    timings = race(CPU.timer, calls, SECONDS)
    rows = [
        (
            name,
            1e3 * timing.single.median,
            f"{1e3 * timing.single.low:.3g}..{1e3 * timing.single.high:.3g}",
            timing.single_ratio.median,
        )
        for name, timing in timings.items()
    ]
    table = format_table(rows, ["", "ms", "quartiles", "ratio"], digits=3)
    rounds = next(iter(timings.values())).rounds
    title = (
        f"{equation}, N = {case.nodes.count}: loss and gradient, {rounds} rounds, "
        f"{torch.get_num_threads()} threads, load {before:.1f} before and "
        f"{os.getloadavg()[0]:.1f} after"
    )
    missing = "".join(f"\n{name}: {reason}" for name, reason in absent)
    tables.append(f"{title}\n\n{table}{missing}")
