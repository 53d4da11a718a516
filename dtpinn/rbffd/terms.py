"""Linear differential operators in their plainest form: multi-index -> coefficient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from dtpinn.arrays import Floats
from dtpinn.geometry.checks import as_floats
from dtpinn.rbffd.polyharmonic import MultiIndex

Terms: TypeAlias = Mapping[MultiIndex, float | Floats | Callable[[Floats], ArrayLike]]
"""Multi-index -> coefficient: a number, one number per row, or a function of the points."""

Coefficient: TypeAlias = Floats
"""A checked coefficient, (1,) or (rows,)."""


def laplacian_terms(dimension: int) -> Terms:
    """Return the Laplacian as terms.

    Parameters
    ----------
    dimension : int
        d.

    Returns
    -------
    Terms

    Examples
    --------
    >>> laplacian_terms(2)
    {(2, 0): 1.0, (0, 2): 1.0}
    """
    return {_along(axis, 2, dimension): 1.0 for axis in range(dimension)}


def boundary_terms(
    normals: Floats,
    alpha: float | Floats = 1.0,
    beta: float | Floats = 0.0,
) -> Terms:
    """Return alpha n . grad + beta as terms; with the default coefficients, the normal derivative.

    Parameters
    ----------
    normals : (rows, d) array
        Outward unit normals n.
    alpha, beta : float or (rows,) array
        The coefficients.

    Returns
    -------
    Terms

    Notes
    -----
    The boundary operator of equation (2) of the paper.

    Examples
    --------
    >>> terms = boundary_terms(np.array([[0.0, 1.0]]), alpha=2.0, beta=3.0)
    >>> {alpha: coefficient.tolist() for alpha, coefficient in terms.items()}
    {(1, 0): [0.0], (0, 1): [2.0], (0, 0): [3.0]}
    """
    rows, dimension = normals.shape
    terms = {_along(axis, 1, dimension): alpha * normals[:, axis] for axis in range(dimension)}
    return {**terms, _along(0, 0, dimension): np.broadcast_to(np.float64(beta), rows)}


def check_terms(
    name: str, terms: Terms, dimension: int, rows: int
) -> dict[MultiIndex, Coefficient]:
    """Return the terms with coefficients that broadcast against (rows,), or raise ValueError.

    Parameters
    ----------
    name : str
        What the messages call the operator.
    terms : Terms
        As a user wrote them.
    dimension, rows : int
        d and the number of evaluation nodes.

    Returns
    -------
    dict
        Multi-index of d int -> (1,) or (rows,) array.

    Raises
    ------
    ValueError
        If a multi-index is not d integers >= 0, or a coefficient is neither a finite number nor
        one finite number per row.

    Examples
    --------
    >>> check_terms("mixed", {(1,): 1.0}, 2, 10)
    Traceback (most recent call last):
    ...
    ValueError: operator 'mixed': a derivative in 2-D is a tuple of 2 integers >= 0, got (1,)
    """
    if not terms:
        raise ValueError(f"operator {name!r} has no terms: give at least one multi-index")
    return {
        _check_index(name, alpha, dimension): _check_coefficient(name, alpha, value, rows)
        for alpha, value in terms.items()
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
    >>> highest_derivative({"laplacian": laplacian_terms(3), "identity": {(0, 0, 0): 1.0}})
    2
    """
    return max(sum(alpha) for terms in operators.values() for alpha in terms)


def _along(axis: int, times: int, dimension: int) -> MultiIndex:
    return tuple(times if i == axis else 0 for i in range(dimension))


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
