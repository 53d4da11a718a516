"""Derivatives of row-wise functions by one backward pass."""

from __future__ import annotations

import torch
from torch import Tensor


def row_gradients(values: Tensor, inputs: Tensor) -> Tensor:
    """Return d values[i] / d inputs[i] for every row i, differentiable again.

    Parameters
    ----------
    values : (n,)
        Row i depends on row i of the inputs alone, so the gradient of the sum holds them all.
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
    if not values.requires_grad:
        return torch.zeros_like(inputs)
    (result,) = torch.autograd.grad(
        values.sum(), inputs, create_graph=True, allow_unused=True, materialize_grads=True
    )
    return result
