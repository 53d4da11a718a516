import numpy as np
import pytest

from dtpinn.nodes import hilbert_order, scattered


@pytest.mark.parametrize("dimension", [2, 3])
def test_on_a_grid_every_step_goes_to_a_neighbour(dimension):
    # The defining property of the Hilbert curve, on a grid of 8^d cells given in random order.
    grid = np.stack(np.meshgrid(*[np.arange(8.0)] * dimension), axis=-1).reshape(-1, dimension)
    grid = np.random.default_rng(0).permutation(grid)
    # A far corner makes the box 8 wide, so that each point has a cell of its own.
    points = np.concatenate([grid, np.full((1, dimension), 8.0)])
    order = hilbert_order(points)
    walk = points[order[order < len(grid)]]
    assert np.abs(np.diff(walk, axis=0)).sum(axis=1).tolist() == [1.0] * (len(grid) - 1)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_the_order_is_a_permutation_that_does_not_move_when_scaled(dimension):
    points = np.random.default_rng(0).random((1000, dimension))
    order = hilbert_order(points)
    assert sorted(order) == list(range(1000))
    np.testing.assert_array_equal(order, hilbert_order(4.0 * points))


def test_on_the_line_the_order_is_ascending():
    points = np.random.default_rng(0).random((100, 1))
    assert (np.diff(points[hilbert_order(points), 0]) > 0).all()


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_few_points_are_ordered_too(count, dimension):
    assert hilbert_order(np.ones((count, dimension))).tolist() == list(range(count))


def test_points_in_one_place_keep_their_order():
    assert hilbert_order(np.ones((5, 2))).tolist() == [0, 1, 2, 3, 4]


def grid(n):
    return np.stack(np.meshgrid(np.arange(float(n)), np.arange(float(n))), axis=-1).reshape(-1, 2)


LOCAL = {
    "row by row": lambda p, rng: p,
    "along the curve": lambda p, rng: p[hilbert_order(p)],
    "sorted by a coordinate": lambda p, rng: p[np.lexsort((rng.random(len(p)), p[:, 0]))],
    "in chunks of 25": lambda p, rng: rng.permutation(p[hilbert_order(p)].reshape(-1, 25, 2)),
    "few": lambda p, rng: rng.permutation(p)[::2],
}


@pytest.mark.parametrize("order", LOCAL)
def test_what_is_local_or_small_is_not_scattered(order, rng):
    assert not scattered(LOCAL[order](grid(140), rng).reshape(-1, 2))


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_random_order_is_scattered(dimension, rng):
    assert scattered(rng.random((20_000, dimension)))


def test_blocks_that_interlock_are_judged_each_by_itself():
    points = grid(100)  # 10,000
    even = points.sum(axis=1) % 2 == 0
    blocks = points[even], points[~even]
    assert not scattered(*blocks)
    assert scattered(np.concatenate(blocks))  # every neighbour is 5,000 rows away


def test_no_points_are_not_scattered():
    assert not scattered(np.empty((0, 2)), np.zeros((1, 2)))
