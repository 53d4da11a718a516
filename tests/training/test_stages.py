"""Training in stages: one optimiser after another on one model, with one history of it all."""

from __future__ import annotations

import functools
import json
import os
import signal
import weakref

import pytest
import torch

import dtpinn
from dtpinn.optim import LBFGS
from dtpinn.pde.solutions import sine_cosine
from dtpinn.training import History, Record, clock
from dtpinn.training.checkpoint import CheckpointError, load_checkpoint
from tests.marks import mostly_full

Adam = functools.partial(torch.optim.Adam, lr=1e-2)


@pytest.fixture
def make(nodes):
    """Model and problem, the same every time."""

    def make():
        problem = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), nodes)
        return dtpinn.MLP(2, width=8, depth=1, seed=0), problem

    return make


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_stages_are_what_one_run_after_the_other_does(make):
    model, problem = make()
    dtpinn.fit(model, problem, epochs=30, optimizer=Adam)
    dtpinn.fit(model, problem, epochs=3)
    result = dtpinn.fit(*make(), epochs=[30, 3], optimizer=[Adam, "lbfgs"])
    assert torch.equal(weights(result.model), weights(model))
    assert result.history.column("loss")[-1] < 0.5 * result.history.column("loss")[3]


def test_one_history_goes_on_through_all_stages(make):
    result = dtpinn.fit(*make(), epochs=(25, 3), optimizer=(Adam, "lbfgs"), exact=sine_cosine)
    assert result.history.column("stage") == [1, 1, 1, 1, 2, 2, 2]
    assert result.history.column("epoch") == [0, 10, 20, 25, 26, 27, 28]
    for name in ("evaluations", "seconds"):
        column = result.history.column(name)
        assert column == sorted(column)
    adam, lbfgs = result.stages
    assert (adam.optimizer, adam.epochs, adam.iterations, adam.evaluations) == (
        "Adam",
        25,
        None,
        25,
    )
    assert (lbfgs.optimizer, lbfgs.epochs, lbfgs.iterations) == ("LBFGS", 3, 60)
    assert lbfgs.evaluations == result.optimizer.evaluations
    assert adam.evaluations + lbfgs.evaluations == result.evaluations
    assert adam.seconds + lbfgs.seconds == pytest.approx(result.seconds)
    assert adam.stop_reason == lbfgs.stop_reason == result.stop_reason == "all epochs done"


def test_a_stage_that_stops_by_itself_hands_over_and_the_result_says_so(make):
    done = functools.partial(LBFGS, tolerance_gradient=1e3)
    result = dtpinn.fit(*make(), epochs=5, optimizer=[done, Adam])
    assert [stage.epochs for stage in result.stages] == [1, 5]
    assert result.stages[0].stop_reason.startswith("gradient below tolerance")
    assert result.stop_reason.startswith("all epochs done; before that, stage 1 (LBFGS): gradient")


def test_files_tell_of_every_stage(make, tmp_path):
    result = dtpinn.fit(*make(), epochs=2, optimizer=[Adam, "lbfgs"])
    result.save(tmp_path)
    told = json.loads((tmp_path / "result.json").read_text())["stages"]
    assert [stage["optimizer"] for stage in told] == ["Adam", "LBFGS"]
    assert set(told[0]) == {
        "optimizer", "epochs", "iterations", "evaluations", "seconds", "stop_reason",
    }  # fmt: skip
    assert (tmp_path / "history.csv").read_text().startswith("stage,epoch,evaluations,seconds,")
    assert dtpinn.Result.load(tmp_path).stages == result.stages


def test_a_later_optimiser_is_made_when_its_stage_begins_and_the_earlier_is_let_go(make):
    seen, made = [], []

    def factory(parameters):
        seen.append([ref() is not None for ref in made])
        made.append(weakref.ref(optimizer := LBFGS(parameters)))
        return optimizer

    dtpinn.fit(
        *make(), epochs=2, optimizer=[factory, factory],
        callbacks=[lambda result: seen.append([ref() is not None for ref in made])],
    )  # fmt: skip
    assert seen == [[], [True], [True], [False], [False, True], [False, True]]


