"""Radau IIA: its defining properties, and its solver against the plain one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csc_array

from dtpinn.problem.direct.radau import Radau, StageMatrix
from dtpinn.problem.direct.stepping import STAGES


def test_it_is_radau_iia():
    """Collocation at the zeros of d^2/dx^2 of x^2 (x - 1)^3, with Butcher's table of the books."""
    root = np.sqrt(6.0)
    butcher = np.array(
        [
            [(88 - 7 * root) / 360, (296 - 169 * root) / 1800, (-2 + 3 * root) / 225],
            [(296 + 169 * root) / 1800, (88 + 7 * root) / 360, (-2 - 3 * root) / 225],
            [(16 - root) / 36, (16 + root) / 36, 1 / 9],
        ]
    )
    assert np.allclose(Radau(3).derivative @ butcher, np.eye(3), atol=1e-13)
    assert np.allclose(butcher.sum(axis=1), Radau(3).points, atol=1e-14)


def test_it_is_of_order_two_s_minus_one():
    """The last row of Butcher's matrix, the inverse of `derivative`, is a quadrature rule."""
    radau = Radau(STAGES)
    weights = np.linalg.inv(radau.derivative)[-1]
    for degree in range(2 * STAGES - 1):
        assert np.isclose(weights @ radau.points**degree, 1 / (degree + 1), rtol=1e-13)
    assert not np.isclose(weights @ radau.points ** (2 * STAGES - 1), 1 / (2 * STAGES), rtol=1e-7)


def test_polynomials_have_exact_rates():
    radau, step, begin = Radau(STAGES), 0.3, 2.0
    t = begin + step * radau.points[:, None]
    for degree in range(1, STAGES + 1):
        state = np.array([[begin**degree], [degree * begin ** (degree - 1)]])
        first, second = radau.rates(t**degree - state[0], state, step)
        assert np.allclose(first, degree * t ** (degree - 1), rtol=1e-12)
        assert np.allclose(second, degree * (degree - 1) * t ** max(degree - 2, 0), atol=1e-10)


def test_extrapolation_is_exact_for_polynomials_through_the_stages():
    radau = Radau(STAGES)
    for degree in range(STAGES):
        increments = radau.points[:, None] ** degree - 7.0
        following = (1 + radau.points[:, None]) ** degree - 1.0
        assert np.allclose(radau.onwards(increments), following, atol=1e-10)
        assert np.isclose((radau.backwards @ increments)[0], 0.0**degree - 7.0, atol=1e-11)


@pytest.mark.parametrize("order", [1, 2])
def test_small_factorisations_are_the_large_one(order, rng):
    n, step, radau = 7, 0.3, Radau(STAGES)
    matrices = [csc_array(rng.standard_normal((n, n))) for _ in range(order + 1)]
    powers = [np.linalg.matrix_power(radau.derivative / step, k) for k in range(order + 1)]
    whole = sum(np.kron(P, A.toarray()) for P, A in zip(powers, matrices, strict=True))
    r = rng.standard_normal((STAGES, n))
    wanted = np.linalg.solve(whole, r.ravel()).reshape(STAGES, n)
    assert np.allclose(StageMatrix(radau, matrices, step).solve(r), wanted, rtol=1e-9)
