"""The paper's network: its size, its layers, its initial weights, its activations."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dtpinn.models import MLP


def test_the_papers_network_has_7851_parameters_and_7901_with_time():
    assert sum(p.numel() for p in MLP(2).parameters()) == 7851
    assert sum(p.numel() for p in MLP(3).parameters()) == 7901


def test_it_is_the_composition_of_affine_maps_and_tanh():
    model = MLP(2, width=7, depth=2, fields=3, seed=0)
    x = torch.rand(5, 2, dtype=torch.float64)
    h = x
    for layer in list(model.layers)[:-1]:
        h = torch.tanh(h @ layer.weight.T + layer.bias)
    expected = h @ model.layers[-1].weight.T + model.layers[-1].bias
    torch.testing.assert_close(model(x), expected)


def test_initial_weights_are_those_of_linear_layers_built_after_manual_seed():
    model = MLP(2, width=8, depth=2, seed=5)
    torch.manual_seed(5)
    layers = [nn.Linear(a, b, dtype=torch.float32) for a, b in ((2, 8), (8, 8), (8, 1))]
    for ours, plain in zip(model.layers, layers, strict=True):
        assert torch.equal(ours.weight, plain.weight.double())
        assert torch.equal(ours.bias, plain.bias.double())


@pytest.mark.parametrize("activation", [torch.tanh, nn.Tanh, "tanh", nn.Tanh()])
def test_tanh_in_any_spelling(activation):
    x = torch.rand(3, 2, dtype=torch.float64)
    torch.testing.assert_close(MLP(2, activation=activation, seed=0)(x), MLP(2, seed=0)(x))


def test_an_activation_without_a_name_is_kept_as_it_is():
    def cube(x):
        return x**3

    assert MLP(**MLP(2, activation=cube).config()).activation is cube
