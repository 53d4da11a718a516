"""What derivatives are taken of: the unknown or a pointwise function of it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Argument = Tensor | Callable[..., Tensor]


def check_pointwise(
    of: Callable[..., Tensor], values: Tensor, unknown: Tensor, at: Sequence[Tensor], name: str
) -> None:
    """Raise ValueError unless a function of the unknown has the same values among other points.

    Parameters
    ----------
    of : callable
    values : (n, ...)
        What it returned for ``of(unknown, *at)``.
    unknown, at
        Of n rows each.
    name : str
        Of the derivative that it is for.
    """
    n = len(unknown)
    # Few, so that a maximum is hardly ever among them; the first one is not the first, and their
    # mean not that of all.
    some = torch.tensor([n // 2, n // 8, 3 * n // 4], device=unknown.device)
    with torch.no_grad():
        among, alone = values[some], of(unknown[some], *(rows[some] for rows in at))
        size = values.abs().max() * torch.finfo(values.dtype).eps ** 0.5
        differs = alone.shape != among.shape or bool(((alone - among).abs() > size).any())
    if differs:
        raise ValueError(
            f"D.{name}: the function of the unknown must be pointwise, but it has other values "
            "among other points; take means, sums, flips and sorts along the first dimension out "
            "of it"
        )


class WrongArgument(TypeError):
    """A derivative was asked of what is neither the unknown nor a function of it."""

    def __init__(self, of: object, name: str) -> None:
        got = f"tensor of shape {tuple(of.shape)}" if isinstance(of, Tensor) else type(of).__name__
        super().__init__(
            f"{_call(name, '...')}: expected the unknown u itself or a function of it, got another "
            f"{got}, of which the values at other points are not known. {_remedy(name)}"
        )
        self.of = of


def _call(name: str, of: str) -> str:
    """How one writes it: ("partial(0, 1)", "u") -> "D.partial(u, 0, 1)"."""
    word, _, axes = name.removesuffix(")").partition("(")
    return f"D.{word}({', '.join([of, axes] if axes else [of])})"


def _remedy(name: str) -> str:
    if name == "time":
        return (
            f"Take components afterwards, {_call(name, 'u')}[:, 0]; for the rate of an expression "
            f"pass a function of the unknown, {_call(name, 'lambda u, x, t: u**2')}. u_tt is "
            "D.time(u, 2)"
        )
    example, first = "u**3", f"Take components afterwards, {_call(name, 'u')}[:, 0]; for"
    if name == "divergence":
        example, first = "torch.stack([u**2, u * x[:, 0]], dim=1)", "For"
    return (
        f"{first} the derivative of an expression in u pass a function, "
        f"{_call(name, f'lambda u, x: {example}')} (lambda u, x, t in space-time). Of what "
        "contains derivatives: higher ones have names of their own, D.partial(u, 0, 1), "
        "D.laplacian(u), D.biharmonic(u); the divergence of a flux is that of a function with a D "
        "of its own, D.divergence(lambda u, D, x: k(x)[:, None] * D.gradient(u))"
    )


def check_argument(of: object, unknown: Tensor, name: str) -> None:
    """Raise WrongArgument, a TypeError, unless `of` is the unknown itself or a function of it."""
    if of is not unknown and not callable(of):
        raise WrongArgument(of, name)
