"""The perceptron on harmonics: periodic to rounding, with its derivatives, in whatever units."""

from __future__ import annotations

import math

import pytest
import torch

import dtpinn
from dtpinn.models import PeriodicMLP

PERIOD = 3e-5  # metres


@pytest.fixture
def trained():
    """On a strip whose first coordinate is periodic, in units that fit normalises."""

    def u(x):
        angle = 2 * math.pi * x[:, 0] / PERIOD
        return torch.exp(torch.cos(angle)) * torch.cos(2e5 * x[:, 1])

    strip = dtpinn.geometry.Rectangle((-0.5e-5, 0.0), (2.5e-5, 1e-5))
    nodes = dtpinn.place_nodes(strip, count=200)
    problem = dtpinn.discretize(dtpinn.Poisson.from_solution(u), nodes)
    model = PeriodicMLP(2, periods=(PERIOD, None), width=15, depth=1, seed=0)
    dtpinn.fit(model, problem, 20, optimizer="gauss-newton")
    assert model.normalisation.known
    return model


def test_values_and_derivatives_are_the_same_a_period_further(trained):
    x = torch.tensor([-0.5e-5, 0.0]) + 1e-5 * torch.rand(50, 2)

    def derivatives(x):
        x = x.clone().requires_grad_()
        u = trained(x)
        (first,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        second = [torch.autograd.grad(first[:, k].sum(), x, create_graph=True)[0] for k in (0, 1)]
        (third,) = torch.autograd.grad(second[0][:, 0].sum(), x)
        return u, first, *second, third

    for periods in (1, -2):
        moved = x + torch.tensor([periods * PERIOD, 0.0])
        for here, there in zip(derivatives(x), derivatives(moved), strict=True):
            assert (here - there).abs().max() < 1e-11 * here.abs().max()
    other = trained(x + torch.tensor([0.0, PERIOD]))  # not periodic in the other coordinate
    assert (other - trained(x)).abs().max() > 0.1 * trained(x).abs().max()


def test_it_is_a_perceptron_of_harmonics_and_of_what_is_not_periodic():
    model = PeriodicMLP(3, periods=(2.0, None, 5.0), harmonics=2, width=7, depth=1, seed=0)
    x = torch.rand(5, 3)
    angles = [2 * math.pi * k * x[:, i] / p for i, p in ((0, 2.0), (2, 5.0)) for k in (1, 2)]
    features = [torch.cos(a) for a in angles] + [torch.sin(a) for a in angles] + [x[:, 1]]
    first, last = model.layers
    wanted = last(torch.tanh(first(torch.stack(features, dim=1))))[:, 0]
    torch.testing.assert_close(model(x), wanted)


def test_periods_that_cannot_be_are_refused():
    for periods, error, message in [
        ((1.0,), ValueError, r"for each of the 2 inputs, got 1: \(1\.0,\)"),
        ((1.0, -1.0), ValueError, r"period to be finite and positive, got -1\.0"),
        ("ab", TypeError, "period to be a number, got 'ab'"),
        ((True, None), TypeError, "period to be a number, got True"),
    ]:
        with pytest.raises(error, match=f"PeriodicMLP: .*{message}"):
            PeriodicMLP(2, periods=periods)
    with pytest.raises(ValueError, match="harmonics to be at least 1, got 0"):
        PeriodicMLP(2, harmonics=0)
