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


def rates(values: Tensor, t: Tensor, order: int = 1) -> Tensor:
    """Return a derivative in time of every field, of the shape of the values, differentiable again.

    The second by two nested backward passes: with that of training behind them they take as long as
    one pass with jets, and know every model.

    Parameters
    ----------
    values : (n,) or (n, fields)
        Row i depends on t[i] alone.
    t : (n,)
    order : int

    Examples
    --------
    >>> t = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> rates(torch.stack([t**2, 3 * t], dim=1), t).tolist()
    [[2.0, 3.0], [4.0, 3.0]]
    """
    columns = [values] if values.dim() == 1 else values.unbind(1)
    for _ in range(order):
        columns = [row_gradients(column, t) for column in columns]
    return columns[0] if values.dim() == 1 else torch.stack(columns, dim=1)
