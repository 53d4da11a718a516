"""Smooth functions that vanish on boundaries, and R-functions, which combine them.

R-functions are smooth and have the sign of a minimum or of a maximum. The minimum of two
functions that are positive inside two domains is positive inside their intersection, the maximum
inside their union, but both have a kink wherever the two are equal. R-functions have theirs where
both are zero only, which is at corners of the boundary.

All is arithmetic alone, so that NumPy arrays, tensors and jets of derivatives all go through.
V. L. Rvachev; V. Shapiro, "Semi-analytic geometry with R-functions", Acta Numerica 16 (2007),
239-303.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

Values = Any  # (n,) numbers: a NumPy array, a tensor, a jet

# Of squares of numbers of size 1: a root of exactly zero would have no derivative.
_TINY = 1e-30


def intersection(functions: Iterable[Values]) -> Values:
    """Return what is positive where all are.

    Examples
    --------
    >>> import numpy as np
    >>> a, b = np.array([3.0, 0.0, -1.0, 3.0]), np.array([4.0, 2.0, 4.0, -1.0])
    >>> np.sign(intersection([a, b]).round(12))
    array([ 1.,  0., -1., -1.])
    """
    return reduce(lambda a, b: a + b - norm(a, b), functions)


def union(a: Values, b: Values) -> Values:
    """Return what is positive where one of the two is."""
    return a + b + norm(a, b)


def norm(a: Values, b: Values) -> Values:
    """sqrt(a^2 + b^2), with a derivative at zero, too."""
    return (a * a + b * b + _TINY) ** 0.5


def squared_distance(
    x: Sequence[Values], center: Sequence[float], units: Sequence[float] | None = None
) -> Values:
    """The squared distance to a point, in units of their own along each axis."""
    units = units or (1.0,) * len(center)
    return sum(((a - c) / u) ** 2 for a, c, u in zip(x, center, units, strict=True))


def slab(x: Values, low: float, high: float) -> tuple[Values, Values]:
    """Two lines, the first 0 at `low`, the second at `high`, and both 1 in the middle.

    Examples
    --------
    >>> slab(2.0, 1.0, 5.0)
    (0.5, 1.5)
    """
    return 2.0 * (x - low) / (high - low), 2.0 * (high - x) / (high - low)


def faces(
    x: Sequence[Values], lower: Sequence[float], upper: Sequence[float]
) -> list[tuple[Values, Values]]:
    """Of a box in any dimension, for each axis what vanishes on its lower and on its upper face."""
    return [slab(*ends) for ends in zip(x, lower, upper, strict=True)]


def between_faces(pairs: Iterable[tuple[Values, Values]], periodic: Iterable[bool]) -> Values:
    """Return what is positive between both faces, along every axis that has them.

    Examples
    --------
    >>> between_faces([slab(2.0, 1.0, 5.0), slab(9.0, 1.0, 5.0)], [False, True])
    0.75
    """
    return intersection(
        below * above for (below, above), glued in zip(pairs, periodic, strict=True) if not glued
    )
