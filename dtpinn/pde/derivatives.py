"""``D``: the derivatives that a residual sees, the same words on every backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dtpinn.pde import operators
from dtpinn.pde.operators import Operator

Argument = Tensor | Callable[..., Tensor]


class Derivatives(ABC):
    """Derivatives of the unknown on one region (all collocation points, or a part of the boundary).

    Every method takes the unknown ``u`` that the residual received, or a pointwise function of it,
    ``lambda u, x: ...`` (``lambda u, x, t: ...`` in space-time), and returns one row per point of
    the region: (n,) for a scalar, (n, fields) for a system. Components are taken afterwards:
    ``D.laplacian(u)[:, 0]``. Anything else is a TypeError: on a point cloud the derivative of an
    arbitrary tensor is not known, because its values at neighbouring points are not.
    """

    dimension: int

    @abstractmethod
    def apply(self, operator: Operator, of: Argument) -> Tensor:
        """Return a linear spatial operator applied to the unknown or a function of it."""

    @abstractmethod
    def time(self, of: Argument) -> Tensor:
        """Return the derivative in time, by automatic differentiation on every backend."""

    def laplacian(self, of: Argument) -> Tensor:
        """Return the sum of the second derivatives."""
        return self.apply(operators.laplacian(self.dimension), of)

    def biharmonic(self, of: Argument) -> Tensor:
        """Return the Laplacian of the Laplacian."""
        return self.apply(operators.biharmonic(self.dimension), of)

    def partial(self, of: Argument, *axes: int) -> Tensor:
        """Return the derivative along each of `axes`: ``D.partial(u, 0, 1)`` is u_xy."""
        return self.apply(operators.partial(self.dimension, *axes), of)

    def gradient(self, of: Argument) -> Tensor:
        """Return all first derivatives, in a new last dimension: (n, d) or (n, fields, d)."""
        return torch.stack([self.partial(of, axis) for axis in range(self.dimension)], dim=-1)

    def divergence(self, of: Argument) -> Tensor:
        """Return div u (n,) of an unknown with one field per axis."""
        columns = [self.partial(of, axis) for axis in range(self.dimension)]
        if any(c.dim() != 2 or c.shape[1] != self.dimension for c in columns):
            raise TypeError(
                f"D.divergence: the unknown must have {self.dimension} fields, "
                f"one per axis, got shape {tuple(columns[0].shape)}"
            )
        return torch.stack([c[:, axis] for axis, c in enumerate(columns)]).sum(0)

    def normal(self, of: Argument) -> Tensor:
        """Return the derivative along the outward normal; on the boundary only."""
        return self.apply(operators.NORMAL, of)


def check_pointwise(
    of: Callable[..., Tensor], values: Tensor, unknown: Tensor, at: Sequence[Tensor], name: str
) -> None:
    """Raise ValueError unless a function of the unknown has the same values among other points.

    Parameters
    ----------
    of : callable
    values : (n, ...)
        What it returned for ``of(unknown, *at)``.
    unknown, at
        Of n rows each.
    name : str
        Of the derivative that it is for.
    """
    n = len(unknown)
    # Few, so that a maximum is hardly ever among them; the first one is not the first.
    some = torch.tensor([n // 2, n // 8, 7 * n // 8], device=unknown.device)
    with torch.no_grad():
        among, alone = values[some], of(unknown[some], *(rows[some] for rows in at))
        size = values.abs().max() * torch.finfo(values.dtype).eps ** 0.5
        differs = alone.shape != among.shape or bool(((alone - among).abs() > size).any())
    if differs:
        raise ValueError(
            f"D.{name}: the function of the unknown must be pointwise, but it has other values "
            "among other points; take means, sums, flips and sorts along the first dimension out "
            "of it"
        )


def check_argument(of: object, unknown: Tensor, name: str) -> None:
    """Raise TypeError unless `of` is the unknown itself or a function of it."""
    if of is unknown or callable(of):
        return
    got = f"tensor of shape {tuple(of.shape)}" if isinstance(of, Tensor) else type(of).__name__
    raise TypeError(
        f"D.{name}: expected the unknown u itself or a function of it, got another {got}. "
        f"Take components afterwards, D.{name}(u)[:, 0]; for the derivative of an expression "
        f"pass a function, D.{name}(lambda u, x: u**3)."
    )
