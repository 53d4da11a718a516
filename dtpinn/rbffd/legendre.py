"""Tensor-product Legendre polynomials of bounded total degree, and their derivatives at 0."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.polynomial import legendre

from dtpinn.arrays import Floats
from dtpinn.operators import MultiIndex


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


def legendre_values(points: Floats, degree: int) -> Floats:
    """Evaluate the polynomials q_j(x) = prod_i P_(j_i)(x_i) of total degree at most l.

    Parameters
    ----------
    points : (..., d) array
        Within [-1, 1]^d, where every |q_j| <= 1 (they are not normalised).
    degree : int
        l.

    Returns
    -------
    (..., q) array
        q = C(l+d, d), in the order of :func:`multi_indices`. The P of equation (10).

    Examples
    --------
    >>> legendre_values(np.array([[0.5, -1.0]]), 1)
    array([[ 1. , -1. ,  0.5]])
    """
    dimension = points.shape[-1]
    columns = np.array(multi_indices(dimension, degree))
    along = np.asarray(legendre.legvander(points, degree), dtype=np.float64)  # (..., d, l+1)
    values = along[..., 0, columns[:, 0]]
    for axis in range(1, dimension):
        values = values * along[..., axis, columns[:, axis]]
    return values


@lru_cache(maxsize=256)
def legendre_at_zero(degree: int, alpha: MultiIndex) -> Floats:
    """Return D^alpha q_j(0) for the polynomials of :func:`legendre_values`.

    Parameters
    ----------
    degree : int
        l.
    alpha : tuple of d int
        The derivative.

    Returns
    -------
    (q,) array, read-only
        The polynomial part of equation (11), for one derivative.

    Examples
    --------
    P_2 = (3 x^2 - 1) / 2 has the second derivative 3:

    >>> legendre_at_zero(2, (2,))
    array([0., 0., 3.])
    """
    columns = np.array(multi_indices(len(alpha), degree))
    values = np.ones(len(columns))
    for axis, times in enumerate(alpha):
        # Each column of `series` is one P_k as a series; legder differentiates along axis 0.
        series = legendre.legder(np.eye(degree + 1), times)
        at_zero = np.asarray(legendre.legval(0.0, series), dtype=np.float64)
        values *= at_zero[columns[:, axis]]
    values += 0.0  # -0.0 becomes 0.0
    values.flags.writeable = False  # cached: nobody may change it
    return values
