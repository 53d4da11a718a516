"""What a run leaves behind, and that it can be read back."""

from __future__ import annotations

import csv
import json
import warnings

import pytest
import torch

import dtpinn
from dtpinn.pde.solutions import sine_cosine
from dtpinn.problem.relative_error import relative_error
from dtpinn.training.checkpoint import CheckpointError


@pytest.fixture
def result(problem, model):
    result = dtpinn.fit(model, problem, epochs=2, exact=sine_cosine)
    result.floor = 1e-5
    result.details = {"problem": "poisson", "seconds": {"nodes": 0.5}}
    return result


def test_save_leaves_four_complete_files(result, tmp_path):
    directory = result.save(tmp_path / "run")
    names = {path.name for path in directory.iterdir()}
    assert names == {"result.json", "history.csv", "checkpoint.pt", "picture.png"}
    told = json.loads((directory / "result.json").read_text())
    assert told["relative_l2_error"] == result.history[-1].error
    assert told["best_relative_l2_error"] == min(result.history.column("error"))
    assert told["floor_relative_l2_error"] == 1e-5
    assert told["seconds"] == {"nodes": 0.5, "training": result.seconds}
    assert (told["epochs"], told["stop_reason"]) == (2, "all epochs done")
    with open(directory / "history.csv") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2]
    assert float(rows[-1]["loss"]) == result.loss
    assert set(rows[0]) >= {"evaluations", "seconds", "pde", "boundary", "error"}


class Waves(dtpinn.PDE):
    """Two fields in space-time, u_t = Lap u each, for their picture alone."""

    fields = 2

    def residual(self, u, D, x, t):
        return D.time(u) - D.laplacian(u)

    def boundary(self, u, D, x, n, t):
        return u - 1.0

    def initial(self, u, D, x):
        return u - 1.0


@pytest.mark.parametrize("exact", [None, lambda points: torch.ones(len(points), 2)])
def test_a_system_in_space_time_has_a_picture(nodes, tmp_path, monkeypatch, exact):
    seen = {}
    monkeypatch.setattr(
        "dtpinn.training.result.picture_run",
        lambda path, points, solution, error, *rest, times, **options: seen.update(
            points=points, solution=solution, error=error, times=times
        ),
    )
    problem = dtpinn.discretize(Waves(), nodes, times=[0.0, 0.1, 0.3, 0.4, 0.8])
    model = dtpinn.MLP(3, width=4, depth=1, fields=2, seed=0)
    dtpinn.fit(model, problem, epochs=1, exact=exact).save(tmp_path)
    assert seen["times"].tolist() == [0.0, 0.3, 0.8]
    x = torch.tensor(nodes.collocation)
    last = torch.cat([x, torch.full_like(x[:, :1], 0.8)], dim=1)
    torch.testing.assert_close(seen["solution"].reshape(-1, 3, 2)[:, 2], model(last).detach())
    if exact is None:
        assert seen["error"] is None
    else:
        assert torch.equal(seen["error"], seen["solution"] - 1.0)


def test_load_brings_back_model_history_and_figures(result, tmp_path):
    result.save(tmp_path)
    loaded = dtpinn.Result.load(tmp_path)
    points = torch.rand(50, 2)
    torch.testing.assert_close(loaded.model(points), result.model(points))
    assert loaded.history.records == result.history.records
    assert (loaded.floor, loaded.stop_reason) == (1e-5, "all epochs done")
    error = loaded.relative_error(sine_cosine, points)
    assert error == pytest.approx(result.relative_error(sine_cosine, points), rel=1e-10)
    with pytest.raises(ValueError, match="points="):
        loaded.relative_error(sine_cosine)


def test_the_relative_error_is_relative_to_the_exact_solution(problem):
    points = torch.rand(50, 2)
    for factor, wanted in ((1.1, 0.1), (0.0, 1.0), (3.0, 2.0)):
        found = relative_error(lambda x, c=factor: c * sine_cosine(x), sine_cosine, points)
        assert abs(found - wanted) < 1e-12


def test_somebodys_own_network_is_loaded_into_one(problem, tmp_path):
    def make():
        return torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))

    model = make()
    dtpinn.fit(model, problem, epochs=1).save(tmp_path)
    with pytest.raises(ValueError, match="pass model="):
        dtpinn.Result.load(tmp_path)
    loaded = dtpinn.Result.load(tmp_path, model=make())
    torch.testing.assert_close(loaded.model(torch.ones(1, 2)), model(torch.ones(1, 2)))


