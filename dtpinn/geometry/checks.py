"""Checks at the door of every domain."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def as_points(points: npt.ArrayLike, dimension: int, name: str = "points") -> Floats:
    """Return ``points`` as a float64 array of shape (n, dimension).

    Raises
    ------
    ValueError
        If the shape is not (n, dimension).

    Examples
    --------
    >>> as_points([[0, 1]], 2)
    array([[0., 1.]])
    """
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != dimension:
        raise ValueError(
            f"{name} must have shape (n, {dimension}), one point a row; got shape {array.shape}"
            + (f". For a single point pass {name}[None, :]" if array.shape == (dimension,) else "")
        )
    return array


def positive_length(value: float, name: str) -> float:
    """Return ``value`` as a float, if it is a length: finite and above zero.

    Raises
    ------
    TypeError
        If ``value`` is not a number.
    ValueError
        If it is not finite and positive.

    Examples
    --------
    >>> positive_length(2, "radius")
    2.0
    """
    try:
        length = float(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name} must be a number, a length in the units of the domain; "
            f"got {type(value).__name__}"
        ) from None
    if not (math.isfinite(length) and length > 0.0):
        raise ValueError(f"{name} must be finite and positive; got {name}={value}")
    return length


def fitting_spacing(spacing: float, bounds: Floats) -> float:
    """Return ``spacing`` as a float, if it is a length no larger than the domain.

    Parameters
    ----------
    spacing
        Wanted distance between neighbouring boundary points.
    bounds
        (2, d), lower and upper corner of the domain.

    Raises
    ------
    ValueError
        If ``spacing`` is not positive, or larger than the largest side of the bounding box.

    Examples
    --------
    >>> fitting_spacing(0.5, np.array([[0.0, 0.0], [1.0, 2.0]]))
    0.5
    """
    length = positive_length(spacing, "spacing")
    size = float(np.max(bounds[1] - bounds[0]))
    if length > size:
        raise ValueError(
            f"spacing={length:g} is larger than the domain, whose longest side is {size:g}; "
            f"use a spacing well below {size:g}, such as {size / 20:g}"
        )
    return length
