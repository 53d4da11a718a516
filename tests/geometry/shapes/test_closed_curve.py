import numpy as np
import pytest

from dtpinn.geometry import ClosedCurve, Disk, Polygon
from tests.geometry.gallery import half_disk, petals


def circle(t):
    return np.column_stack([np.cos(2 * np.pi * t), np.sin(2 * np.pi * t)])


def clockwise(t):
    return circle(-t)


def uneven(t):
    """The circle with a parameter that runs eight times as fast here as there."""
    return circle(t + 0.124 * np.sin(2 * np.pi * t))


def square(t):
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], dtype=float)
    return np.column_stack([np.interp(4 * t, range(5), column) for column in corners.T])


@pytest.mark.parametrize("function", [circle, clockwise, uneven])
def test_a_circle_is_the_disk(function, rng):
    points = rng.uniform(-2, 2, (2000, 2))
    curve = ClosedCurve(function)
    np.testing.assert_allclose(
        curve.signed_distance(points), Disk().signed_distance(points), atol=2e-11
    )
    walk = curve.walk_boundary(0.1)
    np.testing.assert_allclose(walk.normals, walk.points, atol=1e-10)
    step = np.linalg.norm(walk.points - np.roll(walk.points, 1, axis=0), axis=1)
    assert np.ptp(step) < 1e-3


def test_near_a_flower_the_distance_is_exact_along_its_normals():
    flower = ClosedCurve(petals)
    t = np.linspace(0, 1, 500, endpoint=False)
    angle = 2 * np.pi * t
    radius, slope = 1 + 0.25 * np.cos(5 * angle), -1.25 * np.sin(5 * angle)
    tangent = np.column_stack(
        [
            slope * np.cos(angle) - radius * np.sin(angle),
            slope * np.sin(angle) + radius * np.cos(angle),
        ]
    )
    normal = np.column_stack([tangent[:, 1], -tangent[:, 0]])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    for away in (-0.05, -1e-4, 0.0, 1e-4, 0.05):  # the smallest radius of curvature is above 0.1
        distance = flower.signed_distance(petals(t) + away * normal)
        np.testing.assert_allclose(distance, away, atol=1e-10)


def test_corners_are_kept_with_the_normals_of_both_sides(rng):
    given, known = (
        ClosedCurve(square, corners=[0, 0.25, 0.5, 0.75]),
        Polygon(square(np.arange(4) / 4)),
    )
    points = rng.uniform(-1, 2, (500, 2))
    np.testing.assert_allclose(
        given.signed_distance(points), known.signed_distance(points), atol=1e-11
    )
    walk, expected = given.walk_boundary(0.1), known.walk_boundary(0.1)
    np.testing.assert_allclose(walk.points, expected.points, atol=1e-12)
    np.testing.assert_allclose(walk.normals, expected.normals, atol=1e-9)


def test_a_curve_with_corners_may_run_clockwise():
    half = ClosedCurve(half_disk, corners=[0.0, 0.5])
    assert half.contains([[0.0, 0.5], [0.0, -0.5]]).tolist() == [True, False]
    np.testing.assert_allclose(half.normal([[0.0, 0.0], [0.0, 1.0]]), [[0, -1], [0, 1]], atol=1e-9)


def eight(t):
    return np.column_stack([np.sin(2 * np.pi * t), np.sin(4 * np.pi * t)])


@pytest.mark.parametrize(
    ("function", "corners", "message"),
    [
        (lambda t: circle(0.9 * t), (), r"must close; at t = 0 it starts from \[1. 0.\]"),
        (eight, (), r"must not cross itself.* near the point \(.*, .*\)"),
        (lambda t: circle(2 * t), (), "must go round once"),
        (lambda t: circle(t)[:, 0], (), r"one point per parameter, shape \(2, 2\); got shape"),
        (lambda t: circle(t) / (t[:, None] - 0.5), (), "what function returns must be finite"),
        (square, (0.5, 1.0), "corners must be parameters from 0 to 1"),
        (square, (0.5, np.nan), "corners must be parameters from 0 to 1"),
        (square, (0.5, 0.5), "corners must differ"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_is_no_closed_curve_is_refused(function, corners, message):
    with pytest.raises(ValueError, match=message):
        ClosedCurve(function, corners)


def test_a_curve_that_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="function must be a curve"):
        ClosedCurve([[0, 0], [1, 0], [0, 1]])
