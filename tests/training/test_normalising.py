"""A network that is normalised to its problem, and when it is not."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.models import NETWORKS, Normalised
from dtpinn.training import normalise


@pytest.fixture(scope="module")
def problem():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(1e-3, (5.0, 0.0)), spacing=2e-4)
    warm = dtpinn.Dirichlet(lambda x, n: 300.0 + n[:, 0])
    return dtpinn.discretize(dtpinn.Poisson(None, warm), nodes)


@pytest.fixture(params=NETWORKS)
def make(request):
    return NETWORKS[request.param]


def test_points_and_values_become_of_size_one(make, problem):
    """The box becomes [-2, 2]; a network of zeros is the mean of the data."""
    model = make(2, width=8, depth=1, seed=0)
    assert normalise(model, problem)
    seen = model.normalisation.inwards(problem.points)
    assert seen.amin(0).tolist() == pytest.approx([-2.0, -2.0])
    assert seen.amax(0).tolist() == pytest.approx([2.0, 2.0])
    with torch.no_grad():
        model.layers[-1].weight.zero_()
        model.layers[-1].bias.zero_()
    assert model(problem.points).tolist() == pytest.approx([300.0] * problem.nodes.count, abs=0.1)
    assert 0.3 < model.normalisation.unit.item() < 3.0


def test_it_goes_wherever_the_network_goes(make, problem):
    model = make(2, width=8, depth=1, seed=0)
    normalise(model, problem)
    twin = make(**model.config())
    twin.load_state_dict(model.state_dict())
    x = problem.points
    for other in (twin, copy.deepcopy(model)):
        torch.testing.assert_close(other(x), model(x))
        assert not normalise(other, problem)
    assert not any("normalisation" in name for name, _ in model.named_parameters())
    single = copy.deepcopy(model).to(torch.float32)
    assert single(x.float()).dtype == torch.float32


def test_fit_normalises_what_has_not_learnt_yet_and_nothing_else(make, problem):
    fresh, raw = (
        make(2, width=8, depth=1, seed=0),
        make(2, width=8, depth=1, seed=0, normalise=False),
    )
    trained = make(2, width=8, depth=1, seed=0)
    with torch.no_grad():
        trained.layers[-1].bias.add_(0.1)
    for model in (fresh, raw, trained):
        dtpinn.fit(model, problem, 1)
    assert bool(fresh.normalisation.known)
    assert raw.normalisation is None
    assert not bool(trained.normalisation.known)
    before = fresh.normalisation.centre.clone()
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.25)
    other = dtpinn.discretize(dtpinn.Poisson(None, dtpinn.Dirichlet()), nodes)
    dtpinn.fit(fresh, other, 1)  # trained by now: what it has learnt is kept
    assert torch.equal(fresh.normalisation.centre, before)


def test_any_network_can_be_wrapped(problem):
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1)).double()
    model = Normalised(net, inputs=2)
    result = dtpinn.fit(model, problem, 30, optimizer="gauss-newton")
    assert bool(model.normalisation.known)
    assert result.distance < 1e-5  # of 300: the linear solution
    assert (
        dtpinn.fit(nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)).double(), problem, 1).epochs == 1
    )


def test_derivatives_in_one_forward_pass_see_the_same_network(make, problem):
    model = make(2, width=8, depth=2, seed=0)
    normalise(model, problem)
    both = [
        dtpinn.vanilla(problem.pde, problem.nodes, mode=mode).residuals(model)
        for mode in ("reverse", "forward")
    ]
    for name, r in both[0].items():
        assert (r - both[1][name]).abs().max() < 1e-11 * r.abs().max(), name
