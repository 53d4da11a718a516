"""Smooth functions of one number with the derivatives that jets and their backward passes need."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Pointwise:
    """A smooth function of one number, elementwise.

    Attributes
    ----------
    value : callable
        z -> y.
    derivatives : callable
        (z, y) -> an iterator over y', y'' and y''' at z. Each is computed when it is asked for, so
        that a forward pass, which needs two, does not pay for the third; and from y where that is
        cheaper than from z.

    Examples
    --------
    >>> z = torch.tensor([0.5])
    >>> square = power(2)
    >>> y = square.value(z)
    >>> y, list(square.derivatives(z, y))
    (tensor([0.2500]), [tensor([1.]), tensor([2.]), tensor([0.])])
    """

    value: Callable[[Tensor], Tensor]
    derivatives: Callable[[Tensor, Tensor], Iterator[Tensor]]


def power(p: float) -> Pointwise:
    """Return z -> z**p."""

    def derivatives(z: Tensor, y: Tensor) -> Iterator[Tensor]:
        factor = float(p)
        for k in (1, 2, 3):
            # 0 * z**-1 would be NaN at the root of a polynomial.
            yield factor * z ** (p - k) if factor else torch.zeros_like(z)
            factor *= p - k

    return Pointwise(lambda z: z**p, derivatives)


def _tanh(z: Tensor, y: Tensor) -> Iterator[Tensor]:
    first = 1 - y * y
    yield first
    second = -2 * y * first
    yield second
    yield -2 * (first * first + y * second)


def _sigmoid(z: Tensor, y: Tensor) -> Iterator[Tensor]:
    first = y * (1 - y)
    yield first
    second = first * (1 - 2 * y)
    yield second
    yield second * (1 - 2 * y) - 2 * first * first


def _softplus(z: Tensor, y: Tensor) -> Iterator[Tensor]:
    first = torch.sigmoid(z)
    yield first
    lower = _sigmoid(z, first)
    yield next(lower)
    yield next(lower)


def _silu(z: Tensor, y: Tensor) -> Iterator[Tensor]:
    """(z s)^(k) = z s^(k) + k s^(k-1)."""
    s = torch.sigmoid(z)
    for k, higher in enumerate(_sigmoid(z, s), start=1):
        yield z * higher + k * s
        s = higher


def _gelu(z: Tensor, y: Tensor) -> Iterator[Tensor]:
    density = torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    yield torch.special.ndtr(z) + z * density
    yield density * (2 - z * z)
    yield density * z * (z * z - 4)


def _sin(z: Tensor, y: Tensor) -> Iterator[Tensor]:
    first = torch.cos(z)
    yield first
    yield -y
    yield -first


def _cos(z: Tensor, y: Tensor) -> Iterator[Tensor]:
    first = -torch.sin(z)
    yield first
    yield -y
    yield -first


def _sinh(z: Tensor, y: Tensor) -> Iterator[Tensor]:
    first = torch.cosh(z)
    yield first
    yield y
    yield first


def _cosh(z: Tensor, y: Tensor) -> Iterator[Tensor]:
    first = torch.sinh(z)
    yield first
    yield y
    yield first


def _exp(z: Tensor, y: Tensor) -> Iterator[Tensor]:
    yield y
    yield y
    yield y


def _log(z: Tensor, y: Tensor) -> Iterator[Tensor]:
    yield 1 / z
    yield -1 / z**2
    yield 2 / z**3


def _atan(z: Tensor, y: Tensor) -> Iterator[Tensor]:
    first = 1 / (1 + z * z)
    yield first
    second = -2 * z * first * first
    yield second
    yield -2 * first * (first + 2 * z * second)


def _erf(z: Tensor, y: Tensor) -> Iterator[Tensor]:
    first = 2 / math.sqrt(math.pi) * torch.exp(-z * z)
    yield first
    yield -2 * z * first
    yield (4 * z * z - 2) * first


# By the name of the torch function, which is also that of the tensor's method.
POINTWISE: dict[str, Pointwise] = {
    "atan": Pointwise(torch.atan, _atan),
    "cos": Pointwise(torch.cos, _cos),
    "cosh": Pointwise(torch.cosh, _cosh),
    "erf": Pointwise(torch.erf, _erf),
    "exp": Pointwise(torch.exp, _exp),
    "gelu": Pointwise(nn.functional.gelu, _gelu),
    "log": Pointwise(torch.log, _log),
    "reciprocal": power(-1),
    "sigmoid": Pointwise(torch.sigmoid, _sigmoid),
    "silu": Pointwise(nn.functional.silu, _silu),
    "sin": Pointwise(torch.sin, _sin),
    "sinh": Pointwise(torch.sinh, _sinh),
    "softplus": Pointwise(nn.functional.softplus, _softplus),
    "sqrt": power(0.5),
    "square": power(2),
    "tanh": Pointwise(torch.tanh, _tanh),
}
