import numpy as np
import pytest
import shapely

from dtpinn.geometry import Polygon
from tests.geometry.gallery import L_SHAPE, SQUARE

HOLE = [(0.5, 0.5), (1.5, 0.5), (1.0, 1.5)]


def star(count, rng):
    angle = np.sort(rng.uniform(0, 2 * np.pi, count))
    radius = rng.uniform(0.5, 1.0, count)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def test_the_distance_is_shapelys(rng):
    vertices = star(300, rng)
    hole = 0.3 * vertices[::10]
    points = rng.uniform(-1.5, 1.5, (5000, 2))
    shape = shapely.Polygon(vertices, [hole])
    expected = shapely.distance(shape.boundary, shapely.points(points))
    found = Polygon(vertices, [hole]).signed_distance(points)
    np.testing.assert_allclose(np.abs(found), expected, atol=1e-14)
    np.testing.assert_array_equal(found < 0, shapely.contains_xy(shape, points))


def test_clockwise_vertices_are_the_same_domain_and_keep_their_names(rng):
    given, turned = Polygon(L_SHAPE), Polygon(L_SHAPE[::-1])
    points = rng.uniform(-0.5, 1.5, (1000, 2))
    np.testing.assert_array_equal(given.signed_distance(points), turned.signed_distance(points))
    middle = 0.5 * (np.array(L_SHAPE) + np.roll(L_SHAPE, -1, axis=0))
    assert given.nearest_part(middle).tolist() == [0, 1, 2, 3, 4, 5]
    # Backwards, edge 0 goes from the last vertex to the one before.
    assert turned.nearest_part(middle).tolist() == [4, 3, 2, 1, 0, 5]


def test_the_sense_of_a_hole_does_not_matter(rng):
    points = rng.uniform(-0.5, 2.5, (1000, 2))
    first, second = Polygon(SQUARE, [HOLE]), Polygon(SQUARE, [HOLE[::-1]])
    np.testing.assert_array_equal(first.signed_distance(points), second.signed_distance(points))
    assert first.parts == ("edge0", "edge1", "edge2", "edge3", "hole0")
    np.testing.assert_allclose(first.normal([[1.0, 0.5]]), [[0.0, 1.0]])


def test_the_first_vertex_may_be_repeated_at_the_end():
    assert Polygon([*SQUARE, SQUARE[0]]) == Polygon(SQUARE)


@pytest.mark.parametrize(
    ("vertices", "holes", "message"),
    [
        ([(0, 0), (1, 1), (1, 0), (0, 1)], (), r"self-intersection at the point \(0.5, 0.5\)"),
        ([(0, 0), (1, 0), (2, 0)], (), "cross or touch itself"),
        (SQUARE, [[(5, 5), (6, 5), (6, 6)]], r"outside shell at the point \(5, 5\)"),
        (SQUARE, [[(1, 1), (3, 1), (1, 1.5)]], "must lie inside and apart"),
        (SQUARE, [HOLE, 0.5 * np.array(HOLE) + 0.5], r"holes are nested at the point"),
        ([(0, 0), (1, 0)], (), "vertices must hold at least three different points; got 2"),
        ([(0, 0), (1, 0), (1, 0), (0, 1)], (), r"rows 1 and 2 are both \(1, 0\)"),
        ([(0, 0), (1, np.nan), (0, 1)], (), "vertices must be finite; .* row 1"),
        (SQUARE, [[(1, 1), (1.1, 1)]], r"holes\[0\] must hold at least three"),
        (np.zeros((4, 3)), (), r"vertices must have shape \(n, 2\)"),
    ],
)
def test_what_is_no_polygon_is_refused(vertices, holes, message):
    with pytest.raises(ValueError, match=message):
        Polygon(vertices, holes)
