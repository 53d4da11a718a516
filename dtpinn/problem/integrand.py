"""Functions of the unknown that a user gives: of(u, x), or of(u, D, x) where it differentiates."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from torch import Tensor

from dtpinn.pde import Derivatives

Integrand = Callable[..., Tensor]


def takes_no_derivatives(of: Integrand, steady: bool) -> bool:
    """Return whether a function is of(u, x), in space-time of(u, x, t), and does without D.

    Examples
    --------
    >>> takes_no_derivatives(lambda u, x: u**2, steady=True)
    True
    >>> takes_no_derivatives(lambda u, D, x: D.laplacian(u), steady=True)
    False
    """
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(getattr(of, "forward", of)).parameters.values()
    if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
        return False
    return sum(p.kind in positional for p in parameters) == 2 + (not steady)


def call_integrand(
    of: Integrand, short: bool, u: Tensor, D: Derivatives, x: Tensor, *rest: Tensor
) -> Tensor:
    """Return its values at points; one that does without D takes no normals either."""
    t = [r for r in rest if r.dim() == 1]
    return of(u, x, *t) if short else of(u, D, x, *rest)
