"""Flux: what is written with derivatives, differentiated once more by the chain rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dtpinn.operators import Operator, partial
from dtpinn.operators.factors import Along


@dataclass(frozen=True)
class Used:
    """What a flux has used of the unknown: an operator's values, or (the identity) its own.

    Attributes
    ----------
    operator : Operator
    of : the unknown, or a function of it; kept so that its id stays its own
    values : (n,) or (n, components) Tensor
        As the flux received them; nothing else is computed from these.
    """

    operator: Operator
    of: Any
    values: Tensor


class Flux:
    """A pointwise function q of the unknown, its derivatives and the points; and d q / dx_i.

    With z_k for everything that it has used, ``dq/dx_i = sum_k  dq/dz_k  dz_k/dx_i  +  dq/dx_i``:
    the slopes are exact, and of the unknown no more is needed than one derivative further.

    Parameters
    ----------
    values : (n, ...)
        What the function has returned.
    x : (n, d)
        The points as it received them.
    used : sequence of Used
    tangent : callable
        ``tangent(used, axis)``: the derivative along an axis of something that was used.
    """

    def __init__(
        self,
        values: Tensor,
        x: Tensor,
        used: Sequence[Used],
        tangent: Callable[[Used, int], Tensor],
    ) -> None:
        self.values = values
        self._shape, self._x, self._used, self._tangent = values.shape, x, used, tangent
        with torch.enable_grad():  # whatever the caller does with the result
            self._columns = values.reshape(len(values), -1).unbind(1)

    def along(self, axis: int) -> Tensor:
        """Return the derivative along an axis, of the shape of the values."""
        return torch.stack([self._along(c, axis) for c in self._columns], 1).reshape(self._shape)

    def divergence(self) -> Tensor:
        """Return the divergence over the last dimension: (n,), or (n, equations)."""
        dimension, shape = self._x.shape[1], tuple(self._shape)
        if len(shape) not in (2, 3) or shape[-1] != dimension:
            raise ValueError(
                f"D.divergence: a flux must be (n, {dimension}), or (n, equations, {dimension}), "
                f"one component per axis; got {shape}. k(x) (n,) times D.gradient(u) is "
                "k(x)[:, None] * D.gradient(u)"
            )
        diagonal = torch.stack([self._along(c, k % dimension) for k, c in enumerate(self._columns)])
        by_equation = diagonal.reshape(-1, dimension, shape[0]).sum(1).T
        return by_equation[:, 0] if len(shape) == 2 else by_equation

    def explicit_slopes(self, component: int) -> Tensor:
        """Return how a component changes with x, (n, d), where all that it has used stays."""
        slopes = self._slopes(self._columns[component])[0]
        return torch.zeros_like(self._x) if slopes is None else slopes

    def _slopes(self, column: Tensor) -> tuple[Tensor | None, ...]:
        """In x, and in everything used; None where the column does not depend on it."""
        inputs = [self._x, *(one.values for one in self._used)]
        if not column.requires_grad:
            return (None,) * len(inputs)
        again = torch.is_grad_enabled()
        with torch.enable_grad():
            # Row i depends on row i alone, so the gradient of the sum holds all slopes.
            return torch.autograd.grad(
                column.sum(), inputs, allow_unused=True, retain_graph=True, create_graph=again
            )

    def _along(self, column: Tensor, axis: int) -> Tensor:
        total = torch.zeros_like(column)
        explicit, *slopes = self._slopes(column)
        if explicit is not None:
            total = total + explicit[:, axis]
        for one, slope in zip(self._used, slopes, strict=True):
            if slope is not None:
                part = slope * self._tangent(one, axis)
                total = total + (part if part.dim() == 1 else part.sum(1))
        return total


def apart(values: Tensor) -> Tensor:
    """Return the same values, to be differentiated in, and with nothing computed from them yet."""
    return values.view_as(values) if values.requires_grad else values.detach().requires_grad_()


def differentiated(operator: Operator, axis: int) -> Operator:
    """Return the derivative of an operator along an axis.

    Examples
    --------
    >>> from dtpinn.operators import identity, laplacian
    >>> differentiated(identity, 1), differentiated(partial(1), 0), differentiated(laplacian, 0)
    (partial(1), partial(0, 1), partial(0) @ laplacian)
    """
    first = partial(axis)
    if len(operator.products) == 1:
        factors = operator.products[0]
        axes = [
            f.direction for f in factors if isinstance(f, Along) and isinstance(f.direction, int)
        ]
        if len(axes) == len(factors):
            return partial(axis, *axes)  # the one name that mixed derivatives have
    return first @ operator
