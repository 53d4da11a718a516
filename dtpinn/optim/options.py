"""The checks at the optimizers' doors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from dtpinn.checks import check_count, check_number


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
