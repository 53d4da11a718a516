"""Which rows of a Jacobian an iteration takes, where all of them would take too long."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

# Operations of the Gram matrix of sampled rows: about a second on two cores.
SAMPLED_OPERATIONS = 6e10
# Up to so many all rows are taken: a sample that saves half is not worth its noise.
MAX_OPERATIONS = 2e11


def affordable_rows(m: int, p: int, memory: float) -> int:
    """Return how many of m rows with p entries an iteration can take: all of them, or fewer.

    Parameters
    ----------
    m, p : int
        Rows and columns of the Jacobian.
    memory : float
        Bytes that its rows may take.

    Examples
    --------
    >>> affordable_rows(2400, 257, 2**30), affordable_rows(20000, 7851, 2**30)
    (2400, 1954)
    """
    if 2.0 * m * p * min(m, p) <= MAX_OPERATIONS and 8.0 * m * p <= memory:
        return m
    wide = math.sqrt(SAMPLED_OPERATIONS / (2.0 * p))  # where rows are fewer than columns
    rows = wide if wide <= p else SAMPLED_OPERATIONS / (2.0 * p * p)
    return max(1, min(m, int(rows), int(memory / (8.0 * p))))


def sample_rows(
    sizes: Sequence[int], count: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw rows, and weights with which their squares add up to those of all rows on average.

    The smaller kinds of residual are taken whole as far as half of the rows allow, in equal shares:
    the few rows of a boundary condition weigh as much as the many of the equation, so their noise
    would be the largest.

    Parameters
    ----------
    sizes : sequence of int
        Rows of each kind.
    count : int
        Rows to draw.

    Returns
    -------
    rows : (k,) int64
        Without repetition.
    weights : (k,) float64

    Examples
    --------
    >>> rows, weights = sample_rows([10000, 100], 500, torch.Generator())
    >>> int((rows < 10000).sum()), len(rows), weights[[0, -1]]
    (400, 500, tensor([5., 1.], dtype=torch.float64))
    """
    rows, weights, start = [], [], 0
    for size, share in zip(sizes, _shares(sizes, count), strict=True):
        rows.append(start + torch.randperm(size, generator=generator)[:share])
        weight = math.sqrt(size / share) if share else 1.0
        weights.append(torch.full((share,), weight, dtype=torch.float64))
        start += size
    return torch.cat(rows), torch.cat(weights)


def _shares(sizes: Sequence[int], count: int) -> list[int]:
    """Rows of each kind: small ones first, the largest has the rest."""
    *small, largest = sorted(range(len(sizes)), key=lambda kind: sizes[kind])
    shares, left = [0] * len(sizes), count // 2
    for waiting, kind in zip(range(len(small), 0, -1), small, strict=True):
        shares[kind] = min(sizes[kind], left // waiting)
        left -= shares[kind]
    shares[largest] = min(sizes[largest], count - sum(shares))
    return shares
