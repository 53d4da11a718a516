"""The polyharmonic spline r^m, m odd, and its derivatives of any order."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dtpinn.arrays import Floats

MultiIndex = tuple[int, ...]
"""How often to differentiate along each axis: (2, 0) is d^2/dx^2 in 2-D."""


def power_from_squared(squared: Floats, exponent: int, out: Floats | None = None) -> Floats:
    """Return r^m from r^2, for an odd m, by a square root and multiplications.

    Parameters
    ----------
    squared : (...) array
        r^2, not negative.
    exponent : int
        m, odd and positive.
    out : (...) array, optional
        Where to write the result.

    Returns
    -------
    (...) array

    Notes
    -----
    The n x n distances of every stencil go through here. numpy's `power` is several times slower,
    and its last bit depends on the machine's vector instructions.

    Examples
    --------
    >>> power_from_squared(np.array([0.0, 4.0]), 3)
    array([0., 8.])
    """
    result: Floats = np.sqrt(squared, out=out)
    for _ in range(exponent // 2):
        result *= squared
    return result


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


def polyharmonic(offsets: Floats, exponent: int, alpha: MultiIndex) -> Floats:
    """Return D^alpha |xi|^m at the offsets xi.

    Parameters
    ----------
    offsets : (..., d) array
        xi = x - x_j.
    exponent : int
        m, odd and above |alpha|, so that the derivative is continuous: 0 at xi = 0.
    alpha : tuple of d int
        The derivative.

    Returns
    -------
    (...) array

    Raises
    ------
    ValueError
        If m <= |alpha|, or alpha does not have d entries.

    Notes
    -----
    The entries of the right-hand side of equation (11), before operators are combined.

    Examples
    --------
    The Laplacian of r^3 in 2-D is 9 r:

    >>> xi = np.array([[0.6, 0.8], [0.0, 0.0]])
    >>> polyharmonic(xi, 3, (2, 0)) + polyharmonic(xi, 3, (0, 2))
    array([9., 0.])
    """
    order = sum(alpha)
    if exponent <= order:
        raise ValueError(f"r^{exponent} has no continuous derivative {alpha}: needs m > {order}")
    if len(alpha) != offsets.shape[-1]:
        raise ValueError(f"alpha must have {offsets.shape[-1]} entries, got {alpha}")
    squared: Floats = np.einsum("...i,...i->...", offsets, offsets)
    r = np.sqrt(squared)
    # At r = 0 any finite direction will do: it is multiplied by r^(m-|alpha|) = 0.
    direction = offsets / np.where(r > 0.0, r, 1.0)[..., None]
    angular = np.zeros_like(r)
    for beta, c in derivative_terms(exponent, alpha):
        monomial = np.full_like(r, float(c))
        for axis, power in enumerate(beta):
            for _ in range(power):
                monomial *= direction[..., axis]
        angular += monomial
    for _ in range(exponent - order):
        angular *= r
    return angular
