"""``D``: the derivatives that a residual sees, the same words on every backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from dtpinn import operators
from dtpinn.operators import Operator

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
    def rate(self, of: Argument, order: int) -> Tensor:
        """Return what `time` does, for an order that has been checked."""

    def time(self, of: Argument, order: int = 1) -> Tensor:
        """Return the derivative in time, by automatic differentiation on every backend.

        ``D.time(u)`` is u_t, and ``D.time(u, 2)`` is u_tt.
        """
        if order not in (1, 2):
            raise ValueError(
                f"D.time(u, order): order must be 1 or 2, got {order!r}; for a higher one make the "
                "second a field of its own: fields = 2, with D.time(u, 2)[:, 0] - u[:, 1] as one "
                "equation"
            )
        return self.rate(of, int(order))

    def laplacian(self, of: Argument) -> Tensor:
        """Return the sum of the second derivatives."""
        return self.apply(operators.laplacian, of)

    def biharmonic(self, of: Argument) -> Tensor:
        """Return the Laplacian of the Laplacian."""
        return self.apply(operators.biharmonic, of)

    def partial(self, of: Argument, *axes: int) -> Tensor:
        """Return the derivative along each of `axes`: ``D.partial(u, 0, 1)`` is u_xy."""
        if not axes or any(not 0 <= axis < self.dimension for axis in axes):
            raise ValueError(
                "D.partial(u, axis, ...): expected one axis or more in "
                f"0..{self.dimension - 1}, got {axes}"
            )
        return self.apply(operators.partial(*axes), of)

    def gradient(self, of: Argument) -> Tensor:
        """Return all first derivatives, in a new last dimension: (n, d) or (n, fields, d)."""
        return torch.stack(self._first_derivatives(of, "gradient"), dim=-1)

    def divergence(self, of: Argument) -> Tensor:
        """Return div u (n,) of an unknown with one field per axis."""
        columns = self._first_derivatives(of, "divergence")
        if any(c.dim() != 2 or c.shape[1] != self.dimension for c in columns):
            raise TypeError(
                f"D.divergence: the unknown must have {self.dimension} fields, "
                f"one per axis, got shape {tuple(columns[0].shape)}"
            )
        return torch.stack([c[:, axis] for axis, c in enumerate(columns)]).sum(0)

    def normal(self, of: Argument) -> Tensor:
        """Return the derivative along the outward normal; on the boundary only."""
        return self.apply(operators.normal, of)

    def _first_derivatives(self, of: Argument, name: str) -> list[Tensor]:
        """The derivatives along the axes, for the word `name`, which messages then say."""
        try:
            return [self.partial(of, axis) for axis in range(self.dimension)]
        except WrongArgument as error:
            raise WrongArgument(error.of, name) from None

    def __getattr__(self, name: str) -> Any:
        """Tell, of a word that is none, which there are."""
        if name.startswith("_"):
            raise AttributeError(name)
        words = [word for word in Derivatives.__dict__ if not word.startswith("_")]
        known = ", ".join(word for word in words if word not in ("apply", "rate", "dimension"))
        raise AttributeError(f"D knows no {name!r}; it knows {known}")


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


class WrongArgument(TypeError):
    """A derivative was asked of what is neither the unknown nor a function of it."""

    def __init__(self, of: object, name: str) -> None:
        got = f"tensor of shape {tuple(of.shape)}" if isinstance(of, Tensor) else type(of).__name__
        super().__init__(
            f"{_call(name, '...')}: expected the unknown u itself or a function of it, got another "
            f"{got}, of which the values at other points are not known. {_remedy(name)}"
        )
        self.of = of


def _call(name: str, of: str) -> str:
    """How one writes it: ("partial(0, 1)", "u") -> "D.partial(u, 0, 1)"."""
    word, _, axes = name.removesuffix(")").partition("(")
    return f"D.{word}({', '.join([of, axes] if axes else [of])})"


def _remedy(name: str) -> str:
    if name == "time":
        return (
            f"Take components afterwards, {_call(name, 'u')}[:, 0]; for the rate of an expression "
            f"pass a function of the unknown, {_call(name, 'lambda u, x, t: u**2')}. u_tt is "
            "D.time(u, 2)"
        )
    example, first = "u**3", f"Take components afterwards, {_call(name, 'u')}[:, 0]; for"
    if name == "divergence":
        example, first = "torch.stack([u**2, u * x[:, 0]], dim=1)", "For"
    return (
        f"{first} the derivative of an expression in u pass a function, "
        f"{_call(name, f'lambda u, x: {example}')} (lambda u, x, t in space-time). Of what "
        "contains derivatives: higher ones have names of their own, D.partial(u, 0, 1), "
        "D.laplacian(u), D.biharmonic(u); with a coefficient k(x), div(k grad u) is "
        "k * D.laplacian(u) + (grad_k * D.gradient(u)).sum(1)"
    )


def check_argument(of: object, unknown: Tensor, name: str) -> None:
    """Raise WrongArgument, a TypeError, unless `of` is the unknown itself or a function of it."""
    if of is not unknown and not callable(of):
        raise WrongArgument(of, name)
