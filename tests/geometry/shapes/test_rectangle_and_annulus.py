import numpy as np
import pytest

from dtpinn.geometry import Annulus, Rectangle


def test_beyond_a_corner_the_corner_is_nearest():
    distance = Rectangle((0, 0), (2, 1)).signed_distance([[5, 5], [-3, -4], [1, 3], [1, 0.5]])
    np.testing.assert_allclose(distance, [5, 5, 2, -0.5])


def test_its_sides_are_parts():
    sides = Rectangle((0, 0), (2, 1))
    middles = [[0, 0.5], [2, 0.5], [1, 0], [1, 1]]
    assert sides.nearest_part(middles).tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(sides.normal(middles), [[-1, 0], [1, 0], [0, -1], [0, 1]])


@pytest.mark.parametrize("upper", [(0, 1), (1, 0), (-1, -1)])
def test_an_upper_corner_that_is_not_above_is_refused(upper):
    with pytest.raises(ValueError, match="every coordinate of lower must be below"):
        Rectangle((0, 0), upper)


@pytest.mark.parametrize("lower", [(0,), (0, np.nan), "ab", (0, 0, 0)])
def test_a_lower_corner_that_is_no_point_is_refused(lower):
    with pytest.raises(ValueError, match="lower must be two finite numbers"):
        Rectangle(lower, (1, 1))


def test_an_annulus_has_two_circles():
    ring = Annulus(1.0, 3.0, (5.0, 0.0))
    points = [[5, 0], [5, 2], [5, 2.5], [5, 4]]
    np.testing.assert_allclose(ring.signed_distance(points), [1, -1, -0.5, 1])
    on = [[4, 0], [8, 0]]
    assert [ring.parts[i] for i in ring.nearest_part(on)] == ["inner", "outer"]
    np.testing.assert_allclose(ring.normal(on), [[1, 0], [1, 0]], atol=1e-9)
    np.testing.assert_array_equal(ring.bounds, [[2, -3], [8, 3]])


@pytest.mark.parametrize("radii", [(1, 1), (2, 1)])
def test_an_inner_circle_that_is_not_inside_is_refused(radii):
    with pytest.raises(ValueError, match="inner must be below outer"):
        Annulus(*radii)


@pytest.mark.parametrize("radii", [(0, 1), (-1, 1), (np.nan, 1), (1, np.inf)])
def test_radii_that_are_no_lengths_are_refused(radii):
    with pytest.raises(ValueError, match="must be finite and positive"):
        Annulus(*radii)
