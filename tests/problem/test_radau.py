"""Radau IIA, three stages: its defining properties, and its solver against the plain one."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from scipy.sparse import csc_array

from dtpinn.problem.direct.radau import DERIVATIVE, STAGES, StageMatrix, extrapolation


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
    assert np.allclose(DERIVATIVE @ butcher, np.eye(3), atol=1e-13)
    assert np.allclose(butcher.sum(axis=1), STAGES, atol=1e-14)


def test_polynomials_of_degree_three_are_differentiated_exactly():
    for degree in (1, 2, 3):
        assert np.allclose(DERIVATIVE @ STAGES**degree, degree * STAGES ** (degree - 1))


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_extrapolation_is_exact_for_parabolas(ratio):
    for degree in (0, 1, 2):
        following = (1 + ratio * STAGES) ** degree
        assert np.allclose(extrapolation(ratio) @ STAGES**degree, following, atol=1e-12)


def test_two_small_factorisations_are_the_large_one(rng):
    n, step = 7, 0.3
    J, R = (csc_array(rng.standard_normal((n, n))) for _ in range(2))
    whole = scipy.sparse.kron(DERIVATIVE / step, R) + scipy.sparse.kron(np.eye(3), J)
    r = rng.standard_normal((3, n))
    wanted = np.linalg.solve(whole.toarray(), r.ravel()).reshape(3, n)
    assert np.allclose(StageMatrix(J, R, step).solve(r), wanted, rtol=1e-10)
