"""What linear layers and pointwise functions do to a stack of derivatives, forward and backward."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from dtpinn.jets.pointwise import Pointwise

# sum_k c_k d_i d_j over the terms (i, j, c): i and j number the directions of a layout.
Form = tuple[tuple[int, int, float], ...]


@dataclass(frozen=True)
class Layout:
    """Which derivatives a stack (components, n, ...) holds, in their order.

    The value, then the first derivatives along each direction, then one component for each
    quadratic form of second derivatives. The Laplacian is one form, not one for each axis: a
    pointwise function maps it to ``f'(u) Lap u + f''(u) |grad u|^2``, so the sum is all that has to
    be carried through the network (the forward Laplacian: Li et al., "A computational framework for
    neural network-based variational Monte Carlo with forward Laplacian", 2024).

    Parameters
    ----------
    directions : int
    forms : tuple of Form
        Each a sum of ``c d_i d_j`` over its terms (i, j, c), as numbers of directions.

    Examples
    --------
    >>> laplacian = Layout(2, (((0, 0, 1.0), (1, 1, 1.0)),))
    >>> laplacian.size
    4
    """

    directions: int
    forms: tuple[Form, ...] = ()

    @property
    def size(self) -> int:
        """How many components there are."""
        return 1 + self.directions + len(self.forms)

    def split(self, stack: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return views of the value, of the first derivatives, and of the forms."""
        return stack[0], stack[1 : 1 + self.directions], stack[1 + self.directions :]


def linear(stack: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``weight`` applied to every component, ``bias`` added to the value: one GEMM.

    Examples
    --------
    >>> stack = torch.ones(2, 3, 1)  # a value and one derivative, at three points
    >>> linear(stack, torch.tensor([[2.0]]), torch.tensor([10.0]))[..., 0]
    tensor([[12., 12., 12.],
            [ 2.,  2.,  2.]])
    """
    result: Tensor = _Linear.apply(stack, weight, bias)  # type: ignore[no-untyped-call]
    return result


def compose(stack: Tensor, function: Pointwise, layout: Layout) -> Tensor:
    """Return the derivatives of f(z) from those of z: the chain rule up to the second order.

    With forms Q: ``f' z_i`` for the first derivatives, ``f' Q z + f'' sum_ij Q_ij z_i z_j`` for the
    second.

    Examples
    --------
    >>> from dtpinn.jets.pointwise import power
    >>> x = torch.tensor([[3.0], [1.0], [0.0]])  # x at 3, dx/dx, d2x/dx2
    >>> compose(x, power(2), Layout(1, (((0, 0, 1.0),),))).flatten()
    tensor([9., 6., 2.])
    """
    result: Tensor = _Compose.apply(stack, function, layout)  # type: ignore[no-untyped-call]
    return result


class _Linear(torch.autograd.Function):
    """As `nn.functional.linear`, but that a bias does not reach the derivatives."""

    @staticmethod
    def forward(ctx: Any, stack: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(stack, weight)
        result = torch.mm(stack.reshape(-1, stack.shape[-1]), weight.mT)
        result = result.view(*stack.shape[:-1], len(weight))
        if bias is not None:
            result[0] += bias
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        stack, weight = ctx.saved_tensors
        rows = gradient.reshape(-1, len(weight))
        to_stack = to_weight = to_bias = None
        # The layouts that MKL likes: 0.8 of the time in fp64, and a third for the first layer's
        # weights.
        if ctx.needs_input_grad[0]:
            to_stack = torch.mm(rows, weight.mT.contiguous().mT).view(stack.shape)
        if ctx.needs_input_grad[1]:
            to_weight = torch.mm(stack.reshape(-1, stack.shape[-1]).mT, rows).mT
        if ctx.needs_input_grad[2]:
            to_bias = gradient[0].reshape(-1, len(weight)).sum(0)
        return to_stack, to_weight, to_bias


class _Compose(torch.autograd.Function):
    """The chain rule; f' and f'' are computed again in the backward pass, which is cheap from f.

    Autograd would instead keep every product between them, ten arrays of the network's width for
    each layer, and read them all back.
    """

    @staticmethod
    def forward(ctx: Any, stack: Tensor, function: Pointwise, layout: Layout) -> Tensor:
        z, first, _ = layout.split(stack)
        result = torch.empty_like(stack)
        y = function.value(z)
        result[0] = y
        derivatives = function.derivatives(z, y)
        torch.mul(stack[1:], next(derivatives), out=result[1:])
        if layout.forms:
            second = next(derivatives)
            for form, row in zip(layout.forms, layout.split(result)[2], strict=True):
                row.addcmul_(second, _square(form, first))
        ctx.save_for_backward(stack, result)
        ctx.function, ctx.layout = function, layout
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (stack, result), layout = ctx.saved_tensors, ctx.layout
        z, first, _ = layout.split(stack)
        derivatives = ctx.function.derivatives(z, result[0])
        to_stack = gradient * next(derivatives)
        to_z, to_first, _ = layout.split(to_stack)
        if layout.size > 1:
            second = next(derivatives)
            to_z.addcmul_(second, _inner(stack[1:], gradient[1:]))
        for form, g in zip(layout.forms, layout.split(gradient)[2], strict=True):
            weighted = second * g
            for i, j, c in form:
                to_first[i].addcmul_(weighted, first[j], value=c)
                to_first[j].addcmul_(weighted, first[i], value=c)
        if layout.forms:
            squares = (_square(form, first) for form in layout.forms)
            to_z.addcmul_(next(derivatives), _inner(squares, layout.split(gradient)[2]))
        return to_stack, None, None


def _square(form: Form, first: Tensor) -> Tensor:
    """sum_k c_k z_i z_j."""
    return _sum_of_products((first[i], first[j], c) for i, j, c in form)


def _inner(a: Iterable[Tensor], b: Iterable[Tensor]) -> Tensor:
    """The sum over the components of a b."""
    return _sum_of_products((x, y, 1.0) for x, y in zip(a, b, strict=True))


def _sum_of_products(terms: Iterable[tuple[Tensor, Tensor, float]]) -> Tensor:
    """Sum c a b, one pass over memory for each term."""
    terms = iter(terms)
    a, b, c = next(terms)
    total = a * b if c == 1 else c * a * b
    for a, b, c in terms:
        total.addcmul_(a, b, value=c)
    return total