def test_a_finished_stage_does_not_take_other_epochs_in_silence(make, tmp_path):
    path = tmp_path / "c.pt"
    two = {"optimizer": [Adam, "lbfgs"]}
    dtpinn.fit(*make(), epochs=[4, 2], **two, checkpoint=path)
    for epochs in ([9, 2], [2, 2]):
        with pytest.raises(
            CheckpointError, match=rf"stage 1 \(Adam\).*4 epochs, and {epochs[0]} a"
        ):
            dtpinn.fit(*make(), epochs=epochs, **two, resume=path)
    assert dtpinn.fit(*make(), epochs=[4, 3], **two, resume=path).epochs == 7  # the last goes on


@pytest.mark.parametrize("stop", mostly_full([3, 4, 6, 7], {4, 6}.__contains__))
def test_resumed_in_any_stage_it_continues_bit_for_bit(make, tmp_path, stop):
    options = {"epochs": [4, 4], "optimizer": ["lbfgs", Adam], "every": 1, "exact": sine_cosine}
    straight = dtpinn.fit(*make(), **options)
    path = tmp_path / "c.pt"
    stopped = dtpinn.fit(
        *make(), **options, checkpoint=path, callbacks=[lambda result: result.epochs == stop]
    )
    assert stopped.stages[-1].stop_reason == "stopped by a callback"
    resumed = dtpinn.fit(*make(), **options, resume=path)
    assert torch.equal(weights(straight.model), weights(resumed.model))
    for name in ("stage", "epoch", "evaluations", "loss", "error"):
        assert straight.history.column(name) == resumed.history.column(name)
    seconds = resumed.history.column("seconds")
    assert seconds == sorted(seconds)  # the clock goes on, too
    assert [s.iterations for s in resumed.stages] == [s.iterations for s in straight.stages]
    assert resumed.stop_reason == "all epochs done"


def test_a_polish_is_added_to_a_run_that_is_done(make, tmp_path):
    dtpinn.fit(*make(), epochs=2, checkpoint=tmp_path / "c.pt")
    resumed = dtpinn.fit(
        *make(), epochs=[2, 3], optimizer=["lbfgs", Adam], resume=tmp_path / "c.pt"
    )
    assert [(s.optimizer, s.epochs) for s in resumed.stages] == [("LBFGS", 2), ("Adam", 3)]


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (["lbfgs", "lbfgs"], "stage 1's optimizer Adam, this run has LBFGS"),
        ([torch.optim.Adam, torch.optim.Adam], "stage 2's optimizer LBFGS, this run has Adam"),
        ([Adam, Adam], "stage 2's optimizer LBFGS, this run has Adam"),
        (torch.optim.Adam, "stage 2's optimizer LBFGS, this run has none"),
    ],
)
def test_a_checkpoint_of_other_stages_is_refused(make, tmp_path, optimizer, message):
    path = tmp_path / "c.pt"
    dtpinn.fit(*make(), epochs=1, optimizer=[Adam, "lbfgs"], checkpoint=path)
    model, problem = make()
    before = weights(model)
    with pytest.raises(ValueError, match=message):
        dtpinn.fit(model, problem, epochs=2, optimizer=optimizer, resume=path)
    assert torch.equal(weights(model), before)


def test_limits_of_time_are_of_the_run_or_of_each_stage(make, monkeypatch):
    """On a clock of our own: one second an evaluation."""
    now = [0.0]
    monkeypatch.setattr(clock.time, "perf_counter", lambda: now[0])

    def run(max_seconds):
        model, problem = make()
        loss = problem.loss
        problem.loss = lambda m: (now.__setitem__(0, now[0] + 1.0), loss(m))[1]
        return dtpinn.fit(
            model, problem, 20, optimizer=[Adam, Adam], max_seconds=max_seconds, every=100
        )

    result = run(5)
    assert [stage.epochs for stage in result.stages] == [5]
    assert result.stop_reason == "time is up: 5.0 s of training, in stage 1 of 2 (Adam)"
    result = run(25.0)
    assert [stage.epochs for stage in result.stages] == [20, 5]
    assert result.stop_reason == "time is up: 25.0 s of training"
    result = run([5.0, None])
    assert [stage.epochs for stage in result.stages] == [5, 20]
    assert result.stop_reason.endswith("before that, stage 1 (Adam): time is up: 5.0 s of training")
    assert [stage.epochs for stage in run([None, 3]).stages] == [20, 3]


