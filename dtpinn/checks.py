"""Checks at the door, for every floor: arrays, points, indices, lengths and numbers."""

from __future__ import annotations

import math
import operator
import reprlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers

# Normals farther than this from length one are a mistake, not round-off.
UNIT_TOLERANCE = 1e-6


def rows_text(rows: npt.NDArray[np.integer]) -> str:
    """Return a short list of rows for a message.

    Examples
    --------
    >>> rows_text(np.arange(9))
    'rows 0, 1, 2, 3, 4, ... (9 in all)'
    """
    shown = ", ".join(str(row) for row in rows[:5])
    if len(rows) > 5:
        return f"rows {shown}, ... ({len(rows)} in all)"
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}"


def names_text(names: Sequence[str]) -> str:
    """Return a short list of names for a message.

    Examples
    --------
    >>> names_text([f"edge{k}" for k in range(20)])
    'edge0, edge1, edge2, edge3, edge4, edge5, ... (20 in all)'
    """
    if len(names) <= 8:
        return ", ".join(names)
    return f"{', '.join(names[:6])}, ... ({len(names)} in all)"


def as_floats(value: object, name: str, expected: str = "an array of real numbers") -> Floats:
    """Return ``value`` as a float64 array, not copied if it is one.

    Raises
    ------
    ValueError
        If it holds anything else than real numbers, or rows of unequal length.

    Examples
    --------
    >>> as_floats([0, 1], "weights")
    array([0., 1.])
    >>> as_floats([[0.0, 1.0], [2.0]], "interior")
    Traceback (most recent call last):
    ...
    ValueError: interior must be an array of real numbers; got [[0.0, 1.0], [2.0]]
    """
    try:
        array = np.asarray(value)
        # NumPy would drop an imaginary part, and make a NaN of None.
        if array.dtype.kind != "c" and value is not None:
            return array.astype(np.float64, copy=False)
    except (TypeError, ValueError, RuntimeError):  # the last by tensors that require a gradient
        pass
    raise ValueError(f"{name} must be {expected}; got {reprlib.repr(value)}")


def as_points(points: npt.ArrayLike, dimension: int | None = None, name: str = "points") -> Floats:
    """Return ``points`` as a float64 array of shape (n, d).

    Parameters
    ----------
    points
        (n, d); it may be empty, and coordinates need not be finite.
    dimension
        d, if it is known; otherwise 1, 2 or 3 is accepted.
    name
        What the message calls them.

    Raises
    ------
    ValueError
        If they are not numbers, or the shape is another one.

    Examples
    --------
    >>> as_points([[0, 1]], 2)
    array([[0., 1.]])
    """
    array = as_floats(points, name, "an array of numbers, one point a row")
    if array.ndim == 2 and array.shape[1] in ((1, 2, 3) if dimension is None else (dimension,)):
        return array
    raise ValueError(
        f"{name} must have shape (n, {'d' if dimension is None else dimension}), one point a row"
        f"{', d = 1, 2 or 3' if dimension is None else ''}; got shape {array.shape}"
        + (f". For a single point pass {name}[None, :]" if array.shape == (dimension,) else "")
    )


def check_finite(points: Floats, name: str) -> None:
    """Check that ``points`` (n, d) are finite.

    Raises
    ------
    ValueError
        Naming the rows at fault.

    Examples
    --------
    >>> check_finite(np.array([[0.0, 1.0], [np.nan, 1.0]]), "interior")
    Traceback (most recent call last):
    ...
    ValueError: interior must be finite; it is NaN or infinite in row 1
    """
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if bad.size:
        raise ValueError(f"{name} must be finite; it is NaN or infinite in {rows_text(bad)}")


