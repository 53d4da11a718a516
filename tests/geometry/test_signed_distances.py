"""What every signed distance in the plane satisfies."""

import numpy as np
import pytest
import shapely
from scipy.spatial import cKDTree

from tests.geometry.gallery import domains

DOMAINS = domains()
# Their function, a maximum of two, underestimates behind a corner, as it may.
INEXACT = {"bite"}


@pytest.fixture(params=DOMAINS)
def domain(request):
    return DOMAINS[request.param]


def around(domain, count, rng):
    low, high = domain.bounds
    return rng.uniform(low - 0.3 * (high - low), high + 0.3 * (high - low), (count, 2))


def test_it_changes_by_no_more_than_the_distance_walked(domain, rng):
    first = around(domain, 3000, rng)
    step = 10.0 ** rng.uniform(-6, 0, (3000, 1)) * rng.normal(size=first.shape)
    change = np.abs(domain.signed_distance(first + step) - domain.signed_distance(first))
    # Round-off, and 1e-12 of the size for the table of curves.
    assert (change <= np.linalg.norm(step, axis=1) + 1e-11).all()


@pytest.mark.parametrize("name", [name for name in DOMAINS if name not in INEXACT])
def test_it_is_the_distance_to_the_nearest_boundary_point(name, rng):
    domain = DOMAINS[name]
    step = 1e-3 * np.ptp(domain.bounds, axis=0).max()
    points = around(domain, 2000, rng)
    nearest, _ = cKDTree(domain.walk_boundary(step).points).query(points)
    distance = np.abs(domain.signed_distance(points))
    assert (distance <= nearest + 1e-11).all()
    # The foot is s <= 0.65 steps from a node, which is nearer than the root of d^2 + s^2 (1 + k d)
    # if the curvature is k; here k d stays below 14.
    assert (nearest <= np.hypot(distance, 2.5 * step) + 1e-11).all()


def test_it_is_negative_inside(domain, rng):
    step = 2e-3 * np.ptp(domain.bounds, axis=0).max()
    loops = [
        np.concatenate([arc.at(np.linspace(0, 1, 501)[:-1]) for arc in curve])
        for curve in domain.boundary_curves()
    ]
    inside = np.zeros(2000, dtype=bool)
    points = around(domain, 2000, rng)
    for loop in loops:
        inside ^= shapely.contains_xy(shapely.Polygon(loop), points)
    clear = np.abs(domain.signed_distance(points)) > step
    np.testing.assert_array_equal(domain.contains(points)[clear], inside[clear])


def test_the_bounds_hold_the_domain_and_are_close(domain):
    points = domain.walk_boundary(np.ptp(domain.bounds, axis=0).max() / 500).points
    low, high = domain.bounds
    assert (points >= low - 1e-12).all()
    assert (points <= high + 1e-12).all()


def test_a_point_that_is_not_finite_has_no_distance(domain):
    assert np.isnan(domain.signed_distance([[np.nan, 0.0]])).all()


def test_no_points_have_no_distances(domain):
    assert domain.signed_distance(np.empty((0, 2))).shape == (0,)


def test_points_of_the_wrong_shape_are_refused(domain):
    with pytest.raises(ValueError, match=r"points must have shape \(n, 2\)"):
        domain.signed_distance([[0.0, 0.0, 0.0]])
