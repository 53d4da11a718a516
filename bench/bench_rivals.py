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

from bench.contestants import CONTESTANTS, DTYPES, Case, reference
from bench.gpu_target import CPU
from bench.race import race
from dtpinn.output.tables import format_table

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
    entrants = [c for c in CONTESTANTS if equation in c.equations]
    reasons = {c.name: c.unavailable() for c in entrants}
    present = [c for c in entrants if reasons[c.name] is None]
    check(case, present)
    before = os.getloadavg()[0]
    timings = race(CPU.timer, {c.name: c.step(case) for c in present}, SECONDS)
    title = (
        f"{equation}, N = {case.nodes.count}: loss and gradient, "
        f"{next(iter(timings.values())).rounds} rounds, {torch.get_num_threads()} threads, "
        f"load {before:.1f} before and {os.getloadavg()[0]:.1f} after"
    )
    absent = "".join(f"\n{name}: {why}" for name, why in reasons.items() if why is not None)
    tables.append(f"{title}\n\n{as_table(timings)}{absent}")


def check(case, contestants):
    """Nobody is timed who computes something else."""
    model = case.model(torch.float64)
    wanted = {name: reference(case, model, name).item() for name in ("discrete", "interior", "all")}
    assert wanted["discrete"] == pytest.approx(wanted["all"], rel=0.05)  # the truncation error
    for contestant in contestants:
        loss = contestant.loss(case, case.model(DTYPES[contestant.dtype]))().item()
        tolerance = ROUND_OFF[contestant.dtype]
        assert loss == pytest.approx(wanted[contestant.same_as], rel=tolerance), contestant.name


def as_table(timings):
    """Milliseconds with quartiles, and the ratio to the first."""
    rows = [
        (name, 1e3 * t.median, f"{1e3 * t.low:.3g}..{1e3 * t.high:.3g}", timing.single_ratio.median)
        for name, timing in timings.items()
        for t in (timing.single,)
    ]
    return format_table(rows, ["", "ms", "quartiles", "ratio"], digits=3)
