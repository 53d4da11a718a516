"""Known solutions that the paper's experiments are measured against."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def sine_cosine(x: Tensor) -> Tensor:
    """Return 1 + sin(pi x_1) cos(pi x_2), equation (19), at x (n, 2).

    Examples
    --------
    >>> import torch
    >>> sine_cosine(torch.tensor([[0.5, 0.0], [0.0, 1.0]]))
    tensor([2., 1.])
    """
    return 1.0 + torch.sin(math.pi * x[..., 0]) * torch.cos(math.pi * x[..., 1])


def sine_cosine_sine(x: Tensor, t: Tensor) -> Tensor:
    """Return 1 + sin(pi x_1) cos(pi x_2) sin(pi t), equation (20), at x (n, 2) and t (n,).

    Examples
    --------
    >>> import torch
    >>> sine_cosine_sine(torch.tensor([[0.5, 0.0], [0.5, 0.0]]), torch.tensor([0.0, 0.5]))
    tensor([1., 2.])
    """
    waves = torch.sin(math.pi * x[..., 0]) * torch.cos(math.pi * x[..., 1])
    return 1.0 + waves * torch.sin(math.pi * t)
