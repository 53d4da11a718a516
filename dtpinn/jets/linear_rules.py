"""Rules for linear functions of one jet: they act on every component alike.

Only that dimensions are counted from the second of the stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from dtpinn.jets import taylor
from dtpinn.jets.jet import RULES, Jet, rule, unknown


def shifted(dim: int | Sequence[int]) -> Any:
    """Dimensions of the values as dimensions of the stack."""
    if isinstance(dim, int):
        return dim if dim < 0 else dim + 1
    return tuple(shifted(d) for d in dim)


def _along(name: str, x: Jet, dim: Any = None, *args: Any, **options: Any) -> Any:
    """Apply a method with a dimension as its first argument."""
    if dim is None:
        raise unknown(f"{name} over all points")
    result = getattr(x.stack, name)(shifted(dim), *args, **options)
    return x.like(result) if isinstance(result, Tensor) else tuple(map(x.like, result))


for _name in ("index_select", "mean", "narrow", "select", "sum", "unbind", "unsqueeze"):
    RULES[_name] = partial(_along, _name)


def _alike(name: str, x: Jet, *args: Any, **options: Any) -> Jet:
    """Apply a method that has no dimension in its arguments."""
    return x.like(getattr(x.stack, name)(*args, **options))


for _name in ("clone", "contiguous", "double", "float", "neg", "to"):
    RULES[_name] = partial(_alike, _name)


@rule("squeeze")
def _squeeze(x: Jet, dim: int | None = None) -> Jet:
    if dim is None:
        dims = [k for k, size in enumerate(x.shape, start=1) if size == 1]
        return x.like(torch.squeeze(x.stack, dims))
    return x.like(torch.squeeze(x.stack, shifted(dim)))


@rule("getitem")
def _getitem(x: Jet, index: Any) -> Jet:
    index = index if isinstance(index, tuple) else (index,)
    return x.like(x.stack[(slice(None), *index)])


@rule("reshape", "view")
def _reshape(x: Jet, *shape: Any) -> Jet:
    return x.like(x.stack.reshape(x.carries.size, *_listed(shape)))


@rule("flip")
def _flip(x: Jet, *dims: Any) -> Jet:
    return x.like(torch.flip(x.stack, shifted(_listed(dims))))


def _listed(sizes: tuple[Any, ...]) -> Any:
    """Sizes or dimensions, whether given one by one or in one sequence."""
    return sizes if isinstance(sizes[0], int) else sizes[0]


@rule("flatten")
def _flatten(x: Jet, start_dim: int = 0, end_dim: int = -1) -> Jet:
    return x.like(torch.flatten(x.stack, shifted(start_dim), shifted(end_dim)))


@rule("linear")
def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Jet:
    if not isinstance(x, Jet) or isinstance(weight, Jet):
        raise unknown("linear with weights that depend on the points")
    return x.like(taylor.linear(x.stack, weight, bias))


@rule("matmul", "mm")
def matmul(x: Tensor, other: Tensor) -> Jet:
    """Return x times a plain matrix or vector."""
    if not isinstance(x, Jet) or isinstance(other, Jet):
        raise unknown("matmul with a right operand that depends on the points")
    if other.dim() == 1:
        return x.like(taylor.linear(x.stack, other[None], None)[..., 0])
    return x.like(taylor.linear(x.stack, other.mT, None))
