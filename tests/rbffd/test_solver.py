"""The compiled solver of the stencils' systems, against NumPy and LAPACK."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dtpinn.rbffd import choose_rule
from dtpinn.rbffd.solver import solve_stencils
from dtpinn.rbffd.stencils import find_stencils
from dtpinn.rbffd.tables import PROBES, tables
from dtpinn.sparse.extension import _C
from tests.rbffd.clouds import box, exponents_up_to, monomial
from tests.rbffd.in_numpy import right_hand_sides, saddle_point_matrices

EPS = np.finfo(float).eps
DERIVATIVES = {
    1: ((1,), (2,)),
    2: ((2, 0), (0, 2), (1, 1), (0, 1)),
    3: ((0, 0, 2), (1, 1, 0), (0, 1, 0)),
}


def stencils_of(rule, count=20):
    per_side = {1: 100, 2: 20, 3: 9}[rule.dimension]
    points = box(rule.dimension, per_side).extended
    return find_stencils(points, np.arange(count), rule.stencil_size).offsets(slice(None))


def plainly(offsets, rule, derivatives):
    """Weights at the centre, condition estimates and condition numbers, by NumPy and LAPACK."""
    matrices = saddle_point_matrices(offsets, rule)
    solutions = np.linalg.solve(matrices, right_hand_sides(offsets, rule, derivatives))
    weights = solutions[:, : rule.stencil_size, : len(derivatives)].swapaxes(1, 2)
    probed = np.linalg.norm(solutions[:, :, len(derivatives) :], axis=(1, 2)) / np.sqrt(PROBES)
    condition = np.linalg.cond(matrices, "fro")
    return weights, np.linalg.norm(matrices, axis=(1, 2)) * probed, condition


def check_against_lapack(rule):
    derivatives = DERIVATIVES[rule.dimension]
    offsets = stencils_of(rule)
    weights, estimate = solve_stencils(offsets, rule, derivatives)
    expected, expected_estimate, condition = plainly(offsets, rule, derivatives)
    assert weights.shape == (len(offsets), 1, len(derivatives), rule.stencil_size)
    # Both solve systems whose entries were rounded, a few eps each; 0.05 is the most observed.
    error = abs(weights[:, 0] - expected).max(axis=(1, 2)) / abs(expected).max(axis=(1, 2))
    assert (error <= EPS * condition).all()
    assert (abs(estimate / expected_estimate - 1) <= EPS * condition).all()


@pytest.mark.parametrize("order", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_agrees_with_lapack_within_the_conditioning(dimension, order):
    check_against_lapack(choose_rule(order, 2, dimension))


@pytest.mark.parametrize("size", range(10, 28))
def test_agrees_with_lapack_whatever_the_size_leaves_over_in_a_register(size):
    check_against_lapack(choose_rule(2, 2, 2, stencil_size=size))


@pytest.mark.parametrize("exponent", [3, 7, 9, 11])
def test_agrees_with_lapack_where_the_spline_is_not_definite_on_the_null_space(exponent):
    # r^m is definite on functions orthogonal to polynomials of degree (m - 1) / 2, here up to 5,
    # where there are polynomials of degree 3: no Cholesky factorisation would do.
    check_against_lapack(choose_rule(2, 2, 2, exponent=exponent))


@pytest.mark.full
@pytest.mark.parametrize("capability", ["default", "avx2", "avx512"])
def test_agrees_with_lapack_on_every_instruction_set(capability):
    checkout = Path(__file__).parents[2]  # for the subprocess to find this module
    code = (
        "from dtpinn.sparse.extension import _C; print(_C.instruction_set());"
        "from tests.rbffd import test_solver; from dtpinn.rbffd import choose_rule;"
        "[test_solver.check_against_lapack(choose_rule(p, 2, 2)) for p in (2, 3, 6)]"
    )
    path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(checkout)])
    environment = {**os.environ, "ATEN_CPU_CAPABILITY": capability, "PYTHONPATH": path}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    if run.stdout.split()[0].replace("baseline", "default") != capability:
        pytest.skip(f"this processor has no {capability}")


def test_every_stencil_is_solved_by_itself():
    rule = choose_rule(3, 2, 2)
    offsets = stencils_of(rule)
    together = solve_stencils(offsets, rule, DERIVATIVES[2])
    backwards = solve_stencils(offsets[::-1], rule, DERIVATIVES[2])
    alone = [solve_stencils(offsets[i : i + 1], rule, DERIVATIVES[2]) for i in range(len(offsets))]
    for k in range(2):  # weights, condition
        assert np.array_equal(together[k], backwards[k][::-1])
        assert np.array_equal(together[k], np.concatenate([one[k] for one in alone]))


def test_a_singular_stencil_is_marked_and_the_others_are_not_touched():
    rule = choose_rule(3, 2, 2)
    offsets = stencils_of(rule)
    good, condition = solve_stencils(offsets, rule, DERIVATIVES[2])
    spoiled = offsets.copy()
    spoiled[3, :, 1] = 0.0  # on a line: the polynomials in y are 0, exactly
    spoiled[5, 4] = spoiled[5, 7]  # twins: two rows are equal up to the order of rounding
    spoiled[9, 2, 0] = np.nan
    weights, marked = solve_stencils(spoiled, rule, DERIVATIVES[2])
    assert np.isnan(weights[3]).all()
    assert np.isinf(marked[[3, 9]]).all()
    assert marked[5] > 1e15
    rest = np.setdiff1d(np.arange(len(offsets)), [3, 5, 9])
    assert np.array_equal(weights[rest], good[rest])
    assert np.array_equal(marked[rest], condition[rest])


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_derivatives_at_other_points_are_exact_for_polynomials(dimension):
    rule = choose_rule(3, 2, dimension)
    offsets = stencils_of(rule)
    points = np.random.default_rng(0).uniform(-0.6, 0.6, (len(offsets), 3, dimension))
    derivatives = ((0,) * dimension, *DERIVATIVES[dimension])
    weights, _ = solve_stencils(offsets, rule, derivatives, points)
    for powers in exponents_up_to(rule.degree, dimension):
        values = monomial(offsets.reshape(-1, dimension), powers, (0,) * dimension)
        for k, alpha in enumerate(derivatives):
            exact = monomial(points.reshape(-1, dimension), powers, alpha).reshape(-1, 3)
            got = np.einsum("sen,sn->se", weights[:, :, k], values.reshape(len(offsets), -1))
            assert (abs(got - exact) <= 200 * EPS * abs(weights[:, :, k]).sum(axis=2)).all()


def test_values_at_the_nodes_are_the_nodes_own():
    rule = choose_rule(3, 2, 2)
    offsets = stencils_of(rule)
    weights, condition = solve_stencils(offsets, rule, ((0, 0),), points=offsets)
    error = abs(weights[:, :, 0] - np.eye(rule.stencil_size)).max(axis=(1, 2))
    assert (error <= EPS * condition).all()


def test_no_stencils():
    rule = choose_rule(2, 2, 2)
    weights, condition = solve_stencils(np.empty((0, 21, 2)), rule, ((2, 0),))
    assert weights.shape == (0, 1, 1, 21)
    assert condition.shape == (0,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"offsets": np.zeros((4, 21))}, r"offsets and points must be \(stencils, :, d\)"),
        ({"points": np.zeros((3, 1, 2))}, r"points must be \(4, :, 2\)"),
        ({"alpha": np.zeros((1, 3), int)}, r"must be \(:, 2\)"),
        ({"alpha": np.full((1, 2), -1)}, r"alpha must be in \[0, 2\], got -1"),
        ({"degrees": np.full((10, 2), -1)}, r"degrees must be in \[0, 0\], got -1"),
        ({"first_term": np.array([0, 9])}, r"first_term must be in \[0, 2\], got 9"),
        ({"first_term": np.array([0])}, r"first_term must be \(derivatives \+ 1\)"),
        ({"factors": np.ones(5)}, r"factors must be \(terms\)"),
        ({"probes": np.ones((3, 30))}, r"probes must be \(:, 31\)"),
        ({"probes": np.ones((0, 31))}, "at least one"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(change, message):
    rule = choose_rule(2, 2, 2)
    arguments = {"offsets": np.zeros((4, 21, 2)), "points": np.zeros((4, 1, 2))}
    arguments |= tables(rule, ((2, 0),))
    with pytest.raises(ValueError, match=message):
        _C.solve_stencils(**{**arguments, **change})
