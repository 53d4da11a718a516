"""Derivatives of row-wise functions, each column by one backward pass."""

from __future__ import annotations

import torch
from torch import Tensor


def row_gradients(values: Tensor, inputs: Tensor) -> Tensor:
    """Return d values[i] / d inputs[i] for every row i, differentiable again.

    Parameters
    ----------
    values : (n,)
        Row i depends on row i of the inputs alone, so the gradient of the sum holds them all.
        Complex ones are differentiated by their parts.
    inputs : (n,) or (n, d)

    Returns
    -------
    Tensor of the shape of `inputs`; zeros where the values do not depend on them.

    Examples
    --------
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> row_gradients(x**3, x)
    tensor([ 3., 12.], grad_fn=<MulBackward0>)
    """
    if values.is_complex():
        return torch.complex(*(row_gradients(part, inputs) for part in (values.real, values.imag)))
    if not values.requires_grad:
        return torch.zeros_like(inputs)
    (result,) = torch.autograd.grad(
        values.sum(), inputs, create_graph=True, allow_unused=True, materialize_grads=True
    )
    return result


def rates(values: Tensor, t: Tensor) -> Tensor:
    """Return d values / dt of every field, (n,) or (n, fields) as the values, differentiable again.

    Parameters
    ----------
    values : (n,) or (n, fields)
        Row i depends on t[i] alone.
    t : (n,)

    Examples
    --------
    >>> t = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> rates(torch.stack([t**2, 3 * t], dim=1), t).tolist()
    [[2.0, 3.0], [4.0, 3.0]]
    """
    if values.dim() == 1:
        return row_gradients(values, t)
    return torch.stack([row_gradients(column, t) for column in values.unbind(1)], dim=1)
