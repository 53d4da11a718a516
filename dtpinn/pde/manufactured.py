"""Exact derivatives of a known function of the points, by automatic differentiation.

They turn a chosen solution into the data of a problem that it solves (the method of manufactured
solutions): f = L u in the domain, g = B u on its boundary.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from dtpinn.pde.autodiff import row_gradients

Solution = Callable[..., Tensor]


def gradient(u: Solution, x: Tensor) -> Tensor:
    """Return grad u (n, d) at x (n, d), for u: (n, d) -> (n,)."""
    with torch.enable_grad():
        points = x.detach().requires_grad_()
        return row_gradients(_checked(u, points), points).detach()


def laplacian(u: Solution, x: Tensor) -> Tensor:
    """Return the Laplacian of u (n,) at x (n, d), for u: (n, d) -> (n,).

    Examples
    --------
    >>> import torch
    >>> laplacian(lambda x: x[:, 0] ** 2 + 3 * x[:, 1] ** 2, torch.zeros(2, 2))
    tensor([8., 8.])
    """
    with torch.enable_grad():
        points = x.detach().requires_grad_()
        first = row_gradients(_checked(u, points), points)
        total = torch.zeros(len(points), dtype=x.dtype, device=x.device)
        for axis in range(points.shape[1]):
            total = total + row_gradients(first[:, axis], points)[:, axis]
        return total.detach()


def normal_derivative(u: Solution, x: Tensor, normal: Tensor) -> Tensor:
    """Return n . grad u (n,) at x (n, d) with unit normals (n, d)."""
    return (gradient(u, x) * normal).sum(-1)


def _checked(u: Solution, points: Tensor) -> Tensor:
    values = u(points)
    if values.shape != (len(points),):
        raise ValueError(
            f"manufactured solution: u must map points (n, d) to (n,), got shape "
            f"{tuple(values.shape)} for points of shape {tuple(points.shape)}"
        )
    return values
