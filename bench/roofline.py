"""How fast the processor multiplies, and how much of it a network's matrices ask for."""

from __future__ import annotations

import torch
from torch import nn

SIZE = 1500  # of a product of dense matrices whose rate is what the floating point units give
PRODUCT = 2.0 * SIZE**3  # its operations


def dense_product(dtype: torch.dtype | None = None):
    """A call that multiplies two matrices of SIZE."""
    a = torch.randn(SIZE, SIZE, dtype=dtype)
    return lambda: a @ a


def operations(model: nn.Module, points: int, passes: int = 1) -> float:
    """Of values and gradient: forward, and twice that backward but for the points' gradient.

    With a derivative in time beside the values there are two `passes`.
    """
    sizes = [p.numel() for p in model.parameters() if p.dim() == 2]
    return 2.0 * points * passes * (3 * sum(sizes) - sizes[0])
