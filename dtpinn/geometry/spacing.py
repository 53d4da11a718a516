"""A spacing: a number, or a function of the place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_floats, positive_length
from dtpinn.geometry.cell import Cell

Spacing = Callable[[Floats], Floats]
SpacingLike = float | Spacing

# In spacings: a length that is this near to the middle between two whole numbers is in the middle.
TIE = 1e-9


def as_spacing(spacing: SpacingLike, bounds: Floats, cell: Cell | None = None) -> Spacing:
    """Return ``spacing`` as a function of points (n, d) that gives checked lengths (n,).

    Parameters
    ----------
    spacing
        A length, or such a function.
    bounds
        (2, d), lower and upper corner of the domain.
    cell
        Of a periodic domain: the function is asked for points of the cell only.

    Raises
    ------
    TypeError
        If it is neither a number nor callable.
    ValueError
        If a length is not positive and finite, or larger than the domain, or the function gives
        another number of them than it was asked for; also later, when the function is called.

    Examples
    --------
    >>> box = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> as_spacing(0.1, box)(np.zeros((2, 2)))
    array([0.1, 0.1])
    >>> as_spacing(lambda x: 0.1 - x[:, 0], box)(np.array([[0.0, 0.0], [0.5, 0.0]]))
    Traceback (most recent call last):
    ...
    ValueError: spacing must be positive and finite everywhere; at (0.5, 0) it is -0.4
    """
    if not callable(spacing):
        length = _fitting(spacing, bounds)
        return lambda points: np.full(len(points), length)

    def checked(points: Floats) -> Floats:
        points = points if cell is None else cell.wrap(points)
        values = as_floats(spacing(points), "the values of spacing")
        if values.shape != (len(points),):
            raise ValueError(
                "spacing must take points (n, d) and give (n,) lengths; "
                f"for points of shape {points.shape} it gave shape {values.shape}"
            )
        bad = np.flatnonzero(~(np.isfinite(values) & (values > 0.0)))
        if bad.size:
            place = ", ".join(f"{x:g}" for x in points[bad[0]])
            raise ValueError(
                "spacing must be positive and finite everywhere; "
                f"at ({place}) it is {values[bad[0]]:g}"
            )
        return values

    return checked


def whole_steps(length: Floats) -> Integers:
    """Return the number of steps nearest to each ``length`` (n,), which is in spacings; (n,).

    A half goes up, whatever its round-off: else the four sides of a square, 4.5 spacings long, have
    4 steps or 5 as luck will have it, and others on another processor.

    Examples
    --------
    >>> whole_steps(np.array([4.5 - 1e-13, 4.5 + 1e-13, 4.4]))
    array([5, 5, 4])
    """
    return np.floor(length + (0.5 + TIE)).astype(np.int64)


def _fitting(spacing: float, bounds: Floats) -> float:
    """The spacing as a float, no larger than the longest side of the bounding box."""
    length = positive_length(spacing, "spacing")
    size = float(np.max(bounds[1] - bounds[0]))
    if length > size:
        raise ValueError(
            f"spacing={length:g} is larger than the domain, whose longest side is {size:g}; "
            f"use a spacing well below {size:g}, such as {size / 20:g}"
        )
    return length
