"""The tables that the compiled solver reads: polynomials, derivatives of r^m, and probes.

The systems (9) themselves are built and solved by csrc/rbffd, stencil by stencil; all that they
have in common is made here, once for each rule.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.operators import MultiIndex
from dtpinn.rbffd.rule import Rule

PROBES = 3
"""How many right-hand sides the condition estimate adds."""


@lru_cache(maxsize=64)
def tables(rule: Rule, derivatives: tuple[MultiIndex, ...]) -> dict[str, object]:
    """Return what the systems of all stencils share; the names are those of csrc/rbffd/system.h.

    Parameters
    ----------
    rule : Rule
        Gives m and l.
    derivatives : tuple of multi-indices
        Those of the right-hand sides.

    Returns
    -------
    dict of name to array or int
    """
    expansions = [derivative_terms(rule.exponent, alpha) for alpha in derivatives]
    terms = [term for expansion in expansions for term in expansion]
    return {
        "exponent": rule.exponent,
        "degrees": np.array(multi_indices(rule.dimension, rule.degree)),
        "alpha": np.array(derivatives),
        "first_term": np.cumsum([0, *(len(expansion) for expansion in expansions)]),
        "powers": np.array([powers for powers, _ in terms]),
        "factors": np.array([float(factor) for _, factor in terms]),
        "probes": np.ascontiguousarray(probes(rule.unknowns).T),
    }


@lru_cache(maxsize=64)
def multi_indices(dimension: int, degree: int) -> tuple[MultiIndex, ...]:
    """List the multi-indices of total degree at most l, lowest degree first.

    Parameters
    ----------
    dimension : int
        d.
    degree : int
        l.

    Returns
    -------
    tuple of C(l+d, d) tuples of d int

    Examples
    --------
    >>> multi_indices(2, 1)
    ((0, 0), (0, 1), (1, 0))
    """
    box = product(range(degree + 1), repeat=dimension)
    return tuple(
        sorted((index for index in box if sum(index) <= degree), key=lambda i: (sum(i), i))
    )


@lru_cache(maxsize=256)
def derivative_terms(exponent: int, alpha: MultiIndex) -> tuple[tuple[MultiIndex, int], ...]:
    """Expand a derivative of r^m in the direction s: D^alpha r^m = r^(m-|alpha|) sum_b c_b s^b.

    Here s = xi / r and b is a multi-index.

    Parameters
    ----------
    exponent : int
        m.
    alpha : tuple of int
        The derivative, one entry per dimension.

    Returns
    -------
    tuple of (b, c_b)

    Notes
    -----
    By induction from r^k s^b = r^(k-|b|) xi^b,
    d/dxi_i (r^k s^b) = r^(k-1) (b_i s^(b-e_i) + (k-|b|) s^(b+e_i)).

    Examples
    --------
    The second derivative of r^3 in x is r (3 + 3 s_x^2):

    >>> derivative_terms(3, (2, 0))
    (((0, 0), 3), ((2, 0), 3))
    """
    terms: dict[MultiIndex, int] = {(0,) * len(alpha): 1}
    power = exponent
    for axis, times in enumerate(alpha):
        for _ in range(times):
            terms = _differentiate(terms, power, axis)
            power -= 1
    return tuple(sorted((beta, c) for beta, c in terms.items() if c))


def _differentiate(terms: dict[MultiIndex, int], power: int, axis: int) -> dict[MultiIndex, int]:
    result: dict[MultiIndex, int] = {}
    for beta, c in terms.items():
        for step, factor in ((-1, beta[axis]), (1, power - sum(beta))):
            if factor:
                shifted = (*beta[:axis], beta[axis] + step, *beta[axis + 1 :])
                result[shifted] = result.get(shifted, 0) + factor * c
    return result


@lru_cache(maxsize=64)
def probes(size: int) -> Floats:
    """Return fixed normally distributed columns, the same for every stencil.

    Parameters
    ----------
    size : int
        The number of rows.

    Returns
    -------
    (size, PROBES) array, read-only

    Notes
    -----
    For a normally distributed column z, E |K^-1 z|^2 = |K^-1|_F^2: the solutions tell how large the
    inverse is, for the price of a few right-hand sides. (Random signs have the same expectation,
    but where two nodes nearly coincide the inverse is large on their difference alone, which signs
    miss whenever they are equal.)

    Examples
    --------
    >>> probes(50).shape
    (50, 3)
    """
    columns = np.random.default_rng(size).standard_normal((size, PROBES))
    columns.flags.writeable = False  # cached: nobody may change it
    return columns
