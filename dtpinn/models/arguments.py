"""Checks of what networks are made of; messages name the network's class."""

from __future__ import annotations

import math
from typing import Any


def check_size(owner: str, name: str, size: Any) -> None:
    """Refuse what is no integer of at least 1.

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> check_size("MLP", "width", 0)
    Traceback (most recent call last):
    ValueError: MLP: expected width to be at least 1, got 0
    """
    if isinstance(size, bool) or not isinstance(size, int):
        raise TypeError(f"{owner}: expected {name} to be an integer, got {size!r}")
    if size < 1:
        raise ValueError(f"{owner}: expected {name} to be at least 1, got {size}")


def positive(owner: str, name: str, value: Any) -> float:
    """Return a number that is finite and above zero.

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> positive("FourierMLP", "bandwidth", 3)
    3.0
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{owner}: expected {name} to be a number, got {value!r}")
    if not (math.isfinite(value) and value > 0.0):
        raise ValueError(f"{owner}: expected {name} to be finite and positive, got {value!r}")
    return float(value)
