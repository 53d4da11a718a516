"""Diffusion in a medium that varies: div(k grad u), with the gradient of k."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from dtpinn.pde.coefficients import Checked
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.known import Known
from dtpinn.pde.row_gradients import row_gradients


def diffusion(k: Checked, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
    """Return div(k grad u) = k Laplacian u + grad k . grad u, for u (n,).

    By the product rule and not by two steps of differences: the stencils are as wide as those of
    the Laplacian, and the order is the same.
    """
    if isinstance(k, (float, Tensor)):
        return D.laplacian(u) if isinstance(k, float) and k == 1.0 else k * D.laplacian(u)
    value, slopes = with_gradient(k, x, *t)
    return value * D.laplacian(u) + (slopes * D.gradient(u)).sum(1)


def with_gradient(k: Checked, x: Tensor, *t: Tensor) -> tuple[Tensor, Tensor]:
    """Return a coefficient that is no constant, (n,), and its gradient, (n, d).

    A known function is evaluated and differentiated once per point set, an ``nn.Module``, which
    learns, in every step; its gradient, by automatic differentiation or by a method of its own, is
    differentiable in what is learnt.
    """
    own = getattr(k, "gradient", None)
    if isinstance(k, Known) or own is not None:
        return by_point(k(x, *t), x, k), own(x, *t)  # type: ignore[misc, operator]
    assert isinstance(k, Callable)  # type: ignore[arg-type]
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        at = x.detach().requires_grad_()
        value = by_point(k(at, *t), x, k)  # type: ignore[operator]
        slopes = row_gradients(value, at)
    return (value, slopes) if again else (value.detach(), slopes.detach())


def by_point(value: Tensor, x: Tensor, k: object) -> Tensor:
    """Return the values of a coefficient: a number everywhere, or one for each point.

    Networks return (n, 1).

    Raises
    ------
    ValueError
        If they are neither.
    """
    if value.dim() == 2 and value.shape[1] == 1:
        value = value[:, 0]
    if value.dim() > 1 or (value.dim() == 1 and len(value) not in (1, len(x))):
        raise ValueError(
            f"{k}: a coefficient of an equation must be one number per point, (n,), got "
            f"{tuple(value.shape)} for points of shape {tuple(x.shape)}; a conductivity that "
            "differs with the direction is written as a flux, D.divergence(lambda u, D, x: ...)"
        )
    return value
