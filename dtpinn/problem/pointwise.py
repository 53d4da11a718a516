"""Slopes of what works point by point, and the refusal of what does not.

A Jacobian here is a sum of scaled sparse matrices only because row i of a residual depends on row i
of the unknown and of the operators' values alone. ``u - u.flip(0)`` or ``u - u.mean()`` is not of
that kind, and its Jacobian would be wrong without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.problem.dry_run import label

# Scaling by powers of two is exact, so slopes of what is pointwise agree to the last bit.
_TOLERANCE = 1e-9
_OCTAVES = 8


def diagonals(r: Tensor, inputs: Sequence[Tensor]) -> list[Floats]:
    """Return dr[i] / d input[i] for every input, (n, components), if r is pointwise.

    Where row i of r depends on row i of the inputs alone, the gradient of the sum holds them all.

    Parameters
    ----------
    r : (n,) Tensor
        One equation.
    inputs : sequence of Tensor, each of n rows
    """
    return _as_arrays(_gradients(r, inputs, None))


def checked_diagonals(
    r: Tensor, inputs: Sequence[Tensor], name: str, function: object
) -> list[Floats]:
    """Return what `diagonals` does, once it is known that r is pointwise.

    The gradient of a sum with weights s is s times the other one unless some row has to do with
    another row: one more backward pass tells, at every state.

    Parameters
    ----------
    r, inputs
        As for `diagonals`.
    name : str
        Of the residual, for the message.
    function : callable
        That made r, for the message.

    Raises
    ------
    ValueError
        If r couples rows; names it.

    Examples
    --------
    >>> u = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> checked_diagonals(u**2, [u], "pde", torch.square)[0].ravel()
    array([2., 4., 6.], dtype=float32)
    >>> checked_diagonals(u - u.mean(), [u], "pde", lambda u: u - u.mean())
    Traceback (most recent call last):
        ...
    ValueError: 'pde': <lambda> couples points: ...
    """
    ones = _gradients(r, inputs, None)
    if r.requires_grad:
        weights = _weights(len(r)).to(r)
        for plain, weighted in zip(ones, _gradients(r, inputs, weights), strict=True):
            wanted = plain * weights.reshape(-1, *[1] * (plain.dim() - 1))
            difference = float((weighted - wanted).abs().max())
            if difference > _TOLERANCE * float(torch.maximum(weighted.abs(), wanted.abs()).max()):
                raise ValueError(_told(name, function))
    return _as_arrays(ones)


def _as_arrays(gradients: Sequence[Tensor]) -> list[Floats]:
    return [g.reshape(len(g), -1).cpu().numpy() for g in gradients]


def _gradients(r: Tensor, inputs: Sequence[Tensor], weights: Tensor | None) -> list[Tensor]:
    """The gradient of the sum of r, or of a weighted one, in every input; zeros where unused."""
    gradients: Sequence[Tensor | None] = [None] * len(inputs)
    if r.requires_grad:
        total = (r if weights is None else r * weights).sum()  # a seed would import sympy, 0.5 s
        gradients = torch.autograd.grad(total, inputs, allow_unused=True, retain_graph=True)
    return [torch.zeros_like(i) if g is None else g for g, i in zip(gradients, inputs, strict=True)]


@lru_cache(maxsize=8)
def _weights(count: int) -> Tensor:
    """Powers of two of either sign, without any pattern, always the same."""
    generator = torch.Generator().manual_seed(count)
    octave = torch.randint(-_OCTAVES, _OCTAVES, (count,), generator=generator)
    sign = 2.0 * torch.randint(0, 2, (count,), generator=generator) - 1.0
    return sign * 2.0**octave


def _told(name: str, function: object) -> str:
    called = label(function) if isinstance(function, Callable) else str(function)  # type: ignore[arg-type]
    return (
        f"{name!r}: {called} couples points: what it returns at a point depends on the unknown at "
        "others (a mean, a sum, a flip or a sort along the first dimension?). Jacobians are taken "
        "point by point, so that solve(), estimate(), linearize and Gauss-Newton would be wrong "
        "with it. Write it with the values at its own point and with D; or train it with "
        "optimizer='lbfgs', whose gradient is right"
    )
