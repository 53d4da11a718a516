"""Training: that it learns, counts honestly, says why it stopped, and can go on where it was."""

from __future__ import annotations

import copy
import csv
import functools
import math
import os
import signal

import pytest
import torch

import dtpinn
from dtpinn.optim import LBFGS
from dtpinn.pde.solutions import sine_cosine
from dtpinn.training import clock
from dtpinn.training.checkpoint import load_checkpoint


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.full
def test_it_reaches_the_error_that_the_readme_promises(nodes):
    """Below 5e-4, on a smaller problem than the README's with a network of the paper's width."""
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), count=800)
    problem = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), nodes, order=4)
    model = dtpinn.MLP(2, width=50, depth=2, seed=0)
    result = dtpinn.fit(model, problem, epochs=60, exact=sine_cosine)
    test = torch.tensor(dtpinn.place_nodes(dtpinn.geometry.Disk(), count=3000, seed=7).collocation)
    assert result.relative_error(sine_cosine, test) < 5e-4
    assert result.history[-1].error == pytest.approx(result.relative_error(sine_cosine), rel=1e-10)
    # The estimate knows nothing of the solution.
    estimate = problem.estimate(model)
    assert 0.5 < estimate.total / result.history[-1].error < 2.0


def test_the_same_seed_gives_the_same_bits(nodes):
    def run():
        problem = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), nodes, order=3)
        model = dtpinn.MLP(2, width=16, depth=2, seed=5)
        return dtpinn.fit(model, problem, epochs=5, exact=sine_cosine)

    first, second = run(), run()
    assert torch.equal(weights(first.model), weights(second.model))
    assert first.history.column("loss") == second.history.column("loss")
    assert first.history.column("error") == second.history.column("error")


def test_history_counts_epochs_evaluations_and_parts(problem, model):
    calls = []
    original = problem.loss
    problem.loss = lambda m: calls.append(1) or original(m)
    result = dtpinn.fit(model, problem, epochs=4)
    assert result.history.column("epoch") == [0, 1, 2, 3, 4]
    assert result.history.column("evaluations")[-1] == result.evaluations == len(calls)
    assert result.history.column("error") == [None] * 5
    last = result.history[-1]
    assert last.loss == pytest.approx(original(model).item(), rel=1e-12)
    assert set(last.parts) == {"pde", "boundary"}
    assert sum(last.parts.values()) == pytest.approx(last.loss)
    seconds = result.history.column("seconds")
    assert seconds[0] == 0.0
    assert seconds == sorted(seconds)
    assert result.stop_reason == "all epochs done"


def test_training_time_is_training_alone(problem, model, monkeypatch):
    """On a clock of our own: one second an evaluation, a thousand for whatever else there is."""
    now = [0.0]
    monkeypatch.setattr(clock.time, "perf_counter", lambda: now[0])
    loss, residuals = problem.loss, problem.residuals

    def timed(seconds, function):
        def call(*arguments):
            now[0] += seconds
            return function(*arguments)

        return call

    problem.loss = timed(1.0, loss)
    exact = timed(1000.0, sine_cosine)
    callback = timed(1000.0, lambda result: None)
    result = dtpinn.fit(model, problem, epochs=3, exact=exact, callbacks=[callback])
    assert problem.residuals == residuals
    assert result.seconds == result.evaluations


@pytest.mark.parametrize(
    "optimizer",
    [
        torch.optim.Adam,
        functools.partial(torch.optim.SGD, lr=1e-4),
        functools.partial(LBFGS, line_search=None, lr=0.1),
        torch.optim.LBFGS,
    ],
)
def test_any_optimiser_reduces_the_loss(optimizer, problem, model):
    result = dtpinn.fit(model, problem, epochs=10, optimizer=optimizer)
    losses = result.history.column("loss")
    assert losses[-1] < losses[0]
    assert result.epochs == 10


def test_an_optimiser_of_ones_own(problem, model):
    optimizer = torch.optim.Adam(model.parameters())
    result = dtpinn.fit(model, problem, epochs=20, optimizer=optimizer)
    assert result.optimizer is optimizer
    assert result.history.column("epoch") == [0, 10, 20]  # single evaluations: every tenth


