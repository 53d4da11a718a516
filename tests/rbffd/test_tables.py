"""The tables that the solver reads, through what they are tables of."""

from itertools import product
from math import comb

import numpy as np
import pytest

from dtpinn.rbffd.tables import multi_indices
from tests.rbffd.in_numpy import polyharmonic


def offsets(dimension, count=50):
    return np.random.default_rng(1).uniform(-1, 1, (count, dimension))


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("degree", [0, 1, 4, 7])
def test_there_are_as_many_polynomials_as_the_paper_counts(degree, dimension):
    indices = multi_indices(dimension, degree)
    assert len(set(indices)) == len(indices) == comb(degree + dimension, dimension)
    assert max(map(sum, indices)) == degree


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("m", [3, 5, 7, 9])
def test_the_laplacian_of_the_spline_is_known(m, dimension):
    xi = offsets(dimension)
    r = np.linalg.norm(xi, axis=1)
    unit = np.eye(dimension, dtype=int)
    total = sum(polyharmonic(xi, m, tuple(2 * e)) for e in unit)
    np.testing.assert_allclose(total, m * (m + dimension - 2) * r ** (m - 2), rtol=1e-13)


@pytest.mark.parametrize("m", [5, 7, 9])
def test_the_bilaplacian_of_the_spline_is_known(m):
    xi = offsets(2)
    r = np.linalg.norm(xi, axis=1)
    total = sum(c * polyharmonic(xi, m, a) for a, c in {(4, 0): 1, (2, 2): 2, (0, 4): 1}.items())
    np.testing.assert_allclose(total, m**2 * (m - 2) ** 2 * r ** (m - 4), rtol=1e-12)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_each_derivative_of_the_spline_is_that_of_the_one_before(dimension):
    xi = offsets(dimension)
    xi = xi[np.linalg.norm(xi, axis=1) > 0.3]  # away from 0, where higher derivatives are large
    m, h = 7, 1e-5
    for alpha in product(range(4), repeat=dimension):
        if sum(alpha) > 4:
            continue
        for axis in range(dimension):
            step = h * np.eye(dimension)[axis]
            higher = tuple(a + (i == axis) for i, a in enumerate(alpha))
            difference = polyharmonic(xi + step, m, alpha) - polyharmonic(xi - step, m, alpha)
            # central difference: h^2/6 f''' (about 1e-10 x 7!/0.3) and eps/h f (about 1e-11 x 7!)
            np.testing.assert_allclose(
                polyharmonic(xi, m, higher), difference / (2 * h), rtol=1e-6, atol=1e-6
            )
