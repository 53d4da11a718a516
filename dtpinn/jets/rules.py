"""Rules for functions of several jets, of jets and constants, and pointwise ones.

A constant shifts the values alone, products follow Leibniz, pointwise functions the chain rule.
Importing this module and linear_rules.py fills in `RULES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from dtpinn.jets import taylor
from dtpinn.jets.jet import RULES, Jet, rule, unknown
from dtpinn.jets.linear_rules import matmul, shifted
from dtpinn.jets.pointwise import POINTWISE, Pointwise, power

Operand = Tensor | float


# Functions of several jets, or of jets and constants.


def _as_jet(x: Operand, like: Jet) -> Jet:
    return x if isinstance(x, Jet) else like.constant(x)


def _widened(x: Jet, dimensions: int) -> Tensor:
    """The stack, broadcast as the values would be against a tensor of more dimensions."""
    missing = (1,) * (dimensions - x.ndim)
    return x.stack.reshape(x.carries.size, *missing, *x.shape)


def _dimensions(x: Operand) -> int:
    return x.dim() if isinstance(x, Tensor) else 0


@rule("cat", "concat")
def _cat(tensors: Sequence[Tensor], dim: int = 0) -> Jet:
    like = next(x for x in tensors if isinstance(x, Jet))
    return like.like(torch.cat([_as_jet(x, like).stack for x in tensors], shifted(dim)))


@rule("stack")
def _stack(tensors: Sequence[Tensor], dim: int = 0) -> Jet:
    like = next(x for x in tensors if isinstance(x, Jet))
    return like.like(torch.stack([_as_jet(x, like).stack for x in tensors], shifted(dim)))


@rule("where")
def _where(condition: Tensor, x: Operand, y: Operand) -> Jet:
    like = x if isinstance(x, Jet) else y
    assert isinstance(like, Jet)  # a condition is no jet: comparisons give plain tensors
    dimensions = max(condition.dim(), _dimensions(x), _dimensions(y))
    x_, y_ = (_widened(_as_jet(z, like), dimensions) for z in (x, y))
    return like.like(torch.where(condition, x_, y_))


@rule("add", "radd")
def _add(x: Operand, y: Operand, *, alpha: float = 1) -> Jet:
    y = y if alpha == 1 else y * alpha
    if not isinstance(x, Jet):
        x, y = y, x
    assert isinstance(x, Jet)
    dimensions = max(x.dim(), _dimensions(y))
    stack = _widened(x, dimensions)
    if isinstance(y, Jet):
        return x.like(stack + _widened(y, dimensions))
    value = stack[:1] + y
    return x.like(torch.cat([value, stack[1:].expand(-1, *value.shape[1:])]))


@rule("addmm")
def _addmm(bias: Tensor, x: Jet, other: Tensor) -> Jet:
    return _add(matmul(x, other), bias)


@rule("sub", "subtract")
def _sub(x: Operand, y: Operand, *, alpha: float = 1) -> Jet:
    return _add(x, y, alpha=-alpha)


@rule("rsub")
def _rsub(x: Operand, y: Operand) -> Jet:
    return _add(y, x, alpha=-1)


@rule("mul", "multiply", "rmul")
def _mul(x: Operand, y: Operand) -> Jet:
    if not isinstance(x, Jet):
        x, y = y, x
    assert isinstance(x, Jet)
    dimensions = max(x.dim(), _dimensions(y))
    if isinstance(y, Jet):
        return _product(x, _widened(x, dimensions), _widened(y, dimensions))
    return x.like(_widened(x, dimensions) * y)


def _product(like: Jet, a: Tensor, b: Tensor) -> Jet:
    """Leibniz: the cross terms of a form are ``c (a_i b_j + a_j b_i)``."""
    layout = like.carries
    (a0, a1, a2), (b0, b1, b2) = layout.split(a), layout.split(b)
    crossed = [
        torch.stack([c * (a1[i] * b1[j] + a1[j] * b1[i]) for i, j, c in form]).sum(0, keepdim=True)
        for form in layout.forms
    ]
    parts = [(a0 * b0)[None], a0 * b1 + a1 * b0]
    if crossed:
        parts.append(a0 * b2 + a2 * b0 + torch.cat(crossed))
    return like.like(torch.cat(parts))


@rule("div", "divide", "true_divide")
def _div(x: Operand, y: Operand) -> Jet:
    if isinstance(y, Jet):
        return _mul(x, _compose(POINTWISE["reciprocal"], y))
    assert isinstance(x, Jet)
    return x.like(_widened(x, max(x.dim(), _dimensions(y))) / y)


@rule("rdiv")
def _rdiv(x: Jet, y: Operand) -> Jet:
    return _div(y, x)


# Pointwise functions.


def _compose(function: Pointwise, x: Jet) -> Jet:
    return x.like(taylor.compose(x.stack, function, x.carries))


def _named(name: str, x: Jet, **options: Any) -> Jet:
    """A function of the table, in its default form."""
    changed = {key: option for key, option in options.items() if option not in (False, "none")}
    if changed:
        raise unknown(f"{name} with {changed}")
    return _compose(POINTWISE[name], x)


RULES.update({name: partial(_named, name) for name in POINTWISE})


@rule("softplus")
def _softplus(x: Jet, beta: float = 1.0, threshold: float = 20.0) -> Jet:
    # Above the threshold torch takes x itself: from 20 on the two do not differ any more.
    if threshold < 20:
        raise unknown(f"softplus with threshold={threshold}")
    return _div(_compose(POINTWISE["softplus"], _mul(x, beta)), beta)


@rule("pow")
def _pow(x: Operand, exponent: Operand) -> Jet:
    if isinstance(exponent, Jet):
        return _rpow(exponent, x)
    if isinstance(exponent, Tensor):
        raise unknown("pow with a tensor as exponent")
    assert isinstance(x, Jet)
    return _compose(power(exponent), x)


@rule("rpow")
def _rpow(exponent: Jet, x: Operand) -> Jet:
    """x^e = exp(e log x)."""
    log = torch.log(x) if isinstance(x, Tensor) else torch.log(exponent.value.new_tensor(x))
    return _compose(POINTWISE["exp"], _mul(exponent, log))


# Constants: their derivatives are zero, so a plain tensor is the answer.


def _constant(name: str, *operands: Any, **options: Any) -> Any:
    plain = [x.value if isinstance(x, Jet) else x for x in operands]
    return getattr(torch if name.endswith("_like") else Tensor, name)(*plain, **options)


for _name in (
    "detach", "full_like", "ge", "gt", "le", "lt", "new_full", "new_ones", "new_tensor",
    "new_zeros", "ones_like", "zeros_like",
):  # fmt: skip
    RULES[_name] = partial(_constant, _name)
