"""Coefficients of equations and conditions: numbers, unknown numbers, functions of the points."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from dtpinn.pde.known import Known

Constant = float | Tensor
Coefficient = Constant | complex | Callable[..., Tensor]
Checked = float | complex | nn.Parameter | nn.Module | Known


def constant(name: str, coefficient: Constant) -> float | nn.Parameter:
    """Return a coefficient that is the same everywhere: a number, or an unknown one.

    Raises
    ------
    TypeError
        Unless it is a number or a scalar ``nn.Parameter``.
    """
    if isinstance(coefficient, nn.Parameter) and coefficient.numel() == 1:
        return coefficient
    try:
        return float(coefficient)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"{name} must be a number or a scalar nn.Parameter, got {coefficient!r}"
        ) from None


def checked(name: str, coefficient: Coefficient) -> Checked:
    """Return a coefficient as an equation holds it: a constant, or a function of the points.

    What an ``nn.Module`` holds is to be learnt, so that it is evaluated in every step. Any other
    function is known, and evaluated once per point set. A complex number is one of an equation in
    :class:`~dtpinn.pde.Complex`.
    """
    if isinstance(coefficient, (nn.Module, Known, complex)):
        return coefficient
    return Known(coefficient) if callable(coefficient) else constant(name, coefficient)


def at(coefficient: Checked, like: Tensor, *points: Tensor) -> float | complex | Tensor:
    """Return a coefficient's value, to be multiplied with a tensor (n,) or (n, fields).

    Examples
    --------
    >>> import torch
    >>> at(checked("k", lambda x: x[:, 0]), torch.ones(2, 3), torch.tensor([[1.0], [2.0]]))
    tensor([[1.],
            [2.]])
    """
    if isinstance(coefficient, (float, complex, Tensor)):
        return coefficient
    value: Tensor = coefficient(*points)
    return value[:, None] if value.dim() < like.dim() else value


def vanishes(coefficient: Checked) -> bool:
    """Whether a coefficient is 0 by construction, so that its term need not be computed."""
    return isinstance(coefficient, float) and coefficient == 0.0
