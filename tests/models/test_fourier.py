"""The perceptron on Fourier features: its waves, and what they are good for."""

from __future__ import annotations

import pytest
import torch

import dtpinn
from dtpinn.models import MLP, FourierMLP


def test_it_is_a_perceptron_of_cosines_and_sines():
    model = FourierMLP(2, width=7, depth=2, fields=3, seed=0)
    x = torch.rand(5, 2, dtype=torch.float64)
    phases = x @ model.waves.T
    h = torch.cat([phases.cos(), phases.sin()], 1)
    for layer in list(model.layers)[:-1]:
        h = torch.tanh(h @ layer.weight.T + layer.bias)
    torch.testing.assert_close(model(x), h @ model.layers[-1].weight.T + model.layers[-1].bias)
    assert FourierMLP(2, width=1, depth=1)(x).shape == (5,)


def test_waves_are_as_wide_as_asked_drawn_from_the_seed_and_never_trained():
    model = FourierMLP(2, width=4000, depth=1, bandwidth=3.0, seed=1)
    assert model.waves.shape == (2000, 2)
    assert abs(model.waves.std().item() - 3.0) < 0.15  # 64 times its 4,000th root
    again = FourierMLP(2, width=4000, depth=1, bandwidth=3.0, seed=1, dtype=torch.float32)
    assert torch.equal(model.waves, again.waves.double())
    assert "waves" in model.state_dict()
    assert "waves" not in dict(model.named_parameters())


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, float("inf"), float("nan"), "1", True])
def test_a_bandwidth_that_cannot_be_is_refused(bandwidth):
    with pytest.raises((TypeError, ValueError), match="FourierMLP: expected bandwidth to be"):
        FourierMLP(2, bandwidth=bandwidth)


@pytest.mark.full
def test_it_learns_what_a_perceptron_of_as_many_parameters_does_not():
    """Of two scales: here 0.02 against 0.2, with other seeds 0.03 to 0.1 against 0.3 to 0.7."""

    def u(x):
        return torch.sin(2 * x[:, 0]) + 0.3 * torch.sin(12 * x[:, 0]) * torch.cos(9 * x[:, 1])

    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), count=500)
    problem = dtpinn.discretize(dtpinn.Poisson.from_solution(u), nodes, order=4)
    mlp = MLP(2, width=110, depth=1, seed=0)
    fourier = FourierMLP(2, width=20, depth=1, seed=0)
    assert len({sum(p.numel() for p in model.parameters()) for model in (mlp, fourier)}) == 1
    errors = [
        dtpinn.fit(model, problem, 15, exact=u, every=100).history[-1].error
        for model in (mlp, fourier)
    ]
    assert errors[1] < errors[0] / 4
