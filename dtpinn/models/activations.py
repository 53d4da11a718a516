"""Activations by name: pointwise functions between the layers of a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Activation = str | type[nn.Module] | Callable[[Tensor], Tensor]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sin": torch.sin,
    "sigmoid": torch.sigmoid,
    "silu": nn.functional.silu,
    "gelu": nn.functional.gelu,
    "softplus": nn.functional.softplus,
}


def resolve(owner: str, activation: Any) -> tuple[Callable[[Tensor], Tensor], str | None]:
    """Return an activation as a function, and its name if it is one of the known ones.

    Parameters
    ----------
    owner : str
        The network's class, for messages.
    activation : str, callable, or nn.Module class

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> resolve("MLP", nn.Tanh)[1], resolve("MLP", torch.tanh)[1], resolve("MLP", torch.exp)[1]
    ('tanh', 'tanh', None)
    """
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"{owner}: unknown activation {activation!r}; known are "
                f"{', '.join(sorted(ACTIVATIONS))}; or give a function of a tensor"
            )
        return ACTIVATIONS[activation], activation
    if isinstance(activation, type) and issubclass(activation, nn.Module):
        name = activation.__name__.lower()
        if activation is getattr(nn, activation.__name__, None) and name in ACTIVATIONS:
            return ACTIVATIONS[name], name
        return activation(), None
    if not callable(activation):
        raise TypeError(
            f"{owner}: expected activation to be a name, a function or an nn.Module class, got "
            f"{activation!r}"
        )
    for name, function in ACTIVATIONS.items():
        if activation is function:
            return function, name
    return activation, None
