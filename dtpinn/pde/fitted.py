"""The gradient of values at scattered points, by polynomials fitted around each."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats, Integers

DEGREE = 4
# Rows of fits that are held at once: a table of 70 x 35 numbers for each in space.
_AT_ONCE = 4096


def fitted_gradient(tree: cKDTree, values: Floats, index: Integers) -> Floats:
    """Return the gradient (n, d) at some of the points.

    Least squares over twice as many neighbours as the polynomial has terms, the near ones weighing
    more; exact for polynomials up to the degree.

    Parameters
    ----------
    tree : cKDTree
        Of the points (m, d).
    values : (m,)
    index : (n,) int array
        Which of the points.

    Raises
    ------
    ValueError
        If there are fewer points than a polynomial has terms.
    """
    points = np.asarray(tree.data)
    exponents = _exponents(points.shape[1])
    if len(points) < len(exponents):
        raise ValueError(
            f"a gradient needs values at {len(exponents)} points or more in {points.shape[1]}-D, "
            f"got {len(points)}"
        )
    count = min(len(points), 2 * len(exponents))
    result = np.empty((len(index), points.shape[1]))
    for first in range(0, len(index), _AT_ONCE):
        block = slice(first, first + _AT_ONCE)
        distance, near = tree.query(points[index[block]], k=count)
        size = distance[:, -1]
        # In units of the neighbourhood, so that the tables are all alike.
        at = (points[near] - points[index[block], None]) / size[:, None, None]
        table = np.prod(at[:, :, None] ** exponents, axis=-1)
        weight = np.exp(-2.0 * (distance / size[:, None]) ** 2)
        fit = np.linalg.pinv(table * weight[..., None], rcond=1e-10)
        terms = np.einsum("nij,nj->ni", fit, weight * values[near])
        result[block] = terms[:, 1 : 1 + points.shape[1]] / size[:, None]
    return result


def _exponents(dimension: int) -> Integers:
    """Of all monomials up to the degree, the constant first, then x_1, x_2, ..."""
    return np.array(
        [
            np.bincount(np.array(axes, dtype=int), minlength=dimension)
            for degree in range(DEGREE + 1)
            for axes in combinations_with_replacement(range(dimension), degree)
        ]
    )
