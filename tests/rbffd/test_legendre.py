from itertools import product
from math import comb

import numpy as np
import pytest
from numpy.polynomial import Legendre

from dtpinn.rbffd.legendre import legendre_at_zero, legendre_values, multi_indices


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("degree", [0, 1, 4, 7])
def test_there_are_as_many_as_the_paper_counts(degree, dimension):
    indices = multi_indices(dimension, degree)
    assert len(set(indices)) == len(indices) == comb(degree + dimension, dimension)
    assert max(map(sum, indices)) == degree


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_values_are_products_of_legendre_polynomials(dimension):
    x = np.random.default_rng(0).uniform(-1, 1, (4, 5, dimension))
    values = legendre_values(x, 6)
    for k, index in enumerate(multi_indices(dimension, 6)):
        expected = np.prod([Legendre.basis(j)(x[..., i]) for i, j in enumerate(index)], axis=0)
        np.testing.assert_allclose(values[..., k], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_derivatives_at_zero_of_every_multi_index(dimension):
    degree = 7
    for alpha in product(range(5), repeat=dimension):
        if sum(alpha) > 4:
            continue
        got = legendre_at_zero(degree, alpha)
        for k, index in enumerate(multi_indices(dimension, degree)):
            factors = [
                Legendre.basis(j).deriv(a)(0.0) if a else Legendre.basis(j)(0.0)
                for j, a in zip(index, alpha, strict=True)
            ]
            assert got[k] == pytest.approx(np.prod(factors), rel=1e-12, abs=1e-12)


def test_derivatives_are_cached_and_cannot_be_changed():
    first = legendre_at_zero(5, (1, 0))
    assert legendre_at_zero(5, (1, 0)) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1.0
