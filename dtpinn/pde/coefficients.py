"""Coefficients of equations and conditions: numbers, unknown numbers, functions of the points."""

from __future__ import annotations

import inspect
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


def of_place(name: str, coefficient: Coefficient) -> Checked:
    """Return a coefficient as `checked`; one of x alone need not take normals, or the time.

    So what an equation has as its conductivity is a coefficient of its conditions as it stands, and
    that of a steady equation one of an equation in time.

    Examples
    --------
    >>> import torch
    >>> k = of_place("Robin: alpha", lambda x: x[:, 0])
    >>> k(torch.ones(2, 3), torch.zeros(2, 3))
    tensor([1., 1.])
    """
    if isinstance(coefficient, Tensor) or not callable(coefficient) or not _takes_one(coefficient):
        return checked(name, coefficient)
    alone = (Differentiated if hasattr(coefficient, "gradient") else OfPoints)(coefficient)
    return alone if isinstance(coefficient, nn.Module) else Known(alone)


class OfPoints(nn.Module):
    """A function of the points alone, called with normals, and in space-time times, as well.

    Parameters
    ----------
    function : callable
        x (n, d) -> (n,).
    """

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        """Return the function's values at x; of a network's (n, 1) the column."""
        value: Tensor = self.function(x)
        return value[:, 0] if value.dim() == 2 and value.shape[1] == 1 else value

    def __repr__(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))


class Differentiated(OfPoints):
    """The same of a function that has a gradient of its own."""

    def gradient(self, x: Tensor, *others: Tensor) -> Tensor:
        """Return its gradient (n, d) at x."""
        result: Tensor = self.function.gradient(x)  # type: ignore[attr-defined]
        return result


def _takes_one(function: Callable[..., Tensor]) -> bool:
    """Whether it can be called with x, and not with x and normals."""
    try:
        signature = inspect.signature(getattr(function, "forward", function))
    except ValueError:
        return False  # written in C, which does not tell
    takes = []
    for count in (1, 2):
        try:
            signature.bind(*[None] * count)
        except TypeError:
            takes.append(False)
        else:
            takes.append(True)
    return takes == [True, False]


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
