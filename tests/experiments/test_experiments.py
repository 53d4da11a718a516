"""The paper's problems: their data are those of their solution, and their settings are checked."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.experiments import PROBLEMS, Settings, run
from dtpinn.experiments.experiment import slices
from dtpinn.experiments.measuring import TEST_POINTS, error_at, fine_points
from dtpinn.experiments.preparation import prepare
from dtpinn.experiments.settings import SettingsError
from dtpinn.problem.relative_error import relative_distance


@pytest.fixture(scope="module")
def nodes():
    return dtpinn.place_nodes(dtpinn.geometry.Disk(), count=300)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("method", ["dt", "vanilla"])
def test_the_solution_has_no_residual_and_another_function_has_one(name, method, nodes):
    experiment = PROBLEMS[name]
    times = {} if slices(experiment.settings()) is None else {"times": 4}
    settings = experiment.settings(method=method, order=5, **times)
    problem = experiment.problem(settings, nodes)
    loss = problem.loss(experiment.exact)
    assert loss < {"dt": 1e-4, "vanilla": 1e-24}[method]
    assert problem.loss(lambda points: 1.1 * experiment.exact(points)) > 0.01


def test_the_solutions_are_the_papers():
    points = torch.tensor([[0.5, 0.0, 0.5], [0.5, 0.0, 0.0]])
    assert PROBLEMS["heat"].exact(points).tolist() == [2.0, 1.0]
    for name in ("poisson", "nonlinear-poisson"):
        assert PROBLEMS[name].exact(points[:, :2]).tolist() == [2.0, 2.0]


def test_the_nonlinear_problem_is_nonlinear_and_its_floor_is_low():
    experiment = PROBLEMS["nonlinear-poisson"]
    settings = experiment.settings(nodes=300, epochs=1, width=8, depth=1)
    result = run(experiment, settings, report=lambda line: None)
    assert result.problem.pde.reaction is torch.exp
    assert result.floor < 1e-3
    # Not to the bit: the matrix products of two evaluations may round differently.
    error = error_at(fine_points(experiment), experiment, settings, result.model)
    assert math.isclose(result.history[-1].error, error, rel_tol=1e-10)


@pytest.mark.full
def test_the_floor_of_heat_is_the_error_of_the_semi_discrete_solution():
    heat = PROBLEMS["heat"]
    coarse, fine = (
        prepare(heat, heat.settings(nodes=nodes, times=3), lambda line: None)
        for nodes in (150, 450)
    )
    assert fine.floor < coarse.floor / 5  # order 4, h smaller by 1.7: a factor of 9
    solution = coarse.problem.solve()
    floor = relative_distance(solution, heat.exact(coarse.problem.points))
    assert coarse.floor == pytest.approx(floor, rel=1e-6)  # of two direct solves


def test_a_run_without_a_floor_trains_and_says_why(monkeypatch):
    def fails(self, guess=None):
        raise RuntimeError("Newton: no convergence")

    monkeypatch.setattr("dtpinn.problem.DiscreteProblem.solve", fails)
    poisson, lines = PROBLEMS["poisson"], []
    settings = poisson.settings(nodes=150, epochs=1, width=4, depth=1)
    result = run(poisson, settings, report=lines.append)
    assert result.floor is None
    assert "floor       none: Newton: no convergence" in lines
    assert "floor" not in lines[-1]


def test_there_are_as_many_test_points_as_in_the_paper():
    assert len(fine_points(PROBLEMS["poisson"])) == pytest.approx(TEST_POINTS, rel=0.005)


def test_the_error_in_space_time_is_over_all_slices():
    heat = PROBLEMS["heat"]
    settings = heat.settings(times=3)
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (1000, 2))

    def wrong_in_the_middle(points):
        return heat.exact(points) * torch.where(points[:, 2] == 0.5, 1.1, 1.0)

    # u is 1 on the first and the last of the slices t = 0, 1/2, 1
    middle = 1.0 + np.sin(np.pi * x[:, 0]) * np.cos(np.pi * x[:, 1])
    expected = 0.1 * np.linalg.norm(middle) / np.hypot(np.linalg.norm(middle), np.sqrt(2 * len(x)))
    assert error_at(x, heat, settings, wrong_in_the_middle) == pytest.approx(expected, rel=1e-12)


def test_settings_that_a_problem_does_not_have():
    with pytest.raises(SettingsError, match="poisson is a steady problem"):
        PROBLEMS["poisson"].settings(times=5)
    with pytest.raises(SettingsError, match="heat is a problem in space-time"):
        PROBLEMS["heat"].settings(times=None)
    assert PROBLEMS["heat"].settings(order=3) == Settings(nodes=828, times=25, order=3)
