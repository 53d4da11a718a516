import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from dtpinn.rbffd import assemble, choose_rule
from dtpinn.rbffd import differential as D
from dtpinn.rbffd.parallel import CHUNK, available_threads
from dtpinn.rbffd.stencils import find_stencils
from dtpinn.rbffd.weights import solve_weights
from tests.rbffd.clouds import box, disk
from tests.rbffd.in_numpy import saddle_point_matrices

EPS = np.finfo(float).eps
LAPLACIAN = {"L": {(2, 0): np.ones(1), (0, 2): np.ones(1)}}


def of(points, scale=1.0, shift=0.0):
    return SimpleNamespace(extended=scale * points + shift)


def test_equation_9_written_out_for_one_stencil_in_global_coordinates():
    """A second implementation, with monomials about the centre and no scaling."""
    points = disk(400).extended
    stencils = find_stencils(points, np.array([17]), 21)
    rule = choose_rule(2, 2, 2)
    weights = solve_weights(stencils, LAPLACIAN, rule).values["L"][0]
    x = points[stencils.members[0]] - points[17]
    r = np.linalg.norm(x[:, None] - x[None], axis=2)
    P = np.stack([x[:, 0] ** i * x[:, 1] ** j for i in range(4) for j in range(4 - i)], axis=1)
    powers = [(i, j) for i in range(4) for j in range(4 - i)]
    K = np.block([[r**3, P], [P.T, np.zeros((10, 10))]])
    rhs = np.append(9 * np.linalg.norm(x, axis=1), [2.0 * (sorted(k) == [0, 2]) for k in powers])
    reference = np.linalg.solve(K, rhs)[:21]
    # the reference has the condition number of global coordinates, about 1e8
    np.testing.assert_allclose(weights, reference, atol=1e-7 * abs(reference).max())


@pytest.mark.parametrize("order", [2, 5])
def test_threads_do_not_change_a_bit(order):
    nodes = disk(1500)
    rows = np.arange(1500)
    one, two = (assemble(nodes, {"L": D.laplacian}, rows, order, threads=t) for t in (1, 2))
    assert np.array_equal(one.matrices["L"].data, two.matrices["L"].data)
    assert np.array_equal(one.matrices["L"].indices, two.matrices["L"].indices)
    assert np.array_equal(one.condition, two.condition)


def test_every_row_has_its_own_coefficients():
    """Rows are solved in chunks, of which this takes several: each must take its own part."""
    count = 3 * CHUNK - 10
    points = disk(count).extended
    rule = choose_rule(2, 2, 2)
    stencils = find_stencils(points, np.arange(count), rule.stencil_size)
    a = np.linspace(1, 2, count)
    operators = {
        "both": {(2, 0): a, (0, 0): -a},
        "xx": {(2, 0): np.ones(1)},
    }
    built = solve_weights(stencils, operators, rule).values
    expected = a[:, None] * built["xx"]
    expected[:, 0] -= a
    assert np.array_equal(built["both"], expected)


def test_memory_beyond_the_result_does_not_grow_with_the_rows():
    points = disk(4000).extended
    rule = choose_rule(2, 2, 2)

    def temporary(count):
        """Bytes at the peak, without those that are returned; NumPy reports its own."""
        stencils = find_stencils(points, np.arange(count), rule.stencil_size)
        tracemalloc.start()
        try:
            weights = solve_weights(stencils, LAPLACIAN, rule, threads=1)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        return peak - weights.values["L"].nbytes - weights.condition.nbytes

    temporary(200)  # fills the caches of tables
    assert temporary(4000) < 1.5 * temporary(1000)


@pytest.mark.parametrize("alpha", [(1, 0), (1, 1), (0, 3), (2, 2)])
def test_weights_scale_with_the_spacing_and_do_not_move_with_the_cloud(alpha):
    points = box(2, 20).extended
    rows = np.arange(0, 400, 37)
    base = assemble(of(points), {"D": {alpha: 1.0}}, rows, 4)
    # A power of 2 scales every coordinate exactly: bit for bit the same systems.
    scaled = assemble(of(points, scale=2.0**-7), {"D": {alpha: 1.0}}, rows, 4)
    assert np.array_equal(
        scaled.matrices["D"].data, 2.0 ** (7 * sum(alpha)) * base.matrices["D"].data
    )
    assert np.array_equal(scaled.condition, base.condition)
    # A shift rounds the coordinates: eps |shift| / h = 1e-13 relative to h, times the condition.
    moved = assemble(of(points, shift=10.0), {"D": {alpha: 1.0}}, rows, 4)
    limit = 1e-13 * base.condition.max() * abs(base.matrices["D"].data).max()
    assert abs(moved.matrices["D"].data - base.matrices["D"].data).max() < limit


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_condition_does_not_depend_on_the_spacing(dimension):
    points = box(dimension, 10 if dimension == 3 else 25).extended
    rows = np.arange(0, len(points), len(points) // 20)
    conditions = [
        assemble(of(points, scale=s), {"L": D.laplacian}, rows, 3).condition
        for s in (1e-6, 1.0, 1e3)
    ]
    np.testing.assert_allclose(conditions[0], conditions[1], rtol=1e-6)
    np.testing.assert_allclose(conditions[2], conditions[1], rtol=1e-6)


@pytest.mark.parametrize("order", [2, 4, 6])
@pytest.mark.parametrize("dimension", [1, 2])
def test_condition_estimate_is_near_the_truth(dimension, order):
    points = np.random.default_rng(0).random((400, dimension))  # all kinds of stencils
    rule = choose_rule(order, 2, dimension)
    stencils = find_stencils(points, np.arange(60), rule.stencil_size)
    operators = {"D": {(2,) + (0,) * (dimension - 1): np.ones(1)}}
    estimate = solve_weights(stencils, operators, rule).condition
    true = np.linalg.cond(saddle_point_matrices(stencils.offsets(slice(None)), rule), "fro")
    ratio = estimate / true
    assert true.max() > 10 * true.min()
    # sqrt(chi^2_3 / 3), where one direction dominates: below 0.05 in one case of 2e4
    assert (ratio > 0.05).all()
    assert (ratio < 4).all()
    assert 0.5 < np.median(ratio) < 2


def test_available_threads_is_positive():
    assert available_threads() >= 1
