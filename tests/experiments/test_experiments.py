"""The paper's problems: their data are those of their solution, and their settings are checked."""

from __future__ import annotations

import pytest
import torch

import dtpinn
from dtpinn.experiments import PROBLEMS, Settings, run
from dtpinn.experiments.experiment import slices
from dtpinn.experiments.measuring import TEST_POINTS, error_at_test_points, measured_points
from dtpinn.experiments.settings import SettingsError


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
    assert result.details["error_measured_at"] == "test points"


def test_errors_are_measured_where_the_paper_measures_them():
    heat = PROBLEMS["heat"]
    assert measured_points(heat, heat.settings()) is None  # collocation points, all slices
    poisson = PROBLEMS["poisson"]
    assert abs(len(measured_points(poisson, poisson.settings())) - TEST_POINTS) < 40


def test_the_error_of_heat_at_test_points_is_over_all_slices():
    heat = PROBLEMS["heat"]
    settings = heat.settings(times=3)

    def wrong_in_the_middle(points):
        return heat.exact(points) * torch.where(points[:, 2] == 0.5, 1.1, 1.0)

    # |u|^2 over the slices t = 0, 1/2, 1, of which u is 1 on the first and the last
    middle = float(wrong_in_the_middle(_at(heat, settings, 0.5)).square().sum()) / 1.21
    ends = 2.0 * len(_at(heat, settings, 0.0))
    expected = 0.1 * (middle / (middle + ends)) ** 0.5
    found = error_at_test_points(heat, settings, wrong_in_the_middle)
    assert found == pytest.approx(expected, rel=1e-9)


def _at(experiment, settings, time):
    poisson = PROBLEMS["poisson"]
    points = measured_points(poisson, poisson.settings())
    return torch.cat([points, torch.full_like(points[:, :1], time)], dim=1)


def test_settings_that_a_problem_does_not_have():
    with pytest.raises(SettingsError, match="poisson is a steady problem"):
        PROBLEMS["poisson"].settings(times=5)
    with pytest.raises(SettingsError, match="heat is a problem in space-time"):
        PROBLEMS["heat"].settings(times=None)
    assert PROBLEMS["heat"].settings(order=3) == Settings(nodes=828, times=25, order=3)
