import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from dtpinn.geometry import Disk, Ellipse


def brute(axes, point):
    """Distance by the best of many bounded searches along the parameter."""

    def length(t):
        return np.hypot(axes[0] * np.cos(t) - point[0], axes[1] * np.sin(t) - point[1])

    t = np.linspace(0, 2 * np.pi, 721)
    best = np.argsort(length(t))[:6]
    width = t[1] - t[0]
    ends = [(t[i] - width, t[i] + width) for i in best]
    return min(
        minimize_scalar(length, bounds=pair, method="bounded", options={"xatol": 1e-13}).fun
        for pair in ends
    )


@pytest.mark.parametrize("axes", [(2.0, 1.0), (1.0, 3.0), (1.0, 0.05), (1.0, 0.999)])
def test_the_distance_is_that_of_a_search_along_the_curve(axes, rng):
    points = rng.uniform(-1.5, 1.5, (60, 2)) * axes
    expected = [brute(axes, point) for point in points]
    found = Ellipse(axes).signed_distance(points)
    np.testing.assert_allclose(np.abs(found), expected, rtol=1e-7, atol=1e-9)
    inside = np.sum((points / axes) ** 2, axis=1) < 1
    np.testing.assert_array_equal(found < 0, inside)


def test_on_the_axes_it_is_known_in_closed_form():
    a, b = 2.0, 1.0
    x = np.array([0.0, 0.5, 1.0, 1.49])  # up to the centre of curvature, at (a^2 - b^2) / a
    nearest = b * np.sqrt(1 - x**2 / (a**2 - b**2))
    on_axis = np.column_stack([x, np.zeros(4)])
    np.testing.assert_allclose(Ellipse((a, b)).signed_distance(on_axis), -nearest, rtol=1e-14)
    beyond = [[1.6, 0.0], [2.5, 0.0], [0.0, 0.3], [0.0, 4.0]]
    distance = Ellipse((a, b)).signed_distance(beyond)
    np.testing.assert_allclose(distance, [-0.4, 0.5, -0.7, 3.0], rtol=1e-14)


def test_with_equal_axes_it_is_the_disk(rng):
    points = np.concatenate([rng.uniform(-2, 2, (1000, 2)), [[0.0, 0.0], [1.0, 0.0]]])
    np.testing.assert_allclose(
        Ellipse((1.5, 1.5)).signed_distance(points), Disk(1.5).signed_distance(points), atol=1e-14
    )


@pytest.mark.parametrize("ratio", [1e-8, 1e-3, 1.0, 1e3, 1e8])
def test_points_off_the_curve_along_the_normal_are_as_far_as_they_were_moved(ratio):
    thin = Ellipse((1.0, ratio))
    (curve,) = thin.boundary_curves()
    share = np.linspace(0, 1, 100)
    points, normals = curve[0].at(share), curve[0].normal_at(share)
    size = max(1.0, ratio)
    for away in (0.0, 1e-6 * size, size):
        found = thin.signed_distance(points + away * normals)
        np.testing.assert_allclose(found, away, atol=1e-14 * size)


@pytest.mark.parametrize("axes", [(0.0, 1.0), (1.0, -1.0)])
def test_semi_axes_that_are_no_lengths_are_refused(axes):
    with pytest.raises(ValueError, match=r"semi_axes\[\d\] must be finite and positive"):
        Ellipse(axes)


@pytest.mark.parametrize("axes", [(np.nan, 1.0), (1.0,), 3.0])
def test_semi_axes_that_are_not_two_numbers_are_refused(axes):
    with pytest.raises(ValueError, match="semi_axes must be two finite numbers"):
        Ellipse(axes)
