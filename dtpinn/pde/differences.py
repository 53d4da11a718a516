"""Differences of a function in space: does its gradient tell all that they do?"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

# At so many points; and the part of them at which it may have a kink or a jump.
_SOME, _KINKS = 101, 0.1


def hides_its_gradient(
    function: Callable[..., Tensor], x: Tensor, slopes: Tensor, *others: Tensor
) -> bool:
    """Return whether a function of the points changes from place to place, and autograd missed it.

    So it is where the points leave torch on their way: ``x.detach()``, NumPy, a table. What is left
    of div(k grad u) then is k Laplacian u, without a word.

    Parameters
    ----------
    function : callable
        x (n, d), and whatever others -> (n,).
    x : (n, d)
        In float64; single precision is too coarse for the question, and gets no for an answer.
    slopes : (n, d)
        What autograd says of the function at x.
    *others
        Of n rows each, such as the time.

    Examples
    --------
    >>> x = torch.linspace(0, 1, 50, dtype=torch.float64)[:, None]
    >>> hides_its_gradient(lambda x: x[:, 0] ** 2, x, 2 * x)
    False
    >>> hides_its_gradient(lambda x: x.detach()[:, 0] ** 2, x, 0 * x)
    True
    """
    if x.dtype != torch.float64:
        return False
    some = slice(None, None, -(-len(x) // _SOME))
    x, slopes, others = x.detach()[some], slopes.detach()[some], tuple(o[some] for o in others)
    length = float((x.amax(0) - x.amin(0)).max()) or 1.0
    step = torch.finfo(x.dtype).eps ** (1 / 3) * length
    with torch.no_grad():
        for axis, slope in enumerate(slopes.unbind(1)):
            shift = step * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)[axis]
            above, below = function(x + shift, *others), function(x - shift, *others)
            difference = (above - below) / (2 * step)
            rounding = 1e-8 * float(above.abs().max()) / length
            missed = (difference - slope).abs() > 0.01 * (difference.abs() + slope.abs()) + rounding
            if float(missed.double().mean()) > _KINKS:
                return True
    return False
