"""Sums that are added up in one order, whatever the number of threads."""

from __future__ import annotations

import torch
from torch import Tensor

# Longer sums torch splits among its threads, and rounds otherwise with each number of them.
_SERIAL = 2**14


def ordered_sum(values: Tensor) -> Tensor:
    """Return the sum of all entries, the same to the bit with any number of threads.

    Examples
    --------
    >>> ordered_sum(torch.ones(3, 20_000))
    tensor(60000.)
    """
    if values.numel() <= _SERIAL:
        return values.sum()
    return torch.stack([part.sum() for part in torch.split(values.flatten(), _SERIAL)]).sum()


def inner(a: Tensor, b: Tensor) -> Tensor:
    """Return a . b of two vectors; ``torch.dot`` depends on the threads from 4,096 entries on.

    Examples
    --------
    >>> inner(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return ordered_sum(a * b)