def test_networks_with_a_config_of_their_own_and_compiled_ones_are_saved(problem, tmp_path):
    class Own(torch.nn.Sequential):
        config = {"not": "a function"}  # noqa: RUF012

    own = Own(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    dtpinn.fit(own, problem, epochs=1).save(tmp_path / "own")
    compiled = torch.compile(dtpinn.MLP(2, width=4, depth=1, seed=0), backend="eager")
    dtpinn.fit(compiled, problem, epochs=1).save(tmp_path / "compiled")
    points = torch.rand(5, 2)
    loaded = dtpinn.Result.load(tmp_path / "compiled").model
    torch.testing.assert_close(loaded(points), compiled(points))


def test_an_exact_solution_may_be_a_column(problem, model, tmp_path):
    result = dtpinn.fit(model, problem, epochs=1, exact=lambda x: sine_cosine(x)[:, None])
    assert result.save(tmp_path)
    assert result.history[-1].error == pytest.approx(result.relative_error(sine_cosine), rel=1e-10)
    with pytest.raises(TypeError, match="exact must return a torch tensor, got ndarray"):
        dtpinn.fit(model, problem, epochs=1, exact=lambda x: x[:, 0].numpy())
    with pytest.raises(ValueError, match="exact returned shape"):
        dtpinn.fit(model, problem, epochs=1, exact=lambda x: x)


def test_what_is_no_checkpoint_is_refused(tmp_path):
    (tmp_path / "checkpoint.pt").write_text("nonsense")
    with pytest.raises(ValueError, match="not a checkpoint"):
        dtpinn.Result.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        dtpinn.Result.load(tmp_path / "elsewhere")


def test_a_missing_parent_directory_is_told(result, tmp_path):
    with pytest.raises(FileNotFoundError):
        result.save(tmp_path / "a" / "b")


def test_a_result_prints_in_a_few_lines_what_came_of_it(result):
    told = str(result)
    assert len(told) < 400
    assert told == repr(result)
    for part in ("MLP(inputs=2", "DiscreteProblem of Poisson", "2 epochs", "all epochs done"):
        assert part in told
    assert f"loss {result.loss:.3g}, relative l2 error {result.history[-1].error:.3g}" in told
    assert "(floor 1.0e-05)" in told


def test_nothing_that_a_run_leaves_prints_its_arrays(result):
    """However many records and nodes there are."""
    problem, history = result.problem, result.history
    history.records *= 100
    state = problem.linearize(torch.zeros(len(problem.extended_points)).double().numpy())
    wide = torch.nn.Sequential(*[torch.nn.Linear(2, 2)] * 200)
    other = dtpinn.Result(wide, None, dtpinn.training.History(), "never begun")
    data = dtpinn.pde.NodalData(problem.nodes.collocation, problem.nodes.collocation[:, 0])
    for thing in (result, history, problem, problem.matrices, state, other, data):
        assert len(str(thing)) < 600, thing
    built = dtpinn.rbffd.assemble(problem.nodes, {"u_x": {(1, 0): 1.0}}, "collocation", 3)
    assert len(repr(built)) < 600


def test_a_model_with_functions_is_made_by_hand_and_loads_its_weights(tmp_path):
    """A HardBoundary holds two functions, which no file does."""
    square = dtpinn.geometry.Rectangle()
    nodes = dtpinn.place_nodes(square, spacing=0.2)
    problem = dtpinn.discretize(dtpinn.Poisson(-1.0, dtpinn.Dirichlet(1.0)), nodes, order=2)

    def made(width=6, value=1.0):
        network = dtpinn.MLP(2, width=width, depth=1, seed=0)
        one = lambda x: value + 0 * x[..., 0]  # noqa: E731
        return dtpinn.models.HardBoundary(network, square.boundary_factor, one)

    model = made()
    dtpinn.fit(model, problem, epochs=2).save(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = dtpinn.Result.load(tmp_path, model=made()).model
    assert torch.equal(loaded(problem.points), model(problem.points))
    with pytest.raises(
        ValueError, match=r"is HardBoundary\(MLP\(inputs=2, width=6.*pass model=\.\.\."
    ):
        dtpinn.Result.load(tmp_path)
    with pytest.raises(CheckpointError, match=r"those of HardBoundary\(MLP.*, and do not fit"):
        dtpinn.Result.load(tmp_path, model=made(width=7))
    with pytest.warns(UserWarning, match="the factor and the value of a HardBoundary, are others"):
        dtpinn.Result.load(tmp_path, model=made(value=2.0))
