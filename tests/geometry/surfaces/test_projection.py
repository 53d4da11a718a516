import numpy as np
import pytest

from dtpinn.geometry import Ball, Disk
from dtpinn.geometry.surfaces.projection import project
from tests.geometry.solids import AXES, SOLIDS, ellipsoid


@pytest.mark.parametrize("name", SOLIDS)
def test_points_near_a_surface_are_moved_onto_it_and_not_far(name):
    domain = SOLIDS[name]
    start = domain.walk_boundary(0.2).points
    start = start + np.random.default_rng(0).uniform(-0.1, 0.1, start.shape)
    there, reached = project(domain, start)
    assert reached.all()
    assert np.abs(domain.signed_distance(there)).max() <= 1e-11
    # Beside a convex edge the way is a zigzag; elsewhere it is the distance, or little more.
    assert np.linalg.norm(there - start, axis=1).max() <= 3 * np.sqrt(3) * 0.1


def test_the_nearest_point_is_found_where_the_distance_is_exact():
    x = np.random.default_rng(0).normal(size=(100, 3))
    there, reached = project(Ball(2.0), x)
    assert reached.all()
    np.testing.assert_allclose(there, 2 * x / np.linalg.norm(x, axis=1, keepdims=True), atol=1e-12)


def test_few_rounds_do_where_the_distance_underestimates():
    asked = []
    body = ellipsoid()
    plain = body.distance
    body.distance = lambda x: (asked.append(len(x)), plain(x))[1]
    start = AXES * np.array([[0.9, 0.3, 0.2], [0.5, 0.5, 0.8], [0.1, 1.0, 0.1]])
    there, reached = project(body, start)
    assert reached.all()
    np.testing.assert_allclose(np.linalg.norm(there / AXES, axis=1), 1.0, atol=1e-10)
    # Two distances and six for the normal in a round; Newton's method takes three or four.
    assert len(asked) <= 1 + 8 * 5


def test_a_point_that_leads_nowhere_is_said_not_to_have_reached():
    class Flat(Disk):
        def normal(self, points):
            return np.zeros((len(points), 2))

    there, reached = project(Flat(), np.array([[0.5, 0.0], [1.0, 0.0]]))
    np.testing.assert_array_equal(there, [[0.5, 0.0], [1.0, 0.0]])
    assert reached.tolist() == [False, True]
