"""What operators are at the rows of a matrix: multi-index -> checked coefficient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.checks import as_floats
from dtpinn.operators import MultiIndex, Operator, Terms
from dtpinn.rbffd.sites import Sites

Coefficient: TypeAlias = Floats
"""A checked coefficient, (1,) or (rows,)."""


def terms_of(name: str, operator: Operator | Terms, sites: Sites) -> dict[MultiIndex, Coefficient]:
    """Return an operator's terms with coefficients that broadcast against (rows,).

    Parameters
    ----------
    name : str
        What the messages call it.
    operator : Operator or mapping
        As a user wrote it.
    sites : Sites
        Where it is evaluated.

    Returns
    -------
    dict
        Multi-index of d int -> (1,) or (rows,) array.

    Raises
    ------
    TypeError
        If it is no operator.
    ValueError
        If it does not fit the sites, a multi-index is not d integers >= 0, or a coefficient is
        neither a finite number nor one finite number per row.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from dtpinn.operators import laplacian
    >>> from dtpinn.rbffd.sites import find_sites
    >>> sites = find_sites(SimpleNamespace(extended=np.zeros((3, 2))), np.arange(3))
    >>> terms_of("L", 2 * laplacian, sites)
    {(2, 0): array([2.]), (0, 2): array([2.])}
    >>> terms_of("mixed", {(1,): 1.0}, sites)
    Traceback (most recent call last):
    ...
    ValueError: operator 'mixed': a derivative in 2-D is a tuple of 2 integers >= 0, got (1,)
    """
    if isinstance(operator, Operator):
        terms = operator.terms_at(sites)
    elif isinstance(operator, Mapping):
        terms = {alpha: c(sites.points) if callable(c) else c for alpha, c in operator.items()}
    else:
        raise TypeError(
            f"operator {name!r} must be a mapping multi-index -> coefficient, or made of "
            f"dtpinn.rbffd.differential's; got {type(operator).__name__}"
        )
    if not terms:
        raise ValueError(f"operator {name!r} has no terms: give at least one multi-index")
    return {
        _check_index(name, alpha, sites.dimension): _check_coefficient(name, alpha, c, len(sites))
        for alpha, c in terms.items()
    }


def highest_derivative(operators: Mapping[str, Mapping[MultiIndex, object]]) -> int:
    """Return theta, the highest |alpha| in a set of operators.

    Parameters
    ----------
    operators : mapping of name to terms
        Not empty.

    Returns
    -------
    int

    Examples
    --------
    >>> highest_derivative({"second": {(0, 2): 1.0, (1, 0): 3.0}, "identity": {(0, 0): 1.0}})
    2
    """
    return max(sum(alpha) for terms in operators.values() for alpha in terms)


def _check_index(name: str, alpha: MultiIndex, dimension: int) -> MultiIndex:
    integers = isinstance(alpha, tuple) and all(isinstance(i, (int, np.integer)) for i in alpha)
    if not integers or len(alpha) != dimension or min(alpha) < 0:
        raise ValueError(
            f"operator {name!r}: a derivative in {dimension}-D is a tuple of {dimension} "
            f"integers >= 0, got {alpha!r}"
        )
    return tuple(int(i) for i in alpha)


def _check_coefficient(name: str, alpha: MultiIndex, value: object, rows: int) -> Coefficient:
    array = as_floats(
        value, f"operator {name!r}: the coefficient of {alpha}", f"a number or an array of {rows}"
    )
    if array.shape not in ((), (rows,)):
        raise ValueError(
            f"operator {name!r}: the coefficient of {alpha} must be a number or have the shape "
            f"({rows},), one per evaluation node, got {array.shape}"
        )
    array = np.atleast_1d(array)
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise ValueError(
            f"operator {name!r}: the coefficient of {alpha} must be finite, "
            f"entry {bad[0]} is {array[bad[0]]}"
        )
    return array
