"""The data that make a chosen function the solution of a problem: f, g and u_0 from u.

Whatever an equation leaves over at the chosen function becomes its source, and likewise for its
conditions. The derivatives are exact, by automatic differentiation.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dtpinn.pde.automatic_derivatives import AutomaticDerivatives
from dtpinn.pde.known import check_arguments

Solution = Callable[..., Tensor]
Residual = Callable[..., Tensor]


def at_solution(
    u: Solution, residual: Residual, x: Tensor, normals: Tensor | None, t: Tensor | None
) -> Tensor:
    """Return a residual at a known function: (n,) or (n, equations), without gradient.

    Parameters
    ----------
    u : callable
        x (n, d) -> (n,) or (n, fields), (x, t) in space-time.
    residual : callable
        ``residual(u, D, x)``, with the normals and the times after x where there are any. What it
        learns must not be learnt from here: the caller passes a frozen copy.
    x : (n, d)
    normals : (n, d) or None
    t : (n,) or None

    Examples
    --------
    >>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> u = lambda x: x[:, 0] ** 2 * x[:, 1]
    >>> at_solution(u, lambda u, D, x: D.laplacian(u), x, None, None)
    tensor([4., 8.])
    """
    with torch.enable_grad():
        points = [p.detach().requires_grad_() for p in (x, t) if p is not None]
        check_arguments(u, "the solution u", "x, t", *points)
        values = _checked(u(*points), points)
        D = AutomaticDerivatives(values, points[0], normals, None if t is None else points[1], u)
        data = [part for part in (x, normals, t) if part is not None]
        return residual(values, D, *data).detach()


def source(u: Solution, residual: Residual) -> Callable[..., Tensor]:
    """Return what `residual` leaves over at u, as a function of x, and of t in space-time."""

    def f(x: Tensor, *t: Tensor) -> Tensor:
        return at_solution(u, _moved(residual, x), x, None, *t or (None,))

    return f


def boundary_data(u: Solution, condition: Residual) -> Callable[..., Tensor]:
    """Return what `condition` leaves over at u, as a function of x, normals and possibly t."""

    def g(x: Tensor, normals: Tensor, *t: Tensor) -> Tensor:
        return at_solution(u, _moved(condition, x), x, normals, *t or (None,))

    return g


def initial_residual(u: Solution, initial: Residual, start: float) -> Callable[[Tensor], Tensor]:
    """Return what ``initial(u, D, x)`` leaves over at u and the first of the times."""

    def u0(x: Tensor) -> Tensor:
        condition = _moved(initial, x)
        at_start = lambda u, D, x, t: condition(u, D, x)  # noqa: E731
        return at_solution(u, at_start, x, None, torch.full_like(x[:, 0], start))

    return u0


def initial_data(u: Solution, start: float) -> Callable[[Tensor], Tensor]:
    """Return u at the first of the times, as a function of x."""
    return initial_residual(u, lambda u, D, x: u, start)


def initial_rate(u: Solution, start: float) -> Callable[[Tensor], Tensor]:
    """Return du/dt at the first of the times, as a function of x."""
    return initial_residual(u, lambda u, D, x: D.time(u), start)


def in_space_time(u: Solution) -> Solution:
    """Return u(x, t) as a function of points (n, d + 1), such as ``fit(exact=...)`` measures with.

    Examples
    --------
    >>> in_space_time(lambda x, t: x[:, 0] * t)(torch.tensor([[2.0, 0.0, 3.0]]))
    tensor([6.])
    """
    return lambda points: u(points[:, :-1], points[:, -1])


def _moved(residual: Residual, x: Tensor) -> Residual:
    """Coefficients follow the points to their device: nobody else knows of the frozen copy."""
    owner = getattr(residual, "__self__", residual)
    if isinstance(owner, nn.Module):
        owner.to(x.device)
    return residual


def _checked(values: Tensor, points: list[Tensor]) -> Tensor:
    if values.dim() not in (1, 2) or len(values) != len(points[0]):
        shapes = " and ".join(str(tuple(p.shape)) for p in points)
        raise ValueError(
            "manufactured solution: u must map points (n, d) to (n,), or to (n, fields) for a "
            f"system; got shape {tuple(values.shape)} for points of shape {shapes}"
        )
    return values
