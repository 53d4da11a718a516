import numpy as np
import pytest

from dtpinn.geometry import Ball, Box, Disk, Interval, Rectangle

ANGLE = 0.7


def test_in_the_plane_a_rotation_is_counter_clockwise():
    turned = Rectangle((0, 0), (2, 1)).rotate(np.pi / 2)
    np.testing.assert_allclose(turned.bounds, [[-1, 0], [0, 2]], atol=1e-15)
    assert turned.parts[turned.nearest_part([[-0.5, 2.0]])[0]] == "right"
    np.testing.assert_allclose(turned.normal([[-0.5, 2.0]]), [[0, 1]], atol=1e-15)


def test_in_space_a_rotation_turns_about_the_axis():
    turned = Box((0, 0, 0), (3, 2, 1)).rotate(np.pi / 2, axis=(0, 0, 2))
    np.testing.assert_allclose(turned.bounds, [[-2, 0, 0], [0, 3, 1]], atol=1e-15)
    np.testing.assert_allclose(turned.normal([[-1.0, 3.0, 0.5]]), [[0, 1, 0]], atol=1e-9)


@pytest.mark.parametrize("domain", [Rectangle((0, 0), (2, 1)), Disk(1.0, (1.0, 2.0))])
def test_distances_go_with_the_domain(domain, rng):
    turn = np.array([[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]])
    moved = domain.rotate(ANGLE).scale(3.0).translate((1.0, -2.0))
    points = rng.uniform(-2, 3, (500, 2))
    there = 3.0 * points @ turn.T + [1.0, -2.0]
    np.testing.assert_allclose(
        moved.signed_distance(there), 3.0 * domain.signed_distance(points), atol=1e-13
    )


@pytest.mark.parametrize("domain", [Disk(0.5, (2.0, 1.0)), Interval(1, 3), Ball(1, (1, 1, 1))])
def test_the_centre_stays(domain):
    center = np.mean(domain.bounds, axis=0)
    twice = domain.scale(2.0, center=center)
    np.testing.assert_allclose(np.mean(twice.bounds, axis=0), center)
    np.testing.assert_allclose(np.ptp(twice.bounds, axis=0), 2 * np.ptp(domain.bounds, axis=0))
    if domain.dimension == 2:
        turned = domain.rotate(ANGLE, center=center)
        assert turned.signed_distance(center[None]) == pytest.approx([-0.5])


def test_the_walk_is_the_domains_own_and_the_spacing_is_that_of_the_result():
    square = Rectangle()
    walk = square.rotate(ANGLE).scale(10.0).walk_boundary(1.0)
    assert len(walk) == len(square.walk_boundary(0.1)) == 40
    assert walk.names == ("left", "right", "bottom", "top")


def test_a_varying_spacing_is_asked_where_the_nodes_will_be():
    far = Disk().scale(2.0).translate((100.0, 0.0))
    walk = far.walk_boundary(lambda x: 0.1 + 0.1 * (x[:, 0] > 100.0))
    gap = np.linalg.norm(walk.points - np.roll(walk.points, 1, axis=0), axis=1)
    right = walk.points[:, 0] > 100.3
    left = walk.points[:, 0] < 99.7
    np.testing.assert_allclose(gap[right], 0.2, rtol=0.05)
    np.testing.assert_allclose(gap[left], 0.1, rtol=0.05)


def test_a_transformed_domain_takes_part_in_set_operations():
    half = Disk() & Rectangle((-1, -1), (1, 1)).rotate(np.pi / 4).translate((np.sqrt(2), 0.0))
    assert half.contains([[0.5, 0.0], [-0.1, 0.0], [0.2, 0.5]]).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Disk().translate((1.0,)), r"offset must be two finite numbers \(x, y\)"),
        (lambda: Disk().translate((np.nan, 0.0)), "offset must be two finite numbers"),
        (lambda: Disk().scale(0.0), "factor must be finite and positive"),
        (lambda: Disk().scale(2.0, center=(0, 0, 0)), "center must be two finite numbers"),
        (lambda: Disk().rotate(np.inf), "angle must be one finite number"),
        (lambda: Disk().rotate(1.0, axis=(0, 0, 1)), "axis must be left out in 2-D"),
        (lambda: Ball().rotate(1.0), "axis must be given in 3-D"),
        (lambda: Ball().rotate(1.0, axis=(0, 0, 0)), "axis must be a direction"),
        (lambda: Interval().rotate(1.0), "on the line cannot be rotated"),
        (lambda: Disk().scale(2.0).walk_boundary(5.0), "is larger than the domain"),
    ],
)
def test_what_is_no_transformation_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