def test_unknown_coefficients_are_learnt_and_kept(nodes, tmp_path):
    """Lap u = k f with data for u: k comes out as 3."""

    class Inverse(dtpinn.PDE):
        def __init__(self):
            super().__init__()
            self.k = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64))

        def residual(self, u, D, x):
            data = 10 * (u - 0.75 * (x[:, 0] ** 2 + x[:, 1] ** 2))
            return torch.stack([D.laplacian(u) - self.k, data], dim=1)

        def boundary(self, u, D, x, n):
            return u - 0.75

    pde = Inverse()
    problem = dtpinn.discretize(pde, nodes)
    result = dtpinn.fit(dtpinn.MLP(2, width=16, depth=1, seed=0), problem, epochs=25)
    assert abs(pde.k.item() - 3.0) < 1e-2
    assert result.coefficients == {"k": pde.k.item()}
    assert result.history.column("k")[0] == 1.0
    assert result.history.column("k")[-1] == result.summary()["coefficients"]["k"] == pde.k.item()
    loaded = dtpinn.Result.load(result.save(tmp_path))
    assert loaded.coefficients == result.coefficients
    with pytest.raises(TypeError, match=r"the PDE's k is torch.float32.*pde\.to"):
        dtpinn.fit(dtpinn.MLP(2), dtpinn.discretize(Inverse().float(), nodes))


@pytest.mark.parametrize("parts", [("a.0.b", 'on, the "left"')])
def test_coefficients_of_conditions_bear_the_names_of_their_parts(parts, tmp_path):
    """The transfer at each wall of a ring, found from u = 1 + log r in it."""
    ring = dtpinn.geometry.Annulus(0.7, 1.0).with_parts(
        dict(zip(parts, ("outer", "inner"), strict=True))
    )
    u = lambda x: 1 + 0.5 * (x**2).sum(1).log()  # noqa: E731
    unknown = [torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64)) for _ in parts]
    walls = (dtpinn.Robin(1.0, beta, lambda x, n: 0 * x[:, 0]) for beta in unknown)

    class Measured(dtpinn.Poisson):
        def operator(self, v, D, x):
            return torch.stack([D.laplacian(v), 10 * (v - u(x))], dim=1)

    pde = Measured(None, dict(zip(parts, walls, strict=True)))
    problem = dtpinn.discretize(pde, dtpinn.place_nodes(ring, spacing=0.1), order=4)
    model = dtpinn.MLP(2, width=20, depth=1, seed=0)
    result = dtpinn.fit(model, problem, 40, optimizer="gauss-newton")
    names = [f"boundary.{part}.beta" for part in parts]
    assert list(result.coefficients) == result.history.columns[-2:] == names
    wanted = [-1.0, 1 / (0.7 * (1 + math.log(0.7)))]  # - du/dn / u: u' is 1 / r
    assert list(result.coefficients.values()) == pytest.approx(wanted, rel=0.1)
    result.save(tmp_path / "run")
    with open(tmp_path / "run" / "history.csv", newline="") as file:
        assert float(list(csv.DictReader(file))[-1][names[1]]) == unknown[1].item()
    again = dtpinn.fit(
        model, problem, 41, optimizer="gauss-newton", resume=tmp_path / "run" / "checkpoint.pt"
    )
    assert list(again.coefficients) == names


def test_resumed_it_continues_bit_for_bit(nodes, tmp_path):
    def make():
        problem = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), nodes)
        return dtpinn.MLP(2, width=16, depth=2, seed=0), problem

    straight = dtpinn.fit(*make(), epochs=8, exact=sine_cosine)
    dtpinn.fit(*make(), epochs=5, exact=sine_cosine, checkpoint=tmp_path / "c.pt")
    resumed = dtpinn.fit(*make(), epochs=8, exact=sine_cosine, resume=tmp_path / "c.pt")
    assert torch.equal(weights(straight.model), weights(resumed.model))
    assert straight.history.column("error") == resumed.history.column("error")
    assert straight.evaluations == resumed.evaluations


def test_resumed_it_draws_the_random_numbers_that_were_next(nodes, tmp_path):
    class Noisy(dtpinn.MLP):
        def forward(self, x):
            return super().forward(x) + 1e-3 * torch.randn(len(x))

    def run(epochs, **options):
        problem = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), nodes)
        model = Noisy(2, width=8, depth=1, seed=0)
        return dtpinn.fit(model, problem, epochs, optimizer=torch.optim.Adam, every=1, **options)

    torch.manual_seed(3)
    straight = run(6)
    torch.manual_seed(3)
    run(4, checkpoint=tmp_path / "c.pt")
    torch.manual_seed(99)
    resumed = run(6, resume=tmp_path / "c.pt")
    assert torch.equal(weights(straight.model), weights(resumed.model))


