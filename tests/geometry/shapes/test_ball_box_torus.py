"""The three built-in bodies: exact distances, normals, parts, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dtpinn
from dtpinn.geometry import Ball, Box, Domain, Torus
from tests.marks import mostly_full

lengths = st.floats(1e-3, 1e3)
numbers = st.floats(-1e3, 1e3)
places = st.tuples(numbers, numbers, numbers)
BODIES = [Ball(2.0, (1.0, 2.0, 3.0)), Torus(2.0, 0.5, (1.0, 2.0, 3.0)), Box((1, 2, 3), (4, 4, 4))]


def names(body):
    return type(body).__name__


@pytest.mark.parametrize("body", BODIES, ids=names)
def test_a_body_is_a_domain_in_space_within_its_bounds(body):
    assert isinstance(body, Domain)
    assert body.dimension == 3
    lower, upper = body.bounds
    points = body.walk_boundary(0.2).points
    assert np.all(points >= lower - 1e-12)
    assert np.all(points <= upper + 1e-12)
    # The bounds are tight, but for the curvature between two points.
    assert np.all(points.min(axis=0) <= lower + 0.03)
    assert np.all(points.max(axis=0) >= upper - 0.03)


@pytest.mark.parametrize("body", BODIES, ids=names)
def test_the_signed_distance_is_that_to_the_nearest_point(body):
    rng = np.random.default_rng(0)
    x = body.bounds.mean(axis=0) + rng.uniform(-4, 4, (500, 3))
    distance = body.signed_distance(x)
    nearest = x - distance[:, None] * body.normal(x)
    np.testing.assert_allclose(body.signed_distance(nearest), 0.0, atol=1e-12)
    # No point of a dense cloud on the surface is nearer.
    cloud = body.walk_boundary(0.3).points
    gap = np.linalg.norm(x[:, None] - cloud[None], axis=2).min(axis=1)
    assert np.all(np.abs(distance) <= gap + 1e-12)
    assert np.all(np.abs(distance) >= gap - 0.3)


@pytest.mark.parametrize("body", BODIES, ids=names)
def test_the_normal_is_the_gradient_of_the_signed_distance(body):
    x = body.bounds.mean(axis=0) + np.random.default_rng(1).uniform(-3, 3, (300, 3))
    # By differences, where no edge of the distance is within their steps.
    differences = Domain.normal(body, x)
    smooth = np.abs(np.linalg.norm(differences - body.normal(x), axis=1)) < 1e-6
    assert smooth.mean() > 0.98


@given(radius=lengths, center=places, way=places, distance=st.floats(0, 2))
def test_the_distance_to_a_sphere_is_exact(radius, center, way, distance):
    length = math.hypot(*way)
    unit = np.array(way) / length if length > 0 else np.array([1.0, 0.0, 0.0])
    point = np.array([np.array(center) + distance * radius * unit])
    # Round-off of the coordinates, which may be large beside the radius.
    tolerance = 8 * np.finfo(float).eps * (np.abs(center).sum() + 4 * radius)
    expected = (distance - 1) * radius
    assert abs(Ball(radius, center).signed_distance(point)[0] - expected) <= tolerance


@given(minor=st.floats(0.01, 0.99), around=numbers, along=numbers, distance=st.floats(0, 1))
def test_the_distance_to_a_torus_is_exact(minor, around, along, distance):
    # A point beside the circle in the middle of the tube, at right angles to it.
    outward = np.array([math.cos(around), math.sin(around), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    point = outward + distance * (math.cos(along) * outward + math.sin(along) * up)
    expected = distance - minor
    assert abs(Torus(1.0, minor).signed_distance([point])[0] - expected) <= 1e-14


def test_where_a_normal_is_not_unique_it_is_still_a_unit_vector():
    degenerate = [
        (Ball(), [0.0, 0.0, 0.0]),
        (Torus(), [0.0, 0.0, 0.0]),
        (Torus(), [1.0, 0.0, 0.0]),
        (Box(), [0.5, 0.5, 0.5]),
    ]
    for body, point in degenerate:
        assert np.linalg.norm(body.normal([point])) == pytest.approx(1.0)


def test_on_edges_and_corners_of_a_box_the_normal_is_the_mean():
    box = Box((1, 2, 3), (4, 4, 4))
    normal = box.normal([[1, 3, 3.5], [1, 2, 3.5], [4, 4, 4], [5, 5, 3.5]])
    expected = [
        [-1, 0, 0],
        [-math.sqrt(0.5), -math.sqrt(0.5), 0],
        [math.sqrt(1 / 3)] * 3,
        [math.sqrt(0.5), math.sqrt(0.5), 0],
    ]
    np.testing.assert_allclose(normal, expected, atol=1e-15)


def test_the_faces_of_a_box_are_its_parts():
    box = Box((0, 0, 0), (1, 2, 3))
    assert box.parts == ("left", "right", "front", "back", "bottom", "top")
    boundary = box.walk_boundary(0.25)
    faces = {"left": (0, 0), "right": (0, 1), "front": (1, 0), "back": (1, 2), "bottom": (2, 0)}
    for name, (axis, value) in (faces | {"top": (2, 3)}).items():
        rows = boundary.part == box.parts.index(name)
        assert rows.sum() > 10
        np.testing.assert_allclose(boundary.points[rows, axis], value, atol=1e-11)
        # The face has all of its own but the edges that an earlier face has taken.
        on_face = np.abs(boundary.points[:, axis] - value) < 1e-9
        assert np.all(boundary.part[on_face] <= box.parts.index(name))
    # Beyond an edge the nearest point decides, and on the edge the first face.
    assert box.nearest_part([[0.5, 1.0, 9.0], [2.0, 2.5, 1.0]]).tolist() == [5, 1]


@pytest.mark.parametrize("count", mostly_full([200, 2000], {200}.__contains__))
@pytest.mark.parametrize("body", [Ball(), Torus(), Box()], ids=names)
def test_nodes_are_placed_by_their_number(body, count):
    nodes = dtpinn.place_nodes(body, count=count)
    assert abs(nodes.count - count) <= max(2, 0.02 * count)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ball(0.0), "radius must be finite and positive"),
        (lambda: Ball(1.0, (0.0, 0.0)), r"center must be three finite numbers \(x, y, z\)"),
        (lambda: Ball(1.0, (0.0, math.nan, 0.0)), "center must be three finite numbers"),
        (lambda: Torus(1.0, 1.0), "minor must be smaller than major.*minor=1 and major=1"),
        (lambda: Torus(-1.0, 0.5), "major must be finite and positive"),
        (lambda: Box((0, 0, 0), (1, 0, 1)), "every coordinate of lower must be below"),
        (lambda: Box((0, 0), (1, 1)), "lower must be three finite numbers"),
        (lambda: Ball().walk_boundary(3.0), "spacing=3 is larger than the domain"),
        (lambda: Box().signed_distance([0.0, 1.0, 2.0]), r"points\[None, :\]"),
        (lambda: Torus().signed_distance([[0.0, 1.0]]), r"points must have shape \(n, 3\)"),
    ],
)
def test_what_is_no_body_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_radius_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match="radius must be a number"):
        Ball("one")
