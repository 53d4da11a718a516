"""Weights drawn from a seed of their own."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def drawing(owner: str, seed: int | None) -> AbstractContextManager[Any]:
    """While open, torch's CPU generator stands at `seed`; afterwards where it was before.

    Parameters
    ----------
    owner : str
        The network's class, for messages.
    seed : int or None
        None: draw from the generator as it stands.

    Raises
    ------
    TypeError

    Examples
    --------
    >>> torch.manual_seed(0).initial_seed()
    0
    >>> with drawing("MLP", 5):
    ...     mine = torch.rand(2)
    >>> bool((torch.rand(2) == torch.rand(2, generator=torch.Generator().manual_seed(0))).all())
    True
    """
    if seed is None:
        return nullcontext()
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"{owner}: expected seed to be an integer or None, got {seed!r}")
    return _Seeded(seed)


class _Seeded(AbstractContextManager[None]):
    # Not torch.manual_seed: that would seed every accelerator too, and nobody puts those back.

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __enter__(self) -> None:
        self.before = torch.default_generator.get_state()
        torch.default_generator.manual_seed(self.seed)

    def __exit__(self, *error: object) -> None:
        torch.default_generator.set_state(self.before)
