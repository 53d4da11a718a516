"""A question: a problem as somebody brings it, and the answer from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import dtpinn

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Question:
    """A domain, conditions by part, and what is known of the solution.

    `answer` is u at points (n, d), found by no program of the library; `judged` says at which
    points it is compared (everywhere by default). The error is the relative l2 error there. It
    falls as h**min(order, rate), where `rate` is what the solution's own singularities leave of the
    order, and at order 4 and the last of the spacings it is `within` what was seen, times three. A
    `polynomial` is solved to rounding by every one of the orders.
    """

    domain: dtpinn.geometry.Domain
    equation: Callable[[], dtpinn.PDE]
    answer: Callable[[Array], Array]
    spacings: tuple[float, float, float]
    orders: tuple[int, ...] = (2, 3, 4, 5, 6)
    within: float = math.inf
    rate: float = math.inf
    judged: Callable[[Array], Array] | None = None
    polynomial: bool = False


def constant(value: float) -> Callable[..., Tensor]:
    """The same number everywhere: a load (x) or boundary data (x, normal)."""
    return lambda x, *_: torch.full((len(x),), value, dtype=x.dtype)


def vector(*values: float) -> Callable[..., Tensor]:
    """The same vector everywhere: a force or a displacement."""
    return lambda x, *_: torch.tensor(values, dtype=x.dtype).expand(len(x), -1)


def given(answer: Callable[[Array], Array]) -> Callable[..., Tensor]:
    """A NumPy function of points as a load or as boundary data; the normal plays no part."""
    return lambda x, *_: torch.from_numpy(np.asarray(answer(x.numpy())))
