import numpy as np
import pytest

import dtpinn
from dtpinn.geometry import Interval


def test_its_distance_is_exact():
    points = [[-1.0], [2.0], [2.5], [3.0], [7.0]]
    np.testing.assert_array_equal(Interval(2, 3).signed_distance(points), [3, 0, -0.5, 0, 4])


def test_its_boundary_is_two_points():
    walk = Interval(2, 3).walk_boundary(0.1)
    np.testing.assert_array_equal(walk.points, [[2], [3]])
    np.testing.assert_array_equal(walk.normals, [[-1], [1]])
    assert [walk.names[i] for i in walk.part] == ["left", "right"]


def test_it_tells_normals_and_parts():
    near = [[2.1], [2.9]]
    np.testing.assert_array_equal(Interval(2, 3).normal(near), [[-1], [1]])
    np.testing.assert_array_equal(Interval(2, 3).nearest_part(near), [0, 1])


def test_it_is_filled_evenly():
    nodes = dtpinn.place_nodes(Interval(-1, 1), 0.1)
    x = np.sort(nodes.collocation[:, 0])
    np.testing.assert_allclose(np.diff(x), 0.1)


@pytest.mark.parametrize("ends", [(1, 0), (1, 1)])
def test_ends_in_the_wrong_order_are_refused(ends):
    with pytest.raises(ValueError, match="every coordinate of lower must be below that of upper"):
        Interval(*ends)


@pytest.mark.parametrize("ends", [(0, np.nan), (-np.inf, 1), ("a", 1)])
def test_ends_that_are_no_numbers_are_refused(ends):
    with pytest.raises(ValueError, match="must be one finite number"):
        Interval(*ends)


@pytest.mark.parametrize("spacing", [2.0, -0.1, lambda x: -x[:, 0]])
def test_a_spacing_that_does_not_fit_is_refused(spacing):
    with pytest.raises(ValueError, match="spacing"):
        Interval().walk_boundary(spacing)
