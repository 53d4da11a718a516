"""Weighted sums of squares: what every part of a loss is."""

from __future__ import annotations

import math

from torch import Tensor

from dtpinn.optim.ordered_sum import ordered_sum


def weighted(
    r: Tensor, weights: tuple[float, ...], by_point: Tensor | None, share: int = 1
) -> Tensor:
    """Return a residual (n,) or (n, equations) times the square root of what its square weighs.

    Weighted before it is squared: a residual in pascals would overflow float32.

    Parameters
    ----------
    r : (n,) or (n, equations) Tensor
    weights : tuple of float
        Of each equation, or one for all.
    by_point : (n,) Tensor, optional
        Further multiples of the weights.
    share : int
        What the sum of squares is divided by.

    Examples
    --------
    >>> import torch
    >>> weighted(torch.ones(2, 2), (4.0, 16.0), torch.tensor([1.0, 9.0]))
    tensor([[ 2.,  4.],
            [ 6., 12.]])
    """
    if by_point is not None:
        root = by_point.to(r).sqrt()
        r = r * (root if r.dim() == 1 else root[:, None])
    roots = [math.sqrt(weight / share) for weight in weights]
    if len(set(roots)) > 1:
        return r * r.new_tensor(roots)
    return r if roots[0] == 1.0 else r * roots[0]


def sum_of_squares(r: Tensor) -> Tensor:
    """Return the sum of the squares of all entries, the same to the bit with any threads.

    Examples
    --------
    >>> import torch
    >>> sum_of_squares(torch.tensor([[3.0], [4.0]]))
    tensor(25.)
    """
    return ordered_sum(r.square())