def as_normals(normals: npt.ArrayLike, points: Floats, name: str = "normals") -> Floats:
    """Return ``normals`` as a float64 array, if it holds one unit vector for each of ``points``.

    Raises
    ------
    ValueError
        If the shape is not that of ``points``, or a row is not finite or not of length one;
        naming the rows.

    Examples
    --------
    >>> as_normals([[0, 1]], np.array([[3.0, 4.0]]))
    array([[0., 1.]])
    """
    array = as_points(normals, points.shape[1], name)
    if len(array) != len(points):
        raise ValueError(
            f"{name} must have one row per boundary point, {len(points)}; got {len(array)}"
        )
    check_finite(array, name)
    length = np.linalg.norm(array, axis=1)
    bad = np.flatnonzero(np.abs(length - 1.0) > UNIT_TOLERANCE)
    if bad.size:
        raise ValueError(
            f"{name} must have length 1 to within {UNIT_TOLERANCE:g}; in {rows_text(bad)} the "
            f"length is {length[bad[0]]:.6g}. "
            "Use normals / np.linalg.norm(normals, axis=1, keepdims=True)"
        )
    return array


def as_indices(value: npt.ArrayLike, name: str, limit: int, count: int | None = None) -> Integers:
    """Return ``value`` as a one-dimensional int64 array of indices below ``limit``.

    Parameters
    ----------
    value
        (n,) integers; negative ones are not accepted.
    name
        What the message calls them.
    limit
        How many things there are to point at.
    count
        n, if it is known.

    Raises
    ------
    TypeError
        If it does not hold integers: a float would be truncated.
    ValueError
        If the shape is another one, or an index is out of range; naming the first.

    Examples
    --------
    >>> as_indices([0, 9], "rows", 5)
    Traceback (most recent call last):
    ...
    ValueError: rows must be indices from 0 to 4; rows[1] is 9
    """
    try:
        array = np.asarray(value)
    except ValueError:  # rows of unequal length
        raise TypeError(f"{name} must hold integers; got {reprlib.repr(value)}") from None
    if array.size and array.dtype.kind not in "iu":  # np.asarray([]) is float64
        raise TypeError(f"{name} must hold integers; got dtype {array.dtype}")
    if array.ndim != 1 or count not in (None, len(array)):
        wanted = "one-dimensional" if count is None else f"of shape ({count},)"
        raise ValueError(f"{name} must be {wanted}; got shape {array.shape}")
    bad = np.flatnonzero((array < 0) | (array >= limit))
    if bad.size:
        raise ValueError(
            f"{name} must be indices from 0 to {limit - 1}; {name}[{bad[0]}] is {array[bad[0]]}"
        )
    return array.astype(np.int64, copy=False)


def whole_number(value: object, name: str) -> int:
    """Return ``value`` as an int, if it is one of Python's or NumPy's.

    Raises
    ------
    TypeError
        If it is anything else, a float or a bool too.

    Examples
    --------
    >>> whole_number(2.5, "threads")
    Traceback (most recent call last):
    ...
    TypeError: threads must be an integer, got 2.5
    """
    try:
        if not isinstance(value, (bool, np.bool_)):
            return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        pass
    raise TypeError(f"{name} must be an integer, got {reprlib.repr(value)}")


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


def check_count(owner: str, name: str, value: Any) -> None:
    """Refuse anything but an integer of at least 1, naming the option and what came.

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> check_count("LBFGS", "max_iterations", 0)
    Traceback (most recent call last):
        ...
    ValueError: LBFGS: expected max_iterations to be at least 1, got 0
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{owner}: expected {name} to be an integer, got {value!r}")
    if value < 1:
        raise ValueError(f"{owner}: expected {name} to be at least 1, got {value}")


def check_number(owner: str, name: str, value: Any, *, above: float | None = None) -> float:
    """Return a finite number of at least 0, or above some limit; refuse anything else.

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> check_number("GaussNewton", "increase", 1.0, above=1.0)
    Traceback (most recent call last):
        ...
    ValueError: GaussNewton: expected increase to be finite and above 1, got 1.0
    """
    try:
        if isinstance(value, (bool, str)):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{owner}: expected {name} to be a number, got {value!r}") from None
    fits = number >= 0.0 if above is None else number > above
    if not (math.isfinite(number) and fits):
        wanted = "at least 0" if above is None else "positive" if above == 0 else f"above {above:g}"
        raise ValueError(f"{owner}: expected {name} to be finite and {wanted}, got {value!r}")
    return number
