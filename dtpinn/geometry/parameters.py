"""Checks at the door of what describes a domain: points, vectors and corners."""

from __future__ import annotations

import numpy as np

from dtpinn.checks import as_floats

NUMBERS = {
    1: "one finite number",
    2: "two finite numbers (x, y)",
    3: "three finite numbers (x, y, z)",
}


def as_vector(value: object, dimension: int, name: str) -> tuple[float, ...]:
    """Return ``value`` as a tuple of ``dimension`` finite floats.

    Raises
    ------
    ValueError
        If it is anything else.

    Examples
    --------
    >>> as_vector([1, 2], 2, "center")
    (1.0, 2.0)
    >>> as_vector([1, float("nan")], 2, "center")
    Traceback (most recent call last):
    ...
    ValueError: center must be two finite numbers (x, y); got [1, nan]
    """
    array = as_floats(value, name, NUMBERS[dimension])
    if array.shape != (dimension,) or not np.isfinite(array).all():
        raise ValueError(f"{name} must be {NUMBERS[dimension]}; got {value}")
    return tuple(float(number) for number in array)


def as_flags(value: object, dimension: int, name: str) -> tuple[bool, ...]:
    """Return ``value`` as a tuple of ``dimension`` bools; one for all directions is enough.

    Raises
    ------
    TypeError
        If it holds anything but bools.
    ValueError
        If there is another number of them.

    Examples
    --------
    >>> as_flags(True, 2, "periodic"), as_flags([True, False], 2, "periodic")
    ((True, True), (True, False))
    """
    array = np.asarray(value)
    if array.dtype != np.bool_:
        raise TypeError(
            f"{name} must be True, False, or one of them for each direction; got {value!r}"
        )
    if array.shape not in ((), (dimension,)):
        raise ValueError(
            f"{name} must be one bool, or {dimension}, one for each direction; got {value!r}"
        )
    return tuple(np.broadcast_to(array, dimension).tolist())


def as_corners(
    lower: object, upper: object, dimension: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the lower and the upper corner of a box as tuples.

    Raises
    ------
    ValueError
        If they are not points, or the upper one is not above and to the right of the lower one.

    Examples
    --------
    >>> as_corners((0, 0), (1, 2), 2)
    ((0.0, 0.0), (1.0, 2.0))
    """
    low, high = as_vector(lower, dimension, "lower"), as_vector(upper, dimension, "upper")
    if not all(a < b for a, b in zip(low, high, strict=True)):
        raise ValueError(
            f"every coordinate of lower must be below that of upper; got lower={low} and "
            f"upper={high}"
        )
    return low, high
