"""Perceptrons for the tests of the fused network, and how anybody would write them with torch."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

# Of every remainder of the kernels' blocks there is one: of outputs, inputs and points.
SHAPES = {
    "the paper's": [2, 50, 50, 50, 50, 1],
    "Gauss-Newton's": [2, 64, 1],
    "no hidden layer": [3, 2],
    "a layer of no width": [2, 3, 0, 2],
    "narrow": [1, 1, 2, 3, 2],
    "odd": [3, 7, 13, 5, 4],
    "wide": [5, 301, 11, 3],
}


def draw(widths, n, dtype=torch.float64, tangents=0, seed=0):
    """Points, directions, parameters and normalisation of a network."""
    g = torch.Generator().manual_seed(seed)

    def normal(*size):
        return torch.randn(*size, generator=g, dtype=torch.float64).to(dtype)

    parameters = []
    for a, b in pairwise(widths):
        parameters += [normal(b, a) / max(a, 1) ** 0.5, normal(b)]
    around = [normal(widths[0]), normal(widths[0]), normal(widths[-1]), normal(widths[-1])]
    return normal(n, widths[0]), normal(tangents, n, widths[0]), parameters, around


def plain(x, parameters, normalisation=()):
    """As anybody would write it with torch."""
    if normalisation:
        x = (x - normalisation[0]) * normalisation[1]
    for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
        x = torch.tanh(nn.functional.linear(x, weight, bias))
    x = nn.functional.linear(x, parameters[-2], parameters[-1])
    return x * normalisation[3] + normalisation[2] if normalisation else x


def plain_tangents(x, directions, parameters, normalisation=()):
    """J d for each direction d: the derivative in v of J'v, which a backward pass makes."""
    x = x if x.requires_grad else x.detach().requires_grad_()
    y = plain(x, parameters, normalisation)
    v = torch.zeros_like(y, requires_grad=True)
    (pulled,) = torch.autograd.grad(y, x, v, create_graph=True)
    pushed = [torch.autograd.grad(pulled, v, d, create_graph=True)[0] for d in directions]
    return torch.stack([y, *pushed])


def learn(*tensors):
    return [t.detach().clone().requires_grad_() for t in tensors]


def close(a, b, tolerance):
    """Relative to the size of the whole: single entries may cancel."""
    assert a.shape == b.shape
    assert float((a - b).norm()) <= tolerance * float(b.norm().clamp_min(1e-30))