def test_a_checkpoint_of_another_run_is_refused_before_anything_is_loaded(nodes, tmp_path):
    def make(width=16, dtype=torch.float64):
        pde = dtpinn.Poisson.from_solution(sine_cosine)
        problem = dtpinn.discretize(pde, nodes, dtype=dtype)
        return dtpinn.MLP(2, width=width, depth=2, seed=0, dtype=dtype), problem

    path = tmp_path / "c.pt"
    dtpinn.fit(*make(), epochs=1, checkpoint=path, details={"seed": 0, "sizes": (3, 4)})
    dtpinn.fit(*make(), epochs=2, resume=path, details={"seed": 0, "sizes": (3, 4)})
    for arguments, options, message in [
        (make(width=12), {}, "with the model's width 16, this run has 12$"),
        (make(dtype=torch.float32), {}, "float32"),
        (make(), {"optimizer": torch.optim.Adam}, "optimizer LBFGS, this run has Adam"),
        (make(), {"details": {"seed": 5}}, "seed 0, this run has 5"),
        (
            make(width=12),
            {"optimizer": torch.optim.Adam, "details": {"seed": 5}},
            "optimizer LBFGS, this run has Adam; with the model's width 16, this run has 12; "
            "with seed 0, this run has 5$",
        ),
    ]:
        before = weights(arguments[0])
        with pytest.raises(ValueError, match=message):
            dtpinn.fit(*arguments, epochs=2, resume=path, **options)
        assert torch.equal(weights(arguments[0]), before)


def test_a_checkpoint_that_cannot_be_written_is_told_before_training(problem, model, tmp_path):
    before = weights(model)
    with pytest.raises(FileNotFoundError):
        dtpinn.fit(model, problem, epochs=5, checkpoint=tmp_path / "nowhere" / "c.pt")
    assert torch.equal(weights(model), before)


def test_a_failing_callback_leaves_a_checkpoint(problem, model, tmp_path):
    def fail(result):
        if result.epochs == 2:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        dtpinn.fit(model, problem, epochs=5, checkpoint=tmp_path / "c.pt", callbacks=[fail])
    assert load_checkpoint(tmp_path / "c.pt")["history"][-1]["epoch"] == 2


def test_interrupts_and_limits_hold_within_an_epoch_whatever_is_recorded(problem, model):
    calls = []

    def press_at_five():
        calls.append(1)
        if len(calls) == 5:
            os.kill(os.getpid(), signal.SIGINT)

    loss = problem.loss
    problem.loss = lambda m: (press_at_five(), loss(m))[1]
    result = dtpinn.fit(model, problem, epochs=3000, optimizer=torch.optim.Adam, every=1000)
    assert (result.epochs, result.stop_reason) == (5, "interrupted")
    assert result.history.column("epoch") == [0, 5]


def test_ctrl_c_ends_the_run_and_keeps_it(problem, model):
    def press(result):
        if result.epochs == 2:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    result = dtpinn.fit(model, problem, epochs=50, callbacks=[press])
    assert (result.stop_reason, result.epochs) == ("interrupted", 2)
    assert signal.getsignal(signal.SIGINT) is before


def test_reasons_to_stop(problem, model):
    result = dtpinn.fit(model, problem, epochs=9, callbacks=[lambda r: r.epochs >= 2])
    assert result.stop_reason == "stopped by a callback"
    result = dtpinn.fit(model, problem, epochs=10**6, max_seconds=0.2)
    assert result.stop_reason.startswith("time is up")
    done = functools.partial(LBFGS, tolerance_gradient=1e3)
    result = dtpinn.fit(model, problem, epochs=9, optimizer=done)
    assert result.stop_reason.startswith("gradient below tolerance")
    result = dtpinn.fit(
        model, problem, epochs=500, optimizer=functools.partial(torch.optim.SGD, lr=1e3), every=1
    )
    assert result.stop_reason.startswith("the loss is not finite")


def test_wrong_arguments_are_told_before_training(problem, model, nodes):
    with pytest.raises(TypeError, match=r"model\.to\(torch\.float64\)"):
        dtpinn.fit(copy.deepcopy(model).float(), problem)
    with pytest.raises(ValueError, match="lbfgs"):
        dtpinn.fit(model, problem, optimizer="bfgs")
    with pytest.raises(TypeError, match="got int"):
        dtpinn.fit(model, problem, optimizer=3)
    with pytest.raises(ValueError, match="epochs must be"):
        dtpinn.fit(model, problem, epochs=0)
    with pytest.raises(TypeError, match=r"torch\.nn\.Module"):
        dtpinn.fit(lambda x: x, problem)
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        dtpinn.fit(model, problem, resume="nowhere.pt")
    alpha = torch.nn.Parameter(torch.tensor(1.0))
    pde = dtpinn.Poisson(lambda x: x[:, 0], dtpinn.Robin(alpha, 1.0, lambda x, n: x[:, 0]))
    unknown = dtpinn.discretize(pde, nodes)
    with pytest.raises(ValueError, match=r"does not train pde\.boundary\.alpha"):
        dtpinn.fit(model, unknown, optimizer=torch.optim.Adam(model.parameters()))
