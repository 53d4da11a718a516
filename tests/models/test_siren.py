"""The perceptron of sines: its layers, and that its initial weights keep the size of its waves."""

from __future__ import annotations

import math

import pytest
import torch

from dtpinn.models import Siren


def test_it_is_a_perceptron_of_sines_of_omega_times_affine_maps():
    model = Siren(2, width=7, depth=2, fields=3, omega=4.0, seed=0)
    h = x = torch.rand(5, 2)
    for layer in list(model.layers)[:-1]:
        h = torch.sin(4.0 * (h @ layer.weight.T + layer.bias))
    torch.testing.assert_close(model(x), h @ model.layers[-1].weight.T + model.layers[-1].bias)


@pytest.mark.parametrize("omega", [1.0, 30.0])
def test_initial_weights_are_within_their_bounds_and_fill_them(omega):
    first, *later = Siren(2, width=400, depth=3, omega=omega, seed=0).layers
    for layer, bound in [(first, 0.5), *((layer, math.sqrt(6 / 400) / omega) for layer in later)]:
        assert 0.98 * bound < layer.weight.abs().max() <= bound


def test_what_a_sine_is_of_has_variance_one_however_deep_it_is():
    """Theorem 1.8 of the paper, which is about the weights; those of `nn.Linear` die out."""
    model = Siren(2, width=400, depth=8, omega=30.0, seed=0)
    h = 2 * torch.rand(500, 2) - 1
    spreads = []
    for layer in list(model.layers)[:-1]:
        spreads.append((30.0 * h @ layer.weight.T).std().item())
        h = torch.sin(30.0 * layer(h)).detach()
    assert spreads[1:] == pytest.approx([1.0] * 7, rel=0.1)


@pytest.mark.parametrize("omega", [0.0, -1.0, float("inf"), float("nan"), "1", True])
def test_an_omega_that_cannot_be_is_refused(omega):
    with pytest.raises((TypeError, ValueError), match="Siren: expected omega to be"):
        Siren(2, omega=omega)
