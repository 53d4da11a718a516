"""The checks at the optimizer's door."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse options L-BFGS cannot work with, naming the option, what was expected and what came.

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> check_options({"max_iterations": 0})
    Traceback (most recent call last):
        ...
    ValueError: LBFGS: expected max_iterations to be at least 1, got 0
    """
    for name, value in options.items():
        if name == "line_search":
            if value not in ("strong_wolfe", None):
                raise ValueError(
                    f"LBFGS: expected line_search to be 'strong_wolfe' or None, got {value!r}"
                )
        elif name == "max_evaluations" and value is None:
            continue
        elif name in ("max_iterations", "max_evaluations", "history_size"):
            _check_count(name, value)
        else:
            _check_number(name, value, positive=name == "lr")


def _check_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"LBFGS: expected {name} to be an integer, got {value!r}")
    if value < 1:
        raise ValueError(f"LBFGS: expected {name} to be at least 1, got {value}")


def _check_number(name: str, value: Any, *, positive: bool) -> None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"LBFGS: expected {name} to be a number, got {value!r}") from None
    if not (math.isfinite(number) and number >= 0.0) or (positive and number == 0.0):
        wanted = "positive" if positive else "at least 0"
        raise ValueError(f"LBFGS: expected {name} to be finite and {wanted}, got {value!r}")
