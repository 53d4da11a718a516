"""The checks at the optimizers' doors."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any


def check_options(
    owner: str,
    options: Mapping[str, Any],
    *,
    counts: Collection[str] = (),
    optional: Collection[str] = (),
    above: Mapping[str, float] | None = None,
) -> None:
    """Check options by name: whole numbers of at least 1, or numbers of at least 0.

    Parameters
    ----------
    owner : str
        The optimizer's name, for messages.
    options : mapping of name to value
    counts : names
        Of those that are whole numbers.
    optional : names
        Of those that may be None.
    above : mapping of name to number
        Of those that must be greater than something.

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> check_options("LBFGS", {"lr": 0.0}, above={"lr": 0.0})
    Traceback (most recent call last):
        ...
    ValueError: LBFGS: expected lr to be finite and positive, got 0.0
    """
    for name, value in options.items():
        if value is None and name in optional:
            continue
        if name in counts:
            check_count(owner, name, value)
        else:
            check_number(owner, name, value, above=(above or {}).get(name))


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


def check_number(owner: str, name: str, value: Any, *, above: float | None = None) -> None:
    """Refuse anything but a finite number of at least 0, or above some limit.

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
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{owner}: expected {name} to be a number, got {value!r}") from None
    fits = number >= 0.0 if above is None else number > above
    if not (math.isfinite(number) and fits):
        wanted = "at least 0" if above is None else "positive" if above == 0 else f"above {above:g}"
        raise ValueError(f"{owner}: expected {name} to be finite and {wanted}, got {value!r}")
