"""What fit says of a training that has stopped far above its discrete solution."""

from __future__ import annotations

import json
import os
import re
import signal
import warnings
from functools import partial

import pytest
import torch

import dtpinn
from dtpinn.training import stalled

FAR = "training has ended at a relative distance"


def test_a_training_far_above_the_floor_is_told_with_figures(problem, model, tmp_path):
    with pytest.warns(UserWarning, match=FAR) as told:
        result = dtpinn.fit(model, problem, 1, optimizer=torch.optim.SGD)
    estimate = problem.estimate(model)
    assert result.distance == pytest.approx(estimate.distance)
    text = str(told[0].message)
    assert f"{estimate.distance:.1e} from the discrete solution" in text
    assert f"{estimate.discretisation:.1e}" in text
    assert told[0].filename == __file__
    result.save(tmp_path / "run")
    saved = json.loads((tmp_path / "run" / "result.json").read_text())
    assert saved["distance_to_discrete_solution"] == result.distance
    assert dtpinn.Result.load(tmp_path / "run").distance == result.distance


def test_nobody_is_told_to_do_what_was_done(problem):
    """Five neurons cannot; the remedies are those that are left after what was tried."""

    def ways(epochs, optimizer):
        model = dtpinn.MLP(2, width=5, depth=1, seed=0)
        with pytest.warns(UserWarning, match=FAR) as told:
            result = dtpinn.fit(model, problem, epochs, optimizer=optimizer)
        told = re.search(r"Train (.*); with other weights", str(told[0].message))[1]
        return result.stop_reason, told.split("; ")

    rest = ["with a wider network, or another seed"]
    newton, sgd = 'with optimizer="gauss-newton"', torch.optim.SGD
    assert ways(1, sgd) == ("all epochs done", ["longer", newton, *rest])
    assert ways(2, "gauss-newton") == ("all epochs done", ["longer", *rest])
    assert ways(2, ["gauss-newton", sgd]) == ("all epochs done", ["longer", *rest])
    lasting = partial(dtpinn.optim.GaussNewton, tolerance_change=0.1)
    reason, told = ways(500, lasting)
    assert reason.startswith("change below tolerance")
    assert told == rest


@pytest.mark.full
def test_in_space_time_too():
    """A decaying rod after one epoch; a hundred Gauss-Newton steps later there is no word."""
    exact = lambda x, t: torch.exp(-t) * torch.sin(x[:, 0])  # noqa: E731
    nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 3.0), spacing=0.15)
    times = torch.linspace(0.0, 1.0, 6)
    rod = dtpinn.discretize(dtpinn.Heat.from_solution(exact), nodes, times=times)
    model = dtpinn.MLP(2, width=16, depth=1, seed=0)
    with pytest.warns(UserWarning, match=FAR):
        assert dtpinn.fit(model, rod, 1, optimizer=torch.optim.SGD).distance > 0.05
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert dtpinn.fit(model, rod, 100, optimizer="gauss-newton").distance < 0.01


def test_a_training_that_arrives_is_not(problem):
    model = dtpinn.MLP(2, width=30, depth=1, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        result = dtpinn.fit(model, problem, 60, optimizer="gauss-newton")
    assert result.distance < 0.01


def test_whoever_stops_a_training_is_told_nothing(problem, model):
    stop = lambda result: os.kill(os.getpid(), signal.SIGINT)  # noqa: E731
    for callback in (stop, lambda result: True):
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            result = dtpinn.fit(model, problem, 5, optimizer=torch.optim.SGD, every=1,
                                callbacks=[callback])  # fmt: skip
        assert result.distance is None


def test_where_the_discrete_solution_is_not_to_be_had_nothing_is_said(nodes, model, monkeypatch):
    pde = dtpinn.Poisson(None, dtpinn.Dirichlet())
    singular = dtpinn.discretize(dtpinn.Poisson(None, dtpinn.Neumann()), nodes)
    large = dtpinn.discretize(pde, nodes)
    asked = []
    large.solve = lambda guess: asked.append(guess)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for problem in (singular, dtpinn.vanilla(pde, nodes)):
            assert dtpinn.fit(model, problem, 1).distance is None
        monkeypatch.setitem(stalled.AFFORDABLE, 2, 100)
        assert dtpinn.fit(model, large, 1).distance is None
    assert not asked
