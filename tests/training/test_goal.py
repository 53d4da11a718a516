"""As right as was asked for: when a training ends, and what it says where it cannot."""

import warnings

import pytest
import torch

import dtpinn
from dtpinn.pde.solutions import sine_cosine
from dtpinn.training import NotReached
from dtpinn.training.goal import Goal, _is_due
from dtpinn.training.history import History, Record
from tests.marks import mostly_full


def harmonic(x):
    return torch.exp(2 * x[:, 0]) * torch.sin(2 * x[:, 1])


@pytest.fixture(scope="module")
def square():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Rectangle((0, 0), (1, 1)), spacing=0.06)
    pde = dtpinn.Poisson(0.0, dtpinn.Dirichlet(lambda x, n: harmonic(x)))
    return dtpinn.discretize(pde, nodes, order=3)


def network(seed=0, width=16):
    return dtpinn.MLP(2, width=width, depth=1, seed=seed)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-4])
def test_it_ends_once_the_model_is_as_right_as_that(square, tolerance):
    g = torch.Generator().manual_seed(0)
    points = torch.rand(1000, 2, generator=g, dtype=torch.float64)
    result = dtpinn.fit(network(), square, tolerance=tolerance)
    assert result.relative_error(harmonic, points) < tolerance
    assert 2 * result.estimated_error <= tolerance
    assert result.epochs < 300  # of 5,100: it did not go on
    assert "as was asked for" in result.stop_reason
    assert result.summary()["estimated_relative_l2_error"] == result.estimated_error


def test_without_a_tolerance_nothing_has_changed(square):
    result = dtpinn.fit(network(), square, 2)
    assert [stage.optimizer for stage in result.stages] == ["LBFGS"]
    assert result.estimated_error is None


UNREACHED = {
    "floor": (["gauss-newton"], 60, 16, 'optimizer="defect-correction"'),
    "time": (["gauss-newton", "defect-correction"], [20, 3], 16, "more epochs"),
    "network": (["gauss-newton", "defect-correction"], [20, 1500], 2, "wider network"),
}


@pytest.mark.parametrize("case", mostly_full(UNREACHED, {"floor", "time"}.__contains__))
def test_where_it_is_not_reached_it_says_why_and_what_to_do(square, case):
    optimizer, epochs, width, remedy = UNREACHED[case]
    with pytest.warns(NotReached, match=r"1.0e-09 was asked for") as told:
        result = dtpinn.fit(
            network(width=width), square, epochs, optimizer=optimizer, tolerance=1e-9
        )
    assert remedy in str(told[0].message)
    assert result.estimated_error > 1e-9


def test_a_run_that_goes_on_from_its_checkpoint_ends_where_it_would_have(square, tmp_path):
    path = tmp_path / "checkpoint.pt"
    whole = dtpinn.fit(network(), square, tolerance=1e-4, checkpoint=path)
    part = network()
    stop = lambda result: result.epochs >= 30  # noqa: E731
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dtpinn.fit(part, square, tolerance=1e-4, callbacks=[stop], checkpoint=path)
    rest = dtpinn.fit(network(), square, tolerance=1e-4, checkpoint=path, resume=path)
    assert rest.epochs == whole.epochs > 30
    again = dtpinn.fit(network(), square, tolerance=1e-4, resume=path)
    assert again.epochs == rest.epochs  # there already
    assert rest.estimated_error == whole.estimated_error
    assert torch.equal(
        *(torch.cat([p.flatten() for p in r.model.parameters()]) for r in (whole, rest))
    )


def test_it_is_looked_at_when_the_loss_has_fallen_fourfold_in_its_stage():
    def due(*losses):
        records = [Record(stage, k, k, 0.0, loss, {}, None, {}) for k, (stage, loss) in
                   enumerate(losses)]  # fmt: skip
        history = History()
        for record in records:
            history.append(record)
        return _is_due(history)

    assert due((1, 1.0))
    assert not due((1, 1.0), (1, 0.3))
    assert due((1, 1.0), (1, 0.3), (1, 0.25))
    assert not due((1, 1.0), (1, 0.25), (1, 0.2))
    assert due((1, 1.0), (2, 5.0))  # a loss of its own


def test_estimates_of_a_network_of_many_parameters_are_believed_less(square):
    assert Goal(1e-3, square, network()).safety == 2.0
    assert Goal(1e-3, square, network(width=200)).safety == 6.0


@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan"), "1e-8", True])
def test_a_tolerance_that_makes_no_sense_is_refused(square, tolerance):
    with pytest.raises(ValueError, match="tolerance must be"):
        dtpinn.fit(network(), square, tolerance=tolerance)


def test_a_problem_that_tells_no_errors_is_refused_before_training(nodes):
    pde = dtpinn.Poisson.from_solution(sine_cosine)
    for problem in (
        dtpinn.vanilla(pde, nodes),
        dtpinn.discretize(pde, nodes, dtype=torch.float32),
    ):
        with pytest.raises(ValueError, match=r"tolerance needs .* problem.estimate"):
            dtpinn.fit(network().to(problem.dtype), problem, tolerance=1e-3)