def test_what_ends_the_run_leaves_later_stages_undone(make):
    result = dtpinn.fit(
        *make(), epochs=9, optimizer=[Adam, Adam], every=1, callbacks=[lambda r: r.epochs == 2]
    )
    assert result.stop_reason == "stopped by a callback, in stage 1 of 2 (Adam)"

    def press(result):
        if result.epochs == 11:
            os.kill(os.getpid(), signal.SIGINT)

    result = dtpinn.fit(*make(), epochs=9, optimizer=[Adam] * 3, every=1, callbacks=[press])
    assert result.stop_reason == "interrupted, in stage 2 of 3 (Adam)"
    assert [stage.stop_reason for stage in result.stages] == ["all epochs done", "interrupted"]
    wild = functools.partial(torch.optim.SGD, lr=1e3)
    result = dtpinn.fit(*make(), epochs=500, optimizer=[wild, "lbfgs"], every=1)
    assert result.stop_reason.startswith("the loss is not finite")
    assert len(result.stages) == 1


def test_an_optimiser_that_cannot_be_made_leaves_the_stage_before_it(make, tmp_path):
    def fails(parameters):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        dtpinn.fit(*make(), epochs=2, optimizer=[Adam, fails], checkpoint=tmp_path / "c.pt")
    state = load_checkpoint(tmp_path / "c.pt")
    assert [stage["epochs"] for stage in state["stages"]] == [2]
    resumed = dtpinn.fit(*make(), epochs=2, optimizer=[Adam, "lbfgs"], resume=tmp_path / "c.pt")
    assert [stage.optimizer for stage in resumed.stages] == ["Adam", "LBFGS"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"optimizer": ["lbfgs", "bfgs"]}, ValueError, "unknown optimizer 'bfgs'"),
        ({"optimizer": ["lbfgs", 3]}, TypeError, "got int"),
        ({"optimizer": []}, ValueError, "empty"),
        ({"epochs": [1, 2]}, ValueError, r"epochs has 2 entries for 1 stage"),
        ({"epochs": [2, 0], "optimizer": ["lbfgs"] * 2}, ValueError, "epochs must be .* got 0"),
        ({"max_seconds": [1.0, None]}, ValueError, "max_seconds has 2 entries"),
        ({"max_seconds": -1.0}, ValueError, "max_seconds must be .* got -1"),
        ({"max_seconds": float("nan")}, ValueError, "max_seconds must be .* got nan"),
        ({"max_seconds": ["1"]}, ValueError, "max_seconds must be .* got '1'"),
        ({"every": 0}, ValueError, "every must be"),
    ],
)
def test_a_plan_that_cannot_be_is_told_before_training(make, options, error, message):
    model, problem = make()
    before = weights(model)
    with pytest.raises(error, match=message):
        dtpinn.fit(model, problem, **options)
    assert torch.equal(weights(model), before)


@pytest.mark.parametrize("name", ["loss", "error", "epoch", "pde"])
def test_a_coefficient_does_not_hide_a_column(nodes, name):
    class Inverse(dtpinn.PDE):
        def __init__(self):
            super().__init__()
            setattr(self, name, torch.nn.Parameter(torch.tensor(1.0)))

        def residual(self, u, D, x):
            return D.laplacian(u) - getattr(self, name)

        def boundary(self, u, D, x, n):
            return u

    model = dtpinn.MLP(2, width=4, depth=1, seed=0)
    before = weights(model)
    with pytest.raises(ValueError, match=f"coefficient '{name}' has the name of another column"):
        dtpinn.fit(model, dtpinn.discretize(Inverse(), nodes), epochs=1)
    assert torch.equal(weights(model), before)


def test_a_residual_does_not_hide_a_column_either():
    with pytest.raises(ValueError, match="residual 'seconds' has the name"):
        History().append(Record(1, 0, 0, 0.0, 1.0, {"seconds": 1.0}))
