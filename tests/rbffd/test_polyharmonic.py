from itertools import product

import numpy as np
import pytest

from dtpinn.rbffd.polyharmonic import polyharmonic, power_from_squared

EPS = np.finfo(float).eps


def offsets(dimension, count=50):
    return np.random.default_rng(1).uniform(-1, 1, (count, dimension))


def axis_times(axis, times, dimension):
    return tuple(times if i == axis else 0 for i in range(dimension))


@pytest.mark.parametrize("exponent", [1, 3, 5, 7, 9, 11])
def test_powers_by_multiplication(exponent):
    squared = np.random.default_rng(0).uniform(0, 4, 100)
    expected = np.sqrt(squared) ** exponent
    # m/2 + 1 roundings on either side
    np.testing.assert_allclose(
        power_from_squared(squared, exponent), expected, rtol=2 * exponent * EPS
    )


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("m", [3, 5, 7, 9])
def test_laplacian_is_known(m, dimension):
    xi = offsets(dimension)
    r = np.linalg.norm(xi, axis=1)
    total = sum(polyharmonic(xi, m, axis_times(i, 2, dimension)) for i in range(dimension))
    np.testing.assert_allclose(total, m * (m + dimension - 2) * r ** (m - 2), rtol=1e-13)


@pytest.mark.parametrize("m", [5, 7, 9])
def test_bilaplacian_is_known(m):
    xi = offsets(2)
    r = np.linalg.norm(xi, axis=1)
    total = (
        polyharmonic(xi, m, (4, 0)) + 2 * polyharmonic(xi, m, (2, 2)) + polyharmonic(xi, m, (0, 4))
    )
    np.testing.assert_allclose(total, m**2 * (m - 2) ** 2 * r ** (m - 4), rtol=1e-12)


@pytest.mark.parametrize("m", [3, 5, 7])
def test_gradient_is_known(m):
    xi = offsets(3)
    r = np.linalg.norm(xi, axis=1)
    for axis in range(3):
        expected = m * r ** (m - 2) * xi[:, axis]
        np.testing.assert_allclose(
            polyharmonic(xi, m, axis_times(axis, 1, 3)), expected, rtol=1e-13
        )


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_each_derivative_is_the_derivative_of_the_one_before(dimension):
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


@pytest.mark.parametrize("alpha", [(0, 0), (1, 0), (1, 1), (2, 0)])
def test_centre_is_zero_and_not_nan(alpha):
    assert polyharmonic(np.zeros((1, 2)), 3, alpha).tolist() == [0.0]


def test_one_dimension_is_the_odd_power():
    x = np.array([[-2.0], [3.0]])
    np.testing.assert_allclose(polyharmonic(x, 3, (1,)), 3 * x[:, 0] * np.abs(x[:, 0]))
    np.testing.assert_allclose(polyharmonic(x, 5, (3,)), 60 * x[:, 0] * np.abs(x[:, 0]))


def test_derivatives_without_a_limit_at_the_centre_are_refused():
    with pytest.raises(
        ValueError, match=r"r\^3 has no continuous derivative \(2, 1\): needs m > 3"
    ):
        polyharmonic(np.ones((1, 2)), 3, (2, 1))


def test_alpha_of_another_dimension_is_refused():
    with pytest.raises(ValueError, match="alpha must have 2 entries"):
        polyharmonic(np.ones((1, 2)), 3, (1,))
