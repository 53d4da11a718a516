import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dtpinn.geometry import Disk, Domain

lengths = st.floats(1e-3, 1e3)
coordinates = st.floats(-1e3, 1e3)


def test_a_disk_is_a_domain_in_the_plane_with_one_part():
    disk = Disk()
    assert isinstance(disk, Domain)
    assert disk.dimension == 2
    assert disk.parts == ("circle",)


@given(radius=lengths, x=coordinates, y=coordinates, distance=st.floats(0, 2), angle=lengths)
def test_the_signed_distance_is_exact_along_every_ray(radius, x, y, distance, angle):
    disk = Disk(radius, (x, y))
    point = np.array([[x, y]]) + distance * radius * np.array([[math.cos(angle), math.sin(angle)]])
    # Round-off of the coordinates, which may be large beside the radius.
    tolerance = 8 * np.finfo(float).eps * (abs(x) + abs(y) + 3 * radius)
    assert abs(disk.signed_distance(point)[0] - (distance - 1) * radius) <= tolerance


def test_contains_is_strict():
    inside = Disk(2.0, (1.0, 1.0)).contains([[1.0, 1.0], [2.9, 1.0], [3.0, 1.0], [3.1, 1.0]])
    assert inside.tolist() == [True, True, False, False]


def test_the_bounds_touch_the_circle():
    np.testing.assert_array_equal(Disk(2.0, (1.0, -1.0)).bounds, [[-1.0, -3.0], [3.0, 1.0]])


@given(radius=lengths, x=coordinates, y=coordinates, share=st.floats(0.003, 1.9))
@example(radius=1.0, x=0.0, y=0.0, share=1.39453125)  # 4.506 steps, but 4.498 along a polygon of 32
def test_the_walk_closes_with_equal_steps_near_the_spacing(radius, x, y, share):
    disk = Disk(radius, (x, y))
    boundary = disk.walk_boundary(share * radius)
    chord = np.linalg.norm(boundary.points - np.roll(boundary.points, 1, axis=0), axis=1)
    step = 2 * radius * np.arcsin(np.clip(chord / (2 * radius), 0, 1))
    tolerance = 1e-9 * (radius + abs(x) + abs(y))
    assert np.ptp(step) <= tolerance
    assert math.isclose(step.sum(), 2 * math.pi * radius, rel_tol=1e-6)
    # The way along the circle is known to about 1e-7.
    assert abs(2 * math.pi / share - len(boundary)) <= 0.5 + 1e-6 / share


def test_the_normals_are_the_gradient_of_the_signed_distance():
    disk, step = Disk(0.5, (3.0, -1.0)), 1e-6
    boundary = disk.walk_boundary(0.1)
    for axis, unit in enumerate(np.eye(2)):
        forward, back = boundary.points + step * unit, boundary.points - step * unit
        slope = (disk.signed_distance(forward) - disk.signed_distance(back)) / (2 * step)
        # Central differences: step^2 / 6 times a third derivative of about 1 / radius^2, and
        # round-off of coordinates of size 3 over the step.
        np.testing.assert_allclose(boundary.normals[:, axis], slope, atol=1e-8)
    np.testing.assert_allclose(disk.signed_distance(boundary.points), 0.0, atol=1e-14)


@pytest.mark.parametrize("radius", [0.0, -1.0, math.nan, math.inf])
def test_a_radius_that_is_no_length_is_refused(radius):
    with pytest.raises(ValueError, match="radius must be finite and positive"):
        Disk(radius)


def test_a_radius_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match="radius must be a number"):
        Disk("one")


@pytest.mark.parametrize("center", [(0.0,), (0.0, 0.0, 0.0), (0.0, math.nan)])
def test_a_center_that_is_no_point_is_refused(center):
    with pytest.raises(ValueError, match="center must be two finite numbers"):
        Disk(center=center)


@pytest.mark.parametrize("spacing", [0.0, -0.1, math.nan])
def test_a_spacing_that_is_no_length_is_refused(spacing):
    with pytest.raises(ValueError, match="spacing must be finite and positive"):
        Disk().walk_boundary(spacing)


def test_a_spacing_larger_than_the_disk_is_refused():
    with pytest.raises(ValueError, match=r"spacing=2.5 is larger than the domain.*2;"):
        Disk().walk_boundary(2.5)


def test_points_of_the_wrong_shape_are_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"shape \(n, 2\).*points\[None, :\]"):
        Disk().signed_distance([0.0, 1.0])
    with pytest.raises(ValueError, match=r"got shape \(1, 3\)"):
        Disk().contains([[0.0, 1.0, 2.0]])
