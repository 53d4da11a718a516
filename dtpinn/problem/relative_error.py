"""The relative l2 error of a model, where the solution is known."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Exact = Callable[..., Tensor]


def relative_error(model: Callable[[Tensor], Tensor], exact: Exact, points: Tensor) -> float:
    """Return |model - exact| / |exact| in l2 over points (n, inputs)."""
    with torch.no_grad():
        return relative_distance(model(points), exact(points))


def relative_distance(found: Tensor, wanted: Tensor) -> float:
    """Return |found - wanted| / |wanted| in l2; shapes (n,) and (n, 1) are the same to it."""
    wanted = checked_exact(wanted)
    if wanted.numel() != found.numel():
        raise ValueError(
            f"exact returned shape {tuple(wanted.shape)} where the model has {tuple(found.shape)}"
        )
    return float((found.reshape(wanted.shape) - wanted).norm() / wanted.norm())


def checked_exact(wanted: object) -> Tensor:
    """Return what an exact solution has returned, if it is a tensor."""
    if not isinstance(wanted, Tensor):
        raise TypeError(
            f"exact must return a torch tensor, got {type(wanted).__name__}; write it with torch "
            "functions of the points"
        )
    if wanted.is_complex():
        raise TypeError(
            "exact returned complex numbers, and models and solutions are real, of dtpinn.Complex "
            "pairs of fields; give dtpinn.pde.to_real(values), or compare to_complex(u) with them"
        )
    return wanted.detach()
