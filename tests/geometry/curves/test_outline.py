import numpy as np
import pytest

from dtpinn.geometry import Disk
from dtpinn.geometry.arc import ellipse, segment
from dtpinn.geometry.curves.loops import Loops
from dtpinn.geometry.curves.outline import Outline, elements


def circle(radius, center=(0.0, 0.0)):
    return (ellipse(center, (radius, radius)),)


def test_a_circle_is_exact_everywhere(rng):
    points = rng.uniform(-3, 3, (20_000, 2))
    distance = Outline([circle(1.0)]).signed_distance(points)
    np.testing.assert_allclose(distance, Disk().signed_distance(points), atol=1e-12)


def test_the_centre_of_a_circle_is_a_radius_away():
    assert Outline([circle(2.0)]).signed_distance([[0.0, 0.0]]) == pytest.approx([-2.0], abs=1e-12)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
def test_two_curves_that_nearly_touch_are_told_apart(gap):
    """The nearest chord may belong to the farther curve: cubics decide."""
    inner = tuple(arc.turned() for arc in circle(0.5, (0.5 - gap, 0.0)))
    outline = Outline([circle(1.0), inner])
    angle = np.linspace(-0.2, 0.2, 401)
    around = np.column_stack([np.cos(angle), np.sin(angle)])
    assert np.abs(outline.signed_distance(around)).max() < 1e-11
    assert np.abs(outline.signed_distance([0.5 - gap, 0] + 0.5 * around)).max() < 1e-11


def test_behind_a_corner_the_corner_is_nearest_and_its_normal_tells_the_side():
    notch = [(0, 0), (2, 0), (1, 1), (2, 2), (0, 2)]  # re-entrant at (1, 1)
    curve = tuple(segment(a, b) for a, b in zip(notch, [*notch[1:], notch[0]], strict=True))
    outline = Outline([curve])
    points = [[0.9, 1.0], [1.1, 1.0], [-1.0, -1.0], [2.1, 0.0]]
    expected = [-0.1, 0.1 * np.sqrt(0.5), np.sqrt(2.0), 0.1]
    np.testing.assert_allclose(outline.signed_distance(points), expected, rtol=1e-12)
    np.testing.assert_allclose(outline.normal([[1.0, 1.0]]), [[1.0, 0.0]], atol=1e-12)


def test_a_straight_arc_is_one_element_and_a_jump_of_curvature_is_found():
    half = np.pi / 2
    right = ellipse((1.0, 0.0), (0.5, 0.5))
    # A stadium, its round ends joined smoothly to the sides.
    curve = (
        segment((-1, -0.5), (1, -0.5)),
        right.between(-0.25, 0.25),
        segment((1, 0.5), (-1, 0.5)),
        ellipse((-1.0, 0.0), (0.5, 0.5)).between(0.25, 0.75),
    )
    outline = Outline([curve])
    points = np.column_stack([np.linspace(-1.6, 1.6, 999), np.full(999, 0.4)])
    exact = np.hypot(np.maximum(np.abs(points[:, 0]) - 1, 0), points[:, 1]) - 0.5
    np.testing.assert_allclose(outline.signed_distance(points), exact, atol=1e-12)
    np.testing.assert_allclose(outline.normal([[1.0, 0.5]]), [[0.0, 1.0]], atol=1e-9)
    assert right.between(-0.25, 0.25).start == pytest.approx(-half)


def test_the_bounds_are_those_of_the_curves():
    bounds = Outline([circle(1.5, (2.0, 0.0))]).bounds
    np.testing.assert_allclose(bounds, [[0.5, -1.5], [3.5, 1.5]], atol=2e-3)
    assert (bounds[0] <= [0.5, -1.5]).all()
    assert (bounds[1] >= [3.5, 1.5]).all()


@pytest.mark.parametrize("loops", [[(0, 1, 2), (3, 4, 5)], [(0, 1, 2, 3, 4, 5)]])
def test_where_tips_touch_all_of_them_tell_the_side(loops):
    """Below a V its tip is nearest, and so is the notch above it if the loop runs through there."""
    angle = np.deg2rad([30.0, 50.0, 130.0, 150.0, 270.0, 290.0, 90.0])
    for turn in np.linspace(0.0, 6.0, 13):
        around = np.column_stack([np.cos(angle + turn), np.sin(angle + turn)])
        a, b, c, d = around[:4]
        ways = [((0, 0), a), (a, b), (b, (0, 0)), ((0, 0), c), (c, d), (d, (0, 0))]
        outline = Outline([tuple(segment(*ways[number]) for number in loop) for loop in loops])
        distance = outline.signed_distance(around[4:])
        np.testing.assert_allclose(distance, [1.0, 1.0, np.sin(np.deg2rad(40.0))], rtol=1e-12)


@pytest.mark.parametrize("far", [1e4, 1e6, 1e8])
def test_far_from_the_origin_a_circle_takes_no_more_elements(far):
    """Where coordinates are rounded, the miss never falls below a share of the size."""
    assert len(elements(circle(0.2, (far, 0.0)))[0]) <= len(elements(circle(0.2))[0])


def test_a_part_that_ends_without_a_corner_ends_where_the_walk_has_it():
    """An oval: at the joints of its lines and half circles the nearest element is a toss-up."""
    right, left = ellipse((1, 0), (0.5, 0.5), 1), ellipse((-1, 0), (0.5, 0.5), 1)
    below, above = segment((-1, -0.5), (1, -0.5)), segment((1, 0.5), (-1, 0.5))
    curve = (below, right.between(-0.25, 0.25), above, left.between(0.25, 0.75))
    oval = Loops([curve], ("straight", "round"))
    walk = oval.walk_boundary(0.1)
    assert oval.nearest_part(walk.points).tolist() == walk.part.tolist()
    np.testing.assert_allclose(oval.normal(walk.points), walk.normals, atol=1e-9)
