"""Equilibration: the units of rows and columns do not matter to what comes out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import block_array, csc_array, diags_array, random_array

from dtpinn.problem.direct.factorise import factorise
from dtpinn.problem.direct.scaling import equilibrate


def saddle(rng, count=60):
    """Like Stokes: a velocity in all equations, a pressure in some of them."""
    A = random_array((count, count), density=0.1, rng=rng) + diags_array(np.full(count, 4.0))
    B = random_array((count, count // 2), density=0.1, rng=rng) + np.eye(count, count // 2)
    return csc_array(block_array([[A, B], [B.T, None]]))


def test_the_scaled_matrix_is_the_same_in_any_units(rng):
    A = saddle(rng)
    reference = equilibrate(A)(A)
    rows, columns = 10.0 ** rng.integers(-12, 12, (2, A.shape[0])).astype(float)
    moved = csc_array(diags_array(rows) @ A @ diags_array(columns))
    ratio = np.abs(equilibrate(moved)(moved).data / reference.data)
    # Of a row's exponent and a column's each may have been rounded the other way.
    assert ratio.min() > 0.24
    assert ratio.max() < 4.2
    assert ratio.std() > 0.0  # not the very same numbers compared


def test_rounding_in_the_place_of_a_zero_is_not_scaled_up(rng):
    A = saddle(rng)
    noisy = A + csc_array(1e-17 * random_array(A.shape, density=0.3, rng=rng))
    ratio = np.abs(equilibrate(csc_array(noisy))(A).data / equilibrate(A)(A).data)
    assert ratio.min() > 0.24
    assert ratio.max() < 4.2


def test_scales_are_exact_and_every_row_and_column_has_an_entry_of_about_one(rng):
    A = saddle(rng)
    scales = equilibrate(A)
    for scale in (scales.rows, scales.columns):
        assert np.array_equal(np.frexp(scale)[0], np.full(len(scale), 0.5))
    size = abs(scales(A))
    for axis in (0, 1):
        largest = size.max(axis=axis).toarray()
        assert (largest > 0.3).all()
        assert (largest < 3.0).all()


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_a_badly_scaled_system_is_solved_to_rounding(rng, dtype):
    A = csc_array(saddle(rng).astype(dtype))
    x = rng.standard_normal(A.shape[0]).astype(dtype)
    rows, columns = 10.0 ** rng.integers(-12, 12, (2, A.shape[0])).astype(float)
    moved = csc_array(diags_array(rows) @ A @ diags_array(columns))
    found = factorise(moved, "").solve(rows * (A @ x)) * columns
    assert np.abs(found - x).max() < 1e-11 * np.abs(x).max()


def test_a_singular_system_is_told_in_any_units(rng):
    A = saddle(rng).tolil()
    A[3] = A[5] + A[7]
    rows, columns = 10.0 ** rng.integers(-12, 12, (2, A.shape[0])).astype(float)
    moved = csc_array(diags_array(rows) @ A.tocsc() @ diags_array(columns))
    with pytest.raises(RuntimeError, match=r"singular.*fix a value"):
        factorise(moved, "fix a value")
